//! The socket side: actix requests to `request::Raw`, `Reply` to actix responses.
//!
//! [`server`] binds and runs; `service` is the way of one request: own routes, preflights, the body, a place in the
//! queue, the pipeline, the answer. It knows no table and no store. actix's types end here.
//!
//! Malformed heads never get there: actix refuses them by itself (400 for bad syntax and for addresses beyond 65,534
//! bytes, 431 for heads beyond 128 KiB or 96 headers, 408 for heads that do not come), and `connection` gives these
//! answers their body.

mod client;
mod connection;
pub mod cors;
mod extract;
mod fault;
pub mod limits;
mod occupancy;
pub mod own;
mod patience;
mod reply;
mod request_id;
pub mod server;
mod service;
mod stream;
mod target;

use std::future::Future;
use std::net::IpAddr;

use crate::pipeline::{App, Context};
use crate::request::Raw;
use crate::response::Reply;
use crate::telemetry::LogState;

pub use server::{Error, Server};

/// What answers requests: the pipeline, or something that stands in for it under test.
pub trait Answer: Send + Sync + 'static {
    /// Answers one request; errors are answers too.
    fn answer(&self, raw: Raw, context: &Context) -> impl Future<Output = Reply>;

    /// Says whether a client at an address may send one more request, before its body is read.
    ///
    /// # Errors
    /// What it is answered instead.
    fn admit(&self, client: IpAddr, context: &Context) -> Result<(), Reply>;

    /// Says whether requests can be answered now; else what is missing, for the log.
    fn is_ready(&self) -> impl Future<Output = Result<(), String>>;

    /// How this instance stands to the shared log, where there is one.
    fn log_state(&self) -> Option<LogState>;
}

impl Answer for App {
    async fn answer(&self, raw: Raw, context: &Context) -> Reply {
        Self::answer(self, &raw, context).await
    }

    fn admit(&self, client: IpAddr, context: &Context) -> Result<(), Reply> {
        Self::admit(self, client, context)
    }

    async fn is_ready(&self) -> Result<(), String> {
        Self::is_ready(self).await
    }

    fn log_state(&self) -> Option<LogState> {
        self.store.log_state()
    }
}

#[cfg(test)]
mod tests;
