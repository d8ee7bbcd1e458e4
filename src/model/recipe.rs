//! Everything besides the inputs that it takes to measure and judge the same again.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::{CheckKind, CheckSeverity, EventMark};

/// What a decision was made with, part of `plimsoll.decision/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Recipe {
    /// End of the judged window, microseconds since the epoch.
    pub now_us: i64,
    /// Its length, microseconds.
    pub window_us: i64,
    /// Lengths over each of which rules that test a change were judged instead.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub windows_us: Vec<i64>,
    /// What it was compared with: `history`, `4x-before`, `last-week`, `previous-deployment` or
    /// `name:NAME`.
    pub compared: String,
    /// Zone in which hours and weeks were counted.
    pub zone: String,
    /// How much of the history, or of the version before, was looked at, microseconds; `None` =
    /// what plimsoll looks at without a word.
    pub look_back_us: Option<i64>,
    /// What was done about known events.
    #[serde(flatten)]
    pub kinds: EventKinds,
    /// Share of runs without any change in which a test may say there is one.
    pub level_ratio: f64,
    /// What it means that nothing can be told.
    pub on_no_data: OnNoData,
    /// Which fields were taken for what: names of options and their values. May hold log text.
    pub fields: Vec<(String, String)>,
    /// Known events. Names may hold log text.
    pub marks: Vec<EventMark>,
    /// What was checked.
    pub checks: Vec<RecipeCheck>,
    /// Measurements that the answer rests on; the rest of the decision is about the last of them.
    pub measurements: u32,
}

/// What is done about known events, by their kind; those of a kind in no list are only shown.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct EventKinds {
    /// Their time is left out of what is compared with.
    pub exclude: Vec<String>,
    /// Their time is compared with other time of the kind only, and no other time with it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub segment: Vec<String>,
    /// Their time is neither judged nor compared with; what fails in it alone does not count.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub mute: Vec<String>,
}

/// What it means for a gate when a check can't tell; there is no `go`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum OnNoData {
    /// Wait for somebody.
    #[default]
    Hold,
    /// Take it back.
    Rollback,
}

/// One check of a [`Recipe`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecipeCheck {
    /// Its id.
    pub id: String,
    /// What kind of check.
    pub kind: CheckKind,
    /// What must hold, as written.
    pub expr: String,
    /// The rule in canonical text; `None` for an objective.
    pub rule: Option<String>,
    /// The objective; `None` for a rule.
    pub slo: Option<RecipeSlo>,
    /// What it means when it does not hold.
    pub severity: CheckSeverity,
    /// What it means when nothing can be told: `inconclusive`, `warn` or `fail`.
    pub no_data: String,
    /// Whether it decides alone.
    pub critical: bool,
    /// Whether it is shown but does not count.
    pub shadow: bool,
    /// Its share of the score.
    pub weight: f64,
    /// Fewest values for a say.
    pub min_samples: u64,
}

/// An objective of a [`RecipeCheck`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct RecipeSlo {
    /// Which events are good, in canonical text.
    pub good: String,
    /// Share of good events to reach.
    pub objective: f64,
    /// Time over which the share is taken, seconds.
    pub period_s: u64,
}
