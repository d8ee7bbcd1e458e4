//! Are there many more or many fewer events of a kind than like hours usually have?

use super::candidate::{Candidate, Subject, Tested, When, change, group, verdict_of};
use super::errors::end_of;
use super::view::View;
use crate::model::{Direction, FindingKind, Group, Series, SlotWidth, Unit, Verdict};
use crate::query::{Counted, DOCUMENTS_SUFFIX};
use crate::stats::{
    self, Outcome,
    count::{Count, Dispersion, rate_ratio},
    normal::Z_98,
    scan::{CountBurst, locate_count_burst},
    season::usual_counts,
};

/// Events without which nothing is tested.
const MIN_EVENTS: u64 = 10;
/// Event names tested at most, most frequent first.
const MAX_TESTED: usize = 40;
/// Least ratio that matters, either way.
const MIN_RATIO: f64 = 1.5;
/// Widths at which a rise and a drop are looked for, seconds, and their longest stretch.
const RISE_WIDTH_S: u32 = 3_600;
const DROP_WIDTH_S: u32 = 21_600;
const MAX_RISE_S: u32 = 6 * 3_600;
const MAX_DROP_S: u32 = 5 * 86_400;

/// Words in the names of events of which more is worse.
const BAD_WORDS: [&str; 14] = [
    "fail", "error", "denied", "exceeded", "timeout", "crash", "reject", "invalid", "expired",
    "abort", "lost", "conflict", "retry", "panic",
];

/// What is tested of one kind of event, and in which way it is bad.
struct Question {
    counted: Counted,
    subject: Option<Subject>,
    metric: String,
    group: Group,
    direction: stats::Direction,
}

/// Tests every frequent event name, and the number of records as a whole.
pub(super) fn test_events(view: &View<'_>) -> Vec<Tested> {
    let mut named: Vec<(u64, u32, &str)> = view
        .survey
        .events
        .iter()
        .map(|(id, name)| (total(view, Counted::Event(id)), id, name))
        .filter(|(count, _, name)| *count >= MIN_EVENTS && !is_told_by_logs(view, name))
        .collect();
    named.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
    let mut tested: Vec<Tested> = Vec::new();
    for (_, id, name) in named.into_iter().take(MAX_TESTED) {
        let bad = BAD_WORDS.iter().any(|word| name.contains(word));
        let direction = if bad { stats::Direction::Increase } else { stats::Direction::Decrease };
        tested.push(test(
            view,
            &Question {
                counted: Counted::Event(id),
                subject: Some(Subject::Event(id)),
                metric: format!("count({name})"),
                group: group("event", name),
                direction,
            },
        ));
    }
    tested.push(test(
        view,
        &Question {
            counted: Counted::Records,
            subject: None,
            metric: "count(records)".to_owned(),
            group: Group::new(),
            direction: stats::Direction::Decrease,
        },
    ));
    tested
}

/// Whether an event of documents is told by logs too: then the logs speak for both.
fn is_told_by_logs(view: &View<'_>, name: &str) -> bool {
    let logged = name.strip_suffix(DOCUMENTS_SUFFIX);
    logged
        .and_then(|logged| view.survey.events.find(logged))
        .is_some_and(|id| total(view, Counted::Event(id)) >= MIN_EVENTS)
}

fn total(view: &View<'_>, counted: Counted) -> u64 {
    view.counts(counted, view.count_width(DROP_WIDTH_S)).into_iter().flatten().sum()
}

fn test(view: &View<'_>, question: &Question) -> Tested {
    let rise = question.direction == stats::Direction::Increase;
    let (width_s, longest_s) =
        if rise { (RISE_WIDTH_S, MAX_RISE_S) } else { (DROP_WIDTH_S, MAX_DROP_S) };
    let span_s = view.span.len_s() as u32;
    let width = view.count_width(width_s.min(span_s / 48));
    let counts = if rise {
        view.counts(question.counted, width)
    } else {
        view.counts_outside_events(question.counted, width)
    };
    let longest = (longest_s / width.seconds()).max(1) as usize;
    let longest = longest.min(counts.len() / 3);
    let slots = view.slots(width);
    let Some(burst) = locate_count_burst(&counts, &slots, longest, question.direction) else {
        let enough = counts.iter().flatten().count() >= stats::scan::MIN_WINDOWS;
        let p_value = enough.then_some(1.0);
        return Tested { p_value, candidate: None, is_evidence: question.subject.is_some() };
    };
    let burst = if rise { as_rise(burst, &counts, &slots) } else { burst };
    let candidate = candidate(view, question, &burst, width);
    Tested { p_value: Some(burst.p_value), candidate, is_evidence: question.subject.is_some() }
}

