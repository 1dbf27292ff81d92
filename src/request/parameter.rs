//! A parameter whose key is a column: a filter, or an argument of a called function.
//!
//! ```text
//! parameter = tree-path "=" ( filter / *any )     ; the latter only for a function called by `GET`
//! ```
//!
//! `tree-path` is in `field.rs`, `filter` in `filter.rs`.

use super::Error;
use super::field::tree_path;
use super::filter::{self, EmbedPath, Field, Filter};
use super::lex::{self, Lexer};

/// What stands behind a key of the query string that names a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Parameter {
    /// A test of the column.
    Filter(Filter),
    /// An argument of a function: the name and the text.
    Argument(String),
}

/// Who reads a parameter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Audience {
    /// A relation: every parameter is a filter.
    Relation,
    /// A function called by `GET`: what has no operator is an argument.
    Function,
}

/// Parses one `key=value`.
pub(super) fn parse(key: &str, value: &str, audience: Audience) -> Result<(EmbedPath, Parameter), Error> {
    let (path, field) = parse_key(key)?;
    let operation = lex::parse("failed to parse filter", value, value, |lexer| {
        let rule = |lexer: &mut Lexer<'_>| filter::operation(lexer, |lexer| Ok(lexer.take_rest().to_owned()));
        match audience {
            Audience::Relation => rule(lexer).map(Some),
            Audience::Function => lexer.optional(rule),
        }
    })?;
    Ok(match operation {
        Some((negated, operation)) => (path, Parameter::Filter(Filter { field, negated, operation })),
        None => (path, Parameter::Argument(field.name)),
    })
}

/// Parses a key: the way to an embedded resource and the field behind it.
pub(super) fn parse_key(key: &str) -> Result<(EmbedPath, Field), Error> {
    lex::parse("failed to parse tree path", key, key, tree_path)
}
