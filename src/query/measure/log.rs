//! The rows that answer at least one question, as columns, so that windows can be chosen after
//! everything was read.
//!
//! Up to [`MAX_EXACT`] rows are kept one by one and every answer is exact. Beyond it they are
//! folded into one cell per question, group and slot of time: counts stay exact, quantiles have
//! the sketch's relative error, and windows are whole slots.

use super::answer::{Answer, Rows};
use super::folded::Folded;
use crate::model::{SlotWidth, Window};

/// Rows kept one by one; about 100 MB with one value and one group each.
const MAX_EXACT: usize = 4_000_000;
/// Slots of time once rows are folded.
const MAX_FOLDED_SLOTS: usize = 720;
/// Cells once rows are folded; more make the slots wider.
const MAX_FOLDED_CELLS: usize = 40_000;
/// Times are kept in tenths of a second, in 32 bits, around the first row's.
const TENTH_US: i64 = 100_000;
const HALF_REACH_US: i64 = 2_485 * 86_400 * 1_000_000;
const DAY_US: i64 = 86_400 * 1_000_000;

/// Which columns a question looks at, by their numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Shape {
    /// The values it takes.
    pub(super) value: Option<usize>,
    /// The field it is asked for each value of.
    pub(super) per: Option<usize>,
    /// The field whose different values it counts.
    pub(super) distinct: Option<usize>,
}

/// One row, as it is taken in.
pub(super) struct Row<'a> {
    pub(super) ts_us: i64,
    /// Bit q: the row belongs to question q.
    pub(super) answers: u64,
    /// By value column; NaN where there is none.
    pub(super) values: &'a [f64],
    /// By group column; [`NO_GROUP`] where there is none.
    pub(super) groups: &'a [u32],
}

/// Rows of an event that documents tell of, by the number of its name.
pub(super) type Told = (u32, u32);

/// Marks a row without a value of a group's field.
pub(super) const NO_GROUP: u32 = u32::MAX;

/// Rows as they come.
#[derive(Debug, Default)]
pub(super) struct RowLog {
    base_us: Option<i64>,
    columns: Columns,
    span_us: Option<(i64, i64)>,
    shapes: Vec<Shape>,
    folded: Option<Folded>,
    documents: Vec<Told>,
}

/// One entry a row in each.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) tenths: Vec<u32>,
    pub(super) answers: Vec<u64>,
    pub(super) values: Vec<Vec<f64>>,
    pub(super) groups: Vec<Vec<u32>>,
}

impl RowLog {
    /// For questions of these shapes.
    pub(super) fn new(shapes: Vec<Shape>) -> Self {
        let columns = |of: fn(&Shape) -> [Option<usize>; 2]| {
            shapes.iter().flat_map(of).flatten().max().map_or(0, |most| most + 1)
        };
        let columns = Columns {
            values: vec![Vec::new(); columns(|shape| [shape.value, None])],
            groups: vec![Vec::new(); columns(|shape| [shape.per, shape.distinct])],
            ..Columns::default()
        };
        Self { columns, shapes, ..Self::default() }
    }

    /// Takes in a row that has a time.
    pub(super) fn push(&mut self, row: &Row<'_>) {
        if self.columns.tenths.len() == MAX_EXACT {
            self.fold();
        }
        let (first, last) = self.span_us.unwrap_or((row.ts_us, row.ts_us));
        self.span_us = Some((first.min(row.ts_us), last.max(row.ts_us)));
        let base_us = *self
            .base_us
            .get_or_insert_with(|| (row.ts_us - HALF_REACH_US).div_euclid(DAY_US) * DAY_US);
        let tenths = (row.ts_us - base_us).div_euclid(TENTH_US).clamp(0, i64::from(u32::MAX));
        self.columns.tenths.push(tenths as u32);
        self.columns.answers.push(row.answers);
        for (column, value) in self.columns.values.iter_mut().zip(row.values) {
            column.push(*value);
        }
        for (column, group) in self.columns.groups.iter_mut().zip(row.groups) {
            column.push(*group);
        }
    }

    /// Remembers that the row before was told by documents, as an event of this number.
    pub(super) fn was_told_by_documents(&mut self, event: u32) {
        if let Some(row) = self.columns.tenths.len().checked_sub(1) {
            self.documents.push((row as u32, event));
        }
    }

    /// Puts the rows in the order of their times; reading is over.
    ///
    /// What documents tell of is left out where `is_logged` says that logs tell of it too.
    pub(super) fn finish(mut self, is_logged: impl Fn(u32) -> bool) -> FinishedLog {
        for (row, event) in std::mem::take(&mut self.documents) {
            if is_logged(event)
                && let Some(answers) = self.columns.answers.get_mut(row as usize)
            {
                *answers = 0;
            }
        }
        if self.folded.is_some() {
            self.fold();
        }
        let base_us = self.base_us.unwrap_or_default();
        if self.folded.is_none() && !self.columns.tenths.is_sorted() {
            self.columns.sort();
        }
        FinishedLog {
            base_us,
            columns: self.columns,
            shapes: self.shapes,
            folded: self.folded,
            span_us: self.span_us,
        }
    }

