//! `value::type` between types that are not text: numbers rounded and kept in their range, all else by its text.
//!
//! Source: <https://www.postgresql.org/docs/15/sql-createcast.html>; Postgres' `float8_numeric` and its like.

use rusqlite::Result;
use rusqlite::functions::Context;

use super::{Fault, cast, failed, type_at};
use crate::catalog::{TypeKind, TypeName};
use crate::plan::value::form::{self, Scalar};
use crate::plan::{Value, Zone};
use crate::store::sqlite::format::{array_literal, with_shown};
use crate::store::sqlite::session;

/// `berth_convert(value, from, to)`.
pub(super) fn convert(context: &Context<'_>) -> Result<Value> {
    convert_in(None, context)
}

/// `berth_convert_here(value, from, to)`.
pub(super) fn convert_here(context: &Context<'_>) -> Result<Value> {
    convert_in(session::zone().as_ref(), context)
}

fn convert_in(zone: Option<&Zone>, context: &Context<'_>) -> Result<Value> {
    let (from, to) = (type_at(context, 1)?, type_at(context, 2)?);
    with_shown(context.get_raw(0), &from.kind, zone, |value| converted(value, &from.kind, &to, zone)).map_err(failed)
}

/// Moments come as they are shown in the zone: whatever has no zone is what they say there.
fn converted(
    value: Scalar<'_>,
    from: &TypeKind,
    to: &TypeName,
    zone: Option<&Zone>,
) -> std::result::Result<Value, Fault> {
    let is_float = matches!(from, TypeKind::Real | TypeKind::Double);
    match (value, &to.kind) {
        (Scalar::Null, _) => Ok(Value::Null),
        (Scalar::Integer(number), TypeKind::Boolean) => Ok(Value::Integer(i64::from(number != 0))),
        (Scalar::Integer(number), TypeKind::SmallInt | TypeKind::Integer | TypeKind::BigInt) => {
            within(i128::from(number), &to.kind)
        }
        (Scalar::Real(number), TypeKind::SmallInt | TypeKind::Integer | TypeKind::BigInt) => {
            // Of two neighbours floats take the even one, numerics the one away from zero.
            let whole = if is_float { number.round_ties_even() } else { number.round() };
            // What is no number, or beyond the largest, prints as no integer.
            let whole = format!("{whole:.0}").parse().map_err(|_| out_of_range(&to.kind))?;
            within(whole, &to.kind)
        }
        // A sum or a mean, whose digits a float would not hold.
        (Scalar::Text(number), TypeKind::SmallInt | TypeKind::Integer | TypeKind::BigInt)
            if matches!(from, TypeKind::Numeric { .. }) =>
        {
            within(rounded(number).ok_or_else(|| out_of_range(&to.kind))?, &to.kind)
        }
        (Scalar::Real(number), TypeKind::Double) => Ok(Value::Real(number)),
        (Scalar::Real(number), TypeKind::Numeric { .. }) if is_float && number.is_finite() => {
            // The digits that a float holds for certain.
            let digits = if *from == TypeKind::Real { 5 } else { 14 };
            cast::read(&format!("{number:.digits$e}"), to)
        }
        (_, TypeKind::Text { max_length: Some(length) }) => {
            let length = usize::try_from(*length).unwrap_or(usize::MAX);
            Ok(Value::Text(printed(value, from).chars().take(length).collect()))
        }
        (Scalar::Text(text), _) if *from == TypeKind::Jsonb && is_number(&to.kind) => of_json(text, to),
        _ => cast::read_in(zone, &printed(value, from), to),
    }
}

/// A number or a boolean that stands in JSON.
fn of_json(text: &str, to: &TypeName) -> std::result::Result<Value, Fault> {
    let found = match text.bytes().next() {
        Some(b'"') => "string",
        Some(b'[') => "array",
        Some(b'{') => "object",
        Some(b'n') => "null",
        Some(b't' | b'f') if to.kind != TypeKind::Boolean => "boolean",
        Some(b'-' | b'0'..=b'9') if to.kind == TypeKind::Boolean => "numeric",
        _ if to.kind == TypeKind::Boolean => return cast::read(text, to),
        _ => {
            let numeric = TypeKind::NUMERIC;
            let number = cast::read(text, &TypeName { declared: "numeric".to_owned(), kind: numeric.clone() })?;
            return converted(Scalar::from(&number), &numeric, to, None);
        }
    };
    let message = format!("cannot cast jsonb {found} to type {}", to.kind.postgres_name());
    Err(Fault { code: "22023", message })
}

fn is_number(kind: &TypeKind) -> bool {
    matches!(
        kind,
        TypeKind::Boolean
            | TypeKind::SmallInt
            | TypeKind::Integer
            | TypeKind::BigInt
            | TypeKind::Real
            | TypeKind::Double
            | TypeKind::Numeric { .. }
    )
}

