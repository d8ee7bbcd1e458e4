//! Everything that one reading of the inputs yields for reports, comparisons and inspection.
//!
//! A [`Survey`] consumes batches in order and keeps only what is bounded: the request log,
//! counts by minute, message templates, the slowest and some failed records by day. Requests
//! that log several records are put together by their request id before they are counted.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use rustc_hash::FxHashMap;

use super::names::{CodeMap, Names, RequestNames};
use super::open_request::OpenRequest;
use super::read::Batch;
use super::requests::{Request, RequestLog};
use super::tally::{Counted, Tally};
use crate::decode::{Profile, Rejects};
use crate::model::{
    EventBatch, Example, InputSummary, Label, NO_STATUS, NO_TIME, Quality, Severity, Text, Wanted,
};

/// Message templates told apart.
const MAX_TEMPLATES: usize = 5_000;
/// Event names told apart.
const MAX_EVENTS: usize = 500;
/// Requests whose records are still being put together.
const MAX_OPEN_REQUESTS: usize = 100_000;
/// A request that said nothing for this long is complete.
const REQUEST_IDLE_US: i64 = 15 * 60 * 1_000_000;
/// Slowest and failed records kept by route and day.
const KEPT_BY_DAY: usize = 5;
/// Rejected records shown.
const MAX_REJECT_EXAMPLES: usize = 3;
/// Route and day pairs for which records are kept.
const MAX_KEPT_CELLS: usize = 20_000;

const MINUTE_US: i64 = 60_000_000;
const DAY_US: i64 = 86_400_000_000;

/// Ends the name of an event that documents tell of, since logs may tell of it too.
pub const DOCUMENTS_SUFFIX: &str = " (documents)";

/// Where a record is, and the little that is said of it in a list.
#[derive(Clone, Debug, PartialEq)]
pub struct Pointer {
    /// Index of the input.
    pub input: usize,
    /// Byte offset in that input.
    pub offset: u64,
    /// Event time, microseconds.
    pub ts_us: i64,
    /// Milliseconds; NaN when unknown.
    pub duration_ms: f64,
    /// Status, where there is one.
    pub status: Option<i32>,
    /// Request or trace id.
    pub id: Option<String>,
}

/// A message template.
#[derive(Clone, Debug)]
pub struct TemplateSeen {
    /// Worst severity it came with.
    pub severity: Severity,
    /// First time, microseconds.
    pub first_us: i64,
    /// How often.
    pub count: u64,
    /// A record that has it.
    pub example: (usize, u64),
}

/// What was counted of one input.
#[derive(Clone, Debug, Default)]
pub struct InputCount {
    /// Bytes after decompression.
    pub bytes: u64,
    /// Records.
    pub records: u64,
    /// Rejected records.
    pub rejects: Rejects,
}

/// The columns that a survey reads.
pub fn survey_columns() -> Wanted {
    let mut wanted = Wanted::default();
    for label in [Label::Route, Label::Version, Label::Event, Label::Template] {
        wanted.add_label(label);
    }
    wanted.add_text(Text::RequestId);
    wanted
}

/// What one reading yields.
#[derive(Debug)]
pub struct Survey {
    /// All requests.
    pub requests: RequestLog,
    /// Their routes and versions.
    pub names: RequestNames,
    /// Event names.
    pub events: Names,
    /// Message templates.
    pub templates: Names,
    /// What was seen of each template, by its number.
    pub template_seen: Vec<TemplateSeen>,
    /// First and last time of each version, microseconds, by its number.
    pub version_span_us: Vec<(i64, i64)>,
    /// Records by time.
    pub tally: Tally,
    /// Slowest records by route and day.
    pub slowest: FxHashMap<(u32, i64), Vec<Pointer>>,
    /// First failed records by route and day.
    pub failed: FxHashMap<(u32, i64), Vec<Pointer>>,
    /// First records by event name and day.
    pub event_examples: FxHashMap<(u32, i64), Vec<Pointer>>,
    /// By input.
    pub inputs: Vec<InputCount>,
    /// First and last event time, microseconds.
    pub span_us: Option<(i64, i64)>,
    /// Events without a usable time.
    pub no_time: u64,
    /// Events more than a minute before the one above them.
    pub out_of_order: u64,
    /// Events that have a duration.
    pub with_duration: u64,
    /// Sum of those durations, milliseconds.
    pub duration_ms_sum: f64,
    /// Events that have a status, crashed ones aside.
    pub with_status: u64,
    /// Events with a status of 500 and above.
    pub server_errors: u64,
    /// Events with the status −1: Vercel's functions that crashed.
    pub crashed: u64,
    /// Events of error level or worse.
    pub errors: u64,
    /// Requests counted.
    pub request_count: u64,
    open: FxHashMap<Box<str>, OpenRequest>,
    maps: Maps,
    newest_us: i64,
    /// Records of the minute that is being read, not yet in the tally.
    minute_records: (i64, u32),
}

