//! The last values of a stream: their mean, and what came a fixed time ago.

use std::collections::VecDeque;

/// Mean of the last values.
#[derive(Clone, Debug)]
pub(super) struct RunningMean {
    rows: usize,
    values: VecDeque<f64>,
    sum: f64,
    /// Values until the sum is taken anew: rounding, and what a huge value swallowed, ends there.
    until_anew: usize,
}

impl RunningMean {
    /// Of at most `rows` values.
    pub(super) fn new(rows: usize) -> Self {
        Self { rows, values: VecDeque::new(), sum: 0.0, until_anew: rows }
    }

    /// Takes a finite value; the mean of the last ones with it.
    pub(super) fn push(&mut self, value: f64) -> f64 {
        self.values.push_back(value);
        self.sum += value;
        if self.values.len() > self.rows {
            self.sum -= self.values.pop_front().unwrap_or_default();
        }
        self.until_anew = self.until_anew.saturating_sub(1);
        if self.until_anew == 0 || !self.sum.is_finite() {
            self.until_anew = self.rows;
            self.sum = self.values.iter().sum();
        }
        self.sum / self.values.len() as f64
    }
}

/// What came a fixed number of rows ago.
#[derive(Clone, Debug)]
pub(super) struct Lag {
    rows: usize,
    /// NaN where there was none: half the memory of an option.
    values: VecDeque<f64>,
}

impl Lag {
    /// So many `rows` ago.
    pub(super) fn new(rows: usize) -> Self {
        Self { rows, values: VecDeque::new() }
    }

    /// Takes this row's value; its difference from that of `rows` before, if both were there.
    pub(super) fn push(&mut self, value: Option<f64>) -> Option<f64> {
        self.values.push_back(value.unwrap_or(f64::NAN));
        let then = if self.values.len() > self.rows { self.values.pop_front()? } else { f64::NAN };
        value.map(|value| value - then).filter(|difference| difference.is_finite())
    }
}
