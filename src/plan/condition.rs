//! Conditions on rows.

use std::sync::Arc;

use super::row_security::Rule;
use super::{Related, RowFunction, Value};
use crate::catalog::{QualifiedName, TypeName};
use crate::request::filter::{Comparison, Containment, FullText, IsValue, JsonStep, Quantifier};

/// A condition on a row.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// Each holds; true when empty.
    And(Vec<Condition>),
    /// One holds.
    Or(Vec<Condition>),
    /// It does not hold (and is not unknown).
    Not(Box<Condition>),
    /// A test of one column.
    Test(Target, Test),
    /// There is a row of another table that belongs to this one.
    Related(Box<Related>),
    /// It holds, and is looked at only where the guard does.
    Behind(Guard, Box<Condition>),
}

/// What tells that a row is there for the sender.
#[derive(Debug, Clone, PartialEq)]
pub enum Guard {
    /// A column of that name.
    Mark(String),
    /// Each of these.
    Rules(Vec<Rule>),
}

impl Condition {
    /// True when it holds of every row.
    #[must_use]
    pub fn is_always(&self) -> bool {
        matches!(self, Self::And(children) if children.is_empty())
    }

    /// How many tests it is made of, those of related rows too.
    #[must_use]
    pub fn size(&self) -> usize {
        match self {
            Self::And(children) | Self::Or(children) => children.iter().map(Self::size).sum(),
            Self::Not(child) | Self::Behind(_, child) => child.size(),
            Self::Test(..) => 1,
            Self::Related(related) => related.filter.size().saturating_add(1),
        }
    }

    /// This condition and `others`.
    #[must_use]
    pub fn and(self, others: Vec<Self>) -> Self {
        match self {
            _ if others.is_empty() => self,
            Self::And(mut children) => {
                children.extend(others);
                Self::And(children)
            }
            Self::Or(_) | Self::Not(_) | Self::Test(..) | Self::Related(_) | Self::Behind(..) => {
                Self::And(std::iter::once(self).chain(others).collect())
            }
        }
    }
}

/// What a test looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The column's name.
    pub column: String,
    /// The function of the row that the name means, where it is no column's (SQLite).
    pub computed: Option<Arc<RowFunction>>,
    /// The column's type.
    pub type_name: TypeName,
    /// The way into its JSON.
    pub path: Vec<JsonStep>,
    /// The function that reads values of requests (Postgres); operators that take patterns do without.
    pub parser: Option<QualifiedName>,
}

/// The test, values typed.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// `column operator value`.
    Compare(Comparison, Value),
    /// `column operator any|all (values)`. On Postgres `values` is one array literal.
    Quantified(Comparison, Quantifier, Vec<Value>),
    /// The column is one of these; never when empty.
    In(Vec<Value>),
    /// `is null` and its like.
    Is(IsValue),
    /// Differs, null being equal to null.
    IsDistinctFrom(Value),
    /// Arrays, JSON, ranges.
    Contain(Containment, Value),
    /// Full text.
    FullText {
        /// Which query function.
        operator: FullText,
        /// Text search configuration.
        language: Option<String>,
        /// The query.
        query: String,
    },
}
