//! Makes one frame of one batch.

use std::collections::BTreeMap;

use polars::prelude::{
    BooleanChunked, ChunkFull, ChunkTake, Column as Series, DataFrame, DataType, Float64Chunked,
    IdxCa, Int32Chunked, Int64Chunked, IntoColumn, NewChunkedArray, PlSmallStr, PolarsResult,
    Schema, SchemaRef, StringChunked, StringChunkedBuilder, TimeUnit,
};

use crate::model::{EventBatch, LabelColumn, NO_STATUS, NO_TIME, Severity, TextColumn};

use super::column::{Column, Extra, ValueType};

const MICROS_PER_MS: i64 = 1_000;
const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Values that were not of the type their field had in the sample, by field path; they are
/// missing in the frame.
pub(crate) type Mistyped = BTreeMap<String, u64>;

/// Turns batches into frames of one schema.
#[derive(Debug)]
pub(crate) struct FrameBuilder {
    columns: Vec<Column>,
    source: String,
    mistyped: Mistyped,
}

impl FrameBuilder {
    /// Frames will have these columns, in this order.
    pub(crate) fn new(columns: Vec<Column>) -> Self {
        Self { columns, source: String::new(), mistyped: Mistyped::new() }
    }

    /// Sets what `source` says for the batches that follow.
    pub(crate) fn set_source(&mut self, name: &str) {
        name.clone_into(&mut self.source);
    }

    /// The schema of every frame.
    pub(crate) fn schema(&self) -> SchemaRef {
        self.columns.iter().map(Column::field).collect::<Schema>().into()
    }

    /// Values counted as missing because of their type.
    pub(crate) fn into_mistyped(self) -> Mistyped {
        self.mistyped
    }

    /// The frame of a batch.
    ///
    /// # Errors
    /// When the batch lacks a wanted column: its length differs from the others.
    pub(crate) fn frame(&mut self, batch: &EventBatch) -> PolarsResult<DataFrame> {
        let columns = std::mem::take(&mut self.columns);
        let series: PolarsResult<Vec<_>> =
            columns.iter().map(|column| self.series(column, batch)).collect();
        self.columns = columns;
        DataFrame::new(batch.len, series?)
    }

    fn series(&mut self, column: &Column, batch: &EventBatch) -> PolarsResult<Series> {
        let name = PlSmallStr::from_str(column.name());
        Ok(match column {
            Column::Ts => {
                Int64Chunked::from_iter_options(name, batch.ts_us.iter().copied().map(known))
                    .into_datetime(TimeUnit::Microseconds, None)
                    .into_column()
            }
            Column::TsMs => times(name, batch, |us| us.div_euclid(MICROS_PER_MS)).into_column(),
            Column::Date => {
                let days = batch.ts_us.iter().map(|us| {
                    known(*us).and_then(|us| i32::try_from(us.div_euclid(MICROS_PER_DAY)).ok())
                });
                Int32Chunked::from_iter_options(name, days).into_date().into_column()
            }
            Column::Severity => severities(name, &batch.severity).into_column(),
            Column::SeverityNumber => {
                let numbers = batch.severity.iter().map(|severity| {
                    Some(i64::from(severity.number())).filter(|number| *number != 0)
                });
                Int64Chunked::from_iter_options(name, numbers).into_column()
            }
            Column::Status => statuses(name, &batch.status).into_column(),
            Column::DurationMs => durations(name, &batch.duration_ms).into_column(),
            Column::Source => {
                Series::new_scalar(name, PlSmallStr::from_str(&self.source).into(), batch.len)
            }
            Column::Offset => {
                let offsets = batch.offset.iter().map(|offset| i64::try_from(*offset).ok());
                Int64Chunked::from_iter_options(name, offsets).into_column()
            }
            Column::Label(label) => labels(name, batch.label(*label))?.into_column(),
            Column::Text(text) => texts(name, batch.text(*text)).into_column(),
            Column::Extra(extra) => self.extra(name, extra, batch),
            Column::Row => BooleanChunked::full(name, true, batch.len).into_column(),
        })
    }

    fn extra(&mut self, name: PlSmallStr, extra: &Extra, batch: &EventBatch) -> Series {
        let Some(values) = batch.extras.get(extra.index) else {
            return Series::full_null(name, batch.len, &column_type(extra));
        };
        let mut mistyped = 0;
        let series = match extra.value_type {
            ValueType::Text => texts(name, values).into_column(),
            ValueType::Number => {
                let parsed = parse(values, number, &mut mistyped);
                Float64Chunked::from_iter_options(name, parsed).into_column()
            }
            ValueType::Integer => {
                let parsed = parse(values, integer, &mut mistyped);
                Int64Chunked::from_iter_options(name, parsed).into_column()
            }
            ValueType::Bool => {
                let parsed = parse(values, boolean, &mut mistyped);
                BooleanChunked::from_iter_options(name, parsed).into_column()
            }
        };
        if mistyped > 0 {
            *self.mistyped.entry(extra.path.clone()).or_default() += mistyped;
        }
        series
    }
}

