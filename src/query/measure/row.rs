//! A row of a batch, or a request put together from several, as conditions and values see it.

use crate::model::{EventBatch, Label, NO_STATUS, Severity, Text, Wanted};

/// Where a field's values are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Column {
    Duration,
    Status,
    Severity,
    Label(Label),
    Text(Text),
    Extra(usize),
}

/// One value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Cell<'a> {
    Missing,
    Number(f64),
    Severity(Severity),
    Text(&'a str),
}

impl Column {
    /// The column of a field; what is read for it is added to `wanted`.
    pub(super) fn of(field: &str, wanted: &mut Wanted) -> Self {
        match field {
            "duration" | "duration_ms" => return Self::Duration,
            "status" => return Self::Status,
            "severity" | "severity_number" | "level" => return Self::Severity,
            _ => {}
        }
        if let Some(label) = Label::find(field) {
            wanted.add_label(label);
            return Self::Label(label);
        }
        if let Some(text) = Text::ALL.into_iter().find(|text| text.name() == field) {
            wanted.add_text(text);
            return Self::Text(text);
        }
        wanted.add_extra(field);
        let place = wanted.extras.iter().position(|path| path == field);
        Self::Extra(place.unwrap_or_default())
    }

    /// The value of a row.
    pub(super) fn cell(self, events: &EventBatch, row: usize) -> Cell<'_> {
        match self {
            Self::Duration => match events.duration_ms.get(row) {
                Some(ms) if !ms.is_nan() => Cell::Number(*ms),
                _ => Cell::Missing,
            },
            Self::Status => match events.status.get(row) {
                Some(&status) if status != NO_STATUS => Cell::Number(f64::from(status)),
                _ => Cell::Missing,
            },
            Self::Severity => match events.severity.get(row) {
                Some(&severity) if severity != Severity::UNKNOWN => Cell::Severity(severity),
                _ => Cell::Missing,
            },
            Self::Label(label) => text_cell(events.label(label).get(row)),
            Self::Text(column) => text_cell(events.text(column).get(row)),
            Self::Extra(place) => {
                text_cell(events.extras.get(place).and_then(|column| column.get(row)))
            }
        }
    }
}

fn text_cell(text: Option<&str>) -> Cell<'_> {
    text.map_or(Cell::Missing, Cell::Text)
}

impl Cell<'_> {
    /// The value as a number; NaN where it is none, and where it is beyond what can be added up.
    pub(super) fn number(self) -> f64 {
        let number = match self {
            Self::Number(number) => number,
            Self::Severity(severity) => f64::from(severity.number()),
            Self::Text(text) => text.trim().parse().unwrap_or(f64::NAN),
            Self::Missing => f64::NAN,
        };
        if number.is_finite() { number } else { f64::NAN }
    }
}

/// A request some of whose records were seen.
#[derive(Clone, Debug)]
pub(super) struct OpenRow {
    pub(super) first_us: i64,
    pub(super) last_us: i64,
    pub(super) order: (usize, u64),
    severity: Severity,
    status: i32,
    duration_ms: f64,
    /// By text-like column of the plan.
    texts: Vec<Option<Box<str>>>,
}

impl OpenRow {
    /// Begins with a record, of which `columns` are kept.
    pub(super) fn begin(
        events: &EventBatch,
        row: usize,
        columns: &[Column],
        order: (usize, u64),
    ) -> Self {
        let ts_us = events.ts_us.get(row).copied().unwrap_or_default();
        let mut open = Self {
            first_us: ts_us,
            last_us: ts_us,
            order,
            severity: Severity::UNKNOWN,
            status: NO_STATUS,
            duration_ms: f64::NAN,
            texts: vec![None; columns.len()],
        };
        open.join(events, row, columns);
        open
    }

    /// Adds what a further record of the same request says: the worst status and severity, the
    /// longest duration, and every text that those before it did not name.
    pub(super) fn join(&mut self, events: &EventBatch, row: usize, columns: &[Column]) {
        let ts_us = events.ts_us.get(row).copied().unwrap_or_default();
        self.first_us = self.first_us.min(ts_us);
        self.last_us = self.last_us.max(ts_us);
        let severity = events.severity.get(row).copied().unwrap_or_default();
        self.severity = self.severity.max(severity);
        let status = events.status.get(row).copied().unwrap_or(NO_STATUS);
        if status == -1 || self.status == NO_STATUS {
            self.status = status;
        } else if self.status != -1 && status != NO_STATUS {
            self.status = self.status.max(status);
        }
        let duration_ms = events.duration_ms.get(row).copied().unwrap_or(f64::NAN);
        if duration_ms > self.duration_ms || self.duration_ms.is_nan() {
            self.duration_ms = duration_ms;
        }
        for (text, column) in self.texts.iter_mut().zip(columns) {
            if text.is_none()
                && let Cell::Text(named) = column.cell(events, row)
            {
                *text = Some(named.into());
            }
        }
    }

    /// Whether it is a request: something said how it ended or how long it took.
    pub(super) fn is_request(&self) -> bool {
        self.status != NO_STATUS || !self.duration_ms.is_nan()
    }

    /// The value of a column; `columns` as it was begun with.
    pub(super) fn cell(&self, column: Column, columns: &[Column]) -> Cell<'_> {
        match column {
            Column::Duration if self.duration_ms.is_nan() => Cell::Missing,
            Column::Duration => Cell::Number(self.duration_ms),
            Column::Status if self.status == NO_STATUS => Cell::Missing,
            Column::Status => Cell::Number(f64::from(self.status)),
            Column::Severity if self.severity == Severity::UNKNOWN => Cell::Missing,
            Column::Severity => Cell::Severity(self.severity),
            _ => {
                let place = columns.iter().position(|known| *known == column);
                let text = place.and_then(|place| self.texts.get(place)?.as_deref());
                text_cell(text)
            }
        }
    }
}
