//! `[alert]` and `[[receiver]]` as they are written.

use schemars::JsonSchema;
use serde::Deserialize;

use super::super::checked::ReceiverKind;
use super::{LengthText, Placed, RuleSeverity, UrlText};

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
    pub severities: Option<Vec<Placed<RuleSeverity>>>,
}
