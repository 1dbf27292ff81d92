//! From a plan to an authorized plan: the only door to SQL.

use super::Plan;

/// A plan that its sender may have run. Only this module makes one.
#[derive(Debug, Clone, PartialEq)]
pub struct Authorized {
    plan: Plan,
    session: Session,
}

/// What the engine is told of the sender.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Session {
    /// The role to act as; `None`: as the connection's own user.
    pub role: Option<String>,
    /// The token's claims as JSON text.
    pub claims: String,
    /// The verb, for `request.method`.
    pub method: String,
    /// The path, for `request.path`.
    pub path: String,
    /// The headers as a JSON object, for `request.headers`.
    pub headers: String,
    /// The schema, first of the search path.
    pub schema: String,
    /// Nothing may be changed.
    pub read_only: bool,
    /// Undo everything at the end (`tx=rollback`).
    pub rollback: bool,
}

impl Authorized {
    /// The plan.
    #[must_use]
    pub fn plan(&self) -> &Plan {
        &self.plan
    }

    /// What the engine is told.
    #[must_use]
    pub fn session(&self) -> &Session {
        &self.session
    }
}
