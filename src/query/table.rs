//! The result of a query, free of the engine's types, and its forms on output.
//!
//! Values are exact in JSON and CSV (shortest text that reads back as the same number); the text
//! form is for people and rounds. Cells hold log text: each form escapes it in its own way. The
//! forms are returned as text; writing it is the caller's.

mod escape;
mod machine;
mod text;

use crate::model::format_ts;

pub use text::TextLayout;

/// A table of named columns of one length.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Table {
    /// The columns, in the order selected; names are unique.
    pub columns: Vec<TableColumn>,
    /// Number of rows.
    pub rows: usize,
    /// What a reader of the result should know, one sentence each.
    pub notes: Vec<String>,
}

/// One column of a result.
#[derive(Clone, Debug, PartialEq)]
pub struct TableColumn {
    /// Name.
    pub name: String,
    /// Values.
    pub cells: Cells,
}

/// Values of one column; `None` is a missing value.
#[derive(Clone, Debug, PartialEq)]
pub enum Cells {
    /// Whole numbers.
    Int(Vec<Option<i64>>),
    /// Whole numbers beyond `i64`.
    UInt(Vec<Option<u64>>),
    /// Numbers; NaN and infinities are possible results of arithmetic.
    Float(Vec<Option<f64>>),
    /// Truth values.
    Bool(Vec<Option<bool>>),
    /// Text.
    Text(Vec<Option<String>>),
    /// Instants, microseconds since the epoch, UTC.
    Time(Vec<Option<i64>>),
    /// Dates, days since the epoch.
    Date(Vec<Option<i32>>),
}

/// One value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Cell<'a> {
    /// Missing.
    Null,
    /// Whole number.
    Int(i64),
    /// Whole number.
    UInt(u64),
    /// Number.
    Float(f64),
    /// Truth value.
    Bool(bool),
    /// Text.
    Text(&'a str),
    /// Instant, microseconds since the epoch, UTC.
    Time(i64),
    /// Days since the epoch.
    Date(i32),
}

impl Cells {
    /// The value at a row; missing beyond the last.
    pub fn get(&self, row: usize) -> Cell<'_> {
        fn at<T: Copy, C>(values: &[Option<T>], row: usize, cell: impl Fn(T) -> C) -> Option<C> {
            values.get(row).copied().flatten().map(cell)
        }
        let cell = match self {
            Self::Int(values) => at(values, row, Cell::Int),
            Self::UInt(values) => at(values, row, Cell::UInt),
            Self::Float(values) => at(values, row, Cell::Float),
            Self::Bool(values) => at(values, row, Cell::Bool),
            Self::Text(values) => values.get(row).and_then(Option::as_deref).map(Cell::Text),
            Self::Time(values) => at(values, row, Cell::Time),
            Self::Date(values) => at(values, row, Cell::Date),
        };
        cell.unwrap_or(Cell::Null)
    }

    /// Whether values are set flush right.
    fn is_number(&self) -> bool {
        matches!(self, Self::Int(_) | Self::UInt(_) | Self::Float(_))
    }
}

impl Table {
    /// The column of a name.
    pub fn column(&self, name: &str) -> Option<&Cells> {
        self.columns.iter().find(|column| column.name == name).map(|column| &column.cells)
    }

    /// The value at a row of a column; missing when there is none.
    pub fn cell(&self, row: usize, name: &str) -> Cell<'_> {
        self.column(name).map_or(Cell::Null, |cells| cells.get(row))
    }

    fn cells_of(&self, row: usize) -> impl Iterator<Item = (&str, Cell<'_>)> {
        self.columns.iter().map(move |column| (column.name.as_str(), column.cells.get(row)))
    }
}

/// `2024-11-08`.
fn format_date(days: i32) -> String {
    const MICROS_PER_DAY: i64 = 86_400_000_000;
    let midnight = format_ts(i64::from(days) * MICROS_PER_DAY);
    midnight.strip_suffix("T00:00:00Z").map_or(midnight.clone(), str::to_owned)
}

#[cfg(test)]
mod tests;
