//! Known events, such as deploys and holidays, from files and from the configured calendars.
//!
//! What a user names for the occasion must be right: the first mistake in it is an error. Of a
//! configured calendar the events that can be read count; the others are counted and told.

mod ics;
mod json;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::check::relative;
use super::error::{BAD_VALUE, Failure, PATH_HINT, UNREADABLE};
use crate::config::{Calendar, CalendarDays, CalendarKind, EventFields};
use crate::model::{EventMark, one_line};
use crate::source::{Input, discover};

/// Largest file of events, bytes.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// Events taken from all files.
const MAX_MARKS: usize = 10_000;
/// Files of one calendar.
const MAX_FILES: usize = 10_000;
/// Longest name that is kept, characters.
const MAX_NAME: usize = 200;
/// Kinds of trouble that are told of one calendar.
const MAX_TOLD: usize = 5;
/// A line of a file of events.
const EXAMPLE: &str =
    r#"a line looks like {"ts":"2026-11-18T14:12:00Z","kind":"deploy","name":"v1.42.0"}"#;

/// Words for the kinds of events, in the languages of the platforms that are known.
const KIND_WORDS: [(CalendarKind, &[&str]); 4] = [
    (CalendarKind::Deploy, &["deploy", "deployment", "release", "despliegue"]),
    (
        CalendarKind::Exam,
        &["exam", "exams", "examen", "exámenes", "examenes", "evaluación", "evaluacion"],
    ),
    (CalendarKind::Holiday, &["holiday", "holidays", "feriado", "asueto", "receso", "vacaciones"]),
    (CalendarKind::Maintenance, &["maintenance", "mantenimiento", "downtime"]),
];

/// What is known, and what of it could not be read.
#[derive(Debug, Default)]
pub(super) struct Events {
    pub(super) marks: Vec<EventMark>,
    /// One sentence each. May hold hostile text.
    pub(super) notes: Vec<String>,
}

/// How the events of a file are understood.
struct Reader<'a> {
    /// Zone of times and days without one.
    zone: &'a TimeZone,
    /// The calendar that names the file.
    calendar: Option<&'a Calendar>,
    fields: &'a EventFields,
}

/// An event as a file tells it.
struct Told {
    at_us: i64,
    until_us: Option<i64>,
    name: Option<String>,
    /// Words for its kind, best first.
    kinds: Vec<String>,
}

/// Where something is wrong, if the file has lines, and what.
type Mistake = (Option<usize>, String);

/// The events of the configured calendars and of some more files, each file once; with the zone of
/// times and days without one.
pub(super) fn known(
    (calendars, calendar_zone): (&[Calendar], &TimeZone),
    (files, zone): (&[PathBuf], &TimeZone),
) -> Result<Events, Failure> {
    let mut events = Events::default();
    let mut seen: Vec<PathBuf> = Vec::new();
    let mut is_new = |path: &Path| {
        let canonical = path.canonicalize().unwrap_or_else(|_| path.to_owned());
        let is_new = !seen.contains(&canonical);
        seen.push(canonical);
        is_new
    };
    // A calendar says more about a file than that it lies beside the logs.
    for calendar in calendars {
        events.add_calendar(calendar, calendar_zone, &mut is_new)?;
    }
    let fields = EventFields::default();
    let reader = Reader { zone, calendar: None, fields: &fields };
    for path in files.iter().filter(|path| is_new(path)) {
        let (marks, mistakes) = reader.file(path)?;
        let is_ics = path.extension().is_some_and(|ending| ending == "ics");
        if is_ics {
            events.note(&format!("events `{}`", path.display()), mistakes);
        } else if let Some((line, what)) = mistakes.into_iter().next() {
            let line = line.map_or_else(String::new, |line| format!(", line {line}"));
            let message = format!("events `{}`{line}: {what}", path.display());
            return Err(Failure::new(&BAD_VALUE, one_line(&message)).hint(EXAMPLE));
        }
        events.marks.extend(marks);
    }
    let too_many = events.marks.len().saturating_sub(MAX_MARKS);
    if too_many > 0 {
        events.marks.truncate(MAX_MARKS);
        events.notes.push(format!("{too_many} known events are left out: at most {MAX_MARKS}"));
    }
    Ok(events)
}

/// Calendars that lie directly in a directory among the inputs.
pub(super) fn calendars_in(words: &[String]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for word in words.iter().filter(|word| Path::new(word).is_dir()) {
        let entries = fs::read_dir(word).into_iter().flatten().flatten();
        let paths = entries.map(|entry| entry.path());
        found.extend(paths.filter(|path| path.extension().is_some_and(|e| e == "ics")));
    }
    found.sort();
    found
}

impl Events {
    fn add_calendar(
        &mut self,
        calendar: &Calendar,
        zone: &TimeZone,
        is_new: &mut dyn FnMut(&Path) -> bool,
    ) -> Result<(), Failure> {
        let about = format!("calendar `{}`", calendar.name);
        let read =
            |path: &Path, fields| Reader { zone, calendar: Some(calendar), fields }.file(path);
        match &calendar.days {
            CalendarDays::Between(from, to) => {
                self.marks.extend(between(calendar, *from, *to, zone));
            }
            CalendarDays::File(path, fields) => {
                if is_new(path) {
                    let (marks, mistakes) = read(path, fields)?;
                    self.marks.extend(marks);
                    self.note(&about, mistakes);
                }
            }
            CalendarDays::Files(globs, fields) => {
                let mut mistakes: Vec<Mistake> = Vec::new();
                let mut files: Vec<PathBuf> = Vec::new();
                for glob in globs {
                    match discover(std::slice::from_ref(glob)) {
                        Ok(found) => files.extend(found.inputs.into_iter().filter_map(path_of)),
                        Err(error) => mistakes.push((None, error.to_string())),
                    }
                }
                if files.len() > MAX_FILES {
                    let more = files.len() - MAX_FILES;
                    self.notes
                        .push(format!("{about}: {more} files more than {MAX_FILES} are left out"));
                }
                for path in files.iter().take(MAX_FILES).filter(|path| is_new(path)) {
                    match read(path, fields) {
                        Ok((marks, wrong)) => {
                            self.marks.extend(marks);
                            mistakes.extend(wrong);
                        }
                        Err(failure) => mistakes.push((None, failure.message)),
                    }
                }
                self.note(&about, mistakes);
            }
        }
        Ok(())
    }

