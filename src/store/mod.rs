//! The store: a Delta Lake table of records, committed with the positions they were read to.
//!
//! `date=2026-11-22/part-….parquet` are the segments, `_delta_log/` says which of them count.
//! Other programs read the table as it stands; a feature in it makes them refuse to write.
//!
//! Guarantees: what [`Writer::append`] committed survives a crash and a loss of power, once;
//! a damaged or missing file is named and never read as fewer rows; [`verify`] proves from the
//! store alone that every byte range is one record. One process writes, any number reads.
//!
//! Does not decide what is read, when to flush, or what to keep: that is `collect`'s and the
//! command line's. Needs a file system with hard links and locks, as local ones have.

mod disk;
mod engine;
mod entry;
mod error;
mod lock;
mod schema;
mod segment;
mod steps;
mod sweep;
mod table;

mod tiling;

mod rows;
mod snapshot;
mod writer;

mod compact;
mod erase;
mod repair;
mod retention;
mod verify;

pub use compact::{CompactOptions, Compacted, Merge, Merged, compact, due};
pub use erase::{Erased, Predicate, erase};
pub use error::StoreError;
pub use repair::{Repaired, repair};
pub use retention::{Keep, Retired, retain};
pub use rows::{Record, RowBuilder, Rows, RowsError, stored_columns};
pub use schema::{DATE, columns, flag};
pub use segment::{ROW_GROUP_ROWS, Segment};
pub use snapshot::Snapshot;
pub use sweep::Swept;
pub use verify::{Difference, Verified, verify};
pub use writer::{Committed, Writer};

#[cfg(test)]
mod tests;
