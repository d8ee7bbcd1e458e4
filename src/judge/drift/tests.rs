use super::*;

/// Levels of (value, builds) with ± 0.5 % of noise, which repeats after five builds.
fn builds(levels: &[(f64, usize)]) -> Vec<f64> {
    let levels = levels.iter().flat_map(|&(level, builds)| vec![level; builds]);
    levels.enumerate().map(|(i, level)| level * noise(i)).collect()
}

fn noise(i: usize) -> f64 {
    1.0 + [0.004, -0.005, 0.001, -0.002, 0.002][i * 3 % 5]
}

fn check(values: &[f64], direction: Direction, want: Verdict, want_pct: Option<f64>) {
    let got = drift(values, direction, &DriftRule::default());
    assert_eq!(got.verdict, want, "{got:?}");
    let near = |got: f64, want: f64| (got - want).abs() < 0.4;
    assert!(got.pct.zip(want_pct).map_or(got.pct == want_pct, |(a, b)| near(a, b)), "{got:?}");
}

#[test]
fn a_series_fails_when_its_newest_level_is_worse() {
    use Direction::{DownIsWorse, Neutral, UpIsWorse};
    use Verdict::{Fail, Inconclusive, Pass, Warn};
    check(&[], UpIsWorse, Inconclusive, None);
    check(&builds(&[(100.0, 7)]), UpIsWorse, Inconclusive, None); // one build short
    check(&builds(&[(100.0, 40)]), UpIsWorse, Pass, None); // noise only
    check(&builds(&[(100.0, 30), (108.0, 10)]), UpIsWorse, Fail, Some(8.0));
    check(&builds(&[(100.0, 30), (108.0, 10)]), DownIsWorse, Pass, Some(8.0)); // it got better
    check(&builds(&[(100.0, 30), (90.0, 10)]), DownIsWorse, Fail, Some(-10.0));
    check(&builds(&[(100.0, 30), (103.0, 10)]), UpIsWorse, Pass, Some(3.0)); // real, too small
    check(&builds(&[(100.0, 30), (150.0, 10)]), Neutral, Inconclusive, Some(50.0)); // worse?
    check(&builds(&[(100.0, 30), (103.0, 10)]), Neutral, Pass, Some(3.0));
    check(&builds(&[(100.0, 30), (108.0, 2)]), UpIsWorse, Warn, Some(8.0)); // or odd runs
    check(&builds(&[(100.0, 30), (108.0, 21)]), UpIsWorse, Pass, None); // it is the usual now
    check(&builds(&[(100.0, 30), (108.0, 20)]), UpIsWorse, Fail, Some(8.0)); // just not yet
    check(&builds(&[(100.0, 25), (120.0, 6), (100.0, 9)]), UpIsWorse, Pass, Some(0.0)); // over
    check(&builds(&[(0.0, 20), (5.0, 9)]), UpIsWorse, Fail, None); // no per cent of nothing
    check(&builds(&[(-100.0, 20), (-90.0, 9)]), UpIsWorse, Fail, Some(10.0));
}

#[test]
fn three_steps_are_one_drift() {
    let steps = builds(&[(100.0, 25), (103.0, 5), (106.0, 5), (109.0, 5)]);
    check(&steps, Direction::UpIsWorse, Verdict::Fail, Some(9.0));
    // 0.6 % a build: none differs from the one before by more than noise does. The newest
    // level is the mean of the slope, so it reads as half of where the slope has come to.
    let slope: Vec<f64> = (0..20).map(|i| 100.0 * 1.006_f64.powi(i) * noise(i as usize)).collect();
    let values = [builds(&[(100.0, 30)]), slope].concat();
    let got = drift(&values, Direction::UpIsWorse, &DriftRule::default());
    assert_eq!(got.verdict, Verdict::Fail, "{got:?}");
}

#[test]
fn missing_builds_do_no_harm() {
    let mut values = builds(&[(100.0, 30), (108.0, 10)]);
    values.insert(3, f64::NAN);
    values.push(f64::INFINITY);
    check(&values, Direction::UpIsWorse, Verdict::Fail, Some(8.0));
    check(&[f64::NAN; 30], Direction::UpIsWorse, Verdict::Inconclusive, None);
}

/// Shares of 400 series of 80 builds with 5 % of noise, in which a build resembles the one
/// before by `carry`, and the last `new` builds lie `step` higher.
fn check_failing(carry: f64, step: f64, new: usize, want: std::ops::RangeInclusive<usize>) {
    let mut state = 1_u64;
    let mut uniform = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        (state >> 40) as f64 / (1_u64 << 24) as f64 - 0.5
    };
    let mut failed = 0;
    for _ in 0..400 {
        let mut wander = 0.0;
        let series = (0..80).map(|i| {
            // Twelve of them make a normal value of variance 1.
            let fresh: f64 = (0..12).map(|_| uniform()).sum();
            wander = carry * wander + (1.0 - carry * carry).sqrt() * fresh;
            let level = if i >= 80 - new { 1.0 + step } else { 1.0 };
            100.0 * level * (1.0 + 0.05 * wander)
        });
        let series: Vec<f64> = series.collect();
        let got = drift(&series, Direction::UpIsWorse, &DriftRule::default());
        failed += usize::from(got.verdict == Verdict::Fail);
    }
    assert!(want.contains(&failed), "{failed} of 400 with {carry}, {step}, {new}");
}

#[test]
fn noise_seldom_fails_and_steps_do() {
    check_failing(0.0, 0.0, 0, 0..=6);
    check_failing(0.5, 0.0, 0, 0..=20); // three times as many if every run spoke for itself
    check_failing(0.0, 0.2, 5, 380..=400);
    check_failing(0.0, 0.1, 10, 360..=400);
}
