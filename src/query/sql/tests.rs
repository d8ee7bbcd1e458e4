use super::{FieldType, Limits, Query, SqlError};
use crate::model::{EventBatch, Label, Severity, Text, Wanted};
use crate::query::table::{Table, TextLayout};

/// Fields of the synthetic log that are not canonical.
fn fields(path: &str) -> FieldType {
    match path {
        "region" | "user.id" => FieldType::Text,
        "http.bytes" => FieldType::Integer,
        "load" => FieldType::Number,
        "cached" => FieldType::Bool,
        _ => FieldType::Unknown(
            ["region", "user.id", "http.bytes", "load", "cached"].map(str::to_owned).to_vec(),
        ),
    }
}

const T0_US: i64 = 1_731_024_000_000_000; // 2024-11-08T00:00:00Z

/// A few batches of what a service logs, by arithmetic alone.
fn batches(wanted: &Wanted) -> Vec<EventBatch> {
    (0..3)
        .map(|part| {
            let mut batch = EventBatch::default();
            batch.extras.resize_with(wanted.extras.len(), Default::default);
            for row in part * 100..(part + 1) * 100_i64 {
                push_event(&mut batch, wanted, row);
            }
            batch
        })
        .collect()
}

fn push_event(batch: &mut EventBatch, wanted: &Wanted, row: i64) {
    batch.len += 1;
    batch.ts_us.push(T0_US + row * 7_000_000);
    batch.severity.push(if row % 10 == 0 { Severity::ERROR } else { Severity::INFO });
    batch.status.push(if row % 10 == 0 { 500 } else { 200 });
    batch.duration_ms.push(if row % 50 == 49 { f64::NAN } else { (row * 37 % 101) as f64 / 4.0 });
    batch.offset.push(row as u64 * 300);
    for &label in &wanted.labels {
        let name = match label {
            Label::Route => Some(["/a", "/b", "/orders/{id}"][(row % 3) as usize]),
            Label::Service => Some("api"),
            _ => None,
        };
        batch.label_mut(label).push_option(name);
    }
    for &text in &wanted.texts {
        let value = format!("{} {row}", text.name());
        batch.text_mut(text).push_option((text != Text::User).then_some(value.as_str()));
    }
    for (path, column) in wanted.extras.iter().zip(&mut batch.extras) {
        match path.as_str() {
            "region" => column.push(["eu", "us"][(row % 2) as usize]),
            "http.bytes" => column.push(&(row * 1_000).to_string()),
            "load" => column.push(if row == 5 { "n/a" } else { "0.5" }),
            "cached" => column.push(if row % 4 == 0 { "true" } else { "false" }),
            _ => column.push_null(),
        }
    }
}

fn run_with(sql: &str, limits: Limits) -> Result<Table, SqlError> {
    let query = Query::parse(sql, &fields)?;
    let batches = batches(query.wanted());
    let mut run = query.into_run(limits);
    run.set_source("app");
    for batch in &batches {
        run.push(batch)?;
    }
    run.finish()
}

fn run(sql: &str) -> String {
    match run_with(sql, Limits::default()) {
        Ok(table) => table.to_text(TextLayout { max_rows: 6, ..TextLayout::default() }),
        Err(error) => format!("error: {error}\n"),
    }
}

