//! `plimsoll collect`: follows the configured sources into the store.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Instant;

use clap::Args;

use super::args::{ConfigFile, FieldArgs, InputArgs};
use super::check::CheckArgs;
use super::check::subject::Subject;
use super::config::with_sources;
use super::error::{Exit, Failure, STORE, UNREADABLE, UNWRITABLE};
use super::output::Terminal;
use super::rounds::{self, Rounds};
use super::when;
use crate::alert::{self, Phase};
use crate::clock::{Clock, SystemClock};
use crate::collect::{CollectError, Collected, Ended, Options, collect};
use crate::config::{Config, KeySource};
use crate::decode::Overrides;
use crate::durable::write_private;
use crate::model::{Cursor, DocumentCursor, Positions};
use crate::store::{Snapshot, StoreError};

/// Bytes of a key of pseudonyms that is made here.
const KEY_BYTES: usize = 32;
/// Documents of a source that are shown one by one.
const MAX_DOCUMENTS: usize = 20;

/// Follow the configured sources into the store.
#[derive(Args, Debug)]
pub(super) struct CollectArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// Read what is there and end
    #[arg(long)]
    once: bool,
    /// Show sources, positions and lag instead
    #[arg(long, conflicts_with = "once")]
    status: bool,
}

pub(super) fn run(args: &CollectArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let loaded = with_sources(&args.config, terminal)?;
    let config = &loaded.config;
    if args.status {
        return status(&Snapshot::open(&config.store.path)?, config, terminal);
    }
    let year = when::year(SystemClock.now_us());
    let options = Options {
        once: args.once,
        overrides: Overrides { year, ..Overrides::default() },
        key: key(&config.redact.key)?,
    };
    let stop = stop_flag()?;
    let has_rules = !(config.rules.is_empty() && config.slos.is_empty());
    if !args.once && has_rules && !config.receivers.is_empty() {
        follow_rules(&args.config, &stop, terminal)?;
    }
    let collected = collect(config, &options, &SystemClock, &stop, &|line| terminal.say(line))?;
    tell(&collected, terminal);
    if args.once {
        terminal.hint("plimsoll report judges what is stored");
    }
    Ok(Exit::Yes)
}

/// Judges the rules over the store on a thread of its own, so that collecting never waits for it.
///
/// Nobody waits for the thread either: what it keeps is whole on the disk at any moment. It begins
/// after the first interval, when what had piled up is likely to be stored.
fn follow_rules(
    config: &ConfigFile,
    stop: &Arc<AtomicBool>,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let fields = FieldArgs { config: config.clone(), ..FieldArgs::detected() };
    let input = InputArgs { inputs: Vec::new(), fields };
    let args = CheckArgs { input, ..CheckArgs::default() };
    let mut subject = Subject::configured(&args, terminal)?;
    subject.set_window(subject.config().alert.window);
    let (stop, terminal) = (Arc::clone(stop), *terminal);
    std::thread::spawn(move || {
        let (mut rounds, mut said) = (None, String::new());
        while !stop.load(Ordering::Relaxed) {
            let next = Instant::now() + subject.config().alert.interval;
            let Err(failure) = judge_at(next, &mut rounds, (&subject, &args), &stop, &terminal)
            else {
                continue;
            };
            tracing::warn!("rules: {}", failure.message);
            if said != failure.message {
                terminal.say(&format!("rules are tried again: {}", failure.message));
                said = failure.message;
            }
            rounds::pause(next, &stop);
        }
    });
    Ok(())
}

/// Sends what is due until it is time, then judges.
fn judge_at<'a>(
    next: Instant,
    rounds: &mut Option<Rounds<'a>>,
    (subject, args): (&'a Subject, &'a CheckArgs),
    stop: &AtomicBool,
    terminal: &Terminal,
) -> Result<(), Failure> {
    let rounds = match rounds {
        Some(rounds) => rounds,
        None => rounds.insert(Rounds::told(subject, args, terminal)?),
    };
    rounds.wait(next, stop)?;
    rounds.judge(SystemClock.now_us(), stop)?;
    Ok(())
}

/// Raised by SIGINT and SIGTERM: what was read is committed, then collecting ends.
fn stop_flag() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    for signal in [signal_hook::consts::SIGINT, signal_hook::consts::SIGTERM] {
        signal_hook::flag::register(signal, Arc::clone(&stop)).map_err(|error| {
            Failure::new(&UNREADABLE, format!("signals cannot be caught: {error}"))
        })?;
    }
    Ok(stop)
}

