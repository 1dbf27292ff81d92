//! Outcomes that are kept for an `Idempotency-Key`: a write that was applied before the move is not applied after it.

use std::pin::pin;

use bytes::Bytes;
use futures_util::SinkExt as _;
use rusqlite::Connection;
use tokio_postgres::Transaction;

use super::{Error, text};
use crate::clock;
use crate::plan::value::form;
use crate::store::{kept, postgres};

/// Copies those whose time is not over.
pub(super) async fn copy(transaction: &Transaction<'_>, connection: &Connection) -> Result<(), Error> {
    let lines = lines(connection, clock::unix_seconds() - kept::SECONDS)?;
    if lines.is_empty() {
        return Ok(());
    }
    transaction.batch_execute(postgres::KEPT_TABLE).await?;
    // With the rows of an earlier copy these would be twice there.
    transaction.batch_execute("DELETE FROM berth.replies").await?;
    let sql = "COPY berth.replies (name, fingerprint, made_at, outcome, body) FROM STDIN";
    let mut sink = pin!(transaction.copy_in::<_, Bytes>(sql).await?);
    for line in lines {
        sink.send(line.into()).await?;
    }
    sink.finish().await?;
    Ok(())
}

/// A line of `COPY` for each; they are of at most a day, and bounded in size.
fn lines(connection: &Connection, since: i64) -> rusqlite::Result<Vec<Vec<u8>>> {
    let is_there = connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = '_berth_replies'")?.exists([])?;
    if !is_there {
        return Ok(Vec::new());
    }
    let sql = "SELECT name, fingerprint, strftime('%Y-%m-%d %H:%M:%S', made_at, 'unixepoch') || '+00', outcome, body \
               FROM _berth_replies WHERE made_at > ?1";
    let mut statement = connection.prepare(sql)?;
    let rows = statement.query_map([since], |row| {
        let mut line = Vec::new();
        let bytes = |line: &mut Vec<u8>, bytes: Option<Vec<u8>>| match bytes {
            None => line.extend_from_slice(b"\\N"),
            Some(bytes) => {
                let mut text = Vec::new();
                form::write_hexadecimal(&mut text, &bytes);
                text::escape(line, &text);
            }
        };
        bytes(&mut line, row.get(0)?);
        line.push(b'\t');
        bytes(&mut line, row.get(1)?);
        line.push(b'\t');
        text::escape(&mut line, row.get::<_, String>(2)?.as_bytes());
        line.push(b'\t');
        text::escape(&mut line, row.get::<_, String>(3)?.as_bytes());
        line.push(b'\t');
        bytes(&mut line, row.get(4)?);
        line.push(b'\n');
        Ok(line)
    })?;
    rows.collect()
}
