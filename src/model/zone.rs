//! Time zones by the names people give them.

use jiff::tz::{Offset, TimeZone};

/// Offsets are at most so far from UTC; no clock is set further.
const MAX_OFFSET_MINUTES: i32 = 14 * 60;

/// A zone by its IANA name, or by its offset: `-03:00`, `+0530`, `UTC-3`.
///
/// The sign is as people write it, east of UTC is `+`; that of `Etc/GMT+3` is the other way round.
pub fn time_zone(name: &str) -> Option<TimeZone> {
    TimeZone::get(name).ok().or_else(|| offset(name).map(TimeZone::fixed))
}

/// The name by which [`time_zone`] finds the same zone again.
pub fn zone_name(zone: &TimeZone) -> String {
    match (zone.iana_name(), zone.to_fixed_offset()) {
        (Some(name), _) => name.to_owned(),
        (None, Ok(offset)) => {
            let sign = if offset.is_negative() { '-' } else { '+' };
            let minutes = offset.seconds().abs() / 60;
            format!("{sign}{:02}:{:02}", minutes / 60, minutes % 60)
        }
        // Neither by name nor by offset: [`time_zone`] gives no such zone.
        (None, Err(_)) => "UTC".to_owned(),
    }
}

fn offset(name: &str) -> Option<Offset> {
    let offset = name.strip_prefix("UTC").or(name.strip_prefix("GMT")).unwrap_or(name);
    let (sign, digits) = match offset.split_at_checked(1)? {
        ("+", digits) => (1, digits),
        ("-", digits) => (-1, digits),
        _ => return None,
    };
    let (hours, minutes) = match (digits.split_once(':'), digits.len()) {
        (Some(parts), _) => parts,
        (None, 1 | 2) => (digits, "00"),
        (None, 4) => digits.split_at_checked(2)?,
        (None, _) => return None,
    };
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    if !matches!(hours.len(), 1 | 2)
        || minutes.len() != 2
        || ![hours, minutes].into_iter().all(is_number)
    {
        return None;
    }
    let minutes = minutes.parse::<u8>().ok().filter(|minutes| *minutes < 60)?;
    let minutes = hours.parse::<i32>().ok()? * 60 + i32::from(minutes);
    (minutes <= MAX_OFFSET_MINUTES).then(|| Offset::from_seconds(sign * minutes * 60).ok())?
}

#[cfg(test)]
mod tests {
    use jiff::Timestamp;

    use super::{time_zone, zone_name};

    #[test]
    fn zones_have_names_or_offsets() {
        for (name, minutes) in [
            ("UTC", Some(0)),
            ("America/Argentina/Buenos_Aires", Some(-180)),
            ("Etc/GMT+3", Some(-180)), // as POSIX has it
            ("-03:00", Some(-180)),
            ("+05:30", Some(330)),
            ("-0330", Some(-210)),
            ("+5", Some(300)),
            ("UTC-3", Some(-180)),
            ("GMT+05:45", Some(345)),
            ("+14:00", Some(840)), // the most
            ("+14:01", None),
            ("-03:60", None),
            ("+5:+3", None),
            ("+-3", None),
            ("+003", None),
            ("+é", None),
            ("03:00", None), // of which sign?
            ("+", None),
            ("", None),
            ("Mars", None),
        ] {
            let zone = time_zone(name);
            let offset = zone.clone().map(|zone| zone.to_offset(Timestamp::UNIX_EPOCH));
            assert_eq!(offset.map(|offset| offset.seconds() / 60), minutes, "{name}");
            let again = zone.as_ref().and_then(|zone| time_zone(&zone_name(zone)));
            assert_eq!(again, zone, "{name}");
        }
    }
}
