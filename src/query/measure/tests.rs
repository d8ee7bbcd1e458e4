//! What is measured, against a plain loop over the same records.

use proptest::prelude::*;

use super::{Measured, Measures, Question, Take};
use crate::decode::Overrides;
use crate::model::Window;
use crate::query::{Opened, read};
use crate::rule::parse_filter;
use crate::source::{Discovery, Input};

const SECOND_US: i64 = 1_000_000;
/// 2026-11-18T00:00:00Z.
const START_US: i64 = 1_795_046_400 * SECOND_US;

fn question(filter: &str, take: Take, per: Option<&str>, of_requests: bool) -> Question {
    let filter = if filter.is_empty() {
        crate::rule::Filter::default()
    } else {
        parse_filter(filter).unwrap()
    };
    Question { filter, take, per: per.map(str::to_owned), of_requests }
}

fn measured(files: &[(&str, String)], questions: &[Question]) -> Measured {
    measured_by(files, questions, 4_000_000)
}

/// Folds the rows beyond so many.
fn measured_by(files: &[(&str, String)], questions: &[Question], max_exact: usize) -> Measured {
    let dir = tempfile::tempdir().unwrap();
    let inputs = files
        .iter()
        .map(|(name, text)| {
            let path = dir.path().join(name);
            crate::durable::write_whole(&path, text.as_bytes()).unwrap();
            Input::Named(path)
        })
        .collect();
    let found = Discovery { inputs, ..Discovery::default() };
    let opened = Opened::open(&found, &Overrides::default()).unwrap();
    let joins = opened.profiles().any(|(_, profile)| profile.joins_requests);
    let mut measures = Measures::with_limit(questions, joins, max_exact);
    let wanted = measures.wanted().clone();
    let stop = std::sync::atomic::AtomicBool::new(false);
    read(opened, &wanted, &stop, &mut |batch| {
        measures.add(&batch);
        true
    })
    .unwrap();
    measures.finish()
}

fn window(from_s: i64, until_s: i64) -> Window {
    Window { start_us: START_US + from_s * SECOND_US, end_us: START_US + until_s * SECOND_US }
}

fn line(second: i64, route: &str, status: u32, ms: u32) -> String {
    let ts = crate::model::format_ts(START_US + second * SECOND_US);
    format!(
        "{{\"time\":\"{ts}\",\"level\":\"info\",\"msg\":\"done\",\"route\":\"{route}\",\
         \"status\":{status},\"duration_ms\":{ms},\"http\":{{\"bytes\":{}}}}}\n",
        ms * 10
    )
}

#[test]
fn what_no_record_has_is_known() {
    let text: String = ["/orders/{id}", "/search"].map(|route| line(1, route, 200, 5)).concat();
    let questions = [
        question("event = \"x\" and status >= 500 and user missing", Take::Rows, None, false),
        question("route = \"/orders/12\"", Take::Values("nothing".to_owned()), None, false),
        question("route in (\"/search\", \"/serch\", \"/zebra\")", Take::Rows, None, false),
        question("route like \"/sear%\" and route != \"/no\"", Take::Rows, Some("host"), false),
    ];
    let measured = measured(&[("a.jsonl", text)], &questions);
    assert_eq!(measured.unseen_fields(), ["event", "user", "nothing", "host"]);
    let words = measured.unseen_words().iter();
    let words: Vec<_> = words.map(|word| (&*word.word, word.meant.as_deref())).collect();
    // That of a field which no record has says no more than that.
    let want =
        [("/orders/12", Some("/orders/{id}")), ("/serch", Some("/search")), ("/zebra", None)];
    assert_eq!(words, want);
}

#[test]
fn rows_are_counted_by_filter_group_and_window() {
    let text: String = (0..100_i64)
        .map(|second| {
            let route = if second % 4 == 0 { "/a" } else { "/b" };
            line(second, route, if second % 10 == 0 { 500 } else { 200 }, second as u32)
        })
        .collect();
    let questions = [
        question("", Take::Rows, None, true),
        question("status >= 500", Take::Rows, None, true),
        question("", Take::Values("duration_ms".to_owned()), Some("route"), true),
        question("route = \"/a\"", Take::Values("http.bytes".to_owned()), None, true),
        question("", Take::Distinct("route".to_owned()), None, false),
    ];
    let measured = measured(&[("a.jsonl", text)], &questions);
    let all = window(0, 100);
    let count = |place: usize| measured.question(place).unwrap().count(0, all);
    assert_eq!((count(0), count(1)), (100, 10));
    let by_route = measured.question(2).unwrap();
    assert_eq!(by_route.groups().iter().map(|(_, n)| *n).collect::<Vec<_>>(), [75, 25]);
    let a = by_route.group(Some("/a")).unwrap();
    let values = by_route.values(a, &[window(0, 10), window(90, 100)]);
    assert_eq!(values.in_order, Some(vec![0.0, 4.0, 8.0, 92.0, 96.0]));
    let bytes = measured.question(3).unwrap().values(0, &[all]).all;
    assert_eq!((bytes.count(), bytes.quantile(1.0)), (25, Some(960.0)));
    let routes = measured.question(4).unwrap().distinct(0, &[all]);
    assert_eq!(routes.into_iter().collect::<Vec<_>>(), ["/a", "/b"]);
    assert_eq!(measured.events_within(window(0, 60)), 60);
}

