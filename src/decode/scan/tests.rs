//! What `serde_json` says is right, numbers out of its range aside; every case is scanned several times by one scanner, so that
//! both the strict walk and the learned prediction answer, and by every backend.

mod agreement;

use super::index::Backend;
use super::{
    FieldPath, Kind, MAX_LESSONS, Record, RejectReason, STRETCH_BYTES, Scanner, Slot, parse_f64,
    unescape,
};
use serde_json::Value;

/// The values of the wanted fields, `None` if absent.
type Values = Vec<Option<Value>>;

/// One record as seen from outside: its bytes, and its values or why there are none.
type Seen = (Vec<u8>, Result<Values, RejectReason>);

/// What `scanner` says about the records of `chunk`.
fn seen(scanner: &mut Scanner, chunk: &[u8]) -> Vec<Seen> {
    let mut all = Vec::new();
    scanner.scan(chunk, &mut |record: Record<'_>| {
        let values = |slots: &[Slot]| slots.iter().map(|slot| value_of(slot, chunk)).collect();
        assert_eq!(record.chunk, chunk);
        all.push((chunk[record.start..record.end].to_vec(), record.outcome.map(values)));
    });
    all
}

/// The value a slot points at, `None` if absent.
fn value_of(slot: &Slot, chunk: &[u8]) -> Option<Value> {
    let raw = slot.raw(chunk);
    let value = match slot.kind {
        Kind::Absent => {
            assert_eq!(*slot, Slot::default());
            return None;
        }
        Kind::String => {
            assert_eq!(slot.escaped, raw.contains(&b'\\'));
            Value::String(unescape(raw, &mut Vec::new()).unwrap().to_owned())
        }
        _ => oracle(raw).unwrap(),
    };
    let is_number = slot.kind == Kind::Number;
    assert!(!is_number || (parse_f64(raw).is_some() == value.is_number()));
    let kind = match value {
        Value::String(_) if is_number => Kind::Number, // out of range
        Value::Null => Kind::Null,
        Value::Bool(_) => Kind::Bool,
        Value::Number(_) => Kind::Number,
        Value::String(_) => Kind::String,
        Value::Array(_) => Kind::Array,
        Value::Object(_) => Kind::Object,
    };
    assert_eq!(slot.kind, kind);
    Some(value)
}

/// What `serde_json` reads. The one exception: a number out of its range, for which it would
/// refuse the record, is read as a string of its digits.
fn oracle(text: &[u8]) -> Option<Value> {
    match serde_json::from_slice(text) {
        Err(error) if error.to_string().starts_with("number out of range") => {
            serde_json::from_slice(&with_great_numbers_quoted(text)).ok()
        }
        read => read.ok(),
    }
}

fn with_great_numbers_quoted(text: &[u8]) -> Vec<u8> {
    let is_number = regex::Regex::new(r"^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$").unwrap();
    let mut out = Vec::new();
    let (mut rest, mut in_string) = (text, false);
    while let Some((&byte, after)) = rest.split_first() {
        let is_part = |byte: &&u8| byte.is_ascii_digit() || b"+-.eE".contains(byte);
        let number = rest.iter().take_while(is_part).count();
        let take = match byte {
            b'\\' if in_string => 2.min(rest.len()),
            b'"' => {
                in_string = !in_string;
                1
            }
            b'-' | b'0'..=b'9' if !in_string => number,
            _ => 1,
        };
        let (piece, later) = rest.split_at(take);
        let refused = serde_json::from_slice::<serde_json::Number>(piece).err();
        // It stops reading where the number is too great, so what follows is still to be checked.
        let is_great = !in_string
            && take == number
            && is_number.is_match(std::str::from_utf8(piece).unwrap_or_default())
            && refused.is_some_and(|e| e.to_string().starts_with("number out of range"));
        out.extend_from_slice(if is_great { b"\"" } else { b"" });
        out.extend_from_slice(piece);
        out.extend_from_slice(if is_great { b"\"" } else { b"" });
        rest = if take == 0 { after } else { later };
    }
    out
}

