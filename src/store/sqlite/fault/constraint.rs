//! Which constraint, in Postgres' words. SQLite names columns, or a check's name or expression; the rest is looked up.

use rusqlite::{Connection, OptionalExtension as _};

use super::{Sight, database, detailed};
use crate::catalog::{Table, TypeKind};
use crate::plan::Value;
use crate::sql::Run;
use crate::store::Error;
use crate::store::sqlite::bind;
use crate::store::sqlite::introspect::definition::{self, Check, ConstraintKind};
use crate::store::sqlite::write::{find_table, kind_of};

/// What may be asked for an explanation.
pub(super) struct Context<'a> {
    pub(super) connection: &'a Connection,
    pub(super) sight: Sight<'a>,
    /// What was run.
    pub(super) run: Option<&'a Run>,
    /// With which of its lists of values.
    pub(super) row: usize,
}

impl Context<'_> {
    /// `UNIQUE constraint failed: t.a, t.b` or `…: index 'name'`.
    pub(super) fn unique(&self, message: &str) -> Option<Error> {
        let failed = message.strip_prefix("UNIQUE constraint failed: ")?;
        let duplicate = |name: &str| format!("duplicate key value violates unique constraint \"{name}\"");
        if let Some(index) = failed.strip_prefix("index '").and_then(|rest| rest.strip_suffix('\'')) {
            return Some(database("23505", &duplicate(index)));
        }
        let (table, columns) = self.columns_named(failed)?;
        let details = self.key_of_row(table, &columns).map(|key| format!("Key {key} already exists."));
        Some(detailed("23505", duplicate(&self.unique_name(table, &columns)), details))
    }

    /// `NOT NULL constraint failed: t.a`.
    pub(super) fn not_null(&self, message: &str) -> Option<Error> {
        let (table, columns) = self.columns_named(message.strip_prefix("NOT NULL constraint failed: ")?)?;
        let [column] = columns.as_slice() else { return None };
        let name = &table.name.name;
        let text = format!("null value in column \"{column}\" of relation \"{name}\" violates not-null constraint");
        Some(database("23502", &text))
    }

    /// `CHECK constraint failed: name` or, when it has none, `…: expression`.
    pub(super) fn check(&self, message: &str) -> Option<Error> {
        let failed = message.strip_prefix("CHECK constraint failed: ")?;
        if let Some(error) = of_type(failed) {
            return Some(error);
        }
        let mut found = self.likely_tables().filter_map(|table| {
            let checks = definition::checks(&self.definition(table)?, table);
            let check = checks.into_iter().find(|check| check.is_named_by(failed))?;
            Some((table, check))
        });
        let (table, Check { name, .. }) = found.next()?;
        let table = &table.name.name;
        Some(database("23514", &format!("new row for relation \"{table}\" violates check constraint \"{name}\"")))
    }

    /// All tables, the one written to first: triggers may write to others.
    fn likely_tables(&self) -> impl Iterator<Item = &Table> {
        let target = self.run.and_then(|run| find_table(self.sight.catalog, &run.table));
        let others =
            self.sight.catalog.tables.values().filter(move |table| target.is_none_or(|t| t.name != table.name));
        target.into_iter().chain(others)
    }

    /// Reads `t.a, t.b`. Names may hold dots and commas, so it is compared with what each table's keys would be.
    fn columns_named(&self, failed: &str) -> Option<(&Table, Vec<String>)> {
        self.likely_tables().find_map(|table| {
            let written = |columns: &[String]| {
                let parts: Vec<String> = columns.iter().map(|column| format!("{}.{column}", table.name.name)).collect();
                parts.join(", ")
            };
            let single = table.columns.iter().map(|column| vec![column.name.clone()]);
            let partial = self.partial_keys(table);
            let mut keys = std::iter::once(table.primary_key.clone())
                .chain(table.unique.iter().cloned())
                .chain(partial)
                .chain(single);
            keys.find(|key| !key.is_empty() && written(key) == failed).map(|key| (table, key))
        })
    }

    /// Columns of the unique indexes that the catalog leaves out: they hold for some rows only.
    fn partial_keys(&self, table: &Table) -> Vec<Vec<String>> {
        let sql = "SELECT json_group_array(i.name) FROM pragma_index_list(?1) AS l, pragma_index_info(l.name) AS i \
                   WHERE l.\"unique\" AND l.partial GROUP BY l.name";
        let read = || -> rusqlite::Result<Vec<String>> {
            let mut statement = self.connection.prepare(sql)?;
            let keys = statement.query_map([&table.name.name], |row| row.get(0))?;
            keys.collect()
        };
        let keys = read().unwrap_or_default();
        keys.iter().filter_map(|key| serde_json::from_str(key).ok()).collect()
    }

    /// The name that the constraint was given, that of its index, or the one Postgres would give it.
    fn unique_name(&self, table: &Table, columns: &[String]) -> String {
        let is_primary = table.primary_key == columns;
        let kind = if is_primary { ConstraintKind::PrimaryKey } else { ConstraintKind::Unique };
        let declared = self.definition(table).and_then(|sql| definition::constraint_name(&sql, kind, columns));
        let name = &table.name.name;
        match declared {
            Some(declared) => declared,
            None if is_primary => format!("{name}_pkey"),
            None => self.index_name(name, columns).unwrap_or_else(|| format!("{name}_{}_key", columns.join("_"))),
        }
    }

    /// The name of the unique index that `CREATE INDEX` made on these columns.
    fn index_name(&self, table: &str, columns: &[String]) -> Option<String> {
        let sql = "SELECT l.name FROM pragma_index_list(?1) AS l WHERE l.\"unique\" AND l.origin = 'c' \
                   AND (SELECT json_group_array(i.name) FROM pragma_index_info(l.name) AS i) = json(?2)";
        let wanted = serde_json::to_string(columns).ok()?;
        let found = self.connection.query_row(sql, [table, wanted.as_str()], |row| row.get(0)).optional();
        found.ok().flatten()
    }

    /// The text that made the table.
    fn definition(&self, table: &Table) -> Option<String> {
        definition::read(self.connection, &table.name.name).ok().flatten()
    }

    /// `(a, b)=(1, 2)`, when the request gave a value to each column.
    fn key_of_row(&self, table: &Table, columns: &[String]) -> Option<String> {
        let run = self.run.filter(|run| run.table == table.name.name && self.sight.sees(table, columns))?;
        let values = values_of(run, self.row, Some(table), columns)?;
        let quoted: Vec<String> = columns.iter().map(|column| quote_unusual(column)).collect();
        Some(key(&quoted, &values))
    }
}

