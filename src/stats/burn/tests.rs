use super::*;

const MONTH_S: u64 = 30 * DAY_S;

fn watched(objective: f64, period_s: u64) -> Watched {
    let objective = Objective::new(objective).unwrap();
    Watched { objective, period_s, least: LeastEvents::default() }
}

#[test]
fn burn_rate_is_the_share_of_budget_spent() {
    check_rate(0, 0, 0.999, None); // no traffic, no verdict
    check_rate(0, 500, 0.999, Some(0.0));
    check_rate(1, 1_000, 0.999, Some(1.0)); // exactly on budget
    check_rate(144, 10_000, 0.999, Some(14.4)); // the usual page
    check_rate(500, 500, 0.999, Some(1_000.0)); // everything fails
    check_rate(500, 500, 0.9, Some(10.0)); // no more than ten times too fast
}

fn check_rate(bad: u64, total: u64, objective: f64, want: Option<f64>) {
    let got = Tally { bad, total }.burn_rate(Objective::new(objective).unwrap());
    match (got, want) {
        (Some(got), Some(want)) => {
            assert!((got - want).abs() <= 1e-9 * want, "{got} is not {want}");
        }
        (got, want) => assert_eq!(got, want),
    }
}

#[test]
fn an_objective_leaves_a_budget() {
    for ratio in [0.0, 1.0, -1.0, 99.9, f64::NAN] {
        assert_eq!(Objective::new(ratio), None, "{ratio}");
    }
}

#[test]
fn a_budget_is_told_in_events() {
    let objective = Objective::new(0.999).unwrap();
    assert_eq!(Budget::of(&[Tally::default()], objective), None);
    // Ten requests an hour: one failure is 13.9 % of the month's budget (workbook, low traffic).
    let month = [Tally { bad: 1, total: 7_200 }];
    let budget = Budget::of(&month, objective).unwrap();
    assert!((budget.left_ratio - (1.0 - 0.138_888_889)).abs() < 1e-6, "{budget:?}");
    let overspent = Budget::of(&[Tally { bad: 3, total: 1_000 }], objective).unwrap();
    assert!((overspent.left_ratio + 2.0).abs() < 1e-9, "{overspent:?}");
}

#[test]
fn thresholds_spend_the_same_share_of_any_period() {
    check_thresholds(0.999, 30, [Some(14.4), Some(6.0), Some(3.0), Some(1.0)]); // the workbook's
    check_thresholds(0.999, 28, [Some(13.44), Some(5.6), Some(2.8), Some(1.0)]); // 0.93 is within
    check_thresholds(0.999, 90, [Some(43.2), Some(18.0), Some(9.0), Some(3.0)]);
    check_thresholds(0.999, 7, [Some(3.36), Some(1.4), Some(1.0), Some(1.0)]);
    check_thresholds(0.999, 1, [Some(1.0), Some(1.0), Some(1.0), None]); // three days are no day
    check_thresholds(0.9, 30, [None, Some(6.0), Some(3.0), Some(1.0)]); // at most 10×
}

fn check_thresholds(objective: f64, days: u64, want: [Option<f64>; 4]) {
    let objective = Objective::new(objective).unwrap();
    for (rule, want) in RULES.iter().zip(want) {
        let got = rule.threshold(objective, days * DAY_S);
        assert!(
            got.zip(want).map_or(got == want, |(got, want)| (got - want).abs() < 1e-9),
            "{days} d, {rule:?}: {got:?}"
        );
    }
}

/// The arithmetic of the workbook against synthetic series: an alert comes after
/// budget · threshold · window / error ratio, having spent its share of the month's budget, and
/// goes when the short window holds too few errors again.
#[test]
fn alerts_come_and_go_as_the_workbook_says() {
    // rule, share of errors, seconds until it speaks, share of budget spent, seconds to reset
    check_alert(0, 1.0, Some((51.84, 0.02, 295.68))); // total outage: a page within a minute
    check_alert(1, 1.0, Some((129.6, 0.05, 1_789.2)));
    check_alert(2, 1.0, Some((259.2, 0.1, 7_178.4)));
    check_alert(3, 1.0, Some((259.2, 0.1, 21_578.4)));
    check_alert(0, 0.02, Some((2_592.0, 0.02, 84.0))); // 20×: 43 minutes
    check_alert(1, 0.02, Some((6_480.0, 0.05, 1_260.0)));
    check_alert(0, 0.01, None); // 10× is none of the fast page's business
    check_alert(1, 0.01, Some((12_960.0, 0.05, 720.0))); // it is the slow page's
    check_alert(2, 0.004, Some((64_800.0, 0.1, 1_800.0)));
    check_alert(3, 0.002, Some((129_600.0, 0.1, 10_800.0))); // twice the budget: a day and a half
    check_alert(3, 0.001, None); // on budget
}

