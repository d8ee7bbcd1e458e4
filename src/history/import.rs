//! Values of benchmark tools as points of a history, whatever the file is called.
//!
//! | kind | told by | measures |
//! |---|---|---|
//! | Criterion | `new/estimates.json` in a directory, or such a file | slope, else mean, in ns |
//! | hyperfine `--export-json` | `results` with `command` | median in s |
//! | k6 summary, old and new | `metrics`, or `results.metrics` | see `k6` |
//! | Lighthouse report | `lighthouseVersion` | web vitals and performance score |
//! | github-action-benchmark | `data.js`, or a list of `name`, `value`, `unit` | every value |
//!
//! Guarantee: what is recognised and has no number is named in [`Imported::left_out`].

mod benches;
mod k6;
mod lighthouse;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use serde_json::Value;
use walkdir::WalkDir;

use super::{Origin, Point};

/// Most bytes of a file that is imported.
pub const MAX_IMPORT_BYTES: u64 = 128 << 20;
/// Most keys of an unknown object that are named, and most characters of each.
const MAX_KEYS: usize = 6;
const MAX_KEY_CHARS: usize = 40;

/// A file that gives no values.
#[derive(Debug, thiserror::Error)]
pub enum ImportError {
    /// It could not be read.
    #[error("cannot read `{}`", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is larger than [`MAX_IMPORT_BYTES`].
    #[error("`{}` has more than {MAX_IMPORT_BYTES} bytes: no benchmark result is that large",
        path.display())]
    TooLarge {
        /// The file.
        path: PathBuf,
    },
    /// It is not JSON, nor `data.js` of github-action-benchmark.
    #[error("`{}` is not JSON", path.display())]
    NotJson {
        /// The file.
        path: PathBuf,
        /// Where it goes wrong.
        source: serde_json::Error,
    },
    /// It is JSON of another kind.
    #[error(
        "`{}` is no result of Criterion, hyperfine, k6, Lighthouse or github-action-benchmark: \
         it holds {seen}",
        path.display()
    )]
    Unknown {
        /// The file.
        path: PathBuf,
        /// What it holds instead, escaped.
        seen: String,
    },
    /// A directory without results.
    #[error("`{}` holds no results of Criterion: no `new/estimates.json` below it", path.display())]
    NoResults {
        /// The directory.
        path: PathBuf,
    },
}

/// What a file or directory gives.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Imported {
    /// The values, in the order of the file.
    pub points: Vec<Point>,
    /// Measures without a number, and why. Text of others: untrusted.
    pub left_out: Vec<String>,
}

impl Imported {
    /// Takes `point` with `value`, if that is a number.
    fn add(&mut self, value: Option<&Value>, point: Point) {
        match value.and_then(Value::as_f64) {
            Some(value) => self.points.push(Point { value, ..point }),
            None => self.left_out.push(format!("`{}` has no number", point.series)),
        }
    }
}

/// Reads one result file, or all results of Criterion below a directory.
///
/// # Errors
/// When it cannot be read, or is of no known kind.
pub fn import(path: &Path) -> Result<Imported, ImportError> {
    if !path.is_dir() {
        return import_file(path);
    }
    let mut imported = Imported::default();
    for entry in WalkDir::new(path).sort_by_file_name() {
        let entry = entry.map_err(|error| ImportError::Read {
            path: error.path().unwrap_or(path).to_owned(),
            source: error.into(),
        })?;
        if entry.path().ends_with("new/estimates.json") {
            let Imported { points, left_out } = import_file(entry.path())?;
            imported.points.extend(points);
            imported.left_out.extend(left_out);
        }
    }
    if imported == Imported::default() {
        return Err(ImportError::NoResults { path: path.to_owned() });
    }
    Ok(imported)
}

