//! The report as one value: everything a page says, before it is drawn.
//!
//! Renderers only lay this out; they compute no number. `report.json` is this value.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::finding::{Example, Finding, Series};
use super::{Direction, Unit, Verdict, Window};

/// A health report. Schema `plimsoll.report/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Report {
    /// Always `plimsoll.report/1`.
    pub schema: String,
    /// Project or input name. May hold log text.
    pub project: String,
    /// Inputs as named on the command line. May hold hostile text.
    #[serde(default)]
    pub inputs: Vec<String>,
    /// ISO week of the newest record in the report's zone, such as `2026-W47`.
    pub week: String,
    /// IANA name of the zone in which weeks and days are counted.
    pub zone: String,
    /// "Now" of the report (newest record unless told otherwise), RFC 3339 UTC.
    pub now: String,
    /// All data that was read.
    pub span: Window,
    /// The window that is judged.
    pub current: Window,
    /// The window it is compared with; `None` when there is no history.
    pub before: Option<Window>,
    /// Over all findings.
    pub verdict: Verdict,
    /// At most three sentences, made from tested findings only.
    pub headline: Vec<String>,
    /// How much was tested.
    pub coverage: Coverage,
    /// Four tiles.
    pub tiles: Vec<Tile>,
    /// What changed, most important first.
    pub findings: Vec<Finding>,
    /// Deploys, holidays, exams, maintenance: lines on the charts.
    pub events: Vec<EventMark>,
    /// Routes (or other operations), worst first.
    pub routes: Vec<RouteRow>,
    /// Detail of the routes that changed or weigh most.
    pub details: Vec<RouteDetail>,
    /// Messages of warn level or worse that are new or grew, with counts before and now.
    #[serde(default)]
    pub templates: Vec<TemplateRow>,
    /// Where a measure did what it never did before, most novel first. It says where to look, and
    /// is no part of the verdict.
    #[serde(default)]
    pub look_here: Vec<NovelMoment>,
    /// What was read and what was not.
    pub quality: Quality,
    /// How the numbers were made.
    pub method: Method,
    /// JSON paths of the fields that hold text from logs.
    pub untrusted_text_fields: Vec<String>,
}

impl Report {
    /// JSON paths of everything that can hold text from logs, names of files and of fields
    /// included.
    pub const UNTRUSTED_TEXT_FIELDS: [&str; 24] = [
        "project",
        "inputs",
        "headline",
        "tiles[].note",
        "findings[].group",
        "findings[].metric",
        "findings[].linked_event.name",
        "findings[].confidence_why",
        "findings[].options[].title",
        "findings[].options[].verify",
        "findings[].examples",
        "events[].kind",
        "events[].name",
        "routes[].route",
        "details[].route",
        "details[].splits[].value",
        "templates[].template",
        "details[].slowest[].id",
        "details[].slowest[].at",
        "quality.reject_examples",
        "quality.inputs[].name",
        "quality.inputs[].fields",
        "quality.notes[].text",
        "method.settings",
    ];
}

/// How much was tested, and how it came out.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Coverage {
    /// Tests made.
    pub tested: u32,
    /// Tests that found a change.
    pub changed: u32,
    /// Tests that found none beyond the tolerated size.
    pub unchanged: u32,
    /// Tests with too little data.
    pub inconclusive: u32,
}

/// One big number.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Tile {
    /// What it is, such as `Requests` or `p95 of key routes`.
    pub name: String,
    /// Now; `None` when it cannot be told.
    pub value: Option<f64>,
    /// Unit.
    pub unit: Unit,
    /// The same in the window before; a count as if that were as long as the window itself.
    pub before: Option<f64>,
    /// Usual range, from the history.
    pub usual: Option<[f64; 2]>,
    /// Which way is worse.
    pub direction: Direction,
    /// Verdict of the tests behind it.
    pub verdict: Verdict,
    /// One clause of explanation, such as `objective 99.5 %` or why it cannot be told.
    pub note: String,
    /// Values over the span for a sparkline.
    pub series: Series,
}

/// A known event on the time axis.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventMark {
    /// `deploy`, `holiday`, `exam`, `maintenance`, …
    pub kind: String,
    /// Its name. May hold log text.
    pub name: String,
    /// When it began, microseconds since the epoch, UTC.
    pub at_us: i64,
    /// When it ended, for events that last.
    pub until_us: Option<i64>,
    /// `file` (given with `--events`) or `first seen` (a version's first record).
    pub origin: String,
}

/// A route (or operation) in the table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RouteRow {
    /// Route template, or the operation's name. Log text: untrusted.
    pub route: String,
    /// Stable fragment id for links, such as `r-1f2e3d4c`.
    pub anchor: String,
    /// Verdict of its latency and error tests together.
    pub verdict: Verdict,
    /// p95 before, milliseconds.
    pub before_ms: Option<f64>,
    /// p95 now, milliseconds.
    pub now_ms: Option<f64>,
    /// Relative change in per cent.
    pub change_pct: Option<f64>,
    /// Likely range of the change in per cent.
    pub interval_pct: Option<[f64; 2]>,
    /// Requests before and now.
    pub n: [u64; 2],
    /// Failed requests (5xx, crashed, or error level where there is no status) before and now.
    pub errors: [u64; 2],
    /// p95 over the span.
    pub sparkline: Series,
    /// Whether p95 now rests on fewer than 200 durations and is shown grey.
    pub thin: bool,
    /// Share of failed requests, before and now; `None` without requests.
    pub error_ratio: [Option<f64>; 2],
}

