//! The records of a piece without their secrets, as the chunk that is decoded.

use std::borrow::Cow;

use crate::redact::Redactor;
use crate::source::follow::Piece;

/// Records a line each, in the order of their piece.
#[derive(Default)]
pub(super) struct Redacted {
    pub(super) chunk: Vec<u8>,
    pub(super) parts: Vec<Part>,
    /// First line of the file with its end, where the piece begins further on.
    pub(super) first_line: Vec<u8>,
}

/// Where a record's text is in the chunk.
#[derive(Clone, Copy)]
pub(super) struct Part {
    pub(super) start: usize,
    pub(super) end: usize,
}

impl Redacted {
    pub(super) fn new(piece: &Piece, redactor: &Redactor) -> Self {
        let mut joined =
            Self::joined(piece, piece.bytes.len() + piece.records.len(), Cow::Borrowed);
        let has_none = redactor.takes_lines(&joined.chunk)
            && matches!(redactor.redact(&joined.chunk), Cow::Borrowed(_));
        if !has_none {
            joined = Self::joined(piece, joined.chunk.len(), |text| redactor.redact(text));
        }
        if !piece.first_line.is_empty() {
            joined.first_line = [&*redactor.redact(&piece.first_line), b"\n"].concat();
        }
        joined
    }

    fn joined<'p>(
        piece: &'p Piece,
        len: usize,
        text_of: impl Fn(&'p [u8]) -> Cow<'p, [u8]>,
    ) -> Self {
        let mut chunk = Vec::with_capacity(len);
        let mut parts = Vec::with_capacity(piece.records.len());
        for record in 0..piece.records.len() {
            let start = chunk.len();
            chunk.extend_from_slice(&text_of(piece.text(record)));
            parts.push(Part { start, end: chunk.len() });
            chunk.push(b'\n');
        }
        Self { chunk, parts, first_line: Vec::new() }
    }

    /// The text of a record; empty when there is none of this number.
    pub(super) fn text(&self, record: usize) -> &[u8] {
        let part = self.parts.get(record);
        part.and_then(|part| self.chunk.get(part.start..part.end)).unwrap_or_default()
    }
}
