//! Over files: nothing is lost, nothing comes twice, and order holds, whatever happens between.

use std::collections::{BTreeMap, HashSet};
use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde_json::Value;

use super::deliver::{Answer, Deliver, Message};
use super::outbox::tests::config;
use super::{AlertInput, Alerts, Phase};
use crate::config::{CheckSeverity, ReceiverKind};
use crate::durable::write_whole;
use crate::model::Verdict;

const SECOND: i64 = 1_000_000;

fn input(alert: usize, verdict: Verdict) -> AlertInput {
    let (rule, group) = [("a", "1"), ("a", "2"), ("b", "1")][alert];
    AlertInput {
        rule: rule.to_owned(),
        severity: CheckSeverity::Fail,
        group: vec![("g".to_owned(), group.to_owned())],
        verdict,
        summary: "text".to_owned(),
        runbook: None,
        since_us: None,
        pending_for_us: 0,
    }
}

/// Says the same to all until it is told otherwise; keeps what it has taken.
struct Receiver {
    answer: Answer,
    taken: Vec<(String, Value)>,
}

impl Deliver for Receiver {
    fn deliver(&mut self, _: ReceiverKind, _: &str, message: Message<'_>) -> Answer {
        if self.answer == Answer::Accepted {
            self.taken.push((message.key.to_owned(), serde_json::from_str(message.body).unwrap()));
        }
        self.answer.clone()
    }
}

#[derive(Clone, Debug)]
enum Step {
    /// Rules say something.
    See(Vec<Verdict>),
    /// Rules say something, and the state that knows of it never reaches the disk.
    SeeAndCrash(Vec<Verdict>),
    Send(Answer),
    /// Messages are taken, and their files are still there afterwards.
    SendAndCrash,
    Restart,
}

fn any_step() -> impl Strategy<Value = Step> {
    let verdict = prop::sample::select(vec![
        Verdict::Pass,
        Verdict::Pass,
        Verdict::Fail,
        Verdict::Warn,
        Verdict::Inconclusive,
    ]);
    let verdicts = || prop::collection::vec(verdict.clone(), 3);
    let answer = prop::sample::select(vec![
        Answer::Accepted,
        Answer::Later("busy".to_owned(), None),
        Answer::Unreachable("silent".to_owned()),
    ]);
    prop_oneof![
        4 => verdicts().prop_map(Step::See),
        1 => verdicts().prop_map(Step::SeeAndCrash),
        3 => answer.prop_map(Step::Send),
        1 => Just(Step::SendAndCrash),
        1 => Just(Step::Restart),
    ]
}

/// The contents of the files of a directory.
fn files(directory: &Path) -> BTreeMap<std::path::PathBuf, Vec<u8>> {
    let entries = fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.is_file());
    files.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

/// Removes the state, or puts it back as it was.
fn restore(path: &Path, old: Option<Vec<u8>>) {
    match old {
        Some(bytes) => write_whole(path, &bytes).unwrap(),
        None => drop(fs::remove_file(path)),
    }
}

fn see(alerts: &mut Alerts, verdicts: &[Verdict], now_us: i64) -> usize {
    let inputs: Vec<AlertInput> =
        verdicts.iter().enumerate().map(|(alert, verdict)| input(alert, *verdict)).collect();
    alerts.see(&inputs, now_us).unwrap().queued
}

/// Plays the steps; returns what was taken, and how many messages there were.
fn play(steps: &[(Step, i64)]) -> (Vec<(String, Value)>, usize) {
    let root = tempfile::tempdir().unwrap();
    let config = config(&["ops"]);
    let open = || Alerts::open(root.path(), &config).unwrap();
    let (state, outbox) = (root.path().join("state.json"), root.path().join("outbox"));
    let mut receiver = Receiver { answer: Answer::Accepted, taken: Vec::new() };
    let mut alerts = Some(open());
    let mut now_us = 0;
    for (step, wait_s) in steps {
        now_us += wait_s * SECOND;
        let mut it = alerts.take().unwrap();
        match step {
            Step::See(verdicts) => drop(see(&mut it, verdicts, now_us)),
            Step::SeeAndCrash(verdicts) => {
                let old = fs::read(&state).ok();
                see(&mut it, verdicts, now_us);
                drop(it);
                restore(&state, old);
                it = open();
            }
            Step::Send(answer) => {
                receiver.answer = answer.clone();
                it.send_by(&mut receiver, now_us).unwrap();
            }
            Step::SendAndCrash => {
                receiver.answer = Answer::Accepted;
                it.see(&[], now_us).unwrap(); // what is queued now is not part of the crash
                let old = files(&outbox);
                it.send_by(&mut receiver, now_us).unwrap();
                drop(it);
                for (path, bytes) in old {
                    write_whole(&path, &bytes).unwrap();
                }
                it = open();
            }
            Step::Restart => {
                drop(it);
                it = open();
            }
        }
        alerts = Some(it);
    }
    let mut it = alerts.unwrap();
    receiver.answer = Answer::Accepted;
    for _ in 0..100 {
        now_us += 301 * SECOND;
        it.send_by(&mut receiver, now_us).unwrap();
    }
    assert_eq!(super::outbox::waiting_in(&outbox).unwrap(), 0);
    assert_eq!(fs::read_dir(outbox.join("dead")).unwrap().count(), 0);
    let next = it.state.next_number as usize;
    (receiver.taken, next)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]
    #[test]
    fn nothing_is_lost_or_doubled_and_order_holds(
        steps in prop::collection::vec((any_step(), 0..200_i64), 0..40),
    ) {
        let has_crash = steps.iter().any(|(step, _)| matches!(step, Step::SendAndCrash));
        let (mut taken, message_count) = play(&steps);
        let mut keys = HashSet::new();
        let taken_count = taken.len();
        taken.retain(|(key, _)| keys.insert(key.clone())); // as a receiver that knows keys does
        prop_assert!(has_crash || taken.len() == taken_count, "doubled without a crash");
        prop_assert_eq!(keys.len(), message_count, "lost");
        let mut firing: BTreeMap<String, bool> = BTreeMap::new();
        for (_, body) in &taken {
            for alert in body["alerts"].as_array().unwrap() {
                let was_firing =
                    firing.entry(alert["fingerprint"].to_string()).or_default();
                let is_firing = alert["status"] == "firing";
                prop_assert!(is_firing || *was_firing, "an end without a beginning: {}", body);
                *was_firing = is_firing;
            }
        }
    }
}

