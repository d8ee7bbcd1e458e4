//! `plimsoll init`: a commented configuration from a look at some logs; `doctor`: is all well?

use std::fs::File;
use std::io::Read;
use std::path::Path;

use clap::Args;

use super::args::{ConfigFile, FieldArgs};
use super::config;
use super::error::{BAD_VALUE, Exit, Failure, UNWRITABLE};
use super::output::Terminal;
use super::reading;
use crate::config::{FILE_NAME, FieldFinding, SampleFindings, SourceKind, commented_config};
use crate::durable::write_new;
use crate::query::{Opened, Survey, survey_columns};
use crate::store::Snapshot;

/// Bytes that are looked at to see what rules fit.
const MAX_LOOKED_BYTES: u64 = 256 << 20;

/// Write a commented `plimsoll.toml` from a look at some logs.
#[derive(Args, Debug)]
pub(super) struct InitArgs {
    /// Files, directories or globs to look at
    #[arg(value_name = "INPUT", required = true)]
    inputs: Vec<String>,
    /// Print the file instead of writing it
    #[arg(long)]
    dry_run: bool,
}

pub(super) fn init(args: &InitArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let opened = reading::open(&args.inputs, &FieldArgs::detected(), terminal)?;
    let summaries = reading::input_summaries(&opened);
    let notes = reading::reading_notes(&opened).into_iter().map(|note| note.text).collect();
    let first = summaries.first().cloned().unwrap_or_default();
    let directory = std::env::current_dir().ok();
    let project = directory.as_deref().and_then(Path::file_name);
    let documents =
        opened.profiles().all(|(name, profile)| profile.wrapped || is_document_in_a_line(name));
    let findings = SampleFindings {
        project: project.map(|name| name.to_string_lossy().into_owned()).unwrap_or_default(),
        include: args.inputs.iter().map(|input| include_of(input)).collect(),
        kind: documents.then_some(SourceKind::Documents),
        format: first.format.clone(),
        // Where inputs differ, each is better told by itself.
        fields: first
            .fields
            .iter()
            .filter(|field| summaries.iter().all(|input| input.fields.contains(field)))
            .map(|(role, field)| FieldFinding {
                role: role.clone(),
                field: first_field(field).to_owned(),
                note: field.strip_prefix(first_field(field)).unwrap_or_default().trim().to_owned(),
            })
            .collect(),
        notes,
        ..SampleFindings::default()
    };
    let findings = SampleFindings { seen: seen(opened, terminal)?, ..findings };
    let text = commented_config(&findings);
    if args.dry_run {
        terminal.data(&text)?;
        return Ok(Exit::Yes);
    }
    let path = Path::new(FILE_NAME);
    write_new(path, text.as_bytes()).map_err(|error| {
        Failure::caused(&UNWRITABLE, &error).hint("an existing file is kept: --dry-run prints")
    })?;
    terminal.say(&format!("wrote {FILE_NAME}"));
    terminal.hint("plimsoll collect --once reads what is there into the store");
    Ok(Exit::Yes)
}

/// Whether a file holds one small document: a log of JSON lines may have the same name, but more
/// lines.
fn is_document_in_a_line(name: &str) -> bool {
    const LOOKED_BYTES: u64 = 1 << 20;
    let mut start = Vec::new();
    let is_read = |file: File| file.take(LOOKED_BYTES).read_to_end(&mut start).is_ok();
    Path::new(name).extension().is_some_and(|it| it == "json")
        && File::open(name).is_ok_and(is_read)
        && !start.trim_ascii().contains(&b'\n')
}

/// Roles that the first records fill.
fn seen(opened: Opened, terminal: &Terminal) -> Result<Vec<&'static str>, Failure> {
    let mut survey = Survey::default();
    let mut bytes = 0;
    reading::each_batch(opened, &survey_columns(), terminal, &mut |batch| {
        bytes += batch.bytes;
        survey.add(&batch);
        bytes < MAX_LOOKED_BYTES
    })?;
    survey.finish();
    let found = [
        ("duration", survey.with_duration > 0),
        ("status", survey.with_status > 0),
        ("route", !survey.names.routes.is_empty()),
        ("event", !survey.events.is_empty()),
        ("message", !survey.templates.is_empty()),
    ];
    Ok(found.into_iter().filter(|(_, found)| *found).map(|(role, _)| role).collect())
}

/// The field itself, of `took (ms, a guess)` or `status, http.status_code`.
fn first_field(described: &str) -> &str {
    described.split([',', '(']).next().unwrap_or_default().trim()
}

/// The glob that also finds what a named file is rotated to.
fn include_of(input: &str) -> String {
    let path = Path::new(input);
    if path.is_dir() {
        return format!("{}/**/*", input.trim_end_matches('/'));
    }
    let is_glob = input.contains(['*', '?', '[', '{']);
    if is_glob { input.to_owned() } else { format!("{input}*") }
}

/// Check configuration, sources and store, and say what is wrong.
#[derive(Args, Debug)]
pub(super) struct DoctorArgs {
    #[command(flatten)]
    config: ConfigFile,
}

pub(super) fn doctor(args: &DoctorArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let loaded = config::with_sources(&args.config, terminal)?;
    let mut worst = Exit::Yes;
    let mut lines = Vec::new();
    match &loaded.file {
        Some(file) => lines.push(format!("ok    configuration {}", file.display())),
        None => lines.push("ok    no configuration file, the defaults are in effect".to_owned()),
    }
    for source in &loaded.config.sources {
        for pattern in source.files.patterns() {
            match crate::source::discover(&[pattern.to_owned()]) {
                Ok(found) => lines.push(format!(
                    "ok    source {}: {} files match {pattern}",
                    source.name,
                    found.inputs.len()
                )),
                Err(error) => {
                    worst = Exit::Unusable;
                    lines.push(format!("WRONG source {}: {error}", source.name));
                }
            }
        }
    }
    let store = &loaded.config.store.path;
    if store.is_dir() {
        match Snapshot::open(store) {
            Ok(snapshot) => lines.push(format!(
                "ok    store {}: version {}, {} rows",
                store.display(),
                snapshot.version(),
                snapshot.row_count()
            )),
            Err(error) => {
                worst = Exit::Unusable;
                lines.push(format!("WRONG {error}"));
            }
        }
    } else {
        lines.push(format!("ok    store {} will be made by collect", store.display()));
    }
    terminal.data(&(super::output::visible(&lines.join("\n")) + "\n"))?;
    if worst == Exit::Unusable {
        let message = "something is wrong, see above";
        return Err(Failure::new(&BAD_VALUE, message).hint("mend it and run plimsoll doctor again"));
    }
    Ok(worst)
}
