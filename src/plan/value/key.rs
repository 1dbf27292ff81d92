//! Sort keys: bytes that sort as Postgres sorts the values, of types whose stored text does not.
//!
//! ```text
//! interval  = microseconds, a month being 30 days and a day 24 hours                              16 bytes
//! timetz    = microseconds in UTC, seconds west of it                                             12 bytes
//! array     = *element end dimensions *length             element = %x01 key / %x02 for null, end = %x00
//! jsonb     = %x00 the empty array, at the top only
//!           / %x01 null / %x02 string / %x03 numeric / %x04 boolean
//!           / %x05 length *jsonb / %x06 length *( string jsonb )
//! numeric   = %x00 -Infinity / %x01 the complement of what is positive / %x02 zero
//!           / %x03 exponent *digit end / %x04 Infinity / %x05 NaN                                  digits count from 1
//! string    = its bytes, %x00 and %x01 each behind an %x01, end
//! ```
//!
//! Numbers of a fixed size begin with the highest byte, the sign turned round. Text of a file made by others that is no
//! value of the type sorts behind all.
//!
//! Source: `array_cmp`, `compareJsonbContainers`, `interval_cmp_value`, `timetz_cmp_internal` of Postgres 15.

use std::borrow::Cow;

use serde_json::Value as Json;

use super::interval::SECOND;
use super::numeric::{self, Decimal, Sign};
use super::{Value, interval};
use crate::catalog::TypeKind;

const END: u8 = 0;
const PRESENT: u8 = 1;
const ABSENT: u8 = 2;

/// Before text that is no value of its type.
const UNREADABLE: u8 = 0xff;

/// True for types whose values are sorted by keys.
#[must_use]
pub fn is_needed(kind: &TypeKind) -> bool {
    if let TypeKind::Array(element) = kind {
        return is_of_elements(element);
    }
    matches!(kind, TypeKind::Interval | TypeKind::TimeTz | TypeKind::Jsonb)
}

/// True for types of which equal values may have different texts.
#[must_use]
pub fn tells_equality(kind: &TypeKind) -> bool {
    if let TypeKind::Array(element) = kind {
        let is_number = matches!(**element, TypeKind::Real | TypeKind::Double | TypeKind::Numeric { .. });
        return is_number || tells_equality(element);
    }
    matches!(kind, TypeKind::Interval | TypeKind::Jsonb)
}

/// Types whose equal values may have different texts, by the names that [`collation`] takes.
pub const COLLATED: [&str; 7] =
    ["interval", "jsonb", "interval[]", "jsonb[]", "numeric[]", "real[]", "double precision[]"];

/// The name of the collation by which equal values of a type are one.
#[must_use]
pub fn collation(kind: &TypeKind) -> String {
    fn name(kind: &TypeKind) -> String {
        if let TypeKind::Array(element) = kind {
            return name(element) + "[]";
        }
        if matches!(kind, TypeKind::Numeric { .. }) { "numeric".to_owned() } else { kind.postgres_name() }
    }
    format!("berth {}", name(kind))
}

/// Elements of which the order is known. Those of an enumeration are kept as texts without their places, and a document
/// that is null is kept as what is no document.
fn is_of_elements(element: &TypeKind) -> bool {
    !matches!(
        element,
        TypeKind::Json
            | TypeKind::Jsonb
            | TypeKind::TsVector
            | TypeKind::Enum { .. }
            | TypeKind::Any
            | TypeKind::Other
            | TypeKind::Array(_)
    )
}

