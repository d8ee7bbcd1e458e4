use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Child, Command, Output};

use plimsoll::durable::write_whole;

/// Runs the real binary in a directory.
fn run(dir: &Path, words: &[&str]) -> Output {
    let ran = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args(words)
        .current_dir(dir)
        .env_remove("PLIMSOLL_CONFIG")
        .output()
        .unwrap();
    assert!(!String::from_utf8_lossy(&ran.stderr).contains("panicked"), "{words:?}");
    ran
}

fn check(dir: &Path, words: &[&str], code: i32) -> String {
    let ran = run(dir, words);
    let (out, err) = (String::from_utf8_lossy(&ran.stdout), String::from_utf8_lossy(&ran.stderr));
    assert_eq!(ran.status.code(), Some(code), "plimsoll {words:?}\n{out}{err}");
    out.into_owned()
}

/// A collector that follows what is configured in a directory.
fn follow(dir: &Path) -> Child {
    Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .arg("collect")
        .current_dir(dir)
        .env_remove("PLIMSOLL_CONFIG")
        .stderr(std::process::Stdio::null())
        .spawn()
        .unwrap()
}

/// Ends a collector as a system does that shuts down.
fn end(mut following: Child) {
    let id = following.id().to_string();
    assert!(Command::new("kill").args(["-TERM", &id]).status().unwrap().success());
    assert!(following.wait().unwrap().success());
}

/// What a report says of the data, without the names of its inputs.
fn numbers(report: &str) -> serde_json::Value {
    let report: serde_json::Value = serde_json::from_str(report).unwrap();
    let quality = &report["quality"];
    serde_json::json!({
        "routes": report["routes"], "tiles": report["tiles"], "verdict": report["verdict"],
        "records": quality["records"], "rejected": quality["rejected"],
        "requests": quality["requests"], "reasons": quality["reject_reasons"],
    })
}

#[test]
fn a_newcomer_collects_and_the_store_says_what_the_file_says() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    fs::create_dir(dir.join("logs")).unwrap();
    fs::copy("fixtures/pino/pino-http.log", dir.join("logs/app.log")).unwrap();

    check(dir, &["init", "logs/app.log"], 0);
    check(dir, &["collect", "--once"], 0);
    assert!(check(dir, &["verify"], 0).contains("nothing is lost and nothing doubled"));
    let words = ["report", "-o", "json", "--exit-zero"];
    let stored = numbers(&check(dir, &words, 0));
    let file = numbers(&check(dir, &[&words[..], &["logs/app.log"]].concat(), 0));
    assert_eq!(stored, file);

    // Nothing is read twice, and what comes is added.
    check(dir, &["collect", "--once"], 0);
    let more = "{\"time\":\"2026-11-18T14:12:00Z\",\"msg\":\"password=hunter2 añadido\"}\n";
    let before: u64 = stored["records"].as_u64().unwrap();
    let mut log = fs::OpenOptions::new().append(true).open(dir.join("logs/app.log")).unwrap();
    log.write_all(more.as_bytes()).unwrap();
    check(dir, &["collect", "--once"], 0);
    let count = check(dir, &["query", "-o", "jsonl", "SELECT COUNT(*) AS n FROM logs"], 0);
    let rejected = stored["rejected"].as_u64().unwrap();
    assert_eq!(count.trim(), format!("{{\"n\":{}}}", before - rejected + 1));
    check(dir, &["verify"], 0);
    let stored = check(dir, &["query", "-o", "jsonl", "SELECT body FROM logs"], 0);
    assert!(stored.contains("añadido") && !stored.contains("hunter2"), "a secret was stored");
}