/// Judges a rise by the burstiness of single events instead of whole stretches.
///
/// Stretches of a few hours with an event or two each show next to nothing of how much their rate
/// wanders, and what they seem to show would hide a twentyfold rise. Every start and, by powers of
/// two and their halves, every length counts as a try.
fn as_rise(burst: CountBurst, counts: &[Option<u64>], slots: &[u32]) -> CountBurst {
    const LENGTHS_TRIED: f64 = 4.0;
    // Hours that never had an event are not known to have none: as if half a one was expected.
    const LEAST_EXPECTED: f64 = 0.5;
    let mut rest = counts.to_vec();
    let stretch = burst.start.index..burst.end.index;
    rest.iter_mut().take(stretch.end).skip(stretch.start).for_each(|count| *count = None);
    let usual = usual_counts(&rest, slots);
    let windows = rest.iter().zip(&usual).filter_map(|(count, usual)| {
        let usual = (*usual)?;
        Some(((*count)? as f64, usual.expected, usual.windows as f64))
    });
    let dispersion = Dispersion::of(windows).unwrap_or(Dispersion::UNKNOWN);
    let like: Vec<f64> = usual
        .get(stretch)
        .into_iter()
        .flatten()
        .filter_map(|usual| usual.map(|usual| usual.windows as f64))
        .collect();
    let windows = like.iter().sum::<f64>() / like.len().max(1) as f64;
    let expected = burst.expected.max(LEAST_EXPECTED);
    let now = Count { events: burst.events as f64, exposure: expected };
    let history = expected * windows.max(1.0);
    let past = Count { events: history, exposure: history };
    match rate_ratio(now, past, dispersion, Z_98) {
        Some(rate) => {
            let tries = counts.len() as f64 * LENGTHS_TRIED;
            CountBurst { p_value: (rate.p_more * tries).min(1.0), rate, dispersion, ..burst }
        }
        None => burst,
    }
}

fn candidate(
    view: &View<'_>,
    question: &Question,
    burst: &CountBurst,
    width: SlotWidth,
) -> Option<Candidate> {
    let outcome = burst.rate.judge(MIN_RATIO, question.direction);
    if matches!(outcome, Outcome::Pass | Outcome::Inconclusive) {
        return None;
    }
    let window = |index| view.window(index, width);
    let until_us = end_of(burst.end, view.window_count(width), window);
    let mut when = When { until_us, ..When::of_place(burst.start, window) };
    let rise = question.direction == stats::Direction::Increase;
    if !rise {
        let first = first_of_drop(view, question.counted, burst, width);
        when.at_us = window(first).start_us;
        when.earliest_us = when.earliest_us.min(when.at_us);
    }
    let n = [burst.expected.round() as u64, burst.events];
    let mut size = change(burst.expected, burst.events as f64, n, Unit::Count);
    size.direction = if rise { Direction::UpIsWorse } else { Direction::DownIsWorse };
    let pct = |ratio: f64| (ratio - 1.0) * 100.0;
    let interval = [pct(burst.rate.lo), pct(burst.rate.hi)];
    size.interval = interval.iter().all(|end| end.is_finite()).then_some(interval);
    let is_traffic = question.subject.is_none();
    Some(Candidate {
        kind: if rise { FindingKind::EventRise } else { FindingKind::EventDrop },
        // Less traffic is a fact about the users before it is a fault of the system.
        verdict: if is_traffic { Verdict::Warn } else { verdict_of(outcome) },
        metric: question.metric.clone(),
        group: question.group.clone(),
        change: size,
        when,
        series: count_series(view, question.counted, width),
        subject: question.subject,
        is_overall: false,
        weight: (burst.events as f64 - burst.expected).abs() * 100.0,
    })
}

/// The first of the windows that may well belong to a drop: those before it that fit its rate no
/// worse than the usual one, such as where nothing was expected, and one more that nearly does.
///
/// Where little is expected, such as at night, little tells when a drop began, and a date too late
/// hides its cause; and the window in which it began has some of both rates.
fn first_of_drop(view: &View<'_>, counted: Counted, drop: &CountBurst, width: SlotWidth) -> usize {
    let counts = view.counts_outside_events(counted, width);
    let mut rest = counts.clone();
    rest.iter_mut().take(drop.end.index).skip(drop.start.index).for_each(|count| *count = None);
    let usual = usual_counts(&rest, &view.slots(width));
    // A stretch without any event still leaves a rate: half an event may have been missed.
    let kept = (drop.events as f64).max(0.5) / drop.expected.max(1.0);
    // How much likelier a window is as a usual one, as a logarithm.
    let evidence = |index: usize| {
        let (count, usual) = ((*counts.get(index)?)?, (*usual.get(index)?)?);
        Some(usual.expected * (kept - 1.0) - count as f64 * kept.ln())
    };
    let belongs = |index: &usize, most: f64| evidence(*index).is_some_and(|it| it <= most);
    let mut first = drop.start.index;
    while let Some(before) = first.checked_sub(1).filter(|before| belongs(before, 0.0)) {
        first = before;
    }
    let mixed = first.checked_sub(1);
    mixed.filter(|before| belongs(before, drop.dispersion.estimate)).unwrap_or(first)
}

/// Counts by window with what like windows usually have.
fn count_series(view: &View<'_>, counted: Counted, width: SlotWidth) -> Series {
    let counts = view.counts(counted, width);
    let usual = usual_counts(&counts, &view.slots(width));
    let range = usual.iter().map(|usual| {
        let expected = usual.map_or(0.0, |usual| usual.expected);
        let spread = 2.0 * expected.max(1.0).sqrt();
        [(expected - spread).max(0.0), expected + spread]
    });
    let known = usual.iter().any(Option::is_some);
    Series {
        start_us: view.window(0, width).start_us,
        step_s: width.seconds(),
        values: counts.iter().map(|count| count.map(|count| count as f64)).collect(),
        n: counts.iter().map(|count| count.unwrap_or(0)).collect(),
        usual: None,
        usual_by_window: known.then(|| range.collect()),
    }
}
