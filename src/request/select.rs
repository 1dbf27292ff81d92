//! `select=`.

use super::Field;

/// One item of `select=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SelectItem {
    /// A column, a way into its JSON, `*`, or an aggregate.
    Field {
        /// What; `*` with an aggregate stands for `count()`.
        field: Field,
        /// `.sum()` and its like.
        aggregate: Option<Aggregate>,
        /// `::type` behind the aggregate.
        aggregate_cast: Option<String>,
        /// `::type` behind the field.
        cast: Option<String>,
        /// `alias:`.
        alias: Option<String>,
    },
    /// `alias:relation!hint!inner(…)`.
    Relation {
        /// What it is called in the database (table, foreign key, column).
        name: String,
        /// What it is called in the answer.
        alias: Option<String>,
        /// Which relationship, when there are several.
        hint: Option<String>,
        /// Whether rows without a match stay.
        join: Option<Join>,
        /// What is taken from it.
        select: Vec<SelectItem>,
    },
    /// `...relation(…)`: its columns among those of the level above.
    Spread {
        /// What it is called in the database.
        name: String,
        /// Which relationship, when there are several.
        hint: Option<String>,
        /// Whether rows without a match stay.
        join: Option<Join>,
        /// What is taken from it.
        select: Vec<SelectItem>,
    },
}

/// Aggregate functions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aggregate {
    /// `avg`
    Avg,
    /// `count`
    Count,
    /// `max`
    Max,
    /// `min`
    Min,
    /// `sum`
    Sum,
}

/// Whether a row without an embedded one stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Join {
    /// It does.
    Left,
    /// It does not.
    Inner,
}
