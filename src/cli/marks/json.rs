//! Events in JSON: a line each, a list, or documents of which each tells of one.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde_json::{Map, Value};

use super::{Mistake, Told, midnight_us};
use crate::config::{EventFields, FieldPath};
use crate::decode::{ZoneDefault, parse_time};

/// Names of the fields that tell when an event begins, best first; the first that holds a time is
/// taken.
const FROM: [&str; 20] = [
    "from",
    "start",
    "starts_at",
    "startsAt",
    "start_date",
    "startDate",
    "desde",
    "inicio",
    "fechaInicio",
    "fecha_inicio",
    "ts",
    "time",
    "at",
    "timestamp",
    "date",
    "day",
    "fecha",
    "dia",
    "día",
    "$date",
];
/// When it ends; with `to`, which also is the version of a deploy, only if it is a time.
const TO: [&str; 10] = [
    "until",
    "end",
    "ends_at",
    "endsAt",
    "end_date",
    "endDate",
    "hasta",
    "fin",
    "fechaFin",
    "fecha_fin",
];
/// What it is called.
const NAMES: [&str; 11] = [
    "name", "version", "release", "title", "summary", "nombre", "titulo", "título", "motivo",
    "event", "evento",
];
/// What it is.
const KINDS: [&str; 6] = ["kind", "type", "category", "categories", "tipo", "categoria"];
/// What is said where an event has no time and no name.
const NO_TIME: &str = "none of `ts`, `time`, `date`, `from`, `start` and the like";
pub(super) const NO_NAME: &str = "none of `name`, `version`, `release`, `title` and the like";
/// Lists inside of lists and documents that are looked into.
const MAX_DEPTH: usize = 3;

/// Every event of a text, and what of it is none.
pub(super) fn events(
    text: &str,
    (fields, zone): (&EventFields, &TimeZone),
) -> Vec<Result<Told, Mistake>> {
    let reader = Fields { fields, zone };
    let mut all = Vec::new();
    match serde_json::from_str::<Value>(text) {
        Ok(value) => reader.each(&value, (None, MAX_DEPTH), &mut all),
        Err(_) if text.trim().is_empty() => {}
        Err(error) => {
            let lines: Vec<(usize, &str)> =
                text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).collect();
            let is_line = |line: &&str| serde_json::from_str::<Value>(line).is_ok();
            if !lines.iter().any(|(_, line)| is_line(line)) {
                return vec![Err((Some(error.line()), error.to_string()))];
            }
            for (index, line) in lines {
                let at = Some(index + 1);
                match serde_json::from_str(line) {
                    Ok(value) => reader.each(&value, (at, MAX_DEPTH), &mut all),
                    Err(error) => all.push(Err((at, error.to_string()))),
                }
            }
        }
    }
    all
}

struct Fields<'a> {
    fields: &'a EventFields,
    zone: &'a TimeZone,
}

/// A moment, or all of a day.
#[derive(Clone, Copy)]
enum When {
    Moment(i64),
    Day(Date),
}

