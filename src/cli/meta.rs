//! `schema`, `explain` and `completions`.

use clap::{Args, CommandFactory};
use clap_complete::Shell;
use schemars::schema_for;

use super::args::Cli;
use super::error::{BAD_VALUE, Exit, Failure, KINDS};
use super::output::Terminal;
use crate::alert::AlertPayload;
use crate::baseline::{Acceptance, Baseline};
use crate::config;
use crate::judge::rules::Summary;
use crate::model::{Decision, Report};

/// Print the JSON schema of an output
#[derive(Args, Debug)]
pub(super) struct SchemaArgs {
    /// What to describe: report, decision, replay, baseline, baselines, baseline-summary, accepted,
    /// inspect, compare, alert, history, series or config
    #[arg(value_name = "NAME")]
    pub name: String,
}

/// Explain an error code such as PL012
#[derive(Args, Debug)]
pub(super) struct ExplainArgs {
    /// Code to explain; all when none is given
    #[arg(value_name = "CODE")]
    pub code: Option<String>,
}

/// Print shell completions
#[derive(Args, Debug)]
pub(super) struct CompletionsArgs {
    /// Shell to complete for
    #[arg(value_name = "SHELL")]
    pub shell: Shell,
}

pub(super) fn schema(args: &SchemaArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    if args.name == "config" {
        terminal.json(&config::schema())?;
        return Ok(Exit::Yes);
    }
    let schema = match args.name.trim_start_matches("plimsoll.").trim_end_matches("/1") {
        "report" => schema_for!(Report),
        "alert" => schema_for!(AlertPayload),
        "decision" => schema_for!(Decision),
        "history" => crate::history::schema(),
        "series" => schema_for!(super::history::SeriesList),
        "inspect" => schema_for!(super::inspect::Inspection),
        "compare" => schema_for!(super::compare::Comparison),
        "replay" => schema_for!(super::check::Replay),
        "baseline" => schema_for!(Baseline),
        "baselines" => schema_for!(super::baselines::BaselineList),
        "baseline-summary" => schema_for!(Summary),
        "accepted" => schema_for!(Acceptance),
        other => {
            let message = format!("there is no output `{other}`");
            return Err(Failure::new(&BAD_VALUE, message).hint(
                "try report, decision, replay, baseline, baselines, baseline-summary, accepted, \
                 inspect, compare, alert, history, series or config",
            ));
        }
    };
    terminal.json(&schema)?;
    Ok(Exit::Yes)
}

pub(super) fn explain(args: &ExplainArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let wanted = args.code.as_deref().map(str::to_ascii_uppercase);
    let found: Vec<_> = KINDS
        .iter()
        .filter(|kind| wanted.as_deref().is_none_or(|code| kind.code == code))
        .collect();
    if found.is_empty() {
        let code = wanted.unwrap_or_default();
        return Err(Failure::new(&BAD_VALUE, format!("there is no error code `{code}`"))
            .hint("plimsoll explain lists them all"));
    }
    for kind in found {
        let text =
            format!("{} (exit status {}): {}\n", kind.code, kind.exit.code(), kind.explanation);
        terminal.text(&text)?;
    }
    Ok(Exit::Yes)
}

pub(super) fn completions(args: &CompletionsArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "plimsoll", &mut script);
    terminal.data(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Yes)
}
