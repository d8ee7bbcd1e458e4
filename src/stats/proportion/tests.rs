use super::*;
use proptest::prelude::*;

fn share(bad: u64, total: u64) -> Share {
    Share::new(bad, total).unwrap()
}

#[test]
fn a_share_of_nothing_does_not_exist() {
    assert_eq!(Share::new(0, 0), None);
    assert_eq!(Share::new(2, 1), None);
    assert!(Share::new(1, 1).is_some());
}

#[test]
fn wilson_agrees_with_the_formula_by_hand() {
    for ((bad, total), (lo, hi)) in [
        ((0, 10), (0.0, 0.277_532_799_862_889_2)),
        ((3, 10), (0.107_791_267_406_301, 0.603_221_852_538_854_6)),
        ((10, 10), (0.722_467_200_137_110_7, 1.0)),
    ] {
        let got = share(bad, total).wilson(1.959_963_984_540_054, 1.0);
        assert!((got.0 - lo).abs() < 1e-12 && (got.1 - hi).abs() < 1e-12, "{bad} of {total}");
    }
    let (narrow, wide) = (share(3, 100).wilson(Z_98, 1.0), share(3, 100).wilson(Z_98, 4.0));
    assert!(wide.0 < narrow.0 && narrow.1 < wide.1); // burstiness widens
}

#[test]
fn lower_bounds_in_points_and_verdicts() {
    use Outcome::{Fail, Inconclusive, Pass, Warn};
    check((0, 50), (30, 50), 40.982_585_564_519_795, Fail);
    check((12, 1_200), (36, 1_200), 0.675_170_830_112_078_3, Fail);
    check((6, 600), (18, 600), 0.068_254_828_241_104_75, Warn); // there, perhaps too small
    check((0, 50), (5, 50), -1.595_379_178_985_551, Pass);
    check((1, 100), (3, 100), -4.271_471_877_649_605_5, Pass);
    check((5, 5_000), (9, 5_000), -0.115_934_436_794_540_91, Pass);
    check((0, 29), (29, 29), 80.0, Inconclusive); // one event short of the least sample
    check((30, 50), (0, 50), -74.364_580_194_665, Pass); // better is not bad
}

fn check(control: (u64, u64), experiment: (u64, u64), lo_points: f64, want: Outcome) {
    let (control, experiment) = (share(control.0, control.1), share(experiment.0, experiment.1));
    assert_eq!(ShareRule::default().judge(control, experiment), want);
    if want != Outcome::Inconclusive {
        let lo = share_change(control, experiment, Z_98, 1.0).lo * 100.0;
        assert!((lo - lo_points).abs() < 1e-6, "{lo} is not {lo_points}");
    }
}

proptest! {
    #[test]
    fn swapping_the_sides_turns_the_sign(
        (a, n) in (0..500_u64, 1..500_u64), (b, m) in (0..500_u64, 1..500_u64),
    ) {
        let (control, experiment) = (share(a.min(n), n), share(b.min(m), m));
        let forth = share_change(control, experiment, Z_98, 1.0);
        let back = share_change(experiment, control, Z_98, 1.0);
        prop_assert!((forth.lo + back.hi).abs() < 1e-12, "{forth:?} {back:?}");
        prop_assert!((forth.estimate + back.estimate).abs() < 1e-12, "{forth:?} {back:?}");
    }

    #[test]
    fn counting_the_good_instead_of_the_bad_turns_the_sign(
        (a, n) in (0..500_u64, 1..500_u64), (b, m) in (0..500_u64, 1..500_u64),
    ) {
        let (a, b) = (a.min(n), b.min(m));
        let bad = share_change(share(a, n), share(b, m), Z_98, 1.0);
        let good = share_change(share(n - a, n), share(m - b, m), Z_98, 1.0);
        prop_assert!((bad.lo + good.hi).abs() < 1e-12, "{bad:?} {good:?}");
    }

    #[test]
    fn more_failures_are_never_judged_milder(
        (a, n) in (0..500_u64, 1..500_u64), m in 30..500_u64,
    ) {
        let rank = |bad: u64| match ShareRule::default().judge(share(a.min(n), n), share(bad, m)) {
            Outcome::Pass => 0,
            Outcome::Warn => 1,
            Outcome::Fail => 2,
            Outcome::Inconclusive => 3,
        };
        let ranks: Vec<i32> = (0..=m).map(rank).collect();
        prop_assert!(ranks.is_sorted(), "{ranks:?}");
    }
}
