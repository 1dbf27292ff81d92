//! What migrations have defined on SQLite, defined again on Postgres: for a database that moves there.
//!
//! The ledger of a SQLite database keeps of each script what it defines, in the words it was written in
//! (`Script::definitions`); rows are copied, and no statement that moves rows is run again.

use std::collections::BTreeMap;

use rusqlite::Connection;
use tokio_postgres::error::SqlState;
use tokio_postgres::{GenericClient, Transaction};

use super::{Error, Script, Statement, claims, postgres, record};

/// A script that was applied to a SQLite database.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded {
    /// The file's name.
    pub name: String,
    /// SHA-256 of its text.
    pub checksum: String,
    /// When it was applied, as Postgres reads it.
    pub applied_at: String,
    /// What it defines.
    pub definitions: String,
}

/// Reads the ledger, in the order of the names. A version of berth that kept no text has left none: `scripts` gives it.
///
/// # Errors
/// [`Error::Unrecorded`] when neither has it.
pub fn recorded(connection: &Connection, scripts: &[Script]) -> Result<Vec<Recorded>, Error> {
    if !record::exists(connection, "_berth_migrations")? {
        return Ok(Vec::new());
    }
    let kept = if record::keeps_definitions(connection)? { "definitions" } else { "NULL" };
    let sql = format!("SELECT name, checksum, applied_at, {kept} FROM _berth_migrations ORDER BY name");
    let mut statement = connection.prepare(&sql)?;
    let mut rows = statement.query([])?;
    let mut recorded = Vec::new();
    while let Some(row) = rows.next()? {
        let (name, checksum): (String, String) = (row.get(0)?, row.get(1)?);
        let definitions = match row.get::<_, Option<String>>(3)? {
            Some(definitions) => definitions,
            None => scripts
                .iter()
                .find(|script| (&script.name, &script.checksum) == (&name, &checksum))
                .map(Script::definitions)
                .ok_or_else(|| Error::Unrecorded { name: name.clone() })?,
        };
        recorded.push(Recorded { name, checksum, applied_at: row.get(2)?, definitions });
    }
    Ok(recorded)
}

/// Keeps others from migrating the server until the transaction is over.
///
/// # Errors
/// What the server says.
pub async fn lock_postgres(transaction: &Transaction<'_>) -> Result<(), Error> {
    postgres::lock(transaction).await
}

/// Defines on Postgres what the scripts define, and notes them as applied. A role that is there is left as it is: roles
/// belong to the whole server. The server must be [locked](lock_postgres).
///
/// # Errors
/// [`Error::Replay`] with the statement that the server refuses.
pub async fn replay_postgres(transaction: &Transaction<'_>, recorded: &[Recorded]) -> Result<(), Error> {
    for script in recorded {
        let defined = Script::new(&script.name, &script.definitions)?;
        claims::provide(transaction, &defined).await?;
        for statement in defined.statements {
            run(transaction, &statement).await.map_err(|error| Error::Replay {
                file: script.name.clone(),
                statement: statement.excerpt(),
                message: postgres::message(&error),
            })?;
        }
        transaction.batch_execute("RESET ALL; RESET ROLE").await?;
        let row = "INSERT INTO berth.migrations (name, checksum, applied_at) VALUES ($1, $2, $3::text::timestamptz)";
        transaction.execute(row, &[&script.name, &script.checksum, &script.applied_at]).await?;
    }
    Ok(())
}

/// The scripts that are applied to a Postgres database: name → checksum.
///
/// # Errors
/// What the server says.
pub async fn applied_to_postgres(client: &impl GenericClient) -> Result<BTreeMap<String, String>, Error> {
    postgres::applied(client).await
}

async fn run(transaction: &Transaction<'_>, statement: &Statement) -> Result<(), tokio_postgres::Error> {
    if postgres::is_transaction_control(statement) {
        return Ok(());
    }
    if !makes_role(&statement.text) {
        return transaction.batch_execute(&statement.text).await;
    }
    transaction.batch_execute("SAVEPOINT role").await?;
    match transaction.batch_execute(&statement.text).await {
        Ok(()) => transaction.batch_execute("RELEASE SAVEPOINT role").await,
        Err(error) if error.code() == Some(&SqlState::DUPLICATE_OBJECT) => {
            transaction.batch_execute("ROLLBACK TO SAVEPOINT role").await
        }
        Err(error) => Err(error),
    }
}

fn makes_role(statement: &str) -> bool {
    let words: Vec<String> = statement.split_whitespace().take(2).map(str::to_ascii_lowercase).collect();
    matches!(words.iter().map(String::as_str).collect::<Vec<_>>().as_slice(), ["create", "role" | "user" | "group"])
}
