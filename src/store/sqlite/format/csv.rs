//! One field of CSV: a value's text as Postgres prints it, quoted as in the text of a record.
//!
//! Source: <https://www.postgresql.org/docs/15/rowtypes.html#ROWTYPES-IO-SYNTAX>,
//! <https://www.postgresql.org/docs/15/arrays.html#ARRAYS-IO>.

use std::borrow::Cow;

use rusqlite::types::ValueRef;

use crate::catalog::TypeKind;
use crate::plan::Zone;
use crate::plan::value::decimal;
use crate::plan::value::form::{self, Scalar};
use crate::store::sqlite::parts;

/// Writes a value as `record_out` writes a field of the type, moments in the zone of who asks; nothing for null.
pub fn write_csv(out: &mut Vec<u8>, value: ValueRef<'_>, kind: &TypeKind, zone: Option<&Zone>) {
    super::with_shown(value, kind, zone, |scalar| write_field(out, scalar, kind));
}

fn write_field(out: &mut Vec<u8>, value: Scalar<'_>, kind: &TypeKind) {
    match (value, kind) {
        (Scalar::Null, _) => {}
        (Scalar::Integer(integer), TypeKind::Boolean) => out.push(if integer == 0 { b'f' } else { b't' }),
        (Scalar::Integer(_) | Scalar::Real(_), _) => form::write_number(out, value, kind),
        (Scalar::Text(text), TypeKind::Array(element)) => match array_literal(text, element) {
            Some(literal) => write_quoted(out, &literal),
            None => write_quoted(out, text.as_bytes()),
        },
        (Scalar::Text(text), TypeKind::Numeric { scale, .. }) => {
            write_quoted(out, decimal::print(text, *scale).as_deref().unwrap_or(text).as_bytes());
        }
        (Scalar::Text(text), _) => write_quoted(out, text.as_bytes()),
        (Scalar::Blob(bytes), _) => {
            let mut text = Vec::with_capacity(bytes.len() * 2 + 2);
            form::write_hexadecimal(&mut text, bytes);
            write_quoted(out, &text);
        }
    }
}

fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | 0x0b | 0x0c | b'\r')
}

fn write_quoted(out: &mut Vec<u8>, text: &[u8]) {
    let is_plain = |byte: &u8| !matches!(byte, b'"' | b'\\' | b'(' | b')' | b',') && !is_space(*byte);
    if !text.is_empty() && text.iter().all(is_plain) {
        out.extend_from_slice(text);
        return;
    }
    out.push(b'"');
    for byte in text {
        if matches!(byte, b'"' | b'\\') {
            out.push(*byte);
        }
        out.push(*byte);
    }
    out.push(b'"');
}

/// An array kept as JSON, as Postgres' literal; `None` when the text is no JSON array.
#[must_use]
pub fn array_literal(json: &str, element: &TypeKind) -> Option<Vec<u8>> {
    let mut literal = Vec::with_capacity(json.len());
    write_array(&mut literal, json, element).map(|()| literal)
}

/// Writes an array kept as JSON as Postgres' literal; `None` when the text is no JSON array.
///
/// Calls itself for arrays inside; planning has bounded how many dimensions an array has.
fn write_array(out: &mut Vec<u8>, json: &str, element: &TypeKind) -> Option<()> {
    let items = parts::elements(json)?;
    out.push(b'{');
    for (index, item) in items.into_iter().enumerate() {
        if index > 0 {
            out.push(b',');
        }
        let is_json = matches!(element, TypeKind::Json | TypeKind::Jsonb);
        match item.as_bytes().first() {
            Some(b'n') => out.extend_from_slice(b"NULL"),
            Some(b'[') if !is_json => write_array(out, item, element)?,
            _ => write_element(out, &element_text(item, element)?),
        }
    }
    out.push(b'}');
    Some(())
}

/// What an element kept as JSON is as text, neither null nor an array; `None` when it is no JSON.
pub fn element_text<'a>(item: &'a str, element: &TypeKind) -> Option<Cow<'a, str>> {
    let is_json = matches!(element, TypeKind::Json | TypeKind::Jsonb);
    Some(match item.as_bytes().first() {
        Some(b'"') if !is_json => Cow::Owned(plain_element(serde_json::from_str(item).ok()?, element)),
        Some(b't') if matches!(element, TypeKind::Boolean) => Cow::Borrowed("t"),
        Some(b'f') if matches!(element, TypeKind::Boolean) => Cow::Borrowed("f"),
        _ => Cow::Borrowed(item),
    })
}

/// The element's text: times stand in JSON with a `T` and minutes of their offset.
fn plain_element(text: String, element: &TypeKind) -> String {
    if !matches!(element, TypeKind::Timestamp | TypeKind::TimestampTz) {
        return text;
    }
    let text = text.replacen('T', " ", 1);
    match text.strip_suffix(":00").filter(|_| *element == TypeKind::TimestampTz) {
        Some(shorter) if shorter.get(10..).is_some_and(|time| time.contains(['+', '-'])) => shorter.to_owned(),
        Some(_) | None => text,
    }
}

fn write_element(out: &mut Vec<u8>, text: &str) {
    let is_special = |byte: &u8| matches!(byte, b'"' | b'\\' | b'{' | b'}' | b',') || is_space(*byte);
    if !text.is_empty() && !text.eq_ignore_ascii_case("null") && !text.as_bytes().iter().any(is_special) {
        out.extend_from_slice(text.as_bytes());
        return;
    }
    out.push(b'"');
    for byte in text.bytes() {
        if matches!(byte, b'"' | b'\\') {
            out.push(b'\\');
        }
        out.push(byte);
    }
    out.push(b'"');
}
