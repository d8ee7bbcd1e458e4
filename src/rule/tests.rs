//! What is read, and that reading always ends; what is refused is in `tests/mistakes.rs`.

use proptest::prelude::*;
use proptest::sample::select;

mod mistakes;

use super::column::{self, Holds};
use super::{
    Cmp, Condition, Every, Field, Filter, Limit, Measure, Mistake, Offset, Pattern, Quantity, Rule,
    Span, Term, Test, UsualMethod, Value, parse_filter, parse_rule, unknown_field,
};

/// An expression and its canonical text; where that is empty, it is the same.
fn check(rows: &[(&str, &str)]) {
    for (text, canonical) in rows {
        let canonical = if canonical.is_empty() { text } else { canonical };
        let rule = parse_rule(text).unwrap_or_else(|mistakes| panic!("{text}: {mistakes:?}"));
        assert_eq!(rule.to_string(), *canonical, "{text}");
        assert_eq!(parse_rule(canonical).as_ref(), Ok(&rule), "{text}");
    }
}

#[test]
fn measures_print_their_canonical_text() {
    check(&[
        ("p95(duration) < 300ms", ""),
        ("p99.9(duration_ms) <= 1.5s", "p99.9(duration) <= 1500ms"), // column, inexact second
        ("P95( duration )<300ms", "p95(duration) < 300ms"),          // any case, any space
        ("p50(http.bytes) < 1_000_000", "p50(http.bytes) < 1000000"),
        ("p0.1(http.bytes) > 5", ""),    // just above p0
        ("p99.999(http.bytes) > 5", ""), // just below p100
        ("avg(duration) < 200ms", ""),
        ("max(duration) < 30s", ""),
        ("min(duration) >= 1us", ""),
        ("sum(duration) < 2h", ""),
        ("sum(http.bytes) > -5.5", ""), // a field of one's own can be negative
        ("count() > 0", ""),
        ("count() = 0", ""), // whole numbers can be equal
        ("count() != 0", ""),
        ("rate() < 5/s", ""),
        ("rate() > 0.5/m", "rate() > 0.5/min"), // `m` is minutes here as well
        ("rate() > 10/h and rate() < 100/d", ""),
        ("share(status >= 500) <= 0%", ""), // exactly at the bounds
        ("share(status >= 500) <= 100%", ""),
        ("share(status >= 500 and route exists) < 0.5%", ""), // `and` inside
        ("share(level >= 'error') < 1%", "share(severity >= \"error\") < 1%"),
        ("distinct(user) > 10", ""),
        ("distinct(request_id) > 1", ""), // many values, but counted only
        ("shift(duration) < 10%", ""),
        ("shift(duration) > -10%", ""), // faster than before
        ("age() < 2h", ""),
        ("new(template) = 0", ""),
        ("new(status) <= 1", ""), // numbers, but few
        ("novelty(p95(duration)) < 0.9", ""),
        ("novelty(duration) < 0.9", "novelty(p95(duration)) < 0.9"),
        ("novelty(http.bytes) < 0.9", "novelty(avg(http.bytes)) < 0.9"),
        ("novelty(count()) < 1", ""),
        ("novelty(share(status >= 500)) <= 0", ""),
        ("p95(wait) < 300ms and p95(wait) < 300", ""), // only data tell what `wait` is
    ]);
}

