//! The columns of `logs`: their names, their types, and what a reader must decode for them.

use polars::prelude::{DataType, Field, TimeUnit};

use crate::model::{Label, Text, Wanted};

/// Type of a field that is not a canonical column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ValueType {
    /// Any number, as f64.
    Number,
    /// Whole numbers, as i64.
    Integer,
    /// `true` and `false`.
    Bool,
    /// Text as it is.
    Text,
}

/// A field of the log that is not a canonical column.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Extra {
    /// Dotted path, such as `http.bytes`; also the column's name.
    pub path: String,
    /// Position in [`Wanted::extras`] and in the batch.
    pub index: usize,
    /// Type of the column; values of another type are missing.
    pub value_type: ValueType,
}

/// One column of `logs`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Column {
    /// Event time, microseconds UTC. The frame's type has no zone, since all times are UTC.
    Ts,
    /// Event time, whole milliseconds since the epoch.
    TsMs,
    /// UTC date of the event.
    Date,
    /// Severity text.
    Severity,
    /// OpenTelemetry severity number.
    SeverityNumber,
    /// HTTP-like status.
    Status,
    /// Duration, milliseconds.
    DurationMs,
    /// Name of the input the event was read from.
    Source,
    /// Byte offset of the record in its input.
    Offset,
    /// A low-cardinality text.
    Label(Label),
    /// A plain text.
    Text(Text),
    /// A field by its path.
    Extra(Extra),
    /// Nothing but the number of rows, for queries that name no column.
    Row,
}

impl Column {
    /// Name of [`Column::Row`]; not a name SQL can mean by accident.
    const ROW: &str = "_row";

    /// What `SELECT *` shows, in this order; fields the query names elsewhere come after.
    pub(crate) const STAR: [Self; 15] = [
        Self::Ts,
        Self::Severity,
        Self::Label(Label::Service),
        Self::Label(Label::Version),
        Self::Label(Label::Event),
        Self::Label(Label::Method),
        Self::Label(Label::Route),
        Self::Text(Text::Path),
        Self::Status,
        Self::DurationMs,
        Self::Text(Text::RequestId),
        Self::Text(Text::TraceId),
        Self::Text(Text::User),
        Self::Text(Text::Message),
        Self::Text(Text::Attrs),
    ];

    const PLAIN: [Self; 9] = [
        Self::Ts,
        Self::TsMs,
        Self::Date,
        Self::Severity,
        Self::SeverityNumber,
        Self::Status,
        Self::DurationMs,
        Self::Source,
        Self::Offset,
    ];

    /// Every canonical column.
    pub(crate) fn all() -> impl Iterator<Item = Self> {
        Self::PLAIN
            .into_iter()
            .chain(Label::ALL.into_iter().map(Self::Label))
            .chain(Text::ALL.into_iter().map(Self::Text))
    }

    /// The canonical column of this name, in any case.
    pub(crate) fn canonical(name: &str) -> Option<Self> {
        Self::all().find(|column| column.name().eq_ignore_ascii_case(name))
    }

    /// The column's name in `logs`.
    pub(crate) fn name(&self) -> &str {
        match self {
            Self::Ts => "ts",
            Self::TsMs => "ts_ms",
            Self::Date => "date",
            Self::Severity => "severity",
            Self::SeverityNumber => "severity_number",
            Self::Status => "status",
            Self::DurationMs => "duration_ms",
            Self::Source => "source",
            Self::Offset => "_off",
            Self::Label(label) => label.name(),
            Self::Text(text) => text.name(),
            Self::Extra(extra) => &extra.path,
            Self::Row => Self::ROW,
        }
    }

    /// The column's name and polars type.
    pub(crate) fn field(&self) -> Field {
        let dtype = match self {
            Self::Ts => DataType::Datetime(TimeUnit::Microseconds, None),
            // Statuses fit 16 bits, but polars lets sums and products of narrow numbers wrap.
            Self::TsMs | Self::Offset | Self::SeverityNumber | Self::Status => DataType::Int64,
            Self::Date => DataType::Date,
            Self::DurationMs => DataType::Float64,
            Self::Severity | Self::Source | Self::Label(_) | Self::Text(_) => DataType::String,
            Self::Row => DataType::Boolean,
            Self::Extra(extra) => match extra.value_type {
                ValueType::Number => DataType::Float64,
                ValueType::Integer => DataType::Int64,
                ValueType::Bool => DataType::Boolean,
                ValueType::Text => DataType::String,
            },
        };
        Field::new(self.name().into(), dtype)
    }

    /// Asks for what this column is made from.
    pub(crate) fn want(&self, wanted: &mut Wanted) {
        match self {
            Self::Label(label) => wanted.add_label(*label),
            Self::Text(text) => wanted.add_text(*text),
            Self::Extra(extra) => wanted.add_extra(&extra.path),
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::Column;

    #[test]
    fn canonical_names_are_found_in_any_case_and_are_unique() {
        let names: Vec<String> = Column::all().map(|column| column.name().to_owned()).collect();
        for name in &names {
            assert_eq!(Column::canonical(&name.to_uppercase()).unwrap().name(), name);
            assert_eq!(names.iter().filter(|other| *other == name).count(), 1, "{name}");
        }
        assert_eq!(Column::canonical(""), None);
        assert_eq!(Column::canonical("region"), None);
        assert_eq!(Column::canonical("_row"), None); // internal
    }
}
