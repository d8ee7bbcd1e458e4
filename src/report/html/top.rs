//! Header, verdict banner and tiles.

use maud::{Markup, html};

use crate::model::{Report, Tile, Verdict};

use super::super::chart::{Frame, spark};
use super::super::page::{self, TileText};
use super::super::prose;
use super::super::visible;
use super::{tied, verdict_class};

const TILE_SPARK: Frame = Frame { width: 560.0, height: 96.0, text_px: 0.0, points_max: 56 };

/// Tiles shown.
const TILES_MAX: usize = 8;

pub(super) fn header(report: &Report) -> Markup {
    html! {
        a.skip href="#main" { "Skip to the verdict" }
        header {
            p.project {
                strong { (visible::name(&report.project)) } " health report, " (page::week(&report.week))
            }
            nav aria-label="Sections" {
                a href="#changed" { "What changed" }
                a href="#options" { "What you can do" }
                a href="#routes" { "Routes" }
                a href="#quality" { "Data quality" }
                a href="#method" { "Method" }
            }
        }
    }
}

pub(super) fn banner(report: &Report) -> Markup {
    let verdict = report.verdict;
    html! {
        section class={ "banner " (verdict_class(verdict)) } aria-labelledby="verdict" {
            h1 #verdict {
                span.shape aria-hidden="true" { (verdict.shape()) }
                " " (verdict.page_word())
            }
            @for sentence in report.headline.iter().take(3) {
                (said(sentence))
            }
            p.period { (prose::coverage(report.coverage)) " " (page::period(report)) "." }
        }
    }
}

/// A sentence whose first clause stands out, so that it is read in two seconds.
fn said(sentence: &str) -> Markup {
    let sentence = tied(&visible::sentence(sentence));
    html! {
        p.said {
            @match sentence.split_once(": ") {
                Some((what, rest)) => { strong { (what) } ": " (rest) }
                None => { (sentence) }
            }
        }
    }
}

pub(super) fn tiles(report: &Report) -> Markup {
    html! {
        section.tiles aria-labelledby="glance" {
            h2 #glance { "At a glance" }
            ul { @for tile in report.tiles.iter().take(TILES_MAX) { (one_tile(tile)) } }
        }
    }
}

fn one_tile(tile: &Tile) -> Markup {
    let text = TileText::of(tile);
    let notable = tile.verdict != Verdict::Pass;
    html! {
        li class={ "tile " (verdict_class(tile.verdict)) } {
            p.name { (text.name) }
            p.value { (tied(&text.value)) }
            @if notable { p { (super::badge(tile.verdict)) } }
            @if !text.before.is_empty() { p { (tied(&text.before)) } }
            @if !text.usual.is_empty() { p.muted { (tied(&text.usual)) } }
            @if !text.note.is_empty() { p.muted { (tied(&text.note)) } }
            (spark(&tile.series.values, tile.series.usual, TILE_SPARK))
        }
    }
}
