//! Tells from the beginning of an input how it is written and which field plays which role.
//!
//! Pure: bytes in, a [`Profile`] out. A sample that fits nothing is plain text; only bytes that
//! are no text at all are an error.

use std::collections::BTreeMap;

use serde_json::Value;

use super::durations::duration_fields;
use super::pools::{COMMON_KEYS, NESTED, POOLS};
use super::profile::{LevelScale, Profile, Role, Syntax};
use super::sample::{Records, Sample, is_own_output, records_of};
use super::shape::{PLAIN, SHAPES, Shape};
use super::timestamp::{self, ZoneDefault};
use super::unit::DurationUnit;
use crate::model::Severity;

/// Fields a role may have, best first.
pub(super) const MAX_FIELDS_PER_ROLE: usize = 4;
/// Values of one field that are looked at.
const MAX_VALUES: usize = 200;
/// Levels of nesting below which keys are not looked at.
const MAX_KEY_DEPTH: usize = 5;

/// A sample that is no log.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum DetectError {
    /// Not a byte, or blanks only.
    #[error("holds no records")]
    Empty,
    /// Neither text nor JSON.
    #[error("is not text (byte {byte:#04x} at offset {at})")]
    Binary {
        /// The first byte that no text has.
        byte: u8,
        /// Where.
        at: usize,
    },
    /// Two or four bytes a character.
    #[error("is {encoding} text: `iconv -f {encoding} -t UTF-8` makes it readable")]
    Encoded {
        /// As `iconv` names it.
        encoding: &'static str,
    },
}

/// What a person said about the fields; it wins over what is detected.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Overrides {
    /// Role and dotted field path.
    pub fields: Vec<(Role, String)>,
    /// Unit of the duration field, where given.
    pub duration_unit: Option<DurationUnit>,
    /// Offset of times without a zone, seconds east of UTC.
    pub zone_offset_s: i32,
    /// Year of times without one; 0 refuses them.
    pub year: i32,
}

/// What kind of values a field holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ValueKind {
    /// Whole numbers.
    Integer,
    /// Numbers.
    Number,
    /// `true` and `false`.
    Bool,
    /// Text, or values of several kinds.
    Text,
}

impl ValueKind {
    /// The kind that holds values of two.
    #[must_use]
    pub fn joined(self, other: Self) -> Self {
        match (self, other) {
            (a, b) if a == b => a,
            (Self::Integer, Self::Number) | (Self::Number, Self::Integer) => Self::Number,
            _ => Self::Text,
        }
    }
}

/// A field of the sample.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SeenField {
    /// Dotted path.
    pub path: String,
    /// Kind of its values.
    pub kind: ValueKind,
}

/// What the beginning of an input tells.
#[derive(Clone, Debug, PartialEq)]
pub struct Detected {
    /// Format and roles.
    pub profile: Profile,
    /// Every field of the sample, by path.
    pub fields: Vec<SeenField>,
}

/// Tells what an input is.
///
/// # Errors
/// When the sample is empty or no text.
pub fn detect(sample: &Sample<'_>, overrides: &Overrides) -> Result<Detected, DetectError> {
    let understood = records_of(sample)?;
    let keys = keys_of(&understood.records);
    let mut profile = profile_of(&understood, &keys, overrides);
    if is_own_output(&understood) {
        profile.shape = "plimsoll";
    }
    profile.zone_offset_s = overrides.zone_offset_s;
    profile.year = overrides.year;
    for (role, path) in &overrides.fields {
        profile.fields.retain(|(known, _)| known != role);
        profile.fields.push((*role, vec![path.clone()]));
    }
    Ok(Detected { profile, fields: seen_fields(&keys) })
}

fn seen_fields(keys: &Keys) -> Vec<SeenField> {
    let is_container = |key: &Key| key.values.is_empty() && key.count > 0;
    let kind_of = |value: &Value| match value {
        Value::Number(number) if number.is_i64() || number.is_u64() => ValueKind::Integer,
        Value::Number(_) => ValueKind::Number,
        Value::Bool(_) => ValueKind::Bool,
        _ => ValueKind::Text,
    };
    keys.iter()
        .filter(|(_, key)| !is_container(key))
        .map(|(path, key)| SeenField {
            path: path.clone(),
            kind: key
                .values
                .iter()
                .map(kind_of)
                .reduce(ValueKind::joined)
                .unwrap_or(ValueKind::Text),
        })
        .collect()
}

/// What the sample says about one key.
#[derive(Default)]
pub(super) struct Key {
    count: usize,
    pub(super) values: Vec<Value>,
}

pub(super) type Keys = BTreeMap<String, Key>;

fn keys_of(records: &[Value]) -> Keys {
    let mut keys = Keys::new();
    for record in records {
        collect_keys(record, String::new(), 0, &mut keys);
    }
    keys
}

