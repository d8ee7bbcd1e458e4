//! Characters of log text that deceive a reader or steer what shows them.

use std::fmt::Write;

/// Whether a character has no place of its own on a page or steers what follows it.
///
/// C0 and C1 controls, DEL, bidi controls (U+061C, U+200E/F, U+202A–E, U+2066–9), zero-width
/// and other invisible characters, line and paragraph separators, the byte order mark, variation
/// selectors, and tag characters.
pub fn is_unsafe(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{34f}'
                | '\u{61c}'
                | '\u{115f}'
                | '\u{1160}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{fe00}'..='\u{fe0f}'
                | '\u{feff}'
                | '\u{ffa0}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e0fff}'
        )
}

/// Appends a character as JSON writes it by number: one `\u` escape, or two beyond U+FFFF.
pub fn push_json_escape(out: &mut String, character: char) {
    let mut units = [0; 2];
    for unit in character.encode_utf16(&mut units) {
        // Writing to a String cannot fail.
        let _ = write!(out, "\\u{unit:04x}");
    }
}

/// A JSON document of the same value, line breaks included, in which nothing is unsafe.
pub fn safe_json(json: &str) -> String {
    // Inside strings there are none but escaped ones, outside of them only line breaks.
    escape_json(json, |character| character != '\n' && is_unsafe(character))
}

/// A JSON document of the same value in which some characters, all inside strings, are escapes.
pub fn escape_json(json: &str, is_escaped: impl Fn(char) -> bool) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if is_escaped(character) {
            push_json_escape(&mut out, character);
        } else {
            out.push(character);
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::{is_unsafe, safe_json};

    #[test]
    fn every_range_is_unsafe_to_its_ends_and_letters_are_not() {
        for (first, last) in [
            ('\0', '\u{1f}'),
            ('\u{7f}', '\u{9f}'),
            ('\u{61c}', '\u{61c}'),
            ('\u{200b}', '\u{200f}'),
            ('\u{2028}', '\u{202e}'),
            ('\u{2060}', '\u{2064}'),
            ('\u{2066}', '\u{2069}'),
            ('\u{feff}', '\u{feff}'),
            ('\u{e0000}', '\u{e007f}'), // tags: a whole sentence can hide in them
        ] {
            assert!((first..=last).all(is_unsafe), "{first:?}..={last:?}");
        }
        assert!(!" ~\u{a0}añ日本😀→…".chars().any(is_unsafe));
    }

    #[test]
    fn json_beyond_sixteen_bits_keeps_its_value() {
        let text = "a\u{e0041}\u{202e}😀\n\u{1b}";
        let json = serde_json::to_string_pretty(&[text]).unwrap();
        let safe = safe_json(&json);
        assert_eq!(safe, "[\n  \"a\\udb40\\udc41\\u202e😀\\n\\u001b\"\n]");
        assert_eq!(serde_json::from_str::<Vec<String>>(&safe).unwrap(), [text]);
    }
}
