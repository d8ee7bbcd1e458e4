//! Shares of bad events: Wilson and Newcombe intervals, and tests of two shares.
//!
//! Guarantees: raw counts in, so 0 of 50 is told apart from 0 of 5,000; no normal approximation
//! of the share itself. Not done here: counting requests by distinct id, the caller's part.

use super::normal::{self, Z_98};
use super::special::ln_gamma;
use super::{Change, Direction, Outcome};

/// Least expected count in every cell for the score test; below it Fisher's exact test is used.
const MIN_EXPECTED_CELL: f64 = 5.0;
/// Relative slack within which two table probabilities count as equal.
const EQUAL_PROBABILITY: f64 = 1e-7;

/// So many bad ones of so many. Invariant: `0 <= bad <= total` and `total > 0`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Share {
    bad: u64,
    total: u64,
}

impl Share {
    /// `None` when there was nothing (`total` is 0) or more bad ones than ones.
    pub fn new(bad: u64, total: u64) -> Option<Self> {
        (total > 0 && bad <= total).then_some(Self { bad, total })
    }

    /// Count of the bad ones.
    pub fn bad(self) -> u64 {
        self.bad
    }

    /// Count of all.
    pub fn total(self) -> u64 {
        self.total
    }

    /// bad / total, in [0, 1].
    pub fn ratio(self) -> f64 {
        self.bad as f64 / self.total as f64
    }

    /// Wilson's score interval at `z`, within [0, 1].
    ///
    /// `variance_inflation` (>= 1) is how much more the share varies from window to window than
    /// independent events would, see [`super::count::Dispersion`]; it counts as so much less data.
    ///
    /// Source: E. B. Wilson, Probable Inference, 1927.
    pub fn wilson(self, z: f64, variance_inflation: f64) -> (f64, f64) {
        let n = self.total as f64 / variance_inflation.max(1.0);
        let (p, z2) = (self.ratio(), z * z);
        let center = p + z2 / (2.0 * n);
        let half = z * (p * (1.0 - p) / n + z2 / (4.0 * n * n)).sqrt();
        let scale = 1.0 + z2 / n;
        (((center - half) / scale).max(0.0), ((center + half) / scale).min(1.0))
    }
}

/// When a difference of shares is bad.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ShareRule {
    /// Least difference that matters, as a ratio (0.005 is half a percentage point).
    pub min_effect: f64,
    /// Fewest events a side.
    pub min_samples: u64,
    /// The bad way.
    pub direction: Direction,
}

impl Default for ShareRule {
    fn default() -> Self {
        Self { min_effect: 0.005, min_samples: 30, direction: Direction::Increase }
    }
}

impl ShareRule {
    /// Fail when the interval lies beyond the least effect, warn when beyond zero, else pass.
    pub fn judge(&self, control: Share, experiment: Share) -> Outcome {
        if control.total.min(experiment.total) < self.min_samples {
            return Outcome::Inconclusive;
        }
        let change = share_change(control, experiment, Z_98, 1.0);
        match change.judge(self.min_effect, self.direction) {
            Outcome::Pass => {
                let (up, down) = (change.lo > 0.0, change.hi < 0.0);
                let warns = match self.direction {
                    Direction::Increase => up,
                    Direction::Decrease => down,
                    Direction::Either => up || down,
                };
                if warns { Outcome::Warn } else { Outcome::Pass }
            }
            outcome => outcome,
        }
    }
}

/// Difference experiment − control of two shares, in [−1, 1], with Newcombe's interval.
///
/// `z` and `variance_inflation` as in [`Share::wilson`].
///
/// Source: R. G. Newcombe, Interval Estimation for the Difference Between Independent
/// Proportions, 1998, method 10.
pub fn share_change(control: Share, experiment: Share, z: f64, variance_inflation: f64) -> Change {
    let (c, e) = (control.ratio(), experiment.ratio());
    let (c_lo, c_hi) = control.wilson(z, variance_inflation);
    let (e_lo, e_hi) = experiment.wilson(z, variance_inflation);
    let estimate = e - c;
    Change {
        estimate,
        lo: estimate - (e - e_lo).hypot(c_hi - c),
        hi: estimate + (e_hi - e).hypot(c - c_lo),
    }
}

/// Two-sided p-value that both shares are the same: pooled score test, or Fisher's exact test
/// where an expected count is below 5.
///
/// With `variance_inflation` above 1 the score test is widened by its root, and Fisher's test
/// compares the counts divided by it (rounded down, which is cautious).
pub fn share_p_value(control: Share, experiment: Share, variance_inflation: f64) -> f64 {
    let inflation = variance_inflation.max(1.0);
    let (m, n) = (control.total as f64, experiment.total as f64);
    let pooled = (control.bad + experiment.bad) as f64 / (m + n);
    let least_expected = m.min(n) * pooled.min(1.0 - pooled) / inflation;
    if least_expected >= MIN_EXPECTED_CELL {
        let error = (pooled * (1.0 - pooled) * (1.0 / m + 1.0 / n) * inflation).sqrt();
        return normal::two_sided((experiment.ratio() - control.ratio()) / error);
    }
    let deflated = |share: Share| {
        let keep = |count: u64| (count as f64 / inflation) as u64;
        (keep(share.bad), keep(share.total - share.bad))
    };
    fisher(deflated(control), deflated(experiment))
}

