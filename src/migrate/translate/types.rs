//! PostgreSQL's types: their one spelling, the kind of value they hold, what SQLite is told.
//!
//! Source: <https://www.postgresql.org/docs/current/datatype.html>.

use std::collections::BTreeMap;

use sqlparser::ast::{
    ArrayElemTypeDef, CharacterLength, DataType, ExactNumberInfo, ObjectName, TimezoneInfo, TypeModifier,
};

use super::model::{Column, UserType};
use super::schema::Schema;
use super::{Refusal, name, refuse};
use crate::catalog::type_name::Origin;
use crate::catalog::{TypeKind, TypeName};

/// Types that `CREATE TYPE` and `CREATE DOMAIN` made, by name.
pub(crate) type UserTypes = BTreeMap<String, UserType>;

/// Types that are kept as the text they are written in, without a rule of their own.
const KEPT_AS_TEXT: [&str; 7] = ["inet", "cidr", "macaddr", "macaddr8", "xml", "interval", "tsvector"];

/// The type as `format_type` prints it.
pub(super) fn declared(data_type: &DataType, types: &UserTypes) -> Result<String, Refusal> {
    let with_length = |name: &str, length: &Option<CharacterLength>| match length {
        Some(CharacterLength::IntegerLength { length, .. }) => format!("{name}({length})"),
        Some(CharacterLength::Max) | None => name.to_owned(),
    };
    Ok(match data_type {
        DataType::SmallInt(None) | DataType::Int2(None) => "smallint".to_owned(),
        DataType::Int(None) | DataType::Int4(None) | DataType::Integer(None) => "integer".to_owned(),
        DataType::BigInt(None) | DataType::Int8(None) => "bigint".to_owned(),
        DataType::Real | DataType::Float4 => "real".to_owned(),
        DataType::Float(ExactNumberInfo::Precision(bits)) if *bits <= 24 => "real".to_owned(),
        DataType::Float(_) | DataType::Float8 | DataType::DoublePrecision | DataType::Double(_) => {
            "double precision".to_owned()
        }
        DataType::Numeric(digits) | DataType::Decimal(digits) | DataType::Dec(digits) => match digits {
            ExactNumberInfo::None => "numeric".to_owned(),
            ExactNumberInfo::Precision(precision) => format!("numeric({precision},0)"),
            ExactNumberInfo::PrecisionAndScale(precision, scale) => format!("numeric({precision},{scale})"),
        },
        DataType::Bool | DataType::Boolean => "boolean".to_owned(),
        DataType::Text => "text".to_owned(),
        DataType::Varchar(length) | DataType::CharacterVarying(length) | DataType::CharVarying(length) => {
            with_length("character varying", length)
        }
        DataType::Char(length) | DataType::Character(length) => match length {
            None => "character(1)".to_owned(),
            Some(_) => with_length("character", length),
        },
        DataType::Date => "date".to_owned(),
        DataType::Time(digits, zone) => temporal("time", *digits, zone),
        DataType::Timestamp(digits, zone) => temporal("timestamp", *digits, zone),
        DataType::Interval { .. } => "interval".to_owned(),
        DataType::Uuid => "uuid".to_owned(),
        DataType::JSON => "json".to_owned(),
        DataType::JSONB => "jsonb".to_owned(),
        DataType::Bytea => "bytea".to_owned(),
        DataType::TsVector => "tsvector".to_owned(),
        DataType::Array(ArrayElemTypeDef::SquareBracket(element, _)) => {
            let element = declared(element, types)?;
            if element.ends_with("[]") { element } else { format!("{element}[]") }
        }
        DataType::Custom(name, modifiers) => custom(name, modifiers, types)?,
        DataType::Int4(Some(_)) | DataType::Int8(Some(_)) => return refuse("an integer takes no length"),
        other => return refuse(format!("the type {other} is not supported")),
    })
}

fn temporal(name: &str, digits: Option<u64>, zone: &TimezoneInfo) -> String {
    let digits = digits.map(|digits| format!("({digits})")).unwrap_or_default();
    let zone = match zone {
        TimezoneInfo::WithTimeZone | TimezoneInfo::Tz => "with",
        TimezoneInfo::None | TimezoneInfo::WithoutTimeZone => "without",
    };
    format!("{name}{digits} {zone} time zone")
}

