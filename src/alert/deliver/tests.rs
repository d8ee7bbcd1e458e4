//! Against receivers of this machine that behave well and badly.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::{Answer, Deliver, Http, Message, target};
use crate::config::ReceiverKind;

const MESSAGE: Message<'_> = Message { key: "k-1", body: "{\"a\":1}" };

/// Takes a connection for each answer; an empty answer closes it, `…` lets it hang. Returns
/// the address and, when joined, the requests.
fn receiver(answers: &'static [&'static str]) -> (String, JoinHandle<Vec<String>>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("http://{}/T0/hunter2", listener.local_addr().unwrap());
    let serve = move || {
        let take = |answer: &&str| {
            let (mut stream, _) = listener.accept().unwrap();
            stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
            let request = request(&mut stream);
            if *answer == "…" {
                // Until the sender has had enough.
                let _ = stream.read(&mut [0; 1]);
            }
            let _ = stream.write_all(answer.as_bytes());
            request
        };
        answers.iter().map(take).collect()
    };
    (address, thread::spawn(serve))
}

fn request(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let mut chunk = [0; 1_024];
    while !String::from_utf8_lossy(&bytes).ends_with(MESSAGE.body) {
        match stream.read(&mut chunk) {
            Ok(0) | Err(_) => break,
            Ok(len) => bytes.extend_from_slice(&chunk[..len]),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn http() -> Http {
    Http::new(Duration::from_millis(500)).unwrap()
}

fn later(text: &str, after_s: Option<u64>) -> Answer {
    Answer::Later(text.to_owned(), after_s.map(Duration::from_secs))
}

#[test]
fn answers_mean_what_they_say() {
    let answers = [
        ("HTTP/1.1 200 OK\r\n\r\n", Answer::Accepted),
        ("HTTP/1.1 204 No Content\r\n\r\n", Answer::Accepted),
        ("HTTP/1.1 500 x\r\n\r\n", later("it answers 500", None)),
        ("HTTP/1.1 408 x\r\n\r\n", later("it answers 408", None)),
        ("HTTP/1.1 429 x\r\nRetry-After: 17\r\n\r\n", later("it answers 429", Some(17))),
        (
            // A date is held against the receiver's own clock.
            "HTTP/1.1 503 x\r\nDate: Sun, 22 Nov 2026 10:00:00 GMT\r\n\
             Retry-After: Sun, 22 Nov 2026 10:02:00 GMT\r\n\r\n",
            later("it answers 503", Some(120)),
        ),
        ("HTTP/1.1 503 x\r\nRetry-After: soon\r\n\r\n", later("it answers 503", None)),
        ("HTTP/1.1 404 x\r\n\r\n", Answer::Refused("it answers 404".to_owned())),
        (
            "HTTP/1.1 302 x\r\nLocation: http://127.0.0.1:1/\r\n\r\n",
            Answer::Refused("it answers 302: it has moved, name its new address".to_owned()),
        ),
    ];
    let texts: Vec<&'static str> = answers.iter().map(|(text, _)| *text).collect();
    let (address, server) = receiver(texts.leak());
    let mut http = http();
    for (text, want) in answers {
        let got = http.deliver(ReceiverKind::Webhook, &address, MESSAGE);
        assert_eq!(got, want, "{text}");
    }
    let requests = server.join().unwrap();
    let first = requests[0].to_ascii_lowercase();
    assert!(first.starts_with("post /t0/hunter2 http/1.1\r\n"), "{first}");
    for line in ["content-type: application/json", "idempotency-key: k-1", "user-agent: plimsoll"] {
        assert!(first.contains(line), "{line} in {first}");
    }
    assert!(first.ends_with("{\"a\":1}"), "{first}");
}

#[test]
fn who_does_not_answer_is_waited_for_so_long_and_no_longer() {
    let (address, server) = receiver(&["…", "", "no HTTP\r\n\r\n"]);
    let mut http = http();
    let begin = Instant::now();
    let mut reasons = Vec::new();
    for _ in 0..3 {
        match http.deliver(ReceiverKind::Slack, &address, MESSAGE) {
            Answer::Unreachable(reason) => reasons.push(reason),
            other => panic!("{other:?}"),
        }
    }
    server.join().unwrap();
    // Nobody listens there any more.
    let Answer::Unreachable(reason) = http.deliver(ReceiverKind::Slack, &address, MESSAGE) else {
        panic!()
    };
    reasons.push(reason);
    assert!(begin.elapsed() < Duration::from_secs(4), "{:?}", begin.elapsed());
    assert!(!reasons.concat().contains("hunter2"), "{reasons:?}");
    insta::assert_snapshot!(reasons.join("\n"), @r"
    it does not answer in time
    connection closed before message completed
    invalid HTTP version parsed
    Connection refused (os error 111)
    ");
}

#[test]
fn alerts_go_to_their_path_and_the_rest_where_it_is_told() {
    for (kind, address, want) in [
        (ReceiverKind::Webhook, "http://x/hook?a=b", "http://x/hook?a=b"),
        (ReceiverKind::Alertmanager, "http://x:9093", "http://x:9093/api/v2/alerts"),
        (ReceiverKind::Alertmanager, "http://x/am/", "http://x/am/api/v2/alerts"),
        (ReceiverKind::Alertmanager, "http://x/api/v2/alerts", "http://x/api/v2/alerts"),
    ] {
        assert_eq!(target(kind, address).unwrap().as_str(), want);
    }
}
