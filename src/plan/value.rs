//! Values as they will be bound.

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
