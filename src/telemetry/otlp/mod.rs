//! Pushes metrics and spans by OTLP, as JSON over HTTP: an instance that has scaled to zero is never found by a scrape.
//!
//! 1. A request that comes when the last push is long ago wakes the thread that pushes: a frozen instance has CPU only
//!    while there are requests, and no timer rings. No request waits for it.
//! 2. Where instances run between requests, one more push follows the last request after the same time. Then nothing runs
//!    until the next one.
//! 3. At SIGTERM, when all requests are answered, what is left is pushed once more, within a second.
//!
//! Counters are totals since the start of the instance, so that a push that is lost loses nothing but a point of a curve.
//! Spans wait in a bounded queue.
//!
//! Source: <https://opentelemetry.io/docs/specs/otlp/#otlphttp>,
//! <https://opentelemetry.io/docs/specs/otel/protocol/exporter/>

mod encode;
mod span;
#[cfg(test)]
mod tests;

use std::fmt;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use prometheus::proto::MetricFamily;
use serde_json::Value as Json;

use super::event::{RequestAnswered, RouteClass};
use crate::clock::{self, Deadline, Stopwatch};
use crate::outbound;
use span::Span;

/// Most spans that wait: those of a second at a thousand sampled requests.
const SPANS_MAX: usize = 1_024;

/// Most of an answer that is read: it says which points a collector did not take.
const ANSWER_MAX_BYTES: u64 = 64 << 10;

/// Time for the push at the end: the platform waits for ten seconds in all.
const LAST_TIMEOUT: Duration = Duration::from_secs(1);

/// Where telemetry is sent.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Address for metrics; `None`: they are not pushed.
    pub metrics: Option<String>,
    /// Address for spans; `None`: there are none.
    pub traces: Option<String>,
    /// Headers that come with each push. Secrets.
    pub headers: Vec<(String, String)>,
    /// What the instance is: `service.name` and its like.
    pub resource: Vec<(String, String)>,
    /// Time between two pushes.
    pub interval: Duration,
    /// Time that a push may take.
    pub timeout: Duration,
}

/// What came of a push; else why, without the address, which may hold a secret.
pub(super) type Pushed = Result<(), String>;

/// Pushes from a thread of its own.
pub(super) struct Exporter(Arc<Shared>);

struct Shared {
    settings: Settings,
    state: Mutex<State>,
    changed: Condvar,
    started_at_nanos: u64,
}

#[derive(Debug, Default)]
struct State {
    /// Something happened since the last push.
    has_news: bool,
    /// Since the last push began; `None` before the first.
    last: Option<Stopwatch>,
    is_pushing: bool,
    /// Nothing comes after the next push.
    is_over: bool,
    spans: Vec<Span>,
    dropped_spans: u64,
}

/// What one push takes along beside the metrics.
#[derive(Debug)]
struct Load {
    spans: Vec<Span>,
    dropped_spans: u64,
    timeout: Duration,
}

impl fmt::Debug for Exporter {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Exporter")
    }
}

impl Exporter {
    /// Starts the thread. `gather` reads the metrics; `tell` learns what came of each push.
    ///
    /// # Errors
    /// When the system has no thread to give.
    pub(super) fn start(
        settings: Settings,
        gather: impl Fn() -> Vec<MetricFamily> + Send + 'static,
        tell: impl Fn(&Pushed) + Send + 'static,
    ) -> std::io::Result<Self> {
        let started_at_nanos = nanos();
        let shared = Arc::new(Shared { settings, state: Mutex::default(), changed: Condvar::new(), started_at_nanos });
        let theirs = Arc::clone(&shared);
        let serve = move || {
            loop {
                let load = theirs.await_push();
                let pushed = theirs.push(&load, &gather);
                tell(&pushed);
                theirs.state().is_pushing = false;
                theirs.changed.notify_all();
            }
        };
        std::thread::Builder::new().name("telemetry".to_owned()).spawn(serve)?;
        Ok(Self(shared))
    }

    /// True when spans are wanted.
    pub(super) fn takes_spans(&self) -> bool {
        self.0.settings.traces.is_some()
    }

