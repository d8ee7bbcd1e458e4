//! Makes text from logs safe to look at: nothing invisible, nothing endless.
//!
//! Control characters, bidi controls and invisible characters become escapes such as `\u202e`,
//! so a reader sees that they were there and no terminal or browser obeys them. Escaping for
//! HTML or Markdown is not done here: each renderer has its own escaper on top.

use std::fmt::Write;

use crate::model::is_unsafe;

/// Longest name (route, version, file) shown on a page, in characters.
pub(crate) const NAME_MAX_CHARS: usize = 80;

/// Longest sentence or example record shown on a page, in characters.
pub(crate) const SENTENCE_MAX_CHARS: usize = 400;

/// Text with everything invisible made visible, cut to `max_chars` with an ellipsis.
pub(crate) fn visible(text: &str, max_chars: usize) -> String {
    let mut shown = String::with_capacity(text.len().min(max_chars * 4));
    let mut shown_chars = 0;
    for character in text.chars() {
        if shown_chars + 1 > max_chars {
            shown.pop();
            shown.push('…');
            break;
        }
        if is_unsafe(character) {
            shown_chars += push_escape(&mut shown, character);
        } else {
            shown.push(character);
            shown_chars += 1;
        }
    }
    shown
}

/// A name: route, version, file.
pub(crate) fn name(text: &str) -> String {
    visible(text, NAME_MAX_CHARS)
}

/// A sentence or an example record.
pub(crate) fn sentence(text: &str) -> String {
    visible(text, SENTENCE_MAX_CHARS)
}

/// Writes the escape and returns its length in characters.
fn push_escape(shown: &mut String, character: char) -> usize {
    let before = shown.len();
    match character {
        '\n' => shown.push_str("\\n"),
        '\r' => shown.push_str("\\r"),
        '\t' => shown.push_str("\\t"),
        // Writing to a String cannot fail.
        wide if u32::from(wide) > 0xffff => drop(write!(shown, "\\u{{{:x}}}", u32::from(wide))),
        other => drop(write!(shown, "\\u{:04x}", u32::from(other))),
    }
    shown.len() - before
}

#[cfg(test)]
mod tests {
    use super::{is_unsafe, visible};
    use proptest::prelude::*;

    #[test]
    fn invisible_text_is_shown_and_long_text_is_cut() {
        let check = |text: &str, max_chars: usize, want: &str| {
            assert_eq!(visible(text, max_chars), want, "{text:?}");
        };
        check("", 5, "");
        check("/api/search", 80, "/api/search");
        check("año → ñandú", 80, "año → ñandú"); // letters of any script stay
        check("a\r\n\tb", 80, "a\\r\\n\\tb");
        check("\u{1b}]0;x\u{7}", 80, "\\u001b]0;x\\u0007"); // terminal title
        check("\u{9b}31m", 80, "\\u009b31m"); // 8-bit escape sequence
        check("gpj.\u{202e}exe", 80, "gpj.\\u202eexe"); // bidi override
        check("a\u{200b}b\u{feff}", 80, "a\\u200bb\\ufeff");
        check("a\u{e0041}b", 80, "a\\u{e0041}b"); // a tag character
        check("abcde", 5, "abcde"); // exactly at the bound
        check("abcdef", 5, "abcd…"); // just beyond it
        check("abcdef", 0, "…");
    }

    proptest! {
        #[test]
        fn nothing_invisible_is_left_and_twice_is_once(text in any::<String>(), max in 1usize..200) {
            let once = visible(&text, max);
            prop_assert!(!once.chars().any(is_unsafe));
            prop_assert!(once.chars().count() <= max + 9);
            prop_assert_eq!(visible(&once, max + 9), once);
        }
    }
}
