//! Shift between two samples by ranks: Hodges–Lehmann estimate with a distribution-free
//! interval, and the Mann–Whitney test.
//!
//! Guarantees: deterministic and exact for the values compared; no distribution is assumed;
//! autocorrelation within the samples widens the interval and weakens the p-value.
//! Not done here: matching like hours with like hours. Two windows with a different share of
//! busy hours differ by that alone; compare like with like, or use [`super::step`].

use super::normal::{self, Z_98};
use super::quantile::Sorted;
use super::serial;
use super::{Change, Direction, Outcome};

/// Most values compared per side; more are thinned.
pub const MAX_COMPARED: usize = 2_000;
/// Differences left at which they are listed instead of halved again.
const MAX_LISTED: usize = 4_096;

/// How far the experiment lies above the control, in the unit of the values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Shift {
    /// Median of all differences experiment − control, and its interval.
    pub change: Change,
    /// Median of the control.
    pub control_median: f64,
    /// Count of finite values, control and experiment.
    pub n: [usize; 2],
    /// Factor by which autocorrelation widened the interval, >= 1.
    pub inflation: f64,
    /// Two-sided Mann–Whitney p-value (normal approximation, ties and continuity corrected).
    pub p_value: f64,
    /// Chance that a value of the experiment exceeds one of the control, ties half, in [0, 1].
    pub superiority: f64,
}

/// When a shift is bad.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShiftRule {
    /// Least change that matters, as a share of the control's median (0.1 is 10 %).
    pub min_effect_ratio: f64,
    /// Least change that matters in the unit of the values; the greater of the two bars counts.
    pub min_effect: f64,
    /// Fewest values a side.
    pub min_samples: usize,
    /// The bad way.
    pub direction: Direction,
}

impl Default for ShiftRule {
    fn default() -> Self {
        Self {
            min_effect_ratio: 0.1,
            min_effect: 0.0,
            min_samples: 30,
            direction: Direction::Increase,
        }
    }
}

impl ShiftRule {
    /// Judges a shift; no shift or too few samples is inconclusive.
    pub fn judge(&self, shift: Option<&Shift>) -> Outcome {
        let Some(shift) = shift else { return Outcome::Inconclusive };
        if shift.n.iter().any(|&n| n < self.min_samples) {
            return Outcome::Inconclusive;
        }
        let bar = (self.min_effect_ratio * shift.control_median.abs()).max(self.min_effect);
        shift.change.judge(bar, self.direction)
    }
}

/// Compares two samples **in time order**, at 98 % confidence; `None` when one has no finite value.
///
/// Above [`MAX_COMPARED`] values a side, evenly spaced ones are compared, and how alike those near
/// each other are is told from the values compared.
pub fn shift(control: &[f64], experiment: &[f64]) -> Option<Shift> {
    let (control, control_n) = evenly_spaced(control, MAX_COMPARED);
    let (experiment, experiment_n) = evenly_spaced(experiment, MAX_COMPARED);
    let inflation =
        serial::inflation_between(&serial::ranks(&control), &serial::ranks(&experiment));
    let shift = shift_of_sorted(&Sorted::new(control), &Sorted::new(experiment), inflation, Z_98)?;
    Some(Shift { n: [control_n, experiment_n], ..shift })
}

/// Compares two samples whose order in time is not known, such as thinned sketches.
///
/// `inflation` (>= 1) is the caller's knowledge of their autocorrelation, see
/// [`serial::inflation`]; `z` sets the confidence ([`Z_98`] is 98 %). `None` when one is empty.
///
/// Source: Hollander & Wolfe, Nonparametric Statistical Methods, 4.2 and 4.3.
pub fn shift_of_sorted(
    control: &Sorted,
    experiment: &Sorted,
    inflation: f64,
    z: f64,
) -> Option<Shift> {
    let (c, e) = (control.as_slice(), experiment.as_slice());
    let inflation = inflation.max(1.0);
    let pairs = c.len() * e.len();
    let middle = kth_difference(c, e, pairs.checked_sub(1)? / 2)?;
    let estimate = if pairs.is_multiple_of(2) {
        0.5 * (middle + kth_difference(c, e, pairs / 2)?)
    } else {
        middle
    };
    let sigma = (pairs as f64 * (c.len() + e.len() + 1) as f64 / 12.0).sqrt();
    let k = (0.5 * pairs as f64 - 0.5 - z * sigma * inflation).floor();
    let (lo, hi) = if k >= 0.0 {
        let k = k as usize;
        (kth_difference(c, e, k)?, kth_difference(c, e, pairs - 1 - k)?)
    } else {
        (f64::NEG_INFINITY, f64::INFINITY)
    };
    let (superiority, p_value) = mann_whitney(c, e, inflation);
    Some(Shift {
        change: Change { estimate, lo, hi },
        control_median: control.median()?,
        n: [c.len(), e.len()],
        inflation,
        p_value,
        superiority,
    })
}

