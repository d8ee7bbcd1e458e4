//! All change points of a series: E-divisive with the changes of Hunter and Otava.
//!
//! The energy statistic proposes the split of a stretch, Student's t judges it; overlapping
//! windows first collect weak candidates at a relaxed p-value, which are then taken away weakest
//! first until the rest holds strictly. Deterministic; same indices as `apache-otava` 0.8.
//! For a history of runs, builds or weeks. Dating one incident within a window: [`super::step`].
//!
//! Sources: Matteson & James, A Nonparametric Approach for Multiple Change Point Analysis of
//! Multivariate Data, 2014 (α = 1); Fleming et al., Hunter: Using Change Point Detection to Hunt
//! for Performance Regressions, 2023.

use super::{normal, step};

/// Longest window: its distances fill 8 MB.
pub const MAX_WINDOW_LEN: usize = 1_000;

/// How change points are sought.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChangePointRule {
    /// Values looked at together; half overlaps with the next. From 2 to [`MAX_WINDOW_LEN`].
    pub window_len: usize,
    /// Greatest p-value of a change point, in (0, 1).
    pub max_p_value: f64,
    /// Least relative change (0.05 is 5 %), up or down, whichever reads larger.
    pub min_magnitude: f64,
}

impl Default for ChangePointRule {
    fn default() -> Self {
        Self { window_len: 50, max_p_value: 0.001, min_magnitude: 0.0 }
    }
}

/// Where a series changes, judged by the stretches up to the neighbouring change points.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ChangePoint {
    /// First value after the change.
    pub index: usize,
    /// First and last index as plausible as that one, at 98 %.
    pub plausible: (usize, usize),
    /// Mean of the stretch before, in the unit of the values.
    pub before: f64,
    /// Mean of the stretch after.
    pub after: f64,
    /// Two-sided p-value of Student's t between the two stretches; may exceed the rule's where a
    /// neighbour was taken away last, see `keep_strong`.
    pub p_value: f64,
}

impl ChangePoint {
    /// The greater of |after/before − 1| and |before/after − 1|; a zero mean counts as no change.
    pub fn magnitude(&self) -> f64 {
        let relative = |from: f64, to: f64| if from == 0.0 { 0.0 } else { (to / from - 1.0).abs() };
        relative(self.before, self.after).max(relative(self.after, self.before))
    }
}

/// Finds the change points of `values`, ascending. Values that are not finite are left out of
/// the search and of the means, and keep their index.
pub fn change_points(values: &[f64], rule: &ChangePointRule) -> Vec<ChangePoint> {
    let (positions, finite): (Vec<usize>, Vec<f64>) =
        values.iter().copied().enumerate().filter(|(_, value)| value.is_finite()).unzip();
    let window_len = rule.window_len.clamp(2, MAX_WINDOW_LEN);
    let weak = weak_candidates(&finite, window_len, relaxed(rule.max_p_value));
    let kept = keep_strong(&finite, weak, rule);
    kept.iter()
        .enumerate()
        .map(|(at, found)| {
            let (start, end) = neighbours(&kept, at, finite.len());
            let stretch = finite.get(start..end).unwrap_or_default();
            let (first, last) = step::plausible_splits(stretch, found.index - start);
            let position = |index: usize| positions.get(index).copied().unwrap_or(index);
            ChangePoint {
                index: position(found.index),
                plausible: (position(start + first), position(start + last)),
                ..compare(&finite, (start, found.index, end))
            }
        })
        .collect()
}

/// The p-value at which weak candidates are kept.
fn relaxed(max_p_value: f64) -> f64 {
    if max_p_value < 0.05 {
        10.0 * max_p_value
    } else if max_p_value < 0.5 {
        2.0 * max_p_value
    } else {
        max_p_value
    }
}

/// Candidates of all windows, judged again over the stretches between them.
fn weak_candidates(values: &[f64], window_len: usize, max_p_value: f64) -> Vec<ChangePoint> {
    let mut indices: Vec<usize> = Vec::new();
    let mut start = 0;
    while start < values.len() {
        let end = values.len().min(start + window_len);
        let window = values.get(start..end).unwrap_or_default();
        let found = divide(window, max_p_value);
        indices.extend(found.iter().map(|index| start + index));
        // The next window starts at the last change, so that it sees one level first.
        let last = found.last().map_or(0, |index| start + index);
        start = last.max(start + window_len / 2);
    }
    indices.sort_unstable();
    indices.dedup();
    let at = |slot: usize| indices.get(slot).copied();
    (0..indices.len())
        .filter_map(|slot| {
            let start = slot.checked_sub(1).and_then(at).unwrap_or(0);
            Some(compare(values, (start, at(slot)?, at(slot + 1).unwrap_or(values.len()))))
        })
        .collect()
}

/// Takes the weakest candidate away until all hold. Like Otava, judges anew the two candidates
/// that follow it and not the one before: judging that one too finds other points than the
/// published results. What is reported is judged anew for every point that is left.
fn keep_strong(
    values: &[f64],
    mut points: Vec<ChangePoint>,
    rule: &ChangePointRule,
) -> Vec<ChangePoint> {
    while let Some(weakest) = weakest(&points, rule) {
        points.remove(weakest);
        for at in [weakest, weakest + 1] {
            let (start, end) = neighbours(&points, at, values.len());
            if let Some(point) = points.get_mut(at) {
                *point = compare(values, (start, point.index, end));
            }
        }
    }
    points
}

