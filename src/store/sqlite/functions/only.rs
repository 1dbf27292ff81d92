//! The one row of a query that stands in the place of a value.
//!
//! `berth_only(value)`, an aggregate: the value of the only row, null without one; a second one is refused as on Postgres.

use rusqlite::functions::{Aggregate, Context, FunctionFlags};
use rusqlite::types::Value;
use rusqlite::{Connection, Result};

use super::{Fault, failed};

/// Adds the function to a connection.
pub(super) fn register(connection: &Connection) -> Result<()> {
    let flags = FunctionFlags::SQLITE_UTF8 | FunctionFlags::SQLITE_DETERMINISTIC | FunctionFlags::SQLITE_INNOCUOUS;
    connection.create_aggregate_function("berth_only", 1, flags, Only)
}

#[derive(Debug)]
struct Only;

impl Aggregate<Option<Value>, Option<Value>> for Only {
    fn init(&self, _: &mut Context<'_>) -> Result<Option<Value>> {
        Ok(None)
    }

    fn step(&self, context: &mut Context<'_>, only: &mut Option<Value>) -> Result<()> {
        if only.is_some() {
            let message = "more than one row returned by a subquery used as an expression".to_owned();
            return Err(failed(Fault { code: "21000", message }));
        }
        *only = Some(context.get(0)?);
        Ok(())
    }

    fn finalize(&self, _: &mut Context<'_>, only: Option<Option<Value>>) -> Result<Option<Value>> {
        Ok(only.flatten())
    }
}

#[cfg(test)]
mod tests {
    use crate::store::sqlite::functions::tests::connection;

    #[test]
    fn a_second_row_is_refused() {
        let connection = connection();
        let asked = |rows: &str| {
            let sql =
                format!("SELECT berth_only(a) FROM (SELECT column1 AS a FROM (VALUES {rows}) WHERE column1 <> 'x')");
            connection.query_row(&sql, [], |row| row.get::<_, Option<String>>(0)).map_err(|error| error.to_string())
        };
        assert_eq!(asked("('a')"), Ok(Some("a".to_owned())));
        assert_eq!(asked("('x')"), Ok(None));
        let refusal = "21000: more than one row returned by a subquery used as an expression";
        assert_eq!(asked("('a'), ('a')"), Err(refusal.to_owned()));
    }
}
