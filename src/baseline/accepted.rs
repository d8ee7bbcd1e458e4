//! What people accepted although a check does not hold.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::{Accepted, CheckResult, Evidence, Group, Unit, Verdict};
use crate::rule::{Limit, Offset, Quantity, parse_rule};

/// How much worse than accepted a value may get where the rule's own offset does not say, as a
/// share of it.
const MARGIN_RATIO: f64 = 0.1;

/// One line of `accepted.jsonl`. Schema `plimsoll.accepted/1`.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct Acceptance {
    /// Always [`Acceptance::SCHEMA`].
    pub schema: String,
    /// Id of the check.
    pub check: String,
    /// The group; empty where the check has none. Log text: untrusted.
    pub group: Group,
    /// The check as written when it was accepted: another text is another promise.
    pub expr: String,
    /// Each part that did not hold.
    pub values: Vec<AcceptedValue>,
    /// Who.
    pub who: String,
    /// RFC 3339 UTC.
    pub when: String,
    /// Why.
    pub why: String,
    /// RFC 3339 UTC; `None` until the check gets worse.
    pub until: Option<String>,
}

/// A value that was accepted.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
pub struct AcceptedValue {
    /// The part as written, such as `p95(duration) < 300ms`.
    pub term: String,
    /// How it must stand to the limit.
    pub cmp: String,
    /// Its value when it was accepted, in the unit of the decision.
    pub value: f64,
    /// The value beyond which it is no longer accepted.
    pub up_to: f64,
}

impl Acceptance {
    /// Name and version of the schema.
    pub const SCHEMA: &str = "plimsoll.accepted/1";

    /// Accepts what does not hold of a check; `None` when there is nothing of the kind.
    pub fn of(result: &CheckResult, by: Accepted, until: Option<String>) -> Option<Self> {
        let values: Vec<AcceptedValue> = broken(result)
            .into_iter()
            .map(|(term, evidence)| AcceptedValue::of(term, evidence))
            .collect::<Option<_>>()?;
        let Accepted { who, when, why } = by;
        (!values.is_empty()).then(|| Self {
            schema: Self::SCHEMA.to_owned(),
            check: result.id.clone(),
            group: result.group.clone(),
            expr: result.expr.clone(),
            values,
            who,
            when,
            why,
            until,
        })
    }

    /// Whether this is about the check, still in force, and the check is not worse than accepted.
    fn covers(&self, result: &CheckResult, now: Timestamp) -> bool {
        let is_meant =
            self.check == result.id && self.group == result.group && self.expr == result.expr;
        let is_in_force = self
            .until
            .as_ref()
            .is_none_or(|until| until.parse().is_ok_and(|until: Timestamp| now < until));
        let is_accepted = |(term, evidence): (&str, &Evidence)| {
            let accepted = self.values.iter().find(|value| value.term == term);
            accepted.is_some_and(|accepted| accepted.reaches(evidence))
        };
        is_meant && is_in_force && broken(result).into_iter().all(is_accepted)
    }
}

impl AcceptedValue {
    fn of(term: &str, evidence: &Evidence) -> Option<Self> {
        let value = evidence.actual?;
        let (term, cmp) = (term.to_owned(), evidence.cmp.clone());
        let up_to = up_to(value, evidence, offset_of(&term));
        Some(Self { term, cmp, value, up_to })
    }

    fn reaches(&self, evidence: &Evidence) -> bool {
        let Some(actual) = evidence.actual else { return false };
        // Read from text, a number may be off by its last digit.
        let slack = self.up_to.abs() * 1e-12;
        let (low, high) = (self.value.min(self.up_to) - slack, self.value.max(self.up_to) + slack);
        match self.cmp.as_str() {
            "<" | "<=" => actual <= high,
            ">" | ">=" => actual >= low,
            _ => (low..=high).contains(&actual),
        }
    }
}

/// Marks every result that is covered, by the newest acceptance of it.
pub fn accept(results: &mut [CheckResult], known: &[Acceptance], now: Timestamp) {
    for result in results {
        let is_broken = matches!(result.verdict, Verdict::Warn | Verdict::Fail);
        let newest = known.iter().rev().filter(|_| is_broken);
        let covering = newest.into_iter().find(|acceptance| acceptance.covers(result, now));
        result.accepted = covering.map(|acceptance| Accepted {
            who: acceptance.who.clone(),
            when: acceptance.when.clone(),
            why: acceptance.why.clone(),
        });
    }
}

/// Each part that does not hold, as written, and its evidence.
fn broken(result: &CheckResult) -> Vec<(&str, &Evidence)> {
    let is_broken = |verdict: Verdict| matches!(verdict, Verdict::Warn | Verdict::Fail);
    if result.terms.is_empty() {
        let whole = (result.expr.as_str(), &result.evidence);
        return is_broken(result.verdict).then_some(whole).into_iter().collect();
    }
    let terms = result.terms.iter().filter(|term| is_broken(term.verdict));
    terms.map(|term| (term.expr.as_str(), &term.evidence)).collect()
}

/// The offset of the limit that a rule of one part names; `None` where it names none.
fn offset_of(term: &str) -> Option<Offset> {
    match parse_rule(term).ok()?.terms.first()?.limit {
        Limit::Baseline(offset) | Limit::BeforeChange(offset) => {
            Some(offset).filter(|offset| offset.0.base().abs() > 0.0)
        }
        _ => None,
    }
}

/// The worst value that is accepted with `value`: worse by the offset of the rule, else by a tenth.
///
/// Of a share that must be high, what is missing to all is what gets worse.
fn up_to(value: f64, evidence: &Evidence, offset: Option<Offset>) -> f64 {
    let is_low_bad = evidence.cmp.starts_with('>');
    let sign = if is_low_bad { -1.0 } else { 1.0 };
    let relative = |ratio: f64| {
        if is_low_bad && evidence.unit == Unit::Ratio {
            return value - ratio * (1.0 - value).max(0.0);
        }
        value + sign * ratio * value.abs()
    };
    match offset.map(|offset| offset.0) {
        None => relative(MARGIN_RATIO),
        Some(Quantity::Percent(percent)) => relative(percent.abs() / 100.0),
        Some(amount) => {
            let shown = match evidence.unit {
                Unit::Ratio => 0.01,
                Unit::PerHour => 3_600.0,
                Unit::Ms | Unit::Count => 1.0,
            };
            value + sign * amount.base().abs() * shown
        }
    }
}
