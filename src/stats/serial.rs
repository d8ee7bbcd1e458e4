//! Dependence between neighbours in time, and what it costs: how much wider an interval must be.
//!
//! Values that follow each other resemble each other (one slow minute slows many requests), so n
//! values carry less than n values' worth of evidence.

use super::step;

/// Largest autocorrelation believed; beyond it a series says next to nothing.
const MAX_AUTOCORRELATION: f64 = 0.98;
/// Blocks of time into which a baseline is cut at least: fewer would tell by chance how alike they
/// are; and those that the judged window would have, so that what lasts about so long is seen.
const BLOCKS: usize = 24;
const BLOCKS_OF_NOW: usize = 8;
/// So many times as much as neighbours must blocks show: less is chance.
const CLEARLY_MORE: f64 = 1.5;

/// Lag-1 autocorrelation of `values` in time order, in [−1, 1]; 0 when there is nothing to
/// correlate (fewer than three values, or all the same).
///
/// Formula: Σ(xᵢ−x̄)(xᵢ₊₁−x̄) / Σ(xᵢ−x̄)². Values must be finite.
pub fn lag1_autocorrelation(values: &[f64]) -> f64 {
    if values.len() < 3 {
        return 0.0;
    }
    let (spread, together) = spread_and_together(values);
    if spread > 0.0 { (together / spread).clamp(-1.0, 1.0) } else { 0.0 }
}

/// Sums around the mean: of squares, and of products of neighbours.
fn spread_and_together(values: &[f64]) -> (f64, f64) {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let spread = values.iter().map(|value| (value - mean).powi(2)).sum();
    let neighbours = values.iter().zip(values.iter().skip(1));
    (spread, neighbours.map(|(now, next)| (now - mean) * (next - mean)).sum())
}

/// The same on ranks, which a few huge values cannot drown. Ties share their middle rank.
pub fn lag1_rank_autocorrelation(values: &[f64]) -> f64 {
    lag1_autocorrelation(&ranks(values))
}

/// Factor by which a standard error grows at lag-1 autocorrelation `r`: √((1+r)/(1−r)).
///
/// At least 1: negative autocorrelation is not used to narrow an interval. NaN counts as 0.
/// Source: Bayley & Hammersley, The "Effective" Number of Independent Observations, 1946.
pub fn inflation(r: f64) -> f64 {
    let r = r.clamp(0.0, MAX_AUTOCORRELATION).max(0.0);
    ((1.0 + r) / (1.0 - r)).sqrt()
}

/// Factor by which the standard error of the difference of two means grows, >= 1, because values
/// near each other in time are alike; both in time order.
///
/// What neighbours show, or what blocks of time do in `then`, where that is clearly more: a slow
/// cause hardly shows between neighbours that vary much by themselves. Blocks of `now` are not
/// asked: a change that begins within it is no slow cause.
///
/// Formula: √(m · Var(means of blocks) / Var(values)) for blocks of m values, times
/// [`inflation`] for blocks that resemble their neighbours.
/// Source: batch means, Conway, Some Tactical Problems in Digital Simulation, 1963.
pub fn inflation_between(then: &[f64], now: &[f64]) -> f64 {
    let of_neighbours = inflation(lag1_autocorrelation(then).max(lag1_autocorrelation(now)));
    let len = (now.len() / BLOCKS_OF_NOW).min(then.len() / BLOCKS);
    if len < 2 {
        return of_neighbours;
    }
    let mean = |block: &[f64]| block.iter().sum::<f64>() / len as f64;
    let means: Vec<f64> = then.chunks_exact(len).map(mean).collect();
    // A failure that began in the last of them is no slow cause either.
    let (low, high) = step::fence_of(&means);
    let means: Vec<f64> = means.into_iter().map(|mean| mean.clamp(low, high)).collect();
    let (of_means, alike) = within(&means);
    let (of_values, _) = within(then);
    let of_blocks = (len as f64 * of_means / of_values).sqrt() * inflation(alike);
    // Also where all values are the same, and blocks have no variance to compare.
    if of_blocks > CLEARLY_MORE * of_neighbours { of_blocks } else { of_neighbours }
}

