//! Decides for one place that may hold a secret what goes and what stays.

use std::borrow::Cow;

use super::{MARK, MAX_VALUE_LEN, pseudonym::pseudonym};

/// What to do at a match: keep `kept_len` bytes of it, cut `cut_len` after them, put `text`.
pub(super) struct Replacement {
    pub(super) kept_len: usize,
    pub(super) cut_len: usize,
    pub(super) text: Cow<'static, str>,
}

/// The replacement for a match, or `None` if it is no secret after all.
///
/// The kinds are told by their first bytes: each begins as no other does.
pub(super) fn replacement(
    before: &[u8],
    matched: &[u8],
    after: &[u8],
    key: &[u8],
) -> Option<Replacement> {
    let whole = |text| Some(Replacement { kept_len: 0, cut_len: matched.len(), text });
    if matched.starts_with(b"://") {
        let text = Cow::Borrowed("[redacted]@");
        return Some(Replacement { kept_len: 3, cut_len: matched.len() - 3, text });
    }
    if matched.starts_with(b"-----BEGIN") {
        return whole(Cow::Borrowed(MARK));
    }
    if is_key(matched) {
        return value_of_key(before, matched, after);
    }
    if memchr::memchr(b'@', matched).is_some() || memchr::memmem::find(matched, b"%40").is_some() {
        let email = String::from_utf8_lossy(matched).replace("%40", "@");
        return whole(Cow::Owned(pseudonym(key, &email)));
    }
    if let Some(blank) = memchr::memchr(b' ', matched)
        && matched.first().is_some_and(u8::is_ascii_alphabetic)
    {
        let value_at = blank + matched.iter().skip(blank).take_while(|byte| **byte == b' ').count();
        let is_credential = looks_random(matched.get(value_at..)?);
        let text = Cow::Borrowed(MARK);
        let cut_len = matched.len() - value_at;
        return is_credential.then_some(Replacement { kept_len: value_at, cut_len, text });
    }
    if matched.first().is_some_and(u8::is_ascii_digit) && !is_card(matched) {
        return None;
    }
    whole(Cow::Borrowed(MARK))
}

/// Whether a lower-case name speaks of a password; `passed` and `passenger` do not.
pub(super) fn names_password(lower: &[u8]) -> bool {
    const WORDS: [&[u8]; 6] =
        [b"password", b"passwd", b"passphrase", b"passcode", b"passkey", b"passport"];
    WORDS.iter().any(|word| memchr::memmem::find(lower, word).is_some())
        || lower.split(|byte| !byte.is_ascii_alphabetic()).any(|word| word.ends_with(b"pass"))
}

fn is_key(matched: &[u8]) -> bool {
    let end = matched.trim_ascii_end();
    end.ends_with(b":") || end.ends_with(b"=") || end.ends_with(b"=>")
}

/// The value after `password=`, `"token": `, `Authorization: `.
fn value_of_key(before: &[u8], matched: &[u8], after: &[u8]) -> Option<Replacement> {
    let name_len = matched
        .iter()
        .take_while(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b'.' | b'-'))
        .count();
    let name = matched.get(..name_len)?.to_ascii_lowercase();
    if name.starts_with(b"pass") && !names_password(&name) {
        return None;
    }
    let is_json = before.ends_with(b"\"") || matched.contains(&b'"');
    let cookie = name.starts_with(b"cookie");
    let (cut_len, quotes) = value_len(after, cookie && !is_json);
    let value = after.get(..cut_len).unwrap_or(after);
    // `tokens: 1500` counts, `token: null` lacks; neither gives anything away.
    let is_word = matches!(value, b"" | b"true" | b"false" | b"null" | b"\"\"" | b"{}" | b"[]");
    let is_count = name.starts_with(b"token") && value.iter().all(u8::is_ascii_digit);
    if is_word || is_count {
        return None;
    }
    let text = match quotes {
        Quotes::None if is_json && matched.trim_ascii_end().ends_with(b":") => "\"[redacted]\"",
        Quotes::None => MARK,
        Quotes::Single => "'[redacted]'",
        Quotes::Double => "\"[redacted]\"",
        Quotes::Escaped => "\\\"[redacted]\\\"",
    };
    Some(Replacement { kept_len: matched.len(), cut_len, text: Cow::Borrowed(text) })
}

