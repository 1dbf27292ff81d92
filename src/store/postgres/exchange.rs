//! One statement's messages, sent together, and what the server answers.
//!
//! Messages are queued in the order in which the futures are polled first, and the server works them off in that order.
//! After the first that fails, it refuses all others (25P02), so the first error is the one to tell.
//!
//! A statement that is new to the connection is prepared behind the settings, and sent when that is answered: the role
//! of the connection itself need not be able to see any table, and names are looked up in the request's search path.

use futures_util::future::join_all;
use futures_util::join;
use serde_json::Value as Json;
use tokio_postgres::types::{FromSql, ToSql, Type};
use tokio_postgres::{Row, RowStream};

use super::pool::{Lease, Ready, Typed};
use super::value::{Raw, Text};
use super::{Failed, PostgresSettings, fault, session};
use crate::clock::Deadline;
use crate::plan::Value;
use crate::sql::{Planned, Query, Statement, Work};
use crate::store::{Error, Outcome};

/// When a transaction ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum End {
    /// Sent together with the statement.
    AtOnce,
    /// Once the rows have been looked at.
    Later,
}

/// What is sent around a statement.
#[derive(Debug, Clone, Copy)]
pub(super) struct Steps<'a> {
    /// `None` where there is nothing to begin.
    pub(super) begin: Option<&'a str>,
    /// When the transaction ends.
    pub(super) end: End,
}

/// Sends a statement with its settings and what is sent around it, and reads what it gave.
///
/// # Errors
/// The first message that the server refused, or that got no answer.
pub(super) async fn begin_and_run(
    lease: &Lease,
    statement: &Statement,
    query: &Query,
    settings: &PostgresSettings,
    deadline: Deadline,
    steps: Steps<'_>,
) -> Result<Outcome, Failed> {
    let pre_request = settings.pre_request.as_ref().map(session::call);
    let Query { text, values } = session::settings(&statement.session, settings, deadline);
    let set = lease.ready(&text, settings.prepared).await?;
    let client = lease.client()?;

    let begun: Vec<_> = steps.begin.iter().map(|text| client.batch_execute(text)).collect();
    let set = query_with(client, &set, &values);
    let called: Vec<_> = pre_request.iter().map(|text| client.batch_execute(text)).collect();
    let ended = async {
        match steps.end {
            End::AtOnce => client.batch_execute("COMMIT").await,
            End::Later => Ok(()),
        }
    };
    let rows = async {
        let main = lease.ready(&query.text, settings.prepared).await?;
        let (rows, ended) = join!(query_with(client, &main, &query.values), ended);
        let rows = rows.map_err(|error| fault::failed(&error))?;
        ended.map_err(|error| fault::failed(&error))?;
        Ok::<_, Failed>(rows)
    };
    let (begun, set, called, rows) = join!(join_all(begun), set, join_all(called), rows);
    let first_fault =
        begun.into_iter().find_map(Result::err).or(set.err()).or(called.into_iter().find_map(Result::err));
    if let Some(error) = first_fault {
        return Err(fault::failed(&error));
    }
    let rows = rows?;
    let outcome = if matches!(statement.work, Work::Explain { .. }) {
        lines(&rows)
    } else {
        outcome(rows.first().ok_or_else(|| Error::Internal("the statement gave no row".to_owned()))?)
    };
    outcome.map_err(|error| Error::Internal(error.to_string()).into())
}

/// Asks whether the sender may run a statement, without running it: to explain it, the server prepares its execution, and
/// looks at privileges on tables, columns and functions as it does.
///
/// # Errors
/// What the server says against it.
pub(super) async fn ask_privileges(
    lease: &Lease,
    statement: &Statement,
    settings: &PostgresSettings,
    deadline: Deadline,
) -> Result<(), Failed> {
    let Work::Envelope { query, .. } = &statement.work else { return Ok(()) };
    let client = lease.client()?;
    let pre_request = settings.pre_request.as_ref().map(session::call);
    let set = session::settings(&statement.session, settings, deadline);
    let explain = format!("EXPLAIN {}", query.text);
    let (setting, explaining) = (Ready::Text(&set.text), Ready::Text(&explain));
    let set = query_with(client, &setting, &set.values);
    let called: Vec<_> = pre_request.iter().map(|text| client.batch_execute(text)).collect();
    let explained = query_with(client, &explaining, &query.values);
    let (set, called, explained) = join!(set, join_all(called), explained);
    let first_fault = set.err().or(called.into_iter().find_map(Result::err)).or(explained.err());
    first_fault.map_or(Ok(()), |error| Err(fault::failed(&error)))
}

