//! Requests beyond the memory for single ones: a sketch per route and slot of time.

use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::requests::{Durations, Outcome, Request, Summary};
use crate::model::{SlotWidth, Window};
use crate::stats::sketch::Sketch;

/// Pairs of route and version with a sketch; requests of later pairs have no version here.
const MAX_VERSION_CELLS: usize = 20_000;

/// Sketches by route and slot of time.
#[derive(Debug)]
pub(super) struct Folded {
    pub(super) width: SlotWidth,
    pub(super) cells: FxHashMap<(u16, i64), Cell>,
    pub(super) by_version: FxHashMap<(u16, u16), Cell>,
}

#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    by_outcome: [u64; 6],
    durations: Sketch,
}

impl Cell {
    fn add(&mut self, outcome: Outcome, duration_ms: f64) {
        if let Some(count) = self.by_outcome.get_mut(outcome as usize) {
            *count += 1;
        }
        if !duration_ms.is_nan() {
            self.durations.add(duration_ms);
        }
    }

    fn merge(&mut self, other: &Self) {
        for (count, more) in self.by_outcome.iter_mut().zip(other.by_outcome) {
            *count += more;
        }
        self.durations.merge(&other.durations);
    }

    fn summary(self) -> Summary {
        let [_, _, _, server_error, crashed, error_level] = self.by_outcome;
        Summary {
            n: self.by_outcome.iter().sum(),
            failed: server_error + crashed + error_level,
            durations: Durations::Sketched(self.durations),
        }
    }
}

impl Folded {
    pub(super) fn new(width: SlotWidth) -> Self {
        Self { width, cells: FxHashMap::default(), by_version: FxHashMap::default() }
    }

    pub(super) fn add(&mut self, request: Request) {
        let slot = self.width.floor_us(request.ts_us);
        let (route, version) = (request.route as u16, request.version as u16);
        let Request { outcome, duration_ms, .. } = request;
        self.cells.entry((route, slot)).or_default().add(outcome, duration_ms);
        let is_full = self.by_version.len() >= MAX_VERSION_CELLS;
        let known = !is_full || self.by_version.contains_key(&(route, version));
        let version = if known { version } else { Request::NO_VERSION as u16 };
        self.by_version.entry((route, version)).or_default().add(outcome, duration_ms);
    }

    pub(super) fn widen(&mut self, width: SlotWidth) {
        let narrow = std::mem::take(&mut self.cells);
        self.width = width;
        let mut keys: Vec<_> = narrow.keys().copied().collect();
        keys.sort_unstable();
        for key in keys {
            if let Some(cell) = narrow.get(&key) {
                self.cells.entry((key.0, width.floor_us(key.1))).or_default().merge(cell);
            }
        }
    }
}

/// Sketches in order.
#[derive(Debug)]
pub(super) struct Sketches {
    pub(super) width: SlotWidth,
    pub(super) cells: BTreeMap<(u16, i64), Cell>,
    pub(super) by_version: BTreeMap<(u16, u16), Cell>,
}

pub(super) fn select_sketches(
    sketches: &Sketches,
    route: Option<u32>,
    version: Option<u32>,
    window: Window,
) -> Summary {
    let routes = route.map_or(0..=u16::MAX, |route| route as u16..=route as u16);
    let mut total = Cell::default();
    if let Some(version) = version {
        for route in routes {
            if let Some(cell) = sketches.by_version.get(&(route, version as u16)) {
                total.merge(cell);
            }
        }
        return total.summary();
    }
    let (first, last) = (*routes.start(), *routes.end());
    for ((_, slot), cell) in sketches.cells.range((first, i64::MIN)..=(last, i64::MAX)) {
        if window.contains(*slot) {
            total.merge(cell);
        }
    }
    total.summary()
}

#[cfg(test)]
mod tests {
    use super::{Folded, MAX_VERSION_CELLS, Outcome, Request, SlotWidth};

    #[test]
    fn routes_times_versions_have_a_bound() {
        let mut folded = Folded::new(SlotWidth::fitting(0.0, 1));
        let routes = MAX_VERSION_CELLS / 400;
        for version in 0..500 {
            for route in 0..routes as u32 {
                let outcome = Outcome::Success;
                folded.add(Request { ts_us: 0, route, version, outcome, duration_ms: f64::NAN });
            }
        }
        assert_eq!(folded.by_version.len(), MAX_VERSION_CELLS + routes);
        let total: u64 = folded.by_version.values().flat_map(|cell| cell.by_outcome).sum();
        assert_eq!(total, 500 * routes as u64);
    }
}
