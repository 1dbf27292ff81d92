//! Happenings as Prometheus metrics.
//!
//! Every label takes one of a fixed set of values, whatever clients send: no table names, no paths. What a request
//! touches is looked up once and kept, so that counting it is a few atomic additions.

mod declare;
mod label;
mod shared_log;

use std::time::Duration;

use prometheus::proto::MetricFamily;
use prometheus::{Counter, Histogram, IntCounter, IntCounterVec, IntGauge, Registry, TextEncoder};

use super::event::{Event, Operation, Publication, Refusal, RequestAnswered, RouteClass};
use super::process;
use declare::Declare;
use label::{Requests, code_label};
use shared_log::LogMetrics;
pub use shared_log::LogState;

/// Requests in one commit group.
const GROUP_BUCKETS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

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
    requests: Requests,
    latency: [Histogram; RouteClass::ALL.len()],
    errors: IntCounterVec,
    queue_full: IntCounter,
    bodies_full: IntCounter,
    answers_full: IntCounter,
    streams: IntCounterVec,
    stream_bytes: IntCounter,
    group_requests: Histogram,
    commit_latency: Histogram,
    publish_latency: Histogram,
    catch_up_latency: Histogram,
    applied: IntCounter,
    published: [IntCounter; 4],
    log: LogMetrics,
    reads: Histogram,
    writes: Histogram,
    calls: Histogram,
    pool_wait: Histogram,
    pool_in_use: IntGauge,
    pool_open: IntGauge,
    tables: IntGauge,
    migrations: IntCounter,
    store_failures: IntCounter,
    key_fetches: IntCounterVec,
    keys: IntGauge,
    api_keys: IntGauge,
    api_key_failures: IntCounter,
    rate_limited: IntCounterVec,
    pushes: IntCounterVec,
    in_flight: IntGauge,
    connections: IntGauge,
    busy: Counter,
    cpu: Counter,
    resident_bytes: IntGauge,
    body_bytes: IntGauge,
    answer_bytes: IntGauge,
    dropped_lines: IntGauge,
}

