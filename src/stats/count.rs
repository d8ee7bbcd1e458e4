//! Counts of rare events: is there more or less than usual, allowing for how bursty they are?
//!
//! Guarantees: conditional on the total, so the usual rate is not taken as known; spread beyond
//! Poisson (dispersion) is measured on the history, and how badly a short history measures it is
//! paid for with Student's tails, so that few windows make the test cautious, never bold.

use super::normal;
use super::special::beta_inc;
use super::{Direction, Outcome};

/// Expected events a block of windows must hold before its spread is measured.
const MIN_BLOCK_EXPECTED: f64 = 5.0;
/// Fewest blocks that tell anything about spread.
const MIN_BLOCKS: usize = 3;
/// Variance over mean that is assumed of counts nobody has looked at yet...
const PRIOR_ESTIMATE: f64 = 2.0;
/// How much the rate of whole stretches, such as days, wanders when nothing happens: assumed...
const PRIOR_RATE_SD: f64 = 0.1;
/// Weight of what is assumed, in degrees of freedom, against what the history shows.
const PRIOR_DEGREES: f64 = 3.0;
const PRIOR_ESTIMATE_DEGREES: f64 = 5.0;
/// Points at which the wandering of the rate is averaged over, in steps from the usual rate...
const WANDERINGS: std::ops::RangeInclusive<i32> = -16..=16;
/// ...of this many standard deviations.
const WANDERING_STEP: f64 = 0.5;
/// Halvings of the unit interval when an interval is inverted: nine digits of the share.
const HALVINGS: usize = 30;

/// Events seen in an exposure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Count {
    /// Number of events.
    pub events: f64,
    /// What the number grows with: hours, requests, or events expected. Positive.
    pub exposure: f64,
}

/// Variance of counts relative to a Poisson process: 1 is Poisson, more is bursty.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dispersion {
    /// Variance over mean, >= 1.
    pub estimate: f64,
    /// Degrees of freedom it was measured with; infinite when it is assumed.
    pub degrees: f64,
    /// Standard deviation of the logarithm of the rate from one stretch to another; 0.1 is about
    /// 10 %.
    pub rate_sd: f64,
}

impl Dispersion {
    /// Independent events: assumed, not measured.
    pub const POISSON: Self = Self { estimate: 1.0, degrees: f64::INFINITY, rate_sd: 0.0 };
    /// Nothing is known: three events count as one, so that only what is plain is called a change.
    pub const UNKNOWN: Self = Self { estimate: 3.0, degrees: f64::INFINITY, rate_sd: 0.0 };

    /// Measures the spread of `(seen, expected, windows)`: events, the mean of the like windows,
    /// and how many of those there were; for comparing long stretches, over which it averages out.
    ///
    /// Windows are joined in order until 5 events are expected, so that quiet hours count for what
    /// they show. `None` when there are fewer than three blocks: nothing is known then.
    ///
    /// Formula: Σ(x−μ)² / Σμ(1+1/k), beside an assumed 2 that weighs as much as five blocks: without
    /// it a handful of blocks would measure so badly that no change, however large, could be told.
    /// Busy blocks weigh more than in Pearson's mean of ratios:
    /// changes are sought where much is expected.
    pub fn of(windows: impl IntoIterator<Item = (f64, f64, f64)>) -> Option<Self> {
        let spread = Spread::of(windows, |block| block.expected >= MIN_BLOCK_EXPECTED)?;
        let shown = (spread.squares / spread.variance).max(1.0);
        let assumed = PRIOR_ESTIMATE * PRIOR_ESTIMATE_DEGREES;
        let degrees = spread.degrees + PRIOR_ESTIMATE_DEGREES;
        let estimate = (spread.degrees * shown + assumed) / degrees;
        Some(Self { estimate, degrees, rate_sd: 0.0 })
    }

