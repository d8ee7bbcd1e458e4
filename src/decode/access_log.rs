//! Decodes common and combined access logs of Apache, nginx, Caddy's and Traefik's CLF.
//!
//! `[vhost] client ident user [time] "request" status bytes ["referer" "user agent" [more]]`,
//! where `more` may tell how long the request took. The unit of that is not written: a decimal
//! is taken for seconds (nginx `$request_time`), a whole number for microseconds (Apache `%D`),
//! a value with a unit for what it says (Traefik). Apache's `%T` writes whole seconds; only a
//! sample tells it from `%D`, see [`whole_number_unit`].
//!
//! Names put: `vhost client ident user time request method path protocol status bytes referer
//! user_agent duration_s duration_us duration request_id forwarded_for`, and `key` of `key=value`.

use super::fields::{
    Fields, Kind, MAX_RECORD_LEN, Reject, Slot, Span, bare_slot, is_number, quoted_slot,
    split_quoted,
};
use super::unit::{DurationUnit, parse_duration_text};

#[cfg(test)]
mod tests;

/// Name of a duration in whole numbers, whose unit only a sample tells.
pub(super) const WHOLE_NUMBERS: &str = "duration_us";
/// Fields after the user agent that are looked at.
const MAX_EXTRAS: usize = 16;
/// Half of all requests faster than this many microseconds is not HTTP: then it was seconds.
const FASTEST_MEDIAN_US: f64 = 60.0;

/// Decodes one record into `fields`.
///
/// A broken request line (a TLS greeting, a port scan) is still a record with a status; it has
/// `request` and neither method nor path.
///
/// # Errors
/// [`Reject::OtherFormat`] if time, request and status are not where they belong,
/// [`Reject::Unterminated`] for an open quote or bracket, [`Reject::Empty`] for blanks only.
pub(super) fn parse(record: &[u8], fields: &mut Fields) -> Result<(), Reject> {
    fields.clear();
    if record.len() > MAX_RECORD_LEN {
        return Err(Reject::TooLong);
    }
    let line = record.trim_ascii();
    if line.is_empty() {
        return Err(Reject::Empty);
    }
    let mut reader = Reader { record, rest: line };
    reader.who(fields)?;
    reader.time(fields)?;
    reader.request(fields)?;
    reader.status_and_bytes(fields)?;
    let referer = reader.next_quoted()?;
    let user_agent = if referer.is_some() { reader.next_quoted()? } else { None };
    for (name, value) in [("referer", referer), ("user_agent", user_agent)] {
        if let Some(value) = value {
            fields.put(name, quoted_slot(record, value));
        }
    }
    reader.extras(fields)
}

/// Tells Apache's `%D` (microseconds) from `%T` (seconds), which look alike, by the median of
/// a sample of whole numbers. NaN and an empty sample's median count as microseconds.
pub(super) fn whole_number_unit(median: f64) -> DurationUnit {
    if median < FASTEST_MEDIAN_US { DurationUnit::S } else { DurationUnit::Us }
}

struct Reader<'r> {
    record: &'r [u8],
    rest: &'r [u8],
}

impl<'r> Reader<'r> {
    /// Everything before the time's bracket: `[vhost] client ident user`, the user in any form.
    fn who(&mut self, fields: &mut Fields) -> Result<(), Reject> {
        // An IPv6 client of some servers has brackets of its own, so the blank belongs to it.
        let end = memchr::memmem::find(self.rest, b" [").ok_or(Reject::OtherFormat)?;
        let (before, after) = self.rest.split_at_checked(end).ok_or(Reject::OtherFormat)?;
        self.rest = after.trim_ascii_start();
        let mut words = before.split(|byte| *byte == b' ').filter(|word| !word.is_empty());
        let (Some(first), Some(second), Some(third)) = (words.next(), words.next(), words.next())
        else {
            return Err(Reject::OtherFormat);
        };
        let mut known = [("client", first), ("ident", second), ("user", third)];
        if let Some(fourth) = words.next() {
            if words.next().is_some() {
                return Err(Reject::OtherFormat);
            }
            // A fourth word is either a virtual host in front or a blank inside of the user.
            if looks_like_host(second) {
                fields.put("vhost", bare_slot(self.record, first));
                known = [("client", second), ("ident", third), ("user", fourth)];
            } else {
                let user = Span::locate(self.record, third).start;
                let end = Span::locate(self.record, fourth).end;
                let span = Span { start: user, end };
                known = [("client", first), ("ident", second), ("user", span.of(self.record))];
            }
        }
        for (name, value) in known {
            fields.put(name, text_slot(self.record, without_quotes(value)));
        }
        Ok(())
    }

    fn time(&mut self, fields: &mut Fields) -> Result<(), Reject> {
        let inside = self.rest.strip_prefix(b"[").ok_or(Reject::OtherFormat)?;
        let end = memchr::memchr(b']', inside).ok_or(Reject::Unterminated)?;
        let (time, after) = inside.split_at_checked(end).ok_or(Reject::OtherFormat)?;
        if !time.first().is_some_and(u8::is_ascii_digit) {
            return Err(Reject::OtherFormat);
        }
        fields.put("time", text_slot(self.record, time));
        self.rest = after.get(1..).unwrap_or_default().trim_ascii_start();
        Ok(())
    }

