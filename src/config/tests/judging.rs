//! Gates, checks, alerts and receivers.

use std::time::Duration;

use insta::assert_snapshot;

use super::super::{
    BaselineSource, BaselineSpec, CalendarKind, ChangeDirection, CheckSeverity, GateCheckKind,
    MinEffect, OnNoData, ReceiverUrl, Request, schema,
};
use super::{load, load_with, refused, request, sentences, told};

/// The gate of the page on statistics, as it stands there.
const DESIGN: &str = r#"
[gate.post_deploy]
baseline = { deployment = "previous", window = "24h", exclude = ["deploy", "holiday"] }
window = "30m"
interval = "5m"
count = 6
fail_limit = 1
score = { pass = 90, warn = 75 }
[[gate.post_deploy.check]]
name = "p95 /api/reports"
kind = "shift"
where = "route = '/api/reports'"
value = "duration_ms"
direction = "increase"
min_effect = "10%"
weight = 2
min_samples = 50
[[gate.post_deploy.check]]
name = "5xx"
kind = "proportion"
bad = "status >= 500"
min_effect = "0.5pt"
critical = true
"#;

#[test]
fn the_gate_of_the_design_loads() {
    let config = load(DESIGN).config;
    let gate = config.gate("post_deploy").unwrap();
    let day = Duration::from_hours(24);
    assert_eq!(
        gate.baseline,
        BaselineSpec {
            source: BaselineSource::PreviousDeployment,
            window: Some(day),
            exclude: vec![CalendarKind::Deploy, CalendarKind::Holiday],
        }
    );
    assert_eq!((gate.window, gate.interval), (day / 48, day / 288));
    assert_eq!((gate.count, gate.fail_limit, gate.error_limit), (6, 1, 4));
    assert_eq!((gate.success_streak, gate.on_no_data), (None, OnNoData::Hold));
    assert_eq!((gate.score.pass, gate.score.warn), (90.0, 75.0));
    let [shift, share] = &gate.checks[..] else { panic!("{:?}", gate.checks) };
    let GateCheckKind::Shift { value, filter, direction, min_effect } = &shift.kind else {
        panic!("{shift:?}")
    };
    assert_eq!(value.as_str(), "duration_ms");
    assert_eq!(filter.as_ref().unwrap().text, "route = '/api/reports'");
    assert_eq!((*direction, *min_effect), (ChangeDirection::Increase, MinEffect::Ratio(0.1)));
    assert_eq!((shift.weight, shift.min_samples, shift.is_critical), (2.0, 50, false));
    let GateCheckKind::Proportion { min_effect_points, .. } = share.kind else {
        panic!("{share:?}")
    };
    assert_eq!((min_effect_points, share.is_critical, share.min_samples), (0.005, true, 30));
}

/// A gate with one check, in which `check` stands.
fn gate_with(check: &str) -> String {
    format!("[[gate.a.check]]\nname = \"n\"\n{check}")
}

#[test]
fn every_kind_of_check_loads() {
    for (check, want) in [
        // The usual size of a change depends on the kind.
        ("kind='shift'\nvalue='took'", "min_effect: Ratio(0.1)"),
        ("kind='shift'\nvalue='took'\nmin_effect='20ms'", "min_effect: Length(20ms)"),
        ("kind='proportion'\nbad='x'", "min_effect_points: 0.005"),
        ("kind='count'\ndirection='decrease'\nmin_effect='50%'", "min_effect_ratio: 0.5"),
        ("kind='freshness'\nmax_age='1h'\nwhere='x'", "max_age: 3600s"),
        ("kind='rule'\nexpr='p95(duration) < 1s'", "p95(duration) < 1s"),
    ] {
        let loaded = load(&gate_with(check));
        let kind = &loaded.config.gates[0].checks[0].kind;
        assert!(format!("{kind:?}").contains(want), "{check}: {kind:?}");
    }
}

/// What a gate and the section `[check]` compare with.
fn check_baseline(check: &str, gate: &str, want: &(BaselineSource, Option<u64>, usize)) {
    let text = format!(
        "[check]\n{check}\n[gate.a]\n{gate}\n[[gate.a.check]]\nname='n'\nkind='rule'\nexpr='x'"
    );
    let got = load(&text).config.gates.remove(0).baseline;
    let hours = got.window.map(|window| window.as_secs() / 3600);
    assert_eq!(&(got.source, hours, got.exclude.len()), want, "{text}");
}

