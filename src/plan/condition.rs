//! Conditions on rows.

use std::sync::Arc;

use super::row_security::Rule;
use super::{Related, RowFunction, Value};
use crate::catalog::{QualifiedName, TypeName};
use crate::request::filter::{Comparison, Containment, FullText, IsValue, JsonStep, Quantifier};
use crate::search::Configuration;
use crate::search::index::Question;

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
    /// Each of these, and that a written view shows it.
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

    /// This condition without the help of indexes of words: they do not tell false from unknown, and they look at all rows.
    pub(super) fn forget_indexes(&mut self) {
        match self {
            Self::And(children) | Self::Or(children) => children.iter_mut().for_each(Self::forget_indexes),
            Self::Not(child) | Self::Behind(_, child) => child.forget_indexes(),
            Self::Test(_, Test::Search(search)) => search.index = None,
            // What is asked of related rows is asked of themselves.
            Self::Test(..) | Self::Related(_) => {}
        }
    }

    /// Names of the indexes of words that it is answered from.
    pub(super) fn indexes(&self) -> Vec<&str> {
        match self {
            Self::And(children) | Self::Or(children) => children.iter().flat_map(Self::indexes).collect(),
            Self::Not(child) | Self::Behind(_, child) => child.indexes(),
            Self::Test(_, Test::Search(search)) => search.index.iter().map(|index| index.name.as_str()).collect(),
            Self::Test(..) | Self::Related(_) => Vec::new(),
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
    /// Full text, where a server reads the query.
    FullText {
        /// Which query function.
        operator: FullText,
        /// Text search configuration.
        language: Option<String>,
        /// The query.
        query: String,
    },
    /// Full text, the query read (SQLite).
    Search(Box<Search>),
}

/// A search among words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Search {
    /// What the column holds.
    pub document: Document,
    /// The query, its words as lexemes.
    pub query: String,
    /// The index that finds the rows, or more than those.
    pub index: Option<Indexed>,
}

/// What a searched column holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Document {
    /// The words, made already.
    Vector,
    /// A text.
    Text(Configuration),
    /// JSON, of which the strings are looked at.
    Json(Configuration),
}

/// An index that answers a search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Indexed {
    /// Its name.
    pub name: String,
    /// What it is asked.
    pub question: Question,
}
