//! The decision as SARIF 2.1.0, for code scanning and editors.
//!
//! Each check is a rule, and each that does not hold is a result at its line; those that hold are
//! no results, because readers show every result as a problem.

use std::collections::BTreeSet;
use std::fmt::Write;

use serde_json::{Map, Value, json};

use super::super::visible;
use crate::model::{CheckSeverity, Decision, Verdict};

use super::json::document;
use super::row::{self, Row};

const SCHEMA: &str = "https://json.schemastore.org/sarif-2.1.0.json";

/// The decision as a SARIF log.
pub fn sarif(decision: &Decision) -> String {
    let rows = row::rows(decision);
    let ids = distinct_ids(&rows);
    let rules: Vec<Value> = ids.iter().map(|row| rule(row)).collect();
    let loud = rows.iter().filter(|row| !row.is_quiet());
    let results: Vec<Value> = loud.map(|row| result(decision, row, &ids)).collect();
    let gate = visible::name(decision.gate.as_deref().unwrap_or("check"));
    let log = json!({
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [{
            "tool": { "driver": {
                "name": "plimsoll",
                "version": visible::name(&decision.method.version),
                "rules": rules,
            } },
            "automationDetails": { "id": format!("plimsoll/{gate}/") },
            "columnKind": "unicodeCodePoints",
            "results": results,
        }],
    });
    document(&log)
}

/// The first row of each id: with `per` a check has several.
fn distinct_ids<'a, 'b>(rows: &'b [Row<'a>]) -> Vec<&'b Row<'a>> {
    let mut seen = BTreeSet::new();
    rows.iter().filter(|row| seen.insert(row.id.as_str())).collect()
}

fn rule(row: &Row<'_>) -> Value {
    let level = match row.check.severity {
        CheckSeverity::Fail => "error",
        CheckSeverity::Warn => "warning",
    };
    let expr = match visible::sentence(&row.check.expr) {
        expr if expr.is_empty() => row.id.clone(),
        expr => expr,
    };
    let mut rule = json!({
        "id": row.id,
        "shortDescription": { "text": message(&expr) },
        "defaultConfiguration": { "level": level },
    });
    if let Some(address) = row.check.runbook.as_deref().and_then(row::web_address) {
        insert(&mut rule, "helpUri", json!(address));
    }
    rule
}

fn result(decision: &Decision, row: &Row<'_>, rules: &[&Row<'_>]) -> Value {
    let level = match row.check.counted() {
        Some(Verdict::Fail) => "error",
        Some(Verdict::Warn | Verdict::Inconclusive) => "warning",
        Some(Verdict::Pass) | None => "note",
    };
    let mut result = json!({
        "ruleId": row.id,
        "ruleIndex": rules.iter().position(|rule| rule.id == row.id),
        "level": level,
        "message": { "text": message(&row.sentence()) },
        "partialFingerprints": { "plimsollCheck/v1": row.fingerprint(decision) },
    });
    if let Some(place) = row.place(decision) {
        let mut region = Map::new();
        for (name, number) in [("startLine", place.line), ("startColumn", place.column)] {
            region.extend(number.map(|number| (name.to_owned(), json!(number))));
        }
        let mut physical = json!({ "artifactLocation": { "uri": uri(&place.file) } });
        if !region.is_empty() {
            insert(&mut physical, "region", Value::Object(region));
        }
        insert(&mut result, "locations", json!([{ "physicalLocation": physical }]));
    }
    if row::is_excused(row.check) {
        let why = json!([{ "kind": "external", "justification": row.remark }]);
        insert(&mut result, "suppressions", why);
    }
    result
}

fn insert(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(name.to_owned(), value);
    }
}

/// Plain text in which `[text](target)` is no link: SARIF 2.1.0, section 3.11.6.
fn message(text: &str) -> String {
    text.replace('\\', "\\\\").replace('[', "\\[").replace(']', "\\]")
}

/// A path as a relative reference: RFC 3986, `:` included, for it would begin a scheme.
fn uri(path: &str) -> String {
    let mut uri = String::with_capacity(path.len());
    for byte in path.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b'/' => {
                uri.push(char::from(byte));
            }
            // Writing to a String cannot fail.
            other => drop(write!(uri, "%{other:02X}")),
        }
    }
    uri
}
