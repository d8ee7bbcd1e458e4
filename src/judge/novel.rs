//! Moments at which a measure did what it never did before: where to look, not what to conclude.

use super::view::View;
use crate::model::{NovelMoment, SlotWidth, Unit, Window, format_ts};
use crate::query::Summary;
use crate::stats::novelty::{Feature, Novelty};

/// Windows at most: two weeks of five minutes.
const MAX_WINDOWS: usize = 4_032;
/// Moments listed at most.
const MAX_LISTED: usize = 5;
/// Fewest values of a window that has a percentile or a share.
const MIN_IN_WINDOW: u64 = 20;

/// What a measure comes to in a window; `None` where the window holds too little.
type Measured<'a> = &'a dyn Fn(&Summary) -> Option<f64>;

/// The most novel moments of the current window, most novel first.
///
/// Each measure is read in order by a detector that has seen all before it; only what passes the
/// detector's one threshold is listed.
pub(super) fn look_here(view: &View<'_>) -> Vec<NovelMoment> {
    let width = SlotWidth::fitting(view.span.len_s(), MAX_WINDOWS);
    let width = width.max(view.requests.finest_width());
    let span = Window { start_us: width.floor_us(view.span.start_us), ..view.span };
    let windows = view.requests.by_window(None, span, width);
    let enough = |window: &Summary| window.n >= MIN_IN_WINDOW;
    let p95 = |window: &Summary| {
        let enough = window.durations.count() >= MIN_IN_WINDOW;
        window.durations.quantile(0.95).filter(|_| enough)
    };
    let failed = |window: &Summary| enough(window).then(|| window.failed as f64 / window.n as f64);
    let measures: [(&str, Unit, Measured<'_>); 3] = [
        ("count(requests)", Unit::Count, &|window| Some(window.n as f64)),
        ("p95(duration_ms)", Unit::Ms, &p95),
        ("share(failed)", Unit::Ratio, &failed),
    ];
    let mut moments: Vec<NovelMoment> = Vec::new();
    for (metric, unit, value) in measures {
        let mut detector = Novelty::new(Some(f64::from(width.seconds())));
        for (index, window) in windows.iter().enumerate() {
            let start_us = span.start_us + index as i64 * width.micros();
            let whole = Window { start_us, end_us: start_us + width.micros() };
            // The data begin and end within a window, which is novel for no other reason.
            let value = value(window).filter(|_| !view.is_partial(whole));
            let scored = detector.push(value);
            let (Some(value), Some(feature)) = (value, scored.reason) else { continue };
            let is_good = metric != "count(requests)" && feature == Feature::Minimum;
            let is_current = view.current.contains(start_us);
            if is_current && !is_good && Novelty::is_alert(scored.score) {
                moments.push(NovelMoment {
                    metric: metric.to_owned(),
                    at: format_ts(start_us),
                    value,
                    unit,
                    reason: feature.to_string(),
                    score: (scored.score * 1e3).round() / 1e3,
                });
            }
        }
    }
    moments.sort_by(|a, b| b.score.total_cmp(&a.score).then_with(|| a.at.cmp(&b.at)));
    moments.truncate(MAX_LISTED);
    moments
}
