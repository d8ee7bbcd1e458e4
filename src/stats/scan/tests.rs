use super::super::simulation::Random;
use super::*;

/// Two weeks of hours with a daily rhythm; `change` multiplies the hours it covers.
fn hours(seed: u64, level: f64, change: f64, at: std::ops::Range<usize>) -> Vec<Option<u64>> {
    let mut random = Random::new(seed);
    (0..14 * 24)
        .map(|hour| {
            let rhythm = if (8..20).contains(&(hour % 24)) { 2.0 } else { 0.2 };
            let factor = if at.contains(&hour) { change } else { 1.0 };
            let burstiness = (0.3 * random.normal()).exp();
            Some(random.poisson(level * rhythm * factor * burstiness))
        })
        .collect()
}

fn hour_of_day(n: u32) -> Vec<u32> {
    (0..n).map(|hour| hour % 24).collect()
}

fn burst_of(counts: &[Option<u64>], direction: Direction) -> CountBurst {
    locate_count_burst(counts, &hour_of_day(336), 24, direction).unwrap()
}

#[test]
fn a_burst_is_found_and_dated() {
    for seed in 0..20 {
        let burst = burst_of(&hours(seed, 4.0, 8.0, 201..204), Direction::Increase);
        assert!(burst.p_value < 1e-4 && burst.rate.lo > 2.0, "{burst:?}");
        assert_eq!((burst.start.index, burst.end.index), (201, 204), "{burst:?}");
        assert!(burst.start.earliest <= 201 && burst.start.latest >= 201);
    }
}

#[test]
fn a_drop_is_found_only_when_asked_for() {
    let counts = hours(3, 20.0, 0.2, 200..224);
    let drop = burst_of(&counts, Direction::Decrease);
    assert!(drop.p_value < 1e-9 && drop.rate.hi < 0.5, "{drop:?}");
    assert!(drop.start.index.abs_diff(200) <= 2 && drop.end.index.abs_diff(224) <= 12, "{drop:?}");
    assert!(burst_of(&counts, Direction::Increase).p_value > 0.01);
}

/// Two weeks of hourly submissions with a weekly rhythm, `level` on a usual day.
fn submissions(
    seed: u64,
    level: f64,
    factor: f64,
    days: &std::ops::Range<usize>,
) -> Vec<Option<u64>> {
    let mut random = Random::new(seed);
    let (mut day_factor, mut counts) = (1.0, Vec::new());
    for hour in 0..14 * 24 {
        let day = hour / 24;
        if hour % 24 == 0 {
            day_factor = (0.1 * random.normal()).exp();
        }
        let weekday = [0.7, 0.8, 1.0, 1.1, 2.0, 0.3, 0.6][day % 7];
        let hourly = if (8..20).contains(&(hour % 24)) { 1.0 / 14.0 } else { 1.0 / 84.0 };
        let factor = if days.contains(&day) { factor } else { 1.0 };
        counts.push(Some(random.poisson(level * weekday * hourly * factor * day_factor)));
    }
    counts
}

fn drop_of(counts: &[Option<u64>]) -> CountBurst {
    let hour_of_week: Vec<u32> = (0..336).map(|hour| hour % 168).collect();
    locate_count_burst(counts, &hour_of_week, 72, Direction::Decrease).unwrap()
}

#[test]
fn days_that_fail_are_found_in_two_weeks_with_a_weekly_rhythm() {
    for (level, factor, days, least) in [
        (60.0, 0.0, 9..10, 36),   // one day with nothing
        (60.0, 0.2, 1..4, 34),    // three days in the first week
        (300.0, 0.2, 10..11, 36), // one day with a fifth
        (60.0, 0.3, 9..11, 20),   // two days with a third: at the edge of what 60 a day can show
    ] {
        let mut found = 0;
        for seed in 0..40 {
            let drop = drop_of(&submissions(seed, level, factor, &days));
            let hours = days.start * 24..days.end * 24;
            let dated = drop.start.index.abs_diff(hours.start) <= 12
                && drop.end.index.abs_diff(hours.end) <= 12;
            found += i32::from(drop.p_value < 0.01 && dated);
        }
        println!("submissions {level} x {factor} on {days:?}: found {found} of 40");
        assert!(found >= least, "{level} {factor} {days:?}: {found}");
    }
    for level in [60.0, 300.0] {
        let quiet = |seed: &u64| drop_of(&submissions(*seed, level, 1.0, &(0..0))).p_value < 0.05;
        let alarms = (0..300).filter(quiet).count();
        println!("submissions {level}: alarms {alarms} of 300");
        assert!(alarms <= 22, "{level}: {alarms} of 300"); // 15 promised, and its noise
    }
}