    /// The same for one stretch of `len` windows that is compared with `like_windows` others: how
    /// much the rate of such stretches wanders, bad hours and bad days included.
    ///
    /// Formula: (Σ(x−μ)² − Σμ(1+1/k)) / Σμ²(1+1/k) over stretches of that length is the variance of
    /// the rate; few stretches measure it badly, so they count beside an assumed 10 %.
    pub fn of_stretch(
        windows: impl IntoIterator<Item = (f64, f64, f64)>,
        len: usize,
        like_windows: f64,
    ) -> Option<Self> {
        let spread = Spread::of(windows, |block| block.windows >= len)?;
        let shown = (spread.squares - spread.variance).max(0.0) / spread.squared_rate;
        let assumed = PRIOR_DEGREES * PRIOR_RATE_SD.powi(2);
        let variance = (spread.degrees * shown + assumed) / (spread.degrees + PRIOR_DEGREES);
        let rate_sd = (variance * (1.0 + 1.0 / like_windows)).sqrt();
        Some(Self { rate_sd, ..Self::POISSON })
    }

    /// A tail of the binomial at odds that wander: `p_value` averaged over a log-normal rate.
    fn average(self, theta: f64, p_value: impl Fn(f64) -> f64) -> f64 {
        if self.rate_sd <= 0.0 {
            return self.tail(p_value(theta));
        }
        let weighted = |step: i32| {
            let far = f64::from(step) * WANDERING_STEP;
            let odds = theta / (1.0 - theta) * (far * self.rate_sd).exp();
            WANDERING_STEP * normal::density(far) * self.tail(p_value(odds / (1.0 + odds)))
        };
        WANDERINGS.map(weighted).sum::<f64>().min(1.0)
    }

    /// A tail of the normal distribution, made as heavy as the measurement is uncertain.
    fn tail(self, p: f64) -> f64 {
        if !self.degrees.is_finite() {
            return p;
        }
        let z = -normal::quantile(p);
        let tail = 0.5 * normal::student_t_two_sided(z, self.degrees);
        if z < 0.0 { 1.0 - tail } else { tail }
    }
}

/// Windows joined to measure their spread.
#[derive(Clone, Copy, Default)]
struct Block {
    windows: usize,
    expected: f64,
    variance: f64,
    square: f64,
}

/// What blocks of windows show, summed: Σ(x−μ)², Σμ(1+1/k), Σμ²(1+1/k).
struct Spread {
    squares: f64,
    variance: f64,
    squared_rate: f64,
    /// Independent blocks of equal weight; one compared with a single like one counts half.
    degrees: f64,
}

impl Spread {
    fn of(
        windows: impl IntoIterator<Item = (f64, f64, f64)>,
        is_full: impl Fn(&Block) -> bool,
    ) -> Option<Self> {
        let mut blocks: Vec<Block> = Vec::new();
        let (mut seen, mut block) = (0.0, Block::default());
        for (x, mean, like) in windows {
            if !(x.is_finite() && mean >= 0.0 && mean.is_finite() && like > 0.0) {
                continue;
            }
            seen += x;
            block.windows += 1;
            block.expected += mean;
            block.variance += mean * (1.0 + 1.0 / like);
            if is_full(&block) {
                block.square = (seen - block.expected).powi(2);
                blocks.push(block);
                (seen, block) = (0.0, Block::default());
            }
        }
        let sum = |part: fn(&Block) -> f64| blocks.iter().map(part).sum::<f64>();
        let expected = sum(|b| b.expected);
        if blocks.len() < MIN_BLOCKS || expected < MIN_BLOCK_EXPECTED {
            return None;
        }
        let squared_rate = sum(|b| b.expected * b.variance);
        Some(Self {
            squares: sum(|b| b.square),
            variance: sum(|b| b.variance),
            squared_rate,
            degrees: expected * expected / squared_rate,
        })
    }
}

/// Rate of one count relative to another.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateRatio {
    /// (events / exposure) now relative to usual; infinite when there was none usually.
    pub ratio: f64,
    /// Lower end of the interval, >= 0.
    pub lo: f64,
    /// Upper end of the interval, possibly infinite.
    pub hi: f64,
    /// One-sided p-value that there is no more than usual.
    pub p_more: f64,
    /// One-sided p-value that there is no less than usual.
    pub p_less: f64,
}

