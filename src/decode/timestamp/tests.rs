use proptest::prelude::*;

use super::{
    EARLIEST_US, LATEST_US, TimeOdd, Timestamp, TimestampParser, ZoneDefault, parse_leading,
    parse_number_text, parse_text,
};

/// 2026-11-18T14:03:22Z.
const NOON_ISH: i64 = 1_795_010_602_000_000;
const ZONE: ZoneDefault = ZoneDefault { offset_s: 0, year: 2026 };

fn check(text: &str, micros: i64, zone_assumed: bool) {
    assert_eq!(
        parse_text(text.as_bytes(), &ZONE),
        Ok(Timestamp { micros, zone_assumed }),
        "{text}"
    );
    let mut parser = TimestampParser::new(ZONE);
    for attempt in ["cold", "warm"] {
        let parsed = parser.parse(text.as_bytes());
        assert_eq!(parsed, Ok(Timestamp { micros, zone_assumed }), "{attempt} {text}");
    }
}

fn check_odd(text: &str, odd: TimeOdd) {
    assert_eq!(parse_text(text.as_bytes(), &ZONE), Err(odd), "{text}");
    let mut parser = TimestampParser::new(ZONE);
    assert_eq!(parser.parse(text.as_bytes()), Err(odd), "{text}");
    // The neighbour of an odd time is not touched by it.
    let neighbour = Timestamp { micros: NOON_ISH, zone_assumed: false };
    assert_eq!(parser.parse(b"2026-11-18T14:03:22Z"), Ok(neighbour), "after {text}");
}

#[test]
fn rfc_3339_and_its_relatives() {
    check("2026-11-18T14:03:22Z", NOON_ISH, false);
    check("2026-11-18T14:03:22.123Z", NOON_ISH + 123_000, false);
    check("2026-11-18T14:03:22.123456Z", NOON_ISH + 123_456, false);
    check("2026-11-18T14:03:22.123456789Z", NOON_ISH + 123_456, false); // ns are cut
    check("2026-11-18T14:03:22.1Z", NOON_ISH + 100_000, false); // one digit is tenths
    check("2026-11-18t14:03:22z", NOON_ISH, false); // RFC 3339 allows lower case
    check("2026-11-18 14:03:22Z", NOON_ISH, false);
    check("2026-11-18T11:03:22-03:00", NOON_ISH, false);
    check("2026-11-18T11:03:22-0300", NOON_ISH, false);
    check("2026-11-18T11:03:22-03", NOON_ISH, false);
    check("2026-11-18T19:48:22.5+05:45", NOON_ISH + 500_000, false);
    check("2026-11-18T11:03:22-03:00[America/Argentina/Buenos_Aires]", NOON_ISH, false); // Java
    check("2026-11-18T14:03:22", NOON_ISH, true); // no zone
    check("2026-11-18T14:03:22.123456", NOON_ISH + 123_456, true); // Ruby Logger
    check("2026-11-18T14:03Z", NOON_ISH - 22_000_000, false);
    check("2026-11-18", NOON_ISH - 50_602_000_000, true); // a day is its first moment
    check("  2026-11-18T14:03:22Z\n", NOON_ISH, false);
}

#[test]
fn forms_of_known_programs() {
    check("[18/Nov/2026:11:03:22 -0300]", NOON_ISH, false); // common log format
    check("18/Nov/2026:14:03:22 +0000", NOON_ISH, false);
    check("2026-11-18 14:03:22.123 UTC", NOON_ISH + 123_000, false); // PostgreSQL
    check("2026-11-18 11:03:22.123 -03", NOON_ISH + 123_000, false); // PostgreSQL, no abbreviation
    check("2026-11-18 14:03:22.123 CET", NOON_ISH + 123_000, true); // ambiguous, so assumed
    check("2026-11-18 14:03:22,123", NOON_ISH + 123_000, true); // log4j, Python
    check("2026/11/18 14:03:22", NOON_ISH, true); // nginx error log, Go
    check("Nov 18 14:03:22", NOON_ISH, true); // syslog
    check("Nov  8 14:03:22", NOON_ISH - 10 * 86_400_000_000, true); // padded day
    check("[Wed Nov 18 14:03:22.123456 2026]", NOON_ISH + 123_456, true); // Apache
    check("Wed Nov 18 14:03:22 2026", NOON_ISH, true); // ctime
    check("Wed, 18 Nov 2026 14:03:22 GMT", NOON_ISH, false); // HTTP date
    check("Wed Nov 18 2026 11:03:22 GMT-0300", NOON_ISH, false); // JavaScript
    check("1118 14:03:22.123456", NOON_ISH + 123_456, true); // klog, after its letter
    check("1795010602.123", NOON_ISH + 123_000, false);
}

