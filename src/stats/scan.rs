//! The one best burst, drop or step in a series of counts.
//!
//! Like [`super::step`] but for events too rare for means: sign-in failures, submissions, 5xx.
//! Guarantees: exact conditional test at the place found, times the places tried (Bonferroni);
//! the burstiness of what the change leaves over is honoured; gaps are allowed. Deterministic.

use super::Direction;
use super::count::{self, Count, Dispersion, RateRatio};
use super::normal::{self, Z_98};
use super::season::{Usual, usual_counts};
use super::step::{self, PLAUSIBLE_DROP, Place};
use super::stretch;

/// Fewest windows for a burst or step to be sought.
pub const MIN_WINDOWS: usize = 4;
/// Fewest events expected on either side for the theory of the greatest difference to hold.
const MIN_EDGE_EVENTS: f64 = 5.0;

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
    let dispersion = dispersion_of(&rest, &usual, pair, end - start).unwrap_or(Dispersion::UNKNOWN);
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
    len: usize,
) -> Option<Dispersion> {
    let windows = counts.iter().zip(usual).filter_map(|(count, usual)| {
        let usual = (*usual)?;
        Some(((*count)? as f64, usual.expected, usual.windows as f64))
    });
    Dispersion::of_stretch(windows, len, stretch.usual.exposure / stretch.now.exposure)
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
    let (split, gain) = greatest((1..n).map(|split| (split, deviance(split))))?;
    let pair = series.around(split);
    let dispersion = series.dispersion_around(split).unwrap_or(Dispersion::UNKNOWN);
    let rate = count::rate_ratio(pair.now, pair.usual, dispersion, Z_98)?;
    let bar = gain - PLAUSIBLE_DROP * dispersion.estimate;
    Some(RateStep {
        place: series.place(split, plausible((1..n).filter(|&at| deviance(at) >= bar), split)),
        events: [pair.usual.events, pair.now.events],
        exposure: [pair.usual.exposure, pair.now.exposure],
        rate,
        p_value: series.step_p_value(dispersion, direction),
        gain: gain / dispersion.estimate,
        dispersion,
    })
}

/// The first place with the greatest gain, if any gain is positive.
fn greatest(places: impl Iterator<Item = (usize, f64)>) -> Option<(usize, f64)> {
    let better = |best: Option<(usize, f64)>, place: (usize, f64)| match best {
        Some(best) if best.1 >= place.1 => Some(best),
        _ => (place.1 > 0.0).then_some(place),
    };
    places.fold(None, better)
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
    before: Vec<(f64, f64, f64)>,
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
        (counts.len() >= MIN_WINDOWS).then_some(Self { positions, counts, before: sums })
    }

    fn len(&self) -> usize {
        self.counts.len()
    }

    fn between(&self, start: usize, end: usize) -> (f64, f64, f64) {
        let at = |index: usize| self.before.get(index).copied().unwrap_or_default();
        let (start, end) = (at(start), at(end));
        (end.0 - start.0, end.1 - start.1, end.2 - start.2)
    }

    /// The stretch against its like windows, whose rate is one event per event expected.
    fn within(&self, start: usize, end: usize) -> Pair {
        let (events, exposure, like) = self.between(start, end);
        Pair { now: Count { events, exposure }, usual: Count { events: like, exposure: like } }
    }

    /// Chance of so clear a step anywhere: the theory of the greatest difference where both sides
    /// expect five events, else every split pays for all of them.
    fn step_p_value(&self, dispersion: Dispersion, direction: Direction) -> f64 {
        let n = self.len();
        let (events, exposure, _) = self.between(0, n);
        let deviance = |split| self.around(split).deviance(direction);
        let p_value = |split| {
            let pair = self.around(split);
            count::rate_ratio(pair.now, pair.usual, dispersion, Z_98)
                .map_or(1.0, |rate| rate.p_value(direction))
        };
        let edge_share = MIN_EDGE_EVENTS / events;
        let is_inner = |split: &usize| {
            let before = self.between(0, *split).1 / exposure;
            before.min(1.0 - before) >= edge_share
        };
        let inner = greatest((1..n).filter(is_inner).map(|split| (split, deviance(split))));
        if let (Some((split, _)), true) = (inner, edge_share < 0.5) {
            // The theory is two-sided; one direction is half of it.
            let sides = if direction == Direction::Either { 2.0 } else { 1.0 };
            let z = -normal::quantile(p_value(split) / sides);
            return 0.5 * sides * step::step_p_value(z.max(0.0), edge_share);
        }
        let any = greatest((1..n).map(|split| (split, deviance(split))));
        any.map_or(1.0, |(split, _)| (p_value(split) * (n - 1) as f64).min(1.0))
    }

    /// Burstiness of the windows around the rates before and after the split.
    fn dispersion_around(&self, split: usize) -> Option<Dispersion> {
        let pair = self.around(split);
        let [before, after] = [pair.usual, pair.now].map(|side| side.events / side.exposure);
        Dispersion::of(self.counts.iter().enumerate().map(|(index, window)| {
            let rate = if index < split { before } else { after };
            (window.events, rate * window.exposure, self.len() as f64)
        }))
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
