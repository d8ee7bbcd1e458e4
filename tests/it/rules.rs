//! The page about rules is true: its examples can be read, and it leaves out no measure.

use std::path::Path;

use plimsoll::config::{Expr, Loaded, Request, check_bytes};
use plimsoll::judge::rules::{of_config, of_gate};
use plimsoll::rule::{UsualMethod, parse_rule};

const PAGE: &str = include_str!("../../docs/rules.md");

/// The code blocks of the page in a language, each with the line it begins on.
fn blocks(language: &str) -> Vec<(usize, Vec<&'static str>)> {
    let mut found = Vec::new();
    let mut lines = PAGE.lines().enumerate();
    while let Some((at, line)) = lines.next() {
        let Some(name) = line.strip_prefix("```") else { continue };
        let inside: Vec<&str> =
            lines.by_ref().map(|(_, line)| line).take_while(|line| *line != "```").collect();
        if name == language {
            found.push((at + 2, inside));
        }
    }
    found
}

#[test]
fn every_rule_of_the_page_can_be_read() {
    let blocks = blocks("rule");
    let rules = blocks.iter().flat_map(|(at, lines)| (*at..).zip(lines));
    let mut count = 0;
    for (line, rule) in rules {
        if let Err(mistakes) = parse_rule(rule) {
            panic!("docs/rules.md:{line}: `{rule}`: {mistakes:?}");
        }
        count += 1;
    }
    assert!(count >= 25, "only {count} rules were found on the page");
}

#[test]
fn every_configuration_of_the_page_can_be_used() {
    let blocks = blocks("toml");
    assert!(blocks.len() >= 4, "only {} configurations were found", blocks.len());
    for (line, lines) in blocks {
        let text = lines.join("\n");
        let request = Request { directory: "/srv/shop".into(), ..Request::default() };
        let loaded = check_bytes(Some((Path::new("plimsoll.toml"), text.as_bytes())), &request);
        let Loaded { config, .. } = loaded.unwrap_or_else(|error| panic!("line {line}: {error}"));
        let place = |_: &Expr| None;
        let checks = of_config(&config, &place).unwrap_or_else(|wrong| panic!("{line}: {wrong:?}"));
        let mut count = checks.len();
        for gate in &config.gates {
            count +=
                of_gate(gate, &place).unwrap_or_else(|wrong| panic!("{line}: {wrong:?}")).len();
        }
        assert!(count > 0, "the configuration of line {line} checks nothing");
    }
}

#[test]
fn the_page_leaves_nothing_out() {
    let mut words = vec![
        "p95(",
        "avg(",
        "max(",
        "min(",
        "sum(",
        "count()",
        "rate()",
        "share(",
        "distinct(",
        "shift(",
        "new(",
        "age()",
        "novelty(",
        "baseline + ",
        "before_change + ",
        "< usual",
    ];
    let methods = UsualMethod::ALL.map(|method| format!("usual({method}, "));
    words.extend(methods.iter().map(String::as_str));
    let blocks = blocks("rule");
    let rules: Vec<&str> = blocks.iter().flat_map(|(_, lines)| lines).copied().collect();
    for word in words {
        assert!(rules.iter().any(|rule| rule.contains(word)), "no example has `{word}`");
    }
}
