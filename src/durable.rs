//! Files reach the disk whole or not at all.

use std::fs::File;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

/// A file could not be written; the old one, if any, is untouched.
#[derive(Debug, thiserror::Error)]
#[error("cannot write `{}`", path.display())]
pub struct WriteError {
    /// The file that was to be written.
    pub path: PathBuf,
    /// Why not.
    pub source: io::Error,
}

/// Writes a whole file: temporary file beside it, fsync, rename, fsync of the directory.
///
/// It is readable by all as far as the user's umask allows: a report is written to be read.
/// A pipe or a device, such as `/dev/stdout`, is written to and stays what it is.
///
/// # Errors
/// When any step fails; the temporary file is removed and an existing file stays as it was.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    let is_special = |found: std::fs::Metadata| !found.is_file() && !found.is_dir();
    if std::fs::metadata(path).is_ok_and(is_special) {
        let opened = File::options().write(true).open(path);
        return opened
            .and_then(|mut special| special.write_all(bytes))
            .map_err(|source| WriteError { path: path.to_owned(), source });
    }
    write(path, bytes, Kept::Replaced, 0o644)
}

/// As [`write_whole`], but an existing file is a failure and stays.
///
/// # Errors
/// When there is such a file, or any step fails.
pub fn write_new(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    write(path, bytes, Kept::Kept, 0o644)
}

/// As [`write_new`], for the owner's eyes only; missing directories are made.
///
/// # Errors
/// When there is such a file, or any step fails.
pub fn write_private(path: &Path, bytes: &[u8]) -> Result<(), WriteError> {
    use std::os::unix::fs::DirBuilderExt;
    let made = path.parent().map_or(Ok(()), |parent| {
        std::fs::DirBuilder::new().recursive(true).mode(0o700).create(parent)
    });
    made.map_err(|source| WriteError { path: path.to_owned(), source })?;
    write(path, bytes, Kept::Kept, 0o600)
}

/// What happens to a file that is there already.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Kept {
    Kept,
    Replaced,
}

fn write(path: &Path, bytes: &[u8], old: Kept, mode: u32) -> Result<(), WriteError> {
    use std::os::unix::fs::PermissionsExt;
    let attempt = || -> io::Result<()> {
        let parent = match path.parent() {
            Some(parent) if !parent.as_os_str().is_empty() => parent,
            _ => Path::new("."),
        };
        let mut temporary = tempfile::Builder::new()
            .prefix(".plimsoll-")
            .permissions(std::fs::Permissions::from_mode(mode))
            .tempfile_in(parent)?;
        temporary.write_all(bytes)?;
        temporary.as_file().sync_all()?;
        match old {
            Kept::Replaced => temporary.persist(path),
            Kept::Kept => temporary.persist_noclobber(path),
        }
        .map_err(|persist| persist.error)?;
        File::open(parent)?.sync_all()
    };
    attempt().map_err(|source| WriteError { path: path.to_owned(), source })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::FileTypeExt;
    use std::process::Command;

    use super::write_whole;

    #[test]
    fn a_pipe_or_device_was_replaced_by_a_file() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("pipe");
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        let reading = std::thread::spawn({
            let path = path.clone();
            move || std::fs::read(path).unwrap()
        });
        write_whole(&path, b"new").unwrap();
        assert!(std::fs::metadata(&path).unwrap().file_type().is_fifo());
        assert_eq!(reading.join().unwrap(), b"new");
    }

    #[test]
    fn a_failed_write_leaves_the_old_file_and_nothing_else() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("report.html");
        write_whole(&path, b"old").unwrap();
        write_whole(&path, b"new").unwrap();
        assert_eq!(std::fs::read(&path).unwrap(), b"new");

        let error = write_whole(&dir.path().join("missing/report.html"), b"x").unwrap_err();
        assert!(error.to_string().contains("missing/report.html"), "{error}");
        assert_eq!(std::fs::read_dir(dir.path()).unwrap().count(), 1);
    }
}
