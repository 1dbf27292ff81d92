//! Time and randomness: the only module that asks the system for either, so that tests and simulations can replay.
#![allow(
    clippy::disallowed_methods,
    reason = "this module is the one place that may call the system's clock and randomness"
)]

mod standstill;

use std::pin::pin;
use std::task::Poll;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use standstill::Standstill;
pub use standstill::TOLERANCE;
use thiserror::Error;

/// Of this process.
static STANDSTILL: Standstill = Standstill::new();

/// A monotonic moment at which work must be done or given up. The time in which the process was stopped does not count,
/// as long as somebody waits by [`within`] or [`attend`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

/// The deadline came first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
#[error("not done in time")]
pub struct Late;

impl Deadline {
    /// The moment `after` from now.
    #[must_use]
    pub fn after(after: Duration) -> Self {
        // A standstill that just ended is not this one's.
        STANDSTILL.look();
        Self(awake() + after)
    }

    /// True once the moment has come.
    #[must_use]
    pub fn is_past(self) -> bool {
        self.remaining().is_zero()
    }

    /// What is left until the moment; zero once it has come.
    #[must_use]
    pub fn remaining(self) -> Duration {
        let left = self.0.saturating_duration_since(awake());
        if left.is_zero() {
            STANDSTILL.look();
            return self.0.saturating_duration_since(awake());
        }
        left
    }
}

/// The moment, as it would be had the process never been stopped.
fn awake() -> Instant {
    let now = Instant::now();
    now.checked_sub(STANDSTILL.stood()).unwrap_or(now)
}

/// What `work` comes to, however long that takes: it has a deadline of its own, for which a standstill must be noticed.
pub async fn attend<Work: Future>(work: Work) -> Work::Output {
    let mut work = pin!(work);
    let _waiting = STANDSTILL.wait();
    loop {
        if let Ok(done) = tokio::time::timeout(standstill::BEAT, work.as_mut()).await {
            return done;
        }
        STANDSTILL.look();
    }
}

/// What `work` comes to, unless the deadline comes first. Work that is done is looked at before the clock is.
///
/// # Errors
/// [`Late`].
pub async fn within<Work: Future>(deadline: Deadline, work: Work) -> Result<Work::Output, Late> {
    let mut work = pin!(work);
    // What is done at once waits for nothing: nobody needs to be told.
    if let Poll::Ready(done) = futures_util::poll!(work.as_mut()) {
        return Ok(done);
    }
    let _waiting = STANDSTILL.wait();
    loop {
        let wait = deadline.remaining().min(standstill::BEAT);
        if let Ok(done) = tokio::time::timeout(wait, work.as_mut()).await {
            return Ok(done);
        }
        STANDSTILL.look();
        if deadline.is_past() {
            return Err(Late);
        }
    }
}

/// Measures how long something took.
#[derive(Debug, Clone, Copy)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// Starts now.
    #[must_use]
    pub fn start() -> Self {
        Self(Instant::now())
    }

    /// Time since the start.
    #[must_use]
    pub fn elapsed(self) -> Duration {
        self.0.elapsed()
    }
}

/// Seconds since 1970-01-01 UTC by the system's clock, which may jump.
#[must_use]
pub fn unix_seconds() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_secs()).unwrap_or(i64::MAX)
}

/// Microseconds since 1970-01-01 UTC by the system's clock, which may jump.
#[must_use]
pub fn unix_micros() -> i64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_micros()).unwrap_or(i64::MAX)
}

/// CPU time that this process has used, on all threads.
#[must_use]
pub fn cpu_used() -> Duration {
    let used = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    used.try_into().unwrap_or_default()
}

/// A number nobody has drawn before, from the operating system's randomness.
///
/// # Errors
/// When the operating system has none to give.
pub fn nonce() -> Result<u64, getrandom::Error> {
    getrandom::u64()
}
