//! Baselines with names, acceptances and replays, as a user meets them.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;

use plimsoll::durable::write_whole;
use tempfile::{TempDir, tempdir};

const RULES: [&str; 6] = [
    "p95(duration) < baseline + 10% per route",
    "avg(duration) < baseline + 10%",
    "shift(duration) < 10%",
    "share(status >= 500) < baseline + 1pt",
    "count() > baseline - 20%",
    "new(kind) <= 0",
];
const CONFIG: &str = r#"version = 1
[project]
name = "shop"
[check]
baseline = { from = "name:main" }
[[rule]]
id = "p95"
expr = 'p95(duration) < baseline + 10% per route'
[[rule]]
id = "errors"
expr = 'share(status >= 500) < baseline + 1pt'
"#;

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

fn run(dir: &Path, words: &[&str]) -> Ran {
    let ran = Command::new(env!("CARGO_BIN_EXE_plimsoll")).args(words).current_dir(dir).output();
    let ran = ran.unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: ran.status.code(), out: text(ran.stdout), err: text(ran.stderr) }
}

/// Requests every three seconds from a minute of 2 November on; later ones can be slower, fail
/// more often and be of a kind of their own.
fn log(from_minute: u32, minutes: u32, is_worse: bool) -> String {
    let mut text = String::new();
    let mut random = u64::from(from_minute) + 7;
    let mut next = || {
        random =
            random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (random >> 33) as f64 / f64::from(1_u32 << 31)
    };
    for index in 0..minutes * 20 {
        let second = from_minute * 60 + index * 3;
        let (hour, minute, second) = (second / 3_600, second / 60 % 60, second % 60);
        let route = ["/api/orders", "/api/users"][usize::from(next() < 0.5)];
        let slower = if is_worse && route == "/api/orders" { 1.8 } else { 1.0 };
        let duration = (40.0 + 60.0 * next() * next()) * slower;
        let status = if next() < if is_worse { 0.06 } else { 0.01 } { 500 } else { 200 };
        let kind = if is_worse && next() < 0.1 { "refund" } else { "order" };
        let _ = writeln!(
            text,
            r#"{{"time":"2026-11-02T{hour:02}:{minute:02}:{second:02}Z","route":"{route}","status":{status},"duration_ms":{duration:.2},"kind":"{kind}"}}"#
        );
    }
    text
}

/// `before.log`, `worse.log`, `fine.log`, and `both.log` of the first two.
fn logs() -> TempDir {
    let dir = tempdir().unwrap();
    let write =
        |name: &str, text: &str| write_whole(&dir.path().join(name), text.as_bytes()).unwrap();
    let (before, worse) = (log(0, 240, false), log(240, 60, true));
    write("before.log", &before);
    write("worse.log", &worse);
    write("fine.log", &log(240, 60, false));
    write("both.log", &(before + &worse));
    dir
}

fn decision(dir: &Path, words: &[&str]) -> serde_json::Value {
    let rules = RULES.iter().flat_map(|rule| ["--rule", *rule]);
    let words: Vec<&str> =
        ["check", "-o", "json"].into_iter().chain(words.iter().copied()).chain(rules).collect();
    let ran = run(dir, &words);
    serde_json::from_str(&ran.out).unwrap_or_else(|error| panic!("{error}: {}", ran.err))
}