fn within(number: i128, kind: &TypeKind) -> std::result::Result<Value, Fault> {
    let is_small = *kind == TypeKind::SmallInt;
    let is_medium = *kind == TypeKind::Integer;
    let fits = (!is_small || i16::try_from(number).is_ok()) && (!is_medium || i32::try_from(number).is_ok());
    let number = i64::try_from(number).ok().filter(|_| fits);
    number.map(Value::Integer).ok_or_else(|| out_of_range(kind))
}

/// The integer that is nearest to decimal digits, of two the one away from zero.
fn rounded(number: &str) -> Option<i128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let away = i128::from(fraction.bytes().next().is_some_and(|digit| digit >= b'5'));
    let whole: i128 = if matches!(whole, "" | "-") { 0 } else { whole.parse().ok()? };
    whole.checked_add(if number.starts_with('-') { -away } else { away })
}

fn out_of_range(kind: &TypeKind) -> Fault {
    Fault { code: "22003", message: format!("{} out of range", kind.postgres_name()) }
}

/// The value as Postgres prints it.
fn printed(value: Scalar<'_>, kind: &TypeKind) -> String {
    let mut text = Vec::new();
    match (value, kind) {
        (Scalar::Null, _) => {}
        (Scalar::Integer(number), TypeKind::Boolean) => return (number != 0).to_string(),
        (Scalar::Integer(_) | Scalar::Real(_), _) => form::write_number(&mut text, value, kind),
        (Scalar::Text(json), TypeKind::Array(element)) => {
            text = array_literal(json, element).unwrap_or_else(|| json.as_bytes().to_vec());
        }
        (Scalar::Text(of), _) => return of.to_owned(),
        (Scalar::Blob(bytes), _) => form::write_hexadecimal(&mut text, bytes),
    }
    String::from_utf8_lossy(&text).into_owned()
}

#[cfg(test)]
mod tests {
    use crate::store::sqlite::functions::tests::computed;

    /// What the SQL literal becomes, as text.
    fn convert(literal: &str, from: &str, to: &str) -> std::result::Result<Option<String>, String> {
        computed(&format!("berth_convert({literal}, '{from}', '{to}')"))
    }

    /// Expected values taken from Postgres 15.
    #[test]
    fn values_become_what_they_become_on_postgres() {
        for (literal, from, to, expected) in [
            ("32767", "integer", "smallint", "32767"),
            ("2.5", "double precision", "integer", "2"),
            ("3.5", "real", "bigint", "4"),
            ("2.5", "numeric", "integer", "3"),
            ("-2.5", "numeric(4,1)", "integer", "-3"),
            ("'8.5'", "numeric", "integer", "9"),
            ("'-0.5'", "numeric", "bigint", "-1"),
            ("'8.0666666666666667'", "numeric", "smallint", "8"),
            ("7", "integer", "boolean", "1"),
            ("1", "boolean", "text", "true"),
            ("1", "boolean", "integer", "1"),
            ("-0.00001", "numeric", "text", "-0.00001"),
            ("2", "numeric(8,2)", "text", "2.00"),
            ("0.30000000000000004", "double precision", "numeric", "0.3"),
            ("1e308", "double precision", "text", "1e+308"),
            ("x'00ff'", "bytea", "text", "\\x00ff"),
            ("'[1,null]'", "integer[]", "text", "{1,NULL}"),
            ("'2024-02-29 10:00:00'", "timestamp", "time", "10:00:00"),
            ("'2024-02-29 10:00:00+00'", "timestamptz", "timestamp", "2024-02-29 10:00:00"),
            ("'2024-02-29'", "date", "timestamptz", "2024-02-29 00:00:00+00"),
            ("'2024-02-29 10:00:00'", "timestamp", "date", "2024-02-29"),
            ("'Yes'", "text", "boolean", "1"),
            ("'Yes'", "text", "varchar(2)", "Ye"),
            ("' 12 '", "text", "integer", "12"),
            ("'1.6'", "jsonb", "integer", "2"),
            ("'true'", "jsonb", "boolean", "1"),
        ] {
            assert_eq!(convert(literal, from, to), Ok(Some(expected.to_owned())), "{literal}::{from}::{to}");
        }
        assert_eq!(convert("NULL", "integer", "text"), Ok(None));
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        for (literal, from, to, expected) in [
            ("32768", "integer", "smallint", "22003: smallint out of range"),
            ("9223372036854775807", "bigint", "integer", "22003: integer out of range"),
            ("'NaN'", "numeric", "bigint", "22003: bigint out of range"),
            ("9e999", "double precision", "bigint", "22003: bigint out of range"),
            ("1e308", "double precision", "real", "22003: \"1e+308\" is out of range for type real"),
            ("'abc'", "text", "integer", "22P02: invalid input syntax for type integer: \"abc\""),
            ("'\"x\"'", "jsonb", "integer", "22023: cannot cast jsonb string to type integer"),
        ] {
            assert_eq!(convert(literal, from, to), Err(expected.to_owned()), "{literal}::{from}::{to}");
        }
    }
}
