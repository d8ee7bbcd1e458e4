use super::super::tests::{fields, run, run_with};
use super::super::{Limits, Query};

/// Whether a query is folded; its result is the same by the engine alone.
fn check(sql: &str, is_folded: bool) {
    let query = Query::parse(sql, &fields).expect(sql);
    assert_eq!(query.clone().into_run(Limits::default()).folds(), is_folded, "{sql}: {query:?}");
    let text = run(sql);
    assert!(!text.starts_with("error"), "{sql}: {text}");
}

#[test]
fn what_can_be_folded_is_and_says_the_same() {
    for (sql, is_folded) in [
        ("SELECT route, COUNT(*) FROM logs GROUP BY route", true),
        ("SELECT COUNT(*) AS n, route FROM logs GROUP BY route", true), // keys last
        ("SELECT COUNT(*) FROM logs GROUP BY route", true),             // keys not selected
        ("SELECT COUNT(*) FROM logs", false),                           // one group: the engine's
        ("SELECT route, status, COUNT(*), COUNT(user) FROM logs GROUP BY 1, 2", true),
        (
            "SELECT route, status, date, p50(duration_ms), p99_9(duration_ms), MIN(duration_ms), \
          MAX(status), AVG(status), SUM(status) FROM logs GROUP BY route, status, date",
            true,
        ),
        ("SELECT user, SUM(duration_ms) FROM logs GROUP BY user", true), // a key that is missing
        ("SELECT cached, load, COUNT(*) FROM logs GROUP BY cached, load", true),
        ("SELECT ts, MAX(duration_ms) FROM logs GROUP BY ts ORDER BY ts DESC LIMIT 7", true),
        ("SELECT duration_ms, COUNT(*) FROM logs GROUP BY duration_ms", true),
        (
            "SELECT ts_ms - ts_ms % 60000 AS m, COUNT(*) FILTER (WHERE status >= 500) AS bad, \
          MAX(duration_ms) FILTER (WHERE status < 500) FROM logs GROUP BY m",
            true,
        ),
        (
            "SELECT route, 100.0 * SUM(CASE WHEN status >= 500 THEN 1 ELSE 0 END) / COUNT(*) AS pct \
          FROM logs GROUP BY route HAVING COUNT(*) > 10 AND MAX(duration_ms) > 1",
            true,
        ),
        ("SELECT upper(route) AS r, SUM(duration_ms * 2) FROM logs GROUP BY upper(route)", true),
        (
            "SELECT route, SUM(load), SUM(\"http.bytes\") FROM logs WHERE load IS NULL GROUP BY route",
            true,
        ),
        ("SELECT EXTRACT(minute FROM ts) AS m, COUNT(*) FROM logs GROUP BY m", true),
        ("SELECT route, COUNT(*) FROM logs WHERE status = 500 GROUP BY route", true),
        ("SELECT route, COUNT(*) FROM logs WHERE status = 999 GROUP BY route", true), // no group
        ("SELECT l.route, COUNT(l.status) FROM logs AS l GROUP BY l.route", true),
        ("SELECT \"http.bytes\", MIN(http.bytes) FROM logs GROUP BY http.bytes", true),
        ("SELECT route, COUNT(DISTINCT status) FROM logs GROUP BY route", false),
        ("SELECT route, MAX(message) FROM logs GROUP BY route", false), // texts have no fold
        ("SELECT route, p95(duration_ms / 2) FROM logs GROUP BY route", false),
        ("SELECT route, STDDEV(duration_ms) FROM logs GROUP BY route", false),
        ("SELECT 1 AS one, COUNT(*) FROM logs GROUP BY 1", false), // a key without a column
        ("WITH t AS (SELECT route FROM logs) SELECT route, COUNT(*) FROM t GROUP BY route", false),
    ] {
        check(sql, is_folded);
    }
}

#[test]
fn a_sum_beyond_64_bits_is_an_error_not_a_number() {
    let sql = "SELECT route, SUM(9223372036854775000 + status) AS s FROM logs GROUP BY route";
    // Optimized, the engine's own sum would wrap around.
    let error = run_with(sql, Limits::default()).expect_err(sql).to_string();
    assert!(error.contains("a sum is beyond 64 bits"), "{error}");
}
