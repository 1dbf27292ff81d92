//! `Prefer` headers (RFC 7240).
//!
//! Source: <https://docs.postgrest.org/en/v16/references/api/preferences.html>

/// What a request prefers; the first of several wins.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Preferences {
    /// `resolution=`
    pub resolution: Option<Resolution>,
    /// `return=`
    pub representation: Option<Representation>,
    /// `count=`
    pub count: Option<Count>,
    /// `tx=`
    pub transaction: Option<TransactionEnd>,
    /// `missing=`
    pub missing: Option<Missing>,
    /// `handling=`
    pub handling: Option<Handling>,
    /// `timezone=`
    pub timezone: Option<String>,
    /// `max-affected=`
    pub max_affected: Option<u64>,
    /// What berth does not know, as sent.
    pub unknown: Vec<String>,
}

/// What happens to a row whose key is taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Resolution {
    /// It is updated.
    MergeDuplicates,
    /// It is left out.
    IgnoreDuplicates,
}

/// What a write answers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Representation {
    /// The rows.
    Full,
    /// Where the row is.
    HeadersOnly,
    /// Nothing.
    Minimal,
}

/// How the rows without a limit are counted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// One by one.
    Exact,
    /// As the engine's planner guesses.
    Planned,
    /// Exactly up to the greatest number of rows, guessed above it.
    Estimated,
}

/// Whether a transaction stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransactionEnd {
    /// It does.
    Commit,
    /// It does not.
    Rollback,
}

/// What a key missing from an object means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Missing {
    /// The column's default.
    Default,
    /// Null.
    Null,
}

/// What happens to preferences that berth does not know.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Handling {
    /// They are an error.
    Strict,
    /// They are ignored.
    Lenient,
}