#[test]
fn quiet_series_stay_quiet() {
    let runs = 400;
    for level in [1.0, 4.0, 20.0] {
        let quiet = |seed| hours(seed, level, 1.0, 0..0);
        let alarms = (0..runs)
            .filter(|&seed| burst_of(&quiet(seed), Direction::Increase).p_value < 0.05)
            .count();
        println!("count bursts at 5 %, level {level}: {alarms} of {runs}");
        assert!(alarms <= 28, "level {level}: {alarms} of {runs}"); // 20 promised, and its noise
    }
}

#[test]
fn too_little_is_none() {
    let scan =
        |counts: &[_]| locate_count_burst(counts, &[0; 9], 3, Direction::Increase).map(|_| ());
    assert_eq!(scan(&[]), None);
    assert_eq!(scan(&[Some(1), Some(2), Some(30)]), None); // one short
    assert_eq!(scan(&[Some(1), Some(2), Some(30), Some(1)]), Some(()));
    assert_eq!(scan(&[Some(3); 9]), None); // exactly as usual
    assert_eq!(scan(&[None; 9]), None);
    assert_eq!(locate_count_burst(&[Some(9); 9], &[], 3, Direction::Either), None); // no slots
    let count = Some(Count { events: 0.0, exposure: 10.0 });
    assert_eq!(locate_rate_step(&[count; 9], Direction::Either), None); // no event at all
    assert_eq!(locate_rate_step(&[], Direction::Either), None);
}

#[test]
fn a_burst_where_hardly_anything_ever_happened_is_found() {
    let mut counts = vec![Some(0); 336];
    counts[70] = Some(1);
    counts[200] = Some(40);
    let burst = burst_of(&counts, Direction::Increase);
    assert_eq!((burst.start.index, burst.end.index), (200, 201));
    assert!(burst.p_value < 1e-6 && burst.dispersion == Dispersion::UNKNOWN, "{burst:?}");
}

/// Hourly errors of a service with a daily rhythm; gaps every 50 hours.
fn errors(seed: u64, rate: f64, ratio: f64, from: usize) -> Vec<Option<Count>> {
    let mut random = Random::new(seed);
    (0..14 * 24)
        .map(|hour| {
            let exposure = if (8..20).contains(&(hour % 24)) { 400.0 } else { 30.0 };
            let mean = exposure * rate * if hour >= from { ratio } else { 1.0 };
            let burstiness = (0.3 * random.normal()).exp();
            let events = random.poisson(mean * burstiness) as f64;
            (hour % 50 != 49).then_some(Count { events, exposure })
        })
        .collect()
}

#[test]
fn a_doubled_error_rate_is_found_and_dated() {
    for seed in 0..20 {
        let step = locate_rate_step(&errors(seed, 0.005, 2.0, 230), Direction::Increase).unwrap();
        assert!(step.p_value < 2e-3 && step.rate.lo > 1.2, "{step:?}");
        assert!(step.place.earliest <= 230 && 230 <= step.place.latest, "{step:?}");
    }
}

#[test]
fn steady_error_rates_stay_quiet() {
    let alarms = (0..1_000)
        .filter(|&seed| {
            let step = locate_rate_step(&errors(seed, 0.005, 1.0, 0), Direction::Increase);
            step.is_some_and(|step| step.p_value < 0.05)
        })
        .count();
    println!("rate steps at 5 %: {alarms} of 1000");
    assert!(alarms <= 60, "{alarms} of 1000"); // 50 promised, and its noise
}