#[derive(Debug, Default)]
struct Maps {
    route: CodeMap,
    version: CodeMap,
    event: CodeMap,
    template: CodeMap,
}

/// One event as the survey sees it.
pub(super) struct Event<'a> {
    pub(super) ts_us: i64,
    pub(super) severity: Severity,
    pub(super) status: i32,
    pub(super) duration_ms: f64,
    pub(super) route: Option<u32>,
    pub(super) version: Option<u32>,
    pub(super) request_id: Option<&'a str>,
    pub(super) input: usize,
    pub(super) offset: u64,
}

impl Event<'_> {
    fn pointer(&self) -> Pointer {
        Pointer {
            input: self.input,
            offset: self.offset,
            ts_us: self.ts_us,
            duration_ms: self.duration_ms,
            status: (self.status != NO_STATUS).then_some(self.status),
            id: self.request_id.map(str::to_owned),
        }
    }
}

impl Default for Survey {
    fn default() -> Self {
        Self {
            requests: RequestLog::default(),
            names: RequestNames::default(),
            events: Names::with_limit(MAX_EVENTS),
            templates: Names::with_limit(MAX_TEMPLATES),
            template_seen: Vec::new(),
            version_span_us: Vec::new(),
            tally: Tally::default(),
            slowest: FxHashMap::default(),
            failed: FxHashMap::default(),
            event_examples: FxHashMap::default(),
            inputs: Vec::new(),
            span_us: None,
            no_time: 0,
            out_of_order: 0,
            with_duration: 0,
            duration_ms_sum: 0.0,
            with_status: 0,
            server_errors: 0,
            crashed: 0,
            errors: 0,
            request_count: 0,
            open: FxHashMap::default(),
            maps: Maps::default(),
            newest_us: i64::MIN,
            minute_records: (0, 0),
        }
    }
}

impl Survey {
    /// Takes in a batch of events read with [`survey_columns`].
    pub fn add(&mut self, batch: &Batch<'_>) {
        self.add_rows(batch, &mut |_| true);
    }

    /// The same for the rows that `takes` wants; records and rejects count as a whole.
    pub fn add_rows(&mut self, batch: &Batch<'_>, takes: &mut dyn FnMut(usize) -> bool) {
        if self.inputs.len() <= batch.input {
            self.inputs.resize_with(batch.input + 1, InputCount::default);
        }
        let mut maps = std::mem::take(&mut self.maps);
        let events = batch.events;
        maps.route.start(events.label(Label::Route));
        maps.version.start(events.label(Label::Version));
        maps.event.start(events.label(Label::Event));
        maps.template.start(events.label(Label::Template));
        for row in 0..events.len {
            if takes(row) {
                self.add_event(batch, row, &mut maps);
            }
        }
        self.maps = maps;
        if let Some(input) = self.inputs.get_mut(batch.input) {
            input.bytes += batch.bytes;
            input.records += batch.records;
            input.rejects.merge(batch.rejects.clone());
        }
    }

    /// Closes what is open; reading is over.
    pub fn finish(&mut self) {
        let (minute, records) = std::mem::take(&mut self.minute_records);
        self.tally.add(Counted::Records, minute, records);
        let mut open: Vec<_> = self.open.drain().collect();
        open.sort_by_key(|(_, request)| (request.input, request.offset));
        for (id, request) in open {
            self.close(&id, &request);
        }
    }

