//! The `plimsoll` binary as a user, a script and a hostile log meet it.
//!
//! What needs something this machine does not have (a second user, a mount) says so and ends.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use tempfile::{TempDir, tempdir};

const PLATFORM: &str = "fixtures/platform";
const GOOD: &str = "fixtures/bad/good.log.gz";
const HOSTILE: &str = "fixtures/hostile/hostile.log";

/// How a run of the command ended.
struct Ran {
    /// `None` when a signal ended it.
    code: Option<i32>,
    out: String,
    err: String,
}

#[test]
fn what_cannot_be_used_is_named_with_its_code() {
    let dir = tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    fs::create_dir(path("empty")).unwrap();
    let check = |words: &[&str], code: i32, says: &str| {
        let ran = run(words);
        let clue = format!("plimsoll {words:?}\n{}{}", ran.out, ran.err);
        assert_eq!(ran.code, Some(code), "{clue}");
        assert!(ran.err.contains(says), "{says:?} is not said by {clue}");
        assert!(!ran.err.contains("panicked"), "{clue}");
        assert_eq!(ran.out, "", "standard output is for data: {clue}");
    };
    let missing = path("missing.log");
    check(&["report", &missing], 4, &format!("error[PL010]: cannot read `{missing}`"));
    check(&["report", &path("empty")], 4, "error[PL012]: no log files in directory");
    check(&["report", &path("*.log")], 4, "error[PL012]");
    check(&["report", "fixtures/bad/binary.log"], 4, "error[PL013]");
    check(&["report", "fixtures/bad/empty.log"], 3, "error[PL014]");
    check(&["report", "fixtures/bad/truncated.log.gz"], 4, "error[PL011]");
    check(&["report", "fixtures/bad/no-time.log"], 3, "--time FIELD");
    check(&["report", "-", "-"], 2, "more than once");
    check(&["report"], 2, "error[PL062]: there is no plimsoll.toml here or above");
    check(&["report", GOOD, "--last", "soon"], 2, "error[PL002]: `--last` is `soon`");
    check(&["report", GOOD, "--timezone", "Mars"], 2, "no time zone");
    check(&["report", GOOD, "--duration", "took:hours"], 2, "units are ns, us, ms and s");
    check(&["report", GOOD, "--events", &missing], 4, "missing.log");
    check(&["query", GOOD, "nosuch"], 2, "error[PL032]: there is no saved query `nosuch`");
    check(&["query", GOOD, "submissions-per-subject"], 3, "needs the field `academic.subject`");
    check(&["query", GOOD, "SELEC 1"], 2, "error[PL030]: not SQL");
    check(&["query", GOOD, "SELECT nosuch FROM logs"], 2, "nosuch");
    check(&["query", GOOD, "SELECT 1; SELECT 2"], 2, "error[PL030]");
    check(&["query", GOOD, "SELECT * FROM read_csv('/etc/passwd')"], 2, "read_csv");
    check(&["query", GOOD, "SELECT * FROM '/etc/passwd'"], 2, "error[PL030]");
    check(&["compare", GOOD], 2, "two inputs, --at TIME or --by FIELD");
    check(&["lines", "F1", "--report", &missing], 4, "run `plimsoll report` first");
    check(&["explain", "PL999"], 2, "there is no error code `PL999`");
    check(&["schema", "nosuch"], 2, "try report, decision, replay, baseline");
    check(&["demo", &path(""), "--days", "0"], 2, "error[PL002]");
    check(&["nosuch"], 2, "unrecognized subcommand");
}

