//! Readable values for an axis that begins at zero.

/// Share of values that may lie above the top edge, so that one spike does not flatten the rest.
const OUTLIER_SHARE: f64 = 0.02;

/// How many times the value at [`OUTLIER_SHARE`] the highest may be before the axis is cut.
const OUTLIER_FACTOR: f64 = 3.0;

/// Value at the top edge and the values with a grid line: multiples of 1, 2 or 5.
///
/// A few of `values` may lie above the top edge, none of `must_show`; an empty or flat-zero axis
/// goes to `1.0`.
pub(crate) fn axis(values: &[f64], must_show: &[f64]) -> (f64, Vec<f64>) {
    let must_show = must_show.iter().copied().filter(|value| value.is_finite());
    let highest = must_show.fold(robust_highest(values), f64::max);
    if highest <= 0.0 || !highest.is_finite() {
        return (1.0, vec![0.0, 1.0]);
    }
    let step = nice_step(highest / 3.0);
    let count = (highest * 1.02 / step).ceil().clamp(1.0, 6.0) as u32;
    let levels = (0..=count).map(|index| f64::from(index) * step).collect();
    (f64::from(count) * step, levels)
}

fn robust_highest(values: &[f64]) -> f64 {
    let mut sorted: Vec<f64> = values.iter().copied().filter(|value| value.is_finite()).collect();
    sorted.sort_by(f64::total_cmp);
    let rank = (sorted.len() as f64 * (1.0 - OUTLIER_SHARE)).ceil() as usize;
    let typical = sorted.get(rank.saturating_sub(1)).copied().unwrap_or(0.0);
    let highest = sorted.last().copied().unwrap_or(0.0);
    if typical > 0.0 && highest > typical * OUTLIER_FACTOR {
        return typical * OUTLIER_FACTOR;
    }
    highest
}

fn nice_step(rough: f64) -> f64 {
    let magnitude = 10f64.powf(rough.log10().floor());
    let digit = rough / magnitude;
    let nice = if digit <= 1.0 {
        1.0
    } else if digit <= 2.0 {
        2.0
    } else if digit <= 5.0 {
        5.0
    } else {
        10.0
    };
    nice * magnitude
}

#[cfg(test)]
mod tests {
    use super::axis;

    #[test]
    fn axes_are_round_and_hold_the_values() {
        let check =
            |values: &[f64], want: &[f64]| assert_eq!(axis(values, &[]).1, want, "{values:?}");
        check(&[], &[0.0, 1.0]);
        check(&[0.0, 0.0], &[0.0, 1.0]);
        check(&[f64::NAN], &[0.0, 1.0]);
        check(&[410.0, 780.0], &[0.0, 500.0, 1_000.0]);
        check(&[2.9], &[0.0, 1.0, 2.0, 3.0]);
        check(&[3.0], &[0.0, 1.0, 2.0, 3.0, 4.0]); // exactly at a level: room above it
        check(&[0.013], &[0.0, 0.005, 0.01, 0.015]);
    }

    #[test]
    fn one_spike_does_not_flatten_the_rest() {
        let mut values = vec![10.0; 200];
        values.push(5_000.0);
        assert!(axis(&values, &[]).0 <= 40.0);
        assert!(axis(&values, &[4_000.0]).0 >= 4_000.0); // unless it is what the chart is about
        let rise = [vec![10.0; 100], vec![200.0; 20]].concat(); // a change is not a spike
        assert!(axis(&rise, &[]).0 >= 200.0);
    }
}
