//! `plimsoll check` on the logs of a small shop, as a user, a pipeline and a hostile log meet it.

use std::fmt::Write as _;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use plimsoll::durable::write_whole;
use serde_json::Value;
use tempfile::{TempDir, tempdir};

/// 2026-11-20T14:00:00Z in milliseconds.
const START_MS: u64 = 1_795_183_200_000;
/// Minute of the deploy.
const DEPLOY: u64 = 45;

/// How a run of the command ended.
struct Ran {
    code: Option<i32>,
    out: String,
    err: String,
}

impl Ran {
    fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {}", self.out))
    }

    fn all(&self) -> String {
        format!("status {:?}\n{}{}", self.code, self.out, self.err)
    }
}

fn run(dir: &Path, words: &[&str]) -> Ran {
    run_with(dir, words, &[])
}

fn run_with(dir: &Path, words: &[&str], variables: &[(&str, &Path)]) -> Ran {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    for variable in
        ["NO_COLOR", "PLIMSOLL_CONFIG", "GITHUB_STEP_SUMMARY", "GITHUB_OUTPUT", "GITHUB_WORKSPACE"]
    {
        command.env_remove(variable);
    }
    command.envs(variables.iter().copied()).current_dir(dir).args(words);
    let output = command.output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    let ran =
        Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) };
    assert!(!ran.err.contains("panicked"), "plimsoll {words:?}: {}", ran.all());
    ran
}

/// One hour of requests, one a second, as pino writes them. From the deploy on `/checkout` takes
/// three times as long.
fn shop() -> TempDir {
    let dir = tempdir().unwrap();
    let mut text = String::new();
    for second in 0..3_600_u64 {
        let is_new = second >= DEPLOY * 60;
        let (route, base) = [("/", 20), ("/checkout", 100), ("/search", 60)][second as usize % 3];
        let slower = if is_new && route == "/checkout" { 3 } else { 1 };
        // Spread without a pattern: the digits of multiples of an odd number.
        let spread = 75 + second * 7_919 % 51;
        let status = if second % 199 == 7 { 500 } else { 200 };
        let _ = writeln!(
            text,
            r#"{{"level":30,"time":{},"pid":7,"hostname":"web-1","release":"{}","req":{{"id":{second},"method":"GET","url":"{route}"}},"res":{{"statusCode":{status}}},"responseTime":{},"msg":"request completed"}}"#,
            START_MS + second * 1_000,
            if is_new { "v2" } else { "v1" },
            base * slower * spread / 100,
        );
    }
    write_whole(&dir.path().join("shop.log"), text.as_bytes()).unwrap();
    dir
}

fn configure(dir: &TempDir, rest: &str) {
    let text = format!("version = 1\n{rest}");
    write_whole(&dir.path().join("plimsoll.toml"), text.as_bytes()).unwrap();
}

const GATE: &str = r#"
[gate.deploy]
baseline = { deployment = "previous" }
window = "10m"
interval = "5m"
count = 3

[[gate.deploy.check]]
name = "checkout"
kind = "shift"
value = "duration"
where = 'route = "/checkout"'
weight = 2

[[gate.deploy.check]]
name = "5xx"
kind = "proportion"
bad = "status >= 500"
min_effect = "2pt"
critical = true

[[gate.deploy.check]]
name = "requests"
kind = "count"
direction = "decrease"
min_effect = "50%"

[[gate.deploy.check]]
name = "fresh"
kind = "freshness"
max_age = "5m"
"#;

