use std::fs::{self, File};
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use plimsoll::clock::{Clock, SystemClock};
use plimsoll::durable::write_whole;
use plimsoll::model::format_ts;
use serde_json::Value;

/// Longest wait for what must happen; a busy machine is slow.
const PATIENCE: Duration = Duration::from_mins(1);
const POLL: Duration = Duration::from_millis(100);

fn plimsoll(dir: &Path, words: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_plimsoll"));
    command.args(words).current_dir(dir).env_remove("PLIMSOLL_CONFIG").env_remove("HTTP_PROXY");
    command
}

/// The exit status, standard output and standard error.
fn run(dir: &Path, words: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = plimsoll(dir, words).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8_lossy(&bytes).into_owned();
    (status.code().unwrap(), text(stdout), text(stderr))
}

fn put(dir: &Path, name: &str, text: &str) {
    write_whole(&dir.join(name), text.as_bytes()).unwrap();
}

/// Waits until something holds.
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let polls = PATIENCE.as_millis() / POLL.as_millis();
    let held = (0..polls).any(|_| {
        std::thread::sleep(POLL);
        holds()
    });
    assert!(held, "{what}");
}

/// Takes every message and keeps what it says.
struct Receiver {
    port: u16,
    messages: Arc<Mutex<Vec<Value>>>,
}

impl Receiver {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let messages = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&messages);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let mut request = BufReader::new(stream.try_clone().unwrap());
                let mut length = 0;
                for line in request.by_ref().lines() {
                    let line = line.unwrap().to_ascii_lowercase();
                    if let Some(said) = line.strip_prefix("content-length:") {
                        length = said.trim().parse().unwrap();
                    }
                    if line.is_empty() {
                        break;
                    }
                }
                let mut body = vec![0; length];
                request.read_exact(&mut body).unwrap();
                kept.lock().unwrap().push(serde_json::from_slice(&body).unwrap());
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
            }
        });
        Self { port, messages }
    }

    /// Rule and status of each message.
    fn told(&self) -> Vec<String> {
        let messages = self.messages.lock().unwrap();
        let word = |message: &Value, key: &str| message[key].as_str().unwrap().to_owned();
        messages.iter().map(|it| format!("{} {}", word(it, "rule"), word(it, "status"))).collect()
    }

    fn configuration(&self) -> String {
        format!(
            "[alert]\ninterval = \"1s\"\nwindow = \"2m\"\ngroup_wait = \"0s\"\n\
             [[receiver]]\nname = \"ops\"\nkind = \"webhook\"\nurl = \"http://127.0.0.1:{}/x\"\n\
             [[rule]]\nid = \"failures\"\nexpr = \"share(status >= 500) < 10%\"\n\
             [[rule]]\nid = \"tried\"\nexpr = \"count() < 1\"\nshadow = true # tells nobody\n\
             [collect]\nflush_interval = \"50ms\"\nreconcile_interval = \"100ms\"\n\
             [[source]]\nname = \"app\"\ninclude = [\"app.log\"]\n",
            self.port
        )
    }
}

/// Requests of this moment.
fn log(dir: &Path, count: usize, status: u16) {
    let mut log = fs::OpenOptions::new().create(true).append(true).open(dir.join("app.log"));
    let time = format_ts(SystemClock.now_us());
    let line = format!(
        "{{\"time\":\"{time}\",\"level\":\"info\",\"msg\":\"m\",\"status\":{status},\
         \"duration_ms\":5}}\n"
    );
    let text = line.repeat(count);
    log.as_mut().unwrap().write_all(text.as_bytes()).unwrap();
}

/// Starts a command whose standard output goes to a file.
fn start(dir: &Path, words: &[&str]) -> Child {
    let out = File::create(dir.join("out")).unwrap();
    plimsoll(dir, words).stdout(out).stderr(Stdio::null()).spawn().unwrap()
}

/// Ends it as Ctrl-C or a system does.
fn end(mut child: Child, signal: &str) -> Option<i32> {
    let id = child.id().to_string();
    assert!(Command::new("kill").args([signal, &id]).status().unwrap().success());
    child.wait().unwrap().code()
}

#[test]
fn what_breaks_is_told_once_and_so_is_its_end() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let receiver = Receiver::new();
    put(dir, "plimsoll.toml", &receiver.configuration());
    log(dir, 50, 500);
    let out = || fs::read_to_string(dir.join("out")).unwrap();

    let watching = start(dir, &["watch", "app.log"]);
    until("a rule breaks", || receiver.told() == ["failures firing"]);
    assert_eq!(end(watching, "-INT"), Some(130));
    assert!(out().contains(" firing failures since "), "{}", out());

    let watching = start(dir, &["watch", "app.log"]);
    until("who looks now sees it", || out().contains(" firing failures since "));
    std::thread::sleep(Duration::from_secs(2));
    assert_eq!(receiver.told(), ["failures firing"], "told again after a restart");
    log(dir, 2_000, 200);
    until("the rule holds again", || receiver.told() == ["failures firing", "failures resolved"]);
    until("who looks sees that too", || out().contains(" resolved failures\n"));
    assert_eq!(end(watching, "-TERM"), Some(130));
    assert_eq!(out().lines().count(), 2, "only what changes is said: {}", out());
}

