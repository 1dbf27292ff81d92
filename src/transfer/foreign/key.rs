//! Unique constraints and foreign keys, as SQLite's pragmas tell of them.

use rusqlite::Connection;

use super::definition::Definition;
use super::{Wanted, listed};
use crate::catalog;
use crate::transfer::quote;
use crate::transfer::target::qualified;

/// The columns of each `UNIQUE` constraint.
pub(super) fn unique_constraints(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Vec<String>>> {
    let sql = "SELECT name FROM pragma_index_list(?1) WHERE origin = 'u' ORDER BY seq DESC";
    let mut statement = connection.prepare(sql)?;
    let names: Vec<String> = statement.query_map([table], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let mut constraints = Vec::with_capacity(names.len());
    for name in names {
        let mut statement = connection.prepare("SELECT name FROM pragma_index_info(?1) ORDER BY seqno")?;
        constraints.push(statement.query_map([name], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?);
    }
    Ok(constraints)
}

/// What happens to the rows of a foreign key, as SQLite tells.
#[derive(Debug, Default)]
struct Rules {
    table: String,
    columns: Vec<String>,
    on_update: String,
    on_delete: String,
}

fn rules(connection: &Connection, table: &str) -> rusqlite::Result<Vec<Rules>> {
    let sql = "SELECT id, \"table\", \"from\", on_update, on_delete FROM pragma_foreign_key_list(?1) ORDER BY id, seq";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([table])?;
    let mut rules: Vec<(i64, Rules)> = Vec::new();
    while let Some(row) = rows.next()? {
        let id = row.get(0)?;
        if rules.last().is_none_or(|(last, _)| *last != id) {
            let (table, on_update, on_delete) = (row.get(1)?, row.get(3)?, row.get(4)?);
            rules.push((id, Rules { table, columns: Vec::new(), on_update, on_delete }));
        }
        if let Some((_, rules)) = rules.last_mut() {
            rules.columns.push(row.get(2)?);
        }
    }
    Ok(rules.into_iter().map(|(_, rules)| rules).collect())
}

/// `ALTER TABLE … ADD FOREIGN KEY`, with the rules that SQLite has.
pub(super) fn foreign_keys(
    connection: &Connection,
    table: &catalog::Table,
    definition: &Definition,
) -> rusqlite::Result<Vec<Wanted>> {
    let name = &table.name.name;
    let rules = rules(connection, name)?;
    let same = |one: &[String], other: &[String]| {
        one.len() == other.len() && one.iter().zip(other).all(|(one, other)| one.eq_ignore_ascii_case(other))
    };
    let mut wanted = Vec::new();
    for key in &table.foreign_keys {
        let rules = rules
            .iter()
            .find(|rules| rules.table.eq_ignore_ascii_case(&key.references.name) && same(&rules.columns, &key.columns));
        let (on_update, on_delete) =
            rules.map_or(("NO ACTION", "NO ACTION"), |rules| (rules.on_update.as_str(), rules.on_delete.as_str()));
        let deferred = if definition.is_deferred(&key.columns) { " DEFERRABLE INITIALLY DEFERRED" } else { "" };
        wanted.push(Wanted {
            what: format!("foreign key \"{}\" of \"{name}\"", key.name),
            statement: format!(
                "ALTER TABLE {} ADD CONSTRAINT {} FOREIGN KEY ({}) REFERENCES {} ({}) ON UPDATE {on_update} ON DELETE \
                 {on_delete}{deferred}",
                qualified(name),
                quote(&key.name),
                listed(&key.columns),
                qualified(&key.references.name),
                listed(&key.references_columns),
            ),
        });
    }
    Ok(wanted)
}
