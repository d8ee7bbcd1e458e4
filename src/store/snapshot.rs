//! One version of the store for reading; needs no lock and is never disturbed by a writer.

use std::collections::BTreeMap;
use std::ops::{Range, RangeInclusive};
use std::path::{Path, PathBuf};
use std::time::Duration;

use polars::prelude::{DataFrame, LazyFrame};

use super::error::StoreError;
use super::retention::RETIRED;
use super::segment::{self, Segment};
use super::table::Table;

/// How often a version is looked for while a writer cleans the log.
const OPEN_ATTEMPTS: u32 = 3;
/// Pause between two of them.
const OPEN_PAUSE: Duration = Duration::from_millis(50);

/// A version of the store: its segments and positions.
///
/// Segments that a compaction replaces stay for an hour; a longer reader is told that one is
/// missing, never given fewer rows in silence.
#[derive(Clone, Debug)]
pub struct Snapshot {
    store: PathBuf,
    version: u64,
    segments: Vec<Segment>,
    cursors: BTreeMap<String, String>,
    retired: Option<String>,
}

impl Snapshot {
    /// Opens the newest version.
    ///
    /// # Errors
    /// When there is no table, or its log is damaged; names the version and the file.
    pub fn open(path: &Path) -> Result<Self, StoreError> {
        let table = Table::at(path)?;
        let mut opened = Self::newest(&table);
        for _ in 1..OPEN_ATTEMPTS {
            // Entries may go between the listing and the reading of them.
            if !matches!(opened, Err(StoreError::Missing { .. } | StoreError::Log { .. })) {
                break;
            }
            std::thread::sleep(OPEN_PAUSE);
            opened = Self::newest(&table);
        }
        opened
    }

    fn newest(table: &Table) -> Result<Self, StoreError> {
        let at = table.latest()?;
        Ok(Self {
            store: table.store().to_owned(),
            version: at.version(),
            segments: table.segments(&at)?,
            cursors: table.cursors(&at)?,
            retired: table.domain(&at, RETIRED)?,
        })
    }

    /// The table's version.
    pub fn version(&self) -> u64 {
        self.version
    }

    /// Every segment, by path.
    pub fn segments(&self) -> &[Segment] {
        &self.segments
    }

    /// Source name to the JSON text of its positions.
    pub fn cursors(&self) -> &BTreeMap<String, String> {
        &self.cursors
    }

    /// What retention keeps of the ranges it removed.
    pub(super) fn retired(&self) -> Option<&str> {
        self.retired.as_deref()
    }

    /// How many rows the version has.
    pub fn row_count(&self) -> u64 {
        self.segments.iter().map(|segment| segment.row_count).sum()
    }

    /// Segments that may have rows in `[from, to)`, microseconds since the epoch.
    ///
    /// Rows lie in the partition of their own day unless their time is odd, so partitions prune
    /// only where a segment's times are not known.
    pub fn segments_between(&self, from_us: i64, to_us: i64) -> impl Iterator<Item = &Segment> {
        self.segments.iter().filter(move |segment| segment.may_meet(from_us, to_us))
    }

    /// The columns named of a segment, in the interval `[from, to)` if there is one.
    ///
    /// Checks the file's hash first, so it is read once as a whole.
    ///
    /// # Errors
    /// [`StoreError::Segment`] when the file is missing, cut, changed or replaced; it says how
    /// many rows are lost if the caller goes on without it.
    pub fn read(
        &self,
        segment: &Segment,
        columns: &[&str],
        between_us: Option<(i64, i64)>,
    ) -> Result<DataFrame, StoreError> {
        segment::check(&self.store, segment)?;
        segment::read(&self.store, segment, columns, closed(between_us))
    }

    /// The rows of a segment at these places, only the columns named. The file's hash is checked
    /// with its first row.
    ///
    /// # Errors
    /// As [`Snapshot::read`].
    pub fn read_rows(
        &self,
        segment: &Segment,
        columns: &[&str],
        rows: Range<usize>,
    ) -> Result<DataFrame, StoreError> {
        if rows.start == 0 {
            segment::check(&self.store, segment)?;
        }
        segment::read_rows(&self.store, segment, columns, rows)
    }

    /// As [`Snapshot::read`] of all columns, but lazily, for an engine that chooses its own.
    ///
    /// # Errors
    /// As [`Snapshot::read`].
    pub fn scan(
        &self,
        segment: &Segment,
        between_us: Option<(i64, i64)>,
    ) -> Result<LazyFrame, StoreError> {
        segment::check(&self.store, segment)?;
        segment::scan(&self.store, segment, closed(between_us))
    }

    /// The directory of the store, without links.
    pub fn store(&self) -> &Path {
        &self.store
    }
}

fn closed(between_us: Option<(i64, i64)>) -> Option<RangeInclusive<i64>> {
    between_us.map(|(from_us, to_us)| segment::closed(from_us, to_us))
}
