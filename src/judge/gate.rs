//! From checks to an answer: the score, its bars, and what outweighs them.
//!
//! Pure arithmetic on values. Which checks there are, and whether each holds, is decided before.

use crate::model::{Answer, CheckCoverage, CheckResult, OnNoData, ScoreBars, Verdict};

/// All checks together.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Outcome {
    /// What to do.
    pub(super) answer: Answer,
    /// The worst verdict that counts; inconclusive when none does.
    pub(super) verdict: Verdict,
    /// 0 to 100; `None` when nothing could be scored.
    pub(super) score: Option<f64>,
    /// Whether a person must decide what happens next.
    pub(super) needs_human: bool,
}

/// Decides: the worst of what the score, the critical checks and the missing data say.
///
/// A check that cannot be told is in no score, so it never softens a rollback.
pub(super) fn outcome(checks: &[CheckResult], bars: ScoreBars, on_no_data: OnNoData) -> Outcome {
    let score = score(checks);
    let by_score = score.map_or(Answer::Hold, |score| answer_of(score, bars));
    let by_check = checks.iter().filter_map(|check| answer_alone(check, on_no_data));
    let answer = by_check.fold(by_score, Answer::max);
    let verdict =
        checks.iter().filter_map(CheckResult::counted).max().unwrap_or(Verdict::Inconclusive);
    Outcome { answer, verdict, score, needs_human: answer != Answer::Go }
}

/// 100 · Σ(pass · w + 0.5 · warn · w) / Σw over the checks that count and could be told; `None`
/// when their weights are all zero or add up to no number. A weight that is no positive number counts as zero.
pub(super) fn score(checks: &[CheckResult]) -> Option<f64> {
    let (mut reached, mut possible) = (0.0, 0.0);
    for check in checks {
        let share = match check.counted() {
            None | Some(Verdict::Inconclusive) => continue,
            Some(Verdict::Pass) => 1.0,
            Some(Verdict::Warn) => 0.5,
            Some(Verdict::Fail) => 0.0,
        };
        let weight = if check.weight.is_finite() { check.weight.max(0.0) } else { 0.0 };
        reached += share * weight;
        possible += weight;
    }
    (possible > 0.0 && possible.is_finite()).then(|| 100.0 * reached / possible)
}

/// How many checks count and how they came out, beside the records behind them.
pub fn coverage(checks: &[CheckResult], records: u64, skipped: u64) -> CheckCoverage {
    let mut coverage = CheckCoverage { records, skipped, ..CheckCoverage::default() };
    for verdict in checks.iter().filter_map(CheckResult::counted) {
        coverage.tested += 1;
        *match verdict {
            Verdict::Pass => &mut coverage.passed,
            Verdict::Inconclusive => &mut coverage.inconclusive,
            Verdict::Warn => &mut coverage.warned,
            Verdict::Fail => &mut coverage.failed,
        } += 1;
    }
    coverage
}

fn answer_of(score: f64, bars: ScoreBars) -> Answer {
    match score {
        _ if score >= bars.pass => Answer::Go,
        _ if score >= bars.warn => Answer::Hold,
        _ => Answer::Rollback,
    }
}

/// What a check says whatever the score is.
fn answer_alone(check: &CheckResult, on_no_data: OnNoData) -> Option<Answer> {
    match (check.counted()?, on_no_data) {
        (Verdict::Fail, _) if check.critical => Some(Answer::Rollback),
        (Verdict::Inconclusive, OnNoData::Rollback) => Some(Answer::Rollback),
        (Verdict::Inconclusive, OnNoData::Hold) => Some(Answer::Hold),
        _ => None,
    }
}

#[cfg(test)]
pub(super) mod tests;
