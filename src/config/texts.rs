//! Where values come from: all texts of one configuration laid end to end, so that one span tells
//! the text, the line and the column of a value.
//!
//! The defaults, the file, each variable and each option are texts. Nothing is parsed here.

use std::fmt;
use std::ops::Range;
use std::path::PathBuf;

/// Widest source line that a [`Place`] keeps, in characters; more is cut around the mark.
const MAX_LINE_WIDTH: usize = 160;
/// What is shown instead of a secret.
pub(super) const MASK: &str = "********";
/// Names of keys whose value is never shown.
const SECRET_NAMES: [&str; 7] =
    ["key", "password", "passwd", "secret", "token", "credentials", "url"];

/// Who said a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody; it is the default.
    Default,
    /// The configuration file.
    File(PathBuf),
    /// The environment variable of this name.
    Environment(String),
    /// The command-line option of this name, such as `--store`.
    Option(String),
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => f.write_str(&visible(&path.display().to_string())),
            Self::Environment(name) => write!(f, "environment variable {}", visible(name)),
            Self::Option(name) => write!(f, "option {}", visible(name)),
        }
    }
}

/// A piece of text for people: where it stands and what stands there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// Who said it.
    pub origin: Origin,
    /// Bytes of that text; never beyond its end.
    pub span: Range<usize>,
    /// Line, from 1.
    pub line: usize,
    /// Column of the first character, from 1, counted in characters.
    pub column: usize,
    /// The line without its end, secrets masked, control characters escaped, cut if very long.
    pub text: String,
    /// Characters of `text` that are meant; at least one position, possibly just after the end.
    pub mark: Range<usize>,
}

impl Place {
    fn nowhere() -> Self {
        let (text, mark) = (String::new(), 0..1);
        Self { origin: Origin::Default, span: 0..0, line: 1, column: 1, text, mark }
    }
}

/// The texts of one configuration.
#[derive(Clone, Debug, Default)]
pub(super) struct Texts {
    pieces: Vec<Piece>,
}

#[derive(Clone, Debug)]
struct Piece {
    base: usize,
    origin: Origin,
    text: String,
    is_secret: bool,
}

impl Texts {
    /// Lays `text` behind the others; returns where it begins.
    pub(super) fn add(&mut self, origin: Origin, text: &str) -> usize {
        self.push(origin, text, false)
    }

    /// As [`Texts::add`], for a text that is never shown.
    pub(super) fn add_secret(&mut self, origin: Origin, text: &str) -> usize {
        self.push(origin, text, true)
    }

    fn push(&mut self, origin: Origin, text: &str, is_secret: bool) -> usize {
        // One byte between two texts, so that the end of one is not the beginning of the next.
        let base = self.pieces.last().map_or(0, |last| last.base + last.text.len() + 1);
        self.pieces.push(Piece { base, origin, text: text.to_owned(), is_secret });
        base
    }

    /// Who said what stands at `span`.
    pub(super) fn origin(&self, span: &Range<usize>) -> Origin {
        self.piece(span).map_or(Origin::Default, |piece| piece.origin.clone())
    }

    /// The text at `span`; empty when it is not inside of one text.
    pub(super) fn text(&self, span: &Range<usize>) -> &str {
        let inside = |piece: &'_ Piece| piece.local(span);
        self.piece(span).and_then(|piece| piece.text.get(inside(piece))).unwrap_or_default()
    }

    /// Line of `span` in its text, from 1.
    pub(super) fn line(&self, span: &Range<usize>) -> usize {
        self.piece(span).map_or(1, |piece| piece.line_start(piece.local(span).start).0)
    }

    /// What `span` means to people.
    pub(super) fn place(&self, span: &Range<usize>) -> Place {
        let Some(piece) = self.piece(span) else { return Place::nowhere() };
        let local = piece.local(span);
        let (line, start) = piece.line_start(local.start);
        let rest = piece.text.get(start..).unwrap_or_default();
        let end = start + rest.find('\n').unwrap_or(rest.len());
        let source = piece.text.get(start..end).unwrap_or_default().trim_end_matches('\r');
        let chars = |from: usize, to: usize| {
            piece.text.get(from..to.max(from)).map_or(0, |text| text.chars().count())
        };
        // The carriage return of a Windows line end is not shown.
        let end = start + source.len();
        let column = chars(start, local.start.min(end));
        let len = chars(local.start, local.end.min(end));
        let shown = if piece.is_secret { MASK.to_owned() } else { masked(source) };
        let (text, mark) = if shown == source {
            cut(&shown, column..column + len.max(1))
        } else {
            let width = shown.chars().count();
            (visible(&shown), 0..width.max(1))
        };
        Place { origin: piece.origin.clone(), span: local, line, column: column + 1, text, mark }
    }

    fn piece(&self, span: &Range<usize>) -> Option<&Piece> {
        self.pieces.iter().rev().find(|piece| piece.base <= span.start)
    }
}

impl Piece {
    /// `span` in bytes of this text, moved to the edges of characters and inside of it.
    fn local(&self, span: &Range<usize>) -> Range<usize> {
        let inside = |at: usize| self.text.floor_char_boundary(at.saturating_sub(self.base));
        let start = inside(span.start);
        start..inside(span.end).max(start)
    }

    /// Number and first byte of the line with the byte `at`.
    fn line_start(&self, at: usize) -> (usize, usize) {
        let before = self.text.get(..at).unwrap_or_default();
        (before.matches('\n').count() + 1, before.rfind('\n').map_or(0, |newline| newline + 1))
    }
}

/// Text without control characters and bidirectional overrides, for terminals.
pub(super) fn visible(text: &str) -> String {
    let is_hostile =
        |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars()
        .map(|c| {
            if c == '\t' {
                ' '
            } else if is_hostile(c) {
                '\u{fffd}'
            } else {
                c
            }
        })
        .collect()
}

/// Whether a key, variable or field of this name holds a secret itself, not a file with one.
pub(super) fn names_secret(name: &str) -> bool {
    let ends_word = ['.', '_', '-', '"', '\'', '{', ',', ' ', '\t'];
    let last = name.rsplit(ends_word).find(|word| !word.is_empty()).unwrap_or_default();
    SECRET_NAMES.iter().any(|known| last.eq_ignore_ascii_case(known))
}

/// A line as it may be shown: from the first value that a secret's name is given, it is masked.
fn masked(line: &str) -> String {
    let assignments = line.match_indices('=').filter_map(|(at, _)| line.split_at_checked(at));
    let mut secret = assignments.filter(|(name, _)| names_secret(name));
    secret.next().map_or_else(|| line.to_owned(), |(name, _)| format!("{name}= {MASK}"))
}

/// The part of a long line around its mark.
fn cut(line: &str, mark: Range<usize>) -> (String, Range<usize>) {
    let width = line.chars().count();
    let skipped = if width > MAX_LINE_WIDTH { mark.start.saturating_sub(20) } else { 0 };
    let kept: String = line.chars().skip(skipped).take(MAX_LINE_WIDTH).collect();
    let start = mark.start - skipped;
    (visible(&kept), start..(mark.end - skipped).min(MAX_LINE_WIDTH + 1).max(start + 1))
}