#[test]
fn lines_of_one_request_are_one_row_and_single_records_where_they_are_asked_for() {
    let drain = |second: i64, id: &str, message: &str, status: &str| {
        let ms = (START_US + second * SECOND_US) / 1_000;
        format!(
            "{{\"id\":\"{second}\",\"requestId\":\"{id}\",\"timestamp\":{ms},\"source\":\"lambda\",\
             \"deploymentId\":\"d\",\"host\":\"h\",\"level\":\"info\",\
             \"message\":\"{message}\",\"proxy\":{{\"path\":\"/api/x\",\"method\":\"GET\"{status}}}}}\n"
        )
    };
    let text: String = (0..20)
        .flat_map(|n| {
            let id = format!("r{n}");
            let report = format!("REPORT RequestId: {id} Duration: {} ms Memory", 10 + n);
            [
                drain(n * 3, &id, "inicio", ",\"statusCode\":200"),
                drain(n * 3 + 1, &id, "paso", ""),
                drain(n * 3 + 2, &id, &report, ""),
            ]
        })
        .collect();
    let questions = [
        question("", Take::Rows, None, true),
        question("", Take::Rows, None, false),
        question("", Take::Values("duration_ms".to_owned()), Some("route"), true),
    ];
    let measured = measured(&[("drain.jsonl", text)], &questions);
    let all = window(0, 3_600);
    assert_eq!(measured.question(0).unwrap().count(0, all), 20, "requests");
    assert_eq!(measured.question(1).unwrap().count(0, all), 60, "records");
    let durations = measured.question(2).unwrap();
    let route = durations.group(Some("/api/x")).unwrap();
    assert_eq!(durations.values(route, &[all]).all.count(), 20);
}

#[test]
fn a_first_record_of_another_decade_does_not_empty_the_windows_of_today() {
    let old = line(-11 * 365 * 86_400, "/old", 200, 1);
    let text: String = (0..50).map(|second| line(second, "/a", 200, 5)).collect();
    let questions = [question("", Take::Rows, None, true)];
    let measured = measured(&[("a.jsonl", old + &text)], &questions);
    assert_eq!(measured.question(0).unwrap().count(0, window(0, 50)), 50);
}

#[test]
fn values_that_came_too_late_to_be_told_apart_are_said_to_be_so() {
    let user = |n: u32| format!("{{\"time\":\"2026-11-18T00:00:00Z\",\"user\":\"u{n}\"}}");
    let text = (0..100_010).map(user).collect::<Vec<_>>().join("\n");
    let questions = [
        question("", Take::Distinct("user".to_owned()), None, false),
        question("", Take::Rows, Some("user"), false),
    ];
    let measured = measured(&[("a.jsonl", text)], &questions);
    assert!(measured.question(0).unwrap().has_too_many_values());
    let by_user = measured.question(1).unwrap();
    assert!(by_user.groups().iter().all(|(_, rows)| *rows == 1), "the others are no group");
}

#[test]
fn folded_rows_are_counted_in_whole_slots_and_none_is_lost() {
    let text: String =
        (0..3_000).map(|second| line(second, "/a", 200, second as u32 % 100)).collect();
    let questions = [
        question("", Take::Rows, None, true),
        question("", Take::Values("duration_ms".to_owned()), Some("route"), true),
    ];
    for (max_exact, why) in [(4_000_000, "one by one"), (500, "folded")] {
        let measured = measured_by(&[("a.jsonl", text.clone())], &questions, max_exact);
        assert_eq!(measured.is_exact(), max_exact > 3_000, "{why}");
        let grain_s = measured.grain_us().div_euclid(SECOND_US).max(1);
        let rows = measured.question(0).unwrap();
        let by_route = measured.question(1).unwrap();
        let a = by_route.group(Some("/a")).unwrap();
        for start in (0..3_000 / grain_s).map(|slot| slot * grain_s) {
            let window = window(start, start + grain_s);
            assert_eq!(rows.count(0, window), grain_s as u64, "{why}");
            assert_eq!(by_route.values(a, &[window]).all.count(), grain_s as u64, "{why}");
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn counts_and_values_are_those_of_a_plain_loop(
        rows in prop::collection::vec((0..600_i64, 0..3_usize, 0..4_u32, 0..1_000_u32), 1..200),
        from in 0..500_i64,
        len in 1..300_i64,
    ) {
        let routes = ["/a", "/b", "/c"];
        let text: String = rows
            .iter()
            .map(|(second, route, status, ms)| line(*second, routes[*route], 200 + 100 * status, *ms))
            .collect();
        let questions = [
            question("status >= 400 and duration < 500ms", Take::Rows, None, true),
            question("", Take::Values("duration_ms".to_owned()), Some("route"), true),
        ];
        let measured = measured(&[("a.jsonl", text)], &questions);
        let window = window(from, from + len);
        let inside = |second: &i64| (from..from + len).contains(second);
        let want = rows.iter().filter(|(s, _, status, ms)| inside(s) && *status >= 2 && *ms < 500);
        prop_assert_eq!(measured.question(0).unwrap().count(0, window), want.count() as u64);
        let by_route = measured.question(1).unwrap();
        for (number, name) in routes.iter().enumerate() {
            let Some(group) = by_route.group(Some(name)) else { continue };
            let mut want: Vec<(i64, f64)> = rows
                .iter()
                .filter(|(second, route, ..)| inside(second) && *route == number)
                .map(|(second, _, _, ms)| (*second, f64::from(*ms)))
                .collect();
            want.sort_by_key(|(second, _)| *second);
            let want: Vec<f64> = want.into_iter().map(|(_, ms)| ms).collect();
            prop_assert_eq!(by_route.values(group, &[window]).in_order, Some(want));
        }
    }
}
