//! What stands before the message: time, host, program, level, thread, logger.
//!
//! Each method takes from `rest` what it recognises for sure and else leaves it alone, so that
//! a misread head costs a neater message, never a part of it.

use super::{ANY_YEAR, Fields, colour_len, parse_leading, put};

/// Level words in capitals, as they stand alone in a line.
const LEVELS: [&[u8]; 20] = [
    b"TRACE",
    b"DEBUG",
    b"INFO",
    b"NOTICE",
    b"WARN",
    b"WARNING",
    b"ERROR",
    b"ERR",
    b"CRIT",
    b"CRITICAL",
    b"ALERT",
    b"EMERG",
    b"FATAL",
    b"PANIC",
    b"SEVERE",
    b"LOG",
    b"FINE",
    b"FINER",
    b"FINEST",
    b"INFORMATION",
];
/// Longest bracketed group that is taken for a thread, logger or the like.
const MAX_GROUP_LEN: usize = 64;
/// Groups, numbers and dashes between level and logger.
const MAX_CONTEXT_ITEMS: usize = 6;

/// The part of a line that is still to be understood.
pub(super) struct Head<'r, 'f> {
    pub(super) record: &'r [u8],
    pub(super) rest: &'r [u8],
    pub(super) fields: &'f mut Fields,
}

