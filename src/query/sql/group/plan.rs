//! Which queries can be folded, and how.

use std::ops::ControlFlow;

use sqlparser::ast::{
    CaseWhen, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments, GroupByExpr, Ident,
    Query as Tree, Select, SelectItem, SetExpr, Value, ValueWithSpan, VisitMut, VisitorMut,
    helpers::attached_token::AttachedToken,
};

use crate::frame::Column;

use super::super::check::LOGS;
use super::super::functions::is_aggregate;
use super::super::plan::{Unqualify, key_item};
use super::super::write::write;
use super::super::{SqlError, parse_one};

/// A grouping that can be folded frame by frame.
#[derive(Clone, Debug, PartialEq)]
pub(in super::super) struct Grouping {
    /// Expressions over a row of `logs`: the keys, then the inputs of the aggregates.
    pub(super) columns: Vec<String>,
    /// How many of them are keys.
    pub(super) key_count: usize,
    /// `agg1`, `agg2`, …, by the place of their input among the inputs.
    pub(super) aggregates: Vec<Aggregate>,
    /// Selects the result's columns from `key1`, …, `agg1`, …, which are the columns of `logs`.
    pub(super) rows_sql: String,
}

/// One aggregate of an input.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Aggregate {
    /// Rows.
    Rows,
    /// Values that are there.
    Count(usize),
    Sum(usize),
    Mean(usize),
    Min(usize),
    Max(usize),
    /// With the share of the values below.
    Quantile(usize, f64),
}

impl Aggregate {
    /// The place of its input, if it has one.
    pub(super) fn input(&self) -> Option<usize> {
        match self {
            Self::Rows => None,
            Self::Count(input)
            | Self::Sum(input)
            | Self::Mean(input)
            | Self::Min(input)
            | Self::Max(input)
            | Self::Quantile(input, _) => Some(*input),
        }
    }
}

/// How to fold a query; `None` when a part of it cannot be folded.
///
/// The tree is one grouping of `logs`, as [`parts`](super::super::plan::parts) finds it.
pub(in super::super) fn plan(
    tree: &Tree,
    columns: &[Column],
) -> Result<Option<Grouping>, SqlError> {
    let SetExpr::Select(select) = tree.body.as_ref() else { return Ok(None) };
    let GroupByExpr::Expressions(keys, _) = &select.group_by else { return Ok(None) };
    let keys: Vec<Expr> = (1..)
        .zip(keys)
        .filter_map(|(n, key)| expression(&key_item(n, key, select, columns)))
        .collect();
    let mut folding = Folding { keys, inputs: Vec::new(), aggregates: Vec::new() };
    let Some(of_groups) = folding.of_groups(select) else { return Ok(None) };
    let mut rows = parse_one(&format!("SELECT * FROM {LOGS}"))?;
    if let SetExpr::Select(rows) = rows.body.as_mut() {
        rows.projection = of_groups.projection;
        rows.selection = of_groups.having;
    }
    let named = |(n, expr): (usize, &Expr)| format!("{expr} AS \"{n}\"");
    let columns = folding.keys.iter().chain(&folding.inputs).enumerate().map(named).collect();
    Ok(Some(Grouping {
        columns,
        key_count: folding.keys.len(),
        aggregates: folding.aggregates,
        rows_sql: write(&rows)?,
    }))
}

fn expression(item: &SelectItem) -> Option<Expr> {
    match item {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            Some(expr.clone())
        }
        _ => None,
    }
}

struct Folding {
    keys: Vec<Expr>,
    inputs: Vec<Expr>,
    aggregates: Vec<Aggregate>,
}

impl Folding {
    /// The select with keys and aggregates as columns; `None` when something else remains.
    fn of_groups(&mut self, select: &Select) -> Option<Select> {
        // A key of literals alone has one row where there are many.
        if !self.keys.iter().any(|key| matches!(key, Expr::Identifier(_)) || names_column(key)) {
            return None;
        }
        let mut select = select.clone();
        for item in &mut select.projection {
            let (mut expr, alias) = match item {
                SelectItem::UnnamedExpr(expr) => (expr.clone(), name_of(expr)?.clone()),
                SelectItem::ExprWithAlias { expr, alias } => (expr.clone(), alias.clone()),
                _ => return None,
            };
            self.replace(&mut expr)?;
            *item = SelectItem::ExprWithAlias { expr, alias };
        }
        if let Some(having) = &mut select.having {
            self.replace(having)?;
        }
        Some(select)
    }

