use proptest::prelude::*;

use super::{parse, whole_number_unit};
use crate::decode::fields::{Fields, Kind, Name, Reject};
use crate::decode::unit::DurationUnit;

fn render(record: &[u8]) -> Result<String, Reject> {
    let mut fields = Fields::new(&[]);
    parse(record, &mut fields)?;
    let parts = fields.others().iter().map(|(name, slot)| {
        let name = match name {
            Name::Fixed(name) => (*name).to_owned(),
            Name::Written(span) => String::from_utf8_lossy(span.of(record)).into_owned(),
        };
        let value = String::from_utf8_lossy(slot.span.of(record)).into_owned();
        let mark = if slot.escaped { "\\" } else { "" };
        if slot.kind == Kind::Null { format!("{name}=()") } else { format!("{name}{mark}={value}") }
    });
    Ok(parts.collect::<Vec<_>>().join(" | "))
}

fn check(record: &str, expected: &str) {
    assert_eq!(render(record.as_bytes()).as_deref(), Ok(expected), "{record}");
}

const WHO: &str = "10.0.0.1 - - [10/Oct/2026:13:55:36 -0700]";
const WHO_OUT: &str = "client=10.0.0.1 | ident=() | user=() | time=10/Oct/2026:13:55:36 -0700";

/// Checks what follows client and time, which are the same in most rows.
fn check_tail(record: &str, expected: &str) {
    check(&format!("{WHO} {record}"), &format!("{WHO_OUT} | {expected}"));
}

const GET: &str = "request=GET /a?b=c HTTP/1.1 | method=GET | path=/a?b=c | protocol=HTTP/1.1";

#[test]
fn common_and_combined() {
    check_tail("\"GET /a?b=c HTTP/1.1\" 200 151", &format!("{GET} | status=200 | bytes=151"));
    check_tail("\"GET /a?b=c HTTP/1.1\" 304 -", &format!("{GET} | status=304 | bytes=()"));
    check_tail(
        "\"GET /a?b=c HTTP/1.1\" 200 1 \"http://r/\" \"M \\\"E\\\" 1\"",
        &format!("{GET} | status=200 | bytes=1 | referer=http://r/ | user_agent\\=M \\\"E\\\" 1"),
    );
    check_tail(
        "\"GET /a?b=c HTTP/1.1\" 200 1 \"-\" \"-\"",
        &format!("{GET} | status=200 | bytes=1 | referer=() | user_agent=()"),
    );
}

#[test]
fn who_asked_comes_in_many_forms() {
    let tail = "[10/Oct/2026:13:55:36 +0000] \"GET / HTTP/2.0\" 200 5";
    let rest = "time=10/Oct/2026:13:55:36 +0000 | request=GET / HTTP/2.0 | method=GET | path=/ \
                | protocol=HTTP/2.0 | status=200 | bytes=5";
    check(
        &format!("2001:db8::1 - frank {tail}"),
        &format!("client=2001:db8::1 | ident=() | user=frank | {rest}"),
    );
    check(
        &format!("example.org:443 10.0.0.1 - - {tail}"),
        &format!("vhost=example.org:443 | client=10.0.0.1 | ident=() | user=() | {rest}"),
    );
    check(
        &format!("10.0.0.1 - Ana Perez {tail}"), // Apache writes the user as he typed it
        &format!("client=10.0.0.1 | ident=() | user=Ana Perez | {rest}"),
    );
    check(
        &format!("10.0.0.1 - \"\" {tail}"), // Caddy's empty user
        &format!("client=10.0.0.1 | ident=() | user=() | {rest}"),
    );
}

