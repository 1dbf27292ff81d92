//! Queries: the body of a view, the source of an `INSERT`, a subquery.

use std::cell::Cell;

use sqlparser::ast::{
    Distinct, Expr, GroupByExpr, Ident, Join, JoinConstraint, JoinOperator, LimitClause, OrderBy, OrderByExpr,
    OrderByKind, OrderBySort, Query, Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, SetQuantifier,
    TableAlias, TableFactor, TableInheritance, TableWithJoins, WindowSpec,
};

use super::expression::Scope;
use super::model::{Column, Table};
use super::{Refusal, name, refuse, types};

impl<'a> Scope<'a> {
    /// Writes a query for SQLite. Output columns get the names that Postgres gives them.
    pub(super) fn query(&self, query: &Query) -> Result<String, Refusal> {
        let mut written = String::new();
        if let Some(with) = &query.with {
            written += if with.recursive { "WITH RECURSIVE " } else { "WITH " };
            let tables: Result<Vec<_>, Refusal> = with
                .cte_tables
                .iter()
                .map(|cte| Ok(format!("{} AS ({})", alias(&cte.alias)?, self.query(&cte.query)?)))
                .collect();
            written += &(tables?.join(", ") + " ");
        }
        if !query.locks.is_empty() || query.for_clause.is_some() {
            return refuse("locks on rows do not exist");
        }
        written += &self.body(&query.body)?;
        if let Some(order) = &query.order_by {
            let inner = self.scope_of(&query.body)?;
            written += &format!(" ORDER BY {}", inner.order_by(order)?);
        }
        if let Some(limit) = &query.limit_clause {
            let LimitClause::LimitOffset { limit, offset, .. } = limit else { return refuse("LIMIT takes one number") };
            if limit.is_some() || offset.is_some() {
                let count = limit.as_ref().map(|limit| self.write(limit)).transpose()?;
                written += &format!(" LIMIT {}", count.unwrap_or_else(|| "-1".to_owned()));
            }
            if let Some(offset) = offset {
                written += &format!(" OFFSET {}", self.write(&offset.value)?);
            }
        }
        if let Some(fetch) = &query.fetch {
            if fetch.with_ties || fetch.percent {
                return refuse("FETCH WITH TIES is not supported");
            }
            let count = fetch.quantity.as_ref().map(|quantity| self.write(quantity)).transpose()?;
            written += &format!(" LIMIT {}", count.unwrap_or_else(|| "1".to_owned()));
        }
        Ok(written)
    }

    fn body(&self, body: &SetExpr) -> Result<String, Refusal> {
        match body {
            SetExpr::Select(select) => self.scope_of(body)?.select(select),
            SetExpr::Query(query)
                if query.order_by.is_none() && query.limit_clause.is_none() && query.with.is_none() =>
            {
                self.body(&query.body)
            }
            SetExpr::Query(query) => Ok(format!("SELECT * FROM ({})", self.query(query)?)),
            SetExpr::SetOperation { left, op, set_quantifier, right } => {
                let all = match set_quantifier {
                    SetQuantifier::All => " ALL",
                    SetQuantifier::None | SetQuantifier::Distinct => "",
                    other => return refuse(format!("{other} is not supported")),
                };
                let operation = op.to_string();
                if !all.is_empty() && operation != "UNION" {
                    return refuse(format!("{operation} ALL is not supported"));
                }
                // SQLite reads chains from left to right and takes no parentheses.
                if matches!(right.as_ref(), SetExpr::SetOperation { .. } | SetExpr::Query(_)) {
                    return refuse("a set operation on the right of another is not supported");
                }
                Ok(format!("{} {operation}{all} {}", self.body(left)?, self.body(right)?))
            }
            SetExpr::Values(values) => {
                let rows: Result<Vec<_>, Refusal> =
                    values.rows.iter().map(|row| Ok(format!("({})", self.write_all(&row.content)?))).collect();
                Ok(format!("VALUES {}", rows?.join(", ")))
            }
            other => refuse(format!("a query cannot contain {other}")),
        }
    }

