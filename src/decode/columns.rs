//! Which fields of a record feed which column of an event, and how.

use std::borrow::Cow;
use std::ops::Range;
use std::sync::Arc;

use super::attrs::OtherKeys;
use super::message::{MessageFacts, read_message};
use super::profile::{DurationField, LevelScale, Profile, Role};
use super::route;
use super::scan::{Kind, Slot, parse_i64, unescape};
use super::timestamp::{self, TimestampParser, ZoneDefault};
use super::unit::{DurationUnit, parse_duration};
use crate::model::{EventBatch, Label, LabelColumn, NO_STATUS, NO_TIME, Severity, Text, Wanted};
use crate::redact::pseudonym;
use crate::template::masked;

/// Where a duration comes from.
struct DurationSlots {
    from: usize,
    until: Option<usize>,
    only_when: Option<(usize, &'static str)>,
    unit: DurationUnit,
}

/// Which slots feed which column, and how.
pub(super) struct Columns {
    profile: Arc<Profile>,
    time: Vec<usize>,
    nanos_of_second: Option<usize>,
    level: Vec<usize>,
    message: Vec<usize>,
    status: Vec<usize>,
    route: Vec<usize>,
    method: Vec<usize>,
    event: Vec<usize>,
    user: Vec<usize>,
    durations: Vec<DurationSlots>,
    labels: Vec<(Label, Vec<usize>)>,
    texts: Vec<(Text, Vec<usize>)>,
    extras: Vec<usize>,
    other_keys: OtherKeys,
    wanted: Wanted,
    times: TimestampParser,
    scratch: Vec<u8>,
    message_bytes: Vec<u8>,
}

/// Gives each needed field path its slot.
struct Planner<'a> {
    profile: &'a Profile,
    paths: &'a mut Vec<String>,
}

impl Planner<'_> {
    fn slot(&mut self, path: &str) -> usize {
        self.paths.iter().position(|known| known == path).unwrap_or_else(|| {
            self.paths.push(path.to_owned());
            self.paths.len() - 1
        })
    }

    /// Slots of a role's fields, best first; none when the role is not needed.
    fn role(&mut self, role: Role, needed: bool) -> Vec<usize> {
        let profile = self.profile;
        let paths = if needed { profile.paths(role) } else { &[] };
        paths.iter().map(|path| self.slot(path)).collect()
    }

    fn durations(&mut self) -> Vec<DurationSlots> {
        let profile = self.profile;
        let slots_of = |field: &DurationField| DurationSlots {
            from: self.slot(&field.path),
            until: field.until.as_deref().map(|path| self.slot(path)),
            only_when: field.only_when.map(|(path, value)| (self.slot(path), value)),
            unit: field.unit,
        };
        profile.durations.iter().map(slots_of).collect()
    }
}

impl Columns {
    /// Plans the columns; adds every field path that is needed to `paths`.
    pub(super) fn new(profile: &Arc<Profile>, wanted: &Wanted, paths: &mut Vec<String>) -> Self {
        let wants = |label: Label| wanted.labels.contains(&label);
        let wants_text = |text: Text| wanted.texts.contains(&text);
        let reads_text = wants(Label::Template) || wants_text(Text::Message);
        let reads_path = wants(Label::Route) || wants_text(Text::Path);
        let mut plan = Planner { profile, paths };
        let labels = [
            (Label::Version, Role::Version),
            (Label::Service, Role::Service),
            (Label::Host, Role::Host),
            (Label::Environment, Role::Environment),
            (Label::Deployment, Role::Deployment),
        ];
        let texts = [
            (Text::RequestId, Role::RequestId),
            (Text::TraceId, Role::TraceId),
            (Text::SpanId, Role::SpanId),
            (Text::ParentSpanId, Role::ParentSpanId),
        ];
        let zone = ZoneDefault { offset_s: profile.zone_offset_s, year: profile.year };
        Self {
            time: plan.role(Role::Time, true),
            nanos_of_second: profile.nanos_of_second.map(|path| plan.slot(path)),
            level: plan.role(Role::Level, true),
            message: plan.role(Role::Message, profile.reads_messages || reads_text),
            status: plan.role(Role::Status, true),
            route: plan.role(Role::Route, reads_path),
            method: plan.role(Role::Method, wants(Label::Method)),
            event: plan.role(Role::Event, wants(Label::Event)),
            user: plan.role(Role::User, wants_text(Text::User)),
            durations: plan.durations(),
            labels: labels
                .into_iter()
                .filter(|(label, _)| wants(*label))
                .map(|(label, role)| (label, plan.role(role, true)))
                .collect(),
            texts: texts
                .into_iter()
                .filter(|(text, _)| wants_text(*text))
                .map(|(text, role)| (text, plan.role(role, true)))
                .collect(),
            extras: wanted.extras.iter().map(|path| plan.slot(path)).collect(),
            other_keys: OtherKeys::new(profile),
            profile: Arc::clone(profile),
            wanted: wanted.clone(),
            times: TimestampParser::new(zone),
            scratch: Vec::new(),
            message_bytes: Vec::new(),
        }
    }

