//! `/-/status`: what this instance is and how full it is. Public, so nothing of the data or its place is told.

use serde_json::json;

use crate::http::Answer;
use crate::http::service::Shared;
use crate::response::Reply;

pub(super) async fn answer<A: Answer>(shared: &Shared<A>) -> Reply {
    let is_ready = shared.app.is_ready().await.is_ok();
    super::json(
        200,
        &json!({
            "version": env!("CARGO_PKG_VERSION"),
            "ready": is_ready,
            "uptimeSeconds": shared.started.elapsed().as_secs(),
            "requestsInFlight": shared.limits.in_flight(),
            "queueLimit": shared.limits.queue_limit(),
            "log": shared.app.log_state().map(|log| json!({
                "position": log.position,
                "snapshotPosition": log.snapshot_position,
                "snapshotAgeSeconds": log.snapshot_age.map(|age| age.as_secs()),
                "tailBytes": log.log_bytes,
                "lookAgeSeconds": log.look_age.map(|age| age.as_secs()),
                "commits": named(&log.commits),
                "applied": log.applied,
                "copyBytes": log.copy_bytes,
                "volumeOperations": named(&log.operations),
                "volumeBytesRead": log.bytes_read,
                "volumeBytesWritten": log.bytes_put,
            })),
        }),
    )
}

fn named(counts: &[(&str, u64)]) -> serde_json::Map<String, serde_json::Value> {
    counts.iter().map(|(name, count)| ((*name).to_owned(), (*count).into())).collect()
}
