//! Reports on small surveys that are made by hand.

use super::{HealthOptions, ViewSettings, health};
use crate::model::{FindingKind, Report, Severity, SlotWidth, Verdict, format_ts};
use crate::query::{Counted, Outcome, Request, Survey, Tally, TemplateSeen};

const MINUTE_US: i64 = 60_000_000;
/// 2026-11-02T00:00:00Z, a Monday.
const START_US: i64 = 1_793_577_600_000_000;
/// Minutes of the survey: two days, of which the last fifth is judged.
const MINUTES: i64 = 2 * 1_440;
/// Minute from which something is different.
const CHANGE: i64 = MINUTES * 9 / 10;

/// Ten requests a minute, the first of each on route `/a`, made by `of` from the minute and the
/// number within it.
fn survey(of: impl Fn(i64, i64) -> (Outcome, f64)) -> Survey {
    let mut survey = Survey::default();
    let routes = ["/a", "/b"].map(|name| survey.names.routes.id(name));
    for minute in 0..MINUTES {
        for number in 0..10 {
            let ts_us = START_US + minute * MINUTE_US + number * 5_000_000;
            let (outcome, duration_ms) = of(minute, number);
            let route = routes[usize::from(number > 0)];
            let version = Request::NO_VERSION;
            survey.requests.push(Request { ts_us, route, version, outcome, duration_ms });
            survey.tally.add(Counted::Records, ts_us, 1);
            survey.request_count += 1;
            survey.with_duration += u64::from(!duration_ms.is_nan());
        }
    }
    survey.span_us = survey.requests.span_us();
    survey
}

/// A template of error level that came `count` times, once a minute.
fn add_template(survey: &mut Survey, name: &str, first_minute: i64, count: u32) {
    let id = survey.templates.id(name);
    let first_us = START_US + first_minute * MINUTE_US;
    for minute in 0..i64::from(count) {
        survey.tally.add(Counted::Template(id), first_us + minute * MINUTE_US, 1);
    }
    let (severity, count) = (Severity::ERROR, u64::from(count));
    survey.template_seen.push(TemplateSeen { severity, first_us, count, example: (0, 0) });
}

fn judged(mut survey: Survey, view: ViewSettings) -> Report {
    let requests = std::mem::take(&mut survey.requests).finish();
    health(&survey, &requests, HealthOptions { view, ..HealthOptions::default() }).unwrap()
}

fn steady(_: i64, number: i64) -> (Outcome, f64) {
    (Outcome::Success, 100.0 + number as f64)
}

#[test]
fn the_name_of_a_route_stands_on_the_numbers_of_that_route() {
    let report = judged(
        survey(|minute, number| {
            let fails = minute >= CHANGE && number == 0 && minute % 2 == 0;
            (if fails { Outcome::ServerError } else { Outcome::Success }, f64::NAN)
        }),
        ViewSettings::default(),
    );
    let [finding] = report.findings.as_slice() else { panic!("{:#?}", report.findings) };
    assert_eq!(finding.group["route"], "/a");
    assert_eq!(finding.kind, FindingKind::ErrorRate);
    assert!((finding.change.after - 0.5).abs() < 0.05, "{:?}", finding.change);
    // One request a minute is on this route.
    assert_eq!(finding.change.n.iter().sum::<u64>(), MINUTES as u64);
    assert_eq!(finding.series.n.iter().sum::<u64>(), MINUTES as u64);
    let [lo, hi] = finding.change.interval.unwrap();
    assert!(lo > 30.0 && hi < 70.0, "percentage points of this route: {lo} to {hi}");
}

#[test]
fn what_got_better_is_not_to_be_rolled_back() {
    let check = |before_ms: f64, after_ms: f64, verdict: Verdict, has_options: bool| {
        let report = judged(
            survey(|minute, number| {
                let ms = if minute >= CHANGE { after_ms } else { before_ms };
                (Outcome::Success, ms + ((minute * 7 + number * 3) % 11) as f64)
            }),
            ViewSettings::default(),
        );
        let finding = report.findings.first().unwrap();
        assert_eq!((finding.kind, finding.verdict), (FindingKind::Latency, verdict));
        assert_eq!(!finding.options.is_empty(), has_options, "{:?}", finding.options);
    };
    check(200.0, 100.0, Verdict::Pass, false);
    check(100.0, 200.0, Verdict::Fail, true);
}

#[test]
fn a_now_in_the_past_knows_no_message_of_the_future() {
    let check = |now_minute: Option<i64>, found: &[(&str, u64)], listed: &[&str]| {
        let mut survey = survey(steady);
        add_template(&mut survey, "old", 0, MINUTES as u32);
        add_template(&mut survey, "in the window", CHANGE - 60, 100);
        add_template(&mut survey, "later", CHANGE + 1, 200);
        let now_us = now_minute.map(|minute| START_US + minute * MINUTE_US);
        let report = judged(survey, ViewSettings { now_us, ..ViewSettings::default() });
        let messages = report.findings.iter().filter(|f| f.kind == FindingKind::NewMessage);
        let mut got: Vec<(&str, u64)> =
            messages.map(|f| (f.group["message"].as_str(), f.change.n[1])).collect();
        got.sort_unstable();
        assert_eq!(got, found, "{now_minute:?}");
        let mut rows: Vec<&str> = report.templates.iter().map(|r| r.template.as_str()).collect();
        rows.sort_unstable();
        assert_eq!(rows, listed, "{now_minute:?}");
    };
    check(None, &[("in the window", 100), ("later", 200)], &["in the window", "later"]);
    // Its record of this instant and forty more, and all of the other message, are yet to come.
    check(Some(CHANGE - 1), &[("in the window", 59)], &["in the window"]);
}

