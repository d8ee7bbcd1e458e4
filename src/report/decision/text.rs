//! The decision for a terminal: worst first, readable without colour and in plain ASCII.

use super::super::TextStyle;
use super::super::number;
use super::super::page;
use super::super::text::Page;
use super::super::visible;
use crate::model::{Decision, inert};

use super::row::{self, Row};

/// Checks shown that do not hold or cannot be told.
const LOUD_MAX: usize = 100;

/// Checks shown that hold: a few tell what was looked at.
const QUIET_MAX: usize = 10;

/// Options shown.
const OPTIONS_MAX: usize = 5;

/// Widest column of ids.
const ID_MAX: usize = 24;

/// The decision as lines of text, each ended by a line break.
pub fn text(decision: &Decision, style: TextStyle) -> String {
    let rows = row::rows(decision);
    let mut page = Page::new(style);
    let width = rows.iter().map(|row| row.id.chars().count()).max().unwrap_or(0).min(ID_MAX);
    let (quiet, loud): (Vec<&Row<'_>>, Vec<&Row<'_>>) = rows.iter().partition(|row| row.is_quiet());
    let parts = [(&loud, LOUD_MAX, "·", "do not hold"), (&quiet, QUIET_MAX, "✔", "hold")];
    for (rows, limit, shape, said) in parts {
        for row in rows.iter().take(limit) {
            push_row(&mut page, row, width);
        }
        let left_out = rows.len().saturating_sub(limit);
        if left_out > 0 {
            let count = number::count(left_out as u64);
            page.wrapped("", "  ", &format!("{shape} {count} more {said}; -o json has them all"));
        }
    }
    push_options(&mut page, decision);
    page.blank();
    for note in row::notes(decision) {
        page.wrapped("note: ", "  ", &note);
    }
    page.wrapped("", "  ", &row::scope(decision));
    let headline = row::headline_of(decision, &rows);
    page.coloured("", &format!("{} {headline}", decision.verdict.shape()), decision.verdict);
    page.coloured("", &row::answer(decision), decision.verdict);
    // A line may be broken where log text goes on with what a runner of CI jobs obeys.
    inert(&page.finish()).into_owned()
}

fn push_row(page: &mut Page, row: &Row<'_>, width: usize) {
    // A series of builds is its own id.
    let own = row.statement.strip_prefix(&format!("{} ", row.id));
    let line = format!("{} {:width$}  {}", row.shape(), row.id, own.unwrap_or(&row.statement));
    if row.is_quiet() {
        let why = if row.is_beyond() { format!(": {}", row.reason) } else { String::new() };
        page.coloured("", &format!("{line}  ({}){why}", row.evidence), row.check.verdict);
        return;
    }
    page.coloured("", &line, row.check.verdict);
    let facts = [&row.evidence, &row.since].map(String::as_str).join("; ");
    for text in [facts.trim_end_matches("; "), &row.remark] {
        if !text.is_empty() {
            page.wrapped("    ", "    ", text);
        }
    }
    if !row.reason.is_empty() {
        page.wrapped("    ", "    ", &row.reason);
    }
    for term in &row.check.terms {
        let said = [visible::sentence(&term.expr), visible::sentence(&term.reason)].join(": ");
        page.wrapped(&format!("    {} ", term.verdict.shape()), "      ", &said);
    }
    if let Some(runbook) = &row.check.runbook {
        page.wrapped("    ", "    ", &format!("runbook: {}", visible::sentence(runbook)));
    }
}

fn push_options(page: &mut Page, decision: &Decision) {
    if decision.options.is_empty() {
        return;
    }
    page.blank();
    page.wrapped("", "", "What you can do:");
    let mut shown = Vec::new();
    for option in decision.options.iter().take(OPTIONS_MAX) {
        let target = option.target.as_deref().map(visible::name).unwrap_or_default();
        let reversible = if option.reversible { "reversible" } else { "cannot be undone" };
        let said = format!(
            "{} {} {target} (risk {}, {reversible}): {}",
            visible::name(&option.id),
            visible::name(&option.action),
            visible::name(&option.risk),
            visible::sentence(&option.expected),
        );
        page.wrapped("  ", "     ", &said.replace("  ", " "));
        // The same command is not said again for each option.
        if !option.verify.is_empty() && !shown.contains(&&option.verify) {
            let label = format!("     {}: ", row::purpose(option));
            page.wrapped(&label, "     ", &page::command(&option.verify));
            shown.push(&option.verify);
        }
    }
}
