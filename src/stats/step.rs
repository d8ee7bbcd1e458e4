//! The one best step, or the one best temporary burst, in a series of window values.
//!
//! Both are least squares on values clipped at far fences, weighted by how much each window
//! knows. Guarantees: gaps are allowed; the p-value pays for having tried every place; noise that
//! lasts (autocorrelation of what the change leaves over) weakens it; the interval of places is
//! those a likelihood profile cannot tell apart at 98 %. Deterministic.
//! Not done here: rhythm (see [`super::season`]); several changes (see [`super::change_point`]).

use super::Change;
use super::normal::{self, Z_98};
use super::quantile::Sorted;
use super::serial;
use super::stretch;

/// Fewest windows with a value for a step or a burst to be sought.
pub const MIN_WINDOWS: usize = 8;
/// Fewest windows on either side of a step, and fewest in a burst.
pub const MIN_SIDE: usize = 3;
/// Values further than this many interquartile ranges from the quartiles are clipped (Tukey).
const FENCE: f64 = 3.0;
/// Events at which the noise within a window equals that between windows.
const HALF_WEIGHT_COUNT: f64 = 30.0;
/// Drop of twice the log-likelihood within which a place is plausible at 98 %.
///
/// Source: B. E. Hansen, Sample Splitting and Threshold Estimation, Econometrica 2000, eq. 12:
/// −2·ln(1 − √0.98).
pub(super) const PLAUSIBLE_DROP: f64 = 9.200_264_527_545_412;

/// Value of one window and how much it weighs.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Point {
    /// What was measured, such as the logarithm of a median.
    pub value: f64,
    /// Weight, inverse to the variance; > 0, only ratios matter.
    pub weight: f64,
}

impl Point {
    /// A value that rests on `count` events.
    ///
    /// Weight n·30/(n + 30): grows with the events as long as they are few, and levels off
    /// because windows differ among themselves however many events they hold.
    pub fn of_count(value: f64, count: u64) -> Self {
        let n = count as f64;
        Self { value, weight: n * HALF_WEIGHT_COUNT / (n + HALF_WEIGHT_COUNT) }
    }
}

/// A place in the series and the range it may as well lie in (all inclusive).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// Most likely index.
    pub index: usize,
    /// First plausible index.
    pub earliest: usize,
    /// Last plausible index.
    pub latest: usize,
}

/// A lasting change of level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// First window of the new level.
    pub place: Place,
    /// Weighted mean before and after, each without its own far values.
    pub levels: [f64; 2],
    /// After − before, with its 98 % interval.
    pub change: Change,
    /// Chance of so clear a step anywhere in a series without one.
    pub p_value: f64,
    /// Share of the series' variance that the step accounts for, in [0, 1]: to choose between
    /// step and burst.
    pub explained: f64,
}

/// A temporary change of level.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Burst {
    /// First window of the burst.
    pub start: Place,
    /// First window after the burst.
    pub end: Place,
    /// Weighted mean outside and inside, each without its own far values.
    pub levels: [f64; 2],
    /// Inside − outside, with its 98 % interval.
    pub change: Change,
    /// Chance of so clear a burst anywhere in a series without one (Bonferroni).
    pub p_value: f64,
    /// Share of the series' variance that the burst accounts for, in [0, 1].
    pub explained: f64,
}

/// Finds the best single step; `None` with fewer than [`MIN_WINDOWS`] values, or all the same.
///
/// A point that is not finite or weighs nothing is a gap.
pub fn locate_step(points: &[Option<Point>]) -> Option<Step> {
    let series = Series::new(points)?;
    let n = series.len();
    let gains: Vec<(usize, f64)> =
        (MIN_SIDE..=n - MIN_SIDE).map(|split| (split, series.gain(split, n))).collect();
    let &(split, best) = gains.iter().rev().max_by(|a, b| a.1.total_cmp(&b.1))?;
    let fit = series.fit(split, n)?;
    let surprise = fit.normal_surprise(best, n);
    let place = series.place(split, fit.plausible(best, &gains));
    Some(Step {
        place,
        levels: fit.levels,
        change: fit.change,
        p_value: step_p_value(surprise, MIN_SIDE as f64 / n as f64),
        explained: series.explained(best),
    })
}

