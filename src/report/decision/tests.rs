//! A decision as each reader gets it.

mod sample;

use proptest::prelude::*;
use serde_json::Value;

use super::markdown::MAX_BYTES;
use super::{github, gitlab, json, junit, markdown, sarif, text};
use crate::model::{CheckResult, Decision, Verdict, inert, is_unsafe};
use crate::report::TextStyle;
use sample::ATTACK;

#[test]
fn people_read_the_worst_first() {
    insta::assert_snapshot!(text(&sample::rollback(), TextStyle::default()), @r"
    ✖ search-p95  GET /api/search p95(duration) 759 ms > 300 ms
        baseline 406 ms, +87 %, likely +74 to +97 %, n 1,847; since Wed 18 Nov
        14:11 UTC (14:08–14:28), within a minute of deploy v1.42.0
        759 ms is above 300 ms, and the whole likely range is above it
        ✖ p95(duration) < 300ms: 759 ms is above 300 ms
        ✖ p95(duration) < baseline + 10%: 759 ms is above 447 ms
        runbook: https://wiki.example/slow-search
    ◆ submit-p95  p95(duration) can't be told, must be < 300 ms
        n 4
        4 durations are too few, 30 are needed
    ✔ errors      share(status >= 500) 0.69 % < 1 %  (baseline 0.65 %, likely −0.2
      to +0.3 points, n 7,388)

    What you can do:
      O1 rollback v1.42.0 (risk low, reversible): p95 about 406 ms
         check: plimsoll compare app.jsonl --at 2026-11-18T17:00

    Wed 18 Nov 14:00 UTC – Wed 18 Nov 16:00 UTC, against main (Tue 17 Nov 14:00 UTC
      – Wed 18 Nov 14:00 UTC); 60,000 records read, 12 skipped
    ✖ plimsoll: 1 of 3 rules failed — GET /api/search p95(duration) 759 ms > 300 ms
      (+87 % since v1.42.0)
    rollback, score 33.3 of 100 (go from 90, hold from 75), confidence high, a
      person must decide
    ");
}

#[test]
fn what_does_not_count_is_shown() {
    insta::assert_snapshot!(text(&sample::go(), TextStyle { ascii: true, colour: false }), @r"
    x search-shadow  GET /api/search p95(duration) 759 ms > 300 ms
        baseline 406 ms, +87 %, likely +74 to +97 %, n 1,847; since Wed 18 Nov
        14:11 UTC (14:08-14:28), within a minute of deploy v1.42.0
        shadow: does not count
        759 ms is above 300 ms, and the whole likely range is above it
        x p95(duration) < 300ms: 759 ms is above 300 ms
        x p95(duration) < baseline + 10%: 759 ms is above 447 ms
        runbook: https://wiki.example/slow-search
    x search-p95     GET /api/search p95(duration) 759 ms > 300 ms
        baseline 406 ms, +87 %, likely +74 to +97 %, n 1,847; since Wed 18 Nov
        14:11 UTC (14:08-14:28), within a minute of deploy v1.42.0
        accepted by ana on Thu 19 Nov 09:00 UTC: the new index is worth it
        759 ms is above 300 ms, and the whole likely range is above it
        x p95(duration) < 300ms: 759 ms is above 300 ms
        x p95(duration) < baseline + 10%: 759 ms is above 447 ms
        runbook: https://wiki.example/slow-search
    + errors         share(status >= 500) 0.69 % < 1 %  (baseline 0.65 %, likely
      -0.2 to +0.3 points, n 7,388)

    Wed 18 Nov 14:00 UTC - Wed 18 Nov 16:00 UTC, without a baseline; 60,000 records
      read, 0 skipped
    + plimsoll: 2 of 2 rules passed, 1 accepted
    go, score 100 of 100 (go from 90, hold from 75), confidence medium
    ");
}

#[test]
fn a_comment_is_found_again() {
    insta::assert_snapshot!(markdown(&sample::rollback()), @r"
    <!-- plimsoll:check -->
    ### ✖ plimsoll: 1 of 3 rules failed — GET /api/search p95(duration) 759 ms &gt; 300 ms (+87 % since v1.42.0)

    **rollback, score 33.3 of 100 (go from 90, hold from 75), confidence high, a person must decide**. Wed 18 Nov 14:00 UTC – Wed 18 Nov 16:00 UTC, against main (Tue 17 Nov 14:00 UTC – Wed 18 Nov 14:00 UTC); 60,000 records read, 12 skipped.

    | | rule | actual | limit | baseline | change | n |
    |:---|:---|---:|---:|---:|---:|---:|
    | ✖ | **search-p95** GET /api/search p95(duration) | 759 ms | &lt; 300 ms | 406 ms | +87 % | 1,847 |
    | ◆ | **submit-p95** p95(duration) | – | &lt; 300 ms | – | – | 4 |

    - ✖ **search-p95**: 759 ms is above 300 ms, and the whole likely range is above it; likely +74 to +97 %; since Wed 18 Nov 14:11 UTC (14:08–14:28), within a minute of deploy v1.42.0; runbook <https://wiki.example/slow-search>
    - ◆ **submit-p95**: 4 durations are too few, 30 are needed

    - ✖ **F1** GET /api/search p95(duration\_ms): 406 → 759 ms (likely +74 to +97 %) since Wed 18 Nov 14:11 UTC (14:08–14:28), within a minute of deploy v1.42.0

    What you can do:

    - O1 **rollback** v1.42.0: risk low, reversible; p95 about 406 ms. Check: `plimsoll compare app.jsonl --at 2026-11-18T17:00`

    <details><summary>1 passed</summary>

    | | rule | actual | limit | baseline | change | n |
    |:---|:---|---:|---:|---:|---:|---:|
    | ✔ | **errors** share(status &gt;= 500) | 0.69 % | &lt; 1 % | 0.65 % | −0.2 to +0.3 points | 7,388 |

    </details>
    ");
    insta::assert_snapshot!(markdown(&sample::go()), @r"
    <!-- plimsoll:post_deploy -->
    ### ✔ plimsoll: 2 of 2 rules passed, 1 accepted

    **go, score 100 of 100 (go from 90, hold from 75), confidence medium**. Wed 18 Nov 14:00 UTC – Wed 18 Nov 16:00 UTC, without a baseline; 60,000 records read, 0 skipped.

    | | rule | actual | limit | baseline | change | n |
    |:---|:---|---:|---:|---:|---:|---:|
    | ✖ | **search-shadow** GET /api/search p95(duration) | 759 ms | &lt; 300 ms | 406 ms | +87 % | 1,847 |
    | ✖ | **search-p95** GET /api/search p95(duration) | 759 ms | &lt; 300 ms | 406 ms | +87 % | 1,847 |

    - ✖ **search-shadow**: 759 ms is above 300 ms, and the whole likely range is above it; shadow: does not count; likely +74 to +97 %; since Wed 18 Nov 14:11 UTC (14:08–14:28), within a minute of deploy v1.42.0; runbook <https://wiki.example/slow-search>
    - ✖ **search-p95**: 759 ms is above 300 ms, and the whole likely range is above it; accepted by ana on Thu 19 Nov 09:00 UTC: the new index is worth it; likely +74 to +97 %; since Wed 18 Nov 14:11 UTC (14:08–14:28), within a minute of deploy v1.42.0; runbook <https://wiki.example/slow-search>

    <details><summary>1 passed</summary>

    | | rule | actual | limit | baseline | change | n |
    |:---|:---|---:|---:|---:|---:|---:|
    | ✔ | **errors** share(status &gt;= 500) | 0.69 % | &lt; 1 % | 0.65 % | −0.2 to +0.3 points | 7,388 |

    </details>
    ");
}

#[test]
fn github_annotates_the_lines() {
    let said = github(&sample::rollback());
    insta::assert_snapshot!(said.annotations, @r"
    ::error file=plimsoll.toml,line=14,col=1,title=search-p95::GET /api/search p95(duration) 759 ms > 300 ms (baseline 406 ms, +87 %25, likely +74 to +97 %25, n 1,847) since Wed 18 Nov 14:11 UTC (14:08–14:28), within a minute of deploy v1.42.0. 759 ms is above 300 ms, and the whole likely range is above it
    ::warning file=plimsoll.toml,line=28,col=1,title=submit-p95::p95(duration) can't be told, must be < 300 ms (n 4). 4 durations are too few, 30 are needed
    ");
    insta::assert_snapshot!(said.outputs, @r"
    decision=rollback
    verdict=fail
    score=33.3
    failed=1
    summary<<plimsoll_c4f06b5ea4edee1764d5467d4a886269
    plimsoll: 1 of 3 rules failed — GET /api/search p95(duration) 759 ms > 300 ms (+87 % since v1.42.0)
    plimsoll_c4f06b5ea4edee1764d5467d4a886269
    ");
    insta::assert_snapshot!(github(&sample::go()).annotations, @r"
    ::notice file=plimsoll.toml,line=14,col=1,title=search-shadow::GET /api/search p95(duration) 759 ms > 300 ms (baseline 406 ms, +87 %25, likely +74 to +97 %25, n 1,847) since Wed 18 Nov 14:11 UTC (14:08–14:28), within a minute of deploy v1.42.0. shadow: does not count. 759 ms is above 300 ms, and the whole likely range is above it
    ::notice file=plimsoll.toml,line=14,col=1,title=search-p95::GET /api/search p95(duration) 759 ms > 300 ms (baseline 406 ms, +87 %25, likely +74 to +97 %25, n 1,847) since Wed 18 Nov 14:11 UTC (14:08–14:28), within a minute of deploy v1.42.0. accepted by ana on Thu 19 Nov 09:00 UTC: the new index is worth it. 759 ms is above 300 ms, and the whole likely range is above it
    ");
}

#[test]
fn junit_counts_what_it_holds() {
    insta::assert_snapshot!(junit(&sample::rollback()), @r#"
    <?xml version="1.0" encoding="UTF-8"?>
    <testsuites name="plimsoll check" tests="3" failures="1" errors="1" time="0">
      <testsuite name="plimsoll check" tests="3" failures="1" errors="1" skipped="0" time="0">
        <properties>
          <property name="decision" value="rollback"/>
          <property name="score" value="33.3"/>
          <property name="summary" value="plimsoll: 1 of 3 rules failed — GET /api/search p95(duration) 759 ms &gt; 300 ms (+87 % since v1.42.0)"/>
        </properties>
        <testcase name="search-p95: GET /api/search p95(duration)" classname="plimsoll.rule" time="0">
          <failure type="fail" message="GET /api/search p95(duration) 759 ms &gt; 300 ms (baseline 406 ms, +87 %, likely +74 to +97 %, n 1,847) since Wed 18 Nov 14:11 UTC (14:08–14:28), within a minute of deploy v1.42.0. 759 ms is above 300 ms, and the whole likely range is above it"/>
        </testcase>
        <testcase name="submit-p95: p95(duration)" classname="plimsoll.rule" time="0">
          <error type="inconclusive" message="p95(duration) can't be told, must be &lt; 300 ms (n 4). 4 durations are too few, 30 are needed"/>
        </testcase>
        <testcase name="errors: share(status &gt;= 500)" classname="plimsoll.rule" time="0">
          <system-out>pass: share(status &gt;= 500) 0.69 % &lt; 1 % (baseline 0.65 %, likely −0.2 to +0.3 points, n 7,388). the share is below its limit</system-out>
        </testcase>
      </testsuite>
    </testsuites>
    "#);
}

#[test]
fn sarif_has_a_result_at_each_line() {
    let log: Value = serde_json::from_str(&sarif(&sample::rollback())).unwrap();
    let run = &log["runs"][0];
    let ids: Vec<&Value> =
        run["results"].as_array().unwrap().iter().map(|result| &result["ruleId"]).collect();
    assert_eq!(ids, ["search-p95", "submit-p95"]); // what holds is no result
    insta::assert_snapshot!(format!("{:#}", run["tool"]["driver"]["rules"][0]), @r#"
    {
      "id": "search-p95",
      "shortDescription": {
        "text": "p95(duration) < 300ms and p95(duration) < baseline + 10%"
      },
      "defaultConfiguration": {
        "level": "error"
      },
      "helpUri": "https://wiki.example/slow-search"
    }
    "#);
    insta::assert_snapshot!(format!("{:#}", run["results"][0]), @r#"
    {
      "ruleId": "search-p95",
      "ruleIndex": 0,
      "level": "error",
      "message": {
        "text": "GET /api/search p95(duration) 759 ms > 300 ms (baseline 406 ms, +87 %, likely +74 to +97 %, n 1,847) since Wed 18 Nov 14:11 UTC (14:08–14:28), within a minute of deploy v1.42.0. 759 ms is above 300 ms, and the whole likely range is above it"
      },
      "partialFingerprints": {
        "plimsollCheck/v1": "ae0b8e6fa8cb421142a0a2e6fd1fc18c"
      },
      "locations": [
        {
          "physicalLocation": {
            "artifactLocation": {
              "uri": "plimsoll.toml"
            },
            "region": {
              "startLine": 14,
              "startColumn": 1
            }
          }
        }
      ]
    }
    "#);
}

#[test]
fn what_is_muted_is_shown_and_does_not_count() {
    let mut decision = sample::go();
    let known = "maintenance of <the> database";
    for check in &mut decision.checks {
        check.muted = check.accepted.take().map(|_| known.to_owned());
    }
    let people = text(&decision, TextStyle::default());
    assert!(people.contains("plimsoll: 2 of 2 rules passed, 1 muted"), "{people}");
    for said in [people, junit(&decision), sarif(&decision)] {
        assert!(said.contains("muted: maintenance of "), "{said}");
    }
    assert!(sarif(&decision).contains("suppressions"), "{}", sarif(&decision));
}

#[test]
fn sarif_suppresses_what_is_accepted() {
    let log: Value = serde_json::from_str(&sarif(&sample::go())).unwrap();
    let results = log["runs"][0]["results"].as_array().unwrap();
    let levels: Vec<&Value> = results.iter().map(|result| &result["level"]).collect();
    assert_eq!(levels, ["note", "note"]);
    assert_eq!(results[0]["suppressions"], Value::Null);
    let why = "accepted by ana on Thu 19 Nov 09:00 UTC: the new index is worth it";
    assert_eq!(results[1]["suppressions"][0]["justification"], why);
}

#[test]
fn gitlab_has_an_issue_at_each_line() {
    insta::assert_snapshot!(gitlab(&sample::rollback()), @r#"
    [
      {
        "description": "GET /api/search p95(duration) 759 ms > 300 ms (baseline 406 ms, +87 %, likely +74 to +97 %, n 1,847) since Wed 18 Nov 14:11 UTC (14:08–14:28), within a minute of deploy v1.42.0. 759 ms is above 300 ms, and the whole likely range is above it",
        "check_name": "search-p95",
        "fingerprint": "ae0b8e6fa8cb421142a0a2e6fd1fc18c",
        "severity": "critical",
        "location": {
          "path": "plimsoll.toml",
          "lines": {
            "begin": 14
          }
        }
      },
      {
        "description": "p95(duration) can't be told, must be < 300 ms (n 4). 4 durations are too few, 30 are needed",
        "check_name": "submit-p95",
        "fingerprint": "225c67f2ce9e409e76853e51b8cdbf85",
        "severity": "minor",
        "location": {
          "path": "plimsoll.toml",
          "lines": {
            "begin": 28
          }
        }
      }
    ]
    "#);
}

/// Every output but the annotations, which are commands.
fn outputs(decision: &Decision) -> [(&'static str, String); 9] {
    let plain = TextStyle::default();
    let said = github(decision);
    [
        ("text", text(decision, plain)),
        ("ascii", text(decision, TextStyle { ascii: true, ..plain })),
        ("markdown", markdown(decision)),
        ("summary", said.summary_md),
        ("outputs", said.outputs),
        ("junit", junit(decision)),
        ("sarif", sarif(decision)),
        ("gitlab", gitlab(decision)),
        ("json", json(decision)),
    ]
}

/// What a runner makes of the file of outputs.
fn read_outputs(file: &str) -> Vec<(String, String)> {
    let mut lines = file.lines();
    let mut read = Vec::new();
    while let Some(line) = lines.next() {
        if let Some((key, end)) = line.split_once("<<").filter(|(key, _)| !key.contains('=')) {
            let value: Vec<&str> = lines.by_ref().take_while(|line| *line != end).collect();
            read.push((key.to_owned(), value.join("\n")));
        } else {
            let (key, value) = line.split_once('=').unwrap();
            read.push((key.to_owned(), value.to_owned()));
        }
    }
    read
}

/// The tags of an XML document without what is in them.
fn tags(xml: &str) -> Vec<&str> {
    xml.split('<').skip(1).map(|tag| tag.split([' ', '>']).next().unwrap_or_default()).collect()
}

/// Pipes that divide cells.
fn cell_count(line: &str) -> usize {
    line.replace("\\|", "").matches('|').count()
}

fn check_inert(decision: &Decision) {
    for (name, output) in outputs(decision) {
        assert!(!output.chars().any(|c| c != '\n' && is_unsafe(c)), "{name}: {output:?}");
        assert_eq!(inert(&output), output, "{name}");
        assert!(name != "ascii" || output.is_ascii(), "{output}");
    }
    let said = github(decision);
    let page = said.summary_md;
    // In a code span everything but its end is text.
    let prose: String = page.replace("\\`", "").split('`').step_by(2).collect();
    let prose = prose.replace("\\]", "");
    for markup in ["<script", "<img", "<!--", "](", "@team", "#123", "##["] {
        assert!(!prose.contains(markup), "{markup} in {prose}");
    }
    for line in page.lines().filter(|line| line.starts_with('|')) {
        assert_eq!(cell_count(line), 8, "{line}");
    }
    let comment = markdown(decision);
    let (marker, _) = comment.split_once("\n### ").unwrap();
    assert!(marker.starts_with("<!-- plimsoll:") && marker.ends_with(" -->"), "{marker}");
    assert_eq!(marker.matches("--").count(), 2, "{marker}");
    let kinds = ["::error ", "::warning ", "::notice "];
    for line in said.annotations.lines() {
        assert!(kinds.iter().any(|kind| line.starts_with(kind)), "{line}");
        assert!(!line.contains("##["), "{line}");
    }
    let keys: Vec<String> = read_outputs(&said.outputs).into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, ["decision", "verdict", "score", "failed", "summary"], "{}", said.outputs);
    let xml = junit(decision);
    assert_eq!(tags(&xml), tags(&junit(&sample::rollback())), "{xml}");
    assert!(!xml.contains("]]>") && !xml.contains('\u{ffff}'), "{xml}");
    for json in [sarif(decision), gitlab(decision)] {
        serde_json::from_str::<Value>(&json).unwrap();
    }
    let read: Decision = serde_json::from_str(&json(decision)).unwrap();
    assert_eq!(&read, decision);
}

#[test]
fn hostile_text_is_text() {
    check_inert(&sample::hostile(ATTACK));
    check_inert(&sample::hostile(&"\n::error::\u{1b}|".repeat(10)));
    check_inert(&sample::hostile(""));
}

#[test]
fn untrusted_fields_are_where_they_are_said_to_be() {
    let notes = vec!["not judged".to_owned()];
    let json = serde_json::to_value(Decision { notes, ..sample::rollback() }).unwrap();
    for path in Decision::UNTRUSTED_TEXT_FIELDS {
        let mut found = vec![&json];
        for step in path.split('.') {
            let (name, is_list) =
                step.strip_suffix("[]").map_or((step, false), |name| (name, true));
            found = found.into_iter().filter_map(|value| value.get(name)).collect();
            if is_list {
                found = found.into_iter().filter_map(Value::as_array).flatten().collect();
            }
        }
        assert!(!found.is_empty(), "{path}");
    }
}

#[test]
fn endless_text_is_cut() {
    let decision = sample::hostile(&"x".repeat(1_000_000));
    for (name, output) in outputs(&decision) {
        let is_whole = name == "json"; // it is the value itself
        assert_eq!(output.len() > 20_000, is_whole, "{name} has {} bytes", output.len());
        assert_eq!(output.contains('…'), !is_whole && name != "ascii", "{name}");
    }
}

#[test]
fn ten_annotations_of_a_kind_and_the_rest_is_counted() {
    let said = github(&sample::many(25));
    let lines: Vec<&str> = said.annotations.lines().collect();
    assert_eq!(lines.len(), 11);
    assert!(lines[..10].iter().all(|line| line.starts_with("::error file=plimsoll.toml,line=")));
    assert_eq!(lines[10], "plimsoll: 15 more are in the summary of the job");
    assert_eq!(github(&sample::many(10)).annotations.lines().count(), 10); // exactly the limit
    assert_eq!(said.summary_md.matches("**rule-24**").count(), 2); // row and reason
}

#[test]
fn a_full_page_says_so() {
    let page = markdown(&sample::many(2_000));
    assert!(page.len() <= MAX_BYTES, "{}", page.len());
    assert!(page.ends_with("the JSON of this decision has all of it.\n"), "{page}");
    for line in page.lines().filter(|line| line.starts_with('|')) {
        assert_eq!(cell_count(line), 8, "{line}");
    }
    assert!(!markdown(&sample::many(25)).contains("left out"));
}

#[test]
fn a_headline_counts_and_names_the_worst() {
    use Verdict::{Fail, Inconclusive, Pass, Warn};

    let check = |verdict: Verdict, checks: &[(&str, Verdict)], want: &str| {
        let checks = checks
            .iter()
            .map(|(id, verdict)| CheckResult { verdict: *verdict, ..sample::check(id) });
        let mut decision = Decision { verdict, checks: checks.collect(), ..sample::rollback() };
        decision.coverage = crate::judge::coverage(&decision.checks, 0, 0);
        assert_eq!(super::headline(&decision), want);
    };
    let tail = "share(status >= 500) 0.69 % < 1 % (−0.2 to +0.3 points)";
    check(Inconclusive, &[], "plimsoll: nothing was checked");
    check(Pass, &[("a", Pass)], "plimsoll: 1 of 1 rule passed");
    check(
        Warn,
        &[("a", Warn), ("b", Pass)],
        &format!("plimsoll: 1 of 2 rules needs a look — {tail}"),
    );
    check(
        Inconclusive,
        &[("a", Inconclusive), ("b", Inconclusive)],
        &format!("plimsoll: 2 of 2 rules can't be told — {tail}"),
    );
    check(Fail, &[("a", Warn), ("b", Fail)], &format!("plimsoll: 1 of 2 rules failed — {tail}"));
}

#[test]
fn a_relation_is_true_as_it_is_printed() {
    let check = |actual: Option<f64>, limit: Option<f64>, want: &str| {
        let mut check = sample::slow("x");
        check.group.clear();
        check.evidence.actual = actual;
        check.evidence.limit = limit;
        let decision = Decision { checks: vec![check], ..sample::rollback() };
        let statement = &super::row::rows(&decision)[0].statement;
        assert_eq!(statement, &format!("p95(duration) {want}"));
    };
    check(Some(759.0), Some(300.0), "759 ms > 300 ms");
    check(Some(250.0), Some(300.0), "250 ms < 300 ms");
    check(Some(300.0), Some(300.0), "300 ms = 300 ms");
    check(Some(300.1), Some(300.0), "300 ms just above 300 ms"); // not `300 ms > 300 ms`
    check(Some(299.9), Some(300.0), "300 ms just below 300 ms");
    check(Some(f64::NAN), Some(300.0), "– against 300 ms");
    check(None, Some(300.0), "can't be told, must be < 300 ms");
    check(Some(759.0), None, "759 ms");
    check(None, None, "can't be told");
}

#[test]
fn fingerprints_outlive_numbers_and_tell_groups_apart() {
    let print_of = |check: CheckResult| {
        let decision = Decision { checks: vec![check], ..sample::rollback() };
        super::row::rows(&decision)[0].fingerprint(&decision)
    };
    let slow = sample::slow("search-p95");
    let mut faster = slow.clone();
    faster.evidence.actual = Some(301.0);
    faster.line = Some(99);
    assert_eq!(print_of(slow.clone()), print_of(faster));
    let mut other = slow.clone();
    other.group.insert("route".to_owned(), "/api/other".to_owned());
    assert_ne!(print_of(slow.clone()), print_of(other));
    assert_ne!(print_of(slow), print_of(sample::slow("search-p99")));
}

#[test]
fn a_runbook_is_a_link_only_as_a_plain_web_address() {
    let check = |runbook: &str, want: &str| {
        let check = CheckResult { runbook: Some(runbook.to_owned()), ..sample::slow("x") };
        let decision = Decision { checks: vec![check], ..sample::rollback() };
        let page = markdown(&decision);
        assert!(page.contains(&format!("; runbook {want}\n")), "{want} in {page}");
    };
    check("https://wiki.example/a?b=c#d", "<https://wiki.example/a?b=c#d>");
    check("javascript:alert(1)", "javascript:alert(1)");
    check("https://x> <img>", "https:&#8203;//x&gt; &lt;img&gt;");
    check("https://x/@team", "https:&#8203;//x/@&#8203;team");
    check("docs/slow.md", "docs/slow&#46;md"); // a `w` before a point is no link
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_text_gets_out_of_its_place(attack in any::<String>()) {
        check_inert(&sample::hostile(&attack));
    }

    #[test]
    fn a_decision_is_read_back(score in 0..100_000_u32, p in 0..100_000_u32) {
        let mut decision = sample::rollback();
        decision.score = Some(f64::from(score) / 1e3);
        decision.checks[0].evidence.p_value = Some(f64::from(p) / 1e5);
        let read: Decision = serde_json::from_str(&json(&decision)).unwrap();
        prop_assert_eq!(read, decision);
    }
}
