//! Finds and reads `plimsoll.toml`: the only part of this room that touches files.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

/// Name of the configuration file.
pub const FILE_NAME: &str = "plimsoll.toml";
/// Longest configuration file, in bytes.
pub(super) const MAX_FILE_LEN: usize = 1 << 20;

/// The configuration file cannot be had.
#[derive(Debug, thiserror::Error)]
pub enum ReadError {
    /// It is not there, or may not be read.
    #[error("cannot read configuration `{}`", path.display())]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is more than a configuration.
    #[error("configuration `{}` has more than {MAX_FILE_LEN} bytes", path.display())]
    TooLong {
        /// The file.
        path: PathBuf,
    },
}

/// The nearest `plimsoll.toml` from `directory` upward to the root of its repository, which is the
/// directory with an entry `.git`. Outside of a repository only `directory` itself is looked at:
/// a file that somebody put into `/tmp` must not steer what is done in `/tmp/mine`.
///
/// # Errors
/// When a directory may not be looked at.
pub fn discover(directory: &Path) -> Result<Option<PathBuf>, ReadError> {
    let mut nearest = None;
    for (height, above) in directory.ancestors().enumerate() {
        let file = above.join(FILE_NAME);
        if nearest.is_none() && is_there(&file)? {
            nearest = Some((height, file));
        }
        if is_there(&above.join(".git"))? {
            return Ok(nearest.map(|(_, file)| file));
        }
    }
    Ok(nearest.filter(|(height, _)| *height == 0).map(|(_, file)| file))
}

fn is_there(path: &Path) -> Result<bool, ReadError> {
    path.try_exists().map_err(|source| ReadError::Unreadable { path: path.to_owned(), source })
}

/// The bytes of a configuration file.
///
/// # Errors
/// When it cannot be read or has more than 1 MiB.
pub(super) fn read(path: &Path) -> Result<Vec<u8>, ReadError> {
    let mut bytes = Vec::new();
    let most = MAX_FILE_LEN as u64 + 1;
    let read = File::open(path).and_then(|file| file.take(most).read_to_end(&mut bytes));
    read.map_err(|source| ReadError::Unreadable { path: path.to_owned(), source })?;
    if bytes.len() > MAX_FILE_LEN {
        return Err(ReadError::TooLong { path: path.to_owned() });
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};
    use std::path::Path;

    use super::{MAX_FILE_LEN, ReadError, discover, read};

    /// Makes the entries below a new directory and looks from `start`; what is found is told
    /// relative to that directory.
    fn check(entries: &[&str], start: &str, want: Option<&str>) {
        let root = tempfile::tempdir().unwrap();
        for entry in entries {
            let path = root.path().join(entry);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            File::create(path).unwrap();
        }
        let start = root.path().join(start);
        fs::create_dir_all(&start).unwrap();
        let got = discover(&start).unwrap();
        let got = got.as_deref().map(|path| path.strip_prefix(root.path()).unwrap());
        assert_eq!(got, want.map(Path::new), "{entries:?} from {start:?}");
    }

    #[test]
    fn the_nearest_file_up_to_the_repository_is_found() {
        check(&[], "a", None);
        check(&["a/plimsoll.toml"], "a", Some("a/plimsoll.toml"));
        check(&["r/.git/HEAD", "r/plimsoll.toml"], "r/a/b", Some("r/plimsoll.toml"));
        check(&["r/.git", "r/plimsoll.toml"], "r/a", Some("r/plimsoll.toml")); // a worktree
        check(
            &["r/.git/HEAD", "r/plimsoll.toml", "r/a/plimsoll.toml"],
            "r/a/b",
            Some("r/a/plimsoll.toml"),
        );
        // Not beyond the repository, and not upward where there is none.
        check(&["plimsoll.toml", "r/.git/HEAD"], "r/a", None);
        check(&["a/plimsoll.toml"], "a/b", None);
    }

    #[test]
    fn a_file_has_a_limit() {
        let root = tempfile::tempdir().unwrap();
        for (len, want) in [(MAX_FILE_LEN, true), (MAX_FILE_LEN + 1, false)] {
            let path = root.path().join("c.toml");
            File::create(&path).unwrap().set_len(len as u64).unwrap();
            assert_eq!(read(&path).is_ok(), want, "{len}");
        }
        let error = read(&root.path().join("none.toml")).unwrap_err();
        assert!(matches!(error, ReadError::Unreadable { .. }), "{error}");
    }
}
