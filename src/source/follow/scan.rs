//! The full scan: what is on the disk now, and which generation is where.
//!
//! Events may be lost, doubled or late; a scan is the truth. It first finds again what is known,
//! then parts with what is gone, and only then judges strangers, so that a copy is seen after the
//! truncation that it explains.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use crate::model::{GenerationId, GenerationState};
use crate::source::follow::evidence::{HEAD_MAX, read_up_to};
use crate::source::follow::files::{Files, Listed, Listing, Opened, Stat};
use crate::source::follow::follower::{FileKey, Follower, Role, Seen, key_of};
use crate::source::follow::generation::Place;
use crate::source::follow::notice::{Notice, same_path};

/// A file that lost its name, or was renamed, is read to its end after this much silence.
const LINGER_US: i64 = 30_000_000;
/// An ended generation without a file is remembered so long, in case a copy of it turns up.
const MEMORY_US: i64 = 3_600_000_000;
/// At most so many ended generations without a file are remembered.
const MEMORY_MAX: usize = 1024;

impl<F: Files> Follower<F> {
    /// Looks at all files: admits new ones, and finds renames, truncations, copies, compressed
    /// twins and deletions. `now_us` may jump; a jump only changes how long is waited.
    pub fn reconcile(&mut self, now_us: i64) {
        self.scan += 1;
        self.counters.rescans += 1;
        self.lookalikes = None;
        self.held_count = self.seen.values().filter(|seen| seen.handle.is_some()).count();
        let listing = self.files.list();
        self.tell_listing(&listing);
        let mut strangers = Vec::new();
        for entry in self.one_name_each(listing.files) {
            if !self.recognize(&entry, now_us) {
                strangers.push(entry);
            }
        }
        let unreadable: Vec<_> = listing.unreadable.into_iter().map(|(path, _)| path).collect();
        self.part_with_absent(&unreadable, now_us);
        // Known again before new ones are judged: otherwise a restart compares all with all.
        strangers.retain(|entry| !self.find_again(entry, now_us));
        for entry in strangers {
            self.admit(entry, now_us);
        }
        self.settle(now_us);
    }

    fn tell_listing(&mut self, listing: &Listing) {
        for (path, why) in &listing.refused {
            if self.tell_once(path) {
                self.notices.push(Notice::Refused { path: path.clone(), why: *why });
            }
        }
        let now: BTreeSet<_> = listing.unreadable.iter().map(|(path, _)| path.clone()).collect();
        let before: Vec<_> = self.unreadable.iter().cloned().collect();
        let files: BTreeSet<&Path> = listing.files.iter().map(|it| it.path.as_path()).collect();
        for path in before {
            let is_file = files.contains(path.as_path());
            if !is_file && !now.contains(&path) {
                self.tell_readable(&path);
            }
        }
        for (path, error) in &listing.unreadable {
            self.tell_unreadable(path.clone(), error);
        }
    }

    /// One entry for each file: under the name it had before, or else the first of its names.
    fn one_name_each(&self, files: Vec<Listed>) -> Vec<Listed> {
        let mut by_file: BTreeMap<FileKey, usize> = BTreeMap::new();
        let mut entries: Vec<Listed> = Vec::with_capacity(files.len());
        for file in files {
            let key = key_of(file.stat.file);
            match by_file.get(&key).and_then(|at| entries.get_mut(*at)) {
                Some(first) => {
                    let known = self.seen.get(&key).map(|seen| &seen.path);
                    if known == Some(&file.path) {
                        *first = file;
                    }
                }
                None => {
                    by_file.insert(key, entries.len());
                    entries.push(file);
                }
            }
        }
        entries
    }

    /// Takes note of a file that was there before; `false` when its role is to be decided (again).
    fn recognize(&mut self, entry: &Listed, now_us: i64) -> bool {
        let key = key_of(entry.stat.file);
        let Some(seen) = self.seen.get_mut(&key) else { return false };
        seen.scan = self.scan;
        let is_same = seen.stat == entry.stat;
        let has_moved = seen.path != entry.path;
        if is_same && !has_moved {
            return matches!(seen.role, Role::Follows(_) | Role::Twin(_) | Role::Unusable);
        }
        seen.path.clone_from(&entry.path);
        match seen.role {
            // The inode was reused: our file was closed, or it would have been kept.
            Role::Follows(id) if seen.stat.file != entry.stat.file => {
                self.seen.remove(&key);
                self.adrift(id, now_us);
                false
            }
            Role::Follows(id) => {
                if has_moved {
                    self.moved(id, &entry.path);
                }
                is_same || self.recheck(id, &entry.stat, now_us)
            }
            Role::Twin(_) | Role::Unusable => is_same,
            Role::Suspect { .. } | Role::Probing(_) | Role::Denied => false,
        }
    }

