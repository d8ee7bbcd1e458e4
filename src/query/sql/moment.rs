//! Times that a query writes as text: read with or without a zone, and written in UTC without one,
//! as the engine compares them.

use std::ops::ControlFlow;

use jiff::Timestamp;
use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;
use sqlparser::ast::{
    BinaryOperator, CastKind, DataType, Expr, Ident, Query as Tree, TimezoneInfo, TypedString,
    Value, ValueWithSpan, VisitMut, VisitorMut,
};

const TIMESTAMP: DataType = DataType::Timestamp(None, TimezoneInfo::None);

/// Rewrites texts that are typed as times, or compared with the columns of time, whose names are
/// resolved by then. What is no time is left for the engine to refuse.
///
/// polars 0.55 compares no text that has a zone, and prints that it casts others.
pub(super) fn settle(tree: &mut Tree) {
    let _: ControlFlow<()> = VisitMut::visit(tree, &mut Settle);
}

/// The instant a text means, in UTC where it names no zone.
pub(super) fn instant(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let civil: DateTime = text.parse().ok()?;
        Some(civil.to_zoned(TimeZone::UTC).ok()?.timestamp())
    })
}

struct Settle;

impl VisitorMut for Settle {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        match expr {
            Expr::BinaryOp { left, op, right } if is_comparison(op) => {
                if is_instant(left) {
                    settle_text(right, &TIMESTAMP);
                } else if is_instant(right) {
                    settle_text(left, &TIMESTAMP);
                }
            }
            Expr::Between { expr, low, high, .. } if is_instant(expr) => {
                settle_text(low, &TIMESTAMP);
                settle_text(high, &TIMESTAMP);
            }
            Expr::InList { expr: column, list, negated } => {
                let data_type = if is_column(column, "date") { DataType::Date } else { TIMESTAMP };
                if (is_instant(column) || data_type == DataType::Date)
                    && let Some(any) = among(column, list, &data_type, *negated)
                {
                    *expr = any;
                }
            }
            Expr::Cast { expr: text, data_type, .. } => {
                if let Expr::Value(text) = text.as_ref()
                    && let Some(settled) = typed(&text.value, data_type)
                {
                    *expr = settled;
                }
            }
            Expr::TypedString(TypedString { data_type, value, .. }) => {
                if let Some(settled) = typed(&value.value, data_type) {
                    *expr = settled;
                }
            }
            _ => {}
        }
        ControlFlow::Continue(())
    }
}

fn is_comparison(op: &BinaryOperator) -> bool {
    use BinaryOperator::{Eq, Gt, GtEq, Lt, LtEq, NotEq, Spaceship};
    matches!(op, Eq | NotEq | Lt | LtEq | Gt | GtEq | Spaceship)
}

fn is_instant(expr: &Expr) -> bool {
    is_column(expr, "ts") || is_column(expr, "observed_ts")
}

fn is_column(expr: &Expr, column: &str) -> bool {
    match expr {
        Expr::Nested(inner) => is_column(inner, column),
        Expr::Identifier(Ident { value, .. }) => value == column,
        Expr::CompoundIdentifier(parts) => parts.last().is_some_and(|last| last.value == column),
        _ => false,
    }
}

fn settle_text(expr: &mut Expr, data_type: &DataType) {
    match expr {
        Expr::Nested(inner) => settle_text(inner, data_type),
        Expr::Value(ValueWithSpan { value, .. }) => {
            if let Some(settled) = typed(value, data_type) {
                *expr = settled;
            }
        }
        _ => {}
    }
}

/// A list of times as comparisons, for the engine takes no typed texts in lists; as flat a tree of
/// them as can be. `None` when not all are times.
fn among(column: &Expr, list: &[Expr], data_type: &DataType, negated: bool) -> Option<Expr> {
    use BinaryOperator::{And, Eq, NotEq, Or};
    let binary = |left, op, right| {
        let [left, right] = [left, right].map(Box::new);
        Expr::Nested(Box::new(Expr::BinaryOp { left, op, right }))
    };
    match list {
        [Expr::Value(text)] => {
            let op = if negated { NotEq } else { Eq };
            Some(binary(column.clone(), op, typed(&text.value, data_type)?))
        }
        [] | [_] => None,
        _ => {
            let (first, second) = list.split_at(list.len() / 2);
            let [first, second] =
                [first, second].map(|half| among(column, half, data_type, negated));
            Some(binary(first?, if negated { And } else { Or }, second?))
        }
    }
}

/// A text as a time of a type; a day is made of its midnight, which polars casts in silence.
fn typed(value: &Value, data_type: &DataType) -> Option<Expr> {
    let Value::SingleQuotedString(text) = value else { return None };
    let literal = |at: DateTime| {
        Expr::TypedString(TypedString {
            data_type: TIMESTAMP,
            value: Value::SingleQuotedString(at.to_string()).into(),
            uses_odbc_syntax: false,
        })
    };
    match data_type {
        DataType::Timestamp(None, TimezoneInfo::None) => {
            Some(literal(TimeZone::UTC.to_datetime(instant(text)?)))
        }
        DataType::Date => Some(Expr::Cast {
            kind: CastKind::Cast,
            expr: Box::new(literal(text.parse::<Date>().ok()?.to_datetime(Time::midnight()))),
            data_type: DataType::Date,
            array: false,
            format: None,
        }),
        _ => None,
    }
}