#[test]
fn a_saved_baseline_judges_as_the_same_records_in_one_input() {
    let dir = logs();
    let mut words = vec!["baseline", "save", "main", "--from", "before.log", "--window", "10m"];
    words.extend(RULES.iter().flat_map(|rule| ["--rule", *rule]));
    let ran = run(dir.path(), &words);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let apart = decision(dir.path(), &["worse.log", "--baseline", "name:main"]);
    let together = decision(dir.path(), &["both.log", "--baseline", "4x-before", "--window", "1h"]);
    let checks = |decision: &serde_json::Value| decision["checks"].as_array().unwrap().clone();
    let (apart, together) = (checks(&apart), checks(&together));
    assert_eq!(apart.len(), RULES.len() + 1, "two routes");
    assert_eq!(apart.len(), together.len());
    for one in &apart {
        let is_same =
            |other: &&serde_json::Value| one["id"] == other["id"] && one["group"] == other["group"];
        let other = together.iter().find(is_same).unwrap();
        assert_eq!(one["verdict"], other["verdict"], "{one:#}\n{other:#}");
        for field in ["actual", "limit", "baseline", "change_pct"] {
            let number = |check: &serde_json::Value| check[field].as_f64();
            let (Some(a), Some(b)) = (number(one), number(other)) else {
                assert_eq!(one[field], other[field], "{field}: {one:#}");
                continue;
            };
            // A tenth of a second more belongs to the four hours: counts see it.
            let slack = (0.005 * b.abs()).max(if field == "change_pct" { 0.6 } else { 0.0 });
            assert!((a - b).abs() <= slack, "{field}: {a} and {b} of {}", one["expr"]);
        }
    }
    let fine = decision(dir.path(), &["fine.log", "--baseline", "name:main"]);
    assert_eq!(fine["decision"], "go", "{fine:#}");
    assert_eq!(fine["baseline"]["name"], "name:main");
}

#[test]
fn what_a_baseline_does_not_hold_cannot_be_told() {
    let dir = logs();
    let save = ["baseline", "save", "main", "--from", "before.log", "--rule", RULES[1]];
    assert_eq!(run(dir.path(), &save).code, Some(0));
    write_whole(&dir.path().join("short.log"), log(240, 5, false).as_bytes()).unwrap();
    let check_of = |input: &str, rule: &str, says: &str| {
        let words = ["check", input, "--baseline", "name:main", "--rule", rule];
        let ran = run(dir.path(), &words);
        assert_eq!(ran.code, Some(3), "{}{}", ran.out, ran.err);
        let text = ran.out.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(text.contains(says), "{text}");
    };
    check_of("fine.log", "p50(duration) < baseline", "does not have this measure: save it anew");
    let usual = "avg(duration) < usual(mad, 3)";
    check_of("fine.log", usual, "has windows of 719 s");
    check_of("fine.log", usual, "s: judge with `--window 719s`, or save it anew");
    check_of("short.log", usual, "s: save it anew with a --window like this one");
    let check = |words: &[&str], code: i32, says: &str| {
        let ran = run(dir.path(), words);
        assert_eq!(ran.code, Some(code), "{}{}", ran.out, ran.err);
        assert!(ran.err.contains(says), "{}", ran.err);
    };
    check(&["check", "fine.log", "--baseline", "name:none", "--rule", RULES[0]], 2, "PL071");
    check(&["baseline", "show", "none"], 2, "PL071");
    check(&["baseline", "save", "../x", "--from", "fine.log", "--rule", RULES[0]], 2, "no name");
    check(&["baseline", "save", "x", "--from", "fine.log", "--rule", "count() > 1"], 0, "saved");
    check(&["baseline", "save", "x", "--from", "fine.log", "--rule", "age() < 1h"], 2, "fixed");
    let path = dir.path().join(".plimsoll/baselines/main.json");
    let text = fs::read_to_string(&path).unwrap().replace("baseline/1", "baseline/9");
    write_whole(&path, text.as_bytes()).unwrap();
    check(&["baseline", "show", "main"], 4, "has the schema `plimsoll.baseline/9`");
    check(&["baseline", "list"], 0, "has the schema `plimsoll.baseline/9`");
    check(&["baseline", "remove", "main"], 0, "removed");
    check(&["baseline", "remove", "main"], 2, "PL071");
}

