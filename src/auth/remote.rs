//! Keys at an address, as identity providers publish them (`JWKS_URL`).
//!
//! Nothing runs between requests, for an instance may be frozen there; every look at the keys comes from a request:
//!
//! | keys are | then |
//! |---|---|
//! | not there yet | the request waits for the fetch under way, which the start began |
//! | older than [`SOFT_AGE_SECONDS`] | they are used, and fetched anew meanwhile |
//! | older than [`HARD_AGE_SECONDS`] | the request waits for new ones: a key that was withdrawn ends |
//! | without the id that a token names | the request waits for new ones: keys were rotated |
//!
//! One fetch at a time, and none within [`COOLDOWN_SECONDS`] of the last, whatever tokens are sent. What was fetched
//! once is kept when a later fetch fails.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use sha2::{Digest as _, Sha256};
use tokio::sync::{Semaphore, watch};

use super::fetch;
use super::key::Keys;
use crate::clock::Stopwatch;
use crate::telemetry::{Event, Telemetry};

/// From this age on keys are fetched anew while they are used.
const SOFT_AGE_SECONDS: u64 = 600;

/// From this age on keys are used only when no newer ones can be had: an instance that slept for hours asks first.
const HARD_AGE_SECONDS: u64 = 3_600;

/// Between two fetches: what a flood of made-up key ids may cost the identity provider.
const COOLDOWN_SECONDS: u64 = 30;

/// The same while there are no keys at all and every signed request is turned away.
const EMPTY_COOLDOWN_SECONDS: u64 = 5;

/// Requests that may wait because of an id that is not known. Past it they are told to come back: anyone can make up an
/// id, and must not fill the server with waiting.
const MAX_WAITING: usize = 16;

/// Keys at an address; cheap to clone.
#[derive(Debug, Clone)]
pub struct RemoteKeys(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    url: String,
    timeout: Duration,
    /// Keys of the configuration, which hold beside the fetched ones.
    others: Option<Keys>,
    current: ArcSwap<KeySet>,
    attempts: Mutex<Attempts>,
    /// For requests that wait because of an id.
    places: Semaphore,
    telemetry: Telemetry,
}

/// All keys of a moment.
#[derive(Debug)]
pub(super) struct KeySet {
    pub(super) keys: Keys,
    /// Another number for each other set: what was verified with one says nothing of the next.
    pub(super) generation: u64,
    /// When they were fetched (Unix seconds); `None`: only the configuration's keys are there.
    fetched: Option<i64>,
    /// SHA-256 of what was fetched.
    hash: [u8; 32],
}

#[derive(Debug, Default)]
struct Attempts {
    /// When the last one began (Unix seconds).
    last: Option<i64>,
    last_failed: bool,
    /// Ends when the attempt under way does.
    under_way: Option<watch::Receiver<()>>,
}

/// What came of asking for newer keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Renewal {
    /// They are as new as they may be.
    Done,
    /// The address did not answer, or too many wait for it.
    Failed,
}

impl RemoteKeys {
    /// Begins to fetch the keys at `url`, and does not wait for them. `others` hold too.
    #[must_use]
    pub fn begin(url: String, others: Option<Keys>, telemetry: Telemetry) -> Self {
        let remote = Self::new(url, others, fetch::TIMEOUT, telemetry);
        drop(remote.0.attempt(crate::clock::unix_seconds()));
        remote
    }

    fn new(url: String, others: Option<Keys>, timeout: Duration, telemetry: Telemetry) -> Self {
        let keys = others.clone().unwrap_or_else(Keys::none);
        let current = ArcSwap::from_pointee(KeySet { keys, generation: 0, fetched: None, hash: [0; 32] });
        let places = Semaphore::new(MAX_WAITING);
        Self(Arc::new(Inner { url, timeout, others, current, attempts: Mutex::default(), places, telemetry }))
    }

    /// Whether keys were fetched since the start; asks for them when not.
    pub async fn is_ready(&self) -> bool {
        self.fresh(crate::clock::unix_seconds()).await.fetched.is_some()
    }

