//! Frames of a running query: in memory up to a budget, then in temporary Parquet files.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use polars::prelude::{
    DataFrame, IntoLazy, LazyFrame, ParquetCompression, ParquetWriter, PlRefPath, PolarsError,
    ScanArgsParquet, SchemaRef, StatisticsOptions, UnionArgs, concat,
};
use tempfile::TempDir;

/// Size of frames, in memory, that share a file.
const FILE_BYTES: usize = 32 << 20;

/// Why frames could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// The directory for temporary files could not be made.
    #[error("cannot create a temporary directory in `{}`", path.display())]
    Directory {
        /// Where it was to be.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A temporary file could not be made.
    #[error("cannot create the temporary file `{}`", path.display())]
    Create {
        /// The file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// A temporary file could not be written, as when the disk is full.
    #[error("cannot write the temporary file `{}`: {message}", path.display())]
    Write {
        /// The file.
        path: PathBuf,
        /// What went wrong.
        message: String,
    },
    /// The temporary files would take more than their share of the disk.
    #[error("the rows of the query take more than {max_bytes} bytes of temporary files")]
    TooMuch {
        /// The limit.
        max_bytes: u64,
    },
    /// A batch and the columns asked for do not fit together.
    #[error("cannot make columns of a batch: {message}")]
    Build {
        /// What went wrong.
        message: String,
    },
}

/// Temporary files of one query, in a directory that only the user can read.
///
/// The directory goes with the value, or at once by [`SpillSpace::remove`].
#[derive(Debug)]
pub(crate) struct SpillSpace {
    directory: Mutex<Option<TempDir>>,
    file_count: AtomicU64,
    bytes: AtomicU64,
    max_bytes: u64,
}

impl SpillSpace {
    /// No directory yet; one is made for the first file.
    pub(crate) fn new(max_bytes: u64) -> Self {
        Self {
            directory: Mutex::new(None),
            file_count: AtomicU64::new(0),
            bytes: AtomicU64::new(0),
            max_bytes,
        }
    }

    /// Removes the files, also while an abandoned query still reads them.
    pub(crate) fn remove(&self) {
        drop(self.directory.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// An empty file for `bytes`, to be written and read.
    pub(crate) fn file(&self, bytes: u64) -> Result<File, FrameError> {
        self.count(bytes)?;
        self.create().map(|(_, file)| file)
    }

    fn create(&self) -> Result<(PathBuf, File), FrameError> {
        let mut directory = self.directory.lock().unwrap_or_else(PoisonError::into_inner);
        let made = match directory.take() {
            Some(made) => made,
            None => private_directory()?,
        };
        let number = self.file_count.fetch_add(1, Ordering::Relaxed);
        let path = directory.insert(made).path().join(format!("{number}.parquet"));
        match File::options().read(true).write(true).create_new(true).open(&path) {
            Ok(file) => Ok((path, file)),
            Err(source) => Err(FrameError::Create { path, source }),
        }
    }

    fn count(&self, bytes: u64) -> Result<(), FrameError> {
        let total = self.bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if total > self.max_bytes {
            return Err(FrameError::TooMuch { max_bytes: self.max_bytes });
        }
        Ok(())
    }
}

/// Frames of one schema, scanned as one table.
#[derive(Debug)]
pub(crate) struct Frames {
    schema: SchemaRef,
    in_memory: Vec<DataFrame>,
    in_memory_bytes: usize,
    budget_bytes: usize,
    files: Vec<PathBuf>,
    space: Arc<SpillSpace>,
}

impl Frames {
    /// No frames yet; frames beyond `budget_bytes` go to files.
    pub(crate) fn new(schema: SchemaRef, budget_bytes: usize, space: Arc<SpillSpace>) -> Self {
        Self {
            schema,
            in_memory: Vec::new(),
            in_memory_bytes: 0,
            budget_bytes,
            files: Vec::new(),
            space,
        }
    }

    /// No frames, of the same schema and with the same room for files.
    pub(crate) fn empty(&self, budget_bytes: usize) -> Self {
        Self::new(self.schema.clone(), budget_bytes, Arc::clone(&self.space))
    }

    /// Keeps a frame.
    pub(crate) fn push(&mut self, frame: DataFrame) -> Result<(), FrameError> {
        if frame.height() == 0 {
            return Ok(());
        }
        self.in_memory_bytes += frame.estimated_size();
        self.in_memory.push(frame);
        if self.in_memory_bytes > self.budget_bytes { self.spill() } else { Ok(()) }
    }

    /// Whether some frames are in files.
    pub(crate) fn has_spilled(&self) -> bool {
        !self.files.is_empty()
    }

    /// All frames as one table, in the order they came.
    pub(crate) fn scan(&self) -> Result<LazyFrame, PolarsError> {
        let mut parts = Vec::with_capacity(self.files.len() + self.in_memory.len());
        for file in &self.files {
            parts.push(self.scan_file(file)?);
        }
        parts.extend(self.in_memory.iter().map(|frame| frame.clone().lazy()));
        if parts.is_empty() {
            return Ok(DataFrame::empty_with_schema(&self.schema).lazy());
        }
        concat(parts, UnionArgs { maintain_order: true, ..Default::default() })
    }

    /// The frames one after the other, in the order they came; each file is one.
    pub(crate) fn drain(mut self) -> impl Iterator<Item = Result<DataFrame, PolarsError>> {
        let files = std::mem::take(&mut self.files);
        let in_memory = std::mem::take(&mut self.in_memory);
        let from_files = files.into_iter().map(move |file| {
            let frame = self.scan_file(&file)?.collect();
            // Its space is wanted; a file that stays goes with the directory.
            let _ = std::fs::remove_file(&file);
            frame
        });
        from_files.chain(in_memory.into_iter().map(Ok))
    }

    fn scan_file(&self, file: &Path) -> Result<LazyFrame, PolarsError> {
        let args = ScanArgsParquet {
            glob: false,
            cache: false,
            use_statistics: false,
            schema: Some(self.schema.clone()),
            ..Default::default()
        };
        LazyFrame::scan_parquet(PlRefPath::try_from_path(file)?, args)
    }

    /// Moves all frames to files small enough to be read back one at a time.
    fn spill(&mut self) -> Result<(), FrameError> {
        let mut batch = Vec::new();
        let mut batch_bytes = 0;
        for frame in std::mem::take(&mut self.in_memory) {
            batch_bytes += frame.estimated_size();
            batch.push(frame);
            if batch_bytes > FILE_BYTES {
                self.write(&batch)?;
                batch.clear();
                batch_bytes = 0;
            }
        }
        if !batch.is_empty() {
            self.write(&batch)?;
        }
        self.in_memory_bytes = 0;
        Ok(())
    }

    fn write(&mut self, frames: &[DataFrame]) -> Result<(), FrameError> {
        let (path, file) = self.space.create()?;
        let written = self.encode(frames, file).map_err(|error| FrameError::Write {
            path: path.clone(),
            message: error.to_string(),
        })?;
        self.files.push(path);
        self.space.count(written)
    }

    fn encode(&self, frames: &[DataFrame], file: File) -> Result<u64, PolarsError> {
        // Read once, soon, from the page cache: encoding is worth its time, compression is not.
        let mut writer = ParquetWriter::new(file)
            .with_compression(ParquetCompression::Uncompressed)
            .with_statistics(StatisticsOptions::empty())
            .batched(&self.schema)?;
        for frame in frames {
            writer.write_batch(frame)?;
        }
        writer.finish()
    }
}

fn private_directory() -> Result<TempDir, FrameError> {
    let mut builder = tempfile::Builder::new();
    builder.prefix("plimsoll-query-");
    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        builder.permissions(std::fs::Permissions::from_mode(0o700));
    }
    builder
        .tempdir()
        .map_err(|source| FrameError::Directory { path: "temporary directory".into(), source })
}

#[cfg(test)]
mod tests;
