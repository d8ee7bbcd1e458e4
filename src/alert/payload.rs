//! What receivers read: JSON of our own, a Slack message, alerts for Alertmanager.
//!
//! Summaries and groups are log text and hostile. Here nobody is called by it (`@`, `<!channel>`),
//! nothing in it is a link or markup of Slack, and what steers a terminal is taken out.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Serialize;
use serde_json::{Value, json};

use super::state::{Ending, Notification, Phase, Told};
use crate::config::{CheckSeverity, ReceiverKind};
use crate::model::{format_ts, is_unsafe};

/// The schema of [`AlertPayload`].
pub const SCHEMA: &str = "plimsoll.alert/1";
/// Groups that a Slack message lists of those that fire, and of those that are over.
const SLACK_GROUPS: usize = 10;
/// Longest list of a Slack block, in characters; Slack refuses a text of more than 3,000.
const SLACK_TEXT: usize = 2_900;

/// Characters of a summary in a Slack message.
const SLACK_SUMMARY: usize = 300;
/// An alert lasts at least this long at Alertmanager: ten minutes.
const SHORTEST_LIFE_US: i64 = 600_000_000;

/// One notification as a webhook gets it.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AlertPayload {
    /// `plimsoll.alert/1`.
    pub schema: &'static str,
    /// The same whenever the same notification is sent again.
    pub id: String,
    /// The project that is watched.
    pub project: String,
    /// The rule.
    pub rule: String,
    /// `firing` while any group fires, else `resolved`.
    pub status: Status,
    /// `fail` or `warn`.
    pub severity: &'static str,
    /// When it was made, RFC 3339, UTC.
    pub at: String,
    /// Every group that fires and those that no longer do.
    pub alerts: Vec<AlertPart>,
    /// Groups that are not listed.
    pub hidden_count: usize,
    /// Fields with text from logs.
    pub untrusted_text_fields: [&'static str; 2],
}

/// One group of a notification.
#[derive(Debug, Serialize, JsonSchema)]
pub struct AlertPart {
    /// The same for the same rule and group, always.
    pub fingerprint: String,
    /// Of this group.
    pub status: Status,
    /// Fields of the group and their values; empty when the rule has no groups.
    pub group: BTreeMap<String, String>,
    /// One sentence with the numbers.
    pub summary: String,
    /// Where to read what to do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runbook: Option<String>,
    /// Since when it is broken, RFC 3339, UTC.
    pub since: String,
    /// When it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ended: Option<String>,
    /// Why it ended.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub ending: Option<Ending>,
}

/// Whether something is wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// It is.
    Firing,
    /// No longer.
    Resolved,
}

impl Status {
    fn new(is_firing: bool) -> Self {
        if is_firing { Self::Firing } else { Self::Resolved }
    }
}

/// What is the same in all payloads.
#[derive(Clone, Copy, Debug)]
pub(super) struct Sender<'a> {
    /// The project that is watched.
    pub project: &'a str,
    /// What is told again after this time.
    pub repeat_us: i64,
}

/// The JSON text for a receiver of this kind.
pub(super) fn body(kind: ReceiverKind, notification: &Notification, sender: Sender<'_>) -> String {
    let value = match kind {
        ReceiverKind::Webhook => json!(AlertPayload::new(notification, sender)),
        ReceiverKind::Slack => slack(notification, sender),
        ReceiverKind::Alertmanager => alertmanager(notification, sender),
    };
    value.to_string()
}

/// The same for the same notification, also after a restart.
pub(super) fn id(notification: &Notification) -> String {
    format!("{:x}-{}", notification.at_us, notification.number)
}

impl AlertPayload {
    /// Everything that is known.
    fn new(notification: &Notification, sender: Sender<'_>) -> Self {
        Self {
            schema: SCHEMA,
            id: id(notification),
            project: visible(sender.project),
            rule: visible(&notification.rule),
            status: Status::new(notification.is_firing()),
            severity: notification.severity.as_str(),
            at: format_ts(notification.at_us),
            alerts: notification.groups.iter().map(AlertPart::new).collect(),
            hidden_count: notification.hidden_count,
            untrusted_text_fields: ["alerts[].group", "alerts[].summary"],
        }
    }
}

impl AlertPart {
    fn new(told: &Told) -> Self {
        let alert = &told.alert;
        let end = alert.end();
        let fields = alert.group.iter();
        Self {
            fingerprint: told.fingerprint.clone(),
            status: Status::new(end.is_none()),
            group: fields.map(|(field, value)| (visible(field), visible(value))).collect(),
            summary: visible(&alert.summary),
            runbook: alert.runbook.as_deref().map(visible),
            since: format_ts(alert.since_us),
            ended: end.map(|(end_us, _)| format_ts(end_us)),
            ending: end.map(|(_, ending)| ending),
        }
    }
}

/// `text` is what notifications and old clients show; the blocks say more.
fn slack(notification: &Notification, sender: Sender<'_>) -> Value {
    let (sign, word) = match (notification.is_firing(), notification.severity) {
        (false, _) => ("✔", "resolved"),
        (true, CheckSeverity::Fail) => ("✖", "FAIL"),
        (true, CheckSeverity::Warn) => ("▲", "warn"),
    };
    let rule = slack_text(&notification.rule);
    let head = format!("{sign} {word}: {rule} ({})", slack_text(sender.project));
    let mut blocks = vec![section(&format!("*{head}*"))];
    for (phase, title) in [(Phase::Firing, "Firing"), (Phase::Resolved, "Resolved")] {
        let groups: Vec<&Told> =
            notification.groups.iter().filter(|told| told.alert.phase == phase).collect();
        if groups.is_empty() {
            continue;
        }
        blocks.push(section(&slack_list(title, &groups)));
    }
    if notification.hidden_count > 0 {
        let text = format!("… and {} groups that are not listed", notification.hidden_count);
        blocks.push(section(&text));
    }
    let runbook = notification.groups.iter().find_map(|told| told.alert.runbook.as_deref());
    if let Some(runbook) = runbook {
        let entities = slack_entities(&visible(runbook));
        blocks.push(section(&format!("Runbook: {entities}")));
    }
    json!({ "text": head, "blocks": blocks })
}

