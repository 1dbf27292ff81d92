//! What the driver reports, as a store's error.

use std::error::Error as _;

use tokio_postgres::error::{Severity, SqlState};

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
        Some(_) if is_last_word(error) => Cause::ConnectionLost,
        Some(code) if is_race(code) => Cause::Raced,
        Some(code) if *code == SqlState::READ_ONLY_SQL_TRANSACTION => Cause::ReadOnlyServer,
        Some(_) => Cause::Final,
    };
    Failed { error: of(error), cause }
}

/// What became of a write whose `COMMIT` failed: known only where the server says that it undid it.
pub(super) fn of_commit(error: &tokio_postgres::Error) -> Failed {
    let is_undone = error.as_db_error().is_some_and(|told| told.code().code() != "40003") && !is_last_word(error);
    if is_undone { failed(error) } else { Failed { error: Error::OutcomeUnknown, cause: Cause::ConnectionLost } }
}

/// A statement prepared before the schema changed, or on another server behind a pooler.
fn is_stale_plan(error: &tokio_postgres::Error, code: &SqlState) -> bool {
    let says = |text: &str| error.as_db_error().is_some_and(|told| told.message().contains(text));
    *code == SqlState::INVALID_SQL_STATEMENT_NAME
        || (*code == SqlState::FEATURE_NOT_SUPPORTED && says("cached plan must not change result type"))
}

/// The server, or a pooler before it, ends the connection: it restarts, crashed, or hands over to a standby.
fn is_last_word(error: &tokio_postgres::Error) -> bool {
    let Some(told) = error.as_db_error() else { return true };
    let is_severe = matches!(told.parsed_severity(), Some(Severity::Fatal | Severity::Panic));
    is_severe || told.code().code().starts_with("08")
}

/// Two transactions were in each other's way, and this one was undone.
fn is_race(code: &SqlState) -> bool {
    [SqlState::T_R_SERIALIZATION_FAILURE, SqlState::T_R_DEADLOCK_DETECTED].contains(code)
}

fn chain(error: &tokio_postgres::Error) -> String {
    match error.source() {
        Some(source) => format!("{error}: {source}"),
        None => error.to_string(),
    }
}
