//! From tests to findings: corrects all p-values together and dresses what is left.

use super::candidate::{Candidate, Subject, Tested};
use super::options::{Situation, options};
use super::view::View;
use super::{errors, events, latency, messages};
use crate::model::{
    Confidence, Coverage, EventMark, Example, Finding, FindingKind, LinkedEvent, Verdict, format_ts,
};
use crate::query::Pointer;
use crate::stats::correction::benjamini_hochberg;

/// Expected share of false findings among all findings of a report.
pub(super) const FALSE_DISCOVERY_RATE: f64 = 0.01;
/// Routes whose durations and errors are tested, busiest first.
const MAX_TESTED_ROUTES: usize = 300;
/// Findings in a report.
const MAX_FINDINGS: usize = 30;
/// A deploy this close to the plausible interval of a beginning is linked, seconds.
const LINK_SLACK_S: f64 = 900.0;
/// Records shown with a finding.
const MAX_EXAMPLES: usize = 3;

/// What the tests gave.
pub(super) struct Findings {
    /// By importance.
    pub(super) findings: Vec<Finding>,
    /// How much was tested.
    pub(super) coverage: Coverage,
    /// Whether any test could tell something about health.
    pub(super) has_evidence: bool,
}

/// Tests everything, corrects, and keeps what is left.
pub(super) fn findings(view: &View<'_>, inputs: &[String], words: &[String]) -> Findings {
    let Tests { tested, has_evidence } = all_tests(view);
    let p_values: Vec<f64> = tested.iter().map(|test| test.p_value.unwrap_or(f64::NAN)).collect();
    let adjusted = benjamini_hochberg(&p_values);
    let mut coverage = Coverage { tested: tested.len() as u32, ..Coverage::default() };
    let mut kept: Vec<(Candidate, f64)> = Vec::new();
    for (test, adjusted) in tested.into_iter().zip(adjusted) {
        match test.candidate {
            _ if test.p_value.is_none() => coverage.inconclusive += 1,
            Some(candidate) if adjusted <= FALSE_DISCOVERY_RATE => {
                coverage.changed += 1;
                if is_recent(view, &candidate) {
                    kept.push((candidate, adjusted));
                }
            }
            _ => coverage.unchanged += 1,
        }
    }
    drop_echoes(&mut kept);
    let worst_first = |(a, _): &(Candidate, f64), (b, _): &(Candidate, f64)| {
        b.verdict.cmp(&a.verdict).then(b.weight.total_cmp(&a.weight))
    };
    kept.sort_by(worst_first);
    kept.truncate(MAX_FINDINGS);
    let mut findings: Vec<Finding> = kept
        .iter()
        .enumerate()
        .map(|(index, (candidate, p_value))| {
            let id = format!("F{}", index + 1);
            let examples = examples(view, candidate, inputs);
            dressed(view, id, (candidate, *p_value), words, examples)
        })
        .collect();
    let moved_together = |a: &Candidate, b: &Candidate| {
        a.when.earliest_us <= b.when.latest_us && b.when.earliest_us <= a.when.latest_us
    };
    for (index, finding) in findings.iter_mut().enumerate() {
        let Some((candidate, _)) = kept.get(index) else { continue };
        finding.also_moved = kept
            .iter()
            .enumerate()
            .filter(|(other, (c, _))| *other != index && moved_together(candidate, c))
            .map(|(other, _)| format!("F{}", other + 1))
            .collect();
    }
    Findings { findings, coverage, has_evidence }
}

struct Tests {
    tested: Vec<Tested>,
    has_evidence: bool,
}

/// Tests everything. What could be told is evidence of health when it covers the requests: their
/// failures all together, and the durations of routes that make up half of them or more.
fn all_tests(view: &View<'_>) -> Tests {
    let mut tested = Vec::new();
    let routes = &view.routes;
    let (mut asked, mut told) = (0, 0);
    for (route, n) in routes.iter().take(MAX_TESTED_ROUTES) {
        if view.survey.with_duration > 0 {
            let test = latency::test_route(view, *route);
            asked += n;
            told += if test.p_value.is_some() { *n } else { 0 };
            tested.push(test);
        }
    }
    let mut has_evidence = 2 * told >= asked;
    if view.survey.request_count > 0 {
        let failures = errors::test_share(view, None);
        has_evidence &= failures.p_value.is_some();
        tested.push(failures);
        if routes.len() > 1 {
            for (route, _) in routes.iter().take(MAX_TESTED_ROUTES) {
                tested.push(errors::test_share(view, Some(*route)));
            }
        }
    }
    let events = events::test_events(view);
    if view.survey.request_count == 0 {
        has_evidence = events.iter().any(|test| test.is_evidence && test.p_value.is_some());
    }
    tested.extend(events);
    tested.extend(messages::test_messages(view));
    Tests { tested, has_evidence }
}

/// Whether a change touches the current window and began no earlier than the one before.
fn is_recent(view: &View<'_>, candidate: &Candidate) -> bool {
    let from_us = view.before.map_or(view.current.start_us, |before| before.start_us);
    let lasts = candidate.when.until_us.is_none_or(|until| until > view.current.start_us);
    lasts && candidate.when.latest_us >= from_us
}