#[test]
fn a_gate_compares_with_what_it_says_else_with_what_the_section_says() {
    use BaselineSource::{History, LastWeek, Named, PreviousDeployment};
    check_baseline("", "", &(History, None, 0)); // the default
    check_baseline("exclude=['exam']", "", &(History, None, 1));
    check_baseline("baseline={from='history', window='8w'}", "", &(History, Some(1344), 0));
    // Another source has its own window.
    let usual = "exclude=['exam','exam']\nbaseline={from='history', window='8w'}";
    check_baseline(usual, "baseline={from='last-week'}", &(LastWeek, None, 1));
    check_baseline(usual, "baseline={window='4w'}", &(History, Some(672), 1));
    check_baseline(usual, "baseline={exclude=[]}", &(History, Some(1344), 0));
    check_baseline("", "baseline={from='name:v1.2'}", &(Named("v1.2".into()), None, 0));
    check_baseline("", "baseline={deployment='previous'}", &(PreviousDeployment, None, 0));
}

#[test]
fn the_sections_have_defaults_and_variables() {
    let config = load("").config;
    assert_eq!((config.check.window, config.check.min_samples), (None, 30));
    assert!((config.check.level_ratio - 0.02).abs() < 1e-12);
    assert!(config.check.windows.is_empty());
    let several = load("[check]\nwindows = ['1d', '15m', '24h']").config.check.windows;
    assert_eq!(several, [Duration::from_mins(15), Duration::from_hours(24)]); // sorted, once each
    assert_eq!(config.alert.interval, Duration::from_mins(1));
    assert!(config.gates.is_empty() && config.receivers.is_empty());
    let environment = vec![
        ("PLIMSOLL_CHECK_WINDOW".to_owned(), "1d".to_owned()),
        ("PLIMSOLL_ALERT_REPEAT".to_owned(), "1h".to_owned()),
    ];
    let config = load_with(b"", &Request { environment, ..request() }).unwrap().config;
    assert_eq!(config.check.window, Some(Duration::from_hours(24)));
    assert_eq!(config.alert.repeat, Duration::from_hours(1));
}

/// What is said of a configuration that is refused.
fn check(text: &str, want: &str) {
    let got = sentences(text);
    assert!(got.contains(want), "{text}\n  said: {got}\n  want: {want}");
}

#[test]
fn what_is_wrong_with_a_gate_is_refused_with_the_need() {
    let gate = |text: &str, want: &str| {
        check(&format!("[gate.a]\n{text}\n{}", gate_with("kind='rule'\nexpr='x'")), want);
    };
    check("gate = 1", "`gate` is `1`, must be a table");
    check("[gate]\nwindow = '1h'", "`gate.window` is `1h`, must be a table"); // the name is missing
    check("[gate.a]\nwindow = '1h'", "`gate.a` needs `check` (add `[[gate.a.check]]`)");
    check("[gate.\"a b\"]\ncheck=[]", "`gate.\"a b\".check` has 0 entries");
    check("[gate.'*'.x]", "unknown section `gate.\"*\".x`");
    let many: Vec<String> = (0..101).map(|number| format!("[gate.g{number}]\n")).collect();
    check(&many.concat(), "`gate` has 101 entries, must have at most 100");
    check("[gate.-]\n[[gate.-.check]]\nname='n'\nkind='rule'\nexpr='x'", "must be 1 to 64 letters");
    gate("windw = '1h'", "unknown key `gate.a.windw` (did you mean `window`?)");
    gate("count = 0", "`gate.a.count` is `0`, must be a whole number from 1 to 1000");
    gate("count = 3\nsuccess_streak = 4", "must be at most `gate.a.count`, which is `3`");
    gate("on_nodata = 'go'", "must be `hold` or `rollback`"); // never a pass
    gate("score = { pass = 101 }", "`gate.a.score.pass` is `101`, must be a number from 0 to 100");
    gate("score = { pass = nan }", "must be a number from 0 to 100");
    gate("score = { pass = '90' }", "must be a number from 0 to 100");
    gate("score = { warn = 95 }", "must be at most `gate.a.score.pass`, which is `90`");
    gate("score = { pass = 70.5 }", "must be at least `gate.a.score.warn`, which is `75`");
    gate("baseline = 'history'", "`gate.a.baseline` is `history`, must be a table");
    gate("baseline = { from = 'last-wek' }", "(did you mean `last-week`?)");
    gate("baseline = { from = 'name:a/b' }", "and the name of a saved baseline"); // no path
    gate("baseline = { from = 'history', deployment = 'previous' }", "must have one");
    gate("baseline = { from = '4x-before', window = '1d' }", "of no use to `4x-before`");
    gate("baseline = { from = 'last-week', window = '1d' }", "of no use to `last-week`");
    gate("baseline = { exclude = ['easter'] }", "must be `deploy`, `exam`, `holiday`");
}