#[test]
fn sql_says_the_same_of_the_store_and_of_the_file() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut log = String::new();
    for n in 0..3_000 {
        let time = format!("2026-11-{:02}T{:02}:{:02}:00.5Z", 8 + n / 1_440, n / 60 % 24, n % 60);
        let (status, ms) = (if n % 9 == 0 { 500 } else { 200 }, f64::from(n % 101) / 4.0);
        let line = format!(
            "{{\"time\":\"{time}\",\"level\":\"info\",\"msg\":\"m {n}\",\"route\":\"/r{}\",\
             \"status\":{status},\"duration_ms\":{ms},\"region\":\"eu{}\"}}\n",
            n % 7,
            n % 2
        );
        log += &line;
        if n % 100 == 50 {
            log += "not json\n"; // in the store without a time, in no result
        }
    }
    put(dir, "logs/app.log", &log);
    check(dir, &["init", "logs/app.log"], 0);
    check(dir, &["collect", "--once"], 0);
    check(dir, &["compact"], 0); // one segment for each day, so that windows cut some
    for sql in [
        "SELECT * FROM logs ORDER BY ts",
        "SELECT COUNT(*) FROM logs",
        "SELECT ts_ms, date, severity, severity_number, _off, template FROM logs ORDER BY ts_ms",
        "SELECT route, COUNT(*), p95(duration_ms) FROM logs GROUP BY route",
        "SELECT region, COUNT(*) FROM logs GROUP BY region", // no column: from the records' text
        "SELECT COUNT(*), MIN(ts_ms) FROM logs WHERE ts_ms >= 1794225600000 AND ts_ms < 1794229200000",
        "SELECT route, COUNT(*) FROM logs WHERE date = '2026-11-09' GROUP BY route",
        "SELECT COUNT(*) FROM logs WHERE ts < '2026-11-08T12:00:00' AND region = 'eu1'",
        "SELECT message FROM logs WHERE ts_ms > 1900000000000", // nothing there
        "error-rate",
        "templates",
        "slow-routes",
    ] {
        let stored = check(dir, &["query", "-o", "csv", sql], 0);
        assert_eq!(stored, check(dir, &["query", "logs/app.log", "-o", "csv", sql], 0), "{sql}");
    }
}

#[test]
fn an_erased_record_is_no_event() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    put(
        dir,
        "app.log",
        "{\"time\":\"2026-11-18T14:12:00Z\",\"msg\":\"a\"}\n\
                         {\"time\":\"2026-11-18T14:13:00Z\",\"msg\":\"b\"}\n",
    );
    check(dir, &["init", "app.log"], 0);
    check(dir, &["collect", "--once"], 0);
    for (condition, count) in [
        ("user = 'u-123'", 0), // a word of its own to the engine
        ("MESSAGE = 'b'", 1),
        ("ts < '2026-11-18T14:12:30Z'", 1),
        ("ts_ms > 0 AND date = DATE '2026-11-18'", 2),
    ] {
        let said = check(dir, &["erase", "--dry-run", "--where", condition], 0);
        assert_eq!(said, format!("the condition holds for {count} records\n"), "{condition}");
    }
    check(dir, &["erase", "--where", "message = 'a' AND ts IS NOT NULL"], 0);
    for sql in ["SELECT COUNT(*) AS n FROM logs", "SELECT COUNT(msg) AS n FROM logs"] {
        assert_eq!(check(dir, &["query", "-o", "csv", sql], 0), "n\n1\n", "{sql}");
    }
    check(dir, &["verify"], 0);
}

#[test]
fn what_cannot_be_collected_is_said_and_not_done() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let configure = |text: &str| write_whole(&dir.join("plimsoll.toml"), text.as_bytes()).unwrap();
    check(dir, &["collect", "--once"], 2);
    configure("[store]\npth = \"x\"\n");
    check(dir, &["collect", "--once"], 2);
    assert!(!dir.join(".plimsoll/store").is_dir(), "nothing was to be done");
}

#[test]
fn one_long_line_of_garbage_hides_no_field() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let mut log = String::new();
    for number in 0..40 {
        let line = format!("{{\"time\":\"2026-11-18T14:12:{number:02}Z\",\"number\":{number}}}\n");
        log.push_str(&line);
    }
    // It has no time, so it is stored before all others.
    log.push_str(&"[".repeat(600_000));
    log.push('\n');
    write_whole(&dir.join("app.log"), log.as_bytes()).unwrap();
    let config = "[[source]]\nname = \"app\"\ninclude = [\"*.log\"]\n";
    write_whole(&dir.join("plimsoll.toml"), config.as_bytes()).unwrap();
    check(dir, &["collect", "--once"], 0);
    let told = check(dir, &["query", "-o", "csv", "SELECT MAX(number) AS n FROM logs"], 0);
    assert_eq!(told.trim(), "n\n39");
}

const REPORTS: &str = r#"
[[source]]
name = "reports"
kind = "documents"
include = ["d/data/student-reports/**/*.json"]
event = "report.submitted"
"#;

