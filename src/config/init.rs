//! Writes a first `plimsoll.toml` from what was found in a sample of logs.

use std::path::Path;

use super::check::{is_field, plain_name};
use super::checked::{FieldUnit, SourceKind};
use super::globs::Glob;
use super::raw::RawFields;
use super::texts::visible;
use super::written;
use crate::model::time_zone;

/// Most globs that are written; a sample of more files wants a wider glob.
const MAX_GLOBS: usize = 100;
/// Longest comment, in characters.
const MAX_COMMENT_WIDTH: usize = 90;

const HEAD: &str = "\
# What plimsoll reads, keeps and judges. `plimsoll config show --origin` tells what is in effect,
# `plimsoll schema config` gives editors completion. Lines with `# ` before a key show defaults
# or examples.
version = 1
";

const STORE: &str = r#"
[store]
# path = ".plimsoll/store"
# retention = "400d"               # rows older than this are removed
# retention_size = "50GiB"         # the oldest days go when the store is larger

[redact]
# key_file = "pseudonym.key"       # secret of the pseudonyms of e-mail addresses
"#;

const SOURCE: &str = r#"
# [[source]]
# name = "app"
# include = ["logs/*.log"]
"#;

const JUDGED: &str = r#"
# What must hold: `plimsoll check` judges it, docs/rules.md tells what can be said.
# Counts, shares and shifts are compared with like times before, over each of these lengths up to
# now that holds enough: a short one shows at once what is plain, a long one what is rare.
[check]
windows = ["15m", "1h", "4h", "12h", "1d"]
exclude = ["holiday"]  # days of a calendar that do not tell what is usual
"#;

const OBJECTIVE: &str = r#"
# [[rule]]
# id = "p95"
# expr = 'p95(duration) < 500ms and p95(duration) < baseline + 10%'
# severity = "fail"

# [[slo]]
# id = "availability"
# good = "status < 500"
# objective = "99.5%"
# window = "28d"
"#;

/// A rule that fits logs in which these roles were found.
struct Fitting {
    roles: &'static [&'static str],
    id: &'static str,
    expr: &'static str,
    severity: &'static str,
    about: &'static str,
}

const FITTING: [Fitting; 5] = [
    Fitting {
        roles: &["duration", "route"],
        id: "slower-routes",
        expr: "shift(duration) < 25% per route",
        severity: "fail",
        about: "typical requests of a route take a quarter longer than usual",
    },
    Fitting {
        roles: &["status"],
        id: "failures",
        expr: "share(status >= 500) < baseline + 0.5pt",
        severity: "fail",
        about: "half a point more requests fail than usual",
    },
    Fitting {
        roles: &["event"],
        id: "bad-events",
        expr: "count() < baseline + 200% \
               where event ~ \"fail|error|denied|timeout|crash|reject|invalid|abort\" per event",
        severity: "fail",
        about: "three times as many events that tell of trouble",
    },
    Fitting {
        roles: &["event"],
        id: "missing-events",
        expr: "count() > baseline - 50% per event",
        severity: "warn",
        about: "less than half of the usual sign-ups, orders, submissions",
    },
    Fitting {
        roles: &["level", "message"],
        id: "new-errors",
        expr: "new(template) <= 0 where severity >= \"error\"",
        severity: "warn",
        about: "an error that was never seen before",
    },
];

/// What was found in a sample, for [`commented_config`]. All text may be hostile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SampleFindings {
    /// Name of the project, such as that of the directory; may be empty.
    pub project: String,
    /// IANA zone of the machine or of the times.
    pub time_zone: Option<String>,
    /// Globs of the files, relative to the new file or absolute.
    pub include: Vec<String>,
    /// What the files hold; `None` = left to detection.
    pub kind: Option<SourceKind>,
    /// The format for people: `JSON lines (pino), 60,000 records`; may be empty.
    pub format: String,
    /// What plays which role.
    pub fields: Vec<FieldFinding>,
    /// Roles that records were seen to fill, whether or not a field is named for them: durations
    /// and events may stand in messages.
    pub seen: Vec<&'static str>,
    /// Unit of the duration.
    pub duration_unit: Option<FieldUnit>,
    /// Guesses and doubts, one sentence each.
    pub notes: Vec<String>,
}

/// What plays one role.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldFinding {
    /// Role such as `duration`: `time`, or a key of `[source.fields]`.
    pub role: String,
    /// Dotted path of the field.
    pub field: String,
    /// What is to be known about it, such as `a guess`; may be empty.
    pub note: String,
}

