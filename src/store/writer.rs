//! The one writer of a store: rows and the positions they were read to, in one commit.
//!
//! What [`Writer::append`] returned as committed survives a crash and a loss of power. Any other
//! answer leaves the table as it was, except [`StoreError::needs_restart`]: then only opening
//! the store again tells, and the cursors found there are the truth.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use delta_kernel::snapshot::SnapshotRef;
use delta_kernel::transaction::UpdateTableOperation;
use polars::prelude::{ChunkCompareEq, DataFrame, DataType};
use serde_json::Value;
use tracing::warn;

use super::disk;
use super::entry::{self, LogFiles};
use super::error::StoreError;
use super::lock::Lock;
use super::schema::DATE;
use super::segment::{FAST_LEVEL, Segment, SegmentWriter, in_order};
use super::steps::{Step, reach};
use super::sweep::{has_segments, sweep};
use super::table::{Change, Table};

/// Commits between two checkpoints; fewer in tests, which would only repeat themselves.
const CHECKPOINT_INTERVAL: u64 = if cfg!(test) { 10 } else { 100 };
/// Commits of others that a change gives way to before it gives up.
const MAX_ATTEMPTS: u32 = 10;
/// Age from which files that no version names are removed, microseconds.
pub(super) const ORPHAN_AGE_US: i64 = 3_600_000_000;
/// Most distinct days of one append; more are an error of the caller.
const MAX_DAYS: usize = 20_000;

/// What an append made durable.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Committed {
    /// The table's version from which on readers see the rows.
    pub version: u64,
    /// How many rows were added.
    pub row_count: u64,
    /// How many segments they are in.
    pub segment_count: usize,
    /// Size of these segments, bytes.
    pub bytes: u64,
}

/// The right to write to a store, and its newest version.
pub struct Writer {
    table: Table,
    snapshot: SnapshotRef,
    cursors: BTreeMap<String, String>,
    number: i64,
    checkpoint_version: u64,
    is_closed: bool,
    _lock: Lock,
}

impl Writer {
    /// Opens the store for writing, and makes it if there is none.
    ///
    /// Removes what crashed writers left behind an hour ago or earlier.
    ///
    /// # Errors
    /// [`StoreError::Locked`] when another process writes to it; an error that names the version
    /// when the table's log is damaged; never makes a new table over a damaged one.
    pub fn create_or_open(path: &Path) -> Result<Self, StoreError> {
        let table = Table::at_or_new(path)?;
        let lock = Lock::take(table.store())?;
        let is_new = entry::list(table.store())?.is_none_or(|log| log.by_version.is_empty());
        if is_new {
            refuse_remains(table.store())?;
            // Somebody else's directory keeps its mode; what is inside is private all the same.
            let _ = fs::set_permissions(table.store(), Permissions::from_mode(0o700));
            disk::create_private_directory(&table.store().join(entry::LOG))?;
            table.create()?;
            disk::sync_directory(table.store())
                .map_err(|source| StoreError::Unsure { path: table.store().to_owned(), source })?;
        }
        let snapshot = table.latest()?;
        let log = entry::list(table.store())?.unwrap_or_default();
        let writer = Self {
            cursors: table.cursors(&snapshot)?,
            number: table.number(&snapshot)?,
            checkpoint_version: log.checkpoints.last().copied().unwrap_or(0),
            table,
            snapshot,
            is_closed: false,
            _lock: lock,
        };
        sweep(writer.store(), &writer.segments()?, ORPHAN_AGE_US)?;
        Ok(writer)
    }

    /// Source name to the JSON text of its positions, as of the last commit.
    pub fn cursors(&self) -> &BTreeMap<String, String> {
        &self.cursors
    }

    /// The table's version after the last commit.
    pub fn version(&self) -> u64 {
        self.snapshot.version()
    }

    /// The directory of the store, without links.
    pub fn store(&self) -> &Path {
        self.table.store()
    }

