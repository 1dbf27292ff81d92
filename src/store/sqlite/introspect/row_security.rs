//! Row security and the queries of views: what migrations noted, and what SQLite says that it reads.
//!
//! | table | columns |
//! |---|---|
//! | `_berth_row_security` | `table_name`, `enabled`, `forced` |
//! | `_berth_policies` | `table_name`, `name`, `kind`, `command`, `roles` (JSON array), `using_sql`, `check_sql`, and both as `…_expression` in Postgres' SQL |
//! | `_berth_policy_calls` | `table_name`, `name`, `using_calls`, `check_calls` (JSON: grantees by signature) |
//! | `_berth_bypassing_roles`, `_berth_invoker_views` | `name` |
//!
//! What cannot be read opens nothing: a policy that SQLite does not understand holds of no row.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rusqlite::{Connection, Row};

use super::definition;
use crate::catalog::{
    Expression, Generated, Kind, Policy, PolicyKind, Privilege, QualifiedName, Reads, RowSecurity, Table, ViewQuery,
    ViewRights,
};
use crate::store::sqlite::authorizer::{self, Reading};
use crate::store::sqlite::write::SCHEMA;

/// What was found.
#[derive(Debug, Default)]
pub(super) struct Found {
    pub(super) bypassing_roles: BTreeSet<String>,
    pub(super) row_security: BTreeMap<QualifiedName, RowSecurity>,
    pub(super) view_queries: BTreeMap<QualifiedName, ViewQuery>,
}

impl Found {
    /// Reads the notes among `names`. `tables` are those that are served, `invoker_views` the views that read with the
    /// rights of who asks.
    pub(super) fn read(
        connection: &Connection,
        names: &BTreeSet<&str>,
        tables: &BTreeMap<QualifiedName, Table>,
        invoker_views: &BTreeSet<String>,
    ) -> rusqlite::Result<Self> {
        let mut found = Self::default();
        if !names.contains("_berth_row_security") {
            return Ok(found);
        }
        let mut statement = connection.prepare("SELECT name FROM _berth_bypassing_roles")?;
        found.bypassing_roles = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
        let mut statement = connection.prepare("SELECT table_name, forced FROM _berth_row_security WHERE enabled")?;
        let secured = statement.query_map([], |row| Ok((row.get::<_, String>(0)?, row.get::<_, bool>(1)?)))?;
        for table in secured {
            let (name, forced) = table?;
            let policies = read_policies(connection, &name, names.contains("_berth_policy_calls"))?;
            let sql = definition::read(connection, &name)?.unwrap_or_default();
            let name = QualifiedName::new(SCHEMA, name);
            let next_number = tables.get(&name).and_then(|table| next_number(table, &sql));
            let security = RowSecurity { forced, policies, next_number, generated: definition::generated(&sql) };
            found.row_security.insert(name, security);
        }
        if !found.row_security.is_empty() || !invoker_views.is_empty() {
            for name in tables.values().filter(|table| table.kind == Kind::View).map(|table| &table.name) {
                let rights = if invoker_views.contains(&name.name) { ViewRights::Invoker } else { ViewRights::Owner };
                found.view_queries.insert(name.clone(), read_view(connection, &name.name, rights)?);
            }
        }
        Ok(found)
    }
}

/// The tables that have policies, whether or not row security is enabled for them.
///
/// # Errors
/// What SQLite says.
pub(in crate::store::sqlite) fn policed(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let is_noted = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE name = '_berth_policies')";
    if !connection.query_row(is_noted, [], |row| row.get(0))? {
        return Ok(Vec::new());
    }
    let mut statement = connection.prepare("SELECT DISTINCT table_name FROM _berth_policies ORDER BY table_name")?;
    statement.query_map([], |row| row.get(0))?.collect()
}

/// What the row id of the next row will be. `sql`: the table's definition.
///
/// Source: <https://www.sqlite.org/autoinc.html>.
fn next_number(table: &Table, sql: &str) -> Option<String> {
    let key = table
        .columns
        .iter()
        .find(|column| matches!(column.generated, Generated::IdentityByDefault | Generated::IdentityAlways))?;
    let name = &table.name.name;
    Some(if definition::is_counted(sql) {
        let text = name.replace('\'', "''");
        format!("(SELECT coalesce(max(seq), 0) + 1 FROM main.sqlite_sequence WHERE name = '{text}')")
    } else {
        format!("(SELECT coalesce(max({}), 0) + 1 FROM main.{})", quoted(&key.name), quoted(name))
    })
}

/// `has_calls`: what they call is noted, as an earlier version did not.
fn read_policies(connection: &Connection, table: &str, has_calls: bool) -> rusqlite::Result<Vec<Policy>> {
    let calls = if has_calls {
        "_berth_policy_calls"
    } else {
        "(SELECT '' AS table_name, '' AS name, NULL AS using_calls, NULL AS check_calls)"
    };
    let sql = format!(
        "SELECT name, kind, command, roles, using_sql, using_expression, check_sql, check_expression, using_calls, \
         check_calls FROM _berth_policies LEFT JOIN {calls} USING (table_name, name) WHERE table_name = ?1 ORDER BY name"
    );
    let mut statement = connection.prepare(&sql)?;
    let policies = statement.query_map([table], |row| read_policy(connection, table, row))?;
    policies.collect()
}

