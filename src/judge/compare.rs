//! Two sides of anything, route by route: the shift and proportion rules of a report without a
//! search for the moment.

use schemars::JsonSchema;
use serde::Serialize;

use super::candidate::verdict_of;
use crate::model::{Verdict, Window};
use crate::query::{RequestNames, Requests, Summary};
use crate::stats::{
    Direction, Outcome,
    normal::Z_98,
    proportion::{Share, ShareRule, share_change},
    rank::{MAX_COMPARED, Shift, ShiftRule, shift, shift_of_sorted},
};

/// Routes compared, most requests first.
const MAX_ROWS: usize = 200;
/// Name of the row over all routes.
const ALL_ROUTES: &str = "(all routes)";
/// All of time.
const ALWAYS: Window = Window { start_us: i64::MIN / 4, end_us: i64::MAX / 4 };

/// One side of a comparison.
pub struct Side {
    /// Routes by number.
    pub names: RequestNames,
    /// The requests.
    pub requests: Requests,
}

/// One route, then and now.
#[derive(Clone, Debug, PartialEq, Serialize, JsonSchema)]
pub struct CompareRow {
    /// Route; the first row is all routes together. Log text: untrusted.
    pub route: String,
    /// The worse of the latency and the error verdict.
    pub verdict: Verdict,
    /// Verdict on the durations.
    pub latency: Verdict,
    /// Verdict on the share of failed requests.
    pub error_rate: Verdict,
    /// Requests, before and after.
    pub n: [u64; 2],
    /// p50 in milliseconds.
    pub p50_ms: [Option<f64>; 2],
    /// p95 in milliseconds.
    pub p95_ms: [Option<f64>; 2],
    /// Typical change of a duration (Hodges–Lehmann), per cent of the old median: what is judged.
    pub change_pct: Option<f64>,
    /// Likely range (98 %) of that change.
    pub interval_pct: Option<[f64; 2]>,
    /// Share of failed requests.
    pub error_ratio: [Option<f64>; 2],
    /// Likely range (98 %) of the difference of those shares, percentage points.
    pub error_interval_points: Option<[f64; 2]>,
}

/// Compares two sides; `min_effect` is the least change of durations that matters, as a ratio.
///
/// Rows stand worst first after the one over all routes. A route with fewer than 30 requests on
/// a side is inconclusive.
pub fn compare(before: &Side, after: &Side, min_effect: f64) -> Vec<CompareRow> {
    let mut rows = vec![row(before, after, None, min_effect)];
    let mut names: Vec<&str> = before.names.routes.iter().map(|(_, name)| name).collect();
    let new = after.names.routes.iter().map(|(_, name)| name);
    names.extend(new.filter(|name| before.names.routes.find(name).is_none()));
    let mut by_route: Vec<CompareRow> =
        names.iter().map(|name| row(before, after, Some(name), min_effect)).collect();
    by_route.sort_by_key(|row| std::cmp::Reverse((row.verdict, row.n[0] + row.n[1])));
    by_route.truncate(MAX_ROWS);
    if by_route.len() > 1 {
        rows.extend(by_route);
    } else if let Some(only) = by_route.pop() {
        rows = vec![only];
    }
    rows
}

fn row(before: &Side, after: &Side, name: Option<&str>, min_effect: f64) -> CompareRow {
    let old = Part::of(before, name);
    let new = Part::of(after, name);
    let rule = ShiftRule {
        min_effect_ratio: min_effect,
        direction: Direction::Increase,
        ..ShiftRule::default()
    };
    let has_durations = old.summary.durations.count() + new.summary.durations.count() > 0;
    let shift = shift_of(&old, &new);
    let latency = rule.judge(shift.as_ref());
    let shares = (
        Share::new(old.summary.failed, old.summary.n),
        Share::new(new.summary.failed, new.summary.n),
    );
    let (error_rate, error_interval) = match shares {
        (Some(old), Some(new)) => {
            let change = share_change(old, new, Z_98, 1.0);
            (ShareRule::default().judge(old, new), Some([change.lo * 100.0, change.hi * 100.0]))
        }
        _ => (Outcome::Inconclusive, None),
    };
    let p95_ms = [old.quantile(0.95), new.quantile(0.95)];
    let relative = shift.filter(|shift| shift.control_median > 0.0);
    let pct = |shift: &Shift, ms: f64| ms / shift.control_median * 100.0;
    let (latency, error_rate) = (verdict_of(latency), verdict_of(error_rate));
    CompareRow {
        route: name.unwrap_or(ALL_ROUTES).to_owned(),
        // Without any duration, as in some access logs, failures are all there is to judge.
        verdict: if has_durations { latency.max(error_rate) } else { error_rate },
        latency,
        error_rate,
        n: [old.summary.n, new.summary.n],
        p50_ms: [old.quantile(0.5), new.quantile(0.5)],
        p95_ms,
        change_pct: relative.map(|shift| pct(&shift, shift.change.estimate)),
        interval_pct: relative
            .map(|shift| [pct(&shift, shift.change.lo), pct(&shift, shift.change.hi)]),
        error_ratio: [old.summary.failed_ratio(), new.summary.failed_ratio()],
        error_interval_points: error_interval,
    }
}

/// One route of one side.
struct Part {
    summary: Summary,
    /// In time order, one route only; `None` when sketched or over all routes.
    in_order: Option<Vec<f64>>,
}

impl Part {
    fn of(side: &Side, name: Option<&str>) -> Self {
        let route = name.map(|name| side.names.routes.find(name).unwrap_or(u32::MAX - 1));
        let in_order = route.and_then(|route| side.requests.durations_in_order(route, ALWAYS));
        Self { summary: side.requests.summary(route, ALWAYS), in_order }
    }

    fn quantile(&self, q: f64) -> Option<f64> {
        self.summary.durations.quantile(q)
    }
}

fn shift_of(old: &Part, new: &Part) -> Option<Shift> {
    if let (Some(control), Some(experiment)) = (&old.in_order, &new.in_order) {
        return shift(control, experiment);
    }
    // Over all routes the order of time is lost; routes differ more than moments do.
    let thinned = |part: &Part| part.summary.durations.thin(MAX_COMPARED);
    shift_of_sorted(&thinned(old), &thinned(new), 1.0, Z_98)
}