fn collect_keys(value: &Value, prefix: String, depth: usize, keys: &mut Keys) {
    if let Value::Object(map) = value
        && depth < MAX_KEY_DEPTH
    {
        if !prefix.is_empty() {
            keys.entry(prefix.clone()).or_default().count += 1;
        }
        for (name, inner) in map {
            let path = if prefix.is_empty() { name.clone() } else { format!("{prefix}.{name}") };
            collect_keys(inner, path, depth + 1, keys);
        }
        return;
    }
    let key = keys.entry(prefix).or_default();
    key.count += 1;
    if key.values.len() < MAX_VALUES && !value.is_null() {
        key.values.push(value.clone());
    }
}

fn profile_of(sample: &Records, keys: &Keys, overrides: &Overrides) -> Profile {
    let (shape, tie) = match sample.syntax {
        Syntax::Json => best_shape(keys, sample.records.len()),
        _ => (PLAIN, None),
    };
    let mut fields = role_fields(shape, keys, overrides);
    drop_event_that_is_message(&mut fields);
    let durations = duration_fields(shape, keys, overrides);
    let mut notes = Vec::new();
    if let Some(other) = tie {
        notes.push(format!(
            "looks like {} and like {other} alike; read as {}",
            shape.name, shape.name
        ));
    }
    for field in &durations {
        if let Some(reason) = &field.guess {
            let unit = field.unit.symbol();
            notes.push(format!("unit of `{}` is a guess: {unit} ({reason})", field.path));
        }
    }
    let name = if shape.name == PLAIN.name { sample.plain } else { shape.name };
    let writing = match sample.syntax {
        Syntax::Json if sample.wrapped => "JSON documents",
        Syntax::Json => "JSON lines",
        Syntax::Logfmt => "logfmt",
        Syntax::Csv => "CSV",
        Syntax::AccessLog => "access log",
        Syntax::Text => "plain text",
    };
    let label = match name {
        "json" | "logfmt" | "text" | "csv" => writing.to_owned(),
        name => format!("{writing} ({name})"),
    };
    let reads_messages = shape.reads_messages || durations.is_empty();
    Profile {
        shape: name,
        label,
        syntax: sample.syntax,
        csv: sample.csv.clone(),
        wrapped: sample.wrapped,
        unfolds: sample.unfolds,
        nanos_of_second: shape.nanos_of_second,
        level_scale: level_scale(shape, keys),
        reads_messages,
        joins_requests: shape.name == "vercel-drain" && ids_repeat(keys, &fields),
        default_event: shape.default_event,
        zone_offset_s: 0,
        year: 0,
        fields,
        durations,
        notes,
    }
}

/// Fields of every role but the duration: those the shape names, then those with a known name.
fn role_fields(
    shape: &'static Shape,
    keys: &Keys,
    overrides: &Overrides,
) -> Vec<(Role, Vec<String>)> {
    let zone = ZoneDefault { offset_s: overrides.zone_offset_s, year: overrides.year };
    let mut fields = Vec::new();
    for role in Role::ALL {
        if role == Role::Duration || shape.without.contains(&role) {
            continue;
        }
        let named = lookup(shape.fields, role);
        let pool = lookup(POOLS, role);
        let mut paths: Vec<String> = named
            .iter()
            .map(|path| (path, true))
            .chain(pool.iter().map(|path| (path, false)))
            .filter(|(path, trusted)| fits(role, path, *trusted, keys, &zone))
            .map(|(path, _)| (*path).to_owned())
            .fold(Vec::new(), |mut kept, path| {
                if !kept.contains(&path) && kept.len() < MAX_FIELDS_PER_ROLE {
                    kept.push(path);
                }
                kept
            });
        if paths.is_empty() {
            paths.extend(nested_field(role, keys, &zone));
        }
        if !paths.is_empty() {
            fields.push((role, paths));
        }
    }
    fields
}

fn lookup(
    table: &'static [(Role, &'static [&'static str])],
    role: Role,
) -> &'static [&'static str] {
    table.iter().find(|(known, _)| *known == role).map_or(&[], |(_, paths)| paths)
}

/// The shape with the most matching keys, and another one that matches as well.
fn best_shape(keys: &Keys, records: usize) -> (&'static Shape, Option<&'static str>) {
    let common = |key: &&str| keys.get(*key).is_some_and(|found| found.count * 5 >= records);
    let present = |key: &&str| keys.contains_key(*key);
    let matching = |shape: &&&Shape| {
        shape.keys.iter().all(&common)
            && (shape.any_of.is_empty() || shape.any_of.iter().any(&present))
            && !shape.none_of.iter().any(&common)
    };
    let weight = |shape: &Shape| {
        let of_key = |key: &&str| if COMMON_KEYS.contains(key) { 2 } else { 6 };
        shape.keys.iter().map(of_key).sum::<usize>() + usize::from(!shape.any_of.is_empty())
    };
    let mut found: Vec<&'static Shape> = Vec::new();
    for shape in SHAPES {
        if matching(&&shape) {
            found.push(shape);
        }
    }
    let best_weight = found.iter().map(|shape| weight(shape)).max().unwrap_or(0);
    let mut best = found.into_iter().filter(|shape| weight(shape) == best_weight);
    match best.next() {
        Some(shape) => (shape, best.next().map(|other| other.name).filter(|n| *n != shape.name)),
        None => (PLAIN, None),
    }
}

