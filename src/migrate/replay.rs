//! What migrations have defined on SQLite, defined again on Postgres: for a database that moves there.
//!
//! The ledger of a SQLite database keeps of each script what it defines, in the words it was written in
//! (`Script::definitions`); rows are copied, and no statement that moves rows is run again.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use regex::{Captures, Regex};
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
    let roles = made_roles(&statement.text);
    if roles.is_empty() {
        return transaction.batch_execute(&statement.text).await;
    }
    transaction.batch_execute("SAVEPOINT role").await?;
    let Err(error) = transaction.batch_execute(&statement.text).await else {
        return transaction.batch_execute("RELEASE SAVEPOINT role").await;
    };
    // Who may make no roles is told so even of one that is there.
    if !matches!(error.code(), Some(&SqlState::DUPLICATE_OBJECT | &SqlState::INSUFFICIENT_PRIVILEGE)) {
        return Err(error);
    }
    transaction.batch_execute("ROLLBACK TO SAVEPOINT role").await?;
    let there = "SELECT count(*) FROM pg_catalog.pg_roles WHERE rolname::text = ANY ($1)";
    let there: i64 = transaction.query_one(there, &[&roles]).await?.try_get(0)?;
    if usize::try_from(there) == Ok(roles.len()) { Ok(()) } else { Err(error) }
}

/// The roles that a statement makes: `CREATE ROLE`, or a `DO` block that guards it.
fn made_roles(statement: &str) -> Vec<String> {
    static MADE: LazyLock<Option<Regex>> =
        LazyLock::new(|| Regex::new(r#"(?i)\bcreate\s+(?:role|user|group)\s+(?:"([^"]+)"|(\w+))"#).ok());
    let first = statement.split_whitespace().next().unwrap_or_default();
    let Some(made) = MADE.as_ref().filter(|_| ["create", "do"].iter().any(|word| first.eq_ignore_ascii_case(word)))
    else {
        return Vec::new();
    };
    let name = |found: Captures<'_>| match (found.get(1), found.get(2)) {
        (Some(quoted), _) => quoted.as_str().to_owned(),
        (None, bare) => bare.map_or_else(String::new, |bare| bare.as_str().to_lowercase()),
    };
    made.captures_iter(statement).map(name).collect::<BTreeSet<_>>().into_iter().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_roles_that_a_statement_makes_are_those_that_it_names() {
        for (statement, roles) in [
            ("CREATE ROLE Anon NOLOGIN", vec!["anon"]),
            ("create\n user \"Web User\"", vec!["Web User"]),
            ("DO $$ BEGIN IF NOT EXISTS (SELECT) THEN CREATE ROLE b; CREATE ROLE a; END IF; END $$", vec!["a", "b"]),
            ("CREATE TABLE role (a text)", vec![]),
            ("COMMENT ON TABLE t IS 'CREATE ROLE x'", vec![]),
        ] {
            assert_eq!(made_roles(statement), roles, "{statement}");
        }
    }
}
