//! The reference question with nothing around it: read, decode, group, quantiles.
//!
//! `cargo bench --bench fused -- FILE.ndjson` prints count, error rate, p50, p95 and p99 by route
//! and 5-minute window as JSON, and the seconds on standard error. `benches/reference.py` compares
//! the numbers and the CPU time with DuckDB's.

#![expect(clippy::print_stderr, reason = "a measurement speaks to who runs it")]

use std::io::Write;
use std::process::ExitCode;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use plimsoll::decode::Overrides;
use plimsoll::model::{Label, NO_STATUS, NO_TIME, SlotWidth, Wanted, Window};
use plimsoll::query::{Names, Opened, Outcome, Request, RequestLog, Requests, read};
use plimsoll::source::discover;

const WINDOW_S: u32 = 300;

fn main() -> ExitCode {
    let Some(path) = std::env::args().nth(1).filter(|word| !word.starts_with("--")) else {
        eprintln!("usage: cargo bench --bench fused -- FILE.ndjson");
        return ExitCode::from(2);
    };
    match answer(path) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{error}");
            ExitCode::from(4)
        }
    }
}

fn answer(path: String) -> Result<(), Box<dyn std::error::Error>> {
    let start = Instant::now();
    let opened = Opened::open(&discover(&[path])?, &Overrides::default())?;
    let mut wanted = Wanted::default();
    wanted.add_label(Label::Route);
    let (mut names, mut log) = (Names::with_limit(2_000), RequestLog::default());
    read(opened, &wanted, &AtomicBool::new(false), &mut |batch| {
        let events = batch.events;
        let routes = events.label(Label::Route);
        let codes: Vec<u32> = routes.names().iter().map(|name| names.id(name)).collect();
        for (row, ts_us) in events.ts_us.iter().enumerate() {
            let status = events.status.get(row).copied().unwrap_or(NO_STATUS);
            let route = routes.codes().get(row).and_then(|code| codes.get(*code as usize));
            let (Some(route), true) = (route, *ts_us != NO_TIME) else { continue };
            log.push(Request {
                ts_us: *ts_us,
                route: *route,
                version: Request::NO_VERSION,
                outcome: if status >= 500 { Outcome::ServerError } else { Outcome::Success },
                duration_ms: events.duration_ms.get(row).copied().unwrap_or(f64::NAN),
            });
        }
        true
    })?;
    let span_us = log.span_us();
    let requests = log.finish();
    let rows = span_us.map_or_else(Vec::new, |span_us| groups(&requests, &names, span_us));
    let mut out = std::io::stdout().lock();
    serde_json::to_writer(&mut out, &rows)?;
    out.flush()?;
    eprintln!("{} groups in {:.2} s", rows.len(), start.elapsed().as_secs_f64());
    Ok(())
}

fn groups(requests: &Requests, names: &Names, (first, last): (i64, i64)) -> Vec<serde_json::Value> {
    let width = SlotWidth::from_seconds(WINDOW_S).unwrap_or_else(|| SlotWidth::fitting(0.0, 1));
    let start_us = width.floor_us(first);
    let span = Window { start_us, end_us: width.floor_us(last) + width.micros() };
    let mut rows = Vec::new();
    for (route, name) in names.iter() {
        for (index, cell) in requests.by_window(Some(route), span, width).iter().enumerate() {
            if cell.n == 0 {
                continue;
            }
            let quantile = |q| cell.durations.quantile(q);
            rows.push(serde_json::json!({
                "route": name,
                "bucket": (start_us + index as i64 * width.micros()) / 1_000,
                "n": cell.n,
                "er": cell.failed as f64 / cell.n as f64,
                "p50": quantile(0.5), "p95": quantile(0.95), "p99": quantile(0.99),
            }));
        }
    }
    rows
}
