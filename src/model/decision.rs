//! A decision as one value: what was checked, how it came out, and enough to say why.
//!
//! Renderers only lay this out, and `check --replay` reads it back; the arithmetic from checks to
//! an answer is in `judge`. Numbers are finite: what is not known is `None`.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{
    Confidence, Example, Finding, Group, LinkedEvent, Recipe, Since, Unit, Verdict, Window,
    format_ts,
};

/// What `check` and gates answer. Schema `plimsoll.decision/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Decision {
    /// Always [`Decision::SCHEMA`].
    pub schema: String,
    /// What to do.
    pub decision: Answer,
    /// The worst verdict that counts.
    pub verdict: Verdict,
    /// How sure.
    pub confidence: Confidence,
    /// One sentence. May hold log text.
    pub summary: String,
    /// Project or input name. May hold log text.
    pub project: String,
    /// Name of the gate; `None` for a plain check.
    pub gate: Option<String>,
    /// What was read.
    pub inputs: Vec<InputRef>,
    /// The time that was judged.
    pub window: Span,
    /// What it was compared with; `None` when nothing was or could be.
    pub baseline: Option<BaselineRef>,
    /// 0 to 100; `None` when nothing could be scored.
    pub score: Option<f64>,
    /// Scores from which the answer is go and hold.
    pub thresholds: ScoreBars,
    /// Whether a person must decide what happens next.
    pub needs_human: bool,
    /// Everything that was checked, in the order of the configuration.
    pub checks: Vec<CheckResult>,
    /// What changed, most important first.
    pub findings: Vec<FindingRow>,
    /// What can be done. Advice: nothing here executes it.
    pub options: Vec<OptionRow>,
    /// How much was read and checked.
    pub coverage: CheckCoverage,
    /// What was left out, and what was probably meant otherwise. May hold log text.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub notes: Vec<String>,
    /// How the numbers were made.
    pub method: CheckMethod,
    /// The configuration in force; `None` without a file.
    pub config: Option<ConfigRef>,
    /// What it takes to measure again; `None` in records of older versions.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recipe: Option<Recipe>,
    /// JSON paths of the fields that hold text from logs.
    pub untrusted_text_fields: Vec<String>,
}

impl Decision {
    /// Name and version of the schema.
    pub const SCHEMA: &str = "plimsoll.decision/1";

    /// JSON paths of everything that can hold text from logs, names of files included.
    pub const UNTRUSTED_TEXT_FIELDS: [&str; 27] = [
        "summary",
        "project",
        "inputs[].name",
        "baseline.name",
        "baseline.excluded",
        "checks[].id",
        "checks[].metric",
        "checks[].group",
        "checks[].linked_event.kind",
        "checks[].linked_event.name",
        "checks[].reason",
        "checks[].muted",
        "checks[].terms[].reason",
        "findings[].group",
        "findings[].metric",
        "findings[].linked_event.kind",
        "findings[].linked_event.name",
        "findings[].examples",
        "options[].target",
        "options[].expected",
        "options[].verify",
        "notes",
        "method.notes",
        "method.settings",
        "recipe.fields",
        "recipe.marks[].kind",
        "recipe.marks[].name",
    ];
}

/// What to do, from best to worst.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Answer {
    /// Go on.
    Go,
    /// Wait: a person must look, or more data is needed.
    Hold,
    /// Go back.
    Rollback,
}

impl Answer {
    /// Lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Go => "go",
            Self::Hold => "hold",
            Self::Rollback => "rollback",
        }
    }
}

/// A file or stream that was read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct InputRef {
    /// Path as given, or `-`. May hold hostile text.
    pub name: String,
    /// SHA-256 of the bytes as read from disk, hex; `None` for a stream.
    pub sha256: Option<String>,
    /// Bytes after decompression.
    pub bytes: u64,
}

/// Half-open interval of time as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Span {
    /// First instant inside, RFC 3339 UTC.
    pub from: String,
    /// First instant outside.
    pub to: String,
}

impl From<Window> for Span {
    fn from(window: Window) -> Self {
        Self { from: format_ts(window.start_us), to: format_ts(window.end_us) }
    }
}

