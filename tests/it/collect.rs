use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Output};

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
fn what_cannot_be_collected_is_said_and_not_done() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let configure = |text: &str| write_whole(&dir.join("plimsoll.toml"), text.as_bytes()).unwrap();
    check(dir, &["collect", "--once"], 2);
    configure("[store]\npth = \"x\"\n");
    check(dir, &["collect", "--once"], 2);
    configure("[[source]]\nname = \"d\"\nkind = \"documents\"\ninclude = [\"*.json\"]\n");
    check(dir, &["collect", "--once"], 4);
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
