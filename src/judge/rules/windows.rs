//! Which time is judged, and which it is compared with.

use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::baseline::{Like, Slot};
use crate::model::{EventMark, Window};

/// Windows before the current one that are looked at, at most.
const MAX_HISTORY: usize = 5_000;
/// How far back is looked.
pub(super) const MAX_LOOK_BACK_US: i64 = 28 * DAY_US;
/// Windows from this length on hold about every hour of the day.
const WHOLE_DAY_US: i64 = 20 * HOUR_US;
const HOUR_US: i64 = 3_600 * 1_000_000;
const DAY_US: i64 = 24 * HOUR_US;

/// With what the current window is compared.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compared {
    /// Windows like the current one in all that was read before it: of the same hour of the week
    /// where there are three, else of the same hour of the day, else four times its length.
    #[default]
    History,
    /// Four times its length, right before it.
    FourTimesBefore,
    /// The same window a week before.
    LastWeek,
    /// From the first record of the version before to the first of the newest.
    PreviousDeployment,
}

/// The time that is judged, and what is known about the rest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Windows {
    /// What is judged.
    pub current: Window,
    /// What it is compared with, in order; empty when there is nothing.
    pub baseline: Vec<Window>,
    /// Windows as long as the current one and like it, in order.
    pub history: Vec<Window>,
    /// From the first record to the end of the current window.
    pub span: Window,
    /// What the baseline is, such as `the same hour of 13 days`.
    pub name: String,
    /// Events whose time was left out of it.
    pub excluded: Vec<String>,
}

/// Everything that is kept of some time.
pub(super) struct Whole {
    pub(super) kept: Vec<Window>,
    pub(super) windows: Vec<Window>,
    pub(super) excluded: Vec<String>,
}

/// What the windows are chosen from.
pub struct Calendar<'a> {
    /// First and last event time, microseconds.
    pub span_us: (i64, i64),
    /// What windows are whole multiples of, microseconds.
    pub grain_us: i64,
    /// First time of each version and its name, in order.
    pub versions: Vec<(i64, String)>,
    /// Known events.
    pub marks: &'a [EventMark],
    /// Kinds of events that the baseline leaves out.
    pub exclude: &'a [String],
    /// Zone in which hours and weeks are counted.
    pub zone: TimeZone,
}

