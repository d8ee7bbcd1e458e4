//! Every log in `fixtures/` is read without flags and compared with numbers that a separate
//! script computed (`fixtures/expected.py`).

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use plimsoll::decode::Overrides;
use plimsoll::model::format_ts;
use plimsoll::query::{OpenError, Opened, Survey, read, survey_columns};
use plimsoll::source::discover;
use serde_json::Value;

const FIXTURES: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures");

/// Numbers in which we differ on purpose: case, key, reason.
const DIFFERENCES: &[(&str, &str, &str)] = &[
    ("/bad/no-time.log", "format", "without a time nothing tells winston from plain JSON"),
    ("/json/logstash-encoder.log", "format", "told more precisely: logstash"),
    ("/klog/text.log", "format", "read as plain text"),
    ("/klog/text.log", "rejected", "a line of text is never rejected"),
    ("/nginx-json/escape-default.log", "first_ts", "msec has the milliseconds"),
    ("/nginx-json/escape-default.log", "last_ts", "msec has the milliseconds"),
    ("/nginx-json/failover.log", "first_ts", "msec has the milliseconds"),
    ("/nginx-json/failover.log", "last_ts", "msec has the milliseconds"),
    ("/nginx-json/invalid-utf8.log", "first_ts", "msec has the milliseconds"),
    ("/nginx-json/invalid-utf8.log", "last_ts", "msec has the milliseconds"),
    ("/traefik/access.log", "first_ts", "StartUTC has the fraction"),
    ("/traefik/access.log", "last_ts", "StartUTC has the fraction"),
    ("/vercel-drain/batch.json", "with_duration", "Next.js lines have one too"),
    ("/vercel-drain/batch.json", "duration_ms_sum", "Next.js lines have one too"),
    ("/vercel-drain/batch.json", "errors", "CredentialsSignin is a wrong password, no error"),
    ("/vercel-drain/batches.log", "with_duration", "Next.js lines have one too"),
    ("/vercel-drain/batches.log", "duration_ms_sum", "Next.js lines have one too"),
    ("/vercel-drain/batches.log", "errors", "CredentialsSignin is a wrong password, no error"),
    ("/vercel-drain/drain.log", "with_duration", "Next.js lines have one too"),
    ("/vercel-drain/drain.log", "duration_ms_sum", "Next.js lines have one too"),
    ("/vercel-drain/drain.log", "errors", "CredentialsSignin is a wrong password, no error"),
];

/// Inputs that must be refused, with what the message must say.
const REFUSED: &[(&str, &str)] =
    &[("/bad/binary.log", "is not text"), ("/bad/truncated.log.gz", "incomplete gzip")];

#[test]
fn every_fixture_is_read_as_an_independent_script_reads_it() {
    let mut wrong = Vec::new();
    let mut compared = 0;
    // Excuses that no longer apply would hide the next difference.
    let mut refused: Vec<_> = REFUSED.to_vec();
    let mut differences: Vec<_> = DIFFERENCES.to_vec();
    for expected_path in expected_files(Path::new(FIXTURES)) {
        let expected: Value = serde_json::from_slice(&fs::read(&expected_path).unwrap()).unwrap();
        let input = input_of(&expected_path);
        let case = input.display().to_string().replace(FIXTURES, "");
        let got = match survey(&input) {
            Ok(got) => got,
            Err(error) => {
                let before = refused.len();
                refused.retain(|(c, said)| case != *c || !error.contains(said));
                if refused.len() == before {
                    wrong.push(format!("{case}: {error}"));
                }
                continue;
            }
        };
        compared += 1;
        for (key, want) in expected.as_object().unwrap() {
            let Some(got) = got.get(key.as_str()) else { continue };
            if equal(got, want) {
                continue;
            }
            let before = differences.len();
            differences.retain(|(c, k, _)| case != *c || key != k);
            if differences.len() == before {
                wrong.push(format!("{case}: {key} is {got}, expected {want}"));
            }
        }
    }
    assert!(compared > 50, "only {compared} fixtures were compared");
    assert!(refused.is_empty(), "these are not refused any more: {refused:?}");
    assert!(differences.is_empty(), "these do not differ any more: {differences:?}");
    assert!(wrong.is_empty(), "{} differences:\n{}", wrong.len(), wrong.join("\n"));
}

fn expected_files(dir: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(expected_files(&path));
        } else if path.to_string_lossy().ends_with(".expected.json") {
            found.push(path);
        }
    }
    found.sort();
    found
}

/// The log beside an `expected.json`: the same name with another ending, or a directory.
fn input_of(expected: &Path) -> PathBuf {
    let stem = expected.to_string_lossy().strip_suffix(".expected.json").unwrap().to_owned();
    for ending in ["", ".log", ".json", ".jsonl", ".ndjson", ".txt", ".csv", ".tsv"] {
        let path = PathBuf::from(format!("{stem}{ending}"));
        if path.is_file() || path.is_dir() {
            return path;
        }
    }
    panic!("no log beside {}", expected.display());
}

fn survey(input: &Path) -> Result<BTreeMap<&'static str, Value>, String> {
    let found = discover(&[input.display().to_string()]).map_err(|error| error.to_string())?;
    let overrides = Overrides { year: 2026, ..Overrides::default() };
    let opened = match Opened::open(&found, &overrides) {
        Ok(opened) => opened,
        Err(OpenError::Empty { .. }) => return Ok(BTreeMap::from([("records", 0.into())])),
        Err(error) => return Err(error.to_string()),
    };
    let shape = opened.profiles().next().map(|(_, profile)| profile.shape).unwrap_or_default();
    let mut survey = Survey::default();
    read(opened, &survey_columns(), &AtomicBool::new(false), &mut |batch| {
        survey.add(&batch);
        true
    })
    .map_err(|error| error.to_string())?;
    survey.finish();
    let records: u64 = survey.inputs.iter().map(|input| input.records).sum();
    let rejected: u64 = survey.inputs.iter().map(|input| input.rejects.count()).sum();
    let mut got = BTreeMap::from([
        ("format", shape.into()),
        ("records", records.into()),
        ("rejected", rejected.into()),
        ("with_duration", survey.with_duration.into()),
        ("duration_ms_sum", survey.duration_ms_sum.into()),
        ("with_status", survey.with_status.into()),
        ("status_5xx", survey.server_errors.into()),
        ("status_minus_one", survey.crashed.into()),
        ("errors", survey.errors.into()),
    ]);
    if let Some((first, last)) = survey.span_us {
        got.insert("first_ts", format_ts(first).into());
        got.insert("last_ts", format_ts(last).into());
    }
    Ok(got)
}

fn equal(got: &Value, want: &Value) -> bool {
    match (got, want) {
        (Value::Number(got), Value::Number(want)) => {
            let (got, want) = (got.as_f64().unwrap(), want.as_f64().unwrap());
            (got - want).abs() <= 1e-6 * want.abs().max(1.0)
        }
        (Value::String(got), Value::String(want)) => {
            let time = |text: &str| text.parse::<jiff::Timestamp>().ok();
            got == want || time(got).is_some_and(|got| time(want) == Some(got))
        }
        _ => got == want,
    }
}