    fn moved(&mut self, id: GenerationId, path: &Path) {
        let Some(generation) = self.generations.get_mut(&id) else { return };
        self.by_path.remove(&generation.cursor.path);
        path.clone_into(&mut generation.cursor.path);
        if generation.cursor.state == GenerationState::Live {
            generation.cursor.state = GenerationState::Rotated;
        }
        self.by_path.insert(path.to_owned(), id);
    }

    /// Tests a followed file that has changed; `false` when it now holds something else.
    fn recheck(&mut self, id: GenerationId, stat: &Stat, now_us: i64) -> bool {
        match self.is_intact(id, now_us) {
            Ok(true) => {
                let key = key_of(stat.file);
                if let Some(seen) = self.seen.get_mut(&key) {
                    seen.stat = *stat;
                }
                self.enqueue(id);
                true
            }
            Ok(false) => {
                self.truncated(id, now_us);
                false
            }
            // The old stat stays, so the next scan tries again.
            Err(error) => {
                let path = self.generations.get(&id).map(|it| it.cursor.path.clone());
                self.tell_unreadable(path.unwrap_or_default(), &error.to_string());
                true
            }
        }
    }

    /// Whether the file of a listed generation still holds what was read; takes note of its size.
    pub(super) fn is_intact(&mut self, id: GenerationId, now_us: i64) -> std::io::Result<bool> {
        if !self.open(id)? {
            // Replaced since the listing: the next scan sees what is there.
            return Ok(true);
        }
        let Some(generation) = self.generations.get_mut(&id) else { return Ok(false) };
        let Some(handle) = generation.handle.clone() else { return Ok(false) };
        let stat = handle.stat()?;
        if !generation.is_intact(handle.as_ref(), &stat)? {
            return Ok(false);
        }
        if generation.cursor.packed.is_none() {
            generation.note_size(stat.size, now_us);
            let is_short = generation.peek.len() < HEAD_MAX.min(stat.size) as usize;
            // Of what was not handed out there is no evidence; it may have been rewritten.
            if is_short || generation.cursor.position < HEAD_MAX {
                generation.peek = read_up_to(handle.as_ref(), 0, HEAD_MAX as usize)?;
            }
        }
        Ok(true)
    }

    /// The file of this generation was truncated or rewritten: the generation ends here, and the
    /// file is a stranger. It stays open, for its name may be gone before the next scan.
    pub(super) fn truncated(&mut self, id: GenerationId, now_us: i64) {
        self.counters.truncated_files += 1;
        let Some(generation) = self.generations.get_mut(&id) else { return };
        generation.cursor.state = GenerationState::Closed;
        let (path, key) = (generation.cursor.path.clone(), key_of(generation.cursor.file));
        let handle = generation.handle.take();
        self.end(id, now_us);
        self.seen.remove(&key);
        if let Some(handle) = handle
            && let Ok(stat) = handle.stat()
        {
            let role = Role::Suspect { since_us: now_us, since_scan: self.scan };
            let seen = Seen { path, stat, scan: self.scan, role, handle: Some(handle) };
            self.seen.insert(key, seen);
        }
    }

    /// Takes a generation's file away; what is left is the memory of it.
    fn end(&mut self, id: GenerationId, now_us: i64) {
        let scan = self.scan;
        let Some(generation) = self.generations.get_mut(&id) else { return };
        let key = key_of(generation.cursor.file);
        self.by_path.remove(&generation.cursor.path);
        generation.handle = None;
        generation.look_again();
        generation.is_loss_untold = true;
        if generation.place == Place::Linked {
            self.unlisted.entry(key).or_default().push(id);
        }
        generation.place = Place::Nowhere { since_us: now_us, since_scan: scan };
    }

    /// Gives up an open file that has no name any more.
    pub(super) fn give_up(&mut self, id: GenerationId) {
        if let Some(generation) = self.generations.get_mut(&id) {
            generation.cursor.state = GenerationState::Gone;
        }
        self.end(id, i64::MAX);
        self.forget_twins(id);
    }

    /// The copies of a generation that lost its file are strangers again: one of them becomes its
    /// new place.
    fn forget_twins(&mut self, id: GenerationId) {
        self.seen.retain(|_, seen| !matches!(seen.role, Role::Twin(of) if of == id));
    }

