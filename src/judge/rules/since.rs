//! When a measure that is broken changed, and which deploy was nearest to it.

use super::Scene;
use super::before::Before;
use super::series::Course;
use super::term::{Case, Situation};
use crate::judge::candidate::When;
use crate::model::{EventMark, LinkedEvent, Since, Window};
use crate::rule::{Measure, Term};
use crate::stats::{count::Count, scan::locate_rate_step, step::Place};

/// Windows before the current one that are searched first, and into how many pieces with it.
const RECENT_WINDOWS: i64 = 4;
const MAX_RECENT_WINDOWS: usize = 60;
/// Windows of the course that is searched.
const MAX_WINDOWS: usize = 400;
/// Chance of so clear a change where there is none, from which on its time is told.
const MAX_P_VALUE: f64 = 0.05;
/// A deploy so long before the change was seen may have caused it.
const MAX_LAG_US: i64 = 3_600 * 1_000_000;

/// A time, and what happened then.
pub(super) struct Found {
    pub(super) since: Since,
    pub(super) event: Option<LinkedEvent>,
}

/// Looks for the moment at which the measure of a term changed.
pub(super) fn of(term: &Term, before: Before<'_>, scene: &Scene<'_>) -> Option<Found> {
    if matches!(term.measure, Measure::Age | Measure::New(_) | Measure::Novelty(_)) {
        return None;
    }
    let Before { gauge, group, windows, .. } = before;
    let situation = Situation { windows, min_samples: 0, has_events: true };
    let now = gauge.read(group, &windows.judged);
    let case = Case { term, gauge, group, now, before, situation: &situation };
    let len_us = windows.current.end_us - windows.current.start_us;
    let recent_us = windows.current.start_us - RECENT_WINDOWS * len_us;
    let recent = Window { start_us: recent_us.max(windows.span.start_us), ..windows.span };
    // What is broken now most likely changed now: the rest of time is searched only then.
    let searched = [(recent, MAX_RECENT_WINDOWS), (windows.span, MAX_WINDOWS)];
    let mut courses = searched.into_iter().map(|(span, most)| Course::over(&case, span, most));
    let (course, place) =
        courses.find_map(|course| place(&case, &course).map(|place| (course, place)))?;
    let marks = marks(scene);
    let when = When::of_place(place, |index| course.window(index)).with_nearest_deploy(&marks);
    let event = when.linked(&marks, |at_us| {
        let is_before = at_us <= when.shown_us && when.at_us - at_us <= MAX_LAG_US;
        is_before || (when.earliest_us..=when.latest_us).contains(&at_us)
    });
    Some(Found { since: when.since(), event })
}

fn place(case: &Case<'_>, course: &Course) -> Option<Place> {
    if matches!(case.term.measure, Measure::Share(_)) {
        let windows: Vec<Option<Count>> = course
            .readings
            .iter()
            .map(|reading| {
                let (events, exposure) = (reading.matching as f64, reading.n as f64);
                (reading.n > 0).then_some(Count { events, exposure })
            })
            .collect();
        let step = locate_rate_step(&windows, case.direction())?;
        return (step.p_value <= MAX_P_VALUE).then_some(step.place);
    }
    let (step, _) = course.step()?;
    (step.p_value <= MAX_P_VALUE).then_some(step.place)
}

/// Known events, and each version's first record but the first of all as a deploy.
fn marks(scene: &Scene<'_>) -> Vec<EventMark> {
    let mut marks: Vec<EventMark> = scene.calendar.marks.to_vec();
    let told = marks.iter().any(|mark| mark.kind == "deploy");
    if !told {
        let later = scene.calendar.versions.iter().skip(1);
        marks.extend(later.map(|(at_us, name)| EventMark {
            kind: "deploy".to_owned(),
            name: name.clone(),
            at_us: *at_us,
            until_us: None,
            origin: "first seen".to_owned(),
        }));
    }
    marks.retain(|mark| mark.at_us < scene.now_us);
    marks
}
