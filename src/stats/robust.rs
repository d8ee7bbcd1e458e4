//! The usual range of a measure, as wide as its own history says.
//!
//! No distribution is assumed: the range is the median of the history plus and minus the
//! distance that the wanted share of the history's own values keeps (split conformal).

use super::quantile::Sorted;

/// Fewest values for a range.
pub const MIN_HISTORY: usize = 5;
/// Values nearer to the median than this share of the MAD's usual size are not told apart: it
/// keeps a history of all but equal values from making a range of no width.
const MIN_HALF_WIDTH_RATIO: f64 = 1e-9;

/// What is usual, in the unit of the values.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct UsualRange {
    /// Median of the history.
    pub center: f64,
    /// Lower end, inclusive.
    pub lo: f64,
    /// Upper end, inclusive.
    pub hi: f64,
    /// Count of finite values it rests on.
    pub n: usize,
}

impl UsualRange {
    /// Whether a value is usual; NaN is not.
    pub fn contains(&self, value: f64) -> bool {
        self.lo <= value && value <= self.hi
    }
}

/// The range that a share `max_false_alarms` (such as 0.02) of like windows leaves, half each way.
///
/// With n values no rate below 2/(n+1) can be promised: the range is then the widest distance
/// seen. `None` with fewer than [`MIN_HISTORY`]
/// finite values.
///
/// Source: Lei et al., Distribution-Free Predictive Inference for Regression, 2018.
pub fn usual_range(history: &[f64], max_false_alarms: f64) -> Option<UsualRange> {
    let sorted = Sorted::new(history.to_vec());
    let n = sorted.len();
    if n < MIN_HISTORY {
        return None;
    }
    range_of(&sorted, max_false_alarms)
}

fn range_of(sorted: &Sorted, max_false_alarms: f64) -> Option<UsualRange> {
    let center = sorted.median()?;
    let reach = |side: f64| {
        let distances = sorted.as_slice().iter().map(|value| (side * (value - center)).max(0.0));
        let distances = Sorted::new(distances.collect());
        // The conformal rank ⌈(n + 1)(1 − α/2)⌉, or the widest where there are too few.
        let n = distances.len();
        let share = 1.0 - 0.5 * max_false_alarms.clamp(0.0, 1.0);
        let rank = ((n as f64 + 1.0) * share).ceil() as usize;
        distances.as_slice().get(rank.clamp(1, n) - 1).copied()
    };
    let least = MIN_HALF_WIDTH_RATIO * center.abs();
    Some(UsualRange {
        center,
        lo: center - reach(-1.0)?.max(least),
        hi: center + reach(1.0)?.max(least),
        n: sorted.len(),
    })
}

#[cfg(test)]
mod tests {
    use super::super::simulation::Random;
    use super::*;

    #[test]
    fn too_short_a_history_has_no_range() {
        assert_eq!(usual_range(&[], 0.02), None);
        assert_eq!(usual_range(&[1.0, 2.0, 3.0, 4.0, f64::NAN], 0.02), None); // one finite short
        let range = usual_range(&[1.0, 2.0, 3.0, 4.0, 5.0], 0.02).unwrap();
        assert_eq!((range.lo, range.center, range.hi, range.n), (1.0, 3.0, 5.0, 5));
    }

    #[test]
    fn a_lopsided_history_has_a_lopsided_range() {
        let history: Vec<f64> = (0..100).map(|i| (f64::from(i) / 20.0).exp()).collect();
        let range = usual_range(&history, 0.1).unwrap();
        assert!(range.hi - range.center > 5.0 * (range.center - range.lo), "{range:?}");
        assert!(!range.contains(f64::NAN));
    }

    #[test]
    fn a_constant_history_tells_any_change() {
        let range = usual_range(&[7.0; 30], 0.02).unwrap();
        assert!(range.contains(7.0) && !range.contains(7.000_001));
    }

    #[test]
    fn the_rate_promised_is_kept_on_new_values() {
        let (mut alarms, runs) = (0, 2_000);
        for seed in 0..runs {
            let mut random = Random::new(seed);
            let history: Vec<f64> = (0..120).map(|_| (0.6 * random.normal()).exp()).collect();
            let range = usual_range(&history, 0.05).unwrap();
            alarms += i32::from(!range.contains((0.6 * random.normal()).exp()));
        }
        assert!((40..=140).contains(&alarms), "{alarms} of {runs}"); // 100 promised
    }
}
