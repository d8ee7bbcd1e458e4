//! A change that may be one: what a test found, before all tests are corrected together.

use crate::model::{
    Change, Direction, EventMark, FindingKind, Group, LinkedEvent, Series, Unit, Verdict, Window,
    format_ts,
};
use crate::stats::{Outcome, step::Place};

/// What one test says.
pub(super) struct Tested {
    /// Chance of so clear a change anywhere when there is none; `None` when it cannot be told.
    pub(super) p_value: Option<f64>,
    /// The change, where it is large enough to speak of.
    pub(super) candidate: Option<Candidate>,
    /// Whether the test says something about health, not only that records came.
    pub(super) is_evidence: bool,
}

impl Tested {
    /// Too little to tell.
    pub(super) const INCONCLUSIVE: Self =
        Self { p_value: None, candidate: None, is_evidence: true };
}

/// A change that becomes a finding if it survives the correction.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    pub(super) kind: FindingKind,
    pub(super) verdict: Verdict,
    pub(super) metric: String,
    pub(super) group: Group,
    pub(super) change: Change,
    pub(super) when: When,
    pub(super) series: Series,
    /// Route or event behind it, for examples.
    pub(super) subject: Option<Subject>,
    /// Whether it is about the error rate of all routes together.
    pub(super) is_overall: bool,
    /// How clear it is, to order findings of one verdict: share of users touched × size.
    pub(super) weight: f64,
}

/// What a candidate is about, by number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Subject {
    Route(u32),
    Event(u32),
    Template(u32),
}

/// When a change began and ended, microseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct When {
    pub(super) at_us: i64,
    pub(super) earliest_us: i64,
    pub(super) latest_us: i64,
    /// It shows by then: what happened later did not cause it.
    pub(super) shown_us: i64,
    /// `None` while it lasts.
    pub(super) until_us: Option<i64>,
}

impl When {
    /// From the place of the first changed window. The change may have begun anywhere in the
    /// window before it that is partly changed, so the interval reaches one window further.
    pub(super) fn of_place(place: Place, window: impl Fn(usize) -> Window) -> Self {
        Self {
            at_us: window(place.index).start_us,
            earliest_us: window(place.earliest.saturating_sub(1)).start_us,
            latest_us: window(place.latest).end_us,
            shown_us: window(place.index).end_us,
            until_us: None,
        }
    }

    /// A moment that is known to the record.
    pub(super) fn exactly(at_us: i64) -> Self {
        Self { at_us, earliest_us: at_us, latest_us: at_us, shown_us: at_us, until_us: None }
    }

    /// Moved to the deploy nearest to the likeliest moment, if one lies within the plausible
    /// interval: what deploys change begins with a deploy, and a sparse series cannot tell
    /// moments hours apart.
    pub(super) fn with_nearest_deploy(self, marks: &[EventMark]) -> Self {
        let distance_s = |at_us: i64| (at_us - self.at_us).abs() as f64 / 1e6;
        self.with_likeliest_deploy(marks, |at_us| -distance_s(at_us))
    }

    /// As [`Self::with_nearest_deploy`], but among several deploys it takes the one that explains
    /// the records best.
    pub(super) fn with_likeliest_deploy(
        self,
        marks: &[EventMark],
        likelihood: impl Fn(i64) -> f64,
    ) -> Self {
        let plausible = self.earliest_us..=self.latest_us;
        let at_us = marks
            .iter()
            .filter(|mark| mark.kind == "deploy" && plausible.contains(&mark.at_us))
            .map(|mark| mark.at_us)
            .max_by(|a, b| likelihood(*a).total_cmp(&likelihood(*b)));
        at_us.map_or(self, |at_us| Self { at_us, shown_us: self.shown_us.max(at_us), ..self })
    }

