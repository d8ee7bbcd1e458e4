//! `plimsoll inspect`: what was understood of the inputs.

use clap::{Args, ValueEnum};
use serde::Serialize;

use super::args::InputArgs;
use super::error::{Exit, Failure};
use super::output::Terminal;
use super::reading;
use crate::model::{Example, InputSummary, QualityNote, format_ts, one_line};
use crate::query::{Survey, ValueKind};

/// Fields listed in text output.
const MAX_FIELDS: usize = 60;
/// Different sets of fields taken that are listed in text output.
const MAX_PROFILES: usize = 5;

/// Show what was understood of the inputs: format, fields, units, span, rejects
///
/// Exit status: 0 understood, 3 no time can be read, 4 unusable input.
#[derive(Args, Debug)]
pub(super) struct InspectArgs {
    /// Inputs and fields
    #[command(flatten)]
    pub input: InputArgs,
    /// Output format
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: InspectOutput,
    /// Same as -o json
    #[arg(long)]
    pub json: bool,
}

/// Output of `inspect`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum InspectOutput {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

/// What was understood. Schema `plimsoll.inspect/1`.
#[derive(Serialize, schemars::JsonSchema)]
pub(super) struct Inspection {
    schema: &'static str,
    inputs: Vec<InputSummary>,
    fields: Vec<FieldRow>,
    records: u64,
    events: u64,
    rejected: u64,
    reject_reasons: Vec<(String, u64)>,
    reject_examples: Vec<Example>,
    first_ts: Option<String>,
    last_ts: Option<String>,
    no_time: u64,
    out_of_order: u64,
    requests: u64,
    with_duration: u64,
    with_status: u64,
    errors: u64,
    routes: usize,
    versions: Vec<String>,
    event_names: Vec<String>,
    templates: usize,
    notes: Vec<QualityNote>,
    untrusted_text_fields: [&'static str; 7],
}

#[derive(Serialize, schemars::JsonSchema)]
struct FieldRow {
    path: String,
    kind: &'static str,
}

pub(super) fn run(args: &InspectArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let opened = reading::open(&args.input.inputs, &args.input.fields, terminal)?;
    let fields: Vec<FieldRow> = opened
        .fields
        .iter()
        .map(|(path, kind)| FieldRow { path: path.clone(), kind: kind_name(*kind) })
        .collect();
    let inputs = reading::input_summaries(&opened);
    let mut notes = reading::reading_notes(&opened);
    let survey = reading::survey(opened, &mut notes, terminal)?;
    let exit = if survey.span_us.is_some() { Exit::Yes } else { Exit::CannotTell };
    let inspection = inspection(&survey, inputs, fields, notes);
    if args.json || args.output == InspectOutput::Json {
        terminal.json(&inspection)?;
    } else {
        terminal.text(&text(&inspection))?;
        terminal.hint("plimsoll report writes the health report; `query` asks with SQL");
    }
    Ok(exit)
}

fn kind_name(kind: ValueKind) -> &'static str {
    match kind {
        ValueKind::Integer => "integer",
        ValueKind::Number => "number",
        ValueKind::Bool => "bool",
        ValueKind::Text => "text",
    }
}

fn inspection(
    survey: &Survey,
    inputs: Vec<InputSummary>,
    fields: Vec<FieldRow>,
    notes: Vec<QualityNote>,
) -> Inspection {
    let counted = survey.counted(inputs);
    Inspection {
        schema: "plimsoll.inspect/1",
        inputs: counted.inputs,
        fields,
        records: counted.records,
        events: counted.events,
        rejected: counted.rejected,
        reject_reasons: counted.reject_reasons,
        reject_examples: counted.reject_examples,
        first_ts: survey.span_us.map(|(first, _)| format_ts(first)),
        last_ts: survey.span_us.map(|(_, last)| format_ts(last)),
        no_time: survey.no_time,
        out_of_order: survey.out_of_order,
        requests: survey.request_count,
        with_duration: survey.with_duration,
        with_status: survey.with_status,
        errors: survey.errors,
        routes: survey.names.routes.len(),
        versions: survey.names.versions.iter().map(|(_, name)| name.to_owned()).collect(),
        event_names: survey.events.iter().map(|(_, name)| name.to_owned()).collect(),
        templates: survey.templates.len(),
        notes,
        untrusted_text_fields: [
            "inputs[].name",
            "inputs[].fields",
            "fields[].path",
            "reject_examples",
            "versions",
            "event_names",
            "notes[].text",
        ],
    }
}

