//! Where records come from: files, directories, globs, compressed files and standard input.
//!
//! Turns what a person names on the command line into chunks of whole records, in a fixed order
//! and in bounded memory. It never looks inside a record beyond finding where it ends; what a
//! record means is `decode`'s business.

mod again;
mod discover;
pub mod follow;
mod open;
mod reader;
mod unwrap;

pub use again::records_again;
pub use discover::{DiscoverError, Discovery, Input, discover};
pub use open::{MAX_HASHED_BYTES, ReadError, Source, sha256_of};
pub use reader::{Chunk, ChunkReader, Framing, MAX_RECORD_BYTES};
