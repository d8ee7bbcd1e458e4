//! Removes whole segments by age or size, and remembers what they held.
//!
//! For each generation that lost rows the sums of their ranges stay beside the table, so that
//! what is left can still be proved. The sums go when nothing of a generation is left, neither
//! rows nor a cursor that names it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use delta_kernel::transaction::UpdateTableOperation;

use super::error::StoreError;
use super::segment::Segment;
use super::snapshot::Snapshot;
use super::sweep::{Swept, sweep, touch};
use super::tiling::Flows;
use super::verify::each_place;
use super::writer::Writer;

/// The name under which sums of removed ranges are kept.
pub(super) const RETIRED: &str = "plimsoll.retired";

/// What to keep; both bounds hold when both are given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Keep {
    /// Segments all of whose rows are earlier go, microseconds since the epoch.
    pub since_us: Option<i64>,
    /// The oldest segments go until no more bytes are left than these.
    pub max_bytes: Option<u64>,
    /// Age from which replaced files are removed from the disk, microseconds.
    pub sweep_age_us: i64,
}

/// What a retention run removed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retired {
    /// Rows that are no longer in the table.
    pub row_count: u64,
    /// Segments they were in.
    pub segment_count: usize,
    /// Size of these segments, bytes.
    pub bytes: u64,
    /// Files that are no longer on the disk.
    pub swept: Swept,
}

/// Removes the segments that need not be kept; whole segments only.
///
/// # Errors
/// As [`Writer::append`], and when a segment that would go cannot be read.
pub fn retain(writer: &mut Writer, keep: &Keep) -> Result<Retired, StoreError> {
    writer.check_open()?;
    let segments = writer.segments()?;
    let (going, staying) = choose(segments, keep);
    let mut result = Retired {
        row_count: going.iter().map(|segment| segment.row_count).sum(),
        segment_count: going.len(),
        bytes: going.iter().map(|segment| segment.bytes).sum(),
        swept: Swept::default(),
    };
    if !going.is_empty() {
        let flows = remembered(writer, &going, &staying)?;
        let text = (!flows.is_empty())
            .then(|| serde_json::to_string(&flows))
            .transpose()
            .map_err(|error| damaged(writer.store(), &error))?;
        let had = writer.domain(RETIRED)?.is_some();
        let domains = match (had, text) {
            (false, None) => BTreeMap::new(),
            (_, text) => BTreeMap::from([(RETIRED.to_owned(), text)]),
        };
        let removes: BTreeSet<String> = going.into_iter().map(|segment| segment.path).collect();
        touch(writer.store(), &removes);
        writer.publish(UpdateTableOperation::Delete, true, (Vec::new(), removes), domains)?;
    }
    result.swept = sweep(writer.store(), &writer.segments()?, keep.sweep_age_us)?;
    Ok(result)
}

/// Segments that go and segments that stay.
fn choose(mut segments: Vec<Segment>, keep: &Keep) -> (Vec<Segment>, Vec<Segment>) {
    segments.sort_by_key(|segment| (segment.day, segment.end_us()));
    let mut bytes: u64 = segments.iter().map(|segment| segment.bytes).sum();
    segments.into_iter().partition(|segment| {
        let is_old = keep.since_us.is_some_and(|since_us| segment.end_us() < since_us);
        let is_too_much = keep.max_bytes.is_some_and(|max_bytes| bytes > max_bytes);
        if is_old || is_too_much {
            bytes -= segment.bytes;
        }
        is_old || is_too_much
    })
}

/// The sums so far, with those of segments that go, of generations that still matter.
fn remembered(
    writer: &Writer,
    going: &[Segment],
    staying: &[Segment],
) -> Result<Flows, StoreError> {
    let mut flows = parse(writer.store(), writer.domain(RETIRED)?)?;
    for segment in going {
        each_place(writer.store(), segment, |place| {
            // The first row stands for its range, as in the proof.
            let Some((generation, off, len, 0)) = place else { return };
            match flows.get_mut(generation) {
                Some(flow) => flow.add(off, len),
                None => flows.entry(generation.to_owned()).or_default().add(off, len),
            }
        })?;
    }
    let mut left: BTreeSet<String> = BTreeSet::new();
    for segment in staying {
        each_place(writer.store(), segment, |place| {
            if let Some((generation, ..)) = place
                && !left.contains(generation)
            {
                left.insert(generation.to_owned());
            }
        })?;
    }
    let is_named =
        |generation: &str| writer.cursors().values().any(|text| text.contains(generation));
    flows.retain(|generation, _| left.contains(generation) || is_named(generation));
    Ok(flows)
}

/// The sums of ranges that retention removed so far.
pub(super) fn retired(snapshot: &Snapshot) -> Result<Flows, StoreError> {
    parse(snapshot.store(), snapshot.retired().map(ToOwned::to_owned))
}

fn parse(store: &Path, text: Option<String>) -> Result<Flows, StoreError> {
    match text {
        None => Ok(Flows::new()),
        Some(text) => serde_json::from_str(&text).map_err(|error| damaged(store, &error)),
    }
}

fn damaged(store: &Path, error: &serde_json::Error) -> StoreError {
    StoreError::Log {
        path: store.to_owned(),
        reason: format!("the sums of removed ranges, `{RETIRED}`, are unreadable: {error}"),
    }
}
