//! The beginning of an input as records, whatever they are written in.

use serde_json::Value;

use super::csv::CsvLayout;
use super::detect::DetectError;
use super::fields::{Fields, Kind as FieldKind, Name};
use super::message::read_message;
use super::pools::{DURATION_POOL, LIST_KEYS, POOLS};
use super::profile::Syntax;
use super::scan::tree;
use super::{csv, parse_text_record, unfold};

/// Records of the sample that are looked at, spread over all of it.
const MAX_SAMPLE_RECORDS: usize = 400;
/// Records from the beginning that are looked at one after the other: whether the records of one
/// request share an id is seen in neighbours only.
const MAX_NEIGHBOURS: usize = 200;

/// What is looked at of an input.
#[derive(Clone, Copy, Debug)]
pub struct Sample<'a> {
    /// Its beginning.
    pub head: &'a [u8],
    /// Whole lines from further on.
    pub later: &'a [u8],
    /// Whether the beginning is all there is, so that its last record is complete.
    pub is_whole: bool,
}

impl<'a> Sample<'a> {
    /// An input that is looked at as a whole.
    pub fn whole(head: &'a [u8]) -> Self {
        Self { head, later: &[], is_whole: true }
    }
}

/// Reads a sample as JSON, CSV, an access log, logfmt or free text.
pub(super) fn records_of(sample: &Sample<'_>) -> Result<Records, DetectError> {
    let head = sample.head.strip_prefix(b"\xef\xbb\xbf").unwrap_or(sample.head);
    refuse_binary(sample.head)?;
    let lines = sample_lines(&Sample { head, ..*sample });
    if lines.is_empty() {
        return Err(DetectError::Empty);
    }
    Ok(json_sample(head, &lines)
        .or_else(|| csv_sample(&lines))
        .unwrap_or_else(|| text_sample(&lines)))
}

/// A line of the sample.
#[derive(Clone, Copy)]
struct Line<'a> {
    /// With blanks at its ends, which matter where tabs separate.
    raw: &'a [u8],
    text: &'a [u8],
    /// Whether it is one of those spread evenly over the sample, by which its format is told.
    counts: bool,
}

