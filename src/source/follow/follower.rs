//! The follower: what the collector talks to.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::{Cursor, FileId, GenerationId, GenerationState};
use crate::source::follow::files::{Files, Opened, Stat};
use crate::source::follow::generation::{Generation, Outcome, Place, Step};
use crate::source::follow::lookalikes::Lookalikes;
use crate::source::follow::notice::Notice;
use crate::source::follow::packed::Probe;
use crate::source::follow::record::{NUL_HOLE_MIN, Piece, RecordKind};
use crate::source::follow::scan::is_followed;

/// One step reads at least this much, so that a hole is told from a line, and at most
/// [`CHUNK_MAX`].
const CHUNK_MIN: usize = 2 * NUL_HOLE_MIN;
const CHUNK_MAX: usize = 4 << 20;
/// Bounds of the record limit: above what is kept as evidence, below what a piece can hold.
const RECORD_MIN: u64 = 8 * 1024;
const RECORD_MAX: u64 = 1 << 30;
/// One call reads at most this many bytes without a record before it returns an empty piece.
const WORK_MAX: u64 = 64 << 20;
/// So many open files are looked at for one that is idle.
const LOOK_MAX: usize = 16;
/// So many paths are remembered that were told of once.
const TOLD_MAX: usize = 10_000;

/// The limits of following.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Nothing more will be written: tails are records, and nothing is waited for.
    pub once: bool,
    /// A longer record is cut. In bytes; 8 KiB to 1 GiB are taken.
    pub max_record: u64,
    /// What is kept of the beginning of a record that is cut, in bytes.
    pub truncated_keep: usize,
    /// A last line without its end is taken after so much silence, if it is a whole JSON object.
    pub idle_tail_us: i64,
    /// Files kept open at once.
    pub max_open: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            once: false,
            max_record: 16 << 20,
            truncated_keep: 64 << 10,
            idle_tail_us: 2_000_000,
            max_open: 512,
        }
    }
}

/// What was done and found so far, in this process.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counters {
    /// Records handed out.
    pub records: u64,
    /// Bytes of the generations that these records stand for.
    pub bytes: u64,
    /// Records beyond the limit, of which only the first bytes were kept.
    pub truncated_records: u64,
    /// Runs of NUL bytes handed out as one record each.
    pub nul_holes: u64,
    /// Files found truncated or rewritten.
    pub truncated_files: u64,
    /// Bytes known to have been there that could not be read any more.
    pub bytes_unread_at_loss: u64,
    /// Scans of all files.
    pub rescans: u64,
    /// Generations under the path where they were first seen.
    pub live: u64,
    /// Generations under another path.
    pub rotated: u64,
    /// Generations read to their end.
    pub closed: u64,
    /// Generations without a file.
    pub gone: u64,
    /// Files and directories that cannot be read now.
    pub unreadable: u64,
    /// Bytes known to be there and not handed out yet.
    pub bytes_waiting: u64,
}

/// Device and inode: which open or listed file is meant within one run.
pub(super) type FileKey = (u64, u64);

pub(super) fn key_of(file: FileId) -> FileKey {
    (file.dev, file.ino)
}

/// What a listed file is to us.
pub(super) enum Role {
    /// It holds this generation.
    Follows(GenerationId),
    /// Nothing in it is new: it is a copy of this generation.
    Twin(GenerationId),
    /// Empty, or just like another file: it is decided later.
    Suspect { since_us: i64, since_scan: u64 },
    /// Compressed, and being looked through.
    Probing(Box<Probe>),
    /// Incomplete or damaged until it changes.
    Unusable,
    /// It cannot be opened.
    Denied,
}

/// A file of the last listing.
pub(super) struct Seen<H> {
    pub(super) path: PathBuf,
    pub(super) stat: Stat,
    pub(super) scan: u64,
    pub(super) role: Role,
    /// Kept open while its role is not decided.
    pub(super) handle: Option<Arc<H>>,
}

/// Follows the files of one source.
pub struct Follower<F: Files> {
    pub(super) files: F,
    pub(super) settings: Settings,
    pub(super) new_id: Box<dyn FnMut() -> u64 + Send>,
    pub(super) generations: BTreeMap<GenerationId, Generation<F::Handle>>,
    pub(super) seen: BTreeMap<FileKey, Seen<F::Handle>>,
    /// Generations that are in no listed file, by the file that held them last.
    pub(super) unlisted: HashMap<FileKey, Vec<GenerationId>>,
    pub(super) by_path: HashMap<PathBuf, GenerationId>,
    pub(super) lookalikes: Option<Lookalikes>,
    pub(super) queue: VecDeque<GenerationId>,
    /// Generations with an open handle, the one opened first in front.
    opened: VecDeque<GenerationId>,
    pub(super) told: BTreeSet<PathBuf>,
    /// Files that cannot be opened.
    pub(super) unreadable: BTreeSet<PathBuf>,
    /// Directories that could not be listed in the last scan.
    pub(super) hidden: BTreeSet<PathBuf>,
    /// Files kept open while their role is not decided.
    pub(super) held_count: usize,
    pub(super) is_crowd_told: bool,
    pub(super) notices: Vec<Notice>,
    pub(super) counters: Counters,
    pub(super) scan: u64,
}

