//! A table for people.

use std::borrow::Cow;
use std::fmt::Write;

use crate::model::format_ts;

use super::escape::visible;
use super::{Cell, Table, format_date};

/// Between columns.
const GAP: &str = "  ";
/// A text column is not made narrower than this, characters.
const MIN_WIDTH: usize = 8;
/// Significant digits of numbers that are not short as they are.
const DIGITS: usize = 6;

/// How a table is laid out as text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TextLayout {
    /// Widest line, characters; text cells are cut to fit, numbers and times are not.
    pub width: usize,
    /// Most rows shown.
    pub max_rows: usize,
    /// Whether control characters are written as they are.
    pub raw: bool,
    /// Whether `…` is written `...`, and other characters beyond ASCII as escapes.
    pub ascii: bool,
}

impl Default for TextLayout {
    fn default() -> Self {
        Self { width: 120, max_rows: 1_000, raw: false, ascii: false }
    }
}

impl TextLayout {
    fn ellipsis(self) -> &'static str {
        if self.ascii { "..." } else { "…" }
    }
}

impl Table {
    /// Aligned columns under their names; numbers flush right, missing values empty.
    ///
    /// A table with more rows than shown says how many more there are.
    pub fn to_text(&self, layout: TextLayout) -> String {
        let shown_rows = self.rows.min(layout.max_rows);
        let columns: Vec<TextColumn<'_>> = self
            .columns
            .iter()
            .map(|column| {
                let cells = (0..shown_rows).map(|row| show(column.cells.get(row), layout));
                TextColumn::new(show(Cell::Text(&column.name), layout), cells.collect(), column)
            })
            .collect();
        let widths = fit(&columns, layout.width);
        let mut out = String::new();
        push_line(&mut out, columns.iter().map(|column| (column, &column.name)), &widths, layout);
        for row in 0..shown_rows {
            let cells = columns.iter().filter_map(|column| Some((column, column.cells.get(row)?)));
            push_line(&mut out, cells, &widths, layout);
        }
        if self.rows == 0 {
            out.push_str("(no rows)\n");
        }
        let more = self.rows - shown_rows;
        if more > 0 {
            let rows = if more == 1 { "row" } else { "rows" };
            // Writing to a String cannot fail.
            let _ = writeln!(out, "{} {more} more {rows}", layout.ellipsis());
        }
        out
    }
}

struct TextColumn<'a> {
    name: Cow<'a, str>,
    cells: Vec<Cow<'a, str>>,
    flush_right: bool,
    can_shrink: bool,
    width: usize,
}

impl<'a> TextColumn<'a> {
    fn new(name: Cow<'a, str>, cells: Vec<Cow<'a, str>>, column: &super::TableColumn) -> Self {
        let width = cells.iter().chain([&name]).map(|text| text.chars().count()).max();
        Self {
            name,
            cells,
            flush_right: column.cells.is_number(),
            can_shrink: matches!(column.cells, super::Cells::Text(_)),
            width: width.unwrap_or(0),
        }
    }
}

/// Widths that fit the line: the widest text columns give first.
fn fit(columns: &[TextColumn<'_>], line_width: usize) -> Vec<usize> {
    let mut widths: Vec<usize> = columns.iter().map(|column| column.width).collect();
    let gaps = GAP.len() * columns.len().saturating_sub(1);
    loop {
        let total = widths.iter().sum::<usize>() + gaps;
        let Some(excess) = total.checked_sub(line_width).filter(|excess| *excess > 0) else {
            return widths;
        };
        let shrinkable =
            |width: &usize, column: &TextColumn<'_>| column.can_shrink && *width > MIN_WIDTH;
        let mut open: Vec<&mut usize> = widths
            .iter_mut()
            .zip(columns)
            .filter_map(|(width, column)| shrinkable(width, column).then_some(width))
            .collect();
        open.sort();
        let Some(widest) = open.pop() else { return widths };
        // Down to the next widest, so that equals give equally.
        let next = open.last().map_or(MIN_WIDTH, |width| **width).max(MIN_WIDTH);
        let step = (*widest - next).clamp(1, excess);
        *widest -= step;
    }
}

fn push_line<'a, 'b: 'a>(
    out: &mut String,
    cells: impl Iterator<Item = (&'a TextColumn<'b>, &'a Cow<'b, str>)>,
    widths: &[usize],
    layout: TextLayout,
) {
    let start = out.len();
    for (place, ((column, text), width)) in cells.zip(widths).enumerate() {
        out.push_str(if place == 0 { "" } else { GAP });
        let count = text.chars().count();
        let padding = " ".repeat(width.saturating_sub(count));
        if column.flush_right {
            out.push_str(&padding);
        }
        if count > *width {
            let kept = width.saturating_sub(layout.ellipsis().chars().count());
            out.extend(text.chars().take(kept));
            out.push_str(layout.ellipsis());
        } else {
            out.push_str(text);
        }
        if !column.flush_right {
            out.push_str(&padding);
        }
    }
    out.truncate(start + out.get(start..).map_or(0, |line| line.trim_end_matches(' ').len()));
    out.push('\n');
}

fn show(cell: Cell<'_>, layout: TextLayout) -> Cow<'_, str> {
    match cell {
        Cell::Null => Cow::Borrowed(""),
        Cell::Int(value) => value.to_string().into(),
        Cell::UInt(value) => value.to_string().into(),
        Cell::Float(value) => float(value).into(),
        Cell::Bool(value) => if value { "true" } else { "false" }.into(),
        Cell::Text(text) if layout.raw => text.into(),
        Cell::Text(text) if layout.ascii && !text.is_ascii() => ascii(&visible(text, &[])).into(),
        Cell::Text(text) => visible(text, &[]),
        Cell::Time(ts_us) => format_ts(ts_us).into(),
        Cell::Date(days) => format_date(days).into(),
    }
}

fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        if character.is_ascii() {
            out.push(character);
        } else {
            out.extend(character.escape_unicode());
        }
    }
    out
}

/// A number as it is when it is short, else with six significant digits and every whole digit.
fn float(value: f64) -> String {
    /// Beyond it exponents are easier to read.
    const PLAIN: std::ops::Range<f64> = 1e-4..1e15;
    let exact = value.to_string();
    if exact.len() <= DIGITS + 2 || !value.is_finite() {
        return exact;
    }
    if !PLAIN.contains(&value.abs()) {
        return format!("{value:.*e}", DIGITS - 1);
    }
    let whole_digits = value.abs().log10().floor() as i32 + 1;
    let decimals = (DIGITS as i32 - whole_digits).clamp(0, 10) as usize;
    let rounded = format!("{value:.decimals$}");
    if rounded.contains('.') {
        return rounded.trim_end_matches('0').trim_end_matches('.').to_owned();
    }
    rounded
}
