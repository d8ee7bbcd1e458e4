//! Judges rules and objectives by what was measured for them.
//!
//! ```text
//! rules ─▶ gauge     questions for one reading, and the measure over any windows
//!          windows   the time that is judged, and the like time before it
//!          lengths   several of them at once: what each can tell, and the worst of it
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

use std::collections::BTreeMap;
use std::time::Duration;

pub use configured::{Misread, PlaceOf, of_config, of_gate, of_text};
pub use recipe::{of_recorded, recorded};
pub use saved::{Making, Summary, SummaryRow, baseline_of, summary};
pub use windows::{Calendar, Compared, Windows};

use self::before::{Before, Saved};
use self::gauge::{Gauge, questions};
use self::lengths::Lengths;
use self::shelf::{Answers, Shelf};
use self::term::{Judged, Situation};
use crate::baseline::{Baseline, MeasureKey};
use crate::config::NoData;
use crate::model::{
    CheckKind, CheckResult, CheckSeverity, Evidence, Group, Span, TermResult, Verdict, Window,
};
use crate::query::{Measured, Question};
use crate::rule::{Field, Filter, Rule, Term};
use crate::stats::{Outcome, correction::benjamini_hochberg};

/// Groups of a rule with `per` that are judged, most rows first.
const MAX_GROUPS: usize = 200;
/// Moments at which a rule with `for` must be broken, besides the last.
const MOMENTS: u32 = 4;

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
    pub lens_us: &'a [i64],
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
        self.windows_before(self.len_us, 0)
    }

    fn windows_before(&self, len_us: i64, back_us: i64) -> Windows {
        self.calendar.windows(self.now_us - back_us, len_us, self.compared)
    }

    /// The saved side of a term, if a saved baseline is asked.
    fn saved(&self, term: &Term, rule: &Rule, windows: &Windows) -> Option<Saved<'_>> {
        let baseline = self.saved?;
        let measure = baseline.measure(&MeasureKey::of(&term.measure, rule));
        Some(Saved { baseline, measure, slot: self.calendar.slot(windows.current, self.len_us) })
    }
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
    pub fn judge(&self, measured: &Measured, scene: &Scene<'_>) -> Vec<CheckResult> {
        let lengths = Lengths::of(scene);
        let (values, mut answers) = (Shelf::default(), Answers::new(measured));
        // Checks that ask the same follow each other, so that what was measured is at hand.
        let mut order: Vec<(&Vec<Vec<usize>>, usize)> = self.places.iter().zip(0..).collect();
        order.sort();
        let mut drafts: Vec<(usize, Draft<'_>)> = Vec::new();
        for (places, at) in order {
            let Some(check) = self.checks.get(at) else { continue };
            match &check.checked {
                Checked::Rule(rule) => {
                    let judged = judge_rule(
                        check,
                        rule,
                        places,
                        (&values, &mut answers),
                        (measured, scene, &lengths),
                    );
                    drafts.extend(judged.into_iter().map(|draft| (at, draft)));
                }
                Checked::Slo { good: _, objective, period } => {
                    let places = places.first().map(Vec::as_slice).unwrap_or_default();
                    let watched = slo::watched(*objective, *period);
                    let judged = slo::judge(measured, places, scene.now_us, watched);
                    drafts.push((at, Draft::of_all(check, judged)));
                }
            }
        }
        drafts.sort_by_key(|(at, _)| *at);
        let mut drafts: Vec<Draft<'_>> = drafts.into_iter().map(|(_, draft)| draft).collect();
        correct(&mut drafts, scene.level);
        lengths::worst_of_each(drafts).into_iter().map(Draft::result).collect()
    }
}