    /// Tells what could not be read: how often, and what is wrong.
    fn note(&mut self, about: &str, mistakes: Vec<Mistake>) {
        let mut counts: BTreeMap<String, usize> = BTreeMap::new();
        for (_, what) in mistakes {
            *counts.entry(what).or_default() += 1;
        }
        let all = counts.values().sum::<usize>();
        let mut counts: Vec<(String, usize)> = counts.into_iter().collect();
        counts.sort_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        for (what, count) in counts.iter().take(MAX_TOLD) {
            let times = if *count == 1 { String::new() } else { format!(" ({count} times)") };
            self.notes.push(one_line(&format!("{about}: {what}{times}")).into_owned());
        }
        if counts.len() > MAX_TOLD {
            self.notes.push(format!("{about}: {all} such troubles in all"));
        }
    }
}

fn path_of(input: Input) -> Option<PathBuf> {
    match input {
        Input::Named(path) | Input::Found(path) => Some(path),
        Input::Stdin => None,
    }
}

fn between(calendar: &Calendar, from: Date, to: Date, zone: &TimeZone) -> Option<EventMark> {
    Some(EventMark {
        kind: calendar.kind.as_str().to_owned(),
        name: calendar.name.clone(),
        at_us: midnight_us(from, zone)?,
        until_us: to.tomorrow().ok().and_then(|day| midnight_us(day, zone)),
        origin: "file".to_owned(),
    })
}

/// The first moment of a day.
fn midnight_us(day: Date, zone: &TimeZone) -> Option<i64> {
    Some(day.to_zoned(zone.clone()).ok()?.timestamp().as_microsecond())
}

impl Reader<'_> {
    /// The events of a file, and what in it is none.
    fn file(&self, path: &Path) -> Result<(Vec<EventMark>, Vec<Mistake>), Failure> {
        let unreadable = |error: std::io::Error| {
            let path = path.display().to_string();
            let message = format!("cannot read events `{}`: {error}", one_line(&path));
            Failure::new(&UNREADABLE, message).hint(PATH_HINT)
        };
        let bytes = fs::metadata(path).map_err(unreadable)?.len();
        if bytes > MAX_BYTES {
            let message =
                format!("events `{}` have {bytes} bytes, at most {MAX_BYTES}", path.display());
            return Err(Failure::new(&BAD_VALUE, message).hint("list deploys, not log records"));
        }
        let text = String::from_utf8_lossy(&fs::read(path).map_err(unreadable)?).into_owned();
        let text = text.trim_start_matches('\u{feff}');
        let is_ics = text.trim_start().starts_with("BEGIN:VCALENDAR");
        let told = if is_ics {
            ics::events(text, self.zone)
        } else {
            json::events(text, (self.fields, self.zone))
        };
        let (mut marks, mut mistakes) = (Vec::new(), Vec::new());
        for told in told {
            match told.and_then(|told| self.mark(told, is_ics).map_err(|what| (None, what))) {
                Ok(mark) => marks.push(mark),
                // Of a tree of documents it is the file that says where it is.
                Err((line, what)) if self.calendar.is_some() => {
                    let line = line.map_or_else(String::new, |line| format!(", line {line}"));
                    mistakes.push((None, format!("`{}`{line}: {what}", relative(path))));
                }
                Err(mistake) => mistakes.push(mistake),
            }
        }
        Ok((marks, mistakes))
    }

    fn mark(&self, told: Told, is_ics: bool) -> Result<EventMark, String> {
        let Told { at_us, until_us, name, kinds } = told;
        if until_us.is_some_and(|until_us| until_us < at_us) {
            return Err("it ends before it begins".to_owned());
        }
        let name = match (name, self.calendar) {
            (Some(name), _) => name,
            (None, Some(calendar)) => calendar.name.clone(),
            (None, None) if is_ics => String::new(),
            (None, None) => return Err(json::NO_NAME.to_owned()),
        };
        let usual = if is_ics { "calendar" } else { "deploy" };
        Ok(EventMark {
            kind: self.kind(&kinds, usual),
            name: name.chars().take(MAX_NAME).collect(),
            at_us,
            until_us,
            origin: "file".to_owned(),
        })
    }

    /// The kind that the event says, if it is known; else that of the calendar, else its own word.
    fn kind(&self, own: &[String], usual: &str) -> String {
        let words: Vec<String> = own.iter().map(|word| word.trim().to_lowercase()).collect();
        let known = words.iter().find_map(|word| {
            let is_it = |(_, all): &&(CalendarKind, &[&str])| all.contains(&word.as_str());
            KIND_WORDS.iter().find(is_it).map(|(kind, _)| kind.as_str())
        });
        let said = self.calendar.map(|calendar| calendar.kind);
        let said = said.filter(|kind| *kind != CalendarKind::Other).map(CalendarKind::as_str);
        let usual = if self.calendar.is_some() { CalendarKind::Other.as_str() } else { usual };
        let kind = known.or(said).or(words.first().map(String::as_str)).unwrap_or(usual);
        kind.chars().take(MAX_NAME).collect()
    }
}
