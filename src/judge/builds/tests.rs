use super::*;

const DAY_S: i64 = 86_400;

fn build(day: i64, value: f64) -> Point {
    Point {
        at: Some(Timestamp::from_second(day * DAY_S).unwrap()),
        commit: Some(format!("{day:0<40}")),
        branch: Some("main".to_owned()),
        ..Point::new(Origin::Check, "orders p95(duration)", value, "ms")
    }
}

/// Builds of which each is half a per cent slower than the one before, with noise of one per cent.
fn drifting(count: i64) -> Vec<Point> {
    let noise = [0.004, -0.005, 0.001, -0.002, 0.002];
    (0..count)
        .map(|day| build(day, 300.0 * 1.005_f64.powi(day as i32) * (1.0 + noise[day as usize % 5])))
        .collect()
}

fn rule() -> BuildsRule {
    let (drift, severity) = (DriftRule::default(), CheckSeverity::Fail);
    BuildsRule { drift, severity, branch: None }
}

fn judged(points: Vec<Point>, rule: &BuildsRule) -> Vec<CheckResult> {
    let history = History { points, ..History::default() };
    standings(&history, rule, &|_| true).iter().map(|standing| standing.check(rule)).collect()
}

/// Verdict, whether it counts, and why.
fn check(points: Vec<Point>, rule: &BuildsRule, want: &str) {
    let told = judged(points, rule).into_iter().map(|check| {
        let counts = if check.shadow { "shown" } else { "counts" };
        format!("{} {counts}: {}", check.verdict.as_str(), check.reason)
    });
    assert_eq!(told.collect::<Vec<_>>().join("; "), want);
}

#[test]
fn what_cannot_be_told_yet_is_shown_and_does_not_count() {
    let level = |count| (0..count).map(|day| build(day, 300.0)).collect::<Vec<_>>();
    let unknown = |points: Vec<Point>| -> Vec<Point> {
        points.into_iter().map(|point| Point { unit: "points".to_owned(), ..point }).collect()
    };
    check(Vec::new(), &rule(), "");
    check(level(7), &rule(), "inconclusive shown: 7 builds, at least 8 are needed to tell");
    check(level(8), &rule(), "pass counts: no change within 20 builds");
    check(drifting(40), &rule(), "fail counts: worse in 2 steps");
    let mild = BuildsRule { severity: CheckSeverity::Warn, ..rule() };
    check(drifting(40), &mild, "warn counts: worse in 2 steps");
    check(
        unknown(drifting(40)),
        &rule(),
        "inconclusive shown: it changed, and neither its source nor its unit says which way is worse",
    );
    check(unknown(level(40)), &rule(), "pass counts: no change within 20 builds"); // no matter
}

#[test]
fn a_share_of_which_twenty_times_as_much_was_missing_passed() {
    let share = |from: f64, to: f64, smaller_is_better: bool| -> Vec<Point> {
        let value = |day: i64| if day < 12 { from } else { to } - 1e-5 * (day % 3) as f64;
        let point = |day: i64| Point {
            unit: unit_name(Unit::Ratio).to_owned(),
            smaller_is_better: Some(smaller_is_better),
            ..build(day, value(day))
        };
        (0..24).map(point).collect()
    };
    check(share(0.9995, 0.99, false), &rule(), "fail counts: worse in one step");
    check(share(0.99, 0.9995, false), &rule(), &format!("pass counts: {BETTER}"));
    check(share(0.5, 0.49, false), &rule(), &format!("pass counts: {BETTER}")); // 2 % of the half
    check(share(0.001, 0.01, true), &rule(), "fail counts: worse in one step");
    let evidence = judged(share(0.9995, 0.99, false), &rule()).remove(0).evidence;
    let shown = [evidence.baseline, evidence.actual, evidence.change_pct].map(|it| it.unwrap());
    for (shown, want) in shown.into_iter().zip([0.99949, 0.98999, -0.95]) {
        assert!((shown - want).abs() < 1e-3, "{shown} is not {want}");
    }
    assert!((evidence.limit.unwrap() - 0.999_464_5).abs() < 1e-6, "5 % more missing: {evidence:?}");
}

const BETTER: &str = "changed within 20 builds, but by no more than 5 % for the worse";

#[test]
fn a_series_that_is_no_longer_measured_holds_nobody_up() {
    let others = |builds: i64| {
        let later = (40..40 + builds).map(|day| build(day, 1.0));
        later.map(|point| Point { series: "other".to_owned(), ..point })
    };
    let verdicts = |builds: i64| -> Vec<(Verdict, bool)> {
        let points = drifting(40).into_iter().chain(others(builds)).collect();
        judged(points, &rule()).iter().map(|check| (check.verdict, check.shadow)).collect()
    };
    assert_eq!(verdicts(19).first(), Some(&(Verdict::Fail, false)));
    assert_eq!(verdicts(20).first(), Some(&(Verdict::Fail, true))); // as many as count at all
}

