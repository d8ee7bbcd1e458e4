use super::*;

fn point(series: &str, value: f64, at: &str) -> Point {
    let at = (!at.is_empty()).then(|| at.parse().unwrap());
    Point { at, ..Point::new(Origin::Check, series, value, "ms") }
}

fn point_now(series: &str, value: f64) -> Point {
    Point { at: Some(NOW), ..point(series, value, "") }
}

const NOW: Timestamp = Timestamp::UNIX_EPOCH;

#[test]
fn what_is_appended_is_read_in_the_order_of_time() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("history.jsonl");
    assert_eq!(History::read(&path).unwrap(), History::default()); // none yet
    let full = Point {
        smaller_is_better: Some(true),
        commit: Some("4957ac1".to_owned()),
        branch: Some("main".to_owned()),
        n: Some(1_847),
        ..point("reports-p95", 759.5, "2026-11-21T10:00:00Z")
    };
    append(&path, &[full.clone(), point_now("b\n\"", 1e-300)]).unwrap();
    append(&path, &[point("reports-p95", 406.0, "2026-11-20T10:00:00Z")]).unwrap();

    insta::assert_snapshot!(std::fs::read_to_string(&path).unwrap(), @r#"
    {"schema":"plimsoll.history/1","at":"2026-11-21T10:00:00Z","commit":"4957ac1","branch":"main","series":"reports-p95","value":759.5,"unit":"ms","smaller_is_better":true,"n":1847,"origin":"check"}
    {"schema":"plimsoll.history/1","at":"1970-01-01T00:00:00Z","series":"b\n\"","value":1e-300,"unit":"ms","origin":"check"}
    {"schema":"plimsoll.history/1","at":"2026-11-20T10:00:00Z","series":"reports-p95","value":406.0,"unit":"ms","origin":"check"}
    "#);
    let history = History::read(&path).unwrap();
    assert_eq!((history.unread_count, history.repeated_count), (0, 0));
    let values = history.points.iter().map(|point| point.value);
    assert_eq!(values.collect::<Vec<_>>(), [1e-300, 406.0, 759.5]);
    assert_eq!(history.points.last(), Some(&full)); // every field comes back
}

#[test]
fn a_second_import_of_the_same_values_changes_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("history.jsonl");
    let points = [point("a", 1.0, "2026-11-20T10:00:00Z"), point("a", 2.0, "2026-11-21T10:00:00Z")];
    append(&path, &points).unwrap();
    append(&path, &points).unwrap();
    let history = History::read(&path).unwrap();
    assert_eq!((history.points.len(), history.repeated_count), (2, 2));
}

#[test]
fn only_what_is_not_there_yet_is_added() {
    let of = |commit: &str, point: Point| Point { commit: Some(commit.to_owned()), ..point };
    let day = |at: &str| point("a", 1.0, at);
    let known = [of("c1", day("2026-11-20T10:00:00Z")), day("2026-11-20T10:00:00Z")];
    let check = |added: Point, want: usize| {
        let mut history = History { points: known.to_vec(), ..History::default() };
        let told = history.add(vec![added.clone(), added.clone()], NOW);
        assert_eq!(told.len(), want, "{added:?}");
        assert!(told.iter().all(|point| point.at.is_some()), "{added:?}");
        assert_eq!(history.points.len(), known.len() + want, "{added:?}");
        assert!(history.points.is_sorted_by_key(|point| point.at), "{added:?}");
    };
    check(of("c1", day("")), 0); // the same commit, without a time
    check(of("c1", day("2026-11-20T10:00:00Z")), 0);
    check(of("c1", day("2026-11-21T10:00:00Z")), 1); // measured again
    check(of("c2", day("")), 1); // once, though it is given twice
    check(day("2026-11-20T10:00:00Z"), 0);
    check(day(""), 2); // nobody can tell
    check(of("c1", point("a", 2.0, "")), 1);
    check(of("c1", point("b", 1.0, "")), 1);
}

#[test]
fn a_torn_line_is_told_and_takes_no_other_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("history.jsonl");
    append(&path, &[point_now("a", 1.0), point_now("a", 2.0)]).unwrap();
    let whole = std::fs::read(&path).unwrap();
    for len in 0..=whole.len() {
        File::create(&path).unwrap().write_all(&whole[..len]).unwrap();
        let torn = History::read(&path).unwrap();
        append(&path, &[point_now("b", 3.0)]).unwrap();
        let history = History::read(&path).unwrap();
        assert_eq!(history.unread_count, torn.unread_count, "cut at {len}");
        assert_eq!(history.points.len(), torn.points.len() + 1, "cut at {len}");
        // A line is there from its last brace on; what is cut before it is unread, never gone.
        let is_cut = len > 0 && whole[len - 1] != b'\n' && whole[len - 1] != b'}';
        assert_eq!(torn.unread_count, usize::from(is_cut), "cut at {len}: {torn:?}");
    }
}

