//! Words, numbers, texts and signs of an expression.
//!
//! Every text can be cut into tokens; what makes no sense becomes a token that no rule allows.

use winnow::combinator::{alt, dispatch, opt, peek, preceded, repeat, terminated};
use winnow::error::EmptyError;
use winnow::prelude::*;
use winnow::stream::LocatingSlice;
use winnow::token::{any, one_of, take_while};

use super::ast::Span;

/// Words with a meaning between fields; a field of such a name stands in backticks.
const KEYWORDS: [&str; 10] =
    ["and", "or", "not", "where", "per", "for", "in", "like", "exists", "missing"];

/// A piece of an expression.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Token<'a> {
    /// Name of a field, a measure or a limit, or a keyword.
    Word(&'a str),
    /// Name of a field in backticks, which are left out.
    Name(String),
    /// Digits and the unit that follows at once, such as `300` and `ms`.
    Number(&'a str, &'a str),
    /// Text in quotes, which are left out.
    Text(String),
    /// A quote that is not closed; it takes the rest of the expression.
    Unclosed,
    /// One of the signs, or any character that begins nothing else.
    Sign(&'a str),
}

type Input<'a> = LocatingSlice<&'a str>;

/// Cuts a text into its tokens.
pub(super) fn tokens(text: &str) -> Vec<(Token<'_>, Span)> {
    let placed = token.with_span().map(|(token, range)| (token, Span::from(range)));
    let mut all = preceded(space, repeat(0.., terminated(placed, space)));
    // Any character begins a token, so there is nothing that cannot be cut.
    all.parse_next(&mut LocatingSlice::new(text)).unwrap_or_default()
}

/// Whether a name can stand without backticks, unless it is a keyword.
pub(super) fn is_plain_name(name: &str) -> bool {
    name.starts_with(starts_word) && name.chars().all(continues_word)
}

/// Whether a word has a meaning between fields, in any case of letters.
pub(super) fn is_keyword(name: &str) -> bool {
    KEYWORDS.iter().any(|keyword| keyword.eq_ignore_ascii_case(name))
}

/// Any white space: what is pasted from a page often has spaces that do not break.
fn space<'a>(input: &mut Input<'a>) -> ModalResult<&'a str, EmptyError> {
    take_while(0.., char::is_whitespace).parse_next(input)
}

fn token<'a>(input: &mut Input<'a>) -> ModalResult<Token<'a>, EmptyError> {
    dispatch! {peek(any);
        '"' => quoted('"').map(|text| text.map_or(Token::Unclosed, Token::Text)),
        '\'' => quoted('\'').map(|text| text.map_or(Token::Unclosed, Token::Text)),
        '`' => quoted('`').map(|name| name.map_or(Token::Unclosed, Token::Name)),
        c if starts_word(c) => take_while(1.., continues_word).map(Token::Word),
        c if starts_number(c) => (take_while(1.., continues_number), unit)
            .map(|(digits, unit)| Token::Number(digits, unit)),
        _ => sign.map(Token::Sign),
    }
    .parse_next(input)
}

/// What stands between two quotes, a doubled one being a quote; `None` when the second is missing.
fn quoted<'a>(
    quote: char,
) -> impl Parser<Input<'a>, Option<String>, winnow::error::ErrMode<EmptyError>> {
    let inside = alt(((quote, quote).value(quote), any.verify(move |c| *c != quote)));
    let inside = repeat(0.., inside).fold(String::new, |mut text: String, c| {
        text.push(c);
        text
    });
    preceded(quote, (inside, opt(quote))).map(|(text, end)| end.map(|_| text))
}

/// `ms`, `%` or `/min`; empty when none follows at once.
fn unit<'a>(input: &mut Input<'a>) -> ModalResult<&'a str, EmptyError> {
    let every = ('/', take_while(1.., char::is_alphabetic)).take();
    alt((every, "%", take_while(0.., continues_word))).parse_next(input)
}

fn sign<'a>(input: &mut Input<'a>) -> ModalResult<&'a str, EmptyError> {
    let first = one_of(['<', '>', '=', '!', '&', '|']);
    let second = one_of(['=', '>', '<', '&', '|', '~']);
    let pair = (first, second).take().verify(|pair: &str| PAIRS.contains(&pair));
    alt((pair, any.take())).parse_next(input)
}

/// Signs of two characters, also those that are only known to be explained.
const PAIRS: [&str; 11] = ["<=", ">=", "!=", "!~", "==", "=<", "=>", "=~", "<>", "&&", "||"];

fn starts_word(c: char) -> bool {
    c.is_alphabetic() || c == '_'
}

fn continues_word(c: char) -> bool {
    c.is_alphanumeric() || matches!(c, '_' | '.')
}

fn starts_number(c: char) -> bool {
    c.is_ascii_digit() || c == '.'
}

fn continues_number(c: char) -> bool {
    c.is_ascii_digit() || matches!(c, '.' | '_')
}
