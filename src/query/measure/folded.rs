//! Rows beyond the memory for single ones: a cell per question, group and slot of time.

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

use super::log::{NO_GROUP, Row, Shape};
use crate::model::SlotWidth;
use crate::stats::sketch::Sketch;

/// Different values of a field remembered in a cell; later ones are not told apart.
const MAX_DISTINCT: usize = 100_000;

/// Cells by question, group and start of the slot.
#[derive(Debug)]
pub(super) struct Folded {
    width: SlotWidth,
    cells: FxHashMap<(u8, u32, i64), Cell>,
}

/// What a slot of time holds.
#[derive(Clone, Debug, Default)]
pub(super) struct Cell {
    pub(super) count: u64,
    pub(super) values: Sketch,
    pub(super) distinct: BTreeSet<u32>,
    pub(super) last_us: i64,
}

impl Cell {
    pub(super) fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.values.merge(&other.values);
        self.last_us = self.last_us.max(other.last_us);
        let room = MAX_DISTINCT.saturating_sub(self.distinct.len());
        self.distinct.extend(other.distinct.iter().take(room));
    }
}

/// The cells of one question.
#[derive(Debug)]
pub(super) struct Cells<'a> {
    pub(super) by_group: BTreeMap<u32, BTreeMap<i64, &'a Cell>>,
}

impl Folded {
    pub(super) fn new(width: SlotWidth) -> Self {
        Self { width, cells: FxHashMap::default() }
    }

    pub(super) fn width(&self) -> SlotWidth {
        self.width
    }

    pub(super) fn cell_count(&self) -> usize {
        self.cells.len()
    }

    pub(super) fn add(&mut self, row: &Row<'_>, shapes: &[Shape]) {
        let slot = self.width.floor_us(row.ts_us);
        for (question, shape) in (0_u8..).zip(shapes) {
            if row.answers >> question & 1 == 0 {
                continue;
            }
            let group_in = |column: Option<usize>| {
                column.and_then(|column| row.groups.get(column)).copied().unwrap_or(NO_GROUP)
            };
            let group = if shape.per.is_some() { group_in(shape.per) } else { 0 };
            let cell = self.cells.entry((question, group, slot)).or_default();
            cell.count += 1;
            cell.last_us = if cell.count == 1 { row.ts_us } else { cell.last_us.max(row.ts_us) };
            let value = shape.value.and_then(|column| row.values.get(column)).copied();
            if let Some(value) = value.filter(|value| !value.is_nan()) {
                cell.values.add(value);
            }
            let distinct = group_in(shape.distinct);
            if distinct != NO_GROUP && cell.distinct.len() < MAX_DISTINCT {
                cell.distinct.insert(distinct);
            }
        }
    }

    pub(super) fn widen(&mut self, width: SlotWidth) {
        let narrow = std::mem::take(&mut self.cells);
        self.width = width;
        let mut keys: Vec<_> = narrow.keys().copied().collect();
        keys.sort_unstable();
        for key in keys {
            let Some(cell) = narrow.get(&key) else { continue };
            let (question, group, slot) = key;
            let wide = self.cells.entry((question, group, width.floor_us(slot))).or_default();
            wide.merge(cell);
        }
    }

    /// Makes the slots a step wider; `false` when there is no wider one.
    pub(super) fn widen_by_one(&mut self) -> bool {
        let wider = SlotWidth::fitting(f64::from(self.width.seconds()) * 1.5, 1);
        let is_wider = wider > self.width;
        if is_wider {
            self.widen(wider);
        }
        is_wider
    }

    pub(super) fn of(&self, question: usize) -> Cells<'_> {
        let mut by_group: BTreeMap<u32, BTreeMap<i64, &Cell>> = BTreeMap::new();
        for ((of, group, slot), cell) in &self.cells {
            if usize::from(*of) == question {
                by_group.entry(*group).or_default().insert(*slot, cell);
            }
        }
        Cells { by_group }
    }
}
