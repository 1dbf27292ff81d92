//! The form in which Postgres' `row_to_json` writes a value of each type.
//!
//! Arrays are stored in it and rows are answered in it; so it knows values as a database file holds them, in any
//! storage class, and writes something sensible even where a file made by others holds what its types do not promise.
//!
//! Source: <https://www.postgresql.org/docs/15/functions-json.html>; forms observed on Postgres 15.

use std::io::Write as _;

use serde::de::IgnoredAny;

use super::{Value, decimal};
use crate::catalog::TypeKind;

/// A value in one of SQLite's storage classes, borrowed.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Scalar<'a> {
    /// Null.
    Null,
    /// An integer.
    Integer(i64),
    /// A float.
    Real(f64),
    /// Text.
    Text(&'a str),
    /// Bytes.
    Blob(&'a [u8]),
}

impl<'a> From<&'a Value> for Scalar<'a> {
    fn from(value: &'a Value) -> Self {
        match value {
            Value::Null => Self::Null,
            Value::Integer(integer) => Self::Integer(*integer),
            Value::Real(real) => Self::Real(*real),
            Value::Text(text) => Self::Text(text),
            Value::Blob(bytes) => Self::Blob(bytes),
        }
    }
}

/// Writes a value of the type as JSON. What is written is always one JSON value, whatever the file holds.
pub fn write_json(out: &mut Vec<u8>, value: Scalar<'_>, kind: &TypeKind) {
    match (value, kind) {
        (Scalar::Null, _) => out.extend_from_slice(b"null"),
        (Scalar::Integer(integer), TypeKind::Boolean) => {
            out.extend_from_slice(if integer == 0 { b"false" } else { b"true" });
        }
        (Scalar::Text(text), TypeKind::Boolean) => match super::boolean::read(text) {
            Some(boolean) => out.extend_from_slice(if boolean { b"true" } else { b"false" }),
            None => write_json_string(out, text),
        },
        (
            Scalar::Integer(_) | Scalar::Real(_),
            TypeKind::Text { .. } | TypeKind::Enum { .. } | TypeKind::TsVector | TypeKind::Other,
        ) => {
            out.push(b'"');
            write_number(out, value, kind);
            out.push(b'"');
        }
        (Scalar::Integer(_) | Scalar::Real(_), _) => write_json_number(out, value, kind),
        (Scalar::Text(text), TypeKind::Json | TypeKind::Jsonb | TypeKind::Array(_)) if is_json(text) => {
            out.extend_from_slice(text.as_bytes());
        }
        (Scalar::Text(text), TypeKind::Timestamp) => write_timestamp(out, text, Zone::None),
        (Scalar::Text(text), TypeKind::TimestampTz) => write_timestamp(out, text, Zone::Utc),
        (Scalar::Text(text), TypeKind::Numeric { scale, .. }) => match decimal::print(text, *scale) {
            Some(number) if number.ends_with(|last: char| last.is_ascii_digit()) => {
                out.extend_from_slice(number.as_bytes());
            }
            Some(other) => write_json_string(out, &other),
            None => write_json_string(out, text),
        },
        (Scalar::Text(text), _) => write_json_string(out, text),
        (Scalar::Blob(bytes), _) => {
            out.extend_from_slice(b"\"\\");
            write_hexadecimal(out, bytes);
            out.push(b'"');
        }
    }
}

/// Writes a number; what JSON has no number for becomes a string.
fn write_json_number(out: &mut Vec<u8>, value: Scalar<'_>, kind: &TypeKind) {
    let is_finite = !matches!(value, Scalar::Real(real) if !real.is_finite());
    if !is_finite {
        out.push(b'"');
    }
    write_number(out, value, kind);
    if !is_finite {
        out.push(b'"');
    }
}

/// Writes a number as the type's output function does; nothing for a value that is no number.
pub fn write_number(out: &mut Vec<u8>, value: Scalar<'_>, kind: &TypeKind) {
    match (value, kind) {
        (Scalar::Integer(integer), TypeKind::Numeric { scale: Some(scale @ 1..), .. }) => {
            write_display(out, integer);
            out.push(b'.');
            out.extend(std::iter::repeat_n(b'0', usize::try_from(*scale).unwrap_or_default()));
        }
        (Scalar::Integer(integer), _) => write_display(out, integer),
        (Scalar::Real(real), TypeKind::Numeric { scale, .. }) if real.is_finite() => write_decimal(out, real, *scale),
        (Scalar::Real(real), TypeKind::Real) => write_real(out, real),
        (Scalar::Real(real), _) => write_double(out, real),
        (Scalar::Null | Scalar::Text(_) | Scalar::Blob(_), _) => {}
    }
}

fn write_display(out: &mut Vec<u8>, value: impl std::fmt::Display) {
    // Writing to memory does not fail.
    let _ = write!(out, "{value}");
}

