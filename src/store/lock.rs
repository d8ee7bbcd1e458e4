//! One writer per store, held by an advisory lock on a file inside it.
//!
//! The kernel ends the lock with the process, so nothing is ever stale; the text in the file
//! only tells people who holds it. The lock belongs to the file itself, so a link or a second
//! mount of the same directory meets it too. It does not reach across network file systems
//! whose locks are local.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use super::error::StoreError;

/// The file's name in the store.
const FILE_NAME: &str = ".plimsoll-lock";
/// Most of the holder's text that an error repeats, characters.
const MAX_HOLDER_CHARS: usize = 200;

/// The right to write to a store, until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    _file: File,
}

impl Lock {
    /// Takes the lock at once or says who has it.
    pub(super) fn take(store: &Path) -> Result<Self, StoreError> {
        let path = store.join(FILE_NAME);
        let mut file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o600)
            .open(&path)
            .map_err(StoreError::disk("open", &path))?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(StoreError::Locked { path: store.to_owned(), holder: holder(&path) });
            }
            Err(TryLockError::Error(source)) => {
                return Err(StoreError::Disk { action: "lock", path, source });
            }
        }
        // The text is for people; a full disk must not keep a collector from starting.
        let text = format!("process {} on {}\n", std::process::id(), host());
        let _ = file.set_len(0).and_then(|()| file.write_all(text.as_bytes()));
        Ok(Self { _file: file })
    }
}

fn holder(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap_or_default();
    let plain: String =
        text.trim().chars().filter(|c| !c.is_control()).take(MAX_HOLDER_CHARS).collect();
    if plain.is_empty() { "another process".to_owned() } else { plain }
}

fn host() -> String {
    match fs::read_to_string("/proc/sys/kernel/hostname") {
        Ok(name) if !name.trim().is_empty() => name.trim().to_owned(),
        _ => "an unnamed host".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::Lock;
    use crate::store::StoreError;

    #[test]
    fn the_second_taker_learns_who_was_first() {
        let dir = tempfile::tempdir().unwrap();
        // The text of a holder that is long gone does not lock.
        crate::store::disk::write_entry(
            &dir.path().join(super::FILE_NAME),
            b"process 1 on elsewhere\n",
            crate::store::disk::Old::Stays,
        )
        .unwrap();
        let first = Lock::take(dir.path()).unwrap();

        let by_link = dir.path().join("link");
        std::os::unix::fs::symlink(dir.path(), &by_link).unwrap();
        for path in [dir.path(), &by_link] {
            match Lock::take(path).unwrap_err() {
                StoreError::Locked { holder, .. } => {
                    assert!(holder.contains(&format!("process {} on ", std::process::id())));
                }
                other => panic!("{other}"),
            }
        }
        drop(first);
        Lock::take(&by_link).unwrap();
    }
}
