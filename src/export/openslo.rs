//! OpenSLO v1: a service, a data source, and a document for each objective.
//!
//! Source: the specification of OpenSLO v1, <https://github.com/OpenSLO/OpenSLO>.

use std::collections::BTreeMap;

use super::selector::counters;
use super::{ExportError, Metrics, Objective, length, plain, quoted};

/// Longest name of an object, as a label of DNS has it.
const MAX_NAME_LEN: usize = 63;
/// Longest description that the specification takes.
const MAX_DESCRIPTION_CHARS: usize = 1_050;

/// The objectives of a project as YAML documents.
///
/// # Errors
/// When a condition is no matcher of a label and no bucket, or two names fall together.
pub fn openslo(
    project: &str,
    objectives: &[Objective],
    metrics: &Metrics,
) -> Result<String, ExportError> {
    let service = name(project);
    let mut yaml = head(project, &service);
    let mut names: BTreeMap<String, &str> = BTreeMap::new();
    for objective in objectives {
        let name = name(&objective.id);
        if let Some(first) = names.insert(name.clone(), &objective.id) {
            let (first, second) = (first.to_owned(), objective.id.clone());
            return Err(ExportError::SameName { first, second, name });
        }
        yaml.push_str(&document(&service, &name, objective, metrics)?);
    }
    Ok(yaml)
}

fn head(project: &str, service: &str) -> String {
    let display = quoted(project);
    format!(
        "\
apiVersion: openslo/v1
kind: Service
metadata:
  name: {service}
  displayName: {display}
spec:
  description: {display}
---
apiVersion: openslo/v1
kind: DataSource
metadata:
  name: prometheus
spec:
  type: Prometheus
  connectionDetails:
    url: 'http://localhost:9090'
"
    )
}

fn document(
    service: &str,
    name: &str,
    objective: &Objective,
    metrics: &Metrics,
) -> Result<String, ExportError> {
    let counters = counters(objective, metrics)?;
    let query = |selector: &str| quoted(&format!("sum({selector})"));
    let (good, total) = (query(&counters.good), query(&counters.total));
    let expr: String = objective.expr.chars().take(MAX_DESCRIPTION_CHARS).collect();
    let (id, expr) = (quoted(&objective.id), quoted(&expr));
    let (target, window) = (plain(objective.ratio), length(objective.period.as_secs()));
    Ok(format!(
        "\
---
apiVersion: openslo/v1
kind: SLO
metadata:
  name: {name}
  displayName: {id}
spec:
  description: {expr}
  service: {service}
  indicator:
    metadata:
      name: {name}
    spec:
      ratioMetric:
        counter: true
        good:
          metricSource:
            metricSourceRef: prometheus
            spec:
              query: {good}
        total:
          metricSource:
            metricSourceRef: prometheus
            spec:
              query: {total}
  timeWindow:
    - duration: {window}
      isRolling: true
  budgetingMethod: Occurrences
  objectives:
    - displayName: {id}
      target: {target}
"
    ))
}

/// Small letters, digits and `-`, with a letter or digit at both ends; quoted by nobody, so one
/// that begins with a digit gets a letter in front.
fn name(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit();
    let lower = text.to_lowercase();
    let words = lower.split(|c| !is_plain(c)).filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join("-");
    let name = if name.starts_with(|c: char| c.is_ascii_lowercase()) {
        name
    } else {
        format!("slo-{name}")
    };
    let short: String = name.chars().take(MAX_NAME_LEN).collect();
    short.trim_end_matches('-').to_owned()
}
