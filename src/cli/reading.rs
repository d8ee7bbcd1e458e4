//! Opens inputs, reads them with progress, and says what was assumed.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use tracing::info;

use super::args::FieldArgs;
use super::config;
use super::error::{Exit, Failure, INTERRUPTED, NO_FIELD};
use super::output::Terminal;
use super::when;
use crate::clock::{Clock, SystemClock};
use crate::decode::Role;
use crate::model::{EventBatch, InputSummary, QualityNote, Wanted, one_line};
use crate::query::{
    Batch, Ended, Opened, Reading, Survey, ValueKind, read, stored_sources, survey_columns,
};
use crate::source::{ReadError, discover};

/// Inputs named in the echo of what was read.
const MAX_ECHOED: usize = 3;
/// Inputs that were passed over and are named in notes.
const MAX_SKIPPED_NOTES: usize = 20;
/// How often a raised signal is looked for, and how long reading may take to notice it.
const SIGNAL_POLL: Duration = Duration::from_millis(50);
const SIGNAL_GRACE: Duration = Duration::from_millis(500);

/// Opens the inputs and tells their formats.
///
/// Without a word it is the configured store that is opened.
pub(super) fn open(
    words: &[String],
    fields: &FieldArgs,
    terminal: &Terminal,
) -> Result<Opened, Failure> {
    let year = when::year(SystemClock.now_us());
    let overrides = fields.overrides(year)?;
    if words.is_empty() {
        let loaded = config::with_sources(&fields.config, terminal)?;
        let sources = stored_sources(&loaded.config.store.path)?;
        return Ok(Opened::open_stored(sources, &overrides)?);
    }
    let discovery = discover(words)?;
    info!(input_count = discovery.inputs.len(), "inputs found");
    Ok(Opened::open(&discovery, &overrides)?)
}

/// Fields whose names share the most letters with a mistaken one.
fn near_fields(fields: &BTreeMap<String, ValueKind>, mistaken: &str) -> String {
    const MAX_NAMED: usize = 6;
    let shared = |name: &str| {
        let (name, mistaken) = (name.to_ascii_lowercase(), mistaken.to_ascii_lowercase());
        mistaken.chars().filter(|letter| name.contains(*letter)).count() as f64
            / name.chars().count().max(mistaken.len()) as f64
    };
    let mut names: Vec<&str> = fields.keys().map(String::as_str).collect();
    names.sort_by(|a, b| shared(b).total_cmp(&shared(a)).then(a.cmp(b)));
    names.truncate(MAX_NAMED);
    format!("there are {} and others; `plimsoll inspect` lists all", names.join(", "))
}

/// Reads everything into a survey; adds to `notes` what was damaged.
pub(super) fn survey(
    opened: Opened,
    notes: &mut Vec<QualityNote>,
    terminal: &Terminal,
) -> Result<Survey, Failure> {
    let mut survey = Survey::default();
    notes.extend(each_batch(opened, &survey_columns(), terminal, &mut |batch| {
        survey.add(&batch);
        true
    })?);
    survey.finish();
    Ok(survey)
}

/// The fields that were asked for and that no sample has, watched for while everything is read.
struct Unconfirmed {
    /// Role, path, and place among the extra columns.
    fields: Vec<(Role, String, usize)>,
    known: BTreeMap<String, ValueKind>,
}

impl Unconfirmed {
    fn new(opened: &mut Opened, wanted: &mut Wanted) -> Self {
        let place = |(role, path): (Role, String)| {
            wanted.add_extra(&path);
            let place = wanted.extras.iter().position(|known| *known == path).unwrap_or_default();
            (role, path, place)
        };
        let fields = std::mem::take(&mut opened.unconfirmed).into_iter().map(place).collect();
        Self { fields, known: opened.fields.clone() }
    }

    fn see(&mut self, events: &EventBatch) {
        self.fields.retain(|(_, _, place)| {
            let column = events.extras.get(*place);
            !column.is_some_and(|column| (0..events.len).any(|row| column.get(row).is_some()))
        });
    }

    fn failure(&self) -> Option<Failure> {
        let (role, path, _) = self.fields.first()?;
        let message = format!("no record has the field `{path}` taken for {}", role.name());
        Some(Failure::new(&NO_FIELD, message).hint(near_fields(&self.known, path)))
    }
}

