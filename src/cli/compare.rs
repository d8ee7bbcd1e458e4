//! `plimsoll compare`: before and after.

use clap::{Args, ValueEnum};
use rustc_hash::FxHashMap;
use serde::Serialize;

use super::args::FieldArgs;
use super::error::{BAD_VALUE, Exit, Failure, NO_FIELD, TOO_LITTLE, USAGE};
use super::output::{Terminal, visible};
use super::{reading, when};
use crate::judge::{CompareRow, Side, compare};
use crate::model::{Label, NO_TIME, Verdict, Wanted, one_line};
use crate::query::{Batch, Survey};

/// What `--min-effect` may be: a change has a size, and ten times as long is out of question.
const MIN_EFFECT_PCT: std::ops::RangeInclusive<f64> = 0.0..=1_000.0;

/// Compare before and after: two inputs, two moments or two values of a field
///
/// `compare A B` compares two inputs, `compare INPUT --at TIME` what was before and after a
/// moment, `compare INPUT --by FIELD` the two most frequent values of a field (or those named
/// with --values). Exit status: 0 no worse, 1 worse, 2 usage, 3 cannot tell, 4 unusable input.
#[derive(Args, Debug)]
pub(super) struct CompareArgs {
    /// One or two inputs
    #[arg(value_name = "INPUT", required = true)]
    pub inputs: Vec<String>,
    /// Compare before and after this moment
    #[arg(long, value_name = "TIME", conflicts_with = "by")]
    pub at: Option<String>,
    /// Compare by the values of this field, such as version
    #[arg(long, value_name = "FIELD")]
    pub by: Option<String>,
    /// The two values to compare, old one first
    #[arg(long, value_name = "OLD,NEW", requires = "by")]
    pub values: Option<String>,
    /// Least change of durations that matters, per cent
    #[arg(long, value_name = "PERCENT", default_value_t = 10.0, allow_negative_numbers = true)]
    pub min_effect: f64,
    /// Output format
    #[arg(short, long, value_name = "FORMAT", default_value = "text")]
    pub output: CompareOutput,
    /// Same as -o json
    #[arg(long)]
    pub json: bool,
    /// Fields
    #[command(flatten)]
    pub fields: FieldArgs,
}

/// Output of `compare`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum CompareOutput {
    /// For people.
    Text,
    /// One JSON document.
    Json,
}

