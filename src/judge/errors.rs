//! Did the share of failed requests move, when, and by how much?

use super::candidate::{Candidate, Subject, Tested, When, change, group, verdict_of};
use super::view::View;
use crate::model::{Change, FindingKind, Group, Series, SlotWidth, Unit, Window};
use crate::query::Counts;
use crate::stats::{
    self, Outcome,
    count::Count,
    normal::Z_98,
    proportion::{Share, share_change},
    robust,
    scan::{CountBurst, RateStep, locate_count_burst, locate_rate_step},
    step::Place,
};

/// Requests needed for a share to be tested.
pub(super) const MIN_REQUESTS: u64 = 60;
/// Failed requests without which there is nothing to test.
const MIN_FAILED: u64 = 3;
/// Least difference that matters: half a percentage point.
const MIN_EFFECT: f64 = 0.005;
/// A burst must be this much clearer than a step to be preferred.
const BURST_PREFERENCE: f64 = 1.25;
/// Longest burst looked for, hours.
const MAX_BURST_H: usize = 24;
/// A route that makes up this share of the additional failures is named.
const NAMED_SHARE: f64 = 0.6;

/// Tests all requests (`None`) or those of one route.
pub(super) fn test_share(view: &View<'_>, route: Option<u32>) -> Tested {
    let whole = view.requests.counts(route, view.span);
    if whole.n < MIN_REQUESTS {
        return Tested::INCONCLUSIVE;
    }
    if whole.failed < MIN_FAILED {
        return Tested { p_value: Some(1.0), candidate: None, is_evidence: true };
    }
    let width = view.width_for(whole.n, 20.0);
    let windows = view.requests.counts_by_window(route, view.span_of(width), width);
    let known: Vec<Option<&Counts>> = windows
        .iter()
        .enumerate()
        .map(|(index, w)| (w.n > 0 && !view.is_maintained(view.window(index, width))).then_some(w))
        .collect();
    let counts: Vec<Option<Count>> = known.iter().map(|window| window.map(count_of)).collect();
    let failed: Vec<Option<u64>> = known.iter().map(|window| window.map(|w| w.failed)).collect();
    let hours = (MAX_BURST_H * 3_600 / width.seconds() as usize).max(1);
    let step = locate_rate_step(&counts, stats::Direction::Increase);
    let burst = locate_count_burst(
        &failed,
        &view.slots(width),
        hours.min(windows.len() / 3),
        stats::Direction::Increase,
    );
    let found = match (step, burst) {
        (Some(step), Some(burst))
            if burst.gain > step.gain * BURST_PREFERENCE && burst.p_value < step.p_value =>
        {
            Found::of_burst(&burst, (view, route), width)
        }
        (Some(step), _) => Found::of_step(&step, (view, route), width),
        (None, Some(burst)) => Found::of_burst(&burst, (view, route), width),
        (None, None) => return Tested { p_value: Some(1.0), candidate: None, is_evidence: true },
    };
    // Two places were searched.
    let p_value = Some((found.p_value * 2.0).min(1.0));
    Tested { p_value, candidate: candidate(view, route, &found), is_evidence: true }
}

fn count_of(window: &Counts) -> Count {
    Count { events: window.failed as f64, exposure: window.n as f64 }
}

struct Found {
    when: When,
    p_value: f64,
    dispersion: f64,
}

