//! One request's transaction, in as few round trips as it can be.
//!
//! ```text
//! BEGIN [READ ONLY] · settings · [pre-request] · statement [· COMMIT]     sent together, unless it is new
//! COMMIT or ROLLBACK                                                      of a write, once its rows were counted
//! ```
//!
//! Of a transaction of several statements `BEGIN` is sent alone, and each statement with its settings as above.
//!
//! A write with a condition first reads the row that it is about, in a transaction of one snapshot (`REPEATABLE READ`):
//! when another changes the row in between, the server says so (40001), and all of it is done again.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/transactions.html>

use std::sync::Arc;

use super::exchange::{End, Steps, ask_privileges, begin_and_run, plan_count};
use super::once::{self, Claim};
use super::pool::Lease;
use super::{Cause, Failed, PostgresSettings, fault, session};
use crate::catalog::Isolation;
use crate::clock::Deadline;
use crate::plan::authorize::Session;
use crate::request::{MediaType, Once};
use crate::sql::{Planned, Precondition, Query, Statement, Work};
use crate::store::expectation::check;
use crate::store::{Error, Next, Outcome, Transaction, content};

/// Runs a statement and ends its transaction. The lease is clean only when both went well or the server said no.
pub(super) async fn run(
    lease: &mut Lease,
    statement: &Statement,
    settings: &PostgresSettings,
    deadline: Deadline,
) -> Result<Outcome, Failed> {
    let session = &statement.session;
    let (read_only, rollback) = (session.read_only, session.rollback);
    let isolation = of_one_moment(session.isolation, statement.precondition.is_some());
    let nature = Nature { read_only, rollback, isolation };
    let once = statement.once.as_ref().filter(|_| nature.is_kept());
    let begin = match begin(lease, once, nature, settings).await? {
        Begin::Run(text) => text,
        Begin::Replayed(outcome) => return hand_out(lease, outcome, &[statement], settings, deadline).await,
    };
    // Nothing can be undone in a read, so its end need not wait for its rows.
    let at_once = nature.read_only && !nature.rollback && !needs_plan(statement);
    let end = if at_once { End::AtOnce } else { End::Later };
    let answer = async {
        let outcome = run_one(lease, statement, settings, deadline, Steps { begin, end }).await?;
        if let Some(once) = once {
            once::keep(lease, once, &outcome, session.role.as_deref(), settings).await?;
        }
        Ok(outcome)
    };
    let answer = answer.await;
    match &answer {
        Ok(_) if end == End::AtOnce => lease.keep(),
        Ok(_) => finish(lease, nature).await?,
        Err(failed) => undo(lease, failed).await?,
    }
    answer
}

/// Runs the statements that a script asks for, and ends their transaction.
pub(super) async fn run_script(
    lease: &mut Lease,
    transaction: &mut Transaction,
    settings: &PostgresSettings,
    deadline: Deadline,
) -> Result<Outcome, Failed> {
    let isolation = of_one_moment(None, transaction.one_moment);
    let nature = Nature { read_only: transaction.read_only, rollback: transaction.rollback, isolation };
    let once = transaction.once.as_ref().filter(|_| nature.is_kept());
    let begin = match begin(lease, once, nature, settings).await? {
        Begin::Run(text) => text,
        Begin::Replayed(outcome) => {
            return hand_out(lease, outcome, &transaction.script.independent(), settings, deadline).await;
        }
    };
    let script = transaction.script.as_mut();
    let answer = async {
        if let Some(text) = begin {
            lease.client()?.batch_execute(text).await.map_err(|error| fault::failed(&error))?;
        }
        let (mut last, mut before) = (None, None::<Arc<Session>>);
        let outcome = loop {
            match script.next(last.take()) {
                Next::Run(statement) => {
                    let forget = session::forget(before.as_deref());
                    let steps = Steps { begin: Some(&forget), end: End::Later };
                    last = Some(run_one(lease, &statement, settings, deadline, steps).await?);
                    before = Some(statement.session);
                }
                Next::Done(outcome) => break outcome,
                Next::Stop => return Err(Error::Stopped.into()),
            }
        };
        if let Some(once) = once {
            let role = before.as_ref().and_then(|session| session.role.as_deref());
            once::keep(lease, once, &outcome, role, settings).await?;
        }
        Ok(outcome)
    };
    let answer = answer.await;
    match &answer {
        Ok(_) => finish(lease, nature).await?,
        Err(failed) => undo(lease, failed).await?,
    }
    answer
}

/// What is said before rows that are handed on.
#[derive(Debug, Clone, Copy)]
pub(super) struct Head<'a> {
    /// An envelope without rows.
    pub(super) query: &'a Query,
    /// Asks the planner for their number.
    pub(super) planned: Option<&'a Planned>,
}

/// Begins the transaction of rows that are handed on until a moment, and asks for what is said before them.
pub(super) async fn run_head(
    lease: &Lease,
    statement: &Statement,
    head: Head<'_>,
    settings: &PostgresSettings,
    until: Deadline,
) -> Result<Outcome, Failed> {
    let isolation = of_one_moment(statement.session.isolation, true);
    let steps = Steps { begin: Some(session::begin(isolation, true)), end: End::Later };
    let mut outcome = begin_and_run(lease, statement, head.query, settings, until, steps).await?;
    plan_count(lease, head.planned, &mut outcome).await?;
    Ok(outcome)
}

/// The isolation that keeps what is read until the end, where that is needed.
fn of_one_moment(isolation: Option<Isolation>, is_needed: bool) -> Option<Isolation> {
    match isolation {
        Some(Isolation::Serializable) => isolation,
        Some(Isolation::ReadCommitted | Isolation::RepeatableRead) | None if is_needed => {
            Some(Isolation::RepeatableRead)
        }
        Some(Isolation::ReadCommitted | Isolation::RepeatableRead) | None => isolation,
    }
}

