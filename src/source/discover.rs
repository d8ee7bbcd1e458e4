//! From the words on the command line to a sorted list of inputs.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use globset::GlobBuilder;
use walkdir::{DirEntry, WalkDir};

/// One thing to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Standard input.
    Stdin,
    /// A file, compressed or not.
    File(PathBuf),
}

impl Input {
    /// The name people see: the path as found, or `-`.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => "-".to_owned(),
            Self::File(path) => path.display().to_string(),
        }
    }
}

/// The words on the command line lead to nothing that can be read.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// The path is not there, or may not be looked at.
    #[error("cannot read `{}`", path.display())]
    Unreadable {
        /// The path as given, or found inside a directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A directory holds nothing that looks like a log.
    #[error(
        "no log files in directory `{}` ({seen} other files; looked for {LOG_ENDINGS_TEXT})",
        path.display()
    )]
    NoLogs {
        /// The directory.
        path: PathBuf,
        /// Files that were passed over.
        seen: usize,
    },
    /// A glob matched nothing.
    #[error("no file matches `{pattern}`")]
    NoMatch {
        /// The glob.
        pattern: String,
    },
    /// Not a glob.
    #[error("`{pattern}` is not a valid glob")]
    BadGlob {
        /// The word as given.
        pattern: String,
        /// What is wrong with it.
        source: globset::Error,
    },
    /// Standard input named twice.
    #[error("standard input `-` was named more than once")]
    StdinTwice,
}

/// Endings of files that are taken from a directory.
const LOG_ENDINGS: [&str; 8] = ["log", "json", "jsonl", "ndjson", "txt", "out", "err", "logfmt"];
/// Where reports are written by default: not what they are made of.
const OWN_REPORTS: &str = "plimsoll-report";
const LOG_ENDINGS_TEXT: &str =
    ".log .json .jsonl .ndjson .txt .out .err .logfmt, rotated .1 …, and .gz .zst of these";

/// Finds the inputs behind the words of a command line, each once, in order of first mention;
/// what a directory or glob gives is sorted by path.
///
/// A directory gives its log files at any depth, without hidden ones and without links that
/// leave it. A word with `*`, `?`, `[` or `{` that is not itself a file is a glob.
///
/// # Errors
/// When a word leads to nothing readable; nothing is skipped in silence.
pub fn discover(words: &[String]) -> Result<Vec<Input>, DiscoverError> {
    let mut inputs: Vec<Input> = Vec::new();
    for word in words {
        if word == "-" {
            if inputs.contains(&Input::Stdin) {
                return Err(DiscoverError::StdinTwice);
            }
            inputs.push(Input::Stdin);
            continue;
        }
        for path in paths_of(word)? {
            let input = Input::File(path);
            if !inputs.contains(&input) {
                inputs.push(input);
            }
        }
    }
    Ok(inputs)
}

fn paths_of(word: &str) -> Result<Vec<PathBuf>, DiscoverError> {
    let path = PathBuf::from(word);
    match fs::metadata(&path) {
        Ok(metadata) if metadata.is_dir() => log_files_in(&path),
        Ok(_) => Ok(vec![path]),
        Err(_) if word.contains(['*', '?', '[', '{']) => files_matching(word),
        Err(source) => Err(DiscoverError::Unreadable { path, source }),
    }
}

fn log_files_in(dir: &Path) -> Result<Vec<PathBuf>, DiscoverError> {
    let mut found = Vec::new();
    let mut seen = 0;
    for path in regular_files(dir)? {
        if looks_like_a_log(&path) {
            found.push(path);
        } else {
            seen += 1;
        }
    }
    if found.is_empty() {
        return Err(DiscoverError::NoLogs { path: dir.to_owned(), seen });
    }
    Ok(found)
}

fn files_matching(pattern: &str) -> Result<Vec<PathBuf>, DiscoverError> {
    let glob = GlobBuilder::new(pattern.strip_prefix("./").unwrap_or(pattern))
        .literal_separator(true)
        .build()
        .map_err(|source| DiscoverError::BadGlob { pattern: pattern.to_owned(), source })?
        .compile_matcher();
    let fixed = pattern.split(['*', '?', '[', '{']).next().unwrap_or_default();
    let root = match fixed.rsplit_once('/') {
        Some(("", _)) => PathBuf::from("/"),
        Some((root, _)) => PathBuf::from(root),
        None => PathBuf::from("."),
    };
    let matching: Vec<PathBuf> = regular_files(&root)?
        .into_iter()
        .map(|path| path.strip_prefix("./").map(Path::to_owned).unwrap_or(path))
        .filter(|path| glob.is_match(path))
        .collect();
    if matching.is_empty() {
        return Err(DiscoverError::NoMatch { pattern: pattern.to_owned() });
    }
    Ok(matching)
}