#[test]
fn limits_print_their_canonical_text() {
    check(&[
        ("p95(duration) < 0.3s", "p95(duration) < 300ms"), // exactly
        ("p95(duration) < 300 ms", "p95(duration) < 300ms"),
        ("p95(duration) < 250µs", "p95(duration) < 250us"), // micro sign
        ("p95(duration) < 250μs", "p95(duration) < 250us"), // Greek letter
        ("p95(duration) < 5ns", ""),
        ("p95(duration) < 1w", "p95(duration) < 7d"),
        ("p95(duration) < 90min", "p95(duration) < 90m"),
        ("p95(duration) < 36h", ""),
        ("p95(duration) <= 0ms", "p95(duration) <= 0s"),
        ("p95(duration) < baseline", ""),
        ("p95(duration) < baseline+10%", "p95(duration) < baseline + 10%"),
        ("p95(duration) > baseline - 99.9%", ""),
        ("p95(duration) < baseline + 20ms", ""),
        ("p95(duration) < baseline + 0%", "p95(duration) < baseline"),
        ("count() > BASELINE - 50", "count() > baseline - 50"),
        ("rate() < baseline + 5/min", ""),
        ("share(status >= 500) < baseline + 0.5pt", ""), // points of the share
        ("share(status >= 500) < baseline + 10%", ""),   // per cent of the share
        ("p95(wait) < baseline + 20ms and p95(wait) < baseline + 20", ""),
        ("p95(duration) < before_change", ""),
        ("p95(duration) < before_change + 10 %", "p95(duration) < before_change + 10%"),
        ("p95(duration) < usual", "p95(duration) < usual(conformal, 0.1%)"),
        ("p95(duration) < usual(mad,3)", "p95(duration) < usual(mad, 3)"),
        ("p95(duration) < usual(iqr, 1.5)", ""),
        ("p95(duration) < usual(delta_iqr, 100)", ""), // exactly at the bound
        ("p95(duration) < usual(lognormal, 0.1%)", ""),
        ("p95(duration) < usual(conformal, 50%)", ""), // exactly at the bound
        ("p95(duration) < usual(t, 1 %)", "p95(duration) < usual(t, 1%)"),
    ]);
}

#[test]
fn clauses_print_their_canonical_text() {
    check(&[
        (
            "p95(duration) < 300ms and p95(duration) < baseline + 10% \
             where route = \"/api/weekly-reports\"",
            "",
        ),
        (
            "COUNT() > 5 WHERE event = 'user.registered' AND user EXISTS PER service FOR 1.5h",
            "count() > 5 where event = \"user.registered\" and user exists per service for 90m",
        ),
        (
            "count() > 0\n  where status = 200\n  per route",
            "count() > 0 where status = 200 per route",
        ),
        ("count() > 0 per `x-tenant` for 30d", ""), // exactly at the bound
        ("count() > 0 for 1ms", ""),
        (
            "count() > 0 where method in (\"GET\", 'HEAD')",
            "count() > 0 where method in (\"GET\", \"HEAD\")",
        ),
        ("count() > 0 where status not in (404, 410)", ""),
        ("count() > 0 where wait in (1, 2s, \"3\", -4)", ""), // what it holds is not known
        ("count() > 0 where route like \"/api/%\" and route not like \"/health_\"", ""),
        ("count() > 0 where route ~ \"^/v[0-9]+/\" and route !~ \"\\d$\"", ""),
        ("count() > 0 where user exists and trace_id missing and ts missing", ""),
        ("count() > 0 where duration > 1.5s", "count() > 0 where duration > 1500ms"),
        ("count() > 0 where status != 404 and severity_number >= 13", ""),
        ("count() > 0 where level = \"Warning\"", "count() > 0 where severity = \"Warning\""),
        ("count() > 0 where host = \"it's\"", ""),
        ("count() > 0 where host = 'it''s'", "count() > 0 where host = \"it's\""),
        ("count() > 0 where host = 'say \"hi\"'", "count() > 0 where host = \"say \"\"hi\"\"\""),
        ("count() > 0 where host = \"C:\\new\" and path = \"\"", ""), // no escapes but quotes
        ("count() > 0 where `user-agent` exists and `for` = 1 and `a``b` = 1", ""),
        ("count() > 0 where `status` = 200", "count() > 0 where status = 200"),
        ("count() > 0 where `duration` = 1s", "count() > 0 where duration = 1s"),
        ("count() > 0 where where_ = -5.5 and per.cent = 1 and año = \"ñ\"", ""),
    ]);
}

#[test]
fn filters_print_their_canonical_text() {
    for (text, canonical) in [
        ("status < 500", "status < 500"),
        (
            "level in ('error', 'fatal') and duration <= 1m",
            "severity in (\"error\", \"fatal\") and duration <= 1m",
        ),
    ] {
        assert_eq!(parse_filter(text).map(|filter| filter.to_string()).as_deref(), Ok(canonical));
    }
}

#[test]
fn a_field_that_no_record_has_is_told_with_the_nearest() {
    let rule = parse_rule("p95(duraton) < 3 where http.byte = 1 per zebra").unwrap();
    let names: Vec<&str> = rule.fields().map(|field| &*field.name).collect();
    assert_eq!(names, ["duraton", "http.byte", "zebra"]);
    let mistakes = rule.fields().map(|field| unknown_field(field, &["http.bytes", "http.method"]));
    let told: Vec<_> = mistakes.map(|mistake| (mistake.span, mistake.help)).collect();
    assert_eq!(
        told,
        [
            (4..11, Some("did you mean `duration`?".to_owned())), // a column, never seen
            (23..32, Some("did you mean `http.bytes`?".to_owned())),
            (41..46, None),
        ]
    );
}

