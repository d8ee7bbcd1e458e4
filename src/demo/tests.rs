//! Tests that read the data set back as a stranger would: with a JSON parser, counting afresh.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::fmt::Write as _;
use std::{fs, io};

use jiff::civil::{Date, date};
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::*;

/// Keeps everything in memory.
#[derive(Default)]
struct Memory {
    logs: BTreeMap<Date, Vec<u8>>,
    documents: BTreeMap<String, Vec<u8>>,
}

impl Sink for Memory {
    fn log(&mut self, day: Date, bytes: &[u8]) -> io::Result<()> {
        let last = self.logs.last_key_value().map(|(day, _)| *day);
        assert!(last <= Some(day), "days come in order");
        self.logs.entry(day).or_default().extend_from_slice(bytes);
        Ok(())
    }

    fn document(&mut self, path: &str, bytes: &[u8]) -> io::Result<()> {
        assert!(self.documents.insert(path.to_owned(), bytes.to_vec()).is_none(), "{path} is new");
        Ok(())
    }
}

/// A data set read back.
struct DataSet {
    memory: Memory,
    truth: Value,
    summary: DemoSummary,
    records: Vec<Value>,
    malformed: u64,
}

fn generate(options: &DemoOptions) -> DataSet {
    let mut memory = Memory::default();
    let (summary, truth) = stream_to(&mut memory, options).unwrap();
    let truth = serde_json::from_slice(&truth).unwrap();
    let (mut records, mut malformed) = (Vec::new(), 0);
    for line in memory.logs.values().flat_map(|bytes| std::str::from_utf8(bytes).unwrap().lines()) {
        match serde_json::from_str(line) {
            Ok(record) => records.push(record),
            Err(_) => malformed += 1,
        }
    }
    DataSet { memory, truth, summary, records, malformed }
}

/// Busy enough that every incident stands out, small enough for a debug build.
fn busy(incident: Incident) -> DemoOptions {
    DemoOptions { seed: 3, requests_per_day: 1_500.0, incident, ..DemoOptions::default() }
}

/// One request, put together from its records.
#[derive(Default)]
struct Seen {
    start_ms: i64,
    route: String,
    status: i64,
    deployment: String,
    duration_ms: Option<f64>,
    texts: String,
}

fn requests(set: &DataSet) -> HashMap<String, Seen> {
    let mut requests: HashMap<String, Seen> = HashMap::new();
    for record in &set.records {
        let Some(id) = record["requestId"].as_str() else { continue };
        let seen = requests.entry(id.to_owned()).or_default();
        seen.start_ms = record["proxy"]["timestamp"].as_i64().unwrap();
        seen.route = masked(record["path"].as_str().unwrap());
        seen.status = record["statusCode"].as_i64().unwrap();
        record["deploymentId"].as_str().unwrap().clone_into(&mut seen.deployment);
        let text = record["message"].as_str().unwrap_or_default();
        if let Some((_, rest)) = text.split_once("\tDuration: ") {
            seen.duration_ms = Some(rest.split_once(" ms").unwrap().0.parse().unwrap());
        } else if let Some((_, rest)) = text.rsplit_once(" in ") {
            let whole_ms = rest.strip_suffix("ms").and_then(|ms| ms.parse().ok());
            seen.duration_ms = seen.duration_ms.or(whole_ms);
        }
        writeln!(seen.texts, "{text}").unwrap();
    }
    requests
}

fn masked(path: &str) -> String {
    let mask = |part: &str| match part {
        part if part.len() == 36 => "{id}".to_owned(),
        part if !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit()) => "{id}".to_owned(),
        part => part.to_owned(),
    };
    path.split('/').map(mask).collect::<Vec<_>>().join("/")
}

fn ms(iso: &Value) -> i64 {
    iso.as_str().unwrap().parse::<jiff::Timestamp>().unwrap().as_millisecond()
}

/// Type 7, from the definition.
fn quantile(mut values: Vec<f64>, q: f64) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    let rank = q * values.len().checked_sub(1)? as f64;
    let (low, high) = (values[rank.floor() as usize], values[rank.ceil() as usize]);
    Some(low + (high - low) * rank.fract())
}