#[test]
fn the_way_of_an_alert_from_verdict_to_end() {
    let root = tempfile::tempdir().unwrap();
    let mut alerts = Alerts::open(root.path(), &config(&["ops", "dev"])).unwrap();
    let mut receiver = Receiver { answer: Answer::Accepted, taken: Vec::new() };
    assert_eq!(see(&mut alerts, &[Verdict::Fail], 0), 0); // gathering
    assert_eq!(alerts.alerts().map(|(_, alert)| alert.phase).collect::<Vec<_>>(), [Phase::Firing]);
    let sent = alerts.send_by(&mut receiver, 30 * SECOND).unwrap();
    assert_eq!(
        (sent.delivered, super::standing(root.path()).unwrap().unwrap().waiting_count),
        (2, 0)
    );
    for now_s in [60, 120, 180] {
        see(&mut alerts, &[Verdict::Pass], now_s * SECOND);
    }
    assert_eq!(alerts.send_by(&mut receiver, 210 * SECOND).unwrap().delivered, 2);
    assert_eq!(alerts.alerts().count(), 0);
    let told: Vec<&Value> = receiver.taken.iter().map(|(_, body)| &body["status"]).collect();
    assert_eq!(told, ["firing", "firing", "resolved", "resolved"]);
    // Everything is over: the file says no more than how many there were.
    let state = fs::read_to_string(root.path().join("state.json")).unwrap();
    assert_eq!(state, r#"{"version":1,"next_number":2,"rules":{}}"#);
}

#[test]
fn severities_choose_receivers() {
    let mut config = config(&["ops", "dev"]);
    config.receivers[1].severities = vec![CheckSeverity::Warn];
    let root = tempfile::tempdir().unwrap();
    let mut alerts = Alerts::open(root.path(), &config).unwrap();
    see(&mut alerts, &[Verdict::Fail], 0);
    assert_eq!(alerts.see(&[], 30 * SECOND).unwrap().queued, 1);
}

#[test]
fn what_cannot_be_used_is_refused_with_the_way_out() {
    let root = tempfile::tempdir().unwrap();
    let open = |config: &_| Alerts::open(root.path(), config).map(drop).unwrap_err().to_string();
    let state = root.path().join("state.json");
    let mut told = Vec::new();
    for text in [r#"{"version":2}"#, "{", r#"{"version":1,"next_number":0,"rules":{},"x":1}"#] {
        write_whole(&state, text.as_bytes()).unwrap();
        told.push(open(&config(&["ops"])));
    }
    fs::remove_file(&state).unwrap();
    let held = Alerts::open(root.path(), &config(&["ops"])).unwrap();
    told.push(open(&config(&["ops"])));
    drop(held);
    let mut unset = config(&["ops"]);
    unset.receivers[0].url = crate::config::ReceiverUrl::Unset("HOOK".to_owned());
    told.push(open(&unset));
    let told = told.join("\n").replace(&root.path().display().to_string(), "DIR");
    insta::assert_snapshot!(told, @r"
    `DIR/state.json` has version 2, must have 1: moved away, what fires is told again
    `DIR/state.json` is damaged: moved away, what fires is told again
    `DIR/state.json` is damaged: moved away, what fires is told again
    `DIR` is in use by another process, only one can send alerts
    receiver `ops` has no address: the variable `HOOK` is not set
    ");
}

#[test]
fn what_cannot_be_written_is_as_if_it_had_not_been_said() {
    let root = tempfile::tempdir().unwrap();
    let mut alerts = Alerts::open(root.path(), &config(&["ops"])).unwrap();
    see(&mut alerts, &[Verdict::Fail], 0);
    // A directory in the way of the state: messages are written, the state is not.
    let state = root.path().join("state.json");
    fs::remove_file(&state).unwrap();
    fs::create_dir_all(state.join("x")).unwrap();
    assert!(alerts.see(&[], 30 * SECOND).is_err());
    assert!(alerts.see(&[], 31 * SECOND).is_err());
    fs::remove_dir_all(&state).unwrap();
    let mut receiver = Receiver { answer: Answer::Accepted, taken: Vec::new() };
    assert_eq!(alerts.send_by(&mut receiver, 40 * SECOND).unwrap().delivered, 1);
    assert_eq!(receiver.taken.len(), 1);
    assert!(alerts.state.next_number == 1);
}
