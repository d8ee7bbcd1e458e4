//! `truth.json`: what was planted, and what an exact count of the data set gives.
//!
//! Requests are counted at `proxy.timestamp`, the moment they arrive. "Before" and "after" of a
//! route are the requests answered by deployments before, and from, `split.deploy`; that is the
//! deployment which slows a route if one does.

use jiff::ToSpan;
use serde::Serialize;

use super::plan::{Plan, Span};
use super::route::{ROUTES, Route};
use super::tally::{DayTally, Durations, Share, Tally};
use super::text::{self, DAY_MS};
use super::{DemoOptions, DemoSummary, Detail, Incident};

/// The counts a caller may want to print.
pub(crate) fn summary(plan: &Plan, tally: &Tally) -> DemoSummary {
    DemoSummary {
        from_ms: plan.start_ms,
        until_ms: plan.end_ms(),
        records: tally.records,
        malformed: tally.malformed,
        log_bytes: tally.log_bytes,
        requests: tally.requests,
        status_5xx: tally.status_5xx,
        sign_in_failures: tally.sign_in_failures,
        submissions: tally.submissions,
        documents: tally.documents,
        deploys: plan.deploys.len() as u64,
        incidents: incidents(plan, tally).len() as u64,
    }
}

/// The file, indented, with a newline at its end.
pub(crate) fn json(plan: &Plan, options: &DemoOptions, tally: &Tally) -> Vec<u8> {
    let truth = Truth {
        schema: "plimsoll.truth/1",
        options: Options {
            seed: options.seed,
            first_day: options.first_day.to_string(),
            days: options.days,
            requests_per_day: options.requests_per_day,
            incident: options.incident.name(),
            detail: if options.detail == Detail::Full { "full" } else { "brief" },
            max_documents: options.max_documents,
        },
        timezone: "America/Argentina/Buenos_Aires",
        from: iso(plan.start_ms),
        until: iso(plan.end_ms()),
        split: Split {
            at: iso(plan.deployed_ms(plan.slow_deploy)),
            deploy: deploy_name(plan, plan.slow_deploy),
        },
        counts: Counts::new(tally),
        routes: ROUTES
            .iter()
            .zip(&tally.routes)
            .map(|(route, counts)| RouteTruth {
                route: route.template(),
                method: route.method,
                requests: counts.requests,
                status_5xx: counts.status_5xx,
                before: Quantiles::new(&counts.before),
                after: Quantiles::new(&counts.after),
            })
            .collect(),
        days: (0_i64..)
            .zip(plan.days.iter().zip(&tally.days))
            .map(|(n, (day, counts))| DayTruth {
                date: plan.first_day.saturating_add(n.days()).to_string(),
                kind: format!("{:?}", day.kind).to_ascii_lowercase(),
                requests: counts.requests,
                status_5xx: counts.status_5xx,
                sign_in_failures: counts.sign_in_failures,
                submissions: counts.submissions,
            })
            .collect(),
        incidents: incidents(plan, tally),
    };
    // Writing numbers and text into memory has no way to fail.
    let mut bytes = serde_json::to_vec_pretty(&truth).unwrap_or_default();
    bytes.push(b'\n');
    bytes
}

#[derive(Serialize)]
struct Truth {
    schema: &'static str,
    options: Options,
    timezone: &'static str,
    from: String,
    until: String,
    split: Split,
    counts: Counts,
    routes: Vec<RouteTruth>,
    days: Vec<DayTruth>,
    incidents: Vec<IncidentTruth>,
}

#[derive(Serialize)]
struct Options {
    seed: u64,
    first_day: String,
    days: u32,
    requests_per_day: f64,
    incident: &'static str,
    detail: &'static str,
    max_documents: u32,
}

#[derive(Serialize)]
struct Split {
    at: String,
    deploy: String,
}

#[derive(Serialize)]
struct Counts {
    records: u64,
    malformed: u64,
    log_bytes: u64,
    requests: u64,
    status_4xx: u64,
    status_5xx: u64,
    crashed: u64,
    sign_ins: u64,
    sign_in_failures: u64,
    registrations: u64,
    submissions: u64,
    revisions: u64,
    documents: u64,
    rate_limited: u64,
    sessions_expired: u64,
    exports: u64,
}

impl Counts {
    fn new(tally: &Tally) -> Self {
        Self {
            records: tally.records,
            malformed: tally.malformed,
            log_bytes: tally.log_bytes,
            requests: tally.requests,
            status_4xx: tally.status_4xx,
            status_5xx: tally.status_5xx,
            crashed: tally.crashed,
            sign_ins: tally.sign_ins,
            sign_in_failures: tally.sign_in_failures,
            registrations: tally.registrations,
            submissions: tally.submissions,
            revisions: tally.revisions,
            documents: tally.documents,
            rate_limited: tally.rate_limited,
            sessions_expired: tally.sessions_expired,
            exports: tally.exports,
        }
    }
}

#[derive(Serialize)]
struct RouteTruth {
    route: String,
    method: &'static str,
    requests: u64,
    status_5xx: u64,
    before: Quantiles,
    after: Quantiles,
}

#[derive(Serialize)]
struct Quantiles {
    n: u64,
    p50_ms: Option<f64>,
    p95_ms: Option<f64>,
}

impl Quantiles {
    fn new(durations: &Durations) -> Self {
        Self { n: durations.total, p50_ms: quantile(durations, 0.5), p95_ms: p95(durations) }
    }
}

#[derive(Serialize)]
struct DayTruth {
    date: String,
    kind: String,
    requests: u64,
    status_5xx: u64,
    sign_in_failures: u64,
    submissions: u64,
}

