//! When rules are looked at, and who is told.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{CheckSeverity, Secret, words};

/// `[alert]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Rules are evaluated this often.
    pub interval: Duration,
    /// Time that is looked at.
    pub window: Duration,
    /// An alert that goes on is sent again after this time.
    pub repeat: Duration,
    /// Time in which alerts of one rule gather into one notification; zero = none.
    pub group_wait: Duration,
}

/// One `[[receiver]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Receiver {
    /// Name: letters, digits, `.`, `_`, `-`.
    pub name: String,
    /// What it understands.
    pub kind: ReceiverKind,
    /// Where it is.
    pub url: ReceiverUrl,
    /// Severities it is told of; at least one.
    pub severities: Vec<CheckSeverity>,
}

/// Where a receiver is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReceiverUrl {
    /// A web address with a host, http or https. Its path is often a password.
    Given(Secret),
    /// In the variable of this name, which is not set: nothing can be sent from here.
    Unset(String),
}

words!(
    /// What a receiver understands.
    ReceiverKind {
        /// JSON `plimsoll.alert/1`.
        Webhook = "webhook",
        /// An incoming webhook of Slack, or of what speaks its language.
        Slack = "slack",
        /// Alertmanager, version 2 of its API.
        Alertmanager = "alertmanager",
    }
);
