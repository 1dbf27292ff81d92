//! What a query reads from: tables, other queries, functions that give rows; and what it gives itself.

use sqlparser::ast::{
    Expr, Join, JoinConstraint, JoinOperator, Query, SelectItem, SelectItemQualifiedWildcardKind, SetExpr, TableAlias,
    TableFactor, TableInheritance, TableWithJoins,
};

use super::arithmetic::{common, is_number};
use super::decimal::held_name;
use super::expression::constant_kind;
use super::model::Column;
use super::query::output_name;
use super::scope::{Scope, Source};
use super::{Refusal, name, refuse};
use crate::catalog::TypeKind;

impl Scope<'_> {
    /// This scope and the columns of what a `SELECT` reads from.
    pub(super) fn scope_of(&self, body: &SetExpr) -> Result<Self, Refusal> {
        let mut scope = self.inner();
        let SetExpr::Select(select) = body else { return Ok(scope) };
        scope.enter(Vec::new());
        scope.read_all(&select.from)?;
        Ok(scope)
    }

    /// Brings what stands in `FROM` into reach.
    pub(super) fn read_all(&mut self, from: &[TableWithJoins]) -> Result<(), Refusal> {
        for factor in from.iter().flat_map(factors) {
            // One after the other: a function may be given columns of what stands before it.
            for source in self.sources_of(factor)? {
                self.read(source);
            }
        }
        Ok(())
    }

    fn sources_of(&self, factor: &TableFactor) -> Result<Vec<Source>, Refusal> {
        match factor {
            TableFactor::NestedJoin { table_with_joins, .. } => {
                let nested: Result<Vec<_>, _> = factors(table_with_joins).map(|inner| self.sources_of(inner)).collect();
                Ok(nested?.into_iter().flatten().collect())
            }
            TableFactor::Table { name, alias, args: None, .. } => Ok(vec![self.source_of_table(name, alias.as_ref())?]),
            TableFactor::Derived { subquery, alias, .. } => {
                let columns = self.outer().output(subquery)?;
                let known_as = alias.as_ref().map(|alias| name::fold(&alias.name)).unwrap_or_default();
                Ok(vec![Source::of_query(&known_as, columns, alias.as_ref())])
            }
            other => Ok(vec![self.table_function(other)?.source]),
        }
    }

    fn source_of_table(
        &self,
        name: &sqlparser::ast::ObjectName,
        alias: Option<&TableAlias>,
    ) -> Result<Source, Refusal> {
        let local = name::local(name)?;
        let known_as = alias.map_or_else(|| local.clone(), |alias| name::fold(&alias.name));
        if let Some(named) = self.defined(&local).filter(|_| name.0.len() == 1) {
            return Ok(Source { known_as, ..named.clone() });
        }
        match self.schema.relation(&local) {
            Some(table) => Ok(Source::of_table(&known_as, table)),
            None => {
                let table = self.schema.has_relation(&local).then_some(local);
                Ok(Source { table, ..Source::of_query(&known_as, None, None) })
            }
        }
    }

    /// The columns that a query gives, with their types; `None` when they cannot all be named.
    pub(super) fn output(&self, query: &Query) -> Result<Option<Vec<Column>>, Refusal> {
        let mut scope = self.inner();
        for cte in query.with.iter().flat_map(|with| &with.cte_tables) {
            scope.define_named(cte, query.with.as_ref().is_some_and(|with| with.recursive))?;
        }
        scope.output_of(&query.body)
    }

    /// The columns of the body of a query.
    pub(super) fn output_of(&self, body: &SetExpr) -> Result<Option<Vec<Column>>, Refusal> {
        match body {
            SetExpr::SetOperation { left, right, .. } => {
                let (left, right) = (self.output_of(left)?, self.output_of(right)?.unwrap_or_default());
                let mut right = right.into_iter();
                let common = |column: Column| match right.next() {
                    Some(other) => self.common_column(column, &other),
                    None => column,
                };
                Ok(left.map(|left| left.into_iter().map(common).collect()))
            }
            SetExpr::Query(query) => self.output(query),
            SetExpr::Values(values) => {
                let first = values.rows.first().map(|row| row.content.as_slice()).unwrap_or_default();
                let column = |(place, value): (usize, &Expr)| self.given(format!("column{}", place + 1), value);
                Ok(Some(first.iter().enumerate().map(column).collect()))
            }
            SetExpr::Select(select) => self.scope_of(body)?.output_of_items(&select.projection),
            _ => Ok(None),
        }
    }

    /// A column of two queries whose rows are put together.
    fn common_column(&self, column: Column, other: &Column) -> Column {
        let kinds = [&column, other].map(|of| self.kind_of_declared(&of.declared));
        let declared = match kinds {
            [None, Some(_)] => other.declared.clone(),
            [Some(first), Some(second)] if first != second && is_number(&first) && is_number(&second) => {
                held_name(common(first, second))
            }
            _ => return column,
        };
        Column::plain(column.name, declared)
    }

    /// The columns that the items of a `SELECT` or a `RETURNING` give, in the scope of what they read from.
    pub(super) fn output_of_items(&self, items: &[SelectItem]) -> Result<Option<Vec<Column>>, Refusal> {
        let mut columns = Vec::new();
        for item in items {
            match item {
                SelectItem::UnnamedExpr(expression) => columns.push(self.given(output_name(expression), expression)),
                SelectItem::ExprWithAlias { expr, alias } => columns.push(self.given(name::fold(alias), expr)),
                SelectItem::Wildcard(_) => {
                    for source in self.sources() {
                        let Some(own) = &source.columns else { return Ok(None) };
                        columns.extend(own.iter().map(|column| self.shown(column)));
                    }
                }
                SelectItem::QualifiedWildcard(SelectItemQualifiedWildcardKind::ObjectName(of), _) => {
                    let source = self.source(&name::local(of)?);
                    let Some(own) = source.and_then(|source| source.columns.as_ref()) else { return Ok(None) };
                    columns.extend(own.iter().map(|column| self.shown(column)));
                }
                _ => return Ok(None),
            }
        }
        Ok(Some(columns))
    }

    /// A column that an expression gives.
    fn given(&self, name: String, expression: &Expr) -> Column {
        let kind = self.kind(expression).or_else(|| constant_kind(expression));
        let is_made = self.functions.get().are_extended() && !self.is_kept(expression);
        let held = |kind: TypeKind| if is_made && kind.is_wide() { kind.as_decimal_text() } else { kind };
        Column::plain(name, kind.map(|kind| held_name(held(kind))).unwrap_or_default())
    }

    /// A table's column as it shows in a query.
    fn shown(&self, column: &Column) -> Column {
        let declared = self.kind_of_declared(&column.declared).map(held_name).unwrap_or_default();
        Column::plain(column.name.clone(), declared)
    }

    /// Writes `*` out, as Postgres does when it stores a view: columns that are added later stay out of it. `None` when
    /// it cannot be.
    pub(super) fn expand_wildcard(&self, from: &[TableWithJoins]) -> Option<Vec<String>> {
        let merges = |join: &Join| !matches!(constraint(&join.join_operator), Some(JoinConstraint::On(_)) | None);
        let is_merged = from.iter().flat_map(|tables| &tables.joins).any(merges);
        let columns: Option<Vec<_>> = self.sources().iter().map(|source| self.expand(source)).collect();
        columns.filter(|_| !is_merged).map(|columns| columns.into_iter().flatten().collect())
    }

    /// Writes the columns of a source out.
    pub(super) fn expand(&self, source: &Source) -> Option<Vec<String>> {
        let columns = source.columns.as_ref()?;
        let write = |column: &Column| {
            self.note_column(source, &column.name);
            format!("{} AS {}", source.write(&column.name), name::quote(&column.name))
        };
        Some(columns.iter().map(write).collect())
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
                    let columns: Vec<String> = columns.iter().map(name::local).collect::<Result<_, _>>()?;
                    columns.iter().for_each(|column| self.note_everywhere(column));
                    written += &format!(" USING ({})", name::quote_all(&columns));
                }
                Some(JoinConstraint::Natural) => {
                    let shared = self.sources().iter().flat_map(|source| source.columns.iter().flatten());
                    let shared: Vec<String> = shared.map(|column| column.name.clone()).collect();
                    shared.iter().for_each(|column| self.note_everywhere(column));
                }
                Some(JoinConstraint::None) | None => {}
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
                return self.table(name, alias.as_ref());
            }
            TableFactor::Derived { lateral: false, subquery, alias, sample: None } => {
                (format!("({})", self.outer().query(subquery)?), alias)
            }
            TableFactor::NestedJoin { table_with_joins, alias: alias @ None } => {
                (format!("({})", self.joined(table_with_joins)?), alias)
            }
            other => return Ok(self.table_function(other)?.written),
        };
        match known_as {
            None => Ok(written),
            Some(known_as) if known_as.columns.is_empty() => Ok(format!("{written} AS {}", alias(known_as))),
            // SQLite has names for columns only where a query is named by WITH.
            Some(known_as) => {
                let name = name::quote(&name::fold(&known_as.name));
                Ok(format!("(WITH {} AS {written} SELECT * FROM {name}) AS {name}", alias(known_as)))
            }
        }
    }

    fn table(&self, name: &sqlparser::ast::ObjectName, known_as: Option<&TableAlias>) -> Result<String, Refusal> {
        let local = name::local(name)?;
        let is_query = name.0.len() == 1 && self.defined(&local).is_some();
        let is_read = self.is_body() && !is_query;
        if is_read {
            self.schema.require_relation(&local)?;
        }
        let written = if is_query { name::quote(&local) } else { self.rows_of(&local)? };
        match known_as {
            None if is_read => Ok(format!("{written} AS {}", name::quote(&local))),
            None => Ok(written),
            Some(known_as) if known_as.columns.is_empty() => Ok(format!("{written} AS {}", alias(known_as))),
            Some(_) => refuse("names for the columns of a table in FROM are not supported"),
        }
    }
}

