//! iCalendar (RFC 5545): the times, SUMMARY and CATEGORIES of each VEVENT.
//!
//! Events that repeat daily or weekly do so for twenty years; that others repeat is told, and
//! only their first time is known.

use jiff::civil::{Date, DateTime, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, ToSpan};

use super::{MAX_MARKS, Mistake, Told};

/// Days for which a repetition without an end goes on: twenty years.
const MAX_DAYS: i64 = 7_305;
const WEEKDAYS: [(&str, Weekday); 7] = [
    ("MO", Weekday::Monday),
    ("TU", Weekday::Tuesday),
    ("WE", Weekday::Wednesday),
    ("TH", Weekday::Thursday),
    ("FR", Weekday::Friday),
    ("SA", Weekday::Saturday),
    ("SU", Weekday::Sunday),
];

/// Every event of a calendar, and what of it is none; `zone` is that of times without one.
pub(super) fn events(text: &str, zone: &TimeZone) -> Vec<Result<Told, Mistake>> {
    let unfolded = text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    let mut all = Vec::new();
    let mut entry: Option<Entry> = None;
    // What stands in an alarm is not the event's.
    let mut depth = 0_usize;
    for line in unfolded.lines() {
        if all.len() > MAX_MARKS {
            all.push(Err((None, format!("what comes after {MAX_MARKS} times is left out"))));
            break;
        }
        let Some((name, value)) = line.split_once(':') else { continue };
        let (name, parameters) = name.split_once(';').unwrap_or((name, ""));
        match (name.to_ascii_uppercase().as_str(), entry.as_mut()) {
            ("BEGIN", None) if value == "VEVENT" => entry = Some(Entry::default()),
            ("BEGIN", Some(_)) => depth += 1,
            ("END", Some(_)) if depth > 0 => depth -= 1,
            ("END", _) if value == "VEVENT" => {
                all.extend(entry.take().into_iter().flat_map(Entry::told));
            }
            (name, Some(entry)) if depth == 0 => entry.take(name, (parameters, value), zone),
            _ => {}
        }
    }
    all
}

/// What an entry has, as far as it could be read.
#[derive(Default)]
struct Entry {
    start: Option<Moment>,
    end: Option<Moment>,
    duration: Option<Span>,
    summary: String,
    categories: Vec<String>,
    repeats: Option<String>,
    /// Days of the repetition on which it does not take place.
    but_on: Vec<Date>,
    /// A time that could not be read.
    odd: Option<String>,
}

/// A local time in a zone; a day is its first moment.
#[derive(Clone)]
struct Moment {
    civil: DateTime,
    zone: TimeZone,
    is_day: bool,
}

impl Entry {
    fn take(&mut self, name: &str, (parameters, value): (&str, &str), zone: &TimeZone) {
        let mut moment = || {
            let moment = Moment::of(value, parameters, zone);
            if moment.is_none() {
                self.odd = Some(format!("{value:?} is no time"));
            }
            moment
        };
        match name {
            "DTSTART" => self.start = moment(),
            "DTEND" => self.end = moment(),
            "EXDATE" => {
                let days = value.split(',').filter_map(|day| Moment::of(day, parameters, zone));
                self.but_on.extend(days.map(|moment| moment.civil.date()));
            }
            "DURATION" => match value.parse() {
                Ok(duration) => self.duration = Some(duration),
                Err(_) => self.odd = Some(format!("{value:?} is no length of time")),
            },
            "SUMMARY" => self.summary = unescaped(value),
            "CATEGORIES" => self.categories.extend(value.split(',').map(str::to_owned)),
            "RRULE" => self.repeats = Some(value.to_owned()),
            _ => {}
        }
    }

