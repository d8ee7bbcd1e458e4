//! From judged checks to a decision with its evidence and what can be done.

use super::gate;
use crate::model::{
    Answer, BaselineRef, CheckCoverage, CheckMethod, CheckResult, Confidence, ConfigRef, Decision,
    FindingRow, InputRef, LinkedEvent, OnNoData, OptionRow, Recipe, ScoreBars, Span, Verdict,
    Window,
};

/// Findings listed at most.
const MAX_FINDINGS: usize = 50;

/// Everything about a decision besides its checks.
#[derive(Clone, Debug)]
pub struct Frame {
    /// Project or input name.
    pub project: String,
    /// Name of the gate.
    pub gate: Option<String>,
    /// What was read.
    pub inputs: Vec<InputRef>,
    /// What was judged.
    pub window: Window,
    /// What it was compared with.
    pub baseline: Option<BaselineRef>,
    /// Scores from which the answer is go and hold.
    pub bars: ScoreBars,
    /// What it means that nothing can be told.
    pub on_no_data: OnNoData,
    /// Records read, and those that could not be decoded.
    pub records: [u64; 2],
    /// What was left out, and what was probably meant otherwise.
    pub notes: Vec<String>,
    /// How the numbers were made.
    pub method: CheckMethod,
    /// The configuration in force.
    pub config: Option<ConfigRef>,
    /// What it takes to measure again.
    pub recipe: Option<Recipe>,
    /// The command that checks again, as arguments.
    pub again: Vec<String>,
    /// Whether the decision is kept, so that a finding of it can be accepted by its number.
    pub is_kept: bool,
}

/// Puts the checks together.
pub fn decision(checks: Vec<CheckResult>, frame: Frame) -> Decision {
    let outcome = gate::outcome(&checks, frame.bars, frame.on_no_data);
    let coverage: CheckCoverage = gate::coverage(&checks, frame.records[0], frame.records[1]);
    let findings = findings(&checks);
    let options = options(&checks, (outcome.answer, frame.is_kept), &frame.again);
    Decision {
        schema: Decision::SCHEMA.to_owned(),
        decision: outcome.answer,
        verdict: outcome.verdict,
        confidence: confidence(&checks, outcome.verdict),
        summary: String::new(),
        project: frame.project,
        gate: frame.gate,
        inputs: frame.inputs,
        window: Span::from(frame.window),
        baseline: frame.baseline,
        score: outcome.score,
        thresholds: frame.bars,
        needs_human: outcome.needs_human,
        checks,
        findings,
        options,
        coverage,
        notes: frame.notes,
        method: frame.method,
        config: frame.config,
        recipe: frame.recipe,
        untrusted_text_fields: Decision::UNTRUSTED_TEXT_FIELDS.map(str::to_owned).to_vec(),
    }
}

/// High when one of the worst checks is a test that is hardly ever wrong, or no test but with
/// plenty behind it.
fn confidence(checks: &[CheckResult], verdict: Verdict) -> Confidence {
    const MANY: u64 = 200;
    let decisive: Vec<&CheckResult> =
        checks.iter().filter(|check| check.counted() == Some(verdict)).collect();
    let is_sure = |check: &&CheckResult| {
        let evidence = &check.evidence;
        let tested = evidence.p_value.is_some_and(|p| p <= 0.001);
        tested || (evidence.p_value.is_none() && evidence.n[1] >= MANY)
    };
    match verdict {
        Verdict::Inconclusive => Confidence::Low,
        Verdict::Warn => Confidence::Medium,
        _ if decisive.iter().any(is_sure) => Confidence::High,
        _ => Confidence::Medium,
    }
}

/// The check behind a finding such as `F1`.
pub fn check_of<'a>(decision: &'a Decision, finding: &str) -> Option<&'a CheckResult> {
    let is_listed = decision.findings.iter().any(|row| row.id == finding);
    let number: usize = finding.strip_prefix('F').filter(|_| is_listed)?.parse().ok()?;
    broken(&decision.checks).get(number.checked_sub(1)?).copied()
}

/// What does not hold, worst first and what does not count last: its places are the numbers of the
/// findings.
fn broken(checks: &[CheckResult]) -> Vec<&CheckResult> {
    let mut broken: Vec<&CheckResult> = checks
        .iter()
        .filter(|check| matches!(check.verdict, Verdict::Fail | Verdict::Warn))
        .filter(|check| check.evidence.actual.is_some())
        .collect();
    broken.sort_by_key(|check| std::cmp::Reverse((check.counted(), check.verdict)));
    broken
}

fn findings(checks: &[CheckResult]) -> Vec<FindingRow> {
    let broken = broken(checks);
    let row = |(place, check): (usize, &&CheckResult)| {
        let evidence = &check.evidence;
        let after = evidence.actual?;
        Some(FindingRow {
            id: format!("F{}", place + 1),
            verdict: check.verdict,
            metric: evidence.metric.clone(),
            group: check.group.clone(),
            before: evidence.baseline.or(evidence.limit)?,
            after,
            unit: evidence.unit,
            n: evidence.n,
            change_pct: evidence.change_pct,
            interval_pct: evidence.interval,
            since: check.since.clone(),
            linked_event: check.linked_event.clone(),
            examples: Vec::new(),
        })
    };
    broken.iter().enumerate().filter_map(row).take(MAX_FINDINGS).collect()
}

/// Advice about what counts: a shadow, and what is accepted, asks for nothing.
fn options(
    checks: &[CheckResult],
    (answer, is_kept): (Answer, bool),
    again: &[String],
) -> Vec<OptionRow> {
    let mut options = Vec::new();
    let is_deploy = |event: &&LinkedEvent| event.kind == "deploy";
    // The worst that counts is the first finding.
    let worst = broken(checks).first().and_then(|check| Some((*check, check.counted()?)));
    let failed = worst.filter(|(_, counted)| *counted == Verdict::Fail);
    let deploy = failed.and_then(|(check, _)| check.linked_event.as_ref()).filter(is_deploy);
    let option = |action: &str, risk: &str, expected: &str| OptionRow {
        id: String::new(),
        action: action.to_owned(),
        target: None,
        risk: risk.to_owned(),
        reversible: true,
        expected: expected.to_owned(),
        verify: again.to_vec(),
    };
    if let Some(deploy) = deploy {
        let target = Some(deploy.name.clone());
        let back = "what failed goes back to where it was before this deploy";
        options.push(OptionRow { target, ..option("rollback", "low", back) });
    }
    if failed.is_some() {
        options.push(option("fix forward", "medium", "what failed holds again after the fix"));
    }
    if is_kept && worst.is_some_and(|(_, counted)| counted != Verdict::Pass) {
        let accept = ["plimsoll", "baseline", "accept", "F1", "--reason", "…"];
        let verify = accept.map(str::to_owned).to_vec();
        let expected = "the check counts as passed from now on, and hides further drift";
        options.push(OptionRow { verify, ..option("accept", "medium", expected) });
    }
    let is_unknown = checks.iter().any(|check| check.counted() == Some(Verdict::Inconclusive));
    if is_unknown && answer != Answer::Rollback {
        options.push(option("wait", "low", "more data make the checks that cannot be told"));
    }
    if answer != Answer::Go {
        options.push(option("do nothing", "medium", "it stays as it is"));
    }
    for (place, option) in options.iter_mut().enumerate() {
        option.id = format!("O{}", place + 1);
    }
    options
}

#[cfg(test)]
mod tests;
