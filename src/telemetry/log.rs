//! Happenings as log lines: JSON that Google Cloud Logging and most others understand, or text for people.
//!
//! Every request is one line at `info`: written off the request's path (see [`super::writer`]), about a microsecond
//! each. `LOG_LEVEL=warn` writes none. Probes of `/-/` are told at `debug` only.
//!
//! Source: <https://cloud.google.com/logging/docs/structured-logging>

use std::cell::RefCell;
use std::fmt::Debug;

use tracing::field::{Field, Visit};
use tracing_subscriber::layer::{Context, Layer, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

use super::event::{Event, RequestAnswered, RouteClass, StreamEnded, StreamEnding};
use super::line::Line;
use super::writer::Writer;

/// Where Google's log viewer finds the span.
const SPAN_FIELD: &str = "logging.googleapis.com/spanId";

/// How the log is written.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How a line looks.
    pub format: Format,
    /// The least severity that is written.
    pub level: Level,
    /// The Google Cloud project that trace ids are linked to.
    pub google_cloud_project: Option<String>,
}

/// How a line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// One JSON object.
    Json,
    /// Text for people.
    Text,
}

/// How much a line matters; a level lets itself and all before it through.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Something failed.
    Error,
    /// Something may fail soon.
    Warn,
    /// What happened.
    Info,
    /// What a developer needs.
    Debug,
    /// Everything else.
    Trace,
}

impl Level {
    /// The name in Google Cloud Logging.
    pub(super) fn severity(self) -> &'static str {
        match self {
            Self::Error => "ERROR",
            Self::Warn => "WARNING",
            Self::Info => "INFO",
            Self::Debug | Self::Trace => "DEBUG",
        }
    }

    fn of(level: tracing::Level) -> Self {
        match level {
            tracing::Level::ERROR => Self::Error,
            tracing::Level::WARN => Self::Warn,
            tracing::Level::INFO => Self::Info,
            tracing::Level::DEBUG => Self::Debug,
            tracing::Level::TRACE => Self::Trace,
        }
    }
}

thread_local! {
    /// Each thread writes its lines in the same memory, so that a line costs no allocation.
    static LINE: RefCell<Vec<u8>> = const { RefCell::new(Vec::new()) };
}

/// Lends this thread's line. Told while a line is being written, as a panic's report may be, nothing is lent.
fn with_line(write: impl FnOnce(&mut Vec<u8>)) {
    let _ = LINE.try_with(|line| {
        if let Ok(mut bytes) = line.try_borrow_mut() {
            write(&mut bytes);
        }
    });
}

/// Interprets happenings as lines.
#[derive(Debug, Clone)]
pub struct Log {
    settings: Settings,
    writer: Writer,
}

impl Log {
    pub(super) fn new(settings: Settings, writer: Writer) -> Self {
        Self { settings, writer }
    }

    /// Where lines go, for text that is no happening.
    #[must_use]
    pub fn writer(&self) -> &Writer {
        &self.writer
    }

    /// Leads the lines of libraries to this log: their warnings, and more only at `debug` and `trace`.
    ///
    /// Does nothing when the process has such a log already, as tests do.
    pub fn install(&self) {
        let _ = tracing_subscriber::registry().with(LibraryLayer(self.clone())).try_init();
    }

    pub(super) fn interpret(&self, event: &Event<'_>) {
        match *event {
            Event::RequestAnswered(ref answered) => self.request_answered(answered),
            Event::RequestFailed { request_id, trace, code, cause } => {
                self.write(Level::Error, cause, |line| {
                    self.traced(line.text("requestId", request_id).text("code", code), trace)
                });
            }
            Event::StreamEnded(ref ended) => self.stream_ended(ended),
            Event::CatalogLoaded { tables, latency } => self.write(Level::Info, "catalog loaded", |line| {
                line.number("tables", tables).number("milliseconds", latency.as_millis())
            }),
            Event::KeysFetched { keys, latency } => self.write(Level::Info, "keys fetched", |line| {
                line.number("keys", keys).number("milliseconds", latency.as_millis())
            }),
            Event::KeysNotFetched { cause } => {
                self.write(Level::Error, cause, |line| line.text("doing", "fetch the keys at JWKS_URL"));
            }
            Event::ApiKeysRead { keys } => self.write(Level::Info, "API keys read", |line| line.number("keys", keys)),
            Event::ApiKeysNotRead { cause } => {
                self.write(Level::Error, cause, |line| line.text("doing", "read API_KEYS_FILE"));
            }
            Event::MigrationApplied { file, latency } => self.write(Level::Info, "migration applied", |line| {
                line.text("file", file).number("milliseconds", latency.as_millis())
            }),
            Event::ConfigWarning { variable, message } => {
                self.write(Level::Warn, message, |line| line.text("variable", variable));
            }
            Event::Started { version, address, store, latency } => self.write(Level::Info, "started", |line| {
                line.text("version", version)
                    .text("address", address)
                    .text("store", store)
                    .number("milliseconds", latency.as_millis())
            }),
            Event::TelemetryNotPushed { cause } => {
                self.write(Level::Warn, cause, |line| line.text("doing", "push telemetry"));
            }
            Event::Stopping => self.write(Level::Info, "stopping", |line| line),
            Event::Stopped => self.write(Level::Info, "stopped", |line| line),
            Event::StoreFailed { doing, cause } => {
                self.write(Level::Error, cause, |line| line.text("doing", doing));
            }
            Event::GroupCommitted { requests, latency } => self.write(Level::Trace, "group committed", |line| {
                line.number("requests", requests).number("microseconds", latency.as_micros())
            }),
            // Counted only: each comes with a line of its request.
            Event::RequestRefused(_)
            | Event::RateLimited { .. }
            | Event::StatementRun { .. }
            | Event::TelemetryPushed
            | Event::PoolWait { .. }
            | Event::CaughtUp { .. }
            | Event::Published { .. } => {}
        }
    }

