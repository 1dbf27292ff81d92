//! `/-/ready`: requests can be answered now. What is missing is told to the log, not to the world.

use serde_json::json;

use crate::http::Answer;
use crate::http::service::Shared;
use crate::response::Reply;
use crate::telemetry::Event;

pub(super) async fn answer<A: Answer>(shared: &Shared<A>) -> Reply {
    match shared.app.is_ready().await {
        Ok(()) => super::json(200, &json!({ "status": "ready" })),
        Err(cause) => {
            shared.telemetry.record(&Event::StoreFailed { doing: "answer whether it is ready", cause: &cause });
            super::json(503, &json!({ "status": "not ready" }))
        }
    }
}
