//! The times a condition leaves, so that what lies outside need not be read.

use sqlparser::ast::{BinaryOperator, Expr, Ident, UnaryOperator, Value};

use super::moment::instant as instant_of;

const US_PER_MS: i64 = 1_000;
const DAY_US: i64 = 86_400_000_000;

/// An interval `[from, to)` of event times, microseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct Times {
    pub(in super::super) from_us: i64,
    pub(in super::super) to_us: i64,
}

impl Times {
    const ALL: Self = Self { from_us: i64::MIN, to_us: i64::MAX };

    fn and(self, other: Self) -> Self {
        Self { from_us: self.from_us.max(other.from_us), to_us: self.to_us.min(other.to_us) }
    }
}

/// The times of all rows for which a condition can hold; `None` when it says nothing of time.
///
/// Only comparisons of `ts`, `ts_ms` and `date` with constants, joined by `AND`, are understood;
/// whatever else there is can only leave fewer rows.
pub(super) fn times(condition: &Expr) -> Option<Times> {
    let times = left(condition);
    (times != Times::ALL).then_some(times)
}

fn left(condition: &Expr) -> Times {
    match condition {
        Expr::Nested(inner) => left(inner),
        Expr::BinaryOp { left: a, op: BinaryOperator::And, right: b } => left(a).and(left(b)),
        Expr::BinaryOp { left: a, op, right: b } => match (column(a), column(b)) {
            (Some(column), None) => compared(column, op, b),
            (None, Some(column)) => mirrored(op).map_or(Times::ALL, |op| compared(column, &op, a)),
            _ => Times::ALL,
        },
        Expr::Between { expr, negated: false, low, high } => match column(expr) {
            Some(column) => compared(column, &BinaryOperator::GtEq, low).and(compared(
                column,
                &BinaryOperator::LtEq,
                high,
            )),
            None => Times::ALL,
        },
        _ => Times::ALL,
    }
}

/// A column of time, by how long one of its values lasts in microseconds.
fn column(expr: &Expr) -> Option<i64> {
    let name = match expr {
        Expr::Nested(inner) => return column(inner),
        Expr::Identifier(Ident { value, .. }) => value,
        Expr::CompoundIdentifier(parts) => &parts.last()?.value,
        _ => return None,
    };
    match name.as_str() {
        "ts" => Some(1),
        "ts_ms" => Some(US_PER_MS),
        "date" => Some(DAY_US),
        _ => None,
    }
}

fn compared(lasts_us: i64, op: &BinaryOperator, constant: &Expr) -> Times {
    let Some(at_us) = instant(lasts_us, constant) else { return Times::ALL };
    let after_us = at_us.saturating_add(lasts_us);
    match op {
        BinaryOperator::Eq => Times { from_us: at_us, to_us: after_us },
        BinaryOperator::Gt | BinaryOperator::GtEq => Times { from_us: at_us, ..Times::ALL },
        BinaryOperator::Lt | BinaryOperator::LtEq => Times { to_us: after_us, ..Times::ALL },
        _ => Times::ALL,
    }
}

fn mirrored(op: &BinaryOperator) -> Option<BinaryOperator> {
    Some(match op {
        BinaryOperator::Eq => BinaryOperator::Eq,
        BinaryOperator::Gt => BinaryOperator::Lt,
        BinaryOperator::GtEq => BinaryOperator::LtEq,
        BinaryOperator::Lt => BinaryOperator::Gt,
        BinaryOperator::LtEq => BinaryOperator::GtEq,
        _ => return None,
    })
}

/// A constant as a time: a number for `ts_ms`, otherwise a text.
fn instant(lasts_us: i64, constant: &Expr) -> Option<i64> {
    if lasts_us == US_PER_MS {
        return whole(constant)?.checked_mul(US_PER_MS);
    }
    match constant {
        Expr::Nested(inner) | Expr::Cast { expr: inner, .. } => instant(lasts_us, inner),
        Expr::TypedString(typed) => text_instant(&typed.value.value),
        Expr::Value(value) => text_instant(&value.value),
        _ => None,
    }
}

fn text_instant(value: &Value) -> Option<i64> {
    let Value::SingleQuotedString(text) = value else { return None };
    Some(instant_of(text)?.as_microsecond())
}

/// A whole number, or a sum or product of such.
fn whole(expr: &Expr) -> Option<i64> {
    match expr {
        Expr::Nested(inner) => whole(inner),
        Expr::Value(value) => match &value.value {
            Value::Number(digits, _) => digits.parse().ok(),
            _ => None,
        },
        Expr::UnaryOp { op: UnaryOperator::Minus, expr } => whole(expr)?.checked_neg(),
        Expr::BinaryOp { left, op, right } => {
            let (a, b) = (whole(left)?, whole(right)?);
            match op {
                BinaryOperator::Plus => a.checked_add(b),
                BinaryOperator::Minus => a.checked_sub(b),
                BinaryOperator::Multiply => a.checked_mul(b),
                _ => None,
            }
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::super::Query;
    use super::super::tests::fields;
    use super::Times;

    fn check(condition: &str, expected: Option<(i64, i64)>) {
        let sql = format!("SELECT COUNT(*) FROM logs WHERE {condition}");
        let times = Query::parse(&sql, &fields).expect(condition).times();
        let expected = expected.map(|(from_us, to_us)| Times { from_us, to_us });
        assert_eq!(times, expected, "{condition}");
    }

    #[test]
    fn conditions_leave_times() {
        const ALL: (i64, i64) = (i64::MIN, i64::MAX);
        let t_us = 1_731_024_000_000_000;
        for (condition, expected) in [
            ("status = 500", None),
            ("ts_ms >= 1731024000000", Some((t_us, ALL.1))),
            ("ts_ms > 1731024000000 AND ts_ms < 1731024001000", Some((t_us, t_us + 1_001_000))),
            ("1731024000000 <= ts_ms AND status = 500", Some((t_us, ALL.1))),
            ("ts_ms = 1731024000000", Some((t_us, t_us + 1_000))),
            ("ts_ms <= 1731024000000 - 3600 * 1000", Some((ALL.0, t_us - 3_600_000_000 + 1_000))),
            ("ts_ms BETWEEN 1731024000000 AND 1731024000001", Some((t_us, t_us + 2_000))),
            ("ts_ms NOT BETWEEN 1 AND 2", None),
            ("ts_ms >= 1731024000000 OR status = 500", None), // other rows are left too
            ("NOT (ts_ms >= 1731024000000)", None),
            ("ts >= '2024-11-08'", Some((t_us, ALL.1))),
            ("ts < '2024-11-08T00:00:01'", Some((ALL.0, t_us + 1_000_001))),
            ("ts >= CAST('2024-11-08 00:00:00' AS TIMESTAMP)", Some((t_us, ALL.1))),
            ("date = '2024-11-08'", Some((t_us, t_us + 86_400_000_000))),
            ("(date = DATE '2024-11-08') AND status = 1", Some((t_us, t_us + 86_400_000_000))),
            ("ts >= '2024-11-08T01:00:00+01:00'", Some((t_us, ALL.1))),
            ("ts >= 'yesterday'", None),
            ("ts_ms >= status", None),
            ("ts_ms >= 99999999999999999", None), // beyond the calendar: left to the engine
        ] {
            check(condition, expected);
        }
    }
}
