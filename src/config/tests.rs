//! Whole configurations: what loads, what is refused with which words, and who wins.

use std::path::Path;
use std::time::Duration;

use insta::assert_snapshot;
use proptest::prelude::*;

use super::{
    CalendarDays, CalendarKind, ConfigError, DEFAULTS, EventFields, FieldPath, KeySource, Loaded,
    OptionValue, Origin, Request, SourceKind, check_bytes, load as load_from_disk, schema,
    variables,
};

mod judging;

const FILE: &str = "/srv/shop/plimsoll.toml";

fn request() -> Request {
    Request { directory: "/srv/shop".into(), ..Request::default() }
}

fn load_with(text: &[u8], request: &Request) -> Result<Loaded, ConfigError> {
    check_bytes(Some((Path::new(FILE), text)), request)
}

fn load(text: &str) -> Loaded {
    load_with(text.as_bytes(), &request()).unwrap_or_else(|error| panic!("{}", told(&error)))
}

fn told(error: &ConfigError) -> String {
    let ConfigError::Invalid { problems, .. } = error else { return error.to_string() };
    let texts: Vec<String> = problems.iter().map(ToString::to_string).collect();
    texts.join("\n\n")
}

/// Everything that is said about a configuration that is refused.
fn refused(text: &str) -> String {
    told(&load_with(text.as_bytes(), &request()).expect_err(text))
}

/// The first lines of what is said: sentences without places.
fn sentences(text: &str) -> String {
    match load_with(text.as_bytes(), &request()) {
        Ok(_) => "it loads".to_owned(),
        Err(ConfigError::Invalid { problems, .. }) => {
            let messages = problems.iter().map(|p| {
                let help = p.help.as_ref().map(|help| format!(" ({help})"));
                format!("{}{}", p.message, help.unwrap_or_default())
            });
            messages.collect::<Vec<_>>().join("; ")
        }
        Err(error) => error.to_string(),
    }
}

const CONTRACT: &str = r#"
version = 1
[project]
name = "intellego"
timezone = "America/Argentina/Buenos_Aires"   # weeks are ISO weeks in this zone
[store]
path = "data/store"
[[source]]
name = "app"
include = ["logs/*.jsonl*"]
[[source]]
name = "reports"                 # a tree of JSON documents, one event per document
kind = "documents"
include = ["data/student-reports/**/*.json"]
event = "report.submitted"
time = "submittedAt"
id = ["student.id", "week.start", "academic.subject"]
[[rule]]
id = "reports-p95"
expr = 'p95(duration) < 300ms and p95(duration) < baseline + 10% where route = "/api/weekly-reports"'
severity = "fail"
[[slo]]
id = "availability"
good = "status < 500"
objective = "99.5%"
window = "28d"
"#;

#[test]
fn the_configuration_of_the_contract_loads() {
    let config = load(CONTRACT).config;
    assert_eq!(config.project.time_zone.iana_name(), Some("America/Argentina/Buenos_Aires"));
    assert_eq!(config.store.path, Path::new("/srv/shop/data/store"));
    assert_eq!(config.sources.len(), 2);
    let reports = config.source("reports").unwrap();
    assert_eq!(reports.kind, SourceKind::Documents);
    assert_eq!(reports.id.len(), 3);
    let document = Path::new("/srv/shop/data/student-reports/4to/ana.json");
    assert_eq!(config.source_of(document).map(|source| &*source.name), Some("reports"));
    assert_eq!(config.rules[0].expr.text.len(), 92);
    assert!((config.slos[0].objective_ratio - 0.995).abs() < 1e-12);
    assert_eq!(config.slos[0].window, Duration::from_hours(28 * 24));
}

#[test]
fn the_configuration_of_the_fault_list_loads() {
    let text = "[store]\npath = \"/tmp/w/store\"\nstate = \"/tmp/w/state\"\n[[source]]\n\
                name = \"app\"\nkind = \"jsonl\"\n\
                include = [\"/tmp/w/logs/*.log\",\"/tmp/w/logs/a*\",\"/tmp/w/logs/../logs/a.log\"]\n";
    let config = load(text).config;
    assert_eq!(config.store.state, Path::new("/tmp/w/state"));
    let patterns: Vec<&str> = config.sources[0].files.patterns().collect();
    assert_eq!(patterns, ["/tmp/w/logs/*.log", "/tmp/w/logs/a*", "/tmp/w/logs/a.log"]);
}

#[test]
fn every_kind_of_value_loads() {
    let text = r#"
        [store]
        retention = "400d"
        retention_size = "50GiB"
        [redact]
        key_file = "/etc/plimsoll/key"
        secret_names = ["PIN"]
        [[source]]
        name = "api"
        include = ["a.log"]
        exclude = ["*.gz", "old/*"]
        timezone = "-03:00"
        fields = { duration = "took", unit = "us", route = "req.url" }
        [[rule]]
        id = "errors"
        expr = "share(status >= 500) < 1%"
        severity = "warn"
        runbook = "https://example.org/runbook#errors"
        shadow = true
        no_data = "fail"
        for = "5m"
        [[calendar]]
        name = "winter"
        kind = "holiday"
        from = 2026-07-20
        to = "2026-07-31"
        [[calendar]]
        name = "school"
        file = "calendar.ics"
        [[calendar]]
        name = "exams"
        kind = "exam"
        include = ["data/calendar/*.json"]
        fields = { from = "week.start" }
        [check]
        exclude = ["holiday"]
        segment = ["exam"]
        mute = ["maintenance"]
    "#;
    let config = load(text).config;
    assert_eq!(config.store.retention, Some(Duration::from_hours(400 * 24)));
    assert_eq!(config.store.retention_bytes, Some(50 << 30));
    assert_eq!(config.redact.key, KeySource::File("/etc/plimsoll/key".into()));
    assert_eq!(config.redact.secret_names, ["pin"]);
    let api = &config.sources[0];
    assert!(!api.files.is_match(Path::new("/srv/shop/a.log.gz")));
    let fields: Vec<_> = api.fields.iter().map(|(role, path)| (*role, path.as_str())).collect();
    assert_eq!(fields, [("duration", "took"), ("route", "req.url")]);
    assert_eq!(config.rules[0].hold, Duration::from_mins(5));
    let CalendarDays::Between(from, to) = config.calendars[0].days else { panic!() };
    assert_eq!((from.to_string(), to.to_string()), ("2026-07-20".into(), "2026-07-31".into()));
    let file = CalendarDays::File("/srv/shop/calendar.ics".into(), EventFields::default());
    assert_eq!(config.calendars[1].days, file);
    let CalendarDays::Files(globs, fields) = &config.calendars[2].days else { panic!() };
    assert_eq!(globs, &["/srv/shop/data/calendar/*.json"]);
    assert_eq!(fields.from.as_ref().map(FieldPath::as_str), Some("week.start"));
    assert_eq!(config.check.segment, [CalendarKind::Exam]);
    assert_eq!(config.check.mute, [CalendarKind::Maintenance]);
}