    fn part_with_absent(&mut self, unreadable: &[std::path::PathBuf], now_us: i64) {
        let scan = self.scan;
        let hidden = |path: &Path| unreadable.iter().any(|dir| path.starts_with(dir));
        let is_absent = |seen: &Seen<F::Handle>| seen.scan != scan && !hidden(&seen.path);
        let absent: Vec<FileKey> =
            self.seen.iter().filter(|(_, seen)| is_absent(seen)).map(|(key, _)| *key).collect();
        for key in absent {
            let Some(seen) = self.seen.remove(&key) else { continue };
            self.tell_readable_when_gone(&seen.path);
            match seen.role {
                Role::Follows(id) => self.adrift(id, now_us),
                Role::Suspect { .. } => self.admit_nameless(seen, now_us),
                Role::Twin(_) | Role::Probing(_) | Role::Unusable | Role::Denied => {}
            }
        }
    }

    fn tell_readable_when_gone(&mut self, path: &Path) {
        // Nothing to tell a person about a file that is gone, but the count goes down.
        self.unreadable.remove(path);
    }

    fn adrift(&mut self, id: GenerationId, now_us: i64) {
        let Some(generation) = self.generations.get_mut(&id) else { return };
        let key = key_of(generation.cursor.file);
        generation.cursor.state = GenerationState::Gone;
        // A compressed file is read from its start each time: it is no use half read.
        let is_readable = generation.handle.is_some();
        if is_readable && (generation.cursor.packed.is_none() || generation.unread() > 0) {
            self.by_path.remove(&generation.cursor.path);
            generation.place = Place::Adrift;
            generation.grown_us = now_us;
            self.unlisted.entry(key).or_default().push(id);
            self.enqueue(id);
        } else {
            self.end(id, now_us);
            self.forget_twins(id);
        }
    }

    /// Finds the generation of a file that was not in the last listing but has held it before.
    fn find_again(&mut self, entry: &Listed, now_us: i64) -> bool {
        let key = key_of(entry.stat.file);
        let Some(ids) = self.unlisted.get(&key).cloned() else { return false };
        let Ok(handle) = self.files.open(&entry.path) else { return false };
        let Ok(stat) = handle.stat() else { return false };
        if key_of(stat.file) != key {
            return false;
        }
        let handle = Arc::new(handle);
        for id in ids {
            let Some(generation) = self.generations.get_mut(&id) else { continue };
            let is_born_the_same = generation.cursor.file == stat.file;
            if is_born_the_same && generation.is_intact(handle.as_ref(), &stat).unwrap_or(false) {
                if generation.cursor.packed.is_none() {
                    generation.note_size(stat.size, now_us);
                    generation.peek =
                        read_up_to(handle.as_ref(), 0, HEAD_MAX as usize).unwrap_or_default();
                }
                self.settle_in(id, entry, stat, handle);
                return true;
            }
            if is_born_the_same && is_followed(generation.cursor.state) {
                self.truncated(id, now_us);
            }
        }
        false
    }

    /// A listed file becomes the place of a generation.
    pub(super) fn settle_in(
        &mut self,
        id: GenerationId,
        entry: &Listed,
        stat: Stat,
        handle: Arc<F::Handle>,
    ) {
        self.forget_place(id);
        let Some(generation) = self.generations.get_mut(&id) else { return };
        let is_elsewhere = !same_path(&generation.cursor.path, &entry.path);
        let state = &mut generation.cursor.state;
        if *state == GenerationState::Gone || (*state == GenerationState::Live && is_elsewhere) {
            *state = GenerationState::Rotated;
        }
        generation.cursor.path.clone_from(&entry.path);
        generation.cursor.file = stat.file;
        generation.place = Place::Linked;
        generation.is_loss_untold = false;
        let has_work = generation.unread() > 0;
        if let Some(all) = self.lookalikes.as_mut().filter(|_| generation.cursor.packed.is_none()) {
            all.insert(&generation.peek, id);
        }
        self.by_path.insert(entry.path.clone(), id);
        self.seen.insert(
            key_of(stat.file),
            Seen {
                path: entry.path.clone(),
                stat,
                scan: self.scan,
                role: Role::Follows(id),
                handle: None,
            },
        );
        self.tell_readable(&entry.path);
        self.keep_open(id, handle);
        if has_work {
            self.enqueue(id);
        }
    }

    /// A generation is no longer looked for where it was last.
    pub(super) fn forget_place(&mut self, id: GenerationId) {
        let Some(generation) = self.generations.get(&id) else { return };
        let key = key_of(generation.cursor.file);
        if let Some(ids) = self.unlisted.get_mut(&key) {
            ids.retain(|other| *other != id);
        }
    }

