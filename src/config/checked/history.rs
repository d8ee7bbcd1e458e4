//! How series of builds are judged.

use std::path::PathBuf;

use super::CheckSeverity;

/// `[history]`.
#[derive(Clone, Debug, PartialEq)]
pub struct History {
    /// File with the values of earlier builds; absolute if the directories given to `load` are.
    pub file: PathBuf,
    /// Smaller changes of a series pass; `0.0 < min_effect_ratio <= 1.0`, 0.05 is 5 %.
    pub min_effect_ratio: f64,
    /// Changes within this many newest builds count; at least 8.
    pub last: u32,
    /// What it means when a series got worse.
    pub severity: CheckSeverity,
    /// Only builds of this branch count, and those that name none; `None` = all.
    pub branch: Option<String>,
}
