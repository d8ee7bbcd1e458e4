//! Files of the store reach the disk whole, under their final name, or not at all.
//!
//! Every new file is written under a temporary name, synchronised, and then linked or renamed;
//! its directory is synchronised before anybody is told. A crash leaves temporary files that
//! [`is_temporary`] knows.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use uuid::Uuid;

use super::error::StoreError;
use super::steps::{Step, reach};

/// How names of temporary files begin.
const TEMPORARY: &str = ".plimsoll-tmp-";

/// Whether a file of this name was left by a write that did not end.
pub(super) fn is_temporary(name: &str) -> bool {
    name.starts_with(TEMPORARY)
}

/// A new file with a temporary name in `directory`, readable by its owner only.
pub(super) fn create_temporary(directory: &Path) -> Result<(PathBuf, File), StoreError> {
    let path = directory.join(format!("{TEMPORARY}{}", Uuid::new_v4().simple()));
    let made = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path);
    match made {
        Ok(file) => Ok((path, file)),
        Err(source) => Err(StoreError::write(&path, 0, source)),
    }
}

/// Makes a directory and those above it, for their owner only.
pub(super) fn create_private_directory(path: &Path) -> Result<(), StoreError> {
    create_directory(path, true)
}

/// Makes a directory in one that is there, for its owner only.
pub(super) fn create_private_subdirectory(path: &Path) -> Result<(), StoreError> {
    create_directory(path, false)
}

fn create_directory(path: &Path, with_parents: bool) -> Result<(), StoreError> {
    DirBuilder::new()
        .recursive(with_parents)
        .mode(0o700)
        .create(path)
        .map_err(|source| StoreError::write(path, 0, source))
}

/// Whether a new file must not replace an old one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Old {
    /// An old file stays, and the write is refused.
    Stays,
    /// An old file is replaced at once.
    Goes,
}

/// Writes a file of the log; `Ok(false)` when it is there already and must stay.
pub(super) fn write_entry(path: &Path, bytes: &[u8], old: Old) -> Result<bool, StoreError> {
    let directory = path.parent().unwrap_or(Path::new("."));
    let (temporary, mut file) = create_temporary(directory)?;
    let outcome = publish_entry(&temporary, &mut file, (path, bytes, old));
    // After a rename the temporary name is gone; an orphan is swept later, so this may fail.
    let _ = fs::remove_file(&temporary);
    outcome
}

fn publish_entry(
    temporary: &Path,
    file: &mut File,
    (path, bytes, old): (&Path, &[u8], Old),
) -> Result<bool, StoreError> {
    let needed_bytes = bytes.len() as u64;
    reach(Step::EntryWrite)
        .and_then(|()| file.write_all(bytes))
        .map_err(|source| StoreError::write(path, needed_bytes, source))?;
    reach(Step::EntrySync)
        .and_then(|()| file.sync_all())
        .map_err(|source| StoreError::sync(path, needed_bytes, source))?;
    let named = reach(Step::EntryLink).and_then(|()| match old {
        Old::Stays => fs::hard_link(temporary, path),
        Old::Goes => fs::rename(temporary, path),
    });
    match named {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => return Ok(false),
        Err(source) => return Err(StoreError::write(path, needed_bytes, source)),
    }
    reach(Step::EntryDirectory)
        .and_then(|()| sync_directory(path.parent().unwrap_or(Path::new("."))))
        // Whatever the reason, the entry is there now and may not stay: only a restart can tell.
        .map_err(|source| StoreError::Unsure { path: path.to_owned(), source })?;
    Ok(true)
}

/// Makes the names in a directory durable.
pub(super) fn sync_directory(path: &Path) -> io::Result<()> {
    File::open(path)?.sync_all()
}

/// Removes a file that may be gone already.
pub(super) fn remove(path: &Path) -> Result<(), StoreError> {
    match reach(Step::Remove).and_then(|()| fs::remove_file(path)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(StoreError::disk("remove", path)(error))
        }
        _ => Ok(()),
    }
}
