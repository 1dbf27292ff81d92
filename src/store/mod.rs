//! Runs statements: SQLite on a volume, or Postgres behind a DSN. Knows no HTTP.

pub mod content;
mod expectation;
pub mod kept;
pub mod postgres;
mod script;
pub mod sqlite;
mod stream;

use std::sync::Arc;

use bytes::Bytes;
use serde::Deserialize;
use thiserror::Error;

use crate::catalog::Catalog;
use crate::clock::Deadline;
use crate::sql::Statement;
use crate::telemetry::LogState;

pub use postgres::Postgres;
pub use script::{Next, Script, Transaction};
pub use sqlite::Sqlite;
pub use stream::Rest;

/// What a statement brought.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Outcome {
    /// Rows without limit and offset, when they were counted.
    pub total: Option<u64>,
    /// Rows given back or touched.
    pub page: u64,
    /// The rows, written in the media type that was asked for.
    pub body: Bytes,
    /// How many of the rows that is.
    pub extent: Extent,
    /// Query string that finds the one inserted row, e.g. `?id=eq.1`.
    pub location: Option<String>,
    /// Where a page by keys begins and ends; `None` when it was none.
    pub edges: Option<Box<Edges>>,
    /// Rows that an upsert inserted rather than updated; `None` when it was no upsert.
    pub inserted: Option<u64>,
    /// The shared log's position that the answer was made at, or later.
    pub position: Option<u64>,
    /// The state of the store that the rows are of, or an older one; `None` where it says nothing of the rows.
    pub state: Option<u64>,
    /// The sender has the rows already: nothing was read.
    pub is_known: bool,
    /// `response.headers`, as Postgres' code set it.
    pub response_headers: Option<String>,
    /// `response.status`, as Postgres' code set it.
    pub response_status: Option<String>,
    /// The write was applied before, and this is what it came to then; `None` when it ran now.
    pub replay: Option<Replay>,
}

/// How many of an answer's rows are in its body.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Extent {
    /// All.
    #[default]
    Whole,
    /// The first: the rest is still being read, and `page` does not count it.
    Begun,
    /// The same, and `total` is no guess.
    BegunOfCounted,
}

/// Where a page by keys begins and ends.
#[derive(Debug, Clone, PartialEq, Eq, Default, Deserialize)]
pub struct Edges {
    /// The keys of the first row, as cursors have them; `None` without rows.
    pub first: Option<Vec<serde_json::Value>>,
    /// Those of the last row.
    pub last: Option<Vec<serde_json::Value>>,
    /// There are more rows, away from the cursor.
    pub more: bool,
}

/// How much of an earlier outcome was kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replay {
    /// All of it.
    Whole,
    /// All but its body, which was too large.
    WithoutBody,
}

/// Why a store did not do what was asked.
#[derive(Debug, Clone, Error)]
pub enum Error {
    /// The engine said no: its own code (SQLSTATE), message, details and hint. SQLite's codes are mapped to Postgres'.
    #[error("{message} ({code})")]
    Database {
        /// SQLSTATE.
        code: String,
        /// The engine's text, fit for the client.
        message: String,
        /// More of it.
        details: Option<String>,
        /// What to do.
        hint: Option<String>,
    },
    /// PGRST116: not exactly one row.
    #[error("Cannot coerce the result to a single JSON object")]
    NotSingular {
        /// How many there were.
        rows: u64,
    },
    /// PGRST124: more rows than `max-affected` allows.
    #[error("Query result exceeds max-affected preference constraint")]
    MaxAffected {
        /// How many there were.
        rows: u64,
    },
    /// PGRST115: the body's key is not that of the address.
    #[error("Payload values do not match URL in primary key column(s)")]
    PutMismatch,
    /// The catalog that the plan was made from is stale: plan again.
    #[error("the schema has changed")]
    SchemaChanged,
    /// The queue is full: 503, retry later.
    #[error("too many requests are waiting")]
    QueueFull,
    /// BERTH503: another process holds SQLite's lock: retry later.
    #[error("another process holds the lock of the database")]
    Locked,
    /// PGRST003: no connection in time.
    #[error("Timed out acquiring connection from connection pool.")]
    PoolTimeout,
    /// PGRST000: the database cannot be reached; the text is for the log only.
    #[error("Database connection error.")]
    Unreachable(String),
    /// 57014: the statement took too long and was ended.
    #[error("canceling statement due to statement timeout")]
    Timeout,
    /// A write whose outcome is not known: 503, the client must look before it repeats it.
    #[error("the outcome of the write is unknown")]
    OutcomeUnknown,
    /// BERTH412: the client has seen a position that the shared log does not have.
    #[error("the log ends before position {position}")]
    NoSuchPosition {
        /// The one it asked for.
        position: u64,
    },
    /// BERTH412: what `If-Match` or `If-None-Match` ask of the row does not hold.
    #[error("the row is not as If-Match or If-None-Match ask for")]
    PreconditionFailed,
    /// BERTH422: the `Idempotency-Key` came with another request before.
    #[error("the Idempotency-Key was used for another request")]
    KeyReused,
    /// The script of a transaction had it undone, and knows why.
    #[error("the transaction was stopped")]
    Stopped,
    /// What should not happen; the text is for the log only.
    #[error("internal error")]
    Internal(String),
}

