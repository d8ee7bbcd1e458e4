//! JSON string bodies: are their escapes sound, and what do they stand for.
//!
//! What is accepted is what `serde_json` accepts: a surrogate counts only as a pair.

use memchr::memchr;

/// First byte that may stand unescaped in a JSON string.
const FIRST_PRINTABLE: u8 = 0x20;

/// Decodes the body of a JSON string (without its quotes) into `into` and returns the text.
///
/// `into` is cleared first, so that one buffer serves many strings. Returns `None` for bytes that
/// are not the body of a valid JSON string; what a [`Slot`](super::Slot) points at always is.
pub fn unescape<'a>(raw: &[u8], into: &'a mut Vec<u8>) -> Option<&'a str> {
    into.clear();
    let mut rest = raw;
    while let Some(at) = memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at(at);
        let (character, len) = decode_escape(escape)?;
        into.extend_from_slice(plain);
        into.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes());
        rest = escape.get(len..)?;
    }
    into.extend_from_slice(rest);
    if raw.iter().any(|&byte| byte < FIRST_PRINTABLE) {
        return None;
    }
    simdutf8::basic::from_utf8(into).ok()
}

/// Says whether `raw` holds no control byte and only sound escapes; UTF-8 is not looked at.
pub(super) fn is_sound(raw: &[u8]) -> bool {
    let mut rest = raw;
    while let Some(at) = memchr(b'\\', rest) {
        let (_, escape) = rest.split_at(at);
        let Some((_, len)) = decode_escape(escape) else { return false };
        rest = escape.get(len..).unwrap_or_default();
    }
    raw.iter().all(|&byte| byte >= FIRST_PRINTABLE)
}

/// Decodes the escape that `escape` begins with into its character and its length in bytes.
fn decode_escape(escape: &[u8]) -> Option<(char, usize)> {
    let character = match escape.get(1)? {
        b'"' => '"',
        b'\\' => '\\',
        b'/' => '/',
        b'b' => '\u{8}',
        b'f' => '\u{c}',
        b'n' => '\n',
        b'r' => '\r',
        b't' => '\t',
        b'u' => return decode_unicode_escape(escape),
        _ => return None,
    };
    Some((character, 2))
}

/// Decodes `\uXXXX`, or two of them that make one surrogate pair.
fn decode_unicode_escape(escape: &[u8]) -> Option<(char, usize)> {
    let first = hex_unit(escape)?;
    if !(0xD800..0xDC00).contains(&first) {
        // A lone low surrogate is no character, so `from_u32` turns it down.
        return Some((char::from_u32(first)?, 6));
    }
    let second = hex_unit(escape.get(6..)?)?;
    if !(0xDC00..0xE000).contains(&second) {
        return None;
    }
    let code = 0x1_0000 + ((first - 0xD800) << 10) + (second - 0xDC00);
    Some((char::from_u32(code)?, 12))
}

/// Reads the UTF-16 unit of one `\uXXXX` at the start of `escape`.
fn hex_unit(escape: &[u8]) -> Option<u32> {
    let digits = escape.strip_prefix(b"\\u")?.get(..4)?;
    digits.iter().try_fold(0, |unit, &digit| Some(unit << 4 | char::from(digit).to_digit(16)?))
}
