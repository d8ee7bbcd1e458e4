//! What is judged, against what, and how checks become a decision.

use std::time::Duration;

use schemars::JsonSchema;
use serde::Deserialize;

use super::{CalendarKind, Expr, FieldPath, OnNoData, words};

/// What is compared with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct BaselineSpec {
    /// Where the usual comes from.
    pub source: BaselineSource,
    /// How much of it is looked at; `None` = all, or what the source itself says.
    pub window: Option<Duration>,
    /// Kinds of known events whose time is left out.
    pub exclude: Vec<CalendarKind>,
}

/// Where the usual comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BaselineSource {
    /// Four times the judged window, directly before it.
    FourTimesBefore,
    /// The same window one week earlier.
    LastWeek,
    /// The deployment before the one that is judged.
    PreviousDeployment,
    /// Everything before the judged window, like with like.
    History,
    /// The saved baseline of this name.
    Named(String),
}

/// `[check]`.
#[derive(Clone, Debug, PartialEq)]
pub struct Check {
    /// Time that is judged, up to the newest record; `None` = everything.
    pub window: Option<Duration>,
    /// Lengths, shortest first, over each of which rules that test a change are judged instead.
    pub windows: Vec<Duration>,
    /// What it is compared with.
    pub baseline: BaselineSpec,
    /// Fewer values than this on either side tell nothing.
    pub min_samples: u32,
    /// Share of runs that may raise a false alarm; `0.0 < level_ratio <= 0.5`.
    pub level_ratio: f64,
    /// Kinds of known events whose time is compared with other time of the kind only.
    pub segment: Vec<CalendarKind>,
    /// Kinds of known events in whose time nothing counts.
    pub mute: Vec<CalendarKind>,
}

/// One `[gate.NAME]`.
#[derive(Clone, Debug)]
pub struct Gate {
    /// Name: letters, digits, `.`, `_`, `-`.
    pub name: String,
    /// What is compared with.
    pub baseline: BaselineSpec,
    /// Time that each measurement looks at.
    pub window: Duration,
    /// Time from one measurement to the next.
    pub interval: Duration,
    /// Number of measurements, at least 1.
    pub count: u32,
    /// Time before the first measurement.
    pub delay: Duration,
    /// More failed measurements than this mean rollback.
    pub fail_limit: u32,
    /// So many good measurements in a row mean go at once, at most `count`; `None` = never.
    pub success_streak: Option<u32>,
    /// More measurements than this in a row that cannot be made end the gate.
    pub error_limit: u32,
    /// What it means when a check can't tell.
    pub on_no_data: OnNoData,
    /// Points to reach.
    pub score: Score,
    /// What is looked at; at least one, names differ.
    pub checks: Vec<GateCheck>,
}

/// Points to reach, from 0 to 100; `warn <= pass`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Score {
    /// Go from here on.
    pub pass: f64,
    /// Hold from here on, rollback below.
    pub warn: f64,
}

/// One `[[gate.NAME.check]]`.
#[derive(Clone, Debug)]
pub struct GateCheck {
    /// Name in the decision: one line.
    pub name: String,
    /// What is tested.
    pub kind: GateCheckKind,
    /// Weight in the score; more than 0.
    pub weight: f64,
    /// Fewer values than this on either side tell nothing.
    pub min_samples: u32,
    /// Its failure alone means rollback.
    pub is_critical: bool,
    /// Tested and shown, but no part of the score.
    pub is_shadow: bool,
    /// Where to read what to do.
    pub runbook: Option<String>,
}

/// What a check tests; `filter` says which events are looked at, `None` = all.
#[derive(Clone, Debug, PartialEq)]
pub enum GateCheckKind {
    /// Whether the values of a field have moved.
    Shift {
        /// The field.
        value: FieldPath,
        /// Which events.
        filter: Option<Expr>,
        /// Which way is worse.
        direction: ChangeDirection,
        /// [`MinEffect::Ratio`] or [`MinEffect::Length`].
        min_effect: MinEffect,
    },
    /// Whether the share of bad events has moved.
    Proportion {
        /// Which events are bad.
        bad: Expr,
        /// Which events.
        filter: Option<Expr>,
        /// Which way is worse.
        direction: ChangeDirection,
        /// Smaller changes of the share pass; 0.005 is half a point.
        min_effect_points: f64,
    },
    /// Whether there are more or fewer events.
    Count {
        /// Which events.
        filter: Option<Expr>,
        /// Which way is worse.
        direction: ChangeDirection,
        /// Smaller changes pass; 0.1 is 10 %.
        min_effect_ratio: f64,
    },
    /// Whether the newest event is new enough.
    Freshness {
        /// Which events.
        filter: Option<Expr>,
        /// How old it may be.
        max_age: Duration,
    },
    /// Whether a rule holds.
    Rule {
        /// The rule.
        expr: Expr,
    },
}

/// Smaller changes of a value pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum MinEffect {
    /// Of the usual value; 0.1 is 10 %.
    Ratio(f64),
    /// For durations.
    Length(Duration),
}

words!(
    /// What a check tests, as it is written.
    CheckKind {
        /// Values of a field.
        Shift = "shift",
        /// Share of bad events.
        Proportion = "proportion",
        /// Number of events.
        Count = "count",
        /// Age of the newest event.
        Freshness = "freshness",
        /// Anything the rule grammar can say.
        Rule = "rule",
    }
);
words!(
    /// Which way a change is for the worse.
    ChangeDirection {
        /// More is worse.
        Increase = "increase",
        /// Less is worse.
        Decrease = "decrease",
        /// Any change is.
        Either = "either",
    }
);
