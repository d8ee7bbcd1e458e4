//! Dependence between neighbours in time, and what it costs: how much wider an interval must be.
//!
//! Values that follow each other resemble each other (one slow minute slows many requests), so n
//! values carry less than n values' worth of evidence.

/// Largest autocorrelation believed; beyond it a series says next to nothing.
const MAX_AUTOCORRELATION: f64 = 0.98;

/// Lag-1 autocorrelation of `values` in time order, in [−1, 1]; 0 when there is nothing to
/// correlate (fewer than three values, or all the same).
///
/// Formula: Σ(xᵢ−x̄)(xᵢ₊₁−x̄) / Σ(xᵢ−x̄)². Values must be finite.
pub fn lag1_autocorrelation(values: &[f64]) -> f64 {
    if values.len() < 3 {
        return 0.0;
    }
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    let spread: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let together: f64 = values
        .iter()
        .zip(values.iter().skip(1))
        .map(|(now, next)| (now - mean) * (next - mean))
        .sum();
    if spread > 0.0 { (together / spread).clamp(-1.0, 1.0) } else { 0.0 }
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

fn ranks(values: &[f64]) -> Vec<f64> {
    let mut order: Vec<(f64, usize)> = values.iter().copied().zip(0..).collect();
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let mut ranks = vec![0.0; values.len()];
    let mut below = 0;
    for tied in order.chunk_by(|a, b| a.0.total_cmp(&b.0).is_eq()) {
        let middle = below as f64 + 0.5 * (tied.len() - 1) as f64;
        for &(_, index) in tied {
            if let Some(rank) = ranks.get_mut(index) {
                *rank = middle;
            }
        }
        below += tied.len();
    }
    ranks
}

#[cfg(test)]
mod tests {
    use super::*;

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
        assert_eq!(ranks(&[3.0, 1.0, 3.0, 2.0]), [2.5, 0.0, 2.5, 1.0]);
    }

    #[test]
    fn inflation_never_narrows() {
        for (r, want) in [(0.0, 1.0), (-0.5, 1.0), (0.6, 2.0), (f64::NAN, 1.0)] {
            assert!((inflation(r) - want).abs() < 1e-12, "{r}");
        }
        assert!(inflation(1.0).is_finite());
    }
}
