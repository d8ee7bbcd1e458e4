use std::path::Path;
use std::time::Duration;

use super::super::deliver::{Answer, Deliver, Message};
use super::{GIVE_UP_US, MAX_DEAD, MAX_WAITING, Outbox, Sent, Waiting};
use crate::config::{Config, Receiver, ReceiverKind, Request, check_bytes};
use crate::durable::write_whole;

const SECOND: i64 = 1_000_000;

/// Answers by rule; keeps the keys of what it was sent.
#[derive(Default)]
struct Scripted {
    answers: Vec<(&'static str, Answer)>,
    keys: Vec<String>,
}

impl Deliver for Scripted {
    fn deliver(&mut self, _: ReceiverKind, _: &str, message: Message<'_>) -> Answer {
        self.keys.push(message.key.to_owned());
        let answer = self.answers.iter().find(|(rule, _)| message.key.starts_with(rule));
        answer.map_or(Answer::Accepted, |(_, answer)| answer.clone())
    }
}

fn later(after: Option<Duration>) -> Answer {
    Answer::Later("it answers 503".to_owned(), after)
}

pub(in crate::alert) fn config(names: &[&str]) -> Config {
    let receiver = |name: &&str| {
        format!("[[receiver]]\nname = '{name}'\nkind = 'webhook'\nurl = 'http://x/hunter2'\n")
    };
    let text: String = names.iter().map(receiver).collect();
    let file = Some((Path::new("/p/plimsoll.toml"), text.as_bytes()));
    check_bytes(file, &Request::default()).unwrap().config
}

fn receivers() -> Vec<Receiver> {
    config(&["ops", "dev-r-x"]).receivers
}

fn message(number: u64, rule: &str, receiver: &str) -> Waiting {
    Waiting {
        number,
        is_firing: number.is_multiple_of(2),
        receiver: receiver.to_owned(),
        rule: rule.to_owned(),
        key: format!("{rule}{number}-{receiver}"),
        body: "{}".to_owned(),
        made_us: 0,
        attempt_count: 0,
        next_us: 0,
    }
}

struct Box {
    outbox: Outbox,
    root: tempfile::TempDir,
}

impl Box {
    fn with(messages: &[Waiting]) -> Self {
        let root = tempfile::tempdir().unwrap();
        let outbox = Outbox::open(root.path().join("outbox"), 0).unwrap();
        outbox.add(messages).unwrap();
        Self { outbox, root }
    }

    fn send(&self, now_us: i64, scripted: &mut Scripted) -> Sent {
        self.outbox.send_due(now_us, &receivers(), scripted).unwrap()
    }