/// One route in detail.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RouteDetail {
    /// Route template. Log text: untrusted.
    pub route: String,
    /// The same anchor as in the table.
    pub anchor: String,
    /// Counts, error rate and percentiles by window.
    pub windows: Vec<WindowCell>,
    /// Histogram bounds in milliseconds (n + 1 bounds for n bins), log-spaced.
    pub histogram_bounds_ms: Vec<f64>,
    /// Share of durations in each bin before and now.
    pub histogram: [Vec<f64>; 2],
    /// Split by version.
    pub splits: Vec<SplitRow>,
    /// The slowest records in the current window, at most five.
    pub slowest: Vec<SlowRecord>,
}

/// Numbers of one window of one route.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct WindowCell {
    /// Start of the window, microseconds since the epoch, UTC.
    pub start_us: i64,
    /// Requests.
    pub n: u64,
    /// Failed requests.
    pub errors: u64,
    /// `errors / n`.
    pub error_ratio: f64,
    /// Median duration, milliseconds.
    pub p50_ms: Option<f64>,
    /// 95th percentile.
    pub p95_ms: Option<f64>,
    /// 99th percentile.
    pub p99_ms: Option<f64>,
}

/// A part of a route's traffic.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SplitRow {
    /// Field it is split by, such as `version`.
    pub field: String,
    /// Value of that field. Log text: untrusted.
    pub value: String,
    /// Requests before and now.
    pub n: [u64; 2],
    /// p95 before and now, milliseconds.
    pub p95_ms: [Option<f64>; 2],
    /// Share of failed requests before and now.
    pub error_ratio: [Option<f64>; 2],
}

/// A message template and how often it came.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TemplateRow {
    /// Message with its variables masked. Log text: untrusted.
    pub template: String,
    /// Severity word, such as `ERROR`; empty when unknown.
    pub severity: String,
    /// Records before and now.
    pub n: [u64; 2],
    /// First record, RFC 3339 UTC.
    pub first_seen: String,
    /// Whether it was never seen before the current window.
    pub new: bool,
}

/// A moment at which a measure did what it never did before.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct NovelMoment {
    /// Measure, such as `p95(duration_ms)`.
    pub metric: String,
    /// Beginning of the window, RFC 3339 UTC.
    pub at: String,
    /// The measure's value then.
    pub value: f64,
    /// Its unit.
    pub unit: Unit,
    /// What is novel, such as `new maximum` or `unlike yesterday`.
    pub reason: String,
    /// How novel, from 0 to 1.
    pub score: f64,
}

/// One slow record.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct SlowRecord {
    /// Event time, RFC 3339 UTC.
    pub ts: String,
    /// Duration in milliseconds.
    pub duration_ms: f64,
    /// Status, where there is one.
    pub status: Option<i32>,
    /// Request or trace id. Log text: untrusted.
    pub id: Option<String>,
    /// Where the record is.
    pub at: Example,
}

/// What was read and what was not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Quality {
    /// Records read.
    pub records: u64,
    /// Records decoded into events.
    pub events: u64,
    /// Records that could not be decoded; `events + rejected == records`.
    pub rejected: u64,
    /// Rejected records by reason, most frequent first.
    pub reject_reasons: Vec<(String, u64)>,
    /// Up to three rejected records. Log text: untrusted.
    pub reject_examples: Vec<Example>,
    /// Events without a usable time (in no window).
    pub no_time: u64,
    /// Events with a time before the event above them by more than a minute.
    pub out_of_order: u64,
    /// Requests counted (distinct request ids where one request logs several lines).
    pub requests: u64,
    /// Each input and what was understood of it.
    pub inputs: Vec<InputSummary>,
    /// Everything a reader should know before trusting a number.
    pub notes: Vec<QualityNote>,
}

impl Quality {
    /// Rejected records beyond this share leave too little to call anything healthy.
    const MAX_REJECTED_RATIO: f64 = 0.1;

    /// Whether enough records were decoded to judge by them.
    pub fn is_readable(&self) -> bool {
        self.rejected as f64 <= Self::MAX_REJECTED_RATIO * self.records as f64
    }
}

/// One input and what was understood of it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct InputSummary {
    /// Path as given, or `-`. May hold hostile text.
    pub name: String,
    /// Further inputs that were understood alike and are counted here.
    #[serde(default)]
    pub more_files: u64,
    /// Format, such as `JSON lines (pino)`.
    pub format: String,
    /// Bytes after decompression.
    pub bytes: u64,
    /// Records.
    pub records: u64,
    /// Rejected records.
    pub rejected: u64,
    /// Field used for each role: `time` → `time`, `duration` → `responseTime (ms)`.
    pub fields: Vec<(String, String)>,
    /// SHA-256 of the bytes as read from disk, hex; `None` for a stream.
    pub sha256: Option<String>,
}

/// A remark on the data.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct QualityNote {
    /// `guess`, `gap`, `clock`, `thin`, `limit`, `mixed`, …
    pub kind: String,
    /// One sentence. May hold log text.
    pub text: String,
}

/// How the numbers were made.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Method {
    /// plimsoll's version.
    pub version: String,
    /// `exact` or `sketch (relative error ≤ 0.39 %)`.
    pub percentiles: String,
    /// Window width, seconds.
    pub window_s: u32,
    /// One sentence per method and threshold used.
    pub notes: Vec<String>,
    /// Settings in force: name and value.
    pub settings: Vec<(String, String)>,
}
