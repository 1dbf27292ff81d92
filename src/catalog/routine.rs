//! Functions that requests may call.

use std::borrow::Cow;

use super::{Column, QualifiedName, Tuning, TypeName, cache_control};

/// A function; several may share its name and differ in their parameters.
#[derive(Debug, Clone, PartialEq)]
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
    /// How the transactions of its calls run.
    pub tuning: Tuning,
}

/// A parameter of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
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
#[derive(Debug, Clone, PartialEq)]
pub struct Returns {
    /// The kind of a result.
    pub kind: ReturnKind,
    /// Any number of results (`SETOF`, `TABLE`) instead of one.
    pub set: bool,
}

/// The kind of a function's result.
#[derive(Debug, Clone, PartialEq)]
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
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Volatility {
    /// It changes nothing, and gives the same for the same arguments for ever.
    Immutable,
    /// It changes nothing.
    Stable,
    /// It promises nothing.
    Volatile,
}

impl Routine {
    /// The comment, as far as it is for people.
    #[must_use]
    pub fn description(&self) -> Option<Cow<'_, str>> {
        self.comment.as_deref().and_then(cache_control::description)
    }

    /// The signature as errors name it: `public.add(a => integer, b => integer)`.
    #[must_use]
    pub fn signature(&self) -> String {
        let parameters = self.parameters.iter().map(|it| format!("{} => {}", it.name, it.type_name));
        format!("{}({})", self.name, parameters.collect::<Vec<_>>().join(", "))
    }
}