/// Runs a query, and gives its rows as the server sends them.
pub(super) async fn rows_with(
    client: &tokio_postgres::Client,
    ready: &Ready<'_>,
    values: &[Value],
) -> Result<RowStream, tokio_postgres::Error> {
    let texts: Vec<Text<'_>> = values.iter().map(Text).collect();
    ready.stream(client, &typed(&texts)).await
}

async fn query_with(
    client: &tokio_postgres::Client,
    ready: &Ready<'_>,
    values: &[Value],
) -> Result<Vec<Row>, tokio_postgres::Error> {
    let texts: Vec<Text<'_>> = values.iter().map(Text).collect();
    ready.query(client, &typed(&texts)).await
}

/// The server infers the type of each from the statement.
fn typed<'a>(texts: &'a [Text<'_>]) -> Vec<Typed<'a>> {
    texts.iter().map(|text| (text as &(dyn ToSql + Sync), Type::UNKNOWN)).collect()
}

fn outcome(row: &Row) -> Result<Outcome, tokio_postgres::Error> {
    let count = |number: Option<i64>| number.and_then(|number| u64::try_from(number).ok());
    let edges: Option<String> = optional(row, "edges")?;
    Ok(Outcome {
        total: count(row.try_get("total")?),
        page: count(row.try_get("page")?).unwrap_or_default(),
        location: optional(row, "location")?,
        body: row.try_get::<_, Option<Raw>>("body")?.unwrap_or_default().0,
        // The statement wrote them.
        edges: edges.and_then(|text| serde_json::from_str(&text).ok()).map(Box::new),
        inserted: count(optional(row, "inserted")?),
        response_headers: row.try_get("response_headers")?,
        response_status: row.try_get("response_status")?,
        ..Outcome::default()
    })
}

/// What a column has that only some statements have.
fn optional<'a, T: FromSql<'a>>(row: &'a Row, name: &str) -> Result<Option<T>, tokio_postgres::Error> {
    let place = row.columns().iter().position(|column| column.name() == name);
    place.map_or(Ok(None), |place| row.try_get(place))
}

/// A plan: its lines.
fn lines(rows: &[Row]) -> Result<Outcome, tokio_postgres::Error> {
    let mut body = Vec::new();
    for (number, row) in rows.iter().enumerate() {
        if number > 0 {
            body.push(b'\n');
        }
        body.extend_from_slice(&row.try_get::<_, Raw>(0)?.0);
    }
    Ok(Outcome { body: body.into(), ..Outcome::default() })
}

/// Asks the planner for the number of rows when they were not counted.
pub(super) async fn plan_count(lease: &Lease, planned: Option<&Planned>, outcome: &mut Outcome) -> Result<(), Failed> {
    let is_asked = |planned: &&Planned| outcome.total.is_none_or(|total| planned.above.is_none_or(|most| total > most));
    let Some(Planned { query, .. }) = planned.filter(is_asked) else { return Ok(()) };
    let client = lease.client()?;
    let rows =
        query_with(client, &Ready::Text(&query.text), &query.values).await.map_err(|error| fault::failed(&error))?;
    let plan: Option<Json> = rows.first().and_then(|row| row.try_get::<_, Json>(0).ok());
    let guess = plan.as_ref().and_then(|plan| plan.pointer("/0/Plan/Plan Rows")).and_then(Json::as_u64);
    outcome.total = guess.map(|guess| guess.max(outcome.page)).max(outcome.total);
    Ok(())
}