#[test]
fn what_go_prints_and_the_basic_format_of_iso_are_read() {
    check("2026-11-18 14:03:22.123 +0000 UTC", NOON_ISH + 123_000, false);
    check("2026-11-18 14:03:22.123456789 +0000 UTC m=+0.001", NOON_ISH + 123_456, false);
    check("2026-11-18 11:03:22 -0300 -03 m=-12.000000001", NOON_ISH, false); // a zone without name
    check("2026-11-18 15:03:22 +0100 CET", NOON_ISH, false); // the offset counts, not the name
    check("20261118T140322Z", NOON_ISH, false);
    check("20261118T140322.5Z", NOON_ISH + 500_000, false);
    check("20261118T110322-0300", NOON_ISH, false);
    check("20261118T140322", NOON_ISH, true); // no zone
    check_odd("20261118T1403Z", TimeOdd::Unreadable); // half a clock
    check_odd("20261318T140322Z", TimeOdd::Impossible);
    check_odd("20261118T250322Z", TimeOdd::Impossible);
    check_odd("2026-11-18 14:03:22 +0000 UTC m=", TimeOdd::Unreadable);
    // A level after the offset is no zone.
    let line = b"2026-11-18 14:03:22 +0000 INFO started";
    assert_eq!(parse_leading(line, &ZONE).map(|(_, used)| used), Ok(25));
}

#[test]
fn odd_times_have_a_reason() {
    check_odd("", TimeOdd::Unreadable);
    check_odd("-", TimeOdd::Unreadable);
    check_odd("yesterday", TimeOdd::Unreadable);
    check_odd("nan", TimeOdd::Unreadable);
    check_odd("[2026-11-18T14:03:22Z", TimeOdd::Unreadable); // bracket left open
    check_odd("2026-11-18T14:03:22Zulu", TimeOdd::Unreadable);
    check_odd("2026-11-18T14:03:22.Z", TimeOdd::Unreadable); // fraction without digits
    check_odd("2026-1-18T14:03:22Z", TimeOdd::Unreadable);
    check_odd("2026-02-29T00:00:00Z", TimeOdd::Impossible); // no leap year
    check_odd("2026-13-01T00:00:00Z", TimeOdd::Impossible);
    check_odd("2026-00-01T00:00:00Z", TimeOdd::Impossible);
    check_odd("2026-11-31T00:00:00Z", TimeOdd::Impossible);
    check_odd("2026-11-18T24:00:00Z", TimeOdd::Impossible);
    check_odd("2026-11-18T14:60:22Z", TimeOdd::Impossible);
    check_odd("2026-11-18T14:03:61Z", TimeOdd::Impossible);
    check_odd("1989-12-31T23:59:59Z", TimeOdd::OutOfRange);
    check_odd("7857-01-01T00:00:00Z", TimeOdd::OutOfRange);
    check_odd("0001-01-01T00:00:00Z", TimeOdd::OutOfRange); // Go's zero time
    check_odd("0", TimeOdd::OutOfRange); // OTLP: time not set
    check_odd("-5", TimeOdd::OutOfRange);
    check_odd("99999999999999999999", TimeOdd::OutOfRange); // beyond i64
}

#[test]
fn the_calendar_is_gregorian() {
    check("2000-02-29T00:00:00Z", 951_782_400_000_000, false); // divisible by 400
    check("2024-02-29T00:00:00Z", 1_709_164_800_000_000, false);
    check_odd("2100-02-29T00:00:00Z", TimeOdd::Impossible); // divisible by 100 only
    check("2016-12-31T23:59:60Z", 1_483_228_799_999_999, false); // leap second
    check("1990-01-01T00:00:00Z", EARLIEST_US, false);
    check_odd("1990-01-01T00:00:00+00:01", TimeOdd::OutOfRange);
    check("2100-01-01T00:00:00Z", LATEST_US, false);
    check_odd("2100-01-01T00:00:00.000001Z", TimeOdd::OutOfRange);
}

