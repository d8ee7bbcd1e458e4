//! One published Parquet file: how it is written, named, checked and read.
//!
//! The name carries a hash of the content, `date=2026-11-22/part-<uuid>-<hash>.parquet`, so that
//! any damage shows, also in columns a query does not read, and a file of another writer that
//! took its place as well. A file is never changed once it has its name.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use jiff::Timestamp;
use jiff::civil::Date;
use polars::io::parquet::write::BatchedWriter;
use polars::prelude::{
    ChunkAgg, Column, DataFrame, DataType, Expr, LazyFrame, ParquetCompression, ParquetReader,
    ParquetWriter, PlRefPath, PolarsError, ScanArgsParquet, Schema, SerReader,
    SortMultipleOptions, StatisticsOptions, TimeUnit, TimeZone, col, lit,
};
use polars::polars_utils::compression::ZstdLevel;
use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

use super::disk::{create_private_directory, create_temporary, sync_directory};
use super::error::StoreError;
use super::schema::{DATE, TS, segment_columns};
use super::steps::{Step, reach};

/// Level of zstd while records come in: 3 takes 40 % more time and no less room.
pub(super) const FAST_LEVEL: i32 = 1;
/// Level of zstd for segments that stay: 6 % less room for three times the time.
pub(super) const DENSE_LEVEL: i32 = 6;
/// Rows of a row group: the unit that a query by time reads.
pub const ROW_GROUP_ROWS: usize = 128 << 10;
/// Bytes of a page, the unit that zstd sees; larger ones save nothing, smaller ones cost room.
const PAGE_BYTES: usize = 1 << 20;
/// Bytes of a file that are hashed at a time.
const READ_BYTES: usize = 1 << 20;
/// Microseconds of a day.
const DAY_US: i64 = 86_400_000_000;

/// A segment as the table's log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Path inside the store.
    pub path: String,
    /// The partition, days since the epoch.
    pub day: i32,
    /// How many rows it has.
    pub row_count: u64,
    /// Size of the file, bytes.
    pub bytes: u64,
    /// No event time is earlier, microseconds since the epoch; `None` when it is not known.
    pub ts_min_us: Option<i64>,
    /// No event time is later, microseconds since the epoch; `None` when it is not known.
    pub ts_max_us: Option<i64>,
    /// When the file was written, milliseconds since the epoch.
    pub written_ms: i64,
}

impl Segment {
    /// Whether a row of it may lie in `[from, to)`; rows without a time lie in no interval.
    pub fn may_meet(&self, from_us: i64, to_us: i64) -> bool {
        self.ts_min_us.is_none_or(|min| min < to_us) && self.ts_max_us.is_none_or(|max| max >= from_us)
    }

    /// The latest event time, or the end of its day, microseconds since the epoch.
    pub(super) fn end_us(&self) -> i64 {
        self.ts_max_us.unwrap_or_else(|| (i64::from(self.day) + 1).saturating_mul(DAY_US))
    }

    /// The hash its name says.
    fn hash(&self) -> Option<u64> {
        let name = self.path.rsplit('/').next()?;
        is_our_name(name).then(|| u64::from_str_radix(name.get(38..54)?, 16).ok())?
    }
}

/// Whether a file was named by [`SegmentWriter`].
pub(super) fn is_our_name(name: &str) -> bool {
    let Some(stem) = name.strip_prefix("part-").and_then(|rest| rest.strip_suffix(".parquet"))
    else {
        return false;
    };
    let is_hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    matches!(stem.split_once('-'), Some((id, hash))
        if id.len() == 32 && hash.len() == 16 && is_hex(id) && is_hex(hash))
}

/// The text of a day, as the partition's directory has it; `None` outside the calendar.
pub(super) fn date_text(day: i32) -> Option<String> {
    let epoch = Date::constant(1970, 1, 1);
    let date = epoch.checked_add(jiff::Span::new().try_days(day).ok()?).ok()?;
    (date.year() >= 0).then(|| date.to_string())
}

/// The day of a text as [`date_text`] writes it.
pub(super) fn day_of(date: &str) -> Option<i32> {
    let date: Date = date.parse().ok()?;
    Some(date.since(Date::constant(1970, 1, 1)).ok()?.get_days())
}

/// A time as the log's statistics have it, or `None` outside the years they can hold.
pub(super) fn time_text(us: i64) -> Option<String> {
    let time = Timestamp::from_microsecond(us).ok()?;
    let text = format!("{time:.6}");
    (text.len() == "2026-11-22T00:00:00.000000Z".len()).then_some(text)
}

/// The time of a text of the log's statistics.
pub(super) fn time_of(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_microsecond)
}

