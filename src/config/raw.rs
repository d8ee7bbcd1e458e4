//! The file as it is written: which keys there are, of which type, and what they are for.
//!
//! This mirror is the only list of keys. Its JSON schema completes and explains them in editors,
//! and the same schema is what a file is checked against ([`super::grammar`]), so a value that
//! arrives here has the right type; whether it is sensible is decided in [`super::check`].
//! Defaults are not written here but in `defaults.toml`.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::ops::Range;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Deserialize;
use toml::Spanned;

use super::checked::{CalendarKind, CheckSeverity, FieldUnit, NoData, SourceKind};

mod history;
mod judging;

pub(super) use history::RawHistory;
pub(super) use judging::{
    RawAlert, RawBaseline, RawCheck, RawGate, RawGateCheck, RawReceiver, RawScore,
};

/// A value and where it stands.
#[derive(Clone, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(transparent)]
pub(super) struct Placed<T>(Spanned<T>);

impl<T> Placed<T> {
    /// The value.
    pub(super) fn value(&self) -> &T {
        self.0.get_ref()
    }

    /// Where it stands, in bytes of all texts.
    pub(super) fn span(&self) -> Range<usize> {
        self.0.span()
    }
}

impl<T: JsonSchema> JsonSchema for Placed<T> {
    fn inline_schema() -> bool {
        true
    }

    fn schema_name() -> Cow<'static, str> {
        T::schema_name()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        T::json_schema(generator)
    }
}

/// Text of a special form. The form is named in the schema and read by [`super::check`].
macro_rules! text_form {
    ($name:ident, $title:literal, $example:literal $(, $format:literal)?) => {
        #[derive(Clone, Debug, Deserialize, JsonSchema)]
        #[serde(transparent)]
        #[schemars(title = $title, extend("examples" = [$example] $(, "format" = $format)?))]
        pub(super) struct $name(String);

        impl AsRef<str> for $name {
            fn as_ref(&self) -> &str {
                &self.0
            }
        }
    };
}

text_form!(LengthText, "length of time", "28d");
text_form!(SizeText, "size", "8MiB");
text_form!(PercentText, "percentage", "99.5%");
text_form!(PathText, "path", "data/store");
text_form!(GlobText, "glob", "logs/*.jsonl*");
text_form!(FieldText, "field", "req.url");
text_form!(ZoneText, "time zone", "America/Argentina/Buenos_Aires");
text_form!(DateText, "date", "2026-12-25", "date");
text_form!(BaselineText, "baseline", "previous-deployment");
text_form!(EffectText, "size of a change", "10%");
text_form!(UrlText, "web address", "https://example.org/hook");

/// A file `plimsoll.toml`, or the part of it that was right.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "plimsoll.toml", description = "Configuration of plimsoll")]
pub(super) struct RawConfig {
    /// Version of this format: 1
    #[schemars(extend("minimum" = 1, "maximum" = 1))]
    pub version: Option<Placed<u32>>,
    /// The system that is watched
    #[serde(default)]
    pub project: RawProject,
    /// Where rows are kept and for how long
    #[serde(default)]
    pub store: RawStore,
    /// How sources are followed
    #[serde(default)]
    pub collect: RawCollect,
    /// What is taken out of records before they are stored
    #[serde(default)]
    pub redact: RawRedact,
    /// Where records come from
    #[serde(default)]
    #[schemars(extend("maxItems" = 256))]
    pub source: Vec<Placed<RawSource>>,
    /// What must hold
    #[serde(default)]
    #[schemars(extend("maxItems" = 1000))]
    pub rule: Vec<Placed<RawRule>>,
    /// Service level objectives
    #[serde(default)]
    #[schemars(extend("maxItems" = 1000))]
    pub slo: Vec<Placed<RawSlo>>,
    /// Days and weeks that are different
    #[serde(default)]
    #[schemars(extend("maxItems" = 1000))]
    pub calendar: Vec<Placed<RawCalendar>>,
    /// What is judged, and against what, where no gate says otherwise
    #[serde(default)]
    pub check: RawCheck,
    /// Decisions by several checks, each gate under its name
    #[serde(default)]
    #[schemars(extend("maxProperties" = 100))]
    pub gate: BTreeMap<Placed<String>, RawGate>,
    /// How series of builds are judged
    #[serde(default)]
    pub history: RawHistory,
    /// When rules are looked at and alerts are sent
    #[serde(default)]
    pub alert: RawAlert,
    /// Who is told of alerts
    #[serde(default)]
    #[schemars(extend("maxItems" = 100))]
    pub receiver: Vec<Placed<RawReceiver>>,
}

