//! SQLite's errors as Postgres' codes and texts.
//!
//! | SQLite | becomes |
//! |---|---|
//! | constraint failed | 23502, 23503, 23505, 23514 with Postgres' text; see `constraint` and `foreign_key` |
//! | `RAISE(…, 'text')` | P0001 `text` |
//! | any text `NNNNN: message` of a function or trigger | that code and message, and the details after a U+001F |
//! | `bad JSON path: 'NNNNN: message'` | the same: what a definition says that calls SQLite's own functions only |
//! | interrupted | [`Error::Timeout`]: only a deadline interrupts |
//! | busy, locked | [`Error::Locked`]: another process writes, try again |
//! | full, since `AUTOINCREMENT` has given its last number | 2200H |
//! | volume full, I/O, corrupt, too big, read-only | 53100, 58030, XX001, 54000, 25006 |
//! | no such table, column, function | 42P01, 42703, 42883 |
//! | what no statement should bring about | [`Error::Internal`], for the log only |
//!
//! Source: <https://www.sqlite.org/rescode.html>,
//! <https://www.postgresql.org/docs/current/errcodes-appendix.html>.

mod constraint;
pub(super) mod foreign_key;
#[cfg(test)]
mod tests;

use rusqlite::{Connection, ErrorCode, ffi};

use super::write::Place;
use crate::catalog::{Catalog, Table};
use crate::plan::authorize::Roles;
use crate::sql::Run;
use crate::store::Error;

/// What SQLite says when any foreign key is violated.
const FOREIGN_KEY_FAILED: &str = "FOREIGN KEY constraint failed";

/// What parts the details from the message in the text of a function's error.
pub(super) const DETAILS: char = '\u{1f}';

/// Letters and digits of a SQLSTATE.
const SQLSTATE_LENGTH: usize = 5;

/// Whom an error is told, and so which values may be in it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sight<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) viewer: Viewer<'a>,
}

/// Who an error is told to.
#[derive(Debug, Clone, Copy)]
pub(super) enum Viewer<'a> {
    /// Someone who may see everything.
    Anyone,
    /// A role, which sees what it is granted.
    Role(&'a str),
    /// Someone of whom nothing is known.
    Nobody,
}

impl Sight<'_> {
    /// True when the values of these columns may be told.
    fn sees(self, table: &Table, columns: &[String]) -> bool {
        match self.viewer {
            Viewer::Anyone => true,
            Viewer::Role(role) => {
                Roles::of_existing(role, self.catalog).is_ok_and(|roles| roles.may_see(&table.name, columns))
            }
            Viewer::Nobody => false,
        }
    }
}

/// The error of a statement that writes nothing, or whose place does not matter.
#[expect(clippy::wildcard_enum_match_arm, reason = "the enums of other crates grow")]
pub(super) fn plain(error: rusqlite::Error) -> Error {
    let (code, extended, message) = match &error {
        rusqlite::Error::SqliteFailure(cause, message) => {
            (cause.code, cause.extended_code, message.clone().unwrap_or_else(|| cause.to_string()))
        }
        rusqlite::Error::SqlInputError { error: cause, msg, .. } => (cause.code, cause.extended_code, msg.clone()),
        other => return Error::Internal(other.to_string()),
    };
    if let Some((code, message)) = split_sqlstate(told_in_path(&message)) {
        return match message.split_once(DETAILS) {
            Some((message, details)) => detailed(code, message.to_owned(), Some(details.to_owned())),
            None => database(code, message),
        };
    }
    let said = |code: &str| database(code, &message);
    match code {
        ErrorCode::OperationInterrupted => Error::Timeout,
        ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked => Error::Locked,
        ErrorCode::DiskFull => database("53100", "could not extend the database file: no space left on the volume"),
        ErrorCode::OutOfMemory => database("53200", "out of memory"),
        ErrorCode::SystemIoFailure => database("58030", "could not read or write the database file"),
        ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase => database("XX001", "the database file is damaged"),
        ErrorCode::TooBig => said("54000"),
        ErrorCode::ReadOnly => database("25006", "cannot write: the database is read-only"),
        ErrorCode::TypeMismatch => said("42804"),
        ErrorCode::CannotOpen => Error::Unreachable(message),
        ErrorCode::ConstraintViolation => constraint_code(extended, &message),
        // Planning or rendering is wrong: see `authorizer`.
        ErrorCode::AuthorizationForStatementDenied => Error::Internal(format!("not in the plan: {message}")),
        ErrorCode::Unknown => of_text(&message),
        _ => Error::Internal(message),
    }
}