/// A check for one group before its verdict.
struct Draft<'a> {
    check: &'a Check,
    group: Group,
    /// The time that was judged, where it is not that of all.
    window: Option<Window>,
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
    (measured, scene, lengths): At<'_>,
) -> Vec<Draft<'a>> {
    let gauges: Vec<Gauge<'_>> = rule
        .terms
        .iter()
        .zip(places)
        .filter_map(|(term, places)| Gauge::new(&term.measure, (shelf, answers), places))
        .collect();
    let missing = rule.fields().find_map(|field| scene.missing.get(&field.name));
    if let Some(text) =
        missing.filter(|_| gauges.iter().any(|gauge| gauge.is_empty(lengths.span())))
    {
        let mut nothing = Judged::nothing(text);
        nothing.evidence.metric =
            rule.terms.first().map(|term| term.measure.to_string()).unwrap_or_default();
        return vec![Draft::of_all(check, nothing)];
    }
    let Some(first) = gauges.first() else { return Vec::new() };
    let groups = first.groups(MAX_GROUPS);
    let judge = |group: Option<&str>, windows: &Windows| -> Vec<Judged> {
        let situation = Situation {
            windows,
            min_samples: check.min_samples,
            has_events: measured.events_within(windows.current) > 0,
        };
        let terms = rule.terms.iter().zip(&gauges);
        let judge = |(term, gauge)| {
            let saved = scene.saved(term, rule, windows);
            term::judge(term, Before { gauge, group, windows, saved }, &situation)
        };
        terms.map(judge).collect()
    };
    let mut drafts = Vec::new();
    let several = lengths.of_rule(rule);
    let cases = groups.iter().flat_map(|group| several.iter().map(move |it| (group, it)));
    for (group, windows) in cases {
        let mut terms = judge(group.as_deref(), windows);
        if let Some(hold) = rule.hold.filter(|_| worst(&terms) == Outcome::Fail) {
            let step_us = (hold.as_micros() as i64 / i64::from(MOMENTS)).max(1);
            let mut moments = (1..=i64::from(MOMENTS)).map(|back| {
                let len_us = windows.current.end_us - windows.current.start_us;
                let earlier = scene.windows_before(len_us, back * step_us);
                worst(&judge(group.as_deref(), &earlier))
            });
            if !moments.all(|outcome| outcome == Outcome::Fail) {
                terms.iter_mut().for_each(Judged::not_yet);
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
        let window = lengths.own(windows);
        drafts.push(Draft { check, group: group.into_iter().collect(), window, terms, since });
    }
    without_thin_groups(lengths::telling(drafts), check)
}

/// Groups with too little data are not held against the others; when all are so, one says it.
fn without_thin_groups<'a>(mut drafts: Vec<Draft<'a>>, check: &'a Check) -> Vec<Draft<'a>> {
    let is_thin = |draft: &Draft<'_>| worst(&draft.terms) == Outcome::Inconclusive;
    if drafts.is_empty() {
        let judged = Judged::nothing("no record has the field that the rule is asked by");
        return vec![Draft::of_all(check, judged)];
    }
    if drafts.iter().all(is_thin) {
        drafts.truncate(1);
    } else {
        drafts.retain(|draft| !is_thin(draft));
    }
    drafts
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

/// Corrects the p-values of all tests together; what is then not beyond doubt is a warning.
fn correct(drafts: &mut [Draft<'_>], level: f64) {
    let p_value = |judged: &Judged| judged.evidence.p_value.unwrap_or(f64::NAN);
    let p_values: Vec<f64> = drafts.iter().flat_map(|draft| &draft.terms).map(p_value).collect();
    let adjusted = benjamini_hochberg(&p_values);
    let terms = drafts.iter_mut().flat_map(|draft| &mut draft.terms);
    for (judged, adjusted) in terms.zip(adjusted) {
        if adjusted.is_nan() {
            continue;
        }
        judged.evidence.p_value = Some(adjusted);
        if judged.outcome == Outcome::Fail && adjusted > level {
            judged.outcome = Outcome::Warn;
            "broken, but not beyond doubt among all that was tested".clone_into(&mut judged.reason);
        }
    }
}

impl<'a> Draft<'a> {
    /// About everything, of one term.
    fn of_all(check: &'a Check, judged: Judged) -> Self {
        Self { check, group: Group::new(), window: None, terms: vec![judged], since: None }
    }

    fn result(self) -> CheckResult {
        let Self { check, group, window, terms, since } = self;
        let outcome = worst(&terms);
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
            window: window.map(Span::from),
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
        Self { outcome: Outcome::Inconclusive, evidence, reason: reason.to_owned() }
    }

    /// Broken, but not for as long as the rule wants.
    fn not_yet(&mut self) {
        if self.outcome == Outcome::Fail {
            self.outcome = Outcome::Pass;
            "broken now, but not yet for as long as `for` asks".clone_into(&mut self.reason);
        }
    }
}
