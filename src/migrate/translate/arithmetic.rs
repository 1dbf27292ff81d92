//! Operators and functions on numbers, by berth's functions where only berth evaluates an expression: in views, functions
//! and policies. They keep each type's range and all digits of a `numeric`, and divide by no zero
//! (`store/sqlite/functions/arithmetic.rs`).
//!
//! What they compute of a `numeric` is text, as columns of many digits hold it ([`decimal`](super::decimal)).
//!
//! | left \ right | integers | `numeric` | `real`, `double precision` |
//! |---|---|---|---|
//! | integers | the wider | `numeric` | `double precision` |
//! | `numeric` | `numeric` | `numeric` | `double precision` |
//! | `real` | `double precision` | `double precision` | `real` of two, else `double precision` |
//!
//! Source: <https://www.postgresql.org/docs/15/functions-math.html>.

use sqlparser::ast::{BinaryOperator, DuplicateTreatment, Expr, Function, FunctionArguments, UnaryOperator};

use super::expression::{constant_kind, is_fractional};
use super::function::{arguments, name_of};
use super::literal::Literal;
use super::scope::Scope;
use super::{Refusal, name, refuse};
use crate::catalog::TypeKind;

/// Longest divisor that is written twice.
const DIVISOR_MAX: usize = 200;

/// How an aggregate of numbers is called.
pub(super) struct Gathering {
    pub(super) function: &'static str,
    /// What follows the values.
    pub(super) more: String,
}

