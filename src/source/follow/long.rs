//! Lines longer than one read: measured and hashed in passing, and kept whole only if they are
//! within the record limit.

use std::io;

use memchr::memchr;
use sha2::{Digest, Sha256};

use crate::source::follow::evidence::{GUARD_MAX, first_half};
use crate::source::follow::files::Opened;
use crate::source::follow::generation::{Generation, Outcome, Step};
use crate::source::follow::record::{Ending, RecordKind, Whole, cut, span};

/// How much of a record beyond the limit is kept.
const KEPT_LEN: usize = 64 * 1024;

/// A line whose end is not found yet.
pub(super) struct LongLine {
    /// The first byte not looked at.
    next: u64,
    /// Length without the line end.
    len: u64,
    hash: Sha256,
    kept: Vec<u8>,
    /// The last byte is a carriage return: part of the line unless the line ends here.
    has_cr: bool,
}

impl LongLine {
    /// A line that starts at `start`.
    pub(super) fn new(start: u64) -> Self {
        Self { next: start, len: 0, hash: Sha256::new(), kept: Vec::new(), has_cr: false }
    }

    fn take(&mut self, bytes: &[u8]) {
        self.next += bytes.len() as u64;
        let Some((last, most)) = bytes.split_last() else { return };
        if self.has_cr {
            self.add(b"\r");
        }
        self.has_cr = *last == b'\r';
        self.add(if self.has_cr { most } else { bytes });
    }

    fn add(&mut self, bytes: &[u8]) {
        self.len += bytes.len() as u64;
        self.hash.update(bytes);
        let missing = KEPT_LEN - self.kept.len();
        self.kept.extend_from_slice(bytes.get(..missing).unwrap_or(bytes));
    }
}

impl<H: Opened + Send + Sync + 'static> Generation<H> {
    /// Goes on with a long line.
    pub(super) fn step_long(&mut self, step: &Step) -> io::Result<Outcome> {
        let Some(mut long) = self.long.take() else { return Ok(Outcome::Idle) };
        if self.cursor.packed.is_none() && !self.guard_holds()? {
            return Ok(Outcome::NotTheSame);
        }
        let is_over = long.len > step.max_record;
        let keep_from = if is_over { long.next } else { self.front.line };
        let keep_from = keep_from.saturating_sub(GUARD_MAX);
        let bytes = self.read(long.next, step.chunk_len, keep_from)?;
        let is_end = bytes.len() < step.chunk_len;
        if let Some(end) = memchr(b'\n', &bytes) {
            long.take(bytes.get(..end).unwrap_or_default());
            let stop = long.next + 1;
            return self.finish_long(long, stop, Ending::Wait, step);
        }
        long.take(&bytes);
        let ending = if is_end { self.ending(step) } else { Ending::Wait };
        let fits = long.len <= step.max_record;
        match ending {
            Ending::Flush => {
                let stop = long.next;
                self.finish_long(long, stop, ending, step)
            }
            Ending::IfObject if fits => {
                let stop = long.next;
                let outcome = self.finish_long(long, stop, ending, step)?;
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

    /// Hands out the line that ends before `stop`, whole or cut.
    fn finish_long(
        &mut self,
        mut long: LongLine,
        stop: u64,
        ending: Ending,
        step: &Step,
    ) -> io::Result<Outcome> {
        let line = self.front.line;
        if long.len <= step.max_record {
            let bytes = self.read(line, (stop - line) as usize, line)?;
            let records = cut(&bytes, 0, &mut self.front, ending);
            if records.is_empty() {
                return Ok(Outcome::Idle);
            }
            self.hand_out(&bytes, line)?;
            return Ok(Outcome::Piece(self.piece(bytes, records)));
        }
        let bytes = std::mem::take(&mut long.kept);
        let record = span(&mut self.front, stop, 0..bytes.len(), RecordKind::Truncated);
        self.hand_out(&[], stop)?;
        let mut piece = self.piece(bytes, vec![record]);
        let print = first_half(long.hash.finalize().as_slice());
        piece.truncated = Some(Whole { len: long.len, print });
        Ok(Outcome::Piece(piece))
    }
}
