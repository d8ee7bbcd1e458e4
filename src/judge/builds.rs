//! Series of builds: what a run adds to them, where each stands, and the check that follows.
//!
//! A series with too few builds, or of which nobody says which way is worse, is shown and does not
//! count: it is no pass, and the first builds of a new rule hold nobody up. Neither does a series
//! count that is no longer measured.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;

use super::drift::{Drift, DriftRule, MIN_VALUES, drift};
use crate::config;
use crate::history::{History, Origin, Point, unit_name};
use crate::model::{
    CheckKind, CheckResult, CheckSeverity, Direction, Evidence, Group, LinkedEvent, Since, Unit,
    Verdict,
};

/// Measures that are taken against a baseline already: they have no level of their own.
const RELATIVE: [&str; 2] = ["shift(", "novelty("];
/// Shown of a commit's name.
const COMMIT_CHARS: usize = 12;

/// How series of builds are judged.
#[derive(Clone, Debug, PartialEq)]
pub struct BuildsRule {
    /// When a series fails.
    pub drift: DriftRule,
    /// What that means.
    pub severity: CheckSeverity,
    /// Only builds of this branch count, and those that name none; `None` = all.
    pub branch: Option<String>,
}

impl From<&config::History> for BuildsRule {
    fn from(history: &config::History) -> Self {
        let (min_effect, last) = (history.min_effect_ratio, history.last as usize);
        let drift = DriftRule { min_effect, last, ..DriftRule::default() };
        Self { drift, severity: history.severity, branch: history.branch.clone() }
    }
}

/// Where a series stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Standing {
    /// What is measured. Text of others: untrusted.
    pub series: String,
    /// Who measured.
    pub origin: Origin,
    /// The newest value.
    pub newest: Point,
    /// Builds of all series of this origin since then.
    pub silent_builds: usize,
    /// Levels and changes, in the unit of the newest value.
    pub drift: Drift,
    /// When the first change that counts began.
    pub since: Option<Since>,
    /// First build after it.
    pub first_changed: Option<Point>,
}

/// What the checks of a run add to a history, all at the time `at`: the last value of each measure.
pub fn points(checks: &[CheckResult], at: Option<Timestamp>) -> Vec<Point> {
    let mut points: Vec<Point> = Vec::new();
    for check in checks {
        let terms = check.terms.iter().map(|term| &term.evidence);
        let evidence: Vec<&Evidence> =
            if check.terms.is_empty() { vec![&check.evidence] } else { terms.collect() };
        for evidence in evidence {
            let is_level = !RELATIVE.iter().any(|measure| evidence.metric.starts_with(measure));
            let Some(value) = evidence.actual.filter(|value| value.is_finite() && is_level) else {
                continue;
            };
            let series = series_name(&check.id, &evidence.metric, &check.group);
            if points.iter().any(|known| known.series == series) {
                continue;
            }
            points.push(Point {
                smaller_is_better: smaller_is_better(&evidence.cmp),
                at,
                n: Some(evidence.n[1]),
                ..Point::new(Origin::Check, series, value, unit_name(evidence.unit))
            });
        }
    }
    points
}

