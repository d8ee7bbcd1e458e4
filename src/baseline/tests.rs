use std::fs;

use jiff::Timestamp;
use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::model::{Accepted, CheckResult, TermResult, Verdict};
use crate::stats::sketch::Sketch;

const NOW: &str = "2026-11-03T00:00:00Z";
const P95: (&str, &str, &str) = ("p95(duration)", "<", "ms");

/// A failed check by its rule, its measure, comparison and unit, and its value.
fn result(expr: &str, (metric, cmp, unit): (&str, &str, &str), value: f64) -> CheckResult {
    serde_json::from_value(json!({
        "id": "check", "kind": "rule", "expr": expr, "severity": "fail", "verdict": "fail",
        "group": {}, "metric": metric, "actual": value, "limit": 1.0, "cmp": cmp, "unit": unit,
        "baseline": null, "change_pct": null, "interval": null, "p_value": null, "n": [0, 100],
        "since": null, "linked_event": null, "reason": "", "critical": true, "shadow": false,
        "weight": 1.0, "runbook": null, "file": null, "line": null, "column": null,
        "accepted": null, "terms": [],
    }))
    .unwrap()
}

fn acceptance(until: Option<&str>, result: &CheckResult) -> Acceptance {
    let by = Accepted { who: "me".into(), when: "2026-11-02T00:00:00Z".into(), why: "ok".into() };
    Acceptance::of(result, by, until.map(str::to_owned)).unwrap()
}

fn is_accepted(known: &[Acceptance], result: &CheckResult) -> bool {
    let mut results = [result.clone()];
    accept(&mut results, known, NOW.parse::<Timestamp>().unwrap());
    results[0].accepted.is_some()
}

#[test]
fn an_acceptance_ends_when_it_gets_worse_by_the_offset_of_the_limit() {
    let check = |expr: &str, of: (&str, &str, &str), accepted: f64, rows: &[(f64, bool)]| {
        let known = [acceptance(None, &result(expr, of, accepted))];
        for (value, want) in rows {
            let found = is_accepted(&known, &result(expr, of, *value));
            assert_eq!(found, *want, "`{expr}`, accepted at {accepted}, now {value}");
        }
    };
    let rows = [(100.0, true), (240.0, true), (240.1, false)]; // better, at the bound, beyond
    check("p95(duration) < baseline + 20%", P95, 200.0, &rows);
    check("p95(duration) < baseline + 20ms", P95, 200.0, &[(220.0, true), (221.0, false)]);
    // Without an offset a tenth is taken: a fixed limit, the level itself, a usual range.
    for limit in ["100ms", "baseline", "usual(mad, 3)"] {
        let expr = format!("p95(duration) < {limit}");
        check(&expr, P95, 200.0, &[(220.0, true), (221.0, false)]);
    }
    let errors = ("share(status >= 500)", "<", "ratio");
    let rows = [(0.06, true), (0.061, false)]; // shares are shown as ratios, offsets are points
    check("share(status >= 500) < baseline + 1pt", errors, 0.05, &rows);
    let count = ("count()", ">", "count");
    check("count() > baseline - 20%", count, 100.0, &[(500.0, true), (80.0, true), (79.0, false)]);
    // A tenth of 99 % would accept everything: what is bad is the 1 %.
    let good = ("share(good)", ">=", "ratio");
    check("status < 500", good, 0.99, &[(0.9891, true), (0.985, false)]);
}

#[test]
fn an_acceptance_took_the_offset_of_another_term() {
    let terms = ["p95(duration) < 10s", "p95(duration) < baseline + 50%"];
    let of = |value: f64| {
        let mut result = result(&terms.join(" and "), P95, value);
        result.terms = terms
            .iter()
            .zip([Verdict::Pass, Verdict::Fail])
            .map(|(expr, verdict)| TermResult {
                expr: (*expr).to_owned(),
                verdict,
                evidence: result.evidence.clone(),
                reason: String::new(),
            })
            .collect();
        result
    };
    let known = [acceptance(None, &of(200.0))];
    assert!(is_accepted(&known, &of(300.0)), "a tenth was taken");
    assert!(!is_accepted(&known, &of(301.0)));
    let mut other = of(200.0);
    other.terms[0].verdict = Verdict::Fail;
    assert!(!is_accepted(&known, &other), "another term of the same measure is broken now");
}

