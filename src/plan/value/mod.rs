//! Values as they will be bound, read from text and from JSON as Postgres' input functions read them.
//!
//! Only SQLite needs this: a Postgres server types its values itself. Every value of a type is stored in one form, so
//! that SQLite's own comparison is Postgres' comparison:
//!
//! | type | stored as | order in SQLite |
//! |---|---|---|
//! | integers, floats | number; `NaN` as text, which SQLite sorts after every number, as Postgres does | same |
//! | `numeric` of up to 15 digits | number; in tables that were made before, others too, refused on writes when 15 to 17 digits do not hold it | same |
//! | `numeric` of more or any digits | Postgres' output | same, by the collation `decimal` |
//! | `boolean` | 0 or 1 | same |
//! | `date`, `timestamp` | `YYYY-MM-DD`, `YYYY-MM-DD HH:MM:SS[.ffffff]`, `infinity`, `-infinity` | same |
//! | `timestamptz` | the same in UTC with `+00` behind it | same |
//! | `time` | `HH:MM:SS[.ffffff]` | same |
//! | `timetz`, `interval` | Postgres' output | by `key` |
//! | `uuid` | lower case, hyphens | same |
//! | `json` | as given, when it comes as text | none in Postgres |
//! | `jsonb` | Postgres' output: keys by length then bytes, the last of equal keys | by `key` |
//! | `bytea` | blob | same |
//! | `tsvector` | Postgres' output | equality only |
//! | arrays | JSON as `row_to_json` writes it | by `key`; of enumerations equality only |
//!
//! Years other than 1 to 9999 are refused: as text they would sort wrong. So are words that need a clock (`now`,
//! `today`), which a stage without a clock cannot read, and names of months.
//!
//! Source: <https://www.postgresql.org/docs/15/datatype.html>; messages observed on Postgres 15.

mod array;
mod boolean;
mod bytes;
pub mod decimal;
mod fault;
pub mod form;
mod input;
pub mod interval;
mod json;
pub mod key;
mod numeric;
mod payload;
mod temporal;
#[cfg(test)]
mod tests;
pub mod zone;

pub use input::{Reader, coerce, store};
pub use json::canonical as canonical_json;
pub use zone::Zone;

/// A value to be bound to a statement.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// Null.
    Null,
    /// An integer (SQLite also for booleans: 0 and 1).
    Integer(i64),
    /// A float.
    Real(f64),
    /// Text. On Postgres every value: the server reads it into the type it has in the statement.
    Text(String),
    /// Bytes.
    Blob(Vec<u8>),
}
