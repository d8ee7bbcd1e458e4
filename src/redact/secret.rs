//! Decides for one place that may hold a secret what goes and what stays.

use std::borrow::Cow;

use super::MARK;
use super::pseudonym::{is_pseudonym, pseudonym};

/// Longest `user:password` of a URL, in bytes.
const MAX_CREDENTIALS_LEN: usize = 512;
/// Longest name and domain of an e-mail address, in bytes. Source: RFC 5321, section 4.5.3.1.
const MAX_NAME_LEN: usize = 64;
const MAX_DOMAIN_LEN: usize = 255;
/// Longest end of a name after the word that makes it a secret, `password_of_the_database`.
const MAX_TAIL_LEN: usize = 32;

/// A place that was found, in its text.
#[derive(Clone, Copy)]
pub(super) struct Place<'t> {
    pub(super) text: &'t [u8],
    /// Bytes before are gone already.
    pub(super) floor: usize,
    pub(super) start: usize,
    pub(super) end: usize,
}

/// Bytes `start..end` go, `mark` comes.
pub(super) struct Cut {
    pub(super) start: usize,
    pub(super) end: usize,
    pub(super) mark: Cow<'static, str>,
}

impl<'t> Place<'t> {
    /// What to cut here, or `None` if it is no secret after all.
    pub(super) fn cut(self, key: &[u8]) -> Option<Cut> {
        match self.text.get(self.start..self.end)? {
            b"@" | b"%40" => self.url_credentials().or_else(|| self.email(key)),
            [b'2'..=b'6', ..] => self.card(),
            [b'-', ..] => Some(self.private_key()),
            [.., b' '] => self.credential(),
            b"eyJ" => self.token(b".", 20),
            b"AKIA" | b"ASIA" | [.., b'_' | b'-'] => self.token(b"", 14),
            _ => self.named_value(),
        }
    }

