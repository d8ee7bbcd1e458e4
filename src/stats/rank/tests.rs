use super::super::simulation::Random;
use super::*;
use proptest::prelude::*;

const CONTROL: [f64; 10] = [12.1, 13.4, 9.8, 15.2, 11.0, 14.4, 10.5, 12.1, 13.0, 16.2];
const EXPERIMENT: [f64; 11] = [14.0, 15.1, 13.4, 18.9, 12.1, 16.6, 17.0, 13.9, 12.8, 19.3, 15.5];

fn sorted(values: &[f64]) -> Sorted {
    Sorted::new(values.to_vec())
}

#[test]
fn estimate_interval_and_p_value_agree_with_scipy() {
    let shift = shift_of_sorted(&sorted(&CONTROL), &sorted(&EXPERIMENT), 1.0, Z_98).unwrap();
    assert!((shift.change.estimate - 2.45).abs() < 1e-12);
    assert!((shift.change.lo + 0.1).abs() < 1e-12 && (shift.change.hi - 5.3).abs() < 1e-12);
    assert!((shift.p_value - 0.028_778_558_023_218_468).abs() < 1e-10);
    assert!((shift.superiority - 0.786_363_636_363_636_3).abs() < 1e-12);

    let wide = shift_of_sorted(&sorted(&CONTROL), &sorted(&EXPERIMENT), 1.5, Z_98).unwrap();
    assert!((wide.change.lo + 2.4).abs() < 1e-12 && (wide.change.hi - 8.3).abs() < 1e-12);
    assert!(wide.p_value > shift.p_value);
}

#[test]
fn too_little_is_inconclusive_and_never_a_pass() {
    let rule = ShiftRule::default();
    let steady = |n: usize, level: f64| (0..n).map(|i| level + (i % 7) as f64).collect::<Vec<_>>();
    check(rule, &[], &steady(50, 100.0), Outcome::Inconclusive);
    check(rule, &[f64::NAN], &steady(50, 100.0), Outcome::Inconclusive);
    check(rule, &steady(29, 100.0), &steady(50, 900.0), Outcome::Inconclusive); // just below
    check(rule, &steady(30, 100.0), &steady(30, 900.0), Outcome::Fail); // exactly at
    check(rule, &steady(30, 100.0), &steady(30, 100.0), Outcome::Pass);
    check(rule, &steady(300, 100.0), &steady(300, 109.0), Outcome::Pass); // proven, too small
    check(rule, &steady(300, 100.0), &steady(300, 50.0), Outcome::Pass); // faster is not bad
    check(rule, &[5.0; 40], &[5.0; 40], Outcome::Pass); // all tied
    let few = ShiftRule { min_samples: 2, ..rule };
    check(few, &[1.0, 2.0], &[8.0, 9.0], Outcome::Inconclusive); // k < 0: no interval exists
    let tall = ShiftRule { min_effect: 500.0, ..rule };
    check(tall, &steady(300, 100.0), &steady(300, 550.0), Outcome::Pass); // below the fixed bar
}

fn check(rule: ShiftRule, control: &[f64], experiment: &[f64], want: Outcome) {
    assert_eq!(rule.judge(shift(control, experiment).as_ref()), want);
}

#[test]
fn long_samples_are_thinned_evenly() {
    let rising: Vec<f64> = (0..10_000).map(f64::from).collect();
    let (thinned, n) = evenly_spaced(&rising, MAX_COMPARED);
    assert_eq!((thinned.len(), n), (MAX_COMPARED, 10_000));
    assert_eq!((thinned[0], thinned[1_999]), (2.0, 9_997.0));
}

/// Shares of fail and warn over seeded runs, in percent.
fn operating_point(runs: u64, n: usize, rho: f64, sigma: f64, ratio: f64) -> (f64, f64) {
    let (mut fails, mut warns) = (0, 0);
    for seed in 0..runs {
        let mut random = Random::new(seed);
        let mut series = |level: f64| -> Vec<f64> {
            let mut state = random.normal();
            (0..n)
                .map(|_| {
                    state = rho * state + (1.0 - rho * rho).sqrt() * random.normal();
                    level * (1.0 + sigma * state)
                })
                .collect()
        };
        let (control, experiment) = (series(100.0), series(100.0 * ratio));
        match ShiftRule::default().judge(shift(&control, &experiment).as_ref()) {
            Outcome::Fail => fails += 1,
            Outcome::Warn => warns += 1,
            Outcome::Pass | Outcome::Inconclusive => {}
        }
    }
    (f64::from(fails) * 100.0 / runs as f64, f64::from(warns) * 100.0 / runs as f64)
}

#[test]
fn operating_points_hold() {
    for (n, rho, sigma, ratio, fail, warn) in [
        (50, 0.0, 0.25, 1.0, 0.0..=0.2, 0.0..=1.0), // no change, independent
        (60, 0.7, 0.25, 1.0, 0.0..=0.4, 0.0..=1.5), // no change, neighbours alike
        (200, 0.0, 0.25, 1.5, 100.0..=100.0, 0.0..=0.0), // +50 %
        (200, 0.7, 0.34, 1.5, 88.0..=100.0, 0.0..=10.0), // +50 %, neighbours alike, noisy
        (200, 0.0, 0.005, 1.01, 0.0..=0.0, 0.0..=0.0), // +1 %, hardly any noise
    ] {
        let got = operating_point(1_000, n, rho, sigma, ratio);
        println!("n {n} rho {rho} sigma {sigma} ratio {ratio}: {got:?}");
        assert!(fail.contains(&got.0) && warn.contains(&got.1), "{n} {rho} {ratio}: {got:?}");
    }
}

