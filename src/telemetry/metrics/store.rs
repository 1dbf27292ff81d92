//! What the store does, and how long it takes.

use std::time::Duration;

use prometheus::{Histogram, IntCounter, IntGauge};

use super::declare::Declare;
use super::whole;
use crate::telemetry::event::Operation;

/// Requests in one commit group.
const GROUP_BUCKETS: [f64; 9] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0];

/// Statements, commits, connections, the schema.
#[derive(Debug)]
pub(super) struct StoreMetrics {
    reads: Histogram,
    writes: Histogram,
    group_requests: Histogram,
    commit_latency: Histogram,
    pool_wait: Histogram,
    pool_in_use: IntGauge,
    pool_open: IntGauge,
    pub(super) tables: IntGauge,
    pub(super) migrations: IntCounter,
    pub(super) failures: IntCounter,
}

impl StoreMetrics {
    pub(super) fn new(declare: &Declare<'_>) -> Result<Self, prometheus::Error> {
        let statements = |operation: Operation| {
            let label = Some(("operation", operation.name()));
            declare.latency("berth_store_duration_seconds", "Time of a statement.", label)
        };
        Ok(Self {
            reads: statements(Operation::Read)?,
            writes: statements(Operation::Write)?,
            group_requests: declare.histogram(
                "berth_commit_group_requests",
                "Requests in a commit group.",
                &GROUP_BUCKETS,
            )?,
            commit_latency: declare.latency("berth_commit_duration_seconds", "Time to make a group durable.", None)?,
            pool_wait: declare.latency("berth_pool_wait_seconds", "Time waited for a connection.", None)?,
            pool_in_use: declare.gauge("berth_pool_in_use_connections", "Connections at work.")?,
            pool_open: declare.gauge("berth_pool_open_connections", "Connections open.")?,
            tables: declare.gauge("berth_catalog_tables", "Tables and views in the catalog.")?,
            migrations: declare.counter("berth_migrations_applied_total", "Migrations applied.")?,
            failures: declare.counter("berth_store_failures_total", "Failures of the store beyond one request.")?,
        })
    }

    pub(super) fn run(&self, operation: Operation, latency: Duration) {
        let histogram = match operation {
            Operation::Read => &self.reads,
            Operation::Write => &self.writes,
        };
        histogram.observe(latency.as_secs_f64());
    }

    pub(super) fn committed(&self, requests: usize, latency: Duration) {
        self.group_requests.observe(f64::from(u32::try_from(requests).unwrap_or(u32::MAX)));
        self.commit_latency.observe(latency.as_secs_f64());
    }

    pub(super) fn waited(&self, latency: Duration, in_use: usize, open: usize) {
        self.pool_wait.observe(latency.as_secs_f64());
        self.pool_in_use.set(whole(in_use));
        self.pool_open.set(whole(open));
    }
}
