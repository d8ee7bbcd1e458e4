//! Messages that wait to be sent: a directory with a file for each, so that none is lost.
//!
//! A message is on the disk before it is sent, and goes when the receiver has taken it: it is sent
//! at least once, and twice after a crash in between, then with the same key. Of one rule a
//! receiver gets messages in their order. A failed attempt is repeated after 1 s, 2 s, 4 s … up to
//! 5 min, or as late as the receiver asks; after a day, or when it is refused, a message is put
//! into `dead`, where somebody can look at it.
//!
//! ```text
//! outbox/000000000007-f-ops.json      number, f(iring) or r(esolved), receiver
//! outbox/dead/…                       those that nobody took
//! ```

use std::collections::HashSet;
use std::fs;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::deliver::{Answer, Deliver, Message};
use crate::config::{Receiver, ReceiverUrl};
use crate::durable::{WriteError, write_whole};

/// Most messages that wait; beyond it the oldest go, those of ends last.
pub(super) const MAX_WAITING: usize = 1_000;
/// Most messages that are kept for somebody to look at.
pub(super) const MAX_DEAD: usize = 100;
/// A message that nobody took for this long is dead: a day.
pub(super) const GIVE_UP_US: i64 = 86_400_000_000;
const FIRST_WAIT_US: i64 = 1_000_000;
const LONGEST_WAIT_US: i64 = 300_000_000;
const DEAD: &str = "dead";
/// What the name of a message says of it.
const FIRING: &str = "f";
const RESOLVED: &str = "r";

/// A message as it waits.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Waiting {
    /// Number of the notification.
    pub number: u64,
    /// Whether something still fires.
    pub is_firing: bool,
    /// Name of the receiver.
    pub receiver: String,
    /// The rule, whose messages keep their order.
    pub rule: String,
    /// The same at every attempt.
    pub key: String,
    /// JSON.
    pub body: String,
    /// When it was made.
    pub made_us: i64,
    /// Attempts that failed.
    pub attempt_count: u32,
    /// When it is sent next.
    pub next_us: i64,
}

/// How sending went.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Sent {
    /// Messages that a receiver has taken.
    pub delivered: usize,
    /// Messages that are tried again.
    pub failed: usize,
    /// Messages that were given up and lie in `dead`.
    pub dead: usize,
    /// What went wrong, with the names of receivers and no addresses.
    pub notes: Vec<String>,
}

/// The outbox cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum OutboxError {
    /// A directory or file cannot be read, moved or removed.
    #[error("cannot use `{}`", path.display())]
    Use {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A message cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
}

/// The directory of messages; one process at a time.
#[derive(Debug)]
pub(super) struct Outbox {
    directory: PathBuf,
}

impl Outbox {
    /// Makes the directories. Messages from `next_number` on are of a step that was not finished:
    /// the state does not know of them and makes them again.
    pub(super) fn open(directory: PathBuf, next_number: u64) -> Result<Self, OutboxError> {
        let dead = directory.join(DEAD);
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(&dead);
        made.map_err(|source| OutboxError::Use { path: dead, source })?;
        let outbox = Self { directory };
        outbox.forget_from(next_number)?;
        Ok(outbox)
    }

    /// Removes the messages of this number and higher ones.
    pub(super) fn forget_from(&self, next_number: u64) -> Result<(), OutboxError> {
        for name in self.messages()? {
            if number_of(&name).is_some_and(|number| number >= next_number) {
                remove(&self.directory.join(name))?;
            }
        }
        Ok(())
    }

    /// Writes messages to the disk; returns how many old ones had to go for them.
    pub(super) fn add(&self, messages: &[Waiting]) -> Result<usize, OutboxError> {
        for message in messages {
            write(&self.path(message), message)?;
        }
        let names = self.messages()?;
        let excess = names.len().saturating_sub(MAX_WAITING);
        let (resolved, firing): (Vec<_>, Vec<_>) =
            names.into_iter().partition(|name| name.split('-').nth(1) == Some(RESOLVED));
        for name in firing.iter().chain(&resolved).take(excess) {
            remove(&self.directory.join(name))?;
        }
        Ok(excess)
    }

