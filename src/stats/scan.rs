//! The one best burst, drop or step in a series of counts.
//!
//! Like [`super::step`] but for events too rare for means: sign-in failures, submissions, 5xx.
//! Guarantees: exact conditional test at the place found, times the places tried (Bonferroni);
//! the burstiness of what the change leaves over is honoured; gaps are allowed. Deterministic.

use super::count::{self, Count, Dispersion, RateRatio};
use super::normal::Z_98;
use super::season::{Usual, usual_counts};
use super::step::{PLAUSIBLE_DROP, Place};
use super::stretch;
use super::Direction;

/// Fewest windows for a burst or step to be sought.
pub const MIN_WINDOWS: usize = 4;

/// A stretch of windows with more or fewer events than usual.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CountBurst {
    /// First window of the burst.
    pub start: Place,
    /// First window after the burst.
    pub end: Place,
    /// Events seen in it.
    pub events: u64,
    /// Events usual for it.
    pub expected: f64,
    /// Seen relative to usual, with its 98 % interval.
    pub rate: RateRatio,
    /// Chance of so clear a burst anywhere in a series without one.
    pub p_value: f64,
    /// Twice the log-likelihood gained, over the dispersion: to choose between burst and step.
    pub gain: f64,
    /// Burstiness of the other windows, which the interval and the p-value allow for.
    pub dispersion: Dispersion,
}

/// A lasting change of a rate.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct RateStep {
    /// First window of the new rate.
    pub place: Place,
    /// Events before and after.
    pub events: [f64; 2],
    /// Exposure before and after.
    pub exposure: [f64; 2],
    /// After relative to before, with its 98 % interval.
    pub rate: RateRatio,
    /// Chance of so clear a step anywhere in a series without one.
    pub p_value: f64,
    /// Twice the log-likelihood gained, over the dispersion.
    pub gain: f64,
    /// Burstiness left over by the step, which the interval and the p-value allow for.
    pub dispersion: Dispersion,
}

/// Finds the stretch of about `max_len` windows at most that differs most, in `direction`, from the
/// other windows of their slots (see [`super::season`]).
///
/// The stretch is then set aside, and the rest says what is usual and how bursty that is; where
/// the rest is too short for that, [`Dispersion::UNKNOWN`] is allowed for. With a single like
/// window, as in two weeks of days, a burst in one week cannot be told from a drop in the other.
/// `None` when fewer than [`MIN_WINDOWS`] windows have a like, or no stretch differs that way.
pub fn locate_count_burst(
    counts: &[Option<u64>],
    slots: &[u32],
    max_len: usize,
    direction: Direction,
) -> Option<CountBurst> {
    let series = Sums::of_usual(counts, &usual_counts(counts, slots))?;
    let n = series.len();
    let deviance = |start, end| series.within(start, end).deviance(direction);
    let (mut best, mut found) = (0.0, None);
    for candidate in stretch::candidates(0..n, 1, max_len) {
        let gain = deviance(candidate.start, candidate.end);
        if gain > best {
            (best, found) = (gain, Some(candidate));
        }
    }
    let tried = found?;
    let (start, end) = stretch::refined((tried.start, tried.end), &(0..n), 1, deviance);

    let (first, after) = (series.position(start), series.position(end));
    let mut rest = counts.to_vec();
    rest.iter_mut().take(after).skip(first).for_each(|count| *count = None);
    let usual = usual_counts(&rest, slots);
    let pair = Sums::of_usual(counts, &usual)
        .and_then(|all| all.between_positions(first, after))
        .unwrap_or(series.within(start, end));
    let dispersion =
        dispersion_of(&rest, &usual, pair).unwrap_or(Dispersion::UNKNOWN);
    let rate = count::rate_ratio(pair.now, pair.usual, dispersion, Z_98)?;
    let judged = series.within(tried.start, tried.end);
    let judged = count::rate_ratio(judged.now, judged.usual, dispersion, Z_98)?;

    let best = deviance(start, end);
    let bar = best - PLAUSIBLE_DROP * dispersion.estimate;
    let starts = plausible((0..end).filter(|&start| deviance(start, end) >= bar), start);
    let ends = plausible((start + 1..=n).filter(|&end| deviance(start, end) >= bar), end);
    Some(CountBurst {
        start: series.place(start, starts),
        end: series.place(end, ends),
        events: pair.now.events as u64,
        expected: pair.now.exposure,
        rate,
        p_value: (judged.p_value(direction) * tried.tries).min(1.0),
        gain: best / dispersion.estimate,
        dispersion,
    })
}

fn dispersion_of(
    counts: &[Option<u64>],
    usual: &[Option<Usual>],
    stretch: Pair,
) -> Option<Dispersion> {
    let windows = counts.iter().zip(usual).filter_map(|(count, usual)| {
        let usual = (*usual)?;
        Some(((*count)? as f64, usual.expected, usual.windows as f64))
    });
    let expected = stretch.now.exposure;
    Dispersion::of_stretch(windows, expected, stretch.usual.exposure / expected)
}

