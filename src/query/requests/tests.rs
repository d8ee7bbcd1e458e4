use super::{Outcome, Request, RequestLog, Requests};
use crate::model::Window;

const HOUR_US: i64 = 3_600_000_000;
const START_US: i64 = 1_795_305_600_000_000;
const HOURS: i64 = 200;

/// One request each 20 seconds on three routes and two versions, durations from 1 to 1,000 ms.
fn synthetic(max_exact: usize) -> Requests {
    let mut log = RequestLog::with_limit(max_exact);
    let count = HOURS * 180;
    for index in 0..count {
        // Out of order by up to an hour, as merged files are.
        let jitter_us = (index * 7_919 % 180) * 20_000_000;
        log.push(Request {
            ts_us: START_US + (index / 180) * HOUR_US + jitter_us,
            route: (index % 3) as u32,
            version: u32::from(index > count / 2),
            outcome: match index % 50 {
                0 => Outcome::ServerError,
                1 => Outcome::Refused,
                _ => Outcome::Success,
            },
            duration_ms: if index % 97 == 0 { f64::NAN } else { 1.0 + (index * 31 % 1_000) as f64 },
        });
    }
    log.finish()
}

/// Beyond the memory for single requests: counts stay what they were, quantiles stay near.
#[test]
fn folded_requests_answer_like_exact_ones() {
    let (exact, folded) = (synthetic(usize::MAX), synthetic(5_000));
    assert!(exact.is_exact() && !folded.is_exact());
    let width = folded.finest_width();
    assert!(width.seconds() <= 3_600, "{width:?}");
    let span = Window { start_us: START_US, end_us: START_US + HOURS * HOUR_US };
    for route in [None, Some(0), Some(2), Some(9)] {
        let counts = folded.counts_by_window(route, span, width);
        assert_eq!(counts, exact.counts_by_window(route, span, width), "{route:?}");
        assert_eq!(counts.iter().map(|c| c.n).sum::<u64>(), exact.summary(route, span).n);
        for version in [0, 1, 2] {
            let [folded, exact] =
                [&folded, &exact].map(|r| r.summary_of_version(route, version, span));
            assert_eq!((folded.n, folded.failed), (exact.n, exact.failed), "{route:?} {version}");
        }
        let windows = [span, Window { end_us: START_US + 50 * HOUR_US, ..span }];
        for window in windows {
            let [sketch, sorted] =
                [&folded, &exact].map(|requests| requests.summary(route, window).durations);
            assert_eq!(sketch.count(), sorted.count());
            for q in [0.0, 0.5, 0.9, 0.95, 0.99, 1.0] {
                let (near, right) = (sketch.quantile(q), sorted.quantile(q));
                assert_eq!(near.is_some(), right.is_some());
                let off = near.zip(right).map_or(0.0, |(near, right)| (near / right - 1.0).abs());
                assert!(off <= 0.011, "q {q} of {route:?}: {near:?}, exact {right:?}");
            }
        }
    }
}

/// A reading that turns out longer than its first part must not keep cells of minutes for years.
#[test]
fn folded_slots_widen_with_the_span_and_lose_nothing() {
    let mut log = RequestLog::with_limit(100);
    for index in 0..5_000_i64 {
        log.push(Request {
            // The first thousand within a minute, then one each four hours.
            ts_us: START_US + if index < 1_000 { index * 60_000 } else { index * 4 * HOUR_US },
            route: 0,
            version: 0,
            outcome: Outcome::Success,
            duration_ms: 5.0,
        });
    }
    let requests = log.finish();
    let span = Window { start_us: START_US, end_us: START_US + 5_001 * 4 * HOUR_US };
    assert_eq!(requests.summary(None, span).n, 5_000);
    assert!(requests.finest_width().seconds() >= 86_400, "{:?}", requests.finest_width());
}
