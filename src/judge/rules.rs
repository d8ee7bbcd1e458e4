//! Judges rules and objectives by what was measured for them.
//!
//! ```text
//! rules ─▶ gauge     questions for one reading, and the measure over any windows
//!          windows   the time that is judged, and the like time before it
//!           └ known   events whose time is left out, matched or muted
//!          lengths   several lengths of it at once, and the worst of what they tell
//!          term      one comparison for one group: outcome, evidence, p-value
//!           ├ level   against the baseline's level, with an interval
//!           └ series  against usual windows, against the newest change point, novelty
//!          slo       burn rates of objectives
//!          since     when a measure that is broken changed, and what happened then
//! ```
//! All tests of a run are corrected together: a change that is not beyond doubt among so many is a
//! warning. A fixed limit is a fact and needs no test, except where it is tried on many groups.

mod before;
mod configured;
mod gauge;
mod groups;
mod hold;
mod known;
mod lengths;
mod level;
mod reach;
mod recipe;
mod saved;
mod series;
mod shelf;
mod since;
mod slo;
mod term;
#[cfg(test)]
mod tests;
mod windows;

use std::cell::LazyCell;
use std::collections::BTreeMap;
use std::time::Duration;

pub use configured::{Misread, PlaceOf, of_config, of_gate, of_text};
pub use known::matched_since_us;
pub use recipe::{of_recorded, recorded};
pub use saved::{Making, Summary, SummaryRow, baseline_of, summary};
pub use windows::{Calendar, Compared, Windows};

use self::before::{Before, Saved};
use self::gauge::{Gauge, questions};
use self::groups::{LeftOut, Traffic};
use self::lengths::Lengths;
use self::shelf::{Answers, Shelf};
use self::term::{Judged, Muting, Situation, muting};
use self::windows::slot;
use crate::baseline::{Baseline, MeasureKey};
use crate::config::NoData;
use crate::model::{
    CheckKind, CheckResult, CheckSeverity, Evidence, Group, TermResult, Verdict, time_zone,
    whole_us,
};
use crate::query::{Measured, Question};
use crate::rule::{Field, Filter, Rule, Term};
use crate::stats::{Outcome, correction::benjamini_hochberg};

/// What is checked.
#[derive(Clone, Debug)]
pub enum Checked {
    /// A rule.
    Rule(Rule),
    /// An objective.
    Slo {
        /// Which events are good.
        good: Filter,
        /// Share of good events to reach, between 0 and 1.
        objective: f64,
        /// Time over which the share is taken.
        period: Duration,
    },
}

/// One check as it is configured.
#[derive(Clone, Debug)]
pub struct Check {
    /// Its id.
    pub id: String,
    /// What kind of check.
    pub kind: CheckKind,
    /// What must hold, as written.
    pub expr: String,
    /// The same, understood.
    pub checked: Checked,
    /// What it means when it does not hold.
    pub severity: CheckSeverity,
    /// What it means when nothing can be told.
    pub no_data: NoData,
    /// Whether it decides alone.
    pub critical: bool,
    /// Whether it is shown but does not count.
    pub shadow: bool,
    /// Its share of the score.
    pub weight: f64,
    /// Fewest values for a say.
    pub min_samples: u64,
    /// Where to read what to do.
    pub runbook: Option<String>,
    /// File, line and column.
    pub place: Option<(String, u32, u32)>,
}

/// Checks with the questions they ask of the data.
#[derive(Clone, Debug)]
pub struct Checks {
    checks: Vec<Check>,
    /// By check and term: places of its questions.
    places: Vec<Vec<Vec<usize>>>,
    questions: Vec<Question>,
}

/// When and by what the checks are judged.
pub struct Scene<'a> {
    /// From what the windows are chosen.
    pub calendar: Calendar<'a>,
    /// End of the current window, microseconds.
    pub now_us: i64,
    /// Its length, microseconds.
    pub len_us: i64,
    /// Lengths, shortest first, over each of which rules that test a change are judged instead.
    pub lengths_us: &'a [i64],
    /// What it is compared with.
    pub compared: Compared,
    /// A saved baseline that stands in for what was before.
    pub saved: Option<&'a Baseline>,
    /// Share of runs without any change in which a test may say there is one.
    pub level: f64,
    /// Fields that no sample has, with what to say of them if no record has them either.
    pub missing: &'a BTreeMap<String, String>,
}

