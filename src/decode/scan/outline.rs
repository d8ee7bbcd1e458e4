//! The members of a record that was accepted, found again without another check.
//!
//! The scanner has proved that the record is JSON, so its outermost members are where quotes and
//! brackets say. Of other text the members are any ranges of it.

use memchr::memchr2;

/// A member as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Written<'a> {
    /// The key with its quotes.
    pub key: &'a [u8],
    /// The value.
    pub value: &'a [u8],
}

/// The members of the outermost object of `record` in their order, duplicates included.
pub fn outline(record: &[u8]) -> impl Iterator<Item = Written<'_>> {
    let mut rest = from_any(record, is_bracket_or_space);
    std::iter::from_fn(move || {
        rest = from_any(rest, |byte| byte == b',' || is_space(byte));
        let (key, after) = rest.split_at(string_len(rest)?);
        let after = from_any(after, |byte| byte == b':' || is_space(byte));
        let value;
        (value, rest) = after.split_at(value_len(after)?);
        Some(Written { key, value })
    })
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

fn is_bracket_or_space(byte: u8) -> bool {
    byte == b'{' || is_space(byte)
}

/// The text without the bytes at its start that are `skipped`.
fn from_any(text: &[u8], skipped: impl Fn(u8) -> bool) -> &[u8] {
    let mut text = text;
    while let [first, rest @ ..] = text
        && skipped(*first)
    {
        text = rest;
    }
    text
}

/// Length of the string that `text` begins with, quotes included.
fn string_len(text: &[u8]) -> Option<usize> {
    let mut at = 1;
    let mut body = text.strip_prefix(b"\"")?;
    loop {
        // Most strings are shorter than what a call of `memchr2` costs.
        let near = body.iter().take(16).position(|byte| matches!(byte, b'"' | b'\\'));
        let len = near.or_else(|| memchr2(b'"', b'\\', body))?;
        at += len + 1;
        if body.get(len) == Some(&b'"') {
            return Some(at);
        }
        at += 1;
        body = body.get(len + 2..)?;
    }
}

fn value_len(text: &[u8]) -> Option<usize> {
    match text.first()? {
        b'"' => string_len(text),
        b'{' | b'[' => container_len(text),
        _ => text.iter().position(|byte| matches!(byte, b',' | b'}') || is_space(*byte)),
    }
}

/// Length of the object or array that `text` begins with.
fn container_len(text: &[u8]) -> Option<usize> {
    let (mut at, mut depth) = (0, 0_usize);
    while let Some(byte) = text.get(at) {
        match byte {
            b'"' => at += string_len(text.get(at..)?)? - 1,
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return Some(at);
        }
    }
    None
}
