//! The stages of collecting, a thread each: a reader, an encoder that makes rows, a writer that
//! commits them. What is handed on keeps its order, so positions are committed with their rows.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, SyncSender};
use std::time::{Duration, Instant};

use crate::clock::Clock;
use crate::config::Config;
use crate::decode::Overrides;
use crate::redact::Redactor;
use crate::source::follow::{Counters, DocumentSettings, Settings};
use crate::store::{Rows, RowsError, StoreError, Writer};

use super::CollectError;
use super::encode::Encoder;
use super::source::{Limits, Taken, Watched};
use super::upkeep::Upkeep;

/// Bytes asked for at once of one generation.
const READ_BYTES: usize = 2 << 20;
/// Reads that wait for the encoder.
const READ_AHEAD: usize = 1;
/// Descriptors left to the store, to directories that are listed, and to plimsoll's own log.
const KEPT_DESCRIPTORS: usize = 64;
/// Open files without which following several files makes no progress.
const MIN_OPEN_FILES: usize = 8;
/// How long a full store is left alone before the next try.
const FULL_PAUSE: Duration = Duration::from_secs(1);
/// How often the store's upkeep gets its turn when nothing is read.
const UPKEEP_EVERY: Duration = Duration::from_secs(1);
/// A full store is told about once in this time.
const FULL_TOLD_EVERY: Duration = Duration::from_mins(1);
/// How often a raised stop flag is looked at while waiting.
const STOP_POLL: Duration = Duration::from_millis(50);

/// How to collect.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Read what is there and end, instead of following.
    pub once: bool,
    /// What a person said about the fields of every source.
    pub overrides: Overrides,
    /// Key of the pseudonyms.
    pub key: Vec<u8>,
}

/// How collecting ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything that was there is stored.
    Done,
    /// It was asked to stop, and stored what it had read.
    Stopped,
}

/// What was collected.
#[derive(Clone, Debug)]
pub struct Collected {
    /// How it ended.
    pub ended: Ended,
    /// Rows committed.
    pub rows: u64,
    /// Commits made.
    pub commits: u64,
    /// What each source did.
    pub sources: Vec<(String, Counters)>,
}

/// What the reader hands on.
enum Read {
    /// Records of a source, by its number.
    Records(usize, Taken),
    /// The transaction of the records before, and the positions after them.
    End { cursors: BTreeMap<String, String>, read_at: Instant },
}

/// The other stages have ended early: the reader has nobody to read for.
struct Closed;

/// One transaction to be.
struct Pending {
    rows: Rows,
    cursors: BTreeMap<String, String>,
    read_at: Instant,
}

/// Follows the sources of `config` into its store until `stop` is raised, or once; `say` is told
/// what a person should know, such as files that cannot be read.
///
/// # Errors
/// When the store cannot be used; what was committed before stays, and a later call goes on
/// from there.
pub fn collect(
    config: &Config,
    options: &Options,
    clock: &dyn Clock,
    stop: &AtomicBool,
    say: &(dyn Fn(&str) + Sync),
) -> Result<Collected, CollectError> {
    let mut writer = Writer::create_or_open(&config.store.path)?;
    let redactor = Arc::new(redactor(config, &options.key)?);
    let limits = limits(config, options.once);
    let (mut sources, mut encoders) = (Vec::new(), Vec::new());
    for source in &config.sources {
        let cursors = writer.cursors().get(&source.name).cloned();
        let overrides = options.overrides.clone();
        let redactor = Arc::clone(&redactor);
        let (watched, encoder) =
            Watched::resume(source, limits, overrides, redactor, cursors.as_deref())?;
        sources.push(watched);
        encoders.push(encoder);
    }
    let failed = &AtomicBool::new(false);
    let mut reader = Reader { config, once: options.once, clock, stop, say, failed, sources };
    let (ended, encoded, written) = std::thread::scope(|scope| {
        let (reads, to_encode) = mpsc::sync_channel(READ_AHEAD);
        // Rows take several times the room of their text: none wait between the two.
        let (pendings, to_write) = mpsc::sync_channel(0);
        // Each thread owns its ends of the channels: nobody waits for one that is gone.
        let encoding = scope.spawn(move || {
            let encoded = encode(&mut encoders, &to_encode, &pendings);
            failed.fetch_or(encoded.is_err(), Ordering::Relaxed);
            encoded
        });
        let writing = scope.spawn(move || {
            let upkeep = Upkeep::new(config, options.once, clock, say);
            let written = write(&mut writer, &to_write, stop, say, upkeep);
            failed.fetch_or(written.is_err(), Ordering::Relaxed);
            written
        });
        let ended = reader.run(&reads);
        drop(reads);
        (ended, encoding.join(), writing.join())
    });
    let (rows, commits) = written.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    encoded.unwrap_or_else(|panic| std::panic::resume_unwind(panic))?;
    let sources = reader.sources.iter().map(|s| (s.name.clone(), s.counters())).collect();
    Ok(Collected { ended, rows, commits, sources })
}

