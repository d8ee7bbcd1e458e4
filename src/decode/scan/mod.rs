//! Finds the values of wanted fields in newline-delimited JSON without building any values.
//!
//! A [`Scanner`] gives for each record either one [`Slot`] per wanted field or a [`RejectReason`].
//! It guarantees what a parser would give: a record is accepted if and only if `serde_json` reads
//! it as an object, and each slot points at the value `serde_json` would hold for the field (of
//! duplicate keys the last). The whole record is checked, not only what is wanted. There are two
//! differences: keys that `serde_json` keeps for itself, such as
//! `$serde_json::private::RawValue`, are keys like any other here, and a number beyond the range
//! of an `f64`, such as `1e400`, is a number: JSON sets no bound, and who wants it as a number
//! finds that it has no value.
//!
//! Three passes do the work, each over text that is still in the cache of the processor: one
//! checks UTF-8, one marks quotes and suspicious bytes in bitmaps (`index`), and one follows the
//! ways that records before have taken (`automaton`). A record that takes a new way is read by
//! the strict `walk`, and its ways are learned (`trace`).
//!
//! Framing, byte order marks, and the meaning of values are not its matter.

mod automaton;
mod escape;
mod index;
mod number;
mod outline;
mod slot;
mod trace;
mod tree;
mod walk;
mod wanted;

pub use escape::unescape;
pub use number::{parse_f64, parse_i64};
pub use outline::{Written, outline};
pub use slot::{Kind, Slot};
pub use tree::{Member, members, tree};
pub use wanted::FieldPath;

use automaton::Automaton;
use index::{Backend, Index};
use memchr::{memchr, memrchr};
use std::fmt;
use trace::{Lesson, Line, Tracer};
use walk::{Flaw, Token, TokenKind, walk};
use wanted::{Cells, Wanted};

/// Text that is worked on at a time, if records are shorter: small enough for a level 2 cache.
const STRETCH_BYTES: usize = 128 * 1024;

/// Records of one chunk that are learned from. A program that writes records which can be
/// predicted shows its ways in far fewer; from others, such as those with identifiers as keys,
/// there is nothing to learn.
const MAX_LESSONS: usize = 1024;

/// Reads chunks of records for a fixed list of wanted fields, and learns how they are written.
#[derive(Debug)]
pub struct Scanner {
    wanted: Wanted,
    cells: Cells,
    index: Index,
    automaton: Automaton,
    tracer: Tracer,
    tape: Vec<Token>,
    counts: Counts,
    /// Where in a chunk the positions of slots end.
    reach_bytes: usize,
}

/// One record of a chunk and what was found in it.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The chunk that was scanned.
    pub chunk: &'a [u8],
    /// First byte of the record in the chunk.
    pub start: usize,
    /// Byte after the record, before its `\n` or `\r\n`.
    pub end: usize,
    /// One slot a wanted field, in the order asked for, or why there are none.
    pub outcome: Result<&'a [Slot], RejectReason>,
}

/// Why a record was not accepted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RejectReason {
    /// The record is not JSON.
    NotJson,
    /// The record ends before its JSON does, as when a write was torn.
    CutShort,
    /// The record is JSON, but no object.
    NotObject,
    /// The record is not UTF-8.
    InvalidUtf8,
    /// Objects and arrays are nested 128 deep or deeper.
    TooDeep,
    /// The record ends more than 4 GiB after the start of its chunk, where no slot can point.
    OutOfReach,
}

impl RejectReason {
    /// All reasons, for tables of counts.
    pub const ALL: [Self; 6] = [
        Self::NotJson,
        Self::CutShort,
        Self::NotObject,
        Self::InvalidUtf8,
        Self::TooDeep,
        Self::OutOfReach,
    ];
}

impl fmt::Display for RejectReason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotJson => "not JSON",
            Self::CutShort => "JSON that is cut short",
            Self::NotObject => "JSON, but not an object",
            Self::InvalidUtf8 => "not UTF-8",
            Self::TooDeep => "nested too deep",
            Self::OutOfReach => "too far into its chunk",
        })
    }
}

impl From<Flaw> for RejectReason {
    fn from(flaw: Flaw) -> Self {
        match flaw {
            Flaw::Malformed => Self::NotJson,
            Flaw::CutShort => Self::CutShort,
            Flaw::TooDeep => Self::TooDeep,
        }
    }
}

impl Scanner {
    /// Makes a scanner that finds the values of `paths`.
    pub fn new(paths: &[FieldPath]) -> Self {
        let fastest = Backend::available().first().copied().unwrap_or(Backend::Portable);
        Self::with_backend(paths, fastest)
    }

    fn with_backend(paths: &[FieldPath], backend: Backend) -> Self {
        let wanted = Wanted::new(paths);
        Self {
            cells: Cells::new(&wanted),
            wanted,
            index: Index::new(backend),
            automaton: Automaton::new(),
            tracer: Tracer::default(),
            tape: Vec::new(),
            counts: Counts::default(),
            reach_bytes: u32::MAX as usize,
        }
    }

