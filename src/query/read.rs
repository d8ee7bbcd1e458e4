//! Reads inputs through `source` and `decode` and hands their events on, in order.
//!
//! Threads share the work chunk by chunk: each reads a chunk, decodes it, waits for its turn and
//! hands its events to the one consumer. So the consumer sees the input in its own order, the
//! answer does not depend on the number of threads, and memory is one chunk a thread.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use polars::prelude::DataFrame;

use super::sql::{Query, QueryRun, SqlError};
use super::stored::{Ask, Counts, Part, StoredSource};
use crate::decode::{
    Decoder, DetectError, Detected, Overrides, Profile, Rejects, Role, Sample, SeenField,
    ValueKind, detect,
};
use crate::frame::Column;
use crate::model::{EventBatch, Wanted, one_line};
use crate::source::{Chunk, ChunkReader, Discovery, Framing, Input, ReadError, Source};
use crate::store::StoreError;

/// Most threads that read and decode.
const MAX_THREADS: usize = 16;

/// The inputs cannot be read, or hold no records.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// An input cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// An input is no log.
    #[error("`{}` {source}", one_line(name))]
    NotALog {
        /// The input.
        name: String,
        /// Why it is none.
        source: DetectError,
    },
    /// There are inputs, but no record in any of them.
    #[error("no records in {names}")]
    Empty {
        /// The inputs.
        names: String,
    },
}

/// Inputs whose formats are known.
pub struct Opened {
    inputs: Vec<OpenedInput>,
    /// Inputs that were passed over, with the reason.
    pub skipped: Vec<(String, String)>,
    /// Inputs that list deploys and other known events, not log records.
    pub event_files: Vec<String>,
    /// Fields of all samples, by path.
    pub fields: BTreeMap<String, ValueKind>,
    /// Fields that were asked for and that no sample has; records may still have them.
    pub unconfirmed: Vec<(Role, String)>,
    /// Whether there is one input and no other was named or found.
    is_only: bool,
    /// Columns that a store hands on as they are.
    columns: Vec<Column>,
}

struct OpenedInput {
    origin: Origin,
    profile: Arc<Profile>,
}

/// Where the records of an input are.
enum Origin {
    File(Source),
    Store(StoredSource),
}

impl Origin {
    fn name(&self) -> &str {
        match self {
            Self::File(source) => source.name(),
            Self::Store(source) => &source.name,
        }
    }

    fn bytes_to_read(&self) -> Option<u64> {
        match self {
            Self::File(source) => source.bytes_to_read(),
            Self::Store(source) => Some(source.bytes_on_disk()),
        }
    }
}

impl Opened {
    /// Looks at the beginning of each input and tells its format.
    ///
    /// What a directory or glob led to and cannot be used is passed over and listed; so is what
    /// is empty. Of a damaged archive among several inputs is read what can be read.
    ///
    /// # Errors
    /// When an input that was named, or the only one, cannot be read or is no log, and when there
    /// is no record at all.
    pub fn open(discovery: &Discovery, overrides: &Overrides) -> Result<Self, OpenError> {
        let inputs = &discovery.inputs;
        let mut opened = Self {
            inputs: Vec::new(),
            skipped: discovery.passed_over.clone(),
            event_files: Vec::new(),
            fields: BTreeMap::new(),
            unconfirmed: Vec::new(),
            is_only: inputs.len() == 1,
            columns: Vec::new(),
        };
        let mut profiles: Vec<Arc<Profile>> = Vec::new();
        for input in inputs {
            let must_do = input.is_named() || opened.is_only;
            match opened.open_one(input, overrides, &mut profiles) {
                Ok(()) => {}
                Err(OpenError::NotALog { name, source: DetectError::Empty }) => {
                    opened.skipped.push((name, "is empty".to_owned()));
                }
                Err(error) if must_do => return Err(error),
                Err(OpenError::NotALog { name, source }) => {
                    opened.skipped.push((name, source.to_string()));
                }
                Err(OpenError::Read(ReadError::Compressed { name, kind, .. })) => {
                    opened.skipped.push((name, format!("is a damaged {kind} file")));
                }
                Err(_) => opened.skipped.push((input.name(), "cannot be read".to_owned())),
            }
        }
        if opened.inputs.is_empty() {
            let names = inputs.iter().take(3).map(|input| one_line(&input.name()).into_owned());
            let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
            return Err(OpenError::Empty { names: names.join(", ") });
        }
        let is_unseen = |(_, path): &&(Role, String)| !opened.fields.contains_key(path);
        opened.unconfirmed = overrides.fields.iter().filter(is_unseen).cloned().collect();
        Ok(opened)
    }

