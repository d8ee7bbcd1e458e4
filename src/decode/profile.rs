//! What was understood of one input: its format and which field plays which role.

use super::csv::CsvLayout;
use super::unit::DurationUnit;

/// What a field is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Role {
    /// When it happened.
    Time,
    /// How bad it is.
    Level,
    /// What is said.
    Message,
    /// How long it took.
    Duration,
    /// How it ended.
    Status,
    /// Which operation: a route or a path.
    Route,
    /// HTTP method.
    Method,
    /// Version, release or deployment that said it.
    Version,
    /// Service.
    Service,
    /// Host.
    Host,
    /// Environment.
    Environment,
    /// Deployment id.
    Deployment,
    /// Event name.
    Event,
    /// Trace id.
    TraceId,
    /// Span id.
    SpanId,
    /// Parent span id.
    ParentSpanId,
    /// Request id.
    RequestId,
    /// User.
    User,
}

impl Role {
    /// Every role, in the order people read them.
    pub const ALL: [Self; 18] = [
        Self::Time,
        Self::Level,
        Self::Message,
        Self::Duration,
        Self::Status,
        Self::Route,
        Self::Method,
        Self::Version,
        Self::Service,
        Self::Host,
        Self::Environment,
        Self::Deployment,
        Self::Event,
        Self::TraceId,
        Self::SpanId,
        Self::ParentSpanId,
        Self::RequestId,
        Self::User,
    ];

    /// The word in output and in options such as `--duration`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Time => "time",
            Self::Level => "level",
            Self::Message => "message",
            Self::Duration => "duration",
            Self::Status => "status",
            Self::Route => "route",
            Self::Method => "method",
            Self::Version => "version",
            Self::Service => "service",
            Self::Host => "host",
            Self::Environment => "environment",
            Self::Deployment => "deployment",
            Self::Event => "event",
            Self::TraceId => "trace_id",
            Self::SpanId => "span_id",
            Self::ParentSpanId => "parent_span_id",
            Self::RequestId => "request_id",
            Self::User => "user",
        }
    }
}

/// How a record is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// One JSON object.
    Json,
    /// `key=value` pairs.
    Logfmt,
    /// Combined or common access log.
    AccessLog,
    /// Columns under a header line.
    Csv,
    /// Free text, mostly with a leading time.
    Text,
}

/// How the numbers of a level field are read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LevelScale {
    /// Words, or OpenTelemetry numbers.
    #[default]
    Text,
    /// 10 trace … 60 fatal.
    Pino,
    /// 0 emergency … 7 debug.
    Syslog,
    /// OpenTelemetry span status: 2 is an error, anything else says nothing.
    SpanStatus,
}

/// A field that holds a duration.
#[derive(Clone, Debug, PartialEq)]
pub struct DurationField {
    /// Dotted path; of a span, the path of its beginning.
    pub path: String,
    /// Dotted path of the end, where a duration is an end minus a beginning.
    pub until: Option<String>,
    /// Field and value that a record must have for the duration to count.
    pub only_when: Option<(&'static str, &'static str)>,
    /// Unit of a bare number.
    pub unit: DurationUnit,
    /// Why that unit was taken although nothing said so.
    pub guess: Option<String>,
}

/// What was understood of one input.
#[derive(Clone, Debug, PartialEq)]
pub struct Profile {
    /// The known shape, such as `pino`; `json`, `logfmt`, `combined`, `text` for the plain ones.
    pub shape: &'static str,
    /// For people: `JSON lines (pino)`.
    pub label: String,
    /// How a record is written.
    pub syntax: Syntax,
    /// Columns of a CSV input.
    pub csv: Option<CsvLayout>,
    /// Whether records lie in arrays or span lines.
    pub wrapped: bool,
    /// Whether one record can hold many events (export batches, documents with a list).
    pub unfolds: bool,
    /// Fields by role, best first; the first that a record has counts.
    pub fields: Vec<(Role, Vec<String>)>,
    /// Duration fields, best first.
    pub durations: Vec<DurationField>,
    /// Field with the nanoseconds to add to a time given in whole seconds.
    pub nanos_of_second: Option<&'static str>,
    /// How level numbers are read.
    pub level_scale: LevelScale,
    /// Whether the message text is read for what the fields do not tell.
    pub reads_messages: bool,
    /// Whether one request logs several records that share a request id.
    pub joins_requests: bool,
    /// Event name of records that name none, such as `report.submitted` of report documents.
    pub default_event: Option<&'static str>,
    /// Offset of times without a zone, seconds east of UTC.
    pub zone_offset_s: i32,
    /// Year of times without one.
    pub year: i32,
    /// Guesses and doubts, one sentence each.
    pub notes: Vec<String>,
}

impl Profile {
    /// Fields of a role, best first; empty when the input has none.
    pub fn paths(&self, role: Role) -> &[String] {
        self.fields
            .iter()
            .find(|(known, _)| *known == role)
            .map_or(&[], |(_, paths)| paths.as_slice())
    }

    /// Role and field for people: `duration` → `responseTime (ms)`.
    pub fn described(&self) -> Vec<(String, String)> {
        let mut rows = Vec::new();
        for role in Role::ALL {
            let text = if role == Role::Duration {
                let fields: Vec<String> = self.durations.iter().map(DurationField::text).collect();
                fields.join(", ")
            } else {
                self.paths(role).join(", ")
            };
            if !text.is_empty() {
                rows.push((role.name().to_owned(), text));
            }
        }
        rows
    }
}

impl DurationField {
    fn text(&self) -> String {
        let guess = if self.guess.is_some() { ", a guess" } else { "" };
        match &self.until {
            Some(until) => format!("{until} − {} ({}{guess})", self.path, self.unit.symbol()),
            None => format!("{} ({}{guess})", self.path, self.unit.symbol()),
        }
    }
}
