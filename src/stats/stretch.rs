//! Which stretches of a series are tried for a burst, and what having tried them costs.
//!
//! Trying every stretch would cost the p-value a factor of all of them, although most overlap.
//! So a grid is tried: some lengths, each about half as long again as the last, at starts a quarter
//! of the length apart. Every length gets the same part of the error (weighted
//! Bonferroni), so long stretches, of which there are few, pay little. The best of the grid is
//! judged; only its ends are then moved to where they fit best.

use std::ops::Range;

/// Starts lie this part of a length apart.
const STARTS_PER_LENGTH: usize = 4;
/// Rounds of moving one end, then the other; two settle all but odd cases.
const MAX_ROUNDS: usize = 4;

/// A stretch to try.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Candidate {
    pub(super) start: usize,
    pub(super) end: usize,
    /// Factor its p-value has to pay.
    pub(super) tries: f64,
}

/// The grid within `range` for lengths from `min_len` (>= 1) to `max_len`.
pub(super) fn candidates(range: Range<usize>, min_len: usize, max_len: usize) -> Vec<Candidate> {
    let lengths = lengths(min_len.max(1), max_len.min(range.len()));
    let mut found = Vec::new();
    for &len in &lengths {
        let step = (len / STARTS_PER_LENGTH).max(1);
        // From the end backwards: what is happening now must be in the grid.
        let starts: Vec<usize> = (range.start..=range.end - len).rev().step_by(step).collect();
        let tries = (lengths.len() * starts.len()) as f64;
        found.extend(starts.iter().rev().map(|&start| Candidate {
            start,
            end: start + len,
            tries,
        }));
    }
    found
}

fn lengths(min_len: usize, max_len: usize) -> Vec<usize> {
    let mut lengths = Vec::new();
    let mut len = min_len;
    while len <= max_len {
        lengths.push(len);
        len += (len / 2).max(1);
    }
    lengths
}

/// Moves the ends of a stretch within `range` to where `gain` is greatest, in turn until neither
/// moves; the stretch keeps `min_len` (>= 1) and at most doubles in a round.
pub(super) fn refined(
    (mut start, mut end): (usize, usize),
    range: &Range<usize>,
    min_len: usize,
    gain: impl Fn(usize, usize) -> f64,
) -> (usize, usize) {
    for _ in 0..MAX_ROUNDS {
        let len = end - start;
        let starts = start.saturating_sub(len).max(range.start)..=end - min_len;
        let best_start = best(start, starts, |start| gain(start, end));
        let ends = best_start + min_len..=(end + len).min(range.end);
        let best_end = best(end, ends, |end| gain(best_start, end));
        if (best_start, best_end) == (start, end) {
            break;
        }
        (start, end) = (best_start, best_end);
    }
    (start, end)
}

/// The place of the greatest gain; `now` stays unless another is truly better.
fn best(now: usize, places: impl Iterator<Item = usize>, gain: impl Fn(usize) -> f64) -> usize {
    let mut best = (now, gain(now));
    for place in places {
        let gain = gain(place);
        if gain > best.1 {
            best = (place, gain);
        }
    }
    best.0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_grow_with_themselves() {
        check(1, 24, &[1, 2, 3, 4, 6, 9, 13, 19]);
        check(3, 3, &[3]);
        check(3, 2, &[]);
        check(1, 0, &[]);
    }

    fn check(min_len: usize, max_len: usize, want: &[usize]) {
        assert_eq!(lengths(min_len, max_len), want);
    }

    #[test]
    fn the_errors_of_all_candidates_sum_to_one() {
        for (range, min_len, max_len) in [(0..336, 1, 24), (1..40, 3, 100), (0..4, 1, 1)] {
            let all = candidates(range.clone(), min_len, max_len);
            let sum: f64 = all.iter().map(|candidate| 1.0 / candidate.tries).sum();
            assert!((sum - 1.0).abs() < 1e-9, "{range:?} {sum}");
            assert!(all.iter().all(|c| c.start >= range.start && c.end <= range.end));
            assert!(all.iter().any(|c| c.end == range.end), "the present must be tried");
        }
        assert_eq!(candidates(0..0, 1, 5), []);
    }

    #[test]
    fn ends_move_to_where_they_fit() {
        let truth = 40_usize..47;
        let gain = |start: usize, end: usize| {
            let inside = (start..end).filter(|i| truth.contains(i)).count() as f64;
            inside - 0.5 * ((end - start) as f64 - inside)
        };
        assert_eq!(refined((42, 52), &(0..100), 1, gain), (40, 47));
        assert_eq!(refined((0, 1), &(0..1), 1, gain), (0, 1)); // nowhere to go
    }
}
