//! Which rows of a source of documents say what holds now.
//!
//! The store keeps each version of a document. A reader sees, of all rows with one identity, the
//! one that was read last; rows without an identity always. That a document was deleted does not
//! undo what it said: its end is no event, and hides none.

use polars::prelude::{BooleanChunked, DataFrame, DataType, PolarsResult};
use rustc_hash::FxHashMap;

use crate::store::flag;

/// The columns that are read for this.
pub(super) const COLUMNS: [&str; 6] = ["source", "flags", "_id", "observed_ts", "_gen", "_ord"];

/// When a row was read, and where it is among those of the same moment.
type Rank = (i64, u64, i32);

/// The newest row of each identity of a source.
#[derive(Debug, Default)]
pub(super) struct Newest(FxHashMap<u128, Rank>);

impl Newest {
    /// Looks at rows of the source.
    pub(super) fn see(&mut self, rows: &DataFrame) -> PolarsResult<()> {
        each(rows, |id, rank, is_end| {
            if let Some(id) = id.filter(|_| !is_end) {
                let newest = self.0.entry(id).or_insert(rank);
                *newest = rank.max(*newest);
            }
        })
    }

    /// Which of some rows hold now.
    pub(super) fn mask(&self, rows: &DataFrame) -> PolarsResult<BooleanChunked> {
        let mut holds = Vec::with_capacity(rows.height());
        each(rows, |id, rank, is_end| {
            let newest = id.and_then(|id| self.0.get(&id));
            holds.push(!is_end && newest.is_none_or(|newest| *newest == rank));
        })?;
        Ok(holds.into_iter().map(Some).collect())
    }
}

fn each(rows: &DataFrame, mut visit: impl FnMut(Option<u128>, Rank, bool)) -> PolarsResult<()> {
    let ids = rows.column("_id")?.str()?;
    let times = rows.column("observed_ts")?.cast(&DataType::Int64)?;
    let generations = rows.column("_gen")?.str()?;
    let (ords, flags) = (rows.column("_ord")?.i32()?, rows.column("flags")?.i32()?);
    let places = times.i64()?.iter().zip(generations.iter()).zip(ords.iter());
    for ((id, ((time, generation), ord)), flags) in ids.iter().zip(places).zip(flags.iter()) {
        let generation = generation.and_then(|it| u64::from_str_radix(it, 16).ok());
        let rank = (time.unwrap_or(0), generation.unwrap_or(0), ord.unwrap_or(0));
        let is_end = flags.unwrap_or(0) & flag::TOMBSTONE != 0;
        visit(id.and_then(number), rank, is_end);
    }
    Ok(())
}

/// An identity as a number: the digits behind its mark.
fn number(id: &str) -> Option<u128> {
    let (_, digits) = id.split_once('_')?;
    u128::from_str_radix(digits, 16).ok()
}

#[cfg(test)]
mod tests {
    use polars::prelude::df;

    use super::{Newest, flag};

    /// Identity, time, generation, number, flags, and whether the row holds.
    type Row<'a> = (Option<&'a str>, i64, &'a str, i32, i32, bool);

    fn check(rows: &[Row<'_>]) {
        let frame = df!(
            "_id" => rows.iter().map(|row| row.0).collect::<Vec<_>>(),
            "observed_ts" => rows.iter().map(|row| row.1).collect::<Vec<_>>(),
            "_gen" => rows.iter().map(|row| row.2).collect::<Vec<_>>(),
            "_ord" => rows.iter().map(|row| row.3).collect::<Vec<_>>(),
            "flags" => rows.iter().map(|row| row.4).collect::<Vec<_>>(),
        )
        .unwrap();
        let mut newest = Newest::default();
        // As parts come: one after the other, and then again.
        for at in 0..rows.len() {
            newest.see(&frame.slice(at as i64, 1)).unwrap();
        }
        let holds: Vec<bool> = newest.mask(&frame).unwrap().iter().flatten().collect();
        assert_eq!(holds, rows.iter().map(|row| row.5).collect::<Vec<_>>(), "{rows:?}");
    }

    #[test]
    fn the_row_read_last_holds() {
        let (a, b) = (Some("d_0a"), Some("d_0b"));
        check(&[]);
        check(&[(a, 1, "01", 0, 0, true), (b, 1, "01", 1, 0, true)]);
        check(&[(a, 2, "01", 0, 0, true), (a, 1, "02", 0, 0, false)]); // in any order of parts
        check(&[(a, 1, "01", 0, 0, false), (a, 1, "02", 0, 0, true)]); // at the same moment
        check(&[(a, 1, "01", 0, 0, false), (a, 1, "01", 1, 0, true)]); // in the same document
        check(&[(None, 1, "01", 0, 0, true), (None, 2, "02", 0, 0, true)]); // logs, erased rows
        check(&[(a, 1, "01", 0, 0, true), (a, 2, "01", 0, flag::TOMBSTONE, false)]); // deleted
        check(&[(a, 1, "01", 0, 0, false), (a, 3, "02", 0, flag::UNPARSED, true)]); // broken now
        check(&[(Some("x"), 1, "01", 0, 0, true), (Some("x"), 2, "01", 0, 0, true)]); // no id of ours
    }
}
