//! What goes wrong before a request reaches the pipeline, or in spite of it.

use thiserror::Error;

use crate::response::status::Caller;
use crate::response::{Failure, Reply, Verbosity};

/// Why the socket side answers by itself. Codes are `BERTH` and the status.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub(super) enum Fault {
    /// The body is larger than `MAX_BODY`.
    #[error("the request's body is larger than {limit_bytes} bytes")]
    BodyTooLarge {
        /// The bound.
        limit_bytes: usize,
    },
    /// The body did not come in time.
    #[error("the request's body did not arrive in time")]
    BodyTooSlow,
    /// The body ended early or is not encoded as its headers say.
    #[error("the request's body cannot be read")]
    BodyBroken,
    /// The head is no HTTP.
    #[error("the request's head is malformed")]
    HeadBroken,
    /// The head is larger than it may be.
    #[error("the request's head is larger than 128 KiB or has more than 96 headers")]
    HeadTooLarge,
    /// The head did not come in time.
    #[error("the request's head did not arrive in time")]
    HeadTooSlow,
    /// As many requests or bytes as may are at work.
    #[error("too many requests are waiting")]
    Busy,
    /// The client left, or closed its side of the connection, and its read took longer than it is still waited for.
    #[error("the client closed the connection")]
    ClientLeft,
    /// The pipeline broke: a fault of this program.
    #[error("internal error")]
    Panicked,
    /// No own route of that name.
    #[error("Invalid path specified in request URL")]
    NoSuchRoute,
    /// A batch can only be posted.
    #[error("this path answers POST only")]
    OnlyPost,
    /// Own routes are only read.
    #[error("this path answers GET and HEAD only")]
    OnlyRead,
}

impl Fault {
    fn code(&self) -> &'static str {
        match self {
            Self::BodyTooLarge { .. } => "BERTH413",
            Self::BodyTooSlow | Self::HeadTooSlow => "BERTH408",
            Self::BodyBroken | Self::HeadBroken => "BERTH400",
            Self::HeadTooLarge => "BERTH431",
            Self::Busy => "BERTH503",
            Self::ClientLeft => "BERTH499",
            Self::Panicked => "BERTH500",
            Self::NoSuchRoute => "PGRST125",
            Self::OnlyRead | Self::OnlyPost => "BERTH405",
        }
    }

    fn hint(&self) -> Option<&'static str> {
        match self {
            Self::BodyTooLarge { .. } => Some("Send less at a time, or raise MAX_BODY."),
            Self::Busy => Some("Send it again after a second."),
            Self::HeadBroken => Some("Addresses end at 65,534 bytes; send long lists in smaller parts."),
            Self::BodyTooSlow
            | Self::BodyBroken
            | Self::HeadTooLarge
            | Self::HeadTooSlow
            | Self::ClientLeft
            | Self::Panicked
            | Self::NoSuchRoute
            | Self::OnlyPost
            | Self::OnlyRead => None,
        }
    }

    /// The answer, in the shape of `PostgREST`'s errors.
    pub(super) fn reply(&self) -> Reply {
        let message = self.to_string();
        let failure = Failure { code: self.code(), message: &message, details: None, hint: self.hint() };
        let mut reply = Reply::failure(&failure, Caller::Anonymous, Verbosity::Verbose);
        let allowed = match self {
            Self::OnlyPost => Some("POST"),
            Self::OnlyRead => Some("GET, HEAD"),
            Self::BodyTooLarge { .. }
            | Self::BodyTooSlow
            | Self::BodyBroken
            | Self::HeadBroken
            | Self::HeadTooLarge
            | Self::HeadTooSlow
            | Self::Busy
            | Self::ClientLeft
            | Self::Panicked
            | Self::NoSuchRoute => None,
        };
        reply.headers.extend(allowed.map(|verbs| ("Allow".to_owned(), verbs.to_owned())));
        reply
    }
}