#[test]
fn what_is_wrong_with_a_check_is_refused_with_the_need() {
    let one = |text: &str, want: &str| check(&gate_with(text), want);
    one("kind = 'shfit'", "(did you mean `shift`?)");
    one("kind = 'shift'", "`gate.a.check.n` needs `value`, its kind is `shift`");
    one(
        "kind = 'proportion'",
        "needs `bad`, its kind is `proportion` (add `bad = \"status >= 500\"`)",
    );
    one("kind = 'count'", "needs `direction`"); // neither way is worse by itself
    one("kind = 'freshness'", "needs `max_age`");
    one("kind = 'rule'", "needs `expr`");
    one("kind = 'rule'\nexpr = 'x'\nwhere = 'y'", "(write the filter into `expr`: `… where …`)");
    one(
        "kind = 'rule'\nexpr = 'x'\nbad = 'y'",
        "of no use to `rule` (its own keys are `expr` or `min",
    );
    one("kind = 'freshness'\nmax_age = '1h'\nmin_samples = 9", "of no use to `freshness`");
    one(
        "kind = 'shift'\nvalue = 'x'\nmin_effect = '1pt'",
        "must be a percentage such as `10%`, or a",
    );
    one("kind = 'shift'\nvalue = 'x'\nmin_effect = '2h'", "up to `1h`");
    one("kind = 'shift'\nvalue = 'x'\nmin_effect = 'NaN%'", "must be a percentage");
    one("kind = 'proportion'\nbad = 'x'\nmin_effect = '1%'", "(did you mean `1pt`?)");
    one("kind = 'proportion'\nbad = 'x'\nmin_effect = '101pt'", "from `0pt` to `100pt`");
    one("kind = 'count'\ndirection = 'either'\nmin_effect = '9ms'", "must be a percentage such as");
    one("kind = 'rule'\nexpr = 'x'\nweight = 0", "must be a number from 0.01 to 1000");
    one("kind = 'rule'\nexpr = 'x'\nrunbook = 'file:///x'", "must be a web address");
    one(
        "kind = 'rule'\nexpr = 'x'\n[[gate.a.check]]\nname = 'n '",
        "differ from the one in line 2",
    );
}

#[test]
fn what_is_wrong_with_sections_and_receivers_is_refused_with_the_need() {
    check("[check]\nlevel = '0%'", "must be more than `0%` and at most `50%`");
    check("[check]\nlevel = '0.02'", "(did you mean `2%`?)");
    check("[check]\nwindow = '30s'", "must be from `1m` to `366d`");
    check("[check]\nwindows = ['1h', '30s']", "must be from `1m` to `366d`");
    check("[alert]\ninterval = '0s'", "must be from `1s` to `1h`");
    check("[alert]\nintervall = '1m'", "(did you mean `interval`?)");
    let receiver = |url: &str| format!("[[receiver]]\nname='a'\nkind='webhook'\nurl='{url}'\n");
    check("[[receiver]]\nname = 'a'\nkind = 'email'\nurl = 'x'", "must be `webhook`, `slack` or");
    check(&receiver("ftp://example.org"), "`receiver.a.url` is `********`, must be a web address");
    check(&receiver("example.org/hook"), "must be a web address (http, https) or `env:NAME`");
    check(&receiver("http://"), "must be a web address");
    check(&receiver("env:A-B"), "must name a variable after `env:`");
    check(&receiver("http://a").replace("'a'", "'a b'"), "(did you mean `a-b`?)");
    check(&(receiver("http://a") + "severities = []"), "must have at least 1");
    check(&(receiver("http://a") + &receiver("http://b")), "must differ from the one in line 2");
}