fn read_policy(connection: &Connection, table: &str, row: &Row<'_>) -> rusqlite::Result<Policy> {
    let (kind, command, roles): (String, String, String) = (row.get(1)?, row.get(2)?, row.get(3)?);
    let (using, check): (Option<String>, Option<String>) = (row.get(5)?, row.get(7)?);
    let has_query = using.iter().chain(&check).any(|expression| definition::has_query(expression));
    let expression = |sql: Option<String>, calls: Option<String>| {
        let read = |sql| {
            let calls = calls.map_or_else(|| Some(BTreeMap::new()), |calls| serde_json::from_str(&calls).ok());
            let Some(calls) = calls else { return never() };
            let read = read_expression(connection, table, table, sql).unwrap_or_else(|_| never());
            Expression { has_query, calls, ..read }
        };
        sql.map(|sql| Arc::new(read(sql)))
    };
    Ok(Policy {
        name: row.get(0)?,
        kind: if kind == "permissive" { PolicyKind::Permissive } else { PolicyKind::Restrictive },
        command: match command.as_str() {
            "select" => Some(Privilege::Select),
            "insert" => Some(Privilege::Insert),
            "update" => Some(Privilege::Update),
            "delete" => Some(Privilege::Delete),
            _ => None,
        },
        roles: serde_json::from_str(&roles).unwrap_or_default(),
        using: expression(row.get(4)?, row.get(8)?),
        check: expression(row.get(6)?, row.get(9)?),
    })
}

/// Learns what an expression reads by having SQLite read it twice: once over the table itself, which tells all columns,
/// and once with every table that it names behind a common table expression, which tells the names that whoever asks must
/// be allowed to use from those that lead past it (`main.…`). `known_as`: what it calls the table.
///
/// # Errors
/// What SQLite says of it.
pub(super) fn read_expression(
    connection: &Connection,
    table: &str,
    known_as: &str,
    sql: String,
) -> rusqlite::Result<Expression> {
    let table_itself = format!("main.{}", quoted(table));
    let over = |with: &str, from: &str| {
        let alias =
            if known_as == table && from == table_itself { String::new() } else { format!(" AS {}", quoted(known_as)) };
        format!("{with}SELECT 1 FROM {from}{alias} WHERE ({sql}\n)")
    };
    let plain = over("", &table_itself);
    let readings = authorizer::readings(connection, &plain)?;
    let named: BTreeSet<&str> = readings.iter().map(|reading| reading.table.as_str()).collect();
    let parts: Vec<String> =
        named.iter().map(|name| format!("{name} AS (SELECT * FROM main.{name})", name = quoted(name))).collect();
    // A view would tell of itself as the part of its name does: its row stands there without it.
    let is_view = readings.iter().any(|reading| reading.accessor.as_deref() == Some(table));
    let from = if is_view { row_of(&readings, table) } else { table_itself.clone() };
    let with = if parts.is_empty() { String::new() } else { format!("WITH {} ", parts.join(", ")) };
    let behind = authorizer::readings(connection, &over(&with, &from))?;
    let direct = |reading: &&Reading| reading.accessor.is_none();
    let asked: BTreeSet<&str> = behind.iter().filter_map(|reading| reading.accessor.as_deref()).collect();
    let past: BTreeSet<&str> = behind.iter().filter(direct).map(|reading| reading.table.as_str()).collect();
    let mut expression = Expression { sql, ..Expression::default() };
    for Reading { table: of, column, .. } in readings.iter().filter(direct) {
        if of == table {
            expression.columns.insert(column.clone());
        }
        if asked.contains(of.as_str()) {
            add(&mut expression.reads, of, column);
        }
        if past.contains(of.as_str()) && of != table {
            add(&mut expression.trusted, of, column);
        }
    }
    expression.columns.remove("");
    Ok(expression)
}

/// A query of one row with the columns that are read of the table.
fn row_of(readings: &[Reading], table: &str) -> String {
    let is_own =
        |reading: &&Reading| reading.accessor.is_none() && reading.table == table && !reading.column.is_empty();
    let columns: BTreeSet<&str> = readings.iter().filter(is_own).map(|reading| reading.column.as_str()).collect();
    let columns: Vec<String> = columns.into_iter().map(|column| format!(", NULL AS {}", quoted(column))).collect();
    format!("(SELECT 1{})", columns.concat())
}

/// What holds of no row.
fn never() -> Expression {
    Expression { sql: "FALSE".to_owned(), ..Expression::default() }
}

/// A view that cannot be read reads nothing, and whoever reads it is told why.
fn read_view(connection: &Connection, view: &str, rights: ViewRights) -> rusqlite::Result<ViewQuery> {
    let sql: String =
        connection
            .query_row("SELECT sql FROM sqlite_schema WHERE type = 'view' AND name = ?1", [view], |row| row.get(0))?;
    let query = definition::view_query(&sql).unwrap_or_default().to_owned();
    let readings = authorizer::readings(connection, &format!("SELECT * FROM main.{}", quoted(view)));
    let mut reads = Reads::new();
    for reading in readings.unwrap_or_default().iter().filter(|reading| reading.accessor.as_deref() == Some(view)) {
        add(&mut reads, &reading.table, &reading.column);
    }
    Ok(ViewQuery { rights, sql: query, reads })
}

fn add(reads: &mut Reads, table: &str, column: &str) {
    let columns = reads.entry(QualifiedName::new(SCHEMA, table)).or_default();
    if !column.is_empty() {
        columns.insert(column.to_owned());
    }
}

fn quoted(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
