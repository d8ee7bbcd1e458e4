//! Many tests, one share of false alarms: the Benjamini–Hochberg procedure.

/// Adjusted p-values in the order of the input: reject those at or below the level wanted.
///
/// Under no change at all, the chance that anything is rejected is at most the level; otherwise
/// the expected share of false rejections is. Holds for independent and positively dependent
/// tests. A NaN is "not tested": it stays NaN and does not count as a test.
///
/// Source: Benjamini & Hochberg, Controlling the False Discovery Rate, 1995.
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<(usize, f64)> =
        p_values.iter().copied().enumerate().filter(|(_, p)| !p.is_nan()).collect();
    order.sort_by(|a, b| b.1.total_cmp(&a.1));
    let tests = order.len() as f64;
    let mut adjusted = vec![f64::NAN; p_values.len()];
    let mut least = 1.0_f64;
    for (position, (index, p)) in order.iter().enumerate() {
        let rank = tests - position as f64;
        least = least.min(p * tests / rank);
        if let Some(slot) = adjusted.get_mut(*index) {
            *slot = least;
        }
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn adjusted_values_agree_with_scipy() {
        check(&[], &[]);
        check(&[0.03], &[0.03]); // one test needs no correction
        // scipy.stats.false_discovery_control([0.01, 0.04, 0.03, 0.005])
        check(&[0.01, 0.04, 0.03, 0.005], &[0.02, 0.04, 0.04, 0.02]);
        check(&[0.02, 0.02, 0.02], &[0.02, 0.02, 0.02]); // ties
        check(&[0.9, 1.0], &[1.0, 1.0]);
    }

    #[test]
    fn an_untested_thing_neither_counts_nor_passes() {
        let adjusted = benjamini_hochberg(&[0.01, f64::NAN, 0.04]);
        assert!((adjusted[0] - 0.02).abs() < 1e-12);
        assert!(adjusted[1].is_nan());
    }

    fn check(p_values: &[f64], want: &[f64]) {
        let got = benjamini_hochberg(p_values);
        assert_eq!(got.len(), want.len());
        for (got, want) in got.iter().zip(want) {
            assert!((got - want).abs() < 1e-12, "{got} is not {want}");
        }
    }
}
