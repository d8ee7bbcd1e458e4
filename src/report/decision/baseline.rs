//! A saved baseline as text for people.

use std::fmt::Write as _;

use crate::judge::rules::{Summary, SummaryRow};
use crate::model::one_line;
use crate::report::number;

/// One block per measure, a line per group and term.
pub fn baseline(summary: &Summary) -> String {
    let mut text = String::new();
    // Writing to a String cannot fail.
    let _ = writeln!(
        text,
        "{}: {} to {}, windows of {}, hours of {}",
        summary.name,
        summary.span.from,
        summary.span.to,
        number::span(summary.window_us as f64 / 1e6),
        summary.zone
    );
    let inputs: Vec<String> =
        summary.inputs.iter().map(|input| one_line(&input.name).into_owned()).collect();
    let _ = writeln!(
        text,
        "made {} by plimsoll {} from {}",
        summary.made_at,
        summary.version,
        inputs.join(", ")
    );
    let mut last = None;
    for row in &summary.rows {
        if last != Some(&row.measure) {
            let _ = writeln!(text, "\n{}", one_line(&row.measure));
            last = Some(&row.measure);
        }
        let _ = writeln!(text, "  {}", one_line(&line(row)));
    }
    text
}

fn line(row: &SummaryRow) -> String {
    let group = row.group.as_ref().map_or(String::new(), |group| format!("{group}: "));
    let level = number::measure_or_dash(row.level, row.unit);
    let spread = row.spread.map_or(String::new(), |ends| {
        format!(", half of {} windows {}", row.windows, number::range(ends, row.unit))
    });
    let alarms = match row.false_alarms {
        Some([alarms, tested]) => format!("is broken by {alarms} of its {tested} windows"),
        None => "cannot be tried on its windows".to_owned(),
    };
    format!("{group}{level}, n {}{spread}; `{}` {alarms}", number::count(row.n), row.term)
}
