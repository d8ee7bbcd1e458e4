//! Follows trees of JSON documents: what counts is the content of a path, not the growth of a file.
//!
//! A document is known by its path, a version of it by the fingerprint of its bytes. A version is
//! taken when the file looks the same before and after it was read; it gives one record for the
//! document, or one for each element of an array or of `{"records": […]}`. Of a new version only
//! the elements are handed out that the version before did not have. A move to another path gives
//! nothing, the end of a document one empty record ([`RecordKind::Tombstone`]).
//!
//! The ranges of these records are those of the elements in their version and do not tile it.
//! Elements that a new version no longer has are not told.

mod split;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};

use crate::model::{DocumentCursor, Fingerprint, GenerationId};
use crate::source::follow::evidence::{print_of, read_up_to};
use crate::source::follow::files::{Files, Listed, Opened, Refusal, Stat};
use crate::source::follow::notice::Notice;
use crate::source::follow::record::{Piece, RecordKind, RecordSpan};

/// A file that is no JSON is waited for so long after its last change, and then taken as it is.
const UNPARSED_WAIT_US: i64 = 5_000_000;
/// A longer file is not taken.
const DOCUMENT_MAX: u64 = 64 << 20;
/// The elements of a version are remembered one by one up to this number; a document with more is
/// handed out whole when it changes.
const ROWS_MAX: usize = 4096;

/// Follows the documents of one source.
pub struct Documents<F: Files> {
    files: F,
    once: bool,
    new_id: Box<dyn FnMut() -> u64 + Send>,
    documents: BTreeMap<PathBuf, Document>,
    queue: VecDeque<PathBuf>,
    notices: Vec<Notice>,
    told: HashSet<PathBuf>,
    scan: u64,
}

struct Document {
    /// The version handed out last, if any.
    cursor: Option<DocumentCursor>,
    /// What the file looked like when it was last settled.
    settled: Option<Stat>,
    /// What it looked like in the last scan, and since when.
    stat: Option<Stat>,
    since_us: i64,
    scan: u64,
    is_queued: bool,
}

/// What reading a file came to.
enum Reading {
    /// A version to hand out, or nothing new.
    Settled(Option<Piece>),
    /// It changes, or is no JSON yet: try again in the next scan.
    Unsettled,
}

impl<F: Files> Documents<F> {
    /// Follows `files` from the cursors of the last commit on. With `once`, nothing is waited for.
    pub fn new(
        files: F,
        once: bool,
        new_id: impl FnMut() -> u64 + Send + 'static,
        cursors: Vec<DocumentCursor>,
    ) -> Self {
        let document = |cursor: DocumentCursor| {
            let path = cursor.path.clone();
            (path, Document { cursor: Some(cursor), ..Document::new() })
        };
        Self {
            files,
            once,
            new_id: Box::new(new_id),
            documents: cursors.into_iter().map(document).collect(),
            queue: VecDeque::new(),
            notices: Vec::new(),
            told: HashSet::new(),
            scan: 0,
        }
    }

    /// Looks at all files: finds new, changed, moved and deleted documents.
    pub fn reconcile(&mut self, now_us: i64) {
        self.scan += 1;
        let listing = self.files.list();
        for (path, why) in listing.refused {
            self.refuse(path, why);
        }
        let mut hidden: Vec<PathBuf> = Vec::new();
        for (path, error) in listing.unreadable {
            self.unreadable(path.clone(), &error);
            hidden.push(path);
        }
        for file in listing.files.into_iter().filter(|file| is_document(&file.path)) {
            self.look(file, now_us);
        }
        self.miss(&hidden);
    }

