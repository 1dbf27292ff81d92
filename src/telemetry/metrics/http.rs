//! Requests and their answers.

use prometheus::{Counter, Histogram, IntCounter, IntCounterVec, IntGauge};

use super::declare::Declare;
use super::label::{Requests, code_label};
use super::{Now, raise_seconds, whole};
use crate::telemetry::event::{Refusal, RequestAnswered, RouteClass, StreamEnded};

/// What comes over the socket, and what it takes while it is there.
#[derive(Debug)]
pub(super) struct HttpMetrics {
    requests: Requests,
    latency: [Histogram; RouteClass::ALL.len()],
    errors: IntCounterVec,
    refused: [IntCounter; Refusal::ALL.len()],
    streams: IntCounterVec,
    stream_bytes: IntCounter,
    in_flight: IntGauge,
    connections: IntGauge,
    busy: Counter,
    body_bytes: IntGauge,
    answer_bytes: IntGauge,
}

impl HttpMetrics {
    pub(super) fn new(declare: &Declare<'_>) -> Result<Self, prometheus::Error> {
        let [root, relation, function, batch, own, preflight, other] = RouteClass::ALL.map(|class| {
            declare.latency(
                "berth_http_request_duration_seconds",
                "Time to answer, by route class.",
                Some(("class", class.name())),
            )
        });
        let refused = declare.counters("berth_http_refused_total", "Requests turned away, by reason.", &["reason"])?;
        Ok(Self {
            requests: Requests::new(declare.counters(
                "berth_http_requests_total",
                "Requests answered, by route class, method and status.",
                &["class", "method", "status"],
            )?),
            latency: [root?, relation?, function?, batch?, own?, preflight?, other?],
            errors: declare.counters("berth_errors_total", "Errors answered, by code or SQLSTATE class.", &["code"])?,
            // Zero is said too: who watches for refusals sees that they are counted.
            refused: Refusal::ALL.map(|refusal| refused.with_label_values(&[refusal.name()])),
            streams: declare.counters(
                "berth_http_streams_total",
                "Answers sent while they were read, by how they ended.",
                &["ending"],
            )?,
            stream_bytes: declare
                .counter("berth_http_stream_bytes_total", "Bytes of answers sent while they were read.")?,
            in_flight: declare.gauge("berth_http_requests_in_flight", "Requests in flight.")?,
            connections: declare
                .gauge("berth_http_connections", "Connections open, those without a request included.")?,
            busy: declare.seconds("berth_busy_seconds_total", "Time with a request in flight: it is billed.")?,
            body_bytes: declare.gauge("berth_http_body_bytes", "Bytes of requests' bodies in memory.")?,
            answer_bytes: declare
                .gauge("berth_http_answer_bytes", "Bytes of large answers that their clients have not taken yet.")?,
        })
    }

    pub(super) fn answered(&self, answered: &RequestAnswered<'_>) {
        self.requests.count(answered.class, answered.method, answered.status);
        if let Some(histogram) = self.latency.get(answered.class as usize) {
            histogram.observe(answered.latency.as_secs_f64());
        }
        if let Some(code) = answered.error_code {
            self.errors.with_label_values(&[code_label(code).as_str()]).inc();
        }
    }

    pub(super) fn refused(&self, refusal: Refusal) {
        if let Some(count) = self.refused.get(refusal as usize) {
            count.inc();
        }
    }

    pub(super) fn stream_ended(&self, ended: &StreamEnded<'_>) {
        self.streams.with_label_values(&[ended.ending.name()]).inc();
        self.stream_bytes.inc_by(u64::try_from(ended.bytes).unwrap_or_default());
    }

    pub(super) fn observe(&self, now: &Now) {
        self.in_flight.set(whole(now.in_flight));
        self.connections.set(whole(now.connections));
        raise_seconds(&self.busy, now.busy);
        self.body_bytes.set(whole(now.body_bytes));
        self.answer_bytes.set(whole(now.answer_bytes));
    }
}
