//! Instants as a reader sees them: UTC, with the local time of a named zone beside it.

use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp, ToSpan, Zoned};

use crate::model::{Report, Window, time_zone};

use super::visible;

/// Most ticks made for one axis; a layout leaves out those that do not fit.
const TICKS_MAX: usize = 24;

/// The zone in which a report counts its days.
pub(crate) struct Zone {
    tz: TimeZone,
    /// IANA name or offset, or `UTC` when the report's name is not known.
    pub(crate) name: String,
}

/// A place on a time axis.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Tick {
    /// Microseconds since the epoch, UTC.
    pub(crate) at_us: i64,
    /// Text under the axis.
    pub(crate) label: String,
}

impl Zone {
    /// The zone of a report; a name that is no zone's counts as UTC.
    pub(crate) fn of(report: &Report) -> Self {
        match time_zone(&report.zone) {
            Some(tz) if !is_utc(&report.zone) => Self { tz, name: visible::name(&report.zone) },
            _ => Self { tz: TimeZone::UTC, name: "UTC".to_owned() },
        }
    }

    /// `Wed 18 Nov 14:11 UTC`.
    pub(crate) fn utc(at_us: i64) -> String {
        formatted(at_us, TimeZone::UTC, "%a %-d %b %H:%M UTC")
    }

    /// `Wed 18 Nov 14:11:05 UTC`.
    pub(crate) fn utc_second(at_us: i64) -> String {
        formatted(at_us, TimeZone::UTC, "%a %-d %b %H:%M:%S UTC")
    }

    /// `14:11`, UTC.
    pub(crate) fn utc_clock(at_us: i64) -> String {
        formatted(at_us, TimeZone::UTC, "%H:%M")
    }

    /// `Wed 11:11 America/Argentina/Buenos_Aires`; `None` when the zone is UTC.
    pub(crate) fn local(&self, at_us: i64) -> Option<String> {
        (self.name != "UTC").then(|| formatted(at_us, self.tz.clone(), "%a %H:%M ") + &self.name)
    }

    /// `16 Nov 03:00` for a table row, in this zone.
    pub(crate) fn row(&self, at_us: i64) -> String {
        formatted(at_us, self.tz.clone(), "%a %-d %b %H:%M")
    }

    /// `9–15 Nov 2026` in this zone, with clock times when the window is shorter than two days.
    pub(crate) fn window(&self, window: Window) -> String {
        let (start, end) = (window.start_us, window.end_us.saturating_sub(1));
        if length_s(window) < 2.0 * 86_400.0 {
            let day = formatted(start, self.tz.clone(), "%-d %b %Y");
            let last_day = formatted(end, self.tz.clone(), "%-d %b %Y");
            let from = formatted(start, self.tz.clone(), "%H:%M");
            let to = formatted(window.end_us, self.tz.clone(), "%H:%M");
            return if day == last_day {
                format!("{day} {from}–{to}")
            } else {
                format!("{day} {from} – {last_day} {to}")
            };
        }
        let to = formatted(end, self.tz.clone(), "%-d %b %Y");
        format!("{} – {to}", formatted(start, self.tz.clone(), "%-d %b"))
    }

    /// Ticks at readable places: whole minutes, hours, local days or weeks.
    pub(crate) fn ticks(&self, span: Window) -> Vec<Tick> {
        const STEPS_S: [(i64, &str); 9] = [
            (60, "%H:%M"),
            (300, "%H:%M"),
            (900, "%H:%M"),
            (3_600, "%H:%M"),
            (10_800, "%H:%M"),
            (86_400, "%a %-d"),
            (7 * 86_400, "%-d %b"),
            (28 * 86_400, "%-d %b"),
            (364 * 86_400, "%b %Y"),
        ];
        let span_s = length_s(span);
        let fits = |step_s: i64| span_s / step_s as f64 <= 15.0;
        let Some((step_s, format)) = STEPS_S.into_iter().find(|step| fits(step.0)) else {
            return Vec::new();
        };
        let Some(midnight) = self.midnight_before(span.start_us) else { return Vec::new() };
        let mut ticks = Vec::new();
        let skipped = (span.start_us - midnight.timestamp().as_microsecond()) / 1_000_000 / step_s;
        for index in skipped..skipped + TICKS_MAX as i64 {
            let Some(at) = step_from(&midnight, index, step_s) else { break };
            let at_us = at.timestamp().as_microsecond();
            if at_us >= span.end_us {
                break;
            }
            if at_us >= span.start_us {
                ticks.push(Tick { at_us, label: at.strftime(format).to_string() });
            }
        }
        ticks
    }

