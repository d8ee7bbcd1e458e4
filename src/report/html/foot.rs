//! Data quality, and how the numbers were made.

use maud::{Markup, html};

use crate::model::{InputSummary, Quality, Report};

use super::super::number;
use super::super::visible;
use super::super::when::Zone;
use super::table::{NUM, NUM_WIDE, TEXT, example, table};

/// Inputs listed; the rest is in `report.json`.
const INPUTS_MAX: usize = 20;

/// Notes and settings listed.
const LINES_MAX: usize = 40;

pub(super) fn quality(report: &Report) -> Markup {
    let quality = &report.quality;
    html! {
        section aria-labelledby="quality" {
            h2 #quality { "Data quality" }
            dl.counts {
                dt { "Records read" } dd { (number::count(quality.records)) }
                dt { "Rejected" } dd { (number::count(quality.rejected)) (reasons(quality)) }
                dt { "Requests" } dd { (number::count(quality.requests)) }
                dt { "Without a time" } dd { (number::count(quality.no_time)) }
                dt { "Out of order" } dd { (number::count(quality.out_of_order)) }
                dt { "Span" } dd { (Zone::of(report).window(report.span)) }
            }
            @if !quality.notes.is_empty() {
                ul.notes { @for note in quality.notes.iter().take(LINES_MAX) {
                    li { strong { (visible::visible(&note.kind, 20)) } " " (visible::sentence(&note.text)) }
                } }
            }
            @if !quality.reject_examples.is_empty() {
                details.paper { summary { "Examples of rejected records" }
                    @for record in &quality.reject_examples { (example(record)) }
                }
            }
            (inputs(&quality.inputs))
        }
    }
}

pub(super) fn method(report: &Report, left_out: &[&str]) -> Markup {
    let method = &report.method;
    html! {
        section aria-labelledby="method" {
            h2 #method { "Method" }
            p {
                "plimsoll " (visible::name(&method.version)) "; percentiles "
                (visible::name(&method.percentiles)) "; windows of "
                (number::span(f64::from(method.window_s))) "; now is " (visible::name(&report.now)) "."
            }
            @if !method.notes.is_empty() {
                ul.notes { @for note in method.notes.iter().take(LINES_MAX) { li { (visible::sentence(note)) } } }
            }
            @if !method.settings.is_empty() {
                details.paper { summary { "Settings in force" }
                    dl.counts { @for (name, value) in method.settings.iter().take(LINES_MAX) {
                        dt { (visible::name(name)) } dd { (visible::name(value)) }
                    } }
                }
            }
            p.muted {
                "The numbers of this page are embedded as JSON in the element "
                code { "report-json" }
                @if left_out.is_empty() { "." } @else {
                    ", without " (left_out.join(", ")) ", which are in " code { "report.json" } "."
                }
            }
        }
    }
}

fn reasons(quality: &Quality) -> String {
    let reasons = quality.reject_reasons.iter().take(5);
    let reasons: Vec<String> = reasons
        .map(|(reason, count)| format!("{} {}", number::count(*count), visible::name(reason)))
        .collect();
    if reasons.is_empty() { String::new() } else { format!(" ({})", reasons.join(", ")) }
}

fn inputs(inputs: &[InputSummary]) -> Markup {
    let columns = [("Input", TEXT), ("understood as", TEXT), ("records", NUM), ("size", NUM_WIDE)];
    let cells = |input: &InputSummary| {
        vec![
            html! {
                (visible::name(&input.name))
                @if let Some(hash) = &input.sha256 {
                    br; small.hash { "sha256 " (visible::visible(hash, 64)) }
                }
            },
            html! { (visible::name(&input.format)) br; small { (fields(input)) } },
            html! {
                (number::count(input.records))
                @if input.rejected > 0 { br; small { (number::count(input.rejected)) " rejected" } }
            },
            html! { (number::bytes(input.bytes)) },
        ]
    };
    let caption = "Inputs, and which field was used for what";
    html! {
        @if !inputs.is_empty() {
            (table(caption, &columns, inputs.iter().take(INPUTS_MAX).map(cells)))
            @if inputs.len() > INPUTS_MAX {
                p.muted { (inputs.len() - INPUTS_MAX) " more inputs are in " code { "report.json" } "." }
            }
        }
    }
}

fn fields(input: &InputSummary) -> String {
    let fields = input.fields.iter().take(12);
    let fields: Vec<String> = fields
        .map(|(role, field)| format!("{} = {}", visible::name(role), visible::name(field)))
        .collect();
    fields.join(", ")
}
