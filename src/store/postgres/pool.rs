//! Connections: a bounded pool that gives none back whose transaction is not over.

use std::fmt;
use std::time::Duration;

use deadpool_postgres::{ClientWrapper, Manager, ManagerConfig, Object, PoolError, RecyclingMethod, Runtime, Timeouts};
use tokio_postgres::Statement;

use super::dsn::Target;
use super::tls::Connector;
use super::{Failed, PostgresSettings, Prepare, fault};
use crate::clock::Stopwatch;
use crate::store::Error;
use crate::telemetry::{Event, Telemetry};

/// Most statements kept prepared on one connection: each holds memory on the server.
const MAX_PREPARED: usize = 256;

/// How long a server may take to accept a connection.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// The pool.
pub(super) struct Pool {
    pool: deadpool_postgres::Pool,
    tls: Connector,
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pool").field(&self.pool.status()).finish()
    }
}

impl Pool {
    pub(super) fn new(target: &Target, tls: &Connector, settings: &PostgresSettings) -> Result<Self, Error> {
        let manager = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        let manager = Manager::from_config(target.config.clone(), tls.clone(), manager);
        let timeouts = Timeouts {
            wait: Some(settings.pool_timeout),
            create: Some(CONNECT_TIMEOUT),
            recycle: Some(CONNECT_TIMEOUT),
        };
        let builder = deadpool_postgres::Pool::builder(manager)
            .max_size(settings.pool_size.max(1))
            .timeouts(timeouts)
            .runtime(Runtime::Tokio1);
        let pool = builder.build().map_err(|error| Error::Internal(error.to_string()))?;
        Ok(Self { pool, tls: tls.clone() })
    }

    /// A connection, for one request.
    pub(super) async fn lease(&self, telemetry: &Telemetry) -> Result<Lease, Error> {
        let stopwatch = Stopwatch::start();
        let object = self.pool.get().await.map_err(|error| match error {
            PoolError::Timeout(deadpool_postgres::TimeoutType::Wait) => Error::PoolTimeout,
            PoolError::Backend(error) => fault::of(&error),
            PoolError::Timeout(_) => Error::Unreachable("the server did not accept a connection in time".to_owned()),
            PoolError::Closed | PoolError::NoRuntimeSpecified | PoolError::PostCreateHook(_) => {
                Error::Unreachable(error.to_string())
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

    /// Asks the server to end what the connection is doing.
    pub(super) async fn cancel(&self, lease: &Lease) {
        if let Some(object) = &lease.object {
            // The connection is thrown away in any case: a cancellation that does not arrive costs time, not truth.
            let _ = object.cancel_token().cancel_query(self.tls.clone()).await;
        }
    }

    pub(super) fn close(&self) {
        self.pool.close();
    }
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

/// A connection on loan. Unless it is said to be clean, it is closed instead of given back.
pub(super) struct Lease {
    /// `None` only once it was detached.
    object: Option<Object>,
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

    /// Statements begin to run: when the lease is dropped before [`has_run`](Self::has_run), nobody waits for them any
    /// more, and the server is asked to end them.
    pub(super) fn is_running(&mut self) {
        self.state = State::Running;
    }

    /// Nothing runs any more.
    pub(super) fn has_run(&mut self) {
        if self.state == State::Running {
            self.state = State::Unsure;
        }
    }

    /// Its transaction is over: it may serve others.
    pub(super) fn is_clean(&mut self) {
        self.state = State::Clean;
    }

    /// Takes it out of the pool for good.
    pub(super) fn detach(mut self) -> Result<ClientWrapper, Error> {
        let object = self.object.take().ok_or_else(|| Error::Internal("the connection was taken".to_owned()))?;
        Ok(Object::take(object))
    }

    /// The statement of a text, prepared once for this connection.
    pub(super) async fn prepare(&self, text: &str, prepare: Prepare) -> Result<Statement, Failed> {
        prepare_on(self.client()?, text, prepare).await.map_err(|error| fault::failed(&error))
    }

    /// Forgets what was prepared: the schema is another now.
    pub(super) fn forget_prepared(&self) {
        if let Some(client) = self.object.as_deref() {
            client.statement_cache.clear();
        }
    }
}

/// The statement of a text, with the driver's own error.
pub(super) async fn prepare_on(
    client: &ClientWrapper,
    text: &str,
    prepare: Prepare,
) -> Result<Statement, tokio_postgres::Error> {
    match prepare {
        Prepare::Never => client.prepare(text).await,
        Prepare::Once => {
            if client.statement_cache.size() >= MAX_PREPARED {
                client.statement_cache.clear();
            }
            client.prepare_cached(text).await
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
