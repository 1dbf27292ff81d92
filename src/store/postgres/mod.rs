//! Postgres behind a DSN: a pool of connections, one transaction for each request.
//!
//! The server types the values, checks roles, grants and policies, and writes the JSON; berth sends one round trip for
//! a read: `BEGIN`, the session's settings, the statement and `COMMIT` are pipelined (`transaction`).
//!
//! Start at [`Postgres::execute`].

mod dsn;
mod fault;
mod introspect;
mod listen;
mod once;
mod pool;
mod session;
mod tls;
mod transaction;
mod value;

use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwapOption;

use super::{Error, Outcome, Transaction};
use crate::catalog::Catalog;
use crate::clock::{Deadline, Stopwatch};
use crate::sql::{Statement, Work};
use crate::telemetry::{Event, Operation, Telemetry};
pub use once::TABLE as KEPT_TABLE;
use pool::{Lease, Pool};

/// How the server is reached and used.
#[derive(Debug, Clone)]
pub struct PostgresSettings {
    /// URI or key/value form, as libpq reads it. A secret.
    pub dsn: String,
    /// Exposed schemas.
    pub schemas: Vec<String>,
    /// Schemas behind the request's own in the search path.
    pub extra_search_path: Vec<String>,
    /// Most connections.
    pub pool_size: usize,
    /// How long a request waits for one.
    pub pool_timeout: Duration,
    /// How long a statement may run.
    pub statement_timeout: Duration,
    /// Whether statements are prepared on the server; poolers in transaction mode want them not to be.
    pub prepared: Prepare,
    /// The channel on which a changed schema is announced; `None`: nobody listens.
    pub channel: Option<String>,
    /// A function that is called before each request's statement.
    pub pre_request: Option<Function>,
    /// Settings of a function that hold for the whole transaction of its call, by name.
    pub hoisted_settings: Vec<String>,
    /// `app.settings.*` with their values, for SQL to read. Some may be secrets.
    pub app_settings: Vec<(String, String)>,
    /// What `pg_stat_activity` shows.
    pub application_name: String,
}

/// A function that the configuration names; without a schema it is looked up in the request's search path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Function {
    /// The schema, if it is said.
    pub schema: Option<String>,
    /// The name.
    pub name: String,
}

impl Function {
    /// Reads `schema.name` or `name`.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let (schema, name) = match text.split_once('.') {
            Some((schema, name)) => (Some(schema.to_owned()), name),
            None => (None, text),
        };
        Self { schema, name: name.to_owned() }
    }
}

/// Whether statements are prepared on the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Prepare {
    /// Once for each connection and text.
    Once,
    /// Never: parsed each time.
    Never,
}

/// A Postgres server, or one that speaks its protocol.
#[derive(Debug)]
pub struct Postgres {
    shared: Arc<Shared>,
    listener: Option<tokio::task::JoinHandle<()>>,
}

/// What requests and the listener share.
#[derive(Debug)]
struct Shared {
    pool: Pool,
    settings: PostgresSettings,
    catalog: ArcSwapOption<Catalog>,
    /// One reload at a time.
    reloading: tokio::sync::Mutex<()>,
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
        let shared = Arc::new(Shared {
            pool: Pool::new(&target, &tls, settings)?,
            settings: settings.clone(),
            catalog: ArcSwapOption::empty(),
            reloading: tokio::sync::Mutex::new(()),
            telemetry,
        });
        let listener = settings
            .channel
            .clone()
            .map(|channel| tokio::spawn(listen::listen(Arc::downgrade(&shared), target.config.clone(), tls, channel)));
        Ok(Self { shared, listener })
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
        let Work::Envelope { .. } = &statement.work else {
            return Err(Error::Internal("only envelopes are for Postgres".to_owned()));
        };
        let repeats = Repeats { read_only: statement.session.read_only, once: statement.once.is_some() };
        let mut answer = self.shared.attempt(&statement, deadline).await;
        if let Err(failed) = &answer
            && failed.may_be_repeated(repeats)
        {
            let again = self.shared.attempt(&statement, deadline).await;
            // That it cannot be found out now does not make it known.
            if again.is_ok() || !matches!(failed.error, Error::OutcomeUnknown) {
                answer = again;
            }
        }
        self.shared.tell(operation, answer)
    }

    /// Runs the statements of a transaction.
    ///
    /// # Errors
    /// As [`execute`](Self::execute), [`Error::SchemaChanged`] never, and [`Error::Stopped`].
    pub async fn transact(&self, transaction: Transaction, deadline: Deadline) -> Result<Outcome, Error> {
        let mut transaction = transaction;
        let operation = if transaction.read_only { Operation::Read } else { Operation::Write };
        let repeats = Repeats { read_only: transaction.read_only, once: transaction.once.is_some() };
        let mut answer = self.shared.attempt_script(&mut transaction, deadline).await;
        if let Err(failed) = &answer
            && failed.may_be_repeated(repeats)
        {
            let again = self.shared.attempt_script(&mut transaction, deadline).await;
            if again.is_ok() || !matches!(failed.error, Error::OutcomeUnknown) {
                answer = again;
            }
        }
        self.shared.tell(operation, answer)
    }

    /// Asks the server for a sign of life.
    ///
    /// # Errors
    /// [`Error::Unreachable`] or [`Error::PoolTimeout`].
    pub async fn ping(&self) -> Result<(), Error> {
        let mut lease = self.shared.pool.lease(&self.shared.telemetry).await?;
        lease.client()?.batch_execute("").await.map_err(|error| fault::of(&error))?;
        lease.is_clean();
        Ok(())
    }

    /// A connection of the pool, for migrations. It is closed afterwards, not given back.
    ///
    /// # Errors
    /// [`Error::Unreachable`] or [`Error::PoolTimeout`].
    pub async fn client(&self) -> Result<deadpool_postgres::ClientWrapper, Error> {
        self.shared.pool.lease(&self.shared.telemetry).await?.detach()
    }

    /// Closes all connections.
    pub async fn close(&self) {
        if let Some(listener) = &self.listener {
            listener.abort();
        }
        self.shared.pool.close();
    }
}

