//! Invented decisions of an invented school platform.

use serde_json::Value;

use crate::model::{
    Accepted, Answer, BaselineRef, CheckCoverage, CheckKind, CheckMethod, CheckResult,
    CheckSeverity, Confidence, ConfigRef, Decision, Evidence, Example, FindingRow, Group, InputRef,
    LinkedEvent, OptionRow, ScoreBars, Since, Span, TermResult, Unit, Verdict,
};

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(ToString::to_string).collect()
}

fn since() -> Since {
    let at = |clock: &str| format!("2026-11-18T{clock}:00Z");
    Since { at: at("14:11"), earliest: at("14:08"), latest: at("14:28") }
}

fn deploy() -> LinkedEvent {
    LinkedEvent {
        kind: "deploy".to_owned(),
        name: "v1.42.0".to_owned(),
        at: "2026-11-18T14:11:00Z".to_owned(),
        lag_s: 0.0,
        is_during: false,
    }
}

fn group() -> Group {
    [("method", "GET"), ("route", "/api/search")]
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// A check that holds, of an id.
pub(super) fn check(id: &str) -> CheckResult {
    CheckResult {
        id: id.to_owned(),
        kind: CheckKind::Rule,
        expr: "share(status >= 500) < 1%".to_owned(),
        severity: CheckSeverity::Fail,
        verdict: Verdict::Pass,
        window: None,
        group: Group::new(),
        evidence: Evidence {
            metric: "share(status >= 500)".to_owned(),
            actual: Some(0.006_9),
            limit: Some(0.01),
            cmp: "<".to_owned(),
            unit: Unit::Ratio,
            baseline: Some(0.006_5),
            change_pct: Some(6.2),
            interval: Some([-0.2, 0.3]),
            p_value: Some(0.61),
            n: [22_376, 7_388],
        },
        since: None,
        linked_event: None,
        reason: "the share is below its limit".to_owned(),
        critical: false,
        shadow: false,
        weight: 1.0,
        runbook: None,
        file: Some("plimsoll.toml".to_owned()),
        line: Some(21),
        column: Some(1),
        accepted: None,
        muted: None,
        terms: Vec::new(),
    }
}

/// A slow route.
pub(super) fn slow(id: &str) -> CheckResult {
    let evidence = Evidence {
        metric: "p95(duration)".to_owned(),
        actual: Some(759.0),
        limit: Some(300.0),
        cmp: "<".to_owned(),
        unit: Unit::Ms,
        baseline: Some(406.0),
        change_pct: Some(87.0),
        interval: Some([74.0, 97.0]),
        p_value: Some(1e-12),
        n: [5_594, 1_847],
    };
    let term = |expr: &str, limit: f64, reason: &str| TermResult {
        expr: expr.to_owned(),
        verdict: Verdict::Fail,
        evidence: Evidence { limit: Some(limit), ..evidence.clone() },
        reason: reason.to_owned(),
    };
    CheckResult {
        expr: "p95(duration) < 300ms and p95(duration) < baseline + 10%".to_owned(),
        verdict: Verdict::Fail,
        group: group(),
        since: Some(since()),
        linked_event: Some(deploy()),
        reason: "759 ms is above 300 ms, and the whole likely range is above it".to_owned(),
        critical: true,
        weight: 2.0,
        runbook: Some("https://wiki.example/slow-search".to_owned()),
        line: Some(14),
        terms: vec![
            term("p95(duration) < 300ms", 300.0, "759 ms is above 300 ms"),
            term("p95(duration) < baseline + 10%", 446.6, "759 ms is above 447 ms"),
        ],
        evidence,
        ..check(id)
    }
}

/// A route with too few requests.
fn thin(id: &str) -> CheckResult {
    let evidence = Evidence {
        actual: None,
        baseline: None,
        change_pct: None,
        interval: None,
        n: [9, 4],
        ..slow(id).evidence
    };
    CheckResult {
        verdict: Verdict::Inconclusive,
        evidence,
        reason: "4 durations are too few, 30 are needed".to_owned(),
        line: Some(28),
        ..check(id)
    }
}

/// Three checks: one fails, one cannot be told, one holds.
pub(super) fn rollback() -> Decision {
    Decision {
        schema: Decision::SCHEMA.to_owned(),
        decision: Answer::Rollback,
        verdict: Verdict::Fail,
        confidence: Confidence::High,
        summary: "GET /api/search p95 406 → 759 ms since v1.42.0".to_owned(),
        project: "intellego".to_owned(),
        gate: None,
        inputs: vec![InputRef {
            name: "logs/app.jsonl".to_owned(),
            sha256: Some("ab".repeat(32)),
            bytes: 24_100_000,
        }],
        window: Span {
            from: "2026-11-18T14:00:00Z".to_owned(),
            to: "2026-11-18T16:00:00Z".to_owned(),
        },
        baseline: Some(BaselineRef {
            name: "main".to_owned(),
            from: "2026-11-17T14:00:00Z".to_owned(),
            to: "2026-11-18T14:00:00Z".to_owned(),
            excluded: texts(&["deploy v1.41.0"]),
            sha256: None,
        }),
        score: Some(100.0 / 3.0),
        thresholds: ScoreBars::default(),
        needs_human: true,
        checks: vec![check("errors"), thin("submit-p95"), slow("search-p95")],
        findings: vec![finding()],
        options: vec![OptionRow {
            id: "O1".to_owned(),
            action: "rollback".to_owned(),
            target: Some("v1.42.0".to_owned()),
            risk: "low".to_owned(),
            reversible: true,
            expected: "p95 about 406 ms".to_owned(),
            verify: texts(&["plimsoll", "compare", "app.jsonl", "--at", "2026-11-18T17:00"]),
        }],
        coverage: CheckCoverage {
            records: 60_000,
            skipped: 12,
            tested: 3,
            passed: 1,
            failed: 1,
            inconclusive: 1,
            warned: 0,
        },
        notes: Vec::new(),
        method: CheckMethod {
            version: "0.1.0".to_owned(),
            notes: texts(&["shift: Hodges–Lehmann, 98 %"]),
            settings: vec![("min_samples".to_owned(), "30".to_owned())],
        },
        config: Some(ConfigRef { file: "plimsoll.toml".to_owned(), sha256: "cd".repeat(32) }),
        recipe: Some(recipe()),
        untrusted_text_fields: texts(&Decision::UNTRUSTED_TEXT_FIELDS),
    }
}

fn recipe() -> crate::model::Recipe {
    crate::model::Recipe {
        now_us: 0,
        window_us: 1,
        windows_us: Vec::new(),
        compared: "history".to_owned(),
        zone: "UTC".to_owned(),
        look_back_us: None,
        kinds: crate::model::EventKinds::default(),
        level_ratio: 0.02,
        on_no_data: crate::model::OnNoData::Hold,
        fields: vec![("--time".to_owned(), "at".to_owned())],
        marks: vec![crate::model::EventMark {
            kind: "deploy".to_owned(),
            name: "v1.42.0".to_owned(),
            at_us: 0,
            until_us: None,
            origin: "file".to_owned(),
        }],
        checks: Vec::new(),
        measurements: 1,
    }
}

fn finding() -> FindingRow {
    let evidence = slow("search-p95").evidence;
    FindingRow {
        id: "F1".to_owned(),
        verdict: Verdict::Fail,
        metric: "p95(duration_ms)".to_owned(),
        group: group(),
        before: 406.0,
        after: 759.0,
        unit: Unit::Ms,
        n: evidence.n,
        change_pct: evidence.change_pct,
        interval_pct: evidence.interval,
        since: Some(since()),
        linked_event: Some(deploy()),
        examples: vec![Example {
            input: "logs/app.jsonl".to_owned(),
            offset: 4_711,
            text: "{\"msg\":\"pool timeout after 5000 ms\"}".to_owned(),
        }],
    }
}

/// Two checks that hold, a shadow that does not, and a failure that somebody accepted.
pub(super) fn go() -> Decision {
    let accepted = Accepted {
        who: "ana".to_owned(),
        when: "2026-11-19T09:00:00Z".to_owned(),
        why: "the new index is worth it".to_owned(),
    };
    Decision {
        decision: Answer::Go,
        verdict: Verdict::Pass,
        confidence: Confidence::Medium,
        gate: Some("post_deploy".to_owned()),
        baseline: None,
        score: Some(100.0),
        needs_human: false,
        checks: vec![
            check("errors"),
            CheckResult { shadow: true, ..slow("search-shadow") },
            CheckResult { accepted: Some(accepted), ..slow("search-p95") },
        ],
        findings: Vec::new(),
        options: Vec::new(),
        coverage: CheckCoverage {
            records: 60_000,
            tested: 2,
            passed: 2,
            ..CheckCoverage::default()
        },
        ..rollback()
    }
}

/// Many failures, many groups, long texts.
pub(super) fn many(count: u32) -> Decision {
    let checks = (0..count).map(|index| CheckResult {
        line: Some(index + 1),
        reason: "long ".repeat(200),
        group: [("route".to_owned(), format!("/{}/{index}", "r".repeat(100)))].into(),
        ..slow(&format!("rule-{index}"))
    });
    let coverage = CheckCoverage { tested: count, failed: count, ..rollback().coverage };
    Decision { checks: checks.collect(), coverage, ..rollback() }
}

/// What a log may hold.
pub(super) const ATTACK: &str = "</script><img src=x onerror=alert(1)>\"'--> ]]>|\n::error::x\r\
    ##[error]y\u{1b}]0;t\u{7}\u{202e}\u{ffff} `@team` #123 [a](http://evil.example) <!-- % EOF\n";

/// Every text is an attack, but for closed vocabularies.
pub(super) fn hostile(attack: &str) -> Decision {
    let json = serde_json::to_value(rollback()).unwrap();
    serde_json::from_value(poison(json, "", attack)).unwrap()
}

fn poison(value: Value, key: &str, attack: &str) -> Value {
    const CLOSED: [&str; 7] =
        ["decision", "verdict", "confidence", "severity", "unit", "kind", "on_no_data"];
    match value {
        Value::String(text) if CLOSED.contains(&key) && text != "deploy" => Value::String(text),
        Value::String(_) => Value::String(attack.to_owned()),
        Value::Array(items) => {
            Value::Array(items.into_iter().map(|item| poison(item, key, attack)).collect())
        }
        Value::Object(fields) => {
            let poisoned = fields.into_iter().map(|(name, inside)| {
                let poisoned = poison(inside, &name, attack);
                (if key == "group" { format!("{name}{attack}") } else { name }, poisoned)
            });
            Value::Object(poisoned.collect())
        }
        other => other,
    }
}