#[test]
fn scratch() {
    for sql in [
        "SELECT route, ts_ms - ts_ms % 300000 AS bucket, COUNT(*) AS n, AVG(CASE WHEN status >= 500 THEN 1.0 ELSE 0.0 END) AS err, quantile_cont(duration_ms, 0.5) AS p50, quantile_cont(duration_ms, 0.95) AS p95 FROM logs GROUP BY route, ts_ms - ts_ms % 300000 ORDER BY 1,2",
        "SELECT COUNT(*) FROM logs",
        "SELECT * FROM logs LIMIT 3",
        "select Route, count(*) N, p95(duration_ms), p99_9(duration_ms) from LOGS group by route order by n desc",
        "SELECT region, SUM(http.bytes) AS bytes FROM logs GROUP BY region",
        "SELECT l.region, l.http.bytes AS b FROM logs AS l WHERE l.cached AND l.http.bytes > 250000",
        "SELECT load, COUNT(*) FROM logs GROUP BY load",
        "SELECT ts, date, severity, severity_number, source, _off FROM logs WHERE status = 500 LIMIT 2",
        "SELECT regoin FROM logs",
        "SELECT date, COUNT(*) AS n FROM logs WHERE date >= '2024-11-08' GROUP BY date",
        "SELECT COUNT(*) AS n FROM logs WHERE ts >= '2024-11-08T00:10:00' AND ts < TIMESTAMP '2024-11-08 00:20:00'",
        "WITH w AS (SELECT route, COUNT(*) AS n FROM logs GROUP BY route) SELECT route, n, n / t.total AS share FROM w CROSS JOIN (SELECT SUM(n) AS total FROM w) AS t ORDER BY n DESC",
        "SELECT route, n, LAG(n) OVER (ORDER BY route) AS before FROM (SELECT route, COUNT(*) AS n FROM logs GROUP BY route) AS c ORDER BY route",
        "SELECT COUNT(DISTINCT route) AS r, COUNT(*) FILTER (WHERE status >= 500) AS bad FROM logs",
        "SELECT a.route FROM logs AS a UNION ALL SELECT b.message FROM logs AS b ORDER BY 1 LIMIT 4",
        "SELECT SUM(duration_ms) AS s, AVG(duration_ms) AS a, MAX(duration_ms) AS m, COUNT(duration_ms) AS n, p95(duration_ms) AS p FROM logs WHERE status = 7",
        "SELECT DISTINCT route FROM logs",
        "SELECT EXTRACT(minute FROM ts) AS minute, COUNT(*) AS n FROM logs GROUP BY EXTRACT(minute FROM ts) ORDER BY n DESC",
        "SELECT route FROM logs WHERE route IN (SELECT route FROM logs WHERE status = 500) LIMIT 2",
        "SELECT message FROM logs WHERE message LIKE '%99' ORDER BY duration_ms DESC LIMIT 3",
        "SELECT split_part(message, ' ', 2) AS x, message ~ '9$' AS y FROM logs LIMIT 2",
        "SELECT user, COUNT(*) FROM logs GROUP BY ALL",
        "SELECT route, status FROM logs ORDER BY ALL LIMIT 2",
    ] {
        println!("--- {sql}\n    {:?}\n{}", Query::parse(sql, &fields).map(|q| q.sql().to_owned()), run(sql));
    }
}
#[test]
fn scratch2() {
    for sql in [
        "SELECT SUM(duration_ms) AS s FROM logs WHERE status = 7",
        "SELECT COUNT(duration_ms) AS s FROM logs WHERE status = 7",
        "SELECT AVG(duration_ms) AS s FROM logs WHERE status = 7",
        "SELECT MAX(duration_ms) AS s FROM logs WHERE status = 7",
        "SELECT COUNT(*) AS s FROM logs WHERE status = 7",
        "SELECT p95(duration_ms) AS s FROM logs WHERE status = 7",
        "SELECT p95(duration_ms) AS s, COUNT(*) AS n FROM logs WHERE status = 7",
        "SELECT SUM(duration_ms) AS s, AVG(duration_ms) AS a, MAX(duration_ms) AS m, COUNT(duration_ms) AS n, p95(duration_ms) AS p FROM logs WHERE status = 7",
    ] {
        println!("--- {sql}\n    {:?}\n{}", Query::parse(sql, &fields).map(|q| q.sql().to_owned()), run(sql));
    }
    for c in crate::frame::Column::all() {
        let n = c.name();
        for sql in [format!("SELECT {n}, COUNT(*) AS n FROM logs WHERE {n} IS NOT NULL GROUP BY {n} ORDER BY {n} LIMIT 1"), format!("SELECT l.{n} FROM logs AS l LIMIT 1"), format!("SELECT ts_ms AS z, {n}, status AS y FROM logs LIMIT 1")] {
        if let Err(e) = run_with(&sql, Limits::default()) { println!("{sql}: {e}"); }
        }
    }
}
