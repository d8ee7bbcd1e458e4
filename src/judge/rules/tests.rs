//! Rules judged on synthetic logs: each row says what the log is like and what must come out.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use jiff::tz::TimeZone;

use super::{Calendar, Check, Checks, Compared, Scene, of_text};
use crate::decode::Overrides;
use crate::model::{CheckResult, EventMark, Verdict, Window, format_ts};
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
            let (status, level) = if failed { (500, "error") } else { (200, "info") };
            let message = if failed { "boom" } else { "done" };
            let ts = format_ts(START_US + (at_s * 1e6) as i64);
            let _ = writeln!(
                text,
                "{{\"time\":\"{ts}\",\"level\":\"{level}\",\"msg\":\"{message}\",\"route\":\"{route}\",\
                 \"status\":{status},\"duration_ms\":{ms:.3},\"event\":\"order.made\"}}"
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

fn measured(text: &str, checks: &Checks) -> Measured {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a.jsonl");
    crate::durable::write_whole(&path, text.as_bytes()).unwrap();
    let found = Discovery { inputs: vec![Input::Named(path)], ..Discovery::default() };
    let opened = Opened::open(&found, &Overrides::default()).unwrap();
    let mut measures = Measures::new(checks.questions(), false);
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
    judged_over(log, rules, compared, &[])
}

fn judged_over(log: Log, rules: &[&str], compared: Compared, lens_us: &[i64]) -> Vec<CheckResult> {
    let check = |rule: &&str| of_text("r", rule, 30).unwrap_or_else(|wrong| panic!("{wrong:?}"));
    let checks = Checks::new(rules.iter().map(check).collect::<Vec<Check>>());
    let measured = measured(&log.text(), &checks);
    let missing = BTreeMap::new();
    let calendar = Calendar {
        span_us: measured.span_us().unwrap(),
        versions: Vec::new(),
        marks: &[],
        exclude: &[],
        zone: TimeZone::UTC,
    };
    let scene = Scene {
        calendar,
        now_us: START_US + 10 * HOUR_US,
        len_us: 2 * HOUR_US,
        lens_us,
        compared,
        saved: None,
        level: 0.02,
        missing: &missing,
    };
    checks.judge(&measured, &scene)
}

#[test]
fn what_is_broken_fails_and_what_is_not_does_not() {
    use Verdict::{Fail, Inconclusive, Pass};

    let slow = Log { slow: 1.6, ..QUIET };
    let failing = Log { failures: 0.08, ..QUIET };
    let quiet = Log { traffic: 0.2, ..QUIET };
    let thin = Log { every_s: 400.0, ..QUIET };
    let new = Log { new_error: true, ..QUIET };
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
        (QUIET, "max(duration) < baseline + 1000%", Pass, "maxima are compared as they are"),
    ] {
        let results = judged(log, &[rule], Compared::FourTimesBefore);
        let verdict = results.iter().map(|result| result.verdict).max().unwrap();
        assert_eq!(verdict, want, "{rule}: {why}: {:?}", results.first().map(|r| &r.reason));
    }
}

#[test]
fn of_several_lengths_those_that_can_tell_count_and_the_worst_decides() {
    use Verdict::{Fail, Inconclusive, Pass};

    let several = [HOUR_US / 4, HOUR_US, 2 * HOUR_US];
    let sparse = Log { every_s: 60.0, ..QUIET };
    let (slow, slow_sparse) = (Log { slow: 1.6, ..QUIET }, Log { slow: 1.6, ..sparse });
    let thin = Log { every_s: 400.0, slow: 1.6, ..QUIET };
    let shift = "shift(duration) < 10%";
    for (log, rule, want, minutes, why) in [
        (slow, shift, Fail, Some(60), "an hour and two see it: the shorter says what is so now"),
        (slow_sparse, shift, Fail, Some(60), "a quarter of an hour holds 15 values"),
        (QUIET, shift, Pass, None, "none sees anything: the longest rests on most"),
        (sparse, shift, Pass, None, "that the shortest can't tell is no matter"),
        (thin, shift, Inconclusive, None, "no length can tell: never a pass"),
        (slow, "p95(duration) < 100ms", Fail, None, "a fixed limit has no test to correct"),
        (slow, "p95(duration) < baseline + 10%", Fail, None, "nor has a percentile that of chance"),
    ] {
        let results = judged_over(log, &[rule], Compared::FourTimesBefore, &several);
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
    let results = judged_over(log, &[rule], Compared::FourTimesBefore, &[HOUR_US / 4, HOUR_US]);
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
    let exclude = ["holiday".to_owned()];
    let windows = |days: i64, len_us: i64, compared: Compared, exclude: &[String]| {
        let calendar = Calendar {
            span_us: (START_US, START_US + days * day_us),
            versions: vec![(START_US, "v1".to_owned()), (START_US + 3 * day_us, "v2".to_owned())],
            marks: &marks,
            exclude,
            zone: TimeZone::UTC,
        };
        calendar.windows(START_US + days * day_us, len_us, compared)
    };
    let total = |windows: &[Window]| {
        windows.iter().map(|window| window.end_us - window.start_us).sum::<i64>() / HOUR_US
    };
    // Days from Monday; the judged one is the last.
    for (days, len_us, compared, exclude, want, why) in [
        (5, HOUR_US, Compared::History, &[][..], 4, "the same hour of four working days"),
        (
            7,
            HOUR_US,
            Compared::History,
            &[],
            4,
            "of a weekend there is one hour: four hours before",
        ),
        (26, HOUR_US, Compared::History, &[], 3, "the same hour of three Fridays"),
        (12, day_us, Compared::History, &[], 9 * 24, "working days"),
        (12, day_us, Compared::History, &exclude[..], 8 * 24, "but the holiday"),
        (12, day_us, Compared::FourTimesBefore, &[], 4 * 24, "four days"),
        (12, day_us, Compared::FourTimesBefore, &exclude[..], 3 * 24, "one is a holiday"),
        (12, day_us, Compared::LastWeek, &[], 24, "one day"),
        (12, 12 * day_us, Compared::History, &[], 0, "there is nothing before"),
        (5, 2 * day_us, Compared::PreviousDeployment, &[], 3 * 24, "version v1"),
    ] {
        let windows = windows(days, len_us, compared, exclude);
        assert_eq!(total(&windows.baseline), want, "{why}: {}", windows.name);
    }
    assert_eq!(windows(12, day_us, Compared::History, &exclude).excluded, ["holiday feriado"]);
}
