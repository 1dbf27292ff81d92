//! Postgres' errors about values, in its words.

use crate::catalog::TypeKind;
use crate::plan::Error;

fn sqlstate(code: &'static str, message: String) -> Error {
    Error::Sqlstate { code, message, details: None, hint: None }
}

fn with_details(code: &'static str, message: String, details: String) -> Error {
    Error::Sqlstate { code, message, details: Some(details), hint: None }
}

/// The type's name in an error's text: shorter than `format_type`'s for times, `json` for both JSON types.
pub(super) fn input_name(kind: &TypeKind) -> String {
    match kind {
        TypeKind::Time => "time".to_owned(),
        TypeKind::Timestamp => "timestamp".to_owned(),
        TypeKind::Jsonb => "json".to_owned(),
        TypeKind::Numeric { .. } => "numeric".to_owned(),
        TypeKind::SmallInt
        | TypeKind::Integer
        | TypeKind::BigInt
        | TypeKind::Real
        | TypeKind::Double
        | TypeKind::Boolean
        | TypeKind::Text { .. }
        | TypeKind::Date
        | TypeKind::TimeTz
        | TypeKind::TimestampTz
        | TypeKind::Interval
        | TypeKind::Uuid
        | TypeKind::Json
        | TypeKind::Bytea
        | TypeKind::Array(_)
        | TypeKind::Enum { .. }
        | TypeKind::Any
        | TypeKind::TsVector
        | TypeKind::Other => kind.postgres_name(),
    }
}

/// 22P02: the text is no value of the type.
pub(super) fn invalid_syntax(kind: &TypeKind, text: &str) -> Error {
    sqlstate("22P02", format!("invalid input syntax for type {}: \"{text}\"", input_name(kind)))
}

/// 22P02: the text is no label of the enumeration.
pub(super) fn invalid_enum(name: &str, text: &str) -> Error {
    sqlstate("22P02", format!("invalid input value for enum {name}: \"{text}\""))
}

/// 22P02 of `bytea`, which does not show the text.
pub(super) fn invalid_bytea() -> Error {
    sqlstate("22P02", "invalid input syntax for type bytea".to_owned())
}

/// 22023: what stands behind `\x` is not hexadecimal.
pub(super) fn invalid_hexadecimal(problem: &str) -> Error {
    sqlstate("22023", format!("invalid hexadecimal {problem}"))
}

/// 22P02 of JSON, with what the parser stumbled over.
pub(super) fn invalid_json(details: String) -> Error {
    with_details("22P02", "invalid input syntax for type json".to_owned(), details)
}

/// 22P05: `\u0000`, which Postgres' text cannot hold.
pub(super) fn nul_escape() -> Error {
    with_details(
        "22P05",
        "unsupported Unicode escape sequence".to_owned(),
        "\\u0000 cannot be converted to text.".to_owned(),
    )
}

/// 54001: nested deeper than berth follows.
pub(super) fn too_deep() -> Error {
    sqlstate("54001", "stack depth limit exceeded".to_owned())
}

/// 22021: a NUL byte, which Postgres' text cannot hold.
pub(super) fn nul_byte() -> Error {
    sqlstate("22021", "invalid byte sequence for encoding \"UTF8\": 0x00".to_owned())
}

/// 22003 of integers.
pub(super) fn integer_out_of_range(kind: &TypeKind, text: &str) -> Error {
    sqlstate("22003", format!("value \"{text}\" is out of range for type {}", input_name(kind)))
}

/// 22003 of floats, which Postgres words otherwise.
pub(super) fn float_out_of_range(kind: &TypeKind, text: &str) -> Error {
    sqlstate("22003", format!("\"{text}\" is out of range for type {}", input_name(kind)))
}

/// 22003: a number with an exponent beyond all bounds.
pub(super) fn numeric_overflow() -> Error {
    sqlstate("22003", "value overflows numeric format".to_owned())
}

/// 22003: a number that `numeric(p,s)` cannot hold.
pub(super) fn numeric_field_overflow(details: String) -> Error {
    with_details("22003", "numeric field overflow".to_owned(), details)
}

/// 22003 of berth's own: a decimal that SQLite would round.
pub(super) fn numeric_not_exact(text: &str) -> Error {
    with_details(
        "22003",
        format!("value \"{text}\" is out of range for type numeric"),
        "SQLite holds a numeric exactly up to 15 significant digits.".to_owned(),
    )
}

/// 22001: more characters than the type takes.
pub(super) fn too_long(type_name: &str) -> Error {
    sqlstate("22001", format!("value too long for type {type_name}"))
}

/// 22007: the text is no date, time or interval.
pub(super) fn invalid_datetime(kind: &TypeKind, text: &str) -> Error {
    sqlstate("22007", format!("invalid input syntax for type {}: \"{text}\"", input_name(kind)))
}

/// 22008: a field of a date or time is beyond its range.
pub(super) fn field_out_of_range(text: &str) -> Error {
    sqlstate("22008", format!("date/time field value out of range: \"{text}\""))
}

/// 22008 for a month or day that may have been meant the other way round.
pub(super) fn month_or_day_out_of_range(text: &str) -> Error {
    Error::Sqlstate {
        code: "22008",
        message: format!("date/time field value out of range: \"{text}\""),
        details: None,
        hint: Some("Perhaps you need a different \"datestyle\" setting.".to_owned()),
    }
}

/// 22009: an offset no zone has.
pub(super) fn displacement_out_of_range(text: &str) -> Error {
    sqlstate("22009", format!("time zone displacement out of range: \"{text}\""))
}

/// 22023: what is set as the session's zone is none.
pub(super) fn invalid_zone(zone: &str) -> Error {
    sqlstate("22023", format!("invalid value for parameter \"TimeZone\": \"{zone}\""))
}

/// 22023: a zone that is not whole minutes away from UTC.
pub(super) fn leap_seconds(zone: &str) -> Error {
    let message = format!("time zone \"{zone}\" appears to use leap seconds");
    with_details("22023", message, "PostgreSQL does not support leap seconds.".to_owned())
}

/// 22023: no zone has that name.
pub(super) fn unknown_zone(zone: &str) -> Error {
    sqlstate("22023", format!("time zone \"{}\" not recognized", zone.to_lowercase()))
}

/// 22015: a field of an interval is beyond its range.
pub(super) fn interval_out_of_range(text: &str) -> Error {
    sqlstate("22015", format!("interval field value out of range: \"{text}\""))
}

/// 22P02: the text is no array.
pub(super) fn malformed_array(text: &str, details: &str) -> Error {
    with_details("22P02", format!("malformed array literal: \"{text}\""), details.to_owned())
}

/// 22P02: JSON arrays of differing lengths side by side.
pub(super) fn malformed_json_array() -> Error {
    with_details("22P02", "malformed JSON array".to_owned(), super::array::UNEVEN.to_owned())
}

/// 22P02: something else where an array column needs one.
pub(super) fn expected_json_array() -> Error {
    sqlstate("22P02", "expected JSON array".to_owned())
}

/// 54000: more dimensions than Postgres has.
pub(super) fn too_many_dimensions(dimensions: usize) -> Error {
    let most = super::array::DIMENSIONS_MAX;
    sqlstate("54000", format!("number of array dimensions ({dimensions}) exceeds the maximum allowed ({most})"))
}