    fn before(self) -> &'t [u8] {
        self.text.get(self.floor..self.start).unwrap_or_default()
    }

    fn after(self) -> &'t [u8] {
        self.text.get(self.end..).unwrap_or_default()
    }

    fn masked(start: usize, end: usize) -> Cut {
        Cut { start, end, mark: Cow::Borrowed(MARK) }
    }

    /// `user:password@` of a URL.
    fn url_credentials(self) -> Option<Cut> {
        let is_inside = |b: &&u8| !b.is_ascii_whitespace() && !b"/@\"'\\<>".contains(b);
        let len =
            self.before().iter().rev().take(MAX_CREDENTIALS_LEN).take_while(is_inside).count();
        let start = self.start - len;
        let credentials = self.text.get(start..self.start)?;
        let after_scheme = self.text.get(self.floor..start)?.ends_with(b"://");
        // What was taken out of them before may have been all.
        let has_password = memchr::memchr(b':', credentials).is_some()
            && memchr::memmem::find(credentials, MARK.as_bytes()).is_none();
        (after_scheme && has_password && self.text.get(self.start) == Some(&b'@'))
            .then(|| Self::masked(start, self.start))
    }

    fn email(self, key: &[u8]) -> Option<Cut> {
        let in_name = |b: &&u8| b.is_ascii_alphanumeric() || **b > 127 || b"._%+-".contains(b);
        let name_len = self.before().iter().rev().take(MAX_NAME_LEN).take_while(in_name).count();
        let in_domain = |b: &&u8| b.is_ascii_alphanumeric() || b".-".contains(b);
        let domain_len = self.after().iter().take(MAX_DOMAIN_LEN).take_while(in_domain).count();
        let domain = self.after().get(..domain_len)?;
        let ends = domain.iter().rev().take_while(|b| !b.is_ascii_alphanumeric()).count();
        let domain = domain.get(..domain_len - ends)?;
        let top_at = memchr::memrchr(b'.', domain)?;
        let top = domain.get(top_at + 1..)?;
        let is_top = top.len() >= 2 && top.iter().all(u8::is_ascii_alphabetic);
        if name_len == 0 || top_at == 0 || !is_top {
            return None;
        }
        let mut start = self.start - name_len;
        // Symbols of other scripts and emoji end a name as a blank does.
        while !str::from_utf8(self.text.get(start..self.start)?)
            .is_ok_and(|name| name.chars().all(|c| c.is_ascii() || c.is_alphabetic()))
        {
            start += 1;
        }
        let name = str::from_utf8(self.text.get(start..self.start)?).ok()?;
        if name.is_empty() || is_pseudonym(name) {
            return None;
        }
        let email = format!("{name}@{}", str::from_utf8(domain).ok()?);
        Some(Cut { start, end: self.end + domain.len(), mark: Cow::Owned(pseudonym(key, &email)) })
    }

    /// A payment card: known first digits, 14 to 16 digits in the groups that cards have, and a
    /// valid check digit (Luhn). One number in ten has that, so ids and fractions must not fit.
    fn card(self) -> Option<Cut> {
        let glued = |b: &u8| b.is_ascii_alphanumeric() || b"._-".contains(b);
        if self.before().last().is_some_and(glued) {
            return None;
        }
        let text = self.text.get(self.start..)?;
        let in_card = |b: &&u8| b.is_ascii_digit() || matches!(b, b' ' | b'-');
        let len = text.iter().take(20).take_while(in_card).count();
        let card = text.get(..len)?.trim_ascii_end();
        let after = text.get(card.len());
        let fraction = matches!(text.get(card.len()..), Some([b'.', b'0'..=b'9', ..]));
        if fraction || after.is_some_and(|b| b.is_ascii_alphanumeric() || *b == b'_') {
            return None;
        }
        let groups: Vec<usize> =
            card.split(|b| matches!(b, b' ' | b'-')).map(<[u8]>::len).collect();
        let grouped = matches!(groups.as_slice(), [14..=16] | [4, 4, 4, 4] | [4, 6, 4 | 5]);
        (grouped && is_card_number(card)).then(|| Self::masked(self.start, self.start + card.len()))
    }

    fn private_key(self) -> Cut {
        // Without an end the record was cut, and the rest of it is the key.
        let end = memchr::memmem::find(self.after(), b"-----END ").and_then(|at| {
            let tail = self.after().get(at + 9..)?;
            memchr::memmem::find(tail, b"-----").map(|len| self.end + at + 9 + len + 5)
        });
        Self::masked(self.start, end.unwrap_or(self.text.len()))
    }

    /// `Bearer abc123…`, `Basic dXNlcjpwYXNz`; not `basic authentication`.
    fn credential(self) -> Option<Cut> {
        let after = self.after();
        let blanks = after.iter().take_while(|byte| **byte == b' ').count();
        let inside = |b: &&u8| b.is_ascii_alphanumeric() || b"+/._~=-".contains(b);
        let value = after.get(blanks..)?;
        let value = value.get(..value.iter().take_while(inside).count())?;
        let start = self.end + blanks;
        (value.len() >= 8 && looks_random(value)).then(|| Self::masked(start, start + value.len()))
    }

    /// A token with a known beginning: at least `min_len` bytes, with `needed` among them.
    fn token(self, needed: &[u8], min_len: usize) -> Option<Cut> {
        let inside = |b: &&u8| b.is_ascii_alphanumeric() || b"_-.".contains(b);
        let token = self.text.get(self.start..)?;
        let token = token.get(..token.iter().take_while(inside).count())?;
        let stops = token.iter().rev().take_while(|byte| **byte == b'.').count();
        let len = token.len() - stops;
        let begins = !self.before().last().is_some_and(u8::is_ascii_alphanumeric);
        let has_needed = needed.is_empty() || memchr::memmem::find(token, needed).is_some();
        let long = len >= min_len && token.iter().any(u8::is_ascii_digit) || !needed.is_empty();
        (begins && has_needed && long && len >= min_len)
            .then(|| Self::masked(self.start, self.start + len))
    }

    /// The value after `password=`, `"token": `, `Authorization: `.
    fn named_value(self) -> Option<Cut> {
        let name = self.name()?;
        if name.starts_with(b"pass") && !names_password(&name) {
            return None;
        }
        // `tokens: 1500` counts, which gives nothing away.
        let is_count =
            |value: &[u8]| name.starts_with(b"token") && value.iter().all(u8::is_ascii_digit);
        self.value_after(&name)
            .filter(|cut| !is_count(self.text.get(cut.start..cut.end).unwrap_or_default()))
    }

    /// The value after a name that was configured.
    pub(super) fn value_of_name(self) -> Option<Cut> {
        self.value_after(&self.name()?)
    }

    /// The name from the word that was found on, in lower case.
    fn name(self) -> Option<Vec<u8>> {
        let in_name = |b: &&u8| b.is_ascii_alphanumeric() || b"_.-".contains(b);
        let tail_len = self.after().iter().take(MAX_TAIL_LEN).take_while(in_name).count();
        Some(self.text.get(self.start..self.end + tail_len)?.to_ascii_lowercase())
    }

    fn value_after(self, name: &[u8]) -> Option<Cut> {
        let tail_len = name.len() - (self.end - self.start);
        let after_name = self.after().get(tail_len..)?;
        let listed = || self.listed_len(after_name, name).map(|len| (len, true));
        let (separator_len, is_quoted_name) = separator_len(after_name).or_else(listed)?;
        let value = after_name.get(separator_len..)?;
        let separator = after_name.get(..separator_len)?.trim_ascii_end();
        let is_json = is_quoted_name && separator.ends_with(b":");
        let (value_len, quotes) = value_len(value, name.starts_with(b"cookie") && !is_quoted_name);
        let value = value.get(..value_len)?;
        // `token: null` lacks one.
        let is_word = matches!(value, b"" | b"true" | b"false" | b"null" | b"\"\"" | b"{}" | b"[]");
        if is_word || is_marked(value) {
            return None;
        }
        let mark = match quotes {
            Quotes::None if !is_json => MARK,
            Quotes::None | Quotes::Double => "\"[redacted]\"",
            Quotes::Single => "'[redacted]'",
            Quotes::Escaped => "\\\"[redacted]\\\"",
        };
        let start = self.end + tail_len + separator_len;
        Some(Cut { start, end: start + value_len, mark: Cow::Borrowed(mark) })
    }

    /// Length of what stands between name and value in a list of headers:
    /// `{"name":"cookie","value":"…"}`, `["cookie","…"]`.
    fn listed_len(self, after_name: &[u8], name: &[u8]) -> Option<usize> {
        let in_name = |b: &&u8| b.is_ascii_alphanumeric() || b"_.-".contains(b);
        let prefix_len = self.before().iter().rev().take(MAX_TAIL_LEN).take_while(in_name).count();
        let (prefix, is_whole) =
            match self.before().split_at_checked(self.before().len() - prefix_len) {
                Some((before, prefix)) => (prefix, before.ends_with(b"\"")),
                None => return None,
            };
        let blanks =
            |text: &[u8]| text.iter().take(8).take_while(|b| b.is_ascii_whitespace()).count();
        let quote_len = usize::from(after_name.starts_with(b"\\")) + 1;
        let quote = after_name.get(..quote_len).filter(|quote| quote.ends_with(b"\""))?;
        let mut len = quote_len + blanks(after_name.get(quote_len..)?);
        (is_whole && after_name.get(len) == Some(&b',')).then_some(())?;
        len += 1 + blanks(after_name.get(len + 1..)?);
        let next = after_name.get(len..)?.strip_prefix(quote)?;
        let is_value = next.get(..5).is_some_and(|word| word.eq_ignore_ascii_case(b"value"));
        if is_value && let Some(rest) = next.get(5..)?.strip_prefix(quote) {
            let colon = blanks(rest);
            (rest.get(colon) == Some(&b':')).then_some(())?;
            return Some(len + 2 * quote_len + 5 + colon + 1 + blanks(rest.get(colon + 1..)?));
        }
        // A string that a colon follows is the next key.
        let (string_len, _) = value_len(after_name.get(len..)?, false);
        let rest = after_name.get(len + string_len..)?;
        let is_key = rest.get(blanks(rest)) == Some(&b':');
        let is_header = names_header(&[prefix, name].concat().to_ascii_lowercase());
        (is_header && !is_key).then_some(len)
    }
}

