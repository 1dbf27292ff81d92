//! Values as they will be bound.

use super::Error;
use crate::catalog::{TypeKind, TypeName};

/// A value to be bound to a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Null.
    Null,
    /// An integer (SQLite also for booleans: 0 and 1).
    Integer(i64),
    /// A float.
    Real(f64),
    /// Text. On Postgres every value: the server reads it into the type it has in the statement.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}

/// Reads text into a type.
///
/// # Errors
/// [`Error::Sqlstate`] when the text is no value of the type.
pub fn coerce(text: &str, type_name: &TypeName) -> Result<Value, Error> {
    let invalid = || Error::Sqlstate {
        code: "22P02",
        message: format!("invalid input syntax for type {type_name}: \"{text}\""),
        details: None,
        hint: None,
    };
    Ok(match &type_name.kind {
        TypeKind::SmallInt | TypeKind::Integer | TypeKind::BigInt => {
            Value::Integer(text.trim().parse().map_err(|_| invalid())?)
        }
        TypeKind::Real | TypeKind::Double => Value::Real(text.trim().parse().map_err(|_| invalid())?),
        TypeKind::Boolean => match text {
            "true" | "t" => Value::Integer(1),
            "false" | "f" => Value::Integer(0),
            _ => return Err(invalid()),
        },
        TypeKind::Numeric { .. }
        | TypeKind::Text { .. }
        | TypeKind::Date
        | TypeKind::Time
        | TypeKind::TimeTz
        | TypeKind::Timestamp
        | TypeKind::TimestampTz
        | TypeKind::Interval
        | TypeKind::Uuid
        | TypeKind::Json
        | TypeKind::Jsonb
        | TypeKind::Bytea
        | TypeKind::Array(_)
        | TypeKind::Any
        | TypeKind::Other => Value::Text(text.to_owned()),
    })
}

/// Reads a member of a JSON object into a type.
///
/// # Errors
/// [`Error::Sqlstate`] when it is no value of the type.
pub fn from_json(value: &serde_json::Value, type_name: &TypeName) -> Result<Value, Error> {
    match value {
        serde_json::Value::Null => Ok(Value::Null),
        serde_json::Value::String(text) => coerce(text, type_name),
        serde_json::Value::Bool(_)
        | serde_json::Value::Number(_)
        | serde_json::Value::Array(_)
        | serde_json::Value::Object(_) => coerce(&value.to_string(), type_name),
    }
}

/// Reads an array literal (`{a,b}`) into values of its elements' type.
///
/// # Errors
/// [`Error::Sqlstate`] when the text is no array of such values.
pub fn array(text: &str, element: &TypeName) -> Result<Vec<Value>, Error> {
    text.trim_matches(['{', '}']).split(',').filter(|item| !item.is_empty()).map(|item| coerce(item, element)).collect()
}
