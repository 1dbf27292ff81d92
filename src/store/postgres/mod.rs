//! Postgres behind a DSN: a pool of connections, one transaction for each request.
//!
//! The server types the values, checks roles, grants and policies, and writes the JSON; berth sends one round trip for
//! a read: `BEGIN`, the session's settings, the statement and `COMMIT` are pipelined (`transaction`, `exchange`).
//!
//! Start at [`Postgres::execute`].

mod connect;
mod dsn;
mod exchange;
mod fault;
mod introspect;
mod keep;
mod listen;
mod once;
mod pool;
mod repeat;
mod session;
mod settings;
mod stream;
mod tls;
mod transaction;
mod value;

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::stream::Places;
use super::{Error, Outcome, Transaction};
use crate::catalog::Catalog;
use crate::clock::{Deadline, Late, Stopwatch, within};
use crate::sql::Statement;
use crate::telemetry::{Event, Operation, Telemetry};
use keep::Listening;
pub use once::TABLE as KEPT_TABLE;
use pool::{Lease, Pool};
use repeat::{Cause, Failed, Patience, Repeats};
pub use settings::{Function, PostgresSettings, Prepare};

/// How long reading the schema may take.
const RELOAD_WITHIN: Duration = Duration::from_secs(30);

/// How long a schema is taken for the current one where nobody tells when it changes: a request for what is not in it
/// has it read anew, at most that often.
const TRUSTED_FOR: Duration = Duration::from_secs(5);

/// What is known of the way to the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The server is on this host.
    pub is_local: bool,
    /// Its certificate is checked, where TLS is used.
    pub is_verified: bool,
    /// The DSN says that a pooler gives each transaction a connection.
    pub is_pooled: bool,
}

/// A Postgres server, or one that speaks its protocol.
#[derive(Debug)]
pub struct Postgres {
    shared: Arc<Shared>,
    keeper: tokio::task::JoinHandle<()>,
}

/// What requests and the listener share.
#[derive(Debug)]
struct Shared {
    pool: Pool,
    /// For reads that are handed on while the server sends them.
    streams: Places,
    settings: PostgresSettings,
    link: Link,
    catalog: ArcSwapOption<Catalog>,
    /// Reloads that were begun.
    begun: AtomicU64,
    /// One reload at a time; which one was the last to succeed.
    reloading: tokio::sync::Mutex<u64>,
    /// When the schema was read last.
    read_at: Mutex<Option<Stopwatch>>,
    /// Only a server that takes writes is to be used.
    wants_primary: bool,
    /// Somebody is told when the schema changes.
    is_listening: AtomicBool,
    telemetry: Telemetry,
}

impl Postgres {
    /// Prepares the pool. Nothing is connected yet, so that this works while the server is down.
    ///
    /// # Errors
    /// [`Error::Internal`] when the DSN cannot be read or names what berth does not know; the text has no secret.
    pub fn open(settings: &PostgresSettings, telemetry: Telemetry) -> Result<Self, Error> {
        let target = dsn::Target::parse(settings).map_err(|fault| Error::Internal(format!("DATABASE_URL: {fault}")))?;
        let tls = tls::connector(&target).map_err(|fault| Error::Internal(format!("DATABASE_URL: {fault}")))?;
        let mut settings = settings.clone();
        if target.is_pooled {
            // Neither outlives a transaction there.
            settings.prepared = Prepare::Never;
            settings.channel = None;
        }
        let listening = settings.channel.clone();
        let shared = Arc::new(Shared {
            pool: Pool::new(&target, &tls, &settings)?,
            streams: Places::of(settings.pool_size),
            settings,
            link: target.link(),
            catalog: ArcSwapOption::empty(),
            begun: AtomicU64::new(0),
            reloading: tokio::sync::Mutex::new(0),
            read_at: Mutex::new(None),
            wants_primary: target.wants_primary(),
            is_listening: AtomicBool::new(false),
            telemetry,
        });
        let listening = listening.map(|channel| Listening { config: target.config.clone(), tls, channel });
        let keeper = tokio::spawn(keep::keep(Arc::downgrade(&shared), shared.pool.used(), listening));
        Ok(Self { shared, keeper })
    }

    /// What the DSN says of the way to the server.
    #[must_use]
    pub fn link(&self) -> Link {
        self.shared.link
    }

