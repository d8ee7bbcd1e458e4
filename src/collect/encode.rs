//! From the records of one piece to rows: secrets out, format told, events decoded.

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::decode::{Decoder, Overrides, Profile, Sample, detect};
use crate::model::{EventBatch, GenerationId};
use crate::redact::redact;
use crate::source::follow::{Piece, RecordKind, RecordSpan};
use crate::store::{Record, RowBuilder, Rows, RowsError, flag, stored_columns};

/// Records after which the format of a generation is settled.
const SETTLED_RECORDS: usize = 400;
/// Generations whose format is remembered; the others are told again from their next records.
const MAX_FORMATS: usize = 4_096;

/// Makes rows of one source.
pub(super) struct Encoder {
    rows: RowBuilder,
    overrides: Overrides,
    key: Vec<u8>,
    formats: FxHashMap<GenerationId, Format>,
    events: EventBatch,
    chunk: Vec<u8>,
}

/// What is known of the format of a generation.
struct Format {
    profile: Arc<Profile>,
    decoder: Decoder,
    records: usize,
}

/// Where a record's text is in the chunk that is decoded.
#[derive(Clone, Copy)]
struct Part {
    start: usize,
    end: usize,
}

impl Encoder {
    pub(super) fn new(source: &str, event: Option<&str>, overrides: Overrides, key: &[u8]) -> Self {
        Self {
            rows: RowBuilder::new(source, event),
            overrides,
            key: key.to_vec(),
            formats: FxHashMap::default(),
            events: EventBatch::default(),
            chunk: Vec::new(),
        }
    }

    /// One row for each record of the piece, or for each event of a record that holds several.
    pub(super) fn encode(&mut self, piece: &Piece, observed_us: i64) -> Result<Rows, RowsError> {
        let parts = self.redacted(piece);
        self.events.clear();
        self.learn(piece.generation, piece.records.len());
        let mut placed: Vec<(usize, Option<u32>, i32)> = Vec::with_capacity(piece.records.len());
        match self.formats.get_mut(&piece.generation) {
            Some(format) if format.profile.unfolds => {
                for (index, part) in parts.iter().enumerate() {
                    let first = self.events.len as u32;
                    let text = self.chunk.get(part.start..part.end).unwrap_or_default();
                    format.decoder.decode(text, 0, &mut self.events);
                    let after = self.events.len as u32;
                    match after - first {
                        0 => placed.push((index, None, 0)),
                        _ => placed.extend(
                            (first..after).map(|row| (index, Some(row), (row - first) as i32)),
                        ),
                    }
                }
            }
            Some(format) => {
                format.decoder.decode(&self.chunk, 0, &mut self.events);
                let mut next = 0;
                for (index, part) in parts.iter().enumerate() {
                    // Events come in the order of their records; a rejected record has none.
                    let event = self
                        .events
                        .offset
                        .get(next)
                        .copied()
                        .filter(|offset| (part.start..=part.end).contains(&(*offset as usize)));
                    placed.push((index, event.map(|_| next as u32), 0));
                    next += usize::from(event.is_some());
                }
            }
            None => placed.extend((0..parts.len()).map(|index| (index, None, 0))),
        }
        let note = piece.truncated.map(|whole| {
            format!("{{\"length\":{},\"fingerprint\":\"{}\"}}", whole.len, whole.print)
        });
        let records: Vec<Record<'_>> = placed
            .iter()
            .filter_map(|(index, event, ord)| {
                let (span, part) = (piece.records.get(*index)?, parts.get(*index)?);
                let body = self.chunk.get(part.start..part.end).unwrap_or_default();
                Some(Record {
                    generation: piece.generation,
                    off: span.off,
                    len: span.len,
                    ord: *ord,
                    flags: flags_of(span),
                    body: (*ord == 0).then_some(body),
                    event: *event,
                    id: None,
                    note: note.as_deref().filter(|_| span.kind == RecordKind::Truncated),
                })
            })
            .collect();
        self.rows.rows(&records, &self.events, observed_us)
    }

    /// Puts the records into the chunk, a line each, without secrets.
    fn redacted(&mut self, piece: &Piece) -> Vec<Part> {
        let text = |span: &RecordSpan| {
            piece.bytes.get(span.body.start as usize..span.body.end as usize).unwrap_or_default()
        };
        let mut joined = Vec::with_capacity(piece.bytes.len() + 1);
        let mut parts = Vec::with_capacity(piece.records.len());
        for span in &piece.records {
            let start = joined.len();
            joined.extend_from_slice(text(span));
            parts.push(Part { start, end: joined.len() });
            joined.push(b'\n');
        }
        self.chunk.clear();
        if redact(&joined, &self.key, &mut self.chunk) == 0 {
            return parts;
        }
        self.chunk.clear();
        for (span, part) in piece.records.iter().zip(&mut parts) {
            part.start = self.chunk.len();
            redact(text(span), &self.key, &mut self.chunk);
            part.end = self.chunk.len();
            self.chunk.push(b'\n');
        }
        parts
    }

    /// Tells the format from the chunk while too little of the generation was seen to be sure.
    fn learn(&mut self, generation: GenerationId, records: usize) {
        if self.formats.len() >= MAX_FORMATS && !self.formats.contains_key(&generation) {
            self.formats.clear();
        }
        if let Some(format) = self.formats.get_mut(&generation)
            && format.records >= SETTLED_RECORDS
        {
            format.records += records;
            return;
        }
        let sample = Sample { head: &self.chunk, later: &[], is_whole: false };
        let Ok(detected) = detect(&sample, &self.overrides) else { return };
        match self.formats.get_mut(&generation) {
            Some(format) if *format.profile == detected.profile => format.records += records,
            known => {
                let seen = known.map_or(0, |format| format.records);
                let profile = Arc::new(detected.profile);
                let decoder = Decoder::new(&profile, &stored_columns());
                self.formats
                    .insert(generation, Format { profile, decoder, records: seen + records });
            }
        }
    }
}

fn flags_of(span: &RecordSpan) -> i32 {
    match span.kind {
        RecordKind::Line => 0,
        RecordKind::Unterminated => flag::PARTIAL_LINE,
        RecordKind::Truncated => flag::TRUNCATED,
        RecordKind::NulHole => flag::NUL_HOLE,
        RecordKind::Tombstone => flag::TOMBSTONE,
    }
}
