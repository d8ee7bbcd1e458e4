//! How much a quantile changed, with an interval that assumes no distribution.

use super::Change;
use super::normal::Z_98;

/// A quantile with the interval its sample allows.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct QuantileInterval {
    /// The quantile.
    pub estimate: f64,
    /// Lower end, an order statistic.
    pub lo: f64,
    /// Upper end, an order statistic.
    pub hi: f64,
}

impl QuantileInterval {
    /// The 98 % interval of the `q` quantile of `n` values, which `quantile` gives by its rank.
    ///
    /// `None` when the sample is too small to bound it: fewer than about six values beyond it.
    /// Source: Conover, Practical Nonparametric Statistics, 3.2: ranks nq ± z·√(nq(1−q)).
    pub fn of(n: u64, q: f64, quantile: impl Fn(f64) -> Option<f64>) -> Option<Self> {
        let half = Z_98 * (q * (1.0 - q) / n as f64).sqrt();
        let (below, above) = (q - half, q + half);
        if n == 0 || below <= 0.0 || above >= 1.0 {
            return None;
        }
        Some(Self { estimate: quantile(q)?, lo: quantile(below)?, hi: quantile(above)? })
    }
}

/// Likely range of `after / before − 1` in per cent; `None` unless all bounds are positive.
///
/// Source: Zou & Donner, Construction of Confidence Limits About Effect Measures, 2008 (MOVER),
/// on the logarithms.
pub fn ratio_interval_pct(before: QuantileInterval, after: QuantileInterval) -> Option<[f64; 2]> {
    let logs = |q: QuantileInterval| (q.lo > 0.0).then(|| [q.lo.ln(), q.estimate.ln(), q.hi.ln()]);
    let [before_lo, before, before_hi] = logs(before)?;
    let [after_lo, after, after_hi] = logs(after)?;
    let change = after - before;
    let lo = change - (after - after_lo).hypot(before_hi - before);
    let hi = change + (after_hi - after).hypot(before - before_lo);
    let pct = |log: f64| (log.exp() - 1.0) * 100.0;
    Some([pct(lo), pct(hi)])
}

/// `after − before` in the unit of the values, with its likely range, `inflation` (>= 1) times as
/// wide as independent values would have it; whatever the signs.
///
/// Source: as for [`ratio_interval_pct`], on the values themselves.
pub fn difference_interval(
    before: QuantileInterval,
    after: QuantileInterval,
    inflation: f64,
) -> Change {
    let estimate = after.estimate - before.estimate;
    let below = (after.estimate - after.lo).hypot(before.hi - before.estimate);
    let above = (after.hi - after.estimate).hypot(before.estimate - before.lo);
    Change { estimate, lo: estimate - inflation * below, hi: estimate + inflation * above }
}

#[cfg(test)]
mod tests {
    use super::{QuantileInterval, ratio_interval_pct};
    use crate::stats::quantile::Sorted;
    use crate::stats::simulation::Random;

    fn interval(values: Vec<f64>, q: f64) -> Option<QuantileInterval> {
        let sorted = Sorted::new(values);
        QuantileInterval::of(sorted.len() as u64, q, |q| sorted.quantile(q))
    }

    #[test]
    fn a_small_sample_cannot_bound_its_tail() {
        assert_eq!(interval(vec![], 0.95), None);
        assert_eq!(interval(vec![1.0; 50], 0.95), None);
        assert_eq!(interval(vec![1.0; 500], 0.95).map(|i| (i.lo, i.hi)), Some((1.0, 1.0)));
    }

    #[test]
    fn the_interval_holds_the_true_ratio_about_as_often_as_it_says() {
        let mut random = Random::new(7);
        let mut held = 0;
        for _ in 0..400 {
            let mut sample = |scale: f64| -> Vec<f64> {
                (0..600).map(|_| scale * (0.5 * random.normal()).exp()).collect()
            };
            let before = interval(sample(100.0), 0.95).unwrap();
            let after = interval(sample(150.0), 0.95).unwrap();
            let [lo, hi] = ratio_interval_pct(before, after).unwrap();
            held += usize::from(lo <= 50.0 && 50.0 <= hi);
        }
        assert!((380..=400).contains(&held), "{held} of 400");
    }
}
