//! Checks as they are recorded, and from there back.

use std::time::Duration;

use super::{Check, Checked, Compared};
use crate::config::NoData;
use crate::model::{RecipeCheck, RecipeSlo};
use crate::rule::{Mistake, parse_filter, parse_rule};

const NO_DATA: [(NoData, &str); 3] =
    [(NoData::Inconclusive, "inconclusive"), (NoData::Warn, "warn"), (NoData::Fail, "fail")];

/// A check as it is recorded.
pub fn recorded(check: &Check) -> RecipeCheck {
    let (rule, slo) = match &check.checked {
        Checked::Rule(rule) => (Some(rule.to_string()), None),
        Checked::Slo { good, objective, period } => {
            let (good, objective) = (good.to_string(), *objective);
            (None, Some(RecipeSlo { good, objective, period_s: period.as_secs() }))
        }
    };
    let no_data = NO_DATA.iter().find(|(known, _)| *known == check.no_data);
    RecipeCheck {
        id: check.id.clone(),
        kind: check.kind,
        expr: check.expr.clone(),
        rule,
        slo,
        severity: check.severity,
        no_data: no_data.map_or("inconclusive", |(_, word)| word).to_owned(),
        critical: check.critical,
        shadow: check.shadow,
        weight: check.weight,
        min_samples: check.min_samples,
    }
}

/// The check that was recorded; `None` when there is neither a rule nor an objective.
///
/// # Errors
/// When its text is no rule of this version.
pub fn of_recorded(recorded: &RecipeCheck) -> Result<Option<Check>, Vec<Mistake>> {
    let checked = match (&recorded.rule, &recorded.slo) {
        (Some(rule), _) => Checked::Rule(parse_rule(rule)?),
        (None, Some(slo)) => Checked::Slo {
            good: parse_filter(&slo.good)?,
            objective: slo.objective,
            period: Duration::from_secs(slo.period_s),
        },
        (None, None) => return Ok(None),
    };
    let no_data = NO_DATA.iter().find(|(_, word)| *word == recorded.no_data);
    Ok(Some(Check {
        id: recorded.id.clone(),
        kind: recorded.kind,
        expr: recorded.expr.clone(),
        checked,
        severity: recorded.severity,
        no_data: no_data.map_or(NoData::Inconclusive, |(known, _)| *known),
        critical: recorded.critical,
        shadow: recorded.shadow,
        weight: recorded.weight,
        min_samples: recorded.min_samples,
        runbook: None,
        place: None,
    }))
}

impl Compared {
    const WORDS: [(Self, &'static str); 4] = [
        (Self::History, "history"),
        (Self::FourTimesBefore, "4x-before"),
        (Self::LastWeek, "last-week"),
        (Self::PreviousDeployment, "previous-deployment"),
    ];

    /// The word on the command line.
    pub fn as_str(self) -> &'static str {
        Self::WORDS.iter().find(|(known, _)| *known == self).map_or("history", |(_, word)| word)
    }

    /// What a word means.
    pub fn of(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(_, known)| *known == word).map(|(compared, _)| *compared)
    }
}
