//! Objectives in the words of other tools: OpenSLO and rules for Prometheus.
//!
//! A log has fields, a metric has labels and buckets: conditions become matchers of labels, and a
//! bound of the duration becomes a bucket, see `selector`. What has no such words is an error
//! that names it; nothing is left out in silence. Thresholds are those by which `check` judges.
//!
//! YAML is written by hand: the only scalars that vary are quoted, see `quoted`.

mod openslo;
mod prometheus;
mod selector;
#[cfg(test)]
mod tests;

use std::time::Duration;

use crate::judge::rules::{Check, Checked};
use crate::model::is_unsafe;
use crate::rule::Filter;

pub use openslo::openslo;
pub use prometheus::prometheus;

/// An objective as it is exported.
#[derive(Clone, Debug)]
pub struct Objective {
    /// Its id.
    pub id: String,
    /// Which events are good, as written.
    pub expr: String,
    /// The same, understood.
    pub good: Filter,
    /// Share of good events to reach, between 0 and 1.
    pub ratio: f64,
    /// Time over which the share is taken.
    pub period: Duration,
}

impl Objective {
    /// The objective of a check; `None` for any other check.
    pub fn of(check: &Check) -> Option<Self> {
        let Checked::Slo { good, objective, period } = &check.checked else { return None };
        let (id, expr) = (check.id.clone(), check.expr.clone());
        Some(Self { id, expr, good: good.clone(), ratio: *objective, period: *period })
    }
}

/// What the metrics of another system are called.
#[derive(Clone, Debug)]
pub struct Metrics {
    /// Counter of all events.
    pub events: String,
    /// Histogram of durations in seconds, without `_bucket`.
    pub durations: String,
    /// Fields and the labels that hold them; others have the label of their own name.
    pub labels: Vec<(String, String)>,
}

/// An objective has no words in the other tool.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// A condition is no matcher of a label and no bucket.
    #[error("objective `{id}`: no metric can tell `{condition}`: {why}")]
    Condition {
        /// The objective.
        id: String,
        /// The condition.
        condition: String,
        /// What a metric would need.
        why: &'static str,
    },
    /// Two objectives would have the same name.
    #[error("objectives `{first}` and `{second}` would both be called `{name}`")]
    SameName {
        /// One of them.
        first: String,
        /// The other one.
        second: String,
        /// Their name.
        name: String,
    },
}

/// A scalar that is itself whatever it holds; what has no glyph of its own is replaced.
fn quoted(text: &str) -> String {
    let shown = |c: char| if is_unsafe(c) { char::REPLACEMENT_CHARACTER } else { c };
    format!("'{}'", text.chars().map(shown).collect::<String>().replace('\'', "''"))
}

/// A number without the noise of binary fractions.
fn plain(value: f64) -> f64 {
    (value * 1e9).round() / 1e9
}

/// `28d`, `12h`, `90m`: the largest unit that is exact, else minutes rounded up.
fn length(seconds: u64) -> String {
    match seconds {
        _ if seconds.is_multiple_of(86_400) => format!("{}d", seconds / 86_400),
        _ if seconds.is_multiple_of(3_600) => format!("{}h", seconds / 3_600),
        _ => format!("{}m", seconds.div_ceil(60)),
    }
}