/// Files that one source may hold open: its share of what is configured and the system grants.
fn max_open_files(config: &Config) -> usize {
    let limits = std::fs::read_to_string("/proc/self/limits").unwrap_or_default();
    let granted = limits.lines().find_map(|line| {
        let soft = line.strip_prefix("Max open files")?.split_whitespace().next()?;
        soft.parse::<usize>().ok()
    });
    let configured = config.collect.max_open_files as usize;
    let granted = granted.map_or(configured, |most| most.saturating_sub(KEPT_DESCRIPTORS));
    // A source holds as many again while it cannot tell what they are.
    let shares = config.sources.len().max(1) * 2;
    (configured.min(granted) / shares).max(MIN_OPEN_FILES)
}

fn redactor(config: &Config, key: &[u8]) -> Result<Redactor, CollectError> {
    let fields: Vec<String> =
        config.redact.personal_fields.iter().map(ToString::to_string).collect();
    Ok(Redactor::new(key, &config.redact.secret_names, &fields)?)
}

fn limits(config: &Config, once: bool) -> Limits<'_> {
    let collect = &config.collect;
    let us = |time: Duration| i64::try_from(time.as_micros()).unwrap_or(i64::MAX);
    Limits {
        files: Settings {
            once,
            max_record: collect.max_record_bytes,
            truncated_keep: collect.truncated_keep_bytes as usize,
            idle_tail_us: us(collect.idle_tail),
            max_open: max_open_files(config),
        },
        documents: DocumentSettings { once, settle_us: us(collect.settle_time) },
        link_roots: &collect.link_roots,
    }
}

struct Reader<'a> {
    config: &'a Config,
    once: bool,
    clock: &'a dyn Clock,
    stop: &'a AtomicBool,
    say: &'a (dyn Fn(&str) + Sync),
    failed: &'a AtomicBool,
    sources: Vec<Watched>,
}

