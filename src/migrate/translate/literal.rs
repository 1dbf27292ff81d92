//! Literals: read from PostgreSQL's spellings, brought into the form in which SQLite stores a kind of value.

use sqlparser::ast::{Expr, UnaryOperator, Value};

use super::{Refusal, name};
use crate::catalog::{TypeKind, TypeName};
use crate::plan;
use crate::plan::value::{self, Value as Stored};

/// A constant.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Literal {
    /// Text, or a value of another type in quotes.
    Text(String),
    /// A number, as it was written.
    Number(String),
    /// True or false.
    Boolean(bool),
    /// Bytes.
    Bytes(Vec<u8>),
    /// No value.
    Null,
}

impl Literal {
    /// The constant that `expression` is, casts aside; those are [`super::expression`]'s.
    pub(super) fn read(expression: &Expr) -> Option<Self> {
        match expression {
            Expr::Value(value) => Self::read_value(&value.value),
            Expr::Nested(inner) => Self::read(inner),
            Expr::UnaryOp { op: UnaryOperator::Minus, expr } => match Self::read(expr)? {
                Self::Number(number) if !number.starts_with('-') => Some(Self::Number(format!("-{number}"))),
                _ => None,
            },
            _ => None,
        }
    }

    fn read_value(value: &Value) -> Option<Self> {
        match value {
            Value::Number(number, _) => Some(Self::Number(number.clone())),
            Value::SingleQuotedString(text) | Value::EscapedStringLiteral(text) | Value::UnicodeStringLiteral(text) => {
                Some(Self::Text(text.clone()))
            }
            // Of the type `character`, whose trailing spaces go when it becomes any other.
            Value::NationalStringLiteral(text) => Some(Self::Text(text.trim_end_matches(' ').to_owned())),
            Value::DollarQuotedString(text) => Some(Self::Text(text.value.clone())),
            Value::Boolean(value) => Some(Self::Boolean(*value)),
            Value::Null => Some(Self::Null),
            _ => None,
        }
    }

    /// The kind of a number that is written out.
    pub(super) fn number_kind(&self) -> Option<TypeKind> {
        match self {
            Self::Number(number) if number.parse::<i32>().is_ok() => Some(TypeKind::Integer),
            Self::Number(number) if number.parse::<i64>().is_ok() => Some(TypeKind::BigInt),
            Self::Number(_) => Some(TypeKind::NUMERIC),
            Self::Text(_) | Self::Boolean(_) | Self::Bytes(_) | Self::Null => None,
        }
    }

    /// The constant as SQLite reads it.
    pub(super) fn to_sql(&self) -> String {
        match self {
            Self::Text(text) => name::text(text),
            Self::Number(number) => match number.as_str() {
                // SQLite has no word for them, and takes what is too large for one.
                "inf" => "9e999".to_owned(),
                "-inf" => "-9e999".to_owned(),
                _ => number.clone(),
            },
            Self::Boolean(value) => u8::from(*value).to_string(),
            Self::Bytes(bytes) => format!("X'{}'", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
            Self::Null => "NULL".to_owned(),
        }
    }

    /// The same value in the form in which SQLite holds values of `kind`, to be compared with them.
    pub(super) fn comparable(self, kind: &TypeKind) -> Result<Self, Refusal> {
        self.read_as(&type_of(kind), value::coerce)
    }

    /// The same value as a column of the type stores it: it must fit, and is rounded to the type's scale.
    pub(super) fn stored(self, type_name: &TypeName) -> Result<Self, Refusal> {
        self.read_as(type_name, value::store)
    }

    fn read_as(self, type_name: &TypeName, read: ReadValue) -> Result<Self, Refusal> {
        let text = match (self, &type_name.kind) {
            (literal, TypeKind::Any | TypeKind::Other) | (literal @ Self::Null, _) => return Ok(literal),
            (literal @ Self::Bytes(_), TypeKind::Bytea) => return Ok(literal),
            (Self::Number(number), TypeKind::SmallInt | TypeKind::Integer | TypeKind::BigInt) => whole(number),
            (literal, _) => literal.into_text(),
        };
        match read(&text, type_name) {
            Ok(Stored::Null) => Ok(Self::Null),
            Ok(Stored::Integer(number)) if type_name.kind == TypeKind::Boolean => Ok(Self::Boolean(number != 0)),
            Ok(Stored::Integer(number)) => Ok(Self::Number(number.to_string())),
            Ok(Stored::Real(number)) => Ok(Self::Number(format!("{number:?}"))),
            Ok(Stored::Text(text)) => Ok(Self::Text(text)),
            Ok(Stored::Blob(bytes)) => Ok(Self::Bytes(bytes)),
            Err(error) => Err(Refusal(error.to_string())),
        }
    }

    /// What the value is as text.
    pub(super) fn into_text(self) -> String {
        match self {
            Self::Text(text) | Self::Number(text) => text,
            Self::Boolean(value) => value.to_string(),
            Self::Bytes(bytes) => format!("\\x{}", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
            Self::Null => String::new(),
        }
    }
}

/// Reads text as a value of a type.
type ReadValue = fn(&str, &TypeName) -> Result<Stored, plan::Error>;

fn type_of(kind: &TypeKind) -> TypeName {
    TypeName { declared: kind.postgres_name(), kind: kind.clone() }
}

/// A number that is written with a fraction becomes an integer by rounding, which text does not.
fn whole(number: String) -> String {
    match number.parse::<f64>() {
        // Past 2^53 a float no longer tells its neighbours apart: rounding would change the value.
        Ok(real) if number.parse::<i64>().is_err() && real.abs() < 9_007_199_254_740_992.0 => {
            format!("{:.0}", real.round())
        }
        Ok(_) | Err(_) => number,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(kind: &TypeKind, text: &str) -> Result<String, String> {
        Literal::Text(text.to_owned()).comparable(kind).map(|literal| literal.to_sql()).map_err(|refusal| refusal.0)
    }

    #[test]
    fn a_quoted_value_is_stored_as_its_column_holds_it() {
        let text_array = TypeKind::Array(Box::new(TypeKind::Text { max_length: None }));
        let cases = [
            (TypeKind::Integer, " 12 ", "12"),
            (TypeKind::BigInt, "9223372036854775807", "9223372036854775807"),
            (TypeKind::NUMERIC, "1.50", "1.5"),
            (TypeKind::Double, "-Infinity", "-9e999"),
            (TypeKind::Real, "inf", "9e999"),
            (TypeKind::Boolean, "yes", "1"),
            (TypeKind::Boolean, "F", "0"),
            (TypeKind::Uuid, "{A0EEBC99-9C0B4EF8BB6D6BB9BD380A11}", "'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'"),
            (TypeKind::Json, "{\"a\": 1}", "'{\"a\": 1}'"),
            (TypeKind::Bytea, "\\x00fF", "X'00ff'"),
            (TypeKind::Bytea, "a\\\\\\001", "X'615c01'"),
            (text_array, "{a,\"b \\\" c\",NULL}", "'[\"a\",\"b \\\" c\",null]'"),
            (TypeKind::Text { max_length: Some(2) }, "it's", "'it''s'"),
        ];
        for (kind, text, expected) in cases {
            assert_eq!(stored(&kind, text).as_deref(), Ok(expected), "{kind:?} {text}");
        }
    }

    #[test]
    fn what_the_type_cannot_hold_is_refused() {
        for kind in [TypeKind::Integer, TypeKind::Boolean, TypeKind::Uuid, TypeKind::Json, TypeKind::Date] {
            assert!(stored(&kind, "no such {thing").is_err(), "{kind:?}");
        }
    }
}