/// Reads everything and hands it on batch by batch, with progress and until interrupted; gives a
/// note for each input that was damaged.
pub(super) fn each_batch(
    mut opened: Opened,
    wanted: &Wanted,
    terminal: &Terminal,
    consume: &mut (dyn FnMut(Batch<'_>) -> bool + Send),
) -> Result<Vec<QualityNote>, Failure> {
    let mut wanted = wanted.clone();
    let mut unconfirmed = Unconfirmed::new(&mut opened, &mut wanted);
    let signals = Signals::watched();
    let progress = progress(&opened, terminal);
    let began = Instant::now();
    let (mut records, mut bytes) = (0, 0);
    let reading = read(opened, &wanted, &signals.stop, &mut |batch| {
        records += batch.records;
        bytes += batch.bytes;
        progress.set_position(bytes);
        unconfirmed.see(batch.events);
        consume(batch)
    });
    progress.finish_and_clear();
    let Reading { ended, damaged } = reading?;
    let elapsed_ms = began.elapsed().as_millis() as u64;
    info!(record_count = records, bytes, elapsed_ms, "inputs read");
    if ended == Ended::Stopped && signals.stop.load(Ordering::Relaxed) {
        return Err(Failure::new(&INTERRUPTED, "interrupted"));
    }
    if let Some(failure) = unconfirmed.failure().filter(|_| ended == Ended::AtEnd) {
        return Err(failure);
    }
    let note = |error: &ReadError| {
        let text = format!("{error}; the records before were read.");
        terminal.say(&format!("  note: {text}"));
        QualityNote { kind: "damaged".to_owned(), text }
    };
    Ok(damaged.iter().map(note).collect())
}

/// While inputs are read, the first SIGINT or SIGTERM raises a flag; a second one ends the process
/// at once, and so does the first when reading does not notice, as while it waits for a silent
/// pipe. Before and after, a signal ends the process at once, as if nobody had caught it.
struct Signals {
    stop: Arc<AtomicBool>,
    is_over: Arc<AtomicBool>,
}

impl Signals {
    fn watched() -> Self {
        static CAUGHT: OnceLock<Arc<AtomicBool>> = OnceLock::new();
        let stop = Arc::clone(CAUGHT.get_or_init(caught));
        stop.store(false, Ordering::SeqCst);
        let is_over = Arc::new(AtomicBool::new(false));
        let (raised, done) = (Arc::clone(&stop), Arc::clone(&is_over));
        std::thread::spawn(move || {
            while !raised.load(Ordering::SeqCst) && !done.load(Ordering::SeqCst) {
                std::thread::sleep(SIGNAL_POLL);
            }
            std::thread::sleep(SIGNAL_GRACE);
            if !done.load(Ordering::SeqCst) {
                std::process::exit(i32::from(Exit::Interrupted.code()));
            }
        });
        Self { stop, is_over }
    }
}

impl Drop for Signals {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::SeqCst);
        // Ends the watch, and the process with the next signal.
        self.stop.store(true, Ordering::SeqCst);
    }
}

/// A flag that signals raise; a signal while it is raised ends the process.
pub(super) fn caught() -> Arc<AtomicBool> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        // Registered in this order: the first signal only raises the flag.
        let code = 128 + signal;
        let armed = signal_hook::flag::register_conditional_shutdown(signal, code, stop.clone());
        let raised = signal_hook::flag::register(signal, stop.clone());
        if armed.is_err() || raised.is_err() {
            tracing::warn!(signal, "signal cannot be caught");
        }
    }
    stop
}

fn progress(opened: &Opened, terminal: &Terminal) -> ProgressBar {
    if !terminal.interactive {
        return ProgressBar::hidden();
    }
    // How much a compressed input will give is not known before it was read.
    let (bar, template) = match opened.bytes_to_read() {
        Some(bytes) => (
            ProgressBar::new(bytes),
            "reading {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}",
        ),
        None => (ProgressBar::new_spinner(), "reading {spinner} {bytes} {bytes_per_sec}"),
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(if terminal.ascii {
            style.progress_chars("#>-").tick_chars("-\\|/ ")
        } else {
            style
        });
    }
    bar.enable_steady_tick(Duration::from_millis(100));
    bar
}

/// Inputs as a report lists them; counts are filled in after reading.
pub(super) fn input_summaries(opened: &Opened) -> Vec<InputSummary> {
    opened
        .profiles()
        .map(|(name, profile)| InputSummary {
            name: name.to_owned(),
            format: profile.label.clone(),
            fields: profile.described(),
            ..InputSummary::default()
        })
        .collect()
}

/// Guesses and inputs that were passed over.
pub(super) fn reading_notes(opened: &Opened) -> Vec<QualityNote> {
    let mut notes: Vec<QualityNote> = Vec::new();
    for (name, reason) in opened.skipped.iter().take(MAX_SKIPPED_NOTES) {
        let text = format!("`{}` {reason} and was passed over.", one_line(name));
        notes.push(QualityNote { kind: "skipped".to_owned(), text });
    }
    let more = opened.skipped.len().saturating_sub(MAX_SKIPPED_NOTES);
    if more > 0 {
        let text = format!("{more} more inputs were passed over.");
        notes.push(QualityNote { kind: "skipped".to_owned(), text });
    }
    for (name, profile) in opened.profiles() {
        for note in &profile.notes {
            let known = notes.iter().any(|known| known.text.ends_with(note));
            if !known {
                let text = format!("`{}`: {note}", one_line(name));
                notes.push(QualityNote { kind: "guess".to_owned(), text });
            }
        }
    }
    notes
}

/// Says what was read and which fields were taken for what.
pub(super) fn echo(inputs: &[InputSummary], notes: &[QualityNote], terminal: &Terminal) {
    let mut shown: Vec<&Vec<(String, String)>> = Vec::new();
    let mut said = 0;
    for input in inputs {
        if shown.len() == MAX_ECHOED || shown.contains(&&input.fields) {
            continue;
        }
        let alike = inputs.iter().filter(|other| other.fields == input.fields).count();
        said += alike;
        let others = if alike > 1 { format!(" and {} more", alike - 1) } else { String::new() };
        terminal.say(&format!("read {}{others}: {}", one_line(&input.name), input.format));
        let fields: Vec<String> =
            input.fields.iter().map(|(role, field)| format!("{role}={field}")).collect();
        terminal.say(&format!("  using {}", one_line(&fields.join(" "))));
        shown.push(&input.fields);
    }
    if let Some(more) = inputs.len().checked_sub(said).filter(|more| *more > 0) {
        let inputs = if more == 1 { "input" } else { "inputs" };
        terminal.say(&format!("read {more} more {inputs} with other fields (plimsoll inspect)"));
    }
    for note in notes {
        terminal.say(&format!("  note: {}", one_line(&note.text)));
    }
}
