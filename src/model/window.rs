//! Half-open intervals of time and the widths they are cut into.

use jiff::Timestamp;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Half-open interval of event time `[start, end)`, in microseconds since the epoch, UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Window {
    /// First instant inside.
    pub start_us: i64,
    /// First instant outside.
    pub end_us: i64,
}

impl Window {
    /// Whether an instant lies inside.
    pub fn contains(self, ts_us: i64) -> bool {
        self.start_us <= ts_us && ts_us < self.end_us
    }

    /// Length in seconds.
    pub fn len_s(self) -> f64 {
        (self.end_us - self.start_us) as f64 / 1e6
    }
}

/// The least multiple of a grain that is not less: where a window ends that must not cut a grain.
pub fn whole_us(us: i64, grain_us: i64) -> i64 {
    us.saturating_add(grain_us - 1).div_euclid(grain_us) * grain_us
}

/// Width of the windows a span of time is cut into.
///
/// Widths that are chosen come from one ladder in which each step divides the next, so that narrow
/// windows merge exactly into wide ones; a person may name any whole number of seconds.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema,
)]
pub struct SlotWidth(u32);

impl SlotWidth {
    /// The ladder, in seconds.
    pub const LADDER_S: [u32; 9] = [1, 10, 60, 300, 900, 3_600, 10_800, 21_600, 86_400];

    /// The narrowest step with at most `limit` windows in `span_s` seconds.
    pub fn fitting(span_s: f64, limit: usize) -> Self {
        let widest = Self::LADDER_S.len() - 1;
        let step = Self::LADDER_S
            .iter()
            .position(|&width_s| span_s / f64::from(width_s) <= limit as f64)
            .unwrap_or(widest);
        Self(Self::LADDER_S.get(step).copied().unwrap_or(86_400))
    }

    /// The widest step of at most `len_s` seconds, or the narrowest.
    pub fn within(len_s: f64) -> Self {
        let fitting = |width_s: &&u32| f64::from(**width_s) <= len_s;
        Self(Self::LADDER_S.iter().rev().find(fitting).copied().unwrap_or(1))
    }

    /// A width given by a person, in seconds; zero is not a width.
    pub fn from_seconds(width_s: u32) -> Option<Self> {
        (width_s > 0).then_some(Self(width_s))
    }

    /// Seconds.
    pub fn seconds(self) -> u32 {
        self.0
    }

    /// Microseconds.
    pub fn micros(self) -> i64 {
        i64::from(self.0) * 1_000_000
    }

    /// Start of the window that holds an instant, aligned to the epoch.
    pub fn floor_us(self, ts_us: i64) -> i64 {
        ts_us.div_euclid(self.micros()) * self.micros()
    }
}

/// RFC 3339 text of an instant in UTC, to the second, or with the fraction it has.
///
/// An instant beyond the calendar (years −9999 to 9999) is printed as its number.
pub fn format_ts(ts_us: i64) -> String {
    Timestamp::from_microsecond(ts_us).map_or_else(|_| ts_us.to_string(), |ts| ts.to_string())
}

#[cfg(test)]
mod tests {
    use super::SlotWidth;

    #[test]
    fn the_ladder_gives_readable_window_counts() {
        for (span_s, want_s) in [
            (0.0, 1),
            (360.0, 1),
            (361.0, 10),
            (6.4 * 3_600.0, 300),
            (14.0 * 86_400.0, 3_600),
            (1e12, 86_400),
        ] {
            assert_eq!(SlotWidth::fitting(span_s, 360).seconds(), want_s, "{span_s}");
        }
    }

    #[test]
    fn the_widest_step_is_no_longer_than_what_it_lies_in() {
        for (len_s, want_s) in [(0.5, 1), (10.0, 10), (120.0, 60), (299.9, 60), (1e9, 86_400)] {
            assert_eq!(SlotWidth::within(len_s).seconds(), want_s, "{len_s}");
        }
    }

    #[test]
    fn floors_go_down_before_the_epoch_too() {
        let width = SlotWidth::from_seconds(60).unwrap();
        assert_eq!(width.floor_us(-1), -60_000_000);
        assert_eq!(width.floor_us(60_000_000), 60_000_000);
    }

    #[test]
    fn each_step_divides_the_next() {
        for pair in SlotWidth::LADDER_S.windows(2) {
            assert_eq!(pair[1] % pair[0], 0, "{pair:?}");
        }
    }
}
