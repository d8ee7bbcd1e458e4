//! The store: a Delta Lake table of records, written with the position they were read to.
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

pub use compact::{CompactOptions, Compacted, compact};
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