    /// Hands out the next new version or tombstone; `None` when there is nothing until the next
    /// scan.
    pub fn read(&mut self, now_us: i64) -> Option<Piece> {
        while let Some(path) = self.queue.pop_front() {
            let Some(document) = self.documents.get_mut(&path) else { continue };
            document.is_queued = false;
            if document.stat.is_none() {
                let ended = self.documents.remove(&path).and_then(|document| document.cursor);
                if let Some(piece) = ended.map(tombstone) {
                    return Some(piece);
                }
                continue;
            }
            match self.version(&path, now_us) {
                Ok(Reading::Settled(None) | Reading::Unsettled) => {}
                Ok(Reading::Settled(Some(piece))) => return Some(piece),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => self.unreadable(path, &error.to_string()),
            }
        }
        None
    }

    /// The cursors of exactly the versions handed out so far, by path.
    pub fn cursors(&self) -> Vec<DocumentCursor> {
        self.documents.values().filter_map(|document| document.cursor.clone()).collect()
    }

    /// Takes what a person should know since the last call.
    pub fn take_notices(&mut self) -> Vec<Notice> {
        std::mem::take(&mut self.notices)
    }

    fn look(&mut self, file: Listed, now_us: i64) {
        let scan = self.scan;
        let document = self.documents.entry(file.path.clone()).or_insert_with(Document::new);
        document.scan = scan;
        if document.stat != Some(file.stat) {
            document.stat = Some(file.stat);
            document.since_us = now_us;
        }
        document.since_us = document.since_us.min(now_us);
        if document.settled != Some(file.stat) && !document.is_queued {
            document.is_queued = true;
            self.queue.push_back(file.path);
        }
    }

    /// Documents that are not listed any more: moved if their content is somewhere else by now,
    /// deleted if it still is nowhere in the next scan.
    fn miss(&mut self, hidden: &[PathBuf]) {
        let scan = self.scan;
        for (path, document) in &mut self.documents {
            let is_hidden = hidden.iter().any(|dir| path.starts_with(dir));
            if document.scan + 1 >= scan && !(self.once && document.scan < scan) || is_hidden {
                continue;
            }
            document.stat = None;
            if !document.is_queued {
                document.is_queued = true;
                // Behind all that may turn out to be this document at another path.
                self.queue.push_back(path.clone());
            }
        }
    }

    /// Reads a file between two looks at it, and takes its version if both were the same.
    fn version(&mut self, path: &Path, now_us: i64) -> io::Result<Reading> {
        let handle = self.files.open(path)?;
        let stat = handle.stat()?;
        if stat.size > DOCUMENT_MAX {
            self.refuse(path.to_owned(), Refusal::TooLarge);
            return Ok(self.settle(path, stat, None));
        }
        let bytes = read_up_to(&handle, 0, stat.size as usize + 1)?;
        if handle.stat()? != stat || bytes.len() as u64 != stat.size {
            return Ok(Reading::Unsettled);
        }
        let version = print_of(&bytes);
        let known = self.documents.get(path).and_then(|document| document.cursor.as_ref());
        if known.is_some_and(|cursor| cursor.version == version) {
            return Ok(self.settle(path, stat, None));
        }
        let elements = split::elements(&bytes);
        let is_json = elements.is_some();
        if bytes.trim_ascii().is_empty() || !is_json {
            let since_us = self.documents.get(path).map_or(now_us, |document| document.since_us);
            if !self.once && now_us.saturating_sub(since_us) < UNPARSED_WAIT_US {
                return Ok(Reading::Unsettled);
            }
        }
        if bytes.trim_ascii().is_empty() {
            return Ok(self.settle(path, stat, None));
        }
        if self.moved_here(path, version) {
            return Ok(self.settle(path, stat, None));
        }
        let whole = 0..bytes.len() as u32;
        let elements = elements.unwrap_or_else(|| vec![whole]);
        let piece = self.hand_out(path, stat, (version, bytes), &elements);
        Ok(self.settle(path, stat, piece))
    }

    fn settle(&mut self, path: &Path, stat: Stat, piece: Option<Piece>) -> Reading {
        if let Some(document) = self.documents.get_mut(path) {
            document.settled = Some(stat);
        }
        Reading::Settled(piece)
    }

