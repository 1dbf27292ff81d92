//! What is tested from outside: berth as a process, asked over HTTP. One binary, so that it is linked once.
#![allow(unreachable_pub, reason = "the binary is a crate of its own")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::print_stderr,
    clippy::disallowed_methods,
    reason = "a test says what went wrong by panicking, and waits by the clock"
)]

mod access;
mod backup;
mod bad_input;
mod batch;
mod clients;
mod conditional;
mod conformance;
mod console;
mod copy;
mod costs;
mod differential;
mod distinct;
mod documents;
mod dry_run;
mod durability;
mod embed;
mod failover;
mod foreign_keys;
mod freeze;
mod full_text;
mod idempotency;
mod import;
mod jwks;
mod keyset;
mod media;
mod migrations;
mod ndjson;
mod overload;
mod policies;
mod rate_limit;
mod representations;
mod rollout;
mod root;
mod rpc;
mod serve;
mod session;
mod shared_log;
mod status;
mod support;
mod sync;
mod telemetry;
mod time_zones;
mod tokens;
mod tools;
