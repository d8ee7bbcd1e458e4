//! Bounds on how much a query can multiply its rows, before anything is read.
//!
//! What the text cannot show, as a join of two columns with few distinct values, is held by the
//! limits of time and memory at run time.

use std::collections::BTreeMap;
use std::ops::ControlFlow;

use sqlparser::ast::{
    Expr, GroupByExpr, JoinOperator, LimitClause, ObjectName, Query as Tree, Select, SelectItem,
    SetExpr, TableFactor, TableWithJoins, Value, ValueWithSpan, Visit, Visitor,
};

use super::check::LOGS;
use super::functions::is_aggregate;
use super::{SqlError, at};

/// Times tables may be read, with `WITH` tables replaced by what they stand for.
const MAX_READS: u64 = 16;
/// Rows the small sides of a cross join may have together.
const MAX_CROSS_ROWS: u64 = 1_000;

/// Refuses a query that reads tables too often, or crosses large ones.
pub(super) fn check(tree: &Tree) -> Result<(), SqlError> {
    let mut ctes = Ctes::default();
    let _: ControlFlow<()> = tree.visit(&mut ctes);
    let reads = reads(tree, &ctes, 0);
    if reads > MAX_READS {
        return Err(SqlError::TooManyReads { reads, max: MAX_READS });
    }
    let mut crosses = Crosses { ctes: &ctes };
    match tree.visit(&mut crosses) {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

/// The tables of every `WITH` by name; names are unique, see `check`.
#[derive(Default)]
struct Ctes(BTreeMap<String, Tree>);

impl Visitor for Ctes {
    type Break = ();

    fn pre_visit_query(&mut self, tree: &Tree) -> ControlFlow<()> {
        for cte in tree.with.iter().flat_map(|with| &with.cte_tables) {
            self.0.insert(cte.alias.name.value.clone(), (*cte.query).clone());
        }
        ControlFlow::Continue(())
    }
}

#[derive(Default)]
struct Relations(Vec<String>);

impl Visitor for Relations {
    type Break = ();

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<()> {
        self.0.push(relation.to_string());
        ControlFlow::Continue(())
    }
}

/// Number of table reads; a table of `WITH` counts as often as it is named, with all it reads.
fn reads(tree: &Tree, ctes: &Ctes, depth: u64) -> u64 {
    // A chain of more tables than reads allowed, or one that names itself.
    if depth > MAX_READS {
        return MAX_READS + 1;
    }
    let mut relations = Relations::default();
    let _: ControlFlow<()> = tree.visit(&mut relations);
    let mut count = 0_u64;
    for name in &relations.0 {
        count += ctes.0.get(name).map_or(1, |cte| reads(cte, ctes, depth + 1));
        if count > MAX_READS {
            return count;
        }
    }
    count
}

struct Crosses<'a> {
    ctes: &'a Ctes,
}

impl Visitor for Crosses<'_> {
    type Break = SqlError;

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<SqlError> {
        let mut product = Product::default();
        for tables in &select.from {
            self.multiply(tables, &mut product);
        }
        if product.large > 1 || product.small_rows > MAX_CROSS_ROWS {
            return ControlFlow::Break(SqlError::CrossJoin { at: at(select) });
        }
        ControlFlow::Continue(())
    }
}

/// The sides of a cross join.
struct Product {
    large: u32,
    small_rows: u64,
}

impl Default for Product {
    fn default() -> Self {
        Self { large: 0, small_rows: 1 }
    }
}

impl Product {
    fn add(&mut self, most_rows: Option<u64>) {
        match most_rows {
            Some(rows) => self.small_rows = self.small_rows.saturating_mul(rows.max(1)),
            None => self.large += 1,
        }
    }
}

impl Crosses<'_> {
    fn multiply(&self, tables: &TableWithJoins, product: &mut Product) {
        let crossed = tables
            .joins
            .iter()
            .filter(|join| matches!(join.join_operator, JoinOperator::CrossJoin(_)));
        let joined_on = tables.joins.len() - crossed.clone().count();
        // Tables joined on columns count as one large side.
        product.add(if joined_on > 0 { None } else { self.most_rows(&tables.relation, 0) });
        for join in crossed {
            product.add(self.most_rows(&join.relation, 0));
        }
    }

    /// The most rows a table can have, when its text says so.
    fn most_rows(&self, factor: &TableFactor, depth: u64) -> Option<u64> {
        if depth > MAX_READS {
            return None;
        }
        match factor {
            TableFactor::Derived { subquery, .. } => self.most_rows_of(subquery, depth),
            TableFactor::Table { name, .. } => {
                self.ctes.0.get(&name.to_string()).and_then(|cte| self.most_rows_of(cte, depth))
            }
            _ => None,
        }
    }

    fn most_rows_of(&self, tree: &Tree, depth: u64) -> Option<u64> {
        if let Some(LimitClause::LimitOffset { limit: Some(limit), .. }) = &tree.limit_clause {
            return number(limit);
        }
        let SetExpr::Select(select) = tree.body.as_ref() else { return None };
        if is_one_row(select) {
            return Some(1);
        }
        let grouped = select.group_by != GroupByExpr::Expressions(vec![], vec![]);
        match select.from.as_slice() {
            [only] if only.joins.is_empty() && !grouped => {
                self.most_rows(&only.relation, depth + 1)
            }
            _ => None,
        }
    }
}

/// A whole number as written; `None` for anything else.
pub(super) fn number(expr: &Expr) -> Option<u64> {
    match expr {
        Expr::Value(ValueWithSpan { value: Value::Number(digits, _), .. }) => digits.parse().ok(),
        _ => None,
    }
}

/// Whether a select has one row: no `GROUP BY`, and an aggregate in every column.
pub(super) fn is_one_row(select: &Select) -> bool {
    select.group_by == GroupByExpr::Expressions(vec![], vec![])
        && !select.projection.is_empty()
        && select.projection.iter().all(|item| match item {
            SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
                has_aggregate(expr)
            }
            _ => false,
        })
}

/// Whether an expression aggregates all rows into one.
pub(super) fn has_aggregate(expr: &Expr) -> bool {
    struct Aggregates;
    impl Visitor for Aggregates {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Function(function)
                    if function.over.is_none()
                        && is_aggregate(&function.name.to_string().to_lowercase()) =>
                {
                    ControlFlow::Break(())
                }
                _ => ControlFlow::Continue(()),
            }
        }
    }
    expr.visit(&mut Aggregates).is_break()
}

/// Whether a table factor is `logs` itself.
pub(super) fn is_logs(factor: &TableFactor) -> bool {
    matches!(factor, TableFactor::Table { name, .. }
        if name.to_string().trim_matches('"').eq_ignore_ascii_case(LOGS))
}
