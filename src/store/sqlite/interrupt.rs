//! Ends statements at their deadline.
//!
//! SQLite asks a connection's progress handler every so many steps whether to go on. The handler is set once for each
//! connection and asks the thread it runs on for the deadline of the moment: a connection is used by one thread at a
//! time, and setting a deadline costs nothing.

use std::cell::Cell;

use rusqlite::Connection;

use crate::clock::Deadline;

/// Virtual machine steps between two looks at the clock: some tens of microseconds, so that looking costs nothing and
/// a deadline is missed by less than anyone could notice.
const STEPS: i32 = 2_000;

thread_local! {
    static DEADLINE: Cell<Option<Deadline>> = const { Cell::new(None) };
}

/// Makes the connection heed deadlines.
pub(super) fn heed_deadlines(connection: &Connection) -> rusqlite::Result<()> {
    connection.progress_handler(STEPS, Some(is_due))
}

/// True when the statement that this thread runs is to end.
pub(super) fn is_due() -> bool {
    DEADLINE.get().is_some_and(Deadline::is_past)
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
    fn an_inner_deadline_gives_way_to_the_outer_one() {
        let outer = Deadline::after(Duration::from_secs(60));
        let _outer = Limit::until(outer);
        drop(Limit::until(Deadline::after(Duration::ZERO)));
        assert_eq!(DEADLINE.get(), Some(outer));
    }
}
