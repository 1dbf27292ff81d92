//! Type names as they were declared, and the kind of value each stands for.
//!
//! On Postgres the name is what `format_type` prints. On SQLite it is the declared type of the column, which a
//! migration keeps as Postgres spells it; names that only SQLite knows are read by its affinity rules.
//!
//! SQLite's affinity comes from words inside the declared type, first match wins: `INT` → integer;
//! `CHAR`, `CLOB`, `TEXT` → text; `BLOB` or nothing → none; `REAL`, `FLOA`, `DOUB` → real; else numeric. Integer and
//! numeric affinity turn text that looks like a number into one, which is harmless for a type whose stored text never
//! looks like a number and harmful for the others. [`TypeName::sqlite_declaration`] therefore writes:
//!
//! | type | declaration | why |
//! |---|---|---|
//! | integers, floats, text, `varchar(n)`, `char(n)` | Postgres' name | the affinity fits |
//! | `numeric(p,s)` of up to 15 digits | Postgres' name | numeric affinity: plain SQL compares and adds them |
//! | `numeric`, `numeric(p,s)` of more | name + ` text`, and `COLLATE decimal` | see below |
//! | `boolean`, `bytea` | Postgres' name | held as integer and as blob, which affinity leaves alone |
//! | dates, times, `interval`, `uuid`, arrays | Postgres' name | their text always has a `-`, `:`, `[` or letter |
//! | `json`, `jsonb`, all others (enums …) | name + ` text` | `12` or the label `007` would become a number |
//!
//! A name inside which SQLite finds `INT` has integer affinity even with the suffix; only an enum so named with labels
//! that are numbers is touched by that.
//!
//! A `numeric` of at most 15 digits is a number of SQLite, which keeps them all: it is small and fast. One of more or of
//! any digits is text, as Postgres prints it, in a column with the collation `decimal`: that compares, sorts, groups and
//! indexes by value. The `sqlite3` shell has a collation of that name with the same order, but for `2.5` and `2.50`, which
//! it tells apart, and `NaN`; other programs cannot sort by such a column, nor write to one that is indexed.
//! In files that were made before, or by others, every `numeric` is a number: a write that would lose digits is refused
//! (`plan::value`), so nothing is rounded in silence. A table that is rebuilt gets the text.
//!
//! Source: <https://www.sqlite.org/datatype3.html#determination_of_column_affinity>,
//! <https://www.postgresql.org/docs/current/datatype.html>.

mod parse;
#[cfg(test)]
mod tests;

use std::fmt;

use serde::{Deserialize, Serialize};

/// Whose rules a declared type is read by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Origin {
    /// Postgres itself, or a SQLite database that berth's migrations made.
    Postgres,
    /// A SQLite database made by others.
    Sqlite,
}

/// A declared type.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Noted", into = "Noted")]
pub struct TypeName {
    /// As declared, e.g. `character varying(160)`; in Postgres' spelling where Postgres' rules read it.
    pub declared: String,
    /// What it stands for.
    pub kind: TypeKind,
}

/// The kind of value a type holds: what decides how text is read into it and how it is written out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum TypeKind {
    /// 16-bit integer.
    SmallInt,
    /// 32-bit integer.
    Integer,
    /// 64-bit integer. SQLite's own `INTEGER` is one too when berth did not make the table.
    BigInt,
    /// 32-bit float.
    Real,
    /// 64-bit float.
    Double,
    /// Exact decimal.
    Numeric {
        /// Digits in all.
        precision: Option<u32>,
        /// Digits after the point.
        scale: Option<u32>,
        /// How SQLite holds it. On Postgres it says nothing.
        held: Held,
    },
    /// True or false.
    Boolean,
    /// Text, with its greatest length in characters.
    Text {
        /// `n` of `varchar(n)` or `char(n)`.
        max_length: Option<u32>,
    },
    /// Calendar date.
    Date,
    /// Time of day.
    Time,
    /// Time of day with an offset.
    TimeTz,
    /// Date and time without a zone.
    Timestamp,
    /// A moment.
    TimestampTz,
    /// Length of time.
    Interval,
    /// UUID.
    Uuid,
    /// JSON kept as text.
    Json,
    /// JSON in Postgres' binary form; on SQLite the same as [`TypeKind::Json`].
    Jsonb,
    /// Bytes.
    Bytea,
    /// An array; kept as JSON on SQLite.
    Array(Box<TypeKind>),
    /// One of a few texts, ordered as they are listed. Only where berth itself reads values: on Postgres the server
    /// knows the labels, and the kind is [`TypeKind::Other`].
    Enum {
        /// The type's name.
        name: String,
        /// The labels in their order.
        labels: Vec<String>,
    },
    /// Words of a text, to be searched.
    TsVector,
    /// No declared type (a SQLite expression or an untyped column): the value itself tells.
    Any,
    /// A type berth has no rule for (enums, domains, ranges, geometry): Postgres reads and writes it.
    Other,
}