impl<F: Files> Follower<F> {
    /// Follows `files` from the cursors of the last commit on; none for a fresh start.
    ///
    /// `new_id` gives the random numbers that name new generations. Nothing is read before the
    /// first [`reconcile`](Self::reconcile).
    pub fn new(
        files: F,
        settings: Settings,
        new_id: impl FnMut() -> u64 + Send + 'static,
        cursors: Vec<Cursor>,
    ) -> Self {
        let mut follower = Self {
            files,
            settings,
            new_id: Box::new(new_id),
            generations: BTreeMap::new(),
            seen: BTreeMap::new(),
            unlisted: HashMap::new(),
            by_path: HashMap::new(),
            lookalikes: None,
            queue: VecDeque::new(),
            opened: VecDeque::new(),
            told: BTreeSet::new(),
            unreadable: BTreeSet::new(),
            hidden: BTreeSet::new(),
            held_count: 0,
            is_crowd_told: false,
            notices: Vec::new(),
            counters: Counters::default(),
            scan: 0,
        };
        for cursor in cursors {
            let key = key_of(cursor.file);
            follower.unlisted.entry(key).or_default().push(cursor.generation);
            let id = cursor.generation;
            let is_followed = is_followed(cursor.state);
            // Times start with the first scan, see `settle`.
            let place = Place::Nowhere { since_us: i64::MAX, since_scan: 0 };
            let mut generation = Generation::new(cursor, place, i64::MAX);
            generation.is_loss_untold = is_followed;
            follower.generations.insert(id, generation);
        }
        follower
    }

    /// Hands out the next records of one generation, reading about `budget_bytes` at once; `None`
    /// when there is nothing to hand out until the next scan or hint.
    ///
    /// `now_us` is any clock in microseconds that the caller also gives to `reconcile`.
    pub fn read(&mut self, now_us: i64, budget_bytes: usize) -> Option<Piece> {
        let step = Step {
            now_us,
            chunk_len: budget_bytes.clamp(CHUNK_MIN, CHUNK_MAX),
            max_record: self.settings.max_record.clamp(RECORD_MIN, RECORD_MAX),
            truncated_keep: self.settings.truncated_keep,
            idle_tail_us: self.settings.idle_tail_us,
            once: self.settings.once,
        };
        let mut worked = 0;
        while let Some(id) = self.queue.pop_front() {
            match self.step(id, &step) {
                Ok(Outcome::Piece(piece)) => {
                    self.queue.push_back(id);
                    self.count(&piece);
                    self.tell_readable(&piece.path);
                    return Some(piece);
                }
                Ok(Outcome::Busy(bytes)) => {
                    self.queue.push_back(id);
                    worked += bytes;
                    if worked >= WORK_MAX {
                        return self.generations.get(&id).map(|it| it.piece(vec![], vec![]));
                    }
                }
                Ok(Outcome::Idle) => self.unqueue(id),
                Ok(Outcome::NotTheSame) => {
                    self.unqueue(id);
                    self.truncated(id, now_us);
                }
                Err(error) => {
                    self.unqueue(id);
                    let path = self.generations.get(&id).map(|it| it.cursor.path.clone());
                    self.tell_unreadable(path.unwrap_or_default(), &error.to_string());
                }
            }
        }
        None
    }

    /// Says that the file at `path` may have grown. A path that is not followed yet is found by
    /// the next scan.
    pub fn hint(&mut self, path: &Path) {
        if let Some(id) = self.by_path.get(path).copied() {
            self.enqueue(id);
        }
    }

    /// The cursors of exactly what was handed out so far, by generation. Generations of which
    /// nothing was handed out have none.
    pub fn cursors(&self) -> Vec<Cursor> {
        let all = self.generations.values().map(|generation| &generation.cursor);
        let all = all.filter(|cursor| cursor.position > 0).cloned();
        all.map(|mut cursor| {
            cursor.earlier = cursor.earlier.filter(|mark| mark.at < cursor.position);
            cursor
        })
        .collect()
    }

    /// Takes what a person should know since the last call.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    /// What was done and found so far.
    pub fn counters(&self) -> Counters {
        let mut counters = self.counters;
        for generation in self.generations.values() {
            match generation.cursor.state {
                GenerationState::Live => counters.live += 1,
                GenerationState::Rotated => counters.rotated += 1,
                GenerationState::Closed => counters.closed += 1,
                GenerationState::Gone => counters.gone += 1,
            }
            if !matches!(generation.place, Place::Nowhere { .. }) {
                counters.bytes_waiting += generation.unread();
            }
        }
        counters.unreadable = (self.unreadable.len() + self.hidden.len()) as u64;
        counters
    }

