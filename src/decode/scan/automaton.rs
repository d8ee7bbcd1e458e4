//! Predicts a record from the records before it: after this value, which bytes come next?
//!
//! A state is a place in a record (its containers and keys; elements of an array share one) whose
//! value was just read. A way out of a state is the exact bytes from there to the next value:
//! commas, brackets, keys, colons and spaces. Records of one program have few ways, also when keys
//! are optional or shuffled, so most of a record is checked by comparing a few ways and finding the
//! ends of its values.
//!
//! What is accepted here is valid JSON: a way was taught by the strict walker in the same state,
//! hence inside the same containers, where the same bytes are as valid as they were then; and the
//! values between the ways are checked each time. A record that is not accepted may still be valid.

use super::escape;
use super::index::Index;
use super::number::scalar_end;
use super::slot::Kind;
use super::wanted::{CellId, Cells};
use std::collections::HashMap;

/// Most places that are told apart.
const MAX_STATES: usize = 1024;
/// Most ways out of one state; the least used one makes room for a new one.
const MAX_WAYS: usize = 32;
/// Longest way, and longest key, that is learned.
const MAX_WAY_BYTES: usize = 256;
/// Bytes of a way that are compared at once.
const GLUE_BYTES: usize = 32;

/// A place in a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct StateId(u32);

/// The bytes from one value to the next, and what they mean for the wanted cells.
#[derive(Debug)]
pub(super) struct Way {
    /// The first bytes of the way and zeros.
    glue: [u8; GLUE_BYTES],
    /// Ones where `glue` counts.
    mask: [u8; GLUE_BYTES],
    /// The bytes beyond `glue`.
    rest: Box<[u8]>,
    /// All bytes of the way.
    len: usize,
    to: Next,
    effects: Box<[Effect]>,
    use_count: u32,
}

/// What a way leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// A string, whose opening quote is the last byte of the way.
    String { cell: CellId, place: StateId },
    /// A number, `true`, `false` or `null`.
    Scalar { cell: CellId, place: StateId },
    /// The next record; the line break of this one takes so many bytes at the end of the way.
    Record { ending_bytes: usize },
}

/// What happens to a cell on a way; offsets count from the first byte of the way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    /// A key is written (again): what was below it before no longer counts.
    Clear(CellId),
    /// A wanted container opens.
    Open { cell: CellId, kind: Kind, offset: usize },
    /// A wanted container ends before the offset.
    Close { cell: CellId, offset: usize },
}

impl Effect {
    /// Does to `cells` what a way that starts at `way_start` does.
    pub(super) fn apply(effects: &[Self], way_start: usize, cells: &mut Cells) {
        for &effect in effects {
            match effect {
                Self::Clear(cell) => cells.unset(cell),
                Self::Open { cell, kind, offset } => {
                    cells.set(cell, kind, way_start + offset, way_start + offset);
                }
                Self::Close { cell, offset } => cells.extend_to(cell, way_start + offset),
            }
        }
    }
}

/// Where a record that was accepted ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Accepted {
    /// Byte after the record, without its line break.
    pub(super) end: usize,
    /// First byte of the next record.
    pub(super) next: usize,
}

#[derive(Debug, Default)]
struct State {
    ways: Vec<Way>,
    members: HashMap<Box<[u8]>, StateId>,
    element: Option<StateId>,
}

/// All that was learned.
#[derive(Debug)]
pub(super) struct Automaton {
    states: Vec<State>,
}

impl Automaton {
    /// The state before the first byte of a record, and the place of the record itself.
    pub(super) const START: StateId = StateId(0);

    pub(super) fn new() -> Self {
        Self { states: vec![State::default()] }
    }