#[test]
fn an_acceptance_is_of_one_check_as_it_was_written_and_for_its_time() {
    let same = result("p95(duration) < 100ms", P95, 200.0);
    let known = |until| [acceptance(until, &same)];
    assert!(is_accepted(&known(None), &same));
    assert!(is_accepted(&known(Some("2026-11-03T00:00:01Z")), &same));
    assert!(!is_accepted(&known(Some(NOW)), &same), "it ends at `until`, not after it");
    let check = |what: &str, change: fn(&mut CheckResult)| {
        let mut other = same.clone();
        change(&mut other);
        assert!(!is_accepted(&known(None), &other), "{what}");
    };
    check("another limit is another promise", |r| r.expr = "p95(duration) < 90ms".into());
    check("another check", |r| r.id = "other".into());
    check("another group", |r| {
        r.group.insert("route".into(), "/".into());
    });
    check("what cannot be told cannot be accepted", |r| r.verdict = Verdict::Inconclusive);
    check("what holds needs no acceptance", |r| r.verdict = Verdict::Pass);
}

fn small(name: &str) -> Baseline {
    serde_json::from_value(json!({
        "schema": Baseline::SCHEMA, "name": name, "made_at": "2026-11-02T00:00:00Z",
        "version": "0.1.0", "inputs": [], "span": {"from": "", "to": ""},
        "window_us": 3_600_000_000_i64, "zone": "UTC", "excluded": [], "measures": [],
        "untrusted_text_fields": [],
    }))
    .unwrap()
}

#[test]
fn baselines_are_found_beside_the_store_and_beside_the_configuration() {
    let dir = tempfile::tempdir().unwrap();
    let (store, state) = (dir.path().join("store"), dir.path().join("state"));
    let shelf = Shelf::of(&store, &state, dir.path());
    assert!(matches!(shelf.read("main"), Err(BaselineError::Missing { .. })));
    assert_eq!(
        shelf.save(&small("main")).unwrap(),
        dir.path().join(".plimsoll/baselines/main.json")
    );
    fs::create_dir(&store).unwrap(); // a store that comes later hides nothing
    let shelf = Shelf::of(&store, &state, dir.path());
    assert_eq!(shelf.read("main").unwrap().baseline, small("main"));
    assert_eq!(shelf.save(&small("next")).unwrap(), state.join("baselines/next.json"));
    assert_eq!(shelf.names().unwrap(), ["main", "next"]);
    shelf.remove("main").unwrap();
    assert_eq!(shelf.names().unwrap(), ["next"]);
}

#[test]
fn what_is_no_baseline_is_refused() {
    let dir = tempfile::tempdir().unwrap();
    let shelf = Shelf::of(&dir.path().join("store"), &dir.path().join("state"), dir.path());
    for name in ["", "../up", "a/b", ".hidden", "a b", "ä", &"x".repeat(65)] {
        assert!(matches!(shelf.read(name), Err(BaselineError::Name(_))), "{name:?}");
    }
    let path = shelf.save(&small("main")).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let check = |text: &str, says: &str| {
        crate::durable::write_whole(&path, text.as_bytes()).unwrap();
        let error = shelf.read("main").unwrap_err().to_string();
        assert!(error.contains(says), "{error}");
    };
    check(&text.replace("baseline/1", "baseline/2"), "this plimsoll reads `plimsoll.baseline/1`");
    check(&text.replace("window_us", "window"), "is no baseline"); // a number that is missing
    check(&text.replace("\"UTC\"", "\"Mars\""), "`Mars` is no time zone");
    let groups = r#""measures":[{"key":"k","terms":[],"groups_left_out":0,"groups":[{"name":null,
        "n":1,"matching":2,"exposure_s":1,"value":null,"values":null,"sample":[],"lag1":null,
        "windows":[],"share_dispersion":1,"distinct":[],"distinct_count":0}]}]"#;
    check(&text.replace("\"measures\":[]", groups), "of 1 rows 2 match");
    check("{}", "is no baseline");
    check("", "is no baseline");
}

