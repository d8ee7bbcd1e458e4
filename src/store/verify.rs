//! Proof, from the store alone, that every byte range of every generation is one record.
//!
//! Reads each segment whole (its hash is checked) and, of each row, only its place. The ranges
//! of a generation must tile `[0, position)`; the rows of one range must be numbered 0 to k−1.
//! A document is one range with a row for each of its records. Rows of no length, such as the
//! notice that a document was deleted, are counted and are at no place.
//!
//! Memory does not grow with the number of records, except for ranges with several rows
//! (32 bytes each, at most [`MAX_GROUPS`] at a time) and for generations that are at fault
//! (16 bytes a range, at most [`MAX_RANGES`]). That the *last* rows of a range with several are
//! missing cannot be seen: nothing else says how many there were.

use std::collections::{BTreeMap, HashMap};
use std::fmt;
use std::path::Path;

use polars::prelude::DataFrame;
use tracing::warn;

use super::error::StoreError;
use super::retention::retired;
use super::segment::{Segment, check, read_part};
use super::snapshot::Snapshot;
use super::tiling::{Flaw, Flow, Flows, flaws};

/// Ranges with several rows that are kept in memory at a time; more are read in several passes.
const MAX_GROUPS: u64 = 4 << 20;
/// Ranges of faulty generations that are listed; what lies beyond is reported as unlisted.
const MAX_RANGES: usize = 16 << 20;
/// Differences that are kept; more are counted.
pub(super) const MAX_DIFFERENCES: usize = 1_000;
/// The columns that say where a row was.
pub(super) const PLACE: [&str; 4] = ["_gen", "_off", "_len", "_ord"];

/// How the store differs from what was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Difference {
    /// No row has the bytes `[from, to)`.
    Gap {
        /// The generation.
        generation: String,
        /// The first byte.
        from: u64,
        /// Behind the last byte.
        to: u64,
    },
    /// More than one record has the bytes `[from, to)`, or they lie beyond what was read.
    Overlap {
        /// The generation.
        generation: String,
        /// The first byte.
        from: u64,
        /// Behind the last byte.
        to: u64,
    },
    /// The rows of the range at `from` are not numbered 0 to k−1: some are missing or doubled.
    Numbering {
        /// The generation.
        generation: String,
        /// The first byte of the range.
        from: u64,
        /// Rows of it beside the first one.
        row_count: u64,
    },
    /// What retention removed and what is left do not add up, so places cannot be named.
    Unaccounted {
        /// The generation.
        generation: String,
        /// Bytes too few, or too many if negative.
        missing_bytes: i64,
    },
    /// Rows that do not say where they were.
    Unplaced {
        /// How many.
        row_count: u64,
    },
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gap { generation, from, to } => {
                write!(f, "generation {generation}: no row has the bytes {from} to {to}")
            }
            Self::Overlap { generation, from, to } => write!(
                f,
                "generation {generation}: the bytes {from} to {to} are in more than one row, or \
                 beyond what was read"
            ),
            Self::Numbering { generation, from, row_count } => write!(
                f,
                "generation {generation}: the {row_count} rows beside the first one of the record \
                 at {from} are not numbered one after the other"
            ),
            Self::Unaccounted { generation, missing_bytes } => write!(
                f,
                "generation {generation}: {missing_bytes} bytes are not accounted for after \
                 retention"
            ),
            Self::Unplaced { row_count } => {
                write!(f, "{row_count} rows do not say where they come from")
            }
        }
    }
}

/// The result of [`verify`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Verified {
    /// The table's version.
    pub version: u64,
    /// How many rows it has.
    pub row_count: u64,
    /// How many segments.
    pub segment_count: usize,
    /// How many generations they are from.
    pub generation_count: usize,
    /// Bytes of the sources that the rows are of.
    pub source_bytes: u64,
    /// Records that retention removed.
    pub retired_count: u64,
    /// Differences, the first ones.
    pub differences: Vec<Difference>,
    /// How many differences there are.
    pub difference_count: u64,
}

impl Verified {
    /// Nothing is lost and nothing doubled.
    pub fn is_whole(&self) -> bool {
        self.difference_count == 0
    }

    fn differ(&mut self, difference: Difference) {
        self.difference_count += 1;
        if self.differences.len() < MAX_DIFFERENCES {
            self.differences.push(difference);
        }
    }
}

/// The rows of one generation, summed up.
#[derive(Clone, Copy, Debug, Default)]
struct Generation {
    flow: Flow,
    /// Behind the last byte of any row.
    end: i64,
}

/// Where a row was.
#[derive(Clone, Copy, Debug)]
struct Place<'a> {
    generation: &'a str,
    off: i64,
    len: i64,
    ord: i32,
}