/// Writes the shortest decimal that reads as `real`, filled or rounded to `scale` digits behind the point.
fn write_decimal(out: &mut Vec<u8>, real: f64, scale: Option<u32>) {
    let start = out.len();
    write_display(out, real);
    let Some(scale) = scale.and_then(|scale| usize::try_from(scale).ok()) else { return };
    let written = out.get(start..).unwrap_or_default();
    match written.iter().position(|byte| *byte == b'.') {
        Some(point) if written.len() - point - 1 > scale => {
            out.truncate(start);
            let _ = write!(out, "{real:.scale$}");
        }
        Some(point) => {
            let missing = scale - (written.len() - point - 1);
            out.extend(std::iter::repeat_n(b'0', missing));
        }
        None if scale > 0 => {
            out.push(b'.');
            out.extend(std::iter::repeat_n(b'0', scale));
        }
        None => {}
    }
}

/// Writes as `float8out`: plain from 1e-4 to below 1e15, else with an exponent of at least two digits.
pub fn write_double(out: &mut Vec<u8>, real: f64) {
    if real.is_finite() {
        write_shortest(out, &format!("{real:e}"), 15, &real);
    } else {
        write_not_finite(out, real);
    }
}

/// Writes as `float4out`: plain from 1e-4 to below 1e6.
fn write_real(out: &mut Vec<u8>, real: f64) {
    #[expect(clippy::cast_possible_truncation, reason = "a real is stored as the double that equals it")]
    let narrow = real as f32;
    if narrow.is_finite() {
        write_shortest(out, &format!("{narrow:e}"), 6, &narrow);
    } else {
        write_not_finite(out, real);
    }
}

fn write_not_finite(out: &mut Vec<u8>, real: f64) {
    let name: &[u8] = match (real.is_nan(), real > 0.0) {
        (true, _) => b"NaN",
        (false, true) => b"Infinity",
        (false, false) => b"-Infinity",
    };
    out.extend_from_slice(name);
}

/// `scientific`: the shortest digits with an exponent, as Rust prints them; `plain` prints the same without one.
fn write_shortest(out: &mut Vec<u8>, scientific: &str, plain_below: i32, plain: &dyn std::fmt::Display) {
    let (mantissa, exponent) = scientific.split_once('e').unwrap_or((scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    if (-4..plain_below).contains(&exponent) {
        write_display(out, plain);
    } else {
        let sign = if exponent < 0 { '-' } else { '+' };
        let _ = write!(out, "{mantissa}e{sign}{:02}", exponent.unsigned_abs());
    }
}

/// Whether a timestamp's text ends with an offset.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Zone {
    None,
    Utc,
}

/// Writes `YYYY-MM-DD HH:MM:SS…` with a `T`, and the offset with minutes; any other text as it is.
fn write_timestamp(out: &mut Vec<u8>, text: &str, zone: Zone) {
    let has_date_and_time =
        matches!(text.as_bytes(), [_, _, _, _, b'-', _, _, b'-', _, _, b' ' | b'T', _, _, b':', ..]);
    let Some((date, time)) = text.split_at_checked(10).filter(|_| has_date_and_time) else {
        return write_json_string(out, text);
    };
    let time = time.get(1..).unwrap_or_default();
    let is_plain =
        |part: &str| part.bytes().all(|byte| byte.is_ascii_digit() || matches!(byte, b':' | b'.' | b'-' | b'+'));
    let (clock, offset) = time.split_at(time.find(['+', '-', 'Z']).unwrap_or(time.len()));
    if !is_plain(date) || !is_plain(clock) || !(is_plain(offset) || offset == "Z") {
        return write_json_string(out, text);
    }
    out.push(b'"');
    out.extend_from_slice(date.as_bytes());
    out.push(b'T');
    out.extend_from_slice(clock.as_bytes());
    match (zone, offset.len()) {
        (Zone::None, _) => out.extend_from_slice(offset.as_bytes()),
        (Zone::Utc, 0 | 1) => out.extend_from_slice(b"+00:00"),
        (Zone::Utc, 3) => {
            out.extend_from_slice(offset.as_bytes());
            out.extend_from_slice(b":00");
        }
        (Zone::Utc, _) => out.extend_from_slice(offset.as_bytes()),
    }
    out.push(b'"');
}

/// Writes `\x` and two lower-case digits for each byte.
pub fn write_hexadecimal(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend_from_slice(b"\\x");
    for byte in bytes {
        out.push(hexadecimal_digit(byte >> 4));
        out.push(hexadecimal_digit(byte & 0xf));
    }
}

fn hexadecimal_digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

/// True when the text is one JSON value: a file made by others may hold anything.
#[must_use]
pub fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// Writes a string as Postgres' `escape_json` does: `"`, `\` and control characters escaped, all else as it is.
pub fn write_json_string(out: &mut Vec<u8>, text: &str) {
    out.push(b'"');
    let bytes = text.as_bytes();
    let mut written = 0;
    for (at, byte) in bytes.iter().enumerate() {
        if *byte >= 0x20 && *byte != b'"' && *byte != b'\\' {
            continue;
        }
        out.extend_from_slice(bytes.get(written..at).unwrap_or_default());
        written = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            0x08 => out.extend_from_slice(b"\\b"),
            0x0c => out.extend_from_slice(b"\\f"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            control => {
                out.extend_from_slice(b"\\u00");
                out.push(hexadecimal_digit(control >> 4));
                out.push(hexadecimal_digit(control & 0xf));
            }
        }
    }
    out.extend_from_slice(bytes.get(written..).unwrap_or_default());
    out.push(b'"');
}
