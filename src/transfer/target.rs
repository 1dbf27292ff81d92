//! The side that is written: Postgres, in one transaction.

use std::collections::BTreeMap;
use std::pin::pin;

use bytes::Bytes;
use futures_util::{SinkExt as _, StreamExt as _};
use tokio_postgres::Transaction;

use super::source::{self, Reading, Table, add_value};
use super::sums::{Row, Sum};
use super::text::{self, Presence};
use super::{Error, Step, message, quote};

/// Bytes that are sent at once.
pub(super) const CHUNK_BYTES: usize = 256 * 1024;

/// Largest row that is read back: no row of SQLite that berth takes has more.
const ROW_MAX_BYTES: usize = 1 << 30;

/// The schema that SQLite's tables go to.
const SCHEMA: &str = "public";

/// What values look like when they are read back, whatever the server's settings are; and time for it.
const SETTINGS: &str = "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; \
    SET LOCAL timezone = 'UTC'; SET LOCAL datestyle = 'ISO, MDY'; SET LOCAL intervalstyle = 'postgres'; \
    SET LOCAL extra_float_digits = 3; SET LOCAL bytea_output = 'hex'";

/// Applies the settings that hold until the end of the transaction.
pub(super) async fn settle(transaction: &Transaction<'_>) -> Result<(), Error> {
    Ok(transaction.batch_execute(SETTINGS).await?)
}

/// Runs a statement; what the server says against it names the statement.
pub(super) async fn run(transaction: &Transaction<'_>, statement: &str) -> Result<(), Error> {
    transaction.batch_execute(statement).await.map_err(|error| Error::of(statement, &error))
}

/// Runs a statement that may fail without any consequence but the server's reason.
pub(super) async fn attempt(transaction: &Transaction<'_>, statement: &str) -> Result<Result<(), String>, Error> {
    run(transaction, "SAVEPOINT attempt").await?;
    match transaction.batch_execute(statement).await {
        Ok(()) => {
            run(transaction, "RELEASE SAVEPOINT attempt").await?;
            Ok(Ok(()))
        }
        Err(error) if error.as_db_error().is_some() => {
            run(transaction, "ROLLBACK TO SAVEPOINT attempt").await?;
            Ok(Err(message(&error)))
        }
        Err(error) => Err(error.into()),
    }
}

/// `"public"."table"`.
pub(super) fn qualified(table: &str) -> String {
    format!("{SCHEMA}.{}", quote(table))
}

/// What is to be said of how the server sorts text; nothing where it does as SQLite does.
pub(super) async fn collation(transaction: &Transaction<'_>) -> Result<Option<String>, Error> {
    let sql = "SELECT datcollate::text FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()";
    let Some(row) = transaction.query_opt(sql, &[]).await? else { return Ok(None) };
    let collation: String = row.try_get(0)?;
    let is_same = matches!(collation.to_ascii_lowercase().as_str(), "c" | "posix" | "c.utf-8" | "c.utf8");
    Ok((!is_same)
        .then(|| format!("text sorts by the database's collation {collation} on the server, by code points here")))
}

/// Which of these names a table, a view or a sequence of the server has.
pub(super) async fn present(transaction: &Transaction<'_>, names: &[&str]) -> Result<Vec<String>, Error> {
    let sql = "SELECT relname::text FROM pg_catalog.pg_class \
               WHERE relnamespace = pg_catalog.to_regnamespace($2) AND relname::text = ANY ($1) ORDER BY 1";
    let rows = transaction.query(sql, &[&names, &SCHEMA]).await?;
    rows.iter().map(|row| Ok(row.try_get(0)?)).collect()
}

/// The columns that each of these tables has on the server.
pub(super) async fn columns(
    transaction: &Transaction<'_>,
    tables: &[&str],
) -> Result<BTreeMap<String, Vec<String>>, Error> {
    let sql = "SELECT c.relname::text, a.attname::text FROM pg_catalog.pg_class c \
               JOIN pg_catalog.pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped \
               WHERE c.relnamespace = pg_catalog.to_regnamespace($2) AND c.relname::text = ANY ($1) \
               AND c.relkind IN ('r', 'p') ORDER BY a.attnum";
    let mut columns: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for row in transaction.query(sql, &[&tables, &SCHEMA]).await? {
        columns.entry(row.try_get(0)?).or_default().push(row.try_get(1)?);
    }
    Ok(columns)
}

/// What stands in the way of rows that come in any order, taken away for a while.
#[derive(Debug, Default)]
pub(super) struct Aside {
    /// Statements that bring it back.
    back: Vec<String>,
}

