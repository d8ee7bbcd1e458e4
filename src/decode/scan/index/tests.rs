//! Bitmaps against a byte by byte reading.

use super::{Backend, Index, StringEnd};
use proptest::prelude::*;

/// Where the string that starts at `from` ends, if `text` is read byte by byte from its start.
fn naive_string_end(text: &[u8], from: usize) -> Option<StringEnd> {
    let mut is_escaped = false;
    let mut is_suspect = false;
    for (at, &byte) in text.iter().enumerate() {
        if at >= from {
            if byte == b'"' && !is_escaped {
                return Some(StringEnd { quote: at, is_suspect });
            }
            is_suspect |= byte == b'\\' || byte < 0x20;
        }
        is_escaped = byte == b'\\' && !is_escaped;
    }
    None
}

fn check(text: &[u8]) {
    for backend in Backend::available() {
        let mut index = Index::new(backend);
        // Leftovers of a longer text must not show.
        index.rebuild(&b"\"\\\"".repeat(text.len()));
        index.rebuild(text);
        for from in 0..text.len() + 80 {
            let end = index.string_end(from);
            assert_eq!(end, naive_string_end(text, from), "{backend:?} {from}");
        }
    }
}

#[test]
fn string_ends_are_found() {
    check(b""); // nothing
    check(b"\""); // the shortest end
    check(b"\\\""); // an escaped quote
    check(b"\\\\\""); // an escaped backslash, then a quote
    check(b"\x1f\x20\x7f\xff\""); // borders of control bytes, signs
    for len in [55, 56, 57, 62, 63, 64, 65, 127, 128, 129, 700] {
        check(&[&vec![b'x'; len][..], b"\""].concat()); // one quote, near and far
        check(&[&vec![b'\\'; len][..], b"\"\""].concat()); // runs across blocks, odd and even
        check(&[&vec![b'x'; len][..], b"\n\""].concat()); // a control byte far away
    }
}

proptest! {
    #[test]
    fn string_ends_are_those_of_a_slow_reading(
        text in prop::collection::vec(prop::sample::select(b"\\\\\\\"xx\n\x80".to_vec()), 0..300),
    ) {
        check(&text);
    }
}
