//! One generation: its cursor, its open file, and the reading of its next records.

use std::io;
use std::sync::Arc;

use crate::model::{Cursor, GenerationState, Mark};
use crate::source::follow::evidence::{
    GUARD_MAX, HEAD_MAX, packed_of, print_before, print_of, read_up_to,
};
use crate::source::follow::files::{Opened, Stat};
use crate::source::follow::long::LongLine;
use crate::source::follow::packed::Unpacker;
use crate::source::follow::record::{Ending, Front, Piece, cut};

/// An unterminated complete JSON object is a record after this much silence.
const TAIL_IDLE_US: i64 = 2_000_000;

/// Where the bytes of a generation can be had.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// In a file of the last listing.
    Linked,
    /// Only through the open handle: the name is gone or does not match any more.
    Adrift,
    /// Nowhere; what is left is the memory of it, since this time and scan.
    Nowhere { since_us: i64, since_scan: u64 },
}

/// The bounds of one step of reading.
#[derive(Clone, Copy, Debug)]
pub(super) struct Step {
    pub(super) now_us: i64,
    /// Bytes to read at once.
    pub(super) chunk_len: usize,
    pub(super) max_record: u64,
    /// Nothing more will be written.
    pub(super) once: bool,
}

/// What a step came to.
#[derive(Debug)]
pub(super) enum Outcome {
    Piece(Piece),
    /// Bytes were read and there are more, but no record is complete.
    Busy(u64),
    /// Nothing to hand out now.
    Idle,
    /// The file no longer holds what was read of it.
    NotTheSame,
}

pub(super) struct Generation<H> {
    pub(super) cursor: Cursor,
    pub(super) place: Place,
    pub(super) handle: Option<Arc<H>>,
    pub(super) unpacker: Option<Unpacker<H>>,
    /// First bytes of the file, also those not handed out yet; at most [`HEAD_MAX`].
    pub(super) peek: Vec<u8>,
    pub(super) front: Front,
    pub(super) long: Option<LongLine>,
    /// When it was last seen to grow.
    pub(super) grown_us: i64,
    pub(super) is_queued: bool,
    /// Nothing more is expected: an unterminated tail is a record.
    pub(super) flush: bool,
    /// Its end went unread, which is not told yet.
    pub(super) is_loss_untold: bool,
    /// Unread bytes that were cut off and are not told yet.
    pub(super) cut_off: u64,
    /// The size at which the unterminated tail was last judged.
    tail_judged_at: Option<u64>,
}

