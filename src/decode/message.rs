//! What a message text tells when the record's own fields do not: event, request, duration.
//!
//! Reads the sentences that Next.js, Rails, Lambda, PostgreSQL, Auth.js, NextAuth and the school
//! platform print, and the platform's phrases in Spanish and English (`phrases.rs`, a table).
//! A fact is only taken from a text that has the whole form; a message that has none gives
//! [`MessageFacts::default`], quickly. The text is untrusted: nothing of it becomes an event
//! name but capitals, digits and underscores, at bounded length.

use std::borrow::Cow;

use super::unit::parse_duration_text;
use crate::model::Severity;

mod phrases;
#[cfg(test)]
mod tests;

/// Longest event name taken from a `[SECURITY]` line, in bytes.
const MAX_EVENT_LEN: usize = 48;
/// Bytes of a message that are searched for facts; a longer one is a dump.
const MAX_SEARCHED_LEN: usize = 2048;

/// What was found; a field is `None` (or [`Severity::UNKNOWN`]) when the text does not say.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct MessageFacts<'m> {
    /// Event name, such as `auth.failure`.
    pub event: Option<Cow<'static, str>>,
    /// How bad it is, by a mark or a tag.
    pub level: Severity,
    /// HTTP method.
    pub method: Option<&'m str>,
    /// Request path with its query, as written.
    pub path: Option<&'m str>,
    /// HTTP status.
    pub status: Option<u16>,
    /// Duration in milliseconds.
    pub duration_ms: Option<f64>,
    /// E-mail address of the user: to be pseudonymised before it is kept.
    pub user_email: Option<&'m str>,
    /// Id of the request or function call.
    pub request_id: Option<&'m str>,
    /// Most memory used by a function call, in megabytes.
    pub max_memory_mb: Option<f64>,
}

/// Reads what `message` tells.
pub(super) fn read_message(message: &str) -> MessageFacts<'_> {
    let mut facts = MessageFacts::default();
    let text = head_of(message, MAX_SEARCHED_LEN);
    let text = after_marks(text, &mut facts);
    let known = match text.as_bytes() {
        [b'[', ..] => tagged(text, &mut facts),
        [b'A'..=b'Z', ..] => request_line(text, &mut facts) || function_call(text, &mut facts),
        [b'd', ..] => database_duration(text, &mut facts),
        [b'0'..=b'9', ..] => time_out(text, &mut facts),
        _ => false,
    };
    if !known && let Some((event, level)) = phrases::find(text) {
        facts.event = Some(Cow::Borrowed(event));
        facts.level = facts.level.max(level);
    }
    facts
}

/// Cuts colours, blanks and the marks that set the level: `✓ ○ ⚠ ⨯ ✅ ❌`.
fn after_marks<'m>(text: &'m str, facts: &mut MessageFacts<'_>) -> &'m str {
    const MARKS: [(&str, Severity); 14] = [
        ("✅", Severity::INFO),
        ("✓", Severity::INFO),
        ("✔", Severity::INFO),
        ("○", Severity::INFO),
        ("ℹ", Severity::INFO),
        ("⚠", Severity::WARN),
        ("❌", Severity::ERROR),
        ("⨯", Severity::ERROR),
        ("✗", Severity::ERROR),
        ("✖", Severity::ERROR),
        ("🚨", Severity::ERROR),
        ("🔴", Severity::ERROR),
        ("\u{fe0f}", Severity::UNKNOWN), // selects the coloured form of the mark before it
        ("▲", Severity::UNKNOWN),
    ];
    let mut text = text;
    loop {
        text = text.trim_start();
        match text.as_bytes().first() {
            Some(0x1b) => match after_colour(text) {
                Some(rest) => text = rest,
                None => return text,
            },
            Some(0x80..) => {
                let mark = MARKS
                    .iter()
                    .find_map(|(mark, level)| text.strip_prefix(mark).map(|rest| (rest, *level)));
                let Some((rest, level)) = mark else { return text };
                facts.level = facts.level.max(level);
                text = rest;
            }
            _ => return text,
        }
    }
}

