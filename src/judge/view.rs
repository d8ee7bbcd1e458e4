//! What a report looks at: the span, the window that is judged, the one before, and the rhythm.

use crate::model::{EventMark, SlotWidth, Window, format_ts, whole_us};
use crate::query::{Counted, Requests, Survey};

/// Windows in a chart at most.
const MAX_WINDOWS: usize = 360;
/// The same where a person names their width; narrower ones are made wider.
pub(super) const MAX_ASKED_WINDOWS: usize = 10_000;
/// History that is looked at, in lengths of the current window.
const MAX_HISTORY_WINDOWS: i64 = 4;
/// Spans from this length on are judged by the week.
const WEEKLY_FROM_S: f64 = 8.0 * 86_400.0;
/// Share of a short span that is judged; the rest is its baseline (four times as long).
const SHORT_CURRENT_SHARE: i64 = 5;
/// Spans shorter than this have no daily rhythm that could be told.
const RHYTHM_FROM_S: f64 = 4.0 * 86_400.0;
/// Spans from this length on are judged hour of the week by hour of the week.
const HOUR_OF_WEEK_FROM_S: f64 = 22.0 * 86_400.0;

const WEEK_US: i64 = 7 * 86_400 * 1_000_000;
const DAY_S: i64 = 86_400;
/// Data shorter than this have no earlier part to compare with.
const HISTORY_FROM_US: i64 = 60 * 1_000_000;

/// Nothing can be put into windows.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ViewError {
    /// No event has a usable time.
    #[error("none of {events} events has a time that can be read")]
    NoTime {
        /// Events that were decoded.
        events: u64,
    },
    /// The wanted end lies before everything.
    #[error("all records are later than the end asked for: the first is of {first}")]
    NowBeforeData {
        /// Time of the first event.
        first: String,
    },
}

/// What is looked at, and how time is cut.
pub struct View<'a> {
    /// What was read.
    pub survey: &'a Survey,
    /// Its requests.
    pub requests: &'a Requests,
    /// Deploys and calendar.
    pub marks: &'a [EventMark],
    /// What the tests look at, in whole windows.
    pub span: Window,
    /// Everything that was read.
    pub data: Window,
    /// What is judged.
    pub current: Window,
    /// What it is compared with, where there is history.
    pub before: Option<Window>,
    /// Width of a chart's window.
    pub width: SlotWidth,
    /// The width that a person asked for.
    pub asked_width: Option<SlotWidth>,
    /// Offset of local time, seconds east of UTC.
    pub offset_s: i32,
    /// Routes with requests in the span and how many, busiest first.
    pub routes: Vec<(u32, u64)>,
}

impl<'a> View<'a> {
    /// Cuts the time that was read. `now_us` ends the current window; later events are not
    /// looked at. `width` is the chart's window, chosen from the span where `None`.
    ///
    /// # Errors
    /// When no event has a time.
    pub fn new(
        survey: &'a Survey,
        requests: &'a Requests,
        marks: &'a [EventMark],
        settings: ViewSettings,
    ) -> Result<Self, ViewError> {
        let events = survey.inputs.iter().map(|i| i.records - i.rejects.count()).sum();
        let (first, last) = survey.span_us.ok_or(ViewError::NoTime { events })?;
        let end_us = settings.now_us.unwrap_or(last + 1);
        if end_us <= first {
            return Err(ViewError::NowBeforeData { first: format_ts(first) });
        }
        let grain_us = requests.grain_us();
        let now_us = whole_us(end_us, grain_us);
        let data = Window { start_us: first, end_us: now_us };
        let (current_us, has_history) = if let Some(wanted) = settings.current_us {
            (wanted.min(now_us - first), first < now_us - wanted)
        } else if data.len_s() >= WEEKLY_FROM_S {
            (WEEK_US, true)
        } else if now_us - first >= HISTORY_FROM_US {
            ((now_us - first) / SHORT_CURRENT_SHARE, true)
        } else {
            (now_us - first, false)
        };
        let current_us = (current_us / grain_us).max(1) * grain_us;
        let current = Window { start_us: now_us - current_us, end_us: now_us };
        let before_us = if data.len_s() >= WEEKLY_FROM_S { current_us } else { 4 * current_us };
        let before = has_history.then(|| Window {
            start_us: (current.start_us - before_us).max(first),
            end_us: current.start_us,
        });
        let looked_from = (current.start_us - MAX_HISTORY_WINDOWS * current_us).max(first);
        let looked_s = (now_us - looked_from) as f64 / 1e6;
        let fitting = SlotWidth::fitting(looked_s, MAX_WINDOWS);
        let asked_width = settings.width;
        let narrowest = SlotWidth::fitting(looked_s, MAX_ASKED_WINDOWS);
        let width = asked_width.unwrap_or(fitting).max(narrowest).max(requests.finest_width());
        let span = Window {
            start_us: width.floor_us(looked_from),
            end_us: width.floor_us(now_us - 1) + width.micros(),
        };
        let offset_s = settings.offset_s;
        let routes = busiest_routes(survey, requests, span);
        Ok(Self {
            survey,
            requests,
            marks,
            span,
            data,
            current,
            before,
            width,
            asked_width,
            offset_s,
            routes,
        })
    }

    /// Number of windows of some width in the span.
    pub fn window_count(&self, width: SlotWidth) -> usize {
        let start_us = width.floor_us(self.span.start_us);
        ((self.span.end_us - start_us + width.micros() - 1) / width.micros()).max(0) as usize
    }

    /// Window by its index, aligned to its width.
    pub fn window(&self, index: usize, width: SlotWidth) -> Window {
        let start_us = width.floor_us(self.span.start_us) + index as i64 * width.micros();
        Window { start_us, end_us: start_us + width.micros() }
    }

