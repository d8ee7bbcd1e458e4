//! `plimsoll baseline`: saves what is usual, and records what somebody accepted.

use std::fmt::Write as _;
use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};
use std::process::Command;

use clap::{Args, Subcommand, ValueEnum};
use schemars::JsonSchema;
use serde::Serialize;

use super::args::{ConfigFile, FieldArgs, InputArgs};
use super::check::{CheckArgs, Subject};
use super::error::{
    BAD_BASELINE, BAD_RECORD, BAD_VALUE, Exit, Failure, NO_BASELINE, PATH_HINT, UNWRITABLE,
};
use super::output::Terminal;
use super::{config, when};
use crate::baseline::{Acceptance, Baseline, BaselineError, Shelf};
use crate::clock::{Clock, SystemClock};
use crate::config::Loaded;
use crate::judge::{
    check_of,
    rules::{Summary, summary},
};
use crate::model::{Accepted, CheckResult, Decision, Group, Span, format_ts, one_line};
use crate::report::decision as render;

/// Largest record of a decision that is read.
const MAX_DECISION_BYTES: u64 = 64 << 20;

/// Save what is usual under a name, and accept what is not
#[derive(Args, Debug)]
pub(super) struct BaselineArgs {
    /// What to do
    #[command(subcommand)]
    pub what: What,
}

/// What to do with baselines.
#[derive(Debug, Subcommand)]
pub(super) enum What {
    /// Measure everything the rules ask for, and keep it under a name
    Save(SaveArgs),
    /// List the saved baselines
    List {
        /// Configuration
        #[command(flatten)]
        config: ConfigFile,
        /// Output format
        #[arg(short, long, value_name = "FORMAT", default_value = "text")]
        output: Format,
    },
    /// Show a baseline: levels, spreads, and how often each rule would have been broken
    Show {
        /// Configuration
        #[command(flatten)]
        config: ConfigFile,
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
        /// Output format
        #[arg(short, long, value_name = "FORMAT", default_value = "text")]
        output: Format,
    },
    /// Remove a baseline
    Remove {
        /// Configuration
        #[command(flatten)]
        config: ConfigFile,
        /// Its name
        #[arg(value_name = "NAME")]
        name: String,
    },
    /// Accept that a check does not hold: from now on it counts as passed
    ///
    /// It ends at --until, when the rule is written otherwise, and when the check gets worse than
    /// accepted: by more than the offset of its limit, or by a tenth where it has none.
    Accept(AcceptArgs),
}

/// Formats of baselines.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For people.
    Text,
    /// JSON.
    Json,
}

/// What is saved.
#[derive(Args, Debug)]
pub(super) struct SaveArgs {
    /// Name: letters, digits, `.`, `_` and `-`
    #[arg(value_name = "NAME")]
    pub name: String,
    /// Files, directories, globs, .gz, .zst, or - for standard input; none is the store
    #[arg(long, value_name = "INPUT", num_args = 1..)]
    pub from: Vec<String>,
    /// Fields
    #[command(flatten)]
    pub fields: FieldArgs,
    /// A rule to save for, instead of all that are configured (can be repeated)
    #[arg(long = "rule", value_name = "EXPR")]
    pub rules: Vec<String>,
    /// Length of the windows; as configured, or a twentieth of what is read
    #[arg(long, value_name = "LENGTH")]
    pub window: Option<String>,
    /// Deploys and calendar: JSON lines or .ics (can be repeated)
    #[arg(long, value_name = "FILE")]
    pub events: Vec<PathBuf>,
    /// Zone in which hours and weeks are counted; the project's when not given
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub timezone: Option<String>,
}

/// What is accepted.
#[derive(Args, Debug)]
pub(super) struct AcceptArgs {
    /// Configuration
    #[command(flatten)]
    pub config: ConfigFile,
    /// Finding of the last decision, such as F1
    #[arg(value_name = "FINDING", required_unless_present = "check", conflicts_with = "check")]
    pub finding: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// The decision; the last one of `check` when not given
    #[arg(long, value_name = "FILE")]
    pub decision: Option<PathBuf>,
    /// End of the acceptance
    #[arg(long, value_name = "TIME")]
    pub until: Option<String>,
    /// Id of the check, instead of a finding
    #[arg(long, value_name = "ID")]
    pub check: Option<String>,
    /// Its group, such as route=/api/orders
    #[arg(long, value_name = "FIELD=VALUE", requires = "check")]
    pub group: Option<String>,
    /// Who accepts; the name in git's configuration, or the user, when not given
    #[arg(long, value_name = "NAME")]
    pub who: Option<String>,
}

