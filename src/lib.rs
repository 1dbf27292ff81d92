//! berth: SQL tables as a REST API in the `PostgREST` dialect, over SQLite on a volume or Postgres behind a DSN.
//!
//! One request is seven values, each made from the one before:
//!
//! ```text
//! request::Raw → request::Request → plan::Plan → plan::Authorized → sql::Statement → store::Outcome → response::Reply
//! ```
//!
//! Start reading at [`pipeline`]: it is the page on which these stages are called one after the other.
//! [`request`] knows no schema, [`plan`] knows no SQL and decides all that can fail, [`sql`] cannot fail,
//! [`store`] knows no HTTP, [`response`] knows no sockets. `tests/architecture.rs` holds the arrows between modules.

pub mod auth;
pub mod catalog;
pub mod clock;
pub mod command;
pub mod config;
pub mod error;
pub mod http;
pub mod migrate;
pub mod outbound;
pub mod pipeline;
pub mod plan;
pub mod request;
pub mod response;
pub mod search;
pub mod sql;
pub mod store;
pub mod telemetry;
pub mod transfer;
pub mod volume;
