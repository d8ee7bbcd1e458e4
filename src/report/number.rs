//! Numbers as a reader sees them: at most three significant digits, always with their unit.
//!
//! Counts of things that were counted one by one are exact up to 9,999. What is not finite or not
//! known is a dash, never zero.

use crate::model::Unit;

/// Shown where a value is not known.
pub(crate) const UNKNOWN: &str = "–";

/// A value with its unit: `759 ms`, `1.24 s`, `0.69 %`, `60.1 k`, `12 per h`.
pub(crate) fn measure(value: f64, unit: Unit) -> String {
    if !value.is_finite() {
        return UNKNOWN.to_owned();
    }
    match unit {
        Unit::Ms => duration(value),
        Unit::Ratio => ratio(value),
        Unit::Count => short_count(value),
        Unit::PerHour => format!("{} per h", short_count(value)),
    }
}

/// A value that may be unknown.
pub(crate) fn measure_or_dash(value: Option<f64>, unit: Unit) -> String {
    value.map_or_else(|| UNKNOWN.to_owned(), |value| measure(value, unit))
}

/// A range of values: `380 ms to 430 ms`, with the unit once where both have the same.
pub(crate) fn range(bounds: [f64; 2], unit: Unit) -> String {
    let [low, high] = bounds.map(|bound| measure(bound, unit));
    match (low.rsplit_once(' '), high.rsplit_once(' ')) {
        (Some((low_number, low_unit)), Some((_, high_unit))) if low_unit == high_unit => {
            format!("{low_number}–{high}")
        }
        _ => format!("{low}–{high}"),
    }
}

/// A relative change: `+87 %`, `−8.4 %`, `×4.2` from +300 % on.
pub(crate) fn relative(change_pct: f64) -> String {
    if !change_pct.is_finite() {
        return UNKNOWN.to_owned();
    }
    if change_pct >= 300.0 {
        return format!("×{}", significant(1.0 + change_pct / 100.0, 2));
    }
    format!("{} %", signed(change_pct))
}

/// A likely range of a change: `+74 % to +97 %`, or points for shares.
pub(crate) fn likely(bounds: [f64; 2], unit: Unit) -> String {
    if unit == Unit::Ratio {
        let [low, high] = bounds.map(signed);
        return format!("{low} to {high} points");
    }
    let [low, high] = bounds.map(relative);
    let low = if high.ends_with(" %") { low.trim_end_matches(" %") } else { &low };
    format!("{low} to {high}")
}

/// An exact count with thousands separators: `60,000`.
pub(crate) fn count(value: u64) -> String {
    let digits = value.to_string();
    let mut grouped = String::with_capacity(digits.len() * 4 / 3);
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    grouped
}

/// A count, exact up to 9,999 and then short: `5,594`, `60.1 k`, `1.24 M`.
pub(crate) fn short_count(value: f64) -> String {
    const SCALES: [(f64, &str); 3] = [(1e9, "G"), (1e6, "M"), (1e4, "k")];
    let size = value.abs();
    for (from, suffix) in SCALES {
        if size >= from {
            let scale = if suffix == "k" { 1e3 } else { from };
            return format!("{} {suffix}", significant(value / scale, 3));
        }
    }
    if size >= 1_000.0 {
        let sign = if value < 0.0 { "−" } else { "" };
        return format!("{sign}{}", count(size.round() as u64));
    }
    significant(value, 3)
}

/// Bytes in decimal units.
pub(crate) fn bytes(value: u64) -> String {
    let (scale, suffix) = match value {
        0..1_000 => (1.0, "B"),
        1_000..1_000_000 => (1e3, "kB"),
        1_000_000..1_000_000_000 => (1e6, "MB"),
        _ => (1e9, "GB"),
    };
    format!("{} {suffix}", significant(value as f64 / scale, 3))
}

/// A length of time: `45 s`, `3 min`, `6 h`, `2 d`.
pub(crate) fn span(seconds: f64) -> String {
    let size = seconds.abs();
    let (scale, suffix) = match size {
        _ if size < 120.0 => (1.0, "s"),
        _ if size < 3_600.0 => (60.0, "min"),
        _ if size < 172_800.0 => (3_600.0, "h"),
        _ => (86_400.0, "d"),
    };
    format!("{} {suffix}", significant(size / scale, 2))
}

/// Nanoseconds, as benchmarks have them, to hours.
fn duration(value_ms: f64) -> String {
    let size = value_ms.abs();
    let (scale, suffix) = match size {
        _ if size > 0.0 && size < 0.000_999_5 => (1e-6, "ns"),
        _ if size > 0.0 && size < 0.009_995 => (1e-3, "µs"),
        _ if size < 999.5 => (1.0, "ms"),
        _ if size < 120_000.0 => (1e3, "s"),
        _ if size < 7_200_000.0 => (60e3, "min"),
        _ => (3_600e3, "h"),
    };
    format!("{} {suffix}", significant(value_ms / scale, 3))
}

