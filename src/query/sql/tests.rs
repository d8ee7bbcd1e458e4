use std::time::Duration;

use super::{FieldType, Limits, Query, SqlError};
use crate::frame::Column;
use crate::model::{EventBatch, Label, Severity, Text, Wanted};
use crate::query::table::{Table, TextLayout};

/// Fields of the synthetic log that are not canonical.
pub(super) fn fields(path: &str) -> FieldType {
    match path {
        "region" | "user.id" | "userId" => FieldType::Text,
        "http.bytes" => FieldType::Integer,
        "load" => FieldType::Number,
        "cached" => FieldType::Bool,
        _ => FieldType::Unknown(
            ["region", "user.id", "http.bytes", "load", "cached"].map(str::to_owned).to_vec(),
        ),
    }
}

const T0_US: i64 = 1_731_024_000_000_000; // 2024-11-08T00:00:00Z
const ROUTES: [&str; 3] = ["/a", "/b", "/orders/{id}"];

/// 300 events in three batches, by arithmetic alone.
fn batches(wanted: &Wanted) -> Vec<EventBatch> {
    (0..3)
        .map(|part| {
            let mut batch = EventBatch::default();
            batch.extras.resize_with(wanted.extras.len(), Default::default);
            for row in part * 100..(part + 1) * 100 {
                push_event(&mut batch, wanted, row);
            }
            batch
        })
        .collect()
}

fn push_event(batch: &mut EventBatch, wanted: &Wanted, row: usize) {
    batch.len += 1;
    batch.ts_us.push(T0_US + row as i64 * 7_000_000);
    batch.severity.push(if row.is_multiple_of(10) { Severity::ERROR } else { Severity::INFO });
    batch.status.push(if row.is_multiple_of(10) { 500 } else { 200 });
    batch.duration_ms.push(if row % 50 == 49 { f64::NAN } else { (row * 37 % 101) as f64 / 4.0 });
    batch.offset.push(row as u64 * 300);
    for &label in &wanted.labels {
        let name = match label {
            Label::Route => Some(ROUTES[row % 3]),
            Label::Service => Some("api"),
            _ => None,
        };
        batch.label_mut(label).push_option(name);
    }
    for &text in &wanted.texts {
        let value = format!("{} {row}", text.name());
        batch.text_mut(text).push_option((text != Text::TraceId).then_some(value.as_str()));
    }
    for (path, column) in wanted.extras.iter().zip(&mut batch.extras) {
        match path.as_str() {
            "region" => column.push(["eu", "us"][row % 2]),
            "http.bytes" => column.push(&(row * 1_000).to_string()),
            "load" => column.push(if row == 5 { "n/a" } else { "0.5" }),
            "cached" => column.push(if row.is_multiple_of(4) { "true" } else { "false" }),
            _ => column.push_null(),
        }
    }
}

pub(super) fn run_with(sql: &str, limits: Limits) -> Result<Table, SqlError> {
    let query = Query::parse(sql, &fields)?;
    let batches = batches(query.wanted());
    let mut run = query.into_run(limits);
    run.set_source("app");
    for batch in &batches {
        run.push(batch)?;
    }
    run.finish()
}

/// The result as text, the same by the engine alone (in memory, from files, and part by part) and
/// folded (all groups, some of them, and with values in files).
pub(super) fn run(sql: &str) -> String {
    let folded = Limits::default();
    let in_memory = Limits { folded_groups: 0, ..folded };
    let limits = [
        in_memory,
        Limits { frame_bytes: 1, ..in_memory },
        Limits { part_rows: 20, ..in_memory },
        folded,
        Limits { folded_groups: 3, part_rows: 20, ..folded },
        Limits { held_values: 7, ..folded },
    ];
    let texts = limits.map(|limits| match run_with(sql, limits) {
        Ok(table) => table.to_text(TextLayout { max_rows: 4, ..TextLayout::default() }),
        Err(error) => format!("error: {error}\n"),
    });
    for text in &texts {
        assert_eq!(*text, texts[0], "{sql}");
    }
    texts[0].clone()
}

