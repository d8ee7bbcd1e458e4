//! From the words on the command line to a sorted list of inputs.

use std::collections::HashSet;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::model::one_line;
use globset::GlobBuilder;
use walkdir::{DirEntry, WalkDir};

/// One thing to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Input {
    /// Standard input.
    Stdin,
    /// A file, compressed or not, that was named: that it cannot be used is an error.
    Named(PathBuf),
    /// A file that a directory or glob led to: that it cannot be used is worth a note.
    Found(PathBuf),
}

impl Input {
    /// The name people see: the path as found, or `-`.
    pub fn name(&self) -> String {
        match self {
            Self::Stdin => "-".to_owned(),
            Self::Named(path) | Self::Found(path) => path.display().to_string(),
        }
    }

    /// Whether the words name this very input.
    pub fn is_named(&self) -> bool {
        !matches!(self, Self::Found(_))
    }
}

/// What the words on the command line lead to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Discovery {
    /// What is to be read, in order.
    pub inputs: Vec<Input>,
    /// What looks like a log and is not read, with the reason: `is a link out of the directory`.
    pub passed_over: Vec<(String, String)>,
}

/// The words on the command line lead to nothing that can be read.
#[derive(Debug, thiserror::Error)]
pub enum DiscoverError {
    /// The path is not there, or may not be looked at.
    #[error("cannot read `{}`", one_line(&path.display().to_string()))]
    Unreadable {
        /// The path as given, or found inside a directory.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// A directory holds nothing that looks like a log.
    #[error(
        "no log files in directory `{}` ({seen} other files{also}; looked for {LOG_ENDINGS_TEXT})",
        one_line(&path.display().to_string())
    )]
    NoLogs {
        /// The directory.
        path: PathBuf,
        /// Files that were passed over.
        seen: usize,
        /// What would be a log, were it a file of the directory.
        also: String,
    },
    /// A glob matched nothing.
    #[error("no file matches `{}`", one_line(pattern))]
    NoMatch {
        /// The glob.
        pattern: String,
    },
    /// Not a glob.
    #[error("`{}` is not a valid glob", one_line(pattern))]
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
const LOG_ENDINGS: [&str; 10] =
    ["log", "json", "jsonl", "ndjson", "txt", "out", "err", "logfmt", "csv", "tsv"];
/// Where reports are written by default: not what they are made of.
const OWN_REPORTS: &str = "plimsoll-report";
const LOG_ENDINGS_TEXT: &str = ".log .json .jsonl .ndjson .txt .out .err .logfmt .csv .tsv, \
                                rotated .1 …, and .gz .zst of these";

/// Finds the inputs behind the words of a command line, each once, in order of first mention;
/// what a directory or glob gives is sorted by path. A file that is reached in two ways, as by
/// `app.log` and `./app.log`, is one input.
///
/// A directory gives its log files at any depth, without hidden ones, without links that leave it
/// and without what is no file. A word with `*`, `?`, `[` or `{` that is not itself a file is a
/// glob.
///
/// # Errors
/// When a word leads to nothing readable; nothing is skipped in silence.
pub fn discover(words: &[String]) -> Result<Discovery, DiscoverError> {
    let mut discovery = Discovery::default();
    let mut seen: HashSet<PathBuf> = HashSet::new();
    for word in words {
        if word == "-" {
            if discovery.inputs.contains(&Input::Stdin) {
                return Err(DiscoverError::StdinTwice);
            }
            discovery.inputs.push(Input::Stdin);
            continue;
        }
        for input in inputs_of(word, &mut discovery.passed_over)? {
            let (Input::Named(path) | Input::Found(path)) = &input else { continue };
            // Where the canonical path cannot be told, reading will say why.
            if seen.insert(path.canonicalize().unwrap_or_else(|_| path.clone())) {
                discovery.inputs.push(input);
            }
        }
    }
    Ok(discovery)
}

type PassedOver = Vec<(String, String)>;

