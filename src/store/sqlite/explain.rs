//! What SQLite says of how it would run a statement.
//!
//! Source: <https://www.sqlite.org/eqp.html>.

use std::collections::BTreeMap;
use std::sync::Arc;

use rusqlite::{Connection, params_from_iter};
use serde_json::json;

use super::outcome::with_schema;
use super::{authorizer, fault};
use crate::catalog::Catalog;
use crate::sql::{Query, Statement, Telling, Work};
use crate::store::{Error, Outcome};

/// Asks how a statement would be run; nothing is run.
///
/// # Errors
/// What SQLite says, [`Error::SchemaChanged`], or [`Error::Internal`] when the statement asks no such thing.
pub(super) fn explain(
    connection: &Connection,
    statement: &Statement,
    catalog: &Arc<Catalog>,
) -> Result<Outcome, Error> {
    let Work::Explain { query, telling } = &statement.work else {
        return Err(Error::Internal("only questions are answered here".to_owned()));
    };
    with_schema(connection, statement.catalog_version, || {
        let steps = steps(connection, query, statement, catalog).map_err(fault::plain)?;
        let body = match telling {
            Telling::Text => text(&steps),
            Telling::Json => steps.iter().map(Step::json).collect::<serde_json::Value>().to_string(),
        };
        Ok(Outcome { body: body.into(), ..Outcome::default() })
    })
}

/// A step of a plan.
#[derive(Debug, PartialEq, Eq)]
struct Step {
    number: i64,
    /// The step that it is a part of; 0 for none.
    parent: i64,
    detail: String,
}

impl Step {
    fn json(&self) -> serde_json::Value {
        json!({ "id": self.number, "parent": self.parent, "detail": self.detail })
    }
}

fn steps(
    connection: &Connection,
    query: &Query,
    statement: &Statement,
    catalog: &Arc<Catalog>,
) -> rusqlite::Result<Vec<Step>> {
    let mut prepared = authorizer::prepare(connection, &query.text, &statement.reach, catalog)?;
    let rows = prepared.query_map(params_from_iter(&query.values), |row| {
        Ok(Step { number: row.get(0)?, parent: row.get(1)?, detail: row.get(3)? })
    })?;
    rows.collect()
}

/// A line for each step, further in than the one it is a part of, which comes before.
fn text(steps: &[Step]) -> String {
    let mut depths: BTreeMap<i64, usize> = BTreeMap::new();
    let mut lines = Vec::with_capacity(steps.len());
    for step in steps {
        let depth = depths.get(&step.parent).map_or(0, |depth| depth + 1);
        depths.insert(step.number, depth);
        lines.push(format!("{}{}", "  ".repeat(depth), step.detail));
    }
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn steps_stand_inside_of_what_they_are_a_part_of() {
        let step = |number, parent, detail: &str| Step { number, parent, detail: detail.to_owned() };
        let steps = [step(3, 0, "SCAN films"), step(8, 0, "SCALAR SUBQUERY 1"), step(12, 8, "SEARCH directors")];
        assert_eq!(text(&steps), "SCAN films\nSCALAR SUBQUERY 1\n  SEARCH directors");
    }
}
