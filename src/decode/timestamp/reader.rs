//! The written forms of a time, taken from the front of a byte slice.

use super::{DAY_US, SECOND_US, TimeOdd, Timestamp, ZoneDefault, digit, first_digits, in_range};

/// No zone on Earth is further from UTC than +14:00; more is a misread number.
const MAX_OFFSET_HOURS: i64 = 15;
/// Abbreviations that are taken for zones; what they mean is ambiguous, so none is trusted.
const ABBREVIATIONS: [&[u8]; 36] = [
    b"ACST", b"AEDT", b"AEST", b"AKDT", b"AKST", b"ART", b"AST", b"AWST", b"BRT", b"BST", b"CDT",
    b"CEST", b"CET", b"CLT", b"COT", b"CST", b"EDT", b"EEST", b"EET", b"EST", b"HKT", b"HST",
    b"IST", b"JST", b"KST", b"MDT", b"MSK", b"MST", b"NZDT", b"NZST", b"PDT", b"PST", b"SGT",
    b"UYT", b"WEST", b"WET",
];

/// Bytes still to be read; every method takes what it recognises and leaves the rest.
///
/// `None` means "not this form", `Some(Err(_))` "this form, but no such moment".
pub(super) struct Reader<'t> {
    pub(super) rest: &'t [u8],
}

/// What a method recognised.
pub(super) type Read<T> = Option<Result<T, TimeOdd>>;

/// Seconds east of UTC, and whether they were assumed.
type Zone = (i64, bool);

