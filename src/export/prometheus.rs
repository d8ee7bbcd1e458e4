//! Rules for Prometheus: error ratios over each window, and alerts on burn rates.
//!
//! Source: Google, The Site Reliability Workbook, chapter 5; windows and thresholds are those of
//! [`crate::stats::burn`].

use std::collections::BTreeSet;
use std::fmt::Write;

use super::selector::{Counters, counters};
use super::{ExportError, Metrics, Objective, length, plain, quoted};
use crate::stats::burn::{self, BurnRule, RULES, Urgency};

/// Recording and alerting rules, one group for each objective.
///
/// A window without events has no error ratio, so that no traffic is no alert. What `check` asks
/// for besides, three bad events at least, is not said here.
///
/// # Errors
/// When a condition is no matcher of a label and no bucket.
pub fn prometheus(objectives: &[Objective], metrics: &Metrics) -> Result<String, ExportError> {
    let mut yaml = String::from("groups:\n");
    for objective in objectives {
        let counters = counters(objective, metrics)?;
        push_group(&mut yaml, objective, &counters);
    }
    Ok(yaml)
}

/// Writing to a String cannot fail, so its results are let go here and below.
fn push_group(yaml: &mut String, objective: &Objective, counters: &Counters) {
    let id = quoted(&objective.id);
    let _ = writeln!(yaml, "  - name: {}", quoted(&format!("plimsoll-{}", objective.id)));
    let _ = writeln!(yaml, "    rules:");
    let windows: BTreeSet<u64> =
        RULES.iter().flat_map(|rule| [rule.short_s, rule.long_s]).collect();
    for seconds in windows {
        let window = length(seconds);
        let rate = |selector: &str| format!("sum(rate({selector}[{window}]))");
        let expr = format!(
            "1 - (({} or vector(0)) / ({} > 0))",
            rate(&counters.good),
            rate(&counters.total)
        );
        let _ = writeln!(yaml, "      - record: slo:error_ratio:rate{window}");
        let _ = writeln!(yaml, "        expr: {}", quoted(&expr));
        let _ = writeln!(yaml, "        labels: {{ slo: {id} }}");
    }
    let Some(ratio) = burn::Objective::new(objective.ratio) else { return };
    for rule in &RULES {
        if let Some(threshold) = rule.threshold(ratio, objective.period.as_secs()) {
            push_alert(yaml, objective, rule, threshold);
            continue;
        }
        let (long, period) = (length(rule.long_s), length(objective.period.as_secs()));
        let _ = writeln!(
            yaml,
            "      # no alert over {long}: that is longer than {period}, or not even errors alone \
             burn so fast"
        );
    }
}

fn push_alert(yaml: &mut String, objective: &Objective, rule: &BurnRule, threshold: f64) {
    let (id, long) = (&objective.id, length(rule.long_s));
    let threshold = plain(threshold);
    let bound = plain(threshold * (1.0 - objective.ratio));
    let burns =
        |seconds: u64| format!("slo:error_ratio:rate{}{{slo=\"{id}\"}} > {bound}", length(seconds));
    let expr = format!("{} and {}", burns(rule.long_s), burns(rule.short_s));
    let severity = match rule.urgency {
        Urgency::Page => "page",
        Urgency::Ticket => "ticket",
    };
    let summary = format!(
        "{id}: the error budget burns more than {threshold} times as fast as it may, over {long}"
    );
    let _ = writeln!(yaml, "      - alert: ErrorBudgetBurn");
    let _ = writeln!(yaml, "        expr: {}", quoted(&expr));
    let _ = writeln!(
        yaml,
        "        labels: {{ severity: {severity}, window: {long}, slo: {} }}",
        quoted(id)
    );
    let _ = writeln!(yaml, "        annotations: {{ summary: {} }}", quoted(&summary));
}
