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
    insta::assert_snapshot!(headline(&sample::action_needed()).join("\n"), @"");
    insta::assert_snapshot!(headline(&sample::healthy()).join("\n"), @"");
    insta::assert_snapshot!(headline(&sample::cannot_tell()).join("\n"), @"");
    insta::assert_snapshot!(headline(&sample::empty()).join("\n"), @"");
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
            let controls = super::visible::is_unsafe(character) && character != '\n';
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
    insta::assert_snapshot!(text(&sample::action_needed(), TextStyle::default()), @"");
}

#[test]
fn the_markdown_reads_in_order() {
    insta::assert_snapshot!(markdown(&sample::healthy()), @"");
}

/// Writes every sample for the browser checks: `REPORT_SAMPLES=dir cargo test`.
#[test]
fn samples_can_be_written_for_a_browser() {
    let Some(folder) = std::env::var_os("REPORT_SAMPLES").map(std::path::PathBuf::from) else {
        return;
    };
    std::fs::create_dir_all(&folder).unwrap();
    for (name, report) in samples() {
        let write = |ending: &str, bytes: &[u8]| {
            use std::io::Write;
            let path = folder.join(format!("{name}.{ending}"));
            std::fs::File::create(path).unwrap().write_all(bytes).unwrap();
        };
        write("html", html(&report).as_bytes());
        write("md", markdown(&report).as_bytes());
        write("json", json(&report).as_bytes());
        write("txt", text(&report, TextStyle::default()).as_bytes());
        if let Ok(picture) = super::png(&report) {
            write("png", &picture);
        }
    }
}
