//! Reads events back from the store: its columns where they are enough, the records' own text
//! where a field is asked for that is no column.
//!
//! Records that could not be decoded when they were collected are decoded again here, so that
//! they are counted with their reasons like those of a file. Of documents only what holds now is
//! read, see `newest.rs`.

use std::path::Path;
use std::sync::Arc;

use polars::prelude::{BooleanChunked, ChunkCompareEq, DataFrame, PolarsResult};

use crate::decode::{
    Decoder, DetectError, Detected, DocumentDecoders, Overrides, Rejects, Sample, detect,
};
use crate::frame::{Column, append_events, event_columns, of_store, store_columns};
use crate::model::{EventBatch, Positions, Wanted};
use crate::store::{ROW_GROUP_ROWS, Segment, Snapshot, StoreError, flag};

use super::newest::{self, Newest};
use super::sql::Times;

/// Bytes of records by which the format of a source is told.
const SAMPLE_BYTES: usize = 256 * 1024;
/// Rows of each part that are looked at first for that.
const SAMPLE_ROWS: usize = 1_000;
/// Bytes of records that nothing is told from, after which looking for others ends.
const MAX_GARBAGE_BYTES: usize = 64 << 20;
/// Columns of a row's own text.
const BODY: [&str; 3] = ["source", "flags", "body"];

/// One source of a snapshot of the store.
#[derive(Clone)]
pub struct StoredSource {
    snapshot: Arc<Snapshot>,
    segments: Arc<[Segment]>,
    /// What holds of a source of documents.
    newest: Option<Arc<Newest>>,
    /// What a person said about the fields.
    overrides: Overrides,
    /// The times asked for, when not all are.
    times: Option<Times>,
    /// Name of the source.
    pub name: String,
}

/// Some rows of one segment.
#[derive(Clone, Copy, Debug)]
pub(super) struct Part {
    segment: usize,
    start: usize,
    row_count: usize,
}

impl Part {
    const FIRST: Self = Self { segment: 0, start: 0, row_count: ROW_GROUP_ROWS };
}

/// What a part gave besides its events.
#[derive(Default)]
pub(super) struct Counts {
    pub(super) records: u64,
    pub(super) rejects: Rejects,
    pub(super) bytes: u64,
    /// Rows that are no events, as they were asked for in columns.
    pub(super) stored: Option<DataFrame>,
}

/// What is to be read.
#[derive(Clone, Debug, Default)]
pub(super) struct Ask {
    /// For events.
    pub(super) wanted: Wanted,
    /// Columns of `logs`; where the store has all of them, rows are not made events first.
    pub(super) columns: Vec<Column>,
}

/// The sources of the newest version of a store, by name.
///
/// # Errors
/// When the store is missing or damaged.
pub fn stored_sources(path: &Path) -> Result<Vec<StoredSource>, StoreError> {
    let snapshot = Arc::new(Snapshot::open(path)?);
    let mut segments = snapshot.segments().to_vec();
    segments.sort_by(|a, b| a.ts_min_us.cmp(&b.ts_min_us).then_with(|| a.path.cmp(&b.path)));
    let segments: Arc<[Segment]> = segments.into();
    let sources = snapshot.cursors().iter().map(|(name, positions)| {
        let mut source = StoredSource {
            snapshot: Arc::clone(&snapshot),
            segments: Arc::clone(&segments),
            newest: None,
            overrides: Overrides::default(),
            times: None,
            name: name.clone(),
        };
        if Positions::are_of_documents(positions) {
            source.newest = Some(Arc::new(source.see_all()?));
        }
        Ok(source)
    });
    sources.collect()
}

impl StoredSource {
    /// Tells the format of the records, as of a file that holds nothing else.
    pub(super) fn detect(
        &mut self,
        overrides: &Overrides,
    ) -> Result<Result<Detected, DetectError>, StoreError> {
        self.overrides = overrides.clone();
        let (mut sample, mut garbage) = (Vec::new(), Vec::new());
        for row_count in [SAMPLE_ROWS, ROW_GROUP_ROWS] {
            garbage.clear();
            let mut part = self.first();
            while let Some(at) = part
                && sample.len() < SAMPLE_BYTES
                && garbage.len() < MAX_GARBAGE_BYTES
            {
                let rows = self.rows(Part { row_count, ..at }, &BODY)?;
                push_sample(&rows, &mut sample, &mut garbage)
                    .map_err(|error| self.unusable(at, &error))?;
                part = self.after(at);
            }
            if !sample.is_empty() {
                break;
            }
        }
        // A single long line of garbage must not hide the fields of all others.
        if sample.is_empty() {
            sample = garbage;
        }
        let is_whole = sample.len() < SAMPLE_BYTES;
        sample.truncate(SAMPLE_BYTES);
        Ok(detect(&Sample { head: &sample, later: &[], is_whole }, overrides))
    }