/// The first nested field whose last name tells its role.
fn nested_field(role: Role, keys: &Keys, zone: &ZoneDefault) -> Option<String> {
    let names = lookup(NESTED, role);
    keys.keys()
        .filter(|path| {
            path.rsplit_once('.').is_some_and(|(_, name)| names.contains(&name))
                && fits(role, path, false, keys, zone)
        })
        .min_by_key(|path| !path.contains("http"))
        .cloned()
}

/// Whether a field can play a role, by its values.
fn fits(role: Role, path: &str, trusted: bool, keys: &Keys, zone: &ZoneDefault) -> bool {
    let Some(key) = keys.get(path) else { return false };
    if key.values.is_empty() {
        return false;
    }
    let share = |test: &dyn Fn(&Value) -> bool| {
        let good = key.values.iter().filter(|value| test(value)).count();
        good as f64 / key.values.len() as f64
    };
    match role {
        Role::Time => share(&|value| is_time(value, zone)) >= 0.5,
        Role::Status => share(&is_status) >= 0.5,
        Role::Level => share(&is_level) >= 0.5,
        Role::Route if !trusted => {
            let pathlike = matches!(path, "path" | "url" | "uri" | "req.url" | "http.url");
            let is_path = |value: &Value| {
                value.as_str().is_some_and(|text| text.starts_with('/') || text.contains("://"))
            };
            share(&|value: &Value| value.as_str().is_some_and(|text| text.len() <= 500)) >= 0.8
                && (!pathlike || share(&is_path) >= 0.5)
        }
        Role::Event => share(&is_event_name) >= 0.8,
        Role::Message => share(&Value::is_string) >= 0.5,
        _ => share(&|value| value.is_string() || value.is_number()) >= 0.5,
    }
}

fn is_time(value: &Value, zone: &ZoneDefault) -> bool {
    match value {
        Value::String(text) => timestamp::parse_text(text.as_bytes(), zone).is_ok(),
        Value::Number(number) => {
            timestamp::parse_number_text(number.to_string().as_bytes()).is_ok()
        }
        _ => false,
    }
}

fn is_status(value: &Value) -> bool {
    let number = match value {
        Value::Number(number) => number.as_i64(),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    };
    number.is_some_and(|status| (100..=599).contains(&status) || status == -1 || status == 0)
}

fn is_level(value: &Value) -> bool {
    match value {
        Value::String(text) => {
            Severity::from_text(text.as_bytes()) != Severity::UNKNOWN
                || text.parse::<i64>().is_ok_and(|number| (0..=100).contains(&number))
        }
        Value::Number(number) => number.as_i64().is_some_and(|n| (-8..=100).contains(&n)),
        _ => false,
    }
}

/// Names of events are identifiers such as `auth.failure`; a sentence is a message.
fn is_event_name(value: &Value) -> bool {
    value.as_str().is_some_and(|text| {
        !text.is_empty()
            && text.len() <= 60
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"._-:/".contains(&b))
    })
}

/// A field is an event name or a message, not both.
fn drop_event_that_is_message(fields: &mut Vec<(Role, Vec<String>)>) {
    let events: Vec<String> = paths_of(fields, Role::Event);
    if paths_of(fields, Role::Message) == events {
        fields.retain(|(role, _)| *role != Role::Message);
        return;
    }
    for (role, paths) in fields.iter_mut() {
        if *role == Role::Message {
            paths.retain(|path| !events.contains(path));
        }
    }
    fields.retain(|(_, paths)| !paths.is_empty());
}

fn paths_of(fields: &[(Role, Vec<String>)], role: Role) -> Vec<String> {
    fields.iter().find(|(known, _)| *known == role).map(|(_, p)| p.clone()).unwrap_or_default()
}

fn level_scale(shape: &Shape, keys: &Keys) -> LevelScale {
    if shape.level_scale != LevelScale::Text {
        return shape.level_scale;
    }
    // Pino's levels without its other keys: tens above OpenTelemetry's highest number.
    let tens = |value: &Value| value.as_i64().is_some_and(|n| n >= 10 && n % 10 == 0 && n <= 60);
    let pino =
        keys.get("level").is_some_and(|key| !key.values.is_empty() && key.values.iter().all(tens));
    if pino { LevelScale::Pino } else { LevelScale::Text }
}

/// Whether records share request ids, so that requests must be counted by id.
fn ids_repeat(keys: &Keys, fields: &[(Role, Vec<String>)]) -> bool {
    let paths = paths_of(fields, Role::RequestId);
    let Some(key) = paths.first().and_then(|path| keys.get(path)) else { return false };
    let mut ids: Vec<&str> = key.values.iter().filter_map(Value::as_str).collect();
    let all = ids.len();
    ids.sort_unstable();
    ids.dedup();
    all > 1 && ids.len() < all
}
