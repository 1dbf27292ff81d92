//! From actix's request to `request::Raw`.

use std::time::Duration;

use actix_http::{HttpMessage as _, Payload, Request};
use actix_web::http::Method;
use actix_web::http::header::{CONTENT_LENGTH, TRANSFER_ENCODING, UPGRADE};
use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;

use super::fault::Fault;
use super::limits::BodyLease;
use super::own;
use crate::clock::{Deadline, within};
use crate::request::Raw;
use crate::telemetry::RouteClass;

/// Time for a whole body to arrive: what a phone needs for some megabytes, and no more for one who drips bytes.
const BODY_TIMEOUT: Duration = Duration::from_secs(60);

/// The request as it arrived. Header values that are not UTF-8 are read as far as they are.
pub(super) fn raw(request: &Request, body: Bytes) -> Raw {
    let headers = request.headers();
    let mut pairs = Vec::with_capacity(headers.len());
    for (name, value) in headers {
        pairs.push((name.as_str().to_owned(), String::from_utf8_lossy(value.as_bytes()).into_owned()));
    }
    Raw {
        method: request.method().as_str().to_owned(),
        path: request.uri().path().to_owned(),
        query: request.uri().query().unwrap_or_default().to_owned(),
        headers: pairs,
        body,
    }
}

/// A header's value when it is visible ASCII.
pub(super) fn header<'a>(request: &'a Request, name: &str) -> Option<&'a str> {
    request.headers().get(name).and_then(|value| value.to_str().ok())
}

/// Reads a body of at most `limit_bytes`, its memory counted by `lease`, which must outlive it.
///
/// # Errors
/// When it is too large, too slow or broken, or when no memory is left for it.
pub(super) async fn body(
    request: &Request,
    payload: Payload,
    limit_bytes: usize,
    lease: &mut BodyLease,
) -> Result<Bytes, Fault> {
    if matches!(payload, Payload::None) || is_endless(request) {
        return Ok(Bytes::new());
    }
    let announced = header(request, CONTENT_LENGTH.as_str()).and_then(|text| text.parse::<usize>().ok());
    grow(lease, announced.unwrap_or_default(), limit_bytes)?;
    let collected = collect(payload, limit_bytes, lease);
    within(Deadline::after(BODY_TIMEOUT), collected).await.unwrap_or(Err(Fault::BodyTooSlow))
}

/// True when what follows the head is no body: who asks for a WebSocket or for a tunnel (`CONNECT`) sends nothing
/// before there is an answer.
pub(super) fn is_endless(request: &Request) -> bool {
    let headers = request.headers();
    let is_tunnel = request.method() == Method::CONNECT && !headers.contains_key(CONTENT_LENGTH);
    // actix heeds no length then.
    let is_socket = header(request, UPGRADE.as_str()).is_some_and(|to| to.trim().eq_ignore_ascii_case("websocket"));
    (is_tunnel || is_socket) && !headers.contains_key(TRANSFER_ENCODING)
}

/// A body that came in one piece is not copied.
async fn collect(mut payload: Payload, limit_bytes: usize, lease: &mut BodyLease) -> Result<Bytes, Fault> {
    let Some(first) = payload.next().await else {
        return Ok(Bytes::new());
    };
    let first = first.map_err(|_| Fault::BodyBroken)?;
    grow(lease, first.len(), limit_bytes)?;
    let Some(second) = payload.next().await else {
        return Ok(first);
    };
    let mut whole = BytesMut::from(first);
    let mut next = Some(second);
    while let Some(piece) = next {
        let piece = piece.map_err(|_| Fault::BodyBroken)?;
        grow(lease, whole.len().saturating_add(piece.len()), limit_bytes)?;
        whole.extend_from_slice(&piece);
        next = payload.next().await;
    }
    Ok(whole.freeze())
}

fn grow(lease: &mut BodyLease, bytes: usize, limit_bytes: usize) -> Result<(), Fault> {
    if bytes > limit_bytes {
        return Err(Fault::BodyTooLarge { limit_bytes });
    }
    if lease.try_grow_to(bytes) { Ok(()) } else { Err(Fault::Busy) }
}

/// What kind of thing a path addresses, for metrics.
pub(super) fn class_of(path: &str) -> RouteClass {
    let is_own = own::route(path).is_some();
    let path = match path.strip_prefix("/rest/v1") {
        Some(rest) if rest.is_empty() || rest.starts_with('/') => rest,
        _ => path,
    };
    if path == "/-/batch" {
        return RouteClass::Batch;
    }
    if is_own {
        return RouteClass::Own;
    }
    let path = path.strip_prefix('/').unwrap_or(path);
    match path.split_once('/') {
        None if path.is_empty() => RouteClass::Root,
        None => RouteClass::Relation,
        Some(("rpc", name)) if !name.is_empty() && !name.contains('/') => RouteClass::Function,
        Some(_) => RouteClass::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_have_a_class() {
        for (path, class) in [
            ("/", RouteClass::Root),
            ("", RouteClass::Root),
            ("/rest/v1", RouteClass::Root),
            ("/rest/v1/", RouteClass::Root),
            ("/films", RouteClass::Relation),
            ("/rest/v1/films", RouteClass::Relation),
            ("/rest/v10", RouteClass::Other),
            ("/rpc/add", RouteClass::Function),
            ("/rest/v1/rpc/add", RouteClass::Function),
            ("/rpc/", RouteClass::Other),
            ("/rpc/a/b", RouteClass::Other),
            ("/films/1", RouteClass::Other),
            ("/-/live", RouteClass::Own),
            ("/-/batch", RouteClass::Batch),
            ("/rest/v1/-/batch", RouteClass::Batch),
            ("/-/batch/", RouteClass::Own),
            ("/rest/v1/-/live", RouteClass::Other),
            ("/rest/v1/-/metrics", RouteClass::Other),
            ("/rest/v1/-/", RouteClass::Own),
            ("/rest/v1/-/status", RouteClass::Own),
            ("/-", RouteClass::Own),
            ("/-films", RouteClass::Relation),
            ("*", RouteClass::Relation),
        ] {
            assert_eq!(class_of(path), class, "{path}");
        }
    }
}
