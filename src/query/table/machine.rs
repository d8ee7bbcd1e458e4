//! JSON, JSON lines and CSV.

use std::fmt::Write;

use crate::model::{format_ts, inert, is_unsafe, push_json_escape};

use super::escape::visible;
use super::{Cell, Table, format_date};

impl Table {
    /// An array of objects, one row a line, ending in a newline.
    ///
    /// Times are RFC 3339; missing values, NaN and infinities are `null`. Text keeps its exact
    /// value; control and direction characters are written as `\u` escapes.
    pub fn to_json(&self) -> String {
        if self.rows == 0 {
            return "[]\n".to_owned();
        }
        let mut out = String::from("[\n");
        for row in 0..self.rows {
            out.push_str(if row == 0 { "  " } else { ",\n  " });
            self.push_object(&mut out, row);
        }
        out.push_str("\n]\n");
        out
    }

    /// One object a line, with values as in [`Table::to_json`].
    pub fn to_jsonl(&self) -> String {
        let mut out = String::new();
        for row in 0..self.rows {
            self.push_object(&mut out, row);
            out.push('\n');
        }
        out
    }

    /// CSV with a header, after RFC 4180 but for line ends of LF alone; missing values are empty cells,
    /// empty texts are `""`.
    ///
    /// Unless `raw`, control and direction characters in text are made visible, texts that a
    /// spreadsheet would take for a formula (they start with `=`, `+`, `-`, `@`, tab or CR) get a
    /// `'` in front, and a line inside a cell that a CI runner would obey (`::error::…`) gets an
    /// escape. Everything else, line breaks included, reads back as it was; numbers are never
    /// touched.
    pub fn to_csv(&self, raw: bool) -> String {
        let mut out = String::new();
        for (place, column) in self.columns.iter().enumerate() {
            out.push_str(if place == 0 { "" } else { "," });
            push_csv_text(&mut out, &column.name, raw);
        }
        out.push('\n');
        for row in 0..self.rows {
            for (place, (_, cell)) in self.cells_of(row).enumerate() {
                out.push_str(if place == 0 { "" } else { "," });
                match cell {
                    Cell::Null => {}
                    Cell::Text(text) => push_csv_text(&mut out, text, raw),
                    Cell::Float(value) => push_float(&mut out, value),
                    other => push_plain(&mut out, other),
                }
            }
            out.push('\n');
        }
        out
    }

    fn push_object(&self, out: &mut String, row: usize) {
        out.push('{');
        for (place, (name, cell)) in self.cells_of(row).enumerate() {
            out.push_str(if place == 0 { "" } else { "," });
            push_json_text(out, name);
            out.push(':');
            match cell {
                Cell::Null => out.push_str("null"),
                Cell::Float(value) if !value.is_finite() => out.push_str("null"),
                Cell::Float(value) => push_float(out, value),
                Cell::Text(text) => push_json_text(out, text),
                Cell::Time(_) | Cell::Date(_) => {
                    out.push('"');
                    push_plain(out, cell);
                    out.push('"');
                }
                other => push_plain(out, other),
            }
        }
        out.push('}');
    }
}

fn push_plain(out: &mut String, cell: Cell<'_>) {
    // Writing to a String cannot fail.
    let _ = match cell {
        Cell::Int(value) => write!(out, "{value}"),
        Cell::UInt(value) => write!(out, "{value}"),
        Cell::Bool(value) => write!(out, "{value}"),
        Cell::Time(ts_us) => write!(out, "{}", format_ts(ts_us)),
        Cell::Date(days) => write!(out, "{}", format_date(days)),
        Cell::Null | Cell::Float(_) | Cell::Text(_) => Ok(()),
    };
}

/// The shortest text that reads back as the same number: `0.1`, `3.0`, `1e300`.
fn push_float(out: &mut String, value: f64) {
    let _ = write!(out, "{value:?}");
}

fn push_json_text(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            hostile if is_unsafe(hostile) => push_json_escape(out, hostile),
            plain => out.push(plain),
        }
    }
    out.push('"');
}

fn push_csv_text(out: &mut String, text: &str, raw: bool) {
    let shown = if raw { text.to_owned() } else { harmless(text) };
    let is_formula = !raw && text.starts_with(['=', '+', '-', '@', '\t', '\r']);
    // Behind a quote, `::` begins no line.
    let needs_quotes = shown.is_empty()
        || shown.trim_start().starts_with("::")
        || shown.contains([',', '"', '\n', '\r', '\t'])
        || shown != shown.trim();
    if !needs_quotes {
        out.push_str(if is_formula { "'" } else { "" });
        out.push_str(&shown);
        return;
    }
    out.push_str(if is_formula { "\"'" } else { "\"" });
    out.push_str(&shown.replace('"', "\"\""));
    out.push('"');
}

/// The text of a cell with escapes for what would be obeyed. Its first line stands behind a quote
/// or another cell, so it is no command.
fn harmless(text: &str) -> String {
    let behind_quote = format!("\"{}", visible(text, &['\n', '\t']));
    let guarded = inert(&behind_quote);
    guarded.strip_prefix('"').unwrap_or(&guarded).to_owned()
}
