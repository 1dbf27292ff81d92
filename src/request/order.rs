//! `order=`.
//!
//! ```text
//! order     = term *( "," term )
//! term      = ( relation "(" field ")" / field ) [ "." direction ] [ "." nulls ]
//! direction = "asc" / "desc"
//! nulls     = "nullsfirst" / "nullslast"
//! ```
//!
//! `field` and the name of the relation are in `field.rs`.

use super::field::{field, name};
use super::lex::{self, Bound, ITEMS_MAX, Lexer, Parsed};
use super::{Error, Field};

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

/// Parses the value of `order=`.
pub(super) fn parse(value: &str) -> Result<Vec<OrderTerm>, Error> {
    let term = |lexer: &mut Lexer<'_>| lexer.lexeme(term);
    lex::parse("failed to parse order", value, value, |lexer| {
        lexer.separated((ITEMS_MAX, Bound::Items), term, |lexer| lexer.symbol(',', ","))
    })
}

fn term(lexer: &mut Lexer<'_>) -> Parsed<OrderTerm> {
    match lexer.perhaps(relation_term)? {
        Some(term) => Ok(term),
        None => {
            let field = field(lexer)?;
            ending(lexer, None, field)
        }
    }
}

fn relation_term(lexer: &mut Lexer<'_>) -> Parsed<OrderTerm> {
    let relation = name(lexer)?.into_owned();
    lexer.symbol('(', "(")?;
    let field = field(lexer)?;
    lexer.symbol(')', ")")?;
    ending(lexer, Some(relation), field)
}

fn ending(lexer: &mut Lexer<'_>, relation: Option<String>, field: Field) -> Parsed<OrderTerm> {
    let direction = either(lexer, ("asc", Direction::Ascending), ("desc", Direction::Descending))?;
    let nulls = either(lexer, ("nullsfirst", Nulls::First), ("nullslast", Nulls::Last))?;
    if lexer.optional(|lexer| lexer.look_ahead(|lexer| lexer.symbol(',', ",")))?.is_none() {
        lexer.end()?;
    }
    Ok(OrderTerm { relation, field, direction, nulls })
}

/// A dot and one of two words, or nothing.
fn either<T>(lexer: &mut Lexer<'_>, first: (&'static str, T), second: (&'static str, T)) -> Parsed<Option<T>> {
    for (word, meaning) in [first, second] {
        let rule = |lexer: &mut Lexer<'_>| lexer.delimiter().and_then(|()| lexer.word(word));
        if lexer.perhaps(rule)?.is_some() {
            return Ok(Some(meaning));
        }
    }
    Ok(None)
}
