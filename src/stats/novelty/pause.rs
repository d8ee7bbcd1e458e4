//! How long a stream kept away from a height, told when it comes back: a burst after a long calm
//! is novel though its height is usual.

use super::range::Range;

/// The height looked at, as a share of the range so far; also from above, for dips.
const HEIGHT: f64 = 0.7;
/// Rows before pauses are compared: early on every height is new.
const WARM_UP: usize = 60;

/// The pauses between visits to the upper and the lower part of the range of a stream.
#[derive(Clone, Debug)]
pub(super) struct Pauses {
    row: usize,
    ends: Option<(f64, f64)>,
    visits: [Visits; 2],
}

/// Visits to one part of the range.
#[derive(Clone, Debug)]
struct Visits {
    last_row: usize,
    /// Of the logarithm of the pause's length: pauses are compared by ratio.
    lengths: Range,
}

impl Default for Pauses {
    fn default() -> Self {
        let visits = std::array::from_fn(|_| Visits { last_row: 0, lengths: Range::new(WARM_UP) });
        Self { row: 0, ends: None, visits }
    }
}

impl Pauses {
    /// Takes a finite value: how far the pause that it ends, if any, is longer than all before,
    /// in widths of their range; of both heights the greater.
    pub(super) fn push(&mut self, value: f64) -> f64 {
        let row = self.row;
        self.row += 1;
        let (lo, hi) = self.ends.unwrap_or((value, value));
        self.ends = Some((lo.min(value), hi.max(value)));
        let far = (hi - lo) * HEIGHT;
        let is_there = [value - lo > far, hi - value > far];
        let visits = self.visits.iter_mut().zip(is_there);
        visits.map(|(visits, is_there)| visits.push(row, is_there)).fold(0.0, f64::max)
    }
}

impl Visits {
    fn push(&mut self, row: usize, is_there: bool) -> f64 {
        if !is_there {
            return self.lengths.push(0.0, 0.0);
        }
        let length = (row - self.last_row) as f64;
        self.last_row = row;
        self.lengths.push(length.ln_1p(), 0.0)
    }
}