#[test]
fn a_tree_of_documents_is_judged_from_the_store_as_from_the_tree() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    check(dir, &["demo", "d", "--days", "8", "--rate", "200"], 0);
    let init = check(dir, &["init", "--dry-run", "d/data/student-reports"], 0);
    assert!(init.contains("kind = \"documents\"") && !init.contains("\ntime = "), "two shapes");
    write_whole(&dir.join("plimsoll.toml"), REPORTS.as_bytes()).unwrap();
    check(dir, &["collect", "--once"], 0);
    assert!(check(dir, &["verify"], 0).contains("nothing is lost and nothing doubled"));
    assert!(check(dir, &["collect", "--status"], 0).contains("2026-11-"));

    let tree = "d/data/student-reports";
    let words = ["report", "-o", "json", "--exit-zero"];
    let stored = numbers(&check(dir, &words, 0));
    assert_eq!(stored, numbers(&check(dir, &[&words[..], &[tree]].concat(), 0)));
    assert!(stored["records"].as_u64().unwrap() > 20, "{stored}");
    // Columns, and a field that is none; the documents have two shapes.
    for columns in ["COUNT(DISTINCT user)", "SUM(answers.q4)", "SUM(metadata.academicYear)"] {
        let sql = format!(
            "SELECT event, service, COUNT(*) AS n, MAX(ts_ms) AS last, {columns} AS x FROM logs \
             GROUP BY event, service ORDER BY service"
        );
        let stored = check(dir, &["query", "-o", "jsonl", &sql], 0);
        let file = check(dir, &["query", "-o", "jsonl", tree, &sql], 0);
        assert_eq!(stored, file, "{columns}");
    }
}

/// The documents' numbers, one a line, and `verify` holds.
fn values(dir: &Path) -> String {
    check(dir, &["collect", "--once"], 0);
    check(dir, &["verify"], 0);
    let sql = "SELECT v FROM logs ORDER BY v";
    let ran = run(dir, &["query", "-o", "csv", sql]);
    String::from_utf8_lossy(&ran.stdout).lines().skip(1).collect::<Vec<_>>().join(" ")
}

fn put(dir: &Path, name: &str, text: &str) {
    fs::create_dir_all(dir.join(name).parent().unwrap()).unwrap();
    write_whole(&dir.join(name), text.as_bytes()).unwrap();
}

#[test]
fn each_version_of_a_document_is_stored_and_the_newest_counts() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let source = "[[source]]\nname = \"d\"\nkind = \"documents\"\ninclude = [\"in/**/*\"]\n";
    put(dir, "plimsoll.toml", source);
    let document =
        |v: u32| format!("{{\n  \"time\": \"2026-11-18T14:12:00Z\",\n  \"v\": {v}\n}}\n");
    put(dir, "in/a.json", &document(1));
    put(dir, "in/b/list.json", &format!("[{}, {}]", document(20), document(21)));
    put(dir, "in/b/records.json", &format!("{{\"records\": [{}]}}", document(30)));
    assert_eq!(values(dir), "1 20 21 30");
    assert_eq!(values(dir), "1 20 21 30", "read again");
    put(dir, "in/a.json", &document(2));
    assert_eq!(values(dir), "2 20 21 30", "a new version");
    put(dir, "in/b/list.json", &format!("[{}, {}]", document(22), document(21)));
    assert_eq!(values(dir), "2 20 21 22 30", "what a list once said stays said");
    fs::rename(dir.join("in/a.json"), dir.join("in/z.json")).unwrap();
    assert_eq!(values(dir), "2 20 21 22 30", "moved");
    put(dir, "in/z.json", &document(3));
    put(dir, "in/a.json", &document(4));
    assert_eq!(values(dir), "3 4 20 21 22 30", "two documents by now");
    fs::remove_file(dir.join("in/z.json")).unwrap();
    fs::remove_dir_all(dir.join("in/b")).unwrap();
    let before = values(dir);
    assert_eq!(before, "3 4 20 21 22 30", "the end of a document undoes nothing");
    put(dir, "in/b/list.json", &format!("[{}, {}]", document(22), document(21)));
    assert_eq!(values(dir), before, "here again");
    put(dir, "in/a.json", "{\"v\": ");
    assert_eq!(values(dir), "3 20 21 22 30", "what it says now cannot be read");
    let quality = check(dir, &["report", "-o", "json", "--exit-zero"], 0);
    assert_eq!(numbers(&quality)["rejected"], 1);
}

