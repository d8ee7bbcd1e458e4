//! Which time is judged, and which it is compared with.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::known::{Known, len_us};
use crate::baseline::{Like, Slot};
use crate::model::{EventKinds, EventMark, Window};

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
    /// What is judged, from its first moment to its last.
    pub current: Window,
    /// The same without the time of muted events; with it where less than half would be left.
    pub judged: Vec<Window>,
    /// Muted events in the current window, as people read them.
    pub muted: Option<String>,
    /// Whether a muted event goes on at the end of the current window.
    pub is_muted_now: bool,
    /// Kind of the known events that the current window lies in and is matched by.
    pub segment: Option<String>,
    /// What it is compared with, in order; empty when there is nothing.
    pub baseline: Vec<Window>,
    /// Windows as long as the current one and like it, in order.
    pub history: Vec<Window>,
    /// Windows that are less like it, narrower kinds first: for what needs more of them.
    pub wider: Wider,
    /// From the first record to the end of the current window.
    pub span: Window,
    /// What the baseline is, such as `the same hour of 13 days`.
    pub name: String,
    /// Events whose time was left out of it.
    pub excluded: Vec<String>,
}

impl Windows {
    /// Whether all of the current window is judged, muted events included.
    pub(super) fn is_whole(&self) -> bool {
        self.judged == [self.current]
    }

    /// Seconds that are judged.
    pub(super) fn judged_s(&self) -> f64 {
        self.judged.iter().map(|window| window.len_s()).sum()
    }
}