/// What `serde_json` says about the lines of `chunk`; every reject is `None`.
fn expected(paths: &[&str], chunk: &[u8]) -> Vec<(Vec<u8>, Option<Values>)> {
    let lines = chunk.split(|&byte| byte == b'\n');
    let lines = lines.map(|line| line.strip_suffix(b"\r").unwrap_or(line));
    let is_blank = |line: &&[u8]| !line.iter().all(|byte| b" \t\r".contains(byte));
    let records = lines.filter(is_blank);
    let read = records.map(|line| {
        let value = oracle(line).filter(Value::is_object);
        let values = value.map(|value| {
            let keys = |path: &&str| path.split('.').map(str::to_owned).collect::<Vec<_>>();
            paths.iter().map(|path| look_up(&value, &keys(path)).cloned()).collect()
        });
        (line.to_vec(), values)
    });
    read.collect()
}

/// The rule of [`FieldPath`]: the shortest key that leads to a value.
fn look_up<'a>(value: &'a Value, segments: &[String]) -> Option<&'a Value> {
    (1..=segments.len()).find_map(|len| {
        let found = value.as_object()?.get(&segments[..len].join("."))?;
        if len == segments.len() { Some(found) } else { look_up(found, &segments[len..]) }
    })
}

fn scanner(paths: &[&str], backend: Backend) -> Scanner {
    let paths: Vec<_> = paths.iter().map(|path| FieldPath::parse(path)).collect();
    Scanner::with_backend(&paths, backend)
}

/// Compares with `serde_json`: the chunk as a whole, learned and unlearned, and record by record.
fn agree(paths: &[&str], chunk: &[u8]) -> Vec<Seen> {
    let expected = expected(paths, chunk);
    let mut outcomes = Vec::new();
    for backend in Backend::available() {
        let mut scanner = scanner(paths, backend);
        for _ in 0..3 {
            let seen = seen(&mut scanner, chunk);
            let bare = seen.iter().map(|(line, values)| (line.clone(), values.clone().ok()));
            assert_eq!(bare.collect::<Vec<_>>(), expected, "{backend:?}");
            outcomes.push(seen);
        }
        let lines = chunk.split_inclusive(|&byte| byte == b'\n');
        outcomes.push(lines.flat_map(|line| seen(&mut scanner, line)).collect());
    }
    outcomes.dedup();
    assert_eq!(outcomes.len(), 1, "backends or repetitions differ: {outcomes:?}");
    outcomes.remove(0)
}

/// Checks one line for fields `a`, `b` and `a.b`, with and without line breaks, and returns the
/// values or the reason.
fn check(line: impl AsRef<[u8]>) -> String {
    let line = line.as_ref();
    let mut texts = Vec::new();
    for line_break in ["", "\n", "\r\n", "\n\n{\"a\":1}\n"] {
        let chunk = [line, line_break.as_bytes()].concat();
        let seen = agree(&["a", "b", "a.b"], &chunk);
        texts.push(match seen.first() {
            None => "blank".to_owned(),
            Some((_, Err(reason))) => reason.to_string(),
            Some((_, Ok(values))) => {
                let text =
                    |value: &Option<Value>| value.as_ref().map_or("-".into(), Value::to_string);
                values.iter().map(text).collect::<Vec<_>>().join(" ")
            }
        });
    }
    texts.dedup();
    texts.join(" | ")
}