impl Error {
    /// 54000: the answer would be larger than `bytes`.
    pub(crate) fn too_large(bytes: usize) -> Self {
        Self::Database {
            code: "54000".to_owned(),
            message: format!("the result is larger than {bytes} bytes"),
            details: None,
            hint: Some("Ask for fewer rows (limit, Range) or fewer columns (select).".to_owned()),
        }
    }

    /// What happened, in full: for logs and for whoever runs this, where clients are told less.
    #[must_use]
    pub fn in_full(&self) -> String {
        if let Self::Unreachable(cause) | Self::Internal(cause) = self { cause.clone() } else { self.to_string() }
    }
}

/// A database, whichever it is.
#[derive(Debug)]
pub enum Store {
    /// SQLite on a volume.
    Sqlite(Sqlite),
    /// Postgres behind a DSN.
    Postgres(Postgres),
}

impl Store {
    /// The newest snapshot of what the database holds; `None` until it has been read once.
    #[must_use]
    pub fn catalog(&self) -> Option<Arc<Catalog>> {
        match self {
            Self::Sqlite(sqlite) => Some(sqlite.catalog()),
            Self::Postgres(postgres) => postgres.catalog(),
        }
    }

    /// Reads the catalog anew.
    ///
    /// # Errors
    /// Whatever keeps the database from answering.
    pub async fn reload(&self) -> Result<(), Error> {
        match self {
            Self::Sqlite(sqlite) => sqlite.reload().await,
            Self::Postgres(postgres) => postgres.reload().await,
        }
    }

    /// Runs one request's statement by `deadline`.
    ///
    /// # Errors
    /// See [`Error`]. A statement that failed left nothing behind, but for [`Error::OutcomeUnknown`].
    pub async fn execute(&self, statement: Statement, deadline: Deadline) -> Result<Outcome, Error> {
        match self {
            Self::Sqlite(sqlite) => sqlite.execute(statement, deadline).await,
            Self::Postgres(postgres) => postgres.execute(statement, deadline).await,
        }
    }

    /// Begins to run a read by `deadline`, whose rows are handed on while they are read; without a [`Rest`] that was all.
    ///
    /// # Errors
    /// See [`Error`]; what goes wrong later, the rest tells.
    pub async fn stream(&self, statement: Statement, deadline: Deadline) -> Result<(Outcome, Option<Rest>), Error> {
        match self {
            Self::Sqlite(sqlite) => sqlite.stream(statement, deadline).await,
            Self::Postgres(postgres) => postgres.stream(statement, deadline).await,
        }
    }

    /// Runs the statements of one transaction by `deadline`.
    ///
    /// # Errors
    /// See [`Error`]; that of the statement that failed, or [`Error::Stopped`]. A transaction that failed left nothing
    /// behind, but for [`Error::OutcomeUnknown`].
    pub async fn transact(&self, transaction: Transaction, deadline: Deadline) -> Result<Outcome, Error> {
        match self {
            Self::Sqlite(sqlite) => sqlite.transact(transaction, deadline).await,
            Self::Postgres(postgres) => postgres.transact(transaction, deadline).await,
        }
    }

    /// Asks the database for a sign of life.
    ///
    /// # Errors
    /// Whatever keeps the database from answering.
    pub async fn ping(&self) -> Result<(), Error> {
        match self {
            Self::Sqlite(sqlite) => sqlite.ping(),
            Self::Postgres(postgres) => postgres.ping().await,
        }
    }

    /// True when the snapshot of the catalog is known to be old. Where somebody listens, Postgres tells by itself.
    pub async fn is_stale(&self, deadline: Deadline) -> bool {
        match self {
            Self::Sqlite(sqlite) => sqlite.is_stale(deadline).await,
            Self::Postgres(postgres) => postgres.is_stale().await,
        }
    }

    /// How this instance stands to the shared log; `None` for other stores.
    #[must_use]
    pub fn log_state(&self) -> Option<LogState> {
        match self {
            Self::Sqlite(sqlite) => sqlite.log_state(),
            Self::Postgres(_) => None,
        }
    }

    /// Waits until the store has at least the commit group `position`. Only a shared log has positions; other stores
    /// show every commit at once.
    ///
    /// # Errors
    /// [`Error::NoSuchPosition`] when the log ends before it, or why the log cannot be read.
    pub async fn wait_for(&self, position: u64, deadline: Deadline) -> Result<(), Error> {
        match self {
            Self::Sqlite(sqlite) => sqlite.wait_for(position, deadline).await,
            Self::Postgres(_) => Ok(()),
        }
    }

    /// Lets go of a server's connections. A SQLite file is closed, its queue run empty, when the store is dropped.
    pub fn close(&self) {
        match self {
            Self::Sqlite(_) => {}
            Self::Postgres(postgres) => postgres.close(),
        }
    }
}