pub(super) fn run(args: &BaselineArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    match &args.what {
        What::Save(args) => save(args, terminal),
        What::List { config, output } => list(&shelf_of(config, terminal)?, *output, terminal),
        What::Show { config, name, output } => {
            show(&shelf_of(config, terminal)?, (name, *output), terminal)
        }
        What::Remove { config, name } => {
            let path = shelf_of(config, terminal)?.remove(name)?;
            terminal.say(&format!("removed {}", path.display()));
            Ok(Exit::Yes)
        }
        What::Accept(args) => accept(args, terminal),
    }
}

/// Where the baselines of a configuration are.
pub(super) fn shelf(loaded: &Loaded) -> Shelf {
    let store = &loaded.config.store;
    Shelf::of(&store.path, &store.state, &loaded.config.directory)
}

pub(super) fn shelf_of(file: &ConfigFile, terminal: &Terminal) -> Result<Shelf, Failure> {
    Ok(shelf(&config::load(file, terminal)?))
}

/// Whether the last decision is kept: where there is a place of its own for it.
pub(super) fn is_kept(loaded: &Loaded) -> bool {
    loaded.file.is_some() || loaded.config.store.path.is_dir()
}

/// Keeps a decision for `baseline accept`; that it cannot be kept is told and changes nothing.
pub(super) fn keep(loaded: &Loaded, decision: &Decision, terminal: &Terminal) {
    if !is_kept(loaded) {
        return;
    }
    if let Err(error) = shelf(loaded).keep_decision(&render::json(decision)) {
        terminal.say(&format!("  note: the decision is not kept for later: {error}"));
    }
}

/// What was accepted so far; a line that cannot be read is told and accepts nothing.
pub(super) fn accepted(shelf: &Shelf, terminal: &Terminal) -> Result<Vec<Acceptance>, Failure> {
    let (known, wrong) = shelf.acceptances()?;
    for line in wrong {
        terminal.say(&format!("  note: {}; it accepts nothing", one_line(&line)));
    }
    Ok(known)
}

/// Reads a decision that `check` wrote.
pub(super) fn read_decision(path: &Path) -> Result<Decision, Failure> {
    let shown = one_line(&path.display().to_string()).into_owned();
    let read = || -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        File::open(path)?.take(MAX_DECISION_BYTES).read_to_end(&mut bytes)?;
        Ok(bytes)
    };
    let hint = "plimsoll check … --write json=FILE writes one";
    let bytes = read().map_err(|error| {
        Failure::new(&BAD_RECORD, format!("cannot read the decision `{shown}`: {error}")).hint(hint)
    })?;
    let bad = |what: String| Failure::new(&BAD_RECORD, format!("`{shown}` {what}")).hint(hint);
    let document: serde_json::Value =
        serde_json::from_slice(&bytes).map_err(|error| bad(format!("is no decision: {error}")))?;
    match document.get("schema").and_then(serde_json::Value::as_str) {
        Some(Decision::SCHEMA) => {}
        Some(schema) => {
            let read = Decision::SCHEMA;
            let schema = one_line(schema);
            return Err(bad(format!("has the schema `{schema}`, this plimsoll reads `{read}`")));
        }
        None => return Err(bad("is no decision: it has no `schema`".to_owned())),
    }
    serde_json::from_value(document).map_err(|error| bad(format!("is no decision: {error}")))
}

fn save(args: &SaveArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let asked = CheckArgs {
        input: InputArgs { inputs: args.from.clone(), fields: args.fields.clone() },
        rules: args.rules.clone(),
        window: args.window.clone(),
        events: args.events.clone(),
        timezone: args.timezone.clone(),
        // A baseline is not compared with anything.
        baseline: Some("history".to_owned()),
        ..CheckArgs::default()
    };
    let shelf = shelf_of(&args.fields.config, terminal)?;
    shelf.check_name(&args.name)?;
    let subject = Subject::of_everything(&asked, terminal)?;
    let made_at = format_ts(SystemClock.now_us());
    let baseline = subject.baseline(&asked, (args.name.clone(), made_at), terminal)?;
    if baseline.measures.is_empty() {
        return Err(Failure::new(&BAD_VALUE, "no rule asks for anything that can be saved")
            .hint("fixed limits and objectives need no baseline; name a rule with --rule"));
    }
    let path = shelf.save(&baseline)?;
    let count = baseline.measures.len();
    let measures = if count == 1 { "measure" } else { "measures" };
    terminal.say(&format!("saved {count} {measures} in {}", path.display()));
    terminal.hint(&format!("plimsoll check INPUT --baseline name:{}", args.name));
    Ok(Exit::Yes)
}

