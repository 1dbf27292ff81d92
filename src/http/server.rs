//! Binds a socket and serves until told to stop.

use std::convert::Infallible;
use std::future::Future;
use std::io;
use std::net::{SocketAddr, TcpListener, ToSocketAddrs as _};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use actix_http::{HttpService, KeepAlive, Request};
use actix_service::{ServiceFactoryExt as _, fn_service};
use socket2::{Domain, Protocol, Socket, Type};
use thiserror::Error;
use tokio::net::TcpStream;

use super::Answer;
use super::connection::Connection;
use super::service::{Shared, serve};
use crate::config::Config;
use crate::telemetry::{Event, Measure, Telemetry};

/// Time for a client to take its leave.
const DISCONNECT_TIMEOUT: Duration = Duration::from_secs(1);

/// Time for requests in flight when stopping: platforms kill after ten seconds, and the store needs some to close.
const DRAIN_SECONDS: u64 = 8;

/// Connections that the kernel holds until they are accepted.
const BACKLOG: i32 = 1_024;

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
    server: actix_server::Server,
    port: u16,
    telemetry: Telemetry,
    /// What only the moment knows; asked for by whoever pushes, as long as the server lives.
    measure: Arc<Measure>,
}

impl Server {
    /// Listens on the configured address. Must be called within a Tokio runtime.
    ///
    /// # Errors
    /// [`Error::Bind`] when the address is taken, unknown or forbidden.
    pub fn bind<A: Answer>(config: &Config, app: Arc<A>, telemetry: Telemetry) -> Result<Self, Error> {
        let shared = Arc::new(Shared::new(config, app, telemetry.clone()).map_err(Error::Randomness)?);
        let measured = Arc::clone(&shared);
        let measure: Arc<Measure> = Arc::new(move || measured.now());
        telemetry.measure_with(&measure);
        let workers = config.bounds.workers;
        let host = config.http.host.clone();
        let port = config.http.port;
        let mut builder = actix_server::Server::build()
            .workers(workers)
            .worker_max_blocking_threads(config.bounds.pool_size.max(1))
            .max_concurrent_connections((config.bounds.connections / workers.max(1)).max(1))
            .shutdown_timeout(DRAIN_SECONDS)
            .disable_signals();
        let stopping = builder.graceful_shutdown_signal();
        let factory = move || {
            let (shared, stopping) = (Arc::clone(&shared), stopping.clone());
            let occupancy = shared.occupancy.clone();
            let http = HttpService::build()
                // The connection itself knows better how long to wait for its client (`patience`).
                .keep_alive(KeepAlive::Os)
                .client_request_timeout(Duration::ZERO)
                .client_disconnect_timeout(DISCONNECT_TIMEOUT)
                .on_connect_ext(|connection: &Connection<TcpStream>, data| drop(data.insert(connection.client())))
                .graceful_shutdown_signal(move || {
                    let stopping = stopping.clone();
                    async move { stopping.notified().await }
                })
                .h1(fn_service(move |request: Request| {
                    let shared = Arc::clone(&shared);
                    async move { Ok::<_, Infallible>(serve(&shared, request).await) }
                }));
            fn_service(move |socket: TcpStream| {
                let seat = occupancy.take();
                async move {
                    // Answers are written whole: waiting for more to send would only delay them.
                    let _ = socket.set_nodelay(true);
                    let peer = socket.peer_addr().ok();
                    Ok::<_, actix_http::error::DispatchError>((Connection::new(socket, seat), peer))
                }
            })
            .and_then(http)
        };
        let listeners = listen(&host, port).map_err(|source| Error::Bind { host, port, source })?;
        let port = listeners.first().and_then(|listener| listener.local_addr().ok()).map_or(port, |at| at.port());
        for listener in listeners {
            builder = builder.listen("http", listener, factory.clone()).map_err(Error::Run)?;
        }
        Ok(Self { server: builder.run(), port, telemetry, measure })
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
        self.telemetry.observe((self.measure)());
        result.map_err(Error::Run)
    }
}

/// Listens on every address that the host's name stands for; the error is the last one when there is none.
fn listen(host: &str, port: u16) -> io::Result<Vec<TcpListener>> {
    let mut failed = io::Error::from(io::ErrorKind::AddrNotAvailable);
    let mut listeners = Vec::new();
    for address in (host, port).to_socket_addrs()? {
        match listen_on(address) {
            Ok(listener) => listeners.push(listener),
            Err(error) => failed = error,
        }
    }
    if listeners.is_empty() { Err(failed) } else { Ok(listeners) }
}

fn listen_on(address: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    // The port of an instance that just ended is free at once.
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}