impl Calendar<'_> {
    /// The windows for a current one of `len_us` that ends at `now_us`.
    pub fn windows(&self, now_us: i64, len_us: i64, compared: Compared) -> Windows {
        let first_us = self.span_us.0;
        let start_us = match (compared, self.versions.iter().rfind(|(at, _)| *at < now_us)) {
            (Compared::PreviousDeployment, Some((newest_us, _))) => {
                (*newest_us).max(now_us - len_us)
            }
            _ => now_us - len_us,
        };
        let current = Window { start_us: start_us.max(first_us), end_us: now_us };
        let span = Window { start_us: first_us, end_us: now_us };
        let mut excluded = Vec::new();
        let (history, like) = self.history(current, &mut excluded);
        let four_times = || {
            let start_us = (current.start_us - 4 * len_us).max(first_us);
            vec![Window { start_us, end_us: current.start_us }]
        };
        let (baseline, name) = match compared {
            Compared::History if like != Like::Any => {
                (history.clone(), format!("the {} windows like it before", history.len()))
            }
            Compared::History | Compared::FourTimesBefore => {
                (four_times(), "four times as long before".to_owned())
            }
            Compared::LastWeek => {
                let week = self.a_week_before(current);
                (vec![week], "the same time last week".to_owned())
            }
            Compared::PreviousDeployment => self.previous_deployment(current),
        };
        let baseline = baseline
            .into_iter()
            .map(|window| Window { start_us: window.start_us.max(first_us), ..window })
            .filter(|window| window.start_us < window.end_us)
            .flat_map(|window| self.without_events(window, &mut excluded))
            .collect();
        Windows { current, baseline, history, span, name, excluded }
    }

    /// Windows like the current one before it, as far as they are whole and undisturbed.
    fn history(&self, current: Window, excluded: &mut Vec<String>) -> (Vec<Window>, Like) {
        let len_us = (current.end_us - current.start_us).max(1);
        let earliest_us = self.span_us.0.max(current.start_us - MAX_LOOK_BACK_US);
        let count = ((current.start_us - earliest_us) / len_us).clamp(0, MAX_HISTORY as i64);
        let all: Vec<Window> = (1..=count)
            .rev()
            .map(|back| Window {
                start_us: current.start_us - back * len_us,
                end_us: current.end_us - back * len_us,
            })
            .filter(|window| self.without_events(*window, excluded) == [*window])
            .collect();
        let slot = self.slot(current, len_us);
        let slots: Vec<Slot> = all.iter().map(|window| self.slot(*window, len_us)).collect();
        let like = match slot.like_in(&slots) {
            // A week has all hours, and several days are neither working days nor weekends.
            Like::HourOfWeek if len_us >= 7 * DAY_US => Like::Any,
            Like::HourOfDay if len_us > DAY_US => Like::Any,
            like => like,
        };
        let of_like = all.into_iter().zip(slots).filter(|(_, other)| slot.is_like(*other, like));
        (of_like.map(|(window, _)| window).collect(), like)
    }

    /// The slot of a window's middle; of windows of a day and longer the day's.
    pub(super) fn slot(&self, window: Window, len_us: i64) -> Slot {
        let middle_us = window.start_us + (window.end_us - window.start_us) / 2;
        let Ok(at) = Timestamp::from_microsecond(middle_us) else { return Slot::new(0, 0) };
        let local_s = at.as_second() + i64::from(self.zone.to_offset(at).seconds());
        let hours = local_s.div_euclid(3_600);
        let hour = if len_us >= WHOLE_DAY_US { 0 } else { hours.rem_euclid(24) };
        // 1 January 1970 was a Thursday.
        Slot::new(hours.div_euclid(24) as i32 + 3, hour as i8)
    }

    /// All time up to `end_us` without the events that are left out, and in it the newest whole
    /// windows of `len_us`, at most `most`; both in order.
    pub(super) fn whole(&self, end_us: i64, len_us: i64, most: usize) -> Whole {
        let mut excluded = Vec::new();
        let span = Window { start_us: self.span_us.0, end_us };
        let kept = self.without_events(span, &mut excluded);
        let len_us = len_us.max(1);
        let fitting = |part: &Window| {
            let Window { start_us, end_us } = *part;
            let back = (1..=(end_us - start_us) / len_us).map(move |back| Window {
                start_us: end_us - back * len_us,
                end_us: end_us - (back - 1) * len_us,
            });
            back.take(most)
        };
        let mut windows: Vec<Window> = kept.iter().rev().flat_map(fitting).take(most).collect();
        windows.reverse();
        Whole { kept, windows, excluded }
    }

    fn a_week_before(&self, current: Window) -> Window {
        let before = |at_us: i64| {
            let at = Timestamp::from_microsecond(at_us).ok()?.to_zoned(self.zone.clone());
            Some(at.checked_sub(1.week()).ok()?.timestamp().as_microsecond())
        };
        let shifted = |at_us: i64| before(at_us).unwrap_or(at_us - 7 * DAY_US);
        Window { start_us: shifted(current.start_us), end_us: shifted(current.end_us) }
    }

    fn previous_deployment(&self, current: Window) -> (Vec<Window>, String) {
        let known: Vec<&(i64, String)> =
            self.versions.iter().filter(|(at_us, _)| *at_us < current.end_us).collect();
        match known.as_slice() {
            [.., (before_us, name), (newest_us, _)] => {
                let end_us = (*newest_us).min(current.start_us);
                (
                    vec![Window { start_us: *before_us, end_us }],
                    format!("the version before, {name}"),
                )
            }
            _ => (Vec::new(), "the version before, of which there is no record".to_owned()),
        }
    }

    /// What is left of a window without the events that are to be left out.
    fn without_events(&self, window: Window, excluded: &mut Vec<String>) -> Vec<Window> {
        let mut left = vec![window];
        for mark in self.marks.iter().filter(|mark| self.exclude.contains(&mark.kind)) {
            let until_us = mark.until_us.unwrap_or(mark.at_us);
            let event = Window { start_us: mark.at_us, end_us: until_us };
            if event.end_us <= window.start_us || window.end_us <= event.start_us {
                continue;
            }
            let name = format!("{} {}", mark.kind, mark.name);
            if !excluded.contains(&name) {
                excluded.push(name);
            }
            left = left.into_iter().flat_map(|part| cut(part, event)).collect();
        }
        left
    }
}

/// The parts of a window outside of another.
fn cut(window: Window, event: Window) -> impl Iterator<Item = Window> {
    let before = Window { end_us: window.end_us.min(event.start_us), ..window };
    let after = Window { start_us: window.start_us.max(event.end_us), ..window };
    [before, after].into_iter().filter(|part| part.start_us < part.end_us)
}