/// Finite values in time order, thinned to `most`, and how many there were.
pub fn evenly_spaced(values: &[f64], most: usize) -> (Vec<f64>, usize) {
    let finite: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    let n = finite.len();
    if n <= most {
        return (finite, n);
    }
    let at = |i: usize| finite.get((2 * i + 1) * n / (2 * most)).copied();
    ((0..most).filter_map(at).collect(), n)
}

/// The `k`-th smallest (from 0) of all eᵢ − cⱼ without listing them; both ascending.
///
/// Halves the range of bit patterns, which order like the numbers, so that it ends after at most
/// 64 counts of O(m + n) each; rounding of the subtraction is monotone, so counts are exact.
fn kth_difference(c: &[f64], e: &[f64], k: usize) -> Option<f64> {
    let mut low = ordered_bits(e.first()? - c.last()?);
    let mut high = ordered_bits(e.last()? - c.first()?);
    let (mut below_low, mut up_to_high) = (0, c.len() * e.len());
    if k >= up_to_high {
        return None;
    }
    while low < high && up_to_high - below_low > MAX_LISTED {
        // Average rounded down, without overflow.
        let middle = (low & high) + ((low ^ high) >> 1);
        let count = count_at_most(c, e, from_ordered_bits(middle));
        if count > k {
            (high, up_to_high) = (middle, count);
        } else {
            (low, below_low) = (middle + 1, count);
        }
    }
    if low == high {
        return Some(from_ordered_bits(low));
    }
    let mut listed = differences_within(c, e, from_ordered_bits(low), from_ordered_bits(high));
    let rank = k - below_low;
    if rank >= listed.len() {
        return None;
    }
    Some(*listed.select_nth_unstable_by(rank, f64::total_cmp).1)
}

fn count_at_most(c: &[f64], e: &[f64], bound: f64) -> usize {
    let mut rest = c;
    let mut count = 0;
    for &value in e {
        // eᵢ − cⱼ falls with j: the j that stay at or below the bound form the end of `c`.
        while let Some((first, others)) = rest.split_first() {
            if value - first <= bound {
                break;
            }
            rest = others;
        }
        count += rest.len();
    }
    count
}

fn differences_within(c: &[f64], e: &[f64], low: f64, high: f64) -> Vec<f64> {
    let mut listed = Vec::with_capacity(MAX_LISTED);
    let mut rest = c;
    for &value in e {
        while let Some((first, others)) = rest.split_first() {
            if value - first <= high {
                break;
            }
            rest = others;
        }
        listed.extend(rest.iter().map(|first| value - first).take_while(|d| *d >= low));
    }
    listed
}

/// A whole number that orders like the value, and has one zero.
fn ordered_bits(value: f64) -> i64 {
    let magnitude = value.abs().to_bits() as i64;
    if value < 0.0 { -magnitude } else { magnitude }
}

fn from_ordered_bits(ordered: i64) -> f64 {
    let magnitude = f64::from_bits(ordered.unsigned_abs());
    if ordered < 0 { -magnitude } else { magnitude }
}

/// Superiority of the experiment and two-sided p-value; both samples ascending and not empty.
///
/// Source: Mann & Whitney, 1947; variance with ties as in Hollander & Wolfe 4.1.
fn mann_whitney(c: &[f64], e: &[f64], inflation: f64) -> (f64, f64) {
    let (m, n) = (c.len() as f64, e.len() as f64);
    let (mut wins, mut tie_sum) = (0.0, 0.0);
    let (mut c_rest, mut e_rest) = (c, e);
    let mut c_below = 0;
    while let Some(value) = least(c_rest.first(), e_rest.first()) {
        let c_tied = c_rest.partition_point(|v| *v <= value);
        let e_tied = e_rest.partition_point(|v| *v <= value);
        wins += e_tied as f64 * (c_below as f64 + 0.5 * c_tied as f64);
        let tied = (c_tied + e_tied) as f64;
        tie_sum += tied.powi(3) - tied;
        c_below += c_tied;
        c_rest = c_rest.split_at(c_tied).1;
        e_rest = e_rest.split_at(e_tied).1;
    }
    let total = m + n;
    let variance = m * n / 12.0 * ((total + 1.0) - tie_sum / (total * (total - 1.0)).max(1.0));
    let distance = ((wins - 0.5 * m * n).abs() - 0.5).max(0.0);
    let p_value = if variance > 0.0 {
        normal::two_sided(distance / (variance.sqrt() * inflation))
    } else {
        1.0 // all values are the same
    };
    (wins / (m * n), p_value)
}

fn least(a: Option<&f64>, b: Option<&f64>) -> Option<f64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(*b)),
        (a, b) => a.or(b).copied(),
    }
}

#[cfg(test)]
mod tests;
