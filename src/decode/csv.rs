//! Decodes CSV: a header line that names the columns, then one record a line (RFC 4180).
//!
//! Commas, semicolons and tabs separate; cells in quotes may hold separators and doubled quotes.
//! A quoted line break is not supported: records are lines, so both halves are rejected and
//! counted, as is a line with another number of cells than the header. The header, wherever it
//! is repeated, is no record. Only PostgreSQL's csvlog is read without one.

use super::fields::{Kind as FieldKind, Reject, bare_slot};
use super::scan::{Kind, Slot};
use serde_json::{Map, Value};

#[cfg(test)]
mod tests;

/// Separators that are tried; of two that fit, the one with more columns counts.
const SEPARATORS: [u8; 3] = [b',', b';', b'\t'];
/// Longest name of a column, bytes.
const MAX_NAME_BYTES: usize = 64;
/// Most columns.
const MAX_COLUMNS: usize = 1_000;
/// With fewer columns than this, one of them must have a known name: prose has commas too.
const TELLING_COLUMNS: usize = 3;

/// Columns of PostgreSQL's csvlog, which has no header, by their names in its jsonlog, but for the
/// severity, which is known by its plain name in any CSV. Versions before 13 end with the
/// application, 13 with the backend's type.
const CSVLOG: [&str; 26] = [
    "timestamp",
    "user",
    "dbname",
    "pid",
    "connection_from",
    "session_id",
    "line_num",
    "ps",
    "session_start",
    "vxid",
    "txid",
    "severity",
    "state_code",
    "message",
    "detail",
    "hint",
    "internal_query",
    "internal_position",
    "context",
    "statement",
    "cursor_position",
    "location",
    "application_name",
    "backend_type",
    "leader_pid",
    "query_id",
];
/// Lengths of it that there are.
const CSVLOG_LENGTHS: [usize; 3] = [23, 24, 26];

/// How a CSV input is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CsvLayout {
    /// Between cells.
    pub separator: u8,
    /// Names of the columns, in order; unique.
    pub columns: Vec<String>,
    /// The header line, without blanks around it; empty where there is none.
    pub header: Vec<u8>,
}

/// Reads the layout from the lines of a sample, when the first is a header and most others have
/// as many cells. `is_known` says whether a column's name plays a role in logs.
pub(super) fn layout_of<'a>(
    mut lines: impl Iterator<Item = &'a [u8]> + Clone,
    is_known: &dyn Fn(&str) -> bool,
) -> Option<CsvLayout> {
    let header = lines.next()?.trim_ascii();
    if let Some(layout) = csvlog(header) {
        return Some(layout);
    }
    let with = |separator: u8| {
        let columns = names_of(header, separator)?;
        let tells = columns.len() >= TELLING_COLUMNS || columns.iter().any(|name| is_known(name));
        let (mut all, mut fitting) = (0, 0);
        for line in lines.clone().filter(|line| line.trim_ascii() != header) {
            all += 1;
            let count = each_cell(line, separator, &mut |_, _| {});
            fitting += usize::from(count == Ok(columns.len()));
        }
        let fits = tells && fitting > 0 && fitting * 10 >= all * 6;
        fits.then(|| CsvLayout { separator, columns, header: header.to_vec() })
    };
    SEPARATORS.into_iter().filter_map(with).max_by_key(|layout| layout.columns.len())
}

/// The layout of PostgreSQL's csvlog, told by a line: by its length, the time that it begins with,
/// and the state of five letters behind the severity.
fn csvlog(line: &[u8]) -> Option<CsvLayout> {
    let mut is_like = line.first()?.is_ascii_digit();
    let count = each_cell(line, b',', &mut |number, cell| {
        let text = cell.raw(line);
        is_like &= match CSVLOG.get(number) {
            Some(&"severity") => text.iter().all(u8::is_ascii_alphanumeric) && text.len() > 2,
            Some(&"state_code") => text.iter().all(u8::is_ascii_alphanumeric) && text.len() == 5,
            _ => true,
        };
    });
    let len = count.ok().filter(|len| is_like && CSVLOG_LENGTHS.contains(len))?;
    let columns = CSVLOG.iter().take(len).map(|name| (*name).to_owned()).collect();
    Some(CsvLayout { separator: b',', columns, header: Vec::new() })
}

/// The names in a header; `None` when it is none.
fn names_of(header: &[u8], separator: u8) -> Option<Vec<String>> {
    let mut names: Vec<String> = Vec::new();
    each_cell(header, separator, &mut |_, cell| {
        let mut text = Vec::new();
        cell.unquote(header, &mut text);
        names.push(String::from_utf8(text).unwrap_or_default());
    })
    .ok()?;
    let is_name = |name: &String| {
        let begins = |c: char| c.is_alphabetic() || "_@#$".contains(c);
        let is_part = |c: char| c.is_alphanumeric() || " _-.@/#()%$[]*".contains(c);
        name.len() <= MAX_NAME_BYTES
            && name.trim() == name
            && name.starts_with(begins)
            && name.chars().all(is_part)
    };
    let mut unique: Vec<&String> = names.iter().collect();
    unique.sort_unstable();
    unique.dedup();
    let is_header = (2..=MAX_COLUMNS).contains(&names.len())
        && unique.len() == names.len()
        && names.iter().all(is_name);
    is_header.then_some(names)
}

/// A cell of a line: where its text lies, without its quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Cell {
    start: usize,
    end: usize,
    /// Whether it holds doubled quotes.
    is_doubled: bool,
}

