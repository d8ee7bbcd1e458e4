//! Every request in a few bytes: enough to answer any question about time, route, version,
//! outcome and duration after the fact, without knowing the windows in advance.
//!
//! Up to [`MAX_EXACT`] requests are kept as columns (21 bytes each), and quantiles are exact.
//! Beyond it requests are folded into one sketch per route and slot of time, and quantiles have
//! the sketch's relative error; counts stay exact.

use super::folded::{Folded, Sketches, select_sketches};
use crate::model::{SlotWidth, Window};
use crate::stats::{quantile::Sorted, sketch::Sketch};

/// Requests kept one by one; about 85 MB.
pub(super) const MAX_EXACT: usize = 4_000_000;
/// Slots of time once requests are folded.
const MAX_FOLDED_SLOTS: usize = 400;
/// Cells once requests are folded; more make the slots wider.
const MAX_FOLDED_CELLS: usize = 40_000;

/// How a request ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Outcome {
    /// Nothing said so.
    Unknown,
    /// 1xx to 3xx, or no status and no error.
    Success,
    /// 4xx: the caller's fault, not counted as failed.
    Refused,
    /// 5xx.
    ServerError,
    /// Vercel's −1: the function crashed.
    Crashed,
    /// No status, but logged at error level.
    ErrorLevel,
}

impl Outcome {
    /// Whether the service failed.
    pub fn is_failed(self) -> bool {
        matches!(self, Self::ServerError | Self::Crashed | Self::ErrorLevel)
    }

    /// For tables.
    pub fn name(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Success => "1xx–3xx",
            Self::Refused => "4xx",
            Self::ServerError => "5xx",
            Self::Crashed => "crashed",
            Self::ErrorLevel => "error level",
        }
    }
}

/// One request.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Request {
    /// When, microseconds since the epoch.
    pub ts_us: i64,
    /// Number of its route.
    pub route: u32,
    /// Number of its version; [`Request::NO_VERSION`] when unknown.
    pub version: u32,
    /// How it ended.
    pub outcome: Outcome,
    /// Milliseconds; NaN when unknown.
    pub duration_ms: f64,
}

impl Request {
    /// No version was named.
    pub const NO_VERSION: u32 = u16::MAX as u32;
}

/// Durations of some requests.
#[derive(Clone, Debug)]
pub enum Durations {
    /// Every one.
    Exact(Sorted),
    /// A histogram of them.
    Sketched(Sketch),
}

impl Durations {
    /// Number of durations.
    pub fn count(&self) -> u64 {
        match self {
            Self::Exact(sorted) => sorted.len() as u64,
            Self::Sketched(sketch) => sketch.count(),
        }
    }

    /// Quantile (type 7) in milliseconds; `None` when empty.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        match self {
            Self::Exact(sorted) => sorted.quantile(q),
            Self::Sketched(sketch) => sketch.quantile(q),
        }
    }

    /// At most `n` values that stand for all, ascending.
    pub fn thin(&self, n: usize) -> Sorted {
        match self {
            Self::Exact(sorted) if sorted.len() <= n => sorted.clone(),
            Self::Exact(sorted) => {
                let values = sorted.as_slice();
                let at = |i: usize| values.get((2 * i + 1) * values.len() / (2 * n)).copied();
                Sorted::new((0..n).filter_map(at).collect())
            }
            Self::Sketched(sketch) => Sorted::new(sketch.thin(n)),
        }
    }

    /// Number of durations at or below a bound.
    pub fn count_at_most(&self, bound_ms: f64) -> u64 {
        match self {
            Self::Exact(sorted) => {
                sorted.as_slice().partition_point(|value| *value <= bound_ms) as u64
            }
            Self::Sketched(sketch) => sketch.count_at_most(bound_ms),
        }
    }
}

/// Numbers of some requests.
#[derive(Clone, Debug)]
pub struct Summary {
    /// Requests.
    pub n: u64,
    /// Failed ones.
    pub failed: u64,
    /// Durations of those that have one.
    pub durations: Durations,
}

