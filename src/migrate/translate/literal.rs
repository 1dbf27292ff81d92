//! Literals: read from PostgreSQL's spellings, brought into the form in which SQLite stores a kind of value.

use serde::de::IgnoredAny;
use sqlparser::ast::{Expr, UnaryOperator, Value};

use super::array;
use super::{Refusal, datetime, name};
use crate::catalog::TypeKind;

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
            Expr::Prefixed { prefix, value } if prefix.value.eq_ignore_ascii_case("n") => Self::read(value),
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
            Value::SingleQuotedString(text)
            | Value::EscapedStringLiteral(text)
            | Value::UnicodeStringLiteral(text)
            | Value::NationalStringLiteral(text) => Some(Self::Text(text.clone())),
            Value::DollarQuotedString(text) => Some(Self::Text(text.value.clone())),
            Value::Boolean(value) => Some(Self::Boolean(*value)),
            Value::Null => Some(Self::Null),
            _ => None,
        }
    }

    /// The constant as SQLite reads it.
    pub(super) fn to_sql(&self) -> String {
        match self {
            Self::Text(text) => name::text(text),
            Self::Number(number) => number.clone(),
            Self::Boolean(value) => u8::from(*value).to_string(),
            Self::Bytes(bytes) => format!("X'{}'", bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()),
            Self::Null => "NULL".to_owned(),
        }
    }

    /// The same value in the form in which a column of `kind` holds it.
    pub(super) fn canonical(self, kind: &TypeKind) -> Result<Self, Refusal> {
        if self == Self::Null {
            return Ok(self);
        }
        let shown = self.to_sql();
        let invalid = |of: &str| Refusal(format!("invalid input syntax for type {of}: {shown}"));
        match kind {
            TypeKind::SmallInt | TypeKind::Integer | TypeKind::BigInt => {
                self.integer().ok_or_else(|| invalid("integer"))
            }
            TypeKind::Real | TypeKind::Double | TypeKind::Numeric { .. } => {
                self.number().ok_or_else(|| invalid("numeric"))
            }
            TypeKind::Boolean => self.boolean().ok_or_else(|| invalid("boolean")),
            TypeKind::Date | TypeKind::Time | TypeKind::TimeTz | TypeKind::Timestamp | TypeKind::TimestampTz => {
                let Self::Text(text) = &self else { return Err(invalid("timestamp")) };
                datetime::canonical(kind, text).map(Self::Text).ok_or_else(|| invalid("timestamp"))
            }
            TypeKind::Uuid => self.uuid().ok_or_else(|| invalid("uuid")),
            TypeKind::Json | TypeKind::Jsonb => {
                let Self::Text(text) = self else { return Err(invalid("json")) };
                if serde_json::from_str::<IgnoredAny>(&text).is_err() {
                    return Err(invalid("json"));
                }
                Ok(Self::Text(text))
            }
            TypeKind::Bytea => self.bytes().ok_or_else(|| invalid("bytea")),
            TypeKind::Array(element) => {
                let Self::Text(text) = &self else { return Err(invalid("array")) };
                Ok(Self::Text(array::to_json(text, element)?))
            }
            TypeKind::Text { .. } => Ok(Self::Text(self.into_text())),
            TypeKind::Interval | TypeKind::Any | TypeKind::Other => Ok(self),
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

    fn integer(self) -> Option<Self> {
        let (Self::Text(text) | Self::Number(text)) = self else { return None };
        let text = text.trim();
        if let Ok(number) = text.parse::<i64>() {
            return Some(Self::Number(number.to_string()));
        }
        let number: f64 = text.parse().ok()?;
        // Past 2^53 a float no longer tells its neighbours apart: rounding would change the value.
        (number.abs() < 9_007_199_254_740_992.0).then(|| Self::Number(format!("{:.0}", number.round())))
    }

    fn number(self) -> Option<Self> {
        let (Self::Text(text) | Self::Number(text)) = self else { return None };
        let text = text.trim();
        let finite = text.parse::<f64>().is_ok_and(f64::is_finite);
        finite.then(|| Self::Number(text.trim_start_matches('+').to_owned()))
    }

    fn boolean(self) -> Option<Self> {
        let text = match self {
            Self::Boolean(_) => return Some(self),
            Self::Text(text) | Self::Number(text) => text.trim().to_ascii_lowercase(),
            Self::Bytes(_) | Self::Null => return None,
        };
        match text.as_str() {
            "t" | "true" | "y" | "yes" | "on" | "1" => Some(Self::Boolean(true)),
            "f" | "false" | "n" | "no" | "off" | "0" => Some(Self::Boolean(false)),
            _ => None,
        }
    }

    fn uuid(self) -> Option<Self> {
        let Self::Text(text) = self else { return None };
        let digits: String = text.trim_matches(['{', '}']).chars().filter(|c| *c != '-').collect();
        if digits.len() != 32 || !digits.bytes().all(|digit| digit.is_ascii_hexdigit()) {
            return None;
        }
        let mut uuid = String::with_capacity(36);
        for (at, digit) in digits.chars().enumerate() {
            if matches!(at, 8 | 12 | 16 | 20) {
                uuid.push('-');
            }
            uuid.push(digit.to_ascii_lowercase());
        }
        Some(Self::Text(uuid))
    }

    /// `\x…` in hexadecimal, or the older form with `\\` and octal `\nnn`.
    fn bytes(self) -> Option<Self> {
        let text = match self {
            Self::Text(text) => text,
            Self::Bytes(_) => return Some(self),
            Self::Number(_) | Self::Boolean(_) | Self::Null => return None,
        };
        let mut bytes = Vec::new();
        if let Some(digits) = text.strip_prefix("\\x") {
            let digits: Vec<u32> = digits.chars().map(|digit| digit.to_digit(16)).collect::<Option<_>>()?;
            for pair in digits.chunks(2) {
                let [high, low] = pair else { return None };
                bytes.push(u8::try_from(high * 16 + low).ok()?);
            }
            return Some(Self::Bytes(bytes));
        }
        let mut rest = text.as_bytes();
        while let Some((byte, after)) = rest.split_first() {
            rest = after;
            if *byte != b'\\' {
                bytes.push(*byte);
            } else if let Some(after) = rest.strip_prefix(b"\\") {
                rest = after;
                bytes.push(b'\\');
            } else {
                let octal = std::str::from_utf8(rest.get(..3)?).ok()?;
                bytes.push(u8::from_str_radix(octal, 8).ok()?);
                rest = rest.get(3..)?;
            }
        }
        Some(Self::Bytes(bytes))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn stored(kind: &TypeKind, text: &str) -> Result<String, String> {
        Literal::Text(text.to_owned()).canonical(kind).map(|literal| literal.to_sql()).map_err(|refusal| refusal.0)
    }

    #[test]
    fn a_quoted_value_is_stored_as_its_column_holds_it() {
        let text_array = TypeKind::Array(Box::new(TypeKind::Text { max_length: None }));
        let cases = [
            (TypeKind::Integer, " 12 ", "12"),
            (TypeKind::Integer, "2.5", "3"),
            (TypeKind::BigInt, "9223372036854775807", "9223372036854775807"),
            (TypeKind::Numeric { precision: None, scale: None }, "1.50", "1.50"),
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
