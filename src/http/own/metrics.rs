//! `/-/metrics`: Prometheus' text format, version 0.0.4.

use crate::http::Answer;
use crate::http::fault::Fault;
use crate::http::service::Shared;
use crate::response::Reply;
use crate::telemetry::Now;

pub(super) fn answer<A: Answer>(shared: &Shared<A>) -> Reply {
    let now = Now {
        in_flight: shared.limits.in_flight(),
        busy: shared.limits.busy(),
        body_bytes: shared.limits.body_bytes(),
        answer_bytes: shared.limits.answer_bytes(),
        log: shared.app.log_state(),
    };
    match shared.telemetry.render(now) {
        Ok(text) => super::reply(200, "text/plain; version=0.0.4; charset=utf-8", text),
        Err(error) => {
            tracing::error!(%error, "metrics cannot be written");
            Fault::Panicked.reply()
        }
    }
}
