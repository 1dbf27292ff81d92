//! Values of `numeric` that are text, and what becomes of them in an expression.
//!
//! A column of many digits is held as text. It stands as it is where it is compared, sorted, grouped or given: there its
//! collation makes it a decimal with all its digits. What berth's functions compute is text as well, and gets that
//! collation where it meets others. Where berth's functions may not be called, in the definitions of tables, a column is
//! made a number of SQLite, with 15 digits, before anything is computed of it.

use sqlparser::ast::{BinaryOperator, Expr};

use super::literal::Literal;
use super::scope::{Found, Scope};
use super::{Refusal, name};
use crate::catalog::type_name::{DECIMAL, DOUBLE_DIGITS};
use crate::catalog::{TypeKind, TypeName};

/// What a `numeric` of many digits is read from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Origin {
    Column,
    Argument,
}

impl Scope<'_> {
    /// Writes a key of an order or a group, or a column that a query gives.
    pub(super) fn write_as_held(&self, expression: &Expr) -> Result<String, Refusal> {
        if let Expr::Nested(inner) = expression
            && self.decimal_origin(inner).is_some()
        {
            return self.write_as_held(inner);
        }
        match self.decimal_origin(expression) {
            Some(Origin::Column) => self.write_name(expression),
            _ if self.is_made_decimal(expression) => Ok(collated(&self.decimal(expression)?)),
            Some(Origin::Argument) | None => self.write(expression),
        }
    }

    /// Writes a value for what holds a `numeric` as text: a column, or the result of a function.
    pub(super) fn write_for_text(&self, expression: &Expr) -> Result<String, Refusal> {
        match self.decimal_origin(expression) {
            Some(Origin::Column) => self.write_name(expression),
            _ if self.is_made_decimal(expression) => self.decimal(expression),
            Some(Origin::Argument) => self.write_name(expression),
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
        match self.compared_as(&[side, other]) {
            Some(TypeKind::Double) => return self.as_double(side),
            Some(_) => return Ok(collated(&self.decimal(side)?)),
            None => {}
        }
        if let (Some(literal), Some(kind)) = (self.constant(side)?, self.kind(other)) {
            let digits = if let Literal::Number(digits) = &literal { Some(digits.as_str()) } else { None };
            // Between two integers lies no integer.
            if super::cast::integer_width(&kind).is_some() && digits.is_some_and(|of| of.parse::<i64>().is_err()) {
                return Ok(literal.to_sql());
            }
            let is_long = digits.is_some_and(|digits| !is_exact_number(digits));
            let kind = match kind {
                TypeKind::Numeric { .. } if is_long && self.is_kept(other) => TypeKind::DECIMAL,
                // What SQLite's own operators compute is a number.
                TypeKind::Numeric { .. } if !self.functions.get().are_extended() => TypeKind::NUMERIC,
                other => other,
            };
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

    /// What numbers are made before they are compared, where they do not compare as they are: decimals, or floats.
    pub(super) fn compared_as(&self, sides: &[&Expr]) -> Option<TypeKind> {
        let is_constant = |side: &&Expr| Literal::read(side).is_some();
        let is_wide = sides.iter().any(|side| !is_constant(side) && self.is_wide(side));
        if !is_wide || !self.functions.get().are_extended() {
            return None;
        }
        let is_float = |side: &&Expr| matches!(self.number_kind(side), Some(TypeKind::Real | TypeKind::Double));
        if sides.iter().any(is_float) {
            return Some(TypeKind::Double);
        }
        // A column compares by its own collation.
        let are_held = sides.iter().all(|side| self.is_kept(side) || is_constant(side));
        (!are_held).then_some(TypeKind::DECIMAL)
    }

    /// Writes a number as a float.
    pub(super) fn as_double(&self, side: &Expr) -> Result<String, Refusal> {
        if !self.is_wide(side) {
            return self.operand(side);
        }
        Ok(format!("berth_convert({}, 'numeric', 'double precision')", self.decimal(side)?))
    }

    /// Writes a number, or what is not known to be one, as the text of a decimal.
    pub(super) fn decimal(&self, expression: &Expr) -> Result<String, Refusal> {
        if let Expr::Nested(inner) = expression {
            return self.decimal(inner);
        }
        if let Some(literal @ (Literal::Number(_) | Literal::Text(_))) = self.constant(expression)? {
            return Ok(literal.comparable(&TypeKind::DECIMAL)?.to_sql());
        }
        let kind = self.number_kind(expression);
        let is_computed = matches!(expression, Expr::BinaryOp { op, .. } if *op != BinaryOperator::StringConcat);
        match kind {
            Some(TypeKind::Numeric { .. }) if is_computed => self.write(expression),
            Some(TypeKind::Numeric { scale: Some(scale), .. }) => {
                Ok(format!("berth_decimal({}, {scale})", self.write(expression)?))
            }
            Some(kind @ (TypeKind::Real | TypeKind::Double)) => {
                let (from, to) = (name::text(&kind.postgres_name()), name::text(&held_name(TypeKind::DECIMAL)));
                Ok(format!("berth_convert({}, {from}, {to})", self.write(expression)?))
            }
            _ => Ok(format!("berth_decimal({})", self.write(expression)?)),
        }
    }

    /// Writes an operand of what computes in decimals: a number or text, with the digits behind the point that its type has.
    pub(super) fn decimal_operand(&self, expression: &Expr) -> Result<String, Refusal> {
        let has_scale = matches!(self.number_kind(expression), Some(TypeKind::Numeric { scale: Some(_), .. }));
        let is_fraction =
            matches!(self.constant(expression)?, Some(Literal::Number(digits)) if digits.parse::<i64>().is_err());
        if has_scale || is_fraction { self.decimal(expression) } else { self.write(expression) }
    }

    /// True for a `numeric` that may have more digits than a number of SQLite keeps.
    pub(super) fn is_wide(&self, expression: &Expr) -> bool {
        self.number_kind(expression).as_ref().is_some_and(TypeKind::is_wide)
    }

    /// True for a `numeric` that is computed, or given with a function's arguments, where berth's functions may be called.
    pub(super) fn is_made_decimal(&self, expression: &Expr) -> bool {
        self.functions.get().are_extended() && !self.is_kept(expression) && self.is_wide(expression)
    }

    /// The value of a name as a number, where it may be text and only SQLite's own functions are to be called.
    pub(super) fn as_number(&self, expression: &Expr, written: String) -> String {
        let is_text = self.decimal_origin(expression).is_some() && !self.functions.get().are_extended();
        if is_text { format!("CAST({written} AS NUMERIC)") } else { written }
    }

    /// True for a column that holds a `numeric` as text.
    pub(super) fn is_kept(&self, expression: &Expr) -> bool {
        self.decimal_origin(expression) == Some(Origin::Column)
    }

    fn decimal_origin(&self, expression: &Expr) -> Option<Origin> {
        let origin = match expression {
            Expr::Nested(inner) => return self.decimal_origin(inner),
            Expr::Identifier(_) | Expr::CompoundIdentifier(_) => self.origin_of(&name::of_column(expression)?)?,
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

/// The text of a decimal, to be compared, sorted or grouped as one.
pub(super) fn collated(written: &str) -> String {
    format!("{written} COLLATE {DECIMAL}")
}

/// The name of a kind, with a word for a `numeric` that is text.
pub(super) fn held_name(kind: TypeKind) -> String {
    TypeName { declared: kind.postgres_name(), kind }.held_name()
}

/// The type, as columns and results of functions hold it.
pub(super) fn held(type_name: TypeName) -> TypeName {
    let kind = if type_name.kind.is_wide() { type_name.kind.as_decimal_text() } else { type_name.kind };
    TypeName { kind, ..type_name }
}
