//! What is known of a checked query before it runs: its parts, and which rows it cannot need.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Ident,
    LimitClause, OrderBy, OrderByKind, Query as Tree, Select, SelectItem, SetExpr, Value,
    ValueWithSpan, Visit, VisitMut, Visitor, VisitorMut,
};

use crate::frame::Column;

use super::check::LOGS;
use super::cost::{has_aggregate, is_logs, number};
use super::functions::is_aggregate;
use super::write::write;
use super::{SqlError, parse_one};

/// Whether each row of the result is made of one row of `logs`, in their order or sorted.
pub(super) fn is_row_by_row(tree: &Tree) -> bool {
    let SetExpr::Select(select) = tree.body.as_ref() else { return false };
    let makes_row = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            !has_aggregate(expr) && !needs_other_rows(expr)
        }
        _ => true,
    };
    plain_source(select)
        && select.distinct.is_none()
        && select.having.is_none()
        && select.qualify.is_none()
        && select.group_by == GroupByExpr::Expressions(vec![], vec![])
        && select.projection.iter().all(makes_row)
        && select.selection.as_ref().is_none_or(|filter| !needs_other_rows(filter))
}

/// Whether a select reads `logs` alone.
fn plain_source(select: &Select) -> bool {
    matches!(select.from.as_slice(), [tables] if tables.joins.is_empty() && is_logs(&tables.relation))
}

/// Whether an expression has a window function or a subquery.
fn needs_other_rows(expr: &Expr) -> bool {
    struct Others;
    impl Visitor for Others {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Function(function) if function.over.is_some() => ControlFlow::Break(()),
                Expr::InSubquery { .. } | Expr::Exists { .. } => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    expr.visit(&mut Others).is_break()
}

/// The condition on rows of `logs` that every row of the result comes from.
///
/// Only of a query that names `logs` once, and there alone in its `FROM`: rows dropped are then
/// seen by nothing else. The whole query filters again, which costs little and is always right.
pub(super) fn row_condition(tree: &Tree) -> Option<Expr> {
    let mut reads = Reads::default();
    let _: ControlFlow<()> = tree.visit(&mut reads);
    let (1, Some(select)) = (reads.logs, reads.select) else { return None };
    let mut condition = select.selection.filter(|condition| !needs_other_rows(condition))?;
    let _: ControlFlow<()> = VisitMut::visit(&mut condition, &mut Unqualify);
    Some(condition)
}

/// The query that drops the rows of a batch for which a condition does not hold.
pub(super) fn batch_filter(condition: Expr) -> Result<String, SqlError> {
    let mut filter = parse_one(&format!("SELECT * FROM {LOGS}"))?;
    if let SetExpr::Select(of_batch) = filter.body.as_mut() {
        of_batch.selection = Some(condition);
    }
    write(&filter)
}

#[derive(Default)]
struct Reads {
    logs: usize,
    select: Option<Select>,
}

impl Visitor for Reads {
    type Break = ();

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        if plain_source(select) {
            self.select = Some(select.clone());
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &sqlparser::ast::TableFactor) -> ControlFlow<()> {
        self.logs += usize::from(is_logs(factor));
        ControlFlow::Continue(())
    }
}

/// Drops table names: the filter's only table is `logs`, whatever it is called in the query.
pub(super) struct Unqualify;

impl VisitorMut for Unqualify {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        if let Expr::CompoundIdentifier(parts) = expr
            && let Some(column) = parts.pop()
        {
            *expr = Expr::Identifier(column);
        }
        ControlFlow::Continue(())
    }
}

/// Whether the aggregates of a query have one value whatever order their values come in.
///
/// Sums of f64 do not, unless all terms are whole numbers; quantiles do, but the streaming engine
/// gives them to the other one, with all rows at once.
pub(super) fn is_order_free(tree: &Tree) -> bool {
    struct OrderBound;
    impl Visitor for OrderBound {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
            let name = function.name.to_string().to_lowercase();
            let is_free = function.over.is_none()
                && match name.as_str() {
                    "count" | "min" | "max" => true,
                    "sum" | "avg" | "total" => adds_whole_numbers(function),
                    _ => !is_aggregate(&name),
                };
            if is_free { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
        }
    }
    tree.visit(&mut OrderBound).is_continue()
}