/// What a window is compared with.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct BaselineRef {
    /// Name, such as `main` or `24 h before`. May hold log text.
    pub name: String,
    /// First instant inside, RFC 3339 UTC.
    pub from: String,
    /// First instant outside.
    pub to: String,
    /// Events whose time was left out, such as `deploy v1.42.0`. May hold log text.
    pub excluded: Vec<String>,
    /// SHA-256 of the baseline's file, hex; `None` when it is a window of the same data.
    pub sha256: Option<String>,
}

/// Scores from which the answer is go (`pass`) and hold (`warn`).
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct ScoreBars {
    /// From this score on the answer is go.
    pub pass: f64,
    /// From this score on the answer is hold, below it rollback.
    pub warn: f64,
}

impl Default for ScoreBars {
    fn default() -> Self {
        Self { pass: 90.0, warn: 75.0 }
    }
}

/// What kind of check it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckKind {
    /// `[[rule]]`.
    Rule,
    /// `[[slo]]`.
    Slo,
    /// A check of a `[gate.…]`.
    GateCheck,
    /// A change point in the series of recorded builds.
    History,
}

impl CheckKind {
    /// Lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Rule => "rule",
            Self::Slo => "slo",
            Self::GateCheck => "gate_check",
            Self::History => "history",
        }
    }
}

/// What it means when a check does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum CheckSeverity {
    /// The build stops.
    Fail,
    /// Somebody should look.
    Warn,
}

impl CheckSeverity {
    /// Lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Fail => "fail",
            Self::Warn => "warn",
        }
    }
}

/// The numbers behind a verdict.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Evidence {
    /// Measure, such as `p95(duration)`.
    pub metric: String,
    /// Its value in the window.
    pub actual: Option<f64>,
    /// The value it is held against.
    pub limit: Option<f64>,
    /// How it must stand to the limit: `<`, `<=`, `>`, `>=`, `=` or `!=`.
    pub cmp: String,
    /// Unit of `actual`, `limit` and `baseline`.
    pub unit: Unit,
    /// Its value in the baseline.
    pub baseline: Option<f64>,
    /// Change against the baseline in per cent.
    pub change_pct: Option<f64>,
    /// Likely range of the change: per cent, percentage points for shares.
    pub interval: Option<[f64; 2]>,
    /// After correction for the number of tests.
    pub p_value: Option<f64>,
    /// Samples in the baseline and in the window.
    pub n: [u64; 2],
}

/// One thing that was checked, for one group.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct CheckResult {
    /// Id in the configuration; with `per` several results have the same.
    pub id: String,
    /// What kind of check.
    pub kind: CheckKind,
    /// What must hold, as written.
    pub expr: String,
    /// What it means when it does not hold; `verdict` has taken it into account.
    pub severity: CheckSeverity,
    /// How it came out, whether or not it counts: see [`CheckResult::counted`].
    pub verdict: Verdict,
    /// What it is about; empty means everything. Log text: untrusted.
    pub group: Group,
    /// The time it was judged over, of several lengths; `None` = that of the decision.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub window: Option<Span>,
    /// The numbers; of several terms those of the worst.
    #[serde(flatten)]
    pub evidence: Evidence,
    /// When the measure changed, where that could be told.
    pub since: Option<Since>,
    /// The deploy or event nearest to that.
    pub linked_event: Option<LinkedEvent>,
    /// Why this verdict, one sentence. May hold log text.
    pub reason: String,
    /// Whether it decides alone: failed it means rollback.
    pub critical: bool,
    /// Whether it is shown but does not count.
    pub shadow: bool,
    /// Its share of the score; at least 0.
    pub weight: f64,
    /// Where to read what to do.
    pub runbook: Option<String>,
    /// File in which the check stands, relative to the repository.
    pub file: Option<String>,
    /// Line of the check, from 1.
    pub line: Option<u32>,
    /// Column of the check, from 1.
    pub column: Option<u32>,
    /// Who accepted that it does not hold.
    pub accepted: Option<Accepted>,
    /// The known events because of which it does not count that it does not hold, such as
    /// `maintenance of the database`. May hold log text.
    #[serde(default)]
    pub muted: Option<String>,
    /// Each part of a rule with `and`; empty where there is one part.
    pub terms: Vec<TermResult>,
}

