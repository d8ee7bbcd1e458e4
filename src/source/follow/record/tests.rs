use proptest::collection::vec;
use proptest::prelude::*;

use super::*;

/// What is cut from `bytes` at the start of a file: `offset+length:body`, and the front after it.
fn cut_all(bytes: &[u8], ending: Ending) -> (Vec<String>, Front) {
    let mut front = Front::default();
    let records = cut(bytes, 0, &mut front, ending, u64::MAX);
    let shown = records.iter().map(|record| {
        let body = &bytes[record.body.start as usize..record.body.end as usize];
        let mark = match record.kind {
            RecordKind::Line => "",
            RecordKind::Unterminated => " unterminated",
            RecordKind::Truncated => " truncated",
            RecordKind::NulHole => " hole",
            RecordKind::Tombstone => " end",
        };
        format!("{}+{}:{}{mark}", record.off, record.len, String::from_utf8_lossy(body))
    });
    (shown.collect(), front)
}

#[test]
fn records_tile_the_bytes_before_the_position() {
    let check = |bytes: &[u8], ending, want: &[&str], position| {
        let (records, front) = cut_all(bytes, ending);
        assert_eq!(
            (records.as_slice(), front.position),
            (&*want.iter().map(ToString::to_string).collect::<Vec<_>>(), position),
            "{bytes:?}"
        );
    };
    check(b"", Ending::Flush, &[], 0); // an empty file
    check(b"a\nb\n", Ending::Wait, &["0+2:a", "2+2:b"], 4);
    check(b"a\r\nb", Ending::Wait, &["0+3:a"], 3); // the return is part of the line end
    check(b"\n\r\n\na\n", Ending::Wait, &["0+6:a"], 6); // blank lines belong to the next record
    check(b"a\n\n\n", Ending::Flush, &["0+2:a"], 2); // and without one they wait
    check(b" \n", Ending::Wait, &["0+2: "], 2); // a space is text
    check(b"\xef\xbb\xbfa\n", Ending::Wait, &["0+5:a"], 5); // mark
    check(b"\xef\xbb\xbf\n\xef\xbb\xbfa\n", Ending::Wait, &["0+9:\u{feff}a"], 9); // only the first is one
    check(b"a\rb\n", Ending::Wait, &["0+4:a\rb"], 4); // a return in a line is text
    check(b"tail", Ending::Wait, &[], 0);
    check(b"tail", Ending::IfObject, &[], 0);
    check(b"tail", Ending::Flush, &["0+4:tail unterminated"], 4);
    check(b"\r", Ending::Flush, &[], 0); // half a blank line
    check(b"{\"a\":1}", Ending::IfObject, &["0+7:{\"a\":1} unterminated"], 7);
    check(b"{\"a\":1}\r", Ending::IfObject, &["0+8:{\"a\":1} unterminated"], 8);
    check(b"{\"a\":1}x", Ending::IfObject, &[], 0);
    check(b"{\"a\":1", Ending::IfObject, &[], 0);
    check(b"[1]", Ending::IfObject, &[], 0); // an array may be the start of a longer line
    check(b"12", Ending::IfObject, &[], 0); // so may a number
    let deep = b"{\"a\":".repeat(100_000);
    check(&deep, Ending::IfObject, &[], 0); // neither an object nor the end of the stack
}

#[test]
fn hole_is_a_record_of_its_own_from_512_bytes_on() {
    for (len, want) in [(511, 1), (512, 2), (513, 2), (5000, 2)] {
        let bytes = [vec![0; len], b"a\n".to_vec()].concat();
        let (records, front) = cut_all(&bytes, Ending::Wait);
        assert_eq!(records.len(), want, "{len}");
        assert_eq!(front.position, len as u64 + 2);
    }
    let (records, front) = cut_all(&[0; 600], Ending::Wait);
    assert_eq!((records.len(), front.next()), (0, 600), "it may go on");
    let (records, _) = cut_all(&[0; 600], Ending::Flush);
    assert_eq!(records, ["0+600: hole"]);
}

#[test]
fn what_is_cut_at_once_is_cut_in_steps() {
    // The front carries blank lines and holes from one step to the next.
    let bytes = [b"\n\n".to_vec(), vec![0; 3000], b"a\n\n".to_vec(), b"b\n".to_vec()].concat();
    let whole = cut_all(&bytes, Ending::Wait).0;
    for step in [1024, 1500, 2999] {
        let mut front = Front::default();
        let mut records = Vec::new();
        while records.len() < whole.len() {
            let start = front.next() as usize;
            let end = (start + step).min(bytes.len());
            records.extend(cut(&bytes[..end], start, &mut front, Ending::Wait, u64::MAX));
        }
        let spans: Vec<_> = records.iter().map(|record| (record.off, record.len)).collect();
        assert_eq!(spans, [(0, 3002), (3002, 2), (3004, 3)], "{step}");
    }
}

proptest! {
    #[test]
    fn any_bytes_are_tiled_and_nothing_but_line_ends_is_left_out(
        bytes in vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(0), Just(b'x'), any::<u8>()], 0..80),
    ) {
        let mut front = Front::default();
        let records = cut(&bytes, 0, &mut front, Ending::Flush, u64::MAX);
        let mut at = 0;
        for record in &records {
            prop_assert_eq!(record.off, at);
            at += record.len;
            let body = &bytes[record.body.start as usize..record.body.end as usize];
            prop_assert!(!body.contains(&b'\n') && !body.is_empty());
        }
        prop_assert_eq!(front.position, at);
        let rest = &bytes[at as usize..];
        let rest = if at == 0 { rest.strip_prefix(BOM).unwrap_or(rest) } else { rest };
        prop_assert!(rest.iter().all(|byte| matches!(byte, b'\n' | b'\r')));
    }
}
