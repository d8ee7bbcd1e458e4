//! How far one more value lies from values like it, where the value itself has no interval: sums,
//! maxima, how many different ones.

use super::Change;
use super::limit::student_t_quantile;
use super::normal::{Z_98, cdf, normal_equivalent, upper_tail};
use super::quantile::Sorted;

/// Fewest values that tell how much they differ.
pub const MIN_LIKE: usize = 3;
/// So many windows' worth says what the values themselves show, so that few windows that happen
/// to differ hide no change.
const OWN_DEGREES: f64 = 3.0;
/// Degrees from which on Student's t is the normal distribution.
const MANY: f64 = 1e6;

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

/// A 98 % range that is also as wide as the levels of windows like the judged one differ, where
/// that says more: they wander from week to week. `like` is in the unit of the change.
///
/// Formula: the variance that the values show counts as [`OWN_DEGREES`] windows besides the n − 1
/// of s²·(1 + 1/n); the degrees of the sum are Satterthwaite's (Approximate Distribution of
/// Estimates of Variance Components, 1946).
pub fn widened_by_like(change: Change, like: &[f64]) -> Change {
    let n = like.len() as f64;
    if like.len() < MIN_LIKE {
        return change;
    }
    let mean = like.iter().sum::<f64>() / n;
    let squares: f64 = like.iter().map(|value| (value - mean).powi(2)).sum();
    let own = ((change.hi - change.lo) / (2.0 * Z_98)).powi(2);
    let parts =
        [own * OWN_DEGREES, squares * (1.0 + 1.0 / n)].map(|it| it / (OWN_DEGREES + n - 1.0));
    let [of_values, of_windows] = parts;
    let both = of_values + of_windows;
    let degrees = (n - 1.0) * (both / of_windows).powi(2);
    let factor = (both / own).sqrt() * student_t_quantile(cdf(Z_98), degrees.min(MANY)) / Z_98;
    if !(factor.is_finite() && factor > 1.0 && both > own) {
        return change;
    }
    let end = |end: f64| change.estimate + (end - change.estimate) * factor;
    Change { lo: end(change.lo), hi: end(change.hi), ..change }
}

#[cfg(test)]
mod tests {
    use super::{Change, Next, Z_98, widened_by_like};
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

    #[test]
    fn a_level_that_wanders_from_week_to_week_widens() {
        let mut random = Random::new(7);
        // Standard errors of a window's level, and how much the levels themselves wander.
        let mut check = |weeks: usize, wander: f64, most_missed: f64, width: f64| {
            let runs = 2_000;
            let (mut missed, mut all) = (0.0, 0.0);
            for _ in 0..runs {
                let mut level = || random.normal() * wander + random.normal();
                let like: Vec<f64> = (0..weeks).map(|_| level()).collect();
                let estimate = level() - like.iter().sum::<f64>() / weeks as f64;
                let half = Z_98 * (1.0 + 1.0 / weeks as f64).sqrt();
                let change = Change { estimate, lo: estimate - half, hi: estimate + half };
                let wide = widened_by_like(change, &like);
                missed += f64::from(u8::from(wide.lo > 0.0 || wide.hi < 0.0)) / f64::from(runs);
                all += (wide.hi - wide.lo) / (2.0 * half) / f64::from(runs);
            }
            let is_right = missed <= most_missed && all <= width;
            assert!(is_right, "{weeks} {wander}: missed {missed}, {all} times as wide");
        };
        check(4, 0.0, 0.02, 1.25);
        check(13, 0.0, 0.02, 1.12);
        check(4, 2.0, 0.08, 3.5); // without 30 %
        check(4, 10.0, 0.10, 15.0); // without 81 %
        check(13, 10.0, 0.04, 13.0);
    }
}
