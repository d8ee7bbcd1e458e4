//! Follows trees of JSON documents: what counts is the content of a path, not the growth of a file.
//!
//! A document is known by its path, a version of it by the fingerprint of its bytes. A version is
//! taken when the file looks the same before and after it was read; it gives one record for the
//! document, or one for each element of an array or of `{"records": […]}`. Of a new version only
//! the elements are handed out that the version before did not have. A move to another path gives
//! nothing, the end of a document one empty record ([`RecordKind::Tombstone`]).
//!
//! A version is a generation of its own, and the range of each of its records is all of it: what
//! tells them apart is their order. Elements that a new version no longer has are not told.

mod split;

use std::collections::{BTreeMap, HashMap, HashSet, VecDeque};
use std::io;
use std::path::{Path, PathBuf};

use split::Elements;

use crate::model::{DocumentCursor, Fingerprint, GenerationId};
use crate::source::follow::evidence::{print_of, read_up_to};
use crate::source::follow::files::{Files, Listed, Opened, Refusal, Stat};
use crate::source::follow::notice::Notice;
use crate::source::follow::record::{Piece, RecordKind, RecordSpan};

/// A longer file is not taken.
const DOCUMENT_MAX: u64 = 64 << 20;
/// The elements of a version are remembered one by one up to this number; a document with more is
/// handed out whole when it changes.
const ROWS_MAX: usize = 4096;

/// How documents are waited for.
#[derive(Clone, Copy, Debug)]
pub struct DocumentSettings {
    /// Nothing more will be written, and nothing is waited for.
    pub once: bool,
    /// A file that is no JSON is waited for so long after its last change, in microseconds, and
    /// then taken as it is.
    pub settle_us: i64,
}

/// What is new of a document.
#[derive(Clone, Debug)]
pub struct Version {
    /// The records that the version before did not have.
    pub piece: Piece,
    /// For each of them what it is known by among all records of the source, through all versions
    /// of the document and wherever it is moved. An element of a list is known by its content.
    pub names: Vec<String>,
}

/// Follows the documents of one source.
pub struct Documents<F: Files> {
    files: F,
    settings: DocumentSettings,
    new_id: Box<dyn FnMut() -> u64 + Send>,
    documents: BTreeMap<PathBuf, Document>,
    queue: VecDeque<PathBuf>,
    /// Documents that were not in the last listing.
    missing: Vec<PathBuf>,
    /// Names of documents that are not at the path of this name any more.
    kept_names: HashSet<String>,
    has_changed: bool,
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
    Settled(Option<Version>),
    /// It changes, or is no JSON yet: try again in the next scan.
    Unsettled,
}