fn assert_close(got: &Value, expected: Option<f64>, what: &str) {
    match (got.as_f64(), expected) {
        (None, None) => {}
        (Some(got), Some(expected)) if (got - expected).abs() < 1e-3 => {}
        _ => panic!("{what}: truth {got}, recount {expected:?}"),
    }
}

fn incident<'a>(truth: &'a Value, kind: &str) -> &'a Value {
    truth["incidents"].as_array().unwrap().iter().find(|it| it["kind"] == kind).unwrap()
}

/// Truth against a count of what can be read in the records.
fn check_truth(options: &DemoOptions) {
    let set = generate(options);
    let (truth, counts) = (&set.truth, &set.truth["counts"]);
    let requests = requests(&set);
    let count = |is: &dyn Fn(&Seen) -> bool| requests.values().filter(|seen| is(seen)).count();
    let says = |text: &'static str| count(&|seen| seen.texts.contains(text));

    assert_eq!(truth["schema"], "plimsoll.truth/1");
    let log_bytes: usize = set.memory.logs.values().map(Vec::len).sum();
    for (key, recount) in [
        ("records", set.records.len()),
        ("malformed", set.malformed as usize),
        ("log_bytes", log_bytes),
        ("requests", requests.len()),
        ("status_4xx", count(&|seen| (400..500).contains(&seen.status))),
        ("status_5xx", count(&|seen| (500..600).contains(&seen.status))),
        ("crashed", count(&|seen| seen.status == -1)),
        ("sign_ins", says("LOGIN_SUCCESS")),
        ("sign_in_failures", says("LOGIN_FAILED")),
        ("registrations", says("USER_REGISTERED")),
        ("submissions", says("report.submitted")),
        ("documents", set.memory.documents.len()),
        ("rate_limited", says("RATE_LIMIT_EXCEEDED")),
        ("sessions_expired", says("SESSION_EXPIRED")),
        ("exports", says("[EXPORT]")),
    ] {
        assert_eq!(counts[key].as_u64(), Some(recount as u64), "{key}");
    }
    assert_eq!(set.summary.requests, requests.len() as u64);
    assert_eq!(set.summary.malformed, set.malformed);

    let split_ms = ms(&truth["split"]["at"]);
    for route in truth["routes"].as_array().unwrap() {
        let of_route = || requests.values().filter(|seen| route["route"] == seen.route.as_str());
        let name = route["route"].as_str().unwrap();
        assert_eq!(route["requests"].as_u64(), Some(of_route().count() as u64), "{name}");
        for (side, is_before) in [("before", true), ("after", false)] {
            let on_side = of_route().filter(|seen| (seen.start_ms < split_ms) == is_before);
            let durations: Vec<f64> = on_side.filter_map(|seen| seen.duration_ms).collect();
            assert_eq!(route[side]["n"].as_u64(), Some(durations.len() as u64), "{name} {side}");
            assert_close(&route[side]["p50_ms"], quantile(durations.clone(), 0.5), name);
            assert_close(&route[side]["p95_ms"], quantile(durations, 0.95), name);
        }
    }
    check_incidents(truth, &requests);
    let local_day = |ms: i64| (ms - set.summary.from_ms) / 86_400_000;
    for (n, day) in (0..).zip(truth["days"].as_array().unwrap()) {
        let on_day = |text: &'static str| {
            count(&|seen| local_day(seen.start_ms) == n && seen.texts.contains(text)) as u64
        };
        assert_eq!(day["requests"].as_u64(), Some(on_day("")), "{day}");
        assert_eq!(day["submissions"].as_u64(), Some(on_day("report.submitted")), "{day}");
        assert_eq!(day["sign_in_failures"].as_u64(), Some(on_day("LOGIN_FAILED")), "{day}");
    }
}

