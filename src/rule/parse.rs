//! Tokens become a rule; behind a mistake the reading goes on where the next piece begins.

use std::time::Duration;

use super::ast::{Cmp, Field, Filter, Rule, Span, Term};
use super::check::{self, TermSpans};
use super::column;
use super::mistake::{Mistake, did_you_mean, quote};
use super::quantity::Quantity;
use super::token::{Token, is_keyword, tokens};
use crate::model::nearest;

mod condition;
mod limit;
mod measure;

/// What stands behind the terms, in this order.
const CLAUSES: [&str; 3] = ["where", "per", "for"];
/// Words that other languages have for them.
const OTHER_CLAUSES: [(&str, &str); 6] = [
    ("by", "per"),
    ("group", "per"),
    ("if", "where"),
    ("when", "where"),
    ("during", "for"),
    ("within", "for"),
];
/// Longest name of a field, in bytes, as everywhere in the configuration.
const MAX_FIELD_LEN: usize = 256;
const ORDER: &str = "the order is `MEASURE < LIMIT [and …] [where …] [per FIELD] [for TIME]`";
const BACKTICKS: &str =
    "a field with other signs than letters, digits, `_` and `.` stands in backticks";

/// The tokens of one expression and how far they are read.
///
/// Methods that return `None` have told a mistake and may stand anywhere behind it.
pub(super) struct Parser<'a> {
    text: &'a str,
    tokens: Vec<(Token<'a>, Span)>,
    at: usize,
    /// Parentheses that are open.
    depth: usize,
    mistakes: Vec<Mistake>,
}

