use proptest::prelude::*;

use super::{Outcome, coverage, outcome, score};
use crate::model::{
    Accepted, Answer, CheckKind, CheckResult, CheckSeverity, Evidence, Group, OnNoData, ScoreBars,
    Unit, Verdict,
};
use Verdict::{Fail, Inconclusive, Pass, Warn};

fn check_of(verdict: Verdict, weight: f64) -> CheckResult {
    CheckResult {
        id: "c".to_owned(),
        kind: CheckKind::Rule,
        expr: String::new(),
        severity: CheckSeverity::Fail,
        verdict,
        window: None,
        group: Group::new(),
        evidence: Evidence {
            metric: "count()".to_owned(),
            actual: None,
            limit: None,
            cmp: "<".to_owned(),
            unit: Unit::Count,
            baseline: None,
            change_pct: None,
            interval: None,
            p_value: None,
            n: [0, 0],
        },
        since: None,
        linked_event: None,
        reason: String::new(),
        critical: false,
        shadow: false,
        weight,
        runbook: None,
        file: None,
        line: None,
        column: None,
        accepted: None,
        muted: None,
        terms: Vec::new(),
    }
}

pub(in super::super) fn one(verdict: Verdict) -> CheckResult {
    check_of(verdict, 1.0)
}

fn critical(verdict: Verdict) -> CheckResult {
    CheckResult { critical: true, ..one(verdict) }
}

pub(in super::super) fn shadow(verdict: Verdict) -> CheckResult {
    CheckResult { shadow: true, ..one(verdict) }
}

pub(in super::super) fn accepted(verdict: Verdict) -> CheckResult {
    let text = || "x".to_owned();
    CheckResult {
        accepted: Some(Accepted { who: text(), when: text(), why: text() }),
        ..one(verdict)
    }
}

fn decide(checks: &[CheckResult], on_no_data: OnNoData) -> Outcome {
    outcome(checks, ScoreBars::default(), on_no_data)
}

#[test]
fn the_score_is_a_weighted_share() {
    let check = |parts: &[(Verdict, f64)], want: Option<f64>| {
        let checks: Vec<CheckResult> =
            parts.iter().map(|(verdict, weight)| check_of(*verdict, *weight)).collect();
        assert_eq!(score(&checks), want, "{parts:?}");
    };
    check(&[], None); // nothing is no score
    check(&[(Pass, 1.0)], Some(100.0));
    check(&[(Warn, 1.0)], Some(50.0)); // a warning is half a pass
    check(&[(Fail, 1.0)], Some(0.0));
    check(&[(Pass, 2.0), (Fail, 1.0), (Warn, 1.0)], Some(62.5)); // weights count
    check(&[(Pass, 1.0), (Inconclusive, 9.0)], Some(100.0)); // what cannot be told is in no score
    check(&[(Inconclusive, 1.0)], None);
    check(&[(Pass, 0.0)], None); // no weight is no score
    check(&[(Pass, f64::NAN), (Fail, -3.0), (Warn, 1.0)], Some(50.0)); // no weights
    check(&[(Pass, f64::MAX), (Fail, f64::MAX)], None); // the sum is no number
}