    /// Looks at the beginning of each source of a store and tells its format.
    ///
    /// # Errors
    /// When a segment cannot be read, or there is no record at all.
    pub fn open_stored(
        sources: Vec<StoredSource>,
        overrides: &Overrides,
    ) -> Result<Self, OpenError> {
        let mut opened = Self {
            inputs: Vec::new(),
            skipped: Vec::new(),
            event_files: Vec::new(),
            fields: BTreeMap::new(),
            unconfirmed: Vec::new(),
            is_only: sources.len() == 1,
            columns: Vec::new(),
        };
        for mut source in sources {
            let name = source.name.clone();
            let detected = source.detect(overrides).map_err(|error| stored_error(&name, error))?;
            match detected {
                Ok(Detected { profile, fields }) => {
                    opened.see_fields(fields);
                    let (origin, profile) = (Origin::Store(source), Arc::new(profile));
                    opened.inputs.push(OpenedInput { origin, profile });
                }
                Err(error) => opened.skipped.push((name, error.to_string())),
            }
        }
        if opened.inputs.is_empty() {
            return Err(OpenError::Empty { names: "the store".to_owned() });
        }
        let is_unseen = |(_, path): &&(Role, String)| !opened.fields.contains_key(path);
        opened.unconfirmed = overrides.fields.iter().filter(is_unseen).cloned().collect();
        Ok(opened)
    }

    fn open_one(
        &mut self,
        input: &Input,
        overrides: &Overrides,
        profiles: &mut Vec<Arc<Profile>>,
    ) -> Result<(), OpenError> {
        let mut source = Source::peek(input)?;
        let name = source.name().to_owned();
        // Where some of it came out and there are other inputs, reading comes to the damage again.
        let is_readable = source.sample().contains(&b'\n') && !self.is_only;
        if let Some(damage) = source.take_damage().filter(|_| !is_readable) {
            return Err(damage.into());
        }
        let sample =
            Sample { head: source.sample(), later: source.later(), is_whole: source.is_whole() };
        let Detected { profile, fields } = detect(&sample, overrides)
            .map_err(|source| OpenError::NotALog { name: name.clone(), source })?;
        match profile.shape {
            "event-file" => self.event_files.push(name),
            "plimsoll" => self.skipped.push((name, "was written by plimsoll".to_owned())),
            _ => {
                self.see_fields(fields);
                let known = profiles.iter().find(|known| ***known == profile).cloned();
                let profile = known.unwrap_or_else(|| {
                    let profile = Arc::new(profile);
                    profiles.push(Arc::clone(&profile));
                    profile
                });
                source.forget_sample();
                self.inputs.push(OpenedInput { origin: Origin::File(source), profile });
            }
        }
        Ok(())
    }

    /// Reads no more of a store than a query asks for.
    pub fn narrow(&mut self, query: &Query) {
        self.columns = query.columns().to_vec();
        for input in &mut self.inputs {
            if let (Origin::Store(source), Some(times)) = (&mut input.origin, query.times()) {
                source.narrow(times);
            }
        }
    }

