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

/// Segments of this size and more are left alone.
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
}

impl Default for CompactOptions {
    /// Ten minutes, and an hour for readers of older versions.
    fn default() -> Self {
        Self { min_age_us: 600_000_000, sweep_age_us: super::writer::ORPHAN_AGE_US }
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

/// Merges what is small and old enough, then removes what was replaced long enough ago.
///
/// # Errors
/// As [`Writer::append`]; [`StoreError::Segment`] when an input is damaged, which stays as it is.
pub fn compact(writer: &mut Writer, options: &CompactOptions) -> Result<Compacted, StoreError> {
    writer.check_open()?;
    let before_ms = SystemClock.now_us().saturating_sub(options.min_age_us) / 1_000;
    let mut compacted = Compacted::default();
    for inputs in plan(writer.segments()?, before_ms) {
        let merged = match merge(writer.store(), &inputs) {
            Ok(merged) => merged,
            Err(error) => return Err(writer.give_up(&[], error)),
        };
        compacted.input_count += inputs.len();
        compacted.output_count += 1;
        compacted.row_count += merged.row_count;
        compacted.input_bytes += inputs.iter().map(|segment| segment.bytes).sum::<u64>();
        compacted.output_bytes += merged.bytes;
        let removes: BTreeSet<String> = inputs.into_iter().map(|segment| segment.path).collect();
        touch(writer.store(), &removes);
        let files = (vec![merged], removes);
        writer.publish(UpdateTableOperation::Optimize, false, files, BTreeMap::new())?;
    }
    compacted.swept = sweep(writer.store(), &writer.segments()?, options.sweep_age_us)?;
    Ok(compacted)
}

/// Groups of at least two small segments of one day, in order of time, up to the target size.
fn plan(segments: Vec<Segment>, before_ms: i64) -> Vec<Vec<Segment>> {
    let mut by_day: BTreeMap<i32, Vec<Segment>> = BTreeMap::new();
    for segment in segments {
        if segment.bytes < SMALL_BYTES && segment.written_ms <= before_ms {
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