/// A rule that measures something else from now on begins a new series.
fn series_name(id: &str, metric: &str, group: &Group) -> String {
    let group: Vec<String> = group.iter().map(|(name, value)| format!("{name}={value}")).collect();
    let parts = [id, metric, &group.join(" ")];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn smaller_is_better(cmp: &str) -> Option<bool> {
    match cmp {
        "<" | "<=" => Some(true),
        ">" | ">=" => Some(false),
        _ => None,
    }
}

/// Where each series stands whose name passes `is_meant`; a change of unit begins another one.
pub fn standings(
    history: &History,
    rule: &BuildsRule,
    is_meant: &dyn Fn(&str) -> bool,
) -> Vec<Standing> {
    let is_counted = |point: &Point| match (&rule.branch, &point.branch) {
        (Some(wanted), Some(branch)) => wanted == branch,
        _ => true,
    };
    let mut builds: BTreeMap<Origin, BTreeSet<Option<Timestamp>>> = BTreeMap::new();
    let mut series: BTreeMap<(Origin, &str, &str), Vec<&Point>> = BTreeMap::new();
    for point in history.points.iter().filter(|point| is_counted(point)) {
        builds.entry(point.origin).or_default().insert(point.at);
        if is_meant(&point.series) {
            let key = (point.origin, point.series.as_str(), point.unit.as_str());
            series.entry(key).or_default().push(point);
        }
    }
    let silent = |point: &Point| {
        let builds = builds.get(&point.origin).into_iter().flatten();
        builds.filter(|at| **at > point.at).count()
    };
    series.values().filter_map(|points| standing(points, rule, &silent)).collect()
}

fn standing(
    points: &[&Point],
    rule: &BuildsRule,
    silent: &dyn Fn(&Point) -> usize,
) -> Option<Standing> {
    let newest = *points.last()?;
    let values: Vec<f64> = points.iter().map(|point| point.value).collect();
    let drift = match whole(newest) {
        None => drift(&values, newest.direction(), &rule.drift),
        Some(whole) => {
            let missing: Vec<f64> = values.iter().map(|value| whole - value).collect();
            of_missing(drift(&missing, Direction::UpIsWorse, &rule.drift), whole)
        }
    };
    let time = |index: usize| Some(points.get(index)?.at?.to_string());
    let first = drift.changes.first();
    let since = first.and_then(|change| {
        let (earliest, latest) = change.plausible;
        Some(Since { at: time(change.index)?, earliest: time(earliest)?, latest: time(latest)? })
    });
    let first_changed = first.and_then(|change| points.get(change.index));
    Some(Standing {
        series: newest.series.clone(),
        origin: newest.origin,
        silent_builds: silent(newest),
        since,
        first_changed: first_changed.map(|point| (*point).clone()),
        newest: newest.clone(),
        drift,
    })
}

/// All of a share that must be high: what gets worse is what is missing to it. From 99.95 % to
/// 99 % twenty times as much fails, and the share itself is one per cent lower.
fn whole(point: &Point) -> Option<f64> {
    match (point.shown_unit()?, point.direction()) {
        ((Unit::Ratio, factor), Direction::DownIsWorse) => Some(1.0 / factor),
        _ => None,
    }
}

/// The drift of a share from that of what is missing to it.
fn of_missing(drift: Drift, whole: f64) -> Drift {
    let (before, after) =
        (drift.before.map(|missing| whole - missing), drift.after.map(|missing| whole - missing));
    let pct = before.zip(after).map(|(before, after)| 100.0 * (after - before) / before.abs());
    Drift { before, after, pct: pct.filter(|pct| pct.is_finite()), ..drift }
}

impl Standing {
    /// The check that a series got no worse.
    pub fn check(&self, rule: &BuildsRule) -> CheckResult {
        let is_silent = self.silent_builds >= rule.drift.last;
        let verdict = match self.drift.verdict {
            Verdict::Fail if rule.severity == CheckSeverity::Warn => Verdict::Warn,
            verdict => verdict,
        };
        let min_effect_pct = percent(rule.drift.min_effect);
        CheckResult {
            id: self.series.clone(),
            kind: CheckKind::History,
            expr: format!(
                "no drift of more than {min_effect_pct} % within {} builds",
                rule.drift.last
            ),
            severity: rule.severity,
            verdict,
            window: None,
            group: Group::new(),
            evidence: self.evidence(rule),
            since: self.since.clone(),
            linked_event: self.first_changed.as_ref().and_then(commit_event),
            reason: self.reason(rule, is_silent),
            critical: rule.severity == CheckSeverity::Fail,
            shadow: is_silent || self.drift.verdict == Verdict::Inconclusive,
            weight: 1.0,
            runbook: None,
            file: None,
            line: None,
            column: None,
            accepted: None,
            muted: None,
            terms: Vec::new(),
        }
    }

    fn evidence(&self, rule: &BuildsRule) -> Evidence {
        let shown = self.newest.shown_unit();
        let (unit, factor) = shown.unwrap_or((Unit::Count, 1.0));
        let metric = match shown {
            Some(_) => self.series.clone(),
            None => format!("{} [{}]", self.series, self.newest.unit),
        };
        let (sign, cmp) = match self.newest.direction() {
            Direction::UpIsWorse => (1.0, "<="),
            Direction::DownIsWorse => (-1.0, ">="),
            Direction::Neutral => (0.0, "="),
        };
        let before = self.drift.before;
        let worse = |before: f64| match whole(&self.newest) {
            Some(whole) => whole - before,
            None => before.abs(),
        };
        let limit = before.map(|before| before + sign * rule.drift.min_effect * worse(before));
        let after_from = self.drift.changes.first().map_or(0, |change| change.index);
        let builds = [after_from, self.drift.n.saturating_sub(after_from)];
        Evidence {
            metric,
            actual: self.drift.after.map(|after| after * factor),
            limit: limit.map(|limit| limit * factor),
            cmp: cmp.to_owned(),
            unit,
            baseline: before.map(|before| before * factor),
            change_pct: self.drift.pct,
            interval: None,
            p_value: None,
            n: builds.map(|count| count as u64),
        }
    }

    fn reason(&self, rule: &BuildsRule, is_silent: bool) -> String {
        let Drift { n, verdict, changes, .. } = &self.drift;
        let last = rule.drift.last;
        match verdict {
            _ if is_silent => format!("not measured in the last {} builds", self.silent_builds),
            _ if *n < MIN_VALUES => {
                let builds = if *n == 1 { "build" } else { "builds" };
                format!("{n} {builds}, at least {MIN_VALUES} are needed to tell")
            }
            Verdict::Inconclusive => {
                "it changed, and neither its source nor its unit says which way is worse".to_owned()
            }
            Verdict::Pass if changes.is_empty() => format!("no change within {last} builds"),
            Verdict::Pass => format!(
                "changed within {last} builds, but by no more than {} % for the worse",
                percent(rule.drift.min_effect)
            ),
            Verdict::Warn => "worse, but by too few builds to be sure, or by no more than it \
                              wanders anyway"
                .to_owned(),
            Verdict::Fail if changes.len() == 1 => "worse in one step".to_owned(),
            Verdict::Fail => format!("worse in {} steps", changes.len()),
        }
    }
}

/// The commit that was built, as what happened then.
fn commit_event(point: &Point) -> Option<LinkedEvent> {
    let name = point.commit.as_ref()?.chars().take(COMMIT_CHARS).collect();
    Some(LinkedEvent {
        kind: "commit".to_owned(),
        name,
        at: point.at?.to_string(),
        lag_s: 0.0,
        is_during: false,
    })
}

/// Without the noise of binary fractions.
fn percent(ratio: f64) -> f64 {
    (ratio * 1e8).round() / 1e6
}

#[cfg(test)]
mod tests;
