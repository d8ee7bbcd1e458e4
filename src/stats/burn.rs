//! How fast an error budget is spent, and when that is worth a page or a ticket.
//!
//! Guarantees: no traffic is no verdict; a single failure among few requests never fires. Burn
//! rates have no unit: 1.0 spends the budget exactly over the objective's period.
//!
//! Not done here: what counts as bad, and the time zone or calendar of the period.
//!
//! Source: Google, The Site Reliability Workbook, chapter 5, Alerting on SLOs.

use super::Outcome;

/// Share of events that must be good. Invariant: `0.0 < ratio < 1.0`, so a budget is never zero.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Objective(f64);

impl Objective {
    /// `None` unless `0.0 < ratio < 1.0`.
    pub fn new(ratio: f64) -> Option<Self> {
        (0.0 < ratio && ratio < 1.0).then_some(Self(ratio))
    }

    /// Share of events that may be bad.
    pub fn budget_ratio(self) -> f64 {
        1.0 - self.0
    }
}

/// Events of a slot or of a window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Events that count against the budget.
    pub bad: u64,
    /// All events; at least `bad`.
    pub total: u64,
}

impl Tally {
    fn of(slots: &[Self]) -> Self {
        slots.iter().fold(Self::default(), |sum, slot| Self {
            bad: sum.bad.saturating_add(slot.bad),
            total: sum.total.saturating_add(slot.total),
        })
    }

    /// Error ratio over budget ratio; `None` without events.
    pub fn burn_rate(self, objective: Objective) -> Option<f64> {
        let error_ratio = self.bad as f64 / self.total as f64;
        (self.total > 0).then(|| error_ratio / objective.budget_ratio())
    }
}

/// The error budget of a whole period.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Budget {
    /// Bad events it has had.
    pub bad: u64,
    /// Share of the budget that is left; negative when more was spent than there is.
    pub left_ratio: f64,
}

impl Budget {
    /// The budget of the events of one period; `None` without events.
    pub fn of(period: &[Tally], objective: Objective) -> Option<Self> {
        let seen = Tally::of(period);
        let left_ratio = 1.0 - seen.burn_rate(objective)?;
        Some(Self { bad: seen.bad, left_ratio })
    }
}

/// Who should hear of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// Somebody now.
    Page,
    /// Somebody within days.
    Ticket,
}

/// Speak when both windows burn faster than would spend `budget_share` in the long one.
///
/// The long window tells that it matters, the short one that it still lasts.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BurnRule {
    /// Who should hear of it.
    pub urgency: Urgency,
    /// Length of the long window in seconds.
    pub long_s: u64,
    /// Length of the short window in seconds.
    pub short_s: u64,
    /// Share of a period's budget that is too much for the long window.
    pub budget_share: f64,
}

const MINUTE_S: u64 = 60;
const HOUR_S: u64 = 60 * MINUTE_S;
const DAY_S: u64 = 24 * HOUR_S;

/// The four rules of the workbook: over 30 days they are 14.4×, 6×, 3× and 1×.
pub const RULES: [BurnRule; 4] = [
    BurnRule { urgency: Urgency::Page, long_s: HOUR_S, short_s: 5 * MINUTE_S, budget_share: 0.02 },
    BurnRule {
        urgency: Urgency::Page,
        long_s: 6 * HOUR_S,
        short_s: 30 * MINUTE_S,
        budget_share: 0.05,
    },
    BurnRule { urgency: Urgency::Ticket, long_s: DAY_S, short_s: 2 * HOUR_S, budget_share: 0.1 },
    BurnRule {
        urgency: Urgency::Ticket,
        long_s: 3 * DAY_S,
        short_s: 6 * HOUR_S,
        budget_share: 0.1,
    },
];

impl BurnRule {
    /// Burn rate above which the rule speaks, for an objective over `period_s`.
    ///
    /// Never below 1, at which the budget lasts: that is where a short period would bring it.
    /// `None` where the rule says nothing: its window is longer than the period, or not even
    /// errors alone burn that fast, as with 14.4× and an objective of 90 %.
    pub fn threshold(&self, objective: Objective, period_s: u64) -> Option<f64> {
        let threshold = (self.budget_share * period_s as f64 / self.long_s as f64).max(1.0);
        let is_reachable = threshold * objective.budget_ratio() < 1.0;
        (self.long_s <= period_s && is_reachable).then_some(threshold)
    }
}

/// Fewest events of the long window that have a say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LeastEvents {
    /// Fewer events are no proof of health.
    pub total: u64,
    /// Fewer bad events are no proof of trouble: one failure of ten requests in an hour burns a
    /// budget of 0.1 % a hundred times too fast, and is one failure.
    pub bad: u64,
}

impl Default for LeastEvents {
    fn default() -> Self {
        Self { total: 10, bad: 3 }
    }
}

/// An objective as it is watched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Watched {
    /// Share of events that must be good...
    pub objective: Objective,
    /// ...over this time, in seconds.
    pub period_s: u64,
    /// Fewest events for a say.
    pub least: LeastEvents,
}

/// What one rule says.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct BurnAlert {
    /// The rule.
    pub rule: BurnRule,
    /// Burn rate above which it speaks.
    pub threshold: f64,
    /// Events of the long window.
    pub long: Tally,
    /// Burn rate of the long window; `None` without events.
    pub long_rate: Option<f64>,
    /// Burn rate of the short window; `None` without events.
    pub short_rate: Option<f64>,
    /// Fail for a page, warn for a ticket.
    pub outcome: Outcome,
}

/// What [`RULES`] say at the end of `series`, whose slots last `slot_s` seconds each.
///
/// A window is rounded up to whole slots, so slots of five minutes or less suit all rules. What
/// lies before the first slot counts as no traffic. Rules without a threshold are left out.
pub fn burn_alerts(series: &[Tally], slot_s: u64, watched: &Watched) -> Vec<BurnAlert> {
    RULES
        .iter()
        .filter_map(|rule| {
            let threshold = rule.threshold(watched.objective, watched.period_s)?;
            let window = |seconds: u64| {
                let len = usize::try_from(seconds.div_ceil(slot_s.max(1))).unwrap_or(usize::MAX);
                Tally::of(series.get(series.len().saturating_sub(len)..).unwrap_or_default())
            };
            let long = window(rule.long_s);
            let long_rate = long.burn_rate(watched.objective);
            let short_rate = window(rule.short_s).burn_rate(watched.objective);
            let burns = |rate: Option<f64>| rate.is_some_and(|rate| rate > threshold);
            let outcome = match (burns(long_rate) && burns(short_rate), rule.urgency) {
                (true, _) if long.bad < watched.least.bad => Outcome::Inconclusive,
                (true, Urgency::Page) => Outcome::Fail,
                (true, Urgency::Ticket) => Outcome::Warn,
                (false, _) if long.total < watched.least.total.max(1) => Outcome::Inconclusive,
                (false, _) => Outcome::Pass,
            };
            Some(BurnAlert { rule: *rule, threshold, long, long_rate, short_rate, outcome })
        })
        .collect()
}

#[cfg(test)]
mod tests;
