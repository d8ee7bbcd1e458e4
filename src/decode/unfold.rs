//! Records that hold many events: OTLP export batches and documents with a list of records.
//!
//! Works on parsed JSON, off the hot path; what it gives is one JSON object an event, which is
//! then read like any other record.

use serde_json::{Map, Value};

use super::scan::tree;

/// Events that one record may hold; the rest is dropped and counted by the caller.
const MAX_EVENTS_PER_RECORD: usize = 1_000_000;

/// What stands around events is repeated for each of them up to this size, as JSON.
const MAX_AROUND_BYTES: usize = 4 * 1024;
/// The same over all events of a record.
const MAX_REPEATED_BYTES: usize = 64 * 1024 * 1024;

/// The events inside a record and how many more there are, or `None` when the record is an event
/// itself.
pub(super) fn unfold_value(record: &Value, list_keys: &[&str]) -> Option<(Vec<Value>, u64)> {
    let object = record.as_object()?;
    for (batch, scopes, records) in
        [("resourceLogs", "scopeLogs", "logRecords"), ("resourceSpans", "scopeSpans", "spans")]
    {
        if let Some(resources) = object.get(batch).and_then(Value::as_array) {
            return Some(otlp_events(resources, scopes, records));
        }
    }
    if ["timeUnixNano", "startTimeUnixNano"].iter().any(|key| object.contains_key(*key)) {
        return has_otlp_attributes(object).then(|| (vec![Value::Object(flat_otlp(object))], 0));
    }
    let lists = list_keys.iter().filter_map(|key| Some((*key, object.get(*key)?.as_array()?)));
    let (key, list) = lists
        .filter(|(_, list)| !list.is_empty() && list.iter().all(Value::is_object))
        .max_by_key(|(_, list)| list.len())?;
    let around: Map<String, Value> = object
        .iter()
        .filter(|(name, value)| *name != key && (value.is_object() || !value.is_array()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    let around = repeatable(around, list.len());
    let items = list.iter().take(MAX_EVENTS_PER_RECORD);
    let events = items.map(|item| inside(item, around.as_ref())).collect();
    Some((events, list.len().saturating_sub(MAX_EVENTS_PER_RECORD) as u64))
}

/// What stands around some events, unless repeating it would take too much memory.
fn repeatable(around: Map<String, Value>, events: usize) -> Option<Value> {
    let around = Value::Object(around);
    let len = around.to_string().len();
    let fits = len <= MAX_AROUND_BYTES && len.saturating_mul(events) <= MAX_REPEATED_BYTES;
    fits.then_some(around)
}

/// An item of a list with what stood around it under `document`; the item's own keys win.
fn inside(item: &Value, around: Option<&Value>) -> Value {
    let mut event = item.as_object().cloned().unwrap_or_default();
    if let Some(around) = around {
        event.entry("document").or_insert_with(|| around.clone());
    }
    Value::Object(event)
}

fn otlp_events(resources: &[Value], scopes_key: &str, records_key: &str) -> (Vec<Value>, u64) {
    let (mut events, mut dropped) = (Vec::new(), 0);
    for resource in resources {
        let scopes = resource.get(scopes_key).and_then(Value::as_array).into_iter().flatten();
        let records = scopes.filter_map(|scope| scope.get(records_key)?.as_array()).flatten();
        let records: Vec<_> = records.filter_map(Value::as_object).collect();
        let attributes = repeatable(attributes_of(resource.get("resource")), records.len());
        for record in records {
            if events.len() == MAX_EVENTS_PER_RECORD {
                dropped += 1;
                continue;
            }
            let mut event = flat_otlp(record);
            if let Some(attributes) = &attributes {
                event.insert("resource".to_owned(), attributes.clone());
            }
            events.push(Value::Object(event));
        }
    }
    (events, dropped)
}

fn has_otlp_attributes(record: &Map<String, Value>) -> bool {
    record
        .get("attributes")
        .and_then(Value::as_array)
        .is_some_and(|list| list.iter().any(|item| item.get("key").is_some()))
}

/// A record with its list of `{key, value}` attributes as a plain object.
fn flat_otlp(record: &Map<String, Value>) -> Map<String, Value> {
    let mut flat = record.clone();
    if has_otlp_attributes(record) {
        let attributes = attributes_of(Some(&Value::Object(record.clone())));
        flat.insert("attributes".to_owned(), Value::Object(attributes));
    }
    flat
}

fn attributes_of(holder: Option<&Value>) -> Map<String, Value> {
    let list = holder.and_then(|holder| holder.get("attributes")).and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|item| {
            let key = item.get("key")?.as_str()?.to_owned();
            Some((key, any_value(item.get("value")?)))
        })
        .collect()
}

/// OTLP's `AnyValue` as plain JSON.
fn any_value(value: &Value) -> Value {
    for key in ["stringValue", "intValue", "doubleValue", "boolValue"] {
        if let Some(inner) = value.get(key) {
            return inner.clone();
        }
    }
    value.clone()
}

/// A chunk of records rewritten as one JSON object an event a line.
#[derive(Default)]
pub(super) struct Unfolded {
    pub(super) bytes: Vec<u8>,
    /// For each record of the chunk, where its events begin here and where it began there.
    starts: Vec<(usize, usize)>,
    /// Events beyond the limit of a record.
    pub(super) dropped: u64,
}

impl Unfolded {
    /// Rewrites a chunk. A record that is no JSON, or no batch, is kept as it is.
    pub(super) fn fill(&mut self, chunk: &[u8], list_keys: &[&str]) {
        self.bytes.clear();
        self.starts.clear();
        self.dropped = 0;
        let mut start = 0;
        for line in chunk.split(|byte| *byte == b'\n') {
            self.starts.push((self.bytes.len(), start));
            start += line.len() + 1;
            self.dropped += unfold_line(line, list_keys, &mut self.bytes);
        }
    }

    /// Where the record began in the chunk whose event is at `at` here.
    pub(super) fn origin(&self, at: usize) -> usize {
        let after = self.starts.partition_point(|(here, _)| *here <= at);
        after.checked_sub(1).and_then(|index| self.starts.get(index)).map_or(0, |(_, start)| *start)
    }
}

/// Writes the events of a record; gives the number of those that are dropped.
fn unfold_line(line: &[u8], list_keys: &[&str], out: &mut Vec<u8>) -> u64 {
    let record = tree(line);
    let Some((events, dropped)) = record.and_then(|record| unfold_value(&record, list_keys)) else {
        out.extend_from_slice(line);
        out.push(b'\n');
        return 0;
    };
    for event in events {
        out.extend_from_slice(event.to_string().as_bytes());
        out.push(b'\n');
    }
    dropped
}

#[cfg(test)]
mod tests {
    use super::{MAX_AROUND_BYTES, Unfolded};

    fn check(chunk: &str, want: &str) {
        let mut out = Unfolded::default();
        out.fill(chunk.as_bytes(), &["reports"]);
        assert_eq!(String::from_utf8(out.bytes).unwrap().trim_end(), want);
    }

    #[test]
    fn batches_become_events_and_everything_else_stays() {
        check(r#"{"a":1}"#, r#"{"a":1}"#);
        check("not json", "not json");
        check(
            r#"{"m":{"v":1},"reports":[{"a":1},{"a":2}]}"#,
            concat!(
                r#"{"a":1,"document":{"m":{"v":1}}}"#,
                "\n",
                r#"{"a":2,"document":{"m":{"v":1}}}"#
            ),
        );
        check(r#"{"reports":[]}"#, r#"{"reports":[]}"#); // an empty list is an event of its own
        check(r#"{"reports":[1,2]}"#, r#"{"reports":[1,2]}"#);
    }

    #[test]
    fn a_large_document_is_not_repeated_for_each_of_its_items() {
        for (len, repeated) in [(MAX_AROUND_BYTES - 8, true), (MAX_AROUND_BYTES - 7, false)] {
            let around = format!(r#"{{"m":"{}"}}"#, "x".repeat(len));
            let chunk = format!(r#"{},"reports":[{{"a":1}}]}}"#, around.trim_end_matches('}'));
            let document =
                if repeated { format!(r#","document":{around}"#) } else { String::new() };
            check(&chunk, &format!(r#"{{"a":1{document}}}"#));
        }
    }

    #[test]
    fn events_are_found_where_their_record_is() {
        let mut out = Unfolded::default();
        out.fill(b"{\"reports\":[{\"a\":1},{\"a\":2}]}\n\n{\"a\":3}\n", &["reports"]);
        let lines = String::from_utf8(out.bytes.clone()).unwrap();
        let mut found = Vec::new();
        let mut at = 0;
        for line in lines.split_inclusive('\n') {
            found.push((line.trim_end().len(), out.origin(at)));
            at += line.len();
        }
        let event = r#"{"a":1,"document":{}}"#.len();
        assert_eq!(found.get(..4), Some(&[(event, 0), (event, 0), (0, 30), (7, 31)][..]));
    }

    #[test]
    fn otlp_attributes_become_an_object() {
        check(
            concat!(
                r#"{"resourceLogs":[{"resource":{"attributes":[{"key":"service.name","#,
                r#""value":{"stringValue":"api"}}]},"scopeLogs":[{"logRecords":["#,
                r#"{"timeUnixNano":"1","attributes":[{"key":"n","value":{"intValue":"3"}}]}]}]}]}"#
            ),
            r#"{"timeUnixNano":"1","attributes":{"n":"3"},"resource":{"service.name":"api"}}"#,
        );
    }
}
