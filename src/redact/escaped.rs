//! Letters that JSON writes as `\u0077`, by which a name could hide.

use std::borrow::Cow;

/// Whether an escape of a character of ASCII may be there.
pub(super) fn has_escapes(text: &[u8]) -> bool {
    memchr::memmem::find(text, b"\\u00").is_some()
}

/// The text with escaped printable ASCII as it is; JSON means the same by both.
pub(super) fn plainly(text: &[u8]) -> Cow<'_, [u8]> {
    if !has_escapes(text) {
        return Cow::Borrowed(text);
    }
    let mut plain = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'\\', rest) {
        let (before, escape) = rest.split_at(at);
        plain.extend_from_slice(before);
        let (kept, len) = match letter(escape) {
            Some(letter) => ([letter].to_vec(), 6),
            // Two bytes, so that the second of two backslashes begins no escape.
            None => (escape.iter().take(2).copied().collect(), 2),
        };
        plain.extend_from_slice(&kept);
        rest = escape.get(len..).unwrap_or_default();
    }
    plain.extend_from_slice(rest);
    Cow::Owned(plain)
}

/// The character of an escape, unless it has to be escaped.
fn letter(escape: &[u8]) -> Option<u8> {
    let digits = std::str::from_utf8(escape.strip_prefix(b"\\u00")?.get(..2)?).ok()?;
    let letter = u8::from_str_radix(digits, 16).ok()?;
    (matches!(letter, b' '..=b'~') && !matches!(letter, b'"' | b'\\')).then_some(letter)
}

#[cfg(test)]
mod tests {
    use super::plainly;

    #[test]
    fn letters_are_written_plainly() {
        let check = |text: &str, plain: &str| {
            assert_eq!(String::from_utf8_lossy(&plainly(text.as_bytes())), plain, "{text}");
        };
        check(r#"{"pass\u0077ord":"\u0061"}"#, r#"{"password":"a"}"#);
        check(r#"{"a":"\\u0077"}"#, r#"{"a":"\\u0077"}"#); // a backslash, and no escape
        check(r#"{"a":"\\\u0077"}"#, r#"{"a":"\\w"}"#);
        check(r#""\u0022\u005c\u005C\u000a""#, r#""\u0022\u005c\u005C\u000a""#); // must stay
        check(r#""\u00e9\n\u0040""#, r#""\u00e9\n@""#);
        check(r"cut \u00", r"cut \u00");
        check(r"cut \u004", r"cut \u004");
        check(r"\u00+4", r"\u00+4"); // no digits
        check("\\", "\\");
    }
}