fn tell(collected: &Collected, terminal: &Terminal) {
    for (name, counters) in &collected.sources {
        terminal.say(&format!(
            "source {name}: {} records, {} bytes, {} truncated, {} files rewritten, {} bytes lost \
             unread",
            counters.records,
            counters.bytes,
            counters.truncated_records,
            counters.truncated_files,
            counters.bytes_unread_at_loss
        ));
    }
    let ended = match collected.ended {
        Ended::Done => "",
        Ended::Stopped => ", stopped as asked",
    };
    let Collected { rows, commits, .. } = collected;
    let word = if *commits == 1 { "commit" } else { "commits" };
    terminal.say(&format!("stored {rows} rows in {commits} {word}{ended}"));
}

fn status(snapshot: &Snapshot, config: &Config, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut lines = vec![format!(
        "store {} version {}: {} rows in {} segments",
        snapshot.store().display(),
        snapshot.version(),
        snapshot.row_count(),
        snapshot.segments().len()
    )];
    for (source, cursors) in snapshot.cursors() {
        let positions = Positions::parse(cursors).map_err(|error| {
            Failure::new(&UNREADABLE, format!("positions of source `{source}`: {error}"))
        })?;
        lines.extend(match positions {
            Positions::Files(cursors) => cursors.iter().map(|it| of_file(source, it)).collect(),
            Positions::Documents(cursors) => of_documents(source, &cursors),
        });
    }
    lines.extend(alerts(config)?);
    terminal.data(&(super::output::visible(&lines.join("\n")) + "\n"))?;
    Ok(Exit::Yes)
}

/// What fires, and how much of it nobody knows yet; nothing where no alerts are kept.
fn alerts(config: &Config) -> Result<Vec<String>, Failure> {
    let Some(standing) = alert::standing(&rounds::directory(config))? else {
        return Ok(Vec::new());
    };
    let firing = standing.state.alerts().filter(|(_, alert)| alert.phase == Phase::Firing);
    let mut lines: Vec<String> =
        firing.map(|(rule, alert)| format!("firing  {}", rounds::since(rule, alert))).collect();
    let (firing_count, waiting_count) = (lines.len(), standing.waiting_count);
    lines.insert(0, format!("alerts: {firing_count} firing, {waiting_count} messages wait"));
    Ok(lines)
}

fn of_file(source: &str, cursor: &Cursor) -> String {
    let size = std::fs::metadata(&cursor.path).map(|metadata| metadata.len()).ok();
    let behind = match size {
        Some(size) if cursor.packed.is_none() => {
            format!("{} bytes behind", size.saturating_sub(cursor.position))
        }
        _ => "–".to_owned(),
    };
    format!(
        "{source}  {}  {:?}  position {}  {behind}  {}",
        cursor.generation,
        cursor.state,
        cursor.position,
        cursor.path.display()
    )
}

/// How many documents there are, and the first of them.
fn of_documents(source: &str, cursors: &[DocumentCursor]) -> Vec<String> {
    let one = |cursor: &DocumentCursor| {
        let DocumentCursor { generation, len, path, .. } = cursor;
        format!("{source}  {generation}  {len} bytes  {}", path.display())
    };
    let mut lines = vec![format!("{source}  {} documents", cursors.len())];
    lines.extend(cursors.iter().take(MAX_DOCUMENTS).map(one));
    let more = cursors.len().saturating_sub(MAX_DOCUMENTS);
    lines.extend((more > 0).then(|| format!("{source}  and {more} more")));
    lines
}

/// The key of the pseudonyms, made at its first use where nobody else keeps it.
fn key(source: &KeySource) -> Result<Vec<u8>, Failure> {
    let read = |path: &PathBuf| match std::fs::read(path) {
        Ok(key) if key.len() < 16 => Err(Failure::new(
            &UNREADABLE,
            format!("the key in `{}` is shorter than 16 bytes", path.display()),
        )),
        Ok(key) => Ok(Some(key)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(Failure::new(
            &UNREADABLE,
            format!("cannot read the key of pseudonyms `{}`: {error}", path.display()),
        )),
    };
    match source {
        KeySource::Given(secret) => Ok(secret.expose().as_bytes().to_vec()),
        KeySource::File(path) => read(path)?.ok_or_else(|| {
            Failure::new(
                &UNREADABLE,
                format!("there is no key of pseudonyms in `{}`", path.display()),
            )
            .hint("head -c 32 /dev/urandom | base64 > FILE makes one")
        }),
        KeySource::Own(path) => {
            if let Some(key) = read(path)? {
                return Ok(key);
            }
            let key: Vec<u8> =
                (0..KEY_BYTES / 16).flat_map(|_| uuid::Uuid::new_v4().into_bytes()).collect();
            write_private(path, &key).map_err(|error| Failure::caused(&UNWRITABLE, &error))?;
            Ok(key)
        }
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::caused(&STORE, &error)
    }
}

impl From<CollectError> for Failure {
    fn from(error: CollectError) -> Self {
        Self::caused(&STORE, &error)
    }
}
