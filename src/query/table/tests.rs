use super::{Cells, Table, TableColumn, TextLayout};

fn table(columns: Vec<(&str, Cells)>) -> Table {
    let rows = match columns.first() {
        Some((_, Cells::Int(values))) => values.len(),
        Some((_, Cells::Text(values))) => values.len(),
        Some((_, Cells::Float(values))) => values.len(),
        _ => 0,
    };
    let columns = columns
        .into_iter()
        .map(|(name, cells)| TableColumn { name: name.to_owned(), cells })
        .collect();
    Table { columns, rows, notes: vec![] }
}

fn texts(values: &[Option<&str>]) -> Cells {
    Cells::Text(values.iter().map(|value| value.map(str::to_owned)).collect())
}

/// One column of each type; the second row is missing everywhere.
fn every_type() -> Table {
    table(vec![
        ("n", Cells::Int(vec![Some(i64::MIN), None])),
        ("u", Cells::UInt(vec![Some(u64::MAX), None])),
        ("x", Cells::Float(vec![Some(0.1 + 0.2), None])),
        ("ok", Cells::Bool(vec![Some(true), None])),
        ("name", texts(&[Some("a,\"b\" ñ"), None])),
        ("ts", Cells::Time(vec![Some(1_731_024_000_000_123), None])),
        ("day", Cells::Date(vec![Some(-1), None])),
    ])
}

