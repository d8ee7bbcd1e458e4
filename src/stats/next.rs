//! How far one more value lies from values like it, where the value itself has no interval: sums,
//! maxima, how many different ones.

use super::Change;
use super::limit::student_t_quantile;
use super::normal::{Z_98, cdf, normal_equivalent, upper_tail};
use super::quantile::Sorted;

/// Fewest values that tell how much they differ.
pub const MIN_LIKE: usize = 3;

/// One more value beside the median of those like it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Next {
    /// The median of the others.
    pub level: f64,
    in_logs: bool,
    /// How far it lies from the median, and how far one more lies by chance: one standard
    /// deviation, both in logarithms or in the unit of the values.
    distance: f64,
    deviation: f64,
    degrees: f64,
}

impl Next {
    /// In logarithms where all `like` are positive and `next` is not negative: what varies by a
    /// factor falls as surely as it rises. `least` (> 0) stands for a `next` of less, as nothing
    /// has no logarithm.
    ///
    /// `None` with fewer than [`MIN_LIKE`] finite values, or when `next` is not finite.
    /// Source: Hahn & Meeker, Statistical Intervals, 1991, 4.8: s·√(1 + 1/n).
    pub fn of(like: &[f64], next: f64, least: f64) -> Option<Self> {
        let like = Sorted::new(like.to_vec());
        if like.len() < MIN_LIKE || !next.is_finite() {
            return None;
        }
        let level = like.median()?;
        let in_logs = next >= 0.0 && *like.as_slice().first()? > 0.0;
        let scaled = |value: f64| if in_logs { value.max(least).ln() } else { value };
        let n = like.len() as f64;
        let scaled_like = || like.as_slice().iter().map(|value| scaled(*value));
        let mean = scaled_like().sum::<f64>() / n;
        let variance = scaled_like().map(|value| (value - mean).powi(2)).sum::<f64>() / (n - 1.0);
        Some(Self {
            level,
            in_logs,
            distance: scaled(next) - scaled(level),
            deviation: (variance * (1.0 + 1.0 / n)).sqrt(),
            degrees: n - 1.0,
        })
    }

    /// Its distance from the level in per cent of it, with the 98 % interval; infinite where the
    /// level is 0.
    pub fn change_pct(&self) -> Change {
        let reach = student_t_quantile(cdf(Z_98), self.degrees) * self.deviation;
        let pct = |distance: f64| {
            let ratio = if self.in_logs { distance.exp_m1() } else { distance / self.level.abs() };
            100.0 * ratio
        };
        let Self { distance, .. } = *self;
        Change { estimate: pct(distance), lo: pct(distance - reach), hi: pct(distance + reach) }
    }

    /// One-sided p-values that it is not more, and that it is not less, than `bar_pct` per cent
    /// above the level.
    pub fn p_values(&self, bar_pct: f64) -> [f64; 2] {
        let ratio = bar_pct / 100.0;
        let bar = if self.in_logs {
            (1.0 + ratio).max(f64::MIN_POSITIVE).ln()
        } else {
            ratio * self.level.abs()
        };
        let z = normal_equivalent((self.distance - bar) / self.deviation, self.degrees);
        [upper_tail(z), upper_tail(-z)]
    }
}

#[cfg(test)]
mod tests {
    use super::Next;
    use crate::stats::simulation::Random;

    #[test]
    fn a_value_beyond_what_like_ones_vary_by_is_a_change() {
        let check = |like: &[f64], next: f64, want: Option<(f64, bool, bool)>, why: &str| {
            let next = Next::of(like, next, 0.01);
            let got = next.map(|next| {
                let change = next.change_pct();
                (change.estimate.round(), change.lo > 10.0, change.hi < -10.0)
            });
            assert_eq!(got, want, "{why}: {next:?}");
            if let Some(next) = next {
                let [p_more, _] = next.p_values(10.0);
                let [_, p_less] = next.p_values(-10.0);
                let (_, is_more, is_less) = want.unwrap();
                assert_eq!([p_more < 0.01, p_less < 0.01], [is_more, is_less], "{why}: {next:?}");
            }
        };
        check(&[], 1.0, None, "nothing is known");
        check(&[1.0, 1.0], 9.0, None, "two may agree by chance");
        check(&[1.0, 1.0, 1.0], f64::NAN, None, "no value");
        check(&[2.0, 2.0, 2.0], 2.0, Some((0.0, false, false)), "always the same");
        check(&[2.0, 2.0, 2.0], 1.0, Some((-50.0, false, true)), "never another before");
        check(&[9.0, 10.0, 11.0, 10.0], 30.0, Some((200.0, true, false)), "thrice as much");
        check(&[9.0, 10.0, 11.0, 10.0], 12.0, Some((20.0, false, false)), "may be chance");
        check(&[9.0, 10.0, 11.0, 10.0], 0.0, Some((-100.0, false, true)), "nothing at all");
        check(&[1.0, 10.0, 80.0, 10.0], 100.0, Some((900.0, false, false)), "as wild as before");
        check(&[-9.0, -10.0, -11.0], -30.0, Some((-200.0, false, true)), "below zero");
        check(&[0.0, 0.0, 0.0], 1.0, Some((f64::INFINITY, true, false)), "of nothing");
    }

    /// Of 37 % of unchanged maxima a bare comparison with the median of four says that they rose
    /// by more than a tenth.
    #[test]
    fn unchanged_maxima_are_hardly_ever_called_a_rise() {
        let mut random = Random::new(7);
        let mut max = || (0..200).map(|_| (0.8 * random.normal()).exp()).fold(0.0, f64::max);
        let alarms = (0..1_000).filter(|_| {
            let like: Vec<f64> = (0..4).map(|_| max()).collect();
            Next::of(&like, max(), 0.01).unwrap().change_pct().lo > 10.0
        });
        let alarms = alarms.count();
        assert!(alarms <= 20, "{alarms} of 1000");
    }
}
