//! Runs scripts on Postgres, as they are.

use std::collections::BTreeMap;
use std::pin::pin;

use bytes::Bytes;
use futures_util::SinkExt as _;
use tokio_postgres::types::Type;
use tokio_postgres::{Client, GenericClient, Transaction};

use super::{Applied, Error, Mode, Report, Script, Statement, claims, ledger};
use crate::clock::Stopwatch;

/// Taken by each migrating instance for the length of a transaction; `berth` in ASCII. A lock of the transaction, not
/// of the session, holds behind a pooler too.
const LOCK: i64 = 0x62_65_72_74_68;

/// The ledger's schema and table.
const LEDGER: &str = "
CREATE SCHEMA IF NOT EXISTS berth;
CREATE TABLE IF NOT EXISTS berth.migrations (
    name text COLLATE \"C\" PRIMARY KEY,
    checksum text NOT NULL,
    applied_at timestamptz NOT NULL DEFAULT pg_catalog.now()
);";

/// Tells running instances to look at the schema again.
const NOTIFY: &str = "NOTIFY pgrst, 'reload schema'";

/// Applies what is pending, each script in a transaction of its own with its row in the ledger.
///
/// Several instances may do so at once: an advisory lock lets one at a time see what is pending. The session's
/// parameters are reset after each script, since `pg_dump` sets some for the rest of the session.
///
/// # Errors
/// The first script that cannot be applied, and why; those before it are applied, of it nothing is.
pub async fn apply_postgres(client: &mut Client, scripts: &[Script], mode: Mode) -> Result<Report, Error> {
    let mut report = Report::default();
    if ledger::pending(scripts, &applied(client).await?)?.is_empty() {
        return Ok(report);
    }
    match mode {
        Mode::Apply => {
            for script in scripts {
                let transaction = begin(client).await?;
                // Looked at again under the lock: another instance may have applied it meanwhile.
                if pending(&transaction, scripts).await?.iter().any(|of| of.name == script.name) {
                    report.applied.push(apply(&transaction, script).await?);
                }
                transaction.commit().await?;
                client.batch_execute("RESET ALL; RESET ROLE").await?;
            }
            if !report.applied.is_empty() {
                // A server of the wire protocol that knows no NOTIFY is no reason to fail: all is applied.
                let _ = client.batch_execute(NOTIFY).await;
            }
        }
        Mode::DryRun => {
            let transaction = begin(client).await?;
            for script in pending(&transaction, scripts).await? {
                report.applied.push(apply(&transaction, script).await?);
            }
            transaction.rollback().await?;
        }
    }
    Ok(report)
}

async fn begin(client: &mut Client) -> Result<Transaction<'_>, Error> {
    let transaction = client.transaction().await?;
    lock(&transaction).await?;
    Ok(transaction)
}

/// Keeps others from migrating until the transaction is over, and makes the ledger if there is none.
pub(super) async fn lock(transaction: &Transaction<'_>) -> Result<(), Error> {
    transaction.query_typed("SELECT pg_catalog.pg_advisory_xact_lock($1)", &[(&LOCK, Type::INT8)]).await?;
    Ok(transaction.batch_execute(LEDGER).await?)
}

async fn pending<'a>(client: &impl GenericClient, scripts: &'a [Script]) -> Result<Vec<&'a Script>, Error> {
    ledger::pending(scripts, &applied(client).await?)
}

/// The ledger: name → checksum.
pub(super) async fn applied(client: &impl GenericClient) -> Result<BTreeMap<String, String>, Error> {
    let exists =
        client.query_typed("SELECT 1 WHERE pg_catalog.to_regclass('berth.migrations') IS NOT NULL", &[]).await?;
    if exists.is_empty() {
        return Ok(BTreeMap::new());
    }
    let rows = client.query_typed("SELECT name, checksum FROM berth.migrations", &[]).await?;
    rows.iter().map(|row| Ok((row.try_get(0)?, row.try_get(1)?))).collect()
}

async fn apply(transaction: &Transaction<'_>, script: &Script) -> Result<Applied, Error> {
    let begun = Stopwatch::start();
    claims::provide(transaction, script).await?;
    for statement in script.statements.iter().filter(|statement| !is_transaction_control(statement)) {
        run(transaction, statement).await.map_err(|error| failed(script, statement, &error))?;
    }
    let row = "INSERT INTO berth.migrations (name, checksum) VALUES ($1, $2)";
    transaction.execute_typed(row, &[(&script.name, Type::TEXT), (&script.checksum, Type::TEXT)]).await?;
    Ok(Applied { name: script.name.clone(), latency: begun.elapsed() })
}

async fn run(transaction: &Transaction<'_>, statement: &Statement) -> Result<(), tokio_postgres::Error> {
    let Some(rows) = &statement.copy else { return transaction.batch_execute(&statement.text).await };
    let mut sink = pin!(transaction.copy_in::<_, Bytes>(&statement.text).await?);
    sink.send(Bytes::copy_from_slice(rows.as_bytes())).await?;
    sink.finish().await.map(drop)
}

/// A script is one transaction already: its own `BEGIN` and `COMMIT` would end that in the middle.
pub(super) fn is_transaction_control(statement: &Statement) -> bool {
    let first = statement.text.split_whitespace().next().unwrap_or_default();
    ["begin", "start", "commit", "end"].iter().any(|word| first.eq_ignore_ascii_case(word))
}

fn failed(script: &Script, statement: &Statement, error: &tokio_postgres::Error) -> Error {
    let message = message(error);
    Error::Statement { file: script.name.clone(), line: statement.line, statement: statement.excerpt(), message }
}

/// The server's text.
pub(super) fn message(error: &tokio_postgres::Error) -> String {
    error.as_db_error().map_or_else(|| error.to_string(), |error| error.message().to_owned())
}