    fn stream_ended(&self, ended: &StreamEnded<'_>) {
        let (level, message, code) = match ended.ending {
            StreamEnding::Whole => (Level::Info, "stream ended", None),
            StreamEnding::ClientLeft => (Level::Info, "stream left by its client", None),
            StreamEnding::Broken { code, cause } => (Level::Error, cause, Some(code)),
        };
        self.write(level, message, |line| {
            let line = line.text("requestId", ended.request_id).text_if("code", code).number("bytes", ended.bytes);
            let line = line.number_if("rows", ended.rows).number("milliseconds", ended.latency.as_millis());
            self.traced(line, ended.trace)
        });
    }

    fn request_answered(&self, answered: &RequestAnswered<'_>) {
        let level = match (answered.class, answered.status) {
            (_, 500..) => Level::Error,
            (RouteClass::Own, _) => Level::Debug,
            _ => Level::Info,
        };
        if level > self.settings.level {
            return;
        }
        let RequestAnswered { method, path, status, .. } = *answered;
        with_line(|bytes| {
            let line = Line::begin(bytes, self.settings.format, level, "request");
            let line = match self.settings.format {
                Format::Json => line.http_request(answered),
                Format::Text => line
                    .number("status", status)
                    .text("method", method)
                    .text("path", path)
                    .number("milliseconds", format_args!("{:.1}", answered.latency.as_secs_f64() * 1e3)),
            };
            let line = line.number_if("rows", answered.rows).text_if("code", answered.error_code);
            let line = line.text_for_machines("requestId", answered.request_id);
            let line = line.text_if(SPAN_FIELD, answered.span.map(|span| span.id));
            self.writer.take(self.traced(line, answered.trace).end());
        });
    }

    fn write(&self, level: Level, message: &str, fields: impl FnOnce(Line<'_>) -> Line<'_>) {
        if level > self.settings.level {
            return;
        }
        with_line(|bytes| {
            let line = fields(Line::begin(bytes, self.settings.format, level, message));
            self.writer.take(line.end());
        });
    }

    fn traced<'a>(&self, line: Line<'a>, trace: Option<&str>) -> Line<'a> {
        match (trace, &self.settings.google_cloud_project) {
            (None, _) => line,
            (Some(trace), None) => line.text_for_machines("trace", trace),
            (Some(trace), Some(project)) => {
                line.text_for_machines("logging.googleapis.com/trace", &format!("projects/{project}/traces/{trace}"))
            }
        }
    }
}

/// Writes what libraries (and this crate, where an event would be too much) tell `tracing`.
struct LibraryLayer(Log);

impl LibraryLayer {
    /// This crate's lines by the wished level; others' only from warnings up, unless a developer asks for more.
    fn is_wanted(&self, metadata: &tracing::Metadata<'_>) -> bool {
        let wished = self.0.settings.level;
        let is_ours = metadata.target().starts_with(env!("CARGO_PKG_NAME")) || is_of_client(metadata);
        let limit = if is_ours || wished >= Level::Debug { wished } else { wished.min(Level::Warn) };
        level_of(metadata) <= limit
    }
}

impl<S: tracing::Subscriber> Layer<S> for LibraryLayer {
    fn enabled(&self, metadata: &tracing::Metadata<'_>, _context: Context<'_, S>) -> bool {
        self.is_wanted(metadata)
    }

    fn max_level_hint(&self) -> Option<tracing::level_filters::LevelFilter> {
        use tracing::level_filters::LevelFilter;
        Some(match self.0.settings.level {
            Level::Error => LevelFilter::ERROR,
            Level::Warn => LevelFilter::WARN,
            Level::Info => LevelFilter::INFO,
            Level::Debug => LevelFilter::DEBUG,
            Level::Trace => LevelFilter::TRACE,
        })
    }

    fn on_event(&self, event: &tracing::Event<'_>, _context: Context<'_, S>) {
        let mut fields = Fields::default();
        event.record(&mut fields);
        self.0.write(level_of(event.metadata()), &fields.message, |line| {
            let line = line.text("target", event.metadata().target());
            fields.others.iter().fold(line, |line, (name, value)| line.text(name, value))
        });
    }
}

/// Whether it is about what a client sent, or left unsent, on its connection.
fn is_of_client(metadata: &tracing::Metadata<'_>) -> bool {
    metadata.target().starts_with("actix_http::h1")
}

/// What is no HTTP is for its sender to mend: it matters as much as any request that was refused, and is no error here.
fn level_of(metadata: &tracing::Metadata<'_>) -> Level {
    let level = Level::of(*metadata.level());
    if is_of_client(metadata) { level.max(Level::Info) } else { level }
}

/// What an event of `tracing` carries.
#[derive(Default)]
struct Fields {
    message: String,
    others: Vec<(&'static str, String)>,
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        if field.name() == "message" {
            value.clone_into(&mut self.message);
        } else {
            self.others.push((field.name(), value.to_owned()));
        }
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.record_str(field, &format!("{value:?}"));
    }
}

#[cfg(test)]
mod tests;
