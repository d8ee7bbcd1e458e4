//! Merges small segments of a day into large ones, sorted by time.
//!
//! Rows only move: the commit says so, positions stay, readers of older versions go on. Memory
//! is that of a row group and its inputs' row groups around the same time, whatever the day's
//! size; a day full of records without a time needs that of its largest input. A crash leaves
//! an orphan, never half a merge.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::RangeInclusive;
use std::path::Path;

use delta_kernel::transaction::UpdateTableOperation;
use polars::prelude::{DataFrame, PlSmallStr, PolarsError};

use super::error::StoreError;
use super::schema::{TS, segment_columns};
use super::segment::{
    DENSE_LEVEL, ROW_GROUP_ROWS, Segment, SegmentWriter, by_time, check, read, read_untimed,
};
use super::sweep::{Swept, sweep, touch};
use super::writer::Writer;
use crate::clock::{Clock, SystemClock};

/// Usual size from which segments are left alone.
const SMALL_BYTES: u64 = 32 << 20;
/// Inputs are gathered up to this size, bytes.
const TARGET_BYTES: u64 = 128 << 20;

/// When to merge and when to remove.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CompactOptions {
    /// Younger segments are left alone, microseconds.
    pub min_age_us: i64,
    /// Age from which replaced files are removed from the disk, microseconds.
    pub sweep_age_us: i64,
    /// Segments of this many bytes and more are left alone.
    pub small_bytes: u64,
}

impl Default for CompactOptions {
    /// Ten minutes, and an hour for readers of older versions.
    fn default() -> Self {
        let sweep_age_us = super::writer::ORPHAN_AGE_US;
        Self { min_age_us: 600_000_000, sweep_age_us, small_bytes: SMALL_BYTES }
    }
}

/// What a compaction did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Compacted {
    /// Segments that were merged.
    pub input_count: usize,
    /// Segments they became.
    pub output_count: usize,
    /// Rows that moved.
    pub row_count: u64,
    /// Size before, bytes.
    pub input_bytes: u64,
    /// Size after, bytes.
    pub output_bytes: u64,
    /// Files that are no longer on the disk.
    pub swept: Swept,
}

/// Small segments of one day that are to become one.
#[derive(Debug)]
pub struct Merge(Vec<Segment>);

/// What a merge gave; not in the table yet.
#[derive(Debug)]
pub struct Merged {
    inputs: Vec<Segment>,
    output: Segment,
}

/// Merges what is small and old enough, then removes what was replaced long enough ago.
///
/// # Errors
/// As [`Writer::append`]; [`StoreError::Segment`] when an input is damaged, which stays as it is.
pub fn compact(writer: &mut Writer, options: &CompactOptions) -> Result<Compacted, StoreError> {
    writer.check_open()?;
    let mut compacted = Compacted::default();
    for merge in due(writer, options)? {
        let merged = match merge.run(writer.store()) {
            Ok(merged) => merged,
            Err(error) => return Err(writer.give_up(&[], error)),
        };
        compacted.input_count += merged.inputs.len();
        compacted.output_count += 1;
        compacted.row_count += merged.output.row_count;
        compacted.input_bytes += merged.inputs.iter().map(|segment| segment.bytes).sum::<u64>();
        compacted.output_bytes += merged.output.bytes;
        merged.adopt(writer)?;
    }
    compacted.swept = sweep(writer.store(), &writer.segments()?, options.sweep_age_us)?;
    Ok(compacted)
}

/// The merges that are due.
///
/// # Errors
/// When the table cannot be read.
pub fn due(writer: &Writer, options: &CompactOptions) -> Result<Vec<Merge>, StoreError> {
    let before_ms = SystemClock.now_us().saturating_sub(options.min_age_us) / 1_000;
    let groups = plan(writer.segments()?, before_ms, options.small_bytes);
    Ok(groups.into_iter().map(Merge).collect())
}

impl Merge {
    /// Writes the one segment; needs no writer, so that rows can be committed meanwhile.
    ///
    /// # Errors
    /// When an input is damaged or the output cannot be written.
    pub fn run(self, store: &Path) -> Result<Merged, StoreError> {
        let output = merge(store, &self.0)?;
        Ok(Merged { inputs: self.0, output })
    }
}

