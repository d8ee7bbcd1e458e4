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
//!          draft     a check for one group: all tests corrected together, then its verdict
//!          since     when a measure that is broken changed, and what happened then
//! ```
//! All tests of a run are corrected together: a change that is not beyond doubt among so many is a
//! warning. A fixed limit is a fact and needs no test, except where it is tried on many groups.

mod before;
mod configured;
mod draft;
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
use std::num::NonZero;
use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, ScopedJoinHandle};
use std::time::Duration;

pub use configured::{Misread, PlaceOf, of_config, of_gate, of_text};
pub use known::matched_since_us;
pub use recipe::{of_recorded, recorded};
pub use saved::{Making, Summary, SummaryRow, baseline_of, summary};
pub use windows::{Calendar, Compared, Windows};

use self::before::{Before, Saved};
use self::draft::{Draft, correct, worst};
use self::gauge::{Gauge, questions};
use self::groups::{LeftOut, Traffic};
use self::lengths::Lengths;
use self::shelf::{Answers, Shelf};
use self::term::{Judged, Situation};
use self::windows::slot;
use crate::baseline::{Baseline, MeasureKey};
use crate::config::NoData;
use crate::model::{CheckKind, CheckResult, CheckSeverity, time_zone, whole_us};
use crate::query::{Measured, Question};
use crate::rule::{Field, Filter, Rule, Term};
use crate::stats::Outcome;

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
        // Checks that ask the same are judged together: what is measured for one serves the others.
        let mut order: Vec<Asked<'_>> = self.places.iter().zip(0..).collect();
        order.sort();
        let asked: Vec<&[Asked<'_>]> = order.chunk_by(|a, b| a.0 == b.0).collect();
        let next = AtomicUsize::new(0);
        let judge = || {
            let mut judged = Vec::new();
            while let Some(same) = asked.get(next.fetch_add(1, Ordering::Relaxed)) {
                judged.extend(self.judge_alike(same, (measured, scene, &lengths)));
            }
            judged
        };
        let mut judged = thread::scope(|scope| {
            let helping: Vec<_> = (1..threads()).map(|_| scope.spawn(judge)).collect();
            let helped = helping.into_iter().map(ScopedJoinHandle::join);
            let others = helped.map(|judged| judged.unwrap_or_else(|panic| resume_unwind(panic)));
            let mut judged = judge();
            judged.extend(others.flatten());
            judged
        });
        judged.sort_by_key(|(at, ..)| *at);
        let (mut drafts, mut left_out) = (Vec::new(), Vec::new());
        for (_, of_check, note) in judged {
            drafts.extend(of_check);
            left_out.extend(note);
        }
        // What is only shown must not make what counts more or less sure.
        for is_shadow in [false, true] {
            let of_family = |draft: &&mut Draft<'_>| draft.check.shadow == is_shadow;
            let terms = drafts.iter_mut().filter(of_family).flat_map(|draft| &mut draft.terms);
            correct(terms.collect(), scene.level);
        }
        let worst = lengths::worst_of_each(drafts).into_iter();
        let results = worst.map(|draft| draft.result(windows)).collect();
        Judgement { results, left_out }
    }

    /// Checks of the same questions, by their numbers, each with what to say of what was left out.
    fn judge_alike<'a>(
        &'a self,
        same: &[Asked<'_>],
        (measured, scene, lengths): At<'a>,
    ) -> Vec<(usize, Vec<Draft<'a>>, Option<String>)> {
        let (values, mut answers) = (Shelf::default(), Answers::new(measured));
        let checks =
            same.iter().filter_map(|(places, at)| Some((self.checks.get(*at)?, places, *at)));
        checks
            .map(|(check, places, at)| match &check.checked {
                Checked::Rule(rule) => {
                    let from = (&values, &mut answers);
                    let (drafts, left) =
                        judge_rule(check, rule, places, from, (measured, scene, lengths));
                    (at, drafts, left.note(&check.id, rule))
                }
                Checked::Slo { good, objective, period } => {
                    let places = places.first().map(Vec::as_slice).unwrap_or_default();
                    let watched = slo::watched(*objective, *period);
                    let moment = (scene.now_us, scene.missing(good.fields()));
                    let judged = slo::judge(measured, places, moment, watched);
                    (at, vec![Draft::of_one(check, &lengths.usual, judged)], None)
                }
            })
            .collect()
    }
}

/// Places of a check's questions by term, and its number.
type Asked<'a> = (&'a Vec<Vec<usize>>, usize);

/// Threads that judge: each may hold the values of a long window.
fn threads() -> usize {
    const MOST: usize = 4;
    thread::available_parallelism().map_or(1, NonZero::get).min(MOST)
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