    /// The event nearest to the beginning: one whose moment `is_near`, one that had ended near it,
    /// or one that was still going on.
    pub(super) fn linked(
        self,
        marks: &[EventMark],
        is_near: impl Fn(i64) -> bool,
    ) -> Option<LinkedEvent> {
        let is_during = |mark: &EventMark| {
            (mark.at_us..mark.until_us.unwrap_or(mark.at_us)).contains(&self.at_us)
        };
        let ended_us = |mark: &EventMark| mark.until_us.filter(|until_us| *until_us <= self.at_us);
        let is_linked = |mark: &&EventMark| {
            is_near(mark.at_us) || is_during(mark) || ended_us(mark).is_some_and(&is_near)
        };
        // A deploy in the middle of an exam week explains more than the week that began days ago.
        let distance = |mark: &&EventMark| {
            let distance_us = (self.at_us - ended_us(mark).unwrap_or(mark.at_us)).abs();
            (distance_us, mark.kind != "deploy")
        };
        let mark = marks.iter().filter(is_linked).min_by_key(distance)?;
        Some(LinkedEvent {
            kind: mark.kind.clone(),
            name: mark.name.clone(),
            at: format_ts(mark.at_us),
            lag_s: (self.at_us - mark.at_us) as f64 / 1e6,
            is_during: is_during(mark),
        })
    }

    /// As a finding tells it.
    pub(super) fn since(self) -> crate::model::Since {
        crate::model::Since {
            at: format_ts(self.at_us),
            earliest: format_ts(self.earliest_us),
            latest: format_ts(self.latest_us),
        }
    }
}

/// The verdict of a test's outcome.
pub(super) fn verdict_of(outcome: Outcome) -> Verdict {
    match outcome {
        Outcome::Pass => Verdict::Pass,
        Outcome::Warn => Verdict::Warn,
        Outcome::Fail => Verdict::Fail,
        Outcome::Inconclusive => Verdict::Inconclusive,
    }
}

/// A change without interval, to be completed.
pub(super) fn change(before: f64, after: f64, n: [u64; 2], unit: Unit) -> Change {
    Change {
        before,
        after,
        unit,
        direction: Direction::UpIsWorse,
        n,
        change_pct: (before.abs() > 0.0).then(|| (after / before - 1.0) * 100.0),
        interval: None,
        level: 0.98,
        week_over_week: None,
    }
}

/// A group of one name.
pub(super) fn group(name: &str, value: &str) -> Group {
    Group::from([(name.to_owned(), value.to_owned())])
}

#[cfg(test)]
mod tests {
    use super::When;
    use crate::model::EventMark;

    #[test]
    fn the_event_that_goes_on_or_was_just_over_is_named() {
        const MINUTE_US: i64 = 60_000_000;
        // In minutes; the change is at 1,000 and lies within 10 of it for sure.
        let check = |events: &[(&str, i64, Option<i64>)], want: Option<(&str, bool)>, why: &str| {
            let mark = |(kind, at, until): &(&str, i64, Option<i64>)| EventMark {
                kind: (*kind).to_owned(),
                name: String::new(),
                at_us: at * MINUTE_US,
                until_us: until.map(|until| until * MINUTE_US),
                origin: String::new(),
            };
            let marks: Vec<EventMark> = events.iter().map(mark).collect();
            let near = 990 * MINUTE_US..=1_010 * MINUTE_US;
            let linked =
                When::exactly(1_000 * MINUTE_US).linked(&marks, |at_us| near.contains(&at_us));
            let linked = linked.map(|event| (event.kind, event.is_during));
            assert_eq!(linked, want.map(|(kind, during)| (kind.to_owned(), during)), "{why}");
        };
        let (deploy, exam) = (("deploy", 997, None), ("exam", 0, Some(2_000)));
        check(&[], None, "nothing is known");
        check(&[deploy], Some(("deploy", false)), "three minutes before");
        check(&[("deploy", 900, None)], None, "too long before");
        check(&[exam], Some(("exam", true)), "it began long ago and goes on");
        check(&[exam, deploy], Some(("deploy", false)), "the nearer one");
        check(&[("exam", 0, Some(995))], Some(("exam", false)), "it was just over");
        check(&[("exam", 0, Some(900))], None, "it was long over");
        check(
            &[("exam", 1_000, Some(2_000)), ("deploy", 1_000, None)],
            Some(("deploy", false)),
            "a tie",
        );
        check(&[("exam", 1_005, Some(2_000))], Some(("exam", false)), "seen a little early");
    }
}
