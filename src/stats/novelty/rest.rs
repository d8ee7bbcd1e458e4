//! When a stream may speak: an alert rests, so that one incident is one alert.

use std::collections::VecDeque;

/// Rows whose sums a new one must exceed.
const REST_ROWS: usize = 100;
/// How many times the highest of them: a slow rise is one event.
const MIN_RISE: f64 = 1.3;
/// Rows of history at which a sum counts as it is. What is new to a longer history says more:
/// the next of n like values is the highest with a chance of 1 in n.
const USUAL_AGE_ROWS: f64 = 3_000.0;
/// Rows of history beyond which it counts no more: ranges forget by then.
const MAX_AGE_ROWS: f64 = 30_000.0;
/// The greatest number below 1.
const MAX_SCORE: f64 = 1.0 - f64::EPSILON / 2.0;

/// Lets only the strongest row of a while through.
#[derive(Clone, Debug, Default)]
pub(super) struct Rest {
    /// Rows and sums of the last while that no later one exceeds: falling, the highest in front.
    peaks: VecDeque<(usize, f64)>,
}

impl Rest {
    /// The score in [0, 1) of the sum of a row, which is finite; 0 while at rest.
    pub(super) fn push(&mut self, row: usize, sum: f64) -> f64 {
        while self.peaks.front().is_some_and(|(at, _)| at + REST_ROWS < row) {
            self.peaks.pop_front();
        }
        if sum <= 0.0 {
            return 0.0;
        }
        let highest = self.peaks.front().map_or(0.0, |(_, sum)| *sum);
        while self.peaks.back().is_some_and(|(_, earlier)| *earlier <= sum) {
            self.peaks.pop_back();
        }
        self.peaks.push_back((row, sum));
        if sum <= MIN_RISE * highest {
            return 0.0;
        }
        let age = ((row + 1) as f64).min(MAX_AGE_ROWS) / USUAL_AGE_ROWS;
        let strength = sum * age.sqrt().sqrt();
        // Not strength / (1 + strength), which is NaN for a strength that overflowed.
        (1.0 - 1.0 / (1.0 + strength)).clamp(0.0, MAX_SCORE)
    }
}
