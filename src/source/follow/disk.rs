//! The files of the disk that match the globs of a source.
//!
//! Only regular files are followed. A symbolic link is followed only while it leads to a place
//! within the directories that the globs start from, or those that are allowed besides; it is
//! resolved again on each scan. Opening never waits, never takes a terminal, and is tested on the
//! open file, not on its name.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fs::{self, File, FileType, Metadata, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::{FileExt, FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Component, Path, PathBuf};
use std::time::UNIX_EPOCH;

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};
use rustix::fs::{OFlags, SeekFrom};

use crate::model::FileId;
use crate::source::follow::files::{Files, Listed, Listing, Opened, Refusal, Stat};

/// Directories nested deeper than this below the start of a glob are not looked into.
const DEPTH_MAX: usize = 32;
/// At most so many files of one source are followed.
const FILES_MAX: usize = 100_000;

/// A glob of a source is not one.
#[derive(Debug, thiserror::Error)]
pub enum GlobError {
    /// The pattern cannot be understood.
    #[error("`{pattern}` is not a valid glob")]
    Bad {
        /// The pattern as given.
        pattern: String,
        /// What is wrong with it.
        source: globset::Error,
    },
    /// There is nothing to follow.
    #[error("source `{name}` has no `include`, it needs at least one glob")]
    Empty {
        /// The name of the source.
        name: String,
    },
}

/// Where to look: the directories that globs start from, each with what may match below it.
#[derive(Debug)]
pub struct DiskFiles {
    starts: BTreeMap<PathBuf, Start>,
    exclude: GlobSet,
    /// Where links may lead besides.
    link_roots: Vec<PathBuf>,
    /// The real paths of the starts, as of the last scan.
    roots: BTreeSet<PathBuf>,
}

#[derive(Debug)]
struct Start {
    include: GlobSet,
    depth: usize,
}

/// An open regular file.
#[derive(Debug)]
pub struct DiskHandle(File);

impl DiskFiles {
    /// The files that match one of the `include` globs and none of the `exclude` globs. `*` stays
    /// within one directory, `**` does not. A glob is relative to the current directory unless it
    /// starts with `/`.
    ///
    /// # Errors
    /// When there is no `include`, or a glob cannot be understood.
    pub fn new(name: &str, include: &[String], exclude: &[String]) -> Result<Self, GlobError> {
        if include.is_empty() {
            return Err(GlobError::Empty { name: name.to_owned() });
        }
        let mut patterns: BTreeMap<PathBuf, (GlobSetBuilder, usize)> = BTreeMap::new();
        for pattern in include {
            let (start, rest) = split(pattern);
            let depth = if rest.contains("**") { DEPTH_MAX } else { rest.matches('/').count() };
            let entry = patterns.entry(start).or_insert_with(|| (GlobSetBuilder::new(), 0));
            entry.0.add(glob(pattern, &rest)?);
            entry.1 = entry.1.max(depth);
        }
        let mut starts = BTreeMap::new();
        for (path, (builder, depth)) in patterns {
            let bad = |source| GlobError::Bad { pattern: path.display().to_string(), source };
            let include = builder.build().map_err(bad)?;
            starts.insert(path, Start { include, depth });
        }
        let mut builder = GlobSetBuilder::new();
        for pattern in exclude {
            builder.add(glob(pattern, pattern.strip_prefix("./").unwrap_or(pattern))?);
        }
        let bad = |source| GlobError::Bad { pattern: exclude.join(", "), source };
        let exclude = builder.build().map_err(bad)?;
        Ok(Self { starts, exclude, link_roots: Vec::new(), roots: BTreeSet::new() })
    }

    /// Symbolic links may also lead below these directories.
    #[must_use]
    pub fn with_link_roots(self, link_roots: &[PathBuf]) -> Self {
        Self { link_roots: link_roots.to_vec(), ..self }
    }

    /// The directories to watch for changes.
    pub fn roots(&self) -> impl Iterator<Item = &Path> {
        self.starts.keys().map(PathBuf::as_path)
    }
}

impl Files for DiskFiles {
    type Handle = DiskHandle;

    fn list(&mut self) -> Listing {
        let allowed = self.starts.keys().chain(&self.link_roots);
        let real = allowed.filter_map(|start| fs::canonicalize(start).ok());
        self.roots = real.collect();
        let mut walk = Walk {
            files: self,
            listing: Listing::default(),
            listed: HashSet::new(),
            links: Vec::new(),
        };
        for (path, start) in &self.starts {
            walk.directory(path, Path::new(""), start);
        }
        let mut listing = walk.listing;
        listing.files.sort_by(|a, b| a.path.cmp(&b.path));
        listing
    }

    fn open(&self, path: &Path) -> io::Result<DiskHandle> {
        let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
        let file =
            OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
        if !file.metadata()?.is_file() {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        // A link may have been put in the way since the scan; ask where this really is.
        if let Ok(real) = fs::read_link(format!("/proc/self/fd/{}", file.as_raw_fd()))
            && !self.roots.iter().any(|root| real.starts_with(root))
        {
            let text = "it leads out of the followed directories";
            return Err(io::Error::new(io::ErrorKind::PermissionDenied, text));
        }
        Ok(DiskHandle(file))
    }
}

impl Opened for DiskHandle {
    fn stat(&self) -> io::Result<Stat> {
        Ok(stat_of(&self.0.metadata()?))
    }

    fn read_at(&self, buf: &mut [u8], offset: u64) -> io::Result<usize> {
        self.0.read_at(buf, offset)
    }

