//! Each saved query against the same numbers computed here, row by row.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

use super::super::sql::{FieldType, Limits, Query};
use super::{ParamKind, SavedError, bind, find, saved};
use crate::model::{EventBatch, Label, NO_STATUS, NO_TIME, Severity, Text, Wanted, format_ts};

const HOUR_MS: i64 = 3_600_000;

/// One synthetic event; every field can be missing.
#[derive(Debug, Default)]
struct Row {
    ts_us: Option<i64>,
    severity: u8,
    status: Option<i32>,
    duration_ms: Option<f64>,
    route: Option<&'static str>,
    version: Option<&'static str>,
    host: Option<&'static str>,
    event: Option<&'static str>,
    template: Option<&'static str>,
    user: Option<String>,
    request: String,
    subject: Option<&'static str>,
    student: String,
}

impl Row {
    fn ts_ms(&self) -> Option<i64> {
        self.ts_us.map(|us| us.div_euclid(1_000))
    }

    fn failed(&self) -> bool {
        self.status.is_some_and(|status| status >= 500)
    }

    fn failed_or_error(&self) -> bool {
        self.failed() || self.severity >= 17
    }
}

fn rows() -> Vec<Row> {
    let mut state = 88_172_645_463_325_252_u64;
    let mut below = move |bound: u64| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state % bound
    };
    (0..3_000)
        .map(|n| {
            let mut pick =
                |names: &[&'static str]| names.get(below(names.len() as u64 + 1) as usize).copied();
            let is_late = n > 2_700;
            Row {
                route: pick(&["/a", "/b", "/orders/{id}"]),
                version: if is_late { Some("2.0") } else { pick(&["1.8", "1.9"]) },
                host: pick(&["web-1", "web-2"]),
                event: pick(&["auth.failure", "report.submitted", "http.request"]),
                template: if is_late {
                    pick(&["new trouble", "timeout <*>"])
                } else {
                    pick(&["timeout <*>", "saved <*>"])
                },
                subject: pick(&["art", "math"]),
                ts_us: (below(40) != 0)
                    .then(|| 1_731_024_000_000_000 + n * 301_000_000 + below(1_000_000) as i64),
                severity: [0, 9, 17][below(3) as usize],
                status: (below(6) != 0).then(|| [200, 404, 500, 503][below(4) as usize]),
                duration_ms: (below(5) != 0)
                    .then(|| below(4_000_000) as f64 / 1_024.0 * below(2) as f64),
                user: (below(4) != 0).then(|| format!("user {}", below(30))),
                request: format!("r{}", n / 4),
                student: format!("s{}", below(9)),
            }
        })
        .collect()
}

fn batch(rows: &[Row], wanted: &Wanted) -> EventBatch {
    let mut batch = EventBatch::default();
    batch.extras.resize_with(wanted.extras.len(), Default::default);
    batch.len = rows.len();
    for row in rows {
        batch.ts_us.push(row.ts_us.unwrap_or(NO_TIME));
        batch.severity.push(Severity::from_otel(row.severity.into()));
        batch.status.push(row.status.unwrap_or(NO_STATUS));
        batch.duration_ms.push(row.duration_ms.unwrap_or(f64::NAN));
        batch.offset.push(0);
        for &label in &wanted.labels {
            batch.label_mut(label).push_option(match label {
                Label::Route => row.route,
                Label::Version => row.version,
                Label::Host => row.host,
                Label::Event => row.event,
                Label::Template => row.template,
                _ => None,
            });
        }
        for &text in &wanted.texts {
            batch.text_mut(text).push_option(match text {
                Text::User => row.user.as_deref(),
                Text::RequestId => Some(&row.request),
                _ => None,
            });
        }
        for (path, column) in wanted.extras.iter().zip(&mut batch.extras) {
            column.push_option(match path.as_str() {
                "academic.subject" => row.subject,
                "student.id" => Some(&row.student),
                _ => None,
            });
        }
    }
    batch
}

fn fields(path: &str) -> FieldType {
    match path {
        "academic.subject" | "student.id" => FieldType::Text,
        _ => FieldType::Unknown(vec![]),
    }
}

