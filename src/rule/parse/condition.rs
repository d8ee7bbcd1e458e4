//! Conditions on rows.

use super::Parser;
use crate::rule::ast::{Condition, Field, Filter, Test, Value};
use crate::rule::check;
use crate::rule::column;
use crate::rule::mistake::{Mistake, quote};
use crate::rule::pattern::Pattern;
use crate::rule::quantity::Quantity;
use crate::rule::token::{Token, is_keyword};

/// How a pattern is read: that of `like` or that of `~`.
type ReadPattern = fn(&str) -> Result<Pattern, String>;

/// What other languages call a value that is missing.
const NOTHING: [&str; 3] = ["null", "none", "nil"];

impl Parser<'_> {
    /// Conditions joined by `and`; those with a mistake are left out.
    pub(super) fn conditions(&mut self) -> Filter {
        let depth = self.depth;
        let mut conditions: Vec<Condition> = Vec::new();
        loop {
            match self.condition() {
                Some(condition) => conditions.push(condition),
                None => self.skip(depth),
            }
            let field = conditions.last().map(|condition| &condition.field);
            let help = self.instead_of_or(field);
            if !self.conjunction(&help) {
                return Filter { conditions };
            }
        }
    }

    /// What to write instead of an `or` that stands here, behind a condition on `field`.
    fn instead_of_or(&self, field: Option<&Field>) -> String {
        let next = match self.peek_next() {
            Some(Token::Word(word)) => column::full_name(word),
            _ => "",
        };
        match field {
            Some(field) if field.name == next => format!("write `{field} in (…)`"),
            _ => "write a rule or an objective for each".to_owned(),
        }
    }

    fn condition(&mut self) -> Option<Condition> {
        let start = self.span();
        if let (Some(Token::Word(_)), Some(Token::Sign("("))) = (self.peek(), self.peek_next())
            && !self.is_word("not")
        {
            let message = format!("measure {} cannot stand among conditions on rows", self.shown());
            let help = "measures stand in the terms of a rule, in front of `where`";
            return self.fail(Mistake::new(start, message).help(help));
        }
        if self.is_sign("(") || self.is_sign("!") || self.is_word("not") {
            let message = format!("{} cannot stand in front of a condition", self.shown());
            let help = "there is no nesting; write `!=`, `not in`, `not like`, `!~` or `missing`";
            return self.fail(Mistake::new(start, message).help(help));
        }
        let field = self.field("a condition", "status >= 500")?;
        let test = self.test(&field)?;
        let span = start.to(self.last_span());
        Some(Condition { field, test, span })
    }

    fn test(&mut self, field: &Field) -> Option<Test> {
        let sign = self.span();
        let is_not = self.take_word("not");
        if self.take_word("in") {
            let values = self.values(field)?;
            return Some(if is_not { Test::NotIn(values) } else { Test::In(values) });
        }
        if self.take_word("like") {
            let pattern = self.pattern(field, Pattern::like)?;
            return Some(if is_not { Test::NotLike(pattern) } else { Test::Like(pattern) });
        }
        if is_not {
            let message = format!("`not` needs `in` or `like` behind it, {}", self.found());
            let help = "write `!=`, `!~`, or `missing` for `not exists`";
            return self.fail(Mistake::new(self.span(), message).help(help));
        }
        if self.take_word("exists") {
            return Some(Test::Exists);
        }
        if self.take_word("missing") {
            return Some(Test::Missing);
        }
        if self.is_sign("~") || self.is_sign("=~") {
            if self.is_sign("=~") {
                let mistake = Mistake::new(sign, "`=~` is no comparison");
                self.tell(mistake.help("did you mean `~`?"));
            }
            self.advance();
            return Some(Test::Matches(self.pattern(field, Pattern::regex)?));
        }
        if self.take_sign("!~") {
            return Some(Test::NotMatches(self.pattern(field, Pattern::regex)?));
        }
        let cmp = self.cmp(&field.to_string(), "= \"GET\"")?;
        let start = self.span();
        let value = self.value()?;
        let span = start.to(self.last_span());
        self.mistakes.extend(check::comparison(field, cmp, sign, &(value.clone(), span)));
        Some(Test::Compare(cmp, value))
    }

    /// `("GET", "HEAD")`
    fn values(&mut self, field: &Field) -> Option<Vec<Value>> {
        if !self.take_sign("(") {
            let message = format!("`in` needs its values in parentheses, {}", self.found());
            let help = "write `in (\"GET\", \"HEAD\")`";
            return self.fail(Mistake::new(self.span(), message).help(help));
        }
        let mut values = Vec::new();
        loop {
            let start = self.span();
            let value = self.value()?;
            let placed = (value, start.to(self.last_span()));
            self.mistakes.extend(check::value(field, &placed));
            values.push(placed.0);
            if self.take_sign(")") {
                return Some(values);
            }
            if !self.take_sign(",") {
                let message = format!("`,` or `)` is needed, {}", self.found());
                return self.fail(Mistake::new(self.span(), message));
            }
        }
    }

    fn pattern(&mut self, field: &Field, read: ReadPattern) -> Option<Pattern> {
        let span = self.span();
        let text = match self.peek() {
            Some(Token::Text(text)) => text.clone(),
            Some(Token::Unclosed) => return self.unclosed(),
            _ => {
                let message = format!("a pattern in quotes is needed, {}", self.found());
                return self.fail(Mistake::new(span, message));
            }
        };
        self.advance();
        self.mistakes.extend(check::text(&text, span).or_else(|| check::pattern(field, span)));
        match read(&text) {
            Ok(pattern) => Some(pattern),
            Err(reason) => {
                let message = format!("pattern {} cannot be used: {reason}", quote(&text));
                self.fail(Mistake::new(span, message))
            }
        }
    }

    fn value(&mut self) -> Option<Value> {
        let start = self.span();
        let is_negative = self.take_sign("-");
        match self.peek() {
            Some(Token::Number(..)) => {
                let quantity = self.quantity()?;
                let quantity = if is_negative { quantity.negated() } else { quantity };
                let span = start.to(self.last_span());
                match quantity {
                    Quantity::Number(number) => Some(Value::Number(number)),
                    Quantity::Time(ms) => Some(Value::Time(ms)),
                    _ => {
                        let message = format!("`{quantity}` is no value of a row");
                        let help = "rows hold numbers, times such as `300ms`, and texts in quotes";
                        self.fail(Mistake::new(span, message).help(help))
                    }
                }
            }
            Some(Token::Text(text)) if !is_negative => {
                let text = text.clone();
                self.advance();
                self.mistakes.extend(check::text(&text, start));
                Some(Value::Text(text))
            }
            Some(Token::Unclosed) => self.unclosed(),
            found => {
                let help = match found {
                    Some(Token::Word(word)) if NOTHING.contains(&&*word.to_ascii_lowercase()) => {
                        Some("write `missing` or `exists` behind the field".to_owned())
                    }
                    Some(Token::Word(word)) if !is_keyword(word) => {
                        let quoted = quote(&format!("\"{word}\""));
                        Some(format!("texts stand in quotes: {quoted}"))
                    }
                    Some(Token::Name(_)) => {
                        Some("fields cannot be compared with fields".to_owned())
                    }
                    _ => None,
                };
                let message = format!("a value is needed, {}", self.found());
                self.fail(Mistake::new(self.span(), message).maybe_help(help))
            }
        }
    }
}
