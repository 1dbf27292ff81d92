//! Which foreign key, in Postgres' words. SQLite only says that one failed.
//!
//! 1. The request, rolled back to its savepoint, is run again with the keys checked at the end (`RESTRICT` too).
//!    Rows that were inserted together and point to one another may all have been found by then: it stays done.
//! 2. What it inserted or updated: is the row there that each of its keys points to? This asks for single rows.
//! 3. What it deleted or updated: does a row that pointed there point nowhere now? This reads the tables that point
//!    to the one written to, so it is given little time.
//! 4. The request is rolled back to its savepoint again.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension as _, params_from_iter};

use super::constraint::{key, key_of_values};
use super::{FOREIGN_KEY_FAILED, Sight, database, detailed, explain};
use crate::catalog::{Catalog, ForeignKey, Generated, Table};
use crate::clock::Deadline;
use crate::plan::Value;
use crate::sql::Run;
use crate::store::sqlite::group::execute;
use crate::store::sqlite::write::{Failure, counts_updates, find_table, kind_of};
use crate::store::sqlite::{bind, interrupt};
use crate::store::{Error, Outcome};

/// How long looking for the reason may hold up the writer. Without an answer by then the client gets the code alone.
const SEARCH_TIME: Duration = Duration::from_millis(100);

/// What becomes of a request that violated a key and was rolled back to its savepoint `berth`; `again` runs it once more,
/// up to its own deadline. `together` are the runs of a list of rows, none for a function: its statements are checked one
/// by one, as on Postgres. After an error it is rolled back as before, unless SQLite gave up the transaction.
///
/// # Errors
/// When the savepoint cannot be gone back to: the transaction is lost.
pub(in crate::store::sqlite) fn of_request(
    connection: &Connection,
    sight: Sight<'_>,
    runs: &[Run],
    together: &[Run],
    deadline: Deadline,
    again: impl FnOnce() -> Result<Outcome, Failure>,
) -> rusqlite::Result<Result<Outcome, Error>> {
    execute(connection, "PRAGMA defer_foreign_keys = ON")?;
    let answer = match again() {
        // Postgres looks at the keys last: it would have met this before.
        Err(Failure::Sqlite(error, place)) => Err(explain(connection, sight, runs, place, error)),
        Ok(outcome) if holds(connection, sight.catalog, together, deadline) => Ok(outcome),
        Err(Failure::Refused(error)) if holds(connection, sight.catalog, together, deadline) => Err(error),
        // An expectation does not hold either: Postgres would have stopped at the key before.
        Ok(_) | Err(Failure::Refused(_)) => {
            let _limit = interrupt::Limit::until(Deadline::after(SEARCH_TIME));
            let found = find(connection, sight, runs).ok().flatten();
            Err(found.unwrap_or_else(|| database("23503", FOREIGN_KEY_FAILED)))
        }
    };
    if !connection.is_autocommit() {
        if answer.is_err() {
            execute(connection, "ROLLBACK TO berth")?;
        }
        execute(connection, "PRAGMA defer_foreign_keys = OFF")?;
    }
    Ok(answer)
}

/// Whether all keys hold after rows were inserted together: Postgres checks them when the last one is there.
///
/// Only a list of rows is run piece by piece, so everything else has been checked at its end already. SQLite cannot be
/// asked how many violations are open: what the rows point with is looked for, and nothing else may have been written.
fn holds(connection: &Connection, catalog: &Catalog, runs: &[Run], deadline: Deadline) -> bool {
    let _limit = interrupt::Limit::until(deadline);
    let rows: usize = runs.iter().map(|run| run.values.len()).sum();
    rows > 1 && runs.iter().all(|run| rows_hold(connection, catalog, run).unwrap_or(false))
}

