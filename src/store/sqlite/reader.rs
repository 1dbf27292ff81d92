//! Reads: rows and their number, of one moment.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{CachedStatement, Connection, Rows, params_from_iter};

use super::outcome::{Body, BodyFault, check, with_schema};
use super::{authorizer, bind, fault, interrupt, session};
use crate::catalog::Catalog;
use crate::clock::Deadline;
use crate::plan::authorize::Session;
use crate::plan::keyset::cursor;
use crate::plan::{Expectation, Reach};
use crate::request::seek::Side;
use crate::sql::{Output, Page, Query, Statement, Work};
use crate::store::{Edges, Error, Outcome};

/// A read, as a statement has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Read<'a> {
    /// The rows.
    pub(super) query: &'a Query,
    /// Their number without limit.
    pub(super) count: Option<&'a Query>,
    /// How they become a body.
    pub(super) output: &'a Output,
    /// The page that they are.
    pub(super) page: Option<&'a Page>,
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
        let Work::Rows { query, count, output, page, .. } = &statement.work else {
            return Err(Error::Internal("only reads are for readers".to_owned()));
        };
        let (expect, catalog_version) = (statement.expect, statement.catalog_version);
        let (session, reach) = (&statement.session, &statement.reach);
        let page = page.as_deref();
        Ok(Self { query, count: count.as_ref(), output, page, session, reach, catalog, expect, catalog_version })
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
        let (page, body, edges) = self.rows(connection, body_max_bytes)?;
        check(self.expect, page)?;
        let total = self.count.map(|count| self.total(connection, count)).transpose().map_err(fault::plain)?;
        let edges = edges.map(Box::new);
        Ok(Outcome { total, page, body, edges, ..Outcome::default() })
    }

    /// Runs its query alone, in the transaction that is open: the rows, their number, and what they say of a page.
    ///
    /// # Errors
    /// What SQLite says, or a body beyond `body_max_bytes` (54000).
    pub(super) fn rows(
        &self,
        connection: &Connection,
        body_max_bytes: usize,
    ) -> Result<(u64, Bytes, Option<Edges>), Error> {
        let mut statement = self.prepare(connection, &self.query.text).map_err(fault::plain)?;
        let mut rows = statement.query(params_from_iter(&self.query.values)).map_err(fault::plain)?;
        let mut body = Body::new(self.output, body_max_bytes);
        let added = match self.page {
            None => body.add_all(&mut rows).map(|()| None),
            Some(page) => add_page(&mut body, &mut rows, page, self.output.columns.len()).map(Some),
        };
        match added {
            Ok(edges) => Ok((body.rows(), body.finish(), edges)),
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

/// Adds the rows of a page by keys, which come behind `columns` of each row.
fn add_page(body: &mut Body, rows: &mut Rows<'_>, page: &Page, columns: usize) -> Result<Edges, BodyFault> {
    let mut edges = Edges::default();
    let mut seen = 0;
    while let Some(row) = rows.next()? {
        if page.side == Side::Before && seen == 0 && !edges.more {
            let found: i64 = row.get(columns + page.keys.len())?;
            edges.more = page.size.is_some_and(|size| u64::try_from(found).unwrap_or_default() > size);
            if edges.more {
                continue;
            }
        }
        if page.side == Side::After && page.size == Some(seen) {
            edges.more = true;
            break;
        }
        let keys = page.keys.iter().enumerate().map(|(index, type_name)| {
            let value = row.get_ref(columns + index)?;
            Ok(cursor::of_stored(&bind::value(value), bind::print(value, &type_name.kind), type_name))
        });
        let keys = keys.collect::<rusqlite::Result<Vec<_>>>()?;
        edges.first.get_or_insert_with(|| keys.clone());
        edges.last = Some(keys);
        body.add(row)?;
        seen += 1;
    }
    Ok(edges)
}