/// The first of the highest p-values if it is too high, else the first of the smallest changes if
/// that is too small.
fn weakest(points: &[ChangePoint], rule: &ChangePointRule) -> Option<usize> {
    let indexed = || points.iter().enumerate();
    let (worst, point) = indexed().rev().max_by(|a, b| a.1.p_value.total_cmp(&b.1.p_value))?;
    if point.p_value >= rule.max_p_value {
        return Some(worst);
    }
    let (least, point) = indexed().min_by(|a, b| a.1.magnitude().total_cmp(&b.1.magnitude()))?;
    (point.magnitude() <= rule.min_magnitude).then_some(least)
}

fn neighbours(points: &[ChangePoint], at: usize, len: usize) -> (usize, usize) {
    let start = at.checked_sub(1).and_then(|before| points.get(before)).map_or(0, |p| p.index);
    (start, points.get(at + 1).map_or(len, |p| p.index))
}

/// Splits a window again and again at its best place, while Student's t agrees.
fn divide(window: &[f64], max_p_value: f64) -> Vec<usize> {
    let distances = Distances::new(window);
    let mut found: Vec<usize> = Vec::new();
    loop {
        let starts = [0].into_iter().chain(found.iter().copied());
        let ends = found.iter().copied().chain([window.len()]);
        let mut best: Option<(f64, (usize, usize, usize))> = None;
        for (start, end) in starts.zip(ends) {
            let Some((energy, split)) = distances.best_split(start, end) else { continue };
            if best.is_none_or(|(highest, _)| energy > highest) {
                best = Some((energy, (start, split, end)));
            }
        }
        let Some((_, place)) = best else { break };
        if compare(window, place).p_value > max_p_value {
            break;
        }
        found.push(place.1);
        found.sort_unstable();
    }
    found
}

/// Sums of |xᵢ − xₖ|, so that the energy of every split is found in one step from the last.
struct Distances {
    /// `columns[k][t]` is the sum over i < t of |xᵢ − xₖ|.
    columns: Vec<Vec<f64>>,
}

impl Distances {
    fn new(window: &[f64]) -> Self {
        let column = |x: &f64| {
            let mut sum = 0.0;
            let mut sums = vec![0.0];
            sums.extend(window.iter().map(|other| {
                sum += (other - x).abs();
                sum
            }));
            sums
        };
        Self { columns: window.iter().map(column).collect() }
    }

    fn sum(&self, of: usize, from: usize, to: usize) -> f64 {
        let Some(column) = self.columns.get(of) else { return 0.0 };
        column.get(to).unwrap_or(&0.0) - column.get(from).unwrap_or(&0.0)
    }

    /// Highest energy over all splits of [start, end) and all ends of the right part, and its
    /// split; the first of equals. `None` for fewer than two values.
    ///
    /// Formula: Q = 2/(m+n)·Σ|X−Y| − 2m/((m+n)(n−1))·Σ|X−X'| − 2n/((m+n)(m−1))·Σ|Y−Y'| with n
    /// values left and m right of the split.
    fn best_split(&self, start: usize, end: usize) -> Option<(f64, usize)> {
        let mut best: Option<(f64, usize)> = None;
        let mut left = 0.0;
        for split in start + 1..end {
            left += self.sum(split - 1, start, split - 1);
            let (mut across, mut right) = (0.0, 0.0);
            for last in split..end {
                across += self.sum(last, start, split);
                right += self.sum(last, split, last);
                let (n, m) = ((split - start) as f64, (last + 1 - split) as f64);
                let per_left = if n > 1.0 { m * left / (n - 1.0) } else { 0.0 };
                let per_right = if m > 1.0 { n * right / (m - 1.0) } else { 0.0 };
                let energy = 2.0 / (m + n) * (across - per_left - per_right);
                if best.is_none_or(|(highest, _)| energy > highest) {
                    best = Some((energy, split));
                }
            }
        }
        best
    }
}

/// Student's t between [start, split) and [split, end).
///
/// Like Otava, takes the population variance of each side as if it were the sample variance,
/// which makes short stretches a little bolder than the textbook test.
fn compare(values: &[f64], (start, split, end): (usize, usize, usize)) -> ChangePoint {
    let (left_n, before, left_var) = moments(values.get(start..split).unwrap_or_default());
    let (right_n, after, right_var) = moments(values.get(split..end).unwrap_or_default());
    let degrees = left_n + right_n - 2.0;
    let pooled = ((left_n - 1.0) * left_var + (right_n - 1.0) * right_var) / degrees;
    let error = (pooled * (1.0 / left_n + 1.0 / right_n)).sqrt();
    let difference = before - after;
    let t = difference / error;
    // Not a number where the values are equal, or so large that their squares are infinite.
    let is_told = degrees > 0.0 && difference.abs() > 0.0 && !t.is_nan();
    let p_value = if is_told { normal::student_t_two_sided(t, degrees) } else { 1.0 };
    ChangePoint { index: split, plausible: (split, split), before, after, p_value }
}

fn moments(side: &[f64]) -> (f64, f64, f64) {
    let n = side.len() as f64;
    let mean = side.iter().sum::<f64>() / n;
    (n, mean, side.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / n)
}

#[cfg(test)]
mod tests;
