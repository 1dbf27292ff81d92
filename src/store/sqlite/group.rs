//! Runs a group of writes in one transaction; the table in `writer` says what becomes of failures.

use std::sync::Arc;

use arc_swap::ArcSwap;
use rusqlite::{Connection, ErrorCode, TransactionBehavior};

use super::fault::{Sight, Viewer};
use super::gathering::Gathering;
use super::journal::{self, Ending, Journal};
use super::outcome::schema_version;
use super::reader::Read;
use super::write::{Failure, UpdateCounter, Write};
use super::writer::{Job, Order};
use super::{call, fault, interrupt, once, script, session};
use crate::catalog::Catalog;
use crate::clock::Deadline;
use crate::sql::{Invocation, Precondition, Run, Statement, Work};
use crate::store::{Error, Outcome, Transaction};

/// The writer's connection and what its statements need.
#[derive(Debug)]
pub(super) struct Group {
    connection: Connection,
    journal: Journal,
    catalog: Arc<ArcSwap<Catalog>>,
    updates: UpdateCounter,
    body_max_bytes: usize,
}

/// How a transaction ended.
#[derive(Debug)]
enum End {
    /// It is durable; one answer for each request, and where it stands in the shared log.
    Committed(Vec<Result<Outcome, Error>>, Option<u64>),
    /// Another instance committed first: the group is to run again on what that one left.
    Raced,
    /// Nothing was done, for a reason that no single request gave.
    Failed(Error),
    /// The request at this place made SQLite give up the transaction.
    Lost(usize, Error),
    /// A foreign key that is checked at the end does not hold; what is said when there was but one request.
    Violated(Error),
    /// The log takes no transaction of that size; what is said when there was but one request.
    TooLarge(Error),
}

/// The schema that a transaction sees.
#[derive(Debug)]
struct Moment<'a> {
    catalog: &'a Arc<Catalog>,
    version: i64,
}

/// How one request ended inside the transaction.
#[derive(Debug)]
enum Step {
    /// It is kept, or rolled back to its savepoint.
    Answered(Result<Outcome, Error>),
    /// SQLite gave up the transaction.
    Lost(Error),
}

/// What a request changes.
enum Change<'a> {
    /// Rows of a table.
    Rows(Write<'a>),
    /// What a function does, and its statements for whoever explains a failure.
    Call(&'a Invocation, Vec<Run>),
}

impl Change<'_> {
    fn runs(&self) -> &[Run] {
        match self {
            Self::Rows(write) => write.runs,
            Self::Call(_, runs) => runs,
        }
    }
}

impl Group {
    /// Takes over the writer's connection.
    pub(super) fn new(
        connection: Connection,
        journal: Journal,
        catalog: Arc<ArcSwap<Catalog>>,
        body_max_bytes: usize,
    ) -> Result<Self, Error> {
        let updates = UpdateCounter::register(&connection).map_err(fault::plain)?;
        Ok(Self { connection, journal, catalog, updates, body_max_bytes })
    }

    /// True between transactions.
    pub(super) fn is_idle(&self) -> bool {
        self.connection.is_autocommit()
    }

    /// Brings what is committed into the file and closes it. What another process holds open is left to that one.
    pub(super) fn close(self) {
        // Neither can be helped here, and neither loses anything: the WAL is durable.
        drop(self.connection.query_row("PRAGMA wal_checkpoint(TRUNCATE)", [], |_| Ok(())));
        drop(self.connection.close());
    }

    /// Runs the jobs, and those that `gathering` adds to them, and answers each.
    pub(super) fn commit(&self, jobs: Vec<Job>, gathering: &mut Gathering<'_>) {
        self.run_all(jobs, Some(gathering));
    }

    /// What is left of a group grows no more.
    fn run_all(&self, mut jobs: Vec<Job>, mut gathering: Option<&mut Gathering<'_>>) {
        while !jobs.is_empty() {
            match self.attempt(&mut jobs, gathering.as_deref_mut()) {
                End::Committed(answers, position) => {
                    for (job, answer) in jobs.into_iter().zip(answers) {
                        job.answer(answer.map(|outcome| Outcome { position, ..outcome }));
                    }
                    self.journal.tidy_up();
                    return;
                }
                // Requests whose time is over do nothing the next time, so this ends.
                End::Raced => {}
                End::Failed(error) => return jobs.into_iter().for_each(|job| job.answer(Err(error.clone()))),
                // One fewer each time, so this ends.
                End::Lost(index, error) => {
                    jobs.remove(index).answer(Err(error));
                    gathering = None;
                }
                End::Violated(error) | End::TooLarge(error) if jobs.len() == 1 => {
                    return jobs.into_iter().for_each(|job| job.answer(Err(error.clone())));
                }
                End::Violated(_) => return jobs.into_iter().for_each(|job| self.run_all(vec![job], None)),
                End::TooLarge(_) => {
                    let rest = jobs.split_off(jobs.len() / 2);
                    self.run_all(jobs, None);
                    jobs = rest;
                    gathering = None;
                }
            }
        }
    }

