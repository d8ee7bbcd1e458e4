//! Rows of what is new of a JSON document: each record by itself, known by its identity.
//!
//! The format is told for each version by itself, as if the document were an input of its own, so
//! the rows say what a command says that reads the documents.

use serde_json::Value;

use super::{Encoder, flags_of};
use crate::decode::scan::tree;
use crate::model::EventBatch;
use crate::source::follow::Version;
use crate::store::{Record, Rows, RowsError};

use super::super::redacted::Redacted;

/// One row to be.
struct Row {
    /// Which record of the version.
    record: usize,
    /// Number among the events of that record.
    nth: usize,
    event: Option<u32>,
    id: String,
}

impl Encoder {
    /// One row for each record of the version, or for each event of a record that holds several.
    pub(super) fn encode_version(
        &mut self,
        version: &Version,
        redacted: &Redacted,
        observed_us: i64,
    ) -> Result<Rows, RowsError> {
        let piece = &version.piece;
        let parts = &redacted.parts;
        let mut events = std::mem::take(&mut self.events);
        events.clear();
        let mut rows = Vec::with_capacity(parts.len());
        let lines = lines_of(redacted);
        let mut decoder = self.documents.of(&lines);
        for (record, part) in parts.iter().enumerate() {
            let first = events.len as u32;
            let line = lines.get(part.start..part.end).unwrap_or_default();
            if let Some(decoder) = &mut decoder {
                decoder.decode(line, 0, &mut events);
            }
            let name = version.names.get(record).map_or("", String::as_str);
            let values = identifying(&self.id, piece.text(record), name);
            let found = (first..events.len as u32).map(Some);
            let none = (first == events.len as u32).then_some(None);
            rows.extend(found.chain(none).enumerate().map(|(nth, event)| {
                let mut values = values.clone();
                values.extend((nth > 0).then(|| nth.to_string()));
                Row { record, nth, event, id: self.redactor.identity(&values) }
            }));
        }
        let made = self.version_rows(version, (redacted, &rows), &events, observed_us);
        self.events = events;
        made
    }

    fn version_rows(
        &mut self,
        version: &Version,
        (redacted, rows): (&Redacted, &[Row]),
        events: &EventBatch,
        observed_us: i64,
    ) -> Result<Rows, RowsError> {
        let piece = &version.piece;
        let records: Vec<Record<'_>> = rows
            .iter()
            .enumerate()
            .filter_map(|(ord, row)| {
                let span = piece.records.get(row.record)?;
                Some(Record {
                    generation: piece.generation,
                    off: span.off,
                    len: span.len,
                    ord: ord as i32,
                    flags: flags_of(span),
                    body: (row.nth == 0).then(|| redacted.text(row.record)),
                    event: row.event,
                    id: Some(&row.id),
                    note: None,
                })
            })
            .collect();
        self.rows.rows(&records, events, observed_us)
    }
}

/// The text of the records with each of them on one line. A line end inside of JSON stands
/// between two values, where a blank means the same.
fn lines_of(redacted: &Redacted) -> Vec<u8> {
    let mut lines = redacted.chunk.clone();
    for part in &redacted.parts {
        for byte in lines.get_mut(part.start..part.end).unwrap_or_default() {
            if *byte == b'\n' {
                *byte = b' ';
            }
        }
    }
    lines
}

/// The values at the paths of the configured `id`, or else the record's name.
fn identifying(paths: &[String], text: &[u8], name: &str) -> Vec<String> {
    let by_name = || vec![name.to_owned()];
    if paths.is_empty() {
        return by_name();
    }
    let Some(record) = tree(text) else { return by_name() };
    let values: Option<Vec<String>> = paths.iter().map(|path| at(&record, path)).collect();
    values.unwrap_or_else(by_name)
}

/// The value at a dotted path as text; a key may have dots in it.
fn at(value: &Value, path: &str) -> Option<String> {
    match value.get(path) {
        Some(Value::Null | Value::Object(_) | Value::Array(_)) => None,
        Some(Value::String(text)) => Some(text.clone()),
        Some(other) => Some(other.to_string()),
        None => {
            let (first, rest) = path.split_once('.')?;
            at(value.get(first)?, rest)
        }
    }
}