    /// What was read and rejected of the inputs, in the order of their reading.
    pub fn counted(&self, mut inputs: Vec<InputSummary>) -> Quality {
        let mut quality = Quality {
            no_time: self.no_time,
            out_of_order: self.out_of_order,
            requests: self.request_count,
            ..Quality::default()
        };
        let mut reasons: BTreeMap<&str, u64> = BTreeMap::new();
        for (summary, count) in inputs.iter_mut().zip(&self.inputs) {
            summary.bytes = count.bytes;
            summary.records = count.records;
            summary.rejected = count.rejects.count();
            quality.records += summary.records;
            quality.rejected += summary.rejected;
            for (reason, times) in &count.rejects.by_reason {
                *reasons.entry(reason).or_default() += times;
            }
            let room = MAX_REJECT_EXAMPLES.saturating_sub(quality.reject_examples.len());
            let examples = count.rejects.examples.iter().take(room);
            quality.reject_examples.extend(examples.map(|(offset, record)| Example {
                input: summary.name.clone(),
                offset: *offset,
                text: Example::text_of(record),
            }));
        }
        quality.events = quality.records - quality.rejected;
        quality.reject_reasons = reasons.into_iter().map(|(r, n)| (r.to_owned(), n)).collect();
        // A stable sort: reasons of one count stay in the order of their names.
        quality.reject_reasons.sort_by_key(|(_, times)| Reverse(*times));
        quality.inputs = inputs;
        quality
    }

    fn add_event(&mut self, batch: &Batch<'_>, row: usize, maps: &mut Maps) {
        let events: &EventBatch = batch.events;
        let event = Event {
            ts_us: events.ts_us.get(row).copied().unwrap_or(NO_TIME),
            severity: events.severity.get(row).copied().unwrap_or_default(),
            status: events.status.get(row).copied().unwrap_or(NO_STATUS),
            duration_ms: events.duration_ms.get(row).copied().unwrap_or(f64::NAN),
            route: maps.route.id(events.label(Label::Route), row, &mut self.names.routes),
            version: maps.version.id(events.label(Label::Version), row, &mut self.names.versions),
            request_id: events.text(Text::RequestId).get(row),
            input: batch.input,
            offset: events.offset.get(row).copied().unwrap_or_default(),
        };
        self.count_event(&event);
        let name = maps.event.id(events.label(Label::Event), row, &mut self.events);
        let name = name.map(|name| self.event_of(batch.profile, name));
        let template = maps.template.id(events.label(Label::Template), row, &mut self.templates);
        if event.ts_us == NO_TIME {
            self.no_time += 1;
            return;
        }
        self.see_time(&event);
        self.tally_event(&event, name, template);
        self.add_request(batch.profile, &event);
    }

    /// What documents and logs tell of the same event is counted apart, not twice.
    fn event_of(&mut self, profile: &Profile, name: u32) -> u32 {
        if profile.default_event.is_none() {
            return name;
        }
        let from_documents = format!("{}{DOCUMENTS_SUFFIX}", self.events.name(name));
        self.events.id(&from_documents)
    }

    fn count_event(&mut self, event: &Event<'_>) {
        if !event.duration_ms.is_nan() {
            self.with_duration += 1;
            self.duration_ms_sum += event.duration_ms;
        }
        if event.status != NO_STATUS {
            self.with_status += u64::from(event.status > 0);
            self.server_errors += u64::from(event.status >= 500);
            self.crashed += u64::from(event.status == -1);
        }
        self.errors += u64::from(event.severity.is_error());
    }

    fn see_time(&mut self, event: &Event<'_>) {
        let (first, last) = self.span_us.unwrap_or((event.ts_us, event.ts_us));
        self.span_us = Some((first.min(event.ts_us), last.max(event.ts_us)));
        if event.ts_us < self.newest_us.saturating_sub(MINUTE_US) {
            self.out_of_order += 1;
        }
        self.newest_us = event.ts_us;
        if let Some(version) = event.version {
            let version = version as usize;
            if self.version_span_us.len() <= version {
                self.version_span_us.resize(version + 1, (i64::MAX, i64::MIN));
            }
            if let Some((first, last)) = self.version_span_us.get_mut(version) {
                *first = (*first).min(event.ts_us);
                *last = (*last).max(event.ts_us);
            }
        }
    }

    fn tally_event(&mut self, event: &Event<'_>, name: Option<u32>, template: Option<u32>) {
        let minute = event.ts_us.div_euclid(MINUTE_US) * MINUTE_US;
        let tally = &mut self.tally;
        if self.minute_records.0 == minute {
            self.minute_records.1 += 1;
        } else {
            let (before, records) = std::mem::replace(&mut self.minute_records, (minute, 1));
            tally.add(Counted::Records, before, records);
        }
        if event.severity.is_error() {
            tally.add(Counted::Errors, minute, 1);
        } else if event.severity.is_warn() {
            tally.add(Counted::Warnings, minute, 1);
        }
        if let Some(name) = name {
            tally.add(Counted::Event(name), minute, 1);
        }
        if let Some(template) = template {
            tally.add(Counted::Template(template), minute, 1);
            self.see_template(template, event);
        }
        if let Some(name) = name {
            keep_first(&mut self.event_examples, (name, event.ts_us), || event.pointer());
        }
    }

