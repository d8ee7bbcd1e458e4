//! Who is that file: a new generation, or a twin of one that is known?
//!
//! A wrong "twin" loses records, a wrong "new" doubles them; so a twin needs evidence of content,
//! and never the equal start of two files alone.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::Path;
use std::sync::Arc;

use crate::model::{
    Compression, Cursor, FileId, Fingerprint, GenerationId, GenerationState, Mark,
};
use crate::source::follow::evidence::{
    HEAD_MAX, marks_within, packed_of, print_before, print_of, read_up_to, may_start,
};
use crate::source::follow::files::{Files, Listed, Opened, Stat};
use crate::source::follow::follower::{Follower, Role, Seen, key_of};
use crate::source::follow::generation::{Generation, Place};
use crate::source::follow::notice::Notice;
use crate::source::follow::packed::{Content, Probe, SNIFF_LEN, sniff};

/// A copy of a file that is still whole is watched so long, and for so many scans, before it
/// counts as a file of its own.
const COPY_WAIT_US: i64 = 5_000_000;
const COPY_WAIT_SCANS: u64 = 3;
/// Compressed files are looked through by at most so many decompressed bytes in one scan.
const PROBE_BYTES_PER_SCAN: u64 = 64 << 20;
/// A stranger is compared with at most so many files that start like it.
const LOOKALIKES_MAX: usize = 32;
/// A generation of which less was read than this may look like another by chance.
const SHORT_LEN: u64 = 16 * 1024;

/// Readable generations by the first bytes of their files.
pub(super) struct Lookalikes {
    by_start: BTreeSet<(Vec<u8>, GenerationId)>,
    lens: BTreeMap<usize, usize>,
}

impl Lookalikes {
    fn new() -> Self {
        Self { by_start: BTreeSet::new(), lens: BTreeMap::new() }
    }

    pub(super) fn insert(&mut self, start: &[u8], id: GenerationId) {
        if !start.is_empty() && self.by_start.insert((start.to_vec(), id)) {
            *self.lens.entry(start.len()).or_default() += 1;
        }
    }

    /// Generations whose file starts with `head`, or the other way round.
    fn of(&self, head: &[u8]) -> Vec<GenerationId> {
        let longer = self
            .by_start
            .range((head.to_vec(), GenerationId(0))..)
            .take_while(|(start, _)| start.starts_with(head));
        let mut found: Vec<GenerationId> = longer.map(|(_, id)| *id).collect();
        for len in self.lens.range(..head.len()).map(|(len, _)| *len) {
            let start = head.get(..len).unwrap_or_default().to_vec();
            let range = (start.clone(), GenerationId(0))..=(start, GenerationId(u64::MAX));
            found.extend(self.by_start.range(range).map(|(_, id)| *id));
        }
        found
    }
}

/// A file to be judged.
struct Stranger<'a, H> {
    path: &'a Path,
    file: FileId,
    /// Its length in decompressed bytes.
    len: u64,
    head: &'a [u8],
    body: Body<'a, H>,
    /// It has been watched long enough.
    is_ripe: bool,
}

/// How long a file has been looking like a copy.
struct Watch {
    suspect: Role,
    is_ripe: bool,
}

enum Body<'a, H> {
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
enum Verdict {
    New,
    Twin(GenerationId),
    /// Just like a file that is still whole: watch it.
    Copy,
}

impl<F: Files> Follower<F> {
    /// Decides what a file is that is not known, or has changed its content.
    pub(super) fn admit(&mut self, entry: Listed, now_us: i64) {
        let key = key_of(entry.stat.file);
        let before = self.seen.remove(&key);
        let kept = before.as_ref().and_then(|seen| seen.handle.clone());
        let handle = match kept.map_or_else(|| self.files.open(&entry.path).map(Arc::new), Ok) {
            Ok(handle) => handle,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return,
            Err(error) => return self.deny(entry, &error),
        };
        let judged = handle.stat().and_then(|stat| {
            if key_of(stat.file) == key {
                self.admit_open(&entry, stat, &handle, before, now_us)?;
            }
            Ok(())
        });
        if let Err(error) = judged {
            self.deny(entry, &error);
        }
    }