#[test]
fn what_is_written_oddly_and_right_loads() {
    for text in [
        "",
        "\u{feff}version = 1",        // byte order mark
        "version = 1\r\n[store]\r\n", // Windows
        "store.path = \"x\"",         // dotted key
        "store = { path = \"x\" }",   // inline table
        "[[source]]\nname = 'a'\ninclude = ['x']\n[source.fields]\nroute = 'r'",
        "source = [{ name = \"a\", include = [\"x\"] }]",
        "[[slo]]\nid='a'\ngood='x'\nobjective='99.999 %'",
        "version = 0x1",
        DEFAULTS.split("[[source]]").next().unwrap(), // the defaults are a configuration
    ] {
        assert_eq!(sentences(text), "it loads", "{text}");
    }
}

/// Configurations that are refused and a part of what is said; beside it why it is so.
const REFUSED: &[(&str, &str)] = &[
    ("version = 2", "`version` is `2`, must be `1`"),
    ("version = \"1\"", "`version` is `1`, must be `1`"), // text is no number
    ("version = 99999999999999999999", "must be `1`"),    // beyond every integer
    ("sorce = 1", "unknown key `sorce` (did you mean `source`?)"),
    ("[storage]", "unknown section `storage` (did you mean `store`?)"),
    ("[x]", "sections are `version`, `project`"), // nothing is near
    ("path = \"x\"", "unknown key `path` (did you mean `store.path`?)"), // the section is missing
    ("[store]\ndepth = 1", "keys of `store` are `path`, `state`"),
    ("store = 3", "`store` is `3`, must be a table"),
    ("[source]", "must be a list in `[` and `]` (write `[[source]]`)"),
    ("[project]\nname = 7", "`project.name` is `7`, must be text in quotes (write `\"7\"`)"),
    ("[project]\nname = \" \"", "must be one line of 1 to 120 bytes"),
    ("[project]\nname = \"a\\nb\"", "must be one line"),
    ("[project]\ntimezone = \"EST5EDT4\"", "must be an IANA time zone"),
    ("[project]\ntimezone = \"-25:00\"", "or an offset such as `-03:00`"),
    ("[project]\ntimezone = \"europe/madird\"", "(did you mean `Europe/Madrid`?)"),
    ("[store]\npath = \"\"", "`store.path` is empty, must be a path"),
    ("[store]\npath = \"a%41\"", "must not have `%` and two hex digits"), // an `A` in a URL
    ("[store]\npath = \"/x/../..\"", "must not be the root directory"),
    ("[store]\npath = \"~/store\"", "must not begin with `~`"),
    ("[store]\npath = \"a\\u0000b\"", "must not have a NUL"),
    ("[store]\npath = \"x\"\nstate = \"y/../x\"", "must lie outside of the directory"),
    ("[store]\npath = \"x\"\nstate = \"x/state\"", "must lie outside of the directory"),
    (
        "[store]\nretention = 28",
        "`store.retention` is `28`, must be a length of time such as `\"28d\"`",
    ),
    ("[store]\nretention = \"23h\"", "must be from `1d` to `36525d`"), // just below
    ("[store]\nretention = \"28 days\"", "(did you mean `28d`?)"),
    ("[store]\nretention_size = \"1B\"", "must be from `16MiB` to `1024TiB`"),
    ("[collect]\nflush_interval = \"49ms\"", "must be from `50ms` to `1h`"),
    ("[collect]\nflush_size = \"8M\"", "must be a size such as `8MiB` (did you mean `8MiB`?)"),
    ("[collect]\nidle_tail = \"-2s\"", "must be a length of time"),
    (
        "[collect]\ntruncated_keep = \"16385KiB\"",
        "`collect.truncated_keep` is `16385KiB`, must be from",
    ),
    ("[collect]\nlink_roots = \"/mnt\"", "must be a list in `[` and `]` (write `[\"/mnt\"]`)"),
    ("[collect]\nlink_roots = [\"\"]", "`collect.link_roots` is empty, must be a path"),
    ("[redact]\nsecret_names = [\"x\"]", "2 to 64 letters"), // one letter is in every name
    ("[redact]\npersonal_fields = [\"a..b\"]", "no empty name in it"),
    ("[[source]]", "`source[0]` needs `name` (add `name = \"…\"`)"),
    ("[[source]]\nname = \"a\"\ninclude = \"x\"", "(write `[\"x\"]`)"),
    ("[[source]]\nname = \"a\"\ninclude = []", "has 0 entries, must have at least 1"),
    ("[[source]]\nname = \"a\"\ninclude = [\"[\"]", "must be a glob; unclosed character class"),
    (
        "[[source]]\nname = \"a\"\ninclude = [\"x\", \"logs/\"]",
        "include[1]` is `logs/`, must name files",
    ),
    ("[[source]]\nname = \"-a\"\ninclude = [\"x\"]", "(did you mean `a`?)"),
    ("[[source]]\nname = \"a\"\ninclude = [\"x\"]\nkind = \"json\"", "(did you mean `jsonl`?)"),
    (
        "[[source]]\nname = \"a\"\ninclude = [\"x\"]\nkind = \"text\"\nid = [\"k\"]",
        "only documents",
    ),
    ("[[source]]\nname = \"a\"\ninclude = [\"x\"]\nfields.unit = \"min\"", "must be `ns`, `us`"),
    ("[[source]]\nname = \"a\"\ninclude = [\"x\"]\nfields.rout = \"r\"", "(did you mean `route`?)"),
    ("[[source]]\nname = \"a\"\ninclude = [\"x\"]\npromote.k = \"i64\"", "unknown section"),
    ("[[rule]]\nid = \"a\"", "`rule.a` needs `expr`"),
    ("[[rule]]\nid = \"a\"\nexpr = \" \"", "must be an expression"),
    (
        "[[rule]]\nid = \"a\"\nexpr = \"x\"\nno_data = \"pass\"",
        "must be `inconclusive`, `warn` or `fail`",
    ),
    ("[[rule]]\nid = \"a\"\nexpr = \"x\"\nshadow = \"yes\"", "must be `true` or `false`"),
    ("[[rule]]\nid = \"a\"\nexpr = \"x\"\nrunbook = \"javascript:x\"", "must be a web address"),
    (
        "[[slo]]\nid = \"a\"\ngood = \"x\"\nobjective = 99.5",
        "must be a percentage such as `\"99.5%\"`",
    ),
    ("[[slo]]\nid = \"a\"\ngood = \"x\"\nobjective = \"0.995\"", "(did you mean `99.5%`?)"),
    ("[[slo]]\nid = \"a\"\ngood = \"x\"\nobjective = \"100%\"", "less than `100%`"), // no error budget
    (
        "[[slo]]\nid = \"a\"\ngood = \"x\"\nobjective = \"9%\"\nwindow = \"59m\"",
        "must be from `1h`",
    ),
    ("[[calendar]]\nname = \"a\"", "needs one of `file`, `include` and `from`"),
    (
        "[[calendar]]\nname = \"a\"\nfile = \"x\"\nfrom = 2026-01-01",
        "needs one of `file`, `include` and `from`",
    ),
    (
        "[[calendar]]\nname = \"a\"\nfile = \"x\"\ninclude = [\"y\"]",
        "needs one of `file`, `include` and `from`",
    ),
    (
        "[[calendar]]\nname = \"a\"\nfrom = 2026-01-01\nfields.name = \"x\"",
        "`calendar.a.fields` is of no use without a file",
    ),
    ("[check]\nmute = [\"exam\"]\nsegment = [\"exam\"]", "`check.mute` has `exam`, which"),
    ("[check]\nmute = [\"exams\"]", "(did you mean `exam`?)"),
    ("[[calendar]]\nname = \"a\"\nfrom = \"2026-02-30\"", "must be a date such as"),
    ("[[calendar]]\nname = \"a\"\nfrom = 2026-01-02\nto = 2026-01-01", "must not be before `from`"),
    ("a = [", "no valid TOML: unclosed array"),
    ("a = 'x\r", "no valid TOML: invalid literal string"), // half of a Windows line end
    ("a = 1\na = 2", "no valid TOML: duplicate key"),
    ("[store]\n[store]", "no valid TOML: duplicate key"),
];