impl Scope<'_> {
    /// The kind of number that an expression is.
    pub(super) fn number_kind(&self, expression: &Expr) -> Option<TypeKind> {
        let kind = match expression {
            Expr::Nested(inner) => return self.number_kind(inner),
            _ => constant_kind(expression).or_else(|| self.kind(expression)),
        };
        kind.filter(is_number)
    }

    /// The kind of number that an operator gives, and computes in.
    pub(super) fn result_kind(&self, left: &Expr, operator: &BinaryOperator, right: &Expr) -> Option<TypeKind> {
        result_of((left, &self.kind(left)), operator, (right, &self.kind(right)))
    }

    /// Writes an operator on numbers as a call; `None` when it is none, or what it is on is not known.
    pub(super) fn calculation(
        &self,
        left: &Expr,
        operator: &BinaryOperator,
        right: &Expr,
    ) -> Result<Option<String>, Refusal> {
        let Some(function) = function_of(operator) else { return Ok(None) };
        let Some(kind) = self.result_kind(left, operator, right) else { return Ok(None) };
        if *operator == BinaryOperator::Modulo && matches!(kind, TypeKind::Real | TypeKind::Double) {
            return refuse(format!("operator does not exist: {kind} % {kind}", kind = kind.postgres_name()));
        }
        let (left, right) = (self.number(left, &kind)?, self.number(right, &kind)?);
        Ok(Some(format!("{function}({left}, {right}, {})", name::text(&kind.postgres_name()))))
    }

    /// Writes a number with its sign turned round; `None` as for [`calculation`](Self::calculation).
    pub(super) fn negation(&self, operator: &UnaryOperator, inner: &Expr) -> Result<Option<String>, Refusal> {
        let Some(kind) = self.number_kind(inner).filter(|_| *operator == UnaryOperator::Minus) else { return Ok(None) };
        let kind = unbounded(kind);
        let (number, named) = (self.number(inner, &kind)?, name::text(&kind.postgres_name()));
        Ok(Some(match kind {
            // Of floats there is a negative zero.
            TypeKind::Real | TypeKind::Double => format!("berth_multiply({number}, -1, {named})"),
            _ => format!("berth_subtract(0, {number}, {named})"),
        }))
    }

    /// A function on numbers as a call of berth's; `None` as for [`calculation`](Self::calculation).
    pub(super) fn number_function(&self, name: &str, arguments: &[&Expr]) -> Result<Option<String>, Refusal> {
        let Some(kind) = self.number_function_kind(name, arguments) else { return Ok(None) };
        let named = name::text(&kind.postgres_name());
        Ok(match (name, arguments) {
            ("mod", [left, right]) => self.calculation(left, &BinaryOperator::Modulo, right)?,
            ("pow" | "power", [left, right]) => self.calculation(left, &BinaryOperator::PGExp, right)?,
            ("abs" | "floor" | "ceil" | "ceiling" | "sign", [number]) => {
                let function = if name == "ceiling" { "ceil" } else { name };
                Some(format!("berth_{function}({}, {named})", self.number(number, &kind)?))
            }
            ("round" | "trunc", [number]) => Some(format!("berth_{name}({}, 0, {named})", self.number(number, &kind)?)),
            ("round" | "trunc", [number, digits]) => {
                Some(format!("berth_{name}({}, {}, {named})", self.number(number, &kind)?, self.write(digits)?))
            }
            _ => None,
        })
    }

    /// The kind that a function on numbers gives.
    pub(super) fn number_function_kind(&self, name: &str, arguments: &[&Expr]) -> Option<TypeKind> {
        let of = |expression: &Expr| self.number_kind(expression).map(unbounded);
        match (name, arguments) {
            ("mod", [left, right]) => self.result_kind(left, &BinaryOperator::Modulo, right),
            ("pow" | "power", [left, right]) => self.result_kind(left, &BinaryOperator::PGExp, right),
            ("abs", [number]) => of(number),
            ("round" | "trunc", [number, _]) => of(number).map(|_| TypeKind::DECIMAL),
            ("round" | "trunc" | "floor" | "ceil" | "ceiling" | "sign" | "sqrt" | "exp" | "ln", [number]) => {
                of(number).map(|kind| if matches!(kind, TypeKind::Numeric { .. }) { kind } else { TypeKind::Double })
            }
            _ => None,
        }
    }

    /// How the sum or the mean of numbers is called; `None` where SQLite's own function gives it.
    pub(super) fn gathering(&self, name: &str, call: &Function) -> Option<Gathering> {
        let is_mean = match name {
            "sum" => false,
            "avg" => true,
            _ => return None,
        };
        let FunctionArguments::List(list) = &call.args else { return None };
        let kind = self.number_kind(arguments(call).ok()?.first()?)?;
        let is_distinct = matches!(list.duplicate_treatment, Some(DuplicateTreatment::Distinct));
        let more = match kind {
            // Their sum is a `bigint`.
            TypeKind::SmallInt | TypeKind::Integer if !is_mean => return None,
            // SQLite takes DISTINCT before one argument only.
            _ if is_distinct && is_fractional_float(&kind) => return None,
            _ if is_distinct => String::new(),
            TypeKind::Real => ", 'real'".to_owned(),
            TypeKind::Double => ", 'double'".to_owned(),
            TypeKind::Numeric { scale: Some(scale), .. } => format!(", {scale}"),
            _ => ", 0".to_owned(),
        };
        // Neither is a window function.
        let function = if is_mean { "berth_avg" } else { "berth_sum" };
        call.over.is_none().then_some(Gathering { function, more })
    }

    /// A divisor for SQLite's own operators: zero is refused by the one of its functions that tells a text of ours, for
    /// `x / 0` is null there.
    pub(super) fn divisor(&self, divisor: &Expr) -> Result<String, Refusal> {
        let written = self.operand(divisor)?;
        // Inside of a divisor may be others.
        let is_safe = written.len() > DIVISOR_MAX
            || match divisor {
                Expr::Function(call) => name_of(call).is_ok_and(|name| name == "nullif"),
                other => matches!(Literal::read(other), Some(Literal::Number(number)) if number.parse() != Ok(0.0)),
            };
        if is_safe {
            return Ok(written);
        }
        Ok(format!("CASE {written} WHEN 0 THEN json_extract('{{}}', '22012: division by zero') ELSE {written} END"))
    }

    /// `mod(a, b)` by SQLite's own functions, of which that of the name gives a float.
    pub(super) fn remainder(&self, dividend: &Expr, divisor: &Expr) -> Result<String, Refusal> {
        let is_whole = ![dividend, divisor].iter().any(|side| self.kind(side).as_ref().is_some_and(is_fractional));
        let divided = self.divisor(divisor)?;
        if is_whole {
            Ok(format!("{} % {divided}", self.operand(dividend)?))
        } else {
            Ok(format!("mod({}, {divided})", self.write(dividend)?))
        }
    }

    /// Writes an operand of what computes in numbers of a kind.
    fn number(&self, operand: &Expr, kind: &TypeKind) -> Result<String, Refusal> {
        if let Some(literal @ Literal::Text(_)) = self.constant(operand)? {
            return Ok(literal.comparable(kind)?.to_sql());
        }
        if matches!(kind, TypeKind::Numeric { .. }) { self.decimal_operand(operand) } else { self.write(operand) }
    }
}

