//! Records that could not be decoded: counted by reason, the first few kept.

/// Rejected records that are kept as examples.
const MAX_EXAMPLES: usize = 3;
/// Longest part of a rejected record that is kept, in bytes.
const MAX_EXAMPLE_BYTES: usize = 600;

/// Records that could not be decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rejects {
    /// How many, by reason, in order of first occurrence.
    pub by_reason: Vec<(String, u64)>,
    /// The first few: offset in the input and the beginning of the record.
    pub examples: Vec<(u64, Vec<u8>)>,
}

impl Rejects {
    /// Counts one, or several of the same reason.
    pub fn add(&mut self, reason: &str, count: u64) {
        match self.by_reason.iter_mut().find(|(known, _)| known == reason) {
            Some((_, total)) => *total += count,
            None => self.by_reason.push((reason.to_owned(), count)),
        }
    }

    /// All of them.
    pub fn count(&self) -> u64 {
        self.by_reason.iter().map(|(_, count)| count).sum()
    }

    /// Adds the rejects of a later chunk.
    pub fn merge(&mut self, later: Self) {
        for (reason, count) in later.by_reason {
            self.add(&reason, count);
        }
        self.examples.extend(later.examples);
        self.examples.truncate(MAX_EXAMPLES);
    }

    /// Counts a record and keeps it, if it is among the first.
    pub(super) fn reject(&mut self, reason: &str, at: u64, record: &[u8]) {
        self.add(reason, 1);
        self.keep(at, record);
    }

    /// Keeps the beginning of a record while there is room.
    pub(super) fn keep(&mut self, offset: u64, record: &[u8]) {
        if self.examples.len() < MAX_EXAMPLES {
            let shown = record.get(..MAX_EXAMPLE_BYTES).unwrap_or(record);
            self.examples.push((offset, shown.to_vec()));
        }
    }
}
