//! Answers whose rows are sent while they are read.
//!
//! Their head is sent before their last row is known. When that does not come, the connection is closed without the end of
//! the body (RFC 9112, section 8), which a client tells from a whole answer; the log has the reason.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use actix_web::body::{BodySize, MessageBody};
use bytes::Bytes;

use super::connection::Serving;
use super::limits::Permit;
use crate::clock::Stopwatch;
use crate::error::Error;
use crate::response::Rest;
use crate::telemetry::event::StreamEnding;
use crate::telemetry::{Event, StreamEnded, Telemetry};

/// A body that is sent while it is read.
pub(super) struct Streamed {
    first: Bytes,
    rest: Rest,
    bytes: usize,
    ending: Ending,
    told: Told,
}

/// Whom its end is told, and of what.
pub(super) struct Told {
    pub(super) telemetry: Telemetry,
    pub(super) request_id: String,
    pub(super) trace: Option<String>,
    /// Since the request came.
    pub(super) stopwatch: Stopwatch,
    /// The request is in flight until then.
    #[expect(dead_code, reason = "its end is what matters")]
    pub(super) permit: Option<Permit>,
    /// And its connection is not idle.
    #[expect(dead_code, reason = "its end is what matters")]
    pub(super) serving: Option<Serving>,
}

enum Ending {
    /// Nobody takes it any more, unless something else is known.
    Left,
    Whole,
    Broken(Error),
}

impl Streamed {
    /// The body that begins with `first`.
    pub(super) fn new(first: Bytes, rest: Rest, told: Told) -> Self {
        Self { first, rest, bytes: 0, ending: Ending::Left, told }
    }
}

impl MessageBody for Streamed {
    type Error = io::Error;

    fn size(&self) -> BodySize {
        BodySize::Stream
    }

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        let piece = if self.first.is_empty() {
            ready!(self.rest.poll_piece(context))
        } else {
            Some(Ok(std::mem::take(&mut self.first)))
        };
        Poll::Ready(match piece {
            Some(Ok(piece)) => {
                self.bytes += piece.len();
                Some(Ok(piece))
            }
            Some(Err(error)) => {
                self.ending = Ending::Broken(error.into());
                Some(Err(io::Error::other("the rows ended early")))
            }
            None => {
                self.ending = Ending::Whole;
                None
            }
        })
    }
}

impl Drop for Streamed {
    fn drop(&mut self) {
        let cause;
        let ending = match &self.ending {
            Ending::Left => StreamEnding::ClientLeft,
            Ending::Whole => StreamEnding::Whole,
            Ending::Broken(error) => {
                cause = error.cause();
                StreamEnding::Broken { code: error.code(), cause: &cause }
            }
        };
        self.told.telemetry.record(&Event::StreamEnded(StreamEnded {
            request_id: &self.told.request_id,
            trace: self.told.trace.as_deref(),
            ending,
            rows: self.rest.rows(),
            bytes: self.bytes,
            latency: self.told.stopwatch.elapsed(),
        }));
    }
}
