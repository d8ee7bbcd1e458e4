use super::*;

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/history").join(name)
}

/// One line a value: time, commit, series, value and unit, n, and the way that is worse.
fn table(name: &str) -> String {
    let imported = import(&fixture(name)).unwrap();
    let line = |point: &Point| {
        let Point { series, value, unit, at, commit, n, .. } = point;
        let known = [
            at.map(|at| at.to_string()),
            commit.clone(),
            Some(format!("{series} = {value} {unit}")),
            n.map(|n| format!("n {n}")),
            Some(format!("{:?}", point.direction())),
        ];
        known.into_iter().flatten().collect::<Vec<_>>().join(" | ") + "\n"
    };
    let left_out = imported.left_out.iter().map(|why| format!("left out: {why}\n"));
    imported.points.iter().map(line).chain(left_out).collect()
}

#[test]
fn criterion_is_a_directory_of_results() {
    insta::assert_snapshot!(table("criterion"), @r"
    empty = 0.3021792610661982 ns | UpIsWorse
    sums/iter/100 = 17.412767461907936 ns | UpIsWorse
    sums/iter/1000 = 205.88366212487003 ns | UpIsWorse
    ");
    assert_eq!(table("criterion/empty"), table("criterion/empty/new/estimates.json"));
}

#[test]
fn hyperfine_gives_medians() {
    insta::assert_snapshot!(table("hyperfine.json"), @r"
    sleep 0.01 [n=1] = 0.015927826000000003 s | n 5 | UpIsWorse
    echo 1 [n=1] = 0.004376738000000001 s | n 5 | UpIsWorse
    ");
}

#[test]
fn k6_has_three_formats() {
    insta::assert_snapshot!(table("k6-summary-export.json"), @r"
    http_req_duration avg = 41.2 ms | UpIsWorse
    http_req_duration med = 38.1 ms | UpIsWorse
    http_req_duration p(90) = 71 ms | UpIsWorse
    http_req_duration p(95) = 88.25 ms | UpIsWorse
    http_req_duration{expected_response:true} avg = 40.1 ms | UpIsWorse
    http_req_duration{expected_response:true} med = 38 ms | UpIsWorse
    http_req_duration{expected_response:true} p(90) = 70.1 ms | UpIsWorse
    http_req_duration{expected_response:true} p(95) = 86 ms | UpIsWorse
    http_req_failed = 0.004  | n 1000 | UpIsWorse
    checks = 0.995  | n 2000 | DownIsWorse
    http_reqs = 33.31 /s | DownIsWorse
    data_received = 17054.7 /s | DownIsWorse
    vus = 10  | Neutral
    ");
    insta::assert_snapshot!(table("k6-handle-summary.json"), @r"
    http_req_duration avg = 41.2 ms | UpIsWorse
    http_req_duration med = 38.1 ms | UpIsWorse
    http_req_duration p(99) = 130.5 ms | UpIsWorse
    payload_size avg = 812.5  | Neutral
    payload_size med = 800  | Neutral
    payload_size p(99) = 1201  | Neutral
    http_req_failed = 0.004  | n 1000 | UpIsWorse
    data_sent = 4263.6 B/s | DownIsWorse
    left out: `broken_gauge` has no number
    ");
    insta::assert_snapshot!(table("k6-machine-summary.json"), @r"
    2026-11-20T10:30:45.123Z | http_req_duration avg = 41.2 ms | n 1000 | UpIsWorse
    2026-11-20T10:30:45.123Z | http_req_duration med = 38.1 ms | n 1000 | UpIsWorse
    2026-11-20T10:30:45.123Z | http_req_duration p(95) = 88.25 ms | n 1000 | UpIsWorse
    2026-11-20T10:30:45.123Z | http_reqs = 33.31 /s | DownIsWorse
    2026-11-20T10:30:45.123Z | http_req_failed = 0.004  | n 1000 | UpIsWorse
    ");
}

#[test]
fn lighthouse_gives_vitals_and_the_score() {
    insta::assert_snapshot!(table("lighthouse.json"), @r"
    2026-11-20T10:30:45.123Z | http://localhost:3000/weekly first-contentful-paint = 1204.5 ms | UpIsWorse
    2026-11-20T10:30:45.123Z | http://localhost:3000/weekly largest-contentful-paint = 2310.25 ms | UpIsWorse
    2026-11-20T10:30:45.123Z | http://localhost:3000/weekly total-blocking-time = 180 ms | UpIsWorse
    2026-11-20T10:30:45.123Z | http://localhost:3000/weekly cumulative-layout-shift = 0.0421  | UpIsWorse
    2026-11-20T10:30:45.123Z | http://localhost:3000/weekly performance = 0.87  | DownIsWorse
    left out: `http://localhost:3000/weekly speed-index` has no number
    ");
}

#[test]
fn github_action_benchmark_keeps_times_and_commits() {
    insta::assert_snapshot!(table("data.js"), @r"
    2025-11-20T10:00:00Z | 1111111 | Rust/scan = 254 ns/iter | UpIsWorse
    2025-11-21T10:00:00Z | 2222222 | Rust/scan = 261 ns/iter | UpIsWorse
    2025-11-21T10:00:00Z | 2222222 | Web/score = 87 points | DownIsWorse
    left out: `Web/broken` has no number
    ");
    insta::assert_snapshot!(table("custom.json"), @r"
    CPU load = 50 Percent | Neutral
    Memory = 100.5 MB | UpIsWorse
    Requests = 900 req/s | DownIsWorse
    ");
}

#[test]
fn what_is_of_no_known_kind_says_what_it_holds() {
    let dir = tempfile::tempdir().unwrap();
    let mut told: Vec<String> = Vec::new();
    for (name, text) in [
        ("empty", ""),
        ("half", r#"{"results": ["#),
        ("js", "window.BENCHMARK_DATA = nothing;"),
        ("object", "{}"),
        ("list", "[]"),
        ("listed", r#"[{"id": 1}]"#),
        ("text", r#""p95""#),
        ("number", "5"),
        ("null", "null"),
        ("package", r#"{"name":"x","version":"1","a":0,"b":0,"c":0,"d":0,"e":0}"#),
        ("hostile", r#"{"\u001b[2J\n::error::":1}"#),
        ("metrics", r#"{"metrics":{"cpu":{"percent":5}}}"#), // not k6's
        ("entries", r#"{"entries":{"a":[1]}}"#),             // not github-action-benchmark's
        ("results", r#"{"results":[{"testFilePath":"a"}]}"#), // not hyperfine's
    ] {
        let path = dir.path().join(name);
        File::create(&path)
            .and_then(|mut file| io::Write::write_all(&mut file, text.as_bytes()))
            .unwrap();
        told.push(refusal(&path));
    }
    std::fs::create_dir(dir.path().join("none")).unwrap();
    told.extend(["missing", "none"].map(|name| refusal(&dir.path().join(name))));
    let told = told.join("\n").replace(&format!("{}/", dir.path().display()), "");
    insta::assert_snapshot!(told, @r"
    `empty` is not JSON: EOF while parsing a value at line 1 column 0
    `half` is not JSON: EOF while parsing a list at line 1 column 13
    `js` is not JSON: expected ident at line 1 column 3
    `object` is no result of Criterion, hyperfine, k6, Lighthouse or github-action-benchmark: it holds an empty object
    `list` is no result of Criterion, hyperfine, k6, Lighthouse or github-action-benchmark: it holds an empty list
    `listed` is no result of Criterion, hyperfine, k6, Lighthouse or github-action-benchmark: it holds a list of 1, first an object with `id`
    `text` is no result of Criterion, hyperfine, k6, Lighthouse or github-action-benchmark: it holds text
    `number` is no result of Criterion, hyperfine, k6, Lighthouse or github-action-benchmark: it holds a number
    `null` is no result of Criterion, hyperfine, k6, Lighthouse or github-action-benchmark: it holds null
    `package` is no result of Criterion, hyperfine, k6, Lighthouse or github-action-benchmark: it holds an object with `name`, `version`, `a`, `b`, `c`, `d` and more
    `hostile` is no result of Criterion, hyperfine, k6, Lighthouse or github-action-benchmark: it holds an object with `\u{1b}[2J\n::error::`
    `metrics` is no result of Criterion, hyperfine, k6, Lighthouse or github-action-benchmark: it holds an object with `metrics`
    `entries` is no result of Criterion, hyperfine, k6, Lighthouse or github-action-benchmark: it holds an object with `entries`
    `results` is no result of Criterion, hyperfine, k6, Lighthouse or github-action-benchmark: it holds an object with `results`
    cannot read `missing`: No such file or directory (os error 2)
    `none` holds no results of Criterion: no `new/estimates.json` below it
    ");
}

fn refusal(path: &Path) -> String {
    let error = import(path).unwrap_err();
    let source = std::error::Error::source(&error).map(|source| format!(": {source}"));
    format!("{error}{}", source.unwrap_or_default())
}

#[test]
fn a_change_of_criterion_is_no_measurement() {
    let dir = tempfile::tempdir().unwrap();
    let change = dir.path().join("change");
    std::fs::create_dir(&change).unwrap();
    let estimates = fixture("criterion/empty/new/estimates.json");
    std::fs::copy(estimates, change.join("estimates.json")).unwrap();
    let error = import(&change.join("estimates.json")).unwrap_err();
    assert!(error.to_string().contains("change from one run to another"), "{error}");
    // Without the file that names it, the directory does.
    let new = dir.path().join("parse").join("new");
    std::fs::create_dir_all(&new).unwrap();
    std::fs::copy(change.join("estimates.json"), new.join("estimates.json")).unwrap();
    assert_eq!(import(dir.path()).unwrap().points[0].series, "parse");
}

proptest::proptest! {
    /// Cut anywhere, a result is an error or a shorter result, never a panic.
    #[test]
    fn no_cut_is_too_odd(cut in 0_usize..2_000, which in 0_usize..6) {
        let names = [
            "hyperfine.json", "k6-summary-export.json", "k6-handle-summary.json",
            "lighthouse.json", "data.js", "custom.json",
        ];
        let bytes = std::fs::read(fixture(names[which])).unwrap();
        let cut = cut.min(bytes.len() - 3);
        assert!(parse(&bytes[..cut]).is_err(), "{} at {cut}", names[which]);
        let mut broken = bytes.clone();
        broken[cut] = b'0';
        if let Ok(json) = parse(&broken) {
            let _imported = from_json(&json);
        }
    }
}
