//! Operators and casts by berth's functions, where only berth evaluates an expression: in policies, and in what asks the
//! request. They mean what Postgres means by them, also where SQLite's own differ: `->>` of a boolean is text, a cast of
//! text that is no number is an error and not zero, `LIKE` takes any pattern.
//!
//! The functions are those of `store/sqlite/functions.rs`.

use sqlparser::ast::{BinaryOperator, Expr};

use super::literal::Literal;
use super::scope::Scope;
use super::{Refusal, name, refuse};
use crate::catalog::TypeKind;
use crate::plan::Value;
use crate::plan::value;

impl Scope<'_> {
    /// Writes an operator as a call; `None` when SQLite's own does, or where berth's functions may not be called.
    pub(super) fn call_for(
        &self,
        left: &Expr,
        operator: &BinaryOperator,
        right: &Expr,
    ) -> Result<Option<String>, Refusal> {
        use BinaryOperator as Op;
        if !self.functions.get().are_extended() {
            return Ok(None);
        }
        let call = |function: &str, first: &Expr, second: &Expr| -> Result<Option<String>, Refusal> {
            Ok(Some(format!("{function}({}, {})", self.structured(first, second)?, self.structured(second, first)?)))
        };
        match operator {
            Op::Arrow => self.step("berth_json", left, right).map(Some),
            Op::LongArrow => self.step("berth_json_text", left, right).map(Some),
            Op::HashArrow => self.path("berth_json", left, right).map(Some),
            Op::HashLongArrow => self.path("berth_json_text", left, right).map(Some),
            Op::AtArrow => call("berth_contains", left, right),
            Op::ArrowAt => call("berth_contains", right, left),
            Op::PGOverlap => call("berth_overlaps", left, right),
            Op::Question => Ok(Some(format!("berth_has_key({}, {})", self.write(left)?, self.write(right)?))),
            Op::PGRegexMatch => self.match_pattern("berth_match", left, right, "").map(Some),
            Op::PGRegexIMatch => self.match_pattern("berth_imatch", left, right, "").map(Some),
            Op::PGRegexNotMatch => self.match_pattern("berth_match", left, right, "NOT ").map(Some),
            Op::PGRegexNotIMatch => self.match_pattern("berth_imatch", left, right, "NOT ").map(Some),
            _ => Ok(None),
        }
    }

    /// One side of an operator between arrays or documents; a constant takes the form of the other side's kind.
    fn structured(&self, side: &Expr, other: &Expr) -> Result<String, Refusal> {
        match (self.constant(side)?, self.kind(other)) {
            (Some(literal), Some(kind)) => Ok(literal.comparable(&kind)?.to_sql()),
            _ => self.write(side),
        }
    }

    fn step(&self, function: &str, document: &Expr, operand: &Expr) -> Result<String, Refusal> {
        Ok(format!("{function}({}, {})", self.write(document)?, self.write(operand)?))
    }

    /// `#>` and `#>>` with a path that is a constant: a step for each element.
    fn path(&self, last: &str, document: &Expr, path: &Expr) -> Result<String, Refusal> {
        let Some(Literal::Text(path)) = self.constant(path)? else {
            return refuse("the path of #> must be a constant");
        };
        let text = TypeKind::Text { max_length: None };
        let steps = value::array(&path, &text).map_err(|error| Refusal(error.to_string()))?;
        let mut written = self.write(document)?;
        for (at, step) in steps.iter().enumerate() {
            let Value::Text(step) = step else { return refuse("a path has no nulls") };
            let function = if at + 1 == steps.len() { last } else { "berth_json" };
            let operand = if step.parse::<i64>().is_ok() { step.clone() } else { name::text(step) };
            written = format!("{function}({written}, {operand})");
        }
        Ok(written)
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
        let array = self.write(array)?;
        let element = self.operand(element)?;
        Ok(format!(
            "CASE WHEN {array} IS NOT NULL THEN {element} {negation}IN (SELECT value FROM json_each({array})) END"
        ))
    }

    /// A cast of text, or of what may be text, as Postgres reads it; `None` for casts of other kinds.
    pub(super) fn read_as(
        &self,
        written: &str,
        from: Option<&TypeKind>,
        declared: &str,
        to: &TypeKind,
    ) -> Option<String> {
        let is_read = matches!(from, None | Some(TypeKind::Text { .. } | TypeKind::Any | TypeKind::Other));
        let is_text = matches!(to, TypeKind::Text { .. } | TypeKind::Any | TypeKind::Other | TypeKind::Enum { .. });
        (self.functions.get().are_extended() && is_read && !is_text)
            .then(|| format!("berth_cast({written}, {})", name::text(declared)))
    }
}