/// Writes rows of one day, row group by row group.
///
/// Rows come in the order in which they are to stand. Without [`SegmentWriter::finish`] nothing
/// is left on the disk.
pub(super) struct SegmentWriter {
    store: PathBuf,
    day: i32,
    temporary: PathBuf,
    parquet: BatchedWriter<Sink>,
    sink: Sink,
    row_count: u64,
    size_bytes: u64,
    ts_min_us: Option<i64>,
    ts_max_us: Option<i64>,
}

impl SegmentWriter {
    /// A temporary file in the directory of the day.
    pub(super) fn start(store: &Path, day: i32, level: i32) -> Result<Self, StoreError> {
        let date = date_text(day).ok_or_else(|| StoreError::Rows {
            path: store.to_owned(),
            reason: format!("day {day} is outside the calendar"),
        })?;
        let directory = store.join(format!("{DATE}={date}"));
        create_private_directory(&directory)?;
        let (temporary, file) = create_temporary(&directory)?;
        let sink = Sink(Arc::new(Mutex::new(HashedFile { file, hash: Xxh3::new(), bytes: 0 })));
        let parquet = ParquetWriter::new(sink.clone())
            .with_compression(ParquetCompression::Zstd(ZstdLevel::try_new(level).ok()))
            .with_statistics(StatisticsOptions {
                distinct_count: false,
                ..StatisticsOptions::default()
            })
            .with_data_page_size(Some(PAGE_BYTES))
            .batched(&segment_columns());
        Ok(Self {
            store: store.to_owned(),
            day,
            temporary,
            parquet: parquet.map_err(StoreError::rows(store))?,
            sink,
            row_count: 0,
            size_bytes: 0,
            ts_min_us: None,
            ts_max_us: None,
        })
    }

    /// Writes rows that have the columns of [`segment_columns`] in their order.
    pub(super) fn push(&mut self, rows: &DataFrame) -> Result<(), StoreError> {
        let in_memory_bytes = rows.estimated_size() as u64;
        for start in (0..rows.height()).step_by(ROW_GROUP_ROWS) {
            let mut group = rows.slice(start as i64, ROW_GROUP_ROWS);
            group.rechunk_mut();
            let written = self.parquet.write_batch(&group);
            written.map_err(|error| self.failed(in_memory_bytes, error))?;
            self.row_count += group.height() as u64;
        }
        let ts = rows.column(TS).and_then(|ts| ts.to_physical_repr().i64().cloned());
        let ts = ts.map_err(StoreError::rows(&self.store))?;
        self.ts_min_us = self.ts_min_us.into_iter().chain(ts.min()).min();
        self.ts_max_us = self.ts_max_us.into_iter().chain(ts.max()).max();
        self.size_bytes = self.size_bytes.max(in_memory_bytes);
        Ok(())
    }

    /// Makes the file durable under its final name; it is in no log yet.
    pub(super) fn finish(self) -> Result<Segment, StoreError> {
        self.parquet.finish().map_err(|error| self.failed(self.size_bytes, error))?;
        let (hash, bytes) = self.sink.sync(&self.temporary)?;
        let directory = self.temporary.parent().unwrap_or(&self.store);
        let name = format!("part-{}-{hash:016x}.parquet", Uuid::new_v4().simple());
        let path = directory.join(&name);
        fs::rename(&self.temporary, &path).map_err(StoreError::disk("rename", &self.temporary))?;
        reach(Step::SegmentDirectory)
            .and_then(|()| sync_directory(directory))
            .and_then(|()| sync_directory(&self.store))
            .map_err(|source| StoreError::Unsure { path: directory.to_owned(), source })?;
        Ok(Segment {
            path: format!("{DATE}={}/{name}", date_text(self.day).unwrap_or_default()),
            day: self.day,
            row_count: self.row_count,
            bytes,
            ts_min_us: self.ts_min_us,
            ts_max_us: self.ts_max_us,
            written_ms: modified_ms(&path)?,
        })
    }

    fn failed(&self, needed_bytes: u64, error: PolarsError) -> StoreError {
        match error {
            PolarsError::IO { error, .. } => {
                let source = io::Error::new(error.kind(), error.to_string());
                StoreError::write(&self.temporary, needed_bytes, source)
            }
            other => StoreError::rows(&self.store)(other),
        }
    }
}

impl Drop for SegmentWriter {
    fn drop(&mut self) {
        // Gone already after a rename; what stays after a crash is swept as an orphan.
        let _ = fs::remove_file(&self.temporary);
    }
}

fn modified_ms(path: &Path) -> Result<i64, StoreError> {
    let modified = fs::metadata(path)
        .and_then(|metadata| metadata.modified())
        .map_err(StoreError::disk("read", path))?;
    let since = modified.duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
    Ok(i64::try_from(since.as_millis()).unwrap_or(i64::MAX))
}

/// A file that hashes what is written to it; shared, as the Parquet writer keeps its own.
#[derive(Clone)]
struct Sink(Arc<Mutex<HashedFile>>);

