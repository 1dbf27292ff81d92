//! Views: what can be written through them, the key of a view that shows one table's rows as they are, and the foreign
//! keys that they show.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use sqlparser::ast::{Expr, Query, Select, SelectItem, SetExpr, Statement, TableFactor};
use sqlparser::dialect::SQLiteDialect;
use sqlparser::parser::Parser;

use super::definition;
use crate::catalog::view::{Keys, Shown, shown_keys};
use crate::catalog::{Kind, QualifiedName, ShownKey, Table};
use crate::store::sqlite::write::SCHEMA;

/// Deepest nesting that is read; a view beyond it has no key.
const DEPTH_MAX: usize = 32;

/// The events for which a view has an `INSTEAD OF` trigger.
pub(super) fn events(connection: &Connection, view: &str) -> rusqlite::Result<BTreeSet<String>> {
    let sql =
        "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE nocase AND sql IS NOT NULL";
    let mut statement = connection.prepare_cached(sql)?;
    let texts = statement.query_map([view], |row| row.get::<_, String>(0))?;
    texts.filter_map(|text| text.map(|text| definition::instead_of(&text)).transpose()).collect()
}

/// Gives a key to the views of which every row is one row of a table and which show the whole key of that table.
pub(super) fn find_keys(connection: &Connection, tables: &mut BTreeMap<QualifiedName, Table>) -> rusqlite::Result<()> {
    let mut statement = connection.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'view'")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let name = QualifiedName::new(SCHEMA, row.get::<_, String>(0)?);
        let sql: String = row.get(1)?;
        let Some(view) = tables.get(&name) else { continue };
        if let Some(key) = shown_key(&sql, view, tables)
            && let Some(view) = tables.get_mut(&name)
        {
            view.primary_key = key;
        }
    }
    Ok(())
}

/// The foreign keys that views show. SQLite itself tells which column of which table a view's column is, through other
/// views and queries in `FROM` too; of a `UNION` it would tell of the first part alone, so such a view has no keys.
pub(super) fn find_shown_keys(
    connection: &Connection,
    tables: &BTreeMap<QualifiedName, Table>,
) -> rusqlite::Result<Vec<ShownKey>> {
    let mut statement = connection.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'view'")?;
    let views = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    let mut shown = Vec::new();
    for view in views.collect::<rusqlite::Result<Vec<(String, String)>>>()? {
        let (name, sql) = view;
        let is_one_select = query_of(&sql).is_some_and(|query| matches!(*query.body, SetExpr::Select(_)));
        if is_one_select && tables.contains_key(&QualifiedName::new(SCHEMA, &name)) {
            shown.extend(shown_by(connection, &name)?);
        }
    }
    let keys = |table: &Table| Keys {
        primary_key: table.primary_key.clone(),
        unique: table.unique.clone(),
        foreign_keys: table.foreign_keys.clone(),
    };
    let keys = tables.iter().map(|(name, table)| (name.clone(), keys(table))).collect();
    Ok(shown_keys(&keys, &shown))
}

/// What a view shows of each table.
fn shown_by(connection: &Connection, view: &str) -> rusqlite::Result<Vec<Shown>> {
    let statement = connection.prepare(&format!("SELECT * FROM \"{}\"", view.replace('"', "\"\"")))?;
    let mut by_table: BTreeMap<String, Vec<(String, String)>> = BTreeMap::new();
    for column in statement.columns_with_metadata() {
        if let (Some(table), Some(origin)) = (column.table_name(), column.origin_name()) {
            by_table.entry(table.to_owned()).or_default().push((origin.to_owned(), column.name().to_owned()));
        }
    }
    let named = |name: &str| QualifiedName::new(SCHEMA, name);
    Ok(by_table
        .into_iter()
        .map(|(table, columns)| Shown { view: named(view), table: named(&table), columns })
        .collect())
}

/// The query behind a view.
fn query_of(sql: &str) -> Option<Box<Query>> {
    let dialect = SQLiteDialect {};
    let parser = Parser::new(&dialect).with_recursion_limit(DEPTH_MAX);
    let statements = parser.try_with_sql(sql).ok()?.parse_statements().ok()?;
    match <[Statement; 1]>::try_from(statements) {
        Ok([Statement::CreateView(create)]) => Some(create.query),
        Ok(_) | Err(_) => None,
    }
}

/// The view's names for the columns of its table's key, in the order of the key.
fn shown_key(sql: &str, view: &Table, tables: &BTreeMap<QualifiedName, Table>) -> Option<Vec<String>> {
    let query = query_of(sql)?;
    let (select, table) = plain_select(&query, tables)?;
    let shown = shown_columns(select, table)?;
    if shown.len() != view.columns.len() || table.primary_key.is_empty() {
        return None;
    }
    let name_of = |key: &String| {
        let place = shown.iter().position(|column| column.as_deref() == Some(key.as_str()))?;
        view.columns.get(place).map(|column| column.name.clone())
    };
    table.primary_key.iter().map(name_of).collect()
}

/// The `SELECT` of one table without anything that joins, groups, repeats or cuts off rows; and that
/// table.
fn plain_select<'a>(query: &'a Query, tables: &'a BTreeMap<QualifiedName, Table>) -> Option<(&'a Select, &'a Table)> {
    let (None, None, SetExpr::Select(select)) = (&query.with, &query.limit_clause, query.body.as_ref()) else {
        return None;
    };
    let is_grouped = match &select.group_by {
        sqlparser::ast::GroupByExpr::Expressions(columns, modifiers) => !columns.is_empty() || !modifiers.is_empty(),
        sqlparser::ast::GroupByExpr::All(_) => true,
    };
    let [from] = select.from.as_slice() else { return None };
    if is_grouped || select.distinct.is_some() || select.having.is_some() || !from.joins.is_empty() {
        return None;
    }
    let TableFactor::Table { name, args: None, .. } = &from.relation else { return None };
    let name = &name.0.last()?.as_ident()?.value;
    let found = tables.values().find(|table| table.name.name.eq_ignore_ascii_case(name));
    found.filter(|table| table.kind == Kind::Table).map(|table| (select.as_ref(), table))
}

/// For each column of the view the table's column that it shows as it is; `None` as a whole when that cannot be told.
///
/// An expression with parentheses may hold an aggregate or a subquery: such a view is not read by its key in no time.
fn shown_columns(select: &Select, table: &Table) -> Option<Vec<Option<String>>> {
    let mut shown = Vec::new();
    for item in &select.projection {
        let expression = match item {
            SelectItem::Wildcard(_) | SelectItem::QualifiedWildcard(..) => {
                shown.extend(table.columns.iter().map(|column| Some(column.name.clone())));
                continue;
            }
            SelectItem::UnnamedExpr(expression) | SelectItem::ExprWithAlias { expr: expression, .. } => expression,
            SelectItem::ExprWithAliases { .. } => return None,
        };
        let name = if let Expr::Identifier(name) = expression {
            Some(name)
        } else if let Expr::CompoundIdentifier(parts) = expression {
            parts.last()
        } else if expression.to_string().contains('(') {
            return None;
        } else {
            None
        };
        let column = |name: &str| table.columns.iter().find(|column| column.name.eq_ignore_ascii_case(name));
        shown.push(name.and_then(|name| column(&name.value)).map(|column| column.name.clone()));
    }
    Some(shown)
}
