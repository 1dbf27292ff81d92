//! Arithmetic as Postgres does it on values of a type: within its range, exact for exact numbers, and no division by
//! zero.
//!
//! | function | Postgres |
//! |---|---|
//! | `berth_add(a, b, type)`, `berth_subtract`, `berth_multiply`, `berth_divide`, `berth_modulo` | `a + b`, `-`, `*`, `/`, `%` |
//! | `berth_power(a, b, type)` | `a ^ b` |
//! | `berth_round(a, digits, type)`, `berth_trunc(a, digits, type)` | `round(a, digits)`, `trunc(a, digits)` |
//! | `berth_floor(a, type)`, `berth_ceil`, `berth_abs`, `berth_sign` | `floor(a)` and its like |
//!
//! `type` is the one that the operator computes in: `smallint`, `integer`, `bigint`, `real`, `double precision` or
//! `numeric`. A `numeric` is given as its text, and taken as one or as a number. Powers of `numeric` are computed as those
//! of floats are.
//!
//! Source: `int.c`, `int8.c`, `float.c` and `numeric.c` of Postgres 15.

use rusqlite::functions::Context;
use rusqlite::types::ValueRef;
use rusqlite::{Connection, Result};

use super::exact::{Exact, Rounding};
use super::{Fault, add_of, failed, text};
use crate::plan::Value;

