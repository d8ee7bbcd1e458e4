//! `plimsoll check`: judges rules, objectives and gates, and says whether this may go on.

mod builds;
mod measured;
mod outputs;
mod replay;
mod source;
pub(super) mod subject;
mod watch;

pub(super) use subject::{misread, place_of, tell_mistakes};

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

pub(super) use replay::Replay;
pub(super) use subject::Subject;

use super::args::InputArgs;
use super::commit::CommitArgs;
use super::error::{Exit, Failure, USAGE};
use super::output::Terminal;
use super::report::FailOn;
use crate::model::{Answer, ConfigRef, Decision, Verdict};
use crate::source::sha256_of;

/// What a replay takes from the record, or does not do.
const NOT_WITH_REPLAY: [&str; 14] = [
    "inputs", "rules", "gate", "watch", "window", "baseline", "now", "events", "timezone",
    "record", "history", "commit", "branch", "write",
];

/// Judge rules and objectives: may this go on?
///
/// Reads rules and objectives from plimsoll.toml, or from --rule. Exit status: 0 go, 1 rollback (a
/// rule failed, or the gate says so), 2 usage or configuration, 3 cannot tell or hold, 4 unusable
/// input.
#[derive(Args, Debug, Default)]
pub(super) struct CheckArgs {
    /// Inputs and fields
    #[command(flatten)]
    pub input: InputArgs,
    /// A rule such as 'p95(duration) < 300ms', instead of those configured (can be repeated)
    #[arg(long = "rule", value_name = "EXPR", conflicts_with = "gate")]
    pub rules: Vec<String>,
    /// Judge the checks of this [gate.NAME] instead of all rules and objectives
    #[arg(long, value_name = "NAME")]
    pub gate: Option<String>,
    /// Time that is judged, up to the newest record: such as 30m, or `all`
    #[arg(long, value_name = "LENGTH")]
    pub window: Option<String>,
    /// What it is compared with: history, 4x-before, last-week, previous-deployment or name:NAME
    #[arg(long, value_name = "SOURCE")]
    pub baseline: Option<String>,
    /// End of the judged window; the newest record when not given
    #[arg(long, value_name = "TIME")]
    pub now: Option<String>,
    /// Deploys and calendar: JSON lines or .ics (can be repeated)
    #[arg(long, value_name = "FILE")]
    pub events: Vec<PathBuf>,
    /// Zone in which hours and weeks are counted; the project's when not given
    #[arg(long, value_name = "ZONE", allow_hyphen_values = true)]
    pub timezone: Option<String>,
    /// Measure again and again: with --now at moments of the data, else as time goes by
    #[arg(long)]
    pub watch: bool,
    /// Time from one measurement to the next, such as 5m; the gate's, or 5m
    #[arg(long, value_name = "LENGTH", requires = "watch")]
    pub interval: Option<String>,
    /// Number of measurements; the gate's, or 6
    #[arg(long, value_name = "N", requires = "watch")]
    pub count: Option<u32>,
    /// Append what was measured to the history, and judge its drift over the recorded builds
    #[arg(long, conflicts_with = "watch")]
    pub record: bool,
    /// History to judge drift by, instead of `history.file`; only --record writes to it
    #[arg(long, value_name = "FILE", conflicts_with = "watch")]
    pub history: Option<PathBuf>,
    /// What was measured
    #[command(flatten)]
    pub commit: CommitArgs,
    /// Judge a recorded decision again, and say whether it comes out the same
    #[arg(long, value_name = "FILE", conflicts_with_all = NOT_WITH_REPLAY)]
    pub replay: Option<PathBuf>,
    /// What is done with the decision
    #[command(flatten)]
    pub ending: EndingArgs,
}

/// Where a decision goes, and what it means for the exit status.
#[derive(Args, Debug, Default)]
pub(super) struct EndingArgs {
    /// Output format
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: CheckOutput,
    /// Same as -o json
    #[arg(long, conflicts_with = "output")]
    pub json: bool,
    /// Write a format to a file as well, such as sarif=plimsoll.sarif (can be repeated)
    #[arg(long, value_name = "FORMAT=FILE")]
    pub write: Vec<String>,
    /// Verdict from which the exit status is not 0
    #[arg(long, value_name = "VERDICT", default_value = "fail")]
    pub fail_on: FailOn,
    /// Exit with 0 whatever the verdict is
    #[arg(long)]
    pub exit_zero: bool,
}

