//! Verdicts and the small vocabulary around them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The outcome of one check, or of all checks together.
///
/// The order is by what a reader must look at first: `Pass < Inconclusive < Warn < Fail`.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    /// Tested, and no change beyond the tolerated size.
    Pass,
    /// Not enough data to tell; never a pass.
    Inconclusive,
    /// A change that is real but may be small.
    Warn,
    /// A change that is real and large enough to matter.
    Fail,
}

impl Verdict {
    /// The word on pages: Healthy, Watch, Action needed, Can't tell.
    pub fn page_word(self) -> &'static str {
        match self {
            Self::Pass => "Healthy",
            Self::Inconclusive => "Can't tell",
            Self::Warn => "Watch",
            Self::Fail => "Action needed",
        }
    }

    /// A shape that reads without colour: ✔ ◆ ▲ ✖.
    pub fn shape(self) -> &'static str {
        match self {
            Self::Pass => "✔",
            Self::Inconclusive => "◆",
            Self::Warn => "▲",
            Self::Fail => "✖",
        }
    }

    /// The word in machine output: `pass`, `warn`, `fail`, `inconclusive`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Pass => "pass",
            Self::Inconclusive => "inconclusive",
            Self::Warn => "warn",
            Self::Fail => "fail",
        }
    }
}

/// How sure a finding is; the reason stands beside it in words.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Confidence {
    /// Few samples, or an interval that reaches close to no change.
    Low,
    /// Tested and corrected, with some doubt about time or size.
    Medium,
    /// Tested, corrected, and the whole interval lies beyond the tolerated size.
    High,
}

impl Confidence {
    /// Lower-case word.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
        }
    }
}

/// Which way a measure moves when things get worse.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Direction {
    /// Higher is worse: latency, errors.
    UpIsWorse,
    /// Lower is worse: submissions.
    DownIsWorse,
    /// Neither is worse by itself: traffic.
    Neutral,
}

/// The unit of a number on a page.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum Unit {
    /// Milliseconds.
    Ms,
    /// A share between 0 and 1, shown as per cent.
    Ratio,
    /// A number of things.
    Count,
    /// Things per hour.
    PerHour,
}