#[test]
fn the_answer_is_the_worst_of_what_is_said() {
    use Answer::{Go, Hold, Rollback};
    use OnNoData::{Hold as ToHold, Rollback as ToRollback};

    let check = |checks: &[CheckResult], on_no_data: OnNoData, answer: Answer, verdict: Verdict| {
        let outcome = decide(checks, on_no_data);
        let got: Vec<&str> = checks.iter().map(|check| check.verdict.as_str()).collect();
        assert_eq!((outcome.answer, outcome.verdict), (answer, verdict), "{got:?} {on_no_data:?}");
        assert_eq!(outcome.needs_human, answer != Go, "{got:?}");
    };
    let passes = |count: usize| vec![one(Pass); count];
    let with = |mut checks: Vec<CheckResult>, check: CheckResult| {
        checks.push(check);
        checks
    };
    for on_no_data in [ToHold, ToRollback] {
        check(&[], on_no_data, Hold, Inconclusive); // nothing tested is no pass
        check(&passes(1), on_no_data, Go, Pass);
        check(&with(passes(9), one(Fail)), on_no_data, Go, Fail); // 90: exactly at the bar
        check(&with(passes(8), one(Fail)), on_no_data, Hold, Fail); // 88.9: just below it
        check(&with(passes(3), one(Fail)), on_no_data, Hold, Fail); // 75: exactly at the bar
        check(&with(passes(2), one(Fail)), on_no_data, Rollback, Fail); // 66.7
        check(&with(passes(4), one(Warn)), on_no_data, Go, Warn); // 90
        check(&with(passes(99), critical(Fail)), on_no_data, Rollback, Fail); // decides alone
        check(&with(passes(9), critical(Warn)), on_no_data, Go, Warn); // a warning does not
        check(&with(passes(1), shadow(Fail)), on_no_data, Go, Pass); // shown, not counted
        check(&[shadow(Pass)], on_no_data, Hold, Inconclusive); // nothing counts
        check(&[accepted(Fail)], on_no_data, Go, Pass); // somebody took it on himself
        check(
            &[CheckResult { accepted: accepted(Fail).accepted, ..critical(Fail) }],
            on_no_data,
            Go,
            Pass,
        );
    }
    check(&with(passes(99), one(Inconclusive)), ToHold, Hold, Inconclusive);
    check(&with(passes(99), one(Inconclusive)), ToRollback, Rollback, Inconclusive);
    check(&[accepted(Inconclusive)], ToHold, Hold, Inconclusive); // missing data is no fact
    check(&[one(Fail), one(Inconclusive)], ToHold, Rollback, Fail); // never softened
    check(&with(passes(9), shadow(Inconclusive)), ToHold, Go, Pass);
}

#[test]
fn coverage_adds_up() {
    let checks = [one(Pass), accepted(Fail), one(Warn), critical(Fail), one(Inconclusive)];
    let got = coverage(&[&checks[..], &[shadow(Fail)]].concat(), 10, 1);
    assert_eq!((got.records, got.skipped), (10, 1));
    assert_eq!((got.tested, got.passed, got.warned), (5, 2, 1)); // the shadow is not among them
    assert_eq!((got.failed, got.inconclusive), (1, 1));
}

fn any_verdict() -> impl Strategy<Value = Verdict> {
    prop_oneof![Just(Pass), Just(Warn), Just(Fail), Just(Inconclusive)]
}

fn any_check() -> impl Strategy<Value = CheckResult> {
    let flags = (any::<bool>(), any::<bool>(), any::<bool>());
    (any_verdict(), 0_u8..20, flags).prop_map(|(verdict, quarters, flags)| CheckResult {
        critical: flags.0,
        shadow: flags.1,
        accepted: flags.2.then(|| accepted(verdict).accepted).flatten(),
        // Exact sums: those of other numbers depend on the order by the last bit.
        ..check_of(verdict, f64::from(quarters) / 4.0)
    })
}

fn any_policy() -> impl Strategy<Value = OnNoData> {
    prop_oneof![Just(OnNoData::Hold), Just(OnNoData::Rollback)]
}

proptest! {
    #[test]
    fn worse_checks_never_give_a_better_answer(
        mut checks in prop::collection::vec(any_check(), 1..12),
        at in any::<prop::sample::Index>(),
        policy in any_policy(),
    ) {
        let at = at.index(checks.len());
        let steps = [Pass, Warn, Fail].map(|verdict| {
            checks[at].verdict = verdict;
            decide(&checks, policy)
        });
        for step in steps.windows(2) {
            prop_assert!(step[0].answer <= step[1].answer, "{step:?}");
            prop_assert!(step[0].score >= step[1].score, "{step:?}");
        }
        // What can no longer be told is never better than a pass.
        checks[at].verdict = Inconclusive;
        prop_assert!(steps[0].answer <= decide(&checks, policy).answer);
    }

    #[test]
    fn the_order_of_checks_and_shadows_do_not_matter(
        checks in prop::collection::vec(any_check(), 0..12),
        policy in any_policy(),
    ) {
        let forward = decide(&checks, policy);
        let counted: Vec<CheckResult> =
            checks.iter().rev().filter(|check| !check.shadow).cloned().collect();
        let backward = decide(&counted, policy);
        prop_assert_eq!((forward.answer, forward.verdict), (backward.answer, backward.verdict));
        if let Some(score) = forward.score {
            prop_assert!((0.0..=100.0).contains(&score));
        }
    }

    #[test]
    fn go_needs_something_that_was_told(
        checks in prop::collection::vec(any_check(), 0..6),
        policy in any_policy(),
    ) {
        if decide(&checks, policy).answer == Answer::Go {
            prop_assert!(checks.iter().any(|c| c.counted().is_some_and(|v| v != Inconclusive)));
        }
    }
}
