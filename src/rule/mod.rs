//! The grammar of rules: an expression in, a checked value or all that is wrong with it out.
//!
//! ```text
//! p95(duration) < 300ms and p95(duration) < baseline + 10% where route = "/api/orders" for 5m
//!     └─▶ token   words, numbers, texts, signs       never fails
//!     └─▶ parse   terms, filter, `per`, `for`        goes on behind a mistake
//!     └─▶ check   units, fields, bounds              of each piece as soon as it is read
//! ```
//! Texts stand in single or double quotes; a quote inside is written twice, and a backslash is a
//! backslash, as patterns need it. Field names with other signs than letters, digits, `_` and `.`
//! stand in backticks. Keywords, measures and limits are read in any case of letters.
//!
//! Only `and`, no nesting: a rule that needs more is two rules, each with a name of its own.
//! Whether records have a field is known when they are read: see [`unknown_field`].

mod ast;
mod check;
mod column;
mod mistake;
mod parse;
mod pattern;
mod quantity;
#[cfg(test)]
mod tests;
mod token;
mod write;

pub use ast::{
    Cmp, Condition, Field, Filter, Limit, Measure, Offset, Rule, Span, Term, Test, UsualMethod,
    Value,
};
pub use mistake::{Mistake, unknown_field, unknown_word};
pub use pattern::Pattern;
pub use quantity::{Every, Quantity};

use parse::Parser;

/// Reads a rule such as `p95(duration) < 300ms where route = "/api/orders"`.
///
/// # Errors
/// All that is wrong, in the order of the text; never empty.
pub fn parse_rule(text: &str) -> Result<Rule, Vec<Mistake>> {
    Parser::new(text).rule()
}

/// Reads conditions on rows such as `status < 500 and route exists`; at least one.
///
/// # Errors
/// All that is wrong, in the order of the text; never empty.
pub fn parse_filter(text: &str) -> Result<Filter, Vec<Mistake>> {
    Parser::new(text).filter()
}
