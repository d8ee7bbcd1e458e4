//! Tells receivers what rules say: who is told, of what, how often, and that it arrives.
//!
//! ```text
//! verdicts ─▶ state ─▶ notifications ─▶ payload ─▶ outbox ─▶ deliver
//!             pending, firing, over      a text     a file    HTTP
//!                                        for each receiver
//! ```
//! Everything that is decided survives a restart: messages reach the disk before the state that
//! knows of them, and messages that no state knows of are made again. What is told is told at
//! least once, in order for each rule and receiver.
//!
//! Rules are judged elsewhere, the clock is read elsewhere, and nothing is printed. One process at
//! a time has the directory.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use crate::config::{Config, Receiver, ReceiverUrl};
use crate::durable::{WriteError, write_whole};

mod deliver;
mod outbox;
mod payload;
mod state;
#[cfg(test)]
mod tests;

pub use deliver::{Answer, Deliver, Http, HttpError, Message, TIMEOUT};
pub use outbox::{OutboxError, Sent};
pub use payload::{AlertPart, AlertPayload, SCHEMA, Status};
pub use state::{Alert, AlertInput, Ending, Notification, Patience, Phase, State, Told};

use outbox::{Outbox, Waiting};
use payload::Sender;

const STATE_FILE: &str = "state.json";
const LOCK_FILE: &str = "lock";
const OUTBOX: &str = "outbox";

/// What became of what the rules said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// Messages that now wait to be sent.
    pub queued: usize,
    /// Messages that had to go because too many wait.
    pub dropped: usize,
    /// Alerts that are not followed because there are too many.
    pub ignored: usize,
    /// Groups that are in no message because their rule has too many.
    pub hidden: usize,
}