/// Finds the place where a rate changed most: `windows` are events and their exposure, such as
/// errors and requests.
///
/// Burstiness is measured on what the step leaves over. `None` when there are fewer than
/// [`MIN_WINDOWS`], no event, or no difference in `direction`.
pub fn locate_rate_step(windows: &[Option<Count>], direction: Direction) -> Option<RateStep> {
    let series = Sums::of_counts(windows)?;
    let n = series.len();
    let deviance = |split| series.around(split).deviance(direction);
    let mut best = (0, 0.0);
    for split in 1..n {
        let gain = deviance(split);
        if gain > best.1 {
            best = (split, gain);
        }
    }
    let (split, gain) = best;
    if split == 0 {
        return None;
    }
    let pair = series.around(split);
    let rates = [pair.usual, pair.now].map(|side| side.events / side.exposure);
    let spread = series.counts.iter().enumerate().map(|(index, window)| {
        let [before, after] = rates;
        let rate = if index < split { before } else { after };
        (window.events, rate * window.exposure, n as f64)
    });
    let dispersion = Dispersion::of(spread).unwrap_or(Dispersion::UNKNOWN);
    let rate = count::rate_ratio(pair.now, pair.usual, dispersion, Z_98)?;
    let bar = gain - PLAUSIBLE_DROP * dispersion.estimate;
    Some(RateStep {
        place: series.place(split, plausible((1..n).filter(|&at| deviance(at) >= bar), split)),
        events: [pair.usual.events, pair.now.events],
        exposure: [pair.usual.exposure, pair.now.exposure],
        rate,
        p_value: (rate.p_value(direction) * (n - 1) as f64).min(1.0),
        gain: gain / dispersion.estimate,
        dispersion,
    })
}

fn plausible(mut places: impl DoubleEndedIterator<Item = usize>, best: usize) -> (usize, usize) {
    let earliest = places.next().unwrap_or(best);
    (earliest, places.next_back().unwrap_or(earliest))
}

/// Counts to compare and what they are compared with.
#[derive(Clone, Copy)]
struct Pair {
    now: Count,
    usual: Count,
}

impl Pair {
    /// Twice the log-likelihood gained by two rates over one; 0 when the rates differ the other
    /// way or cannot be compared.
    fn deviance(&self, direction: Direction) -> f64 {
        let total = self.now.events + self.usual.events;
        let theta = self.now.exposure / (self.now.exposure + self.usual.exposure);
        let (now, usual) = (theta * total, (1.0 - theta) * total);
        let wanted = match direction {
            Direction::Increase => self.now.events > now,
            Direction::Decrease => self.now.events < now,
            Direction::Either => true,
        };
        if !(wanted && now > 0.0 && usual > 0.0) {
            return 0.0;
        }
        let term = |seen: f64, mean: f64| if seen > 0.0 { seen * (seen / mean).ln() } else { 0.0 };
        2.0 * (term(self.now.events, now) + term(self.usual.events, usual))
    }
}

/// Running sums before each kept window: seen, expected, and events of the like windows.
struct Sums {
    positions: Vec<usize>,
    counts: Vec<Count>,
    sums: Vec<(f64, f64, f64)>,
}

impl Sums {
    fn of_usual(counts: &[Option<u64>], usual: &[Option<Usual>]) -> Option<Self> {
        Self::new(counts.iter().zip(usual).enumerate().filter_map(|(position, (count, usual))| {
            let (events, usual) = ((*count)? as f64, (*usual)?);
            // A slot that never saw an event still expects half of one.
            let windows = usual.windows as f64;
            let exposure = usual.expected.max(0.5 / windows);
            Some((position, Count { events, exposure }, exposure * windows))
        }))
    }

    fn of_counts(windows: &[Option<Count>]) -> Option<Self> {
        Self::new(windows.iter().enumerate().filter_map(|(position, count)| {
            let count = (*count)?;
            let valid = count.events.is_finite() && count.events >= 0.0;
            let exposed = count.exposure.is_finite() && count.exposure > 0.0;
            (valid && exposed).then_some((position, count, 0.0))
        }))
    }

    fn new(windows: impl Iterator<Item = (usize, Count, f64)>) -> Option<Self> {
        let (mut positions, mut counts) = (Vec::new(), Vec::new());
        let mut sum = (0.0, 0.0, 0.0);
        let mut sums = vec![sum];
        for (position, count, like_events) in windows {
            sum = (sum.0 + count.events, sum.1 + count.exposure, sum.2 + like_events);
            sums.push(sum);
            positions.push(position);
            counts.push(count);
        }
        (counts.len() >= MIN_WINDOWS).then_some(Self { positions, counts, sums })
    }

    fn len(&self) -> usize {
        self.counts.len()
    }

    fn between(&self, start: usize, end: usize) -> (f64, f64, f64) {
        let at = |index: usize| self.sums.get(index).copied().unwrap_or_default();
        let (start, end) = (at(start), at(end));
        (end.0 - start.0, end.1 - start.1, end.2 - start.2)
    }

    /// The stretch against its like windows, whose rate is one event per event expected.
    fn within(&self, start: usize, end: usize) -> Pair {
        let (events, exposure, like) = self.between(start, end);
        Pair { now: Count { events, exposure }, usual: Count { events: like, exposure: like } }
    }

    /// The same for the windows at [first, after) of the whole series.
    fn between_positions(&self, first: usize, after: usize) -> Option<Pair> {
        let index = |position: usize| self.positions.partition_point(|&p| p < position);
        let (start, end) = (index(first), index(after));
        (start < end).then(|| self.within(start, end))
    }

    /// What follows the split against what precedes it.
    fn around(&self, split: usize) -> Pair {
        let (before, after) = (self.between(0, split), self.between(split, self.len()));
        Pair {
            now: Count { events: after.0, exposure: after.1 },
            usual: Count { events: before.0, exposure: before.1 },
        }
    }

    fn place(&self, index: usize, (earliest, latest): (usize, usize)) -> Place {
        Place {
            index: self.position(index),
            earliest: self.position(earliest),
            latest: self.position(latest),
        }
    }

    /// Position in the whole series; one past the last kept window is the window after it.
    fn position(&self, index: usize) -> usize {
        match self.positions.get(index) {
            Some(&position) => position,
            None => self.positions.last().map_or(0, |last| last + 1),
        }
    }
}

#[cfg(test)]
mod tests;
