//! Units of durations: told by a field's name or by the value itself, else guessed and said so.
//!
//! Everything ends as milliseconds in `f64`. A guess is a [`Guess`] with its reason, never a
//! bare unit, so that it cannot be mistaken for knowledge on its way to the user.

#[cfg(test)]
mod tests;

/// Longest text that is looked at as a duration, in bytes.
const MAX_TEXT_LEN: usize = 256;

/// Unit of a number that stands for a duration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DurationUnit {
    /// Nanoseconds.
    Ns,
    /// Microseconds.
    Us,
    /// Milliseconds.
    Ms,
    /// Seconds.
    S,
}

/// Last words of field names, in small letters.
const NAME_ENDINGS: [(&str, DurationUnit); 20] = [
    ("ns", DurationUnit::Ns),
    ("nanos", DurationUnit::Ns),
    ("nanosec", DurationUnit::Ns),
    ("nanosecond", DurationUnit::Ns),
    ("nanoseconds", DurationUnit::Ns),
    ("us", DurationUnit::Us),
    ("usec", DurationUnit::Us),
    ("micros", DurationUnit::Us),
    ("microsecond", DurationUnit::Us),
    ("microseconds", DurationUnit::Us),
    ("ms", DurationUnit::Ms),
    ("msec", DurationUnit::Ms),
    ("millis", DurationUnit::Ms),
    ("millisecond", DurationUnit::Ms),
    ("milliseconds", DurationUnit::Ms),
    ("s", DurationUnit::S),
    ("sec", DurationUnit::S),
    ("secs", DurationUnit::S),
    ("second", DurationUnit::S),
    ("seconds", DurationUnit::S),
];

impl DurationUnit {
    /// Converts `value` of this unit into milliseconds; NaN and infinities stay what they are.
    #[inline]
    pub fn to_ms(self, value: f64) -> f64 {
        match self {
            Self::Ns => value / 1e6,
            Self::Us => value / 1e3,
            Self::Ms => value,
            Self::S => value * 1e3,
        }
    }

    /// The unit as written after a number: `ns`, `us`, `ms`, `s`.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Ns => "ns",
            Self::Us => "us",
            Self::Ms => "ms",
            Self::S => "s",
        }
    }

    /// Reads the unit that a field's name ends in, such as `duration_ms`, `durationMs`,
    /// `attr.durationMillis`, `elapsedNanos`, `took-seconds`.
    ///
    /// The last word counts, as separated by `_`, `.`, `-` or a capital: `items` and `atoms`
    /// name no unit. `None` when the name does not tell.
    pub fn from_field_name(name: &str) -> Option<Self> {
        let bytes = name.as_bytes();
        let word_len = last_word_len(bytes);
        let (before, word) = bytes.split_at_checked(bytes.len().checked_sub(word_len)?)?;
        // A name that is only a unit (`s`, `ms`) is more often something else: MongoDB's severity.
        if before.is_empty() {
            return None;
        }
        let found =
            NAME_ENDINGS.iter().find(|(known, _)| word.eq_ignore_ascii_case(known.as_bytes()));
        found.map(|(_, unit)| *unit)
    }
}

/// Reads a duration whose bare numbers are in `unit`; a unit in the text wins. Milliseconds.
///
/// `None` for `-`, empty text, negative numbers, and anything that is no duration.
pub(super) fn parse_duration(text: &[u8], unit: DurationUnit) -> Option<f64> {
    let text = text.trim_ascii();
    match parse_plain_number(text) {
        Some(value) => Some(unit.to_ms(value)),
        None => parse_duration_text(text).or_else(|| parse_list(text, unit)),
    }
}

/// Reads a duration that says its own unit: `1.2ms`, `345 µs`, `1m2.5s`, `1h3m`, `PT1.5S`,
/// `0:00:01.5`. Milliseconds.
///
/// `None` for a bare number: its unit is not known here.
pub fn parse_duration_text(text: &[u8]) -> Option<f64> {
    let text = text.trim_ascii();
    if text.is_empty() || text.len() > MAX_TEXT_LEN {
        return None;
    }
    match text {
        [b'P' | b'p', rest @ ..] => parse_iso(rest),
        _ => parse_units(text).or_else(|| parse_clock(text)),
    }
}

/// A unit that nothing told, with the reason for choosing it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Guess {
    /// The likeliest unit.
    pub unit: DurationUnit,
    /// Why, as a clause for the user: "median 0.012 with fractions looks like seconds".
    pub reason: String,
}