/// Whether a sum's terms are whole: a column of counts, or a `CASE` between whole literals.
fn adds_whole_numbers(function: &Function) -> bool {
    fn is_whole(expr: &Expr) -> bool {
        match expr {
            Expr::Identifier(name) => ["status", "severity_number"].contains(&name.value.as_str()),
            Expr::Value(ValueWithSpan { value: Value::Number(digits, _), .. }) => {
                digits.parse::<f64>().is_ok_and(|number| number.fract() == 0.0)
            }
            Expr::Cast { expr, .. } | Expr::Nested(expr) => is_whole(expr),
            Expr::Case { conditions, else_result, .. } => {
                conditions.iter().all(|case| is_whole(&case.result))
                    && else_result.as_deref().is_none_or(is_whole)
            }
            _ => false,
        }
    }
    match &function.args {
        FunctionArguments::List(list) => list.args.iter().all(|argument| {
            matches!(argument, FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) if is_whole(expr))
        }),
        _ => false,
    }
}

/// A grouping that can be computed part by part, each part with all rows of its groups.
#[derive(Clone, Debug)]
pub(super) struct Parts {
    /// Selects the group keys of `logs`.
    pub keys: String,
    /// Selects the groups of a part, which is `logs`.
    pub part: String,
    /// Orders and limits the groups of all parts, which are `logs`.
    pub whole: String,
}

/// How to compute a query part by part, when it is one grouping of `logs`.
pub(super) fn parts(tree: &Tree, columns: &[Column]) -> Result<Option<Parts>, SqlError> {
    let SetExpr::Select(select) = tree.body.as_ref() else { return Ok(None) };
    let GroupByExpr::Expressions(keys, _) = &select.group_by else { return Ok(None) };
    let is_group = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            !needs_other_rows(expr)
        }
        _ => false,
    };
    let order_is_by_place = match &tree.order_by {
        Some(OrderBy { kind: OrderByKind::Expressions(keys), .. }) => {
            keys.iter().all(|key| number(&key.expr).is_some())
        }
        _ => false,
    };
    let is_grouping = tree.with.is_none()
        && plain_source(select)
        && !keys.is_empty()
        && select.distinct.is_none()
        && select.qualify.is_none()
        && select.projection.iter().all(is_group)
        && [&select.selection, &select.having].into_iter().flatten().all(|e| !needs_other_rows(e))
        && order_is_by_place;
    if !is_grouping {
        return Ok(None);
    }
    let mut keys_tree = parse_one(&format!("SELECT * FROM {LOGS}"))?;
    let mut whole_tree = keys_tree.clone();
    if let SetExpr::Select(of_keys) = keys_tree.body.as_mut() {
        of_keys.projection =
            (1..).zip(keys).map(|(n, key)| key_item(n, key, select, columns)).collect();
    }
    whole_tree.order_by.clone_from(&tree.order_by);
    whole_tree.limit_clause.clone_from(&tree.limit_clause);
    let mut part_tree = tree.clone();
    part_tree.order_by = None;
    part_tree.limit_clause = None;
    Ok(Some(Parts {
        keys: write(&keys_tree)?,
        part: write(&part_tree)?,
        whole: write(&whole_tree)?,
    }))
}

/// A group key as a column; a number stands for the selected column at its place, and a name that
/// is no column of `logs` for the selected column of that name.
pub(super) fn key_item(n: usize, key: &Expr, select: &Select, columns: &[Column]) -> SelectItem {
    let is_column = |name: &Ident| columns.iter().any(|column| column.name() == name.value);
    let selected = match key {
        Expr::Identifier(name) if !is_column(name) => select.projection.iter().find(
            |item| matches!(item, SelectItem::ExprWithAlias { alias, .. } if alias.value == name.value),
        ),
        _ => number(key)
            .and_then(|place| select.projection.get(usize::try_from(place).ok()?.checked_sub(1)?)),
    };
    let mut expr = match selected {
        Some(SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }) => {
            expr.clone()
        }
        _ => key.clone(),
    };
    let _: ControlFlow<()> = VisitMut::visit(&mut expr, &mut Unqualify);
    SelectItem::ExprWithAlias { expr, alias: Ident::new(format!("key{n}")) }
}

/// Rows after which the result is complete: of a select row by row with `LIMIT` and no order.
pub(super) fn enough_rows(tree: &Tree) -> Option<u64> {
    let Some(LimitClause::LimitOffset { limit: Some(limit), offset, .. }) = &tree.limit_clause
    else {
        return None;
    };
    if tree.with.is_some() || tree.order_by.is_some() || !is_row_by_row(tree) {
        return None;
    }
    let skipped = offset.as_ref().map_or(Some(0), |offset| number(&offset.value))?;
    number(limit)?.checked_add(skipped)
}