#[test]
fn broken_requests_keep_their_status() {
    check_tail(
        "\"\\x16\\x03\\x01\" 400 166 \"-\" \"-\"", // TLS on a plain port
        "request\\=\\x16\\x03\\x01 | status=400 | bytes=166 | referer=() | user_agent=()",
    );
    check_tail("\"-\" 408 -", "request=() | status=408 | bytes=()"); // time-out before the request
    check_tail("\"\" 400 0", "request= | status=400 | bytes=0");
    check_tail("\"GET\" 400 0", "request=GET | status=400 | bytes=0");
    check_tail("\"get / HTTP/1.1\" 400 0", "request=get / HTTP/1.1 | status=400 | bytes=0");
    check_tail(
        "\"GET /old\" 200 9",
        "request=GET /old | method=GET | path=/old | status=200 | bytes=9",
    );
}

#[test]
fn the_duration_is_found_among_extras() {
    let head = "\"GET /a?b=c HTTP/1.1\" 200 1 \"-\" \"-\"";
    let out = format!("{GET} | status=200 | bytes=1 | referer=() | user_agent=()");
    check_tail(&format!("{head} 13374"), &format!("{out} | duration_us=13374"));
    check_tail(&format!("{head} 0.006"), &format!("{out} | duration_s=0.006"));
    check_tail(&format!("{head} 345 0.006"), &format!("{out} | duration_s=0.006"));
    check_tail(&format!("{head} 0.006 0.004"), &format!("{out} | duration_s=0.006")); // upstream
    check_tail(&format!("{head} 0 6021"), &format!("{out} | duration_us=6021")); // %T %D
    check_tail(&format!("{head} 5 \"app@docker\" \"-\" 12ms"), &format!("{out} | duration=12ms"));
    check_tail(&format!("{head} \"0.006\""), &format!("{out} | duration_s=0.006"));
    check_tail(&format!("{head} rt=0.006 urt=\"0.004\""), &format!("{out} | rt=0.006 | urt=0.004"));
    check_tail(
        &format!("{head} \"10.1.2.3, 10.0.0.1\""),
        &format!("{out} | forwarded_for=10.1.2.3, 10.0.0.1"),
    );
    check_tail(
        &format!("{head} a9c6057cb9264efda31970cb6e96f9b8 0.1"),
        &format!("{out} | request_id=a9c6057cb9264efda31970cb6e96f9b8 | duration_s=0.1"),
    );
    check_tail(&format!("{head} \"-\" - ."), &out);
}

#[test]
fn seconds_and_microseconds_are_told_by_a_sample() {
    assert_eq!(whole_number_unit(0.0), DurationUnit::S);
    assert_eq!(whole_number_unit(59.0), DurationUnit::S);
    assert_eq!(whole_number_unit(60.0), DurationUnit::Us);
    assert_eq!(whole_number_unit(f64::NAN), DurationUnit::Us);
}

fn check_reject(record: &str, reject: Reject) {
    assert_eq!(render(record.as_bytes()), Err(reject), "{record}");
}

#[test]
fn other_formats_are_rejected() {
    check_reject("", Reject::Empty);
    check_reject("  ", Reject::Empty);
    check_reject("{\"a\": [1]}", Reject::OtherFormat);
    check_reject("level=info msg=x", Reject::OtherFormat);
    check_reject("[10/Oct/2026:13:55:36 -0700] \"GET / HTTP/1.1\" 200 1", Reject::OtherFormat);
    check_reject("a b [main] \"x\" 200 1", Reject::OtherFormat);
    check_reject("a b c [main] \"x\" 200 1", Reject::OtherFormat); // no time in the brackets
    check_reject(&format!("{WHO} \"GET / HTTP/1.1\" OK 1"), Reject::OtherFormat);
    check_reject(&format!("{WHO} \"GET / HTTP/1.1 200 1"), Reject::Unterminated);
    check_reject("10.0.0.1 - - [10/Oct/2026:13:55:36", Reject::Unterminated);
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(tail in "[a-cG\"\\\\ 1.=-]{0,40}") {
        let _ = render(tail.as_bytes());
        let _ = render(format!("{WHO} \"GET / HTTP/1.1\" 200 {tail}").as_bytes());
    }
}
