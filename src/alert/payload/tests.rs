use insta::assert_snapshot;
use serde_json::Value;

use super::super::state::{AlertInput, Notification, Patience, State};
use super::{Sender, body, label_name};
use crate::config::{CheckSeverity, ReceiverKind};
use crate::model::Verdict;

const SENDER: Sender<'_> = Sender { project: "shop", repeat_us: 4 * 3_600_000_000 };
/// 2026-11-22T10:00:00Z.
const NOW_US: i64 = 1_795_341_600_000_000;

fn input(route: &str, verdict: Verdict, summary: &str) -> AlertInput {
    AlertInput {
        rule: "p95".to_owned(),
        severity: CheckSeverity::Fail,
        group: vec![("route".to_owned(), route.to_owned())],
        verdict,
        summary: summary.to_owned(),
        runbook: Some("https://example.org/p95?a&b".to_owned()),
        since_us: None,
        pending_for_us: 0,
    }
}

fn told(first: &[AlertInput], then: &[AlertInput]) -> Notification {
    let patience = Patience { group_wait_us: 0, repeat_us: 0, calm_us: 0 };
    let mut state = State::new();
    state.see(first, NOW_US, &patience);
    state.due(NOW_US, &patience);
    state.see(then, NOW_US + 60_000_000, &patience);
    state.due(NOW_US + 60_000_000, &patience).remove(0)
}

/// `/orders` still fires, `/users` does no longer.
fn both() -> Notification {
    let slow = |route, verdict| input(route, verdict, "p95 is 900 ms, at most 300 ms");
    told(
        &[slow("/orders", Verdict::Fail), slow("/users", Verdict::Fail)],
        &[slow("/orders", Verdict::Fail), slow("/users", Verdict::Pass)],
    )
}

fn pretty(kind: ReceiverKind, notification: &Notification) -> String {
    let value: Value = serde_json::from_str(&body(kind, notification, SENDER)).unwrap();
    serde_json::to_string_pretty(&value).unwrap()
}

