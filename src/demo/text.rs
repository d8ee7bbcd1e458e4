//! Bytes of numbers, times, identifiers and JSON strings, appended without allocation.
//!
//! A generator that is to write gigabytes spends its time here, so nothing goes through
//! `core::fmt` or `serde`.

/// Length of a day.
pub(crate) const DAY_MS: i64 = 86_400_000;

const HEX: &[u8; 16] = b"0123456789abcdef";
const BASE62: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";

/// Appends `number` in decimal.
pub(crate) fn push_number(out: &mut Vec<u8>, number: u64) {
    push_padded(out, number, 1);
}

/// Appends `number` in decimal with a sign if it is negative.
pub(crate) fn push_signed(out: &mut Vec<u8>, number: i64) {
    if number < 0 {
        out.push(b'-');
    }
    push_number(out, number.unsigned_abs());
}

/// Appends `number` in decimal, filled with zeros on the left up to `width` (at most 20) digits.
pub(crate) fn push_padded(out: &mut Vec<u8>, mut number: u64, width: usize) {
    let mut digits = [b'0'; 20];
    let mut used = 0;
    for digit in digits.iter_mut().rev() {
        *digit = b'0' + (number % 10) as u8;
        number /= 10;
        used += 1;
        if number == 0 && used >= width {
            break;
        }
    }
    let (_, tail) = digits.split_at(digits.len() - used);
    out.extend_from_slice(tail);
}

/// Appends hundredths as a number with two decimals: 1234 becomes `12.34`.
pub(crate) fn push_hundredths(out: &mut Vec<u8>, hundredths: u32) {
    push_number(out, u64::from(hundredths / 100));
    out.push(b'.');
    push_padded(out, u64::from(hundredths % 100), 2);
}

/// Appends the `count` lowest hexadecimal digits of `bits`.
pub(crate) fn push_hex(out: &mut Vec<u8>, bits: u64, count: u32) {
    for place in (0..count).rev() {
        push_digit(out, HEX, (bits >> (4 * place)) as usize & 15);
    }
}

/// Appends `count` characters of 0-9, A-Z, a-z made from `bits` (10 at most differ).
pub(crate) fn push_base62(out: &mut Vec<u8>, mut bits: u64, count: usize) {
    for _ in 0..count {
        push_digit(out, BASE62, (bits % 62) as usize);
        bits /= 62;
    }
}

/// Appends a version 4 UUID made from `bits`.
pub(crate) fn push_uuid(out: &mut Vec<u8>, bits: u128) {
    let (high, low) = ((bits >> 64) as u64, bits as u64);
    push_hex(out, high >> 32, 8);
    out.push(b'-');
    push_hex(out, high >> 16, 4);
    out.extend_from_slice(b"-4");
    push_hex(out, high, 3);
    out.push(b'-');
    push_digit(out, b"89ab", (low >> 62) as usize);
    push_hex(out, low >> 48, 3);
    out.push(b'-');
    push_hex(out, low, 12);
}

/// Appends a time as `2026-11-16T12:00:00.123Z`; `ms` counts from 1970 in UTC, years 0 to 9999.
pub(crate) fn push_iso(out: &mut Vec<u8>, ms: i64) {
    push_date(out, ms);
    let of_day = ms.rem_euclid(DAY_MS) as u64;
    for (before, unit_ms, modulus) in [(b'T', 3_600_000, 24), (b':', 60_000, 60), (b':', 1000, 60)]
    {
        out.push(before);
        push_padded(out, of_day / unit_ms % modulus, 2);
    }
    out.push(b'.');
    push_padded(out, of_day % 1000, 3);
    out.push(b'Z');
}

/// Appends the day of a time as `2026-11-16`; `ms` counts from 1970, years 0 to 9999.
///
/// Source: Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
pub(crate) fn push_date(out: &mut Vec<u8>, ms: i64) {
    let days = ms.div_euclid(DAY_MS) + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    push_padded(out, year.unsigned_abs(), 4);
    out.push(b'-');
    push_padded(out, month.unsigned_abs(), 2);
    out.push(b'-');
    push_padded(out, day.unsigned_abs(), 2);
}

/// Appends `text` as the inside of a JSON string: quotes, backslashes and control bytes escaped.
pub(crate) fn push_escaped(out: &mut Vec<u8>, text: &[u8]) {
    let mut rest = text;
    while let Some(at) = rest.iter().position(|&b| b < 0x20 || b == b'"' || b == b'\\') {
        let (plain, tail) = rest.split_at(at);
        out.extend_from_slice(plain);
        let Some((&special, tail)) = tail.split_first() else { return };
        match special {
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\t' => out.extend_from_slice(b"\\t"),
            b'"' | b'\\' => out.extend_from_slice(&[b'\\', special]),
            _ => {
                out.extend_from_slice(b"\\u00");
                push_hex(out, u64::from(special), 2);
            }
        }
        rest = tail;
    }
    out.extend_from_slice(rest);
}

fn push_digit(out: &mut Vec<u8>, digits: &[u8], value: usize) {
    out.extend(digits.get(value));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(expected: &str, write: impl FnOnce(&mut Vec<u8>)) {
        let mut out = Vec::new();
        write(&mut out);
        assert_eq!(String::from_utf8(out).unwrap(), expected);
    }

    #[test]
    fn numbers_are_written_as_rust_would() {
        check("0", |out| push_number(out, 0));
        check("18446744073709551615", |out| push_number(out, u64::MAX)); // all twenty digits
        check("-1", |out| push_signed(out, -1));
        check("007", |out| push_padded(out, 7, 3));
        check("1234", |out| push_padded(out, 1234, 3)); // wider than asked is kept
        check("0.05", |out| push_hundredths(out, 5));
        check("12.34", |out| push_hundredths(out, 1234));
        check("00ff", |out| push_hex(out, 255, 4));
        check("10000000000000000000", |out| push_base62(out, 1, 20));
    }

    #[test]
    fn identifiers_are_version_four() {
        check("00000000-0000-4000-8000-000000000000", |out| push_uuid(out, 0));
        check("ffffffff-ffff-4fff-bfff-ffffffffffff", |out| push_uuid(out, u128::MAX));
    }

    #[test]
    fn times_are_those_of_the_calendar() {
        for (ms, text) in [
            (0, "1970-01-01T00:00:00.000Z"),
            (951_782_399_999, "2000-02-28T23:59:59.999Z"), // a leap day begins one ms later
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (1_795_316_400_000, "2026-11-22T03:00:00.000Z"),
            (-1, "1969-12-31T23:59:59.999Z"),
        ] {
            check(text, |out| push_iso(out, ms));
            assert_eq!(jiff::Timestamp::from_millisecond(ms).unwrap(), text.parse().unwrap());
        }
    }

    #[test]
    fn strings_survive_a_json_parser() {
        for text in ["", "plain", "a \"b\" \\ c\n\td\u{1b}[31m", "✅ Física\u{0}"] {
            let mut out = b"\"".to_vec();
            push_escaped(&mut out, text.as_bytes());
            out.push(b'"');
            assert_eq!(serde_json::from_slice::<String>(&out).unwrap(), text);
        }
    }
}
