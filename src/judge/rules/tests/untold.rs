//! What must not look like a pass: groups and moments of which nothing can be told, what is seen
//! for the first time; and what is no change at all.

use std::fmt::Write as _;

use super::*;

/// A request each minute of these hours, on a route that `route` names by hour and minute.
fn log(hours: i64, line: impl Fn(i64, i64) -> Option<(String, i64, f64)>) -> String {
    let mut text = String::new();
    for minute in 0..hours * 60 {
        let Some((route, status, ms)) = line(minute / 60, minute % 60) else { continue };
        let ts = format_ts(START_US + minute * 60 * SECOND_US);
        let level = if status >= 500 { "error" } else { "info" };
        let _ = writeln!(
            text,
            "{{\"time\":\"{ts}\",\"level\":\"{level}\",\"msg\":\"done {status}\",\"status\":{status},\
             \"route\":\"{route}\",\"duration_ms\":{ms}}}"
        );
    }
    text
}

/// The last hour of a log that ends after `hours`.
fn last_hour(text: &str, hours: i64, rule: &str, compared: Compared) -> Judgement {
    let moment = (compared, (START_US + hours * HOUR_US, HOUR_US));
    judged_by(ALL_EXACT, (&[], &EventKinds::default()), text, vec![check_of(rule)], moment)
}

fn verdict(judgement: &Judgement) -> Verdict {
    judgement.results.iter().map(|result| result.verdict).max().unwrap()
}

#[test]
fn the_first_error_ever_is_new() {
    let check = |first_hour: i64, rule: &str, want: Verdict, why: &str| {
        let text = log(5, |hour, minute| {
            let failed = hour >= first_hour && minute == 30;
            Some(("/a".to_owned(), if failed { 500 } else { 200 }, 50.0))
        });
        let judged = last_hour(&text, 5, rule, Compared::FourTimesBefore);
        assert_eq!(verdict(&judged), want, "{why}: {:?}", judged.results);
    };
    let errors = "new(template) <= 0 where severity >= \"error\"";
    check(4, errors, Verdict::Fail, "records came before, errors did not");
    check(4, "new(template) <= 0 where severity >= \"error\" per route", Verdict::Fail, "each");
    check(0, errors, Verdict::Pass, "the error is known");
    check(9, errors, Verdict::Pass, "no error at all");
    let one_hour = log(1, |_, _| Some(("/a".to_owned(), 500, 50.0)));
    let judged = last_hour(&one_hour, 1, errors, Compared::FourTimesBefore);
    assert_eq!(verdict(&judged), Verdict::Inconclusive, "there is nothing before");
}

#[test]
fn a_constant_lies_within_its_usual_range() {
    let text = log(30, |_, _| Some(("/a".to_owned(), 200, 49.9)));
    for rule in [
        "share(status >= 500) < usual(mad, 4)",
        "count() > usual(conformal, 25%)",
        "count() < usual(conformal, 25%)",
        "p95(duration) < usual(iqr, 3)",
        "p95(duration) < usual(delta_iqr, 3)",
        "avg(duration) < usual(t, 1%)",
        "p95(duration) < usual(lognormal, 1%)",
        "count() < baseline + 10% where status >= 500",
        "rate() < baseline + 10% where status >= 500",
        "sum(status) < baseline + 10% where route = \"/b\"",
    ] {
        let judged = last_hour(&text, 30, rule, Compared::FourTimesBefore);
        assert_eq!(verdict(&judged), Verdict::Pass, "{rule}: {:?}", judged.results);
    }
    let slower =
        log(30, |hour, _| Some(("/a".to_owned(), 200, if hour == 29 { 50.0 } else { 49.9 })));
    let judged = last_hour(&slower, 30, "p95(duration) < usual(iqr, 3)", Compared::History);
    assert_eq!(verdict(&judged), Verdict::Fail, "beyond it by more than rounding");
}

