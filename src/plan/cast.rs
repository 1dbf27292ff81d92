//! Types that a selected field may be cast to, and from which ones.
//!
//! Source: <https://www.postgresql.org/docs/15/catalog-pg-cast.html>, and its explicit conversions by text.

use super::{Engine, Error, capability};
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

/// Refuses a cast that Postgres does not know; there the server does.
pub(super) fn check_cast(engine: Engine, from: &TypeName, to: &TypeName) -> Result<(), Error> {
    if engine == Engine::Postgres || is_cast(&from.kind, &to.kind) {
        return Ok(());
    }
    let (from, to) = (capability::postgres_name(from), capability::postgres_name(to));
    Err(Error::sqlstate("42846", format!("cannot cast type {from} to {to}")))
}

fn is_cast(from: &TypeKind, to: &TypeKind) -> bool {
    use TypeKind::{
        Any, BigInt, Boolean, Date, Double, Enum, Integer, Interval, Json, Jsonb, Numeric, Other, Real, SmallInt, Text,
        Time, TimeTz, Timestamp, TimestampTz,
    };
    match (from, to) {
        // Of a type that berth has no rule for, or by its text.
        (Any | Other | Text { .. }, _) | (_, Any | Other | Text { .. }) => true,
        (
            SmallInt | Integer | BigInt | Real | Double | Numeric { .. } | Jsonb,
            SmallInt | Integer | BigInt | Real | Double | Numeric { .. },
        )
        | (Integer | Jsonb, Boolean)
        | (Boolean, Integer)
        | (Json | Jsonb, Json | Jsonb)
        | (Date | Timestamp | TimestampTz, Date | Timestamp | TimestampTz)
        | (Timestamp | TimestampTz | Interval | TimeTz, Time)
        | (TimestampTz | Time, TimeTz)
        | (Time, Interval) => true,
        (Enum { name: from, .. }, Enum { name: to, .. }) => from == to,
        (from, to) => from == to,
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
        "numeric" | "decimal" => ("numeric", TypeKind::DECIMAL),
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