fn text(inspection: &Inspection) -> String {
    let mut lines = Vec::new();
    for input in &inspection.inputs {
        let count = format!("{} records, {} rejected", input.records, input.rejected);
        lines.push(format!("{}: {}, {count}", one_line(&input.name), input.format));
    }
    push_fields_taken(&inspection.inputs, &mut lines);
    lines.push("found".to_owned());
    let span = match (&inspection.first_ts, &inspection.last_ts) {
        (Some(first), Some(last)) => format!("{first} – {last}"),
        _ => "no time could be read: name the field with --time FIELD".to_owned(),
    };
    let counts = [
        ("span", span),
        ("events", inspection.events.to_string()),
        ("requests", inspection.requests.to_string()),
        ("with duration", inspection.with_duration.to_string()),
        ("with status", inspection.with_status.to_string()),
        ("errors", inspection.errors.to_string()),
        ("routes", inspection.routes.to_string()),
        ("versions", shortened(&inspection.versions)),
        ("event names", shortened(&inspection.event_names)),
        ("templates", inspection.templates.to_string()),
        ("without time", inspection.no_time.to_string()),
        ("out of order", inspection.out_of_order.to_string()),
    ];
    lines.extend(counts.iter().map(|(name, value)| format!("  {name:14} {value}")));
    if inspection.rejected > 0 {
        lines.push("rejected".to_owned());
        let reasons = inspection.reject_reasons.iter();
        lines.extend(reasons.map(|(reason, count)| format!("  {count} {reason}")));
        for example in &inspection.reject_examples {
            let cut: String = example.text.chars().take(100).collect();
            let input = one_line(&example.input);
            lines.push(format!("  {input} @{}: {}", example.offset, one_line(&cut)));
        }
    }
    lines.push(format!("all fields ({})", inspection.fields.len()));
    let shown = inspection.fields.iter().take(MAX_FIELDS);
    lines.extend(shown.map(|field| format!("  {:30} {}", field_name(&field.path), field.kind)));
    if inspection.fields.len() > MAX_FIELDS {
        lines.push(format!("  … {} more with -o json", inspection.fields.len() - MAX_FIELDS));
    }
    lines.extend(inspection.notes.iter().map(|note| format!("note: {}", one_line(&note.text))));
    super::output::visible(&(lines.join("\n") + "\n"))
}

/// The fields of each kind of input: a list for every different one.
fn push_fields_taken(inputs: &[InputSummary], lines: &mut Vec<String>) {
    let mut shown: Vec<&InputSummary> = Vec::new();
    for input in inputs {
        if shown.len() < MAX_PROFILES && !shown.iter().any(|known| known.fields == input.fields) {
            shown.push(input);
        }
    }
    for input in &shown {
        let of =
            if shown.len() > 1 { format!(" of {}", one_line(&input.name)) } else { String::new() };
        let alike = inputs.iter().filter(|other| other.fields == input.fields).count() - 1;
        let more =
            if shown.len() > 1 && alike > 0 { format!(" and {alike} more") } else { String::new() };
        lines.push(format!("fields taken{of}{more}"));
        for (role, field) in &input.fields {
            lines.push(format!("  {role:14} {}", one_line(field)));
        }
    }
    let told: usize = shown
        .iter()
        .map(|known| inputs.iter().filter(|input| input.fields == known.fields).count())
        .sum();
    if told < inputs.len() {
        lines.push(format!("fields of {} more inputs with -o json", inputs.len() - told));
    }
}

/// A field's path on one line; the empty one is shown by its quotes.
fn field_name(path: &str) -> String {
    if path.trim().is_empty() { format!("\"{path}\"") } else { one_line(path).into_owned() }
}

fn shortened(names: &[String]) -> String {
    let shown: Vec<_> = names.iter().take(6).map(|name| one_line(name)).collect();
    match names.len().checked_sub(shown.len()) {
        Some(more) if more > 0 => format!("{} and {more} more", shown.join(", ")),
        _ if names.is_empty() => "none".to_owned(),
        _ => shown.join(", "),
    }
}
