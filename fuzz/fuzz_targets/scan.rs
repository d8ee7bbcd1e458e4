//! The scanner against `serde_json`: which records are accepted, and the value of every field.
//!
//! Run with `cargo +nightly fuzz run scan`. The first byte of an input says how often the rest is
//! scanned by one scanner before the answers are compared, so that predictions are tested too.

#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;

#[path = "."]
mod decode {
    #[path = "../../src/decode/scan/mod.rs"]
    #[expect(dead_code, reason = "only the scanner is fuzzed, not all it offers")]
    pub mod scan;
}

use decode::scan::{FieldPath, Kind, Record, Scanner, Slot, parse_f64, parse_i64, unescape};

const PATHS: [&str; 8] = ["a", "b", "a.b", "b.a", "a.b.c", "", "c", "c.c"];

fuzz_target!(|input: &[u8]| {
    let Some((rounds, chunk)) = input.split_first() else { return };
    let mut scanner = Scanner::new(&PATHS.map(FieldPath::parse));
    for _ in 0..rounds % 3 {
        scanner.scan(chunk, &mut |_| {});
        // Other borders of chunks: what is learned must not depend on them.
        for line in chunk.split_inclusive(|&byte| byte == b'\n') {
            scanner.scan(line, &mut |_| {});
        }
    }
    let lines = chunk.split(|&byte| byte == b'\n');
    let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let mut lines = lines.filter(|line| !line.iter().all(|byte| b" \t\r".contains(byte)));
    scanner.scan(chunk, &mut |record: Record<'_>| {
        let line = lines.next().expect("a record for every line");
        assert_eq!(&chunk[record.start..record.end], line);
        let read = serde_json::from_slice::<Value>(line);
        if read.as_ref().is_err_and(|e| e.to_string().starts_with("number out of range")) {
            return; // the documented exception: to the scanner it is a number like any other
        }
        let value = read.ok().filter(Value::is_object);
        assert_eq!(record.outcome.is_ok(), value.is_some());
        let (Ok(slots), Some(value)) = (record.outcome, value) else { return };
        for (slot, path) in slots.iter().zip(PATHS) {
            let segments: Vec<_> = path.split('.').collect();
            assert_eq!(value_of(slot, chunk).as_ref(), look_up(&value, &segments), "{path}");
        }
    });
    assert_eq!(lines.next(), None);
});

fn look_up<'a>(value: &'a Value, segments: &[&str]) -> Option<&'a Value> {
    (1..=segments.len()).find_map(|len| {
        let found = value.as_object()?.get(&segments[..len].join("."))?;
        if len == segments.len() { Some(found) } else { look_up(found, &segments[len..]) }
    })
}

fn value_of(slot: &Slot, chunk: &[u8]) -> Option<Value> {
    let raw = slot.raw(chunk);
    match slot.kind {
        Kind::Absent => None,
        Kind::String => {
            let text = unescape(raw, &mut Vec::new()).expect("a sound string").to_owned();
            assert_eq!(slot.escaped, text.as_bytes() != raw || raw.contains(&b'\\'));
            Some(Value::String(text))
        }
        kind => {
            let value = serde_json::from_slice(raw).expect("a sound value");
            if kind == Kind::Number {
                let text = std::str::from_utf8(raw).expect("a number is ASCII");
                let std = text.parse::<f64>().expect("a number to std too");
                assert_eq!(parse_f64(raw).map(f64::to_bits), Some(std.to_bits()));
                assert_eq!(parse_i64(raw), text.parse::<i64>().ok());
            }
            Some(value)
        }
    }
}
