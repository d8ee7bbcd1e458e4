//! Deploys and calendars from files: JSON lines, JSON, or iCalendar.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use serde::Deserialize;

use super::error::{BAD_VALUE, Failure, PATH_HINT, UNREADABLE};
use crate::decode::{ZoneDefault, parse_time};
use crate::model::{EventMark, one_line};

/// Largest file of events, bytes.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// Events taken from all files.
const MAX_MARKS: usize = 10_000;

/// One event of a JSON file.
#[derive(Deserialize)]
struct RawMark {
    #[serde(alias = "time", alias = "at", alias = "timestamp", alias = "date")]
    ts: serde_json::Value,
    #[serde(default)]
    until: Option<serde_json::Value>,
    #[serde(default)]
    kind: Option<String>,
    #[serde(alias = "version", alias = "release", alias = "title")]
    name: String,
}

/// Reads the events of some files; `zone` is that of times and days without one.
pub(super) fn read(paths: &[PathBuf], zone: &TimeZone) -> Result<Vec<EventMark>, Failure> {
    let mut marks = Vec::new();
    for path in paths {
        marks.extend(read_one(path, zone)?);
    }
    marks.truncate(MAX_MARKS);
    Ok(marks)
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

fn read_one(path: &Path, zone: &TimeZone) -> Result<Vec<EventMark>, Failure> {
    let unreadable = |error: std::io::Error| {
        let path = path.display().to_string();
        Failure::new(&UNREADABLE, format!("cannot read events `{}`: {error}", one_line(&path)))
            .hint(PATH_HINT)
    };
    let bytes = fs::metadata(path).map_err(unreadable)?.len();
    if bytes > MAX_BYTES {
        let message =
            format!("events `{}` have {bytes} bytes, at most {MAX_BYTES}", path.display());
        return Err(Failure::new(&BAD_VALUE, message).hint("list deploys, not log records"));
    }
    let text = String::from_utf8_lossy(&fs::read(path).map_err(unreadable)?).into_owned();
    let bad = |line: usize, what: &str| {
        Failure::new(&BAD_VALUE, format!("events `{}`, line {line}: {what}", path.display())).hint(
            r#"a line looks like {"ts":"2026-11-18T14:12:00Z","kind":"deploy","name":"v1.42.0"}"#,
        )
    };
    if text.trim_start().starts_with("BEGIN:VCALENDAR") {
        return Ok(calendar(&text, zone));
    }
    if text.trim_start().starts_with('[') {
        let raw: Vec<RawMark> =
            serde_json::from_str(&text).map_err(|error| bad(error.line(), &error.to_string()))?;
        return raw.into_iter().map(|raw| mark(raw).ok_or_else(|| bad(1, "not a time"))).collect();
    }
    let mut marks = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let raw: RawMark =
            serde_json::from_str(line).map_err(|error| bad(index + 1, &error.to_string()))?;
        marks.push(mark(raw).ok_or_else(|| bad(index + 1, "`ts` is no time"))?);
    }
    Ok(marks)
}

fn mark(raw: RawMark) -> Option<EventMark> {
    let until_us = match raw.until {
        Some(until) => Some(time(&until)?),
        None => None,
    };
    Some(EventMark {
        kind: raw.kind.unwrap_or_else(|| "deploy".to_owned()),
        name: raw.name,
        at_us: time(&raw.ts)?,
        until_us,
        origin: "file".to_owned(),
    })
}

fn time(value: &serde_json::Value) -> Option<i64> {
    let text = match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Number(number) => number.to_string(),
        _ => return None,
    };
    Some(parse_time(text.as_bytes(), &ZoneDefault::UTC).ok()?.micros)
}