    /// A file that was not decided on has lost its name: what it holds can be read only now.
    pub(super) fn admit_nameless(&mut self, seen: Seen<F::Handle>, now_us: i64) {
        let Some(handle) = seen.handle else { return };
        let Ok(stat) = handle.stat() else { return };
        let Ok(head) = read_up_to(handle.as_ref(), 0, HEAD_MAX as usize) else { return };
        if stat.size == 0 || sniff(&head).is_some() {
            return;
        }
        let stranger = Stranger {
            path: &seen.path,
            file: stat.file,
            len: stat.size,
            head: &head,
            body: Body::Plain(handle.as_ref()),
            is_ripe: false,
        };
        let id = match self.judge(&stranger, now_us) {
            Ok(Verdict::New) => self.create(&seen.path, stat, head, now_us),
            Ok(Verdict::Twin(id)) if self.may_take(id, stat.size) => {
                self.forget_place(id);
                id
            }
            _ => return,
        };
        let Some(generation) = self.generations.get_mut(&id) else { return };
        generation.place = Place::Adrift;
        generation.cursor.state = GenerationState::Gone;
        generation.cursor.file = stat.file;
        generation.cursor.size_seen = stat.size;
        generation.is_loss_untold = false;
        self.unlisted.entry(key_of(stat.file)).or_default().push(id);
        self.keep_open(id, handle);
        self.enqueue(id);
    }

    /// Whether a file of `len` bytes is a better place for this generation than it has.
    fn may_take(&self, id: GenerationId, len: u64) -> bool {
        let generation = self.generations.get(&id);
        generation.is_some_and(|it| !it.is_readable() && len >= it.cursor.position)
    }

    fn deny(&mut self, entry: Listed, error: &io::Error) {
        self.tell_unreadable(entry.path.clone(), &error.to_string());
        let (role, scan) = (Role::Denied, self.scan);
        let seen = Seen { path: entry.path, stat: entry.stat, scan, role, handle: None };
        self.seen.insert(key_of(entry.stat.file), seen);
    }

