use super::super::simulation::Random;
use super::*;

const HISTORY: [f64; 10] = [12.0, 15.0, 11.0, 14.0, 13.0, 18.0, 12.0, 16.0, 13.0, 14.0];

/// Values of `NumPy` 2.4 and `SciPy` 1.17.
#[test]
fn bounds_agree_with_scipy() {
    check(Method::Mad { z: 3.0 }, 20.171_709_983, 6.828_290_017);
    check(Method::Iqr { k: 1.5 }, 18.5, 8.5);
    check(Method::DeltaIqr { k: 1.5 }, 16.453_125, 10.546_875);
    check(Method::StudentT { rate: 0.01 }, 20.007_163_435, 7.592_836_565);
    check(Method::StudentT { rate: 0.7 }, 12.604_343_469, 14.995_656_531); // most are beyond
    check(Method::LogNormal { rate: 0.01 }, 21.155_265_97, 8.823_844_59);
    check(Method::LogNormal { rate: 0.001 }, 26.589_456_23, 7.020_481_26);
    check(Method::Conformal { rate: 0.1 }, 18.0, 11.0); // 1 of 11 is beyond the highest
    check(Method::Conformal { rate: 0.2 }, 16.0, 12.0); // 2 of 11
}

fn check(method: Method, upper: f64, lower: f64) {
    for (side, want) in [(Side::Upper, upper), (Side::Lower, lower)] {
        let got = method.bound(&HISTORY, side).unwrap();
        assert!((got - want).abs() < 1e-8 * want, "{method:?} {side:?}: {got} is not {want}");
    }
}

#[test]
fn a_tail_of_one_in_a_million_has_its_digits() {
    let got = Method::StudentT { rate: 1e-6 }.bound(&HISTORY[..5], Side::Upper).unwrap();
    assert!((got - 85.014_955_857_750_9).abs() < 1e-6, "{got}");
}

#[test]
fn too_short_a_history_has_no_bound() {
    check_least(Method::Mad { z: 3.0 }, Some(5));
    check_least(Method::Iqr { k: 1.5 }, Some(5));
    check_least(Method::DeltaIqr { k: 1.5 }, Some(6)); // five changes
    check_least(Method::LogNormal { rate: 0.01 }, Some(5));
    check_least(Method::StudentT { rate: 0.01 }, Some(5));
    check_least(Method::Conformal { rate: 0.001 }, Some(999)); // what it promises, it can keep
    check_least(Method::Conformal { rate: 0.01 }, Some(99));
    check_least(Method::Conformal { rate: 0.3 }, Some(3)); // a fourth value is beyond in 1/4
    check_least(Method::Conformal { rate: 0.0 }, None); // never is not to be had
    check_least(Method::StudentT { rate: 1.0 }, None);
    check_least(Method::LogNormal { rate: f64::NAN }, None);
    check_least(Method::Mad { z: f64::INFINITY }, None);
}

fn check_least(method: Method, want: Option<usize>) {
    assert_eq!(method.min_samples(), want, "{method:?}");
    let history: Vec<f64> = (1..=want.unwrap_or(2_000)).map(|i| i as f64).collect();
    assert_eq!(method.bound(&history, Side::Upper).is_some(), want.is_some(), "{method:?}");
    let short = [&history[1..], &[f64::NAN]].concat(); // what is not finite does not count
    assert_eq!(method.bound(&short, Side::Upper), None, "{method:?}");
}

#[test]
fn a_history_without_a_spread_or_a_logarithm_is_told_apart() {
    for method in [Method::Mad { z: 3.0 }, Method::Iqr { k: 1.5 }, Method::DeltaIqr { k: 1.5 }] {
        assert_eq!(method.bound(&[7.0; 30], Side::Upper), Some(7.0), "{method:?}");
    }
    let idle = [0.0, 1.0, 0.0, 2.0, 1.0, 3.0, 1.0, 2.0];
    assert_eq!(Method::LogNormal { rate: 0.01 }.bound(&idle, Side::Upper), None);
    assert!(Method::DeltaIqr { k: 1.5 }.bound(&[0.0; 30], Side::Upper).is_none()); // no ratio
    assert_eq!(Method::StudentT { rate: 0.01 }.bound(&[f64::MAX; 9], Side::Upper), None);
}

#[test]
fn a_promised_rate_is_kept_on_new_windows() {
    check_rate(Method::Conformal { rate: 0.05 }, Side::Upper, 0.05);
    check_rate(Method::Conformal { rate: 0.05 }, Side::Lower, 0.05);
    check_rate(Method::Conformal { rate: 0.02 }, Side::Upper, 0.02);
    check_rate(Method::LogNormal { rate: 0.05 }, Side::Upper, 0.05); // the noise is log-normal
    check_rate(Method::StudentT { rate: 0.01 }, Side::Upper, 0.03); // so this one cries too often
}

/// Share of 4,000 new windows beyond the bound of 99 log-normal windows.
fn check_rate(method: Method, side: Side, want: f64) {
    let runs = 4_000;
    let mut alarms = 0;
    for seed in 0..runs {
        let mut random = Random::new(seed);
        let history: Vec<f64> = (0..99).map(|_| (0.5 * random.normal()).exp()).collect();
        let value = (0.5 * random.normal()).exp();
        let bound = method.bound(&history, side).unwrap();
        alarms += u32::from(side.sign() * (value - bound) > 0.0);
    }
    let got = f64::from(alarms) / runs as f64;
    let three_sigma = 3.0 * (want * (1.0 - want) / runs as f64).sqrt();
    assert!((got - want).abs() < three_sigma, "{method:?} {side:?}: {got} is not {want}");
}

