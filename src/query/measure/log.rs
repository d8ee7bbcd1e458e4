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
pub(super) const MAX_EXACT: usize = 4_000_000;
/// Slots of time once rows are folded.
const MAX_FOLDED_SLOTS: usize = 720;
/// Cells once rows are folded; more make the slots wider. A cell takes 150 bytes and, where it has
/// values, some of a sketch.
const MAX_FOLDED_CELLS: usize = 200_000;
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
    max_exact: usize,
    columns: Columns,
    span_us: Option<(i64, i64)>,
    shapes: Vec<Shape>,
    folded: Option<Folded>,
    documents: Vec<Told>,
}

/// One entry a row in each.
#[derive(Debug, Default)]
pub(super) struct Columns {
    pub(super) ts_us: Vec<i64>,
    pub(super) answers: Vec<u64>,
    pub(super) values: Vec<Vec<f64>>,
    pub(super) groups: Vec<Vec<u32>>,
}

impl RowLog {
    /// For questions of these shapes; keeps so many rows one by one before it folds them.
    pub(super) fn new(shapes: Vec<Shape>, max_exact: usize) -> Self {
        let columns = |of: fn(&Shape) -> [Option<usize>; 2]| {
            shapes.iter().flat_map(of).flatten().max().map_or(0, |most| most + 1)
        };
        let columns = Columns {
            values: vec![Vec::new(); columns(|shape| [shape.value, None])],
            groups: vec![Vec::new(); columns(|shape| [shape.per, shape.distinct])],
            ..Columns::default()
        };
        Self { max_exact, columns, shapes, ..Self::default() }
    }

    /// Takes in a row that has a time.
    pub(super) fn push(&mut self, row: &Row<'_>) {
        if self.columns.ts_us.len() >= self.max_exact {
            self.fold();
        }
        let (first, last) = self.span_us.unwrap_or((row.ts_us, row.ts_us));
        self.span_us = Some((first.min(row.ts_us), last.max(row.ts_us)));
        self.columns.ts_us.push(row.ts_us);
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
        if let Some(row) = self.columns.ts_us.len().checked_sub(1) {
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
        if self.folded.is_none() && !self.columns.ts_us.is_sorted() {
            self.columns.sort();
        }
        FinishedLog { columns: self.columns, shapes: self.shapes, folded: self.folded }
    }

    fn fold(&mut self) {
        let span_s = self.span_us.map_or(0.0, |(first, last)| (last - first) as f64 / 1e6);
        let width = SlotWidth::fitting(span_s, MAX_FOLDED_SLOTS);
        let folded = self.folded.get_or_insert_with(|| Folded::new(width));
        if width > folded.width() {
            folded.widen(width);
        }
        let (mut values, mut groups) = (Vec::new(), Vec::new());
        for (row, ts_us) in self.columns.ts_us.iter().enumerate() {
            values.clear();
            values.extend(self.columns.values.iter().filter_map(|column| column.get(row)));
            groups.clear();
            groups.extend(self.columns.groups.iter().filter_map(|column| column.get(row)));
            let answers = self.columns.answers.get(row).copied().unwrap_or_default();
            let row = Row { ts_us: *ts_us, answers, values: &values, groups: &groups };
            folded.add(&row, &self.shapes);
            while folded.cell_count() > MAX_FOLDED_CELLS && folded.widen_by_one() {}
        }
        self.columns.clear();
        self.documents.clear();
    }
}

impl Columns {
    fn clear(&mut self) {
        self.ts_us.clear();
        self.answers.clear();
        self.values.iter_mut().for_each(Vec::clear);
        self.groups.iter_mut().for_each(Vec::clear);
    }

    /// Sorts by time; rows of one instant stay in the order read.
    fn sort(&mut self) {
        let mut order: Vec<u32> = (0..self.ts_us.len() as u32).collect();
        order.sort_by_key(|row| self.ts_us.get(*row as usize).copied());
        permute(&mut self.ts_us, &order);
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
    columns: Columns,
    shapes: Vec<Shape>,
    folded: Option<Folded>,
}

impl FinishedLog {
    /// Width of the slots into which rows were folded; `None` where they are kept one by one.
    pub(super) fn folded_width(&self) -> Option<SlotWidth> {
        self.folded.as_ref().map(Folded::width)
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
        Answer::Rows(Rows {
            clock: RowClock(&self.columns.ts_us),
            by_group,
            values: shape.value.and_then(|column| self.columns.values.get(column)),
            distinct: shape.distinct.and_then(|column| self.columns.groups.get(column)),
        })
    }
}

/// Times of rows that are in order, microseconds.
#[derive(Clone, Copy, Debug)]
pub(super) struct RowClock<'a>(&'a [i64]);

impl RowClock<'_> {
    /// The part of `rows`, which are in order, that lies in the window.
    pub(super) fn within<'r>(&self, rows: &'r [u32], window: Window) -> &'r [u32] {
        let time = |row: &u32| self.ts_us(*row).unwrap_or_default();
        let from = rows.partition_point(|row| time(row) < window.start_us);
        let until = rows.partition_point(|row| time(row) < window.end_us);
        rows.get(from..until.max(from)).unwrap_or_default()
    }

    /// Time of a row.
    pub(super) fn ts_us(&self, row: u32) -> Option<i64> {
        self.0.get(row as usize).copied()
    }
}
