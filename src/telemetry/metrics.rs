//! Happenings as Prometheus metrics.
//!
//! Every label takes one of a fixed set of values, whatever clients send: no table names, no paths. What a request
//! touches is looked up once and kept, so that counting it is a few atomic additions.

mod access;
mod declare;
mod http;
mod label;
mod shared_log;
mod store;

use std::time::Duration;

use prometheus::proto::MetricFamily;
use prometheus::{Counter, IntCounterVec, IntGauge, Registry, TextEncoder};

use super::event::Event;
use super::process;
use access::AccessMetrics;
use declare::Declare;
use http::HttpMetrics;
use shared_log::LogMetrics;
pub use shared_log::LogState;
use store::StoreMetrics;

/// What only the moment of asking knows.
#[derive(Debug, Clone, Copy)]
pub struct Now {
    /// Requests in flight.
    pub in_flight: usize,
    /// Open connections.
    pub connections: usize,
    /// Time since the start during which there was a request in flight: what platforms bill by the request.
    pub busy: Duration,
    /// Bytes of requests' bodies in memory.
    pub body_bytes: usize,
    /// Bytes of answers that are not sent yet.
    pub answer_bytes: usize,
    /// The shared log, where there is one.
    pub log: Option<LogState>,
}

/// Every metric.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    http: HttpMetrics,
    store: StoreMetrics,
    log: LogMetrics,
    access: AccessMetrics,
    pushes: IntCounterVec,
    cpu: Counter,
    resident_bytes: IntGauge,
    dropped_lines: IntGauge,
}

impl Metrics {
    pub(super) fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let declare = Declare(&registry);
        declare
            .gauge("process_start_time_seconds", "Start of the process since the Unix epoch in seconds.")?
            .set(crate::clock::unix_seconds());
        Ok(Self {
            http: HttpMetrics::new(&declare)?,
            store: StoreMetrics::new(&declare)?,
            log: LogMetrics::new(&declare)?,
            access: AccessMetrics::new(&declare)?,
            pushes: declare.counters(
                "berth_telemetry_pushes_total",
                "Pushes of telemetry by OTLP, by outcome.",
                &["outcome"],
            )?,
            cpu: declare.seconds("process_cpu_seconds_total", "CPU time used.")?,
            resident_bytes: declare.gauge("process_resident_memory_bytes", "Resident memory.")?,
            dropped_lines: declare.gauge("berth_log_dropped_lines", "Log lines dropped because nobody read them.")?,
            registry,
        })
    }

    pub(super) fn interpret(&self, event: &Event<'_>) {
        match *event {
            Event::RequestAnswered(ref answered) => self.http.answered(answered),
            Event::RequestRefused(refusal) => self.http.refused(refusal),
            Event::StreamEnded(ref ended) => self.http.stream_ended(ended),
            Event::GroupCommitted { requests, latency } => self.store.committed(requests, latency),
            Event::StatementRun { operation, latency } => self.store.run(operation, latency),
            Event::PoolWait { latency, in_use, open } => self.store.waited(latency, in_use, open),
            Event::CatalogLoaded { tables, .. } => self.store.tables.set(whole(tables)),
            Event::MigrationApplied { .. } => self.store.migrations.inc(),
            Event::StoreFailed { .. } => self.store.failures.inc(),
            Event::Published { outcome, latency } => self.log.published(outcome, latency),
            Event::CaughtUp { commit_groups, latency } => self.log.caught_up(commit_groups, latency),
            Event::KeysFetched { keys, .. } => self.access.fetched(keys),
            Event::KeysNotFetched { .. } => self.access.not_fetched(),
            Event::ApiKeysRead { keys } => self.access.api_keys.set(whole(keys)),
            Event::ApiKeysNotRead { .. } => self.access.api_key_failures.inc(),
            Event::RateLimited { by } => self.access.rate_limited.with_label_values(&[by]).inc(),
            Event::TelemetryPushed => self.pushes.with_label_values(&["taken"]).inc(),
            Event::TelemetryNotPushed { .. } => self.pushes.with_label_values(&["failed"]).inc(),
            // The answer that follows is counted.
            Event::RequestFailed { .. } => {}
            Event::ConfigWarning { .. } | Event::Started { .. } | Event::Stopping | Event::Stopped => {}
        }
    }

    /// Takes note of what only the moment knows.
    pub(super) fn observe(&self, now: Now, dropped_lines: u64) {
        self.http.observe(&now);
        raise_seconds(&self.cpu, crate::clock::cpu_used());
        self.resident_bytes.set(process::resident_bytes());
        if let Some(log) = &now.log {
            self.log.observe(log);
        }
        self.dropped_lines.set(i64::try_from(dropped_lines).unwrap_or(i64::MAX));
    }

    /// All metrics.
    pub(super) fn gather(&self) -> Vec<MetricFamily> {
        self.registry.gather()
    }

    pub(super) fn render(&self) -> Result<String, prometheus::Error> {
        TextEncoder::new().encode_to_string(&self.gather())
    }
}

/// Brings a counter of seconds up to `total`.
fn raise_seconds(counter: &Counter, total: Duration) {
    counter.inc_by((total.as_secs_f64() - counter.get()).max(0.0));
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::telemetry::event::{RequestAnswered, RouteClass};

    fn answered<'a>(method: &'a str, status: u16, error_code: Option<&'a str>) -> Event<'a> {
        Event::RequestAnswered(RequestAnswered {
            method,
            path: "/films",
            class: RouteClass::Relation,
            status,
            latency: Duration::from_micros(200),
            response_bytes: 10,
            rows: None,
            request_id: "1",
            trace: None,
            span: None,
            error_code,
        })
    }

    fn rendered(events: &[Event<'_>]) -> String {
        let metrics = Metrics::new().unwrap();
        events.iter().for_each(|event| metrics.interpret(event));
        let busy = Duration::from_millis(2_500);
        metrics.observe(Now { in_flight: 3, connections: 2, busy, body_bytes: 4, answer_bytes: 5, log: None }, 5);
        metrics.render().unwrap()
    }

    #[test]
    fn requests_are_counted_by_class_method_and_status() {
        let text = rendered(&[answered("GET", 200, None), answered("GET", 200, None), answered("BREW", 418, None)]);
        assert!(
            text.contains("berth_http_requests_total{class=\"relation\",method=\"GET\",status=\"200\"} 2"),
            "{text}"
        );
        let made_up = "berth_http_requests_total{class=\"relation\",method=\"other\",status=\"other\"} 1";
        assert!(text.contains(made_up), "{text}");
        assert!(text.contains("berth_http_request_duration_seconds_count{class=\"relation\"} 3"), "{text}");
    }

    #[test]
    fn what_the_moment_knows_is_told() {
        let text = rendered(&[]);
        assert!(text.contains("berth_http_requests_in_flight 3"), "{text}");
        assert!(text.contains("berth_log_dropped_lines 5"), "{text}");
        assert!(text.contains("berth_busy_seconds_total 2.5"), "{text}");
        assert!(text.contains("process_resident_memory_bytes "), "{text}");
    }
}
