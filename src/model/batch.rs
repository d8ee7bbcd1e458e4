//! The events of one chunk as columns.

use rustc_hash::FxHashMap;

use super::Severity;

/// Marks an event without a usable time in [`EventBatch::ts_us`].
pub const NO_TIME: i64 = i64::MIN;

/// Marks an event without a status in [`EventBatch::status`].
///
/// Not −1: Vercel logs −1 for a function that crashed, which is a class of its own.
pub const NO_STATUS: i32 = i32::MIN;

/// A low-cardinality text column, dictionary coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Label {
    /// `http.route`, or the path with its ids masked.
    Route,
    /// HTTP method.
    Method,
    /// Service version, release or deployment.
    Version,
    /// Service name.
    Service,
    /// Host name.
    Host,
    /// Environment, such as `production`.
    Environment,
    /// Deployment id.
    Deployment,
    /// Event name, such as `auth.failure`.
    Event,
    /// Message with its variables masked.
    Template,
}

impl Label {
    /// Every label, in column order.
    pub const ALL: [Self; 9] = [
        Self::Route,
        Self::Method,
        Self::Version,
        Self::Service,
        Self::Host,
        Self::Environment,
        Self::Deployment,
        Self::Event,
        Self::Template,
    ];

    /// The label of a name.
    pub fn find(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|label| label.name() == name)
    }

    /// The column's name in `logs`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Route => "route",
            Self::Method => "method",
            Self::Version => "version",
            Self::Service => "service",
            Self::Host => "host",
            Self::Environment => "environment",
            Self::Deployment => "deployment",
            Self::Event => "event",
            Self::Template => "template",
        }
    }
}

/// A text column with many distinct values, stored as it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Text {
    /// Message.
    Message,
    /// Path or URL as logged.
    Path,
    /// Request id.
    RequestId,
    /// Trace id.
    TraceId,
    /// Span id.
    SpanId,
    /// Parent span id.
    ParentSpanId,
    /// User, as a keyed pseudonym where it was an e-mail address.
    User,
    /// Every other key, as one JSON object.
    Attrs,
    /// The record as it was read.
    Body,
}

impl Text {
    /// Every text column, in column order.
    pub const ALL: [Self; 9] = [
        Self::Message,
        Self::Path,
        Self::RequestId,
        Self::TraceId,
        Self::SpanId,
        Self::ParentSpanId,
        Self::User,
        Self::Attrs,
        Self::Body,
    ];

    /// The column's name in `logs`.
    pub fn name(self) -> &'static str {
        match self {
            Self::Message => "message",
            Self::Path => "path",
            Self::RequestId => "request_id",
            Self::TraceId => "trace_id",
            Self::SpanId => "span_id",
            Self::ParentSpanId => "parent_span_id",
            Self::User => "user",
            Self::Attrs => "attrs",
            Self::Body => "body",
        }
    }
}

/// Which columns a reader needs; the others are never decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Wanted {
    /// Dictionary-coded columns.
    pub labels: Vec<Label>,
    /// Plain text columns.
    pub texts: Vec<Text>,
    /// Further fields by dotted path, such as `http.bytes`.
    pub extras: Vec<String>,
}

impl Wanted {
    /// Adds a dictionary-coded column once.
    pub fn add_label(&mut self, label: Label) {
        if !self.labels.contains(&label) {
            self.labels.push(label);
        }
    }

    /// Adds a plain text column once.
    pub fn add_text(&mut self, text: Text) {
        if !self.texts.contains(&text) {
            self.texts.push(text);
        }
    }

    /// Adds a field by its dotted path once.
    pub fn add_extra(&mut self, path: &str) {
        if !self.extras.iter().any(|known| known == path) {
            self.extras.push(path.to_owned());
        }
    }
}

/// Texts laid end to end; a missing text is not an empty one.
#[derive(Debug, Default)]
pub struct TextColumn {
    bytes: String,
    /// End of each text in `bytes`, with [`TextColumn::NULL`] set for a missing one.
    ends: Vec<u64>,
}

impl TextColumn {
    const NULL: u64 = 1 << 63;

    /// Appends a text.
    pub fn push(&mut self, text: &str) {
        self.bytes.push_str(text);
        self.ends.push(self.bytes.len() as u64);
    }

    /// Appends a missing value.
    pub fn push_null(&mut self) {
        self.ends.push(self.bytes.len() as u64 | Self::NULL);
    }

