//! The side that is read: tables of a SQLite database that is held as it is at one moment.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension as _, Row as SqliteRow, Rows, Statement};

use super::sums::{Row, Sum};
use super::text::{self, Presence, Unfit};
use super::{Error, quote};
use crate::catalog::{Catalog, Generated, Kind, TypeName};

/// A table whose rows are copied.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    pub(super) rows: u64,
    pub(super) counter: Option<Counter>,
}

/// One of its columns.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) type_name: TypeName,
    pub(super) is_computed: bool,
}

/// A column that is counted, and the last number that was given out; `None` before the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Counter {
    pub(super) column: String,
    pub(super) last: Option<i64>,
}

impl Table {
    /// `"a", "b"` of the columns that are given values.
    pub(super) fn stored_columns(&self) -> String {
        let stored = self.columns.iter().filter(|column| !column.is_computed);
        stored.map(|column| quote(&column.name)).collect::<Vec<_>>().join(", ")
    }

    /// `"a", "b"` of all columns.
    pub(super) fn all_columns(&self) -> String {
        self.columns.iter().map(|column| quote(&column.name)).collect::<Vec<_>>().join(", ")
    }
}

/// The tables with rows of their own, with how many they have. Virtual tables have none.
pub(super) fn tables(connection: &Connection, catalog: &Catalog) -> rusqlite::Result<Vec<Table>> {
    let virtual_tables = virtual_tables(connection)?;
    let mut tables = Vec::new();
    for table in catalog.tables.values().filter(|table| table.kind == Kind::Table) {
        let name = &table.name.name;
        if virtual_tables.contains(name) {
            continue;
        }
        let rows: i64 = connection.query_row(&format!("SELECT count(*) FROM {}", quote(name)), [], |row| row.get(0))?;
        let counted = |column: &&crate::catalog::Column| {
            matches!(column.generated, Generated::IdentityAlways | Generated::IdentityByDefault)
        };
        let counter = match table.columns.iter().find(counted) {
            Some(column) => {
                Some(Counter { column: column.name.clone(), last: last_number(connection, name, &column.name)? })
            }
            None => None,
        };
        tables.push(Table {
            name: name.clone(),
            columns: (table.columns.iter())
                .map(|column| Column {
                    name: column.name.clone(),
                    type_name: column.type_name.clone(),
                    is_computed: column.generated == Generated::Computed,
                })
                .collect(),
            rows: u64::try_from(rows).unwrap_or_default(),
            counter,
        });
    }
    Ok(tables)
}

/// Names of the tables that a module of SQLite keeps, such as full-text indexes.
pub(super) fn virtual_tables(connection: &Connection) -> rusqlite::Result<BTreeSet<String>> {
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'virtual'";
    connection.prepare(sql)?.query_map([], |row| row.get(0))?.collect()
}

/// The last number that a column was given, whether or not its row is still there.
fn last_number(connection: &Connection, table: &str, column: &str) -> rusqlite::Result<Option<i64>> {
    let greatest = format!("SELECT max({}) FROM {}", quote(column), quote(table));
    let greatest: Option<i64> = connection.query_row(&greatest, [], |row| row.get(0))?;
    let has_counters: bool =
        connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = 'sqlite_sequence'")?.exists([])?;
    if !has_counters {
        return Ok(greatest);
    }
    let sql = "SELECT seq FROM sqlite_sequence WHERE name = ?1";
    let counted: Option<Option<i64>> = connection.query_row(sql, [table], |row| row.get(0)).optional()?;
    Ok(greatest.max(counted.flatten()))
}

/// The statement that reads the rows of a table, in the order in which SQLite keeps them.
pub(super) fn select<'a>(connection: &'a Connection, table: &Table) -> rusqlite::Result<Statement<'a>> {
    connection.prepare(&format!("SELECT {} FROM {}", table.all_columns(), quote(&table.name)))
}

/// Reads rows one by one, and sums them up.
pub(super) struct Reading<'a> {
    table: &'a Table,
    rows: Rows<'a>,
    value: Vec<u8>,
    pub(super) sum: Sum,
}

impl<'a> Reading<'a> {
    pub(super) fn begin(table: &'a Table, statement: &'a mut Statement<'_>) -> rusqlite::Result<Self> {
        Ok(Self { table, rows: statement.query([])?, value: Vec::new(), sum: Sum::default() })
    }

    /// Appends the next row as a line of `COPY`; false after the last.
    ///
    /// # Errors
    /// [`Error::Unfit`] with the place of a value that Postgres cannot have.
    pub(super) fn next(&mut self, line: &mut Vec<u8>) -> Result<bool, Error> {
        let Some(row) = self.rows.next()? else { return Ok(false) };
        let mut summed = Row::default();
        let mut is_first = true;
        for (place, column) in self.table.columns.iter().enumerate() {
            self.value.clear();
            let presence = text::write(&mut self.value, row.get_ref(place)?, &column.type_name)
                .map_err(|unfit| unfit_at(self.table, column, self.sum.rows, unfit))?;
            add_value(&mut summed, presence, &self.value, &column.type_name);
            if column.is_computed {
                continue;
            }
            if !std::mem::take(&mut is_first) {
                line.push(b'\t');
            }
            match presence {
                Presence::Null => line.extend_from_slice(b"\\N"),
                Presence::Present => text::escape(line, &self.value),
            }
        }
        line.push(b'\n');
        self.sum.add(summed);
        Ok(true)
    }
}

/// Sums up each column of a table by itself, to tell which one differs.
pub(super) fn column_sums(connection: &Connection, table: &Table) -> Result<Vec<Sum>, Error> {
    let mut sums = vec![Sum::default(); table.columns.len()];
    let mut statement = select(connection, table)?;
    let mut rows = statement.query([])?;
    let mut value = Vec::new();
    while let Some(row) = rows.next()? {
        add_columns(&mut sums, table, row, &mut value)?;
    }
    Ok(sums)
}

fn add_columns(sums: &mut [Sum], table: &Table, row: &SqliteRow<'_>, value: &mut Vec<u8>) -> Result<(), Error> {
    for (place, (column, sum)) in table.columns.iter().zip(sums).enumerate() {
        value.clear();
        let presence = text::write(value, row.get_ref(place)?, &column.type_name)
            .map_err(|unfit| unfit_at(table, column, sum.rows, unfit))?;
        let mut summed = Row::default();
        add_value(&mut summed, presence, value, &column.type_name);
        sum.add(summed);
    }
    Ok(())
}

/// Adds a value in the form that both sides have.
pub(super) fn add_value(row: &mut Row, presence: Presence, value: &[u8], type_name: &TypeName) {
    match presence {
        Presence::Null => row.value(None),
        Presence::Present => match std::str::from_utf8(value) {
            Ok(text) => match text::canonical(text, type_name) {
                Some(canonical) => row.value(Some(canonical.as_bytes())),
                None => row.presence(),
            },
            Err(_) => row.value(Some(value)),
        },
    }
}

fn unfit_at(table: &Table, column: &Column, row: u64, source: Unfit) -> Error {
    Error::Unfit { table: table.name.clone(), column: column.name.clone(), row: row + 1, source }
}
