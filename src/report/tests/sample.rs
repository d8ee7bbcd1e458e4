//! Invented reports of an invented school platform, deterministic to the last bit.

use crate::model::{
    Action, Change, Confidence, Coverage, Direction, EventMark, Example, Finding, FindingKind,
    Group, InputSummary, LinkedEvent, Method, NovelMoment, Quality, QualityNote, Report,
    RouteDetail, RouteRow, Series, Since, SlowRecord, SplitRow, TemplateRow, Tile, Unit, Verdict,
    Window, WindowCell,
};

const HOUR_US: i64 = 3_600_000_000;
/// 2026-11-09T00:00:00Z, a Monday.
const START_US: i64 = 1_794_182_400_000_000;
const HOURS: usize = 14 * 24;
/// 2026-11-18T14:11:00Z: the deploy's minute.
const CHANGE_HOUR: usize = 9 * 24 + 14;

/// Noise in −1..1 from two numbers: the same on every machine.
fn noise(seed: u64, index: usize) -> f64 {
    let mut x = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (index as u64 + 1);
    for _ in 0..3 {
        x = (x ^ (x >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        x ^= x >> 27;
    }
    (x >> 11) as f64 / (1_u64 << 52) as f64 - 1.0
}

/// Short numbers, which every JSON reader reads to the last bit.
fn rounded(value: f64, parts: f64) -> f64 {
    (value * parts).round() / parts
}

fn tenth(value: f64) -> f64 {
    rounded(value, 10.0)
}

/// Traffic of the hour: school days, mornings and evenings.
fn traffic(hour: usize) -> f64 {
    let (day, of_day) = (hour / 24 % 7, hour % 24);
    let weekday = if day < 5 { 1.0 } else { 0.25 };
    let busy = [1.0, 0.5, 0.3, 0.2, 0.1, 0.1, 0.1, 0.1, 0.2, 0.4, 1.5, 3.0, 4.0, 4.2, 4.0, 3.5];
    weekday * busy.get(of_day).copied().unwrap_or(3.0) * 40.0 + 2.0
}

fn series(seed: u64, base: f64, spread: f64, after: Option<f64>) -> Series {
    let values = (0..HOURS).map(|hour| {
        let level = if hour >= CHANGE_HOUR { after.unwrap_or(base) } else { base };
        let thin = traffic(hour) < 8.0 && noise(seed + 7, hour) > 0.3;
        (!thin).then(|| {
            let value = level * (1.0 + spread * noise(seed, hour));
            rounded(value, 1e4)
        })
    });
    Series {
        start_us: START_US,
        step_s: 3_600,
        values: values.collect(),
        n: (0..HOURS).map(|hour| traffic(hour) as u64).collect(),
        usual: Some([1.0 - spread * 0.8, 1.0 + spread * 0.8].map(|f| rounded(base * f, 1e4))),
        usual_by_window: None,
    }
}

/// Counts an hour with a daily rhythm, and its seasonal usual range.
fn rhythm(seed: u64, scale: f64, factor: impl Fn(usize) -> f64) -> Series {
    let level = |hour: usize| traffic(hour) * scale;
    Series {
        start_us: START_US,
        step_s: 3_600,
        values: (0..HOURS)
            .map(|hour| {
                let value = level(hour) * factor(hour) * (1.0 + 0.15 * noise(seed, hour));
                Some(tenth(value))
            })
            .collect(),
        n: (0..HOURS).map(|hour| level(hour) as u64).collect(),
        usual: None,
        usual_by_window: Some(
            (0..HOURS).map(|hour| [0.75, 1.25].map(|factor| tenth(level(hour) * factor))).collect(),
        ),
    }
}

fn group(parts: &[(&str, &str)]) -> Group {
    parts.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect()
}

fn texts(parts: &[&str]) -> Vec<String> {
    parts.iter().map(ToString::to_string).collect()
}

fn option(id: &str, title: &str, expected: &str, risk: &str, verify: &[&str]) -> Action {
    Action {
        id: id.to_owned(),
        title: title.to_owned(),
        expected: expected.to_owned(),
        risk: risk.to_owned(),
        reversible: risk != "high",
        effort: if risk == "low" { "small" } else { "medium" }.to_owned(),
        evidence: "68 % of slow requests came from v1.42.0, which served 25 % of all".to_owned(),
        verify: texts(verify),
    }
}

fn options() -> Vec<Action> {
    let verify = ["plimsoll", "compare", "app.jsonl", "--at", "2026-11-18T14:11:00Z"];
    vec![
        option("O1", "Roll back v1.42.0", "p95 near 406 ms again within 10 min", "low", &verify),
        option("O2", "Fix forward", "the same, but slow until it ships", "medium", &verify),
        option(
            "O3",
            "Do nothing",
            "p95 stays near 759 ms; the objective is missed on Friday",
            "medium",
            &["plimsoll", "report", "app.jsonl"],
        ),
    ]
}

fn finding(id: &str, kind: FindingKind, what: &[(&str, &str)], values: [f64; 2]) -> Finding {
    let (metric, unit) = match kind {
        FindingKind::Latency => ("p95(duration_ms)", Unit::Ms),
        FindingKind::ErrorRate => ("share(status >= 500)", Unit::Ratio),
        FindingKind::NewMessage => ("count()", Unit::Count),
        FindingKind::EventRise | FindingKind::EventDrop => ("rate(event)", Unit::PerHour),
    };
    let [before, after] = values;
    Finding {
        id: id.to_owned(),
        kind,
        verdict: Verdict::Fail,
        metric: metric.to_owned(),
        group: group(what),
        change: Change {
            before,
            after,
            unit,
            direction: Direction::UpIsWorse,
            n: [5_594, 1_847],
            change_pct: (before > 0.0).then(|| tenth((after / before - 1.0) * 100.0)),
            interval: None,
            level: 0.98,
            week_over_week: None,
        },
        since: Some(Since {
            at: "2026-11-18T14:11:00Z".to_owned(),
            earliest: "2026-11-18T14:08:00Z".to_owned(),
            latest: "2026-11-18T14:28:00Z".to_owned(),
        }),
        until: None,
        linked_event: None,
        confidence: Confidence::High,
        confidence_why: "the whole interval lies beyond the tolerated 10 %".to_owned(),
        also_moved: Vec::new(),
        options: options(),
        series: Series::default(),
        examples: vec![Example {
            input: "logs/app.jsonl".to_owned(),
            offset: 18_204_411,
            text: r#"{"level":50,"time":1794953478120,"msg":"request completed","req":{"method":"GET","url":"/api/search?q=algebra"},"res":{"statusCode":200},"responseTime":1184}"#.to_owned(),
        }],
    }
}

fn search_slowdown() -> Finding {
    let what = [("method", "GET"), ("route", "/api/search")];
    let mut finding = finding("F1", FindingKind::Latency, &what, [406.0, 759.0]);
    finding.change.interval = Some([74.0, 97.0]);
    finding.change.week_over_week = Some([409.0, 688.0]);
    finding.linked_event = Some(LinkedEvent {
        kind: "deploy".to_owned(),
        name: "v1.42.0".to_owned(),
        at: "2026-11-18T14:12:00Z".to_owned(),
        lag_s: -20.0,
        is_during: false,
    });
    finding.also_moved = texts(&["F2"]);
    finding.series = series(1, 406.0, 0.09, Some(759.0));
    finding
}

fn more_failures() -> Finding {
    let mut finding = finding("F2", FindingKind::ErrorRate, &[], [0.006_9, 0.013_3]);
    finding.change.interval = Some([0.5, 0.8]);
    finding.also_moved = texts(&["F1"]);
    finding.linked_event.clone_from(&search_slowdown().linked_event);
    finding.series = series(2, 0.006_9, 0.35, Some(0.013_3));
    finding
}

fn sign_in_burst() -> Finding {
    let what = [("event", "auth.failure")];
    let mut finding = finding("F3", FindingKind::EventRise, &what, [3.1, 212.0]);
    finding.verdict = Verdict::Warn;
    finding.confidence = Confidence::Medium;
    finding.confidence_why = "one burst, from 3 client addresses".to_owned();
    finding.since = Some(Since {
        at: "2026-11-20T02:10:00Z".to_owned(),
        earliest: "2026-11-20T02:05:00Z".to_owned(),
        latest: "2026-11-20T02:15:00Z".to_owned(),
    });
    finding.until = Some("2026-11-20T05:00:00Z".to_owned());
    finding.series = rhythm(3, 0.03, |hour| if (266..269).contains(&hour) { 900.0 } else { 1.0 });
    finding
}

fn fewer_submissions() -> Finding {
    let what = [("event", "report.submitted")];
    let mut finding = finding("F4", FindingKind::EventDrop, &what, [96.0, 41.0]);
    finding.verdict = Verdict::Warn;
    finding.change.direction = Direction::DownIsWorse;
    finding.change.interval = Some([-66.0, -48.0]);
    finding.confidence = Confidence::Low;
    finding.confidence_why = "the exam week is near and may explain it".to_owned();
    finding.series = rhythm(4, 0.9, |hour| if hour >= CHANGE_HOUR { 0.43 } else { 1.0 });
    finding
}

fn events() -> Vec<EventMark> {
    let event = |kind: &str, name: &str, hours: f64, until: Option<f64>| {
        let at = |hours: f64| START_US + (hours * HOUR_US as f64) as i64;
        EventMark {
            kind: kind.to_owned(),
            name: name.to_owned(),
            at_us: at(hours),
            until_us: until.map(at),
            origin: "file".to_owned(),
        }
    };
    vec![
        event("deploy", "v1.41.0", 38.5, None),
        event("deploy", "v1.42.0", CHANGE_HOUR as f64 + 0.2, None),
        event("exam", "mid-term", 264.0, Some(336.0)),
    ]
}

fn tile(name: &str, unit: Unit, values: [f64; 2], series: Series) -> Tile {
    let [before, value] = values;
    Tile {
        name: name.to_owned(),
        value: Some(value),
        unit,
        before: Some(before),
        usual: series.usual,
        direction: Direction::UpIsWorse,
        verdict: Verdict::Pass,
        note: String::new(),
        series,
    }
}

fn tiles(bad: bool) -> Vec<Tile> {
    let after = |value: f64| bad.then_some(value);
    let mut requests = tile("Requests", Unit::Count, [30_112.0, 29_888.0], rhythm(5, 1.0, |_| 1.0));
    requests.direction = Direction::Neutral;
    requests.usual = Some([28_100.0, 31_900.0]);
    let p95 = if bad { 688.0 } else { 409.0 };
    let mut latency =
        tile("p95 of key routes", Unit::Ms, [406.0, p95], series(1, 406.0, 0.09, after(759.0)));
    let errors = if bad { 0.013_3 } else { 0.006_7 };
    let mut failed = tile(
        "Failed requests",
        Unit::Ratio,
        [0.006_9, errors],
        series(2, 0.006_9, 0.35, after(0.013_3)),
    );
    let left = if bad { 0.18 } else { 0.71 };
    let mut budget =
        tile("Error budget left", Unit::Ratio, [0.71, left], series(6, left, 0.05, None));
    budget.direction = Direction::DownIsWorse;
    budget.usual = None;
    budget.note = "objective 99.5 % over 28 days".to_owned();
    if bad {
        latency.verdict = Verdict::Fail;
        failed.verdict = Verdict::Fail;
        budget.verdict = Verdict::Warn;
    }
    vec![requests, latency, failed, budget]
}

fn row(index: usize, route: &str, values: [f64; 2], verdict: Verdict) -> RouteRow {
    let [before, now] = values;
    let change_pct = tenth((now / before - 1.0) * 100.0);
    let after = (verdict > Verdict::Inconclusive).then_some(now);
    let n = (6_000 / (index as u64 + 1)).max(31);
    RouteRow {
        route: route.to_owned(),
        anchor: format!("r-{:08x}", (index as u32 + 1).wrapping_mul(0x9e37_79b9)),
        verdict,
        before_ms: Some(before),
        now_ms: Some(now),
        change_pct: Some(change_pct),
        interval_pct: Some([tenth(change_pct - 6.0), tenth(change_pct + 7.0)]),
        n: [n + 12, n],
        errors: [n / 140, n / 90],
        sparkline: series(index as u64 + 40, before, 0.12, after),
        thin: n < 200,
        error_ratio: [Some(0.006_9), Some(rounded(0.007_1 + index as f64 * 1e-4, 1e4))],
    }
}

fn routes(bad: bool, count: usize) -> Vec<RouteRow> {
    const PLACES: [&str; 10] = [
        "courses",
        "students/{id}",
        "reports",
        "sessions",
        "calendar",
        "messages/{id}/replies",
        "grades",
        "subjects/{id}/weeks/{n}",
        "uploads",
        "search/suggest",
    ];
    let mut rows = Vec::new();
    if bad {
        rows.push(row(0, "GET /api/search", [406.0, 759.0], Verdict::Fail));
        rows.push(row(1, "POST /api/weekly-reports", [188.0, 214.0], Verdict::Warn));
        rows.push(row(
            60,
            "GET /api/admin/exports/{id}",
            [2_310.0, 2_940.0],
            Verdict::Inconclusive,
        ));
    }
    for index in rows.len()..count {
        let place = PLACES[index % PLACES.len()];
        let method = ["GET", "POST", "PUT"][index / PLACES.len() % 3];
        let route = format!("{method} /api/v{}/{place}", 1 + index / 30);
        let base = 40.0 + 37.0 * (index % 11) as f64;
        let now = tenth(base * (1.0 + 0.02 * noise(9, index)));
        rows.push(row(index, &route, [base, now], Verdict::Pass));
    }
    rows
}

fn detail(row: &RouteRow, seed: u64) -> RouteDetail {
    let sparkline = &row.sparkline;
    let windows = sparkline.values.iter().enumerate().map(|(hour, p95)| WindowCell {
        start_us: START_US + hour as i64 * HOUR_US,
        n: sparkline.n[hour],
        errors: sparkline.n[hour] / 140,
        error_ratio: 0.007,
        p50_ms: p95.map(|p95| (p95 * 41.0).round() / 100.0),
        p95_ms: *p95,
        p99_ms: p95.map(|p95| (p95 * 150.0 + 20.0 * noise(seed, hour)).round() / 100.0),
    });
    let bell = |middle: f64| -> Vec<f64> {
        let weights: Vec<f64> =
            (0..20).map(|bin| (-(f64::from(bin) - middle).powi(2) / 9.0).exp()).collect();
        let sum: f64 = weights.iter().sum();
        weights.iter().map(|weight| rounded(weight / sum, 1e4)).collect()
    };
    RouteDetail {
        route: row.route.clone(),
        anchor: row.anchor.clone(),
        windows: windows.collect(),
        histogram_bounds_ms: (0..=20).map(|bin| tenth(20.0 * 1.3_f64.powi(bin))).collect(),
        histogram: [bell(8.0), bell(if row.verdict == Verdict::Fail { 11.0 } else { 8.1 })],
        splits: vec![
            SplitRow {
                field: "version".to_owned(),
                value: "v1.41.0".to_owned(),
                n: [5_594, 1_410],
                p95_ms: [Some(406.0), Some(409.0)],
                error_ratio: [Some(0.006_9), Some(0.007)],
            },
            SplitRow {
                field: "version".to_owned(),
                value: "v1.42.0".to_owned(),
                n: [0, 1_847],
                p95_ms: [None, Some(759.0)],
                error_ratio: [None, Some(0.019)],
            },
        ],
        slowest: (0..5)
            .map(|index| SlowRecord {
                ts: format!("2026-11-19T1{index}:24:31Z"),
                duration_ms: 4_210.0 - 183.0 * f64::from(index),
                status: Some(if index == 2 { 504 } else { 200 }),
                id: Some(format!("req-7f3a{index}c")),
                at: Example {
                    input: "logs/app.jsonl".to_owned(),
                    offset: 20_411_020 + 77_000 * index as u64,
                    text: String::new(),
                },
            })
            .collect(),
    }
}

fn quality() -> Quality {
    let note =
        |kind: &str, text: &str| QualityNote { kind: kind.to_owned(), text: text.to_owned() };
    Quality {
        records: 60_012,
        events: 60_000,
        rejected: 12,
        reject_reasons: vec![("not JSON".to_owned(), 11), ("too long".to_owned(), 1)],
        reject_examples: vec![Example {
            input: "logs/app.jsonl".to_owned(),
            offset: 4_411,
            text: "npm WARN deprecated har-validator@5.1.5".to_owned(),
        }],
        no_time: 0,
        out_of_order: 3,
        requests: 60_000,
        inputs: vec![InputSummary {
            more_files: 0,
            name: "logs/app.jsonl".to_owned(),
            format: "JSON lines (pino)".to_owned(),
            bytes: 24_112_401,
            records: 60_012,
            rejected: 12,
            fields: [
                ("time", "time"),
                ("duration", "responseTime (ms)"),
                ("route", "req.url"),
                ("status", "res.statusCode"),
                ("version", "release"),
            ]
            .map(|(role, field)| (role.to_owned(), field.to_owned()))
            .to_vec(),
            sha256: Some(
                "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08".to_owned(),
            ),
        }],
        notes: vec![
            note("guess", "responseTime is taken as milliseconds, because pino writes them."),
            note("thin", "3 routes have fewer than 200 requests and are not judged by p95."),
            note("gap", "No records between Sun 15 Nov 03:00 and 05:00 UTC."),
        ],
    }
}

fn method() -> Method {
    Method {
        version: "0.1.0".to_owned(),
        percentiles: "exact".to_owned(),
        window_s: 3_600,
        notes: texts(&[
            "A change counts when the whole 98 % interval lies beyond ±10 %.",
            "Change points by E-divisive means, 199 permutations, corrected over all tests.",
        ]),
        settings: vec![
            ("tolerance".to_owned(), "10 %".to_owned()),
            ("duration".to_owned(), "responseTime (ms)".to_owned()),
        ],
    }
}

fn base(bad: bool, route_count: usize) -> Report {
    let week = |from: i64, to: i64| Window {
        start_us: START_US + from * 168 * HOUR_US,
        end_us: START_US + to * 168 * HOUR_US,
    };
    let routes = routes(bad, route_count);
    Report {
        inputs: vec!["logs".to_owned()],
        schema: "plimsoll.report/1".to_owned(),
        project: "intellego".to_owned(),
        week: "2026-W47".to_owned(),
        zone: "America/Argentina/Buenos_Aires".to_owned(),
        now: "2026-11-22T23:59:41Z".to_owned(),
        span: week(0, 2),
        current: week(1, 2),
        before: Some(week(0, 1)),
        verdict: Verdict::Pass,
        headline: Vec::new(),
        coverage: Coverage { tested: 24, changed: 0, unchanged: 24, inconclusive: 0 },
        tiles: tiles(bad),
        findings: Vec::new(),
        events: events(),
        details: routes.iter().take(8).map(|row| detail(row, 5)).collect(),
        look_here: vec![NovelMoment {
            metric: "p95(duration_ms)".to_owned(),
            at: "2026-11-18T14:15:00Z".to_owned(),
            value: 1_204.0,
            unit: Unit::Ms,
            reason: "new maximum".to_owned(),
            score: 0.31,
        }],
        templates: vec![TemplateRow {
            template: "pool timeout after {num} ms".to_owned(),
            severity: "ERROR".to_owned(),
            n: [0, 1_204],
            first_seen: "2026-11-18T14:13:07Z".to_owned(),
            new: true,
        }],
        routes,
        quality: quality(),
        method: method(),
        untrusted_text_fields: texts(&["routes[].route", "findings[].examples"]),
    }
}

fn with_headline(mut report: Report) -> Report {
    report.headline = super::headline(&report);
    report
}

/// A deploy made one route slow and requests fail; a burst of sign-ins; fewer submissions.
pub(crate) fn action_needed() -> Report {
    let mut report = base(true, 14);
    report.verdict = Verdict::Fail;
    report.findings =
        vec![search_slowdown(), more_failures(), sign_in_burst(), fewer_submissions()];
    report.coverage = Coverage { tested: 24, changed: 4, unchanged: 19, inconclusive: 1 };
    with_headline(report)
}

/// Nothing changed.
pub(crate) fn healthy() -> Report {
    let mut report = base(false, 12);
    report.zone = "UTC".to_owned();
    with_headline(report)
}

/// An hour of data and nothing before it.
pub(crate) fn cannot_tell() -> Report {
    let mut report = base(false, 2);
    report.verdict = Verdict::Inconclusive;
    report.coverage = Coverage { tested: 3, changed: 0, unchanged: 0, inconclusive: 3 };
    report.span = Window { start_us: START_US, end_us: START_US + HOUR_US };
    report.current = report.span;
    report.before = None;
    report.events.clear();
    report.details.clear();
    report.templates.clear();
    for tile in &mut report.tiles {
        tile.before = None;
        tile.usual = None;
        tile.verdict = Verdict::Inconclusive;
        tile.series =
            Series { values: vec![Some(1.0)], n: vec![4], step_s: 3_600, ..Series::default() };
    }
    report.tiles[1].value = None;
    report.tiles[1].note = "only 41 durations, 200 are needed".to_owned();
    for row in &mut report.routes {
        row.verdict = Verdict::Inconclusive;
        row.before_ms = None;
        row.change_pct = None;
        row.interval_pct = None;
        row.thin = true;
        row.n = [0, 41];
        row.error_ratio = [None, Some(0.0)];
        row.sparkline = Series::default();
    }
    with_headline(report)
}

/// No data at all.
pub(crate) fn empty() -> Report {
    let mut report = cannot_tell();
    report.coverage = Coverage::default();
    report.tiles.clear();
    report.routes.clear();
    report.quality = Quality::default();
    report.span = Window { start_us: 0, end_us: 0 };
    report.current = report.span;
    with_headline(report)
}

/// Fifty routes with all the series a real report has, and eight findings.
pub(crate) fn fifty_routes() -> Report {
    let mut report = base(true, 50);
    report.verdict = Verdict::Fail;
    report.findings =
        vec![search_slowdown(), more_failures(), sign_in_burst(), fewer_submissions()];
    for index in 5..9_u64 {
        let mut more = search_slowdown();
        more.id = format!("F{index}");
        more.verdict = Verdict::Warn;
        more.also_moved = texts(&["F1"]);
        more.group = group(&[("route", &format!("GET /api/v1/subjects/{{id}}/weeks/{index}"))]);
        more.series = series(index, 200.0, 0.1, Some(231.0));
        (more.change.before, more.change.after) = (200.0, 231.0);
        (more.change.change_pct, more.change.interval) = (Some(15.5), Some([11.2, 20.1]));
        more.change.week_over_week = Some([201.0, 224.0]);
        report.findings.push(more);
    }
    report.coverage = Coverage { tested: 112, changed: 8, unchanged: 101, inconclusive: 3 };
    with_headline(report)
}

/// Attack text in every field that can hold text.
pub(crate) fn hostile() -> Report {
    let mut report = action_needed();
    let json = serde_json::to_value(&report).unwrap();
    let poisoned = poison(json, "");
    let times = report.clone();
    report = serde_json::from_value(poisoned).unwrap();
    // Some findings keep a time, so that charts are drawn under attack as well.
    for (finding, kept) in report.findings.iter_mut().zip(times.findings).take(2) {
        finding.since = kept.since;
        finding.also_moved = texts(&["F2"]);
    }
    for (index, finding) in report.findings.iter_mut().enumerate() {
        finding.id = format!("F{}", index + 1);
    }
    report.headline = super::headline(&report);
    report
}

const ATTACK: &str = "</script></title><img src=x onerror=window.X=1>\"'><svg onload=alert(1)>\u{202e}|\n::error::x\u{1b}]0;t\u{7}\u{9b}31m `@team` [a](http://evil.example) {{7*7}} \u{2028}&lt;";

/// Replaces all text, except the words of closed vocabularies and the ids that link parts.
fn poison(value: serde_json::Value, key: &str) -> serde_json::Value {
    use serde_json::Value;
    const CLOSED: [&str; 6] = ["verdict", "kind", "unit", "direction", "confidence", "anchor"];
    match value {
        Value::String(text) if CLOSED.contains(&key) && !text.contains(' ') => Value::String(text),
        Value::String(_) => Value::String(ATTACK.to_owned()),
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|item| poison(item, key)).collect())
        }
        Value::Object(fields) if key == "group" => {
            let poisoned =
                fields.into_iter().map(|(name, _)| (name, Value::String(ATTACK.to_owned())));
            let mut poisoned: serde_json::Map<String, Value> = poisoned.collect();
            poisoned.insert(ATTACK.to_owned(), Value::String(ATTACK.to_owned()));
            Value::Object(poisoned)
        }
        Value::Object(fields) => Value::Object(
            fields
                .into_iter()
                .map(|(k, v)| {
                    let p = poison(v, &k);
                    (k, p)
                })
                .collect(),
        ),
        other => other,
    }
}
