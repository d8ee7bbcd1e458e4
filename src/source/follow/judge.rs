//! Who is that file: a new generation, or a twin of one that is known?
//!
//! A wrong "twin" loses records, a wrong "new" doubles them; so a twin needs evidence of content,
//! and never the equal start of two files alone.

use std::io;
use std::path::Path;

use crate::model::{Cursor, FileId, Fingerprint, GenerationId, GenerationState, Mark};
use crate::source::follow::evidence::{
    HEAD_MAX, SHORT_LEN, is_rotated_name, marks_within, may_start, print_before, read_up_to,
};
use crate::source::follow::files::{Files, Opened};
use crate::source::follow::follower::Follower;
use crate::source::follow::generation::{Generation, Place};
use crate::source::follow::lookalikes::Lookalikes;
use crate::source::follow::packed::Content;
use crate::source::follow::scan::Condition;

/// A stranger is compared with at most so many files that start like it.
const LOOKALIKES_MAX: usize = 32;
/// A file to be judged.
pub(super) struct Stranger<'a, H> {
    pub(super) path: &'a Path,
    pub(super) file: FileId,
    /// Its length in decompressed bytes.
    pub(super) len: u64,
    pub(super) head: &'a [u8],
    pub(super) body: Body<'a, H>,
    /// It has been watched long enough.
    pub(super) is_ripe: bool,
    /// It will be there in the next scan.
    pub(super) can_wait: bool,
}

pub(super) enum Body<'a, H> {
    Plain(&'a H),
    Packed(&'a Content),
}

impl<H: Opened> Stranger<'_, H> {
    fn print_before(&self, at: u64) -> io::Result<Option<Fingerprint>> {
        match self.body {
            Body::Plain(file) => print_before(file, at),
            Body::Packed(content) => Ok(content.print_before(at)),
        }
    }

    fn is_packed(&self) -> bool {
        matches!(self.body, Body::Packed(_))
    }
}

#[derive(Debug)]
pub(super) enum Verdict {
    New,
    Twin(GenerationId),
    /// Just like a file that is still whole: watch it.
    Copy,
}

impl<F: Files> Follower<F> {
    /// Who is that file? Changes nothing, except that generations found truncated end.
    pub(super) fn judge(
        &mut self,
        stranger: &Stranger<'_, F::Handle>,
        now_us: i64,
    ) -> io::Result<Verdict> {
        // Each round but the last ends a generation.
        loop {
            // Equal in its whole length to a file that is there says more than marks do.
            let Some(by_content) = self.compare_all(stranger, now_us)? else { continue };
            if matches!(by_content, Verdict::Twin(_)) {
                return Ok(by_content);
            }
            match self.twin_by_marks(stranger)? {
                Some(Verdict::Twin(id)) if self.is_replaced(id, now_us)? => {
                    self.truncated(id, now_us);
                }
                // Just like another file in its whole length, and this one in a banner only.
                Some(Verdict::Twin(id))
                    if self.is_short(id) && matches!(by_content, Verdict::Copy) =>
                {
                    return Ok(by_content);
                }
                Some(verdict) => return Ok(verdict),
                None => return Ok(by_content),
            }
        }
    }

    /// Compares the stranger with the readable files that start like it; `None` when one of them
    /// turned out to hold something else by now.
    fn compare_all(
        &mut self,
        stranger: &Stranger<'_, F::Handle>,
        now_us: i64,
    ) -> io::Result<Option<Verdict>> {
        for id in self.similar(stranger) {
            match self.condition(id, now_us).unwrap_or(Condition::OutOfReach) {
                Condition::Other => {
                    self.truncated(id, now_us);
                    return Ok(None);
                }
                Condition::OutOfReach if stranger.can_wait => return Ok(Some(Verdict::Copy)),
                Condition::OutOfReach => {
                    if self.has_nothing_new(id, stranger)? {
                        return Ok(Some(Verdict::Copy));
                    }
                }
                Condition::Same => {
                    if let Some(verdict) = self.compare(id, stranger)? {
                        return Ok(Some(verdict));
                    }
                }
            }
        }
        Ok(Some(Verdict::New))
    }

