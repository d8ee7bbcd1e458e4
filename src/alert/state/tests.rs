//! Scripts of verdicts, and what is told of them.

use super::{
    AlertInput, Ending, MAX_ALERTS, MAX_GROUPS, Notification, Patience, Phase, SILENCE_US, State,
    fingerprint,
};
use crate::config::CheckSeverity;
use crate::model::Verdict;

const SECOND: i64 = 1_000_000;
const PATIENCE: Patience =
    Patience { group_wait_us: 30 * SECOND, repeat_us: 4 * 3_600 * SECOND, calm_us: 120 * SECOND };

fn input(group: &str, verdict: Verdict) -> AlertInput {
    AlertInput {
        rule: "p95".to_owned(),
        severity: CheckSeverity::Fail,
        group: vec![("route".to_owned(), group.to_owned())],
        verdict,
        summary: "p95 is 900 ms".to_owned(),
        runbook: None,
        since_us: None,
        pending_for_us: 0,
    }
}

fn told(notification: &Notification) -> String {
    let phase = |phase: Phase| {
        let of = notification.groups.iter().filter(|told| told.alert.phase == phase);
        of.map(|told| told.alert.group[0].1.as_str()).collect::<String>()
    };
    let parts = [("+", phase(Phase::Firing)), ("-", phase(Phase::Resolved))];
    let parts = parts.iter().filter(|(_, groups)| !groups.is_empty());
    let texts: Vec<String> = parts.map(|(sign, groups)| format!("{sign}{groups}")).collect();
    texts.concat()
}

/// Plays `0aF` (at 0 s group a fails), `60bP` (at 60 s b passes), `90aI` (can't tell), `99` (only
/// time goes by); wants `30+ab` (at 30 s it is told that a and b fire), `99-a` (that a is over).
fn check(hold_s: i64, script: &str, want: &str) {
    let mut state = State::new();
    let mut got = Vec::new();
    for step in script.split(' ') {
        let at = step.find(|c: char| !c.is_ascii_digit()).unwrap_or(step.len());
        let now_s: i64 = step[..at].parse().unwrap();
        let mut inputs = Vec::new();
        if let [group, verdict] = &step.as_bytes()[at..] {
            let verdict = match verdict {
                b'P' => Verdict::Pass,
                b'W' => Verdict::Warn,
                b'F' => Verdict::Fail,
                _ => Verdict::Inconclusive,
            };
            let pending_for_us = hold_s * SECOND;
            let group = char::from(*group).to_string();
            inputs.push(AlertInput { pending_for_us, ..input(&group, verdict) });
        }
        assert_eq!(state.see(&inputs, now_s * SECOND, &PATIENCE), 0);
        // What is kept in a file is all there is.
        state = serde_json::from_str(&serde_json::to_string(&state).unwrap()).unwrap();
        let due = state.due(now_s * SECOND, &PATIENCE);
        got.extend(due.iter().map(|it| format!("{now_s}{}", told(it))));
    }
    assert_eq!(got.join(" "), want, "for {hold_s}: {script}");
}

#[test]
fn what_is_broken_for_long_enough_is_told_once_and_its_end_as_well() {
    check(0, "0aP 60aP", ""); // nothing is wrong
    check(0, "0aI 60aI", ""); // can't tell is no alert
    check(0, "0aF 29 30 31 60aF", "30+a"); // gathered, then told once
    check(0, "0aW 30", "30+a"); // a warning is one as well
    check(300, "0aF 299aF 300aF 330", "330+a"); // exactly at `for`
    check(300, "0aF 299aF 330 360", ""); // time alone breaks nothing
    check(300, "0aF 200aP 300aF 599aF 620", ""); // passing begins anew
    check(300, "0aF 200aI 300aF 330", "330+a"); // can't tell does not
    check(0, "0aF 30 60aP 179aP 180aP 209 210", "30+a 210-a"); // exactly at calm
    check(0, "0aF 30 60aP 120aF 180aP 299aP 330 360", "30+a"); // flapping goes on firing
    check(0, "0aF 30 60aP 120aI 180aP 299aP 330 360", "30+a"); // can't tell is no pass
    check(0, "0aF 30 60aP 180aP 190aF 220 300", "30+a"); // broken again before its end was told
    check(0, "0aF 5aP 28aP 30 200aP 230", "30+a 230-a"); // what fires is told before its end
}

#[test]
fn groups_of_a_rule_are_told_together() {
    check(0, "0aF 20bF 30 40", "30+ab"); // within the wait
    check(0, "0aF 30 40bF 69 70", "30+a 70+ab"); // a later one with those that still fire
    check(0, "0aF 1bF 30 60aP 180aP 200bF 210", "30+ab 210+b-a");
}