#[test]
fn what_is_accepted_counts_as_passed_until_it_gets_worse() {
    let dir = logs();
    write_whole(&dir.path().join("plimsoll.toml"), CONFIG.as_bytes()).unwrap();
    let check = |words: &[&str], code: i32| {
        let ran = run(dir.path(), words);
        assert_eq!(ran.code, Some(code), "{words:?}\n{}{}", ran.out, ran.err);
        ran
    };
    check(&["baseline", "save", "main", "--from", "before.log"], 0);
    check(&["check", "worse.log"], 1);
    check(&["baseline", "accept", "F9", "--reason", "x", "--who", "me"], 2);
    check(&["baseline", "accept", "F1", "--reason", " ", "--who", "me"], 2);
    check(&["baseline", "accept", "F1", "--reason", "new search", "--who", "me"], 0);
    check(&["check", "worse.log"], 1); // errors are not accepted yet
    let until = ["--until", "2026-11-03", "--who", "me"];
    check(
        &[&["baseline", "accept", "--check", "errors", "--reason", "known"], &until[..]].concat(),
        0,
    );
    let ran = check(&["check", "worse.log"], 0);
    assert!(ran.out.contains("accepted by me") && ran.out.contains("new search"), "{}", ran.out);
    let other = ["baseline", "accept", "--check", "errors", "--group", "route=/", "--reason", "x"];
    let other = check(&other, 2);
    assert!(other.err.contains("no such group") && other.err.contains("errors"), "{}", other.err);
    let ambiguous = check(&["baseline", "accept", "--check", "p95", "--reason", "x"], 2);
    assert!(ambiguous.err.contains("several groups"), "{}", ambiguous.err);
    // Replayed, what was accepted then is accepted still.
    let last = ".plimsoll/last-decision.json";
    let same = check(&["check", "--replay", last], 0);
    insta::assert_snapshot!(same.out, @"same answer: go, measured again from 1 input");
    // Half as slow again is more than was accepted.
    let text = fs::read_to_string(dir.path().join("worse.log")).unwrap();
    let slower = text.replace("\"duration_ms\":", "\"duration_ms\":1");
    write_whole(&dir.path().join("slower.log"), slower.as_bytes()).unwrap();
    check(&["check", "slower.log"], 1);
}