#[test]
fn a_torn_acceptance_is_told_and_the_next_one_stands() {
    let dir = tempfile::tempdir().unwrap();
    let shelf = Shelf::of(&dir.path().join("store"), &dir.path().join("state"), dir.path());
    let one = acceptance(None, &result("p95(duration) < 1ms", P95, 2.0));
    let path = shelf.accept(&one).unwrap();
    let text = fs::read_to_string(&path).unwrap();
    let torn = format!("{text}{}", &text[..text.len() / 2]);
    crate::durable::write_whole(&path, torn.as_bytes()).unwrap();
    shelf.accept(&one).unwrap();
    let (known, wrong) = shelf.acceptances().unwrap();
    assert_eq!(known, [one.clone(), one]);
    assert_eq!(wrong.len(), 1, "{wrong:?}");
    assert!(wrong[0].contains("line 2"), "{wrong:?}");
}

#[test]
fn windows_are_like_those_of_their_hour_where_there_are_three() {
    let window = |slot: Slot, n: u64| SavedWindow(slot, n, 0, Some(n as f64));
    // The fourth week: that of the third begins with day 14.
    let (monday, tuesday, sunday) = (Slot::new(21, 9), Slot::new(22, 9), Slot::new(27, 9));
    let group = |windows: Vec<SavedWindow>| SavedGroup { windows, ..SavedGroup::default() };
    let like = |group: &SavedGroup, slot: Slot| group.like(slot).map(|w| w.1).collect::<Vec<u64>>();
    let three = [1, 2, 3].map(|n| window(Slot::new((n as i32 - 1) * 7, 9), n)).to_vec();
    let later = vec![window(Slot::new(15, 9), 4), window(Slot::new(20, 9), 5)];
    let weeks = group([three.clone(), later].concat());
    assert_eq!(like(&weeks, monday), [1, 2, 3]); // the hour of the week
    assert_eq!(like(&weeks, tuesday), [1, 2, 3, 4]); // the hour of working days
    assert_eq!(like(&weeks, sunday), [1, 2, 3, 4, 5]); // one Sunday tells nothing
    assert_eq!(like(&weeks, Slot::new(21, 10)), [1, 2, 3, 4, 5]); // an hour never seen
    assert!(weeks.has_season(monday) && !weeks.has_season(sunday));
    // Each window is judged once, beside all that are like it.
    let (values, own) = (vec![1.0, 2.0, 3.0, 4.0], vec![3]);
    assert_eq!(weeks.seasons()[1], Season { values, own });
    let judged = weeks.seasons().iter().map(|season| season.own.len()).sum::<usize>();
    assert_eq!(judged, weeks.windows.len());
}

#[test]
fn one_hour_of_one_day_is_not_the_usual_of_that_hour() {
    // Windows of five minutes: twelve of an odd Monday's hour among those of four other days.
    let window = |slot: Slot, n: u64| SavedWindow(slot, n, 0, Some(n as f64));
    let hour = |day: i32, n: u64| (0..12).map(move |_| window(Slot::new(day, 9), n));
    let windows: Vec<SavedWindow> =
        (0..5).flat_map(|day| hour(day, if day == 0 { 1_499 } else { 150 })).collect();
    let group = SavedGroup { windows, ..SavedGroup::default() };
    assert_eq!(group.like(Slot::new(7, 9)).filter(|window| window.1 == 150).count(), 48);
}

proptest! {
    /// What is read is what was written, within the last digit of a number.
    #[test]
    fn groups_survive_the_file(values in prop::collection::vec(-1e9..1e9, 0..200), n in 0_u64..9) {
        let mut sketch = Sketch::default();
        sketch.extend(values.iter().copied());
        let group = SavedGroup {
            name: Some("\u{202e}\"\n".to_owned()),
            n,
            values: Some(sketch),
            windows: vec![SavedWindow(Slot::new(3, 4), n, n, None)],
            ..SavedGroup::default()
        };
        let text = serde_json::to_string(&group).unwrap();
        let read: SavedGroup = serde_json::from_str(&text).unwrap();
        let (was, is) = (group.values.clone().unwrap(), read.values.clone().unwrap());
        prop_assert_eq!(was.count(), is.count());
        for q in [0.0, 0.5, 0.95, 1.0] {
            match (was.quantile(q), is.quantile(q)) {
                (Some(a), Some(b)) => prop_assert!((a - b).abs() <= 1e-12 * a.abs(), "{} {}", a, b),
                (a, b) => prop_assert_eq!(a, b),
            }
        }
        prop_assert_eq!(SavedGroup { values: None, ..read }, SavedGroup { values: None, ..group });
    }
}