impl Aside {
    /// Takes foreign keys, triggers, and policies that hold for the owner away from the tables.
    pub(super) async fn take(transaction: &Transaction<'_>, tables: &[Table]) -> Result<Self, Error> {
        let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
        let mut aside = Self::default();
        let keys = "SELECT c.relname::text, k.conname::text, pg_catalog.pg_get_constraintdef(k.oid), \
                    pg_catalog.obj_description(k.oid, 'pg_constraint') \
                    FROM pg_catalog.pg_constraint k JOIN pg_catalog.pg_class c ON c.oid = k.conrelid \
                    WHERE k.contype = 'f' AND c.relnamespace = pg_catalog.to_regnamespace($2) \
                    AND c.relname::text = ANY ($1) ORDER BY 1, 2";
        for row in transaction.query(keys, &[&names, &SCHEMA]).await? {
            let (table, key, definition): (String, String, String) =
                (row.try_get(0)?, row.try_get(1)?, row.try_get(2)?);
            let (table, key) = (qualified(&table), quote(&key));
            run(transaction, &format!("ALTER TABLE {table} DROP CONSTRAINT {key}")).await?;
            aside.back.push(format!("ALTER TABLE {table} ADD CONSTRAINT {key} {definition}"));
            if let Some(comment) = row.try_get::<_, Option<String>>(3)? {
                aside.back.push(format!("COMMENT ON CONSTRAINT {key} ON {table} IS {}", literal(&comment)));
            }
        }
        let others = "SELECT c.relname::text, c.relforcerowsecurity, EXISTS (SELECT FROM pg_catalog.pg_trigger t \
                      WHERE t.tgrelid = c.oid AND NOT t.tgisinternal AND t.tgenabled = 'O') \
                      FROM pg_catalog.pg_class c WHERE c.relnamespace = pg_catalog.to_regnamespace($2) \
                      AND c.relname::text = ANY ($1)";
        for row in transaction.query(others, &[&names, &SCHEMA]).await? {
            let table = qualified(&row.try_get::<_, String>(0)?);
            if row.try_get(1)? {
                run(transaction, &format!("ALTER TABLE {table} NO FORCE ROW LEVEL SECURITY")).await?;
                aside.back.push(format!("ALTER TABLE {table} FORCE ROW LEVEL SECURITY"));
            }
            if row.try_get(2)? {
                run(transaction, &format!("ALTER TABLE {table} DISABLE TRIGGER USER")).await?;
                aside.back.push(format!("ALTER TABLE {table} ENABLE TRIGGER USER"));
            }
        }
        Ok(aside)
    }

    /// Brings it back; the server checks that all rows keep the foreign keys.
    pub(super) async fn bring_back(self, transaction: &Transaction<'_>) -> Result<(), Error> {
        run(transaction, "SET CONSTRAINTS ALL IMMEDIATE").await?;
        for statement in self.back {
            run(transaction, &statement).await?;
        }
        Ok(())
    }
}

/// Removes all rows of the tables.
pub(super) async fn empty(transaction: &Transaction<'_>, tables: &[Table]) -> Result<(), Error> {
    if tables.is_empty() {
        return Ok(());
    }
    let names = tables.iter().map(|table| qualified(&table.name)).collect::<Vec<_>>().join(", ");
    run(transaction, &format!("TRUNCATE {names}")).await
}

