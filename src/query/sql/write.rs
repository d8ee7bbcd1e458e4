//! From a tree back to text, exactly; and values of parameters into a tree.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Query as Tree, UnaryOperator, Value, ValueWithSpan, VisitMut, VisitorMut,
};

use super::{SqlError, at, on_deep_stack, parse_one, parse_unlimited};

/// A value of a parameter.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) enum Literal {
    /// Text of any characters.
    Text(String),
    /// Whole number.
    Integer(i64),
    /// Finite number.
    Number(f64),
}

/// A query's text with each `:name` as the literal of that name.
pub(in super::super) fn bind(
    sql: &str,
    literals: &BTreeMap<String, Literal>,
) -> Result<String, SqlError> {
    on_deep_stack(|| {
        let mut tree = parse_one(sql)?;
        let _: ControlFlow<()> = VisitMut::visit(&mut tree, &mut Binder { literals });
        write(&tree)
    })
}

struct Binder<'a> {
    literals: &'a BTreeMap<String, Literal>,
}

impl VisitorMut for Binder<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let Expr::Value(ValueWithSpan { value: Value::Placeholder(name), .. }) = expr else {
            return ControlFlow::Continue(());
        };
        let literal = name.strip_prefix(':').and_then(|name| self.literals.get(name));
        match literal {
            Some(Literal::Text(text)) => *expr = value(Value::SingleQuotedString(text.clone())),
            Some(Literal::Integer(number)) => {
                *expr = signed(*number < 0, number.unsigned_abs().to_string());
            }
            Some(Literal::Number(number)) => {
                *expr = signed(number.is_sign_negative(), format!("{:?}", number.abs()));
            }
            // Left for the check to refuse.
            None => {}
        }
        ControlFlow::Continue(())
    }
}

fn value(value: Value) -> Expr {
    Expr::Value(value.into())
}

/// A number; a negative one is in brackets, as `--` would start a comment.
fn signed(is_negative: bool, digits: String) -> Expr {
    let number = value(Value::Number(digits, false));
    if !is_negative {
        return number;
    }
    let negated = Expr::UnaryOp { op: UnaryOperator::Minus, expr: Box::new(number) };
    Expr::Nested(Box::new(negated))
}

/// The tree as text that parses to the same tree.
///
/// The parser's own `Display` leaves a quote alone that follows a quote or a backslash, so that
/// `'\''` and what follows would come back as something else. Quotes are therefore doubled
/// first, which it leaves as they are, and the text is parsed again and compared.
pub(super) fn write(tree: &Tree) -> Result<String, SqlError> {
    let mut doubled = tree.clone();
    let _: ControlFlow<()> = VisitMut::visit(&mut doubled, &mut DoubleQuotes);
    let text = doubled.to_string();
    match parse_unlimited(&text) {
        Ok(again) if again == *tree => Ok(text),
        _ => Err(SqlError::NotAllowed {
            what: "a part that cannot be written back as it was read".to_owned(),
            at: at(tree),
            way_out: "write it more simply",
        }),
    }
}

struct DoubleQuotes;

impl VisitorMut for DoubleQuotes {
    type Break = ();

    fn pre_visit_value(&mut self, value: &mut ValueWithSpan) -> ControlFlow<()> {
        if let Value::SingleQuotedString(text) = &mut value.value {
            *text = text.replace('\'', "''");
        }
        ControlFlow::Continue(())
    }
}
