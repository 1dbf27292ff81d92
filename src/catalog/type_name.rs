//! Type names as they were declared, and the kind of value each stands for.
//!
//! On Postgres the name is what `format_type` prints. On SQLite it is the declared type of the column, which a
//! migration keeps as Postgres spells it; names that only SQLite knows are read by its affinity rules.
//!
//! Source: <https://www.sqlite.org/datatype3.html#determination_of_column_affinity>,
//! <https://www.postgresql.org/docs/current/datatype.html>.

use std::fmt;

/// A declared type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeName {
    /// As declared, e.g. `character varying(160)`.
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
    /// No declared type (a SQLite expression or an untyped column): the value itself tells.
    Any,
    /// A type berth has no rule for (enums, domains, ranges, geometry): Postgres reads and writes it.
    Other,
}

impl fmt::Display for TypeName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.declared)
    }
}
