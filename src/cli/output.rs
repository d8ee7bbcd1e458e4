//! Standard output for data, standard error for everything else.

use std::io::{self, IsTerminal, Write};

use serde::Serialize;

use super::args::{ColorChoice, Global};
use super::error::{Failure, UNWRITABLE};
use crate::model::{inert, is_unsafe, safe_json};
use crate::report::ascii;

/// Columns taken where the terminal does not say.
const DEFAULT_COLUMNS: usize = 120;

/// How to speak to whoever is there.
#[derive(Clone, Copy, Debug)]
pub(super) struct Terminal {
    /// Whether colour goes to standard output.
    pub(super) colour: bool,
    /// Whether only ASCII is written.
    pub(super) ascii: bool,
    /// Whether a person watches standard error.
    pub(super) interactive: bool,
}

impl Terminal {
    pub(super) fn new(global: &Global) -> Self {
        let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        let colour = match global.color {
            ColorChoice::Always => true,
            ColorChoice::Never => false,
            ColorChoice::Auto => io::stdout().is_terminal() && !no_color,
        };
        let interactive = io::stderr().is_terminal();
        Self { colour, ascii: global.ascii, interactive }
    }

    /// Widest line on standard output.
    #[expect(clippy::unused_self, reason = "the terminal is who knows")]
    pub(super) fn columns(self) -> usize {
        let said = std::env::var("COLUMNS").ok().and_then(|columns| columns.parse().ok());
        let measured = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
        let columns = said.or_else(measured).filter(|columns| *columns >= 40);
        columns.unwrap_or(DEFAULT_COLUMNS)
    }

    /// Writes text for people to standard output: no line of it is a command to a CI runner.
    pub(super) fn text(self, text: &str) -> Result<(), Failure> {
        let text = inert(text);
        self.data(&if self.ascii { ascii(&text).into() } else { text })
    }

    /// Writes data to standard output, as it is.
    #[expect(clippy::unused_self, reason = "all output goes through the terminal")]
    pub(super) fn data(self, text: &str) -> Result<(), Failure> {
        let mut out = io::stdout().lock();
        out.write_all(text.as_bytes())?;
        out.flush()?;
        Ok(())
    }

    /// Writes one JSON document to standard output.
    pub(super) fn json(self, document: &impl Serialize) -> Result<(), Failure> {
        let json = serde_json::to_string_pretty(document)
            .map_err(|error| Failure::caused(&UNWRITABLE, &error))?;
        self.data(&(safe_json(&json) + "\n"))
    }

    /// Writes a line to standard error; that nobody reads it is no failure.
    pub(super) fn say(self, line: &str) {
        let text = visible(line);
        let text = if self.ascii { ascii(&text) } else { text };
        let _ = writeln!(io::stderr(), "{}", inert(&text));
    }

    /// Says one hint of a next step, to a person only.
    pub(super) fn hint(self, line: &str) {
        if self.interactive {
            self.say(&format!("hint: {line}"));
        }
    }

    pub(super) fn failure(self, failure: &Failure) {
        self.say(&format!("error[{}]: {}", failure.code, failure.message));
        if let Some(hint) = &failure.hint {
            self.say(&format!("  hint: {hint}"));
        }
        self.say(&format!("  more: plimsoll explain {}", failure.code));
    }
}

/// Control and invisible characters as escapes: file names and log text are
/// hostile, also in messages. A line break stays a line break.
pub(super) fn visible(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if is_unsafe(c) && c != '\n' { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
    out
}