/// The key of the text of a value, in the form in which it is stored.
#[must_use]
pub fn of(text: &str, kind: &TypeKind) -> Vec<u8> {
    let mut key = Vec::with_capacity(16);
    let document = || serde_json::from_str(text).ok();
    let written = match (kind, document) {
        (TypeKind::Interval, _) => interval::span(text).map(|micros| key.extend(flipped_wide(micros))),
        (TypeKind::TimeTz, _) => write_timetz(&mut key, text),
        (TypeKind::Numeric { .. }, _) => numeric::read(text).ok().map(|decimal| write_decimal(&mut key, &decimal)),
        (TypeKind::Array(element), document) => document().and_then(|json| write_array(&mut key, &json, element)),
        (_, document) => document().map(|json| write_document(&mut key, &json)),
    };
    if written.is_none() {
        key.clear();
        key.push(UNREADABLE);
        key.extend_from_slice(text.as_bytes());
    }
    key
}

/// What equal values of a type share, and others do not; `None` for null, which is equal to nothing.
#[must_use]
pub fn identity(value: &Value, kind: &TypeKind) -> Option<Vec<u8>> {
    let (class, bytes) = match value {
        Value::Null => return None,
        Value::Integer(integer) => (1, integer.to_be_bytes().to_vec()),
        Value::Real(real) => (2, float(*real).to_vec()),
        Value::Text(text) if kind.is_decimal_text() || tells_equality(kind) => (3, of(text, kind)),
        Value::Text(text) => (4, text.clone().into_bytes()),
        Value::Blob(bytes) => (5, bytes.clone()),
    };
    Some(std::iter::once(class).chain(bytes).collect())
}

fn flipped_wide(number: i128) -> [u8; 16] {
    (number ^ i128::MIN).to_be_bytes()
}

fn flipped(number: i64) -> [u8; 8] {
    (number ^ i64::MIN).to_be_bytes()
}

fn flipped_narrow(number: i32) -> [u8; 4] {
    (number ^ i32::MIN).to_be_bytes()
}

/// A length, which is never negative.
fn write_length(key: &mut Vec<u8>, length: usize) {
    key.extend(u32::try_from(length).unwrap_or(u32::MAX).to_be_bytes());
}

/// `12:30:00.5+02`, `12:30:00-05:30:15`.
fn write_timetz(key: &mut Vec<u8>, text: &str) -> Option<()> {
    let at = text.find(['+', '-'])?;
    let (clock, zone) = text.split_at(at);
    let east = seconds_of(zone.get(1..)?)?.checked_div(SECOND)? * if zone.starts_with('-') { -1 } else { 1 };
    key.extend(flipped(seconds_of(clock)? - east * SECOND));
    key.extend(flipped_narrow(i32::try_from(-east).ok()?));
    Some(())
}

/// Microseconds of `HH[:MM[:SS[.ffffff]]]`.
fn seconds_of(clock: &str) -> Option<i64> {
    let (whole, fraction) = clock.split_once('.').unwrap_or((clock, ""));
    let mut seconds = 0;
    for (part, unit) in whole.split(':').zip([3_600, 60, 1]) {
        seconds += part.parse::<i64>().ok().filter(|number| (0..100).contains(number))? * unit;
    }
    let micros: i64 = format!("{fraction:0<6}").get(..6)?.parse().ok()?;
    Some(seconds * SECOND + micros)
}

/// Element by element, then the number of elements, then the dimensions.
fn write_array(key: &mut Vec<u8>, json: &Json, element: &TypeKind) -> Option<()> {
    let mut lengths = Vec::new();
    write_elements(key, json.as_array()?, element, 0, &mut lengths)?;
    key.push(END);
    key.push(u8::try_from(lengths.len()).ok()?);
    lengths.into_iter().for_each(|length| write_length(key, length));
    Some(())
}

/// Calls itself for arrays inside; `serde_json` bounded the depth when it read the value.
fn write_elements(
    key: &mut Vec<u8>,
    items: &[Json],
    element: &TypeKind,
    depth: usize,
    lengths: &mut Vec<usize>,
) -> Option<()> {
    if lengths.len() == depth && !items.is_empty() {
        lengths.push(items.len());
    }
    for item in items {
        match item {
            Json::Null => key.push(ABSENT),
            Json::Array(inner) => write_elements(key, inner, element, depth + 1, lengths)?,
            Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Object(_) => {
                key.push(PRESENT);
                write_element(key, item, element)?;
            }
        }
    }
    Some(())
}