#[test]
fn what_is_wrong_is_refused_with_the_need() {
    for (text, want) in REFUSED {
        let got = sentences(text);
        assert!(got.contains(want), "{text}\n  said: {got}\n  want: {want}");
    }
}

#[test]
fn an_unknown_key_is_shown_with_its_likely_name() {
    assert_snapshot!(refused("[store]\nretntion = \"5d\""), @r#"
    error: unknown key `store.retntion`
     --> plimsoll.toml:2:1
      |
    2 | retntion = "5d"
      | ^^^^^^^^
      = help: did you mean `retention`?
    "#);
    assert_snapshot!(refused("[colect]\nflush_size = \"1MiB\""), @r"
    error: unknown section `colect`
     --> plimsoll.toml:1:2
      |
    1 | [colect]
      |  ^^^^^^
      = help: did you mean `collect`?
    ");
    assert_snapshot!(refused("[collect]\ntimezone = \"UTC\""), @r#"
    error: unknown key `collect.timezone`
     --> plimsoll.toml:2:1
      |
    2 | timezone = "UTC"
      | ^^^^^^^^
      = help: did you mean `project.timezone`?
    "#);
}

#[test]
fn a_wrong_type_is_shown_with_the_right_one() {
    assert_snapshot!(refused("[store]\n  retention = 28"), @r#"
    error: `store.retention` is `28`, must be a length of time such as `"28d"`
     --> plimsoll.toml:2:15
      |
    2 |   retention = 28
      |               ^^
    "#);
    assert_snapshot!(refused("[[rule]]\nid = \"a\"\nexpr = \"x\"\nshadow = \"yes\""), @r#"
    error: `rule.a.shadow` is `yes`, must be `true` or `false`
     --> plimsoll.toml:4:10
      |
    4 | shadow = "yes"
      |          ^^^^^
    "#);
    assert_snapshot!(refused("[source]\nname = \"app\""), @r"
    error: `source` is `[source]`, must be a list in `[` and `]`
     --> plimsoll.toml:1:1
      |
    1 | [source]
      | ^^^^^^^^
      = help: write `[[source]]`
    ");
}

#[test]
fn a_value_out_of_bounds_is_shown_with_the_bounds() {
    assert_snapshot!(refused("[collect]\nflush_interval = \"2h\"   # too lazy"), @r#"
    error: `collect.flush_interval` is `2h`, must be from `50ms` to `1h`
     --> plimsoll.toml:2:18
      |
    2 | flush_interval = "2h"   # too lazy
      |                  ^^^^
    "#);
    assert_snapshot!(refused("[collect]\nmax_record = \"32KiB\""), @r#"
    error: `collect.max_record` is `32KiB`, must be at least `collect.truncated_keep`, which is `64KiB`
     --> plimsoll.toml:2:14
      |
    2 | max_record = "32KiB"
      |              ^^^^^^^
    "#);
    assert_snapshot!(refused("[[slo]]\nid = \"a\"\ngood = \"x\"\nobjective = \"99.5\""), @r#"
    error: `slo.a.objective` is `99.5`, must be a percentage such as `99.5%`
     --> plimsoll.toml:4:13
      |
    4 | objective = "99.5"
      |             ^^^^^^
      = help: did you mean `99.5%`?
    "#);
}

#[test]
fn a_word_that_is_not_known_is_shown_with_those_that_are() {
    assert_snapshot!(refused("[[source]]\nname = \"a\"\ninclude = [\"x\"]\nkind = \"json\""), @r#"
    error: `source.a.kind` is `json`, must be `auto`, `jsonl`, `text`, `logfmt`, `access` or `documents`
     --> plimsoll.toml:4:8
      |
    4 | kind = "json"
      |        ^^^^^^
      = help: did you mean `jsonl`?
    "#);
    assert_snapshot!(refused("project.timezone = \"Buenos Aires\""), @r#"
    error: `project.timezone` is `Buenos Aires`, must be an IANA time zone such as `America/Argentina/Buenos_Aires`, or an offset such as `-03:00`
     --> plimsoll.toml:1:20
      |
    1 | project.timezone = "Buenos Aires"
      |                    ^^^^^^^^^^^^^^
      = help: did you mean `America/Argentina/Buenos_Aires`?
    "#);
}

#[test]
fn a_name_that_is_taken_is_shown_with_the_first() {
    let source = "[[source]]\nname = \"app\"\ninclude = [\"x\"]\n";
    assert_snapshot!(refused(&format!("{source}{}", source.replace('x', "y"))), @r#"
    error: `source[1].name` is `app`, must differ from the one in line 2
     --> plimsoll.toml:5:8
      |
    5 | name = "app"
      |        ^^^^^
    "#);
    assert_snapshot!(refused("[[slo]]\nid = \"a\"\ngood = \"x\"\nobjective = \"9%\"\n[[slo]]\nid = \"a\"\ngood = \"x\"\nobjective = \"9%\""), @r#"
    error: `slo[1].id` is `a`, must differ from the one in line 2
     --> plimsoll.toml:6:6
      |
    6 | id = "a"
      |      ^^^
    "#);
    assert_snapshot!(refused("[[rule]]\nid = \"a\"\nexpr = \"x\"\n[[rule]]\nid = \"a\"\nexpr = \"y\""), @r#"
    error: `rule[1].id` is `a`, must differ from the one in line 2
     --> plimsoll.toml:5:6
      |
    5 | id = "a"
      |      ^^^
    "#);
}

#[test]
fn broken_toml_is_shown_where_it_breaks() {
    assert_snapshot!(refused("[store]\npath = \"x\n"), @r#"
    error: no valid TOML: invalid basic string, expected `"`
     --> plimsoll.toml:2:10
      |
    2 | path = "x
      |          ^
    "#);
    assert_snapshot!(refused("[store\npath = \"a\"\npath = \"b\""), @r"
    error: no valid TOML: unclosed table, expected `]`
     --> plimsoll.toml:1:7
      |
    1 | [store
      |       ^
    ");
    assert_snapshot!(told(&load_with(b"# a\xffb", &request()).unwrap_err()), @r"
    error: no valid TOML: the file is not UTF-8
     --> plimsoll.toml:1:4
      |
    1 | # a�b
      |    ^
    ");
}

#[test]
fn all_problems_are_told_at_once_in_the_order_of_the_file() {
    let text = "[[source]]\nname = \"a b\"\nkind = \"logs\"\n\n[collect]\nflush_size = \"8M\"\n\
                flush_intervall = \"1s\"\n[[slo]]\nid = \"x\"\n";
    assert_snapshot!(refused(text), @r#"
    error: `source."a b"` needs `include`
     --> plimsoll.toml:1:1
      |
    1 | [[source]]
      | ^^^^^^^^^^
      = help: add `include = ["logs/*.jsonl*"]`

    error: `source."a b".name` is `a b`, must be 1 to 64 letters, digits, `.`, `_` or `-`, first no sign
     --> plimsoll.toml:2:8
      |
    2 | name = "a b"
      |        ^^^^^
      = help: did you mean `a-b`?

    error: `source."a b".kind` is `logs`, must be `auto`, `jsonl`, `text`, `logfmt`, `access` or `documents`
     --> plimsoll.toml:3:8
      |
    3 | kind = "logs"
      |        ^^^^^^

    error: `collect.flush_size` is `8M`, must be a size such as `8MiB`
     --> plimsoll.toml:6:14
      |
    6 | flush_size = "8M"
      |              ^^^^
      = help: did you mean `8MiB`?

    error: unknown key `collect.flush_intervall`
     --> plimsoll.toml:7:1
      |
    7 | flush_intervall = "1s"
      | ^^^^^^^^^^^^^^^
      = help: did you mean `flush_interval`?

    error: `slo.x` needs `good`
     --> plimsoll.toml:8:1
      |
    8 | [[slo]]
      | ^^^^^^^
      = help: add `good = "…"`

    error: `slo.x` needs `objective`
     --> plimsoll.toml:8:1
      |
    8 | [[slo]]
      | ^^^^^^^
      = help: add `objective = "99.5%"`
    "#);
}

#[test]
fn only_so_many_problems_are_listed() {
    let text = (0..150).map(|number| format!("x{number} = 1\n")).collect::<Vec<_>>().concat();
    let error = load_with(text.as_bytes(), &request()).unwrap_err();
    assert_eq!(error.to_string(), "the configuration has 150 problems");
    let ConfigError::Invalid { problems, hidden_count, .. } = error else { panic!() };
    assert_eq!((problems.len(), hidden_count), (100, 50));
}

#[test]
fn hostile_shapes_are_refused_in_little_time() {
    let begin = std::time::Instant::now();
    for text in [
        format!("a = {}", "{a=".repeat(100_000)),
        format!("a = {}", "[".repeat(300_000)),
        format!("{} = 1", "a.".repeat(100_000) + "a"),
        (0..80_000).map(|number| format!("k{number} = 1\n")).collect::<Vec<_>>().concat(),
        format!("[project]\ntimezone = \"{}\"", "x".repeat(900_000)),
    ] {
        assert_ne!(sentences(&text), "it loads");
    }
    // Together they take a second or two; quadratic time anywhere would make it many minutes.
    assert!(begin.elapsed() < Duration::from_secs(90), "{:?}", begin.elapsed());
}

#[test]
fn a_secret_is_never_shown() {
    let told_of = |text: &str| load_with(text.as_bytes(), &request()).unwrap_err();
    assert_snapshot!(told(&told_of("[redact]\nkey = \"hunter2hunter2hunter2\"")), @r"
    error: `redact.key` is a secret, must not be written here
     --> plimsoll.toml:2:7
      |
    2 | key = ********
      | ^^^^^^^^^^^^^^
      = help: put it into a file of mode 0600 and name that in `redact.key_file`, or set the variable PLIMSOLL_REDACT_KEY
    ");
    for text in [
        "redact = { key = \"hunter2hunter2\", x = 1 }",
        "[redact]\npassword = \"hunter2\"",
        "[redact]\nkey = 7 # hunter2",
        "[redact]\nkey = hunter2",
        "api_key = \"hunter2\"\n",
    ] {
        let error = told_of(text);
        assert!(
            !format!("{} {error:?}", told(&error)).contains("hunter2"),
            "{text}: {}",
            told(&error)
        );
    }
    let with = |name: &str, value: &str| Request {
        environment: vec![(name.to_owned(), value.to_owned())],
        ..request()
    };
    let loaded = load_with(b"", &with("PLIMSOLL_REDACT_KEY", "hunter2hunter2hunter2")).unwrap();
    let KeySource::Given(key) = &loaded.config.redact.key else { panic!() };
    assert_eq!(key.expose(), "hunter2hunter2hunter2");
    let key = loaded.settings.iter().find(|setting| setting.key == "redact.key").unwrap();
    assert_eq!(
        (&*key.value, key.origin.to_string()),
        ("********", "environment variable PLIMSOLL_REDACT_KEY".into())
    );
    assert!(!format!("{:?}", (&loaded.config, &loaded.settings)).contains("hunter2"));
    let short = load_with(b"", &with("PLIMSOLL_REDACT_KEY", "hunter2")).unwrap_err();
    assert_snapshot!(told(&short), @r"
    error: `redact.key` is `********`, must have at least 16 bytes
    --> environment variable PLIMSOLL_REDACT_KEY
     |
     | ********
     | ^^^^^^^^
     = help: `openssl rand -hex 32` makes a good one
    ");
    let slip = load_with(b"", &with("PLIMSOLL_REDACT_KYE", "hunter2")).unwrap();
    assert_snapshot!(slip.warnings[0], @r"
    warning: the variable `PLIMSOLL_REDACT_KYE` sets nothing
    --> environment variable PLIMSOLL_REDACT_KYE
     |
     | ********
     | ^^^^^^^^
     = help: did you mean `PLIMSOLL_REDACT_KEY`?
    ");
}

/// What is in effect for a key, and who said it, when some of the four say something.
fn check_precedence(said: [Option<&str>; 3], want: (&str, &str)) {
    let [option, variable, file] = said;
    let request = Request {
        environment: variable
            .map(|v| ("PLIMSOLL_STORE_PATH".to_owned(), v.to_owned()))
            .into_iter()
            .collect(),
        options: option
            .map(|value| OptionValue {
                option: "--store".to_owned(),
                key: "store.path".to_owned(),
                value: value.to_owned(),
            })
            .into_iter()
            .collect(),
        ..Request { directory: "/home/ana".into(), ..Request::default() }
    };
    let text = file.map_or(String::new(), |path| format!("\n[store]\npath = \"{path}\""));
    let loaded = load_with(text.as_bytes(), &request).unwrap();
    let setting = loaded.settings.iter().find(|setting| setting.key == "store.path").unwrap();
    let line = setting.line.map_or(String::new(), |line| format!(":{line}"));
    let got = (loaded.config.store.path.to_str().unwrap(), format!("{}{line}", setting.origin));
    assert_eq!((got.0, &*got.1), want, "{said:?}");
}

#[test]
fn the_command_line_wins_over_the_environment_over_the_file_over_the_defaults() {
    check_precedence([None, None, None], ("/srv/shop/.plimsoll/store", "default"));
    check_precedence([None, None, Some("f")], ("/srv/shop/f", "/srv/shop/plimsoll.toml:3"));
    let variable = "environment variable PLIMSOLL_STORE_PATH";
    check_precedence([None, Some("e"), None], ("/home/ana/e", variable));
    check_precedence([None, Some("e"), Some("f")], ("/home/ana/e", variable));
    check_precedence([Some("o"), None, Some("f")], ("/home/ana/o", "option --store"));
    check_precedence([Some("o"), Some("e"), Some("f")], ("/home/ana/o", "option --store"));
    check_precedence([Some("/o"), Some("e"), None], ("/o", "option --store"));
}

#[test]
fn variables_have_the_types_of_their_keys() {
    let load = |pairs: &[(&str, &str)]| {
        let environment = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        load_with(b"", &Request { environment, ..request() })
    };
    let loaded = load(&[
        ("PLIMSOLL_COLLECT_MAX_OPEN_FILES", "64"),
        ("PLIMSOLL_PROJECT_NAME", "1984"), // text that looks like a number
        ("PLIMSOLL_COLLECT_FLUSH_SIZE", "1MiB"),
        ("PLIMSOLL_CONFIG", "elsewhere.toml"),
        ("PATH", "/bin"),
        ("PLIMSOLL_STORE_PATH", ""), // set and empty is not set
    ]);
    let config = loaded.unwrap().config;
    assert_eq!(config.collect.max_open_files, 64);
    assert_eq!(config.project.name, "1984");
    assert_eq!(config.collect.flush_bytes, 1 << 20);
    assert_snapshot!(told(&load(&[("PLIMSOLL_COLLECT_MAX_OPEN_FILES", "many")]).unwrap_err()), @r"
    error: `collect.max_open_files` is `many`, must be a whole number from 16 to 1000000
    --> environment variable PLIMSOLL_COLLECT_MAX_OPEN_FILES
     |
     | many
     | ^^^^
    ");
    let warned = load(&[("PLIMSOLL_STORE_PAHT", "x")]).unwrap();
    assert_snapshot!(warned.warnings[0], @r"
    warning: the variable `PLIMSOLL_STORE_PAHT` sets nothing
    --> environment variable PLIMSOLL_STORE_PAHT
     |
     | ********
     | ^^^^^^^^
     = help: did you mean `PLIMSOLL_STORE_PATH`?
    ");
    // What stands in lists has no variable, and the version belongs to its file.
    let names: Vec<String> = variables().into_iter().map(|(name, _)| name).collect();
    assert!(names.contains(&"PLIMSOLL_STORE_RETENTION_SIZE".to_owned()));
    assert!(!names.iter().any(|name| name.contains("LINK_ROOTS") || name.contains("VERSION")));
}

#[test]
fn an_option_for_a_key_that_is_not_there_is_a_problem() {
    let option = OptionValue { option: "--set".into(), key: "store.pth".into(), value: "x".into() };
    let error = load_with(b"", &Request { options: vec![option], ..request() }).unwrap_err();
    assert_snapshot!(told(&error), @r"
    error: unknown key `store.pth`
    --> option --set
     |
     | x
     | ^
     = help: did you mean `path`?
    ");
}

#[test]
fn how_builds_are_judged_is_within_bounds() {
    let history = |lines: &str| sentences(&format!("[history]\n{lines}"));
    assert_snapshot!(history("min_effect = \"0%\""), @"`history.min_effect` is `0%`, must be more than `0%` and at most `100%`");
    assert_snapshot!(history("min_effect = \"101%\""), @"`history.min_effect` is `101%`, must be more than `0%` and at most `100%`");
    assert_snapshot!(history("min_effect = \"5\""), @"`history.min_effect` is `5`, must be a percentage such as `5%` (did you mean `5%`?)");
    assert_snapshot!(history("last = 7"), @"`history.last` is `7`, must be a whole number from 8 to 100000");
    assert_snapshot!(history("severity = \"error\"\nbranch = \"\""), @"`history.severity` is `error`, must be `fail` or `warn`; `history.branch` is empty, must be one line of 1 to 120 bytes");
    assert_snapshot!(history("min_effect = \"100%\"\nlast = 8\nbranch = \"main\""), @"it loads");
    let config = load("").config.history;
    assert_eq!(config.file, Path::new("/srv/shop/.plimsoll/history.jsonl"));
    assert_eq!((config.min_effect_ratio, config.last, config.branch), (0.05, 20, None));
}

#[test]
fn every_value_in_effect_is_listed_with_its_origin() {
    let text = "[store]\npath = \"data\"\n[[source]]\nname = \"app\"\ninclude = [\"a\", \"b\"]\n";
    let list = |loaded: &Loaded| {
        let line = |s: &super::Setting| {
            let line = s.line.map_or(String::new(), |line| format!(":{line}"));
            format!("{} = {}  # {}{line}", s.key, s.value, s.origin)
        };
        loaded.settings.iter().map(line).collect::<Vec<_>>().join("\n")
    };
    assert_snapshot!(list(&load(text)), @r#"
    version = 1  # default
    project.name = "shop"  # default
    project.timezone = "UTC"  # default
    store.path = "data"  # plimsoll.toml:2
    store.state = "/srv/shop/data-state"  # default
    store.retention = "off"  # default
    store.retention_size = "off"  # default
    store.compact_below = "32MiB"  # default
    store.compact_after = "10m"  # default
    store.vacuum_age = "1h"  # default
    collect.flush_interval = "1s"  # default
    collect.flush_size = "8MiB"  # default
    collect.reconcile_interval = "2s"  # default
    collect.max_record = "16MiB"  # default
    collect.truncated_keep = "64KiB"  # default
    collect.idle_tail = "2s"  # default
    collect.settle_time = "5s"  # default
    collect.max_open_files = 1000  # default
    collect.link_roots = []  # default
    redact.key_file = "/srv/shop/data-state/pseudonym.key"  # default
    redact.secret_names = []  # default
    redact.personal_fields = []  # default
    source.app.name = "app"  # plimsoll.toml:4
    source.app.kind = "auto"  # default
    source.app.include = ["a", "b"]  # plimsoll.toml:5
    source.app.exclude = []  # default
    check.window = "all"  # default
    check.windows = []  # default
    check.baseline.from = "history"  # default
    check.min_samples = 30  # default
    check.level = "2%"  # default
    check.exclude = []  # default
    check.segment = []  # default
    check.mute = []  # default
    history.file = ".plimsoll/history.jsonl"  # default
    history.min_effect = "5%"  # default
    history.last = 20  # default
    history.severity = "fail"  # default
    alert.interval = "1m"  # default
    alert.window = "15m"  # default
    alert.repeat = "4h"  # default
    alert.group_wait = "30s"  # default
    "#);
}

#[test]
fn the_same_files_in_two_sources_are_a_warning() {
    let text = "[[source]]\nname = \"a\"\ninclude = [\"x/*\"]\n[[source]]\nname = \"b\"\ninclude = [\"./x/*\"]";
    assert_snapshot!(load(text).warnings[0], @r#"
    warning: `source.b.include` names files of source `a`
     --> plimsoll.toml:6:12
      |
    6 | include = ["./x/*"]
      |            ^^^^^^^
      = help: they are read once, as `a`
    "#);
}

#[test]
fn many_warnings_hide_no_problem() {
    let globs = "\"x\", ".repeat(100);
    let source = |name| format!("[[source]]\nname = \"{name}\"\ninclude = [{globs}]\n");
    let text = source("a") + &source("b") + &source("c") + "[[rule]]\nid = \"r\"\nexpr = \"\"";
    assert!(sentences(&text).contains("`rule.r.expr` is empty"), "{}", sentences(&text));
}

#[test]
fn a_problem_inside_of_an_expression_points_into_it() {
    let loaded = load(
        "[[rule]]\nid = \"a\"\nexpr = 'p95(tme) < 3'\n[[rule]]\nid = \"b\"\nexpr = \"a \\\" b\"",
    );
    let problem =
        loaded.problem_in(&loaded.config.rules[0].expr, 4..7, "unknown field `tme`", None);
    assert_snapshot!(problem, @r"
    error: unknown field `tme`
     --> plimsoll.toml:3:13
      |
    3 | expr = 'p95(tme) < 3'
      |             ^^^
    ");
    // With escapes the bytes differ: the whole expression is meant.
    let problem = loaded.problem_in(&loaded.config.rules[1].expr, 4..5, "x", None);
    assert_eq!((problem.place.line, problem.place.column), (6, 8));
    // Far beyond the end is the end.
    let problem = loaded.problem_in(&loaded.config.rules[0].expr, 900..901, "x", Some("y"));
    assert_eq!(problem.place.column, 21);
}

#[test]
fn hostile_text_does_not_reach_the_terminal() {
    let told = refused("[project]\nname = 3 # \u{1b}[2J \u{202e}\u{9b}\n\"\u{7f}k\" = 1");
    assert!(!told.chars().any(|c| (c.is_control() && c != '\n') || c == '\u{202e}'), "{told}");
    let long =
        format!("[project]\nx = \"{}\"\nname = [{}]", "y".repeat(9_000), "1, ".repeat(9_000));
    assert!(refused(&long).lines().all(|line| line.chars().count() < 240));
}

#[test]
fn the_schema_is_complete_and_tells_the_defaults() {
    let schema = schema();
    let at = |path: &str| schema.pointer(path).unwrap_or_else(|| panic!("{path}"));
    assert_eq!(at("/properties/store/properties/vacuum_age/default"), "1h");
    assert_eq!(at("/properties/source/items/properties/kind/default"), "auto");
    assert_eq!(at("/properties/source/items/required"), &serde_json::json!(["name", "include"]));
    assert_eq!(at("/properties/redact/properties/key/writeOnly"), true);
    let text = schema.to_string();
    assert!(!text.contains("null") && !text.contains("$ref"), "{text}");
    let mut undescribed = Vec::new();
    check_described(&schema, "", &mut undescribed);
    assert_eq!(undescribed, [""; 0]);
}

fn check_described(schema: &serde_json::Value, path: &str, undescribed: &mut Vec<String>) {
    let inside = schema.get("items").unwrap_or(schema);
    let inside = inside.get("additionalProperties").filter(|it| it.is_object()).unwrap_or(inside);
    for (name, key) in
        inside.get("properties").and_then(|all| all.as_object()).into_iter().flatten()
    {
        let path = format!("{path}.{name}");
        check_described(key, &path, undescribed);
        if key.get("description").is_none() {
            undescribed.push(path);
        }
    }
}

#[test]
fn every_key_is_in_the_manual() {
    // The defaults are the manual: every key of a section stands there, if only as a comment.
    let schema = schema();
    for section in ["project", "store", "collect", "redact", "check", "alert"] {
        let (_, text) = DEFAULTS.split_once(&format!("\n[{section}]")).unwrap();
        let text = text.split("\n[").next().unwrap();
        let keys = schema["properties"][section]["properties"].as_object().unwrap();
        for key in keys.keys().filter(|key| *key != "key") {
            let is_line =
                |line: &str| line.trim_start_matches("# ").starts_with(&format!("{key} = "));
            assert!(text.lines().any(is_line), "{section}.{key}");
        }
    }
}

#[test]
fn a_file_is_found_read_and_named() {
    let root = tempfile::tempdir().unwrap();
    let request = |file: Option<&str>, variable: Option<&str>| Request {
        directory: root.path().to_owned(),
        file: file.map(Into::into),
        environment: variable
            .map(|path| ("PLIMSOLL_CONFIG".into(), path.into()))
            .into_iter()
            .collect(),
        options: Vec::new(),
    };
    let name = |request: &Request| load_from_disk(request).map(|loaded| loaded.config.project.name);
    let write = |file: &str, name: &str| {
        use std::io::Write;
        let mut file = std::fs::File::create(root.path().join(file)).unwrap();
        write!(file, "project.name = \"{name}\"").unwrap();
    };
    let own = root.path().file_name().unwrap().to_str().unwrap().to_owned();
    assert_eq!(name(&request(None, None)).unwrap(), own); // no file is no error
    write("plimsoll.toml", "found");
    write("a.toml", "variable");
    write("b.toml", "option");
    assert_eq!(name(&request(None, None)).unwrap(), "found");
    assert_eq!(name(&request(None, Some("a.toml"))).unwrap(), "variable");
    assert_eq!(name(&request(None, Some(""))).unwrap(), "found"); // set and empty is not set
    assert_eq!(name(&request(Some("b.toml"), Some("a.toml"))).unwrap(), "option");
    let error = name(&request(Some("none.toml"), None)).unwrap_err();
    assert!(error.to_string().ends_with("none.toml`"), "{error}");
    let loaded = load_from_disk(&request(None, None)).unwrap();
    assert_eq!(loaded.settings[1].origin, Origin::File("plimsoll.toml".into()));
}

/// No panic, and every place lies inside of what it is a place of.
fn check_anything(text: &[u8]) {
    let Err(ConfigError::Invalid { problems, .. }) = load_with(text, &request()) else { return };
    let shown = String::from_utf8_lossy(text);
    assert!(!problems.is_empty());
    for problem in problems {
        let place = &problem.place;
        assert!(matches!(place.origin, Origin::File(_)), "{problem}");
        assert!(shown.get(place.span.clone()).is_some(), "{place:?} in {shown}");
        assert!(place.line <= shown.matches('\n').count() + 1, "{place:?} in {shown}");
        assert!(place.mark.end <= place.text.chars().count() + 1, "{place:?}");
        assert!(!problem.to_string().is_empty());
    }
}

const HEADERS: &[&str] = &[
    "[project]",
    "[store]",
    "[collect]",
    "[redact]",
    "[[source]]",
    "[source.fields]",
    "[[rule]]",
    "[[slo]]",
    "[[calendar]]",
    "[check]",
    "[gate.a]",
    "[[gate.a.check]]",
    "[gate.\"*\"]",
    "[[gate]]",
    "[[receiver]]",
    "[source]",
    "[x]",
];

const KEYS: &[&str] = &[
    "version",
    "name",
    "timezone",
    "path",
    "state",
    "retention",
    "flush_size",
    "max_record",
    "truncated_keep",
    "max_open_files",
    "link_roots",
    "key",
    "secret_names",
    "include",
    "exclude",
    "kind",
    "id",
    "time",
    "fields",
    "expr",
    "objective",
    "good",
    "from",
    "to",
    "file",
    "for",
    "shadow",
    "window",
    "baseline",
    "score",
    "check",
    "gate",
    "url",
    "severities",
    "direction",
    "min_effect",
    "weight",
    "value",
    "rule",
    "source",
];

fn any_line() -> impl Strategy<Value = String> {
    let header = prop::sample::select(HEADERS);
    let key = prop::sample::select(KEYS);
    let value = prop_oneof![
        prop::sample::select(vec![
            "1",
            "-1",
            "1e400",
            "nan",
            "true",
            "2026-01-01",
            "07:00",
            "[]",
            "[[]]",
            "{}",
            "{ a = 1 }",
            "{ from = \"name:a\" }",
            "{ pass = 1, warn = 2.5 }",
            "{ \"*\" = { \"*\" = 1 } }",
            "\"env:A\"",
            "\"shift\"",
            "\"\"",
            "\"1h\"",
            "\"1MiB\"",
            "\"99%\"",
            "\"a.b\"",
            "\"../x\"",
            "[\"**/*\"]",
            "[\"{\"]",
            "\"jsonl\"",
            "\"i64\"",
            "'''\n'''",
            "[1, \"a\", { name = 1 }]",
            "{ \"\" = \"str\" }",
        ])
        .prop_map(str::to_owned),
        any::<String>().prop_map(|text| super::written::text(&text)),
        "[\"'\\[\\]{}=.,#a-c0-9 \n\\\\é]{0,12}",
    ];
    prop_oneof![
        1 => header.prop_map(str::to_owned),
        3 => (key, value).prop_map(|(key, value)| format!("{key} = {value}")),
    ]
}

proptest! {
    #[test]
    fn lines_that_are_nearly_right_never_panic(lines in prop::collection::vec(any_line(), 0..12)) {
        check_anything(lines.join("\n").as_bytes());
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        check_anything(&bytes);
    }

    #[test]
    fn a_broken_contract_example_never_panics(
        at in 0..CONTRACT.len(), len in 0..40_usize, put in "[\"'\\[\\]{}=.,#\n\r\0é%a1 ]{0,6}",
    ) {
        let mut bytes = CONTRACT.as_bytes().to_vec();
        bytes.splice(at..(at + len).min(CONTRACT.len()), put.bytes());
        check_anything(&bytes);
    }

    #[test]
    fn variables_and_options_never_panic(value in any::<String>(), which in 0..variables().len()) {
        let (name, key) = variables().swap_remove(which);
        let option = OptionValue { option: "--x".into(), key, value: value.clone() };
        let environment = vec![(name, value)];
        let both = Request { environment, options: vec![option], ..request() };
        let _ = load_with(b"", &both).map_err(|error| told(&error));
    }
}