impl Reader<'_> {
    fn run(&mut self, sender: &SyncSender<Read>) -> Ended {
        let collect = &self.config.collect;
        let (flush_every, look_every) = (collect.flush_interval, collect.reconcile_interval);
        let mut looked: Option<Instant> = None;
        loop {
            let started = Instant::now();
            if looked.is_none_or(|at| at.elapsed() >= look_every) {
                let now_us = self.clock.now_us();
                self.sources.iter_mut().for_each(|source| source.reconcile(now_us));
                looked = Some(started);
            }
            let is_stopping = self.is_stopping();
            let passed = self.pass(sender);
            self.tell();
            let Ok(filled) = passed else { return Ended::Stopped };
            if self.failed.load(Ordering::Relaxed) || is_stopping {
                return Ended::Stopped;
            }
            if filled {
                continue;
            }
            if self.once {
                return Ended::Done;
            }
            self.rest(flush_every.saturating_sub(started.elapsed()));
        }
    }

    fn is_stopping(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    fn rest(&self, time: Duration) {
        let until = Instant::now() + time;
        while !self.is_stopping() && !self.failed.load(Ordering::Relaxed) {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            std::thread::sleep(left.min(STOP_POLL));
        }
    }

    /// Reads all sources up to the size of a commit, and hands that on; whether more is there.
    fn pass(&mut self, sender: &SyncSender<Read>) -> Result<bool, Closed> {
        let budget = self.config.collect.flush_bytes as usize;
        let read_at = Instant::now();
        let (mut bytes, mut is_more) = (0, true);
        while is_more && bytes < budget {
            is_more = false;
            for (number, source) in self.sources.iter_mut().enumerate() {
                let wanted = READ_BYTES.min(budget);
                if let Some(taken) = source.read(self.clock.now_us(), wanted) {
                    bytes += taken.read_bytes;
                    sender.send(Read::Records(number, taken)).map_err(|_| Closed)?;
                    is_more = true;
                }
            }
        }
        let mut cursors = BTreeMap::new();
        for source in &mut self.sources {
            if let Some(changed) = source.changed_cursors() {
                cursors.insert(source.name.clone(), changed);
            }
        }
        sender.send(Read::End { cursors, read_at }).map_err(|_| Closed)?;
        Ok(is_more)
    }

    fn tell(&mut self) {
        for source in &mut self.sources {
            for notice in source.notices() {
                tracing::warn!(source = source.name, "{notice}");
                (self.say)(&format!("source {}: {notice}", source.name));
            }
        }
    }
}

/// Makes rows of what comes until the reader ends, a transaction at a time.
fn encode(
    encoders: &mut [Encoder],
    receiver: &Receiver<Read>,
    sender: &SyncSender<Pending>,
) -> Result<(), RowsError> {
    let mut rows = Rows::default();
    for read in receiver {
        match read {
            Read::Records(number, taken) => {
                if let Some(encoder) = encoders.get_mut(number) {
                    rows.append(encoder.encode(&taken)?)?;
                }
            }
            Read::End { cursors, read_at } => {
                let rows = std::mem::take(&mut rows);
                if rows.is_empty() && cursors.is_empty() {
                    continue;
                }
                if sender.send(Pending { rows, cursors, read_at }).is_err() {
                    // Only when the writer failed, and then that is the error to tell.
                    return Ok(());
                }
            }
        }
    }
    Ok(())
}

/// Commits what comes until the reader ends, and keeps the store in order; gives rows and commits.
fn write(
    writer: &mut Writer,
    receiver: &Receiver<Pending>,
    stop: &AtomicBool,
    say: &dyn Fn(&str),
    mut upkeep: Upkeep<'_>,
) -> Result<(u64, u64), StoreError> {
    let (mut rows, mut commits) = (0, 0);
    loop {
        match receiver.recv_timeout(UPKEEP_EVERY) {
            Ok(pending) => {
                let committed = commit(writer, &pending, stop, say)?;
                rows += committed;
                commits += 1;
                let lag_ms = pending.read_at.elapsed().as_millis();
                tracing::info!(rows = committed, version = writer.version(), lag_ms, "committed");
            }
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => {
                if !stop.load(Ordering::Relaxed) {
                    upkeep.finish(writer);
                }
                return Ok((rows, commits));
            }
        }
        upkeep.step(writer);
    }
}

/// Commits, waiting as long as the store is full.
fn commit(
    writer: &mut Writer,
    pending: &Pending,
    stop: &AtomicBool,
    say: &dyn Fn(&str),
) -> Result<u64, StoreError> {
    let mut told: Option<Instant> = None;
    loop {
        match writer.append(pending.rows.frame(), &pending.cursors) {
            Ok(committed) => return Ok(committed.row_count),
            Err(error) if error.is_full() && !stop.load(Ordering::Relaxed) => {
                if told.is_none_or(|at| at.elapsed() >= FULL_TOLD_EVERY) {
                    tracing::error!("{error}");
                    say(&format!(
                        "{error}; nothing is lost, collecting goes on when there is room"
                    ));
                    told = Some(Instant::now());
                }
                std::thread::sleep(FULL_PAUSE);
            }
            Err(error) => return Err(error),
        }
    }
}