enum Quotes {
    None,
    Single,
    Double,
    Escaped,
}

/// Length of the value that `text` begins with, and how it is quoted.
fn value_len(text: &[u8], to_line_end: bool) -> (usize, Quotes) {
    let bounded = text.get(..MAX_VALUE_LEN).unwrap_or(text);
    match bounded {
        [b'"', rest @ ..] => (1 + quoted_len(rest, b'"'), Quotes::Double),
        [b'\'', rest @ ..] => (1 + quoted_len(rest, b'\''), Quotes::Single),
        [b'\\', b'"', rest @ ..] => {
            let end = memchr::memmem::find(rest, b"\\\"").map_or(rest.len(), |at| at + 2);
            (2 + end, Quotes::Escaped)
        }
        [b'{' | b'[', ..] => (nested_len(bounded), Quotes::None),
        _ if to_line_end => {
            let end = bounded.iter().position(|byte| matches!(byte, b'\n' | b'\r' | b'"' | b'\\'));
            (end.unwrap_or(bounded.len()), Quotes::None)
        }
        _ => (bare_len(bounded), Quotes::None),
    }
}

/// Bytes up to and with the closing quote, or all.
fn quoted_len(text: &[u8], quote: u8) -> usize {
    let mut escaped = false;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            byte if *byte == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Bytes of an object or array with everything inside, or all if it does not end.
fn nested_len(text: &[u8]) -> usize {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

/// Bytes of a value without quotes; `Bearer x` and `Basic x` are two words.
fn bare_len(text: &[u8]) -> usize {
    let is_end = |b: &u8| b.is_ascii_whitespace() || b",;&}])\"'\\".contains(b);
    let word_len = text.iter().position(is_end).unwrap_or(text.len());
    let (word, rest) = text.split_at(word_len);
    let schemes: [&[u8]; 4] = [b"bearer", b"basic", b"digest", b"token"];
    if let [b' ', value @ ..] = rest
        && schemes.iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
    {
        return word_len + 1 + value.iter().position(is_end).unwrap_or(value.len());
    }
    word_len
}

/// Tells `Bearer abc123…` and `Basic dXNlcjpwYXNz` from `basic authentication`.
fn looks_random(value: &[u8]) -> bool {
    let inner_capital = value.iter().skip(1).any(u8::is_ascii_uppercase);
    let has_small = value.iter().any(u8::is_ascii_lowercase);
    value.iter().any(|byte| byte.is_ascii_digit() || *byte == b'=') || (inner_capital && has_small)
}

/// A payment card: a known first digits, 13 to 19 digits, and a valid check digit (Luhn).
///
/// The first digits keep epoch times (16 digits from 1, 19 from 1) from being taken for cards.
fn is_card(text: &[u8]) -> bool {
    let digits: Vec<u32> =
        text.iter().filter(|b| b.is_ascii_digit()).map(|b| u32::from(b - b'0')).collect();
    let number = |len: usize| digits.iter().take(len).fold(0, |number, digit| number * 10 + digit);
    let issued = number(1) == 4
        || (51..=55).contains(&number(2))
        || (2221..=2720).contains(&number(4))
        || matches!(number(2), 34 | 35 | 36 | 37 | 38 | 65)
        || number(4) == 6011;
    let luhn = digits.iter().rev().enumerate().map(|(at, digit)| match (at % 2, digit * 2) {
        (0, _) => *digit,
        (_, double) if double > 9 => double - 9,
        (_, double) => double,
    });
    (13..=19).contains(&digits.len()) && issued && luhn.sum::<u32>() % 10 == 0
}