    /// What time does: tails ripen, the nameless are closed, losses are told, memory ends.
    fn settle(&mut self, now_us: i64) {
        let ids: Vec<GenerationId> = self.generations.keys().copied().collect();
        for id in ids {
            let Some(generation) = self.generations.get_mut(&id) else { continue };
            // A clock that was set back must not stop the waiting for ever.
            generation.grown_us = generation.grown_us.min(now_us);
            let unread = std::mem::take(&mut generation.cut_off);
            if unread > 0 {
                let path = generation.cursor.path.clone();
                self.counters.bytes_unread_at_loss += unread;
                self.notices.push(Notice::Truncated { path, generation: id, unread });
            }
            match generation.place {
                Place::Linked => self.settle_linked(id, now_us),
                Place::Adrift => self.settle_adrift(id, now_us),
                Place::Nowhere { since_us, since_scan } => {
                    let since_us = since_us.min(now_us);
                    generation.place = Place::Nowhere { since_us, since_scan };
                    // One scan later: the copy may have been made while this one was looking.
                    if generation.is_loss_untold && since_scan < self.scan {
                        self.tell_loss(id);
                    }
                }
            }
        }
        self.forget_old(now_us);
    }

    fn settle_linked(&mut self, id: GenerationId, now_us: i64) {
        let Some(generation) = self.generations.get_mut(&id) else { return };
        if self.unreadable.contains(&generation.cursor.path) {
            self.enqueue(id);
        } else if generation.cursor.state == GenerationState::Rotated
            && !generation.flush
            && now_us - generation.grown_us >= LINGER_US
        {
            generation.flush = true;
            self.enqueue(id);
        } else if generation.has_ripe_tail(now_us) {
            self.enqueue(id);
        }
    }

    fn settle_adrift(&mut self, id: GenerationId, now_us: i64) {
        let Some(generation) = self.generations.get_mut(&id) else { return };
        let size = generation.handle.as_ref().and_then(|handle| handle.stat().ok()?.size.into());
        let has_grown = size.is_some_and(|size| size != generation.cursor.size_seen);
        if has_grown && generation.cursor.packed.is_none() {
            self.enqueue(id);
        } else if generation.is_queued || now_us - generation.grown_us < LINGER_US {
            // Not silent long enough.
        } else if generation.flush {
            self.end(id, now_us);
            self.forget_twins(id);
        } else {
            generation.flush = true;
            self.enqueue(id);
        }
    }

    fn tell_loss(&mut self, id: GenerationId) {
        let Some(generation) = self.generations.get_mut(&id) else { return };
        generation.is_loss_untold = false;
        let unread = generation.unread();
        let path = generation.cursor.path.clone();
        self.counters.bytes_unread_at_loss += unread;
        if generation.cursor.state == GenerationState::Closed {
            self.notices.push(Notice::Truncated { path, generation: id, unread });
        } else if unread > 0 {
            self.notices.push(Notice::Lost { path, generation: id, unread });
        }
    }

    fn forget_old(&mut self, now_us: i64) {
        let mut memories: Vec<(i64, GenerationId)> = Vec::new();
        for (id, generation) in &self.generations {
            if let Place::Nowhere { since_us, .. } = generation.place
                && !generation.is_loss_untold
            {
                memories.push((since_us, *id));
            }
        }
        if memories.is_empty() {
            return;
        }
        let copied: BTreeSet<GenerationId> = self
            .seen
            .values()
            .filter_map(|seen| if let Role::Twin(id) = seen.role { Some(id) } else { None })
            .collect();
        memories.retain(|(_, id)| !copied.contains(id));
        memories.sort_unstable();
        let crowd = memories.len().saturating_sub(MEMORY_MAX);
        let mut crowded_out = 0;
        for (at, (since_us, id)) in memories.into_iter().enumerate() {
            let Some(generation) = self.generations.get(&id) else { continue };
            let key = key_of(generation.cursor.file);
            let is_denied =
                matches!(self.seen.get(&key).map(|seen| &seen.role), Some(Role::Denied));
            let is_empty = generation.cursor.position == 0;
            let is_old = now_us - since_us >= MEMORY_US && !is_denied;
            if is_empty || is_old || at < crowd {
                crowded_out += usize::from(!is_empty && !is_old);
                self.forget_place(id);
                self.generations.remove(&id);
            }
        }
        self.unlisted.retain(|_, ids| !ids.is_empty());
        if crowded_out > 0 {
            self.notices.push(Notice::Forgotten { count: crowded_out });
        }
    }
}

/// Whether a generation in this state is expected to have a file.
pub(super) fn is_followed(state: GenerationState) -> bool {
    matches!(state, GenerationState::Live | GenerationState::Rotated)
}