/// Finds the best burst of about `max_len` windows at most, and half the series; `None` as for
/// [`locate_step`].
///
/// A burst has windows before and after it; one that reaches the end is a step.
pub fn locate_burst(points: &[Option<Point>], max_len: usize) -> Option<Burst> {
    let series = Series::new(points)?;
    let n = series.len();
    let tried = stretch::candidates(1..n - 1, MIN_SIDE, max_len.min(n / 2));
    let gain = |start, end| series.gain(start, end);
    let best =
        tried.iter().rev().max_by(|a, b| gain(a.start, a.end).total_cmp(&gain(b.start, b.end)))?;
    let grid_gain = gain(best.start, best.end);
    let (start, end) = stretch::refined((best.start, best.end), &(1..n - 1), MIN_SIDE, gain);
    let fit = series.fit(start, end)?;
    let top = gain(start, end);
    let starts: Vec<_> = (1..end).map(|start| (start, gain(start, end))).collect();
    let ends: Vec<_> = (start + 1..=n).map(|end| (end, gain(start, end))).collect();
    let pointwise = normal::two_sided(fit.normal_surprise(grid_gain, n));
    Some(Burst {
        start: series.place(start, fit.plausible(top, &starts)),
        end: series.place(end, fit.plausible(top, &ends)),
        levels: fit.levels,
        change: fit.change,
        p_value: (pointwise * best.tries).min(1.0),
        explained: series.explained(top),
    })
}

/// Finds the newest of all steps with at most `max_p_value`, with the levels right before and
/// after it; `None` where there is none.
///
/// What follows the clearest step is searched again, so that an early change hides no later one,
/// and what is before the newest too, so that its level is that of one stretch.
pub fn newest_step(points: &[Option<Point>], max_p_value: f64) -> Option<Step> {
    let starts = starts_of_levels(points, max_p_value);
    let newest = *starts.last()?;
    let before = points.get(..newest).unwrap_or_default();
    let nearest = starts_of_levels(before, max_p_value).last().copied();
    // A short stretch may show less than the one in which the change was found.
    let searched = [nearest, starts.iter().rev().nth(1).copied(), Some(0)];
    searched.into_iter().flatten().find_map(|start| {
        let step = locate_step(points.get(start..).unwrap_or_default())?;
        let moved = |index: usize| index + start;
        let Place { index, earliest, latest } = step.place;
        let place = Place { index: moved(index), earliest: moved(earliest), latest: moved(latest) };
        (step.p_value <= max_p_value).then_some(Step { place, ..step })
    })
}

/// Where levels begin, each found behind the one before it.
fn starts_of_levels(points: &[Option<Point>], max_p_value: f64) -> Vec<usize> {
    let mut starts = Vec::new();
    let mut start = 0;
    while let Some(at) = first_start(points.get(start..).unwrap_or_default(), max_p_value) {
        start += at;
        starts.push(start);
    }
    starts
}

fn first_start(points: &[Option<Point>], max_p_value: f64) -> Option<usize> {
    let step = locate_step(points).filter(|step| step.p_value <= max_p_value);
    let found = step.map(|step| step.place.index).or_else(|| first_of_two(points, max_p_value));
    found.filter(|at| *at > 0)
}

/// The first of the two steps that fit best together, where they leave nothing but noise: each
/// alone seems to be noise that lasts where both are about as high.
fn first_of_two(points: &[Option<Point>], max_p_value: f64) -> Option<usize> {
    let series = Series::new(points)?;
    let n = series.len();
    let last = n.checked_sub(MIN_SIDE)?;
    let pairs = (MIN_SIDE..last)
        .flat_map(|first| (first + MIN_SIDE..=last).map(move |second| (first, second)));
    let gain = |&(first, second): &(usize, usize)| series.gain_of_levels([first, second]);
    let best = pairs.clone().max_by(|a, b| gain(a).total_cmp(&gain(b)))?;
    let levels = [(0, best.0), (best.0, best.1), (best.1, n)];
    let residuals: Vec<f64> = levels
        .iter()
        .flat_map(|(start, end)| {
            let stretch = series.values.get(*start..*end).unwrap_or_default();
            let fence = fence_of(stretch);
            let clipped: Vec<f64> = stretch.iter().map(|v| v.clamp(fence.0, fence.1)).collect();
            let weights = series.weights.get(*start..*end).unwrap_or_default();
            let mean = weighted_mean(&clipped, weights);
            let weighted = clipped.into_iter().zip(weights);
            weighted.map(move |(value, weight)| weight.sqrt() * (value - mean)).collect::<Vec<_>>()
        })
        .collect();
    let inflation = serial::inflation(serial::lag1_autocorrelation(&residuals)).powi(2);
    let degrees = (n as f64 / inflation - 3.0).max(1.0);
    let variance = residuals.iter().map(|r| r * r).sum::<f64>() / (n as f64 - 3.0) * inflation;
    // Half the gain is each step's, on the average; every pair was tried.
    let t = (0.5 * gain(&best) / variance).sqrt();
    let p_value = normal::student_t_two_sided(t, degrees) * pairs.count() as f64;
    (p_value <= max_p_value).then(|| series.positions.get(best.0).copied())?
}

