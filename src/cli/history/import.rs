//! `plimsoll history import`: results of benchmark tools become points.

use std::path::PathBuf;

use clap::Args;
use jiff::Timestamp;

use super::{Which, append, read};
use crate::cli::commit::CommitArgs;
use crate::cli::error::{Exit, Failure};
use crate::cli::output::Terminal;
use crate::clock::{Clock, SystemClock};
use crate::history::import::import;

/// Append the results of Criterion, hyperfine, k6, Lighthouse or github-action-benchmark
///
/// What a file is, is told by what it holds. A value that is there already, by its series, commit
/// and number, is not appended again. Exit status: 0 done, 4 no such result or unusable history.
#[derive(Args, Debug)]
pub(super) struct ImportArgs {
    /// Result files, or directories of Criterion such as target/criterion
    #[arg(value_name = "FILE|DIR", required = true)]
    inputs: Vec<PathBuf>,
    #[command(flatten)]
    which: Which,
    /// What was measured, where a result does not say
    #[command(flatten)]
    commit: CommitArgs,
}

pub(super) fn run(args: &ImportArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let (_, path) = args.which.load(terminal)?;
    let (commit, branch) = args.commit.said();
    let mut points = Vec::new();
    for input in &args.inputs {
        let imported = import(input)?;
        for left_out in &imported.left_out {
            terminal.say(&format!("{}: left out: {left_out}", input.display()));
        }
        points.extend(imported.points);
    }
    for point in points.iter_mut().filter(|point| point.commit.is_none()) {
        point.commit.clone_from(&commit);
        point.branch = point.branch.take().or_else(|| branch.clone());
    }
    let count = points.len();
    let now = Timestamp::from_microsecond(SystemClock.now_us()).unwrap_or_default();
    let added = read(&path, terminal)?.add(points, now);
    append(&path, &added)?;
    let there = match count - added.len() {
        0 => String::new(),
        there => format!(", {there} were there already"),
    };
    terminal.text(&format!("{}: {} values appended{there}\n", path.display(), added.len()))?;
    terminal.hint("plimsoll history check");
    Ok(Exit::Yes)
}
