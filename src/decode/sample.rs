//! The beginning of an input as records, whatever they are written in.

use serde_json::Value;

use super::detect::DetectError;
use super::fields::{Fields, Kind as FieldKind, Name};
use super::message::read_message;
use super::pools::LIST_KEYS;
use super::profile::Syntax;
use super::{parse_text_record, unfold};

/// Records of the sample that are looked at.
const MAX_SAMPLE_RECORDS: usize = 400;

/// Reads a sample as JSON, an access log, logfmt or free text.
///
/// `is_whole` says that its last record is complete.
pub(super) fn records_of(sample: &[u8], is_whole: bool) -> Result<Records, DetectError> {
    let sample = sample.strip_prefix(b"\xef\xbb\xbf").unwrap_or(sample);
    refuse_binary(sample)?;
    let lines = sample_lines(sample, is_whole);
    if lines.is_empty() {
        return Err(DetectError::Empty);
    }
    Ok(json_sample(sample, &lines).unwrap_or_else(|| text_sample(&lines)))
}

/// The records of a sample as JSON objects, whatever they were written in.
pub(super) struct Records {
    pub(super) records: Vec<Value>,
    pub(super) syntax: Syntax,
    /// Name of the plain shape, when no known one fits.
    pub(super) plain: &'static str,
    pub(super) wrapped: bool,
    pub(super) unfolds: bool,
}

impl Records {
    fn json(records: Vec<Value>, wrapped: bool) -> Self {
        Self { records, syntax: Syntax::Json, plain: "json", wrapped, unfolds: false }
    }
}

/// Whether the sample is a document that plimsoll itself wrote, such as a report.
pub(super) fn is_own_output(sample: &Records) -> bool {
    let schema = sample.records.first().and_then(|record| record.get("schema"));
    schema.and_then(Value::as_str).is_some_and(|schema| schema.starts_with("plimsoll."))
}

/// Reads the sample as an access log, logfmt or free text, by what most of its lines are.
fn text_sample(lines: &[&[u8]]) -> Records {
    let mut fields = Fields::default();
    let mut parsed = |syntax: Syntax| -> Vec<Value> {
        let record = |line: &&[u8]| {
            parse_text_record(syntax, line, &mut fields).ok()?;
            Some(fields_as_json(&fields, line))
        };
        lines.iter().filter_map(record).collect()
    };
    let access = parsed(Syntax::AccessLog);
    if access.len() * 2 >= lines.len() {
        let combined = access.iter().any(|record| record.get("user_agent").is_some());
        let plain = if combined { "combined" } else { "common" };
        return Records {
            records: access,
            syntax: Syntax::AccessLog,
            plain,
            ..Records::json(vec![], false)
        };
    }
    let logfmt = parsed(Syntax::Logfmt);
    if logfmt.len() * 10 >= lines.len() * 6 {
        return Records {
            records: logfmt,
            syntax: Syntax::Logfmt,
            plain: "logfmt",
            ..Records::json(vec![], false)
        };
    }
    let text = parsed(Syntax::Text);
    let plain = if lines.iter().any(|line| is_nextjs(line)) { "nextjs-text" } else { "text" };
    Records { records: text, syntax: Syntax::Text, plain, ..Records::json(vec![], false) }
}

/// Whether a line is one that Next.js or Auth.js prints.
fn is_nextjs(line: &[u8]) -> bool {
    let text = String::from_utf8_lossy(line);
    let facts = read_message(&text);
    let request = facts.path.is_some() && facts.status.is_some() && facts.duration_ms.is_some();
    request || text.contains("[auth][") || text.contains("[next-auth][")
}

fn fields_as_json(fields: &Fields, record: &[u8]) -> Value {
    let named = fields.others().iter().map(|(name, slot)| {
        let name = match name {
            Name::Fixed(name) => (*name).to_owned(),
            Name::Written(span) => String::from_utf8_lossy(span.of(record)).into_owned(),
        };
        let text = String::from_utf8_lossy(slot.span.of(record));
        let value = match slot.kind {
            FieldKind::Absent | FieldKind::Null => Value::Null,
            FieldKind::Number => serde_json::from_str(&text).unwrap_or_else(|_| text.into()),
            FieldKind::Bool | FieldKind::String => text.into(),
        };
        (name, value)
    });
    Value::Object(named.collect())
}

