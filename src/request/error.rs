//! What can be wrong with a request before any schema is known.

use thiserror::Error;

/// A fault of the request's text.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// PGRST100: a query parameter that does not parse.
    #[error("{message}")]
    QueryParameter {
        /// Where, as `PostgREST` says it: `"failed to parse filter (x)" (line 1, column 1)`.
        message: String,
        /// What was found and what was expected.
        details: String,
    },
    /// PGRST101: a verb that functions do not take.
    #[error("Cannot use the {0} method on RPC")]
    InvalidFunctionMethod(String),
    /// PGRST102: a body that cannot be read; the text says why.
    #[error("{0}")]
    InvalidBody(String),
    /// PGRST103: `limit` below zero.
    #[error("Requested range not satisfiable")]
    NegativeLimit,
    /// PGRST103: a `Range` header that ends before it begins.
    #[error("Requested range not satisfiable")]
    RangeReversed,
    /// PGRST114: `limit` or `offset` on `PUT`.
    #[error("limit/offset querystring parameters are not allowed for PUT")]
    PutRange,
    /// PGRST117: a verb berth does not know.
    #[error("Unsupported HTTP method: {0}")]
    UnsupportedMethod(String),
    /// PGRST122: unknown preferences under `handling=strict`.
    #[error("Invalid preferences given with handling=strict")]
    InvalidPreferences(Vec<String>),
    /// PGRST125: a path that addresses nothing.
    #[error("Invalid path specified in request URL")]
    InvalidPath,
    /// SQLSTATE 22021, as Postgres has it: a NUL in the query or in a form, which no text of a database may hold.
    #[error("invalid byte sequence for encoding \"UTF8\": 0x00")]
    NulCharacter,
    /// BERTH400: the `Idempotency-Key` is none.
    #[error("the Idempotency-Key must be 1 to 255 visible ASCII characters, sent once")]
    InvalidIdempotencyKey,
    /// BERTH400: a parameter that says how rows are read, on a write.
    #[error("-distinct, -after and -before are for reads")]
    OnlyForReads,
    /// BERTH400: rows behind one cursor and before another.
    #[error("of -after and -before only one may be given")]
    TwoCursors,
    /// BERTH400: a batch that is none, or a reference in it that leads nowhere.
    #[error("{0}")]
    Batch(String),
    /// BERTH400: a condition that only writes to one row take.
    #[error("If-Match is for PATCH, PUT and DELETE")]
    InvalidCondition,
    /// A bound of the parser: nesting, length or number of items. Answered as PGRST100.
    #[error("{0}")]
    TooLarge(String),
}