impl Sink {
    fn lock(&self) -> MutexGuard<'_, HashedFile> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the content durable and gives its hash and size.
    fn sync(&self, path: &Path) -> Result<(u64, u64), StoreError> {
        let hashed = self.lock();
        reach(Step::SegmentSync)
            .and_then(|()| hashed.file.sync_all())
            .map_err(|source| StoreError::sync(path, hashed.bytes, source))?;
        Ok((hashed.hash.digest(), hashed.bytes))
    }
}

struct HashedFile {
    file: File,
    hash: Xxh3,
    bytes: u64,
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        reach(Step::SegmentWrite)?;
        let hashed = &mut *self.lock();
        let written = hashed.file.write(bytes)?;
        hashed.hash.update(bytes.get(..written).unwrap_or_default());
        hashed.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lock().file.flush()
    }
}

/// Rows with exactly the columns of a segment, sorted by time; absent columns become null.
pub(super) fn in_order(rows: &DataFrame, store: &Path) -> Result<DataFrame, StoreError> {
    let schema: Schema = segment_columns();
    let mut columns = Vec::with_capacity(schema.len());
    for (name, dtype) in schema.iter() {
        match rows.column(name) {
            Ok(column) if column.dtype() == dtype => columns.push(column.clone()),
            Ok(column) => {
                return Err(StoreError::Column {
                    column: name.to_string(),
                    got: column.dtype().to_string(),
                    need: dtype.to_string(),
                });
            }
            Err(_) => columns.push(Column::full_null(name.clone(), rows.height(), dtype)),
        }
    }
    let unknown: BTreeSet<&str> = rows
        .get_column_names()
        .into_iter()
        .map(|name| name.as_str())
        .filter(|name| *name != DATE && !schema.contains(name))
        .collect();
    if let Some(name) = unknown.first() {
        return Err(StoreError::Column {
            column: (*name).to_owned(),
            got: "not a column of the store".to_owned(),
            need: "one of them".to_owned(),
        });
    }
    let ordered = DataFrame::new(rows.height(), columns).map_err(StoreError::rows(store))?;
    by_time(ordered, store)
}

/// Rows in the order of their time, those without one first; equal times keep their order.
pub(super) fn by_time(rows: DataFrame, store: &Path) -> Result<DataFrame, StoreError> {
    let ts = rows.column(TS).and_then(|ts| ts.to_physical_repr().i64().cloned());
    let is_sorted = ts.map_err(StoreError::rows(store))?.iter().is_sorted();
    if is_sorted {
        return Ok(rows);
    }
    let options = SortMultipleOptions::default().with_maintain_order(true);
    rows.sort([TS], options).map_err(StoreError::rows(store))
}

/// Checks a file's size and, where its name has one, its hash.
pub(super) fn check(store: &Path, segment: &Segment) -> Result<(), StoreError> {
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

/// The rows of a segment that lie in the interval `[from, to)`, lazily, with the partition.
pub(super) fn scan(
    store: &Path,
    segment: &Segment,
    between_us: Option<(i64, i64)>,
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
    let rows = LazyFrame::scan_parquet(PlRefPath::new(text.as_ref()), arguments).map_err(unusable)?;
    let rows = match between_us {
        Some((from_us, to_us)) => {
            rows.filter(col(TS).gt_eq(time(from_us)).and(col(TS).lt(time(to_us))))
        }
        None => rows,
    };
    Ok(rows.with_column(lit(segment.day).cast(DataType::Date).alias(DATE)))
}

/// A time as the column `ts` has it.
fn time(us: i64) -> Expr {
    lit(us).cast(DataType::Datetime(TimeUnit::Microseconds, Some(TimeZone::UTC)))
}

/// The rows of a segment, only the columns named, in the interval if there is one.
pub(super) fn read(
    store: &Path,
    segment: &Segment,
    columns: &[&str],
    between_us: Option<(i64, i64)>,
) -> Result<DataFrame, StoreError> {
    let wanted: Vec<Expr> = columns.iter().map(|name| col(*name)).collect();
    collect(scan(store, segment, between_us)?.select(wanted), store, segment)
}

/// At most [`ROW_GROUP_ROWS`] rows of a segment from `start` on, only the columns named.
pub(super) fn read_part(
    store: &Path,
    segment: &Segment,
    columns: &[&str],
    start: usize,
) -> Result<DataFrame, StoreError> {
    let wanted: Vec<Expr> = columns.iter().map(|name| col(*name)).collect();
    let part = scan(store, segment, None)?.slice(start as i64, ROW_GROUP_ROWS as u32);
    collect(part.select(wanted), store, segment)
}

/// The rows of a segment that have no time.
pub(super) fn read_untimed(store: &Path, segment: &Segment) -> Result<DataFrame, StoreError> {
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
