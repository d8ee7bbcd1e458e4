//! Whether ranges of bytes tile `[0, end)`, told from a few numbers a generation.
//!
//! Take the positions of a generation as points and every stored range `[off, off+len)` as a step
//! from one point to a later one. The ranges tile `[0, end)` exactly when the points at which
//! steps begin, and `end`, are the points at which steps end, and 0: such steps are one path from
//! 0 to `end`, with no gap and no range twice. Both sides are compared by the sum of a 128-bit
//! hash of their points, in any order of rows and in constant memory. Sums can be added, so rows
//! that retention removed still count.
//!
//! A wrong answer needs a sum of hashes to agree by chance, 1 in 2^128; somebody who chooses the
//! lengths of records and what is lost could construct one, which is outside the promise.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// Sums over the ranges of a generation.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Flow {
    /// Hashes of the ends less those of the beginnings, in two halves.
    sums: [u64; 2],
    /// Sum of the lengths.
    pub(super) bytes: i64,
    /// How many ranges.
    pub(super) range_count: u64,
}

impl Flow {
    /// Counts one more range; one of no length is at no place and changes nothing.
    pub(super) fn add(&mut self, start: i64, len: i64) {
        self.step(start, start.saturating_add(len));
        self.bytes = self.bytes.saturating_add(len);
        self.range_count += 1;
    }

    /// Counts all ranges of another flow.
    pub(super) fn add_all(&mut self, other: &Self) {
        for (sum, other) in self.sums.iter_mut().zip(other.sums) {
            *sum = sum.wrapping_add(other);
        }
        self.bytes = self.bytes.saturating_add(other.bytes);
        self.range_count += other.range_count;
    }

    /// Whether the ranges tile `[0, end)`.
    pub(super) fn tiles(&self, end: i64) -> bool {
        let mut whole = Self::default();
        whole.step(0, end);
        self.sums == whole.sums && self.bytes == end
    }

    fn step(&mut self, start: i64, end: i64) {
        for (sum, seed) in self.sums.iter_mut().zip([0x9e37_79b9_7f4a_7c15, 0xd1b5_4a32_d192_ed03])
        {
            *sum = sum.wrapping_add(mix(end, seed)).wrapping_sub(mix(start, seed));
        }
    }
}

/// The finalizer of `SplitMix64` (Steele, Lea, Flood 2014) over a seeded position.
fn mix(position: i64, seed: u64) -> u64 {
    let mut mixed = (position as u64).wrapping_add(1).wrapping_mul(seed);
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

/// Flows by generation, as retention keeps them beside the rows.
pub(super) type Flows = BTreeMap<String, Flow>;

/// What is wrong at a place of a generation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// No row has these bytes.
    Gap,
    /// More than one row has these bytes.
    Overlap,
}

/// Where ranges fail to tile `[0, end)`; sorts them.
pub(super) fn flaws(ranges: &mut [(i64, i64)], end: i64) -> Vec<(Flaw, i64, i64)> {
    ranges.sort_unstable();
    let mut flaws = Vec::new();
    let mut reached = 0;
    for (start, len) in ranges.iter().copied().filter(|(_, len)| *len > 0) {
        let stop = start.saturating_add(len);
        if start > reached {
            flaws.push((Flaw::Gap, reached, start));
        } else if start < reached {
            flaws.push((Flaw::Overlap, start, stop.min(reached)));
        }
        reached = reached.max(stop);
    }
    match reached.cmp(&end) {
        std::cmp::Ordering::Less => flaws.push((Flaw::Gap, reached, end)),
        std::cmp::Ordering::Greater => flaws.push((Flaw::Overlap, end, reached)),
        std::cmp::Ordering::Equal => {}
    }
    flaws
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Flaw, Flow, flaws};

    #[test]
    fn ranges_that_tile_are_told_from_those_that_do_not() {
        check(&[], 0, &[]); // an empty file
        check(&[(0, 5)], 5, &[]);
        check(&[(5, 5), (0, 5)], 10, &[]); // order does not matter
        check(&[(0, 5), (5, 0), (5, 5)], 10, &[]); // a marker has no bytes
        check(&[], 5, &[(Flaw::Gap, 0, 5)]);
        check(&[(1, 4)], 5, &[(Flaw::Gap, 0, 1)]);
        check(&[(0, 4)], 5, &[(Flaw::Gap, 4, 5)]);
        check(&[(0, 6)], 5, &[(Flaw::Overlap, 5, 6)]); // beyond what was read
        check(&[(0, 5), (0, 5)], 5, &[(Flaw::Overlap, 0, 5)]); // a row twice
        check(&[(0, 5), (4, 6)], 10, &[(Flaw::Overlap, 4, 5)]);
        // Lengths alone add up here: one lost, another of its length doubled.
        check(&[(0, 5), (0, 5)], 10, &[(Flaw::Overlap, 0, 5), (Flaw::Gap, 5, 10)]);
    }

    fn check(ranges: &[(i64, i64)], end: i64, expected: &[(Flaw, i64, i64)]) {
        let mut flow = Flow::default();
        for (start, len) in ranges {
            flow.add(*start, *len);
        }
        assert_eq!(flow.tiles(end), expected.is_empty(), "{ranges:?}");
        assert_eq!(flaws(&mut ranges.to_vec(), end), expected, "{ranges:?}");
    }

    proptest! {
        #[test]
        fn sums_and_a_sorted_walk_agree(
            lens in prop::collection::vec(1i64..9, 0..12),
            lost in prop::option::of(0usize..12),
            doubled in prop::option::of(0usize..12),
        ) {
            let mut end = 0;
            let mut ranges: Vec<(i64, i64)> = lens.iter().map(|len| {
                end += len;
                (end - len, *len)
            }).collect();
            if let Some(range) = doubled.and_then(|at| ranges.get(at).copied()) {
                ranges.push(range);
            }
            if let Some(at) = lost.filter(|at| *at < ranges.len()) {
                ranges.swap_remove(at);
            }
            let mut flow = Flow::default();
            for (start, len) in &ranges {
                flow.add(*start, *len);
            }
            prop_assert_eq!(flow.tiles(end), flaws(&mut ranges, end).is_empty());
        }
    }
}
