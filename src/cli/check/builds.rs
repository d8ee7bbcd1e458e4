//! What a check adds to the history, and the drift that it shows then.

use jiff::Timestamp;

use super::CheckArgs;
use crate::cli::error::Failure;
use crate::cli::history;
use crate::cli::output::Terminal;
use crate::config;
use crate::history::Point;
use crate::judge::builds::{BuildsRule, points, standings};
use crate::model::CheckResult;

/// The checks of the series that this run has measured; with `--record` its values are appended.
pub(super) fn judged(
    args: &CheckArgs,
    settings: &config::History,
    (results, at_us): (&[CheckResult], i64),
    terminal: &Terminal,
) -> Result<Vec<CheckResult>, Failure> {
    let path = args.history.as_ref().unwrap_or(&settings.file);
    let mut history = history::read(path, terminal)?;
    if history.points.is_empty() && !args.record {
        return Err(history::no_build(path));
    }
    let (commit, branch) = args.commit.said();
    let at = Timestamp::from_microsecond(at_us).ok();
    let mut measured = points(results, at);
    for point in &mut measured {
        point.commit.clone_from(&commit);
    }
    // What is judged now counts, whatever branch is looked at: here it is on none.
    for point in
        history.points.iter_mut().filter(|point| commit.is_some() && point.commit == commit)
    {
        point.branch = None;
    }
    let names: Vec<String> = measured.iter().map(|point| point.series.clone()).collect();
    let mut added = history.add(measured, at.unwrap_or_default());
    if args.record {
        for point in &mut added {
            point.branch.clone_from(&branch);
        }
        history::append(path, &added)?;
        terminal.say(&format!("{}: {}", path.display(), told(&added, &names)));
    }
    let rule = BuildsRule::from(settings);
    let standings = standings(&history, &rule, &|series| names.iter().any(|name| name == series));
    Ok(standings.iter().map(|standing| standing.check(&rule)).collect())
}

fn told(added: &[Point], names: &[String]) -> String {
    let (added, there) = (added.len(), names.len() - added.len());
    if there == 0 {
        format!("{added} values appended")
    } else {
        format!("{added} values appended, {there} were there already")
    }
}
