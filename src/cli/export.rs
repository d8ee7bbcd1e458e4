//! `plimsoll export`: objectives for other tools.

use clap::{Args, ValueEnum};

use super::args::ConfigFile;
use super::check::{misread, place_of};
use super::config;
use super::error::{BAD_VALUE, EXPORT, Exit, Failure, NO_RULE};
use super::output::Terminal;
use crate::export::{Metrics, Objective, openslo, prometheus};
use crate::judge::rules::of_config;

/// Write objectives for other tools: OpenSLO, Prometheus
///
/// The [[slo]] of plimsoll.toml as OpenSLO v1 documents, or as rules for Prometheus: error ratios
/// over each window, and alerts on burn rates. Conditions become matchers of labels, `duration <
/// 300ms` a bucket. Exit status: 0 done, 2 an objective cannot be said so.
#[derive(Args, Debug)]
pub(super) struct ExportArgs {
    #[command(flatten)]
    config: ConfigFile,
    /// Tool to write for
    #[arg(long, value_name = "TOOL")]
    to: Target,
    /// Counter of all events
    #[arg(long, value_name = "NAME", default_value = "http_requests_total")]
    metric: String,
    /// Histogram of durations in seconds, without `_bucket`
    #[arg(long, value_name = "NAME", default_value = "http_request_duration_seconds")]
    duration_metric: String,
    /// Label that holds a field, where its name differs: `status=code` (can be repeated)
    #[arg(long = "label", value_name = "FIELD=LABEL")]
    labels: Vec<String>,
}

/// Who reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Target {
    /// `OpenSLO` v1 documents.
    Openslo,
    /// Recording and alerting rules.
    Prometheus,
}

pub(super) fn run(args: &ExportArgs, terminal: &Terminal) -> Result<Exit, Failure> {
    let metrics = metrics(args)?;
    let loaded = config::load(&args.config, terminal)?;
    let checks = of_config(&loaded.config, &|expr| place_of(&loaded, expr))
        .map_err(|all| misread(&loaded, &all, terminal))?;
    let objectives: Vec<Objective> = checks.iter().filter_map(Objective::of).collect();
    if objectives.is_empty() {
        return Err(Failure::new(&NO_RULE, "there is no [[slo]] to export")
            .hint("write one into plimsoll.toml; `plimsoll config defaults` lists its keys"));
    }
    let text = match args.to {
        Target::Openslo => openslo(&loaded.config.project.name, &objectives, &metrics),
        Target::Prometheus => prometheus(&objectives, &metrics),
    };
    let text = text.map_err(|error| {
        Failure::caused(&EXPORT, &error)
            .hint("write the objective with `status`, labels or a bound of `duration`")
    })?;
    terminal.data(&text)?;
    Ok(Exit::Yes)
}

fn metrics(args: &ExportArgs) -> Result<Metrics, Failure> {
    let mut labels = Vec::new();
    for said in &args.labels {
        let parts =
            said.split_once('=').filter(|(field, label)| !field.is_empty() && is_name(label));
        let (field, label) = parts.ok_or_else(|| {
            Failure::new(&BAD_VALUE, format!("`--label` is `{said}`"))
                .hint("write it as FIELD=LABEL, such as status=code")
        })?;
        if labels.iter().any(|(known, _)| known == field) {
            return Err(Failure::new(&BAD_VALUE, format!("`--label` names `{field}` twice"))
                .hint("a field is in one label"));
        }
        labels.push((field.to_owned(), label.to_owned()));
    }
    for (option, name) in [("--metric", &args.metric), ("--duration-metric", &args.duration_metric)]
    {
        if !is_name(&name.replace(':', "_")) {
            return Err(Failure::new(&BAD_VALUE, format!("`{option}` is `{name}`"))
                .hint("a metric has letters, digits, `_` and `:` in its name, first no digit"));
        }
    }
    let durations = args.duration_metric.strip_suffix("_bucket").unwrap_or(&args.duration_metric);
    let (events, durations) = (args.metric.clone(), durations.to_owned());
    Ok(Metrics { events, durations, labels })
}

fn is_name(text: &str) -> bool {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    text.chars().all(is_plain) && text.starts_with(|c: char| !c.is_ascii_digit())
}
