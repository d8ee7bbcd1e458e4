//! Error messages that were never seen before the current window.

use super::candidate::{Candidate, Subject, Tested, When, change, group};
use super::view::View;
use crate::model::{FindingKind, Series, TemplateRow, Unit, Verdict, format_ts};
use crate::query::Counted;

/// Records that a new message needs to be spoken of.
const MIN_RECORDS: u64 = 5;
/// Templates listed for a route or report at most.
pub(super) const MAX_LISTED: usize = 20;

/// Tests every template of error level: is it new in the current window, and not by chance?
///
/// A message that comes at random moments falls wholly into the current window with chance
/// shareⁿ⁻¹ after its first record, where share is the current window's part of all time, or the
/// part since that record where it is smaller.
pub(super) fn test_messages(view: &View<'_>) -> Vec<Tested> {
    if view.before.is_none() {
        return Vec::new();
    }
    let current_share = view.current.len_s() / view.data.len_s();
    let mut tested = Vec::new();
    for (id, name) in view.survey.templates.iter() {
        let Some(seen) = view.survey.template_seen.get(id as usize) else { continue };
        let is_late = seen.first_us >= view.data.end_us;
        if !seen.severity.is_error() || seen.count < MIN_RECORDS || is_late {
            continue;
        }
        let count = view.count(Counted::Template(id));
        if count < MIN_RECORDS {
            continue;
        }
        let is_new = seen.first_us >= view.current.start_us;
        let since_share = (view.data.end_us - seen.first_us) as f64 / 1e6 / view.data.len_s();
        let share = if is_new { since_share.min(current_share) } else { 1.0 };
        let p_value = share.powf(count as f64 - 1.0);
        tested.push(Tested {
            p_value: Some(p_value),
            candidate: is_new.then(|| candidate(view, id, name, count)),
            is_evidence: false,
        });
    }
    tested
}

fn candidate(view: &View<'_>, id: u32, template: &str, count: u64) -> Candidate {
    let first_us = view.survey.template_seen.get(id as usize).map_or(0, |seen| seen.first_us);
    let width = view.count_width(3_600.min(view.span.len_s() as u32 / 48));
    let counts = view.counts(Counted::Template(id), width);
    Candidate {
        kind: FindingKind::NewMessage,
        verdict: Verdict::Warn,
        metric: "count(message)".to_owned(),
        group: group("message", template),
        change: change(0.0, count as f64, [0, count], Unit::Count),
        when: When::exactly(first_us),
        series: Series {
            start_us: view.window(0, width).start_us,
            step_s: width.seconds(),
            n: counts.iter().map(|count| count.unwrap_or(0)).collect(),
            values: counts.iter().map(|count| count.map(|count| count as f64)).collect(),
            usual: None,
            usual_by_window: None,
        },
        subject: Some(Subject::Template(id)),
        is_overall: false,
        weight: count as f64,
    }
}

/// Templates of warn level and worse that are new or grew, new ones first, then by growth.
pub(super) fn template_rows(view: &View<'_>) -> Vec<TemplateRow> {
    let width = view.count_width(60);
    // The window before may be longer than the current one: rates are compared, not counts.
    let before_s = view.before.map_or(0.0, crate::model::Window::len_s);
    let grew = |[before, now]: [u64; 2]| {
        now as f64 * before_s > before as f64 * view.current.len_s() || before_s <= 0.0
    };
    let mut rows: Vec<TemplateRow> = Vec::new();
    for (id, name) in view.survey.templates.iter() {
        let Some(seen) = view.survey.template_seen.get(id as usize) else { continue };
        if !seen.severity.is_warn() || seen.first_us >= view.data.end_us {
            continue;
        }
        let mut n = [0, 0];
        let counts = view.counts(Counted::Template(id), width);
        for (index, count) in counts.into_iter().enumerate() {
            let start_us = view.window(index, width).start_us;
            let [before, now] = &mut n;
            if start_us >= view.current.start_us {
                *now += count.unwrap_or(0);
            } else if view.before.is_some_and(|before| before.contains(start_us)) {
                *before += count.unwrap_or(0);
            }
        }
        let new = seen.first_us >= view.current.start_us && view.before.is_some();
        if !new && !grew(n) {
            continue;
        }
        rows.push(TemplateRow {
            template: name.to_owned(),
            severity: seen.severity.as_str().to_owned(),
            n,
            first_seen: format_ts(seen.first_us),
            new,
        });
    }
    rows.sort_by_key(|row| {
        let [before, now] = row.n;
        (std::cmp::Reverse(row.new), std::cmp::Reverse(now.saturating_sub(before)))
    });
    rows.truncate(MAX_LISTED);
    rows
}
