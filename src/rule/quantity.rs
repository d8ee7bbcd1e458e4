//! Numbers with their units, as they are written in rules, and back again.

use std::fmt;

/// Units of time: the factor of the number and the power of ten that make milliseconds.
///
/// The power is applied to the digits, so `0.3s` is 300 ms and not a little less.
const TIMES: [(&str, f64, i32); 11] = [
    ("ms", 1.0, 0),
    ("s", 1.0, 3),
    ("m", 60.0, 3),
    ("h", 3_600.0, 3),
    ("d", 86_400.0, 3),
    ("us", 1.0, -3),
    ("ns", 1.0, -6),
    ("w", 604_800.0, 3),
    ("min", 60.0, 3),
    ("µs", 1.0, -3), // micro sign
    ("μs", 1.0, -3), // Greek letter
];
/// Units used for writing times, the largest first.
const WRITTEN_TIMES: [(&str, f64); 7] = [
    ("d", 86_400e3),
    ("h", 3_600e3),
    ("m", 60e3),
    ("s", 1e3),
    ("ms", 1.0),
    ("us", 1e-3),
    ("ns", 1e-6),
];
/// Units of rates, those used for writing first, and their length in seconds.
const RATES: [(&str, Every); 5] = [
    ("s", Every::Second),
    ("min", Every::Minute),
    ("h", Every::Hour),
    ("d", Every::Day),
    ("m", Every::Minute),
];

/// A number with its unit.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Quantity {
    /// `300ms`, in milliseconds.
    Time(f64),
    /// `10%`, as written: 10.
    Percent(f64),
    /// `0.5pt`, percentage points as written: 0.5.
    Points(f64),
    /// `500`
    Number(f64),
    /// `5/min`
    Rate(f64, Every),
}

/// The time that a rate is per.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Every {
    /// `/s`
    Second,
    /// `/min`
    Minute,
    /// `/h`
    Hour,
    /// `/d`
    Day,
}

/// Why digits and a unit are no quantity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum NoQuantity {
    /// The digits are no number.
    Number,
    /// The unit is not known.
    Unit,
}

impl Quantity {
    /// Reads digits and the unit behind them.
    ///
    /// # Errors
    /// When either cannot be read.
    pub(super) fn read(digits: &str, unit: &str) -> Result<Self, NoQuantity> {
        let value = number(digits, 0).ok_or(NoQuantity::Number)?;
        match unit {
            "" => return Ok(Self::Number(value)),
            "%" => return Ok(Self::Percent(value)),
            "pt" => return Ok(Self::Points(value)),
            _ => {}
        }
        if let Some(every) = unit.strip_prefix('/') {
            let known = RATES.iter().find(|(known, _)| *known == every);
            return known.map(|(_, every)| Self::Rate(value, *every)).ok_or(NoQuantity::Unit);
        }
        let known = TIMES.iter().find(|(known, ..)| *known == unit);
        let (_, factor, power) = known.ok_or(NoQuantity::Unit)?;
        number(digits, *power).map(|ms| Self::Time(ms * factor)).ok_or(NoQuantity::Number)
    }

    /// The value in its base unit: milliseconds, per cent, points, a number, or 1/s.
    pub fn base(self) -> f64 {
        match self {
            Self::Time(value)
            | Self::Percent(value)
            | Self::Points(value)
            | Self::Number(value) => value,
            Self::Rate(count, every) => count / every.seconds(),
        }
    }

    /// The number in front of the unit.
    pub(super) fn value(self) -> f64 {
        if let Self::Rate(count, _) = self { count } else { self.base() }
    }

    /// The same with the sign turned.
    #[must_use]
    pub fn negated(self) -> Self {
        match self {
            Self::Time(value) => Self::Time(-value),
            Self::Percent(value) => Self::Percent(-value),
            Self::Points(value) => Self::Points(-value),
            Self::Number(value) => Self::Number(-value),
            Self::Rate(count, every) => Self::Rate(-count, every),
        }
    }
}

impl Every {
    /// Its length.
    pub fn seconds(self) -> f64 {
        match self {
            Self::Second => 1.0,
            Self::Minute => 60.0,
            Self::Hour => 3_600.0,
            Self::Day => 86_400.0,
        }
    }

    fn as_str(self) -> &'static str {
        RATES.iter().find(|(_, every)| *every == self).map_or("", |(unit, _)| unit)
    }
}

impl fmt::Display for Quantity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Time(ms) => write_time(f, *ms),
            Self::Percent(value) => write!(f, "{value}%"),
            Self::Points(value) => write!(f, "{value}pt"),
            Self::Number(value) => write!(f, "{value}"),
            Self::Rate(count, every) => write!(f, "{count}/{}", every.as_str()),
        }
    }
}

/// The largest unit in which the number is whole and reads as the same time again.
fn write_time(f: &mut fmt::Formatter<'_>, ms: f64) -> fmt::Result {
    let whole = |(unit, scale): &(&'static str, f64)| {
        let count = (ms / scale).round();
        let again = Quantity::read(&count.abs().to_string(), unit);
        (again == Ok(Quantity::Time(ms.abs()))).then_some((count, *unit))
    };
    match WRITTEN_TIMES.iter().find_map(whole) {
        Some(_) if ms == 0.0 => f.write_str("0s"),
        Some((count, unit)) => write!(f, "{count}{unit}"),
        None => write!(f, "{ms}ms"),
    }
}

/// Digits with at most one point among them and `_` between them, times a power of ten.
fn number(digits: &str, power: i32) -> Option<f64> {
    let is_digit = |c: char| c.is_ascii_digit();
    let starts_and_ends = digits.starts_with(is_digit) && digits.ends_with(is_digit);
    if !starts_and_ends || digits.contains("__") || digits.contains("_.") || digits.contains("._") {
        return None;
    }
    let value: f64 = format!("{}e{power}", digits.replace('_', "")).parse().ok()?;
    value.is_finite().then_some(value)
}