/// As many groups as fit, and how many do not.
fn slack_list(title: &str, groups: &[&Told]) -> String {
    let mut text = format!("*{title}*");
    let mut listed_count = 0;
    for line in groups.iter().take(SLACK_GROUPS).map(|told| slack_line(told)) {
        if text.chars().count() + line.chars().count() > SLACK_TEXT {
            break;
        }
        text = format!("{text}\n{line}");
        listed_count += 1;
    }
    match groups.len() - listed_count {
        0 => text,
        more_count => format!("{text}\n… and {more_count} more"),
    }
}

fn slack_line(told: &Told) -> String {
    let alert = &told.alert;
    let fields = alert.group.iter();
    let group: Vec<String> = fields
        .map(|(field, value)| format!("{}=`{}` ", slack_text(field), slack_text(value)))
        .collect();
    let since = format_ts(alert.since_us);
    let time = match alert.end() {
        None => format!("since {since}"),
        Some((end_us, Ending::Passed)) => format!("{since} to {}", format_ts(end_us)),
        Some((end_us, Ending::Silent)) => {
            format!("since {since}, nothing heard after {}", format_ts(end_us))
        }
    };
    let summary: String = alert.summary.chars().take(SLACK_SUMMARY).collect();
    format!("• {}{} ({time})", group.concat(), slack_text(&summary))
}

fn section(text: &str) -> Value {
    json!({ "type": "section", "text": { "type": "mrkdwn", "text": text } })
}

/// Log text that calls nobody, links nowhere and does not end the code around it.
fn slack_text(text: &str) -> String {
    let entities = slack_entities(&visible(text));
    entities.replace('@', "@\u{200b}").replace('`', "'").replace("://", ":\u{200b}//")
}

/// The three characters that Slack asks to be written as entities.
fn slack_entities(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

/// The list that `POST /api/v2/alerts` takes.
///
/// Without `endsAt` Alertmanager takes an alert for over after five minutes; so a firing one ends
/// in the future, later than it is told again.
fn alertmanager(notification: &Notification, sender: Sender<'_>) -> Value {
    let lasts_us = sender.repeat_us.saturating_mul(2).max(SHORTEST_LIFE_US);
    let lapse_us = notification.at_us.saturating_add(lasts_us);
    let alert_of = |told: &Told| {
        let alert = &told.alert;
        let end_us = alert.end().map_or(lapse_us, |(end_us, _)| end_us).max(alert.since_us);
        let runbook = alert.runbook.as_deref().map(visible);
        let is_link = |text: &&String| text.starts_with("https://") || text.starts_with("http://");
        AlertmanagerAlert {
            labels: labels(notification, told, sender),
            starts_at: format_ts(alert.since_us),
            ends_at: format_ts(end_us),
            generator_url: runbook.as_ref().filter(is_link).cloned(),
            annotations: Annotations {
                summary: visible(&alert.summary),
                fingerprint: told.fingerprint.clone(),
                runbook,
            },
        }
    };
    let alerts: Vec<AlertmanagerAlert> = notification.groups.iter().map(alert_of).collect();
    json!(alerts)
}

/// One entry of `POST /api/v2/alerts`.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct AlertmanagerAlert {
    labels: BTreeMap<String, String>,
    starts_at: String,
    ends_at: String,
    #[serde(rename = "generatorURL", skip_serializing_if = "Option::is_none")]
    generator_url: Option<String>,
    annotations: Annotations,
}

#[derive(Serialize)]
struct Annotations {
    summary: String,
    fingerprint: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    runbook: Option<String>,
}

fn labels(
    notification: &Notification,
    told: &Told,
    sender: Sender<'_>,
) -> BTreeMap<String, String> {
    let rule = visible(&notification.rule);
    let mut labels = BTreeMap::from([
        ("alertname".to_owned(), rule.clone()),
        ("rule".to_owned(), rule),
        ("severity".to_owned(), told.alert.severity.as_str().to_owned()),
        ("project".to_owned(), visible(sender.project)),
    ]);
    for (field, value) in &told.alert.group {
        let mut name = label_name(field);
        while labels.contains_key(&name) {
            name.push('_');
        }
        // To Alertmanager an empty label is none, and two groups might become one.
        let value = if value.is_empty() { "(empty)".to_owned() } else { visible(value) };
        labels.insert(name, value);
    }
    labels
}

/// A name that every version of Alertmanager takes.
fn label_name(field: &str) -> String {
    let plain = |c: char| if c.is_ascii_alphanumeric() { c } else { '_' };
    let name: String = field.chars().map(plain).collect();
    let starts_well = name.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_');
    if starts_well { name } else { format!("_{name}") }
}

/// Text on one line in which nothing steers what shows it.
fn visible(text: &str) -> String {
    let plain = |c: char| match c {
        '\n' | '\t' => ' ',
        _ if is_unsafe(c) => '\u{fffd}',
        _ => c,
    };
    text.chars().map(plain).collect()
}

#[cfg(test)]
mod tests;