fn after_colour(text: &str) -> Option<&str> {
    let parameters = text.strip_prefix("\x1b[")?;
    let end = parameters.find(|c: char| !(c.is_ascii_digit() || c == ';'))?;
    parameters.get(end..)?.strip_prefix('m')
}

/// `[auth][error] …`, `[next-auth][warn][CODE] …`, `[SECURITY] EVENT …`, `[uuid] Completed …`.
fn tagged<'m>(text: &'m str, facts: &mut MessageFacts<'m>) -> bool {
    if let Some(rest) = text.strip_prefix("[SECURITY] ") {
        return security_line(rest, facts);
    }
    if let Some(rest) = text.strip_prefix("[auth][").or_else(|| text.strip_prefix("[next-auth][")) {
        return auth_line(rest, facts);
    }
    let Some((id, rest)) = text.get(1..).and_then(|inside| inside.split_once("] ")) else {
        return false;
    };
    let is_id = id.len() >= 16 && id.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    if !is_id || !request_line(rest, facts) {
        return false;
    }
    facts.request_id = Some(id);
    true
}

/// After `[auth][` or `[next-auth][`: `error] CredentialsSignin: …`, `error][CODE]`.
fn auth_line(rest: &str, facts: &mut MessageFacts<'_>) -> bool {
    let Some((level, rest)) = rest.split_once(']') else {
        return false;
    };
    facts.level = Severity::from_text(level.as_bytes());
    let mut rest = rest;
    while let Some(plain) = after_colour(rest.trim_start()) {
        rest = plain;
    }
    let what = rest.trim_start().trim_start_matches(['[', '"']);
    // Auth.js says `CredentialsSignin`, NextAuth `CREDENTIALS…SIGNIN…`: a wrong password, which
    // is the user's mistake and not the platform's.
    let name = what.split([':', ']', '.', ' ', '\n']).next().unwrap_or_default();
    let lower = name.to_ascii_lowercase();
    let expected = lower.contains("credentials") && lower.contains("signin");
    facts.event = Some(Cow::Borrowed(match facts.level {
        _ if expected => "auth.failure",
        Severity::ERROR => "auth.error",
        _ => return true,
    }));
    if expected {
        facts.level = Severity::WARN;
    }
    true
}

/// After `[SECURITY] `: `EVENT [email] (role): action`.
fn security_line<'m>(rest: &'m str, facts: &mut MessageFacts<'m>) -> bool {
    let end = rest.find(|c: char| !(c.is_ascii_uppercase() || c.is_ascii_digit() || c == '_'));
    let (name, rest) = rest.split_at(end.unwrap_or(rest.len()));
    if name.is_empty() || name.len() > MAX_EVENT_LEN {
        return false;
    }
    facts.user_email = rest
        .split_once('[')
        .and_then(|(_, rest)| rest.split_once(']'))
        .map(|(inside, _)| inside)
        .filter(|inside| is_email(inside));
    let failed = facts.level >= Severity::WARN;
    let event = phrases::security_event(name, failed);
    // Wrong passwords and closed sessions are marked with a cross; only unknown events with a
    // cross are errors.
    if event.is_some() && failed {
        facts.level = Severity::WARN;
    }
    facts.event = Some(match event {
        Some(event) => Cow::Borrowed(event),
        None => Cow::Owned(format!("security.{}", name.to_ascii_lowercase())),
    });
    true
}

