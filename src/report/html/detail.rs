//! One folded section per route: durations over time and by size, splits, messages, slow records.

use maud::{Markup, html};

use crate::model::{Report, RouteDetail, SlowRecord, SplitRow, TemplateRow, Unit};

use super::super::chart;
use super::super::number;
use super::super::page::fragment;
use super::super::visible;
use super::super::when::{Zone, instant_us};
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
            (templates(&detail.templates))
            (slowest(&detail.slowest))
        }
    }
}

fn splits(rows: &[SplitRow]) -> Markup {
    html! {
        @if !rows.is_empty() {
            table {
                caption { "Split by version, method and status" }
                thead { tr {
                    th scope="col" { "Part" }
                    th.num scope="col" { "n before" }
                    th.num scope="col" { "n now" }
                    th.num scope="col" { "p95 before" }
                    th.num scope="col" { "p95 now" }
                    th.num.wide scope="col" { "failed before" }
                    th.num.wide scope="col" { "failed now" }
                } }
                tbody { @for row in rows.iter().take(ROWS_MAX) { tr {
                    th scope="row" { (visible::name(&row.field)) " " (visible::name(&row.value)) }
                    @for n in row.n { td.num { (tied(&number::short_count(n as f64))) } }
                    @for p95 in row.p95_ms { td.num { (tied(&number::measure_or_dash(p95, Unit::Ms))) } }
                    @for share in row.error_ratio {
                        td.num.wide { (tied(&number::measure_or_dash(share, Unit::Ratio))) }
                    }
                } } }
            }
        }
    }
}

fn templates(rows: &[TemplateRow]) -> Markup {
    html! {
        @if !rows.is_empty() {
            table {
                caption { "Warnings and errors that are new or grew" }
                thead { tr {
                    th scope="col" { "Message" }
                    th.num scope="col" { "before" }
                    th.num scope="col" { "now" }
                    th.wide scope="col" { "first seen" }
                } }
                tbody { @for row in rows.iter().take(ROWS_MAX) { tr {
                    th.message scope="row" {
                        @if !row.severity.is_empty() { small { (visible::visible(&row.severity, 12)) } " " }
                        (visible::visible(&row.template, 160))
                        @if row.new { " " strong { "new" } }
                    }
                    @for n in row.n { td.num { (number::count(n)) } }
                    td.wide { (instant_us(&row.first_seen).map_or_else(|| visible::name(&row.first_seen), Zone::utc)) }
                } } }
            }
        }
    }
}

fn slowest(rows: &[SlowRecord]) -> Markup {
    html! {
        @if !rows.is_empty() {
            table {
                caption { "Slowest records of the current window" }
                thead { tr {
                    th scope="col" { "Time" }
                    th.num scope="col" { "duration" }
                    th.num scope="col" { "status" }
                    th scope="col" { "id" }
                    th.wide scope="col" { "record" }
                } }
                tbody { @for row in rows.iter().take(5) { tr {
                    th scope="row" { (instant_us(&row.ts).map_or_else(|| visible::name(&row.ts), Zone::utc)) }
                    td.num { (tied(&number::measure(row.duration_ms, Unit::Ms))) }
                    td.num { @if let Some(status) = row.status { (status) } @else { "–" } }
                    td.message { (row.id.as_deref().map_or_else(|| "–".to_owned(), |id| visible::visible(id, 40))) }
                    td.wide.message { (visible::name(&row.at.input)) " at byte " (number::count(row.at.offset)) }
                } } }
            }
        }
    }
}
