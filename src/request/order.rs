//! `order=`.
//!
//! ```text
//! order = term { "," term }
//! term  = ( field | relation "(" field ")" ) [ ".asc" | ".desc" ] [ ".nullsfirst" | ".nullslast" ]
//! ```

use super::lex::{Cursor, Fault};
use super::{Error, Field};

/// Most terms of one order: more columns than a table has bring nothing.
const MAX_TERMS: usize = 256;

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

/// Reads the value of `order=`.
pub(super) fn parse(value: &str) -> Result<Vec<OrderTerm>, Error> {
    terms(value).map_err(|fault| fault.into_error("order", value))
}

fn terms(value: &str) -> Result<Vec<OrderTerm>, Fault> {
    let mut cursor = Cursor::new(value);
    let mut terms = Vec::new();
    loop {
        if terms.len() == MAX_TERMS {
            return Err(cursor.fault(&format!("at most {MAX_TERMS} terms")));
        }
        terms.push(term(&mut cursor)?);
        if cursor.is_at_end() {
            return Ok(terms);
        }
        cursor.expect(",").map_err(|_| cursor.fault("\",\" or end of input"))?;
    }
}

fn term(cursor: &mut Cursor<'_>) -> Result<OrderTerm, Fault> {
    let first = cursor.field()?;
    let (relation, field) = if first.path.is_empty() && cursor.eat("(") {
        let field = cursor.field()?;
        cursor.expect(")")?;
        (Some(first.name), field)
    } else {
        (None, first)
    };
    let direction = if word(cursor, ".asc") {
        Some(Direction::Ascending)
    } else if word(cursor, ".desc") {
        Some(Direction::Descending)
    } else {
        None
    };
    let nulls = if word(cursor, ".nullsfirst") {
        Some(Nulls::First)
    } else if word(cursor, ".nullslast") {
        Some(Nulls::Last)
    } else {
        None
    };
    if cursor.eat(".") {
        let expected = match direction {
            None => "\"asc\", \"desc\", \"nullsfirst\" or \"nullslast\"",
            Some(_) => "\"nullsfirst\" or \"nullslast\"",
        };
        return Err(cursor.fault(expected));
    }
    cursor.skip_blanks();
    Ok(OrderTerm { relation, field, direction, nulls })
}

/// Reads a word that nothing but the next part of a term may follow.
fn word(cursor: &mut Cursor<'_>, token: &str) -> bool {
    let mut ahead = cursor.clone();
    let found = ahead.eat(token) && !ahead.peek().is_some_and(|c| c.is_alphanumeric() || c == '_');
    if found {
        *cursor = ahead;
    }
    found
}