    /// Takes note of a request. Probes and scrapes are none: an instance that is only probed pushes nothing.
    pub(super) fn answered(&self, answered: &RequestAnswered<'_>) {
        if answered.class == RouteClass::Own {
            return;
        }
        let span = Span::of(answered, nanos());
        let mut state = self.0.state();
        match span {
            Some(span) if state.spans.len() < SPANS_MAX => state.spans.push(span),
            Some(_) => state.dropped_spans += 1,
            None => {}
        }
        let had_news = std::mem::replace(&mut state.has_news, true);
        let is_asleep = !state.is_pushing && (!had_news || self.0.rest(&state).is_zero());
        drop(state);
        if is_asleep {
            self.0.changed.notify_all();
        }
    }

    /// Pushes all there is, and waits until that is done, or `deadline`.
    pub(super) fn finish(&self, deadline: Deadline) {
        let mut state = self.0.state();
        state.has_news = true;
        state.is_over = true;
        self.0.changed.notify_all();
        while state.has_news || state.is_pushing {
            let remaining = deadline.remaining();
            if remaining.is_zero() {
                return;
            }
            state = self.0.changed.wait_timeout(state, remaining).unwrap_or_else(PoisonError::into_inner).0;
        }
    }
}

impl Shared {
    /// A poisoned lock is taken all the same: every change under it is whole at each step.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Time until the next push is due.
    fn rest(&self, state: &State) -> Duration {
        state.last.map_or(Duration::ZERO, |last| self.settings.interval.saturating_sub(last.elapsed()))
    }

    /// Sleeps until there is something to push, and the time for it.
    fn await_push(&self) -> Load {
        let mut state = self.state();
        loop {
            let rest = if state.is_over { Duration::ZERO } else { self.rest(&state) };
            if state.has_news && rest.is_zero() {
                state.has_news = false;
                state.is_pushing = true;
                state.last = Some(Stopwatch::start());
                let timeout = self.settings.timeout;
                return Load {
                    spans: std::mem::take(&mut state.spans),
                    dropped_spans: std::mem::take(&mut state.dropped_spans),
                    timeout: if state.is_over { timeout.min(LAST_TIMEOUT) } else { timeout },
                };
            }
            state = if state.has_news {
                self.changed.wait_timeout(state, rest).unwrap_or_else(PoisonError::into_inner).0
            } else {
                self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
            };
        }
    }

    fn push(&self, load: &Load, gather: &impl Fn() -> Vec<MetricFamily>) -> Pushed {
        let resource = encode::resource(&self.settings.resource);
        let metrics = self.settings.metrics.as_ref().map_or(Ok(()), |url| {
            let body = encode::metrics(&gather(), &resource, (self.started_at_nanos, nanos()));
            self.post(url, &body, load.timeout)
        });
        let spans = self.settings.traces.as_ref().filter(|_| !load.spans.is_empty());
        let spans = spans.map_or(Ok(()), |url| self.post(url, &span::batch(&load.spans, &resource), load.timeout));
        let kept = match load.dropped_spans {
            0 => Ok(()),
            dropped => Err(format!("{dropped} spans were dropped: more than {SPANS_MAX} came between two pushes")),
        };
        metrics.and(spans).and(kept)
    }

    fn post(&self, url: &str, body: &Json, timeout: Duration) -> Pushed {
        let send = || -> Result<(), outbound::Error> {
            let mut request = outbound::agent(url, timeout)?.post(url).header("Content-Type", "application/json");
            for (name, value) in &self.settings.headers {
                request = request.header(name, value);
            }
            let mut answer = request.send(body.to_string())?;
            // Read to its end: a collector may take it ill when it is left.
            let _ = answer.body_mut().with_config().limit(ANSWER_MAX_BYTES).read_to_string();
            Ok(())
        };
        send().map_err(|error| error.to_string())
    }
}

fn nanos() -> u64 {
    u64::try_from(clock::unix_micros()).unwrap_or_default().saturating_mul(1_000)
}
