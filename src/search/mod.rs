//! Text search as Postgres does it: a text becomes the words that it is found by, a query is held against them.
//!
//! ```text
//! text  → tokens (scan) → lexemes (configuration) → Vector     the type tsvector
//! query → operands and operators (query/parse)    → Query      the type tsquery
//! ```
//!
//! A pure language of its own: it knows no schema, no SQL and no store. Start at [`Configuration::vector`] and
//! [`Query::matches`]; `index` says how a vector is kept in an index that knows words only.
//!
//! Source: <https://www.postgresql.org/docs/15/textsearch.html>.

mod configuration;
pub mod headline;
pub mod index;
pub mod query;
pub mod rank;
mod scan;
mod stem;
mod stop;
#[cfg(test)]
mod tests;
mod vector;

pub use configuration::{Configuration, lower};
pub use query::{Form, Query};
pub use vector::{Vector, Weight};

use thiserror::Error as ThisError;

/// What is wrong with a query, a document or the name of a configuration, in Postgres' words.
#[derive(Debug, Clone, PartialEq, Eq, ThisError)]
#[error("{message}")]
pub struct Error {
    /// Postgres' code.
    pub code: &'static str,
    /// Postgres' message.
    pub message: String,
}

impl Error {
    fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self { code, message: message.into() }
    }
}
