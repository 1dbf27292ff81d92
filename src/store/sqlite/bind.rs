//! Values as SQLite takes them.

use std::borrow::Cow;

use rusqlite::types::{ToSql, ToSqlOutput, ValueRef};

use super::format::array_literal;
use super::session;
use crate::catalog::TypeKind;
use crate::plan::Value;
use crate::plan::value::decimal;
use crate::plan::value::form::{self, Scalar};

impl ToSql for Value {
    /// Lends the value: nothing is copied before SQLite does.
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(value_ref(self)))
    }
}

/// The value as one of SQLite's five kinds.
pub(super) fn value_ref(value: &Value) -> ValueRef<'_> {
    match value {
        Value::Null => ValueRef::Null,
        Value::Integer(integer) => ValueRef::Integer(*integer),
        Value::Real(real) => ValueRef::Real(*real),
        Value::Text(text) => ValueRef::Text(text.as_bytes()),
        Value::Blob(bytes) => ValueRef::Blob(bytes),
    }
}

/// Stored text: what is no UTF-8 in it, as other programs may write it, is replaced.
pub(super) fn text(bytes: &[u8]) -> Cow<'_, str> {
    // `from_utf8_lossy` alone looks at each byte by itself.
    std::str::from_utf8(bytes).map_or_else(|_| String::from_utf8_lossy(bytes), Cow::Borrowed)
}

/// One of SQLite's five kinds as a value.
pub(super) fn value(value: ValueRef<'_>) -> Value {
    match value {
        ValueRef::Null => Value::Null,
        ValueRef::Integer(integer) => Value::Integer(integer),
        ValueRef::Real(real) => Value::Real(real),
        ValueRef::Text(bytes) => Value::Text(text(bytes).into_owned()),
        ValueRef::Blob(bytes) => Value::Blob(bytes.to_vec()),
    }
}

/// The value as Postgres prints one of that kind; `None` for null.
pub(super) fn print(value: ValueRef<'_>, kind: &TypeKind) -> Option<String> {
    let mut printed = Vec::new();
    match (value, kind) {
        (ValueRef::Null, _) => return None,
        (ValueRef::Integer(integer), TypeKind::Boolean) => printed.push(if integer == 0 { b'f' } else { b't' }),
        (ValueRef::Integer(integer), _) => form::write_number(&mut printed, Scalar::Integer(integer), kind),
        (ValueRef::Real(real), _) => form::write_number(&mut printed, Scalar::Real(real), kind),
        (ValueRef::Text(text), TypeKind::Numeric { scale, .. }) => {
            let text = self::text(text);
            let number = decimal::print(&text, *scale);
            printed.extend_from_slice(number.as_deref().unwrap_or(&text).as_bytes());
        }
        (ValueRef::Text(text), TypeKind::Array(element)) => {
            printed = array_literal(&self::text(text), element).unwrap_or_else(|| text.to_vec());
        }
        (ValueRef::Text(text), _) => printed.extend_from_slice(text),
        (ValueRef::Blob(bytes), _) => form::write_hexadecimal(&mut printed, bytes),
    }
    Some(String::from_utf8_lossy(&printed).into_owned())
}

/// The same, moments in the zone of who asks.
pub(super) fn print_here(value: ValueRef<'_>, kind: &TypeKind) -> Option<String> {
    if let (ValueRef::Text(stored), Some(zone)) = (value, session::zone())
        && let Some(shown) = zone.show(&text(stored), kind)
    {
        return print(ValueRef::Text(shown.as_bytes()), kind);
    }
    print(value, kind)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn every_kind_of_value_arrives_as_it_is() {
        let connection = Connection::open_in_memory().unwrap();
        for value in [
            Value::Null,
            Value::Integer(i64::MIN),
            Value::Real(1.5),
            Value::Text("a'\u{0}b".to_owned()),
            Value::Blob(vec![0, 255]),
        ] {
            let mut statement = connection.prepare("SELECT ?1").unwrap();
            let mut rows = statement.query([&value]).unwrap();
            assert_eq!(rows.next().unwrap().unwrap().get_ref(0).unwrap(), value_ref(&value));
        }
    }

    #[test]
    fn values_are_printed_as_postgres_prints_them() {
        let any = TypeKind::Any;
        assert_eq!(print(ValueRef::Null, &any), None);
        assert_eq!(print(ValueRef::Integer(7), &any).as_deref(), Some("7"));
        assert_eq!(print(ValueRef::Integer(1), &TypeKind::Boolean).as_deref(), Some("t"));
        assert_eq!(print(ValueRef::Real(1.5), &any).as_deref(), Some("1.5"));
        assert_eq!(print(ValueRef::Text(b"a b"), &any).as_deref(), Some("a b"));
        assert_eq!(print(ValueRef::Blob(&[1, 255]), &any).as_deref(), Some("\\x01ff"));
    }
}