/// Whether a lower-case name is that of a header; a list of fields may have `password` in it.
fn names_header(name: &[u8]) -> bool {
    let has = |word: &[u8]| memchr::memmem::find(name, word).is_some();
    has(b"-") || has(b"authorization") || has(b"cookie")
}

/// Length of what stands between a name and its value, `": "`, ` => `, `=`, and whether it
/// begins with a quote; `None` if no value follows.
fn separator_len(text: &[u8]) -> Option<(usize, bool)> {
    let blanks = |text: &[u8]| text.iter().take(4).take_while(|b| b.is_ascii_whitespace()).count();
    let mut len = usize::from(text.starts_with(b"\\"));
    let is_quoted = matches!(text.get(len), Some(b'"' | b'\''));
    len += usize::from(is_quoted);
    len += blanks(text.get(len..)?);
    len += match text.get(len..)? {
        [b'=', b'>', ..] => 2,
        [b'=' | b':', ..] => 1,
        _ => return None,
    };
    len += blanks(text.get(len..)?);
    Some((len, is_quoted))
}

/// Whether a lower-case name speaks of a password; `passed` and `passenger` do not.
pub(super) fn names_password(lower: &[u8]) -> bool {
    const WORDS: [&[u8]; 6] =
        [b"password", b"passwd", b"passphrase", b"passcode", b"passkey", b"passport"];
    WORDS.iter().any(|word| memchr::memmem::find(lower, word).is_some())
        || lower.split(|byte| !byte.is_ascii_alphabetic()).any(|word| word.ends_with(b"pass"))
}