    fn request(&mut self, fields: &mut Fields) -> Result<(), Reject> {
        let request = self.next_quoted()?.ok_or(Reject::OtherFormat)?;
        fields.put("request", quoted_slot(self.record, request));
        let method_len = request.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
        let Some((method, [b' ', target @ ..])) = request.split_at_checked(method_len) else {
            return Ok(());
        };
        let (path, protocol) = match memchr::memrchr(b' ', target) {
            Some(blank) => {
                let (path, protocol) = target.split_at_checked(blank).unwrap_or((target, b""));
                (path, protocol.get(1..).unwrap_or_default())
            }
            None => (target, &b""[..]),
        };
        let is_http = protocol.starts_with(b"HTTP/") || protocol.is_empty();
        if !(2..=16).contains(&method_len) || path.is_empty() || !is_http {
            return Ok(());
        }
        fields.put("method", text_slot(self.record, method));
        fields.put("path", quoted_slot(self.record, path));
        if !protocol.is_empty() {
            fields.put("protocol", text_slot(self.record, protocol));
        }
        Ok(())
    }

    fn status_and_bytes(&mut self, fields: &mut Fields) -> Result<(), Reject> {
        let status = self.next_word();
        let is_status = matches!(status, [b'0'..=b'9', b'0'..=b'9', b'0'..=b'9'] | b"-" | b"0");
        if !is_status {
            return Err(Reject::OtherFormat);
        }
        fields.put("status", bare_slot(self.record, status));
        if !matches!(self.rest, [] | [b'"', ..]) {
            let bytes = self.next_word();
            fields.put("bytes", bare_slot(self.record, bytes));
        }
        Ok(())
    }

    /// The fields after the user agent, which every administrator chooses for himself.
    fn extras(&mut self, fields: &mut Fields) -> Result<(), Reject> {
        let mut with_unit = None;
        let mut first_decimal = None;
        let mut last_whole = None;
        for _ in 0..MAX_EXTRAS {
            if self.rest.is_empty() {
                break;
            }
            let value = match self.next_quoted()? {
                Some(value) => value,
                None => self.next_word(),
            };
            match extra_kind(value) {
                Extra::Pair(key, value) => {
                    fields.put_written(self.record, key, bare_slot(self.record, value));
                }
                Extra::Decimal => first_decimal = first_decimal.or(Some(value)),
                Extra::Whole => last_whole = Some(value),
                Extra::WithUnit => with_unit = Some(value),
                Extra::Id => fields.put("request_id", text_slot(self.record, value)),
                Extra::Address => fields.put("forwarded_for", text_slot(self.record, value)),
                Extra::Unknown => {}
            }
        }
        let duration = with_unit
            .map(|value| ("duration", value))
            .or(first_decimal.map(|value| ("duration_s", value)))
            .or(last_whole.map(|value| ("duration_us", value)));
        if let Some((name, value)) = duration {
            fields.put(name, bare_slot(self.record, value));
        }
        Ok(())
    }

    fn next_word(&mut self) -> &'r [u8] {
        let end = memchr::memchr(b' ', self.rest).unwrap_or(self.rest.len());
        let (word, after) = self.rest.split_at_checked(end).unwrap_or((self.rest, b""));
        self.rest = after.trim_ascii_start();
        word
    }

    /// The value in quotes that comes next, if one does.
    fn next_quoted(&mut self) -> Result<Option<&'r [u8]>, Reject> {
        let Some(inside) = self.rest.strip_prefix(b"\"") else {
            return Ok(None);
        };
        let (value, after) = split_quoted(inside).ok_or(Reject::Unterminated)?;
        self.rest = after.trim_ascii_start();
        Ok(Some(value))
    }
}

enum Extra<'r> {
    Pair(&'r [u8], &'r [u8]),
    Decimal,
    Whole,
    WithUnit,
    Id,
    Address,
    Unknown,
}

fn extra_kind(value: &[u8]) -> Extra<'_> {
    let equals = value.iter().take(32).position(|byte| *byte == b'=');
    if let Some((key, [_, value @ ..])) = equals.and_then(|at| value.split_at_checked(at))
        && !key.is_empty()
        && key.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_')
    {
        return Extra::Pair(key, without_quotes(value));
    }
    let is_hex = |byte: &u8| byte.is_ascii_hexdigit() || *byte == b'-';
    match value {
        _ if is_number(value) && value.contains(&b'.') => Extra::Decimal,
        _ if value.len() < 16 && value.iter().all(u8::is_ascii_digit) && !value.is_empty() => {
            Extra::Whole
        }
        _ if value.first().is_some_and(u8::is_ascii_digit)
            && parse_duration_text(value).is_some() =>
        {
            Extra::WithUnit
        }
        _ if value.len() >= 16 && value.iter().all(is_hex) => Extra::Id,
        _ if looks_like_address(value) => Extra::Address,
        _ => Extra::Unknown,
    }
}

/// A client's address or name: has a dot or colon, and is not the `-` of an unknown ident.
fn looks_like_host(word: &[u8]) -> bool {
    word.iter().any(|byte| matches!(byte, b'.' | b':'))
}

/// `10.0.0.1`, `2001:db8::1`, `10.0.0.1, 10.0.0.2`.
fn looks_like_address(word: &[u8]) -> bool {
    let allowed = |b: &u8| b.is_ascii_hexdigit() || matches!(b, b'.' | b':' | b',' | b' ');
    let separators = word.iter().filter(|byte| matches!(byte, b'.' | b':')).count();
    separators >= 2 && word.iter().all(allowed)
}

fn text_slot(record: &[u8], value: &[u8]) -> Slot {
    let kind = if matches!(value, b"" | b"-") { Kind::Null } else { Kind::String };
    Slot { kind, escaped: false, span: Span::locate(record, value) }
}

/// The bytes between two double quotes, or the bytes themselves.
fn without_quotes(value: &[u8]) -> &[u8] {
    match value {
        [b'"', inside @ .., b'"'] => inside,
        _ => value,
    }
}
