//! Records that hold many events: OTLP export batches and documents with a list of records.
//!
//! Works on parsed JSON, off the hot path; what it gives is one JSON object an event, which is
//! then read like any other record.

use serde_json::{Map, Value};

use super::scan::tree;

/// Events that one record may hold; the rest is dropped and counted by the caller.
const MAX_EVENTS_PER_RECORD: usize = 1_000_000;

/// The events inside a record, or `None` when the record is an event itself.
pub(super) fn unfold_value(record: &Value, list_keys: &[&str]) -> Option<Vec<Value>> {
    let object = record.as_object()?;
    for (batch, scopes, records) in
        [("resourceLogs", "scopeLogs", "logRecords"), ("resourceSpans", "scopeSpans", "spans")]
    {
        if let Some(resources) = object.get(batch).and_then(Value::as_array) {
            return Some(otlp_events(resources, scopes, records));
        }
    }
    if ["timeUnixNano", "startTimeUnixNano"].iter().any(|key| object.contains_key(*key)) {
        return has_otlp_attributes(object).then(|| vec![Value::Object(flat_otlp(object))]);
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
    Some(list.iter().take(MAX_EVENTS_PER_RECORD).map(|item| inside(item, &around)).collect())
}

/// An item of a list with what stood around it under `document`; the item's own keys win.
fn inside(item: &Value, around: &Map<String, Value>) -> Value {
    let mut event = item.as_object().cloned().unwrap_or_default();
    event.entry("document").or_insert_with(|| Value::Object(around.clone()));
    Value::Object(event)
}

fn otlp_events(resources: &[Value], scopes_key: &str, records_key: &str) -> Vec<Value> {
    let mut events = Vec::new();
    for resource in resources {
        let attributes = attributes_of(resource.get("resource"));
        let scopes = resource.get(scopes_key).and_then(Value::as_array);
        for scope in scopes.into_iter().flatten() {
            let records = scope.get(records_key).and_then(Value::as_array);
            for record in records.into_iter().flatten().filter_map(Value::as_object) {
                let mut event = flat_otlp(record);
                event.insert("resource".to_owned(), Value::Object(attributes.clone()));
                events.push(Value::Object(event));
            }
        }
    }
    events.truncate(MAX_EVENTS_PER_RECORD);
    events
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

/// Rewrites a chunk of records as one JSON object an event a line.
///
/// A record that is no JSON, or no batch, is kept as it is.
pub(super) fn unfold_chunk(chunk: &[u8], list_keys: &[&str], out: &mut Vec<u8>) {
    out.clear();
    for line in chunk.split(|byte| *byte == b'\n') {
        let unfolded = tree(line).and_then(|record| unfold_value(&record, list_keys));
        if let Some(events) = unfolded {
            for event in events {
                out.extend_from_slice(event.to_string().as_bytes());
                out.push(b'\n');
            }
        } else {
            out.extend_from_slice(line);
            out.push(b'\n');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::unfold_chunk;

    fn check(chunk: &str, want: &str) {
        let mut out = Vec::new();
        unfold_chunk(chunk.as_bytes(), &["reports"], &mut out);
        assert_eq!(String::from_utf8(out).unwrap().trim_end(), want);
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