/// Alerts cannot be kept or sent.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// A file or directory cannot be used.
    #[error("cannot use `{}`", path.display())]
    Use {
        /// Which.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// Another process has the directory.
    #[error("`{}` is in use by another process, only one can send alerts", path.display())]
    Locked {
        /// The directory.
        path: PathBuf,
    },
    /// The state is of another version.
    #[error(
        "`{}` has version {version}, must have {}: moved away, what fires is told again",
        path.display(), State::VERSION
    )]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u64,
    },
    /// The state is no state.
    #[error("`{}` is damaged: moved away, what fires is told again", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A receiver has no address.
    #[error("receiver `{receiver}` has no address: the variable `{variable}` is not set")]
    Unset {
        /// Its name.
        receiver: String,
        /// The variable that its `url` names.
        variable: String,
    },
    /// The state cannot be written.
    #[error(transparent)]
    Write(#[from] WriteError),
    /// The messages cannot be kept.
    #[error(transparent)]
    Outbox(#[from] OutboxError),
    /// Nothing can be sent.
    #[error(transparent)]
    Http(#[from] HttpError),
}

/// What the files of a directory say of alerts, for somebody who only looks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Standing {
    /// What is pending, what fires.
    pub state: State,
    /// Messages that wait to be sent.
    pub waiting_count: usize,
}

/// Looks at a directory that another process may have; `None` when there is none.
///
/// # Errors
/// When a file in it cannot be read.
pub fn standing(directory: &Path) -> Result<Option<Standing>, AlertError> {
    if !directory.is_dir() {
        return Ok(None);
    }
    let state = read_state(&directory.join(STATE_FILE))?;
    let waiting_count = outbox::waiting_in(&directory.join(OUTBOX))?;
    Ok(Some(Standing { state, waiting_count }))
}

/// Alerts, from verdicts to receivers.
#[derive(Debug)]
pub struct Alerts {
    directory: PathBuf,
    project: String,
    receivers: Vec<Receiver>,
    patience: Patience,
    state: State,
    outbox: Outbox,
    /// Made when first needed: it reads the certificates of the system.
    http: Option<Http>,
    /// Messages may lie in the outbox of which the state does not know.
    is_torn: bool,
    /// Held as long as this lives.
    _lock: File,
}

impl Alerts {
    /// Takes `directory`, which is made if need be, and goes on where the last one stopped.
    ///
    /// # Errors
    /// When another process has it, when a file in it cannot be read, or when a receiver's
    /// address is in a variable that is not set.
    pub fn open(directory: &Path, config: &Config) -> Result<Self, AlertError> {
        for receiver in &config.receivers {
            if let ReceiverUrl::Unset(variable) = &receiver.url {
                let (receiver, variable) = (receiver.name.clone(), variable.clone());
                return Err(AlertError::Unset { receiver, variable });
            }
        }
        let made = fs::DirBuilder::new().recursive(true).mode(0o700).create(directory);
        made.map_err(|source| AlertError::Use { path: directory.to_owned(), source })?;
        let lock = lock(directory)?;
        let state = read_state(&directory.join(STATE_FILE))?;
        Ok(Self {
            outbox: Outbox::open(directory.join(OUTBOX), state.next_number)?,
            directory: directory.to_owned(),
            project: config.project.name.clone(),
            receivers: config.receivers.clone(),
            patience: Patience::new(&config.alert),
            state,
            http: None,
            is_torn: false,
            _lock: lock,
        })
    }

    /// Takes in what the rules said, one input for each rule and group.
    ///
    /// # Errors
    /// When messages or the state cannot be written; then it is as if nothing had been said.
    pub fn see(&mut self, inputs: &[AlertInput], now_us: i64) -> Result<Seen, AlertError> {
        if self.is_torn {
            self.outbox.forget_from(self.state.next_number)?;
            self.is_torn = false;
        }
        let mut state = self.state.clone();
        let ignored = state.see(inputs, now_us, &self.patience);
        let notifications = state.due(now_us, &self.patience);
        let messages = self.messages(&notifications);
        self.is_torn = !messages.is_empty();
        let dropped = self.outbox.add(&messages)?;
        if state != self.state {
            // A state is plain text and numbers: it cannot fail to become JSON.
            let bytes = serde_json::to_vec(&state).unwrap_or_default();
            write_whole(&self.directory.join(STATE_FILE), &bytes)?;
            self.state = state;
        }
        self.is_torn = false;
        let hidden = notifications.iter().map(|it| it.hidden_count).sum();
        Ok(Seen { queued: messages.len(), dropped, ignored, hidden })
    }

    /// Queues what has waited for others of its rule, and sends what is due. Waits for receivers,
    /// each at most [`TIMEOUT`] for a message.
    ///
    /// # Errors
    /// When messages or the state cannot be written or moved.
    pub fn send_due(&mut self, now_us: i64) -> Result<Sent, AlertError> {
        let mut http = match self.http.take() {
            Some(http) => http,
            None => Http::new(TIMEOUT)?,
        };
        let sent = self.send_by(&mut http, now_us);
        self.http = Some(http);
        sent
    }

    /// As [`Alerts::send_due`], by other means than HTTP.
    ///
    /// # Errors
    /// As [`Alerts::send_due`].
    pub fn send_by(&mut self, deliver: &mut dyn Deliver, now_us: i64) -> Result<Sent, AlertError> {
        self.see(&[], now_us)?;
        Ok(self.outbox.send_due(now_us, &self.receivers, deliver)?)
    }

    /// Every alert with its rule: what is pending, what fires.
    pub fn alerts(&self) -> impl Iterator<Item = (&str, &Alert)> {
        self.state.alerts()
    }

    fn messages(&self, notifications: &[Notification]) -> Vec<Waiting> {
        let sender = Sender { project: &self.project, repeat_us: self.patience.repeat_us };
        let mut messages = Vec::new();
        for notification in notifications {
            let is_told = |it: &&Receiver| it.severities.contains(&notification.severity);
            messages.extend(self.receivers.iter().filter(is_told).map(|receiver| Waiting {
                number: notification.number,
                is_firing: notification.is_firing(),
                receiver: receiver.name.clone(),
                rule: notification.rule.clone(),
                key: format!("{}-{}", payload::id(notification), receiver.name),
                body: payload::body(receiver.kind, notification, sender),
                made_us: notification.at_us,
                attempt_count: 0,
                next_us: notification.at_us,
            }));
        }
        messages
    }
}

fn lock(directory: &Path) -> Result<File, AlertError> {
    let path = directory.join(LOCK_FILE);
    let failed = |source| AlertError::Use { path: path.clone(), source };
    let file = File::options().create(true).append(true).open(&path).map_err(failed)?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(AlertError::Locked { path: directory.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(source)),
    }
}

fn read_state(path: &Path) -> Result<State, AlertError> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(State::new()),
        Err(source) => return Err(AlertError::Use { path: path.to_owned(), source }),
    };
    let damaged = |source| AlertError::Damaged { path: path.to_owned(), source };
    let value: serde_json::Value = serde_json::from_slice(&bytes).map_err(damaged)?;
    let version = value.get("version").and_then(serde_json::Value::as_u64);
    match version {
        Some(version) if version != u64::from(State::VERSION) => {
            Err(AlertError::Version { path: path.to_owned(), version })
        }
        _ => serde_json::from_value(value).map_err(damaged),
    }
}
