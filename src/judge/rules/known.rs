//! Known events and what is done about them: which time is judged, and which is comparable.

use std::collections::BTreeSet;

use crate::model::{EventKinds, EventMark, Window};

/// Names of muted events that are told, at most.
const MAX_NAMED: usize = 3;

/// The known events of which anything is done, while windows are chosen.
pub(super) struct Known<'a> {
    kinds: &'a EventKinds,
    events: Vec<(Window, &'a EventMark)>,
    /// Names of the events whose time was left out so far.
    pub(super) left_out: Vec<String>,
}

impl<'a> Known<'a> {
    /// Takes the events in a span that are of kinds in any list.
    pub(super) fn new(marks: &'a [EventMark], kinds: &'a EventKinds, span: Window) -> Self {
        let EventKinds { exclude, segment, mute } = kinds;
        let is_treated = |mark: &EventMark| {
            [exclude, segment, mute].iter().any(|list| list.contains(&mark.kind))
        };
        let events = marks.iter().map(|mark| (time_of(mark), mark)).filter(|(time, mark)| {
            time.end_us >= span.start_us && time.start_us <= span.end_us && is_treated(mark)
        });
        Self { kinds, events: events.collect(), left_out: Vec::new() }
    }

    /// The kind whose events fill at least half of a window, if it is one that is matched.
    pub(super) fn segment(&self, window: Window) -> Option<String> {
        let is_filled = |kind: &&String| {
            let outside = self.outside(window, |event| event.kind == **kind);
            2 * outside.into_iter().map(len_us).sum::<i64>() <= len_us(window)
        };
        self.kinds.segment.iter().find(is_filled).filter(|_| len_us(window) > 0).cloned()
    }

    /// What of a window can be compared with one of this segment.
    pub(super) fn comparable(&mut self, window: Window, segment: Option<&str>) -> Vec<Window> {
        let kinds = self.kinds;
        let is_left_out = |event: &EventMark| {
            let own = Some(event.kind.as_str());
            kinds.exclude.contains(&event.kind)
                || kinds.mute.contains(&event.kind)
                || (kinds.segment.contains(&event.kind) && own != segment)
        };
        for (time, mark) in &self.events {
            let touches = time.end_us > window.start_us && window.end_us > time.start_us;
            if !touches || !is_left_out(mark) {
                continue;
            }
            let name = format!("{} {}", mark.kind, mark.name);
            if !self.left_out.contains(&name) {
                self.left_out.push(name);
            }
        }
        let left = self.outside(window, is_left_out);
        let Some(kind) = segment else { return left };
        let other = self.outside(window, |event| event.kind == kind);
        other.into_iter().fold(left, without)
    }

    /// What of the current window is judged, and the muted events in it. Where less than half would
    /// be left all of it is: something must be shown.
    pub(super) fn judged(&self, current: Window) -> (Vec<Window>, Option<String>) {
        let mut names: Vec<String> = self
            .muted()
            .filter(|(time, _)| {
                let point = time.start_us == time.end_us;
                !point && time.end_us > current.start_us && current.end_us > time.start_us
            })
            .map(|(_, mark)| format!("{} {}", mark.kind, mark.name))
            .collect();
        names.dedup();
        if names.is_empty() {
            return (vec![current], None);
        }
        let more = names.len().saturating_sub(MAX_NAMED);
        names.truncate(MAX_NAMED);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        let left = self.outside(current, |event| self.kinds.mute.contains(&event.kind));
        let is_enough =
            2 * left.iter().map(|window| len_us(*window)).sum::<i64>() >= len_us(current);
        (if is_enough { left } else { vec![current] }, Some(names.join(", ") + &more))
    }

    /// Whether a muted event goes on at an instant.
    pub(super) fn is_muted(&self, at_us: i64) -> bool {
        self.muted().any(|(time, _)| time.contains(at_us))
    }

    fn muted(&self) -> impl Iterator<Item = &(Window, &'a EventMark)> {
        self.events.iter().filter(|(_, mark)| self.kinds.mute.contains(&mark.kind))
    }

    /// How many lengths of the current window one must go back to come into events of a kind.
    pub(super) fn steps_back(&self, current: Window, kind: &str, most: usize) -> BTreeSet<i64> {
        let len_us = len_us(current).max(1);
        let of_kind = self.events.iter().filter(|(_, mark)| mark.kind == kind);
        let steps = of_kind.flat_map(|(time, _)| {
            let nearest = (current.start_us - time.end_us).div_euclid(len_us).max(1);
            let farthest = (current.end_us - time.start_us).div_euclid(len_us);
            (nearest..=farthest).take(most)
        });
        steps.collect()
    }

    /// What is left of a window outside of some events.
    fn outside(&self, window: Window, is_out: impl Fn(&EventMark) -> bool) -> Vec<Window> {
        let out = self.events.iter().filter(|(_, mark)| is_out(mark));
        out.fold(vec![window], |left, (time, _)| without(left, *time))
    }
}

/// Length in microseconds.
pub(super) fn len_us(window: Window) -> i64 {
    window.end_us - window.start_us
}

/// The time of an event; without an end it is a moment.
fn time_of(mark: &EventMark) -> Window {
    Window { start_us: mark.at_us, end_us: mark.until_us.unwrap_or(mark.at_us) }
}

/// The parts of some windows outside of another. A moment inside of a window parts it in two.
fn without(windows: Vec<Window>, other: Window) -> Vec<Window> {
    let cut = |window: Window| {
        let before = Window { end_us: window.end_us.min(other.start_us), ..window };
        let after = Window { start_us: window.start_us.max(other.end_us), ..window };
        [before, after].into_iter().filter(|part| part.start_us < part.end_us)
    };
    windows.into_iter().flat_map(cut).collect()
}

/// How far back the events reach that a window which ends now is matched by; `None` where it lies
/// in none.
pub fn matched_since_us(marks: &[EventMark], kinds: &EventKinds, current: Window) -> Option<i64> {
    let always = Window { start_us: i64::MIN, end_us: i64::MAX };
    let known = Known::new(marks, kinds, always);
    let kind = known.segment(current)?;
    let of_kind = known.events.iter().filter(|(_, mark)| mark.kind == kind);
    of_kind.map(|(time, _)| time.start_us).min()
}