/// A comparison. Schema `plimsoll.compare/1`.
#[derive(Serialize, schemars::JsonSchema)]
pub(super) struct Comparison {
    schema: &'static str,
    verdict: Verdict,
    before: String,
    after: String,
    rows: Vec<CompareRow>,
    records: u64,
    rejected: u64,
    untrusted_text_fields: [&'static str; 3],
}

pub(super) fn run(args: &CompareArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    if !MIN_EFFECT_PCT.contains(&args.min_effect) {
        let message = format!("`--min-effect` is `{}`", args.min_effect);
        return Err(Failure::new(&BAD_VALUE, message).hint("it is per cent, from 0 to 1000"));
    }
    let comparison = match (&args.at, &args.by, args.inputs.as_slice()) {
        (Some(at), None, _) => at_moment(args, at, terminal)?,
        (None, Some(by), _) => by_field(args, by, terminal)?,
        (None, None, [before, after]) => two_inputs(args, before, after, terminal)?,
        _ => {
            return Err(Failure::new(
                &USAGE,
                "`compare` needs two inputs, --at TIME or --by FIELD",
            )
            .hint("plimsoll compare app.log --at 2026-11-18T14:12:00Z"));
        }
    };
    if args.json || args.output == CompareOutput::Json {
        terminal.json(&comparison)?;
    } else {
        terminal.text(&text(&comparison))?;
    }
    match comparison.verdict {
        Verdict::Fail => Ok(Exit::No),
        Verdict::Inconclusive => Err(too_little(&comparison)),
        Verdict::Pass | Verdict::Warn => Ok(Exit::Yes),
    }
}

/// Why nothing can be told: no request on a side, too few, or none with a duration.
fn too_little(comparison: &Comparison) -> Failure {
    let [before, after] = comparison.rows.first().map_or([0, 0], |row| row.n);
    let sides = [(before, &comparison.before), (after, &comparison.after)];
    if let Some((_, side)) = sides.iter().find(|(n, _)| *n == 0) {
        return Failure::new(&TOO_LITTLE, format!("no request with a time in `{side}`"))
            .hint("check the moment, the values of the field, and `plimsoll inspect`");
    }
    let least = before.min(after);
    if least < 30 {
        let message = format!("{before} and {after} requests are too few to compare");
        return Failure::new(&TOO_LITTLE, message).hint("at least 30 on each side are needed");
    }
    Failure::new(&TOO_LITTLE, "too few requests with a duration on one side to compare")
        .hint("name the field with --duration FIELD:UNIT, or compare like logs")
}

fn two_inputs(
    args: &CompareArgs,
    before: &str,
    after: &str,
    terminal: &Terminal,
) -> Result<Comparison, Failure> {
    let mut sides = Sides::default();
    for (side, input) in [before, after].into_iter().enumerate() {
        let opened = reading::open(&[input.to_owned()], &args.fields, terminal)?;
        reading::each_batch(opened, &columns(None), terminal, &mut |batch| {
            sides.add(&batch, &|_| Some(side));
            true
        })?;
    }
    Ok(sides.compared(args, [before.to_owned(), after.to_owned()]))
}

fn at_moment(args: &CompareArgs, at: &str, terminal: &Terminal) -> Result<Comparison, Failure> {
    let at_us = when::instant("--at", at)?;
    let mut sides = Sides::default();
    let opened = reading::open(&args.inputs, &args.fields, terminal)?;
    reading::each_batch(opened, &columns(None), terminal, &mut |batch| {
        sides.add(&batch, &|row| {
            let ts_us = batch.events.ts_us.get(row).copied().filter(|ts_us| *ts_us != NO_TIME)?;
            Some(usize::from(ts_us >= at_us))
        });
        true
    })?;
    Ok(sides.compared(args, [format!("before {at}"), format!("from {at}")]))
}

fn by_field(args: &CompareArgs, by: &str, terminal: &Terminal) -> Result<Comparison, Failure> {
    let values = match &args.values {
        Some(values) => match values.split_once(',') {
            Some((old, new)) => [old.to_owned(), new.to_owned()],
            None => {
                return Err(Failure::new(&USAGE, format!("`--values {values}` is not OLD,NEW")));
            }
        },
        None => two_most_frequent(args, by, terminal)?,
    };
    let mut sides = Sides::default();
    let opened = reading::open(&args.inputs, &args.fields, terminal)?;
    reading::each_batch(opened, &columns(Some(by)), terminal, &mut |batch| {
        sides.add(&batch, &|row| {
            let value = value_at(&batch, by, row)?;
            values.iter().position(|wanted| wanted == value)
        });
        true
    })?;
    Ok(sides.compared(args, values.map(|value| format!("{by}={value}"))))
}

/// The two most frequent values of a field, the one first seen first.
fn two_most_frequent(
    args: &CompareArgs,
    by: &str,
    terminal: &Terminal,
) -> Result<[String; 2], Failure> {
    const MAX_VALUES: usize = 10_000;
    let opened = reading::open(&args.inputs, &args.fields, terminal)?;
    let known: Vec<String> = opened.fields.keys().cloned().collect();
    let mut seen: FxHashMap<String, (u64, usize)> = FxHashMap::default();
    reading::each_batch(opened, &columns(Some(by)), terminal, &mut |batch| {
        for row in 0..batch.events.len {
            let Some(value) = value_at(&batch, by, row) else { continue };
            let order = seen.len();
            match seen.get_mut(value) {
                Some((count, _)) => *count += 1,
                None if order < MAX_VALUES => {
                    seen.insert(value.to_owned(), (1, order));
                }
                None => {}
            }
        }
        true
    })?;
    let mut values: Vec<(String, (u64, usize))> = seen.into_iter().collect();
    values.sort_by_key(|(_, (count, order))| (std::cmp::Reverse(*count), *order));
    values.truncate(2);
    values.sort_by_key(|(_, (_, order))| *order);
    let names: Vec<String> = values.into_iter().map(|(value, _)| value).collect();
    <[String; 2]>::try_from(names).map_err(|names| {
        let message = format!("field `{by}` has {} values, two are needed", names.len());
        Failure::new(&NO_FIELD, message).hint(format!("fields are {}", few(&known)))
    })
}

/// Names of fields, as many as one takes in at a glance.
fn few(names: &[String]) -> String {
    const SHOWN: usize = 12;
    let shown = names.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    match names.len().saturating_sub(SHOWN) {
        0 => shown,
        more => format!("{shown} and {more} more (plimsoll inspect lists them)"),
    }
}

/// A field of a record: a column of `logs`, or any field by its path.
fn value_at<'a>(batch: &Batch<'a>, by: &str, row: usize) -> Option<&'a str> {
    let events = batch.events;
    match Label::find(by) {
        Some(label) => events.label(label).get(row),
        None => events.extras.first()?.get(row),
    }
}