/// Adds the functions to a connection.
pub(super) fn register(connection: &Connection) -> Result<()> {
    for (name, operator) in [
        ("berth_add", Operator::Add),
        ("berth_subtract", Operator::Subtract),
        ("berth_multiply", Operator::Multiply),
        ("berth_divide", Operator::Divide),
        ("berth_modulo", Operator::Modulo),
        ("berth_power", Operator::Power),
    ] {
        add_of(connection, name, 3, move |context| binary(context, operator))?;
    }
    for (name, rounding) in [("berth_round", Rounding::Nearest), ("berth_trunc", Rounding::TowardZero)] {
        add_of(connection, name, 3, move |context| rounded(context, rounding))?;
    }
    for (name, function) in [
        ("berth_floor", Unary::Round(Rounding::Down)),
        ("berth_ceil", Unary::Round(Rounding::Up)),
        ("berth_abs", Unary::Absolute),
        ("berth_sign", Unary::Sign),
    ] {
        add_of(connection, name, 2, move |context| unary(context, function))?;
    }
    Ok(())
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operator {
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Power,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Unary {
    Round(Rounding),
    Absolute,
    Sign,
}

/// The type that is computed in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// With its name and the least and the greatest of its values.
    Integer(&'static str, i64, i64),
    Real,
    Double,
    Numeric,
}

impl Kind {
    fn read(name: ValueRef<'_>) -> Self {
        match name {
            ValueRef::Text(b"smallint") => Self::Integer("smallint", i16::MIN.into(), i16::MAX.into()),
            ValueRef::Text(b"integer") => Self::Integer("integer", i32::MIN.into(), i32::MAX.into()),
            ValueRef::Text(b"bigint") => Self::Integer("bigint", i64::MIN, i64::MAX),
            ValueRef::Text(b"real") => Self::Real,
            ValueRef::Text(b"double precision") => Self::Double,
            ValueRef::Text(_) | ValueRef::Null | ValueRef::Integer(_) | ValueRef::Real(_) | ValueRef::Blob(_) => {
                Self::Numeric
            }
        }
    }
}

fn fault<T>(code: &'static str, message: &str) -> Result<T> {
    Err(failed(Fault { code, message: message.to_owned() }))
}

fn by_zero<T>() -> Result<T> {
    fault("22012", "division by zero")
}

fn is_null(value: ValueRef<'_>) -> bool {
    matches!(value, ValueRef::Null)
}

fn binary(context: &Context<'_>, operator: Operator) -> Result<Value> {
    let (left, right) = (context.get_raw(0), context.get_raw(1));
    if is_null(left) || is_null(right) {
        return Ok(Value::Null);
    }
    match Kind::read(context.get_raw(2)) {
        Kind::Integer(name, least, greatest) => {
            within(of_integers(operator, integer(left)?, integer(right)?)?, (name, least, greatest))
        }
        Kind::Double => of_floats(operator, float(left)?, float(right)?).map(stored_float),
        Kind::Real => {
            let result = of_floats(operator, float(left)?, float(right)?)?;
            let narrow = narrow(result);
            if narrow.is_infinite() && result.is_finite() {
                return fault("22003", "value out of range: overflow");
            }
            Ok(stored_float(narrow))
        }
        Kind::Numeric if operator == Operator::Power => {
            let power = of_floats(operator, float(left)?, float(right)?)?;
            Ok(Value::Text(Exact::read(ValueRef::Real(power))?.to_string()))
        }
        Kind::Numeric => of_exact(operator, Exact::read(left)?, Exact::read(right)?),
    }
}

/// `None`: beyond 64 bits.
fn of_integers(operator: Operator, left: i64, right: i64) -> Result<Option<i64>> {
    Ok(match operator {
        Operator::Add => left.checked_add(right),
        Operator::Subtract => left.checked_sub(right),
        Operator::Multiply => left.checked_mul(right),
        Operator::Divide | Operator::Modulo if right == 0 => return by_zero(),
        Operator::Divide => left.checked_div(right),
        Operator::Modulo => Some(left.wrapping_rem(right)),
        // Postgres computes it of floats.
        Operator::Power => None,
    })
}

fn within(number: Option<i64>, (name, least, greatest): (&str, i64, i64)) -> Result<Value> {
    match number.filter(|number| (least..=greatest).contains(number)) {
        Some(number) => Ok(Value::Integer(number)),
        None => fault("22003", &format!("{name} out of range")),
    }
}

fn of_floats(operator: Operator, left: f64, right: f64) -> Result<f64> {
    let are_finite = left.is_finite() && right.is_finite();
    let result = match operator {
        Operator::Add => left + right,
        Operator::Subtract => left - right,
        Operator::Multiply => left * right,
        Operator::Divide | Operator::Modulo if right == 0.0 && !left.is_nan() => return by_zero(),
        Operator::Divide => left / right,
        Operator::Modulo => left % right,
        Operator::Power if left == 0.0 && right < 0.0 => {
            return fault("2201F", "zero raised to a negative power is undefined");
        }
        Operator::Power if left < 0.0 && right.is_finite() && right.fract() != 0.0 => {
            return fault("2201F", "a negative number raised to a non-integer power yields a complex result");
        }
        Operator::Power => left.powf(right),
    };
    if result.is_infinite() && are_finite {
        return fault("22003", "value out of range: overflow");
    }
    let is_lost = result == 0.0
        && match operator {
            Operator::Multiply => left != 0.0 && right != 0.0,
            Operator::Divide | Operator::Power => left != 0.0 && are_finite,
            Operator::Add | Operator::Subtract | Operator::Modulo => false,
        };
    if is_lost { fault("22003", "value out of range: underflow") } else { Ok(result) }
}

fn of_exact(operator: Operator, left: Exact, right: Exact) -> Result<Value> {
    let result = match operator {
        Operator::Add => left.plus(right),
        Operator::Subtract => left.minus(right),
        Operator::Multiply => left.times(right),
        Operator::Divide | Operator::Power => match left.divided_by(right) {
            Some(quotient) => quotient,
            None => return by_zero(),
        },
        Operator::Modulo => match left.remainder(right) {
            Some(rest) => rest,
            None => return by_zero(),
        },
    };
    stored_exact(&result)
}

fn stored_exact(number: &Exact) -> Result<Value> {
    if number.is_in_range() {
        return Ok(Value::Text(number.to_string()));
    }
    fault("22003", "value overflows numeric format")
}

fn rounded(context: &Context<'_>, rounding: Rounding) -> Result<Value> {
    let (number, digits) = (context.get_raw(0), context.get_raw(1));
    if is_null(number) || is_null(digits) {
        return Ok(Value::Null);
    }
    match Kind::read(context.get_raw(2)) {
        Kind::Numeric | Kind::Integer(..) => stored_exact(&Exact::read(number)?.rounded(integer(digits)?, rounding)),
        Kind::Double | Kind::Real => Ok(stored_float(round_float(float(number)?, rounding))),
    }
}

fn unary(context: &Context<'_>, function: Unary) -> Result<Value> {
    let number = context.get_raw(0);
    if is_null(number) {
        return Ok(Value::Null);
    }
    match (Kind::read(context.get_raw(1)), function) {
        (Kind::Integer(name, least, greatest), Unary::Absolute) => {
            within(integer(number)?.checked_abs(), (name, least, greatest))
        }
        (Kind::Numeric, Unary::Absolute) => stored_exact(&Exact::read(number)?.absolute()),
        (Kind::Numeric, Unary::Sign) => stored_exact(&Exact::read(number)?.signum()),
        (Kind::Numeric, Unary::Round(rounding)) => stored_exact(&Exact::read(number)?.rounded(0, rounding)),
        // Of integers Postgres makes floats for these.
        (Kind::Integer(..) | Kind::Double | Kind::Real, Unary::Sign) => {
            let number = float(number)?;
            Ok(stored_float(if number == 0.0 || number.is_nan() { number } else { number.signum() }))
        }
        (Kind::Double | Kind::Real, Unary::Absolute) => Ok(stored_float(float(number)?.abs())),
        (Kind::Integer(..) | Kind::Double | Kind::Real, Unary::Round(rounding)) => {
            Ok(stored_float(round_float(float(number)?, rounding)))
        }
    }
}

/// Of two neighbours that are equally near floats take the even one.
fn round_float(number: f64, rounding: Rounding) -> f64 {
    match rounding {
        Rounding::Nearest => number.round_ties_even(),
        Rounding::TowardZero => number.trunc(),
        Rounding::Down => number.floor(),
        Rounding::Up => number.ceil(),
    }
}

/// A whole number that a value is. What a file of others has in a column of integers may be none.
fn integer(value: ValueRef<'_>) -> Result<i64> {
    if let ValueRef::Integer(integer) = value {
        return Ok(integer);
    }
    let plain = text(value).unwrap_or_default();
    match plain.parse() {
        Ok(integer) => Ok(integer),
        Err(_) => fault("22P02", &format!("invalid input syntax for type bigint: \"{plain}\"")),
    }
}

/// A float that a value is; `NaN` is held as text.
#[expect(clippy::cast_precision_loss, reason = "Postgres makes the nearest float of an integer too")]
fn float(value: ValueRef<'_>) -> Result<f64> {
    match value {
        ValueRef::Real(real) => Ok(real),
        ValueRef::Integer(integer) => Ok(integer as f64),
        other @ (ValueRef::Null | ValueRef::Text(_) | ValueRef::Blob(_)) => {
            let plain = text(other).unwrap_or_default();
            match plain.trim().parse() {
                Ok(float) => Ok(float),
                Err(_) => fault("22P02", &format!("invalid input syntax for type double precision: \"{plain}\"")),
            }
        }
    }
}

fn stored_float(number: f64) -> Value {
    if number.is_nan() { Value::Text("NaN".to_owned()) } else { Value::Real(number) }
}

#[expect(clippy::cast_possible_truncation, reason = "a real is stored as the double that equals it")]
fn narrow(number: f64) -> f64 {
    f64::from(number as f32)
}

#[cfg(test)]
mod tests {
    use crate::store::sqlite::functions::tests::computed;

    /// Expected values taken from Postgres 15.
    #[test]
    fn results_are_those_of_postgres() {
        for (expression, expected) in [
            ("berth_add(2147483646, 1, 'integer')", "2147483647"),
            ("berth_divide(-7, 2, 'integer')", "-3"),
            ("berth_modulo(-7, 2, 'integer')", "-1"),
            ("berth_modulo(-9223372036854775807 - 1, -1, 'bigint')", "0"),
            ("berth_abs(-7, 'smallint')", "7"),
            ("berth_add('0.1', '0.2', 'numeric')", "0.3"),
            ("berth_add(0.1, 0.2, 'numeric')", "0.3"),
            ("berth_subtract('12345678901234567890.5', 1, 'numeric')", "12345678901234567889.5"),
            ("berth_multiply('1.50', '2.0', 'numeric')", "3.000"),
            (
                "berth_multiply('12345678901234567890123', '98765432109876543210.5', 'numeric')",
                "1219326311370217952255784788711395625659891.5",
            ),
            ("berth_multiply('NaN', 0, 'numeric')", "NaN"),
            ("berth_multiply('Infinity', -2, 'numeric')", "-Infinity"),
            ("berth_multiply('Infinity', 0, 'numeric')", "NaN"),
            ("berth_divide('7.00', '2.00', 'numeric')", "3.5000000000000000"),
            ("berth_divide('99999999.99', '0.03', 'numeric')", "3333333333.00000000"),
            ("berth_divide('1.01', '-1.00', 'numeric')", "-1.01000000000000000000"),
            ("berth_divide('12345678901234567890', '7', 'numeric')", "1763668414462081127"),
            ("berth_divide('1', '3000000000000000000000', 'numeric')", "0.0000000000000000000003333333333333333333"),
            ("berth_divide(0, '0.5', 'numeric')", "0.0000000000000000"),
            ("berth_divide(1, 'Infinity', 'numeric')", "0"),
            ("berth_divide('-Infinity', 2, 'numeric')", "-Infinity"),
            ("berth_modulo('-7.05', '2.50', 'numeric')", "-2.05"),
            ("berth_modulo(1, 'Infinity', 'numeric')", "1"),
            ("berth_round('-7.05', 1, 'numeric')", "-7.1"),
            ("berth_round('1234.5', -2, 'numeric')", "1200"),
            ("berth_round('1250', -2, 'numeric')", "1300"),
            ("berth_round('1.5', 3, 'numeric')", "1.500"),
            ("berth_round('4', -1, 'numeric')", "0"),
            ("berth_trunc('-7.05', 1, 'numeric')", "-7.0"),
            ("berth_round(2.5, 0, 'double precision')", "2.0"),
            ("berth_floor('-7.05', 'numeric')", "-8"),
            ("berth_ceil('7.05', 'numeric')", "8"),
            ("berth_ceil('7.00', 'numeric')", "7"),
            ("berth_sign('-0.10', 'numeric')", "-1"),
            ("berth_abs('-0.10', 'numeric')", "0.10"),
            ("berth_divide('NaN', 0.0, 'double precision')", "NaN"),
            ("berth_subtract(9e999, 9e999, 'double precision')", "NaN"),
            ("berth_power(2, 10, 'double precision')", "1024.0"),
        ] {
            assert_eq!(computed(expression), Ok(Some(expected.to_owned())), "{expression}");
        }
        assert_eq!(computed("berth_divide(NULL, 0, 'integer')"), Ok(None));
    }

    #[test]
    fn what_a_type_does_not_hold_is_refused() {
        for (expression, expected) in [
            ("berth_add(2147483647, 1, 'integer')", "22003: integer out of range"),
            ("berth_add(32767, 1, 'smallint')", "22003: smallint out of range"),
            ("berth_multiply(9223372036854775807, 2, 'bigint')", "22003: bigint out of range"),
            ("berth_divide(-2147483648, -1, 'integer')", "22003: integer out of range"),
            ("berth_abs(-2147483648, 'integer')", "22003: integer out of range"),
            ("berth_divide(1, 0, 'integer')", "22012: division by zero"),
            ("berth_modulo(1, 0, 'bigint')", "22012: division by zero"),
            ("berth_divide('1', '0.00', 'numeric')", "22012: division by zero"),
            ("berth_modulo('1', 0, 'numeric')", "22012: division by zero"),
            ("berth_divide('Infinity', 0, 'numeric')", "22012: division by zero"),
            ("berth_divide(1.0, 0, 'double precision')", "22012: division by zero"),
            ("berth_multiply(1e300, 1e300, 'double precision')", "22003: value out of range: overflow"),
            ("berth_multiply(1e-300, 1e-300, 'double precision')", "22003: value out of range: underflow"),
            ("berth_multiply(1e38, 10, 'real')", "22003: value out of range: overflow"),
            ("berth_power(0, -1, 'double precision')", "2201F: zero raised to a negative power is undefined"),
        ] {
            assert_eq!(computed(expression), Err(expected.to_owned()), "{expression}");
        }
    }
}