    /// Leaves out what lies outside of some times; records without a time are left out too.
    pub(super) fn narrow(&mut self, times: Times) {
        let meets = |segment: &&Segment| segment.may_meet(times.from_us, times.to_us);
        self.segments = self.segments.iter().filter(meets).cloned().collect();
        self.times = Some(times);
    }

    /// The times to read of a segment, when it has others too.
    fn times_within(&self, segment: &Segment) -> Option<(i64, i64)> {
        let Times { from_us, to_us } = self.times?;
        let is_inside = segment.ts_min_us.is_some_and(|min_us| from_us <= min_us)
            && segment.ts_max_us.is_some_and(|max_us| max_us < to_us);
        (!is_inside).then_some((from_us, to_us))
    }

    /// Size of all segments on disk.
    pub(super) fn bytes_on_disk(&self) -> u64 {
        self.segments.iter().map(|segment| segment.bytes).sum()
    }

    /// The first part; `None` when the store is empty.
    pub(super) fn first(&self) -> Option<Part> {
        (!self.segments.is_empty()).then_some(Part::FIRST)
    }

    /// The part after one.
    pub(super) fn after(&self, part: Part) -> Option<Part> {
        let start = part.start + ROW_GROUP_ROWS;
        let segment = self.segments.get(part.segment)?;
        if (start as u64) < segment.row_count && self.times_within(segment).is_none() {
            return Some(Part { start, ..part });
        }
        let segment = part.segment + 1;
        (segment < self.segments.len()).then_some(Part { segment, ..Part::FIRST })
    }

    /// Appends the events of a part, or gives its rows.
    pub(super) fn read(
        &self,
        part: Part,
        ask: &Ask,
        decoder: &mut Decoder,
        batch: &mut EventBatch,
    ) -> Result<Counts, StoreError> {
        let bytes = self.segments.get(part.segment).map_or(0, |segment| {
            segment.bytes * ROW_GROUP_ROWS as u64 / segment.row_count.max(ROW_GROUP_ROWS as u64)
        });
        let fault = |error| self.unusable(part, &error);
        let wanted = &ask.wanted;
        if !wanted.extras.is_empty() {
            let rows = self.rows(part, &BODY)?;
            let counted = match self.newest {
                None => decode_bodies(&rows, decoder, batch),
                Some(_) => self.decode_documents(&rows, (wanted, decoder), batch),
            };
            let (records, rejects) = counted.map_err(fault)?;
            return Ok(Counts { records, rejects, bytes, stored: None });
        }
        let stored = store_columns(&ask.columns).filter(|columns| !columns.is_empty());
        let is_direct = stored.is_some();
        let mut columns = stored.unwrap_or_else(|| event_columns(wanted));
        columns.extend(["source", "flags"]);
        columns.sort_unstable();
        columns.dedup();
        let rows = self.rows(part, &columns)?;
        let flags =
            rows.column("flags").and_then(|flags| Ok(flags.i32()?.clone())).map_err(fault)?;
        let records = rows.height() as u64;
        let mut counts = Counts { records, bytes, ..Counts::default() };
        let parsed: BooleanChunked = flags.iter().map(|flags| Some(is_event(flags))).collect();
        let is_all = parsed.all();
        let understood = if is_all { rows } else { rows.filter(&parsed).map_err(fault)? };
        if is_direct {
            counts.stored = Some(of_store(&understood, &ask.columns).map_err(fault)?);
        } else {
            append_events(&understood, wanted, batch).map_err(fault)?;
        }
        if !is_all {
            let again = self.rows(part, &BODY)?.filter(&!&parsed).map_err(fault)?;
            let (_, rejects) = decode_bodies(&again, decoder, batch).map_err(fault)?;
            counts.rejects = rejects;
        }
        Ok(counts)
    }

    /// Looks through all rows for the newest of each identity.
    fn see_all(&self) -> Result<Newest, StoreError> {
        let mut newest = Newest::default();
        let mut part = self.first();
        while let Some(at) = part {
            let rows = self.own_rows(at, &newest::COLUMNS)?;
            newest.see(&rows).map_err(|error| self.unusable(at, &error))?;
            part = self.after(at);
        }
        Ok(newest)
    }

