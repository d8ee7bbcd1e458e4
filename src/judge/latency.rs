//! Did the durations of a route move, when, and by how much?

use super::candidate::{Candidate, Subject, Tested, When, change, group, verdict_of};
use super::view::View;
use crate::model::{FindingKind, Series, SlotWidth, Unit, Verdict, Window};
use crate::query::{Durations, Summary};
use crate::stats::{
    self, normal,
    quantile_change::{QuantileInterval, ratio_interval_pct},
    rank::{MAX_COMPARED, Shift, ShiftRule, shift, shift_of_sorted},
    robust,
    season::without_rhythm,
    step::{Burst, Point, Step, locate_burst, locate_step},
};

/// Durations a route needs to be tested.
pub(super) const MIN_DURATIONS: u64 = 60;
/// Durations a window needs for its median to count.
const MIN_IN_WINDOW: u64 = 3;
/// Durations a window needs for its p90 to count.
const MIN_IN_WINDOW_P90: u64 = 10;
/// Durations that windows are made wide enough to hold on average.
const WANTED_IN_WINDOW: f64 = 6.0;
/// Least share of windows that must keep their value when the rhythm is taken out.
const MIN_KEPT_SHARE: f64 = 0.7;
/// A burst must explain this much more of the series than a step to be preferred.
const BURST_PREFERENCE: f64 = 1.25;

/// Tests one route.
pub(super) fn test_route(view: &View<'_>, route: u32) -> Tested {
    let count = view.requests.counts(Some(route), view.span).with_duration;
    if count < MIN_DURATIONS {
        return Tested::INCONCLUSIVE;
    }
    let width = view.width_for(count, WANTED_IN_WINDOW);
    let windows = view.requests.by_window(Some(route), view.span_of(width), width);
    let medians = log_quantiles(view, &windows, width, 0.5, MIN_IN_WINDOW);
    let tails = log_quantiles(view, &windows, width, 0.9, MIN_IN_WINDOW_P90);
    let found = [medians, tails].into_iter().filter_map(|points| Found::in_points(&points));
    let found: Vec<Found> = found.collect();
    let tries = found.len() as f64;
    let Some(best) = found.into_iter().min_by(|a, b| a.p_value().total_cmp(&b.p_value())) else {
        return Tested::INCONCLUSIVE;
    };
    let p_value = (best.p_value() * tries).min(1.0);
    Tested {
        p_value: Some(p_value),
        candidate: candidate(view, route, &best, width),
        is_evidence: true,
    }
}

/// Logarithm of a quantile by window, without the daily and weekly rhythm.
fn log_quantiles(
    view: &View<'_>,
    windows: &[Summary],
    width: SlotWidth,
    q: f64,
    least: u64,
) -> Vec<Option<Point>> {
    let values: Vec<Option<f64>> = windows
        .iter()
        .map(|window| {
            let enough = window.durations.count() >= least;
            let quantile = window.durations.quantile(q).filter(|ms| enough && *ms > 0.0);
            quantile.map(f64::ln)
        })
        .collect();
    let flat = without_rhythm(&values, &view.slots(width));
    let count = |values: &[Option<f64>]| values.iter().flatten().count() as f64;
    let kept = if count(&flat) >= MIN_KEPT_SHARE * count(&values) { flat } else { values };
    kept.iter()
        .zip(windows)
        .map(|(value, window)| value.map(|v| Point::of_count(v, window.durations.count())))
        .collect()
}

/// The best change in a series.
enum Found {
    Step(Step),
    Burst(Burst),
}

impl Found {
    fn in_points(points: &[Option<Point>]) -> Option<Self> {
        let step = locate_step(points)?;
        match locate_burst(points, points.len() / 3) {
            Some(burst)
                if burst.explained > step.explained * BURST_PREFERENCE
                    && burst.p_value < step.p_value =>
            {
                Some(Self::Burst(burst))
            }
            _ => Some(Self::Step(step)),
        }
    }

    fn p_value(&self) -> f64 {
        match self {
            Self::Step(step) => step.p_value,
            Self::Burst(burst) => burst.p_value,
        }
    }
}