    /// Commits rows together with the positions they were read to.
    ///
    /// `rows` has columns of [`columns`](super::columns), among them `date` without nulls unless
    /// there are no rows; absent ones are null. `cursors` holds the sources whose positions
    /// changed; an empty text forgets a source. Without rows and changes nothing is committed.
    ///
    /// # Errors
    /// [`StoreError::is_full`]: nothing happened, try again when there is room.
    /// [`StoreError::needs_restart`]: the process must end. Nothing happened after other errors.
    pub fn append(
        &mut self,
        rows: &DataFrame,
        cursors: &BTreeMap<String, String>,
    ) -> Result<Committed, StoreError> {
        self.check_open()?;
        let mut adds = Vec::new();
        if rows.height() > 0 {
            let written = self.write_segments(rows, &mut adds);
            if let Err(error) = written {
                return Err(self.give_up(&adds, error));
            }
        }
        let changed: BTreeMap<String, String> = cursors
            .iter()
            .filter(|(source, text)| match self.cursors.get(*source) {
                Some(old) => old != *text,
                None => !text.is_empty(),
            })
            .map(|(source, text)| (source.clone(), text.clone()))
            .collect();
        let committed = Committed {
            version: self.version(),
            row_count: adds.iter().map(|segment| segment.row_count).sum(),
            segment_count: adds.len(),
            bytes: adds.iter().map(|segment| segment.bytes).sum(),
        };
        if adds.is_empty() && changed.is_empty() {
            return Ok(committed);
        }
        let domains = changed.iter().map(|(source, text)| {
            (Table::cursor_domain(source), Some(text.clone()).filter(|text| !text.is_empty()))
        });
        let domains = domains.collect();
        self.publish(
            UpdateTableOperation::StreamingUpdate,
            true,
            (adds, BTreeSet::new()),
            domains,
        )?;
        self.cursors.extend(changed);
        self.cursors.retain(|_, text| !text.is_empty());
        Ok(Committed { version: self.version(), ..committed })
    }

    fn write_segments(&self, rows: &DataFrame, adds: &mut Vec<Segment>) -> Result<(), StoreError> {
        for (day, rows) in by_day(rows, self.store())? {
            let mut writer = SegmentWriter::start(self.store(), day, FAST_LEVEL)?;
            writer.push(&in_order(&rows, self.store())?)?;
            adds.push(writer.finish()?);
        }
        Ok(())
    }

    /// Every live segment, by path.
    pub(super) fn segments(&self) -> Result<Vec<Segment>, StoreError> {
        self.table.segments(&self.snapshot)
    }

    /// The text kept under a name beside the rows.
    pub(super) fn domain(&self, name: &str) -> Result<Option<String>, StoreError> {
        self.table.domain(&self.snapshot, name)
    }

    /// Refuses to write after a write of which nobody knows whether it happened.
    pub(super) fn check_open(&self) -> Result<(), StoreError> {
        if self.is_closed {
            return Err(StoreError::Closed { path: self.store().to_owned() });
        }
        Ok(())
    }

    /// Forgets segments that are in no version; the error goes on to the caller.
    pub(super) fn give_up(&mut self, adds: &[Segment], error: StoreError) -> StoreError {
        if error.needs_restart() {
            self.is_closed = true;
        } else {
            // What cannot be removed now is swept as an orphan.
            for segment in adds {
                let _ = fs::remove_file(self.store().join(&segment.path));
            }
        }
        error
    }

    /// Makes a change, whatever the first answer of the disk is.
    ///
    /// Anything but "committed" may still have been committed: the newest version's change
    /// number tells. Commits of others that only move rows are given way to.
    pub(super) fn publish(
        &mut self,
        operation: UpdateTableOperation,
        changes_rows: bool,
        (adds, removes): (Vec<Segment>, BTreeSet<String>),
        domains: BTreeMap<String, Option<String>>,
    ) -> Result<(), StoreError> {
        let number = self.number + 1;
        let change = Change { operation, changes_rows, number, domains, adds, removes };
        match self.commit(&change) {
            Ok(snapshot) => {
                self.snapshot = snapshot;
                self.number = number;
                self.maintain_log();
                Ok(())
            }
            Err(error) => Err(self.give_up(&change.adds, error)),
        }
    }

    fn commit(&self, change: &Change) -> Result<SnapshotRef, StoreError> {
        let mut base = SnapshotRef::clone(&self.snapshot);
        for _ in 0..MAX_ATTEMPTS {
            let failure = match self.table.commit(&base, change) {
                Ok(Some(snapshot)) => return Ok(snapshot),
                Ok(None) => None,
                // Nothing was named yet when the disk was full.
                Err(error) if error.is_full() || error.needs_restart() => return Err(error),
                Err(error) => Some(error),
            };
            let newest = match (self.table.latest(), &failure) {
                (Ok(newest), _) => newest,
                (Err(error), None) => return Err(error),
                // It may have been committed, and nobody can tell now.
                (Err(_), Some(failure)) => {
                    let path = entry::path_of(self.store(), base.version() + 1);
                    return Err(StoreError::Unsure {
                        path,
                        source: io::Error::other(failure.to_string()),
                    });
                }
            };
            if self.table.number(&newest)? >= change.number {
                return Ok(newest);
            }
            if let Some(error) = failure {
                return Err(error);
            }
            self.check_others(base.version() + 1..=newest.version())?;
            self.check_inputs(&newest, change)?;
            base = newest;
        }
        Err(StoreError::Log {
            path: self.store().to_owned(),
            reason: format!("others committed first, {MAX_ATTEMPTS} times"),
        })
    }