/// How SQLite holds a `numeric`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Held {
    /// As a number: up to 15 significant digits are kept.
    Number,
    /// As the text that Postgres prints, in a column or an expression with the collation [`DECIMAL`].
    Text,
}

/// The collation that compares texts as the decimals they spell. The `sqlite3` shell has it too.
pub const DECIMAL: &str = "decimal";

/// Digits that a double keeps of every decimal.
pub const DOUBLE_DIGITS: u32 = 15;

/// A type as JSON tells it, for what functions take and give: its kind follows from its name, but for an
/// enumeration's labels.
#[derive(Serialize, Deserialize)]
struct Noted {
    declared: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    labels: Vec<String>,
}

impl From<Noted> for TypeName {
    fn from(Noted { declared, labels }: Noted) -> Self {
        if labels.is_empty() {
            return Self { kind: Self::without_modifiers(&declared).kind, declared };
        }
        Self { kind: TypeKind::Enum { name: declared.clone(), labels }, declared }
    }
}

impl From<TypeName> for Noted {
    fn from(TypeName { declared, kind }: TypeName) -> Self {
        let labels = if let TypeKind::Enum { labels, .. } = kind { labels } else { Vec::new() };
        Self { declared, labels }
    }
}

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.declared)
    }
}

impl TypeName {
    /// Reads a declared type. Whatever is not known is [`TypeKind::Other`] (Postgres) or goes by affinity (SQLite).
    ///
    /// With [`Origin::Postgres`], `declared` is kept as `format_type` prints it (`int4` becomes `integer`), without
    /// the suffix that [`TypeName::sqlite_declaration`] adds. With [`Origin::Sqlite`] it is kept as it stands.
    #[must_use]
    pub fn parse(declared: &str, origin: Origin) -> Self {
        match origin {
            Origin::Postgres => parse::postgres(declared),
            Origin::Sqlite => Self { declared: declared.to_owned(), kind: parse::sqlite(declared) },
        }
    }

    /// The type as functions know it: without length and precision. A bare `character` takes any length there, where
    /// a column's would be one.
    #[must_use]
    pub fn without_modifiers(declared: &str) -> Self {
        let declared = parse::without_modifiers(&parse::postgres(declared).declared);
        let kind = parse::postgres(&declared).kind;
        let kind = match (&kind, declared.as_str()) {
            (TypeKind::Text { .. }, _) => TypeKind::Text { max_length: None },
            // A row of whatever columns: it is told as JSON.
            (_, "record") => TypeKind::Json,
            (_, "character[]") => TypeKind::Array(Box::new(TypeKind::Text { max_length: None })),
            _ => kind,
        };
        Self { declared, kind }
    }

    /// The type as Postgres' `format_type` prints it, e.g. `character varying(10)`.
    ///
    /// A declared type that was read by SQLite's rules gets the name of the Postgres type that holds the same values.
    #[must_use]
    pub fn postgres_name(&self) -> String {
        if matches!(self.kind, TypeKind::Enum { .. } | TypeKind::Other) {
            return self.declared.clone();
        }
        let read_again = parse::postgres(&self.declared);
        if read_again.kind == self.kind { read_again.declared } else { self.kind.postgres_name() }
    }

    /// The name by which [`TypeName::parse`] with [`Origin::Postgres`] finds the type and how SQLite holds it.
    #[must_use]
    pub fn held_name(&self) -> String {
        let suffix = if self.kind.is_decimal_text() { parse::TEXT_SUFFIX } else { "" };
        self.postgres_name() + suffix
    }

    /// The declared type that a migration writes on SQLite; [`TypeName::parse`] with [`Origin::Postgres`] reads it back.
    ///
    /// It is Postgres' name, with the suffix that the module's table tells of. What SQLite's grammar would not take
    /// as it stands (`timestamp(3) with time zone`) is quoted; SQLite keeps it without the quotes.
    #[must_use]
    pub fn sqlite_declaration(&self) -> String {
        let name = self.postgres_name();
        if matches!(self.kind, TypeKind::Any) {
            String::new()
        } else if self.kind.is_wide()
            || matches!(
                self.kind,
                TypeKind::Json | TypeKind::Jsonb | TypeKind::TsVector | TypeKind::Enum { .. } | TypeKind::Other
            )
        {
            quote(format!("{name}{}", parse::TEXT_SUFFIX))
        } else {
            quote(name)
        }
    }

