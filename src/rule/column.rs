//! What the canonical columns hold, as far as rules must know.

/// What a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Holds {
    /// A duration in milliseconds.
    Time,
    /// Numbers.
    Number,
    /// Severities, which have an order.
    Severity,
    /// Words of which there are few.
    Label,
    /// Texts of which nearly every one is different.
    Text,
    /// The time of the event: the window says which rows are judged.
    Moment,
    /// A key of the record; what it holds is known when data is read.
    Own,
}

/// The columns that rules can read, without those of provenance.
pub(super) const COLUMNS: [(&str, Holds); 28] = [
    ("ts", Holds::Moment),
    ("observed_ts", Holds::Moment),
    ("date", Holds::Moment),
    ("severity", Holds::Severity),
    ("severity_number", Holds::Number),
    ("service", Holds::Label),
    ("host", Holds::Label),
    ("environment", Holds::Label),
    ("deployment", Holds::Label),
    ("version", Holds::Label),
    ("source", Holds::Label),
    ("event", Holds::Label),
    ("method", Holds::Label),
    ("route", Holds::Label),
    ("path", Holds::Text),
    ("status", Holds::Number),
    ("duration_ms", Holds::Time),
    ("trace_id", Holds::Text),
    ("span_id", Holds::Text),
    ("parent_span_id", Holds::Text),
    ("request_id", Holds::Text),
    ("user", Holds::Label),
    ("template", Holds::Label),
    ("message", Holds::Text),
    ("attrs", Holds::Text),
    ("body", Holds::Text),
    ("body_bin", Holds::Text),
    ("flags", Holds::Number),
];
/// Shorter names of columns.
const SHORT: [(&str, &str); 2] = [("duration", "duration_ms"), ("level", "severity")];

/// Whether this is the name of a column, which every record may have.
pub(super) fn is_column(name: &str) -> bool {
    COLUMNS.iter().any(|(column, _)| *column == name)
}

/// What the field of this name holds.
pub(super) fn holds(name: &str) -> Holds {
    COLUMNS.iter().find(|(column, _)| *column == name).map_or(Holds::Own, |(_, holds)| *holds)
}

/// The column that is meant by a name that people write.
pub(super) fn full_name(name: &str) -> &str {
    SHORT.iter().find(|(short, _)| *short == name).map_or(name, |(_, column)| column)
}

/// The name that people write for a column.
pub(super) fn short_name(name: &str) -> &str {
    if name == "duration_ms" { "duration" } else { name }
}
