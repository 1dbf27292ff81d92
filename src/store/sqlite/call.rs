//! Calls of functions: the statements of a body, then the read of what the last one gave.
//!
//! A call that writes runs in the savepoint of its request, like any write; one that does not, like any read.

use std::sync::Arc;

use rusqlite::types::{ToSqlOutput, Value as Stored};
use rusqlite::{CachedStatement, Connection, Statement, ToSql};

use super::authorizer;
use super::functions::cell;
use super::outcome::{Body, BodyFault};
use crate::catalog::Catalog;
use crate::plan::{Expectation, Reach, Value};
use crate::sql::{Argument, Invocation, Kept, Query, Run};
use crate::store::expectation::check;
use crate::store::{Error, Outcome};

/// Runs a call.
///
/// # Errors
/// What SQLite says, or the answer to the client when a bound is passed or the expectation does not hold.
pub(super) fn run(
    invocation: &Invocation,
    context: Context<'_>,
    expect: Expectation,
    body_max_bytes: usize,
) -> Result<Outcome, BodyFault> {
    let mut bound = context.arguments(&invocation.arguments)?;
    for step in &invocation.before {
        let mut statement = context.prepare(&step.text)?;
        bind(&mut statement, &bound, own_values(step))?;
        let mut rows = statement.raw_query();
        while rows.next()?.is_some() {}
    }
    if let Some(kept) = &invocation.kept {
        let rows = context.keep(kept, &bound, body_max_bytes)?;
        bound.push(Bound::Kept(rows));
    }
    let Some(read) = &invocation.read else {
        return Ok(Outcome { page: 1, ..Outcome::default() });
    };
    let mut body = Body::new(&invocation.output, body_max_bytes);
    {
        let mut statement = context.prepare(&read.text)?;
        bind(&mut statement, &bound, &read.values)?;
        body.add_all(&mut statement.raw_query())?;
    }
    let is_one = invocation.output.result.is_some_and(crate::plan::call::Outcome::is_one);
    let page = if is_one { 1 } else { body.rows() };
    check(expect, page).map_err(BodyFault::Refused)?;
    let total = invocation.count.as_ref().map(|count| context.total(count, &bound)).transpose()?;
    Ok(Outcome { total, page, body: body.finish(), ..Outcome::default() })
}

/// Where a call is run, and what it may touch there.
#[derive(Clone, Copy)]
pub(super) struct Context<'a> {
    pub(super) connection: &'a Connection,
    pub(super) reach: &'a Reach,
    /// What it was planned against.
    pub(super) catalog: &'a Arc<Catalog>,
}

/// What is run as writes are, for those who explain why one failed.
pub(super) fn runs(invocation: &Invocation) -> Vec<Run> {
    invocation.before.iter().chain(invocation.kept.iter().map(|kept| &kept.run)).cloned().collect()
}

fn own_values(step: &Run) -> &[Value] {
    step.values.first().map(Vec::as_slice).unwrap_or_default()
}

/// A value for one of the first placeholders.
enum Bound<'a> {
    Given(&'a Value),
    Default(Stored),
    /// Rows that were kept.
    Kept(String),
}

impl ToSql for Bound<'_> {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        match self {
            Self::Given(value) => value.to_sql(),
            Self::Default(value) => value.to_sql(),
            Self::Kept(rows) => rows.to_sql(),
        }
    }
}

/// Binds as many of the first values as the statement has placeholders for, and its own behind all of them.
fn bind(statement: &mut Statement<'_>, first: &[Bound<'_>], own: &[Value]) -> rusqlite::Result<()> {
    let most = statement.parameter_count();
    for (place, value) in first.iter().enumerate().take(most) {
        statement.raw_bind_parameter(place + 1, value)?;
    }
    for (place, value) in own.iter().enumerate() {
        statement.raw_bind_parameter(first.len() + place + 1, value)?;
    }
    Ok(())
}

impl<'a> Context<'a> {
    fn prepare(self, text: &str) -> rusqlite::Result<CachedStatement<'a>> {
        authorizer::prepare(self.connection, text, self.reach, self.catalog)
    }

    fn arguments(self, arguments: &[Argument]) -> rusqlite::Result<Vec<Bound<'_>>> {
        let evaluated = arguments.iter().map(|argument| match argument {
            Argument::Value(value) => Ok(Bound::Given(value)),
            Argument::Default(expression) => {
                let mut statement = self.prepare(&format!("SELECT {expression}"))?;
                statement.query_row([], |row| row.get(0)).map(Bound::Default)
            }
        });
        evaluated.collect()
    }

    /// Runs the statement whose rows are wanted, all of it, and gives them as JSON.
    fn keep(self, kept: &Kept, bound: &[Bound<'_>], max_bytes: usize) -> Result<String, BodyFault> {
        let mut statement = self.prepare(&kept.run.text)?;
        bind(&mut statement, bound, own_values(&kept.run))?;
        let columns = statement.column_count();
        let mut rows = statement.raw_query();
        let mut json = Vec::new();
        while let Some(row) = rows.next()? {
            if kept.one && !json.is_empty() {
                continue;
            }
            cell::write_row(&mut json, row, columns)?;
            if json.len() > max_bytes {
                return Err(BodyFault::Refused(Error::too_large(max_bytes)));
            }
        }
        Ok(cell::finish(json))
    }

    fn total(self, count: &Query, bound: &[Bound<'_>]) -> rusqlite::Result<u64> {
        let mut statement = self.prepare(&count.text)?;
        bind(&mut statement, bound, &count.values)?;
        let mut rows = statement.raw_query();
        let total: i64 = rows.next()?.map_or(Ok(0), |row| row.get(0))?;
        Ok(u64::try_from(total).unwrap_or_default())
    }
}