impl<H: Opened + Send + Sync + 'static> Generation<H> {
    pub(super) fn new(cursor: Cursor, place: Place, now_us: i64) -> Self {
        let position = cursor.position;
        Self {
            cursor,
            place,
            handle: None,
            unpacker: None,
            peek: Vec::new(),
            front: Front { position, line: position, hole_len: 0 },
            long: None,
            grown_us: now_us,
            is_queued: false,
            flush: false,
            is_loss_untold: false,
            cut_off: 0,
            tail_judged_at: None,
        }
    }

    /// Bytes known to be there and not handed out.
    pub(super) fn unread(&self) -> u64 {
        self.cursor.size_seen.saturating_sub(self.cursor.position)
    }

    /// Whether its file can be read.
    pub(super) fn is_readable(&self) -> bool {
        !matches!(self.place, Place::Nowhere { .. })
    }

    /// Whether an unterminated tail has been silent long enough and was not judged yet.
    pub(super) fn has_ripe_tail(&self, now_us: i64) -> bool {
        self.unread() > 0
            && now_us - self.grown_us >= TAIL_IDLE_US
            && self.tail_judged_at != Some(self.cursor.size_seen)
    }

    /// Whether `file`, looking like `stat`, still holds what was read.
    pub(super) fn is_intact(&self, file: &H, stat: &Stat) -> io::Result<bool> {
        if let Some(packed) = self.cursor.packed {
            return Ok(packed_of(file, packed.format)? == packed);
        }
        let position = self.cursor.position;
        Ok(stat.size >= position && print_before(file, position)? == Some(self.cursor.guard))
    }

    /// Takes note of a size of the plain file; what was looked at beyond the new end is void.
    pub(super) fn note_size(&mut self, size: u64, now_us: i64) {
        if size < self.cursor.size_seen {
            // Cut back, but not behind the position; what a copy holds is not lost.
            let copied = self.cursor.copy.map_or(0, |mark| mark.at);
            self.cut_off += self.cursor.size_seen.saturating_sub(copied.max(size));
            self.peek.clear();
            self.look_again();
        }
        if size != self.cursor.size_seen {
            self.grown_us = now_us;
            self.flush = false;
            if self.cursor.state == GenerationState::Closed {
                self.cursor.state = GenerationState::Rotated;
            }
        }
        self.cursor.size_seen = size;
    }

    /// Forgets what was looked at beyond the position.
    pub(super) fn look_again(&mut self) {
        let position = self.cursor.position;
        self.front = Front { position, line: position, hole_len: 0 };
        self.long = None;
        self.unpacker = None;
        self.tail_judged_at = None;
    }

    /// Reads on and hands out what is complete. The handle must be there.
    pub(super) fn step(&mut self, step: &Step) -> io::Result<Outcome> {
        let size_before = self.cursor.size_seen;
        let outcome = self.read_records(step);
        if matches!(outcome, Ok(Outcome::NotTheSame)) {
            // The size seen in this step is that of something else.
            self.cursor.size_seen = size_before;
            self.cut_off = 0;
        }
        outcome
    }

    fn read_records(&mut self, step: &Step) -> io::Result<Outcome> {
        let Some(handle) = self.handle.clone() else { return Ok(Outcome::Idle) };
        if self.cursor.packed.is_none() {
            let size = handle.stat()?.size;
            if size < self.cursor.position {
                return Ok(Outcome::NotTheSame);
            }
            self.note_size(size, step.now_us);
        }
        if self.long.is_some() {
            return self.step_long(step);
        }
        self.skip_hole(handle.as_ref());
        // The guard comes in the same read as what follows it, so that nobody can rewrite the
        // file in between.
        let guard_len = self.cursor.position.min(GUARD_MAX);
        let next = self.front.next();
        let is_adjacent = next == self.cursor.position;
        let from = if is_adjacent { next - guard_len } else { next };
        let start = (next - from) as usize;
        let bytes = self.read(from, start + step.chunk_len, next.saturating_sub(GUARD_MAX))?;
        let is_guarded = match bytes.get(..start) {
            Some(before) if is_adjacent => print_of(before) == self.cursor.guard,
            // A complete compressed file is tested as a whole when it changes.
            Some(_) => self.cursor.packed.is_some() || self.guard_holds()?,
            None => false,
        };
        if !is_guarded {
            return Ok(Outcome::NotTheSame);
        }
        let got = bytes.len() - start;
        let is_end = got < step.chunk_len;
        let ending = if is_end { self.ending(step) } else { Ending::Wait };
        let records = cut(&bytes, start, &mut self.front, ending);
        if !records.is_empty() {
            self.hand_out(&bytes, from)?;
            return Ok(Outcome::Piece(self.piece(bytes, records)));
        }
        if is_end {
            self.rest(ending);
            return Ok(Outcome::Idle);
        }
        if self.front.next() == next {
            self.long = Some(LongLine::new(next));
        }
        Ok(Outcome::Busy(got as u64))
    }

    /// Reads up to `len` bytes of the content; `keep_from` as for [`Unpacker::read_up_to`].
    pub(super) fn read(&mut self, from: u64, len: usize, keep_from: u64) -> io::Result<Vec<u8>> {
        let Some(handle) = &self.handle else { return Ok(Vec::new()) };
        let Some(packed) = self.cursor.packed else {
            return read_up_to(handle.as_ref(), from, len);
        };
        if self.unpacker.is_none() {
            self.unpacker = Some(Unpacker::new(Arc::clone(handle), packed.format)?);
        }
        self.unpacker.as_mut().map_or(Ok(Vec::new()), |it| it.read_up_to(from, len, keep_from))
    }

    /// Whether the bytes before the position are still those that were read.
    pub(super) fn guard_holds(&mut self) -> io::Result<bool> {
        let position = self.cursor.position;
        let len = position.min(GUARD_MAX);
        let before = self.read(position - len, len as usize, position - len)?;
        Ok(before.len() as u64 == len && print_of(&before) == self.cursor.guard)
    }

    /// What an unterminated rest at the end of the file is worth now.
    pub(super) fn ending(&self, step: &Step) -> Ending {
        if step.once || self.flush || self.cursor.packed.is_some() {
            Ending::Flush
        } else if self.has_ripe_tail(step.now_us) {
            Ending::IfObject
        } else {
            Ending::Wait
        }
    }

    /// The end was reached and nothing is left to hand out.
    pub(super) fn rest(&mut self, ending: Ending) {
        if ending != Ending::Wait {
            self.tail_judged_at = Some(self.cursor.size_seen);
        }
        if self.cursor.packed.is_some() {
            self.unpacker = None;
            self.cursor.state = GenerationState::Closed;
        } else if self.flush && self.cursor.state == GenerationState::Rotated {
            self.cursor.state = GenerationState::Closed;
        }
    }

    /// Moves the cursor to where the last record of `bytes`, which stand at `from`, ended.
    pub(super) fn hand_out(&mut self, bytes: &[u8], from: u64) -> io::Result<()> {
        let position = self.front.position;
        let guard_from = position - position.min(GUARD_MAX);
        let is_in_bytes = guard_from >= from && position <= from + bytes.len() as u64;
        let guard = if is_in_bytes {
            let range = (guard_from - from) as usize..(position - from) as usize;
            print_of(bytes.get(range).unwrap_or_default())
        } else {
            let len = (position - guard_from) as usize;
            print_of(&self.read(guard_from, len, guard_from)?)
        };
        let head_len = position.min(HEAD_MAX);
        if self.cursor.head.at < head_len {
            let head = match bytes.get(..head_len as usize) {
                Some(head) if from == 0 => print_of(head),
                _ if self.cursor.packed.is_some() => {
                    print_of(self.peek.get(..head_len as usize).unwrap_or_default())
                }
                _ => print_of(&self.read(0, head_len as usize, 0)?),
            };
            self.cursor.head = Mark { at: head_len, print: head };
        }
        let cursor = &mut self.cursor;
        if cursor.position > 0 {
            cursor.earlier = Some(Mark { at: cursor.position, print: cursor.guard });
        }
        cursor.position = position;
        cursor.guard = guard;
        cursor.size_seen = cursor.size_seen.max(position);
        Ok(())
    }

    pub(super) fn piece(
        &self,
        bytes: Vec<u8>,
        records: Vec<crate::source::follow::record::RecordSpan>,
    ) -> Piece {
        Piece {
            generation: self.cursor.generation,
            path: self.cursor.path.clone(),
            bytes,
            records,
            truncated: None,
        }
    }

    fn skip_hole(&mut self, handle: &H) {
        if self.front.hole_len > 0 && self.cursor.packed.is_none() {
            let next = self.front.next();
            self.front.hole_len += handle.data_at(next).saturating_sub(next);
        }
    }
}