    /// The keys to verify with at `now` (Unix seconds).
    pub(super) async fn fresh(&self, now: i64) -> Arc<KeySet> {
        let current = self.0.current.load_full();
        let age = current.fetched.map(|fetched| now.abs_diff(fetched));
        match age {
            Some(..SOFT_AGE_SECONDS) => return current,
            // Once the address has failed to answer, only the attempts themselves wait for it.
            Some(SOFT_AGE_SECONDS..HARD_AGE_SECONDS) => drop(self.0.attempt(now)),
            Some(HARD_AGE_SECONDS..) if self.0.attempts().last_failed => drop(self.0.attempt(now)),
            // Its own tokens need no address; others wait in `renew`.
            None if self.0.others.is_some() => drop(self.0.attempt(now)),
            Some(HARD_AGE_SECONDS..) | None => wait_for(self.0.attempt(now)).await,
        }
        self.0.current.load_full()
    }

    /// Asks for newer keys because of a token that those at hand do not verify.
    pub(super) async fn renew(&self, now: i64) -> Renewal {
        let Ok(_place) = self.0.places.try_acquire() else { return Renewal::Failed };
        wait_for(self.0.attempt(now)).await;
        if self.0.attempts().last_failed { Renewal::Failed } else { Renewal::Done }
    }

    /// The keys at hand.
    pub(super) fn current(&self) -> Arc<KeySet> {
        self.0.current.load_full()
    }
}

async fn wait_for(attempt: Option<watch::Receiver<()>>) {
    if let Some(mut attempt) = attempt {
        // Nothing is ever sent: the sender goes when the attempt is over, even by a panic. A fetch is bounded in time,
        // but a thread that gets no CPU is not.
        let _ = tokio::time::timeout(fetch::TIMEOUT * 2, attempt.changed()).await;
    }
}

impl Inner {
    fn attempts(&self) -> MutexGuard<'_, Attempts> {
        self.attempts.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The end of the attempt under way, or of one that begins now; `None` when it is too early for one.
    fn attempt(self: &Arc<Self>, now: i64) -> Option<watch::Receiver<()>> {
        let mut attempts = self.attempts();
        if let Some(under_way) = &attempts.under_way
            && under_way.has_changed().is_ok()
        {
            return Some(under_way.clone());
        }
        let has_any = self.current.load().fetched.is_some();
        let cooldown = if has_any { COOLDOWN_SECONDS } else { EMPTY_COOLDOWN_SECONDS };
        if attempts.last.is_some_and(|last| now.abs_diff(last) < cooldown) {
            return None;
        }
        attempts.last = Some(now);
        let (sender, receiver) = watch::channel(());
        attempts.under_way = Some(receiver.clone());
        drop(attempts);
        let inner = Arc::clone(self);
        let thread = std::thread::Builder::new().name("keys".to_owned()).spawn(move || {
            inner.fetch(now);
            drop(sender);
        });
        if let Err(error) = thread {
            self.failed(&error.to_string());
        }
        Some(receiver)
    }

    fn fetch(&self, now: i64) {
        let stopwatch = Stopwatch::start();
        let fetched = fetch::text(&self.url, self.timeout).map_err(|error| error.to_string());
        match fetched.and_then(|text| Ok((Keys::from_published(&text).map_err(|error| error.to_string())?, text))) {
            Ok((keys, text)) => {
                let count = keys.count();
                self.take(keys, Sha256::digest(text.as_bytes()).into(), now);
                self.attempts().last_failed = false;
                self.telemetry.record(&Event::KeysFetched { keys: count, latency: stopwatch.elapsed() });
            }
            Err(cause) => self.failed(&cause),
        }
    }

    fn take(&self, keys: Keys, hash: [u8; 32], now: i64) {
        let before = self.current.load();
        let generation = before.generation + u64::from(before.hash != hash);
        let keys = match &self.others {
            Some(others) => others.clone().and(keys),
            None => keys,
        };
        self.current.store(Arc::new(KeySet { keys, generation, fetched: Some(now), hash }));
    }

    fn failed(&self, cause: &str) {
        self.attempts().last_failed = true;
        self.telemetry.record(&Event::KeysNotFetched { cause });
    }
}

#[cfg(test)]
mod tests;