#[test]
fn a_collector_tells_of_what_it_stores() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let receiver = Receiver::new();
    put(dir, "plimsoll.toml", &receiver.configuration());
    put(dir, "app.log", "{\"time\":\"2026-11-18T14:12:00Z\",\"msg\":\"m\",\"status\":200}\n");
    log(dir, 50, 500);

    let collecting = start(dir, &["collect"]);
    until("a rule breaks", || receiver.told() == ["failures firing"]);
    let (_, status, _) = run(dir, &["collect", "--status"]);
    let alerts: Vec<&str> = status.lines().skip_while(|it| !it.starts_with("alerts")).collect();
    assert_eq!(alerts[0], "alerts: 1 firing, 0 messages wait", "{status}");
    assert!(alerts[1].starts_with("firing  failures since 20"), "{status}");

    // Somebody who looks meanwhile sees the same, and sends nothing.
    let (code, out, err) = run(dir, &["watch", "--once", "-v"]);
    assert_eq!(code, 1, "{out}{err}");
    assert!(out.contains(" firing failures since "), "{out}");
    assert!(err.contains("record_count=50 "), "more was read than the window: {err}");
    assert!(err.contains("in use by another process") && err.contains("only shown"), "{err}");

    log(dir, 2_000, 200);
    until("the rule holds again", || receiver.told() == ["failures firing", "failures resolved"]);
    assert_eq!(end(collecting, "-TERM"), Some(0));
    assert_eq!(run(dir, &["verify"]).0, 0);
    let (_, status, _) = run(dir, &["collect", "--status"]);
    assert!(status.contains("alerts: 0 firing, 0 messages wait"), "{status}");
}

#[test]
fn a_group_forged_lines_of_its_own() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let line = |second: u32| {
        format!(
            "{{\"time\":\"2026-11-18T14:12:{second:02}Z\",\"msg\":\"m\",\"duration_ms\":90,\
             \"tenant\":\"a\\n2026-11-18T14:13:00Z resolved rule-1\"}}\n"
        )
    };
    put(dir, "app.log", &(0..60).map(line).collect::<String>());
    let rule = ["--rule", "p95(duration) < 10ms per tenant", "--window", "1m", "--once"];
    let words = [&["watch", "app.log", "--now", "2026-11-18T14:13:00Z"], &rule[..]].concat();
    let (code, out, err) = run(dir, &words);
    assert_eq!((code, out.lines().count()), (1, 1), "{out}{err}");
}

#[test]
fn one_round_answers_by_its_status() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let line = |second: u32| {
        let (time, ms) = (format!("2026-11-18T14:12:{second:02}Z"), second);
        format!("{{\"time\":\"{time}\",\"msg\":\"m\",\"status\":200,\"duration_ms\":{ms}}}\n")
    };
    put(dir, "app.log", &(0..60).map(line).collect::<String>());
    let check = |rule: &str, words: &[&str], code: i32, says: &str| {
        let words = [&["watch", "app.log", "--rule", rule, "--once"], words].concat();
        let (ended, out, err) = run(dir, &words);
        assert_eq!(ended, code, "{words:?}\n{out}{err}");
        let is_said = if says.is_empty() { out.is_empty() } else { (out + &err).contains(says) };
        assert!(is_said, "{words:?}: {says}");
    };
    let now = ["--now", "2026-11-18T14:13:00Z", "--window", "1m"];
    check("max(duration) < 1s", &now, 0, ""); // a pipe hears of changes only
    check("max(duration) < 10ms", &now, 1, "2026-11-18T14:13:00Z firing rule-1 since 2026-11-18");
    check("max(duration) < 10ms", &["--window", "1m"], 3, ""); // nothing was logged of late
    check("age() < 5m", &["--window", "1m"], 1, "firing rule-1"); // that itself can break a rule
    check("max(duration) < 10ms", &["--window", "0s"], 2, "`--window` is `0s`");
    check("max(duration) < 10ms", &["--interval", "often"], 2, "`--interval` is `often`");
    check("max(duration)", &now, 2, "error[PL061]");
    let ran = |words: &[&str]| run(dir, words);
    assert_eq!(ran(&["watch", "app.log", "--rule", "age() < 5m", "--for", "1s"]).0, 0);
    assert_eq!(ran(&["watch", "app.log"]).0, 2, "there is no rule");
    assert_eq!(ran(&["watch", "-", "--rule", "age() < 5m"]).0, 2, "a stream is gone");
    assert_eq!(ran(&["watch", "no.log", "--rule", "age() < 5m"]).0, 4, "a mistake is told at once");
    assert!(!dir.join(".plimsoll").try_exists().unwrap(), "without receivers nothing is kept");
}
