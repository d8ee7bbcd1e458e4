//! Scores every file of a checkout of the Numenta Anomaly Benchmark with `stats::novelty`.
//!
//! `cargo run --release --example nab -- NAB_DATA_DIR OUT_DIR` reads `<group>/<file>.csv` (columns
//! `timestamp,value`) and writes the same names with a third column `anomaly_score`. One setting
//! for all files, no look-ahead; `benches/nab.py` turns the scores into the benchmark's figures.
//! `--speed ROWS` instead prints how many values a second are scored.

#![expect(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a measurement speaks to who runs it"
)]

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Instant;

use jiff::civil::DateTime;
use plimsoll::durable::{WriteError, write_whole};
use plimsoll::stats::novelty::Novelty;

/// Rows from whose times the step is taken. Only the comparison of days uses it, which is silent
/// for the first four days (96 rows of an hour): no score knows a later row.
const STEP_ROWS: usize = 97;
/// Missing rows pushed at most for one gap: a wrong year must not take for ever.
const MAX_MISSING: usize = 1_000_000;
const USAGE: &str = "usage: nab NAB_DATA_DIR OUT_DIR | nab --speed ROWS";

#[derive(Debug, thiserror::Error)]
enum NabError {
    #[error("{USAGE}")]
    Usage,
    #[error("cannot read `{}`: give the `data` directory of a NAB checkout", .0.display())]
    Read(PathBuf, #[source] std::io::Error),
    #[error("cannot make the directory `{}`", .0.display())]
    Directory(PathBuf, #[source] std::io::Error),
    #[error(transparent)]
    Write(#[from] WriteError),
    #[error("`{}` has no `<group>/<file>.csv`", .0.display())]
    Empty(PathBuf),
    #[error("`{}` does not begin with the columns `timestamp,value`", .0.display())]
    Header(PathBuf),
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let done = match arguments.iter().map(String::as_str).collect::<Vec<_>>()[..] {
        ["--speed", rows] => rows.parse().map(print_speed).map_err(|_| NabError::Usage),
        [data, out] => score_all(Path::new(data), Path::new(out)),
        _ => Err(NabError::Usage),
    };
    if let Err(error) = done {
        eprintln!("error: {error}");
        if let Some(source) = std::error::Error::source(&error) {
            eprintln!("cause: {source}");
        }
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn score_all(data: &Path, out: &Path) -> Result<(), NabError> {
    let mut file_count = 0;
    for group in entries(data)?.iter().filter(|path| path.is_dir()) {
        for file in entries(group)? {
            if file.extension().is_none_or(|extension| extension != "csv") {
                continue;
            }
            file_count += 1;
            let to = out.join(file.strip_prefix(data).unwrap_or(&file));
            score_file(&file, &to)?;
        }
    }
    if file_count == 0 {
        return Err(NabError::Empty(data.to_owned()));
    }
    println!("files scored into {}: {file_count}", out.display());
    Ok(())
}

fn entries(directory: &Path) -> Result<Vec<PathBuf>, NabError> {
    let listed = std::fs::read_dir(directory)
        .and_then(|entries| entries.map(|entry| Ok(entry?.path())).collect());
    let mut paths: Vec<PathBuf> =
        listed.map_err(|source| NabError::Read(directory.to_owned(), source))?;
    paths.sort();
    Ok(paths)
}

fn score_file(from: &Path, to: &Path) -> Result<(), NabError> {
    let text =
        std::fs::read_to_string(from).map_err(|source| NabError::Read(from.to_owned(), source))?;
    let mut lines = text.lines();
    if lines.next() != Some("timestamp,value") {
        return Err(NabError::Header(from.to_owned()));
    }
    let rows: Vec<(&str, &str)> =
        lines.map(|line| line.split_once(',').unwrap_or((line, ""))).collect();
    let step = step_s(&rows);
    let mut detector = Novelty::new(step);
    let mut previous = None;
    let mut unreadable = Vec::new();
    let mut scored = String::from("timestamp,value,anomaly_score\n");
    for (index, (timestamp, value)) in rows.iter().enumerate() {
        let number = value.parse::<f64>().ok().filter(|number| number.is_finite());
        let time = timestamp.parse::<DateTime>().ok();
        for _ in 0..missing_rows(previous, time, step) {
            detector.push(None);
        }
        if time.is_none() || number.is_none() {
            unreadable.push(index + 2);
        }
        previous = time.or(previous);
        let score = detector.push(number).score;
        let _ = writeln!(scored, "{timestamp},{value},{score}");
    }
    if let Some(first) = unreadable.first() {
        let count = unreadable.len();
        eprintln!(
            "{}: {count} rows without a time or a number, first line {first}",
            from.display()
        );
    }
    if let Some(directory) = to.parent() {
        std::fs::create_dir_all(directory)
            .map_err(|source| NabError::Directory(directory.to_owned(), source))?;
    }
    Ok(write_whole(to, scored.as_bytes())?)
}

/// Median seconds between the first rows; `None` where their times cannot be read.
fn step_s(rows: &[(&str, &str)]) -> Option<f64> {
    let times: Vec<DateTime> =
        rows.iter().take(STEP_ROWS).filter_map(|(timestamp, _)| timestamp.parse().ok()).collect();
    let mut steps: Vec<f64> = times
        .array_windows()
        .map(|[before, after]| after.duration_since(*before).as_secs_f64())
        .filter(|step| *step > 0.0)
        .collect();
    steps.sort_by(f64::total_cmp);
    steps.get(steps.len() / 2).copied()
}

/// Rows that are missing between two times, at most [`MAX_MISSING`].
fn missing_rows(before: Option<DateTime>, now: Option<DateTime>, step_s: Option<f64>) -> usize {
    let (Some(before), Some(now), Some(step_s)) = (before, now, step_s) else { return 0 };
    let rows = (now.duration_since(before).as_secs_f64() / step_s).round() as usize;
    rows.saturating_sub(1).min(MAX_MISSING)
}

fn print_speed(rows: usize) {
    // A walk: new shapes all the time, so that few neighbours are given up early.
    let mut seed = 1_u64;
    let mut level = 0.0;
    let values: Vec<f64> = (0..rows)
        .map(|_| {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            level += (seed >> 33) as f64 / f64::from(1_u32 << 31) - 0.5;
            level
        })
        .collect();
    let mut detector = Novelty::new(Some(300.0));
    let began = Instant::now();
    let alerts =
        values.iter().filter(|value| Novelty::is_alert(detector.push(Some(**value)).score)).count();
    let seconds = began.elapsed().as_secs_f64();
    println!("{rows} values, {alerts} alerts: {:.0} values a second", rows as f64 / seconds);
}
