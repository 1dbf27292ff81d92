//! Queries: the body of a view, the source of an `INSERT`, a subquery.

use sqlparser::ast::{
    Cte, Distinct, Expr, GroupByExpr, Ident, LimitClause, OrderBy, OrderByExpr, OrderByKind, OrderBySort, Query,
    Select, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, SetQuantifier, TableWithJoins, WindowSpec, With,
};

use super::decimal::collated;
use super::model::Column;
use super::scope::{Found, Scope, Source};
use super::source::alias;
use super::{Refusal, function, name, refuse};
use crate::catalog::{TypeKind, TypeName};

/// What the columns of a query become.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target<'t> {
    /// Their types.
    pub(super) types: &'t [TypeName],
    /// Together they are a row, which the query may also give as one value.
    pub(super) is_row: bool,
}

impl Scope<'_> {
    /// Writes a query for SQLite. Output columns get the names that Postgres gives them.
    pub(super) fn query(&self, query: &Query) -> Result<String, Refusal> {
        self.query_into(query, None)
    }

    /// Writes a query whose columns become those of `target`.
    pub(super) fn query_into(&self, query: &Query, target: Option<Target<'_>>) -> Result<String, Refusal> {
        let mut scope = self.inner();
        let with = query.with.as_ref().map(|with| scope.with(with)).transpose()?;
        Ok(with.unwrap_or_default() + &scope.query_without_names(query, target)?)
    }

    /// Writes `WITH …`, and brings what it names into reach.
    pub(super) fn with(&mut self, with: &With) -> Result<String, Refusal> {
        let mut tables = Vec::with_capacity(with.cte_tables.len());
        for cte in &with.cte_tables {
            if with.recursive {
                self.define_first_part(cte)?;
            }
            let written = self.query(&cte.query)?;
            self.define_named(cte, false)?;
            tables.push(format!("{} AS ({written})", alias(&cte.alias)));
        }
        let word = if with.recursive { "WITH RECURSIVE" } else { "WITH" };
        Ok(format!("{word} {} ", tables.join(", ")))
    }

    /// Brings a query of a `WITH` into reach, by the columns that it gives.
    pub(super) fn define_named(&mut self, cte: &Cte, is_recursive: bool) -> Result<(), Refusal> {
        if is_recursive {
            self.define_first_part(cte)?;
        }
        let columns = self.output(&cte.query)?;
        self.define(Source::of_query(&name::fold(&cte.alias.name), columns, Some(&cte.alias)));
        Ok(())
    }

    /// A recursive query refers to itself by the columns of its first part.
    fn define_first_part(&mut self, cte: &Cte) -> Result<(), Refusal> {
        let columns = self.output_of(first_part(&cte.query))?;
        self.define(Source::of_query(&name::fold(&cte.alias.name), columns, Some(&cte.alias)));
        Ok(())
    }

    fn query_without_names(&self, query: &Query, target: Option<Target<'_>>) -> Result<String, Refusal> {
        if !query.locks.is_empty() || query.for_clause.is_some() {
            return refuse("locks on rows do not exist");
        }
        let mut written = self.body(&query.body, target)?;
        if let Some(order) = &query.order_by {
            written += &format!(" ORDER BY {}", self.order_by(order, &query.body)?);
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

    fn body(&self, body: &SetExpr, target: Option<Target<'_>>) -> Result<String, Refusal> {
        match body {
            SetExpr::Select(select) => self.scope_of(body)?.select(select, target),
            SetExpr::Query(query)
                if query.order_by.is_none() && query.limit_clause.is_none() && query.with.is_none() =>
            {
                self.body(&query.body, target)
            }
            SetExpr::Query(query) => Ok(format!("SELECT * FROM ({})", self.query_into(query, target)?)),
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
                let common = if target.is_none() { self.common_types(body)? } else { None };
                let target = common.as_deref().map(|types| Target { types, is_row: false }).or(target);
                let (left, second) = (self.body(left, target)?, self.body(right, target)?);
                // SQLite reads chains from left to right and takes no parentheses.
                let is_chain = matches!(right.as_ref(), SetExpr::SetOperation { .. } | SetExpr::Query(_));
                let second = if is_chain { format!("SELECT * FROM ({second})") } else { second };
                Ok(format!("{left} {operation}{all} {second}"))
            }
            SetExpr::Values(values) => {
                let row = |row: &[Expr]| Ok(format!("({})", self.values(row, target)?.join(", ")));
                let rows: Result<Vec<_>, Refusal> = values.rows.iter().map(|values| row(&values.content)).collect();
                Ok(format!("VALUES {}", rows?.join(", ")))
            }
            other => refuse(format!("a query cannot contain {other}")),
        }
    }

    /// The types that the columns of several queries are brought to, when one of them is a `numeric` of any digits: on one
    /// side it may be text, and on the other a number.
    fn common_types(&self, body: &SetExpr) -> Result<Option<Vec<TypeName>>, Refusal> {
        let Some(columns) = self.output_of(body)?.filter(|_| self.functions.get().are_extended()) else {
            return Ok(None);
        };
        let type_of = |column: &Column| match self.kind_of_declared(&column.declared) {
            Some(kind) if kind.is_wide() => {
                TypeName { declared: column.declared.clone(), kind: kind.as_decimal_text() }
            }
            _ => super::change::untyped(),
        };
        let types: Vec<TypeName> = columns.iter().map(type_of).collect();
        Ok(types.iter().any(|of| of.kind.is_decimal_text()).then_some(types))
    }

    fn select(&self, select: &Select, target: Option<Target<'_>>) -> Result<String, Refusal> {
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
        written += &self.items(&select.projection, &select.from, target)?;
        if !select.from.is_empty() {
            written += &format!(" FROM {}", self.tables(&select.from)?);
        }
        if let Some(condition) = &select.selection {
            written += &format!(" WHERE {}", self.write(condition)?);
        }
        match &select.group_by {
            GroupByExpr::Expressions(keys, modifiers) if modifiers.is_empty() => {
                if !keys.is_empty() {
                    let named = names_of(&select.projection);
                    let keys: Result<Vec<_>, _> = keys.iter().map(|key| self.group_key(key, &named)).collect();
                    written += &format!(" GROUP BY {}", keys?.join(", "));
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

    /// Writes the items of a `SELECT` from `from`, or of a `RETURNING`.
    pub(super) fn items(
        &self,
        items: &[SelectItem],
        from: &[TableWithJoins],
        target: Option<Target<'_>>,
    ) -> Result<String, Refusal> {
        if let ([SelectItem::UnnamedExpr(only) | SelectItem::ExprWithAlias { expr: only, .. }], Some(target)) =
            (items, target)
            && target.is_row
            && let Some(row) = self.row_items(only, target)?
        {
            return Ok(row.join(", "));
        }
        let mut written = Vec::new();
        for item in items {
            let of = target.and_then(|target| target.types.get(written.len()));
            match item {
                // Named even where it is a column: it keeps its name when the column is renamed.
                SelectItem::UnnamedExpr(expression) => {
                    let named = name::quote(&output_name(expression));
                    written.push(format!("{} AS {named}", self.given_as(expression, of)?));
                }
                SelectItem::ExprWithAlias { expr, alias } => {
                    written.push(format!("{} AS {}", self.given_as(expr, of)?, name::quote(&name::fold(alias))));
                }
                SelectItem::Wildcard(_) => match self.expand_wildcard(from) {
                    Some(columns) => written.extend(columns),
                    None => written.push("*".to_owned()),
                },
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(of), _) => {
                    let of = name::local(of)?;
                    match self.source(&of).and_then(|source| self.expand(source)) {
                        Some(columns) => written.extend(columns),
                        None => written.push(format!("{}.*", name::quote(&of))),
                    }
                }
                other => return refuse(format!("the column {other} is not supported")),
            }
        }
        Ok(if written.is_empty() { "NULL".to_owned() } else { written.join(", ") })
    }

    /// The columns of a row that is given as one value; `None` when the expression is no row.
    fn row_items(&self, expression: &Expr, target: Target<'_>) -> Result<Option<Vec<String>>, Refusal> {
        match expression {
            Expr::Nested(inner) => self.row_items(inner, target),
            Expr::Cast { expr, .. } => self.row_items(expr, target),
            Expr::Tuple(items) => self.values(items, Some(target)).map(Some),
            Expr::Function(call) if function::name_of(call)? == "row" => {
                let items: Vec<Expr> = function::arguments(call)?.into_iter().cloned().collect();
                self.values(&items, Some(target)).map(Some)
            }
            other => {
                let row = self.row(other);
                Ok(row.map(|row| row.columns.iter().map(|column| row.write(&column.name)).collect()))
            }
        }
    }

    fn values(&self, values: &[Expr], target: Option<Target<'_>>) -> Result<Vec<String>, Refusal> {
        let of = |place: usize| target.and_then(|target| target.types.get(place));
        values.iter().enumerate().map(|(place, value)| self.given_as(value, of(place))).collect()
    }

    fn given_as(&self, expression: &Expr, of: Option<&TypeName>) -> Result<String, Refusal> {
        match of {
            // Rows that are put together are compared as those of the first query are.
            Some(type_name) if type_name.kind.is_decimal_text() && !self.is_kept(expression) => {
                self.assigned(expression, type_name).map(|written| collated(&written))
            }
            Some(type_name) if type_name.kind != TypeKind::Any || self.constant(expression)?.is_some() => {
                self.assigned(expression, type_name)
            }
            Some(_) | None => self.write_as_held(expression),
        }
    }

    /// A key of `GROUP BY`: a column of what is read, else one of the query itself.
    fn group_key(&self, key: &Expr, named: &[String]) -> Result<String, Refusal> {
        match key {
            Expr::Identifier(ident) => {
                let name = name::fold(ident);
                let is_column = matches!(self.find(std::slice::from_ref(&name)), Some(Found::Column(..)));
                if !is_column && named.contains(&name) { Ok(name::quote(&name)) } else { self.write_as_held(key) }
            }
            _ => self.write_as_held(key),
        }
    }

    fn order_by(&self, order: &OrderBy, body: &SetExpr) -> Result<String, Refusal> {
        let OrderByKind::Expressions(keys) = &order.kind else { return refuse("ORDER BY ALL is not supported") };
        let named = match body {
            SetExpr::Select(select) => names_of(&select.projection),
            _ => self.output_of(body)?.into_iter().flatten().map(|column| column.name).collect(),
        };
        self.scope_of(body)?.order_among(keys, &named)
    }

    /// Keys of an order that names no columns of the query itself.
    pub(super) fn order(&self, keys: &[OrderByExpr]) -> Result<String, Refusal> {
        self.order_among(keys, &[])
    }

    /// Keys of an order, with Postgres' place for nulls: last when ascending, first when descending. A bare name means a
    /// column that the query gives, if there is one.
    fn order_among(&self, keys: &[OrderByExpr], named: &[String]) -> Result<String, Refusal> {
        let keys: Result<Vec<_>, Refusal> = keys
            .iter()
            .map(|key| {
                let (direction, nulls_first) = match key.options.sort {
                    None | Some(OrderBySort::Asc) => ("", false),
                    Some(OrderBySort::Desc) => (" DESC", true),
                    Some(OrderBySort::Using(_)) => return refuse("ORDER BY … USING is not supported"),
                };
                let nulls = if key.options.nulls_first.unwrap_or(nulls_first) { "FIRST" } else { "LAST" };
                let written = match &key.expr {
                    Expr::Identifier(ident) if named.contains(&name::fold(ident)) => name::quote(&name::fold(ident)),
                    other => self.write_as_held(other)?,
                };
                Ok(format!("{written}{direction} NULLS {nulls}"))
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

/// The names of the columns that items give, but for those that `*` stands for.
fn names_of(items: &[SelectItem]) -> Vec<String> {
    let name = |item: &SelectItem| match item {
        SelectItem::UnnamedExpr(expression) => Some(output_name(expression)),
        SelectItem::ExprWithAlias { alias, .. } => Some(name::fold(alias)),
        _ => None,
    };
    items.iter().filter_map(name).collect()
}

/// What a recursive query begins with.
fn first_part(query: &Query) -> &SetExpr {
    match query.body.as_ref() {
        SetExpr::SetOperation { left, .. } => left,
        other => other,
    }
}

/// The name that Postgres gives a column which is an expression.
///
/// Source: `FigureColname` in Postgres' `parse_target.c`, as documented under "Column Labels".
pub(super) fn output_name(expression: &Expr) -> String {
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
