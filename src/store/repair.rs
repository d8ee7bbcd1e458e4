//! Drops what damage at the end of the log makes unreadable, and says what that costs.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::disk::sync_directory;
use super::entry::{self, LAST_CHECKPOINT, LOG};
use super::error::StoreError;
use super::lock::Lock;
use super::table::Table;

/// What a repair did; every field is empty when there was nothing to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repaired {
    /// The version that is gone.
    pub dropped_version: Option<u64>,
    /// Copies of what was dropped.
    pub copies: Vec<PathBuf>,
    /// Segments that the dropped version added, as far as it can be read; their rows are read
    /// again if their source still has them, and the files are removed after an hour.
    pub segments: Vec<String>,
}

/// Makes a store readable again whose last entry or last checkpoint is damaged.
///
/// The positions go back with the entry, so a collector reads again what is still there.
///
/// # Errors
/// When damage is not at the end, so that dropping it would lose later versions too.
pub fn repair(path: &Path) -> Result<Repaired, StoreError> {
    let table = Table::at(path)?;
    let _lock = Lock::take(table.store())?;
    let mut repaired = Repaired::default();
    match entry::check_all(table.store()) {
        Ok(()) => {}
        Err(StoreError::Entry { version, path, reason }) => {
            let log = entry::list(table.store())?.unwrap_or_default();
            let is_last = log.entries.last() == Some(&version);
            if !is_last || version == 0 {
                return Err(StoreError::Entry { version, path, reason });
            }
            repaired.segments = segments_of(&path)?;
            repaired.copies.push(set_aside(&path)?);
            repaired.dropped_version = Some(version);
        }
        Err(other) => return Err(other),
    }
    match table.latest().and_then(|newest| table.segments(&newest)) {
        Ok(_) => Ok(repaired),
        Err(error) => {
            let log = entry::list(table.store())?.unwrap_or_default();
            let Some(newest) = log.checkpoints.last() else { return Err(error) };
            let from = log.checkpoints.iter().rev().nth(1).map_or(0, |version| version + 1);
            if !(from..=*newest).all(|version| log.entries.contains(&version)) {
                return Err(error);
            }
            let name = format!("{newest:020}.checkpoint.parquet");
            repaired.copies.push(set_aside(&table.store().join(LOG).join(name))?);
            let pointer = table.store().join(LOG).join(LAST_CHECKPOINT);
            if pointer.try_exists().is_ok_and(|is_there| is_there) {
                repaired.copies.push(set_aside(&pointer)?);
            }
            table.latest().and_then(|newest| table.segments(&newest)).map(|_| repaired)
        }
    }
}

/// Renames a file to `….bad`, durably.
fn set_aside(path: &Path) -> Result<PathBuf, StoreError> {
    let mut copy = path.as_os_str().to_owned();
    copy.push(".bad");
    let copy = PathBuf::from(copy);
    fs::rename(path, &copy).map_err(StoreError::disk("rename", path))?;
    let directory = path.parent().unwrap_or(path);
    sync_directory(directory).map_err(StoreError::disk("synchronise", directory))?;
    Ok(copy)
}

/// Paths of the segments that whole lines of a damaged entry add.
fn segments_of(path: &Path) -> Result<Vec<String>, StoreError> {
    let bytes = fs::read(path).map_err(StoreError::disk("read", path))?;
    let lines = bytes.split(|byte| *byte == b'\n');
    let paths = lines.filter_map(|line| {
        let action: Value = serde_json::from_slice(line).ok()?;
        Some(action.get("add")?.get("path")?.as_str()?.to_owned())
    });
    Ok(paths.collect())
}
