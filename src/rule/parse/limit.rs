//! What a measure is compared with.

use super::Parser;
use crate::model::nearest;
use crate::rule::ast::{Limit, Offset, UsualMethod};
use crate::rule::check;
use crate::rule::mistake::{Mistake, did_you_mean, quote};
use crate::rule::quantity::Quantity;
use crate::rule::token::Token;

const WORDS: [&str; 3] = ["baseline", "usual", "before_change"];
const LIMITS: &str = "limits are numbers with their unit, `baseline + 10%`, \
                      `before_change + 10%`, `usual` and such as `usual(mad, 3)`";

impl Parser<'_> {
    pub(super) fn limit(&mut self) -> Option<Limit> {
        let span = self.span();
        let is_negative = self.take_sign("-");
        let word = match self.peek() {
            Some(Token::Number(..)) => {
                let quantity = self.quantity()?;
                let quantity = if is_negative { quantity.negated() } else { quantity };
                if self.is_sign("*") {
                    return self.no_product();
                }
                return Some(Limit::Literal(quantity));
            }
            Some(Token::Word(word)) if !is_negative => word.to_ascii_lowercase(),
            _ => return self.no_limit(),
        };
        self.advance();
        match word.as_str() {
            "baseline" => Some(Limit::Baseline(self.offset(&word)?)),
            "before_change" => Some(Limit::BeforeChange(self.offset(&word)?)),
            "usual" if self.take_sign("(") => self.usual(),
            "usual" => Some(Limit::Usual { method: UsualMethod::Conformal, parameter: 0.1 }),
            _ => {
                let is_measure = self.is_sign("(");
                let help = match nearest(&word, WORDS) {
                    _ if is_measure => "two measures cannot be compared".to_owned(),
                    Some(meant) => did_you_mean(meant),
                    None => LIMITS.to_owned(),
                };
                let message = format!("{} is no limit", quote(&word));
                self.fail(Mistake::new(span, message).help(help))
            }
        }
    }

    /// `+ 10%`; nothing is no offset.
    fn offset(&mut self, level: &str) -> Option<Offset> {
        let is_negative = self.is_sign("-");
        if self.is_sign("*") || self.is_word("x") {
            return self.no_product();
        }
        if let Some(Token::Number(..)) = self.peek() {
            let message = format!("`+` or `-` is missing between `{level}` and {}", self.shown());
            return self.fail(Mistake::new(self.span(), message));
        }
        if !is_negative && !self.is_sign("+") {
            return Some(Offset::NONE);
        }
        let sign = if is_negative { "-" } else { "+" };
        self.advance();
        if !matches!(self.peek(), Some(Token::Number(..))) {
            let message =
                format!("`{level} {sign}` needs a number with its unit, {}", self.found());
            let help = format!("write `{level} {sign} 10%`");
            return self.fail(Mistake::new(self.span(), message).help(help));
        }
        let quantity = self.quantity()?;
        Some(Offset(if is_negative { quantity.negated() } else { quantity }))
    }

    /// `mad, 3)`
    fn usual(&mut self) -> Option<Limit> {
        let names = UsualMethod::ALL.map(UsualMethod::as_str);
        let word = match self.peek() {
            Some(Token::Word(word)) => word.to_ascii_lowercase(),
            _ => String::new(),
        };
        let Some(method) = UsualMethod::ALL.into_iter().find(|one| one.as_str() == word) else {
            let message = format!("`usual(` needs a method, {}", self.found());
            let all = format!("methods are `{}`", names.join("`, `"));
            let help = nearest(&word, names).map_or(all, did_you_mean);
            return self.fail(Mistake::new(self.span(), message).help(help));
        };
        self.advance();
        let parameter = if method.is_rate() { "0.1%" } else { "3" };
        let is_complete = self.take_sign(",") && matches!(self.peek(), Some(Token::Number(..)));
        if !is_complete {
            let message = format!("`usual({method}` needs its parameter, {}", self.found());
            let help = format!("write `usual({method}, {parameter})`");
            return self.fail(Mistake::new(self.span(), message).help(help));
        }
        let span = self.span();
        let quantity = self.quantity()?;
        let span = span.to(self.last_span());
        let parameter = match check::usual(method, quantity, span) {
            Ok(parameter) => parameter,
            Err(mistake) => return self.fail(mistake),
        };
        if !self.take_sign(")") {
            let message = format!("`usual(` needs its `)` here, {}", self.found());
            return self.fail(Mistake::new(self.span(), message));
        }
        Some(Limit::Usual { method, parameter })
    }

    fn no_product<T>(&mut self) -> Option<T> {
        let message = format!("{} cannot stand in a limit", self.shown());
        let help = "twice the baseline is `baseline + 100%`, half of it `baseline - 50%`";
        self.fail(Mistake::new(self.span(), message).help(help))
    }

    fn no_limit<T>(&mut self) -> Option<T> {
        let help = match self.peek() {
            Some(Token::Unclosed) => return self.unclosed(),
            Some(Token::Text(text)) if text.starts_with(|c: char| c.is_ascii_digit()) => {
                "numbers stand without quotes"
            }
            _ => LIMITS,
        };
        let message = format!("a limit is needed, {}", self.found());
        self.fail(Mistake::new(self.span(), message).help(help))
    }
}

impl Limit {
    /// The offset of a limit that starts at a level.
    pub(in crate::rule) fn offset(&self) -> Option<Quantity> {
        match self {
            Self::Baseline(offset) | Self::BeforeChange(offset) => Some(offset.0),
            Self::Literal(_) | Self::Usual { .. } => None,
        }
    }
}
