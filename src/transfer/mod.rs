//! A whole database from SQLite to Postgres: what it defines, its rows, its counters; verified, in one transaction.
//!
//! 1. What migrations defined is defined again, in their own words ([`migrate::replay_postgres`]); before that, what was
//!    there without them, from what SQLite says of it (`foreign`).
//! 2. Foreign keys are taken away, the rows of each table are copied, and the keys are brought back: so no order of
//!    tables and no cycle among them matters, and the server checks every key.
//! 3. Counters go on where they were, outcomes that are kept for an `Idempotency-Key` go along.
//! 4. Every table is read back, and its rows are counted and summed up on both sides over one form of each value.
//!
//! Then, and only then, the transaction is committed. Whatever fails leaves the server as it was.
//!
//! `source` is SQLite's side and `target` Postgres'; `text` is a value on its way, `sums` what is compared.

mod foreign;
mod kept;
mod role;
mod source;
mod sums;
mod target;
mod text;

use std::collections::BTreeMap;

use rusqlite::Connection;
use thiserror::Error as ThisError;
use tokio_postgres::{Client, Transaction};

use crate::migrate::{self, Recorded};
use crate::store::sqlite::plain::Held;
use foreign::Foreign;
pub use role::MAY_BECOME;
use source::Table;
pub use sums::Sum;
pub use target::literal;
pub use text::Unfit;

/// What to do with what the server has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// It must have nothing of the names that come.
    Refused,
    /// It has the same definitions; its rows are removed, and copied anew.
    Replaced,
}

/// What to do with what Postgres cannot have.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// Nothing is copied because of it.
    Refused,
    /// It is left out, and said.
    LeftOut,
}

/// Something that does not go to Postgres.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Left {
    /// What it is.
    pub what: String,
    /// Why.
    pub why: String,
}

impl std::fmt::Display for Left {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "{}: {}", self.what, self.why)
    }
}

/// How far it is.
#[derive(Debug, Clone, Copy)]
pub enum Step<'a> {
    /// So many rows are to be copied in all.
    Found {
        /// Rows.
        rows: u64,
    },
    /// Tables, views, roles and all else are defined.
    Defining,
    /// Rows of a table are copied.
    Copying {
        /// Which one.
        table: &'a str,
        /// How many are.
        rows: u64,
    },
    /// All rows of a table are.
    Copied {
        /// How many they were.
        rows: u64,
    },
    /// The server looks at the foreign keys and counts rows.
    Finishing,
    /// Rows of a table are read back.
    Checking {
        /// Which one.
        table: &'a str,
        /// How many are.
        rows: u64,
    },
    /// A table is there, and equal.
    Equal {
        /// Which one.
        table: &'a str,
        /// What its rows sum up to on both sides.
        sum: Sum,
    },
}

/// What was copied.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Tables.
    pub tables: usize,
    /// Rows of all tables.
    pub rows: u64,
    /// Migrations that the server has now noted as applied.
    pub migrations: usize,
    /// What did not go along.
    pub left: Vec<Left>,
    /// What is different, and may matter.
    pub notes: Vec<String>,
}

