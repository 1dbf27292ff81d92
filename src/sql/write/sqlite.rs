//! SQLite: texts with lists of values, run one after the other in one savepoint.
//!
//! `berth_updated()` is a function that the store registers: it counts one update and is true, so that an upsert's
//! inserted rows are those written less those counted. `RETURNING` has no order:
//! where one is asked for, what rows are ordered by comes with them, and the store sorts them.

use super::{is_update, write_conflict};
use crate::catalog::QualifiedName;
use crate::plan::row_security::{Absent, RowColumn, WriteRules};
use crate::plan::{
    Cell, Condition, Delete, Insert, InsertColumn, InsertRows, ReadNode, Returning, Rules, Through, Update, Value,
};
use crate::request::MediaType;
use crate::sql::condition::{write_condition, write_where};
use crate::sql::dialect::{Dialect, Scope};
use crate::sql::embed::{output_columns, write_returned};
use crate::sql::order::write_of_term;
use crate::sql::rules::{From, write_refusals, write_row, write_shown, write_there};
use crate::sql::sqlite::Sqlite;
use crate::sql::sqlite::key::write_returned_key;
use crate::sql::through::Lens;
use crate::sql::writer::{Place, Writer};
use crate::sql::{Key, Output, Query, Run, Work};

/// Counts an update of an upsert.
const COUNT_UPDATE: &str = "berth_updated()";

/// One run for each stretch of rows that give a value to the same columns; the order of the rows is kept.
pub(in crate::sql) fn insert(insert: &Insert, media: &MediaType, rules: &Rules) -> Work {
    let stretches = cells(&insert.rows).chunk_by(|row, next| row.iter().map(is_given).eq(next.iter().map(is_given)));
    let runs = stretches.filter_map(|rows| Some(insert_run(insert, rules, rows.first()?, rows))).collect();
    work(None, runs, &insert.into, &insert.returning, media)
}

/// One run, or none when no column is to be set.
pub(in crate::sql) fn update(update: &Update, media: &MediaType, rules: &Rules) -> Work {
    let row = cells(&update.row).first().filter(|_| !update.columns.is_empty());
    let runs = row.map(|row| update_run(update, rules, row)).into_iter().collect();
    work(None, runs, &update.table, &update.returning, media)
}

/// One run. What is embedded in the rows is that of before: rows that go with those are still there.
pub(in crate::sql) fn delete(delete: &Delete, media: &MediaType, rules: &Rules) -> Work {
    let (table, scope) = (delete.written(), scope(&delete.from, delete.through.as_deref(), rules));
    let before = match &delete.returning {
        Returning::Rows(node) if delete.through.is_some() || looks_elsewhere(node) => Some(node),
        Returning::Rows(_) | Returning::Location(_) | Returning::Nothing => None,
    };
    let before = before.map(|node| {
        let mut writer = Writer::new(Sqlite::PLACEHOLDER);
        write_shown(&mut writer, &rules.shown);
        writer.push("SELECT ");
        write_given(&mut writer, scope, node, None);
        // The table itself, also where its name stands for what is shown of it.
        writer.push(" FROM main.").identifier(&table.name);
        write_which(&mut writer, scope, &delete.filter, rules);
        writer.finish()
    });
    let mut writer = Writer::new(Sqlite::PLACEHOLDER);
    write_shown(&mut writer, &rules.shown);
    writer.push("DELETE FROM ");
    Sqlite::table(&mut writer, table);
    write_which(&mut writer, scope, &delete.filter, rules);
    if before.is_none() {
        write_returning(&mut writer, scope, &delete.returning);
    }
    work(before, vec![run(writer, table, Vec::new())], &delete.from, &delete.returning, media)
}

/// True when more than the row itself is looked at.
fn looks_elsewhere(node: &ReadNode) -> bool {
    !node.embeds.is_empty()
        || node.order.iter().any(|term| term.related.is_some() || term.target.computed.is_some())
        || node.select.iter().any(|projection| projection.target.computed.is_some())
}

/// Where columns of what was named are looked up.
fn scope<'a>(named: &'a QualifiedName, through: Option<&'a Through>, rules: &'a Rules) -> Scope<'a> {
    through.map_or(Scope::Table(named), |through| Scope::Written(Lens { through, rules }))
}