fn columns(by: Option<&str>) -> Wanted {
    let mut wanted = crate::query::survey_columns();
    if let Some(by) = by {
        match Label::find(by) {
            Some(label) => wanted.add_label(label),
            None => wanted.add_extra(by),
        }
    }
    wanted
}

/// What was read of either side.
#[derive(Default)]
struct Sides {
    surveys: [Survey; 2],
    records: u64,
    rejected: u64,
}

impl Sides {
    /// Takes in a batch; `side_of` tells for each row on which side it is, if on any.
    fn add(&mut self, batch: &Batch<'_>, side_of: &dyn Fn(usize) -> Option<usize>) {
        self.records += batch.records;
        self.rejected += batch.rejects.count();
        for (side, survey) in self.surveys.iter_mut().enumerate() {
            survey.add_rows(batch, &mut |row| side_of(row) == Some(side));
        }
    }

    fn compared(self, args: &CompareArgs, [before, after]: [String; 2]) -> Comparison {
        let [old, new] = self.surveys.map(|mut survey| {
            survey.finish();
            Side { names: survey.names, requests: survey.requests.finish() }
        });
        let rows = compare(&old, &new, args.min_effect / 100.0);
        let told = rows.iter().map(|row| row.verdict).filter(|v| *v != Verdict::Inconclusive);
        Comparison {
            schema: "plimsoll.compare/1",
            verdict: told.max().unwrap_or(Verdict::Inconclusive),
            before,
            after,
            rows,
            records: self.records,
            rejected: self.rejected,
            untrusted_text_fields: ["before", "after", "rows[].route"],
        }
    }
}

fn text(comparison: &Comparison) -> String {
    let verdict = comparison.verdict;
    let mut lines = vec![
        format!("{} {}", verdict.shape(), verdict.as_str()),
        format!("before: {}", one_line(&comparison.before)),
        format!("after:  {}", one_line(&comparison.after)),
        format!(
            "{:12} {:34} {:>9} {:>9} {:>8} {:>17} {:>15} {:>13}",
            "verdict", "route", "p95 then", "p95 now", "typical", "likely", "n", "errors"
        ),
    ];
    for row in &comparison.rows {
        let ms = |ms: Option<f64>| ms.map_or("–".to_owned(), |ms| format!("{ms:.1} ms"));
        let change = row.change_pct.map_or("–".to_owned(), |pct| format!("{pct:+.1} %"));
        let likely = row
            .interval_pct
            .map_or("can't tell".to_owned(), |[lo, hi]| format!("{lo:+.1}…{hi:+.1} %"));
        let errors = row
            .error_ratio
            .map(|ratio| ratio.map_or("–".to_owned(), |ratio| format!("{:.2}%", ratio * 100.0)));
        let route: String = one_line(&row.route).chars().take(34).collect();
        let because = match (row.latency >= Verdict::Warn, row.error_rate >= Verdict::Warn) {
            (true, true) => " slower, more errors",
            (true, false) => " slower",
            (false, true) => " more errors",
            (false, false) => "",
        };
        lines.push(format!(
            "{:12} {route:34} {:>9} {:>9} {change:>8} {likely:>17} {:>15} {:>13}{because}",
            row.verdict.as_str(),
            ms(row.p95_ms[0]),
            ms(row.p95_ms[1]),
            format!("{}/{}", row.n[0], row.n[1]),
            errors.join("→"),
        ));
    }
    visible(&(lines.join("\n") + "\n"))
}
