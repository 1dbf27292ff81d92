//! Writes that are applied once: their outcomes in `berth.replies`, kept by the same transaction.
//!
//! ```text
//! BEGIN · claim the name (who claims it second waits for the first to end) · settings · statement
//! keep the outcome, as the connection's own role · COMMIT
//!
//! BEGIN · the name is claimed already: find the outcome · settings · explain the statement, for its privileges · ROLLBACK
//! ```
//!
//! The table lies in a schema of berth's own, which no exposed schema shows, and is made by the first write that needs
//! it. The roles of requests have no right on it.

use tokio_postgres::error::SqlState;
use tokio_postgres::types::Type;

use super::pool::{Lease, Ready};
use super::{Failed, PostgresSettings, fault};
use crate::request::Once;
use crate::store::kept::{self, Kept};
use crate::store::{Error, Outcome};

/// `berth` in ASCII, as migrations take it: instances make the schema one after the other.
const LOCK: &str = "SELECT pg_catalog.pg_advisory_xact_lock(422608794728)";

/// What makes the table; also for whoever must do it by hand.
pub const TABLE: &str = "CREATE SCHEMA IF NOT EXISTS berth; \
    CREATE TABLE IF NOT EXISTS berth.replies (name bytea PRIMARY KEY, fingerprint bytea NOT NULL, \
    made_at timestamptz NOT NULL DEFAULT now(), outcome text, body bytea); \
    CREATE INDEX IF NOT EXISTS replies_made_at ON berth.replies (made_at)";

const CLAIM: &str = "INSERT INTO berth.replies AS kept (name, fingerprint) VALUES ($1, $2) \
    ON CONFLICT (name) DO UPDATE SET fingerprint = excluded.fingerprint, made_at = excluded.made_at, outcome = NULL, \
    body = NULL WHERE kept.made_at <= pg_catalog.now() - $3::float8 * interval '1 second' RETURNING 1";

const FIND: &str = "SELECT fingerprint, outcome, body FROM berth.replies WHERE name = $1";

const KEEP: &str = "UPDATE berth.replies SET outcome = $2, body = $3 WHERE name = $1";

const REMOVE: &str = "DELETE FROM berth.replies WHERE name IN (SELECT name FROM berth.replies \
    WHERE made_at <= pg_catalog.now() - $1::float8 * interval '1 second' ORDER BY made_at LIMIT $2 \
    FOR UPDATE SKIP LOCKED)";

/// What a claim came to.
#[derive(Debug)]
pub(super) enum Claim {
    /// The write is to be run, in the transaction that is open now.
    Run,
    /// It was run before; the transaction is open still.
    Replayed(Box<Outcome>),
}

/// Begins a transaction, in the words of `begin`, and claims the name in it.
///
/// # Errors
/// [`Error::KeyReused`] when it was another write; `BERTH501` when the table is missing and may not be made.
pub(super) async fn claim(
    lease: &Lease,
    once: &Once,
    begin: &str,
    settings: &PostgresSettings,
) -> Result<Claim, Failed> {
    match claim_in_table(lease, once, begin, settings).await {
        Err(Attempt::NoTable) => {
            lease.client()?.batch_execute("ROLLBACK").await.map_err(|error| fault::failed(&error))?;
            create(lease).await?;
            claim_in_table(lease, once, begin, settings).await.map_err(Attempt::failed)
        }
        claimed => claimed.map_err(Attempt::failed),
    }
}

/// Why a claim failed.
enum Attempt {
    NoTable,
    Failed(Failed),
}

impl Attempt {
    fn failed(self) -> Failed {
        match self {
            Self::NoTable => Error::Internal("berth.replies was removed".to_owned()).into(),
            Self::Failed(failed) => failed,
        }
    }
}

impl From<tokio_postgres::Error> for Attempt {
    fn from(error: tokio_postgres::Error) -> Self {
        match error.code() {
            Some(code) if [SqlState::UNDEFINED_TABLE, SqlState::INVALID_SCHEMA_NAME].contains(code) => Self::NoTable,
            Some(code) if *code == SqlState::INSUFFICIENT_PRIVILEGE => Self::Failed(not_allowed(&error).into()),
            Some(_) | None => Self::Failed(fault::failed(&error)),
        }
    }
}

