//! Erases records for good: their content goes from the table and from the disk.
//!
//! An erased record keeps a row with its place in the source, the source's name, the time at
//! which it was read and [`flag::ERASED`]; so the store can still be proved whole, and the record
//! is not read again. Everything else of it becomes null, its event time included. Its files, and all
//! that compactions replaced, are removed at once: a reader of an older version is told that a
//! segment is missing. The log
//! holds no text of records, only paths, counts and times of whole segments.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use delta_kernel::transaction::UpdateTableOperation;
use polars::prelude::{BooleanChunked, Column, DataFrame, IntoColumn, PolarsError, PolarsResult};

use super::error::StoreError;
use super::schema::{COLUMNS, DATE, KEPT_WHEN_ERASED, flag, segment_columns};
use super::segment::{DENSE_LEVEL, Segment, SegmentWriter, check, read_part};
use super::sweep::sweep;
use super::writer::Writer;

/// Which rows of a frame are meant; null means no.
pub type Predicate<'a> = dyn Fn(&DataFrame) -> PolarsResult<BooleanChunked> + 'a;

/// What was erased.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Erased {
    /// How many records.
    pub row_count: u64,
    /// How many segments were written anew.
    pub segment_count: usize,
}

/// Erases the records for which the predicate holds, in one commit.
///
/// The predicate sees all columns of [`columns`](super::columns), some rows at a time. Records
/// that are erased already are not meant again.
///
/// # Errors
/// As [`Writer::append`]; nothing is erased when a segment is damaged or the predicate fails.
/// [`StoreError::Disk`] after the commit when an old file could not be removed: it names it.
pub fn erase(writer: &mut Writer, predicate: &Predicate<'_>) -> Result<Erased, StoreError> {
    writer.check_open()?;
    let (mut adds, mut removes, mut erased) = (Vec::new(), BTreeSet::new(), Erased::default());
    for segment in writer.segments()? {
        match rewrite(writer.store(), &segment, predicate) {
            Ok(None) => {}
            Ok(Some((added, row_count))) => {
                erased.row_count += row_count;
                erased.segment_count += 1;
                adds.push(added);
                removes.insert(segment.path);
            }
            Err(error) => return Err(writer.give_up(&adds, error)),
        }
    }
    if !adds.is_empty() {
        let files = (adds, removes);
        writer.publish(UpdateTableOperation::Delete, true, files, BTreeMap::new())?;
    }
    // Also segments that a compaction replaced a moment ago: they hold the same records.
    sweep(writer.store(), &writer.segments()?, i64::MIN)?;
    Ok(erased)
}

/// The segment without the content of the rows that are meant, and their number, if there are any.
fn rewrite(
    store: &Path,
    segment: &Segment,
    predicate: &Predicate<'_>,
) -> Result<Option<(Segment, u64)>, StoreError> {
    check(store, segment)?;
    let mut row_count = 0;
    each_part(store, segment, |part| {
        row_count += meant(part, predicate)?.sum().map_or(0, u64::from);
        Ok(Ok(()))
    })?;
    if row_count == 0 {
        return Ok(None);
    }
    let mut writer = SegmentWriter::start(store, segment.day, DENSE_LEVEL)?;
    each_part(store, segment, |part| {
        let blanked = blank(part, &meant(part, predicate)?)?;
        Ok(writer.push(&blanked))
    })?;
    Ok(Some((writer.finish()?, row_count)))
}

fn each_part(
    store: &Path,
    segment: &Segment,
    mut visit: impl FnMut(&DataFrame) -> PolarsResult<Result<(), StoreError>>,
) -> Result<(), StoreError> {
    let names = COLUMNS.map(|(name, _)| name);
    let mut start = 0;
    while start < segment.row_count {
        let part = read_part(store, segment, &names, start as usize)?;
        if part.height() == 0 {
            break;
        }
        visit(&part).map_err(StoreError::rows(store))??;
        start += part.height() as u64;
    }
    Ok(())
}

fn meant(part: &DataFrame, predicate: &Predicate<'_>) -> PolarsResult<BooleanChunked> {
    let mask = predicate(part)?;
    if mask.len() != part.height() {
        let text = format!("the predicate gave {} answers for {} rows", mask.len(), part.height());
        return Err(PolarsError::ComputeError(text.into()));
    }
    let flags = part.column("flags")?.i32()?;
    let is_new = |flags: Option<i32>| flags.unwrap_or(0) & flag::ERASED == 0;
    Ok(mask
        .iter()
        .zip(flags.iter())
        .map(|(is_meant, flags)| is_meant == Some(true) && is_new(flags))
        .collect())
}

/// The columns of a segment file with all content of the rows in the mask set to null.
fn blank(part: &DataFrame, mask: &BooleanChunked) -> PolarsResult<DataFrame> {
    let keep: BooleanChunked = mask.iter().map(|is_meant| is_meant != Some(true)).collect();
    let mut columns = Vec::new();
    for (name, dtype) in segment_columns().iter() {
        let column = part.column(name)?;
        columns.push(if name == "flags" {
            let marked = column.i32()?.iter().zip(mask.iter()).map(|(flags, is_meant)| {
                if is_meant == Some(true) { Some(flags.unwrap_or(0) | flag::ERASED) } else { flags }
            });
            marked.collect::<polars::prelude::Int32Chunked>().with_name(name.clone()).into_column()
        } else if KEPT_WHEN_ERASED.contains(&name.as_str()) {
            column.clone()
        } else {
            column.zip_with(&keep, &Column::full_null(name.clone(), part.height(), dtype))?
        });
    }
    debug_assert!(columns.iter().all(|column| column.name() != DATE), "the partition is no column");
    DataFrame::new(part.height(), columns)
}