    /// Brings the database up to what other instances have committed.
    pub(super) fn catch_up(&self) -> Result<(), Error> {
        self.journal.begin()
    }

    fn attempt(&self, jobs: &mut Vec<Job>, gathering: Option<&mut Gathering<'_>>) -> End {
        let begun = self.journal.begin().and_then(|()| gathering.map_or(Ok(()), |gathering| gathering.fill(jobs)));
        if let Err(error) = begun {
            return End::Failed(error);
        }
        // Rolls back when dropped before the commit, also while a panic unwinds.
        let transaction = match rusqlite::Transaction::new_unchecked(&self.connection, TransactionBehavior::Immediate) {
            Ok(transaction) => transaction,
            Err(error) => return End::Failed(fault::plain(error)),
        };
        let version = match schema_version(&transaction) {
            Ok(version) => version,
            Err(error) => return End::Failed(fault::plain(error)),
        };
        let catalog = self.catalog.load_full();
        let mut answers = Vec::with_capacity(jobs.len());
        for (index, job) in jobs.iter().enumerate() {
            let step = self.run(&transaction, &Moment { catalog: &catalog, version }, job);
            match step {
                Ok(Step::Answered(answer)) => answers.push(answer),
                Ok(Step::Lost(error)) => return End::Lost(index, error),
                Err(error) => return End::Lost(index, fault::plain(error)),
            }
        }
        match self.journal.commit(&transaction) {
            Ending::Committed(position) => End::Committed(answers, position),
            Ending::Raced => End::Raced,
            Ending::TooLarge => End::TooLarge(journal::too_large()),
            Ending::Failed(error) => End::Failed(error),
            Ending::Sqlite(error) => explain_commit(&transaction, sight(&catalog, jobs.first()), error),
        }
    }

    /// Runs one request in its savepoint.
    fn run(&self, connection: &Connection, moment: &Moment<'_>, job: &Job) -> rusqlite::Result<Step> {
        // Only now: while the group waited for another process' lock, a sender could still give up.
        if !job.claim() || job.deadline.is_past() {
            return Ok(Step::Answered(Err(Error::Timeout)));
        }
        match &job.order {
            Order::Statement(statement) => self.run_statement(connection, moment, statement, job.deadline),
            Order::Transaction(transaction) => {
                self.run_transaction(connection, moment, &mut transaction.borrow_mut(), job.deadline)
            }
        }
    }

    /// Runs all statements of a transaction in one savepoint, around those that each has of its own.
    fn run_transaction(
        &self,
        connection: &Connection,
        moment: &Moment<'_>,
        transaction: &mut Transaction,
        deadline: Deadline,
    ) -> rusqlite::Result<Step> {
        execute(connection, "SAVEPOINT berth")?;
        let script = transaction.script.as_mut();
        let mut run = || {
            script::run(script, |statement| match self.run_statement(connection, moment, statement, deadline) {
                Ok(Step::Answered(answer)) => answer,
                Ok(Step::Lost(error)) => Err(error),
                Err(error) => Err(fault::plain(error)),
            })
        };
        let answer = match &transaction.once {
            Some(key) => once::run(connection, key, || run().map_err(Failure::Refused)),
            None => run().map_err(Failure::Refused),
        };
        let answer = answer.map_err(|failure| match failure {
            Failure::Refused(error) => error,
            Failure::Sqlite(error, _) => fault::plain(error),
        });
        let sight = Sight { catalog: moment.catalog, viewer: Viewer::Nobody };
        end(connection, sight, answer, transaction.rollback, deadline)
    }

