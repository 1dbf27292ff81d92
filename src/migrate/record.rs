//! What migrations leave behind in `_berth_*` tables: read into a [`Schema`], written from it.

mod policy;

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::Connection;
use serde::de::DeserializeOwned;

use super::Error;
use super::translate::{
    Column, DefaultGrant, EXECUTE, Grant, IdentityKind, Inheritance, NO_EXECUTE, ObjectKind, Reach, Role, Schema,
    SchemaUsers, Table, function_signature, labels, routine,
};

/// The tables, made when the first migration runs. All are written anew with each migration: they are small.
const TABLES: &str = "
CREATE TABLE IF NOT EXISTS _berth_migrations (name TEXT PRIMARY KEY, checksum TEXT NOT NULL, applied_at TEXT NOT NULL, definitions TEXT) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _berth_tables (name TEXT PRIMARY KEY, definition TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _berth_types (name TEXT PRIMARY KEY, definition TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _berth_enums (table_name TEXT, column_name TEXT, labels TEXT NOT NULL, PRIMARY KEY (table_name, column_name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _berth_views (name TEXT PRIMARY KEY, definition TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _berth_columns (table_name TEXT, column_name TEXT, type_name TEXT NOT NULL, identity TEXT, PRIMARY KEY (table_name, column_name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _berth_comments (object_kind TEXT, table_name TEXT, column_name TEXT, comment TEXT NOT NULL, PRIMARY KEY (object_kind, table_name, column_name)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _berth_roles (name TEXT PRIMARY KEY, member_of TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _berth_grants (grantee TEXT NOT NULL, schema_name TEXT NOT NULL, table_name TEXT NOT NULL, privilege TEXT NOT NULL, columns TEXT);
CREATE TABLE IF NOT EXISTS _berth_functions (signature TEXT PRIMARY KEY, definition TEXT NOT NULL, model TEXT NOT NULL, routine TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _berth_isolated_roles (name TEXT PRIMARY KEY, member_of TEXT NOT NULL) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _berth_default_grants (reach TEXT NOT NULL, grantee TEXT NOT NULL, privilege TEXT NOT NULL, PRIMARY KEY (reach, grantee, privilege)) WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS _berth_schema_users (grantee TEXT PRIMARY KEY) WITHOUT ROWID;
DELETE FROM _berth_tables; DELETE FROM _berth_types; DELETE FROM _berth_enums; DELETE FROM _berth_views; DELETE FROM _berth_columns;
DELETE FROM _berth_comments; DELETE FROM _berth_roles; DELETE FROM _berth_grants;
DELETE FROM _berth_default_grants; DELETE FROM _berth_isolated_roles; DELETE FROM _berth_functions;
DELETE FROM _berth_schema_users;
";

/// Changes the schema's version, by which a running instance sees that roles, grants or comments changed.
const TOUCH: &str = "CREATE TABLE _berth_touch (touched); DROP TABLE _berth_touch";

/// True when there is a table of that name.
pub(super) fn exists(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    connection.prepare_cached("SELECT 1 FROM sqlite_schema WHERE name = ?1")?.exists([table])
}

/// True when the ledger has a place for what scripts define: that of an earlier version has none.
pub(super) fn keeps_definitions(connection: &Connection) -> rusqlite::Result<bool> {
    let sql = "SELECT 1 FROM pragma_table_info('_berth_migrations') WHERE name = 'definitions'";
    connection.prepare_cached(sql)?.exists([])
}

/// Reads what the migrations so far have made.
///
/// # Errors
/// [`Error::Definition`] when a definition cannot be read, [`Error::Sqlite`].
pub(super) fn read(connection: &Connection) -> Result<Schema, Error> {
    let mut schema = Schema::default();
    if exists(connection, "_berth_migrations")? {
        schema.tables = definitions(connection, "SELECT name, definition FROM _berth_tables")?;
        schema.views = definitions(connection, "SELECT name, definition FROM _berth_views")?;
        schema.types = definitions(connection, "SELECT name, definition FROM _berth_types")?;
        read_roles(connection, &mut schema)?;
        read_grants(connection, &mut schema)?;
        // Files that an earlier version migrated have no such table.
        if exists(connection, "_berth_default_grants")? {
            read_default_grants(connection, &mut schema)?;
        }
        if exists(connection, "_berth_functions")? {
            schema.functions = definitions(connection, "SELECT signature, model FROM _berth_functions")?;
        }
        if exists(connection, "_berth_schema_users")? {
            let mut statement = connection.prepare("SELECT grantee FROM _berth_schema_users")?;
            let users = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
            schema.users = SchemaUsers(users);
        }
        read_comments(connection, &mut schema)?;
        policy::read(connection, &mut schema)?;
    }
    let mut statement = connection.prepare(
        "SELECT name, type FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'view', 'virtual')",
    )?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (name, kind): (String, String) = (row.get(0)?, row.get(1)?);
        if kind == "view" {
            let noted = schema.views.entry(name.clone()).or_insert_with(|| Table::new(name.clone()));
            if noted.columns.is_empty() {
                schema.foreign_views.insert(name.clone(), read_foreign(connection, name)?);
            }
        } else if !schema.tables.contains_key(&name) && !name.starts_with("_berth_") && !name.starts_with("sqlite_") {
            schema.foreign.insert(name.clone(), read_foreign(connection, name)?);
        }
    }
    Ok(schema)
}

/// A table or view that no migration made: the names of its columns.
fn read_foreign(connection: &Connection, name: String) -> Result<Table, Error> {
    let mut statement = connection.prepare_cached("SELECT name FROM pragma_table_info(?1) ORDER BY cid")?;
    let columns = statement.query_map([&name], |row| Ok(Column::plain(row.get(0)?, String::new())))?;
    let columns = columns.collect::<rusqlite::Result<_>>()?;
    Ok(Table { columns, ..Table::new(name) })
}

fn definitions<T: DeserializeOwned>(connection: &Connection, sql: &str) -> Result<BTreeMap<String, T>, Error> {
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    let mut definitions = BTreeMap::new();
    while let Some(row) = rows.next()? {
        let (name, definition): (String, String) = (row.get(0)?, row.get(1)?);
        let parsed = serde_json::from_str(&definition);
        let definition = parsed.map_err(|source| Error::Definition { name: name.clone(), source })?;
        definitions.insert(name, definition);
    }
    Ok(definitions)
}

/// Reads the roles. A role that inherits nothing is noted twice: `_berth_roles`, which requests are checked against,
/// has it without memberships.
fn read_roles(connection: &Connection, schema: &mut Schema) -> Result<(), Error> {
    let mut add = |inheritance, sql| {
        let roles: BTreeMap<String, BTreeSet<String>> = definitions(connection, sql)?;
        let roles =
            roles.into_iter().map(|(name, member_of)| (name, Role { member_of, inheritance, ..Role::default() }));
        schema.roles.extend(roles);
        Ok::<_, Error>(())
    };
    add(Inheritance::Inherits, "SELECT name, member_of FROM _berth_roles")?;
    // Files that an earlier version migrated have no such table.
    if exists(connection, "_berth_isolated_roles")? {
        add(Inheritance::Isolated, "SELECT name, member_of FROM _berth_isolated_roles")?;
    }
    Ok(())
}

fn read_grants(connection: &Connection, schema: &mut Schema) -> Result<(), Error> {
    let mut statement = connection.prepare("SELECT grantee, table_name, privilege, columns FROM _berth_grants")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (grantee, table, privilege): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let Some(privilege) = known_privilege(&privilege) else { continue };
        let columns: Option<String> = row.get(3)?;
        let grant = |column| Grant { grantee: grantee.clone(), table: table.clone(), privilege, column };
        match columns {
            None => drop(schema.grants.insert(grant(None))),
            Some(columns) => {
                let parsed: Result<Vec<String>, _> = serde_json::from_str(&columns);
                let columns = parsed.map_err(|source| Error::Definition { name: table.clone(), source })?;
                schema.grants.extend(columns.into_iter().map(|column| grant(Some(column))));
            }
        }
    }
    Ok(())
}

fn read_default_grants(connection: &Connection, schema: &mut Schema) -> Result<(), Error> {
    let mut statement = connection.prepare("SELECT reach, grantee, privilege FROM _berth_default_grants")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let (reach, grantee, privilege): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        let reach = [Reach::Everywhere, Reach::Schema].into_iter().find(|of| of.name() == reach);
        let on_functions = [EXECUTE, NO_EXECUTE].into_iter().find(|of| *of == privilege);
        if let (Some(reach), Some(privilege)) = (reach, known_privilege(&privilege).or(on_functions)) {
            schema.default_grants.insert(DefaultGrant { reach, grantee, privilege });
        }
    }
    Ok(())
}

fn known_privilege(name: &str) -> Option<&'static str> {
    ["select", "insert", "update", "delete"].into_iter().find(|of| *of == name)
}

fn read_comments(connection: &Connection, schema: &mut Schema) -> Result<(), Error> {
    let mut statement =
        connection.prepare("SELECT object_kind, table_name, column_name, comment FROM _berth_comments")?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        let kind: String = row.get(0)?;
        let kinds = [ObjectKind::Schema, ObjectKind::Table, ObjectKind::Column, ObjectKind::Function];
        if let Some(kind) = kinds.into_iter().find(|of| of.name() == kind) {
            schema.comments.insert((kind, row.get(1)?, row.get(2)?), row.get(3)?);
        }
    }
    Ok(())
}

/// Writes what the migrations so far have made, the last of them in `file`.
///
/// # Errors
/// [`Error::Sqlite`], [`Error::Definition`], [`Error::Policy`].
pub(super) fn write(connection: &Connection, schema: &Schema, file: &str) -> Result<(), Error> {
    connection.execute_batch(TABLES)?;
    if !keeps_definitions(connection)? {
        connection.execute_batch("ALTER TABLE _berth_migrations ADD COLUMN definitions TEXT")?;
    }
    connection.execute_batch(policy::TABLES)?;
    let json = |name: &str, value: serde_json::Result<String>| {
        value.map_err(|source| Error::Definition { name: name.to_owned(), source })
    };
    for (name, table) in &schema.tables {
        let definition = json(name, serde_json::to_string(table))?;
        connection.execute("INSERT INTO _berth_tables (name, definition) VALUES (?1, ?2)", (name, definition))?;
        for column in &table.columns {
            if let Some(identity) = &column.identity {
                let kind = match identity.kind {
                    IdentityKind::Always => "always",
                    IdentityKind::ByDefault => "by default",
                };
                let row = (name, &column.name, &column.declared, kind);
                connection.execute("INSERT INTO _berth_columns VALUES (?1, ?2, ?3, ?4)", row)?;
            }
        }
    }
    for (name, view) in &schema.views {
        let definition = json(name, serde_json::to_string(view))?;
        connection.execute("INSERT INTO _berth_views (name, definition) VALUES (?1, ?2)", (name, definition))?;
        for column in view.columns.iter().filter(|column| !column.declared.is_empty()) {
            let row = (name, &column.name, &column.declared);
            connection.execute("INSERT INTO _berth_columns VALUES (?1, ?2, ?3, NULL)", row)?;
        }
    }
    for relation in schema.tables.values().chain(schema.views.values()) {
        for column in &relation.columns {
            let element = column.declared.strip_suffix("[]").unwrap_or(&column.declared);
            if let Some(labels) = labels(element, &schema.types) {
                let labels = json(&relation.name, serde_json::to_string(labels))?;
                let row = (&relation.name, &column.name, labels);
                connection.execute("INSERT INTO _berth_enums VALUES (?1, ?2, ?3)", row)?;
            }
        }
    }
    for (name, of) in &schema.types {
        let definition = json(name, serde_json::to_string(of))?;
        connection.execute("INSERT INTO _berth_types (name, definition) VALUES (?1, ?2)", (name, definition))?;
    }
    for (name, role) in &schema.roles {
        let member_of = json(name, serde_json::to_string(&role.member_of))?;
        let inherited = match role.inheritance {
            Inheritance::Inherits => &member_of,
            Inheritance::Isolated => {
                let row = (name, &member_of);
                connection.execute("INSERT INTO _berth_isolated_roles (name, member_of) VALUES (?1, ?2)", row)?;
                "[]"
            }
        };
        connection.execute("INSERT INTO _berth_roles (name, member_of) VALUES (?1, ?2)", (name, inherited))?;
    }
    for ((kind, table, column), comment) in &schema.comments {
        let row = (kind.name(), table, column, comment);
        connection.execute("INSERT INTO _berth_comments VALUES (?1, ?2, ?3, ?4)", row)?;
    }
    write_grants(connection, schema)?;
    write_functions(connection, schema)?;
    policy::write(connection, schema, file)?;
    for default in &schema.default_grants {
        let row = (default.reach.name(), &default.grantee, default.privilege);
        connection.execute("INSERT INTO _berth_default_grants VALUES (?1, ?2, ?3)", row)?;
    }
    connection.execute_batch(TOUCH)?;
    Ok(())
}

/// Writes the functions, translated anew: what they name may have changed. One that no longer fits is kept without a
/// body; as on Postgres, that is told to who calls it.
fn write_functions(connection: &Connection, schema: &Schema) -> Result<(), Error> {
    for (signature, function) in &schema.functions {
        let json = |written: serde_json::Result<String>| {
            written.map_err(|source| Error::Definition { name: signature.clone(), source })
        };
        let model = json(serde_json::to_string(function))?;
        let translated = routine(function, schema).unwrap_or_else(|_| function_signature(function, schema));
        let routine = json(serde_json::to_string(&translated))?;
        let row = (signature, &function.definition, model, routine);
        connection.execute("INSERT INTO _berth_functions VALUES (?1, ?2, ?3, ?4)", row)?;
    }
    Ok(())
}

fn write_grants(connection: &Connection, schema: &Schema) -> Result<(), Error> {
    for user in &schema.users.0 {
        connection.execute("INSERT INTO _berth_schema_users VALUES (?1)", [user])?;
    }
    for grant in &schema.grants {
        let columns = grant.column.as_ref().map(|column| serde_json::Value::from(vec![column.as_str()]).to_string());
        let row = (&grant.grantee, "public", &grant.table, grant.privilege, columns);
        connection.execute("INSERT INTO _berth_grants VALUES (?1, ?2, ?3, ?4, ?5)", row)?;
    }
    Ok(())
}