#[test]
fn the_exit_status_is_the_answer() {
    let dir = shop();
    let check = |words: &[&str], code: i32, says: &str, why: &str| {
        let ran = run(dir.path(), &[&["check", "shop.log"], words].concat());
        assert_eq!(ran.code, Some(code), "{why}: {words:?}: {}", ran.all());
        let said = format!("{}{}", ran.out, ran.err);
        assert!(said.contains(says), "{why}: {words:?}: {says:?} is not said: {}", ran.all());
    };
    let slow = "p95(duration) < baseline + 10% where route = \"/checkout\"";
    check(&["--rule", "p95(duration) < 1s"], 0, "go, confidence high", "a limit that holds");
    check(&["--rule", "p95(duration) < 50ms"], 1, "rollback, confidence high", "one that does not");
    check(&["--rule", slow], 1, "14:45 UTC (14:43–14:45)", "a change is dated");
    check(&["--rule", slow], 1, "deploy v2", "and the deploy named");
    check(&["--rule", slow, "--exit-zero"], 0, "rollback", "for looking only");
    check(&["--rule", slow, "--fail-on", "inconclusive"], 0, "rollback", "only 0 and 3");
    check(&["--rule", "shift(duration) < 25% per route"], 1, "1 of 3 checks failed", "groups");
    check(&["--rule", "p99(duration) < 1s", "--window", "10s"], 3, "10 of the 30", "too little");
    check(&["--rule", "p95(duraton) < 1s"], 3, "did you mean `duration`?", "a misspelt field");
    check(&["--rule", "avg(res.status) < 300"], 3, "no record has a field", "a missing one");
    check(&["--rule", "p95(duration) < 300"], 2, "did you mean `300ms`?", "no unit");
    check(&["--rule", "p95(duration) <"], 2, "              ^", "the place is shown");
    check(&["--rule", slow, "--gate", "deploy"], 2, "cannot be used with", "two subjects");
    check(&[], 2, "PL070", "nothing to check");
    check(&["--gate", "deploy"], 2, "there is no gate `deploy`", "no such gate");
    check(&["--rule", slow, "--baseline", "yesterday"], 2, "`--baseline` is", "no such baseline");
    check(&["--rule", slow, "--window", "soon"], 2, "`--window` is `soon`", "no length");
    check(&["--rule", slow, "--now", "2020-01-01T00:00Z"], 2, "later than --now", "all is later");
    check(&["--rule", slow, "--write", "pdf=x"], 2, "FORMAT=FILE", "no such format");
    check(&["--rule", slow, "--write", "md=no/such/x.md"], 4, "PL040", "no such directory");
    check(&["--rule", slow, "--write", "md=-"], 2, "-o FORMAT prints", "it made a file `-`");
    let twice = ["--rule", slow, "--write", "md=x", "--write", "json=x"];
    check(&twice, 2, "names `x` twice", "the last one won");
    check(&["--rule", slow, "--history", "typo.jsonl"], 3, "PL076", "it was a go");
    check(&["--rule", slow, "--commit", "c1"], 2, "add --record", "it did nothing");
    check(&["--rule", slow, "--record", "--commit", ""], 2, "--commit", "a commit has a name");
}

#[test]
fn a_warning_moves_the_status_where_it_is_asked_to() {
    let dir = shop();
    configure(&dir, "[[rule]]\nid = \"p\"\nexpr = \"p95(duration) < 50ms\"\nseverity = \"warn\"");
    for (fail_on, code) in [("fail", 0), ("warn", 1), ("inconclusive", 0)] {
        let ran = run(dir.path(), &["check", "shop.log", "--fail-on", fail_on]);
        assert_eq!(ran.code, Some(code), "--fail-on {fail_on}: {}", ran.all());
    }
}

