//! Several statements in one transaction, where a later one depends on what an earlier one brought.
//!
//! A store asks a [`Script`] for each statement when the one before has run. The script plans and renders; it is a
//! function of what it is told, so that a transaction which lost a race is run again by asking it from the beginning.

use std::fmt;

use super::Outcome;
use crate::request::Once;
use crate::sql::Statement;

/// Statements of one transaction: all of them are done, or none.
#[derive(Debug)]
pub struct Transaction {
    /// Says what to run.
    pub script: Box<dyn Script>,
    /// None of them changes anything.
    pub read_only: bool,
    /// All that they read is of one moment, as they need who change what they have read.
    pub one_moment: bool,
    /// Undo everything at the end.
    pub rollback: bool,
    /// It is applied once, however often it comes.
    pub once: Option<Once>,
}

/// Decides the statements of a transaction one after the other.
pub trait Script: fmt::Debug + Send {
    /// The next step. `last`: what the statement before brought; `None` at the beginning, to which a transaction may
    /// come back at any time.
    ///
    /// It runs while the transaction is open: it must not wait for anything.
    fn next(&mut self, last: Option<Outcome>) -> Next;

    /// The statements that depend on no other, as long as none has run.
    fn independent(&self) -> Vec<&Statement>;
}

/// What a script wants.
#[derive(Debug)]
pub enum Next {
    /// Run this. How the transaction ends and that it is applied once is said of the transaction, not of a statement.
    Run(Box<Statement>),
    /// All is run; this is what it came to.
    Done(Outcome),
    /// Undo everything: [`Error::Stopped`](super::Error::Stopped) is what it came to.
    Stop,
}
