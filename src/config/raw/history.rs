//! `[history]` as it is written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::{CheckSeverity, PathText, PercentText, Placed};

/// `[history]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawHistory {
    /// File with the values of earlier builds
    pub file: Option<Placed<PathText>>,
    /// Smaller changes of a series pass
    pub min_effect: Option<Placed<PercentText>>,
    /// Changes within this many newest builds count; what is older has become the usual
    #[schemars(extend("minimum" = 8, "maximum" = 100_000))]
    pub last: Option<Placed<u32>>,
    /// What it means when a series got worse
    pub severity: Option<Placed<CheckSeverity>>,
    /// Only builds of this branch count, and those that name none; without it all do
    pub branch: Option<Placed<String>>,
}
