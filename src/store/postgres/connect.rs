//! How connections are made, and which are fit for another request.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use deadpool::managed::{Manager, Metrics, RecycleError, RecycleResult};
use deadpool_postgres::{ClientWrapper, ManagerConfig, RecyclingMethod};

use super::dsn::Target;
use super::tls::Connector;
use super::{PostgresSettings, fault};
use crate::clock::Stopwatch;
use crate::store::Error;

/// A connection that was not used for longer than this is asked for a sign of life first: an instance that was frozen,
/// or a router that forgot the connection, leaves one that nobody hears.
const ASK_AFTER: Duration = Duration::from_secs(5);

/// How long it may take to answer.
const ANSWER_WITHIN: Duration = Duration::from_secs(1);

/// How long nobody tries to connect after the first failure; doubled with each.
const FIRST_PAUSE: Duration = Duration::from_millis(20);

/// Longest pause: so long after a failover the next attempt comes at the latest.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// Makes and keeps connections.
#[derive(Debug)]
pub(super) struct Connections {
    inner: deadpool_postgres::Manager,
    gate: Gate,
    max_lifetime: Duration,
}

/// Why there is no connection.
#[derive(Debug)]
pub(super) enum Failure {
    /// The server said no, or did not answer.
    Server(tokio_postgres::Error),
    /// Not tried: the last attempt failed a moment ago, for this reason.
    Paused(String),
}

impl Failure {
    pub(super) fn error(&self) -> Error {
        match self {
            Self::Server(error) => fault::of(error),
            Self::Paused(reason) => Error::Unreachable(format!("{reason} (a moment ago; not tried again yet)")),
        }
    }
}

impl Connections {
    pub(super) fn new(target: &Target, tls: &Connector, settings: &PostgresSettings) -> Self {
        let fast = ManagerConfig { recycling_method: RecyclingMethod::Fast };
        Self {
            inner: deadpool_postgres::Manager::from_config(target.config.clone(), tls.clone(), fast),
            gate: Gate::default(),
            max_lifetime: settings.max_lifetime,
        }
    }
}

impl Manager for Connections {
    type Type = ClientWrapper;
    type Error = Failure;

    async fn create(&self) -> Result<ClientWrapper, Failure> {
        self.gate.may_try().map_err(Failure::Paused)?;
        let made = self.inner.create().await.map_err(Failure::Server);
        self.gate.tell(made.as_ref().err().map(|failure| failure.error().in_full()));
        made
    }

    async fn recycle(&self, client: &mut ClientWrapper, metrics: &Metrics) -> RecycleResult<Failure> {
        if client.is_closed() {
            return Err(RecycleError::message("closed"));
        }
        if metrics.age() > self.max_lifetime {
            return Err(RecycleError::message("old"));
        }
        if metrics.last_used() < ASK_AFTER {
            return Ok(());
        }
        match tokio::time::timeout(ANSWER_WITHIN, client.simple_query("")).await {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) => Err(RecycleError::Backend(Failure::Server(error))),
            Err(_) => Err(RecycleError::message("silent")),
        }
    }

    fn detach(&self, client: &mut ClientWrapper) {
        self.inner.detach(client);
    }
}

/// Keeps requests from asking a server that is down again and again: after a failure one asks, after a pause.
#[derive(Debug, Default)]
struct Gate(Mutex<Option<Pause>>);

#[derive(Debug)]
struct Pause {
    since: Stopwatch,
    length: Duration,
    /// Why the last attempt failed.
    reason: String,
}

impl Gate {
    /// Whether to try, or why the last attempt failed; who may try tries alone until the pause is over once more.
    fn may_try(&self) -> Result<(), String> {
        let mut pause = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match pause.as_mut() {
            None => Ok(()),
            Some(pause) if pause.since.elapsed() >= pause.length => {
                pause.since = Stopwatch::start();
                Ok(())
            }
            Some(pause) => Err(pause.reason.clone()),
        }
    }

    /// Takes note of an attempt: why it failed, or that it did not.
    fn tell(&self, failed: Option<String>) {
        let mut pause = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let length = pause.as_ref().map_or(FIRST_PAUSE, |pause| (pause.length * 2).min(LONGEST_PAUSE));
        *pause = failed.map(|reason| Pause { since: Stopwatch::start(), length, reason });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_is_down_is_asked_by_one_and_less_and_less_often() {
        let gate = Gate::default();
        let failed = || Some("no such host".to_owned());
        assert!(gate.may_try().is_ok() && gate.may_try().is_ok(), "nothing is known to be wrong");
        gate.tell(failed());
        assert_eq!(gate.may_try(), Err("no such host".to_owned()), "who is not let try is told why");
        std::thread::sleep(FIRST_PAUSE);
        assert!(gate.may_try().is_ok());
        assert!(gate.may_try().is_err(), "one at a time");
        (0..20).for_each(|_| gate.tell(failed()));
        let longest = gate.0.lock().unwrap().as_ref().map(|pause| pause.length);
        assert_eq!(longest, Some(LONGEST_PAUSE));
        gate.tell(None);
        assert!(gate.may_try().is_ok() && gate.may_try().is_ok());
    }
}
