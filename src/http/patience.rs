//! How long a connection is kept that sends nothing.
//!
//! Asked only when there is nothing to read: what came in time is read, however late that is. An instance that was frozen
//! finds the request in its socket that it was woken for, and no clock of the time before keeps it from being answered. Where
//! the request is still on its way, its connection is not closed before it: a timer that goes off much too late tells that
//! there was a freeze, after which clients have their time anew.

use std::pin::Pin;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::time::{Instant, Sleep, sleep};

use super::target::Awaited;
use crate::clock::{Stopwatch, TOLERANCE};

/// How long an idle connection is kept: longer than the minute that most load balancers keep theirs, so that it is
/// they who close.
const KEEP_ALIVE: Duration = Duration::from_secs(75);

/// Time for a request's head to arrive, and for the first one to begin.
const HEAD_TIMEOUT: Duration = Duration::from_secs(5);

/// Knows since when a connection waits.
#[derive(Debug)]
pub(super) struct Patience {
    /// Since the last byte, either way.
    quiet: Stopwatch,
    /// Since the head began that has not ended; from the beginning of the connection on, for the first one.
    head: Option<Head>,
    /// Goes off no later than it must be looked again.
    timer: Option<Pin<Box<Sleep>>>,
    keep_alive: Duration,
    head_timeout: Duration,
}

/// A head that has begun.
#[derive(Debug, Clone, Copy)]
struct Head {
    number: u64,
    begun: Stopwatch,
}

/// What a request does with its connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Occupation {
    /// One is being answered.
    Answering,
    /// None is.
    Idle,
}

impl Patience {
    /// Of a connection that was just made.
    pub(super) fn new() -> Self {
        Self::of(KEEP_ALIVE, HEAD_TIMEOUT)
    }

    /// With other bounds.
    pub(super) fn of(keep_alive: Duration, head_timeout: Duration) -> Self {
        let begun = Stopwatch::start();
        Self { quiet: begun, head: Some(Head { number: 1, begun }), timer: None, keep_alive, head_timeout }
    }

    /// Bytes went by; what comes next.
    pub(super) fn has_read(&mut self, awaited: Awaited) {
        // Of bytes that may be a head nobody knows how many are to come, so they buy no time.
        if awaited != Awaited::Anything {
            self.quiet = Stopwatch::start();
        }
        self.head = match awaited {
            Awaited::Head { number } => {
                let known = self.head.filter(|head| head.number == number);
                known.or(Some(Head { number, begun: self.quiet }))
            }
            Awaited::Request | Awaited::Body | Awaited::Anything => None,
        };
    }

    /// Bytes were taken by the client.
    pub(super) fn has_written(&mut self) {
        self.quiet = Stopwatch::start();
    }

    /// Ready when a client that sends nothing has had its time.
    pub(super) fn poll_over(&mut self, occupation: Occupation, context: &mut Context<'_>) -> Poll<()> {
        loop {
            let left = match (occupation, self.head) {
                // Whoever answers has deadlines of its own.
                (Occupation::Answering, _) => self.keep_alive,
                (Occupation::Idle, Some(head)) => self.head_timeout.saturating_sub(head.begun.elapsed()),
                (Occupation::Idle, None) => self.keep_alive.saturating_sub(self.quiet.elapsed()),
            };
            // Only a timer says that it is over: it knows how late it is.
            if left.is_zero() && self.timer.is_none() {
                return Poll::Ready(());
            }
            let timer = self.timer.get_or_insert_with(|| Box::pin(sleep(left)));
            if timer.deadline().saturating_duration_since(Instant::now()) > left {
                *timer = Box::pin(sleep(left));
            }
            let due = timer.deadline();
            ready!(timer.as_mut().poll(context));
            self.timer = None;
            if Instant::now().saturating_duration_since(due) > TOLERANCE {
                self.begin_anew();
            }
        }
    }

    fn begin_anew(&mut self) {
        self.quiet = Stopwatch::start();
        if let Some(head) = &mut self.head {
            head.begun = self.quiet;
        }
    }
}