    /// Appends one event.
    pub(super) fn push(&mut self, record: &Fielded<'_>, batch: &mut EventBatch) {
        let chunk = record.chunk;
        let message_slot = record.first(&self.message);
        let mut message_bytes = std::mem::take(&mut self.message_bytes);
        let facts = match message_slot {
            Some(slot) if self.profile.reads_messages => {
                read_message(text_of(slot.raw(chunk), slot.escaped, &mut message_bytes))
            }
            _ => MessageFacts::default(),
        };
        let ts_us = self.time_of(record);
        let severity = self.severity_of(record, &facts);
        let said_status = self.status_of(record).or(facts.status.map(i32::from));
        let status = said_status.unwrap_or(NO_STATUS);
        let duration_ms = self.duration_of(record).or(facts.duration_ms).unwrap_or(f64::NAN);
        batch.len += 1;
        batch.offset.push(record.offset);
        batch.ts_us.push(ts_us.unwrap_or(NO_TIME));
        batch.severity.push(severity);
        batch.status.push(status);
        batch.duration_ms.push(duration_ms);
        self.push_labels(record, &facts, batch);
        if self.wanted.labels.contains(&Label::Template) {
            // What has a status is described by its route; a message adds nothing but cost.
            let describes = status == NO_STATUS || severity.is_warn();
            let column = batch.label_mut(Label::Template);
            match message_slot {
                Some(slot) if describes => {
                    let scratch = &mut self.scratch;
                    column.push_raw(slot.raw(chunk), |name| {
                        name.push_str(&masked(text_of(slot.raw(chunk), slot.escaped, scratch)));
                        !name.is_empty()
                    });
                }
                _ => column.push_option(None),
            }
        }
        self.push_texts(record, &facts, batch);
        self.message_bytes = message_bytes;
    }

    fn time_of(&mut self, record: &Fielded<'_>) -> Option<i64> {
        let slot = record.first(&self.time)?;
        let raw = slot.raw(record.chunk);
        let micros = match slot.kind {
            Kind::String => self.times.parse(raw).ok()?.micros,
            Kind::Number => timestamp::parse_number_text(raw).ok()?,
            _ => return None,
        };
        let nanos = self.nanos_of_second.and_then(|index| record.slot(index));
        Some(micros + nanos.and_then(|slot| parse_i64(slot.raw(record.chunk))).unwrap_or(0) / 1_000)
    }

    fn severity_of(&self, record: &Fielded<'_>, facts: &MessageFacts<'_>) -> Severity {
        let said = record.first(&self.level).map(|slot| {
            let raw = slot.raw(record.chunk);
            let number = || parse_i64(raw).unwrap_or(-1);
            match self.profile.level_scale {
                LevelScale::Pino if slot.kind == Kind::Number => Severity::from_pino(number()),
                LevelScale::Syslog => Severity::from_syslog(number()),
                LevelScale::SpanStatus if raw == b"2" || raw == b"STATUS_CODE_ERROR" => {
                    Severity::ERROR
                }
                LevelScale::SpanStatus => Severity::UNKNOWN,
                _ if slot.kind == Kind::Number => Severity::from_otel(number()),
                _ => Severity::from_text(raw),
            }
        });
        // The stream a line came from is no level: what the text says of itself wins.
        if facts.level == Severity::UNKNOWN { said.unwrap_or_default() } else { facts.level }
    }