impl<'a> Parser<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, tokens: tokens(text), at: 0, depth: 0, mistakes: Vec::new() }
    }

    pub(super) fn rule(mut self) -> Result<Rule, Vec<Mistake>> {
        let mut rule = Rule { terms: Vec::new(), filter: Filter::default(), per: None, hold: None };
        loop {
            match self.term() {
                Some(term) => rule.terms.push(term),
                None => self.skip(0),
            }
            let help = "a rule has no `or`: write two rules, each with its own `id`";
            if !self.conjunction(help) {
                break;
            }
        }
        self.clauses(&mut rule);
        self.finish(rule)
    }

    pub(super) fn filter(mut self) -> Result<Filter, Vec<Mistake>> {
        let filter = self.conditions();
        if let Some(clause) = self.clause() {
            let message = format!("`{clause}` has no place here, only conditions on rows");
            self.tell(Mistake::new(self.span(), message));
        } else {
            self.end(&["and"], "conditions are joined by `and`");
        }
        self.finish(filter)
    }

    fn finish<T>(mut self, value: T) -> Result<T, Vec<Mistake>> {
        if self.mistakes.is_empty() {
            return Ok(value);
        }
        self.mistakes.sort_by_key(|mistake| mistake.span.start);
        // What is told second of a place only follows from what is told first.
        self.mistakes.dedup_by_key(|mistake| mistake.span.start);
        Err(self.mistakes)
    }

    fn term(&mut self) -> Option<Term> {
        let (start, told_count) = (self.span(), self.mistakes.len());
        let measure = self.measure()?;
        let cmp_span = self.span();
        let cmp = self.cmp(&measure.to_string(), "< 300ms")?;
        let limit_start = self.span();
        let limit = self.limit()?;
        let limited = limit_start.to(self.last_span());
        let term = Term { measure, cmp, limit, span: start.to(limited) };
        let spans = TermSpans { cmp: cmp_span, limit: limited };
        if self.mistakes.len() == told_count {
            // Parts that are wrong by themselves would only lead to mistakes that are not there.
            self.mistakes.extend(check::term(&term, &spans));
        }
        Some(term)
    }

    /// A comparison; `of` is what stands left of it and `such_as` completes it.
    fn cmp(&mut self, of: &str, such_as: &str) -> Option<Cmp> {
        let is_either = |words: [&str; 2]| words.iter().any(|word| self.is_word(word));
        let (cmp, instead) = match self.peek() {
            Some(Token::Sign("<")) => (Cmp::Less, ""),
            Some(Token::Sign("<=")) => (Cmp::AtMost, ""),
            Some(Token::Sign(">")) => (Cmp::More, ""),
            Some(Token::Sign(">=")) => (Cmp::AtLeast, ""),
            Some(Token::Sign("=")) => (Cmp::Equal, ""),
            Some(Token::Sign("!=")) => (Cmp::NotEqual, ""),
            Some(Token::Sign("=<" | "≤")) => (Cmp::AtMost, "<="),
            Some(Token::Sign("=>" | "≥")) => (Cmp::AtLeast, ">="),
            Some(Token::Sign("==")) => (Cmp::Equal, "="),
            Some(Token::Sign("<>" | "≠")) => (Cmp::NotEqual, "!="),
            _ if is_either(["is", "equals"]) => (Cmp::Equal, "="),
            _ if is_either(["below", "under"]) => (Cmp::Less, "<"),
            _ if is_either(["above", "over"]) => (Cmp::More, ">"),
            _ => {
                let of = quote(of);
                let message =
                    format!("{of} needs a comparison such as `{such_as}`, {}", self.found());
                return self.fail(Mistake::new(self.span(), message));
            }
        };
        if !instead.is_empty() {
            let message = format!("{} is no comparison", self.shown());
            self.tell(Mistake::new(self.span(), message).help(did_you_mean(instead)));
        }
        self.advance();
        Some(cmp)
    }

    /// Steps over `and`, and over what was meant to be one; `or` is told with `help`.
    fn conjunction(&mut self, help: &str) -> bool {
        let is_or = self.is_word("or") || self.is_sign("||") || self.is_sign("|");
        let is_odd = is_or || self.is_sign("&&") || self.is_sign("&") || self.is_sign(",");
        if is_odd {
            let message = format!("{} cannot join conditions, only `and` can", self.shown());
            let help = if is_or { help } else { "did you mean `and`?" };
            self.tell(Mistake::new(self.span(), message).help(help));
        } else if !self.is_word("and") {
            return false;
        }
        self.advance();
        true
    }

    fn clauses(&mut self, rule: &mut Rule) {
        let mut last = None;
        while let Some(clause) = self.clause() {
            let (span, position) = (self.span(), CLAUSES.iter().position(|one| *one == clause));
            if position == last {
                let message = format!("`{clause}` stands twice, once is enough");
                let help = (clause == "where").then(|| "join conditions with `and`".to_owned());
                self.tell(Mistake::new(span, message).maybe_help(help));
            } else if position < last {
                let message = format!("`{clause}` stands too late");
                self.tell(Mistake::new(span, message).help(ORDER));
            }
            last = position.max(last);
            self.advance();
            match clause {
                "where" => rule.filter.conditions.extend(self.conditions().conditions),
                "per" => rule.per = self.per(),
                _ => rule.hold = self.hold(),
            }
        }
        self.end(&["and", "where", "per", "for"], ORDER);
    }

    /// The clause that begins here.
    fn clause(&self) -> Option<&'static str> {
        CLAUSES.into_iter().find(|clause| self.is_word(clause))
    }

    fn per(&mut self) -> Option<Field> {
        let field = self.field("`per`", "per route");
        if let Some(field) = &field {
            self.mistakes.extend(check::group(field));
            if self.is_sign(",") {
                let message = "`per` takes one field, `,` begins another";
                self.tell(Mistake::new(self.span(), message).help("write a rule for each field"));
                self.skip(0);
            }
        } else {
            self.skip(0);
        }
        field
    }

    fn hold(&mut self) -> Option<Duration> {
        let span = self.span();
        let number = if let Some(Token::Number(..)) = self.peek() {
            self.quantity()
        } else {
            let message = format!("`for` needs a time such as `5m`, {}", self.found());
            self.fail(Mistake::new(span, message))
        };
        let hold = number.and_then(|quantity| {
            let checked = check::hold(quantity, span.to(self.last_span()));
            checked.map_err(|mistake| self.tell(mistake)).ok()
        });
        if hold.is_none() {
            self.skip(0);
        }
        hold
    }

    /// The name of a field; `of` is what needs it and `such_as` the whole with one.
    fn field(&mut self, of: &str, such_as: &str) -> Option<Field> {
        let span = self.span();
        let name = match self.peek() {
            Some(Token::Word(word)) if !is_keyword(word) => (*word).to_owned(),
            Some(Token::Name(name)) => name.clone(),
            found => {
                let help = match found {
                    Some(Token::Text(_)) => "a field stands without quotes, or in backticks".into(),
                    Some(Token::Word(word)) => {
                        format!("a field of this name is written `` `{word}` ``")
                    }
                    Some(Token::Sign(sign)) if *sign != ")" => BACKTICKS.to_owned(),
                    Some(Token::Unclosed) => return self.unclosed(),
                    _ => format!("write `{such_as}`"),
                };
                let message = format!("{of} needs a field, {}", self.found());
                return self.fail(Mistake::new(span, message).help(help));
            }
        };
        self.advance();
        if self.is_sign("-") && self.span().start == span.end {
            let message = "`-` cannot stand in the name of a field";
            return self.fail(Mistake::new(self.span(), message).help(BACKTICKS));
        }
        let is_path = !name.split('.').any(str::is_empty) && !name.contains(char::is_control);
        if !is_path || name.len() > MAX_FIELD_LEN {
            let need = "must be one line of 1 to 256 bytes with no empty name in it";
            let message = format!("field {} {need}", quote(&name));
            return self.fail(Mistake::new(span, message));
        }
        Some(Field { name: column::full_name(&name).to_owned(), span })
    }

    /// Tells that something is left, if it is; `allowed` words could stand here.
    fn end(&mut self, allowed: &[&str], help: &str) {
        let Some(token) = self.peek() else { return };
        let help = match token {
            Token::Sign(")") => "it closes nothing".to_owned(),
            Token::Word(_) if self.peek_next() == Some(&Token::Sign("(")) => {
                "terms are joined by `and`, in front of `where`".to_owned()
            }
            Token::Word(word) if is_keyword(word) => help.to_owned(),
            Token::Word(word) => {
                let other =
                    OTHER_CLAUSES.iter().find(|(other, _)| other.eq_ignore_ascii_case(word));
                let meant = other.map(|(_, clause)| *clause).filter(|word| allowed.contains(word));
                let meant = meant.or_else(|| nearest(word, allowed.iter().copied()));
                meant.map_or_else(|| help.to_owned(), did_you_mean)
            }
            Token::Unclosed => {
                self.unclosed::<()>();
                return;
            }
            _ => help.to_owned(),
        };
        let message = format!("{} cannot stand here", self.shown());
        self.tell(Mistake::new(self.span(), message).help(help));
    }
}

