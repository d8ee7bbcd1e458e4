//! Novelty of a stream: how far a value, or what it is part of, lies outside all that was seen.
//!
//! One pass and one setting for every stream, no look-ahead, bounded memory, the same scores for
//! the same values. Each feature of the stream keeps the range that it has covered; what lies
//! outside is measured in widths of that range, so neither unit nor zero of the values matter.
//! The sum of the features rests: it speaks when it exceeds all of the last rows.
//!
//! Good for measures whose usual range nobody knows. Not done here: reading times (the caller
//! pushes one value a step, [`None`] where one is missing), and saying how sure an alert is: a
//! score has an order, no probability.
//!
//! `examples/nab.rs` and `benches/nab.py` measure it on the Numenta Anomaly Benchmark.

mod discord;
mod pause;
mod range;
mod recent;
mod rest;
mod rhythm;

#[cfg(test)]
mod tests;

use std::fmt;

use discord::Discord;
use pause::Pauses;
use range::Range;
use recent::RunningMean;
use rest::Rest;
use rhythm::Rhythm;

/// The score from which on a row is an alert: on the benchmark, all from 0.08 to 0.09 are within
/// a point of the best.
const ALERT: f64 = 0.08;
/// Values before the first score: until then everything is new.
const LEARNING_VALUES: usize = 150;
/// Rows of the levels that are watched, and what each counts.
const LEVELS: [(usize, f64); 2] = [(16, 0.75), (32, 1.0)];
/// What the mean of two hours against yesterday's counts, beside the value against yesterday's.
const YESTERDAY_MEAN_WEIGHT: f64 = 0.5;
/// What last week counts: the week after a novel one differs from it as much.
const LAST_WEEK_WEIGHT: f64 = 0.6;
/// What the end of a long pause counts: pauses vary more than heights.
const PAUSE_WEIGHT: f64 = 0.15;
/// Share of the greatest feature that makes a plainer one the reason.
const REASON_SHARE: f64 = 0.25;
/// Differences below this share of the largest value are rounding.
const ROUNDING: f64 = 1e-12;

/// What is novel about a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Feature {
    /// The value lies above all before; what was seen once is forgotten over 10,000 values.
    Maximum,
    /// The value lies below all before, in the same sense.
    Minimum,
    /// The mean of the last values.
    Level {
        /// How many.
        rows: usize,
    },
    /// A peak or a dip, after the longest time without one.
    Pause,
    /// The difference from the same time one day before.
    Yesterday,
    /// The difference from the same hours one week before.
    LastWeek,
    /// The mean of two hours, at this time of a day.
    TimeOfDay,
    /// The course of the last 32 values.
    Shape,
}

impl fmt::Display for Feature {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Maximum => f.write_str("new maximum"),
            Self::Minimum => f.write_str("new minimum"),
            Self::Level { rows } => write!(f, "level of the last {rows}"),
            Self::Pause => f.write_str("back after the longest pause"),
            Self::Yesterday => f.write_str("unlike yesterday"),
            Self::LastWeek => f.write_str("unlike last week"),
            Self::TimeOfDay => f.write_str("unlike all days at this time"),
            Self::Shape => f.write_str("shape never seen"),
        }
    }
}

/// What is said about one value.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Scored {
    /// In [0, 1); 0 where nothing is novel, while at rest, and for the first 150 values.
    pub score: f64,
    /// The plainest feature that counts much; `None` at a score of 0.
    pub reason: Option<Feature>,
}

/// A detector for one stream.
#[derive(Clone, Debug)]
pub struct Novelty {
    row: usize,
    value_count: usize,
    value: Range,
    levels: [Level; LEVELS.len()],
    discord: Discord,
    shape: Range,
    pauses: Pauses,
    rhythm: Option<Rhythm>,
    rest: Rest,
}

/// The mean of the last values.
#[derive(Clone, Debug)]
struct Level {
    rows: usize,
    weight: f64,
    mean: RunningMean,
    range: Range,
}

impl Level {
    fn new((rows, weight): (usize, f64)) -> Self {
        Self { rows, weight, mean: RunningMean::new(rows), range: Range::new(rows) }
    }

    fn push(&mut self, value: f64, grain: f64) -> (Feature, f64) {
        let novelty = self.range.push(self.mean.push(value), grain);
        (Feature::Level { rows: self.rows }, self.weight * novelty)
    }
}

impl Novelty {
    /// A detector that knows nothing yet; `step_s` are the seconds from one value to the next.
    /// Days are compared for steps of 10 s to 4.8 h only, and not where it is `None`.
    pub fn new(step_s: Option<f64>) -> Self {
        Self {
            row: 0,
            value_count: 0,
            value: Range::new(1),
            levels: LEVELS.map(Level::new),
            discord: Discord::default(),
            shape: Range::new(discord::ROWS + 1),
            pauses: Pauses::default(),
            rhythm: step_s.and_then(Rhythm::new),
            rest: Rest::default(),
        }
    }

    /// Whether a score is worth an alert.
    pub fn is_alert(score: f64) -> bool {
        score >= ALERT
    }

    /// Scores the next value. One that is missing or not finite takes its time and scores 0.
    pub fn push(&mut self, value: Option<f64>) -> Scored {
        let row = self.row;
        self.row += 1;
        let value = value.filter(|value| value.is_finite());
        let grain = ROUNDING * self.value.magnitude();
        let width = self.value.width();
        let unlike = self.rhythm.as_mut().map(|rhythm| rhythm.push(row, value, width, grain));
        let unlike = unlike.unwrap_or_default();
        let Some(value) = value else { return Scored::default() };
        self.value_count += 1;

        let extreme = if self.value.is_below(value) { Feature::Maximum } else { Feature::Minimum };
        let [level, longer_level] = self.levels.each_mut().map(|level| level.push(value, grain));
        let shape = self.discord.push(value).map_or(0.0, |far| self.shape.push(far, grain));
        let parts = [
            (extreme, self.value.push(value, grain)),
            (Feature::Yesterday, unlike.yesterday),
            (Feature::Yesterday, YESTERDAY_MEAN_WEIGHT * unlike.yesterday_mean),
            (Feature::LastWeek, LAST_WEEK_WEIGHT * unlike.last_week_mean),
            (Feature::TimeOfDay, unlike.any_day_mean),
            level,
            longer_level,
            (Feature::Shape, shape),
            (Feature::Pause, PAUSE_WEIGHT * self.pauses.push(value)),
        ];
        let sum = parts.iter().map(|(_, part)| part).sum::<f64>().min(f64::MAX);
        if let Some(rhythm) = &mut self.rhythm {
            rhythm.remember(row, sum);
        }
        let score = self.rest.push(row, sum);
        if score <= 0.0 || self.value_count <= LEARNING_VALUES {
            return Scored::default();
        }
        Scored { score, reason: reason(&parts) }
    }
}

/// The plainest feature, in their order, that counts nearly as much as the greatest: a spike also
/// makes a shape never seen, which tells a reader less.
fn reason(parts: &[(Feature, f64)]) -> Option<Feature> {
    let greatest = parts.iter().map(|(_, part)| *part).fold(0.0, f64::max);
    parts.iter().find(|(_, part)| *part >= REASON_SHARE * greatest).map(|(feature, _)| *feature)
}
