//! The history of measured values: one line per value, over builds, so that slow drift is seen.
//!
//! Guarantees: lines are appended whole and synced, or the file stays as it was; a line that
//! cannot be read is told with its number, and those around it are kept. The file is JSON lines,
//! so that it merges in git and can be mended by hand.
//!
//! Not done here: whether a series got worse, see `judge`. Values of benchmark tools come in
//! through [`import`].

pub mod import;
mod line;
mod unit;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use schemars::Schema;

use crate::model::{Direction, Unit};

/// Most bytes of a history that are read: some million values.
pub const MAX_HISTORY_BYTES: u64 = 512 << 20;
/// Most unreadable lines that are told one by one; all are counted.
const MAX_TOLD: usize = 10;

/// One measured value.
#[derive(Clone, Debug, PartialEq)]
pub struct Point {
    /// What was measured, such as a rule's id or a benchmark's name. Text of others: untrusted.
    pub series: String,
    /// How much, in `unit`.
    pub value: f64,
    /// Unit as its source names it; may be empty.
    pub unit: String,
    /// Whether less is better; `None` where its source does not say.
    pub smaller_is_better: Option<bool>,
    /// When; `None` where its source does not say.
    pub at: Option<Timestamp>,
    /// Commit that was measured.
    pub commit: Option<String>,
    /// Branch that was measured.
    pub branch: Option<String>,
    /// Count of the samples behind the value.
    pub n: Option<u64>,
    /// Who measured.
    pub origin: Origin,
}

impl Point {
    /// A value of which only this is known.
    pub fn new(origin: Origin, series: impl Into<String>, value: f64, unit: &str) -> Self {
        let (series, unit) = (series.into(), unit.to_owned());
        let (at, commit, branch, n) = (None, None, None, None);
        Self { series, value, unit, smaller_is_better: None, at, commit, branch, n, origin }
    }

    /// The unit on a page, and what `value` is multiplied by to have it; `None` for a unit that
    /// pages do not know.
    pub fn shown_unit(&self) -> Option<(Unit, f64)> {
        unit::shown(&self.unit)
    }

    /// Which way is worse, by its source or else by its unit: more time and more bytes are, more
    /// of something per second is not. Neutral where neither tells.
    pub fn direction(&self) -> Direction {
        match self.smaller_is_better.or_else(|| unit::smaller_is_better(&self.unit)) {
            Some(true) => Direction::UpIsWorse,
            Some(false) => Direction::DownIsWorse,
            None => Direction::Neutral,
        }
    }
}

/// The name under which plimsoll's own values of a unit stand in a history.
pub fn unit_name(unit: Unit) -> &'static str {
    unit::name(unit)
}

/// Who measured a value.
#[derive(
    Clone,
    Copy,
    Debug,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    serde::Serialize,
    serde::Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Origin {
    /// plimsoll itself.
    Check,
    /// Criterion.rs.
    Criterion,
    /// hyperfine.
    Hyperfine,
    /// k6.
    K6,
    /// Lighthouse.
    Lighthouse,
    /// github-action-benchmark, for any tool it collects.
    GithubActionBenchmark,
}

/// The JSON schema of a line.
pub fn schema() -> Schema {
    schemars::schema_for!(line::Line)
}

/// A history cannot be read or written.
#[derive(Debug, thiserror::Error)]
pub enum HistoryError {
    /// The file could not be read.
    #[error("cannot read history `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file could not be written. It is as it was; at worst its last line is torn.
    #[error("cannot append to history `{}`", path.display())]
    Append {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The file is larger than [`MAX_HISTORY_BYTES`].
    #[error(
        "history `{}` has {bytes} bytes, at most {MAX_HISTORY_BYTES} are read: \
         move its oldest lines to another file",
        path.display()
    )]
    TooLarge {
        /// The file.
        path: PathBuf,
        /// Its size.
        bytes: u64,
    },
    /// A line longer than is read.
    #[error(
        "series `{series}…` makes a line of {bytes} bytes, a history holds at most {}: \
         give it a shorter name",
        line::MAX_LINE_BYTES
    )]
    TooLong {
        /// How the name of the series begins.
        series: String,
        /// Length of the line.
        bytes: usize,
    },
    /// A value of nobody knows when.
    #[error("series `{series}` has a value without a time, a history is in the order of time")]
    NoTime {
        /// The series.
        series: String,
    },
    /// A value that JSON cannot hold.
    #[error("series `{series}` has the value {value}, a history holds finite numbers only")]
    NotFinite {
        /// The series.
        series: String,
        /// Its value.
        value: f64,
    },
}

/// A line that could not be read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unread {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it. May quote the line: untrusted.
    pub why: String,
}

/// What a history file holds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct History {
    /// Values in the order of time; those of the same time in the order of the file.
    pub points: Vec<Point>,
    /// The first lines that could not be read.
    pub unread: Vec<Unread>,
    /// Count of all lines that could not be read.
    pub unread_count: usize,
    /// Count of lines that repeat a value, as a second import of the same file leaves them.
    pub repeated_count: usize,
}

