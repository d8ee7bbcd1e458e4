//! Turns the tokens of a walked record into the values of the wanted cells, and teaches the
//! automaton the ways between them.

use super::automaton::{Automaton, Effect, Next, StateId};
use super::escape::unescape;
use super::slot::Kind;
use super::walk::{Token, TokenKind};
use super::wanted::{CellId, Cells, NodeId, Wanted};

/// The bytes of a record: `text` from `start` to its end, which includes the line break.
#[derive(Clone, Copy, Debug)]
pub(super) struct Line<'a> {
    pub(super) text: &'a [u8],
    pub(super) start: usize,
    pub(super) ending_bytes: usize,
}

/// A record that was read, what is wanted of it, and who learns from it.
#[derive(Debug)]
pub(super) struct Lesson<'a> {
    pub(super) line: Line<'a>,
    pub(super) tape: &'a [Token],
    pub(super) wanted: &'a Wanted,
    /// Takes the values; must be clear.
    pub(super) cells: &'a mut Cells,
    /// `None` if nothing is to be learned.
    pub(super) pupil: Option<&'a mut Automaton>,
}

/// Follows a record token by token; the buffers are reused from record to record.
#[derive(Debug, Default)]
pub(super) struct Tracer {
    levels: Vec<Level>,
    /// What happened since the end of the last value.
    effects: Vec<Effect>,
    /// End of the last value.
    way_start: usize,
    /// State after the last value, if it is one the automaton can tell apart.
    state: Option<StateId>,
    key: Vec<u8>,
}

/// Where a value stands.
#[derive(Clone, Copy, Debug, Default)]
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

impl Tracer {
    /// Fills the cells with the values of the object on the tape, and teaches its ways.
    pub(super) fn trace(&mut self, mut lesson: Lesson<'_>) {
        let Line { text, start, ending_bytes } = lesson.line;
        self.levels.clear();
        self.effects.clear();
        self.way_start = start;
        self.state = Some(Automaton::START);
        let mut place = Place { node: Some(Wanted::ROOT), state: self.state };
        for token in lesson.tape {
            if token.kind != TokenKind::Close {
                place = self.element(&mut lesson).unwrap_or(place);
            }
            match token.kind {
                TokenKind::Key { escaped } => place = self.member(*token, escaped, &mut lesson),
                TokenKind::Open(kind) => self.open(*token, Level { place, kind }, &lesson),
                TokenKind::Close => self.close(*token, &lesson),
                TokenKind::String { .. } | TokenKind::Scalar(_) => {
                    self.value(*token, place, &mut lesson);
                }
            }
        }
        // Only a line feed ends a record wherever it stands: the last line of a chunk may lack it.
        let next = text.ends_with(b"\n").then_some(Next::Record { ending_bytes });
        self.end_way(text.len(), next, &mut lesson);
    }

    /// Returns the place of the next element, if an array is open.
    fn element(&self, lesson: &mut Lesson<'_>) -> Option<Place> {
        let array = self.levels.last().filter(|level| level.kind == Kind::Array)?;
        let pupil = lesson.pupil.as_deref_mut();
        let state = pupil.zip(array.place.state).and_then(|(pupil, array)| pupil.element(array));
        Some(Place { node: None, state })
    }

    /// Returns the place of the member whose key is `token`, and forgets what was there.
    fn member(&mut self, token: Token, escaped: bool, lesson: &mut Lesson<'_>) -> Place {
        let raw = lesson.line.text.get(token.start()..token.end()).unwrap_or_default();
        let unescaped = if escaped { unescape(raw, &mut self.key) } else { None };
        let key = unescaped.map_or(raw, str::as_bytes);
        let object = self.levels.last().map_or(Place::default(), |level| level.place);
        let node = object.node.and_then(|object| lesson.wanted.child(object, key));
        let pupil = lesson.pupil.as_deref_mut();
        let state = pupil.zip(object.state).and_then(|(pupil, object)| pupil.member(object, raw));
        let below = node.map_or(&[][..], |node| lesson.wanted.below(node));
        self.effects.extend(below.iter().copied().map(Effect::Clear));
        Place { node, state }
    }

    fn open(&mut self, token: Token, level: Level, lesson: &Lesson<'_>) {
        if let Some(cell) = cell_of(level.place, lesson) {
            let offset = token.start().saturating_sub(self.way_start);
            self.effects.push(Effect::Open { cell, kind: level.kind, offset });
        }
        self.levels.push(level);
    }

    fn close(&mut self, token: Token, lesson: &Lesson<'_>) {
        let closed = self.levels.pop().map(|level| level.place);
        if let Some(cell) = closed.and_then(|place| cell_of(place, lesson)) {
            let offset = token.end().saturating_sub(self.way_start);
            self.effects.push(Effect::Close { cell, offset });
        }
    }

    /// Puts a string or scalar into its cell.
    fn value(&mut self, token: Token, place: Place, lesson: &mut Lesson<'_>) {
        let cell = cell_of(place, lesson).unwrap_or(lesson.cells.unwanted());
        let next = place.state.map(|place| match token.kind {
            TokenKind::String { .. } => Next::String { cell, place },
            _ => Next::Scalar { cell, place },
        });
        self.end_way(token.start(), next, lesson);
        self.state = place.state;
        self.way_start = match token.kind {
            TokenKind::String { escaped } => {
                lesson.cells.set_string(cell, escaped, token.start(), token.end());
                token.end() + 1
            }
            TokenKind::Scalar(kind) => {
                lesson.cells.set(cell, kind, token.start(), token.end());
                token.end()
            }
            _ => token.end(),
        };
    }

    /// Does what the way to `end` does, and teaches it if both its ends are known.
    fn end_way(&mut self, end: usize, next: Option<Next>, lesson: &mut Lesson<'_>) {
        Effect::apply(&self.effects, self.way_start, lesson.cells);
        let way = lesson.line.text.get(self.way_start..end).unwrap_or_default();
        if let (Some(pupil), Some(state), Some(next)) = (&mut lesson.pupil, self.state, next) {
            pupil.teach(state, way, next, &self.effects);
        }
        self.effects.clear();
    }
}

fn cell_of(place: Place, lesson: &Lesson<'_>) -> Option<CellId> {
    place.node.and_then(|node| lesson.wanted.cell(node))
}