#[test]
fn json_is_exact() {
    insta::assert_snapshot!(every_type().to_json(), @r#"
    [
      {"n":-9223372036854775808,"u":18446744073709551615,"x":0.30000000000000004,"ok":true,"name":"a,\"b\" ñ","ts":"2024-11-08T00:00:00.000123Z","day":"1969-12-31"},
      {"n":null,"u":null,"x":null,"ok":null,"name":null,"ts":null,"day":null}
    ]
    "#);
    let floats =
        [0.0, -0.0, 1.0, 0.1, 5e-324, f64::MAX, f64::NAN, f64::INFINITY, f64::NEG_INFINITY];
    let table = table(vec![("x", Cells::Float(floats.iter().copied().map(Some).collect()))]);
    let read: Vec<serde_json::Value> =
        table.to_jsonl().lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    for (float, object) in floats.iter().zip(read) {
        match object["x"].as_f64() {
            Some(back) => assert_eq!(back.to_bits(), float.to_bits()),
            None => assert!(!float.is_finite()),
        }
    }
}

#[test]
fn json_text_is_the_same_text_and_harmless() {
    let hostile = "\u{1b}[2J\u{9b}\u{7f}\0\n\"\\\u{202e}\u{2028}\u{e0041}é</script>";
    let table = table(vec![(hostile, texts(&[Some(hostile)]))]);
    for json in [table.to_json(), format!("[{}]", table.to_jsonl().trim_end())] {
        let read: serde_json::Value = serde_json::from_str(&json).unwrap();
        assert_eq!(read[0][hostile], hostile);
        assert!(!json.contains([
            '\u{1b}',
            '\u{9b}',
            '\u{7f}',
            '\u{202e}',
            '\u{2028}',
            '\u{e0041}'
        ]));
    }
}

#[test]
fn no_rows_are_valid_in_every_form() {
    let empty = table(vec![("n", Cells::Int(vec![])), ("name", texts(&[]))]);
    assert_eq!(empty.to_json(), "[]\n");
    assert_eq!(empty.to_jsonl(), "");
    assert_eq!(empty.to_csv(false), "n,name\n");
    assert_eq!(empty.to_text(TextLayout::default()), "n  name\n(no rows)\n");
    assert_eq!(Table::default().to_json(), "[]\n");
    assert_eq!(Table::default().to_text(TextLayout::default()), "\n(no rows)\n");
}

#[test]
fn csv_quotes_by_rfc_4180_and_guards_formulas() {
    let check = |text: &str, guarded: &str, raw: &str| {
        let table = table(vec![("c", texts(&[Some(text)]))]);
        assert_eq!(table.to_csv(false), format!("c\n{guarded}\n"), "{text:?}");
        assert_eq!(table.to_csv(true), format!("c\n{raw}\n"), "{text:?}");
    };
    check("plain", "plain", "plain");
    check("", "\"\"", "\"\""); // not the same as missing
    check("a,b", "\"a,b\"", "\"a,b\"");
    check("say \"hi\"", "\"say \"\"hi\"\"\"", "\"say \"\"hi\"\"\"");
    check("two\nlines", "\"two\nlines\"", "\"two\nlines\"");
    check("=HYPERLINK(\"x\")", "\"'=HYPERLINK(\"\"x\"\")\"", "\"=HYPERLINK(\"\"x\"\")\"");
    check("+1", "'+1", "+1");
    check("-1", "'-1", "-1"); // text, not a number
    check("@x", "'@x", "@x");
    check("\t=x", "\"'\t=x\"", "\"\t=x\"");
    check("\r=x", "'\\r=x", "\"\r=x\""); // no carriage return reaches a terminal
    check("a=b", "a=b", "a=b");
    check("::error::x", "\"::error::x\"", "\"::error::x\""); // behind a quote it is no command
    check("a\n::error::x", "\"a\n\\x3a:error::x\"", "\"a\n::error::x\"");
    check("a\n::1", "\"a\n::1\"", "\"a\n::1\""); // an address
    check("\u{1b}[0m", "\\x1b[0m", "\u{1b}[0m");
    check(" padded ", "\" padded \"", "\" padded \"");
    let numbers = table(vec![
        ("=n", Cells::Int(vec![Some(-5), None])),
        ("x", Cells::Float(vec![Some(-0.5), Some(f64::NAN)])),
    ]);
    assert_eq!(numbers.to_csv(false), "'=n,x\n-5,-0.5\n,NaN\n");
    insta::assert_snapshot!(every_type().to_csv(false), @r#"
    n,u,x,ok,name,ts,day
    -9223372036854775808,18446744073709551615,0.30000000000000004,true,"a,""b"" ñ",2024-11-08T00:00:00.000123Z,1969-12-31
    ,,,,,,
    "#);
}

#[test]
fn text_is_aligned_and_safe() {
    insta::assert_snapshot!(every_type().to_text(TextLayout::default()), @r#"
                       n                     u    x  ok    name     ts                           day
    -9223372036854775808  18446744073709551615  0.3  true  a,"b" ñ  2024-11-08T00:00:00.000123Z  1969-12-31
    "#);
    let table = table(vec![
        ("route", texts(&[Some("/a"), Some("\u{1b}[31m/b\nx"), None])),
        ("n", Cells::Int(vec![Some(5), Some(12_345), None])),
        ("ms", Cells::Float(vec![Some(1.0), Some(1_234.567_89), Some(f64::NAN)])),
    ]);
    insta::assert_snapshot!(table.to_text(TextLayout::default()), @r"
    route              n       ms
    /a                 5        1
    \x1b[31m/b\nx  12345  1234.57
                              NaN
    ");
    let raw = TextLayout { raw: true, ..TextLayout::default() };
    assert!(table.to_text(raw).contains("\u{1b}[31m/b\nx"));
}

#[test]
fn wide_text_is_cut_and_numbers_never() {
    let table = table(vec![
        ("message", texts(&[Some("a message that is rather long for the line it is on")])),
        ("path", texts(&[Some("/orders/12345678901234567890")])),
        ("n", Cells::Int(vec![Some(1_234_567_890_123_456_789)])),
    ]);
    for (width, ascii, expected) in [
        (
            200,
            false,
            "a message that is rather long for the line it is on  /orders/12345678901234567890  1234567890123456789\n",
        ),
        (60, false, "a message that is …  /orders/123456789…  1234567890123456789\n"),
        (60, true, "a message that i...  /orders/1234567...  1234567890123456789\n"),
        (1, false, "a messa…  /orders…  1234567890123456789\n"), // as narrow as it gets
    ] {
        let layout = TextLayout { width, ascii, ..TextLayout::default() };
        let text = table.to_text(layout);
        let row = text.split_once('\n').unwrap().1;
        assert_eq!(row, expected, "{width}");
    }
}

#[test]
fn rows_beyond_the_last_shown_are_counted() {
    let table = table(vec![("n", Cells::Int((0..5).map(Some).collect()))]);
    let check = |max_rows: usize, last_line: &str| {
        let text = table.to_text(TextLayout { max_rows, ..TextLayout::default() });
        assert_eq!(text.lines().last(), Some(last_line), "{max_rows}");
    };
    check(6, "4");
    check(5, "4"); // exactly all
    check(4, "… 1 more row");
    check(0, "… 5 more rows");
}

#[test]
fn numbers_for_people_are_short() {
    for (value, shown) in [
        (0.0, "0"),
        (12.5, "12.5"),
        (0.1 + 0.2, "0.3"),
        (1_234_567.891, "1234568"), // every whole digit
        (123.456_789, "123.457"),
        (-0.000_123_456_78, "-0.000123457"),
        (1e20, "1.00000e20"),
        (f64::NAN, "NaN"),
    ] {
        let table = table(vec![("x", Cells::Float(vec![Some(value)]))]);
        let text = table.to_text(TextLayout::default());
        assert_eq!(text.lines().nth(1).unwrap().trim(), shown);
    }
}
