//! One generation: its cursor, its open file, and the reading of its next records.

use std::io;
use std::sync::Arc;

use memchr::memchr;

use crate::model::{Cursor, Fingerprint, GenerationState, Mark};
use crate::source::follow::evidence::{
    GUARD_MAX, HEAD_MAX, may_start, packed_of, print_before, print_of, read_up_to,
};
use crate::source::follow::files::{Opened, Stat};
use crate::source::follow::long::LongLine;
use crate::source::follow::packed::Unpacker;
use crate::source::follow::record::{Ending, Front, Piece, cut, is_too_long};

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
    pub(super) truncated_keep: usize,
    pub(super) idle_tail_us: i64,
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
    /// What the bytes before `front` looked like.
    ahead: Fingerprint,
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
            ahead: Fingerprint::default(),
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

    /// Keeps the position of this scan: a copy that is made and whole before the next one reaches
    /// at least to it, while the position goes on.
    pub(super) fn mark_earlier(&mut self) {
        let Cursor { position, guard, .. } = self.cursor;
        self.cursor.earlier = (position > 0).then_some(Mark { at: position, print: guard });
    }

    /// Whether an unterminated tail has been silent long enough and was not judged yet.
    pub(super) fn has_ripe_tail(&self, now_us: i64, idle_us: i64) -> bool {
        self.unread() > 0
            && now_us.saturating_sub(self.grown_us) >= idle_us
            && self.tail_judged_at != Some(self.cursor.size_seen)
    }

    /// Whether `file`, looking like `stat`, still holds what was read.
    pub(super) fn is_intact(&self, file: &H, stat: &Stat) -> io::Result<bool> {
        if let Some(packed) = self.cursor.packed {
            return Ok(packed_of(file, packed.format)? == packed);
        }
        let position = self.cursor.position;
        let least = if position == 0 { self.cursor.size_seen } else { position };
        if stat.size < least || print_before(file, position)? != Some(self.cursor.guard) {
            return Ok(false);
        }
        // What was seen but not handed out says more than a guard that may be a mere banner.
        let ahead = self.peek.len().saturating_sub(position as usize);
        Ok(ahead == 0 || read_up_to(file, 0, self.peek.len())? == self.peek)
    }

    /// Takes note of the first bytes of a plain file; `false` when they are not those that were
    /// handed out.
    pub(super) fn take_peek(&mut self, file: &H) -> io::Result<bool> {
        if self.cursor.packed.is_some() {
            return Ok(true);
        }
        let head = read_up_to(file, 0, HEAD_MAX as usize)?;
        let is_same = head.len() as u64 >= self.cursor.head.at && may_start(&self.cursor, &head);
        if is_same {
            self.peek = head;
        }
        Ok(is_same)
    }

    /// Takes note of a size of the plain file; what was looked at beyond the new end is void.
    pub(super) fn note_size(&mut self, size: u64, now_us: i64) {
        if size < self.cursor.size_seen {
            // Cut back, but not behind the position; what a copy holds is not lost.
            let copied = self.cursor.copy.map_or(0, |mark| mark.at);
            self.cut_off += self.cursor.size_seen.saturating_sub(copied.max(size));
            let position = self.cursor.position;
            self.cursor.copy = self.cursor.copy.filter(|mark| mark.at <= position);
            self.peek.truncate(size as usize);
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
            let least = match self.cursor.position {
                0 => self.cursor.size_seen,
                position => position,
            };
            if size < least {
                return Ok(Outcome::NotTheSame);
            }
            self.note_size(size, step.now_us);
        }
        if self.long.is_some() {
            return self.step_long(step);
        }
        self.skip_hole(handle.as_ref());
        let next = self.front.next();
        let want = self.want(next, step);
        let expected = self.expected();
        let Some((bytes, start)) = self.read_guarded(next, want, expected)? else {
            return self.start_over();
        };
        let is_known = bytes.iter().zip(&self.peek).all(|(now, seen)| now == seen);
        if self.cursor.packed.is_none() && next <= GUARD_MAX && !is_known {
            return Ok(Outcome::NotTheSame);
        }
        let got = bytes.len() - start;
        let is_end = got < want;
        let is_all = next + got as u64 >= self.cursor.size_seen;
        let ending = if is_end && is_all { self.ending(step) } else { Ending::Wait };
        let records = cut(&bytes, start, &mut self.front, ending, step.max_record);
        let looked_at = (self.front.next() + start as u64 - next) as usize;
        let guard_len = looked_at.min(GUARD_MAX as usize);
        self.ahead = print_of(bytes.get(looked_at - guard_len..looked_at).unwrap_or_default());
        if !records.is_empty() {
            self.hand_out(&bytes, next - start as u64)?;
            return Ok(Outcome::Piece(self.piece(bytes, records)));
        }
        let rest = bytes.get(looked_at..).unwrap_or_default();
        let is_endless = self.front.next() == next && want == step.chunk_len && !is_end;
        if is_endless || is_too_long(rest, step.max_record) {
            let before = bytes.get(looked_at - guard_len..looked_at).unwrap_or_default();
            self.long = Some(LongLine::new(self.front.next(), before, step.truncated_keep));
            return Ok(Outcome::Busy(got as u64));
        }
        if is_end {
            self.rest(ending);
            return Ok(Outcome::Idle);
        }
        Ok(Outcome::Busy(got as u64))
    }

    /// How much to read from `next` on: one byte more than there is shows that it is the end.
    fn want(&self, next: u64, step: &Step) -> usize {
        if self.cursor.packed.is_some() {
            return step.chunk_len;
        }
        let rest = self.cursor.size_seen.saturating_sub(next).saturating_add(1);
        usize::try_from(rest).unwrap_or(usize::MAX).min(step.chunk_len)
    }

    /// Reads up to `len` bytes from `next` on together with the up to [`GUARD_MAX`] before it, so
    /// that nobody can rewrite the file in between and what is handed out is its own evidence.
    /// Gives the bytes and where `next` is in them; `None` when those before are not as expected.
    pub(super) fn read_guarded(
        &mut self,
        next: u64,
        len: usize,
        expected: Fingerprint,
    ) -> io::Result<Option<(Vec<u8>, usize)>> {
        let from = next - next.min(GUARD_MAX);
        let start = (next - from) as usize;
        let bytes = self.read(from, start + len, from)?;
        let holds = bytes.get(..start).is_some_and(|before| print_of(before) == expected);
        Ok(holds.then_some((bytes, start)))
    }

    /// What the bytes before the next ones to look at looked like.
    pub(super) fn expected(&self) -> Fingerprint {
        let is_adjacent = self.front.next() == self.cursor.position;
        if is_adjacent { self.cursor.guard } else { self.ahead }
    }

    /// What was looked at ahead of the position is not there any more: look again from the
    /// position on, or find that even what was handed out is gone.
    pub(super) fn start_over(&mut self) -> io::Result<Outcome> {
        self.look_again();
        Ok(if self.guard_holds()? { Outcome::Busy(0) } else { Outcome::NotTheSame })
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
        } else if self.has_ripe_tail(step.now_us, step.idle_tail_us) {
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

    /// Moves the cursor to where the last record ended. `bytes`, which stand at `from`, reach from
    /// [`GUARD_MAX`] before what is handed out to at least its end.
    pub(super) fn hand_out(&mut self, bytes: &[u8], from: u64) -> io::Result<()> {
        let position = self.front.position;
        let range = (position - position.min(GUARD_MAX)).saturating_sub(from) as usize
            ..(position - from) as usize;
        let guard = print_of(bytes.get(range).unwrap_or_default());
        let head_len = position.min(HEAD_MAX);
        if self.cursor.head.at < head_len {
            if from == 0 {
                // What was handed out, whatever was there when the file was listed.
                self.peek = bytes.get(..HEAD_MAX as usize).unwrap_or(bytes).to_vec();
            }
            let source = &self.peek;
            let head = source.get(..head_len as usize).unwrap_or(source);
            let (at, print) = (head.len() as u64, print_of(head));
            self.cursor.head = Mark { at, print };
        }
        self.test_copy(position)?;
        let cursor = &mut self.cursor;
        cursor.position = position;
        cursor.guard = guard;
        cursor.size_seen = cursor.size_seen.max(position);
        Ok(())
    }

    /// What a copy was compared with may have been rewritten before it was read up to `position`.
    fn test_copy(&mut self, position: u64) -> io::Result<()> {
        if let Some(Mark { at, print }) = self.cursor.copy
            && (self.cursor.position..position).contains(&at.saturating_sub(1))
        {
            let len = at.min(GUARD_MAX);
            if print_of(&self.read(at - len, len as usize, at - len)?) != print {
                self.cursor.copy = None;
            }
        }
        Ok(())
    }

    pub(super) fn piece(
        &self,
        bytes: Vec<u8>,
        records: Vec<crate::source::follow::record::RecordSpan>,
    ) -> Piece {
        let is_inner = records.first().is_some_and(|record| record.off > 0);
        let first_len = memchr(b'\n', &self.peek).filter(|_| is_inner).unwrap_or(0);
        Piece {
            generation: self.cursor.generation,
            path: self.cursor.path.clone(),
            bytes,
            records,
            truncated: None,
            first_line: self.peek.get(..first_len).unwrap_or_default().to_vec(),
        }
    }

    /// Leaps to the end of a hole.
    fn skip_hole(&mut self, handle: &H) {
        if self.front.hole_len > 0 && self.cursor.packed.is_none() {
            let next = self.front.next();
            let leap = handle.data_at(next).saturating_sub(next);
            if leap >= GUARD_MAX {
                self.front.hole_len += leap;
                self.ahead = print_of(&[0; GUARD_MAX as usize]);
            }
        }
    }
}
