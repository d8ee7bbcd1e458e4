//! `plimsoll history show`: where each series stands.

use clap::{Args, ValueEnum};
use jiff::Timestamp;
use schemars::JsonSchema;
use serde::Serialize;

use super::{Stand, Which};
use crate::cli::error::{Exit, Failure};
use crate::cli::output::Terminal;
use crate::history::Origin;
use crate::judge::builds::Standing;
use crate::model::{Since, Verdict};
use crate::query::{Cells, Table, TableColumn, TextLayout};

/// Show where each series stands
///
/// Levels are means between change points, in the unit of the series. Exit status: 0 done,
/// 2 usage, 3 nothing is recorded, 4 unusable history.
#[derive(Args, Debug)]
pub(super) struct ShowArgs {
    /// Only series whose name has this text
    #[arg(value_name = "SERIES")]
    series: Option<String>,
    #[command(flatten)]
    which: Which,
    /// Output format
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    output: ShowOutput,
    /// Same as -o json
    #[arg(long, conflicts_with = "output")]
    json: bool,
}

/// Output of `history show`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum ShowOutput {
    /// Aligned columns.
    Text,
    /// `plimsoll.series/1`.
    Json,
    /// RFC 4180.
    Csv,
}

/// Where all series stand. Schema `plimsoll.series/1`.
#[derive(Debug, Serialize, JsonSchema)]
pub(in crate::cli) struct SeriesList {
    schema: &'static str,
    /// The history that was read.
    history: String,
    series: Vec<SeriesRow>,
    /// JSON paths of the fields that hold text of others.
    untrusted_text_fields: [&'static str; 4],
}

/// Where a series stands; numbers are in `unit`.
#[derive(Debug, Serialize, JsonSchema)]
struct SeriesRow {
    series: String,
    origin: Origin,
    unit: String,
    /// Count of its values.
    n: u64,
    /// Newest value.
    last: f64,
    /// When that was measured.
    last_at: Option<String>,
    /// Level before the first change within the last builds.
    before: Option<f64>,
    /// Newest level.
    after: Option<f64>,
    /// From `before` to `after`.
    change_pct: Option<f64>,
    /// When the first change within the last builds began.
    since: Option<Since>,
    /// First commit after it.
    commit: Option<String>,
    /// How it is judged.
    verdict: Verdict,
}

impl From<&Standing> for SeriesRow {
    fn from(standing: &Standing) -> Self {
        let Standing { newest, drift, .. } = standing;
        let first = standing.first_changed.as_ref();
        Self {
            series: standing.series.clone(),
            origin: standing.origin,
            unit: newest.unit.clone(),
            n: drift.n as u64,
            last: newest.value,
            last_at: newest.at.map(|at| at.to_string()),
            before: drift.before,
            after: drift.after,
            change_pct: drift.pct,
            since: standing.since.clone(),
            commit: first.and_then(|point| point.commit.clone()),
            verdict: drift.verdict,
        }
    }
}

pub(super) fn run(args: &ShowArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let stand = Stand::read(&args.which, args.series.as_deref(), terminal)?;
    match if args.json { ShowOutput::Json } else { args.output } {
        ShowOutput::Text => {
            let (width, ascii) = (terminal.columns(), terminal.ascii);
            let layout = TextLayout { width, ascii, ..TextLayout::default() };
            terminal.text(&table(&stand.standings).to_text(layout))?;
        }
        ShowOutput::Csv => terminal.data(&table(&stand.standings).to_csv(false))?,
        ShowOutput::Json => terminal.json(&SeriesList {
            schema: "plimsoll.series/1",
            history: stand.path.display().to_string(),
            series: stand.standings.iter().map(SeriesRow::from).collect(),
            untrusted_text_fields: [
                "history",
                "series[].series",
                "series[].unit",
                "series[].commit",
            ],
        })?,
    }
    Ok(Exit::Yes)
}

/// The same rows with the narrow columns first.
fn table(standings: &[Standing]) -> Table {
    let us = |at: Timestamp| at.as_microsecond();
    let since = |standing: &Standing| standing.first_changed.as_ref()?.at.map(us);
    let commit = |standing: &Standing| standing.first_changed.as_ref()?.commit.clone();
    let column = |name: &str, cells: Cells| TableColumn { name: name.to_owned(), cells };
    let text = |name: &str, value: &dyn Fn(&Standing) -> Option<String>| {
        column(name, Cells::Text(standings.iter().map(value).collect()))
    };
    let number = |name: &str, value: &dyn Fn(&Standing) -> Option<f64>| {
        column(name, Cells::Float(standings.iter().map(value).collect()))
    };
    let time = |name: &str, value: &dyn Fn(&Standing) -> Option<i64>| {
        column(name, Cells::Time(standings.iter().map(value).collect()))
    };
    let n = standings.iter().map(|standing| i64::try_from(standing.drift.n).ok()).collect();
    Table {
        columns: vec![
            text("series", &|standing| Some(standing.series.clone())),
            column("n", Cells::Int(n)),
            number("last", &|standing| Some(standing.newest.value)),
            text("unit", &|standing| Some(standing.newest.unit.clone())),
            number("before", &|standing| standing.drift.before),
            number("after", &|standing| standing.drift.after),
            number("change_pct", &|standing| standing.drift.pct),
            time("since", &since),
            text("commit", &commit),
            text("verdict", &|standing| Some(standing.drift.verdict.as_str().to_owned())),
            time("last_at", &|standing| standing.newest.at.map(us)),
        ],
        rows: standings.len(),
        notes: Vec::new(),
    }
}
