//! From verdicts to notifications: what is pending, firing or over, and who must hear of it when.
//!
//! ```text
//! verdict        warn, fail          for `pending_for`        passes for `calm`
//! (nothing) ───────────▶ pending ───────────▶ firing ───────────▶ resolved ──told──▶ (nothing)
//!      ▲── passes ──────────┘                   ▲── broken again ─────┘
//! ```
//! Pure: `now_us` is an argument, nothing is read or written. "Can't tell" changes nothing, and a
//! firing alert is no longer waited for when nothing was heard of it for a day. An alert
//! that comes and goes within `calm` keeps firing, and what fires is told before its end is. When
//! the clock goes back, what waits begins to wait anew.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::config::{self, CheckSeverity};
use crate::model::Verdict;

#[cfg(test)]
mod tests;

const SECOND_US: i64 = 1_000_000;
/// An alert of which nothing could be told for this long is over: a day.
const SILENCE_US: i64 = 86_400 * SECOND_US;
/// Most alerts that are followed; more are counted.
const MAX_ALERTS: usize = 10_000;
/// Most groups in one notification; more are counted.
const MAX_GROUPS: usize = 1_000;
/// Longest text and longest group value that is kept, in characters.
const MAX_TEXT: usize = 1_000;
/// Longest name or value of a group, in characters.
const MAX_VALUE: usize = 200;

/// What a rule said of one group of events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertInput {
    /// The rule.
    pub rule: String,
    /// What it means when the rule is broken.
    pub severity: CheckSeverity,
    /// Fields and values of the group, such as `route` and `/orders`; empty without `per`.
    pub group: Vec<(String, String)>,
    /// `Warn` and `Fail` are broken, `Inconclusive` changes nothing.
    pub verdict: Verdict,
    /// One sentence with the numbers.
    pub summary: String,
    /// Where to read what to do.
    pub runbook: Option<String>,
    /// Since when it is broken, if the caller knows; else since it was first seen so.
    pub since_us: Option<i64>,
    /// How long it must be broken; zero if the caller has seen to that.
    pub pending_for_us: i64,
}

/// How patient alerts are, in microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Patience {
    /// Alerts of one rule gather this long.
    pub group_wait_us: i64,
    /// What fires is told again after this.
    pub repeat_us: i64,
    /// What passes for so long is over.
    pub calm_us: i64,
}

impl Patience {
    /// Two evaluations must pass, whatever their interval is.
    pub fn new(alert: &config::Alert) -> Self {
        let us =
            |length: std::time::Duration| i64::try_from(length.as_micros()).unwrap_or(i64::MAX);
        Self {
            group_wait_us: us(alert.group_wait),
            repeat_us: us(alert.repeat),
            calm_us: us(alert.interval).saturating_mul(2),
        }
    }
}

/// Where an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Broken, but not yet for long enough.
    Pending,
    /// Broken for long enough.
    Firing,
    /// Over, and somebody must hear of it.
    Resolved,
}

/// One alert, as it is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alert {
    /// Fields and values of the group.
    pub group: Vec<(String, String)>,
    /// Of the rule.
    pub severity: CheckSeverity,
    /// The newest sentence.
    pub summary: String,
    /// Of the rule.
    pub runbook: Option<String>,
    /// Where it is.
    pub phase: Phase,
    /// Since when it is broken.
    pub since_us: i64,
    /// Since when it passes, if it does.
    pub calm_us: Option<i64>,
    /// When something could last be told.
    pub heard_us: i64,
    /// Whether its firing has been told.
    pub is_told: bool,
}

/// Why an alert is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Ending {
    /// The rule holds again.
    Passed,
    /// Nothing was heard of it for a day; it may still be broken.
    Silent,
}

/// All alerts of one rule.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct RuleAlerts {
    /// Since when there is something to be told.
    news_us: Option<i64>,
    /// When something was last told.
    told_us: Option<i64>,
    /// By fingerprint.
    alerts: BTreeMap<String, Alert>,
}

/// What is to be told of one rule: every group that fires, and those that no longer do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Notification {
    /// Counts up by one over the life of a state.
    pub number: u64,
    /// The rule.
    pub rule: String,
    /// The worst of its alerts.
    pub severity: CheckSeverity,
    /// When it was made.
    pub at_us: i64,
    /// Firing ones first; at most 1,000.
    pub groups: Vec<Told>,
    /// Groups that are not listed.
    pub hidden_count: usize,
}

/// One alert of a notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Told {
    /// The same for the same rule and group, always.
    pub fingerprint: String,
    /// The alert; its phase is `Firing` or `Resolved`.
    pub alert: Alert,
}

