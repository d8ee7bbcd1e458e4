//! One published Parquet file: how it is written, named, checked and read.
//!
//! The name carries a hash of the content, `date=2026-11-22/part-<uuid>-<hash>.parquet`, so that
//! any damage shows, also in columns a query does not read, and a file of another writer that
//! took its place as well. A file is never changed once it has its name.

use std::ops::RangeInclusive;

use jiff::civil::Date;
use jiff::{Span, Timestamp};

mod read;
mod write;

pub(super) use read::{check, closed, read, read_part, read_rows, read_untimed, scan};
pub(super) use write::{DENSE_LEVEL, FAST_LEVEL, SegmentWriter, by_time, in_order};

/// Rows of a row group: the unit that a query by time reads.
pub const ROW_GROUP_ROWS: usize = 128 << 10;
/// Microseconds of a day.
const DAY_US: i64 = 86_400_000_000;

/// A segment as the table's log has it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Segment {
    /// Path inside the store.
    pub path: String,
    /// The partition, days since the epoch.
    pub day: i32,
    /// How many rows it has.
    pub row_count: u64,
    /// Size of the file, bytes.
    pub bytes: u64,
    /// No event time is earlier, microseconds since the epoch; `None` when it is not known.
    pub ts_min_us: Option<i64>,
    /// No event time is later, microseconds since the epoch; `None` when it is not known.
    pub ts_max_us: Option<i64>,
    /// When the file was written, milliseconds since the epoch.
    pub written_ms: i64,
}

impl Segment {
    /// Whether a row of it may lie in `[from, to)`; rows without a time lie in no interval.
    pub fn may_meet(&self, from_us: i64, to_us: i64) -> bool {
        self.may_meet_closed(&closed(from_us, to_us))
    }

    /// As [`Segment::may_meet`], both bounds included.
    pub(super) fn may_meet_closed(&self, times_us: &RangeInclusive<i64>) -> bool {
        !times_us.is_empty()
            && self.ts_min_us.is_none_or(|min| min <= *times_us.end())
            && self.ts_max_us.is_none_or(|max| max >= *times_us.start())
    }

    /// The latest event time, or the end of its day, microseconds since the epoch.
    pub(super) fn end_us(&self) -> i64 {
        self.ts_max_us.unwrap_or_else(|| (i64::from(self.day) + 1).saturating_mul(DAY_US))
    }

    /// The hash its name says.
    fn hash(&self) -> Option<u64> {
        let name = self.path.rsplit('/').next()?;
        is_our_name(name).then(|| u64::from_str_radix(name.get(38..54)?, 16).ok())?
    }
}

/// Whether a file was named by [`SegmentWriter`].
pub(super) fn is_our_name(name: &str) -> bool {
    let Some(stem) = name.strip_prefix("part-").and_then(|rest| rest.strip_suffix(".parquet"))
    else {
        return false;
    };
    let is_hex = |text: &str| text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
    matches!(stem.split_once('-'), Some((id, hash))
        if id.len() == 32 && hash.len() == 16 && is_hex(id) && is_hex(hash))
}

/// The text of a day, as the partition's directory has it; `None` outside the calendar.
pub(super) fn date_text(day: i32) -> Option<String> {
    let epoch = Date::constant(1970, 1, 1);
    let date = epoch.checked_add(Span::new().try_days(day).ok()?).ok()?;
    (date.year() >= 0).then(|| date.to_string())
}

/// The day of a text as [`date_text`] writes it.
pub(super) fn day_of(date: &str) -> Option<i32> {
    let date: Date = date.parse().ok()?;
    Some(date.since(Date::constant(1970, 1, 1)).ok()?.get_days())
}

/// A time as the log's statistics have it, or `None` outside the years they can hold.
pub(super) fn time_text(us: i64) -> Option<String> {
    let time = Timestamp::from_microsecond(us).ok()?;
    let text = format!("{time:.6}");
    (text.len() == "2026-11-22T00:00:00.000000Z".len()).then_some(text)
}

/// The time of a text of the log's statistics.
pub(super) fn time_of(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_microsecond)
}
