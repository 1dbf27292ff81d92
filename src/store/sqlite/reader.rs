//! Reads: rows and their number, of one moment.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{CachedStatement, Connection, params_from_iter};

use super::outcome::{Body, BodyFault, check, with_schema};
use super::{authorizer, fault, interrupt, session};
use crate::catalog::Catalog;
use crate::clock::Deadline;
use crate::plan::authorize::Session;
use crate::plan::{Expectation, Reach};
use crate::sql::{Output, Query, Statement, Work};
use crate::store::{Error, Outcome};

/// A read, as a statement has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Read<'a> {
    /// The rows.
    pub(super) query: &'a Query,
    /// Their number without limit.
    pub(super) count: Option<&'a Query>,
    /// How they become a body.
    pub(super) output: &'a Output,
    /// Who it is for.
    pub(super) session: &'a Arc<Session>,
    /// What may be touched.
    pub(super) reach: &'a Reach,
    /// What it was planned against.
    pub(super) catalog: &'a Arc<Catalog>,
    /// What must hold of their number.
    pub(super) expect: Expectation,
    /// The schema it was planned for.
    pub(super) catalog_version: i64,
}

impl<'a> Read<'a> {
    /// The read of a statement.
    ///
    /// # Errors
    /// [`Error::Internal`] when it is none.
    pub(super) fn of(statement: &'a Statement, catalog: &'a Arc<Catalog>) -> Result<Self, Error> {
        let Work::Rows { query, count, output, .. } = &statement.work else {
            return Err(Error::Internal("only reads are for readers".to_owned()));
        };
        let (expect, catalog_version) = (statement.expect, statement.catalog_version);
        let (session, reach) = (&statement.session, &statement.reach);
        Ok(Self { query, count: count.as_ref(), output, session, reach, catalog, expect, catalog_version })
    }

    /// Runs it, on a connection that is used by nobody else.
    ///
    /// # Errors
    /// [`Error::Timeout`] at the deadline, [`Error::SchemaChanged`], what SQLite says, a body beyond `body_max_bytes`
    /// (54000), or the expectation that does not hold.
    pub(super) fn run(
        &self,
        connection: &Connection,
        deadline: Deadline,
        body_max_bytes: usize,
    ) -> Result<Outcome, Error> {
        if deadline.is_past() {
            return Err(Error::Timeout);
        }
        with_schema(connection, self.catalog_version, || self.run_within(connection, deadline, body_max_bytes))
    }

    /// Runs it in a transaction whose schema is known to be the one it was planned for.
    ///
    /// # Errors
    /// As [`run`](Self::run), without [`Error::SchemaChanged`].
    pub(super) fn run_within(
        &self,
        connection: &Connection,
        deadline: Deadline,
        body_max_bytes: usize,
    ) -> Result<Outcome, Error> {
        let _limit = interrupt::Limit::until(deadline);
        let _session = session::Guard::of(self.session);
        let (page, body) = self.rows(connection, body_max_bytes)?;
        check(self.expect, page)?;
        let total = self.count.map(|count| self.total(connection, count)).transpose().map_err(fault::plain)?;
        Ok(Outcome { total, page, body, ..Outcome::default() })
    }

    /// Runs its query alone, in the transaction that is open: the rows and their number.
    ///
    /// # Errors
    /// What SQLite says, or a body beyond `body_max_bytes` (54000).
    pub(super) fn rows(&self, connection: &Connection, body_max_bytes: usize) -> Result<(u64, Bytes), Error> {
        let mut statement = self.prepare(connection, &self.query.text).map_err(fault::plain)?;
        let mut rows = statement.query(params_from_iter(&self.query.values)).map_err(fault::plain)?;
        let mut body = Body::new(self.output, body_max_bytes);
        match body.add_all(&mut rows) {
            Ok(()) => Ok((body.rows(), body.finish())),
            Err(BodyFault::Sqlite(error)) => Err(fault::plain(error)),
            Err(BodyFault::TooLarge(error)) => Err(error),
        }
    }

    fn total(&self, connection: &Connection, count: &Query) -> rusqlite::Result<u64> {
        let mut statement = self.prepare(connection, &count.text)?;
        let total: i64 = statement.query_row(params_from_iter(&count.values), |row| row.get(0))?;
        Ok(u64::try_from(total).unwrap_or_default())
    }

    fn prepare<'connection>(
        &self,
        connection: &'connection Connection,
        text: &str,
    ) -> rusqlite::Result<CachedStatement<'connection>> {
        authorizer::prepare(connection, text, self.reach, self.catalog)
    }
}