#[test]
fn builds_of_other_branches_and_units_are_not_mixed_in() {
    let main = BuildsRule { branch: Some("main".to_owned()), ..rule() };
    let mut points = drifting(40);
    for point in &mut points[8..] {
        point.branch = Some("slow-idea".to_owned());
    }
    check(points.clone(), &main, "pass counts: no change within 20 builds");
    for point in &mut points[8..] {
        point.branch = None; // somebody's machine
    }
    check(points, &main, "fail counts: worse in 2 steps");
    let mut points: Vec<Point> = (0..16).map(|day| build(day, 300.0)).collect();
    for point in &mut points[8..] {
        (point.value, point.unit) = (0.3, "s".to_owned());
    }
    let pass = "pass counts: no change within 20 builds";
    check(points, &rule(), &format!("{pass}; {pass}"));
}

#[test]
fn a_check_of_drift_says_from_where_to_where_since_when_and_by_which_commit() {
    let checks = judged(drifting(40), &rule());
    let json = serde_json::to_string_pretty(&checks[0]).unwrap();
    insta::assert_snapshot!(json, @r#"
    {
      "id": "orders p95(duration)",
      "kind": "history",
      "expr": "no drift of more than 5 % within 20 builds",
      "severity": "fail",
      "verdict": "fail",
      "group": {},
      "metric": "orders p95(duration)",
      "actual": 355.547797855124,
      "limit": 349.78718472532313,
      "cmp": "<=",
      "unit": "ms",
      "baseline": 333.1306521193554,
      "change_pct": 6.729235389524256,
      "interval": null,
      "p_value": null,
      "n": [
        24,
        16
      ],
      "since": {
        "at": "1970-01-25T00:00:00Z",
        "earliest": "1970-01-23T00:00:00Z",
        "latest": "1970-01-26T00:00:00Z"
      },
      "linked_event": {
        "kind": "commit",
        "name": "240000000000",
        "at": "1970-01-25T00:00:00Z",
        "lag_s": 0.0
      },
      "reason": "worse in 2 steps",
      "critical": true,
      "shadow": false,
      "weight": 1.0,
      "runbook": null,
      "file": null,
      "line": null,
      "column": null,
      "accepted": null,
      "muted": null,
      "terms": []
    }
    "#);
    let per_hour = Point::new(Origin::K6, "requests", 5.0, "req/s");
    let checks = judged(vec![per_hour; 8], &rule());
    assert_eq!(checks[0].evidence.metric, "requests [req/s]"); // pages do not know this unit
}

#[test]
fn a_run_adds_one_value_for_each_measure_and_group() {
    let evidence = |metric: &str, actual: Option<f64>, cmp: &str| Evidence {
        metric: metric.to_owned(),
        actual,
        cmp: cmp.to_owned(),
        n: [0, 1_847],
        ..judged(drifting(8), &rule())[0].evidence.clone()
    };
    let one = |id: &str, evidence: Evidence| CheckResult {
        id: id.to_owned(),
        evidence,
        ..judged(drifting(8), &rule())[0].clone()
    };
    let term = |evidence: Evidence| crate::model::TermResult {
        expr: String::new(),
        verdict: Verdict::Pass,
        evidence,
        reason: String::new(),
    };
    let grouped = CheckResult {
        group: [("route".to_owned(), "/a".to_owned())].into(),
        ..one("slow", evidence("p95(duration)", Some(250.0), "<"))
    };
    let two_terms = CheckResult {
        terms: vec![
            term(evidence("p95(duration)", Some(250.0), "<")),
            term(evidence("p95(duration)", Some(250.0), "<")), // against the baseline
            term(evidence("count()", Some(9.0), ">=")),
        ],
        ..one("both", evidence("count()", Some(9.0), ">="))
    };
    let checks = [
        grouped,
        two_terms,
        one("unknown", evidence("max(duration)", None, "<")),
        one("odd", evidence("avg(duration)", Some(f64::NAN), "<")),
        one("moved", evidence("shift(duration)", Some(3.0), "<")), // has no level
        one("exact", Evidence { unit: Unit::Count, ..evidence("count()", Some(3.0), "=") }),
    ];
    let told = points(&checks, None).into_iter().map(|point| {
        let Point { series, value, unit, .. } = &point;
        format!("{series} = {value} {unit} {:?} n {:?}", point.direction(), point.n)
    });
    insta::assert_snapshot!(told.collect::<Vec<_>>().join("\n"), @r"
    slow p95(duration) route=/a = 250 ms UpIsWorse n Some(1847)
    both p95(duration) = 250 ms UpIsWorse n Some(1847)
    both count() = 9 ms DownIsWorse n Some(1847)
    exact count() = 3  Neutral n Some(1847)
    ");
}
