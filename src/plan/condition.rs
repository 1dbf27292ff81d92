//! Conditions on rows.

use super::Value;
use crate::catalog::TypeName;
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
}

/// What a test looks at.
#[derive(Debug, Clone, PartialEq)]
pub struct Target {
    /// The column's name.
    pub column: String,
    /// The column's type.
    pub type_name: TypeName,
    /// The way into its JSON.
    pub path: Vec<JsonStep>,
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
