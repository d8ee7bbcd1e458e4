//! One line of a history.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{Origin, Point};

const SCHEMA: &str = "plimsoll.history/1";
/// Longest line that is written and read.
pub(super) const MAX_LINE_BYTES: usize = 64 << 10;

/// A line of a history. Unknown keys are passed over: a later version may add some.
#[derive(Serialize, Deserialize, JsonSchema)]
pub(super) struct Line {
    /// Always `plimsoll.history/1`.
    schema: String,
    /// When, RFC 3339.
    #[schemars(with = "String")]
    at: Time,
    /// Commit that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    commit: Option<String>,
    /// Branch that was measured.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    branch: Option<String>,
    /// What was measured. Text of others: untrusted.
    series: String,
    /// How much, in `unit`.
    value: f64,
    /// Unit as its source names it.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    unit: String,
    /// Whether less is better, where its source says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    smaller_is_better: Option<bool>,
    /// Count of the samples behind the value.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    n: Option<u64>,
    /// Who measured.
    origin: Origin,
}

/// Written as RFC 3339.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
struct Time(Timestamp);

impl TryFrom<String> for Time {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let wrong = |error| format!("`at` is `{}`: {error}", text.escape_debug());
        text.parse().map(Self).map_err(|error: jiff::Error| wrong(error))
    }
}

impl From<Time> for String {
    fn from(at: Time) -> Self {
        at.0.to_string()
    }
}

/// Writes `point` with its line end; its value is finite.
pub(super) fn push(text: &mut String, point: &Point, at: Timestamp) {
    let point = point.clone();
    let line = Line {
        schema: SCHEMA.to_owned(),
        at: Time(at),
        commit: point.commit,
        branch: point.branch,
        series: point.series,
        value: point.value,
        unit: point.unit,
        smaller_is_better: point.smaller_is_better,
        n: point.n,
        origin: point.origin,
    };
    // Strings, finite numbers and plain enums: nothing that could fail.
    text.push_str(&serde_json::to_string(&line).unwrap_or_default());
    text.push('\n');
}

/// Reads a line, or says what is wrong with it.
pub(super) fn parse(bytes: &[u8]) -> Result<Point, String> {
    if bytes.len() > MAX_LINE_BYTES {
        return Err(format!("{} bytes, at most {MAX_LINE_BYTES} are read", bytes.len()));
    }
    let is_whole = bytes.ends_with(b"\n");
    let line: Line = serde_json::from_slice(bytes.trim_ascii()).map_err(|error| {
        let torn = if is_whole { "" } else { "torn: " };
        format!("{torn}{error}")
    })?;
    if line.schema != SCHEMA {
        return Err(format!("its schema is `{}`, not `{SCHEMA}`", line.schema.escape_debug()));
    }
    Ok(Point {
        series: line.series,
        value: line.value,
        unit: line.unit,
        smaller_is_better: line.smaller_is_better,
        at: Some(line.at.0),
        commit: line.commit,
        branch: line.branch,
        n: line.n,
        origin: line.origin,
    })
}
