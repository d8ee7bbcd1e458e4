//! Follows the configured sources into the store.
//!
//! One thread reads and takes the secrets out, a second one makes rows, a third one writes them
//! and commits. The rows of a commit and the positions they were read to are one transaction, so
//! a crash at any moment loses nothing and doubles nothing: the next start goes on from what was
//! committed last. When the store is full the writer waits and the others with it.

mod encode;
mod pipeline;
mod redacted;
mod source;
mod upkeep;

pub use pipeline::{Collected, Ended, Options, collect};

use crate::source::follow::GlobError;
use crate::store::{RowsError, StoreError};

/// Collecting cannot start or go on.
#[derive(Debug, thiserror::Error)]
pub enum CollectError {
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A source's globs are not valid.
    #[error("source `{source_name}`: {error}")]
    Glob {
        /// The source's name.
        source_name: String,
        /// What is wrong.
        error: GlobError,
    },
    /// The positions of a source, kept in the store, cannot be read.
    #[error("the positions of source `{source_name}` in the store are damaged: {reason}")]
    Cursors {
        /// The source's name.
        source_name: String,
        /// What is wrong.
        reason: String,
    },
    /// What was collected under this name was of the other kind, documents or logs.
    #[error(
        "source `{source_name}` has collected logs before and is of documents now, or the other \
         way round: give the source another name"
    )]
    OtherKind {
        /// The source's name.
        source_name: String,
    },
    /// There is more to redact than can be searched for.
    #[error("the names in `redact` are too many: {0}")]
    Redact(#[from] regex::Error),
    /// Rows could not be made of a batch: a fault of plimsoll.
    #[error(transparent)]
    Rows(#[from] RowsError),
}