/// A check that stands for a type, named by the migration that wrote it.
fn of_type(name: &str) -> Option<Error> {
    if let Some((domain, check)) = name.strip_prefix("domain:").and_then(|rest| rest.split_once(':')) {
        let text = format!("value for domain {domain} violates check constraint \"{check}\"");
        return Some(database("23514", &text));
    }
    let declared = name.strip_prefix("type:")?;
    Some(match declared {
        "smallint" | "integer" | "bigint" => database("22003", &format!("{declared} out of range")),
        _ if declared.starts_with("character") => database("22001", &format!("value too long for type {declared}")),
        _ => database("22P02", &format!("invalid input syntax for type {declared}")),
    })
}

/// `(a, b)=(1, 2)` of a run's values; `None` when a column got none.
pub(super) fn key_of_values(run: &Run, row: usize, table: Option<&Table>, columns: &[String]) -> Option<String> {
    Some(key(columns, &values_of(run, row, table, columns)?))
}

fn values_of(run: &Run, row: usize, table: Option<&Table>, columns: &[String]) -> Option<Vec<String>> {
    let values = run.values.get(row)?;
    let printed = columns.iter().map(|column| {
        let value = values.get(run.columns.iter().position(|given| given == column)?)?;
        Some(print_value(value, kind_of(table, column)))
    });
    printed.collect()
}

/// A name as Postgres shows it in the key of an index: it takes the columns from the index' definition there. In the key
/// of a foreign key it quotes none.
fn quote_unusual(name: &str) -> String {
    let is_usual = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_')
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_');
    if is_usual { name.to_owned() } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}

/// `(a, b)=(1, 2)`.
pub(super) fn key(columns: &[String], values: &[String]) -> String {
    format!("({})=({})", columns.join(", "), values.join(", "))
}

fn print_value(value: &Value, kind: &TypeKind) -> String {
    bind::print_here(bind::value_ref(value), kind).unwrap_or_else(|| "null".to_owned())
}