impl Source {
    /// A query under the name that it has in another.
    pub(super) fn of_query(known_as: &str, columns: Option<Vec<Column>>, alias: Option<&TableAlias>) -> Self {
        let columns = alias.map_or(columns.clone(), |alias| renamed(columns, alias));
        Self { known_as: known_as.to_owned(), table: None, columns, written: Vec::new() }
    }
}

/// The columns under the names that an alias gives to some or all of them.
pub(super) fn renamed(columns: Option<Vec<Column>>, alias: &TableAlias) -> Option<Vec<Column>> {
    let named = || alias.columns.iter().map(|column| name::fold(&column.name));
    match columns {
        Some(mut columns) => {
            columns.iter_mut().zip(named()).for_each(|(column, name)| column.name = name);
            Some(columns)
        }
        None if alias.columns.is_empty() => None,
        None => Some(named().map(|name| Column::plain(name, String::new())).collect()),
    }
}

fn factors(from: &TableWithJoins) -> impl Iterator<Item = &TableFactor> {
    std::iter::once(&from.relation).chain(from.joins.iter().map(|join| &join.relation))
}

/// The name, with names for the columns if there are any.
pub(super) fn alias(alias: &TableAlias) -> String {
    let columns: Vec<String> = alias.columns.iter().map(|column| name::fold(&column.name)).collect();
    let known_as = name::quote(&name::fold(&alias.name));
    if columns.is_empty() { known_as } else { format!("{known_as}({})", name::quote_all(&columns)) }
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
