//! Transactions of several statements: the script says which, one after the other.

use std::sync::Arc;

use rusqlite::{Connection, TransactionBehavior};

use super::fault;
use super::reader::Read;
use crate::catalog::Catalog;
use crate::clock::Deadline;
use crate::sql::Statement;
use crate::store::{Error, Next, Outcome, Script};

/// Asks a script for its statements and runs each.
///
/// # Errors
/// That of the statement that failed, or [`Error::Stopped`].
pub(super) fn run(
    script: &mut dyn Script,
    mut run: impl FnMut(&Statement) -> Result<Outcome, Error>,
) -> Result<Outcome, Error> {
    let mut last = None;
    loop {
        match script.next(last.take()) {
            Next::Run(statement) => last = Some(run(&statement)?),
            Next::Done(outcome) => return Ok(outcome),
            Next::Stop => return Err(Error::Stopped),
        }
    }
}

/// Runs a script that only reads; all that it reads is of one moment.
///
/// # Errors
/// As [`run`].
pub(super) fn read(
    script: &mut dyn Script,
    connection: &Connection,
    catalog: &Arc<Catalog>,
    deadline: Deadline,
    body_max_bytes: usize,
) -> Result<Outcome, Error> {
    // Rolled back when dropped: there is nothing to keep.
    let _transaction =
        rusqlite::Transaction::new_unchecked(connection, TransactionBehavior::Deferred).map_err(fault::plain)?;
    run(script, |statement| Read::of(statement, catalog)?.run(connection, deadline, body_max_bytes))
}
