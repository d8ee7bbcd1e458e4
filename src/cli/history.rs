//! `plimsoll history`: values of earlier builds, and the drift that no single comparison sees.

mod check;
mod import;
mod show;

use std::fs::DirBuilder;
use std::path::{Path, PathBuf};

use clap::{Args, Subcommand};

use super::args::ConfigFile;
use super::config::load;
use super::error::{Exit, Failure, HISTORY, NO_HISTORY};
use super::output::Terminal;
use crate::config::{self, Loaded};
use crate::history::{self, History, Point};
use crate::judge::builds::{BuildsRule, Standing, standings};
use crate::model::one_line;

pub(super) use show::SeriesList;

const RECORD_HINT: &str = "plimsoll check --record, or plimsoll history import FILE";

/// Judge slow drift over builds, and take in the results of benchmarks.
///
/// `plimsoll check --record` and `plimsoll history import` append values to the history.
#[derive(Args, Debug)]
pub(super) struct HistoryArgs {
    /// What to do
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Append the results of Criterion, hyperfine, k6, Lighthouse or github-action-benchmark
    Import(import::ImportArgs),
    /// Show where each series stands
    Show(show::ShowArgs),
    /// Judge every series: did it get worse over the recorded builds?
    Check(check::CheckArgs),
}

/// Which history.
#[derive(Args, Debug)]
struct Which {
    #[command(flatten)]
    config: ConfigFile,
    /// History to use instead of `history.file`
    #[arg(long, value_name = "FILE")]
    history: Option<PathBuf>,
}

pub(super) fn run(args: &HistoryArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    match &args.what {
        What::Import(args) => import::run(args, terminal),
        What::Show(args) => show::run(args, terminal),
        What::Check(args) => check::run(args, terminal),
    }
}

impl Which {
    fn load(&self, terminal: &Terminal) -> Result<(Loaded, PathBuf), Failure> {
        let loaded = load(&self.config, terminal)?;
        let path = self.history.clone().unwrap_or_else(|| loaded.config.history.file.clone());
        Ok((loaded, path))
    }
}

/// A history in which something is recorded, and where its series stand whose name has `part`.
struct Stand {
    loaded: Loaded,
    path: PathBuf,
    history: History,
    rule: BuildsRule,
    standings: Vec<Standing>,
}

impl Stand {
    fn read(which: &Which, part: Option<&str>, terminal: &Terminal) -> Result<Self, Failure> {
        let (loaded, path) = which.load(terminal)?;
        let history = read(&path, terminal)?;
        let rule = BuildsRule::from(&loaded.config.history);
        let part = part.unwrap_or_default();
        let standings = standings(&history, &rule, &|series| series.contains(part));
        if standings.is_empty() {
            if history.points.is_empty() {
                return Err(no_build(&path));
            }
            let told = one_line(&path.display().to_string()).into_owned();
            let message = match part {
                "" => format!("there is no build of the configured branch in `{told}`"),
                part => format!("no series in `{told}` has `{part}` in its name"),
            };
            return Err(Failure::new(&NO_HISTORY, message).hint(RECORD_HINT));
        }
        Ok(Self { loaded, path, history, rule, standings })
    }
}

/// A history in which nothing is recorded.
pub(super) fn no_build(path: &Path) -> Failure {
    let told = one_line(&path.display().to_string()).into_owned();
    Failure::new(&NO_HISTORY, format!("there is no build in `{told}`")).hint(RECORD_HINT)
}

/// Reads a history and tells what of it cannot be read.
pub(super) fn read(path: &Path, terminal: &Terminal) -> Result<History, Failure> {
    let history = History::read(path)?;
    let name = path.display();
    for unread in &history.unread {
        terminal.say(&format!("{name}:{}: not read: {}", unread.line, unread.why));
    }
    let untold = history.unread_count - history.unread.len();
    if untold > 0 {
        terminal.say(&format!("{name}: {untold} more lines could not be read"));
    }
    Ok(history)
}

/// Appends points; the directory of the history is made where it is missing.
pub(super) fn append(path: &Path, points: &[Point]) -> Result<(), Failure> {
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        DirBuilder::new().recursive(true).create(parent).map_err(|error| {
            Failure::new(&HISTORY, format!("cannot make `{}`: {error}", parent.display()))
        })?;
    }
    Ok(history::append(path, points)?)
}

/// How drift is judged.
pub(super) fn note(settings: &config::History) -> String {
    let branch = match &settings.branch {
        Some(branch) => format!(" of branch {branch}"),
        None => String::new(),
    };
    format!(
        "Drift is judged by the change points (E-divisive) of the last {} builds{branch}: from the \
         level before the first to the newest one, when that is more than {} % worse and more \
         than the series wanders anyway.",
        settings.last,
        (settings.min_effect_ratio * 1e8).round() / 1e6
    )
}