    fn status_of(&self, record: &Fielded<'_>) -> Option<i32> {
        let slot = record.first(&self.status)?;
        let status = parse_i64(slot.raw(record.chunk).trim_ascii())?;
        // 0 is a client that left, or a function that never answered: no status.
        i32::try_from(status).ok().filter(|status| *status != 0)
    }

    fn duration_of(&self, record: &Fielded<'_>) -> Option<f64> {
        self.durations.iter().find_map(|field| {
            if let Some((index, value)) = field.only_when {
                let said = record.slot(index)?;
                if said.raw(record.chunk) != value.as_bytes() {
                    return None;
                }
            }
            let raw = record.slot(field.from)?.raw(record.chunk);
            match field.until {
                None => parse_duration(raw, field.unit),
                Some(until) => elapsed_ms(raw, record.slot(until)?.raw(record.chunk)),
            }
        })
    }

    fn push_labels(
        &mut self,
        record: &Fielded<'_>,
        facts: &MessageFacts<'_>,
        batch: &mut EventBatch,
    ) {
        let scratch = &mut self.scratch;
        if self.wanted.labels.contains(&Label::Route) {
            let column = batch.label_mut(Label::Route);
            match record.first(&self.route) {
                Some(slot) => column.push_raw(slot.raw(record.chunk), |name| {
                    let raw = slot.raw(record.chunk);
                    route_name(text_of(raw, slot.escaped, scratch), name)
                }),
                None => match facts.path {
                    Some(path) => column.push_raw(path.as_bytes(), |name| route_name(path, name)),
                    None => column.push_option(None),
                },
            }
        }
        let fact_labels = [
            (Label::Method, &self.method, facts.method, None),
            (Label::Event, &self.event, facts.event.as_deref(), self.profile.default_event),
        ];
        for (label, from, fact, default) in fact_labels {
            if self.wanted.labels.contains(&label) {
                push_label(record, from, fact.or(default), scratch, batch.label_mut(label));
            }
        }
        for (label, from) in &self.labels {
            push_label(record, from, None, scratch, batch.label_mut(*label));
        }
    }

    fn push_texts(
        &mut self,
        record: &Fielded<'_>,
        facts: &MessageFacts<'_>,
        batch: &mut EventBatch,
    ) {
        let chunk = record.chunk;
        let scratch = &mut self.scratch;
        for (text, from) in &self.texts {
            let fact = match text {
                Text::RequestId => facts.request_id,
                _ => None,
            };
            let slot = record.first(from);
            let value = slot.map(|slot| text_of(slot.raw(chunk), slot.escaped, scratch));
            batch.text_mut(*text).push_option(value.or(fact));
        }
        for text in &self.wanted.texts {
            match text {
                Text::Message | Text::Path => {
                    let from = if *text == Text::Message { &self.message } else { &self.route };
                    let slot = record.first(from);
                    let value = slot.map(|slot| text_of(slot.raw(chunk), slot.escaped, scratch));
                    let fact = if *text == Text::Path { facts.path } else { None };
                    batch.text_mut(*text).push_option(value.or(fact));
                }
                Text::User => {
                    let slot = record.first(&self.user);
                    let value = slot.map(|slot| text_of(slot.raw(chunk), slot.escaped, scratch));
                    let user = value.or(facts.user_email).map(user_name);
                    batch.text_mut(Text::User).push_option(user.as_deref());
                }
                Text::Body => {
                    let raw = record.bytes();
                    batch.text_mut(Text::Body).push(&String::from_utf8_lossy(raw));
                }
                Text::Attrs => {
                    let attrs = self.other_keys.of(record.bytes());
                    batch.text_mut(Text::Attrs).push_option(attrs);
                }
                _ => {}
            }
        }
        for (column, index) in self.extras.iter().enumerate() {
            if batch.extras.len() <= column {
                batch.extras.resize_with(column + 1, Default::default);
            }
            let slot = record.slot(*index);
            let value = slot.map(|slot| text_of(slot.raw(chunk), slot.escaped, scratch));
            if let Some(column) = batch.extras.get_mut(column) {
                column.push_option(value);
            }
        }
    }
}