impl Summary {
    /// Share of failed requests; `None` without requests.
    pub fn failed_ratio(&self) -> Option<f64> {
        (self.n > 0).then(|| self.failed as f64 / self.n as f64)
    }
}

/// Counts of some requests.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counts {
    /// Requests.
    pub n: u64,
    /// Failed ones.
    pub failed: u64,
    /// Those that have a duration.
    pub with_duration: u64,
}

impl Counts {
    /// Share of failed requests; `None` without requests.
    pub fn failed_ratio(self) -> Option<f64> {
        (self.n > 0).then(|| self.failed as f64 / self.n as f64)
    }
}

/// All requests of a reading.
#[derive(Debug)]
pub struct RequestLog {
    max_exact: usize,
    ts_us: Vec<i64>,
    routes: Vec<u16>,
    versions: Vec<u16>,
    outcomes: Vec<Outcome>,
    durations_ms: Vec<f64>,
    folded: Option<Folded>,
    span_us: Option<(i64, i64)>,
}

impl Default for RequestLog {
    fn default() -> Self {
        Self::with_limit(MAX_EXACT)
    }
}

impl RequestLog {
    /// Keeps so many requests one by one before it folds them.
    fn with_limit(max_exact: usize) -> Self {
        Self {
            max_exact,
            ts_us: Vec::new(),
            routes: Vec::new(),
            versions: Vec::new(),
            outcomes: Vec::new(),
            durations_ms: Vec::new(),
            folded: None,
            span_us: None,
        }
    }

    /// Appends a request.
    pub fn push(&mut self, request: Request) {
        if self.ts_us.len() >= self.max_exact {
            self.fold();
        }
        self.ts_us.push(request.ts_us);
        self.routes.push(request.route.min(u32::from(u16::MAX)) as u16);
        self.versions.push(request.version.min(u32::from(u16::MAX)) as u16);
        self.outcomes.push(request.outcome);
        self.durations_ms.push(request.duration_ms);
        let (first, last) = self.span_us.unwrap_or((request.ts_us, request.ts_us));
        self.span_us = Some((first.min(request.ts_us), last.max(request.ts_us)));
    }

    /// First and last request time, microseconds; `None` without requests.
    pub fn span_us(&self) -> Option<(i64, i64)> {
        self.span_us
    }

    /// Puts every request in its place; reading is over.
    pub fn finish(mut self) -> Requests {
        if self.folded.is_some() {
            self.fold();
        }
        if let Some(folded) = self.folded {
            let sorted = Sketches {
                width: folded.width,
                cells: folded.cells.into_iter().collect(),
                by_version: folded.by_version.into_iter().collect(),
            };
            return Requests { rows: Rows::default(), sketches: Some(sorted) };
        }
        let route_count = self.routes.iter().max().map_or(0, |max| usize::from(*max) + 1);
        let mut starts = vec![0; route_count + 1];
        for route in &self.routes {
            if let Some(start) = starts.get_mut(usize::from(*route) + 1) {
                *start += 1;
            }
        }
        let mut total = 0;
        for start in &mut starts {
            total += *start;
            *start = total;
        }
        let order = self.order(&starts);
        // Column by column, so that only one of them is held twice.
        let rows = Rows {
            durations_ms: permuted(std::mem::take(&mut self.durations_ms), &order),
            ts_us: permuted(std::mem::take(&mut self.ts_us), &order),
            versions: permuted(std::mem::take(&mut self.versions), &order),
            outcomes: permuted(std::mem::take(&mut self.outcomes), &order),
            starts,
        };
        Requests { rows, sketches: None }
    }

    /// Rows by route, then by time; requests of one instant stay in the order read.
    fn order(&self, starts: &[usize]) -> Vec<u32> {
        let mut next = starts.to_vec();
        let mut order = vec![0_u32; self.ts_us.len()];
        for (row, route) in self.routes.iter().enumerate() {
            if let Some(at) = next.get_mut(usize::from(*route)) {
                if let Some(slot) = order.get_mut(*at) {
                    *slot = row as u32;
                }
                *at += 1;
            }
        }
        let time = |row: &u32| self.ts_us.get(*row as usize).copied().unwrap_or_default();
        for pair in starts.windows(2) {
            if let [start, end] = pair
                && let Some(rows) = order.get_mut(*start..*end)
                && !rows.is_sorted_by_key(time)
            {
                rows.sort_by_key(time);
            }
        }
        order
    }