#[test]
fn a_busy_group_that_is_new_does_not_vanish() {
    // Of three routes one ends, and one begins, with the last hour.
    let text = log(10, |hour, minute| {
        let other = if hour == 9 { "/new" } else { "/gone" };
        let route = if minute % 2 == 0 { "/a" } else { other };
        Some((route.to_owned(), if route == "/new" { 500 } else { 200 }, 50.0))
    });
    let check = |rule: &str, want: Verdict, why: &str| {
        let judged = last_hour(&text, 10, rule, Compared::FourTimesBefore);
        assert_eq!(verdict(&judged), want, "{why}: {:?}", judged.results);
        judged
    };
    let changes = "share(status >= 500) < baseline + 0.5pt per route";
    let judged = check(changes, Verdict::Inconclusive, "there is nothing to compare it with");
    let new = judged.results.iter().find(|result| result.group["route"] == "/new").unwrap();
    assert!(new.reason.starts_with("new since the baseline: "), "{}", new.reason);
    let note = "r: not judged of each route: 1 of which there is nothing any more (/gone)";
    assert_eq!(judged.left_out, [note]);
    check("share(status >= 500) < 5% per route", Verdict::Fail, "a fixed limit needs no baseline");
}

#[test]
fn groups_that_are_not_judged_are_counted() {
    // A busy route, and 250 with a request now and then.
    let text = log(10, |hour, minute| {
        let at = hour * 60 + minute;
        let rare = at / 2 % 250;
        let rare = format!(
            "/r{}{}",
            char::from(b'a' + (rare / 26) as u8),
            (b'a' + (rare % 26) as u8) as char
        );
        Some((if minute % 2 == 0 { "/a".to_owned() } else { rare }, 200, 50.0))
    });
    let judged = last_hour(&text, 10, "p95(duration) < 1s per route", Compared::FourTimesBefore);
    assert_eq!(judged.results.len(), 1);
    let [note] = judged.left_out.as_slice() else { panic!("{:?}", judged.left_out) };
    assert!(
        note.starts_with("r: not judged of each route: 199 with too little data (/r"),
        "{note}"
    );
    assert!(note.ends_with("; 51 beyond the 200 with most records"), "{note}");
}

#[test]
fn a_filter_that_nothing_meets_is_no_missing_field() {
    let text = log(5, |_, _| Some(("/a".to_owned(), 200, 50.0)));
    for (rule, want, why) in [
        ("count() < 5 where status >= 500 per route", Verdict::Pass, "none is fewer"),
        ("count() > 5 where status >= 500 per route", Verdict::Fail, "and not more"),
        ("p95(duration) < 1s where status >= 500 per route", Verdict::Inconclusive, "no value"),
    ] {
        let judged = last_hour(&text, 5, rule, Compared::FourTimesBefore);
        assert_eq!(verdict(&judged), want, "{rule}: {why}: {:?}", judged.results);
        assert_ne!(judged.results[0].evidence.metric, "", "{rule}");
    }
}

#[test]
fn a_silent_moment_is_not_taken_for_a_healthy_one() {
    let check = |from: i64, silent: Option<i64>, hours: i64, want: Verdict, why: &str| {
        let text = log(hours, |hour, _| {
            let ms = if hour >= from { 900.0 } else { 50.0 };
            (Some(hour) != silent).then(|| ("/a".to_owned(), 200, ms))
        });
        let rule = "p50(duration) < 300ms for 8h";
        let judged = last_hour(&text, hours, rule, Compared::FourTimesBefore);
        assert_eq!(verdict(&judged), want, "{why}: {:?}", judged.results);
    };
    check(5, None, 20, Verdict::Fail, "broken for fifteen hours");
    check(5, Some(17), 20, Verdict::Fail, "one of the moments is silent");
    check(15, None, 20, Verdict::Pass, "not yet for so long");
    check(15, Some(17), 20, Verdict::Pass, "nor with a silent moment");
    check(0, None, 6, Verdict::Inconclusive, "the log is shorter");
}

#[test]
fn where_few_windows_are_alike_more_that_are_less_so_judge() {
    let text = log(24 * 24, |_, minute| Some(("/a".to_owned(), 200, 50.0 + minute as f64)));
    for (rule, want, by) in [
        ("p95(duration) < usual(conformal, 30%)", Verdict::Pass, None),
        ("p95(duration) < usual(mad, 4)", Verdict::Pass, Some("the same hour of like days")),
        ("p95(duration) < usual(conformal, 1%)", Verdict::Pass, Some("all windows before")),
        ("p95(duration) < usual", Verdict::Inconclusive, None),
    ] {
        let judged = last_hour(&text, 24 * 24, rule, Compared::History);
        assert_eq!(verdict(&judged), want, "{rule}: {:?}", judged.results);
        let reason = &judged.results[0].reason;
        match by {
            Some(by) => assert!(reason.contains(&format!("judged by {by}")), "{rule}: {reason}"),
            None => assert!(!reason.contains("judged by"), "{rule}: {reason}"),
        }
    }
}
