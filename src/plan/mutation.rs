//! Writes: inserts, upserts, updates, deletes.

use super::{Condition, Expectation, Returning, Target, Through, Value};
use crate::catalog::{QualifiedName, TypeName};
use crate::request::prefer::Resolution;

/// An insert or upsert.
#[derive(Debug, Clone, PartialEq)]
pub struct Insert {
    /// The table or view that is named.
    pub into: QualifiedName,
    /// For a view how that reaches the table, whose names columns and keys then have (SQLite).
    pub through: Option<Box<Through>>,
    /// The columns that get a value; empty: every row is all defaults.
    pub columns: Vec<InsertColumn>,
    /// The rows.
    pub rows: InsertRows,
    /// What happens when a key is taken.
    pub conflict: Option<Conflict>,
    /// `PUT`: the key that the address names.
    pub put: Option<Put>,
    /// What is given back.
    pub returning: Returning,
    /// What must hold.
    pub expect: Expectation,
}

/// A column that an insert or update writes.
#[derive(Debug, Clone, PartialEq)]
pub struct InsertColumn {
    /// Its name.
    pub name: String,
    /// Its type.
    pub type_name: TypeName,
    /// The default's SQL, when a missing key means the default (`missing=default`).
    pub default: Option<String>,
    /// The function that reads its JSON (Postgres).
    pub parser: Option<QualifiedName>,
}

/// The rows of an insert.
#[derive(Debug, Clone, PartialEq)]
pub enum InsertRows {
    /// Postgres: the body as JSON text, always an array; the server types it.
    Json(String),
    /// SQLite: one cell per column for each row.
    Cells(Vec<Vec<Cell>>),
}

/// A value of a row to be written.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// This value.
    Value(Value),
    /// The column's default.
    Default,
}

/// What an insert does when a key is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conflict {
    /// The key's columns.
    pub columns: Vec<String>,
    /// Update the row or leave it.
    pub resolution: Resolution,
}

/// The key of a `PUT`: the row's key columns must have these values.
#[derive(Debug, Clone, PartialEq)]
pub struct Put {
    /// Each column, and the value that the address names.
    pub key: Vec<(Target, Value)>,
}

/// An update.
#[derive(Debug, Clone, PartialEq)]
pub struct Update {
    /// The table or view that is named.
    pub table: QualifiedName,
    /// For a view how that reaches the table, whose names columns then have (SQLite).
    pub through: Option<Box<Through>>,
    /// The columns that get a value; empty: nothing is done.
    pub columns: Vec<InsertColumn>,
    /// Exactly one row.
    pub row: InsertRows,
    /// Which rows.
    pub filter: Condition,
    /// What is given back.
    pub returning: Returning,
    /// What must hold.
    pub expect: Expectation,
}

/// A delete.
#[derive(Debug, Clone, PartialEq)]
pub struct Delete {
    /// The table or view that is named.
    pub from: QualifiedName,
    /// For a view how that reaches the table (SQLite).
    pub through: Option<Box<Through>>,
    /// Which rows.
    pub filter: Condition,
    /// What is given back.
    pub returning: Returning,
    /// What must hold.
    pub expect: Expectation,
}

impl Insert {
    /// The table whose rows are written.
    #[must_use]
    pub fn written(&self) -> &QualifiedName {
        self.through.as_ref().map_or(&self.into, |through| &through.table)
    }
}

impl Update {
    /// The table whose rows are changed.
    #[must_use]
    pub fn written(&self) -> &QualifiedName {
        self.through.as_ref().map_or(&self.table, |through| &through.table)
    }
}

impl Delete {
    /// The table whose rows are removed.
    #[must_use]
    pub fn written(&self) -> &QualifiedName {
        self.through.as_ref().map_or(&self.from, |through| &through.table)
    }
}
