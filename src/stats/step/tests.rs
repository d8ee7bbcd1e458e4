use super::super::simulation::Random;
use super::*;

fn series(seed: u64, n: usize, rho: f64, level: impl Fn(usize) -> f64) -> Vec<Option<Point>> {
    let mut random = Random::new(seed);
    let mut state = random.normal();
    (0..n)
        .map(|index| {
            state = rho * state + (1.0 - rho * rho).sqrt() * random.normal();
            Some(Point { value: level(index) + state, weight: 1.0 })
        })
        .collect()
}

#[test]
fn a_step_is_found_and_dated() {
    for (from, height) in [
        (100, 4.0), // in the middle
        (195, 8.0), // five windows before the end
        (4, 8.0),   // just after the start
        (150, -4.0),
    ] {
        for seed in 0..20 {
            let points = series(seed, 200, 0.0, |i| if i >= from { height } else { 0.0 });
            let step = locate_step(&points).unwrap();
            assert!(step.p_value < 1e-4, "{from} {step:?}");
            assert!(step.place.index.abs_diff(from) <= 2, "{from} {step:?}");
            assert!((step.place.earliest..=step.place.latest).contains(&from), "{step:?}");
        }
    }
}

#[test]
fn the_interval_of_places_and_of_the_change_cover_as_promised() {
    let (runs, mut places, mut changes) = (400, 0, 0);
    for seed in 0..runs {
        let step = locate_step(&series(seed, 150, 0.3, |i| if i >= 90 { 1.5 } else { 0.0 }));
        let step = step.unwrap();
        places += i32::from((step.place.earliest..=step.place.latest).contains(&90));
        changes += i32::from(step.change.lo <= 1.5 && 1.5 <= step.change.hi);
    }
    println!("covered of {runs}: places {places}, changes {changes}");
    assert!(places >= 388, "{places} of {runs}"); // 98 % promised
    assert!(changes >= 380, "{changes} of {runs}"); // the place is chosen, which costs a little
}

#[test]
fn noise_alone_is_seldom_a_step_or_a_burst() {
    for (n, rho) in [(40, 0.0), (168, 0.0), (336, 0.0), (168, 0.5), (336, 0.7)] {
        let runs = 400;
        let (mut steps, mut bursts) = (0, 0);
        for seed in 0..runs {
            let points = series(seed, n, rho, |_| 0.0);
            steps += i32::from(locate_step(&points).unwrap().p_value < 0.05);
            bursts += i32::from(locate_burst(&points, 24).unwrap().p_value < 0.05);
        }
        println!("n {n} rho {rho}: steps {steps}, bursts {bursts} of {runs} at 5 %");
        assert!(steps <= 28 && bursts <= 28, "n {n} rho {rho}: {steps} {bursts} of {runs}");
    }
}

#[test]
fn one_wild_value_is_no_step() {
    let mut points = series(5, 120, 0.0, |_| 0.0);
    points[60] = Some(Point { value: 1e6, weight: 1.0 });
    let step = locate_step(&points).unwrap();
    assert!(step.p_value > 0.05 && step.change.estimate.abs() < 1.0, "{step:?}");
}

#[test]
fn a_burst_is_found_and_told_from_a_step() {
    for seed in 0..20 {
        let points = series(seed, 200, 0.0, |i| if (120..126).contains(&i) { 8.0 } else { 0.0 });
        let (burst, step) = (locate_burst(&points, 24).unwrap(), locate_step(&points).unwrap());
        assert!(burst.p_value < 1e-6 && burst.explained > 2.0 * step.explained, "{burst:?}");
        assert!(burst.start.index.abs_diff(120) <= 1 && burst.end.index.abs_diff(126) <= 1);
        assert!((burst.change.estimate - 8.0).abs() < 2.0, "{burst:?}"); // not the clipped height
    }
}

#[test]
fn gaps_keep_their_place() {
    let mut points = series(1, 100, 0.0, |i| if i >= 60 { 9.0 } else { 0.0 });
    for hole in [0, 1, 30, 31, 58, 99] {
        points[hole] = None;
    }
    points[40] = Some(Point { value: f64::NAN, weight: 1.0 });
    points[41] = Some(Point { value: 5e9, weight: 0.0 });
    assert_eq!(locate_step(&points).unwrap().place.index, 60);
}