impl Scene<'_> {
    /// The windows of this moment.
    pub fn windows(&self) -> Windows {
        self.windows_before(0)
    }

    /// What to say of the first of these fields that no sample has.
    fn missing<'f>(&self, mut fields: impl Iterator<Item = &'f Field>) -> Option<&str> {
        fields.find_map(|field| self.missing.get(&field.name)).map(String::as_str)
    }

    fn windows_before(&self, back_us: i64) -> Windows {
        let back_us = whole_us(back_us, self.calendar.grain_us);
        self.calendar.windows(self.now_us - back_us, self.len_us, self.compared)
    }

    /// The saved side of a term, if a saved baseline is asked.
    fn saved(&self, term: &Term, rule: &Rule, windows: &Windows) -> Option<Saved<'_>> {
        let baseline = self.saved?;
        let measure = baseline.measure(&MeasureKey::of(&term.measure, rule));
        // The hours of its windows are those of the zone in which it was saved.
        let zone = time_zone(&baseline.zone).unwrap_or_else(|| self.calendar.zone.clone());
        Some(Saved { baseline, measure, slot: slot(windows.current, self.len_us, &zone) })
    }
}

/// What checks came to.
#[derive(Clone, Debug)]
pub struct Judgement {
    /// Their results, in their order.
    pub results: Vec<CheckResult>,
    /// Groups that were not judged, a sentence for each check. Log text.
    pub left_out: Vec<String>,
}

impl Checks {
    /// Finds the questions; equal ones are asked once.
    pub fn new(checks: Vec<Check>) -> Self {
        let mut asked: Vec<Question> = Vec::new();
        let mut place = |question: Question| {
            asked.iter().position(|known| *known == question).unwrap_or_else(|| {
                asked.push(question);
                asked.len() - 1
            })
        };
        let mut ask = |questions: Vec<Question>| -> Vec<usize> {
            questions.into_iter().map(&mut place).collect()
        };
        let places = checks
            .iter()
            .map(|check| match &check.checked {
                Checked::Rule(rule) => {
                    rule.terms.iter().map(|term| ask(questions(&term.measure, rule))).collect()
                }
                Checked::Slo { good, .. } => vec![ask(slo::questions(good))],
            })
            .collect();
        Self { checks, places, questions: asked }
    }

    /// The checks, in their order.
    pub fn checks(&self) -> &[Check] {
        &self.checks
    }

    /// What must be measured.
    pub fn questions(&self) -> &[Question] {
        &self.questions
    }

    /// Every field that any check reads.
    pub fn fields(&self) -> impl Iterator<Item = &Field> {
        self.checks.iter().flat_map(|check| -> Vec<&Field> {
            match &check.checked {
                Checked::Rule(rule) => rule.fields().collect(),
                Checked::Slo { good, .. } => good.fields().collect(),
            }
        })
    }

    /// Whether any check compares with something else than a fixed limit.
    pub fn need_baseline(&self) -> bool {
        self.checks.iter().any(|check| match &check.checked {
            Checked::Rule(rule) => rule.terms.iter().any(term::needs_baseline),
            Checked::Slo { .. } => false,
        })
    }

    /// Judges all checks at the moment of the scene, in their order.
    pub fn judge(&self, measured: &Measured, scene: &Scene<'_>) -> Judgement {
        let lengths = Lengths::of(scene);
        let windows = &lengths.usual;
        let (values, mut answers) = (Shelf::default(), Answers::new(measured));
        // Checks that ask the same follow each other, so that what was measured is at hand.
        let mut order: Vec<(&Vec<Vec<usize>>, usize)> = self.places.iter().zip(0..).collect();
        order.sort();
        let mut drafts: Vec<(usize, Draft<'_>)> = Vec::new();
        let mut left_out: Vec<(usize, String)> = Vec::new();
        for (places, at) in order {
            let Some(check) = self.checks.get(at) else { continue };
            match &check.checked {
                Checked::Rule(rule) => {
                    let (judged, left) = judge_rule(
                        check,
                        rule,
                        places,
                        (&values, &mut answers),
                        (measured, scene, &lengths),
                    );
                    drafts.extend(judged.into_iter().map(|draft| (at, draft)));
                    left_out.extend(left.note(&check.id, rule).map(|note| (at, note)));
                }
                Checked::Slo { good, objective, period } => {
                    let places = places.first().map(Vec::as_slice).unwrap_or_default();
                    let watched = slo::watched(*objective, *period);
                    let missing = scene.missing(good.fields());
                    let moment = (scene.now_us, missing);
                    let judged = slo::judge(measured, places, moment, watched);
                    drafts.push((at, Draft::of_one(check, windows, judged)));
                }
            }
        }
        drafts.sort_by_key(|(at, _)| *at);
        let mut drafts: Vec<Draft<'_>> = drafts.into_iter().map(|(_, draft)| draft).collect();
        // What is only shown must not make what counts more or less sure.
        for is_shadow in [false, true] {
            let of_family = |draft: &&mut Draft<'_>| draft.check.shadow == is_shadow;
            let terms = drafts.iter_mut().filter(of_family).flat_map(|draft| &mut draft.terms);
            correct(terms.collect(), scene.level);
        }
        let worst = lengths::worst_of_each(drafts).into_iter();
        let results = worst.map(|draft| draft.result(windows)).collect();
        left_out.sort();
        let left_out = left_out.into_iter().map(|(_, note)| note).collect();
        Judgement { results, left_out }
    }
}

/// A check for one group before its verdict.
struct Draft<'a> {
    check: &'a Check,
    group: Group,
    windows: &'a Windows,
    terms: Vec<Judged>,
    since: Option<since::Found>,
}

