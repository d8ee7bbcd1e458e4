//! The table of routes, worst first, the unchanged ones folded.

use maud::{Markup, html};

use crate::model::{Report, RouteRow, Verdict};

use super::super::chart::{Frame, spark};
use super::super::page::RowText;
use super::{badge, tied, verdict_class};

const ROW_SPARK: Frame = Frame { width: 252.0, height: 60.0, text_px: 0.0, points_max: 28 };

/// Routes shown; the rest is in `report.json`.
const ROUTES_MAX: usize = 100;

/// `detailed` holds the anchors of the routes whose detail is on the page.
pub(super) fn table(report: &Report, detailed: &[String]) -> Markup {
    let shown = report.routes.iter().take(ROUTES_MAX);
    let (same, moved): (Vec<&RouteRow>, Vec<&RouteRow>) =
        shown.partition(|row| row.verdict == Verdict::Pass);
    let beyond = report.routes.len().saturating_sub(ROUTES_MAX);
    html! {
        section aria-labelledby="routes" {
            h2 #routes { "Routes" }
            @if report.routes.is_empty() { p { "No routes were found in the data." } }
            @if !moved.is_empty() {
                (rows(detailed, &moved, "Routes that changed or cannot be told, worst first"))
            }
            @if !same.is_empty() {
                details.fold {
                    summary {
                        (same.len()) @if same.len() == 1 { " route" } @else { " routes" }
                        " without a change beyond the tolerated size"
                    }
                    (rows(detailed, &same, "Routes without a change beyond the tolerated size"))
                }
            }
            @if beyond > 0 { p.muted { (beyond) " more routes are in " code { "report.json" } "." } }
        }
    }
}

fn rows(detailed: &[String], rows: &[&RouteRow], caption: &str) -> Markup {
    html! {
        table.routes {
            caption {
                (caption)
                @if rows.iter().any(|row| row.thin) { "; few: fewer than 200 durations now" }
            }
            thead { tr {
                th scope="col" { "Route" }
                th.num.wide scope="col" { "p95 before" }
                th.num scope="col" { "p95 now" }
                th.num scope="col" { "change" }
                th.num.wide scope="col" { "likely range" }
                th.wide scope="col" { "trend" }
                th.num.wide scope="col" { "n" }
                th.num.wide scope="col" { "failed" }
                th.wide scope="col" { "verdict" }
            } }
            tbody { @for row in rows { (one_row(detailed, row)) } }
        }
    }
}

fn one_row(detailed: &[String], row: &RouteRow) -> Markup {
    let text = RowText::of(row);
    let has_detail = detailed.contains(&text.anchor);
    // The anchor is the detail's where there is one, so that each id stands once on the page.
    let own_id = (!has_detail).then_some(&text.anchor);
    html! {
        tr id=[own_id] class=(verdict_class(row.verdict)) {
            th.route scope="row" {
                @if has_detail { a href={ "#" (text.anchor) } { (text.route) } } @else { (text.route) }
                @if row.verdict != Verdict::Pass { div.phone { (badge(row.verdict)) } }
            }
            td.num.wide { (tied(&text.before)) }
            td.num.thin[row.thin] {
                (tied(&text.now)) @if row.thin { " " small { "few" } }
            }
            td.num.thin[row.thin] { (tied(&text.change)) }
            td.num.wide.thin[row.thin] { (tied(&text.interval)) }
            td.wide.trend { (spark(&row.sparkline.values, row.sparkline.usual, ROW_SPARK)) }
            td.num.wide { (tied(&text.n)) }
            td.num.wide { (tied(&text.errors)) }
            td.wide { (badge(row.verdict)) }
        }
    }
}
