//! One `MEASURE CMP LIMIT` of a rule, judged for one group.

use std::rc::Rc;

use super::before::Before;
use super::gauge::{Gauge, Reading};
use super::windows::Windows;
use super::{level, series};
use crate::model::{Evidence, Unit};
use crate::query::Values;
use crate::rule::{Cmp, Limit, Measure, Quantity, Term};
use crate::stats::{
    Direction, Outcome,
    limit::{Method, Side},
};

/// What a term came to, before all tests of a run are corrected together.
#[derive(Clone, Debug)]
pub(super) struct Judged {
    pub(super) outcome: Outcome,
    pub(super) evidence: Evidence,
    pub(super) reason: String,
    /// Share of false alarms that the rule itself asks for; `None` where it is that of all tests.
    pub(super) rate: Option<f64>,
}

/// What a term is judged by.
pub(super) struct Situation<'a> {
    pub(super) windows: &'a Windows,
    /// Fewest values or requests for a say.
    pub(super) min_samples: u64,
    /// Whether any event at all lies in the current window.
    pub(super) has_events: bool,
}

/// Judges a term for a group.
pub(super) fn judge(term: &Term, before: Before<'_>, situation: &Situation<'_>) -> Judged {
    let Before { gauge, group, windows, .. } = before;
    let now = match muting(term) {
        Muting::Whole => gauge.read(group, &[windows.current]),
        Muting::Cut | Muting::Now => gauge.read(group, &windows.judged),
    };
    let case = Case { term, gauge, group, now, before, situation };
    if !situation.has_events && !matches!(term.measure, Measure::Age) {
        return case.inconclusive("there are no records in the window");
    }
    if gauge.has_too_many_values() {
        let case = Case { now: Reading { value: None, ..now }, ..case };
        let most = crate::query::MAX_GROUPS;
        return case.inconclusive(format!(
            "there are more than {most} different values, and later ones are not told apart"
        ));
    }
    match (&term.measure, &term.limit) {
        (Measure::Age, _) => case.age(),
        (Measure::Shift(_), Limit::Literal(bar)) => level::shifted(&case, bar.base()),
        (Measure::New(_), Limit::Literal(limit)) => case.new_values(limit.base()),
        (Measure::Novelty(_), Limit::Literal(limit)) => series::novelty(&case, limit.base()),
        (_, Limit::Literal(limit)) => case.literal(limit.base()),
        (_, Limit::Baseline(offset)) => level::against_baseline(&case, *offset),
        (_, Limit::Usual { method, parameter }) => case.usual(&series::method(*method, *parameter)),
        (_, Limit::BeforeChange(offset)) => series::before_change(&case, *offset),
    }
}

/// A term, its group, and what was read of the current window.
pub(super) struct Case<'a> {
    pub(super) term: &'a Term,
    pub(super) gauge: &'a Gauge<'a>,
    pub(super) group: Option<&'a str>,
    pub(super) now: Reading,
    pub(super) before: Before<'a>,
    pub(super) situation: &'a Situation<'a>,
}