/// A type that the parser has no word for: one of the user's, or one of Postgres' rarer names.
fn custom(type_name: &ObjectName, modifiers: &[TypeModifier], types: &UserTypes) -> Result<String, Refusal> {
    let mut parts = name::parts(type_name)?;
    let last = parts.pop().unwrap_or_default();
    if let Some(schema) = parts.last().filter(|schema| !matches!(schema.as_str(), "pg_catalog" | name::SCHEMA)) {
        return refuse(format!("the type {type_name} lies in the schema \"{schema}\""));
    }
    if types.contains_key(&last) {
        return Ok(last);
    }
    match last.as_str() {
        "serial2" | "smallserial" => Ok("smallint".to_owned()),
        "serial" | "serial4" => Ok("integer".to_owned()),
        "bigserial" | "serial8" | "oid" => Ok("bigint".to_owned()),
        "bpchar" if modifiers.is_empty() => Ok("text".to_owned()),
        "citext" | "name" => Ok(if last == "name" { "text".to_owned() } else { last }),
        kept if KEPT_AS_TEXT.contains(&kept) => Ok(last),
        _ => refuse(format!("the type {type_name} does not exist, or is not supported")),
    }
}

/// True for the spellings that count their column by themselves.
pub(super) fn is_serial(data_type: &DataType) -> bool {
    let DataType::Custom(name, _) = data_type else { return false };
    let Ok(parts) = name::parts(name) else { return false };
    let serials = ["smallserial", "serial2", "serial", "serial4", "bigserial", "serial8"];
    parts.last().is_some_and(|last| serials.contains(&last.as_str()))
}

/// The type under a column: a domain's own, `text` for an enumeration.
pub(crate) fn base<'a>(declared: &'a str, types: &'a UserTypes) -> &'a str {
    match types.get(declared) {
        Some(UserType::Enumeration(_)) => "text",
        // As JSON, in the form in which Postgres answers with it.
        Some(UserType::Composite(_)) => "json",
        Some(UserType::Domain { declared: under, .. }) => base(under, types),
        None => declared,
    }
}

/// The labels, when the type is an enumeration or a domain over one.
pub(crate) fn labels<'a>(declared: &str, types: &'a UserTypes) -> Option<&'a [String]> {
    match types.get(declared)? {
        UserType::Enumeration(labels) => Some(labels),
        UserType::Composite(_) => None,
        UserType::Domain { declared: under, .. } => labels(under, types),
    }
}

/// The enumeration under a column of it or of a domain over it.
fn enumeration<'a>(declared: &'a str, types: &'a UserTypes) -> &'a str {
    match types.get(declared) {
        Some(UserType::Domain { declared: under, .. }) => enumeration(under, types),
        Some(UserType::Enumeration(_) | UserType::Composite(_)) | None => declared,
    }
}

/// What a column's declaration tells SQLite.
pub(super) fn declaration(declared: &str, types: &UserTypes) -> String {
    let column = base(declared, types);
    // An enumeration keeps its name, by which errors call it.
    let name = if labels(declared, types).is_some() { enumeration(declared, types) } else { column };
    type_name(name).sqlite_declaration()
}

/// The kind of value that a column holds.
pub(super) fn column_kind(column: &Column, types: &UserTypes) -> TypeKind {
    if let Some(labels) = labels(&column.declared, types) {
        let name = enumeration(&column.declared, types).to_owned();
        return TypeKind::Enum { name, labels: labels.to_vec() };
    }
    type_name(base(&column.declared, types)).kind
}

/// Reads a spelling that [`declared`] wrote.
pub(super) fn type_name(declared: &str) -> TypeName {
    TypeName::parse(declared, Origin::Postgres)
}

/// The type of a parameter or a result: `void`, `record`, the user's own, the row of a table, or any other without its
/// length and precision, as Postgres keeps it.
pub(super) fn routine_type(data_type: &DataType, schema: &Schema) -> Result<String, Refusal> {
    if let DataType::Custom(name, modifiers) = data_type {
        let last = name::parts(name)?.pop().unwrap_or_default();
        if modifiers.is_empty() && matches!(last.as_str(), "void" | "record") {
            return Ok(last);
        }
    }
    if let Some(table) = table_of_row(data_type, schema)? {
        return Ok(table);
    }
    let declared = declared(data_type, &schema.types)?;
    Ok(TypeName::without_modifiers(&declared).declared)
}

/// The type under a domain, with its length and precision: the user's own, the row of a table, or any other.
pub(super) fn domain_type(data_type: &DataType, schema: &Schema) -> Result<String, Refusal> {
    table_of_row(data_type, schema)?.map_or_else(|| declared(data_type, &schema.types), Ok)
}

/// The table or view whose row a type is.
fn table_of_row(data_type: &DataType, schema: &Schema) -> Result<Option<String>, Refusal> {
    let DataType::Custom(name, modifiers) = data_type else { return Ok(None) };
    let mut parts = name::parts(name)?;
    let last = parts.pop().unwrap_or_default();
    let is_local = parts.first().is_none_or(|schema| schema == name::SCHEMA);
    let is_row = is_local && modifiers.is_empty() && !schema.types.contains_key(&last) && schema.has_relation(&last);
    Ok(is_row.then_some(last))
}