fn import_file(path: &Path) -> Result<Imported, ImportError> {
    let json = read_json(path)?;
    if json.pointer("/mean/point_estimate").is_some() {
        if path.parent().is_some_and(|parent| parent.ends_with("change")) {
            let seen = "Criterion's change from one run to another, not a measurement".to_owned();
            return Err(ImportError::Unknown { path: path.to_owned(), seen });
        }
        // What it is called stands in the file beside it.
        let name = read_json(&path.with_file_name("benchmark.json"))
            .ok()
            .and_then(|benchmark| text(&benchmark, "full_id").map(str::to_owned));
        return Ok(benches::criterion(&json, name, path));
    }
    from_json(&json)
        .ok_or_else(|| ImportError::Unknown { path: path.to_owned(), seen: outline(&json) })
}

/// Reads a result that names its measures itself: of all kinds but Criterion.
///
/// `None` when it is of no known kind.
pub fn from_json(json: &Value) -> Option<Imported> {
    let first_has = |list: &Value, keys: &[&str]| {
        list.get(0).is_some_and(|first| keys.iter().all(|key| first.get(key).is_some()))
    };
    let imported = if json.get("lighthouseVersion").is_some() {
        lighthouse::report(json)
    } else if let Some(entries) = json.get("entries").and_then(Value::as_object) {
        benches::collected(entries)
    } else if first_has(json, &["name", "value"]) {
        benches::custom(json)
    } else if let Some(runs) = json.get("results").filter(|runs| first_has(runs, &["command"])) {
        benches::hyperfine(runs)
    } else {
        k6::summary(json)?
    };
    (imported != Imported::default()).then_some(imported)
}

fn read_json(path: &Path) -> Result<Value, ImportError> {
    let wrong = |source| ImportError::Read { path: path.to_owned(), source };
    let mut bytes = Vec::new();
    let file = File::open(path).map_err(wrong)?;
    file.take(MAX_IMPORT_BYTES + 1).read_to_end(&mut bytes).map_err(wrong)?;
    if bytes.len() as u64 > MAX_IMPORT_BYTES {
        return Err(ImportError::TooLarge { path: path.to_owned() });
    }
    parse(&bytes).map_err(|source| ImportError::NotJson { path: path.to_owned(), source })
}

/// Reads JSON, or the one statement of github-action-benchmark's `data.js`.
fn parse(bytes: &[u8]) -> Result<Value, serde_json::Error> {
    let bytes = bytes.strip_prefix(b"\xEF\xBB\xBF").unwrap_or(bytes).trim_ascii();
    let Some(rest) = bytes.strip_prefix(b"window.BENCHMARK_DATA") else {
        return serde_json::from_slice(bytes);
    };
    let rest = rest.trim_ascii_start();
    let rest = rest.strip_prefix(b"=").unwrap_or(rest);
    serde_json::from_slice(rest.strip_suffix(b";").unwrap_or(rest))
}

/// What JSON of no known kind holds, in few words.
fn outline(json: &Value) -> String {
    match json {
        Value::Object(object) if object.is_empty() => "an empty object".to_owned(),
        Value::Object(object) => {
            let key = |key: &String| {
                let short: String = key.chars().take(MAX_KEY_CHARS).collect();
                format!("`{}`", short.escape_debug())
            };
            let keys: Vec<String> = object.keys().take(MAX_KEYS).map(key).collect();
            let more = if object.len() > MAX_KEYS { " and more" } else { "" };
            format!("an object with {}{more}", keys.join(", "))
        }
        Value::Array(list) if list.is_empty() => "an empty list".to_owned(),
        Value::Array(list) => {
            let first = list.first().map(outline).unwrap_or_default();
            format!("a list of {}, first {first}", list.len())
        }
        Value::String(_) => "text".to_owned(),
        Value::Number(_) => "a number".to_owned(),
        Value::Bool(_) | Value::Null => json.to_string(),
    }
}

/// A string member.
fn text<'a>(json: &'a Value, key: &str) -> Option<&'a str> {
    json.get(key).and_then(Value::as_str)
}

/// A time as RFC 3339, `None` where it is none.
fn time(json: &Value, key: &str) -> Option<jiff::Timestamp> {
    text(json, key)?.parse().ok()
}

#[cfg(test)]
mod tests;
