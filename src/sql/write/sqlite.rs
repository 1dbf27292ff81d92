//! SQLite: texts with lists of values, run one after the other in one savepoint.
//!
//! `berth_updated()` is a function that the store registers: it counts one update and is true, so that an upsert's
//! inserted rows are those written less those counted. Rows come back as SQLite writes them: `RETURNING` has no order.

use super::write_conflict;
use crate::catalog::QualifiedName;
use crate::plan::{Cell, Delete, Insert, InsertColumn, InsertRows, Returning, Update, Value};
use crate::request::MediaType;
use crate::sql::condition::write_where;
use crate::sql::dialect::{Dialect, Scope};
use crate::sql::embed::{output_columns, write_returned};
use crate::sql::sqlite::Sqlite;
use crate::sql::writer::Writer;
use crate::sql::{Output, Query, Run, Work};

/// Counts an update of an upsert.
const COUNT_UPDATE: &str = "berth_updated()";

/// One run for each stretch of rows that give a value to the same columns; the order of the rows is kept.
pub(in crate::sql) fn insert(insert: &Insert, media: &MediaType) -> Work {
    let stretches = cells(&insert.rows).chunk_by(|row, next| row.iter().map(is_given).eq(next.iter().map(is_given)));
    let runs = stretches.filter_map(|rows| Some(insert_run(insert, rows.first()?, rows))).collect();
    work(runs, &insert.returning, media)
}

/// One run, or none when no column is to be set.
pub(in crate::sql) fn update(update: &Update, media: &MediaType) -> Work {
    let row = cells(&update.row).first().filter(|_| !update.columns.is_empty());
    let runs = row.map(|row| update_run(update, row)).into_iter().collect();
    work(runs, &update.returning, media)
}

/// One run.
pub(in crate::sql) fn delete(delete: &Delete, media: &MediaType) -> Work {
    let mut writer = Writer::new(Sqlite::PLACEHOLDER);
    writer.push("DELETE FROM ");
    Sqlite::table(&mut writer, &delete.from);
    write_where::<Sqlite>(&mut writer, Scope::Table(&delete.from), &delete.filter);
    write_returning(&mut writer, &delete.from, &delete.returning);
    work(vec![run(writer, Vec::new())], &delete.returning, media)
}

/// The rows as cells; planning makes no others for SQLite.
fn cells(rows: &InsertRows) -> &[Vec<Cell>] {
    match rows {
        InsertRows::Cells(rows) => rows,
        InsertRows::Json(_) => &[],
    }
}

/// Whether the cell gives a value.
fn is_given(cell: &Cell) -> bool {
    matches!(cell, Cell::Value(_))
}

/// The names of the columns that the row gives a value to. SQLite has no `DEFAULT` among values: a column without a
/// value is not named.
fn given_columns(columns: &[InsertColumn], row: &[Cell]) -> Vec<String> {
    columns.iter().zip(row).filter(|(_, cell)| is_given(cell)).map(|(column, _)| column.name.clone()).collect()
}

/// The values of a row.
fn given_values(row: &[Cell]) -> Vec<Value> {
    let value = |cell: &Cell| match cell {
        Cell::Value(value) => Some(value.clone()),
        Cell::Default => None,
    };
    row.iter().filter_map(value).collect()
}

/// `rows`, which give values to the same columns as `first`.
fn insert_run(insert: &Insert, first: &[Cell], rows: &[Vec<Cell>]) -> Run {
    let columns = given_columns(&insert.columns, first);
    let Query { text, values } = insert_query(insert, &columns);
    let returning = values.get(columns.len()..).unwrap_or_default();
    let values = |row: &Vec<Cell>| given_values(row).into_iter().chain(returning.iter().cloned()).collect();
    Run { text, columns, values: rows.iter().map(values).collect() }
}

/// `INSERT … VALUES (?1, …)` for rows that give a value to `columns`.
///
/// A row of defaults alone cannot have `ON CONFLICT` in SQLite's grammar; its key is a fresh one anyway.
fn insert_query(insert: &Insert, columns: &[String]) -> Query {
    let mut writer = Writer::new(Sqlite::PLACEHOLDER);
    writer.push("INSERT INTO ");
    Sqlite::table(&mut writer, &insert.into);
    if columns.is_empty() {
        writer.push(" DEFAULT VALUES");
    } else {
        writer.push(" (");
        writer.separated(", ", columns, |writer, column| _ = writer.identifier(column));
        writer.push(") VALUES (");
        // These stand for the values that every row brings; those of `RETURNING` are behind them.
        writer.separated(", ", columns, |writer, _| _ = writer.bind(Value::Null));
        writer.push(")");
        let all: Vec<&str> = insert.columns.iter().map(|column| column.name.as_str()).collect();
        write_conflict(&mut writer, insert.conflict.as_ref(), &all, COUNT_UPDATE);
    }
    write_returning(&mut writer, &insert.into, &insert.returning);
    writer.finish()
}

fn update_run(update: &Update, row: &[Cell]) -> Run {
    let mut writer = Writer::new(Sqlite::PLACEHOLDER);
    writer.push("UPDATE ");
    Sqlite::table(&mut writer, &update.table);
    writer.push(" SET ");
    writer.separated(", ", update.columns.iter().zip(row), |writer, (column, cell)| {
        writer.identifier(&column.name).push(" = ");
        match (cell, &column.default) {
            (Cell::Value(value), _) => _ = writer.bind(value.clone()),
            (Cell::Default, Some(default)) => _ = writer.push("(").catalog_sql(default).push(")"),
            (Cell::Default, None) => _ = writer.push("NULL"),
        }
    });
    write_where::<Sqlite>(&mut writer, Scope::Table(&update.table), &update.filter);
    write_returning(&mut writer, &update.table, &update.returning);
    run(writer, given_columns(&update.columns, row))
}

/// A text that is run once.
fn run(writer: Writer, columns: Vec<String>) -> Run {
    let query = writer.finish();
    Run { text: query.text, columns, values: vec![query.values] }
}

/// Adds ` RETURNING …`: the representation itself, or the key.
fn write_returning(writer: &mut Writer, table: &QualifiedName, returning: &Returning) {
    let scope = Scope::Table(table);
    match returning {
        Returning::Nothing => {}
        Returning::Location(columns) if columns.is_empty() => {}
        Returning::Location(columns) => {
            writer.push(" RETURNING ");
            writer.separated(", ", columns, |writer, column| scope.column::<Sqlite>(writer, column));
        }
        Returning::Rows(node) => {
            writer.push(" RETURNING ");
            write_returned::<Sqlite>(writer, node, scope);
        }
    }
}

fn work(runs: Vec<Run>, returning: &Returning, media: &MediaType) -> Work {
    let (output, location) = match returning {
        Returning::Nothing => (None, None),
        Returning::Location(columns) => (None, (!columns.is_empty()).then(|| columns.clone())),
        Returning::Rows(node) => (Some(Output { media: media.clone(), columns: output_columns(node) }), None),
    };
    Work::Write { runs, output, location }
}