#[test]
fn a_webhook_gets_everything() {
    assert_snapshot!(pretty(ReceiverKind::Webhook, &both()), @r#"
    {
      "schema": "plimsoll.alert/1",
      "id": "660da8de50f00-1",
      "project": "shop",
      "rule": "p95",
      "status": "firing",
      "severity": "fail",
      "at": "2026-11-22T10:01:00Z",
      "alerts": [
        {
          "fingerprint": "5824b7590517b996",
          "status": "firing",
          "group": {
            "route": "/orders"
          },
          "summary": "p95 is 900 ms, at most 300 ms",
          "runbook": "https://example.org/p95?a&b",
          "since": "2026-11-22T10:00:00Z"
        },
        {
          "fingerprint": "5038a6f03bb88297",
          "status": "resolved",
          "group": {
            "route": "/users"
          },
          "summary": "p95 is 900 ms, at most 300 ms",
          "runbook": "https://example.org/p95?a&b",
          "since": "2026-11-22T10:00:00Z",
          "ended": "2026-11-22T10:01:00Z",
          "ending": "passed"
        }
      ],
      "hidden_count": 0,
      "untrusted_text_fields": [
        "alerts[].group",
        "alerts[].summary"
      ]
    }
    "#);
}

#[test]
fn slack_gets_a_message() {
    assert_snapshot!(pretty(ReceiverKind::Slack, &both()), @r#"
    {
      "text": "✖ FAIL: p95 (shop)",
      "blocks": [
        {
          "type": "section",
          "text": {
            "type": "mrkdwn",
            "text": "*✖ FAIL: p95 (shop)*"
          }
        },
        {
          "type": "section",
          "text": {
            "type": "mrkdwn",
            "text": "*Firing*\n• route=`/orders` p95 is 900 ms, at most 300 ms (since 2026-11-22T10:00:00Z)"
          }
        },
        {
          "type": "section",
          "text": {
            "type": "mrkdwn",
            "text": "*Resolved*\n• route=`/users` p95 is 900 ms, at most 300 ms (2026-11-22T10:00:00Z to 2026-11-22T10:01:00Z)"
          }
        },
        {
          "type": "section",
          "text": {
            "type": "mrkdwn",
            "text": "Runbook: https://example.org/p95?a&amp;b"
          }
        }
      ]
    }
    "#);
}

#[test]
fn alertmanager_gets_alerts_that_end() {
    assert_snapshot!(pretty(ReceiverKind::Alertmanager, &both()), @r#"
    [
      {
        "labels": {
          "alertname": "p95",
          "project": "shop",
          "route": "/orders",
          "rule": "p95",
          "severity": "fail"
        },
        "startsAt": "2026-11-22T10:00:00Z",
        "endsAt": "2026-11-22T18:01:00Z",
        "generatorURL": "https://example.org/p95?a&b",
        "annotations": {
          "summary": "p95 is 900 ms, at most 300 ms",
          "fingerprint": "5824b7590517b996",
          "runbook": "https://example.org/p95?a&b"
        }
      },
      {
        "labels": {
          "alertname": "p95",
          "project": "shop",
          "route": "/users",
          "rule": "p95",
          "severity": "fail"
        },
        "startsAt": "2026-11-22T10:00:00Z",
        "endsAt": "2026-11-22T10:01:00Z",
        "generatorURL": "https://example.org/p95?a&b",
        "annotations": {
          "summary": "p95 is 900 ms, at most 300 ms",
          "fingerprint": "5038a6f03bb88297",
          "runbook": "https://example.org/p95?a&b"
        }
      }
    ]
    "#);
}

#[test]
fn log_text_calls_nobody_and_is_no_markup() {
    let hostile = "<!channel> <@U1> @here `x` *b* & <https://evil.example|ok> http://evil.example \
                   \u{202e}\u{1b}[2J\n\"}],\"text\":\"";
    let notification = told(&[], &[input(hostile, Verdict::Fail, hostile)]);
    for kind in [ReceiverKind::Webhook, ReceiverKind::Slack, ReceiverKind::Alertmanager] {
        let text = body(kind, &notification, SENDER);
        assert!(serde_json::from_str::<Value>(&text).is_ok(), "{text}");
        assert!(
            !text.contains(['\u{202e}', '\u{1b}', '\n']) && !text.contains("\\u001b"),
            "{text}"
        );
    }
    let slack = body(ReceiverKind::Slack, &notification, SENDER);
    for call in ["<!channel", "<@", "@here", "<http", "http://evil"] {
        assert!(!slack.contains(call), "{call} in {slack}");
    }
    let value: Value = serde_json::from_str(&slack).unwrap();
    let list = value["blocks"][1]["text"]["text"].as_str().unwrap();
    assert_snapshot!(list.replace('\u{200b}', "~"), @r#"
    *Firing*
    • route=`&lt;!channel&gt; &lt;@~U1&gt; @~here 'x' *b* &amp; &lt;https:~//evil.example|ok&gt; http:~//evil.example ��[2J "}],"text":"` &lt;!channel&gt; &lt;@~U1&gt; @~here 'x' *b* &amp; &lt;https:~//evil.example|ok&gt; http:~//evil.example ��[2J "}],"text":" (since 2026-11-22T10:01:00Z)
    "#);
}

#[test]
fn many_long_groups_fit_into_slack() {
    let inputs: Vec<AlertInput> = (0..300)
        .map(|number| {
            input(&format!("{number}{}", "<&".repeat(90)), Verdict::Fail, &"<".repeat(900))
        })
        .collect();
    let text = body(ReceiverKind::Slack, &told(&[], &inputs), SENDER);
    let value: Value = serde_json::from_str(&text).unwrap();
    let list = value["blocks"][1]["text"]["text"].as_str().unwrap();
    assert!(list.chars().count() <= 3_000 && list.ends_with("… and 299 more"), "{list}");
}

#[test]
fn labels_have_names_that_alertmanager_takes_and_do_not_collide() {
    for (field, want) in [
        ("route", "route"),
        ("req.url", "req_url"),
        ("2xx", "_2xx"),
        ("", "_"),
        ("ñ", "_"), // also a letter that is none to Alertmanager
    ] {
        assert_eq!(label_name(field), want, "{field}");
    }
    let mut input = input("x", Verdict::Fail, "");
    let pair = |field: &str, value: &str| (field.to_owned(), value.to_owned());
    input.group = vec![pair("severity", "low"), pair("a.b", ""), pair("a_b", "2")];
    let text = body(ReceiverKind::Alertmanager, &told(&[], &[input]), SENDER);
    let value: Value = serde_json::from_str(&text).unwrap();
    assert_snapshot!(value[0]["labels"], @r#"{"a_b":"(empty)","a_b_":"2","alertname":"p95","project":"shop","rule":"p95","severity":"fail","severity_":"low"}"#);
}