/// Reading tokens.
impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.at).map(|(token, _)| token)
    }

    fn peek_next(&self) -> Option<&Token<'a>> {
        self.tokens.get(self.at + 1).map(|(token, _)| token)
    }

    /// Where the next token stands; the end of the last one when there is none.
    fn span(&self) -> Span {
        let end = || self.tokens.last().map_or(0, |(_, span)| span.end);
        self.tokens.get(self.at).map_or_else(|| (end()..end()).into(), |(_, span)| *span)
    }

    /// Where the token before stands.
    fn last_span(&self) -> Span {
        let before = self.at.checked_sub(1).and_then(|at| self.tokens.get(at));
        before.map_or_else(Span::default, |(_, span)| *span)
    }

    fn advance(&mut self) {
        match self.peek() {
            Some(Token::Sign("(")) => self.depth += 1,
            Some(Token::Sign(")")) => self.depth = self.depth.saturating_sub(1),
            _ => {}
        }
        self.at = (self.at + 1).min(self.tokens.len());
    }

    /// Goes to where the next condition, term or clause begins, or the parentheses close.
    fn skip(&mut self, depth: usize) {
        while self.peek().is_some() {
            let is_joint = self.is_word("and") || self.is_word("or") || self.clause().is_some();
            let is_close = depth > 0 && self.is_sign(")");
            if self.depth <= depth && (is_joint || is_close) {
                return;
            }
            self.advance();
        }
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Some(Token::Word(found)) if found.eq_ignore_ascii_case(word))
    }

    fn is_sign(&self, sign: &str) -> bool {
        matches!(self.peek(), Some(Token::Sign(found)) if *found == sign)
    }

    fn take_word(&mut self, word: &str) -> bool {
        let is_here = self.is_word(word);
        if is_here {
            self.advance();
        }
        is_here
    }

    fn take_sign(&mut self, sign: &str) -> bool {
        let is_here = self.is_sign(sign);
        if is_here {
            self.advance();
        }
        is_here
    }

    /// The next token as it is written, in backticks.
    fn shown(&self) -> String {
        let span = self.span();
        quote(self.text.get(span.start..span.end).unwrap_or_default())
    }

    fn found(&self) -> String {
        if self.peek().is_some() {
            format!("found {}", self.shown())
        } else {
            "found nothing".into()
        }
    }

    fn tell(&mut self, mistake: Mistake) {
        self.mistakes.push(mistake);
    }

    fn fail<T>(&mut self, mistake: Mistake) -> Option<T> {
        self.tell(mistake);
        None
    }

    fn unclosed<T>(&mut self) -> Option<T> {
        let (shown, span) = (self.shown(), self.span());
        self.advance();
        let message = format!("{shown} begins with a quote that is not closed");
        let help = "a quote inside of its own text is written twice";
        self.fail(Mistake::new(span, message).help(help))
    }

    /// A number with its unit, which may stand behind a space.
    fn quantity(&mut self) -> Option<Quantity> {
        let start = self.span();
        let Some(Token::Number(digits, unit)) = self.peek() else {
            let message = format!("a number is needed, {}", self.found());
            return self.fail(Mistake::new(start, message));
        };
        let (digits, mut unit) = (*digits, *unit);
        self.advance();
        if unit.is_empty() {
            match self.peek() {
                Some(Token::Word(word)) if check::is_unit(word) => unit = word,
                Some(Token::Sign(sign @ "%")) => unit = sign,
                _ => {}
            }
            if !unit.is_empty() {
                self.advance();
            }
        }
        let span = start.to(self.last_span());
        let read = Quantity::read(digits, unit);
        read.map_err(|no| self.tell(check::no_quantity(no, digits, unit, span))).ok()
    }
}
