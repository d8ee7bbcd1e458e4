//! Times and zones as people write them.

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::error::{BAD_VALUE, Failure};
use crate::model::time_zone;

/// Lengths that are taken, microseconds: from a second to about 19 years.
const LENGTH_US: std::ops::RangeInclusive<f64> = 1e6..=604_800e9;

/// The calendar year of an instant, UTC.
pub(super) fn year(ts_us: i64) -> i32 {
    zoned(ts_us, &TimeZone::UTC).map_or(1970, |zoned| i32::from(zoned.year()))
}

/// A zone by its IANA name or its offset.
pub(super) fn zone(name: &str) -> Result<TimeZone, Failure> {
    time_zone(name).ok_or_else(|| {
        Failure::new(&BAD_VALUE, format!("`{name}` is no time zone")).hint(
            "zones are IANA names, such as America/Argentina/Buenos_Aires, or offsets, such as \
             -03:00",
        )
    })
}

/// Offset of a zone at an instant, seconds east of UTC.
pub(super) fn offset_s(ts_us: i64, zone: &TimeZone) -> i32 {
    Timestamp::from_microsecond(ts_us).map_or(0, |ts| zone.to_offset(ts).seconds())
}

/// ISO week of an instant in a zone, such as `2026-W47`.
pub(super) fn iso_week(ts_us: i64, zone: &TimeZone) -> String {
    zoned(ts_us, zone).map_or_else(String::new, |zoned| {
        let week = zoned.date().iso_week_date();
        format!("{:04}-W{:02}", week.year(), week.week())
    })
}

fn zoned(ts_us: i64, zone: &TimeZone) -> Option<Zoned> {
    Timestamp::from_microsecond(ts_us).ok().map(|ts| ts.to_zoned(zone.clone()))
}

/// An instant: RFC 3339, or a date or date and time in UTC.
pub(super) fn instant(option: &str, text: &str) -> Result<i64, Failure> {
    let civil = || text.parse::<DateTime>().ok()?.to_zoned(TimeZone::UTC).ok();
    let parsed = text.parse::<Timestamp>().ok().or_else(|| civil().map(|z| z.timestamp()));
    parsed.map(Timestamp::as_microsecond).ok_or_else(|| {
        Failure::new(&BAD_VALUE, format!("`{option}` is `{text}`, which is no time"))
            .hint("times look like 2026-11-18T14:12:00Z, 2026-11-18T11:12:00-03:00 or 2026-11-18")
    })
}

/// A length of time such as `90s`, `15m`, `2h`, `7d`; microseconds.
pub(super) fn length_us(option: &str, text: &str) -> Result<i64, Failure> {
    let bad = || {
        Failure::new(&BAD_VALUE, format!("`{option}` is `{text}`, which is no length of time"))
            .hint("lengths look like 90s, 15m, 2h or 7d")
    };
    let digits = text.trim_end_matches(char::is_alphabetic);
    let unit_s = match text.get(digits.len()..) {
        Some("us" | "µs") => 1e-6,
        Some("ms") => 1e-3,
        Some("s") => 1.0,
        Some("m" | "min") => 60.0,
        Some("h") => 3_600.0,
        Some("d") => 86_400.0,
        Some("w") => 604_800.0,
        _ => return Err(bad()),
    };
    let number: f64 = digits.parse().map_err(|_| bad())?;
    let length_us = number * unit_s * 1e6;
    if LENGTH_US.contains(&length_us) {
        return Ok(length_us as i64);
    }
    let message = format!("`{option}` is `{text}`, which is too short or too long");
    Err(Failure::new(&BAD_VALUE, message).hint("lengths are from 1s to 1000w"))
}

#[cfg(test)]
mod tests {
    use super::{instant, iso_week, length_us, zone};

    #[test]
    fn lengths_are_read_or_refused() {
        for (text, want) in [
            ("90s", Some(90_000_000)),
            ("1.5h", Some(5_400_000_000)),
            ("7d", Some(604_800_000_000)),
            ("0s", None),
            ("1000ms", Some(1_000_000)), // the least
            ("999ms", None),
            ("1us", None),
            ("1000w", Some(604_800_000_000_000)), // the most
            ("1001w", None),
            ("7", None),
            ("-1h", None),
            ("1e99d", None),
            ("", None),
        ] {
            assert_eq!(length_us("--window", text).ok(), want, "{text}");
        }
    }

    #[test]
    fn a_length_that_is_too_short_is_told_the_least() {
        let failure = length_us("--last", "1us").unwrap_err();
        assert!(failure.hint.unwrap().contains("1s"), "{}", failure.message);
        assert!(failure.message.contains("too short"), "{}", failure.message);
    }

    #[test]
    fn instants_have_a_zone_or_are_utc() {
        let utc = instant("--at", "2026-11-18T14:12:00Z").unwrap();
        for text in ["2026-11-18T11:12:00-03:00", "2026-11-18T14:12:00", "2026-11-18 14:12"] {
            assert_eq!(instant("--at", text).ok(), Some(utc), "{text}");
        }
        assert!(instant("--at", "yesterday").is_err());
    }

    #[test]
    fn weeks_are_those_of_the_zone() {
        // 2026-11-23T01:00Z is Monday in UTC and still Sunday in Buenos Aires.
        let at = instant("--now", "2026-11-23T01:00:00Z").unwrap();
        assert_eq!(iso_week(at, &zone("UTC").unwrap()), "2026-W48");
        assert_eq!(iso_week(at, &zone("America/Argentina/Buenos_Aires").unwrap()), "2026-W47");
    }
}
