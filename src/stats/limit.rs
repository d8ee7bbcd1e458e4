//! Where the usual ends: a bound learned from the past windows of a measure.
//!
//! Guarantees: one bound for one side, as a rule compares one way; `None` with fewer than
//! [`Method::min_samples`] finite values. Which windows are like the one that is judged, the
//! caller says. For a range around the middle that promises no rate it cannot keep, see
//! [`super::robust`].

use super::normal::student_t_two_sided;
use super::quantile::Sorted;

/// Standard deviations of normal values in one MAD.
///
/// Source: Rousseeuw & Croux, Alternatives to the Median Absolute Deviation, 1993.
const SIGMAS_PER_MAD: f64 = 1.482_602_218_505_602;
/// Standard deviations of normal values from their middle to a quartile.
const SIGMAS_TO_QUARTILE: f64 = 0.674_489_750_196_081_7;
/// The same in the range between the quartiles of |changes| from one value to the next.
///
/// Formula: √2 · (Φ⁻¹(7/8) − Φ⁻¹(5/8)), as changes of independent values have √2 their deviation.
const SIGMAS_PER_RANGE_OF_CHANGES: f64 = 1.176_206_6;
/// Fewest windows that have a middle and a spread.
const MIN_WINDOWS: usize = 5;
/// Most times that windows are left out and the bound is learned again.
const MAX_FOLDS: usize = 200;
/// Keeps `(n + 1) · 0.1` whole where it is whole on paper.
const EPSILON: f64 = 1e-9;
/// Halvings that bring the t quantile to its last digits.
const HALVINGS: usize = 100;

/// The side on which a value is unusual.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// Too much.
    Upper,
    /// Too little.
    Lower,
}

impl Side {
    fn sign(self) -> f64 {
        match self {
            Self::Upper => 1.0,
            Self::Lower => -1.0,
        }
    }
}

/// How the bound is learned. A `rate` is the share of usual windows beyond it, in (0, 1).
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Method {
    /// Median ± z standard deviations, as the MAD estimates them.
    Mad {
        /// Standard deviations.
        z: f64,
    },
    /// Quartile ± k interquartile ranges: Tukey's fence.
    Iqr {
        /// Interquartile ranges.
        k: f64,
    },
    /// Median ± k interquartile ranges of the relative changes from one window to the next, as
    /// Bencher has it. Only for measures without a zero.
    DeltaIqr {
        /// Interquartile ranges.
        k: f64,
    },
    /// Prediction bound of log-normal windows; for positive measures.
    LogNormal {
        /// False alarms wanted.
        rate: f64,
    },
    /// Prediction bound of normal windows.
    StudentT {
        /// False alarms wanted.
        rate: f64,
    },
    /// Order statistic: keeps its rate whatever the distribution, where windows are
    /// exchangeable.
    Conformal {
        /// False alarms promised.
        rate: f64,
    },
}

impl Method {
    /// Fewest finite windows for a bound; `None` where no number is enough, as with a rate that
    /// is not in (0, 1).
    pub fn min_samples(self) -> Option<usize> {
        match self {
            Self::Mad { z: width } | Self::Iqr { k: width } => {
                width.is_finite().then_some(MIN_WINDOWS)
            }
            // One change fewer than windows.
            Self::DeltaIqr { k } => k.is_finite().then_some(MIN_WINDOWS + 1),
            Self::LogNormal { rate } | Self::StudentT { rate } => {
                is_rate(rate).then_some(MIN_WINDOWS)
            }
            Self::Conformal { rate } => {
                is_rate(rate).then(|| ((1.0 - EPSILON) / rate).ceil() as usize - 1)
            }
        }
    }

