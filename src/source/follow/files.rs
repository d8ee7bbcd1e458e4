//! The few things the follower asks of a file system.

use std::io;
use std::path::{Path, PathBuf};

use crate::model::FileId;

/// A place with files to follow: the disk, or a simulated one in tests.
pub trait Files {
    /// An open file; it keeps its bytes readable when the name is gone.
    type Handle: Opened + Send + Sync + 'static;

    /// Lists what is to be followed now: regular files only, each path once.
    fn list(&mut self) -> Listing;

    /// Opens a file for reading, without ever waiting for a writer.
    ///
    /// # Errors
    /// When it cannot be opened, or is not a regular file.
    fn open(&self, path: &Path) -> io::Result<Self::Handle>;
}

/// An open file.
pub trait Opened {
    /// What the file looks like now, also when its name is gone.
    ///
    /// # Errors
    /// When the file system fails.
    fn stat(&self) -> io::Result<Stat>;

    /// Reads some bytes at `offset`; 0 at or beyond the end.
    ///
    /// # Errors
    /// When the file system fails.
    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize>;

    /// The first offset at or after `offset` that is not in a hole, at most the file's size.
    /// Where holes cannot be told, `offset` itself.
    fn data_at(&self, offset: u64) -> u64 {
        offset
    }
}

/// What a file looks like from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Stat {
    /// Which file it is.
    pub file: FileId,
    /// Length in bytes.
    pub size: u64,
    /// Time of the last change of anything, nanoseconds since the epoch; nobody can set it back.
    pub changed_ns: i64,
}

/// A file of a listing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Where it was found.
    pub path: PathBuf,
    /// What it looked like then.
    pub stat: Stat,
}

/// What a scan found.
#[derive(Clone, Debug, Default)]
pub struct Listing {
    /// Files to follow, in order of their paths. One file may be there under several names.
    pub files: Vec<Listed>,
    /// What matched and is not followed.
    pub refused: Vec<(PathBuf, Refusal)>,
    /// Directories that could not be read, with the reason: what is in them is not gone.
    pub unreadable: Vec<(PathBuf, String)>,
}

/// Why something that matches is not followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Refusal {
    /// A named pipe; opening it would wait for a writer.
    Fifo,
    /// A socket.
    Socket,
    /// A block or character device.
    Device,
    /// A symbolic link that leads out of the directories to follow, or nowhere.
    ForeignLink,
    /// A directory deeper than the limit.
    TooDeep,
    /// More files than the limit.
    TooMany,
    /// A document longer than the limit.
    TooLarge,
}
