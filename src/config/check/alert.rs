//! Alerts and their receivers.

use std::time::Duration;

use url::Url;

use super::super::checked::{Alert, CheckSeverity, Receiver, ReceiverUrl, Secret};
use super::super::raw::{Placed, RawAlert, RawReceiver, UrlText};
use super::entry::{Seen, label};
use super::value::Bounds;
use super::{Checker, HOUR, MINUTE, MONTH, SECOND};

const INTERVAL: Bounds<Duration> = Bounds(SECOND, HOUR);
const WINDOW: Bounds<Duration> = Bounds(Duration::from_secs(10), Duration::from_hours(24 * 7));
const REPEAT: Bounds<Duration> = Bounds(MINUTE, MONTH);
const GROUP_WAIT: Bounds<Duration> = Bounds(Duration::ZERO, HOUR);
/// Longest address, in bytes.
const MAX_URL_LEN: usize = 2_048;
/// What an address begins with that stands in a variable.
const VARIABLE: &str = "env:";

impl Checker<'_, '_> {
    pub(super) fn alert(&mut self, raw: &RawAlert) -> Alert {
        Alert {
            interval: self.length("alert.interval", raw.interval.as_ref(), INTERVAL),
            window: self.length("alert.window", raw.window.as_ref(), WINDOW),
            repeat: self.length("alert.repeat", raw.repeat.as_ref(), REPEAT),
            group_wait: self.length("alert.group_wait", raw.group_wait.as_ref(), GROUP_WAIT),
        }
    }

    pub(super) fn receivers(&mut self, raw: &[Placed<RawReceiver>]) -> Vec<Receiver> {
        let mut seen = Seen::new();
        let mut receivers = Vec::new();
        for (index, placed) in raw.iter().enumerate() {
            let raw = placed.value();
            let is_taken = |name: &str| seen.contains_key(name);
            let label = label("receiver", index, raw.name.as_ref(), is_taken);
            self.once(&label, "name", raw.name.as_ref(), &mut seen);
            let url = raw.url.as_ref().and_then(|url| self.address(&format!("{label}.url"), url));
            let mut severities: Vec<CheckSeverity> = Vec::new();
            for severity in raw.severities.iter().flatten().map(|word| *word.value()) {
                if !severities.contains(&severity) {
                    severities.push(severity);
                }
            }
            let (Some(name), Some(kind), Some(url)) = (&raw.name, &raw.kind, url) else { continue };
            let (name, kind) = (name.value().clone(), *kind.value());
            receivers.push(Receiver { name, kind, url, severities });
        }
        receivers
    }

    /// `None` stands for what is wrong.
    fn address(&mut self, key: &str, raw: &Placed<UrlText>) -> Option<ReceiverUrl> {
        let written = raw.value().as_ref();
        let Some(variable) = written.strip_prefix(VARIABLE) else {
            if is_address(written) {
                return Some(ReceiverUrl::Given(Secret(written.to_owned())));
            }
            let need = "must be a web address (http, https) or `env:NAME`";
            self.findings.value(&raw.span(), key, need, None);
            return None;
        };
        let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
        if variable.is_empty() || variable.len() > 64 || !variable.chars().all(is_plain) {
            let need = "must name a variable after `env:`";
            self.findings.value(&raw.span(), key, need, None);
            return None;
        }
        let found = self.environment.iter().find(|(name, _)| name == variable);
        match found.map(|(_, text)| text.trim()).filter(|text| !text.is_empty()) {
            None => Some(ReceiverUrl::Unset(variable.to_owned())),
            Some(text) if is_address(text) => Some(ReceiverUrl::Given(Secret(text.to_owned()))),
            Some(_) => {
                let message = format!(
                    "`{key}` names the variable `{variable}`, which must hold a web address \
                     (http, https)"
                );
                self.findings.report(&raw.span(), key, &message, None);
                None
            }
        }
    }
}

/// Whether something can be sent there.
fn is_address(text: &str) -> bool {
    let url = Url::parse(text).ok().filter(|_| text.len() <= MAX_URL_LEN);
    url.is_some_and(|url| matches!(url.scheme(), "http" | "https") && url.has_host())
}
