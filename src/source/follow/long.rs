//! Lines longer than one read: measured and hashed in passing, and kept whole only if they are
//! within the record limit.

use std::io;

use memchr::memchr;
use sha2::{Digest, Sha256};

use crate::source::follow::evidence::{GUARD_MAX, HEAD_MAX, first_half};
use crate::source::follow::files::Opened;
use crate::source::follow::generation::{Generation, Outcome, Step};
use crate::source::follow::record::{Ending, RecordKind, Whole, cut, span};

/// A line whose end is not found yet.
pub(super) struct LongLine {
    /// The first byte not looked at.
    next: u64,
    /// Length without the line end.
    len: u64,
    hash: Sha256,
    kept: Vec<u8>,
    /// How much is kept of a record beyond the limit.
    keep_len: usize,
    /// The first bytes of the file, if the line starts among them.
    head: Vec<u8>,
    /// The last bytes looked at, also those before the line.
    last: Vec<u8>,
    /// The last byte is a carriage return: part of the line unless the line ends here.
    has_cr: bool,
}

impl LongLine {
    /// A line that starts at `start`, after the bytes `before`.
    pub(super) fn new(start: u64, before: &[u8], keep_len: usize) -> Self {
        let (head, last) = (before.to_vec(), before.to_vec());
        let (hash, kept) = (Sha256::new(), Vec::new());
        Self { next: start, len: 0, hash, kept, keep_len, head, last, has_cr: false }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.next += bytes.len() as u64;
        self.remember(bytes);
        let Some((last, most)) = bytes.split_last() else { return };
        if self.has_cr {
            self.add(b"\r");
        }
        self.has_cr = *last == b'\r';
        self.add(if self.has_cr { most } else { bytes });
    }

    fn remember(&mut self, bytes: &[u8]) {
        let head_missing = (HEAD_MAX as usize).saturating_sub(self.head.len());
        self.head.extend(bytes.iter().take(head_missing));
        self.last.extend_from_slice(bytes);
        let spare = self.last.len().saturating_sub(GUARD_MAX as usize);
        self.last.drain(..spare);
    }

    fn add(&mut self, bytes: &[u8]) {
        self.len += bytes.len() as u64;
        self.hash.update(bytes);
        let missing = self.keep_len - self.kept.len();
        self.kept.extend_from_slice(bytes.get(..missing).unwrap_or(bytes));
    }
}

impl<H: Opened + Send + Sync + 'static> Generation<H> {
    /// Goes on with a long line.
    pub(super) fn step_long(&mut self, step: &Step) -> io::Result<Outcome> {
        let Some(mut long) = self.long.take() else { return Ok(Outcome::Idle) };
        let keep_from = if long.len > step.max_record { long.next } else { self.front.line };
        let from = long.next - long.last.len() as u64;
        let bytes =
            self.read(from, long.last.len() + step.chunk_len, keep_from.saturating_sub(GUARD_MAX))?;
        let Some(bytes) = bytes.strip_prefix(long.last.as_slice()) else {
            return self.start_over();
        };
        let is_end = bytes.len() < step.chunk_len;
        if let Some(len) = memchr(b'\n', bytes) {
            long.take(bytes.get(..len).unwrap_or_default());
            let end = long.next + 1;
            return self.finish_long(long, end, Ending::Wait, step);
        }
        long.take(bytes);
        let is_all = long.next >= self.cursor.size_seen;
        let ending = if is_end && is_all { self.ending(step) } else { Ending::Wait };
        let fits = long.len <= step.max_record;
        match ending {
            Ending::Flush => {
                let end = long.next;
                self.finish_long(long, end, ending, step)
            }
            Ending::IfObject if fits => {
                let end = long.next;
                let outcome = self.finish_long(long, end, ending, step)?;
                // Not an object: the line is measured again from its start when it has grown.
                if matches!(outcome, Outcome::Idle) {
                    self.rest(ending);
                }
                Ok(outcome)
            }
            Ending::IfObject | Ending::Wait => {
                self.long = Some(long);
                if is_end {
                    self.rest(ending);
                    return Ok(Outcome::Idle);
                }
                Ok(Outcome::Busy(bytes.len() as u64))
            }
        }
    }

    /// Hands out the line that ends before `end`, whole or cut.
    fn finish_long(
        &mut self,
        mut long: LongLine,
        end: u64,
        ending: Ending,
        step: &Step,
    ) -> io::Result<Outcome> {
        let line = self.front.line;
        if long.len <= step.max_record {
            let expected = self.expected();
            let line_len = (end - line) as usize;
            let Some((bytes, start)) = self.read_guarded(line, line_len, expected)? else {
                return self.start_over();
            };
            let records = cut(&bytes, start, &mut self.front, ending, step.max_record);
            if records.is_empty() {
                return Ok(Outcome::Idle);
            }
            self.hand_out(&bytes, line - start as u64)?;
            return Ok(Outcome::Piece(self.piece(bytes, records)));
        }
        if end > long.next {
            long.remember(b"\n");
        }
        let bytes = std::mem::take(&mut long.kept);
        if line < HEAD_MAX {
            self.peek = std::mem::take(&mut long.head);
        }
        let record = span(&mut self.front, end, 0..bytes.len(), RecordKind::Truncated);
        let last_from = end - long.last.len() as u64;
        self.hand_out(&long.last, last_from)?;
        let mut piece = self.piece(bytes, vec![record]);
        let print = first_half(long.hash.finalize().as_slice());
        piece.truncated = Some(Whole { len: long.len, print });
        Ok(Outcome::Piece(piece))
    }
}