#[test]
fn what_goes_on_is_told_again_and_silence_ends_it() {
    check(0, "0aF 30 14429aF 14430aF 14431", "30+a 14430+a"); // exactly at the repeat
    check(0, "0aF 30 14430 28830", "30+a 14430+a 28830+a"); // also when nothing is heard
    check(0, "0aF 30 14400bF 14430 28829 28830", "30+a 14430+ab 28830+ab"); // counted from the last
    check(0, "0aF 30 86399 86400 86430", "30+a 86399+a 86430-a"); // nothing was heard for a day
    check(300, "0aF 86400 90000aF 90299aF", ""); // what was pending is forgotten
}

#[test]
fn an_end_says_when_and_why() {
    for (verdict, later_us, want) in [
        (Verdict::Pass, 120 * SECOND, (40 * SECOND, Ending::Passed)),
        (Verdict::Inconclusive, SILENCE_US, (0, Ending::Silent)),
    ] {
        let mut state = State::new();
        state.see(&[input("a", Verdict::Fail)], 0, &PATIENCE);
        state.due(0, &PATIENCE);
        state.due(30 * SECOND, &PATIENCE);
        for now_us in [40 * SECOND, 40 * SECOND + later_us] {
            state.see(&[input("a", verdict)], now_us, &PATIENCE);
        }
        let ends: Vec<_> = state.alerts().map(|(rule, alert)| (rule, alert.end())).collect();
        assert_eq!(ends, [("p95", Some(want))]);
    }
}

#[test]
fn the_caller_may_know_since_when() {
    for (since_us, want_us) in
        [(Some(-600 * SECOND), -600 * SECOND), (Some(9 * SECOND), 0), (None, 0)]
    {
        let mut state = State::new();
        let input =
            AlertInput { since_us, pending_for_us: 600 * SECOND, ..input("a", Verdict::Fail) };
        state.see(&[input], 0, &PATIENCE);
        let (_, alert) = state.alerts().next().unwrap();
        assert_eq!(alert.since_us, want_us); // never in the future
        assert_eq!(alert.phase == Phase::Firing, want_us < 0);
    }
}

#[test]
fn numbers_go_up_and_clocks_may_go_back() {
    let mut state = State::new();
    let two =
        [input("a", Verdict::Fail), AlertInput { rule: "q".into(), ..input("a", Verdict::Warn) }];
    state.see(&two, i64::MAX, &PATIENCE);
    assert!(state.due(i64::MAX, &PATIENCE).is_empty());
    assert!(state.due(i64::MIN, &PATIENCE).is_empty()); // the wait begins anew, and ends
    let due = state.due(i64::MIN + 30 * SECOND, &PATIENCE);
    assert_eq!(due.iter().map(|it| it.number).collect::<Vec<_>>(), [0, 1]);
    assert_eq!(state.next_number, 2);
}

#[test]
fn many_alerts_are_counted_and_long_texts_are_cut() {
    let mut state = State::new();
    let inputs: Vec<AlertInput> = (0..MAX_ALERTS + 7)
        .map(|number| AlertInput {
            summary: "é".repeat(2_000),
            ..input(&format!("{}{number}", "x".repeat(250)), Verdict::Fail)
        })
        .collect();
    assert_eq!(state.see(&inputs, 0, &PATIENCE), 7);
    state.due(0, &PATIENCE);
    let due = state.due(30 * SECOND, &PATIENCE).remove(0);
    assert_eq!((due.groups.len(), due.hidden_count), (MAX_GROUPS, MAX_ALERTS - MAX_GROUPS));
    let groups: std::collections::HashSet<_> =
        due.groups.iter().map(|told| told.alert.group.clone()).collect();
    assert_eq!(groups.len(), MAX_GROUPS); // different beyond the cut, different still
    let first = &due.groups[0].alert;
    assert_eq!((first.summary.chars().count(), first.group[0].1.chars().count()), (1_001, 217));
}

#[test]
fn a_fingerprint_is_of_the_rule_and_all_of_the_group() {
    let pair = |field: &str, value: &str| (field.to_owned(), value.to_owned());
    let one = fingerprint("r", &[pair("a", "1"), pair("b", "2")]);
    assert_eq!(one, fingerprint("r", &[pair("b", "2"), pair("a", "1")])); // whatever the order
    assert_eq!(one.len(), 16);
    for other in [
        fingerprint("s", &[pair("a", "1"), pair("b", "2")]),
        fingerprint("r", &[pair("a", "1")]),
        fingerprint("r", &[pair("a", "1b"), pair("", "2")]), // the same letters in a row
        fingerprint("ra", &[pair("1", "b"), pair("2", "")]),
    ] {
        assert_ne!(one, other);
    }
}