/// `[project]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawProject {
    /// Name shown on reports; without it the name of the directory
    pub name: Option<Placed<String>>,
    /// IANA time zone, or an offset such as `-03:00`; weeks are ISO weeks in it
    pub timezone: Option<Placed<ZoneText>>,
}

/// `[store]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawStore {
    /// Directory of the Delta table
    pub path: Option<Placed<PathText>>,
    /// Directory of locks, keys and own logs; without it the store's path with `-state` behind
    pub state: Option<Placed<PathText>>,
    /// Rows older than this are removed; `off` keeps them
    pub retention: Option<Placed<LengthText>>,
    /// The oldest days are removed when the store is larger than this; `off` sets no bound
    pub retention_size: Option<Placed<SizeText>>,
    /// Files smaller than this are merged
    pub compact_below: Option<Placed<SizeText>>,
    /// Files younger than this are not merged
    pub compact_after: Option<Placed<LengthText>>,
    /// Files that are no longer in the table are deleted after this time
    pub vacuum_age: Option<Placed<LengthText>>,
}

/// `[collect]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCollect {
    /// Longest time between reading a record and committing it
    pub flush_interval: Option<Placed<LengthText>>,
    /// A commit is made when this much has been read
    pub flush_size: Option<Placed<SizeText>>,
    /// All sources are looked through this often, whatever file events say
    pub reconcile_interval: Option<Placed<LengthText>>,
    /// A longer record becomes one row, marked as truncated
    pub max_record: Option<Placed<SizeText>>,
    /// What is kept of the beginning of a truncated record
    pub truncated_keep: Option<Placed<SizeText>>,
    /// A last line without its end is complete after this much silence
    pub idle_tail: Option<Placed<LengthText>>,
    /// A document that cannot be parsed gets this long to become whole
    pub settle_time: Option<Placed<LengthText>>,
    /// Most files held open at the same time
    #[schemars(extend("minimum" = 16, "maximum" = 1_000_000))]
    pub max_open_files: Option<Placed<u32>>,
    /// Directories to which symbolic links may lead, besides a source's own
    #[schemars(extend("maxItems" = 100))]
    pub link_roots: Option<Vec<Placed<PathText>>>,
}

/// `[redact]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRedact {
    /// Secret of the pseudonyms. Set it by the variable `PLIMSOLL_REDACT_KEY`, never in this file
    #[schemars(extend("writeOnly" = true))]
    pub key: Option<Placed<String>>,
    /// File with the secret of the pseudonyms; without it `pseudonym.key` in the state directory
    pub key_file: Option<Placed<PathText>>,
    /// Names of secrets besides the usual ones, found inside of names in any spelling
    #[schemars(extend("maxItems" = 100))]
    pub secret_names: Option<Vec<Placed<String>>>,
    /// Fields that become pseudonyms, by path or its end, in any spelling; e-mail addresses always do
    #[schemars(extend("maxItems" = 100))]
    pub personal_fields: Option<Vec<Placed<FieldText>>>,
}

/// One `[[source]]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSource {
    /// Name in the column `source`
    #[schemars(required)]
    pub name: Option<Placed<String>>,
    /// What the files hold
    pub kind: Option<Placed<SourceKind>>,
    /// Files to read
    #[schemars(required, extend("minItems" = 1, "maxItems" = 100))]
    pub include: Option<Vec<Placed<GlobText>>>,
    /// Files not to read; a glob without `/` means names in any directory
    #[schemars(extend("maxItems" = 100))]
    pub exclude: Option<Vec<Placed<GlobText>>>,
    /// Event name of records that name none
    pub event: Option<Placed<String>>,
    /// Field with the time of the event
    pub time: Option<Placed<FieldText>>,
    /// Time zone of times that name none; without it the project's
    pub timezone: Option<Placed<ZoneText>>,
    /// Fields that together identify a document
    #[schemars(extend("minItems" = 1, "maxItems" = 16))]
    pub id: Option<Vec<Placed<FieldText>>>,
    /// Fields to use instead of the detected ones
    #[serde(default)]
    pub fields: RawFields,
}

