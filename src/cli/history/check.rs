//! `plimsoll history check`: the drift of every recorded series as a decision.

use clap::Args;
use jiff::Timestamp;

use super::{Stand, Which, note};
use crate::baseline::accept;
use crate::cli::baselines;
use crate::cli::check::{EndingArgs, config_ref};
use crate::cli::error::{Exit, Failure};
use crate::cli::output::Terminal;
use crate::judge::{Frame, builds::Standing, decision};
use crate::model::{CheckMethod, CheckResult, InputRef, OnNoData, ScoreBars, Window};
use crate::report::decision as render;
use crate::source::sha256_of;

/// Judge every series: did it get worse over the recorded builds?
///
/// Exit status: 0 none did, 1 a series got worse, 2 usage or configuration, 3 cannot tell,
/// 4 unusable history.
#[derive(Args, Debug)]
pub(super) struct CheckArgs {
    /// Only series whose name has this text
    #[arg(value_name = "SERIES")]
    series: Option<String>,
    #[command(flatten)]
    which: Which,
    #[command(flatten)]
    ending: EndingArgs,
}

pub(super) fn run(args: &CheckArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let writes = args.ending.writes()?;
    let stand = Stand::read(&args.which, args.series.as_deref(), terminal)?;
    let mut checks: Vec<CheckResult> =
        stand.standings.iter().map(|standing| standing.check(&stand.rule)).collect();
    let known = baselines::accepted(&baselines::shelf(&stand.loaded), terminal)?;
    let frame = frame(args, &stand);
    let now = Timestamp::from_microsecond(frame.window.end_us).unwrap_or(Timestamp::MAX);
    accept(&mut checks, &known, now);
    let mut decision = decision(checks, frame);
    decision.summary = render::headline(&decision);
    baselines::keep(&stand.loaded, &decision, terminal);
    args.ending.end(&decision, &writes, terminal)
}

fn frame(args: &CheckArgs, stand: &Stand) -> Frame {
    let name = stand.path.display().to_string();
    let history = &stand.history;
    let bytes = std::fs::metadata(&stand.path).map_or(0, |file| file.len());
    let mut again = ["plimsoll", "history", "check"].map(str::to_owned).to_vec();
    again.extend(args.series.clone());
    if let Some(file) = &args.which.history {
        again.extend(["--history".to_owned(), file.display().to_string()]);
    }
    let config = &stand.loaded.config;
    Frame {
        project: config.project.name.clone(),
        gate: None,
        inputs: vec![InputRef { sha256: sha256_of(&stand.path), name, bytes }],
        window: window(&stand.standings, history.points.first().and_then(|point| point.at)),
        baseline: None,
        bars: ScoreBars { pass: 0.0, warn: 0.0 },
        on_no_data: OnNoData::Hold,
        records: [
            (history.points.len() + history.repeated_count + history.unread_count) as u64,
            history.unread_count as u64,
        ],
        notes: Vec::new(),
        method: CheckMethod {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            notes: vec![note(&config.history)],
            settings: Vec::new(),
        },
        config: config_ref(stand.loaded.file.as_deref()),
        recipe: None,
        again,
        is_kept: baselines::is_kept(&stand.loaded),
    }
}

/// From the first build of all to the newest that is judged.
fn window(standings: &[Standing], first: Option<Timestamp>) -> Window {
    let newest = standings.iter().filter_map(|standing| standing.newest.at).max();
    let us = |at: Option<Timestamp>| at.map_or(0, Timestamp::as_microsecond);
    Window { start_us: us(first), end_us: us(newest) + 1 }
}