fn write_element(key: &mut Vec<u8>, item: &Json, element: &TypeKind) -> Option<()> {
    let text = match item {
        Json::String(text) => Cow::Borrowed(text),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::Array(_) | Json::Object(_) => Cow::Owned(item.to_string()),
    };
    match (element, item) {
        (TypeKind::SmallInt | TypeKind::Integer | TypeKind::BigInt, _) => key.extend(flipped(text.parse().ok()?)),
        (TypeKind::Real | TypeKind::Double, _) => key.extend(float(text.parse().ok()?)),
        (TypeKind::Numeric { .. }, _) => write_decimal(key, &numeric::read(&text).ok()?),
        (TypeKind::Boolean, _) => key.push(u8::from(item.as_bool()?)),
        (TypeKind::Interval, _) => key.extend(flipped_wide(interval::span(&text)?)),
        (TypeKind::TimeTz, _) => write_timetz(key, &text)?,
        (_, _) => write_string(key, &text),
    }
    Some(())
}

/// Bits that sort as the numbers do; `NaN` behind all, one zero.
fn float(number: f64) -> [u8; 8] {
    let bits = if number == 0.0 { 0 } else { number.to_bits() };
    if number.is_nan() {
        return [u8::MAX; 8];
    }
    let sign = 1 << 63;
    (if bits & sign == 0 { bits | sign } else { !bits }).to_be_bytes()
}

fn write_string(key: &mut Vec<u8>, text: &str) {
    for byte in text.bytes() {
        if byte <= 1 {
            key.push(1);
        }
        key.push(byte);
    }
    key.push(END);
}

fn write_decimal(key: &mut Vec<u8>, decimal: &Decimal) {
    let number = match decimal {
        Decimal::Infinity(Sign::Minus) => return key.push(0),
        Decimal::Infinity(Sign::Plus) => return key.push(4),
        Decimal::NaN => return key.push(5),
        Decimal::Finite(number) => number,
    };
    let (sign, exponent, digits) = number.significant();
    if digits.is_empty() {
        return key.push(2);
    }
    let start = key.len();
    key.extend(flipped_narrow(exponent));
    key.extend(digits.iter().map(|digit| digit + 1));
    key.push(END);
    match sign {
        Sign::Plus => key.insert(start, 3),
        Sign::Minus => {
            key.iter_mut().skip(start).for_each(|byte| *byte = !*byte);
            key.insert(start, 1);
        }
    }
}

/// An empty array at the top is less than null: so it has always been in Postgres.
fn write_document(key: &mut Vec<u8>, json: &Json) {
    match json {
        Json::Array(items) if items.is_empty() => key.push(0),
        Json::Null | Json::Bool(_) | Json::Number(_) | Json::String(_) | Json::Array(_) | Json::Object(_) => {
            write_json(key, json);
        }
    }
}

/// Calls itself for what is nested; `serde_json` bounded the depth when it read the value.
fn write_json(key: &mut Vec<u8>, json: &Json) {
    match json {
        Json::Null => key.push(1),
        Json::String(text) => {
            key.push(2);
            write_string(key, text);
        }
        Json::Number(number) => {
            key.push(3);
            if let Ok(decimal) = numeric::read(&number.to_string()) {
                write_decimal(key, &decimal);
            }
        }
        Json::Bool(boolean) => key.extend([4, u8::from(*boolean)]),
        Json::Array(items) => {
            key.push(5);
            write_length(key, items.len());
            items.iter().for_each(|item| write_json(key, item));
        }
        Json::Object(members) => {
            key.push(6);
            write_length(key, members.len());
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(left, _), (right, _)| left.len().cmp(&right.len()).then_with(|| left.cmp(right)));
            for (name, member) in members {
                write_string(key, name);
                write_json(key, member);
            }
        }
    }
}

#[cfg(test)]
mod tests;