impl History {
    /// Reads a history; a file that is not there is an empty one.
    ///
    /// # Errors
    /// When the file cannot be read or is too large.
    pub fn read(path: &Path) -> Result<Self, HistoryError> {
        let wrong = |source| HistoryError::Read { path: path.to_owned(), source };
        let file = match File::open(path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Self::default()),
            Err(error) => return Err(wrong(error)),
        };
        let bytes = file.metadata().map_err(wrong)?.len();
        if bytes > MAX_HISTORY_BYTES {
            return Err(HistoryError::TooLarge { path: path.to_owned(), bytes });
        }
        let mut text = Vec::new();
        file.take(MAX_HISTORY_BYTES).read_to_end(&mut text).map_err(wrong)?;
        Ok(Self::parse(&text))
    }

    /// Reads the bytes of a history.
    pub fn parse(text: &[u8]) -> Self {
        let mut history = Self::default();
        let mut seen = BTreeSet::new();
        for (index, bytes) in text.split_inclusive(|byte| *byte == b'\n').enumerate() {
            if bytes.trim_ascii().is_empty() {
                continue;
            }
            match line::parse(bytes) {
                Ok(point) => {
                    let Point { origin, at, .. } = point;
                    let key = (point.series.clone(), origin, at, point.commit.clone());
                    if seen.insert((key, point.value.to_bits())) {
                        history.points.push(point);
                    } else {
                        history.repeated_count += 1;
                    }
                }
                Err(why) => {
                    history.unread_count += 1;
                    if history.unread.len() < MAX_TOLD {
                        history.unread.push(Unread { line: index + 1, why });
                    }
                }
            }
        }
        history.points.sort_by_key(|point| point.at);
        history
    }

    /// Adds the points that are not there yet, and returns them with their times.
    ///
    /// A point is there when one of the same series, origin, commit, value and time is; where its
    /// source does not say the time, the same commit is enough. It then gets the time `now`.
    pub fn add(&mut self, points: Vec<Point>, now: Timestamp) -> Vec<Point> {
        let key = |point: &Point| {
            let (series, commit) = (point.series.clone(), point.commit.clone());
            (series, point.origin, commit, point.value.to_bits())
        };
        let mut known: BTreeMap<_, BTreeSet<Option<Timestamp>>> = BTreeMap::new();
        for point in &self.points {
            known.entry(key(point)).or_default().insert(point.at);
        }
        let mut added = Vec::new();
        for point in points {
            let times = known.entry(key(&point)).or_default();
            let is_there = match point.at {
                Some(_) => times.contains(&point.at),
                None => point.commit.is_some() && !times.is_empty(),
            };
            if !is_there {
                let at = point.at.or(Some(now));
                times.insert(at);
                added.push(Point { at, ..point });
            }
        }
        self.points.extend(added.iter().cloned());
        self.points.sort_by_key(|point| point.at);
        added
    }
}

/// Appends `points` and waits until they are on disk.
///
/// Two that append at the same time wait for each other.
///
/// # Errors
/// When a value is not finite or has no time, a line too long, or the file cannot be written;
/// nothing is appended then.
pub fn append(path: &Path, points: &[Point]) -> Result<(), HistoryError> {
    let mut text = String::new();
    for point in points {
        if !point.value.is_finite() {
            let (series, value) = (point.series.clone(), point.value);
            return Err(HistoryError::NotFinite { series, value });
        }
        let no_time = || HistoryError::NoTime { series: point.series.clone() };
        let start = text.len();
        line::push(&mut text, point, point.at.ok_or_else(no_time)?);
        let bytes = text.len() - start;
        if bytes > line::MAX_LINE_BYTES {
            let series = point.series.chars().take(40).collect();
            return Err(HistoryError::TooLong { series, bytes });
        }
    }
    append_text(path, &text)
        .map_err(|source| HistoryError::Append { path: path.to_owned(), source })
}

fn append_text(path: &Path, text: &str) -> io::Result<()> {
    let mut file = File::options().create(true).read(true).append(true).open(path)?;
    file.lock()?;
    let old_len = file.metadata()?.len();
    // A line that a crash tore must not take the next one with it.
    let is_torn = old_len > 0 && {
        let mut last = [0];
        file.seek(SeekFrom::End(-1))?;
        file.read_exact(&mut last)?;
        last != *b"\n"
    };
    let separator = if is_torn { "\n" } else { "" };
    let written =
        file.write_all(format!("{separator}{text}").as_bytes()).and_then(|()| file.sync_all());
    if let Err(error) = written {
        // Where this fails as well, a torn line stays: it is told when it is read.
        let _best_effort = file.set_len(old_len);
        return Err(error);
    }
    if old_len == 0 {
        let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
        File::open(parent.unwrap_or(Path::new(".")))?.sync_all()?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
