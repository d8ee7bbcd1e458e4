//! The allow-list of expressions: kinds, operators, types, and calls of functions.

use sqlparser::ast::{
    BinaryOperator as Op, CastKind, DataType, ExactNumberInfo, Expr, Function, FunctionArg,
    FunctionArgExpr, FunctionArguments, Ident, Spanned, TimezoneInfo, UnaryOperator,
};

use super::check::{refuse, refuse_clauses};
use super::functions::{is_allowed, names};
use super::near::near;
use super::{SqlError, at};

/// Longest name of a table or column in the text, bytes.
pub(super) const MAX_NAME_BYTES: usize = 256;
/// Characters of a refused part that a message shows.
const MAX_SHOWN: usize = 40;

/// Refuses an expression of a kind that is not allowed; its parts are visited on their own.
pub(super) fn check_expr(expr: &Expr) -> Result<(), SqlError> {
    let allowed = match expr {
        Expr::Identifier(name) => name.value.len() <= MAX_NAME_BYTES,
        Expr::CompoundIdentifier(parts) => {
            parts.iter().map(|part| part.value.len() + 1).sum::<usize>() <= MAX_NAME_BYTES
        }
        Expr::IsFalse(_)
        | Expr::IsNotFalse(_)
        | Expr::IsTrue(_)
        | Expr::IsNotTrue(_)
        | Expr::IsNull(_)
        | Expr::IsNotNull(_)
        | Expr::IsDistinctFrom(..)
        | Expr::IsNotDistinctFrom(..)
        | Expr::InList { .. }
        | Expr::InSubquery { .. }
        | Expr::Between { .. }
        | Expr::Like { any: false, .. }
        | Expr::ILike { any: false, .. }
        | Expr::Extract { .. }
        | Expr::Ceil { .. }
        | Expr::Floor { .. }
        | Expr::Position { .. }
        | Expr::Substring { .. }
        | Expr::Trim { .. }
        | Expr::Nested(_)
        | Expr::Value(_)
        | Expr::Case { .. }
        | Expr::Interval(_)
        | Expr::Exists { .. } => true,
        Expr::BinaryOp { op, .. } => is_operator(op),
        Expr::UnaryOp { op, .. } => {
            matches!(op, UnaryOperator::Plus | UnaryOperator::Minus | UnaryOperator::Not)
        }
        Expr::Cast { kind, data_type, array: false, format: None, .. } => {
            !matches!(kind, CastKind::SafeCast) && is_type(data_type)
        }
        Expr::TypedString(typed) => !typed.uses_odbc_syntax && is_type(&typed.data_type),
        Expr::Function(function) => return check_function(function),
        Expr::Subquery(_) => {
            let way_out = "`CROSS JOIN` the subquery, whose one row then has a name";
            return refuse("a subquery as a value".into(), at(expr), way_out);
        }
        _ => false,
    };
    if allowed {
        return Ok(());
    }
    let text: String = expr.to_string().chars().take(MAX_SHOWN).collect();
    refuse(format!("`{text}`"), at(expr), "write it with the usual operators and functions")
}

fn is_operator(op: &Op) -> bool {
    matches!(
        op,
        Op::Plus
            | Op::Minus
            | Op::Multiply
            | Op::Divide
            | Op::DuckIntegerDivide
            | Op::Modulo
            | Op::StringConcat
            | Op::Gt
            | Op::Lt
            | Op::GtEq
            | Op::LtEq
            | Op::Eq
            | Op::NotEq
            | Op::Spaceship
            | Op::And
            | Op::Or
            | Op::PGRegexMatch
            | Op::PGRegexIMatch
            | Op::PGRegexNotMatch
            | Op::PGRegexNotIMatch
    )
}

fn is_type(data_type: &DataType) -> bool {
    matches!(
        data_type,
        DataType::Boolean
            | DataType::Bool
            | DataType::Int(None)
            | DataType::Integer(None)
            | DataType::BigInt(None)
            | DataType::Double(ExactNumberInfo::None)
            | DataType::DoublePrecision
            | DataType::Float(ExactNumberInfo::None)
            | DataType::Varchar(None)
            | DataType::Text
            | DataType::String(None)
            | DataType::Date
            | DataType::Timestamp(None, TimezoneInfo::None)
    )
}

/// The column `user`, which the parser takes for a function without arguments.
pub(super) fn bare_column(function: &Function) -> Option<Vec<Ident>> {
    let parts: Option<Vec<Ident>> =
        function.name.0.iter().map(|part| part.as_ident().cloned()).collect();
    parts.filter(|parts| {
        let is_user = parts.last().is_some_and(|last| last.value.eq_ignore_ascii_case("user"));
        let is_bare = function.args == FunctionArguments::None
            && function.parameters == FunctionArguments::None
            && function.filter.is_none()
            && function.null_treatment.is_none()
            && function.over.is_none()
            && function.within_group.is_empty();
        is_user && is_bare
    })
}

fn check_function(function: &Function) -> Result<(), SqlError> {
    let Function {
        name,
        uses_odbc_syntax,
        parameters,
        args,
        filter: _,
        null_treatment,
        over: _,
        within_group,
    } = function;
    if bare_column(function).is_some() {
        return Ok(());
    }
    let at = at(name);
    let lower = name.to_string().to_lowercase();
    if !is_allowed(&lower) {
        let near = near(&lower, names().map(str::to_owned));
        return Err(SqlError::NoFunction { name: name.to_string(), at, near });
    }
    let clauses = [
        ("{fn …}", *uses_odbc_syntax),
        ("f(…)(…)", *parameters != FunctionArguments::None),
        ("IGNORE NULLS", null_treatment.is_some()),
        ("WITHIN GROUP", !within_group.is_empty()),
    ];
    refuse_clauses(&clauses, at)?;
    let FunctionArguments::List(list) = args else {
        let way_out = "give the arguments in brackets";
        return refuse(format!("`{name}` without arguments"), at, way_out);
    };
    refuse_clauses(&[("a clause among arguments", !list.clauses.is_empty())], at)?;
    list.args.iter().try_for_each(|argument| match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(_)) => Ok(()),
        FunctionArg::Unnamed(FunctionArgExpr::Wildcard) if lower == "count" => Ok(()),
        _ => refuse(format!("the argument `{argument}`"), argument.span().into(), "name a column"),
    })
}
