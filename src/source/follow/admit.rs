//! Letting files in: what is listed and not known is opened, watched, looked through, and becomes
//! a generation or the twin of one.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::{Compression, Cursor, GenerationId, GenerationState, Mark, Packed};
use crate::source::follow::evidence::{HEAD_MAX, packed_of, print_of, read_up_to};
use crate::source::follow::files::{Files, Listed, Opened, Stat};
use crate::source::follow::follower::{Follower, Role, Seen, key_of};
use crate::source::follow::generation::{Generation, Place};
use crate::source::follow::judge::{Body, Stranger, Verdict};
use crate::source::follow::notice::Notice;
use crate::source::follow::packed::{Content, Probe, SNIFF_LEN, sniff};

/// A copy of a file that is still whole is watched so long, and for so many scans, before it
/// counts as a file of its own.
const COPY_WAIT_US: i64 = 5_000_000;
const COPY_WAIT_SCANS: u64 = 3;
/// Compressed files are looked through by at most so many decompressed bytes in one scan.
const PROBE_BYTES_PER_SCAN: u64 = 64 << 20;

/// A file that was found and opened.
pub(super) struct Found<H> {
    pub(super) path: PathBuf,
    pub(super) stat: Stat,
    pub(super) handle: Arc<H>,
}

impl<H> Clone for Found<H> {
    fn clone(&self) -> Self {
        Self { path: self.path.clone(), stat: self.stat, handle: Arc::clone(&self.handle) }
    }
}

/// What a file holds.
struct Holding<'a> {
    /// Length in decompressed bytes.
    len: u64,
    head: &'a [u8],
    packed: Option<Packed>,
}

/// Since when a file has been looking like a copy.
#[derive(Clone, Copy)]
struct Watch {
    since_us: i64,
    since_scan: u64,
    /// Long enough to be a file of its own.
    is_ripe: bool,
}

