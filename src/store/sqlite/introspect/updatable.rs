//! Which views show rows of one table, and what each of their columns is there: Postgres' rules for views that are
//! updatable by themselves.
//!
//! The text of the view says it, and SQLite says what its expressions read, and which of them are aggregates.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "the parser knows far more kinds of nodes than a row can be shown by"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rusqlite::Connection;
use sqlparser::ast::{Expr, GroupByExpr, Ident, ObjectName, Query, Select, SelectItem, SetExpr, TableFactor};

use super::metadata::ViewNotes;
use super::row_security::read_expression;
use super::view::View;
use crate::catalog::updatable::follow;
use crate::catalog::{
    Expression, Kind, Obstacle, QualifiedName, Table, UpdatableView, Verb, ViewColumn, ViewRights, ViewWrites,
};
use crate::store::sqlite::write::SCHEMA;

/// What SQLite says of an aggregate where there are no rows to put together, and of a window function.
const MISUSES: [(&str, Obstacle); 2] =
    [("misuse of aggregate", Obstacle::Aggregate), ("misuse of window function", Obstacle::Window)];

/// What writes to the views among `tables` come to; tells the views so. `stored`: the tables that keep their rows
/// themselves, which virtual ones do not.
///
/// # Errors
/// What SQLite says.
pub(super) fn read(
    connection: &Connection,
    views: Vec<View>,
    tables: &mut BTreeMap<QualifiedName, Table>,
    stored: &BTreeSet<&str>,
    notes: &ViewNotes,
) -> rusqlite::Result<BTreeMap<QualifiedName, ViewWrites>> {
    let mut found = BTreeMap::new();
    for View { name, query, instead } in views {
        let Some(table) = tables.get(&QualifiedName::new(SCHEMA, &name)) else { continue };
        let reading = Reading { connection, tables, stored, notes, view: table };
        let shows = query.ok_or(Obstacle::Unknown).and_then(|query| reading.read(&query)).map(Arc::new);
        found.insert(table.name.clone(), ViewWrites { instead, shows });
    }
    for view in tables.values_mut().filter(|table| table.kind == Kind::View) {
        let takes = |verb| follow(&found, &view.name, verb).is_ok();
        let (insertable, updatable, deletable) = (takes(Verb::Insert), takes(Verb::Update), takes(Verb::Delete));
        (view.insertable, view.updatable, view.deletable) = (insertable, updatable, deletable);
    }
    Ok(found)
}

/// A view that is being read.
struct Reading<'a> {
    connection: &'a Connection,
    tables: &'a BTreeMap<QualifiedName, Table>,
    stored: &'a BTreeSet<&'a str>,
    notes: &'a ViewNotes,
    view: &'a Table,
}

/// The one table or view that a view reads from.
struct Source<'a> {
    table: &'a Table,
    known_as: String,
}

impl<'a> Reading<'a> {
    /// In the order in which Postgres looks for what is in the way.
    fn read(&self, query: &Query) -> Result<UpdatableView, Obstacle> {
        let select = plain_select(query)?;
        let Source { table, known_as } = match self.source(select) {
            Ok(source) => source,
            Err(obstacle) => return Err(self.misuse_in(select).unwrap_or(obstacle)),
        };
        let columns = self.columns(select, table, &known_as)?;
        let condition = select.selection.as_ref();
        let condition = condition.map(|condition| self.expression(condition, table, &known_as)).transpose()?;
        let name = &self.view.name.name;
        let is_invoker = self.notes.invokers.contains(name);
        Ok(UpdatableView {
            of: table.name.clone(),
            known_as,
            columns,
            condition,
            rights: if is_invoker { ViewRights::Invoker } else { ViewRights::Owner },
            check: self.notes.checks.get(name).copied(),
        })
    }

