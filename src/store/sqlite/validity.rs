//! For how long an answer holds: until the next commit, if its rows depend on nothing but the database and the request.

use rusqlite::Connection;

use super::stability::Stability;
use super::state::States;
use crate::sql::{Statement, Work};
use crate::store::Outcome;

/// What says for how long an answer holds.
#[derive(Debug)]
pub(super) struct Validity {
    pub(super) states: States,
    stability: Stability,
}

impl Validity {
    pub(super) fn of(states: States) -> Self {
        Self { states, stability: Stability::default() }
    }

    /// An outcome without rows, when the sender of a read has those of this moment.
    pub(super) fn known(&self, statement: &Statement) -> Option<Outcome> {
        let is_stable = |text: &str| self.stability.is_known_stable(text, statement.catalog_version);
        if statement.known_states.is_empty() || !may_be_stable(statement) || !texts(statement).all(is_stable) {
            return None;
        }
        let state = self.states.now().filter(|state| statement.known_states.contains(state))?;
        Some(Outcome { state: Some(state), is_known: true, ..Outcome::default() })
    }

    /// True when the rows of a statement that just ran are those of a state.
    pub(super) fn is_stable(&self, connection: &Connection, statement: &Statement) -> bool {
        may_be_stable(statement)
            && texts(statement).all(|text| self.stability.is_stable(connection, text, statement.catalog_version))
    }
}

/// False for what a function gives, and when rows may depend on headers of the request that do not shape an answer
/// otherwise.
fn may_be_stable(statement: &Statement) -> bool {
    matches!(statement.work, Work::Rows { .. }) && statement.session.origin.headers.is_empty()
}

/// The texts of a read of rows.
fn texts(statement: &Statement) -> impl Iterator<Item = &str> {
    let (query, count) = match &statement.work {
        Work::Rows { query, count, .. } => (Some(query), count.as_ref()),
        Work::Call(_)
        | Work::Envelope { .. }
        | Work::Lines { .. }
        | Work::Write { .. }
        | Work::Explain { .. }
        | Work::None => (None, None),
    };
    query.into_iter().chain(count).map(|query| query.text.as_str())
}