fn check_alert(rule: usize, error_ratio: f64, want: Option<(f64, f64, f64)>) {
    const TRAFFIC: u64 = 1_000;
    let watched = watched(0.999, MONTH_S);
    let slot_s = if rule < 2 { 6 } else { 60 };
    let len = |seconds: u64| (seconds / slot_s) as usize;
    let long = len(RULES[rule].long_s);
    let bad = (TRAFFIC as f64 * error_ratio).round() as u64;
    let healthy = vec![Tally { bad: 0, total: TRAFFIC }; long];
    let failing = vec![Tally { bad, total: TRAFFIC }; long];
    let series = [&healthy[..], &failing, &healthy].concat();
    let speaks = |slots: usize| {
        let alert = burn_alerts(&series[..slots], slot_s, &watched)[rule];
        matches!(alert.outcome, Outcome::Fail | Outcome::Warn)
    };
    let Some((detected_s, spent, reset_s)) = want else {
        assert!(!(0..series.len()).step_by(50).any(speaks), "rule {rule} at {error_ratio}");
        return;
    };
    let near = |slots: usize, seconds: f64| {
        let got = slots as f64 * slot_s as f64;
        assert!((got - seconds).abs() <= slot_s as f64, "rule {rule}: {got} s, not {seconds} s");
    };
    let detected = partition(long, 2 * long, speaks) - long;
    near(detected, detected_s);
    near(partition(2 * long, 3 * long, |slots| !speaks(slots)) - 2 * long, reset_s);
    let month_traffic = (TRAFFIC * MONTH_S / slot_s) as f64;
    let got = detected_s / slot_s as f64 * bad as f64 / (0.001 * month_traffic);
    assert!((got - spent).abs() < 1e-9, "rule {rule}: {got} of the budget");
}

/// First number in `from..to` for which `holds`, which holds from there on.
fn partition(mut from: usize, mut to: usize, holds: impl Fn(usize) -> bool) -> usize {
    while from < to {
        let middle = usize::midpoint(from, to);
        if holds(middle) { to = middle } else { from = middle + 1 }
    }
    from
}

#[test]
fn few_events_have_no_say() {
    let hour = |bad, total| [Tally { bad, total }];
    check_page(&[], Outcome::Inconclusive); // nothing seen
    check_page(&hour(0, 0), Outcome::Inconclusive);
    check_page(&hour(0, 9), Outcome::Inconclusive); // nine good ones are no proof
    check_page(&hour(0, 10), Outcome::Pass);
    check_page(&hour(1, 10), Outcome::Inconclusive); // 100×, and one failure
    check_page(&hour(3, 10), Outcome::Fail);
    check_page(&hour(4, 4), Outcome::Fail); // all of few: an outage at night
    check_page(&hour(3, 1_000), Outcome::Pass); // 3×
    // The hour burnt, its last minutes do not: it is over.
    let over = [vec![Tally { bad: 50, total: 100 }; 50], vec![Tally { bad: 0, total: 100 }; 10]];
    check_page_slots(&over.concat(), 60, Outcome::Pass);
    // The same, but nobody comes any more: the short window is empty and cannot confirm.
    let silent = [vec![Tally { bad: 50, total: 100 }; 50], vec![Tally::default(); 10]];
    check_page_slots(&silent.concat(), 60, Outcome::Pass);
}

fn check_page(series: &[Tally], want: Outcome) {
    check_page_slots(series, HOUR_S, want);
}

fn check_page_slots(series: &[Tally], slot_s: u64, want: Outcome) {
    let alerts = burn_alerts(series, slot_s, &watched(0.999, MONTH_S));
    assert_eq!(alerts.first().map(|alert| alert.outcome), Some(want), "{:?}", alerts.first());
}

#[test]
fn odd_series_do_no_harm() {
    let all = Tally { bad: u64::MAX, total: u64::MAX };
    assert_eq!(burn_alerts(&[all; 3], 0, &watched(0.999, MONTH_S)).len(), 4); // slots of no length
    assert_eq!(burn_alerts(&[all; 3], u64::MAX, &watched(0.999, 0)), []); // no period
}
