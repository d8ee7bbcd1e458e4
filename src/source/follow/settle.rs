//! What time does: tails ripen, files without a name are closed, losses are told, memory ends.

use std::collections::BTreeSet;

use crate::model::{GenerationId, GenerationState};
use crate::source::follow::files::{Files, Opened};
use crate::source::follow::follower::{Follower, Role};
use crate::source::follow::generation::Place;
use crate::source::follow::notice::Notice;

/// A file that lost its name, or was renamed, is read to its end after this much silence.
const LINGER_US: i64 = 30_000_000;
/// An ended generation without a file is remembered so long, in case a copy of it turns up.
const MEMORY_US: i64 = 3_600_000_000;
/// At most so many ended generations without a file are remembered.
const MEMORY_MAX: usize = 1024;

impl<F: Files> Follower<F> {
    /// What time does: tails ripen, the nameless are closed, losses are told, memory ends.
    pub(super) fn settle(&mut self, now_us: i64) {
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
                    let is_due = generation.is_loss_untold && since_scan < self.scan;
                    let path = generation.cursor.path.clone();
                    if is_due && !self.is_hidden(&path) {
                        self.tell_loss(id);
                    }
                }
            }
        }
        self.forget_old(now_us);
    }

    fn settle_linked(&mut self, id: GenerationId, now_us: i64) {
        let Some(generation) = self.generations.get_mut(&id) else { return };
        generation.mark_earlier();
        if self.unreadable.contains(&generation.cursor.path) {
            self.enqueue(id);
        } else if generation.cursor.state == GenerationState::Rotated
            && !generation.flush
            && now_us.saturating_sub(generation.grown_us) >= LINGER_US
        {
            generation.flush = true;
            self.enqueue(id);
        } else if generation.has_ripe_tail(now_us, self.settings.idle_tail_us) {
            self.enqueue(id);
        }
    }

    fn settle_adrift(&mut self, id: GenerationId, now_us: i64) {
        let Some(generation) = self.generations.get_mut(&id) else { return };
        let size = generation.handle.as_ref().and_then(|handle| handle.stat().ok()?.size.into());
        let has_grown = size.is_some_and(|size| size != generation.cursor.size_seen);
        if has_grown && generation.cursor.packed.is_none() {
            self.enqueue(id);
        } else if generation.is_queued || now_us.saturating_sub(generation.grown_us) < LINGER_US {
            // Not silent long enough.
        } else if generation.flush {
            self.end(id, now_us);
        } else {
            generation.flush = true;
            self.enqueue(id);
        }
    }

    fn tell_loss(&mut self, id: GenerationId) {
        let Some(generation) = self.generations.get_mut(&id) else { return };
        generation.is_loss_untold = false;
        // Of a file that nothing was read of, a copy is a file of its own and holds the rest.
        let copied = generation.cursor.copy.filter(|_| generation.cursor.position == 0);
        let unread = generation.unread().saturating_sub(copied.map_or(0, |mark| mark.at));
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
            let is_hidden = self.is_hidden(&generation.cursor.path);
            let is_empty = generation.cursor.position == 0;
            let is_old = now_us.saturating_sub(since_us) >= MEMORY_US && !is_hidden;
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
