//! Removes files of the store that no version names: leftovers of crashes, replaced segments.
//!
//! Only names that this room gives are ever removed; a file of anybody else stays.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use super::disk::{is_temporary, remove, sync_directory};
use super::entry::LOG;
use super::error::StoreError;
use super::schema::DATE;
use super::segment::{Segment, is_our_name};
use crate::clock::{Clock, SystemClock};

/// What a sweep removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Swept {
    /// How many files.
    pub file_count: u64,
    /// Their size, bytes.
    pub bytes: u64,
}

/// Removes our files that are not live and were last touched `age_us` ago or earlier.
///
/// [`i64::MIN`] removes all of them, whatever the clock says. Runs under the writer's lock. A file
/// in use by a reader of an older version is safe for that
/// age, because [`touch`] marks the moment at which a segment was replaced.
pub(super) fn sweep(store: &Path, live: &[Segment], age_us: i64) -> Result<Swept, StoreError> {
    let live: BTreeSet<PathBuf> = live.iter().map(|segment| store.join(&segment.path)).collect();
    let before_us = SystemClock.now_us().saturating_sub(age_us);
    let mut swept = Swept::default();
    for directory in directories(store)? {
        let file_count = swept.file_count;
        for entry in fs::read_dir(&directory).map_err(StoreError::disk("list", &directory))? {
            let entry = entry.map_err(StoreError::disk("list", &directory))?;
            let path = entry.path();
            let is_ours = entry
                .file_name()
                .to_str()
                .is_some_and(|name| is_temporary(name) || is_our_name(name));
            if !is_ours || live.contains(&path) {
                continue;
            }
            let metadata = entry.metadata().map_err(StoreError::disk("read", &path))?;
            let touched = metadata.modified().map_err(StoreError::disk("read", &path))?;
            let touched_us = touched.duration_since(UNIX_EPOCH).unwrap_or_default().as_micros();
            if metadata.is_file() && i64::try_from(touched_us).unwrap_or(i64::MAX) <= before_us {
                remove(&path)?;
                swept.file_count += 1;
                swept.bytes += metadata.len();
            }
        }
        if swept.file_count > file_count {
            sync_directory(&directory).map_err(StoreError::disk("synchronise", &directory))?;
        }
        // Only an empty directory of a day goes; the log is never empty.
        let _ = fs::remove_dir(&directory);
    }
    Ok(swept)
}

/// Whether a day's directory is there.
pub(super) fn has_segments(store: &Path) -> Result<bool, StoreError> {
    Ok(directories(store)?.len() > 1)
}

/// The directories of days, and that of the log.
fn directories(store: &Path) -> Result<Vec<PathBuf>, StoreError> {
    let mut found = vec![store.join(LOG)];
    for entry in fs::read_dir(store).map_err(StoreError::disk("list", store))? {
        let entry = entry.map_err(StoreError::disk("list", store))?;
        let is_day = entry
            .file_name()
            .to_str()
            .is_some_and(|name| name.strip_prefix(DATE).is_some_and(|rest| rest.starts_with('=')));
        let is_directory = entry.file_type().is_ok_and(|kind| kind.is_dir());
        if is_day && is_directory {
            found.push(entry.path());
        }
    }
    Ok(found)
}

/// Marks now as the moment at which segments are replaced; those that are gone already are not.
pub(super) fn touch<'a>(store: &Path, paths: impl IntoIterator<Item = &'a String>) {
    let now_us = u64::try_from(SystemClock.now_us()).unwrap_or(0);
    for path in paths {
        let file = fs::OpenOptions::new().write(true).open(store.join(path));
        // Without the mark the file goes earlier, and a long reader is told so.
        let _ = file.and_then(|file| file.set_modified(UNIX_EPOCH + Duration::from_micros(now_us)));
    }
}
