//! What is wrong with an expression, where, and the way out.

use std::ops::Range;

use super::ast::{Field, Span};
use super::column::{self, COLUMNS};
use crate::model::nearest;

/// Longest piece of an expression that is quoted in a message, in characters.
const MAX_QUOTE_WIDTH: usize = 40;

/// One thing that is wrong with an expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// Bytes of the expression; empty where something is missing, never beyond the end.
    pub span: Range<usize>,
    /// The thing, the value, the need: lower case, one line.
    pub message: String,
    /// The way out, if it can be told.
    pub help: Option<String>,
}

impl Mistake {
    pub(super) fn new(span: Span, message: impl Into<String>) -> Self {
        Self { span: span.into(), message: message.into(), help: None }
    }

    pub(super) fn help(self, help: impl Into<String>) -> Self {
        Self { help: Some(help.into()), ..self }
    }

    pub(super) fn maybe_help(self, help: Option<String>) -> Self {
        Self { help, ..self }
    }
}

/// A field that no record has; `known` are the names of those that were seen.
pub fn unknown_field(field: &Field, known: &[&str]) -> Mistake {
    let name = column::short_name(&field.name);
    let columns = COLUMNS.iter().map(|(column, _)| column::short_name(column));
    let others = known.iter().copied().chain(columns).filter(|known| *known != name);
    let help = match nearest(name, others) {
        Some(meant) => Some(did_you_mean(meant)),
        // What fills a column is found in the records, under other names as well.
        None if column::is_column(&field.name) => {
            Some(format!("`plimsoll inspect` shows what could be taken for `{name}`"))
        }
        None => None,
    };
    Mistake::new(field.span, format!("no record has a field {}", quote(name))).maybe_help(help)
}

/// A word that no record has in a field; `meant` is one that some have.
pub fn unknown_word(field: &str, word: &str, meant: Option<&str>) -> String {
    let word = quote(&format!("{field} = \"{word}\""));
    let help = meant.map(|meant| format!(": {}", did_you_mean(meant)));
    format!("no record has {word}{}", help.unwrap_or_default())
}

pub(super) fn did_you_mean(meant: &str) -> String {
    format!("did you mean {}?", quote(meant))
}

/// A piece of the expression in backticks and in one line, cut if it is long.
pub(super) fn quote(text: &str) -> String {
    let visible = |c: char| if c.is_control() { char::REPLACEMENT_CHARACTER } else { c };
    let mut shown: String = text.chars().take(MAX_QUOTE_WIDTH).map(visible).collect();
    if text.chars().nth(MAX_QUOTE_WIDTH).is_some() {
        shown.push('…');
    }
    if shown.contains('`') { format!("`` {shown} ``") } else { format!("`{shown}`") }
}
