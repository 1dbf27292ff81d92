//! Operators and casts by berth's functions. They mean what Postgres means by them, also where SQLite's own differ: `->>`
//! of a boolean is text, a cast of text that is no number is an error and not zero, `LIKE` takes any pattern.
//!
//! The functions are those of `store/sqlite/functions.rs`.

use sqlparser::ast::{BinaryOperator, Expr};

use super::cast::convert;
use super::decimal::held;
use super::literal::Literal;
use super::scope::Scope;
use super::served::texts;
use super::{Refusal, name};
use crate::catalog::{TypeKind, TypeName};

impl Scope<'_> {
    /// Writes an operator as a call; `None` when SQLite's own does.
    pub(super) fn call_for(
        &self,
        left: &Expr,
        operator: &BinaryOperator,
        right: &Expr,
    ) -> Result<Option<String>, Refusal> {
        use BinaryOperator as Op;
        let call = |function: &str, first: &Expr, second: &Expr| -> Result<Option<String>, Refusal> {
            Ok(Some(format!("{function}({}, {})", self.structured(first, second)?, self.structured(second, first)?)))
        };
        if self.functions.get().are_extended()
            && let Some(written) = self.calculation(left, operator, right)?
        {
            return Ok(Some(written));
        }
        let is_array = |side: &Expr| matches!(self.kind(side), Some(TypeKind::Array(_)));
        match operator {
            Op::Arrow => self.step("berth_json", left, right).map(Some),
            Op::LongArrow => self.step("berth_json_text", left, right).map(Some),
            Op::HashArrow => self.keyed("berth_json_at", left, right).map(Some),
            Op::HashLongArrow => self.keyed("berth_json_text_at", left, right).map(Some),
            Op::HashMinus => self.keyed("berth_json_remove", left, right).map(Some),
            Op::QuestionPipe => self.keyed("berth_has_any_key", left, right).map(Some),
            Op::QuestionAnd => self.keyed("berth_has_all_keys", left, right).map(Some),
            Op::AtArrow if is_array(left) || is_array(right) => call("berth_array_contains", left, right),
            Op::ArrowAt if is_array(left) || is_array(right) => call("berth_array_contains", right, left),
            Op::AtArrow => call("berth_contains", left, right),
            Op::ArrowAt => call("berth_contains", right, left),
            Op::PGOverlap => call("berth_overlaps", left, right),
            Op::Question => self.step("berth_has_key", left, right).map(Some),
            Op::StringConcat => self.join(left, right),
            Op::Minus if self.is_document(left) => self.without(left, right).map(Some),
            Op::PGRegexMatch => self.match_pattern("berth_match", left, right, "").map(Some),
            Op::PGRegexIMatch => self.match_pattern("berth_imatch", left, right, "").map(Some),
            Op::PGRegexNotMatch => self.match_pattern("berth_match", left, right, "NOT ").map(Some),
            Op::PGRegexNotIMatch => self.match_pattern("berth_imatch", left, right, "NOT ").map(Some),
            _ => Ok(None),
        }
    }

    pub(super) fn is_document(&self, expression: &Expr) -> bool {
        matches!(self.kind(expression), Some(TypeKind::Json | TypeKind::Jsonb))
    }

    /// `||` of arrays, of an array and an element, and of documents; `None` where it joins texts.
    fn join(&self, left: &Expr, right: &Expr) -> Result<Option<String>, Refusal> {
        let element_of = |kind: &TypeKind| name::text(&kind.postgres_name());
        let kind =
            |side: &Expr| self.kind(side).or_else(|| Literal::read(side).and_then(|literal| literal.number_kind()));
        Ok(match (kind(left), kind(right)) {
            (Some(TypeKind::Array(_)), None) | (None, Some(TypeKind::Array(_))) => {
                let (left, right) = (self.structured(left, right)?, self.structured(right, left)?);
                Some(format!("berth_array_join({left}, {right})"))
            }
            (Some(TypeKind::Array(_)), Some(TypeKind::Array(_))) => {
                Some(format!("berth_array_join({}, {})", self.write(left)?, self.write(right)?))
            }
            (Some(TypeKind::Array(of)), Some(_)) => {
                Some(format!("berth_array_append({}, {}, {})", self.write(left)?, self.write(right)?, element_of(&of)))
            }
            (Some(_), Some(TypeKind::Array(of))) => {
                Some(format!("berth_array_prepend({}, {}, {})", self.write(right)?, self.write(left)?, element_of(&of)))
            }
            (Some(TypeKind::Jsonb), _) | (_, Some(TypeKind::Jsonb)) => {
                let (left, right) = (self.structured(left, right)?, self.structured(right, left)?);
                Some(format!("berth_json_join({left}, {right})"))
            }
            _ => None,
        })
    }

    /// The kind of what `||` gives.
    pub(super) fn kind_of_joined(&self, left: &Expr, right: &Expr) -> Option<TypeKind> {
        // Each side is asked once, for it asks its own sides.
        let kinds = [self.kind(left), self.kind(right)];
        if kinds[0] == Some(TypeKind::TsVector) {
            return Some(TypeKind::TsVector);
        }
        let found = |wanted: fn(&TypeKind) -> bool| kinds.iter().flatten().find(|kind| wanted(kind)).cloned();
        found(|kind| matches!(kind, TypeKind::Array(_)))
            .or_else(|| found(|kind| *kind == TypeKind::Jsonb))
            .or(Some(TypeKind::Text { max_length: None }))
    }

    /// An operand of `||` as text: what is no text is printed as Postgres prints it.
    pub(super) fn printed(&self, expression: &Expr) -> Result<String, Refusal> {
        let is_decimal = matches!(self.kind(expression), Some(TypeKind::Numeric { .. }));
        if is_decimal && self.functions.get().are_extended() {
            return self.decimal(expression);
        }
        let written = self.operand_as_held(expression)?;
        match self.kind(expression) {
            Some(kind) if is_printed_otherwise(&kind) => self.as_text(&written, &kind),
            _ => Ok(written),
        }
    }

    /// A value of a kind as text.
    pub(super) fn as_text(&self, written: &str, from: &TypeKind) -> Result<String, Refusal> {
        if is_printed_otherwise(from) && *from != TypeKind::Boolean {
            return Ok(format!("berth_convert({written}, {}, 'text')", name::text(&from.postgres_name())));
        }
        convert(written, from, &TypeKind::Text { max_length: None })
    }

    /// `json - key`, where a key in quotes is a member's name.
    fn without(&self, document: &Expr, key: &Expr) -> Result<String, Refusal> {
        let key = match (self.constant(key)?, self.kind(key)) {
            (Some(Literal::Text(_)), Some(kind @ TypeKind::Array(_))) => self.as_constant_of(key, &kind)?,
            _ => self.write(key)?,
        };
        Ok(format!("berth_json_without({}, {key})", self.write(document)?))
    }

    /// A constant in the form of a kind; any other expression as it is.
    pub(super) fn as_constant_of(&self, expression: &Expr, kind: &TypeKind) -> Result<String, Refusal> {
        match self.constant(expression)? {
            Some(literal) => Ok(literal.comparable(kind)?.to_sql()),
            None => self.write(expression),
        }
    }

    /// One side of an operator between arrays or documents; a constant takes the form of the other side's kind.
    fn structured(&self, side: &Expr, other: &Expr) -> Result<String, Refusal> {
        match self.kind(other) {
            Some(kind) if self.kind(side).is_none() => self.as_constant_of(side, &kind),
            _ => self.write(side),
        }
    }

    /// A document and an array of texts.
    fn keyed(&self, function: &str, document: &Expr, keys: &Expr) -> Result<String, Refusal> {
        Ok(format!("{function}({}, {})", self.write(document)?, self.as_constant_of(keys, &texts())?))
    }

    fn step(&self, function: &str, document: &Expr, operand: &Expr) -> Result<String, Refusal> {
        Ok(format!("{function}({}, {})", self.write(document)?, self.write(operand)?))
    }

    /// `LIKE` and its like: pattern, then text.
    pub(super) fn match_pattern(
        &self,
        function: &str,
        subject: &Expr,
        pattern: &Expr,
        negation: &str,
    ) -> Result<String, Refusal> {
        Ok(format!("{negation}{function}({}, {})", self.write(pattern)?, self.write(subject)?))
    }

    /// `element = ANY (array)`, and with `NOT ` before it `element <> ALL (array)`. Of no array nothing is known.
    pub(super) fn any_element(&self, element: &Expr, array: &Expr, negation: &str) -> Result<String, Refusal> {
        if let (true, Some(TypeKind::Array(of))) = (self.is_definition() || self.value.is_some(), self.kind(array)) {
            // A definition takes no query.
            let (array, element) = (self.write(array)?, self.as_constant_of(element, &of)?);
            return Ok(format!("{negation}berth_array_has({array}, {element}, {})", name::text(&of.postgres_name())));
        }
        let array = self.write(array)?;
        let element = self.operand(element)?;
        Ok(format!(
            "CASE WHEN {array} IS NOT NULL THEN {element} {negation}IN (SELECT value FROM json_each({array})) END"
        ))
    }

    /// A cast of what SQLite casts otherwise: floats, which are rounded to the even of two neighbours and printed in their
    /// own way, and arrays as text.
    pub(super) fn converted(&self, written: &str, from: Option<&TypeKind>, to: &TypeKind) -> Option<String> {
        use TypeKind as Kind;
        let is_other = matches!(
            (from?, to),
            (Kind::Real | Kind::Double, Kind::SmallInt | Kind::Integer | Kind::BigInt)
                | (Kind::Real | Kind::Double | Kind::Array(_) | Kind::Bytea, Kind::Text { .. })
                | (Kind::Jsonb, Kind::Boolean | Kind::SmallInt | Kind::Integer | Kind::BigInt)
                | (Kind::Jsonb, Kind::Real | Kind::Double | Kind::Numeric { .. })
        );
        let of = |kind: &Kind| name::text(&kind.postgres_name());
        from.filter(|_| is_other).map(|from| format!("berth_convert({written}, {}, {})", of(from), of(to)))
    }

    /// A cast of text, or of what may be text, as Postgres reads it; `None` for casts of other kinds.
    pub(super) fn read_as(&self, written: &str, from: Option<&TypeKind>, declared: &TypeName) -> Option<String> {
        let to = &declared.kind;
        let is_read = matches!(from, None | Some(TypeKind::Text { .. } | TypeKind::Any | TypeKind::Other));
        let is_text = matches!(to, TypeKind::Text { .. } | TypeKind::Any | TypeKind::Other | TypeKind::Enum { .. });
        (self.functions.get().are_extended() && is_read && !is_text)
            .then(|| format!("berth_cast({written}, {})", name::text(&held(declared.clone()).held_name())))
    }
}

/// True where SQLite makes another text of a value than Postgres does.
fn is_printed_otherwise(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Boolean | TypeKind::Real | TypeKind::Double | TypeKind::Array(_) | TypeKind::Bytea)
}
