//! Epoch times given as numbers; the magnitude tells seconds, milli-, micro- or nanoseconds.

use std::str;

use super::reader::Reader;
use super::{SECOND_US, TimeOdd, first_digits, in_range};

/// Reads decimal text as an epoch time, exactly; the magnitude tells the unit.
///
/// # Errors
/// [`TimeOdd::Unreadable`] if it is no number, [`TimeOdd::OutOfRange`] outside 1990 to 2100.
pub(crate) fn parse_number_text(text: &[u8]) -> Result<i64, TimeOdd> {
    let mut reader = Reader { rest: text };
    let Some((whole, _)) = reader.digits_up_to(19) else {
        return parse_float_text(text);
    };
    let fraction = match reader.rest {
        [] => &[][..],
        [b'.', digits @ ..] if !digits.is_empty() => digits,
        _ => return parse_float_text(text),
    };
    if !fraction.iter().all(u8::is_ascii_digit) {
        return parse_float_text(text);
    }
    let unit = EpochUnit::of(whole as f64);
    let below_us = match unit {
        EpochUnit::Seconds => first_digits(fraction, 6),
        EpochUnit::Millis => first_digits(fraction, 3),
        EpochUnit::Micros | EpochUnit::Nanos => 0,
    };
    unit.micros(whole)
        .and_then(|us| us.checked_add(below_us))
        .map_or(Err(TimeOdd::OutOfRange), in_range)
}

/// Reads an integer as an epoch time; the magnitude tells the unit.
///
/// More than 1e17 is nanoseconds, 1e14 microseconds, 1e11 milliseconds, else seconds.
///
/// Reads a float as an epoch time, rounded to the microsecond; the magnitude tells the unit.
///
/// # Errors
/// [`TimeOdd::Unreadable`] for NaN and infinity, [`TimeOdd::OutOfRange`] outside 1990 to 2100.
pub(crate) fn parse_float(number: f64) -> Result<i64, TimeOdd> {
    if !number.is_finite() {
        return Err(TimeOdd::Unreadable);
    }
    let micros = match EpochUnit::of(number) {
        EpochUnit::Seconds => number * 1e6,
        EpochUnit::Millis => number * 1e3,
        EpochUnit::Micros => number,
        EpochUnit::Nanos => number / 1e3,
    };
    in_range(micros.round() as i64) // saturates, and the ends of i64 are out of range
}

fn parse_float_text(text: &[u8]) -> Result<i64, TimeOdd> {
    // Only exponents and signs come here; words such as `nan` are no numbers in a log.
    if !text.first().is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-') {
        return Err(TimeOdd::Unreadable);
    }
    let number = str::from_utf8(text).ok().and_then(|text| text.parse::<f64>().ok());
    number.map_or(Err(TimeOdd::Unreadable), parse_float)
}

#[derive(Clone, Copy)]
enum EpochUnit {
    Seconds,
    Millis,
    Micros,
    Nanos,
}

impl EpochUnit {
    fn of(number: f64) -> Self {
        match number {
            n if n > 1e17 => Self::Nanos,
            n if n > 1e14 => Self::Micros,
            n if n > 1e11 => Self::Millis,
            _ => Self::Seconds,
        }
    }

    fn micros(self, number: i64) -> Option<i64> {
        match self {
            Self::Seconds => number.checked_mul(SECOND_US),
            Self::Millis => number.checked_mul(1000),
            Self::Micros => Some(number),
            Self::Nanos => Some(number / 1000),
        }
    }
}