    /// Runs one statement in its savepoint.
    fn run_statement(
        &self,
        connection: &Connection,
        moment: &Moment<'_>,
        statement: &Statement,
        deadline: Deadline,
    ) -> rusqlite::Result<Step> {
        if statement.catalog_version != moment.version {
            return Ok(Step::Answered(Err(Error::SchemaChanged)));
        }
        let catalog = moment.catalog;
        let (reach, expect) = (&statement.reach, statement.expect);
        let change = match &statement.work {
            Work::Write { before, runs, output, location, order } => {
                let (output, location) = (output.as_ref(), location.as_ref());
                Change::Rows(Write { before: before.as_ref(), runs, output, location, order, reach, expect })
            }
            Work::Call(invocation) if invocation.writes => Change::Call(invocation, call::runs(invocation)),
            Work::Rows { .. } | Work::Call(_) | Work::Explain { .. } => {
                let read = Read::of(statement, catalog);
                let run = |read: Read<'_>| read.run_within(connection, deadline, self.body_max_bytes);
                return Ok(Step::Answered(read.and_then(run)));
            }
            Work::Envelope { .. } | Work::Lines { .. } | Work::None => {
                return Ok(Step::Answered(Err(Error::Internal("only writes are for the writer".to_owned()))));
            }
        };
        let runs = change.runs();
        let run = || {
            let _limit = interrupt::Limit::until(deadline);
            let apply = || {
                if let Some(precondition) = &statement.precondition {
                    self.hold_against(connection, catalog, precondition)?;
                }
                match &change {
                    Change::Rows(write) => write.run(connection, catalog, &self.updates, self.body_max_bytes),
                    Change::Call(invocation, _) => {
                        let of = call::Context { connection, reach, catalog };
                        call::run(invocation, of, expect, self.body_max_bytes).map_err(Failure::nowhere)
                    }
                }
            };
            match &statement.once {
                Some(key) => once::run(connection, key, apply),
                None => apply(),
            }
        };
        let sight = Sight { catalog, viewer: viewer(statement) };
        // Also while an error is put into words: it shows values as who asks would see them.
        let _session = session::Guard::of(&statement.session);
        execute(connection, "SAVEPOINT berth")?;
        let answer = match run() {
            Ok(outcome) => Ok(outcome),
            Err(Failure::Refused(error)) => Err(error),
            Err(Failure::Sqlite(error, _)) if fault::is_foreign_key(&error) && !connection.is_autocommit() => {
                execute(connection, "ROLLBACK TO berth")?;
                let together = if matches!(change, Change::Rows(_)) { runs } else { &[] };
                fault::foreign_key::of_request(connection, sight, runs, together, deadline, run)?
            }
            Err(Failure::Sqlite(error, place)) => Err(fault::explain(connection, sight, runs, place, error)),
        };
        end(connection, sight, answer, statement.session.rollback, deadline)
    }

    /// Checks what must hold before a write, in its transaction.
    fn hold_against(
        &self,
        connection: &Connection,
        catalog: &Arc<Catalog>,
        precondition: &Precondition,
    ) -> Result<(), Failure> {
        let statement = &precondition.read;
        let read = Read::of(statement, catalog).map_err(Failure::Refused)?;
        let _session = session::Guard::of(&statement.session);
        let (rows, row) = read.content(connection, self.body_max_bytes).map_err(Failure::Refused)?;
        let is_allowed = precondition.conditions.allow_write(rows, row.as_ref());
        if is_allowed { Ok(()) } else { Err(Failure::Refused(Error::PreconditionFailed)) }
    }
}

/// Keeps what was done since the innermost savepoint, or goes back to it.
fn end(
    connection: &Connection,
    sight: Sight<'_>,
    answer: Result<Outcome, Error>,
    rollback: bool,
    deadline: Deadline,
) -> rusqlite::Result<Step> {
    if connection.is_autocommit() {
        let ended = || Error::Internal("the transaction ended inside a request".to_owned());
        return Ok(Step::Lost(answer.err().unwrap_or_else(ended)));
    }
    let answer = match answer {
        Ok(outcome) if rollback => {
            let _limit = interrupt::Limit::until(deadline);
            fault::foreign_key::of_trial(connection, sight)?.map_or(Ok(outcome), Err)
        }
        Err(error) => {
            execute(connection, "ROLLBACK TO berth")?;
            Err(error)
        }
        kept => kept,
    };
    execute(connection, "RELEASE berth")?;
    Ok(Step::Answered(answer))
}

/// Runs one of the few statements that steer the transaction.
pub(super) fn execute(connection: &Connection, sql: &'static str) -> rusqlite::Result<()> {
    connection.prepare_cached(sql)?.execute([]).map(drop)
}

/// Whom the errors of a job are told.
fn sight<'a>(catalog: &'a Catalog, job: Option<&'a Job>) -> Sight<'a> {
    let viewer = match job.map(|job| &job.order) {
        Some(Order::Statement(statement)) => viewer(statement),
        // Its statements may be of several roles.
        Some(Order::Transaction(_)) | None => Viewer::Nobody,
    };
    Sight { catalog, viewer }
}

fn viewer(statement: &Statement) -> Viewer<'_> {
    statement.session.role.as_deref().map_or(Viewer::Anyone, Viewer::Role)
}

/// What a commit that SQLite refused comes to.
fn explain_commit(transaction: &rusqlite::Transaction<'_>, sight: Sight<'_>, error: rusqlite::Error) -> End {
    if fault::is_foreign_key(&error) {
        return End::Violated(fault::foreign_key::of_commit(transaction, sight));
    }
    match error.sqlite_error_code() {
        // The volume may or may not hold the commit's last bytes. Memory is also asked for after they were written: to
        // show them to readers.
        Some(ErrorCode::SystemIoFailure | ErrorCode::OutOfMemory) => End::Failed(Error::OutcomeUnknown),
        Some(_) | None => End::Failed(fault::plain(error)),
    }
}