fn share_of(lines: &[Line<'_>], test: &mut dyn FnMut(&[u8]) -> bool) -> f64 {
    let counting = || lines.iter().filter(|line| line.counts);
    let passing = counting().filter(|line| test(line.text)).count();
    passing as f64 / counting().count().max(1) as f64
}

/// The records of a sample as JSON objects, whatever they were written in.
pub(super) struct Records {
    pub(super) records: Vec<Value>,
    pub(super) syntax: Syntax,
    /// Name of the plain shape, when no known one fits.
    pub(super) plain: &'static str,
    pub(super) csv: Option<CsvLayout>,
    pub(super) wrapped: bool,
    pub(super) unfolds: bool,
}

impl Records {
    fn json(records: Vec<Value>, wrapped: bool) -> Self {
        Self { records, syntax: Syntax::Json, plain: "json", csv: None, wrapped, unfolds: false }
    }

    fn plain(records: Vec<Value>, syntax: Syntax, plain: &'static str) -> Self {
        Self { records, syntax, plain, csv: None, wrapped: false, unfolds: false }
    }
}

/// Whether the sample is a document that plimsoll itself wrote, such as a report.
pub(super) fn is_own_output(sample: &Records) -> bool {
    let schema = sample.records.first().and_then(|record| record.get("schema"));
    schema.and_then(Value::as_str).is_some_and(|schema| schema.starts_with("plimsoll."))
}

/// Reads the sample as CSV, when its first line is a header that most lines fit.
fn csv_sample(lines: &[Line<'_>]) -> Option<Records> {
    let roles = POOLS.iter().flat_map(|(_, names)| names.iter());
    let known: Vec<&str> = roles.chain(DURATION_POOL).copied().collect();
    let layout = csv::layout_of(lines.iter().map(|line| line.raw), &|name| known.contains(&name))?;
    let records = lines.iter().filter_map(|line| csv::as_json(line.raw, &layout)).collect();
    Some(Records { csv: Some(layout), ..Records::plain(records, Syntax::Csv, "csv") })
}

/// Reads the sample as an access log, logfmt or free text, by what most of its lines are.
fn text_sample(lines: &[Line<'_>]) -> Records {
    let mut fields = Fields::default();
    let mut is = |syntax: Syntax| {
        share_of(lines, &mut |line| parse_text_record(syntax, line, &mut fields).is_ok())
    };
    let syntax = if is(Syntax::AccessLog) >= 0.5 {
        Syntax::AccessLog
    } else if is(Syntax::Logfmt) >= 0.6 {
        Syntax::Logfmt
    } else {
        Syntax::Text
    };
    let record = |line: &Line<'_>| {
        parse_text_record(syntax, line.text, &mut fields).ok()?;
        Some(fields_as_json(&fields, line.text))
    };
    let records: Vec<Value> = lines.iter().filter_map(record).collect();
    let has_agent = || records.iter().any(|record| record.get("user_agent").is_some());
    let plain = match syntax {
        Syntax::AccessLog if has_agent() => "combined",
        Syntax::AccessLog => "common",
        Syntax::Logfmt => "logfmt",
        _ if lines.iter().any(|line| is_nextjs(line.text)) => "nextjs-text",
        _ => "text",
    };
    Records::plain(records, syntax, plain)
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
fn json_sample(head: &[u8], lines: &[Line<'_>]) -> Option<Records> {
    let read: Vec<(bool, Value)> =
        lines.iter().filter_map(|line| Some((line.counts, tree(line.text)?))).collect();
    let counting = |test: &dyn Fn(&Value) -> bool| {
        read.iter().filter(|(counts, value)| *counts && test(value)).count()
    };
    let all = lines.iter().filter(|line| line.counts).count();
    let braces = lines.iter().filter(|line| line.counts && line.text.starts_with(b"{")).count();
    let (objects, arrays) = (counting(&Value::is_object), counting(&is_array_of_objects));
    let values = read.into_iter().map(|(_, value)| value);
    let mut found = if arrays > 0 && objects + arrays > all / 2 {
        Records::json(elements(values.collect()), true)
    } else if objects > 0 && (braces * 10 >= all * 3) && objects * 3 >= braces {
        Records::json(values.filter(Value::is_object).collect(), false)
    } else {
        let records = spanning_values(head)?;
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
    if let Some(encoding) = wide_encoding(sample) {
        return Err(DetectError::Encoded { encoding });
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

/// The name by which `iconv` knows text of two or four bytes a character; told by its byte order
/// mark, or by the zero bytes that stand at the same place of nearly every character.
fn wide_encoding(sample: &[u8]) -> Option<&'static str> {
    const LOOKED_AT: usize = 4096;
    match sample {
        [0xff, 0xfe, 0, 0, ..] | [0, 0, 0xfe, 0xff, ..] => return Some("UTF-32"),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => return Some("UTF-16"),
        _ => {}
    }
    let mut zeros = [0_usize; 4];
    let (fours, _) = sample.as_chunks::<4>();
    let fours = fours.get(..LOOKED_AT / 4).unwrap_or(fours);
    for four in fours {
        for (count, byte) in zeros.iter_mut().zip(four) {
            *count += usize::from(*byte == 0);
        }
    }
    let is_text = |zeros: usize| zeros * 10 < fours.len();
    let is_zero = |zeros: usize| zeros * 10 > fours.len() * 6;
    match zeros.map(|zeros| (is_text(zeros), is_zero(zeros))) {
        [(true, _), (_, true), (_, true), (_, true)] => Some("UTF-32LE"),
        [(_, true), (_, true), (_, true), (true, _)] => Some("UTF-32BE"),
        [(true, _), (_, true), (true, _), (_, true)] => Some("UTF-16LE"),
        [(_, true), (true, _), (_, true), (true, _)] => Some("UTF-16BE"),
        _ => None,
    }
}

/// Non-blank lines of the sample: some of the first, and some spread over all of it. A last line
/// that may be cut off is left out.
fn sample_lines<'a>(sample: &Sample<'a>) -> Vec<Line<'a>> {
    let head = match memchr::memrchr(b'\n', sample.head) {
        Some(end) if !sample.is_whole => sample.head.get(..end).unwrap_or_default(),
        _ => sample.head,
    };
    let lines = head.split(|byte| *byte == b'\n').chain(sample.later.split(|byte| *byte == b'\n'));
    let lines: Vec<Line<'a>> = lines
        .map(|raw| Line {
            raw: raw.strip_suffix(b"\r").unwrap_or(raw),
            text: raw.trim_ascii(),
            counts: false,
        })
        .filter(|line| !line.text.is_empty())
        .collect();
    let step = lines.len().div_ceil(MAX_SAMPLE_RECORDS).max(1);
    lines
        .into_iter()
        .enumerate()
        .map(|(place, line)| (place, Line { counts: place % step == 0, ..line }))
        .filter(|(place, line)| line.counts || *place < MAX_NEIGHBOURS)
        .map(|(_, line)| line)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::{Sample, records_of, wide_encoding};
    use crate::decode::{DetectError, Syntax};

    #[test]
    fn a_field_that_comes_late_and_logs_behind_a_banner_are_seen() {
        let early = "{\"time\":1}\n".repeat(3_000);
        let late = "{\"time\":1,\"took\":2}\n".repeat(900);
        let has_took = |sample: &Sample<'_>| {
            let records = records_of(sample).unwrap().records;
            records.iter().any(|record| record.get("took").is_some())
        };
        assert!(has_took(&Sample::whole(format!("{early}{late}").as_bytes())));
        let (head, later) = (early.as_bytes(), late.as_bytes());
        assert!(has_took(&Sample { head, later, is_whole: false }));
        let banner = "starting up, please wait\n".repeat(3_000) + &late.repeat(3);
        assert_eq!(records_of(&Sample::whole(banner.as_bytes())).unwrap().syntax, Syntax::Json);
    }

    #[test]
    fn numbers_beyond_f64_make_no_other_format_of_json() {
        let line = "{\"time\":1,\"big\":1e400}\n".repeat(3);
        let records = records_of(&Sample::whole(line.as_bytes())).unwrap();
        assert_eq!((records.syntax, records.records.len()), (Syntax::Json, 3));
    }

    #[test]
    fn text_of_wide_characters_is_told_with_and_without_a_mark() {
        let line = "{\"msg\":\"h\u{e9}llo\"}\n".repeat(20);
        let wide = |bytes: usize, big: bool| -> Vec<u8> {
            let of = |c: char| {
                let four = u32::from(c).to_be_bytes();
                let mut bytes = four[4 - bytes..].to_vec();
                if !big {
                    bytes.reverse();
                }
                bytes
            };
            line.chars().flat_map(of).collect()
        };
        let check = |sample: &[u8], want: Option<&'static str>| {
            assert_eq!(wide_encoding(sample), want);
            let error = records_of(&Sample::whole(sample)).err();
            assert_eq!(error, want.map(|encoding| DetectError::Encoded { encoding }));
        };
        check(&[b"\xff\xfe".as_slice(), &wide(2, false)].concat(), Some("UTF-16"));
        check(&[b"\xfe\xff".as_slice(), &wide(2, true)].concat(), Some("UTF-16"));
        check(&[b"\xff\xfe\0\0".as_slice(), &wide(4, false)].concat(), Some("UTF-32"));
        check(&wide(2, false), Some("UTF-16LE"));
        check(&wide(2, true), Some("UTF-16BE"));
        check(&wide(4, false), Some("UTF-32LE"));
        check(&wide(4, true), Some("UTF-32BE"));
        check(line.as_bytes(), None);
    }
}