/// Everything that is kept of some time.
pub(super) struct Whole {
    pub(super) kept: Vec<Window>,
    pub(super) windows: Vec<Window>,
    pub(super) segment: Option<String>,
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
    /// What is done about them.
    pub kinds: &'a EventKinds,
    /// Zone in which hours and weeks are counted.
    pub zone: TimeZone,
    /// How much of the history, or of the version before, is looked at, microseconds.
    pub look_back_us: Option<i64>,
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
        let mut known = Known::new(self.marks, self.kinds, span);
        let segment = known.segment(current);
        let (history, like, wider) = self.history(current, (&mut known, segment.as_deref()));
        if compared != Compared::History || like == Like::Any {
            // What was left out of windows that are not compared is no matter.
            known.left_out.clear();
        }
        let four_times = || {
            let start_us = (current.start_us - 4 * len_us).max(first_us);
            vec![Window { start_us, end_us: current.start_us }]
        };
        let (baseline, name) = match compared {
            Compared::History if like != Like::Any => {
                (history.clone(), format!("the {} windows like it before", history.len()))
            }
            // What is four times as long before an exam week is no exam week.
            Compared::History if segment.is_some() => {
                (Vec::new(), "the windows like it before".to_owned())
            }
            Compared::History | Compared::FourTimesBefore => {
                (four_times(), "four times as long before".to_owned())
            }
            Compared::LastWeek => {
                let week = self.back_by_clock(current, 7 * DAY_US);
                (week.into_iter().collect(), "the same time last week".to_owned())
            }
            Compared::PreviousDeployment => self.previous_deployment(current),
        };
        let baseline: Vec<Window> = baseline
            .into_iter()
            .map(|window| Window { start_us: window.start_us.max(first_us), ..window })
            .filter(|window| window.start_us < window.end_us)
            .flat_map(|window| known.comparable(window, segment.as_deref()))
            .collect();
        let name = match &segment {
            Some(kind) if baseline.is_empty() => {
                format!("too little of {name} lies within `{kind}`")
            }
            Some(kind) => format!("{name}, within `{kind}` as well"),
            None => name,
        };
        let (judged, muted) = known.judged(current);
        let is_muted_now = known.is_muted(now_us - 1);
        let excluded = known.left_out;
        Windows {
            current,
            judged,
            muted,
            is_muted_now,
            segment,
            baseline,
            history,
            wider,
            span,
            name,
            excluded,
        }
    }

    /// The known events that a decision of this moment can rest on.
    pub fn marks_until(&self, now_us: i64) -> Vec<EventMark> {
        let first_us = self.span_us.0;
        let is_known = |mark: &&EventMark| {
            // Whether any deploy is known decides where deploys are taken from.
            let is_past = mark.at_us.max(mark.until_us.unwrap_or(mark.at_us)) < first_us;
            mark.kind == "deploy" || (mark.at_us <= now_us && !is_past)
        };
        self.marks.iter().filter(is_known).cloned().collect()
    }

    /// Windows like the current one before it, as far as they are whole and undisturbed.
    fn history(
        &self,
        current: Window,
        (known, segment): (&mut Known<'_>, Option<&str>),
    ) -> (Vec<Window>, Like, Wider) {
        let len_us = len_us(current).max(1);
        let said_us = self.look_back_us.map(|look_back_us| current.start_us - look_back_us);
        let first_us = self.span_us.0.max(said_us.unwrap_or(i64::MIN));
        let earliest_us = first_us.max(said_us.unwrap_or(current.start_us - MAX_LOOK_BACK_US));
        let steps: BTreeSet<i64> = if let Some(kind) = segment {
            // Exam weeks are months apart: what counts is how many windows they have.
            known.steps_back(current, kind, MAX_HISTORY)
        } else {
            let count = (current.start_us - earliest_us).div_euclid(len_us);
            (1..=count.min(MAX_HISTORY as i64)).collect()
        };
        let steps = steps.into_iter().filter(|back| current.start_us - back * len_us >= first_us);
        // Longer windows would change their hours with the clocks.
        let is_whole =
            |window: &Window| self::len_us(*window) == len_us && window.start_us >= first_us;
        let mut all: Vec<Window> = steps
            .take(MAX_HISTORY)
            .filter_map(|back| self.back_by_clock(current, back * len_us))
            .filter(is_whole)
            .filter(|window| known.comparable(*window, segment) == [*window])
            .collect();
        all.reverse();
        let slot = self.slot(current, len_us);
        let slots: Vec<Slot> = all.iter().map(|window| self.slot(*window, len_us)).collect();
        let like = match slot.like_in(&slots) {
            // A week has all hours, and several days are neither working days nor weekends.
            Like::HourOfWeek if len_us >= 7 * DAY_US => Like::Any,
            Like::HourOfDay if len_us > DAY_US => Like::Any,
            like => like,
        };
        let of = |like: Like| -> Vec<Window> {
            let alike = all.iter().zip(&slots).filter(|(_, other)| slot.is_like(**other, like));
            alike.map(|(window, _)| *window).collect()
        };
        match like {
            Like::HourOfWeek => (of(like), like, vec![(HOURS, of(Like::HourOfDay)), (ALL, all)]),
            Like::HourOfDay => (of(like), like, vec![(ALL, all)]),
            Like::Any => (all, like, Vec::new()),
        }
    }

    /// The slot of a window in this calendar's zone.
    pub(super) fn slot(&self, window: Window, len_us: i64) -> Slot {
        slot(window, len_us, &self.zone)
    }

    /// All time up to `end_us` that is like most of it, without the events that are left out, and in
    /// it the newest whole windows of `len_us`, at most `most`; both in order.
    pub(super) fn whole(&self, end_us: i64, len_us: i64, most: usize) -> Whole {
        let span = Window { start_us: self.span_us.0, end_us };
        let mut known = Known::new(self.marks, self.kinds, span);
        let segment = known.segment(span);
        let kept = known.comparable(span, segment.as_deref());
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
        Whole { kept, windows, segment, excluded: known.left_out }
    }

    /// The window that began and ended so long before by the clocks of the zone; `None` where they
    /// skipped that time.
    fn back_by_clock(&self, window: Window, back_us: i64) -> Option<Window> {
        let before = |at_us: i64| {
            let at = Timestamp::from_microsecond(at_us).ok()?.to_zoned(self.zone.clone());
            let shown = at.datetime().checked_sub(SignedDuration::from_micros(back_us)).ok()?;
            let before = shown.to_zoned(self.zone.clone()).ok()?;
            (before.datetime() == shown).then(|| before.timestamp().as_microsecond())
        };
        Some(Window { start_us: before(window.start_us)?, end_us: before(window.end_us)? })
    }

    fn previous_deployment(&self, current: Window) -> (Vec<Window>, String) {
        let known: Vec<&(i64, String)> =
            self.versions.iter().filter(|(at_us, _)| *at_us < current.end_us).collect();
        match known.as_slice() {
            [.., (before_us, name), (newest_us, _)] => {
                let end_us = (*newest_us).min(current.start_us);
                let said_us = self.look_back_us.map_or(i64::MIN, |look_back| end_us - look_back);
                let window = Window { start_us: said_us.max(*before_us), end_us };
                (vec![window], format!("the version before, {name}"))
            }
            _ => (Vec::new(), "the version before, of which there is no record".to_owned()),
        }
    }
}

/// The slot of a window's middle; of windows of a day and longer the day's.
pub(super) fn slot(window: Window, len_us: i64, zone: &TimeZone) -> Slot {
    let middle_us = window.start_us + (window.end_us - window.start_us) / 2;
    let Ok(at) = Timestamp::from_microsecond(middle_us) else { return Slot::new(0, 0) };
    let local_s = at.as_second() + i64::from(zone.to_offset(at).seconds());
    let hours = local_s.div_euclid(3_600);
    let hour = if len_us >= WHOLE_DAY_US { 0 } else { hours.rem_euclid(24) };
    // 1 January 1970 was a Thursday.
    Slot::new(hours.div_euclid(24) as i32 + 3, hour as i8)
}

/// Windows by how they are named.
type Wider = Vec<(&'static str, Vec<Window>)>;

const HOURS: &str = "the same hour of like days";
const ALL: &str = "all windows before";