/// The `n` and the errors' ratios of the incidents, from the times they name.
fn check_incidents(truth: &Value, requests: &HashMap<String, Seen>) {
    for it in truth["incidents"].as_array().unwrap() {
        let from_ms = ms(&it["from"]);
        let until_ms = if it["until"].is_null() { i64::MAX } else { ms(&it["until"]) };
        let (text, route) = match it["kind"].as_str().unwrap() {
            "signin-failures" => ("LOGIN_FAILED", None),
            "submissions-drop" => ("report.submitted", None),
            _ => ("", it["route"].as_str()),
        };
        let seen = |is_after: bool| {
            requests
                .values()
                .filter(|seen| (from_ms..until_ms).contains(&seen.start_ms) == is_after)
                .filter(|seen| seen.texts.contains(text))
                .filter(|seen| route.is_none_or(|route| route == seen.route))
                .collect::<Vec<_>>()
        };
        assert_eq!(it["n_after"].as_u64(), Some(seen(true).len() as u64), "{it}");
        if it["kind"] == "errors" {
            for (side, seen) in [("before", seen(false)), ("after", seen(true))] {
                let bad = seen.iter().filter(|seen| (500..600).contains(&seen.status)).count();
                let ratio = (!seen.is_empty()).then(|| bad as f64 / seen.len() as f64);
                assert_close(&it[side], ratio, side);
            }
        }
    }
}

#[test]
fn truth_is_what_a_stranger_counts() {
    check_truth(&busy(Incident::All));
    check_truth(&busy(Incident::None)); // split without an incident
    check_truth(&DemoOptions { detail: Detail::Brief, ..busy(Incident::All) });
    let few = DemoOptions { requests_per_day: 1.0, days: 8, ..busy(Incident::All) };
    check_truth(&few); // routes and sides without any request
    let capped = DemoOptions { max_documents: 3, days: 1, ..busy(Incident::None) };
    check_truth(&capped);
}

#[test]
fn records_are_in_time_order_with_ids_of_their_own_and_days_in_their_files() {
    let set = generate(&busy(Incident::All));
    let times: Vec<i64> = set.records.iter().map(|r| r["timestamp"].as_i64().unwrap()).collect();
    assert!(times.is_sorted());
    let ids: HashSet<&str> = set.records.iter().map(|r| r["id"].as_str().unwrap()).collect();
    assert_eq!(ids.len(), set.records.len());
    assert_eq!(set.memory.logs.len(), 14);
    let (last, bytes) = set.memory.logs.last_key_value().unwrap();
    assert_eq!(*last, date(2026, 11, 21));
    let first_line = bytes.split(|&b| b == b'\n').next().unwrap();
    let record: Value = serde_json::from_slice(first_line).unwrap();
    assert!(record["timestamp"].as_i64().unwrap() >= set.summary.until_ms - 86_400_000);
}

#[test]
fn malformed_lines_are_one_in_five_thousand() {
    let set = generate(&busy(Incident::All));
    let expected = set.records.len() as u64 / 5_000;
    assert!((expected..=expected + 1).contains(&set.malformed), "{}", set.malformed);
}

#[test]
fn equal_options_give_equal_bytes() {
    let hash = |options: &DemoOptions| {
        let mut memory = Memory::default();
        let (_, truth) = stream_to(&mut memory, options).unwrap();
        let mut sha = Sha256::new();
        memory.logs.values().for_each(|bytes| sha.update(bytes));
        memory.documents.iter().for_each(|(path, bytes)| {
            sha.update(path);
            sha.update(bytes);
        });
        sha.update(truth);
        let hex = |byte: u8| format!("{byte:02x}");
        sha.finalize().iter().take(8).map(|&byte| hex(byte)).collect::<String>()
    };
    let options = DemoOptions { requests_per_day: 100.0, ..busy(Incident::All) };
    assert_eq!(hash(&options), hash(&options));
    assert_ne!(hash(&options), hash(&DemoOptions { seed: 4, ..options.clone() }));
    // Equal on every machine too. A change of this line changes every data set: say so in the log.
    insta::assert_snapshot!(hash(&options), @"9efdd598a71305fe");
}