impl Notification {
    /// Whether anything still fires.
    pub fn is_firing(&self) -> bool {
        self.groups.iter().any(|told| told.alert.phase == Phase::Firing)
    }
}

/// Everything that is remembered between two looks.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct State {
    /// Version of the format.
    pub version: u32,
    /// Number of the next notification.
    pub next_number: u64,
    rules: BTreeMap<String, RuleAlerts>,
}

impl State {
    /// The version that is written and read.
    pub const VERSION: u32 = 1;

    /// Nothing is wrong yet.
    pub fn new() -> Self {
        Self { version: Self::VERSION, next_number: 0, rules: BTreeMap::new() }
    }

    /// Every alert with its rule: first by rule, then by fingerprint.
    pub fn alerts(&self) -> impl Iterator<Item = (&str, &Alert)> {
        self.rules
            .iter()
            .flat_map(|(rule, all)| all.alerts.values().map(move |alert| (rule.as_str(), alert)))
    }

    /// Takes in what the rules said; returns how many new alerts there was no room for.
    pub fn see(&mut self, inputs: &[AlertInput], now_us: i64, patience: &Patience) -> usize {
        let mut ignored_count = 0;
        let mut alert_count = self.alerts().count();
        for input in inputs {
            let rule = self.rules.entry(input.rule.clone()).or_default();
            let fingerprint = fingerprint(&input.rule, &input.group);
            if let Some(alert) = rule.alerts.get_mut(&fingerprint) {
                if alert.hear(input, now_us, patience) == Heard::Over {
                    rule.alerts.remove(&fingerprint);
                    alert_count -= 1;
                }
            } else if is_broken(input.verdict) {
                if alert_count >= MAX_ALERTS {
                    ignored_count += 1;
                    continue;
                }
                let alert = Alert::new(input, &fingerprint, now_us);
                rule.alerts.insert(fingerprint, alert);
                alert_count += 1;
            }
        }
        for rule in self.rules.values_mut() {
            rule.alerts.retain(|_, alert| alert.outlasts_silence(now_us));
        }
        self.rules.retain(|_, rule| !rule.alerts.is_empty());
        ignored_count
    }

    /// What must be told now; it counts as told.
    pub fn due(&mut self, now_us: i64, patience: &Patience) -> Vec<Notification> {
        let mut due = Vec::new();
        for (name, rule) in &mut self.rules {
            let Some(groups) = rule.due(now_us, patience) else { continue };
            let severities = groups.iter().map(|told| told.alert.severity);
            let is_fail = severities.into_iter().any(|severity| severity == CheckSeverity::Fail);
            due.push(Notification {
                number: self.next_number,
                rule: name.clone(),
                severity: if is_fail { CheckSeverity::Fail } else { CheckSeverity::Warn },
                at_us: now_us,
                hidden_count: groups.len().saturating_sub(MAX_GROUPS),
                groups: groups.into_iter().take(MAX_GROUPS).collect(),
            });
            self.next_number += 1;
        }
        self.rules.retain(|_, rule| !rule.alerts.is_empty());
        due
    }
}

impl Default for State {
    fn default() -> Self {
        Self::new()
    }
}

/// What became of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Heard {
    Kept,
    /// It was pending and is gone: nobody has heard of it.
    Over,
}

impl Alert {
    /// When and why it ended; `None` while it goes on.
    pub fn end(&self) -> Option<(i64, Ending)> {
        let end = match self.calm_us {
            Some(calm_us) => (calm_us, Ending::Passed),
            None => (self.heard_us, Ending::Silent),
        };
        (self.phase == Phase::Resolved).then_some(end)
    }

    fn new(input: &AlertInput, fingerprint: &str, now_us: i64) -> Self {
        let mut alert = Self {
            group: cut_group(&input.group, fingerprint),
            severity: input.severity,
            summary: String::new(),
            runbook: None,
            phase: Phase::Pending,
            since_us: input.since_us.map_or(now_us, |since_us| since_us.min(now_us)),
            calm_us: None,
            heard_us: now_us,
            is_told: false,
        };
        alert.break_again(input, now_us);
        alert
    }

    fn hear(&mut self, input: &AlertInput, now_us: i64, patience: &Patience) -> Heard {
        match (input.verdict, self.phase) {
            (Verdict::Warn | Verdict::Fail, _) => {
                self.heard_us = now_us;
                self.break_again(input, now_us);
            }
            (_, Phase::Resolved) => {}
            (Verdict::Inconclusive, _) => self.calm_us = None,
            (Verdict::Pass, Phase::Pending) => return Heard::Over,
            (Verdict::Pass, Phase::Firing) => {
                self.heard_us = now_us;
                let calm_us = self.calm_us.map_or(now_us, |calm_us| calm_us.min(now_us));
                self.calm_us = Some(calm_us);
                if self.is_told && now_us.saturating_sub(calm_us) >= patience.calm_us {
                    self.phase = Phase::Resolved;
                }
            }
        }
        Heard::Kept
    }

