//! Exact quantiles: type 7, bit for bit what `DuckDB` 2.0 `quantile_cont` returns on doubles.
//!
//! Guarantee: values that are not finite are left out and counted, so a quantile is never NaN.
//! (`DuckDB` sorts NaN as the largest value; for finite input there is no difference.)
//! For more values than fit in memory, see [`super::sketch`].

/// Fewest values for a p95 worth trusting; show it greyed below.
pub const MIN_VALUES_P95: usize = 200;
/// Fewest values for a p99 worth trusting; show it greyed below.
pub const MIN_VALUES_P99: usize = 1_000;

/// Finite values in ascending order, with the count of those left out.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Sorted {
    values: Vec<f64>,
    rejected_count: usize,
}

impl Sorted {
    /// Sorts `values`, leaving out what is not finite.
    pub fn new(values: Vec<f64>) -> Self {
        let given = values.len();
        let finite = values.into_iter().filter(|value| value.is_finite());
        // Whole numbers of the same order sort in half the time of `f64::total_cmp`.
        let mut keys: Vec<u64> = finite.map(order_key).collect();
        keys.sort_unstable();
        let values: Vec<f64> = keys.into_iter().map(from_order_key).collect();
        Self { rejected_count: given - values.len(), values }
    }

    /// The values, ascending.
    pub fn as_slice(&self) -> &[f64] {
        &self.values
    }

    /// Count of the values kept.
    pub fn len(&self) -> usize {
        self.values.len()
    }

    /// Whether no value was kept.
    pub fn is_empty(&self) -> bool {
        self.values.is_empty()
    }

    /// Count of the values left out because they were not finite.
    pub fn rejected_count(&self) -> usize {
        self.rejected_count
    }

    /// The `q` quantile; `None` when empty or `q` is outside [0, 1].
    pub fn quantile(&self, q: f64) -> Option<f64> {
        let at = Position::of(q, self.values.len())?;
        at.between(*self.values.get(at.below)?, *self.values.get(at.above)?)
    }

    /// The middle value; `None` when empty.
    pub fn median(&self) -> Option<f64> {
        self.quantile(0.5)
    }

    /// Median of the absolute distances to the median; `None` when empty.
    ///
    /// Not scaled: times 1.4826 it estimates the standard deviation of normal values.
    pub fn mad(&self) -> Option<f64> {
        let median = self.median()?;
        median_of(&mut self.values.iter().map(|value| (value - median).abs()).collect::<Vec<_>>())
    }
}

/// Quantiles of one unsorted sample.
#[derive(Clone, Debug, PartialEq)]
pub struct Quantiles {
    /// One per asked `q`, in the order asked; `None` when empty or `q` is outside [0, 1].
    pub values: Vec<Option<f64>>,
    /// Count of the finite values they were taken from.
    pub n: usize,
    /// Count of the values left out because they were not finite.
    pub rejected_count: usize,
}

/// Quantiles by selection instead of sorting; the order of `values` is lost.
pub fn quantiles_of(values: &mut [f64], qs: &[f64]) -> Quantiles {
    let n = move_finite_first(values);
    let rejected_count = values.len() - n;
    let finite = values.split_at_mut(n).0;
    let positions: Vec<_> = qs.iter().map(|&q| Position::of(q, n)).collect();
    let mut indices: Vec<usize> =
        positions.iter().flatten().flat_map(|at| [at.below, at.above]).collect();
    indices.sort_unstable();
    indices.dedup();

    let mut selected: Vec<(usize, f64)> = Vec::with_capacity(indices.len());
    let mut rest = finite;
    let mut rest_start = 0;
    for index in indices {
        let (_, value, right) = rest.select_nth_unstable_by(index - rest_start, f64::total_cmp);
        selected.push((index, *value));
        rest = right;
        rest_start = index + 1;
    }
    let value_at = |index| {
        let slot = selected.binary_search_by_key(&index, |&(index, _)| index).ok()?;
        selected.get(slot).map(|&(_, value)| value)
    };
    let values = positions
        .into_iter()
        .map(|at| at.and_then(|at| at.between(value_at(at.below)?, value_at(at.above)?)))
        .collect();
    Quantiles { values, n, rejected_count }
}

/// The middle value by selection; `None` when nothing is finite. The order of `values` is lost.
pub fn median_of(values: &mut [f64]) -> Option<f64> {
    quantiles_of(values, &[0.5]).values.into_iter().next().flatten()
}

/// Where a quantile lies between two order statistics.
#[derive(Clone, Copy)]
pub(super) struct Position {
    pub(super) below: usize,
    pub(super) above: usize,
    fraction: f64,
}

impl Position {
    /// Type 7: h = (n − 1)·q, interpolated between ⌊h⌋ and ⌈h⌉.
    ///
    /// Source: Hyndman & Fan, Sample Quantiles in Statistical Packages, 1996.
    pub(super) fn of(q: f64, n: usize) -> Option<Self> {
        if n == 0 || !(0.0..=1.0).contains(&q) {
            return None;
        }
        let rank = (n - 1) as f64 * q;
        let below = rank.floor();
        Some(Self { below: below as usize, above: rank.ceil() as usize, fraction: rank - below })
    }

    /// `None` only for arguments that are not finite.
    pub(super) fn between(self, below: f64, above: f64) -> Option<f64> {
        let value = if self.below == self.above {
            below
        } else {
            // One rounding less than a·(1−f) + b·f: the fused form DuckDB's builds compute.
            below.mul_add(1.0 - self.fraction, above * self.fraction)
        };
        value.is_finite().then_some(value)
    }
}

fn move_finite_first(values: &mut [f64]) -> usize {
    let mut finite = 0;
    for index in 0..values.len() {
        if values.get(index).is_some_and(|value| value.is_finite()) {
            values.swap(index, finite);
            finite += 1;
        }
    }
    finite
}

const SIGN: u64 = 1 << 63;

/// A number whose order is that of `f64::total_cmp`: negative values bit by bit turned around.
fn order_key(value: f64) -> u64 {
    let bits = value.to_bits();
    if bits & SIGN == 0 { bits | SIGN } else { !bits }
}

fn from_order_key(key: u64) -> f64 {
    f64::from_bits(if key & SIGN == 0 { !key } else { key & !SIGN })
}

#[cfg(test)]
mod tests;
