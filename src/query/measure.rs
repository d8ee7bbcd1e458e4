//! Measures what rules ask for in one reading: counts, values and different values of the rows
//! that pass a filter, apart by a field, over windows that are chosen afterwards.
//!
//! ```text
//! questions ─▶ plan       columns to read, distinct conditions, one bit a question
//! batches   ─▶ condition  a truth a row and condition ─▶ the bits of the questions it answers
//!              row        records of one request are put together first, where a source needs it
//!           ─▶ log        rows with any bit, as columns; folded into sketches beyond 4 million
//! windows   ─▶ answer     counts and values by group
//! ```
//! Guarantees: a row without a time is counted and in no window; memory grows with the groups that
//! are asked for, not with the rows; the answer does not depend on the number of threads.

mod answer;
mod condition;
mod folded;
mod log;
mod plan;
mod row;
#[cfg(test)]
mod tests;
mod unseen;
mod versions;

use std::collections::{BTreeMap, BTreeSet};

use rustc_hash::FxHashMap;

pub use answer::Values;
pub use plan::{Question, Take};
pub use unseen::UnseenWord;

use self::answer::Answer;
use self::log::{FinishedLog, NO_GROUP, Row, RowLog};
use self::plan::{MAX_TOGETHER, Plan, parts};
use self::row::{Cell, Column, OpenRow};
use self::unseen::Unseen;
use self::versions::Versions;
use super::names::{CodeMap, Names};
use super::read::Batch;
use super::requests::grain_us;
use super::survey::InputCount;
use crate::model::{
    EventBatch, Label, LabelColumn, NO_STATUS, NO_TIME, SlotWidth, Text, Wanted, Window,
};

/// Different values of a field told apart.
pub const MAX_GROUPS: usize = 100_000;
/// Requests whose records are still being put together.
const MAX_OPEN_REQUESTS: usize = 100_000;
/// A request that said nothing for this long is complete.
const REQUEST_IDLE_US: i64 = 15 * 60 * 1_000_000;

/// Takes in batches until everything was read.
#[derive(Debug, Default)]
pub struct Measures {
    parts: Vec<Part>,
    wanted: Wanted,
    versions: Versions,
    unseen: Unseen,
    /// By input: bytes, records, rejected records.
    pub inputs: Vec<InputCount>,
    span_us: Option<(i64, i64)>,
    /// Events by minute.
    minutes: BTreeMap<i64, u64>,
    /// Events of the minute that is being read.
    minute: (i64, u64),
    told: Told,
}

const MINUTE_US: i64 = 60_000_000;

impl Measures {
    /// For these questions, which are known by their places; `joins_requests` says whether any
    /// input logs several records a request.
    pub fn new(questions: &[Question], joins_requests: bool) -> Self {
        Self::with_limit(questions, joins_requests, log::MAX_EXACT)
    }

    /// Keeps so many rows one by one before they are folded.
    pub fn with_limit(questions: &[Question], joins_requests: bool, max_exact: usize) -> Self {
        let mut wanted = Wanted::default();
        wanted.add_label(Label::Version);
        wanted.add_label(Label::Event);
        let asked = parts(questions.len()).filter_map(|range| questions.get(range));
        let parts: Vec<Part> = asked.map(|some| Part::new(some, &mut wanted, max_exact)).collect();
        if joins_requests && parts.iter().any(|part| part.plan.of_requests != 0) {
            wanted.add_text(Text::RequestId);
        }
        let unseen = Unseen::of(questions, &mut wanted);
        Self { parts, wanted, unseen, ..Self::default() }
    }

    /// The columns to read.
    pub fn wanted(&self) -> &Wanted {
        &self.wanted
    }

    /// Takes in a batch that was read with [`Measures::wanted`].
    pub fn add(&mut self, batch: &Batch<'_>) {
        if self.inputs.len() <= batch.input {
            self.inputs.resize_with(batch.input + 1, InputCount::default);
        }
        if let Some(input) = self.inputs.get_mut(batch.input) {
            input.bytes += batch.bytes;
            input.records += batch.records;
            input.rejects.merge(batch.rejects.clone());
        }
        for ts_us in &batch.events.ts_us {
            if *ts_us == NO_TIME {
                continue;
            }
            let (first, last) = self.span_us.unwrap_or((*ts_us, *ts_us));
            self.span_us = Some((first.min(*ts_us), last.max(*ts_us)));
            let minute = ts_us.div_euclid(MINUTE_US);
            if self.minute.0 != minute {
                self.end_minute(minute);
            }
            self.minute.1 += 1;
        }
        self.versions.add(batch.events);
        let by_documents = batch.profile.default_event.is_some();
        self.told.add(batch.events.label(Label::Event), by_documents);
        self.unseen.see(batch.events);
        self.parts.iter_mut().for_each(|part| part.add(batch, &mut self.told));
    }