impl<'r> Head<'r, '_> {
    /// Words between a time and the level: process id, thread, logger, `user@database`.
    pub(super) const WORDS_BEFORE_LEVEL: usize = 3;

    /// `<34>1 `, klog's `I1122`, Ruby's `I, [`, then the time; tells whether there was one.
    pub(super) fn priority_and_time(&mut self) -> bool {
        let mut text = self.rest;
        let mut priority = None;
        if let Some(inside) = text.strip_prefix(b"<")
            && let Some((digits, [b'>', after @ ..])) = split_digits(inside)
        {
            priority = Some(digits);
            text = after.strip_prefix(b"1 ").unwrap_or(after);
        }
        let ruby = matches!(text, [b'A'..=b'Z', b',', b' ', b'[', ..]);
        let klog = matches!(text, [b'I' | b'W' | b'E' | b'F', b'0' | b'1', b'0'..=b'9', ..]);
        let (letter, text) = match (ruby, klog) {
            (true, _) => (None, text.get(4..).unwrap_or_default()),
            (_, true) => text.split_at_checked(1).map_or((None, text), |(l, t)| (Some(l), t)),
            _ => (None, text),
        };
        let Ok((_, used)) = parse_leading(text, &ANY_YEAR) else {
            return false;
        };
        let (time, after) = text.split_at_checked(used).unwrap_or((text, b""));
        // Glued to more text it is a part of a name, such as of a file.
        if after.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_') {
            return false;
        }
        let rfc_5424 = priority.is_some() && time.first().is_some_and(u8::is_ascii_digit);
        if let Some(priority) = priority {
            self.put("priority", priority);
        }
        self.put("time", time);
        self.rest = after;
        if let Some(letter) = letter {
            self.klog_place(letter);
        } else if ruby {
            let end = memchr::memchr(b']', after).map_or(0, |at| at + 1);
            self.rest = after.get(end..).unwrap_or_default();
        } else if rfc_5424 {
            self.rfc_5424_header();
        }
        true
    }

    /// `host program[pid]:` of syslog, `stdout F` of containerd.
    pub(super) fn speaker(&mut self) {
        let (host, after) = split_word(self.rest.trim_ascii_start());
        if matches!(host, b"stdout" | b"stderr")
            && let [b'F' | b'P', b' ', message @ ..] = after
        {
            self.put("stream", host);
            self.rest = message;
            return;
        }
        let (program, message) = split_word(after);
        let Some(program) = program.strip_suffix(b":") else {
            return;
        };
        let (name, pid) = match memchr::memchr(b'[', program) {
            Some(at) => program.split_at_checked(at).unwrap_or((program, b"")),
            None => (program, &b""[..]),
        };
        let is_kernel = program == b"kernel";
        let has_pid = pid.ends_with(b"]") && pid.get(1).is_some_and(u8::is_ascii_digit);
        if (has_pid || is_kernel) && !name.is_empty() && is_name(host) {
            self.put("host", host);
            self.put("logger", name);
            self.rest = message;
        }
    }

    /// Auth.js, NextAuth and `[SECURITY]` lines, whose tags are part of the message.
    pub(super) fn tagged_line(&mut self) -> bool {
        if self.rest.starts_with(b"[auth][") || self.rest.starts_with(b"[next-auth][") {
            let mut groups = self.rest.split(|byte| matches!(byte, b'[' | b']'));
            if let Some(level) = groups.nth(3) {
                self.put("level", level);
            }
            return true;
        }
        if memchr::memmem::find(self.rest, b"[SECURITY] ").is_none_or(|at| at > 8) {
            return false;
        }
        // The time stands at the end: `… - 2026-11-18T14:03:22.123Z`.
        if let Some(at) = memchr::memmem::rfind(self.rest, b" - ")
            && let Some((message, [b' ', b'-', b' ', time @ ..])) = self.rest.split_at_checked(at)
            && parse_leading(time, &ANY_YEAR).is_ok_and(|(_, used)| used == time.len())
        {
            self.put("time", time);
            self.rest = message;
        }
        true
    }

    /// A level among the next words, and what stands between it and the message.
    pub(super) fn level_within(&mut self, words_before: usize) {
        let mut rest = self.rest;
        let mut logger = None;
        for _ in 0..=words_before {
            rest = skip_separators(rest);
            if let Some((level, module, after)) = level_of(rest) {
                self.put("level", level);
                self.rest = after;
                self.context();
                if let Some(logger) = module.or(logger) {
                    self.put("logger", logger);
                }
                return;
            }
            let (item, after) = split_item(rest);
            if is_logger(item) {
                logger = Some(item);
            }
            rest = after;
        }
    }

    /// Takes `1234 --- [main] c.e.Web : ` and the like as a whole, or only numbers, or nothing.
    fn context(&mut self) {
        let mut rest = skip_separators(self.rest);
        let mut dashes = false;
        let mut only_ids = rest;
        for _ in 0..MAX_CONTEXT_ITEMS {
            let before = rest;
            let (item, after) = split_item(rest);
            let is_id = is_process_id(item);
            let is_dashes = matches!(item, b"--" | b"---");
            if !is_id && !is_dashes && !item.starts_with(b"[") {
                break;
            }
            dashes |= is_dashes;
            rest = skip_separators(after);
            if is_id && only_ids.len() == before.len() {
                only_ids = rest;
            }
        }
        let (word, after) = split_word(rest);
        let after = after.trim_ascii_start(); // Spring pads the logger
        let separated = matches!(after, [b'-' | b':' | b'|', b' ', ..]);
        let name = word.strip_suffix(b":").unwrap_or(word);
        let ends_in_colon = name.len() < word.len();
        let known = is_logger(name) || (dashes && is_name(name)) || starts_as_class(name);
        if known && (separated || (ends_in_colon && (dashes || is_logger(name)))) {
            self.put("logger", name);
            self.rest = if separated { after.get(2..).unwrap_or_default() } else { after };
        } else {
            self.rest = only_ids;
        }
    }

    /// klog: `   17258 main.go:83] message`, after `I1122 13:06:06.492856`.
    fn klog_place(&mut self, letter: &'r [u8]) {
        self.put("level", letter);
        let (_thread, after) = split_word(self.rest.trim_ascii_start());
        let (place, message) = split_word(after.trim_ascii_start());
        if let Some(place) = place.strip_suffix(b"]") {
            self.put("logger", place);
            self.rest = message;
        }
    }

    /// RFC 5424: `host app procid msgid [structured data] message`.
    fn rfc_5424_header(&mut self) {
        let (host, after) = split_word(self.rest.trim_ascii_start());
        let (app, after) = split_word(after);
        let (_process, after) = split_word(after);
        let (_message_id, after) = split_word(after);
        self.put("host", host);
        self.put("logger", app);
        self.rest = match after {
            [b'-', message @ ..] => message,
            [b'[', ..] => match memchr::memmem::find(after, b"] ") {
                Some(at) => after.get(at + 2..).unwrap_or_default(),
                None => after,
            },
            _ => after,
        };
    }

    fn put(&mut self, name: &'static str, value: &[u8]) {
        put(self.fields, self.record, name, value);
    }
}

/// A level, the module beside it, and what follows.
type Leveled<'r> = (&'r [u8], Option<&'r [u8]>, &'r [u8]);