/// `GET /api/x 200 in 24ms`, `GET /x 200 24.1 ms - 12`, `Completed 200 GET /x in 2.9ms`.
fn request_line<'m>(text: &'m str, facts: &mut MessageFacts<'m>) -> bool {
    let completed = text.strip_prefix("Completed ");
    let mut words = completed.unwrap_or(text).split_ascii_whitespace();
    let mut status = if completed.is_some() { words.next().and_then(status_of) } else { None };
    let method = words.next().filter(|word| is_method(word));
    let path = if method.is_some() { words.next() } else { None };
    if completed.is_none() {
        if !path.is_some_and(|path| path.starts_with(['/', '*']) || path.contains("://")) {
            return false;
        }
        status = words.next().and_then(status_of);
    }
    if status.is_none() {
        return false;
    }
    (facts.method, facts.path, facts.status) = (method, path, status);
    let mut next = words.next();
    if next == Some("in") {
        next = words.next();
    }
    if let Some(number) = next {
        let number = number.trim_end_matches(',');
        facts.duration_ms = parse_duration_text(number.as_bytes()).or_else(|| {
            let ms = words.next().filter(|unit| *unit == "ms").and(number.parse::<f64>().ok());
            ms.filter(|ms| ms.is_finite() && *ms >= 0.0)
        });
    }
    facts.event = Some(Cow::Borrowed("http.request"));
    true
}

/// Lambda's `START`, `END`, `REPORT`, alone or joined with the lines between them.
fn function_call<'m>(text: &'m str, facts: &mut MessageFacts<'m>) -> bool {
    const ID: &str = " RequestId: ";
    let kind = text.split(' ').next().unwrap_or_default();
    if !matches!(kind, "START" | "END" | "REPORT" | "INIT_START") {
        return false;
    }
    let report = text.find("REPORT RequestId: ").and_then(|at| text.get(at..));
    let Some((_, rest)) = report.unwrap_or(text).split_once(ID) else {
        return false;
    };
    facts.request_id = rest.split_ascii_whitespace().next();
    let Some(report) = report else {
        facts.event =
            Some(Cow::Borrowed(if kind == "END" { "function.end" } else { "function.start" }));
        return true;
    };
    facts.event = Some(Cow::Borrowed("function.report"));
    facts.duration_ms = number_between(report, "\tDuration: ", " ms")
        .or_else(|| number_between(report, " Duration: ", " ms"));
    facts.max_memory_mb = number_between(report, "Max Memory Used: ", " MB");
    if report.contains("Status: timeout") || report.contains("Status: error") {
        facts.level = Severity::ERROR;
    }
    time_out(text, facts);
    true
}

/// `… Task timed out after 10.01 seconds`
fn time_out(text: &str, facts: &mut MessageFacts<'_>) -> bool {
    let Some(seconds) = number_between(text, "Task timed out after ", " seconds") else {
        return false;
    };
    facts.level = Severity::ERROR;
    facts.duration_ms = facts.duration_ms.or(Some(seconds * 1e3));
    facts.event.get_or_insert(Cow::Borrowed("function.timeout"));
    true
}

/// PostgreSQL: `duration: 12.345 ms  statement: SELECT …`
fn database_duration(text: &str, facts: &mut MessageFacts<'_>) -> bool {
    facts.duration_ms = number_between(head_of(text, 64), "duration: ", " ms");
    if facts.duration_ms.is_some() {
        facts.event = Some(Cow::Borrowed("db.query"));
    }
    facts.duration_ms.is_some()
}

fn number_between(text: &str, before: &str, after: &str) -> Option<f64> {
    let (_, rest) = text.split_once(before)?;
    let (number, _) = rest.split_once(after)?;
    number.parse::<f64>().ok().filter(|number| number.is_finite() && *number >= 0.0)
}

/// The first bytes of a text, cut between characters.
fn head_of(text: &str, max_len: usize) -> &str {
    text.get(..text.floor_char_boundary(max_len)).unwrap_or(text)
}

fn status_of(word: &str) -> Option<u16> {
    let status = word.parse().ok()?;
    (word.len() == 3 && (100..600).contains(&status)).then_some(status)
}

fn is_method(word: &str) -> bool {
    matches!(word, "GET" | "POST" | "PUT" | "PATCH" | "DELETE" | "HEAD" | "OPTIONS")
}

fn is_email(text: &str) -> bool {
    let Some((name, domain)) = text.split_once('@') else {
        return false;
    };
    let odd = |c: char| c.is_whitespace() || c.is_control() || c == '@';
    !name.is_empty()
        && domain.contains('.')
        && text.len() <= 254
        && !name.contains(odd)
        && !domain.contains(odd)
}
