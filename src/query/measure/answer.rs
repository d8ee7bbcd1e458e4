//! What was measured for one question: counts, values and different values, by group and window.

use std::collections::{BTreeMap, BTreeSet};

use super::folded::{Cell, Cells};
use super::log::{NO_GROUP, RowClock};
use crate::model::Window;
use crate::query::requests::Durations;
use crate::stats::quantile::Sorted;

/// What there is to say about one question.
#[derive(Debug)]
pub(super) enum Answer<'a> {
    Rows(Rows<'a>),
    Cells(Cells<'a>),
}

/// The rows of a question, by group, in the order of their times.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    pub(super) clock: RowClock<'a>,
    /// By the number of the group.
    pub(super) by_group: Vec<Vec<u32>>,
    pub(super) values: Option<&'a Vec<f64>>,
    pub(super) distinct: Option<&'a Vec<u32>>,
}

/// The values of some windows.
#[derive(Clone, Debug)]
pub struct Values {
    /// All of them, for quantiles.
    pub all: Durations,
    /// The same in the order of time, where rows are kept one by one.
    pub in_order: Option<Vec<f64>>,
}

impl Answer<'_> {
    /// Groups with their number of rows, most rows first.
    pub(super) fn groups(&self) -> Vec<(u32, u64)> {
        let mut groups: Vec<(u32, u64)> = match self {
            Self::Rows(rows) => {
                let counts = rows.by_group.iter().map(|rows| rows.len() as u64);
                (0..).zip(counts).filter(|(_, count)| *count > 0).collect()
            }
            Self::Cells(cells) => {
                let count = |cells: &BTreeMap<i64, &Cell>| cells.values().map(|c| c.count).sum();
                cells.by_group.iter().map(|(group, cells)| (*group, count(cells))).collect()
            }
        };
        groups.retain(|(group, _)| *group != NO_GROUP);
        groups.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        groups
    }

    /// Rows of a group within a window.
    pub(super) fn count(&self, group: u32, window: Window) -> u64 {
        match self {
            Self::Rows(rows) => rows.within(group, window).len() as u64,
            Self::Cells(cells) => cells.within(group, window).map(|cell| cell.count).sum(),
        }
    }

    /// Values of a group within windows that are in order.
    pub(super) fn values(&self, group: u32, windows: &[Window]) -> Values {
        match self {
            Self::Rows(rows) => {
                let values = windows.iter().flat_map(|window| rows.values_within(group, *window));
                let in_order: Vec<f64> = values.collect();
                let all = Durations::Exact(Sorted::new(in_order.clone()));
                Values { all, in_order: Some(in_order) }
            }
            Self::Cells(cells) => {
                let mut total = Cell::default();
                for window in windows {
                    cells.within(group, *window).for_each(|cell| total.merge(cell));
                }
                Values { all: Durations::Sketched(total.values), in_order: None }
            }
        }
    }

    /// Numbers of the different values of a group within windows.
    pub(super) fn distinct(&self, group: u32, windows: &[Window]) -> BTreeSet<u32> {
        let mut distinct: BTreeSet<u32> = match self {
            Self::Rows(rows) => {
                let within = |window: &Window| rows.within(group, *window).iter().copied();
                let number = |row: u32| rows.distinct?.get(row as usize).copied();
                windows.iter().flat_map(within).filter_map(number).collect()
            }
            Self::Cells(cells) => {
                let within = |window: &Window| cells.within(group, *window);
                windows.iter().flat_map(within).flat_map(|cell| cell.distinct.clone()).collect()
            }
        };
        distinct.remove(&NO_GROUP);
        distinct
    }

    /// Time of the newest row of a group before `end_us`, microseconds.
    pub(super) fn newest_us(&self, group: u32, end_us: i64) -> Option<i64> {
        let all = Window { start_us: i64::MIN / 2, end_us };
        match self {
            Self::Rows(rows) => {
                rows.within(group, all).last().and_then(|row| rows.clock.ts_us(*row))
            }
            Self::Cells(cells) => cells.within(group, all).map(|cell| cell.last_us).max(),
        }
    }
}

impl Rows<'_> {
    fn within(&self, group: u32, window: Window) -> &[u32] {
        self.by_group
            .get(group as usize)
            .map(|rows| self.clock.within(rows, window))
            .unwrap_or_default()
    }

    fn values_within(&self, group: u32, window: Window) -> impl Iterator<Item = f64> + '_ {
        let values = self.values.map(Vec::as_slice).unwrap_or_default();
        let rows = self.within(group, window).iter();
        rows.filter_map(|row| values.get(*row as usize).copied()).filter(|value| !value.is_nan())
    }
}

impl Cells<'_> {
    fn within(&self, group: u32, window: Window) -> impl Iterator<Item = &Cell> {
        let slots = self.by_group.get(&group);
        slots.into_iter().flat_map(move |slots| {
            slots.range(window.start_us..window.end_us.max(window.start_us)).map(|(_, cell)| *cell)
        })
    }
}
