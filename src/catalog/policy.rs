//! Row security: which rows of a table a role may see and write, where berth itself enforces it (SQLite).
//!
//! Source: <https://www.postgresql.org/docs/15/ddl-rowsecurity.html>.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::{Privilege, QualifiedName};

/// Tables and views with those of their columns that something reads; none: only whether there are rows.
pub type Reads = BTreeMap<QualifiedName, BTreeSet<String>>;

/// The row security of a table for which it is enabled.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RowSecurity {
    /// It holds for the table's owner too, and so for views that read with the owner's rights.
    pub forced: bool,
    /// The policies, in the order of their names. Without one that applies there are no rows.
    pub policies: Vec<Policy>,
    /// The number that the next row gets for its row id, in the engine's own SQL; `None` where nothing counts.
    pub next_number: Option<String>,
    /// For each generated column what it is generated from, in the engine's own SQL over the bare names of the others.
    pub generated: BTreeMap<String, String>,
}

/// A row policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// How it is put together with others.
    pub kind: PolicyKind,
    /// What it is for; `None`: everything.
    pub command: Option<Privilege>,
    /// The roles that it is for; `public` is everyone.
    pub roles: Vec<String>,
    /// `USING`.
    pub using: Option<Arc<Expression>>,
    /// `WITH CHECK`; without it `USING` counts.
    pub check: Option<Arc<Expression>>,
}

/// How a policy is put together with others.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PolicyKind {
    /// One of them must hold.
    Permissive,
    /// Each must hold.
    Restrictive,
}

/// A condition on a row of a table, which has the table's name in it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Expression {
    /// In the engine's own SQL.
    pub sql: String,
    /// There is a query, of whatever, in its policy.
    pub has_query: bool,
    /// Columns of the row.
    pub columns: BTreeSet<String>,
    /// What it reads besides with the rights of whoever asks. The table itself may be among it.
    pub reads: Reads,
    /// What it reads with the rights of its owner.
    pub trusted: Reads,
    /// The functions that it calls for whoever asks, by signature, each with the roles that may call it.
    pub calls: BTreeMap<String, BTreeSet<String>>,
}

/// The query of a view.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ViewQuery {
    /// Whose rights it reads with.
    pub rights: ViewRights,
    /// Its text in the engine's own SQL.
    pub sql: String,
    /// What it reads.
    pub reads: Reads,
}

/// Whose rights a view reads with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ViewRights {
    /// Those of its owner, who made the tables too.
    Owner,
    /// Those of whoever asks (`security_invoker`).
    Invoker,
}