/// What kind of transaction it is.
#[derive(Debug, Clone, Copy)]
struct Nature {
    read_only: bool,
    rollback: bool,
    isolation: Option<Isolation>,
}

impl Nature {
    /// True when something may be left of it.
    fn is_kept(self) -> bool {
        !self.read_only && !self.rollback
    }

    /// How it begins.
    fn begin(self) -> &'static str {
        session::begin(self.isolation, self.read_only)
    }
}

/// How a transaction begins.
enum Begin {
    /// By this text; by none where a claim began it.
    Run(Option<&'static str>),
    /// By the claim, and it shall do nothing: what is to be done was done before.
    Replayed(Box<Outcome>),
}

async fn begin(
    lease: &mut Lease,
    once: Option<&Once>,
    nature: Nature,
    settings: &PostgresSettings,
) -> Result<Begin, Failed> {
    let Some(once) = once else {
        return Ok(Begin::Run(Some(nature.begin())));
    };
    match once::claim(lease, once, nature.begin(), settings).await {
        Ok(Claim::Run) => Ok(Begin::Run(None)),
        Ok(Claim::Replayed(outcome)) => Ok(Begin::Replayed(outcome)),
        Err(failed) => {
            undo(lease, &failed).await?;
            Err(failed)
        }
    }
}

/// Gives what was kept to whoever may still run the statements that brought it, and ends the transaction of the claim.
async fn hand_out(
    lease: &mut Lease,
    kept: Box<Outcome>,
    statements: &[&Statement],
    settings: &PostgresSettings,
    deadline: Deadline,
) -> Result<Outcome, Failed> {
    let allowed = async {
        for statement in statements {
            ask_privileges(lease, statement, settings, deadline).await?;
        }
        Ok(())
    };
    match allowed.await {
        Ok(()) => {
            lease.client()?.batch_execute("ROLLBACK").await.map_err(|error| fault::failed(&error))?;
            lease.keep();
            Ok(*kept)
        }
        Err(failed) => {
            undo(lease, &failed).await?;
            Err(failed)
        }
    }
}

/// Runs a statement in the transaction that is open, or that `begin` opens, and looks at its rows.
async fn run_one(
    lease: &Lease,
    statement: &Statement,
    settings: &PostgresSettings,
    deadline: Deadline,
    steps: Steps<'_>,
) -> Result<Outcome, Failed> {
    let (query, planned) = match &statement.work {
        Work::Envelope { query, planned } => (query, planned.as_ref()),
        Work::Explain { query, .. } => (query, None),
        Work::Lines { .. } | Work::Rows { .. } | Work::Write { .. } | Work::Call(_) | Work::None => {
            return Err(Error::Internal("only envelopes are for Postgres".to_owned()).into());
        }
    };
    let steps = match &statement.precondition {
        Some(precondition) => {
            hold_against(lease, precondition, settings, deadline, steps.begin).await?;
            Steps { begin: None, ..steps }
        }
        None => steps,
    };
    let mut outcome = begin_and_run(lease, statement, query, settings, deadline, steps).await?;
    plan_count(lease, planned, &mut outcome).await?;
    if outcome.body.len() > settings.body_max_bytes {
        return Err(Error::too_large(settings.body_max_bytes).into());
    }
    check(statement.expect, outcome.page)?;
    Ok(outcome)
}

/// Reads what is at a write's address, and checks that it is as the write wants it.
async fn hold_against(
    lease: &Lease,
    precondition: &Precondition,
    settings: &PostgresSettings,
    deadline: Deadline,
    begin: Option<&str>,
) -> Result<(), Failed> {
    let Work::Envelope { query, .. } = &precondition.read.work else {
        return Err(Error::Internal("only envelopes are for Postgres".to_owned()).into());
    };
    let steps = Steps { begin, end: End::Later };
    let there = begin_and_run(lease, &precondition.read, query, settings, deadline, steps).await?;
    let row = (there.page == 1).then(|| content::of_row(&there.body, &MediaType::Json)).flatten();
    let is_allowed = precondition.conditions.allow_write(there.page, row.as_ref());
    if is_allowed { Ok(()) } else { Err(Error::PreconditionFailed.into()) }
}

fn needs_plan(statement: &Statement) -> bool {
    matches!(&statement.work, Work::Envelope { planned: Some(_), .. })
}

/// Ends a transaction that failed.
pub(super) async fn undo(lease: &mut Lease, failed: &Failed) -> Result<(), Failed> {
    if failed.cause == Cause::ConnectionLost {
        return Ok(());
    }
    if failed.cause == Cause::StalePlan {
        lease.forget_prepared();
    }
    let rolled_back = lease.client()?.batch_execute("ROLLBACK").await;
    if rolled_back.is_ok() {
        lease.keep();
    }
    Ok(())
}

/// Ends a transaction that went well.
async fn finish(lease: &mut Lease, nature: Nature) -> Result<(), Failed> {
    let text = if nature.rollback {
        // What would have failed at the commit fails now, so that a trial tells the truth.
        "SET CONSTRAINTS ALL IMMEDIATE; ROLLBACK"
    } else {
        "COMMIT"
    };
    match lease.client()?.batch_execute(text).await {
        Ok(()) => {
            lease.keep();
            Ok(())
        }
        Err(error) if nature.is_kept() => Err(fault::of_commit(&error)),
        Err(error) => Err(fault::failed(&error)),
    }
}
