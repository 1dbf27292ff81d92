//! `order=`.

use super::Field;

/// One term of `order=`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderTerm {
    /// The to-one embed whose column orders the rows above it: `order=director(name)`.
    pub relation: Option<String>,
    /// What orders.
    pub field: Field,
    /// `asc` without one.
    pub direction: Option<Direction>,
    /// Postgres' rule without one: nulls are greater than everything.
    pub nulls: Option<Nulls>,
}

/// Which way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Direction {
    /// Smallest first.
    Ascending,
    /// Greatest first.
    Descending,
}

/// Where nulls go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Nulls {
    /// `nullsfirst`
    First,
    /// `nullslast`
    Last,
}
