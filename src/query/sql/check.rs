//! The allow-list: every node of the tree is a kind this page names, or the query is refused.
//!
//! Structures are taken apart without `..`, so that a new clause of the parser does not compile
//! until somebody has decided about it.

use std::ops::ControlFlow;

use sqlparser::ast::{
    Cte, Distinct, Expr, GroupByExpr, JoinConstraint, JoinOperator, LimitClause, ObjectName,
    OrderBy, Query as Tree, Select, SelectFlavor, SelectItem, SetExpr, TableFactor, TableWithJoins,
    Value, ValueWithSpan, Visit, Visitor, WildcardAdditionalOptions, With,
};

use super::expression::{MAX_NAME_BYTES, check_expr};
use super::{MAX_NODES, MAX_TERMS, Position, SqlError, at};

/// The one table of the input.
pub(super) const LOGS: &str = "logs";

/// Refuses a tree with anything that is not allowed.
pub(super) fn check(tree: &Tree) -> Result<(), SqlError> {
    let mut tables = vec![LOGS.to_owned()];
    let mut names = CteNames { tables: &mut tables };
    stop(tree.visit(&mut names))?;
    let mut checker = Checker { tables: &tables, nodes: 0, depth: 0 };
    stop(tree.visit(&mut checker))?;
    if checker.nodes > MAX_NODES {
        return Err(SqlError::TooLarge { what: "parts", count: checker.nodes, max: MAX_NODES });
    }
    Ok(())
}

fn stop(flow: ControlFlow<SqlError>) -> Result<(), SqlError> {
    match flow {
        ControlFlow::Break(error) => Err(error),
        ControlFlow::Continue(()) => Ok(()),
    }
}

fn flow(result: Result<(), SqlError>) -> ControlFlow<SqlError> {
    match result {
        Ok(()) => ControlFlow::Continue(()),
        Err(error) => ControlFlow::Break(error),
    }
}

/// Collects the tables of every `WITH`, whose names are unique and plain.
struct CteNames<'a> {
    tables: &'a mut Vec<String>,
}

impl Visitor for CteNames<'_> {
    type Break = SqlError;

    fn pre_visit_query(&mut self, tree: &Tree) -> ControlFlow<SqlError> {
        let Some(with) = &tree.with else { return ControlFlow::Continue(()) };
        for cte in &with.cte_tables {
            let name = &cte.alias.name;
            if self.tables.contains(&name.value) || !is_plain(&name.value) {
                let what = format!("the table name `{}` in `WITH`", name.value);
                return flow(refuse(
                    what,
                    name.span.into(),
                    "use a new name of letters and digits",
                ));
            }
            self.tables.push(name.value.clone());
        }
        ControlFlow::Continue(())
    }
}

fn is_plain(name: &str) -> bool {
    name.len() <= MAX_NAME_BYTES
        && name.starts_with(|first: char| first.is_ascii_alphabetic() || first == '_')
        && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

pub(super) fn refuse(what: String, at: Position, way_out: &'static str) -> Result<(), SqlError> {
    Err(SqlError::NotAllowed { what, at, way_out })
}

/// Refuses the first clause that is present.
pub(super) fn refuse_clauses(clauses: &[(&str, bool)], at: Position) -> Result<(), SqlError> {
    match clauses.iter().find(|(_, present)| *present) {
        Some((name, _)) => refuse(format!("`{name}`"), at, "leave it out"),
        None => Ok(()),
    }
}

struct Checker<'a> {
    tables: &'a [String],
    nodes: usize,
    depth: usize,
}

impl Visitor for Checker<'_> {
    type Break = SqlError;

    fn pre_visit_query(&mut self, tree: &Tree) -> ControlFlow<SqlError> {
        self.nodes += 1;
        flow(check_query(tree))
    }

    fn pre_visit_select(&mut self, select: &Select) -> ControlFlow<SqlError> {
        self.nodes += select.projection.len();
        flow(check_select(select))
    }

    fn pre_visit_table_factor(&mut self, factor: &TableFactor) -> ControlFlow<SqlError> {
        self.nodes += 1;
        flow(check_factor(factor))
    }

    fn pre_visit_relation(&mut self, relation: &ObjectName) -> ControlFlow<SqlError> {
        let name = relation.0.first().and_then(|part| part.as_ident());
        let known = name.is_some_and(|name| {
            name.value.eq_ignore_ascii_case(LOGS) || self.tables.contains(&name.value)
        });
        if known && relation.0.len() == 1 {
            return ControlFlow::Continue(());
        }
        ControlFlow::Break(SqlError::NoTable { name: relation.to_string(), at: at(relation) })
    }

    fn pre_visit_expr(&mut self, expr: &Expr) -> ControlFlow<SqlError> {
        self.nodes += 1;
        self.depth += 1;
        if self.depth > MAX_TERMS {
            let what = "terms in one expression";
            let error = SqlError::TooLarge { what, count: self.depth, max: MAX_TERMS };
            return ControlFlow::Break(error);
        }
        flow(check_expr(expr))
    }

    fn post_visit_expr(&mut self, _expr: &Expr) -> ControlFlow<SqlError> {
        self.depth -= 1;
        ControlFlow::Continue(())
    }

    fn pre_visit_value(&mut self, value: &ValueWithSpan) -> ControlFlow<SqlError> {
        flow(match &value.value {
            Value::Number(_, false)
            | Value::SingleQuotedString(_)
            | Value::Boolean(_)
            | Value::Null => Ok(()),
            Value::Placeholder(name) => refuse(
                format!("the parameter `{name}`"),
                value.span.into(),
                "only saved queries have parameters; write the value",
            ),
            other => refuse(
                format!("the literal `{other}`"),
                value.span.into(),
                "write numbers as they are and text in single quotes",
            ),
        })
    }
}