fn parse_error(sql: &str) -> String {
    Query::parse(sql, &fields).expect_err(sql).to_string()
}

#[test]
fn groups_quantiles_and_shares() {
    insta::assert_snapshot!(run("SELECT route, ts_ms - ts_ms % 300000 AS bucket, COUNT(*) AS n, \
        AVG(CASE WHEN status >= 500 THEN 1.0 ELSE 0.0 END) AS err, p95(duration_ms) FROM logs \
        GROUP BY route, ts_ms - ts_ms % 300000 ORDER BY 1, 2"), @r"
    route         bucket   n        err  p95(duration_ms)
    /a     1731024000000  15   0.133333             23.25
    /a     1731024300000  14  0.0714286            23.125
    /a     1731024600000  14   0.142857             24.35
    /a     1731024900000  15  0.0666667             22.25
    … 17 more rows
    ");
    insta::assert_snapshot!(run("WITH w AS (SELECT route, COUNT(*) AS n FROM logs GROUP BY route) \
        SELECT route, n / t.total AS share FROM w CROSS JOIN (SELECT SUM(n) AS total FROM w) AS t \
        WHERE n < t.total ORDER BY share DESC"), @r"
    route            share
    /a            0.333333
    /b            0.333333
    /orders/{id}  0.333333
    ");
    // A route with fewer than another: differences of counts are negative, not 2^32 − n.
    insta::assert_snapshot!(run("SELECT route, COUNT(*) FILTER (WHERE status >= 500) - COUNT(*) \
        AS less FROM logs GROUP BY route"), @r"
    route         less
    /a             -90
    /b             -90
    /orders/{id}   -90
    ");
}

#[test]
fn names_are_canonical_columns_own_names_and_fields() {
    insta::assert_snapshot!(run("select Route, count(*) N from LOGS group by route order by n desc"),
        @r"
    route           N
    /a            100
    /b            100
    /orders/{id}  100
    ");
    insta::assert_snapshot!(run("SELECT region, SUM(http.bytes) AS bytes FROM logs GROUP BY region"),
        @r"
    region     bytes
    eu      22350000
    us      22500000
    ");
    insta::assert_snapshot!(run("SELECT l.region, l.http.bytes AS b, \"user.id\" AS u FROM logs AS l \
        WHERE l.cached AND l.http.bytes > 250000"), @r"
    region       b  u
    eu      252000
    eu      256000
    eu      260000
    eu      264000
    … 8 more rows
    ");
    insta::assert_snapshot!(run("SELECT ts, date, severity, severity_number, source, _off, user \
        FROM logs WHERE status = 500 LIMIT 2"), @r"
    ts                    date        severity  severity_number  source  _off  user
    2024-11-08T00:00:00Z  2024-11-08  ERROR                  17  app        0  user 0
    2024-11-08T00:01:10Z  2024-11-08  ERROR                  17  app     3000  user 10
    ");
    // An alias that is also a field: both are there, scopes decide.
    insta::assert_snapshot!(run("SELECT UPPER(region) AS region, COUNT(*) AS n FROM logs \
        GROUP BY UPPER(region) ORDER BY region"), @r"
    region    n
    EU      150
    US      150
    ");
}

#[test]
fn no_rows_are_an_answer() {
    insta::assert_snapshot!(run("SELECT SUM(duration_ms) AS s, COUNT(*) AS n, p95(duration_ms) AS p \
        FROM logs WHERE status = 7 ORDER BY 1"), @r"
    s  n  p
       0
    ");
    insta::assert_snapshot!(run("SELECT route FROM logs WHERE status = 7"), @r"
    route
    (no rows)
    ");
    let query =
        Query::parse("SELECT route, p50(duration_ms) AS p FROM logs GROUP BY route", &fields);
    let table = query.unwrap().into_run(Limits::default()).finish().unwrap(); // no batch at all
    assert_eq!((table.rows, table.columns.len()), (0, 2));
}

#[test]
fn every_canonical_column_can_be_selected_filtered_and_grouped() {
    for column in Column::all() {
        let name = column.name();
        for sql in [
            format!(
                "SELECT {name}, COUNT(*) AS n FROM logs WHERE {name} IS NOT NULL GROUP BY {name}"
            ),
            format!("SELECT status AS before, {name}, l.{name} AS again FROM logs AS l LIMIT 1"),
        ] {
            let table = run_with(&sql, Limits::default());
            assert!(table.is_ok(), "{sql}: {table:?}");
        }
    }
}

#[test]
fn only_what_is_named_is_decoded() {
    let check = |sql: &str, labels: &[Label], texts: &[Text], extras: &[&str]| {
        let query = Query::parse(sql, &fields).unwrap();
        let wanted = query.wanted();
        assert_eq!((&*wanted.labels, &*wanted.texts), (labels, texts), "{sql}");
        assert_eq!(wanted.extras, extras, "{sql}");
    };
    check("SELECT COUNT(*) FROM logs", &[], &[], &[]);
    check("SELECT MAX(duration_ms) FROM logs WHERE status = 200", &[], &[], &[]);
    check("SELECT ROUTE FROM logs WHERE message LIKE 'x%'", &[Label::Route], &[Text::Message], &[]);
    check("SELECT load, http.bytes, load FROM logs", &[], &[], &["load", "http.bytes"]);
    check("SELECT n FROM (SELECT COUNT(*) AS n FROM logs) AS c", &[], &[], &[]);
    // `*` of a subquery is not `*` of `logs`.
    check("SELECT * FROM (SELECT route FROM logs) AS c", &[Label::Route], &[], &[]);
    let star = Query::parse("SELECT * FROM logs", &fields).unwrap();
    assert!(star.wanted().texts.contains(&Text::Message));
    assert!(!star.wanted().texts.contains(&Text::Body)); // the record again, as read
}

#[test]
fn values_of_another_type_are_missing_and_counted() {
    let table = run_with("SELECT COUNT(load) AS n FROM logs", Limits::default()).unwrap();
    assert_eq!(table.cell(0, "n"), crate::query::table::Cell::Int(299));
    assert_eq!(table.notes, ["`load`: 1 values of another type were taken as missing"]);
}

#[test]
fn a_limit_without_order_needs_no_more_batches() {
    let check = |sql: &str, batches_read: usize| {
        let query = Query::parse(sql, &fields).unwrap();
        let batches = batches(query.wanted());
        let mut run = query.into_run(Limits::default());
        let read = batches.iter().take_while(|batch| {
            let is_full = run.is_full();
            if !is_full {
                run.push(batch).unwrap();
            }
            !is_full
        });
        assert_eq!(read.count(), batches_read, "{sql}");
    };
    check("SELECT route FROM logs LIMIT 100", 1);
    check("SELECT route FROM logs LIMIT 100 OFFSET 1", 2);
    check("SELECT route FROM logs WHERE status = 500 LIMIT 11", 2); // ten in each batch
    check("SELECT route FROM logs ORDER BY route LIMIT 1", 3);
    check("SELECT COUNT(*) FROM logs LIMIT 1", 3);
    check("SELECT DISTINCT route FROM logs LIMIT 1", 3);
    check("SELECT LAG(status) OVER (ORDER BY ts) AS s FROM logs LIMIT 1", 3);
    check("SELECT route FROM logs", 3);
}

#[test]
fn equal_rows_come_in_the_same_order_every_time() {
    let sql = "SELECT route, status, COUNT(*) AS n FROM logs GROUP BY route, status ORDER BY n";
    let first = run(sql);
    for _ in 0..5 {
        assert_eq!(run(sql), first);
    }
}

#[test]
fn text_literals_come_back_as_they_were() {
    // sqlparser's own writer makes `'\''` end early, so that what follows would be SQL.
    for literal in [r"'\'''", r"'a\'' UNION'", "''''", "'a''''b'", r"'\\'", "'--'", "'/*'", "'ñ\n'"]
    {
        let sql = format!("SELECT COUNT(*) AS n FROM logs WHERE message = {literal}");
        let written = Query::parse(&sql, &fields).unwrap().sql().to_owned();
        assert!(written.ends_with(&format!("= {literal}")), "{literal} became {written}");
        assert!(run(&sql).starts_with("n\n0"), "{sql}");
    }
}

#[test]
fn mistakes_are_explained() {
    let check = |sql: &str, words: &[&str]| {
        let message = parse_error(sql);
        assert!(words.iter().all(|word| message.contains(word)), "{sql}: {message}");
    };
    check("SELECT regoin FROM logs", &["`regoin`", "line 1, column 8", "did you mean `region`?"]);
    check("SELECT\n  statsu FROM logs", &["line 2, column 3", "`status`"]);
    check("SELECT bytes FROM logs", &["`http.bytes`"]); // the end of a path
    check("SELECT qantile_cont(load, 0.5) FROM logs", &["no function", "`quantile_cont`"]);
    check("SELECT 1 FROM lags", &["no table `lags`", "line 1, column 15"]);
    check("SELECT route FROM logs WHERE route = :route", &["parameter `:route`"]);
    check("SELECT (SELECT MAX(status) FROM logs) FROM logs", &["CROSS JOIN"]);
    check("SELEC route FROM logs", &["not SQL"]);
    check("SELECT route FROM logs WHERE", &["not SQL"]);
    check("SELECT \"rou\"\"te\" FROM logs", &["quote", "`attrs`"]);
    check("", &["0 statements"]);
    check("SELECT 1 FROM logs; SELECT 2 FROM logs", &["2 statements"]);
}

#[test]
fn hostile_queries_are_refused_before_anything_runs() {
    let or_bomb = format!("SELECT 1 FROM logs WHERE {}", "status=1 OR ".repeat(900));
    let crosses = |n: usize| {
        let more: Vec<_> = (1..n).map(|i| format!(" CROSS JOIN logs AS l{i}")).collect();
        format!("SELECT COUNT(*) FROM logs AS l0{}", more.concat())
    };
    let doubling: Vec<_> = (1..9)
        .map(|i| format!(", t{i} AS (SELECT * FROM t{0} UNION ALL SELECT * FROM t{0})", i - 1))
        .collect();
    for sql in [
        // Files and other tables.
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM read_parquet('/var/**')",
        "SELECT * FROM read_json('/etc/passwd')",
        "SELECT * FROM read_ipc('x')",
        "SELECT * FROM TABLE(read_csv('/etc/passwd'))",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM \"/etc/passwd\"",
        "SELECT * FROM `/etc/passwd`",
        "SELECT * FROM logs.csv",
        "SELECT * FROM main.logs",
        "SELECT * FROM logs, '/etc/passwd'",
        "SELECT * FROM logs JOIN read_csv('/etc/passwd') AS p ON p.a = logs.route",
        "SELECT route FROM logs WHERE route IN (SELECT a FROM read_csv('/etc/passwd'))",
        "SELECT route FROM logs WHERE EXISTS (SELECT 1 FROM secrets)",
        "WITH x AS (SELECT * FROM read_csv('/etc/passwd')) SELECT 1 FROM logs",
        "WITH \"/etc/passwd\" AS (SELECT 1 AS a FROM logs) SELECT * FROM \"/etc/passwd\"",
        "WITH logs AS (SELECT 1 AS a FROM logs) SELECT * FROM logs",
        "WITH RECURSIVE x AS (SELECT 1 AS a FROM logs UNION ALL SELECT a FROM x) SELECT a FROM x",
        "SELECT route FROM logs UNION SELECT a FROM read_csv('/etc/passwd')",
        "SELECT read_csv('/etc/passwd') FROM logs",
        "SELECT COLUMNS('.*') FROM logs",
        "SELECT * FROM UNNEST([1, 2])",
        "SELECT * FROM LATERAL (SELECT 1) AS x",
        // Not a query.
        "CREATE TABLE x AS SELECT 1",
        "DROP TABLE logs",
        "DELETE FROM logs",
        "TRUNCATE TABLE logs",
        "INSERT INTO logs SELECT * FROM logs",
        "UPDATE logs SET status = 1",
        "COPY logs TO '/tmp/x'",
        "EXPLAIN SELECT 1 FROM logs",
        "SHOW TABLES",
        "SET x = 1",
        "ATTACH 'x' AS y",
        "PRAGMA x",
        "SELECT 1 FROM logs; DROP TABLE logs",
        "TABLE logs",
        "VALUES (1)",
        "SELECT * INTO x FROM logs",
        "SELECT * FROM logs FOR UPDATE",
        // Clauses and functions out of the list.
        "SELECT TOP 1 route FROM logs",
        "SELECT route FROM logs LIMIT 1 BY route",
        "SELECT route FROM logs FETCH FIRST 1 ROWS ONLY",
        "SELECT route FROM logs LIMIT (SELECT 1)",
        "SELECT route FROM logs LIMIT -1",
        "SELECT route FROM logs TABLESAMPLE (10)",
        "SELECT DISTINCT ON (route) route FROM logs",
        "SELECT route FROM logs GROUP BY ROLLUP (route)",
        "SELECT route FROM logs NATURAL JOIN logs AS b",
        "SELECT route FROM logs JOIN logs AS b",
        "SELECT * REPLACE (1 AS route) FROM logs",
        "SELECT CURRENT_TIMESTAMP FROM logs",
        "SELECT NOW() FROM logs",
        "SELECT RANDOM() FROM logs",
        "SELECT LPAD(route, 1000000000, 'x') FROM logs",
        "SELECT REPLACE(route, 'a', 'aaaa') FROM logs",
        "SELECT ARRAY[1] FROM logs",
        "SELECT {'a': 1} FROM logs",
        "SELECT CAST(route AS BLOB) FROM logs",
        "SELECT CAST(1 AS DECIMAL(99, 99)) FROM logs",
        "SELECT attrs -> 'x' FROM logs",
        "SELECT route[1] FROM logs",
        "SELECT X'41' FROM logs",
        "SELECT $1 FROM logs",
        "SELECT ? FROM logs",
        // Size and depth.
        &"x".repeat(17 * 1024),
        &format!("SELECT {}1{} FROM logs", "(".repeat(5_000), ")".repeat(5_000)),
        &format!("SELECT {}1 FROM logs", "NOT ".repeat(3_000)),
        &format!("SELECT {}1 FROM logs", "- ".repeat(900)),
        &format!("SELECT {} FROM logs", vec!["status"; 600].join(" + ")),
        &format!("SELECT {}1{} FROM logs", "CASE WHEN true THEN ".repeat(200), " END".repeat(200)),
        &or_bomb,
        // Rows that multiply.
        &crosses(6),
        &crosses(2),
        "SELECT COUNT(*) FROM logs AS a, logs AS b",
        "SELECT COUNT(*) FROM (SELECT 1 AS x FROM logs LIMIT 999999999) AS a, logs AS b, logs AS c",
        &format!(
            "WITH t0 AS (SELECT route FROM logs){} SELECT COUNT(*) FROM t8",
            doubling.concat()
        ),
        &format!("SELECT 1 FROM logs{}", " JOIN logs AS x ON x.route = logs.route".repeat(16)),
    ] {
        let result = Query::parse(sql, &fields);
        let start: String = sql.chars().take(80).collect();
        assert!(result.is_err(), "{start} became {:?}", result.map(|query| query.sql().to_owned()));
    }
    assert!(run("SELECT COUNT(*) AS n FROM logs").starts_with("  n\n300")); // a good one still works
}

#[test]
fn limits_stop_what_the_text_cannot_show() {
    let check = |sql: &str, limits: Limits, words: &str| {
        let message = run_with(sql, limits).expect_err(sql).to_string();
        assert!(message.contains(words), "{sql}: {message}");
    };
    let limits = Limits::default();
    let few = Limits { rows: 299, ..limits };
    check("SELECT route FROM logs", few, "300 rows, at most 299");
    assert!(run_with("SELECT route FROM logs LIMIT 299", few).is_ok()); // exactly at the bound
    let count = "SELECT COUNT(*) AS n FROM logs";
    check(count, Limits { time: Duration::ZERO, ..limits }, "no result after 0 s");
    let tight = Limits { frame_bytes: 1, spill_bytes: 100, ..limits };
    check("SELECT message FROM logs", tight, "100 bytes of temporary files");
}

#[test]
fn a_quantile_of_a_group_key_is_the_key() {
    for sql in [
        "SELECT status, quantile_cont(status, 0.5) AS a, COUNT(DISTINCT route) AS g FROM logs GROUP BY status",
        "SELECT status, MEDIAN(status) AS a, COUNT(DISTINCT route) AS g FROM logs GROUP BY 1",
        "SELECT status, p90(logs.status) AS a, 3 AS g FROM logs GROUP BY status",
    ] {
        let text = run(sql);
        let rows: Vec<&str> = text.lines().map(str::trim).collect();
        assert_eq!(rows, ["status    a  g", "200  200  3", "500  500  3"], "{sql}");
    }
}

#[test]
fn what_follows_end_is_not_left_unread() {
    for sql in ["SELECT 'x' END", "SELECT route FROM logs END nonsense"] {
        let message = Query::parse(sql, &fields).expect_err(sql).to_string();
        assert!(message.contains("Expected: end of statement, found: END"), "{message}");
    }
}

#[test]
fn a_column_of_quoted_text_has_a_name_without_quotes() {
    for sql in ["SELECT 'x' FROM logs", r"SELECT route = '\' FROM logs", "SELECT 'it''s' FROM logs"]
    {
        let query = Query::parse(sql, &fields).expect(sql);
        let again = Query::parse(query.sql(), &fields);
        assert!(again.is_ok(), "{}: {:?}", query.sql(), again.err());
    }
}

proptest::proptest! {
    /// Whatever the text, it is refused or it parses to itself; it never panics.
    #[test]
    fn any_text_is_refused_or_stable(words in proptest::collection::vec(
        proptest::sample::select(vec![
            "SELECT", "route", "FROM", "logs", "WHERE", "status", "=", "500", "(", ")", ",", "*",
            "GROUP BY", "ORDER BY", "COUNT(*)", "'x'", "'\\''", "--", ";", "AS", "n", "p95(", "WITH",
            "UNION ALL", "LIMIT", "1", "JOIN", "ON", "\"a\"", "AND", "NOT", "CASE", "WHEN", "END",
        ]),
        1..24,
    )) {
        let tail = words.join(" ");
        for sql in [tail.clone(), format!("SELECT route FROM logs WHERE {tail}")] {
            if let Ok(query) = Query::parse(&sql, &fields) {
                let again = Query::parse(query.sql(), &fields);
                proptest::prop_assert!(again.is_ok(), "{} from {}", query.sql(), sql);
            }
        }
    }
}

#[test]
fn an_aggregate_that_only_sorts_is_of_the_rows_and_not_shown() {
    // Bytes grow from row to row, and routes take turns.
    insta::assert_snapshot!(run("SELECT route FROM logs GROUP BY route \
        ORDER BY quantile_cont(http.bytes, 0.5) DESC"), @"
    route
    /orders/{id}
    /b
    /a
    ");
    insta::assert_snapshot!(run("SELECT route AS r, COUNT(*) AS n FROM logs GROUP BY r \
        ORDER BY -SUM(http.bytes) / n, MAX(ts) LIMIT 2"), @"
    r               n
    /orders/{id}  100
    /b            100
    ");
    let regions = "SELECT region FROM logs WHERE region = 'eu' OR ts_ms % 3 = 0 GROUP BY region";
    insta::assert_snapshot!(run(&format!("{regions} ORDER BY COUNT(*)")), @"
    region
    us
    eu
    ");
    insta::assert_snapshot!(run(&format!("{regions} ORDER BY count(*) DESC")), @"
    region
    eu
    us
    ");
    insta::assert_snapshot!(run("WITH w AS (SELECT route, COUNT(*) AS n FROM logs GROUP BY route \
        ORDER BY COUNT(*) DESC, 1 LIMIT 1) SELECT n FROM w"), @"
      n
    100
    ");
    for sql in [
        "SELECT route FROM (SELECT route FROM logs GROUP BY 1 ORDER BY COUNT(*) LIMIT 1) AS t",
        "SELECT DISTINCT route FROM logs GROUP BY route ORDER BY COUNT(*)", // rows would differ
        "SELECT route FROM logs ORDER BY COUNT(*)",
        "SELECT route FROM logs UNION ALL SELECT route FROM logs ORDER BY COUNT(*)",
    ] {
        insta::allow_duplicates!(insta::assert_snapshot!(
            parse_error(sql).replace(|c: char| c.is_ascii_digit(), "0"), @"
        `ORDER BY COUNT(*)` without selecting it is not allowed at line 0, column 00; select it with a name, and order by the name
        "));
    }
}

#[test]
fn times_are_compared_with_and_without_a_zone() {
    let count = |condition: &str| run(&format!("SELECT COUNT(*) AS n FROM logs WHERE {condition}"));
    // Events are 7 s apart: 52 of the 300 before six minutes are over.
    for condition in [
        "ts < '2024-11-08T00:06:00Z'",
        "ts < '2024-11-08 03:06:00+03:00'",
        "'2024-11-07T21:06:00-03:00' > logs.TS",
        "ts BETWEEN '2024-11-08T00:00:00Z' AND '2024-11-08T00:06:00'",
        "ts < TIMESTAMP '2024-11-08T00:06:00Z'",
        "ts < CAST('2024-11-08T00:06:00Z' AS TIMESTAMP) AND date = DATE '2024-11-08'",
        "CASE WHEN (ts < ('2024-11-08T00:06:00Z')) THEN 1 ELSE 0 END = 1",
        "ts < '2024-11-08T00:06:00Z' AND date IN ('2024-11-08', '1999-01-01') AND date <= '2024-11-08'",
    ] {
        assert_eq!(count(condition), " n\n52\n", "{condition}");
    }
    assert_eq!(count("date NOT IN ('2024-11-08', '2024-11-09')"), "n\n0\n");
    assert_eq!(count("ts IN ('2024-11-08T00:00:07Z', '2024-11-08T00:00:08')"), "n\n1\n");
    insta::assert_snapshot!(count("ts > 'yesterday'"), @"
    error: a time is compared with a text that is no time; write one such as `'2025-11-17T03:00:00Z'`, or a day such as `DATE '2025-11-17'`
    ");
}

#[test]
fn no_text_is_left_for_the_engine_to_cast_to_a_day() {
    let sql = |sql: &str| Query::parse(sql, &fields).expect(sql).sql().to_owned();
    for day in ["DATE '2024-11-08'", "CAST('2024-11-08' AS DATE)"] {
        let sql = sql(&format!("SELECT COUNT(*) AS n FROM logs WHERE date = {day}"));
        assert!(sql.ends_with("\"date\" = CAST(TIMESTAMP '2024-11-08T00:00:00' AS DATE)"), "{sql}");
    }
}
