//! `berth serve`: where the parts are put together, and taken apart when the platform says so.

use std::io::{self, IsTerminal as _};
use std::sync::Arc;
use std::time::Duration;

use thiserror::Error;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::compose::{self, compose};
use crate::clock::{self, Deadline, Stopwatch};
use crate::config::{self, Config, LogFormat, LogLevel};
use crate::http::{self, Server};
use crate::pipeline::App;
use crate::telemetry::{self, Event, Telemetry, Writer};

/// Time for the last log lines to be written.
const FLUSH_TIMEOUT: Duration = Duration::from_millis(500);

/// Time for the last metrics and spans to be pushed.
const PUSH_TIMEOUT: Duration = Duration::from_millis(1_200);

/// Why serving ended.
#[derive(Debug, Error)]
pub(super) enum Error {
    /// No log, no runtime or no signals: the operating system is out of something.
    #[error("cannot start")]
    System(#[from] io::Error),
    /// A metric is declared wrongly.
    #[error("cannot count")]
    Metrics(#[from] prometheus::Error),
    /// The socket.
    #[error(transparent)]
    Http(#[from] http::Error),
    /// What lies behind the socket.
    #[error(transparent)]
    Compose(#[from] compose::Error),
}

/// Serves until told to stop.
pub(super) fn run(config: &Config, since_start: Stopwatch) -> Result<(), Error> {
    let telemetry = tell(&config.log)?;
    if let Some(settings) = export_settings(&config.export) {
        telemetry.export(settings)?;
    }
    for warning in &config.warnings {
        telemetry.record(&Event::ConfigWarning { variable: &warning.variable, message: &warning.message });
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(config.bounds.workers)
        .thread_name("background")
        .enable_all()
        .build()?;
    let served = runtime.block_on(serve(config, &telemetry, since_start));
    if served.is_ok() {
        telemetry.record(&Event::Stopped);
    }
    telemetry.push_last(Deadline::after(PUSH_TIMEOUT));
    telemetry.flush(Deadline::after(FLUSH_TIMEOUT));
    served
}

async fn serve(config: &Config, telemetry: &Telemetry, since_start: Stopwatch) -> Result<(), Error> {
    let stop = stop_signal()?;
    let composed = compose(config, telemetry).await?;
    let server = Server::bind(config, Arc::clone(&composed.app), telemetry.clone())?;
    announce(config, telemetry, &composed.store, server.port(), since_start);

    let reloads = tokio::spawn(reload_when_told(signal(SignalKind::user_defined1())?, Arc::clone(&composed.app)));
    let served = server.run(stop).await;
    reloads.abort();
    composed.app.close();
    // The last owner: a SQLite file is closed here, its queue run empty.
    drop(composed);
    Ok(served?)
}

/// Reads the schema anew at each SIGUSR1, as `PostgREST` does.
async fn reload_when_told(mut signals: Signal, app: Arc<App>) {
    while signals.recv().await.is_some() {
        app.reload().await;
    }
}

/// Where telemetry is pushed; `None`: nowhere.
fn export_settings(export: &config::Export) -> Option<telemetry::otlp::Settings> {
    if export.metrics.is_none() && export.traces.is_none() {
        return None;
    }
    let mut resource = export.resource.clone();
    // Two instances of one service are two sources of totals.
    resource.push(("service.instance.id".to_owned(), format!("{:016x}", clock::nonce().unwrap_or_default())));
    Some(telemetry::otlp::Settings {
        metrics: export.metrics.clone(),
        traces: export.traces.clone(),
        headers: export.headers.expose().clone(),
        resource,
        interval: export.interval,
        timeout: export.timeout,
    })
}

/// Opens the log, and leads libraries' lines and panics to it.
fn tell(log: &config::Log) -> Result<Telemetry, Error> {
    let settings = telemetry::Settings {
        format: match log.format {
            LogFormat::Json => telemetry::Format::Json,
            LogFormat::Text => telemetry::Format::Text,
            LogFormat::Auto if io::stdout().is_terminal() => telemetry::Format::Text,
            LogFormat::Auto => telemetry::Format::Json,
        },
        level: match log.level {
            LogLevel::Error => telemetry::Level::Error,
            LogLevel::Warn => telemetry::Level::Warn,
            LogLevel::Info => telemetry::Level::Info,
            LogLevel::Debug => telemetry::Level::Debug,
            LogLevel::Trace => telemetry::Level::Trace,
        },
        google_cloud_project: log.google_cloud_project.clone(),
    };
    let telemetry = Telemetry::new(settings, Writer::to(io::stdout())?)?;
    telemetry.log().install();
    std::panic::set_hook(Box::new(|panic| {
        let location = panic.location().map(ToString::to_string).unwrap_or_default();
        tracing::error!(location, "panic: {}", panic.payload_as_str().unwrap_or("without a message"));
    }));
    Ok(telemetry)
}

/// Says where the server is: the address and nothing more to people, one line of facts to machines.
fn announce(config: &Config, telemetry: &Telemetry, store: &str, port: u16, since_start: Stopwatch) {
    if io::stdout().is_terminal() {
        let host = match config.http.host.as_str() {
            "0.0.0.0" | "::" | "127.0.0.1" | "::1" => "localhost",
            host => host,
        };
        telemetry.log().writer().take(format!("http://{host}:{port}\n").as_bytes());
        return;
    }
    let address = format!("http://{}:{port}", config.http.host);
    let version = env!("CARGO_PKG_VERSION");
    telemetry.record(&Event::Started { version, address: &address, store, latency: since_start.elapsed() });
}

/// Done at SIGTERM (platforms, docker) or SIGINT (people); listens from the call on.
fn stop_signal() -> io::Result<impl Future<Output = ()>> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    Ok(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
    })
}