fn inputs_of(word: &str, passed_over: &mut PassedOver) -> Result<Vec<Input>, DiscoverError> {
    let path = PathBuf::from(word);
    let found = match fs::metadata(&path) {
        Ok(metadata) if metadata.is_dir() => log_files_in(&path, passed_over)?,
        Ok(_) => return Ok(vec![Input::Named(path)]),
        Err(_) if word.contains(['*', '?', '[', '{']) => files_matching(word, passed_over)?,
        Err(source) => return Err(DiscoverError::Unreadable { path, source }),
    };
    Ok(found.into_iter().map(Input::Found).collect())
}

fn log_files_in(dir: &Path, passed_over: &mut PassedOver) -> Result<Vec<PathBuf>, DiscoverError> {
    let Listing { files, others } = list(dir)?;
    let (found, rest): (Vec<PathBuf>, Vec<PathBuf>) =
        files.into_iter().partition(|path| looks_like_a_log(path));
    let mut noted = PassedOver::new();
    note_others(others, looks_like_a_log, &mut noted);
    if found.is_empty() {
        let also = noted.first().map(|(path, reason)| format!("; `{}` {reason}", one_line(path)));
        let (path, seen) = (dir.to_owned(), rest.len());
        return Err(DiscoverError::NoLogs { path, seen, also: also.unwrap_or_default() });
    }
    passed_over.extend(noted);
    Ok(found)
}

fn files_matching(
    pattern: &str,
    passed_over: &mut PassedOver,
) -> Result<Vec<PathBuf>, DiscoverError> {
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
    if !root.is_dir() {
        return Err(DiscoverError::NoMatch { pattern: pattern.to_owned() });
    }
    let here = |path: PathBuf| path.strip_prefix("./").map(Path::to_owned).unwrap_or(path);
    let Listing { files, others } = list(&root)?;
    let matching: Vec<PathBuf> =
        files.into_iter().map(here).filter(|path| glob.is_match(path)).collect();
    if matching.is_empty() {
        return Err(DiscoverError::NoMatch { pattern: pattern.to_owned() });
    }
    let others = others.into_iter().map(|(path, reason)| (here(path), reason)).collect();
    note_others(others, |path| glob.is_match(path), passed_over);
    Ok(matching)
}