    /// Reads the record at `start` and fills `cells`, which must be clear.
    ///
    /// Returns `None`, and leaves `cells` in any condition, if the record is not one of the
    /// predicted ones. `index` describes `text` or a first part of it.
    #[inline]
    pub(super) fn accept(
        &mut self,
        text: &[u8],
        start: usize,
        index: &Index,
        cells: &mut Cells,
    ) -> Option<Accepted> {
        let mut at = start;
        let mut state = Self::START;
        'values: loop {
            for way in &mut self.states.get_mut(state.0 as usize)?.ways {
                if !way.is_at(text, at) {
                    continue;
                }
                let value = at + way.len;
                match way.to {
                    Next::String { cell, place } => {
                        let end = index.string_end(value)?;
                        if end.is_suspect && !escape::is_sound(text.get(value..end.quote)?) {
                            return None;
                        }
                        Effect::apply(&way.effects, at, cells);
                        cells.set_string(cell, end.is_suspect, value, end.quote);
                        at = end.quote + 1;
                        state = place;
                    }
                    Next::Scalar { cell, place } => {
                        // The same bytes may lead to a string or container, by another way.
                        let Ok((end, kind)) = scalar_end(text, value) else { continue };
                        Effect::apply(&way.effects, at, cells);
                        cells.set(cell, kind, value, end);
                        at = end;
                        state = place;
                    }
                    Next::Record { ending_bytes } => {
                        Effect::apply(&way.effects, at, cells);
                        return Some(Accepted { end: value - ending_bytes, next: value });
                    }
                }
                way.use_count = way.use_count.saturating_add(1);
                continue 'values;
            }
            return None;
        }
    }

    /// Returns the place of member `key` (as written) of an object at `place`, making it if there
    /// is room and the key is not too long.
    pub(super) fn member(&mut self, place: StateId, key: &[u8]) -> Option<StateId> {
        let state = self.states.get(place.0 as usize)?;
        if let Some(&known) = state.members.get(key) {
            return Some(known);
        }
        if key.len() > MAX_WAY_BYTES {
            return None;
        }
        let made = self.make_state()?;
        self.states.get_mut(place.0 as usize)?.members.insert(key.into(), made);
        Some(made)
    }

    /// Returns the place of the elements of an array at `place`, making it if there is room.
    pub(super) fn element(&mut self, place: StateId) -> Option<StateId> {
        let state = self.states.get(place.0 as usize)?;
        if state.element.is_some() {
            return state.element;
        }
        let made = self.make_state()?;
        self.states.get_mut(place.0 as usize)?.element = Some(made);
        Some(made)
    }

    /// Learns that in `state` the bytes `glue` lead to `to`, unless that is known.
    ///
    /// The walker must have read `glue` in `state` as part of a valid record.
    pub(super) fn teach(&mut self, state: StateId, glue: &[u8], to: Next, effects: &[Effect]) {
        let Some(state) = self.states.get_mut(state.0 as usize) else { return };
        let is_known = state.ways.iter().any(|way| way.to == to && way.is_whole(glue));
        if is_known || glue.len() > MAX_WAY_BYTES {
            return;
        }
        if state.ways.len() >= MAX_WAYS {
            state.ways.pop();
        }
        state.ways.push(Way::new(glue, to, effects));
    }

    /// Tries the most used ways first from now on.
    pub(super) fn rank(&mut self) {
        for state in &mut self.states {
            if !state.ways.is_sorted_by(|one, next| one.use_count >= next.use_count) {
                state.ways.sort_by_key(|way| std::cmp::Reverse(way.use_count));
            }
            for way in &mut state.ways {
                way.use_count /= 2;
            }
        }
    }

    /// Whether no more places can be learned.
    pub(super) fn is_full(&self) -> bool {
        self.states.len() >= MAX_STATES
    }

    fn make_state(&mut self) -> Option<StateId> {
        if self.is_full() {
            return None;
        }
        let made = StateId(self.states.len() as u32);
        self.states.push(State::default());
        Some(made)
    }
}

impl Way {
    fn new(bytes: &[u8], to: Next, effects: &[Effect]) -> Self {
        let (first, rest) = bytes.split_at(bytes.len().min(GLUE_BYTES));
        let mut glue = [0; GLUE_BYTES];
        let mut mask = [0; GLUE_BYTES];
        for ((glue, mask), byte) in glue.iter_mut().zip(&mut mask).zip(first) {
            *glue = *byte;
            *mask = u8::MAX;
        }
        let (rest, effects) = (rest.into(), effects.into());
        Self { glue, mask, rest, len: bytes.len(), to, effects, use_count: 0 }
    }

    /// Whether the bytes of the way stand at `at`.
    #[inline]
    fn is_at(&self, text: &[u8], at: usize) -> bool {
        let Some(window) = text.get(at..at + GLUE_BYTES) else {
            return text.get(at..at + self.len).is_some_and(|bytes| self.is_whole(bytes));
        };
        let bytes = window.iter().zip(&self.glue).zip(&self.mask);
        let difference = bytes.fold(0, |sum, ((byte, glue), mask)| sum | ((byte ^ glue) & mask));
        difference == 0
            && (self.rest.is_empty()
                || text.get(at + GLUE_BYTES..).is_some_and(|text| text.starts_with(&self.rest)))
    }

    /// Whether `bytes` are exactly the way.
    fn is_whole(&self, bytes: &[u8]) -> bool {
        let (first, rest) = bytes.split_at(bytes.len().min(GLUE_BYTES));
        bytes.len() == self.len && self.glue.starts_with(first) && *self.rest == *rest
    }
}

#[cfg(test)]
mod tests;
