//! Counts of records by the minute; by the hour, and then by the day, once there are too many.

use rustc_hash::FxHashMap;

use crate::model::SlotWidth;

/// Cells in memory: 500 event names in each minute of three days, or a few in each of a year.
const MAX_CELLS: usize = 2_000_000;
/// Widths in which records are counted, seconds.
const WIDTHS_S: [u32; 3] = [60, 3_600, 86_400];

/// What is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Counted {
    /// Every record with a time.
    Records,
    /// Records of warn level.
    Warnings,
    /// Records of error level or worse.
    Errors,
    /// Records of one event name.
    Event(u32),
    /// Records of one message template.
    Template(u32),
}

/// Counts by time. All cells have one width, so that no window looks fuller than its like.
#[derive(Debug)]
pub struct Tally {
    cells: FxHashMap<(Counted, i64), u32>,
    width: SlotWidth,
    max_cells: usize,
    lost: u64,
}

impl Default for Tally {
    fn default() -> Self {
        Self::with_limit(MAX_CELLS)
    }
}

impl Tally {
    /// Takes at most so many cells of one width.
    pub(crate) fn with_limit(max_cells: usize) -> Self {
        let width = SlotWidth::from_seconds(WIDTHS_S[0]).unwrap_or(SlotWidth::fitting(0.0, 1));
        Self { cells: FxHashMap::default(), width, max_cells, lost: 0 }
    }

    /// Counts records of an instant, microseconds.
    pub fn add(&mut self, counted: Counted, ts_us: i64, count: u32) {
        if count == 0 {
            return;
        }
        loop {
            let cell = (counted, self.width.floor_us(ts_us));
            if let Some(known) = self.cells.get_mut(&cell) {
                *known = known.saturating_add(count);
                return;
            }
            if self.cells.len() < self.max_cells {
                self.cells.insert(cell, count);
                return;
            }
            if !self.widen() {
                self.lost += u64::from(count);
                return;
            }
        }
    }

    /// Counts by the next width; `false` when there is none.
    fn widen(&mut self) -> bool {
        let wider = WIDTHS_S.into_iter().find(|width_s| *width_s > self.width.seconds());
        let Some(wider) = wider.and_then(SlotWidth::from_seconds) else { return false };
        self.width = wider;
        for ((counted, start_us), count) in std::mem::take(&mut self.cells) {
            let known = self.cells.entry((counted, wider.floor_us(start_us))).or_default();
            *known = known.saturating_add(count);
        }
        true
    }

    /// Width of a cell.
    pub fn width(&self) -> SlotWidth {
        self.width
    }

    /// Counts that had no room even by the day.
    pub fn lost(&self) -> u64 {
        self.lost
    }

    /// Starts of the cells that hold something, microseconds, with their counts; in no order.
    pub fn of(&self, counted: Counted) -> impl Iterator<Item = (i64, u32)> {
        let cells = self.cells.iter().filter(move |((known, _), _)| *known == counted);
        cells.map(|((_, start_us), count)| (*start_us, *count))
    }
}

#[cfg(test)]
mod tests {
    use super::{Counted, Tally};

    const MINUTE_US: i64 = 60_000_000;

    #[test]
    fn a_full_tally_counts_by_the_hour_and_drops_nothing_new() {
        let check = |minutes: i64, max_cells: usize, width_s: u32, cells: usize| {
            let mut tally = Tally::with_limit(max_cells);
            for minute in 0..minutes {
                tally.add(Counted::Records, minute * MINUTE_US + 1, 2);
            }
            let counts: Vec<(i64, u32)> = tally.of(Counted::Records).collect();
            let total: u32 = counts.iter().map(|(_, count)| count).sum();
            assert_eq!((i64::from(total), tally.lost()), (2 * minutes, 0));
            assert_eq!((tally.width().seconds(), counts.len()), (width_s, cells));
        };
        check(0, 4, 60, 0);
        check(4, 4, 60, 4); // exactly full
        check(5, 4, 3_600, 1);
        check(240, 4, 3_600, 4);
        check(241, 4, 86_400, 1);
    }

    #[test]
    fn what_has_no_room_by_the_day_is_lost_and_counted() {
        let mut tally = Tally::with_limit(2);
        for event in 0..5 {
            tally.add(Counted::Event(event), 0, 3);
        }
        tally.add(Counted::Event(1), MINUTE_US, 1);
        tally.add(Counted::Event(1), MINUTE_US, 0);
        assert_eq!((tally.lost(), tally.of(Counted::Event(1)).collect()), (9, vec![(0, 4)]));
    }
}