/// Notes what would have been read, were it a file of this directory.
fn note_others(
    others: Vec<(PathBuf, &'static str)>,
    is_wanted: impl Fn(&Path) -> bool,
    passed_over: &mut PassedOver,
) {
    for (path, reason) in others {
        if reason == LINKED_DIR || is_wanted(&path) {
            passed_over.push((path.display().to_string(), reason.to_owned()));
        }
    }
}

const LINKED_DIR: &str = "is a link to a directory";
const LINK_OUTSIDE: &str = "is a link out of the directory";
const BROKEN_LINK: &str = "is a link to nothing";
const NO_FILE: &str = "is a pipe, socket or device";

/// What lies below a directory.
struct Listing {
    files: Vec<PathBuf>,
    /// Neither files nor directories, with what they are.
    others: Vec<(PathBuf, &'static str)>,
}

/// Lists what lies below a directory, sorted, hidden entries left out.
fn list(root: &Path) -> Result<Listing, DiscoverError> {
    let visible = |entry: &DirEntry| {
        let name = entry.file_name().to_string_lossy();
        entry.depth() == 0 || !(name.starts_with('.') || name == OWN_REPORTS)
    };
    let mut listing = Listing { files: Vec::new(), others: Vec::new() };
    for entry in WalkDir::new(root).sort_by_file_name().into_iter().filter_entry(visible) {
        let entry = entry.map_err(|error| DiscoverError::Unreadable {
            path: error.path().unwrap_or(root).to_owned(),
            source: error.into_io_error().unwrap_or_else(|| io::ErrorKind::Other.into()),
        })?;
        match what_is(&entry, root) {
            Thing::Directory => {}
            Thing::File => listing.files.push(entry.into_path()),
            Thing::Other(reason) => listing.others.push((entry.into_path(), reason)),
        }
    }
    Ok(listing)
}

enum Thing {
    Directory,
    File,
    Other(&'static str),
}

/// A link out of the tree would let whoever can write one log make us read any other file.
fn what_is(entry: &DirEntry, root: &Path) -> Thing {
    let kind = entry.file_type();
    if kind.is_dir() {
        return Thing::Directory;
    }
    if kind.is_file() {
        return Thing::File;
    }
    if !kind.is_symlink() {
        return Thing::Other(NO_FILE);
    }
    match (entry.path().canonicalize(), root.canonicalize()) {
        (Ok(target), _) if target.is_dir() => Thing::Other(LINKED_DIR),
        (Ok(target), Ok(root)) if !target.starts_with(&root) => Thing::Other(LINK_OUTSIDE),
        (Ok(target), _) if target.is_file() => Thing::File,
        (Ok(_), _) => Thing::Other(NO_FILE),
        (Err(_), _) => Thing::Other(BROKEN_LINK),
    }
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
        let discovery = discover(&words).unwrap();
        let short = |name: &str| name.replace(&dir.path().display().to_string(), "");
        let got: Vec<String> = discovery.inputs.iter().map(|input| short(&input.name())).collect();
        // The link is the file that was found before.
        assert_eq!(got, ["/logs/a.log", "/logs/b.log", "/logs/deep/c.jsonl"]);
        assert!(!discovery.inputs.iter().any(Input::is_named));
    }

    #[test]
    fn what_is_no_file_is_passed_over_with_a_note() {
        let dir = tempfile::tempdir().unwrap();
        let at = |name: &str| dir.path().join(name);
        fs::create_dir_all(at("deep")).unwrap();
        fs::File::create(at("a.log")).unwrap();
        symlink("/etc/passwd", at("evil.log")).unwrap();
        symlink("/etc/passwd", at("evil.html")).unwrap(); // would not have been read anyway
        symlink(at("nowhere"), at("lost.log")).unwrap();
        symlink(at("deep"), at("current")).unwrap();
        let _socket = std::os::unix::net::UnixListener::bind(at("s.log")).unwrap();
        let discovery = discover(&[dir.path().display().to_string()]).unwrap();
        let got: Vec<String> = discovery
            .passed_over
            .iter()
            .map(|(path, reason)| format!("{} {reason}", path.rsplit('/').next().unwrap()))
            .collect();
        assert_eq!(
            got,
            [
                "current is a link to a directory",
                "evil.log is a link out of the directory",
                "lost.log is a link to nothing",
                "s.log is a pipe, socket or device",
            ]
        );
    }

    #[test]
    fn a_directory_with_nothing_but_a_link_says_so() {
        let dir = tempfile::tempdir().unwrap();
        symlink("/etc/passwd", dir.path().join("a.log")).unwrap();
        let error = discover(&[dir.path().display().to_string()]).unwrap_err().to_string();
        assert!(error.contains("a.log` is a link out of the directory"), "{error}");
    }

    #[test]
    fn one_file_spelled_in_two_ways_is_one_input() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join("d")).unwrap();
        fs::File::create(dir.path().join("a.log")).unwrap();
        let words = ["a.log", "d/../a.log", "./a.log"]
            .map(|name| format!("{}/{name}", dir.path().display()));
        assert_eq!(discover(&words).unwrap().inputs.len(), 1);
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
        // A glob below a directory that is missing names the glob once.
        check(&["no/such/*.log"], "no file matches `no/such/*.log`");
        check(&["evil\n::error::x.log"], "cannot read `evil\\n::error::x.log`");
        assert_eq!(discover(&["-".to_owned()]).unwrap().inputs, [Input::Stdin]);
        assert!(matches!(discover(&["a{".to_owned()]), Err(DiscoverError::BadGlob { .. })));
    }
}