    /// The rows of this source in a part that hold now.
    fn rows(&self, part: Part, columns: &[&str]) -> Result<DataFrame, StoreError> {
        let Some(newest) = &self.newest else { return self.own_rows(part, columns) };
        let mut columns = columns.to_vec();
        columns.extend(newest::COLUMNS);
        columns.sort_unstable();
        columns.dedup();
        let rows = self.own_rows(part, &columns)?;
        let held = newest.mask(&rows).and_then(|mask| rows.filter(&mask));
        held.map_err(|error| self.unusable(part, &error))
    }

    /// The rows of this source in a part.
    fn own_rows(&self, part: Part, columns: &[&str]) -> Result<DataFrame, StoreError> {
        let Some(segment) = self.segments.get(part.segment) else {
            return Ok(DataFrame::default());
        };
        let rows = match self.times_within(segment) {
            None => {
                let rows = part.start..part.start + part.row_count;
                self.snapshot.read_rows(segment, columns, rows)?
            }
            times => self.snapshot.read(segment, columns, times)?,
        };
        let filtered = rows.column("source").and_then(|source| {
            let source = source.str()?;
            let own = source.equal(self.name.as_str());
            if own.all() { Ok(rows.clone()) } else { rows.filter(&own) }
        });
        filtered.map_err(|error| self.unusable(part, &error))
    }

    /// As [`decode_bodies`], of documents that may be of several kinds.
    fn decode_documents(
        &self,
        rows: &DataFrame,
        (wanted, fallback): (&Wanted, &mut Decoder),
        batch: &mut EventBatch,
    ) -> PolarsResult<(u64, Rejects)> {
        let mut decoders = DocumentDecoders::new(&self.overrides, wanted);
        let (mut records, mut rejects) = (0, Rejects::default());
        for at in 0..rows.height() {
            let mut text = Vec::new();
            push_bodies(&rows.slice(at as i64, 1), &mut text)?;
            let decoder = decoders.of(&text);
            let (count, rejected) = decoder.unwrap_or(fallback).decode(&text, 0, batch);
            records += count;
            rejects.merge(rejected);
        }
        Ok(with_hidden(rows, records, rejects))
    }

    fn unusable(&self, part: Part, error: &impl std::fmt::Display) -> StoreError {
        let segment = self.segments.get(part.segment);
        StoreError::Segment {
            path: segment.map_or_else(Default::default, |s| self.snapshot.store().join(&s.path)),
            reason: error.to_string(),
            rows: segment.map_or(0, |segment| segment.row_count),
        }
    }
}

/// Whether a row with these flags has an event in its columns; an erased one has none any more.
fn is_event(flags: Option<i32>) -> bool {
    flags.unwrap_or(0) & (flag::UNPARSED | flag::ERASED) == 0
}

/// Puts a record on a line of its own; one that spans lines is a document, in which a blank means
/// the same as a line end.
fn push_line(body: &str, text: &mut Vec<u8>) {
    text.extend(body.bytes().map(|byte| if byte == b'\n' { b' ' } else { byte }));
    text.push(b'\n');
}

/// Puts the text of each record on a line of its own.
fn push_bodies(rows: &DataFrame, text: &mut Vec<u8>) -> PolarsResult<()> {
    for body in rows.column("body")?.str()?.iter().flatten() {
        push_line(body, text);
    }
    Ok(())
}

/// Puts records that were understood when they were collected apart from the others.
fn push_sample(rows: &DataFrame, sample: &mut Vec<u8>, garbage: &mut Vec<u8>) -> PolarsResult<()> {
    let flags = rows.column("flags")?.i32()?;
    for (body, flags) in rows.column("body")?.str()?.iter().zip(flags.iter()) {
        let text = if is_event(flags) { &mut *sample } else { &mut *garbage };
        push_line(body.unwrap_or_default(), text);
    }
    Ok(())
}

fn decode_bodies(
    rows: &DataFrame,
    decoder: &mut Decoder,
    batch: &mut EventBatch,
) -> PolarsResult<(u64, Rejects)> {
    let mut text = Vec::new();
    push_bodies(rows, &mut text)?;
    let (records, rejects) = decoder.decode(&text, 0, batch);
    Ok(with_hidden(rows, records, rejects))
}

/// Counts the rows without a text that can be decoded.
fn with_hidden(rows: &DataFrame, records: u64, mut rejects: Rejects) -> (u64, Rejects) {
    let hidden = (rows.height() as u64).saturating_sub(records);
    if hidden > 0 {
        rejects.add("not UTF-8, a hole in the file, or erased", hidden);
    }
    (records + hidden, rejects)
}
