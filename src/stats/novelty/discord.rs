//! How unlike all earlier shapes the last values are: the distance to the nearest one.
//!
//! A shape is 8 means of 4 rows. It is compared with those that ended at least one shape ago, at
//! most [`REACH_ROWS`] earlier, every other row. The nearest neighbour to the left is the online
//! form of a discord (Keogh et al., HOT SAX, 2005).

use std::collections::VecDeque;

/// Rows of a mean.
const SEGMENT_ROWS: usize = 4;
/// Means of a shape.
const SEGMENTS: usize = 8;
/// Rows of a shape.
pub(super) const ROWS: usize = SEGMENT_ROWS * SEGMENTS;
/// Rows back to the end of the earliest shape looked at, beyond one shape.
const REACH_ROWS: usize = 5_000;
/// Means of one lane that are looked at.
const LANE: usize = (ROWS + REACH_ROWS) / SEGMENT_ROWS + SEGMENTS;

/// The shapes of a stream.
#[derive(Clone, Debug, Default)]
pub(super) struct Discord {
    row: usize,
    last: VecDeque<f64>,
    /// The mean that ends at a row, by `row % 4`: the means of a shape are neighbours in a lane.
    lanes: [Vec<f64>; SEGMENT_ROWS],
}

impl Discord {
    /// Takes a finite value; the distance (the unit of the values) from the shape that it ends to
    /// the nearest earlier one, `None` while there is none.
    pub(super) fn push(&mut self, value: f64) -> Option<f64> {
        let phase = self.take(value)?;
        self.nearest(phase).map(|square| (square / SEGMENTS as f64).sqrt())
    }

    /// Takes a finite value without a search; the lane of the mean that it ends.
    pub(super) fn take(&mut self, value: f64) -> Option<usize> {
        let phase = self.row % SEGMENT_ROWS;
        self.row += 1;
        self.last.push_back(value);
        if self.last.len() < SEGMENT_ROWS {
            return None;
        }
        let mean = self.last.iter().sum::<f64>() / SEGMENT_ROWS as f64;
        self.last.pop_front();
        let lane = self.lanes.get_mut(phase)?;
        if lane.len() >= 2 * LANE {
            lane.drain(..LANE);
        }
        lane.push(mean);
        Some(phase)
    }

    fn nearest(&self, phase: usize) -> Option<f64> {
        let own = self.lanes.get(phase)?;
        let other = self.lanes.get((phase + SEGMENT_ROWS / 2) % SEGMENT_ROWS)?;
        let (_, now) = own.split_last_chunk::<SEGMENTS>()?;
        // The last mean of the own lane ends now, that of the other two rows ago: 8 means earlier
        // ends what is one shape old, or just older.
        let mut nearest = f64::INFINITY;
        for lane in [own, other] {
            let old = lane.get(..lane.len().saturating_sub(SEGMENTS)).unwrap_or_default();
            nearest = nearest_in(now, old, nearest);
        }
        nearest.is_finite().then_some(nearest)
    }
}

fn nearest_in(now: &[f64; SEGMENTS], lane: &[f64], mut nearest: f64) -> f64 {
    let reach = lane.len().saturating_sub(REACH_ROWS / SEGMENT_ROWS + SEGMENTS);
    for then in lane.get(reach..).unwrap_or_default().array_windows::<SEGMENTS>().rev() {
        let square = square_distance(now, then);
        if square < nearest {
            nearest = square;
        }
    }
    nearest
}

fn square_distance(a: &[f64; SEGMENTS], b: &[f64; SEGMENTS]) -> f64 {
    // Four sums side by side: one sum would wait for each addition, and this loop is all the cost.
    let mut sums = [0.0; 4];
    for (a, b) in a.as_chunks::<4>().0.iter().zip(b.as_chunks::<4>().0) {
        for (sum, (a, b)) in sums.iter_mut().zip(a.iter().zip(b)) {
            *sum += (a - b) * (a - b);
        }
    }
    sums.iter().sum()
}