impl Watch {
    fn suspect(self) -> Role {
        Role::Suspect { since_us: self.since_us, since_scan: self.since_scan }
    }
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
            if key_of(stat.file) != key {
                return Ok(());
            }
            let path = entry.path.clone();
            self.admit_found(Found { path, stat, handle }, before, now_us)
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
            can_wait: false,
        };
        let id = match self.judge(&stranger, now_us) {
            Ok(Verdict::New) => self.create(&seen.path, stat, Vec::new(), now_us),
            Ok(Verdict::Twin(id)) if self.may_take(id, stat.size) => {
                self.forget_place(id);
                id
            }
            _ => return,
        };
        let Some(generation) = self.generations.get_mut(&id) else { return };
        generation.place = Place::Adrift;
        generation.peek = head;
        generation.look_again();
        generation.cursor.state = GenerationState::Gone;
        generation.cursor.file = stat.file;
        generation.cursor.size_seen = stat.size;
        generation.is_loss_untold = false;
        if let Some(all) = &mut self.lookalikes {
            all.insert(generation, id);
        }
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

    fn admit_found(
        &mut self,
        found: Found<F::Handle>,
        before: Option<Seen<F::Handle>>,
        now_us: i64,
    ) -> io::Result<()> {
        let stat = found.stat;
        let watch = self.watch(stat, before.as_ref(), now_us);
        self.tell_readable(&found.path);
        if stat.size == 0 || (stat.size < SNIFF_LEN && !watch.is_ripe) {
            self.remember(&found, watch.suspect());
            return Ok(());
        }
        let head = read_up_to(found.handle.as_ref(), 0, HEAD_MAX as usize)?;
        if let Some(format) = sniff(&head) {
            return match self.look_through(&found, format, before)? {
                Some(content) => self.admit_packed(&found, (format, &content), watch, now_us),
                None => Ok(()),
            };
        }
        let stranger = Stranger {
            path: &found.path,
            file: stat.file,
            len: stat.size,
            head: &head,
            body: Body::Plain(found.handle.as_ref()),
            is_ripe: watch.is_ripe,
            can_wait: !watch.is_ripe,
        };
        match self.judge(&stranger, now_us)? {
            Verdict::New => {
                if head.starts_with(&[0xff, 0xfe]) || head.starts_with(&[0xfe, 0xff]) {
                    self.notices.push(Notice::Utf16 { path: found.path.clone() });
                }
                let id = self.create(&found.path, stat, head, now_us);
                self.settle_in(id, found);
            }
            Verdict::Twin(id) => {
                let holding = Holding { len: stat.size, head: &head, packed: None };
                self.join(id, &found, holding);
            }
            Verdict::Copy => self.remember(&found, watch.suspect()),
        }
        Ok(())
    }

    /// Since when the file has looked as it does; a change starts the time anew.
    fn watch(&self, stat: Stat, before: Option<&Seen<F::Handle>>, now_us: i64) -> Watch {
        let (since_us, since_scan) = match before {
            Some(Seen { role: Role::Suspect { since_us, since_scan }, stat: old, .. })
                if *old == stat =>
            {
                ((*since_us).min(now_us), *since_scan)
            }
            _ => (now_us, self.scan),
        };
        let is_ripe = now_us.saturating_sub(since_us) >= COPY_WAIT_US
            && self.scan - since_scan >= COPY_WAIT_SCANS;
        Watch { since_us, since_scan, is_ripe: is_ripe || self.settings.once }
    }

    /// Takes note of a file that is not followed, or not yet; it stays open if there is room.
    fn remember(&mut self, found: &Found<F::Handle>, role: Role) {
        let is_undecided = matches!(role, Role::Suspect { .. } | Role::Probing(_));
        let is_kept = is_undecided && self.held_count < self.settings.max_open;
        self.held_count += usize::from(is_kept);
        let handle = is_kept.then(|| Arc::clone(&found.handle));
        let (path, stat, scan) = (found.path.clone(), found.stat, self.scan);
        self.seen.insert(key_of(stat.file), Seen { path, stat, scan, role, handle });
    }

    /// Looks through a compressed file as far as this scan may; gives what it holds once it is
    /// whole and not known.
    fn look_through(
        &mut self,
        found: &Found<F::Handle>,
        format: Compression,
        before: Option<Seen<F::Handle>>,
    ) -> io::Result<Option<Content>> {
        let handle = &found.handle;
        if let Some(id) = self.same_packed(&packed_of(handle.as_ref(), format)?) {
            self.settle_in(id, found.clone());
            return Ok(None);
        }
        let mut probe = match before {
            Some(Seen { role: Role::Probing(probe), stat, .. }) if stat == found.stat => probe,
            _ => Box::new(Probe::new(Arc::clone(handle), format, self.wanted_marks())?),
        };
        let mut budget = if self.settings.once { u64::MAX } else { PROBE_BYTES_PER_SCAN };
        match probe.step(&mut budget) {
            Ok(true) => return Ok(Some(probe.into_content())),
            Ok(false) => self.remember(found, Role::Probing(probe)),
            Err(error) => {
                // A compressor at work shows the same; it is told once for each path.
                if self.settings.once || self.tell_once(&found.path) {
                    let (path, error) = (found.path.clone(), error.to_string());
                    self.notices.push(Notice::Incomplete { path, error });
                }
                self.remember(found, Role::Unusable);
            }
        }
        Ok(None)
    }

    fn admit_packed(
        &mut self,
        found: &Found<F::Handle>,
        (format, content): (Compression, &Content),
        watch: Watch,
        now_us: i64,
    ) -> io::Result<()> {
        if content.len == 0 {
            self.remember(found, Role::Unusable);
            return Ok(());
        }
        let stranger = Stranger {
            path: &found.path,
            file: found.stat.file,
            len: content.len,
            head: &content.head,
            body: Body::Packed(content),
            is_ripe: watch.is_ripe,
            can_wait: !watch.is_ripe,
        };
        let packed = packed_of(found.handle.as_ref(), format)?;
        match self.judge(&stranger, now_us)? {
            Verdict::Twin(id) => {
                let (len, head, packed) = (content.len, &content.head, Some(packed));
                self.join(id, found, Holding { len, head, packed });
            }
            Verdict::Copy => self.remember(found, watch.suspect()),
            Verdict::New => {
                let id = self.create(&found.path, found.stat, content.head.clone(), now_us);
                if let Some(generation) = self.generations.get_mut(&id) {
                    generation.cursor.packed = Some(packed);
                    generation.cursor.size_seen = content.len;
                }
                self.settle_in(id, found.clone());
            }
        }
        Ok(())
    }

    /// The generation without a file whose compressed twin has exactly these raw bytes.
    fn same_packed(&self, packed: &Packed) -> Option<GenerationId> {
        let mut unlisted = self.unlisted.values().flatten();
        unlisted
            .find(|id| {
                self.generations.get(id).is_some_and(|it| {
                    it.cursor.packed == Some(*packed) && it.place != Place::Adrift
                })
            })
            .copied()
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
        found: &Found<F::Handle>,
        Holding { len, head, packed }: Holding<'_>,
    ) {
        let Some(generation) = self.generations.get_mut(&id) else { return };
        let is_free = !generation.is_readable();
        let unread = len.saturating_sub(generation.cursor.position);
        let path = found.path.clone();
        self.notices.push(Notice::Twin {
            path,
            generation: id,
            unread: if is_free { unread } else { 0 },
        });
        if !is_free || len < generation.cursor.position {
            self.remember(found, Role::Twin(id));
            return;
        }
        // What was written between the copy and the truncation is in neither file.
        let between = generation.cursor.size_seen.saturating_sub(len);
        if between > 0 {
            let path = generation.cursor.path.clone();
            self.counters.bytes_unread_at_loss += between;
            self.notices.push(Notice::Truncated { path, generation: id, unread: between });
        }
        generation.cursor.packed = packed;
        generation.cursor.size_seen = len;
        generation.cursor.state = if unread == 0 && packed.is_some() {
            GenerationState::Closed
        } else {
            GenerationState::Rotated
        };
        generation.look_again();
        generation.peek = head.to_vec();
        self.settle_in(id, found.clone());
    }
}
