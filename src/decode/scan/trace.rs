//! Turns the tokens of a walked record into the values of the wanted cells, and teaches the
//! automaton the ways between them.

use super::automaton::{Automaton, Effect, Next, StateId};
use super::escape::unescape;
use super::slot::Kind;
use super::walk::{Token, TokenKind};
use super::wanted::{CellId, Cells, NodeId, Wanted};

/// What is known about the place of a value.
#[derive(Clone, Copy, Debug)]
struct Place {
    /// The wanted node, if anything at or below it is wanted.
    node: Option<NodeId>,
    /// The state after the value, if there was room for it.
    state: Option<StateId>,
}

/// A container whose end is not reached yet.
#[derive(Clone, Copy, Debug)]
struct Level {
    place: Place,
    kind: Kind,
}

/// Buffers of [`Tracer::trace`], reused from record to record.
#[derive(Debug, Default)]
pub(super) struct Tracer {
    levels: Vec<Level>,
    effects: Vec<Effect>,
    key: Vec<u8>,
}

/// The two ends that a trace feeds.
#[derive(Debug)]
pub(super) struct Pupils<'a> {
    /// `None` if nothing is to be learned.
    pub(super) automaton: Option<&'a mut Automaton>,
    pub(super) cells: &'a mut Cells,
}

impl Pupils<'_> {
    /// The state after the member `key` of the object at `place`.
    fn member(&mut self, place: Place, key: &[u8]) -> Option<StateId> {
        self.automaton.as_deref_mut()?.member(place.state?, key)
    }

    /// The state after an element of the array at `place`.
    fn element(&mut self, place: Place) -> Option<StateId> {
        self.automaton.as_deref_mut()?.element(place.state?)
    }
}

/// The bytes of a record: all from the start of its text to the end of its line break.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    pub(super) text: &'a [u8],
    pub(super) start: usize,
    pub(super) line_break_bytes: usize,
}

impl Tracer {
    /// Fills the cells, which must be clear, with the values of the object that `tape` lists.
    pub(super) fn trace(
        &mut self,
        line: Line<'_>,
        tape: &[Token],
        wanted: &Wanted,
        pupils: &mut Pupils<'_>,
    ) {
        self.levels.clear();
        self.effects.clear();
        let mut way = WayStart { line, at: line.start, state: Some(Automaton::START) };
        let mut place = Place { node: Some(Wanted::ROOT), state: Some(Automaton::START) };
        for token in tape {
            if let Some(&Level { place: array, kind: Kind::Array }) = self.levels.last()
                && !matches!(token.kind, TokenKind::Close)
            {
                place = Place { node: None, state: pupils.element(array) };
            }
            let cell = place.node.and_then(|node| wanted.cell(node));
            let offset = token.start.saturating_sub(way.at);
            match token.kind {
                TokenKind::Key { escaped } => {
                    place = self.member(line, *token, escaped, wanted, pupils);
                }
                TokenKind::Open(kind) => {
                    if let Some(cell) = cell {
                        self.effects.push(Effect::Open { cell, kind, offset });
                    }
                    self.levels.push(Level { place, kind });
                }
                TokenKind::Close => self.close(offset + 1, wanted),
                TokenKind::String { escaped } => {
                    let cell = cell.unwrap_or(pupils.cells.unwanted());
                    let next = place.state.map(|place| Next::String { cell, place });
                    way.end_at(token.start, next, &mut self.effects, pupils);
                    pupils.cells.set_string(cell, escaped, token.start, token.end);
                    (way.at, way.state) = (token.end + 1, place.state);
                }
                TokenKind::Scalar(kind) => {
                    let cell = cell.unwrap_or(pupils.cells.unwanted());
                    let next = place.state.map(|place| Next::Scalar { cell, place });
                    way.end_at(token.start, next, &mut self.effects, pupils);
                    pupils.cells.set(cell, kind, token.start, token.end);
                    (way.at, way.state) = (token.end, place.state);
                }
            }
        }
        // Only a line feed ends a record wherever it stands: the last line of a chunk may lack it.
        let line_break_bytes = line.line_break_bytes;
        let next = line.text.ends_with(b"\n").then_some(Next::Record { line_break_bytes });
        way.end_at(line.text.len(), next, &mut self.effects, pupils);
    }

    /// Returns the place of the member whose key is `token`.
    fn member(
        &mut self,
        line: Line<'_>,
        token: Token,
        escaped: bool,
        wanted: &Wanted,
        pupils: &mut Pupils<'_>,
    ) -> Place {
        let raw = line.text.get(token.start..token.end).unwrap_or_default();
        let key = match escaped {
            true => unescape(raw, &mut self.key).map_or(raw, str::as_bytes),
            false => raw,
        };
        let Some(object) = self.levels.last().map(|level| level.place) else {
            return Place { node: None, state: None };
        };
        let node = object.node.and_then(|object| wanted.child(object, key));
        let state = pupils.member(object, raw);
        let below = node.map_or(&[][..], |node| wanted.below(node));
        self.effects.extend(below.iter().map(|&cell: &CellId| Effect::Clear(cell)));
        Place { node, state }
    }

    fn close(&mut self, offset: usize, wanted: &Wanted) {
        let closed = self.levels.pop().and_then(|level| level.place.node);
        if let Some(cell) = closed.and_then(|node| wanted.cell(node)) {
            self.effects.push(Effect::Close { cell, offset });
        }
    }
}

/// The end of the value before: where the next way starts.
struct WayStart<'a> {
    line: Line<'a>,
    at: usize,
    state: Option<StateId>,
}

impl WayStart<'_> {
    /// Does what the way to `end` does, and teaches it if both its ends are known.
    fn end_at(
        &self,
        end: usize,
        next: Option<Next>,
        effects: &mut Vec<Effect>,
        pupils: &mut Pupils<'_>,
    ) {
        Effect::apply(effects, self.at, pupils.cells);
        let glue = self.line.text.get(self.at..end);
        if let (Some(automaton), Some(state), Some(next), Some(glue)) =
            (pupils.automaton.as_deref_mut(), self.state, next, glue)
        {
            automaton.teach(state, glue, next, effects);
        }
        effects.clear();
    }
}