    fn see_fields(&mut self, fields: Vec<SeenField>) {
        for field in fields {
            let seen = self.fields.entry(field.path).or_insert(field.kind);
            *seen = seen.joined(field.kind);
        }
    }

    /// Name and profile of each input that will be read.
    pub fn profiles(&self) -> impl Iterator<Item = (&str, &Arc<Profile>)> {
        self.inputs.iter().map(|input| (input.origin.name(), &input.profile))
    }

    /// How each input's records can be read again by their offsets, by name; without inputs whose
    /// events do not lie in them by themselves.
    pub fn framings(&self) -> BTreeMap<String, Framing> {
        let files = self.inputs.iter().filter(|input| matches!(input.origin, Origin::File(_)));
        let named = files.map(|input| (input.origin.name(), &input.profile));
        let alone = named.filter(|(name, profile)| *name != "-" && !profile.unfolds);
        alone.map(|(name, profile)| (name.to_owned(), framing_of(profile))).collect()
    }

    /// Bytes that reading will give; `None` when an input is a stream or compressed.
    pub fn bytes_to_read(&self) -> Option<u64> {
        self.inputs.iter().map(|input| input.origin.bytes_to_read()).sum()
    }
}

/// What one chunk gave.
pub struct Batch<'a> {
    /// Index of the input among [`Opened::profiles`].
    pub input: usize,
    /// Profile of that input.
    pub profile: &'a Profile,
    /// The events.
    pub events: &'a EventBatch,
    /// Records in the chunk, rejected ones included.
    pub records: u64,
    /// Rejected records.
    pub rejects: Rejects,
    /// Bytes of the chunk.
    pub bytes: u64,
    /// Rows of a store that are among its records and no events.
    stored: Option<DataFrame>,
}

impl Batch<'_> {
    /// Hands all rows to the query that [`Opened::narrow`] was told of.
    ///
    /// # Errors
    /// As [`QueryRun::push`].
    pub fn push_to(self, run: &mut QueryRun) -> Result<(), SqlError> {
        if let Some(rows) = self.stored {
            run.push_frame(rows)?;
        }
        if self.events.len == 0 {
            return Ok(());
        }
        run.push(self.events)
    }
}

/// What reading came to.
#[derive(Debug)]
pub struct Reading {
    /// How it ended.
    pub ended: Ended,
    /// Damaged archives, read up to their damage.
    pub damaged: Vec<ReadError>,
}

/// How reading ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything was read.
    AtEnd,
    /// The stop flag was raised, or the consumer had enough.
    Stopped,
}

/// Reads everything and hands each chunk's events to `consume`, in order of the inputs.
///
/// `consume` says whether to go on. `stop` ends the reading early. A damaged archive among several
/// inputs ends where its damage is, and the others go on.
///
/// # Errors
/// When an input cannot be read to its end.
pub fn read(
    opened: Opened,
    wanted: &Wanted,
    stop: &AtomicBool,
    consume: &mut (dyn FnMut(Batch<'_>) -> bool + Send),
) -> Result<Reading, ReadError> {
    let threads = std::thread::available_parallelism().map_or(2, usize::from).min(MAX_THREADS);
    let ask = Ask { wanted: wanted.clone(), columns: opened.columns.clone() };
    let feed = Mutex::new(Feed::new(opened));
    let turn = Turn { state: Mutex::new(Consuming { next: 0, consume }), moved: Condvar::new() };
    let halt = AtomicBool::new(false);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| work(&feed, &turn, &ask, &halt, stop));
        }
    });
    let feed = feed.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(error) = feed.error {
        return Err(error);
    }
    let is_stopped = halt.into_inner() || stop.load(Ordering::Relaxed);
    let ended = if is_stopped { Ended::Stopped } else { Ended::AtEnd };
    Ok(Reading { ended, damaged: feed.damaged })
}

