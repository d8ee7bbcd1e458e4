//! Rows of the table: one for each record, whether it could be decoded or not.
//!
//! A record that holds several events has a row for each, told apart by `_ord`; the body stands
//! in the first of them. What the store promises rests on this: records in, rows out, and the
//! bytes of a generation cut into the ranges of its rows.

use std::ops::RangeInclusive;

use polars::prelude::{
    BinaryChunked, Column, DataFrame, IdxCa, Int32Chunked, Int64Chunked, IntoColumn,
    NewChunkedArray, PlSmallStr, PolarsError, PolarsResult, StringChunked, TimeUnit, TimeZone,
};

use crate::frame::{Column as EventColumn, FrameBuilder};
use crate::model::{EventBatch, GenerationId, Label, NO_TIME, Text, Wanted};

use super::schema::{columns, flag};

const DAY_US: i64 = 86_400_000_000;
/// Times outside of these are no reason for a partition of their own: 1990 to two days from now.
const FIRST_SANE_US: i64 = 631_152_000_000_000;
const FUTURE_US: i64 = 2 * DAY_US;

/// One row to be: a record's place, its text, and the event decoded from it.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The bytes it comes from: generation, offset, length with its line end.
    pub generation: GenerationId,
    /// Offset in the generation.
    pub off: u64,
    /// Length in the generation, of which the body may be a part.
    pub len: u64,
    /// Number among the rows of the same bytes.
    pub ord: i32,
    /// Bits of [`flag`] that only the reader knows.
    pub flags: i32,
    /// What is kept of the text; `None` in all rows of a record but the first.
    pub body: Option<&'a [u8]>,
    /// Row of the decoded event in the batch; `None` when the record could not be decoded.
    pub event: Option<u32>,
    /// Identity of a document's record.
    pub id: Option<&'a str>,
    /// What is known of a record that could not be decoded: a JSON object for `attrs`.
    pub note: Option<&'a str>,
}

/// Chunks of a column from which on they are joined. Each costs a KiB or so a column besides its
/// rows, and ten thousand files with a record each would make as many.
const MAX_CHUNKS: usize = 64;

/// Rows with the table's columns, not yet in the table.
#[derive(Clone, Debug, Default)]
pub struct Rows(DataFrame);

impl Rows {
    /// Number of rows.
    pub fn len(&self) -> usize {
        self.0.height()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.height() == 0
    }

    /// Appends the rows of another source or of later records.
    ///
    /// # Errors
    /// Never for rows of a [`RowBuilder`]; the columns are the same.
    pub fn append(&mut self, more: Self) -> Result<(), RowsError> {
        if self.is_empty() {
            *self = more;
            return Ok(());
        }
        self.0.vstack_mut_owned(more.0)?;
        if self.0.first_col_n_chunks() > MAX_CHUNKS {
            self.0.rechunk_mut();
        }
        Ok(())
    }

    /// The rows as the store takes them.
    pub fn frame(&self) -> &DataFrame {
        &self.0
    }
}

/// Rows could not be made: a fault of plimsoll, not of the data.
#[derive(Debug, thiserror::Error)]
#[error("rows could not be made: {0}")]
pub struct RowsError(#[from] PolarsError);

/// Makes rows of one source.
#[derive(Debug)]
pub struct RowBuilder {
    source: String,
    event: Option<String>,
    frames: FrameBuilder,
}

/// What a decoder must fill for [`RowBuilder::rows`].
pub fn stored_columns() -> Wanted {
    let mut wanted = Wanted::default();
    for label in Label::ALL {
        wanted.add_label(label);
    }
    for text in stored_texts() {
        wanted.add_text(text);
    }
    wanted
}

/// All texts but the body, which may be there without an event.
fn stored_texts() -> impl Iterator<Item = Text> {
    Text::ALL.into_iter().filter(|text| *text != Text::Body)
}

impl RowBuilder {
    /// Rows of the source `source`; `event` names what names no event itself.
    pub fn new(source: &str, event: Option<&str>) -> Self {
        let plain = [
            EventColumn::Severity,
            EventColumn::SeverityNumber,
            EventColumn::Status,
            EventColumn::DurationMs,
        ];
        let labels = Label::ALL.into_iter().map(EventColumn::Label);
        let texts = stored_texts().map(EventColumn::Text);
        let wanted = plain.into_iter().chain(labels).chain(texts).collect();
        Self {
            source: source.to_owned(),
            event: event.map(str::to_owned),
            frames: FrameBuilder::new(wanted),
        }
    }

    /// The rows of `records`, in their order.
    ///
    /// `events` was decoded with [`stored_columns`]; `observed_us` is now.
    ///
    /// # Errors
    /// When the batch lacks a column.
    pub fn rows(
        &mut self,
        records: &[Record<'_>],
        events: &EventBatch,
        observed_us: i64,
    ) -> Result<Rows, RowsError> {
        let rows =
            IdxCa::from_iter_options(PlSmallStr::EMPTY, records.iter().map(|record| record.event));
        let decoded = self.frames.frame(events)?.take(&rows)?;
        let times: Vec<Option<i64>> = records.iter().map(|record| time(record, events)).collect();
        let texts: Vec<Option<&str>> =
            records.iter().map(|record| simdutf8::basic::from_utf8(record.body?).ok()).collect();
        let sane = FIRST_SANE_US..=observed_us.saturating_add(FUTURE_US);
        let made = columns()
            .iter()
            .map(|(name, dtype)| {
                let own = Own { records, times: &times, texts: &texts, sane: &sane, observed_us };
                match own.column(name) {
                    Some(column) => Ok(column),
                    None if name == "source" => {
                        let source = PlSmallStr::from_str(&self.source);
                        Ok(Column::new_scalar(name.clone(), source.into(), records.len()))
                    }
                    None if name == "event" => self.event_column(&decoded),
                    None if name == "attrs" => attrs_column(records, &decoded),
                    None => decoded.column(name)?.cast(dtype),
                }
            })
            .collect::<PolarsResult<Vec<Column>>>()?;
        Ok(Rows(DataFrame::new(records.len(), made)?))
    }

    fn event_column(&self, decoded: &DataFrame) -> PolarsResult<Column> {
        let events = decoded.column("event")?;
        let Some(name) = &self.event else { return Ok(events.clone()) };
        let named = events.str()?.iter().map(|event| Some(event.unwrap_or(name)));
        Ok(StringChunked::from_iter_options("event".into(), named).into_column())
    }
}

fn attrs_column(records: &[Record<'_>], decoded: &DataFrame) -> PolarsResult<Column> {
    let attrs = decoded.column("attrs")?;
    if records.iter().all(|record| record.note.is_none()) {
        return Ok(attrs.clone());
    }
    let told = attrs.str()?.iter().zip(records).map(|(attrs, record)| attrs.or(record.note));
    Ok(StringChunked::from_iter_options("attrs".into(), told).into_column())
}

/// Event time in microseconds, where one was read.
fn time(record: &Record<'_>, events: &EventBatch) -> Option<i64> {
    let ts_us = events.ts_us.get(record.event? as usize).copied();
    ts_us.filter(|ts_us| *ts_us != NO_TIME)
}

/// The columns that do not come from decoding.
struct Own<'a> {
    records: &'a [Record<'a>],
    times: &'a [Option<i64>],
    /// The bodies that are UTF-8.
    texts: &'a [Option<&'a str>],
    sane: &'a RangeInclusive<i64>,
    observed_us: i64,
}

