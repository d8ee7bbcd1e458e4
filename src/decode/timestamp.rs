//! Reads the time of an event from text or from a number, as microseconds since 1970 UTC.
//!
//! One parser for the forms that logs use (RFC 3339 and its relatives, access logs, syslog,
//! Apache, PostgreSQL, log4j, RFC 2822, epoch numbers), without allocation and without state
//! that one record could spoil for the next: a time that cannot be read is [`TimeOdd`] and
//! changes nothing else. Numbers given as text are read exactly, never through a float.
//!
//! Not done here: daylight saving. A named zone other than `UTC`, `GMT` or `Z` is taken for the
//! default offset and flagged, because zone abbreviations are ambiguous (`CST` is three zones).

mod epoch;
mod reader;
#[cfg(test)]
mod tests;

pub(super) use epoch::parse_number_text;
use reader::Reader;

/// Earliest accepted time: 1990-01-01T00:00:00Z, in microseconds.
pub(super) const EARLIEST_US: i64 = 631_152_000_000_000;
/// Latest accepted time: 2100-01-01T00:00:00Z, in microseconds.
pub(super) const LATEST_US: i64 = 4_102_444_800_000_000;

const SECOND_US: i64 = 1_000_000;
const DAY_US: i64 = 86_400 * SECOND_US;

/// A moment, and whether its zone had to be assumed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timestamp {
    /// Microseconds since 1970-01-01T00:00:00Z, within [`EARLIEST_US`]..=[`LATEST_US`].
    pub micros: i64,
    /// The text named no zone that is understood; the default offset was used.
    pub zone_assumed: bool,
}

/// What is assumed of times that do not say everything.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ZoneDefault {
    /// Offset from UTC of times without a zone, in seconds east.
    pub offset_s: i32,
    /// Year of times without one (syslog); 0 refuses them as [`TimeOdd::OutOfRange`].
    pub year: i32,
}

impl ZoneDefault {
    /// UTC, and no year for times without one.
    pub const UTC: Self = Self { offset_s: 0, year: 0 };
}

impl Default for ZoneDefault {
    fn default() -> Self {
        Self::UTC
    }
}

/// Why a time was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TimeOdd {
    /// None of the known forms.
    #[error("time is in no known form")]
    Unreadable,
    /// A known form that names no moment, such as 30 February or 25 o'clock.
    #[error("time names a day or hour that does not exist")]
    Impossible,
    /// A moment before 1990 or after 2100.
    #[error("time is outside the years 1990 to 2100")]
    OutOfRange,
}

/// Parser for a stream of times, mostly of one form and of one day.
///
/// Remembers the last date seen as `YYYY-MM-DD`, so that `2026-11-18T14:03:22.123Z` costs only
/// its clock part. The memory is a pure shortcut: answers equal those of [`parse_text`].
#[derive(Clone, Debug)]
pub(super) struct TimestampParser {
    zone: ZoneDefault,
    date: [u8; 10],
    midnight_us: i64,
}

impl TimestampParser {
    /// Makes a parser that assumes `zone` where a time names none.
    pub(super) fn new(zone: ZoneDefault) -> Self {
        Self { zone, date: [0; 10], midnight_us: 0 }
    }

    /// Reads `text` as [`parse_text`] does.
    ///
    /// # Errors
    /// [`TimeOdd`] when `text` is no time between 1990 and 2100.
    #[inline]
    pub(super) fn parse(&mut self, text: &[u8]) -> Result<Timestamp, TimeOdd> {
        if let Some(micros) = self.parse_same_day(text) {
            return Ok(Timestamp { micros, zone_assumed: false });
        }
        let parsed = parse_text(text, &self.zone)?;
        self.remember_date(text);
        Ok(parsed)
    }