/// One planted incident; `before` and `after` are of `measure`, from `n_before` and `n_after`.
#[derive(Serialize)]
struct IncidentTruth {
    kind: &'static str,
    route: Option<String>,
    event: Option<&'static str>,
    from: String,
    until: Option<String>,
    deploy: Option<String>,
    measure: &'static str,
    before: Option<f64>,
    after: Option<f64>,
    n_before: u64,
    n_after: u64,
    expected_verdict: &'static str,
}

fn incidents(plan: &Plan, tally: &Tally) -> Vec<IncidentTruth> {
    let slow = plan.slow_route.and_then(|route| slow_route(plan, tally, route));
    let errors = plan.has_errors.then(|| errors(plan, tally.errors));
    let failures = plan.burst.as_ref().map(|span| failures(plan, tally, span));
    let dropped = plan.drop.as_ref().map(|span| dropped(plan, tally, span));
    [slow, errors, failures, dropped].into_iter().flatten().collect()
}

fn slow_route(plan: &Plan, tally: &Tally, route: usize) -> Option<IncidentTruth> {
    let counts = tally.routes.get(route)?;
    Some(IncidentTruth {
        kind: Incident::SlowRoute.name(),
        route: ROUTES.get(route).map(Route::template),
        event: None,
        from: iso(plan.deployed_ms(plan.slow_deploy)),
        until: None,
        deploy: Some(deploy_name(plan, plan.slow_deploy)),
        measure: "p95(duration_ms)",
        before: p95(&counts.before),
        after: p95(&counts.after),
        n_before: counts.before.total,
        n_after: counts.after.total,
        expected_verdict: "fail",
    })
}

fn errors(plan: &Plan, [before, since]: [Share; 2]) -> IncidentTruth {
    let ratio = |share: Share| (share.total > 0).then(|| share.some as f64 / share.total as f64);
    IncidentTruth {
        kind: Incident::Errors.name(),
        route: None,
        event: None,
        from: iso(plan.deployed_ms(plan.error_deploy)),
        until: None,
        deploy: Some(deploy_name(plan, plan.error_deploy)),
        measure: "share(status >= 500)",
        before: ratio(before).map(|ratio| rounded(ratio, 1e6)),
        after: ratio(since).map(|ratio| rounded(ratio, 1e6)),
        n_before: before.total,
        n_after: since.total,
        expected_verdict: "fail",
    }
}

/// Failures per hour during the burst, and at the same time of the other school days.
fn failures(plan: &Plan, tally: &Tally, span: &Span) -> IncidentTruth {
    let (from_ms, until_ms) = (span.start - plan.start_ms, span.end - plan.start_ms);
    let hours = (until_ms - from_ms) as f64 / 3_600_000.0;
    let other_days: Vec<i64> = school_days(plan).filter(|&day| day != from_ms / DAY_MS).collect();
    let n_before = other_days.iter().map(|day| (day - from_ms / DAY_MS) * DAY_MS);
    let n_before = n_before.map(|by| tally.failures_in(from_ms + by, until_ms + by)).sum::<u64>();
    let n_after = tally.failures_in(from_ms, until_ms);
    let before = n_before as f64 / hours / other_days.len().max(1) as f64;
    IncidentTruth {
        kind: Incident::SigninFailures.name(),
        route: None,
        event: Some("auth.failure"),
        from: iso(span.start),
        until: Some(iso(span.end)),
        deploy: None,
        measure: "count per hour",
        before: Some(rounded(before, 1e3)),
        after: Some(rounded(n_after as f64 / hours, 1e3)),
        n_before,
        n_after,
        expected_verdict: "fail",
    }
}

/// Reports per school day during the drop, and on the other school days.
fn dropped(plan: &Plan, tally: &Tally, span: &Span) -> IncidentTruth {
    let is_in = |day: &i64| span.contains(&(plan.start_ms + day * DAY_MS));
    let (inside, outside): (Vec<i64>, Vec<i64>) = school_days(plan).partition(is_in);
    let sum = |days: &[i64]| {
        let counts = days.iter().filter_map(|&day| tally.days.get(day as usize));
        counts.map(|day: &DayTally| day.submissions).sum::<u64>()
    };
    let per_day = |days: &[i64]| rounded(sum(days) as f64 / days.len().max(1) as f64, 1e3);
    IncidentTruth {
        kind: Incident::SubmissionsDrop.name(),
        route: None,
        event: Some("report.submitted"),
        from: iso(span.start),
        until: Some(iso(span.end)),
        deploy: None,
        measure: "count per school day",
        before: Some(per_day(&outside)),
        after: Some(per_day(&inside)),
        n_before: sum(&outside),
        n_after: sum(&inside),
        expected_verdict: "fail",
    }
}

/// Numbers of the days on which lessons are held.
fn school_days(plan: &Plan) -> impl Iterator<Item = i64> {
    (0..).zip(&plan.days).filter(|(_, day)| day.kind.is_school()).map(|(n, _)| n)
}

fn deploy_name(plan: &Plan, deploy: usize) -> String {
    plan.deploys.get(deploy).map(|deploy| deploy.name.clone()).unwrap_or_default()
}

fn p95(durations: &Durations) -> Option<f64> {
    quantile(durations, 0.95)
}

fn quantile(durations: &Durations, q: f64) -> Option<f64> {
    durations.quantile_ms(q).map(|ms| rounded(ms, 1e4))
}

fn rounded(x: f64, scale: f64) -> f64 {
    (x * scale).round() / scale
}

fn iso(ms: i64) -> String {
    let mut out = Vec::new();
    text::push_iso(&mut out, ms);
    String::from_utf8_lossy(&out).into_owned()
}
