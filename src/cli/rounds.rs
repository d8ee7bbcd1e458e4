//! Round after round: the rules are judged at the present, and who must hear of it is told.
//!
//! Shared by `watch` and `collect`. How long a rule with `for` must be broken is seen to by the
//! judge, from the data: so nothing is pending here, and a restart forgets nothing of it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::check::CheckArgs;
use super::check::subject::Subject;
use super::error::{CONFIG, Failure, STORE, UNWRITABLE};
use super::output::Terminal;
use super::when;
use crate::alert::{Alert, AlertError, AlertInput, Alerts, Phase, Seen};
use crate::clock::{Clock, SystemClock};
use crate::config::Config;
use crate::model::{CheckKind, CheckResult, Decision, Verdict, format_ts, one_line};
use crate::report::decision::sentence;

/// How often it is looked whether something is to be sent, or to stop.
const TICK: Duration = Duration::from_millis(200);

/// What is judged, and what is remembered from one round to the next.
pub(super) struct Rounds<'a> {
    subject: &'a Subject,
    args: &'a CheckArgs,
    terminal: Terminal,
    alerts: Alerts,
    /// Holds the state where nobody is told, and takes it along at the end.
    scratch: Option<TempDir>,
}

/// Waits until it is time, or `stop` is raised.
pub(super) fn pause(until: Instant, stop: &AtomicBool) {
    while !stop.load(Ordering::Relaxed) {
        let left = until.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return;
        }
        std::thread::sleep(left.min(TICK));
    }
}

/// Where the alerts of a configuration are kept.
pub(super) fn directory(config: &Config) -> PathBuf {
    config.store.state.join("alerts")
}

impl<'a> Rounds<'a> {
    /// Goes on with what was remembered, and tells the configured receivers.
    pub(super) fn told(
        subject: &'a Subject,
        args: &'a CheckArgs,
        terminal: &Terminal,
    ) -> Result<Self, AlertError> {
        let config = subject.config();
        let alerts = Alerts::open(&directory(config), config)?;
        Ok(Self { subject, args, terminal: *terminal, alerts, scratch: None })
    }

    /// Begins anew, and tells nobody.
    pub(super) fn untold(
        subject: &'a Subject,
        args: &'a CheckArgs,
        terminal: &Terminal,
    ) -> Result<Self, Failure> {
        let scratch = tempfile::tempdir().map_err(|error| Failure::caused(&UNWRITABLE, &error))?;
        let config = Config { receivers: Vec::new(), ..subject.config().clone() };
        let alerts = Alerts::open(scratch.path(), &config)?;
        Ok(Self { subject, args, terminal: *terminal, alerts, scratch: Some(scratch) })
    }

    /// Judges at a moment; `None` when `stop` was raised meanwhile.
    pub(super) fn judge(
        &mut self,
        now_us: i64,
        stop: &AtomicBool,
    ) -> Result<Option<Decision>, Failure> {
        let began = Instant::now();
        let judged = self.subject.judge_present(self.args, now_us, stop, &self.terminal)?;
        let Some(decision) = judged else { return Ok(None) };
        let inputs: Vec<AlertInput> = decision.checks.iter().filter_map(input).collect();
        let seen = self.alerts.see(&inputs, now_us)?;
        self.tell_losses(seen);
        tracing::info!(
            check_count = decision.checks.len(),
            firing_count = self.firing().count(),
            record_count = decision.coverage.records,
            elapsed_ms = began.elapsed().as_millis() as u64,
            verdict = decision.verdict.as_str(),
            "rules evaluated"
        );
        Ok(Some(decision))
    }

    /// Sends what is due.
    pub(super) fn send(&mut self, now_us: i64) -> Result<(), Failure> {
        if self.scratch.is_some() {
            // Without receivers nothing is sent, but what was told can end.
            self.alerts.see(&[], now_us)?;
            return Ok(());
        }
        let sent = self.alerts.send_due(now_us)?;
        for note in &sent.notes {
            tracing::warn!("{note}");
            self.terminal.say(note);
        }
        Ok(())
    }

    /// Sends what is due until it is time to go on, or `stop` is raised.
    pub(super) fn wait(&mut self, until: Instant, stop: &AtomicBool) -> Result<(), Failure> {
        while !stop.load(Ordering::Relaxed) {
            self.send(SystemClock.now_us())?;
            let now = Instant::now();
            if until <= now {
                break;
            }
            pause(until.min(now + TICK), stop);
        }
        Ok(())
    }

    /// What fires, with its rule.
    pub(super) fn firing(&self) -> impl Iterator<Item = (&str, &Alert)> {
        self.alerts.alerts().filter(|(_, alert)| alert.phase == Phase::Firing)
    }

    fn tell_losses(&self, seen: Seen) {
        let Seen { dropped, ignored, hidden, .. } = seen;
        for (count, what) in [
            (dropped, "messages were dropped: too many wait to be sent"),
            (ignored, "alerts are not followed: there are too many"),
            (hidden, "groups are in no message: their rule has too many"),
        ] {
            if count > 0 {
                tracing::error!(count, "{what}");
                self.terminal.say(&format!("{count} {what}"));
            }
        }
    }
}

/// `None` for what is shown only. What somebody has accepted passes; while a known event mutes what
/// is broken, nothing begins and nothing ends.
fn input(check: &CheckResult) -> Option<AlertInput> {
    let counted = check.counted()?;
    let is_muted = check.muted.is_some() && check.accepted.is_none();
    Some(AlertInput {
        verdict: if is_muted { Verdict::Inconclusive } else { counted },
        // So alerts say what they are about.
        rule: match check.kind {
            CheckKind::Slo => format!("slo {}", check.id),
            _ => check.id.clone(),
        },
        severity: check.severity,
        group: check.group.clone().into_iter().collect(),
        summary: sentence(check),
        runbook: check.runbook.clone(),
        since_us: check.since.as_ref().and_then(|it| when::instant("since", &it.at).ok()),
        pending_for_us: 0,
    })
}

/// What an alert is about, for people and in one line: `checkout-p95 route=/orders`.
pub(super) fn name(rule: &str, alert: &Alert) -> String {
    let fields = alert.group.iter().map(|(field, value)| format!(" {field}={value}"));
    one_line(&format!("{rule}{}", fields.collect::<String>())).into_owned()
}

/// The same with its time and its numbers.
pub(super) fn since(rule: &str, alert: &Alert) -> String {
    format!("{} since {}: {}", name(rule, alert), format_ts(alert.since_us), alert.summary)
}

impl From<AlertError> for Failure {
    fn from(error: AlertError) -> Self {
        match &error {
            AlertError::Unset { variable, .. } => Self::caused(&CONFIG, &error)
                .hint(format!("set {variable}, or take the receiver out of plimsoll.toml")),
            AlertError::Locked { .. } => Self::caused(&STORE, &error)
                .hint("a collector that runs sends the alerts; end one of the two"),
            _ => Self::caused(&UNWRITABLE, &error),
        }
    }
}