    fn see_template(&mut self, template: u32, event: &Event<'_>) {
        let index = template as usize;
        if self.template_seen.len() <= index {
            let fresh = TemplateSeen {
                severity: event.severity,
                first_us: event.ts_us,
                count: 0,
                example: (event.input, event.offset),
            };
            self.template_seen.resize(index + 1, fresh);
        }
        if let Some(seen) = self.template_seen.get_mut(index) {
            seen.severity = seen.severity.max(event.severity);
            seen.first_us = seen.first_us.min(event.ts_us);
            seen.count += 1;
        }
    }

    fn add_request(&mut self, profile: &Profile, event: &Event<'_>) {
        match event.request_id {
            Some(id) if profile.joins_requests => self.join_request(id, event),
            _ if event.status == NO_STATUS && event.duration_ms.is_nan() => {}
            _ => {
                let open = OpenRequest::begin(event);
                self.close(event.request_id.unwrap_or_default(), &open);
            }
        }
    }

    fn join_request(&mut self, id: &str, event: &Event<'_>) {
        if let Some(open) = self.open.get_mut(id) {
            open.join(event);
        } else {
            if self.open.len() >= MAX_OPEN_REQUESTS {
                self.close_idle(event.ts_us);
            }
            let open = OpenRequest::begin(event);
            self.open.insert(id.into(), open);
        }
    }

    /// Closes requests that have been silent, or the older half when none has.
    fn close_idle(&mut self, now_us: i64) {
        let mut lasts: Vec<i64> = self.open.values().map(|open| open.last_us).collect();
        let middle = lasts.len() / 2;
        lasts.select_nth_unstable(middle);
        let median = lasts.get(middle).copied().unwrap_or(now_us);
        let bound_us = (now_us - REQUEST_IDLE_US).max(median);
        let mut idle: Vec<(Box<str>, OpenRequest)> =
            self.open.extract_if(|_, open| open.last_us <= bound_us).collect();
        idle.sort_by_key(|(_, request)| (request.input, request.offset));
        for (id, request) in idle {
            self.close(&id, &request);
        }
    }

    fn close(&mut self, id: &str, open: &OpenRequest) {
        if open.status == NO_STATUS && open.duration_ms.is_nan() {
            return; // a build line, not a request
        }
        let request = open.request(&mut self.names.routes);
        self.request_count += 1;
        self.requests.push(request);
        let pointer = || Pointer {
            input: open.input,
            offset: open.offset,
            ts_us: request.ts_us,
            duration_ms: request.duration_ms,
            status: (open.status != NO_STATUS).then_some(open.status),
            id: (!id.is_empty()).then(|| id.to_owned()),
        };
        if !request.duration_ms.is_nan() {
            keep_slowest(&mut self.slowest, request, pointer);
        }
        if request.outcome.is_failed() {
            keep_first(&mut self.failed, (request.route, request.ts_us), pointer);
        }
    }
}

/// Keeps the first few records of a route or event on each day.
fn keep_first(
    kept: &mut FxHashMap<(u32, i64), Vec<Pointer>>,
    (key, ts_us): (u32, i64),
    pointer: impl FnOnce() -> Pointer,
) {
    let cell = (key, ts_us.div_euclid(DAY_US));
    let room = kept.len() < MAX_KEPT_CELLS;
    match kept.get_mut(&cell) {
        Some(pointers) if pointers.len() < KEPT_BY_DAY => pointers.push(pointer()),
        None if room => {
            kept.insert(cell, vec![pointer()]);
        }
        _ => {}
    }
}

fn keep_slowest(
    kept: &mut FxHashMap<(u32, i64), Vec<Pointer>>,
    request: Request,
    pointer: impl FnOnce() -> Pointer,
) {
    let cell = (request.route, request.ts_us.div_euclid(DAY_US));
    if kept.len() >= MAX_KEPT_CELLS && !kept.contains_key(&cell) {
        return;
    }
    let pointers = kept.entry(cell).or_default();
    let full = pointers.len() >= KEPT_BY_DAY;
    let slow_enough = |least: &Pointer| !full || request.duration_ms > least.duration_ms;
    if pointers.last().is_none_or(slow_enough) {
        let at = pointers.partition_point(|kept| kept.duration_ms >= request.duration_ms);
        pointers.insert(at, pointer());
        pointers.truncate(KEPT_BY_DAY);
    }
}
