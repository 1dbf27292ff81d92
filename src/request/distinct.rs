//! Rows that are given once: `-distinct=` of the query, or `Prefer: distinct`.
//!
//! ```text
//! parameter  = "-distinct=" [ field *( "," field ) ]
//! preference = "distinct" [ "=" field ]              ; may come again, with another field
//! ```
//!
//! Without a field, rows that are equal in all that is selected are given once; with fields, of the rows that are equal
//! in them the first in the order. `field` is in `field.rs`. No column's filter begins with a dash: its name would have
//! to be quoted.

use super::field::field;
use super::lex::{self, Bound, ITEMS_MAX, Lexer};
use super::{Error, Field};

/// The parameter's name.
pub(super) const PARAMETER: &str = "-distinct";

/// Which rows count as the same.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Distinct {
    /// Those that are equal in all that is selected.
    Rows,
    /// Those that are equal in these.
    By(Vec<Field>),
}

/// Parses the value of the parameter.
pub(super) fn parse(value: &str) -> Result<Distinct, Error> {
    if value.is_empty() {
        return Ok(Distinct::Rows);
    }
    let fields = |lexer: &mut Lexer<'_>| {
        let fields = lexer.separated((ITEMS_MAX, Bound::Items), field, Lexer::comma)?;
        lexer.end()?;
        Ok(fields)
    };
    lex::parse("failed to parse distinct parameter", value, value, fields).map(Distinct::By)
}

/// Takes one preference in: the word alone, or one field. `None` when it is none.
pub(super) fn prefer(known: &mut Option<Distinct>, value: Option<&str>) -> Option<()> {
    let field = match value {
        None => {
            known.get_or_insert(Distinct::Rows);
            return Some(());
        }
        Some(value) => match parse(value) {
            Ok(Distinct::By(mut fields)) if fields.len() == 1 => fields.pop()?,
            Ok(Distinct::By(_) | Distinct::Rows) | Err(_) => return None,
        },
    };
    match known {
        None => *known = Some(Distinct::By(vec![field])),
        Some(Distinct::By(fields)) if fields.len() < ITEMS_MAX => fields.push(field),
        // The first wins.
        Some(Distinct::By(_) | Distinct::Rows) => {}
    }
    Some(())
}
