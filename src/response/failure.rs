//! The answers that say what went wrong, in the dialect's shape.

use bytes::Bytes;
use serde_json::json;

use super::raised::Raised;
use super::{Reply, status};
use crate::request::MediaType;

/// When a client may try again that was told to wait: full queues empty within a second.
const RETRY_AFTER_SECONDS: u32 = 1;

/// What is said of an error.
#[derive(Debug, Clone, Copy)]
pub struct Failure<'a> {
    /// `PostgREST`'s code, berth's, or an SQLSTATE.
    pub code: &'a str,
    /// One sentence for a person.
    pub message: &'a str,
    /// More about the cause.
    pub details: Option<&'a serde_json::Value>,
    /// What to do about it.
    pub hint: Option<&'a str>,
}

/// How much of an error its client sees.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Verbosity {
    /// Code, message, details and hint.
    #[default]
    Verbose,
    /// Code and message.
    Minimal,
}

impl Failure<'_> {
    /// The body of the answer.
    #[must_use]
    pub fn body(&self, verbosity: Verbosity) -> Bytes {
        let Self { code, message, details, hint } = self;
        let body = match verbosity {
            Verbosity::Verbose => json!({ "code": code, "details": details, "hint": hint, "message": message }),
            Verbosity::Minimal => json!({ "code": code, "message": message }),
        };
        body.to_string().into()
    }
}

impl Reply {
    /// An error in the dialect's shape, with the status that its code has.
    #[must_use]
    pub fn failure(failure: &Failure<'_>, caller: status::Caller, verbosity: Verbosity) -> Self {
        let status = status::status_of(failure.code, failure.message, caller);
        let mut headers = vec![proxy_status(failure.code)];
        if let Some(challenge) = status::challenge_of(failure.code, failure.message, caller) {
            headers.push(("WWW-Authenticate", challenge));
        }
        if status == 503 {
            headers.push(("Retry-After", RETRY_AFTER_SECONDS.to_string()));
        }
        Self::with_body(status, headers, &MediaType::Json, failure.body(verbosity))
    }

    /// An error that code in the database made, with the status and headers that it asks for.
    #[must_use]
    pub fn raised(raised: &Raised, failure: &Failure<'_>, verbosity: Verbosity) -> Self {
        let headers = vec![proxy_status(failure.code)];
        let mut reply = Self::with_body(raised.status, headers, &MediaType::Json, failure.body(verbosity));
        reply.replace_headers(raised.headers.clone());
        reply
    }
}

/// Says to intermediaries that the answer is an error, and which.
fn proxy_status(code: &str) -> (&'static str, String) {
    ("Proxy-Status", format!("PostgREST; error={code}"))
}