impl Reader<'_> {
    pub(super) fn timestamp(&mut self, zone: ZoneDefault) -> Read<Timestamp> {
        match self.rest {
            [a, b, c, d, b'-' | b'/', ..] if [a, b, c, d].iter().all(|x| x.is_ascii_digit()) => {
                self.year_first(zone)
            }
            _ if self.rest.get(8) == Some(&b'T') => self.basic(zone),
            [b'0' | b'1', b'0'..=b'9', b'0'..=b'3', b'0'..=b'9', b' ', ..] => self.klog(zone),
            [b'0'..=b'9', ..] => self.day_first(zone),
            [b'A'..=b'Z', _, _, b' ' | b',', ..] => self.name_first(zone),
            _ => None,
        }
    }

    /// `2026-11-18T14:03:22.123Z`, `2026/11/18 14:03:22`, `2026-11-18`.
    fn year_first(&mut self, zone: ZoneDefault) -> Read<Timestamp> {
        let days = match self.year_month_day()? {
            Ok(days) => days,
            Err(odd) => return Some(Err(odd)),
        };
        let clock_us = match self.rest {
            [b'T' | b't' | b' ', b'0'..=b'9', b'0'..=b'9', b':', ..] => {
                self.skip(1);
                self.clock()?
            }
            [b'0'..=b'9' | b'-' | b'/' | b'T', ..] => return None,
            _ => Ok(0),
        };
        let zone = self.zone(zone)?;
        Some(moment(days, clock_us, zone))
    }

    /// `20261118T140322Z`, `20261118T140322.123-0300`: the basic format of ISO 8601.
    fn basic(&mut self, zone: ZoneDefault) -> Read<Timestamp> {
        let (year, month, day) = (self.digits(4)?, self.digits(2)?, self.digits(2)?);
        self.eat(b'T').then_some(())?;
        let (hour, minute, second) = (self.digits(2)?, self.digits(2)?, self.digits(2)?);
        let clock_us = time_of_day(hour, minute, second, self.fraction());
        let zone = self.zone(zone)?;
        Some(days_of(year, month, day).and_then(|days| moment(days, clock_us, zone)))
    }

    /// `10/Oct/2000:13:55:36 -0700` and `18 Nov 2026 14:03:22 GMT`.
    fn day_first(&mut self, zone: ZoneDefault) -> Read<Timestamp> {
        let (day, _) = self.digits_up_to(2)?;
        let separator = self.eat_any(b"/ -")?;
        let month = self.month_name()?;
        self.eat(separator).then_some(())?;
        let year = self.digits(4)?;
        self.eat_any(b": ")?;
        let clock_us = self.clock()?;
        let zone = self.zone(zone)?;
        Some(days_of(year, month, day).and_then(|days| moment(days, clock_us, zone)))
    }

    /// `1118 14:03:22.123456`, after the letter of its severity.
    fn klog(&mut self, zone: ZoneDefault) -> Read<Timestamp> {
        let (month, day) = (self.digits(2)?, self.digits(2)?);
        self.eat(b' ').then_some(())?;
        let clock_us = self.clock()?;
        let assumed = (i64::from(zone.offset_s), true);
        Some(moment_of_year(i64::from(zone.year), (month, day), clock_us, assumed))
    }

    /// `Nov 18 14:03:22`, `Wed Nov 18 14:03:22.123456 2026`, `Wed, 18 Nov 2026 14:03:22 GMT`.
    fn name_first(&mut self, zone: ZoneDefault) -> Read<Timestamp> {
        if self.weekday_name() {
            self.eat(b',');
            self.eat(b' ').then_some(())?;
            if self.rest.first()?.is_ascii_digit() {
                return self.day_first(zone);
            }
        }
        let month = self.month_name()?;
        self.eat(b' ').then_some(())?;
        self.eat(b' ');
        let (day, _) = self.digits_up_to(2)?;
        self.eat(b' ').then_some(())?;
        let year_before = self.year_then_blank();
        let clock_us = self.clock()?;
        let year_after = if year_before.is_none() { self.blank_then_year() } else { None };
        let year = year_before.or(year_after).unwrap_or(i64::from(zone.year));
        let offset = self.zone(zone)?;
        Some(moment_of_year(year, (month, day), clock_us, offset))
    }

    pub(super) fn year_month_day(&mut self) -> Read<i64> {
        let year = self.digits(4)?;
        let separator = self.eat_any(b"-/")?;
        let month = self.digits(2)?;
        self.eat(separator).then_some(())?;
        let day = self.digits(2)?;
        Some(days_of(year, month, day))
    }

    /// `14:03`, `14:03:22`, `14:03:22.123456789`, `14:03:22,123`: microseconds of the day.
    fn clock(&mut self) -> Read<i64> {
        let hour = self.digits(2)?;
        self.eat(b':').then_some(())?;
        let minute = self.digits(2)?;
        let mut second = 0;
        let mut fraction_us = 0;
        if let [b':', b'0'..=b'9', ..] = self.rest {
            self.skip(1);
            second = self.digits(2)?;
            fraction_us = self.fraction();
        }
        Some(time_of_day(hour, minute, second, fraction_us))
    }

    /// `.123456789` or `,123` as microseconds; 0 when there is none.
    fn fraction(&mut self) -> i64 {
        let [b'.' | b',', b'0'..=b'9', ..] = self.rest else { return 0 };
        self.skip(1);
        let len = self.rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, rest) = self.rest.split_at(len);
        self.rest = rest;
        first_digits(digits, 6)
    }

    /// A zone after the clock, if there is one. `None` only for a numeric zone that is broken.
    fn zone(&mut self, default: ZoneDefault) -> Option<Zone> {
        match self.rest {
            [b'Z' | b'z', ..] => self.skip(1),
            [b'+' | b'-', b'0'..=b'9', b'0'..=b'9', ..] => return self.offset(),
            [b' ', b'+' | b'-', b'0'..=b'9', b'0'..=b'9', ..] => {
                self.skip(1);
                let offset = self.offset();
                self.go_suffix();
                return offset;
            }
            [b' ', rest @ ..] => return Some(self.zone_name(rest, default)),
            _ => return Some((i64::from(default.offset_s), true)),
        }
        self.zone_id();
        Some((0, false))
    }

    /// `+02:00`, `-0300`, `-03`, and the bracketed name that Java writes after it.
    fn offset(&mut self) -> Option<Zone> {
        let sign = if self.eat_any(b"+-")? == b'-' { -1 } else { 1 };
        let hours = self.digits(2)?;
        let minutes = match self.rest {
            [b':', a, b, ..] | [a, b, ..] if a.is_ascii_digit() && b.is_ascii_digit() => {
                self.eat(b':');
                self.digits(2)?
            }
            _ => 0,
        };
        self.zone_id();
        (hours < MAX_OFFSET_HOURS && minutes < 60)
            .then_some((sign * (hours * 3600 + minutes * 60), false))
    }

    /// What Go's `time.Time` prints after its offset: the zone's name (`UTC`, `CET`, or `-03` where
    /// it has none) and the reading of the monotonic clock (`m=+0.001`).
    fn go_suffix(&mut self) {
        let Some(name) = self.rest.strip_prefix(b" ") else { return };
        let len = match name {
            [b'+' | b'-', rest @ ..] => {
                1 + rest.iter().take_while(|byte| byte.is_ascii_digit()).count()
            }
            _ => name.iter().take_while(|byte| byte.is_ascii_uppercase()).count(),
        };
        let (name, after) = name.split_at_checked(len).unwrap_or((b"", name));
        let is_known = match name {
            b"UTC" | b"GMT" => true,
            [b'+' | b'-', digits @ ..] => matches!(digits.len(), 2 | 4),
            name => ABBREVIATIONS.contains(&name),
        };
        if !is_known || after.first().is_some_and(u8::is_ascii_alphanumeric) {
            return;
        }
        self.rest = after;
        if let [b' ', b'm', b'=', b'+' | b'-', reading @ ..] = after {
            let is_part = |byte: &&u8| byte.is_ascii_digit() || **byte == b'.';
            let len = reading.iter().take_while(is_part).count();
            if len > 0 {
                self.rest = reading.get(len..).unwrap_or_default();
            }
        }
    }

    /// `UTC`, `GMT`, `GMT-0300`; other abbreviations are taken and flagged as not understood.
    fn zone_name(&mut self, after_blank: &[u8], default: ZoneDefault) -> Zone {
        let len = after_blank.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
        let (name, rest) = after_blank.split_at_checked(len).unwrap_or((b"", after_blank));
        let assumed = (i64::from(default.offset_s), true);
        let ends = !rest.first().is_some_and(u8::is_ascii_alphanumeric);
        let known = matches!(name, b"UTC" | b"GMT" | b"Z");
        // Other words in capitals are levels and methods: `INFO`, `POST`.
        if !known && (!ends || !ABBREVIATIONS.contains(&name)) {
            return assumed;
        }
        self.skip(1 + len);
        if !known {
            return assumed;
        }
        if let [b'+' | b'-', b'0'..=b'9', b'0'..=b'9', ..] = self.rest {
            return self.offset().unwrap_or(assumed);
        }
        (0, false)
    }

    /// `[America/Argentina/Buenos_Aires]` after an offset.
    fn zone_id(&mut self) {
        let [b'[', inside @ ..] = self.rest else {
            return;
        };
        let len = inside.iter().take_while(|b| b.is_ascii_alphanumeric() || b"/_+-".contains(b));
        let len = len.count();
        let (name, rest) = inside.split_at_checked(len).unwrap_or((b"", inside));
        if let [b']', rest @ ..] = rest
            && (name.contains(&b'/') || name == b"UTC")
        {
            self.skip(self.rest.len() - rest.len());
        }
    }

    fn month_name(&mut self) -> Option<i64> {
        const NAMES: [&[u8; 3]; 12] = [
            b"Jan", b"Feb", b"Mar", b"Apr", b"May", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov",
            b"Dec",
        ];
        let (name, rest) = self.rest.split_first_chunk::<3>()?;
        let index = NAMES.iter().position(|known| *known == name)?;
        self.rest = rest;
        Some(index as i64 + 1)
    }

    fn weekday_name(&mut self) -> bool {
        const NAMES: [&[u8; 3]; 7] = [b"Mon", b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun"];
        match self.rest.split_first_chunk::<3>() {
            Some((name, rest)) if NAMES.contains(&name) => {
                self.rest = rest;
                true
            }
            _ => false,
        }
    }

    fn year_then_blank(&mut self) -> Option<i64> {
        let mut ahead = Reader { rest: self.rest };
        let year = ahead.digits(4)?;
        ahead.eat(b' ').then_some(())?;
        self.skip(5);
        Some(year)
    }

    fn blank_then_year(&mut self) -> Option<i64> {
        let mut ahead = Reader { rest: self.rest };
        ahead.eat(b' ').then_some(())?;
        let year = ahead.digits(4)?;
        if ahead.rest.first().is_some_and(u8::is_ascii_alphanumeric) {
            return None;
        }
        self.skip(5);
        Some(year)
    }

    #[inline]
    fn digits(&mut self, count: usize) -> Option<i64> {
        let (digits, rest) = self.rest.split_at_checked(count)?;
        let mut number = 0;
        for byte in digits {
            number = number * 10 + digit(*byte)?;
        }
        self.rest = rest;
        Some(number)
    }

    /// One to `most` digits; `None` if there are none or more.
    pub(super) fn digits_up_to(&mut self, most: usize) -> Option<(i64, usize)> {
        let len = self.rest.iter().take(most + 1).take_while(|b| b.is_ascii_digit()).count();
        if len == 0 || len > most {
            return None;
        }
        let (digits, rest) = self.rest.split_at_checked(len)?;
        let mut number = 0_i64;
        for byte in digits {
            number = number.checked_mul(10)?.checked_add(digit(*byte)?)?;
        }
        self.rest = rest;
        Some((number, len))
    }

    pub(super) fn eat(&mut self, byte: u8) -> bool {
        let found = self.rest.first() == Some(&byte);
        if found {
            self.skip(1);
        }
        found
    }

    fn eat_any(&mut self, bytes: &[u8]) -> Option<u8> {
        let first = *self.rest.first()?;
        bytes.contains(&first).then(|| {
            self.skip(1);
            first
        })
    }

    fn skip(&mut self, count: usize) {
        self.rest = self.rest.get(count..).unwrap_or_default();
    }
}

