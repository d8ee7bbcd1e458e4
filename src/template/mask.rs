//! Splits a message into literals and variables, told by their form, in a single pass.

/// Bytes of a message that are looked at; what follows is dropped from the template.
pub(super) const MAX_MESSAGE_LEN: usize = 1024;
/// Pieces of a message that are looked at; also the width of the masks in `tree.rs`.
pub(super) const MAX_PIECES: usize = 64;
/// Longest text between quotes that is taken for one value, in bytes.
const MAX_QUOTED_LEN: usize = 300;
/// Digits that may end a word such as `eth0`, `sha256` without making it a variable at once.
const MAX_ENDING_DIGITS: usize = 3;

/// What a piece of a message is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A word that may belong to the text.
    Word,
    /// A punctuation mark that separates.
    Mark,
    /// A word and colon with a value glued to it: `size:12`, of which `size:` is the literal.
    Named,
    /// A value, by its form.
    Variable,
}

/// One piece, as bytes `start..end` of the message.
#[derive(Clone, Copy, Debug)]
pub(super) struct Piece {
    pub(super) kind: Kind,
    pub(super) blank_before: bool,
    start: u16,
    end: u16,
}

impl Piece {
    fn new(kind: Kind, blank_before: bool, start: usize, end: usize) -> Self {
        // Both are at most `MAX_MESSAGE_LEN`.
        Self { kind, blank_before, start: start as u16, end: end as u16 }
    }

    fn is_value(self) -> bool {
        matches!(self.kind, Kind::Variable | Kind::Named)
    }

    /// The text of a word or mark, `size:` of a named value; `None` for a variable.
    pub(super) fn literal(self, message: &str) -> Option<&str> {
        match self.kind {
            Kind::Variable => None,
            _ => message.get(usize::from(self.start)..usize::from(self.end)),
        }
    }
}

/// Splits the first line of `message` into `pieces` (cleared first).
pub(super) fn split(message: &str, pieces: &mut Vec<Piece>) {
    pieces.clear();
    // Cut between characters, so that every piece is text.
    let end = message.floor_char_boundary(MAX_MESSAGE_LEN);
    let line = message.as_bytes().get(..end).unwrap_or_default();
    let mut splitter = Splitter { line, at: leading_blank_len(line), blank_before: false, pieces };
    while splitter.step() {}
}

struct Splitter<'m, 'p> {
    line: &'m [u8],
    at: usize,
    blank_before: bool,
    pieces: &'p mut Vec<Piece>,
}

impl Splitter<'_, '_> {
    /// Takes the next piece; `false` at the end of the line or of what is looked at.
    fn step(&mut self) -> bool {
        let rest = self.line.get(self.at..).unwrap_or_default();
        let Some(&byte) = rest.first() else {
            return false;
        };
        match byte {
            _ if self.pieces.len() >= MAX_PIECES => return false,
            b'\n' | b'\r' => return false,
            b' ' | b'\t' => {
                self.blank_before = true;
                self.at += 1;
            }
            0x1b => self.at += escape_len(rest),
            b'"' | b'\'' | b'`' => {
                let before = self.at.checked_sub(1).and_then(|at| self.line.get(at)).copied();
                match quoted_len(rest, before) {
                    len @ 3.. if !is_request(rest) => self.push(Kind::Variable, len),
                    _ => self.push(Kind::Mark, 1),
                }
            }
            b')' if self.drops_parenthesis() => self.at += 1,
            b'=' if is_assignment(self.line, self.at) => {
                let len = value_len(rest.get(1..).unwrap_or_default());
                self.push(Kind::Mark, 1);
                self.push(Kind::Variable, len);
            }
            b'<' if rest.get(1).is_some_and(u8::is_ascii_digit) => self.push(Kind::Variable, 1),
            _ if is_mark(byte) => self.push(Kind::Mark, 1),
            _ => {
                let word = rest.get(..word_len(rest)).unwrap_or(rest);
                let (kind, len) = classify(word);
                let is_unit = kind == Kind::Word && is_unit(word.get(..len).unwrap_or(word));
                if is_unit && self.ends_in_value() {
                    self.at += len; // `3 KB` and `2 MB` are values of one kind
                    self.blank_before = false;
                } else {
                    self.push(kind, len);
                }
            }
        }
        true
    }

