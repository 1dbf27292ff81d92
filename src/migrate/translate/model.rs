//! A table as PostgreSQL knows it: what `ALTER TABLE` changes, and what a rebuild is made from.
//!
//! Expressions are kept in PostgreSQL's syntax and translated whenever the table is written out, so that a changed
//! type or name reaches them. Stored as JSON in `_berth_tables` and `_berth_types`: fields may be added, not renamed.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::name;
use crate::catalog::{Bearer, Volatility};

/// A table that a migration created.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Table {
    /// Its name.
    pub(crate) name: String,
    /// In the order of their declaration.
    pub(crate) columns: Vec<Column>,
    /// The primary key.
    pub(crate) primary_key: Option<Key>,
    /// Unique constraints.
    pub(crate) unique: Vec<Key>,
    /// Checks that were declared; those that stand for a type are made when the table is written.
    pub(crate) checks: Vec<Check>,
    /// Foreign keys.
    pub(crate) foreign_keys: Vec<ForeignKey>,
    /// Indexes that were created apart from the constraints.
    pub(crate) indexes: Vec<Index>,
}

/// Whether a column may be null.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Nullability {
    /// It may.
    Nullable,
    /// It may not.
    NotNull,
}

/// A column.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Column {
    /// Its name.
    pub(crate) name: String,
    /// Its type as `format_type` prints it, or the name of an enumeration or a domain.
    pub(crate) declared: String,
    /// `NOT NULL`.
    pub(crate) nullability: Nullability,
    /// `DEFAULT`.
    pub(crate) default: Option<String>,
    /// `GENERATED ALWAYS AS (…) STORED`.
    pub(crate) generated: Option<String>,
    /// `GENERATED … AS IDENTITY`, or `serial`.
    pub(crate) identity: Option<Identity>,
}

/// How a column is counted.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Identity {
    /// Whether a value may be given.
    pub(crate) kind: IdentityKind,
    /// The sequence that Postgres counts with, for `setval`.
    pub(crate) sequence: String,
}

/// Whether an identity column may be given a value.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum IdentityKind {
    /// `ALWAYS`: it may not.
    Always,
    /// `BY DEFAULT` and `serial`: it may.
    ByDefault,
}

/// A primary key or a unique constraint.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Key {
    /// The constraint's name.
    pub(crate) name: String,
    /// Its columns.
    pub(crate) columns: Vec<String>,
}

/// A check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Check {
    /// The constraint's name.
    pub(crate) name: String,
    /// What must not be false.
    pub(crate) expression: String,
}

/// A foreign key.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ForeignKey {
    /// The constraint's name.
    pub(crate) name: String,
    /// Columns of this table.
    pub(crate) columns: Vec<String>,
    /// The table they point to.
    pub(crate) references: String,
    /// Columns there; empty for its primary key.
    pub(crate) references_columns: Vec<String>,
    /// What follows, in words that both engines read: `ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED`.
    pub(crate) rules: String,
}

/// An index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Index {
    /// Its name.
    pub(crate) name: String,
    /// Whether its keys are unique.
    pub(crate) uniqueness: Uniqueness,
    /// What it is over.
    pub(crate) parts: Vec<IndexPart>,
    /// `WHERE`.
    pub(crate) predicate: Option<String>,
    /// What it helps with.
    #[serde(default)]
    pub(crate) method: Method,
}

/// What an index helps with.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Method {
    /// Comparing.
    #[default]
    Ordered,
    /// Finding texts by their words.
    Words,
}

/// Whether an index allows equal keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Uniqueness {
    /// It does.
    Plain,
    /// It does not.
    Unique,
}

/// One key of an index.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct IndexPart {
    /// A column or an expression.
    pub(crate) expression: String,
    /// `ASC`, `DESC` or nothing.
    pub(crate) order: String,
}

/// A type that `CREATE TYPE` or `CREATE DOMAIN` made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) enum UserType {
    /// An enumeration with its labels in order.
    Enumeration(Vec<String>),
    /// A row of these columns.
    Composite(Vec<Column>),
    /// A type with a default and checks of its own.
    Domain {
        /// The type under it.
        declared: String,
        /// `NOT NULL`.
        nullability: Nullability,
        /// `DEFAULT`.
        default: Option<String>,
        /// Checks, with the value called `VALUE`.
        checks: Vec<Check>,
    },
}

/// A function in SQL.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Function {
    /// Its name.
    pub(crate) name: String,
    /// What it takes and, as `OUT` and `TABLE` say it, gives; in order.
    pub(crate) parameters: Vec<Parameter>,
    /// The type that it returns; `None` where its parameters say it.
    pub(crate) returns: Option<String>,
    /// `SETOF`, `TABLE`: any number of results.
    pub(crate) returns_set: bool,
    /// What it promises about changes.
    pub(crate) volatility: Volatility,
    /// With an argument that is null, it is not run.
    pub(crate) strict: bool,
    /// Whose privileges count.
    pub(crate) bearer: Bearer,
    /// `ROWS`: how many rows its author expects.
    pub(crate) rows: Option<u64>,
    /// The statements of its body.
    pub(crate) body: String,
    /// Roles that may call it, `public` for all of them.
    pub(crate) grantees: BTreeSet<String>,
    /// The statements that made it and changed it, as they were written, each with a semicolon at its end.
    pub(crate) definition: String,
}

