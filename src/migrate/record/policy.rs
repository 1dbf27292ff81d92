//! Row security and policies in `_berth_*` tables: in PostgreSQL's syntax, from which they can be made again anywhere,
//! and as SQLite evaluates them.

use rusqlite::Connection;

use super::{Error, exists};
use crate::migrate::translate::{
    Policy, PolicyCommand, PolicyKind, Refusal, RowSecurity, Schema, Written, WrittenPolicy, write_policy,
};

/// The tables; all are written anew with each migration.
pub(super) const TABLES: &str = "
CREATE TABLE IF NOT EXISTS _berth_row_security (table_name TEXT PRIMARY KEY, enabled INTEGER NOT NULL, forced INTEGER NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _berth_policies (table_name TEXT, name TEXT, kind TEXT NOT NULL, command TEXT NOT NULL, roles TEXT NOT NULL, using_expression TEXT, check_expression TEXT, using_sql TEXT, check_sql TEXT, PRIMARY KEY (table_name, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _berth_policy_calls (table_name TEXT, name TEXT, using_calls TEXT, check_calls TEXT, PRIMARY KEY (table_name, name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _berth_bypassing_roles (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _berth_invoker_views (name TEXT PRIMARY KEY) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _berth_checked_views (name TEXT PRIMARY KEY, option_name TEXT NOT NULL) WITHOUT ROWID;
DELETE FROM _berth_row_security; DELETE FROM _berth_policies; DELETE FROM _berth_policy_calls; DELETE FROM _berth_bypassing_roles; DELETE FROM _berth_invoker_views; DELETE FROM _berth_checked_views;
";

/// Reads what the migrations so far have said. Files that an earlier version migrated have none of the tables.
pub(super) fn read(connection: &Connection, schema: &mut Schema) -> Result<(), Error> {
    if !exists(connection, "_berth_policies")? {
        return Ok(());
    }
    let mut statement = connection.prepare("SELECT table_name, enabled, forced FROM _berth_row_security")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        schema.row_security.insert(row.get(0)?, RowSecurity { enabled: row.get(1)?, forced: row.get(2)? });
    }
    read_policies(connection, schema)?;
    let mut statement = connection.prepare("SELECT name FROM _berth_bypassing_roles")?;
    for name in statement.query_map([], |row| row.get::<_, String>(0))? {
        if let Some(role) = schema.roles.get_mut(&name?) {
            role.bypasses_policies = true;
        }
    }
    let mut statement = connection.prepare("SELECT name FROM _berth_invoker_views")?;
    schema.invoker_views = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    // Files that an earlier version migrated have no such table.
    if exists(connection, "_berth_checked_views")? {
        let mut statement = connection.prepare("SELECT name, option_name FROM _berth_checked_views")?;
        let views = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
        schema.checked_views = views.collect::<rusqlite::Result<_>>()?;
    }
    Ok(())
}

fn read_policies(connection: &Connection, schema: &mut Schema) -> Result<(), Error> {
    let sql = "SELECT table_name, name, kind, command, roles, using_expression, check_expression FROM _berth_policies";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (table, name): (String, String) = (row.get(0)?, row.get(1)?);
        let (kind, command, roles): (String, String, String) = (row.get(2)?, row.get(3)?, row.get(4)?);
        let roles = serde_json::from_str(&roles).map_err(|source| Error::Definition { name: name.clone(), source })?;
        let kind = PolicyKind::ALL.into_iter().find(|of| of.name() == kind).unwrap_or(PolicyKind::Restrictive);
        let command = PolicyCommand::ALL.into_iter().find(|of| of.name() == command).unwrap_or(PolicyCommand::All);
        let policy = Policy { kind, command, roles, using: row.get(5)?, check: row.get(6)? };
        schema.policies.insert((table, name), policy);
    }
    Ok(())
}

/// Writes what the migrations so far have said.
///
/// # Errors
/// [`Error::Policy`] when a policy no longer fits the tables that it names.
pub(super) fn write(connection: &Connection, schema: &Schema, file: &str) -> Result<(), Error> {
    for (table, security) in &schema.row_security {
        let row = (table, security.enabled, security.forced);
        connection.execute("INSERT INTO _berth_row_security VALUES (?1, ?2, ?3)", row)?;
    }
    for ((table, name), policy) in &schema.policies {
        let broken = |Refusal(message)| Error::Policy {
            file: file.to_owned(),
            policy: format!("\"{name}\" of \"{table}\""),
            message,
        };
        let WrittenPolicy { using, check } = write_policy(schema, table, policy).map_err(broken)?;
        for Written { sql, .. } in using.iter().chain(&check) {
            let sql = format!("SELECT 1 FROM main.{} WHERE ({sql})", crate::migrate::translate::quote(table));
            connection.prepare(&sql).map_err(|error| broken(Refusal(error.to_string())))?;
        }
        let roles = serde_json::Value::from(policy.roles.clone()).to_string();
        let (kind, command) = (policy.kind.name(), policy.command.name());
        let sql = |written: &Option<Written>| written.as_ref().map(|written| written.sql.clone());
        let row = (table, name, kind, command, roles, &policy.using, &policy.check, sql(&using), sql(&check));
        connection.execute("INSERT INTO _berth_policies VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)", row)?;
        let calls = |written: Option<Written>| written.map(|written| serde_json::json!(written.calls).to_string());
        let row = (table, name, calls(using), calls(check));
        connection.execute("INSERT INTO _berth_policy_calls VALUES (?1, ?2, ?3, ?4)", row)?;
    }
    for (name, _) in schema.roles.iter().filter(|(_, role)| role.bypasses_policies) {
        connection.execute("INSERT INTO _berth_bypassing_roles VALUES (?1)", [name])?;
    }
    for view in &schema.invoker_views {
        connection.execute("INSERT INTO _berth_invoker_views VALUES (?1)", [view])?;
    }
    for (view, option) in &schema.checked_views {
        connection.execute("INSERT INTO _berth_checked_views VALUES (?1, ?2)", [view, option])?;
    }
    Ok(())
}