    /// The bound that `history`, in the order of time, gives; in the unit of its values.
    ///
    /// `None` with fewer than [`Self::min_samples`] finite values, or where a log-normal history
    /// holds values that are not positive.
    pub fn bound(self, history: &[f64], side: Side) -> Option<f64> {
        let sorted = Sorted::new(history.to_vec());
        if sorted.len() < self.min_samples()?.max(1) {
            return None;
        }
        let bound = match self {
            Self::Mad { z } => {
                sorted.median()? + side.sign() * z * SIGMAS_PER_MAD * sorted.mad()?
            }
            Self::Iqr { k } => {
                let (first, third) = (sorted.quantile(0.25)?, sorted.quantile(0.75)?);
                let quartile = if side == Side::Upper { third } else { first };
                quartile + side.sign() * k * (third - first)
            }
            Self::DeltaIqr { k } => {
                let changes = relative_changes(history);
                let range = changes.quantile(0.75)? - changes.quantile(0.25)?;
                let median = sorted.median()?;
                median + side.sign() * k * range * median.abs()
            }
            Self::LogNormal { rate } => {
                let logs: Vec<f64> = sorted.as_slice().iter().map(|value| value.ln()).collect();
                student_bound(&logs, rate, side)?.exp()
            }
            Self::StudentT { rate } => student_bound(sorted.as_slice(), rate, side)?,
            Self::Conformal { rate } => conformal_bound(sorted.as_slice(), rate, side)?,
        };
        bound.is_finite().then_some(bound)
    }

    /// How rare a value at or beyond `value` is among windows like those of `history`, and how rare
    /// one at the bound: the one-sided p-value of the value, and the rate that the method promises
    /// or, of widths, would keep if the windows were normal. `None` without a bound.
    ///
    /// Of [`Self::Conformal`] it is the rank, exact for exchangeable windows; of all others
    /// Student's t, as their spread is measured on few windows.
    pub fn rarity(self, history: &[f64], value: f64, side: Side) -> Option<Rarity> {
        let bound = self.bound(history, side)?;
        let known = || history.iter().copied().filter(|value| value.is_finite());
        let n = known().count() as f64;
        let t_tail = |t: f64| {
            let tail = 0.5 * student_t_two_sided(t, n - 1.0);
            if t > 0.0 { tail } else { 1.0 - tail }
        };
        // How many widths from the middle the value lies: the bound lies at the parameter.
        let of_width = |width: f64, start: Self, sigmas: &dyn Fn(f64) -> f64| {
            let start = start.bound(history, side)?;
            let beyond = (value - start) / (bound - start).abs() * side.sign() * width;
            let beyond = if beyond.is_nan() { 0.0 } else { beyond };
            Some([t_tail(sigmas(beyond)), t_tail(sigmas(width))])
        };
        let of_moments = |scaled: &dyn Fn(f64) -> f64, rate: f64| {
            let moments = Moments::of(&known().map(scaled).collect::<Vec<f64>>());
            let t = side.sign() * (scaled(value) - moments.mean) / moments.error_of_next;
            [t_tail(if t.is_nan() { 0.0 } else { t }), rate]
        };
        let [p_value, rate] = match self {
            Self::Mad { z } => of_width(z, Self::Mad { z: 0.0 }, &|sigmas| sigmas)?,
            Self::Iqr { k } => of_width(k, Self::Iqr { k: 0.0 }, &|ranges| {
                SIGMAS_TO_QUARTILE + ranges * 2.0 * SIGMAS_TO_QUARTILE
            })?,
            Self::DeltaIqr { k } => of_width(k, Self::DeltaIqr { k: 0.0 }, &|ranges| {
                ranges * SIGMAS_PER_RANGE_OF_CHANGES
            })?,
            Self::LogNormal { rate } => of_moments(&|value| value.max(0.0).ln(), rate),
            Self::StudentT { rate } => of_moments(&|value| value, rate),
            Self::Conformal { rate } => {
                let as_far = known().filter(|known| side.sign() * (known - value) >= 0.0).count();
                [(1.0 + as_far as f64) / (n + 1.0), rate]
            }
        };
        Some(Rarity { p_value, rate })
    }
}

/// How rare a value is, and how rare what a method still takes for usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Rarity {
    /// One-sided p-value that the value is like the others.
    pub p_value: f64,
    /// The same of a value at the bound: the share of false alarms that is put up with.
    pub rate: f64,
}

fn is_rate(rate: f64) -> bool {
    0.0 < rate && rate < 1.0
}

/// |next / this − 1|, where there is such a thing.
fn relative_changes(history: &[f64]) -> Sorted {
    let finite: Vec<f64> = history.iter().copied().filter(|value| value.is_finite()).collect();
    let pairs = finite.iter().zip(finite.iter().skip(1));
    Sorted::new(pairs.map(|(this, next)| ((next - this) / this).abs()).collect())
}

