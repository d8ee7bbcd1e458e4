//! Reads one record strictly and lists its tokens; knows nothing of what is wanted.
//!
//! Accepts exactly what `serde_json` accepts as a value, and numbers of any size; UTF-8 is checked
//! by the scanner for whole stretches of text.

use super::escape;
use super::index::Index;
use super::number::{ScalarFlaw, scalar_end};
use super::slot::Kind;

/// Containers inside each other are refused from this depth on, as `serde_json` does.
const MAX_DEPTH: u32 = 128;

/// A piece of a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) kind: TokenKind,
    // A hostile record can have a token for nearly every byte, so tokens are kept small.
    start: u32,
    end: u32,
}

impl Token {
    /// First byte; of keys and strings the one after the quote.
    pub(super) fn start(self) -> usize {
        self.start as usize
    }

    /// Byte after it; of keys and strings the closing quote.
    pub(super) fn end(self) -> usize {
        self.end as usize
    }
}

/// What a [`Token`] is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum TokenKind {
    /// `{` or `[`.
    Open(Kind),
    /// `}` or `]`.
    Close,
    /// The key of a member.
    Key { escaped: bool },
    /// A string value.
    String { escaped: bool },
    /// A number, `true`, `false` or `null`.
    Scalar(Kind),
}

/// Why a record is no JSON value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// The bytes break the grammar.
    Malformed,
    /// The record ends before its value does.
    CutShort,
    /// Containers are nested too deep.
    TooDeep,
}

impl From<ScalarFlaw> for Flaw {
    fn from(flaw: ScalarFlaw) -> Self {
        match flaw {
            ScalarFlaw::Malformed => Self::Malformed,
            ScalarFlaw::CutShort => Self::CutShort,
        }
    }
}

/// Lists the tokens of the one value in `text[start..]` in `tape`, which is cleared first.
///
/// `text` ends with the record and is at most `u32::MAX` long, positions count from its start, and
/// `index` describes it and possibly more.
pub(super) fn walk(
    text: &[u8],
    start: usize,
    index: &Index,
    tape: &mut Vec<Token>,
) -> Result<(), Flaw> {
    tape.clear();
    Walk { text, index, at: start, tape, depth: 0, objects: 0 }.record()
}

struct Walk<'a> {
    text: &'a [u8],
    index: &'a Index,
    at: usize,
    tape: &'a mut Vec<Token>,
    depth: u32,
    /// One bit a container, the innermost lowest: whether it is an object.
    objects: u128,
}

impl Walk<'_> {
    fn record(mut self) -> Result<(), Flaw> {
        loop {
            let is_opened = self.value()?;
            if is_opened && !self.is_closed_at_once()? {
                self.key_if_object()?;
                continue;
            }
            if self.is_finished()? {
                return Ok(());
            }
        }
    }

    /// Reads a scalar, a string or an opening bracket; says whether it was a bracket.
    fn value(&mut self) -> Result<bool, Flaw> {
        self.skip_space();
        let start = self.at;
        match self.peek()? {
            b'"' => {
                let (token_start, end, escaped) = self.string()?;
                self.push(TokenKind::String { escaped }, token_start, end);
                Ok(false)
            }
            b'{' => self.open(Kind::Object),
            b'[' => self.open(Kind::Array),
            _ => {
                let (end, kind) = scalar_end(self.text, start)?;
                self.at = end;
                self.push(TokenKind::Scalar(kind), start, end);
                Ok(false)
            }
        }
    }

    fn open(&mut self, kind: Kind) -> Result<bool, Flaw> {
        self.depth += 1;
        if self.depth >= MAX_DEPTH {
            return Err(Flaw::TooDeep);
        }
        self.objects = self.objects << 1 | u128::from(kind == Kind::Object);
        self.push(TokenKind::Open(kind), self.at, self.at + 1);
        self.at += 1;
        Ok(true)
    }

    /// Reads the closing bracket of a container that was just opened, if it is empty.
    fn is_closed_at_once(&mut self) -> Result<bool, Flaw> {
        self.skip_space();
        let is_empty = self.peek()? == self.closing_bracket();
        if is_empty {
            self.close();
        }
        Ok(is_empty)
    }

    /// Reads what may follow a value: closing brackets and then a comma, or the end of the record.
    fn is_finished(&mut self) -> Result<bool, Flaw> {
        loop {
            self.skip_space();
            if self.depth == 0 {
                let is_at_end = self.at == self.text.len();
                return if is_at_end { Ok(true) } else { Err(Flaw::Malformed) };
            }
            match self.peek()? {
                b',' => {
                    self.at += 1;
                    self.key_if_object()?;
                    return Ok(false);
                }
                byte if byte == self.closing_bracket() => self.close(),
                _ => return Err(Flaw::Malformed),
            }
        }
    }

    /// Reads the key and colon of a member; elements of arrays have none.
    fn key_if_object(&mut self) -> Result<(), Flaw> {
        if self.objects & 1 == 0 {
            return Ok(());
        }
        self.skip_space();
        if self.peek()? != b'"' {
            return Err(Flaw::Malformed);
        }
        let (start, end, escaped) = self.string()?;
        self.push(TokenKind::Key { escaped }, start, end);
        self.skip_space();
        if self.peek()? != b':' {
            return Err(Flaw::Malformed);
        }
        self.at += 1;
        Ok(())
    }

    /// Reads a string whose quote is next; returns its body and whether it holds escapes.
    fn string(&mut self) -> Result<(usize, usize, bool), Flaw> {
        let start = self.at + 1;
        let end = match self.index.string_end(start) {
            Some(end) if end.quote < self.text.len() => end,
            _ => return Err(Flaw::CutShort),
        };
        let body = self.text.get(start..end.quote).unwrap_or_default();
        if end.is_suspect && !escape::is_sound(body) {
            return Err(Flaw::Malformed);
        }
        self.at = end.quote + 1;
        Ok((start, end.quote, end.is_suspect))
    }

    fn close(&mut self) {
        self.push(TokenKind::Close, self.at, self.at + 1);
        self.at += 1;
        self.depth -= 1;
        self.objects >>= 1;
    }

    fn closing_bracket(&self) -> u8 {
        if self.objects & 1 == 1 { b'}' } else { b']' }
    }

    fn skip_space(&mut self) {
        while let Some(b' ' | b'\t' | b'\r' | b'\n') = self.text.get(self.at) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Result<u8, Flaw> {
        self.text.get(self.at).copied().ok_or(Flaw::CutShort)
    }

    fn push(&mut self, kind: TokenKind, start: usize, end: usize) {
        self.tape.push(Token { kind, start: start as u32, end: end as u32 });
    }
}