fn candidate(view: &View<'_>, route: u32, found: &Found, width: SlotWidth) -> Option<Candidate> {
    let window = |index| view.window(index, width);
    let when = match found {
        Found::Step(step) => refined(view, route, When::of_place(step.place, window)),
        Found::Burst(burst) => {
            let until_us = Some(window(burst.end.index).start_us);
            When { until_us, ..When::of_place(burst.start, window) }
        }
    }
    .with_nearest_deploy(view.marks);
    let end_us = when.until_us.unwrap_or(view.span.end_us);
    let before = Window { start_us: view.span.start_us, end_us: when.at_us };
    let after = Window { start_us: when.at_us, end_us };
    let shift = shift_between(view, route, before, after)?;
    let rule = ShiftRule { direction: stats::Direction::Either, ..ShiftRule::default() };
    let outcome = rule.judge(Some(&shift));
    if matches!(outcome, stats::Outcome::Pass | stats::Outcome::Inconclusive) {
        return None;
    }
    let better = shift.change.estimate < 0.0;
    let (old, new) =
        (view.requests.summary(Some(route), before), view.requests.summary(Some(route), after));
    let q = 0.95;
    let n = [old.durations.count(), new.durations.count()];
    let mut size = change(old.durations.quantile(q)?, new.durations.quantile(q)?, n, Unit::Ms);
    size.interval = p95_interval_pct(&old.durations, &new.durations);
    size.week_over_week = week_over_week(view, route);
    let name = view.survey.names.routes.name(route);
    let excess_ms = (size.after - size.before).abs() * n[1] as f64;
    Some(Candidate {
        kind: FindingKind::Latency,
        verdict: if better { Verdict::Pass } else { verdict_of(outcome) },
        metric: "p95(duration_ms)".to_owned(),
        group: group("route", name),
        change: size,
        when,
        series: p95_series(view, Some(route), view.width, before),
        subject: Some(Subject::Route(route)),
        is_overall: false,
        weight: excess_ms,
    })
}

/// Finds the request with which the new level began, between the plausible ends.
///
/// Maximum likelihood for normal logarithms with known levels: the split that best divides the
/// durations into those nearer to the old and those nearer to the new median.
fn refined(view: &View<'_>, route: u32, when: When) -> When {
    let log_median = |window: Window| {
        view.requests.summary(Some(route), window).durations.quantile(0.5).map(f64::ln)
    };
    let before = Window { start_us: view.span.start_us, end_us: when.earliest_us };
    let after = Window { start_us: when.latest_us, end_us: view.span.end_us };
    let (Some(old), Some(new)) = (log_median(before), log_median(after)) else { return when };
    let between = Window { start_us: when.earliest_us, end_us: when.latest_us };
    let (mut sum, mut best, mut at_us) = (0.0, f64::NEG_INFINITY, when.at_us);
    for request in view.requests.each(route, between) {
        if sum > best {
            (best, at_us) = (sum, request.ts_us);
        }
        if request.duration_ms > 0.0 {
            let log = request.duration_ms.ln();
            sum += (log - new).powi(2) - (log - old).powi(2);
        }
    }
    if best == f64::NEG_INFINITY { when } else { When { at_us, ..when } }
}

fn shift_between(view: &View<'_>, route: u32, before: Window, after: Window) -> Option<Shift> {
    let ordered = |window| view.requests.durations_in_order(route, window);
    if let (Some(control), Some(experiment)) = (ordered(before), ordered(after)) {
        return shift(&control, &experiment);
    }
    let thinned = |window| view.requests.summary(Some(route), window).durations.thin(MAX_COMPARED);
    // Sketches have lost the order of time: a lag-1 autocorrelation of one third is taken for
    // granted.
    shift_of_sorted(&thinned(before), &thinned(after), 2.0_f64.sqrt(), normal::Z_98)
}

/// Likely range of the change of the p95 in per cent; `None` with too few durations.
pub(super) fn p95_interval_pct(before: &Durations, after: &Durations) -> Option<[f64; 2]> {
    let interval = |durations: &Durations| {
        QuantileInterval::of(durations.count(), 0.95, |q| durations.quantile(q))
    };
    ratio_interval_pct(interval(before)?, interval(after)?)
}

fn week_over_week(view: &View<'_>, route: u32) -> Option<[f64; 2]> {
    let p95 = |window| view.requests.summary(Some(route), window).durations.quantile(0.95);
    Some([p95(view.before?)?, p95(view.current)?])
}

/// p95 by window over the span, with the usual range of its values before the change.
pub(super) fn p95_series(
    view: &View<'_>,
    route: Option<u32>,
    width: SlotWidth,
    before: Window,
) -> Series {
    let windows = view.requests.by_window(route, view.span_of(width), width);
    let value = |window: &Summary| {
        let enough = window.durations.count() >= MIN_IN_WINDOW;
        window.durations.quantile(0.95).filter(|_| enough)
    };
    let values: Vec<Option<f64>> = windows.iter().map(value).collect();
    let history: Vec<f64> = values
        .iter()
        .enumerate()
        .filter(|(index, _)| view.window(*index, width).end_us <= before.end_us)
        .filter_map(|(_, value)| *value)
        .collect();
    Series {
        start_us: view.window(0, width).start_us,
        step_s: width.seconds(),
        values,
        n: windows.iter().map(|window| window.durations.count()).collect(),
        usual: robust::usual_range(&history, 0.1).map(|range| [range.lo, range.hi]),
        usual_by_window: None,
    }
}
