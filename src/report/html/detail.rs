//! One folded section per route: durations over time and by size, splits, slow records. Then the
//! messages of all routes.

use maud::{Markup, html};

use crate::model::{NovelMoment, Report, RouteDetail, SlowRecord, SplitRow, TemplateRow, Unit};

use super::super::chart;
use super::super::number;
use super::super::page::fragment;
use super::super::visible;
use super::super::when::{Zone, instant_us};
use super::table::{NUM, NUM_WIDE, TEXT, WIDE, table};
use super::tied;

/// Most bytes of all details together; the rest is in `report.json`.
const DETAILS_MAX_BYTES: usize = 48_000;

/// Rows of each table in a detail.
const ROWS_MAX: usize = 8;

/// The details that fit on the page, each with its anchor.
pub(super) fn that_fit(report: &Report) -> Vec<(String, Markup)> {
    let mut room = DETAILS_MAX_BYTES;
    let drawn = report.details.iter().map(|detail| (fragment(&detail.anchor), one(report, detail)));
    drawn
        .take_while(|(_, markup)| {
            let fits = markup.0.len() <= room;
            room = room.saturating_sub(markup.0.len());
            fits
        })
        .collect()
}

pub(super) fn details(report: &Report, shown: &[(String, Markup)]) -> Markup {
    let beyond = report.details.len() - shown.len();
    html! {
        @if !report.details.is_empty() {
            section.detail aria-labelledby="detail" {
                h2 #detail { "Routes in detail" }
                @for (_, detail) in shown { (detail) }
                @if beyond > 0 {
                    p.muted { "Details of " (beyond) " more routes are in " code { "report.json" } "." }
                }
            }
        }
    }
}

fn one(report: &Report, detail: &RouteDetail) -> Markup {
    let id = fragment(&detail.anchor);
    html! {
        details.card id=(id) {
            summary { (visible::name(&detail.route)) }
            div.charts {
                @if let Some(spec) = chart::percentile_spec(report, detail) {
                    figure { (chart::chart(&spec, &format!("{id}-p"))) figcaption { "Durations over time" } }
                }
                @if let Some(spec) = chart::histogram_spec(detail) {
                    figure { (chart::chart(&spec, &format!("{id}-h"))) figcaption { "Share of requests by duration" } }
                }
            }
            (splits(&detail.splits))
            (slowest(&detail.slowest))
        }
    }
}

fn splits(rows: &[SplitRow]) -> Markup {
    let columns = [
        ("Version", TEXT),
        ("n before", NUM),
        ("n now", NUM),
        ("p95 before", NUM),
        ("p95 now", NUM),
        ("failed before", NUM_WIDE),
        ("failed now", NUM_WIDE),
    ];
    let cells = |row: &SplitRow| {
        let mut cells = vec![html! { (visible::name(&row.value)) }];
        let n = row.n.iter().map(|n| number::short_count(*n as f64));
        let p95 = row.p95_ms.iter().map(|ms| number::measure_or_dash(*ms, Unit::Ms));
        let failed = row.error_ratio.iter().map(|r| number::measure_or_dash(*r, Unit::Ratio));
        cells.extend(n.chain(p95).chain(failed).map(|text| html! { (tied(&text)) }));
        cells
    };
    let shown = rows.iter().take(ROWS_MAX).map(cells);
    html! { @if !rows.is_empty() { (table("Split by version", &columns, shown)) } }
}

/// Where to look, though nothing was proven.
pub(super) fn look_here(rows: &[NovelMoment]) -> Markup {
    let columns = [("Measure", TEXT), ("then", NUM), ("what is novel", TEXT), ("when", WIDE)];
    let cells = |row: &NovelMoment| {
        let at = instant_us(&row.at);
        vec![
            html! { (visible::name(&row.metric)) },
            html! { (tied(&number::measure(row.value, row.unit))) },
            html! { (visible::name(&row.reason)) },
            html! { (at.map_or_else(|| visible::name(&row.at), Zone::utc)) },
        ]
    };
    html! {
        @if !rows.is_empty() {
            section aria-labelledby="look-here" {
                h2 #look-here { "Look here" }
                (table("Never like this before; no part of the verdict", &columns, rows.iter().map(cells)))
            }
        }
    }
}

/// Messages of the whole report.
pub(super) fn templates(rows: &[TemplateRow]) -> Markup {
    let columns = [("Message", TEXT), ("before", NUM), ("now", NUM), ("first seen", WIDE)];
    let cells = |row: &TemplateRow| {
        let [before, now] = row.n;
        let first_seen = instant_us(&row.first_seen);
        vec![
            html! {
                @if !row.severity.is_empty() { small { (visible::visible(&row.severity, 12)) } " " }
                (visible::visible(&row.template, 160))
                @if row.new { " " strong { "new" } }
            },
            html! { (number::count(before)) },
            html! { (number::count(now)) },
            html! { (first_seen.map_or_else(|| visible::name(&row.first_seen), Zone::utc)) },
        ]
    };
    html! {
        @if !rows.is_empty() {
            section aria-labelledby="messages" {
                h2 #messages { "Messages" }
                (table("Warnings and errors that are new or grew", &columns, rows.iter().map(cells)))
            }
        }
    }
}

fn slowest(rows: &[SlowRecord]) -> Markup {
    let columns =
        [("Time", TEXT), ("duration", NUM), ("status", NUM), ("id", TEXT), ("record", WIDE)];
    let dash = || "–".to_owned();
    let cells = |row: &SlowRecord| {
        vec![
            html! { (instant_us(&row.ts).map_or_else(|| visible::name(&row.ts), Zone::utc)) },
            html! { (tied(&number::measure(row.duration_ms, Unit::Ms))) },
            html! { (row.status.map_or_else(dash, |status| status.to_string())) },
            html! { (row.id.as_deref().map_or_else(dash, |id| visible::visible(id, 40))) },
            html! { (visible::name(&row.at.input)) " at byte " (number::count(row.at.offset)) },
        ]
    };
    let caption = "Slowest records of the current window";
    html! { @if !rows.is_empty() { (table(caption, &columns, rows.iter().take(5).map(cells))) } }
}
