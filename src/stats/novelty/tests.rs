use super::*;
use proptest::prelude::*;

/// Rows of an hour: a day has 24.
const HOUR_S: f64 = 3_600.0;

fn scores(step_s: Option<f64>, values: &[f64]) -> Vec<Scored> {
    let mut detector = Novelty::new(step_s);
    values.iter().map(|value| detector.push(Some(*value))).collect()
}

/// Values 0 to 12 without a rhythm, and what `change` makes of them.
fn noise(rows: usize, change: impl Fn(usize, f64) -> f64) -> Vec<f64> {
    let mut seed = 2_u64;
    let mut next = || {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        ((seed >> 33) % 13) as f64
    };
    (0..rows).map(|row| change(row, next())).collect()
}

/// Days of 24 rows with office hours, and what `change` makes of (day, hour, value).
fn days(count: usize, change: impl Fn(usize, usize, f64) -> f64) -> Vec<f64> {
    let value = |day, hour| change(day, hour, if (9..17).contains(&hour) { 10.0 } else { 2.0 });
    (0..count * 24).map(|row| value(row / 24, row % 24)).collect()
}

fn office(day: usize) -> bool {
    day % 7 < 5
}

#[test]
fn an_alert_names_what_is_novel() {
    check("nothing", &[], &[]);
    check("one value", &[5.0], &[]);
    check("flat", &[45.0; 2_000], &[]);
    check("flat, of a value whose sums are rounded", &[0.1; 2_000], &[]);
    check("noise", &noise(800, |_, v| v), &[]);
    let spike = |at: usize, to: f64| move |row, v| if row == at { to } else { v };
    check("spike", &noise(800, spike(600, 30.0)), &[(600, "new maximum")]);
    check("dip", &noise(800, spike(600, -18.0)), &[(600, "new minimum")]);
    let after_flat = |row| if row == 500 { 1.0 } else { 0.0 };
    let after_flat: Vec<f64> = (0..1_000).map(after_flat).collect();
    check("the first change ever", &after_flat, &[(500, "new maximum")]);
    check(
        "high values for a while, each of them usual",
        &noise(800, |row, v| if (600..632).contains(&row) { v.max(11.0) } else { v }),
        &[(614, "level of the last 32")],
    );
}

#[test]
fn an_alert_needs_no_extreme() {
    // Rises and falls of 32 rows, and once neither.
    let slopes = |row: usize, v: f64| {
        let (block, at) = (row / 32, row % 32);
        let course = match block {
            40 => 15,
            _ if block.is_multiple_of(2) => at,
            _ => 31 - at,
        };
        course as f64 + v / 13.0
    };
    check("a flat stretch amid slopes", &noise(2_000, slopes), &[(1_280, "shape never seen")]);
}

fn check(why: &str, values: &[f64], want: &[(usize, &str)]) {
    assert_eq!(alerts(None, values), named(want), "{why}");
}

#[test]
fn days_are_compared_with_days() {
    check_days("usual days", &days(30, |_, _, v| v), &[]);
    check_days(
        "a noon without work; the day after is no echo of it",
        &days(12, |day, hour, v| if (day, hour) == (10, 12) { 2.0 } else { v }),
        &[(252, "unlike yesterday")],
    );
    check_days("weekends", &days(35, |day, _, v| if office(day) { v } else { 2.0 }), &[]);
    check_days(
        "work on a sunday, which differs from saturday as each monday does from sunday; the week \
         after is its echo",
        &days(42, |day, _, v| if office(day) || day == 34 { v } else { 2.0 }),
        &[(825, "unlike last week"), (993, "unlike last week")],
    );
    let night = |at: usize| {
        move |day, hour, v| match (day, hour) {
            _ if (day, hour) == (at, 3) => 10.0,
            _ if office(day) => v,
            _ => 2.0,
        }
    };
    check_days(
        "work at night; each monday differs from sunday as much, at other hours",
        &days(18, night(16)),
        &[(387, "unlike all days at this time")],
    );
}

#[test]
fn an_hour_counts_against_the_same_hour_of_all_days() {
    check_hours("usual days", 30, 9, 0.5, 0.0);
    check_hours("after too few days", 7, 8, 2.0, 0.0);
    check_hours("2 above the nights so far, in widths of 2", 9, 10, 2.0, 1.0);
    check_hours("2 below the days so far, in widths of 2", 9, 10, -1.0, 1.0);
}

