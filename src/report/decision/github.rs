//! The decision for GitHub Actions: annotations, a job summary and outputs of the step.
//!
//! The texts are returned; writing them to the files that the runner names is up to the caller.

use std::fmt::Write;

use sha2::{Digest, Sha256};

use super::super::number;
use crate::model::{Decision, Verdict, inert};

use super::markdown;
use super::row::{self, Row};

/// Annotations of one kind that GitHub shows of a step; it drops the others.
const PER_KIND_MAX: usize = 10;

/// What a step of GitHub Actions says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct GithubOutput {
    /// For the file named by `GITHUB_STEP_SUMMARY`.
    pub summary_md: String,
    /// For standard output: workflow commands, and a line on what they leave out.
    pub annotations: String,
    /// For the file named by `GITHUB_OUTPUT`.
    pub outputs: String,
}

/// The decision for GitHub Actions.
pub fn github(decision: &Decision) -> GithubOutput {
    let rows = row::rows(decision);
    GithubOutput {
        summary_md: markdown::summary(decision),
        annotations: annotations(decision, &rows),
        outputs: outputs(decision, &rows),
    }
}

fn annotations(decision: &Decision, rows: &[Row<'_>]) -> String {
    let mut lines = String::new();
    let mut left_out = 0;
    for kind in ["error", "warning", "notice"] {
        let of_kind = rows.iter().filter(|row| kind_of(row) == Some(kind));
        left_out += of_kind.clone().skip(PER_KIND_MAX).count();
        for row in of_kind.take(PER_KIND_MAX) {
            lines.push_str(&annotation(kind, decision, row));
        }
    }
    if left_out > 0 {
        let count = number::count(left_out as u64);
        // Writing to a String cannot fail.
        let _ = writeln!(lines, "plimsoll: {count} more are in the summary of the job");
    }
    lines
}

/// What cannot be told is a warning, because it can stop a job; what does not count is a notice.
fn kind_of(row: &Row<'_>) -> Option<&'static str> {
    match row.check.counted() {
        Some(Verdict::Fail) => Some("error"),
        Some(Verdict::Warn | Verdict::Inconclusive) => Some("warning"),
        _ if row.is_quiet() => None,
        Some(Verdict::Pass) | None => Some("notice"),
    }
}

fn annotation(kind: &str, decision: &Decision, row: &Row<'_>) -> String {
    let mut properties = String::new();
    if let Some(place) = row.place(decision) {
        // Writing to a String cannot fail.
        let _ = write!(properties, "file={},", property(&place.file));
        for (name, number) in [("line", place.line), ("col", place.column)] {
            if let Some(number) = number {
                let _ = write!(properties, "{name}={number},");
            }
        }
    }
    format!("::{kind} {properties}title={}::{}\n", property(&row.id), message(&row.sentence()))
}

fn message(text: &str) -> String {
    inert(text).replace('%', "%25").replace('\r', "%0D").replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

fn outputs(decision: &Decision, rows: &[Row<'_>]) -> String {
    let score = decision.score.map_or_else(String::new, |score| format!("{score:.1}"));
    let headline = row::headline_of(decision, rows);
    let headline = inert(&headline);
    let end = delimiter(&headline);
    format!(
        "decision={}\nverdict={}\nscore={score}\nfailed={}\nsummary<<{end}\n{headline}\n{end}\n",
        decision.decision.as_str(),
        decision.verdict.as_str(),
        decision.coverage.failed,
    )
}

/// A line that the text cannot hold: no text holds its own hash.
fn delimiter(text: &str) -> String {
    format!("plimsoll_{}", row::hex(&Sha256::digest(text), 16))
}
