//! The fixed columns of a stored record, once for Delta and once for polars.
//!
//! A new key in a log never changes these: it goes into `attrs`. `date` is the partition: it is a
//! column of every table that is read, and of no segment file.

use std::sync::Arc;

use delta_kernel::schema::{DataType as DeltaType, StructField, StructType};
use polars::prelude::{DataType, PlSmallStr, Schema, SchemaRef, TimeUnit, TimeZone};

/// Bits of the column `flags`: what is special about a record.
pub mod flag {
    /// The record is in no known format; `body` or `body_bin` holds it.
    pub const UNPARSED: i32 = 1;
    /// The record was longer than the limit; its beginning is kept.
    pub const TRUNCATED: i32 = 1 << 1;
    /// The record's time is too far off; `date` is that of `observed_ts`.
    pub const TIME_ODD: i32 = 1 << 2;
    /// A hole of NUL bytes stands in the source; nothing of it is kept but its place.
    pub const NUL_HOLE: i32 = 1 << 3;
    /// A document was deleted; the row says so.
    pub const TOMBSTONE: i32 = 1 << 4;
    /// The record's last byte is the end of its generation, without a line feed.
    pub const PARTIAL_LINE: i32 = 1 << 5;
    /// The record is not UTF-8; `body_bin` holds it exactly.
    pub const INVALID_UTF8: i32 = 1 << 6;
    /// The record was erased; only its place in the source is left.
    pub const ERASED: i32 = 1 << 7;
}

/// The partition column.
pub const DATE: &str = "date";
/// Event time.
pub(super) const TS: &str = "ts";

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Microseconds since the epoch, UTC.
    Time,
    /// UTF-8.
    Text,
    /// Bytes.
    Binary,
    /// 32 bits, signed.
    Int,
    /// 64 bits, signed.
    Long,
    /// 64-bit floating point.
    Double,
    /// Days since the epoch.
    Date,
}

/// Name and kind of every column, in the table's order; all are nullable.
pub(super) const COLUMNS: [(&str, Kind); 33] = [
    (TS, Kind::Time),
    ("observed_ts", Kind::Time),
    ("severity", Kind::Text),
    ("severity_number", Kind::Int),
    ("service", Kind::Text),
    ("host", Kind::Text),
    ("environment", Kind::Text),
    ("deployment", Kind::Text),
    ("version", Kind::Text),
    ("source", Kind::Text),
    ("event", Kind::Text),
    ("method", Kind::Text),
    ("route", Kind::Text),
    ("path", Kind::Text),
    ("status", Kind::Int),
    ("duration_ms", Kind::Double),
    ("trace_id", Kind::Text),
    ("span_id", Kind::Text),
    ("parent_span_id", Kind::Text),
    ("request_id", Kind::Text),
    ("user", Kind::Text),
    ("template", Kind::Text),
    ("message", Kind::Text),
    ("attrs", Kind::Text),
    ("body", Kind::Text),
    ("body_bin", Kind::Binary),
    ("flags", Kind::Int),
    ("_gen", Kind::Text),
    ("_off", Kind::Long),
    ("_len", Kind::Long),
    ("_ord", Kind::Int),
    ("_id", Kind::Text),
    (DATE, Kind::Date),
];

/// Columns that an erased row keeps: where the record was, and that it is gone.
pub(super) const KEPT_WHEN_ERASED: [&str; 7] =
    ["observed_ts", "source", "flags", "_gen", "_off", "_len", "_ord"];

impl Kind {
    fn in_delta(self) -> DeltaType {
        match self {
            Self::Time => DeltaType::TIMESTAMP,
            Self::Text => DeltaType::STRING,
            Self::Binary => DeltaType::BINARY,
            Self::Int => DeltaType::INTEGER,
            Self::Long => DeltaType::LONG,
            Self::Double => DeltaType::DOUBLE,
            Self::Date => DeltaType::DATE,
        }
    }

    fn in_polars(self) -> DataType {
        match self {
            Self::Time => DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)),
            Self::Text => DataType::String,
            Self::Binary => DataType::Binary,
            Self::Int => DataType::Int32,
            Self::Long => DataType::Int64,
            Self::Double => DataType::Float64,
            Self::Date => DataType::Date,
        }
    }
}

/// The columns as polars has them, `date` last.
pub fn columns() -> SchemaRef {
    Arc::new(polars_schema(&COLUMNS))
}

/// The columns of a segment file: all but the partition.
pub(super) fn segment_columns() -> Schema {
    let (_, in_file) = COLUMNS.split_last().unwrap_or((&(DATE, Kind::Date), &[]));
    polars_schema(in_file)
}

fn polars_schema(columns: &[(&'static str, Kind)]) -> Schema {
    columns.iter().map(|(name, kind)| (PlSmallStr::from_static(name), kind.in_polars())).collect()
}

/// The columns as the table's log has them.
pub(super) fn delta_schema() -> delta_kernel::KernelResult<Arc<StructType>> {
    let fields = COLUMNS.map(|(name, kind)| StructField::nullable(name, kind.in_delta()));
    StructType::try_new(fields).map(Arc::new)
}

#[cfg(test)]
mod tests {
    use super::{COLUMNS, KEPT_WHEN_ERASED, columns, delta_schema, flag, segment_columns};

    #[test]
    fn both_schemas_have_the_same_names_in_the_same_order() {
        let polars: Vec<String> = columns().iter_names().map(ToString::to_string).collect();
        let delta: Vec<String> =
            delta_schema().unwrap().fields().map(|field| field.name().clone()).collect();
        assert_eq!(polars, delta);
        assert_eq!(segment_columns().len() + 1, polars.len(), "only the partition is no column");
        assert!(!segment_columns().contains("date"));
        for name in KEPT_WHEN_ERASED {
            assert!(COLUMNS.iter().any(|(column, _)| *column == name), "{name}");
        }
    }

    #[test]
    fn each_flag_is_a_bit_of_its_own() {
        let all = [
            flag::UNPARSED,
            flag::TRUNCATED,
            flag::TIME_ODD,
            flag::NUL_HOLE,
            flag::TOMBSTONE,
            flag::PARTIAL_LINE,
            flag::INVALID_UTF8,
            flag::ERASED,
        ];
        assert_eq!(all.iter().fold(0, |sum, bit| sum | bit).count_ones() as usize, all.len());
    }
}
