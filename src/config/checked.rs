//! The configuration as it is used: every value has its type and is within its bounds.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::civil::Date;
use jiff::tz::TimeZone;
use schemars::JsonSchema;
use serde::Deserialize;

use super::globs::Globs;

mod alert;
mod gate;
mod history;

pub use alert::{Alert, Receiver, ReceiverKind, ReceiverUrl};
pub use gate::{
    BaselineSource, BaselineSpec, ChangeDirection, Check, CheckKind, Gate, GateCheck,
    GateCheckKind, MinEffect, Score,
};
pub use history::History;

pub use crate::model::{CheckSeverity, OnNoData};

/// A configuration in which everything is right.
#[derive(Clone, Debug)]
pub struct Config {
    /// Version of the format: 1.
    pub version: u32,
    /// Directory at which relative paths of the file start.
    pub directory: PathBuf,
    /// The system that is watched.
    pub project: Project,
    /// Where rows are kept and for how long.
    pub store: Store,
    /// How sources are followed.
    pub collect: Collect,
    /// What is taken out of records before they are stored.
    pub redact: Redact,
    /// Where records come from, in the order of the file; names differ.
    pub sources: Vec<Source>,
    /// What must hold; ids differ.
    pub rules: Vec<Rule>,
    /// Service level objectives; ids differ.
    pub slos: Vec<Slo>,
    /// Days that are different; names differ.
    pub calendars: Vec<Calendar>,
    /// What is judged where no gate says otherwise.
    pub check: Check,
    /// Decisions by several checks, in the order of their names, which differ.
    pub gates: Vec<Gate>,
    /// How series of builds are judged.
    pub history: History,
    /// When rules are looked at and alerts are sent.
    pub alert: Alert,
    /// Who is told of alerts; names differ.
    pub receivers: Vec<Receiver>,
}

/// `[project]`.
#[derive(Clone, Debug)]
pub struct Project {
    /// Name shown on reports; never empty.
    pub name: String,
    /// Zone of weeks and of calendar days.
    pub time_zone: TimeZone,
}

/// `[store]`; paths are absolute if the directories given to `load` are.
#[derive(Clone, Debug)]
pub struct Store {
    /// Directory of the Delta table; holds no `%` with two hex digits.
    pub path: PathBuf,
    /// Directory of locks, keys and own logs; outside of `path`.
    pub state: PathBuf,
    /// Rows older than this are removed; `None` keeps them.
    pub retention: Option<Duration>,
    /// Bytes above which the oldest days are removed; `None` sets no bound.
    pub retention_bytes: Option<u64>,
    /// Files smaller than this many bytes are merged.
    pub compact_below_bytes: u64,
    /// Files younger than this are not merged.
    pub compact_after: Duration,
    /// Files that are no longer in the table are deleted after this time.
    pub vacuum_age: Duration,
}

/// `[collect]`.
#[derive(Clone, Debug)]
pub struct Collect {
    /// Longest time between reading a record and committing it.
    pub flush_interval: Duration,
    /// A commit is made when this many bytes have been read.
    pub flush_bytes: u64,
    /// Time between two looks at all sources.
    pub reconcile_interval: Duration,
    /// A record of more bytes is truncated.
    pub max_record_bytes: u64,
    /// Bytes kept of a truncated record; at most `max_record_bytes`.
    pub truncated_keep_bytes: u64,
    /// Silence after which a last line without its end is complete.
    pub idle_tail: Duration,
    /// Time that a document which cannot be parsed gets to become whole.
    pub settle_time: Duration,
    /// Most files held open at the same time.
    pub max_open_files: u32,
    /// Directories to which symbolic links may lead, besides a source's own.
    pub link_roots: Vec<PathBuf>,
}

/// `[redact]`.
#[derive(Clone, Debug)]
pub struct Redact {
    /// Where the secret of the pseudonyms is.
    pub key: KeySource,
    /// Names of secrets besides the usual ones, in lower case.
    pub secret_names: Vec<String>,
    /// Fields that become pseudonyms.
    pub personal_fields: Vec<FieldPath>,
}

/// Where the secret of the pseudonyms is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySource {
    /// In this file, which somebody has made.
    File(PathBuf),
    /// In this file, which is made by whoever needs it first.
    Own(PathBuf),
    /// It was given in the environment.
    Given(Secret),
}

/// A text that is never shown.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub(super) String);