impl Own<'_> {
    fn column(&self, name: &PlSmallStr) -> Option<Column> {
        let records = self.records;
        let name = name.clone();
        Some(match name.as_str() {
            "ts" => instants(name, self.times.iter().copied()),
            "observed_ts" => instants(name, records.iter().map(|_| Some(self.observed_us))),
            "body" => {
                StringChunked::from_iter_options(name, self.texts.iter().copied()).into_column()
            }
            "body_bin" => {
                let bodies = records.iter().zip(self.texts);
                let bytes = bodies.map(|(record, text)| record.body.filter(|_| text.is_none()));
                BinaryChunked::from_iter_options(name, bytes).into_column()
            }
            "flags" => {
                let flags = records.iter().zip(self.times).zip(self.texts);
                let flags = flags.map(|((record, ts_us), text)| {
                    let is_text = record.body.is_none() || text.is_some();
                    Some(self.flags(record, *ts_us, is_text))
                });
                Int32Chunked::from_iter_options(name, flags).into_column()
            }
            "_gen" => {
                // Mostly all are of one generation.
                let generations: Vec<GenerationId> = records.iter().map(|r| r.generation).collect();
                if let Some(first) = generations.first()
                    && generations.iter().all(|generation| generation == first)
                {
                    let text = PlSmallStr::from_string(first.to_string());
                    return Some(Column::new_scalar(name, text.into(), records.len()));
                }
                let names = generations.iter().map(|generation| Some(generation.to_string()));
                StringChunked::from_iter_options(name, names).into_column()
            }
            "_off" => longs(name, records.iter().map(|record| record.off)),
            "_len" => longs(name, records.iter().map(|record| record.len)),
            "_ord" => {
                let ords = records.iter().map(|record| Some(record.ord));
                Int32Chunked::from_iter_options(name, ords).into_column()
            }
            "_id" => {
                let ids = records.iter().map(|record| record.id);
                StringChunked::from_iter_options(name, ids).into_column()
            }
            "date" => {
                let days = self.times.iter().map(|ts| Some(self.day(*ts)));
                Int32Chunked::from_iter_options(name, days).into_date().into_column()
            }
            _ => return None,
        })
    }

    fn is_odd(&self, ts_us: Option<i64>) -> bool {
        ts_us.is_some_and(|ts_us| !self.sane.contains(&ts_us))
    }

    /// Day of the event, or of its reading where the event's own time cannot be meant.
    fn day(&self, ts_us: Option<i64>) -> i32 {
        let usable = ts_us.filter(|_| !self.is_odd(ts_us));
        usable.unwrap_or(self.observed_us).div_euclid(DAY_US) as i32
    }

    fn flags(&self, record: &Record<'_>, ts_us: Option<i64>, is_text: bool) -> i32 {
        let when = |holds: bool, flag: i32| if holds { flag } else { 0 };
        record.flags
            | when(record.event.is_none(), flag::UNPARSED)
            | when(self.is_odd(ts_us), flag::TIME_ODD)
            | when(!is_text, flag::INVALID_UTF8)
    }
}

fn instants(name: PlSmallStr, times: impl Iterator<Item = Option<i64>>) -> Column {
    Int64Chunked::from_iter_options(name, times)
        .into_datetime(TimeUnit::Microseconds, Some(TimeZone::UTC))
        .into_column()
}

fn longs(name: PlSmallStr, values: impl Iterator<Item = u64>) -> Column {
    let values = values.map(|value| i64::try_from(value).ok());
    Int64Chunked::from_iter_options(name, values).into_column()
}

#[cfg(test)]
mod tests {
    use super::{MAX_CHUNKS, Rows};
    use crate::store::tests::rows;

    #[test]
    fn records_of_ten_thousand_files_stay_in_few_chunks() {
        let mut all = Rows::default();
        for number in 0..10_000 {
            all.append(Rows(rows("a", number, number + 1))).unwrap();
        }
        assert_eq!(all.len(), 10_000);
        assert!(all.frame().max_n_chunks() <= MAX_CHUNKS + 1);
    }
}