    fn replace(&mut self, expr: &mut Expr) -> Option<()> {
        let _: ControlFlow<()> = VisitMut::visit(expr, &mut Unqualify);
        VisitMut::visit(expr, &mut Replace(self)).is_continue().then_some(())
    }

    fn aggregate(&mut self, function: &Function) -> Option<usize> {
        let FunctionArguments::List(list) = &function.args else { return None };
        let is_plain = function.over.is_none()
            && function.within_group.is_empty()
            && list.duplicate_treatment.is_none()
            && list.clauses.is_empty();
        if !is_plain {
            return None;
        }
        let filter = function.filter.as_deref();
        let name = function.name.to_string().to_lowercase();
        let aggregate = match (name.as_str(), list.args.as_slice()) {
            ("count", [FunctionArg::Unnamed(FunctionArgExpr::Wildcard)]) => match filter {
                None => Aggregate::Rows,
                Some(_) => Aggregate::Count(self.input(one(), filter)),
            },
            ("count", [argument]) => Aggregate::Count(self.input(value_of(argument)?, filter)),
            ("sum", [argument]) => Aggregate::Sum(self.input(value_of(argument)?, filter)),
            ("avg", [argument]) => Aggregate::Mean(self.input(value_of(argument)?, filter)),
            // Values of a column are finite; what is computed may not be, and then engines differ.
            ("min", [argument]) => Aggregate::Min(self.input(column_of(argument)?, filter)),
            ("max", [argument]) => Aggregate::Max(self.input(column_of(argument)?, filter)),
            ("quantile_cont", [argument, share]) => {
                let Expr::Value(ValueWithSpan { value: Value::Number(share, _), .. }) =
                    value_of(share)?
                else {
                    return None;
                };
                let share = share.parse().ok().filter(|share| (0.0..=1.0).contains(share))?;
                Aggregate::Quantile(self.input(column_of(argument)?, filter), share)
            }
            _ => return None,
        };
        let known = self.aggregates.iter().position(|known| *known == aggregate);
        Some(known.unwrap_or_else(|| {
            self.aggregates.push(aggregate);
            self.aggregates.len() - 1
        }))
    }

    /// The place of an input: the value where the filter holds.
    fn input(&mut self, value: Expr, filter: Option<&Expr>) -> usize {
        let input = match filter {
            None => value,
            Some(filter) => Expr::Case {
                case_token: AttachedToken::empty(),
                end_token: AttachedToken::empty(),
                operand: None,
                conditions: vec![CaseWhen { condition: filter.clone(), result: value }],
                else_result: None,
            },
        };
        let known = self.inputs.iter().position(|known| *known == input);
        known.unwrap_or_else(|| {
            self.inputs.push(input);
            self.inputs.len() - 1
        })
    }
}

/// The name that a column of a select has by itself.
fn name_of(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Identifier(name) => Some(name),
        Expr::CompoundIdentifier(parts) => parts.last(),
        _ => None,
    }
}

fn one() -> Expr {
    Expr::Value(Value::Number("1".to_owned(), false).into())
}

fn value_of(argument: &FunctionArg) -> Option<Expr> {
    match argument {
        FunctionArg::Unnamed(FunctionArgExpr::Expr(expr)) => Some(expr.clone()),
        _ => None,
    }
}

fn column_of(argument: &FunctionArg) -> Option<Expr> {
    value_of(argument).filter(|expr| matches!(expr, Expr::Identifier(_)))
}

fn names_column(expr: &Expr) -> bool {
    struct Names;
    impl sqlparser::ast::Visitor for Names {
        type Break = ();
        fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
            match expr {
                Expr::Identifier(_) => ControlFlow::Break(()),
                _ => ControlFlow::Continue(()),
            }
        }
    }
    sqlparser::ast::Visit::visit(expr, &mut Names).is_break()
}

/// Puts columns of groups in the place of keys and aggregates; breaks off at what is neither.
struct Replace<'a>(&'a mut Folding);

impl VisitorMut for Replace<'_> {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let column = |name: String| Expr::Identifier(Ident::with_quote('"', name));
        if let Some(key) = self.0.keys.iter().position(|key| key == expr) {
            *expr = column(format!("key{}", key + 1));
            return ControlFlow::Continue(());
        }
        match expr {
            Expr::Identifier(_) => ControlFlow::Break(()),
            Expr::Function(function) if is_aggregate(&function.name.to_string().to_lowercase()) => {
                let Some(aggregate) = self.0.aggregate(function) else {
                    return ControlFlow::Break(());
                };
                *expr = column(format!("agg{}", aggregate + 1));
                ControlFlow::Continue(())
            }
            _ => ControlFlow::Continue(()),
        }
    }
}
