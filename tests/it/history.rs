//! Drift over builds that no single check sees, benchmarks as series, and objectives for others.

use std::fmt::Write as _;
use std::path::Path;
use std::process::Command;

use plimsoll::durable::write_whole;
use tempfile::{TempDir, tempdir};

const CONFIG: &str = r#"
version = 1
[project]
name = "shop"
[[rule]]
id = "orders-p95"
expr = 'p95(duration) < 500ms and count() >= 100'
[[slo]]
id = "availability"
good = "status < 500"
objective = "99.5%"
"#;

struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

fn plimsoll(dir: &Path, words: &[&str]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    for variable in ["PLIMSOLL_CONFIG", "GITHUB_SHA", "CI_COMMIT_SHA", "GITHUB_HEAD_REF"] {
        command.env_remove(variable);
    }
    let ran = command.current_dir(dir).args(words).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: ran.status.code(), out: text(ran.stdout), err: text(ran.stderr) }
}

fn project() -> TempDir {
    let dir = tempdir().unwrap();
    write_whole(&dir.path().join("plimsoll.toml"), CONFIG.as_bytes()).unwrap();
    dir
}

/// The log of a build on one day, in which requests take `typical_ms` and up to half more.
fn log(dir: &Path, day: i32, typical_ms: f64) -> String {
    let name = format!("build-{day}.jsonl");
    let start: jiff::Timestamp = "2026-09-01T10:00:00Z".parse().unwrap();
    let mut text = String::new();
    for i in 0..200_i32 {
        let at = start + jiff::SignedDuration::from_secs(i64::from(day * 86_400 + i));
        let duration = typical_ms * (1.0 + f64::from((i * 37 + day * 11) % 101) / 202.0);
        let line = format!(
            r#"{{"time":"{at}","level":"info","msg":"request","route":"/api/orders","status":200,"duration_ms":{duration:.2}}}"#
        );
        writeln!(text, "{line}").unwrap();
    }
    write_whole(&dir.join(&name), text.as_bytes()).unwrap();
    name
}

#[test]
fn forty_builds_that_are_each_half_a_per_cent_slower_fail_together() {
    let dir = project();
    let dir = dir.path();
    let mut codes = Vec::new();
    for day in 0..40 {
        let log = log(dir, day, 200.0 * 1.005_f64.powi(day));
        let alone = plimsoll(dir, &["check", &log]);
        assert_eq!(alone.code, Some(0), "alone each build is well: {}{}", alone.out, alone.err);
        let commit = format!("c{day}");
        let record = ["check", &log, "--record", "--commit", &commit, "--branch", "main"];
        let ran = plimsoll(dir, &record);
        assert!(ran.err.contains("3 values appended"), "{}", ran.err);
        codes.push(ran.code);
    }
    assert!(codes.iter().take(8).all(|code| *code == Some(0)), "too few builds to tell: {codes:?}");
    assert_eq!(codes.last(), Some(&Some(1)), "{codes:?}");

    let ran = plimsoll(dir, &["history", "check", "-o", "json"]);
    assert_eq!(ran.code, Some(1), "{}", ran.err);
    let decision: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    let checks = decision["checks"].as_array().unwrap();
    let verdicts: Vec<String> =
        checks.iter().map(|check| format!("{} {}", check["id"], check["verdict"])).collect();
    assert_eq!(
        verdicts,
        [
            r#""availability share(good)" "pass""#,
            r#""orders-p95 count()" "pass""#,
            r#""orders-p95 p95(duration)" "fail""#,
        ]
    );
    assert!(checks.iter().all(|check| check["kind"] == "history"), "{checks:?}");

    let again = log(dir, 39, 200.0 * 1.005_f64.powi(39));
    let ran = plimsoll(dir, &["check", &again, "--record", "--commit", "c39"]);
    assert!(ran.err.contains("0 values appended, 3 were there already"), "{}", ran.err);
    let ran = plimsoll(dir, &["history", "show", "p95", "-o", "csv"]);
    assert!(ran.out.starts_with("series,n,last,unit,"), "{}", ran.out);
    assert!(ran.out.contains("orders-p95 p95(duration),40,"), "{}", ran.out);

    let mild = CONFIG.to_owned() + "[history]\nseverity = \"warn\"\n";
    write_whole(&dir.join("plimsoll.toml"), mild.as_bytes()).unwrap();
    assert_eq!(plimsoll(dir, &["history", "check"]).code, Some(0));
    assert_eq!(plimsoll(dir, &["history", "check", "--fail-on", "warn"]).code, Some(1));
}