/// A commented configuration that reads what the sample was taken from. It loads without
/// problems whatever was found; what cannot be a value is left out or becomes a comment.
pub fn commented_config(findings: &SampleFindings) -> String {
    let mut lines = vec![HEAD.to_owned(), "[project]".to_owned()];
    let project = findings.project.trim();
    if !project.is_empty() && project.len() <= 120 && !project.chars().any(char::is_control) {
        lines.push(format!("name = {}", written::text(project)));
    }
    let zone = findings.time_zone.as_deref().filter(|zone| time_zone(zone).is_some());
    let about = if zone.is_some() { "weeks are ISO weeks in this zone" } else { "a guess" };
    let zone = written::text(zone.unwrap_or("UTC"));
    lines.push(format!("timezone = {zone}  # {about}"));
    lines.push(STORE.to_owned());
    push_source(&mut lines, findings);
    push_rules(&mut lines, findings);
    lines.join("\n")
}

fn push_rules(lines: &mut Vec<String>, findings: &SampleFindings) {
    lines.push(JUDGED.to_owned());
    let has = |role: &&str| {
        findings.seen.contains(role) || findings.fields.iter().any(|found| found.role == **role)
    };
    for fitting in FITTING.iter().filter(|fitting| fitting.roles.iter().all(has)) {
        lines.push(format!("[[rule]]  # {}", fitting.about));
        lines.push(format!("id = \"{}\"", fitting.id));
        lines.push(format!("expr = '{}'", fitting.expr));
        lines.push(format!("severity = \"{}\"\n", fitting.severity));
    }
    lines.push(OBJECTIVE.trim_start_matches('\n').to_owned());
}

fn push_source(lines: &mut Vec<String>, findings: &SampleFindings) {
    let is_glob = |glob: &&String| Glob::new(glob, Path::new("/")).is_ok();
    let globs: Vec<&String> = findings.include.iter().filter(is_glob).take(MAX_GLOBS).collect();
    let Some(first) = globs.first() else { return lines.push(SOURCE.to_owned()) };
    lines.push("[[source]]".to_owned());
    for note in [&findings.format].into_iter().chain(&findings.notes) {
        push_comment(lines, note);
    }
    lines.push(format!("name = {}", written::text(&source_name(first))));
    if let Some(kind) = findings.kind {
        lines.push(format!("kind = \"{}\"", kind.as_str()));
    }
    let quoted: Vec<String> = globs.iter().map(|glob| written::text(glob)).collect();
    lines.push(format!("include = [{}]", quoted.join(", ")));
    let usable = || findings.fields.iter().filter(|found| is_field(&found.field));
    lines.extend(usable().find(|found| found.role == "time").map(|found| line_of("time", found)));
    lines.push("\n[source.fields]".to_owned());
    for (role, _) in RawFields::default().roles() {
        let found = usable().find(|found| found.role == role);
        lines.extend(found.map(|found| line_of(role, found)));
        if let Some(unit) = findings.duration_unit.filter(|_| role == "duration" && found.is_some())
        {
            lines.push(format!("unit = \"{}\"", unit.as_str()));
        }
    }
}

fn line_of(role: &str, found: &FieldFinding) -> String {
    let line = format!("{role} = {}", written::text(&found.field));
    if found.note.is_empty() { line } else { format!("{line}  # {}", comment(&found.note)) }
}

fn push_comment(lines: &mut Vec<String>, text: &str) {
    if !text.is_empty() {
        lines.push(format!("# {}", comment(text)));
    }
}

fn comment(text: &str) -> String {
    visible(text).chars().take(MAX_COMMENT_WIDTH).collect()
}