#[test]
fn all_problems_of_a_check_are_told_at_once() {
    assert_snapshot!(refused(&gate_with("kind = \"count\"\nvalue = \"a..b\"\nmin_effect = \"1\"\nwieght = 2")), @r#"
    error: `gate.a.check.n` needs `direction`, its kind is `count`
     --> plimsoll.toml:1:1
      |
    1 | [[gate.a.check]]
      | ^^^^^^^^^^^^^^^^
      = help: add `direction = "decrease"`

    error: `gate.a.check.n.value` is `a..b`, must be a field such as `req.url`: 1 to 256 bytes, no empty name in it
     --> plimsoll.toml:4:9
      |
    4 | value = "a..b"
      |         ^^^^^^

    error: `gate.a.check.n.value` is of no use to `count`
     --> plimsoll.toml:4:9
      |
    4 | value = "a..b"
      |         ^^^^^^
      = help: its own keys are `where`, `direction`, `min_effect` or `min_samples`

    error: `gate.a.check.n.min_effect` is `1`, must be a percentage such as `10%`
     --> plimsoll.toml:5:14
      |
    5 | min_effect = "1"
      |              ^^^
      = help: did you mean `100%`?

    error: unknown key `gate.a.check.n.wieght`
     --> plimsoll.toml:6:1
      |
    6 | wieght = 2
      | ^^^^^^
      = help: did you mean `weight`?
    "#);
}

#[test]
fn a_receiver_is_told_where_it_is_and_shown_without_it() {
    let text = "[[receiver]]\nname = 'ops'\nkind = 'slack'\nurl = 'https://h.example.org/T0/hunter2'\n\
                severities = ['fail', 'fail']\n\
                [[receiver]]\nname = 'b'\nkind = 'webhook'\nurl = 'env:HOOK'\n\
                [[receiver]]\nname = 'c'\nkind = 'alertmanager'\nurl = 'env:NONE'\n";
    let with = |hook: &str| Request {
        environment: vec![("HOOK".to_owned(), hook.to_owned()), ("NONE".to_owned(), String::new())],
        ..request()
    };
    let loaded = load_with(text.as_bytes(), &with("http://127.0.0.1:1/hunter2")).unwrap();
    let [ops, b, c] = &loaded.config.receivers[..] else { panic!() };
    assert_eq!(ops.severities, [CheckSeverity::Fail]);
    assert_eq!(b.severities, [CheckSeverity::Fail, CheckSeverity::Warn]);
    let given = |url: &ReceiverUrl| match url {
        ReceiverUrl::Given(secret) => secret.expose().to_owned(),
        ReceiverUrl::Unset(name) => format!("unset {name}"),
    };
    assert_eq!(given(&ops.url), "https://h.example.org/T0/hunter2");
    assert_eq!(given(&b.url), "http://127.0.0.1:1/hunter2");
    assert_eq!(given(&c.url), "unset NONE"); // empty is not set; only who sends must know
    let shown = format!("{:?}", (&loaded.config, &loaded.settings));
    assert!(!shown.contains("hunter2"), "{shown}");
    assert!(loaded.settings.iter().any(|s| s.key == "receiver.ops.url" && s.value == "********"));
    let error = load_with(text.as_bytes(), &with("hunter2")).unwrap_err();
    assert_snapshot!(told(&error), @r"
    error: `receiver.b.url` names the variable `HOOK`, which must hold a web address (http, https)
     --> plimsoll.toml:9:7
      |
    9 | url = ********
      | ^^^^^^^^^^^^^^
    ");
    for wrong in [
        "[[receiver]]\nname = 'a'\nurl = 'hunter2'",
        "receiver = [{ name = 'a', url = 'https://x/hunter2', x = 1 }]",
        "[[receiver]]\nurl = https://x/hunter2",
    ] {
        assert!(!refused(wrong).contains("hunter2"), "{}", refused(wrong));
    }
}

#[test]
fn the_schema_knows_gates() {
    let schema = schema();
    let at = |path: &str| schema.pointer(path).unwrap_or_else(|| panic!("{path}"));
    let gate = "/properties/gate/additionalProperties/properties";
    assert_eq!(at(&format!("{gate}/score/properties/pass/default")), 90);
    assert_eq!(at(&format!("{gate}/check/items/properties/min_samples/default")), 30);
    assert_eq!(at("/properties/receiver/items/properties/url/writeOnly"), true);
    assert_eq!(at("/properties/check/properties/window/default"), "all");
}

#[test]
fn what_is_in_effect_for_a_gate_is_listed() {
    let loaded = load(&gate_with("kind = \"rule\"\nexpr = \"x\""));
    let lines = loaded.settings.iter().filter(|setting| setting.key.starts_with("gate"));
    let lines: Vec<String> = lines.map(|s| format!("{} = {}", s.key, s.value)).collect();
    assert_snapshot!(lines.join("\n"), @r#"
    gate.a.window = "30m"
    gate.a.interval = "5m"
    gate.a.count = 1
    gate.a.delay = "0s"
    gate.a.fail_limit = 0
    gate.a.success_streak = 0
    gate.a.error_limit = 4
    gate.a.on_nodata = "hold"
    gate.a.score.pass = 90
    gate.a.score.warn = 75
    gate.a.check.n.name = "n"
    gate.a.check.n.kind = "rule"
    gate.a.check.n.expr = "x"
    gate.a.check.n.weight = 1
    gate.a.check.n.min_samples = 30
    gate.a.check.n.critical = false
    gate.a.check.n.shadow = false
    "#);
}

#[test]
fn an_expression_knows_its_place() {
    let loaded = load(DESIGN);
    let GateCheckKind::Proportion { bad, .. } = &loaded.config.gates[0].checks[1].kind else {
        panic!()
    };
    let place = loaded.place_of(bad);
    assert_eq!((place.line, place.column), (21, 7));
    assert_eq!(place.origin.to_string(), "plimsoll.toml");
    let problem = loaded.problem_in(bad, 0..6, "unknown field", Some("did you mean `state`?"));
    assert_eq!(problem.help.as_deref(), Some("did you mean `state`?"));
    assert_eq!(problem.location(), "plimsoll.toml:21:8");
}
