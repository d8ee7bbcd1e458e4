//! What each name of a query means: a column of `logs`, a field of the log, or a name the query
//! gives itself.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::ControlFlow;

use sqlparser::ast::{
    CastKind, DataType, Expr, Function, FunctionArg, FunctionArgExpr, FunctionArguments,
    GroupByExpr, Ident, ObjectName, Query as Tree, Select, SelectItem, TableFactor, TableWithJoins,
    Value, Visit, VisitMut, Visitor, VisitorMut,
};

use crate::frame::{Column, Extra, ValueType};

use super::check::LOGS;
use super::cost::{is_logs, number};
use super::expression::bare_column;
use super::functions::quantile;
use super::near::near;
use super::{FieldType, SqlError};

/// Rewrites every name to the column it means and returns the columns of `logs` to make.
///
/// Names without quotes find canonical columns and own names in any case. A name that the query
/// defines and that is also a field is both: the column is made and SQL's scopes decide.
pub(super) fn resolve(
    tree: &mut Tree,
    fields: &dyn Fn(&str) -> FieldType,
) -> Result<Vec<Column>, SqlError> {
    let mut own = OwnNames::default();
    let _: ControlFlow<()> = Visit::visit(&*tree, &mut own);
    let mut resolver = Resolver { own, fields, columns: Vec::new() };
    if let ControlFlow::Break(error) = VisitMut::visit(tree, &mut resolver) {
        return Err(error);
    }
    Ok(in_order(resolver.columns))
}

/// Canonical columns as in `SELECT *`, then the others, then fields in the order of first use.
fn in_order(mut columns: Vec<Column>) -> Vec<Column> {
    let place = |column: &Column| {
        Column::STAR
            .iter()
            .position(|star| star == column)
            .unwrap_or_else(|| Column::STAR.len() + usize::from(matches!(column, Column::Extra(_))))
    };
    columns.sort_by_key(place);
    if columns.is_empty() {
        columns.push(Column::Row);
    }
    columns
}

/// The names a query gives: aliases of columns, and aliases of tables.
#[derive(Default)]
struct OwnNames {
    columns: BTreeSet<String>,
    /// Whether the table alias stands for `logs`.
    tables: BTreeMap<String, bool>,
}

impl Visitor for OwnNames {
    type Break = ();

