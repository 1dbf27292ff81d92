//! Time and randomness: the only module that asks the system for either, so that tests and simulations can replay.
#![allow(
    clippy::disallowed_methods,
    reason = "this module is the one place that may call the system's clock and randomness"
)]

use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

/// A monotonic moment at which work must be done or given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Deadline(Instant);

impl Deadline {
    /// The moment `after` from now.
    #[must_use]
    pub fn after(after: Duration) -> Self {
        Self(Instant::now() + after)
    }

    /// True once the moment has come.
    #[must_use]
    pub fn is_past(self) -> bool {
        Instant::now() >= self.0
    }

    /// What is left until the moment; zero once it has come.
    #[must_use]
    pub fn remaining(self) -> Duration {
        self.0.saturating_duration_since(Instant::now())
    }

    /// The moment as the standard library has it, for waits that take one.
    #[must_use]
    pub fn instant(self) -> Instant {
        self.0
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
