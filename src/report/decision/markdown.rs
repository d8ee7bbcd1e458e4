//! The decision as Markdown for a comment or a job summary; never larger than what GitHub takes.
//!
//! Text from logs can make no markup here: no link, mention, table cell, HTML, or workflow command.

use super::super::markdown::{code, escape};
use super::super::number;
use super::super::page;
use super::super::prose;
use super::super::visible;
use crate::model::{Decision, FindingRow, OptionRow, inert};

use super::row::{self, Row};

/// Most bytes of a page; a comment on GitHub or GitLab may have 65,536 characters.
pub(super) const MAX_BYTES: usize = 64_000;

/// Kept for the end of the page.
const END_BYTES: usize = 1_000;

/// The decision as a comment, with a marker by which it is found again and replaced.
pub fn markdown(decision: &Decision) -> String {
    let gate = decision.gate.as_deref().unwrap_or("check");
    // `--` would end the comment in some readers, so a name cannot bring it in.
    let gate = page::fragment(gate).replace("--", "-_");
    format!("<!-- plimsoll:{gate} -->\n{}", summary(decision))
}

/// The decision as a job summary.
pub(super) fn summary(decision: &Decision) -> String {
    let rows = row::rows(decision);
    let (quiet, loud): (Vec<&Row<'_>>, Vec<&Row<'_>>) = rows.iter().partition(|row| row.is_quiet());
    let mut page = Page::default();
    let headline = escape(&row::headline_of(decision, &rows));
    page.line(&format!("### {} {headline}\n", decision.verdict.shape()));
    page.line(&format!("**{}**. {}.\n", row::answer(decision), escape(&row::scope(decision))));
    for note in row::notes(decision) {
        page.line(&format!("Note: {}.\n", escape(&note)));
    }
    page.table(decision, &loud);
    for row in &loud {
        page.line(&remarks(row));
    }
    page.gap();
    for finding in &decision.findings {
        page.line(&finding_line(finding));
    }
    page.gap();
    if !decision.options.is_empty() {
        page.line("What you can do:\n");
    }
    for option in &decision.options {
        page.line(&option_line(option));
    }
    page.gap();
    if !quiet.is_empty() {
        let count = number::count(quiet.len() as u64);
        page.fold(&format!("{count} passed"), |page| page.table(decision, &quiet));
    }
    page.finish()
}

/// A page that takes lines as long as there is room.
#[derive(Default)]
struct Page {
    text: String,
    left_out: u64,
}

impl Page {
    /// A line that is left out, and counted, where there is no room.
    fn line(&mut self, line: &str) {
        if self.left_out > 0 || self.text.len() + line.len() + END_BYTES > MAX_BYTES {
            self.left_out += 1;
        } else {
            self.push(line);
        }
    }

    fn push(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn gap(&mut self) {
        if !self.text.ends_with("\n\n") {
            self.text.push('\n');
        }
    }

    fn fold(&mut self, title: &str, inside: impl FnOnce(&mut Self)) {
        self.push(&format!("<details><summary>{title}</summary>\n"));
        inside(self);
        self.push("</details>");
    }

    fn table(&mut self, decision: &Decision, rows: &[&Row<'_>]) {
        if rows.is_empty() {
            return;
        }
        let noun = row::noun(decision);
        self.line(&format!("| | {noun} | actual | limit | baseline | change | n |"));
        self.line("|:---|:---|---:|---:|---:|---:|---:|");
        for row in rows {
            let cells = [&row.actual, &row.limit, &row.baseline, &row.change, &row.n];
            let cells = cells.map(|cell| escape(cell)).join(" | ");
            let (shape, id, subject) = (row.shape(), escape(&row.id), escape(&row.subject));
            self.line(&format!("| {shape} | **{id}** {subject} | {cells} |"));
        }
        self.gap();
    }

    fn finish(mut self) -> String {
        if self.left_out > 0 {
            let count = number::count(self.left_out);
            self.push(&format!(
                "\n{count} more lines were left out, for the page is full; the JSON of this \
                 decision has all of it."
            ));
        }
        self.text.truncate(self.text.trim_end().len());
        self.text + "\n"
    }
}

/// Why a check came out as it did, which no cell has room for.
fn remarks(row: &Row<'_>) -> String {
    let evidence = &row.check.evidence;
    let likely = evidence.interval.map_or_else(String::new, |bounds| {
        format!("likely {}", row::likely(bounds, &evidence.metric, evidence.unit))
    });
    let parts = [&row.reason, &row.remark, &likely, &row.since];
    let said: Vec<String> =
        parts.into_iter().filter(|part| !part.is_empty()).map(|part| escape(part)).collect();
    let runbook = match row.check.runbook.as_deref() {
        None => String::new(),
        Some(runbook) => match row::web_address(runbook) {
            Some(address) => format!("; runbook <{address}>"),
            None => format!("; runbook {}", escape(&visible::sentence(runbook))),
        },
    };
    format!("- {} **{}**: {}{runbook}", row.shape(), escape(&row.id), said.join("; "))
}

fn finding_line(finding: &FindingRow) -> String {
    let subject = visible::sentence(&format!(
        "{} {}",
        prose::group_name(&finding.group),
        visible::name(&finding.metric)
    ));
    // Where nothing was before, the limit stands in its place.
    let size = if finding.change_pct.is_some() && !row::is_shift(&finding.metric) {
        prose::pair(finding.before, finding.after, finding.unit)
    } else {
        number::measure(finding.after, finding.unit)
    };
    let likely = finding.interval_pct.map_or_else(String::new, |bounds| {
        format!(" (likely {})", row::likely(bounds, &finding.metric, finding.unit))
    });
    let since = row::since(finding.since.as_ref(), finding.linked_event.as_ref());
    let said = format!("{}: {size}{likely} {since}", subject.trim_start());
    let said = escape(said.trim_end());
    format!("- {} **{}** {said}", finding.verdict.shape(), escape(&visible::name(&finding.id)))
}

fn option_line(option: &OptionRow) -> String {
    let target = option
        .target
        .as_deref()
        .map_or_else(String::new, |target| format!(" {}", escape(&visible::name(target))));
    let [id, action, risk] =
        [&option.id, &option.action, &option.risk].map(|text| escape(&visible::name(text)));
    let reversible = if option.reversible { "reversible" } else { "cannot be undone" };
    let purpose = if row::purpose(option) == "run" { "Run" } else { "Check" };
    let expected = escape(&visible::sentence(&option.expected));
    let verify = visible::sentence(&inert(&page::command(&option.verify)));
    let verify =
        if verify.is_empty() { String::new() } else { format!(" {purpose}: {}", code(&verify)) };
    format!("- {id} **{action}**{target}: risk {risk}, {reversible}; {expected}.{verify}")
}
