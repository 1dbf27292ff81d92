//! Binds a socket and serves until told to stop.

use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use actix_web::dev::{ServiceRequest, ServiceResponse, fn_service};
use actix_web::{App, HttpServer};
use thiserror::Error;

use super::Answer;
use super::service::{Shared, serve};
use crate::config::Config;
use crate::telemetry::{Event, Telemetry};

/// How long an idle connection is kept: longer than the minute that most load balancers keep theirs, so that it is
/// they who close.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Time for a request's head to arrive.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// Time for a client to take its leave.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Time for requests in flight when stopping: platforms kill after ten seconds, and the store needs some to close.
const DRAIN_SECONDS: u64 = 8;

/// Connections that the kernel holds until they are accepted.
const BACKLOG: u32 = 1_024;

/// Why there is no server.
#[derive(Debug, Error)]
pub enum Error {
    /// The address cannot be listened on.
    #[error("cannot listen on {host} port {port}")]
    Bind {
        /// As configured.
        host: String,
        /// As configured.
        port: u16,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
    /// The operating system has no randomness to give.
    #[error("no randomness: {0}")]
    Randomness(getrandom::Error),
    /// The server broke while it ran.
    #[error("the server broke")]
    Run(#[source] io::Error),
}

/// A server that listens, and serves once it is run.
pub struct Server {
    server: actix_web::dev::Server,
    port: u16,
    telemetry: Telemetry,
}

impl Server {
    /// Listens on the configured address. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// [`Error::Bind`] when the address is taken, unknown or forbidden.
    pub fn bind<A: Answer>(config: &Config, app: Arc<A>, telemetry: Telemetry) -> Result<Self, Error> {
        let shared = Arc::new(Shared::new(config, app, telemetry.clone()).map_err(Error::Randomness)?);
        let factory = move || {
            let shared = Arc::clone(&shared);
            App::new().default_service(fn_service(move |request: ServiceRequest| {
                let shared = Arc::clone(&shared);
                async move {
                    let (request, payload) = request.into_parts();
                    let response = serve(&shared, &request, payload).await;
                    Ok::<_, actix_web::Error>(ServiceResponse::new(request, response))
                }
            }))
        };
        let workers = config.bounds.workers;
        let host = config.http.host.clone();
        let port = config.http.port;
        let server = HttpServer::new(factory)
            .workers(workers)
            .worker_max_blocking_threads(config.bounds.pool_size.max(1))
            .max_connections((config.bounds.connections / workers.max(1)).max(1))
            .backlog(BACKLOG)
            .keep_alive(KEEP_ALIVE)
            .client_request_timeout(HEAD_TIMEOUT)
            .client_disconnect_timeout(DISCONNECT_TIMEOUT)
            .tcp_nodelay(true)
            .shutdown_timeout(DRAIN_SECONDS)
            .disable_signals()
            .bind((host.as_str(), port))
            .map_err(|source| Error::Bind { host, port, source })?;
        let port = server.addrs().first().map_or(port, std::net::SocketAddr::port);
        Ok(Self { server: server.run(), port, telemetry })
    }

    /// The port it listens on, also when any free one was asked for.
    #[must_use]
    pub fn port(&self) -> u16 {
        self.port
    }

    /// Serves until `shutdown` is done, then lets requests in flight finish for up to eight seconds.
    ///
    /// # Errors
    /// [`Error::Run`] when the sockets break.
    pub async fn run(self, shutdown: impl Future<Output = ()>) -> Result<(), Error> {
        let handle = self.server.handle();
        let mut server = pin!(self.server);
        tokio::select! {
            result = &mut server => return result.map_err(Error::Run),
            () = shutdown => self.telemetry.record(&Event::Stopping),
        }
        let (result, ()) = tokio::join!(server, handle.stop(true));
        result.map_err(Error::Run)
    }
}