    /// Moves the requests kept one by one into the sketches.
    fn fold(&mut self) {
        let span_s = self.span_us.map_or(0.0, |(first, last)| (last - first) as f64 / 1e6);
        let width = SlotWidth::fitting(span_s, MAX_FOLDED_SLOTS);
        let folded = self.folded.get_or_insert_with(|| Folded::new(width));
        if width > folded.width {
            folded.widen(width);
        }
        let rows = self.ts_us.drain(..).zip(self.routes.drain(..)).zip(self.versions.drain(..));
        let ends = self.outcomes.drain(..).zip(self.durations_ms.drain(..));
        for (((ts_us, route), version), (outcome, duration_ms)) in rows.zip(ends) {
            folded.add(Request {
                ts_us,
                route: u32::from(route),
                version: u32::from(version),
                outcome,
                duration_ms,
            });
        }
        while folded.cells.len() > MAX_FOLDED_CELLS {
            let span_s = f64::from(folded.width.seconds()) * 1.5;
            let wider = SlotWidth::fitting(span_s, 1);
            if wider <= folded.width {
                break;
            }
            folded.widen(wider);
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "the old column is given back at once")]
fn permuted<T: Copy>(values: Vec<T>, order: &[u32]) -> Vec<T> {
    order.iter().filter_map(|row| values.get(*row as usize).copied()).collect()
}

/// What windows begin and end at whole multiples of: the slots of folded rows, which cannot be cut,
/// else a tenth of a second, because nobody reads more digits of a time.
pub(super) fn grain_us(folded: Option<SlotWidth>) -> i64 {
    const TENTH_US: i64 = 100_000;
    folded.map_or(TENTH_US, SlotWidth::micros)
}

/// Columns sorted by route, then by time.
#[derive(Debug, Default)]
struct Rows {
    ts_us: Vec<i64>,
    versions: Vec<u16>,
    outcomes: Vec<Outcome>,
    durations_ms: Vec<f64>,
    /// Where each route begins; one more than routes.
    starts: Vec<usize>,
}

/// All requests, ready to be asked about.
#[derive(Debug)]
pub struct Requests {
    rows: Rows,
    sketches: Option<Sketches>,
}

impl Requests {
    /// Whether quantiles are exact; otherwise they come from sketches.
    pub fn is_exact(&self) -> bool {
        self.sketches.is_none()
    }

    /// Narrowest width in which time can be asked about.
    pub fn finest_width(&self) -> SlotWidth {
        let one = SlotWidth::fitting(0.0, 1);
        self.sketches.as_ref().map_or(one, |sketches| sketches.width)
    }

    /// What windows must be whole multiples of, microseconds; see [`grain_us`].
    pub fn grain_us(&self) -> i64 {
        grain_us(self.sketches.as_ref().map(|sketches| sketches.width))
    }

    /// Requests of some routes (all when `None`) within a window.
    pub fn summary(&self, route: Option<u32>, window: Window) -> Summary {
        self.select(route, None, window)
    }

    /// Counts of some routes (all when `None`) within a window, without looking at durations.
    pub fn counts(&self, route: Option<u32>, window: Window) -> Counts {
        if let Some(sketches) = &self.sketches {
            let summary = select_sketches(sketches, route, None, window);
            let (n, failed) = (summary.n, summary.failed);
            return Counts { n, failed, with_duration: summary.durations.count() };
        }
        let mut counts = Counts::default();
        for route in self.routes(route) {
            let range = self.range(route, window);
            let outcomes = self.rows.outcomes.get(range.clone()).unwrap_or_default();
            let durations = self.rows.durations_ms.get(range).unwrap_or_default();
            counts.n += outcomes.len() as u64;
            counts.failed += outcomes.iter().filter(|outcome| outcome.is_failed()).count() as u64;
            counts.with_duration += durations.iter().filter(|ms| !ms.is_nan()).count() as u64;
        }
        counts
    }

