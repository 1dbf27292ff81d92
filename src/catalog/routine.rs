//! Functions that requests may call.
//!
//! A Postgres server runs its functions itself. On SQLite berth does: a migration notes each [`Routine`] as JSON in
//! `_berth_functions`, with its [`Body`] in SQLite's SQL. Fields may be added there, not renamed.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use super::{Column, Privilege, QualifiedName, Template, Tuning, TypeKind, TypeName, cache_control};

/// A function; several may share its name and differ in their parameters.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Routine {
    /// Its name.
    pub name: QualifiedName,
    /// `COMMENT ON FUNCTION`.
    pub comment: Option<String>,
    /// What it takes, in order.
    pub parameters: Vec<Parameter>,
    /// What it gives.
    pub returns: Returns,
    /// What it promises about changes.
    pub volatility: Volatility,
    /// How the transactions of its calls run, where a server says so (Postgres).
    #[serde(skip)]
    pub tuning: Tuning,
    /// Roles that may call it, `public` for all of them. On Postgres, where the server enforces that, only those are
    /// known that the connection's own role may act as.
    #[serde(default)]
    pub grantees: BTreeSet<String>,
    /// What it does, where berth itself runs it (SQLite).
    #[serde(default)]
    pub body: Option<Arc<Body>>,
    /// The table whose row its only parameter takes: it is a column or a relationship of that table (SQLite).
    #[serde(default)]
    pub row_of: Option<QualifiedName>,
    /// Its author expects one row (`ROWS 1`).
    #[serde(default)]
    pub one_row: bool,
}

/// A parameter of a function.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Parameter {
    /// Its name; empty without one.
    pub name: String,
    /// Its type; of the last one of a variadic function the array's.
    pub type_name: TypeName,
    /// It has no default.
    pub required: bool,
    /// It takes all further arguments.
    pub variadic: bool,
}

/// What a function gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Returns {
    /// The kind of a result.
    pub kind: ReturnKind,
    /// Any number of results (`SETOF`, `TABLE`) instead of one.
    pub set: bool,
}

/// The kind of a function's result.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReturnKind {
    /// Nothing.
    Void,
    /// A value; a record of unknown columns is one too.
    Value(TypeName),
    /// A row of a table, view or composite type, or of the function's own `OUT` parameters.
    Row {
        /// The table, view or type; `None` for the function's own.
        of: Option<QualifiedName>,
        /// The columns.
        columns: Vec<Column>,
    },
}

/// What a function promises about changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Volatility {
    /// It changes nothing, and gives the same for the same arguments for ever.
    Immutable,
    /// It changes nothing.
    Stable,
    /// It promises nothing.
    Volatile,
}

/// What a function does, in SQLite's SQL.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Body {
    /// Run in this order; the last one gives the result, its columns those of the result in their order.
    pub steps: Vec<Step>,
    /// For each parameter the SQL of its default; `None` without one.
    pub defaults: Vec<Option<String>>,
    /// With an argument that is null, nothing is run and the result is null.
    pub strict: bool,
    /// What is done to tables, and who must be allowed to do it.
    pub uses: Vec<Use>,
    /// The functions that it calls for the caller, each with the roles that may call it.
    #[serde(default)]
    pub calls: BTreeMap<String, BTreeSet<String>>,
}

/// A statement of a body.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Step {
    /// What it changes; `None` for a query.
    pub change: Option<Change>,
    /// Its text.
    pub sql: Template,
}

/// What a statement of a body changes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Change {
    /// What it does.
    pub verb: Verb,
    /// The table.
    pub table: QualifiedName,
    /// Who must be allowed to.
    pub bearer: Bearer,
    /// Columns of the table are read for it.
    pub reads: bool,
    /// Rows that are there are changed when their key comes again.
    pub merges: bool,
}

/// What a statement does to rows, in the word that errors name it by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verb {
    /// Adds some.
    Insert,
    /// Changes some.
    Update,
    /// Removes some.
    Delete,
}

/// Something that a body does to a table.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Use {
    /// The table or view.
    pub table: QualifiedName,
    /// What is done.
    pub privilege: Privilege,
    /// To which columns; none: the privilege on any column will do.
    pub columns: BTreeSet<String>,
    /// Who must hold the privilege.
    pub bearer: Bearer,
}

/// Whose privileges count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Bearer {
    /// Those of the role that calls (`SECURITY INVOKER`).
    Caller,
    /// Those of the function's owner (`SECURITY DEFINER`), who made the tables and may do everything.
    Owner,
}

impl Verb {
    /// As Postgres writes it.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Insert => "INSERT",
            Self::Update => "UPDATE",
            Self::Delete => "DELETE",
        }
    }
}

impl Body {
    /// What the first step that changes anything does.
    #[must_use]
    pub fn verb(&self) -> Option<Verb> {
        self.steps.iter().find_map(|step| step.change.as_ref()).map(|change| change.verb)
    }
}

/// Functions by name, those with fewer parameters first, so that errors list them in one order. Those that no request
/// can call are left out.
#[must_use]
pub fn by_name(routines: Vec<Routine>) -> BTreeMap<QualifiedName, Vec<Routine>> {
    let mut named: BTreeMap<QualifiedName, Vec<Routine>> = BTreeMap::new();
    for routine in routines.into_iter().filter(Routine::is_callable) {
        named.entry(routine.name.clone()).or_default().push(routine);
    }
    for overloads in named.values_mut() {
        overloads.sort_by_cached_key(|routine| {
            let parameters = routine.parameters.iter().map(|it| (it.name.clone(), it.type_name.declared.clone()));
            (routine.parameters.len(), parameters.collect::<Vec<_>>())
        });
    }
    named
}

impl Routine {
    /// The comment, as far as it is for people.
    #[must_use]
    pub fn description(&self) -> Option<Cow<'_, str>> {
        self.comment.as_deref().and_then(cache_control::description)
    }

    /// True when it gives at most one row.
    #[must_use]
    pub fn is_single(&self) -> bool {
        !self.returns.set || self.one_row
    }

    /// True when requests can call it: by the names of its parameters; one without a name must be the only one, and take
    /// a body whole.
    fn is_callable(&self) -> bool {
        match self.parameters.as_slice() {
            [only] if only.name.is_empty() => {
                matches!(only.type_name.kind, TypeKind::Json | TypeKind::Jsonb | TypeKind::Bytea)
                    || matches!(only.type_name.declared.as_str(), "text" | "xml")
            }
            all => all.iter().all(|parameter| !parameter.name.is_empty()),
        }
    }

    /// The signature as errors name it: `public.add(a => integer, b => integer)`.
    #[must_use]
    pub fn signature(&self) -> String {
        let parameters = self.parameters.iter().map(|it| format!("{} => {}", it.name, it.type_name));
        format!("{}({})", self.name, parameters.collect::<Vec<_>>().join(", "))
    }
}
