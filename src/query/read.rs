//! Reads what was opened, through `source` and `decode`, and hands the events on, in order.
//!
//! Threads share the work chunk by chunk: each reads a chunk, decodes it, waits for its turn and
//! hands its events to the one consumer. So the consumer sees the input in its own order, the
//! answer does not depend on the number of threads, and memory is one chunk a thread.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};

use polars::prelude::DataFrame;

use super::open::{Opened, OpenedInput, Origin, framing_of, stored_error};
use super::sql::{QueryRun, SqlError};
use super::stored::{Ask, Counts, Part, StoredSource};
use crate::decode::{Decoder, Profile, Rejects};
use crate::model::{EventBatch, Wanted};
use crate::source::{Chunk, ChunkReader, ReadError};

/// Most threads that read and decode.
const MAX_THREADS: usize = 16;

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
