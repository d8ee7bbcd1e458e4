//! RFC 4180 within one line; what is no CSV is not taken for it.

use super::{CsvReader, each_cell, layout_of};
use crate::decode::fields::Reject;
use proptest::prelude::*;

fn columns(text: &str) -> Option<(char, Vec<String>)> {
    let lines = text.lines().map(str::as_bytes);
    let layout = layout_of(lines, &|name| name == "time")?;
    Some((layout.separator as char, layout.columns))
}

#[test]
fn a_header_with_lines_that_fit_is_csv() {
    let check = |text: &str, want: Option<(char, &[&str])>| {
        let want = want.map(|(s, names)| (s, names.iter().map(|n| (*n).to_owned()).collect()));
        assert_eq!(columns(text), want, "{text:?}");
    };
    check("time,status\n1,200", Some((',', &["time", "status"])));
    check("time;status\n1;200", Some((';', &["time", "status"])));
    check("time\tstatus\n1\t", Some(('\t', &["time", "status"]))); // an empty last cell
    check("\"time\",\"a b\"\n1,\"x,\"\"y\"", Some((',', &["time", "a b"])));
    check("a,b,c\n1,2,3", Some((',', &["a", "b", "c"]))); // names that nobody knows
    check("a;b,c;d\n1;2,5;3", None); // `b,c` is no name
    check("time,x\n1,2\n3\n4,5", Some((',', &["time", "x"]))); // two of three fit
    check("", None);
    check("time,status", None); // nothing but a header
    check("time\n1\n2", None); // one column is a list
    check("time,time\n1,2", None); // which one is meant?
    check("2026,11\n1,2", None); // numbers name nothing
    check("a,b\n1,2", None); // two columns of prose
    check("Starting, please wait\n2026-11-18 10:00:00,123 INFO x", None);
    check("time,status\n1\n2\n3,4", None); // one of three fits
}

#[test]
fn csvlog_of_postgres_has_no_header() {
    let line = |state: &str, rest: &str| {
        format!(
            "2026-11-23 01:47:22.530 UTC,,,16610,,6b03.40e2,1,,2026-11-23 01:47:22 UTC,,0,LOG,{state},\
             \"a, b\",,,,,,,,,\"psql\"{rest}"
        )
    };
    let check = |text: &str, want: Option<usize>, why: &str| {
        let known = columns(text).filter(|(_, names)| names[11] == "severity");
        assert_eq!(known.map(|(_, names)| names.len()), want, "{why}: {text}");
    };
    check(&line("00000", ""), Some(23), "before version 13");
    check(&line("00000", ",\"backend\""), Some(24), "13");
    check(&line("00000", ",\"backend\",,0"), Some(26), "14 and later");
    check(&line("00000", ",\"backend\","), None, "no version has 25");
    check(&line("", ""), None, "no state");
}

fn cells(line: &str) -> Result<Vec<String>, Reject> {
    let mut cells = Vec::new();
    each_cell(line.as_bytes(), b',', &mut |_, cell| {
        let mut text = Vec::new();
        cell.unquote(line.as_bytes(), &mut text);
        cells.push(String::from_utf8(text).unwrap());
    })?;
    Ok(cells)
}

#[test]
fn cells_are_those_of_rfc_4180() {
    let check = |line: &str, want: Result<&[&str], Reject>| {
        let want = want.map(|cells| cells.iter().map(|c| (*c).to_owned()).collect::<Vec<_>>());
        assert_eq!(cells(line), want, "{line:?}");
    };
    check("a,b", Ok(&["a", "b"]));
    check("", Ok(&[""]));
    check(",", Ok(&["", ""]));
    check("\"a,b\",c", Ok(&["a,b", "c"]));
    check("\"\",\"say \"\"hi\"\"\"", Ok(&["", "say \"hi\""]));
    check("\"\"\"\"", Ok(&["\""]));
    check("a\"b,c", Ok(&["a\"b", "c"])); // a quote inside is text
    check("\\,\\\"", Ok(&["\\", "\\\""])); // so is a backslash
    check("\"open", Err(Reject::Unterminated)); // a quoted line break looks like this
    check("\"a\"b,c", Err(Reject::OtherFormat));
}

#[test]
fn doubled_quotes_are_undone_and_the_record_stays_as_it_is() {
    let chunk = b"time,message\n1,\"say \"\"hi\"\"\"\n2,plain\n3\n";
    let lines: Vec<&[u8]> = chunk.split(|b| *b == b'\n').filter(|l| !l.is_empty()).collect();
    let layout = layout_of(lines.into_iter(), &|_| true).unwrap();
    let mut reader = CsvReader::new(layout, &["message", "nosuch"]);
    reader.start(chunk);
    let mut check = |start: usize, line: &[u8], want: Result<&[u8], Reject>| {
        assert_eq!(&chunk[start..start + line.len()], line);
        let got = reader.read(chunk, start, line);
        assert_eq!(got.map(|(slots, text)| slots[0].raw(text).to_vec()), want.map(<[u8]>::to_vec));
    };
    check(13, b"1,\"say \"\"hi\"\"\"", Ok(b"say \"hi\""));
    check(28, b"2,plain", Ok(b"plain"));
    check(36, b"3", Err(Reject::CellCount));
    assert!(reader.is_header(b"  time,message"), "where a byte order mark stood are blanks");
}

proptest! {
    #[test]
    fn what_was_written_is_read(values in prop::collection::vec("[ -~é]{0,12}", 1..6)) {
        let quoted = |value: &String| format!("\"{}\"", value.replace('"', "\"\""));
        let line = values.iter().map(quoted).collect::<Vec<_>>().join(",");
        prop_assert_eq!(cells(&line), Ok(values));
    }

    #[test]
    fn any_line_is_read_without_panic(line in "[,\";a\\t ]{0,20}") {
        let _ = (cells(&line), columns(&format!("time,b\n{line}")));
    }
}
