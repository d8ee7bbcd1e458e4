use proptest::prelude::*;

use super::parse;
use crate::decode::fields::{Fields, Name, Reject};

fn render(record: &[u8]) -> Result<String, Reject> {
    let mut fields = Fields::new(&[]);
    parse(record, &mut fields)?;
    let parts = fields.others().iter().map(|(name, slot)| {
        let name = match name {
            Name::Fixed(name) => (*name).to_owned(),
            Name::Written(span) => String::from_utf8_lossy(span.of(record)).into_owned(),
        };
        format!("{name}={}", String::from_utf8_lossy(slot.span.of(record)))
    });
    Ok(parts.collect::<Vec<_>>().join(" | "))
}

fn check(record: &str, expected: &str) {
    assert_eq!(render(record.as_bytes()).as_deref(), Ok(expected), "{record}");
}

#[test]
fn application_logs() {
    check(
        "2026-11-22 13:11:13.125 INFO  [main] c.e.Web - arranca 🚀", // logback
        "time=2026-11-22 13:11:13.125 | level=INFO | logger=c.e.Web | message=arranca 🚀",
    );
    check(
        "2026-11-22 13:11:13,125 ERROR [main] Web - x", // log4j, class without package
        "time=2026-11-22 13:11:13,125 | level=ERROR | logger=Web | message=x",
    );
    check(
        "2026-11-22T13:11:13.125Z  INFO 1234 --- [main] c.e.Web   : started", // Spring Boot
        "time=2026-11-22T13:11:13.125Z | level=INFO | logger=c.e.Web | message=started",
    );
    check(
        "2026-11-22 13:11:13,125 - app.views - ERROR - not found", // Python
        "time=2026-11-22 13:11:13,125 | level=ERROR | logger=app.views | message=not found",
    );
    check(
        "WARNING:django.request:Not Found: /x y", // Python's default
        "level=WARNING | logger=django.request | message=Not Found: /x y",
    );
    check(
        "I, [2026-11-22T13:11:33.565629 #23652]  INFO -- reportes: hola: mundo", // Ruby
        "time=2026-11-22T13:11:33.565629 | level=INFO | logger=reportes | message=hola: mundo",
    );
    check(
        "I1122 13:06:06.492856   17258 main.go:83] \"arranca\" port=\"9164\"", // klog
        "time=1122 13:06:06.492856 | level=I | logger=main.go:83 | port=9164 | message=arranca",
    );
    check(
        "2026-11-22T13:11:13Z ERROR app::db: failed", // tracing-subscriber
        "time=2026-11-22T13:11:13Z | level=ERROR | logger=app::db | message=failed",
    );
    check(
        "INFO:     127.0.0.1:1 - \"GET /\" 200",
        "level=INFO | message=127.0.0.1:1 - \"GET /\" 200",
    );
    check("[error] something", "level=error | message=something");
    check(
        "2026-11-22 13:11:17 INFO  [p-3] c.e.Web - method=GET path=/x elapsed_ms=0.1",
        "time=2026-11-22 13:11:17 | level=INFO | logger=c.e.Web | method=GET | path=/x \
         | elapsed_ms=0.1 | message=method=GET path=/x elapsed_ms=0.1",
    );
}

#[test]
fn daemons() {
    check(
        "Nov 18 14:03:22 web-1 sshd[123]: Failed password for root",
        "time=Nov 18 14:03:22 | host=web-1 | logger=sshd | message=Failed password for root",
    );
    check(
        "Nov 18 14:03:22 web-1 kernel: [ 1.5] eth0: up",
        "time=Nov 18 14:03:22 | host=web-1 | logger=kernel | message=[ 1.5] eth0: up",
    );
    check(
        "<34>1 2026-11-18T14:03:22Z web-1 su 77 ID47 - 'su root' failed", // RFC 5424
        "priority=34 | time=2026-11-18T14:03:22Z | host=web-1 | logger=su | message='su root' failed",
    );
    check(
        "2026-11-18T14:03:22.123456789Z stderr F boom", // containerd
        "time=2026-11-18T14:03:22.123456789Z | stream=stderr | message=boom",
    );
    check(
        "2026/11/22 13:01:21 [error] 13283#13283: *3 connect() failed", // nginx
        "time=2026/11/22 13:01:21 | level=error | message=*3 connect() failed",
    );
    check(
        "[Wed Nov 18 14:03:22.123456 2026] [core:error] [pid 1:tid 2] [client 10.0.0.1:3] AH01: x",
        "time=[Wed Nov 18 14:03:22.123456 2026] | level=error | logger=core | message=AH01: x",
    );
    check(
        "2026-11-18 14:03:22.123 UTC [123] ana@db LOG:  duration: 12.345 ms", // PostgreSQL
        "time=2026-11-18 14:03:22.123 UTC | level=LOG | message=duration: 12.345 ms",
    );
    check(
        "2026-11-22 12:57:57 status installed libc6:amd64 2.36", // dpkg
        "time=2026-11-22 12:57:57 | message=status installed libc6:amd64 2.36",
    );
}

#[test]
fn platform_lines() {
    check(" ✓ Ready in 685ms", "message=✓ Ready in 685ms");
    check(" GET /api/x 200 in 24ms", "message=GET /api/x 200 in 24ms");
    check(
        "✅ [SECURITY] LOGIN [a@b.c] (x): ok - 2026-11-18T14:03:22.123Z",
        "time=2026-11-18T14:03:22.123Z | message=✅ [SECURITY] LOGIN [a@b.c] (x): ok",
    );
    check("❌ [SECURITY] LOGIN (x): ok - later", "message=❌ [SECURITY] LOGIN (x): ok - later");
    check("[auth][error] X: y", "level=error | message=[auth][error] X: y");
    check("\x1b[31m[auth][error]\x1b[0m X: y", "level=error | message=[auth][error]\x1b[0m X: y");
    check("\x1b[32mok\x1b[0m", "message=ok"); // colours at both ends
    check("error while reading", "message=error while reading"); // a word, not a level
    check("2026-11-18_backup.json saved", "message=2026-11-18_backup.json saved"); // a name
}

#[test]
fn empty_records_are_rejected() {
    assert_eq!(render(b""), Err(Reject::Empty));
    assert_eq!(render(b" \r\n"), Err(Reject::Empty));
    assert_eq!(render(b"\x1b[0m"), Err(Reject::Empty)); // only a colour
}

proptest! {
    #[test]
    fn the_message_is_never_lost(record in "(2026-11-18 14:03:22 |Nov 18 14:03:22 h p\\[1\\]: |<3>)?(INFO|\\[error\\]|ERROR:)?[ a-zA-Z0-9.:|\\[\\]=\x1b-]{0,40}") {
        if render(record.as_bytes()).is_ok() {
            let mut fields = Fields::new(&["message"]);
            parse(record.as_bytes(), &mut fields).unwrap();
            let message = fields.slot(0).span.of(record.as_bytes());
            // Whatever the head took, the line ends as its message ends.
            prop_assert!(message.is_empty() || record.contains(str::from_utf8(message).unwrap()));
        }
    }

    #[test]
    fn no_bytes_make_it_panic(record in prop::collection::vec(any::<u8>(), 0..60)) {
        let _ = render(&record);
    }
}
