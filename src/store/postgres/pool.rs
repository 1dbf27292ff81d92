//! Connections: a bounded pool that gives none back whose transaction is not over.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use deadpool::Runtime;
use deadpool::managed::{self, Object, PoolError, Timeouts};
use deadpool_postgres::ClientWrapper;
use tokio::sync::Notify;
use tokio_postgres::types::{ToSql, Type};
use tokio_postgres::{Row, RowStream, Statement};

use super::connect::{Connections, Failure};
use super::dsn::Target;
use super::tls::Connector;
use super::{Cause, Failed, PostgresSettings, Prepare, fault};
use crate::clock::{Deadline, Stopwatch, within};
use crate::store::Error;
use crate::telemetry::{Event, Telemetry};

/// Most statements kept prepared on one connection: each holds memory on the server.
const MAX_PREPARED: usize = 256;

/// How long to tell a server that nobody waits for a statement any more.
const CANCEL_WITHIN: Duration = Duration::from_secs(1);

/// The pool.
pub(super) struct Pool {
    pool: managed::Pool<Connections>,
    tls: Connector,
    wait: Duration,
    /// A connection is asked for.
    used: Arc<Notify>,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pool").field(&self.pool.status()).finish()
    }
}

impl Pool {
    pub(super) fn new(target: &Target, tls: &Connector, settings: &PostgresSettings) -> Result<Self, Error> {
        let create = target.connect_within();
        let builder = managed::Pool::<Connections>::builder(Connections::new(target, tls, settings))
            .max_size(settings.pool_size.max(1))
            .timeouts(Timeouts { wait: None, create: Some(create), recycle: Some(create) })
            .runtime(Runtime::Tokio1);
        let pool = builder.build().map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Self { pool, tls: tls.clone(), wait: settings.pool_timeout, used: Arc::new(Notify::new()) })
    }

    /// A connection, for one request, by its deadline.
    pub(super) async fn lease(&self, deadline: Deadline, telemetry: &Telemetry) -> Result<Lease, Failed> {
        let stopwatch = Stopwatch::start();
        self.used.notify_one();
        let by = Deadline::after(self.wait).min(deadline);
        let get = async {
            loop {
                let timeouts = Timeouts { wait: Some(by.remaining()), ..self.pool.timeouts() };
                match self.pool.timeout_get(&timeouts).await {
                    // The pool counts the time in which this process was stopped.
                    Err(PoolError::Timeout(managed::TimeoutType::Wait)) if !by.is_past() => {}
                    got => return got,
                }
            }
        };
        let object = within(deadline, get).await.map_err(|_| Error::PoolTimeout)?.map_err(|error| match error {
            PoolError::Timeout(managed::TimeoutType::Wait) => Error::PoolTimeout.into(),
            PoolError::Backend(failure) => unconnected(&failure),
            PoolError::Timeout(_) => lost("the server did not accept a connection in time"),
            PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
                Error::Unreachable("the pool is closed".to_owned()).into()
            }
        })?;
        let status = self.pool.status();
        telemetry.record(&Event::PoolWait {
            latency: stopwatch.elapsed(),
            in_use: status.size.saturating_sub(status.available),
            open: status.size,
        });
        Ok(Lease { object: Some(object), state: State::Unsure, tls: self.tls.clone() })
    }

    /// Asks the server to end what the connection is doing, while nobody waits for that.
    pub(super) fn cancel(&self, lease: &Lease) {
        let Some(object) = &lease.object else { return };
        let (token, tls) = (object.cancel_token(), self.tls.clone());
        // The connection is thrown away in any case: a cancellation that does not arrive costs time, not truth.
        tokio::spawn(async move { drop(tokio::time::timeout(CANCEL_WITHIN, token.cancel_query(tls)).await) });
    }

    /// Closes the connections that nobody uses: their server has gone, or is no longer the one to ask.
    pub(super) fn forget_idle(&self) {
        self.pool.retain(|_, _| false);
    }

    /// Closes the connections that were not used for so long; says whether any is left.
    pub(super) fn close_unused(&self, since: Duration) -> bool {
        self.pool.retain(|_, metrics| metrics.last_used() < since);
        self.pool.status().size > 0
    }

    /// Tells when a connection is asked for.
    pub(super) fn used(&self) -> Arc<Notify> {
        Arc::clone(&self.used)
    }

    pub(super) fn close(&self) {
        self.pool.close();
    }
}

/// Nothing was sent, so that it may be tried again; but who is not let in is not let in later either.
fn unconnected(failure: &Failure) -> Failed {
    let error = failure.error();
    let is_refused = matches!(&error, Error::Database { code, .. } if code.starts_with("28") || code == "3D000");
    Failed { error, cause: if is_refused { Cause::Final } else { Cause::ConnectionLost } }
}