/// A record's slots with the bytes they point into.
pub(super) struct Fielded<'a> {
    pub(super) chunk: &'a [u8],
    /// Where the record lies in the chunk.
    pub(super) range: Range<usize>,
    pub(super) slots: &'a [Slot],
    /// Where the record lies in its input.
    pub(super) offset: u64,
}

impl Fielded<'_> {
    fn bytes(&self) -> &[u8] {
        self.chunk.get(self.range.clone()).unwrap_or_default()
    }

    /// The first of several fields that the record has.
    fn first(&self, indices: &[usize]) -> Option<Slot> {
        indices.iter().find_map(|index| self.slot(*index))
    }

    /// A field that is there and says something.
    fn slot(&self, index: usize) -> Option<Slot> {
        self.slots
            .get(index)
            .copied()
            .filter(|slot| !matches!(slot.kind, Kind::Absent | Kind::Null))
            .filter(|slot| slot.end > slot.start)
    }
}

fn push_label(
    record: &Fielded<'_>,
    from: &[usize],
    otherwise: Option<&str>,
    scratch: &mut Vec<u8>,
    column: &mut LabelColumn,
) {
    match record.first(from) {
        Some(slot) => column.push_raw(slot.raw(record.chunk), |name| {
            name.push_str(text_of(slot.raw(record.chunk), slot.escaped, scratch));
            true
        }),
        None => column.push_option(otherwise),
    }
}

/// The text of a value; bytes that are no UTF-8 are replaced.
fn text_of<'a>(raw: &'a [u8], escaped: bool, scratch: &'a mut Vec<u8>) -> &'a str {
    if escaped && let Some(len) = unescape(raw, scratch).map(str::len) {
        return scratch.get(..len).and_then(|bytes| str::from_utf8(bytes).ok()).unwrap_or_default();
    }
    if let Ok(text) = str::from_utf8(raw) {
        text
    } else {
        let text = String::from_utf8_lossy(raw).into_owned();
        scratch.clear();
        scratch.extend_from_slice(text.as_bytes());
        str::from_utf8(scratch).unwrap_or_default()
    }
}

/// Writes the route of a path, URL, request line or operation name.
fn route_name(text: &str, name: &mut String) -> bool {
    const MAX_OPERATION_CHARS: usize = 120;
    let path = match text.split_once(' ') {
        // A request line: `GET /api/x HTTP/1.1`.
        Some((method, rest))
            if rest.starts_with('/') && method.bytes().all(|b| b.is_ascii_uppercase()) =>
        {
            rest.split(' ').next().unwrap_or(rest)
        }
        _ => text,
    };
    if path.starts_with('/') || path.contains("://") {
        route::route_of(path.as_bytes(), name);
    } else {
        name.extend(text.chars().take(MAX_OPERATION_CHARS));
    }
    !name.is_empty()
}

/// An e-mail address as a pseudonym, any other name as it is.
fn user_name(user: &str) -> Cow<'_, str> {
    // Reports are joined by pseudonym within one data set; a project key comes with the store.
    const KEY: &[u8] = b"plimsoll";
    if user.contains('@') { pseudonym(KEY, user).into() } else { user.into() }
}

fn elapsed_ms(from: &[u8], until: &[u8]) -> Option<f64> {
    // Nanoseconds are subtracted as whole numbers: as floats they are 256 ns apart.
    if let (Some(from_ns), Some(until_ns)) = (parse_i64(from), parse_i64(until)) {
        let ns = until_ns.checked_sub(from_ns)?;
        return Some(ns as f64 / 1e6).filter(|ms| *ms >= 0.0);
    }
    let zone = ZoneDefault::UTC;
    let from = timestamp::parse_text(from, &zone).ok()?;
    let until = timestamp::parse_text(until, &zone).ok()?;
    Some((until.micros - from.micros) as f64 / 1e3).filter(|ms| *ms >= 0.0)
}