    fn admit_open(
        &mut self,
        entry: &Listed,
        stat: Stat,
        handle: &Arc<F::Handle>,
        before: Option<Seen<F::Handle>>,
        now_us: i64,
    ) -> io::Result<()> {
        let (since_us, since_scan) = match &before {
            Some(Seen { role: Role::Suspect { since_us, since_scan }, stat: old, .. })
                if *old == stat =>
            {
                ((*since_us).min(now_us), *since_scan)
            }
            _ => (now_us, self.scan),
        };
        let is_ripe = self.settings.once
            || (now_us - since_us >= COPY_WAIT_US && self.scan - since_scan >= COPY_WAIT_SCANS);
        self.tell_readable(&entry.path);
        let suspect = Role::Suspect { since_us, since_scan };
        if stat.size == 0 || (stat.size < SNIFF_LEN && !is_ripe) {
            self.remember(entry, stat, suspect, Some(Arc::clone(handle)));
            return Ok(());
        }
        let head = read_up_to(handle.as_ref(), 0, HEAD_MAX as usize)?;
        if let Some(format) = sniff(&head) {
            let watch = Watch { suspect, is_ripe };
            return self.look_through(entry, stat, handle, (format, before, watch));
        }
        let stranger = Stranger {
            path: &entry.path,
            file: stat.file,
            len: stat.size,
            head: &head,
            body: Body::Plain(handle.as_ref()),
            is_ripe,
        };
        match self.judge(&stranger, now_us)? {
            Verdict::New => {
                if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
                    self.notices.push(Notice::Utf16 { path: entry.path.clone() });
                }
                let id = self.create(&entry.path, stat, head, now_us);
                self.settle_in(id, entry, stat, Arc::clone(handle));
            }
            Verdict::Twin(id) => self.join(id, entry, stat, handle, None),
            Verdict::Copy => {
                self.remember(entry, stat, suspect, Some(Arc::clone(handle)));
            }
        }
        Ok(())
    }

    fn remember(
        &mut self,
        entry: &Listed,
        stat: Stat,
        role: Role,
        handle: Option<Arc<F::Handle>>,
    ) {
        let handle = handle.filter(|_| self.held_count < self.settings.max_open);
        self.held_count += usize::from(handle.is_some());
        let seen = Seen { path: entry.path.clone(), stat, scan: self.scan, role, handle };
        self.seen.insert(key_of(stat.file), seen);
    }

    /// Looks through a compressed file as far as this scan may, and judges it once it is whole.
    fn look_through(
        &mut self,
        entry: &Listed,
        stat: Stat,
        handle: &Arc<F::Handle>,
        (format, before, watch): (Compression, Option<Seen<F::Handle>>, Watch),
    ) -> io::Result<()> {
        if let Some(id) = self.same_packed(&packed_of(handle.as_ref(), format)?) {
            self.settle_in(id, entry, stat, Arc::clone(handle));
            return Ok(());
        }
        let mut probe = match before {
            Some(Seen { role: Role::Probing(probe), stat: old, .. }) if old == stat => probe,
            _ => Box::new(Probe::new(Arc::clone(handle), format, self.marks_of_unlisted())?),
        };
        let mut budget = if self.settings.once { u64::MAX } else { PROBE_BYTES_PER_SCAN };
        match probe.step(&mut budget) {
            Ok(true) => {
                let content = probe.into_content();
                self.judge_packed(entry, stat, handle, (format, &content, watch))
            }
            Ok(false) => {
                self.remember(entry, stat, Role::Probing(probe), Some(Arc::clone(handle)));
                Ok(())
            }
            Err(error) => {
                // A compressor at work shows the same; it is told once for each path.
                if self.settings.once || self.tell_once(&entry.path) {
                    let (path, error) = (entry.path.clone(), error.to_string());
                    self.notices.push(Notice::Incomplete { path, error });
                }
                self.remember(entry, stat, Role::Unusable, None);
                Ok(())
            }
        }
    }

    fn judge_packed(
        &mut self,
        entry: &Listed,
        stat: Stat,
        handle: &Arc<F::Handle>,
        (format, content, watch): (Compression, &Content, Watch),
    ) -> io::Result<()> {
        let stranger = Stranger::<F::Handle> {
            path: &entry.path,
            file: stat.file,
            len: content.len,
            head: &content.head,
            body: Body::Packed(content),
            is_ripe: watch.is_ripe,
        };
        let packed = packed_of(handle.as_ref(), format)?;
        match self.judge(&stranger, 0)? {
            Verdict::Twin(id) => {
                self.join(id, entry, stat, handle, Some((packed, content.len)));
            }
            Verdict::Copy => {
                self.remember(entry, stat, watch.suspect, Some(Arc::clone(handle)));
            }
            Verdict::New => {
                let id = self.create(&entry.path, stat, content.head.clone(), 0);
                if let Some(generation) = self.generations.get_mut(&id) {
                    generation.cursor.packed = Some(packed);
                    generation.cursor.size_seen = content.len;
                }
                self.settle_in(id, entry, stat, Arc::clone(handle));
            }
        }
        Ok(())
    }

    /// The generation without a file whose compressed twin has exactly these raw bytes.
    fn same_packed(&self, packed: &crate::model::Packed) -> Option<GenerationId> {
        let mut unlisted = self.unlisted.values().flatten();
        unlisted
            .find(|id| {
                self.generations.get(id).is_some_and(|it| {
                    it.cursor.packed == Some(*packed) && it.place != Place::Adrift
                })
            })
            .copied()
    }

    fn marks_of_unlisted(&self) -> Vec<u64> {
        let unlisted = self.unlisted.values().flatten().filter_map(|id| self.generations.get(id));
        let mut marks: Vec<u64> = Vec::new();
        for Cursor { position, earlier, copy, .. } in unlisted.map(|it| &it.cursor) {
            marks.push(*position);
            marks.extend([earlier, copy].into_iter().flatten().map(|mark| mark.at));
        }
        marks
    }

    /// Who is that file? Changes nothing, except that generations found truncated end.
    fn judge(
        &mut self,
        stranger: &Stranger<'_, F::Handle>,
        now_us: i64,
    ) -> io::Result<Verdict> {
        loop {
            if let Some(id) = self.unlisted_twin(stranger)? {
                return Ok(Verdict::Twin(id));
            }
            let mut has_news = false;
            for id in self.similar(stranger) {
                if !self.is_intact(id, now_us)? {
                    self.truncated(id, now_us);
                    has_news = true;
                } else if let Some(verdict) = self.compare(id, stranger)? {
                    return Ok(verdict);
                }
            }
            if !has_news {
                return Ok(Verdict::New);
            }
        }
    }

    /// The generation without a listed file of which the most was read, and which the stranger
    /// has the evidence of.
    fn unlisted_twin(
        &self,
        stranger: &Stranger<'_, F::Handle>,
    ) -> io::Result<Option<GenerationId>> {
        let mut best: Option<&Cursor> = None;
        for id in self.unlisted.values().flatten() {
            let Some(generation) = self.generations.get(id) else { continue };
            let cursor = &generation.cursor;
            let is_better = best.is_none_or(|best| best.position < cursor.position);
            if is_better && is_admissible(generation, stranger) && may_start(cursor, stranger.head)
            {
                for mark in marks_within(cursor, stranger.len) {
                    if stranger.print_before(mark.at)? == Some(mark.print) {
                        best = Some(cursor);
                    }
                }
            }
        }
        Ok(best.map(|cursor| cursor.generation))
    }

    /// Readable generations that start like the stranger, those with the most similar path first.
    fn similar(&mut self, stranger: &Stranger<'_, F::Handle>) -> Vec<GenerationId> {
        if self.lookalikes.is_none() {
            let mut all = Lookalikes::new();
            for (id, generation) in &self.generations {
                if generation.is_readable() && generation.cursor.packed.is_none() {
                    all.insert(&generation.peek, *id);
                }
            }
            self.lookalikes = Some(all);
        }
        let mut ids = self.lookalikes.as_ref().map(|all| all.of(stranger.head)).unwrap_or_default();
        ids.retain(|id| self.generations.get(id).is_some_and(Generation::is_readable));
        ids.sort_by_cached_key(|id| {
            let path = self.generations.get(id).map(|it| it.cursor.path.as_path());
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
        generation.cursor.copy = Some(Mark { at: stranger.len, print });
        Ok((!stranger.is_ripe).then_some(Verdict::Copy))
    }

    /// A new generation, from the first byte of its file on.
    fn create(&mut self, path: &Path, stat: Stat, head: Vec<u8>, now_us: i64) -> GenerationId {
        let mut id = GenerationId((self.new_id)());
        while self.generations.contains_key(&id) {
            id = GenerationId(id.0.wrapping_add(1));
        }
        let cursor = Cursor {
            generation: id,
            path: path.to_owned(),
            file: stat.file,
            head: Mark { at: 0, print: print_of(&[]) },
            position: 0,
            guard: print_of(&[]),
            earlier: None,
            copy: None,
            size_seen: stat.size,
            state: GenerationState::Live,
            packed: None,
        };
        let mut generation = Generation::new(cursor, Place::Linked, now_us);
        generation.peek = head;
        self.generations.insert(id, generation);
        id
    }

    /// A file turned out to hold a known generation: it becomes its place if that has none and
    /// the file holds all that was read; otherwise it is only remembered as a copy.
    fn join(
        &mut self,
        id: GenerationId,
        entry: &Listed,
        stat: Stat,
        handle: &Arc<F::Handle>,
        packed: Option<(crate::model::Packed, u64)>,
    ) {
        let Some(generation) = self.generations.get_mut(&id) else { return };
        let len = packed.map_or(stat.size, |(_, len)| len);
        let is_free = !generation.is_readable();
        let unread = len.saturating_sub(generation.cursor.position);
        let path = entry.path.clone();
        self.notices.push(Notice::Twin { path, generation: id, unread: if is_free { unread } else { 0 } });
        if !is_free || len < generation.cursor.position {
            self.remember(entry, stat, Role::Twin(id), None);
            return;
        }
        // What was written between the copy and the truncation is in neither file.
        let between = generation.cursor.size_seen.saturating_sub(len);
        if between > 0 {
            let path = generation.cursor.path.clone();
            self.counters.bytes_unread_at_loss += between;
            self.notices.push(Notice::Truncated { path, generation: id, unread: between });
        }
        generation.cursor.packed = packed.map(|(packed, _)| packed);
        generation.cursor.size_seen = len;
        generation.cursor.state =
            if unread == 0 && packed.is_some() { GenerationState::Closed } else { GenerationState::Rotated };
        generation.look_again();
        if packed.is_none() {
            generation.peek = read_up_to(handle.as_ref(), 0, HEAD_MAX as usize).unwrap_or_default();
        }
        self.settle_in(id, entry, stat, Arc::clone(handle));
    }
}

/// Whether the evidence of this generation may speak for the stranger at all.
fn is_admissible<H>(generation: &Generation<H>, stranger: &Stranger<'_, H>) -> bool {
    let cursor = &generation.cursor;
    if cursor.position == 0 {
        return false;
    }
    // Cut back and written on, the same file would agree at an earlier point and then not.
    if stranger.len < cursor.position && stranger.file == cursor.file {
        return false;
    }
    if cursor.position >= SHORT_LEN || matches!(stranger.body, Body::Packed(_)) {
        return true;
    }
    // So short that it may be only what each start of a program writes, and the stranger the next
    // start. It needs a reason besides: the rotation that truncates leaves a copy under
    // another name, and a moved file is exactly as long.
    let is_truncated = cursor.state == GenerationState::Closed;
    stranger.path != cursor.path && (is_truncated || stranger.len == cursor.position)
}

/// Length of the common start of two paths.
fn common_len(a: &Path, b: &Path) -> usize {
    let (a, b) = (a.as_os_str().as_encoded_bytes(), b.as_os_str().as_encoded_bytes());
    a.iter().zip(b).take_while(|(a, b)| a == b).count()
}
