//! Shares of bad events: Wilson and Newcombe intervals.
//!
//! Guarantees: raw counts in, so 0 of 50 is told apart from 0 of 5,000; no normal approximation
//! of the share itself. Not done here: counting requests by distinct id, the caller's part.

use super::normal::Z_98;
use super::{Change, Direction, Outcome};

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

#[cfg(test)]
mod tests;