impl Metrics {
    pub(super) fn new() -> Result<Self, prometheus::Error> {
        let registry = Registry::new();
        let declare = Declare(&registry);
        declare
            .gauge("process_start_time_seconds", "Start of the process since the Unix epoch in seconds.")?
            .set(crate::clock::unix_seconds());
        let refused = declare.counters("berth_http_refused_total", "Requests turned away, by reason.", &["reason"])?;
        let published =
            declare.counters("berth_log_commits_total", "Commits put to the shared log, by outcome.", &["outcome"])?;
        let [root, relation, function, batch, own, preflight, other] = RouteClass::ALL.map(|class| {
            declare.latency(
                "berth_http_request_duration_seconds",
                "Time to answer, by route class.",
                Some(("class", class.name())),
            )
        });
        let [reads, writes, calls] = [Operation::Read, Operation::Write, Operation::Call].map(|operation| {
            declare.latency(
                "berth_store_duration_seconds",
                "Time of a statement.",
                Some(("operation", operation.name())),
            )
        });
        Ok(Self {
            requests: Requests::new(declare.counters(
                "berth_http_requests_total",
                "Requests answered, by route class, method and status.",
                &["class", "method", "status"],
            )?),
            latency: [root?, relation?, function?, batch?, own?, preflight?, other?],
            errors: declare.counters("berth_errors_total", "Errors answered, by code or SQLSTATE class.", &["code"])?,
            queue_full: refused.with_label_values(&[Refusal::QueueFull.name()]),
            bodies_full: refused.with_label_values(&[Refusal::BodiesFull.name()]),
            answers_full: refused.with_label_values(&[Refusal::AnswersFull.name()]),
            streams: declare.counters(
                "berth_http_streams_total",
                "Answers sent while they were read, by how they ended.",
                &["ending"],
            )?,
            stream_bytes: declare
                .counter("berth_http_stream_bytes_total", "Bytes of answers sent while they were read.")?,
            group_requests: declare.histogram(
                "berth_commit_group_requests",
                "Requests in a commit group.",
                &GROUP_BUCKETS,
            )?,
            commit_latency: declare.latency("berth_commit_duration_seconds", "Time to make a group durable.", None)?,
            publish_latency: declare.latency(
                "berth_log_publish_duration_seconds",
                "Time until the volume tells whether a commit is in the shared log.",
                None,
            )?,
            catch_up_latency: declare.latency(
                "berth_log_catch_up_duration_seconds",
                "Time to read others' commits from the shared log and to apply them.",
                None,
            )?,
            applied: declare.counter("berth_log_applied_total", "Commit groups of others applied.")?,
            published: ["won", "lost", "refused", "unknown"].map(|outcome| published.with_label_values(&[outcome])),
            log: LogMetrics::new(&declare)?,
            reads: reads?,
            writes: writes?,
            calls: calls?,
            pool_wait: declare.latency("berth_pool_wait_seconds", "Time waited for a connection.", None)?,
            pool_in_use: declare.gauge("berth_pool_in_use_connections", "Connections at work.")?,
            pool_open: declare.gauge("berth_pool_open_connections", "Connections open.")?,
            tables: declare.gauge("berth_catalog_tables", "Tables and views in the catalog.")?,
            migrations: declare.counter("berth_migrations_applied_total", "Migrations applied.")?,
            store_failures: declare
                .counter("berth_store_failures_total", "Failures of the store beyond one request.")?,
            key_fetches: declare.counters(
                "berth_jwks_fetches_total",
                "Fetches of the keys at JWKS_URL, by outcome.",
                &["outcome"],
            )?,
            keys: declare.gauge("berth_jwks_keys", "Keys of JWKS_URL at hand.")?,
            api_keys: declare.gauge("berth_api_keys", "Keys of API_KEYS_FILE at hand.")?,
            api_key_failures: declare.counter("berth_api_key_failures_total", "API_KEYS_FILE could not be used.")?,
            rate_limited: declare.counters(
                "berth_rate_limited_total",
                "Requests turned away by RATE_LIMIT, by whose limit.",
                &["by"],
            )?,
            pushes: declare.counters(
                "berth_telemetry_pushes_total",
                "Pushes of telemetry by OTLP, by outcome.",
                &["outcome"],
            )?,
            in_flight: declare.gauge("berth_http_requests_in_flight", "Requests in flight.")?,
            connections: declare
                .gauge("berth_http_connections", "Connections open, those without a request included.")?,
            busy: declare.seconds("berth_busy_seconds_total", "Time with a request in flight: it is billed.")?,
            cpu: declare.seconds("process_cpu_seconds_total", "CPU time used.")?,
            resident_bytes: declare.gauge("process_resident_memory_bytes", "Resident memory.")?,
            body_bytes: declare.gauge("berth_http_body_bytes", "Bytes of requests' bodies in memory.")?,
            answer_bytes: declare
                .gauge("berth_http_answer_bytes", "Bytes of large answers that their clients have not taken yet.")?,
            dropped_lines: declare.gauge("berth_log_dropped_lines", "Log lines dropped because nobody read them.")?,
            registry,
        })
    }