#[test]
fn an_accepted_drift_failed_still_and_another_rule_was_accepted() {
    let dir = project();
    let dir = dir.path();
    for day in 0..16 {
        let log = log(dir, day, if day < 8 { 100.0 } else { 200.0 });
        plimsoll(dir, &["check", &log, "--record", "--commit", &format!("c{day}")]);
    }
    let check = |words: &[&str], code: i32| {
        let ran = plimsoll(dir, words);
        assert_eq!(ran.code, Some(code), "{words:?} {}{}", ran.out, ran.err);
        ran
    };
    // The decision that is kept last is of another rule.
    check(&["check", "build-15.jsonl", "--rule", "p95(duration) < 1ms"], 1);
    check(&["history", "check"], 1);
    let accept = ["baseline", "accept", "F1", "--reason", "known", "--who", "me"];
    let ran = check(&accept, 0);
    assert!(ran.err.contains("accepted orders-p95 p95(duration) in"), "{}", ran.err);
    check(&["history", "check"], 0);
}

#[test]
fn benchmarks_are_imported_once_and_judged() {
    let dir = project();
    let fixture = |name: &str| format!("{}/fixtures/history/{name}", env!("CARGO_MANIFEST_DIR"));
    let import = |name: &str, commit: &str, want: &str| {
        let ran = plimsoll(dir.path(), &["history", "import", &fixture(name), "--commit", commit]);
        assert_eq!(ran.code, Some(0), "{}", ran.err);
        assert!(ran.out.ends_with(want), "{}", ran.out);
    };
    import("criterion", "c1", ": 3 values appended\n");
    import("criterion", "c1", ": 0 values appended, 3 were there already\n");
    import("criterion", "c2", ": 3 values appended\n");
    import("data.js", "c2", ": 3 values appended\n"); // says its commits and times itself
    import("data.js", "c3", ": 0 values appended, 3 were there already\n");

    let check = |words: &[&str], code: i32, says: &str| {
        let ran = plimsoll(dir.path(), words);
        assert_eq!(ran.code, Some(code), "{words:?} {}{}", ran.out, ran.err);
        assert!((ran.out + &ran.err).contains(says), "{words:?} does not say {says}");
    };
    check(&["history", "check"], 3, "2 builds, at least 8 are needed to tell");
    check(&["history", "show", "nosuch"], 3, "no series in");
    check(&["history", "show", "--history", "other.jsonl"], 3, "error[PL076]: there is no build");
    check(&["history", "import", "plimsoll.toml"], 4, "error[PL077]: `plimsoll.toml` is not JSON");
    check(&["history", "import", "missing.json"], 4, "error[PL077]: cannot read `missing.json`");
    check(&["history", "show", "--history", "."], 4, "error[PL075]: cannot read history");
    write_whole(&dir.path().join("torn.jsonl"), b"{\"schema\"").unwrap();
    check(&["history", "show", "--history", "torn.jsonl"], 3, "torn.jsonl:1: not read: torn");
}

#[test]
fn objectives_are_exported_or_it_is_said_why_not() {
    let dir = project();
    let check = |words: &[&str], code: i32, says: &str| {
        let ran = plimsoll(dir.path(), words);
        assert_eq!(ran.code, Some(code), "{words:?} {}{}", ran.out, ran.err);
        assert!((ran.out + &ran.err).contains(says), "{words:?} does not say {says}");
    };
    let good = r#"shop_total{code=~"[1-4].."}"#;
    let options = ["--metric", "shop_total", "--label", "status=code"];
    check(&[&["export", "--to", "prometheus"], &options[..]].concat(), 0, good);
    check(&[&["export", "--to", "openslo"], &options[..]].concat(), 0, good);
    check(
        &["export", "--to", "openslo", "--metric", "a}b"],
        2,
        "error[PL002]: `--metric` is `a}b`",
    );
    check(&["export", "--to", "openslo", "--label", "=code"], 2, "`--label` is `=code`");
    let odd = CONFIG.replace("status < 500", "size < 1000");
    write_whole(&dir.path().join("plimsoll.toml"), odd.as_bytes()).unwrap();
    check(&["export", "--to", "prometheus"], 2, "error[PL078]: objective `availability`");
}
