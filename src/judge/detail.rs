//! The tables of a report: routes, their details, and the four tiles.

use std::cmp::Reverse;

use super::errors::ratio_series;
use super::findings::example;
use super::latency::{p95_interval_pct, p95_series};
use super::view::View;
use crate::model::{
    Direction, Finding, FindingKind, RouteDetail, RouteRow, Series, SlowRecord, SplitRow, Tile,
    Unit, Verdict, Window, WindowCell, format_ts,
};
use crate::query::{Counts, Durations, Summary};
use crate::stats::{
    normal::Z_98, proportion::Share, quantile::MIN_VALUES_P95, robust::usual_range,
};

/// Routes in the table.
const MAX_ROUTES: usize = 200;
/// Routes with a detail section.
const MAX_DETAILS: usize = 100;
/// Routes whose traffic is split by version, worst first.
const MAX_SPLIT: usize = 20;
/// Values listed of a field that traffic is split by.
const MAX_SPLIT_VALUES: usize = 6;
/// Slowest records listed of a route.
const MAX_SLOWEST: usize = 5;
/// Bins of a histogram.
const HISTOGRAM_BINS: usize = 24;
/// Share of the traffic that the key routes make up.
const KEY_SHARE: f64 = 0.8;
/// Availability taken for granted while no objective is configured.
pub(super) const ASSUMED_OBJECTIVE: f64 = 0.995;

const DAY_US: i64 = 86_400_000_000;

/// Every route, worst first.
pub(super) fn route_rows(view: &View<'_>, findings: &[Finding]) -> Vec<RouteRow> {
    let busiest = view.routes.iter().take(MAX_ROUTES);
    let mut rows: Vec<RouteRow> =
        busiest.map(|(route, _)| route_row(view, *route, findings)).collect();
    let excess = |row: &RouteRow| row.change_pct.filter(|_| row.verdict > Verdict::Inconclusive);
    rows.sort_by(|a, b| {
        let by_change = excess(b).unwrap_or(0.0).total_cmp(&excess(a).unwrap_or(0.0));
        b.verdict.cmp(&a.verdict).then(by_change).then(Reverse(a.n[1]).cmp(&Reverse(b.n[1])))
    });
    rows
}

fn route_row(view: &View<'_>, route: u32, findings: &[Finding]) -> RouteRow {
    let name = view.survey.names.routes.name(route);
    let mine = |finding: &&Finding| {
        finding.group.get("route").is_some_and(|group| group == name)
            && matches!(finding.kind, FindingKind::Latency | FindingKind::ErrorRate)
    };
    let latency = findings
        .iter()
        .filter(mine)
        .find(|finding| finding.kind == FindingKind::Latency && finding.until.is_none());
    let nothing = Window { start_us: view.current.start_us, end_us: view.current.start_us };
    let before = view.before.unwrap_or(nothing);
    let old = view.requests.summary(Some(route), before);
    let new = view.requests.summary(Some(route), view.current);
    let p95 = |summary: &Summary| summary.durations.quantile(0.95);
    let (before_ms, now_ms) = match latency {
        Some(finding) => (Some(finding.change.before), Some(finding.change.after)),
        None => (p95(&old), p95(&new)),
    };
    let change_pct = match (before_ms, now_ms) {
        (Some(before), Some(now)) if before > 0.0 => Some((now / before - 1.0) * 100.0),
        _ => None,
    };
    let interval = match latency {
        Some(finding) => finding.change.interval,
        None => p95_interval_pct(&old.durations, &new.durations),
    };
    let worst = findings.iter().filter(mine).map(|finding| finding.verdict).max();
    let too_few = old.n.min(new.n) < super::errors::MIN_REQUESTS / 2;
    RouteRow {
        route: name.to_owned(),
        anchor: anchor(name),
        verdict: worst.unwrap_or(if too_few { Verdict::Inconclusive } else { Verdict::Pass }),
        before_ms,
        now_ms,
        change_pct,
        interval_pct: interval,
        n: [old.n, new.n],
        errors: [old.failed, new.failed],
        sparkline: p95_series(view, Some(route), view.width_for(new.n + old.n, 8.0), before),
        thin: new.durations.count() < MIN_VALUES_P95 as u64,
        error_ratio: [old.failed_ratio(), new.failed_ratio()],
    }
}

/// Stable fragment id of a route: FNV-1a of its name, 32 bits.
fn anchor(name: &str) -> String {
    let hash = name
        .bytes()
        .fold(0x811c_9dc5_u32, |hash, byte| (hash ^ u32::from(byte)).wrapping_mul(0x0100_0193));
    format!("r-{hash:08x}")
}

/// Details of the routes in table order.
pub(super) fn route_details(
    view: &View<'_>,
    rows: &[RouteRow],
    inputs: &[String],
) -> Vec<RouteDetail> {
    rows.iter()
        .take(MAX_DETAILS)
        .enumerate()
        .filter_map(|(number, row)| {
            let route = view.survey.names.routes.find(&row.route)?;
            Some(route_detail(view, (number, row), route, inputs))
        })
        .collect()
}

