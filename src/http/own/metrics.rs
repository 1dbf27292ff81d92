//! `/-/metrics`: Prometheus' text format, version 0.0.4.

use crate::http::Answer;
use crate::http::fault::Fault;
use crate::http::service::Shared;
use crate::response::Reply;

pub(super) fn answer<A: Answer>(shared: &Shared<A>) -> Reply {
    match shared.telemetry.render(shared.now()) {
        Ok(text) => super::reply(200, "text/plain; version=0.0.4; charset=utf-8", text),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            Fault::Panicked.reply()
        }
    }
}
