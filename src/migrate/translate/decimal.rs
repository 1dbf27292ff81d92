//! Columns of `numeric` that SQLite holds as text, and what becomes of them in an expression.
//!
//! A column stands as it is where it is compared, sorted, grouped or given: there its collation makes it a decimal with
//! all its digits. Everywhere else, in arithmetic and as an argument, it is made a number of SQLite, with 15 digits.

use sqlparser::ast::Expr;

use super::literal::Literal;
use super::scope::{Found, Scope};
use super::{Refusal, name};
use crate::catalog::type_name::DOUBLE_DIGITS;
use crate::catalog::{TypeKind, TypeName};

/// What a `numeric` of many digits is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Column,
    Argument,
}

impl Scope<'_> {
    /// Writes a side of a comparison, a key of an order or a group, or a column that a query gives.
    pub(super) fn write_as_held(&self, expression: &Expr) -> Result<String, Refusal> {
        if let Expr::Nested(inner) = expression
            && self.decimal_origin(inner).is_some()
        {
            return self.write_as_held(inner);
        }
        match self.decimal_origin(expression) {
            Some(Origin::Column) => self.write_name(expression),
            Some(Origin::Argument) | None => self.write(expression),
        }
    }

    /// Writes a value for what holds a `numeric` as text: a column, or the result of a function.
    pub(super) fn write_for_text(&self, expression: &Expr) -> Result<String, Refusal> {
        match self.decimal_origin(expression) {
            Some(_) => self.write_name(expression),
            None => self.write(expression),
        }
    }

    /// As [`write_as_held`](Self::write_as_held), as part of another expression: in parentheses unless it needs none.
    pub(super) fn operand_as_held(&self, expression: &Expr) -> Result<String, Refusal> {
        match self.decimal_origin(expression) {
            Some(Origin::Column) => self.write_as_held(expression),
            Some(Origin::Argument) | None => self.operand(expression),
        }
    }

    /// Writes one side of a comparison with `other`; a constant takes the form of the other side's kind.
    pub(super) fn comparand(&self, side: &Expr, other: &Expr) -> Result<String, Refusal> {
        if let (Some(literal), Some(kind)) = (self.constant(side)?, self.kind(other)) {
            let is_long = matches!(&literal, Literal::Number(digits) if !is_exact_number(digits));
            let kind = if kind.is_wide() && is_long { TypeKind::DECIMAL } else { kind };
            let written = literal.comparable(&kind)?.to_sql();
            return Ok(if kind == TypeKind::Interval { format!("berth_key({written}, 'interval')") } else { written });
        }
        if let Some(written) = self.aligned(side, other)? {
            return Ok(written);
        }
        match (self.decimal_origin(side), self.decimal_origin(other)) {
            // With a column it is compared as the column is.
            (Some(Origin::Argument), Some(Origin::Column)) => self.write_name(side),
            _ => self.operand_as_held(side),
        }
    }

    /// The value of a name as a number, where it may be text.
    pub(super) fn as_number(&self, expression: &Expr, written: String) -> String {
        if self.decimal_origin(expression).is_some() { format!("CAST({written} AS NUMERIC)") } else { written }
    }

    fn decimal_origin(&self, expression: &Expr) -> Option<Origin> {
        let origin = match expression {
            Expr::Nested(inner) => return self.decimal_origin(inner),
            Expr::Identifier(ident) => self.origin_of(&[name::fold(ident)])?,
            Expr::CompoundIdentifier(idents) => {
                let names: Vec<String> = idents.iter().rev().take(2).rev().map(name::fold).collect();
                self.origin_of(&names)?
            }
            Expr::CompoundFieldAccess { .. } => Origin::Column,
            Expr::Value(_) => Origin::Argument,
            _ => return None,
        };
        self.kind(expression).filter(TypeKind::is_wide).map(|_| origin)
    }

    fn origin_of(&self, names: &[String]) -> Option<Origin> {
        Some(match self.find(names)? {
            Found::Column(..) | Found::Member(..) => Origin::Column,
            Found::Argument(_) => Origin::Argument,
        })
    }
}

/// True when SQLite's number with these digits is that number.
fn is_exact_number(digits: &str) -> bool {
    let significant = digits.trim_start_matches(['-', '0', '.']).bytes().filter(u8::is_ascii_digit).count();
    u32::try_from(significant).is_ok_and(|digits| digits <= DOUBLE_DIGITS) || digits.parse::<i64>().is_ok()
}

/// The type, as columns and results of functions hold it.
pub(super) fn held(type_name: TypeName) -> TypeName {
    let kind = if type_name.kind.is_wide() { type_name.kind.as_decimal_text() } else { type_name.kind };
    TypeName { kind, ..type_name }
}