    /// Passes commits of others that moved rows, and no others.
    fn check_others(&self, versions: std::ops::RangeInclusive<u64>) -> Result<(), StoreError> {
        for version in versions {
            let actions = entry::read(self.store(), version)?;
            let changes_rows = |action: &Value| {
                let file = action.get("add").or_else(|| action.get("remove"));
                file.is_some_and(|file| file.get("dataChange") != Some(&Value::Bool(false)))
                    || action.get("metaData").is_some()
                    || action.get("protocol").is_some()
            };
            if actions.iter().any(changes_rows) {
                let writer = actions.iter().find_map(|action| {
                    action.get("commitInfo")?.get("engineInfo")?.as_str().map(ToOwned::to_owned)
                });
                let writer = writer.unwrap_or_else(|| "somebody unnamed".to_owned());
                return Err(StoreError::Foreign { version, writer });
            }
        }
        Ok(())
    }

    /// Segments that a change replaces must still be there in the version it builds on.
    fn check_inputs(&self, newest: &SnapshotRef, change: &Change) -> Result<(), StoreError> {
        let live = self.table.segments(newest)?;
        let live: BTreeSet<&str> = live.iter().map(|segment| segment.path.as_str()).collect();
        match change.removes.iter().find(|path| !live.contains(path.as_str())) {
            None => Ok(()),
            Some(path) => Err(StoreError::Log {
                path: self.store().to_owned(),
                reason: format!("segment `{path}` was replaced meanwhile"),
            }),
        }
    }

    /// Writes a checkpoint when it is due and removes what it makes superfluous.
    ///
    /// The commit before it stands; a failure is told and tried again after the next commit.
    fn maintain_log(&mut self) {
        if self.version().saturating_sub(self.checkpoint_version) < CHECKPOINT_INTERVAL {
            return;
        }
        let checkpoint = reach(Step::Checkpoint)
            .map_err(StoreError::disk("write a checkpoint of", self.table.store()))
            .and_then(|()| self.table.checkpoint(&self.snapshot));
        match checkpoint {
            Ok(snapshot) => {
                self.checkpoint_version = snapshot.version();
                self.snapshot = snapshot;
                if let Err(error) = remove_old_entries(self.store()) {
                    warn!(%error, "old log entries stay");
                }
            }
            Err(error) => {
                self.is_closed |= error.needs_restart();
                warn!(%error, version = self.version(), "no checkpoint was written");
            }
        }
    }
}

/// Refuses to make a table where one was: its rows would be orphans.
fn refuse_remains(store: &Path) -> Result<(), StoreError> {
    let pointer = store.join(entry::LOG).join(entry::LAST_CHECKPOINT);
    let is_emptied = pointer.try_exists().map_err(StoreError::disk("read", &pointer))?;
    if is_emptied || has_segments(store)? {
        return Err(StoreError::Missing { version: 0, path: entry::path_of(store, 0) });
    }
    Ok(())
}

/// Removes entries and checkpoints older than the checkpoint before the newest one.
///
/// One older checkpoint stays, with all entries since, so that a damaged newest one loses nothing.
fn remove_old_entries(store: &Path) -> Result<(), StoreError> {
    let LogFiles { checkpoints, by_version, .. } = entry::list(store)?.unwrap_or_default();
    let Some(keep_from) = checkpoints.iter().rev().nth(1) else { return Ok(()) };
    for path in by_version.range(..keep_from).flat_map(|(_, paths)| paths) {
        disk::remove(path)?;
    }
    Ok(())
}

/// Rows of each day, days in order, rows in theirs.
fn by_day(rows: &DataFrame, store: &Path) -> Result<Vec<(i32, DataFrame)>, StoreError> {
    let wrong = |got: String| StoreError::Column {
        column: DATE.to_owned(),
        got,
        need: "a date on every row".to_owned(),
    };
    let date = rows.column(DATE).map_err(|_| wrong("absent".to_owned()))?;
    if *date.dtype() != DataType::Date {
        return Err(wrong(date.dtype().to_string()));
    }
    if date.null_count() > 0 {
        return Err(wrong(format!("null in {} rows", date.null_count())));
    }
    let days = date.to_physical_repr();
    let days = days.i32().map_err(StoreError::rows(store))?;
    let distinct: BTreeSet<i32> = days.iter().flatten().collect();
    if distinct.len() > MAX_DAYS {
        return Err(wrong(format!("of {} distinct days", distinct.len())));
    }
    if let (1, Some(day)) = (distinct.len(), distinct.first()) {
        return Ok(vec![(*day, rows.clone())]);
    }
    let of_day = |day: i32| rows.filter(&days.equal(day)).map(|rows| (day, rows));
    distinct.into_iter().map(of_day).collect::<Result<_, _>>().map_err(StoreError::rows(store))
}
