//! Ends statements at their deadline, and when nobody waits for their answer any more.
//!
//! SQLite asks a connection's progress handler every so many steps whether to go on. The handler is set once for each
//! connection and asks the thread it runs on for the deadline of the moment: a connection is used by one thread at a
//! time, and setting a deadline costs nothing.

use std::cell::{Cell, RefCell};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rusqlite::Connection;

use crate::clock::Deadline;

/// Virtual machine steps between two looks at the clock: some tens of microseconds, so that looking costs nothing and
/// a deadline is missed by less than anyone could notice.
const STEPS: i32 = 2_000;

thread_local! {
    static DEADLINE: Cell<Option<Deadline>> = const { Cell::new(None) };
    static UNWANTED: RefCell<Option<Arc<AtomicBool>>> = const { RefCell::new(None) };
}

/// Makes the connection heed deadlines.
pub(super) fn heed_deadlines(connection: &Connection) -> rusqlite::Result<()> {
    connection.progress_handler(STEPS, Some(is_due))
}

/// True when the statement that this thread runs is to end.
pub(super) fn is_due() -> bool {
    let is_unwanted = |flag: &Option<Arc<AtomicBool>>| flag.as_ref().is_some_and(|flag| flag.load(Ordering::Relaxed));
    DEADLINE.get().is_some_and(Deadline::is_past) || UNWANTED.with_borrow(is_unwanted)
}

/// Held by whoever waits for an answer; dropped, it ends the statements that are run for it.
#[derive(Debug, Default)]
pub(super) struct Interest(Arc<AtomicBool>);

impl Interest {
    /// What the thread that runs the statements must have.
    pub(super) fn watched(&self) -> Watched {
        Watched(Arc::clone(&self.0))
    }
}

impl Drop for Interest {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// An interest that another thread has in what this one does.
#[derive(Debug)]
pub(super) struct Watched(Arc<AtomicBool>);

impl Watched {
    /// Runs `work`, whose statements end when the interest does.
    pub(super) fn run<Answer>(self, work: impl FnOnce() -> Answer) -> Answer {
        /// Also when `work` panics: the thread goes on to serve others.
        struct Forget;
        impl Drop for Forget {
            fn drop(&mut self) {
                UNWANTED.set(None);
            }
        }
        UNWANTED.set(Some(self.0));
        let _forget = Forget;
        work()
    }
}

/// Until dropped, statements of this thread are ended at a deadline.
#[derive(Debug)]
pub(super) struct Limit {
    outer: Option<Deadline>,
}

impl Limit {
    /// Sets the deadline.
    #[must_use]
    pub(super) fn until(deadline: Deadline) -> Self {
        Self { outer: DEADLINE.replace(Some(deadline)) }
    }
}

impl Drop for Limit {
    fn drop(&mut self) {
        DEADLINE.set(self.outer);
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";

    #[test]
    fn a_statement_ends_at_its_deadline_and_the_next_one_runs() {
        let connection = Connection::open_in_memory().unwrap();
        heed_deadlines(&connection).unwrap();
        let count = |sql: &str| connection.query_row(sql, [], |row| row.get::<_, i64>(0));

        let limit = Limit::until(Deadline::after(Duration::from_millis(5)));
        let error = count(ENDLESS).unwrap_err();
        assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::OperationInterrupted));
        drop(limit);

        let short =
            "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 9999) SELECT max(i) FROM n";
        assert_eq!(count(short).unwrap(), 9999);
    }

    #[test]
    fn a_statement_ends_when_nobody_waits_for_it() {
        let interest = Interest::default();
        let watched = interest.watched();
        let thread = std::thread::spawn(move || {
            let connection = Connection::open_in_memory().unwrap();
            heed_deadlines(&connection).unwrap();
            watched.run(|| connection.query_row(ENDLESS, [], |row| row.get::<_, i64>(0)).unwrap_err())
        });
        drop(interest);
        let error = thread.join().unwrap();
        assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::OperationInterrupted));
    }

    #[test]
    fn an_inner_deadline_gives_way_to_the_outer_one() {
        let outer = Deadline::after(Duration::from_secs(60));
        let _outer = Limit::until(outer);
        drop(Limit::until(Deadline::after(Duration::ZERO)));
        assert_eq!(DEADLINE.get(), Some(outer));
    }
}
