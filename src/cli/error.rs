//! Every way a command can fail: its exit code, its `PL` code and the way out.
//!
//! The only place that knows exit codes.

use std::error::Error;
use std::io;

use crate::history::{HistoryError, import::ImportError};
use crate::model::one_line;
use crate::query::OpenError;
use crate::source::{DiscoverError, ReadError};

/// What the process tells its caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Exit {
    /// Done; the answer is yes.
    Yes,
    /// Done; the answer is no.
    No,
    /// Usage or configuration error.
    Usage,
    /// Done; cannot tell.
    CannotTell,
    /// An input or output cannot be used.
    Unusable,
    /// Interrupted by the user.
    Interrupted,
}

impl Exit {
    /// The number.
    pub(super) fn code(self) -> u8 {
        match self {
            Self::Yes => 0,
            Self::No => 1,
            Self::Usage => 2,
            Self::CannotTell => 3,
            Self::Unusable => 4,
            Self::Interrupted => 130,
        }
    }
}

/// One kind of failure, as `plimsoll explain` tells it.
pub(super) struct Kind {
    /// `PL010` and so on; never given to another meaning.
    pub code: &'static str,
    /// Exit status.
    pub exit: Exit,
    /// What it means and what to do, in a few sentences.
    pub explanation: &'static str,
}

macro_rules! kinds {
    ($($name:ident = $code:literal, $exit:ident, $text:literal;)*) => {
        $(
            #[doc = $text]
            pub(super) const $name: Kind =
                Kind { code: $code, exit: Exit::$exit, explanation: $text };
        )*
        /// Every kind, by code.
        pub(super) const KINDS: &[&Kind] = &[$(&$name),*];
    };
}

kinds! {
    USAGE = "PL001", Usage,
        "The command line does not fit together. `plimsoll help COMMAND` shows what it takes.";
    BAD_VALUE = "PL002", Usage,
        "An option's value is not of the kind it takes. The message names the option, the value \
         and what is expected.";
    UNREADABLE = "PL010", Unusable,
        "An input is missing or may not be read. Check the path and its permissions; a process \
         substitution or pipe works with `-`.";
    DAMAGED = "PL011", Unusable,
        "A compressed input ends in the middle or is damaged. A log that is still being \
         compressed looks like this too: wait, copy it again, or read what is there with \
         `gzip -dc FILE | plimsoll … -` (or `zstd -dc`).";
    NO_LOGS = "PL012", Unusable,
        "A directory or glob leads to no log file. Directories give files that end in .log, \
         .json, .jsonl, .ndjson, .txt, .out, .err, .logfmt, .csv or .tsv, rotated ones and .gz or .zst of \
         these; name other files directly.";
    NOT_A_LOG = "PL013", Unusable,
        "The input is not text: perhaps an archive, an image, a database or UTF-16. Convert it \
         first, for example with `iconv -f UTF-16 -t UTF-8 FILE | plimsoll … -`.";
    NO_RECORDS = "PL014", CannotTell,
        "There is no record in the input, so nothing can be told. Missing data is never a pass.";
    NO_TIME = "PL020", CannotTell,
        "No field of the records holds a time, so nothing can be put into windows. `plimsoll \
         inspect` lists the fields; name the right one with `--time FIELD`.";
    NO_FIELD = "PL021", Usage,
        "A field that was asked for is in no record. `plimsoll inspect` lists the fields.";
    TOO_LITTLE = "PL022", CannotTell,
        "There are too few records on one side to compare. Choose wider windows or another \
         moment.";
    SQL = "PL030", Usage,
        "The query cannot be run: it is not one SELECT over the table `logs`, names something \
         that is not there, or goes beyond a limit. The message says what and where.";
    SQL_LIMIT = "PL031", Unusable,
        "The query took more time, memory or rows than it may. Narrow it with WHERE or LIMIT.";
    NO_SUCH_QUERY = "PL032", Usage,
        "There is no saved query of that name. `plimsoll query --list` shows them.";
    NO_FIELD_OF_QUERY = "PL033", CannotTell,
        "A saved query asks for a field that no record of the input has, so its answer cannot be \
         told from none. `plimsoll inspect` lists the fields; the file of the query, in `queries/` \
         of the source, can be copied and asked with another name.";
    UNWRITABLE = "PL040", Unusable,
        "A result could not be written: no room, no permission, or the directory is missing. An \
         existing file is left as it was.";
    STORE = "PL060", Unusable,
        "The store cannot be used: it is missing, damaged, full, or another process writes to it. \
         The message names the file and the cause; `plimsoll repair` mends a damaged end, \
         `plimsoll verify` tells whether anything is lost or doubled.";
    CONFIG = "PL061", Usage,
        "The configuration has a mistake, or cannot be read. Every problem is listed with its \
         place; `plimsoll config defaults` lists all keys with their meaning.";
    NO_SOURCE = "PL062", Usage,
        "No input was named, and no configuration names a source. Name files, or let `plimsoll \
         init LOGS` write a plimsoll.toml.";
    NO_RULE = "PL070", Usage,
        "There is nothing to check: no [[rule]], [[slo]] or [gate.NAME] in plimsoll.toml, and no \
         `--rule`. `plimsoll init LOGS` writes a configuration with rules that fit the logs.";
    HISTORY = "PL075", Unusable,
        "The history of builds cannot be used: it cannot be read or written, is too large, or a \
         value does not fit into it. The message names the file and the cause; it is JSON lines, \
         which can be mended by hand.";
    NO_HISTORY = "PL076", CannotTell,
        "No build is recorded yet, so nothing can be told. `plimsoll check --record` appends what \
         it measures, `plimsoll history import` the results of benchmarks.";
    IMPORT = "PL077", Unusable,
        "A file is no result of Criterion, hyperfine, k6, Lighthouse or github-action-benchmark, \
         or cannot be read. Nothing of this run was appended.";
    EXPORT = "PL078", Usage,
        "An objective cannot be said in the words of the other tool: a metric has labels and \
         buckets, not every field of a log. Nothing was written.";
    NO_BASELINE = "PL071", Usage,
        "There is no saved baseline of that name. `plimsoll baseline list` shows them, `plimsoll \
         baseline save NAME --from INPUT` makes one.";
    BAD_BASELINE = "PL072", Unusable,
        "A file of a saved baseline, or the list of what was accepted, cannot be used: it cannot \
         be read, is damaged, or is of another version. The message names it; saving the baseline \
         anew mends it.";
    BAD_RECORD = "PL073", Unusable,
        "The record of a decision cannot be used. `plimsoll check … --write json=FILE` writes one, \
         and `plimsoll check` keeps the last as last-decision.json where there is a plimsoll.toml \
         or a store.";
    INTERRUPTED = "PL050", Interrupted,
        "The command was interrupted. Nothing half-written is left behind.";
}