    /// Each time it takes place, or what it lacks.
    fn told(self) -> Vec<Result<Told, Mistake>> {
        let name = self.summary.clone();
        let wrong = |what: &str| {
            let about = if name.is_empty() { String::new() } else { format!("`{name}`: ") };
            vec![Err((None, format!("{about}{what}")))]
        };
        if let Some(odd) = &self.odd {
            return wrong(odd);
        }
        let Some(start) = &self.start else { return wrong("there is no DTSTART") };
        let end = match (&self.end, self.duration) {
            (Some(end), _) => Some(end.clone()),
            (None, Some(duration)) => start.later(duration),
            // RFC 5545: a day without an end is that day.
            (None, None) => {
                Some(start.clone()).filter(|it| it.is_day).and_then(|it| it.later(1.day()))
            }
        };
        let times = |after: i64| -> Option<Told> {
            let until = match &end {
                Some(end) => Some(end.later(after.days())?.us()?),
                None => None,
            };
            let at_us = start.later(after.days())?.us()?;
            let (name, kinds) = (Some(self.summary.clone()), self.categories.clone());
            Some(Told { at_us, until_us: until, name, kinds })
        };
        let days = match &self.repeats {
            None => Some(vec![0]),
            Some(rule) => repetition(rule, start),
        };
        let is_known = days.is_some();
        let is_on = |after: &i64| {
            let day = start.civil.date().checked_add(after.days());
            !day.is_ok_and(|day| self.but_on.contains(&day))
        };
        let days = days.unwrap_or_else(|| vec![0]).into_iter().filter(is_on);
        let mut all: Vec<Result<Told, Mistake>> = days
            .map(|after| {
                times(after).ok_or_else(|| (None, format!("`{name}`: a time is too far off")))
            })
            .collect();
        if !is_known {
            all.extend(wrong("it repeats, of which only the first time is known"));
        }
        all
    }
}

impl Moment {
    fn of(value: &str, parameters: &str, zone: &TimeZone) -> Option<Self> {
        let named = parameters.split(';').find_map(|parameter| parameter.strip_prefix("TZID="));
        let zone = match named {
            Some(name) => TimeZone::get(name.trim_matches('"')).unwrap_or_else(|_| zone.clone()),
            None if value.ends_with('Z') => TimeZone::UTC,
            None => zone.clone(),
        };
        let value = value.trim_end_matches('Z');
        // A day can be read as its first moment too.
        let is_day = !value.contains('T');
        let civil = if is_day {
            value.parse::<Date>().ok()?.to_datetime(Time::midnight())
        } else {
            value.parse::<DateTime>().ok()?
        };
        Some(Self { civil, zone, is_day })
    }

    fn later(&self, span: Span) -> Option<Self> {
        Some(Self { civil: self.civil.checked_add(span).ok()?, ..self.clone() })
    }

    fn us(&self) -> Option<i64> {
        Some(self.civil.to_zoned(self.zone.clone()).ok()?.timestamp().as_microsecond())
    }
}

/// Days after the first on which it takes place; `None` for what is not daily or weekly.
fn repetition(rule: &str, start: &Moment) -> Option<Vec<i64>> {
    let mut weekdays = vec![start.civil.weekday()];
    let (mut step, mut most, mut last) = (1_i64, usize::MAX, None);
    let mut is_weekly = None;
    for part in rule.split(';') {
        let (key, value) = part.split_once('=')?;
        match key {
            "FREQ" if value == "DAILY" => is_weekly = Some(false),
            "FREQ" if value == "WEEKLY" => is_weekly = Some(true),
            "INTERVAL" => step = value.parse().ok().filter(|step| *step > 0)?,
            "COUNT" => most = value.parse().ok()?,
            "UNTIL" => last = Some(Moment::of(value, "", &start.zone)?),
            "BYDAY" => {
                let day = |word: &str| {
                    let known = WEEKDAYS.iter().find(|(known, _)| *known == word);
                    known.map(|(_, weekday)| *weekday)
                };
                weekdays = value.split(',').map(day).collect::<Option<_>>()?;
            }
            "WKST" => {}
            _ => return None,
        }
    }
    let is_weekly = is_weekly?;
    let first_weekday = i64::from(start.civil.weekday().to_monday_zero_offset());
    let takes_place = |after: &i64| {
        let is_step =
            if is_weekly { (after + first_weekday) / 7 % step } else { after % step } == 0;
        let weekday = start.civil.weekday().wrapping_add(*after);
        let is_day = (!is_weekly && !rule.contains("BYDAY")) || weekdays.contains(&weekday);
        is_step && is_day
    };
    let last_us = match last {
        // A last day is meant whole.
        Some(last) if last.is_day => last.later(1.day())?.us(),
        Some(last) => Some(last.us()?.saturating_add(1)),
        None => None,
    };
    let is_in_time = |after: &i64| {
        let at_us = start.later(after.days()).and_then(|moment| moment.us());
        at_us.is_some_and(|at_us| last_us.is_none_or(|last_us| at_us < last_us))
    };
    Some((0..MAX_DAYS).filter(takes_place).take(most).take_while(is_in_time).collect())
}

fn unescaped(value: &str) -> String {
    value.replace("\\,", ",").replace("\\;", ";").replace("\\n", " ").replace("\\N", " ")
}
