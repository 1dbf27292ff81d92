//! How an instance stands to the shared log, and what that costs.

use std::time::Duration;

use prometheus::{Histogram, IntCounter, IntCounterVec, IntGauge};

use super::declare::Declare;
use crate::telemetry::event::Publication;

/// How an instance stands to the shared log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LogState {
    /// The newest commit group that the working copy has.
    pub position: u64,
    /// Commit groups of the working copy's newest snapshot on the volume that this instance knows of; zero for none.
    pub snapshot_position: u64,
    /// Since the commit of that snapshot was made; `None` without one.
    pub snapshot_age: Option<Duration>,
    /// Bytes of the commit groups after that snapshot, which a start reads one by one.
    pub log_bytes: u64,
    /// Since the last look found the working copy current, or brought it up to date; `None` before the first.
    pub look_age: Option<Duration>,
    /// Commits put to the log since the start, by what came of them.
    pub commits: [(&'static str, u64); Publication::ALL.len()],
    /// Commit groups of others applied since the start.
    pub applied: u64,
    /// Bytes of the working copy, its WAL included.
    pub copy_bytes: u64,
    /// Operations on the volume since the start, by kind.
    pub operations: [(&'static str, u64); 5],
    /// Bytes read from the volume since the start.
    pub bytes_read: u64,
    /// Bytes written to the volume since the start.
    pub bytes_put: u64,
}

/// The shared log: what it costs and where it stands.
#[derive(Debug)]
pub(super) struct LogMetrics {
    position: IntGauge,
    snapshot_position: IntGauge,
    snapshot_age: IntGauge,
    log_bytes: IntGauge,
    look_age: IntGauge,
    copy_bytes: IntGauge,
    operations: IntCounterVec,
    bytes: IntCounterVec,
    publish_latency: Histogram,
    published: [IntCounter; Publication::ALL.len()],
    catch_up_latency: Histogram,
    applied: IntCounter,
}

impl LogMetrics {
    pub(super) fn new(declare: &Declare<'_>) -> Result<Self, prometheus::Error> {
        let published =
            declare.counters("berth_log_commits_total", "Commits put to the shared log, by outcome.", &["outcome"])?;
        Ok(Self {
            publish_latency: declare.latency(
                "berth_log_publish_duration_seconds",
                "Time until the volume tells whether a commit is in the shared log.",
                None,
            )?,
            published: Publication::ALL.map(|outcome| published.with_label_values(&[outcome.name()])),
            catch_up_latency: declare.latency(
                "berth_log_catch_up_duration_seconds",
                "Time to read others' commits from the shared log and to apply them.",
                None,
            )?,
            applied: declare.counter("berth_log_applied_total", "Commit groups of others applied.")?,
            position: declare.gauge("berth_log_position", "Newest commit group of the working copy.")?,
            snapshot_position: declare.gauge("berth_log_snapshot_position", "Commit group of the newest snapshot.")?,
            snapshot_age: declare
                .gauge("berth_log_snapshot_age_seconds", "Since the newest snapshot's commit was made.")?,
            log_bytes: declare.gauge("berth_log_tail_bytes", "Bytes of the log after its newest snapshot.")?,
            look_age: declare.gauge("berth_log_look_age_seconds", "Since the last look at the log's end.")?,
            copy_bytes: declare.gauge("berth_log_copy_bytes", "Bytes of the working copy on local disk.")?,
            operations: declare.counters(
                "berth_volume_operations_total",
                "Operations on the volume, by kind: they are billed.",
                &["operation"],
            )?,
            bytes: declare.counters(
                "berth_volume_bytes_total",
                "Bytes moved from and to the volume.",
                &["direction"],
            )?,
        })
    }

    pub(super) fn published(&self, outcome: Publication, latency: Duration) {
        self.publish_latency.observe(latency.as_secs_f64());
        if let Some(count) = self.published.get(outcome as usize) {
            count.inc();
        }
    }

    pub(super) fn caught_up(&self, commit_groups: u64, latency: Duration) {
        self.catch_up_latency.observe(latency.as_secs_f64());
        self.applied.inc_by(commit_groups);
    }

    /// The totals are the volume's own, so they are set anew.
    pub(super) fn observe(&self, log: &LogState) {
        let gauge = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.position.set(gauge(log.position));
        self.snapshot_position.set(gauge(log.snapshot_position));
        let seconds = |age: Option<Duration>| gauge(age.map_or(0, |age| age.as_secs()));
        self.snapshot_age.set(seconds(log.snapshot_age));
        self.log_bytes.set(gauge(log.log_bytes));
        self.look_age.set(seconds(log.look_age));
        self.copy_bytes.set(gauge(log.copy_bytes));
        for (operation, count) in log.operations {
            raise(&self.operations.with_label_values(&[operation]), count);
        }
        raise(&self.bytes.with_label_values(&["read"]), log.bytes_read);
        raise(&self.bytes.with_label_values(&["written"]), log.bytes_put);
    }
}

/// Brings a counter up to `total`.
fn raise(counter: &IntCounter, total: u64) {
    counter.inc_by(total.saturating_sub(counter.get()));
}