/// `[source.fields]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawFields {
    /// Severity
    pub level: Option<Placed<FieldText>>,
    /// Text
    pub message: Option<Placed<FieldText>>,
    /// How long it took
    pub duration: Option<Placed<FieldText>>,
    /// Unit of the duration, where the number does not tell
    pub unit: Option<Placed<FieldUnit>>,
    /// HTTP status
    pub status: Option<Placed<FieldText>>,
    /// Route or path; ids in it become `{id}`
    pub route: Option<Placed<FieldText>>,
    /// HTTP method
    pub method: Option<Placed<FieldText>>,
    /// Version or release
    pub version: Option<Placed<FieldText>>,
    /// Service
    pub service: Option<Placed<FieldText>>,
    /// Host
    pub host: Option<Placed<FieldText>>,
    /// Environment, such as production
    pub environment: Option<Placed<FieldText>>,
    /// Deployment
    pub deployment: Option<Placed<FieldText>>,
    /// Event name
    pub event: Option<Placed<FieldText>>,
    /// Trace id
    pub trace_id: Option<Placed<FieldText>>,
    /// Span id
    pub span_id: Option<Placed<FieldText>>,
    /// Parent span id
    pub parent_span_id: Option<Placed<FieldText>>,
    /// Request id
    pub request_id: Option<Placed<FieldText>>,
    /// User; becomes a pseudonym
    pub user: Option<Placed<FieldText>>,
}

impl RawFields {
    /// Every role with the field that is named for it.
    pub(super) fn roles(&self) -> [(&'static str, Option<&Placed<FieldText>>); 17] {
        [
            ("level", self.level.as_ref()),
            ("message", self.message.as_ref()),
            ("duration", self.duration.as_ref()),
            ("status", self.status.as_ref()),
            ("route", self.route.as_ref()),
            ("method", self.method.as_ref()),
            ("version", self.version.as_ref()),
            ("service", self.service.as_ref()),
            ("host", self.host.as_ref()),
            ("environment", self.environment.as_ref()),
            ("deployment", self.deployment.as_ref()),
            ("event", self.event.as_ref()),
            ("trace_id", self.trace_id.as_ref()),
            ("span_id", self.span_id.as_ref()),
            ("parent_span_id", self.parent_span_id.as_ref()),
            ("request_id", self.request_id.as_ref()),
            ("user", self.user.as_ref()),
        ]
    }
}

/// One `[[rule]]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawRule {
    /// Name in reports and exit texts
    #[schemars(required)]
    pub id: Option<Placed<String>>,
    /// What must hold, such as `p95(duration) < 300ms where route = "/api/orders"`
    #[schemars(required)]
    pub expr: Option<Placed<String>>,
    /// What it means when it does not hold
    pub severity: Option<Placed<CheckSeverity>>,
    /// Where to read what to do: a web address or a path
    pub runbook: Option<Placed<String>>,
    /// Judge and show it, but leave it out of the decision
    pub shadow: Option<Placed<bool>>,
    /// What it means when nothing can be told; never a pass
    pub no_data: Option<Placed<NoData>>,
    /// How long it must be broken before it counts
    #[serde(rename = "for")]
    pub hold: Option<Placed<LengthText>>,
}

/// One `[[slo]]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawSlo {
    /// Name in reports
    #[schemars(required)]
    pub id: Option<Placed<String>>,
    /// Which events are good, such as `status < 500`
    #[schemars(required)]
    pub good: Option<Placed<String>>,
    /// Share of good events to reach
    #[schemars(required)]
    pub objective: Option<Placed<PercentText>>,
    /// Time over which the share is taken
    pub window: Option<Placed<LengthText>>,
}

/// One `[[calendar]]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawCalendar {
    /// Name shown in charts
    #[schemars(required)]
    pub name: Option<Placed<String>>,
    /// What happens then; of events in files, where they do not say it
    pub kind: Option<Placed<CalendarKind>>,
    /// File with events: JSON, JSON lines or .ics; instead of `from` and `to`
    pub file: Option<Placed<PathText>>,
    /// Files with events, such as JSON documents with one event each; instead of `file`
    #[schemars(extend("minItems" = 1, "maxItems" = 100))]
    pub include: Option<Vec<Placed<GlobText>>>,
    /// Fields of JSON events to use instead of the detected ones
    #[serde(default)]
    pub fields: RawEventFields,
    /// First day, in the project's time zone
    pub from: Option<Placed<DateText>>,
    /// Last day; without it the first
    pub to: Option<Placed<DateText>>,
}

/// `[calendar.fields]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(super) struct RawEventFields {
    /// Day or moment at which it begins
    pub from: Option<Placed<FieldText>>,
    /// Last day, or moment at which it ends
    pub to: Option<Placed<FieldText>>,
    /// Name
    pub name: Option<Placed<FieldText>>,
    /// Kind: deploy, exam, holiday, maintenance
    pub kind: Option<Placed<FieldText>>,
}
