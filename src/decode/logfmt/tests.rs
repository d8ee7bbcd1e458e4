use proptest::prelude::*;

use super::parse;
use crate::decode::fields::{Fields, Kind, Name, Reject};

fn render(record: &[u8]) -> Result<String, Reject> {
    let mut fields = Fields::new(&[]);
    parse(record, &mut fields)?;
    let lines = fields.others().iter().map(|(name, slot)| {
        let Name::Written(name) = name else { panic!("logfmt names are written") };
        let escaped = if slot.escaped { " escaped" } else { "" };
        let name = String::from_utf8_lossy(name.of(record)).into_owned();
        let value = String::from_utf8_lossy(slot.span.of(record)).into_owned();
        format!("{name}: {:?}{escaped} {value}", slot.kind)
    });
    Ok(lines.collect::<Vec<_>>().join("\n"))
}

fn check(record: &str, expected: &str) {
    assert_eq!(render(record.as_bytes()).as_deref(), Ok(expected), "{record}");
}

fn check_reject(record: &str, reject: Reject) {
    assert_eq!(render(record.as_bytes()), Err(reject), "{record}");
}

#[test]
fn pairs_of_every_kind() {
    check("level=info", "level: String info");
    check("a=1 b=-2.5 c=1e3", "a: Number 1\nb: Number -2.5\nc: Number 1e3");
    check("a=true b=false", "a: Bool true\nb: Bool false");
    check("a= b=- c=null d=<nil>", "a: Null \nb: Null -\nc: Null null\nd: Null <nil>");
    check("msg=\"two words\"", "msg: String two words");
    check("msg=\"say \\\"hi\\\"\\n\" n=1", "msg: String escaped say \\\"hi\\\"\\n\nn: Number 1");
    check("msg=\"ends in \\\\\" n=1", "msg: String escaped ends in \\\\\nn: Number 1");
    check("n=\"1\"", "n: String 1"); // quoted numbers are text
    check("msg=\"\"", "msg: String "); // empty on purpose is not null
    check("at=info dyno=web.1 flag", "at: String info\ndyno: String web.1\nflag: Bool flag");
    check("  a=1 \t b=2\r\n", "a: Number 1\nb: Number 2");
    check("msg='two words' n=1", "msg: String two words\nn: Number 1"); // structlog
    check("msg='it\\'s' n=''", "msg: String it\\'s\nn: String ");
    check("msg='tis n=1", "msg: String 'tis\nn: Number 1"); // an apostrophe closes nothing
    check("msg='a'b n=1", "msg: String 'a'b\nn: Number 1");
    check("url=http://x/?a=b", "url: String http://x/?a=b"); // only the first `=` separates
    check("año=2026 k=ñ", "año: Number 2026\nk: String ñ");
    check("v=1.2.3", "v: String 1.2.3");
    check("d=22.5µs", "d: String 22.5µs");
}

#[test]
fn what_is_no_logfmt_is_rejected() {
    check_reject("", Reject::Empty);
    check_reject(" \t\r\n", Reject::Empty);
    check_reject("two words", Reject::OtherFormat);
    check_reject("server started port=80", Reject::OtherFormat); // prose with a pair
    check_reject("=1", Reject::OtherFormat);
    check_reject("{\"a\":1}", Reject::OtherFormat);
    check_reject("msg=\"open", Reject::Unterminated);
    check_reject("msg=\"open\\\"", Reject::Unterminated);
    check_reject("msg=\"a\"b", Reject::OtherFormat); // text glued to a quote
    check_reject(&format!("{}=1", "k".repeat(129)), Reject::OtherFormat);
}

#[test]
fn wanted_names_have_their_slots_and_the_last_value_counts() {
    let mut fields = Fields::new(&["level", "msg", "absent"]);
    let record = b"level=info x=1 level=warn msg=\"a b\"";
    parse(record, &mut fields).unwrap();
    assert_eq!(fields.slot(0).span.of(record), b"warn");
    assert_eq!(fields.slot(1).span.of(record), b"a b");
    assert_eq!(fields.slot(2).kind, Kind::Absent);
    assert_eq!(fields.slot(99).kind, Kind::Absent);
    assert_eq!(fields.others().len(), 1);
    parse(b"x=1", &mut fields).unwrap();
    assert_eq!(fields.slot(0).kind, Kind::Absent, "values of the record before are forgotten");
}

#[test]
fn fields_beyond_the_bound_are_counted() {
    let record = "k=1 ".repeat(258);
    let mut fields = Fields::new(&[]);
    parse(record.as_bytes(), &mut fields).unwrap();
    assert_eq!(fields.others().len(), 256); // two more were dropped
}

proptest! {
    #[test]
    fn no_bytes_make_it_panic(record in "[a-c=\"\\\\ 1.-]{0,40}") {
        let _ = render(record.as_bytes());
    }
}