/// Why nothing was copied. The server is as it was.
#[derive(Debug, ThisError)]
pub enum Error {
    /// The server has something of that name.
    #[error(
        "the server has {} already: copy into an empty database, or, where the same migrations are applied to both, \
         replace its rows with --replace-rows",
        listed(.names)
    )]
    Occupied {
        /// Tables and views.
        names: Vec<String>,
    },
    /// Postgres cannot have some of it.
    #[error(
        "Postgres cannot have all of this database; copy it without the rest by --leave-out:\n{}",
        .0.iter().map(|left| format!("  {left}")).collect::<Vec<_>>().join("\n")
    )]
    Rest(Vec<Left>),
    /// The server has other definitions.
    #[error("the server's tables are not those of this database: {reason}")]
    Unlike {
        /// What is different.
        reason: String,
    },
    /// Migrations were applied to the server, and nothing of them is there.
    #[error("the server has noted migrations as applied ({}): copy into an empty database", listed(.names))]
    Migrated {
        /// Their files.
        names: Vec<String>,
    },
    /// A value that Postgres cannot have.
    #[error("table \"{table}\", column \"{column}\", row {row}: {source}")]
    Unfit {
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// The row, counted from 1 in the order in which SQLite keeps them.
        row: u64,
        /// Why.
        source: Unfit,
    },
    /// A row that the server does not take.
    #[error("table \"{table}\": {message}")]
    Row {
        /// The table.
        table: String,
        /// The server's text, with the row and the column.
        message: String,
    },
    /// A row that is too large to be read back.
    #[error("table \"{table}\" has a row of more than a gibibyte")]
    RowTooLarge {
        /// The table.
        table: String,
    },
    /// The server has other rows than SQLite.
    #[error("table \"{table}\" is not the same on the server: {there}, here {here}; the difference is in {}", listed(.columns))]
    Different {
        /// The table.
        table: String,
        /// SQLite's.
        here: Sum,
        /// The server's.
        there: Sum,
        /// Columns that differ; none when only rows are missing or there are more.
        columns: Vec<String>,
    },
    /// The server refuses a statement.
    #[error("{message}; in: {statement}")]
    Statement {
        /// What it was.
        statement: String,
        /// The server's text.
        message: String,
    },
    /// Something that migrations defined.
    #[error(transparent)]
    Migrate(#[from] migrate::Error),
    /// Reading SQLite.
    #[error("the database cannot be read")]
    Sqlite(#[from] rusqlite::Error),
    /// The connection to the server.
    #[error("the server does not answer as it should")]
    Postgres(#[from] tokio_postgres::Error),
}

impl Error {
    fn of(statement: &str, error: &tokio_postgres::Error) -> Self {
        Self::Statement { statement: statement.to_owned(), message: message(error) }
    }

    fn of_row(table: &str, error: &tokio_postgres::Error) -> Self {
        let place = error.as_db_error().and_then(|told| told.where_()).map(|place| format!(" ({place})"));
        Self::Row { table: table.to_owned(), message: message(error) + &place.unwrap_or_default() }
    }
}

fn message(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |told| told.message().to_owned())
}

/// `"a", "b" and 3 more`.
fn listed(names: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut text = names.iter().take(SHOWN).map(|name| format!("\"{name}\"")).collect::<Vec<_>>().join(", ");
    if names.len() > SHOWN {
        text += &format!(" and {} more", names.len() - SHOWN);
    }
    if text.is_empty() { "none".to_owned() } else { text }
}

/// A name as an identifier of both engines.
fn quote(name: &str) -> String {
    format!("\"{}\"", name.replace('"', "\"\""))
}

/// Copies the database that `held` is to the server behind `client`. `recorded`: the migrations that made it.
///
/// # Errors
/// [`Error`]; the server is as it was.
pub async fn transfer(
    held: &Held,
    recorded: &[Recorded],
    client: &mut Client,
    existing: Existing,
    rest: Rest,
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<Report, Error> {
    let connection = held.connection();
    let catalog = held.catalog()?;
    let mut tables = source::tables(connection, &catalog)?;
    let mut foreign = Foreign::read(connection, &catalog, &mut tables)?;
    let rows = tables.iter().map(|table| table.rows).sum();
    tell(Step::Found { rows });

    let transaction = client.transaction().await?;
    tell(Step::Defining);
    migrate::lock_postgres(&transaction).await?;
    match existing {
        Existing::Refused => {
            let names: Vec<&str> = catalog.tables.keys().map(|name| name.name.as_str()).collect();
            refuse_occupied(&transaction, &names).await?;
            foreign.define(&transaction).await?;
            refuse_rest(&foreign, rest)?;
            migrate::replay_postgres(&transaction, recorded).await?;
            foreign.notes.extend(role::let_become(&transaction, &catalog.roles).await?);
        }
        Existing::Replaced => require_same(&transaction, recorded).await?,
    }
    target::settle(&transaction).await?;
    require_columns(&transaction, &tables).await?;
    if existing == Existing::Replaced {
        target::empty(&transaction, &tables).await?;
    }
    let aside = target::Aside::take(&transaction, &tables).await?;
    copy_rows(&transaction, connection, &tables, tell).await?;
    tell(Step::Finishing);
    aside.bring_back(&transaction).await?;
    if existing == Existing::Refused {
        foreign.complete(&transaction).await?;
        refuse_rest(&foreign, rest)?;
    }
    target::set_counters(&transaction, &tables).await?;
    target::analyze(&transaction, &tables).await?;
    kept::copy(&transaction, connection).await?;
    let collation = target::collation(&transaction).await?;
    transaction.commit().await?;
    let Foreign { mut left, mut notes, .. } = foreign;
    notes.extend(collation);
    if existing == Existing::Replaced {
        // What was left out then is not there now: nothing was defined.
        left.clear();
    }
    Ok(Report { tables: tables.len(), rows, migrations: recorded.len(), left, notes })
}

fn refuse_rest(foreign: &Foreign, rest: Rest) -> Result<(), Error> {
    match rest {
        Rest::Refused if !foreign.left.is_empty() => Err(Error::Rest(foreign.left.clone())),
        Rest::Refused | Rest::LeftOut => Ok(()),
    }
}

async fn refuse_occupied(transaction: &Transaction<'_>, names: &[&str]) -> Result<(), Error> {
    let names = target::present(transaction, names).await?;
    if !names.is_empty() {
        return Err(Error::Occupied { names });
    }
    let applied = migrate::applied_to_postgres(transaction).await?;
    if applied.is_empty() { Ok(()) } else { Err(Error::Migrated { names: applied.into_keys().collect() }) }
}

async fn require_same(transaction: &Transaction<'_>, recorded: &[Recorded]) -> Result<(), Error> {
    let here: BTreeMap<String, String> =
        recorded.iter().map(|script| (script.name.clone(), script.checksum.clone())).collect();
    let there = migrate::applied_to_postgres(transaction).await?;
    if here == there {
        return Ok(());
    }
    let differs = |name: &&String| here.get(*name) != there.get(*name);
    let names: Vec<String> = here.keys().chain(there.keys()).filter(differs).cloned().collect();
    Err(Error::Unlike { reason: format!("of the migrations {} is not applied to both", listed(&names)) })
}

async fn require_columns(transaction: &Transaction<'_>, tables: &[Table]) -> Result<(), Error> {
    let names: Vec<&str> = tables.iter().map(|table| table.name.as_str()).collect();
    let there = target::columns(transaction, &names).await?;
    for table in tables {
        let Some(found) = there.get(&table.name) else {
            return Err(Error::Unlike { reason: format!("it has no table \"{}\"", table.name) });
        };
        let mut expected: Vec<&str> = table.columns.iter().map(|column| column.name.as_str()).collect();
        let mut found: Vec<&str> = found.iter().map(String::as_str).collect();
        expected.sort_unstable();
        found.sort_unstable();
        if expected != found {
            return Err(Error::Unlike { reason: format!("the table \"{}\" has other columns", table.name) });
        }
    }
    Ok(())
}

/// Copies the rows of all tables, then reads them back.
async fn copy_rows(
    transaction: &Transaction<'_>,
    connection: &Connection,
    tables: &[Table],
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<(), Error> {
    let mut sums = Vec::with_capacity(tables.len());
    for table in tables {
        let sum = target::copy_rows(transaction, connection, table, tell).await?;
        tell(Step::Copied { rows: sum.rows });
        sums.push(sum);
    }
    check(transaction, connection, tables, &sums, tell).await
}

/// Compares every table with what was read of it.
async fn check(
    transaction: &Transaction<'_>,
    connection: &Connection,
    tables: &[Table],
    sums: &[Sum],
    tell: &mut dyn FnMut(Step<'_>),
) -> Result<(), Error> {
    for (table, here) in tables.iter().zip(sums) {
        let there = target::sum_rows(transaction, table, tell).await?;
        if there != *here {
            let (ours, theirs) =
                (source::column_sums(connection, table)?, target::column_sums(transaction, table).await?);
            let columns =
                table.columns.iter().zip(ours.iter().zip(&theirs)).filter(|(_, (ours, theirs))| ours != theirs);
            let columns = columns.map(|(column, _)| column.name.clone()).collect();
            return Err(Error::Different { table: table.name.clone(), here: *here, there, columns });
        }
        tell(Step::Equal { table: &table.name, sum: there });
    }
    Ok(())
}