impl From<Failed> for Attempt {
    fn from(failed: Failed) -> Self {
        Self::Failed(failed)
    }
}

impl From<Error> for Attempt {
    fn from(error: Error) -> Self {
        Self::Failed(error.into())
    }
}

async fn claim_in_table(
    lease: &Lease,
    once: &Once,
    begin: &str,
    settings: &PostgresSettings,
) -> Result<Claim, Attempt> {
    let client = lease.client()?;
    client.batch_execute(begin).await?;
    let claim = Ready::on(client, CLAIM, settings.prepared).await?;
    let (name, fingerprint) = (once.name.as_slice(), once.fingerprint.as_slice());
    let claiming = [(&name as _, Type::BYTEA), (&fingerprint as _, Type::BYTEA), (&seconds() as _, Type::FLOAT8)];
    // An expired name is claimed anew; it cannot be removed and claimed in between, since its row is locked.
    if !claim.query(client, &claiming).await?.is_empty() {
        return Ok(Claim::Run);
    }
    let find = Ready::on(client, FIND, settings.prepared).await?;
    let row = find.query(client, &[(&name as _, Type::BYTEA)]).await?.into_iter().next();
    // Removed by another's write in this very moment: it was a day old.
    let row = row.ok_or_else(|| Error::Internal("a kept outcome was removed".to_owned()))?;
    let kept = Kept {
        fingerprint: row.try_get(0)?,
        outcome: row.try_get::<_, Option<String>>(1)?.unwrap_or_default(),
        body: row.try_get(2)?,
    };
    Ok(Claim::Replayed(Box::new(kept.replay(once)?)))
}

#[allow(clippy::cast_precision_loss, reason = "a day's seconds")]
fn seconds() -> f64 {
    kept::SECONDS as f64
}

/// Keeps the outcome, in the transaction that is open, and removes some whose day is over.
///
/// # Errors
/// What the server says.
pub(super) async fn keep(
    lease: &Lease,
    once: &Once,
    outcome: &Outcome,
    role: Option<&str>,
    settings: &PostgresSettings,
) -> Result<(), Failed> {
    let kept = Kept::of(once, outcome)?;
    let client = lease.client()?;
    let keep = async {
        client.batch_execute("SET LOCAL ROLE NONE").await?;
        let keep = Ready::on(client, KEEP, settings.prepared).await?;
        let name = once.name.as_slice();
        let keeping = [(&name as _, Type::BYTEA), (&kept.outcome as _, Type::TEXT), (&kept.body as _, Type::BYTEA)];
        keep.query(client, &keeping).await?;
        let remove = Ready::on(client, REMOVE, settings.prepared).await?;
        remove.query(client, &[(&seconds() as _, Type::FLOAT8), (&kept::REMOVED_MAX as _, Type::INT8)]).await?;
        if let Some(role) = role {
            // Deferred triggers run at the commit, as the role that wrote.
            let become_again = Ready::Text("SELECT pg_catalog.set_config('role', $1, true)");
            become_again.query(client, &[(&role as _, Type::TEXT)]).await?;
        }
        Ok(())
    };
    keep.await.map_err(|error: tokio_postgres::Error| fault::failed(&error))
}

/// Makes the table in a transaction of its own.
async fn create(lease: &Lease) -> Result<(), Failed> {
    let client = lease.client()?;
    match client.batch_execute(&format!("BEGIN; {LOCK}; {TABLE}; COMMIT")).await {
        Ok(()) => Ok(()),
        Err(error) if error.code() == Some(&SqlState::INSUFFICIENT_PRIVILEGE) => Err(not_allowed(&error).into()),
        Err(error) => Err(fault::failed(&error)),
    }
}

fn not_allowed(error: &tokio_postgres::Error) -> Error {
    Error::Database {
        code: "BERTH501".to_owned(),
        message: "Idempotency-Key needs the table berth.replies, which the connection's role may not make or use"
            .to_owned(),
        details: error.as_db_error().map(|told| told.message().to_owned()),
        hint: Some(format!(
            "Run as an owner, with the role of DATABASE_URL for berth_role: {TABLE}; GRANT USAGE ON SCHEMA berth TO \
             berth_role; GRANT SELECT, INSERT, UPDATE, DELETE ON berth.replies TO berth_role"
        )),
    }
}
