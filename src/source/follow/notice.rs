//! What a person should know about the following of files.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::model::GenerationId;
use crate::source::follow::files::Refusal;

/// Something that happened to a file, with the way out. Paths are shown quoted and escaped: their
/// text is as hostile as that of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Notice {
    /// It matches, and is not followed. Told once for each path.
    Refused {
        /// What matches.
        path: PathBuf,
        /// Why it is not followed.
        why: Refusal,
    },
    /// A file or directory cannot be read. Told once until that changes.
    Unreadable {
        /// The file or directory.
        path: PathBuf,
        /// The cause as the system says it.
        error: String,
    },
    /// What could not be read can be read now.
    Readable {
        /// The file or directory.
        path: PathBuf,
    },
    /// A file was truncated or rewritten; its new content is read from the start.
    Truncated {
        /// The file.
        path: PathBuf,
        /// The generation that ended.
        generation: GenerationId,
        /// Bytes known to have been there and never read; more may have been.
        unread: u64,
    },
    /// The last name of a file went away before all of it was read.
    Lost {
        /// Where the file was.
        path: PathBuf,
        /// The generation that ended.
        generation: GenerationId,
        /// Bytes known to have been there and never read; more may have been.
        unread: u64,
    },
    /// A copy or compressed form of what was read: nothing in it is read twice.
    Twin {
        /// The copy.
        path: PathBuf,
        /// The generation that it holds.
        generation: GenerationId,
        /// Bytes of the copy that are still to be read.
        unread: u64,
    },
    /// A compressed file without its end, or damaged. It is looked at again when it changes.
    Incomplete {
        /// The compressed file.
        path: PathBuf,
        /// What the decompressor says.
        error: String,
    },
    /// A file in UTF-16; its lines are kept as they are, but not understood.
    Utf16 {
        /// The file.
        path: PathBuf,
    },
    /// Too many files are open at once; idle ones are closed and opened again.
    Crowded {
        /// The limit that was reached.
        limit: usize,
    },
    /// Too many ended generations are remembered; the oldest were forgotten.
    Forgotten {
        /// How many.
        count: usize,
    },
}

impl Notice {
    /// Bytes that are known to be lost: worth an error and not a warning.
    pub fn lost_bytes(&self) -> u64 {
        match self {
            Self::Truncated { unread, .. } | Self::Lost { unread, .. } => *unread,
            _ => 0,
        }
    }

    /// The file or directory that it is about, if it is about one.
    pub fn path(&self) -> Option<&Path> {
        match self {
            Self::Refused { path, .. }
            | Self::Unreadable { path, .. }
            | Self::Readable { path }
            | Self::Truncated { path, .. }
            | Self::Lost { path, .. }
            | Self::Twin { path, .. }
            | Self::Incomplete { path, .. }
            | Self::Utf16 { path } => Some(path),
            Self::Crowded { .. } | Self::Forgotten { .. } => None,
        }
    }
}

impl fmt::Display for Notice {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(path) = self.path() {
            // Quoted and escaped, also where the name of a file tries to steer a terminal.
            write!(f, "{:?} ", path.to_string_lossy())?;
        }
        match self {
            Self::Refused { why, .. } => write!(f, "is not followed: {}", reason(*why)),
            Self::Unreadable { error, .. } => {
                write!(f, "cannot be read: {error}; it is tried again on each scan")
            }
            Self::Readable { .. } => f.write_str("can be read now"),
            Self::Truncated { unread: 0, .. } => {
                f.write_str("was truncated or rewritten; no byte is known to be unread")
            }
            Self::Truncated { unread, .. } => write!(
                f,
                "was truncated, {unread} bytes unread: rotate by rename, or keep the copy in `include`"
            ),
            Self::Lost { unread, .. } => write!(
                f,
                "went away, {unread} bytes unread: delete logs only some time after rotating them"
            ),
            Self::Twin { generation, unread: 0, .. } => {
                write!(f, "is a copy of generation {generation}; nothing in it is new")
            }
            Self::Twin { generation, unread, .. } => {
                write!(f, "is a copy of generation {generation}; its last {unread} bytes are new")
            }
            Self::Incomplete { error, .. } => write!(
                f,
                "is not a complete compressed file ({error}); it is looked at again when it changes"
            ),
            Self::Utf16 { .. } => f.write_str(
                "is UTF-16, its lines are kept but not understood: let the program write UTF-8",
            ),
            Self::Crowded { limit } => write!(
                f,
                "the limit of {limit} open files is reached; idle ones are closed and opened again"
            ),
            Self::Forgotten { count } => write!(
                f,
                "{count} ended files are no longer remembered; copies of them would be read again"
            ),
        }
    }
}

fn reason(why: Refusal) -> &'static str {
    match why {
        Refusal::Fifo => "it is a named pipe; only regular files are",
        Refusal::Socket => "it is a socket; only regular files are",
        Refusal::Device => "it is a device; only regular files are",
        Refusal::ForeignLink => {
            "the link leads out of the followed directories; include its target"
        }
        Refusal::TooDeep => "the directory is nested too deeply",
        Refusal::TooLarge => "it is larger than 64 MiB; write smaller documents",
        Refusal::TooMany => "there are too many files; narrow `include`",
    }
}