    /// Counts of each window of a route, cut from `span.start_us` on; `None` = all routes.
    pub fn counts_by_window(
        &self,
        route: Option<u32>,
        span: Window,
        width: SlotWidth,
    ) -> Vec<Counts> {
        windows_of(span, width).map(|window| self.counts(route, window)).collect()
    }

    /// The same for one version. Sketches do not know when a version was seen: the window is
    /// then the whole span.
    pub fn summary_of_version(&self, route: Option<u32>, version: u32, window: Window) -> Summary {
        self.select(route, Some(version), window)
    }

    /// Requests of a route within a window, in time order, one by one; empty when folded.
    pub fn each(&self, route: u32, window: Window) -> impl Iterator<Item = Request> + '_ {
        self.range(route, window).filter_map(move |row| self.row(row, route))
    }

    /// Durations of a route within a window in time order; `None` when folded.
    pub fn durations_in_order(&self, route: u32, window: Window) -> Option<Vec<f64>> {
        self.is_exact().then(|| {
            let range = self.range(route, window);
            let durations = self.rows.durations_ms.get(range).unwrap_or_default();
            durations.iter().copied().filter(|ms| !ms.is_nan()).collect()
        })
    }

    /// Summary of each window of a route, cut from `span.start_us` on; `None` = all routes.
    pub fn by_window(&self, route: Option<u32>, span: Window, width: SlotWidth) -> Vec<Summary> {
        windows_of(span, width).map(|window| self.summary(route, window)).collect()
    }

    /// One route, or all of them.
    fn routes(&self, route: Option<u32>) -> std::ops::Range<u32> {
        match route {
            Some(route) => route..route + 1,
            None => 0..self.rows.starts.len().saturating_sub(1) as u32,
        }
    }

    fn select(&self, route: Option<u32>, version: Option<u32>, window: Window) -> Summary {
        match &self.sketches {
            Some(sketches) => select_sketches(sketches, route, version, window),
            None => self.select_rows(route, version, window),
        }
    }

    fn select_rows(&self, route: Option<u32>, version: Option<u32>, window: Window) -> Summary {
        let (mut n, mut failed, mut durations) = (0, 0, Vec::new());
        for route in self.routes(route) {
            for row in self.range(route, window) {
                let of_version = self.rows.versions.get(row).copied().map(u32::from);
                if version.is_some() && of_version != version {
                    continue;
                }
                n += 1;
                failed += u64::from(self.rows.outcomes.get(row).is_some_and(|o| o.is_failed()));
                match self.rows.durations_ms.get(row) {
                    Some(ms) if !ms.is_nan() => durations.push(*ms),
                    _ => {}
                }
            }
        }
        Summary { n, failed, durations: Durations::Exact(Sorted::new(durations)) }
    }

    /// Rows of a route within a window.
    fn range(&self, route: u32, window: Window) -> std::ops::Range<usize> {
        let at = |route: u32| self.rows.starts.get(route as usize).copied().unwrap_or_default();
        let (start, end) = (at(route), at(route + 1).max(at(route)));
        let times = self.rows.ts_us.get(start..end).unwrap_or_default();
        let from = times.partition_point(|ts_us| *ts_us < window.start_us);
        let until = times.partition_point(|ts_us| *ts_us < window.end_us);
        start + from..start + until.max(from)
    }

    fn row(&self, row: usize, route: u32) -> Option<Request> {
        Some(Request {
            ts_us: *self.rows.ts_us.get(row)?,
            route,
            version: u32::from(*self.rows.versions.get(row)?),
            outcome: *self.rows.outcomes.get(row)?,
            duration_ms: *self.rows.durations_ms.get(row)?,
        })
    }
}

fn windows_of(span: Window, width: SlotWidth) -> impl Iterator<Item = Window> {
    let count = (span.end_us - span.start_us).div_euclid(width.micros()).max(0);
    (0..count).map(move |index| {
        let start_us = span.start_us + index * width.micros();
        Window { start_us, end_us: start_us + width.micros() }
    })
}

#[cfg(test)]
mod tests;