fn run(name: &str, values: &[(&str, &str)]) -> Vec<Value> {
    let values: Vec<(String, String)> =
        values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    let sql = bind(find(name).unwrap(), &values).unwrap();
    let query = Query::parse(&sql, &fields).unwrap();
    let wanted = query.wanted().clone();
    let mut run = query.into_run(Limits::default());
    for part in rows().chunks(701) {
        run.push(&batch(part, &wanted)).unwrap();
    }
    let json = run.finish().unwrap().to_json();
    serde_json::from_str(&json).unwrap()
}

fn check(name: &str, values: &[(&str, &str)], expected: &[Value]) {
    let got = run(name, values);
    assert!(!expected.is_empty(), "{name}: nothing to compare");
    assert_eq!(got.len(), expected.len(), "{name}");
    for (got, expected) in got.iter().zip(expected) {
        let (got, expected) = (got.as_object().unwrap(), expected.as_object().unwrap());
        assert!(got.keys().eq(expected.keys()), "{name}: {got:?}\n{expected:?}");
        for (key, value) in expected {
            let same = match (got[key].as_f64(), value.as_f64()) {
                (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * b.abs().max(1.0),
                _ => got[key] == *value,
            };
            assert!(same, "{name} {key}: {got:?}\n{expected:?}");
        }
    }
}

fn groups<K: Ord>(rows: &[Row], key: impl Fn(&Row) -> Option<K>) -> BTreeMap<K, Vec<&Row>> {
    let mut groups: BTreeMap<K, Vec<&Row>> = BTreeMap::new();
    for row in rows {
        if let Some(key) = key(row) {
            groups.entry(key).or_default().push(row);
        }
    }
    groups
}

fn window(row: &Row, width_ms: i64) -> Option<i64> {
    row.ts_ms().map(|ms| ms - ms % width_ms)
}

/// Quantile of type 7 (Hyndman and Fan 1996): linear between the order statistics.
fn quantile(rows: &[&Row], share: f64) -> Option<f64> {
    let mut values: Vec<f64> = rows.iter().filter_map(|row| row.duration_ms).collect();
    values.sort_by(f64::total_cmp);
    let place = share * values.len().checked_sub(1)? as f64;
    let (low, high) = (values[place.floor() as usize], values[place.ceil() as usize]);
    Some(low + (high - low) * place.fract())
}

fn first_ts(rows: &[&Row]) -> Option<String> {
    rows.iter().filter_map(|row| row.ts_us).min().map(format_ts)
}

fn last_ts(rows: &[&Row]) -> Option<String> {
    rows.iter().filter_map(|row| row.ts_us).max().map(format_ts)
}

fn count(rows: &[&Row], is_counted: impl Fn(&Row) -> bool) -> usize {
    rows.iter().filter(|row| is_counted(row)).count()
}

fn users(rows: &[&Row]) -> usize {
    rows.iter().filter_map(|row| row.user.as_deref()).collect::<BTreeSet<_>>().len()
}

fn on(route: &str) -> impl Fn(&Row) -> bool {
    move |row| route == "all" || row.route == Some(route)
}

#[test]
fn windows_of_traffic_and_errors() {
    for (route, width_ms) in [("all", 300_000), ("/a", 7_200_000), ("nowhere'; --", 1)] {
        let rows = rows();
        let params = [("route", route), ("window_ms", &*width_ms.to_string())];
        let groups_of = |also: &dyn Fn(&Row) -> bool| {
            groups(&rows, |row| window(row, width_ms).filter(|_| on(route)(row) && also(row)))
        };
        let traffic: Vec<Value> = groups_of(&|_| true)
            .iter()
            .map(|(start, rows)| {
                json!({"window_ms": start, "first_ts": first_ts(rows), "events": rows.len(),
                    "errors": count(rows, Row::failed_or_error), "users": users(rows)})
            })
            .collect();
        let errors: Vec<Value> = groups_of(&|row| row.status.is_some())
            .iter()
            .map(|(start, rows)| {
                let failed = count(rows, Row::failed);
                json!({"window_ms": start, "first_ts": first_ts(rows), "requests": rows.len(),
                    "errors": failed, "error_ratio": failed as f64 / rows.len() as f64})
            })
            .collect();
        if traffic.is_empty() {
            assert!(run("traffic", &params).is_empty()); // a route of no event, and a quote
            continue;
        }
        check("traffic", &params, &traffic);
        check("error-rate", &params, &errors);
    }
}

#[test]
fn latency_by_route_window_and_hour() {
    let rows = rows();
    let by_window = groups(&rows, |row| Some((row.route?, window(row, 900_000)?)));
    let expected: Vec<Value> = by_window
        .iter()
        .map(|((route, start), rows)| {
            json!({"route": route, "window_ms": start, "requests": rows.len(),
                "error_ratio": count(rows, Row::failed) as f64 / rows.len() as f64,
                "p50_ms": quantile(rows, 0.5), "p95_ms": quantile(rows, 0.95),
                "p99_ms": quantile(rows, 0.99)})
        })
        .collect();
    check("percentiles", &[("window_ms", "900000")], &expected);
    let by_hour = groups(&rows, |row| window(row, HOUR_MS).filter(|_| row.route.is_some()));
    let expected: Vec<Value> = by_hour
        .iter()
        .map(|(start, rows)| {
            json!({"hour_ms": start, "first_ts": first_ts(rows), "requests": rows.len(),
                "errors": count(rows, Row::failed), "p50_ms": quantile(rows, 0.5),
                "p95_ms": quantile(rows, 0.95)})
        })
        .collect();
    check("requests-per-hour", &[], &expected);
}

#[test]
fn slow_routes_and_slowest_requests() {
    let rows = rows();
    let mut routes: Vec<(f64, Value)> =
        groups(&rows, |row| row.route.filter(|_| row.duration_ms.is_some()))
            .iter()
            .map(|(route, rows)| {
                let durations = || rows.iter().filter_map(|row| row.duration_ms);
                let p95 = quantile(rows, 0.95).unwrap();
                let row = json!({"route": route, "requests": rows.len(),
                    "p50_ms": quantile(rows, 0.5), "p95_ms": p95, "p99_ms": quantile(rows, 0.99),
                    "max_ms": durations().fold(0.0, f64::max),
                    "total_ms": durations().sum::<f64>()});
                (p95, row)
            })
            .collect();
    routes.sort_by(|a, b| b.0.total_cmp(&a.0));
    let expected: Vec<Value> = routes.iter().map(|(_, row)| row.clone()).collect();
    check("slow-routes", &[], &expected);
    check("slow-routes", &[("top", "1")], &expected[..1]);
    assert!(run("slow-routes", &[("min_requests", "3000")]).is_empty());
    let mut slowest: Vec<&Row> = rows.iter().filter(|row| row.duration_ms.is_some()).collect();
    slowest.sort_by(|a, b| b.duration_ms.partial_cmp(&a.duration_ms).unwrap());
    let got = run("slowest", &[("top", "7")]);
    assert_eq!(got.len(), 7);
    for (got, expected) in got.iter().zip(slowest) {
        assert_eq!(got["duration_ms"].as_f64(), expected.duration_ms);
    }
}

#[test]
fn mixes_of_status_host_and_version() {
    let rows = rows();
    let by_status = groups(&rows, |row| row.status.filter(|_| on("/b")(row)));
    let all: usize = by_status.values().map(Vec::len).sum();
    let expected: Vec<Value> = by_status
        .iter()
        .map(|(status, rows)| {
            json!({"status": status, "requests": rows.len(),
                "share": rows.len() as f64 / all as f64})
        })
        .collect();
    check("status-mix", &[("route", "/b")], &expected);
    let expected: Vec<Value> = groups(&rows, |row| row.host)
        .iter()
        .map(|(host, rows)| {
            json!({"host": host, "events": rows.len(), "errors": count(rows, Row::failed_or_error),
                "p50_ms": quantile(rows, 0.5), "p95_ms": quantile(rows, 0.95)})
        })
        .collect();
    check("hosts", &[], &expected);
    let mut versions: Vec<(Option<String>, Value)> = groups(&rows, |row| row.version)
        .iter()
        .map(|(version, rows)| {
            let row = json!({"version": version, "first_ts": first_ts(rows),
                "last_ts": last_ts(rows), "events": rows.len(), "errors": count(rows, Row::failed),
                "p50_ms": quantile(rows, 0.5), "p95_ms": quantile(rows, 0.95)});
            (first_ts(rows), row)
        })
        .collect();
    versions.sort_by(|a, b| a.0.cmp(&b.0));
    let expected: Vec<Value> = versions.into_iter().map(|(_, row)| row).collect();
    check("versions", &[], &expected);
}

#[test]
fn templates_known_and_new() {
    let rows = rows();
    let by_template = groups(&rows, |row| row.template);
    let all: usize = by_template.values().map(Vec::len).sum();
    let mut templates: Vec<(usize, Value)> = by_template
        .iter()
        .map(|(template, rows)| {
            let row = json!({"template": template, "events": rows.len(),
                "share": rows.len() as f64 / all as f64,
                "errors": count(rows, |row| row.severity >= 17),
                "first_ts": first_ts(rows), "last_ts": last_ts(rows)});
            (rows.len(), row)
        })
        .collect();
    templates.sort_by_key(|(events, _)| std::cmp::Reverse(*events));
    let expected: Vec<Value> = templates.into_iter().map(|(_, row)| row).collect();
    check("templates", &[], &expected);
    let errors = groups(&rows, |row| row.template.filter(|_| row.failed_or_error()));
    let new = &errors["new trouble"];
    let expected =
        json!({"template": "new trouble", "events": new.len(), "first_ts": first_ts(new)});
    check("new-errors", &[("within_ms", "172800000")], &[expected]);
    assert!(run("new-errors", &[("within_ms", "0")]).is_empty());
}

#[test]
fn users_events_and_sign_ins() {
    let rows = rows();
    let by_hour = groups(&rows, |row| {
        window(row, HOUR_MS).filter(|_| row.user.is_some() && row.event == Some("report.submitted"))
    });
    let expected: Vec<Value> = by_hour
        .iter()
        .map(|(start, rows)| {
            json!({"hour_ms": start, "first_ts": first_ts(rows), "users": users(rows),
                "events": rows.len()})
        })
        .collect();
    check("users-by-hour", &[("event", "report.submitted")], &expected);
    let failures =
        groups(&rows, |row| window(row, HOUR_MS).filter(|_| row.event == Some("auth.failure")));
    let expected: Vec<Value> = failures
        .iter()
        .map(|(start, rows)| {
            json!({"window_ms": start, "first_ts": first_ts(rows), "failures": rows.len(),
                "users": users(rows)})
        })
        .collect();
    check("sign-in-failures", &[], &expected);
}

#[test]
fn weeks_start_on_monday_in_the_given_zone() {
    /// Monday 2024-11-04T00:00Z; the data start on Friday the 8th.
    const MONDAY_MS: i64 = 1_730_678_400_000;
    const WEEK_MS: i64 = 7 * 24 * HOUR_MS;
    for zone_ms in [0, -3 * HOUR_MS] {
        let rows = rows();
        let start = MONDAY_MS - zone_ms;
        let by_week = groups(&rows, |row| {
            Some((start + (row.ts_ms()? - start).div_euclid(WEEK_MS) * WEEK_MS, row.event?))
        });
        let expected: Vec<Value> = by_week
            .iter()
            .map(|((week, event), rows)| {
                json!({"week_ms": week, "event": event, "first_ts": first_ts(rows),
                    "events": rows.len(), "users": users(rows)})
            })
            .collect();
        check("events-per-week", &[("zone_ms", &*zone_ms.to_string())], &expected);
    }
}

#[test]
fn submissions_of_each_subject() {
    let rows = rows();
    let mut subjects: Vec<(usize, Value)> =
        groups(&rows, |row| row.subject.filter(|_| row.event == Some("report.submitted")))
            .iter()
            .map(|(subject, rows)| {
                let students: BTreeSet<&str> = rows.iter().map(|row| &*row.student).collect();
                let row = json!({"subject": subject, "submissions": rows.len(),
                    "students": students.len(), "first_ts": first_ts(rows),
                    "last_ts": last_ts(rows)});
                (rows.len(), row)
            })
            .collect();
    subjects.sort_by_key(|(submissions, _)| std::cmp::Reverse(*submissions));
    let expected: Vec<Value> = subjects.into_iter().map(|(_, row)| row).collect();
    check("submissions-per-subject", &[], &expected);
}

#[test]
fn classes_of_duration_double() {
    let rows = rows();
    let class = |row: &Row| {
        let ms = row.duration_ms?;
        Some((0..40).rev().map(|power| 1_u64 << power).find(|low| *low as f64 <= ms).unwrap_or(0))
    };
    let expected: Vec<Value> = groups(&rows, class)
        .iter()
        .map(|(from, rows)| {
            json!({"from_ms": *from as f64, "requests": rows.len(),
                "errors": count(rows, Row::failed)})
        })
        .collect();
    check("latency-histogram", &[], &expected);
}

#[test]
fn records_of_one_request() {
    let got = run("request", &[("id", "r77")]);
    assert_eq!(got.len(), 4);
    assert!(run("request", &[("id", "r77' OR '1' = '1")]).is_empty()); // one literal, whatever is in it
}

#[test]
fn files_say_what_they_are() {
    assert!(saved().len() >= 14);
    assert!(saved().is_sorted_by(|a, b| a.name < b.name));
    for query in saved() {
        assert!(!query.help.is_empty() && !query.help.ends_with('.'), "{}", query.name);
        let params = query.sql.lines().filter(|line| line.starts_with("-- param:")).count();
        assert_eq!(query.params.len(), params, "{}: a parameter's line cannot be read", query.name);
        for param in &query.params {
            assert!(query.sql.contains(&format!(":{}", param.name)), "{}", query.name);
            assert!(param.default.is_none_or(|default| param.literal(default).is_ok()));
        }
        // Apache Spark reads a double-quoted word as text, and has no bare `1.0` of type double.
        let code: String =
            query.sql.lines().filter(|line| !line.starts_with("--")).collect::<Vec<_>>().join("\n");
        for not_portable in ["\"", "date_trunc", "strftime", "::", " 1.0", "p95(", "CAST(ts "] {
            assert!(!code.contains(not_portable), "{}: {not_portable}", query.name);
        }
    }
}

#[test]
fn values_are_checked() {
    let check = |name: &str, values: &[(&str, &str)], message: &str| {
        let values: Vec<(String, String)> =
            values.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let error: SavedError = bind(find(name).unwrap(), &values).unwrap_err();
        assert_eq!(error.to_string(), message);
    };
    check("request", &[], "`request` needs `id`: the request's or the trace's id");
    check("hosts", &[("top", "1")], "`hosts` has no parameter `top`; it has none");
    check(
        "traffic",
        &[("windows", "1")],
        "`traffic` has no parameter `windows`; it has route, window_ms",
    );
    check(
        "traffic",
        &[("window_ms", "5m")],
        "parameter `window_ms` is `5m`, must be a whole number",
    );
    check("traffic", &[("route", "/a"), ("route", "/b")], "parameter `route` is given twice");
    assert!(find("no-such").is_none());
    assert_eq!(find("traffic").unwrap().params[1].kind, ParamKind::Integer);
}

#[test]
fn bound_text_is_one_literal() {
    for text in ["'", "''", "\\'", "a' OR 'b' = 'b", "x'; DROP TABLE logs --", "\\", "ñ\n\0", ":id"]
    {
        let sql = bind(find("request").unwrap(), &[("id".to_owned(), text.to_owned())]).unwrap();
        let literal = format!("'{}'", text.replace('\'', "''"));
        assert_eq!(sql.matches(&literal).count(), 2, "{sql}");
        assert!(Query::parse(&sql, &fields).unwrap().sql().contains(&literal));
    }
}