    fn source(&self, select: &Select) -> Result<Source<'a>, Obstacle> {
        let [from] = select.from.as_slice() else { return Err(Obstacle::Source) };
        let TableFactor::Table { name, alias, args: None, .. } = &from.relation else { return Err(Obstacle::Source) };
        let name = local_name(name).filter(|_| from.joins.is_empty()).ok_or(Obstacle::Source)?;
        let is_it = |table: &&Table| table.name.name.eq_ignore_ascii_case(name);
        let table = self.tables.values().find(is_it).ok_or(Obstacle::Source)?;
        if table.kind == Kind::Table && !self.stored.contains(table.name.name.as_str()) {
            return Err(Obstacle::Source);
        }
        let known_as = alias.as_ref().map_or_else(|| table.name.name.clone(), |alias| alias.name.value.clone());
        Ok(Source { table, known_as })
    }

    /// The columns by the names that the view gives them.
    fn columns(
        &self,
        select: &Select,
        table: &Table,
        known_as: &str,
    ) -> Result<BTreeMap<String, ViewColumn>, Obstacle> {
        let mut shown = Vec::new();
        for item in &select.projection {
            match item {
                SelectItem::UnnamedExpr(of) | SelectItem::ExprWithAlias { expr: of, .. } => {
                    shown.push(match plain_column(of, table, known_as) {
                        Some(column) => ViewColumn::Column(column),
                        None => ViewColumn::Expression(self.expression(of, table, known_as)?),
                    });
                }
                SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => {
                    shown.extend(table.columns.iter().map(|column| ViewColumn::Column(column.name.clone())));
                }
                SelectItem::ExprWithAliases { .. } => return Err(Obstacle::Unknown),
            }
        }
        if shown.len() != self.view.columns.len() {
            return Err(Obstacle::Source);
        }
        Ok(self.view.columns.iter().map(|column| column.name.clone()).zip(shown).collect())
    }

    fn expression(&self, of: &Expr, table: &Table, known_as: &str) -> Result<Arc<Expression>, Obstacle> {
        let read = read_expression(self.connection, &table.name.name, known_as, of.to_string());
        read.map(Arc::new).map_err(|error| misuse(&error).unwrap_or(Obstacle::Unknown))
    }

    /// What is in the way among the columns of a view that reads from whatever it does.
    fn misuse_in(&self, select: &Select) -> Option<Obstacle> {
        let from: Vec<String> = select.from.iter().map(ToString::to_string).collect();
        let from = if from.is_empty() { String::new() } else { format!(" FROM {}", from.join(", ")) };
        select.projection.iter().find_map(|item| {
            let (SelectItem::UnnamedExpr(of) | SelectItem::ExprWithAlias { expr: of, .. }) = item else { return None };
            let prepared = self.connection.prepare(&format!("SELECT 1{from} WHERE ({of}\n)"));
            prepared.err().and_then(|error| misuse(&error))
        })
    }
}

/// What is in the way when SQLite does not take an expression of one row.
fn misuse(error: &rusqlite::Error) -> Option<Obstacle> {
    let text = error.to_string();
    MISUSES.into_iter().find(|(misuse, _)| text.contains(misuse)).map(|(_, obstacle)| obstacle)
}

/// The one `SELECT` that a query is, without anything that puts rows together or leaves some out.
fn plain_select(query: &Query) -> Result<&Select, Obstacle> {
    let select = match &*query.body {
        SetExpr::Select(select) => select,
        SetExpr::Query(inner) if is_bare(query) => return plain_select(inner),
        SetExpr::SetOperation { .. } => return Err(Obstacle::SetOperation),
        _ => return Err(Obstacle::Source),
    };
    let is_grouped = match &select.group_by {
        GroupByExpr::Expressions(terms, _) => !terms.is_empty(),
        GroupByExpr::All(_) => true,
    };
    let obstacles = [
        (select.distinct.is_some(), Obstacle::Distinct),
        (is_grouped, Obstacle::GroupBy),
        (select.having.is_some(), Obstacle::Having),
        (query.with.is_some(), Obstacle::With),
        (query.limit_clause.is_some() || query.fetch.is_some(), Obstacle::Limit),
    ];
    match obstacles.into_iter().find(|(is_there, _)| *is_there) {
        Some((_, obstacle)) => Err(obstacle),
        None => Ok(select),
    }
}

/// True for a query that adds nothing to what stands in its parentheses.
fn is_bare(query: &Query) -> bool {
    query.with.is_none() && query.limit_clause.is_none() && query.fetch.is_none()
}

/// The table's column that an expression is, spelled as the table does.
fn plain_column(expression: &Expr, table: &Table, known_as: &str) -> Option<String> {
    let name = match expression {
        Expr::Identifier(name) => name,
        Expr::CompoundIdentifier(parts) => match parts.as_slice() {
            [.., of, name] if of.value.eq_ignore_ascii_case(known_as) => name,
            _ => return None,
        },
        Expr::Nested(inner) => return plain_column(inner, table, known_as),
        _ => return None,
    };
    let is_it = |column: &&crate::catalog::Column| column.name.eq_ignore_ascii_case(&name.value);
    table.columns.iter().find(is_it).map(|column| column.name.clone())
}

/// The last part of `main.name` or `name`.
fn local_name(name: &ObjectName) -> Option<&str> {
    let parts: Option<Vec<&Ident>> = name.0.iter().map(|part| part.as_ident()).collect();
    match parts?.as_slice() {
        [name] => Some(&name.value),
        [schema, name] if schema.value.eq_ignore_ascii_case("main") => Some(&name.value),
        _ => None,
    }
}
