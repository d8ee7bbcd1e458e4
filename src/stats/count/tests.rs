use super::super::normal::Z_98;
use super::super::simulation::Random;
use super::*;

fn ratio(x: f64, h: f64, exposure: f64, phi: f64) -> Option<RateRatio> {
    let dispersion = Dispersion { estimate: phi, degrees: f64::INFINITY, rate_sd: 0.0 };
    let now = Count { events: x, exposure: 1.0 };
    rate_ratio(now, Count { events: h, exposure }, dispersion, Z_98)
}

#[test]
fn p_values_are_the_mid_p_of_the_binomial() {
    for (x, h, exposure, want) in [
        (12.0, 130.0, 13.0, 0.265_563_747_966_552_97),
        (50.0, 130.0, 13.0, 2.450_079_668_669_166e-17),
        (3.0, 0.0, 5.0, 0.002_314_814_814_814_814_3),
        (0.0, 7.0, 1.0, 0.996_093_75),
        (400.0, 3_000.0, 9.0, 0.000_400_194_515_063_987_43),
    ] {
        let got = ratio(x, h, exposure, 1.0).unwrap();
        assert!((got.p_more - want).abs() < 1e-9 * want.max(1e-3), "{x} {h}: {}", got.p_more);
        assert!((got.p_more + got.p_less - 1.0).abs() < 1e-9); // mid-p halves share the case seen
    }
}

#[test]
fn edges_are_open_or_none() {
    assert_eq!(ratio(0.0, 0.0, 1.0, 1.0), None); // nothing seen, nothing said
    assert_eq!(ratio(5.0, 5.0, 0.0, 1.0), None);
    assert_eq!(ratio(-1.0, 5.0, 1.0, 1.0), None);
    assert_eq!(ratio(f64::NAN, 5.0, 1.0, 1.0), None);
    let first_ever = ratio(30.0, 0.0, 13.0, 1.0).unwrap();
    assert!(first_ever.hi.is_infinite() && first_ever.lo > 20.0);
    let none_left = ratio(0.0, 300.0, 3.0, 1.0).unwrap();
    assert!(none_left.lo == 0.0 && none_left.hi < 0.1 && none_left.p_less < 1e-20);
}

#[test]
fn a_burst_fails_and_noise_does_not() {
    use Direction::{Decrease, Either, Increase};
    check(50.0, 130.0, 1.0, Increase, Outcome::Fail); // five times the usual ten
    check(50.0, 130.0, 12.0, Increase, Outcome::Warn); // so bursty that it may be chance
    check(12.0, 130.0, 1.0, Increase, Outcome::Pass);
    check(50.0, 130.0, 1.0, Decrease, Outcome::Pass);
    check(0.0, 1_300.0, 1.0, Decrease, Outcome::Fail);
    check(0.0, 1_300.0, 1.0, Either, Outcome::Fail);
}

fn check(x: f64, h: f64, phi: f64, direction: Direction, want: Outcome) {
    let got = ratio(x, h, 13.0, phi).unwrap();
    assert_eq!(got.judge(1.5, direction), want, "{got:?}");
}

#[test]
fn dispersion_of_independent_events_is_near_one_and_of_bursts_is_not() {
    let spread = |bursts: bool| {
        let mut random = Random::new(7);
        let windows: Vec<_> = (0..400)
            .map(|_| {
                let level = if bursts { 20.0 * random.unit() * 2.0 } else { 20.0 };
                (random.poisson(level) as f64, 20.0, 1e9)
            })
            .collect();
        Dispersion::of(windows).unwrap()
    };
    let (calm, bursty) = (spread(false), spread(true));
    assert!(calm.estimate < 1.3 && calm.degrees > 100.0, "{calm:?}");
    assert!(bursty.estimate > 4.0, "{bursty:?}"); // 1 + 20/3 = 7.7, less what trimming misses
}

#[test]
fn a_short_history_is_cautious_and_an_absent_one_silent() {
    let windows = |n: usize| vec![(24.0, 20.0, 10.0); n];
    assert_eq!(Dispersion::of(windows(2)), None);
    let p_value = |history: usize| {
        let spread = Dispersion::of(windows(history)).unwrap();
        let now = Count { events: 60.0, exposure: 1.0 };
        rate_ratio(now, Count { events: 200.0, exposure: 10.0 }, spread, Z_98).unwrap().p_more
    };
    assert!(p_value(4) > 1e-5 && p_value(60) < 1e-6, "{} {}", p_value(4), p_value(60));
}

#[test]
fn the_share_of_false_alarms_is_kept_with_bursty_history() {
    let (runs, mut alarms) = (1_000, 0);
    for seed in 0..runs {
        let mut random = Random::new(seed);
        let counts: Vec<f64> = (0..21)
            .map(|_| {
                let level = 12.0 * (0.4 * random.normal()).exp();
                random.poisson(level) as f64
            })
            .collect();
        let (now, history) = counts.split_last().unwrap();
        let mean = history.iter().sum::<f64>() / 20.0;
        let spread = Dispersion::of(history.iter().map(|&x| (x, mean, 20.0))).unwrap();
        let now = Count { events: *now, exposure: 1.0 };
        let usual = Count { events: mean * 20.0, exposure: 20.0 };
        let ratio = rate_ratio(now, usual, spread, Z_98).unwrap();
        alarms += i32::from(ratio.p_more < 0.01);
    }
    println!("false alarms at 1 %: {alarms} of {runs}");
    assert!(alarms <= 30, "{alarms} of {runs}");
}
