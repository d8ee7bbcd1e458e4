//! Rules judged on synthetic logs: each row says what the log is like and what must come out.

mod untold;

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::tz::TimeZone;

use super::{Calendar, Check, Checks, Compared, Judgement, Making, Scene, baseline_of, of_text};
use crate::decode::Overrides;
use crate::model::{CheckResult, EventKinds, EventMark, Verdict, Window, format_ts};
use crate::query::{Measured, Measures, Opened, read};
use crate::source::{Discovery, Input};

const SECOND_US: i64 = 1_000_000;
const HOUR_US: i64 = 3_600 * SECOND_US;
/// Monday, 2026-11-16T00:00:00Z.
const START_US: i64 = 1_794_787_200 * SECOND_US;

/// Ten hours of requests; the last two are judged.
#[derive(Clone, Copy)]
struct Log {
    /// Seconds between requests.
    every_s: f64,
    /// In the last two hours: durations times this, share of failures, requests times this.
    slow: f64,
    failures: f64,
    traffic: f64,
    new_error: bool,
}

const QUIET: Log = Log { every_s: 10.0, slow: 1.0, failures: 0.01, traffic: 1.0, new_error: false };

impl Log {
    fn text(self) -> String {
        let mut text = String::new();
        let mut state = 7_u64;
        let mut random = || {
            state = state
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1_442_695_040_888_963_407);
            (state >> 11) as f64 / (1_u64 << 53) as f64
        };
        let mut at_s = 0.0;
        while at_s < 36_000.0 {
            let is_late = at_s >= 28_800.0;
            let normal: f64 = (0..12).map(|_| random()).sum::<f64>() - 6.0;
            let ms = 100.0 * (0.4 * normal).exp() * if is_late { self.slow } else { 1.0 };
            let failed = random() < if is_late { self.failures } else { 0.01 };
            let route = if random() < 0.5 { "/a" } else { "/b" };
            let bytes = if route == "/a" { ",\"bytes\":50" } else { "" };
            let (status, level) = if failed { (500, "error") } else { (200, "info") };
            let message = if failed { "boom" } else { "done" };
            let ts = format_ts(START_US + (at_s * 1e6) as i64);
            let _ = writeln!(
                text,
                "{{\"time\":\"{ts}\",\"level\":\"{level}\",\"msg\":\"{message}\",\"route\":\"{route}\",\
                 \"status\":{status},\"duration_ms\":{ms:.3},\"event\":\"order.made\"{bytes}}}"
            );
            at_s += self.every_s / if is_late { self.traffic } else { 1.0 };
        }
        if self.new_error {
            let ts = format_ts(START_US + 35_000 * SECOND_US);
            let _ = writeln!(
                text,
                "{{\"time\":\"{ts}\",\"level\":\"error\",\"msg\":\"pool timeout\",\"route\":\"/a\",\
                 \"status\":200,\"duration_ms\":100.0}}"
            );
        }
        text
    }
}

fn measured(text: &str, checks: &Checks, max_exact: usize) -> Measured {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl");
    crate::durable::write_whole(&path, text.as_bytes()).unwrap();
    let found = Discovery { inputs: vec![Input::Named(path)], ..Discovery::default() };
    let opened = Opened::open(&found, &Overrides::default()).unwrap();
    let mut measures = Measures::with_limit(checks.questions(), false, max_exact);
    let wanted = measures.wanted().clone();
    let stop = std::sync::atomic::AtomicBool::new(false);
    read(opened, &wanted, &stop, &mut |batch| {
        measures.add(&batch);
        true
    })
    .unwrap();
    measures.finish()
}

fn judged(log: Log, rules: &[&str], compared: Compared) -> Vec<CheckResult> {
    judged_with((&[], &EventKinds::default()), log, rules, compared)
}

fn judged_with(
    events: (&[EventMark], &EventKinds),
    log: Log,
    rules: &[&str],
    compared: Compared,
) -> Vec<CheckResult> {
    let checks = rules.iter().map(|rule| check_of(rule)).collect();
    let now = (START_US + 10 * HOUR_US, 2 * HOUR_US);
    judged_amid(events, &log.text(), checks, (compared, now))
}

fn check_of(rule: &str) -> Check {
    of_text("r", rule, 30).unwrap_or_else(|wrong| panic!("{wrong:?}"))
}

/// One rule on [`lines`], of which the last two hours are judged.
fn judged_fields(fields: impl Fn(u32) -> String, rule: &str) -> Vec<CheckResult> {
    let now = (START_US + 10 * HOUR_US, 2 * HOUR_US);
    judged_at(&lines(fields), vec![check_of(rule)], Compared::FourTimesBefore, now)
}