/// Where chunks come from, one thread at a time.
struct Feed {
    waiting: std::vec::IntoIter<OpenedInput>,
    current: Option<(Reader, Arc<Profile>)>,
    input: usize,
    next_sequence: u64,
    error: Option<ReadError>,
    damaged: Vec<ReadError>,
    is_only: bool,
}

/// What is left of an input.
enum Reader {
    Chunks(ChunkReader),
    Parts(StoredSource, Option<Part>),
}

struct Ticket {
    sequence: u64,
    input: usize,
    profile: Arc<Profile>,
    /// What to read of the store; otherwise the chunk is filled.
    stored: Option<(StoredSource, Part)>,
}

impl Feed {
    fn new(opened: Opened) -> Self {
        Self {
            waiting: opened.inputs.into_iter(),
            current: None,
            input: 0,
            next_sequence: 0,
            error: None,
            damaged: Vec::new(),
            is_only: opened.is_only,
        }
    }

    /// Fills `chunk` with the next records of any input; `None` at the end or after an error.
    fn next(&mut self, chunk: &mut Chunk) -> Option<Ticket> {
        if self.error.is_some() {
            return None;
        }
        self.try_next(chunk).unwrap_or_else(|error| {
            self.error = Some(error);
            None
        })
    }

    fn try_next(&mut self, chunk: &mut Chunk) -> Result<Option<Ticket>, ReadError> {
        loop {
            let Some((reader, profile)) = &mut self.current else {
                let Some(next) = self.waiting.next() else { return Ok(None) };
                let framing = framing_of(&next.profile);
                let reader = match next.origin {
                    Origin::File(source) => Reader::Chunks(source.into_reader(framing)?),
                    Origin::Store(source) => {
                        let first = source.first();
                        Reader::Parts(source, first)
                    }
                };
                self.current = Some((reader, next.profile));
                continue;
            };
            let (more, stored) = match reader {
                Reader::Chunks(reader) => match reader.next(chunk) {
                    Err(error @ ReadError::Compressed { .. }) if !self.is_only => {
                        self.damaged.push(error);
                        (false, None)
                    }
                    read => (read?, None),
                },
                Reader::Parts(source, next) => {
                    let part = *next;
                    *next = part.and_then(|part| source.after(part));
                    (part.is_some(), part.map(|part| (source.clone(), part)))
                }
            };
            if more {
                let sequence = self.next_sequence;
                self.next_sequence += 1;
                let profile = Arc::clone(profile);
                return Ok(Some(Ticket { sequence, input: self.input, profile, stored }));
            }
            self.current = None;
            self.input += 1;
        }
    }
}

fn stored_error(name: &str, error: StoreError) -> ReadError {
    ReadError::Io { name: name.to_owned(), source: std::io::Error::other(error) }
}

fn framing_of(profile: &Profile) -> Framing {
    if profile.wrapped { Framing::JsonValues } else { Framing::Lines }
}

/// Whose turn it is to consume.
struct Turn<'a> {
    state: Mutex<Consuming<'a>>,
    moved: Condvar,
}

struct Consuming<'a> {
    next: u64,
    consume: &'a mut (dyn FnMut(Batch<'_>) -> bool + Send),
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Ends the other threads when one panics: they would wait for its turn for ever.
struct HaltOnPanic<'a, 'b> {
    turn: &'a Turn<'b>,
    halt: &'a AtomicBool,
}

impl Drop for HaltOnPanic<'_, '_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            // Under the lock, so that nobody looks at the flag before it and waits after it.
            let _consuming = lock(&self.turn.state);
            self.halt.store(true, Ordering::Relaxed);
            self.turn.moved.notify_all();
        }
    }
}

