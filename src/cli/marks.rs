//! Deploys and calendars from files: JSON lines, JSON, or iCalendar.

use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;

use super::error::{BAD_VALUE, Failure, PATH_HINT, UNREADABLE};
use crate::decode::{ZoneDefault, parse_time};
use crate::model::{EventMark, one_line};

/// Largest file of events, bytes.
const MAX_BYTES: u64 = 16 * 1024 * 1024;
/// Events taken from all files.
const MAX_MARKS: usize = 10_000;

/// Keys that hold the time of an event, best first, and those that hold its name.
const TIME_KEYS: [&str; 5] = ["ts", "time", "at", "timestamp", "date"];
const NAME_KEYS: [&str; 4] = ["name", "version", "release", "title"];

/// One event of a JSON file.
type RawMark = serde_json::Map<String, serde_json::Value>;

/// Reads the events of some files, each once; `zone` is that of times and days without one.
pub(super) fn read(paths: &[PathBuf], zone: &TimeZone) -> Result<Vec<EventMark>, Failure> {
    let mut marks = Vec::new();
    let mut seen: Vec<PathBuf> = Vec::new();
    for path in paths {
        let canonical = path.canonicalize().unwrap_or_else(|_| path.clone());
        if !seen.contains(&canonical) {
            marks.extend(read_one(path, zone)?);
            seen.push(canonical);
        }
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
        return raw.iter().map(|raw| mark(raw, zone).map_err(|what| bad(1, &what))).collect();
    }
    let mut marks = Vec::new();
    for (index, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let raw: RawMark =
            serde_json::from_str(line).map_err(|error| bad(index + 1, &error.to_string()))?;
        marks.push(mark(&raw, zone).map_err(|what| bad(index + 1, &what))?);
    }
    Ok(marks)
}

/// The event of a JSON object, or what it lacks.
fn mark(raw: &RawMark, zone: &TimeZone) -> Result<EventMark, String> {
    let first = |keys: &[&str]| {
        let found = keys.iter().find_map(|key| raw.get(*key).filter(|value| !value.is_null()));
        found.ok_or_else(|| format!("none of `{}`", keys.join("`, `")))
    };
    let instant = |value| time(value, zone).ok_or_else(|| format!("{value} is no time"));
    let text = |value: &serde_json::Value| match value {
        serde_json::Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    Ok(EventMark {
        kind: raw.get("kind").map_or_else(|| "deploy".to_owned(), text),
        name: text(first(&NAME_KEYS)?),
        at_us: instant(first(&TIME_KEYS)?)?,
        until_us: raw.get("until").filter(|until| !until.is_null()).map(instant).transpose()?,
        origin: "file".to_owned(),
    })
}

fn time(value: &serde_json::Value, zone: &TimeZone) -> Option<i64> {
    let text = match value {
        serde_json::Value::String(text) => text.clone(),
        serde_json::Value::Number(number) => number.to_string(),
        _ => return None,
    };
    let read = parse_time(text.as_bytes(), &ZoneDefault::UTC).ok()?;
    if !read.zone_assumed {
        return Some(read.micros);
    }
    let civil = Timestamp::from_microsecond(read.micros).ok()?.to_zoned(TimeZone::UTC).datetime();
    Some(civil.to_zoned(zone.clone()).ok()?.timestamp().as_microsecond())
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

    use super::{calendar, mark, read};
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
    fn a_file_named_twice_is_read_once() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("deploys.json");
        let mut file = File::create(&path).unwrap();
        write!(file, r#"[{{"ts":"2026-11-18T14:12:00Z","name":"v1"}}]"#).unwrap();
        let again = dir.path().join(".").join("deploys.json");
        let other = dir.path().join("other.json");
        File::create(&other).unwrap().write_all(b"[]").unwrap();
        assert_eq!(read(&[path, other, again], &TimeZone::UTC).unwrap().len(), 1);
    }

    #[test]
    fn a_deploy_may_have_a_name_and_a_version_and_the_time_of_the_zone() {
        let zone = TimeZone::get("America/Argentina/Buenos_Aires").unwrap();
        let check = |json: &str, want: Result<(&str, &str, &str), &str>| {
            let raw = serde_json::from_str(json).unwrap();
            let got = mark(&raw, &zone).map(|m| (m.kind, m.name, format_ts(m.at_us)));
            let want = want.map(|(k, n, t)| (k.to_owned(), n.to_owned(), t.to_owned()));
            assert_eq!(got, want.map_err(str::to_owned));
        };
        check(
            r#"{"version":"v2","name":"api","time":"2026-11-18T14:12:00Z"}"#,
            Ok(("deploy", "api", "2026-11-18T14:12:00Z")),
        );
        check(
            r#"{"release":7,"kind":"x","at":"2026-11-18 11:12:00","until":null}"#,
            Ok(("x", "7", "2026-11-18T14:12:00Z")),
        );
        check(r#"{"name":"v1"}"#, Err("none of `ts`, `time`, `at`, `timestamp`, `date`"));
        check(r#"{"ts":0.5}"#, Err("none of `name`, `version`, `release`, `title`"));
        check(r#"{"ts":"noon","name":"v1"}"#, Err("\"noon\" is no time"));
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