#[test]
fn an_error_says_the_thing_the_way_out_and_where_to_read_more() {
    insta::assert_snapshot!(run(&["report", "fixtures/bad/truncated.log.gz"]).err, @r"
    error[PL011]: `fixtures/bad/truncated.log.gz` is a damaged or incomplete gzip file: only 14134 bytes came out: incomplete deflate stream
      hint: copy it again, or read what is there: gzip -dc fixtures/bad/truncated.log.gz | plimsoll … -
      more: plimsoll explain PL011
    ");
}

#[test]
fn what_may_not_be_read_is_an_unusable_input() {
    // Opens for everybody and fails at the first read, also for root.
    if cfg!(target_os = "linux") {
        let ran = run(&["inspect", "/proc/self/mem"]);
        assert_eq!(ran.code, Some(4), "{}", ran.err);
        assert!(ran.err.starts_with("error[PL010]: cannot read `/proc/self/mem`"), "{}", ran.err);
    }
    let dir = tempdir().unwrap();
    let path = dir.path().join("secret.log");
    fs::File::create(&path).unwrap().set_permissions(Permissions::from_mode(0o000)).unwrap();
    if fs::File::open(&path).is_ok() {
        println!("not tested: this user may read everything");
        return;
    }
    let ran = run(&["inspect", &path.display().to_string()]);
    assert_eq!(ran.code, Some(4), "{}", ran.err);
}

#[test]
fn no_duration_is_no_failure() {
    let ran = run(&["report", "fixtures/bad/no-duration.log", "-o", "text", "--exit-zero"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert!(ran.out.contains("no field holds a duration"), "{}", ran.out);
}

#[test]
fn exit_codes_say_what_the_report_says() {
    let check = |words: &[&str], code: i32| {
        let ran = run(&[&["report", "-o", "json"], words].concat());
        assert_eq!(ran.code, Some(code), "{words:?}: {}", ran.err);
        let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        assert_eq!(report["schema"], "plimsoll.report/1");
    };
    check(&[PLATFORM], 1);
    check(&[PLATFORM, "--exit-zero"], 0);
    check(&[PLATFORM, "--fail-on", "inconclusive"], 0);
    let quiet = demo(&["--incident", "none"]);
    check(&[&quiet.path().join("d").display().to_string()], 0);
}

#[test]
fn a_full_disk_is_said_and_leaves_nothing_half_written() {
    let mut command = plimsoll(&["query", GOOD, "SELECT body FROM logs", "-o", "jsonl"]);
    command.stdout(fs::OpenOptions::new().write(true).open("/dev/full").unwrap());
    let ran = finish(command.spawn().unwrap());
    assert_eq!(ran.code, Some(4), "{}", ran.err);
    assert!(ran.err.starts_with("error[PL040]: cannot write to standard output"), "{}", ran.err);

    let dir = tempdir().unwrap();
    let mount = ["-t", "tmpfs", "-o", "size=64k", "tmpfs"];
    let mounted = Command::new("mount").args(mount).arg(dir.path()).output();
    if !mounted.is_ok_and(|output| output.status.success()) {
        println!("not tested: no small file system can be mounted here");
        return;
    }
    let target = dir.path().join("report");
    let ran = run(&["report", PLATFORM, "-d", &target.display().to_string()]);
    let left = tree(dir.path());
    assert!(Command::new("umount").arg(dir.path()).status().unwrap().success());
    assert_eq!(ran.code, Some(4), "{}", ran.err);
    assert!(ran.err.contains("error[PL040]") && ran.err.contains("--dir DIR"), "{}", ran.err);
    let whole = ["report.alt.txt", "report.html", "report.json", "report.md", "report.png"];
    let whole = whole.map(|name| format!("report/{name}"));
    assert!(left.keys().all(|name| whole.contains(name)), "{:?}", left.keys());
}

#[test]
fn a_reader_that_has_seen_enough_is_no_failure() {
    let mut command = plimsoll(&["query", PLATFORM, "SELECT body FROM logs", "-o", "jsonl"]);
    let mut child = command.spawn().unwrap();
    let mut first = [0; 1];
    child.stdout.take().unwrap().read_exact(&mut first).unwrap();
    let ran = finish(child);
    assert_eq!((ran.code, first), (Some(0), *b"{"), "{}", ran.err);
    assert!(!ran.err.contains("error"), "{}", ran.err);
}

#[test]
fn an_interrupt_ends_with_130() {
    let record = r#"{"time":"2026-11-18T14:12:00Z","level":"info","msg":"x","status":200}"#;
    let mut child = plimsoll(&["report", "-", "-o", "json"]).stdin(Stdio::piped()).spawn().unwrap();
    let mut input = child.stdin.take().unwrap();
    // Ends with a broken pipe when the command does.
    let (much, is_read) = mpsc::channel();
    let feeder = thread::spawn(move || {
        let mut lines = 0_u32;
        while writeln!(input, "{record}").is_ok() {
            lines += 1;
            if lines == 200_000 {
                let _ = much.send(());
            }
        }
    });
    let mut says = BufReader::new(child.stderr.take().unwrap());
    let mut line = String::new();
    says.read_line(&mut line).unwrap();
    assert!(line.starts_with("read -: JSON lines"), "{line}");
    while !line.contains("using") {
        says.read_line(&mut line).unwrap();
    }
    // Far more than a pipe and a sample hold: signals are caught, and records are being read.
    is_read.recv().unwrap();
    let kill = format!("kill -INT {}", child.id());
    assert!(Command::new("sh").args(["-c", &kill]).status().unwrap().success());
    let mut rest = String::new();
    says.read_to_string(&mut rest).unwrap();
    let ran = finish(child);
    feeder.join().unwrap();
    assert_eq!((ran.code, ran.out.as_str()), (Some(130), ""), "{line}{rest}");
    assert!(rest.contains("error[PL050]: interrupted"), "{rest}");
}

#[test]
fn standard_input_reads_like_a_file() {
    let log = fs::read("fixtures/bad/no-duration.log").unwrap();
    let sql = "SELECT status, COUNT(*) AS n FROM logs GROUP BY status ORDER BY status";
    let mut child = plimsoll(&["query", "-", sql]).stdin(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(&log).unwrap();
    let ran = finish(child);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    assert_eq!(ran.out, run(&["query", "fixtures/bad/no-duration.log", sql]).out);
    assert!(ran.out.lines().count() > 2, "{}", ran.out);
}

#[test]
fn help_version_and_explanations_are_there() {
    let version = run(&["--version"]);
    assert_eq!(version.out, format!("plimsoll {}\n", env!("CARGO_PKG_VERSION")));
    let help = run(&["--help"]);
    assert_eq!(help.code, Some(0));
    assert!(help.out.contains("Exit status: 0 yes"), "{}", help.out);
    for command in commands() {
        let help = run(&[&command, "--help"]);
        assert_eq!((help.code, help.err.as_str()), (Some(0), ""), "{command}");
        let first = help.out.chars().next().unwrap_or_default();
        assert!(first.is_uppercase() && help.out.lines().all(|l| l.len() <= 120), "{}", help.out);
    }
    let all = run(&["explain"]).out;
    let codes: BTreeSet<&str> = all.lines().filter_map(|line| line.split(' ').next()).collect();
    assert!(codes.len() > 10 && codes.iter().all(|code| code.starts_with("PL")), "{codes:?}");
    for code in codes {
        assert!(all.contains(&run(&["explain", &code.to_lowercase()]).out), "{code}");
    }
    assert_eq!(run(&[]).code, Some(2), "no command is a usage error");
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let dir = tempdir().unwrap();
    let report = |name: &str, before: &[&str]| {
        let target = dir.path().join(name);
        let words = ["report", PLATFORM, "--exit-zero", "-d", target.to_str().unwrap()];
        let ran = match before {
            [] => run(&words),
            [program, arguments @ ..] => {
                let mut command = Command::new(program);
                command.args(arguments).arg(env!("CARGO_BIN_EXE_plimsoll")).args(words);
                finish(piped(&mut command).spawn().unwrap())
            }
        };
        assert_eq!(ran.code, Some(0), "{name}: {}", ran.err);
        (tree(&target), ran.out)
    };
    let (first, summary) = report("first", &[]);
    let names: Vec<&str> = first.keys().map(String::as_str).collect();
    insta::assert_snapshot!(names.join(" "), @"report.alt.txt report.html report.json report.md report.png");
    assert!(first["report.png"].starts_with(b"\x89PNG"), "report.png is no PNG");
    same(&first, &report("second", &[]).0);
    let Some(cpu) = an_allowed_cpu() else {
        println!("not tested: one thread, for `taskset` is not here");
        return;
    };
    let (alone, alone_summary) = report("alone", &["taskset", "-c", &cpu]);
    same(&first, &alone);
    assert_eq!(summary, alone_summary);
}

#[test]
fn the_demo_makes_the_platform_fixture_again() {
    let again = demo(&["--seed", "7", "--brief"]);
    let fixture =
        tree(Path::new(PLATFORM)).into_iter().map(|(name, bytes)| match name.strip_suffix(".gz") {
            Some(plain) => {
                let mut text = Vec::new();
                flate2::read::GzDecoder::new(bytes.as_slice()).read_to_end(&mut text).unwrap();
                (plain.to_owned(), text)
            }
            None => (name, bytes),
        });
    same(&fixture.collect(), &tree(&again.path().join("d")));
}

#[test]
fn a_pipe_gets_no_colour_and_always_means_always() {
    let text = ["report", PLATFORM, "-o", "text"];
    for words in [&text[..], &["inspect", PLATFORM], &["query", GOOD, "slow-routes"], &["--help"]] {
        let ran = run(words);
        assert!(!ran.out.contains('\u{1b}') && !ran.err.contains('\u{1b}'), "{words:?}");
    }
    let coloured = run(&[&text[..], &["--color", "always"]].concat());
    assert!(coloured.out.contains('\u{1b}'), "--color always");
    let ascii = run(&[&text[..], &["--ascii"]].concat());
    assert!(ascii.out.is_ascii() && ascii.err.is_ascii(), "{}{}", ascii.out, ascii.err);
}

#[test]
fn hostile_text_is_inert_wherever_it_is_written() {
    let columns = "SELECT message, user, version, route, request_id, body FROM logs";
    let outputs: [&[&str]; 8] = [
        &["report", HOSTILE, "-o", "text"],
        &["report", HOSTILE, "-o", "md"],
        &["report", HOSTILE, "-o", "html"],
        &["inspect", HOSTILE],
        &["lines", HOSTILE],
        &["query", HOSTILE, columns],
        &["query", HOSTILE, columns, "-o", "csv"],
        &["query", HOSTILE, "templates"],
    ];
    for words in outputs {
        let ran = run(words);
        assert!(ran.out.len() > 100, "{words:?} wrote next to nothing: {}", ran.err);
        for text in [&ran.out, &ran.err] {
            let hostile = text.chars().find(|c| is_hostile(*c) && *c != '\t');
            assert_eq!(hostile, None, "{words:?} wrote {hostile:?}");
        }
    }
}

#[test]
fn hostile_text_is_no_markup_and_no_formula() {
    let markup = ["<img", "<script", "<svg/", "</script><", "<b>error", "](javascript:"];
    let markdown = run(&["report", HOSTILE, "-o", "md"]).out;
    let active = markdown.replace("\\[", "").replace("\\]", "");
    for pattern in markup {
        assert!(!active.contains(pattern), "Markdown holds {pattern}");
    }
    assert!(!markdown.lines().any(|line| line.starts_with("::")), "a command of a CI runner");
    let bars = |line: &str| line.replace("\\|", "").matches('|').count();
    let (table, _) = markdown.split_once("\n\n## Data").unwrap();
    let (_, table) = table.rsplit_once("## Routes\n\n").unwrap();
    let rows: Vec<usize> = table.lines().filter(|line| line.starts_with('|')).map(bars).collect();
    assert!(rows.len() > 10 && rows.iter().all(|row| *row == rows[0]), "{rows:?}");

    let html = run(&["report", HOSTILE, "-o", "html"]).out;
    for pattern in ["<img", "<svg/onload", "<b>error", "href=\"javascript:"] {
        assert!(!html.contains(pattern), "HTML holds {pattern}");
    }

    let sql = "SELECT message, user, version, route, request_id FROM logs";
    let csv = run(&["query", HOSTILE, sql, "-o", "csv"]).out;
    let cells = cells(&csv);
    let is_formula = |cell: &&String| cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    assert_eq!(cells.iter().find(is_formula), None);
    assert!(cells.iter().any(|cell| cell.starts_with("'=cmd|")), "the fixture holds a formula");
}

/// A log of `count` lines, one a second from 10:00 on, each by its number.
fn log_of(dir: &TempDir, name: &str, count: usize, line: impl Fn(usize, &str) -> String) -> String {
    let lines = (0..count).map(|i| {
        let (hour, minute, second) = (10 + i / 3600, i / 60 % 60, i % 60);
        line(i, &format!("2026-11-18T{hour:02}:{minute:02}:{second:02}Z")) + "\n"
    });
    write(dir, name, lines.collect::<String>().as_bytes())
}

fn write(dir: &TempDir, name: &str, bytes: &[u8]) -> String {
    let path = dir.path().join(name);
    fs::File::create(&path).unwrap().write_all(bytes).unwrap();
    path.display().to_string()
}

fn request(i: usize, time: &str) -> String {
    format!(r#"{{"time":"{time}","route":"/a","status":200,"duration_ms":{}}}"#, i % 90)
}

#[test]
fn a_field_that_begins_late_is_no_field_that_is_missing() {
    let dir = tempdir().unwrap();
    let late = log_of(&dir, "late.log", 20_000, |i, time| match i {
        ..15_000 => format!(r#"{{"time":"{time}","route":"/a","status":200}}"#),
        _ => request(i, time),
    });
    let inspected = run(&["inspect", &late, "--json"]).out;
    assert!(inspected.contains("\"with_duration\": 5000"), "{inspected}");
    // A field in a few records that no sample sees is believed when it is named.
    let rare = log_of(&dir, "rare.log", 20_000, |i, time| match i {
        7_001 => format!(r#"{{"time":"{time}","lag":7}}"#),
        _ => request(i, time),
    });
    let ran = run(&["inspect", &rare, "--duration", "lag:ms", "--json"]);
    assert!(ran.out.contains("\"with_duration\": 1,"), "{}{}", ran.out, ran.err);
    let ran = run(&["report", &rare, "--duration", "lagg:ms", "-o", "text"]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("error[PL021]: no record has the field `lagg`"), "{}", ran.err);
}

#[test]
fn log_text_is_no_command_to_a_ci_runner() {
    let dir = tempdir().unwrap();
    let hostile = log_of(&dir, "host.log", 40, |_, time| {
        format!(
            r#"{{"time":"{time}","version":"1\n::error::v","message":"::set-output name=a::b","note":"x\n::error::boom\n##[error]y"}}"#
        )
    });
    let evil = dir.path().join("evil\n::error::x.log").display().to_string();
    fs::copy(&hostile, &evil).unwrap();
    let select = "SELECT message, note, version FROM logs";
    let outputs: [&[&str]; 7] = [
        &["query", &hostile, select],
        &["query", &hostile, select, "-o", "csv"],
        &["inspect", &evil],
        &["lines", &evil],
        &["compare", &evil, "--at", "2026-11-18T10:00:20Z"],
        &["report", &evil, "-o", "text"],
        &["report", "missing\n::error::x.log"],
    ];
    for words in outputs {
        let ran = run(words);
        for line in ran.out.lines().chain(ran.err.lines()) {
            let command = line.trim_start().starts_with("::") || line.contains("##[");
            assert!(!command, "{words:?} wrote the line {line}");
        }
    }
    let raw = run(&["query", &hostile, select, "-o", "csv", "--raw"]).out;
    assert!(raw.contains("\n::error::boom\n##[error]y"), "--raw is exact: {raw}");
}

#[test]
fn a_damaged_archive_among_others_stops_nothing() {
    let dir = tempdir().unwrap();
    log_of(&dir, "a.log", 50, request);
    fs::copy("fixtures/bad/truncated.log.gz", dir.path().join("b.log.gz")).unwrap();
    let path = dir.path().display().to_string();
    let ran = run(&["inspect", &path, "--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let understood: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert!(understood["records"].as_u64() > Some(60), "what could be read counts: {}", ran.out);
    let notes = understood["notes"].as_array().unwrap();
    assert!(notes.iter().any(|note| note["kind"] == "damaged"), "{notes:?}");
    assert!(ran.err.contains("b.log.gz` is a damaged or incomplete gzip"), "{}", ran.err);
    let piped = fs::File::open("fixtures/bad/truncated.log.gz").unwrap();
    let ran = finish(plimsoll(&["inspect", "-"]).stdin(piped).spawn().unwrap());
    assert_eq!(ran.code, Some(4));
    assert!(ran.err.contains("… | gzip -dc | plimsoll … -"), "{}", ran.err);
}

#[test]
fn a_named_input_that_is_no_log_is_not_passed_over() {
    let dir = tempdir().unwrap();
    let good = log_of(&dir, "good.log", 50, request);
    let ran = run(&["report", "fixtures/bad/binary.log", &good, "-o", "text"]);
    assert_eq!(ran.code, Some(4), "{}", ran.err);
    assert!(ran.err.contains("error[PL013]: `fixtures/bad/binary.log`"), "{}", ran.err);
    assert!(ran.err.contains("iconv -f ENCODING"), "{}", ran.err);
    fs::copy("fixtures/bad/binary.log", dir.path().join("bin.log")).unwrap();
    std::os::unix::fs::symlink("/etc/hostname", dir.path().join("out.log")).unwrap();
    let ran = run(&["inspect", &dir.path().display().to_string()]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    for said in ["bin.log` is not text", "out.log` is a link out of the directory"] {
        assert!(ran.out.contains(said), "{said}: {}", ran.out);
    }
}

#[test]
fn what_was_said_about_fields_is_said_again() {
    let dir = tempdir().unwrap();
    let slower = |i: usize| if i < 5_000 { i % 40 } else { 300 + i % 40 };
    let log = log_of(&dir, "odd.log", 10_000, |i, time| {
        format!(r#"{{"when":"{time}","was":"/a","x":{},"status":200}}"#, slower(i))
    });
    let target = dir.path().join("r").display().to_string();
    let fields = ["--time", "when", "--duration", "x:ms", "--group-by", "was"];
    let ran = run(&[&["report", &log, "-d", &target, "--exit-zero"], &fields[..]].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let file = dir.path().join("r/report.json").display().to_string();
    let report: serde_json::Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    let commands: Vec<String> = report["findings"][0]["options"]
        .as_array()
        .unwrap()
        .iter()
        .map(|option| option["verify"].as_array().unwrap().iter())
        .map(|words| words.map(|word| word.as_str().unwrap()).collect::<Vec<_>>().join(" "))
        .collect();
    let compare = commands.iter().find(|c| c.starts_with("plimsoll compare")).unwrap();
    assert!(compare.ends_with("--time when --duration x:ms --group-by was"), "{compare}");
    let ran = run(&["lines", "F1", "--report", &file, "-n", "3"]);
    assert_eq!((ran.code, ran.out.lines().count()), (Some(0), 3), "{}", ran.err);
    assert!(ran.out.lines().all(|line| line.contains("\"x\":3")), "{}", ran.out);
}

#[test]
fn records_that_are_not_shown_are_counted() {
    let dir = tempdir().unwrap();
    let log = log_of(&dir, "a.log", 25, request);
    let check = |words: &[&str], shown: usize, says: &str| {
        let ran = run(&[&["lines", &log], words].concat());
        assert_eq!((ran.code, ran.out.lines().count()), (Some(0), shown), "{words:?} {}", ran.err);
        assert!(
            ran.err.contains(says) && says.is_empty() != ran.err.contains("more not"),
            "{}",
            ran.err
        );
    };
    check(&[], 20, "5 more not shown");
    check(&["-n", "1"], 1, "24 more not shown");
    check(&["-n", "25"], 25, "");
    check(&["-n", "0"], 25, ""); // all of them
}

#[test]
fn a_report_of_standard_input_has_no_lines_to_show() {
    let dir = tempdir().unwrap();
    let slower = |i: usize| if i < 5_000 { i % 40 } else { 300 + i % 40 };
    let log = log_of(&dir, "a.log", 10_000, |i, time| {
        format!(r#"{{"time":"{time}","route":"/a","duration_ms":{},"status":200}}"#, slower(i))
    });
    let target = dir.path().join("r").display().to_string();
    let words = ["report", "-", "-d", &target, "--exit-zero"];
    let piped = fs::File::open(log).unwrap();
    assert_eq!(finish(plimsoll(&words).stdin(piped).spawn().unwrap()).code, Some(0));
    let ran = run(&["lines", "F1", "--report", &format!("{target}/report.json")]);
    assert_eq!(ran.code, Some(2), "{}", ran.err);
    assert!(ran.err.contains("was made of standard input"), "{}", ran.err);
}

#[test]
fn ascii_means_every_command() {
    let dir = tempdir().unwrap();
    let log = log_of(&dir, "a.log", 90, |i, time| {
        request(i, time).replace("/a", "/año").replace("200", "200,\"message\":\"ñandú\"")
    });
    let select = "SELECT message, route FROM logs";
    let outputs: [&[&str]; 6] = [
        &["inspect", &log],
        &["compare", &log, "--at", "2026-11-18T10:00:45Z"],
        &["query", &log, select],
        &["query", "--list"],
        &["lines", &log],
        &["explain"],
    ];
    for words in outputs {
        let ran = run(&[words, &["--ascii"]].concat());
        let other = ran.out.chars().chain(ran.err.chars()).find(|c| !c.is_ascii());
        assert_eq!(other, None, "{words:?}");
        assert!(!ran.out.is_empty(), "{words:?}: {}", ran.err);
    }
}

#[test]
fn a_great_number_in_another_key_rejects_no_record() {
    let dir = tempdir().unwrap();
    let log = log_of(&dir, "a.log", 30, |i, time| {
        request(i, time).replace('}', ",\"big\":1e400,\"n\":2e2}")
    });
    let ran = run(&["inspect", &log, "--json"]);
    assert!(ran.out.contains("\"rejected\": 0,"), "{}", ran.out);
    let attrs = run(&["query", &log, "SELECT attrs FROM logs LIMIT 1", "-o", "csv", "--raw"]).out;
    assert!(attrs.contains(r#"""big"":1e400,""n"":2e2"#), "numbers as written: {attrs}");
    // Wanted as a number it has no value; the record stays.
    let ran = run(&["inspect", &log, "--duration", "big:ms", "--json"]);
    assert!(ran.out.contains("\"with_duration\": 0,"), "{}{}", ran.out, ran.err);
    assert!(ran.out.contains("\"rejected\": 0,"), "{}", ran.out);
}

#[test]
fn a_negative_value_is_a_value_and_a_senseless_one_is_refused() {
    let dir = tempdir().unwrap();
    let log = log_of(&dir, "a.log", 30, |i, time| match i {
        3 => request(i, time).replace("200", "-1"),
        _ => request(i, time),
    });
    let ran = run(&["lines", &log, "--status", "-1"]);
    assert_eq!((ran.code, ran.out.lines().count()), (Some(0), 1), "{}", ran.err);
    for effect in ["-5", "nan", "inf", "1001"] {
        let ran = run(&["compare", &log, &log, "--min-effect", effect]);
        assert_eq!(ran.code, Some(2), "{effect}: {}", ran.err);
        assert!(ran.err.contains("error[PL002]: `--min-effect` is"), "{}", ran.err);
    }
    let check = |words: &[&str], says: &str| {
        let ran = run(&[&["report", &log, "-o", "text"], words].concat());
        assert_eq!(ran.code, Some(2), "{words:?}: {}", ran.err);
        assert!(ran.err.contains("error[PL002]") && ran.err.contains(says), "{}", ran.err);
    };
    check(&["--timezone", "-33:00"], "time zone");
    check(&["--last", "1us"], "too short");
    check(&["--window", "100ms"], "from 1s");
    let ran = run(&["report", &log, "-o", "text", "--exit-zero", "--project", ""]);
    assert!(ran.out.lines().next().unwrap().contains("a.log"), "{}", ran.out);
}

#[test]
fn inputs_that_differ_are_shown_each_and_none_is_dropped_in_silence() {
    let dir = tempdir().unwrap();
    for i in 0..5 {
        log_of(&dir, &format!("{i}.log"), 20, |_, time| {
            format!(r#"{{"time":"{time}","took{i}_ms":1,"took":2,"status{i}":200,"m{i}":1}}"#)
                .replace(
                    "\"took\"",
                    ["\"took\"", "\"elapsed\"", "\"latency_ms\"", "\"duration\"", "\"took_ms\""][i],
                )
        });
    }
    let path = dir.path().display().to_string();
    let ran = run(&["inspect", &path]);
    assert_eq!(ran.out.matches("fields taken of").count(), 5, "{}", ran.out);
    let ran = run(&["report", &path, "-o", "text", "--exit-zero"]);
    assert!(ran.err.contains("read 2 more inputs with other fields"), "{}", ran.err);
}

#[test]
fn what_is_missing_comes_with_a_way_out() {
    for words in [&["report", "missing.log"][..], &["report", GOOD, "--events", "missing.jsonl"]] {
        let ran = run(words);
        assert_eq!(ran.code, Some(4), "{}", ran.err);
        assert!(ran.err.contains("error[PL010]") && ran.err.contains("hint: "), "{}", ran.err);
    }
    let ran = run(&["inspect", "no/such/place/*.log"]);
    assert_eq!(ran.err.matches("no/such/place").count(), 1, "{}", ran.err);
}

#[test]
fn one_file_by_two_names_is_counted_once() {
    let dir = tempdir().unwrap();
    let log = log_of(&dir, "a.log", 30, request);
    let again = format!("{}/./a.log", dir.path().display());
    let ran = run(&["inspect", &log, &again, "--json"]);
    assert!(ran.out.contains("\"records\": 30,\n  \"events\""), "{}", ran.out);
}

#[test]
fn examples_of_a_compressed_log_are_its_records() {
    let dir = tempdir().unwrap();
    let path = |name: &str| dir.path().join(name).display().to_string();
    let made = demo(&["--seed", "3", "--rate", "100", "--brief"]);
    let files = tree(made.path()).into_values();
    let log = files.max_by_key(Vec::len).unwrap();
    fs::File::create(path("a.log")).unwrap().write_all(&log).unwrap();
    let mut gzip = Command::new("gzip").args(["-k", &path("a.log")]).spawn().unwrap();
    assert!(gzip.wait().unwrap().success());
    let texts = |name: &str| {
        let ran = run(&["report", &path(name), "--json", "--exit-zero"]);
        let report: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
        let findings = report["findings"].as_array().unwrap().iter();
        let details = report["details"].as_array().unwrap().iter();
        let examples = findings.flat_map(|f| f["examples"].as_array().unwrap());
        let slowest = details.flat_map(|d| d["slowest"].as_array().unwrap()).map(|s| &s["at"]);
        let texts = examples.chain(slowest).map(|e| e["text"].as_str().unwrap().to_owned());
        texts.collect::<Vec<String>>()
    };
    let (plain, compressed) = (texts("a.log"), texts("a.log.gz"));
    let log = String::from_utf8(log).unwrap();
    let is_record = |text: &String| !text.is_empty() && log.contains(&format!("\n{text}"));
    assert!(plain.len() > 5 && plain.iter().skip(1).all(is_record), "{plain:?}");
    assert_eq!(plain, compressed);
    let words = ["-n", "3", "--status", "5xx"];
    let lines = |name: &str| run(&[&["lines", &path(name)][..], &words[..]].concat()).out;
    assert_eq!(lines("a.log"), lines("a.log.gz"));
    assert!(lines("a.log").lines().all(|line| log.contains(line)));
}

#[test]
fn plimsoll_understands_its_own_log() {
    let dir = tempdir().unwrap();
    let logs = dir.path().display().to_string();
    assert_eq!(run(&["inspect", GOOD, "--log-dir", &logs]).code, Some(0));
    let ran = run(&["inspect", &logs, "--json"]);
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    let understood: serde_json::Value = serde_json::from_str(&ran.out).unwrap();
    assert!(understood["records"].as_u64().unwrap() >= 3, "{}", ran.out);
    assert_eq!((&understood["rejected"], &understood["no_time"]), (&0.into(), &0.into()));
    let fields = understood["inputs"][0]["fields"].to_string();
    for role in ["\"time\"", "\"level\"", "\"message\""] {
        assert!(fields.contains(role), "{role} is not among {fields}");
    }
}

#[test]
fn every_command_of_the_readme_exists() {
    let known = commands();
    let mut seen = BTreeSet::new();
    let text = fs::read_to_string("README.md").unwrap();
    let blocks =
        text.split("```").skip(1).step_by(2).filter_map(|block| block.strip_prefix("sh\n"));
    for line in blocks.flat_map(str::lines) {
        let typed = ["cargo run --locked -- ", "plimsoll "];
        let Some(words) = typed.iter().find_map(|start| line.strip_prefix(start)) else { continue };
        let words: Vec<&str> = words.split_whitespace().take_while(|word| *word != "#").collect();
        assert!(known.contains(words[0]), "README.md: no command `{}` in `{line}`", words[0]);
        let help = run(&[words[0], "--help"]).out;
        for option in words.iter().filter(|word| word.starts_with("--")) {
            assert!(help.contains(option), "README.md: no option `{option}` in `{line}`");
        }
        seen.insert(words[0]);
    }
    assert!(seen.contains("report") && seen.len() >= 5, "README.md shows only {seen:?}");
    let unseen: Vec<&String> = known.iter().filter(|name| !text.contains(name.as_str())).collect();
    assert_eq!(unseen, ["completions"], "commands that README.md does not show");
}

fn plimsoll(words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(words);
    piped(&mut command);
    command
}

fn piped(command: &mut Command) -> &mut Command {
    for variable in ["NO_COLOR", "COLUMNS", "SOURCE_DATE_EPOCH"] {
        command.env_remove(variable);
    }
    command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
}

fn run(words: &[&str]) -> Ran {
    finish(plimsoll(words).spawn().unwrap())
}

fn finish(child: Child) -> Ran {
    let output = child.wait_with_output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    Ran { code: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
}

/// A demo data set in the folder `d` of the directory.
fn demo(options: &[&str]) -> TempDir {
    let dir = tempdir().unwrap();
    let target = dir.path().join("d").display().to_string();
    let ran = run(&[&["demo", &target], options].concat());
    assert_eq!(ran.code, Some(0), "{}", ran.err);
    dir
}

/// Every command that the help names.
fn commands() -> BTreeSet<String> {
    let help = run(&["--help"]).out;
    let (_, list) = help.split_once("Commands:\n").unwrap();
    let lines = list.lines().take_while(|line| !line.is_empty());
    let names = lines.filter_map(|line| line.strip_prefix("  ")?.split(' ').next());
    names.filter(|name| !name.is_empty() && *name != "help").map(str::to_owned).collect()
}

/// Every file below a directory, by its path from there.
fn tree(root: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut files = BTreeMap::new();
    for entry in walkdir::WalkDir::new(root) {
        let entry = entry.unwrap();
        if entry.file_type().is_file() {
            let name = entry.path().strip_prefix(root).unwrap().display().to_string();
            files.insert(name, fs::read(entry.path()).unwrap());
        }
    }
    files
}

fn same(one: &BTreeMap<String, Vec<u8>>, other: &BTreeMap<String, Vec<u8>>) {
    let names = |files: &BTreeMap<String, Vec<u8>>| files.keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(one), names(other));
    for (name, bytes) in one {
        let first = bytes.iter().zip(&other[name]).position(|(a, b)| a != b);
        assert!(*bytes == other[name], "{name} differs from byte {first:?} on");
    }
}

/// A processor this process may run on; `None` where that cannot be told or chosen.
fn an_allowed_cpu() -> Option<String> {
    Command::new("taskset").arg("--version").output().ok()?;
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let list = status.lines().find_map(|line| line.strip_prefix("Cpus_allowed_list:"))?;
    Some(list.trim().split([',', '-']).next()?.to_owned())
}

/// What can steer a terminal or change the order in which text is read.
fn is_hostile(character: char) -> bool {
    (character.is_control() && character != '\n')
        || matches!(character, '\u{200e}' | '\u{200f}' | '\u{2028}' | '\u{2029}' | '\u{feff}')
        || matches!(character, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// The cells of a CSV text (RFC 4180).
fn cells(csv: &str) -> Vec<String> {
    let (mut cells, mut cell, mut quoted) = (Vec::new(), String::new(), false);
    for character in csv.chars() {
        match character {
            '"' => quoted = !quoted,
            ',' | '\n' if !quoted => cells.push(std::mem::take(&mut cell)),
            _ => cell.push(character),
        }
    }
    cells
}
