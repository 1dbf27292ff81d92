//! What reads and writes have in common when rows become an outcome.

use bytes::Bytes;
use rusqlite::types::Value as Stored;
use rusqlite::{Connection, Row, Rows};

use super::fault;
use super::format::BodyWriter;
use crate::sql::Output;
use crate::store::Error;

/// Reads the schema's version; being the first to read, it also begins the transaction in which all else is read.
const VERSION: &str = "PRAGMA schema_version";

/// Runs `work` when the schema is still the one that `planned` is the version of. All that `work` reads is of one
/// moment.
///
/// # Errors
/// [`Error::SchemaChanged`] when the schema is another; else what `work` says.
pub(super) fn with_schema<Answer>(
    connection: &Connection,
    planned: i64,
    work: impl FnOnce() -> Result<Answer, Error>,
) -> Result<Answer, Error> {
    let mut statement = connection.prepare_cached(VERSION).map_err(fault::plain)?;
    // Not read to its end before `work` is done: an open statement keeps the read transaction open, which spares
    // `BEGIN` and `COMMIT`.
    let mut rows = statement.query([]).map_err(fault::plain)?;
    if read_version(&mut rows).map_err(fault::plain)? == planned { work() } else { Err(Error::SchemaChanged) }
}

/// The schema's version at this moment, or in the transaction that is open.
pub(super) fn schema_version(connection: &Connection) -> rusqlite::Result<i64> {
    let mut statement = connection.prepare_cached(VERSION)?;
    read_version(&mut statement.query([])?)
}

fn read_version(rows: &mut Rows<'_>) -> rusqlite::Result<i64> {
    rows.next()?.map_or(Err(rusqlite::Error::QueryReturnedNoRows), |row| row.get(0))
}

/// A body that grows up to a bound.
#[derive(Debug)]
pub(super) struct Body {
    writer: BodyWriter,
    max_bytes: usize,
}

/// Why a body did not grow.
#[derive(Debug)]
pub(super) enum BodyFault {
    /// SQLite failed.
    Sqlite(rusqlite::Error),
    /// A bound is reached, or an expectation does not hold: the answer.
    Refused(Error),
}

impl From<rusqlite::Error> for BodyFault {
    fn from(error: rusqlite::Error) -> Self {
        Self::Sqlite(error)
    }
}

impl From<BodyFault> for Error {
    /// The error of what writes nothing.
    fn from(fault: BodyFault) -> Self {
        match fault {
            BodyFault::Sqlite(error) => fault::plain(error),
            BodyFault::Refused(error) => error,
        }
    }
}

impl Body {
    /// An empty body.
    pub(super) fn new(output: &Output, max_bytes: usize) -> Self {
        Self { writer: BodyWriter::new(output), max_bytes }
    }

    /// Adds all rows.
    pub(super) fn add_all(&mut self, rows: &mut Rows<'_>) -> Result<(), BodyFault> {
        while let Some(row) = rows.next()? {
            self.add(row)?;
        }
        Ok(())
    }

    /// Adds one row.
    pub(super) fn add(&mut self, row: &Row<'_>) -> Result<(), BodyFault> {
        self.writer.row(row)?;
        self.check_size()
    }

    /// Adds a row that was kept.
    pub(super) fn add_kept(&mut self, values: &[Stored]) -> Result<(), BodyFault> {
        self.writer.kept(values)?;
        self.check_size()
    }

    fn check_size(&self) -> Result<(), BodyFault> {
        let is_within = self.writer.size_bytes() <= self.max_bytes;
        if is_within { Ok(()) } else { Err(BodyFault::Refused(Error::too_large(self.max_bytes))) }
    }

    /// The most bytes that it takes.
    pub(super) fn max_bytes(&self) -> usize {
        self.max_bytes
    }

    /// Rows so far.
    pub(super) fn rows(&self) -> u64 {
        self.writer.rows()
    }

    /// The body.
    pub(super) fn finish(self) -> Bytes {
        self.writer.finish()
    }
}
