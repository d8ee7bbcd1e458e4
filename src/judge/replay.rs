//! A decision judged again: from its own evidence, or from what was measured anew.

use std::fmt::Display;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::gate;
use crate::model::{CheckResult, Decision, Evidence, Group, OnNoData};

/// Numbers that differ by less, relative to themselves, are the same: text keeps no last digit.
const SAME_RATIO: f64 = 1e-9;

/// Something that did not come out as it was recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Difference {
    /// What: `score`, or `p95-orders (route /api/orders): verdict`. May hold log text.
    pub what: String,
    /// As recorded.
    pub recorded: String,
    /// As it came out now.
    pub now: String,
}

/// What the recorded checks come to by themselves, held against the recorded answer.
///
/// The answer of several measurements is not that of the last one, which is recorded: it is left
/// alone.
pub fn by_evidence(decision: &Decision) -> Vec<Difference> {
    let recipe = decision.recipe.as_ref();
    let on_no_data = recipe.map_or(OnNoData::Hold, |recipe| recipe.on_no_data);
    let found = gate::outcome(&decision.checks, decision.thresholds, on_no_data);
    let coverage =
        gate::coverage(&decision.checks, decision.coverage.records, decision.coverage.skipped);
    let mut all = Differences::default();
    if recipe.is_none_or(|recipe| recipe.measurements <= 1) {
        all.text("decision", decision.decision.as_str(), found.answer.as_str());
        all.text("needs_human", decision.needs_human, found.needs_human);
    }
    all.text("verdict", decision.verdict.as_str(), found.verdict.as_str());
    all.number("score", decision.score, found.score);
    all.text("coverage", format!("{:?}", decision.coverage), format!("{coverage:?}"));
    all.found
}

/// What came out otherwise when everything was measured again.
pub fn by_measuring(recorded: &Decision, again: &Decision) -> Vec<Difference> {
    let mut all = Differences::default();
    let same_answer = recorded.recipe.as_ref().is_none_or(|recipe| recipe.measurements <= 1);
    if same_answer {
        all.text("decision", recorded.decision.as_str(), again.decision.as_str());
    }
    all.text("verdict", recorded.verdict.as_str(), again.verdict.as_str());
    all.number("score", recorded.score, again.score);
    let is_same =
        |one: &CheckResult, other: &CheckResult| one.id == other.id && one.group == other.group;
    for check in &recorded.checks {
        let name = name(&check.id, &check.group);
        match again.checks.iter().find(|other| is_same(check, other)) {
            Some(other) => all.check(&name, check, other),
            None => all.text(&name, check.verdict.as_str(), "is not there"),
        }
    }
    for check in &again.checks {
        if !recorded.checks.iter().any(|other| is_same(check, other)) {
            all.text(&name(&check.id, &check.group), "was not there", check.verdict.as_str());
        }
    }
    all.found
}

fn name(id: &str, group: &Group) -> String {
    let parts: Vec<String> = group.iter().map(|(key, value)| format!("{key} {value}")).collect();
    if parts.is_empty() { id.to_owned() } else { format!("{id} ({})", parts.join(", ")) }
}

#[derive(Default)]
struct Differences {
    found: Vec<Difference>,
}

impl Differences {
    fn text(&mut self, what: &str, recorded: impl Display, now: impl Display) {
        let (recorded, now) = (format!("{recorded}"), format!("{now}"));
        if recorded != now {
            self.found.push(Difference { what: what.to_owned(), recorded, now });
        }
    }

    fn number(&mut self, what: &str, recorded: Option<f64>, now: Option<f64>) {
        let is_same = match (recorded, now) {
            (Some(a), Some(b)) => (a - b).abs() <= SAME_RATIO * a.abs().max(b.abs()),
            (None, None) => true,
            _ => false,
        };
        if !is_same {
            let text = |value: Option<f64>| value.map_or("nothing".to_owned(), |v| v.to_string());
            self.text(what, text(recorded), text(now));
        }
    }

    fn check(&mut self, name: &str, recorded: &CheckResult, again: &CheckResult) {
        let (a, b) = (recorded.verdict.as_str(), again.verdict.as_str());
        self.text(&format!("{name}: verdict"), a, b);
        self.evidence(name, &recorded.evidence, &again.evidence);
        let counts = (recorded.terms.len(), again.terms.len());
        self.text(&format!("{name}: parts"), counts.0, counts.1);
        for (term, other) in recorded.terms.iter().zip(&again.terms) {
            let name = format!("{name}, {}", term.expr);
            let (a, b) = (term.verdict.as_str(), other.verdict.as_str());
            self.text(&format!("{name}: verdict"), a, b);
            self.evidence(&name, &term.evidence, &other.evidence);
        }
    }

    fn evidence(&mut self, name: &str, recorded: &Evidence, again: &Evidence) {
        let ends = |evidence: &Evidence| match evidence.interval {
            Some([lo, hi]) => [Some(lo), Some(hi)],
            None => [None, None],
        };
        let ([lo, hi], [lo_now, hi_now]) = (ends(recorded), ends(again));
        for (what, a, b) in [
            ("value", recorded.actual, again.actual),
            ("limit", recorded.limit, again.limit),
            ("baseline", recorded.baseline, again.baseline),
            ("change", recorded.change_pct, again.change_pct),
            ("interval from", lo, lo_now),
            ("interval to", hi, hi_now),
            ("p-value", recorded.p_value, again.p_value),
        ] {
            self.number(&format!("{name}: {what}"), a, b);
        }
        let counts = |n: [u64; 2]| format!("{} and {}", n[0], n[1]);
        self.text(&format!("{name}: n"), counts(recorded.n), counts(again.n));
    }
}