/// The kind of number that an operator gives on sides whose kinds, but for those of constants, are known.
pub(super) fn result_of(
    (left, left_kind): (&Expr, &Option<TypeKind>),
    operator: &BinaryOperator,
    (right, right_kind): (&Expr, &Option<TypeKind>),
) -> Option<TypeKind> {
    let is_text = |side: &Expr| matches!(Literal::read(side), Some(Literal::Text(_)));
    let number = |side: &Expr, kind: &Option<TypeKind>| constant_kind(side).or_else(|| kind.clone()).filter(is_number);
    let (left, right) = match (number(left, left_kind), number(right, right_kind)) {
        (Some(left), None) if is_text(right) => (left.clone(), left),
        (None, Some(right)) if is_text(left) => (right.clone(), right),
        (left, right) => (left?, right?),
    };
    Some(match (operator, wider(left, right)) {
        (BinaryOperator::PGExp, TypeKind::SmallInt | TypeKind::Integer | TypeKind::BigInt | TypeKind::Real) => {
            TypeKind::Double
        }
        (_, TypeKind::Numeric { .. }) => TypeKind::DECIMAL,
        (_, kind) => kind,
    })
}

/// Berth's function for an operator on numbers.
fn function_of(operator: &BinaryOperator) -> Option<&'static str> {
    Some(match operator {
        BinaryOperator::Plus => "berth_add",
        BinaryOperator::Minus => "berth_subtract",
        BinaryOperator::Multiply => "berth_multiply",
        BinaryOperator::Divide => "berth_divide",
        BinaryOperator::Modulo => "berth_modulo",
        BinaryOperator::PGExp => "berth_power",
        _ => return None,
    })
}

/// The kind that numbers of two kinds are computed in.
fn wider(left: TypeKind, right: TypeKind) -> TypeKind {
    use TypeKind::{BigInt, Double, Integer, Numeric, Real};
    match (left, right) {
        (Real, Real) => Real,
        (Real | Double, _) | (_, Real | Double) => Double,
        (numeric @ Numeric { .. }, _) | (_, numeric @ Numeric { .. }) => numeric,
        (BigInt, _) | (_, BigInt) => BigInt,
        (Integer, _) | (_, Integer) => Integer,
        (other, _) => other,
    }
}

/// The kind that numbers of two kinds are both taken as.
pub(super) fn common(left: TypeKind, right: TypeKind) -> TypeKind {
    if left == right { left } else { unbounded(wider(left, right)) }
}

/// What is computed of a `numeric` has any number of digits.
pub(super) fn unbounded(kind: TypeKind) -> TypeKind {
    if matches!(kind, TypeKind::Numeric { .. }) { TypeKind::DECIMAL } else { kind }
}

fn is_fractional_float(kind: &TypeKind) -> bool {
    matches!(kind, TypeKind::Real | TypeKind::Double)
}

/// True for integers, floats and decimals.
pub(super) fn is_number(kind: &TypeKind) -> bool {
    is_fractional(kind) || matches!(kind, TypeKind::SmallInt | TypeKind::Integer | TypeKind::BigInt)
}