/// Half days of 0 and of 1, and one day at `value`; the greatest novelty up to day `end`.
fn check_hours(why: &str, day: usize, end: usize, value: f64, want: f64) {
    for rows in [5, 7, 24, 25, 288, 8_640] {
        let mut rhythm = Rhythm::new(86_400.0 / rows as f64).unwrap();
        let usual = |row: usize| f64::from(u8::from(row % rows >= rows / 2));
        let values = (0..end * rows).map(|row| if row / rows == day { value } else { usual(row) });
        let unlike = values.enumerate().map(|(row, v)| rhythm.push(row, Some(v), 2.0, 0.0));
        let got = unlike.map(|unlike| unlike.any_day_mean).fold(0.0, f64::max);
        assert!((got - want).abs() <= 0.01 * (1.0 + want), "{why}, {rows} rows: {got}"); // fades
    }
}

fn check_days(why: &str, values: &[f64], want: &[(usize, &str)]) {
    assert_eq!(alerts(Some(HOUR_S), values), named(want), "{why}");
}

fn alerts(step_s: Option<f64>, values: &[f64]) -> Vec<(usize, String)> {
    let scored = scores(step_s, values).into_iter().enumerate();
    scored
        .filter(|(_, scored)| Novelty::is_alert(scored.score))
        .map(|(row, scored)| (row, scored.reason.unwrap().to_string()))
        .collect()
}

fn named(rows: &[(usize, &str)]) -> Vec<(usize, String)> {
    rows.iter().map(|(row, name)| (*row, (*name).to_owned())).collect()
}

#[test]
fn one_incident_is_one_alert() {
    let twice = |second: f64| {
        let change = move |row, v| match row {
            600 => 30.0,
            650 => second,
            _ => v,
        };
        alerts(None, &noise(800, change)).len()
    };
    assert_eq!(twice(30.0), 1);
    assert_eq!(twice(40.0), 1); // farther out than the range, not 1.3 times as far as the first
    assert_eq!(twice(300.0), 2); // something else happened
}

#[test]
fn one_outlier_does_not_hide_what_follows() {
    let change = |row, v| match row {
        600 => 1e9,
        750 => 200.0,
        _ => v,
    };
    let want = [(600, "new maximum"), (750, "new maximum")];
    assert_eq!(alerts(None, &noise(800, change)), named(&want));
}

#[test]
fn missing_values_take_their_time_and_nothing_else() {
    // Every third hour is missing; the days stay where they are.
    let values = days(12, |day, hour, v| if (day, hour) == (10, 12) { 2.0 } else { v });
    for missing in [None, Some(f64::NAN), Some(f64::INFINITY), Some(f64::NEG_INFINITY)] {
        let mut detector = Novelty::new(Some(HOUR_S));
        let mut alerts = Vec::new();
        for (row, value) in values.iter().enumerate() {
            let scored = detector.push(if row % 3 == 1 { missing } else { Some(*value) });
            assert!(row % 3 != 1 || scored == Scored::default(), "{missing:?}");
            if Novelty::is_alert(scored.score) {
                alerts.push((row, scored.reason.unwrap().to_string()));
            }
        }
        assert_eq!(alerts, named(&[(252, "unlike yesterday")]), "{missing:?}");
    }
}

#[test]
fn a_step_that_makes_no_day_compares_no_days() {
    let values = days(12, |day, hour, v| if (day, hour) == (10, 12) { 2.0 } else { v });
    let without = scores(None, &values);
    let unusable =
        [0.0, -0.0, -1.0, f64::NAN, f64::INFINITY, f64::MIN_POSITIVE, 1.0, 86_400.0, 1e300];
    for step_s in unusable {
        assert_eq!(scores(Some(step_s), &values), without, "{step_s}");
    }
    assert_ne!(scores(Some(HOUR_S), &values), without);
}

#[test]
fn a_range_measures_in_its_own_width() {
    check_range(&[0.0, 10.0, 15.0], &[0.0, 1.0, 0.5]); // the first width is found by leaving it
    check_range(&[0.0, 10.0, 5.0, -10.0], &[0.0, 1.0, 0.0, 1.0]);
    check_range(&[0.0, 1.0, 101.0, 8.0], &[0.0, 1.0, 100.0, 1.0]); // it grew to 4 only
    check_range(&[7.0, 7.0, 7.0], &[0.0; 3]);
    check_range(&[7.0, 7.0 + 1e-13], &[0.0; 2]); // rounding
    check_range(&[0.0, f64::NAN, f64::INFINITY, 1.0], &[0.0, 0.0, 0.0, 1.0]);
    check_range(&[f64::MIN, f64::MAX, f64::MAX], &[0.0; 3]); // no number says how far
}

fn check_range(values: &[f64], want: &[f64]) {
    let mut range = Range::new(0);
    for (value, want) in values.iter().zip(want) {
        let got = range.push(*value, 1e-12);
        assert!((got - want).abs() <= 0.001 * want, "{values:?}: {got} is not {want}"); // ends fade
    }
}

