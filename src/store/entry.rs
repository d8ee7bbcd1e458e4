//! Entries of the table's log: their names, and a seal that shows damage.
//!
//! An entry is one JSON object a line. The Delta format has no checksum, and a file cut at the
//! end of a line would be read as a smaller commit without a word. So the `commitInfo` of our
//! entries carries a hash over the other lines; entries of other writers are checked for whole
//! lines of JSON only.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;
use xxhash_rust::xxh3::Xxh3;

use super::error::StoreError;

/// The directory of the log in a table.
pub(super) const LOG: &str = "_delta_log";
/// The library's pointer to the newest checkpoint.
pub(super) const LAST_CHECKPOINT: &str = "_last_checkpoint";
/// How the line with the seal begins.
const INFO: &str = "{\"commitInfo\":{";
/// The field with the seal.
const SEAL: &str = "plimsollSeal";
/// Digits of a version in a file name.
const DIGITS: usize = 20;

/// The version whose entry a file is.
pub(super) fn version_of(path: &Path) -> Option<u64> {
    let name = path.file_name()?.to_str()?.strip_suffix(".json")?;
    version(name)
}

fn version(digits: &str) -> Option<u64> {
    (digits.len() == DIGITS).then(|| digits.parse().ok())?
}

/// The file of a version's entry.
pub(super) fn path_of(store: &Path, version: u64) -> PathBuf {
    store.join(LOG).join(format!("{version:020}.json"))
}

/// Writes the hash of the other lines into the line of `commitInfo`.
pub(super) fn seal(entry: &[u8]) -> Vec<u8> {
    let mut sealed = Vec::with_capacity(entry.len() + 64);
    let hash = hash_of_others(entry);
    for line in entry.split_inclusive(|byte| *byte == b'\n') {
        match line.strip_prefix(INFO.as_bytes()) {
            Some(rest) => {
                sealed.extend_from_slice(format!("{INFO}\"{SEAL}\":\"{hash:016x}\",").as_bytes());
                sealed.extend_from_slice(rest);
            }
            None => sealed.extend_from_slice(line),
        }
    }
    sealed
}

fn hash_of_others(entry: &[u8]) -> u64 {
    let mut hash = Xxh3::new();
    entry
        .split_inclusive(|byte| *byte == b'\n')
        .filter(|line| !line.starts_with(INFO.as_bytes()))
        .for_each(|line| hash.update(line));
    hash.digest()
}

/// The actions of an entry, if it is whole.
///
/// # Errors
/// What is wrong with it, in words.
pub(super) fn actions(entry: &[u8]) -> Result<Vec<Value>, String> {
    if !entry.ends_with(b"\n") {
        return Err("it ends in the middle of a line".to_owned());
    }
    let mut actions = Vec::new();
    for (number, line) in entry.split(|byte| *byte == b'\n').enumerate() {
        if line.is_empty() {
            continue;
        }
        let action: Value = serde_json::from_slice(line)
            .map_err(|error| format!("line {} is no JSON: {error}", number + 1))?;
        actions.push(action);
    }
    if actions.is_empty() {
        return Err("it is empty".to_owned());
    }
    let seals = actions.iter().filter_map(|action| action.get("commitInfo")?.get(SEAL)?.as_str());
    let expected = format!("{:016x}", hash_of_others(entry));
    match seals.clone().find(|seal| *seal != expected) {
        Some(seal) => Err(format!("its lines have the hash {expected}, its seal says {seal}")),
        None => Ok(actions),
    }
}

/// The actions of a version.
pub(super) fn read(store: &Path, version: u64) -> Result<Vec<Value>, StoreError> {
    let path = path_of(store, version);
    let bytes = match fs::read(&path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(StoreError::Missing { version, path });
        }
        Err(error) => return Err(StoreError::disk("read", &path)(error)),
    };
    actions(&bytes).map_err(|reason| StoreError::Entry { version, path, reason })
}

/// What lies in the directory of the log.
#[derive(Debug, Default)]
pub(super) struct LogFiles {
    /// Versions that have an entry.
    pub(super) entries: BTreeSet<u64>,
    /// Versions that have a checkpoint.
    pub(super) checkpoints: BTreeSet<u64>,
    /// Every file that belongs to a version.
    pub(super) by_version: BTreeMap<u64, Vec<PathBuf>>,
}

/// Lists the log; `None` when there is none.
pub(super) fn list(store: &Path) -> Result<Option<LogFiles>, StoreError> {
    let directory = store.join(LOG);
    let entries = match fs::read_dir(&directory) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(StoreError::disk("list", &directory)(error)),
    };
    let mut files = LogFiles::default();
    for entry in entries {
        let path = entry.map_err(StoreError::disk("list", &directory))?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else { continue };
        let Some((digits, rest)) = name.split_once('.') else { continue };
        let Some(version) = version(digits) else { continue };
        match rest {
            "json" => drop(files.entries.insert(version)),
            "checkpoint.parquet" => drop(files.checkpoints.insert(version)),
            "crc" => {}
            // Such as the copy that a repair keeps: nobody's to remove.
            _ => continue,
        }
        files.by_version.entry(version).or_default().push(path);
    }
    Ok(Some(files))
}

/// Checks every entry that the newest version is read from.
///
/// # Errors
/// The first that is damaged or missing.
pub(super) fn check_all(store: &Path) -> Result<(), StoreError> {
    let files = list(store)?.ok_or_else(|| StoreError::Absent { path: store.to_owned() })?;
    let checkpoint = files.checkpoints.last().copied();
    let first = checkpoint.map_or(0, |version| version + 1);
    let Some(last) = files.entries.last().copied().max(checkpoint) else {
        return Err(StoreError::Missing { version: 0, path: path_of(store, 0) });
    };
    for version in first..=last {
        read(store, version)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{actions, seal};

    const PLAIN: &str = "{\"commitInfo\":{\"operation\":\"WRITE\"}}\n{\"txn\":{\"version\":7}}\n{\"add\":{\"path\":\"x\"}}\n";

    #[test]
    fn every_cut_and_every_flipped_digit_of_a_sealed_entry_shows() {
        let sealed = seal(PLAIN.as_bytes());
        assert_eq!(actions(&sealed).unwrap().len(), 3);
        for cut in 0..sealed.len() {
            assert!(actions(&sealed[..cut]).is_err(), "cut at {cut}");
        }
        let after_info = sealed.iter().position(|byte| *byte == b'\n').unwrap();
        for at in after_info + 1..sealed.len() {
            let mut flipped = sealed.clone();
            flipped[at] ^= 1;
            assert!(actions(&flipped).is_err(), "flipped at {at}");
        }
    }

    #[test]
    fn an_entry_without_a_seal_is_checked_for_whole_lines() {
        check(PLAIN, true); // as other writers write
        check("", false); // nothing is no commit
        check("\n", false);
        check("{\"txn\":{}}", false); // no end of line
        check("{\"txn\":{}}\n{\"add\":\n", false); // cut and continued
    }

    fn check(entry: &str, is_whole: bool) {
        assert_eq!(actions(entry.as_bytes()).is_ok(), is_whole, "{entry:?}");
    }
}