    fn fold(&mut self) {
        let span_s = self.span_us.map_or(0.0, |(first, last)| (last - first) as f64 / 1e6);
        let width = SlotWidth::fitting(span_s, MAX_FOLDED_SLOTS);
        let folded = self.folded.get_or_insert_with(|| Folded::new(width));
        if width > folded.width() {
            folded.widen(width);
        }
        let base_us = self.base_us.unwrap_or_default();
        let (mut values, mut groups) = (Vec::new(), Vec::new());
        for (row, tenths) in self.columns.tenths.iter().enumerate() {
            values.clear();
            values.extend(self.columns.values.iter().filter_map(|column| column.get(row)));
            groups.clear();
            groups.extend(self.columns.groups.iter().filter_map(|column| column.get(row)));
            let ts_us = i64::from(*tenths) * TENTH_US + base_us;
            let answers = self.columns.answers.get(row).copied().unwrap_or_default();
            let row = Row { ts_us, answers, values: &values, groups: &groups };
            folded.add(&row, &self.shapes);
        }
        self.columns.clear();
        self.documents.clear();
        while folded.cell_count() > MAX_FOLDED_CELLS {
            let span_s = f64::from(folded.width().seconds()) * 1.5;
            let wider = SlotWidth::fitting(span_s, 1);
            if wider <= folded.width() {
                break;
            }
            folded.widen(wider);
        }
    }
}

impl Columns {
    fn clear(&mut self) {
        self.tenths.clear();
        self.answers.clear();
        self.values.iter_mut().for_each(Vec::clear);
        self.groups.iter_mut().for_each(Vec::clear);
    }

    /// Sorts by time; rows of one instant stay in the order read.
    fn sort(&mut self) {
        let mut order: Vec<u32> = (0..self.tenths.len() as u32).collect();
        order.sort_by_key(|row| self.tenths.get(*row as usize).copied());
        permute(&mut self.tenths, &order);
        permute(&mut self.answers, &order);
        self.values.iter_mut().for_each(|column| permute(column, &order));
        self.groups.iter_mut().for_each(|column| permute(column, &order));
    }
}

fn permute<T: Copy>(values: &mut Vec<T>, order: &[u32]) {
    *values = order.iter().filter_map(|row| values.get(*row as usize).copied()).collect();
}

/// Rows in the order of their times, ready to be asked about.
#[derive(Debug)]
pub(super) struct FinishedLog {
    base_us: i64,
    columns: Columns,
    shapes: Vec<Shape>,
    folded: Option<Folded>,
    span_us: Option<(i64, i64)>,
}

impl FinishedLog {
    /// Whether quantiles are exact; otherwise they come from sketches.
    pub(super) fn is_exact(&self) -> bool {
        self.folded.is_none()
    }

    /// First and last time, microseconds.
    pub(super) fn span_us(&self) -> Option<(i64, i64)> {
        self.span_us
    }

    /// Narrowest width in which time can be asked about.
    pub(super) fn finest_width(&self) -> SlotWidth {
        self.folded.as_ref().map_or(SlotWidth::fitting(0.0, 1), Folded::width)
    }

    /// What there is to say about one question.
    pub(super) fn answer(&self, question: usize) -> Answer<'_> {
        let shape = self.shapes.get(question).copied().unwrap_or_default();
        if let Some(folded) = &self.folded {
            return Answer::Cells(folded.of(question));
        }
        let per = shape.per.and_then(|column| self.columns.groups.get(column));
        let mut by_group: Vec<Vec<u32>> = Vec::new();
        for (row, answers) in self.columns.answers.iter().enumerate() {
            if answers >> question & 1 == 0 {
                continue;
            }
            let group = per.map_or(0, |column| column.get(row).copied().unwrap_or(NO_GROUP));
            if group == NO_GROUP {
                continue;
            }
            let group = group as usize;
            if by_group.len() <= group {
                by_group.resize_with(group + 1, Vec::new);
            }
            if let Some(rows) = by_group.get_mut(group) {
                rows.push(row as u32);
            }
        }
        let clock = RowClock { base_us: self.base_us, tenths: &self.columns.tenths };
        Answer::Rows(Rows {
            clock,
            by_group,
            values: shape.value.and_then(|column| self.columns.values.get(column)),
            distinct: shape.distinct.and_then(|column| self.columns.groups.get(column)),
        })
    }
}

/// Times of rows that are in order.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowClock<'a> {
    base_us: i64,
    tenths: &'a [u32],
}

impl RowClock<'_> {
    /// The part of `rows`, which are in order, that lies in the window.
    pub(super) fn within<'r>(&self, rows: &'r [u32], window: Window) -> &'r [u32] {
        let tenth = |ts_us: i64| (ts_us - self.base_us).div_euclid(TENTH_US);
        let time = |row: &u32| self.tenths.get(*row as usize).map_or(0, |t| i64::from(*t));
        let from = rows.partition_point(|row| time(row) < tenth(window.start_us));
        let until = rows.partition_point(|row| time(row) < tenth(window.end_us));
        rows.get(from..until.max(from)).unwrap_or_default()
    }

    /// Time of a row, microseconds, to a tenth of a second.
    pub(super) fn ts_us(&self, row: u32) -> Option<i64> {
        self.tenths.get(row as usize).map(|t| i64::from(*t) * TENTH_US + self.base_us)
    }
}