    /// Whether a document that is not at its path any more has exactly this content: then that
    /// document goes on here.
    fn moved_here(&mut self, path: &Path, version: Fingerprint) -> bool {
        let is_new = self.documents.get(path).is_some_and(|document| document.cursor.is_none());
        let scan = self.scan;
        let from = self.documents.iter().find(|(_, document)| {
            let is_here = document.scan == scan;
            !is_here && document.cursor.as_ref().is_some_and(|cursor| cursor.version == version)
        });
        let Some(from) = from.map(|(from, _)| from.clone()).filter(|_| is_new) else {
            return false;
        };
        let Some(mut cursor) = self.documents.remove(&from).and_then(|it| it.cursor) else {
            return false;
        };
        if let Some(document) = self.documents.get_mut(path) {
            path.clone_into(&mut cursor.path);
            document.cursor = Some(cursor);
        }
        true
    }

    /// Makes the version the one handed out last; gives its elements that are new.
    fn hand_out(
        &mut self,
        path: &Path,
        stat: Stat,
        (version, bytes): (Fingerprint, Vec<u8>),
        elements: &[std::ops::Range<u32>],
    ) -> Option<Piece> {
        let generation = GenerationId((self.new_id)());
        let document = self.documents.get_mut(path)?;
        let before = document.cursor.as_ref().map(|cursor| cursor.rows.as_slice());
        let mut left: HashMap<u64, usize> = HashMap::new();
        for row in before.unwrap_or_default() {
            *left.entry(*row).or_default() += 1;
        }
        let mut rows = Vec::new();
        let mut records = Vec::new();
        for body in elements {
            let text = bytes.get(body.start as usize..body.end as usize).unwrap_or_default();
            let row = short(print_of(text));
            rows.push(row);
            // An element that stands twice was there twice before, or is new once.
            match left.get_mut(&row).filter(|count| **count > 0) {
                Some(count) => *count -= 1,
                None => records.push(RecordSpan {
                    off: u64::from(body.start),
                    len: u64::from(body.end - body.start),
                    body: body.clone(),
                    kind: RecordKind::Line,
                }),
            }
        }
        if rows.len() > ROWS_MAX {
            rows.clear();
        }
        let path = path.to_owned();
        document.cursor =
            Some(DocumentCursor { generation, path: path.clone(), len: stat.size, version, rows });
        Some(Piece { generation, path, bytes, records, truncated: None })
    }

    fn refuse(&mut self, path: PathBuf, why: Refusal) {
        if self.told.insert(path.clone()) {
            self.notices.push(Notice::Refused { path, why });
        }
    }

    fn unreadable(&mut self, path: PathBuf, error: &str) {
        if self.told.insert(path.clone()) {
            self.notices.push(Notice::Unreadable { path, error: error.to_owned() });
        }
    }
}

impl Document {
    fn new() -> Self {
        Self {
            cursor: None,
            settled: None,
            stat: None,
            since_us: i64::MAX,
            scan: 0,
            is_queued: false,
        }
    }
}

/// Editors and writers keep unfinished files under such names.
fn is_document(path: &Path) -> bool {
    let name = path.file_name().map(|name| name.to_string_lossy()).unwrap_or_default();
    !name.starts_with('.') && !name.ends_with('~') && path.extension().is_none_or(|it| it != "tmp")
}

fn tombstone(cursor: DocumentCursor) -> Piece {
    let DocumentCursor { generation, path, len, .. } = cursor;
    let record = RecordSpan { off: len, len: 0, body: 0..0, kind: RecordKind::Tombstone };
    Piece { generation, path, bytes: Vec::new(), records: vec![record], truncated: None }
}

fn short(print: Fingerprint) -> u64 {
    let bytes: [u8; 8] = std::array::from_fn(|at| print.0.get(at).copied().unwrap_or_default());
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests;