    /// Appends what is there.
    pub fn push_option(&mut self, text: Option<&str>) {
        match text {
            Some(text) => self.push(text),
            None => self.push_null(),
        }
    }

    /// The text at `row`; `None` when missing or out of range.
    pub fn get(&self, row: usize) -> Option<&str> {
        let end = *self.ends.get(row)?;
        if end & Self::NULL != 0 {
            return None;
        }
        let start = match row.checked_sub(1) {
            Some(before) => *self.ends.get(before)? & !Self::NULL,
            None => 0,
        };
        self.bytes.get(start as usize..end as usize)
    }

    /// Number of values, missing ones included.
    pub fn len(&self) -> usize {
        self.ends.len()
    }

    /// Whether no value was pushed.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// Every value in order.
    pub fn iter(&self) -> impl Iterator<Item = Option<&str>> {
        (0..self.len()).map(|row| self.get(row))
    }

    fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
    }
}

/// Dictionary-coded texts: one code a row, each distinct text stored once.
#[derive(Debug, Default)]
pub struct LabelColumn {
    codes: Vec<u32>,
    names: Vec<Box<str>>,
    by_name: FxHashMap<Box<str>, u32>,
    /// Codes by what the record said, before it was masked or unescaped.
    by_raw: FxHashMap<Box<[u8]>, u32>,
}

impl LabelColumn {
    /// Code of a missing value.
    pub const NULL: u32 = u32::MAX;
    /// Distinct names kept from one batch to the next; beyond it the dictionary starts anew.
    const MAX_KEPT_NAMES: usize = 4_096;
    /// Distinct raw spellings remembered within a batch and beyond it.
    const MAX_KEPT_RAW: usize = 16_384;
    /// Longest raw spelling remembered, bytes.
    const MAX_KEPT_RAW_BYTES: usize = 512;

    /// Code of a text, new or known.
    pub fn intern(&mut self, text: &str) -> u32 {
        if let Some(&code) = self.by_name.get(text) {
            return code;
        }
        let code = self.names.len() as u32;
        self.names.push(text.into());
        self.by_name.insert(text.into(), code);
        code
    }

    /// Appends the label that `name_of` makes of `raw`; it is asked once for each short spelling.
    ///
    /// `name_of` writes the name and says whether there is one.
    pub fn push_raw(&mut self, raw: &[u8], name_of: impl FnOnce(&mut String) -> bool) {
        if let Some(&code) = self.by_raw.get(raw) {
            self.codes.push(code);
            return;
        }
        let mut name = String::new();
        let code = if name_of(&mut name) { self.intern(&name) } else { Self::NULL };
        if self.by_raw.len() < Self::MAX_KEPT_RAW && raw.len() <= Self::MAX_KEPT_RAW_BYTES {
            self.by_raw.insert(raw.into(), code);
        }
        self.codes.push(code);
    }

    /// Appends what is there.
    pub fn push_option(&mut self, text: Option<&str>) {
        let code = text.map_or(Self::NULL, |text| self.intern(text));
        self.codes.push(code);
    }

    /// One code a row.
    pub fn codes(&self) -> &[u32] {
        &self.codes
    }

    /// The text behind a code; codes are indices into this dictionary.
    pub fn names(&self) -> &[Box<str>] {
        &self.names
    }

    /// The text at `row`; `None` when missing or out of range.
    pub fn get(&self, row: usize) -> Option<&str> {
        let code = *self.codes.get(row)?;
        self.names.get(code as usize).map(AsRef::as_ref)
    }

    fn clear(&mut self) {
        self.codes.clear();
        if self.names.len() > Self::MAX_KEPT_NAMES || self.by_raw.len() >= Self::MAX_KEPT_RAW {
            self.names.clear();
            self.by_name.clear();
            self.by_raw.clear();
        }
    }
}

/// The events of one chunk as columns, reused from chunk to chunk.
///
/// Time, severity, duration, status and offset are always there, one value an event. A label,
/// text or extra that [`Wanted`] does not name stays empty; the others have
/// [`EventBatch::len`] rows.
#[derive(Debug, Default)]
pub struct EventBatch {
    /// Number of events.
    pub len: usize,
    /// Event time, microseconds since the epoch, UTC; [`NO_TIME`] when missing or unusable.
    pub ts_us: Vec<i64>,
    /// Severity.
    pub severity: Vec<Severity>,
    /// Duration in milliseconds; NaN when missing.
    pub duration_ms: Vec<f64>,
    /// HTTP-like status; [`NO_STATUS`] when missing.
    pub status: Vec<i32>,
    /// Byte offset of the event's record in its input, as read.
    pub offset: Vec<u64>,
    labels: [LabelColumn; Label::ALL.len()],
    texts: [TextColumn; Text::ALL.len()],
    /// Columns by field path, in the order they were asked for.
    pub extras: Vec<TextColumn>,
}

