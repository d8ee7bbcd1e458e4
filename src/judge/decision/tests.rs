use super::super::gate::tests::{accepted, one, shadow};
use super::*;
use Verdict::{Fail, Inconclusive, Pass, Warn};

/// With a value, without which nothing is a finding.
fn told(check: CheckResult) -> CheckResult {
    let evidence = crate::model::Evidence { actual: Some(2.0), limit: Some(1.0), ..check.evidence };
    CheckResult { evidence, ..check }
}

#[test]
fn what_does_not_count_is_listed_last_and_nothing_is_advised_about_it() {
    let check = |checks: &[CheckResult], findings: &str, advised: &str| {
        let checks: Vec<CheckResult> = checks.iter().cloned().map(told).collect();
        let again = Vec::new();
        let answer = gate::outcome(&checks, ScoreBars::default(), OnNoData::Hold).answer;
        let option = |option: OptionRow| {
            let words = option.verify.into_iter().filter(|word| word.starts_with('F'));
            [vec![option.action], words.collect()].concat().join(" ")
        };
        let options = options(&checks, (answer, true), &again).into_iter().map(option);
        assert_eq!(options.collect::<Vec<_>>().join(", "), advised, "{findings}");
        let found = super::findings(&checks).into_iter().map(|row| row.verdict.as_str());
        assert_eq!(found.collect::<Vec<_>>().join(" "), findings, "{advised}");
    };
    check(&[one(Pass)], "", "");
    check(&[one(Warn)], "warn", "accept F1, do nothing");
    check(&[one(Warn), one(Fail)], "fail warn", "fix forward, accept F1, do nothing"); // worst first
    check(&[one(Pass), shadow(Fail)], "fail", ""); // go: nothing to do
    check(&[one(Pass), accepted(Fail)], "fail", ""); // accepted already
    check(&[shadow(Fail), accepted(Fail), one(Warn)], "warn fail fail", "accept F1, do nothing");
    check(&[shadow(Fail), one(Inconclusive)], "fail", "wait, do nothing");
}

#[test]
fn a_decision_that_is_not_kept_advised_to_accept_a_finding_of_it() {
    let options = options(&[told(one(Fail))], (Answer::Rollback, false), &[]);
    let actions: Vec<&str> = options.iter().map(|option| option.action.as_str()).collect();
    assert_eq!(actions, ["fix forward", "do nothing"]);
}