#[test]
fn a_replay_tells_what_differs_and_what_cannot_be_measured_again() {
    let dir = logs();
    write_whole(&dir.path().join("plimsoll.toml"), CONFIG.as_bytes()).unwrap();
    let ran = |words: &[&str]| run(dir.path(), words);
    assert_eq!(ran(&["baseline", "save", "main", "--from", "before.log"]).code, Some(0));
    let write = ["check", "worse.log", "--write", "json=d.json"];
    assert_eq!(ran(&write).code, Some(1));
    let ignored = ran(&["check", "--replay", "d.json", "--window", "5m", "--write", "sarif=x"]);
    assert_eq!(ignored.code, Some(2), "a replay does neither: {}", ignored.err);
    let replay = |file: &str| ran(&["check", "--replay", file]);
    let same = "same answer: rollback, measured again from 1 input\n";
    assert_eq!(replay("d.json").out, same);
    let text = fs::read_to_string(dir.path().join("d.json")).unwrap();
    let tampered = text.replacen("\"verdict\": \"fail\"", "\"verdict\": \"pass\"", 1);
    write_whole(&dir.path().join("t.json"), tampered.as_bytes()).unwrap();
    let found = replay("t.json");
    assert_eq!(found.code, Some(1), "{}", found.err);
    insta::assert_snapshot!(found.out, @"
    1 difference from the recorded answer rollback, measured again from 1 input
      verdict: recorded pass, now fail
    ");
    // The baseline or an input is another one: only the evidence is judged again.
    let resaved = ["baseline", "save", "main", "--from", "fine.log"];
    assert_eq!(ran(&resaved).code, Some(0));
    let alone = replay("d.json");
    assert_eq!(alone.code, Some(0), "{}", alone.err);
    assert!(alone.out.contains("the baseline `main` was saved anew since"), "{}", alone.out);
    write_whole(&dir.path().join("worse.log"), "".as_bytes()).unwrap();
    assert!(replay("d.json").out.contains("`worse.log` has changed since"));
    fs::remove_file(dir.path().join("worse.log")).unwrap();
    assert!(replay("d.json").out.contains("`worse.log` cannot be read any more"));
    for (text, says) in [("", "no decision"), ("{}", "no `schema`"), ("[1]", "no `schema`")] {
        write_whole(&dir.path().join("bad.json"), text.as_bytes()).unwrap();
        let ran = replay("bad.json");
        assert_eq!(ran.code, Some(4), "{}", ran.err);
        assert!(ran.err.contains("PL073") && ran.err.contains(says), "{}", ran.err);
    }
}

#[test]
fn a_zone_by_its_offset_was_recorded_as_utc() {
    let dir = logs();
    let check = ["check", "before.log", "--timezone", "-03:00", "--json", "--rule", RULES[4]];
    let ran = run(dir.path(), &check);
    let decision: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(decision["recipe"]["zone"], "-03:00");
    assert!(ran.out.contains("\"--timezone\",\n        \"-03:00\""), "{}", ran.out);
}

#[test]
fn hours_of_a_saved_baseline_were_those_of_the_zone_of_the_check() {
    let dir = tempdir().unwrap();
    let start: jiff::Timestamp = "2026-10-01T00:00:00Z".parse().unwrap();
    // Forty records an hour in the morning of UTC, four in the rest of the day.
    let hours = |hours: std::ops::Range<i64>| {
        let mut text = String::new();
        for hour in hours {
            let step_s = if hour % 24 < 12 { 90 } else { 900 };
            for second in (0..3_600).step_by(step_s) {
                let at = start + jiff::SignedDuration::from_secs(hour * 3_600 + second);
                let _ = writeln!(text, "{{\"time\":\"{at}\",\"event\":\"order\"}}");
            }
        }
        text
    };
    let write =
        |name: &str, text: &str| write_whole(&dir.path().join(name), text.as_bytes()).unwrap();
    write("before.log", &hours(0..28 * 24));
    write("evening.log", &hours(28 * 24 + 17..28 * 24 + 19));
    let rule = ["--rule", "count() > baseline - 50%", "--window", "1h", "--timezone"];
    let save = ["baseline", "save", "main", "--from", "before.log"];
    assert_eq!(run(dir.path(), &[&save[..], &rule, &["UTC"]].concat()).code, Some(0));
    for zone in ["UTC", "Asia/Tokyo"] {
        let check = ["check", "evening.log", "--baseline", "name:main"];
        let ran = run(dir.path(), &[&check[..], &rule, &[zone]].concat());
        assert_eq!(ran.code, Some(0), "{zone}: {}{}", ran.out, ran.err);
        assert!(ran.out.contains("baseline 4"), "{zone}: {}", ran.out);
    }
}

#[test]
fn the_window_of_a_gate_was_not_that_of_its_baseline() {
    let dir = logs();
    let gate = "version = 1\n[gate.g]\nwindow = \"30m\"\n[[gate.g.check]]\nname = \"slower\"\n\
                kind = \"shift\"\nvalue = \"duration\"\n";
    write_whole(&dir.path().join("plimsoll.toml"), gate.as_bytes()).unwrap();
    let save = ["baseline", "save", "main", "--from", "before.log"];
    let window_us = |words: &[&str]| {
        assert_eq!(run(dir.path(), &[&save[..], words].concat()).code, Some(0));
        let list = run(dir.path(), &["baseline", "list", "-o", "json"]);
        let list: serde_json::Value = serde_json::from_str(&list.out).unwrap();
        list["baselines"][0]["window_us"].as_u64().unwrap()
    };
    assert_eq!(window_us(&[]), 30 * 60_000_000);
    assert_eq!(window_us(&["--window", "10m"]), 10 * 60_000_000, "what is said goes before");
}