    fn end_minute(&mut self, next: i64) {
        let (minute, events) = std::mem::replace(&mut self.minute, (next, 0));
        if events > 0 {
            *self.minutes.entry(minute).or_default() += events;
        }
    }

    /// Reading is over.
    pub fn finish(mut self) -> Measured {
        self.end_minute(0);
        let told = self.told;
        Measured {
            unseen: self.unseen.finish(),
            versions: self.versions.finish(),
            parts: self.parts.into_iter().map(|part| part.finish(&told)).collect(),
            span_us: self.span_us,
            minutes: self.minutes,
        }
    }
}

/// Questions that share their rows.
#[derive(Debug)]
struct Part {
    plan: Plan,
    log: RowLog,
    names: Vec<Names>,
    maps: Vec<CodeMap>,
    open: FxHashMap<Box<str>, OpenRow>,
    truth: Vec<bool>,
    answers: Vec<u64>,
}

/// Names of events, and how often logs told of each.
#[derive(Debug)]
struct Told {
    names: Names,
    map: CodeMap,
    by_logs: Vec<u64>,
}

impl Default for Told {
    fn default() -> Self {
        /// Names told apart.
        const MAX_EVENTS: usize = 500;
        let names = Names::with_limit(MAX_EVENTS);
        Self { names, map: CodeMap::default(), by_logs: Vec::new() }
    }
}

impl Told {
    /// Records of an event from which on it is known from logs.
    const MIN_RECORDS: u64 = 10;

    fn add(&mut self, column: &LabelColumn, by_documents: bool) {
        self.map.start(column);
        if by_documents {
            return;
        }
        for row in 0..column.codes().len() {
            let Some(event) = self.event(column, row) else { continue };
            let event = event as usize;
            if self.by_logs.len() <= event {
                self.by_logs.resize(event + 1, 0);
            }
            if let Some(count) = self.by_logs.get_mut(event) {
                *count += 1;
            }
        }
    }

    /// Number of the event of a row.
    fn event(&mut self, column: &LabelColumn, row: usize) -> Option<u32> {
        self.map.id(column, row, &mut self.names)
    }

    fn is_logged(&self, event: u32) -> bool {
        self.by_logs.get(event as usize).is_some_and(|count| *count >= Self::MIN_RECORDS)
    }
}

impl Part {
    fn new(questions: &[Question], wanted: &mut Wanted, max_exact: usize) -> Self {
        let plan = Plan::of(questions, wanted);
        let count = plan.groups.len();
        Self {
            log: RowLog::new(plan.shapes.clone(), max_exact),
            names: (0..count).map(|_| Names::with_limit(MAX_GROUPS)).collect(),
            maps: (0..count).map(|_| CodeMap::default()).collect(),
            plan,
            open: FxHashMap::default(),
            truth: Vec::new(),
            answers: Vec::new(),
        }
    }

    fn add(&mut self, batch: &Batch<'_>, told: &mut Told) {
        let events = batch.events;
        let by_documents = batch.profile.default_event.is_some();
        self.see_answers(events, batch.profile.joins_requests);
        for (map, column) in self.maps.iter_mut().zip(&self.plan.groups) {
            if let Column::Label(label) = column {
                map.start(events.label(*label));
            }
        }
        let mut values = vec![f64::NAN; self.plan.values.len()];
        let mut groups = vec![NO_GROUP; self.plan.groups.len()];
        for row in 0..events.len {
            let answers = self.answers.get(row).copied().unwrap_or_default();
            let ts_us = events.ts_us.get(row).copied().unwrap_or(NO_TIME);
            if answers == 0 || ts_us == NO_TIME {
                continue;
            }
            for (value, column) in values.iter_mut().zip(&self.plan.values) {
                *value = column.cell(events, row).number();
            }
            for (place, (group, column)) in groups.iter_mut().zip(&self.plan.groups).enumerate() {
                let (Some(names), Some(map)) =
                    (self.names.get_mut(place), self.maps.get_mut(place))
                else {
                    continue;
                };
                *group = match column {
                    Column::Label(label) => {
                        map.id(events.label(*label), row, names).unwrap_or(NO_GROUP)
                    }
                    column => group_of(column.cell(events, row), names),
                };
            }
            self.log.push(&Row { ts_us, answers, values: &values, groups: &groups });
            let event = by_documents.then(|| told.event(events.label(Label::Event), row));
            if let Some(event) = event.flatten() {
                self.log.was_told_by_documents(event);
            }
        }
        if batch.profile.joins_requests && self.plan.of_requests != 0 {
            self.join_requests(batch);
        }
    }

