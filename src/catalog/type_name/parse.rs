//! Reads declared types: words, then numbers in parentheses, then perhaps more words and `[]`.

use super::{Held, TypeKind, TypeName};

/// What a migration appends to keep SQLite from making numbers of text.
pub(super) const TEXT_SUFFIX: &str = " text";

/// Widest `float(p)` that is a `real`.
///
/// Source: <https://www.postgresql.org/docs/current/datatype-numeric.html#DATATYPE-FLOAT>.
const REAL_MAX_BITS: u32 = 24;

/// Reads a type by Postgres' names; `declared` of the answer is as `format_type` prints it.
pub(super) fn postgres(declared: &str) -> TypeName {
    let given = declared.trim();
    let (given, held) = match given.strip_suffix(TEXT_SUFFIX) {
        Some(given) => (given.trim_end(), Held::Text),
        None => (given, Held::Number),
    };
    if let Some(element) = array_element(given) {
        let element = postgres(element);
        let declared = format!("{}[]", element.declared);
        // JSON numbers have any digits.
        return TypeName { declared, kind: TypeKind::Array(Box::new(element.kind.as_decimal_text())) };
    }
    let words = base_name(given).to_ascii_lowercase();
    let words = words.strip_prefix("pg_catalog.").unwrap_or(&words);
    let found = named(words, &modifiers(given)).map(|found| match held {
        Held::Text => TypeName { kind: found.kind.as_decimal_text(), ..found },
        Held::Number => found,
    });
    found.unwrap_or(TypeName { declared: given.to_owned(), kind: TypeKind::Other })
}

/// Reads a type by SQLite's rules, well-known names first.
pub(super) fn sqlite(declared: &str) -> TypeKind {
    let upper = base_name(declared).to_ascii_uppercase();
    match upper.as_str() {
        "" | "ANY" => return TypeKind::Any,
        "DATETIME" => return TypeKind::Timestamp,
        "BINARY" | "VARBINARY" => return TypeKind::Bytea,
        _ => {}
    }
    let known = postgres(declared);
    if known.is_blank_padded() {
        // SQLite fills nothing with spaces.
        return TypeKind::Text { max_length: None };
    }
    match known.kind {
        TypeKind::SmallInt | TypeKind::Integer | TypeKind::BigInt => TypeKind::BigInt,
        TypeKind::Real | TypeKind::Double => TypeKind::Double,
        TypeKind::Other => by_affinity(&upper, &modifiers(declared)),
        // Others do not say by which collation their text is compared.
        TypeKind::Numeric { precision, scale, .. } => TypeKind::Numeric { precision, scale, held: Held::Number },
        kind @ (TypeKind::Boolean
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
        | TypeKind::TsVector
        | TypeKind::Enum { .. }
        | TypeKind::Any) => kind,
    }
}

fn by_affinity(upper: &str, modifiers: &[u32]) -> TypeKind {
    let has = |word: &str| upper.contains(word);
    if has("INT") {
        TypeKind::BigInt
    } else if has("VARCHAR") {
        TypeKind::Text { max_length: modifiers.first().copied() }
    } else if has("CHAR") || has("CLOB") || has("TEXT") {
        TypeKind::Text { max_length: None }
    } else if has("BLOB") {
        TypeKind::Bytea
    } else if has("REAL") || has("FLOA") || has("DOUB") {
        TypeKind::Double
    } else {
        TypeKind::Any
    }
}

