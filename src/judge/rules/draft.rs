//! A check for one group on its way to a verdict: its terms, corrected among all, and the worst.

use super::term::{Judged, Muting, muting};
use super::windows::Windows;
use super::{Check, Checked, since};
use crate::config::NoData;
use crate::model::{CheckResult, CheckSeverity, Evidence, Group, TermResult, Unit, Verdict};
use crate::rule::Term;
use crate::stats::{Outcome, correction::benjamini_hochberg};

/// A check for one group before its verdict.
pub(super) struct Draft<'a> {
    pub(super) check: &'a Check,
    pub(super) group: Group,
    pub(super) windows: &'a Windows,
    pub(super) terms: Vec<Judged>,
    pub(super) since: Option<since::Found>,
}

/// What is worst among the terms: broken beyond doubt, else what cannot be told.
pub(super) fn worst(terms: &[Judged]) -> Outcome {
    let rank = |outcome: Outcome| match outcome {
        Outcome::Pass => 0,
        Outcome::Warn => 1,
        Outcome::Inconclusive => 2,
        Outcome::Fail => 3,
    };
    let outcomes = terms.iter().map(|judged| judged.outcome);
    outcomes.max_by_key(|outcome| rank(*outcome)).unwrap_or(Outcome::Inconclusive)
}

/// A rate that is just reached on paper is reached.
const ROUNDING: f64 = 1.0 + 1e-9;

/// Corrects the p-values of tests together; what is then not beyond doubt is a warning.
///
/// A test whose rule asks for a rate of its own is weighed so that, alone, it keeps that rate.
/// Source: Genovese, Roeder & Wasserman, False Discovery Control with p-Value Weighting, 2006.
pub(super) fn correct(terms: Vec<&mut Judged>, level: f64) {
    let weight = |judged: &Judged| judged.rate.map_or(1.0, |rate| rate / level);
    let p_value = |judged: &Judged| judged.evidence.p_value.unwrap_or(f64::NAN);
    let weighted = |judged: &&mut Judged| p_value(judged) / weight(judged);
    let p_values: Vec<f64> = terms.iter().map(weighted).collect();
    for (judged, adjusted) in terms.into_iter().zip(benjamini_hochberg(&p_values)) {
        if adjusted.is_nan() {
            continue;
        }
        judged.evidence.p_value = Some((adjusted * weight(judged)).min(1.0));
        if judged.outcome == Outcome::Fail && adjusted > level * ROUNDING {
            judged.outcome = Outcome::Warn;
            "broken, but not beyond doubt among all that was tested".clone_into(&mut judged.reason);
        }
    }
}

impl<'a> Draft<'a> {
    /// What is not asked by a field and has one part.
    pub(super) fn of_one(check: &'a Check, windows: &'a Windows, judged: Judged) -> Self {
        Self { check, group: Group::new(), windows, terms: vec![judged], since: None }
    }

    /// The muted events because of which it does not count that it does not hold.
    fn muted(&self) -> Option<String> {
        let windows = self.windows;
        let is_muted = |muting: Muting| match muting {
            Muting::Whole => true,
            Muting::Now => windows.is_whole() || windows.is_muted_now,
            Muting::Cut => windows.is_whole(),
        };
        let is_broken = |(_, judged): &(usize, &Judged)| judged.outcome != Outcome::Pass;
        let mut broken = self.terms.iter().enumerate().filter(is_broken);
        let muting_of = |place: usize| match &self.check.checked {
            Checked::Rule(rule) => rule.terms.get(place).map_or(Muting::Cut, muting),
            Checked::Slo { .. } => Muting::Now,
        };
        let muted = windows.muted.clone();
        muted.filter(|_| broken.all(|(place, _)| is_muted(muting_of(place))))
    }

    /// The check with its verdict; its window is told where it is not the usual one.
    pub(super) fn result(self, usual: &Windows) -> CheckResult {
        let outcome = worst(&self.terms);
        let muted = self.muted();
        let Self { check, group, windows, terms, since } = self;
        let verdict = verdict(outcome, check);
        let shown = terms.iter().find(|judged| judged.outcome == outcome);
        let nothing = Judged::nothing("there is nothing to judge");
        let shown = shown.unwrap_or(&nothing).clone();
        let parts = match &check.checked {
            Checked::Rule(rule) if rule.terms.len() > 1 => {
                let part = |(term, judged): (&Term, &Judged)| TermResult {
                    expr: term.to_string(),
                    verdict: self::verdict(judged.outcome, check),
                    evidence: judged.evidence.clone(),
                    reason: judged.reason.clone(),
                };
                rule.terms.iter().zip(&terms).map(part).collect()
            }
            _ => Vec::new(),
        };
        let (file, line, column) = match check.place.clone() {
            Some((file, line, column)) => (Some(file), Some(line), Some(column)),
            None => (None, None, None),
        };
        CheckResult {
            id: check.id.clone(),
            kind: check.kind,
            expr: check.expr.clone(),
            severity: check.severity,
            verdict,
            group,
            window: (windows.current != usual.current).then(|| windows.current.into()),
            evidence: shown.evidence,
            since: since.as_ref().map(|found| found.since.clone()),
            linked_event: since.and_then(|found| found.event),
            reason: shown.reason,
            critical: check.critical,
            shadow: check.shadow,
            weight: check.weight,
            runbook: check.runbook.clone(),
            file,
            line,
            column,
            accepted: None,
            muted: muted.filter(|_| matches!(verdict, Verdict::Warn | Verdict::Fail)),
            terms: parts,
        }
    }
}

fn verdict(outcome: Outcome, check: &Check) -> Verdict {
    let worst = match check.severity {
        CheckSeverity::Warn => Verdict::Warn,
        CheckSeverity::Fail => Verdict::Fail,
    };
    match (outcome, check.no_data) {
        (Outcome::Pass, _) => Verdict::Pass,
        (Outcome::Inconclusive, NoData::Inconclusive) => Verdict::Inconclusive,
        (Outcome::Warn, _) | (Outcome::Inconclusive, NoData::Warn) => Verdict::Warn,
        (Outcome::Fail, _) | (Outcome::Inconclusive, NoData::Fail) => worst,
    }
}

impl Judged {
    /// Nothing can be told, and there is no number to show.
    pub(super) fn nothing(reason: &str) -> Self {
        let evidence = Evidence {
            metric: String::new(),
            actual: None,
            limit: None,
            cmp: String::new(),
            unit: Unit::Count,
            baseline: None,
            change_pct: None,
            interval: None,
            p_value: None,
            n: [0, 0],
        };
        let (outcome, reason) = (Outcome::Inconclusive, reason.to_owned());
        Self { outcome, evidence, reason, rate: None }
    }
}
