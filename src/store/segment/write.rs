//! Writing a segment: Parquet, hashed on its way, durable before it has its name.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use polars::io::parquet::write::BatchedWriter;
use polars::polars_utils::compression::ZstdLevel;
use polars::prelude::{
    ChunkAgg, Column, DataFrame, ParquetCompression, ParquetWriter, PlSmallStr, PolarsError,
    SortMultipleOptions, StatisticsOptions,
};
use uuid::Uuid;
use xxhash_rust::xxh3::Xxh3;

use super::super::disk::{create_private_subdirectory, create_temporary, sync_directory};
use super::super::error::StoreError;
use super::super::schema::{DATE, TS, segment_columns};
use super::super::steps::{Step, reach};
use super::{ROW_GROUP_ROWS, Segment, date_text};

/// Level of zstd while records come in: 3 takes 40 % more time and no less room.
pub(in crate::store) const FAST_LEVEL: i32 = 1;
/// Level of zstd for segments that stay: 6 % less room for three times the time.
pub(in crate::store) const DENSE_LEVEL: i32 = 6;
/// Bytes of a page, the unit that zstd sees; larger ones save nothing, smaller ones cost room.
const PAGE_BYTES: usize = 1 << 20;
/// Bytes that are gathered before they are written: the footer and the heads of pages come in
/// pieces of a few bytes, ten thousand a segment.
const BUFFER_BYTES: usize = 256 << 10;

/// Writes rows of one day, row group by row group.
///
/// Rows come in the order in which they are to stand. Without [`SegmentWriter::finish`] nothing
/// is left on the disk.
pub(in crate::store) struct SegmentWriter {
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
    pub(in crate::store) fn start(store: &Path, day: i32, level: i32) -> Result<Self, StoreError> {
        let date = date_text(day).ok_or_else(|| StoreError::Rows {
            path: store.to_owned(),
            reason: format!("day {day} is outside the calendar"),
        })?;
        let directory = store.join(format!("{DATE}={date}"));
        if !directory.is_dir() {
            // Not the store: if somebody removed it, rows without a log would be left behind.
            create_private_subdirectory(&directory)?;
            sync_directory(store)
                .map_err(|source| StoreError::Unsure { path: store.to_owned(), source })?;
        }
        let (temporary, file) = create_temporary(&directory)?;
        let hashed = HashedFile { file, hash: Xxh3::new(), bytes: 0, failure: None };
        let sink = Sink(Arc::new(Mutex::new(BufWriter::with_capacity(BUFFER_BYTES, hashed))));
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
    pub(in crate::store) fn push(&mut self, rows: &DataFrame) -> Result<(), StoreError> {
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
    pub(in crate::store) fn finish(self) -> Result<Segment, StoreError> {
        let written = self.parquet.finish().and_then(|_| Ok(self.sink.lock().flush()?));
        written.map_err(|error| self.failed(self.size_bytes, error))?;
        let (hash, bytes) = self.sink.sync(&self.temporary)?;
        let directory = self.temporary.parent().unwrap_or(&self.store);
        let name = format!("part-{}-{hash:016x}.parquet", Uuid::new_v4().simple());
        let path = directory.join(&name);
        fs::rename(&self.temporary, &path)
            .map_err(|source| StoreError::write(&self.temporary, bytes, source))?;
        reach(Step::SegmentDirectory)
            .and_then(|()| sync_directory(directory))
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
        match self.sink.lock().get_mut().failure.take() {
            Some(source) => StoreError::write(&self.temporary, needed_bytes, source),
            None => StoreError::rows(&self.store)(error),
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

/// Where a segment goes; shared, as the Parquet writer keeps its own.
#[derive(Clone)]
struct Sink(Arc<Mutex<BufWriter<HashedFile>>>);

impl Sink {
    fn lock(&self) -> MutexGuard<'_, BufWriter<HashedFile>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Makes the content, which was flushed, durable and gives its hash and size.
    fn sync(&self, path: &Path) -> Result<(u64, u64), StoreError> {
        let sink = self.lock();
        let hashed = sink.get_ref();
        reach(Step::SegmentSync)
            .and_then(|()| hashed.file.sync_all())
            .map_err(|source| StoreError::sync(path, hashed.bytes, source))?;
        Ok((hashed.hash.digest(), hashed.bytes))
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.lock().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.lock().flush()
    }
}

/// A file that hashes what is written to it.
struct HashedFile {
    file: File,
    hash: Xxh3,
    bytes: u64,
    /// The first write that failed; the Parquet writer turns it into text.
    failure: Option<io::Error>,
}

impl Write for HashedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = match reach(Step::SegmentWrite).and_then(|()| self.file.write(bytes)) {
            Ok(written) => written,
            Err(error) => {
                let kind = error.kind();
                self.failure = Some(error);
                return Err(kind.into());
            }
        };
        self.hash.update(bytes.get(..written).unwrap_or_default());
        self.bytes += written as u64;
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Rows with exactly the columns of a segment, sorted by time; absent columns become null.
pub(in crate::store) fn in_order(rows: &DataFrame, store: &Path) -> Result<DataFrame, StoreError> {
    let schema = segment_columns();
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
        .map(PlSmallStr::as_str)
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
pub(in crate::store) fn by_time(rows: DataFrame, store: &Path) -> Result<DataFrame, StoreError> {
    let ts = rows.column(TS).and_then(|ts| ts.to_physical_repr().i64().cloned());
    let is_sorted = ts.map_err(StoreError::rows(store))?.iter().is_sorted();
    if is_sorted {
        return Ok(rows);
    }
    let options = SortMultipleOptions::default().with_maintain_order(true);
    rows.sort([TS], options).map_err(StoreError::rows(store))
}