#[test]
fn documents_are_followed_while_they_are_written() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let config = "[collect]\nflush_interval = \"50ms\"\nreconcile_interval = \"100ms\"\n\
                  settle_time = \"400ms\"\n[[source]]\nname = \"d\"\nkind = \"documents\"\n\
                  include = [\"in/*.json\"]\n";
    put(dir, "plimsoll.toml", config);
    put(dir, "in/a.json", "{\"v\":1}");
    let following = follow(dir);
    let rows_become = |rows: u32| {
        let wanted = format!(": {rows} rows in");
        let is_there = || {
            let status = run(dir, &["collect", "--status"]);
            String::from_utf8_lossy(&status.stdout).contains(&wanted)
        };
        let is_seen = (0..100).any(|_| {
            std::thread::sleep(std::time::Duration::from_millis(100));
            is_there()
        });
        assert!(is_seen, "{rows} rows");
    };
    rows_become(1);
    put(dir, "in/b.json", "[{\"v\":2},{\"v\":3}]");
    rows_become(3);
    fs::remove_file(dir.join("in/a.json")).unwrap();
    rows_become(4); // its end
    put(dir, "in/c.json", "{\"v\":");
    rows_become(5); // settle_time is over
    end(following);
    check(dir, &["verify"], 0);
    assert_eq!(values(dir), "1 2 3", "goes on from there");
}

#[test]
fn small_segments_become_one_while_collecting() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let config = "[store]\ncompact_after = \"1s\"\nvacuum_age = \"0s\"\n[collect]\n\
                  flush_interval = \"50ms\"\nreconcile_interval = \"100ms\"\n\
                  [[source]]\nname = \"app\"\ninclude = [\"app.log\"]\n";
    put(dir, "plimsoll.toml", config);
    put(dir, "app.log", "");
    let following = follow(dir);
    let segments = || {
        let all = files(&dir.join(".plimsoll/store")).into_iter();
        all.filter(|path| path.extension().is_some_and(|it| it == "parquet")).count()
    };
    let mut most = 0;
    let mut log = fs::OpenOptions::new().append(true).open(dir.join("app.log")).unwrap();
    for n in 0..20 {
        writeln!(log, "{{\"time\":\"2026-11-18T14:12:{n:02}Z\",\"msg\":\"m\"}}").unwrap();
        std::thread::sleep(std::time::Duration::from_millis(60));
        most = most.max(segments());
    }
    let is_one = (0..200).any(|_| {
        std::thread::sleep(std::time::Duration::from_millis(100));
        segments() == 1
    });
    assert!(most > 1 && is_one, "{most} segments, then {}", segments());
    end(following);
    check(dir, &["verify"], 0);
    let count = check(dir, &["query", "-o", "jsonl", "SELECT COUNT(*) AS n FROM logs"], 0);
    assert_eq!(count.trim(), "{\"n\":20}");
}

#[test]
fn two_spellings_of_one_document_meet_by_their_id() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let source = "[[source]]\nname = \"d\"\nkind = \"documents\"\ninclude = [\"in/**/*.json\"]\n\
                  id = [\"student.id\", \"week\"]\n";
    put(dir, "plimsoll.toml", source);
    let document = |student: u32, v: u32| {
        format!(
            "{{\"time\":\"2026-11-18T14:12:00Z\",\"student\":{{\"id\":{student}}},\"week\":1,\"v\":{v}}}"
        )
    };
    put(dir, "in/4to Año/7.json", &document(7, 1));
    put(dir, "in/4to Año/8.json", &document(8, 1));
    assert_eq!(values(dir), "1 1");
    put(dir, "in/4to-a-o/7.json", &document(7, 2));
    assert_eq!(values(dir), "1 2");
    put(dir, "in/4to-a-o/list.json", &format!("[{},{}]", document(8, 3), document(9, 4)));
    assert_eq!(values(dir), "2 3 4");
    put(dir, "in/4to-a-o/list.json", &format!("[{},{}]", document(8, 5), document(9, 4)));
    assert_eq!(values(dir), "2 4 5", "an element of a list that has an id is revised");
}