    /// At a closing parenthesis: drops `(…)` after a blank if nothing but a value is inside,
    /// for such additions come and go, as in `512 bytes (0.5 KB) sent`.
    fn drops_parenthesis(&mut self) -> bool {
        let [.., open, value] = self.pieces.as_slice() else {
            return false;
        };
        let opens = self.line.get(usize::from(open.start)) == Some(&b'(');
        let drops = opens && open.blank_before && value.kind == Kind::Variable;
        if drops && self.pieces.len() > 2 {
            self.pieces.truncate(self.pieces.len() - 2);
        }
        drops && self.pieces.len() > 1
    }

    /// Adds a piece of `len` bytes, or makes it a part of the value before it.
    ///
    /// A value beside a value is one (`3 4 5`, `a1,b2`, `10:20`), for lists of any length shall
    /// be one template; a value after `name:` belongs to the name (`size:12`, `web:80`).
    fn push(&mut self, kind: Kind, len: usize) {
        let mut piece = Piece::new(kind, self.blank_before, self.at, self.at + len);
        // `xauth:amd64`, though `amd64` alone is a word.
        if kind == Kind::Word && !self.blank_before && self.is_after_colon() && self.is_name(piece)
        {
            piece.kind = Kind::Variable;
        }
        self.at += len;
        self.blank_before = false;
        let joins = match piece.kind {
            Kind::Mark => false,
            Kind::Word | Kind::Named => self.is_name(piece) && self.ends_in_value(),
            Kind::Variable => self.joins_value(piece),
        };
        if !joins {
            self.pieces.push(piece);
        }
    }

    fn is_after_colon(&self) -> bool {
        self.at.checked_sub(1).and_then(|before| self.line.get(before)) == Some(&b':')
    }

    fn ends_in_value(&self) -> bool {
        self.pieces.last().is_some_and(|last| last.is_value())
    }

    /// Joins a value with what stands before it, if it belongs to that.
    fn joins_value(&mut self, value: Piece) -> bool {
        let Some(last) = self.pieces.last().copied() else {
            return false;
        };
        if last.kind == Kind::Word && (self.is_name(last) || self.has_colon(last)) {
            self.set_last(Kind::Variable, last.end);
            return true;
        }
        let [.., before, mark] = self.pieces.as_slice() else {
            return last.is_value();
        };
        let (before, blanks) = (*before, value.blank_before || mark.blank_before);
        let separator = self.line.get(usize::from(mark.start)).filter(|_| mark.kind == Kind::Mark);
        match separator {
            // But `10: 20` is a name and its value, `1 | 2` two columns.
            Some(b',') if before.is_value() => _ = self.pieces.pop(),
            Some(b':' | b';' | b'|') if !blanks && before.is_value() => _ = self.pieces.pop(),
            Some(b':') if !blanks && before.kind == Kind::Word => {
                self.pieces.pop();
                self.set_last(Kind::Named, last.end);
            }
            _ => return last.is_value(),
        }
        true
    }

    fn set_last(&mut self, kind: Kind, end: u16) {
        if let Some(last) = self.pieces.last_mut() {
            (last.kind, last.end) = (kind, end);
        }
    }

    /// Whether a word beside a value belongs to it: `chrome.exe 64`, `xauth:all 1.1`. A class,
    /// `java.io.IOException 3`, tells what happened and stays.
    fn is_name(&self, word: Piece) -> bool {
        let word = self.bytes_of(word);
        let label = word.rsplit(|byte| *byte == b'.').next().unwrap_or_default();
        let dotted = label.len() < word.len() && label.first().is_some_and(u8::is_ascii_lowercase);
        dotted || word.iter().any(u8::is_ascii_digit)
    }

    fn has_colon(&self, word: Piece) -> bool {
        self.bytes_of(word).contains(&b':')
    }

    fn bytes_of(&self, piece: Piece) -> &[u8] {
        self.line.get(usize::from(piece.start)..usize::from(piece.end)).unwrap_or_default()
    }
}

fn leading_blank_len(bytes: &[u8]) -> usize {
    bytes.iter().take_while(|byte| byte.is_ascii_whitespace()).count()
}

/// Length of a terminal escape (`ESC [ … letter`), at least 1.
fn escape_len(text: &[u8]) -> usize {
    let Some([b'[', rest @ ..]) = text.get(1..) else {
        return 1;
    };
    let parameters = rest.iter().take_while(|byte| !byte.is_ascii_alphabetic()).take(16).count();
    (2 + parameters + 1).min(text.len())
}