impl EventBatch {
    /// A dictionary-coded column.
    pub fn label(&self, label: Label) -> &LabelColumn {
        let [route, method, version, service, host, environment, deployment, event, template] =
            &self.labels;
        match label {
            Label::Route => route,
            Label::Method => method,
            Label::Version => version,
            Label::Service => service,
            Label::Host => host,
            Label::Environment => environment,
            Label::Deployment => deployment,
            Label::Event => event,
            Label::Template => template,
        }
    }

    /// A dictionary-coded column, to append to.
    pub fn label_mut(&mut self, label: Label) -> &mut LabelColumn {
        let [route, method, version, service, host, environment, deployment, event, template] =
            &mut self.labels;
        match label {
            Label::Route => route,
            Label::Method => method,
            Label::Version => version,
            Label::Service => service,
            Label::Host => host,
            Label::Environment => environment,
            Label::Deployment => deployment,
            Label::Event => event,
            Label::Template => template,
        }
    }

    /// A plain text column.
    pub fn text(&self, text: Text) -> &TextColumn {
        let [message, path, request, trace, span, parent, user, attrs, body] = &self.texts;
        match text {
            Text::Message => message,
            Text::Path => path,
            Text::RequestId => request,
            Text::TraceId => trace,
            Text::SpanId => span,
            Text::ParentSpanId => parent,
            Text::User => user,
            Text::Attrs => attrs,
            Text::Body => body,
        }
    }

    /// A plain text column, to append to.
    pub fn text_mut(&mut self, text: Text) -> &mut TextColumn {
        let [message, path, request, trace, span, parent, user, attrs, body] = &mut self.texts;
        match text {
            Text::Message => message,
            Text::Path => path,
            Text::RequestId => request,
            Text::TraceId => trace,
            Text::SpanId => span,
            Text::ParentSpanId => parent,
            Text::User => user,
            Text::Attrs => attrs,
            Text::Body => body,
        }
    }

    /// Forgets the events and keeps the memory.
    pub fn clear(&mut self) {
        self.len = 0;
        self.ts_us.clear();
        self.severity.clear();
        self.duration_ms.clear();
        self.status.clear();
        self.offset.clear();
        self.labels.iter_mut().for_each(LabelColumn::clear);
        self.texts.iter_mut().for_each(TextColumn::clear);
        self.extras.iter_mut().for_each(TextColumn::clear);
    }
}

#[cfg(test)]
mod tests {
    use super::{EventBatch, Label, LabelColumn, TextColumn};

    #[test]
    fn a_missing_text_is_not_an_empty_one() {
        let mut column = TextColumn::default();
        column.push_null();
        column.push("");
        column.push("ñandú");
        column.push_null();
        column.push("x");
        let got: Vec<_> = column.iter().collect();
        assert_eq!(got, [None, Some(""), Some("ñandú"), None, Some("x")]);
        assert_eq!(column.get(5), None);
    }

    #[test]
    fn long_spellings_are_not_kept() {
        let mut column = LabelColumn::default();
        let bound = LabelColumn::MAX_KEPT_RAW_BYTES;
        for (len, kept) in [(1, 1), (bound, 2), (bound + 1, 2)] {
            column.push_raw(&vec![b'x'; len], |name| {
                name.push('x');
                true
            });
            assert_eq!(column.by_raw.len(), kept, "{len}");
        }
        assert_eq!((column.codes(), column.names().len()), (&[0, 0, 0][..], 1));
    }

    #[test]
    fn codes_survive_clearing_until_the_dictionary_is_too_large() {
        let mut batch = EventBatch::default();
        let column = batch.label_mut(Label::Route);
        column.push_option(Some("/a"));
        column.push_option(None);
        column.push_option(Some("/a"));
        assert_eq!(column.codes(), [0, LabelColumn::NULL, 0]);
        assert_eq!(column.get(1), None);
        batch.clear();
        assert_eq!(batch.label(Label::Route).names().len(), 1);
        for n in 0..=LabelColumn::MAX_KEPT_NAMES {
            batch.label_mut(Label::Route).push_option(Some(&n.to_string()));
        }
        batch.clear();
        assert!(batch.label(Label::Route).names().is_empty());
    }
}
