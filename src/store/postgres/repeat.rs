//! What may be run again when it failed, and how long that is tried.
//!
//! | cause | why it is safe to repeat |
//! |---|---|
//! | no connection could be had | nothing was sent |
//! | the connection broke before `COMMIT` was sent | the server undoes what is not committed |
//! | it broke after `COMMIT` was sent | only with an `Idempotency-Key`: what was committed is found by it |
//! | two transactions were in each other's way | the server undid this one |
//! | a prepared statement no longer fits | nothing was done |
//! | the server has become a standby | nothing was done; another connection finds the new primary |

use std::time::Duration;

use crate::clock::{self, Deadline};
use crate::sql::Statement;
use crate::store::Error;

/// How long a request waits for a server that went away: a restart or a failover takes a second or two, and whoever
/// waits holds a place in the queue.
const PATIENCE: Duration = Duration::from_secs(2);

/// First wait; doubled each time.
const FIRST_WAIT: Duration = Duration::from_millis(10);

/// Longest wait.
const LONGEST_WAIT: Duration = Duration::from_millis(400);

/// How often a statement is repeated that the server itself refused: more would be in vain.
const REFUSALS_MAX: u32 = 5;

/// An attempt that failed, and whether its statement may have reached the server.
#[derive(Debug)]
pub(super) struct Failed {
    pub(super) error: Error,
    pub(super) cause: Cause,
}

/// Why an attempt failed, as far as repeating it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Cause {
    /// The server answered, or time ran out.
    Final,
    /// There is no connection, or it broke.
    ConnectionLost,
    /// A prepared statement no longer fits the schema; nothing was done.
    StalePlan,
    /// Another transaction was in the way; nothing was done.
    Raced,
    /// The server takes no writes; nothing was done.
    ReadOnlyServer,
}

/// What says whether something may be done again of which it is not known whether it was done.
#[derive(Debug, Clone, Copy)]
pub(super) struct Repeats {
    /// Nothing is changed by it.
    pub(super) read_only: bool,
    /// It is applied once, however often it comes.
    pub(super) once: bool,
}

impl Repeats {
    pub(super) fn of(statement: &Statement) -> Self {
        Self { read_only: statement.session.read_only, once: statement.once.is_some() }
    }
}

impl Failed {
    /// Whether doing it again cannot do it twice.
    fn may_be_repeated(&self, repeats: Repeats) -> bool {
        match (self.cause, &self.error) {
            (Cause::Final, _) => false,
            // Whether the write was done is found out by doing it once.
            (_, Error::OutcomeUnknown) => repeats.once,
            // Where the DSN wants a primary, this says that the server no longer is one.
            (Cause::ReadOnlyServer, error) => matches!(error, Error::Unreachable(_)) && !repeats.read_only,
            (Cause::ConnectionLost | Cause::StalePlan | Cause::Raced, _) => true,
        }
    }
}

impl From<Error> for Failed {
    fn from(error: Error) -> Self {
        Self { error, cause: Cause::Final }
    }
}

/// How long one request's statement is repeated.
#[derive(Debug)]
pub(super) struct Patience {
    until: Deadline,
    wait: Duration,
    refusals: u32,
    /// An attempt may have been done.
    is_unknown: bool,
}

impl Patience {
    /// Until the request's own deadline at the latest.
    pub(super) fn new(deadline: Deadline) -> Self {
        Self { until: Deadline::after(PATIENCE).min(deadline), wait: FIRST_WAIT, refusals: 0, is_unknown: false }
    }

    /// Waits before what failed is done again.
    ///
    /// # Errors
    /// The failure, when it may not be done again or that would be in vain. That it cannot be found out now what became of
    /// an earlier attempt does not make it known.
    pub(super) async fn outlast(&mut self, failed: Failed, repeats: Repeats) -> Result<(), Error> {
        self.is_unknown |= matches!(failed.error, Error::OutcomeUnknown);
        if failed.may_be_repeated(repeats) && self.wait(failed.cause).await {
            return Ok(());
        }
        Err(if self.is_unknown { Error::OutcomeUnknown } else { failed.error })
    }

    /// Waits before the next attempt; false when there shall be none.
    pub(super) async fn wait(&mut self, cause: Cause) -> bool {
        if cause != Cause::ConnectionLost {
            self.refusals += 1;
        }
        let wait = match cause {
            Cause::StalePlan => Duration::ZERO,
            Cause::Final | Cause::ConnectionLost | Cause::Raced | Cause::ReadOnlyServer => self.next_wait(),
        };
        if self.refusals > REFUSALS_MAX || wait >= self.until.remaining() {
            return false;
        }
        tokio::time::sleep(wait).await;
        true
    }

    /// Half of it by chance, so that those who failed together do not come back together.
    fn next_wait(&mut self) -> Duration {
        let half = self.wait / 2;
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        let chance = u32::from(clock::nonce().unwrap_or_default().to_be_bytes()[0]);
        half + half * chance / 255
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn waits_grow_and_end() {
        let mut patience = Patience::new(Deadline::after(Duration::from_secs(60)));
        for least in [5, 10, 20, 40, 80, 160, 200, 200] {
            let wait = patience.next_wait();
            assert!((least..=2 * least).contains(&wait.as_millis()), "{wait:?}");
        }
        let mut late = Patience::new(Deadline::after(Duration::ZERO));
        assert!(!late.wait(Cause::ConnectionLost).await, "past the request's deadline");
    }

    #[tokio::test]
    async fn what_the_server_refuses_again_and_again_is_given_up() {
        let mut patience = Patience::new(Deadline::after(Duration::from_secs(60)));
        let mut repeats = 0;
        while patience.wait(Cause::StalePlan).await {
            repeats += 1;
        }
        assert_eq!(repeats, REFUSALS_MAX);
    }
}
