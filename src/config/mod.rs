//! `plimsoll.toml`: found, read, laid under environment and options, and checked.
//!
//! ```text
//! defaults < file < environment < command line     layers: one tree, every value with its span
//!     └─▶ grammar   unknown keys, wrong types      against the schema of `raw`
//!     └─▶ check     bounds, forms, agreement       `RawConfig` → `Config`
//! ```
//! All problems are found at once; each names the key, the value, what must stand there, where it
//! stands and, if it can be told, what was meant. Relative paths in the file and in the defaults
//! start at the directory of the file, those in variables and options at the current one.
//!
//! Keys are listed in `raw.rs` and nowhere else, defaults in `defaults.toml` and nowhere else.
//! A variable for a key of a section is `PLIMSOLL_`, section, `_`, key in capitals; lists and the
//! keys of `[[…]]` have none. What stands in rules and objectives is not understood here.
//! Nothing is printed, and the environment is an argument.

use std::ops::Range;
use std::path::{Path, PathBuf};

use serde::Deserialize;

mod check;
mod checked;
mod discover;
mod findings;
mod globs;
mod grammar;
mod init;
mod layers;
mod problem;
mod quantity;
mod raw;
mod settings;
#[cfg(test)]
mod tests;
mod texts;
mod written;

pub use checked::{
    Alert, BaselineSource, BaselineSpec, Calendar, CalendarDays, CalendarKind, ChangeDirection,
    Check, CheckKind, CheckSeverity, Collect, Config, EventFields, Expr, FieldPath, FieldUnit,
    Gate, GateCheck, GateCheckKind, History, KeySource, MinEffect, NoData, OnNoData, Project,
    Receiver, ReceiverKind, ReceiverUrl, Redact, Rule, Score, Secret, Slo, Source, SourceKind,
    Store,
};
pub use discover::{FILE_NAME, ReadError, discover};
pub use globs::Globs;
pub use grammar::schema;
pub use init::{FieldFinding, SampleFindings, commented_config};
pub use problem::{Part, Problem};
pub use settings::Setting;
pub use texts::{Origin, Place};

use check::{Directories, Surroundings};
use findings::{Findings, Found};
use layers::{Layered, section_keys};
use raw::RawConfig;
use texts::Texts;

/// The defaults, commented: what `config defaults` prints and the only place they stand.
pub const DEFAULTS: &str = include_str!("defaults.toml");
/// What the names of all variables begin with.
pub const PREFIX: &str = "PLIMSOLL_";
/// The variable that names the configuration file.
pub const FILE_VARIABLE: &str = "PLIMSOLL_CONFIG";

/// What was said besides the file.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// The current directory, absolute.
    pub directory: PathBuf,
    /// The file named by `-c`; it must be there.
    pub file: Option<PathBuf>,
    /// The environment; variables of other programs may be among them.
    pub environment: Vec<(String, String)>,
    /// What options say.
    pub options: Vec<OptionValue>,
}

/// What an option of the command line says about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OptionValue {
    /// The option, such as `--store`.
    pub option: String,
    /// The key, such as `store.path`.
    pub key: String,
    /// The value, as written in the file but without quotes.
    pub value: String,
}

/// A configuration that can be used.
#[derive(Clone, Debug)]
pub struct Loaded {
    /// The checked values.
    pub config: Config,
    /// The file, if there is one.
    pub file: Option<PathBuf>,
    /// Every value in effect and who said it.
    pub settings: Vec<Setting>,
    /// What can be lived with.
    pub warnings: Vec<Problem>,
    texts: Texts,
}

/// There is no configuration that can be used.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file cannot be had.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// Something in it is wrong; here is all of it.
    #[error("the configuration has {}", counted(problems.len() + hidden_count))]
    Invalid {
        /// At least one, in the order of the file, then of variables and options.
        problems: Vec<Problem>,
        /// Problems that were found and are not listed.
        hidden_count: usize,
        /// What is no problem.
        warnings: Vec<Problem>,
        /// What could be read nevertheless, for more that is wrong with it.
        readable: Option<Readable>,
    },
}

/// What could be read of a configuration that has problems.
pub struct Readable(pub Box<Loaded>);

impl std::fmt::Debug for Readable {
    /// Shows nothing: a secret in the wrong place is one of the problems.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Readable")
    }
}

fn counted(problem_count: usize) -> String {
    if problem_count == 1 { "1 problem".to_owned() } else { format!("{problem_count} problems") }
}

