//! Statistics as pure functions: slices in, values out.
//!
//! Guarantees: no I/O, no clock, no randomness, no panic on any input. The same input gives the
//! same bytes on every machine. Values that are not finite are never computed with: every entry
//! point drops them, and those that return a sample say how many. What cannot be told is `None`
//! or [`Outcome::Inconclusive`], never zero.
//!
//! Not done here: which windows are like which (the caller names slots), units, wording, and the
//! weighing of several outcomes into a decision.
//!
//! How the pieces make a report with few false alarms:
//! 1. cut the span into windows, make one series per measure (logarithm of a quantile, or counts);
//! 2. take the daily and weekly rhythm out with [`season`];
//! 3. ask [`step`] (values) or [`scan`] (counts) for the one best change; both answer with a
//!    p-value that already pays for having searched every place;
//! 4. correct the p-values with [`correction`], in two families: the few measures of the whole
//!    platform, and the many of single routes, so that the many do not drown the few;
//! 5. speak of those left whose interval also clears the least effect worth speaking of.
//!
//! `simulation/report.rs` does just this for 40 routes over two weeks. At a level of 2 % a family,
//! some 3 % of quiet reports say anything.

pub mod burn;
pub mod change_point;
pub mod correction;
pub mod count;
pub mod limit;
pub mod next;
pub mod normal;
pub mod novelty;
pub mod proportion;
pub mod quantile;
pub mod quantile_change;
pub mod rank;
pub mod robust;
pub mod scan;
pub mod season;
pub mod serial;
pub mod sketch;
mod special;
pub mod step;
mod stretch;

#[cfg(test)]
mod simulation;

/// What one test says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// No change worth a word was seen, and there was enough to see one.
    Pass,
    /// A change is there; that it is large enough to matter is likely but not proven.
    Warn,
    /// A change larger than the least effect is proven at the confidence asked for.
    Fail,
    /// Too little was seen to say anything.
    Inconclusive,
}

/// The way of change that counts as bad.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Direction {
    /// Only more is bad, as with latency.
    Increase,
    /// Only less is bad, as with submissions.
    Decrease,
    /// Any change is bad.
    Either,
}

/// An estimated difference with its confidence interval, in the unit of what was compared.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Change {
    /// Best single value.
    pub estimate: f64,
    /// Lower end; minus infinity when there was too little to bound it.
    pub lo: f64,
    /// Upper end; plus infinity when there was too little to bound it.
    pub hi: f64,
}

impl Change {
    /// Judges the change against `bar`, the least difference that matters (same unit, >= 0).
    ///
    /// Fail when the whole interval lies beyond the bar; warn when it lies beyond zero and the
    /// estimate beyond the bar; inconclusive when the interval is unbounded.
    pub fn judge(&self, bar: f64, direction: Direction) -> Outcome {
        if !(self.lo.is_finite() && self.hi.is_finite() && self.estimate.is_finite()) {
            return Outcome::Inconclusive;
        }
        let more = judge_increase(self.estimate, self.lo, bar);
        let less = judge_increase(-self.estimate, -self.hi, bar);
        match direction {
            Direction::Decrease => less,
            Direction::Either if self.estimate < 0.0 => less,
            Direction::Increase | Direction::Either => more,
        }
    }
}

fn judge_increase(estimate: f64, lo: f64, bar: f64) -> Outcome {
    if lo > bar {
        Outcome::Fail
    } else if lo > 0.0 && estimate > bar {
        Outcome::Warn
    } else {
        Outcome::Pass
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_fails_only_beyond_the_bar() {
        check((5.0, 2.0, 8.0), 1.0, Direction::Increase, Outcome::Fail);
        check((5.0, 1.0, 8.0), 1.0, Direction::Increase, Outcome::Warn); // exactly at the bar
        check((1.0, 0.5, 2.0), 1.0, Direction::Increase, Outcome::Pass); // real, too small
        check((5.0, 0.0, 8.0), 1.0, Direction::Increase, Outcome::Pass); // zero is possible
        check((-5.0, -8.0, -2.0), 1.0, Direction::Increase, Outcome::Pass); // better is not bad
        check((-5.0, -8.0, -2.0), 1.0, Direction::Decrease, Outcome::Fail);
        check((-5.0, -8.0, -2.0), 1.0, Direction::Either, Outcome::Fail);
        check((-5.0, -8.0, -0.1), 1.0, Direction::Either, Outcome::Warn);
        check((5.0, f64::NEG_INFINITY, 8.0), 1.0, Direction::Increase, Outcome::Inconclusive);
        check((f64::NAN, 2.0, 8.0), 1.0, Direction::Increase, Outcome::Inconclusive);
    }

    fn check((estimate, lo, hi): (f64, f64, f64), bar: f64, direction: Direction, want: Outcome) {
        assert_eq!(Change { estimate, lo, hi }.judge(bar, direction), want);
    }
}
