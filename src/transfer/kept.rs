//! Outcomes that are kept for an `Idempotency-Key`: a write that was applied before the move is not applied after it.

use std::pin::pin;

use bytes::Bytes;
use futures_util::SinkExt as _;
use rusqlite::Connection;
use tokio_postgres::Transaction;

use super::target::{CHUNK_BYTES, run};
use super::{Error, text};
use crate::clock;
use crate::plan::value::form;
use crate::store::{kept, postgres};

const SELECT: &str = "SELECT name, fingerprint, strftime('%Y-%m-%d %H:%M:%S', made_at, 'unixepoch') || '+00', outcome, \
                      body FROM _berth_replies WHERE made_at > ?1";

const COPY: &str = "COPY berth.replies (name, fingerprint, made_at, outcome, body) FROM STDIN";

/// Copies those whose time is not over. What the server kept is of rows that are not there any more, and is removed.
pub(super) async fn copy(transaction: &Transaction<'_>, connection: &Connection) -> Result<(), Error> {
    let there = transaction.query("SELECT 1 WHERE pg_catalog.to_regclass('berth.replies') IS NOT NULL", &[]).await?;
    if !there.is_empty() {
        run(transaction, "DELETE FROM berth.replies").await?;
    }
    if !connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = '_berth_replies'")?.exists([])? {
        return Ok(());
    }
    run(transaction, postgres::KEPT_TABLE).await?;
    let refused = |error: tokio_postgres::Error| Error::of(COPY, &error);
    let mut sink = pin!(transaction.copy_in::<_, Bytes>(COPY).await.map_err(refused)?);
    let mut statement = connection.prepare(SELECT)?;
    let mut rows = statement.query([clock::unix_seconds() - kept::SECONDS])?;
    let mut chunk = Vec::new();
    while let Some(row) = rows.next()? {
        write(&mut chunk, row)?;
        if chunk.len() >= CHUNK_BYTES {
            sink.send(std::mem::take(&mut chunk).into()).await.map_err(refused)?;
        }
    }
    sink.send(chunk.into()).await.map_err(refused)?;
    sink.finish().await.map_err(refused)?;
    Ok(())
}

/// Writes one as a line of `COPY`.
fn write(line: &mut Vec<u8>, row: &rusqlite::Row<'_>) -> rusqlite::Result<()> {
    let bytes = |line: &mut Vec<u8>, bytes: Option<Vec<u8>>| match bytes {
        None => line.extend_from_slice(b"\\N"),
        Some(bytes) => {
            let mut text = Vec::new();
            form::write_hexadecimal(&mut text, &bytes);
            text::escape(line, &text);
        }
    };
    bytes(line, row.get(0)?);
    line.push(b'\t');
    bytes(line, row.get(1)?);
    line.push(b'\t');
    text::escape(line, row.get::<_, String>(2)?.as_bytes());
    line.push(b'\t');
    text::escape(line, row.get::<_, String>(3)?.as_bytes());
    line.push(b'\t');
    bytes(line, row.get(4)?);
    line.push(b'\n');
    Ok(())
}
