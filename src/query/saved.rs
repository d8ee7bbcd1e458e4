//! Saved queries: the files of `queries/`, compiled in.
//!
//! The first comment lines of a file say what it answers and what it asks:
//! ```sql
//! -- help: Slowest routes
//! -- param: top (integer, default 50): most routes to show
//! -- param: id (text): a parameter without a default must be given
//! SELECT … LIMIT :top
//! ```
//! A parameter stands where a literal can. Its value is checked and put into the parsed tree as
//! one literal, never spliced into text. The SQL keeps to the subset that Apache Spark runs too.

use std::collections::BTreeMap;
use std::sync::LazyLock;

use super::sql::{self, Literal, SqlError};

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        &[$(($name, include_str!(concat!(env!("CARGO_MANIFEST_DIR"), "/queries/", $name, ".sql")))),*]
    };
}

/// Names and texts, by name.
const FILES: &[(&str, &str)] = files![
    "error-rate",
    "events-per-week",
    "hosts",
    "latency-histogram",
    "new-errors",
    "percentiles",
    "request",
    "requests-per-hour",
    "sign-in-failures",
    "slow-routes",
    "slowest",
    "status-mix",
    "submissions-per-subject",
    "templates",
    "traffic",
    "users-by-hour",
    "versions",
];

static SAVED: LazyLock<Vec<Saved>> =
    LazyLock::new(|| FILES.iter().map(|(name, text)| Saved::read(name, text)).collect());

/// A query that ships with plimsoll.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Saved {
    /// Name, such as `slow-routes`.
    pub name: &'static str,
    /// What it answers, one sentence without a full stop.
    pub help: &'static str,
    /// What it asks.
    pub params: Vec<Param>,
    /// The file's text.
    pub sql: &'static str,
}

/// A parameter of a saved query.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Param {
    /// Name, written `:name` in the SQL.
    pub name: &'static str,
    /// Which values it takes.
    pub kind: ParamKind,
    /// Value when none is given; `None` when one must be.
    pub default: Option<&'static str>,
    /// What it does, with its unit.
    pub help: &'static str,
}

/// Which values a parameter takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ParamKind {
    /// Any text.
    Text,
    /// A whole number.
    Integer,
    /// A finite number.
    Number,
}

/// Why a saved query cannot be run.
#[derive(Debug, thiserror::Error)]
pub enum SavedError {
    /// No such parameter.
    #[error("`{query}` has no parameter `{param}`; it has {}", known(names))]
    NoParam {
        /// The query.
        query: &'static str,
        /// As given.
        param: String,
        /// What there is.
        names: Vec<&'static str>,
    },
    /// A parameter given twice.
    #[error("parameter `{param}` is given twice")]
    Twice {
        /// The parameter.
        param: String,
    },
    /// A parameter without a default is not given.
    #[error("`{query}` needs `{param}`: {help}")]
    Missing {
        /// The query.
        query: &'static str,
        /// The parameter.
        param: &'static str,
        /// What it is.
        help: &'static str,
    },
    /// A value of another type.
    #[error("parameter `{param}` is `{value}`, must be {need}")]
    Value {
        /// The parameter.
        param: &'static str,
        /// As given.
        value: String,
        /// What it must be.
        need: &'static str,
    },
    /// The values do not fit into the query.
    #[error(transparent)]
    Sql(#[from] SqlError),
}

fn known(names: &[&str]) -> String {
    if names.is_empty() { "none".to_owned() } else { names.join(", ") }
}

/// Every saved query, by name.
pub fn saved() -> &'static [Saved] {
    &SAVED
}

/// The saved query of a name.
pub fn find(name: &str) -> Option<&'static Saved> {
    saved().iter().find(|saved| saved.name == name)
}

/// The query's SQL with these values for its parameters, given as name and value.
///
/// # Errors
/// When a name is unknown or given twice, a value is missing or of another type.
pub fn bind(saved: &Saved, values: &[(String, String)]) -> Result<String, SavedError> {
    let mut given: BTreeMap<&str, &str> = BTreeMap::new();
    for (name, value) in values {
        if !saved.params.iter().any(|param| param.name == name) {
            let names = saved.params.iter().map(|param| param.name).collect();
            return Err(SavedError::NoParam { query: saved.name, param: name.clone(), names });
        }
        if given.insert(name, value).is_some() {
            return Err(SavedError::Twice { param: name.clone() });
        }
    }
    let mut literals = BTreeMap::new();
    for param in &saved.params {
        let value =
            given.get(param.name).copied().or(param.default).ok_or(SavedError::Missing {
                query: saved.name,
                param: param.name,
                help: param.help,
            })?;
        literals.insert(param.name.to_owned(), param.literal(value)?);
    }
    Ok(sql::bind(saved.sql, &literals)?)
}

impl Param {
    fn literal(&self, value: &str) -> Result<Literal, SavedError> {
        let wrong = |need| SavedError::Value { param: self.name, value: value.to_owned(), need };
        match self.kind {
            ParamKind::Text => Ok(Literal::Text(value.to_owned())),
            ParamKind::Integer => {
                value.parse().map(Literal::Integer).map_err(|_| wrong("a whole number"))
            }
            ParamKind::Number => match value.parse::<f64>() {
                Ok(number) if number.is_finite() => Ok(Literal::Number(number)),
                _ => Err(wrong("a number")),
            },
        }
    }
}

impl Saved {
    fn read(name: &'static str, text: &'static str) -> Self {
        let comment = |key: &'static str| {
            text.lines().filter_map(move |line| line.strip_prefix("-- ")?.strip_prefix(key))
        };
        Self {
            name,
            help: comment("help: ").next().unwrap_or_default(),
            params: comment("param: ").filter_map(Param::read).collect(),
            sql: text,
        }
    }
}

impl Param {
    /// Reads `name (kind, default value): help`.
    fn read(line: &'static str) -> Option<Self> {
        let (head, help) = line.split_once("): ")?;
        let (name, spec) = head.split_once(" (")?;
        let (kind, default) = match spec.split_once(", default ") {
            Some((kind, default)) => (kind, Some(default)),
            None => (spec, None),
        };
        let kind = match kind {
            "text" => ParamKind::Text,
            "integer" => ParamKind::Integer,
            "number" => ParamKind::Number,
            _ => return None,
        };
        Some(Self { name, kind, default, help })
    }
}

#[cfg(test)]
mod tests;
