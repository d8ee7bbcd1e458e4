//! Whether rows meet a condition: once a distinct text where a column is dictionary coded, once a
//! row elsewhere.

use super::row::{Cell, Column};
use crate::model::{EventBatch, LabelColumn, Severity};
use crate::rule::{Cmp, Test, Value};

/// A condition on a column.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Compiled {
    pub(super) column: Column,
    pub(super) test: Test,
}

impl Compiled {
    /// Fills `truth` with an answer for each row.
    pub(super) fn of_batch(&self, events: &EventBatch, truth: &mut Vec<bool>) {
        truth.clear();
        let Column::Label(label) = self.column else {
            truth.extend((0..events.len).map(|row| self.holds(self.column.cell(events, row))));
            return;
        };
        let column = events.label(label);
        let of_name: Vec<bool> =
            column.names().iter().map(|name| self.holds(Cell::Text(name))).collect();
        let of_missing = self.holds(Cell::Missing);
        let of_code = |code: &u32| match *code {
            LabelColumn::NULL => of_missing,
            code => of_name.get(code as usize).copied().unwrap_or(of_missing),
        };
        truth.extend(column.codes().iter().map(of_code));
        truth.resize(events.len, of_missing);
    }

    /// Whether a value meets the condition; a missing one meets [`Test::Missing`] only.
    pub(super) fn holds(&self, cell: Cell<'_>) -> bool {
        if cell == Cell::Missing {
            return self.test == Test::Missing;
        }
        match &self.test {
            Test::Missing => false,
            Test::Exists => true,
            Test::Compare(cmp, value) => compare(cell, *cmp, value),
            Test::In(values) => values.iter().any(|value| compare(cell, Cmp::Equal, value)),
            Test::NotIn(values) => values.iter().all(|value| compare(cell, Cmp::NotEqual, value)),
            Test::Like(pattern) | Test::Matches(pattern) => as_text(cell, |t| pattern.is_match(t)),
            Test::NotLike(pattern) | Test::NotMatches(pattern) => {
                !as_text(cell, |text| pattern.is_match(text))
            }
        }
    }
}

fn as_text(cell: Cell<'_>, holds: impl Fn(&str) -> bool) -> bool {
    match cell {
        Cell::Text(text) => holds(text),
        Cell::Number(number) => holds(&number.to_string()),
        Cell::Severity(severity) => holds(severity.as_str()),
        Cell::Missing => false,
    }
}

/// Numbers compare as numbers wherever either side is one; severities by their class, so that
/// `severity = "error"` takes `ERROR2` too.
fn compare(cell: Cell<'_>, cmp: Cmp, value: &Value) -> bool {
    match (cell, value) {
        (Cell::Severity(severity), Value::Text(word)) => {
            let class = |severity: Severity| severity.number().saturating_sub(1) / 4;
            let named = Severity::from_text(word.as_bytes());
            holds(class(severity).partial_cmp(&class(named)), cmp)
        }
        (Cell::Text(text), Value::Text(wanted)) => holds(text.partial_cmp(wanted.as_str()), cmp),
        (cell, Value::Text(wanted)) => {
            let wanted = wanted.trim().parse().unwrap_or(f64::NAN);
            holds(cell.number().partial_cmp(&wanted), cmp)
        }
        (cell, Value::Number(wanted) | Value::Time(wanted)) => {
            holds(cell.number().partial_cmp(wanted), cmp)
        }
    }
}

/// What cannot be compared, such as a text with a number, meets `!=` only.
pub(super) fn holds(order: Option<std::cmp::Ordering>, cmp: Cmp) -> bool {
    let Some(order) = order else { return cmp == Cmp::NotEqual };
    match cmp {
        Cmp::Less => order.is_lt(),
        Cmp::AtMost => order.is_le(),
        Cmp::More => order.is_gt(),
        Cmp::AtLeast => order.is_ge(),
        Cmp::Equal => order.is_eq(),
        Cmp::NotEqual => order.is_ne(),
    }
}

#[cfg(test)]
mod tests {
    use super::{Cell, Column, Compiled, Severity};
    use crate::rule::parse_filter;

    #[test]
    fn conditions_say_what_they_read() {
        let error = Cell::Severity(Severity::ERROR);
        for (text, cell, want) in [
            ("status >= 500", Cell::Number(500.0), true),
            ("status >= 500", Cell::Missing, false),
            ("status != 500", Cell::Missing, false), // a row without the field meets `missing` only
            ("status missing", Cell::Missing, true),
            ("status exists", Cell::Number(0.0), true),
            ("status in (500, 502)", Cell::Number(502.0), true),
            ("status not in (500, 502)", Cell::Number(502.0), false),
            ("route = \"/a\"", Cell::Text("/a"), true),
            ("route like \"/api/%\"", Cell::Text("/api/x"), true),
            ("route ~ \"x$\"", Cell::Text("/api/x"), true),
            ("route !~ \"x$\"", Cell::Text("/api/x"), false),
            ("severity >= \"warn\"", error, true),
            ("severity = \"error\"", Cell::Severity(Severity::from_otel(18)), true), // ERROR2
            ("severity < \"error\"", error, false),
            ("http.bytes > 10", Cell::Text("11"), true), // keys of the record are texts
            ("http.bytes > 10", Cell::Text("many"), false),
            ("http.bytes != 10", Cell::Text("many"), true),
            ("duration > 1s", Cell::Number(1_000.5), true),
        ] {
            let filter = parse_filter(text).unwrap();
            let test = filter.conditions[0].test.clone();
            let compiled = Compiled { column: Column::Status, test };
            assert_eq!(compiled.holds(cell), want, "{text} {cell:?}");
        }
    }
}