    pub(super) fn interpret(&self, event: &Event<'_>) {
        match *event {
            Event::RequestAnswered(ref answered) => self.request_answered(answered),
            Event::RequestRefused(Refusal::QueueFull) => self.queue_full.inc(),
            Event::RequestRefused(Refusal::BodiesFull) => self.bodies_full.inc(),
            Event::RequestRefused(Refusal::AnswersFull) => self.answers_full.inc(),
            Event::StreamEnded(ref ended) => {
                self.streams.with_label_values(&[ended.ending.name()]).inc();
                self.stream_bytes.inc_by(u64::try_from(ended.bytes).unwrap_or_default());
            }
            Event::GroupCommitted { requests, latency } => {
                self.group_requests.observe(f64::from(u32::try_from(requests).unwrap_or(u32::MAX)));
                self.commit_latency.observe(latency.as_secs_f64());
            }
            Event::Published { outcome, latency } => {
                self.publish_latency.observe(latency.as_secs_f64());
                let [won, lost, refused, unknown] = &self.published;
                match outcome {
                    Publication::Won => won.inc(),
                    Publication::Lost => lost.inc(),
                    Publication::Refused => refused.inc(),
                    Publication::Unknown => unknown.inc(),
                }
            }
            Event::CaughtUp { commit_groups, latency } => {
                self.catch_up_latency.observe(latency.as_secs_f64());
                self.applied.inc_by(commit_groups);
            }
            Event::StatementRun { operation, latency } => {
                let histogram = match operation {
                    Operation::Read => &self.reads,
                    Operation::Write => &self.writes,
                    Operation::Call => &self.calls,
                };
                histogram.observe(latency.as_secs_f64());
            }
            Event::PoolWait { latency, in_use, open } => {
                self.pool_wait.observe(latency.as_secs_f64());
                self.pool_in_use.set(whole(in_use));
                self.pool_open.set(whole(open));
            }
            Event::CatalogLoaded { tables, .. } => self.tables.set(whole(tables)),
            Event::MigrationApplied { .. } => self.migrations.inc(),
            Event::StoreFailed { .. } => self.store_failures.inc(),
            Event::KeysFetched { keys, .. } => {
                self.key_fetches.with_label_values(&["fetched"]).inc();
                self.keys.set(whole(keys));
            }
            Event::ApiKeysRead { keys } => self.api_keys.set(whole(keys)),
            Event::RateLimited { by } => self.rate_limited.with_label_values(&[by]).inc(),
            Event::ApiKeysNotRead { .. } => self.api_key_failures.inc(),
            Event::KeysNotFetched { .. } => self.key_fetches.with_label_values(&["failed"]).inc(),
            Event::TelemetryPushed => self.pushes.with_label_values(&["taken"]).inc(),
            Event::TelemetryNotPushed { .. } => self.pushes.with_label_values(&["failed"]).inc(),
            // The answer that follows is counted.
            Event::RequestFailed { .. } => {}
            Event::ConfigWarning { .. } | Event::Started { .. } | Event::Stopping | Event::Stopped => {}
        }
    }

    fn request_answered(&self, answered: &RequestAnswered<'_>) {
        self.requests.count(answered.class, answered.method, answered.status);
        if let Some(histogram) = self.latency.get(answered.class as usize) {
            histogram.observe(answered.latency.as_secs_f64());
        }
        if let Some(code) = answered.error_code {
            self.errors.with_label_values(&[code_label(code).as_str()]).inc();
        }
    }

    /// Takes note of what only the moment knows.
    pub(super) fn observe(&self, now: Now, dropped_lines: u64) {
        self.in_flight.set(whole(now.in_flight));
        self.connections.set(whole(now.connections));
        raise_seconds(&self.busy, now.busy);
        raise_seconds(&self.cpu, crate::clock::cpu_used());
        self.resident_bytes.set(process::resident_bytes());
        self.body_bytes.set(whole(now.body_bytes));
        self.answer_bytes.set(whole(now.answer_bytes));
        if let Some(log) = &now.log {
            self.log.set(log);
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

    #[test]
    fn codes_that_sql_makes_up_share_one_label() {
        for (code, label) in [
            ("PGRST116", "PGRST116"),
            ("PGRSTX00", "PGRSTX00"),
            ("BERTH503", "BERTH503"),
            ("23505", "23xxx"),
            ("PT402", "other"),
            ("ZZ999", "other"),
            ("PGRSTABC", "other"),
            ("é2345", "other"),
            ("", "other"),
        ] {
            assert_eq!(code_label(code), label, "{code}");
        }
    }

    #[test]
    fn statuses_can_be_searched() {
        assert!(label::STATUSES.is_sorted());
    }
}