/// A rise of errors everywhere is one finding, not one for each route.
fn drop_echoes(kept: &mut Vec<(Candidate, f64)>) {
    let Some((overall, _)) = kept.iter().find(|(candidate, _)| candidate.is_overall).cloned()
    else {
        return;
    };
    kept.retain(|(candidate, _)| {
        let same_time = candidate.when.earliest_us <= overall.when.latest_us
            && overall.when.earliest_us <= candidate.when.latest_us;
        candidate.kind != FindingKind::ErrorRate || candidate.is_overall || !same_time
    });
}

fn dressed(
    view: &View<'_>,
    id: String,
    (candidate, p_value): (&Candidate, f64),
    words: &[String],
    examples: Vec<Example>,
) -> Finding {
    let when = candidate.when;
    let linked_event = linked(view.marks, candidate);
    let since = when.since();
    // What went on for long says nothing about the moment of the change.
    let near = linked_event.as_ref().filter(|event| !event.is_during);
    let (confidence, confidence_why) = confidence(candidate, p_value, near);
    let situation = Situation {
        kind: candidate.kind,
        change: &candidate.change,
        at: &since.at,
        is_over: when.until_us.is_some(),
        deploy: linked_event.as_ref().filter(|event| event.kind == "deploy"),
        inputs: words,
        finding: &id,
    };
    // What got better needs no advice, least of all to roll it back.
    let is_better = candidate.verdict == Verdict::Pass;
    let options = if is_better { Vec::new() } else { options(&situation) };
    Finding {
        id,
        kind: candidate.kind,
        verdict: candidate.verdict,
        metric: candidate.metric.clone(),
        group: candidate.group.clone(),
        change: candidate.change.clone(),
        since: Some(since),
        until: when.until_us.map(format_ts),
        linked_event,
        confidence,
        confidence_why,
        also_moved: Vec::new(),
        options,
        series: candidate.series.clone(),
        examples,
    }
}

/// The event nearest to the beginning: within its plausible interval, and no later than the change
/// shows.
fn linked(marks: &[EventMark], candidate: &Candidate) -> Option<LinkedEvent> {
    let when = candidate.when;
    let slack_us = (LINK_SLACK_S * 1e6) as i64;
    let near = when.earliest_us - slack_us..=when.shown_us.max(when.at_us) + slack_us;
    when.linked(marks, |at_us| near.contains(&at_us))
}

fn confidence(
    candidate: &Candidate,
    p_value: f64,
    linked: Option<&LinkedEvent>,
) -> (Confidence, String) {
    let p = if p_value < 1e-4 { "p < 0.0001".to_owned() } else { format!("p = {p_value:.4}") };
    let [before, after] = candidate.change.n;
    let tested = format!("{p} after correction, n = {before} and {after}");
    match (candidate.verdict, linked) {
        (Verdict::Fail | Verdict::Pass, Some(event)) if p_value < 1e-3 => {
            (Confidence::High, format!("{tested}; {} lies in the interval", event.kind))
        }
        (Verdict::Fail | Verdict::Pass, None) if p_value < 1e-4 => (Confidence::High, tested),
        (Verdict::Fail | Verdict::Pass, _) => (Confidence::Medium, tested),
        _ => (Confidence::Low, format!("{tested}; the size is not certain")),
    }
}

/// Records behind a finding: pointers now, their text once the inputs are read again.
fn examples(view: &View<'_>, candidate: &Candidate, inputs: &[String]) -> Vec<Example> {
    let inside = |pointer: &&Pointer| {
        let from = pointer.ts_us >= candidate.when.at_us;
        from && candidate.when.until_us.is_none_or(|until| pointer.ts_us < until)
    };
    let kept = match (candidate.subject, candidate.kind) {
        (Some(Subject::Route(route)), FindingKind::ErrorRate) => {
            pointers(&view.survey.failed, Some(route))
        }
        (None, FindingKind::ErrorRate) => pointers(&view.survey.failed, None),
        (Some(Subject::Route(route)), _) => pointers(&view.survey.slowest, Some(route)),
        (Some(Subject::Event(event)), _) => pointers(&view.survey.event_examples, Some(event)),
        (Some(Subject::Template(template)), _) => {
            let seen = view.survey.template_seen.get(template as usize);
            return seen.map(|seen| example(seen.example, inputs)).into_iter().collect();
        }
        (None, _) => Vec::new(),
    };
    let mut inside: Vec<&Pointer> = kept.into_iter().filter(inside).collect();
    if candidate.kind == FindingKind::Latency {
        inside.sort_by(|a, b| b.duration_ms.total_cmp(&a.duration_ms));
    } else {
        inside.sort_by_key(|pointer| (pointer.ts_us, pointer.input, pointer.offset));
    }
    let places = inside.into_iter().take(MAX_EXAMPLES);
    places.map(|pointer| example((pointer.input, pointer.offset), inputs)).collect()
}

fn pointers(
    kept: &rustc_hash::FxHashMap<(u32, i64), Vec<Pointer>>,
    key: Option<u32>,
) -> Vec<&Pointer> {
    kept.iter()
        .filter(|((known, _), _)| key.is_none_or(|key| *known == key))
        .flat_map(|(_, pointers)| pointers)
        .collect()
}

/// A record by its place; the text is read later.
pub(super) fn example((input, offset): (usize, u64), inputs: &[String]) -> Example {
    let input = inputs.get(input).cloned().unwrap_or_default();
    Example { input, offset, text: String::new() }
}