#[test]
fn traffic_follows_day_week_and_calendar() {
    let set = generate(&busy(Incident::None));
    let days = set.truth["days"].as_array().unwrap();
    let mean = |kind: &str| {
        let of_kind: Vec<f64> = days
            .iter()
            .filter(|day| day["kind"] == kind)
            .map(|day| day["requests"].as_f64().unwrap())
            .collect();
        of_kind.iter().sum::<f64>() / of_kind.len() as f64
    };
    assert!(mean("school") > 3.0 * mean("weekend"));
    assert!(mean("school") > 3.0 * mean("holiday")); // there is one, and it is quiet
    assert!(mean("exam") > mean("school")); // there is one, and it is not
    let mut hours = [0_u32; 24];
    for seen in requests(&set).values() {
        hours[((seen.start_ms - set.summary.from_ms) / 3_600_000 % 24) as usize] += 1;
    }
    assert!(hours[10] > 15 * hours[3], "{hours:?}");
    let crons: Vec<i64> = set
        .records
        .iter()
        .filter(|r| r["path"] == "/api/cron/weekly-reminders")
        .filter(|r| r["type"] == "delimiter")
        .map(|r| r["timestamp"].as_i64().unwrap())
        .collect();
    let monday_at_nine = "2026-11-09T12:00:00Z".parse::<jiff::Timestamp>().unwrap();
    assert_eq!(crons.first(), Some(&monday_at_nine.as_millisecond()));
    assert_eq!(crons.len(), 2);
}

/// Which of the four things stand out in a data set.
fn visible(options: &DemoOptions) -> [bool; 4] {
    let set = generate(options);
    let list = set.truth["incidents"].as_array().unwrap();
    let change = |kind: &str| {
        let found = list.iter().find(|it| it["kind"] == kind)?;
        assert!(ms(&found["from"]) >= set.summary.until_ms - 6 * 86_400_000, "{found}");
        Some(found["after"].as_f64()? / found["before"].as_f64()?.max(0.1))
    };
    assert_eq!(set.summary.incidents, list.len() as u64);
    [
        change("slow-route").is_some_and(|ratio| (1.4..2.4).contains(&ratio)),
        list.iter().find(|it| it["kind"] == "errors").is_some_and(|it| {
            let ratio = it["after"].as_f64().unwrap() / it["before"].as_f64().unwrap();
            (2.0..8.0).contains(&ratio)
        }),
        change("signin-failures").is_some_and(|ratio| ratio > 8.0),
        change("submissions-drop").is_some_and(|ratio| ratio <= 0.4),
    ]
}

#[test]
fn each_incident_is_visible_and_comes_alone() {
    for (incident, expected) in [
        (Incident::None, [false; 4]),
        (Incident::SlowRoute, [true, false, false, false]),
        (Incident::Errors, [false, true, false, false]),
        (Incident::SigninFailures, [false, false, true, false]),
        (Incident::SubmissionsDrop, [false, false, false, true]),
        (Incident::All, [true; 4]),
    ] {
        assert_eq!(visible(&busy(incident)), expected, "{incident}");
    }
    for seed in 0..8 {
        let brief = DemoOptions { seed, detail: Detail::Brief, ..busy(Incident::All) };
        assert_eq!(visible(&brief), [true; 4], "seed {seed}");
    }
}

#[test]
fn nothing_drifts_without_an_incident() {
    let options = DemoOptions { requests_per_day: 6_000.0, ..busy(Incident::None) };
    let set = generate(&DemoOptions { detail: Detail::Brief, ..options });
    for route in set.truth["routes"].as_array().unwrap() {
        let [before, after] = ["before", "after"].map(|side| &route[side]);
        let p50_ms = [before, after].map(|side| side["p50_ms"].as_f64().unwrap_or_default());
        // Whole milliseconds are too coarse for the quickest routes.
        if after["n"].as_u64() > Some(1_000) && p50_ms[0] > 30.0 {
            let ratio = p50_ms[1] / p50_ms[0];
            assert!((0.94..1.06).contains(&ratio), "{route}");
        }
    }
    let texts: Vec<&str> = set.records.iter().filter_map(|r| r["message"].as_str()).collect();
    assert!(!texts.iter().any(|text| text.contains("Esperando conexión")));
    assert!(!texts.iter().any(|text| text.contains("'division'")));
}