    /// This scope and the columns of the tables that a `SELECT` names.
    fn scope_of(&self, body: &SetExpr) -> Result<Scope<'_>, Refusal> {
        let mut scope = Scope {
            schema: self.schema,
            kinds: self.kinds.clone(),
            own: None,
            value: self.value,
            functions: self.functions.clone(),
            depth: Cell::new(self.depth.get()),
        };
        if let SetExpr::Select(select) = body {
            for from in &select.from {
                for factor in factors(from) {
                    scope.add_factor(factor)?;
                }
            }
        }
        Ok(scope)
    }

    fn add_factor(&mut self, factor: &TableFactor) -> Result<(), Refusal> {
        if let TableFactor::NestedJoin { table_with_joins: nested, .. } = factor {
            self.add_factor(&nested.relation)?;
            for join in &nested.joins {
                self.add_factor(&join.relation)?;
            }
        }
        if let Some((known_as, table)) = self.table_of(factor)? {
            self.add(&known_as, table);
        }
        Ok(())
    }

    /// The columns that a query gives, with their types; none when they cannot all be named.
    pub(super) fn output(&self, query: &Query) -> Result<Vec<Column>, Refusal> {
        let mut body = query.body.as_ref();
        while let SetExpr::SetOperation { left, .. } = body {
            body = left;
        }
        let SetExpr::Select(select) = body else { return Ok(Vec::new()) };
        let scope = self.scope_of(body)?;
        let mut columns = Vec::new();
        for item in &select.projection {
            match item {
                SelectItem::UnnamedExpr(expression) => columns.push(scope.given(output_name(expression), expression)),
                SelectItem::ExprWithAlias { expr, alias } => columns.push(scope.given(name::fold(alias), expr)),
                SelectItem::Wildcard(_) => {
                    for factor in select.from.iter().flat_map(factors) {
                        let Some((_, table)) = self.table_of(factor)? else { return Ok(Vec::new()) };
                        columns.extend(table.columns.iter().map(|column| scope.shown(column)));
                    }
                }
                _ => return Ok(Vec::new()),
            }
        }
        Ok(columns)
    }

    /// A column that an expression gives.
    fn given(&self, name: String, expression: &Expr) -> Column {
        let declared = self.kind(expression).map(|kind| kind.postgres_name()).unwrap_or_default();
        Column::plain(name, declared)
    }

    /// A table's column as it shows in a query.
    fn shown(&self, column: &Column) -> Column {
        let declared = types::column_kind(column, &self.schema.types).postgres_name();
        Column::plain(column.name.clone(), declared)
    }

    /// The name by which a table is known in the query, and its model, when berth has one.
    fn table_of(&self, factor: &TableFactor) -> Result<Option<(String, &'a Table)>, Refusal> {
        let TableFactor::Table { name, alias, .. } = factor else { return Ok(None) };
        let local = name::local(name)?;
        let Some(table) = self.schema.relation(&local) else { return Ok(None) };
        Ok(Some((alias.as_ref().map_or(local, |alias| name::fold(&alias.name)), table)))
    }

    fn select(&self, select: &Select) -> Result<String, Refusal> {
        let supported = select.into.is_none()
            && select.lateral_views.is_empty()
            && select.qualify.is_none()
            && select.top.is_none()
            && select.connect_by.is_empty()
            && select.value_table_mode.is_none();
        if !supported {
            return refuse("a clause of this SELECT is not supported");
        }
        let mut written = match &select.distinct {
            None | Some(Distinct::All) => "SELECT ".to_owned(),
            Some(Distinct::Distinct) => "SELECT DISTINCT ".to_owned(),
            Some(Distinct::On(_)) => return refuse("DISTINCT ON is not supported"),
        };
        written += &self.projection(select)?;
        if !select.from.is_empty() {
            written += &format!(" FROM {}", self.tables(&select.from)?);
        }
        if let Some(condition) = &select.selection {
            written += &format!(" WHERE {}", self.write(condition)?);
        }
        match &select.group_by {
            GroupByExpr::Expressions(keys, modifiers) if modifiers.is_empty() => {
                if !keys.is_empty() {
                    written += &format!(" GROUP BY {}", self.write_all(keys)?);
                }
            }
            other => return refuse(format!("{other} is not supported")),
        }
        if let Some(condition) = &select.having {
            written += &format!(" HAVING {}", self.write(condition)?);
        }
        if !select.named_window.is_empty() {
            return refuse("WINDOW is not supported: write the window after OVER");
        }
        Ok(written)
    }

    fn projection(&self, select: &Select) -> Result<String, Refusal> {
        let mut items = Vec::new();
        for item in &select.projection {
            match item {
                // Named even where it is a column: it keeps its name when the column is renamed.
                SelectItem::UnnamedExpr(expression) => {
                    items.push(format!("{} AS {}", self.write(expression)?, name::quote(&output_name(expression))));
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    items.push(format!("{} AS {}", self.write(expr)?, name::quote(&name::fold(alias))));
                }
                SelectItem::Wildcard(_) => items.extend(self.expand_wildcard(&select.from)?),
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(of), _) => {
                    items.extend(self.expand_table(&name::local(of)?, &select.from)?);
                }
                other => return refuse(format!("the column {other} is not supported")),
            }
        }
        Ok(items.join(", "))
    }

    /// Writes `*` out, as Postgres does when it stores a view: columns that are added later stay out of it.
    fn expand_wildcard(&self, from: &[TableWithJoins]) -> Result<Vec<String>, Refusal> {
        let mut columns = Vec::new();
        for tables in from {
            let merges = |join: &Join| !matches!(constraint(&join.join_operator), Some(JoinConstraint::On(_)) | None);
            if tables.joins.iter().any(merges) {
                return Ok(vec!["*".to_owned()]);
            }
            for factor in factors(tables) {
                match self.table_of(factor)? {
                    Some((known_as, table)) => columns.extend(columns_of(&known_as, table)),
                    None => return Ok(vec!["*".to_owned()]),
                }
            }
        }
        Ok(columns)
    }

    fn expand_table(&self, wanted: &str, from: &[TableWithJoins]) -> Result<Vec<String>, Refusal> {
        for tables in from {
            for factor in factors(tables) {
                if let Some((known_as, table)) = self.table_of(factor)?.filter(|(known_as, _)| known_as == wanted) {
                    return Ok(columns_of(&known_as, table));
                }
            }
        }
        Ok(vec![format!("{}.*", name::quote(wanted))])
    }

    pub(super) fn tables(&self, from: &[TableWithJoins]) -> Result<String, Refusal> {
        let tables: Result<Vec<_>, _> = from.iter().map(|tables| self.joined(tables)).collect();
        Ok(tables?.join(", "))
    }

    fn joined(&self, tables: &TableWithJoins) -> Result<String, Refusal> {
        let mut written = self.factor(&tables.relation)?;
        for join in &tables.joins {
            let word = match &join.join_operator {
                JoinOperator::Join(_) | JoinOperator::Inner(_) => "JOIN",
                JoinOperator::Left(_) | JoinOperator::LeftOuter(_) => "LEFT JOIN",
                JoinOperator::Right(_) | JoinOperator::RightOuter(_) => "RIGHT JOIN",
                JoinOperator::FullOuter(_) => "FULL JOIN",
                JoinOperator::CrossJoin(_) => "CROSS JOIN",
                _ => return refuse(format!("the join{join} is not supported")),
            };
            let natural = matches!(constraint(&join.join_operator), Some(JoinConstraint::Natural));
            let natural = if natural { "NATURAL " } else { "" };
            written += &format!(" {natural}{word} {}", self.factor(&join.relation)?);
            match constraint(&join.join_operator) {
                Some(JoinConstraint::On(condition)) => written += &format!(" ON {}", self.write(condition)?),
                Some(JoinConstraint::Using(columns)) => {
                    let columns: Result<Vec<_>, _> = columns.iter().map(name::local).collect();
                    written += &format!(" USING ({})", name::quote_all(&columns?));
                }
                Some(JoinConstraint::Natural | JoinConstraint::None) | None => {}
                Some(JoinConstraint::UsingAlias(..)) => return refuse("an alias of USING is not supported"),
            }
        }
        Ok(written)
    }

    fn factor(&self, factor: &TableFactor) -> Result<String, Refusal> {
        let (written, known_as) = match factor {
            TableFactor::Table {
                name, alias, args: None, sample: None, with_ordinality: false, inheritance, ..
            } => {
                match inheritance {
                    None | Some(TableInheritance::Only { .. } | TableInheritance::IncludeDescendants) => {}
                }
                (name::quote(&name::local(name)?), alias)
            }
            TableFactor::Derived { lateral: false, subquery, alias, sample: None } => {
                (format!("({})", self.query(subquery)?), alias)
            }
            TableFactor::NestedJoin { table_with_joins, alias: alias @ None } => {
                (format!("({})", self.joined(table_with_joins)?), alias)
            }
            other => return refuse(format!("{other} in FROM is not supported")),
        };
        match known_as {
            None => Ok(written),
            Some(known_as) if known_as.columns.is_empty() => Ok(format!("{written} AS {}", alias(known_as)?)),
            Some(_) => refuse("names for the columns of a table in FROM are not supported"),
        }
    }

    fn order_by(&self, order: &OrderBy) -> Result<String, Refusal> {
        match &order.kind {
            OrderByKind::Expressions(keys) => self.order(keys),
            OrderByKind::All(_) => refuse("ORDER BY ALL is not supported"),
        }
    }

    /// Keys of an order, with Postgres' place for nulls: last when ascending, first when descending.
    pub(super) fn order(&self, keys: &[OrderByExpr]) -> Result<String, Refusal> {
        let keys: Result<Vec<_>, Refusal> = keys
            .iter()
            .map(|key| {
                let (direction, nulls_first) = match key.options.sort {
                    None | Some(OrderBySort::Asc) => ("", false),
                    Some(OrderBySort::Desc) => (" DESC", true),
                    Some(OrderBySort::Using(_)) => return refuse("ORDER BY … USING is not supported"),
                };
                let nulls = if key.options.nulls_first.unwrap_or(nulls_first) { "FIRST" } else { "LAST" };
                Ok(format!("{}{direction} NULLS {nulls}", self.write(&key.expr)?))
            })
            .collect();
        Ok(keys?.join(", "))
    }

    pub(super) fn window(&self, window: &WindowSpec) -> Result<String, Refusal> {
        let mut clauses = Vec::new();
        if window.window_name.is_some() {
            return refuse("named windows are not supported");
        }
        if !window.partition_by.is_empty() {
            clauses.push(format!("PARTITION BY {}", self.write_all(&window.partition_by)?));
        }
        if !window.order_by.is_empty() {
            clauses.push(format!("ORDER BY {}", self.order(&window.order_by)?));
        }
        if let Some(frame) = &window.window_frame {
            // A frame holds words and numbers only, which both engines read alike.
            let end = frame.end_bound.as_ref().map(|end| format!(" AND {end}")).unwrap_or_default();
            clauses.push(
                format!("{} BETWEEN {}{end}", frame.units, frame.start_bound)
                    .replace("BETWEEN", if end.is_empty() { "" } else { "BETWEEN" }),
            );
        }
        Ok(clauses.join(" "))
    }
}

