//! A value of SQLite as `COPY` takes it, and the one form in which values of both sides are compared.
//!
//! Source: <https://www.postgresql.org/docs/current/sql-copy.html>, "Text Format".

use std::borrow::Cow;

use rusqlite::types::ValueRef;
use thiserror::Error as ThisError;

use crate::catalog::{TypeKind, TypeName};
use crate::plan::value::{self, Value, form};
use crate::store::sqlite::format;

/// Why a value cannot go to Postgres as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ThisError)]
pub enum Unfit {
    /// Text of other bytes.
    #[error("its text is not UTF-8")]
    NotUtf8,
    /// Postgres keeps no such text.
    #[error("its text has a character with the code zero, which Postgres cannot keep")]
    Nul,
}

/// Whether a value is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Presence {
    /// It is.
    Present,
    /// It is null.
    Null,
}

/// Writes the text that Postgres reads as the same value of the type; nothing for null.
pub(super) fn write(out: &mut Vec<u8>, value: ValueRef<'_>, type_name: &TypeName) -> Result<Presence, Unfit> {
    let kind = &type_name.kind;
    match (value, kind) {
        (ValueRef::Null, _) => return Ok(Presence::Null),
        (ValueRef::Integer(integer), TypeKind::Boolean) => out.push(if integer == 0 { b'f' } else { b't' }),
        (ValueRef::Integer(integer), _) => form::write_number(out, form::Scalar::Integer(integer), kind),
        (ValueRef::Real(real), _) => form::write_number(out, form::Scalar::Real(real), kind),
        (ValueRef::Text(bytes), TypeKind::Bytea) => form::write_hexadecimal(out, bytes),
        (ValueRef::Text(bytes), _) => write_text(out, bytes, type_name)?,
        (ValueRef::Blob(bytes), _) => form::write_hexadecimal(out, bytes),
    }
    Ok(Presence::Present)
}

fn write_text(out: &mut Vec<u8>, bytes: &[u8], type_name: &TypeName) -> Result<(), Unfit> {
    let text = std::str::from_utf8(bytes).map_err(|_| Unfit::NotUtf8)?;
    if text.contains('\0') {
        return Err(Unfit::Nul);
    }
    match &type_name.kind {
        TypeKind::Array(element) => match format::array_literal(text, element) {
            Some(literal) => out.extend_from_slice(&literal),
            // No array: the server says so.
            None => out.extend_from_slice(text.as_bytes()),
        },
        TypeKind::Date
        | TypeKind::Time
        | TypeKind::TimeTz
        | TypeKind::Timestamp
        | TypeKind::TimestampTz
        | TypeKind::Interval
        | TypeKind::Uuid => match value::store(text, type_name) {
            // A file that others made has them in many forms.
            Ok(Value::Text(canonical)) => out.extend_from_slice(canonical.as_bytes()),
            Ok(_) | Err(_) => out.extend_from_slice(text.as_bytes()),
        },
        TypeKind::SmallInt
        | TypeKind::Integer
        | TypeKind::BigInt
        | TypeKind::Real
        | TypeKind::Double
        | TypeKind::Numeric { .. }
        | TypeKind::Boolean
        | TypeKind::Text { .. }
        | TypeKind::Json
        | TypeKind::Jsonb
        | TypeKind::Bytea
        | TypeKind::Enum { .. }
        | TypeKind::Any
        | TypeKind::TsVector
        | TypeKind::Other => out.extend_from_slice(text.as_bytes()),
    }
    Ok(())
}

/// The one form of a value's text, whichever side wrote it; `None` where only Postgres knows when two texts are equal.
pub(super) fn canonical<'a>(text: &'a str, type_name: &TypeName) -> Option<Cow<'a, str>> {
    let number = |real: f64, kind: &TypeKind| {
        let mut out = Vec::new();
        form::write_number(&mut out, form::Scalar::Real(real), kind);
        Cow::Owned(String::from_utf8(out).unwrap_or_default())
    };
    Some(match &type_name.kind {
        TypeKind::TsVector | TypeKind::Other => return None,
        TypeKind::Real | TypeKind::Double => {
            text.parse().map_or(Cow::Borrowed(text), |real| number(real, &type_name.kind))
        }
        TypeKind::Numeric { .. } => match text.strip_prefix('-') {
            Some(digits) if digits.bytes().all(|byte| matches!(byte, b'0' | b'.')) => Cow::Borrowed(digits),
            Some(_) | None => Cow::Borrowed(text),
        },
        TypeKind::Jsonb => {
            let canonical = serde_json::from_str(text).ok().and_then(|json| value::canonical_json(&json).ok());
            canonical.map_or(Cow::Borrowed(text), Cow::Owned)
        }
        TypeKind::Boolean => match text {
            "true" => Cow::Borrowed("t"),
            "false" => Cow::Borrowed("f"),
            text => Cow::Borrowed(text),
        },
        TypeKind::SmallInt
        | TypeKind::Integer
        | TypeKind::BigInt
        | TypeKind::Text { .. }
        | TypeKind::Date
        | TypeKind::Time
        | TypeKind::TimeTz
        | TypeKind::Timestamp
        | TypeKind::TimestampTz
        | TypeKind::Interval
        | TypeKind::Uuid
        | TypeKind::Json
        | TypeKind::Bytea
        | TypeKind::Array(_)
        | TypeKind::Enum { .. }
        | TypeKind::Any => Cow::Borrowed(text),
    })
}