/// Proves the newest version of a store against the positions up to which sources were read.
///
/// `ends` maps a generation to its position; one that is not in it must tile up to the end of
/// its last row.
///
/// # Errors
/// When the store cannot be read; a difference is a result, not an error.
pub fn verify(path: &Path, ends: &BTreeMap<String, u64>) -> Result<Verified, StoreError> {
    let snapshot = Snapshot::open(path)?;
    let retired = retired(&snapshot)?;
    let mut verified = Verified {
        version: snapshot.version(),
        segment_count: snapshot.segments().len(),
        retired_count: retired.values().map(|flow| flow.range_count).sum(),
        ..Verified::default()
    };
    for segment in snapshot.segments() {
        check(snapshot.store(), segment)?;
    }

    let mut generations: HashMap<String, Generation> = HashMap::new();
    let (mut unplaced_count, mut numbered_count) = (0, 0);
    each_row(&snapshot, |place| match place {
        None => unplaced_count += 1,
        Some(place) if place.ord > 0 => numbered_count += 1,
        Some(place) => {
            let generation = match generations.get_mut(place.generation) {
                Some(generation) => generation,
                None => generations.entry(place.generation.to_owned()).or_default(),
            };
            generation.flow.add(place.off, place.len);
            generation.end = generation.end.max(place.off.saturating_add(place.len));
        }
    })?;
    verified.row_count = snapshot.row_count();
    verified.generation_count = generations.len();
    verified.source_bytes = generations.values().map(|g| g.flow.bytes.unsigned_abs()).sum();
    if unplaced_count > 0 {
        verified.differ(Difference::Unplaced { row_count: unplaced_count });
    }
    let faulty = faulty(&mut generations, &retired, ends);
    list_faults(&snapshot, &faulty, &retired, &mut verified)?;
    check_numbering(&snapshot, numbered_count, &retired, &mut verified)?;
    Ok(verified)
}

/// Generations whose rows do not tile up to their end, with that end.
fn faulty(
    generations: &mut HashMap<String, Generation>,
    retired: &Flows,
    ends: &BTreeMap<String, u64>,
) -> BTreeMap<String, i64> {
    for (name, end) in ends {
        let generation = generations.entry(name.clone()).or_default();
        generation.end = i64::try_from(*end).unwrap_or(i64::MAX);
    }
    let mut faulty = BTreeMap::new();
    for (name, generation) in generations.iter() {
        let mut flow = generation.flow;
        if let Some(removed) = retired.get(name) {
            flow.add_all(removed);
        }
        if !flow.tiles(generation.end) {
            faulty.insert(name.clone(), generation.end);
        }
    }
    faulty
}

/// Reads the ranges of faulty generations again and names what is wrong with them.
fn list_faults(
    snapshot: &Snapshot,
    faulty: &BTreeMap<String, i64>,
    retired: &Flows,
    verified: &mut Verified,
) -> Result<(), StoreError> {
    if faulty.is_empty() {
        return Ok(());
    }
    let mut ranges: BTreeMap<&str, Vec<(i64, i64)>> =
        faulty.keys().map(|name| (name.as_str(), Vec::new())).collect();
    let mut kept_count = 0;
    each_row(snapshot, |place| {
        let Some(place) = place.filter(|place| place.ord == 0) else { return };
        if let Some(ranges) = ranges.get_mut(place.generation)
            && kept_count < MAX_RANGES
        {
            ranges.push((place.off, place.len));
            kept_count += 1;
        }
    })?;
    if kept_count == MAX_RANGES {
        warn!(kept_count, "faulty generations have too many ranges to list");
    }
    for (name, mut ranges) in ranges {
        let end = faulty.get(name).copied().unwrap_or(0);
        let generation = name.to_owned();
        if let Some(removed) = retired.get(name) {
            let live: i64 = ranges.iter().map(|(_, len)| len).sum();
            let missing_bytes = end - live - removed.bytes;
            verified.differ(Difference::Unaccounted { generation, missing_bytes });
            continue;
        }
        for (flaw, from, to) in flaws(&mut ranges, end) {
            let (from, to) = (from.unsigned_abs(), to.unsigned_abs());
            let generation = generation.clone();
            verified.differ(match flaw {
                Flaw::Gap => Difference::Gap { generation, from, to },
                Flaw::Overlap => Difference::Overlap { generation, from, to },
            });
        }
    }
    Ok(())
}

/// The rows beside the first one of a range, summed up.
#[derive(Clone, Copy, Debug, Default)]
struct Group {
    row_count: u64,
    sum: u64,
    sum_of_squares: u64,
    max: u64,
    has_first: bool,
}

