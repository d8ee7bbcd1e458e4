//! Whether a series of builds got worse, by steps or by drift that no single comparison sees.

use crate::model::{Direction, Verdict};
use crate::stats::{
    change_point::{ChangePoint, ChangePointRule, change_points},
    normal, serial,
};

/// Fewest values of a series that can be told.
pub(super) const MIN_VALUES: usize = 8;
/// Fewest values of the newest level for a fail: fewer may be odd runs.
const MIN_NEW_VALUES: usize = 3;

/// When a series fails.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct DriftRule {
    /// Least relative change that matters (0.05 is 5 %).
    pub min_effect: f64,
    /// Changes within this many newest values count; what is older has become the usual.
    pub last: usize,
    /// How changes are sought.
    pub change: ChangePointRule,
}

impl Default for DriftRule {
    fn default() -> Self {
        Self { min_effect: 0.05, last: 20, change: ChangePointRule::default() }
    }
}

/// Where a series stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Drift {
    /// Change points within the last values, oldest first.
    pub changes: Vec<ChangePoint>,
    /// Level before the first of them, in the unit of the values; `None` without a change.
    pub before: Option<f64>,
    /// Level after the last of them; without a change that of today, `None` without a value.
    pub after: Option<f64>,
    /// From `before` to `after` in per cent; `None` without a change or from zero.
    pub pct: Option<f64>,
    /// Count of finite values.
    pub n: usize,
    /// Fail: worse by more than the least effect. Warn: the same, but by too few values to be
    /// sure, or by no more than the series wanders anyway.
    /// Inconclusive: too few values at all, or nobody says which way is worse.
    pub verdict: Verdict,
}

/// Compares the newest level of `values`, oldest first, with the level before it drifted.
///
/// That is the level before the *first* of the change points within the last `rule.last` values:
/// three steps of 3 % are one drift of 9 %, and a step that was taken back is none. Values that
/// are not finite are left out.
pub fn drift(values: &[f64], direction: Direction, rule: &DriftRule) -> Drift {
    let levels = Levels::of(values, change_points(values, &rule.change));
    let n = levels.stretches.iter().map(Vec::len).sum();
    let first_counted = values.len().saturating_sub(rule.last);
    let old_count = levels.changes.partition_point(|change| change.index < first_counted);
    let changes = levels.changes.get(old_count..).unwrap_or_default().to_vec();

    let before = changes.first().map(|change| change.before);
    let after = levels.stretches.last().and_then(|newest| mean(newest));
    let ratio = before.zip(after).map(|(before, after)| (after - before) / before.abs());
    let worse = match direction {
        Direction::UpIsWorse => ratio,
        Direction::DownIsWorse => ratio.map(|ratio| -ratio),
        Direction::Neutral => ratio.map(f64::abs),
    };
    let is_worse = worse.is_some_and(|worse| worse > rule.min_effect);
    let verdict = match direction {
        _ if n < MIN_VALUES => Verdict::Inconclusive,
        _ if !is_worse => Verdict::Pass,
        Direction::Neutral => Verdict::Inconclusive,
        _ if levels.is_proven(old_count, rule.change.max_p_value) => Verdict::Fail,
        _ => Verdict::Warn,
    };
    let pct = ratio.map(|ratio| 100.0 * ratio).filter(|pct| pct.is_finite());
    Drift { changes, before, after, pct, n, verdict }
}

/// A series cut at its change points.
struct Levels {
    changes: Vec<ChangePoint>,
    /// One more than changes; finite values only.
    stretches: Vec<Vec<f64>>,
}

impl Levels {
    fn of(values: &[f64], changes: Vec<ChangePoint>) -> Self {
        let starts = [0].into_iter().chain(changes.iter().map(|change| change.index));
        let ends = changes.iter().map(|change| change.index).chain([values.len()]);
        let stretches = starts
            .zip(ends)
            .map(|(start, end)| values.get(start..end).unwrap_or_default())
            .map(|stretch| stretch.iter().copied().filter(|value| value.is_finite()).collect())
            .collect();
        Self { changes, stretches }
    }

    /// Whether the newest stretch differs from stretch `from` for certain: by three values or
    /// more, and by more than runs that resemble the run before would wander on their own.
    ///
    /// Change points take values for independent; on runs of one machine, whose autocorrelation
    /// is 0.5, that alone fails one quiet series in eleven instead of one in thirty.
    fn is_proven(&self, from: usize, max_p_value: f64) -> bool {
        let stretch = |at: usize| self.stretches.get(at).map_or(&[][..], Vec::as_slice);
        let (old, new) = (stretch(from), stretch(self.stretches.len().saturating_sub(1)));
        let residuals = |values: &[f64]| -> Vec<f64> {
            let level = mean(values).unwrap_or_default();
            values.iter().map(|value| value - level).collect()
        };
        let all: Vec<f64> = self.stretches.iter().flat_map(|stretch| residuals(stretch)).collect();
        let wander = serial::inflation(serial::lag1_autocorrelation(&all));
        let squares = [old, new].map(residuals).concat().iter().map(|r| r * r).sum::<f64>();
        let degrees = (old.len() + new.len()) as f64 - 2.0;
        let weight = 1.0 / old.len() as f64 + 1.0 / new.len() as f64;
        let error = wander * (squares / degrees * weight).sqrt();
        let difference = mean(new).zip(mean(old)).map_or(0.0, |(new, old)| new - old);
        new.len() >= MIN_NEW_VALUES
            && normal::student_t_two_sided(difference / error, degrees) <= max_p_value
    }
}

/// `None` without values.
fn mean(values: &[f64]) -> Option<f64> {
    (!values.is_empty()).then(|| values.iter().sum::<f64>() / values.len() as f64)
}

#[cfg(test)]
mod tests;
