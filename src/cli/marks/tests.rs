use std::fs;
use std::path::{Path, PathBuf};

use jiff::tz::TimeZone;

use super::{Events, known};
use crate::config::{Calendar, CalendarDays, CalendarKind, EventFields, Request, check_bytes};
use crate::durable::write_whole;
use crate::model::{EventMark, format_ts};

fn buenos_aires() -> TimeZone {
    TimeZone::get("America/Argentina/Buenos_Aires").unwrap()
}

fn shown(mark: &EventMark) -> String {
    let until = mark.until_us.map_or(String::new(), |until_us| format!("/{}", format_ts(until_us)));
    format!("{} {} {}{until}", mark.kind, mark.name, format_ts(mark.at_us))
}

/// What a calendar of these files knows, with what it says could not be read.
fn of_calendar(files: &[(&str, &str)], keys: &str) -> (Vec<String>, Vec<String>) {
    let dir = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = dir.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_whole(&path, text.as_bytes()).unwrap();
    }
    let text = format!("version = 1\n[[calendar]]\nname = \"school\"\n{keys}\n");
    let request = Request { directory: dir.path().to_owned(), ..Request::default() };
    let file = dir.path().join("plimsoll.toml");
    let loaded = check_bytes(Some((&file, text.as_bytes())), &request).unwrap();
    let Events { marks, notes } =
        known((&loaded.config.calendars, &buenos_aires()), (&[], &TimeZone::UTC)).unwrap();
    let here = format!("{}/", dir.path().display());
    let notes = notes.iter().map(|note| note.replace(&here, "")).collect();
    (marks.iter().map(shown).collect(), notes)
}

fn of_file(name: &str, text: &str) -> Result<(Vec<String>, Vec<String>), String> {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join(name);
    write_whole(&path, text.as_bytes()).unwrap();
    let read = known((&[], &TimeZone::UTC), (&[path], &buenos_aires()));
    read.map(|Events { marks, notes }| (marks.iter().map(shown).collect(), notes))
        .map_err(|failure| failure.message)
}

/// What an iCalendar of these lines, apart by `|`, tells, and what of it is noted.
fn check_ics(lines: &str, want: &[&str], told: &[&str], why: &str) {
    let events = lines.replace('|', "\r\n");
    let text = format!("BEGIN:VCALENDAR\r\n{events}\r\nEND:VCALENDAR\r\n");
    let (marks, notes) = of_file("a.ics", &text).unwrap();
    assert_eq!(marks, want, "{why}");
    assert_eq!(notes.len(), told.len(), "{why}: {notes:?}");
    for (note, told) in notes.iter().zip(told) {
        assert!(note.contains(told), "{why}: {note}");
    }
}

fn vevent(lines: &str) -> String {
    format!("BEGIN:VEVENT|{lines}|END:VEVENT")
}

#[test]
fn an_icalendar_gives_days_in_its_zone_and_instants_in_theirs() {
    check_ics(
        &vevent(
            "DTSTART;VALUE=DATE:20261110|DTEND;VALUE=DATE:20261111|SUMMARY:Feriado\\, sin|  clases|\
             CATEGORIES:HOLIDAY",
        ),
        &["holiday Feriado, sin clases 2026-11-10T03:00:00Z/2026-11-11T03:00:00Z"],
        &[],
        "a folded line, an escaped comma",
    );
    check_ics(
        &vevent("DTSTART;VALUE=DATE:20261110|SUMMARY:x"),
        &["calendar x 2026-11-10T03:00:00Z/2026-11-11T03:00:00Z"],
        &[],
        "a day without an end lasts that day",
    );
    check_ics(
        &vevent("DTSTART:20261114T060000Z|DURATION:PT90M|SUMMARY:x|CATEGORIES:Red,Mantenimiento"),
        &["maintenance x 2026-11-14T06:00:00Z/2026-11-14T07:30:00Z"],
        &[],
        "a length instead of an end, a known kind among others",
    );
    check_ics(
        &vevent("DTSTART;TZID=Europe/Madrid:20261114T060000|SUMMARY:x"),
        &["calendar x 2026-11-14T05:00:00Z"],
        &[],
        "a moment in a zone of its own",
    );
    check_ics(
        &vevent("DTSTART;VALUE=DATE:20261102|SUMMARY:x|RRULE:FREQ=MONTHLY"),
        &["calendar x 2026-11-02T03:00:00Z/2026-11-03T03:00:00Z"],
        &["`x`: it repeats, of which only the first time is known"],
        "months are not counted, and that is said",
    );
    check_ics(
        &vevent(
            "DTSTART:20261114T060000Z|BEGIN:VALARM|DURATION:PT5M|SUMMARY:alarm|END:VALARM|SUMMARY:x",
        ),
        &["calendar x 2026-11-14T06:00:00Z"],
        &[],
        "an alarm says nothing of the event",
    );
    check_ics(
        &format!(
            "{}|{}|{}",
            vevent("SUMMARY:timeless"),
            vevent("DTSTART:noon|SUMMARY:odd"),
            vevent("DTSTART:20261114T060000Z|DTEND:20261114T050000Z|SUMMARY:turned"),
        ),
        &[],
        &["`odd`: \"noon\" is no time", "`timeless`: there is no DTSTART", "ends before it begins"],
        "what cannot be read is told",
    );
}