fn lost(text: &str) -> Failed {
    Failed { error: Error::Unreachable(text.to_owned()), cause: Cause::ConnectionLost }
}

/// Whether a connection may serve another request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Its transaction is over.
    Clean,
    /// It may be in the middle of one.
    Unsure,
    /// It is, and somebody waits for it.
    Running,
}

/// A connection on loan. Unless [`keep`](Lease::keep) is told that it is clean, it is closed instead of given back.
pub(super) struct Lease {
    /// `None` only once it was detached.
    object: Option<Object<Connections>>,
    state: State,
    tls: Connector,
}

impl fmt::Debug for Lease {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Lease").field(&self.state).finish()
    }
}

impl Lease {
    pub(super) fn client(&self) -> Result<&ClientWrapper, Error> {
        self.object.as_deref().ok_or_else(|| Error::Internal("the connection was taken".to_owned()))
    }

    /// Says that statements begin to run: when the lease is dropped before [`end_run`](Self::end_run), nobody waits for
    /// them any more, and the server is asked to end them.
    pub(super) fn begin_run(&mut self) {
        self.state = State::Running;
    }

    /// Says that nothing runs any more.
    pub(super) fn end_run(&mut self) {
        if self.state == State::Running {
            self.state = State::Unsure;
        }
    }

    /// Says that its transaction is over: it may serve others.
    pub(super) fn keep(&mut self) {
        self.state = State::Clean;
    }

    /// Takes it out of the pool for good.
    pub(super) fn detach(mut self) -> Result<ClientWrapper, Error> {
        let object = self.object.take().ok_or_else(|| Error::Internal("the connection was taken".to_owned()))?;
        Ok(Object::take(object))
    }

    /// Makes a text ready to be run: prepared once for this connection, or not at all.
    pub(super) async fn ready<'a>(&self, text: &'a str, prepare: Prepare) -> Result<Ready<'a>, Failed> {
        Ready::on(self.client()?, text, prepare).await.map_err(|error| fault::failed(&error))
    }

    /// Forgets what was prepared: the schema is another now.
    pub(super) fn forget_prepared(&self) {
        if let Some(client) = self.object.as_deref() {
            client.statement_cache.clear();
        }
    }
}

/// A text that is ready to be run.
pub(super) enum Ready<'a> {
    /// The server knows it by a name.
    Prepared(Statement),
    /// It is sent with its values, in one message: a pooler may give each transaction another server, which knows no
    /// name that the last one was told.
    Text(&'a str),
}

/// A value and its type, for texts that the server is not asked about before.
pub(super) type Typed<'a> = (&'a (dyn ToSql + Sync), Type);

impl<'a> Ready<'a> {
    /// Prepares the text, if that is wanted.
    pub(super) async fn on(
        client: &ClientWrapper,
        text: &'a str,
        prepare: Prepare,
    ) -> Result<Self, tokio_postgres::Error> {
        match prepare {
            Prepare::Never => Ok(Self::Text(text)),
            Prepare::Once => {
                if client.statement_cache.size() >= MAX_PREPARED {
                    client.statement_cache.clear();
                }
                client.prepare_cached(text).await.map(Self::Prepared)
            }
        }
    }

    /// Runs it.
    pub(super) async fn query(
        &self,
        client: &tokio_postgres::Client,
        values: &[Typed<'_>],
    ) -> Result<Vec<Row>, tokio_postgres::Error> {
        match self {
            Self::Prepared(statement) => {
                let values: Vec<&(dyn ToSql + Sync)> = values.iter().map(|(value, _)| *value).collect();
                client.query(statement, &values).await
            }
            Self::Text(text) => client.query_typed(text, values).await,
        }
    }
}

impl Ready<'_> {
    /// Runs it, and gives its rows as the server sends them.
    pub(super) async fn stream(
        &self,
        client: &tokio_postgres::Client,
        values: &[Typed<'_>],
    ) -> Result<RowStream, tokio_postgres::Error> {
        match self {
            Self::Prepared(statement) => client.query_raw(statement, values.iter().map(|(value, _)| *value)).await,
            Self::Text(text) => {
                client.query_typed_raw(text, values.iter().map(|(value, of)| (*value, of.clone()))).await
            }
        }
    }
}

impl Drop for Lease {
    fn drop(&mut self) {
        if self.state == State::Clean {
            return;
        }
        let Some(object) = self.object.take() else { return };
        let client = Object::take(object);
        if self.state == State::Running {
            let (cancel, tls) = (client.cancel_token(), self.tls.clone());
            // As with `cancel`, one that does not arrive costs the server some time.
            tokio::spawn(async move { drop(cancel.cancel_query(tls).await) });
        }
    }
}
