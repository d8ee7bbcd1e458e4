//! The report as JSON: the file `report.json`, and the copy inside the page.
//!
//! Characters that steer a terminal or a browser are written as escapes, which any JSON reader
//! turns back: the value is the same.

use crate::model::{Report, Series, escape_json, is_unsafe, safe_json};

/// Most bytes of the copy inside a page; beyond it the long series are left out.
const ISLAND_MAX_BYTES: usize = 60_000;

/// The whole report, pretty-printed, with a line break at the end.
pub fn json(report: &Report) -> String {
    // A report has text keys and no custom serializer, so this cannot fail.
    safe_json(&serde_json::to_string_pretty(report).unwrap_or_default()) + "\n"
}

/// A JSON path, and what empties it.
type LeaveOut = (&'static str, fn(&mut Report));

/// The copy inside a page.
pub(crate) struct Island {
    /// Safe inside a `<script>` element.
    pub(crate) json: String,
    /// JSON paths of the arrays that are empty here and full in `report.json`.
    pub(crate) left_out: Vec<&'static str>,
}

/// The report for a page: the longest arrays are left out until it is small enough.
pub(crate) fn island(report: &Report) -> Island {
    let mut small = report.clone();
    let mut left_out = Vec::new();
    let steps: [LeaveOut; 5] = [
        ("details[].windows", |report| {
            report.details.iter_mut().for_each(|detail| detail.windows.clear());
        }),
        ("routes[].sparkline", |report| {
            report.routes.iter_mut().for_each(|row| empty(&mut row.sparkline));
        }),
        ("tiles[].series", |report| {
            report.tiles.iter_mut().for_each(|tile| empty(&mut tile.series));
        }),
        ("findings[].series", |report| {
            report.findings.iter_mut().for_each(|finding| empty(&mut finding.series));
        }),
        ("details", |report| report.details.clear()),
    ];
    for (path, leave_out) in steps {
        let json = safe_in_html(&serde_json::to_string(&small).unwrap_or_default());
        if json.len() <= ISLAND_MAX_BYTES {
            return Island { json, left_out };
        }
        leave_out(&mut small);
        left_out.push(path);
    }
    Island { json: safe_in_html(&serde_json::to_string(&small).unwrap_or_default()), left_out }
}

fn empty(series: &mut Series) {
    series.values.clear();
    series.n.clear();
    series.usual_by_window = None;
}

/// As [`safe_json`], and without characters that end a `<script>` element; they stand inside
/// strings only, because the serializer writes no others.
fn safe_in_html(json: &str) -> String {
    escape_json(json, |character| matches!(character, '<' | '>' | '&') || is_unsafe(character))
}

#[cfg(test)]
mod tests {
    use super::safe_in_html;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn escaping_changes_no_value(text in any::<String>()) {
            let json = serde_json::to_string(&text).unwrap();
            let escaped = safe_in_html(&json);
            let unsafe_left = |c: char| matches!(c, '<' | '>' | '&' | '\u{2028}' | '\u{2029}');
            prop_assert!(!escaped.chars().any(unsafe_left));
            prop_assert_eq!(serde_json::from_str::<String>(&escaped).unwrap(), text);
        }
    }
}