#[test]
fn a_slow_route_and_new_errors_say_so_only_after_their_deployment() {
    let set = generate(&busy(Incident::All));
    for (kind, text) in [("slow-route", "Esperando conexión"), ("errors", "'division'")] {
        let from_ms = ms(&incident(&set.truth, kind)["from"]);
        let seen = requests(&set);
        let saying: Vec<&Seen> = seen.values().filter(|s| s.texts.contains(text)).collect();
        assert!(saying.len() > 20, "{kind}: {}", saying.len());
        assert!(saying.iter().all(|seen| seen.start_ms >= from_ms), "{kind}");
    }
}

#[test]
fn documents_are_the_reports_of_the_log_in_both_shapes() {
    let set = generate(&busy(Incident::All));
    let mut logged: Vec<String> = set
        .records
        .iter()
        .filter_map(|record| record["message"].as_str()?.split_once("report.submitted ")?.1.into())
        .map(|text| text.rsplit_once(" - ").unwrap().1.to_owned())
        .collect();
    let mut written: Vec<String> = set
        .memory
        .documents
        .values()
        .map(|bytes| serde_json::from_slice::<Value>(bytes).unwrap())
        .map(|document| {
            let newer = &document["academicPeriod"]["submittedAt"];
            newer.as_str().or(document["submittedAt"].as_str()).unwrap().to_owned()
        })
        .collect();
    logged.sort();
    written.sort();
    assert_eq!(logged, written);
}