fn is_mark(byte: u8) -> bool {
    matches!(
        byte,
        b'(' | b')'
            | b'['
            | b']'
            | b'{'
            | b'}'
            | b'<'
            | b'>'
            | b','
            | b';'
            | b':'
            | b'='
            | b'|'
            | b'!'
            | b'?'
            | b'"'
            | b'\''
            | b'`'
    )
}

/// `key=value` and `key=`; not `a == b`, `a = b`, `=>`.
fn is_assignment(line: &[u8], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|before| line.get(before));
    let is_key =
        before.is_some_and(|b| b.is_ascii_alphanumeric() || matches!(b, b'_' | b']' | b'"'));
    is_key && !matches!(line.get(at + 1), Some(b'=' | b'>' | b'~'))
}

/// Length of a value after `key=`: quoted, bracketed, or up to a blank or separator.
fn value_len(text: &[u8]) -> usize {
    match text.first() {
        Some(b'"' | b'\'') => quoted_len(text, None).max(1),
        Some(open @ (b'[' | b'{' | b'(')) => bracketed_len(text, *open),
        _ => text
            .iter()
            .position(|b| {
                matches!(
                    b,
                    b' ' | b'\t' | b'\n' | b'\r' | b',' | b';' | b')' | b']' | b'}' | b'&' | 0x1b
                )
            })
            .unwrap_or(text.len()),
    }
}

/// Length with both brackets; 1 if the closing one is missing.
fn bracketed_len(text: &[u8], open: u8) -> usize {
    let close = if open == b'(' { b')' } else { open + 2 };
    let mut depth = 0_usize;
    for (at, byte) in text.iter().enumerate().take(MAX_QUOTED_LEN) {
        if *byte == open {
            depth += 1;
        } else if *byte == close {
            depth -= 1;
            if depth == 0 {
                return at + 1;
            }
        }
    }
    1
}

/// Length of a quoted value with its quotes, 0 if this quote opens none (`don't`).
fn quoted_len(text: &[u8], before: Option<u8>) -> usize {
    let Some((&quote, inside)) = text.split_first() else {
        return 0;
    };
    if quote != b'"' && before.is_some_and(|before| before.is_ascii_alphanumeric()) {
        return 0;
    }
    let mut escaped = false;
    for (at, byte) in inside.iter().enumerate().take(MAX_QUOTED_LEN) {
        let closes = *byte == quote || (quote == b'`' && *byte == b'\'');
        match byte {
            _ if escaped => escaped = false,
            b'\\' => escaped = true,
            b'\n' => return 0,
            _ if closes => {
                let next = inside.get(at + 1);
                // An apostrophe inside of a word does not close.
                if quote == b'"' || !next.is_some_and(u8::is_ascii_alphanumeric) {
                    return at + 2;
                }
            }
            _ => {}
        }
    }
    0
}

/// Bytes up to the next blank or mark; marks inside of URLs, times and numbers belong to them.
fn word_len(text: &[u8]) -> usize {
    let groups_len = hex_groups_len(text);
    if groups_len > 0 {
        return groups_len;
    }
    let (mut digit_seen, mut dot_seen) = (false, false);
    let mut at = 0;
    while let Some((&byte, after)) = text.get(at..).and_then(<[u8]>::split_first) {
        let is_inside = match byte {
            b' ' | b'\t' | b'\n' | b'\r' | 0x1b => false,
            b':' if after.starts_with(b"//") => return at + url_len(after),
            b':' if after.first() == Some(&b'\\') => true, // a Windows drive
            b':' => colon_is_inside(after, digit_seen || dot_seen),
            b',' => {
                let number_before = at > 0 && text.get(at - 1).is_some_and(u8::is_ascii_digit);
                number_before && after.first().is_some_and(u8::is_ascii_digit)
            }
            b'\'' => at > 0 && after.first().is_some_and(u8::is_ascii_alphanumeric),
            _ => !is_mark(byte),
        };
        if !is_inside {
            break;
        }
        digit_seen |= byte.is_ascii_digit();
        dot_seen |= byte == b'.';
        at += 1;
    }
    at.max(1)
}

/// Whether a colon goes on a word: in `14:03:22`, `10.0.0.1:80`, `db.example.org:80`, `name:all`.
/// Before a value of its own, `size:12`, it separates.
fn colon_is_inside(after: &[u8], value_before: bool) -> bool {
    let next_len = after.iter().take_while(|b| b.is_ascii_alphanumeric() || **b == b'-').count();
    let next = after.get(..next_len).unwrap_or_default();
    !next.is_empty() && (value_before || !next.iter().any(u8::is_ascii_digit))
}