#[test]
fn all_fields_of_a_rule_are_named() {
    let text = "share(a = 1 and b = 2) < 5% and novelty(share(c = 1)) < 1 and new(d) = 0 where e = 1 per f";
    let rule = parse_rule(text).unwrap();
    let fields: Vec<&str> =
        rule.fields().map(|field| &text[field.span.start..field.span.end]).collect();
    assert_eq!(fields, ["a", "b", "c", "d", "e", "f"]);
}

#[test]
fn offsets_move_a_level() {
    for (offset, level, want) in [
        (Offset::NONE, 200.0, 200.0),
        (Offset(Quantity::Percent(10.0)), 200.0, 220.0),
        (Offset(Quantity::Percent(-50.0)), 200.0, 100.0),
        (Offset(Quantity::Time(20.0)), 200.0, 220.0),
        (Offset(Quantity::Points(0.5)), 1.5, 2.0),
        (Offset(Quantity::Rate(60.0, Every::Minute)), 2.0, 3.0), // levels are per second
    ] {
        let got = offset.limit(level);
        assert!((got - want).abs() < 1e-9, "{offset}: {got}");
    }
}

#[test]
fn comparisons_hold_as_their_signs_say() {
    let all = [Cmp::Less, Cmp::AtMost, Cmp::More, Cmp::AtLeast, Cmp::Equal, Cmp::NotEqual];
    for (left, right, want) in [
        (1.0, 2.0, "< <= !="),
        (2.0, 1.0, "> >= !="),
        (2.0, 2.0, "<= >= ="),
        (0.0, -0.0, "<= >= ="), // both zeros are one number
        (f64::NAN, f64::NAN, "!="),
        (f64::NAN, 1.0, "!="),
    ] {
        let holding = all.into_iter().filter(|cmp| cmp.holds(left, right));
        let signs: Vec<&str> = holding.map(Cmp::as_str).collect();
        assert_eq!(signs.join(" "), want, "{left} {right}");
    }
}

#[test]
fn patterns_mean_what_sql_and_regular_expressions_mean() {
    let like = |text| Pattern::like(text).unwrap();
    let regex = |text| Pattern::regex(text).unwrap();
    for (pattern, value, want) in [
        (like("/api/%"), "/api/orders", true),
        (like("/api/%"), "/v1/api/orders", false), // the whole value
        (like("/api/%"), "/api/a\nb", true),       // any text, lines too
        (like("a_c"), "aéc", true),                // a character, not a byte
        (like("a_c"), "ac", false),
        (like("a.c"), "abc", false), // a point is a point
        (like("GET"), "get", false),
        (like(""), "", true),
        (regex("api"), "/v1/api/orders", true), // anywhere
        (regex("^api"), "/v1/api/orders", false),
    ] {
        assert_eq!(pattern.is_match(value), want, "{} {value}", pattern.as_str());
    }
}

fn field() -> impl Strategy<Value = Field> {
    let own = prop_oneof![
        "[a-z_][a-z0-9_]{0,8}(\\.[a-z0-9_]{1,4}){0,2}",
        "\\PC{1,12}",
        select(vec!["for", "AND", "p95", "ñ", "a-b", "`", "usual"]).prop_map(str::to_owned),
    ];
    let is_own = |name: &String| {
        let is_path = !name.split('.').any(str::is_empty) && !name.contains(char::is_control);
        is_path && column::holds(column::full_name(name)) == Holds::Own
    };
    own.prop_filter("a name of a column", is_own)
        .prop_map(|name| Field { name, span: Span::default() })
}

fn value() -> impl Strategy<Value = f64> {
    prop_oneof![0.0..1e6, (1..1_000_000_u32).prop_map(f64::from), 0.0..f64::MAX, 0.0..1e-300]
}

fn signed() -> impl Strategy<Value = f64> {
    (value(), any::<bool>())
        .prop_map(|(value, is_negative)| if is_negative { -value } else { value })
}