    fn midnight_before(&self, at_us: i64) -> Option<Zoned> {
        let at = Timestamp::from_microsecond(at_us).ok()?.to_zoned(self.tz.clone());
        let date: Date = at.date();
        date.to_zoned(self.tz.clone()).ok()
    }
}

/// Microseconds of an RFC 3339 instant; `None` when it is not one.
pub(crate) fn instant_us(rfc3339: &str) -> Option<i64> {
    rfc3339.parse::<Timestamp>().ok().map(Timestamp::as_microsecond)
}

/// Days are calendar days (23 to 25 hours); shorter steps are exact.
fn step_from(midnight: &Zoned, index: i64, step_s: i64) -> Option<Zoned> {
    if step_s % 86_400 == 0 {
        let days = index.checked_mul(step_s / 86_400)?;
        return midnight.checked_add(days.days()).ok();
    }
    midnight.checked_add(SignedDuration::from_secs(index.checked_mul(step_s)?)).ok()
}

/// In floating point, because the ends of a hostile window may be further apart than `i64` holds.
fn length_s(window: Window) -> f64 {
    (window.end_us as f64 - window.start_us as f64) / 1e6
}

fn is_utc(name: &str) -> bool {
    matches!(name, "UTC" | "Etc/UTC" | "Z" | "")
}

/// An instant beyond the calendar is shown as its number.
fn formatted(at_us: i64, tz: TimeZone, format: &str) -> String {
    Timestamp::from_microsecond(at_us)
        .map_or_else(|_| format!("{at_us} µs"), |at| at.to_zoned(tz).strftime(format).to_string())
}

#[cfg(test)]
mod tests {
    use super::{Zone, instant_us};
    use crate::model::Window;
    use jiff::tz::TimeZone;

    fn zone(name: &str) -> Zone {
        Zone { tz: TimeZone::get(name).unwrap(), name: name.to_owned() }
    }

    fn window(from: &str, to: &str) -> Window {
        Window { start_us: instant_us(from).unwrap(), end_us: instant_us(to).unwrap() }
    }

    #[test]
    fn instants_name_their_zone() {
        let at_us = instant_us("2026-11-18T14:11:00Z").unwrap();
        let local = zone("America/Argentina/Buenos_Aires").local(at_us);
        assert_eq!(Zone::utc(at_us), "Wed 18 Nov 14:11 UTC");
        assert_eq!(local.unwrap(), "Wed 11:11 America/Argentina/Buenos_Aires");
        assert_eq!(zone("UTC").local(at_us), None);
        assert_eq!(instant_us("yesterday"), None);
        assert_eq!(Zone::utc(i64::MAX), format!("{} µs", i64::MAX));
    }

    #[test]
    fn windows_are_days_or_clock_times() {
        let check = |from: &str, to: &str, want: &str| {
            assert_eq!(zone("UTC").window(window(from, to)), want);
        };
        check("2026-11-16T00:00:00Z", "2026-11-23T00:00:00Z", "16 Nov – 22 Nov 2026");
        check("2026-11-16T08:00:00Z", "2026-11-16T14:24:00Z", "16 Nov 2026 08:00–14:24");
        check(
            "2026-11-16T22:00:00Z",
            "2026-11-17T02:00:00Z",
            "16 Nov 2026 22:00 – 17 Nov 2026 02:00",
        );
    }

    #[test]
    fn ticks_are_local_midnights_also_when_clocks_change() {
        let zone = zone("Europe/Madrid");
        let ticks = zone.ticks(window("2026-10-22T22:00:00Z", "2026-10-28T23:00:00Z"));
        let labels: Vec<&str> = ticks.iter().map(|tick| tick.label.as_str()).collect();
        // 25 October has 25 hours; each tick is still a midnight.
        assert_eq!(labels, ["Fri 23", "Sat 24", "Sun 25", "Mon 26", "Tue 27", "Wed 28"]);
    }

    #[test]
    fn every_span_has_a_bounded_number_of_ticks() {
        for (seconds, least) in [(0, 0), (1, 0), (600, 9), (7_200, 7), (86_400, 7), (864_000, 9)] {
            let start_us = 1_794_000_000_000_000;
            let span = Window { start_us, end_us: start_us + seconds * 1_000_000 };
            let count = zone("UTC").ticks(span).len();
            assert!((least..=24).contains(&count), "{seconds} s gave {count}");
        }
        let beyond = Window { start_us: i64::MIN, end_us: i64::MAX };
        assert!(zone("UTC").ticks(beyond).is_empty());
    }
}
