//! What the driver reports, as a store's error.

use std::error::Error as _;

use tokio_postgres::error::SqlState;

use super::{Cause, Failed};
use crate::store::Error;

/// The server's own words where it spoke; otherwise the connection is to blame, and the text is for the log only.
pub(super) fn of(error: &tokio_postgres::Error) -> Error {
    match error.as_db_error() {
        Some(told) => Error::Database {
            code: told.code().code().to_owned(),
            message: told.message().to_owned(),
            details: told.detail().map(str::to_owned),
            hint: told.hint().map(str::to_owned),
        },
        None => Error::Unreachable(chain(error)),
    }
}

/// The error with what it says about repeating the statement.
pub(super) fn failed(error: &tokio_postgres::Error) -> Failed {
    let cause = match error.code() {
        None => Cause::ConnectionLost,
        Some(code) if is_stale_plan(error, code) => Cause::StalePlan,
        Some(code) if is_goodbye(code) => Cause::ConnectionLost,
        Some(_) => Cause::Final,
    };
    Failed { error: of(error), cause }
}

/// A statement prepared before the schema changed, or on another server behind a pooler.
fn is_stale_plan(error: &tokio_postgres::Error, code: &SqlState) -> bool {
    let says = |text: &str| error.as_db_error().is_some_and(|told| told.message().contains(text));
    *code == SqlState::INVALID_SQL_STATEMENT_NAME
        || (*code == SqlState::FEATURE_NOT_SUPPORTED && says("cached plan must not change result type"))
}

/// The server ends the connection: it restarts, or hands over to a standby.
fn is_goodbye(code: &SqlState) -> bool {
    [SqlState::ADMIN_SHUTDOWN, SqlState::CRASH_SHUTDOWN, SqlState::CANNOT_CONNECT_NOW].contains(code)
}

fn chain(error: &tokio_postgres::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