/// Finds, reads and checks the configuration; without a file the defaults are in effect.
///
/// The file is the one named by `-c`, else by `PLIMSOLL_CONFIG`, else what [`discover`] finds.
///
/// # Errors
/// When a file is named or found that cannot be read, or when anything is wrong.
pub fn load(request: &Request) -> Result<Loaded, ConfigError> {
    let named = request.environment.iter().find(|(name, _)| name == FILE_VARIABLE);
    let named =
        named.map(|(_, path)| PathBuf::from(path)).filter(|path| !path.as_os_str().is_empty());
    let path = match request.file.clone().or(named) {
        Some(path) => Some(request.directory.join(path)),
        None => discover(&request.directory)?,
    };
    let bytes = path.as_deref().map(discover::read).transpose()?;
    let file = path.as_deref().zip(bytes.as_deref());
    check_bytes(file, request)
}

/// Checks a configuration that is already read; touches no file.
///
/// # Errors
/// When anything in it is wrong.
pub fn check_bytes(file: Option<(&Path, &[u8])>, request: &Request) -> Result<Loaded, ConfigError> {
    let (path, bytes) = file.unzip();
    let text = String::from_utf8_lossy(bytes.unwrap_or_default());
    let directory = path.and_then(Path::parent).unwrap_or(&request.directory);
    let surroundings = Surroundings {
        directories: Directories { file: directory, current: &request.directory },
        environment: &request.environment,
    };
    let keys = grammar::keys();
    let mut layered = Layered::new(path.map(|path| (path, text.as_ref())), request, &keys);
    if let Err(error) = std::str::from_utf8(bytes.unwrap_or_default()) {
        // Up to here the lossy text has the same bytes.
        let at = layered.file_base + error.valid_up_to();
        layered.errors = vec![(at..at + 1, "the file is not UTF-8".to_owned())];
    }
    let Layered { texts, tree, errors, mut unknown, .. } = layered;
    let mut findings = Findings::new(&texts, &keys);
    for (span, message) in &errors {
        findings.report(span, "", &format!("no valid TOML: {message}"), None);
    }
    if findings.has_problems() {
        // Half of a text would only lead to problems that are not there.
        return Err(invalid(findings.into_found(), None));
    }
    let mut tree = toml::Spanned::new(0..DEFAULTS.len(), tree);
    grammar::conform(&mut tree, &keys, &mut findings);
    let raw = match RawConfig::deserialize(toml::de::Deserializer::from(tree.clone())) {
        Ok(raw) => raw,
        Err(error) => {
            let span = error.span().unwrap_or(layered.file_base..layered.file_base);
            findings.report(&span, "", error.message(), None);
            return Err(invalid(findings.into_found(), None));
        }
    };
    let checked = check::check(&raw, surroundings, &mut findings);
    for (span, message, help) in unknown.drain(..) {
        findings.warn(&span, &message, help);
    }
    let found = findings.into_found();
    let is_valid = found.problems.is_empty();
    let settings = || settings::settings(tree.get_ref(), &keys, &texts, &checked.derived);
    let settings = if is_valid { settings() } else { Vec::new() };
    let (config, file) = (checked.config, path.map(Path::to_owned));
    let warnings = found.warnings.clone();
    let loaded = Loaded { config, file, settings, warnings, texts };
    if is_valid { Ok(loaded) } else { Err(invalid(found, Some(loaded))) }
}

fn invalid(found: Found, readable: Option<Loaded>) -> ConfigError {
    let Found { problems, warnings, hidden_count } = found;
    let readable = readable.map(|loaded| Readable(Box::new(loaded)));
    ConfigError::Invalid { problems, hidden_count, warnings, readable }
}

impl Loaded {
    /// Where an expression stands.
    pub fn place_of(&self, expr: &Expr) -> Place {
        self.texts.place(&expr.span)
    }

    /// A problem in the text of an expression, for the rooms that know its grammar; `bytes` are
    /// those of [`Expr::text`].
    pub fn problem_in(
        &self,
        expr: &Expr,
        bytes: Range<usize>,
        message: &str,
        help: Option<&str>,
    ) -> Problem {
        let written = self.texts.text(&expr.span);
        // Only without escapes do the bytes of the text lie as they do in the file.
        let inside = written.find(&expr.text).map(|quote_len| expr.span.start + quote_len);
        let len = expr.text.len();
        let exact = |start: usize| start + bytes.start.min(len)..start + bytes.end.min(len);
        let place = self.texts.place(&inside.map_or(expr.span.clone(), exact));
        let (message, help) = (texts::visible(message), help.map(texts::visible));
        Problem { is_warning: false, key: String::new(), message, help, place }
    }
}

/// The names of all variables that set a key, with the key; the rule is in the module's text.
pub fn variables() -> Vec<(String, String)> {
    let keys = grammar::keys();
    section_keys(&keys).into_iter().map(|(name, (key, _))| (name, key)).collect()
}
