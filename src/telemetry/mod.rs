//! Every happening an operator may want to know of, and what becomes of it: a log line, a metric.
//!
//! Code says *what happened* with an [`Event`]; [`log`] and [`metrics`] decide what that means to people and machines.
//! A new happening is a variant of [`Event`], and the compiler asks both for it.

pub mod event;
mod line;
pub mod log;
pub mod metrics;
pub mod otlp;
mod process;
pub mod trace;
mod writer;

use std::sync::{Arc, OnceLock, PoisonError, RwLock, Weak};

pub use event::{Event, Operation, Publication, Refusal, RequestAnswered, RouteClass, StreamEnded};
pub use log::{Format, Level, Log, Settings};
pub use metrics::{LogState, Metrics, Now};
use otlp::Exporter;
pub use writer::Writer;

/// Where happenings are told; cheap to clone.
#[derive(Clone)]
pub struct Telemetry(Arc<Inner>);

impl std::fmt::Debug for Telemetry {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Telemetry")
    }
}

struct Inner {
    log: Log,
    metrics: Metrics,
    exporter: OnceLock<Exporter>,
    measure: RwLock<Option<Weak<Measure>>>,
}

/// Says what only the moment of asking knows.
pub type Measure = dyn Fn() -> Now + Send + Sync;

impl Telemetry {
    /// Tells the log and counts.
    ///
    /// # Errors
    /// When a metric is declared wrongly, which is a fault of this program.
    pub fn new(settings: Settings, writer: Writer) -> Result<Self, prometheus::Error> {
        Ok(Self(Arc::new(Inner {
            log: Log::new(settings, writer),
            metrics: Metrics::new()?,
            exporter: OnceLock::new(),
            measure: RwLock::default(),
        })))
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
        if let (Event::RequestAnswered(answered), Some(exporter)) = (event, self.0.exporter.get()) {
            exporter.answered(answered);
        }
    }

    /// Begins to push metrics and spans.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub fn export(&self, settings: otlp::Settings) -> std::io::Result<()> {
        let (ours, theirs) = (Arc::downgrade(&self.0), Arc::downgrade(&self.0));
        let gather = move || ours.upgrade().map(|inner| inner.gather()).unwrap_or_default();
        let tell = move |pushed: &otlp::Pushed| {
            let Some(inner) = theirs.upgrade() else { return };
            let event = match pushed {
                Ok(()) => Event::TelemetryPushed,
                Err(cause) => Event::TelemetryNotPushed { cause },
            };
            Self(inner).record(&event);
        };
        let exporter = Exporter::start(settings, gather, tell)?;
        // A second one would push the same.
        drop(self.0.exporter.set(exporter));
        Ok(())
    }

    /// True when requests that are traced become spans.
    #[must_use]
    pub fn takes_spans(&self) -> bool {
        self.0.exporter.get().is_some_and(Exporter::takes_spans)
    }

    /// Has `measure` asked for what only the moment knows, for as long as somebody holds it.
    pub fn measure_with(&self, measure: &Arc<Measure>) {
        *self.0.measure.write().unwrap_or_else(PoisonError::into_inner) = Some(Arc::downgrade(measure));
    }

    /// Takes note of what is known only now, for the pushes that come later.
    pub fn observe(&self, now: Now) {
        self.0.metrics.observe(now, self.0.log.writer().dropped_lines());
    }

    /// Pushes what is left, at the end. Waits for it until `deadline`.
    pub fn push_last(&self, deadline: crate::clock::Deadline) {
        if let Some(exporter) = self.0.exporter.get() {
            exporter.finish(deadline);
        }
    }

    /// All metrics in Prometheus' text format.
    ///
    /// # Errors
    /// When a metric cannot be written as text.
    pub fn render(&self, now: Now) -> Result<String, prometheus::Error> {
        self.observe(now);
        self.0.metrics.render()
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

impl Inner {
    /// All metrics, as of now.
    fn gather(&self) -> Vec<prometheus::proto::MetricFamily> {
        let measure = self.measure.read().unwrap_or_else(PoisonError::into_inner).as_ref().and_then(Weak::upgrade);
        if let Some(measure) = measure {
            self.metrics.observe(measure(), self.log.writer().dropped_lines());
        }
        self.metrics.gather()
    }
}