    /// Gives every record of `chunk` that is not blank to `sink`, in order.
    ///
    /// `chunk` holds whole records, each ended by `\n`; the last may lack it.
    pub fn scan(&mut self, chunk: &[u8], sink: &mut impl FnMut(Record<'_>)) {
        self.automaton.rank();
        self.counts = Counts::default();
        let mut start = 0;
        while let Some(rest) = chunk.get(start..).filter(|rest| !rest.is_empty()) {
            let len = stretch_len(rest);
            self.scan_stretch(Stretch { chunk, start, len }, sink);
            start += len;
        }
        if self.automaton.is_full() && self.counts.walked > self.counts.predicted {
            // What was learned no longer fits what comes.
            self.automaton = Automaton::new();
        }
    }

    fn scan_stretch(&mut self, stretch: Stretch<'_>, sink: &mut impl FnMut(Record<'_>)) {
        let Stretch { chunk, start, len } = stretch;
        // The automaton compares whole vectors and may look past the stretch, but not past this.
        let text = chunk.get(start..).unwrap_or_default();
        let described = text.get(..len).unwrap_or_default();
        self.index.rebuild(described);
        self.cells.text_start = start as u32;
        let is_in_reach = start + len <= self.reach_bytes;
        let is_utf8 = simdutf8::basic::from_utf8(described).is_ok();
        let refusal = |at| {
            if !is_in_reach {
                Some(RejectReason::OutOfReach)
            } else if !is_utf8 && simdutf8::basic::from_utf8(line_at(described, at)).is_err() {
                Some(RejectReason::InvalidUtf8)
            } else {
                None
            }
        };
        let mut at = 0;
        while at < len {
            self.cells.clear();
            let refused = refusal(at);
            if refused.is_none()
                && let Some(accepted) =
                    self.automaton.accept(text, at, &self.index, &mut self.cells)
            {
                self.counts.predicted += 1;
                let outcome = Ok(self.cells.settle(&self.wanted));
                sink(Record { chunk, start: start + at, end: start + accepted.end, outcome });
                at = accepted.next;
                continue;
            }
            self.counts.walked += 1;
            let line = Line::at(described, at);
            let end = line.text.len() - line.ending_bytes;
            if !is_blank(described.get(at..end).unwrap_or_default()) {
                let outcome = match refused {
                    Some(reason) => Err(reason),
                    None => self.walk_line(line),
                };
                sink(Record { chunk, start: start + at, end: start + end, outcome });
            }
            at = line.text.len();
        }
    }

    /// Reads a line without predictions and learns from it.
    fn walk_line(&mut self, line: Line<'_>) -> Result<&[Slot], RejectReason> {
        let end = line.text.len() - line.ending_bytes;
        let record = line.text.get(..end).unwrap_or_default();
        walk(record, line.start, &self.index, &mut self.tape)?;
        if self.tape.first().map(|token| token.kind) != Some(TokenKind::Open(Kind::Object)) {
            return Err(RejectReason::NotObject);
        }
        self.cells.clear();
        let is_learned_from = self.counts.lessons < MAX_LESSONS;
        self.counts.lessons += usize::from(is_learned_from);
        self.tracer.trace(Lesson {
            line,
            tape: &self.tape,
            wanted: &self.wanted,
            cells: &mut self.cells,
            pupil: is_learned_from.then_some(&mut self.automaton),
        });
        Ok(self.cells.settle(&self.wanted))
    }
}

/// How the lines of the last chunk were read.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    predicted: usize,
    walked: usize,
    lessons: usize,
}

/// Whole records of a chunk that are worked on at a time.
#[derive(Clone, Copy)]
struct Stretch<'a> {
    chunk: &'a [u8],
    start: usize,
    len: usize,
}

/// Returns the length of the whole records at the start of `rest` that make one stretch.
fn stretch_len(rest: &[u8]) -> usize {
    let Some((near, far)) = rest.split_at_checked(STRETCH_BYTES) else { return rest.len() };
    match memrchr(b'\n', near) {
        Some(line_break) => line_break + 1,
        None => memchr(b'\n', far).map_or(rest.len(), |at| near.len() + at + 1),
    }
}

impl<'a> Line<'a> {
    /// Finds the end of the line that starts at `start`.
    fn at(text: &'a [u8], start: usize) -> Self {
        let line = line_at(text, start);
        let record = line.strip_suffix(b"\n").unwrap_or(line);
        let record = record.strip_suffix(b"\r").unwrap_or(record);
        let text = text.get(..start + line.len()).unwrap_or_default();
        Self { text, start, ending_bytes: line.len() - record.len() }
    }
}

/// Returns the line that starts at `start`, with its line break.
fn line_at(text: &[u8], start: usize) -> &[u8] {
    let rest = text.get(start..).unwrap_or_default();
    let len = memchr(b'\n', rest).map_or(rest.len(), |at| at + 1);
    rest.get(..len).unwrap_or_default()
}

fn is_blank(record: &[u8]) -> bool {
    record.iter().all(|byte| matches!(byte, b' ' | b'\t' | b'\r'))
}

#[cfg(test)]
mod tests;
