//! A synthetic school platform: two weeks of logs and documents with planted incidents.
//!
//! The platform is a Next.js application on Vercel with 169 invented people, written about in
//! Spanish. [`write_to`] lays its files out in a directory:
//!
//! | file | holds |
//! |---|---|
//! | `logs/drain-YYYY-MM-DD.jsonl` | Vercel log-drain records of one local day, in time order |
//! | `data/student-reports/…_reporte.json` | one document per weekly report, in two shapes |
//! | `deploys.jsonl` | what was deployed when |
//! | `calendar.ics` | holidays, exams, maintenance |
//! | `truth.json` | what was planted and what can be counted, as `plimsoll.truth/1` |
//!
//! Guaranteed: equal [`DemoOptions`] give equal bytes on every machine; memory does not grow with
//! the rate; `truth.json` counts what was written, not what was meant. Without an incident nothing
//! drifts: what changes is the rhythm of day and week, and the days that `calendar.ics` names.
//! Local time is Buenos Aires, which is UTC−3 all year. Not a load test of a real platform: people
//! come independently of one another, and no request causes the next.

mod document;
mod events;
mod line;
mod message;
mod person;
mod plan;
mod random;
mod request;
mod rhythm;
mod route;
mod stream;
mod tally;
mod text;
mod traffic;
mod truth;

#[cfg(test)]
mod tests;

use std::fmt;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::str::FromStr;

use jiff::civil::Date;

use crate::durable;
pub use stream::{LogOnly, Sink};

/// Most days one data set may have.
pub const MAX_DAYS: u32 = 366;
/// Fewest days that leave a week before an incident.
pub const MIN_DAYS_WITH_INCIDENT: u32 = 8;
/// Highest mean rate, in requests per day.
pub const MAX_REQUESTS_PER_DAY: f64 = 1e9;

/// What to generate; [`Default`] is the data set a newcomer sees.
#[derive(Clone, Debug, PartialEq)]
pub struct DemoOptions {
    /// Chooses people, moments and every number.
    pub seed: u64,
    /// First local day; later than 1970 and earlier than 2200.
    pub first_day: Date,
    /// Number of local days, 1 to [`MAX_DAYS`].
    pub days: u32,
    /// Requests per day, as a mean over an ordinary week; 1 to [`MAX_REQUESTS_PER_DAY`].
    pub requests_per_day: f64,
    /// What goes wrong in the last six days.
    pub incident: Incident,
    /// How much is logged per request.
    pub detail: Detail,
    /// Most documents to write; later submissions are only logged.
    pub max_documents: u32,
}

impl Default for DemoOptions {
    /// Returns two weeks up to midnight of Sunday 22 November 2026, with about 60,000 records.
    fn default() -> Self {
        Self {
            seed: 42,
            first_day: Date::constant(2026, 11, 8),
            days: 14,
            requests_per_day: 1_420.0,
            incident: Incident::All,
            detail: Detail::Full,
            max_documents: 2_000,
        }
    }
}

/// What goes wrong in the data.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Incident {
    /// Nothing; deployments change nothing.
    None,
    /// A deployment makes one of the busiest routes 1.8 times slower.
    SlowRoute,
    /// A deployment makes 5xx answers four times as frequent on all routes.
    Errors,
    /// For one to three hours somebody tries passwords.
    SigninFailures,
    /// On two or three school days four of five weekly reports are not handed in.
    SubmissionsDrop,
    /// All of them.
    #[default]
    All,
}

impl Incident {
    const NAMES: [(Self, &'static str); 6] = [
        (Self::None, "none"),
        (Self::SlowRoute, "slow-route"),
        (Self::Errors, "errors"),
        (Self::SigninFailures, "signin-failures"),
        (Self::SubmissionsDrop, "submissions-drop"),
        (Self::All, "all"),
    ];

    /// The name used on the command line and in `truth.json`.
    pub fn name(self) -> &'static str {
        Self::NAMES.iter().find(|(it, _)| *it == self).map_or("none", |(_, name)| name)
    }

    /// True if `part` goes wrong when `self` is asked for.
    pub(crate) fn includes(self, part: Self) -> bool {
        self == part || (self == Self::All && part != Self::None)
    }
}

impl fmt::Display for Incident {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl FromStr for Incident {
    type Err = DemoError;

    fn from_str(name: &str) -> Result<Self, DemoError> {
        Self::NAMES
            .iter()
            .find(|(_, known)| *known == name)
            .map(|(incident, _)| *incident)
            .ok_or_else(|| DemoError::UnknownIncident { name: name.to_owned() })
    }
}

/// How much is logged per request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Detail {
    /// As on Vercel: about three records a request, all fields.
    #[default]
    Full,
    /// One short record a request with whole milliseconds, and texts only of notable events.
    Brief,
}