/// Length of three and more groups of hexadecimal digits, `ca:fe:01:…` or `2001:db8::1`; else 0.
fn hex_groups_len(text: &[u8]) -> usize {
    if !matches!(text, [a, ..] if a.is_ascii_hexdigit()) {
        return 0;
    }
    let is_inside = |byte: &&u8| byte.is_ascii_hexdigit() || **byte == b':';
    let len = text.iter().take(48).take_while(is_inside).count();
    let groups = text.get(..len).unwrap_or_default();
    let ends = !text.get(len).is_some_and(u8::is_ascii_alphanumeric);
    let group_count = groups.split(|byte| *byte == b':').count();
    let short = groups.split(|byte| *byte == b':').all(|group| group.len() <= 4);
    if group_count >= 3 && ends && short && groups.last() != Some(&b':') { len } else { 0 }
}

/// Length of a URL from its colon on: up to a blank, quote or closing bracket.
fn url_len(text: &[u8]) -> usize {
    let end = |b: &u8| b.is_ascii_whitespace() || b"\"'<>)]".contains(b);
    1 + text.iter().position(end).unwrap_or(text.len())
}

/// Tells what a word is, and its length without the full stop that ends a sentence.
fn classify(word: &[u8]) -> (Kind, usize) {
    let stops = word.iter().rev().take_while(|byte| **byte == b'.').count();
    let len = if stops == word.len() { stops } else { word.len() - stops };
    let word = word.get(..len).unwrap_or(word);
    let (mut digits, mut slashes, mut wide) = (0, 0, false);
    let (mut hex, mut at_sign, mut backslash) = (true, false, false);
    for byte in word {
        match byte {
            b'0'..=b'9' => digits += 1,
            b'/' => {
                slashes += 1;
                hex = false;
            }
            b'a'..=b'f' | b'A'..=b'F' => {}
            128.. => {
                wide = true;
                hex = false;
            }
            b'@' => {
                at_sign = true;
                hex = false;
            }
            b'\\' => {
                backslash = true;
                hex = false;
            }
            _ => hex = false,
        }
    }
    let is_path = (word.first() == Some(&b'/') && word.len() > 1) || slashes >= 2 || backslash;
    let is_variable = is_path
        || (at_sign && word.first() != Some(&b'@') && word.contains(&b'.'))
        || (hex && (word.len() >= 8 || (digits > 0 && word.len() >= 6)))
        || (digits > 0 && (wide || !ends_in_few_digits(word, digits)))
        || word == b"localhost"
        || memchr::memmem::find(word, b"://").is_some()
        || is_calendar_name(word);
    (if is_variable { Kind::Variable } else { Kind::Word }, len)
}

/// `eth0`, `IPv4`, `sha256`: at least two letters and then at most three digits.
fn ends_in_few_digits(word: &[u8], digits: usize) -> bool {
    let letters = word.len() - digits;
    digits <= MAX_ENDING_DIGITS
        && letters >= 2
        && word.get(..letters).is_some_and(|head| head.iter().all(u8::is_ascii_alphabetic))
}

/// Units that may stand apart from their number.
fn is_unit(word: &[u8]) -> bool {
    const UNITS: [&[u8]; 14] = [
        b"B", b"KB", b"kB", b"MB", b"GB", b"TB", b"KiB", b"MiB", b"GiB", b"ms", b"us", b"ns", b"s",
        b"sec",
    ];
    UNITS.contains(&word)
}

/// A request line in quotes: its method is part of the text, not of the value.
fn is_request(quoted: &[u8]) -> bool {
    const METHODS: [&[u8]; 6] =
        [b"\"GET ", b"\"POST ", b"\"PUT ", b"\"DELETE ", b"\"HEAD ", b"\"PATCH "];
    METHODS.iter().any(|method| quoted.starts_with(method))
}

/// `Mon`, `Nov`: parts of a date.
fn is_calendar_name(word: &[u8]) -> bool {
    const NAMES: [&[u8; 3]; 17] = [
        b"Jan", b"Feb", b"Apr", b"Jun", b"Jul", b"Aug", b"Sep", b"Oct", b"Nov", b"Dec", b"Mon",
        b"Tue", b"Wed", b"Thu", b"Fri", b"Sat", b"Sun",
    ];
    <&[u8; 3]>::try_from(word).is_ok_and(|word| NAMES.contains(&word))
}