    fn break_again(&mut self, input: &AlertInput, now_us: i64) {
        self.severity = input.severity;
        self.summary = cut(&input.summary, MAX_TEXT);
        self.runbook = input.runbook.as_ref().map(|runbook| cut(runbook, MAX_TEXT));
        self.calm_us = None;
        let broken_us = now_us.saturating_sub(self.since_us);
        if self.phase != Phase::Pending || broken_us >= input.pending_for_us {
            self.phase = Phase::Firing;
        }
    }

    /// Whether it stays; one whose firing was told gets an end that can be told as well.
    fn outlasts_silence(&mut self, now_us: i64) -> bool {
        self.heard_us = self.heard_us.min(now_us);
        if now_us.saturating_sub(self.heard_us) < SILENCE_US || self.phase == Phase::Resolved {
            return true;
        }
        if self.phase == Phase::Pending {
            return false;
        }
        if self.is_told {
            self.phase = Phase::Resolved;
        }
        true
    }
}

impl RuleAlerts {
    fn due(&mut self, now_us: i64, patience: &Patience) -> Option<Vec<Told>> {
        let is_news = |alert: &Alert| match alert.phase {
            Phase::Pending => false,
            Phase::Firing => !alert.is_told,
            Phase::Resolved => true,
        };
        let is_due = if self.alerts.values().any(is_news) {
            let news_us = *self.news_us.insert(self.news_us.map_or(now_us, |it| it.min(now_us)));
            now_us.saturating_sub(news_us) >= patience.group_wait_us
        } else {
            self.news_us = None;
            let is_firing = self.alerts.values().any(|alert| alert.phase == Phase::Firing);
            self.told_us = self.told_us.map(|told_us| told_us.min(now_us));
            let told_us = self.told_us.filter(|_| is_firing);
            told_us.is_some_and(|told_us| now_us.saturating_sub(told_us) >= patience.repeat_us)
        };
        if !is_due {
            return None;
        }
        self.news_us = None;
        self.told_us = Some(now_us);
        for alert in self.alerts.values_mut().filter(|alert| alert.phase == Phase::Firing) {
            alert.is_told = true;
        }
        let told = |(fingerprint, alert): (&String, &Alert)| Told {
            fingerprint: fingerprint.clone(),
            alert: alert.clone(),
        };
        let is_known = |(_, alert): &(&String, &Alert)| alert.phase != Phase::Pending;
        let mut groups: Vec<Told> = self.alerts.iter().filter(is_known).map(told).collect();
        groups.sort_by(|a, b| {
            let order = |told: &Told| told.alert.phase == Phase::Resolved;
            order(a).cmp(&order(b)).then_with(|| a.alert.group.cmp(&b.alert.group))
        });
        self.alerts.retain(|_, alert| alert.phase != Phase::Resolved);
        Some(groups)
    }
}

fn is_broken(verdict: Verdict) -> bool {
    matches!(verdict, Verdict::Warn | Verdict::Fail)
}

/// The same for the same rule and group whatever the order of the fields; 16 hex digits.
fn fingerprint(rule: &str, group: &[(String, String)]) -> String {
    let mut fields: Vec<_> = group.iter().collect();
    fields.sort();
    let mut hash = Sha256::new();
    let texts = fields.into_iter().flat_map(|(field, value)| [field.as_str(), value.as_str()]);
    for text in [rule].into_iter().chain(texts) {
        // The length keeps `a`, `bc` apart from `ab`, `c`.
        hash.update(text.len().to_le_bytes());
        hash.update(text);
    }
    let first = hash.finalize().iter().take(8).fold(0, |all, byte| all << 8 | u64::from(*byte));
    format!("{first:016x}")
}

/// Two groups whose values differ only behind the cut still differ.
fn cut_group(group: &[(String, String)], fingerprint: &str) -> Vec<(String, String)> {
    let cut_value = |value: &String| match cut(value, MAX_VALUE) {
        short if short == *value => short,
        short => format!("{short}{fingerprint}"),
    };
    group.iter().map(|(field, value)| (cut(field, MAX_VALUE), cut_value(value))).collect()
}

fn cut(text: &str, most: usize) -> String {
    match text.char_indices().nth(most) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}
