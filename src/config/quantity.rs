//! Lengths of time, sizes and percentages as people write them, and back again.
//!
//! Reading says why a text is no quantity and what was probably meant; bounds are the caller's.

use std::time::Duration;

/// Longest length of time that can be written: 1,000 years of 365 days.
const MAX_LENGTH_MS: f64 = 1_000.0 * 365.0 * 86_400e3;
/// Largest size that can be written: 2^50 bytes, and so exact as `f64`.
const MAX_SIZE: f64 = (1_u64 << 50) as f64;

/// How many units of each table are used for writing.
const WRITTEN: usize = 5;
/// Units of time in milliseconds; those used for writing first, the largest of them first.
const TIMES: [(&str, f64); 8] = [
    ("d", 86_400e3),
    ("h", 3_600e3),
    ("m", 60e3),
    ("s", 1e3),
    ("ms", 1.0),
    ("w", 604_800e3),
    ("min", 60e3),
    ("sec", 1e3),
];
/// Units of size in bytes; those used for writing first, the largest of them first.
const SIZES: [(&str, f64); 11] = [
    ("TiB", 1_099_511_627_776.0),
    ("GiB", 1_073_741_824.0),
    ("MiB", 1_048_576.0),
    ("KiB", 1_024.0),
    ("B", 1.0),
    ("TB", 1e12),
    ("GB", 1e9),
    ("MB", 1e6),
    ("kB", 1e3),
    ("KB", 1e3),
    ("bytes", 1.0),
];

/// Why a text is no quantity: what was probably meant, if that can be told.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct NoQuantity {
    /// The text to write instead.
    pub meant: Option<String>,
}

/// Reads a length of time such as `90s` or `1.5h`; exact to the millisecond.
///
/// # Errors
/// For anything else: signs, no unit, an unknown unit, more than 1,000 years.
pub(super) fn length(text: &str) -> Result<Duration, NoQuantity> {
    let written_ms = scaled(text, &TIMES, length_unit_meant)?;
    if written_ms > MAX_LENGTH_MS {
        return Err(NoQuantity::default());
    }
    Ok(Duration::from_millis(written_ms.round() as u64))
}

/// Reads a size such as `8MiB`, in bytes.
///
/// # Errors
/// For anything else: signs, no unit, an unknown unit, more than 2^50 bytes.
pub(super) fn size(text: &str) -> Result<u64, NoQuantity> {
    let bytes = scaled(text, &SIZES, size_unit_meant)?;
    if bytes > MAX_SIZE {
        return Err(NoQuantity::default());
    }
    Ok(bytes.round() as u64)
}

/// Reads a percentage such as `99.5%` as a ratio: 0.995.
///
/// # Errors
/// For anything else, also for a bare number: 0.995 and 99.5 are told apart by nobody.
pub(super) fn percent(text: &str) -> Result<f64, NoQuantity> {
    let (number, unit) = split(text);
    let value = plain_number(number).ok_or_else(NoQuantity::default)?;
    match unit.trim() {
        "%" => Ok(value / 100.0),
        "" if value > 1.0 => Err(NoQuantity { meant: Some(format!("{number}%")) }),
        "" => Err(NoQuantity { meant: Some(format!("{}%", rounded(value * 100.0))) }),
        _ => Err(NoQuantity::default()),
    }
}

/// Reads points of a percentage, such as `0.5pt`, as a ratio: 0.005.
///
/// # Errors
/// For anything else, also for `0.5%`, which could mean a part of the share; more than 100 points.
pub(super) fn points(text: &str) -> Result<f64, NoQuantity> {
    let (number, unit) = split(text);
    let value = plain_number(number).filter(|value| *value <= 100.0);
    let value = value.ok_or_else(NoQuantity::default)?;
    match unit.trim() {
        "pt" => Ok(value / 100.0),
        "%" | "pp" | "pts" | "point" | "points" | "" => {
            Err(NoQuantity { meant: Some(format!("{number}pt")) })
        }
        _ => Err(NoQuantity::default()),
    }
}

/// A length of time as it is written: `28d`, `15m`, `1500ms`; the largest unit that is exact.
pub(super) fn length_text(length: Duration) -> String {
    if length.is_zero() { "0s".to_owned() } else { text_in(length.as_millis() as f64, &TIMES) }
}

/// A size as it is written: `8MiB`, `1000B`; the largest binary unit that is exact.
pub(super) fn size_text(bytes: u64) -> String {
    if bytes == 0 { "0B".to_owned() } else { text_in(bytes as f64, &SIZES) }
}

fn text_in(value: f64, units: &[(&str, f64)]) -> String {
    let is_exact = |(_, scale): &&(&str, f64)| value % scale == 0.0;
    let exact = units.iter().take(WRITTEN).find(is_exact);
    exact.map_or_else(|| value.to_string(), |(unit, scale)| format!("{}{unit}", value / scale))
}