fn filter() -> impl Strategy<Value = Filter> {
    let words = "\\PC{0,12}";
    let cmp =
        || select(vec![Cmp::Less, Cmp::AtMost, Cmp::More, Cmp::AtLeast, Cmp::Equal, Cmp::NotEqual]);
    let number = || prop_oneof![signed().prop_map(Value::Number), signed().prop_map(Value::Time)];
    let any_value = || prop_oneof![number(), words.prop_map(Value::Text)];
    let values = || prop::collection::vec(any_value(), 1..4);
    let like = || words.prop_map(|text| Pattern::like(&text).unwrap());
    let regex =
        || select(vec!["^/v\\d+", "\"", "a|b"]).prop_map(|text| Pattern::regex(text).unwrap());
    let test = prop_oneof![
        (cmp(), number()).prop_map(|(cmp, number)| Test::Compare(cmp, number)),
        (select(vec![Cmp::Equal, Cmp::NotEqual]), words)
            .prop_map(|(cmp, text)| Test::Compare(cmp, Value::Text(text))),
        values().prop_map(Test::In),
        values().prop_map(Test::NotIn),
        like().prop_map(Test::Like),
        like().prop_map(Test::NotLike),
        regex().prop_map(Test::Matches),
        regex().prop_map(Test::NotMatches),
        Just(Test::Exists),
        Just(Test::Missing),
    ];
    let condition =
        (field(), test).prop_map(|(field, test)| Condition { field, test, span: Span::default() });
    prop::collection::vec(condition, 1..4).prop_map(|conditions| Filter { conditions })
}

/// Measures of fields of one's own, so that numbers and times are limits of both.
fn of_field() -> impl Strategy<Value = (Measure, Limit)> {
    let percent = prop_oneof![0.001..99.999, (1..100_u32).prop_map(f64::from)];
    let measure = prop_oneof![
        (percent, field()).prop_map(|(percent, field)| Measure::Quantile { percent, field }),
        field().prop_map(Measure::Average),
        field().prop_map(Measure::Max),
        field().prop_map(Measure::Min),
        field().prop_map(Measure::Sum),
    ];
    let offset = || {
        prop_oneof![
            (-99.999..1e6).prop_map(Quantity::Percent),
            signed().prop_map(Quantity::Time),
            signed().prop_map(Quantity::Number),
        ]
        .prop_map(Offset)
    };
    let usual = (select(UsualMethod::ALL.to_vec()), 0.001..50.0)
        .prop_map(|(method, parameter)| Limit::Usual { method, parameter });
    let limit = prop_oneof![
        value().prop_map(|ms| Limit::Literal(Quantity::Time(ms))),
        signed().prop_map(|number| Limit::Literal(Quantity::Number(number))),
        offset().prop_map(Limit::Baseline),
        offset().prop_map(Limit::BeforeChange),
        usual,
    ];
    (measure, limit)
}

fn term() -> impl Strategy<Value = Term> {
    let every = select(vec![Every::Second, Every::Minute, Every::Hour, Every::Day]);
    let whole = || (1..1_000_000_u32).prop_map(|n| Limit::Literal(Quantity::Number(n.into())));
    let percent = |range| Strategy::prop_map(range, |p: f64| Limit::Literal(Quantity::Percent(p)));
    let points = signed().prop_map(|points| Limit::Baseline(Offset(Quantity::Points(points))));
    let score = || (0.0..=1.0).prop_map(|score| Limit::Literal(Quantity::Number(score)));
    let parts = prop_oneof![
        of_field(),
        (Just(Measure::Count), whole()),
        (field().prop_map(Measure::Distinct), whole()),
        (field().prop_map(Measure::New), whole()),
        (
            Just(Measure::Rate),
            (value(), every)
                .prop_map(|(count, every)| Limit::Literal(Quantity::Rate(count, every)))
        ),
        (filter().prop_map(Measure::Share), prop_oneof![percent(0.0..=100.0), points]),
        (field().prop_map(Measure::Shift), percent(-1e3..=1e3)),
        (Just(Measure::Age), value().prop_map(|ms| Limit::Literal(Quantity::Time(ms)))),
        (of_field().prop_map(|(measure, _)| Measure::Novelty(Box::new(measure))), score()),
        (filter().prop_map(|filter| Measure::Novelty(Box::new(Measure::Share(filter)))), score()),
    ];
    let cmp = select(vec![Cmp::Less, Cmp::AtMost, Cmp::More, Cmp::AtLeast]);
    (parts, cmp).prop_map(|((measure, limit), cmp)| Term {
        measure,
        cmp,
        limit,
        span: Span::default(),
    })
}