/// Every regular file below a directory, sorted, hidden ones left out.
fn regular_files(root: &Path) -> Result<Vec<PathBuf>, DiscoverError> {
    let visible = |entry: &DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0 || !(name.starts_with('.') || name == OWN_REPORTS)
    };
    let mut files = Vec::new();
    for entry in WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(visible) {
        let entry = entry.map_err(|error| DiscoverError::Unreadable {
            path: error.path().unwrap_or(root).to_owned(),
            source: error.into(),
        })?;
        if entry.file_type().is_file() || link_stays_inside(&entry, root) {
            files.push(entry.into_path());
        }
    }
    Ok(files)
}

/// Whether an entry is a link to a regular file below `root`.
///
/// A link out of the tree would let whoever can write one log make us read any other file.
fn link_stays_inside(entry: &DirEntry, root: &Path) -> bool {
    let target_inside = || -> io::Result<bool> {
        let target = entry.path().canonicalize()?;
        Ok(target.starts_with(root.canonicalize()?) && target.is_file())
    };
    entry.file_type().is_symlink() && target_inside().unwrap_or(false)
}

fn looks_like_a_log(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy().to_ascii_lowercase();
    let mut endings = name.rsplit('.').peekable();
    while let Some(ending) = endings.next() {
        if endings.peek().is_none() {
            return false; // the name itself, not an ending
        }
        // `app.log-20261118` is how logrotate names with `dateext`.
        let undated = ending.trim_end_matches(|c: char| c.is_ascii_digit() || c == '-');
        if LOG_ENDINGS.contains(&undated) {
            return true;
        }
        let rotation = ending.bytes().all(|byte| byte.is_ascii_digit() || byte == b'-');
        if !rotation && !["gz", "zst"].contains(&ending) {
            return false;
        }
    }
    false
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::os::unix::fs::symlink;
    use std::path::Path;

    use super::{DiscoverError, Input, discover, looks_like_a_log};

    #[test]
    fn log_names_are_told_from_other_names() {
        for (name, want) in [
            ("app.log", true),
            ("app.log.1", true),
            ("app.log.2.gz", true),
            ("app.log-20261118.zst", true),
            ("APP.LOG", true),
            ("drain.jsonl", true),
            ("page.html", false),
            ("calendar.ics", false),
            ("log", false),
            ("backup.tar.gz", false),
            ("1", false),
        ] {
            assert_eq!(looks_like_a_log(Path::new(name)), want, "{name}");
        }
    }

    #[test]
    fn directories_globs_and_files_meet_once_and_sorted() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("logs/deep")).unwrap();
        for name in ["logs/b.log", "logs/a.log", "logs/deep/c.jsonl", "logs/x.html", "logs/.h.log"]
        {
            fs::File::create(at(name)).unwrap();
        }
        symlink("/etc/passwd", at("logs/evil.log")).unwrap();
        symlink(at("logs/a.log"), at("logs/deep/twin.log")).unwrap();

        let words = [at("logs/*.log"), at("logs")].map(|path| path.display().to_string());
        let got: Vec<String> = discover(&words)
            .unwrap()
            .iter()
            .map(|input| input.name().replace(&dir.path().display().to_string(), ""))
            .collect();
        assert_eq!(
            got,
            ["/logs/a.log", "/logs/b.log", "/logs/deep/c.jsonl", "/logs/deep/twin.log"]
        );
    }

    #[test]
    fn a_word_that_leads_nowhere_is_an_error_that_names_it() {
        let dir = tempfile::tempdir().unwrap();
        let empty = dir.path().display().to_string();
        let check = |words: &[&str], want: &str| {
            let words: Vec<String> = words.iter().map(|&word| word.to_owned()).collect();
            let error = discover(&words).unwrap_err().to_string();
            assert!(error.contains(want), "{error}");
        };
        check(&["no/such/file.log"], "cannot read `no/such/file.log`");
        check(&[&empty], "no log files in directory");
        check(&[&format!("{empty}/*.log")], "no file matches");
        check(&["-", "-"], "more than once");
        assert!(matches!(discover(&["-".to_owned()]).as_deref(), Ok([Input::Stdin])));
        assert!(matches!(discover(&["a{".to_owned()]), Err(DiscoverError::BadGlob { .. })));
    }
}