/// A share as per cent. Close to 100 % two decimals stay, because the missing part is what counts.
fn ratio(value: f64) -> String {
    let percent = value * 100.0;
    if (0.995..1.0).contains(&value) {
        return format!("{} %", trim(&format!("{percent:.2}")));
    }
    if percent > 0.0 && percent < 0.001 {
        return "< 0.001 %".to_owned();
    }
    format!("{} %", significant(percent, 3))
}

/// A number with its sign: `+87`, `−8.4`, `0`.
fn signed(value: f64) -> String {
    let digits = significant(value.abs(), if value.abs() < 100.0 { 2 } else { 3 });
    match digits.as_str() {
        "0" => digits,
        _ if value < 0.0 => format!("−{digits}"),
        _ => format!("+{digits}"),
    }
}

/// A number rounded to `digits` significant digits, without trailing zeros behind the point.
fn significant(value: f64, digits: i32) -> String {
    if !value.is_finite() {
        return UNKNOWN.to_owned();
    }
    let sign = if value < 0.0 { "−" } else { "" };
    let size = value.abs();
    if size < 1e-9 {
        return "0".to_owned();
    }
    let magnitude = size.log10().floor() as i32;
    let decimals = digits - 1 - magnitude;
    if decimals > 0 {
        return format!("{sign}{}", trim(&format!("{size:.*}", decimals as usize)));
    }
    let step = 10f64.powi(-decimals);
    format!("{sign}{}", count(((size / step).round() * step) as u64))
}

fn trim(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

#[cfg(test)]
mod tests {
    use super::{bytes, count, likely, measure, range, relative, short_count, span};
    use crate::model::Unit;

    #[test]
    fn values_have_three_digits_and_a_unit() {
        let check = |value: f64, unit: Unit, want: &str| {
            assert_eq!(measure(value, unit), want, "{value} {unit:?}");
        };
        check(0.0, Unit::Ms, "0 ms");
        check(0.000_205_88, Unit::Ms, "206 ns");
        check(0.0043, Unit::Ms, "4.3 µs");
        check(0.4213, Unit::Ms, "0.421 ms");
        check(405.6, Unit::Ms, "406 ms");
        check(999.4, Unit::Ms, "999 ms");
        check(999.6, Unit::Ms, "1 s"); // rounding crosses the unit
        check(1_236.0, Unit::Ms, "1.24 s");
        check(119_000.0, Unit::Ms, "119 s");
        check(180_000.0, Unit::Ms, "3 min");
        check(-12.5, Unit::Ms, "−12.5 ms");
        check(f64::NAN, Unit::Ms, "–");
        check(f64::INFINITY, Unit::Count, "–");
        check(0.0, Unit::Ratio, "0 %");
        check(0.006_9, Unit::Ratio, "0.69 %");
        check(0.000_000_1, Unit::Ratio, "< 0.001 %");
        check(0.994_9, Unit::Ratio, "99.5 %");
        check(0.999_5, Unit::Ratio, "99.95 %"); // an objective must not round to 100 %
        check(1.0, Unit::Ratio, "100 %");
        check(9_999.0, Unit::Count, "9,999");
        check(10_000.0, Unit::Count, "10 k");
        check(60_123.0, Unit::Count, "60.1 k");
        check(12.345, Unit::PerHour, "12.3 per h");
        check(1e300, Unit::Count, "18,446,744,073,709,551,615 G"); // saturates, never panics
    }

    #[test]
    fn changes_and_ranges_are_short() {
        assert_eq!(relative(87.3), "+87 %");
        assert_eq!(relative(-8.44), "−8.4 %");
        assert_eq!(relative(0.0), "0 %");
        assert_eq!(relative(299.9), "+300 %"); // just below the bound
        assert_eq!(relative(300.0), "×4"); // exactly at it
        assert_eq!(relative(1_900.0), "×20");
        assert_eq!(relative(f64::NAN), "–");
        assert_eq!(likely([74.0, 97.0], Unit::Ms), "+74 to +97 %");
        assert_eq!(likely([74.0, 500.0], Unit::Ms), "+74 % to ×6");
        assert_eq!(likely([0.5, 0.8], Unit::Ratio), "+0.5 to +0.8 points");
        assert_eq!(range([380.0, 430.0], Unit::Ms), "380–430 ms");
        assert_eq!(range([0.8e3, 1.4e3], Unit::Ms), "800 ms–1.4 s");
        assert_eq!(range([3.0, 9.0], Unit::Count), "3–9");
    }

    #[test]
    fn counts_bytes_and_spans() {
        assert_eq!(count(0), "0");
        assert_eq!(count(999), "999");
        assert_eq!(count(1_204), "1,204");
        assert_eq!(count(60_000_000), "60,000,000");
        assert_eq!(short_count(-1_204.0), "−1,204");
        assert_eq!(bytes(999), "999 B");
        assert_eq!(bytes(24_100_000), "24.1 MB");
        assert_eq!(span(0.0), "0 s");
        assert_eq!(span(119.0), "120 s");
        assert_eq!(span(1_200.0), "20 min");
        assert_eq!(span(3_600.0), "1 h"); // exactly at the bound
        assert_eq!(span(-21_600.0), "6 h");
        assert_eq!(span(172_800.0), "2 d");
    }
}