fn rule() -> impl Strategy<Value = Rule> {
    let terms = prop::collection::vec(term(), 1..3);
    let hold = (1..=2_592_000_000_u64).prop_map(std::time::Duration::from_millis);
    let filter = prop_oneof![Just(Filter::default()), filter()];
    let (per, hold) = (prop::option::of(field()), prop::option::of(hold));
    (terms, filter, per, hold).prop_map(|(terms, filter, per, hold)| Rule {
        terms,
        filter,
        per,
        hold,
    })
}

/// Texts that look like rules, so that every way through the grammar is taken.
fn soup() -> impl Strategy<Value = String> {
    let pieces = vec![
        "p95",
        "count",
        "share",
        "novelty",
        "new",
        "p",
        "p100",
        "(",
        ")",
        "duration",
        "route",
        "status",
        "x-y",
        "`a b`",
        "`",
        "\"",
        "'",
        "'it''s'",
        "\"é\"",
        "<",
        "<=",
        "==",
        "=<",
        "≤",
        "=",
        "!~",
        "~",
        "!",
        "&&",
        "or",
        "and",
        "where",
        "per",
        "for",
        "in",
        "not",
        "like",
        "exists",
        "missing",
        ",",
        "+",
        "-",
        "*",
        "%",
        "300",
        "300ms",
        "5",
        "10%",
        "0.5pt",
        "5/min",
        "5/",
        "1.2.3",
        "5xx",
        "µ",
        "baseline",
        "usual",
        "mad",
        "before_change",
        "\n",
        "\u{202e}",
        "\0",
        ".",
        "..",
    ];
    let piece = prop_oneof![3 => select(pieces), 1 => Just(" ")];
    prop::collection::vec(piece, 0..32).prop_map(|pieces| pieces.concat())
}

fn check_ending<T>(text: &str, result: Result<T, Vec<Mistake>>) {
    let Err(mistakes) = result else { return };
    assert!(!mistakes.is_empty(), "{text}");
    for Mistake { span, message, help } in mistakes {
        assert!(text.get(span.clone()).is_some(), "{text}: {span:?}");
        for said in [Some(message), help].into_iter().flatten() {
            assert!(!said.is_empty() && !said.contains(char::is_control), "{text}: {said}");
            assert!(said.len() < 1_000, "{text}: {said}");
        }
    }
}

#[test]
fn the_longest_expressions_end() {
    for piece in [
        "(",
        "novelty(",
        "share(",
        "share(a=1 and ",
        "not ",
        "a.",
        "p95(a)<1 and ",
        "'",
        "''",
        "9",
        "<",
        "a or ",
    ] {
        let text = piece.repeat(4_096 / piece.len());
        check_ending(&text, parse_rule(&text));
        check_ending(&text, parse_filter(&text));
        let text = format!("count() > 0 where a = '{text}");
        check_ending(&text, parse_rule(&text));
    }
}

#[test]
fn long_pieces_are_cut_where_they_are_quoted() {
    for piece in ["a", "9", "é", "0.", "9s", "`", "\"a", "a.b"] {
        let long = piece.repeat(4_000 / piece.len());
        for text in [
            format!("p95({long}) < 1"),
            format!("{long} < 1"),
            format!("{long}(a) < 1"),
            format!("p95(a) < {long}"),
            format!("p95(a) < 5{long}"),
            format!("p95(a) < usual({long}, 1)"),
            format!("count() > 0 where a = {long}"),
            format!("count() > 0 where status = '{long}'"),
            format!("count() > 0 where a ~ '({long}'"),
            format!("count() > 0 {long}"),
            format!("count() > 0 for {long}"),
        ] {
            check_ending(&text, parse_rule(&text));
        }
    }
}

proptest! {
    #[test]
    fn what_a_rule_prints_is_the_rule(rule in rule()) {
        let text = rule.to_string();
        prop_assert_eq!(parse_rule(&text), Ok(rule), "{}", text);
    }

    #[test]
    fn every_text_ends_in_a_rule_or_in_mistakes(text in prop_oneof![soup(), ".{0,40}"]) {
        check_ending(&text, parse_filter(&text));
        let result = parse_rule(&text);
        if let Ok(rule) = &result {
            prop_assert_eq!(&parse_rule(&rule.to_string()), &result);
        }
        check_ending(&text, result);
    }
}
