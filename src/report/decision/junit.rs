//! The decision as `JUnit` XML, as Jenkins, GitLab and others read it.
//!
//! A failed check is a failure, one that cannot be told an error, and a shadow check is skipped; a
//! warning and an accepted failure pass, and say so in their output.

use super::super::visible;
use crate::model::{Decision, Verdict};

use super::row::{self, Row};

/// The decision as a `JUnit` document.
pub fn junit(decision: &Decision) -> String {
    let rows = row::rows(decision);
    let cases: Vec<(Outcome, String)> = rows.iter().map(case).collect();
    let count = |outcome: Outcome| cases.iter().filter(|case| case.0 == outcome).count();
    let (tests, skipped) = (cases.len(), count(Outcome::Skipped));
    let (failures, errors) = (count(Outcome::Failed), count(Outcome::Error));
    let name = match &decision.gate {
        Some(gate) => format!("plimsoll gate {}", visible::name(gate)),
        None => "plimsoll check".to_owned(),
    };
    let name = xml(&name);
    let counts = format!("tests=\"{tests}\" failures=\"{failures}\" errors=\"{errors}\"");
    let properties = [
        ("decision", decision.decision.as_str().to_owned()),
        ("score", decision.score.map_or_else(String::new, |score| format!("{score:.1}"))),
        ("summary", row::headline_of(decision, &rows)),
    ]
    .map(|(name, value)| format!("<property name=\"{name}\" value=\"{}\"/>", xml(&value)))
    .join("\n      ");
    let cases: String = cases.into_iter().map(|case| case.1).collect();
    format!(
        r#"<?xml version="1.0" encoding="UTF-8"?>
<testsuites name="{name}" {counts} time="0">
  <testsuite name="{name}" {counts} skipped="{skipped}" time="0">
    <properties>
      {properties}
    </properties>
{cases}  </testsuite>
</testsuites>
"#
    )
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Outcome {
    Passed,
    Failed,
    Error,
    Skipped,
}

fn case(row: &Row<'_>) -> (Outcome, String) {
    let said = xml(&row.sentence());
    let (outcome, inside) = match row.check.counted() {
        None => (Outcome::Skipped, format!("<skipped message=\"{said}\"/>")),
        Some(Verdict::Fail) => {
            (Outcome::Failed, format!("<failure type=\"fail\" message=\"{said}\"/>"))
        }
        Some(Verdict::Inconclusive) => {
            (Outcome::Error, format!("<error type=\"inconclusive\" message=\"{said}\"/>"))
        }
        Some(Verdict::Pass | Verdict::Warn) => {
            let word = row.check.verdict.as_str();
            (Outcome::Passed, format!("<system-out>{word}: {said}</system-out>"))
        }
    };
    let (name, class) = (xml(&format!("{}: {}", row.id, row.subject)), row.check.kind.as_str());
    let case = format!(
        "    <testcase name=\"{name}\" classname=\"plimsoll.{class}\" time=\"0\">\n      \
         {inside}\n    </testcase>\n"
    );
    (outcome, case)
}

/// Text for an element or an attribute in double quotes; what XML 1.0 forbids is replaced.
fn xml(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 16);
    let mut previous = ' ';
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"), // `]]>` may not stand in text
            '"' => escaped.push_str("&quot;"),
            '#' if previous == '#' => escaped.push_str("&#35;"), // `##[error]` is a command
            '\u{fffe}' | '\u{ffff}' => escaped.push('\u{fffd}'),
            control if control.is_control() => escaped.push('\u{fffd}'),
            other => escaped.push(other),
        }
        previous = character;
    }
    escaped
}