/// What is needed to judge: the data, the moment, its windows.
type At<'a> = (&'a Measured, &'a Scene<'a>, &'a Lengths);

fn judge_rule<'a>(
    check: &'a Check,
    rule: &'a Rule,
    places: &[Vec<usize>],
    (shelf, answers): (&Shelf, &mut Answers<'_>),
    (measured, scene, lengths): At<'a>,
) -> (Vec<Draft<'a>>, LeftOut) {
    let usual = &lengths.usual;
    let mut left_out = LeftOut::default();
    let gauges: Vec<Gauge<'_>> = rule
        .terms
        .iter()
        .zip(places)
        .filter_map(|(term, places)| Gauge::new(&term.measure, (shelf, answers), places))
        .collect();
    let missing = scene.missing(rule.fields());
    if let Some(text) = missing.filter(|_| gauges.iter().any(|gauge| gauge.is_empty(usual.span))) {
        let mut nothing = Judged::nothing(text);
        nothing.evidence.metric =
            rule.terms.first().map(|term| term.measure.to_string()).unwrap_or_default();
        return (vec![Draft::of_one(check, usual, nothing)], left_out);
    }
    let Some(first) = gauges.first() else { return (Vec::new(), left_out) };
    let groups = left_out.groups(first);
    let judge = |group: Option<&str>, windows: &Windows| -> Vec<Judged> {
        let situation = Situation {
            windows,
            min_samples: check.min_samples,
            has_events: windows.judged.iter().any(|part| measured.events_within(*part) > 0),
        };
        let terms = rule.terms.iter().zip(&gauges);
        let judge = |(term, gauge)| {
            let saved = scene.saved(term, rule, windows);
            term::judge(term, Before { gauge, group, windows, saved }, &situation)
        };
        terms.map(judge).collect()
    };
    let earlier =
        LazyCell::new(|| rule.hold.map_or_else(Vec::new, |hold| hold::moments(scene, hold)));
    let mut drafts = Vec::new();
    let several = lengths.of_rule(rule);
    let cases = groups.iter().flat_map(|group| several.iter().map(move |it| (group, it)));
    for (group, windows) in cases {
        let mut terms = judge(group.as_deref(), windows);
        if rule.hold.is_some() && worst(&terms) == Outcome::Fail {
            let lasted = hold::lasted(&earlier, |earlier| worst(&judge(group.as_deref(), earlier)));
            for judged in &mut terms {
                judged.has_lasted(lasted);
            }
        }
        let broken = terms.iter().position(|judged| judged.outcome == Outcome::Fail);
        let changed = broken.and_then(|place| Some((rule.terms.get(place)?, gauges.get(place)?)));
        let since = changed.and_then(|(term, gauge)| {
            let before = Before { gauge, group: group.as_deref(), windows, saved: None };
            since::of(term, before, scene)
        });
        let name = rule.per.as_ref().zip(group.as_ref());
        let group = name.map(|(field, value)| (field.name.clone(), value.clone()));
        drafts.push(Draft { check, group: group.into_iter().collect(), windows, terms, since });
    }
    let compared = rule.terms.iter().zip(&gauges).find(|(term, _)| term::needs_baseline(term));
    let drafts = left_out.without_thin(lengths::telling(drafts), |draft| {
        let Some((term, gauge)) = compared else { return Traffic::Thin };
        let group = draft.group.values().next().map(String::as_str);
        let windows = draft.windows;
        let saved = scene.saved(term, rule, windows);
        Traffic::of(&Before { gauge, group, windows, saved }, check.min_samples)
    });
    (drafts, left_out)
}

fn worst(terms: &[Judged]) -> Outcome {
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
fn correct(terms: Vec<&mut Judged>, level: f64) {
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
    fn of_one(check: &'a Check, windows: &'a Windows, judged: Judged) -> Self {
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

    fn result(self, usual: &Windows) -> CheckResult {
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
    fn nothing(reason: &str) -> Self {
        let evidence = Evidence {
            metric: String::new(),
            actual: None,
            limit: None,
            cmp: String::new(),
            unit: crate::model::Unit::Count,
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