    /// The newest snapshot of the schema; `None` until it has been read once.
    #[must_use]
    pub fn catalog(&self) -> Option<Arc<Catalog>> {
        self.shared.catalog.load_full()
    }

    /// Reads the schema anew.
    ///
    /// # Errors
    /// [`Error::Unreachable`], [`Error::PoolTimeout`], or what the server says.
    pub async fn reload(&self) -> Result<(), Error> {
        self.shared.reload().await
    }

    /// Runs a statement in a transaction of its own.
    ///
    /// # Errors
    /// Each of [`Error`] but [`Error::SchemaChanged`] and [`Error::QueueFull`]. [`Error::OutcomeUnknown`] when the
    /// connection broke while a write was being committed.
    pub async fn execute(&self, statement: Statement, deadline: Deadline) -> Result<Outcome, Error> {
        let operation = if statement.session.read_only { Operation::Read } else { Operation::Write };
        let settings = &self.shared.settings;
        let run = async |lease: &mut Lease| transaction::run(lease, &statement, settings, deadline).await;
        self.shared.run(operation, Repeats::of(&statement), deadline, run).await
    }

    /// Runs the statements of a transaction.
    ///
    /// # Errors
    /// As [`execute`](Self::execute), [`Error::SchemaChanged`] never, and [`Error::Stopped`].
    pub async fn transact(&self, transaction: Transaction, deadline: Deadline) -> Result<Outcome, Error> {
        let mut transaction = transaction;
        let operation = if transaction.read_only { Operation::Read } else { Operation::Write };
        let repeats = Repeats { read_only: transaction.read_only, once: transaction.once.is_some() };
        let settings = &self.shared.settings;
        let run = async |lease: &mut Lease| transaction::run_script(lease, &mut transaction, settings, deadline).await;
        self.shared.run(operation, repeats, deadline, run).await
    }

    /// Asks the server for a sign of life.
    ///
    /// # Errors
    /// [`Error::Unreachable`] or [`Error::PoolTimeout`].
    pub async fn ping(&self) -> Result<(), Error> {
        let deadline = Deadline::after(self.shared.settings.pool_timeout);
        let mut patience = Patience::new(deadline);
        loop {
            match self.shared.ping(deadline).await {
                Ok(()) => return Ok(()),
                Err(failed) => self.shared.outlast(failed, &mut patience).await?,
            }
        }
    }

    /// A connection of the pool, for migrations. It is closed afterwards, not given back.
    ///
    /// # Errors
    /// [`Error::Unreachable`] or [`Error::PoolTimeout`].
    pub async fn client(&self) -> Result<deadpool_postgres::ClientWrapper, Error> {
        let deadline = Deadline::after(self.shared.settings.pool_timeout);
        let mut patience = Patience::new(deadline);
        loop {
            match self.shared.lease(deadline).await {
                Ok(lease) => return lease.detach(),
                Err(failed) => self.shared.outlast(failed, &mut patience).await?,
            }
        }
    }

    /// Reads the schema anew where nobody tells when it changes; true when it had.
    pub async fn is_stale(&self) -> bool {
        let Some(before) = self.catalog().filter(|_| self.shared.may_be_stale()) else { return false };
        self.shared.reload().await.is_ok() && self.catalog().is_some_and(|now| now.version != before.version)
    }

    /// Closes all connections.
    pub fn close(&self) {
        self.keeper.abort();
        self.shared.pool.close();
    }
}

impl Drop for Postgres {
    fn drop(&mut self) {
        self.keeper.abort();
    }
}

impl Shared {
    async fn lease(&self, deadline: Deadline) -> Result<Lease, Failed> {
        self.pool.lease(deadline, &self.telemetry).await
    }

    /// Waits before what failed is done again.
    ///
    /// # Errors
    /// The failure, when doing it again would be in vain.
    async fn outlast(&self, failed: Failed, patience: &mut Patience) -> Result<(), Error> {
        if failed.cause != Cause::ConnectionLost || !patience.wait(failed.cause).await {
            return Err(failed.error);
        }
        self.pool.forget_idle();
        Ok(())
    }

    async fn ping(&self, deadline: Deadline) -> Result<(), Failed> {
        let mut lease = self.lease(deadline).await?;
        let ask = lease.client()?.batch_execute("");
        let answered = within(deadline, ask).await;
        answered.map_err(|_| Error::Timeout)?.map_err(|error| fault::failed(&error))?;
        lease.keep();
        Ok(())
    }

