//! The report as a reader gets it, in every format.

pub(crate) mod sample;

use super::{TextStyle, alt_text, headline, html, json, markdown, text};
use crate::model::{Report, Verdict};

/// Every sample with a name.
fn samples() -> [(&'static str, Report); 6] {
    [
        ("action", sample::action_needed()),
        ("healthy", sample::healthy()),
        ("cannot-tell", sample::cannot_tell()),
        ("hostile", sample::hostile()),
        ("fifty", sample::fifty_routes()),
        ("empty", sample::empty()),
    ]
}

/// Everything a reader may get, as text.
fn every_output(report: &Report) -> Vec<(&'static str, String)> {
    let plain = TextStyle::default();
    vec![
        ("html", html(report)),
        ("markdown", markdown(report)),
        ("json", json(report)),
        ("text", text(report, plain)),
        ("ascii", text(report, TextStyle { ascii: true, ..plain })),
        ("alt", alt_text(report)),
        ("headline", headline(report).join("\n")),
    ]
}

#[test]
fn headlines_say_what_since_when_near_what_and_how_sure() {
    insta::assert_snapshot!(headline(&sample::action_needed()).join("\n"), @r"
    GET /api/search became slower: p95 406 → 759 ms (+87 %, likely +74 to +97 %) since Wed 18 Nov 14:11 UTC (14:08–14:28), within a minute of deploy v1.42.0; confidence high.
    All requests together failed more often: 0.69 → 1.33 %, from the same time on.
    2 more findings: F3, F4.
    ");
    insta::assert_snapshot!(headline(&sample::healthy()).join("\n"), @"No change beyond the tolerated size in 24 tests.");
    insta::assert_snapshot!(headline(&sample::cannot_tell()).join("\n"), @r"
    Too little data to say whether it is healthy: 3 of 3 tests had too few samples.
    There is no earlier window to compare with.
    ");
    insta::assert_snapshot!(headline(&sample::empty()).join("\n"), @r"
    Too little data to test anything.
    There is no earlier window to compare with.
    ");
}

#[test]
fn nothing_is_called_healthy_that_was_not_tested() {
    let report = sample::cannot_tell();
    for (format, output) in every_output(&report) {
        assert!(!output.contains("Healthy"), "{format}");
        assert!(!output.contains("No change"), "{format}");
        assert!(!output.contains("Nothing needs to be done"), "{format}");
    }
}

#[test]
fn hostile_text_is_inert_everywhere() {
    let report = sample::hostile();
    for (format, output) in every_output(&report) {
        for (number, character) in output.chars().enumerate() {
            let controls = crate::model::is_unsafe(character) && character != '\n';
            // The Markdown escaper breaks mentions by an entity, never by the character itself.
            assert!(!controls, "{format}: {character:?} at {number}");
        }
        assert!(!output.starts_with("::") && !output.contains("\n::"), "{format}");
    }
    let page = html(&report);
    assert!(!page.contains("<img"), "markup from logs");
    assert_eq!(page.matches("</script").count(), 2, "only the page's own scripts end");
    assert!(!page.contains(" style="), "the policy forbids style attributes");
    // Inside a code span everything is literal, so only the text around them is looked at.
    let markdown = markdown(&report).replace("\\`", "");
    let markdown: String = markdown.split('`').step_by(2).collect();
    for token in ["<img", "::error", "@team", "http://evil", "[a]("] {
        assert!(!markdown.contains(token), "{token}");
    }
}

#[test]
fn json_is_the_report() {
    for (name, report) in samples() {
        let back: Report = serde_json::from_str(&json(&report)).unwrap();
        assert!(back == report, "{name}");
    }
}

#[test]
fn the_page_embeds_the_report_and_stays_small() {
    for (name, report) in samples() {
        let page = html(&report);
        let limit = if name == "hostile" { 400_000 } else { 250_000 };
        assert!(page.len() <= limit, "{name}: {} bytes", page.len());
        let island = page.split("type=\"application/json\">").nth(1).unwrap();
        let island = island.split("</script").next().unwrap();
        let back: Report = serde_json::from_str(island).unwrap();
        assert_eq!(back.headline, report.headline, "{name}");
        assert_eq!(back.routes.len(), report.routes.len(), "{name}");
    }
}

#[test]
fn ids_are_unique_and_links_lead_somewhere() {
    for (name, report) in samples() {
        let page = html(&report);
        let values = |attribute: &str| -> Vec<String> {
            let parts = page.split(attribute).skip(1);
            parts.map(|part| part.split('"').next().unwrap().to_owned()).collect()
        };
        let ids = values(" id=\"");
        let mut unique = ids.clone();
        unique.sort();
        unique.dedup();
        assert_eq!(unique.len(), ids.len(), "{name}: an id stands twice");
        for link in values(" href=\"#") {
            assert!(ids.contains(&link), "{name}: #{link} leads nowhere");
        }
    }
}

#[test]
fn red_is_for_fail_only() {
    for (name, report) in samples() {
        if report.verdict < Verdict::Fail {
            assert!(!html(&report).contains("class=\"banner v-fail"), "{name}");
        }
    }
}

#[test]
fn terminals_get_eighty_columns() {
    for (name, report) in samples() {
        for ascii in [false, true] {
            let shown = text(&report, TextStyle { colour: false, ascii });
            let widest = shown.lines().map(|line| line.chars().count()).max().unwrap();
            assert!(widest <= 80, "{name}: {widest} columns");
            assert!(!ascii || shown.is_ascii(), "{name}");
        }
    }
}

#[test]
fn the_same_report_gives_the_same_bytes() {
    for (name, report) in samples() {
        assert_eq!(every_output(&report), every_output(&report.clone()), "{name}");
    }
}

#[test]
fn pictures_are_small_and_the_same_each_time() {
    for (name, report) in samples() {
        let picture = super::png(&report).unwrap();
        assert!(picture.len() <= 500_000, "{name}: {} bytes", picture.len());
        assert_eq!(picture, super::png(&report).unwrap(), "{name}");
    }
}

#[test]
fn the_terminal_summary_reads_in_order() {
    let mut report = sample::action_needed();
    report.findings.truncate(1);
    insta::assert_snapshot!(text(&report, TextStyle::default()), @r"
    ✖ Action needed – intellego, week 47
      GET /api/search became slower: p95 406 → 759 ms (+87 %, likely +74 to +97 %)
      since Wed 18 Nov 14:11 UTC (14:08–14:28), within a minute of deploy v1.42.0;
      confidence high.
      All requests together failed more often: 0.69 → 1.33 %, from the same time on.
      2 more findings: F3, F4.
      24 things tested: 4 changed, 19 unchanged, 1 can't tell. 15 Nov – 22 Nov 2026,
      compared with 8 Nov – 15 Nov 2026 (America/Argentina/Buenos_Aires).

      Requests                  29.9 k  ▼ from 30.1 k, usual 28.1–31.9 k
      p95 of key routes         688 ms  ▲ from 406 ms, usual 377–435 ms
      Failed requests           1.33 %  ▲ from 0.69 %, usual 0.5–0.88 %
      Error budget left           18 %  ▼ from 71 %, objective 99.5 % over 28 days

    ✖ F1 GET /api/search became slower
      p95 406 → 759 ms (+87 %, likely +74 to +97 %)
      ▄▄▄▅▄▄▄▅▅▄▄▄▄▄▄▄▅▄▅███▇█▇▇▇▇
      When               since Wed 18 Nov 14:11 UTC (14:08–14:28) · Wed 11:11
                         America/Argentina/Buenos_Aires
      Nearest event      within a minute of deploy v1.42.0
      How sure           high – the whole interval lies beyond the tolerated 10 %
      Samples            5,594 before, 1,847 now; likely range at 98 %
      Week against week  409 → 688 ms
      Began then too     F2
      Options            1 Roll back v1.42.0 (risk low · reversible · effort small)
                           check: plimsoll compare app.jsonl --at
                         2026-11-18T14:11:00Z
                         2 Fix forward (risk medium · reversible · effort medium)
                           check: plimsoll compare app.jsonl --at
                         2026-11-18T14:11:00Z
                         3 Do nothing (risk medium · reversible · effort medium)
                           check: plimsoll report app.jsonl

      route                             before       now   change        n   failed
    ✖ GET /api/search                   406 ms    759 ms    +87 %    6,000   0.71 %
    ▲ POST /api/weekly-reports          188 ms    214 ms    +14 %    3,000   0.72 %
    ◆ GET /api/admin/exports/{id}       2.31 s  (2.94 s)    +27 %       98   1.31 %
    11 routes without a change beyond the tolerated size.

    Look here (never like this before; no part of the verdict):
      Wed 18 Nov 14:15 UTC  p95(duration_ms) 1.2 s: new maximum

    read 60,012 records, 12 rejected, 0 without a time
    guess: responseTime is taken as milliseconds, because pino writes them.
    thin: 3 routes have fewer than 200 requests and are not judged by p95.
    gap: No records between Sun 15 Nov 03:00 and 05:00 UTC.
    ");
}

#[test]
fn the_markdown_reads_in_order() {
    insta::assert_snapshot!(markdown(&sample::healthy()), @r"
    # ✔ Healthy – intellego, week 47

    No change beyond the tolerated size in 24 tests.

    24 things tested: 0 changed, 24 unchanged. 16 Nov – 22 Nov 2026, compared with 9 Nov – 15 Nov 2026 (UTC).

    | | now | before | usual | |
    |:---|---:|:---|:---|:---|
    | Requests | 29.9 k | ▼ from 30.1 k | usual 28.1–31.9 k |  |
    | p95 of key routes | 409 ms | ▲ from 406 ms | usual 377–435 ms |  |
    | Failed requests | 0.67 % | ▼ from 0.69 % | usual 0.5–0.88 % |  |
    | Error budget left | 71 % | same as before: 71 % |  | objective 99.5 % over 28 days |

    ## What changed

    No finding.

    ## Routes

    12 routes without a change beyond the tolerated size.

    ## Look here

    Never like this before; no part of the verdict.

    - 2026-11-18T14:15:00Z: p95(duration\_ms) 1.2 s, new maximum

    ## Data quality

    60,012 records read, 12 rejected, 0 without a time, 3 out of order.

    - guess: responseTime is taken as milliseconds, because pino writes them.
    - thin: 3 routes have fewer than 200 requests and are not judged by p95.
    - gap: No records between Sun 15 Nov 03:00 and 05:00 UTC.

    plimsoll 0.1.0; all numbers are in `report.json`.
    ");
}
