//! Views: what can be written through them, and the keys that they show.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use sqlparser::ast::{Query, SetExpr, Statement};
use sqlparser::dialect::SQLiteDialect;
use sqlparser::parser::Parser;

use super::definition;
use crate::catalog::view::{Keys, Shown, shown_keys, shown_primary_key};
use crate::catalog::{Kind, QualifiedName, ShownKey, Table, Verb};
use crate::store::sqlite::write::SCHEMA;

/// Deepest nesting that is read; a view beyond it has no key.
const DEPTH_MAX: usize = 32;

/// A view as its text says.
#[derive(Debug)]
pub(super) struct View {
    pub(super) name: String,
    /// `None` when it cannot be read.
    pub(super) query: Option<Box<Query>>,
    /// The verbs for which it has an `INSTEAD OF` trigger.
    pub(super) instead: BTreeSet<Verb>,
}

/// Reads the text of every view, once for all who ask.
///
/// # Errors
/// What SQLite says.
pub(super) fn list(connection: &Connection) -> rusqlite::Result<Vec<View>> {
    let sql = "SELECT tbl_name, sql FROM sqlite_schema WHERE type = 'trigger' AND sql IS NOT NULL";
    let mut statement = connection.prepare(sql)?;
    let mut triggers = statement.query([])?;
    let mut instead: BTreeMap<String, BTreeSet<Verb>> = BTreeMap::new();
    while let Some(trigger) = triggers.next()? {
        let view = trigger.get::<_, String>(0)?.to_ascii_lowercase();
        instead.entry(view).or_default().extend(definition::instead_of(&trigger.get::<_, String>(1)?));
    }
    let mut statement = connection.prepare("SELECT name, sql FROM sqlite_schema WHERE type = 'view'")?;
    let views = statement.query_map([], |row| {
        let (name, sql): (String, String) = (row.get(0)?, row.get(1)?);
        let instead = instead.remove(&name.to_ascii_lowercase()).unwrap_or_default();
        Ok(View { name, query: parse(&sql), instead })
    })?;
    views.collect()
}

/// Gives views the primary keys that they show, and tells of the foreign keys.
///
/// SQLite itself tells which column of which table a view's column is, through other views and queries in `FROM` too;
/// of a `UNION` it would tell of the first part alone, so such a view has no keys.
pub(super) fn find_keys(
    connection: &Connection,
    views: &[View],
    tables: &mut BTreeMap<QualifiedName, Table>,
) -> rusqlite::Result<Vec<ShownKey>> {
    let mut shown = Vec::new();
    for View { name, query, .. } in views {
        let is_one_select = query.as_ref().is_some_and(|query| matches!(*query.body, SetExpr::Select(_)));
        if is_one_select && tables.contains_key(&QualifiedName::new(SCHEMA, name)) {
            // A view that cannot be read has no keys; whoever reads it is told why.
            shown.extend(shown_by(connection, name).unwrap_or_default());
        }
    }
    let keys = |table: &Table| Keys {
        primary_key: table.primary_key.clone(),
        unique: table.unique.clone(),
        foreign_keys: table.foreign_keys.clone(),
    };
    let keys = tables.iter().map(|(name, table)| (name.clone(), keys(table))).collect();
    for (name, view) in tables.iter_mut().filter(|(_, table)| table.kind == Kind::View) {
        view.primary_key = shown_primary_key(name, &keys, &shown);
    }
    Ok(shown_keys(&keys, &shown))
}

/// What a view shows of each table, in the order of its columns.
fn shown_by(connection: &Connection, view: &str) -> rusqlite::Result<Vec<Shown>> {
    let statement = connection.prepare(&format!("SELECT * FROM \"{}\"", view.replace('"', "\"\"")))?;
    let mut shown: Vec<Shown> = Vec::new();
    for column in statement.columns_with_metadata() {
        let (Some(table), Some(origin)) = (column.table_name(), column.origin_name()) else { continue };
        let names = (origin.to_owned(), column.name().to_owned());
        match shown.iter_mut().find(|shown| shown.table.name == table) {
            Some(shown) => shown.columns.push(names),
            None => shown.push(Shown {
                view: QualifiedName::new(SCHEMA, view),
                table: QualifiedName::new(SCHEMA, table),
                columns: vec![names],
            }),
        }
    }
    Ok(shown)
}

/// The query of a view; `None` when it cannot be read.
fn parse(sql: &str) -> Option<Box<Query>> {
    let dialect = SQLiteDialect {};
    let parser = Parser::new(&dialect).with_recursion_limit(DEPTH_MAX);
    let mut statements = parser.try_with_sql(sql).and_then(|mut parser| parser.parse_statements()).ok()?;
    match (statements.pop(), statements.is_empty()) {
        (Some(Statement::CreateView(create)), true) => Some(create.query),
        _ => None,
    }
}