impl CheckArgs {
    /// The command that checks again, as arguments.
    fn again(&self) -> Vec<String> {
        let mut words = vec!["plimsoll".to_owned(), "check".to_owned()];
        words.extend(self.input.inputs.iter().cloned());
        words.extend(self.input.fields.arguments());
        let rules = self.rules.iter().map(|rule| ("--rule", rule.clone()));
        let given = [
            ("--gate", &self.gate),
            ("--window", &self.window),
            ("--baseline", &self.baseline),
            ("--timezone", &self.timezone),
        ];
        let given = given.into_iter().filter_map(|(name, value)| Some((name, value.clone()?)));
        let events = self.events.iter().map(|file| ("--events", file));
        let files = events.chain(self.history.as_ref().map(|file| ("--history", file)));
        let files = files.map(|(name, file)| (name, file.display().to_string()));
        for (name, value) in rules.chain(given).chain(files) {
            words.extend([name.to_owned(), value]);
        }
        words
    }
}

/// Formats of a decision.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, ValueEnum)]
pub(super) enum CheckOutput {
    /// For people.
    #[default]
    Text,
    /// `plimsoll.decision/1`.
    Json,
    /// Annotations for GitHub Actions; summary and outputs go where the runner wants them.
    Github,
    /// JUnit XML.
    Junit,
    /// SARIF 2.1.0.
    Sarif,
    /// GitLab code quality.
    Gitlab,
    /// Markdown for a comment.
    Md,
}

pub(super) fn run(args: &CheckArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    if let Some(file) = &args.replay {
        return replay::run(file, args, terminal);
    }
    if args.commit.is_given() && !args.record && args.history.is_none() {
        let message = "`--commit` and `--branch` say what is recorded, and nothing is";
        return Err(Failure::new(&USAGE, message).hint("add --record"));
    }
    let writes = args.ending.writes()?;
    let subject = Subject::configured(args, terminal)?;
    let decision = if args.watch {
        watch::watched(&subject, args, terminal)?
    } else {
        subject.decide(args, terminal)?
    };
    subject.keep(&decision, terminal);
    args.ending.end(&decision, &writes, terminal)
}

/// Formats and files that are written besides standard output.
pub(super) type Writes = Vec<(CheckOutput, PathBuf)>;

impl EndingArgs {
    /// What `--write` asks for: to be known before anything is judged.
    pub(super) fn writes(&self) -> Result<Writes, Failure> {
        outputs::writes(&self.write)
    }

    /// Writes and prints the decision, and tells the exit status.
    pub(super) fn end(
        &self,
        decision: &Decision,
        writes: &Writes,
        terminal: &Terminal,
    ) -> Result<Exit, Failure> {
        outputs::write(decision, writes)?;
        let output = if self.json { CheckOutput::Json } else { self.output };
        outputs::print(decision, output, terminal)?;
        Ok(exit(decision, self))
    }
}

/// The configuration in force; `None` without a file.
pub(super) fn config_ref(file: Option<&Path>) -> Option<ConfigRef> {
    let file = file?;
    Some(ConfigRef { file: in_repository(file), sha256: sha256_of(file)? })
}

/// The path from the current directory where it lies below it.
pub(super) fn relative(file: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    file.strip_prefix(&here).unwrap_or(file).display().to_string()
}

/// The path as annotations want it: from the root of the repository, else from where a runner
/// works, else from the current directory.
fn in_repository(file: &Path) -> String {
    let here = std::env::current_dir().unwrap_or_default();
    let whole = here.join(file);
    let is_repository = |directory: &&Path| directory.join(".git").try_exists().unwrap_or(false);
    let repository = whole.ancestors().skip(1).find(is_repository).map(Path::to_owned);
    let workspace = || std::env::var_os("GITHUB_WORKSPACE").map(PathBuf::from);
    let roots = repository.into_iter().chain(workspace()).chain([here]);
    let mut below = roots.filter_map(|root| Some(whole.strip_prefix(root).ok()?.to_owned()));
    below.next().unwrap_or_else(|| file.to_owned()).display().to_string()
}

fn exit(decision: &Decision, args: &EndingArgs) -> Exit {
    if args.exit_zero {
        return Exit::Yes;
    }
    match (decision.decision, decision.verdict, args.fail_on) {
        // A failed check of a gate is in its score; one of rules and objectives is a rollback.
        (Answer::Rollback, _, FailOn::Fail | FailOn::Warn)
        | (_, Verdict::Fail | Verdict::Warn, FailOn::Warn) => Exit::No,
        (Answer::Hold, ..) | (_, Verdict::Inconclusive, _) => Exit::CannotTell,
        _ => Exit::Yes,
    }
}