    fn pre_visit_query(&mut self, tree: &Tree) -> ControlFlow<()> {
        for cte in tree.with.iter().flat_map(|with| &with.cte_tables) {
            self.tables.entry(cte.alias.name.value.clone()).or_default();
            self.columns.extend(cte.alias.columns.iter().map(|column| column.name.value.clone()));
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<()> {
        for item in &select.projection {
            if let SelectItem::ExprWithAlias { alias, .. } = item {
                self.columns.insert(alias.value.clone());
            }
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<()> {
        let of_logs = is_logs(factor);
        if of_logs {
            self.tables.insert(LOGS.to_owned(), true);
        }
        if let TableFactor::Table { alias: Some(alias), .. }
        | TableFactor::Derived { alias: Some(alias), .. } = factor
        {
            *self.tables.entry(alias.name.value.clone()).or_default() |= of_logs;
            self.columns.extend(alias.columns.iter().map(|column| column.name.value.clone()));
        }
        ControlFlow::Continue(())
    }
}

struct Resolver<'a> {
    own: OwnNames,
    fields: &'a dyn Fn(&str) -> FieldType,
    columns: Vec<Column>,
}

impl VisitorMut for Resolver<'_> {
    type Break = SqlError;

    fn pre_visit_select(&mut self, select: &mut Select) -> ControlFlow<SqlError> {
        let reads_logs = select.from.iter().any(reads_logs);
        for item in &mut select.projection {
            match item {
                SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) if reads_logs => {
                    for column in Column::STAR {
                        self.add(column);
                    }
                }
                // Named as written: two quantiles of one column must not share its name.
                SelectItem::UnnamedExpr(expr) if !is_name(expr) => {
                    let alias =
                        Ident::with_quote('"', expr.to_string().replace(['"', '\'', '\\'], ""));
                    *item = SelectItem::ExprWithAlias { expr: expr.clone(), alias };
                }
                _ => {}
            }
        }
        ControlFlow::Continue(())
    }

    fn post_visit_select(&mut self, select: &mut Select) -> ControlFlow<SqlError> {
        quantiles_of_keys(select);
        group_by_place(select);
        ControlFlow::Continue(())
    }

    fn post_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<SqlError> {
        widen_count(expr);
        ControlFlow::Continue(())
    }

    fn pre_visit_relation(&mut self, relation: &mut ObjectName) -> ControlFlow<SqlError> {
        if relation.to_string().trim_matches('"').eq_ignore_ascii_case(LOGS) {
            *relation = ObjectName::from(vec![Ident::new(LOGS)]);
        }
        ControlFlow::Continue(())
    }

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<SqlError> {
        let resolved = match expr {
            // `GROUP BY ALL`, `ORDER BY ALL`: polars reads the word.
            Expr::Identifier(name) if is_word_all(name) => Ok(None),
            Expr::Identifier(name) => self.name(name).map(|name| Some(Expr::Identifier(name))),
            Expr::CompoundIdentifier(parts) => self.path(parts).map(Some),
            Expr::Function(function) => {
                spell_out_quantile(function);
                bare_column(function).map(|parts| self.path(&parts)).transpose()
            }
            _ => Ok(None),
        };
        match resolved {
            Ok(Some(resolved)) => *expr = resolved,
            Ok(None) => {}
            Err(error) => return ControlFlow::Break(error),
        }
        ControlFlow::Continue(())
    }
}

fn is_name(expr: &Expr) -> bool {
    match expr {
        Expr::Identifier(_) | Expr::CompoundIdentifier(_) => true,
        Expr::Function(function) => bare_column(function).is_some(),
        _ => false,
    }
}

fn is_word_all(name: &Ident) -> bool {
    name.quote_style.is_none() && name.value.eq_ignore_ascii_case("all")
}

fn reads_logs(tables: &TableWithJoins) -> bool {
    is_logs(&tables.relation) || tables.joins.iter().any(|join| is_logs(&join.relation))
}

/// Turns `p95(x)` into `quantile_cont(x, 0.95)`.
fn spell_out_quantile(function: &mut Function) {
    let Some(share) = quantile(&function.name.to_string().to_lowercase()) else { return };
    if let FunctionArguments::List(list) = &mut function.args {
        let share = Expr::Value(Value::Number(share, false).into());
        list.args.push(FunctionArg::Unnamed(FunctionArgExpr::Expr(share)));
        function.name = ObjectName::from(vec![Ident::new("quantile_cont")]);
    }
}

/// Makes counts 64 bits wide: polars counts in `u32`, where `3 - 5` is 4,294,967,294.
fn widen_count(expr: &mut Expr) {
    const COUNTS: [&str; 8] = [
        "count",
        "rank",
        "dense_rank",
        "row_number",
        "length",
        "char_length",
        "octet_length",
        "strpos",
    ];
    let is_count = matches!(expr, Expr::Function(function)
        if COUNTS.contains(&function.name.to_string().to_lowercase().as_str()));
    if is_count {
        let count = std::mem::replace(expr, Expr::Value(Value::Null.into()));
        *expr = Expr::Cast {
            kind: CastKind::Cast,
            expr: Box::new(count),
            data_type: DataType::BigInt(None),
            array: false,
            format: None,
        };
    }
}

/// A quantile of a group's key is the key: polars 0.55 takes it over all groups.
fn quantiles_of_keys(select: &mut Select) {
    let GroupByExpr::Expressions(keys, _) = &select.group_by else { return };
    let selected = |key: &Expr| match select.projection.get(number(key)?.checked_sub(1)? as usize)?
    {
        SelectItem::UnnamedExpr(expr) | SelectItem::ExprWithAlias { expr, .. } => {
            Some(expr.clone())
        }
        _ => None,
    };
    let keys = keys.iter().map(|key| selected(key).unwrap_or_else(|| key.clone()));
    let mut of_keys = OfKeys { keys: keys.filter_map(|key| column_name(&key).cloned()).collect() };
    let _: ControlFlow<()> = VisitMut::visit(&mut select.projection, &mut of_keys);
    let _: ControlFlow<()> = VisitMut::visit(&mut select.having, &mut of_keys);
}

/// The column that a name means, of whatever table.
fn column_name(expr: &Expr) -> Option<&Ident> {
    match expr {
        Expr::Identifier(name) => Some(name),
        Expr::CompoundIdentifier(parts) => parts.last(),
        _ => None,
    }
}

struct OfKeys {
    keys: Vec<Ident>,
}

impl VisitorMut for OfKeys {
    type Break = ();

    fn pre_visit_expr(&mut self, expr: &mut Expr) -> ControlFlow<()> {
        let Expr::Function(function) = expr else { return ControlFlow::Continue(()) };
        let name = function.name.to_string().to_lowercase();
        let is_quantile = ["median", "quantile_cont", "quantile_disc"].contains(&name.as_str());
        if let FunctionArguments::List(list) = &function.args
            && let Some(FunctionArg::Unnamed(FunctionArgExpr::Expr(of))) = list.args.first()
            && is_quantile
            && function.over.is_none()
            && self.is_of_keys(of)
        {
            *expr = Expr::Cast {
                kind: CastKind::Cast,
                expr: Box::new(of.clone()),
                data_type: DataType::Double(sqlparser::ast::ExactNumberInfo::None),
                array: false,
                format: None,
            };
        }
        ControlFlow::Continue(())
    }
}

impl OfKeys {
    /// Whether an expression names keys and nothing else.
    fn is_of_keys(&self, expr: &Expr) -> bool {
        struct Names<'a>(&'a [Ident], usize);
        impl Visitor for Names<'_> {
            type Break = ();
            fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<()> {
                match column_name(expr) {
                    Some(name) if !self.0.contains(name) => ControlFlow::Break(()),
                    name => {
                        self.1 += usize::from(name.is_some());
                        ControlFlow::Continue(())
                    }
                }
            }
        }
        let mut names = Names(&self.keys, 0);
        expr.visit(&mut names).is_continue() && names.1 > 0
    }
}

