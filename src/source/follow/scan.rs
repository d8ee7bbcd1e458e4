//! The full scan: what is on the disk now, and which generation is where.
//!
//! Events may be lost, doubled or late; a scan is the truth. It first finds again what is known,
//! then parts with what is gone, and only then judges strangers, so that a copy is seen after the
//! truncation that it explains.

use std::collections::{BTreeSet, HashMap};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::model::{Cursor, GenerationId, GenerationState};
use crate::source::follow::admit::Found;
use crate::source::follow::evidence::{HEAD_MAX, SHORT_LEN};
use crate::source::follow::files::{Files, Listed, Listing, Opened, Stat};
use crate::source::follow::follower::{FileKey, Follower, Role, Seen, key_of};
use crate::source::follow::generation::Place;
use crate::source::follow::notice::Notice;

/// What the file of a generation holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Condition {
    /// What was read of it.
    Same,
    /// Something else: it was truncated or rewritten.
    Other,
    /// Its name leads elsewhere since the listing; the next scan sees where.
    OutOfReach,
}

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
        self.part_with_absent(now_us);
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
        let now: BTreeSet<PathBuf> = listing.unreadable.iter().map(|it| it.0.clone()).collect();
        let before = std::mem::replace(&mut self.hidden, now);
        for path in before.difference(&self.hidden) {
            self.notices.push(Notice::Readable { path: path.clone() });
        }
        for (path, error) in &listing.unreadable {
            if !before.contains(path) {
                let (path, error) = (path.clone(), error.clone());
                self.notices.push(Notice::Unreadable { path, error });
            }
        }
    }

    /// One entry for each file: under the name it had before, or else the first of its names.
    fn one_name_each(&self, files: Vec<Listed>) -> Vec<Listed> {
        let mut by_file: HashMap<FileKey, usize> = HashMap::with_capacity(files.len());
        let mut entries: Vec<Listed> = Vec::with_capacity(files.len());
        for file in files {
            let key = key_of(file.stat.file);
            let Some(first) = by_file.get(&key).and_then(|at| entries.get_mut(*at)) else {
                by_file.insert(key, entries.len());
                entries.push(file);
                continue;
            };
            if self.seen.get(&key).is_some_and(|seen| seen.path == file.path) {
                *first = file;
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
                    self.moved(id, &entry.path, now_us);
                }
                is_same || self.recheck(id, &entry.stat, now_us)
            }
            Role::Twin(_) | Role::Unusable => is_same,
            Role::Suspect { .. } | Role::Probing(_) | Role::Denied => false,
        }
    }

    fn moved(&mut self, id: GenerationId, path: &Path, now_us: i64) {
        let Some(generation) = self.generations.get_mut(&id) else { return };
        self.by_path.remove(&generation.cursor.path);
        path.clone_into(&mut generation.cursor.path);
        // The writer may finish its line for some time yet.
        generation.grown_us = now_us;
        if generation.cursor.state == GenerationState::Live {
            generation.cursor.state = GenerationState::Rotated;
        }
        self.by_path.insert(path.to_owned(), id);
    }

    /// Tests a followed file that has changed; `false` when it now holds something else.
    fn recheck(&mut self, id: GenerationId, stat: &Stat, now_us: i64) -> bool {
        match self.condition(id, now_us) {
            Ok(Condition::Same) => {
                let key = key_of(stat.file);
                if let Some(seen) = self.seen.get_mut(&key) {
                    seen.stat = *stat;
                }
                self.enqueue(id);
                true
            }
            Ok(Condition::Other) => {
                self.truncated(id, now_us);
                false
            }
            // The old stat stays, so the next scan tries again.
            Ok(Condition::OutOfReach) => true,
            Err(error) => {
                let path = self.generations.get(&id).map(|it| it.cursor.path.clone());
                self.tell_unreadable(path.unwrap_or_default(), &error.to_string());
                true
            }
        }
    }

    /// What the file of a readable generation holds now; takes note of its size.
    pub(super) fn condition(&mut self, id: GenerationId, now_us: i64) -> io::Result<Condition> {
        if !self.open(id)? {
            return Ok(Condition::OutOfReach);
        }
        let Some(generation) = self.generations.get_mut(&id) else {
            return Ok(Condition::OutOfReach);
        };
        let Some(handle) = generation.handle.clone() else { return Ok(Condition::OutOfReach) };
        let stat = handle.stat()?;
        if !generation.is_intact(handle.as_ref(), &stat)? {
            return Ok(Condition::Other);
        }
        if generation.cursor.packed.is_none() {
            generation.note_size(stat.size, now_us);
            let is_short = generation.peek.len() < HEAD_MAX.min(stat.size) as usize;
            let is_new = is_short || generation.cursor.position < HEAD_MAX;
            if is_new && !generation.take_peek(handle.as_ref())? {
                return Ok(Condition::Other);
            }
        }
        Ok(Condition::Same)
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
        let role = self.seen.get(&key).map(|seen| &seen.role);
        if role.is_some_and(|role| !matches!(role, Role::Follows(of) if *of == id)) {
            return;
        }
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
    pub(super) fn end(&mut self, id: GenerationId, now_us: i64) {
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
        // Its copies are strangers again: one of them becomes its new place.
        self.seen.retain(|_, seen| !matches!(seen.role, Role::Twin(of) if of == id));
    }

    /// Gives up an open file that has no name any more.
    pub(super) fn give_up(&mut self, id: GenerationId) {
        if let Some(generation) = self.generations.get_mut(&id) {
            generation.cursor.state = GenerationState::Gone;
        }
        self.end(id, i64::MAX);
    }

    fn part_with_absent(&mut self, now_us: i64) {
        let scan = self.scan;
        let hidden = |path: &Path| self.hidden.iter().any(|dir| path.starts_with(dir));
        let is_absent = |seen: &Seen<F::Handle>| seen.scan != scan && !hidden(&seen.path);
        let absent: Vec<FileKey> =
            self.seen.iter().filter(|(_, seen)| is_absent(seen)).map(|(key, _)| *key).collect();
        let mut undecided = Vec::new();
        for key in absent {
            let Some(seen) = self.seen.remove(&key) else { continue };
            // Nothing to tell a person about a file that is gone, but the count goes down.
            self.unreadable.remove(&seen.path);
            match seen.role {
                Role::Follows(id) if self.holds_something_else(id, now_us) => {
                    self.truncated(id, now_us);
                    undecided.extend(self.seen.remove(&key));
                }
                Role::Follows(id) => self.adrift(id, now_us),
                Role::Suspect { .. } => undecided.push(seen),
                Role::Twin(_) | Role::Probing(_) | Role::Unusable | Role::Denied => {}
            }
        }
        for seen in undecided {
            self.admit_nameless(seen, now_us);
        }
    }

    fn holds_something_else(&mut self, id: GenerationId, now_us: i64) -> bool {
        let has_handle = self.generations.get(&id).is_some_and(|it| it.handle.is_some());
        has_handle && matches!(self.condition(id, now_us), Ok(Condition::Other))
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
        }
    }

    /// Finds the generation of a file that was not in the last listing but has held it before.
    fn find_again(&mut self, entry: &Listed, now_us: i64) -> bool {
        let key = key_of(entry.stat.file);
        let Some(mut ids) = self.unlisted.get(&key).cloned() else { return false };
        // An inode may have held several: the one that was last followed there, then the longest.
        ids.sort_by_key(|id| {
            let cursor = self.generations.get(id).map(|it| &it.cursor);
            std::cmp::Reverse(cursor.map(|it| (is_followed(it.state), it.position)))
        });
        let Ok(handle) = self.files.open(&entry.path) else { return false };
        let Ok(stat) = handle.stat() else { return false };
        if key_of(stat.file) != key {
            return false;
        }
        let handle = Arc::new(handle);
        for id in ids {
            let Some(generation) = self.generations.get_mut(&id) else { continue };
            let is_born_the_same = generation.cursor.file == stat.file
                && (generation.is_readable() || is_sure(&generation.cursor, &entry.path));
            if is_born_the_same
                && generation.is_intact(handle.as_ref(), &stat).unwrap_or(false)
                && generation.take_peek(handle.as_ref()).unwrap_or(false)
            {
                if generation.cursor.packed.is_none() {
                    generation.note_size(stat.size, now_us);
                }
                let path = entry.path.clone();
                self.settle_in(id, Found { path, stat, handle });
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
        Found { path, stat, handle }: Found<F::Handle>,
    ) {
        self.forget_place(id);
        let Some(generation) = self.generations.get_mut(&id) else { return };
        let is_elsewhere = generation.cursor.path.to_string_lossy() != path.to_string_lossy();
        let state = &mut generation.cursor.state;
        if *state == GenerationState::Gone || (*state == GenerationState::Live && is_elsewhere) {
            *state = GenerationState::Rotated;
        }
        generation.cursor.path.clone_from(&path);
        generation.cursor.file = stat.file;
        generation.place = Place::Linked;
        generation.is_loss_untold = false;
        let has_work = generation.unread() > 0;
        if let Some(all) = &mut self.lookalikes {
            all.insert(generation, id);
        }
        self.by_path.insert(path.clone(), id);
        self.seen.insert(
            key_of(stat.file),
            Seen {
                path: path.clone(),
                stat,
                scan: self.scan,
                role: Role::Follows(id),
                handle: None,
            },
        );
        self.tell_readable(&path);
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
}

/// Whether the inode says enough. Where births are not told, one that is used again may start with
/// the same banner as before; then it takes the same name, or else all the evidence there is.
fn is_sure(cursor: &Cursor, path: &Path) -> bool {
    let is_same_path = cursor.path.to_string_lossy() == path.to_string_lossy();
    cursor.file.born_ns.is_some() || cursor.position >= SHORT_LEN || is_same_path
}

/// Whether a generation in this state is expected to have a file.
pub(super) fn is_followed(state: GenerationState) -> bool {
    matches!(state, GenerationState::Live | GenerationState::Rotated)
}
