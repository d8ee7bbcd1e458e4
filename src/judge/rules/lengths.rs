//! Several lengths of time up to now at once.
//!
//! A short time shows at once what is plain, a long one what needs many requests or events to be
//! seen: which of them a log can fill need not be known beforehand. All their tests are corrected
//! together, so looking more often raises no more false alarms.

use super::windows::Windows;
use super::{Draft, Judged, Scene, worst};
use crate::model::{Evidence, Unit};
use crate::rule::{Limit, Measure, Rule, Term};
use crate::stats::{
    Outcome,
    correction::benjamini_hochberg,
    normal::{Z_98, upper_tail},
};

/// The windows of a moment: the one that is judged, and those of several lengths.
pub(super) struct Lengths {
    pub(super) usual: Windows,
    several: Vec<Windows>,
}

impl Lengths {
    pub(super) fn of(scene: &Scene<'_>) -> Self {
        let of_length =
            |len_us: &i64| scene.calendar.windows(scene.now_us, *len_us, scene.compared);
        Self { usual: scene.windows(), several: scene.lengths_us.iter().map(of_length).collect() }
    }

    /// The windows over which a rule is judged, shortest first. Only where each term is a test of
    /// a change: a limit without a test would be tried more often with nothing to pay for it. A
    /// rule with `for` asks for one length by itself.
    pub(super) fn of_rule(&self, rule: &Rule) -> &[Windows] {
        let are_tests = rule.hold.is_none() && rule.terms.iter().all(is_test_of_change);
        if !self.several.is_empty() && are_tests {
            return &self.several;
        }
        std::slice::from_ref(&self.usual)
    }
}

/// Whether a term tests a change of what windows of any length can tell.
fn is_test_of_change(term: &Term) -> bool {
    match (&term.measure, &term.limit) {
        (Measure::Shift(_), _) => true,
        (measure, Limit::Baseline(_)) => {
            matches!(measure, Measure::Share(_) | Measure::Count | Measure::Rate)
        }
        _ => false,
    }
}

/// Leaves out the lengths of a group that can't tell where another can; of none that can, the
/// longest is kept. Those of a group stand together, shortest first.
pub(super) fn telling(mut drafts: Vec<Draft<'_>>) -> Vec<Draft<'_>> {
    let several = drafts.chunk_by_mut(is_same).filter(|lengths| lengths.len() > 1);
    several.for_each(without_chance);
    one_of_each(drafts, |kept, next| match (outcome(kept), outcome(next)) {
        (Outcome::Inconclusive, _) => Kept::Next,
        (_, Outcome::Inconclusive) => Kept::First,
        _ => Kept::Both,
    })
}

/// A warning is a change that one test alone would take for real: of several lengths, one that is
/// so among all of them.
fn without_chance(lengths: &mut [Draft<'_>]) {
    let most = lengths.iter().map(|draft| draft.terms.len()).max().unwrap_or_default();
    for place in 0..most {
        let mut terms: Vec<&mut Judged> =
            lengths.iter_mut().filter_map(|draft| draft.terms.get_mut(place)).collect();
        let p_value = |judged: &&mut Judged| p_unchanged(&judged.evidence).unwrap_or(f64::NAN);
        let adjusted = benjamini_hochberg(&terms.iter().map(p_value).collect::<Vec<f64>>());
        for (judged, adjusted) in terms.iter_mut().zip(adjusted) {
            if judged.outcome == Outcome::Warn && adjusted > upper_tail(Z_98) {
                judged.outcome = Outcome::Pass;
                "no change can be told among all lengths of time".clone_into(&mut judged.reason);
            }
        }
    }
}

/// Chance of such a change where there is none, from the half of the range towards none. What the
/// evidence holds is the chance at the limit.
fn p_unchanged(evidence: &Evidence) -> Option<f64> {
    let [lo, hi] = evidence.interval?;
    let estimate = match (evidence.unit, evidence.baseline, evidence.actual) {
        (Unit::Ratio, Some(before), Some(now)) => (now - before) * 100.0,
        _ => evidence.change_pct?,
    };
    let half = if estimate > 0.0 { estimate - lo } else { hi - estimate };
    (half > 0.0).then(|| upper_tail(estimate.abs() / half * Z_98))
}

/// The worst of all lengths of each group, after the correction. Of what is broken that is the
/// shortest, which says what is so now, of what holds the longest, which rests on most.
pub(super) fn worst_of_each(drafts: Vec<Draft<'_>>) -> Vec<Draft<'_>> {
    one_of_each(drafts, |kept, next| match (outcome(kept), outcome(next)) {
        (Outcome::Fail, _) | (Outcome::Warn, Outcome::Pass | Outcome::Warn) => Kept::First,
        _ => Kept::Next,
    })
}

enum Kept {
    First,
    Next,
    Both,
}

fn one_of_each<'a>(
    drafts: Vec<Draft<'a>>,
    choose: impl Fn(&Draft<'a>, &Draft<'a>) -> Kept,
) -> Vec<Draft<'a>> {
    let mut kept: Vec<Draft<'a>> = Vec::new();
    for draft in drafts {
        match kept.last_mut().filter(|last| is_same(last, &draft)) {
            Some(last) => match choose(last, &draft) {
                Kept::First => {}
                Kept::Next => *last = draft,
                Kept::Both => kept.push(draft),
            },
            None => kept.push(draft),
        }
    }
    kept
}

/// Whether two are about the same in several lengths of time.
fn is_same(one: &Draft<'_>, other: &Draft<'_>) -> bool {
    std::ptr::eq(one.check, other.check) && one.group == other.group
}

fn outcome(draft: &Draft<'_>) -> Outcome {
    worst(&draft.terms)
}
