//! Lighthouse: the web vitals and the performance score of one report.

use serde_json::Value;

use super::{Imported, Origin, Point, text, time};

/// Audits whose `numericValue` is taken, with their unit.
const AUDITS: [(&str, &str); 5] = [
    ("first-contentful-paint", "ms"),
    ("largest-contentful-paint", "ms"),
    ("total-blocking-time", "ms"),
    ("cumulative-layout-shift", ""),
    ("speed-index", "ms"),
];

pub(super) fn report(json: &Value) -> Imported {
    let mut imported = Imported::default();
    let page = ["finalDisplayedUrl", "finalUrl", "requestedUrl"]
        .into_iter()
        .find_map(|key| text(json, key))
        .unwrap_or_default();
    let at = time(json, "fetchTime");
    let point = |name: &str, unit: &str, smaller_is_better: bool| {
        let point = Point::new(Origin::Lighthouse, format!("{page} {name}"), 0.0, unit);
        Point { at, smaller_is_better: Some(smaller_is_better), ..point }
    };
    for (name, unit) in AUDITS {
        let value = json.get("audits").and_then(|audits| audits.get(name)?.get("numericValue"));
        imported.add(value, point(name, unit, true));
    }
    imported.add(json.pointer("/categories/performance/score"), point("performance", "", false));
    if let Some(error) = json.get("runtimeError").and_then(|error| text(error, "message")) {
        imported.left_out.push(format!("the page did not load: {error}"));
    }
    imported
}