/// Reads the sample as JSON lines, or as arrays or documents that span lines; `None` when it is
/// mostly something else.
fn json_sample(sample: &[u8], lines: &[&[u8]]) -> Option<Records> {
    let values: Vec<Value> =
        lines.iter().filter_map(|line| serde_json::from_slice(line).ok()).collect();
    let objects = values.iter().filter(|value| value.is_object()).count();
    let arrays = values.iter().filter(|value| is_array_of_objects(value)).count();
    let braces = lines.iter().filter(|line| line.starts_with(b"{")).count();
    let mut found = if arrays > 0 && objects + arrays > lines.len() / 2 {
        Records::json(elements(values), true)
    } else if objects > 0 && (braces * 10 >= lines.len() * 3) && objects * 3 >= braces {
        let records = values.into_iter().filter(Value::is_object).collect();
        Records::json(records, false)
    } else {
        let records = spanning_values(sample)?;
        Records::json(records, true)
    };
    let unfolded: Vec<Value> = found
        .records
        .iter()
        .filter_map(|record| Some(unfold::unfold_value(record, LIST_KEYS)?.0))
        .flatten()
        .take(MAX_SAMPLE_RECORDS)
        .collect();
    if !unfolded.is_empty() {
        found.unfolds = true;
        found.records.retain(|record| unfold::unfold_value(record, LIST_KEYS).is_none());
        found.records.extend(unfolded);
    }
    Some(found)
}

fn is_array_of_objects(value: &Value) -> bool {
    value.as_array().is_some_and(|items| items.iter().any(Value::is_object))
}

fn elements(values: Vec<Value>) -> Vec<Value> {
    values
        .into_iter()
        .flat_map(|value| match value {
            Value::Array(items) => items,
            other => vec![other],
        })
        .filter(Value::is_object)
        .take(MAX_SAMPLE_RECORDS)
        .collect()
}

/// Values of a sample in which they span lines; the last may be cut off.
fn spanning_values(sample: &[u8]) -> Option<Vec<Value>> {
    let start = sample.trim_ascii_start();
    let inner = match start {
        [b'[', rest @ ..] if matches!(rest.trim_ascii_start(), [b'{' | b']', ..]) => rest,
        [b'{', ..] => start,
        _ => return None,
    };
    let mut records = Vec::new();
    let mut rest = inner;
    while records.len() < MAX_SAMPLE_RECORDS {
        rest = rest.trim_ascii_start();
        rest = rest.strip_prefix(b",").unwrap_or(rest);
        let mut values = serde_json::Deserializer::from_slice(rest).into_iter::<Value>();
        match values.next() {
            Some(Ok(value)) => records.push(value),
            _ => break,
        }
        rest = rest.get(values.byte_offset()..).unwrap_or_default();
    }
    let records = elements(records);
    (!records.is_empty()).then_some(records)
}

fn refuse_binary(sample: &[u8]) -> Result<(), DetectError> {
    if matches!(sample, [0xff, 0xfe, ..] | [0xfe, 0xff, ..]) {
        return Err(DetectError::Utf16);
    }
    // A hole of NUL bytes in a log is damage, not a format: only a sample full of them is refused.
    let odd = |byte: &u8| *byte < 0x20 && !matches!(byte, b'\n' | b'\r' | b'\t' | 0x1b | 0x0c);
    let odd_count = sample.iter().filter(|byte| odd(byte) && **byte != 0).count();
    let nul_count = memchr::memchr_iter(0, sample).count();
    if odd_count * 50 <= sample.len() && nul_count * 2 <= sample.len() {
        return Ok(());
    }
    let at = sample.iter().position(odd).unwrap_or(0);
    Err(DetectError::Binary { byte: sample.get(at).copied().unwrap_or(0), at })
}

/// Non-blank lines of the sample; a last line that may be cut off is left out.
fn sample_lines(sample: &[u8], is_whole: bool) -> Vec<&[u8]> {
    let complete = match memchr::memrchr(b'\n', sample) {
        Some(end) if !is_whole => sample.get(..end).unwrap_or_default(),
        _ => sample,
    };
    complete
        .split(|byte| *byte == b'\n')
        .map(<[u8]>::trim_ascii)
        .filter(|line| !line.is_empty())
        .take(MAX_SAMPLE_RECORDS)
        .collect()
}
