//! Every happening an operator may want to know of, and what becomes of it: a log line, a metric.
//!
//! Code says *what happened* with an [`Event`]; [`log`] and [`metrics`] decide what that means to people and machines.
//! A new happening is a variant of [`Event`], and the compiler asks both for it.

pub mod event;
mod line;
pub mod log;
pub mod metrics;
mod process;
pub mod trace;
mod writer;

use std::sync::Arc;

pub use event::{Event, Operation, Publication, Refusal, RequestAnswered, RouteClass};
pub use log::{Format, Level, Log, Settings};
pub use metrics::{LogState, Metrics, Now};
pub use writer::Writer;

/// Where happenings are told; cheap to clone.
#[derive(Debug, Clone)]
pub struct Telemetry(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    log: Log,
    metrics: Metrics,
}

impl Telemetry {
    /// Tells the log and counts.
    ///
    /// # Errors
    /// When a metric is declared wrongly, which is a fault of this program.
    pub fn new(settings: Settings, writer: Writer) -> Result<Self, prometheus::Error> {
        Ok(Self(Arc::new(Inner { log: Log::new(settings, writer), metrics: Metrics::new()? })))
    }

    /// Counts, and writes nothing anywhere: for tests and benches.
    ///
    /// # Errors
    /// As [`Telemetry::new`].
    pub fn silent() -> Result<Self, prometheus::Error> {
        let settings = Settings { format: Format::Json, level: Level::Error, google_cloud_project: None };
        Self::new(settings, Writer::to_nowhere())
    }

    /// Tells one happening. Never waits: the log's buffer is bounded and drops what does not fit.
    pub fn record(&self, event: &Event<'_>) {
        self.0.metrics.interpret(event);
        self.0.log.interpret(event);
    }

    /// All metrics in Prometheus' text format.
    ///
    /// # Errors
    /// When a metric cannot be written as text.
    pub fn render(&self, now: Now) -> Result<String, prometheus::Error> {
        self.0.metrics.render(now, self.0.log.writer().dropped_lines())
    }

    /// The log, to which libraries' lines are led too.
    #[must_use]
    pub fn log(&self) -> &Log {
        &self.0.log
    }

    /// Waits until everything told so far is written, or `deadline`.
    pub fn flush(&self, deadline: crate::clock::Deadline) {
        self.0.log.writer().flush(deadline);
    }
}
