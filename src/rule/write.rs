//! The canonical text of rules.

use std::fmt::{Display, Formatter, Result};

use super::ast::{
    Cmp, Condition, Field, Filter, Limit, Measure, Offset, Rule, Term, Test, UsualMethod, Value,
};
use super::column;
use super::quantity::Quantity;
use super::token::{is_keyword, is_plain_name};

impl Display for Rule {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        joined(f, &self.terms, " and ")?;
        if !self.filter.conditions.is_empty() {
            write!(f, " where {}", self.filter)?;
        }
        if let Some(field) = &self.per {
            write!(f, " per {field}")?;
        }
        match self.hold {
            Some(hold) => write!(f, " for {}", Quantity::Time(hold.as_millis() as f64)),
            None => Ok(()),
        }
    }
}

impl Display for Term {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{} {} {}", self.measure, self.cmp, self.limit)
    }
}

impl Display for Measure {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Quantile { percent, field } => write!(f, "p{percent}({field})"),
            Self::Average(field) => write!(f, "avg({field})"),
            Self::Max(field) => write!(f, "max({field})"),
            Self::Min(field) => write!(f, "min({field})"),
            Self::Sum(field) => write!(f, "sum({field})"),
            Self::Count => f.write_str("count()"),
            Self::Rate => f.write_str("rate()"),
            Self::Share(filter) => write!(f, "share({filter})"),
            Self::Distinct(field) => write!(f, "distinct({field})"),
            Self::Shift(field) => write!(f, "shift({field})"),
            Self::Age => f.write_str("age()"),
            Self::New(field) => write!(f, "new({field})"),
            Self::Novelty(measure) => write!(f, "novelty({measure})"),
        }
    }
}

impl Display for Cmp {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(self.as_str())
    }
}

impl Display for Limit {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Literal(quantity) => quantity.fmt(f),
            Self::Baseline(offset) => write!(f, "baseline{offset}"),
            Self::Usual { method, parameter } => {
                let unit = if method.is_rate() { "%" } else { "" };
                write!(f, "usual({method}, {parameter}{unit})")
            }
            Self::BeforeChange(offset) => write!(f, "before_change{offset}"),
        }
    }
}

impl Display for UsualMethod {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        f.write_str(self.as_str())
    }
}

/// With a space in front, and nothing for no offset: what stands behind a level.
impl Display for Offset {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self.0 {
            _ if *self == Self::NONE => Ok(()),
            quantity if quantity.base() < 0.0 => write!(f, " - {}", quantity.negated()),
            quantity => write!(f, " + {quantity}"),
        }
    }
}

impl Display for Filter {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        joined(f, &self.conditions, " and ")
    }
}

impl Display for Condition {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        write!(f, "{} {}", self.field, self.test)
    }
}

impl Display for Test {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let list = |f: &mut Formatter<'_>, word: &str, values: &[Value]| {
            write!(f, "{word} (")?;
            joined(f, values, ", ")?;
            f.write_str(")")
        };
        match self {
            Self::Compare(cmp, value) => write!(f, "{cmp} {value}"),
            Self::In(values) => list(f, "in", values),
            Self::NotIn(values) => list(f, "not in", values),
            Self::Like(pattern) => write!(f, "like {}", quoted(pattern.as_str(), '"')),
            Self::NotLike(pattern) => write!(f, "not like {}", quoted(pattern.as_str(), '"')),
            Self::Matches(pattern) => write!(f, "~ {}", quoted(pattern.as_str(), '"')),
            Self::NotMatches(pattern) => write!(f, "!~ {}", quoted(pattern.as_str(), '"')),
            Self::Exists => f.write_str("exists"),
            Self::Missing => f.write_str("missing"),
        }
    }
}

impl Display for Value {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        match self {
            Self::Text(text) => f.write_str(&quoted(text, '"')),
            Self::Number(number) => number.fmt(f),
            Self::Time(ms) => Quantity::Time(*ms).fmt(f),
        }
    }
}

/// As people write it; in backticks where the name alone would be read as something else.
impl Display for Field {
    fn fmt(&self, f: &mut Formatter<'_>) -> Result {
        let name = column::short_name(&self.name);
        if is_plain_name(name) && !is_keyword(name) {
            f.write_str(name)
        } else {
            f.write_str(&quoted(name, '`'))
        }
    }
}

/// A quote in the text is written twice.
fn quoted(text: &str, quote: char) -> String {
    let doubled = text.replace(quote, &format!("{quote}{quote}"));
    format!("{quote}{doubled}{quote}")
}

fn joined<T: Display>(f: &mut Formatter<'_>, parts: &[T], between: &str) -> Result {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            f.write_str(between)?;
        }
        part.fmt(f)?;
    }
    Ok(())
}