/// An attempt that failed, and whether its statement may have reached the server.
struct Failed {
    error: Error,
    cause: Cause,
}

/// Why an attempt failed, as far as repeating it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cause {
    /// The server answered, or time ran out.
    Final,
    /// The connection broke. A read may be repeated.
    ConnectionLost,
    /// A prepared statement no longer fits the schema; nothing was done.
    StalePlan,
}

/// What says whether something may be sent again whose connection broke.
#[derive(Debug, Clone, Copy)]
struct Repeats {
    /// Nothing is changed by it.
    read_only: bool,
    /// It is applied once, however often it comes.
    once: bool,
}

impl Failed {
    fn may_be_repeated(&self, repeats: Repeats) -> bool {
        match self.cause {
            Cause::Final => false,
            // Whether the write was done is found out by doing it once.
            Cause::ConnectionLost => repeats.read_only || repeats.once,
            Cause::StalePlan => true,
        }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, cause: Cause::Final }
    }
}

impl Shared {
    async fn attempt(&self, statement: &Statement, deadline: Deadline) -> Result<(Stopwatch, Outcome), Failed> {
        let mut lease = self.pool.lease(&self.telemetry).await?;
        let stopwatch = Stopwatch::start();
        lease.is_running();
        let run = transaction::run(&mut lease, statement, &self.settings, deadline);
        let answer = tokio::time::timeout_at(deadline.instant().into(), run).await;
        lease.has_run();
        self.in_time(&lease, answer).await.map(|outcome| (stopwatch, outcome))
    }

    async fn attempt_script(
        &self,
        transaction: &mut Transaction,
        deadline: Deadline,
    ) -> Result<(Stopwatch, Outcome), Failed> {
        let mut lease = self.pool.lease(&self.telemetry).await?;
        let stopwatch = Stopwatch::start();
        lease.is_running();
        let run = transaction::run_script(&mut lease, transaction, &self.settings, deadline);
        let answer = tokio::time::timeout_at(deadline.instant().into(), run).await;
        lease.has_run();
        self.in_time(&lease, answer).await.map(|outcome| (stopwatch, outcome))
    }

    /// Ends what is still running when time is up.
    async fn in_time<Answer>(
        &self,
        lease: &Lease,
        answer: Result<Result<Answer, Failed>, tokio::time::error::Elapsed>,
    ) -> Result<Answer, Failed> {
        match answer {
            Ok(answer) => answer,
            Err(_) => {
                self.pool.cancel(lease).await;
                Err(Error::Timeout.into())
            }
        }
    }

    /// Tells how long it took.
    fn tell(&self, operation: Operation, answer: Result<(Stopwatch, Outcome), Failed>) -> Result<Outcome, Error> {
        let (stopwatch, outcome) = answer.map_err(|failed| failed.error)?;
        self.telemetry.record(&Event::StatementRun { operation, latency: stopwatch.elapsed() });
        Ok(outcome)
    }

    async fn reload(&self) -> Result<(), Error> {
        let before = self.catalog.load_full();
        let _turn = self.reloading.lock().await;
        let now = self.catalog.load_full();
        let read_meanwhile = match (&before, &now) {
            (Some(before), Some(now)) => !Arc::ptr_eq(before, now),
            (None, now) => now.is_some(),
            (Some(_), None) => false,
        };
        if read_meanwhile {
            return Ok(());
        }
        let stopwatch = Stopwatch::start();
        let mut lease: Lease = self.pool.lease(&self.telemetry).await?;
        let mut catalog = introspect::read(lease.client()?, &self.settings).await?;
        lease.is_clean();
        if let Some(before) = before {
            catalog.version = before.version;
            if catalog != *before {
                catalog.version += 1;
            }
        }
        let tables = catalog.tables.len();
        self.catalog.store(Some(Arc::new(catalog)));
        self.telemetry.record(&Event::CatalogLoaded { tables, latency: stopwatch.elapsed() });
        Ok(())
    }
}
