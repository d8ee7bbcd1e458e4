//! Findings: tested statements with their evidence.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Confidence, Direction, Unit, Verdict};

/// What a finding is about: `{"route": "/api/search"}`; empty means everything.
pub type Group = BTreeMap<String, String>;

/// The kind of change that was tested.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum FindingKind {
    /// The durations of one group moved.
    Latency,
    /// The share of failed requests moved.
    ErrorRate,
    /// Many more events of one kind than usual, for a while or since a moment.
    EventRise,
    /// Many fewer events of one kind than usual.
    EventDrop,
    /// A message of error level that was never seen before.
    NewMessage,
}

/// One tested statement: what moved, by how much, since when, how sure.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Finding {
    /// Stable within the report: `F1`, `F2`, … by importance.
    pub id: String,
    /// What was tested.
    pub kind: FindingKind,
    /// The verdict of this finding alone.
    pub verdict: Verdict,
    /// Measure, such as `p95(duration_ms)` or `share(status >= 500)`.
    pub metric: String,
    /// What it is about; empty means everything.
    pub group: Group,
    /// Size of the change with its interval.
    pub change: Change,
    /// When it began, where that could be told.
    pub since: Option<Since>,
    /// End of a change that is over (RFC 3339), `None` while it lasts.
    pub until: Option<String>,
    /// The deploy or event nearest to the beginning, when it lies in the plausible interval.
    pub linked_event: Option<LinkedEvent>,
    /// How sure.
    pub confidence: Confidence,
    /// Why this sure, one clause.
    pub confidence_why: String,
    /// Other findings that began in the same interval, by id.
    pub also_moved: Vec<String>,
    /// What can be done; the last is always to do nothing. Empty where something got better.
    pub options: Vec<Action>,
    /// The measure over time, for the chart.
    pub series: Series,
    /// Raw records behind it, at most three. Log text: untrusted.
    pub examples: Vec<Example>,
}

/// Before and after, with n and an interval.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Change {
    /// Value before the change.
    pub before: f64,
    /// Value now.
    pub after: f64,
    /// Unit of both.
    pub unit: Unit,
    /// Which way is worse.
    pub direction: Direction,
    /// Samples before and after.
    pub n: [u64; 2],
    /// Relative change in per cent; `None` when `before` is zero.
    pub change_pct: Option<f64>,
    /// Likely range: per cent for latency and counts, percentage points for shares.
    pub interval: Option<[f64; 2]>,
    /// Confidence level of `interval`, such as 0.98.
    pub level: f64,
    /// The same measure last week and this week, beside the headline.
    pub week_over_week: Option<[f64; 2]>,
}

/// When a change began.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Since {
    /// Most likely instant, RFC 3339 UTC.
    pub at: String,
    /// Earliest plausible instant.
    pub earliest: String,
    /// Latest plausible instant.
    pub latest: String,
}

/// A deploy or another known event near the beginning of a change.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct LinkedEvent {
    /// `deploy`, `holiday`, …
    pub kind: String,
    /// Its name, such as `v1.42.0`. Log text: untrusted.
    pub name: String,
    /// When, RFC 3339 UTC.
    pub at: String,
    /// Seconds from the event to the beginning of the change; negative when it came after.
    pub lag_s: f64,
    /// Whether it was still going on then.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub is_during: bool,
}

/// Something a person may do. Advice: nothing here executes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Action {
    /// `O1`, `O2`, … within the finding.
    pub id: String,
    /// What to do, one imperative clause.
    pub title: String,
    /// Expected effect.
    pub expected: String,
    /// `low`, `medium` or `high`.
    pub risk: String,
    /// Whether it can be undone.
    pub reversible: bool,
    /// `small`, `medium` or `large`.
    pub effort: String,
    /// Why this would help: the evidence in one clause.
    pub evidence: String,
    /// The command that shows afterwards whether it worked, as arguments.
    pub verify: Vec<String>,
}

/// A measure over time.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Series {
    /// Start of the first window, microseconds since the epoch, UTC.
    pub start_us: i64,
    /// Width of a window, seconds.
    pub step_s: u32,
    /// One value a window; `None` where there was too little to say.
    pub values: Vec<Option<f64>>,
    /// Number of samples behind each value.
    pub n: Vec<u64>,
    /// Usual range of the values before the change.
    pub usual: Option<[f64; 2]>,
    /// Seasonal usual range a window, where the measure has a weekly or daily rhythm.
    pub usual_by_window: Option<Vec<[f64; 2]>>,
}

/// A raw record behind a finding or a count. Log text: untrusted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Example {
    /// Input it came from.
    pub input: String,
    /// Byte offset of the record in that input, after decompression and after arrays and
    /// documents were written as one record a line. Of an event that was taken out of a batch, it
    /// is the batch's.
    pub offset: u64,
    /// The record, cut at [`Example::MAX_CHARS`] characters; empty where it cannot be read again.
    pub text: String,
}

impl Example {
    /// Longest example text kept, in characters.
    pub const MAX_CHARS: usize = 400;

    /// The text of a record's bytes; what is no UTF-8 is replaced.
    pub fn text_of(record: &[u8]) -> String {
        String::from_utf8_lossy(record).chars().take(Self::MAX_CHARS).collect()
    }
}