    /// The questions that each row answers by itself.
    fn see_answers(&mut self, events: &EventBatch, joins_requests: bool) {
        let Plan { of_records, of_requests, .. } = self.plan;
        let request_ids = events.text(Text::RequestId);
        let rows = 0..events.len;
        self.answers.clear();
        self.answers.extend(rows.map(|row| {
            let status = events.status.get(row).copied().unwrap_or(NO_STATUS);
            let duration_ms = events.duration_ms.get(row).copied().unwrap_or(f64::NAN);
            let is_request = (status != NO_STATUS || !duration_ms.is_nan())
                && !(joins_requests && request_ids.get(row).is_some());
            if is_request { of_records | of_requests } else { of_records }
        }));
        for (condition, askers) in self.plan.conditions.iter().zip(&self.plan.askers) {
            condition.of_batch(events, &mut self.truth);
            for (answers, holds) in self.answers.iter_mut().zip(&self.truth) {
                *answers &= if *holds { u64::MAX } else { !askers };
            }
        }
    }

    fn join_requests(&mut self, batch: &Batch<'_>) {
        let events = batch.events;
        for row in 0..events.len {
            let ts_us = events.ts_us.get(row).copied().unwrap_or(NO_TIME);
            let Some(id) = events.text(Text::RequestId).get(row).filter(|_| ts_us != NO_TIME)
            else {
                continue;
            };
            if let Some(open) = self.open.get_mut(id) {
                open.join(events, row, &self.plan.kept);
                continue;
            }
            if self.open.len() >= MAX_OPEN_REQUESTS {
                self.close_idle(ts_us);
            }
            let order = (batch.input, events.offset.get(row).copied().unwrap_or_default());
            self.open.insert(id.into(), OpenRow::begin(events, row, &self.plan.kept, order));
        }
    }

    /// Closes what has been silent; when all are busy, those that were silent longest.
    fn close_idle(&mut self, now_us: i64) {
        let mut idle: Vec<(i64, Box<str>)> =
            self.open.iter().map(|(id, open)| (open.last_us, id.clone())).collect();
        idle.sort();
        let silent = idle.partition_point(|(last_us, _)| *last_us < now_us - REQUEST_IDLE_US);
        idle.truncate(silent.max(MAX_OPEN_REQUESTS / 10));
        let closed = idle.iter().filter_map(|(_, id)| self.open.remove(id)).collect();
        self.close(closed);
    }

    fn close(&mut self, mut requests: Vec<OpenRow>) {
        requests.sort_by_key(|open| open.order);
        for open in requests.iter().filter(|open| open.is_request()) {
            let kept = &self.plan.kept;
            let mut answers = self.plan.of_requests;
            for (condition, askers) in self.plan.conditions.iter().zip(&self.plan.askers) {
                if !condition.holds(open.cell(condition.column, kept)) {
                    answers &= !askers;
                }
            }
            if answers == 0 {
                continue;
            }
            let value = |column: &Column| open.cell(*column, kept).number();
            let values: Vec<f64> = self.plan.values.iter().map(value).collect();
            let columns = self.plan.groups.iter().zip(&mut self.names);
            let groups: Vec<u32> =
                columns.map(|(column, names)| group_of(open.cell(*column, kept), names)).collect();
            let ts_us = open.first_us;
            self.log.push(&Row { ts_us, answers, values: &values, groups: &groups });
        }
    }

    fn finish(mut self, told: &Told) -> FinishedPart {
        let open = std::mem::take(&mut self.open).into_values().collect();
        self.close(open);
        let log = self.log.finish(|event| told.is_logged(event));
        FinishedPart { log, names: self.names, groups: self.plan.shapes }
    }
}

fn is_cut(names: &Names) -> bool {
    names.over_limit() > 0
}

fn group_of(cell: Cell<'_>, names: &mut Names) -> u32 {
    match cell {
        Cell::Missing => NO_GROUP,
        Cell::Text(text) => names.id(text),
        Cell::Number(number) => names.id(&number.to_string()),
        Cell::Severity(severity) => names.id(severity.as_str()),
    }
}

#[derive(Debug)]
struct FinishedPart {
    log: FinishedLog,
    names: Vec<Names>,
    groups: Vec<log::Shape>,
}