fn scaled(
    text: &str,
    units: &[(&str, f64)],
    meant: fn(&str) -> Option<&'static str>,
) -> Result<f64, NoQuantity> {
    let (number, unit) = split(text);
    let value = plain_number(number).ok_or_else(NoQuantity::default)?;
    match units.iter().find(|(known, _)| *known == unit) {
        Some((_, scale)) => Ok(value * scale),
        None => Err(NoQuantity { meant: meant(unit).map(|unit| format!("{number}{unit}")) }),
    }
}

fn split(text: &str) -> (&str, &str) {
    let number_len = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    text.split_at_checked(number_len).unwrap_or((text, ""))
}

/// Digits with at most one point among them.
fn plain_number(text: &str) -> Option<f64> {
    let is_plain = text.starts_with(|c: char| c.is_ascii_digit()) && !text.ends_with('.');
    if is_plain { text.parse().ok().filter(|value: &f64| value.is_finite()) } else { None }
}

/// A ratio's percentage without the noise of binary fractions.
fn rounded(percent: f64) -> f64 {
    (percent * 1e9).round() / 1e9
}

fn length_unit_meant(written: &str) -> Option<&'static str> {
    Some(match written.trim().to_ascii_lowercase().as_str() {
        "" | "second" | "seconds" | "secs" | "s" => "s",
        "minute" | "minutes" | "mins" => "m",
        "hour" | "hours" | "hr" | "hrs" | "h" => "h",
        "day" | "days" | "d" => "d",
        "week" | "weeks" | "w" => "w",
        "millis" | "msec" | "millisecond" | "milliseconds" | "ms" => "ms",
        _ => return None,
    })
}

fn size_unit_meant(written: &str) -> Option<&'static str> {
    Some(match written.trim().to_ascii_lowercase().as_str() {
        "" | "b" | "byte" | "bytes" => "B",
        "k" | "ki" | "kb" | "kib" => "KiB",
        "m" | "mi" | "mb" | "mib" => "MiB",
        "g" | "gi" | "gb" | "gib" => "GiB",
        "t" | "ti" | "tb" | "tib" => "TiB",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::{length, length_text, percent, size, size_text};

    #[test]
    fn lengths_have_a_unit() {
        for (text, want) in [
            ("90s", Ok(90_000)),
            ("1.5h", Ok(5_400_000)),
            ("28d", Ok(28 * 86_400_000)),
            ("500ms", Ok(500)),
            ("15min", Ok(900_000)),
            ("0s", Ok(0)),
            ("90", Err(Some("90s"))), // no unit
            ("15 minutes", Err(Some("15m"))),
            ("2H", Err(Some("2h"))),
            ("5 parsecs", Err(None)),
            ("-1h", Err(None)),
            ("1.s", Err(None)),
            ("1e3s", Err(None)),
            ("1..5s", Err(None)),
            ("", Err(None)),
            ("365000d", Ok(365_000 * 86_400_000)), // exactly at the bound
            ("365001d", Err(None)),
            ("NaNs", Err(None)),
        ] {
            let got = length(text).map(|length| length.as_millis());
            let got = got.as_ref().copied().map_err(|no| no.meant.as_deref());
            assert_eq!(got, want, "{text}");
        }
    }

    #[test]
    fn sizes_have_a_unit() {
        for (text, want) in [
            ("8MiB", Ok(8_388_608)),
            ("8MB", Ok(8_000_000)),
            ("1.5KiB", Ok(1_536)),
            ("0B", Ok(0)),
            ("8M", Err(Some("8MiB"))), // 2^20 or 10^6?
            ("8 mib", Err(Some("8MiB"))),
            ("8", Err(Some("8B"))),
            ("1024TiB", Ok(1 << 50)), // exactly at the bound
            ("1025TiB", Err(None)),
            ("many", Err(None)),
        ] {
            let got = size(text);
            assert_eq!(got.as_ref().copied().map_err(|no| no.meant.as_deref()), want, "{text}");
        }
    }

    #[test]
    fn percentages_have_their_sign() {
        for (text, want) in [
            ("99.5%", Ok(0.995)),
            ("100 %", Ok(1.0)),
            ("99.5", Err(Some("99.5%"))),
            ("0.999", Err(Some("99.9%"))),
            ("all", Err(None)),
        ] {
            let got = percent(text);
            assert_eq!(got.as_ref().copied().map_err(|no| no.meant.as_deref()), want, "{text}");
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        for (length_ms, want) in [
            (0, "0s"),
            (1_500, "1500ms"),
            (604_800_000, "7d"),
            (2_419_200_000, "28d"),
            (60_000, "1m"),
        ] {
            let text = length_text(Duration::from_millis(length_ms));
            assert_eq!(text, want);
            assert_eq!(length(&text), Ok(Duration::from_millis(length_ms)));
        }
        for (bytes, want) in [(0, "0B"), (1_000, "1000B"), (65_536, "64KiB"), (1 << 50, "1024TiB")]
        {
            assert_eq!(size_text(bytes), want);
            assert_eq!(size(want), Ok(bytes));
        }
    }
}
