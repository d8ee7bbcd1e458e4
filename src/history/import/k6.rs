//! k6: `--summary-export`, the object of `handleSummary`, and the new machine-readable summary.
//!
//! Trends give average, median and percentiles; their least and greatest value are single
//! requests. Rates give their share, counters their speed, gauges their last value.

use serde_json::{Map, Value};

use super::{Imported, Origin, Point, text, time};

/// Trends of k6 itself that are times; `--summary-export` does not say so.
const TIMES: [&str; 5] =
    ["http_req_", "iteration_duration", "group_duration", "grpc_req_duration", "ws_"];

/// `None` when it is no summary of k6.
pub(super) fn summary(json: &Value) -> Option<Imported> {
    let mut imported = Imported::default();
    if let Some(metrics) = json.pointer("/results/metrics").and_then(Value::as_array) {
        for metric in metrics {
            let values = metric.get("values")?.as_object()?;
            add(&mut imported, text(metric, "name")?, text(metric, "contains"), values);
        }
        let at = json.get("metadata").and_then(|metadata| time(metadata, "generatedAt"));
        for point in &mut imported.points {
            point.at = at;
        }
        return Some(imported);
    }
    let metrics = json.get("metrics")?.as_object().filter(|metrics| !metrics.is_empty())?;
    for (name, metric) in metrics {
        let values = metric.get("values").unwrap_or(metric).as_object()?;
        add(&mut imported, name, text(metric, "contains"), values);
    }
    // Others have `metrics` as well.
    (!imported.points.is_empty()).then_some(imported)
}

/// Which of the four kinds a metric is, its values tell in all three formats.
fn add(imported: &mut Imported, name: &str, contains: Option<&str>, values: &Map<String, Value>) {
    let point = |series: String, unit: &str| Point::new(Origin::K6, series, 0.0, unit);
    let whole = name.split('{').next().unwrap_or(name);
    if values.contains_key("avg") || values.contains_key("med") {
        let is_time = contains.map_or_else(
            || TIMES.iter().any(|prefix| whole.starts_with(prefix)),
            |contains| contains == "time",
        );
        let n = values.get("count").and_then(Value::as_u64);
        let statistics = values.iter().filter(|(statistic, _)| {
            ["avg", "med"].contains(&statistic.as_str()) || statistic.starts_with("p(")
        });
        for (statistic, value) in statistics {
            let point = point(format!("{name} {statistic}"), if is_time { "ms" } else { "" });
            imported.add(Some(value), Point { n, ..point });
        }
    } else if values.contains_key("passes") {
        let smaller_is_better = match whole {
            "http_req_failed" => Some(true),
            "checks" => Some(false),
            _ => None,
        };
        let count = |key| values.get(key).and_then(Value::as_u64);
        let n = count("passes").zip(count("fails")).map(|(a, b)| a.saturating_add(b));
        let value = values.get("rate").or_else(|| values.get("value"));
        imported.add(value, Point { smaller_is_better, n, ..point(name.to_owned(), "") });
    } else if values.contains_key("count") {
        let unit = if contains == Some("data") { "B/s" } else { "/s" };
        imported.add(values.get("rate"), point(name.to_owned(), unit));
    } else {
        imported.add(values.get("value"), point(name.to_owned(), ""));
    }
}
