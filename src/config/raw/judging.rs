//! What is judged and who is told: `[check]`, `[gate.NAME]`, `[alert]`, `[[receiver]]`.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::checked::{
    CalendarKind, ChangeDirection, CheckKind, CheckSeverity, OnNoData, ReceiverKind,
};
use super::{BaselineText, EffectText, FieldText, LengthText, PercentText, Placed, UrlText};

/// `baseline = {…}`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawBaseline {
    /// What to compare with: `4x-before`, `last-week`, `previous-deployment`, `history` or `name:NAME`
    pub from: Option<Placed<BaselineText>>,
    /// `previous` is another way to write `from = "previous-deployment"`
    pub deployment: Option<Placed<Previous>>,
    /// How much of a deployment or of the history is looked at; without it all
    pub window: Option<Placed<LengthText>>,
    /// Kinds of known events to leave out; without it those of `check.exclude`
    #[schemars(extend("maxItems" = 16))]
    pub exclude: Option<Vec<Placed<CalendarKind>>>,
}

/// The only deployment that can be named.
#[derive(Clone, Copy, Debug, Deserialize, JsonSchema)]
pub(in crate::config) enum Previous {
    /// The one before the newest.
    #[serde(rename = "previous")]
    Previous,
}

/// `[check]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawCheck {
    /// Time that is judged, up to the newest record; `all` is everything
    pub window: Option<Placed<LengthText>>,
    /// Lengths of time up to now over each of which rules that compare counts, shares and shifts are judged
    #[schemars(extend("maxItems" = 8))]
    pub windows: Option<Vec<Placed<LengthText>>>,
    /// What it is compared with; without it like windows of the history
    #[serde(default)]
    pub baseline: RawBaseline,
    /// Fewer values than this on either side tell nothing
    #[schemars(extend("minimum" = 2, "maximum" = 1_000_000))]
    pub min_samples: Option<Placed<u32>>,
    /// Share of runs that may raise a false alarm, over all checks together
    pub level: Option<Placed<PercentText>>,
    /// Kinds of known events whose time is left out of what is compared with
    #[schemars(extend("maxItems" = 16))]
    pub exclude: Option<Vec<Placed<CalendarKind>>>,
    /// Kinds of known events whose time is compared with other time of the kind only
    #[schemars(extend("maxItems" = 16))]
    pub segment: Option<Vec<Placed<CalendarKind>>>,
    /// Kinds of known events in whose time nothing counts: failures are shown, alerts wait
    #[schemars(extend("maxItems" = 16))]
    pub mute: Option<Vec<Placed<CalendarKind>>>,
}

/// One `[gate.NAME]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawGate {
    /// What is compared with; without it that of `[check]`
    #[serde(default)]
    pub baseline: RawBaseline,
    /// Time that each measurement looks at
    pub window: Option<Placed<LengthText>>,
    /// Time from one measurement to the next
    pub interval: Option<Placed<LengthText>>,
    /// Number of measurements
    #[schemars(extend("minimum" = 1, "maximum" = 1000))]
    pub count: Option<Placed<u32>>,
    /// Time before the first measurement
    pub delay: Option<Placed<LengthText>>,
    /// More measurements than this that fail mean rollback
    #[schemars(extend("minimum" = 0, "maximum" = 1000))]
    pub fail_limit: Option<Placed<u32>>,
    /// So many good measurements in a row mean go at once; 0 waits for all
    #[schemars(extend("minimum" = 0, "maximum" = 1000))]
    pub success_streak: Option<Placed<u32>>,
    /// More measurements than this in a row that cannot be made end the gate
    #[schemars(extend("minimum" = 0, "maximum" = 1000))]
    pub error_limit: Option<Placed<u32>>,
    /// What it means when a check can't tell
    pub on_nodata: Option<Placed<OnNoData>>,
    /// Points to reach, out of 100
    #[serde(default)]
    pub score: RawScore,
    /// What is looked at
    #[schemars(required, extend("minItems" = 1, "maxItems" = 1000))]
    pub check: Option<Vec<Placed<RawGateCheck>>>,
}

/// `score = {…}`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawScore {
    /// Go from here on
    #[schemars(extend("minimum" = 0, "maximum" = 100))]
    pub pass: Option<Placed<f64>>,
    /// Hold from here on, rollback below
    #[schemars(extend("minimum" = 0, "maximum" = 100))]
    pub warn: Option<Placed<f64>>,
}

/// One `[[gate.NAME.check]]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawGateCheck {
    /// Name in the decision
    #[schemars(required)]
    pub name: Option<Placed<String>>,
    /// What is tested
    #[schemars(required)]
    pub kind: Option<Placed<CheckKind>>,
    /// rule: what must hold, as in `[[rule]]`
    pub expr: Option<Placed<String>>,
    /// Which events are looked at; without it all
    #[serde(rename = "where")]
    pub filter: Option<Placed<String>>,
    /// shift: the field whose values are compared
    pub value: Option<Placed<FieldText>>,
    /// proportion: which events are bad, such as `status >= 500`
    pub bad: Option<Placed<String>>,
    /// shift, proportion, count: which way is worse; without it `increase`, and count must say it
    pub direction: Option<Placed<ChangeDirection>>,
    /// Smaller changes pass: `10%` or `20ms` for shift, `0.5pt` for proportion, `10%` for count
    pub min_effect: Option<Placed<EffectText>>,
    /// freshness: the newest event may be this old
    pub max_age: Option<Placed<LengthText>>,
    /// Weight in the score
    #[schemars(extend("minimum" = 0.01, "maximum" = 1000))]
    pub weight: Option<Placed<f64>>,
    /// Fewer values than this on either side tell nothing
    #[schemars(extend("minimum" = 2, "maximum" = 1_000_000))]
    pub min_samples: Option<Placed<u32>>,
    /// Its failure alone means rollback
    pub critical: Option<Placed<bool>>,
    /// Test and show it, but leave it out of the score
    pub shadow: Option<Placed<bool>>,
    /// Where to read what to do: a web address or a path
    pub runbook: Option<Placed<String>>,
}

/// `[alert]`.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawAlert {
    /// Rules are evaluated this often by `watch` and `collect`
    pub interval: Option<Placed<LengthText>>,
    /// Time that is looked at
    pub window: Option<Placed<LengthText>>,
    /// An alert that goes on is sent again after this time
    pub repeat: Option<Placed<LengthText>>,
    /// Time in which alerts of one rule gather into one notification
    pub group_wait: Option<Placed<LengthText>>,
}

/// One `[[receiver]]`.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::config) struct RawReceiver {
    /// Name in errors and in the outbox
    #[schemars(required)]
    pub name: Option<Placed<String>>,
    /// What it understands
    #[schemars(required)]
    pub kind: Option<Placed<ReceiverKind>>,
    /// Web address (http, https), or `env:NAME` for a variable with it. It is never shown
    #[schemars(required, extend("writeOnly" = true))]
    pub url: Option<Placed<UrlText>>,
    /// Severities it is told of
    #[schemars(extend("minItems" = 1, "maxItems" = 2))]
    pub severities: Option<Vec<Placed<CheckSeverity>>>,
}