#[test]
fn events_repeat_daily_and_weekly() {
    check_ics(
        &vevent(
            "DTSTART:20261102T060000Z|DTEND:20261102T070000Z|SUMMARY:x|EXDATE:20261109T060000Z|\
             RRULE:FREQ=WEEKLY;COUNT=3",
        ),
        &[
            "calendar x 2026-11-02T06:00:00Z/2026-11-02T07:00:00Z",
            "calendar x 2026-11-16T06:00:00Z/2026-11-16T07:00:00Z",
        ],
        &[],
        "every week but one",
    );
    check_ics(
        &vevent(
            "DTSTART;VALUE=DATE:20261102|SUMMARY:x|RRULE:FREQ=WEEKLY;INTERVAL=2;BYDAY=MO,FR;\
             UNTIL=20261120",
        ),
        &[
            "calendar x 2026-11-02T03:00:00Z/2026-11-03T03:00:00Z",
            "calendar x 2026-11-06T03:00:00Z/2026-11-07T03:00:00Z",
            "calendar x 2026-11-16T03:00:00Z/2026-11-17T03:00:00Z",
            "calendar x 2026-11-20T03:00:00Z/2026-11-21T03:00:00Z",
        ],
        &[],
        "two days of every other week, up to a day",
    );
}

#[test]
fn an_event_in_json_may_be_written_in_many_ways() {
    let check = |json: &str, want: Result<&str, &str>| {
        let got = of_file("a.json", json).map(|(marks, _)| marks.join("; "));
        match (got, want) {
            (Ok(got), Ok(want)) => assert_eq!(got, want, "{json}"),
            (Err(got), Err(want)) => assert!(got.contains(want), "{json}: {got}"),
            (got, want) => panic!("{json}: {got:?} instead of {want:?}"),
        }
    };
    check(
        r#"{"version":"v2","name":"api","time":"2026-11-18T14:12:00Z"}"#,
        Ok("deploy api 2026-11-18T14:12:00Z"),
    );
    check(
        r#"{"release":7,"kind":"x","at":"2026-11-18 11:12:00","until":null}"#,
        Ok("x 7 2026-11-18T14:12:00Z"),
    );
    check(
        r#"{"time":"2026-11-18T14:12:00Z","from":"v1","to":"v2","version":"v2"}"#,
        Ok("deploy v2 2026-11-18T14:12:00Z"), // versions are no times
    );
    check(
        r#"{"date":"2026-11-20","title":"Feriado","type":"feriado"}"#,
        Ok("holiday Feriado 2026-11-20T03:00:00Z/2026-11-21T03:00:00Z"),
    );
    check(
        r#"{"periodo":{"desde":"2026-11-23","hasta":"2026-11-27"},"nombre":"Finales","tipo":"Examen"}"#,
        Ok("exam Finales 2026-11-23T03:00:00Z/2026-11-28T03:00:00Z"), // the last day is meant whole
    );
    check(
        r#"{"timestamp":"2026-01-01T00:00:00Z","events":[{"date":"2026-11-20","name":"a"}]}"#,
        Ok("deploy a 2026-11-20T03:00:00Z/2026-11-21T03:00:00Z"), // its list holds the events
    );
    check("[]", Ok(""));
    check(" ", Ok(""));
    check(r#"{"name":"v1"}"#, Err("a.json`: none of `ts`, `time`, `date`"));
    check(r#"{"ts":"2026-11-18T14:12:00Z"}"#, Err("none of `name`, `version`"));
    check(r#"{"ts":0.5,"name":"a"}"#, Err("0.5 is no time"));
    check(r#"{"ts":"noon","name":"v1"}"#, Err("\"noon\" is no time"));
    check(
        r#"{"ts":"2026-11-18T14:12:00Z","until":"noon","name":"v1"}"#,
        Err("\"noon\" is no time"),
    );
    check(r#"{"from":"2026-11-18","until":"2026-11-16","name":"a"}"#, Err("ends before it begins"));
    check(r#"{"ts":"2026-11-18T14:12:00Z","#, Err("line 1: EOF"));
    check("7", Err("7 is no event"));
}

#[test]
fn a_bad_line_is_named() {
    let good = r#"{"ts":"2026-11-18T14:12:00Z","name":"v1"}"#;
    for bad in [r#"{"ts":"noon","name":"v2"}"#, r#"{"ts":"#] {
        let wrong = of_file("deploys.jsonl", &format!("{good}\n\n{bad}\n")).unwrap_err();
        assert!(wrong.contains("line 3"), "{wrong}");
    }
}

#[test]
fn a_tree_of_documents_is_a_calendar() {
    let check = |files: &[(&str, &str)], keys: &str, want: &[&str], told: &[&str]| {
        let (marks, notes) = of_calendar(files, keys);
        assert_eq!(marks, want, "{keys}");
        assert_eq!(notes, told, "{keys}");
    };
    let files = [
        ("calendar/2026/a.json", r#"{"date":"2026-11-20","name":"Feriado","kind":"holiday"}"#),
        ("calendar/2026/b.json", r#"{"date":"2026-11-23"}"#),
        ("calendar/2026/c.json", r#"{"name":"without a day"}"#),
        ("calendar/2026/d.json", "{\n"),
        ("calendar/2026/e.json", r#"{"date":"2026-11-24","name":"Recital","kind":"música"}"#),
    ];
    check(
        &files,
        "include = [\"calendar/**/*.json\"]\nkind = \"exam\"",
        &[
            "holiday Feriado 2026-11-20T03:00:00Z/2026-11-21T03:00:00Z", // as it says
            "exam school 2026-11-23T03:00:00Z/2026-11-24T03:00:00Z",     // as the calendar says
            "exam Recital 2026-11-24T03:00:00Z/2026-11-25T03:00:00Z",    // no kind that is known
        ],
        &[
            "calendar `school`: `calendar/2026/c.json`: none of `ts`, `time`, `date`, `from`, \
             `start` and the like",
            "calendar `school`: `calendar/2026/d.json`, line 2: EOF while parsing an object at \
             line 2 column 0",
        ],
    );
    let own = [("c.json", r#"{"d":{"day":"2026-11-20"},"label":{"es":"Feriado"},"date":"x"}"#)];
    check(
        &own,
        "file = \"c.json\"\nfields = { from = \"d.day\", name = \"label.es\" }",
        &["other Feriado 2026-11-20T03:00:00Z/2026-11-21T03:00:00Z"],
        &[],
    );
    check(
        &own,
        "file = \"c.json\"\nfields = { from = \"d.night\" }",
        &[],
        &["calendar `school`: `c.json`: there is no `d.night`"],
    );
    check(
        &own,
        "include = [\"none/*.json\"]",
        &[],
        &["calendar `school`: no file matches `none/*.json`"],
    );
    check(
        &own,
        "from = \"2026-11-20\"\nkind = \"holiday\"",
        &["holiday school 2026-11-20T03:00:00Z/2026-11-21T03:00:00Z"],
        &[],
    );
}

#[test]
fn many_bad_documents_are_told_in_few_words() {
    let files: Vec<(String, &str)> = (0..40).map(|n| (format!("c/{n}.json"), "{}")).collect();
    let files: Vec<(&str, &str)> =
        files.iter().map(|(name, text)| (name.as_str(), *text)).collect();
    let (marks, notes) = of_calendar(&files, "include = [\"c/*.json\"]");
    assert_eq!((marks.len(), notes.len()), (0, 6));
    assert!(notes[5].ends_with("40 such troubles in all"), "{}", notes[5]);
}

#[test]
fn a_file_named_twice_is_read_once_and_as_the_calendar_says() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("deploys.json");
    write_whole(&path, br#"[{"ts":"2026-11-18T14:12:00Z","name":"v1"}]"#).unwrap();
    let again = dir.path().join(".").join("deploys.json");
    let read = |calendars: &[Calendar]| {
        let events =
            known((calendars, &TimeZone::UTC), (&[path.clone(), again.clone()], &TimeZone::UTC))
                .unwrap();
        events.marks.iter().map(shown).collect::<Vec<String>>()
    };
    assert_eq!(read(&[]), ["deploy v1 2026-11-18T14:12:00Z"]);
    let calendar = Calendar {
        name: "nights".to_owned(),
        kind: CalendarKind::Maintenance,
        days: CalendarDays::File(path.clone(), EventFields::default()),
    };
    assert_eq!(read(&[calendar]), ["maintenance v1 2026-11-18T14:12:00Z"]);
}

#[test]
fn a_file_that_is_not_there_is_an_error() {
    let (utc, missing) = (TimeZone::UTC, PathBuf::from("/nowhere/calendar.ics"));
    let error = known((&[], &utc), (std::slice::from_ref(&missing), &utc)).unwrap_err();
    assert!(error.message.contains("/nowhere/calendar.ics"), "{}", error.message);
    let calendar = Calendar {
        name: "a".to_owned(),
        kind: CalendarKind::Other,
        days: CalendarDays::File(Path::new("/nowhere/a.json").to_owned(), EventFields::default()),
    };
    assert!(known((&[calendar], &utc), (&[], &utc)).is_err());
}
