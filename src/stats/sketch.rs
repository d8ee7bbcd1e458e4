//! A mergeable histogram with a proven relative error, for ranges too long to keep every value.
//!
//! A bucket is one sign, one power of two and one of 128 equal steps within it, read straight
//! from the bits of the number. The middle of a bucket is at most half a step away from any value
//! in it, so every order statistic is within [`RELATIVE_ERROR`] = 1/256 = 0.39 %.
//!
//! Guarantees: merging is exact (the same buckets as adding everything to one sketch, in any
//! order); least and greatest value are exact; memory grows with the distinct buckets (128 per
//! doubling), never with the values. Negative values mirror positive ones with the same bound.
//! Zero has its own bucket, which also takes what is closer to zero than 2.2e-308. Values that
//! are not finite are counted as rejected and change nothing else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::quantile::Position;

/// Bound of |estimate − value| / |value| for every order statistic.
pub const RELATIVE_ERROR: f64 = 1.0 / 256.0;

/// Mantissa bits kept, so 2⁷ = 128 steps per power of two.
const STEP_BITS: u32 = 7;
/// Mantissa bits dropped.
const DROPPED_BITS: u32 = f64::MANTISSA_DIGITS - 1 - STEP_BITS;

/// Sparse histogram of finite values. What is read from a file is checked: see [`BadSketch`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(try_from = "Parts", into = "Parts")]
pub struct Sketch {
    /// Ascending by key, which is the order of the values; counts are never zero.
    buckets: Vec<(i32, u64)>,
    count: u64,
    rejected_count: u64,
    range: Option<(f64, f64)>,
}

/// A sketch as it is written.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[schemars(rename = "Sketch")]
struct Parts {
    /// Keys, ascending, and how many values each has; a key is sign, exponent and the first seven
    /// bits of the mantissa.
    buckets: Vec<(i32, u64)>,
    /// Least and greatest value.
    range: Option<(f64, f64)>,
    /// Values that were not finite.
    rejected: u64,
}

/// Buckets that no values give: not in order, empty, more than can be counted, or without a range.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the buckets of a sketch do not fit together")]
pub struct BadSketch;

impl From<Sketch> for Parts {
    fn from(sketch: Sketch) -> Self {
        let Sketch { buckets, range, rejected_count, .. } = sketch;
        Self { buckets, range, rejected: rejected_count }
    }
}

impl TryFrom<Parts> for Sketch {
    type Error = BadSketch;

    fn try_from(parts: Parts) -> Result<Self, BadSketch> {
        let Parts { buckets, range, rejected } = parts;
        let add =
            |sum: u64, (_, count): &(i32, u64)| sum.checked_add(*count).filter(|_| *count > 0);
        let count = buckets.iter().try_fold(0, add).ok_or(BadSketch)?;
        let in_order = buckets.is_sorted_by(|a, b| a.0 < b.0);
        let fits = match range {
            Some((low, high)) => count > 0 && low.is_finite() && high.is_finite() && low <= high,
            None => count == 0,
        };
        let is_key = |(key, _): &(i32, u64)| key.unsigned_abs() < key_of(f64::INFINITY) as u32;
        if !in_order || !fits || !buckets.iter().all(is_key) {
            return Err(BadSketch);
        }
        Ok(Self { buckets, count, rejected_count: rejected, range })
    }
}

impl Sketch {
    /// Adds one value.
    pub fn add(&mut self, value: f64) {
        if !value.is_finite() {
            self.rejected_count += 1;
            return;
        }
        self.widen((value, value));
        self.add_to_bucket(key_of(value), 1);
    }

    /// Adds everything `other` holds.
    pub fn merge(&mut self, other: &Self) {
        self.rejected_count += other.rejected_count;
        let Some(range) = other.range else { return };
        self.widen(range);
        if other.buckets.len() < self.buckets.len() / 8 {
            for &(key, count) in &other.buckets {
                self.add_to_bucket(key, count);
            }
            return;
        }
        self.count += other.count;
        let mut merged = Vec::with_capacity(self.buckets.len() + other.buckets.len());
        let (mut left, mut right) =
            (self.buckets.iter().peekable(), other.buckets.iter().peekable());
        while let (Some(&&(a, a_count)), Some(&&(b, b_count))) = (left.peek(), right.peek()) {
            let count = if a <= b { a_count } else { 0 } + if b <= a { b_count } else { 0 };
            merged.push((a.min(b), count));
            left.next_if(|_| a <= b);
            right.next_if(|_| b <= a);
        }
        merged.extend(left.chain(right));
        self.buckets = merged;
    }

