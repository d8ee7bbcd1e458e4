//! The decision as a code quality report of GitLab, which shows it beside the changed lines.

use serde_json::{Value, json};

use crate::model::{Decision, Verdict};

use super::json::document;
use super::row::{self, Row};

/// A place is required; this is where checks are usually written.
const USUAL_FILE: &str = "plimsoll.toml";

/// Everything that does not hold, as a JSON array.
pub fn gitlab(decision: &Decision) -> String {
    let rows = row::rows(decision);
    let issues: Vec<Value> =
        rows.iter().filter(|row| !row.is_quiet()).map(|row| issue(decision, row)).collect();
    document(&issues)
}

fn issue(decision: &Decision, row: &Row<'_>) -> Value {
    let place = row.place(decision);
    let line = place.as_ref().and_then(|place| place.line).unwrap_or(1);
    let path = place.map_or_else(|| USUAL_FILE.to_owned(), |place| place.file);
    json!({
        "description": row.sentence(),
        "check_name": row.id,
        "fingerprint": row.fingerprint(decision),
        "severity": severity(row),
        "location": { "path": path, "lines": { "begin": line } },
    })
}

fn severity(row: &Row<'_>) -> &'static str {
    match row.check.counted() {
        Some(Verdict::Fail) if row.check.critical => "critical",
        Some(Verdict::Fail) => "major",
        Some(Verdict::Warn | Verdict::Inconclusive) => "minor",
        Some(Verdict::Pass) | None => "info",
    }
}