    fn data_at(&self, offset: u64) -> u64 {
        match rustix::fs::seek(&self.0, SeekFrom::Data(offset)) {
            Ok(data) => data,
            // No data up to the end: the rest of the file is one hole.
            Err(rustix::io::Errno::NXIO) => {
                self.0.metadata().map_or(offset, |metadata| metadata.len().max(offset))
            }
            Err(_) => offset,
        }
    }
}

/// One walk over the directories.
struct Walk<'a> {
    files: &'a DiskFiles,
    listing: Listing,
    listed: HashSet<PathBuf>,
    /// Real paths of the linked directories that are being walked: a loop of links ends here.
    links: Vec<PathBuf>,
}

impl Walk<'_> {
    /// Lists what is in `below`, seen from `root`.
    fn directory(&mut self, root: &Path, below: &Path, start: &Start) {
        let path = root.join(below);
        let entries = match fs::read_dir(&path) {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(path, &error),
        };
        for entry in entries {
            match entry.and_then(|entry| Ok((entry.file_name(), entry.file_type()?))) {
                Ok((name, kind)) => self.entry(root, &below.join(name), (start, kind)),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => self.unreadable(path.clone(), &error),
            }
        }
    }

    fn entry(&mut self, root: &Path, below: &Path, (start, kind): (&Start, FileType)) {
        let path = root.join(below);
        if kind.is_dir() {
            self.descend(root, below, start);
        } else if kind.is_symlink() {
            self.link(root, below, start);
        } else if self.takes(&path, below, start) {
            match fs::symlink_metadata(&path) {
                Ok(metadata) => self.file(path, &metadata),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => self.unreadable(path, &error),
            }
        }
    }

    fn descend(&mut self, root: &Path, below: &Path, start: &Start) {
        let depth = below.components().count();
        if depth <= start.depth {
            self.directory(root, below, start);
        } else if start.depth == DEPTH_MAX {
            self.listing.refused.push((root.join(below), Refusal::TooDeep));
        }
    }

    fn link(&mut self, root: &Path, below: &Path, start: &Start) {
        let path = root.join(below);
        let takes = self.takes(&path, below, start);
        let real = fs::canonicalize(&path).ok();
        let real = real.filter(|real| self.files.roots.iter().any(|it| real.starts_with(it)));
        let found = real.and_then(|real| fs::symlink_metadata(&real).ok().map(|it| (real, it)));
        match found {
            Some((real, metadata)) if metadata.is_dir() && !self.links.contains(&real) => {
                self.links.push(real);
                self.descend(root, below, start);
                self.links.pop();
            }
            Some((_, metadata)) if takes && !metadata.is_dir() => self.file(path, &metadata),
            None if takes => self.listing.refused.push((path, Refusal::ForeignLink)),
            Some(_) | None => {}
        }
    }

    fn file(&mut self, path: PathBuf, metadata: &Metadata) {
        let kind = metadata.file_type();
        if let Some(why) = refusal(kind) {
            self.listing.refused.push((path, why));
        } else if self.listing.files.len() >= FILES_MAX {
            self.listing.refused.push((path, Refusal::TooMany));
        } else if self.listed.insert(path.clone()) {
            self.listing.files.push(Listed { path, stat: stat_of(metadata) });
        }
    }

    fn takes(&self, path: &Path, below: &Path, start: &Start) -> bool {
        start.include.is_match(below) && !self.files.exclude.is_match(path)
    }

    fn unreadable(&mut self, path: PathBuf, error: &io::Error) {
        self.listing.unreadable.push((path, error.to_string()));
    }
}

fn refusal(kind: FileType) -> Option<Refusal> {
    if kind.is_file() {
        None
    } else if kind.is_fifo() {
        Some(Refusal::Fifo)
    } else if kind.is_socket() {
        Some(Refusal::Socket)
    } else {
        Some(Refusal::Device)
    }
}

fn stat_of(metadata: &Metadata) -> Stat {
    let born = metadata.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
    let born_ns = born.and_then(|since| i64::try_from(since.as_nanos()).ok());
    let seconds = metadata.ctime().saturating_mul(1_000_000_000);
    Stat {
        file: FileId { dev: metadata.dev(), ino: metadata.ino(), born_ns },
        size: metadata.len(),
        changed_ns: seconds.saturating_add(metadata.ctime_nsec()),
    }
}

/// The directory a pattern starts from, and the rest of it.
fn split(pattern: &str) -> (PathBuf, String) {
    let parts: Vec<Component<'_>> = Path::new(pattern).components().collect();
    let is_plain = |part: &&Component<'_>| {
        !part.as_os_str().to_string_lossy().contains(['*', '?', '[', '{', '\\'])
    };
    let plain = parts.iter().take_while(is_plain).count().min(parts.len().saturating_sub(1));
    let (start, rest) = parts.split_at(plain);
    let mut start: PathBuf = start.iter().collect();
    let rest: Vec<_> = rest.iter().map(|part| part.as_os_str().to_string_lossy()).collect();
    if start.as_os_str().is_empty() {
        start.push(".");
    }
    (start, rest.join("/"))
}

fn glob(pattern: &str, text: &str) -> Result<globset::Glob, GlobError> {
    GlobBuilder::new(text)
        .literal_separator(true)
        .build()
        .map_err(|source| GlobError::Bad { pattern: pattern.to_owned(), source })
}

#[cfg(test)]
mod tests;
