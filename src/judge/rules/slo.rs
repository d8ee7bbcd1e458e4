//! Objectives: how fast their error budgets burn.

use std::time::Duration;

use super::term::Judged;
use crate::model::{Evidence, Unit, Window};
use crate::query::{Measured, Question, Take};
use crate::rule::Filter;
use crate::stats::{
    Outcome,
    burn::{Budget, BurnAlert, LeastEvents, Objective, Tally, Urgency, Watched, burn_alerts},
};

/// Width of the slots that are counted; the shortest window of an alert is five minutes.
const SLOT_S: u64 = 60;

/// All events of an objective, and the good ones.
pub(super) fn questions(good: &Filter) -> Vec<Question> {
    let of_requests = super::gauge::is_of_requests(good.fields());
    let question = |filter: Filter| Question { filter, take: Take::Rows, per: None, of_requests };
    vec![question(Filter::default()), question(good.clone())]
}

/// The objective as it is watched; `None` when it is not between 0 and 1.
pub(super) fn watched(objective: f64, period: Duration) -> Option<Watched> {
    let objective = Objective::new(objective)?;
    Some(Watched { objective, period_s: period.as_secs(), least: LeastEvents::default() })
}

/// Judges an objective at a moment; `missing` is what to say of a field that no sample has.
pub(super) fn judge(
    measured: &Measured,
    places: &[usize],
    (now_us, missing): (i64, Option<&str>),
    watched: Option<Watched>,
) -> Judged {
    let question = |place: usize| measured.question(*places.get(place)?);
    let (Some(all), Some(good), Some(watched)) = (question(0), question(1), watched) else {
        return Judged::nothing("the objective cannot be measured");
    };
    let width_s = SLOT_S.max(u64::from(measured.finest_width().seconds()));
    let slot_us = (width_s * 1_000_000) as i64;
    let first_us = measured.span_us().map_or(now_us, |(first, _)| first);
    let period_us = (watched.period_s * 1_000_000) as i64;
    let known_us = (now_us - first_us).clamp(0, period_us);
    let count = (known_us + slot_us - 1) / slot_us;
    let slots: Vec<Tally> = (0..count)
        .map(|slot| {
            let start_us = now_us - (count - slot) * slot_us;
            let window = Window { start_us, end_us: start_us + slot_us };
            let total = all.count(0, window);
            Tally { bad: total.saturating_sub(good.count(0, window)), total }
        })
        .collect();
    if let Some(text) = missing.filter(|_| slots.iter().all(|slot| slot.bad == slot.total)) {
        return Judged::nothing(text);
    }
    let alerts = burn_alerts(&slots, width_s, &watched);
    let budget = Budget::of(&slots, watched.objective);
    of_alerts(&alerts, budget, &slots, watched.objective)
}

fn of_alerts(
    alerts: &[BurnAlert],
    budget: Option<Budget>,
    slots: &[Tally],
    objective: Objective,
) -> Judged {
    let total: u64 = slots.iter().map(|slot| slot.total).sum();
    let bad: u64 = slots.iter().map(|slot| slot.bad).sum();
    let evidence = Evidence {
        metric: "share(good)".to_owned(),
        actual: (total > 0).then(|| 1.0 - bad as f64 / total as f64),
        limit: Some(1.0 - objective.budget_ratio()),
        cmp: ">=".to_owned(),
        unit: Unit::Ratio,
        baseline: None,
        change_pct: None,
        interval: None,
        p_value: None,
        n: [0, total],
    };
    let Some(budget) = budget else {
        return Judged { evidence, ..Judged::nothing("there are no events in the period") };
    };
    let left_pct = budget.left_ratio * 100.0;
    let left = match left_pct.round() {
        left if left < 0.0 => format!("the error budget is overspent by {:.0} %", -left),
        left => format!("{:.0} % of the error budget is left", left.abs()),
    };
    let firing = alerts.iter().find(|alert| matches!(alert.outcome, Outcome::Fail | Outcome::Warn));
    if let Some(alert) = firing {
        let who = match alert.rule.urgency {
            Urgency::Page => "now",
            Urgency::Ticket => "within days",
        };
        let rate = alert.long_rate.unwrap_or_default();
        let hours = alert.rule.long_s / 3_600;
        let reason = format!(
            "over {hours} h the budget is spent {rate:.1} times as fast as it may be (from {:.1} \
             times on somebody must look {who}); {left}",
            alert.threshold
        );
        return Judged { outcome: alert.outcome, evidence, reason, rate: None };
    }
    let is_known = alerts.iter().any(|alert| alert.outcome == Outcome::Pass);
    let outcome = if is_known { Outcome::Pass } else { Outcome::Inconclusive };
    let reason = match outcome {
        Outcome::Pass if left_pct < 0.0 => format!("{left}, but no longer burns"),
        Outcome::Pass => left,
        _ => "there are too few events to tell how fast the budget burns".to_owned(),
    };
    Judged { outcome, evidence, reason, rate: None }
}