#[test]
fn light_windows_count_for_little() {
    // Wild night windows must not hide a step of the busy ones.
    let points: Vec<_> = (0..100)
        .map(|i| {
            let night = i % 2 == 0;
            let wild = f64::from(i * 7919 % 13) - 6.0;
            let value = if night { wild } else { wild / 20.0 + f64::from(i / 50) };
            Some(Point::of_count(value, if night { 1 } else { 900 }))
        })
        .collect();
    let step = locate_step(&points).unwrap();
    assert!(step.p_value < 0.01 && step.place.index.abs_diff(50) <= 2, "{step:?}");
}

#[test]
fn too_little_is_none() {
    let point = |value: f64| Some(Point { value, weight: 1.0 });
    let rising = |n: i32| (0..n).map(|i| point(f64::from(i / 4))).collect::<Vec<_>>();
    assert_eq!(locate_step(&[]), None);
    assert_eq!(locate_step(&rising(7)), None); // one short
    assert!(locate_step(&rising(8)).is_some()); // exactly enough
    assert_eq!(locate_step(&[point(3.0); 50]), None); // all the same
    assert_eq!(locate_burst(&[None; 50], 5), None);
    assert_eq!(locate_burst(&rising(9), 0), None); // no length allowed
}

#[test]
fn a_step_without_any_noise_is_certain() {
    let point = |i: usize| Some(Point { value: if i < 6 { 1.0 } else { 2.0 }, weight: 1.0 });
    let step = locate_step(&(0..12).map(point).collect::<Vec<_>>()).unwrap();
    assert_eq!(step.place, Place { index: 6, earliest: 6, latest: 6 });
    assert!(step.p_value < 1e-100 && (step.change.estimate - 1.0).abs() < 1e-12, "{step:?}");
}

#[test]
fn an_early_change_hides_no_later_one() {
    let mut random = Random::new(7);
    let mut check = |stretches: &[(f64, usize)], want: Option<[f64; 2]>, why: &str| {
        let level = |(level, len): &(f64, usize)| vec![*level; *len];
        let levels: Vec<f64> = stretches.iter().flat_map(level).collect();
        let points: Vec<Option<Point>> = levels
            .iter()
            .map(|level| Some(Point { value: level + 3.0 * random.normal(), weight: 1.0 }))
            .collect();
        let got = newest_step(&points, 0.01).map(|step| step.levels);
        let is_near = match (got, want) {
            (Some(got), Some(want)) => got.iter().zip(want).all(|(a, b)| (a - b).abs() < 5.0),
            (got, want) => got.is_none() && want.is_none(),
        };
        assert!(is_near, "{why}: {got:?}");
    };
    check(&[(100.0, 120)], None, "no change");
    check(&[(100.0, 100), (130.0, 40)], Some([100.0, 130.0]), "one");
    check(&[(200.0, 72), (100.0, 60), (130.0, 36)], Some([100.0, 130.0]), "worse after better");
    check(&[(100.0, 48), (200.0, 72), (150.0, 48)], Some([200.0, 150.0]), "better after worse");
    check(&[(100.0, 60), (150.0, 60), (200.0, 48)], Some([150.0, 200.0]), "step by step");
    check(&[(100.0, 72), (150.0, 72), (170.0, 24)], Some([150.0, 170.0]), "a small one last");
}

/// E-divisive finds a change in nearly all of these.
#[test]
fn a_rhythm_is_no_change() {
    let mut random = Random::new(7);
    for (days, amplitude) in [(2.0, 0.4), (7.0, 0.2), (7.0, 0.4), (14.0, 0.4)] {
        let found = (0..60).filter(|shift| {
            let hours = days * 24.0 + f64::from(*shift) / 5.0;
            let points: Vec<Option<Point>> = (0..hours as usize)
                .map(|hour| {
                    let turn = std::f64::consts::TAU * (hour as f64 - 9.0) / 24.0;
                    let value = amplitude * turn.sin() + 0.06 * random.normal();
                    Some(Point { value, weight: 1.0 })
                })
                .collect();
            newest_step(&points, 0.01).is_some()
        });
        assert_eq!(found.count(), 0, "{days} days, {amplitude}");
    }
}