/// Variance, and autocorrelation of neighbours.
fn within(values: &[f64]) -> (f64, f64) {
    let (spread, together) = spread_and_together(values);
    (spread / values.len().saturating_sub(1).max(1) as f64, together / spread)
}

/// Place of each value from the middle of all, as a share of them, in (−½, ½). Ties share theirs.
pub fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<(f64, usize)> = values.iter().copied().zip(0..).collect();
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut ranks = vec![0.0; values.len()];
    let center = 0.5 * values.len().saturating_sub(1) as f64;
    let mut below = 0;
    for tied in order.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let middle = below as f64 + 0.5 * (tied.len() - 1) as f64;
        for &(_, index) in tied {
            if let Some(rank) = ranks.get_mut(index) {
                *rank = (middle - center) / values.len() as f64;
            }
        }
        below += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::stats::normal::Z_98;
    use crate::stats::simulation::Random;

    #[test]
    fn neighbours_are_correlated_as_the_formula_says() {
        check(&[], 0.0);
        check(&[1.0, 2.0], 0.0); // two values show nothing
        check(&[5.0, 5.0, 5.0, 5.0], 0.0); // no spread
        check(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.4);
        check(&[1.0, -1.0, 1.0, -1.0], -0.75);
    }

    fn check(values: &[f64], want: f64) {
        assert!((lag1_autocorrelation(values) - want).abs() < 1e-12, "{values:?}");
    }

    #[test]
    fn one_huge_value_does_not_hide_a_trend_in_ranks() {
        let mut rising: Vec<f64> = (0..20).map(f64::from).collect();
        rising[10] = 1e9;
        assert!(lag1_autocorrelation(&rising).abs() < 0.1);
        assert!(lag1_rank_autocorrelation(&rising) > 0.6);
    }

    #[test]
    fn ties_share_their_middle_rank() {
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [0.25, -0.375, 0.25, -0.125]);
    }

    /// A minute's level lasts about ten minutes; values vary by 0.4 besides.
    #[test]
    fn a_slow_common_cause_widens_and_independent_values_hardly_do() {
        let mut random = Random::new(7);
        let runs = 200;
        let mut check = |sd: f64, width: std::ops::Range<f64>, most_missed: f64| {
            let (mut mean_inflation, mut missed) = (0.0, 0.0);
            for _ in 0..runs {
                let mut level = random.normal();
                let mut hours = |hours: usize| -> Vec<f64> {
                    let mut values = Vec::new();
                    for _ in 0..60 * hours {
                        let last = (-0.1_f64).exp();
                        level = last * level + (1.0 - last * last).sqrt() * random.normal();
                        values.extend((0..10).map(|_| sd * level + 0.4 * random.normal()));
                    }
                    values
                };
                let (then, now) = (hours(4), hours(1));
                let inflation = inflation_between(&then, &now);
                let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
                let (variance, _) = within(&then);
                let error = (variance * (1.0 / then.len() as f64 + 1.0 / now.len() as f64)).sqrt();
                let is_missed = (mean(&now) - mean(&then)).abs() > Z_98 * error * inflation;
                missed += f64::from(u8::from(is_missed)) / f64::from(runs);
                mean_inflation += inflation / f64::from(runs);
            }
            let is_right = width.contains(&mean_inflation) && missed <= most_missed;
            assert!(is_right, "{sd}: {mean_inflation}, missed {missed}");
        };
        check(0.0, 1.0..1.12, 0.03);
        check(0.1, 2.5..3.5, 0.10); // by neighbours alone 1.07, and 45 % missed
        check(0.2, 5.0..6.5, 0.12); // by neighbours alone 1.23, and 64 % missed
    }

    #[test]
    fn too_little_or_always_the_same_has_no_blocks() {
        for (then, now) in [(&[][..], &[][..]), (&[1.0; 40], &[1.0; 20]), (&[1.0, 2.0], &[3.0])] {
            assert!((inflation_between(then, now) - 1.0).abs() < 1e-12, "{then:?} {now:?}");
        }
    }

    #[test]
    fn inflation_never_narrows() {
        for (r, want) in [(0.0, 1.0), (-0.5, 1.0), (0.6, 2.0), (f64::NAN, 1.0)] {
            assert!((inflation(r) - want).abs() < 1e-12, "{r}");
        }
        assert!(inflation(1.0).is_finite());
    }
}