fn work(feed: &Mutex<Feed>, turn: &Turn<'_>, ask: &Ask, halt: &AtomicBool, stop: &AtomicBool) {
    let _guard = HaltOnPanic { turn, halt };
    let mut chunk = Chunk::default();
    let mut events = EventBatch::default();
    let mut decoder: Option<(Arc<Profile>, Decoder)> = None;
    while !halt.load(Ordering::Relaxed) && !stop.load(Ordering::Relaxed) {
        let Some(ticket) = lock(feed).next(&mut chunk) else { break };
        if decoder.as_ref().is_none_or(|(known, _)| !Arc::ptr_eq(known, &ticket.profile)) {
            let fresh = Decoder::new(&ticket.profile, &ask.wanted);
            decoder = Some((Arc::clone(&ticket.profile), fresh));
        }
        let Some((profile, decoder)) = &mut decoder else { break };
        events.clear();
        let outcome = match &ticket.stored {
            None => Ok(decode(decoder, &chunk, &mut events)),
            Some((source, part)) => source.read(*part, ask, decoder, &mut events),
        };
        let Counts { records, rejects, bytes, stored } = match outcome {
            Ok(counts) => counts,
            Err(error) => {
                let name = ticket.stored.map(|(source, _)| source.name).unwrap_or_default();
                lock(feed).error = Some(stored_error(&name, error));
                halt.store(true, Ordering::Relaxed);
                Counts::default()
            }
        };
        let mut consuming = lock(&turn.state);
        while consuming.next != ticket.sequence {
            if halt.load(Ordering::Relaxed) {
                return; // the turn may never come
            }
            consuming = turn.moved.wait(consuming).unwrap_or_else(PoisonError::into_inner);
        }
        let batch = Batch {
            input: ticket.input,
            profile,
            events: &events,
            records,
            rejects,
            bytes,
            stored,
        };
        if !halt.load(Ordering::Relaxed) && !(consuming.consume)(batch) {
            halt.store(true, Ordering::Relaxed);
        }
        consuming.next += 1;
        drop(consuming);
        turn.moved.notify_all();
    }
}

fn decode(decoder: &mut Decoder, chunk: &Chunk, events: &mut EventBatch) -> Counts {
    let (mut records, mut rejects) = decoder.decode(&chunk.bytes, chunk.offset, events);
    if chunk.oversized > 0 {
        records += chunk.oversized;
        rejects.add("longer than 16 MiB", chunk.oversized);
    }
    Counts { records, rejects, bytes: chunk.bytes.len() as u64, stored: None }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;
    use std::panic::{AssertUnwindSafe, catch_unwind};
    use std::sync::atomic::AtomicBool;

    use super::{Ended, Opened, read};
    use crate::decode::Overrides;
    use crate::model::Wanted;
    use crate::source::{Discovery, Input};

    #[test]
    fn a_panic_in_one_thread_leaves_none_waiting() {
        let dir = tempfile::tempdir().unwrap();
        let inputs = (0..40)
            .map(|number| {
                let path = dir.path().join(format!("{number}.log"));
                let mut file = File::create(&path).unwrap();
                writeln!(file, r#"{{"time":"2026-11-18T14:12:00Z","msg":"x"}}"#).unwrap();
                Input::Named(path)
            })
            .collect();
        let found = Discovery { inputs, ..Discovery::default() };
        for panics_at in [0, 1, 20, 39] {
            let opened = Opened::open(&found, &Overrides::default()).unwrap();
            let (mut batches, stop) = (0, AtomicBool::new(false));
            let ended = catch_unwind(AssertUnwindSafe(|| {
                read(opened, &Wanted::default(), &stop, &mut |_| {
                    batches += 1;
                    assert!(batches <= panics_at, "this panic is part of the test");
                    true
                })
            }));
            assert!(ended.is_err(), "{panics_at}");
            assert_eq!(batches, panics_at + 1);
        }
        let opened = Opened::open(&found, &Overrides::default()).unwrap();
        let mut enough = 0;
        let ended = read(opened, &Wanted::default(), &AtomicBool::new(false), &mut |_| {
            enough += 1;
            enough < 3
        });
        assert_eq!((ended.unwrap().ended, enough), (Ended::Stopped, 3));
    }
}