    /// `YYYY-MM-DDTHH:MM:SS[.fraction]Z` on the remembered date.
    #[inline]
    fn parse_same_day(&self, text: &[u8]) -> Option<i64> {
        let (date, rest) = text.split_first_chunk::<10>()?;
        if *date != self.date {
            return None;
        }
        let (clock, rest) = rest.split_first_chunk::<9>()?;
        let &[b'T' | b' ', h1, h0, b':', m1, m0, b':', s1, s0] = clock else {
            return None;
        };
        let hour = two_digits(h1, h0)?;
        let minute = two_digits(m1, m0)?;
        let second = two_digits(s1, s0)?;
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let fraction_us = match rest {
            [b'Z'] => 0,
            [b'.', digits @ .., b'Z'] if !digits.is_empty() => fraction_micros(digits)?,
            _ => return None,
        };
        Some(self.midnight_us + (hour * 3600 + minute * 60 + second) * SECOND_US + fraction_us)
    }

    #[cold]
    fn remember_date(&mut self, text: &[u8]) {
        let Some((date, _)) = text.split_first_chunk::<10>() else {
            return;
        };
        let mut reader = Reader { rest: date };
        let Some(Ok(days)) = reader.year_month_day() else {
            return;
        };
        let midnight_us = days * DAY_US;
        // A day at the edge of the range could hold moments outside of it.
        if reader.rest.is_empty() && (EARLIEST_US..LATEST_US).contains(&midnight_us) {
            self.date = *date;
            self.midnight_us = midnight_us;
        }
    }
}

/// Reads a whole text as one time; surrounding blanks, quotes and one pair of brackets are fine.
///
/// A number is read as [`parse_number_text`] does.
///
/// # Errors
/// [`TimeOdd`] when `text` is no time between 1990 and 2100.
pub fn parse_text(text: &[u8], zone: &ZoneDefault) -> Result<Timestamp, TimeOdd> {
    let text = text.trim_ascii();
    match parse_leading(text, zone) {
        Ok((timestamp, used)) if used == text.len() => Ok(timestamp),
        Err(odd @ (TimeOdd::Impossible | TimeOdd::OutOfRange)) => Err(odd),
        _ => parse_number_text(text).map(utc),
    }
}

/// Reads a time at the start of `line` and tells how many bytes it takes.
///
/// Numbers are not accepted here: a line that starts with a number need not start with a time.
///
/// # Errors
/// [`TimeOdd`] when `line` does not start with a time between 1990 and 2100.
pub(super) fn parse_leading(
    line: &[u8],
    zone: &ZoneDefault,
) -> Result<(Timestamp, usize), TimeOdd> {
    let (mut reader, bracketed) = match line {
        [b'[', rest @ ..] => (Reader { rest }, true),
        _ => (Reader { rest: line }, false),
    };
    let timestamp = reader.timestamp(*zone).ok_or(TimeOdd::Unreadable)??;
    if bracketed && !reader.eat(b']') {
        return Err(TimeOdd::Unreadable);
    }
    Ok((timestamp, line.len() - reader.rest.len()))
}

fn utc(micros: i64) -> Timestamp {
    Timestamp { micros, zone_assumed: false }
}

fn in_range(micros: i64) -> Result<i64, TimeOdd> {
    if (EARLIEST_US..=LATEST_US).contains(&micros) { Ok(micros) } else { Err(TimeOdd::OutOfRange) }
}

#[inline]
fn digit(byte: u8) -> Option<i64> {
    byte.is_ascii_digit().then(|| i64::from(byte - b'0'))
}

#[inline]
fn two_digits(tens: u8, ones: u8) -> Option<i64> {
    Some(digit(tens)? * 10 + digit(ones)?)
}

/// The microseconds of a decimal fraction, cut after the sixth digit; `None` if not all digits.
#[inline]
fn fraction_micros(digits: &[u8]) -> Option<i64> {
    match *digits {
        [a, b, c] => Some((two_digits(a, b)? * 10 + digit(c)?) * 1000),
        [_, _, _, _, _, _] => digits.iter().try_fold(0, |us, byte| Some(us * 10 + digit(*byte)?)),
        _ => digits.iter().all(u8::is_ascii_digit).then(|| first_digits(digits, 6)),
    }
}

/// The first `count` decimal places of a fraction as an integer; missing places are zero.
fn first_digits(fraction: &[u8], count: usize) -> i64 {
    let places = fraction.iter().map(|byte| i64::from(byte - b'0')).chain(std::iter::repeat(0));
    places.take(count).fold(0, |number, place| number * 10 + place)
}
