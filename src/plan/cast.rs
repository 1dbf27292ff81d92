//! Types that a selected field may be cast to.

use super::{Engine, Error};
use crate::catalog::{TypeKind, TypeName};

/// The type that `::name` means.
///
/// On Postgres the server knows its types; the name goes into the statement as it is, since quoting it would hide the
/// server's own short names, so only what can be part of a name is let through.
pub(super) fn plan_cast(engine: Engine, name: &str) -> Result<TypeName, Error> {
    let unknown = || Error::sqlstate("42704", format!("type \"{name}\" does not exist"));
    let is_name = !name.trim().is_empty()
        && name.chars().all(|character| character.is_alphanumeric() || matches!(character, '_' | ' '));
    if !is_name {
        return Err(unknown());
    }
    match (known_type(name), engine) {
        (Some((declared, kind)), Engine::Sqlite) => Ok(TypeName { declared: declared.to_owned(), kind }),
        (None, Engine::Sqlite) => Err(unknown()),
        (known, Engine::Postgres) => {
            let kind = known.map_or(TypeKind::Other, |(_, kind)| kind);
            Ok(TypeName { declared: name.trim().to_owned(), kind })
        }
    }
}

/// Postgres' name of a type and what it holds, by any of the names it answers to.
fn known_type(name: &str) -> Option<(&'static str, TypeKind)> {
    let words: Vec<String> = name.split_whitespace().map(str::to_lowercase).collect();
    Some(match words.join(" ").as_str() {
        "smallint" | "int2" => ("smallint", TypeKind::SmallInt),
        "integer" | "int" | "int4" => ("integer", TypeKind::Integer),
        "bigint" | "int8" => ("bigint", TypeKind::BigInt),
        "real" | "float4" => ("real", TypeKind::Real),
        "double precision" | "float8" | "float" => ("double precision", TypeKind::Double),
        "numeric" | "decimal" => ("numeric", TypeKind::Numeric { precision: None, scale: None }),
        "boolean" | "bool" => ("boolean", TypeKind::Boolean),
        "text" => ("text", TypeKind::Text { max_length: None }),
        "character varying" | "varchar" => ("character varying", TypeKind::Text { max_length: None }),
        "date" => ("date", TypeKind::Date),
        "time" | "time without time zone" => ("time without time zone", TypeKind::Time),
        "timetz" | "time with time zone" => ("time with time zone", TypeKind::TimeTz),
        "timestamp" | "timestamp without time zone" => ("timestamp without time zone", TypeKind::Timestamp),
        "timestamptz" | "timestamp with time zone" => ("timestamp with time zone", TypeKind::TimestampTz),
        "interval" => ("interval", TypeKind::Interval),
        "uuid" => ("uuid", TypeKind::Uuid),
        "json" => ("json", TypeKind::Json),
        "jsonb" => ("jsonb", TypeKind::Jsonb),
        "bytea" => ("bytea", TypeKind::Bytea),
        _ => return None,
    })
}