#[test]
fn a_pause_counts_when_it_ends_longer_than_all_before() {
    check_pause("as long as usual", 50, 0.0);
    check_pause("longer", 200, (201_f64 / 51.0).ln() / 51_f64.ln());
    check_pause("shorter", 20, 0.0);
}

fn check_pause(why: &str, last: usize, want: f64) {
    for sign in [1.0, -1.0] {
        let mut pauses = Pauses::default();
        let calm =
            |pauses: &mut Pauses, rows| (0..rows).map(|_| pauses.push(0.0)).fold(0.0, f64::max);
        calm(&mut pauses, 49);
        for _ in 0..20 {
            pauses.push(9.0 * sign);
            calm(&mut pauses, 49);
        }
        pauses.push(9.0 * sign);
        assert!(calm(&mut pauses, last - 1) < 0.01, "{why}: it is not over");
        let got = pauses.push(7.0 * sign);
        assert!((got - want).abs() <= 0.01 + 0.2 * want, "{why}: {got} is not {want}"); // ends fade
    }
}

#[test]
fn the_nearest_shape_is_that_of_a_plain_search() {
    // Long enough for the lanes to be cut twice.
    let values = noise(22_000, |row, v| v * (1.0 + (row / 500 % 7) as f64));
    let mut discord = Discord::default();
    for (row, value) in values.iter().enumerate() {
        if row < 80 || row % 997 < 4 || row > 21_990 {
            let got = discord.push(*value);
            let want = plain_search(&values[..=row]);
            assert_eq!(got.map(|far| (far * 1e9).round()), want.map(|far| (far * 1e9).round()));
        } else {
            discord.take(*value);
        }
    }
}

fn plain_search(values: &[f64]) -> Option<f64> {
    let shape = |end: usize| -> Vec<f64> {
        values[end - 32..end].chunks(4).map(|four| four.iter().sum::<f64>() / 4.0).collect()
    };
    let now = values.len().checked_sub(64).map(|_| shape(values.len()))?;
    let far = |end| {
        let squares = shape(end).into_iter().zip(&now).map(|(a, b)| (a - b) * (a - b));
        (squares.sum::<f64>() / 8.0).sqrt()
    };
    let ends = (32..=values.len() - 32).rev().step_by(2).take(2_501);
    ends.map(far).min_by(f64::total_cmp)
}

fn any_value() -> impl Strategy<Value = Option<f64>> {
    prop_oneof![
        8 => (-20..20_i32).prop_map(|value| Some(f64::from(value))),
        1 => any::<f64>().prop_map(Some),
        1 => Just(None),
    ]
}

fn whole_values() -> impl Strategy<Value = Vec<f64>> {
    proptest::collection::vec((-20..20_i32).prop_map(f64::from), 0..700)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_stream_is_scored_from_what_was_seen(
        values in proptest::collection::vec(any_value(), 0..400),
        step_s in prop_oneof![Just(Some(HOUR_S)), any::<Option<f64>>()],
        len in 0..400_usize,
    ) {
        let run = |values: &[Option<f64>]| -> Vec<Scored> {
            let mut detector = Novelty::new(step_s);
            values.iter().map(|value| detector.push(*value)).collect()
        };
        let all = run(&values);
        for scored in &all {
            prop_assert!((0.0..1.0).contains(&scored.score), "{scored:?}");
            prop_assert_eq!(scored.reason.is_some(), scored.score > 0.0);
        }
        let len = len.min(values.len());
        prop_assert_eq!(run(&values[..len]), &all[..len]);
    }

    #[test]
    fn unit_and_sign_of_the_values_do_not_matter(values in whole_values(), power in -40..40_i32) {
        let want: Vec<f64> = scores(Some(HOUR_S), &values).iter().map(|s| s.score).collect();
        for factor in [2_f64.powi(power), -1.0] {
            let scaled: Vec<f64> = values.iter().map(|value| value * factor).collect();
            let got: Vec<f64> = scores(Some(HOUR_S), &scaled).iter().map(|s| s.score).collect();
            prop_assert_eq!(&got, &want, "{}", factor);
        }
    }

    #[test]
    fn zero_of_the_values_does_not_matter(values in whole_values(), zero in -1_000..1_000_i32) {
        let moved: Vec<f64> = values.iter().map(|value| value + f64::from(zero)).collect();
        let (want, got) = (scores(Some(HOUR_S), &values), scores(Some(HOUR_S), &moved));
        for (want, got) in want.iter().zip(&got) {
            prop_assert!((want.score - got.score).abs() < 1e-9, "{want:?} {got:?}");
        }
    }
}