impl Cell {
    fn raw(self, line: &[u8]) -> &[u8] {
        line.get(self.start..self.end).unwrap_or_default()
    }

    /// Appends the text, of two quotes one.
    fn unquote(self, line: &[u8], into: &mut Vec<u8>) {
        let mut rest = self.raw(line);
        while let Some(at) = memchr::memchr(b'"', rest).filter(|_| self.is_doubled) {
            into.extend_from_slice(rest.get(..=at).unwrap_or_default());
            rest = rest.get(at + 2..).unwrap_or_default();
        }
        into.extend_from_slice(rest);
    }
}

/// Gives every cell of a line with its number, and how many there are.
fn each_cell(
    line: &[u8],
    separator: u8,
    sink: &mut impl FnMut(usize, Cell),
) -> Result<usize, Reject> {
    let mut at = 0;
    let mut count = 0;
    loop {
        let (cell, next) = if line.get(at) == Some(&b'"') {
            quoted_cell(line, at + 1)?
        } else {
            let rest = line.get(at..).unwrap_or_default();
            let end = at + memchr::memchr(separator, rest).unwrap_or(rest.len());
            (Cell { start: at, end, is_doubled: false }, end)
        };
        sink(count, cell);
        count += 1;
        match line.get(next) {
            None => return Ok(count),
            Some(byte) if *byte == separator => at = next + 1,
            Some(_) => return Err(Reject::OtherFormat),
        }
    }
}

/// The cell whose text begins at `start`, and where its closing quote is passed.
fn quoted_cell(line: &[u8], start: usize) -> Result<(Cell, usize), Reject> {
    let mut from = start;
    let mut is_doubled = false;
    loop {
        let rest = line.get(from..).unwrap_or_default();
        let end = from + memchr::memchr(b'"', rest).ok_or(Reject::Unterminated)?;
        if line.get(end + 1) != Some(&b'"') {
            return Ok((Cell { start, end, is_doubled }, end + 1));
        }
        is_doubled = true;
        from = end + 2;
    }
}

/// Reads lines of one layout into slots of wanted columns.
pub(super) struct CsvReader {
    layout: CsvLayout,
    /// Place among the wanted names of each column.
    places: Vec<Option<usize>>,
    slots: Vec<Slot>,
    /// The chunk, followed by the text of cells with doubled quotes; empty while there are none.
    text: Vec<u8>,
}

impl CsvReader {
    pub(super) fn new(layout: CsvLayout, wanted: &[&str]) -> Self {
        let place = |column: &String| wanted.iter().position(|name| name == column);
        let places = layout.columns.iter().map(place).collect();
        Self { layout, places, slots: vec![Slot::default(); wanted.len()], text: Vec::new() }
    }

    /// Begins a chunk.
    pub(super) fn start(&mut self, chunk: &[u8]) {
        self.text.clear();
        if memchr::memmem::find(chunk, b"\"\"").is_some() {
            self.text.extend_from_slice(chunk);
        }
    }

    pub(super) fn is_header(&self, line: &[u8]) -> bool {
        line.trim_ascii() == self.layout.header
    }

    /// The slots of the line at `start`, and the text that they point into.
    pub(super) fn read<'a>(
        &'a mut self,
        chunk: &'a [u8],
        start: usize,
        line: &[u8],
    ) -> Result<(&'a [Slot], &'a [u8]), Reject> {
        let Self { layout, places, slots, text } = self;
        slots.fill(Slot::default());
        let count = each_cell(line, layout.separator, &mut |number, cell| {
            let place = places.get(number).copied().flatten();
            let Some(slot) = place.and_then(|place| slots.get_mut(place)) else { return };
            let (from, until) = if cell.is_doubled && !text.is_empty() {
                let from = text.len();
                cell.unquote(line, text);
                (from, text.len())
            } else {
                (start + cell.start, start + cell.end)
            };
            let kind = kind_of(cell.raw(line));
            *slot = Slot { kind, escaped: false, start: from as u32, end: until as u32 };
        })?;
        if count != layout.columns.len() {
            return Err(Reject::CellCount);
        }
        Ok((slots, if text.is_empty() { chunk } else { text }))
    }
}

/// Quotes say nothing about the kind of a value: many writers quote every cell.
fn kind_of(text: &[u8]) -> Kind {
    match bare_slot(text, text).kind {
        FieldKind::Absent | FieldKind::Null => Kind::Null,
        FieldKind::Bool => Kind::Bool,
        FieldKind::Number => Kind::Number,
        FieldKind::String => Kind::String,
    }
}

/// A line as an object, for the sample; `None` for the header and for what is rejected.
pub(super) fn as_json(line: &[u8], layout: &CsvLayout) -> Option<Value> {
    if line.trim_ascii() == layout.header {
        return None;
    }
    let mut object = Map::new();
    let count = each_cell(line, layout.separator, &mut |number, cell| {
        let mut text = Vec::new();
        cell.unquote(line, &mut text);
        let text = String::from_utf8_lossy(&text).into_owned();
        let value = match kind_of(text.as_bytes()) {
            Kind::Null => Value::Null,
            Kind::Number => serde_json::from_str(&text).unwrap_or_else(|_| text.into()),
            _ => text.into(),
        };
        if let Some(name) = layout.columns.get(number) {
            object.insert(name.clone(), value);
        }
    });
    (count == Ok(layout.columns.len())).then_some(Value::Object(object))
}