/// What is saved. Schema `plimsoll.baselines/1`.
#[derive(Debug, Serialize, JsonSchema)]
pub(super) struct BaselineList {
    /// Always `plimsoll.baselines/1`.
    schema: &'static str,
    /// In the order of their names.
    baselines: Vec<BaselineRow>,
    /// JSON paths of the fields that hold text of others.
    untrusted_text_fields: [&'static str; 1],
}

/// A saved baseline in short.
#[derive(Debug, Serialize, JsonSchema)]
struct BaselineRow {
    /// Its name, as the file says.
    name: String,
    /// When it was made, RFC 3339 UTC.
    made_at: String,
    /// plimsoll's version.
    version: String,
    /// From the first record to the last.
    span: Span,
    /// Length of the windows, microseconds.
    window_us: i64,
    /// How many measures it holds.
    measures: usize,
}

impl From<Baseline> for BaselineRow {
    fn from(baseline: Baseline) -> Self {
        let Baseline { name, made_at, version, span, window_us, measures, .. } = baseline;
        Self { name, made_at, version, span, window_us, measures: measures.len() }
    }
}

fn list(shelf: &Shelf, output: Format, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut rows = Vec::new();
    for name in shelf.names()? {
        match shelf.read(&name) {
            // The file's name is the one to ask for: a copy says the name of its original.
            Ok(found) => rows.push(Baseline { name, ..found.baseline }),
            Err(error) => terminal.say(&format!("  note: {}", chain(&error))),
        }
    }
    if output == Format::Json {
        terminal.json(&BaselineList {
            schema: "plimsoll.baselines/1",
            baselines: rows.into_iter().map(BaselineRow::from).collect(),
            untrusted_text_fields: ["baselines[].name"],
        })?;
        return Ok(Exit::Yes);
    }
    let mut text = String::new();
    for baseline in &rows {
        let (span, count) = (&baseline.span, baseline.measures.len());
        let _ = writeln!(
            text,
            "{}  {} to {}, {count} measures, made {}",
            baseline.name, span.from, span.to, baseline.made_at
        );
    }
    terminal.text(&text)?;
    if rows.is_empty() {
        terminal.say("there is no baseline; `plimsoll baseline save NAME --from INPUT` makes one");
    }
    Ok(Exit::Yes)
}

fn show(
    shelf: &Shelf,
    (name, output): (&str, Format),
    terminal: &Terminal,
) -> Result<Exit, Failure> {
    let summary: Summary = summary(&shelf.read(name)?.baseline);
    match output {
        Format::Json => terminal.json(&summary)?,
        Format::Text => terminal.text(&render::baseline(&summary))?,
    }
    Ok(Exit::Yes)
}

fn accept(args: &AcceptArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    if args.reason.trim().is_empty() {
        return Err(Failure::new(&BAD_VALUE, "`--reason` is empty")
            .hint("say why, for those who read it later"));
    }
    let until = args.until.as_deref().map(|time| when::instant("--until", time)).transpose()?;
    let shelf = shelf_of(&args.config, terminal)?;
    let path = args.decision.clone().unwrap_or_else(|| shelf.last_decision());
    let decision = read_decision(&path)?;
    let result = meant(&decision, args)?;
    let who = match &args.who {
        Some(who) => who.clone(),
        None => user().ok_or_else(|| {
            Failure::new(&BAD_VALUE, "who accepts cannot be told").hint("name them with --who NAME")
        })?,
    };
    let when = format_ts(SystemClock.now_us());
    let by = Accepted { who, when, why: args.reason.trim().to_owned() };
    let acceptance = Acceptance::of(result, by, until.map(format_ts)).ok_or_else(|| {
        let message = format!("`{}` is {}", result.id, result.verdict.as_str());
        Failure::new(&BAD_VALUE, message)
            .hint("only what warns or fails, with a value, can be accepted")
    })?;
    let path = shelf.accept(&acceptance)?;
    let named = name_of(result);
    terminal.say(&format!("accepted {} in {}", one_line(&named), path.display()));
    Ok(Exit::Yes)
}

/// The check that is named by a finding, or by its id and group.
fn meant<'d>(decision: &'d Decision, args: &AcceptArgs) -> Result<&'d CheckResult, Failure> {
    if let Some(finding) = &args.finding {
        return check_of(decision, finding).ok_or_else(|| {
            let ids: Vec<&str> = decision.findings.iter().map(|row| row.id.as_str()).collect();
            let known = if ids.is_empty() { "there is none".to_owned() } else { ids.join(", ") };
            let message = format!("there is no finding `{}` in the decision", one_line(finding));
            Failure::new(&BAD_VALUE, message).hint(format!("findings: {known}"))
        });
    }
    let id = args.check.as_deref().unwrap_or_default();
    let group: Option<Group> = match &args.group {
        None => None,
        Some(text) => {
            let (field, value) = text.split_once('=').ok_or_else(|| {
                Failure::new(&BAD_VALUE, format!("`--group` is `{}`", one_line(text)))
                    .hint("write it as FIELD=VALUE, such as route=/api/orders")
            })?;
            Some(std::iter::once((field.to_owned(), value.to_owned())).collect())
        }
    };
    let of_id = || decision.checks.iter().filter(|check| check.id == id);
    let mut found = of_id().filter(|check| group.as_ref().is_none_or(|of| check.group == *of));
    match (found.next(), found.next()) {
        (Some(check), None) => Ok(check),
        (Some(_), Some(_)) => {
            let names: Vec<String> = of_id().take(6).map(name_of).collect();
            let message = format!("the check `{}` has several groups", one_line(id));
            let hint = format!("name one with --group: {}", one_line(&names.join(", ")));
            Err(Failure::new(&BAD_VALUE, message).hint(hint))
        }
        _ => {
            let names: Vec<String> = of_id().take(6).map(name_of).collect();
            if !names.is_empty() {
                let message = format!("the check `{}` has no such group", one_line(id));
                let hint = format!("there is {}", one_line(&names.join(", ")));
                return Err(Failure::new(&BAD_VALUE, message).hint(hint));
            }
            let mut ids: Vec<&str> = decision.checks.iter().map(|c| c.id.as_str()).collect();
            ids.dedup();
            let message = format!("the decision has no such check `{}`", one_line(id));
            Err(Failure::new(&BAD_VALUE, message).hint(format!("checks: {}", ids.join(", "))))
        }
    }
}

