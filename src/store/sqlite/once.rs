//! Writes that are applied once: their outcomes in `_berth_replies`, kept by the same transaction.
//!
//! The table is made by the first write that needs it, so that a file which nobody asks this of stays as it is.

use rusqlite::{Connection, OptionalExtension as _};

use super::write::{Failure, Place};
use crate::clock;
use crate::request::Once;
use crate::store::Outcome;
use crate::store::kept::{self, Kept};

const TABLE: &str = "CREATE TABLE IF NOT EXISTS _berth_replies (name BLOB PRIMARY KEY, fingerprint BLOB NOT NULL, \
     made_at INTEGER NOT NULL, outcome TEXT NOT NULL, body BLOB)";

const INDEX: &str = "CREATE INDEX IF NOT EXISTS _berth_replies_made_at ON _berth_replies (made_at)";

/// Runs `write` unless it was run before; then gives what it came to.
///
/// # Errors
/// [`Failure::Refused`] with `KeyReused` when it was another write, or what `write` says.
pub(super) fn run(
    connection: &Connection,
    once: &Once,
    write: impl FnOnce() -> Result<Outcome, Failure>,
) -> Result<Outcome, Failure> {
    let now = clock::unix_seconds();
    if let Some(kept) = find(connection, once, now).map_err(failed)? {
        return kept.replay(once).map_err(Failure::Refused);
    }
    let outcome = write()?;
    let kept = Kept::of(once, &outcome).map_err(Failure::Refused)?;
    keep(connection, once, &kept, now).map_err(failed)?;
    Ok(outcome)
}

/// Not the write's own fault, so it has no place among its values.
fn failed(error: rusqlite::Error) -> Failure {
    Failure::Sqlite(error, Place { run: usize::MAX, row: 0 })
}

fn find(connection: &Connection, once: &Once, now: i64) -> rusqlite::Result<Option<Kept>> {
    connection.prepare_cached(TABLE)?.execute([])?;
    connection.prepare_cached(INDEX)?.execute([])?;
    let mut statement = connection
        .prepare_cached("SELECT fingerprint, outcome, body FROM _berth_replies WHERE name = ?1 AND made_at > ?2")?;
    let row = statement.query_row((&once.name, now - kept::SECONDS), |row| {
        Ok(Kept { fingerprint: row.get(0)?, outcome: row.get(1)?, body: row.get(2)? })
    });
    row.optional()
}

fn keep(connection: &Connection, once: &Once, kept: &Kept, now: i64) -> rusqlite::Result<()> {
    let mut statement = connection.prepare_cached(
        "DELETE FROM _berth_replies WHERE rowid IN \
         (SELECT rowid FROM _berth_replies WHERE made_at <= ?1 ORDER BY made_at LIMIT ?2)",
    )?;
    statement.execute((now - kept::SECONDS, kept::REMOVED_MAX))?;
    let mut statement = connection.prepare_cached(
        "INSERT OR REPLACE INTO _berth_replies (name, fingerprint, made_at, outcome, body) VALUES (?1, ?2, ?3, ?4, ?5)",
    )?;
    statement.execute((&once.name, &kept.fingerprint, now, &kept.outcome, &kept.body)).map(drop)
}