impl<F: Files> Documents<F> {
    /// Follows `files` from the cursors of the last commit on.
    pub fn new(
        files: F,
        settings: DocumentSettings,
        new_id: impl FnMut() -> u64 + Send + 'static,
        cursors: Vec<DocumentCursor>,
    ) -> Self {
        let document = |cursor: DocumentCursor| {
            let path = cursor.path.clone();
            (path, Document { cursor: Some(cursor), ..Document::new() })
        };
        let kept_names = cursors.iter().filter_map(|cursor| cursor.name.clone()).collect();
        Self {
            files,
            settings,
            new_id: Box::new(new_id),
            kept_names,
            documents: cursors.into_iter().map(document).collect(),
            queue: VecDeque::new(),
            missing: Vec::new(),
            has_changed: false,
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
    pub fn read(&mut self, now_us: i64) -> Option<Version> {
        while let Some(path) = self.queue.pop_front() {
            let Some(document) = self.documents.get_mut(&path) else { continue };
            document.is_queued = false;
            if document.stat.is_none() {
                let ended = self.documents.remove(&path).and_then(|document| document.cursor);
                if let Some(version) = ended.map(tombstone) {
                    self.kept_names.retain(|name| !version.names.contains(name));
                    self.has_changed = true;
                    return Some(version);
                }
                continue;
            }
            match self.version(&path, now_us) {
                Ok(Reading::Settled(None) | Reading::Unsettled) => {}
                Ok(Reading::Settled(Some(version))) => return Some(version),
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

    /// The cursors, if they are others than at the last call.
    pub fn changed_cursors(&mut self) -> Option<Vec<DocumentCursor>> {
        std::mem::take(&mut self.has_changed).then(|| self.cursors())
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
        let (scan, once) = (self.scan, self.settings.once);
        self.missing.clear();
        for (path, document) in self.documents.iter_mut().filter(|(_, it)| it.scan < scan) {
            self.missing.push(path.clone());
            let is_hidden = hidden.iter().any(|dir| path.starts_with(dir));
            if document.scan + 1 >= scan && !once || is_hidden {
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
            let waited_us = now_us.saturating_sub(since_us);
            if !self.settings.once && waited_us < self.settings.settle_us {
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
        let elements = elements.unwrap_or(Elements::Whole(whole));
        let fresh = self.hand_out(path, stat, (version, bytes), elements);
        Ok(self.settle(path, stat, fresh))
    }

    fn settle(&mut self, path: &Path, stat: Stat, fresh: Option<Version>) -> Reading {
        if let Some(document) = self.documents.get_mut(path) {
            document.settled = Some(stat);
        }
        Reading::Settled(fresh)
    }

    /// Whether a document that is not at its path any more has exactly this content: then that
    /// document goes on here.
    fn moved_here(&mut self, path: &Path, version: Fingerprint) -> bool {
        let is_new = self.documents.get(path).is_some_and(|document| document.cursor.is_none());
        let from = self.missing.iter().find(|from| {
            let known = self.documents.get(*from).and_then(|it| it.cursor.as_ref());
            known.is_some_and(|cursor| cursor.version == version)
        });
        let Some(from) = from.filter(|_| is_new).cloned() else { return false };
        let Some(mut cursor) = self.documents.remove(&from).and_then(|it| it.cursor) else {
            return false;
        };
        if let Some(document) = self.documents.get_mut(path) {
            let name = cursor.name.take().unwrap_or_else(|| name_of(&cursor.path));
            cursor.name = Some(name).filter(|name| *name != name_of(path));
            self.kept_names.extend(cursor.name.clone());
            path.clone_into(&mut cursor.path);
            document.cursor = Some(cursor);
        }
        self.has_changed = true;
        true
    }

    /// Makes the version the one handed out last; gives its elements that are new, if any are.
    fn hand_out(
        &mut self,
        path: &Path,
        stat: Stat,
        (version, bytes): (Fingerprint, Vec<u8>),
        elements: Elements,
    ) -> Option<Version> {
        let fresh_id = GenerationId((self.new_id)());
        let own = self.own_name(path, fresh_id);
        let document = self.documents.get_mut(path)?;
        let before = document.cursor.take();
        let name = before.as_ref().map_or(own, |cursor| cursor.name.clone());
        let shown = name.clone().unwrap_or_else(|| name_of(path));
        let (is_list, elements) = match elements {
            Elements::Whole(range) => (false, vec![range]),
            Elements::List(ranges) => (true, ranges),
        };
        let mut left: HashMap<u64, usize> = HashMap::new();
        for row in before.iter().flat_map(|cursor| &cursor.rows) {
            *left.entry(*row).or_default() += 1;
        }
        let (mut rows, mut records, mut names) = (Vec::new(), Vec::new(), Vec::new());
        let mut alike: HashMap<u64, usize> = HashMap::new();
        for body in elements {
            let text = bytes.get(body.start as usize..body.end as usize).unwrap_or_default();
            let row = short(print_of(text));
            rows.push(row);
            let nth = alike.entry(row).or_default();
            *nth += 1;
            // An element that stands twice was there twice before, or is new once.
            if let Some(count) = left.get_mut(&row).filter(|count| **count > 0) {
                *count -= 1;
                continue;
            }
            records.push(RecordSpan { off: 0, len: stat.size, body, kind: RecordKind::Line });
            let element = || format!("{shown}#{row:016x}#{nth}");
            names.push(if is_list { element() } else { shown.clone() });
        }
        if rows.len() > ROWS_MAX {
            rows.clear();
        }
        // The rows of a generation are all of it: without rows there is none.
        let (generation, len) = match before {
            Some(cursor) if records.is_empty() => (cursor.generation, cursor.len),
            _ => (fresh_id, if records.is_empty() { 0 } else { stat.size }),
        };
        let path = path.to_owned();
        document.cursor =
            Some(DocumentCursor { generation, path: path.clone(), name, len, version, rows });
        self.has_changed = true;
        let first_line = Vec::new();
        let piece = Piece { generation, path, bytes, records, truncated: None, first_line };
        (!names.is_empty()).then_some(Version { piece, names })
    }

    /// The name of a new document, if it cannot be its path: a document that was there before and
    /// moved keeps that.
    fn own_name(&self, path: &Path, id: GenerationId) -> Option<String> {
        let wanted = name_of(path);
        self.kept_names.contains(&wanted).then(|| format!("{wanted}#{id}"))
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

/// What a document is known by unless it was moved.
fn name_of(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn tombstone(cursor: DocumentCursor) -> Version {
    let name = cursor.name.unwrap_or_else(|| name_of(&cursor.path));
    let DocumentCursor { generation, path, len, .. } = cursor;
    let record = RecordSpan { off: len, len: 0, body: 0..0, kind: RecordKind::Tombstone };
    let (bytes, first_line) = (Vec::new(), Vec::new());
    let records = vec![record];
    let piece = Piece { generation, path, bytes, records, truncated: None, first_line };
    Version { piece, names: vec![name] }
}

fn short(print: Fingerprint) -> u64 {
    let bytes: [u8; 8] = std::array::from_fn(|at| print.0.get(at).copied().unwrap_or_default());
    u64::from_be_bytes(bytes)
}

#[cfg(test)]
mod tests;
