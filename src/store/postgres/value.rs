//! Values as the wire has them. What is sent is text, whose type the server infers from the statement.

use std::error::Error as StdError;

use bytes::{Bytes, BytesMut};
use tokio_postgres::types::{Format, FromSql, IsNull, ToSql, Type};

use crate::plan::Value;

/// A value bound as text, whatever type the server gave its placeholder.
#[derive(Debug)]
pub(super) struct Text<'a>(pub(super) &'a Value);

impl ToSql for Text<'_> {
    fn to_sql(&self, _: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        match self.0 {
            Value::Null => return Ok(IsNull::Yes),
            Value::Text(text) => out.extend_from_slice(text.as_bytes()),
            Value::Integer(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Value::Real(number) => out.extend_from_slice(number.to_string().as_bytes()),
            Value::Blob(bytes) => {
                out.extend_from_slice(b"\\x");
                bytes.iter().for_each(|byte| out.extend_from_slice(format!("{byte:02x}").as_bytes()));
            }
        }
        Ok(IsNull::No)
    }

    fn accepts(_: &Type) -> bool {
        true
    }

    fn encode_format(&self, _: &Type) -> Format {
        Format::Text
    }

    fn to_sql_checked(&self, ty: &Type, out: &mut BytesMut) -> Result<IsNull, Box<dyn StdError + Sync + Send>> {
        self.to_sql(ty, out)
    }
}

/// The bytes of a body, of whatever type: those of a text, of JSON, of `bytea`.
#[derive(Debug, Default)]
pub(super) struct Raw(pub(super) Bytes);

impl<'a> FromSql<'a> for Raw {
    fn from_sql(ty: &Type, bytes: &'a [u8]) -> Result<Self, Box<dyn StdError + Sync + Send>> {
        // The first byte is the version of the binary form.
        let bytes = if *ty == Type::JSONB { bytes.get(1..).unwrap_or_default() } else { bytes };
        Ok(Self(Bytes::copy_from_slice(bytes)))
    }

    fn accepts(_: &Type) -> bool {
        true
    }
}