fn route_detail(
    view: &View<'_>,
    (number, row): (usize, &RouteRow),
    route: u32,
    inputs: &[String],
) -> RouteDetail {
    let nothing = Window { start_us: view.current.start_us, end_us: view.current.start_us };
    let before = view.before.unwrap_or(nothing);
    let (bounds, histogram) = histogram(
        &view.requests.summary(Some(route), before).durations,
        &view.requests.summary(Some(route), view.current).durations,
    );
    RouteDetail {
        route: row.route.clone(),
        anchor: row.anchor.clone(),
        windows: window_cells(view, route),
        histogram_bounds_ms: bounds,
        histogram,
        splits: if number < MAX_SPLIT { version_splits(view, route, before) } else { Vec::new() },
        slowest: slowest(view, route, inputs),
    }
}

fn window_cells(view: &View<'_>, route: u32) -> Vec<WindowCell> {
    let summaries = view.requests.by_window(Some(route), view.span, view.width);
    let cell = |(index, summary): (usize, &Summary)| {
        let quantile = |q| summary.durations.quantile(q);
        (summary.n > 0).then(|| WindowCell {
            start_us: view.window(index, view.width).start_us,
            n: summary.n,
            errors: summary.failed,
            error_ratio: summary.failed as f64 / summary.n as f64,
            p50_ms: quantile(0.5),
            p95_ms: quantile(0.95),
            p99_ms: quantile(0.99),
        })
    };
    summaries.iter().enumerate().filter_map(cell).collect()
}

/// Shares of the durations before and now in bins of equal width on a logarithmic axis.
fn histogram(before: &Durations, now: &Durations) -> (Vec<f64>, [Vec<f64>; 2]) {
    let ends = |q| [before.quantile(q), now.quantile(q)].into_iter().flatten();
    let lo = ends(0.001).fold(f64::INFINITY, f64::min).max(0.01);
    let hi = ends(0.999).fold(0.0, f64::max);
    if !(lo.is_finite() && hi > lo) {
        return (Vec::new(), [Vec::new(), Vec::new()]);
    }
    let step = (hi / lo).ln() / HISTOGRAM_BINS as f64;
    let bounds: Vec<f64> = (0..=HISTOGRAM_BINS).map(|bin| lo * (step * bin as f64).exp()).collect();
    let shares = |durations: &Durations| {
        let total = durations.count().max(1) as f64;
        let at_most: Vec<u64> =
            bounds.iter().map(|bound| durations.count_at_most(*bound)).collect();
        let bin = |pair: &[u64]| match pair {
            [below, until] => (until - below) as f64 / total,
            _ => 0.0,
        };
        at_most.windows(2).map(bin).collect()
    };
    let both = [shares(before), shares(now)];
    (bounds, both)
}

fn version_splits(view: &View<'_>, route: u32, before: Window) -> Vec<SplitRow> {
    let versions = &view.survey.names.versions;
    let mut rows: Vec<SplitRow> = versions
        .iter()
        .map(|(version, name)| {
            let of = |window| view.requests.summary_of_version(Some(route), version, window);
            let (old, new) = (of(before), of(view.current));
            SplitRow {
                field: "version".to_owned(),
                value: name.to_owned(),
                n: [old.n, new.n],
                p95_ms: [old.durations.quantile(0.95), new.durations.quantile(0.95)],
                error_ratio: [old.failed_ratio(), new.failed_ratio()],
            }
        })
        .filter(|row| row.n != [0, 0])
        .collect();
    rows.sort_by_key(|row| Reverse(row.n[0] + row.n[1]));
    rows.truncate(MAX_SPLIT_VALUES);
    rows
}

fn slowest(view: &View<'_>, route: u32, inputs: &[String]) -> Vec<SlowRecord> {
    let mut kept: Vec<_> = view
        .survey
        .slowest
        .iter()
        .filter(|((known, _), _)| *known == route)
        .flat_map(|(_, pointers)| pointers)
        .filter(|pointer| view.current.contains(pointer.ts_us))
        .collect();
    kept.sort_by(|a, b| b.duration_ms.total_cmp(&a.duration_ms).then(a.offset.cmp(&b.offset)));
    kept.into_iter()
        .take(MAX_SLOWEST)
        .map(|pointer| SlowRecord {
            ts: format_ts(pointer.ts_us),
            duration_ms: pointer.duration_ms,
            status: pointer.status,
            id: pointer.id.clone(),
            at: example((pointer.input, pointer.offset), inputs),
        })
        .collect()
}

