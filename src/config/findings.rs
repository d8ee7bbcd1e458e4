//! Collects what is wrong while a configuration is looked through; the search goes on.

use std::ops::Range;

use serde_json::Value;

use super::problem::Problem;
use super::texts::{MASK, Texts, names_secret, visible};

/// Most problems that are kept; more are only counted.
pub(super) const MAX_PROBLEMS: usize = 100;
/// Longest value that is quoted in a message, in characters.
const MAX_VALUE_WIDTH: usize = 60;

/// What was found so far.
pub(super) struct Findings<'a> {
    texts: &'a Texts,
    keys: &'a Value,
    problems: Vec<(usize, Problem)>,
    warnings: Vec<Problem>,
    hidden_count: usize,
}

/// Everything that was found, in the order of the texts.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub problems: Vec<Problem>,
    pub warnings: Vec<Problem>,
    /// Problems beyond [`MAX_PROBLEMS`].
    pub hidden_count: usize,
}

impl<'a> Findings<'a> {
    /// `keys` is the schema of what is looked through.
    pub(super) fn new(texts: &'a Texts, keys: &'a Value) -> Self {
        Self { texts, keys, problems: Vec::new(), warnings: Vec::new(), hidden_count: 0 }
    }

    pub(super) fn keys(&self) -> &'a Value {
        self.keys
    }

    pub(super) fn texts(&self) -> &'a Texts {
        self.texts
    }

    /// What is written at `span`, without quotes around it.
    pub(super) fn text(&self, span: &Range<usize>) -> &'a str {
        let text = self.texts.text(span);
        let unquoted = |quote| text.strip_prefix(quote)?.strip_suffix(quote);
        ["\"\"\"", "'''", "\"", "'"].into_iter().find_map(unquoted).unwrap_or(text)
    }

    /// `KEY is VALUE, NEED`.
    pub(super) fn value(
        &mut self,
        span: &Range<usize>,
        key: &str,
        need: &str,
        help: Option<String>,
    ) {
        let text = self.text(span);
        let mut shown: String = text.chars().take(MAX_VALUE_WIDTH).collect();
        if shown.len() < text.len() {
            shown.push('…');
        }
        let shown = match shown.as_str() {
            _ if names_secret(key) => format!("`{MASK}`"),
            "" => "empty".to_owned(),
            _ => format!("`{shown}`"),
        };
        self.report(span, key, &format!("`{key}` is {shown}, {need}"), help);
    }

    pub(super) fn report(
        &mut self,
        span: &Range<usize>,
        key: &str,
        message: &str,
        help: Option<String>,
    ) {
        if self.is_full() {
            self.hidden_count += 1;
            return;
        }
        let help = help.map(|help| visible(&help));
        let problem = Problem { help, ..self.problem(span, key, message) };
        self.problems.push((span.start, problem));
    }

    /// What can be lived with; at most [`MAX_PROBLEMS`] are kept.
    pub(super) fn warn(&mut self, span: &Range<usize>, message: &str, help: Option<String>) {
        if self.warnings.len() < MAX_PROBLEMS {
            let help = help.map(|help| visible(&help));
            let problem = self.problem(span, "", message);
            self.warnings.push(Problem { is_warning: true, help, ..problem });
        }
    }

    /// Whether one more is only counted: no need to think about what was meant.
    pub(super) fn is_full(&self) -> bool {
        self.problems.len() >= MAX_PROBLEMS
    }

    /// Whether anything is wrong.
    pub(super) fn has_problems(&self) -> bool {
        !self.problems.is_empty()
    }

    /// In the order of the texts.
    pub(super) fn into_found(mut self) -> Found {
        self.problems.sort_by_key(|(start, _)| *start);
        let problems = self.problems.into_iter().map(|(_, problem)| problem).collect();
        Found { problems, warnings: self.warnings, hidden_count: self.hidden_count }
    }

    fn problem(&self, span: &Range<usize>, key: &str, message: &str) -> Problem {
        let (key, message) = (visible(key), visible(message));
        Problem { is_warning: false, key, message, help: None, place: self.texts.place(span) }
    }
}