/// The events of an iCalendar file (RFC 5545): DTSTART, DTEND, SUMMARY, CATEGORIES.
///
/// Recurrences are not expanded; an event whose times cannot be read is left out.
fn calendar(text: &str, zone: &TimeZone) -> Vec<EventMark> {
    let unfolded = text.replace("\r\n", "\n").replace("\n ", "").replace("\n\t", "");
    let mut marks = Vec::new();
    let mut event: Option<Entry> = None;
    for line in unfolded.lines() {
        let Some((name, value)) = line.split_once(':') else { continue };
        let (name, parameters) = name.split_once(';').unwrap_or((name, ""));
        match (name, event.as_mut()) {
            ("BEGIN", _) if value == "VEVENT" => event = Some(Entry::default()),
            ("END", _) if value == "VEVENT" => {
                marks.extend(event.take().and_then(Entry::mark));
            }
            ("DTSTART", Some(event)) => event.start_us = calendar_time(value, parameters, zone),
            ("DTEND", Some(event)) => event.end_us = calendar_time(value, parameters, zone),
            ("SUMMARY", Some(event)) => value.clone_into(&mut event.summary),
            ("CATEGORIES", Some(event)) => event.kind = value.to_ascii_lowercase(),
            _ => {}
        }
    }
    marks
}

#[derive(Default)]
struct Entry {
    start_us: Option<i64>,
    end_us: Option<i64>,
    summary: String,
    kind: String,
}

impl Entry {
    fn mark(self) -> Option<EventMark> {
        Some(EventMark {
            kind: if self.kind.is_empty() { "calendar".to_owned() } else { self.kind },
            name: self.summary.replace("\\,", ",").replace("\\;", ";").replace("\\n", " "),
            at_us: self.start_us?,
            until_us: self.end_us,
            origin: "file".to_owned(),
        })
    }
}

fn calendar_time(value: &str, parameters: &str, zone: &TimeZone) -> Option<i64> {
    let named = parameters.split(';').find_map(|parameter| parameter.strip_prefix("TZID="));
    let zone = match named {
        Some(name) => TimeZone::get(name).unwrap_or_else(|_| zone.clone()),
        None if value.ends_with('Z') => TimeZone::UTC,
        None => zone.clone(),
    };
    let civil = match value.trim_end_matches('Z').parse::<DateTime>() {
        Ok(civil) => civil,
        Err(_) => value.parse::<Date>().ok()?.to_datetime(jiff::civil::Time::midnight()),
    };
    Some(civil.to_zoned(zone).ok()?.timestamp().as_microsecond())
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::io::Write;

    use jiff::tz::TimeZone;

    use super::{calendar, read};
    use crate::model::format_ts;

    #[test]
    fn a_calendar_gives_days_in_its_zone_and_instants_in_theirs() {
        let text = "BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nDTSTART;VALUE=DATE:20261110\r\n\
                    DTEND;VALUE=DATE:20261111\r\nSUMMARY:Feriado\\, sin\r\n  clases\r\n\
                    CATEGORIES:HOLIDAY\r\nEND:VEVENT\r\nBEGIN:VEVENT\r\n\
                    DTSTART:20261114T060000Z\r\nSUMMARY:x\r\nEND:VEVENT\r\n\
                    BEGIN:VEVENT\r\nSUMMARY:no time\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n";
        let zone = TimeZone::get("America/Argentina/Buenos_Aires").unwrap();
        let got: Vec<String> = calendar(text, &zone)
            .iter()
            .map(|m| format!("{} {} {}", m.kind, m.name, format_ts(m.at_us)))
            .collect();
        assert_eq!(
            got,
            ["holiday Feriado, sin clases 2026-11-10T03:00:00Z", "calendar x 2026-11-14T06:00:00Z"]
        );
    }

    #[test]
    fn a_bad_line_is_named() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deploys.jsonl");
        let mut file = File::create(&path).unwrap();
        writeln!(file, r#"{{"ts":"2026-11-18T14:12:00Z","name":"v1"}}"#).unwrap();
        writeln!(file, r#"{{"ts":"noon","name":"v2"}}"#).unwrap();
        let error = read(&[path], &TimeZone::UTC).unwrap_err();
        assert!(error.message.contains("line 2"), "{}", error.message);
    }
}
