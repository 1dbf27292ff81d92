//! What an engine can do: what SQLite lacks is refused here, so that rendering cannot fail.
//!
//! The rules on types are Postgres': an operator that the server would not find for a column's type is refused with
//! the server's own words. Types that berth has no rule for ([`TypeKind::Any`], [`TypeKind::Other`]) pass.
//!
//! Source: <https://www.postgresql.org/docs/current/functions-comparison.html>,
//! <https://www.postgresql.org/docs/current/functions-matching.html>.

#[cfg(test)]
mod support;

use super::Error;
use super::value::key;
use crate::catalog::{TypeKind, TypeName};
use crate::request::filter::{Comparison, Containment, IsValue};

/// Refuses a comparison that Postgres has no operator for.
pub(super) fn check_comparison(operator: Comparison, compared: &TypeName) -> Result<(), Error> {
    let allowed = if operator.is_pattern() { is_text(compared) } else { has_order(compared) };
    if !allowed {
        return Err(Error::no_operator(&postgres_name(compared), symbol(operator), "unknown"));
    }
    if operator.is_by_place() && !is_sorted(compared) {
        let (symbol, name) = (symbol(operator), postgres_name(compared));
        return Err(Error::not_on_sqlite(format_args!("the operator {symbol} on values of type {name}")));
    }
    Ok(())
}

/// False where values do not sort as Postgres sorts them.
fn is_sorted(compared: &TypeName) -> bool {
    !matches!(compared.kind, TypeKind::Array(_) | TypeKind::TsVector) || key::is_needed(&compared.kind)
}

/// Refuses equality where the type has none.
pub(super) fn check_equality(compared: &TypeName) -> Result<(), Error> {
    check_comparison(Comparison::Equal, compared)
}

/// Refuses an order by values that have none.
pub(super) fn check_order(ordered: &TypeName) -> Result<(), Error> {
    if !is_sorted(ordered) {
        return Err(Error::not_on_sqlite(format_args!("ordering by values of type {}", postgres_name(ordered))));
    }
    if has_order(ordered) {
        return Ok(());
    }
    Err(Error::Sqlstate {
        code: "42883",
        message: format!("could not identify an ordering operator for type {}", postgres_name(ordered)),
        details: None,
        hint: Some("Use an explicit ordering operator or modify the query.".to_owned()),
    })
}

/// Refuses to tell apart values that have no equality.
pub(super) fn check_groups(grouped: &TypeName) -> Result<(), Error> {
    let name = postgres_name(grouped);
    if grouped.kind == TypeKind::Json {
        return Err(Error::sqlstate("42883", format!("could not identify an equality operator for type {name}")));
    }
    Ok(())
}

/// Refuses `is.true` and its like on what is not a boolean.
pub(super) fn check_is(value: IsValue, compared: &TypeName) -> Result<(), Error> {
    let name = match value {
        IsValue::Null | IsValue::NotNull => return Ok(()),
        IsValue::True => "TRUE",
        IsValue::False => "FALSE",
        IsValue::Unknown => "UNKNOWN",
    };
    if matches!(compared.kind, TypeKind::Boolean | TypeKind::Any | TypeKind::Other) {
        return Ok(());
    }
    let found = postgres_name(compared);
    Err(Error::sqlstate("42804", format!("argument of IS {name} must be type boolean, not type {found}")))
}

/// Refuses operators of ranges, and those of arrays and JSON on other types.
pub(super) fn check_containment(operator: Containment, compared: &TypeName) -> Result<(), Error> {
    let symbol = match operator {
        Containment::Contains => "@>",
        Containment::ContainedIn => "<@",
        Containment::Overlap => "&&",
        Containment::StrictlyLeft => return Err(no_filter("sl")),
        Containment::StrictlyRight => return Err(no_filter("sr")),
        Containment::NotExtendsRight => return Err(no_filter("nxr")),
        Containment::NotExtendsLeft => return Err(no_filter("nxl")),
        Containment::Adjacent => return Err(no_filter("adj")),
    };
    if matches!(compared.kind, TypeKind::Json | TypeKind::Jsonb | TypeKind::Array(_)) {
        return Ok(());
    }
    Err(Error::no_operator(&postgres_name(compared), symbol, "unknown"))
}

fn no_filter(operator: &str) -> Error {
    Error::not_on_sqlite(format_args!("the operator '{operator}'"))
}

fn is_text(compared: &TypeName) -> bool {
    matches!(compared.kind, TypeKind::Text { .. } | TypeKind::Any | TypeKind::Other)
}

/// `json` keeps its text and is neither equal to nor less than anything; `jsonb` is.
fn has_order(compared: &TypeName) -> bool {
    compared.kind != TypeKind::Json
}

/// The operator in Postgres' SQL.
fn symbol(operator: Comparison) -> &'static str {
    match operator {
        Comparison::Equal => "=",
        Comparison::NotEqual => "<>",
        Comparison::Greater => ">",
        Comparison::GreaterOrEqual => ">=",
        Comparison::Less => "<",
        Comparison::LessOrEqual => "<=",
        Comparison::Like => "~~",
        Comparison::ILike => "~~*",
        Comparison::Match => "~",
        Comparison::IMatch => "~*",
    }
}

/// A type as Postgres' messages name it: without length and precision.
pub(super) fn postgres_name(type_name: &TypeName) -> String {
    kind_name(&type_name.kind).unwrap_or_else(|| type_name.declared.clone())
}

fn kind_name(kind: &TypeKind) -> Option<String> {
    let name = match kind {
        TypeKind::SmallInt => "smallint",
        TypeKind::Integer => "integer",
        TypeKind::BigInt => "bigint",
        TypeKind::Real => "real",
        TypeKind::Double => "double precision",
        TypeKind::Numeric { .. } => "numeric",
        TypeKind::Boolean => "boolean",
        TypeKind::Text { max_length: None } => "text",
        TypeKind::Text { max_length: Some(_) } => "character varying",
        TypeKind::Date => "date",
        TypeKind::Time => "time without time zone",
        TypeKind::TimeTz => "time with time zone",
        TypeKind::Timestamp => "timestamp without time zone",
        TypeKind::TimestampTz => "timestamp with time zone",
        TypeKind::Interval => "interval",
        TypeKind::Uuid => "uuid",
        TypeKind::Json => "json",
        TypeKind::Jsonb => "jsonb",
        TypeKind::Bytea => "bytea",
        TypeKind::Array(element) => return kind_name(element).map(|name| format!("{name}[]")),
        TypeKind::TsVector => "tsvector",
        TypeKind::Enum { .. } | TypeKind::Any | TypeKind::Other => return None,
    };
    Some(name.to_owned())
}
