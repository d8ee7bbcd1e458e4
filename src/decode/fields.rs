//! Where a text decoder puts what it finds: byte ranges of the record, by wanted name.
//!
//! A caller names the fields it wants once and then reads one [`Slot`] per name and record;
//! everything else a record says is kept as `others`, for the `attrs` column. Nothing is
//! copied and, after the first records, nothing allocated. When a name comes twice, the last
//! value counts, as in JSON.

/// Most fields of one record that are kept beside the wanted ones; more are left out.
pub(super) const MAX_OTHERS: usize = 256;

/// Longest record that is decoded, in bytes; ranges are 32 bits wide.
pub(super) const MAX_RECORD_LEN: usize = u32::MAX as usize;

/// Bytes `start..end` of a record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    /// First byte.
    pub start: u32,
    /// Byte after the last one.
    pub end: u32,
}

impl Span {
    /// The bytes of this range; empty when the range is not inside of `record`.
    #[inline]
    pub(super) fn of(self, record: &[u8]) -> &[u8] {
        record.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// The range of `part`, which must be a piece of `record`; empty at 0 if it is not.
    #[inline]
    pub(crate) fn locate(record: &[u8], part: &[u8]) -> Self {
        let start = (part.as_ptr() as usize).wrapping_sub(record.as_ptr() as usize);
        if start.saturating_add(part.len()) > record.len() {
            return Self::default();
        }
        Self { start: start as u32, end: (start + part.len()) as u32 }
    }
}

/// What a value looks like.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Kind {
    /// The record does not have the field.
    #[default]
    Absent,
    /// The field is there and says nothing: `-`, `null`, an empty value.
    Null,
    /// `true` or `false`.
    Bool,
    /// A decimal number.
    Number,
    /// Anything else.
    String,
}

/// One value: what it looks like and where it stands, without its quotes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Slot {
    /// What it looks like.
    pub kind: Kind,
    /// Backslash escapes stand in the bytes and are still to be undone.
    pub escaped: bool,
    /// Where it stands.
    pub span: Span,
}

/// Name of a field that nobody asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Name {
    /// A name of the format, such as `status` of an access log.
    Fixed(&'static str),
    /// A name written in the record.
    Written(Span),
}

/// Why a record was not decoded. The caller counts it and keeps the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Reject {
    /// Nothing but blanks.
    #[error("record is empty")]
    Empty,
    /// It does not have the shape of this format.
    #[error("record has another format")]
    OtherFormat,
    /// A quote or bracket is opened and not closed.
    #[error("record ends inside of a quoted value")]
    Unterminated,
    /// More than [`MAX_RECORD_LEN`] bytes.
    #[error("record is longer than 4 GiB")]
    TooLong,
    /// A line of CSV has more or fewer cells than the header.
    #[error("record has another number of cells than the header")]
    CellCount,
}

/// The values of one record, by the names a caller wants; reused from record to record.
#[derive(Clone, Debug, Default)]
pub(super) struct Fields {
    wanted: Vec<Box<[u8]>>,
    slots: Vec<Slot>,
    others: Vec<(Name, Slot)>,
}

impl Fields {
    /// Makes a place for the values of the `wanted` names; a few dozen at most, they are searched.
    pub(super) fn new(wanted: &[&str]) -> Self {
        Self {
            wanted: wanted.iter().map(|name| name.as_bytes().into()).collect(),
            slots: vec![Slot::default(); wanted.len()],
            ..Self::default()
        }
    }

    /// The value of the `index`-th wanted name; [`Kind::Absent`] if the record has none.
    pub(super) fn slot(&self, index: usize) -> Slot {
        self.slots.get(index).copied().unwrap_or_default()
    }

    /// The other fields, in the order of the record.
    pub(super) fn others(&self) -> &[(Name, Slot)] {
        &self.others
    }

    /// Forgets the values of the last record; every decoder begins with this.
    pub(super) fn clear(&mut self) {
        self.slots.fill(Slot::default());
        self.others.clear();
    }

    /// Puts a value under a name of the format.
    pub(crate) fn put(&mut self, name: &'static str, slot: Slot) {
        self.place(name.as_bytes(), Name::Fixed(name), slot);
    }

    /// Puts a value under a name that is written in the record.
    pub(crate) fn put_written(&mut self, record: &[u8], name: &[u8], slot: Slot) {
        self.place(name, Name::Written(Span::locate(record, name)), slot);
    }

    fn place(&mut self, text: &[u8], name: Name, slot: Slot) {
        let index = self.wanted.iter().position(|wanted| **wanted == *text);
        match index.and_then(|index| self.slots.get_mut(index)) {
            Some(place) => *place = slot,
            None if self.others.len() < MAX_OTHERS => self.others.push((name, slot)),
            None => {}
        }
    }
}

/// The slot of an unquoted value: `-` and nothing are null, words and numbers tell themselves.
pub(crate) fn bare_slot(record: &[u8], value: &[u8]) -> Slot {
    let kind = match value {
        b"" | b"-" | b"null" | b"nil" | b"<nil>" => Kind::Null,
        b"true" | b"false" => Kind::Bool,
        _ if is_number(value) => Kind::Number,
        _ => Kind::String,
    };
    Slot { kind, escaped: false, span: Span::locate(record, value) }
}

/// The slot of a value that stood in quotes, given without them.
pub(crate) fn quoted_slot(record: &[u8], value: &[u8]) -> Slot {
    let kind = if value == b"-" { Kind::Null } else { Kind::String };
    let escaped = memchr::memchr(b'\\', value).is_some();
    Slot { kind, escaped, span: Span::locate(record, value) }
}

/// A decimal number as JSON writes it, leading zeros aside: `-12`, `0.5`, `1e-3`.
pub(crate) fn is_number(text: &[u8]) -> bool {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    digits.first().is_some_and(u8::is_ascii_digit)
        && digits.last().is_some_and(u8::is_ascii_digit)
        && digits
            .iter()
            .all(|b| b.is_ascii_digit() || matches!(b, b'.' | b'e' | b'E' | b'+' | b'-'))
        && str::from_utf8(digits).is_ok_and(|digits| digits.parse::<f64>().is_ok())
}

/// Splits at the quote that closes a value; `text` begins after the opening quote.
pub(crate) fn split_quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let mut from = 0;
    loop {
        let found = memchr::memchr2(b'"', b'\\', text.get(from..)?)? + from;
        if text.get(found) == Some(&b'"') {
            return Some((text.get(..found)?, text.get(found + 1..)?));
        }
        from = found + 2;
    }
}