#[test]
fn the_first_campus_writes_the_older_shape() {
    let set = generate(&busy(Incident::All));
    let (path, bytes) = set.memory.documents.first_key_value().unwrap();
    insta::assert_snapshot!(path, @"data/student-reports/sede-centro/3/A/biologia/1097_ana-quiroga/2026-11-09_biologia_reporte.json");
    insta::assert_snapshot!(indented(bytes), @r#"
    {
      "student": {
        "id": 1097,
        "name": "Ana Quiroga",
        "email": "ana.quiroga@example.test"
      },
      "academic": {
        "sede": "Sede Centro",
        "year": 3,
        "division": "A",
        "subject": "Biología"
      },
      "week": {
        "start": "2026-11-09",
        "end": "2026-11-15"
      },
      "submittedAt": "2026-11-13T21:13:53.734Z",
      "answers": {
        "q1": "Leímos el capítulo 4 y armamos un resumen.",
        "q2": "Pude ayudar a otros",
        "q3": "Ninguna",
        "q4": 3,
        "q5": ""
      }
    }
    "#);
}

#[test]
fn the_other_campus_writes_the_newer_shape() {
    let set = generate(&busy(Incident::All));
    let (path, bytes) = set.memory.documents.last_key_value().unwrap();
    insta::assert_snapshot!(path, @"data/student-reports/sede-norte/5/B/quimica/1144_zoe-ferreyra/2026-11-02_quimica_reporte.json");
    insta::assert_snapshot!(indented(bytes), @r#"
    {
      "metadata": {
        "id": "f22f2ad5-80a5-45cf-8205-ffcdc10f5e18",
        "studentId": 1144,
        "studentName": "Zoe Ferreyra",
        "email": "zoe.ferreyra@example.test",
        "sede": "Sede Norte",
        "academicYear": 5,
        "division": "B",
        "subject": "Química",
        "syncedAt": "2026-11-08T13:58:55.856Z",
        "version": "2.0"
      },
      "academicPeriod": {
        "weekStart": "2026-11-02",
        "weekEnd": "2026-11-08",
        "submittedAt": "2026-11-08T13:58:15.856Z"
      },
      "integrity": {
        "recordCount": 5,
        "checksum": "4193ec066ce25a77"
      },
      "responses": {
        "q1": "Hicimos el práctico de laboratorio en grupo 🔬",
        "q2": "Me costó concentrarme",
        "q3": "Ninguna",
        "q4": 2,
        "q5": "Quiero practicar más 💪"
      }
    }
    "#);
}

fn indented(json: &[u8]) -> String {
    serde_json::to_string_pretty(&serde_json::from_slice::<Value>(json).unwrap()).unwrap()
}

fn first_record(needle: &str) -> String {
    let set = generate(&busy(Incident::All));
    let text = String::from_utf8_lossy(set.memory.logs.values().next().unwrap());
    indented(text.lines().find(|line| line.contains(needle)).unwrap().as_bytes())
}

#[test]
fn the_last_record_of_a_function_has_its_exact_duration() {
    insta::assert_snapshot!(first_record("REPORT RequestId"), @r#"
    {
      "id": "1794106904835000000000003",
      "deploymentId": "dpl_rrAlf5R8NjsQNIDv46J6bgH4pQ1p",
      "source": "lambda",
      "host": "plataforma.example.test",
      "timestamp": 1794106904835,
      "projectId": "prj_demoPlataformaEscolar01",
      "level": "info",
      "message": "REPORT RequestId: c16fad11-4d8f-40ce-a32f-0e11e1a98c59\tDuration: 20.27 ms\tBilled Duration: 21 ms\tMemory Size: 1024 MB\tMax Memory Used: 134 MB",
      "path": "/api/notifications",
      "type": "report",
      "statusCode": 200,
      "requestId": "c16fad11-4d8f-40ce-a32f-0e11e1a98c59",
      "environment": "production",
      "branch": "main",
      "proxy": {
        "timestamp": 1794106904815,
        "method": "GET",
        "path": "/api/notifications",
        "scheme": "https",
        "host": "plataforma.example.test",
        "userAgent": [
          "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 Version/18.6"
        ],
        "clientIp": "203.0.113.85",
        "vercelId": "gru1::iad1::qEYs7-1794106904815",
        "vercelCache": "MISS",
        "statusCode": 200,
        "region": "gru1"
      }
    }
    "#);
}

#[test]
fn a_file_has_one_record_without_text() {
    insta::assert_snapshot!(first_record("\"source\":\"static\""), @r#"
    {
      "id": "1794109276362000000000033",
      "deploymentId": "dpl_rrAlf5R8NjsQNIDv46J6bgH4pQ1p",
      "source": "static",
      "host": "plataforma.example.test",
      "timestamp": 1794109276362,
      "projectId": "prj_demoPlataformaEscolar01",
      "level": "info",
      "path": "/_next/static/chunks/main-app.js",
      "statusCode": 200,
      "requestId": "818242af-f85c-4864-b29b-56ad26ac1a0b",
      "environment": "production",
      "branch": "main",
      "proxy": {
        "timestamp": 1794109276362,
        "method": "GET",
        "path": "/_next/static/chunks/main-app.js",
        "scheme": "https",
        "host": "plataforma.example.test",
        "userAgent": [
          "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/142.0.0.0 Safari/537.36"
        ],
        "clientIp": "203.0.113.35",
        "vercelId": "gru1::iad1::gS0XU-1794109276362",
        "vercelCache": "HIT",
        "statusCode": 200,
        "region": "gru1"
      }
    }
    "#);
}

fn check_refused(options: &DemoOptions, expected: &str) {
    let error = stream_to(&mut Memory::default(), options).unwrap_err();
    assert_eq!(error.to_string(), expected);
}

#[test]
fn options_out_of_range_are_refused_by_name() {
    let with = |days, requests_per_day, incident| DemoOptions {
        days,
        requests_per_day,
        incident,
        ..DemoOptions::default()
    };
    check_refused(&with(0, 10.0, Incident::None), "days is 0, must be 1 to 366");
    check_refused(&with(7, 10.0, Incident::All), "days is 7, must be 8 to 366");
    check_refused(&with(367, 10.0, Incident::None), "days is 367, must be 1 to 366");
    let need = "requests per day, must be 1 to 1000000000";
    check_refused(&with(8, 0.99, Incident::All), &format!("rate is 0.99 {need}"));
    check_refused(&with(8, f64::NAN, Incident::All), &format!("rate is NaN {need}"));
    check_refused(&with(8, f64::INFINITY, Incident::All), &format!("rate is inf {need}"));
    let early = DemoOptions { first_day: date(1969, 12, 31), ..DemoOptions::default() };
    check_refused(&early, "first day is 1969-12-31, must be in the years 1970 to 2199");
    let brief = DemoOptions { requests_per_day: 1.0, ..DemoOptions::default() };
    for days in [8, 366] {
        stream_to(&mut Memory::default(), &DemoOptions { days, ..brief.clone() }).unwrap();
    }
    let one = DemoOptions { days: 1, incident: Incident::None, ..brief.clone() };
    stream_to(&mut Memory::default(), &one).unwrap();
    // A week that begins on any weekday has room for every incident.
    for day in 1..=7 {
        let options = DemoOptions { first_day: date(2027, 3, day), days: 8, ..brief.clone() };
        let (summary, _) = stream_to(&mut Memory::default(), &options).unwrap();
        assert_eq!(summary.incidents, 4);
    }
}

#[test]
fn incidents_have_names() {
    for (incident, name) in Incident::NAMES {
        assert_eq!(name.parse::<Incident>().unwrap(), incident);
        assert_eq!(incident.to_string(), name);
    }
    let error = "slow".parse::<Incident>().unwrap_err().to_string();
    assert!(error.starts_with("no incident `slow`, must be one of none, slow-route"), "{error}");
}

#[test]
fn a_directory_receives_the_same_bytes_once() {
    let dir = tempfile::tempdir().unwrap();
    let options = DemoOptions { requests_per_day: 50.0, ..DemoOptions::default() };
    let summary = write_to(dir.path(), &options).unwrap();
    let mut memory = Memory::default();
    let (streamed, truth) = stream_to(&mut memory, &options).unwrap();
    assert_eq!(summary, streamed);
    for (day, bytes) in &memory.logs {
        let path = dir.path().join(format!("logs/drain-{day}.jsonl"));
        assert_eq!(&fs::read(path).unwrap(), bytes);
    }
    for (path, bytes) in &memory.documents {
        assert_eq!(&fs::read(dir.path().join(path)).unwrap(), bytes);
    }
    assert_eq!(fs::read(dir.path().join("truth.json")).unwrap(), truth);
    let deploys = fs::read_to_string(dir.path().join("deploys.jsonl")).unwrap();
    assert_eq!(deploys.lines().count() as u64, summary.deploys);
    insta::assert_snapshot!(indented(deploys.lines().next().unwrap().as_bytes()), @r#"
    {
      "ts": "2026-11-06T17:14:00.000Z",
      "kind": "deploy",
      "name": "v1.38.0",
      "deployment": "dpl_HqIAfYGPVZjrDpVOtAgR19elO7og",
      "commit": "538899e10755a04ef3c1cac6a3d0a4d74db345d8"
    }
    "#);
    let calendar = fs::read_to_string(dir.path().join("calendar.ics")).unwrap();
    insta::assert_snapshot!(calendar.replace("\r\n", "\n"), @r"
    BEGIN:VCALENDAR
    VERSION:2.0
    PRODID:-//plimsoll//demo//ES
    X-WR-CALNAME:Calendario escolar
    X-WR-TIMEZONE:America/Argentina/Buenos_Aires
    BEGIN:VEVENT
    UID:holiday-20261110@plataforma.example.test
    DTSTAMP:20260101T000000Z
    DTSTART;VALUE=DATE:20261110
    DTEND;VALUE=DATE:20261111
    SUMMARY:Jornada institucional docente (sin clases)
    CATEGORIES:HOLIDAY
    END:VEVENT
    BEGIN:VEVENT
    UID:maintenance-20261114T060000Z@plataforma.example.test
    DTSTAMP:20260101T000000Z
    DTSTART:20261114T060000Z
    DTEND:20261114T070000Z
    SUMMARY:Mantenimiento de la base de datos
    CATEGORIES:MAINTENANCE
    END:VEVENT
    BEGIN:VEVENT
    UID:exam-20261119@plataforma.example.test
    DTSTAMP:20260101T000000Z
    DTSTART;VALUE=DATE:20261119
    DTEND;VALUE=DATE:20261120
    SUMMARY:Evaluaciones trimestrales
    CATEGORIES:EXAM
    END:VEVENT
    END:VCALENDAR
    ");

    let mut one_log = Vec::new();
    stream_to(&mut LogOnly(&mut one_log), &options).unwrap();
    assert_eq!(one_log, memory.logs.into_values().flatten().collect::<Vec<u8>>());

    let again = write_to(dir.path(), &options).unwrap_err(); // not mixed with the first
    assert!(matches!(again, DemoError::NotEmpty { .. }), "{again}");
}