proptest! {
    #[test]
    fn selecting_a_difference_equals_listing_them(
        c in prop::collection::vec(-50..50_i32, 1..90),
        e in prop::collection::vec(-50.0..50.0_f64, 1..90),
        share in 0.0..1.0_f64,
    ) {
        let c = sorted(&c.iter().map(|&v| f64::from(v)).collect::<Vec<_>>());
        let e = sorted(&e);
        let mut all: Vec<f64> = e.as_slice().iter()
            .flat_map(|x| c.as_slice().iter().map(move |y| x - y)).collect();
        all.sort_unstable_by(f64::total_cmp);
        let k = (share * all.len() as f64) as usize;
        prop_assert_eq!(kth_difference(c.as_slice(), e.as_slice(), k), Some(all[k]));
    }

    #[test]
    fn heavy_ties_select_exactly(
        c in prop::collection::vec(0..4_i32, 100..200),
        e in prop::collection::vec(0..4_i32, 100..200),
        share in 0.0..1.0_f64,
    ) {
        let float = |values: &[i32]| {
            Sorted::new(values.iter().map(|&v| f64::from(v)).collect())
        };
        let (c, e) = (float(&c), float(&e));
        let mut all: Vec<f64> = e.as_slice().iter()
            .flat_map(|x| c.as_slice().iter().map(move |y| x - y)).collect();
        all.sort_unstable_by(f64::total_cmp);
        let k = (share * all.len() as f64) as usize;
        prop_assert_eq!(kth_difference(c.as_slice(), e.as_slice(), k), Some(all[k]));
    }

    #[test]
    fn swapping_the_sides_turns_the_sign(
        c in prop::collection::vec(0.0..100.0_f64, 40..80),
        e in prop::collection::vec(0.0..100.0_f64, 40..80),
    ) {
        let (c, e) = (sorted(&c), sorted(&e));
        let of = |c: &Sorted, e: &Sorted| shift_of_sorted(c, e, 1.2, Z_98).unwrap();
        let (forth, back) = (of(&c, &e), of(&e, &c));
        prop_assert!((forth.change.lo + back.change.hi).abs() < 1e-12);
        prop_assert!((forth.change.estimate + back.change.estimate).abs() < 1e-12);
        prop_assert!((forth.p_value - back.p_value).abs() < 1e-12);
    }

    #[test]
    fn moving_or_stretching_both_sides_moves_or_stretches_the_change(
        c in prop::collection::vec(0..1_000_i32, 40..80),
        e in prop::collection::vec(0..1_000_i32, 40..80),
        by in -500..500_i32,
        times in 1..50_i32,
    ) {
        let of = |values: &[i32], times: i32, by: i32| -> Vec<f64> {
            values.iter().map(|value| f64::from(value * times + by)).collect()
        };
        let (c1, e1) = (of(&c, 1, 0), of(&e, 1, 0));
        let change = |c: &[f64], e: &[f64]| shift(c, e).unwrap().change;
        // Twice the ends are whole.
        let ends = |Change { lo, estimate, hi }| [lo, estimate, hi].map(|end| (2.0 * end) as i64);
        let plain = ends(change(&c1, &e1));
        let both = ends(change(&of(&c, 1, by), &of(&e, 1, by)));
        prop_assert_eq!(plain, both, "moved together, nothing changed between them");
        let one = ends(change(&c1, &of(&e, 1, by)));
        prop_assert_eq!(plain.map(|end| end + 2 * i64::from(by)), one, "moved alone, moved by as much");
        let stretched = ends(change(&of(&c, times, 0), &of(&e, times, 0)));
        prop_assert_eq!(plain.map(|end| end * i64::from(times)), stretched, "another unit");
    }

    #[test]
    fn a_larger_shift_is_never_judged_milder(
        c in prop::collection::vec(100..1_000_i32, 30..80),
        e in prop::collection::vec(100..1_000_i32, 30..80),
        steps in prop::collection::vec(0..300_i32, 1..6),
    ) {
        let rank = |outcome: Outcome| match outcome {
            Outcome::Pass => 0,
            Outcome::Warn => 1,
            Outcome::Fail => 2,
            Outcome::Inconclusive => 3,
        };
        let c: Vec<f64> = c.iter().map(|value| f64::from(*value)).collect();
        let (mut by, mut before) = (0, 0);
        for step in steps {
            by += step;
            let moved: Vec<f64> = e.iter().map(|value| f64::from(value + by)).collect();
            let now = rank(ShiftRule::default().judge(shift(&c, &moved).as_ref()));
            prop_assert!(before <= now && now < 3, "{before} then {now}, moved by {by}");
            before = now;
        }
    }
}