/// Two-sided p-value of Fisher's exact test for two rows of (bad, good) counts.
///
/// Sums the probability of every table with these margins that is no likelier than the one seen.
fn fisher((a, b): (u64, u64), (c, d): (u64, u64)) -> f64 {
    let (first, second, bad) = (a + b, c + d, a + c);
    let ln_factorial = |n: u64| ln_gamma(n as f64 + 1.0);
    let ln_probability = |x: u64| {
        let good = first - x;
        let fixed =
            ln_factorial(first) + ln_factorial(second) + ln_factorial(bad) + ln_factorial(b + d)
                - ln_factorial(first + second);
        let other_bad = bad - x;
        fixed
            - ln_factorial(x)
            - ln_factorial(good)
            - ln_factorial(other_bad)
            - ln_factorial(second - other_bad)
    };
    let seen = ln_probability(a) + EQUAL_PROBABILITY;
    let tables = bad.saturating_sub(second)..=bad.min(first);
    let sum: f64 = tables.map(ln_probability).filter(|&ln_p| ln_p <= seen).map(f64::exp).sum();
    sum.min(1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn share(bad: u64, total: u64) -> Share {
        Share::new(bad, total).unwrap()
    }

    #[test]
    fn a_share_of_nothing_does_not_exist() {
        assert_eq!(Share::new(0, 0), None);
        assert_eq!(Share::new(2, 1), None);
        assert!(Share::new(1, 1).is_some());
    }

    #[test]
    fn wilson_agrees_with_the_formula_by_hand() {
        for ((bad, total), (lo, hi)) in [
            ((0, 10), (0.0, 0.277_532_799_862_889_2)),
            ((3, 10), (0.107_791_267_406_301, 0.603_221_852_538_854_6)),
            ((10, 10), (0.722_467_200_137_110_7, 1.0)),
        ] {
            let got = share(bad, total).wilson(1.959_963_984_540_054, 1.0);
            assert!((got.0 - lo).abs() < 1e-12 && (got.1 - hi).abs() < 1e-12, "{bad} of {total}");
        }
        let (narrow, wide) = (share(3, 100).wilson(Z_98, 1.0), share(3, 100).wilson(Z_98, 4.0));
        assert!(wide.0 < narrow.0 && narrow.1 < wide.1); // burstiness widens
    }

    #[test]
    fn lower_bounds_in_points_and_verdicts() {
        use Outcome::{Fail, Inconclusive, Pass, Warn};
        check((0, 50), (30, 50), 40.982_585_564_519_795, Fail);
        check((12, 1_200), (36, 1_200), 0.675_170_830_112_078_3, Fail);
        check((6, 600), (18, 600), 0.068_254_828_241_104_75, Warn); // there, perhaps too small
        check((0, 50), (5, 50), -1.595_379_178_985_551, Pass);
        check((1, 100), (3, 100), -4.271_471_877_649_605_5, Pass);
        check((5, 5_000), (9, 5_000), -0.115_934_436_794_540_91, Pass);
        check((0, 29), (29, 29), 80.0, Inconclusive); // one event short of the least sample
        check((30, 50), (0, 50), -74.364_580_194_665, Pass); // better is not bad
    }

    fn check(control: (u64, u64), experiment: (u64, u64), lo_points: f64, want: Outcome) {
        let (control, experiment) =
            (share(control.0, control.1), share(experiment.0, experiment.1));
        assert_eq!(ShareRule::default().judge(control, experiment), want);
        if want != Outcome::Inconclusive {
            let lo = share_change(control, experiment, Z_98, 1.0).lo * 100.0;
            assert!((lo - lo_points).abs() < 1e-6, "{lo} is not {lo_points}");
        }
    }

    #[test]
    fn p_values_agree_with_scipy() {
        for (control, experiment, want) in [
            ((12, 1_200), (36, 1_200), 0.000_466_532_046_989_552_1), // score test
            ((50, 5_000), (90, 5_000), 0.000_662_773_527_722_160_6),
            ((0, 50), (5, 50), 0.056_284_494_428_824_33), // Fisher
            ((1, 100), (3, 100), 0.621_202_458_995_485),
            ((3, 10), (9, 12), 0.083_557_309_563_501_5),
            ((0, 5), (5, 5), 0.007_936_507_936_507_938),
            ((0, 50), (0, 50), 1.0), // nothing bad anywhere
            ((5, 5), (7, 7), 1.0),   // everything bad everywhere
        ] {
            let got =
                share_p_value(share(control.0, control.1), share(experiment.0, experiment.1), 1.0);
            assert!((got - want).abs() < 1e-9, "{control:?} {experiment:?}: {got} is not {want}");
        }
    }

    #[test]
    fn burstiness_weakens_both_tests() {
        for (control, experiment) in [((12, 1_200), (36, 1_200)), ((0, 50), (9, 50))] {
            let (control, experiment) =
                (share(control.0, control.1), share(experiment.0, experiment.1));
            let plain = share_p_value(control, experiment, 1.0);
            assert!(share_p_value(control, experiment, 3.0) > 2.0 * plain);
        }
    }
}