    /// Count of the finite values added.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Count of the values refused because they were not finite.
    pub fn rejected_count(&self) -> u64 {
        self.rejected_count
    }

    /// Count of the buckets in use.
    pub fn bucket_count(&self) -> usize {
        self.buckets.len()
    }

    /// Least value, exact; `None` when empty.
    pub fn min(&self) -> Option<f64> {
        self.range.map(|(min, _)| min)
    }

    /// Greatest value, exact; `None` when empty.
    pub fn max(&self) -> Option<f64> {
        self.range.map(|(_, max)| max)
    }

    /// The type 7 quantile `q`; `None` when empty or `q` is outside [0, 1].
    ///
    /// Both order statistics are within [`RELATIVE_ERROR`]; so is the value between them when
    /// they have the same sign. 0 and 1 give the exact ends.
    pub fn quantile(&self, q: f64) -> Option<f64> {
        if q <= 0.0 || q >= 1.0 {
            return Position::of(q, 1).and(if q <= 0.0 { self.min() } else { self.max() });
        }
        let at = Position::of(q, usize::try_from(self.count).ok()?)?;
        at.between(self.nth(at.below as u64)?, self.nth(at.above as u64)?)
    }

    /// Estimate of the count of values at or below `bound`: exact but for the bucket of `bound`,
    /// which counts as a whole.
    pub fn count_at_most(&self, bound: f64) -> u64 {
        if bound.is_nan() {
            return 0;
        }
        if self.max().is_some_and(|max| bound >= max) {
            return self.count;
        }
        let key = key_of(bound);
        self.buckets.iter().take_while(|&&(k, _)| k <= key).map(|&(_, count)| count).sum()
    }

    /// At most `n` values, ascending, that stand for the sample: those at the ranks in the middle
    /// of `n` equal parts, or one per value when there are no more than `n`.
    ///
    /// For the rank tests of [`super::rank`], which need no more than some thousand values.
    pub fn thin(&self, n: usize) -> Vec<f64> {
        let wanted = self.count.min(n as u64);
        let mut thinned = Vec::with_capacity(wanted as usize);
        let mut below = 0_u64;
        for &(key, count) in &self.buckets {
            let end = below + count;
            while (thinned.len() as u64) < wanted {
                let part = thinned.len() as u128;
                let rank = (2 * part + 1) * u128::from(self.count) / (2 * u128::from(wanted));
                if rank >= u128::from(end) {
                    break;
                }
                thinned.push(self.within_range(middle_of(key)));
            }
            below = end;
        }
        thinned
    }

    fn nth(&self, rank: u64) -> Option<f64> {
        let mut below = 0;
        for &(key, count) in &self.buckets {
            below += count;
            if rank < below {
                return Some(self.within_range(middle_of(key)));
            }
        }
        None
    }

    fn within_range(&self, value: f64) -> f64 {
        self.range.map_or(value, |(min, max)| value.clamp(min, max))
    }

    fn widen(&mut self, (min, max): (f64, f64)) {
        self.range = Some(match self.range {
            Some((low, high)) => (low.min(min), high.max(max)),
            None => (min, max),
        });
    }

    fn add_to_bucket(&mut self, key: i32, count: u64) {
        self.count += count;
        match self.buckets.binary_search_by_key(&key, |&(key, _)| key) {
            Ok(slot) => {
                if let Some(bucket) = self.buckets.get_mut(slot) {
                    bucket.1 += count;
                }
            }
            Err(slot) => self.buckets.insert(slot, (key, count)),
        }
    }
}

impl Extend<f64> for Sketch {
    fn extend<I: IntoIterator<Item = f64>>(&mut self, values: I) {
        for value in values {
            self.add(value);
        }
    }
}

/// Sign, exponent and top mantissa bits as one number that orders like the values.
fn key_of(value: f64) -> i32 {
    if value.abs() < f64::MIN_POSITIVE {
        return 0;
    }
    let magnitude = (value.abs().to_bits() >> DROPPED_BITS) as i32;
    if value < 0.0 { -magnitude } else { magnitude }
}

fn middle_of(key: i32) -> f64 {
    if key == 0 {
        return 0.0;
    }
    let half_step = 1_u64 << (DROPPED_BITS - 1);
    let middle = f64::from_bits((u64::from(key.unsigned_abs()) << DROPPED_BITS) | half_step);
    if key < 0 { -middle } else { middle }
}

#[cfg(test)]
mod tests;