    pub(super) fn enqueue(&mut self, id: GenerationId) {
        let Some(generation) = self.generations.get_mut(&id) else { return };
        if !generation.is_queued {
            generation.is_queued = true;
            self.queue.push_back(id);
        }
    }

    fn unqueue(&mut self, id: GenerationId) {
        if let Some(generation) = self.generations.get_mut(&id) {
            generation.is_queued = false;
        }
    }

    fn step(&mut self, id: GenerationId, step: &Step) -> io::Result<Outcome> {
        if !self.open(id)? {
            return Ok(Outcome::Idle);
        }
        self.generations.get_mut(&id).map_or(Ok(Outcome::Idle), |it| it.step(step))
    }

    fn count(&mut self, piece: &Piece) {
        self.counters.records += piece.records.len() as u64;
        for record in &piece.records {
            self.counters.bytes += record.len;
            match record.kind {
                RecordKind::Truncated => self.counters.truncated_records += 1,
                RecordKind::NulHole => self.counters.nul_holes += 1,
                RecordKind::Line | RecordKind::Unterminated | RecordKind::Tombstone => {}
            }
        }
    }

    /// Makes sure that the file of a listed generation is open; `false` when the name no longer
    /// leads to it, which the next scan sorts out.
    pub(super) fn open(&mut self, id: GenerationId) -> io::Result<bool> {
        let Some(generation) = self.generations.get(&id) else { return Ok(false) };
        if generation.handle.is_some() {
            return Ok(true);
        }
        if generation.place != Place::Linked {
            return Ok(false);
        }
        let handle = match self.files.open(&generation.cursor.path) {
            Ok(handle) => handle,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(false),
            Err(error) => return Err(error),
        };
        if handle.stat()?.file != generation.cursor.file {
            return Ok(false);
        }
        self.keep_open(id, Arc::new(handle));
        Ok(true)
    }

    /// Gives a generation its open file; another one may have to be closed for it.
    pub(super) fn keep_open(&mut self, id: GenerationId, handle: Arc<F::Handle>) {
        self.make_room();
        if let Some(generation) = self.generations.get_mut(&id) {
            generation.handle = Some(handle);
            self.opened.retain(|other| *other != id);
            self.opened.push_back(id);
        }
    }

    /// Closes a file that can be opened again: one of the first opened that is read to its end, or
    /// else one that still has its name. Only when there is none, a nameless one is given up.
    fn make_room(&mut self) {
        if self.opened.len() < self.settings.max_open.max(1) {
            return;
        }
        let mut linked = None;
        for looked_at in 0..self.opened.len() {
            let Some(id) = self.opened.pop_front() else { return };
            let generation = self.generations.get(&id).filter(|it| it.handle.is_some());
            let Some(generation) = generation else { return };
            self.opened.push_back(id);
            if generation.place != Place::Linked {
                continue;
            }
            linked = linked.or(Some(id));
            let is_read = generation.unread() == 0 && !generation.is_queued;
            if is_read || looked_at >= LOOK_MAX {
                linked = if is_read { Some(id) } else { linked };
                break;
            }
        }
        if !self.is_crowd_told {
            self.is_crowd_told = true;
            self.notices.push(Notice::Crowded { limit: self.settings.max_open });
        }
        match (linked, self.opened.front().copied()) {
            (Some(id), _) => {
                self.opened.retain(|other| *other != id);
                if let Some(generation) = self.generations.get_mut(&id) {
                    generation.handle = None;
                    generation.unpacker = None;
                }
            }
            (None, Some(id)) => self.give_up(id),
            (None, None) => {}
        }
    }

    /// Whether this path is told of for the first time (or so long ago that it is forgotten).
    pub(super) fn tell_once(&mut self, path: &Path) -> bool {
        if self.told.len() >= TOLD_MAX {
            self.told.clear();
        }
        self.told.insert(path.to_owned())
    }

    /// Whether a file may be there although it cannot be seen.
    pub(super) fn is_hidden(&self, path: &Path) -> bool {
        self.unreadable.contains(path) || self.hidden.iter().any(|dir| path.starts_with(dir))
    }

    pub(super) fn tell_unreadable(&mut self, path: PathBuf, error: &str) {
        if self.unreadable.insert(path.clone()) {
            self.notices.push(Notice::Unreadable { path, error: error.to_owned() });
        }
    }

    pub(super) fn tell_readable(&mut self, path: &Path) {
        if self.unreadable.remove(path) {
            self.notices.push(Notice::Readable { path: path.to_owned() });
        }
    }
}
