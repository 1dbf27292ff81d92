//! What SQLite says of how it would run a statement.
//!
//! Source: <https://www.sqlite.org/eqp.html>.

use std::collections::BTreeMap;

use rusqlite::{Statement, params_from_iter};
use serde_json::json;

use crate::plan::Value;
use crate::sql::Telling;
use crate::store::Outcome;

/// Tells the plan that a statement asks for, which was prepared for these values; nothing is run.
///
/// # Errors
/// What SQLite says.
pub(super) fn explain(prepared: &mut Statement<'_>, values: &[Value], telling: Telling) -> rusqlite::Result<Outcome> {
    let steps = prepared.query_map(params_from_iter(values), |row| {
        Ok(Step { number: row.get(0)?, parent: row.get(1)?, detail: row.get(3)? })
    })?;
    let steps = steps.collect::<rusqlite::Result<Vec<Step>>>()?;
    let body = match telling {
        Telling::Text => text(&steps),
        Telling::Json => steps.iter().map(Step::json).collect::<serde_json::Value>().to_string(),
    };
    Ok(Outcome { body: body.into(), ..Outcome::default() })
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
