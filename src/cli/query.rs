//! `plimsoll query`: SQL over the records of any input.

use std::collections::BTreeMap;

use clap::{Args, ValueEnum};

use super::args::FieldArgs;
use super::error::{
    BAD_VALUE, Exit, Failure, NO_FIELD_OF_QUERY, NO_SUCH_QUERY, SQL, SQL_LIMIT, USAGE,
};
use super::output::Terminal;
use super::reading;
use crate::query::{
    FieldType, Limits, Opened, Query, Saved, SqlError, Table, TextLayout, ValueKind, bind, find,
    saved,
};

/// Ask with SQL, or with a saved query
///
/// The last word is the query: one SELECT over the table `logs`, or the name of a saved query.
/// Columns: ts, `ts_ms`, date, severity, service, host, environment, deployment, version, event,
/// method, route, path, status, `duration_ms`, `trace_id`, `span_id`, `request_id`, user, template,
/// message, attrs, body; any other name is taken as a field of the log. Exit status: 0 done,
/// 2 query refused, 3 a saved query's field is missing, 4 unusable input.
#[derive(Args, Debug)]
pub(super) struct QueryArgs {
    /// Inputs, then the SQL text or the name of a saved query
    #[arg(value_name = "INPUT… QUERY")]
    pub words: Vec<String>,
    /// Fields
    #[command(flatten)]
    pub fields: FieldArgs,
    /// Value for a parameter of a saved query (can be repeated)
    #[arg(long, value_name = "NAME=VALUE")]
    pub param: Vec<String>,
    /// List the saved queries
    #[arg(long)]
    pub list: bool,
    /// Output format
    #[arg(short, long, visible_alias = "format", value_name = "FORMAT", default_value = "text")]
    pub output: QueryOutput,
    /// Same as -o json
    #[arg(long)]
    pub json: bool,
    /// Write control characters and formulas of log text as they are
    #[arg(long)]
    pub raw: bool,
}

/// Output of `query`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum QueryOutput {
    /// Aligned columns.
    Text,
    /// One array of objects.
    Json,
    /// One object a line.
    Jsonl,
    /// RFC 4180.
    Csv,
}

pub(super) fn run(args: &QueryArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    if args.list {
        return list(terminal);
    }
    let Some((query, inputs)) = args.words.split_last() else {
        return Err(Failure::new(&USAGE, "`query` takes inputs and then a query").hint(
            "plimsoll query app.log 'SELECT route, COUNT(*) AS n FROM logs GROUP BY route'",
        ));
    };
    let sql = sql_text(query, &args.param)?;
    let opened = reading::open(inputs, &args.fields, terminal)?;
    let fields = opened.fields.clone();
    let query = Query::parse(&sql, &|path| field_type(&fields, path)).map_err(|error| {
        match (find(query), error) {
            (Some(saved), SqlError::NoColumn { name, near, .. }) => lacking(saved, &name, &near),
            (_, error) => refused(error),
        }
    })?;
    let table = answer(query, opened, terminal)?;
    let output = if args.json { QueryOutput::Json } else { args.output };
    let layout = TextLayout {
        width: terminal.columns(),
        raw: args.raw,
        ascii: terminal.ascii,
        ..TextLayout::default()
    };
    match output {
        QueryOutput::Text if args.raw => terminal.data(&table.to_text(layout)),
        QueryOutput::Text => terminal.text(&table.to_text(layout)),
        QueryOutput::Json => terminal.data(&table.to_json()),
        QueryOutput::Jsonl => terminal.data(&table.to_jsonl()),
        QueryOutput::Csv => terminal.data(&table.to_csv(args.raw)),
    }?;
    for note in &table.notes {
        terminal.say(&format!("note: {note}"));
    }
    Ok(Exit::Yes)
}