/// Why a data set could not be made.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The number of days is out of range.
    #[error("days is {got}, must be {min} to {MAX_DAYS}")]
    Days {
        /// Days asked for.
        got: u32,
        /// Fewest days possible with the incident asked for.
        min: u32,
    },
    /// The first day is out of range.
    #[error("first day is {got}, must be in the years 1970 to 2199")]
    FirstDay {
        /// Day asked for.
        got: Date,
    },
    /// The rate is out of range.
    #[error("rate is {got} requests per day, must be 1 to {MAX_REQUESTS_PER_DAY}")]
    Rate {
        /// Rate asked for.
        got: f64,
    },
    /// There is no such incident.
    #[error(
        "no incident `{name}`, must be one of none, slow-route, errors, signin-failures, \
         submissions-drop, all"
    )]
    UnknownIncident {
        /// Name asked for.
        name: String,
    },
    /// The directory holds something already, which would mix with the data set.
    #[error("directory `{}` is not empty", path.display())]
    NotEmpty {
        /// The directory.
        path: PathBuf,
    },
    /// A file or directory could not be read or written.
    #[error("cannot write demo data to `{}`", path.display())]
    Write {
        /// The file or directory.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// What was written, counted while writing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DemoSummary {
    /// First millisecond since 1970 in UTC, inclusive.
    pub from_ms: i64,
    /// End of the last day in milliseconds since 1970 in UTC, exclusive.
    pub until_ms: i64,
    /// Log records, without the malformed lines.
    pub records: u64,
    /// Lines that are not JSON.
    pub malformed: u64,
    /// Bytes of log, with the malformed lines.
    pub log_bytes: u64,
    /// Distinct request ids.
    pub requests: u64,
    /// Requests answered with 500 to 599.
    pub status_5xx: u64,
    /// Sign-ins refused because of the password.
    pub sign_in_failures: u64,
    /// Weekly reports handed in.
    pub submissions: u64,
    /// Documents written.
    pub documents: u64,
    /// Deployments in `deploys.jsonl`.
    pub deploys: u64,
    /// Incidents in `truth.json`.
    pub incidents: u64,
}

/// Writes a data set into `dir`, which must be empty or absent; `truth.json` comes last.
///
/// # Errors
///
/// Fails if an option is out of its range, if `dir` holds anything, or if it cannot be written.
pub fn write_to(dir: &Path, options: &DemoOptions) -> Result<DemoSummary, DemoError> {
    let plan = plan::Plan::new(options)?;
    let failed = |source| DemoError::Write { path: dir.to_owned(), source };
    match fs::read_dir(dir).map(|mut entries| entries.next().is_some()) {
        Ok(true) => return Err(DemoError::NotEmpty { path: dir.to_owned() }),
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
        _ => fs::create_dir_all(dir.join("logs")).map_err(failed)?,
    }
    let mut files = Files { dir, log: None, at: dir.to_owned() };
    let tally = match stream::write(&plan, options, &mut files) {
        Ok(tally) => tally,
        Err(source) => return Err(DemoError::Write { path: files.at, source }),
    };
    for (name, bytes) in [
        ("deploys.jsonl", events::deploys_jsonl(&plan)),
        ("calendar.ics", events::calendar_ics(&plan)),
        ("truth.json", truth::json(&plan, options, &tally)),
    ] {
        durable::write_whole(&dir.join(name), &bytes)
            .map_err(|error| DemoError::Write { path: error.path, source: error.source })?;
    }
    Ok(truth::summary(&plan, &tally))
}

/// Streams a data set into `sink` without touching any file, and returns `truth.json` beside the
/// counts.
///
/// # Errors
///
/// Fails if an option is out of its range or if `sink` fails.
pub fn stream_to(
    sink: &mut impl Sink,
    options: &DemoOptions,
) -> Result<(DemoSummary, Vec<u8>), DemoError> {
    let plan = plan::Plan::new(options)?;
    let tally = stream::write(&plan, options, sink)
        .map_err(|source| DemoError::Write { path: PathBuf::from("-"), source })?;
    Ok((truth::summary(&plan, &tally), truth::json(&plan, options, &tally)))
}

/// Files below `dir`.
///
/// Documents and logs are not flushed to the disk one by one: a data set that can be made again
/// from its options needs no durability, and `truth.json` tells whether it is complete.
struct Files<'a> {
    dir: &'a Path,
    log: Option<(Date, File)>,
    at: PathBuf,
}

impl Sink for Files<'_> {
    fn log(&mut self, day: Date, bytes: &[u8]) -> io::Result<()> {
        let mut file = match self.log.take() {
            Some((open, file)) if open == day => file,
            _ => {
                self.at = self.dir.join(format!("logs/drain-{day}.jsonl"));
                File::create_new(&self.at)?
            }
        };
        file.write_all(bytes)?;
        self.log = Some((day, file));
        Ok(())
    }

    fn document(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        let path = self.dir.join(path);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        let written = File::create(&path).and_then(|mut file| file.write_all(bytes));
        if written.is_err() {
            self.at = path;
        }
        written
    }
}