/// Requests, p95 of the key routes, error rate, error budget left.
pub(super) fn tiles(view: &View<'_>, findings: &[Finding]) -> Vec<Tile> {
    let verdict = |kinds: &[FindingKind]| {
        let worst = findings.iter().filter(|f| kinds.contains(&f.kind)).map(|f| f.verdict).max();
        worst.unwrap_or(Verdict::Pass)
    };
    let now = view.requests.counts(None, view.current);
    let old = view.before.map(|before| view.requests.counts(None, before));
    let days = daily(view);
    let range = |value: &dyn Fn(&Summary) -> Option<f64>| {
        let history: Vec<f64> = days.iter().filter_map(value).collect();
        usual_range(&history, 0.1).map(|range| [range.lo, range.hi])
    };
    let p95 = |summary: &Summary| summary.durations.quantile(0.95);
    let before = view.before.unwrap_or(view.span);
    let has_requests = now.n > 0;
    let missing = |value: Option<f64>, why: &str| match value {
        Some(_) => String::new(),
        None => why.to_owned(),
    };
    let p95_now = key_p95(view, view.current);
    let no_request = match view.survey.request_count {
        0 => "no request was found",
        _ => "no request in this window",
    };
    let no_duration = match view.survey.with_duration {
        0 => "no field holds a duration",
        _ => "no duration in this window",
    };
    vec![
        Tile {
            name: "Requests".to_owned(),
            value: Some(now.n as f64),
            unit: Unit::Count,
            before: view.before.zip(old).map(|(before, old)| as_long(old.n, before, view.current)),
            usual: None,
            direction: Direction::Neutral,
            verdict: Verdict::Pass,
            note: String::new(),
            series: Series::default(),
        },
        Tile {
            name: "p95 of key routes".to_owned(),
            value: p95_now,
            unit: Unit::Ms,
            before: view.before.and_then(|before| key_p95(view, before)),
            usual: range(&p95),
            direction: Direction::UpIsWorse,
            verdict: match p95_now {
                Some(_) => verdict(&[FindingKind::Latency]),
                None => Verdict::Inconclusive,
            },
            note: missing(p95_now, no_duration),
            series: p95_series(view, None, view.width_for(now.n, 20.0), before),
        },
        Tile {
            name: "Error rate".to_owned(),
            value: now.failed_ratio(),
            unit: Unit::Ratio,
            before: old.and_then(Counts::failed_ratio),
            usual: range(&Summary::failed_ratio),
            direction: Direction::UpIsWorse,
            verdict: if has_requests {
                verdict(&[FindingKind::ErrorRate])
            } else {
                Verdict::Inconclusive
            },
            note: missing(now.failed_ratio(), no_request),
            series: ratio_series(view, None, before),
        },
        budget_tile(now, old),
    ]
}

/// A count of the window before, which may be longer, as if it were as long as the current one.
fn as_long(n: u64, before: Window, current: Window) -> f64 {
    (n as f64 * current.len_s() / before.len_s().max(0.1)).round()
}

/// Whether more requests fail than the objective allows, beyond chance.
pub(super) fn is_overspent(now: Counts) -> bool {
    let share = Share::new(now.failed, now.n);
    share.is_some_and(|share| share.wilson(Z_98, 1.0).0 > 1.0 - ASSUMED_OBJECTIVE)
}

/// Share of the error budget of the current window that is left: 1 − failed / allowed.
fn budget_tile(now: Counts, old: Option<Counts>) -> Tile {
    let left = |counts: Counts| counts.failed_ratio().map(|r| 1.0 - r / (1.0 - ASSUMED_OBJECTIVE));
    let value = left(now);
    Tile {
        name: "Error budget left".to_owned(),
        value,
        unit: Unit::Ratio,
        before: old.and_then(left),
        usual: None,
        direction: Direction::DownIsWorse,
        verdict: match value {
            None => Verdict::Inconclusive,
            Some(_) if is_overspent(now) => Verdict::Warn,
            Some(_) => Verdict::Pass,
        },
        note: "objective 99.5 % assumed".to_owned(),
        series: Series::default(),
    }
}

/// p95 over the busiest routes that make up most of the traffic.
fn key_p95(view: &View<'_>, window: Window) -> Option<f64> {
    let routes = &view.routes;
    let total: u64 = routes.iter().map(|(_, n)| n).sum();
    let mut counted = 0;
    let mut values = Vec::new();
    for (route, n) in routes {
        if counted as f64 >= KEY_SHARE * total as f64 {
            break;
        }
        counted += n;
        let durations = view.requests.summary(Some(*route), window).durations;
        match &durations {
            Durations::Exact(sorted) => values.extend_from_slice(sorted.as_slice()),
            // A sketch is weighted by its count through evenly spaced values.
            Durations::Sketched(sketch) => {
                values.extend(sketch.thin((sketch.count() / 100).clamp(1, 100_000) as usize));
            }
        }
    }
    crate::stats::quantile::Sorted::new(values).quantile(0.95)
}

/// Whole days before the current window.
fn daily(view: &View<'_>) -> Vec<Summary> {
    let Some(before) = view.before else { return Vec::new() };
    let days = (before.end_us - before.start_us) / DAY_US;
    (0..days)
        .map(|day| {
            let end_us = before.end_us - day * DAY_US;
            view.requests.summary(None, Window { start_us: end_us - DAY_US, end_us })
        })
        .collect()
}