impl Merged {
    /// Puts the one segment in the place of its inputs; when one of them is gone meanwhile, as by
    /// retention, it is dropped instead.
    ///
    /// # Errors
    /// As [`Writer::append`].
    pub fn adopt(self, writer: &mut Writer) -> Result<(), StoreError> {
        let live: BTreeSet<String> = writer.segments()?.into_iter().map(|it| it.path).collect();
        let removes: BTreeSet<String> = self.inputs.into_iter().map(|it| it.path).collect();
        if !removes.is_subset(&live) {
            // What cannot be removed now is swept as an orphan.
            let _ = std::fs::remove_file(writer.store().join(&self.output.path));
            return Ok(());
        }
        touch(writer.store(), &removes);
        let files = (vec![self.output], removes);
        writer.publish(UpdateTableOperation::Optimize, false, files, BTreeMap::new())
    }
}

/// Groups of at least two small segments of one day, in order of time, up to the target size.
fn plan(segments: Vec<Segment>, before_ms: i64, small_bytes: u64) -> Vec<Vec<Segment>> {
    let mut by_day: BTreeMap<i32, Vec<Segment>> = BTreeMap::new();
    for segment in segments {
        if segment.bytes < small_bytes && segment.written_ms <= before_ms {
            by_day.entry(segment.day).or_default().push(segment);
        }
    }
    let mut groups = Vec::new();
    for mut of_day in by_day.into_values() {
        of_day.sort_by_key(|segment| (segment.ts_min_us, segment.written_ms));
        let (mut group, mut bytes) = (Vec::new(), 0);
        for segment in of_day {
            if bytes + segment.bytes > TARGET_BYTES {
                groups.push(std::mem::take(&mut group));
                bytes = 0;
            }
            bytes += segment.bytes;
            group.push(segment);
        }
        groups.push(group);
    }
    groups.retain(|group| group.len() > 1);
    groups
}

/// Writes the rows of all inputs, which are of one day, into one segment.
fn merge(store: &Path, inputs: &[Segment]) -> Result<Segment, StoreError> {
    let day = inputs.first().map_or(0, |segment| segment.day);
    let mut writer = SegmentWriter::start(store, day, DENSE_LEVEL)?;
    let mut times = Vec::new();
    for input in inputs {
        check(store, input)?;
        let ts = read(store, input, &[TS], None)?;
        let found = ts.column(TS).and_then(|ts| ts.to_physical_repr().i64().cloned());
        times.extend(found.map_err(StoreError::rows(store))?.iter().flatten());
        writer.push(&read_untimed(store, input)?)?;
    }
    times.sort_unstable();
    for times_us in slices(&times) {
        writer.push(&read_slice(store, inputs, &times_us)?)?;
    }
    let merged = writer.finish()?;
    let row_count: u64 = inputs.iter().map(|segment| segment.row_count).sum();
    if merged.row_count == row_count {
        return Ok(merged);
    }
    let _ = std::fs::remove_file(store.join(&merged.path));
    Err(StoreError::Rows {
        path: store.to_owned(),
        reason: format!("{row_count} rows became {} in a merge", merged.row_count),
    })
}

/// Intervals with about a row group of the sorted times each; equal times are not parted.
pub(super) fn slices(times: &[i64]) -> Vec<RangeInclusive<i64>> {
    let mut slices = Vec::new();
    let mut rest = times;
    while let Some(first) = rest.first() {
        let last = rest.get(ROW_GROUP_ROWS - 1).or(rest.last()).unwrap_or(first);
        slices.push(*first..=*last);
        rest = rest.get(rest.partition_point(|time| time <= last)..).unwrap_or_default();
    }
    slices
}

fn read_slice(
    store: &Path,
    inputs: &[Segment],
    times_us: &RangeInclusive<i64>,
) -> Result<DataFrame, StoreError> {
    let schema = segment_columns();
    let columns: Vec<&str> = schema.iter_names().map(PlSmallStr::as_str).collect();
    let mut slice = DataFrame::empty_with_schema(&schema);
    for input in inputs.iter().filter(|input| input.may_meet_closed(times_us)) {
        let part = read(store, input, &columns, Some(times_us.clone()))?;
        let joined: Result<(), PolarsError> = slice.vstack_mut(&part).map(drop);
        joined.map_err(StoreError::rows(store))?;
    }
    by_time(slice, store)
}
