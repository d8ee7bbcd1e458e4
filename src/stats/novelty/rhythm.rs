//! What needs to know how long a day is: today against yesterday, last week and all days before.

use std::collections::VecDeque;
use std::ops::RangeInclusive;

use super::range::{Range, in_widths};
use super::recent::{Lag, RunningMean};

/// Seconds of a day.
const DAY_S: f64 = 86_400.0;
/// Rows of a day for which days are compared: fewer have no rhythm, and a week of more (a step
/// below 10 s) would take megabytes for each stream.
const DAY_ROWS: RangeInclusive<usize> = 5..=8_640;
/// Days before yesterday counts.
const QUIET_DAYS: usize = 4;
/// Days before last week counts.
const QUIET_WEEK_DAYS: usize = 21;
/// Days before all days count: each day of the week was seen.
const QUIET_HOUR_DAYS: usize = 8;
/// Parts of a day that have a range each: hours.
const HOURS: usize = 24;
/// Part of a day over which the mean is taken that is compared: two hours.
const MEAN_DAY_SHARE: usize = 12;
/// Differences of means passed over before their range begins.
const MEAN_WARM_UP: usize = 20;
/// The sum of features from which on a row is loud.
const LOUD: f64 = 0.05;
/// Rows by which an echo may come early or late.
const ECHO_ROWS: usize = 2;

/// How far one row is unlike the same time before, in widths of what was usual.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Unlike {
    /// The value, and yesterday's.
    pub(super) yesterday: f64,
    /// The mean of two hours, and yesterday's.
    pub(super) yesterday_mean: f64,
    /// The mean of two hours, and that of a week before.
    pub(super) last_week_mean: f64,
    /// The mean of two hours, and those that ended in the same hour of all days before; in widths
    /// of the range of the values, for an hour's own range is narrow at first.
    pub(super) any_day_mean: f64,
}

/// Differences from the same time of earlier days.
#[derive(Clone, Debug)]
pub(super) struct Rhythm {
    day: usize,
    mean: RunningMean,
    yesterday: (Lag, Range),
    yesterday_mean: (Lag, Range),
    last_week_mean: (Lag, Range),
    hours: [Range; HOURS],
    /// Rows of the last day at which much was novel.
    loud: VecDeque<usize>,
}

impl Rhythm {
    /// `None` where `step_s`, the seconds of a row, makes no usable day.
    pub(super) fn new(step_s: f64) -> Option<Self> {
        let day = (DAY_S / step_s).round() as usize;
        DAY_ROWS.contains(&day).then(|| Self {
            day,
            mean: RunningMean::new((day / MEAN_DAY_SHARE).max(2)),
            yesterday: (Lag::new(day), Range::new(1)),
            yesterday_mean: (Lag::new(day), Range::new(MEAN_WARM_UP)),
            last_week_mean: (Lag::new(7 * day), Range::new(MEAN_WARM_UP)),
            hours: std::array::from_fn(|_| Range::new(0)),
            loud: VecDeque::new(),
        })
    }

    /// Takes the value of a row; `width` is that of the range of the values, and distances up to
    /// `grain` are none.
    pub(super) fn push(
        &mut self,
        row: usize,
        value: Option<f64>,
        width: f64,
        grain: f64,
    ) -> Unlike {
        let mean = value.map(|value| self.mean.push(value));
        let novelty = |(lag, range): &mut (Lag, Range), value, quiet_days| {
            let novelty = lag.push(value).map_or(0.0, |far| range.push(far, grain));
            if row < quiet_days * self.day { 0.0 } else { novelty }
        };
        let yesterday = novelty(&mut self.yesterday, value, QUIET_DAYS);
        let yesterday_mean = novelty(&mut self.yesterday_mean, mean, QUIET_DAYS);
        let last_week_mean = novelty(&mut self.last_week_mean, mean, QUIET_WEEK_DAYS);
        let yesterday = if self.is_echo(row) { 0.0 } else { yesterday };
        let outside = mean.map_or(0.0, |mean| self.outside_hour(row, mean, grain));
        let any_day_mean = in_widths(outside, width, grain);
        Unlike { yesterday, yesterday_mean, last_week_mean, any_day_mean }
    }

    /// How far a mean lies outside those of this hour, in the unit of the values.
    fn outside_hour(&mut self, row: usize, mean: f64, grain: f64) -> f64 {
        let hour = self.hours.get_mut(row % self.day * HOURS / self.day);
        let outside = hour.map_or(0.0, |hour| hour.take(mean, grain));
        if row < QUIET_HOUR_DAYS * self.day { 0.0 } else { outside }
    }

    /// Whether yesterday was loud: then today is unlike it because today is usual.
    fn is_echo(&self, row: usize) -> bool {
        self.loud.iter().any(|loud| row.abs_diff(loud + self.day) <= ECHO_ROWS)
    }

    /// Remembers how novel a row was.
    pub(super) fn remember(&mut self, row: usize, sum: f64) {
        while self.loud.front().is_some_and(|loud| loud + self.day + ECHO_ROWS < row) {
            self.loud.pop_front();
        }
        if sum >= LOUD {
            self.loud.push_back(row);
        }
    }
}