/// Every file below a directory.
fn files(dir: &Path) -> Vec<std::path::PathBuf> {
    let entries = fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn nothing_secret_is_in_the_store() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let config = "[redact]\nsecret_names = [\"pin\"]\n\
                  personal_fields = [\"student.name\", \"dni\"]\n\
                  [[source]]\nname = \"l\"\ninclude = [\"*.log\"]\n\
                  [[source]]\nname = \"d\"\nkind = \"documents\"\ninclude = [\"in/*.json\"]\n\
                  id = [\"student.name\"]\n";
    put(dir, "plimsoll.toml", config);
    let json = r#"{"time":"2026-11-18T14:12:00Z","msg":"dni=SECRET5 kept","a":{"pi\u006e":"SECRET0"},
        "pass\u0077ord":"SECRET1","student":{"name":"SECRET2","x":"kept"},"dni":["SECRET3"],
        "log":"{\"dni\":\"SECRET4\"}","b":"SECRET6\u0040example.edu"}"#;
    let line = json.replace("\n        ", "");
    let text = "not json pin=SECRET7 dni=SECRET8 kept";
    let logfmt = "time=2026-11-18T14:12:00Z msg=kept student.name=\"SECRET9 y\" my_pin=SECRETA";
    put(dir, "json.log", &format!("{line}\n{text}\n"));
    put(dir, "fmt.log", &format!("{logfmt}\n").repeat(3));
    put(dir, "in/one.json", json);
    put(dir, "in/many.json", &format!("{{\"records\":[{json},7]}}"));
    put(dir, "in/broken.json", &format!("{text}\n{json}{{"));
    check(dir, &["collect", "--once"], 0);
    check(dir, &["verify"], 0);
    for file in files(&dir.join(".plimsoll")) {
        let bytes = fs::read(&file).unwrap();
        assert!(!bytes.windows(6).any(|six| six == b"SECRET"), "{}", file.display());
    }
    // The segments are compressed: what they hold is read back, the text of every record.
    let sql = "SELECT source, body, attrs, message, user, template FROM logs";
    let stored = check(dir, &["query", "-o", "jsonl", sql], 0);
    assert!(!stored.contains("SECRET"), "{stored}");
    assert!(stored.contains("p_") && stored.contains("u_") && stored.contains("[redacted]"));
    let count = stored.lines().filter(|line| line.contains("kept")).count();
    assert_eq!(count, 1 + 3 + 1, "what stands beside it is there: {stored}");
    // What could not be decoded is shown as an example of what was rejected.
    let report = check(dir, &["report", "-o", "json", "--exit-zero"], 0);
    assert!(report.contains("not json") && !report.contains("SECRET"), "{report}");
}

#[test]
fn links_and_long_records_are_as_configured() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let long = |len: usize| format!("{{\"msg\":\"{}\"}}\n", "x".repeat(len));
    put(dir, "elsewhere/a.log", &(long(5 << 20) + &long(70 << 10))); // the second in one read
    put(dir, "logs/b.log", "{\"msg\":\"b\"}\n");
    std::os::unix::fs::symlink(dir.join("elsewhere/a.log"), dir.join("logs/a.log")).unwrap();
    let collect = |keys: &str| {
        let source = "[[source]]\nname = \"l\"\ninclude = [\"logs/*.log\"]\n";
        put(dir, "plimsoll.toml", &format!("[collect]\n{keys}{source}"));
        check(dir, &["collect", "--once"], 0);
        check(dir, &["verify"], 0)
    };
    assert!(collect("").contains(" 1 rows"), "a link that leads out is not followed");
    let keys = "link_roots = [\"elsewhere\"]\nmax_record = \"64KiB\"\ntruncated_keep = \"1KiB\"\n";
    assert!(collect(keys).contains(" 3 rows"));
    let erase = ["erase", "--dry-run", "--where"];
    let long = |condition| check(dir, &[&erase[..], &[condition]].concat(), 0);
    assert!(long("LENGTH(body) = 1024").contains("2 records"));
}

#[test]
fn a_header_of_csv_counts_for_what_comes_after_a_restart() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    put(dir, "in/a.csv", "time,level,took_ms,region\n");
    put(dir, "plimsoll.toml", "[[source]]\nname = \"c\"\ninclude = [\"in/*.csv\"]\n");
    for minute in 10..16 {
        let mut log = fs::OpenOptions::new().append(true).open(dir.join("in/a.csv")).unwrap();
        writeln!(log, "2026-11-18T14:{minute}:00Z,info,{minute},eu").unwrap();
        check(dir, &["collect", "--once"], 0);
    }
    let sql = "SELECT COUNT(ts), COUNT(severity), SUM(duration_ms) FROM logs";
    assert_eq!(check(dir, &["query", "-o", "csv", sql], 0).lines().nth(1), Some("6,6,75.0"));
}
