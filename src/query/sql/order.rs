//! The order of a result: by what a query says, and the same on every run.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, Function, GroupByExpr, Ident, OrderBy, OrderByExpr, OrderByKind, OrderByOptions,
    Query as Tree, Select, SelectItem, SetExpr, Value, VisitMut, VisitorMut,
};

use super::cost::{has_aggregate, is_one_row};
use super::functions::is_aggregate;
use super::plan::is_row_by_row;
use super::{SqlError, at};

/// Selects the aggregates that an `ORDER BY` names and its select does not, and returns how many
/// columns that added at the end: polars 0.55 would take them over the groups instead of the rows.
///
/// # Errors
/// When a query within the query, or one whose columns cannot be added to, needs that.
pub(super) fn select_sort_keys(tree: &mut Tree) -> Result<usize, SqlError> {
    let columns = |tree: &Tree| match tree.body.as_ref() {
        SetExpr::Select(select) => select.projection.len(),
        _ => 0,
    };
    let shown = columns(tree);
    let mut keys = SortKeys { depth: 0 };
    match VisitMut::visit(tree, &mut keys) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(columns(tree) - shown),
    }
}

struct SortKeys {
    /// Queries around what is visited.
    depth: usize,
}

impl VisitorMut for SortKeys {
    type Break = SqlError;

    fn pre_visit_query(&mut self, tree: &mut Tree) -> ControlFlow<SqlError> {
        self.depth += 1;
        let Some(OrderBy { kind: OrderByKind::Expressions(keys), .. }) = &mut tree.order_by else {
            return ControlFlow::Continue(());
        };
        let mut select = match tree.body.as_mut() {
            SetExpr::Select(select) if is_one_row(select) => return ControlFlow::Continue(()),
            SetExpr::Select(select) => Some(select),
            _ => None,
        };
        for key in keys.iter_mut().filter(|key| has_aggregate(&key.expr)) {
            let select = select.as_mut().filter(|select| {
                self.depth == 1 && is_extensible(select) || is_selected(select, &key.expr)
            });
            let Some(select) = select else {
                return ControlFlow::Break(SqlError::NotAllowed {
                    what: format!("`ORDER BY {}` without selecting it", key.expr),
                    at: at(&key.expr),
                    way_out: "select it with a name, and order by the name",
                });
            };
            key.expr = ordinal(place_of(select, &key.expr)).expr;
        }
        ControlFlow::Continue(())
    }

    fn post_visit_query(&mut self, _tree: &mut Tree) -> ControlFlow<SqlError> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }
}

/// Whether one more aggregate changes nothing but the columns.
fn is_extensible(select: &Select) -> bool {
    select.distinct.is_none()
        && select.group_by != GroupByExpr::Expressions(vec![], vec![])
        && selected_columns(select).is_some()
}

fn is_selected(select: &Select, key: &Expr) -> bool {
    selected_columns(select).is_some() && select.projection.iter().any(|item| is_of(item, key))
}

fn is_of(item: &SelectItem, key: &Expr) -> bool {
    matches!(item, SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. }
        if expr == key)
}

/// The place, from 1, of a key among the selected columns, where it is added if need be.
fn place_of(select: &mut Select, key: &Expr) -> usize {
    let known = select.projection.iter().position(|item| is_of(item, key));
    let place = known.unwrap_or(select.projection.len()) + 1;
    if known.is_none() {
        let mut expr = key.clone();
        let mut aliases = Aliases { of: select, aggregates: 0 };
        let _: ControlFlow<()> = VisitMut::visit(&mut expr, &mut aliases);
        // With a space before it, which no field has.
        let alias = Ident::with_quote('"', format!(" key {place}"));
        select.projection.push(SelectItem::ExprWithAlias { expr, alias });
    }
    place
}

/// Puts what they stand for in the place of names that the select gives to aggregates.
struct Aliases<'a> {
    of: &'a Select,
    /// Aggregates around what is visited: within one, a name is a column.
    aggregates: usize,
}

impl VisitorMut for Aliases<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        self.aggregates += usize::from(is_aggregation(expr));
        if let Expr::Identifier(name) = &*expr
            && self.aggregates == 0
        {
            let meant = self.of.projection.iter().find_map(|item| match item {
                SelectItem::ExprWithAlias { expr, alias }
                    if alias.value.eq_ignore_ascii_case(&name.value) && has_aggregate(expr) =>
                {
                    Some(expr.clone())
                }
                _ => None,
            });
            if let Some(meant) = meant {
                *expr = Expr::Nested(Box::new(meant));
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        self.aggregates -= usize::from(is_aggregation(expr));
        ControlFlow::Continue(())
    }
}

