//! Which files a source reads: globs made absolute, matched against absolute paths.
//!
//! `*` and `?` stop at `/`, `**` does not. Nothing is looked up on disk.

use std::path::{Path, PathBuf};

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Longest glob, in bytes.
pub(super) const MAX_GLOB_LEN: usize = 4_096;
/// What makes a word a glob.
const WILD: [char; 5] = ['*', '?', '[', '{', '\\'];

/// Which files a source reads.
#[derive(Clone, Debug)]
pub struct Globs {
    include: Vec<Glob>,
    exclude: Vec<String>,
    wanted: GlobSet,
    unwanted: GlobSet,
}

/// One glob.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Glob {
    /// As written, made absolute, without `.` and `..`.
    pub absolute: String,
    /// The directory below which all matches lie, or the file itself.
    pub base: PathBuf,
}

/// Why a text is no glob.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum GlobError {
    /// Nothing is written.
    #[error("must not be empty")]
    Empty,
    /// More than [`MAX_GLOB_LEN`] bytes.
    #[error("must have at most {MAX_GLOB_LEN} bytes")]
    TooLong,
    /// It names a directory.
    #[error("must name files, not a directory")]
    Directory,
    /// `..` after a wildcard.
    #[error("must not have `..` behind a wildcard")]
    Upward,
    /// A home directory that nobody expands here.
    #[error("must not begin with `~`, which is not expanded")]
    Home,
    /// The syntax is wrong.
    #[error("must be a glob; {0}")]
    Syntax(String),
}

impl Globs {
    /// Puts globs together.
    ///
    /// # Errors
    /// When together they are too large to be matched.
    pub(super) fn new(include: Vec<Glob>, exclude: &[Glob]) -> Result<Self, GlobError> {
        let (wanted, unwanted) = (set(&include)?, set(exclude)?);
        let exclude = exclude.iter().map(|glob| glob.absolute.clone()).collect();
        Ok(Self { include, exclude, wanted, unwanted })
    }

    /// Whether the file of this absolute path is to be read.
    pub fn is_match(&self, path: &Path) -> bool {
        self.wanted.is_match(path) && !self.unwanted.is_match(path)
    }

    /// Where to look: for each glob the directory below which all its matches lie, or, for a
    /// glob without wildcards, the file itself.
    pub fn bases(&self) -> impl Iterator<Item = &Path> {
        self.include.iter().map(|glob| glob.base.as_path())
    }

    /// The globs of files that are left out, absolute.
    pub fn excluded(&self) -> &[String] {
        &self.exclude
    }

    /// The globs as they are matched, absolute.
    pub fn patterns(&self) -> impl Iterator<Item = &str> {
        self.include.iter().map(|glob| glob.absolute.as_str())
    }
}

impl Glob {
    /// Reads a glob that starts at `directory` unless it is absolute.
    ///
    /// # Errors
    /// When it can match nothing, or not what was meant.
    pub(super) fn new(written: &str, directory: &Path) -> Result<Self, GlobError> {
        check_text(written)?;
        let absolute = if written.starts_with('/') {
            written.to_owned()
        } else {
            let start = globset::escape(&directory.to_string_lossy());
            format!("{}/{written}", start.trim_end_matches('/'))
        };
        let absolute = without_dots(&absolute).ok_or(GlobError::Upward)?;
        let glob = Self { base: base(&absolute), absolute };
        set(std::slice::from_ref(&glob))?;
        Ok(glob)
    }
}

fn check_text(written: &str) -> Result<(), GlobError> {
    match written {
        "" => Err(GlobError::Empty),
        _ if written.len() > MAX_GLOB_LEN => Err(GlobError::TooLong),
        _ if written.ends_with('/') || matches!(written, "." | "..") => Err(GlobError::Directory),
        _ if written.starts_with('~') => Err(GlobError::Home),
        _ if written.contains('\0') => Err(GlobError::Syntax("a file name has no NUL".to_owned())),
        _ => Ok(()),
    }
}

fn set(globs: &[Glob]) -> Result<GlobSet, GlobError> {
    let syntax = |error: &globset::Error| GlobError::Syntax(error.kind().to_string());
    let mut builder = GlobSetBuilder::new();
    for glob in globs {
        let built = GlobBuilder::new(&glob.absolute).literal_separator(true).build();
        builder.add(built.map_err(|error| syntax(&error))?);
    }
    builder.build().map_err(|error| syntax(&error))
}

