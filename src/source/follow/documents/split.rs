//! Where the records of a JSON document are in its bytes.

use std::ops::Range;

use serde::de::IgnoredAny;

/// The key whose array holds the records of a document.
const RECORDS: &[u8] = b"\"records\"";

/// The records of a document, or the document itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Elements {
    /// The one value that the document is.
    Whole(Range<u32>),
    /// The elements of an array or of `{"records": […]}`.
    List(Vec<Range<u32>>),
}

/// The records of a document; `None` when it is no JSON.
pub(super) fn elements(bytes: &[u8]) -> Option<Elements> {
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes);
    serde_json::from_slice::<IgnoredAny>(text).ok()?;
    let start = bytes.len() - text.trim_ascii_start().len();
    let end = start + text.trim_ascii().len();
    let array = match bytes.get(start) {
        Some(b'[') => Some(start),
        Some(b'{') => records_of(bytes, start),
        _ => None,
    };
    Some(match array {
        Some(start) => Elements::List(items(bytes, start)),
        None => Elements::Whole(start as u32..end as u32),
    })
}

/// The start of the array under the key `records` of the object at `start`.
fn records_of(bytes: &[u8], start: usize) -> Option<usize> {
    for item in items(bytes, start) {
        let text = bytes.get(item.start as usize..item.end as usize)?;
        let Some(rest) = text.strip_prefix(RECORDS) else { continue };
        let value = rest.trim_ascii_start().strip_prefix(b":")?.trim_ascii_start();
        return value.starts_with(b"[").then_some(item.end as usize - value.len());
    }
    None
}

/// The items of the array, or the members of the object, that opens at `start` in valid JSON.
fn items(bytes: &[u8], start: usize) -> Vec<Range<u32>> {
    let mut found = Vec::new();
    let (mut depth, mut item) = (0_usize, start + 1);
    let (mut is_text, mut is_escaped) = (false, false);
    for (at, byte) in bytes.iter().enumerate().skip(start) {
        if is_text {
            is_text = is_escaped || *byte != b'"';
            is_escaped = *byte == b'\\' && !is_escaped;
            continue;
        }
        match byte {
            b'"' => is_text = true,
            b'[' | b'{' => depth += 1,
            b']' | b'}' => depth -= 1,
            _ => {}
        }
        let is_last = depth == 0;
        if is_last || (depth == 1 && *byte == b',') {
            let raw = bytes.get(item..at).unwrap_or_default();
            let from = at - raw.trim_ascii_start().len();
            let text = raw.trim_ascii();
            if !text.is_empty() {
                found.push(from as u32..(from + text.len()) as u32);
            }
            item = at + 1;
        }
        if is_last {
            break;
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elements_are_where_they_stand() {
        let check = |text: &str, want: Option<&[&str]>| {
            let found = elements(text.as_bytes());
            let shown = found.map(|all| {
                let ranges = match all {
                    Elements::Whole(range) => vec![range],
                    Elements::List(ranges) => ranges,
                };
                ranges.iter().map(|it| &text[it.start as usize..it.end as usize]).collect()
            });
            assert_eq!(shown, want.map(<[&str]>::to_vec), "{text}");
        };
        check("{\"a\":1}", Some(&["{\"a\":1}"]));
        check(" \n{ \"a\" : 1 }\n", Some(&["{ \"a\" : 1 }"])); // pretty-printed
        check("\u{feff}{}", Some(&["{}"])); // mark
        check("[1, {\"a\":[2,3]} ,\"x,]\"]", Some(&["1", "{\"a\":[2,3]}", "\"x,]\""]));
        check("[]", Some(&[])); // no record
        check("[ ]", Some(&[]));
        check(
            "{\"n\":[1],\"records\" : [ {\"a\":1},\n{\"b\":2} ] }",
            Some(&["{\"a\":1}", "{\"b\":2}"]),
        );
        check("{\"records\":{}}", Some(&["{\"records\":{}}"])); // not an array
        check("{\"a\":{\"records\":[1]}}", Some(&["{\"a\":{\"records\":[1]}}"])); // not at the top
        check("[\"\\\\\",\"\\\"]\"]", Some(&["\"\\\\\"", "\"\\\"]\""])); // escapes
        check("7", Some(&["7"]));
        check("{\"a\":1}{", None);
        check("[1,", None);
        check("", None);
    }

    #[test]
    fn deep_nesting_is_no_harm() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        let found = elements(deep.as_bytes());
        assert!(found.is_none_or(|all| matches!(all, Elements::List(all) if all.len() == 1)));
    }
}
