//! What a step of reading hands out, and how bytes are cut into records.
//!
//! The ranges of the records of one generation tile `[0, position)`: line ends, blank lines and a
//! byte order mark belong to the record they surround or precede, so nothing is left over.
//! Nothing here reads a file or waits; a record that is not complete is simply not cut yet.

use std::ops::Range;
use std::path::PathBuf;

use memchr::memchr;

use crate::model::{Fingerprint, GenerationId};

/// This many NUL bytes at the start of a line are a hole and not text.
pub const NUL_HOLE_MIN: usize = 512;
const BOM: &[u8] = b"\xef\xbb\xbf";

/// Whole records of one generation, in the order of its bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Piece {
    /// Which generation.
    pub generation: GenerationId,
    /// Where its file was when it was read.
    pub path: PathBuf,
    /// The bytes that the records point into; bytes between them are line ends and context.
    pub bytes: Vec<u8>,
    /// The records. May be empty: much was read and no record was complete; ask again.
    pub records: Vec<RecordSpan>,
    /// What was cut away, if the only record of this piece is longer than the limit.
    pub truncated: Option<Whole>,
    /// The first line of the file, such as a header of CSV, if it is not in this piece and is
    /// known.
    pub first_line: Vec<u8>,
}

impl Piece {
    /// The text of a record.
    pub fn text(&self, record: usize) -> &[u8] {
        let body =
            self.records.get(record).map(|span| span.body.start as usize..span.body.end as usize);
        body.and_then(|body| self.bytes.get(body)).unwrap_or_default()
    }
}

/// One record: which bytes of the generation it stands for, and where its text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RecordSpan {
    /// Offset in the generation where the range starts: the end of the record before.
    pub off: u64,
    /// Length of the range, with blank lines before the record and its line end.
    pub len: u64,
    /// The record itself in the bytes of the piece: no line end, no byte order mark.
    pub body: Range<u32>,
    /// What is special about it.
    pub kind: RecordKind,
}

/// What is special about a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RecordKind {
    /// A line with its end.
    Line,
    /// The last line of a file, without a line end.
    Unterminated,
    /// Longer than the limit: the body holds its first bytes only.
    Truncated,
    /// A run of NUL bytes that was never written as text; the body is empty.
    NulHole,
    /// The end of a document; the body is empty.
    Tombstone,
}

/// The true measures of a record that was too long to keep.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Whole {
    /// Its length in bytes without the line end.
    pub len: u64,
    /// The fingerprint of all of it.
    pub print: Fingerprint,
}

/// What to do with the bytes after the last line end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// More may come: leave them.
    Wait,
    /// They are a record if they are a complete JSON object.
    IfObject,
    /// Nothing more will come: they are a record.
    Flush,
}

/// Where the next record starts: everything before `line` and after the position is blank lines,
/// a byte order mark, or the start of a hole that goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Front {
    /// End of the last record.
    pub(super) position: u64,
    /// Start of the next line; at least `position`.
    pub(super) line: u64,
    /// NUL bytes already seen from `line` on.
    pub(super) hole_len: u64,
}

impl Front {
    /// The offset of the first byte not looked at yet.
    pub(super) fn next(&self) -> u64 {
        self.line + self.hole_len
    }
}

/// Cuts `bytes`, whose part from `start` on stands at `front.next()`, into records.
///
/// `ending` says what to do with an unterminated rest; the caller passes [`Ending::Wait`] unless
/// `bytes` reach the end of the file. Moves `front` to the first byte that is not in a record;
/// a record of more than `max_record` bytes is left there, see [`is_too_long`].
pub(super) fn cut(
    bytes: &[u8],
    start: usize,
    front: &mut Front,
    ending: Ending,
    max_record: u64,
) -> Vec<RecordSpan> {
    let mut records = Vec::new();
    let mut at = start;
    if front.next() == 0 && bytes.get(at..).is_some_and(|rest| rest.starts_with(BOM)) {
        at += BOM.len();
        front.line = BOM.len() as u64;
    }
    loop {
        let rest = bytes.get(at..).unwrap_or_default();
        let nul_len = rest.iter().take_while(|byte| **byte == 0).count();
        let hole_len = front.hole_len + nul_len as u64;
        if hole_len >= NUL_HOLE_MIN as u64 {
            let is_over = nul_len < rest.len() || ending == Ending::Flush;
            at += nul_len;
            front.hole_len = hole_len;
            if !is_over {
                return records;
            }
            let end = front.next();
            records.push(span(front, end, at..at, RecordKind::NulHole));
            continue;
        }
        let Some(line_len) = memchr(b'\n', rest) else {
            if let Some(kept) = tail(rest, ending).filter(|kept| *kept as u64 <= max_record) {
                let end = front.line + rest.len() as u64;
                records.push(span(front, end, at..at + kept, RecordKind::Unterminated));
            }
            return records;
        };
        let body_len = without_cr(rest.get(..line_len).unwrap_or_default()).len();
        let end = front.line + line_len as u64 + 1;
        if body_len as u64 > max_record {
            return records;
        }
        if body_len == 0 {
            front.line = end;
        } else {
            records.push(span(front, end, at..at + body_len, RecordKind::Line));
        }
        at += line_len + 1;
    }
}

/// Whether `bytes` begin with a line that [`cut`] left for its length, however it goes on.
pub(super) fn is_too_long(bytes: &[u8], max_record: u64) -> bool {
    let line = memchr(b'\n', bytes).and_then(|len| bytes.get(..len)).unwrap_or(bytes);
    without_cr(line).len() as u64 > max_record
}

/// The line without a carriage return at its end.
pub(super) fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Makes the record that ends at `end` and moves `front` behind it.
pub(super) fn span(
    front: &mut Front,
    end: u64,
    body: Range<usize>,
    kind: RecordKind,
) -> RecordSpan {
    let off = front.position;
    *front = Front { position: end, line: end, hole_len: 0 };
    // A piece holds at most one record limit of bytes, far below 4 GiB.
    let body = body.start as u32..body.end as u32;
    RecordSpan { off, len: end - off, body, kind }
}

/// How many bytes of the unterminated rest are its record, if it may be one now.
fn tail(rest: &[u8], ending: Ending) -> Option<usize> {
    let body = without_cr(rest);
    match ending {
        Ending::Wait => None,
        Ending::IfObject if !is_object(body) => None,
        Ending::IfObject | Ending::Flush => (!body.is_empty()).then_some(body.len()),
    }
}

fn is_object(text: &[u8]) -> bool {
    text.trim_ascii_start().starts_with(b"{")
        && text.trim_ascii_end().ends_with(b"}")
        && serde_json::from_slice::<serde::de::IgnoredAny>(text).is_ok()
}

#[cfg(test)]
mod tests;