    /// Runs a transaction, again where that is safe, and tells how long it took.
    async fn run(
        &self,
        operation: Operation,
        repeats: Repeats,
        deadline: Deadline,
        mut run: impl AsyncFnMut(&mut Lease) -> Result<Outcome, Failed>,
    ) -> Result<Outcome, Error> {
        let mut patience = Patience::new(deadline);
        loop {
            match self.attempt(deadline, &mut run).await {
                Ok(answer) => return Ok(self.tell(operation, answer)),
                Err(failed) => patience.outlast(failed, repeats).await?,
            }
        }
    }

    async fn attempt(
        &self,
        deadline: Deadline,
        run: impl AsyncFnOnce(&mut Lease) -> Result<Outcome, Failed>,
    ) -> Result<(Stopwatch, Outcome), Failed> {
        let mut lease = self.lease(deadline).await?;
        let stopwatch = Stopwatch::start();
        lease.begin_run();
        let answer = within(deadline, run(&mut lease)).await;
        lease.end_run();
        self.in_time(&lease, answer).map(|outcome| (stopwatch, outcome))
    }

    /// Ends what is still running when time is up, and takes note of a server that has gone.
    fn in_time<Answer>(&self, lease: &Lease, answer: Result<Result<Answer, Failed>, Late>) -> Result<Answer, Failed> {
        let mut failed = match answer {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(failed)) => failed,
            Err(_) => {
                self.pool.cancel(lease);
                return Err(Error::Timeout.into());
            }
        };
        if failed.cause == Cause::ReadOnlyServer && self.wants_primary {
            failed.error = Error::Unreachable("the server takes no writes: it is a standby".to_owned());
        }
        if matches!(failed.cause, Cause::ConnectionLost | Cause::ReadOnlyServer) {
            // What happened to this one has happened to those that wait as well.
            self.pool.forget_idle();
        }
        Err(failed)
    }

    /// True when a change of the schema may have gone unnoticed.
    fn may_be_stale(&self) -> bool {
        let read = self.read_at.lock().unwrap_or_else(PoisonError::into_inner);
        let is_old = read.is_none_or(|read| read.elapsed() > TRUSTED_FOR);
        is_old && !self.is_listening.load(Ordering::Acquire)
    }

    /// Tells how long it took.
    fn tell(&self, operation: Operation, (stopwatch, outcome): (Stopwatch, Outcome)) -> Outcome {
        self.telemetry.record(&Event::StatementRun { operation, latency: stopwatch.elapsed() });
        outcome
    }

    async fn reload(&self) -> Result<(), Error> {
        let begun_before = self.begun.load(Ordering::Acquire);
        let mut read = self.reloading.lock().await;
        // Only one that began after this call has seen what its caller knows to be new.
        if *read > begun_before {
            return Ok(());
        }
        let turn = self.begun.fetch_add(1, Ordering::AcqRel) + 1;
        let before = self.catalog.load_full();
        let stopwatch = Stopwatch::start();
        let deadline = Deadline::after(RELOAD_WITHIN);
        let mut patience = Patience::new(deadline);
        let mut catalog = loop {
            match self.introspect(deadline).await {
                Ok(catalog) => break catalog,
                Err(failed) => self.outlast(failed, &mut patience).await?,
            }
        };
        if let Some(before) = before {
            catalog.version = before.version;
            if catalog != *before {
                catalog.version += 1;
            }
        }
        let tables = catalog.tables.len();
        self.catalog.store(Some(Arc::new(catalog)));
        *read = turn;
        *self.read_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(Stopwatch::start());
        self.telemetry.record(&Event::CatalogLoaded { tables, latency: stopwatch.elapsed() });
        Ok(())
    }

    async fn introspect(&self, deadline: Deadline) -> Result<Catalog, Failed> {
        let mut lease = self.lease(deadline).await?;
        let read = introspect::read(lease.client()?, &self.settings);
        let catalog = within(deadline, read).await.map_err(|_| Error::Timeout)?;
        let catalog = catalog.map_err(|error| {
            let cause = if matches!(error, Error::Unreachable(_)) { Cause::ConnectionLost } else { Cause::Final };
            Failed { error, cause }
        })?;
        lease.keep();
        Ok(catalog)
    }
}