/// Copies the rows of a table, and says what they sum up to.
pub(super) async fn copy_rows(
    transaction: &Transaction<'_>,
    connection: &rusqlite::Connection,
    table: &Table,
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<Sum, Error> {
    let sql = format!("COPY {} ({}) FROM STDIN", qualified(&table.name), table.stored_columns());
    let refused = |error: tokio_postgres::Error| Error::of_row(&table.name, &error);
    let mut sink = pin!(transaction.copy_in::<_, Bytes>(&sql).await.map_err(refused)?);
    let mut statement = source::select(connection, table)?;
    let mut reading = Reading::begin(table, &mut statement)?;
    let mut chunk = Vec::with_capacity(CHUNK_BYTES);
    while reading.next(&mut chunk)? {
        if chunk.len() >= CHUNK_BYTES {
            let full = std::mem::replace(&mut chunk, Vec::with_capacity(CHUNK_BYTES));
            sink.send(full.into()).await.map_err(refused)?;
            tell(Step::Copying { table: &table.name, rows: reading.sum.rows });
        }
    }
    sink.send(chunk.into()).await.map_err(refused)?;
    sink.finish().await.map_err(refused)?;
    Ok(reading.sum)
}

/// Reads the rows of a table back, and says what they sum up to.
pub(super) async fn sum_rows(
    transaction: &Transaction<'_>,
    table: &Table,
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<Sum, Error> {
    let mut sum = Sum::default();
    each_row(transaction, table, &mut |fields| {
        let mut row = Row::default();
        for (field, column) in fields.split(|byte| *byte == b'\t').zip(&table.columns) {
            add_field(&mut row, field, column);
        }
        sum.add(row);
        if sum.rows.is_multiple_of(4_096) {
            tell(Step::Checking { table: &table.name, rows: sum.rows });
        }
    })
    .await?;
    Ok(sum)
}

/// Sums up each column by itself.
pub(super) async fn column_sums(transaction: &Transaction<'_>, table: &Table) -> Result<Vec<Sum>, Error> {
    let mut sums = vec![Sum::default(); table.columns.len()];
    each_row(transaction, table, &mut |fields| {
        for ((field, column), sum) in fields.split(|byte| *byte == b'\t').zip(&table.columns).zip(&mut sums) {
            let mut row = Row::default();
            add_field(&mut row, field, column);
            sum.add(row);
        }
    })
    .await?;
    Ok(sums)
}

fn add_field(row: &mut Row, field: &[u8], column: &source::Column) {
    match text::unescape(field) {
        None => add_value(row, Presence::Null, &[], &column.type_name),
        Some(value) => add_value(row, Presence::Present, &value, &column.type_name),
    }
}

/// Gives every row of a table, as a line of `COPY` without its end.
async fn each_row(transaction: &Transaction<'_>, table: &Table, take: &mut dyn FnMut(&[u8])) -> Result<(), Error> {
    let sql = format!("COPY (SELECT {} FROM {}) TO STDOUT", table.all_columns(), qualified(&table.name));
    let mut stream = pin!(transaction.copy_out(&sql).await.map_err(|error| Error::of(&sql, &error))?);
    let mut rest: Vec<u8> = Vec::new();
    while let Some(piece) = stream.next().await {
        let piece = piece?;
        let mut lines = piece.split(|byte| *byte == b'\n');
        // What follows the last line's end is the beginning of the next one.
        let last = lines.next_back().unwrap_or_default();
        for line in lines {
            if rest.is_empty() {
                take(line);
            } else {
                rest.extend_from_slice(line);
                take(&rest);
                rest.clear();
            }
        }
        rest.extend_from_slice(last);
        if rest.len() > ROW_MAX_BYTES {
            return Err(Error::RowTooLarge { table: table.name.clone() });
        }
    }
    Ok(())
}

/// Lets counters go on where SQLite's were.
pub(super) async fn set_counters(transaction: &Transaction<'_>, tables: &[Table]) -> Result<(), Error> {
    for table in tables {
        let Some(counter) = &table.counter else { continue };
        // That of an identity or a serial column is the column's own; any other is named by the column's default.
        let sql = "SELECT s.seqrelid::regclass::text, s.seqmin, s.seqmax, s.seqstart, s.seqincrement \
                   FROM pg_catalog.pg_sequence s WHERE s.seqrelid IN ( \
                       SELECT pg_catalog.pg_get_serial_sequence($1, $2)::regclass UNION ALL SELECT d.refobjid \
                       FROM pg_catalog.pg_attribute c \
                       JOIN pg_catalog.pg_attrdef v ON v.adrelid = c.attrelid AND v.adnum = c.attnum \
                       JOIN pg_catalog.pg_depend d ON d.classid = 'pg_catalog.pg_attrdef'::regclass AND d.objid = v.oid \
                           AND d.refclassid = 'pg_catalog.pg_class'::regclass \
                       WHERE c.attrelid = $1::text::regclass AND c.attname = $2)";
        for row in transaction.query(sql, &[&qualified(&table.name), &counter.column]).await? {
            let sequence: String = row.try_get(0)?;
            let [least, greatest, first, step]: [i64; 4] =
                [row.try_get(1)?, row.try_get(2)?, row.try_get(3)?, row.try_get(4)?];
            let last = counter.last.filter(|last| *last >= least);
            let next = last.map_or(Some(first), |last| last.checked_add(step)).filter(|next| *next <= greatest);
            // Unlike `setval`, `RESTART` is undone with the transaction.
            let statement = match next {
                Some(next) => format!("ALTER SEQUENCE {sequence} RESTART WITH {next}"),
                None => format!("SELECT pg_catalog.setval({}, {greatest})", literal(&sequence)),
            };
            run(transaction, &statement).await?;
        }
    }
    Ok(())
}

/// Tells the planner what the tables have.
pub(super) async fn analyze(transaction: &Transaction<'_>, tables: &[Table]) -> Result<(), Error> {
    for table in tables {
        run(transaction, &format!("ANALYZE {}", qualified(&table.name))).await?;
    }
    Ok(())
}

/// A text as a literal of SQL.
#[must_use]
pub fn literal(text: &str) -> String {
    let escape = if text.contains('\\') { "E" } else { "" };
    format!("{escape}'{}'", text.replace('\\', "\\\\").replace('\'', "''"))
}