#[test]
fn values_are_those_of_serde_json() {
    let cases = [
        (r"{}", "- - -"),                            // nothing at all
        (r#"{"a":1}"#, "1 - -"),                     // one number
        (r#"{"a":"x","b":true}"#, r#""x" true -"#),  // a string and a literal
        (r#"{"a":null,"b":false}"#, "null false -"), // null is present
        (r#"{"b":1,"a":2}"#, "2 1 -"),               // any order
        (r#"{"x":"a","y":"\"a\":1"}"#, "- - -"),     // names in values are no keys
        (r#"{"a":"","b":""}"#, r#""" "" -"#),        // empty strings
        (r#"{"":1,"a":2}"#, "2 - -"),                // the empty key
        (r#"{"a":{},"b":[]}"#, "{} [] -"),           // empty containers
        (r#"{"a":[1,[2,{"b":3}],"x"],"b":4}"#, r#"[1,[2,{"b":3}],"x"] 4 -"#), // keys inside arrays
        (r#"{"a":[],"b":[[],{},[{}]]}"#, "[] [[],{},[{}]] -"), // only brackets
        (r#"{"a":{"b":1}}"#, r#"{"b":1} - 1"#),      // an object and its member
        (r#"{"a":{"c":{"b":1}},"x":{"b":2}}"#, r#"{"c":{"b":1}} - -"#), // not the right parent
        (r#"{"a.b":1}"#, "- - 1"),                   // dotted
        (r#"{"a":{"b":1},"a.b":2}"#, r#"{"b":1} - 1"#), // nested goes before dotted
        (r#"{"a.b":2,"a":{"b":1}}"#, r#"{"b":1} - 1"#), // … in either order
        (r#"{"a":{"b":null},"a.b":2}"#, r#"{"b":null} - null"#), // … also when it is null
        (r#"{"a":{"c":1},"a.b":2}"#, r#"{"c":1} - 2"#), // … but not when it is absent
        ("{ \"a\" : 1 , \"b\" :\t2 }", "1 2 -"),     // spaces
        ("\t {\r\"a\":\r[ 1 , 2 ]\r} \t", "[1,2] - -"), // spaces around, carriage returns
        (r#"{"\u0061":1,"\u0062":2}"#, "1 2 -"),     // keys with escapes
        (r#"{"a":"\n\"\\\/\b\f\r\t\u00e9\ud83d\ude80"}"#, r#""\n\"\\/\b\f\r\té🚀" - -"#), // escapes
        (r#"{"a":"\\","b":"\\\""}"#, r#""\\" "\\\"" -"#), // backslashes before quotes
        (r#"{"a":"é✓🚀"}"#, r#""é✓🚀" - -"#),        // raw UTF-8
        ("{\"a\":\"\x7f\"}", "\"\x7f\" - -"),        // DEL is no control byte to JSON
        (r#"{"a":"0","b":0,"c":-0}"#, r#""0" 0 -"#), // zero
    ];
    for (line, values) in cases {
        assert_eq!(check(line), values, "{line}");
    }
}

#[test]
fn of_duplicate_keys_the_last_counts() {
    let cases = [
        (r#"{"a":1,"a":2}"#, "2 - -"),                                  // plain
        (r#"{"a":1,"\u0061":2}"#, "2 - -"),                             // spelled differently
        (r#"{"a":1,"a":null}"#, "null - -"),                            // null wins too
        (r#"{"a":{"b":1},"a":{"c":2}}"#, r#"{"c":2} - -"#),             // earlier members vanish
        (r#"{"a":{"b":1},"a":{}}"#, "{} - -"),                          // … for an empty object
        (r#"{"a":{"b":1},"a":3}"#, "3 - -"),                            // … for a scalar
        (r#"{"a":{"b":1},"a":"x"}"#, r#""x" - -"#),                     // … for a string
        (r#"{"a":{"b":1},"a":[{"b":2}]}"#, r#"[{"b":2}] - -"#),         // … for an array
        (r#"{"a":{"b":1,"b":2}}"#, r#"{"b":2} - 2"#),                   // inside
        (r#"{"a":{"b":{"x":1}},"a":{"b":[2]}}"#, r#"{"b":[2]} - [2]"#), // containers
        (r#"{"a":{"b":1},"a.b":2,"a":{}}"#, "{} - 2"),                  // the dotted spelling stays
        (r#"{"a":{"b":1},"b":{"a":{"b":5}},"a":{"b":7}}"#, r#"{"b":7} {"a":{"b":5}} 7"#),
    ];
    for (line, values) in cases {
        assert_eq!(check(line), values, "{line}");
    }
}

#[test]
fn rejects_are_those_of_serde_json_with_a_reason() {
    let cut = "JSON that is cut short";
    let cases: &[(&[u8], &str)] = &[
        (b"panic: runtime error", "not JSON"),       // stray text
        (b"[1,2]", "JSON, but not an object"),       // array
        (b"\"a\"", "JSON, but not an object"),       // string
        (b" 12 ", "JSON, but not an object"),        // number
        (b"null", "JSON, but not an object"),        // null
        (b"{", cut),                                 // torn right away
        (b"{\"a", cut),                              // … inside a key
        (b"{\"a\"", cut),                            // … before the colon
        (b"{\"a\":", cut),                           // … before the value
        (b"{\"a\":\"x", cut),                        // … inside a string
        (b"{\"a\":-", cut),                          // … inside a number
        (b"{\"a\":1.", cut),                         // … after the point
        (b"{\"a\":tru", cut),                        // … inside a literal
        (b"{\"a\":1,", cut),                         // … after a comma
        (b"{\"a\":[1,{\"b\":2}", cut),               // … inside an array
        (b"{\"a\":1}}", "not JSON"),                 // one bracket too many
        (b"{\"a\":1}{\"a\":1}", "not JSON"),         // two records in one line
        (b"{\"a\":1}x", "not JSON"),                 // text behind
        (b"{\"a\":1,}", "not JSON"),                 // comma before the end
        (b"{,\"a\":1}", "not JSON"),                 // comma first
        (b"{\"a\":[1,]}", "not JSON"),               // … in arrays
        (b"{\"a\":[1 2]}", "not JSON"),              // no comma
        (b"{\"a\":[1}", "not JSON"),                 // the wrong bracket
        (b"{\"a\":{]}", "not JSON"),                 // … right after opening
        (b"{\"a\" 1}", "not JSON"),                  // no colon
        (b"{a:1}", "not JSON"),                      // no quotes
        (b"{'a':1}", "not JSON"),                    // other quotes
        (b"{1:1}", "not JSON"),                      // a number as key
        (b"{\"a\":01}", "not JSON"),                 // leading zero
        (b"{\"a\":+1}", "not JSON"),                 // plus
        (b"{\"a\":.5}", "not JSON"),                 // no digit before the point
        (b"{\"a\":1.}", "not JSON"),                 // none after it
        (b"{\"a\":1e}", "not JSON"),                 // no exponent
        (b"{\"a\":-}", "not JSON"),                  // only a sign
        (b"{\"a\":NaN}", "not JSON"),                // no number to JSON
        (b"{\"a\":truex}", "not JSON"),              // literal with a tail
        (b"{\"a\":nul1}", "not JSON"),               // nearly a literal
        (b"{\"a\":1x}", "not JSON"),                 // number with a tail
        (b"{\"a\":\"\t\"}", "not JSON"),             // control byte in a string
        (b"{\"a\":\"\0\"}", "not JSON"),             // … the lowest
        (b"{\"a\":\"\x1f\"}", "not JSON"),           // … the highest
        (b"{\"\x01\":1}", "not JSON"),               // … in a key
        (b"{\"a\":\"\\x\"}", "not JSON"),            // unknown escape
        (b"{\"a\":\"\\u12G4\"}", "not JSON"),        // not hexadecimal
        (b"{\"a\":\"\\u12\"}", "not JSON"),          // too few digits
        (b"{\"a\":\"\\ud800\"}", "not JSON"),        // lone high surrogate
        (b"{\"a\":\"\\ud800\\n\"}", "not JSON"),     // … before another escape
        (b"{\"a\":\"\\ud800\\ud800\"}", "not JSON"), // … twice
        (b"{\"a\":\"\\udc00\"}", "not JSON"),        // lone low surrogate
        (b"{\"\\udc00\":1}", "not JSON"),            // … in a key
        (b"{\\\"a\":1}", "not JSON"),                // escape outside of strings
        (b"{\"a\":\"\xff\"}", "not UTF-8"),          // no UTF-8 at all
        (b"{\"a\":\"\xc3\"}", "not UTF-8"),          // half a character
        (b"{\"a\":\"\xed\xa0\x80\"}", "not UTF-8"),  // a surrogate in UTF-8
        (b"\xef\xbb\xbf{\"a\":1}", "not JSON"),      // byte order mark
        (b"\xa0", "not UTF-8"),                      // not blank
        ("\u{a0}".as_bytes(), "not JSON"),           // a space, but not to JSON
        (b"\x0b", "not JSON"),                       // … neither
    ];
    for (line, reason) in cases {
        assert_eq!(check(line), *reason, "{}", line.escape_ascii());
    }
}

#[test]
fn blank_lines_are_no_records() {
    for chunk in ["", "\n", "\r\n", " \t\r\n\n", "\n\n "] {
        assert_eq!(agree(&["a"], chunk.as_bytes()), [], "{chunk:?}");
    }
    assert_eq!(agree(&["a"], b"\n{}\n \r\n{}\r\n\n{}").len(), 3);
}

#[test]
fn a_number_of_any_size_is_no_reason_to_reject_a_record() {
    let digits = |count: usize| "9".repeat(count);
    let numbers = [
        "1.7976931348623157e308".to_owned(), // the greatest
        "1.7976931348623159e308".to_owned(), // rounds to infinity
        "1e309".to_owned(),
        "-1e400".to_owned(),
        "0e999999999999".to_owned(),         // zero whatever the exponent
        "1e-999999999999".to_owned(),        // rounds to zero
        "1e99999999999999999999".to_owned(), // exponent beyond any integer
        "-0.0e-0".to_owned(),                // signs everywhere
        "1E+2".to_owned(),                   // upper case, plus
        "18446744073709551616".to_owned(),   // 2^64
        digits(400),
        format!("0.{}1e400", "0".repeat(399)),
        format!("{}e99", digits(300)),
    ];
    for number in numbers {
        assert_eq!(check(format!("{{\"x\":{number},\"b\":1}}")), "- 1 -", "{number}");
    }
    // Where it is wanted it is a number, which has no value.
    assert_eq!(check(r#"{"a":1e400,"b":[-1e999]}"#), r#""1e400" ["-1e999"] -"#);
    agree(&["a"], br#"{"a":[-6.7e81292633e-244]}"#); // two exponents are no number
}

#[test]
fn nesting_is_bounded_as_in_serde_json() {
    for (depth, is_fine) in [(1, true), (126, true), (127, true), (128, false), (129, false)] {
        let arrays = format!("{{\"a\":{}{}}}", "[".repeat(depth - 1), "]".repeat(depth - 1));
        let objects = format!("{}0{}", "{\"x\":".repeat(depth), "}".repeat(depth));
        for line in [arrays, objects].iter().skip(usize::from(depth == 1)) {
            let outcome = check(line);
            assert_eq!(outcome == "nested too deep", !is_fine, "{depth}: {outcome}");
        }
    }
    assert_eq!(check("[".repeat(100_000)), "nested too deep"); // and no stack is used up
}

#[test]
fn records_of_every_length_keep_their_borders() {
    // All offsets against blocks of 64 bytes and vectors of 32, in strings and between them.
    for len in (0..200).chain([255, 256, 257, 1_048_576]) {
        let plain = format!("{{\"a\":\"{}\",\"b\":1}}\n", "x".repeat(len));
        let escaped = format!("{{\"a\":\"{}\",\"b\":\"\\\\\"}}\n", "\\\"".repeat(len / 2));
        let key = format!("{{\"{}\":1,\"b\":{len}}}\n", "k".repeat(len));
        let spaces = format!("{{\"a\":1{},\"b\":{len}}}\n", " ".repeat(len));
        let number = format!("{{\"x\":1{},\"b\":{len}}}\n", "0".repeat(len.min(300)));
        agree(&["a", "b"], [plain, escaped, key, spaces, number].concat().repeat(2).as_bytes());
    }
}

#[test]
fn a_chunk_longer_than_a_stretch_is_seamless() {
    let mut chunk = Vec::new();
    for n in 0..9_000 {
        chunk.extend(format!("{{\"a\":{n},\"b\":\"{}\"}}\n", "y".repeat(n % 97)).bytes());
        if n % 1_000 == 0 {
            chunk.extend(b"{\"a\":\"\xff\"}\n"); // only this record is not UTF-8
        }
        if n == 4_500 {
            chunk.extend(format!("{{\"b\":\"{}\"}}\n", "z".repeat(300_000)).bytes());
        }
    }
    assert_eq!(agree(&["b", "a"], &chunk).len(), 9_010);
}

#[test]
fn paths_are_found_in_every_spelling() {
    let lines = [
        r#"{"a":{"b":{"c":1}}}"#,
        r#"{"a":{"b.c":2}}"#,
        r#"{"a.b":{"c":3}}"#,
        r#"{"a.b.c":4}"#,
        r#"{"a.b.c":4,"a.b":{"c":3},"a":{"b.c":2,"b":{"c":1}}}"#,
        r#"{"a.b.c":4,"a.b":{"c":3},"a":{"b.c":2}}"#,
        r#"{"a.b.c":4,"a.b":{"c":3},"a":{}}"#,
        r#"{"a.b.c":4,"a.b":{},"a":{"b":{}}}"#,
    ];
    let seen = agree(&["a.b.c"], lines.join("\n").as_bytes());
    let found: Vec<_> = seen.iter().map(|(_, values)| values.clone().unwrap()[0].clone()).collect();
    let numbers: Vec<_> = found.iter().map(|value| value.as_ref().unwrap().as_u64()).collect();
    assert_eq!(numbers, [1, 2, 3, 4, 1, 2, 3, 4].map(Some));
}

#[test]
fn paths_that_overlap_or_repeat_each_get_their_value() {
    let paths = ["a", "a.b", "a", "a.b.c", "a.b", "", "a."];
    let lines = r#"{"a":{"b":{"c":1}},"":0}
        {"a.b":{"c":2},"a":5}
        {"a":{"":7},"a.":8}
        {"a":{"b.c":[]},"a":{"b":{"c":{}},"b":3}}"#;
    agree(&paths, lines.as_bytes());
    agree(&[], lines.as_bytes()); // wanting nothing is counting records
}

#[test]
fn keys_that_serde_json_keeps_for_itself_are_plain() {
    // `serde_json` with the feature `raw_value` reads the first line as an error, and the second
    // as the number in the string.
    let lines = r#"{"$serde_json::private::RawValue":7,"a":1}
        {"$serde_json::private::RawValue":"7"}"#;
    let mut scanner = scanner(&["a", "$serde_json::private::RawValue"], Backend::Portable);
    let values: Vec<_> = seen(&mut scanner, lines.as_bytes())
        .into_iter()
        .map(|(_, values)| values.unwrap()[1].clone())
        .collect();
    assert_eq!(values, [Some(7.into()), Some("7".into())]);
}

#[test]
fn long_paths_are_found_nested_and_dotted() {
    let line = r#"{"a":{"b":{"c":{"d":{"e":{"f":{"g":1}}}}}}}
        {"a.b.c.d.e.f.g":2}
        {"a":{"b.c.d.e.f.g":3}}"#;
    let mut scanner = scanner(&["a.b.c.d.e.f.g"], Backend::Portable);
    let values: Vec<_> = seen(&mut scanner, line.as_bytes())
        .into_iter()
        .map(|(_, values)| values.unwrap()[0].as_ref().and_then(Value::as_u64))
        .collect();
    assert_eq!(values, [Some(1), Some(2), None]); // mixed spellings end at six segments
}

#[test]
fn records_out_of_reach_of_a_slot_are_counted() {
    let mut scanner = scanner(&["a"], Backend::Portable);
    let near = "{\"a\":1}\n".repeat(STRETCH_BYTES / 8);
    let chunk = [near.as_bytes(), b"{\"a\":2}"].concat();
    for (reach_bytes, is_in_reach) in [(chunk.len(), true), (chunk.len() - 1, false)] {
        scanner.reach_bytes = reach_bytes;
        let seen = seen(&mut scanner, &chunk);
        assert_eq!(seen.len(), STRETCH_BYTES / 8 + 1);
        assert!(seen[0].1.is_ok());
        let last = &seen.last().unwrap().1;
        assert_eq!(*last == Err(RejectReason::OutOfReach), !is_in_reach);
    }
}

#[test]
fn known_ways_are_predicted() {
    let mut scanner = scanner(&["a"], Backend::Portable);
    let chunk = "{\"a\":1,\"tags\":[\"x\",2]}\n{\"tags\":[],\"b\":{\"c\":\"\"}}\n".repeat(50);
    seen(&mut scanner, chunk.as_bytes());
    assert_eq!((scanner.counts.walked, scanner.counts.predicted), (2, 98));
    // A value of another kind is another way, though it begins with the same bytes.
    let kinds = "{\"a\":1}\n{\"a\":\"x\"}\n{\"a\":[2]}\n{\"a\":{}}\n".repeat(2);
    seen(&mut scanner, kinds.as_bytes());
    assert_eq!((scanner.counts.walked, scanner.counts.predicted), (4, 4));
    // Longer arrays and swapped parts take ways that are known one by one.
    seen(&mut scanner, b"{\"a\":1,\"tags\":[\"x\",2]}\n{\"a\":3,\"tags\":[\"x\",2]}\n");
    assert_eq!((scanner.counts.walked, scanner.counts.predicted), (0, 2));
}

#[test]
fn a_carriage_return_at_the_end_of_a_chunk_ends_no_record_elsewhere() {
    let mut scanner = scanner(&["a"], Backend::Portable);
    assert!(seen(&mut scanner, b"{\"a\":1}\r")[0].1.is_ok());
    let both = seen(&mut scanner, b"{\"a\":1}\r{\"a\":1}\n");
    assert_eq!(both, [(b"{\"a\":1}\r{\"a\":1}".to_vec(), Err(RejectReason::NotJson))]);
}

#[test]
fn what_is_learned_has_a_bound_and_is_given_up_when_it_fits_no_more() {
    let mut scanner = scanner(&["a"], Backend::Portable);
    let lines = (0..5_000).map(|n| format!("{{\"a\":1,\"k{n}\":{n}}}\n"));
    let changing = lines.collect::<Vec<_>>().concat();
    assert_eq!(seen(&mut scanner, changing.as_bytes()).len(), 5_000);
    assert!(!scanner.automaton.is_full()); // given up at the end of the chunk
    let stable = "{\"z\":1,\"y\":\"2\",\"a\":3}\n".repeat(100);
    seen(&mut scanner, stable.as_bytes());
    assert_eq!((scanner.counts.walked, scanner.counts.predicted), (1, 99));
}

#[test]
fn a_chunk_is_learned_from_up_to_a_bound() {
    for (lessons, predicted) in [(MAX_LESSONS - 1, 9), (MAX_LESSONS, 0)] {
        let mut scanner = scanner(&["a"], Backend::Portable);
        let lines = (0..lessons).map(|n| format!("not JSON\n{{\"k{n}\":{n}}}\n"));
        let lines = lines.chain((0..10).map(|_| "{\"k0\":1,\"k1\":2}\n".to_owned()));
        seen(&mut scanner, lines.collect::<Vec<_>>().concat().as_bytes());
        assert_eq!(scanner.counts.predicted, predicted);
    }
}