    /// Digits of a second that `timestamp(p)` and its like keep; `None` when the declaration does not say.
    #[must_use]
    pub fn fraction_digits(&self) -> Option<u32> {
        let has_fraction = matches!(
            self.kind,
            TypeKind::Time | TypeKind::TimeTz | TypeKind::Timestamp | TypeKind::TimestampTz | TypeKind::Interval
        );
        if has_fraction { parse::modifiers(&self.declared).first().copied() } else { None }
    }

    /// True for `char(n)` in Postgres' sense: values are filled with spaces up to `n`.
    #[must_use]
    pub fn is_blank_padded(&self) -> bool {
        matches!(self.kind, TypeKind::Text { max_length: Some(_) }) && self.declared.starts_with("character(")
    }
}

impl TypeKind {
    /// `numeric` without a bound, as a number.
    pub const NUMERIC: Self = Self::Numeric { precision: None, scale: None, held: Held::Number };

    /// `numeric` without a bound, as text.
    pub const DECIMAL: Self = Self::Numeric { precision: None, scale: None, held: Held::Text };

    /// True for a `numeric` whose declaration lets it have more digits than a number of SQLite keeps.
    #[must_use]
    pub fn is_wide(&self) -> bool {
        matches!(self, Self::Numeric { precision, .. } if precision.is_none_or(|digits| digits > DOUBLE_DIGITS))
    }

    /// True for a `numeric` that is held as text.
    #[must_use]
    pub fn is_decimal_text(&self) -> bool {
        matches!(self, Self::Numeric { held: Held::Text, .. })
    }

    /// The same, a `numeric` held as text.
    #[must_use]
    pub fn as_decimal_text(mut self) -> Self {
        if let Self::Numeric { held, .. } = &mut self {
            *held = Held::Text;
        }
        self
    }

    /// The type as Postgres' `format_type` prints it, as far as the kind tells.
    #[must_use]
    pub fn postgres_name(&self) -> String {
        match self {
            Self::SmallInt => "smallint".to_owned(),
            Self::Integer => "integer".to_owned(),
            Self::BigInt => "bigint".to_owned(),
            Self::Real => "real".to_owned(),
            Self::Double => "double precision".to_owned(),
            Self::Numeric { precision: Some(precision), scale, .. } => {
                format!("numeric({precision},{})", scale.unwrap_or(0))
            }
            Self::Numeric { precision: None, .. } => "numeric".to_owned(),
            Self::Boolean => "boolean".to_owned(),
            Self::Text { max_length: Some(length) } => format!("character varying({length})"),
            Self::TsVector => "tsvector".to_owned(),
            Self::Text { max_length: None } | Self::Any | Self::Other => "text".to_owned(),
            Self::Date => "date".to_owned(),
            Self::Time => "time without time zone".to_owned(),
            Self::TimeTz => "time with time zone".to_owned(),
            Self::Timestamp => "timestamp without time zone".to_owned(),
            Self::TimestampTz => "timestamp with time zone".to_owned(),
            Self::Interval => "interval".to_owned(),
            Self::Uuid => "uuid".to_owned(),
            Self::Json => "json".to_owned(),
            Self::Jsonb => "jsonb".to_owned(),
            Self::Bytea => "bytea".to_owned(),
            Self::Enum { name, .. } => name.clone(),
            Self::Array(element) => format!("{}[]", element.postgres_name()),
        }
    }
}

/// Quotes a declared type, unless it is plain words with numbers in parentheses or `[]` at their end.
fn quote(name: String) -> String {
    let without_end = match name.strip_suffix("[]") {
        Some(element) => element,
        None => match name.strip_suffix(')').and_then(|inner| inner.split_once('(')) {
            Some((words, numbers)) if numbers.bytes().all(|byte| byte.is_ascii_digit() || byte == b',') => words,
            _ => &name,
        },
    };
    let is_plain = without_end.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || matches!(c, '_' | ' '));
    let starts_a_name = without_end.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    if is_plain && starts_a_name { name } else { format!("\"{}\"", name.replace('"', "\"\"")) }
}