#[test]
fn mistakes_in_the_configuration_are_told_with_their_place() {
    let dir = shop();
    configure(
        &dir,
        "[[rule]]\nid = \"a\"\nexpr = \"p95(duration) < 300 where rout = 1\"\n\
         [[slo]]\nid = \"b\"\ngood = \"status\"\nobjective = \"99%\"",
    );
    let ran = run(dir.path(), &["check", "shop.log"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    insta::assert_snapshot!(ran.err, @r#"
    error: `p95(duration)` needs a time of 0 or more such as `300ms` as its limit, not `300`
     --> plimsoll.toml:4:25
      |
    4 | expr = "p95(duration) < 300 where rout = 1"
      |                         ^^^
      = help: did you mean `300ms`?
    error: `status` needs a comparison such as `= "GET"`, found nothing
     --> plimsoll.toml:7:15
      |
    7 | good = "status"
      |               ^
    error[PL061]: 2 mistakes in rules
      hint: see docs/rules.md
      more: plimsoll explain PL061
    "#);
}

#[test]
fn mistakes_in_rules_are_told_beside_other_problems() {
    let dir = shop();
    configure(
        &dir,
        "[check]\nmin_samples = \"50\"\nbaseline = \"4x-before\"\n\
         [[rule]]\nid = \"a\"\nexpr = \"p95(duration) < 300\"\n\
         [[rule]]\nid = \"b\"\nexpr = \"count() > 5 for 5m\"\nfor = \"10m\"\n\
         [[slo]]\nid = \"a\"\ngood = \"status < 500\"\nobjective = \"99%\"",
    );
    let ran = run(dir.path(), &["check", "shop.log"]);
    assert_eq!((ran.code, ran.out.as_str()), (Some(2), ""));
    for told in [
        "write `50` without quotes",
        "write `{ from = \"4x-before\" }`",
        "`slo[0].id` is `a`, must differ from the one in line 6",
        "did you mean `300ms`?",
        "`for` stands in the expression and as a key of its own",
    ] {
        assert!(ran.err.contains(told), "{told}: {}", ran.err);
    }
}

#[test]
fn what_no_record_has_is_no_pass() {
    let dir = shop();
    for (rule, code, told) in [
        ("count() < 5 where version = \"x\" and event = \"y\"", 3, "no record has a field `event`"),
        ("distinct(service) < 5", 3, "`plimsoll inspect` shows what could be taken for `service`"),
        ("share(sevice = \"x\") < 1%", 3, "did you mean `service`?"),
        ("count() > 5 where event missing", 0, "1 of 1 rule passed"),
        ("count() < 5 where route = \"/chekout\"", 0, "did you mean `/checkout`?"),
        (
            "count() < 5 where route in (\"/search\", \"/x\")",
            1,
            "note: no record has `route = \"/x\"`",
        ),
        ("count() < 5 where severity >= \"error\"", 0, "1 of 1 rule passed"),
    ] {
        let ran = run(dir.path(), &["check", "shop.log", "--rule", rule]);
        assert_eq!(ran.code, Some(code), "{rule}: {}", ran.all());
        let words: Vec<&str> = ran.out.split_whitespace().collect();
        assert!(words.join(" ").contains(told), "{rule}: {}", ran.all());
    }
    let rule = "p95(duration) < 5s where event = \"y\"";
    let ran = run(dir.path(), &["check", "shop.log", "--rule", rule]);
    assert!(ran.out.contains("can't be told — p95(duration) can't be told"), "{}", ran.out);
}

#[test]
fn json_lines_are_no_documents_by_their_name() {
    let dir = shop();
    fs::rename(dir.path().join("shop.log"), dir.path().join("shop.json")).unwrap();
    write_whole(&dir.path().join("report.json"), b"{\"at\":\"2026-11-20T12:00:00Z\",\"n\":1}\n")
        .unwrap();
    for (input, are_documents) in [("shop.json", false), ("report.json", true)] {
        let ran = run(dir.path(), &["init", "--dry-run", input]);
        let says = ran.out.lines().any(|line| line.starts_with("kind = \"documents\""));
        assert_eq!(says, are_documents, "{input}: {}", ran.all());
    }
}

#[test]
fn the_text_says_what_broke_and_what_can_be_done() {
    let dir = shop();
    configure(
        &dir,
        "[[rule]]\nid = \"slower\"\nexpr = \"shift(duration) < 25% per route\"\n\
         [[rule]]\nid = \"failures\"\nexpr = \"share(status >= 500) < baseline + 0.5pt\"",
    );
    let ran = run(dir.path(), &["check", "shop.log"]);
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    insta::assert_snapshot!(ran.out, @r"
    ✖ slower    /checkout shift(duration) 190 % > 25 %
        likely +180 to +200 %, n 240; since Fri 20 Nov 14:45 UTC (14:43–14:45),
        within a minute of deploy v2
        the whole likely range of the change lies beyond the limit
    ✔ slower    / shift(duration) 0 % < 25 %  (likely −5.3 to +5.3 %, n 240)
    ✔ slower    /search shift(duration) 0 % < 25 %  (likely −3.3 to +3.3 %, n 240)
    ✔ failures  share(status >= 500) 0.556 % < 1.02 %  (baseline 0.521 %, likely
      −0.67 to +1.7 points, n 720)

    What you can do:
      O1 rollback v2 (risk low, reversible): what failed goes back to where it was
         before this deploy
         check: plimsoll check shop.log
      O2 fix forward (risk medium, reversible): what failed holds again after the
         fix
      O3 accept (risk medium, reversible): the check counts as passed from now on,
         and hides further drift
         run: plimsoll baseline accept F1 --reason '…'
      O4 do nothing (risk medium, reversible): it stays as it is

    Fri 20 Nov 14:47 UTC – Fri 20 Nov 14:59 UTC, against four times as long before
      (Fri 20 Nov 14:00 UTC – Fri 20 Nov 14:47 UTC); 3,600 records read, 0 skipped
    ✖ plimsoll: 1 of 4 checks failed — /checkout shift(duration) 190 % > 25 % (+180
      to +200 % since v2)
    rollback, confidence high, a person must decide
    ");
}

#[test]
fn a_gate_answers_by_its_score_and_its_critical_checks() {
    let dir = shop();
    let check = |gate: &str, now: &str, code: i32, answer: &str, score: f64, why: &str| {
        configure(&dir, gate);
        let words = ["check", "shop.log", "--gate", "deploy", "--now", now, "--json"];
        let ran = run(dir.path(), &words);
        let decision = ran.json();
        assert_eq!((ran.code, &decision["decision"]), (Some(code), &answer.into()), "{why}");
        assert_eq!(decision["score"], score, "{why}: {}", ran.out);
    };
    let before = GATE.replace("deployment = \"previous\"", "from = \"4x-before\"");
    check(&before, "2026-11-20T14:44:00Z", 0, "go", 100.0, "nothing happened yet");
    check(GATE, "2026-11-20T14:56:00Z", 1, "rollback", 60.0, "the slower route weighs 2 of 5");
    let lenient = GATE.replace("count = 3", "count = 3\nscore = { pass = 90, warn = 50 }");
    check(&lenient, "2026-11-20T14:56:00Z", 3, "hold", 60.0, "between the bars");
    let critical = lenient.replace("weight = 2", "critical = true");
    check(&critical, "2026-11-20T14:56:00Z", 1, "rollback", 75.0, "it decides alone");
}

#[test]
fn the_status_of_a_gate_was_not_its_answer() {
    let dir = shop();
    let one = |limit: &str, weight: u32| {
        format!(
            "[[gate.g.check]]\nname = \"{limit}\"\nkind = \"rule\"\n\
             expr = \"p95(duration) < {limit}\"\nweight = {weight}\n"
        )
    };
    let window = "[gate.g]\nwindow = \"10m\"\n";
    let check = |weight: u32, fail_on: &str, code: i32, says: &str, why: &str| {
        configure(&dir, &[window, &one("10s", weight), &one("1ms", 1)].concat());
        let words = ["check", "shop.log", "--gate", "g", "--fail-on", fail_on];
        let ran = run(dir.path(), &words);
        assert_eq!(ran.code, Some(code), "{why}: {}", ran.all());
        assert!(ran.out.contains(says), "{why}: {}", ran.all());
    };
    check(20, "fail", 0, "go, score 95", "one of 21 failed, and the bar is 90");
    check(20, "warn", 1, "go, score 95", "who asks for more gets it");
    check(4, "fail", 3, "hold, score 80", "between the bars");
    check(1, "fail", 1, "rollback, score 50", "below them");
    check(1, "inconclusive", 0, "rollback, score 50", "only 0 and 3");
}

#[test]
fn a_measurement_that_failed_ended_the_gate() {
    let dir = shop();
    let words = ["check", "shop.log", "--rule", "p95(duration) < 1s", "--watch"];
    let mut running = Command::new(env!("CARGO_BIN_EXE_plimsoll"))
        .args([&words[..], &["--interval", "1s", "--count", "2"]].concat())
        .current_dir(dir.path())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut said = BufReader::new(running.stderr.take().unwrap()).lines().map(Result::unwrap);
    assert!(said.any(|line| line.contains("measurement 1 of 2: go")));
    fs::remove_file(dir.path().join("shop.log")).unwrap();
    let said: Vec<String> = said.collect();
    let output = running.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(3), "{said:?}");
    assert!(said.iter().any(|line| line.contains("PL010")), "{said:?}");
    assert!(String::from_utf8(output.stdout).unwrap().contains("hold"), "{said:?}");
    let ran = run(dir.path(), &["check", "-", "--rule", "count() > 1", "--watch"]);
    assert_eq!(ran.code, Some(2), "a stream is read once: {}", ran.all());
}

#[test]
fn an_objective_on_a_field_that_no_record_has_was_overspent() {
    let dir = shop();
    configure(&dir, "[[slo]]\nid = \"a\"\ngood = \"statuss < 500\"\nobjective = \"99%\"");
    let ran = run(dir.path(), &["check", "shop.log"]);
    assert_eq!(ran.code, Some(3), "{}", ran.all());
    assert!(ran.out.contains("did you mean `status`?"), "{}", ran.all());
}

#[test]
fn events_that_touched_other_windows_were_named_as_left_out() {
    let dir = shop();
    configure(&dir, "[check]\nexclude = [\"maintenance\"]");
    let event = |name: &str, from: &str, until: &str| {
        let (from, until) = (format!("2026-11-20T{from}Z"), format!("2026-11-20T{until}Z"));
        format!(
            "{{\"kind\":\"maintenance\",\"name\":\"{name}\",\"ts\":\"{from}\",\"until\":\"{until}\"}}\n"
        )
    };
    let events = event("old", "14:01:00", "14:02:00") + &event("near", "14:41:00", "14:42:00");
    write_whole(&dir.path().join("events.jsonl"), events.as_bytes()).unwrap();
    let rule = ["--rule", "count() > baseline - 50%", "--window", "5m", "--json"];
    let words = ["check", "shop.log", "--baseline", "4x-before", "--events", "events.jsonl"];
    let ran = run(dir.path(), &[&words[..], &rule].concat());
    let baseline = &ran.json()["baseline"];
    assert_eq!(baseline["excluded"], serde_json::json!(["maintenance near"]), "{}", ran.all());
}

#[test]
fn a_gate_is_watched_at_moments_of_the_data() {
    let dir = shop();
    configure(&dir, &GATE.replace("deployment = \"previous\"", "from = \"4x-before\""));
    let watch = ["check", "shop.log", "--gate", "deploy", "--watch", "--now"];
    let healthy =
        run(dir.path(), &[&watch[..], &["2026-11-20T14:30:00Z", "--count", "2"]].concat());
    assert_eq!(healthy.code, Some(0), "{}", healthy.all());
    let lines = |ran: &Ran| ran.err.lines().filter(|line| line.contains("measurement")).count();
    assert_eq!(lines(&healthy), 2, "{}", healthy.all());
    let at = ["2026-11-20T14:40:00Z", "--interval", "10m", "--count", "5"];
    let broken = run(dir.path(), &[&watch[..], &at].concat());
    assert_eq!(broken.code, Some(1), "{}", broken.all());
    // Half of the second window is slower, which is not beyond doubt among four tests: a hold.
    assert_eq!(lines(&broken), 3, "the first failure ends it: {}", broken.all());
}

/// Names of elements are closed in the order they were opened, and no text makes one.
fn assert_well_formed(xml: &str) {
    let mut open = Vec::new();
    for piece in xml.split('<').skip(1) {
        let (tag, text) = piece.split_once('>').unwrap();
        assert!(!text.contains('>'), "{text}");
        let name = tag.trim_start_matches('/').split([' ', '/']).next().unwrap();
        match tag {
            _ if tag.starts_with('?') || tag.ends_with('/') => {}
            _ if tag.starts_with('/') => assert_eq!(open.pop(), Some(name), "{xml}"),
            _ => open.push(name),
        }
    }
    assert_eq!(open, [""; 0], "{xml}");
}

#[test]
fn every_format_can_be_read_by_its_reader() {
    let dir = shop();
    configure(&dir, "[[rule]]\nid = \"p95\"\nexpr = \"p95(duration) < 50ms per route\"");
    let formats = ["json", "sarif", "gitlab", "junit", "md", "github", "text"];
    let writes: Vec<String> = formats.iter().map(|name| format!("{name}=out.{name}")).collect();
    let mut words = vec!["check", "shop.log"];
    words.extend(writes.iter().flat_map(|write| ["--write", write.as_str()]));
    assert_eq!(run(dir.path(), &words).code, Some(1));
    for format in formats {
        let printed = run(dir.path(), &["check", "shop.log", "-o", format]);
        assert_eq!(printed.code, Some(1), "{format}: {}", printed.err);
        let written = fs::read_to_string(dir.path().join(format!("out.{format}"))).unwrap();
        assert_eq!(printed.out, written, "{format}: the file is what would be printed");
        match format {
            "json" => assert_eq!(printed.json()["schema"], "plimsoll.decision/1"),
            "sarif" => assert_eq!(printed.json()["version"], "2.1.0"),
            "gitlab" => assert_eq!(printed.json()[0]["location"]["lines"]["begin"], 4),
            "junit" => assert_well_formed(&printed.out),
            "md" => assert!(printed.out.starts_with("<!-- plimsoll:check -->\n### ✖ plimsoll:")),
            "github" => assert!(printed.out.starts_with("::error file=plimsoll.toml,line=4,")),
            _ => assert!(printed.out.starts_with("✖ p95"), "{}", printed.out),
        }
    }
}

#[test]
fn a_link_was_replaced_by_a_file() {
    let dir = shop();
    let path = |name: &str| dir.path().join(name);
    write_whole(&path("real.md"), b"old").unwrap();
    std::os::unix::fs::symlink("real.md", path("link.md")).unwrap();
    let words = ["check", "shop.log", "--rule", "p95(duration) < 1s", "--write", "md=link.md"];
    assert_eq!(run(dir.path(), &words).code, Some(0));
    assert!(fs::symlink_metadata(path("link.md")).unwrap().is_symlink());
    assert!(fs::read_to_string(path("real.md")).unwrap().contains("plimsoll"));
}

#[test]
fn annotations_were_beside_the_files_of_a_repository() {
    let dir = shop();
    let service = dir.path().join("svc/api");
    fs::create_dir_all(&service).unwrap();
    let text = "version = 1\n[[rule]]\nid = \"p95\"\nexpr = \"p95(duration) < 50ms\"\n";
    write_whole(&dir.path().join("svc/plimsoll.toml"), text.as_bytes()).unwrap();
    let check = |from: &Path, log: &str, variables: &[(&str, &Path)], why: &str| {
        let ran = run_with(from, &["check", log, "-o", "github"], variables);
        assert!(
            ran.out.starts_with("::error file=svc/plimsoll.toml,line=4"),
            "{why}: {}",
            ran.all()
        );
    };
    let root = fs::canonicalize(dir.path()).unwrap();
    let workspace: [(&str, &Path); 1] = [("GITHUB_WORKSPACE", &root)];
    check(&dir.path().join("svc"), "../shop.log", &workspace, "the place where the runner works");
    fs::create_dir(dir.path().join(".git")).unwrap();
    check(&service, "../../shop.log", &[], "the repository");
}

#[test]
fn github_gets_its_summary_and_its_outputs() {
    let dir = shop();
    let (summary, outputs) = (dir.path().join("summary.md"), dir.path().join("outputs"));
    write_whole(&outputs, b"from=before\n").unwrap();
    let variables = [("GITHUB_STEP_SUMMARY", &*summary), ("GITHUB_OUTPUT", &*outputs)];
    let words = ["check", "shop.log", "--rule", "p95(duration) < 50ms", "-o", "github"];
    let ran = run_with(dir.path(), &words, &variables);
    assert_eq!(ran.code, Some(1), "{}", ran.all());
    let summary = fs::read_to_string(summary).unwrap();
    assert!(summary.starts_with("### ✖ plimsoll: 1 of 1 rule failed"), "{summary}");
    let outputs = fs::read_to_string(outputs).unwrap();
    assert!(outputs.starts_with("from=before\ndecision=rollback\nverdict=fail\n"), "{outputs}");
}

#[test]
fn names_of_hostile_routes_are_inert() {
    const NAMES: [&str; 5] = [
        r"</script><img src=x onerror=X()>",
        r"a|b\n::error file=x,line=1::owned",
        r"\u001b]0;owned\u0007\u202egnp",
        r"x]]><failure message='y'/>",
        r"[x](javascript:X()) ##[error]owned",
    ];
    let dir = tempdir().unwrap();
    let mut text = String::new();
    for second in 0..1_000_u64 {
        let (route, at) = (NAMES[second as usize % 5], START_MS + second * 1_000);
        let _ = writeln!(text, r#"{{"time":{at},"op":"{route}","status":200,"duration_ms":90}}"#);
    }
    write_whole(&dir.path().join("a.log"), text.as_bytes()).unwrap();
    for format in ["text", "json", "sarif", "gitlab", "junit", "md", "github"] {
        let rule = ["--rule", "p95(duration) < 50ms per op", "-o", format];
        let ran = run(dir.path(), &[&["check", "a.log"], &rule[..]].concat());
        assert_eq!(ran.code, Some(1), "{format}: {}", ran.all());
        let is_loud = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
        assert_eq!(ran.out.chars().find(|c| is_loud(*c)), None, "{format}");
        let commands = ran.out.lines().filter(|line| line.trim_start().starts_with("::"));
        let is_own = |line: &str| line.starts_with("::error title=") && format == "github";
        assert_eq!(commands.filter(|line| !is_own(line)).count(), 0, "{format}: {}", ran.out);
        match format {
            "json" | "sarif" | "gitlab" => assert!(ran.json().to_string().contains("owned")),
            "junit" => assert_well_formed(&ran.out),
            "md" => {
                let active = ran.out.replace("\\]", "");
                assert!(!active.contains("<img") && !active.contains("](java"), "{active}");
            }
            _ => assert!(!ran.out.contains("##[error]"), "{format}: {}", ran.out),
        }
    }
}

#[test]
fn the_same_logs_give_the_same_bytes() {
    let dir = shop();
    let words = ["check", "shop.log", "--rule", "shift(duration) < 25% per route", "--json"];
    let (first, second) = (run(dir.path(), &words), run(dir.path(), &words));
    assert_eq!(first.out, second.out);
    assert!(first.out.contains("/checkout"));
}

#[test]
fn the_store_gives_the_numbers_of_the_file() {
    let dir = shop();
    assert_eq!(run(dir.path(), &["init", "shop.log"]).code, Some(0));
    let from_file = run(dir.path(), &["check", "shop.log", "--json"]);
    assert_eq!(run(dir.path(), &["collect", "--once"]).code, Some(0));
    let from_store = run(dir.path(), &["check", "--json"]);
    assert_eq!((from_file.code, from_store.code), (Some(1), Some(1)), "{}", from_store.err);
    for part in ["decision", "checks", "window", "baseline", "coverage"] {
        assert_eq!(from_file.json()[part], from_store.json()[part], "{part}");
    }
}

/// Whether a value is as a JSON schema says, for what schemars writes of types.
fn fits(schema: &Value, value: &Value, root: &Value) -> bool {
    if let Some(name) = schema["$ref"].as_str() {
        return fits(root.pointer(name.trim_start_matches('#')).unwrap(), value, root);
    }
    if let Some(some) = schema["anyOf"].as_array().or(schema["oneOf"].as_array()) {
        return some.iter().any(|one| fits(one, value, root));
    }
    if let Some(constant) = schema.get("const") {
        return constant == value;
    }
    let has_type = |name: &Value| match name.as_str() {
        Some("null") => value.is_null(),
        Some("integer") => value.is_u64() || value.is_i64(),
        Some("number") => value.is_number(),
        Some("string") => value.is_string(),
        Some("boolean") => value.is_boolean(),
        Some("array") => value.is_array(),
        Some("object") => value.is_object(),
        other => panic!("the schema has the type {other:?}"),
    };
    let is_typed = match &schema["type"] {
        Value::Null => true,
        Value::Array(names) => names.iter().any(has_type),
        name => has_type(name),
    };
    let list = |schema: &Value| schema.as_array().cloned().unwrap_or_default();
    let is_listed = schema.get("enum").is_none_or(|all| list(all).contains(value));
    let has_all = !value.is_object()
        || list(&schema["required"]).iter().all(|name| value.get(name.as_str().unwrap()).is_some());
    let items = list(value).iter().all(|item| fits(&schema["items"], item, root));
    let known = |name: &String| schema["properties"].get(name);
    let parts = value.as_object().is_none_or(|parts| {
        parts.iter().all(|(name, part)| known(name).is_none_or(|known| fits(known, part, root)))
    });
    is_typed && is_listed && has_all && items && parts
}

#[test]
fn a_decision_is_as_its_schema_says() {
    let dir = shop();
    let schema = run(dir.path(), &["schema", "decision"]).json();
    let rules = ["--rule", "shift(duration) < 25% per route", "--rule", "p95(nosuch) < 1"];
    let mut decision =
        run(dir.path(), &[&["check", "shop.log", "--json"], &rules[..]].concat()).json();
    assert!(fits(&schema, &decision, &schema), "{decision:#}");
    for (place, wrong) in [("/decision", "perhaps"), ("/checks/0/n", "many")] {
        let right = std::mem::replace(decision.pointer_mut(place).unwrap(), wrong.into());
        assert!(!fits(&schema, &decision, &schema), "{place} is {wrong} and nobody says so");
        *decision.pointer_mut(place).unwrap() = right;
    }
}

#[test]
fn maintenance_is_muted_shown_and_replayed() {
    let dir = shop();
    let calendar = |mute: &str, until: &str| {
        configure(
            &dir,
            &format!(
                "[check]\nwindow = \"15m\"\nbaseline = {{ from = \"4x-before\" }}\nmute = [{mute}]\n\
                 [[calendar]]\nname = \"platform\"\ninclude = [\"calendar/*.json\"]\n\
                 [[rule]]\nid = \"checkout\"\n\
                 expr = 'p95(duration) < baseline + 10% where route = \"/checkout\"'\n"
            ),
        );
        let event = format!(
            r#"{{"window":{{"start":"2026-11-20T14:45:00Z","end":"{until}"}},"title":"new index","type":"mantenimiento"}}"#
        );
        fs::create_dir_all(dir.path().join("calendar")).unwrap();
        write_whole(&dir.path().join("calendar/a.json"), event.as_bytes()).unwrap();
        write_whole(&dir.path().join("calendar/b.json"), b"{\"title\":\"no day\"}").unwrap();
        run(dir.path(), &["check", "shop.log", "--json"])
    };
    let now = ["watch", "shop.log", "--once", "--now", "2026-11-20T15:00:00Z"];

    let plain = calendar("", "2026-11-20T15:00:00Z");
    assert_eq!(plain.code, Some(1), "{}", plain.all());
    assert_eq!(run(dir.path(), &now).code, Some(1), "the alert fires");

    let muted = calendar("\"maintenance\"", "2026-11-20T15:00:00Z");
    assert_eq!(muted.code, Some(0), "{}", muted.all());
    let json = muted.json();
    assert_eq!(json["checks"][0]["verdict"], "fail");
    assert_eq!(json["checks"][0]["muted"], "maintenance new index");
    let trouble = "note: calendar `platform`: `";
    assert!(muted.err.contains(trouble) && muted.err.contains("b.json`: none of"), "{}", muted.err);
    assert!(json["method"]["notes"].to_string().contains("b.json"), "{json}");
    let kept = dir.path().join(".plimsoll/last-decision.json");
    let again = run(dir.path(), &["check", "--replay", kept.to_str().unwrap()]);
    assert!(again.out.starts_with("same answer: go, measured again"), "{}", again.all());
    assert_eq!(run(dir.path(), &now).code, Some(0), "no alert fires");

    let over = calendar("\"maintenance\"", "2026-11-20T14:50:00Z");
    assert_eq!(over.code, Some(1), "it is over, and still slow: {}", over.all());
    assert_eq!(over.json()["checks"][0]["muted"], Value::Null);
    assert_eq!(run(dir.path(), &now).code, Some(1), "the alert fires now");
}
