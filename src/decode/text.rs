//! Decodes free text: a time in front, a level, who speaks, and the message that is left.
//!
//! Covers what log libraries and daemons print: syslog (RFC 3164 and 5424), journald's short
//! form, containerd, klog, log4j and logback, Spring, Python, Ruby, Apache and nginx error logs,
//! PostgreSQL, Next.js, Auth.js, and the platform's `[SECURITY]` lines. Every non-empty line is
//! a record: a line in which nothing is recognised is all message.
//!
//! What the message *means* (event, route, duration) is told by `message.rs`.
//!
//! Names put: `time level logger host stream priority message`, and the pairs of a message
//! that is logfmt.

use super::fields::{Fields, Kind, MAX_RECORD_LEN, Reject, Slot, Span, split_quoted};
use super::logfmt;
use super::timestamp::{ZoneDefault, parse_leading};

mod head;
#[cfg(test)]
mod tests;

use head::Head;

/// Assumed only to find out where a time ends; the caller reads it with its own default.
const ANY_YEAR: ZoneDefault = ZoneDefault { offset_s: 0, year: 2000 };

/// Decodes one line (or several joined ones) into `fields`.
///
/// # Errors
/// [`Reject::Empty`] for blanks only, [`Reject::TooLong`] beyond 4 GiB; anything else is text.
pub(super) fn parse(record: &[u8], fields: &mut Fields) -> Result<(), Reject> {
    fields.clear();
    if record.len() > MAX_RECORD_LEN {
        return Err(Reject::TooLong);
    }
    let line = without_colour(record.trim_ascii());
    if line.is_empty() {
        return Err(Reject::Empty);
    }
    let mut head = Head { record, rest: line, fields };
    let has_time = head.priority_and_time();
    if has_time {
        head.speaker();
        head.level_within(Head::WORDS_BEFORE_LEVEL);
    } else if !head.tagged_line() {
        head.level_within(0);
    }
    let message = head.rest.trim_ascii();
    let (sentence, pairs) = split_structured(message);
    let _ = logfmt::parse_pairs(record, pairs, fields); // prose is no logfmt, and no error
    put(fields, record, "message", sentence);
    Ok(())
}

/// klog writes `"sentence" key="value" …`: the sentence is the message, the rest its fields.
/// A message that is logfmt throughout stays whole beside its fields.
fn split_structured(message: &[u8]) -> (&[u8], &[u8]) {
    if let Some(inside) = message.strip_prefix(b"\"")
        && let Some((sentence, [b' ', pairs @ ..])) = split_quoted(inside)
        && logfmt::begins_with_pair(pairs)
    {
        return (sentence, pairs);
    }
    (message, message)
}

/// Cuts terminal colours at both ends; those inside stay, for a span cannot leave them out.
fn without_colour(mut line: &[u8]) -> &[u8] {
    while let Some(len) = colour_len(line) {
        line = line.get(len..).unwrap_or_default().trim_ascii_start();
    }
    while line.last() == Some(&b'm') {
        let Some(at) = memchr::memrchr(0x1b, line) else { break };
        let (before, escape) = line.split_at_checked(at).unwrap_or((line, b""));
        if colour_len(escape) != Some(escape.len()) {
            break;
        }
        line = before.trim_ascii_end();
    }
    line
}

/// Length of the terminal colour (`ESC [ 31 m`) that `text` begins with.
fn colour_len(text: &[u8]) -> Option<usize> {
    let parameters = text.strip_prefix(b"\x1b[")?;
    let len = parameters.iter().take_while(|b| b.is_ascii_digit() || **b == b';').count();
    (parameters.get(len) == Some(&b'm')).then_some(len + 3)
}

fn put(fields: &mut Fields, record: &[u8], name: &'static str, value: &[u8]) {
    let kind = if value.is_empty() { Kind::Null } else { Kind::String };
    fields.put(name, Slot { kind, escaped: false, span: Span::locate(record, value) });
}