fn is_aggregation(expr: &Expr) -> bool {
    matches!(expr, Expr::Function(Function { name, .. })
        if is_aggregate(&name.to_string().to_lowercase()))
}

/// Makes the order of the result the same on every run.
///
/// The engine's order can differ after grouping, joining, uniting, and among equal keys of an
/// `ORDER BY`; there the selected columns become the last sort keys.
pub(super) fn make_order_total(tree: &mut Tree) {
    let _: ControlFlow<()> = VisitMut::visit(tree, &mut DropNeedlessOrder);
    if matches!(tree.body.as_ref(), SetExpr::Select(select) if is_one_row(select))
        || (tree.order_by.is_none() && is_row_by_row(tree))
    {
        return;
    }
    let Some(columns) = first_select(&tree.body).and_then(selected_columns) else { return };
    let keys = match tree.order_by.take() {
        None => Vec::new(),
        Some(OrderBy { kind: OrderByKind::Expressions(keys), .. }) => keys,
        all @ Some(_) => {
            tree.order_by = all;
            return;
        }
    };
    let is_all = matches!(keys.as_slice(), [key] if key.expr.to_string() == "ALL");
    // `ORDER BY ALL` is read by polars only when it stands alone.
    let keys = if is_all { keys } else { with_all_columns(keys, &columns) };
    tree.order_by = Some(OrderBy { kind: OrderByKind::Expressions(keys), interpolate: None });
}

/// The keys, then the selected columns that are not among them.
///
/// No column may come twice: the streaming engine of polars 0.55 fails on that.
fn with_all_columns(keys: Vec<OrderByExpr>, columns: &[[String; 2]]) -> Vec<OrderByExpr> {
    let mut used = vec![false; columns.len()];
    let mut texts = Vec::new();
    let mut total = Vec::new();
    for key in keys {
        let text = key.expr.to_string();
        let place = match text.parse::<usize>() {
            Ok(place) => place.checked_sub(1),
            Err(_) => columns.iter().position(|names| names.contains(&text)),
        };
        let place_used = place.and_then(|place| used.get_mut(place));
        let is_new = !place_used.as_deref().copied().unwrap_or(texts.contains(&text));
        if let Some(place_used) = place_used {
            *place_used = true;
        }
        if is_new {
            texts.push(text);
            let expr = place.map_or(key.expr, |place| ordinal(place + 1).expr);
            total.push(OrderByExpr { expr, ..key });
        }
    }
    let unused = used.iter().zip(1..).filter(|(used, _)| !**used);
    total.extend(unused.map(|(_, place)| ordinal(place)));
    total
}

/// Drops `ORDER BY` of a single row: polars 0.55 loses the row when its quantile is missing.
struct DropNeedlessOrder;

impl VisitorMut for DropNeedlessOrder {
    type Break = ();

    fn pre_visit_query(&mut self, tree: &mut Tree) -> ControlFlow<()> {
        if matches!(tree.body.as_ref(), SetExpr::Select(select) if is_one_row(select)) {
            tree.order_by = None;
        }
        ControlFlow::Continue(())
    }
}

fn ordinal(place: usize) -> OrderByExpr {
    OrderByExpr {
        expr: Expr::Value(Value::Number(place.to_string(), false).into()),
        options: OrderByOptions { asc: None, nulls_first: None },
        with_fill: None,
    }
}

fn first_select(body: &SetExpr) -> Option<&Select> {
    match body {
        SetExpr::Select(select) => Some(select),
        SetExpr::Query(tree) => first_select(&tree.body),
        SetExpr::SetOperation { left, .. } => first_select(left),
        _ => None,
    }
}

/// The names an `ORDER BY` can mean each selected column by, unless `*` hides them.
fn selected_columns(select: &Select) -> Option<Vec<[String; 2]>> {
    let names = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expr) => Some([expr.to_string(), expr.to_string()]),
        SelectItem::ExprWithAlias { expr, alias } => {
            Some([expr.to_string(), format!("\"{}\"", alias.value)])
        }
        _ => None,
    };
    select.projection.iter().map(names).collect()
}
