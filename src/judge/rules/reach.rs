//! How far back checks look, so that no more of a store is read for them.

use std::time::Duration;

use super::windows::MAX_LOOK_BACK_US;
use super::{Checked, Checks, Compared};
use crate::rule::{Limit, Measure, Term};

const HOUR_US: i64 = 3_600 * 1_000_000;
const DAY_US: i64 = 24 * HOUR_US;

impl Checks {
    /// Time before a moment that any check judged at it looks at, microseconds.
    ///
    /// What is older is left out of what is known, even where there is more: four weeks at most.
    pub fn reach_us(&self, len_us: i64, compared: Compared) -> i64 {
        let micros = |length: Duration| i64::try_from(length.as_micros()).unwrap_or(i64::MAX);
        let reaches = self.checks.iter().map(|check| match &check.checked {
            Checked::Rule(rule) => {
                let terms = rule.terms.iter().map(|term| of_term(term, len_us, compared));
                let farthest_us = terms.max().unwrap_or(len_us);
                farthest_us.saturating_add(rule.hold.map_or(0, micros))
            }
            Checked::Slo { period, .. } => micros(*period),
        });
        reaches.max().unwrap_or(len_us)
    }
}

fn of_term(term: &Term, len_us: i64, compared: Compared) -> i64 {
    let all_us = MAX_LOOK_BACK_US.saturating_add(len_us);
    let of_history = match compared {
        Compared::History | Compared::PreviousDeployment => all_us,
        Compared::FourTimesBefore => len_us.saturating_mul(5),
        // Clocks may have been changed in between.
        Compared::LastWeek => (7 * DAY_US + HOUR_US).saturating_add(len_us),
    };
    match (&term.measure, &term.limit) {
        (Measure::Age | Measure::New(_) | Measure::Novelty(_), _)
        | (_, Limit::Usual { .. } | Limit::BeforeChange(_)) => all_us,
        (Measure::Shift(_), _) | (_, Limit::Baseline(_)) => of_history,
        (_, Limit::Literal(_)) => len_us,
    }
}

#[cfg(test)]
mod tests {
    use super::super::of_text;
    use super::{Checks, Compared, DAY_US, HOUR_US};

    #[test]
    fn no_more_is_read_than_the_farthest_look() {
        let check = |rules: &[&str], compared: Compared, hours: i64| {
            let checks = rules.iter().map(|rule| of_text("r", rule, 1).unwrap()).collect();
            let reach_us = Checks::new(checks).reach_us(HOUR_US, compared);
            assert_eq!(reach_us, hours * HOUR_US, "{rules:?} {compared:?}");
        };
        let (before, day) = (Compared::FourTimesBefore, DAY_US / HOUR_US);
        check(&[], before, 1);
        check(&["p95(duration) < 300ms"], before, 1);
        check(&["p95(duration) < 300ms for 2h"], before, 3); // the moments before as well
        check(&["p95(duration) < baseline + 10%"], before, 5);
        check(&["shift(duration) < 10%"], before, 5);
        check(&["p95(duration) < baseline + 10%"], Compared::LastWeek, 7 * day + 2);
        check(&["p95(duration) < baseline + 10%"], Compared::History, 28 * day + 1);
        check(&["age() < 5m"], before, 28 * day + 1); // the newest may be old
        check(&["count() < 9", "p95(duration) < baseline + 10%"], before, 5); // the farthest
    }
}