impl Fields<'_> {
    /// An object with a time is an event; else its lists hold events.
    fn each(
        &self,
        value: &Value,
        (line, depth): (Option<usize>, usize),
        all: &mut Vec<Result<Told, Mistake>>,
    ) {
        match value {
            Value::Array(values) if depth > 0 => {
                for value in values {
                    self.each(value, (line, depth - 1), all);
                }
            }
            Value::Object(object) => {
                let inside = object.values().filter_map(Value::as_object).flat_map(Map::values);
                let lists = object.values().chain(inside).filter_map(Value::as_array);
                let holds_events = |list: &&Vec<Value>| {
                    list.iter().filter_map(Value::as_object).any(|it| self.event(it).is_ok())
                };
                let mut lists = lists.filter(holds_events).peekable();
                if depth == 0 || lists.peek().is_none() {
                    all.push(self.event(object).map_err(|what| (line, what)));
                    return;
                }
                for value in lists.flatten() {
                    self.each(value, (line, depth - 1), all);
                }
            }
            other => all.push(Err((line, format!("{} is no event", short(other))))),
        }
    }

    fn event(&self, object: &Map<String, Value>) -> Result<Told, String> {
        let EventFields { from, to, name, kind } = self.fields;
        let is_time = |value: &Value| self.when(value).is_some();
        let read =
            |value: &Value| self.when(value).ok_or_else(|| format!("{} is no time", short(value)));
        let from = match (from, found(object, &FROM, &is_time)) {
            (Some(field), _) => read(at(object, field)?)?,
            (None, Some(value)) => read(value)?,
            (None, None) => return Err(NO_TIME.to_owned()),
        };
        let ends = match (to, found(object, &TO, &is_time)) {
            // What has no end is over at once.
            (Some(field), _) => at(object, field).ok().map(read).transpose()?,
            (None, Some(value)) => Some(read(value)?),
            (None, None) => found(object, &["to"], &is_time).and_then(|value| self.when(value)),
        };
        let day_us = |day: Date| midnight_us(day, self.zone);
        let after = |day: Date| day.tomorrow().ok().and_then(day_us);
        let (at_us, whole_day) = match from {
            When::Moment(at_us) => (Some(at_us), None),
            When::Day(day) => (day_us(day), Some(day)),
        };
        let until_us = match (ends, whole_day) {
            (Some(When::Moment(us)), _) => Some(us),
            (Some(When::Day(day)), _) | (None, Some(day)) => after(day),
            (None, None) => None,
        };
        let named = |field: &Option<FieldPath>, names: &[&str]| match field {
            Some(field) => at(object, field).ok(),
            None => found(object, names, &|_| true),
        };
        let name = named(name, &NAMES).map(text);
        let kinds = match named(kind, &KINDS) {
            Some(Value::Array(words)) => words.iter().map(text).collect(),
            Some(word) => vec![text(word)],
            None => Vec::new(),
        };
        let at_us = at_us.ok_or("its day is too far off")?;
        Ok(Told { at_us, until_us, name, kinds })
    }

    fn when(&self, value: &Value) -> Option<When> {
        let text = match value {
            Value::String(text) => text.trim().to_owned(),
            Value::Number(number) => number.to_string(),
            _ => return None,
        };
        // A longer text may begin with a day, and the parser of days would leave out the rest.
        if text.len() == "2026-11-23".len()
            && let Ok(day) = text.parse()
        {
            return Some(When::Day(day));
        }
        let read = parse_time(text.as_bytes(), &ZoneDefault::UTC).ok()?;
        if !read.zone_assumed {
            return Some(When::Moment(read.micros));
        }
        let civil = Timestamp::from_microsecond(read.micros).ok()?.to_zoned(TimeZone::UTC);
        let zoned = civil.datetime().to_zoned(self.zone.clone()).ok()?;
        Some(When::Moment(zoned.timestamp().as_microsecond()))
    }
}

/// The first of some names that has a fitting value, in the object or else in those directly in it;
/// else the first that has any.
fn found<'v>(
    object: &'v Map<String, Value>,
    names: &[&str],
    fits: &dyn Fn(&Value) -> bool,
) -> Option<&'v Value> {
    let own = names.iter().filter_map(|name| object.get(*name));
    let inside = names.iter().flat_map(|name| {
        object.values().filter_map(Value::as_object).filter_map(|object| object.get(*name))
    });
    let values: Vec<&Value> = own.chain(inside).filter(|value| !value.is_null()).collect();
    values.iter().find(|value| fits(value)).or(values.first()).copied()
}

/// The value at a dotted path.
fn at<'v>(object: &'v Map<String, Value>, field: &FieldPath) -> Result<&'v Value, String> {
    let mut names = field.as_str().split('.');
    let first = names.next().and_then(|name| object.get(name));
    let value = names.fold(first, |value, name| value?.get(name));
    value
        .filter(|value| !value.is_null())
        .ok_or_else(|| format!("there is no `{}`", field.as_str()))
}

fn text(value: &Value) -> String {
    match value {
        Value::String(text) => text.trim().to_owned(),
        other => other.to_string(),
    }
}

/// A value as a message names it.
fn short(value: &Value) -> String {
    const MAX_SHOWN: usize = 40;
    let text = value.to_string();
    let is_long = text.chars().count() > MAX_SHOWN;
    if is_long { text.chars().take(MAX_SHOWN).collect::<String>() + "…" } else { text }
}
