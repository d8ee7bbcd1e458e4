//! What is measured.

use super::Parser;
use crate::model::nearest;
use crate::rule::ast::{Field, Filter, Measure, Span};
use crate::rule::check;
use crate::rule::column::{self, Holds};
use crate::rule::mistake::{Mistake, did_you_mean, quote};
use crate::rule::quantity::Quantity;
use crate::rule::token::Token;

/// How a measure is made of its field.
type OfField = fn(Field) -> Measure;

/// Names of measures of one field, without quantiles.
const OF_FIELD: [(&str, OfField); 7] = [
    ("avg", Measure::Average),
    ("max", Measure::Max),
    ("min", Measure::Min),
    ("sum", Measure::Sum),
    ("distinct", Measure::Distinct),
    ("shift", Measure::Shift),
    ("new", Measure::New),
];
/// Names of measures of rows.
const OF_ROWS: [(&str, Measure); 3] =
    [("count", Measure::Count), ("rate", Measure::Rate), ("age", Measure::Age)];
/// Names of the others, quantiles by the usual ones.
const OTHERS: [&str; 6] = ["p50", "p90", "p95", "p99", "share", "novelty"];
/// Names that other languages have for them.
const OTHER_NAMES: [(&str, &str); 16] = [
    ("mean", "avg(field)"),
    ("average", "avg(field)"),
    ("median", "p50(field)"),
    ("quantile", "p95(field)"),
    ("percentile", "p95(field)"),
    ("maximum", "max(field)"),
    ("minimum", "min(field)"),
    ("total", "sum(field)"),
    ("unique", "distinct(field)"),
    ("uniq", "distinct(field)"),
    ("rps", "rate()"),
    ("freshness", "age()"),
    ("ratio", "share(status >= 500)"),
    ("percent", "share(status >= 500)"),
    ("errors", "share(status >= 500)"),
    ("error_rate", "share(status >= 500)"),
];
const MEASURES: &str = "measures are `p95(field)`, `avg`, `max`, `min`, `sum`, `distinct`, `shift` \
                        and `new` of a field, `count()`, `rate()`, `age()`, `share(condition)` and \
                        `novelty(measure)`";