/// The type that `words` (lower case, single spaces) and the numbers in its parentheses name.
fn named(words: &str, modifiers: &[u32]) -> Option<TypeName> {
    let first = modifiers.first().copied();
    let kind = match words {
        "smallint" | "int2" | "smallserial" | "serial2" => TypeKind::SmallInt,
        "integer" | "int" | "int4" | "serial" | "serial4" => TypeKind::Integer,
        "bigint" | "int8" | "bigserial" | "serial8" => TypeKind::BigInt,
        "real" | "float4" => TypeKind::Real,
        "float" if first.is_some_and(|bits| bits <= REAL_MAX_BITS) => TypeKind::Real,
        "double precision" | "float8" | "float" => TypeKind::Double,
        "numeric" | "decimal" | "dec" => {
            let scale = first.map(|_| modifiers.get(1).copied().unwrap_or(0));
            TypeKind::Numeric { precision: first, scale, held: Held::Number }
        }
        "boolean" | "bool" => TypeKind::Boolean,
        "text" => TypeKind::Text { max_length: None },
        "citext" | "name" => {
            return Some(TypeName { declared: words.to_owned(), kind: TypeKind::Text { max_length: None } });
        }
        "character varying" | "varchar" | "char varying" if first.is_none() => {
            return Some(bare("character varying", TypeKind::Text { max_length: None }));
        }
        "character varying" | "varchar" | "char varying" => TypeKind::Text { max_length: first },
        "bpchar" if first.is_none() => return Some(bare("bpchar", TypeKind::Text { max_length: None })),
        "character" | "char" | "bpchar" => {
            let length = first.unwrap_or(1);
            return Some(bare(&format!("character({length})"), TypeKind::Text { max_length: Some(length) }));
        }
        "date" => TypeKind::Date,
        "time" | "time without time zone" => return Some(of_time("time", TypeKind::Time, first)),
        "timetz" | "time with time zone" => return Some(of_time("time", TypeKind::TimeTz, first)),
        "timestamp" | "timestamp without time zone" => {
            return Some(of_time("timestamp", TypeKind::Timestamp, first));
        }
        "timestamptz" | "timestamp with time zone" => {
            return Some(of_time("timestamp", TypeKind::TimestampTz, first));
        }
        "interval" => TypeKind::Interval,
        "uuid" => TypeKind::Uuid,
        "json" => TypeKind::Json,
        "jsonb" => TypeKind::Jsonb,
        "bytea" => TypeKind::Bytea,
        "tsvector" => TypeKind::TsVector,
        other if other.starts_with("interval ") => TypeKind::Interval,
        _ => return None,
    };
    let declared = kind.postgres_name();
    Some(TypeName { declared, kind })
}

fn bare(declared: &str, kind: TypeKind) -> TypeName {
    TypeName { declared: declared.to_owned(), kind }
}

/// A type of time, its precision between its words as `format_type` has it.
fn of_time(word: &str, kind: TypeKind, digits: Option<u32>) -> TypeName {
    let zone = if matches!(kind, TypeKind::TimeTz | TypeKind::TimestampTz) { "with" } else { "without" };
    let precision = digits.map(|digits| format!("({digits})")).unwrap_or_default();
    TypeName { declared: format!("{word}{precision} {zone} time zone"), kind }
}

/// A type that [`postgres`] has read, without length and precision.
pub(super) fn without_modifiers(declared: &str) -> String {
    let element = declared.strip_suffix("[]");
    let plain = base_name(element.unwrap_or(declared));
    if element.is_some() { format!("{plain}[]") } else { plain }
}

/// The words of a type without what stands in parentheses, single spaces between them.
fn base_name(declared: &str) -> String {
    let mut words = String::with_capacity(declared.len());
    let mut depth = 0_u32;
    for character in declared.chars() {
        match character {
            '(' => depth += 1,
            ')' => {
                depth = depth.saturating_sub(1);
                words.push(' ');
            }
            _ if depth == 0 => words.push(character),
            _ => {}
        }
    }
    words.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// The numbers in the first parentheses; empty when there are none or when one of them is no plain number.
pub(super) fn modifiers(declared: &str) -> Vec<u32> {
    let Some((_, rest)) = declared.split_once('(') else { return Vec::new() };
    let Some((inside, _)) = rest.split_once(')') else { return Vec::new() };
    inside.split(',').map(|number| number.trim().parse().ok()).collect::<Option<Vec<u32>>>().unwrap_or_default()
}

/// What stands before `[]`, `[3]`, `[][]` or ` array`.
fn array_element(given: &str) -> Option<&str> {
    let is_array_word =
        given.len() > 6 && given.get(given.len() - 6..).is_some_and(|end| end.eq_ignore_ascii_case(" array"));
    if is_array_word {
        return given.get(..given.len() - 6).map(str::trim_end);
    }
    let mut rest = given;
    while let Some(open) = rest.strip_suffix(']').and_then(|inner| inner.rfind('[')) {
        let inside = rest.get(open + 1..rest.len() - 1)?;
        if !inside.bytes().all(|byte| byte.is_ascii_digit()) {
            break;
        }
        rest = rest.get(..open)?.trim_end();
    }
    (rest.len() < given.len() && !rest.is_empty()).then_some(rest)
}