/// Ten hours of records every ten seconds, with what `fields` says of each second.
/// Even in [0, 1], and always the same for a number.
fn chance(of: u32) -> f64 {
    let mut bits = u64::from(of).wrapping_add(1).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    (bits ^ (bits >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB) as f64 / u64::MAX as f64
}

fn lines(fields: impl Fn(u32) -> String) -> String {
    let line = |at_s: u32| {
        let ts = format_ts(START_US + i64::from(at_s) * SECOND_US);
        format!("{{\"time\":\"{ts}\",{}}}\n", fields(at_s))
    };
    (0..36_000).step_by(10).map(line).collect()
}

fn judged_at(
    text: &str,
    checks: Vec<Check>,
    compared: Compared,
    now: (i64, i64),
) -> Vec<CheckResult> {
    judged_amid((&[], &EventKinds::default()), text, checks, (compared, now))
}

fn judged_amid(
    events: (&[EventMark], &EventKinds),
    text: &str,
    checks: Vec<Check>,
    moment: (Compared, (i64, i64)),
) -> Vec<CheckResult> {
    judged_by(ALL_EXACT, events, text, checks, moment).results
}

/// Rows that are not folded.
const ALL_EXACT: usize = 4_000_000;

/// Folds the rows beyond so many.
fn judged_by(
    max_exact: usize,
    (marks, kinds): (&[EventMark], &EventKinds),
    text: &str,
    checks: Vec<Check>,
    (compared, (now_us, len_us)): (Compared, (i64, i64)),
) -> Judgement {
    let checks = Checks::new(checks);
    let measured = measured(text, &checks, max_exact);
    let moment = (compared, now_us, len_us);
    in_scene(&measured, (marks, kinds), moment, |scene| checks.judge(&measured, &scene))
}

fn in_scene<T>(
    measured: &Measured,
    (marks, kinds): (&[EventMark], &EventKinds),
    (compared, now_us, len_us): (Compared, i64, i64),
    run: impl FnOnce(Scene<'_>) -> T,
) -> T {
    let missing = BTreeMap::new();
    let calendar = Calendar {
        span_us: measured.span_us().unwrap(),
        grain_us: measured.grain_us(),
        versions: Vec::new(),
        marks,
        kinds,
        zone: TimeZone::UTC,
        look_back_us: None,
    };
    let (lengths_us, saved, level) = (&[], None, 0.02);
    run(Scene { calendar, now_us, len_us, lengths_us, compared, saved, level, missing: &missing })
}

#[test]
fn what_is_broken_fails_and_what_is_not_does_not() {
    use Verdict::{Fail, Inconclusive, Pass};

    let slow = Log { slow: 1.6, ..QUIET };
    let failing = Log { failures: 0.08, ..QUIET };
    let quiet = Log { traffic: 0.2, ..QUIET };
    let thin = Log { every_s: 400.0, ..QUIET };
    let new = Log { new_error: true, ..QUIET };
    let slower = Log { slow: 10.0, ..QUIET };
    for (log, rule, want, why) in [
        (QUIET, "p95(duration) < 1s", Pass, "a fixed limit that holds"),
        (QUIET, "p95(duration) < 100ms", Fail, "a fixed limit that does not"),
        (QUIET, "p50(duration) < 120ms and p99(duration) < 100ms", Fail, "one of two terms"),
        (QUIET, "p95(duration) < baseline + 10%", Pass, "nothing changed"),
        (slow, "p95(duration) < baseline + 10%", Fail, "60 % slower"),
        (slow, "p95(duration) > baseline - 10%", Pass, "slower is not faster"),
        (slow, "p50(duration) < baseline + 20ms", Fail, "an offset in its unit"),
        (slow, "avg(duration) < baseline + 10%", Fail, "the mean too"),
        (slow, "shift(duration) < 10%", Fail, "the whole distribution"),
        (slow, "shift(duration) < 10% per route", Fail, "on each route"),
        (QUIET, "shift(duration) < 10%", Pass, "nothing moved"),
        (slow, "p95(duration) < before_change + 20%", Fail, "there is a change point"),
        (QUIET, "p95(duration) < before_change + 20%", Pass, "there is none"),
        (QUIET, "share(status >= 500) < baseline + 0.5pt", Pass, "1 % as before"),
        (failing, "share(status >= 500) < baseline + 0.5pt", Fail, "8 % instead of 1 %"),
        (failing, "share(status >= 500) < 50%", Pass, "a fixed share"),
        (failing, "share(status >= 500) < 1% per route", Fail, "a fixed share on each route"),
        (QUIET, "count() > baseline - 50%", Pass, "as many as before"),
        (quiet, "count() > baseline - 50%", Fail, "a fifth of them"),
        (quiet, "rate() > 5/h", Pass, "still some"),
        (QUIET, "count() > 0 where event = \"order.lost\"", Fail, "there is no such event"),
        (thin, "p95(duration) < 1s", Inconclusive, "18 values are too few"),
        (thin, "p95(duration) < baseline + 10%", Inconclusive, "too few to compare"),
        (QUIET, "age() < 1h", Pass, "fresh"),
        (QUIET, "age() < 1h where event = \"order.lost\"", Inconclusive, "never seen"),
        (new, "new(template) <= 0 where severity >= \"error\"", Fail, "pool timeout is new"),
        (failing, "new(template) <= 0 where severity >= \"error\"", Pass, "boom is known"),
        (QUIET, "distinct(route) >= 2", Pass, "two routes"),
        (QUIET, "p50(duration) < usual(mad, 6)", Inconclusive, "four windows are no history"),
        (slow, "p95(duration) < 100ms for 30m", Fail, "for longer than that"),
        (QUIET, "max(duration) < baseline + 10%", Pass, "maxima differ more than that"),
        (slower, "max(duration) < baseline + 10%", Fail, "but not so much"),
        (slower, "min(duration) < baseline + 10%", Fail, "minima too"),
        (QUIET, "sum(duration) > baseline - 30%", Pass, "a window is not four"),
        (QUIET, "sum(duration) < baseline + 30%", Pass, "nor is it less than one"),
        (quiet, "sum(duration) > baseline - 30%", Fail, "a fifth of the requests"),
        (QUIET, "distinct(duration) > baseline - 30%", Pass, "as many different ones a window"),
        (quiet, "distinct(duration) > baseline - 30%", Fail, "a fifth of them"),
        (QUIET, "distinct(route) >= baseline - 10%", Pass, "always two"),
        (QUIET, "count() < baseline - 50%", Fail, "half was asked for"),
        (quiet, "count() < baseline - 50%", Pass, "and is there"),
        (QUIET, "share(status < 500) < baseline - 5pt", Fail, "5 points fewer were asked for"),
        (QUIET, "p95(duration) < baseline - 20%", Fail, "a fifth faster was asked for"),
    ] {
        let results = judged(log, &[rule], Compared::FourTimesBefore);
        let verdict = results.iter().map(|result| result.verdict).max().unwrap();
        assert_eq!(verdict, want, "{rule}: {why}: {:?}", results.first().map(|r| &r.reason));
    }
}

/// A rule on the last two hours, or over these lengths up to the same moment.
fn judged_over(log: Log, rule: &str, lengths_us: &[i64]) -> Vec<CheckResult> {
    let checks = Checks::new(vec![check_of(rule)]);
    let measured = measured(&log.text(), &checks, ALL_EXACT);
    let kinds = EventKinds::default();
    let moment = (Compared::FourTimesBefore, START_US + 10 * HOUR_US, 2 * HOUR_US);
    in_scene(&measured, (&[], &kinds), moment, |scene| {
        checks.judge(&measured, &Scene { lengths_us, ..scene }).results
    })
}

#[test]
fn of_several_lengths_those_that_can_tell_count_and_the_worst_decides() {
    use Verdict::{Fail, Inconclusive, Pass};

    // What began two hours ago lies in the baseline of a shorter time as well.
    let several = [HOUR_US / 4, 2 * HOUR_US, 5 * HOUR_US / 2];
    let sparse = Log { every_s: 60.0, ..QUIET };
    let (slow, slow_sparse) = (Log { slow: 1.6, ..QUIET }, Log { slow: 1.6, ..sparse });
    let thin = Log { every_s: 400.0, slow: 1.6, ..QUIET };
    let shift = "shift(duration) < 10%";
    for (log, rule, want, minutes, why) in [
        (slow, shift, Fail, None, "two lengths see it: the shorter says what is so now"),
        (slow_sparse, shift, Fail, None, "a quarter of an hour holds 15 values"),
        (QUIET, shift, Pass, Some(150), "none sees anything: the longest rests on most"),
        (sparse, shift, Pass, Some(150), "that the shortest can't tell is no matter"),
        (thin, shift, Inconclusive, Some(150), "no length can tell: never a pass"),
        (slow, "p95(duration) < 100ms", Fail, None, "a fixed limit has no test to correct"),
        (slow, "p95(duration) < baseline + 10%", Fail, None, "a percentile keeps its one window"),
    ] {
        let results = judged_over(log, rule, &several);
        assert_eq!(results.len(), 1, "{rule}: {why}");
        let window = results[0].window.as_ref().map(|span| {
            let at = |text: &str| text.parse::<jiff::Timestamp>().unwrap().as_second();
            (at(&span.to) - at(&span.from)) / 60
        });
        assert_eq!((results[0].verdict, window), (want, minutes), "{rule}: {why}");
    }
}

#[test]
fn each_group_is_told_by_the_lengths_that_it_can_fill() {
    let log = Log { every_s: 30.0, slow: 1.8, ..QUIET };
    let rule = "shift(duration) < 10% per route";
    let results = judged_over(log, rule, &[HOUR_US / 4, 2 * HOUR_US]);
    let groups: Vec<&String> = results.iter().flat_map(|result| result.group.values()).collect();
    assert_eq!(groups.len(), 2, "one result a group: {groups:?}");
    assert!(results.iter().all(|result| result.verdict == Verdict::Fail), "{groups:?}");
    assert!(results.iter().all(|result| result.evidence.n[1] >= 30), "{groups:?}");
}

#[test]
fn evidence_has_the_numbers_that_there_are() {
    let check = |log: Log, rule: &str, has_number: bool, has_rows: bool, why: &str| {
        let evidence = judged(log, &[rule], Compared::FourTimesBefore).swap_remove(0).evidence;
        let got = (evidence.actual.is_some(), evidence.n[1] > 0);
        assert_eq!(got, (has_number, has_rows), "{rule}: {why}: {evidence:?}");
    };
    let thin = Log { every_s: 400.0, ..QUIET };
    check(QUIET, "age() < 1h", true, true, "the rows of the window, though none is needed");
    check(thin, "novelty(p95(duration)) < 1", false, true, "a percentile is no score");
    check(thin, "p95(duration) < 1s", true, true, "too few values have a percentile too");
}

#[test]
fn a_rule_that_must_be_broken_for_longer_waits() {
    let slow = Log { slow: 3.0, ..QUIET };
    let rule = "p95(duration) < 400ms for 4h";
    let results = judged(slow, &[rule], Compared::FourTimesBefore);
    assert_eq!(results[0].verdict, Verdict::Pass, "{}", results[0].reason);
    assert!(results[0].reason.contains("not yet"), "{}", results[0].reason);
}

#[test]
fn a_saved_sum_is_that_of_a_window() {
    let rules = [
        ("sum(duration) > baseline - 30%", Verdict::Pass),
        ("sum(duration) < baseline + 30%", Verdict::Pass),
        ("distinct(duration) > baseline - 30%", Verdict::Pass),
        ("distinct(duration) < baseline + 30%", Verdict::Pass),
        ("sum(duration) < baseline - 50%", Verdict::Fail),
    ];
    let checks = Checks::new(rules.iter().map(|(rule, _)| check_of(rule)).collect());
    let measured = measured(&QUIET.text(), &checks, ALL_EXACT);
    let kinds = EventKinds::default();
    let at = |len_us: i64| (Compared::History, START_US + 10 * HOUR_US, len_us);
    let making = Making {
        name: "main".to_owned(),
        made_at: format_ts(START_US),
        version: "1".to_owned(),
        inputs: Vec::new(),
    };
    let baseline = in_scene(&measured, (&[], &kinds), at(2 * HOUR_US), |scene| {
        baseline_of(&checks, &measured, &scene, making)
    });
    let judged = |len_us: i64| {
        in_scene(&measured, (&[], &kinds), at(len_us), |scene| {
            checks.judge(&measured, &Scene { saved: Some(&baseline), ..scene }).results
        })
    };
    for (result, (rule, want)) in judged(2 * HOUR_US).iter().zip(rules) {
        assert_eq!(result.verdict, want, "{rule}: {} {:?}", result.reason, result.evidence);
    }
    for result in judged(HOUR_US) {
        assert_eq!(result.verdict, Verdict::Inconclusive, "{}: half as long", result.expr);
        assert!(result.reason.contains("--window"), "{}", result.reason);
    }
}

#[test]
fn what_got_better_is_no_discovery() {
    let check = |log: Log, rule: &str, is_small: bool| {
        let result = judged(log, &[rule], Compared::FourTimesBefore).swap_remove(0);
        let p_value = result.evidence.p_value.unwrap();
        assert_eq!(p_value < 0.01, is_small, "{rule}: {p_value} {}", result.reason);
        assert!(is_small || p_value > 0.5, "{rule}: {p_value} {}", result.reason);
        assert_eq!(result.verdict == Verdict::Fail, is_small, "{rule}: {}", result.reason);
    };
    let worse = Log { slow: 1.6, failures: 0.08, traffic: 0.2, ..QUIET };
    let better = Log { slow: 0.5, failures: 0.0, traffic: 3.0, ..QUIET };
    for rule in [
        "shift(duration) < 10%",
        "p95(duration) < baseline + 10%",
        "p95(duration) < before_change + 10%",
        "avg(duration) < baseline + 10%",
        "share(status >= 500) < baseline + 0.5pt",
        "count() > baseline - 10%",
    ] {
        check(worse, rule, true);
        check(better, rule, false);
    }
    // Much more than nothing is so whatever else was expected.
    check(Log { slow: 10.0, ..QUIET }, "max(duration) < baseline + 10%", true);
    check(Log { slow: 0.1, ..QUIET }, "max(duration) < baseline + 10%", false);
}

#[test]
fn a_measure_without_a_change_point_is_still_tested() {
    let rule = "p95(duration) < before_change + 20%";
    let evidence = judged(QUIET, &[rule], Compared::FourTimesBefore).swap_remove(0).evidence;
    assert!(evidence.p_value.is_some_and(|p_value| p_value > 0.01), "{evidence:?}");
}

#[test]
fn a_shadow_rule_changes_no_other() {
    let failing = Log { failures: 0.025, ..QUIET };
    let counted = check_of("share(status >= 500) < baseline + 0.1pt");
    let shadow = Check { shadow: true, ..check_of("shift(duration) < 10% per route") };
    let judged = |checks: Vec<Check>| {
        let now = (START_US + 10 * HOUR_US, 2 * HOUR_US);
        judged_at(&failing.text(), checks, Compared::FourTimesBefore, now).swap_remove(0)
    };
    let alone = judged(vec![counted.clone()]);
    assert_eq!(alone, judged(vec![counted, shadow]));
}

#[test]
fn a_group_that_is_probably_broken_is_not_left_out() {
    let slow = Log { slow: 1.6, ..QUIET };
    let rule = "shift(duration) < 58% and p50(bytes) < 100 per route";
    let results = judged(slow, &[rule], Compared::FourTimesBefore);
    let verdict = |route: &str| {
        let of_route = |result: &&CheckResult| result.group.values().any(|value| value == route);
        results.iter().find(of_route).map(|result| result.verdict)
    };
    assert_eq!(verdict("/a"), Some(Verdict::Warn));
    assert_eq!(verdict("/b"), Some(Verdict::Inconclusive), "there are no bytes");
}

#[test]
fn the_course_of_a_measure_ends_with_the_judged_window() {
    // Twenty more in the last fifty seconds, which end within a minute.
    let (end_us, len_us) = (START_US + 10 * HOUR_US - SECOND_US, 120 * SECOND_US);
    let mut text = lines(|_| "\"event\":\"order.made\"".to_owned());
    for second in 0..40 {
        let ts = format_ts(end_us - 41 * SECOND_US + second * SECOND_US);
        let _ = writeln!(text, "{{\"time\":\"{ts}\",\"event\":\"order.made\"}}");
    }
    let judged = |rule: &str| {
        let checks = vec![check_of(rule)];
        judged_at(&text, checks, Compared::FourTimesBefore, (end_us, len_us)).swap_remove(0)
    };
    let result = judged("novelty(count()) < 0.2");
    assert_eq!(result.verdict, Verdict::Fail, "{}", result.reason);
    assert!(result.reason.contains("2026-11-16T09:58:59Z"), "{}", result.reason);
}

#[test]
fn a_level_below_zero_has_its_limit_above_it() {
    use Verdict::{Fail, Pass};

    let check = |late: f64, rule: &str, want: Verdict| {
        let of = |at_s: u32| if at_s >= 28_800 { late } else { -100.0 };
        let fields = |at_s: u32| format!("\"v\":{}", of(at_s) + f64::from(at_s / 10 % 3));
        let result = judged_fields(fields, rule).swap_remove(0);
        let (verdict, change) = (result.verdict, result.evidence.change_pct.unwrap());
        assert_eq!(verdict, want, "{late} {rule}: {} {:?}", result.reason, result.evidence);
        assert_eq!(change > 5.0, late > -100.0, "{late} {rule}: {change}");
    };
    for measure in ["avg(v)", "p50(v)", "max(v)", "min(v)"] {
        for offset in ["10", "10%"] {
            check(-50.0, &format!("{measure} < baseline + {offset}"), Fail);
            check(-100.0, &format!("{measure} < baseline + {offset}"), Pass);
            check(-100.0, &format!("{measure} > baseline - {offset}"), Pass);
            check(-150.0, &format!("{measure} < baseline + {offset}"), Pass);
            check(-150.0, &format!("{measure} > baseline - {offset}"), Fail);
        }
    }
}

#[test]
fn a_number_that_no_float_holds_is_missing() {
    let odd = |value: &'static str| {
        move |at_s: u32| match at_s {
            35_000 => format!("\"v\":{value}"),
            _ => "\"v\":1.5".to_owned(),
        }
    };
    for value in ["1e400", "-1e400", "\"inf\"", "\"infinity\"", "\"NaN\""] {
        for rule in ["avg(v) < 5", "sum(v) < 5000", "max(v) < 5", "avg(v) > 1", "min(v) > 1"] {
            let result = judged_fields(odd(value), rule).swap_remove(0);
            assert_eq!(result.verdict, Verdict::Pass, "{rule} {value}: {}", result.reason);
            assert_eq!(result.evidence.n[1], 719, "{rule} {value}");
        }
    }
}

#[test]
fn a_slower_deploy_is_dated() {
    let slow = Log { slow: 1.8, ..QUIET };
    let results = judged(slow, &["p95(duration) < baseline + 10%"], Compared::FourTimesBefore);
    let since = results[0].since.clone().unwrap();
    assert!(since.at.starts_with("2026-11-16T0"), "{since:?}");
    let at: jiff::Timestamp = since.at.parse().unwrap();
    let off_us = (at.as_microsecond() - START_US - 8 * HOUR_US).abs();
    assert!(off_us <= 15 * 60 * SECOND_US, "{since:?}");
}

#[test]
fn results_do_not_depend_on_the_other_rules_but_for_the_correction() {
    let slow = Log { slow: 1.6, ..QUIET };
    let rules = ["p95(duration) < baseline + 10%", "shift(duration) < 10%", "count() > 1"];
    let together = judged(slow, &rules, Compared::FourTimesBefore);
    for (place, rule) in rules.iter().enumerate() {
        let alone = judged(slow, &[rule], Compared::FourTimesBefore);
        assert_eq!(alone[0].verdict, together[place].verdict, "{rule}");
        assert_eq!(alone[0].evidence.actual, together[place].evidence.actual, "{rule}");
    }
}

fn event(kind: &str, from_us: i64, until_us: i64) -> EventMark {
    EventMark {
        kind: kind.to_owned(),
        name: "known".to_owned(),
        at_us: START_US + from_us,
        until_us: Some(START_US + until_us),
        origin: "file".to_owned(),
    }
}

fn kinds(exclude: &[&str], segment: &[&str], mute: &[&str]) -> EventKinds {
    let list = |kinds: &[&str]| kinds.iter().map(|kind| (*kind).to_owned()).collect();
    EventKinds { exclude: list(exclude), segment: list(segment), mute: list(mute) }
}

#[test]
fn what_fails_in_muted_time_alone_does_not_count() {
    let check = |(from_h, until_h): (i64, i64), rule: &str, counted: Verdict, is_muted: bool| {
        let marks = [event("maintenance", from_h * HOUR_US, until_h * HOUR_US)];
        let muting = kinds(&[], &[], &["maintenance"]);
        let slow = Log { slow: 3.0, traffic: 0.2, ..QUIET };
        let before = Compared::FourTimesBefore;
        let result = judged_with((&marks, &muting), slow, &[rule], before).swap_remove(0);
        let got = (result.counted().unwrap(), result.muted.is_some());
        assert_eq!(got, (counted, is_muted), "{rule} {from_h} {until_h}: {}", result.reason);
        assert!(result.muted.is_none_or(|muted| muted == "maintenance known"));
    };
    // It is slow and quiet from 8 h to 10 h, which is what is judged.
    let slower = "avg(duration) < baseline + 10%";
    check((8, 10), slower, Verdict::Pass, true);
    check((7, 12), slower, Verdict::Pass, true); // it goes on
    check((2, 8), slower, Verdict::Fail, false); // over, and still broken
    check((8, 9), slower, Verdict::Fail, false); // the other half is broken as well
    check((0, 8), slower, Verdict::Inconclusive, false); // muted time is compared with nothing
    // A limit for all of the window is not held against a part of it.
    check((8, 9), "count() > 600", Verdict::Pass, true);
    check((2, 8), "count() > 600", Verdict::Fail, false);
    check((8, 9), "count() > baseline - 50%", Verdict::Fail, false); // half the time, a fifth of it
    check((8, 10), "count() > 1 where event = \"none\"", Verdict::Pass, true);
    check((8, 10), "p95(duration) < 10s", Verdict::Pass, false); // nothing fails
    check((8, 10), "age() < 1h where event = \"none\"", Verdict::Inconclusive, false); // unknown
    check((8, 10), "p95(duration) < 200ms and count() > 600", Verdict::Pass, true);
    check((8, 9), "p95(duration) < 200ms and count() > 600", Verdict::Fail, false);
}

#[test]
fn time_that_is_muted_is_not_judged() {
    let marks = [event("maintenance", 8 * HOUR_US, 9 * HOUR_US)];
    let muting = kinds(&[], &[], &["maintenance"]);
    let rules = ["p95(duration) < 1s", "avg(duration) < baseline + 50%"];
    for rule in rules {
        let judge = |kinds| {
            judged_with((&marks, kinds), QUIET, &[rule], Compared::FourTimesBefore).swap_remove(0)
        };
        let [all, rest] =
            [judge(&EventKinds::default()), judge(&muting)].map(|it| it.evidence.n[1]);
        assert_eq!((all, rest), (720, 360), "{rule}");
    }
}

#[test]
fn exam_weeks_are_compared_with_exam_weeks() {
    let day_us = 24 * HOUR_US;
    let exams = |days: &[i64]| -> Vec<EventMark> {
        days.iter().map(|day| event("exam", day * day_us, (day + 1) * day_us)).collect()
    };
    let matching = kinds(&[], &["exam"], &[]);
    // Days from Monday; what is judged ends with the last.
    let check = |(days, len_us, compared): (i64, i64, Compared), exam_days: &[i64], want: &str| {
        let marks = exams(exam_days);
        let calendar = Calendar {
            span_us: (START_US, START_US + days * day_us),
            grain_us: 100_000,
            versions: Vec::new(),
            marks: &marks,
            kinds: &matching,
            zone: TimeZone::UTC,
            look_back_us: None,
        };
        let windows = calendar.windows(START_US + days * day_us, len_us, compared);
        let days: Vec<i64> = windows
            .baseline
            .iter()
            .map(|window| (window.start_us - START_US).div_euclid(day_us))
            .collect();
        let segment = windows.segment.unwrap_or_default();
        assert_eq!(format!("{segment} {days:?}: {}", windows.name), want, "{exam_days:?}");
    };
    let hour = HOUR_US;
    check(
        (12, hour, Compared::History),
        &[],
        " [0, 1, 2, 3, 4, 7, 8, 9, 10]: the 9 windows like it before",
    );
    check(
        (12, hour, Compared::History),
        &[2, 3],
        " [0, 1, 4, 7, 8, 9, 10]: the 7 windows like it before",
    );
    check(
        (12, hour, Compared::History),
        &[2, 3, 11],
        "exam [2, 3]: the 2 windows like it before, within `exam` as well",
    );
    check(
        (12, hour, Compared::History),
        &[3, 11],
        "exam []: too little of the windows like it before lies within `exam`",
    );
    // Farther back than ordinary windows are looked for.
    check(
        (89, hour, Compared::History),
        &[0, 1, 2, 88],
        "exam [0, 1, 2]: the 3 windows like it before, within `exam` as well",
    );
    check(
        (12, hour, Compared::LastWeek),
        &[11],
        "exam []: too little of the same time last week lies within `exam`",
    );
    check(
        (12, hour, Compared::LastWeek),
        &[4, 11],
        "exam [4]: the same time last week, within `exam` as well",
    );
    check((12, hour, Compared::LastWeek), &[4], " []: the same time last week");
    check(
        (12, day_us, Compared::FourTimesBefore),
        &[9, 11],
        "exam [9]: four times as long before, within `exam` as well",
    );
    // One that lies in an event for less than half is ordinary.
    check((12, 3 * day_us, Compared::FourTimesBefore), &[0, 11], " [1]: four times as long before");
}

#[test]
fn windows_are_compared_with_windows_like_them() {
    let day_us = 24 * HOUR_US;
    let marks = [EventMark {
        kind: "holiday".to_owned(),
        name: "feriado".to_owned(),
        at_us: START_US + 8 * day_us,
        until_us: Some(START_US + 9 * day_us),
        origin: "file".to_owned(),
    }];
    let (nothing, holidays) = (EventKinds::default(), kinds(&["holiday"], &[], &[]));
    let windows = |days: i64, len_us: i64, compared: Compared, kinds: &EventKinds| {
        let calendar = Calendar {
            span_us: (START_US, START_US + days * day_us),
            grain_us: 100_000,
            versions: vec![(START_US, "v1".to_owned()), (START_US + 3 * day_us, "v2".to_owned())],
            marks: &marks,
            kinds,
            zone: TimeZone::UTC,
            look_back_us: None,
        };
        calendar.windows(START_US + days * day_us, len_us, compared)
    };
    let total = |windows: &[Window]| {
        windows.iter().map(|window| window.end_us - window.start_us).sum::<i64>() / HOUR_US
    };
    // Days from Monday; the judged one is the last.
    for (days, len_us, compared, kinds, want, why) in [
        (5, HOUR_US, Compared::History, &nothing, 4, "the same hour of four working days"),
        (
            7,
            HOUR_US,
            Compared::History,
            &nothing,
            4,
            "of a weekend there is one hour: four hours before",
        ),
        (26, HOUR_US, Compared::History, &nothing, 3, "the same hour of three Fridays"),
        (12, day_us, Compared::History, &nothing, 9 * 24, "working days"),
        (12, day_us, Compared::History, &holidays, 8 * 24, "but the holiday"),
        (12, day_us, Compared::FourTimesBefore, &nothing, 4 * 24, "four days"),
        (12, day_us, Compared::FourTimesBefore, &holidays, 3 * 24, "one is a holiday"),
        (12, day_us, Compared::LastWeek, &nothing, 24, "one day"),
        (12, 12 * day_us, Compared::History, &nothing, 0, "there is nothing before"),
        (5, 2 * day_us, Compared::PreviousDeployment, &nothing, 3 * 24, "version v1"),
    ] {
        let windows = windows(days, len_us, compared, kinds);
        assert_eq!(total(&windows.baseline), want, "{why}: {}", windows.name);
    }
    assert_eq!(windows(12, day_us, Compared::History, &holidays).excluded, ["holiday feriado"]);
}

#[test]
fn the_newest_change_is_judged_and_not_the_clearest() {
    let check = |levels: [f64; 3], want: Verdict| {
        let fields = |at_s: u32| {
            let level = levels[(at_s / 12_001) as usize];
            format!("\"duration_ms\":{}", level * (0.9 + 0.2 * chance(at_s)))
        };
        let result = judged_fields(fields, "p50(duration) < before_change + 10%").swap_remove(0);
        assert_eq!(result.verdict, want, "{levels:?}: {} {:?}", result.reason, result.evidence);
        let before = result.evidence.baseline.unwrap();
        assert!((before / levels[1] - 1.0).abs() < 0.05, "{levels:?}: {before}");
    };
    check([200.0, 100.0, 130.0], Verdict::Fail); // worse again, though better than at first
    check([100.0, 200.0, 150.0], Verdict::Pass); // better again, though worse than at first
}

#[test]
fn a_percentile_that_may_be_zero_has_an_interval() {
    let check = |late: f64, rule: &str, want: Verdict, why: &str| {
        let fields = |at_s: u32| {
            let waiting = if at_s >= 28_800 { late } else { 0.08 };
            let waited = chance(at_s) < waiting;
            format!("\"wait\":{}", if waited { 10.0 + 90.0 * chance(at_s + 1) } else { 0.0 })
        };
        let result = judged_fields(fields, rule).swap_remove(0);
        assert_eq!(result.verdict, want, "{why}: {} {:?}", result.reason, result.evidence);
    };
    check(0.08, "p50(wait) < baseline + 10%", Verdict::Pass, "0 is no more than 0");
    check(0.08, "p92(wait) < baseline + 10%", Verdict::Pass, "now 0, now more, by chance");
    check(0.08, "p50(wait) < baseline + 5", Verdict::Pass, "an offset of its own");
    check(0.8, "p50(wait) < baseline + 10%", Verdict::Fail, "most wait");
    check(0.8, "p50(wait) < baseline + 5", Verdict::Fail, "for longer than that");
    check(0.8, "p50(wait) < baseline + 500", Verdict::Pass, "but not so much");
    check(0.08, "avg(wait) < baseline + 500", Verdict::Pass, "a mean too");
}

#[test]
fn usual_limits_of_many_groups_are_corrected_together() {
    // Forty windows, of which the last is judged; a value in each and for each of sixty shops.
    let text = |broken: &[u32]| {
        let mut text = String::new();
        for (window, shop) in
            (0..40_u32).flat_map(|window| (0..60_u32).map(move |shop| (window, shop)))
        {
            let much = if window == 39 && broken.contains(&shop) { 9.0 } else { 1.0 };
            let value = much * (1.0 + chance(window * 61 + shop));
            let ts = format_ts(START_US + i64::from(window) * HOUR_US + SECOND_US);
            let _ = writeln!(text, "{{\"time\":\"{ts}\",\"shop\":\"r{shop}\",\"v\":{value}}}");
        }
        text
    };
    let failed = |broken: &[u32], rule: &str| {
        let check = Check { min_samples: 1, ..check_of(rule) };
        let now = (START_US + 40 * HOUR_US, HOUR_US);
        let results = judged_at(&text(broken), vec![check], Compared::FourTimesBefore, now);
        let of = |verdict: Verdict| results.iter().filter(|it| it.verdict == verdict).count();
        (of(Verdict::Fail), of(Verdict::Warn))
    };
    // Of sixty by chance some are among the highest tenth.
    let (fails, warns) = failed(&[], "sum(v) < usual(conformal, 10%) per shop");
    assert_eq!(fails, 0);
    assert!(warns > 0);
    assert_eq!(failed(&[7], "sum(v) < usual(conformal, 10%) where shop = \"r7\"").0, 1);
    assert_eq!(failed(&[7], "sum(v) < usual(mad, 4) per shop").0, 1);
    assert_eq!(failed(&[], "sum(v) < usual(mad, 4) per shop").0, 0);
}

#[test]
fn like_windows_have_the_same_hours_when_clocks_change() {
    let zone = TimeZone::get("Europe/Madrid").unwrap();
    let at = |text: &str| {
        let shown: jiff::civil::DateTime = text.parse().unwrap();
        shown.to_zoned(zone.clone()).unwrap().timestamp().as_microsecond()
    };
    // Clocks are set back on 2026-10-25 and forward on 2027-03-28.
    let check = |(from, now): (&str, &str), hours: i64, want: usize| {
        let calendar = Calendar {
            span_us: (at(from), at(now)),
            grain_us: 100_000,
            look_back_us: None,
            versions: Vec::new(),
            marks: &[],
            kinds: &EventKinds::default(),
            zone: zone.clone(),
        };
        let windows = calendar.windows(at(now), hours * HOUR_US, Compared::History);
        assert_eq!(windows.baseline.len(), want, "{now} {hours} h: {}", windows.name);
        let hour = |us: i64| {
            let at = jiff::Timestamp::from_microsecond(us).unwrap();
            at.to_zoned(zone.clone()).hour()
        };
        for window in &windows.baseline {
            let got = (hour(window.start_us), hour(window.end_us));
            let current = windows.current;
            assert_eq!(got, (hour(current.start_us), hour(current.end_us)), "{now} {hours} h");
            let len_us = |window: Window| window.end_us - window.start_us;
            assert_eq!(len_us(*window), len_us(current), "{now} {hours} h");
        }
    };
    for hours in [1, 2, 4, 6, 8, 12] {
        check(("2026-10-05T00:00", "2026-10-26T18:00"), hours, 3);
        check(("2027-03-08T00:00", "2027-03-29T18:00"), hours, 3);
    }
    check(("2026-10-05T00:00", "2026-11-02T18:00"), 6, 4);
}

#[test]
fn the_window_of_a_baseline_was_no_limit() {
    let kinds = EventKinds::default();
    let day_us = 24 * HOUR_US;
    let check = |days_back: Option<i64>, compared: Compared, want: i64, why: &str| {
        let calendar = Calendar {
            span_us: (START_US, START_US + 26 * day_us),
            grain_us: 100_000,
            versions: vec![(START_US, "v1".to_owned()), (START_US + 25 * day_us, "v2".to_owned())],
            marks: &[],
            kinds: &kinds,
            zone: TimeZone::UTC,
            look_back_us: days_back.map(|days| days * day_us),
        };
        let windows = calendar.windows(START_US + 26 * day_us, HOUR_US, compared);
        let hours = windows.baseline.iter().map(|part| part.len_s() / 3_600.0).sum::<f64>();
        assert!((hours - want as f64).abs() < 0.01, "{why}: {hours}");
    };
    check(None, Compared::History, 3, "the same hour of three Fridays");
    check(Some(5), Compared::History, 4, "the same hour of four working days, none a Friday");
    check(None, Compared::PreviousDeployment, 25 * 24, "all of the version before");
    check(Some(2), Compared::PreviousDeployment, 2 * 24, "its newest two days");
}

#[test]
fn folded_rows_are_judged_like_single_ones() {
    let slow = Log { slow: 1.6, ..QUIET };
    let failing = Log { failures: 0.08, ..QUIET };
    for (log, rule, why) in [
        (QUIET, "p95(duration) < baseline + 10%", "nothing changed"),
        (slow, "p95(duration) < baseline + 10%", "60 % slower"),
        (failing, "share(status >= 500) < baseline + 0.5pt per route", "failures"),
        (QUIET, "count() > baseline - 20%", "as many"),
        (QUIET, "rate() < 1/h for 31m", "steps that are no whole slots"),
        (QUIET, "distinct(route) > 3", "few values"),
    ] {
        let verdicts = |max_exact: usize| {
            let moment = (Compared::FourTimesBefore, (START_US + 10 * HOUR_US, 2 * HOUR_US));
            let events = (&[][..], &EventKinds::default());
            let results = judged_by(max_exact, events, &log.text(), vec![check_of(rule)], moment);
            results
                .results
                .into_iter()
                .map(|result| (result.group, result.verdict))
                .collect::<Vec<_>>()
        };
        assert_eq!(verdicts(ALL_EXACT), verdicts(1_000), "{rule}: {why}");
    }
}
