//! Opens inputs, reads them with progress, and says what was assumed.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use tracing::info;

use super::args::FieldArgs;
use super::error::{Exit, Failure, INTERRUPTED, NO_FIELD};
use super::output::Terminal;
use super::when;
use crate::clock::{Clock, SystemClock};
use crate::model::{InputSummary, QualityNote, Wanted};
use crate::query::{Batch, Ended, Opened, Survey, read, survey_columns};
use crate::source::discover;

/// Inputs named in the echo of what was read.
const MAX_ECHOED: usize = 3;
/// How often a raised signal is looked for, and how long reading may take to notice it.
const SIGNAL_POLL: Duration = Duration::from_millis(50);
const SIGNAL_GRACE: Duration = Duration::from_millis(500);

/// Opens the inputs and tells their formats.
pub(super) fn open(words: &[String], fields: &FieldArgs) -> Result<Opened, Failure> {
    let year = when::year(SystemClock.now_us());
    let overrides = fields.overrides(year)?;
    let inputs = discover(words)?;
    info!(input_count = inputs.len(), "inputs found");
    let opened = Opened::open(&inputs, &overrides)?;
    for (role, field) in &overrides.fields {
        if !opened.fields.contains_key(field) {
            let message = format!("no record has the field `{field}` taken for {}", role.name());
            return Err(Failure::new(&NO_FIELD, message).hint(near_fields(&opened, field)));
        }
    }
    Ok(opened)
}

/// Fields whose names share the most letters with a mistaken one.
fn near_fields(opened: &Opened, mistaken: &str) -> String {
    const MAX_NAMED: usize = 6;
    let shared = |name: &str| {
        let (name, mistaken) = (name.to_ascii_lowercase(), mistaken.to_ascii_lowercase());
        mistaken.chars().filter(|letter| name.contains(*letter)).count() as f64
            / name.chars().count().max(mistaken.len()) as f64
    };
    let mut names: Vec<&str> = opened.fields.keys().map(String::as_str).collect();
    names.sort_by(|a, b| shared(b).total_cmp(&shared(a)).then(a.cmp(b)));
    names.truncate(MAX_NAMED);
    format!("there are {} and others; `plimsoll inspect` lists all", names.join(", "))
}

/// Reads everything into a survey.
pub(super) fn survey(opened: Opened, terminal: &Terminal) -> Result<Survey, Failure> {
    let mut survey = Survey::default();
    each_batch(opened, &survey_columns(), terminal, &mut |batch| {
        survey.add(&batch);
        true
    })?;
    survey.finish();
    Ok(survey)
}

/// Reads everything and hands it on batch by batch, with progress and until interrupted.
pub(super) fn each_batch(
    opened: Opened,
    wanted: &Wanted,
    terminal: &Terminal,
    consume: &mut (dyn FnMut(Batch<'_>) -> bool + Send),
) -> Result<(), Failure> {
    let signals = Signals::watched();
    let progress = progress(&opened, terminal);
    let began = Instant::now();
    let (mut records, mut bytes) = (0, 0);
    let ended = read(opened, wanted, &signals.stop, &mut |batch| {
        records += batch.records;
        bytes += batch.bytes;
        progress.set_position(bytes);
        consume(batch)
    });
    progress.finish_and_clear();
    let ended = ended?;
    let elapsed_ms = began.elapsed().as_millis() as u64;
    info!(record_count = records, bytes, elapsed_ms, "inputs read");
    if ended == Ended::Stopped && signals.stop.load(Ordering::Relaxed) {
        return Err(Failure::new(&INTERRUPTED, "interrupted"));
    }
    Ok(())
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
fn caught() -> Arc<AtomicBool> {
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
    let bar = match opened.bytes_to_read() {
        Some(bytes) => ProgressBar::new(bytes),
        None => ProgressBar::new_spinner(),
    };
    let template = "reading {bar:30} {bytes}/{total_bytes} {bytes_per_sec} {eta}";
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(if terminal.ascii { style.progress_chars("#>-") } else { style });
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
    for (name, reason) in &opened.skipped {
        let text = format!("`{name}` {reason} and was passed over.");
        notes.push(QualityNote { kind: "skipped".to_owned(), text });
    }
    for (name, profile) in opened.profiles() {
        for note in &profile.notes {
            let known = notes.iter().any(|known| known.text.ends_with(note));
            if !known {
                let text = format!("`{name}`: {note}");
                notes.push(QualityNote { kind: "guess".to_owned(), text });
            }
        }
    }
    notes
}

/// Says what was read and which fields were taken for what.
pub(super) fn echo(inputs: &[InputSummary], notes: &[QualityNote], terminal: &Terminal) {
    let mut shown: Vec<&Vec<(String, String)>> = Vec::new();
    for input in inputs {
        if shown.len() == MAX_ECHOED || shown.contains(&&input.fields) {
            continue;
        }
        let alike = inputs.iter().filter(|other| other.fields == input.fields).count() - 1;
        let others = if alike > 0 { format!(" and {alike} more") } else { String::new() };
        terminal.say(&format!("read {}{others}: {}", input.name, input.format));
        let fields: Vec<String> =
            input.fields.iter().map(|(role, field)| format!("{role}={field}")).collect();
        terminal.say(&format!("  using {}", fields.join(" ")));
        shown.push(&input.fields);
    }
    for note in notes {
        terminal.say(&format!("  note: {}", note.text));
    }
}
