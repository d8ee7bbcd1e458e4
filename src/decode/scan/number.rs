//! JSON scalars: where a number or literal ends, and what a number is worth.
//!
//! The grammar is that of JSON: no `+1`, `.5`, `1.`, `01`, `NaN` or `Infinity`. JSON sets no bound
//! to a number; whether one fits an `f64` matters only to who asks for its value.

use super::slot::Kind;

/// Powers of ten that an `f64` holds exactly.
const EXACT_POWERS_OF_TEN: [f64; 23] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22,
];

/// Most decimal digits that always fit a `u64`.
const U64_DIGITS: usize = 19;

/// Why a scalar is none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ScalarFlaw {
    /// The bytes are no JSON scalar.
    Malformed,
    /// The text ends inside the scalar.
    CutShort,
}

/// Returns the end and the kind of the number, `true`, `false` or `null` that starts at `start`.
///
/// What follows the scalar is for the caller to judge.
#[inline]
pub(super) fn scalar_end(text: &[u8], start: usize) -> Result<(usize, Kind), ScalarFlaw> {
    match text.get(start) {
        Some(b'0'..=b'9' | b'-') => Ok((number_end(text, start)?, Kind::Number)),
        Some(b't') => Ok((literal_end(text, start, b"true")?, Kind::Bool)),
        Some(b'f') => Ok((literal_end(text, start, b"false")?, Kind::Bool)),
        Some(b'n') => Ok((literal_end(text, start, b"null")?, Kind::Null)),
        Some(_) => Err(ScalarFlaw::Malformed),
        None => Err(ScalarFlaw::CutShort),
    }
}

/// Parses a JSON number into the `f64` nearest to it, bit for bit what [`str::parse`] gives.
///
/// Returns `None` if `raw` is not exactly one JSON number, or is beyond the range of `f64`
/// (`1e400`); a magnitude too small for an `f64` is zero.
#[inline]
pub fn parse_f64(raw: &[u8]) -> Option<f64> {
    match short_decimal(raw) {
        Some(value) => Some(value),
        None => parse_any_f64(raw),
    }
}

/// Parses a JSON integer; `None` for fractions, exponents and values beyond `i64`.
pub fn parse_i64(raw: &[u8]) -> Option<i64> {
    if number_end(raw, 0) != Ok(raw.len()) {
        return None;
    }
    str::from_utf8(raw).ok()?.parse().ok()
}

/// The value of at most 19 digits with an optional sign and point, if it is exact by one division.
///
/// Below 2^53 the digits are an exact `f64`, and up to 10^22 so is the power of ten: the one
/// division then rounds once, which is the correct rounding (Clinger, 1990).
#[inline]
fn short_decimal(raw: &[u8]) -> Option<f64> {
    let unsigned = raw.strip_prefix(b"-").unwrap_or(raw);
    if unsigned.len() > U64_DIGITS {
        return None;
    }
    let mut digits: u64 = 0;
    let mut point = None;
    for (at, &byte) in unsigned.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            digits = digits * 10 + u64::from(digit);
        } else if byte == b'.' && point.is_none() {
            point = Some(at);
        } else {
            return None;
        }
    }
    let whole_digits = point.unwrap_or(unsigned.len());
    let fraction_digits = point.map_or(0, |at| unsigned.len() - at - 1);
    let has_leading_zero = whole_digits > 1 && unsigned.first() == Some(&b'0');
    let is_json =
        whole_digits > 0 && !has_leading_zero && point.is_none_or(|_| fraction_digits > 0);
    if !is_json || digits > 1 << f64::MANTISSA_DIGITS {
        return None;
    }
    let value = digits as f64 / EXACT_POWERS_OF_TEN.get(fraction_digits)?;
    Some(if unsigned.len() < raw.len() { -value } else { value })
}

/// Every other number.
#[cold]
fn parse_any_f64(raw: &[u8]) -> Option<f64> {
    if number_end(raw, 0) != Ok(raw.len()) {
        return None;
    }
    str::from_utf8(raw).ok()?.parse().ok().filter(|value: &f64| value.is_finite())
}

/// Returns the end of the number that starts at `start`.
#[inline]
fn number_end(text: &[u8], start: usize) -> Result<usize, ScalarFlaw> {
    let whole = start + usize::from(text.get(start) == Some(&b'-'));
    let mut end = match text.get(whole) {
        Some(b'0') => whole + 1,
        _ => digits_end(text, whole)?,
    };
    if text.get(end) == Some(&b'.') {
        end = digits_end(text, end + 1)?;
    }
    if matches!(text.get(end), Some(b'e' | b'E')) {
        let exponent = end + 1 + usize::from(matches!(text.get(end + 1), Some(b'+' | b'-')));
        end = digits_end(text, exponent)?;
    }
    Ok(end)
}

/// Returns the end of one or more digits.
#[inline]
fn digits_end(text: &[u8], start: usize) -> Result<usize, ScalarFlaw> {
    let mut end = start;
    while let Some(word) = text.get(end..).and_then(<[u8]>::first_chunk) {
        let digits = leading_digits(u64::from_le_bytes(*word));
        end += digits;
        if digits < size_of::<u64>() {
            break;
        }
    }
    // Only the last bytes of the text are left to this loop.
    while text.get(end).is_some_and(u8::is_ascii_digit) {
        end += 1;
    }
    match text.get(start) {
        _ if end > start => Ok(end),
        Some(_) => Err(ScalarFlaw::Malformed),
        None => Err(ScalarFlaw::CutShort),
    }
}

/// Returns how many bytes of a little-endian word are ASCII digits before the first that is not.
#[inline]
fn leading_digits(word: u64) -> usize {
    const ZEROS: u64 = u64::from_le_bytes([b'0'; 8]);
    const TO_HIGH_BIT: u64 = u64::from_le_bytes([0x80 - 10; 8]);
    const HIGH_BITS: u64 = u64::from_le_bytes([0x80; 8]);
    // Digits become 0..=9 and stay below 0x80 when 0x76 is added. A carry out of a byte can spoil
    // only the bytes after it, and that byte is the first non-digit already.
    let values = word ^ ZEROS;
    let others = (values.wrapping_add(TO_HIGH_BIT) | values) & HIGH_BITS;
    others.trailing_zeros() as usize / 8
}

/// Returns the end of `literal` if it stands at `start`.
fn literal_end(text: &[u8], start: usize, literal: &[u8]) -> Result<usize, ScalarFlaw> {
    let rest = text.get(start..).unwrap_or_default();
    if rest.starts_with(literal) {
        Ok(start + literal.len())
    } else if literal.starts_with(rest) {
        Err(ScalarFlaw::CutShort)
    } else {
        Err(ScalarFlaw::Malformed)
    }
}

#[cfg(test)]
mod tests;