#[test]
fn false_alarms_are_counted_over_the_history_itself() {
    let mut values: Vec<f64> = (0..70).map(|i| f64::from(i % 7)).collect();
    values[63..].fill(20.0); // one week is wrong
    let weeks: Vec<u32> = (0..70).map(|i| i / 7).collect();
    let method = Method::Conformal { rate: 0.05 };
    // Left out alone, each of the seven is vouched for by the six others of its week.
    check_alarms(&values, None, method, Some((0, 70)));
    check_alarms(&values, Some(&weeks), method, Some((7, 70)));
    check_alarms(&values, Some(&[1; 70]), method, None); // one week only: nothing is left
    check_alarms(&values, Some(&weeks[..7]), method, Some((0, 7))); // the rest has no week
    check_alarms(&values[..19], None, method, None); // 18 are too few for 5 %
    check_alarms(&[], None, method, None);
    let long: Vec<f64> = (0..1_000).map(f64::from).collect();
    check_alarms(&long, None, Method::Iqr { k: 1.5 }, Some((0, 1_000))); // in 200 folds
}

fn check_alarms(
    values: &[f64],
    weeks: Option<&[u32]>,
    method: Method,
    want: Option<(usize, usize)>,
) {
    let got = false_alarms(values, weeks, method, Side::Upper);
    assert_eq!(got.map(|found| (found.alarms, found.tested)), want);
}

proptest::proptest! {
    /// Twice the unit is twice the bound, and looking below is looking above at the mirror.
    #[test]
    fn bounds_follow_the_unit(values in proptest::collection::vec(0.1..1e6_f64, 20..60)) {
        for method in [
            Method::Mad { z: 3.0 }, Method::Iqr { k: 1.5 }, Method::DeltaIqr { k: 1.5 },
            Method::StudentT { rate: 0.01 }, Method::Conformal { rate: 0.05 },
        ] {
            let doubled: Vec<f64> = values.iter().map(|value| 2.0 * value).collect();
            let mirrored: Vec<f64> = values.iter().map(|value| -value).collect();
            let upper = method.bound(&values, Side::Upper).unwrap();
            let near = |got: f64, want: f64| (got - want).abs() <= 1e-9 * want.abs().max(1.0);
            assert!(near(method.bound(&doubled, Side::Upper).unwrap(), 2.0 * upper));
            assert!(near(method.bound(&mirrored, Side::Lower).unwrap(), -upper));
        }
    }

    #[test]
    fn no_history_is_too_odd(
        values in proptest::collection::vec(proptest::num::f64::ANY, 0..40),
        parameter in proptest::num::f64::ANY,
    ) {
        for method in [
            Method::Mad { z: parameter }, Method::Iqr { k: parameter },
            Method::DeltaIqr { k: parameter }, Method::LogNormal { rate: parameter },
            Method::StudentT { rate: parameter }, Method::Conformal { rate: parameter },
        ] {
            let bound = method.bound(&values, Side::Upper);
            assert!(bound.is_none_or(f64::is_finite));
            let found = false_alarms(&values, None, method, Side::Lower);
            assert!(found.is_none_or(|found| found.alarms <= found.tested));
        }
    }
}

#[test]
fn a_value_is_beyond_the_bound_as_it_is_rarer_than_the_rate() {
    let methods = [
        Method::Mad { z: 3.0 },
        Method::Iqr { k: 1.5 },
        Method::DeltaIqr { k: 1.5 },
        Method::LogNormal { rate: 0.01 },
        Method::StudentT { rate: 0.01 },
        Method::Conformal { rate: 0.1 },
    ];
    for (method, side) in methods.iter().flat_map(|m| [(m, Side::Upper), (m, Side::Lower)]) {
        let bound = method.bound(&HISTORY, side).unwrap();
        let mut rarest = 1.0;
        for far in [-30.0, -5.0, -0.01, 0.01, 5.0, 30.0] {
            let value = bound + side.sign() * far;
            let Rarity { p_value, rate } = method.rarity(&HISTORY, value, side).unwrap();
            assert_eq!(p_value <= rate, far > 0.0, "{method:?} {side:?} {value}: {p_value} {rate}");
            assert!((0.0..=rarest).contains(&p_value), "{method:?} {side:?} {value}: {p_value}");
            rarest = p_value;
        }
    }
}

#[test]
fn p_values_of_like_windows_are_even() {
    let mut random = Random::new(7);
    let mut check = |method: Method, most_rare: f64| {
        let runs = 2_000;
        let rare = (0..runs).filter(|_| {
            let mut windows: Vec<f64> = (0..40).map(|_| (0.2 * random.normal()).exp()).collect();
            let value = windows.pop().unwrap();
            method.rarity(&windows, value, Side::Upper).unwrap().p_value <= 0.05
        });
        let rare = rare.count() as f64 / f64::from(runs);
        assert!((0.02..=most_rare).contains(&rare), "{method:?}: {rare}");
    };
    check(Method::Conformal { rate: 0.05 }, 0.065);
    check(Method::LogNormal { rate: 0.05 }, 0.065);
    check(Method::StudentT { rate: 0.05 }, 0.08);
    check(Method::Mad { z: 4.0 }, 0.09);
    check(Method::Iqr { k: 3.0 }, 0.09);
    check(Method::DeltaIqr { k: 3.0 }, 0.10);
}

#[test]
fn what_was_always_the_same_makes_any_other_value_rare() {
    for (value, want) in [(7.0, 0.5), (7.1, 0.0), (6.9, 1.0)] {
        for method in [Method::Mad { z: 3.0 }, Method::StudentT { rate: 0.01 }] {
            let rarity = method.rarity(&[7.0; 30], value, Side::Upper).unwrap();
            assert!((rarity.p_value - want).abs() < 1e-9, "{method:?} {value}: {rarity:?}");
        }
    }
}
