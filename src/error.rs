//! Every error of every stage as the four fields a client sees: code, message, details, hint.
//!
//! What each stage's errors say is in a file of the stage's name here. Statuses are in `response/status.rs`. The texts are
//! `PostgREST`'s where it has the same error.
//!
//! Source: <https://docs.postgrest.org/en/v16/references/errors.html>

mod auth;
mod plan;
mod request;
mod response;
mod store;

use std::time::Duration;

use serde_json::Value;
use thiserror::Error as ThisError;

use crate::response::raised::{self, Raised};

/// The hint where the answer has a `Retry-After`.
const RETRY_LATER: &str = "Retry after the time given in the Retry-After header.";

/// What a client is told of an error beside its message.
trait Fields {
    /// `PostgREST`'s code or Postgres' SQLSTATE; `BERTH` and the status for what neither has.
    fn code(&self) -> &str;

    /// More about the cause.
    fn details(&self) -> Option<Value> {
        None
    }

    /// What to do about it.
    fn hint(&self) -> Option<String> {
        None
    }
}

/// Whatever a request can end in instead of an answer: one variant for each stage.
#[derive(Debug, Clone, ThisError)]
pub enum Error {
    /// The text of the request.
    #[error(transparent)]
    Request(#[from] crate::request::Error),
    /// The token.
    #[error(transparent)]
    Auth(#[from] crate::auth::Error),
    /// Names, types, capabilities, access.
    #[error(transparent)]
    Plan(#[from] crate::plan::Error),
    /// The database.
    #[error(transparent)]
    Store(crate::store::Error),
    /// Code in the database, which says what its client is told.
    #[error("{}", .0.message)]
    Raised(Box<Raised>),
    /// The answer.
    #[error(transparent)]
    Response(#[from] crate::response::Error),
    /// The schema has not been read yet (PGRST002).
    #[error("Could not query the database for the schema cache. Retrying.")]
    NoCatalog,
}

impl From<crate::store::Error> for Error {
    fn from(error: crate::store::Error) -> Self {
        if let crate::store::Error::Database { code, message, details, .. } = &error
            && code == raised::SQLSTATE
        {
            return match Raised::parse(message, details.as_deref()) {
                Ok(raised) => Self::Raised(Box::new(raised)),
                Err(unreadable) => Self::Response(crate::response::Error::UnreadableRaise(unreadable)),
            };
        }
        Self::Store(error)
    }
}

/// [`Error::NoCatalog`], which says nothing but its message.
struct NoCatalog;

impl Fields for NoCatalog {
    fn code(&self) -> &str {
        "PGRST002"
    }
}

impl Error {
    fn fields(&self) -> &dyn Fields {
        match self {
            Self::Request(error) => error,
            Self::Auth(error) => error,
            Self::Plan(error) => error,
            Self::Store(error) => error,
            Self::Raised(raised) => raised.as_ref(),
            Self::Response(error) => error,
            Self::NoCatalog => &NoCatalog,
        }
    }

    /// `PostgREST`'s code, berth's, or an SQLSTATE.
    #[must_use]
    pub fn code(&self) -> &str {
        self.fields().code()
    }

    /// One sentence for a person.
    #[must_use]
    pub fn message(&self) -> String {
        if let Self::Store(crate::store::Error::Database { message, .. }) = self {
            // Its own text names the code as well.
            return message.clone();
        }
        self.to_string()
    }

    /// More about the cause.
    #[must_use]
    pub fn details(&self) -> Option<Value> {
        self.fields().details()
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        self.fields().hint()
    }

    /// How long its client shall wait, where that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        if let Self::Auth(crate::auth::Error::TooManyRequests { wait, .. }) = self { Some(*wait) } else { None }
    }

    /// What the log is told: the message, and what the client must not see.
    #[must_use]
    pub fn cause(&self) -> String {
        if let Self::Store(crate::store::Error::Internal(cause) | crate::store::Error::Unreachable(cause)) = self {
            return format!("{}: {cause}", self.message());
        }
        match self.details() {
            Some(details) => format!("{} ({details})", self.message()),
            None => self.message(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{plan, store};

    #[test]
    fn a_table_that_is_not_there_is_told_with_a_name_that_is_close() {
        let error = Error::from(plan::Error::TableNotFound {
            schema: "public".into(),
            name: "film".into(),
            suggestion: Some("films".into()),
        });
        assert_eq!(error.code(), "PGRST205");
        assert_eq!(error.message(), "Could not find the table 'public.film' in the schema cache");
        assert_eq!(error.hint().as_deref(), Some("Perhaps you meant the table 'public.films'"));
    }

    #[test]
    fn what_is_meant_for_the_log_does_not_reach_the_client() {
        for error in [store::Error::Internal("secret".into()), store::Error::Unreachable("secret".into())] {
            let error = Error::from(error);
            assert!(!error.message().contains("secret"));
            assert!(error.details().is_none() && error.hint().is_none());
            assert!(error.cause().contains("secret"));
        }
    }
}