/// The glob with `.` and `..` resolved by their text; `None` for `..` behind a wildcard.
fn without_dots(absolute: &str) -> Option<String> {
    let mut kept: Vec<&str> = Vec::new();
    for part in absolute.split('/') {
        match part {
            "" | "." => {}
            ".." if kept.iter().any(|before| plain(before).is_none()) => return None,
            ".." => {
                kept.pop();
            }
            _ => kept.push(part),
        }
    }
    Some(format!("/{}", kept.join("/")))
}

/// The only name that a part of a glob matches; `None` when it is wild.
///
/// A character escaped as `[*]`, as in a directory's own odd name, is not wild.
fn plain(part: &str) -> Option<String> {
    let mut name = String::new();
    let mut rest = part.chars();
    while let Some(c) = rest.next() {
        if c == '[' {
            name.push(rest.next().filter(|c| "*?[]{}!".contains(*c))?);
            rest.next().filter(|c| *c == ']')?;
        } else if WILD.contains(&c) {
            return None;
        } else {
            name.push(c);
        }
    }
    Some(name)
}

fn base(absolute: &str) -> PathBuf {
    let parts = absolute.split('/').skip(1);
    let names = parts.map_while(plain);
    names.fold(PathBuf::from("/"), |path, name| path.join(name))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::{Glob, GlobError, Globs, MAX_GLOB_LEN};

    fn check(written: &str, want: Result<(&str, &str), &str>) {
        let got = Glob::new(written, Path::new("/srv/a[1]"));
        let got = got.as_ref().map(|glob| (glob.absolute.as_str(), glob.base.to_str().unwrap()));
        assert_eq!(got.map_err(ToString::to_string), want.map_err(str::to_owned), "{written}");
    }

    #[test]
    fn globs_become_absolute() {
        check("logs/*.log", Ok(("/srv/a[[]1[]]/logs/*.log", "/srv/a[1]/logs")));
        check("./logs/a.log", Ok(("/srv/a[[]1[]]/logs/a.log", "/srv/a[1]/logs/a.log")));
        check("../b/**/*.json", Ok(("/srv/b/**/*.json", "/srv/b"))); // up through an odd name
        check("/var//log/x/../a.log", Ok(("/var/log/a.log", "/var/log/a.log")));
        check("/../../etc/*.log", Ok(("/etc/*.log", "/etc"))); // nothing is above the root
        check("*.log", Ok(("/srv/a[[]1[]]/*.log", "/srv/a[1]")));
    }

    #[test]
    fn what_can_match_nothing_is_refused() {
        check("", Err("must not be empty"));
        check("logs/", Err("must name files, not a directory"));
        check("~/logs/*.log", Err("must not begin with `~`, which is not expanded"));
        check("logs/*/../x", Err("must not have `..` behind a wildcard"));
        check(
            "logs/{a",
            Err("must be a glob; unclosed alternate group; missing '}' \
            (maybe escape '{' with '[{]'?)"),
        );
        check("logs/[a", Err("must be a glob; unclosed character class; missing ']'"));
        check(&"a".repeat(MAX_GLOB_LEN + 1), Err("must have at most 4096 bytes"));
    }

    #[test]
    fn too_much_for_the_matcher_is_an_error() {
        // Groups within groups: the expression behind it would nest too deep.
        let deep = format!("{}x{}", "{a,".repeat(1_000), "}".repeat(1_000));
        let got = Glob::new(&deep, Path::new("/"));
        assert!(matches!(got, Err(GlobError::Syntax(_))), "{got:?}");
    }

    #[test]
    fn a_star_stops_at_a_slash() {
        let glob = |text| Glob::new(text, Path::new("/srv")).unwrap();
        let globs = Globs::new(vec![glob("logs/*.log*")], &[glob("/**/*.gz")]).unwrap();
        for (path, want) in [
            ("/srv/logs/a.log", true),
            ("/srv/logs/a.log.1", true),
            ("/srv/logs/a.log.gz", false),
            ("/srv/logs/old/a.log", false),
            ("logs/a.log", false), // not absolute
        ] {
            assert_eq!(globs.is_match(Path::new(path)), want, "{path}");
        }
        assert_eq!(globs.bases().collect::<Vec<_>>(), [Path::new("/srv/logs")]);
    }
}
