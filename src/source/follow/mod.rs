//! Follows files and hands out whole records, each byte range of a file generation exactly once.
//!
//! A *generation* is one life of one file's bytes, whatever its name: it survives renames, is
//! told from its successor in the same file or inode, and is recognised in a copy or a compressed
//! twin. What decides is content: the fingerprint of the first bytes and of those before the
//! position, tested before each read. Names and inode numbers are only hints.
//!
//! Everything here is synchronous, generic over a small file-system trait, and reads no clock: the
//! caller gives the time. It keeps nothing durable either. The caller commits the records of the
//! pieces together with [`Follower::cursors`]; after a failed commit or a crash it makes a new
//! follower from the cursors committed last.
//!
//! What cannot be done: bytes that were never seen before their last copy went away are lost, and
//! are counted as far as they were known. A file that a power failure cut back behind the position
//! is read again from its start. Both are told by a [`Notice`].

mod admit;
mod disk;
mod documents;
mod evidence;
mod files;
mod follower;
mod generation;
mod judge;
mod long;
mod lookalikes;
mod notice;
mod packed;
mod record;
mod scan;
mod settle;

pub use disk::{DiskFiles, DiskHandle, GlobError};
pub use documents::{DocumentSettings, Documents, Version};
pub use files::{Files, Listed, Listing, Opened, Refusal, Stat};
pub use follower::{Counters, Follower, Settings};
pub use notice::Notice;
pub use record::{NUL_HOLE_MIN, Piece, RecordKind, RecordSpan, Whole};

#[cfg(test)]
mod tests;