fn column_type(extra: &Extra) -> DataType {
    Column::Extra(extra.clone()).field().dtype
}

fn known(us: i64) -> Option<i64> {
    Some(us).filter(|us| *us != NO_TIME)
}

// Columns without a missing value are copied without a validity mask: it is the usual case of
// the widest columns and half their cost.
fn times(name: PlSmallStr, batch: &EventBatch, scale: impl Fn(i64) -> i64) -> Int64Chunked {
    if batch.ts_us.contains(&NO_TIME) {
        let scaled = batch.ts_us.iter().map(|us| known(*us).map(&scale));
        return Int64Chunked::from_iter_options(name, scaled);
    }
    let scaled: Vec<i64> = batch.ts_us.iter().map(|us| scale(*us)).collect();
    Int64Chunked::from_vec(name, scaled)
}

fn statuses(name: PlSmallStr, status: &[i32]) -> Int64Chunked {
    if status.contains(&NO_STATUS) {
        let known = |status: &i32| Some(i64::from(*status)).filter(|_| *status != NO_STATUS);
        return Int64Chunked::from_iter_options(name, status.iter().map(known));
    }
    Int64Chunked::from_vec(name, status.iter().map(|status| i64::from(*status)).collect())
}

fn durations(name: PlSmallStr, duration_ms: &[f64]) -> Float64Chunked {
    if duration_ms.iter().any(|ms| ms.is_nan()) {
        let known = duration_ms.iter().map(|ms| Some(*ms).filter(|ms| !ms.is_nan()));
        return Float64Chunked::from_iter_options(name, known);
    }
    Float64Chunked::from_slice(name, duration_ms)
}

fn severities(name: PlSmallStr, severity: &[Severity]) -> StringChunked {
    let texts = severity.iter().map(|s| Some(s.as_str()).filter(|text| !text.is_empty()));
    StringChunked::from_iter_options(name, texts)
}

/// Gathers the dictionary: each row is a 16-byte view of a text stored once.
fn labels(name: PlSmallStr, column: &LabelColumn) -> PolarsResult<StringChunked> {
    let names = column.names().iter().map(AsRef::<str>::as_ref);
    let dictionary = StringChunked::from_iter_values(name, names);
    let count = dictionary.len() as u32;
    // An unknown code is a missing value, and `take` must not see it.
    let rows = if column.codes().iter().all(|code| *code < count) {
        IdxCa::from_slice(PlSmallStr::EMPTY, column.codes())
    } else {
        let codes = column.codes().iter().map(|code| Some(*code).filter(|code| *code < count));
        IdxCa::from_iter_options(PlSmallStr::EMPTY, codes)
    };
    dictionary.take(&rows)
}

fn texts(name: PlSmallStr, column: &TextColumn) -> StringChunked {
    let mut builder = StringChunkedBuilder::new(name, column.len());
    column.iter().for_each(|text| builder.append_option(text));
    builder.finish()
}

fn parse<'a, T>(
    column: &'a TextColumn,
    parse_one: impl Fn(&str) -> Option<T> + 'a,
    mistyped: &'a mut u64,
) -> impl Iterator<Item = Option<T>> + 'a {
    column.iter().map(move |text| {
        let text = text?;
        let value = parse_one(text);
        *mistyped += u64::from(value.is_none());
        value
    })
}

fn number(text: &str) -> Option<f64> {
    fast_float2::parse(text).ok().filter(|value: &f64| value.is_finite())
}

/// A whole number, also when it is written `12.0` or `1e3`.
fn integer(text: &str) -> Option<i64> {
    /// Beyond it an f64 no longer tells whole numbers apart.
    const EXACT: f64 = 9_007_199_254_740_992.0;
    text.parse().ok().or_else(|| {
        number(text).filter(|value| value.fract() == 0.0 && value.abs() <= EXACT).map(|v| v as i64)
    })
}

fn boolean(text: &str) -> Option<bool> {
    match text {
        "true" | "True" | "TRUE" => Some(true),
        "false" | "False" | "FALSE" => Some(false),
        _ => None,
    }
}

#[cfg(test)]
mod tests;
