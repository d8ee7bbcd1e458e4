//! Reading a segment: its hash first, then the rows and columns asked for.

use std::fs::File;
use std::io::{self, BufReader, Read};
use std::ops::{Range, RangeInclusive};
use std::path::Path;

use polars::prelude::{
    DataFrame, DataType, Expr, LazyFrame, ParquetReader, PlRefPath, PolarsError, ScanArgsParquet,
    SerReader, TimeUnit, TimeZone, col, lit,
};
use xxhash_rust::xxh3::Xxh3;

use super::super::error::StoreError;
use super::super::schema::{DATE, TS, segment_columns};
use super::{ROW_GROUP_ROWS, Segment};

/// Bytes of a file that are hashed at a time.
const READ_BYTES: usize = 1 << 20;

/// Checks a file's size and, where its name has one, its hash.
pub(in crate::store) fn check(store: &Path, segment: &Segment) -> Result<(), StoreError> {
    let path = store.join(&segment.path);
    let unusable = |reason: String| StoreError::Segment {
        path: path.clone(),
        reason,
        rows: segment.row_count,
    };
    let file = match File::open(&path) {
        Ok(file) => file,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            return Err(unusable("it is missing; if a compaction ran meanwhile, try again".into()));
        }
        Err(error) => return Err(unusable(format!("it cannot be opened: {error}"))),
    };
    let (mut hash, mut bytes) = (Xxh3::new(), 0);
    let mut reader = BufReader::new(file);
    let mut buffer = vec![0; READ_BYTES];
    loop {
        match reader.read(&mut buffer) {
            Ok(0) => break,
            Ok(read) => {
                hash.update(buffer.get(..read).unwrap_or_default());
                bytes += read as u64;
            }
            Err(error) => return Err(unusable(format!("it cannot be read: {error}"))),
        }
    }
    if bytes != segment.bytes {
        return Err(unusable(format!("it has {bytes} bytes, must have {}", segment.bytes)));
    }
    match segment.hash() {
        Some(expected) if expected != hash.digest() => {
            Err(unusable("its content is not what was written".to_owned()))
        }
        _ => Ok(()),
    }
}

/// The interval `[from, to)` with both bounds included, so that the last possible time has one.
pub(in crate::store) fn closed(from_us: i64, to_us: i64) -> RangeInclusive<i64> {
    #[expect(clippy::reversed_empty_ranges, reason = "an empty interval is meant")]
    to_us.checked_sub(1).map_or(1..=0, |last_us| from_us..=last_us)
}

/// The rows of a segment, those of the times only if there are any, lazily, with the partition.
pub(in crate::store) fn scan(
    store: &Path,
    segment: &Segment,
    times_us: Option<RangeInclusive<i64>>,
) -> Result<LazyFrame, StoreError> {
    let path = store.join(&segment.path);
    let unusable = |error: PolarsError| StoreError::Segment {
        path: path.clone(),
        reason: error.to_string(),
        rows: segment.row_count,
    };
    let mut file = File::open(&path).map_err(|error| unusable(error.into()))?;
    let row_count = ParquetReader::new(&mut file).num_rows().map_err(unusable)? as u64;
    if row_count != segment.row_count {
        return Err(StoreError::Segment {
            path,
            reason: format!("it has {row_count} rows, must have {}", segment.row_count),
            rows: segment.row_count,
        });
    }
    let arguments = ScanArgsParquet { glob: false, ..ScanArgsParquet::default() };
    let text = path.to_string_lossy();
    let rows =
        LazyFrame::scan_parquet(PlRefPath::new(text.as_ref()), arguments).map_err(unusable)?;
    let rows = match times_us {
        Some(times_us) => {
            let (from, to) = (time(*times_us.start()), time(*times_us.end()));
            rows.filter(col(TS).gt_eq(from).and(col(TS).lt_eq(to)))
        }
        None => rows,
    };
    Ok(rows.with_column(lit(segment.day).cast(DataType::Date).alias(DATE)))
}

/// A time as the column `ts` has it.
fn time(us: i64) -> Expr {
    lit(us).cast(DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)))
}

/// As [`scan`], but at once and only the columns named.
pub(in crate::store) fn read(
    store: &Path,
    segment: &Segment,
    columns: &[&str],
    times_us: Option<RangeInclusive<i64>>,
) -> Result<DataFrame, StoreError> {
    let wanted: Vec<Expr> = columns.iter().map(|name| col(*name)).collect();
    collect(scan(store, segment, times_us)?.select(wanted), store, segment)
}

/// At most [`ROW_GROUP_ROWS`] rows of a segment from `start` on, only the columns named.
pub(in crate::store) fn read_part(
    store: &Path,
    segment: &Segment,
    columns: &[&str],
    start: usize,
) -> Result<DataFrame, StoreError> {
    read_rows(store, segment, columns, start..start + ROW_GROUP_ROWS)
}

/// The rows of a segment at these places, only the columns named.
pub(in crate::store) fn read_rows(
    store: &Path,
    segment: &Segment,
    columns: &[&str],
    rows: Range<usize>,
) -> Result<DataFrame, StoreError> {
    let wanted: Vec<Expr> = columns.iter().map(|name| col(*name)).collect();
    let part = scan(store, segment, None)?.slice(rows.start as i64, rows.len() as u32);
    collect(part.select(wanted), store, segment)
}

/// The rows of a segment that have no time.
pub(in crate::store) fn read_untimed(
    store: &Path,
    segment: &Segment,
) -> Result<DataFrame, StoreError> {
    let wanted: Vec<Expr> = segment_columns().iter_names().map(|name| col(name.clone())).collect();
    let untimed = scan(store, segment, None)?.filter(col(TS).is_null());
    collect(untimed.select(wanted), store, segment)
}

fn collect(rows: LazyFrame, store: &Path, segment: &Segment) -> Result<DataFrame, StoreError> {
    rows.collect().map_err(|error| StoreError::Segment {
        path: store.join(&segment.path),
        reason: error.to_string(),
        rows: segment.row_count,
    })
}