    /// Whether the marks of a generation say that all of the stranger was handed out.
    fn has_nothing_new(
        &self,
        id: GenerationId,
        stranger: &Stranger<'_, F::Handle>,
    ) -> io::Result<bool> {
        let Some(generation) = self.generations.get(&id) else { return Ok(false) };
        if stranger.len > generation.cursor.position {
            return Ok(false);
        }
        for mark in marks_within(&generation.cursor, stranger.len) {
            if stranger.print_before(mark.at)? == Some(mark.print) {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the file of a generation that should be readable holds something else by now.
    fn is_replaced(&mut self, id: GenerationId, now_us: i64) -> io::Result<bool> {
        let is_readable = self.generations.get(&id).is_some_and(Generation::is_readable);
        Ok(is_readable && self.condition(id, now_us)? == Condition::Other)
    }

    fn is_short(&self, id: GenerationId) -> bool {
        self.generations.get(&id).is_some_and(|it| it.cursor.position < SHORT_LEN)
    }

    /// Generations that only their marks can speak for: those without a listed file, and those
    /// whose file is compressed.
    fn told_by_marks(&mut self) -> Vec<GenerationId> {
        let generations = &self.generations;
        let all = self.lookalikes.get_or_insert_with(|| Lookalikes::of_all(generations));
        let is_packed =
            |id: &&GenerationId| generations.get(*id).is_some_and(|it| it.place == Place::Linked);
        let packed = all.packed().filter(is_packed);
        self.unlisted.values().flatten().chain(packed).copied().collect()
    }

    /// The offsets whose fingerprints may tell a compressed file.
    pub(super) fn wanted_marks(&mut self) -> Vec<u64> {
        let mut marks: Vec<u64> = Vec::new();
        for id in self.told_by_marks() {
            let Some(generation) = self.generations.get(&id) else { continue };
            let Cursor { position, earlier, copy, .. } = &generation.cursor;
            marks.push(*position);
            marks.extend([earlier, copy].into_iter().flatten().map(|mark| mark.at));
        }
        marks
    }

    /// The generation of which the most was read, and which the stranger has the evidence of.
    fn twin_by_marks(&mut self, stranger: &Stranger<'_, F::Handle>) -> io::Result<Option<Verdict>> {
        let ids = self.told_by_marks();
        let mut best: Option<&Cursor> = None;
        let mut is_being_unpacked = false;
        for id in ids {
            let Some(generation) = self.generations.get(&id) else { continue };
            let cursor = &generation.cursor;
            if best.is_some_and(|best| best.position >= cursor.position)
                || cursor.position == 0
                || !may_start(cursor, stranger.head)
            {
                continue;
            }
            // A packed file that is there is the twin of what was unpacked from it, all of it.
            let is_packed_there = cursor.packed.is_some() && generation.is_readable();
            if is_packed_there && (generation.unread() > 0 || cursor.position != stranger.len) {
                is_being_unpacked |= stranger.len <= cursor.size_seen
                    && cursor.head.at <= stranger.head.len() as u64;
                continue;
            }
            for mark in marks_within(cursor, stranger.len) {
                if is_admissible(generation, stranger)
                    && stranger.print_before(mark.at)? == Some(mark.print)
                    && !has_parted(generation, stranger)?
                {
                    best = Some(cursor);
                }
            }
        }
        let waits = is_being_unpacked && !stranger.is_packed() && stranger.can_wait;
        let twin = best.map(|cursor| Verdict::Twin(cursor.generation));
        Ok(twin.or_else(|| waits.then_some(Verdict::Copy)))
    }

    /// Readable generations that start like the stranger, those with the most similar path first.
    fn similar(&mut self, stranger: &Stranger<'_, F::Handle>) -> Vec<GenerationId> {
        let generations = &self.generations;
        let all = self.lookalikes.get_or_insert_with(|| Lookalikes::of_all(generations));
        let mut ids = all.starting_like(stranger.head);
        ids.retain(|id| generations.get(id).is_some_and(Generation::is_readable));
        ids.sort_by_cached_key(|id| {
            let path = generations.get(id).map(|it| it.cursor.path.as_path());
            std::cmp::Reverse(path.map_or(0, |path| common_len(path, stranger.path)))
        });
        ids.truncate(LOOKALIKES_MAX);
        ids
    }

    /// Whether the stranger is a copy of a generation whose own file is whole.
    fn compare(
        &mut self,
        id: GenerationId,
        stranger: &Stranger<'_, F::Handle>,
    ) -> io::Result<Option<Verdict>> {
        let Some(generation) = self.generations.get_mut(&id) else { return Ok(None) };
        let size = generation.cursor.size_seen;
        let Some(handle) = generation.handle.clone().filter(|_| stranger.len <= size) else {
            return Ok(None);
        };
        let Some(print) = stranger.print_before(stranger.len)? else { return Ok(None) };
        let head_len = stranger.head.len();
        if read_up_to(handle.as_ref(), 0, head_len)? != stranger.head
            || print_before(handle.as_ref(), stranger.len)? != Some(print)
        {
            return Ok(None);
        }
        if stranger.is_packed() {
            let is_whole = stranger.len == size && generation.cursor.state != GenerationState::Live;
            let is_named_so = stranger.path.with_extension("") == generation.cursor.path;
            if is_whole || is_named_so || stranger.len >= HEAD_MAX {
                return Ok(Some(Verdict::Twin(id)));
            }
        }
        // Of several copies the longest was made last.
        let longest = generation.cursor.copy.map_or(0, |mark| mark.at);
        if stranger.len >= longest {
            generation.cursor.copy = Some(Mark { at: stranger.len, print });
        }
        Ok((!stranger.is_ripe).then_some(Verdict::Copy))
    }
}

/// Whether the stranger and the open file of a generation, for all they share, differ further on.
fn has_parted<H: Opened>(
    generation: &Generation<H>,
    stranger: &Stranger<'_, H>,
) -> io::Result<bool> {
    let Some(handle) = &generation.handle else { return Ok(false) };
    if generation.cursor.packed.is_some() {
        return Ok(false);
    }
    let common = stranger.len.min(generation.cursor.size_seen);
    let Some(print) = stranger.print_before(common)? else { return Ok(false) };
    Ok(print_before(handle.as_ref(), common)?.is_some_and(|own| own != print))
}

/// Whether the evidence of this generation may speak for the stranger at all.
fn is_admissible<H: Opened>(generation: &Generation<H>, stranger: &Stranger<'_, H>) -> bool {
    let cursor = &generation.cursor;
    // Cut back and written on, the same file would agree at an earlier point and then not.
    let is_same_file = !stranger.is_packed() && stranger.file == cursor.file;
    if stranger.len < cursor.position && is_same_file {
        return false;
    }
    if cursor.position >= SHORT_LEN {
        return true;
    }
    // So short that it may be only what each start of a program writes, and the stranger the next
    // start. It needs a reason besides: rotation leaves `app.log.1` of `app.log`, or a copy of
    // what it truncated, or a file of the same length.
    let is_truncated = cursor.state == GenerationState::Closed;
    let is_as_long = [cursor.position, cursor.size_seen].contains(&stranger.len);
    let is_rotated = is_rotated_name(&cursor.path, stranger.path);
    let is_reason = is_rotated || is_truncated || is_as_long;
    stranger.path != cursor.path && is_reason
}

/// Length of the common start of two paths.
fn common_len(a: &Path, b: &Path) -> usize {
    let (a, b) = (a.as_os_str().as_encoded_bytes(), b.as_os_str().as_encoded_bytes());
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