/// Everything that was read, ready to be asked about.
#[derive(Debug)]
pub struct Measured {
    parts: Vec<FinishedPart>,
    versions: BTreeMap<String, (i64, i64)>,
    span_us: Option<(i64, i64)>,
    minutes: BTreeMap<i64, u64>,
    /// Fields and words.
    unseen: (Vec<String>, Vec<UnseenWord>),
}

impl Measured {
    /// First and last event time, microseconds; `None` without any.
    pub fn span_us(&self) -> Option<(i64, i64)> {
        self.span_us
    }

    /// Events of the minutes that a window touches, whether or not any question is about them.
    pub fn events_within(&self, window: Window) -> u64 {
        let first = window.start_us.div_euclid(MINUTE_US);
        let last = (window.end_us - 1).div_euclid(MINUTE_US).max(first);
        self.minutes.range(first..=last).map(|(_, events)| events).sum()
    }

    /// First and last time of each version, microseconds.
    pub fn versions(&self) -> &BTreeMap<String, (i64, i64)> {
        &self.versions
    }

    /// Whether quantiles are exact; otherwise they come from sketches.
    pub fn is_exact(&self) -> bool {
        self.folded_width().is_none()
    }

    /// Narrowest width in which time can be asked about.
    pub fn finest_width(&self) -> SlotWidth {
        self.folded_width().unwrap_or(SlotWidth::fitting(0.0, 1))
    }

    /// What windows must be whole multiples of, microseconds.
    pub fn grain_us(&self) -> i64 {
        grain_us(self.folded_width())
    }

    fn folded_width(&self) -> Option<SlotWidth> {
        self.parts.iter().filter_map(|part| part.log.folded_width()).max()
    }

    /// Fields that questions name and no record has.
    pub fn unseen_fields(&self) -> &[String] {
        &self.unseen.0
    }

    /// Words of labels that conditions name and no record has.
    pub fn unseen_words(&self) -> &[UnseenWord] {
        &self.unseen.1
    }

    /// What there is to say about the question at this place.
    pub fn question(&self, place: usize) -> Option<Measurement<'_>> {
        let part = self.parts.get(place / MAX_TOGETHER)?;
        let shape = part.groups.get(place % MAX_TOGETHER)?;
        let names = |column: Option<usize>| column.and_then(|column| part.names.get(column));
        Some(Measurement {
            answer: part.log.answer(place % MAX_TOGETHER),
            groups: names(shape.per),
            distinct: names(shape.distinct),
        })
    }
}

/// What was measured for one question. A group is known by its number; 0 where there are none.
#[derive(Debug)]
pub struct Measurement<'a> {
    answer: Answer<'a>,
    groups: Option<&'a Names>,
    distinct: Option<&'a Names>,
}

impl Measurement<'_> {
    /// Groups with their number of rows, most rows first; those without the field are none, nor
    /// are those that came too late to be told apart.
    pub fn groups(&self) -> Vec<(u32, u64)> {
        let others = self.group(Some(Names::OTHER)).filter(|_| self.groups.is_some_and(is_cut));
        let mut groups = self.answer.groups();
        groups.retain(|(group, _)| Some(*group) != others);
        groups
    }

    /// Whether there were more different values than are told apart, [`MAX_GROUPS`].
    pub fn has_too_many_values(&self) -> bool {
        self.distinct.is_some_and(is_cut)
    }

    /// Name of a group; `None` where the question is not asked by a field.
    pub fn group_name(&self, group: u32) -> Option<&str> {
        self.groups.map(|names| names.name(group))
    }

    /// Number of a group.
    pub fn group(&self, name: Option<&str>) -> Option<u32> {
        match (name, self.groups) {
            (None, None) => Some(0),
            (Some(name), Some(names)) => names.find(name),
            _ => None,
        }
    }

    /// Rows within a window.
    pub fn count(&self, group: u32, window: Window) -> u64 {
        self.answer.count(group, window)
    }

    /// Values within windows, which are in order.
    pub fn values(&self, group: u32, windows: &[Window]) -> Values {
        self.answer.values(group, windows)
    }

    /// Different values within windows.
    pub fn distinct(&self, group: u32, windows: &[Window]) -> BTreeSet<String> {
        let name = |id: u32| self.distinct.map(|names| names.name(id).to_owned());
        self.answer.distinct(group, windows).into_iter().filter_map(name).collect()
    }

    /// Time of the newest row before `end_us`, microseconds.
    pub fn newest_us(&self, group: u32, end_us: i64) -> Option<i64> {
        self.answer.newest_us(group, end_us)
    }
}
