//! What changed, and what can be done about it.

use maud::{Markup, html};

use crate::model::{Finding, Report, Series, Unit, Verdict};

use super::super::chart::{self, Bucket, buckets};
use super::super::number;
use super::super::page::{CARDS_MAX, Card, OPTIONS_MAX, OptionText};
use super::super::when::Zone;
use super::table::{NUM, TEXT, example, table};
use super::{badge, tied, verdict_class};

/// Rows in the table of numbers under a chart.
const NUMBERS_MAX: usize = 14;

/// Findings shown at all; the rest is in `report.json`.
const FINDINGS_MAX: usize = 20;

/// Findings with a chart; those beyond are in words.
const CHARTS_MAX: usize = 8;

/// Findings with options.
const OPTIONS_FINDINGS_MAX: usize = 5;

pub(super) fn cards(report: &Report) -> Markup {
    let zone = Zone::of(report);
    let all: Vec<Card> =
        report.findings.iter().take(FINDINGS_MAX).map(|finding| Card::of(finding, &zone)).collect();
    let (open, folded) = all.split_at(all.len().min(CARDS_MAX));
    let beyond = report.findings.len() - all.len();
    html! {
        section aria-labelledby="changed" {
            h2 #changed { "What changed" }
            @if open.is_empty() { p { (nothing_found(report)) } }
            @for card in open { (card_markup(report, card, &zone, true)) }
            @if !folded.is_empty() {
                details.fold {
                    summary { (folded.len()) " more findings" }
                    @for (index, card) in folded.iter().enumerate() {
                        (card_markup(report, card, &zone, index + CARDS_MAX < CHARTS_MAX))
                    }
                    @if beyond > 0 { p { (beyond) " more are in " code { "report.json" } "." } }
                }
            }
        }
    }
}

pub(super) fn options(report: &Report) -> Markup {
    let with_options = report.findings.iter().filter(|finding| !finding.options.is_empty());
    let shown: Vec<&Finding> = with_options.take(OPTIONS_FINDINGS_MAX).collect();
    html! {
        section aria-labelledby="options" {
            h2 #options { "What you can do" }
            @if shown.is_empty() { p { (no_options(report)) } }
            @else {
                p.muted { "Advice only. The command under each option shows afterwards whether it worked." }
            }
            @for finding in shown { (finding_options(finding)) }
        }
    }
}

fn no_options(report: &Report) -> &'static str {
    match report.verdict {
        Verdict::Pass => "Nothing needs to be done about what was tested.",
        Verdict::Inconclusive => "No advice, because there is too little data for a finding.",
        Verdict::Warn | Verdict::Fail => "No options are known for what was found.",
    }
}

fn nothing_found(report: &Report) -> String {
    match report.verdict {
        Verdict::Inconclusive => "No finding, but also too little data to rule one out.".to_owned(),
        _ => format!("No finding in {} tests.", report.coverage.tested),
    }
}

fn card_markup(report: &Report, card: &Card, zone: &Zone, charted: bool) -> Markup {
    let spec = charted.then(|| chart::finding_spec(report, card.finding)).flatten();
    html! {
        article class={ "card " (verdict_class(card.verdict)) } #(card.id) aria-labelledby={ (card.id) "-h" } {
            div.head {
                h3 #{ (card.id) "-h" } { span.id { (card.id) } " " (card.title) }
                (badge(card.verdict))
            }
            p.change { (tied(&card.change)) }
            div.body {
                @if let Some(spec) = &spec {
                    figure {
                        (chart::chart(spec, &card.id))
                        figcaption { (caption(card.finding, zone)) }
                    }
                }
                div.facts-box { (facts(card)) (examples(card.finding)) }
            }
            @if spec.is_some() { (numbers(card, zone)) }
        }
    }
}

fn facts(card: &Card) -> Markup {
    html! {
        dl.facts {
            @for (label, text) in &card.facts {
                dt { (label) } dd { (tied(text)) }
            }
            @if !card.also_moved.is_empty() {
                dt { "Began then too" }
                dd {
                    @for (index, id) in card.also_moved.iter().enumerate() {
                        @if index > 0 { ", " }
                        a href={ "#" (id) } { (id) }
                    }
                }
            }
        }
    }
}

fn examples(finding: &Finding) -> Markup {
    html! {
        @if !finding.examples.is_empty() {
            details.examples {
                summary { "Records (" (finding.examples.len()) ")" }
                @for record in &finding.examples { (example(record)) }
            }
        }
    }
}

fn caption(finding: &Finding, zone: &Zone) -> String {
    let step = number::span(f64::from(finding.series.step_s));
    let per = if finding.change.unit == Unit::PerHour { ", per hour" } else { "" };
    format!("One value per {step}{per}; days in {}.", zone.name)
}

/// The chart's numbers as a table, joined to at most [`NUMBERS_MAX`] rows.
fn numbers(card: &Card, zone: &Zone) -> Markup {
    let finding = card.finding;
    let Series { start_us, step_s, values, n, .. } = &finding.series;
    let unit = finding.change.unit;
    let rows = buckets(values, NUMBERS_MAX);
    let size = values.len().div_ceil(NUMBERS_MAX).max(1);
    let columns = [
        (format!("From ({})", zone.name), TEXT),
        ("lowest".to_owned(), NUM),
        ("middle".to_owned(), NUM),
        ("highest".to_owned(), NUM),
        ("n".to_owned(), NUM),
    ];
    let cells = |row: Bucket| {
        let from_us = start_us + i64::from(*step_s) * 1_000_000 * row.first as i64;
        let mut cells = vec![html! { (zone.row(from_us)) }];
        let spread = row.spread.map(|spread| spread.map(|v| tied(&number::measure(v, unit))));
        let spread = spread.unwrap_or_else(|| ["–", "–", "–"].map(str::to_owned));
        cells.extend(spread.into_iter().map(|text| html! { (text) }));
        cells.push(html! { (number::count(n.iter().skip(row.first).take(size).sum())) });
        cells
    };
    let each = number::span(f64::from(*step_s));
    let caption = format!("Each row joins {size} windows of {each}.");
    html! {
        details.numbers {
            summary { "Numbers of this chart" }
            (table(caption, &columns, rows.into_iter().map(cells)))
        }
    }
}

fn finding_options(finding: &Finding) -> Markup {
    let id = super::page::fragment(&finding.id);
    html! {
        h3.for { a href={ "#" (id) } { (id) } " " (super::super::prose::title(finding)) }
        ol.options {
            @for action in finding.options.iter().take(OPTIONS_MAX) {
                @let option = OptionText::of(action);
                li {
                    p.do { (option.title) }
                    p { (tied(&option.expected)) }
                    p.muted { (option.cost) }
                    @if !option.evidence.is_empty() { p.muted { (tied(&option.evidence)) } }
                    @if !option.verify.is_empty() { p.check { "Check: " code { (option.verify) } } }
                }
            }
        }
    }
}