#[test]
fn lines_that_cannot_be_read_are_told_by_number() {
    let good = r#"{"schema":"plimsoll.history/1","at":"2026-11-20T10:00:00Z","series":"a","value":1,"origin":"check","later":[]}"#;
    let lines = [
        good, // with a key of a later version
        "",
        "\u{1b}[2Jnot json",
        &good.replace("history/1", "history/9"),
        &good.replace("2026-11-20T10:00:00Z", "yesterday"),
        &good.replace(":1,", ":\"1\","),
        &good.replace("check", "tea-leaves"),
        &format!("{good}{}", " ".repeat(70_000)),
        &good[..60],
    ];
    let history = History::parse(lines.join("\n").as_bytes());
    assert_eq!((history.points.len(), history.unread_count), (1, 7));
    let told = history.unread.iter().map(|unread| format!("{}: {}\n", unread.line, unread.why));
    insta::assert_snapshot!(told.collect::<String>(), @r#"
    3: expected value at line 1 column 1
    4: its schema is `plimsoll.history/9`, not `plimsoll.history/1`
    5: `at` is `yesterday`: failed to parse four digit integer as year: invalid digit, expected 0-9 but got y at line 1 column 47
    6: invalid type: string "1", expected f64 at line 1 column 83
    7: unknown variant `tea-leaves`, expected one of `check`, `criterion`, `hyperfine`, `k6`, `lighthouse`, `github-action-benchmark` at line 1 column 103
    8: 70111 bytes, at most 65536 are read
    9: torn: EOF while parsing a string at line 1 column 60
    "#);
    let many = "x\n".repeat(1_000);
    let history = History::parse(many.as_bytes());
    assert_eq!((history.unread.len(), history.unread_count), (MAX_TOLD, 1_000));
    assert_eq!(History::parse(b"\xFF\xFE\n").unread_count, 1); // not UTF-8
}

#[test]
fn what_cannot_be_written_leaves_the_file_as_it_was() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("history.jsonl");
    append(&path, &[point_now("a", 1.0)]).unwrap();
    let error = append(&path, &[point_now("a", 2.0), point_now("b", f64::NAN)]).unwrap_err();
    insta::assert_snapshot!(error, @r"series `b` has the value NaN, a history holds finite numbers only");
    assert_eq!(History::read(&path).unwrap().points.len(), 1);
    let error = append(&path, &[point("b", 2.0, "")]).unwrap_err();
    insta::assert_snapshot!(error, @"series `b` has a value without a time, a history is in the order of time");
    let error = append(&path, &[point_now(&"p".repeat(70_000), 2.0)]).unwrap_err();
    insta::assert_snapshot!(error, @"series `pppppppppppppppppppppppppppppppppppppppp…` makes a line of 70113 bytes, a history holds at most 65536: give it a shorter name");
    assert_eq!(History::read(&path).unwrap().points.len(), 1);
    let error = append(Path::new("/dev/full"), &[point_now("a", 1.0)]).unwrap_err();
    let source = std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default();
    assert!(source.contains("No space left"), "{source}");
    let error = append(&dir.path().join("no/history.jsonl"), &[]).unwrap_err();
    assert!(error.to_string().contains("no/history.jsonl"), "{error}");
    let error = History::read(dir.path()).unwrap_err(); // a directory
    assert!(error.to_string().starts_with("cannot read history"), "{error}");
}

#[test]
fn appending_at_the_same_time_mixes_no_lines() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("history.jsonl");
    std::thread::scope(|scope| {
        for name in ["a", "b"] {
            let path = &path;
            scope.spawn(move || {
                for value in 0..20 {
                    append(path, &[point_now(name, f64::from(value))]).unwrap();
                }
            });
        }
    });
    let history = History::read(&path).unwrap();
    assert_eq!((history.points.len(), history.unread_count), (40, 0));
}

proptest::proptest! {
    /// Whatever a name holds and however small a value is, it comes back, to the last digit but
    /// one: serde_json reads numbers that well.
    #[test]
    fn every_point_comes_back(series in ".{0,40}", value in proptest::num::f64::NORMAL) {
        let mut text = String::new();
        line::push(&mut text, &point(&series, value, ""), NOW);
        let history = History::parse(text.as_bytes());
        assert_eq!((history.points.len(), text.lines().count()), (1, 1));
        assert_eq!((&history.points[0].series, history.points[0].at), (&series, Some(NOW)));
        assert!((history.points[0].value / value - 1.0).abs() < 1e-15);
    }

    #[test]
    fn no_file_is_too_odd(bytes in proptest::collection::vec(0_u8.., 0..400)) {
        let history = History::parse(&bytes);
        assert!(history.unread_count <= bytes.len());
    }
}