fn rows_hold(connection: &Connection, catalog: &Catalog, run: &Run) -> rusqlite::Result<bool> {
    let Some(table) = find_table(catalog, &run.table) else { return Ok(false) };
    let is_known = |column: &String| run.columns.contains(column) || stays_null(table, column);
    let are_known = table.foreign_keys.iter().flat_map(|key| &key.columns).all(is_known);
    let writes_more = "SELECT 1 FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 COLLATE NOCASE";
    if !are_known || connection.prepare_cached(writes_more)?.exists([&run.table])? {
        return Ok(false);
    }
    for row in 0..run.values.len() {
        for foreign_key in &table.foreign_keys {
            if points_nowhere(connection, run, row, foreign_key)? {
                return Ok(false);
            }
        }
    }
    // An upsert may take a key away from rows that point to it.
    for (child, foreign_keys) in pointing_to(catalog, table) {
        if counts_updates(run) && dangling(connection, child, &foreign_keys)?.is_some() {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Whether a column that an insert does not name becomes null.
fn stays_null(table: &Table, column: &str) -> bool {
    table.column(column).is_some_and(|column| column.default.is_none() && column.generated == Generated::No)
}

/// The error of a transaction that could not be committed and is still open.
pub(in crate::store::sqlite) fn of_commit(connection: &Connection, sight: Sight<'_>) -> Error {
    let _limit = interrupt::Limit::until(Deadline::after(SEARCH_TIME));
    let mut tables = sight.catalog.tables.values().filter(|table| !table.foreign_keys.is_empty());
    let found = tables.find_map(|table| dangling(connection, table, &table.foreign_keys).ok().flatten());
    found.map_or_else(
        || database("23503", FOREIGN_KEY_FAILED),
        |(table, foreign_key, values)| not_present(sight, table, foreign_key, Some(key(&foreign_key.columns, &values))),
    )
}

/// Rolls a request back to its savepoint `berth`; gives the error that it would have met at the commit, because of a
/// key that is checked only there.
///
/// # Errors
/// When the savepoint cannot be gone back to: the transaction is lost.
pub(in crate::store::sqlite) fn of_trial(connection: &Connection, sight: Sight<'_>) -> rusqlite::Result<Option<Error>> {
    let found = find_deferred(connection, sight.catalog);
    execute(connection, "ROLLBACK TO berth")?;
    let broken = found.and_then(|found| {
        // What pointed nowhere before is not the request's doing.
        for (table, foreign_key, values, rows) in found {
            if count_dangling(connection, table, foreign_key)? < rows {
                return Ok(Some(not_present(sight, table, foreign_key, Some(key(&foreign_key.columns, &values)))));
            }
        }
        Ok(None)
    });
    // Without an answer in time nobody knows whether the write would have gone well.
    Ok(broken.unwrap_or_else(|error| Some(super::plain(error))))
}

/// A key with a row that points nowhere: the values it points with, and how many rows do.
type Dangling<'a> = (&'a Table, &'a ForeignKey, Vec<String>, i64);

fn find_deferred<'a>(connection: &Connection, catalog: &'a Catalog) -> rusqlite::Result<Vec<Dangling<'a>>> {
    let mut found = Vec::new();
    let is_deferred = "SELECT 1 FROM sqlite_schema WHERE sql LIKE '%DEFERRABLE%'";
    if !connection.prepare_cached(is_deferred)?.exists([])? {
        return Ok(found);
    }
    for table in catalog.tables.values() {
        for foreign_key in &table.foreign_keys {
            if let Some((_, _, values)) = dangling(connection, table, std::slice::from_ref(foreign_key))? {
                found.push((table, foreign_key, values, count_dangling(connection, table, foreign_key)?));
            }
        }
    }
    Ok(found)
}

fn count_dangling(connection: &Connection, table: &Table, foreign_key: &ForeignKey) -> rusqlite::Result<i64> {
    connection.query_row(&dangling_sql("count(*)", table, foreign_key), [], |row| row.get(0))
}

fn find(connection: &Connection, sight: Sight<'_>, runs: &[Run]) -> rusqlite::Result<Option<Error>> {
    for run in runs {
        let Some(table) = find_table(sight.catalog, &run.table) else { continue };
        for row in 0..run.values.len() {
            for foreign_key in &table.foreign_keys {
                if points_nowhere(connection, run, row, foreign_key)? {
                    let key = key_of_values(run, row, Some(table), &foreign_key.columns);
                    return Ok(Some(not_present(sight, table, foreign_key, key)));
                }
            }
        }
    }
    for table in written_tables(sight.catalog, runs) {
        for (child, foreign_keys) in pointing_to(sight.catalog, table) {
            if let Some((child, foreign_key, values)) = dangling(connection, child, &foreign_keys)? {
                let key = key(&foreign_key.references_columns, &values);
                return Ok(Some(still_referenced(sight, table, foreign_key, child, Some(key))));
            }
        }
        if let Some((table, foreign_key, values)) = dangling(connection, table, &table.foreign_keys)? {
            return Ok(Some(not_present(sight, table, foreign_key, Some(key(&foreign_key.columns, &values)))));
        }
    }
    Ok(None)
}

fn written_tables<'a>(catalog: &'a Catalog, runs: &'a [Run]) -> impl Iterator<Item = &'a Table> {
    runs.iter().filter_map(|run| find_table(catalog, &run.table))
}

/// The tables with foreign keys to `table`, and these.
fn pointing_to<'a>(catalog: &'a Catalog, table: &'a Table) -> impl Iterator<Item = (&'a Table, Vec<ForeignKey>)> {
    catalog.tables.values().filter_map(|child| {
        let keys: Vec<ForeignKey> =
            child.foreign_keys.iter().filter(|key| key.references == table.name).cloned().collect();
        (!keys.is_empty()).then_some((child, keys))
    })
}

