//! Criterion, hyperfine, and what github-action-benchmark collects of other tools.

use std::path::Path;

use serde_json::{Map, Value};

use super::{Imported, Origin, Point, text};

/// Tools of github-action-benchmark whose values are speeds; those of all others are costs.
const SPEED_TOOLS: [&str; 3] = ["benchmarkjs", "pytest", "customBiggerIsBetter"];

/// One `estimates.json`: the slope, which Criterion prints where it has one, or else the mean.
pub(super) fn criterion(estimates: &Value, name: Option<String>, path: &Path) -> Imported {
    let name = name.unwrap_or_else(|| {
        let directory = path.parent().and_then(Path::parent).unwrap_or(path);
        directory.file_name().unwrap_or_default().to_string_lossy().into_owned()
    });
    let mut imported = Imported::default();
    let estimate = ["/slope/point_estimate", "/mean/point_estimate"]
        .into_iter()
        .find_map(|pointer| estimates.pointer(pointer));
    imported.add(estimate, Point::new(Origin::Criterion, name, 0.0, "ns"));
    imported
}

/// The `results` of hyperfine: the median, which a busy machine moves least.
pub(super) fn hyperfine(results: &Value) -> Imported {
    let mut imported = Imported::default();
    for run in results.as_array().into_iter().flatten() {
        let mut name = text(run, "command").unwrap_or_default().to_owned();
        // A parameter need not be part of the command.
        for (key, value) in run.get("parameters").and_then(Value::as_object).into_iter().flatten() {
            let value = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
            name = format!("{name} [{key}={value}]");
        }
        let n = run.get("times").and_then(Value::as_array).map(|times| times.len() as u64);
        let value = run.get("median").or_else(|| run.get("mean"));
        imported.add(value, Point { n, ..Point::new(Origin::Hyperfine, name, 0.0, "s") });
    }
    imported
}

/// The `entries` of `data.js`: suites of runs, each at a commit.
pub(super) fn collected(entries: &Map<String, Value>) -> Imported {
    let mut imported = Imported::default();
    for (suite, runs) in entries {
        for run in runs.as_array().into_iter().flatten() {
            let at = run.get("date").and_then(Value::as_i64);
            let at = at.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
            let commit = run.pointer("/commit/id").and_then(Value::as_str).map(str::to_owned);
            let smaller_is_better = text(run, "tool").map(|tool| !SPEED_TOOLS.contains(&tool));
            for bench in run.get("benches").and_then(Value::as_array).into_iter().flatten() {
                let mut point = bench_point(bench, &format!("{suite}/"));
                point.smaller_is_better = smaller_is_better;
                point.at = at;
                point.commit.clone_from(&commit);
                imported.add(bench.get("value"), point);
            }
        }
    }
    imported
}

/// The list that the custom tools of github-action-benchmark read: it does not say which way is
/// better, its units may.
pub(super) fn custom(list: &Value) -> Imported {
    let mut imported = Imported::default();
    for bench in list.as_array().into_iter().flatten() {
        imported.add(bench.get("value"), bench_point(bench, ""));
    }
    imported
}

fn bench_point(bench: &Value, suite: &str) -> Point {
    let name = text(bench, "name").unwrap_or_default();
    let unit = text(bench, "unit").unwrap_or_default();
    Point::new(Origin::GithubActionBenchmark, format!("{suite}{name}"), 0.0, unit)
}