impl Parser<'_> {
    /// `p95(duration)`, `count()`, `share(status >= 500)`.
    pub(super) fn measure(&mut self) -> Option<Measure> {
        let span = self.span();
        let Some(Token::Word(word)) = self.peek() else { return self.no_measure() };
        let (word, name) = (*word, word.to_ascii_lowercase());
        if self.peek_next() != Some(&Token::Sign("(")) {
            return self.bare(word, &name);
        }
        self.advance();
        self.advance();
        let measure = match name.as_str() {
            "share" => Measure::Share(self.share()?),
            "novelty" => Measure::Novelty(Box::new(self.novelty_of()?)),
            _ => self.plain_measure(word, &name, span)?,
        };
        self.close(&name)?;
        Some(measure)
    }

    fn plain_measure(&mut self, word: &str, name: &str, span: Span) -> Option<Measure> {
        if let Some((_, measure)) = OF_ROWS.iter().find(|(known, _)| *known == name) {
            return self.nothing_inside(name).map(|()| measure.clone());
        }
        let of_field = OF_FIELD.iter().find(|(known, _)| *known == name);
        let percent = percent(name);
        if of_field.is_none() && percent.is_none() {
            let of_field = OF_FIELD.iter().map(|(name, _)| *name);
            let of_rows = OF_ROWS.iter().map(|(name, _)| *name);
            let names = OTHERS.into_iter().chain(of_field).chain(of_rows);
            let other = OTHER_NAMES.iter().find(|(other, _)| *other == name);
            let meant = other.map(|(_, measure)| *measure).or_else(|| nearest(name, names));
            let help = meant.map_or_else(|| MEASURES.to_owned(), did_you_mean);
            let message = format!("{} is no measure", quote(word));
            return self.fail(Mistake::new(span, message).help(help));
        }
        let such_as = if name == "new" { "new(template)" } else { &format!("{name}(duration)") };
        let field = self.field(&format!("`{name}`"), such_as)?;
        let measure = match (of_field, percent) {
            (Some((_, measure)), _) => measure(field),
            (_, percent) => Measure::Quantile { percent: percent?, field },
        };
        self.mistakes.extend(check::measure(&measure, span));
        Some(measure)
    }

    fn share(&mut self) -> Option<Filter> {
        if self.is_sign(")") {
            let message = "`share` needs a condition, found nothing";
            let help = "write `share(status >= 500)`";
            return self.fail(Mistake::new(self.span(), message).help(help));
        }
        Some(self.conditions())
    }

    /// A measure, or a field for its usual measure.
    fn novelty_of(&mut self) -> Option<Measure> {
        let span = self.span();
        if let (Some(Token::Word(word)), Some(Token::Sign("("))) = (self.peek(), self.peek_next()) {
            let name = word.to_ascii_lowercase();
            if matches!(name.as_str(), "novelty" | "shift" | "age" | "new") {
                let message = format!("`novelty` cannot be taken of `{name}`");
                let help = "write `novelty(p95(duration))` or `novelty(count())`";
                return self.fail(Mistake::new(span, message).help(help));
            }
            return self.measure();
        }
        let field = self.field("`novelty`", "novelty(duration)")?;
        let measure = if column::holds(&field.name) == Holds::Time {
            Measure::Quantile { percent: 95.0, field }
        } else {
            Measure::Average(field)
        };
        self.mistakes.extend(check::measure(&measure, span));
        Some(measure)
    }

    fn nothing_inside(&mut self, name: &str) -> Option<()> {
        if self.is_sign(")") {
            return Some(());
        }
        let message = format!("`{name}()` takes nothing in its parentheses, {}", self.found());
        let help = match name {
            "count" => "`distinct(field)` counts values; conditions on rows stand behind `where`",
            _ => "conditions on rows stand behind `where`",
        };
        self.fail(Mistake::new(self.span(), message).help(help))
    }

    fn close(&mut self, name: &str) -> Option<()> {
        if self.take_sign(")") {
            return Some(());
        }
        if let Some(Token::Unclosed) = self.peek() {
            return self.unclosed();
        }
        let message = format!("`{name}(` needs its `)` here, {}", self.found());
        self.fail(Mistake::new(self.span(), message))
    }

    /// A word without parentheses stands where a measure should.
    fn bare(&mut self, word: &str, name: &str) -> Option<Measure> {
        let is_of_rows = OF_ROWS.iter().any(|(known, _)| *known == name);
        let is_of_field = OF_FIELD.iter().any(|(known, _)| *known == name);
        let help = match name {
            _ if is_of_rows => format!("write `{name}()`"),
            "share" => "write `share(status >= 500)`".to_owned(),
            _ if is_of_field || percent(name).is_some() => format!("write `{name}(field)`"),
            "not" => "turn the comparison round: `<` is not `>=`".to_owned(),
            "where" | "per" | "for" => return self.no_measure(),
            _ => "conditions on rows stand behind `where` or inside of `share(…)`".to_owned(),
        };
        let message = format!("{} is no measure", quote(word));
        self.fail(Mistake::new(self.span(), message).help(help))
    }

    fn no_measure(&mut self) -> Option<Measure> {
        let help = match self.peek() {
            Some(Token::Unclosed) => return self.unclosed(),
            Some(Token::Sign("(")) => "terms stand without parentheses, joined by `and`",
            Some(Token::Sign("!")) => "turn the comparison round: `<` is not `>=`",
            Some(Token::Number(..)) => "the measure stands on the left, the limit on the right",
            _ => "write such as `p95(duration) < 300ms` or `count() > 0`",
        };
        let message = format!("a measure is needed, {}", self.found());
        self.fail(Mistake::new(self.span(), message).help(help))
    }
}

/// 95 of `p95`, also where it is beyond what a quantile can be.
fn percent(name: &str) -> Option<f64> {
    let digits = name.strip_prefix('p')?;
    let is_plain = digits.chars().all(|c| c.is_ascii_digit() || c == '.');
    let quantity = Quantity::read(digits, "").ok().filter(|_| is_plain);
    quantity.map(Quantity::base)
}