impl Found {
    fn of_step(step: &RateStep, (view, route): (&View<'_>, Option<u32>), width: SlotWidth) -> Self {
        let when = When::of_place(step.place, |index| view.window(index, width));
        let when = with_deploy(when, view, route);
        Self { when, p_value: step.p_value, dispersion: step.dispersion.estimate }
    }

    fn of_burst(
        burst: &CountBurst,
        (view, route): (&View<'_>, Option<u32>),
        width: SlotWidth,
    ) -> Self {
        let window = |index| view.window(index, width);
        let until_us = end_of(burst.end, view.window_count(width), window);
        let when = When { until_us, ..When::of_place(burst.start, window) };
        let when = with_deploy(when, view, route);
        Self { when, p_value: burst.p_value, dispersion: burst.dispersion.estimate }
    }
}

/// Moved to the deploy that parts the failures best: the binomial likelihood of one share before
/// it and another from then on.
fn with_deploy(when: When, view: &View<'_>, route: Option<u32>) -> When {
    let end_us = when.until_us.unwrap_or(view.span.end_us);
    when.with_likeliest_deploy(view.marks, |at_us| {
        let before = Window { start_us: view.span.start_us, end_us: at_us };
        let after = Window { start_us: at_us, end_us };
        [before, after].iter().map(|side| log_likelihood(&view.requests.counts(route, *side))).sum()
    })
}

fn log_likelihood(counts: &Counts) -> f64 {
    let (failed, n) = (counts.failed as f64, counts.n as f64);
    let term = |count: f64| if count > 0.0 { count * (count / n).ln() } else { 0.0 };
    term(failed) + term(n - failed)
}

/// End of a burst; `None` when it reaches the end of the series.
pub(super) fn end_of(end: Place, windows: usize, window: impl Fn(usize) -> Window) -> Option<i64> {
    (end.index < windows).then(|| window(end.index).start_us)
}

fn candidate(view: &View<'_>, route: Option<u32>, found: &Found) -> Option<Candidate> {
    let when = found.when;
    let after = Window { start_us: when.at_us, end_us: when.until_us.unwrap_or(view.span.end_us) };
    let before = Window { start_us: view.span.start_us, end_us: when.at_us };
    let sized = |route| sized(view, route, [before, after], found.dispersion);
    // Where most additional failures are one route's, its name and its numbers stand together.
    let main = if route.is_none() { main_route(view, before, after) } else { None };
    let of_main = main.and_then(|main| Some((Some(main), sized(Some(main))?)));
    let (subject, (outcome, size)) = of_main.or_else(|| Some((route, sized(route)?)))?;
    let excess = (size.after - size.before) * size.n[1] as f64;
    Some(Candidate {
        kind: FindingKind::ErrorRate,
        verdict: verdict_of(outcome),
        metric: "share(failed requests)".to_owned(),
        group: subject.map_or_else(Group::new, |route| route_group(view, route)),
        change: size,
        when,
        series: ratio_series(view, subject, before),
        subject: subject.map(Subject::Route),
        is_overall: route.is_none(),
        weight: excess * 1_000.0,
    })
}

/// The change of the share of failed requests from one window to another; `None` when it is not
/// large enough to speak of.
fn sized(
    view: &View<'_>,
    route: Option<u32>,
    [before, after]: [Window; 2],
    dispersion: f64,
) -> Option<(Outcome, Change)> {
    let (old, new) = (view.requests.counts(route, before), view.requests.counts(route, after));
    let control = Share::new(old.failed, old.n)?;
    let experiment = Share::new(new.failed, new.n)?;
    let interval = share_change(control, experiment, Z_98, dispersion);
    let outcome = interval.judge(MIN_EFFECT, stats::Direction::Increase);
    if matches!(outcome, Outcome::Pass | Outcome::Inconclusive) {
        return None;
    }
    let mut size = change(control.ratio(), experiment.ratio(), [old.n, new.n], Unit::Ratio);
    size.interval = Some([interval.lo * 100.0, interval.hi * 100.0]);
    size.week_over_week = week_over_week(view, route);
    Some((outcome, size))
}

fn route_group(view: &View<'_>, route: u32) -> Group {
    group("route", view.survey.names.routes.name(route))
}

/// The route that makes up most of the additional failures, if one does.
fn main_route(view: &View<'_>, before: Window, after: Window) -> Option<u32> {
    let excess = |route: Option<u32>| {
        let old = view.requests.counts(route, before);
        let new = view.requests.counts(route, after);
        new.failed as f64 - old.failed as f64 / (old.n.max(1) as f64) * new.n as f64
    };
    let total = excess(None);
    let routes = &view.routes;
    let of_route = routes.iter().map(|(route, _)| (*route, excess(Some(*route))));
    let (route, most) = of_route.max_by(|a, b| a.1.total_cmp(&b.1))?;
    (routes.len() > 1 && total > 0.0 && most >= NAMED_SHARE * total).then_some(route)
}

fn week_over_week(view: &View<'_>, route: Option<u32>) -> Option<[f64; 2]> {
    let ratio = |window| view.requests.counts(route, window).failed_ratio();
    Some([ratio(view.before?)?, ratio(view.current)?])
}

/// Share of failed requests by window, wide enough to be readable.
pub(super) fn ratio_series(view: &View<'_>, route: Option<u32>, before: Window) -> Series {
    let total = view.requests.counts(route, view.span).n;
    let width = view.width_for(total, 50.0);
    let windows = view.requests.counts_by_window(route, view.span_of(width), width);
    let ratio = |window: &Counts| window.failed_ratio();
    let history: Vec<f64> = windows
        .iter()
        .enumerate()
        .filter(|(index, _)| view.window(*index, width).end_us <= before.end_us)
        .filter_map(|(_, window)| ratio(window))
        .collect();
    Series {
        start_us: view.window(0, width).start_us,
        step_s: width.seconds(),
        values: windows.iter().map(ratio).collect(),
        n: windows.iter().map(|window| window.n).collect(),
        usual: robust::usual_range(&history, 0.1).map(|range| [range.lo, range.hi]),
        usual_by_window: None,
    }
}