impl Case<'_> {
    /// The bad way.
    pub(super) fn direction(&self) -> Direction {
        match self.term.cmp {
            Cmp::Less | Cmp::AtMost => Direction::Increase,
            Cmp::More | Cmp::AtLeast => Direction::Decrease,
            Cmp::Equal | Cmp::NotEqual => Direction::Either,
        }
    }

    /// Values of the time that is judged.
    pub(super) fn now_values(&self) -> Rc<Values> {
        self.gauge.values(self.group, &self.situation.windows.judged)
    }

    /// Whether the measure needs values enough to mean anything.
    pub(super) fn needs_samples(&self) -> bool {
        !matches!(
            self.term.measure,
            Measure::Count | Measure::Rate | Measure::Distinct(_) | Measure::Sum(_)
        )
    }

    /// Evidence with what is known of the current window.
    pub(super) fn evidence(&self) -> Evidence {
        let scale = scale(&self.term.measure);
        Evidence {
            metric: self.term.measure.to_string(),
            actual: self.now.value.map(|value| value * scale).filter(|value| value.is_finite()),
            limit: None,
            cmp: self.term.cmp.as_str().to_owned(),
            unit: unit(&self.term.measure),
            baseline: None,
            change_pct: None,
            interval: None,
            p_value: None,
            n: [0, self.now.n],
        }
    }

    /// The evidence with a limit in the measure's base unit.
    pub(super) fn with_limit(&self, limit: f64) -> Evidence {
        let limit = Some(limit * scale(&self.term.measure)).filter(|limit| limit.is_finite());
        Evidence { limit, ..self.evidence() }
    }

    /// The evidence with the baseline's reading too.
    pub(super) fn with_baseline(&self, limit: f64, before: Reading) -> Evidence {
        let known = |value: Option<f64>| value.filter(|value| value.is_finite());
        let change = match (before.value, self.now.value) {
            (Some(before), Some(now)) if before.abs() > 0.0 => {
                Some((now - before) / before.abs() * 100.0)
            }
            _ => None,
        };
        Evidence {
            baseline: known(before.value.map(|value| value * scale(&self.term.measure))),
            change_pct: known(change),
            n: [before.n, self.now.n],
            ..self.with_limit(limit)
        }
    }

    pub(super) fn inconclusive(&self, reason: impl Into<String>) -> Judged {
        let (outcome, evidence) = (Outcome::Inconclusive, self.evidence());
        Judged { outcome, evidence, reason: reason.into(), rate: None }
    }

    /// Too few values on a side; `None` when there are enough.
    pub(super) fn too_few(&self, before: Option<u64>) -> Option<Judged> {
        let least = self.situation.min_samples;
        let what = if self.now.n < least {
            format!("the window has {} of the {least} values needed", self.now.n)
        } else {
            let before = before.filter(|before| *before < least)?;
            format!("the baseline has {before} of the {least} values needed")
        };
        self.needs_samples().then(|| self.inconclusive(what))
    }

    /// A fixed limit: what breaks it is broken, however little.
    fn literal(&self, limit: f64) -> Judged {
        if let Some(few) = self.too_few(None) {
            return few;
        }
        let Some(value) = self.now.value else {
            return self.inconclusive("there is no value in the window");
        };
        self.by_point(value, limit, self.with_limit(limit))
    }

    fn by_point(&self, value: f64, limit: f64, evidence: Evidence) -> Judged {
        // What is learned from values is not broken by one that is the same: a constant is usual.
        let is_edge = matches!(self.term.limit, Limit::Usual { .. }) && is_same(value, limit);
        let holds = is_edge || self.term.cmp.holds(value, limit);
        let outcome = if holds { Outcome::Pass } else { Outcome::Fail };
        let reason = if holds { "the limit holds" } else { "the limit is broken" };
        // With groups, many limits are tried: how surely this one is broken enters the correction.
        let p_value = self.group.and_then(|_| level::limit_p_value(self, limit));
        let evidence = Evidence { p_value, ..evidence };
        Judged { outcome, evidence, reason: reason.to_owned(), rate: None }
    }

    fn age(&self) -> Judged {
        let now_us = self.situation.windows.current.end_us;
        let Some(newest_us) = self.gauge.newest_us(self.group, now_us) else {
            return self.inconclusive("there is no such record at all");
        };
        let age_ms = (now_us - newest_us) as f64 / 1e3;
        let case = Case { now: Reading { value: Some(age_ms), ..self.now }, ..*self };
        let Limit::Literal(limit) = self.term.limit else {
            return self.inconclusive("an age has no baseline");
        };
        let evidence = case.with_limit(limit.base());
        case.by_point(age_ms, limit.base(), evidence)
    }

    fn new_values(&self, limit: f64) -> Judged {
        let windows = self.situation.windows;
        let known = match self.before.known() {
            Ok(known) => known,
            Err(missing) => return self.inconclusive(missing),
        };
        let now = self.gauge.distinct(self.group, &windows.judged);
        // What meets the filter for the first time is new, if there are any records before it.
        let is_first = windows.span.start_us >= windows.current.start_us;
        if known.is_empty() && is_first && !self.before.is_saved() {
            return self.inconclusive("there are no records before the window");
        }
        let fresh: Vec<&String> = now.difference(&known).collect();
        let count = fresh.len() as f64;
        let case = Case { now: Reading { value: Some(count), ..self.now }, ..*self };
        let evidence = case.with_limit(limit);
        let judged = case.by_point(count, limit, evidence);
        match fresh.first() {
            Some(first) => Judged { reason: format!("never seen before: {first}"), ..judged },
            None => judged,
        }
    }

    fn usual(&self, method: &Method) -> Judged {
        if let Some(few) = self.too_few(None) {
            return few;
        }
        let Some(value) = self.now.value else {
            return self.inconclusive("there is no value in the window");
        };
        let least = method.min_samples().unwrap_or(usize::MAX);
        let (history, wider) = match self.before.usual(least) {
            Ok(usual) => usual,
            Err(missing) => return self.inconclusive(missing),
        };
        let side = if self.direction() == Direction::Decrease { Side::Lower } else { Side::Upper };
        let Some(bound) = method.bound(&history, side) else {
            let n = history.len();
            let is_rate = matches!(method, Method::Conformal { .. });
            let rare = if is_rate { " for so few false alarms" } else { "" };
            let text = format!("{n} windows like this one are known, {least} are needed{rare}");
            return self.inconclusive(text);
        };
        let rarity = method.rarity(&history, value, side);
        let evidence = Evidence { n: [history.len() as u64, self.now.n], ..self.with_limit(bound) };
        let judged = self.by_point(value, bound, evidence);
        let evidence = Evidence { p_value: rarity.map(|rarity| rarity.p_value), ..judged.evidence };
        let rate = rarity.map(|rarity| rarity.rate);
        let mut reason = judged.reason;
        if let Some(alarms) = crate::stats::limit::false_alarms(&history, None, *method, side) {
            let (passed, tested) = (alarms.alarms, alarms.tested);
            let text = "; over its own history the bound was passed";
            reason = format!("{reason}{text} {passed} of {tested} times");
        }
        if let Some(wider) = wider {
            reason = format!("{reason}; judged by {wider}, since fewer are more alike");
        }
        Judged { outcome: judged.outcome, evidence, reason, rate }
    }
}