/// Adds ` WHERE …`: the filter, and that the rows are there for the sender.
fn write_which(writer: &mut Writer, scope: Scope<'_>, filter: &Condition, rules: &Rules) {
    let lens = match scope {
        Scope::Written(lens) if lens.hides() => Some(lens),
        Scope::Written(_) | Scope::Table(_) | Scope::Part(_) | Scope::Alias(_) => None,
    };
    if rules.write.existing.is_empty() && lens.is_none() {
        return write_where::<Sqlite>(writer, scope, filter);
    }
    writer.push(" WHERE ");
    write_there(writer, lens, &rules.write.existing);
    if !filter.is_always() {
        writer.push(" AND (");
        write_condition::<Sqlite>(writer, scope, filter);
        writer.push(")");
    }
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
fn insert_run(insert: &Insert, rules: &Rules, first: &[Cell], rows: &[Vec<Cell>]) -> Run {
    let columns = given_columns(&insert.columns, first);
    let Query { text, values } = insert_query(insert, rules, &columns);
    let returning = values.get(columns.len()..).unwrap_or_default();
    let values = |row: &Vec<Cell>| given_values(row).into_iter().chain(returning.iter().cloned()).collect();
    Run { table: insert.written().name.clone(), text, columns, values: rows.iter().map(values).collect() }
}

/// `INSERT … VALUES (?1, …)` for rows that give a value to `columns`.
///
/// A row of defaults alone cannot have `ON CONFLICT` in SQLite's grammar; its key is a fresh one anyway.
fn insert_query(insert: &Insert, rules: &Rules, columns: &[String]) -> Query {
    let mut writer = Writer::new(Sqlite::PLACEHOLDER);
    write_shown(&mut writer, &rules.shown);
    writer.push("INSERT INTO ");
    Sqlite::table(&mut writer, insert.written());
    // These stand for the values that every row brings; those of all else are behind them.
    let given: Vec<(&str, Place)> =
        columns.iter().map(|column| (column.as_str(), writer.reserve(Value::Null))).collect();
    if !rules.write.inserted.is_empty() {
        write_checked_row(&mut writer, insert, &rules.write, &given);
        write_upsert(&mut writer, insert, &rules.write);
    } else if columns.is_empty() {
        writer.push(" DEFAULT VALUES");
    } else {
        writer.push(" (");
        writer.separated(", ", columns, |writer, column| _ = writer.identifier(column));
        writer.push(") VALUES (");
        writer.separated(", ", &given, |writer, (_, place)| _ = writer.reserved(*place));
        writer.push(")");
        write_upsert(&mut writer, insert, &rules.write);
    }
    write_returning(&mut writer, scope(&insert.into, insert.through.as_deref(), rules), &insert.returning);
    writer.finish()
}

/// Adds the row to be inserted, with what must hold of it. Defaults that were looked at are what is inserted: another
/// evaluation might give another value.
fn write_checked_row(writer: &mut Writer, insert: &Insert, write: &WriteRules, given: &[(&str, Place)]) {
    let table = insert.written();
    let place = |name: &str| given.iter().find(|(column, _)| *column == name).map(|(_, place)| *place);
    let is_made = |column: &&RowColumn| {
        matches!(column.absent, Absent::Default(_) | Absent::Number(_)) && place(&column.name).is_none()
    };
    let mut row = write.row.clone();
    let mut inserted: Vec<&str> = given.iter().map(|(name, _)| *name).collect();
    inserted.extend(write.row.iter().filter(is_made).map(|column| column.name.as_str()));
    if let (true, Some(fallback)) = (inserted.is_empty(), &write.fallback) {
        inserted.push(&fallback.name);
        row.retain(|column| column.name != fallback.name);
        row.push(fallback.clone());
    }
    let is_other = |name: &str| !row.iter().any(|column| column.name == name);
    let others = given.iter().filter(|(name, _)| is_other(name));
    let others: Vec<(&str, From<'_>)> = others.map(|(name, place)| (*name, From::Place(*place))).collect();
    writer.push(" (");
    writer.separated(", ", &inserted, |writer, column| _ = writer.identifier(column));
    writer.push(") SELECT ");
    writer.separated(", ", &inserted, |writer, column| Scope::Table(table).column::<Sqlite>(writer, column));
    writer.push(" FROM (");
    write_row(writer, table, &others, &row, &|name| place(name).map_or(From::Absent, From::Place));
    writer.push(") AS ");
    Sqlite::table(writer, table);
    writer.push(" WHERE CASE");
    write_refusals(writer, table, &write.inserted, None);
    writer.push(" ELSE TRUE END");
}

/// Adds what happens when the key is taken.
fn write_upsert(writer: &mut Writer, insert: &Insert, write: &WriteRules) {
    let all: Vec<&str> = insert.columns.iter().map(|column| column.name.as_str()).collect();
    let conflict = insert.conflict.as_ref();
    write_conflict(writer, conflict, &all, COUNT_UPDATE);
    if !is_update(conflict, &all) || write.conflicting.is_empty() {
        return;
    }
    writer.push(" AND CASE");
    let table = insert.written();
    write_refusals(writer, table, &write.conflicting, None);
    let row = |writer: &mut Writer| {
        write_row(writer, table, &[], &write.row, &|name| {
            if all.contains(&name) { From::Excluded } else { From::Existing(table) }
        });
    };
    write_refusals(writer, table, &write.updated, Some(&row));
    writer.push(" ELSE TRUE END");
}

/// What must hold of the new row is asked where the last of its values is set: only rows that are changed get there.
fn update_run(update: &Update, rules: &Rules, row: &[Cell]) -> Run {
    let (table, scope) = (update.written(), scope(&update.table, update.through.as_deref(), rules));
    let mut writer = Writer::new(Sqlite::PLACEHOLDER);
    write_shown(&mut writer, &rules.shown);
    writer.push("UPDATE ");
    Sqlite::table(&mut writer, table);
    writer.push(" SET ");
    let set: Vec<(&InsertColumn, Option<Place>)> = update
        .columns
        .iter()
        .zip(row)
        .map(|(column, cell)| match cell {
            Cell::Value(value) => (column, Some(writer.reserve(value.clone()))),
            Cell::Default => (column, None),
        })
        .collect();
    let is_checked = !rules.write.updated.is_empty();
    writer.separated(", ", set.iter().enumerate(), |writer, (index, (column, place))| {
        writer.identifier(&column.name).push(" = ");
        let is_last = index + 1 == set.len();
        if is_checked && is_last {
            writer.push("CASE");
            let row = |writer: &mut Writer| write_updated_row(writer, update, &rules.write.row, &set);
            write_refusals(writer, table, &rules.write.updated, Some(&row));
            writer.push(" ELSE ");
        }
        match (place, &column.default) {
            (Some(place), _) => _ = writer.reserved(*place),
            (None, Some(default)) => _ = writer.push("(").catalog_sql(default).push(")"),
            (None, None) => _ = writer.push("NULL"),
        }
        if is_checked && is_last {
            writer.push(" END");
        }
    });
    write_which(&mut writer, scope, &update.filter, rules);
    write_returning(&mut writer, scope, &update.returning);
    run(writer, table, given_columns(&update.columns, row))
}

/// Adds what a row becomes.
fn write_updated_row(writer: &mut Writer, update: &Update, row: &[RowColumn], set: &[(&InsertColumn, Option<Place>)]) {
    let table = update.written();
    write_row(writer, table, &[], row, &|name| match set.iter().find(|(column, _)| column.name == name) {
        Some((_, Some(place))) => From::Place(*place),
        Some((_, None)) => From::Absent,
        None => From::Existing(table),
    });
}

/// A text that is run once.
fn run(writer: Writer, table: &QualifiedName, columns: Vec<String>) -> Run {
    let query = writer.finish();
    Run { table: table.name.clone(), text: query.text, columns, values: vec![query.values] }
}

/// Adds ` RETURNING …`: the representation itself, or the key; behind that whether a view shows the row.
fn write_returning(writer: &mut Writer, scope: Scope<'_>, returning: &Returning) {
    let is_empty = match returning {
        Returning::Nothing => true,
        Returning::Location(columns) => columns.is_empty(),
        Returning::Rows(_) => false,
    };
    let check = match scope {
        Scope::Written(lens) if lens.checks() => Some(lens),
        Scope::Written(_) | Scope::Table(_) | Scope::Part(_) | Scope::Alias(_) => None,
    };
    if is_empty && check.is_none() {
        return;
    }
    writer.push(" RETURNING ");
    match returning {
        Returning::Nothing => {}
        Returning::Location(columns) => {
            writer.separated(", ", columns, |writer, column| scope.column::<Sqlite>(writer, column));
        }
        Returning::Rows(node) => return write_given(writer, scope, node, check),
    }
    if let Some(lens) = check {
        writer.push(if is_empty { "" } else { ", " });
        lens.write_check(writer);
    }
}

/// Adds what is given of each row, then whether a view shows it, and last what the rows are sorted by.
fn write_given(writer: &mut Writer, scope: Scope<'_>, node: &ReadNode, check: Option<Lens<'_>>) {
    write_returned::<Sqlite>(writer, node, scope);
    if let Some(lens) = check {
        writer.push(", ");
        lens.write_check(writer);
    }
    for term in &node.order {
        writer.push(", ");
        write_of_term::<Sqlite>(writer, scope, term, |_| None, write_returned_key);
    }
}

fn work(
    before: Option<Query>,
    runs: Vec<Run>,
    named: &QualifiedName,
    returning: &Returning,
    media: &MediaType,
) -> Work {
    let (output, location) = match returning {
        Returning::Nothing => (None, None),
        Returning::Location(columns) if columns.is_empty() => (None, None),
        Returning::Location(columns) => (None, Some(Key { of: named.name.clone(), columns: columns.clone() })),
        Returning::Rows(node) => {
            (Some(Output { media: media.clone(), columns: output_columns(node), result: None }), None)
        }
    };
    let order = match returning {
        Returning::Rows(node) => node.order.iter().map(|term| (term.direction, term.nulls)).collect(),
        Returning::Nothing | Returning::Location(_) => Vec::new(),
    };
    Work::Write { before, runs, output, location, order }
}