/// The places in `values` that are as plausible for a step as `split`, first and last.
pub(super) fn plausible_splits(values: &[f64], split: usize) -> (usize, usize) {
    let points: Vec<_> = values.iter().map(|&value| Some(Point { value, weight: 1.0 })).collect();
    let Some(series) = Series::new(&points) else { return (split, split) };
    let n = series.len();
    let gains: Vec<_> = (1..n).map(|at| (at, series.gain(at, n))).collect();
    match series.fit(split, n) {
        Some(fit) => fit.plausible(series.gain(split, n), &gains),
        None => (split, split),
    }
}

/// The windows with a value, and running sums of the clipped values, with which any stretch is
/// compared with the rest.
struct Series {
    positions: Vec<usize>,
    values: Vec<f64>,
    weights: Vec<f64>,
    /// Sums of weight and weight·value before each index.
    sums: Vec<(f64, f64)>,
    /// Weighted sum of squares around the mean.
    spread: f64,
}

impl Series {
    fn new(points: &[Option<Point>]) -> Option<Self> {
        let kept: Vec<(usize, Point)> = points
            .iter()
            .enumerate()
            .filter_map(|(position, point)| Some((position, (*point)?)))
            .filter(|(_, p)| p.value.is_finite() && p.weight.is_finite() && p.weight > 0.0)
            .collect();
        if kept.len() < MIN_WINDOWS {
            return None;
        }
        let mean_weight = kept.iter().map(|(_, p)| p.weight).sum::<f64>() / kept.len() as f64;
        let values: Vec<f64> = kept.iter().map(|(_, p)| p.value).collect();
        let weights: Vec<f64> = kept.iter().map(|(_, p)| p.weight / mean_weight).collect();
        let fence = fence_of(&values);
        let clipped: Vec<f64> = values.iter().map(|v| v.clamp(fence.0, fence.1)).collect();
        let mut sums = vec![(0.0, 0.0)];
        let (mut weight, mut weighted) = (0.0, 0.0);
        let center = weighted_mean(&clipped, &weights);
        let mut spread = 0.0;
        for (value, w) in clipped.iter().zip(&weights) {
            // Around the mean, so that the sums do not lose digits to a large level.
            weight += w;
            weighted += w * (value - center);
            spread += w * (value - center).powi(2);
            sums.push((weight, weighted));
        }
        let positions = kept.iter().map(|&(position, _)| position).collect();
        (spread > 0.0).then_some(Self { positions, values, weights, sums, spread })
    }

    fn len(&self) -> usize {
        self.values.len()
    }

    /// Drop of the weighted sum of squares when the windows in [start, end) get their own mean.
    fn gain(&self, start: usize, end: usize) -> f64 {
        let sum_at = |at: usize| self.sums.get(at).copied().unwrap_or_default();
        let (all_w, all_s) = sum_at(self.len());
        let (start, end) = (sum_at(start), sum_at(end));
        let (inside_w, inside_s) = (end.0 - start.0, end.1 - start.1);
        let (outside_w, outside_s) = (all_w - inside_w, all_s - inside_s);
        if inside_w <= 0.0 || outside_w <= 0.0 {
            return 0.0;
        }
        let difference = inside_s / inside_w - outside_s / outside_w;
        inside_w * outside_w / all_w * difference * difference
    }

    /// The same when the windows before, between and after two places get means of their own.
    fn gain_of_levels(&self, [first, second]: [usize; 2]) -> f64 {
        let sum_at = |at: usize| self.sums.get(at).copied().unwrap_or_default();
        let gain = |start: usize, end: usize| {
            let (start, end) = (sum_at(start), sum_at(end));
            (end.1 - start.1).powi(2) / (end.0 - start.0)
        };
        // Sums are around the mean of all.
        gain(0, first) + gain(first, second) + gain(second, self.len())
    }

    fn explained(&self, gain: f64) -> f64 {
        (gain / self.spread).min(1.0)
    }

