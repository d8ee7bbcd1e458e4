//! From records without secrets to rows: format told, events decoded.

mod version;

use std::sync::Arc;

use rustc_hash::FxHashMap;

use crate::config::Source;
use crate::decode::{Decoder, DocumentDecoders, Overrides, Profile, Sample, detect};
use crate::model::{EventBatch, GenerationId};
use crate::redact::Redactor;
use crate::source::follow::{Piece, RecordKind, RecordSpan};
use crate::store::{Record, RowBuilder, Rows, RowsError, flag, stored_columns};

use super::redacted::Redacted;
use super::source::{Records, Taken};

/// Records after which the format of a generation is settled.
const SETTLED_RECORDS: usize = 400;
/// Generations whose format is remembered; the others are told again from their next records.
const MAX_FORMATS: usize = 65_536;
/// Decoders kept, one for each profile: sources whose files all differ start them anew.
const MAX_DECODERS: usize = 64;

/// Makes rows of one source.
pub(super) struct Encoder {
    rows: RowBuilder,
    overrides: Overrides,
    /// For identities only: what comes is redacted.
    redactor: Arc<Redactor>,
    formats: FxHashMap<GenerationId, Format>,
    /// Shared by all generations of a profile: one takes 100 KiB, and files come by thousands.
    decoders: Vec<(Arc<Profile>, Decoder)>,
    /// Paths of the values by which a document's record is known.
    id: Vec<String>,
    documents: DocumentDecoders,
    events: EventBatch,
}

/// What is known of the format of a generation.
struct Format {
    /// Its place among the decoders.
    decoder: usize,
    records: usize,
}

impl Encoder {
    pub(super) fn new(source: &Source, overrides: Overrides, redactor: Arc<Redactor>) -> Self {
        Self {
            rows: RowBuilder::new(&source.name, source.event.as_deref()),
            documents: DocumentDecoders::new(&overrides, &stored_columns()),
            overrides,
            redactor,
            id: source.id.iter().map(ToString::to_string).collect(),
            formats: FxHashMap::default(),
            decoders: Vec::new(),
            events: EventBatch::default(),
        }
    }

    /// One row for each record, or for each event of a record that holds several.
    pub(super) fn encode(&mut self, taken: &Taken) -> Result<Rows, RowsError> {
        match &taken.records {
            Records::Piece(piece) => self.encode_piece(piece, &taken.redacted, taken.observed_us),
            Records::Version(version) => {
                self.encode_version(version, &taken.redacted, taken.observed_us)
            }
        }
    }

    fn encode_piece(
        &mut self,
        piece: &Piece,
        redacted: &Redacted,
        observed_us: i64,
    ) -> Result<Rows, RowsError> {
        let Redacted { chunk, parts, .. } = redacted;
        self.events.clear();
        self.learn(piece.generation, redacted);
        let mut placed: Vec<(usize, Option<u32>, i32)> = Vec::with_capacity(piece.records.len());
        let known = self.formats.get(&piece.generation).map(|format| format.decoder);
        match known.and_then(|index| self.decoders.get_mut(index)) {
            Some((profile, decoder)) if profile.unfolds => {
                for index in 0..parts.len() {
                    let first = self.events.len as u32;
                    decoder.decode(redacted.text(index), 0, &mut self.events);
                    let after = self.events.len as u32;
                    match after - first {
                        0 => placed.push((index, None, 0)),
                        _ => placed.extend(
                            (first..after).map(|row| (index, Some(row), (row - first) as i32)),
                        ),
                    }
                }
            }
            Some((_, decoder)) => {
                decoder.decode(chunk, 0, &mut self.events);
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
                let span = piece.records.get(*index)?;
                Some(Record {
                    generation: piece.generation,
                    off: span.off,
                    len: span.len,
                    ord: *ord,
                    flags: flags_of(span),
                    body: (*ord == 0).then(|| redacted.text(*index)),
                    event: *event,
                    id: None,
                    note: note.as_deref().filter(|_| span.kind == RecordKind::Truncated),
                })
            })
            .collect();
        self.rows.rows(&records, &self.events, observed_us)
    }

    /// Tells the format from the chunk, below the first line of the file, while too little of the
    /// generation was seen to be sure.
    fn learn(&mut self, generation: GenerationId, redacted: &Redacted) {
        let records = redacted.parts.len();
        if self.formats.len() >= MAX_FORMATS && !self.formats.contains_key(&generation) {
            self.formats.clear();
        }
        if let Some(format) = self.formats.get_mut(&generation)
            && format.records >= SETTLED_RECORDS
        {
            format.records += records;
            return;
        }
        let head = [redacted.first_line.as_slice(), &redacted.chunk].concat();
        let sample = Sample { head: &head, later: &[], is_whole: false };
        let Ok(detected) = detect(&sample, &self.overrides) else { return };
        let decoder = self.decoder_of(detected.profile);
        let format = self.formats.entry(generation).or_insert(Format { decoder, records: 0 });
        format.decoder = decoder;
        format.records += records;
    }

    /// The place of the decoder for a profile.
    fn decoder_of(&mut self, profile: Profile) -> usize {
        if let Some(index) = self.decoders.iter().position(|(known, _)| **known == profile) {
            return index;
        }
        if self.decoders.len() >= MAX_DECODERS {
            self.decoders.clear();
            self.formats.clear();
        }
        let profile = Arc::new(profile);
        let decoder = Decoder::new(&profile, &stored_columns());
        self.decoders.push((profile, decoder));
        self.decoders.len() - 1
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