#[test]
fn a_syslog_time_needs_a_year() {
    let no_year = parse_text(b"Nov 18 14:03:22", &ZoneDefault::UTC);
    assert_eq!(no_year, Err(TimeOdd::OutOfRange));
}

#[test]
fn default_offset_applies_only_without_zone() {
    let zone = ZoneDefault { offset_s: -3 * 3600, year: 2026 };
    let assumed = parse_text(b"2026-11-18 11:03:22", &zone);
    assert_eq!(assumed, Ok(Timestamp { micros: NOON_ISH, zone_assumed: true }));
    let stated = parse_text(b"2026-11-18 14:03:22Z", &zone);
    assert_eq!(stated, Ok(Timestamp { micros: NOON_ISH, zone_assumed: false }));
}

fn check_number(text: &str, expected: Result<i64, TimeOdd>) {
    assert_eq!(parse_number_text(text.as_bytes()), expected, "{text}");
}

#[test]
fn numbers_are_read_by_magnitude_and_exactly() {
    check_number("1795010602", Ok(NOON_ISH)); // seconds
    check_number("1795010602.123456", Ok(NOON_ISH + 123_456)); // no float in between
    check_number("1795010602.1234569", Ok(NOON_ISH + 123_456));
    check_number("1795010602123", Ok(NOON_ISH + 123_000)); // milliseconds
    check_number("1795010602123.456", Ok(NOON_ISH + 123_456));
    check_number("1795010602123456", Ok(NOON_ISH + 123_456)); // microseconds, journald
    check_number("1795010602123456789", Ok(NOON_ISH + 123_456)); // nanoseconds, OTLP
    check_number("1.795010602e9", Ok(NOON_ISH)); // bunyan on some engines
    check_number("1795010602.", Ok(NOON_ISH)); // a point and no digits
    check_number("100000000000", Err(TimeOdd::OutOfRange)); // exactly 1e11 is still seconds
    check_number("631152000", Ok(EARLIEST_US));
    check_number("631151999", Err(TimeOdd::OutOfRange));
    check_number("4102444800", Ok(LATEST_US));
    check_number("4102444801", Err(TimeOdd::OutOfRange));
    check_number("12x", Err(TimeOdd::Unreadable));
    check_number("", Err(TimeOdd::Unreadable));
}

fn check_leading(line: &str, rest: &str) {
    let (_, used) = parse_leading(line.as_bytes(), &ZONE).unwrap();
    assert_eq!(&line[used..], rest, "{line}");
}

#[test]
fn a_leading_time_leaves_the_rest_of_the_line() {
    check_leading("2026-11-18 14:03:22,123 INFO started", " INFO started"); // a level is no zone
    check_leading("2026-11-18 14:03:22 POST /x", " POST /x"); // nor is a method
    check_leading("2026-11-18 14:03:22 UTC [12] LOG:  ready", " [12] LOG:  ready");
    check_leading("2026-11-18 14:03:22.5 ART x", " x");
    check_leading("2026-11-18T14:03:22Z[main] x", "[main] x"); // a thread, not a zone id
    check_leading("[2026-11-18T14:03:22Z] x", " x");
    check_leading("Nov 18 14:03:22 host sshd[1]: x", " host sshd[1]: x");
    check_leading("2026-11-18 9 items", " 9 items"); // only a date
    assert_eq!(parse_leading(b"1795010602 x", &ZONE), Err(TimeOdd::Unreadable));
}

proptest! {
    #[test]
    fn the_cache_never_changes_an_answer(texts in prop::collection::vec(
        "(2026-11-18|2026-02-29|1989-12-31|2100-01-01|2024-02-29)[T ][0-2][0-9]:[0-6][0-9]:[0-6][0-9](\\.[0-9]{0,9})?(Z|\\+0[0-9]:00)?", 1..9)
    ) {
        let mut parser = TimestampParser::new(ZONE);
        for text in &texts {
            prop_assert_eq!(parser.parse(text.as_bytes()), parse_text(text.as_bytes(), &ZONE));
        }
    }

    #[test]
    fn every_microsecond_of_the_range_survives_writing_and_reading(us in EARLIEST_US..=LATEST_US) {
        let text = format!("{}.{:06}", us / 1_000_000, us % 1_000_000);
        prop_assert_eq!(parse_number_text(text.as_bytes()), Ok(us));
    }

    #[test]
    fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = parse_text(&bytes, &ZONE);
        let _ = parse_leading(&bytes, &ZONE);
    }
}