fn check_query(tree: &Tree) -> Result<(), SqlError> {
    let Tree {
        with,
        body,
        order_by,
        limit_clause,
        fetch,
        locks,
        for_clause,
        settings,
        format_clause,
        pipe_operators,
    } = tree;
    let clauses = [
        ("FETCH", fetch.is_some()),
        ("FOR UPDATE", !locks.is_empty()),
        ("FOR", for_clause.is_some()),
        ("SETTINGS", settings.is_some()),
        ("FORMAT", format_clause.is_some()),
        ("|>", !pipe_operators.is_empty()),
    ];
    refuse_clauses(&clauses, at(tree))?;
    with.as_ref().map_or(Ok(()), check_with)?;
    order_by.as_ref().map_or(Ok(()), check_order)?;
    limit_clause.as_ref().map_or(Ok(()), check_limit)?;
    check_body(body)
}

fn check_with(with: &With) -> Result<(), SqlError> {
    let With { with_token: _, recursive, cte_tables } = with;
    refuse_clauses(&[("WITH RECURSIVE", *recursive)], at(with))?;
    cte_tables.iter().try_for_each(|cte| {
        let Cte { alias, query: _, from, materialized: _, closing_paren_token: _ } = cte;
        refuse_clauses(&[("FROM", from.is_some()), ("AT", alias.at.is_some())], at(cte))
    })
}

fn check_order(order_by: &OrderBy) -> Result<(), SqlError> {
    let OrderBy { kind: _, interpolate } = order_by;
    refuse_clauses(&[("INTERPOLATE", interpolate.is_some())], at(order_by))
}

fn check_limit(limit: &LimitClause) -> Result<(), SqlError> {
    let is_number = |expr: &Expr| {
        matches!(expr, Expr::Value(ValueWithSpan { value: Value::Number(digits, _), .. })
            if digits.parse::<u64>().is_ok())
    };
    match limit {
        LimitClause::LimitOffset { limit: count, offset, limit_by } => {
            refuse_clauses(&[("LIMIT … BY", !limit_by.is_empty())], at(limit))?;
            if count.as_ref().is_none_or(is_number)
                && offset.as_ref().is_none_or(|offset| is_number(&offset.value))
            {
                return Ok(());
            }
            refuse("a `LIMIT` that is not a number".into(), at(limit), "write whole numbers")
        }
        LimitClause::OffsetCommaLimit { .. } => {
            refuse("`LIMIT a, b`".into(), at(limit), "write `LIMIT b OFFSET a`")
        }
    }
}

fn check_body(body: &SetExpr) -> Result<(), SqlError> {
    match body {
        // Visited on their own.
        SetExpr::Select(_) | SetExpr::Query(_) => Ok(()),
        SetExpr::SetOperation { left, op: _, set_quantifier: _, right } => {
            check_body(left)?;
            check_body(right)
        }
        SetExpr::Values(_)
        | SetExpr::Insert(_)
        | SetExpr::Update(_)
        | SetExpr::Delete(_)
        | SetExpr::Merge(_)
        | SetExpr::Table(_) => {
            let what = body.to_string();
            let word = what.split_whitespace().next().unwrap_or_default();
            refuse(format!("`{word}`"), at(body), "write `SELECT … FROM logs`")
        }
    }
}