#[test]
fn steady_traffic_neither_fell_nor_is_novel() {
    // The data end within a minute, with three of its ten requests.
    let mut part = survey(steady);
    let end_us = START_US + MINUTES * MINUTE_US;
    for number in 0..3 {
        let ts_us = end_us + number * 5_000_000;
        let (route, version) = (0, Request::NO_VERSION);
        let (outcome, duration_ms) = steady(0, 3);
        part.requests.push(Request { ts_us, route, version, outcome, duration_ms });
    }
    part.span_us = part.requests.span_us();
    let report = judged(part, ViewSettings::default());
    assert_eq!(report.look_here, []);
    let requests = &report.tiles[0];
    // What it is compared with is four times as long.
    let change = requests.value.unwrap() / requests.before.unwrap();
    assert!((change - 1.0).abs() < 0.01, "{requests:?}");
}

#[test]
fn messages_that_shrank_are_not_listed_as_grown() {
    let mut survey = survey(steady);
    add_template(&mut survey, "shrank", 0, 600);
    add_template(&mut survey, "grew", CHANGE - 100, 200);
    add_template(&mut survey, "steady", 0, MINUTES as u32 - 1);
    let report = judged(survey, ViewSettings::default());
    let rows: Vec<&str> = report.templates.iter().map(|row| row.template.as_str()).collect();
    assert_eq!(rows, ["grew"]);
}

#[test]
fn windows_of_a_second_are_widened_and_it_is_said() {
    let check = |asked_s: u32, width_s: u32, noted: bool| {
        let width = SlotWidth::from_seconds(asked_s);
        let report = judged(survey(steady), ViewSettings { width, ..ViewSettings::default() });
        assert_eq!(report.method.window_s, width_s);
        let note = report.quality.notes.iter().find(|note| note.text.contains("were asked for"));
        assert_eq!(note.is_some(), noted, "{note:?}");
    };
    check(1, 60, true); // two days have 172,800 seconds
    check(60, 60, false);
    check(700, 700, false);
}

#[test]
fn counts_by_the_hour_are_noted_and_make_no_gaps() {
    let check = |max_cells: usize, notes: &[&str]| {
        let mut survey = survey(steady);
        let minutes = std::mem::replace(&mut survey.tally, Tally::with_limit(max_cells));
        // Nothing in the hours 10 to 19 of the first day.
        let known = minutes.of(Counted::Records).collect::<Vec<_>>();
        let told =
            known.iter().filter(|(at, _)| !(600..1_200).contains(&((at - START_US) / MINUTE_US)));
        told.for_each(|(at_us, count)| survey.tally.add(Counted::Records, *at_us, *count));
        let report = judged(survey, ViewSettings::default());
        let found = report.quality.notes.iter().filter(|n| ["limit", "gap"].contains(&&*n.kind));
        assert_eq!(found.map(|n| n.text.as_str()).collect::<Vec<_>>(), notes);
    };
    let gap = "No record between 2026-11-02T10:00:00Z and 2026-11-02T20:00:00Z.";
    let by_the_hour = "There are so many kinds of events and messages that they were counted by \
                       3600 s instead of by the minute.";
    check(10_000, &[gap]);
    check(100, &[by_the_hour, gap]);
}

#[test]
fn a_drop_after_hours_that_tell_little_is_dated_to_them() {
    // Two weeks of four windows a day; `from` are those from Tuesday's midnight on.
    let check = |from: &[u32], first: i64| {
        let day = |day: usize| if day % 7 < 5 { [2, 7, 20, 14] } else { [2, 2, 4, 5] };
        let mut counts: Vec<u32> = (0..14).flat_map(day).collect();
        counts[32..32 + from.len()].copy_from_slice(from);
        let mut survey = Survey::default();
        let id = survey.events.id("report.submitted");
        for (window, count) in (0_i64..).zip(&counts) {
            let at_us = START_US + window * 360 * MINUTE_US;
            survey.tally.add(Counted::Event(id), at_us, *count);
            survey.tally.add(Counted::Records, at_us, 100);
        }
        survey.span_us = Some((START_US, START_US + 14 * 1_440 * MINUTE_US - 1));
        let report = judged(survey, ViewSettings::default());
        let drop = report.findings.iter().find(|f| f.kind == FindingKind::EventDrop).unwrap();
        let at = format_ts(START_US + first * 360 * MINUTE_US);
        assert_eq!(drop.since.as_ref().unwrap().at, at, "{from:?}");
    };
    check(&[0, 1, 3, 2, 0, 1, 4, 2, 0, 1, 3, 2], 32); // plain from midnight on
    check(&[2, 4, 0, 4, 1, 4, 5, 4, 1, 2, 4, 2], 33); // four of seven in the morning tell nothing
    check(&[0, 4, 0, 4, 1, 4, 5, 4, 1, 2, 4, 2], 32); // nor does a night with none of two
    check(&[2, 7, 0, 4, 1, 4, 5, 4, 1, 2, 4, 2], 34); // all seven do
}