impl Group {
    fn add(&mut self, ord: i32) {
        let ord = u64::from(ord.unsigned_abs());
        self.row_count += 1;
        self.sum = self.sum.wrapping_add(ord);
        self.sum_of_squares = self.sum_of_squares.wrapping_add(ord * ord);
        self.max = self.max.max(ord);
    }

    /// Whether the numbers are 1 to k−1, each once, and row 0 is there.
    fn is_whole(&self) -> bool {
        let last = self.max;
        let sum = last * (last + 1) / 2;
        let sum_of_squares = u128::from(last) * u128::from(last + 1) * u128::from(2 * last + 1) / 6;
        self.has_first
            && self.row_count == last
            && self.sum == sum
            && self.sum_of_squares == sum_of_squares as u64
    }
}

/// Checks the numbers of rows that share a range, a share of the ranges at a time.
fn check_numbering(
    snapshot: &Snapshot,
    numbered_count: u64,
    retired: &Flows,
    verified: &mut Verified,
) -> Result<(), StoreError> {
    if numbered_count == 0 {
        return Ok(());
    }
    let pass_count = numbered_count.div_ceil(MAX_GROUPS);
    for pass in 0..pass_count {
        let mut names: HashMap<String, u32> = HashMap::new();
        let mut groups: HashMap<(u32, i64, i64), Group> = HashMap::new();
        let is_in_pass = |place: &Place| place.off.unsigned_abs() % pass_count == pass;
        each_row(snapshot, |place| {
            let Some(place) = place.filter(|place| place.ord > 0 && is_in_pass(place)) else {
                return;
            };
            let next = names.len() as u32;
            let name = match names.get(place.generation) {
                Some(name) => *name,
                None => *names.entry(place.generation.to_owned()).or_insert(next),
            };
            groups.entry((name, place.off, place.len)).or_default().add(place.ord);
        })?;
        each_row(snapshot, |place| {
            let Some(place) = place.filter(|place| place.ord == 0 && is_in_pass(place)) else {
                return;
            };
            let Some(name) = names.get(place.generation) else { return };
            if let Some(group) = groups.get_mut(&(*name, place.off, place.len)) {
                group.has_first = true;
            }
        })?;
        let names: HashMap<u32, &String> = names.iter().map(|(name, id)| (*id, name)).collect();
        let mut wrong: Vec<(String, u64, u64)> = groups
            .iter()
            .filter(|(_, group)| !group.is_whole())
            .filter_map(|((name, off, _), group)| {
                // Retention may have taken some rows of a range; nobody knows which.
                let name = names.get(name).filter(|name| !retired.contains_key(**name))?;
                Some(((*name).clone(), off.unsigned_abs(), group.row_count))
            })
            .collect();
        wrong.sort_unstable();
        for (generation, from, row_count) in wrong {
            verified.differ(Difference::Numbering { generation, from, row_count });
        }
    }
    Ok(())
}

fn each_row(
    snapshot: &Snapshot,
    mut visit: impl FnMut(Option<Place<'_>>),
) -> Result<(), StoreError> {
    for segment in snapshot.segments() {
        each_place(snapshot.store(), segment, |place| {
            visit(place.map(|(generation, off, len, ord)| Place { generation, off, len, ord }));
        })?;
    }
    Ok(())
}

/// Generation, offset, length and number of each row of a segment; `None` if one is unusable.
pub(super) fn each_place(
    store: &Path,
    segment: &Segment,
    mut visit: impl FnMut(Option<(&str, i64, i64, i32)>),
) -> Result<(), StoreError> {
    let mut start = 0;
    while start < segment.row_count {
        let part = read_part(store, segment, &PLACE, start as usize)?;
        visit_part(&part, &mut visit).map_err(StoreError::rows(store))?;
        if part.height() == 0 {
            break;
        }
        start += part.height() as u64;
    }
    Ok(())
}

fn visit_part(
    part: &DataFrame,
    visit: &mut impl FnMut(Option<(&str, i64, i64, i32)>),
) -> polars::prelude::PolarsResult<()> {
    let generations = part.column("_gen")?.str()?;
    let (offs, lens) = (part.column("_off")?.i64()?, part.column("_len")?.i64()?);
    let ords = part.column("_ord")?.i32()?;
    let places = generations.iter().zip(offs.iter()).zip(lens.iter()).zip(ords.iter());
    for (((generation, off), len), ord) in places {
        visit(match (generation, off, len, ord) {
            (Some(generation), Some(off @ 0..), Some(len @ 0..), Some(ord @ 0..)) => {
                Some((generation, off, len, ord))
            }
            _ => None,
        });
    }
    Ok(())
}
