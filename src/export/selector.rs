//! Conditions on events as selectors of time series.

use std::fmt::Write;

use super::{ExportError, Metrics, Objective};
use crate::model::is_unsafe;
use crate::rule::{Cmp, Condition, Field, Test, Value};

/// Columns with a meaning of their own.
const DURATION: &str = "duration_ms";
const STATUS: &str = "status";
/// HTTP statuses that a comparison may mean.
const STATUSES: std::ops::Range<u32> = 100..600;

/// Selectors of counters.
pub(super) struct Counters {
    pub(super) good: String,
    pub(super) total: String,
}

/// A condition that no selector says, and what it would need.
type Unsayable = &'static str;

/// The counters whose ratio is the share of good events.
pub(super) fn counters(objective: &Objective, metrics: &Metrics) -> Result<Counters, ExportError> {
    let mut matchers: Vec<String> = Vec::new();
    let mut bucket = None;
    for condition in &objective.good.conditions {
        let wrong = |why| ExportError::Condition {
            id: objective.id.clone(),
            condition: condition.to_string(),
            why,
        };
        if condition.field.name == DURATION {
            let bound = bucket_of(&condition.test).map_err(wrong)?;
            if bucket.replace(bound).is_some() {
                return Err(wrong("a second bound would need a second bucket"));
            }
        } else {
            matchers.extend(matchers_of(condition, metrics).map_err(wrong)?);
        }
    }
    Ok(match bucket {
        Some(bucket) => {
            matchers.push(bucket);
            Counters {
                good: format!("{}_bucket{{{}}}", metrics.durations, matchers.join(",")),
                total: format!("{}_count", metrics.durations),
            }
        }
        None => Counters {
            good: format!("{}{{{}}}", metrics.events, matchers.join(",")),
            total: metrics.events.clone(),
        },
    })
}

/// The matcher of the bucket up to a bound, in seconds; a bucket holds its bound.
fn bucket_of(test: &Test) -> Result<String, Unsayable> {
    match test {
        Test::Compare(Cmp::Less | Cmp::AtMost, Value::Time(ms)) => {
            let bound = super::plain(ms / 1e3);
            // Whole seconds are labelled `1.0` from Prometheus 3 on, `1` before.
            Ok(match bound.fract() {
                0.0 => format!("le=~{}", quoted(&format!(r"{bound}(\.0)?"))),
                _ => format!("le={}", quoted(&bound.to_string())),
            })
        }
        _ => Err("a histogram tells only what is below a bound, such as `duration < 300ms`"),
    }
}

fn matchers_of(condition: &Condition, metrics: &Metrics) -> Result<Vec<String>, Unsayable> {
    let label = label(&condition.field, metrics);
    let one = |sign: &str, value: &str| vec![format!("{label}{sign}{}", quoted(value))];
    // An event without the field meets no such condition; a series without the label would.
    let unlike = |sign: &str, value: &str| [one(sign, value), one("!=", "")].concat();
    let list = |values: &[Value]| -> Result<String, Unsayable> {
        let words = values.iter().map(|value| Ok(regex::escape(&word(value)?)));
        Ok(words.collect::<Result<Vec<_>, Unsayable>>()?.join("|"))
    };
    Ok(match &condition.test {
        Test::Compare(Cmp::Equal, value) => one("=", &word(value)?),
        Test::Compare(Cmp::NotEqual, value) => unlike("!=", &word(value)?),
        Test::Compare(cmp, Value::Number(bound)) if condition.field.name == STATUS => {
            one("=~", &statuses(*cmp, *bound)?)
        }
        Test::Compare(..) => return Err("a label has no order, only `status` has classes"),
        Test::In(values) => one("=~", &list(values)?),
        Test::NotIn(values) => unlike("!~", &list(values)?),
        Test::Like(pattern) => one("=~", &like(pattern.as_str())),
        Test::NotLike(pattern) => unlike("!~", &like(pattern.as_str())),
        Test::Matches(pattern) => one("=~", &anywhere(pattern.as_str())),
        Test::NotMatches(pattern) => unlike("!~", &anywhere(pattern.as_str())),
        Test::Exists => one("!=", ""),
        Test::Missing => one("=", ""),
    })
}