/// The level at the start of a text.
///
/// Capitals count anywhere; small letters only in brackets or before a colon, for `error` is
/// also a word.
fn level_of(line: &[u8]) -> Option<Leveled<'_>> {
    let (item, after) = split_item(line);
    if let Some(inside) = item.strip_prefix(b"[").and_then(|item| item.strip_suffix(b"]")) {
        // Apache writes `[core:error]`.
        let inside = inside.trim_ascii();
        let (module, word) = match memchr::memrchr(b':', inside) {
            Some(at) => (inside.get(..at), inside.get(at + 1..)?),
            None => (None, inside),
        };
        return is_level(word, true).then_some((word, module, after));
    }
    let end = item.iter().position(|byte| *byte == b':').unwrap_or(item.len());
    let (word, rest) = item.split_at_checked(end)?;
    match rest {
        [] => (is_level(word, false) && word != b"LOG").then_some((word, None, after)),
        [b':'] => is_level(word, true).then_some((word, None, after)),
        // Python's default: `WARNING:django.request:Not Found`.
        [b':', rest @ ..] if is_level(word, false) => {
            let end = memchr::memchr(b':', rest)?;
            Some((word, rest.get(..end), line.get(word.len() + 1 + end + 1..)?))
        }
        _ => None,
    }
}

fn is_level(word: &[u8], any_case: bool) -> bool {
    if any_case {
        LEVELS.iter().any(|level| word.eq_ignore_ascii_case(level))
    } else {
        LEVELS.contains(&word)
    }
}

/// `c.e.reportes.Web`, `app::db`: dotted, and begins as a name.
fn is_logger(word: &[u8]) -> bool {
    let dotted = word.contains(&b'.') || memchr::memmem::find(word, b"::").is_some();
    dotted && is_name(word) && word.first().is_some_and(u8::is_ascii_alphabetic)
}

fn is_name(word: &[u8]) -> bool {
    let allowed = |b: &u8| b.is_ascii_alphanumeric() || b"._$:/-@".contains(b);
    !word.is_empty() && word.len() <= MAX_GROUP_LEN && word.iter().all(allowed)
}

/// A class without a package, `Web`: one capital and then small letters.
fn starts_as_class(word: &[u8]) -> bool {
    matches!(word, [b'A'..=b'Z', b'a'..=b'z', ..]) && is_name(word)
}

/// `1234`, `13283#13283:`, `[pid 12:tid 34]`, `[client 10.0.0.1:1]`.
fn is_process_id(item: &[u8]) -> bool {
    let digits = item.strip_suffix(b":").unwrap_or(item);
    let number = digits.first().is_some_and(u8::is_ascii_digit)
        && digits.iter().all(|byte| byte.is_ascii_digit() || *byte == b'#')
        && (digits.contains(&b'#') || digits.len() == item.len());
    number || item.starts_with(b"[pid ") || item.starts_with(b"[client ")
}

/// The next bracketed group or word, and what follows.
fn split_item(text: &[u8]) -> (&[u8], &[u8]) {
    if text.starts_with(b"[")
        && let Some(at) = text.iter().take(MAX_GROUP_LEN).position(|byte| *byte == b']')
    {
        return text.split_at_checked(at + 1).unwrap_or((text, b""));
    }
    split_word(text)
}

/// The next word and what follows it and one blank; colours before the word are cut.
fn split_word(mut text: &[u8]) -> (&[u8], &[u8]) {
    while let Some(len) = colour_len(text) {
        text = text.get(len..).unwrap_or_default();
    }
    let end = text.iter().position(|byte| matches!(byte, b' ' | b'\t' | 0x1b));
    let (word, after) = text.split_at_checked(end.unwrap_or(text.len())).unwrap_or((text, b""));
    (word, after.strip_prefix(b" ").unwrap_or(after))
}

fn skip_separators(mut text: &[u8]) -> &[u8] {
    loop {
        text = match text {
            [b' ' | b'\t' | b'|', rest @ ..] | [b'-' | b':', b' ', rest @ ..] => rest,
            _ => match colour_len(text) {
                Some(len) => text.get(len..).unwrap_or_default(),
                None => return text,
            },
        }
    }
}

fn split_digits(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let len = text.iter().take(4).take_while(|byte| byte.is_ascii_digit()).count();
    if len == 0 { None } else { text.split_at_checked(len) }
}
