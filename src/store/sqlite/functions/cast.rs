//! `text::type`: text read as Postgres' input functions read it, into the form in which a column stores it.

use rusqlite::Result;
use rusqlite::functions::Context;
use rusqlite::types::ValueRef;

use super::{Fault, failed, text, type_at};
use crate::catalog::TypeName;
use crate::plan::{self, Value, Zone, value};
use crate::store::sqlite::fault::DETAILS;
use crate::store::sqlite::{bind, session};

/// `berth_cast(text, type)`.
pub(super) fn cast(context: &Context<'_>) -> Result<Value> {
    // What most policies do, for each statement: `current_setting('request.jwt.claims')::json`.
    if let (ValueRef::Text(claims), ValueRef::Text(b"json")) = (context.get_raw(0), context.get_raw(1))
        && session::is_claims(claims)
    {
        return Ok(Value::Text(bind::text(claims).into_owned()));
    }
    let Some(text) = text(context.get_raw(0)) else { return Ok(Value::Null) };
    read(&text, &*type_at(context, 1)?).map_err(failed)
}

/// The value that text is of a type.
pub(super) fn read(text: &str, type_name: &TypeName) -> std::result::Result<Value, Fault> {
    read_in(None, text, type_name)
}

/// The same where clocks are those of a zone.
pub(super) fn read_in(zone: Option<&Zone>, text: &str, type_name: &TypeName) -> std::result::Result<Value, Fault> {
    value::Reader::of(zone).store(text, type_name).map_err(|error| {
        let plan::Error::Sqlstate { code, message, details, .. } = error else {
            return Fault { code: "22P02", message: error.to_string() };
        };
        let details = details.map(|details| format!("{DETAILS}{details}")).unwrap_or_default();
        Fault { code, message: message + &details }
    })
}

#[cfg(test)]
mod tests {
    use crate::store::sqlite::functions::tests::connection;

    fn cast(text: &str, type_name: &str) -> std::result::Result<rusqlite::types::Value, String> {
        let read = |row: &rusqlite::Row<'_>| row.get(0);
        connection().query_row("SELECT berth_cast(?1, ?2)", [text, type_name], read).map_err(|error| error.to_string())
    }

    #[test]
    fn text_is_read_as_the_type_or_refused() {
        use rusqlite::types::Value::{Integer, Text};
        assert_eq!(cast("7", "integer"), Ok(Integer(7)));
        assert_eq!(cast(" yes ", "boolean"), Ok(Integer(1)));
        let uuid = "a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11";
        assert_eq!(cast(&uuid.to_uppercase(), "uuid"), Ok(Text(uuid.to_owned())));
        let invalid = "22P02: invalid input syntax for type integer: \"seven\"";
        assert_eq!(cast("seven", "integer"), Err(invalid.to_owned()));
        assert!(cast("7.5", "bigint").is_err());
        assert!(cast("{", "jsonb").is_err());
    }
}