/// Whether two numbers differ by rounding only.
pub(super) fn is_same(left: f64, right: f64) -> bool {
    (left - right).abs() <= 1e-9 * left.abs().max(right.abs())
}

/// What muted events in the current window do to a term.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Muting {
    /// Their time is not looked at.
    Cut,
    /// All of the window is looked at, and does not count while they touch it: less time would
    /// break a limit that is meant for all of it.
    Whole,
    /// It is about the present, and does not count while they go on.
    Now,
}

/// What muted events do to a term.
pub(super) fn muting(term: &Term) -> Muting {
    match (&term.measure, &term.limit) {
        (Measure::Age, _) => Muting::Now,
        (Measure::Sum(_) | Measure::Distinct(_) | Measure::Novelty(_), _)
        | (_, Limit::BeforeChange(_))
        | (Measure::Count, Limit::Literal(_) | Limit::Usual { .. }) => Muting::Whole,
        _ => Muting::Cut,
    }
}

/// Whether a term looks at more than the current window.
pub(super) fn needs_baseline(term: &Term) -> bool {
    let is_relative = !matches!(term.limit, Limit::Literal(_));
    is_relative || matches!(term.measure, Measure::Shift(_) | Measure::New(_) | Measure::Novelty(_))
}

/// Unit in which a measure is shown.
pub(super) fn unit(measure: &Measure) -> Unit {
    let of_field = |name: &str| if name == "duration_ms" { Unit::Ms } else { Unit::Count };
    match measure {
        Measure::Age => Unit::Ms,
        Measure::Share(_) | Measure::Shift(_) => Unit::Ratio,
        Measure::Rate => Unit::PerHour,
        Measure::Count | Measure::Distinct(_) | Measure::New(_) | Measure::Novelty(_) => {
            Unit::Count
        }
        measure => measure.field().map_or(Unit::Count, |field| of_field(&field.name)),
    }
}

/// From the base unit of [`Quantity`] to the unit that is shown.
pub(super) fn scale(measure: &Measure) -> f64 {
    match measure {
        Measure::Share(_) | Measure::Shift(_) => 0.01,
        Measure::Rate => 3_600.0,
        _ => 1.0,
    }
}

/// Whether an offset is relative, and how much, in per cent of the level.
pub(super) fn bar_pct(offset: crate::rule::Offset, level: f64) -> Option<f64> {
    match offset.0 {
        Quantity::Percent(percent) => Some(percent),
        _ if level.abs() > 0.0 => Some((offset.limit(level) - level) / level.abs() * 100.0),
        _ => None,
    }
}
