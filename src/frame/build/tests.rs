use polars::prelude::AnyValue;

use super::{FrameBuilder, integer, number};
use crate::frame::{Column, Extra, ValueType};
use crate::model::{EventBatch, Label, NO_STATUS, NO_TIME, Severity, Text};

/// Two events: one with everything, one with nothing.
fn batch() -> EventBatch {
    let mut batch = EventBatch::default();
    batch.extras.resize_with(2, Default::default);
    batch.len = 2;
    batch.ts_us = vec![-1, NO_TIME]; // one microsecond before 1970
    batch.severity = vec![Severity::WARN, Severity::UNKNOWN];
    batch.duration_ms = vec![0.25, f64::NAN];
    batch.status = vec![-1, NO_STATUS]; // −1 is a status, of a crashed function
    batch.offset = vec![u64::MAX, 7];
    batch.label_mut(Label::Route).push_option(Some("/a"));
    batch.label_mut(Label::Route).push_option(None);
    batch.text_mut(Text::Message).push("");
    batch.text_mut(Text::Message).push_null();
    batch.extras[0].push("1e3");
    batch.extras[0].push("many");
    batch.extras[1].push("true");
    batch.extras[1].push_null();
    batch
}

#[test]
fn missing_values_are_null_and_present_ones_exact() {
    let extra = |path: &str, index, value_type| {
        Column::Extra(Extra { path: path.to_owned(), index, value_type })
    };
    let columns = vec![
        Column::Ts,
        Column::TsMs,
        Column::Date,
        Column::Severity,
        Column::SeverityNumber,
        Column::Status,
        Column::DurationMs,
        Column::Source,
        Column::Offset,
        Column::Label(Label::Route),
        Column::Text(Text::Message),
        extra("size", 0, ValueType::Integer),
        extra("cached", 1, ValueType::Bool),
        extra("absent", 2, ValueType::Number), // a batch without the column
        Column::Row,
    ];
    let mut builder = FrameBuilder::new(columns);
    builder.set_source("app");
    let frame = builder.frame(&batch()).unwrap();
    assert_eq!(frame.schema(), &builder.schema());
    let shown = |row: usize| -> Vec<String> {
        frame.columns().iter().map(|column| column.get(row).unwrap().to_string()).collect()
    };
    assert_eq!(
        shown(0),
        [
            "1969-12-31 23:59:59.999999",
            "-1",
            "1969-12-31",
            "\"WARN\"",
            "13",
            "-1",
            "0.25",
            "\"app\"",
            "null",
            "\"/a\"",
            "\"\"",
            "1000",
            "true",
            "null",
            "true",
        ]
    );
    for (column, value) in frame.columns().iter().zip(shown(1)) {
        let always_there = ["source", "_off", "_row"].contains(&column.name().as_str());
        assert_eq!(value == "null", !always_there, "{}", column.name());
    }
    assert_eq!(builder.into_mistyped().into_iter().collect::<Vec<_>>(), [("size".into(), 1)]);
}

#[test]
fn columns_without_missing_values_are_the_same() {
    let mut full = batch();
    full.ts_us = vec![1_999, 5_000];
    full.status = vec![200, 500];
    full.duration_ms = vec![1.0, 2.0];
    let mut builder = FrameBuilder::new(vec![Column::TsMs, Column::Status, Column::DurationMs]);
    let frame = builder.frame(&full).unwrap();
    let row = |row| -> Vec<AnyValue<'_>> {
        frame.columns().iter().map(|column| column.get(row).unwrap()).collect()
    };
    assert_eq!(row(0), [AnyValue::Int64(1), AnyValue::Int64(200), AnyValue::Float64(1.0)]);
    assert_eq!(row(1), [AnyValue::Int64(5), AnyValue::Int64(500), AnyValue::Float64(2.0)]);
}

#[test]
fn an_empty_batch_is_an_empty_frame() {
    let mut builder = FrameBuilder::new(vec![Column::Ts, Column::Label(Label::Route)]);
    assert_eq!(builder.frame(&EventBatch::default()).unwrap().shape(), (0, 2));
}

#[test]
fn a_batch_without_a_wanted_column_is_refused() {
    let mut batch = batch();
    batch.len = 3;
    let mut builder = FrameBuilder::new(vec![Column::Status, Column::Row]);
    assert!(builder.frame(&batch).is_err());
}

#[test]
fn numbers_are_read_as_written() {
    for (text, whole, any) in [
        ("0", Some(0), Some(0.0)),
        ("-9223372036854775808", Some(i64::MIN), Some(-9_223_372_036_854_775_808.0)),
        ("9223372036854775808", None, Some(9_223_372_036_854_775_808.0)), // beyond i64
        ("12.0", Some(12), Some(12.0)),
        ("12.5", None, Some(12.5)),
        ("1e400", None, None),
        ("NaN", None, None),
        ("inf", None, None),
        ("", None, None),
        ("12ms", None, None),
    ] {
        assert_eq!((integer(text), number(text)), (whole, any), "{text}");
    }
}
