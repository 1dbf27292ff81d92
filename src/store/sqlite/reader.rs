//! Reads: rows and their number, what a function gives, or how a statement would be run, of one moment.

use std::sync::Arc;

use bytes::Bytes;
use rusqlite::{CachedStatement, Connection, Rows, params_from_iter};

use super::outcome::{Body, BodyFault, with_schema};
use super::{authorizer, bind, call, explain, fault, interrupt, session};
use crate::catalog::Catalog;
use crate::clock::Deadline;
use crate::plan::authorize::Session;
use crate::plan::keyset::cursor;
use crate::plan::{Expectation, Reach};
use crate::request::seek::Side;
use crate::request::tag::Content;
use crate::sql::{Invocation, Output, Page, Query, Statement, Telling, Work};
use crate::store::expectation::check;
use crate::store::{Edges, Error, Outcome, content};

/// A read, as a statement has it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Read<'a> {
    what: What<'a>,
    /// Who it is for.
    session: &'a Arc<Session>,
    /// What may be touched.
    reach: &'a Reach,
    /// What it was planned against.
    catalog: &'a Arc<Catalog>,
    /// What must hold of their number.
    expect: Expectation,
    /// The schema it was planned for.
    catalog_version: i64,
}

/// What is read.
#[derive(Debug, Clone, Copy)]
enum What<'a> {
    /// Rows.
    Rows(Wanted<'a>),
    /// What a function gives that changes nothing.
    Call(&'a Invocation),
    /// The plan of a statement, which is not run.
    Plan(&'a Query, Telling),
}

/// Rows to be read.
#[derive(Debug, Clone, Copy)]
pub(super) struct Wanted<'a> {
    pub(super) query: &'a Query,
    /// Their number without limit.
    count: Option<&'a Query>,
    /// How they become a body.
    pub(super) output: &'a Output,
    /// The page that they are.
    page: Option<&'a Page>,
}

impl<'a> Read<'a> {
    /// The read of a statement.
    ///
    /// # Errors
    /// [`Error::Internal`] when it is none.
    pub(super) fn of(statement: &'a Statement, catalog: &'a Arc<Catalog>) -> Result<Self, Error> {
        let what = match &statement.work {
            Work::Rows { query, count, output, page, .. } => {
                What::Rows(Wanted { query, count: count.as_ref(), output, page: page.as_deref() })
            }
            Work::Call(invocation) if !invocation.writes => What::Call(invocation),
            Work::Explain { query, telling } => What::Plan(query, *telling),
            Work::Call(_) | Work::Write { .. } | Work::Envelope { .. } | Work::Lines { .. } | Work::None => {
                return Err(Error::Internal("only reads are for readers".to_owned()));
            }
        };
        let (expect, catalog_version) = (statement.expect, statement.catalog_version);
        let (session, reach) = (&statement.session, &statement.reach);
        Ok(Self { what, session, reach, catalog, expect, catalog_version })
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
        match self.what {
            What::Rows(wanted) => {
                let (page, body, edges) = self.rows(connection, wanted, body_max_bytes)?;
                check(self.expect, page)?;
                let total = self.total(connection, wanted)?;
                let edges = edges.map(Box::new);
                Ok(Outcome { total, page, body, edges, ..Outcome::default() })
            }
            What::Call(invocation) => {
                let context = call::Context { connection, reach: self.reach, catalog: self.catalog };
                call::run(invocation, context, self.expect, body_max_bytes).map_err(Error::from)
            }
            What::Plan(query, telling) => {
                let mut statement = self.prepare(connection, query)?;
                explain::explain(&mut statement, &query.values, telling).map_err(fault::plain)
            }
        }
    }

    /// Runs its query alone, in the transaction that is open: the number of rows, and the only one of them as
    /// conditions know it.
    ///
    /// # Errors
    /// What SQLite says, a body beyond `body_max_bytes` (54000), or [`Error::Internal`] when it reads no rows of tables.
    pub(super) fn content(
        &self,
        connection: &Connection,
        body_max_bytes: usize,
    ) -> Result<(u64, Option<Content>), Error> {
        let wanted = self.wanted()?;
        let (rows, body, _) = self.rows(connection, wanted, body_max_bytes)?;
        Ok((rows, (rows == 1).then(|| content::of_row(&body, &wanted.output.media)).flatten()))
    }

    /// The number of rows, their body, and what they say of a page.
    fn rows(
        &self,
        connection: &Connection,
        wanted: Wanted<'_>,
        body_max_bytes: usize,
    ) -> Result<(u64, Bytes, Option<Edges>), Error> {
        let mut statement = self.prepare(connection, wanted.query)?;
        let mut rows = statement.query(params_from_iter(&wanted.query.values)).map_err(fault::plain)?;
        let mut body = Body::new(wanted.output, body_max_bytes);
        let edges = match wanted.page {
            None => {
                body.add_all(&mut rows)?;
                None
            }
            Some(page) => Some(add_page(&mut body, &mut rows, page, wanted.output.columns.len())?),
        };
        Ok((body.rows(), body.finish(), edges))
    }

    /// The rows that are read, for whoever does more with them.
    ///
    /// # Errors
    /// [`Error::Internal`] when it reads none of tables.
    pub(super) fn wanted(&self) -> Result<Wanted<'a>, Error> {
        match self.what {
            What::Rows(wanted) => Ok(wanted),
            What::Call(_) | What::Plan(..) => Err(Error::Internal("only rows of tables are read alone".to_owned())),
        }
    }

    /// The number of rows without limit, where it is wanted.
    ///
    /// # Errors
    /// What SQLite says.
    pub(super) fn total(&self, connection: &Connection, wanted: Wanted<'_>) -> Result<Option<u64>, Error> {
        let Some(count) = wanted.count else { return Ok(None) };
        let mut statement = self.prepare(connection, count)?;
        let total: rusqlite::Result<i64> = statement.query_row(params_from_iter(&count.values), |row| row.get(0));
        Ok(Some(u64::try_from(total.map_err(fault::plain)?).unwrap_or_default()))
    }

    /// Makes a query ready to be run.
    ///
    /// # Errors
    /// What SQLite says.
    pub(super) fn prepare<'connection>(
        &self,
        connection: &'connection Connection,
        query: &Query,
    ) -> Result<CachedStatement<'connection>, Error> {
        authorizer::prepare(connection, &query.text, self.reach, self.catalog).map_err(fault::plain)
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