fn factors(from: &TableWithJoins) -> impl Iterator<Item = &TableFactor> {
    std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation))
}

fn columns_of(known_as: &str, table: &Table) -> Vec<String> {
    let column = |name: &str| format!("{}.{name} AS {name}", name::quote(known_as), name = name::quote(name));
    table.columns.iter().map(|of| column(&of.name)).collect()
}

fn alias(alias: &TableAlias) -> Result<String, Refusal> {
    let columns: Vec<String> = alias.columns.iter().map(|column| name::fold(&column.name)).collect();
    let known_as = name::quote(&name::fold(&alias.name));
    Ok(if columns.is_empty() { known_as } else { format!("{known_as}({})", name::quote_all(&columns)) })
}

fn constraint(join: &JoinOperator) -> Option<&JoinConstraint> {
    match join {
        JoinOperator::Join(constraint)
        | JoinOperator::Inner(constraint)
        | JoinOperator::Left(constraint)
        | JoinOperator::LeftOuter(constraint)
        | JoinOperator::Right(constraint)
        | JoinOperator::RightOuter(constraint)
        | JoinOperator::FullOuter(constraint)
        | JoinOperator::CrossJoin(constraint) => Some(constraint).filter(|of| !matches!(of, JoinConstraint::None)),
        _ => None,
    }
}

/// The name that Postgres gives a column which is an expression.
///
/// Source: `FigureColname` in Postgres' `parse_target.c`, as documented under "Column Labels".
fn output_name(expression: &Expr) -> String {
    let last = |ident: Option<&Ident>| ident.map(name::fold);
    let found = match expression {
        Expr::Identifier(ident) => last(Some(ident)),
        Expr::CompoundIdentifier(idents) => last(idents.last()),
        Expr::Function(call) => name::parts(&call.name).ok().and_then(|mut parts| parts.pop()),
        Expr::Nested(inner) => Some(output_name(inner)),
        Expr::Cast { expr, data_type, .. } => match output_name(expr).as_str() {
            "?column?" => Some(data_type.to_string().to_lowercase()),
            inner => Some(inner.to_owned()),
        },
        Expr::Case { .. } => Some("case".to_owned()),
        Expr::Exists { .. } => Some("exists".to_owned()),
        Expr::Extract { .. } => Some("extract".to_owned()),
        Expr::Array(_) => Some("array".to_owned()),
        _ => None,
    };
    found.unwrap_or_else(|| "?column?".to_owned())
}
