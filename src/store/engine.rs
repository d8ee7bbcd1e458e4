//! What the Delta library reads and writes with: plain files, synchronously, each write durable.
//!
//! Stands in for the library's default engine, which brings an asynchronous runtime and an
//! object store that does not synchronise local files. A failed write is also kept here as it
//! was, because the library turns it into text.

use std::fs;
use std::io::{Cursor, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use bytes::Bytes;
use delta_kernel::arrow::json::ReaderBuilder;
use delta_kernel::arrow::record_batch::RecordBatch;
use delta_kernel::engine::arrow_conversion::TryFromArrow as _;
use delta_kernel::engine::arrow_data::ArrowEngineData;
use delta_kernel::engine::arrow_expression::ArrowEvaluationHandler;
use delta_kernel::engine::arrow_utils::{
    RowIndexBuilder, build_json_reorder_indices, fixup_json_read, fixup_parquet_read,
    json_arrow_schema, ordering_needs_row_indexes, parquet_read_plan,
};
use delta_kernel::engine::{parse_json, reader_options, to_json_bytes, writer_options};
use delta_kernel::parquet::arrow::arrow_reader::{
    ArrowReaderMetadata, ParquetRecordBatchReaderBuilder,
};
use delta_kernel::parquet::arrow::arrow_writer::ArrowWriter;
use delta_kernel::schema::{SchemaRef, StructType};
use delta_kernel::{
    Engine, EngineData, EvaluationHandler, FileDataReadResultIterator, FileMeta, FileSize,
    FileSlice, FilteredEngineData, JsonHandler, KernelError, KernelResult, KernelResultIterator,
    KernelResultIteratorStatic, ParquetFooter, ParquetHandler, PredicateRef, StorageHandler,
};
use url::Url;

use super::disk::{Old, write_entry};
use super::entry;
use super::error::StoreError;

/// Rows that are read from a file of the log at a time.
type Batches = Box<dyn Iterator<Item = KernelResult<ArrowEngineData>> + Send>;

/// The engine, and the last write of it that failed.
#[derive(Default)]
pub(super) struct LocalEngine {
    files: Arc<LocalFiles>,
}

#[derive(Default)]
struct LocalFiles {
    failure: Mutex<Option<StoreError>>,
}

impl LocalEngine {
    /// The failure of the last write, once.
    pub(super) fn take_failure(&self) -> Option<StoreError> {
        self.files.failure.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

impl Engine for LocalEngine {
    fn evaluation_handler(&self) -> Arc<dyn EvaluationHandler> {
        Arc::new(ArrowEvaluationHandler)
    }

    fn storage_handler(&self) -> Arc<dyn StorageHandler> {
        self.files.clone()
    }

    fn json_handler(&self) -> Arc<dyn JsonHandler> {
        self.files.clone()
    }

    fn parquet_handler(&self) -> Arc<dyn ParquetHandler> {
        self.files.clone()
    }
}

impl LocalFiles {
    fn write(&self, url: &Url, bytes: &[u8], old: Old) -> KernelResult<()> {
        let path = local_path(url)?;
        match write_entry(&path, bytes, old) {
            Ok(true) => Ok(()),
            Ok(false) => Err(KernelError::FileAlreadyExists(url.to_string())),
            Err(failure) => {
                let text = failure.to_string();
                *self.failure.lock().unwrap_or_else(PoisonError::into_inner) = Some(failure);
                Err(KernelError::generic(text))
            }
        }
    }
}

impl StorageHandler for LocalFiles {
    fn list_from(&self, from: &Url) -> KernelResult<KernelResultIteratorStatic<FileMeta>> {
        let path = local_path(from)?;
        let is_directory = from.path().ends_with('/');
        let directory = if is_directory { &path } else { path.parent().unwrap_or(&path) };
        let mut found = Vec::new();
        let entries = match fs::read_dir(directory) {
            Ok(entries) => entries,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                return Ok(Box::new(std::iter::empty()));
            }
            Err(error) => return Err(error.into()),
        };
        for entry in entries {
            let entry = entry?;
            if entry.file_type()?.is_file() && (is_directory || entry.path() > path) {
                found.push(entry.path());
            }
        }
        found.sort_unstable();
        // A file may go while the directory is read, as when an old entry is cleaned up.
        let metas: Vec<_> = found.iter().filter_map(|path| file_meta(path).transpose()).collect();
        Ok(Box::new(metas.into_iter()))
    }

    fn read_files(&self, files: Vec<FileSlice>) -> KernelResult<KernelResultIteratorStatic<Bytes>> {
        Ok(Box::new(files.into_iter().map(|(url, range)| {
            let path = local_path(&url)?;
            let Some(range) = range else { return read_whole(&path) };
            let mut file = fs::File::open(&path)?;
            file.seek(SeekFrom::Start(range.start))?;
            let mut bytes = Vec::new();
            file.take(range.end.saturating_sub(range.start)).read_to_end(&mut bytes)?;
            Ok(bytes.into())
        })))
    }

    fn copy_atomic(&self, from: &Url, to: &Url) -> KernelResult<()> {
        let bytes = read_whole(&local_path(from)?)?;
        self.write(to, &bytes, Old::Stays)
    }

    fn put(&self, url: &Url, bytes: Bytes, overwrite: bool) -> KernelResult<()> {
        self.write(url, &bytes, if overwrite { Old::Goes } else { Old::Stays })
    }

    fn head(&self, url: &Url) -> KernelResult<FileMeta> {
        file_meta(&local_path(url)?)?.ok_or_else(|| KernelError::file_not_found(url))
    }

    fn delete(&self, url: &Url) -> KernelResult<()> {
        match fs::remove_file(local_path(url)?) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => Err(error.into()),
            _ => Ok(()),
        }
    }
}

impl JsonHandler for LocalFiles {
    fn parse_json(
        &self,
        json_strings: Box<dyn EngineData>,
        output_schema: SchemaRef,
    ) -> KernelResult<Box<dyn EngineData>> {
        parse_json(json_strings, output_schema)
    }

    fn read_json_files(
        &self,
        files: &[FileMeta],
        physical_schema: SchemaRef,
        _predicate: Option<PredicateRef>,
    ) -> KernelResult<FileDataReadResultIterator> {
        Ok(read_each(files, move |bytes, location| {
            let order = build_json_reorder_indices(&physical_schema)?;
            let batches = ReaderBuilder::new(Arc::new(json_arrow_schema(&physical_schema)?))
                .with_coerce_primitive(true)
                .build(Cursor::new(bytes))?;
            // The reader repeats its first error for ever.
            let mut is_over = false;
            let whole = batches.take_while(move |batch| {
                let goes_on = !is_over;
                is_over = batch.is_err();
                goes_on
            });
            Ok(Box::new(whole.map(move |batch| fixup_json_read(batch?, &order, &location))))
        }))
    }

    fn write_json_file(
        &self,
        url: &Url,
        actions: KernelResultIterator<'_, FilteredEngineData>,
        overwrite: bool,
    ) -> KernelResult<FileSize> {
        let mut bytes = to_json_bytes(actions)?;
        if entry::version_of(&local_path(url)?).is_some() {
            bytes = entry::seal(&bytes);
        }
        self.write(url, &bytes, if overwrite { Old::Goes } else { Old::Stays })?;
        Ok(bytes.len() as FileSize)
    }
}

impl ParquetHandler for LocalFiles {
    fn read_parquet_files(
        &self,
        files: &[FileMeta],
        physical_schema: SchemaRef,
        _predicate: Option<PredicateRef>,
    ) -> KernelResult<FileDataReadResultIterator> {
        Ok(read_each(files, move |bytes, location| {
            let schema = physical_schema.clone();
            let metadata = ArrowReaderMetadata::load(&bytes, reader_options())?;
            let (ordering, mask) = parquet_read_plan(&schema, &metadata)?;
            let mut row_indexes = ordering_needs_row_indexes(&ordering)
                .then(|| RowIndexBuilder::new(metadata.metadata().row_groups()).build())
                .transpose()?;
            let mut reader = ParquetRecordBatchReaderBuilder::new_with_metadata(bytes, metadata);
            if let Some(mask) = mask {
                reader = reader.with_projection(mask);
            }
            Ok(Box::new(reader.build()?.map(move |batch| {
                let indexes = row_indexes.as_mut();
                fixup_parquet_read(batch?, &ordering, indexes, Some(&location), Some(&schema))
            })))
        }))
    }

    fn write_parquet_file(
        &self,
        url: Url,
        mut batches: KernelResultIteratorStatic<Box<dyn EngineData>>,
    ) -> KernelResult<FileSize> {
        let first =
            batches.next().ok_or_else(|| KernelError::generic("a checkpoint of nothing"))?;
        let first = record_batch(first?)?;
        let mut bytes = Vec::new();
        let mut writer =
            ArrowWriter::try_new_with_options(&mut bytes, first.schema(), writer_options())?;
        writer.write(&first)?;
        for batch in batches {
            writer.write(&record_batch(batch?)?)?;
        }
        writer.close()?;
        self.write(&url, &bytes, Old::Goes)?;
        Ok(bytes.len() as FileSize)
    }

    fn read_parquet_footer(&self, file: &FileMeta) -> KernelResult<ParquetFooter> {
        let bytes = read_whole(&local_path(&file.location)?)?;
        let metadata = ArrowReaderMetadata::load(&bytes, reader_options())?;
        let schema = StructType::try_from_arrow(metadata.schema().as_ref())?;
        Ok(ParquetFooter { schema: Arc::new(schema) })
    }
}

/// Reads files one after the other; `open` turns the bytes of one into its batches.
fn read_each(
    files: &[FileMeta],
    open: impl Fn(Bytes, String) -> KernelResult<Batches> + Send + 'static,
) -> FileDataReadResultIterator {
    let files = files.to_vec();
    let read = files.into_iter().flat_map(move |file| -> Batches {
        let opened = local_path(&file.location)
            .and_then(|path| read_whole(&path))
            .and_then(|bytes| open(bytes, file.location.to_string()));
        opened.unwrap_or_else(|error| Box::new(std::iter::once(Err(error))))
    });
    Box::new(read.map(|batch| batch.map(|batch| Box::new(batch) as Box<dyn EngineData>)))
}

fn record_batch(batch: Box<dyn EngineData>) -> KernelResult<RecordBatch> {
    Ok((*ArrowEngineData::try_from_engine_data(batch)?).into())
}

fn local_path(url: &Url) -> KernelResult<PathBuf> {
    url.to_file_path().map_err(|()| KernelError::invalid_table_location(url))
}

fn read_whole(path: &Path) -> KernelResult<Bytes> {
    match fs::read(path) {
        Ok(bytes) => Ok(bytes.into()),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            Err(KernelError::file_not_found(path.display()))
        }
        Err(error) => Err(error.into()),
    }
}

fn file_meta(path: &Path) -> KernelResult<Option<FileMeta>> {
    let metadata = match fs::metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(error.into()),
    };
    let location = Url::from_file_path(path)
        .map_err(|()| KernelError::invalid_table_location(path.display()))?;
    let modified = metadata.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
    let last_modified = i64::try_from(modified.as_millis()).unwrap_or(i64::MAX);
    Ok(Some(FileMeta { location, last_modified, size: metadata.len() }))
}