fn name_of(result: &CheckResult) -> String {
    let group: Vec<String> = result.group.iter().map(|(k, v)| format!("{k}={v}")).collect();
    let parts = [vec![result.id.clone()], group].concat();
    parts.join(" ")
}

/// The name in git's configuration, or of the user.
fn user() -> Option<String> {
    let git = Command::new("git").args(["config", "user.name"]).output().ok();
    let named = git.filter(|output| output.status.success());
    let named = named.and_then(|output| String::from_utf8(output.stdout).ok());
    let known = |name: String| Some(name.trim().to_owned()).filter(|name| !name.is_empty());
    named.and_then(known).or_else(|| std::env::var("USER").ok().and_then(known))
}

fn chain(error: &dyn std::error::Error) -> String {
    Failure::caused(&BAD_BASELINE, error).message
}

impl From<BaselineError> for Failure {
    fn from(error: BaselineError) -> Self {
        match &error {
            BaselineError::Name(_) => Self::caused(&BAD_VALUE, &error).hint("choose another name"),
            BaselineError::Missing { name, .. } => {
                Self::caused(&NO_BASELINE, &error).hint(format!(
                    "plimsoll baseline save {name} --from INPUT makes it; plimsoll baseline list"
                ))
            }
            BaselineError::Version { .. }
            | BaselineError::Invalid { .. }
            | BaselineError::Impossible { .. } => {
                Self::caused(&BAD_BASELINE, &error).hint("save it anew with this plimsoll")
            }
            BaselineError::Write(_) | BaselineError::Append { .. } => {
                Self::caused(&UNWRITABLE, &error).hint("make room, or mend the permissions")
            }
            BaselineError::Read { .. } | BaselineError::TooLarge { .. } => {
                Self::caused(&BAD_BASELINE, &error).hint(PATH_HINT)
            }
        }
    }
}
