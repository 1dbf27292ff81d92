//! Reads whose rows are handed on while the server sends them.
//!
//! ```text
//! BEGIN READ ONLY · settings · [pre-request] · what is said before the rows · the rows … · COMMIT
//! ```
//!
//! The driver reads from the socket what is asked of it, so a client that takes its time makes the server wait. All is of one
//! snapshot (`REPEATABLE READ`), so that a count is that of the rows.

use std::pin::Pin;

use bytes::Bytes;
use futures_util::StreamExt as _;
use tokio::sync::OwnedSemaphorePermit;
use tokio_postgres::RowStream;

use super::pool::Lease;
use super::repeat::{Patience, Repeats};
use super::transaction::{self, Head};
use super::{Failed, Postgres, PostgresSettings, Shared, exchange, fault};
use crate::clock::{Deadline, Stopwatch, within};
use crate::sql::{Query, Statement, Work};
use crate::store::stream::{self, Feed, PIECE_BYTES, Rest};
use crate::store::{Error, Extent, Outcome};
use crate::telemetry::Operation;

/// Rows as lines, with what is written of the next piece.
struct Lines {
    rows: Pin<Box<RowStream>>,
    piece: Vec<u8>,
    count: u64,
}

impl Lines {
    fn new(rows: RowStream) -> Self {
        Self { rows: Box::pin(rows), piece: Vec::new(), count: 0 }
    }

    /// The next piece; `None` once the rows are at their end.
    async fn next(&mut self) -> Result<Option<Bytes>, Failed> {
        while let Some(row) = self.rows.next().await {
            let row = row.map_err(|error| fault::failed(&error))?;
            let line: &str = row.try_get(0).map_err(|error| Error::Internal(error.to_string()))?;
            self.piece.extend_from_slice(line.as_bytes());
            self.count += 1;
            if self.piece.len() >= PIECE_BYTES {
                let capacity = self.piece.len();
                return Ok(Some(std::mem::replace(&mut self.piece, Vec::with_capacity(capacity)).into()));
            }
        }
        Ok(None)
    }
}

/// A read of which the first rows are there.
struct Begun {
    lease: Lease,
    outcome: Outcome,
    /// `None`: they were all.
    more: Option<Lines>,
}

impl Postgres {
    /// Begins to run a read whose rows are handed on while the server sends them; without a [`Rest`] that was all.
    ///
    /// # Errors
    /// As [`execute`](Self::execute), for what goes wrong by then; the rest tells what goes wrong later.
    pub async fn stream(&self, statement: Statement, deadline: Deadline) -> Result<(Outcome, Option<Rest>), Error> {
        let by = Deadline::after(self.shared.settings.pool_timeout).min(deadline);
        let place = self.shared.streams.take(by).await?;
        let repeats = Repeats::of(&statement);
        let mut patience = Patience::new(deadline);
        let (stopwatch, begun) = loop {
            match self.shared.attempt_stream(&statement, deadline).await {
                Ok(begun) => break begun,
                Err(failed) => patience.outlast(failed, repeats).await?,
            }
        };
        let Begun { lease, outcome, more } = begun;
        let outcome = self.shared.tell(Operation::Read, (stopwatch, outcome));
        let rest = more.map(|lines| {
            let (feed, rest) = stream::feed(Deadline::after(self.shared.settings.stream_timeout));
            tokio::spawn(hand_on(lease, lines, feed, place));
            rest
        });
        Ok((outcome, rest))
    }
}

impl Shared {
    async fn attempt_stream(&self, statement: &Statement, deadline: Deadline) -> Result<(Stopwatch, Begun), Failed> {
        let Work::Lines { head, planned, query } = &statement.work else {
            return Err(Error::Internal("only lines are handed on".to_owned()).into());
        };
        let mut lease = self.lease(deadline).await?;
        let stopwatch = Stopwatch::start();
        lease.begin_run();
        let head = Head { query: head, planned: planned.as_ref() };
        let begin = async {
            let begun = begin(&mut lease, statement, head, query, &self.settings).await;
            if let Err(failed) = &begun {
                transaction::undo(&mut lease, failed).await?;
            }
            begun
        };
        let begun = within(deadline, begin).await;
        if !matches!(begun, Ok(Ok(_))) {
            lease.end_run();
        }
        let (outcome, more) = self.in_time(&lease, begun)?;
        if more.is_none() {
            lease.keep();
        }
        Ok((stopwatch, Begun { lease, outcome, more }))
    }
}

/// Reads up to the first piece, or to the end of the transaction.
async fn begin(
    lease: &mut Lease,
    statement: &Statement,
    head: Head<'_>,
    query: &Query,
    settings: &PostgresSettings,
) -> Result<(Outcome, Option<Lines>), Failed> {
    let until = Deadline::after(settings.stream_timeout);
    let outcome = transaction::run_head(lease, statement, head, settings, until).await?;
    let ready = lease.ready(&query.text, settings.prepared).await?;
    let rows = exchange::rows_with(lease.client()?, &ready, &query.values).await;
    let mut lines = Lines::new(rows.map_err(|error| fault::failed(&error))?);
    let Some(body) = lines.next().await? else {
        lease.client()?.batch_execute("COMMIT").await.map_err(|error| fault::failed(&error))?;
        let body = std::mem::take(&mut lines.piece).into();
        return Ok((Outcome { page: lines.count, body, extent: Extent::Whole, ..outcome }, None));
    };
    let is_counted = outcome.total.is_some() && head.planned.is_none();
    let extent = if is_counted { Extent::BegunOfCounted } else { Extent::Begun };
    Ok((Outcome { page: lines.count, body, extent, ..outcome }, Some(lines)))
}

/// Hands on what the server sends, until the deadline or until nobody takes it. The connection is given back only when the
/// transaction is over.
async fn hand_on(mut lease: Lease, mut lines: Lines, feed: Feed, place: OwnedSemaphorePermit) {
    let ending = tokio::select! {
        ending = give_all(&lease, &mut lines, &feed) => ending,
        () = feed.left() => return,
    };
    if ending.is_ok() {
        lease.keep();
    }
    drop((lease, place));
    feed.end(ending);
}

async fn give_all(lease: &Lease, lines: &mut Lines, feed: &Feed) -> Result<u64, Error> {
    let until = feed.until();
    while let Some(piece) =
        within(until, lines.next()).await.map_err(|_| Error::Timeout)?.map_err(|failed| failed.error)?
    {
        feed.give(piece).await?;
    }
    feed.give(std::mem::take(&mut lines.piece).into()).await?;
    let committed = within(until, lease.client()?.batch_execute("COMMIT")).await;
    committed.map_err(|_| Error::Timeout)?.map_err(|error| fault::failed(&error).error)?;
    Ok(lines.count)
}