/// A name from a glob: that of the file without wildcards and endings, else `app`.
fn source_name(glob: &str) -> String {
    let file = glob.rsplit('/').next().unwrap_or_default();
    let stem = file.split(['.', '*', '?', '[', '{']).next().unwrap_or_default();
    plain_name(stem).unwrap_or_else(|| "app".to_owned())
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use insta::assert_snapshot;
    use proptest::prelude::*;

    use super::super::{FieldUnit, Loaded, Request, SourceKind, check_bytes};
    use super::{FieldFinding, SampleFindings, commented_config};

    fn load(text: &str) -> Loaded {
        let loaded = check_bytes(
            Some((Path::new("/p/plimsoll.toml"), text.as_bytes())),
            &Request::default(),
        );
        loaded.unwrap_or_else(|error| panic!("{error}: {error:?}\n{text}"))
    }

    fn field(role: &str, field: &str, note: &str) -> FieldFinding {
        FieldFinding { role: role.to_owned(), field: field.to_owned(), note: note.to_owned() }
    }

    fn sample() -> SampleFindings {
        SampleFindings {
            project: "shop".to_owned(),
            time_zone: Some("America/Argentina/Buenos_Aires".to_owned()),
            include: vec!["logs/app.log*".to_owned()],
            kind: Some(SourceKind::JsonLines),
            format: "JSON lines (pino), 60,000 records".to_owned(),
            fields: vec![
                field("time", "time", ""),
                field("duration", "responseTime", "a guess"),
                field("route", "req.url", ""),
                field("mood", "mood", "no role"),
            ],
            seen: vec!["event"],
            duration_unit: Some(FieldUnit::Ms),
            notes: vec!["12 lines were skipped".to_owned()],
        }
    }

    #[test]
    fn what_was_found_stands_in_the_file() {
        let text = commented_config(&sample());
        assert_snapshot!(text, @r#"
        # What plimsoll reads, keeps and judges. `plimsoll config show --origin` tells what is in effect,
        # `plimsoll schema config` gives editors completion. Lines with `# ` before a key show defaults
        # or examples.
        version = 1

        [project]
        name = "shop"
        timezone = "America/Argentina/Buenos_Aires"  # weeks are ISO weeks in this zone

        [store]
        # path = ".plimsoll/store"
        # retention = "400d"               # rows older than this are removed
        # retention_size = "50GiB"         # the oldest days go when the store is larger

        [redact]
        # key_file = "pseudonym.key"       # secret of the pseudonyms of e-mail addresses

        [[source]]
        # JSON lines (pino), 60,000 records
        # 12 lines were skipped
        name = "app"
        kind = "jsonl"
        include = ["logs/app.log*"]
        time = "time"

        [source.fields]
        duration = "responseTime"  # a guess
        unit = "ms"
        route = "req.url"

        # What must hold: `plimsoll check` judges it, docs/rules.md tells what can be said.
        # Counts, shares and shifts are compared with like times before, over each of these lengths up to
        # now that holds enough: a short one shows at once what is plain, a long one what is rare.
        [check]
        windows = ["15m", "1h", "4h", "12h", "1d"]
        exclude = ["holiday"]  # days of a calendar that do not tell what is usual

        [[rule]]  # typical requests of a route take a quarter longer than usual
        id = "slower-routes"
        expr = 'shift(duration) < 25% per route'
        severity = "fail"

        [[rule]]  # three times as many events that tell of trouble
        id = "bad-events"
        expr = 'count() < baseline + 200% where event ~ "fail|error|denied|timeout|crash|reject|invalid|abort" per event'
        severity = "fail"

        [[rule]]  # less than half of the usual sign-ups, orders, submissions
        id = "missing-events"
        expr = 'count() > baseline - 50% per event'
        severity = "warn"

        # [[rule]]
        # id = "p95"
        # expr = 'p95(duration) < 500ms and p95(duration) < baseline + 10%'
        # severity = "fail"

        # [[slo]]
        # id = "availability"
        # good = "status < 500"
        # objective = "99.5%"
        # window = "28d"
        "#);
        let config = load(&text).config;
        assert_eq!(config.project.name, "shop");
        assert!(config.sources[0].files.is_match(Path::new("/p/logs/app.log.1")));
        assert_eq!(config.sources[0].fields.len(), 2);
    }

    #[test]
    fn the_examples_hold_when_their_marks_are_taken_away() {
        let without_sample = commented_config(&SampleFindings::default());
        for text in [commented_config(&sample()), without_sample] {
            let is_code =
                |line: &str| line.starts_with(|c: char| c.is_ascii_lowercase() || c == '[');
            let uncommented = |line| match str::strip_prefix(line, "# ") {
                Some(code) if is_code(code) && (code.contains(" = ") || code.starts_with('[')) => {
                    code
                }
                _ => line,
            };
            let whole: Vec<&str> = text.lines().map(uncommented).collect();
            let loaded = load(&whole.join("\n"));
            assert!(loaded.config.rules.len() + loaded.config.slos.len() >= 2);
            assert_eq!(loaded.config.sources.len(), 1);
        }
    }

    proptest! {
        #[test]
        fn whatever_was_found_it_loads(
            words in prop::collection::vec(any::<String>(), 8),
            roles in prop::collection::vec(prop::sample::select(
                vec!["time", "duration", "duration", "route", "unit", "x", "user"],
            ), 5),
            fields in prop::collection::vec("[a-z.\"\\\\ #\n\u{202e}]{0,8}", 5),
        ) {
            let found = |(role, path): (&&str, &String)| field(role, path, &words[0]);
            let text = commented_config(&SampleFindings {
                project: words[1].clone(),
                time_zone: Some(words[2].clone()),
                include: words[3..6].to_vec(),
                kind: None,
                format: words[6].clone(),
                fields: roles.iter().zip(&fields).map(found).collect(),
                seen: vec!["status"],
                duration_unit: Some(FieldUnit::S),
                notes: vec![words[7].clone()],
            });
            load(&text);
        }
    }
}
