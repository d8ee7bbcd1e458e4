use proptest::prelude::*;

use super::{DurationUnit, guess_unit, parse_duration, parse_duration_text};

fn check_name(name: &str, expected: Option<&str>) {
    assert_eq!(DurationUnit::from_field_name(name).map(DurationUnit::symbol), expected, "{name}");
}

#[test]
fn the_last_word_of_a_name_tells_the_unit() {
    check_name("duration_ms", Some("ms"));
    check_name("durationMs", Some("ms"));
    check_name("DURATION_MS", Some("ms")); // capitals throughout are no camel case
    check_name("durationMS", Some("ms"));
    check_name("CPUs", None); // a plural
    check_name("attr.durationMillis", Some("ms"));
    check_name("elapsedNanos", Some("ns"));
    check_name("startTimeNs", Some("ns"));
    check_name("time_us", Some("us"));
    check_name("took-seconds", Some("s"));
    check_name("elapsed_s", Some("s"));
    check_name("http.server.request.duration_seconds", Some("s"));
    check_name("items", None); // ends in `ms`, but as a part of a word
    check_name("atoms", None);
    check_name("status", None); // ends in `us`
    check_name("responses", None);
    check_name("responseTime", None);
    check_name("s", None); // MongoDB's severity
    check_name("", None);
    check_name("_", None);
}

fn check_text(text: &str, expected_ms: Option<f64>) {
    let ms = parse_duration_text(text.as_bytes());
    match (ms, expected_ms) {
        (Some(ms), Some(want)) => assert!((ms - want).abs() <= 1e-12 * want.abs(), "{text}: {ms}"),
        _ => assert_eq!(ms, expected_ms, "{text}"),
    }
}

#[test]
fn a_value_may_say_its_own_unit() {
    check_text("1.2ms", Some(1.2)); // tracing-subscriber
    check_text("345us", Some(0.345));
    check_text("345µs", Some(0.345)); // U+00B5, Go
    check_text("345μs", Some(0.345)); // U+03BC, some keyboards
    check_text("12 ms", Some(12.0)); // PostgreSQL
    check_text("1m2.5s", Some(62_500.0)); // Go
    check_text("1h3m", Some(3_780_000.0));
    check_text("1h0m0.000000001s", Some(3_600_000.000_001));
    check_text("24 seconds", Some(24_000.0));
    check_text("PT1.5S", Some(1_500.0)); // Java
    check_text("P1DT2H", Some(93_600_000.0));
    check_text("0:00:01.5", Some(1_500.0)); // Python
    check_text("00:00:00.0123456", Some(12.345_6)); // .NET
    check_text("0s", Some(0.0));
    check_text("12", None); // a bare number has no unit
    check_text("", None);
    check_text("-", None);
    check_text("ms", None);
    check_text("-5ms", None); // a negative duration is a fault of a clock
    check_text("5 apples", None);
    check_text("P1M", None); // a month has no length
    check_text("P", None);
    check_text("PT", None);
    check_text("12:30", None); // h:mm or m:ss?
    check_text("0:61:00", None);
    check_text("1..2s", None);
}

fn check(text: &str, unit: DurationUnit, expected_ms: Option<f64>) {
    assert_eq!(parse_duration(text.as_bytes(), unit), expected_ms, "{text}");
}

#[test]
fn bare_numbers_take_the_unit_of_the_field() {
    check("0.012", DurationUnit::S, Some(12.0));
    check("345", DurationUnit::Us, Some(0.345));
    check("1500000", DurationUnit::Ns, Some(1.5));
    check("1.5e2", DurationUnit::Ms, Some(150.0));
    check("12ms", DurationUnit::S, Some(12.0)); // the value knows better
    check("0.012, 0.034 : 0.001", DurationUnit::S, Some(47.0)); // nginx: three upstreams
    check("-, 0.007", DurationUnit::S, Some(7.0)); // first upstream never connected
    check("-", DurationUnit::S, None);
    check("-, -", DurationUnit::S, None); // nothing was measured
    check("", DurationUnit::S, None);
    check("inf", DurationUnit::S, None);
    check("nan", DurationUnit::S, None);
    check("1e999", DurationUnit::S, None);
}

fn check_guess(sample: &[f64], expected: Option<(&str, &str)>) {
    let guess = guess_unit(sample);
    let found = guess.as_ref().map(|guess| (guess.unit.symbol(), guess.reason.as_str()));
    assert_eq!(found, expected, "{sample:?}");
}

#[test]
fn a_guess_tells_its_reason() {
    let seconds = "median 0.012 with fractions looks like seconds";
    check_guess(&[0.003, 0.012, 1.5], Some(("s", seconds)));
    check_guess(&[12.0], Some(("ms", "median 12 with whole numbers looks like milliseconds")));
    check_guess(&[12.5], Some(("ms", "median 12.5 with fractions looks like milliseconds")));
    check_guess(&[5.0, 4.5, 5.5], Some(("ms", "median 5 with fractions looks like milliseconds")));
    let micros = "median 10000 with whole numbers looks like microseconds";
    check_guess(&[10_000.0], Some(("us", micros))); // exactly at the bound
    check_guess(&[9_999.0], Some(("ms", "median 9999 with whole numbers looks like milliseconds")));
    let nanos = "median 1000000 with whole numbers looks like nanoseconds";
    check_guess(&[1e6], Some(("ns", nanos)));
    check_guess(&[], None);
    check_guess(&[f64::NAN, f64::INFINITY, -1.0], None);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(bytes in "[0-9a-zPTHMSµ:., -]{0,20}") {
        let parsed = parse_duration(bytes.as_bytes(), DurationUnit::Ms);
        prop_assert!(parsed.is_none_or(|ms| ms >= 0.0));
    }
}