impl RateRatio {
    /// The p-value for the direction asked; two-sided for [`Direction::Either`].
    pub fn p_value(&self, direction: Direction) -> f64 {
        match direction {
            Direction::Increase => self.p_more,
            Direction::Decrease => self.p_less,
            Direction::Either => (2.0 * self.p_more.min(self.p_less)).min(1.0),
        }
    }

    /// Fail when the whole interval lies beyond `bar` (> 1, such as 1.5 times more, or less);
    /// warn when it lies beyond 1 and the ratio beyond the bar.
    pub fn judge(&self, bar: f64, direction: Direction) -> Outcome {
        let more = judge_ratio(self.ratio, self.lo, bar);
        let less = judge_ratio(1.0 / self.ratio, 1.0 / self.hi, bar);
        match direction {
            Direction::Decrease => less,
            Direction::Either if self.ratio < 1.0 => less,
            Direction::Increase | Direction::Either => more,
        }
    }
}

fn judge_ratio(ratio: f64, lo: f64, bar: f64) -> Outcome {
    if lo > bar {
        Outcome::Fail
    } else if lo > 1.0 && ratio > bar {
        Outcome::Warn
    } else {
        Outcome::Pass
    }
}

/// Compares the rate `now` with the `usual` one; interval at `z`.
///
/// Counts are divided by the dispersion, so that n bursty events weigh as the fewer independent
/// ones they are worth. `None` when an exposure is not positive, a count is
/// negative, or nothing was seen at all.
///
/// Source: conditional binomial test of two Poisson rates, Przyborowski & Wilenski 1940, with
/// Lancaster's mid-p; quasi-Poisson scaling as in `McCullagh` & Nelder, 6.2.
pub fn rate_ratio(now: Count, usual: Count, dispersion: Dispersion, z: f64) -> Option<RateRatio> {
    let valid = |c: Count| c.exposure > 0.0 && c.exposure.is_finite() && c.events >= 0.0;
    if !(valid(now) && valid(usual) && now.events + usual.events > 0.0) {
        return None;
    }
    let scale = dispersion.estimate.max(1.0);
    let (x, h) = (now.events / scale, usual.events / scale);
    let usual_odds = now.exposure / usual.exposure;
    let theta = now.exposure / (now.exposure + usual.exposure);
    let more = |theta: f64| dispersion.average(theta, |theta| more(x, h, theta));
    let less = |theta: f64| dispersion.average(theta, |theta| less(x, h, theta));
    let tail = normal::upper_tail(z);
    let ratio_at = |theta: f64| theta / (1.0 - theta) / usual_odds;
    Some(RateRatio {
        ratio: if usual.events > 0.0 {
            now.events / usual.events / usual_odds
        } else {
            f64::INFINITY
        },
        lo: if x > 0.0 { ratio_at(invert(|t| more(t) < tail)) } else { 0.0 },
        hi: if h > 0.0 { ratio_at(invert(|t| less(t) > tail)) } else { f64::INFINITY },
        p_more: more(theta),
        p_less: less(theta),
    })
}

/// Mid-p chance of `x` or more out of `x + h` at probability `theta`.
fn more(x: f64, h: f64, theta: f64) -> f64 {
    0.5 * (binomial_tail(x, h + 1.0, theta) + binomial_tail(x + 1.0, h, theta))
}

/// Mid-p chance of `x` or less out of `x + h` at probability `theta`.
fn less(x: f64, h: f64, theta: f64) -> f64 {
    more(h, x, 1.0 - theta)
}

fn binomial_tail(a: f64, b: f64, theta: f64) -> f64 {
    if a <= 0.0 {
        1.0
    } else if b <= 0.0 {
        0.0
    } else {
        beta_inc(a, b, theta)
    }
}

/// The probability up to which `holds` is true, by halving (0, 1).
fn invert(holds: impl Fn(f64) -> bool) -> f64 {
    let (mut low, mut high) = (0.0, 1.0);
    for _ in 0..HALVINGS {
        let middle = 0.5 * (low + high);
        if holds(middle) {
            low = middle;
        } else {
            high = middle;
        }
    }
    0.5 * (low + high)
}

#[cfg(test)]
mod tests;
