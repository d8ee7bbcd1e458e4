//! Characters that would steer a terminal or deceive its reader, made visible.

use std::borrow::Cow;
use std::fmt::Write;

use crate::model::is_unsafe;

/// The text with hostile characters written as `\n`, `\x1b`, `\u{202e}`, but for those in `keep`.
///
/// A backslash stays as it is: the form is for reading, not for parsing.
pub(super) fn visible<'a>(text: &'a str, keep: &[char]) -> Cow<'a, str> {
    let escaped = |character: &char| is_unsafe(*character) && !keep.contains(character);
    if !text.chars().any(|character| escaped(&character)) {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len() + 8);
    for character in text.chars() {
        match character {
            plain if !escaped(&plain) => out.push(plain),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            // Writing to a String cannot fail.
            narrow if (narrow as u32) < 0x100 => drop(write!(out, "\\x{:02x}", narrow as u32)),
            wide => drop(write!(out, "\\u{{{:x}}}", wide as u32)),
        }
    }
    Cow::Owned(out)
}

#[cfg(test)]
mod tests {
    use super::visible;

    #[test]
    fn hostile_characters_are_visible() {
        for (text, expected) in [
            ("", ""),
            ("plain ñ 日本 \\n", "plain ñ 日本 \\n"),
            ("a\nb\r\tc", "a\\nb\\r\\tc"),
            ("\u{1b}[31mred", "\\x1b[31mred"), // colour
            ("\u{9b}31m", "\\x9b31m"),         // the same in one C1 byte
            ("\u{7f}\0", "\\x7f\\x00"),
            ("exe.\u{202e}gpj", "exe.\\u{202e}gpj"), // reads as .jpg
            ("a\u{200b}b\u{e0041}", "a\\u{200b}b\\u{e0041}"), // invisible
            ("\u{2066}x\u{2069}", "\\u{2066}x\\u{2069}"),
        ] {
            assert_eq!(visible(text, &[]), expected);
        }
        assert_eq!(visible("a\nb\u{1b}", &['\n']), "a\nb\\x1b");
    }
}
