//! Where a wanted value lies in a chunk and what kind of JSON value it is; the bytes stay there.

/// Kind of the JSON value a [`Slot`] points at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Kind {
    /// The record does not have the field.
    #[default]
    Absent,
    /// `null`.
    Null,
    /// `true` or `false`.
    Bool,
    /// A number, as written.
    Number,
    /// A string.
    String,
    /// An object.
    Object,
    /// An array.
    Array,
}

/// The value of one wanted field of one record.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Slot {
    /// What the value is; [`Kind::Absent`] leaves the other fields at zero.
    pub kind: Kind,
    /// Whether a string holds escapes, so that [`unescape`](super::unescape) is needed.
    pub escaped: bool,
    /// First byte of the value inside the chunk; of a string the one after its quote.
    pub start: u32,
    /// Byte after the value; of a string its closing quote, of a container after its bracket.
    pub end: u32,
}

impl Slot {
    /// Returns the bytes of the value as written: a string without its quotes and with its escapes,
    /// a container with its brackets; empty if absent or if `chunk` is not the scanned one.
    pub fn raw<'a>(&self, chunk: &'a [u8]) -> &'a [u8] {
        chunk.get(self.start as usize..self.end as usize).unwrap_or_default()
    }
}