/// The error of a write, with what Postgres would tell of the constraint and of the row.
///
/// `connection`: asked for the names of constraints; nothing is written.
pub(super) fn explain(
    connection: &Connection,
    sight: Sight<'_>,
    runs: &[Run],
    place: Place,
    error: rusqlite::Error,
) -> Error {
    let context = constraint::Context { connection, sight, run: runs.get(place.run), row: place.row };
    let message = message_of(&error).unwrap_or_default();
    let explained = match error.sqlite_extended_error_code() {
        Some(ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID) => {
            context.unique(message)
        }
        Some(ffi::SQLITE_CONSTRAINT_NOTNULL) => context.not_null(message),
        Some(ffi::SQLITE_CONSTRAINT_CHECK) if split_sqlstate(message).is_none() => context.check(message),
        Some(ffi::SQLITE_FULL) => runs.get(place.run).and_then(|run| counted_out(connection, &run.table)),
        Some(_) | None => None,
    };
    explained.unwrap_or_else(|| plain(error))
}

/// The same code says that the volume is full, and that a table has given its last number: what it counts on from is what
/// was inserted with the largest one.
fn counted_out(connection: &Connection, table: &str) -> Option<Error> {
    let last = connection.query_row("SELECT seq FROM sqlite_sequence WHERE name = ?1", [table], |row| row.get(0));
    let is_last = last.is_ok_and(|number: i64| number == i64::MAX);
    let message = || format!("nextval: reached maximum value of the numbers of \"{table}\" ({})", i64::MAX);
    is_last.then(|| database("2200H", &message()))
}

/// Whether a foreign key is violated. `RESTRICT` is made of a trigger, and SQLite says so in the code.
pub(super) fn is_foreign_key(error: &rusqlite::Error) -> bool {
    match error.sqlite_extended_error_code() {
        Some(ffi::SQLITE_CONSTRAINT_FOREIGNKEY) => true,
        Some(ffi::SQLITE_CONSTRAINT_TRIGGER) => message_of(error) == Some(FOREIGN_KEY_FAILED),
        Some(_) | None => false,
    }
}

#[expect(clippy::wildcard_enum_match_arm, reason = "the enums of other crates grow")]
fn message_of(error: &rusqlite::Error) -> Option<&str> {
    match error {
        rusqlite::Error::SqliteFailure(_, message) => message.as_deref(),
        rusqlite::Error::SqlInputError { msg, .. } => Some(msg),
        _ => None,
    }
}

/// A violated constraint about which no more can be told.
fn constraint_code(extended: i32, message: &str) -> Error {
    match extended {
        ffi::SQLITE_CONSTRAINT_TRIGGER if message == FOREIGN_KEY_FAILED => database("23503", message),
        ffi::SQLITE_CONSTRAINT_TRIGGER => database("P0001", message),
        ffi::SQLITE_CONSTRAINT_FOREIGNKEY => database("23503", message),
        ffi::SQLITE_CONSTRAINT_NOTNULL => database("23502", message),
        ffi::SQLITE_CONSTRAINT_UNIQUE | ffi::SQLITE_CONSTRAINT_PRIMARYKEY | ffi::SQLITE_CONSTRAINT_ROWID => {
            database("23505", message)
        }
        ffi::SQLITE_CONSTRAINT_CHECK => database("23514", message),
        ffi::SQLITE_CONSTRAINT_DATATYPE => database("42804", message),
        _ => database("23000", message),
    }
}

/// What SQLite has no code for.
fn of_text(message: &str) -> Error {
    let named = |prefix: &str| message.strip_prefix(prefix);
    if let Some(table) = named("no such table: ") {
        return database("42P01", &format!("relation \"{}\" does not exist", table.trim_start_matches("main.")));
    }
    if let Some(column) = named("no such column: ") {
        return database("42703", &format!("column {column} does not exist"));
    }
    if let Some(function) = named("no such function: ") {
        return database("42883", &format!("function {function} does not exist"));
    }
    match message {
        "integer overflow" => database("22003", "bigint out of range"),
        "malformed JSON" => database("22P02", "invalid input syntax for type json"),
        other if other.ends_with("RETURNING is not available on virtual tables") => database("0A000", other),
        other => Error::Internal(other.to_owned()),
    }
}

/// The text that stands where SQLite expected a path in JSON; any other message as it is.
fn told_in_path(message: &str) -> &str {
    message.strip_prefix("bad JSON path: '").and_then(|rest| rest.strip_suffix('\'')).unwrap_or(message)
}

/// `NNNNN: message`, as functions and triggers give their own codes.
fn split_sqlstate(text: &str) -> Option<(&str, &str)> {
    let (code, message) = text.split_once(": ")?;
    let is_code = code.len() == SQLSTATE_LENGTH
        && code.bytes().all(|byte| byte.is_ascii_digit() || byte.is_ascii_uppercase())
        && code.bytes().any(|byte| byte.is_ascii_digit());
    is_code.then_some((code, message))
}

/// An error of code and message alone.
fn database(code: &str, message: &str) -> Error {
    Error::Database { code: code.to_owned(), message: message.to_owned(), details: None, hint: None }
}

/// An error with details.
fn detailed(code: &str, message: String, details: Option<String>) -> Error {
    Error::Database { code: code.to_owned(), message, details, hint: None }
}