impl CheckResult {
    /// The verdict as it enters the decision: `None` for a shadow check, a pass for what somebody
    /// has accepted or a known event mutes. What cannot be told is neither.
    pub fn counted(&self) -> Option<Verdict> {
        match self.verdict {
            _ if self.shadow => None,
            Verdict::Warn | Verdict::Fail if self.accepted.is_some() || self.muted.is_some() => {
                Some(Verdict::Pass)
            }
            verdict => Some(verdict),
        }
    }
}

/// Who accepted a change, when and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Accepted {
    /// Who.
    pub who: String,
    /// RFC 3339 UTC.
    pub when: String,
    /// Why.
    pub why: String,
}

/// One part of a rule with `and`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct TermResult {
    /// The part as written.
    pub expr: String,
    /// How it came out.
    pub verdict: Verdict,
    /// The numbers.
    #[serde(flatten)]
    pub evidence: Evidence,
    /// Why this verdict, one sentence. May hold log text.
    pub reason: String,
}

/// A finding in short: what moved, by how much, since when.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct FindingRow {
    /// `F1`, `F2`, … by importance.
    pub id: String,
    /// The verdict of this finding alone.
    pub verdict: Verdict,
    /// Measure, such as `p95(duration_ms)`.
    pub metric: String,
    /// What it is about; empty means everything. Log text: untrusted.
    pub group: Group,
    /// Value before the change.
    pub before: f64,
    /// Value now.
    pub after: f64,
    /// Unit of both.
    pub unit: Unit,
    /// Samples before and after.
    pub n: [u64; 2],
    /// Relative change in per cent; `None` when `before` is zero.
    pub change_pct: Option<f64>,
    /// Likely range of the change: per cent, percentage points for shares.
    pub interval_pct: Option<[f64; 2]>,
    /// When it began, where that could be told.
    pub since: Option<Since>,
    /// The deploy or event nearest to the beginning.
    pub linked_event: Option<LinkedEvent>,
    /// Raw records behind it, at most three. Log text: untrusted.
    pub examples: Vec<Example>,
}

impl From<&Finding> for FindingRow {
    fn from(finding: &Finding) -> Self {
        let change = &finding.change;
        Self {
            id: finding.id.clone(),
            verdict: finding.verdict,
            metric: finding.metric.clone(),
            group: finding.group.clone(),
            before: change.before,
            after: change.after,
            unit: change.unit,
            n: change.n,
            change_pct: change.change_pct,
            interval_pct: change.interval,
            since: finding.since.clone(),
            linked_event: finding.linked_event.clone(),
            examples: finding.examples.clone(),
        }
    }
}

/// Something a person may do. Advice: nothing here executes it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct OptionRow {
    /// `O1`, `O2`, …
    pub id: String,
    /// What to do: `rollback`, `fix forward`, `accept`, …
    pub action: String,
    /// What it is done to, such as `v1.42.0`. Log text: untrusted.
    pub target: Option<String>,
    /// `low`, `medium` or `high`.
    pub risk: String,
    /// Whether it can be undone.
    pub reversible: bool,
    /// Expected effect.
    pub expected: String,
    /// The command that shows afterwards whether it worked, as arguments.
    pub verify: Vec<String>,
}

/// How much was read and checked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckCoverage {
    /// Records read.
    pub records: u64,
    /// Records that could not be decoded.
    pub skipped: u64,
    /// Checks that count, which is the sum of the four below.
    pub tested: u32,
    /// Checks that hold, or are accepted or muted.
    pub passed: u32,
    /// Checks somebody should look at.
    pub warned: u32,
    /// Checks that do not hold.
    pub failed: u32,
    /// Checks with too little data.
    pub inconclusive: u32,
}

/// How the numbers were made.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CheckMethod {
    /// plimsoll's version.
    pub version: String,
    /// One sentence per method and threshold used.
    pub notes: Vec<String>,
    /// Settings in force: name and value.
    pub settings: Vec<(String, String)>,
}

/// The configuration in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ConfigRef {
    /// Path, relative to the repository where it lies in one.
    pub file: String,
    /// SHA-256 of its bytes, hex.
    pub sha256: String,
}