fn word(value: &Value) -> Result<String, Unsayable> {
    match value {
        Value::Text(text) => Ok(text.clone()),
        Value::Number(number) => Ok(number.to_string()),
        Value::Time(_) => Err("only the duration is measured in time"),
    }
}

/// The label of a field: as it was said, else its name with `_` for what no label may have.
fn label(field: &Field, metrics: &Metrics) -> String {
    if let Some((_, label)) = metrics.labels.iter().find(|(name, _)| *name == field.name) {
        return label.clone();
    }
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let name: String = field.name.chars().map(|c| if is_plain(c) { c } else { '_' }).collect();
    if name.starts_with(|c: char| c.is_ascii_digit()) { format!("_{name}") } else { name }
}

fn like(pattern: &str) -> String {
    let part = |c: char| match c {
        '%' => ".*".to_owned(),
        '_' => ".".to_owned(),
        other => regex::escape(other.encode_utf8(&mut [0; 4])),
    };
    pattern.chars().map(part).collect()
}

/// Prometheus wants the whole value to fit.
fn anywhere(pattern: &str) -> String {
    format!(".*(?:{pattern}).*")
}

/// All statuses that stand so to `bound`, as a pattern: `[1-4]..` for `status < 500`.
fn statuses(cmp: Cmp, bound: f64) -> Result<String, Unsayable> {
    let is_meant = |status: &u32| cmp.holds(f64::from(*status), bound);
    let meant: Vec<u32> = STATUSES.filter(is_meant).collect();
    if meant.is_empty() {
        return Err("no status from 100 to 599 meets it");
    }
    // Digits that may stand in front, by the pattern of what follows.
    let mut last: Vec<(Vec<u32>, Vec<u32>)> = Vec::new();
    for prefix in STATUSES.start / 10..STATUSES.end / 10 {
        let inside = meant.iter().filter(|status| **status / 10 == prefix);
        let digits: Vec<u32> = inside.map(|status| status % 10).collect();
        match last.iter_mut().find(|(known, _)| *known == digits) {
            _ if digits.is_empty() => {}
            Some((_, prefixes)) => prefixes.push(prefix),
            None => last.push((digits, vec![prefix])),
        }
    }
    let mut parts: Vec<String> = Vec::new();
    for (digits, prefixes) in last {
        let mut first: Vec<(Vec<u32>, Vec<u32>)> = Vec::new();
        for hundred in STATUSES.start / 100..STATUSES.end / 100 {
            let inside = prefixes.iter().filter(|prefix| *prefix / 10 == hundred);
            let middle: Vec<u32> = inside.map(|prefix| prefix % 10).collect();
            match first.iter_mut().find(|(known, _)| *known == middle) {
                _ if middle.is_empty() => {}
                Some((_, hundreds)) => hundreds.push(hundred),
                None => first.push((middle, vec![hundred])),
            }
        }
        for (middle, hundreds) in first {
            parts.push(format!("{}{}{}", class(&hundreds), class(&middle), class(&digits)));
        }
    }
    Ok(parts.join("|"))
}

/// `.` for all ten digits, `4` for one, `[0-35-9]` for others; `digits` ascend.
fn class(digits: &[u32]) -> String {
    match digits {
        [one] => one.to_string(),
        all if all.len() == 10 => ".".to_owned(),
        some => {
            let mut text = String::from("[");
            for run in some.chunk_by(|before, after| before + 1 == *after) {
                let (Some(first), Some(last)) = (run.first(), run.last()) else { continue };
                // Writing to a String cannot fail.
                let _ = match run.len() {
                    1 => write!(text, "{first}"),
                    2 => write!(text, "{first}{last}"),
                    _ => write!(text, "{first}-{last}"),
                };
            }
            text + "]"
        }
    }
}

/// A text of the query language.
pub(super) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        // Writing to a String cannot fail.
        let _ = match c {
            '"' | '\\' => write!(out, "\\{c}"),
            c if is_unsafe(c) => write!(out, "\\U{:08x}", u32::from(c)),
            c => write!(out, "{c}"),
        };
    }
    out + "\""
}