    /// Sends what is due, oldest first.
    pub(super) fn send_due(
        &self,
        now_us: i64,
        receivers: &[Receiver],
        deliver: &mut dyn Deliver,
    ) -> Result<Sent, OutboxError> {
        let mut sent = Sent::default();
        // Of these nothing more is sent now: receivers that do not answer, and rules of receivers
        // whose older message still waits.
        let (mut silent, mut behind) = (HashSet::new(), HashSet::new());
        for name in self.messages()? {
            let path = self.directory.join(&name);
            let Some(mut message) = read(&path)? else {
                self.bury(&path, format!("the message `{name}` cannot be read"), &mut sent)?;
                continue;
            };
            let lane = (message.receiver.clone(), message.rule.clone());
            // No wait is longer than a day: if it seems so, the clock has gone back.
            let wait_us = message.next_us.saturating_sub(now_us);
            let is_early = 0 < wait_us && wait_us <= GIVE_UP_US;
            if is_early || silent.contains(&message.receiver) || behind.contains(&lane) {
                behind.insert(lane);
                continue;
            }
            let (reason, after) = match attempt(&message, receivers, deliver) {
                Answer::Accepted => {
                    remove(&path)?;
                    sent.delivered += 1;
                    continue;
                }
                Answer::Refused(reason) => {
                    self.bury(&path, message.note(&reason), &mut sent)?;
                    continue;
                }
                Answer::Later(reason, after) => (reason, after),
                Answer::Unreachable(reason) => {
                    silent.insert(message.receiver.clone());
                    (reason, None)
                }
            };
            if now_us.saturating_sub(message.made_us) >= GIVE_UP_US {
                self.bury(&path, message.note(&format!("{reason}, for a day")), &mut sent)?;
                continue;
            }
            message.postpone(now_us, after);
            write(&path, &message)?;
            behind.insert(lane);
            sent.failed += 1;
            sent.notes.push(message.note(&reason));
        }
        Ok(sent)
    }

    fn path(&self, message: &Waiting) -> PathBuf {
        let Waiting { number, receiver, .. } = message;
        let letter = if message.is_firing { FIRING } else { RESOLVED };
        self.directory.join(format!("{number:012}-{letter}-{receiver}.json"))
    }

    fn messages(&self) -> Result<Vec<String>, OutboxError> {
        names(&self.directory)
    }

    fn bury(&self, path: &Path, note: String, sent: &mut Sent) -> Result<(), OutboxError> {
        let dead = self.directory.join(DEAD);
        let moved = dead.join(path.file_name().unwrap_or_default());
        fs::rename(path, moved)
            .map_err(|source| OutboxError::Use { path: path.to_owned(), source })?;
        let names = names(&dead)?;
        for name in names.iter().take(names.len().saturating_sub(MAX_DEAD)) {
            remove(&dead.join(name))?;
        }
        sent.dead += 1;
        sent.notes.push(note);
        Ok(())
    }
}

impl Waiting {
    fn note(&self, reason: &str) -> String {
        format!("receiver `{}` was not told of rule `{}`: {reason}", self.receiver, self.rule)
    }

    fn postpone(&mut self, now_us: i64, after: Option<Duration>) {
        let doubled = FIRST_WAIT_US << self.attempt_count.min(20);
        let asked = after.map_or(0, |after| i64::try_from(after.as_micros()).unwrap_or(i64::MAX));
        let wait_us = doubled.min(LONGEST_WAIT_US).max(asked.min(GIVE_UP_US));
        self.attempt_count = self.attempt_count.saturating_add(1);
        self.next_us = now_us.saturating_add(wait_us);
    }
}

fn attempt(message: &Waiting, receivers: &[Receiver], deliver: &mut dyn Deliver) -> Answer {
    let receiver = receivers.iter().find(|receiver| receiver.name == message.receiver);
    match receiver.map(|receiver| (receiver.kind, &receiver.url)) {
        Some((kind, ReceiverUrl::Given(address))) => {
            let text = Message { key: &message.key, body: &message.body };
            deliver.deliver(kind, address.expose(), text)
        }
        _ => Answer::Refused("it is no longer configured".to_owned()),
    }
}

fn write(path: &Path, message: &Waiting) -> Result<(), OutboxError> {
    // A message is plain text and numbers: it cannot fail to become JSON.
    let bytes = serde_json::to_vec(message).unwrap_or_default();
    Ok(write_whole(path, &bytes)?)
}

/// `None` when it is no message.
fn read(path: &Path) -> Result<Option<Waiting>, OutboxError> {
    let bytes = fs::read(path);
    let bytes = bytes.map_err(|source| OutboxError::Use { path: path.to_owned(), source })?;
    Ok(serde_json::from_slice(&bytes).ok())
}

/// Names of messages in the order of their numbers.
fn names(directory: &Path) -> Result<Vec<String>, OutboxError> {
    let failed = |source| OutboxError::Use { path: directory.to_owned(), source };
    let mut names = Vec::new();
    for entry in fs::read_dir(directory).map_err(failed)? {
        let name = entry.map_err(failed)?.file_name();
        names.extend(name.into_string().ok().filter(|name| number_of(name).is_some()));
    }
    names.sort();
    Ok(names)
}

/// How many messages wait in a directory.
pub(super) fn waiting_in(directory: &Path) -> Result<usize, OutboxError> {
    Ok(names(directory)?.len())
}

fn remove(path: &Path) -> Result<(), OutboxError> {
    fs::remove_file(path).map_err(|source| OutboxError::Use { path: path.to_owned(), source })
}

/// The number in the name of a message; `None` for other files.
fn number_of(name: &str) -> Option<u64> {
    let (number, _) = name.strip_suffix(".json")?.split_once('-')?;
    number.parse().ok()
}

#[cfg(test)]
pub(super) mod tests;