/// mean ± t · s · √(1 + 1/n): where the next of n + 1 like values lies.
///
/// Source: Hahn & Meeker, Statistical Intervals, 1991, 4.8.
fn student_bound(values: &[f64], rate: f64, side: Side) -> Option<f64> {
    let Moments { mean, error_of_next } = Moments::of(values);
    let reach = student_t_quantile(1.0 - rate, values.len() as f64 - 1.0) * error_of_next;
    let bound = mean + side.sign() * reach;
    bound.is_finite().then_some(bound)
}

/// Mean of n values, and s · √(1 + 1/n), the deviation of one more from it.
struct Moments {
    mean: f64,
    error_of_next: f64,
}

impl Moments {
    fn of(values: &[f64]) -> Self {
        let n = values.len() as f64;
        let mean = values.iter().sum::<f64>() / n;
        let variance = values.iter().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
        Self { mean, error_of_next: (variance * (1.0 + 1.0 / n)).sqrt() }
    }
}

/// The value of Student's t below which a share `p` lies; `p` in (0, 1).
pub(super) fn student_t_quantile(p: f64, degrees: f64) -> f64 {
    let tail = p.min(1.0 - p);
    let is_beyond = |t: f64| 0.5 * student_t_two_sided(t, degrees) < tail;
    let mut hi = 1.0;
    while !is_beyond(hi) && hi < f64::MAX / 4.0 {
        hi *= 2.0;
    }
    let mut lo = 0.0;
    for _ in 0..HALVINGS {
        let middle = f64::midpoint(lo, hi);
        if is_beyond(middle) { hi = middle } else { lo = middle }
    }
    if p < 0.5 { -lo } else { lo }
}

/// The order statistic that a new exchangeable value passes in at most `rate` of all cases.
///
/// Source: Vovk, Gammerman & Shafer, Algorithmic Learning in a Random World, 2005: of n + 1
/// values every rank is equally likely for the newest.
fn conformal_bound(sorted: &[f64], rate: f64, side: Side) -> Option<f64> {
    let n = sorted.len();
    let beyond = ((n as f64 + 1.0) * rate + EPSILON).floor() as usize;
    match side {
        Side::Upper => sorted.get(n.checked_sub(beyond)?),
        Side::Lower => sorted.get(beyond.checked_sub(1)?),
    }
    .copied()
}

/// How often a method would have cried wolf over its own history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FalseAlarms {
    /// Windows beyond the bound that the others gave.
    pub alarms: usize,
    /// Windows that had a bound.
    pub tested: usize,
}

/// Leaves out a group of windows at a time and holds it against the bound of the others.
///
/// `groups` are the weeks of the windows, so that a bad week does not vouch for itself; without
/// them every window is its own group, or every 200th of a longer history. `None` when no window
/// had a bound. The rate of the history is that of the future only as far as the two are alike.
pub fn false_alarms(
    history: &[f64],
    groups: Option<&[u32]>,
    method: Method,
    side: Side,
) -> Option<FalseAlarms> {
    let group_of = |index: usize| match groups {
        Some(groups) => groups.get(index).copied(),
        None => u32::try_from(index % MAX_FOLDS).ok(),
    };
    let mut folds: Vec<u32> = (0..history.len()).filter_map(group_of).collect();
    folds.sort_unstable();
    folds.dedup();
    let mut found = FalseAlarms { alarms: 0, tested: 0 };
    for fold in folds {
        let is_left_out = |index: usize| group_of(index) == Some(fold);
        let (left_out, others): (Vec<_>, Vec<_>) =
            history.iter().copied().enumerate().partition(|&(index, _)| is_left_out(index));
        let others: Vec<f64> = others.into_iter().map(|(_, value)| value).collect();
        let Some(bound) = method.bound(&others, side) else { continue };
        let tested = left_out.iter().map(|&(_, value)| value).filter(|value| value.is_finite());
        for value in tested {
            found.tested += 1;
            found.alarms += usize::from(side.sign() * (value - bound) > 0.0);
        }
    }
    (found.tested > 0).then_some(found)
}

#[cfg(test)]
mod tests;