impl Secret {
    /// The text; never to be printed, logged or stored.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// One `[[source]]`.
#[derive(Clone, Debug)]
pub struct Source {
    /// Name in the column `source`: letters, digits, `.`, `_`, `-`.
    pub name: String,
    /// What the files hold.
    pub kind: SourceKind,
    /// Which files.
    pub files: Globs,
    /// Event name of records that name none.
    pub event: Option<String>,
    /// Field with the time of the event; `None` = detected.
    pub time: Option<FieldPath>,
    /// Zone of times that name none.
    pub time_zone: TimeZone,
    /// Fields that together identify a document; empty = its path does.
    pub id: Vec<FieldPath>,
    /// Role, such as `duration`, and the field to use for it; what is not here is detected.
    pub fields: Vec<(&'static str, FieldPath)>,
    /// Unit of the duration; `None` = detected.
    pub duration_unit: Option<FieldUnit>,
}

/// A field by its dotted path, such as `req.url`: 1 to 256 bytes, no empty name in it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FieldPath(pub(super) String);

impl FieldPath {
    /// The path as written.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Text in a grammar of its own, read by another room.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expr {
    /// The text.
    pub text: String,
    /// Where it stands; for [`Loaded::place_of`](super::Loaded::place_of).
    pub(super) span: Range<usize>,
}

/// One `[[rule]]`.
#[derive(Clone, Debug)]
pub struct Rule {
    /// Name: letters, digits, `.`, `_`, `-`.
    pub id: String,
    /// What must hold.
    pub expr: Expr,
    /// What it means when it does not hold.
    pub severity: CheckSeverity,
    /// Where to read what to do.
    pub runbook: Option<String>,
    /// Judged and shown, but no part of the decision.
    pub is_shadow: bool,
    /// What it means when nothing can be told.
    pub no_data: NoData,
    /// How long it must be broken before it counts; zero = at once.
    pub hold: Duration,
}

/// One `[[slo]]`.
#[derive(Clone, Debug)]
pub struct Slo {
    /// Name: letters, digits, `.`, `_`, `-`.
    pub id: String,
    /// Which events are good.
    pub good: Expr,
    /// Share of good events to reach; `0.0 < objective_ratio < 1.0`.
    pub objective_ratio: f64,
    /// Time over which the share is taken.
    pub window: Duration,
}

/// One `[[calendar]]`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Calendar {
    /// Name shown in charts.
    pub name: String,
    /// What happens then.
    pub kind: CalendarKind,
    /// When.
    pub days: CalendarDays,
}

/// When something happens.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CalendarDays {
    /// As a file says: JSON or .ics.
    File(PathBuf, EventFields),
    /// As the files of these absolute globs say; that one cannot be read is told, and no error.
    Files(Vec<String>, EventFields),
    /// From the first day to the last, both included.
    Between(Date, Date),
}

/// Where a JSON document tells of an event; `None` = to be detected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventFields {
    /// When it begins.
    pub from: Option<FieldPath>,
    /// When it ends; a day is meant whole.
    pub to: Option<FieldPath>,
    /// Its name.
    pub name: Option<FieldPath>,
    /// What happens then.
    pub kind: Option<FieldPath>,
}

/// Makes an enum of words that are written as their names in small letters.
macro_rules! words {
    ($(#[$about:meta])* $name:ident { $($(#[$doc:meta])* $word:ident = $text:literal,)+ }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize, serde::Serialize, JsonSchema)]
        pub enum $name {
            $($(#[$doc])* #[serde(rename = $text)] $word,)+
        }

        impl $name {
            /// The word as it is written.
            pub fn as_str(self) -> &'static str {
                match self {
                    $(Self::$word => $text,)+
                }
            }
        }
    };
}
use words;

words!(
    /// What the files of a source hold.
    SourceKind {
        /// To be detected.
        Auto = "auto",
        /// One JSON object per line.
        JsonLines = "jsonl",
        /// Free text, a record per line.
        Text = "text",
        /// `key=value` pairs.
        Logfmt = "logfmt",
        /// Common or combined access log.
        AccessLog = "access",
        /// JSON documents, an event per document or per element of its list.
        Documents = "documents",
    }
);
words!(
    /// Unit of a bare number that is a duration.
    FieldUnit {
        /// Nanoseconds.
        Ns = "ns",
        /// Microseconds.
        Us = "us",
        /// Milliseconds.
        Ms = "ms",
        /// Seconds.
        S = "s",
    }
);
words!(
    /// What a rule means of which nothing can be told; there is no `pass`.
    NoData {
        /// Can't tell.
        Inconclusive = "inconclusive",
        /// As if it were a warning.
        Warn = "warn",
        /// As if it were broken.
        Fail = "fail",
    }
);
words!(
    /// What happens on the days of a calendar; `other` where nobody says it.
    CalendarKind {
        /// A new version goes out.
        Deploy = "deploy",
        /// Exams.
        Exam = "exam",
        /// Nobody works.
        Holiday = "holiday",
        /// Something is repaired.
        Maintenance = "maintenance",
        /// Anything else.
        Other = "other",
    }
);

impl Config {
    /// The gate of this name.
    pub fn gate(&self, name: &str) -> Option<&Gate> {
        self.gates.iter().find(|gate| gate.name == name)
    }

    /// The source of this name.
    pub fn source(&self, name: &str) -> Option<&Source> {
        self.sources.iter().find(|source| source.name == name)
    }

    /// The first source, in the order of the file, that reads `path`; never a file of the store.
    pub fn source_of(&self, path: &Path) -> Option<&Source> {
        let is_own = path.starts_with(&self.store.path) || path.starts_with(&self.store.state);
        let reads = |source: &&Source| !is_own && source.files.is_match(path);
        self.sources.iter().find(reads)
    }
}
