//! Turns the records of a chunk into the columns of an [`EventBatch`].
//!
//! A record that cannot be decoded is data, not a failure: it is counted by its reason and the
//! first few are kept, so `events + rejected == records` always holds.

use std::sync::Arc;

use super::columns::{Columns, Fielded};
use super::csv::CsvReader;
use super::fields::{Fields, Kind as FieldKind, Reject};
use super::parse_text_record;
use super::pools::LIST_KEYS;
use super::profile::{Profile, Syntax};
use super::rejects::Rejects;
use super::scan::{FieldPath, Kind, Scanner, Slot};
use super::unfold::Unfolded;
use crate::model::{EventBatch, Wanted};

/// Decodes the records of one input; learns as it reads, so use one for many chunks.
pub struct Decoder {
    records: RecordReader,
    columns: Columns,
    unfolded: Option<Unfolded>,
}

enum RecordReader {
    Json(Box<Scanner>),
    Csv(CsvReader),
    Text { syntax: Syntax, fields: Fields, slots: Vec<Slot>, names: usize },
}

impl Decoder {
    /// Makes a decoder for inputs of one profile that fills the wanted columns.
    pub fn new(profile: &Arc<Profile>, wanted: &Wanted) -> Self {
        let mut paths: Vec<String> = Vec::new();
        let columns = Columns::new(profile, wanted, &mut paths);
        let records = match (profile.syntax, &profile.csv) {
            (Syntax::Csv, Some(layout)) => {
                let names: Vec<&str> = paths.iter().map(String::as_str).collect();
                RecordReader::Csv(CsvReader::new(layout.clone(), &names))
            }
            (Syntax::Json, _) => {
                let paths: Vec<FieldPath> =
                    paths.iter().map(|path| FieldPath::parse(path)).collect();
                RecordReader::Json(Box::new(Scanner::new(&paths)))
            }
            (syntax, _) => {
                let names: Vec<&str> = paths.iter().map(String::as_str).collect();
                let slots = vec![Slot::default(); names.len()];
                let fields = Fields::new(&names);
                RecordReader::Text { syntax, fields, slots, names: names.len() }
            }
        };
        Self { records, columns, unfolded: profile.unfolds.then(Unfolded::default) }
    }

    /// Appends the events of `chunk` to `batch`; gives the number of records and the rejects.
    ///
    /// `offset` is where the chunk begins in its input. An unfolded event has the offset of the
    /// record that holds it.
    pub fn decode(&mut self, chunk: &[u8], offset: u64, batch: &mut EventBatch) -> (u64, Rejects) {
        let mut rejects = Rejects::default();
        let mut records = 0;
        if let Some(unfolded) = &mut self.unfolded {
            unfolded.fill(chunk, LIST_KEYS);
            if unfolded.dropped > 0 {
                records += unfolded.dropped;
                rejects.add("beyond a million events of one record", unfolded.dropped);
            }
        }
        let unfolded = self.unfolded.as_ref();
        let chunk = unfolded.map_or(chunk, |unfolded| unfolded.bytes.as_slice());
        let place = |start: usize| {
            offset + unfolded.map_or(start, |unfolded| unfolded.origin(start)) as u64
        };
        let columns = &mut self.columns;
        match &mut self.records {
            RecordReader::Json(scanner) => scanner.scan(chunk, &mut |record| {
                records += 1;
                let at = place(record.start);
                match record.outcome {
                    Ok(slots) => {
                        let range = record.start..record.end;
                        columns.push(&Fielded { chunk, range, slots, offset: at }, batch);
                    }
                    Err(reason) => {
                        let text = chunk.get(record.start..record.end).unwrap_or_default();
                        rejects.reject(&reason.to_string(), at, text);
                    }
                }
            }),
            RecordReader::Csv(reader) => {
                reader.start(chunk);
                for (start, record) in lines(chunk) {
                    if reader.is_header(record) {
                        continue;
                    }
                    records += 1;
                    let at = offset + start as u64;
                    match reader.read(chunk, start, record) {
                        Ok((slots, text)) => {
                            let range = start..start + record.len();
                            columns.push(&Fielded { chunk: text, range, slots, offset: at }, batch);
                        }
                        Err(reason) => rejects.reject(text_reject(reason), at, record),
                    }
                }
            }
            RecordReader::Text { syntax, fields, slots, names } => {
                for (start, record) in lines(chunk) {
                    records += 1;
                    let at = place(start);
                    match parse_text_record(*syntax, record, fields) {
                        Ok(()) => {
                            for (index, slot) in slots.iter_mut().enumerate().take(*names) {
                                *slot = as_scan_slot(fields.slot(index), start);
                            }
                            let range = start..start + record.len();
                            columns.push(&Fielded { chunk, range, slots, offset: at }, batch);
                        }
                        Err(reason) => rejects.reject(text_reject(reason), at, record),
                    }
                }
            }
        }
        (records, rejects)
    }
}

fn text_reject(reason: Reject) -> &'static str {
    match reason {
        Reject::Empty => "empty",
        Reject::OtherFormat => "another format",
        Reject::Unterminated => "an open quote",
        Reject::TooLong => "too long",
        Reject::CellCount => "another number of cells than the header",
    }
}

/// Non-blank lines with their offsets, without line ends.
fn lines(chunk: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let mut start = 0;
    chunk.split(|byte| *byte == b'\n').filter_map(move |line| {
        let at = start;
        start += line.len() + 1;
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        (!line.trim_ascii().is_empty()).then_some((at, line))
    })
}

fn as_scan_slot(slot: super::fields::Slot, record_start: usize) -> Slot {
    let kind = match slot.kind {
        FieldKind::Absent => Kind::Absent,
        FieldKind::Null => Kind::Null,
        FieldKind::Bool => Kind::Bool,
        FieldKind::Number => Kind::Number,
        FieldKind::String => Kind::String,
    };
    let base = record_start as u32;
    Slot { kind, escaped: slot.escaped, start: base + slot.span.start, end: base + slot.span.end }
}