    /// The span in whole windows of some width.
    pub fn span_of(&self, width: SlotWidth) -> Window {
        let count = self.window_count(width);
        let start_us = self.window(0, width).start_us;
        Window { start_us, end_us: start_us + count as i64 * width.micros() }
    }

    /// The narrowest width, not below the chart's, in which `events` fill the windows with
    /// `wanted` each on average; at least sixteen windows remain.
    pub fn width_for(&self, events: u64, wanted: f64) -> SlotWidth {
        let span_s = self.span.len_s();
        let mut best = self.width;
        for width_s in SlotWidth::LADDER_S {
            let Some(width) = SlotWidth::from_seconds(width_s) else { continue };
            let windows = span_s / f64::from(width_s);
            if width < self.width || windows < 16.0 {
                continue;
            }
            best = width;
            if events as f64 / windows >= wanted {
                break;
            }
        }
        best
    }

    /// For each window the number of its like: hour of the week, or hour of the day on working
    /// days and weekends apart, or all alike when the span is too short for a rhythm.
    pub fn slots(&self, width: SlotWidth) -> Vec<u32> {
        let span_s = self.span.len_s();
        (0..self.window_count(width))
            .map(|index| {
                if span_s < RHYTHM_FROM_S {
                    return 0;
                }
                let window = self.window(index, width);
                let local_s = window.start_us.div_euclid(1_000_000) + i64::from(self.offset_s);
                // 1 January 1970 was a Thursday; Monday is day 0.
                let weekday = (local_s.div_euclid(DAY_S) + 3).rem_euclid(7);
                let hour = local_s.rem_euclid(DAY_S) / i64::from(width.seconds());
                let day = if span_s >= HOUR_OF_WEEK_FROM_S { weekday } else { weekday / 5 };
                (day * DAY_S + hour) as u32
            })
            .collect()
    }

    /// Whether data begin or end within a window.
    pub fn is_partial(&self, window: Window) -> bool {
        window.start_us < self.data.start_us || window.end_us > self.data.end_us
    }

    /// Whether a window lies in an event that explains fewer events, such as a holiday.
    fn is_excused(&self, window: Window) -> bool {
        self.touches_any(window, &["holiday", "maintenance"])
    }

    /// Whether a window lies in announced maintenance, when failures are no surprise.
    pub fn is_maintained(&self, window: Window) -> bool {
        self.touches_any(window, &["maintenance"])
    }

    fn touches_any(&self, window: Window, kinds: &[&str]) -> bool {
        self.marks.iter().any(|mark| {
            let until_us = mark.until_us.unwrap_or(mark.at_us);
            kinds.contains(&mark.kind.as_str())
                && mark.at_us < window.end_us
                && window.start_us < until_us
        })
    }

    /// Counts by window; `None` for one that is not whole.
    pub fn counts(&self, counted: Counted, width: SlotWidth) -> Vec<Option<u64>> {
        let cell_us = self.survey.tally.width().micros();
        let mut counts = vec![0_u64; self.window_count(width)];
        let start_us = self.window(0, width).start_us;
        for (cell_start_us, count) in self.survey.tally.of(counted) {
            if (start_us..self.span.end_us).contains(&cell_start_us) {
                let index = (cell_start_us - start_us) / width.micros().max(cell_us);
                if let Some(total) = counts.get_mut(index as usize) {
                    *total += u64::from(count);
                }
            }
        }
        let kept = |(index, count): (usize, u64)| {
            (!self.is_partial(self.window(index, width))).then_some(count)
        };
        counts.into_iter().enumerate().map(kept).collect()
    }

    /// The same without windows in which a known event explains fewer events.
    pub fn counts_outside_events(&self, counted: Counted, width: SlotWidth) -> Vec<Option<u64>> {
        let mut counts = self.counts(counted, width);
        for (index, count) in counts.iter_mut().enumerate() {
            if self.is_excused(self.window(index, width)) {
                *count = None;
            }
        }
        counts
    }

    /// Records counted up to the end of what is looked at.
    pub fn count(&self, counted: Counted) -> u64 {
        let cells = self.survey.tally.of(counted);
        let looked_at = cells.filter(|(start_us, _)| *start_us < self.data.end_us);
        looked_at.map(|(_, count)| u64::from(count)).sum()
    }

    /// A width for counts: what is counted by the minute or hour cannot be cut finer.
    pub fn count_width(&self, at_least_s: u32) -> SlotWidth {
        let counted_s = self.survey.tally.width().seconds();
        let bound_s = at_least_s.max(counted_s).max(self.width.seconds());
        let width_s = SlotWidth::LADDER_S.into_iter().find(|width_s| *width_s >= bound_s);
        width_s.and_then(SlotWidth::from_seconds).unwrap_or(self.width)
    }
}

fn busiest_routes(survey: &Survey, requests: &Requests, span: Window) -> Vec<(u32, u64)> {
    let named = survey.names.routes.iter();
    let mut routes: Vec<(u32, u64)> = named
        .map(|(route, _)| (route, requests.counts(Some(route), span).n))
        .filter(|(_, n)| *n > 0)
        .collect();
    routes.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
    routes
}

/// What a person may say about the view.
#[derive(Clone, Copy, Debug, Default)]
pub struct ViewSettings {
    /// End of the current window, microseconds; the newest event where `None`.
    pub now_us: Option<i64>,
    /// Length of the current window, microseconds.
    pub current_us: Option<i64>,
    /// Width of a chart's window.
    pub width: Option<SlotWidth>,
    /// Offset of local time, seconds east of UTC.
    pub offset_s: i32,
}