/// Whether the request gave this foreign key a value, and no row has it.
fn points_nowhere(connection: &Connection, run: &Run, row: usize, foreign_key: &ForeignKey) -> rusqlite::Result<bool> {
    let values = run.values.get(row).map(Vec::as_slice).unwrap_or_default();
    let given = foreign_key.columns.iter().map(|column| {
        let position = run.columns.iter().position(|given| given == column)?;
        values.get(position).filter(|value| **value != Value::Null)
    });
    let Some(given) = given.collect::<Option<Vec<&Value>>>() else { return Ok(false) };
    let conditions: Vec<String> = (foreign_key.references_columns.iter().zip(1..))
        .map(|(column, number)| format!("{} = ?{number}", quote(column)))
        .collect();
    let sql = format!("SELECT 1 FROM {} WHERE {}", quote(&foreign_key.references.name), conditions.join(" AND "));
    connection.prepare_cached(&sql)?.exists(params_from_iter(given)).map(|exists| !exists)
}

/// A row of `table` that points nowhere: which of `foreign_keys`, and the values it points with.
fn dangling<'a, 'k>(
    connection: &Connection,
    table: &'a Table,
    foreign_keys: &'k [ForeignKey],
) -> rusqlite::Result<Option<(&'a Table, &'k ForeignKey, Vec<String>)>> {
    for foreign_key in foreign_keys {
        let columns: Vec<String> = foreign_key.columns.iter().map(|column| format!("c.{}", quote(column))).collect();
        let sql = dangling_sql(&columns.join(", "), table, foreign_key) + " LIMIT 1";
        let read = |row: &rusqlite::Row<'_>| {
            let values = foreign_key.columns.iter().enumerate().map(|(index, column)| {
                let value = row.get_ref(index)?;
                Ok(bind::print_here(value, kind_of(Some(table), column)).unwrap_or_default())
            });
            values.collect::<rusqlite::Result<Vec<String>>>()
        };
        if let Some(values) = connection.query_row(&sql, [], read).optional()? {
            return Ok(Some((table, foreign_key, values)));
        }
    }
    Ok(None)
}

/// A query of the rows of a table, called `c`, that point nowhere.
fn dangling_sql(wanted: &str, table: &Table, foreign_key: &ForeignKey) -> String {
    let pairs = foreign_key.columns.iter().zip(&foreign_key.references_columns);
    let given: Vec<String> =
        foreign_key.columns.iter().map(|column| format!("c.{} IS NOT NULL", quote(column))).collect();
    let equal: Vec<String> =
        pairs.map(|(column, referenced)| format!("p.{} = c.{}", quote(referenced), quote(column))).collect();
    format!(
        "SELECT {wanted} FROM {} AS c WHERE {} AND NOT EXISTS (SELECT 1 FROM {} AS p WHERE {})",
        quote(&table.name.name),
        given.join(" AND "),
        quote(&foreign_key.references.name),
        equal.join(" AND "),
    )
}

/// The insert side.
fn not_present(sight: Sight<'_>, table: &Table, foreign_key: &ForeignKey, key: Option<String>) -> Error {
    let key = if sight.sees(table, &foreign_key.columns) { key.map(|key| key + " ") } else { Some(String::new()) };
    let (table, name) = (&table.name.name, &foreign_key.name);
    detailed(
        "23503",
        format!("insert or update on table \"{table}\" violates foreign key constraint \"{name}\""),
        key.map(|key| format!("Key {key}is not present in table \"{}\".", foreign_key.references.name)),
    )
}

/// The delete side.
fn still_referenced(
    sight: Sight<'_>,
    table: &Table,
    foreign_key: &ForeignKey,
    child: &Table,
    key: Option<String>,
) -> Error {
    let is_seen = sight.sees(table, &foreign_key.references_columns);
    let key = if is_seen { key.map(|key| key + " ") } else { Some(String::new()) };
    let (table, name, child) = (&table.name.name, &foreign_key.name, &child.name.name);
    detailed(
        "23503",
        format!(
            "update or delete on table \"{table}\" violates foreign key constraint \"{name}\" on table \"{child}\""
        ),
        key.map(|key| format!("Key {key}is still referenced from table \"{child}\".")),
    )
}

fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}