/// Names computed group keys by their place in the select list: polars names a key after its
/// first column, and refuses two keys of one name.
fn group_by_place(select: &mut Select) {
    let GroupByExpr::Expressions(keys, _) = &mut select.group_by else { return };
    for key in keys.iter_mut().filter(|key| !is_name(key)) {
        let place = select
            .projection
            .iter()
            .position(|item| matches!(item, SelectItem::ExprWithAlias { expr, .. } if expr == key));
        if let Some(place) = place {
            *key = Expr::Value(Value::Number((place + 1).to_string(), false).into());
        }
    }
}

impl Resolver<'_> {
    fn add(&mut self, column: Column) {
        if !self.columns.contains(&column) {
            self.columns.push(column);
        }
    }

    /// Resolves `a.b.c`: a column of the table `a`, or a field by its path.
    fn path(&mut self, parts: &[Ident]) -> Result<Expr, SqlError> {
        let table = parts.split_first().filter(|(table, _)| {
            self.own.tables.contains_key(&table.value) || table.value.eq_ignore_ascii_case(LOGS)
        });
        let Some((table, column)) = table else {
            return Ok(Expr::Identifier(self.name(&joined(parts))?));
        };
        let of_logs = self.own.tables.get(&table.value).copied().unwrap_or(true);
        let column = joined(column);
        let column = if of_logs { self.name(&column)? } else { self.own_name(&column) };
        Ok(Expr::CompoundIdentifier(vec![table.clone(), column]))
    }

    /// Resolves one name, and asks for the column it needs.
    fn name(&mut self, name: &Ident) -> Result<Ident, SqlError> {
        let in_any_case = name.quote_style.is_none();
        let canonical = Column::canonical(&name.value)
            .filter(|column| in_any_case || column.name() == name.value);
        if let Some(column) = canonical {
            let found = quoted(column.name(), name);
            self.add(column);
            return Ok(found);
        }
        let own = self.own_name(name);
        let is_own = self.own.columns.contains(&own.value);
        let value_type = match (self.fields)(&name.value) {
            FieldType::Number => ValueType::Number,
            FieldType::Integer => ValueType::Integer,
            FieldType::Bool => ValueType::Bool,
            FieldType::Text => ValueType::Text,
            FieldType::Unknown(_) if is_own => return Ok(own),
            FieldType::Unknown(known) => return Err(self.no_column(name, known)),
        };
        self.add_field(&name.value, value_type);
        Ok(quoted(&name.value, name))
    }

    /// A name the query gives, as it gives it.
    fn own_name(&self, name: &Ident) -> Ident {
        let found = if name.quote_style.is_some() || self.own.columns.contains(&name.value) {
            None
        } else {
            self.own.columns.iter().find(|own| own.eq_ignore_ascii_case(&name.value))
        };
        quoted(found.unwrap_or(&name.value), name)
    }

    fn add_field(&mut self, path: &str, value_type: ValueType) {
        let is_field = |column: &&Column| matches!(column, Column::Extra(_));
        let index = self.columns.iter().filter(is_field).count();
        let known = self
            .columns
            .iter()
            .any(|column| matches!(column, Column::Extra(extra) if extra.path == path));
        if !known {
            self.columns.push(Column::Extra(Extra { path: path.to_owned(), index, value_type }));
        }
    }

    fn no_column(&self, name: &Ident, known: Vec<String>) -> SqlError {
        let canonical = Column::all().map(|column| column.name().to_owned());
        let own = self.own.columns.iter().cloned();
        SqlError::NoColumn {
            name: name.value.clone(),
            at: name.span.into(),
            near: near(&name.value, canonical.chain(own).chain(known)),
        }
    }
}

fn quoted(value: &str, at: &Ident) -> Ident {
    Ident { value: value.to_owned(), quote_style: Some('"'), span: at.span }
}

/// The parts of a path as one name; quoted parts keep it quoted, so that case counts.
fn joined(parts: &[Ident]) -> Ident {
    let value = parts.iter().map(|part| part.value.as_str()).collect::<Vec<_>>().join(".");
    let quote_style = parts.iter().find_map(|part| part.quote_style);
    let span = parts.first().map_or_else(sqlparser::tokenizer::Span::empty, |part| part.span);
    Ident { value, quote_style, span }
}