fn time_of_day(hour: i64, minute: i64, second: i64, fraction_us: i64) -> Result<i64, TimeOdd> {
    if hour > 23 || minute > 59 || second > 60 {
        return Err(TimeOdd::Impossible);
    }
    // POSIX time has no leap second: it becomes the last moment of its minute.
    let (second, fraction_us) = if second == 60 { (59, 999_999) } else { (second, fraction_us) };
    Ok((hour * 3600 + minute * 60 + second) * SECOND_US + fraction_us)
}

/// A moment whose year may be unknown (0).
fn moment_of_year(
    year: i64,
    (month, day): (i64, i64),
    clock_us: Result<i64, TimeOdd>,
    zone: Zone,
) -> Result<Timestamp, TimeOdd> {
    if year == 0 {
        return Err(TimeOdd::OutOfRange);
    }
    moment(days_of(year, month, day)?, clock_us, zone)
}

fn moment(days: i64, clock_us: Result<i64, TimeOdd>, zone: Zone) -> Result<Timestamp, TimeOdd> {
    let (offset_s, zone_assumed) = zone;
    let micros = in_range(days * DAY_US + clock_us? - offset_s * SECOND_US)?;
    Ok(Timestamp { micros, zone_assumed })
}

/// Days from 1970-01-01 to a date of the Gregorian calendar.
///
/// Source: H. Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`.
fn days_of(year: i64, month: i64, day: i64) -> Result<i64, TimeOdd> {
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let month_len = match month {
        2 if leap => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return Err(TimeOdd::Impossible),
    };
    if day < 1 || day > month_len {
        return Err(TimeOdd::Impossible);
    }
    // Years begin in March, so that the leap day is the last of its year.
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    Ok(era * 146_097 + day_of_era - 719_468)
}