/// Guesses the unit of bare numbers from the median of a sample.
///
/// Web requests mostly last 1 ms to 10 s. Fractions with a median below 5 look like seconds;
/// whole numbers of a million and more like nanoseconds, of ten thousand and more like
/// microseconds; everything else like milliseconds. Values that are NaN, infinite or negative
/// do not count; `None` when none is left.
pub(super) fn guess_unit(sample: &[f64]) -> Option<Guess> {
    let mut values: Vec<f64> =
        sample.iter().copied().filter(|value| value.is_finite() && *value >= 0.0).collect();
    let middle = values.len() / 2;
    if values.is_empty() {
        return None;
    }
    let (_, median, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    let median = *median;
    let has_fractions = values.iter().any(|value| value.fract() != 0.0);
    let (unit, looks) = match (median, has_fractions) {
        (m, false) if m >= 1e6 => (DurationUnit::Ns, "whole numbers looks like nanoseconds"),
        (m, false) if m >= 1e4 => (DurationUnit::Us, "whole numbers looks like microseconds"),
        (m, true) if m < 5.0 => (DurationUnit::S, "fractions looks like seconds"),
        (_, true) => (DurationUnit::Ms, "fractions looks like milliseconds"),
        (_, false) => (DurationUnit::Ms, "whole numbers looks like milliseconds"),
    };
    Some(Guess { unit, reason: format!("median {median} with {looks}") })
}

/// Length of the last word of a name: after the last separator, or from the capital that follows
/// a small letter (`durationMs`, `durationMS`, not `CPUs`).
fn last_word_len(name: &[u8]) -> usize {
    let mut word_len = 0;
    let mut inside = name.iter().rev().peekable();
    while let Some(byte) = inside.next() {
        if matches!(byte, b'_' | b'.' | b'-' | b' ') {
            break;
        }
        word_len += 1;
        let before = inside.peek().is_some_and(|before| before.is_ascii_lowercase());
        if byte.is_ascii_uppercase() && before {
            break;
        }
    }
    word_len
}

fn parse_plain_number(text: &[u8]) -> Option<f64> {
    let starts_as_number = matches!(text, [b'0'..=b'9' | b'.', ..]);
    let value: f64 = if starts_as_number { fast_float2::parse(text).ok()? } else { return None };
    value.is_finite().then_some(value)
}

/// nginx writes one time per tried upstream, `0.012, 0.034 : 0.001`; a client waits for their sum.
///
/// `-` stands for an upstream that was never connected and adds nothing.
fn parse_list(text: &[u8], unit: DurationUnit) -> Option<f64> {
    if text.len() > MAX_TEXT_LEN || !(text.contains(&b',') || text.contains(&b':')) {
        return None;
    }
    let mut sum = None;
    for part in text.split(|byte| matches!(byte, b',' | b':')) {
        let part = part.trim_ascii();
        if part != b"-" {
            sum = Some(sum.unwrap_or(0.0) + parse_plain_number(part)?);
        }
    }
    sum.map(|value| unit.to_ms(value))
}

/// `1h2m3.5s`, `1.2ms`, `345 us`, `2 seconds`: numbers with units, largest first or not.
fn parse_units(text: &[u8]) -> Option<f64> {
    let mut rest = text;
    let mut total_ms = 0.0;
    while !rest.is_empty() {
        let number_len = rest.iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
        let (number, after) = rest.split_at_checked(number_len)?;
        let value = parse_plain_number(number)?;
        let after = after.trim_ascii_start();
        let unit_len =
            after.iter().take_while(|b| !b.is_ascii_digit() && !matches!(b, b' ' | b'.')).count();
        let (unit, after) = after.split_at_checked(unit_len)?;
        total_ms += value * unit_ms(unit)?;
        rest = after.trim_ascii_start();
    }
    Some(total_ms)
}

/// Milliseconds of one written unit; both characters for micro (U+00B5, U+03BC) are known.
fn unit_ms(unit: &[u8]) -> Option<f64> {
    Some(match unit {
        b"ns" | b"nanoseconds" => 1e-6,
        b"us" | b"usec" | b"\xc2\xb5s" | b"\xce\xbcs" | b"microseconds" => 1e-3,
        b"ms" | b"msec" | b"millis" | b"milliseconds" | b"millisecond" => 1.0,
        b"s" | b"sec" | b"secs" | b"second" | b"seconds" => 1e3,
        b"m" | b"min" | b"mins" | b"minute" | b"minutes" => 60e3,
        b"h" | b"hr" | b"hour" | b"hours" => 3_600e3,
        b"d" | b"day" | b"days" => 86_400e3,
        _ => return None,
    })
}

/// What follows the `P` of an ISO 8601 duration: `T1.5S`, `1DT2H`. Months have no length.
fn parse_iso(text: &[u8]) -> Option<f64> {
    let mut in_time = false;
    let mut total_ms = None;
    let mut rest = text;
    while let Some((first, after)) = rest.split_first() {
        if matches!(first, b'T' | b't') {
            in_time = true;
            rest = after;
            continue;
        }
        let number_len = rest.iter().take_while(|b| b.is_ascii_digit() || **b == b'.').count();
        let (number, after) = rest.split_at_checked(number_len)?;
        let (unit, after) = after.split_first()?;
        let unit_ms = match (in_time, unit.to_ascii_uppercase()) {
            (false, b'W') => 604_800e3,
            (false, b'D') => 86_400e3,
            (true, b'H') => 3_600e3,
            (true, b'M') => 60e3,
            (true, b'S') => 1e3,
            _ => return None,
        };
        total_ms = Some(total_ms.unwrap_or(0.0) + parse_plain_number(number)? * unit_ms);
        rest = after;
    }
    total_ms
}

/// `h:mm:ss[.fraction]`, as .NET and Python write a duration. Two parts would be ambiguous.
fn parse_clock(text: &[u8]) -> Option<f64> {
    let mut parts = text.split(|byte| *byte == b':');
    let (hours, minutes, seconds) = (parts.next()?, parts.next()?, parts.next()?);
    let two_digits = minutes.len() == 2 && seconds.get(..2)?.iter().all(u8::is_ascii_digit);
    if parts.next().is_some() || !two_digits || !hours.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (minutes, seconds) = (parse_plain_number(minutes)?, parse_plain_number(seconds)?);
    let in_range = minutes < 60.0 && seconds < 60.0;
    in_range.then_some(parse_plain_number(hours)? * 3_600e3 + minutes * 60e3 + seconds * 1e3)
}