/// Whether it was taken out before, by another name.
fn is_marked(value: &[u8]) -> bool {
    let inner = value.trim_ascii_start();
    let inner = inner.strip_prefix(b"\\").unwrap_or(inner);
    let inner = inner.strip_prefix(b"\"").or(inner.strip_prefix(b"'")).unwrap_or(inner);
    inner.starts_with(MARK.as_bytes()) && value.len() <= MARK.len() + 4
}

pub(super) enum Quotes {
    None,
    Single,
    Double,
    Escaped,
}

/// Length of the value that `text` begins with, and how it is quoted.
pub(super) fn value_len(text: &[u8], to_line_end: bool) -> (usize, Quotes) {
    match text {
        [b'"', rest @ ..] => (1 + quoted_len(rest, b'"'), Quotes::Double),
        [b'\'', rest @ ..] => (1 + quoted_len(rest, b'\''), Quotes::Single),
        [b'\\', b'"', rest @ ..] => {
            let end = memchr::memmem::find(rest, b"\\\"").map_or(rest.len(), |at| at + 2);
            (2 + end, Quotes::Escaped)
        }
        [b'{' | b'[', ..] => (nested_len(text), Quotes::None),
        _ if to_line_end => {
            let end = text.iter().position(|byte| matches!(byte, b'\n' | b'\r' | b'"' | b'\\'));
            (end.unwrap_or(text.len()), Quotes::None)
        }
        _ => (bare_len(text), Quotes::None),
    }
}

/// Bytes up to and with the closing quote, or all.
pub(super) fn quoted_len(text: &[u8], quote: u8) -> usize {
    let mut escaped = false;
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            byte if *byte == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// Bytes of an object or array with everything inside, or all if it does not end.
fn nested_len(text: &[u8]) -> usize {
    let (mut depth, mut in_string, mut escaped) = (0_usize, false, false);
    for (at, byte) in text.iter().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => depth += 1,
            b'}' | b']' if !in_string => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at + 1;
                }
            }
            _ => {}
        }
    }
    text.len()
}

/// Bytes of a value without quotes; `Bearer x` and `Basic x` are two words.
fn bare_len(text: &[u8]) -> usize {
    let is_end = |b: &u8| b.is_ascii_whitespace() || b",;&}])\"'\\".contains(b);
    let word_len = text.iter().position(is_end).unwrap_or(text.len());
    let (word, rest) = text.split_at(word_len);
    let schemes: [&[u8]; 4] = [b"bearer", b"basic", b"digest", b"token"];
    if let [b' ', value @ ..] = rest
        && schemes.iter().any(|scheme| word.eq_ignore_ascii_case(scheme))
    {
        return word_len + 1 + value.iter().position(is_end).unwrap_or(value.len());
    }
    word_len
}

/// Tells `Bearer abc123…` and `Basic dXNlcjpwYXNz` from `basic authentication`.
fn looks_random(value: &[u8]) -> bool {
    let inner_capital = value.iter().skip(1).any(u8::is_ascii_uppercase);
    let has_small = value.iter().any(u8::is_ascii_lowercase);
    value.iter().any(|byte| byte.is_ascii_digit() || *byte == b'=') || (inner_capital && has_small)
}

/// Digits of a known issuer with a valid check digit. Source: ISO/IEC 7812-1, annex B (Luhn).
fn is_card_number(text: &[u8]) -> bool {
    let digits: Vec<u32> =
        text.iter().filter(|b| b.is_ascii_digit()).map(|b| u32::from(b - b'0')).collect();
    let number = |len: usize| digits.iter().take(len).fold(0, |number, digit| number * 10 + digit);
    let issued = number(1) == 4
        || (51..=55).contains(&number(2))
        || (2221..=2720).contains(&number(4))
        || matches!(number(2), 34 | 35 | 36 | 37 | 38 | 65)
        || number(4) == 6011;
    let luhn = digits.iter().rev().enumerate().map(|(at, digit)| match (at % 2, digit * 2) {
        (0, _) => *digit,
        (_, double) if double > 9 => double - 9,
        (_, double) => double,
    });
    issued && luhn.sum::<u32>() % 10 == 0
}