    /// Levels and noise when the windows in [start, end) have a level of their own.
    fn fit(&self, start: usize, end: usize) -> Option<Fit> {
        let inside = |index: usize| (start..end).contains(&index);
        let level = |wanted: bool| {
            let (values, weights): (Vec<f64>, Vec<f64>) = self
                .values
                .iter()
                .zip(&self.weights)
                .enumerate()
                .filter(|&(index, _)| inside(index) == wanted)
                .map(|(_, (value, weight))| (*value, *weight))
                .unzip();
            let fence = fence_of(&values);
            let clipped: Vec<f64> = values.iter().map(|v| v.clamp(fence.0, fence.1)).collect();
            (weighted_mean(&clipped, &weights), weights.iter().sum::<f64>(), fence)
        };
        let (outside, inside_side) = (level(false), level(true));
        let residuals: Vec<f64> = (self.values.iter().zip(&self.weights).enumerate())
            .map(|(index, (value, weight))| {
                let (mean, _, fence) = if inside(index) { inside_side } else { outside };
                weight.sqrt() * (value.clamp(fence.0, fence.1) - mean)
            })
            .collect();
        let degrees = self.len().checked_sub(2)? as f64;
        let inflation = serial::inflation(serial::lag1_autocorrelation(&residuals)).powi(2);
        let variance = residuals.iter().map(|r| r * r).sum::<f64>() / degrees * inflation;
        let estimate = inside_side.0 - outside.0;
        let margin = Z_98 * (variance * (1.0 / inside_side.1 + 1.0 / outside.1)).sqrt();
        Some(Fit {
            levels: [outside.0, inside_side.0],
            change: Change { estimate, lo: estimate - margin, hi: estimate + margin },
            variance,
            inflation,
        })
    }

    fn place(&self, index: usize, (earliest, latest): (usize, usize)) -> Place {
        // One past the last value is the window after it.
        let position = |at: usize| match self.positions.get(at) {
            Some(&position) => position,
            None => self.positions.last().map_or(0, |last| last + 1),
        };
        Place { index: position(index), earliest: position(earliest), latest: position(latest) }
    }
}

struct Fit {
    levels: [f64; 2],
    change: Change,
    /// Of a window of mean weight, inflated by autocorrelation.
    variance: f64,
    inflation: f64,
}

impl Fit {
    /// The gain as a standard normal value, with the degrees of freedom that autocorrelation left.
    fn normal_surprise(&self, gain: f64, n: usize) -> f64 {
        let degrees = (n as f64 / self.inflation - 2.0).max(1.0);
        let t = if self.variance > 0.0 { (gain / self.variance).sqrt() } else { f64::INFINITY };
        normal::normal_equivalent(t, degrees)
    }

    /// First and last place whose gain is within [`PLAUSIBLE_DROP`] of the best.
    fn plausible(&self, best: f64, gains: &[(usize, f64)]) -> (usize, usize) {
        let bar = best - PLAUSIBLE_DROP * self.variance;
        let mut places = gains.iter().filter(|(_, gain)| *gain >= bar).map(|&(place, _)| place);
        let earliest = places.next().unwrap_or_default();
        (earliest, places.next_back().unwrap_or(earliest))
    }
}

/// Chance that the greatest standardised difference over all splits reaches `b` without a step.
///
/// `edge_share` is the part of the series on the shorter side of the outermost splits, in
/// (0, 1/2).
///
/// Source: A. Estrella, Critical Values and P Values of Bessel Process Distributions, 2003, with
/// one degree of freedom; exact in the tail for continuous time, cautious for windows.
pub(super) fn step_p_value(b: f64, edge_share: f64) -> f64 {
    let b = b.abs();
    // Below √2 the expansion turns down again; nothing there is surprising.
    if b < std::f64::consts::SQRT_2 {
        return 1.0;
    }
    let odds = (1.0 - edge_share) / edge_share;
    let searched = (1.0 - 1.0 / (b * b)) * 2.0 * odds.ln() + 2.0 / (b * b);
    (b * normal::density(b) * searched).clamp(0.0, 1.0)
}

/// Far fences; unbounded when the middle half is one value, where they would hide everything.
pub(super) fn fence_of(values: &[f64]) -> (f64, f64) {
    let sorted = Sorted::new(values.to_vec());
    let quartiles = sorted.quantile(0.25).zip(sorted.quantile(0.75));
    match quartiles {
        Some((low, high)) if high > low => {
            let reach = FENCE * (high - low);
            (low - reach, high + reach)
        }
        _ => (f64::NEG_INFINITY, f64::INFINITY),
    }
}

fn weighted_mean(values: &[f64], weights: &[f64]) -> f64 {
    let total: f64 = weights.iter().sum();
    values.iter().zip(weights).map(|(value, weight)| value * weight).sum::<f64>() / total
}

#[cfg(test)]
mod tests;
