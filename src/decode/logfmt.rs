//! Decodes logfmt: `level=info msg="two words" duration=1.2s`.
//!
//! There is no standard; this takes what Go's kit and logrus, Heroku, Prometheus and the Python
//! writers make, structlog's single quotes among them. A key without `=` is a flag and counts as
//! true. Values keep their quotes' escapes, flagged. Nested braces and brackets are not looked into.

use super::fields::{
    Fields, Kind, MAX_RECORD_LEN, Reject, Slot, Span, bare_slot, quoted_slot, split_quoted,
};

#[cfg(test)]
mod tests;

/// Longest key, in bytes; prose with an equals sign far away is no logfmt.
const MAX_KEY_LEN: usize = 128;

/// Decodes one record into `fields`.
///
/// # Errors
/// [`Reject::OtherFormat`] if the record does not begin with `key=` or holds a key with odd
/// characters, [`Reject::Unterminated`] for an open quote, [`Reject::Empty`] for blanks only.
pub(super) fn parse(record: &[u8], fields: &mut Fields) -> Result<(), Reject> {
    fields.clear();
    if record.len() > MAX_RECORD_LEN {
        return Err(Reject::TooLong);
    }
    parse_pairs(record, record.trim_ascii(), fields)
}

/// Decodes `part` of `record` and adds its pairs to `fields`, up to where it is no logfmt.
pub(super) fn parse_pairs(record: &[u8], part: &[u8], fields: &mut Fields) -> Result<(), Reject> {
    let mut rest = part;
    if rest.is_empty() {
        return Err(Reject::Empty);
    }
    let mut pair_count = 0;
    while !rest.is_empty() {
        let key_len = rest.iter().take_while(|byte| is_key_byte(**byte)).count();
        let (key, after) = rest.split_at_checked(key_len).ok_or(Reject::OtherFormat)?;
        if key.is_empty() || key.len() > MAX_KEY_LEN {
            return Err(Reject::OtherFormat);
        }
        rest = match after {
            [b'=', b'"', value @ ..] => {
                let (value, after) = split_quoted(value).ok_or(Reject::Unterminated)?;
                fields.put_written(record, key, quoted_slot(record, value));
                pair_count += 1;
                after
            }
            [b'=', b'\'', value @ ..] if single_quoted(value).is_some() => {
                let (value, after) = single_quoted(value).unwrap_or_default();
                let span = Span::locate(record, value);
                fields.put_written(record, key, Slot { kind: Kind::String, escaped: false, span });
                pair_count += 1;
                after
            }
            [b'=', value @ ..] => {
                let len = value.iter().position(u8::is_ascii_whitespace).unwrap_or(value.len());
                let (value, after) = value.split_at_checked(len).ok_or(Reject::OtherFormat)?;
                fields.put_written(record, key, bare_slot(record, value));
                pair_count += 1;
                after
            }
            // Prose begins with words; a flag stands among pairs.
            _ if pair_count == 0 => return Err(Reject::OtherFormat),
            after => {
                fields.put_written(record, key, flag_slot(record, key));
                after
            }
        };
        if !rest.first().is_none_or(u8::is_ascii_whitespace) {
            return Err(Reject::OtherFormat);
        }
        rest = rest.trim_ascii_start();
    }
    Ok(())
}

/// A value as Python's `repr` writes it, up to the quote that a blank or the end follows; its
/// escapes stay as they are.
fn single_quoted(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let is_end = |at: &usize| text.get(at + 1).is_none_or(u8::is_ascii_whitespace);
    let is_escaped = |at: &usize| at.checked_sub(1).is_some_and(|at| text.get(at) == Some(&b'\\'));
    let at = memchr::memchr_iter(b'\'', text).find(|at| is_end(at) && !is_escaped(at))?;
    Some((text.get(..at)?, text.get(at + 1..)?))
}

/// Whether `text` begins with `key=`.
pub(super) fn begins_with_pair(text: &[u8]) -> bool {
    let key_len = text.iter().take_while(|byte| is_key_byte(**byte)).count();
    key_len > 0 && text.get(key_len) == Some(&b'=')
}

fn is_key_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte > 127 || b"_.-/@:#$%+[]()".contains(&byte)
}

fn flag_slot(record: &[u8], key: &[u8]) -> Slot {
    Slot { kind: Kind::Bool, escaped: false, span: Span::locate(record, key) }
}
