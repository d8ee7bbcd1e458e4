//! Questions, and what must be read to answer them.

use std::ops::Range;

use super::condition::Compiled;
use super::log::Shape;
use super::row::Column;
use crate::model::Wanted;
use crate::rule::Filter;

/// Questions whose answers are kept together: one bit each.
pub(super) const MAX_TOGETHER: usize = 64;

/// What is taken of the rows of a question.
#[derive(Clone, Debug, PartialEq)]
pub enum Take {
    /// Only their number.
    Rows,
    /// The numbers in a field.
    Values(String),
    /// The different values of a field.
    Distinct(String),
}

/// Something to measure.
#[derive(Clone, Debug, PartialEq)]
pub struct Question {
    /// Which rows.
    pub filter: Filter,
    /// What of them.
    pub take: Take,
    /// Apart for each value of this field.
    pub per: Option<String>,
    /// Whether it is about requests; else it is about records.
    ///
    /// A source may log several records a request. A request has the worst status and the longest
    /// duration of its records, and of other fields the first value.
    pub of_requests: bool,
}

/// Up to [`MAX_TOGETHER`] questions, with numbers instead of names.
#[derive(Debug, Default)]
pub(super) struct Plan {
    pub(super) conditions: Vec<Compiled>,
    /// By condition: the questions that have it.
    pub(super) askers: Vec<u64>,
    /// Questions about records, and those about requests.
    pub(super) of_records: u64,
    pub(super) of_requests: u64,
    pub(super) values: Vec<Column>,
    pub(super) groups: Vec<Column>,
    /// Texts that must be kept of a request until all its records were seen.
    pub(super) kept: Vec<Column>,
    pub(super) shapes: Vec<Shape>,
}

impl Plan {
    pub(super) fn of(questions: &[Question], wanted: &mut Wanted) -> Self {
        let mut plan = Self::default();
        for (bit, question) in questions.iter().enumerate() {
            plan.add(bit, question, wanted);
        }
        plan
    }

    fn add(&mut self, bit: usize, question: &Question, wanted: &mut Wanted) {
        let asks = 1 << bit;
        for condition in &question.filter.conditions {
            let column = Column::of(&condition.field.name, wanted);
            let compiled = Compiled { column, test: condition.test.clone() };
            let known = self.conditions.iter().position(|known| *known == compiled);
            if let Some(askers) = known.and_then(|place| self.askers.get_mut(place)) {
                *askers |= asks;
            } else {
                self.conditions.push(compiled);
                self.askers.push(asks);
            }
            self.keep(column);
        }
        let mut shape = Shape::default();
        match &question.take {
            Take::Rows => {}
            Take::Values(field) => {
                let column = Column::of(field, wanted);
                shape.value = Some(place_in(&mut self.values, column));
                self.keep(column);
            }
            Take::Distinct(field) => shape.distinct = Some(self.group(field, wanted)),
        }
        shape.per = question.per.as_deref().map(|field| self.group(field, wanted));
        self.shapes.push(shape);
        if question.of_requests {
            self.of_requests |= asks;
        } else {
            self.of_records |= asks;
        }
    }

    fn group(&mut self, field: &str, wanted: &mut Wanted) -> usize {
        let column = Column::of(field, wanted);
        self.keep(column);
        place_in(&mut self.groups, column)
    }

    fn keep(&mut self, column: Column) {
        let is_text = matches!(column, Column::Label(_) | Column::Text(_) | Column::Extra(_));
        if is_text {
            place_in(&mut self.kept, column);
        }
    }
}

/// The place of a column in a list, to which it is added if it is not there.
fn place_in(columns: &mut Vec<Column>, column: Column) -> usize {
    columns.iter().position(|known| *known == column).unwrap_or_else(|| {
        columns.push(column);
        columns.len() - 1
    })
}

/// The questions of each part.
pub(super) fn parts(count: usize) -> impl Iterator<Item = Range<usize>> {
    (0..count.div_ceil(MAX_TOGETHER))
        .map(move |part| part * MAX_TOGETHER..count.min((part + 1) * MAX_TOGETHER))
}
