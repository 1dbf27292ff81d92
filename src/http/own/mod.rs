//! berth's own routes under `/-/`: answered without a place in the queue, so that a full server still says so.

mod console;
mod live;
mod metrics;
mod ready;
mod status;

use bytes::Bytes;

use super::Answer;
use super::fault::Fault;
use super::service::Shared;
use crate::response::Reply;

/// What follows `/-`, when the path is one of berth's own.
///
/// Where a proxy hands on `/rest/v1/` alone, the console is below that, with what it needs; probes and metrics are for
/// those who reach the rest.
pub(super) fn route(path: &str) -> Option<&str> {
    if let Some(route) = path.strip_prefix("/rest/v1/-") {
        return matches!(route, "" | "/" | "/status").then_some(route);
    }
    let route = path.strip_prefix("/-")?;
    (route.is_empty() || route.starts_with('/')).then_some(route)
}

/// Answers `/-` with `route`, as [`route`] has it.
pub(super) async fn answer<A: Answer>(shared: &Shared<A>, method: &str, route: &str) -> Reply {
    if !matches!(route, "" | "/" | "/live" | "/ready" | "/metrics" | "/status") {
        return Fault::NoSuchRoute.reply();
    }
    if !matches!(method, "GET" | "HEAD") {
        return Fault::OnlyRead.reply();
    }
    match route {
        "" => console::lead(),
        "/" => console::answer(),
        "/live" => live::answer(),
        "/ready" => ready::answer(shared).await,
        "/metrics" => metrics::answer(shared),
        _ => status::answer(shared).await,
    }
}

/// An answer that no cache keeps.
fn reply(status: u16, content_type: &str, body: impl Into<Bytes>) -> Reply {
    let headers =
        vec![("Content-Type".to_owned(), content_type.to_owned()), ("Cache-Control".to_owned(), "no-store".to_owned())];
    Reply { status, headers, body: body.into(), rest: None }
}

fn json(status: u16, value: &serde_json::Value) -> Reply {
    reply(status, "application/json; charset=utf-8", value.to_string())
}