fn check_select(select: &Select) -> Result<(), SqlError> {
    let Select {
        select_token: _,
        optimizer_hints,
        distinct,
        select_modifiers,
        top,
        top_before_distinct: _,
        projection,
        exclude,
        into,
        from,
        lateral_views,
        prewhere,
        selection: _,
        connect_by,
        group_by,
        cluster_by,
        distribute_by,
        sort_by,
        having: _,
        named_window: _,
        qualify: _,
        window_before_qualify: _,
        value_table_mode,
        flavor,
    } = select;
    let modified_groups = match group_by {
        GroupByExpr::All(modifiers) | GroupByExpr::Expressions(_, modifiers) => modifiers,
    };
    let clauses = [
        ("INTO", into.is_some()),
        ("an optimizer hint", !optimizer_hints.is_empty()),
        ("DISTINCT ON", matches!(distinct, Some(Distinct::On(_)))),
        ("a modifier of SELECT", select_modifiers.is_some()),
        ("TOP", top.is_some()),
        ("EXCLUDE", exclude.is_some()),
        ("LATERAL VIEW", !lateral_views.is_empty()),
        ("PREWHERE", prewhere.is_some()),
        ("CONNECT BY", !connect_by.is_empty()),
        ("GROUP BY … WITH", !modified_groups.is_empty()),
        ("CLUSTER BY", !cluster_by.is_empty()),
        ("DISTRIBUTE BY", !distribute_by.is_empty()),
        ("SORT BY", !sort_by.is_empty()),
        ("SELECT AS", value_table_mode.is_some()),
        ("FROM before SELECT", *flavor != SelectFlavor::Standard),
    ];
    refuse_clauses(&clauses, at(select))?;
    projection.iter().try_for_each(check_item)?;
    from.iter().try_for_each(check_joins)
}

fn check_item(item: &SelectItem) -> Result<(), SqlError> {
    match item {
        SelectItem::UnnamedExpr(_) | SelectItem::ExprWithAlias { .. } => Ok(()),
        SelectItem::Wildcard(options) | SelectItem::QualifiedWildcard(_, options) => {
            let WildcardAdditionalOptions {
                wildcard_token: _,
                opt_ilike,
                opt_exclude: _,
                opt_except,
                opt_replace,
                opt_rename,
                opt_alias,
            } = options;
            let clauses = [
                ("* ILIKE", opt_ilike.is_some()),
                ("* EXCEPT", opt_except.is_some()),
                ("* REPLACE", opt_replace.is_some()),
                ("* RENAME", opt_rename.is_some()),
                ("* AS", opt_alias.is_some()),
            ];
            refuse_clauses(&clauses, at(item))
        }
        SelectItem::ExprWithAliases { .. } => {
            refuse("an alias list".into(), at(item), "write `expression AS name`")
        }
    }
}

fn check_joins(tables: &TableWithJoins) -> Result<(), SqlError> {
    use JoinOperator as J;
    tables.joins.iter().try_for_each(|join| match &join.join_operator {
        J::CrossJoin(JoinConstraint::None)
        | J::Join(JoinConstraint::On(_) | JoinConstraint::Using(_))
        | J::Inner(JoinConstraint::On(_) | JoinConstraint::Using(_))
        | J::Left(JoinConstraint::On(_) | JoinConstraint::Using(_))
        | J::LeftOuter(JoinConstraint::On(_) | JoinConstraint::Using(_))
        | J::Right(JoinConstraint::On(_) | JoinConstraint::Using(_))
        | J::RightOuter(JoinConstraint::On(_) | JoinConstraint::Using(_))
        | J::FullOuter(JoinConstraint::On(_) | JoinConstraint::Using(_))
        | J::Semi(JoinConstraint::On(_) | JoinConstraint::Using(_))
        | J::LeftSemi(JoinConstraint::On(_) | JoinConstraint::Using(_))
        | J::Anti(JoinConstraint::On(_) | JoinConstraint::Using(_))
        | J::LeftAnti(JoinConstraint::On(_) | JoinConstraint::Using(_))
            if !join.global =>
        {
            Ok(())
        }
        _ => {
            let way_out = "use `JOIN … ON`, `LEFT JOIN … ON`, `FULL JOIN … ON` or `CROSS JOIN`";
            refuse("this kind of join".into(), at(join), way_out)
        }
    })
}

fn check_factor(factor: &TableFactor) -> Result<(), SqlError> {
    match factor {
        TableFactor::Table {
            name,
            alias: _,
            args,
            with_hints,
            version,
            with_ordinality,
            partitions,
            json_path,
            sample,
            index_hints,
        } => {
            if args.is_some() {
                let what = format!("the table function `{name}`");
                return refuse(what, at(name), "queries read `logs` only, and no files");
            }
            let clauses = [
                ("WITH (hints)", !with_hints.is_empty()),
                ("a table version", version.is_some()),
                ("WITH ORDINALITY", *with_ordinality),
                ("PARTITION", !partitions.is_empty()),
                ("a path into a table", json_path.is_some()),
                ("TABLESAMPLE", sample.is_some()),
                ("an index hint", !index_hints.is_empty()),
            ];
            refuse_clauses(&clauses, at(factor))
        }
        TableFactor::Derived { lateral, subquery: _, alias: _, sample } => {
            let clauses = [("LATERAL", *lateral), ("TABLESAMPLE", sample.is_some())];
            refuse_clauses(&clauses, at(factor))
        }
        TableFactor::NestedJoin { table_with_joins, alias } => {
            refuse_clauses(&[("an alias of joined tables", alias.is_some())], at(factor))?;
            check_joins(table_with_joins)
        }
        _ => refuse("this kind of table".into(), at(factor), "queries read `logs` only"),
    }
}
