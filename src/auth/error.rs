//! What can be wrong with a token.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/errors.html#group-3-jwt>

use std::time::Duration;

use thiserror::Error;

use super::rate::By;

/// Why a token was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum Error {
    /// PGRST300: a token came, but there is nothing to verify it with.
    #[error("Server lacks JWT secret")]
    NoSecret,
    /// PGRST301: not a token, or its signature does not hold.
    #[error("{message}")]
    Decode {
        /// `PostgREST`'s text.
        message: String,
        /// More of it.
        details: Option<String>,
    },
    /// BERTH503: the token may be good, but the keys that would tell cannot be fetched from `JWKS_URL`.
    #[error("The keys that verify tokens cannot be fetched")]
    KeysUnavailable,
    /// PGRST302: there is no role for whoever comes without a token.
    #[error("Anonymous access is disabled")]
    TokenRequired,
    /// BERTH429: a limit of `RATE_LIMIT` is reached, or that of the key.
    #[error("Too many requests")]
    TooManyRequests {
        /// Which limit.
        by: By,
        /// How long until one more is let through.
        wait: Duration,
    },
    /// PGRST303: a claim says that the token must not be taken.
    #[error("{0}")]
    Claims(String),
}
