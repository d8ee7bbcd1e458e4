//! Why the store could not be used, and what that asks of the caller.

use std::io;
use std::path::{Path, PathBuf};

use delta_kernel::KernelError;
use polars::prelude::PolarsError;

/// A failure of the store; nothing that was reported as committed is affected.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The path cannot be that of a store.
    #[error("`{}` cannot be a store: {reason}", path.display())]
    Path {
        /// The path as given.
        path: PathBuf,
        /// What it must not be.
        reason: &'static str,
    },
    /// There is no table at the path.
    #[error("`{}` is no store: there is no `_delta_log` in it", path.display())]
    Absent {
        /// The path as given.
        path: PathBuf,
    },
    /// Another process writes to the store.
    #[error("the store `{}` is in use by {holder}; a store has one writer", path.display())]
    Locked {
        /// The store.
        path: PathBuf,
        /// Process and host as the holder wrote them.
        holder: String,
    },
    /// The disk is full, or a quota is; nothing became visible and no partial file is left.
    #[error("no room to write `{}`: up to {needed_bytes} bytes are needed", path.display())]
    Full {
        /// The file that did not fit.
        path: PathBuf,
        /// An upper bound of what it needs.
        needed_bytes: u64,
        /// The system's answer.
        source: io::Error,
    },
    /// The disk did not confirm a write, so what it holds is not known.
    #[error("`{}` may not be on the disk; stop, and open the store again", path.display())]
    Unsure {
        /// The file or directory that could not be synchronised.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// An earlier write was not confirmed; this writer writes no more.
    #[error("the store `{}` is closed after a failed write; open it again", path.display())]
    Closed {
        /// The store.
        path: PathBuf,
    },
    /// Any other failure of the file system.
    #[error("cannot {action} `{}`", path.display())]
    Disk {
        /// What was to be done.
        action: &'static str,
        /// With which file.
        path: PathBuf,
        /// The system's answer.
        source: io::Error,
    },
    /// An entry of the table's log is damaged.
    #[error("version {version} of the table, `{}`, is damaged: {reason}; `plimsoll repair` drops it", path.display())]
    Entry {
        /// The version.
        version: u64,
        /// Its file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
    },
    /// An entry of the table's log is missing.
    #[error("version {version} of the table, `{}`, is missing; restore it from a copy", path.display())]
    Missing {
        /// The version.
        version: u64,
        /// The file it should be in.
        path: PathBuf,
    },
    /// The log cannot be read or written.
    #[error("the log of the store `{}` cannot be used: {reason}", path.display())]
    Log {
        /// The store.
        path: PathBuf,
        /// What the Delta library says.
        reason: String,
    },
    /// Somebody else changed the table.
    #[error("version {version} of the table was written by {writer}, which changed its rows")]
    Foreign {
        /// The version.
        version: u64,
        /// Who wrote it, as its entry says.
        writer: String,
    },
    /// A segment is missing or not what was written.
    #[error("segment `{}` is unusable: {reason}; {rows} rows are lost with it", path.display())]
    Segment {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: String,
        /// Rows it should hold.
        rows: u64,
    },
    /// Rows do not have the store's columns.
    #[error("column `{column}` of the rows to store is {got}, must be {need}")]
    Column {
        /// The column.
        column: String,
        /// Its type.
        got: String,
        /// The type it must have.
        need: String,
    },
    /// Rows could not be computed with.
    #[error("rows of `{}` cannot be computed with: {reason}", path.display())]
    Rows {
        /// The store.
        path: PathBuf,
        /// What went wrong.
        reason: String,
    },
}

impl StoreError {
    /// The write may be tried again once there is room.
    pub fn is_full(&self) -> bool {
        matches!(self, Self::Full { .. })
    }

    /// The process must end and open the store again: only that tells what the disk holds.
    pub fn needs_restart(&self) -> bool {
        matches!(self, Self::Unsure { .. } | Self::Closed { .. })
    }

    /// Sorts a failed write: a full disk is told from all else.
    pub(super) fn write(path: &Path, needed_bytes: u64, source: io::Error) -> Self {
        let path = path.to_owned();
        match source.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => {
                Self::Full { path, needed_bytes, source }
            }
            _ => Self::Disk { action: "write", path, source },
        }
    }

    /// A failed synchronisation: some systems report a full disk only here.
    pub(super) fn sync(path: &Path, needed_bytes: u64, source: io::Error) -> Self {
        match Self::write(path, needed_bytes, source) {
            Self::Disk { path, source, .. } => Self::Unsure { path, source },
            full => full,
        }
    }

    pub(super) fn disk(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Disk { action, path: path.to_owned(), source }
    }

    pub(super) fn log(store: &Path) -> impl Fn(KernelError) -> Self {
        move |error| Self::Log { path: store.to_owned(), reason: error.to_string() }
    }

    pub(super) fn rows(store: &Path) -> impl Fn(PolarsError) -> Self {
        move |error| Self::Rows { path: store.to_owned(), reason: error.to_string() }
    }
}