/// A failure on its way to the user.
#[derive(Debug)]
pub(super) struct Failure {
    /// `PL010` and so on.
    pub code: &'static str,
    /// Exit status.
    pub exit: Exit,
    /// What went wrong, with its causes.
    pub message: String,
    /// The way out.
    pub hint: Option<String>,
    /// Whether standard output was closed by its reader: no failure at all.
    pub broken_pipe: bool,
}

impl Failure {
    /// A failure of one kind.
    pub(super) fn new(kind: &Kind, message: impl Into<String>) -> Self {
        let (code, exit) = (kind.code, kind.exit);
        Self { code, exit, message: message.into(), hint: None, broken_pipe: false }
    }

    /// Adds the way out.
    #[must_use]
    pub(super) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }

    /// A failure with the whole chain of causes in its message.
    pub(super) fn caused(kind: &Kind, error: &dyn Error) -> Self {
        let mut message = error.to_string();
        let mut cause = error.source();
        while let Some(error) = cause {
            let text = error.to_string();
            if !message.contains(&text) {
                message.push_str(": ");
                message.push_str(&text);
            }
            cause = error.source();
        }
        Self::new(kind, message)
    }
}

impl From<io::Error> for Failure {
    /// Only writing to standard output gives a bare I/O error; files carry their path.
    fn from(error: io::Error) -> Self {
        let broken_pipe = error.kind() == io::ErrorKind::BrokenPipe;
        let failure = Self::new(&UNWRITABLE, format!("cannot write to standard output: {error}"));
        Self { broken_pipe, ..failure }
    }
}

/// The way out where a file cannot be opened.
pub(super) const PATH_HINT: &str = "check the path and its permissions; `ls -l` shows both";

impl From<DiscoverError> for Failure {
    fn from(error: DiscoverError) -> Self {
        match &error {
            DiscoverError::Unreadable { .. } => Self::caused(&UNREADABLE, &error).hint(PATH_HINT),
            DiscoverError::NoLogs { .. } | DiscoverError::NoMatch { .. } => {
                Self::caused(&NO_LOGS, &error)
                    .hint("name the files, such as `plimsoll report FILE…`")
            }
            DiscoverError::BadGlob { .. } | DiscoverError::StdinTwice => {
                Self::caused(&USAGE, &error)
            }
        }
    }
}

impl From<ReadError> for Failure {
    fn from(error: ReadError) -> Self {
        match &error {
            ReadError::Io { .. } => Self::caused(&UNREADABLE, &error).hint(PATH_HINT),
            ReadError::Compressed { kind, name, .. } => {
                let tool = if *kind == "gzip" { "gzip" } else { "zstd" };
                let hint = if name == "-" {
                    format!("read what is there: … | {tool} -dc | plimsoll … -")
                } else {
                    let name = one_line(name);
                    format!(
                        "copy it again, or read what is there: {tool} -dc {name} | plimsoll … -"
                    )
                };
                Self::caused(&DAMAGED, &error).hint(hint)
            }
        }
    }
}

impl From<OpenError> for Failure {
    fn from(error: OpenError) -> Self {
        match error {
            OpenError::Read(error) => error.into(),
            OpenError::NotALog { .. } => Self::caused(&NOT_A_LOG, &error).hint(
                "plimsoll reads JSON, logfmt, CSV, access logs and plain text in UTF-8; other \
                 text: iconv -f ENCODING -t UTF-8 FILE | plimsoll … -",
            ),
            OpenError::Empty { .. } => Self::caused(&NO_RECORDS, &error)
                .hint("check that the program logs there, and that the file was not just rotated"),
        }
    }
}

impl From<HistoryError> for Failure {
    fn from(error: HistoryError) -> Self {
        Self::caused(&HISTORY, &error).hint("name another one with --history FILE")
    }
}

impl From<ImportError> for Failure {
    fn from(error: ImportError) -> Self {
        Self::caused(&IMPORT, &error).hint("docs/history.md names the files that can be imported")
    }
}

#[cfg(test)]
mod tests {
    use super::KINDS;

    #[test]
    fn codes_are_unique_and_explained() {
        let mut codes: Vec<&str> = KINDS.iter().map(|kind| kind.code).collect();
        codes.sort_unstable();
        codes.dedup();
        assert_eq!(codes.len(), KINDS.len());
        assert!(KINDS.iter().all(|kind| kind.explanation.len() > 40));
    }
}