fn answer(query: Query, mut opened: Opened, terminal: &Terminal) -> Result<Table, Failure> {
    let wanted = query.wanted().clone();
    let names: Vec<String> = opened.profiles().map(|(name, _)| name.to_owned()).collect();
    opened.narrow(&query);
    let mut run = query.into_run(Limits::default());
    let mut failed = None;
    let (mut records, mut rejected) = (0, 0);
    reading::each_batch(opened, &wanted, terminal, &mut |batch| {
        records += batch.records;
        rejected += batch.rejects.count();
        run.set_source(names.get(batch.input).map_or("", String::as_str));
        match batch.push_to(&mut run) {
            Ok(()) => !run.is_full(),
            Err(error) => {
                failed = Some(error);
                false
            }
        }
    })?;
    if let Some(error) = failed {
        return Err(refused(error));
    }
    let mut table = run.finish().map_err(refused)?;
    if rejected > 0 {
        table.notes.push(format!("{rejected} of {records} records could not be decoded"));
    }
    Ok(table)
}

fn sql_text(query: &str, params: &[String]) -> Result<String, Failure> {
    let is_name = !query.trim().contains(char::is_whitespace);
    if !is_name {
        return match params.first() {
            Some(param) => {
                Err(Failure::new(&USAGE, format!("`--param {param}` goes with a saved query")))
            }
            None => Ok(query.to_owned()),
        };
    }
    let Some(saved_query) = find(query) else {
        let names: Vec<&str> = saved().iter().map(|saved| saved.name).collect();
        return Err(Failure::new(&NO_SUCH_QUERY, format!("there is no saved query `{query}`"))
            .hint(format!("saved queries are {}", names.join(", "))));
    };
    let mut values = Vec::new();
    for param in params {
        let (name, value) = param.split_once('=').ok_or_else(|| {
            Failure::new(&BAD_VALUE, format!("`--param {param}` is not of the form NAME=VALUE"))
        })?;
        values.push((name.to_owned(), value.to_owned()));
    }
    bind(saved_query, &values).map_err(|error| Failure::caused(&BAD_VALUE, &error))
}

fn field_type(fields: &BTreeMap<String, ValueKind>, path: &str) -> FieldType {
    match fields.get(path) {
        Some(ValueKind::Integer) => FieldType::Integer,
        Some(ValueKind::Number) => FieldType::Number,
        Some(ValueKind::Bool) => FieldType::Bool,
        Some(ValueKind::Text) => FieldType::Text,
        None => FieldType::Unknown(fields.keys().cloned().collect()),
    }
}

#[expect(clippy::needless_pass_by_value, reason = "it ends as the message")]
fn refused(error: SqlError) -> Failure {
    let kind = match &error {
        SqlError::OutOfTime { .. }
        | SqlError::OutOfMemory { .. }
        | SqlError::TooManyRows { .. }
        | SqlError::Frame(_) => &SQL_LIMIT,
        _ => &SQL,
    };
    Failure::caused(kind, &error)
}

/// A saved query is well-formed: it is the input that cannot answer it.
fn lacking(query: &Saved, field: &str, near: &[String]) -> Failure {
    let message =
        format!("can't tell: `{}` needs the field `{field}`, which no record here has", query.name);
    let hint = match near {
        [] => "`plimsoll inspect` lists the fields there are".to_owned(),
        names => format!("there is `{}`", names.join("`, `")),
    };
    Failure::new(&NO_FIELD_OF_QUERY, message).hint(hint)
}

fn list(terminal: &Terminal) -> Result<Exit, Failure> {
    let mut lines = Vec::new();
    for saved in saved() {
        lines.push(format!("{:24} {}", saved.name, saved.help));
        for param in &saved.params {
            let default = param.default.map_or("needed".to_owned(), |d| format!("default {d}"));
            lines.push(format!("  --param {}=…  {} ({default})", param.name, param.help));
        }
    }
    terminal.text(&(lines.join("\n") + "\n"))?;
    Ok(Exit::Yes)
}
