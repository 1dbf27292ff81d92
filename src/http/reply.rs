//! From a `Reply` to an actix response.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use actix_web::HttpResponse;
use actix_web::body::{BodySize, BoxBody, MessageBody};
use actix_web::http::StatusCode;
use actix_web::http::header::{HeaderName, HeaderValue, SERVER};

use bytes::Bytes;

use super::limits::BodyLease;
use super::stream::{Streamed, Told};
use crate::response::Reply;

/// What answers call this server.
const SERVER_VALUE: HeaderValue = HeaderValue::from_static(concat!("berth/", env!("CARGO_PKG_VERSION")));

/// The name that an answer gives its request.
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// How much of an answer is handed to the socket's buffer at one time, which holds it a second time.
pub(super) const PIECE_BYTES: usize = 64 << 10;

/// A body that counts as memory until its last byte is sent.
pub(super) fn keep(body: Bytes, lease: BodyLease) -> Bytes {
    struct Kept(Bytes, #[expect(dead_code, reason = "its end is what matters")] BodyLease);
    impl AsRef<[u8]> for Kept {
        fn as_ref(&self) -> &[u8] {
            &self.0
        }
    }
    Bytes::from_owner(Kept(body, lease))
}

/// A large body, in pieces.
struct Pieces(Bytes);

impl MessageBody for Pieces {
    type Error = Infallible;

    fn size(&self) -> BodySize {
        BodySize::Sized(self.0.len() as u64)
    }

    fn poll_next(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Bytes, Infallible>>> {
        let length = self.0.len().min(PIECE_BYTES);
        Poll::Ready((length > 0).then(|| Ok(self.0.split_to(length))))
    }
}

/// Whether a body may follow the head.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Body {
    /// It may.
    Sent,
    /// The request was a `HEAD`.
    LeftOut,
}

/// The response. A header that SQL wrote and HTTP forbids is left out and told to the log.
pub(super) fn response(reply: Reply, body: Body, told: Told) -> HttpResponse {
    let Reply { status, headers, body: bytes, rest } = reply;
    let request_id = HeaderValue::from_str(&told.request_id);
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    // A length of zero would be a lie about what GET brings, so HEAD names none.
    let boxed = match (body, rest) {
        (Body::Sent, Some(rest)) => Streamed::new(bytes, rest, told).boxed(),
        (Body::Sent, None) if bytes.len() > PIECE_BYTES => Pieces(bytes).boxed(),
        (Body::Sent, None) => bytes.boxed(),
        (Body::LeftOut, _) => actix_web::body::None::new().boxed(),
    };
    let mut response: HttpResponse<BoxBody> = HttpResponse::with_body(status, boxed);
    let map = response.headers_mut();
    for (name, value) in headers {
        match (HeaderName::try_from(name.as_str()), HeaderValue::try_from(value)) {
            // actix writes the length of what it sends.
            (Ok(name), Ok(_)) if name == actix_web::http::header::CONTENT_LENGTH => {}
            (Ok(name), Ok(value)) => map.append(name, value),
            (Ok(_) | Err(_), Err(_)) | (Err(_), Ok(_)) => tracing::warn!(name, "a header of the answer is malformed"),
        }
    }
    map.insert(SERVER, SERVER_VALUE);
    if let Ok(value) = request_id {
        map.insert(REQUEST_ID, value);
    }
    response
}

/// What an answer says of itself, for the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) struct Summary<'a> {
    /// The error's code.
    pub(super) error_code: Option<&'a str>,
    /// Rows, by `Content-Range`.
    pub(super) rows: Option<u64>,
}

/// Reads the summary from an answer's headers.
pub(super) fn summarise(reply: &Reply) -> Summary<'_> {
    let mut summary = Summary::default();
    for (name, value) in &reply.headers {
        if name.eq_ignore_ascii_case("Proxy-Status") {
            summary.error_code = value.split_once("error=").map(|(_, code)| code);
        } else if name.eq_ignore_ascii_case("Content-Range") {
            summary.rows = rows_of(value);
        }
    }
    summary
}

/// `0-14/*` is 15 rows, `*/*` says nothing.
fn rows_of(range: &str) -> Option<u64> {
    let (first, last) = range.split_once('/')?.0.split_once('-')?;
    let (first, last): (u64, u64) = (first.parse().ok()?, last.parse().ok()?);
    last.checked_sub(first)?.checked_add(1)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;
    use crate::clock::Stopwatch;
    use crate::telemetry::Telemetry;

    fn reply(headers: &[(&str, &str)]) -> Reply {
        let headers = headers.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Reply { status: 200, headers, body: Bytes::from_static(b"[]"), rest: None }
    }

    fn told() -> Told {
        let telemetry = Telemetry::silent().unwrap();
        Told {
            telemetry,
            request_id: "id".to_owned(),
            trace: None,
            stopwatch: Stopwatch::start(),
            permit: None,
            serving: None,
        }
    }

    #[test]
    fn malformed_headers_are_left_out() {
        let response = response(reply(&[("X-A", "1\r\nX-B: 2"), ("bad name", "1"), ("X-C", "3")]), Body::Sent, told());
        let names: Vec<_> = response.headers().keys().map(HeaderName::as_str).collect();
        assert!(!names.contains(&"x-a") && !names.contains(&"x-b"), "{names:?}");
        assert_eq!(response.headers().get("X-C").unwrap(), "3");
    }

    #[test]
    fn headers_may_repeat() {
        let response = response(reply(&[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")]), Body::Sent, told());
        assert_eq!(response.headers().get_all("Set-Cookie").count(), 2);
    }

    #[test]
    fn an_impossible_status_is_a_500() {
        let response = response(Reply { status: 7, ..reply(&[]) }, Body::Sent, told());
        assert_eq!(response.status(), StatusCode::INTERNAL_SERVER_ERROR);
    }

    #[test]
    fn rows_and_code_are_read_from_the_headers() {
        let answer = reply(&[("Content-Range", "5-14/*"), ("proxy-status", "PostgREST; error=PGRST116")]);
        assert_eq!(summarise(&answer), Summary { error_code: Some("PGRST116"), rows: Some(10) });
        for range in ["*/*", "*/0", "9-1/*", "x-y/*", ""] {
            assert_eq!(rows_of(range), None, "{range}");
        }
    }
}