/// Writes a field of `COPY` in the text format.
pub(super) fn escape(out: &mut Vec<u8>, text: &[u8]) {
    for byte in text {
        match byte {
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            byte => out.push(*byte),
        }
    }
}

/// Reads a field of `COPY` in the text format; `None` for null.
pub(super) fn unescape(field: &[u8]) -> Option<Cow<'_, [u8]>> {
    if field == b"\\N" {
        return None;
    }
    if !field.contains(&b'\\') {
        return Some(Cow::Borrowed(field));
    }
    let mut text = Vec::with_capacity(field.len());
    let mut bytes = field.iter();
    while let Some(byte) = bytes.next() {
        text.push(match (byte, if *byte == b'\\' { bytes.next() } else { None }) {
            (_, Some(b'b')) => 0x08,
            (_, Some(b'f')) => 0x0c,
            (_, Some(b'n')) => b'\n',
            (_, Some(b'r')) => b'\r',
            (_, Some(b't')) => b'\t',
            (_, Some(b'v')) => 0x0b,
            (_, Some(other)) => *other,
            (byte, None) => *byte,
        });
    }
    Some(Cow::Owned(text))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::catalog::type_name::Origin;

    fn written(value: ValueRef<'_>, declared: &str) -> String {
        let mut out = Vec::new();
        match write(&mut out, value, &TypeName::parse(declared, Origin::Postgres)).unwrap() {
            Presence::Present => String::from_utf8(out).unwrap(),
            Presence::Null => "null".to_owned(),
        }
    }

    #[test]
    fn values_are_written_as_postgres_reads_them() {
        for (value, declared, text) in [
            (ValueRef::Null, "text", "null"),
            (ValueRef::Integer(1), "boolean", "t"),
            (ValueRef::Integer(12), "numeric(8,2)", "12.00"),
            (ValueRef::Real(0.1), "double precision", "0.1"),
            (ValueRef::Real(1e300), "double precision", "1e+300"),
            (ValueRef::Real(3.1), "numeric(8,2)", "3.10"),
            (ValueRef::Text(b"a\\b\n"), "text", "a\\b\n"),
            (ValueRef::Text(br#"["a","b c",null]"#), "text[]", r#"{a,"b c",NULL}"#),
            (ValueRef::Text(br#"[[1,2],[3,4]]"#), "integer[]", "{{1,2},{3,4}}"),
            (ValueRef::Blob(&[0, 255]), "bytea", "\\x00ff"),
            (ValueRef::Text(b"2024-02-29T10:00:00Z"), "timestamp with time zone", "2024-02-29 10:00:00+00"),
            (ValueRef::Text(b"A0EEBC99-9C0B-4EF8-BB6D-6BB9BD380A11"), "uuid", "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11"),
            (ValueRef::Text(b"no date"), "date", "no date"),
        ] {
            assert_eq!(written(value, declared), text, "{value:?} as {declared}");
        }
        let text = TypeName::parse("text", Origin::Postgres);
        assert_eq!(write(&mut Vec::new(), ValueRef::Text(b"\xff"), &text), Err(Unfit::NotUtf8));
        assert_eq!(write(&mut Vec::new(), ValueRef::Text(b"a\0"), &text), Err(Unfit::Nul));
    }

    #[test]
    fn equal_values_have_one_form() {
        let same = |one: &str, other: &str, declared: &str| {
            let type_name = TypeName::parse(declared, Origin::Postgres);
            assert_eq!(canonical(one, &type_name), canonical(other, &type_name), "{one} and {other} as {declared}");
        };
        same("1e+300", "1e300", "double precision");
        same("-0", "0", "numeric");
        same("-0.00", "0.00", "numeric(8,2)");
        same(r#"{"b":1,"a":{}}"#, r#"{"a": {}, "b": 1}"#, "jsonb");
        let double = TypeName::parse("double precision", Origin::Postgres);
        assert_ne!(canonical("0.1", &double), canonical("0.10000000000000002", &double));
        assert_eq!(canonical("10.0.0.1", &TypeName::parse("inet", Origin::Postgres)), None);
    }

    proptest! {
        #[test]
        fn a_field_is_read_back_as_it_was_written(text in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut field = Vec::new();
            escape(&mut field, &text);
            prop_assert!(!field.contains(&b'\n') && !field.contains(&b'\t'));
            prop_assert_eq!(unescape(&field).unwrap().into_owned(), text);
        }
    }
}