/// A parameter of a function, or a column of what it gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(crate) struct Parameter {
    /// Its name; empty without one.
    pub(crate) name: String,
    /// What it is for.
    pub(crate) mode: Mode,
    /// Its type: as `format_type` prints it without length and precision, or the name of the user's own type or of a
    /// table, for its row.
    pub(crate) declared: String,
    /// `DEFAULT`.
    pub(crate) default: Option<String>,
}

/// What a parameter is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) enum Mode {
    /// It is taken.
    In,
    /// It takes all further arguments.
    Variadic,
    /// It is taken and given.
    InOut,
    /// It is given, also as a column of `RETURNS TABLE`.
    Out,
}

impl Function {
    /// The parameters that are taken.
    pub(crate) fn taken(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(|parameter| parameter.mode != Mode::Out)
    }

    /// The parameters that are given.
    pub(crate) fn given(&self) -> impl Iterator<Item = &Parameter> {
        self.parameters.iter().filter(|parameter| matches!(parameter.mode, Mode::Out | Mode::InOut))
    }

    /// Name and types, by which Postgres tells functions apart: `add(integer,integer)`.
    pub(crate) fn signature(&self) -> String {
        let types: Vec<&str> = self.taken().map(|parameter| parameter.declared.as_str()).collect();
        format!("{}({})", self.name, types.join(","))
    }
}

impl Column {
    /// A column with nothing but a name and a type.
    pub(crate) fn plain(name: String, declared: String) -> Self {
        Self { name, declared, nullability: Nullability::Nullable, default: None, generated: None, identity: None }
    }
}

impl Table {
    /// A table without anything.
    pub(crate) fn new(name: String) -> Self {
        Self {
            name,
            columns: Vec::new(),
            primary_key: None,
            unique: Vec::new(),
            checks: Vec::new(),
            foreign_keys: Vec::new(),
            indexes: Vec::new(),
        }
    }

    /// The column of that name.
    pub(crate) fn column(&self, name: &str) -> Option<&Column> {
        self.columns.iter().find(|column| column.name == name)
    }

    /// The column of that name, to be changed.
    pub(crate) fn column_mut(&mut self, name: &str) -> Option<&mut Column> {
        self.columns.iter_mut().find(|column| column.name == name)
    }

    /// The identity column that is the whole primary key, if there is one: SQLite's row id counts it.
    pub(crate) fn counted(&self) -> Option<&Column> {
        let [name] = self.primary_key.as_ref()?.columns.as_slice() else { return None };
        self.column(name).filter(|column| column.identity.is_some())
    }

    /// True when no two rows have the same values in these columns, in whatever order the key has them.
    pub(crate) fn has_key_of(&self, columns: &[String]) -> bool {
        let is_same = |key: &[String]| key.len() == columns.len() && columns.iter().all(|column| key.contains(column));
        let is_full = |index: &&Index| index.uniqueness == Uniqueness::Unique && index.predicate.is_none();
        let columns_of = |index: &Index| -> Option<Vec<String>> {
            let name = |part: &IndexPart| {
                let column = self.columns.iter().find(|column| name::quote(&column.name) == part.expression);
                column.map(|column| column.name.clone())
            };
            index.parts.iter().map(name).collect()
        };
        self.primary_key.iter().chain(&self.unique).any(|key| is_same(&key.columns))
            || self.indexes.iter().filter(is_full).filter_map(columns_of).any(|key| is_same(&key))
    }

    /// True when a constraint or an index has that name.
    pub(crate) fn has_constraint(&self, name: &str) -> bool {
        self.primary_key.iter().chain(&self.unique).any(|key| key.name == name)
            || self.checks.iter().any(|check| check.name == name)
            || self.foreign_keys.iter().any(|key| key.name == name)
            || self.indexes.iter().any(|index| index.name == name)
    }

    /// The name that Postgres would choose: `<table>_<columns>_<suffix>`, with a number while it is taken.
    pub(crate) fn free_name(&self, columns: &[String], suffix: &str) -> String {
        let mut base = vec![self.name.as_str()];
        base.extend(columns.iter().map(String::as_str));
        base.push(suffix);
        let base = base.join("_");
        let numbered = (1..).map(|number| format!("{base}{number}"));
        std::iter::once(base.clone()).chain(numbered).find(|name| !self.has_constraint(name)).unwrap_or(base)
    }
}
