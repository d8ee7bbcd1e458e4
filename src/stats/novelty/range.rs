//! The range that a feature has covered so far.

/// Share of the range by which both ends move to the centre in a row: what was seen once is
/// forgotten in the end, so that a stream that became calm can be novel again.
const FADE: f64 = 1e-4;
/// Widths by which one value widens the range at most: one outlier must not hide all later ones.
const MAX_GROWTH: f64 = 3.0;

/// Lowest and highest value so far, slowly forgotten.
#[derive(Clone, Debug)]
pub(super) struct Range {
    /// Values still to be passed over before the range begins.
    warm_up: usize,
    ends: Option<(f64, f64)>,
}

impl Range {
    /// A range that begins after `warm_up` values.
    pub(super) fn new(warm_up: usize) -> Self {
        Self { warm_up, ends: None }
    }

    /// Whether a value lies above the range.
    pub(super) fn is_below(&self, value: f64) -> bool {
        self.ends.is_some_and(|(_, hi)| hi < value)
    }

    /// The largest absolute value of the range; 0 before it begins.
    pub(super) fn magnitude(&self) -> f64 {
        self.ends.map_or(0.0, |(lo, hi)| lo.abs().max(hi.abs()))
    }

    /// The width of the range; 0 before it begins.
    pub(super) fn width(&self) -> f64 {
        self.ends.map_or(0.0, |(lo, hi)| hi - lo)
    }

    /// How far a value lies outside, in widths of the range, and takes it into the range: 0
    /// inside, 1 outside a range of no width. What is not greater than `grain` is no distance.
    pub(super) fn push(&mut self, value: f64, grain: f64) -> f64 {
        let width = self.width();
        in_widths(self.take(value, grain), width, grain)
    }

    /// As [`Range::push`], but the distance is in the unit of the values.
    pub(super) fn take(&mut self, value: f64, grain: f64) -> f64 {
        if !value.is_finite() {
            return 0.0; // the difference of two huge values
        }
        if self.warm_up > 0 {
            self.warm_up -= 1;
            return 0.0;
        }
        let (lo, hi) = self.ends.unwrap_or((value, value));
        let width = hi - lo;
        let outside = (value - hi).max(lo - value);
        let growth = if width > grain { MAX_GROWTH * width } else { f64::INFINITY };
        let (lo, hi) = (lo.min(value.max(lo - growth)), hi.max(value.min(hi + growth)));
        let centre = 0.5 * lo + 0.5 * hi;
        self.ends = Some((lo + (centre - lo) * FADE, hi + (centre - hi) * FADE));
        outside.max(0.0)
    }
}

/// A distance of at least 0 in widths: 1 where there is no width, 0 up to `grain` or where it is
/// too great for a number.
pub(super) fn in_widths(distance: f64, width: f64, grain: f64) -> f64 {
    if distance <= grain || !distance.is_finite() {
        0.0
    } else if width > grain {
        distance / width
    } else {
        1.0
    }
}