    fn dead_count(&self) -> usize {
        std::fs::read_dir(self.root.path().join("outbox/dead")).unwrap().count()
    }
}

#[test]
fn a_failed_message_waits_twice_as_long_each_time_and_dies_after_a_day() {
    let it = Box::with(&[message(0, "a", "ops")]);
    let mut down = Scripted { answers: vec![("a", later(None))], ..Scripted::default() };
    let mut waits_s = Vec::new();
    let (mut now_us, mut last_us) = (0, 0);
    while it.dead_count() == 0 {
        let sent = it.send(now_us, &mut down);
        if sent != Sent::default() {
            waits_s.push((now_us - last_us) / SECOND);
            last_us = now_us;
            assert_eq!(sent.failed + sent.dead, 1);
            assert!(
                sent.notes[0].starts_with("receiver `ops` was not told of rule `a`: it answers")
            );
        }
        // Later ones need not be told to the second.
        now_us += if waits_s.len() < 11 { SECOND } else { 50 * SECOND };
    }
    assert_eq!(waits_s[..11], [0, 1, 2, 4, 8, 16, 32, 64, 128, 256, 300]);
    assert!((GIVE_UP_US..GIVE_UP_US + 350 * SECOND).contains(&last_us), "{last_us}");
    assert_eq!(super::waiting_in(&it.outbox.directory).unwrap(), 0);
    assert!(down.keys.iter().all(|key| key == "a0-ops")); // one key for all attempts
}

#[test]
fn a_receiver_may_ask_for_time() {
    for (asked_s, want_s) in [(0, 1), (90, 90), (10_000_000, 86_400)] {
        let it = Box::with(&[message(0, "a", "ops")]);
        let answer = later(Some(Duration::from_secs(asked_s)));
        it.send(0, &mut Scripted { answers: vec![("a", answer)], ..Scripted::default() });
        assert_eq!(it.send(want_s * SECOND - 1, &mut Scripted::default()).delivered, 0);
        assert_eq!(it.send(want_s * SECOND, &mut Scripted::default()).delivered, 1, "{asked_s}");
    }
}

#[test]
fn what_is_refused_lies_dead_and_the_rest_goes_on() {
    let it = Box::with(&[message(0, "a", "ops"), message(1, "a", "ops"), message(2, "b", "gone")]);
    write_whole(&it.root.path().join("outbox/000000000003-f-ops.json"), b"{").unwrap();
    write_whole(&it.root.path().join("outbox/notes.txt"), b"mine").unwrap(); // not ours
    let refusing = ("a0", Answer::Refused("it answers 404".to_owned()));
    let sent = it.send(0, &mut Scripted { answers: vec![refusing], ..Scripted::default() });
    assert_eq!((sent.delivered, sent.failed, sent.dead), (1, 0, 3));
    insta::assert_snapshot!(sent.notes.join("\n"), @r"
    receiver `ops` was not told of rule `a`: it answers 404
    receiver `gone` was not told of rule `b`: it is no longer configured
    the message `000000000003-f-ops.json` cannot be read
    ");
    assert_eq!((super::waiting_in(&it.outbox.directory).unwrap(), it.dead_count()), (0, 3));
}

#[test]
fn of_a_rule_nothing_overtakes_and_a_silent_receiver_is_asked_once() {
    let all = ["ops", "dev-r-x"];
    let each = |number, rule| all.map(|receiver| message(number, rule, receiver));
    let it = Box::with(&[each(0, "a"), each(1, "a"), each(2, "b")].concat());
    let mut busy = Scripted { answers: vec![("a", later(None))], ..Scripted::default() };
    assert_eq!(it.send(0, &mut busy).delivered, 2);
    assert_eq!(busy.keys, ["a0-dev-r-x", "a0-ops", "b2-dev-r-x", "b2-ops"]);
    let mut well = Scripted::default();
    it.send(0, &mut well); // too early for both
    assert!(well.keys.is_empty());
    it.send(SECOND, &mut well);
    assert_eq!(well.keys, ["a0-dev-r-x", "a0-ops", "a1-dev-r-x", "a1-ops"]);

    let it =
        Box::with(&[message(0, "a", "ops"), message(1, "b", "ops"), message(2, "c", "dev-r-x")]);
    let silent = Answer::Unreachable("it does not answer in time".to_owned());
    let mut down = Scripted { answers: vec![("a", silent)], ..Scripted::default() };
    assert_eq!(it.send(0, &mut down).delivered, 1);
    assert_eq!(down.keys, ["a0-ops", "c2-dev-r-x"]);
}

#[test]
fn a_full_outbox_lets_the_oldest_go_and_ends_last() {
    let messages: Vec<Waiting> =
        (0..MAX_WAITING as u64).map(|number| message(number, "a", "dev-r-x")).collect();
    let it = Box::with(&messages);
    assert_eq!(
        it.outbox.add(&[message(5_000, "a", "ops"), message(5_002, "a", "ops")]).unwrap(),
        2
    );
    let mut well = Scripted::default();
    assert_eq!(it.send(0, &mut well).delivered, MAX_WAITING);
    assert_eq!(well.keys[..3], ["a1-dev-r-x", "a3-dev-r-x", "a4-dev-r-x"]); // 0 and 2 were firing
    let refused = Answer::Refused("no".to_owned());
    let it = Box::with(&messages[..MAX_DEAD + 5]);
    it.send(0, &mut Scripted { answers: vec![("a", refused)], ..Scripted::default() });
    assert_eq!(it.dead_count(), MAX_DEAD);
}

#[test]
fn what_no_state_knows_of_is_forgotten() {
    let it = Box::with(&[message(6, "a", "ops"), message(7, "a", "ops"), message(8, "a", "ops")]);
    let reopened = Outbox::open(it.root.path().join("outbox"), 7).unwrap();
    assert_eq!(super::waiting_in(&reopened.directory).unwrap(), 1);
}
