//! How the engine would run a statement, instead of running it.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/observability.html#execution-plan>,
//! <https://www.postgresql.org/docs/current/sql-explain.html>, <https://www.sqlite.org/eqp.html>.

use super::{Query, Run, Work};

/// How a plan is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// Turns what would be run into the question how. `options` are of those that a media type may have; SQLite has none.
pub(super) fn explain(work: Work, telling: Telling, options: &[String]) -> Work {
    let (start, query) = match work {
        Work::Envelope { query, .. } => (postgres(telling, options), query),
        Work::Rows { query, .. } => (SQLITE.to_owned(), query),
        // The same text, for each list of values.
        Work::Write { runs, .. } => match runs.into_iter().next() {
            Some(Run { text, values, .. }) => {
                (SQLITE.to_owned(), Query { text, values: values.into_iter().next().unwrap_or_default() })
            }
            None => return Work::None,
        },
        // Planning lets none of these through.
        Work::Call(_) | Work::Lines { .. } | Work::Explain { .. } | Work::None => return work,
    };
    Work::Explain { query: Query { text: start + &query.text, values: query.values }, telling }
}

const SQLITE: &str = "EXPLAIN QUERY PLAN ";

fn postgres(telling: Telling, options: &[String]) -> String {
    let format = match telling {
        Telling::Text => "EXPLAIN (FORMAT TEXT",
        Telling::Json => "EXPLAIN (FORMAT JSON",
    };
    let options = options.iter().map(|option| format!(", {}", option.to_ascii_uppercase()));
    options.fold(format.to_owned(), |text, option| text + &option) + ") "
}
