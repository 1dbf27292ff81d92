//! How much may be at work at one time: past it, a request is turned away at once instead of waiting in a pile.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock::Stopwatch;

/// Counts what is at work, over all threads; cheap to clone.
#[derive(Debug, Clone)]
pub struct Limits(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    /// Held for some nanoseconds, so a lock is as good as an atomic, and the time is exact.
    flight: Mutex<Flight>,
    queue_limit: usize,
    bodies: Bytes,
    answers: Bytes,
}

/// Bytes in memory, and how many may be.
#[derive(Debug)]
struct Bytes {
    taken: AtomicUsize,
    limit: usize,
}

/// Requests in flight, and how long there were any.
#[derive(Debug, Default)]
struct Flight {
    requests: usize,
    /// Since there is one.
    since: Option<Stopwatch>,
    /// Until there was none the last time.
    busy: Duration,
}

/// A place among the requests in flight; given back when dropped.
#[derive(Debug)]
pub struct Permit(Limits);

/// Memory for a body; given back when dropped.
#[derive(Debug)]
pub struct BodyLease {
    limits: Limits,
    of: Of,
    bytes: usize,
}

/// Whose body it is. They are counted apart: clients that do not read their answers hold up no writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Of {
    Request,
    Answer,
}

impl Limits {
    /// At most `queue_limit` requests in flight, `bodies_limit` bytes of their bodies, and `answers_limit` bytes of
    /// answers that are not sent yet.
    #[must_use]
    pub fn new(queue_limit: usize, bodies_limit: usize, answers_limit: usize) -> Self {
        let bytes = |limit| Bytes { taken: AtomicUsize::new(0), limit };
        let (bodies, answers) = (bytes(bodies_limit), bytes(answers_limit));
        Self(Arc::new(Counts { flight: Mutex::default(), queue_limit, bodies, answers }))
    }

    /// Takes a place; `None` when all are taken.
    #[must_use]
    pub fn enter(&self) -> Option<Permit> {
        let mut flight = self.flight();
        if flight.requests >= self.0.queue_limit {
            return None;
        }
        if flight.requests == 0 {
            flight.since = Some(Stopwatch::start());
        }
        flight.requests += 1;
        drop(flight);
        Some(Permit(self.clone()))
    }

    fn flight(&self) -> MutexGuard<'_, Flight> {
        self.0.flight.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Memory for a request's body, none of it taken yet.
    #[must_use]
    pub fn lease(&self) -> BodyLease {
        BodyLease { limits: self.clone(), of: Of::Request, bytes: 0 }
    }

    /// Memory for an answer's body, none of it taken yet.
    #[must_use]
    pub fn answer_lease(&self) -> BodyLease {
        BodyLease { limits: self.clone(), of: Of::Answer, bytes: 0 }
    }

    /// Requests in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.flight().requests
    }

    /// Time during which there was at least one request in flight.
    #[must_use]
    pub fn busy(&self) -> Duration {
        let flight = self.flight();
        flight.busy + flight.since.map(Stopwatch::elapsed).unwrap_or_default()
    }

    /// Bytes of requests' bodies in memory.
    #[must_use]
    pub fn body_bytes(&self) -> usize {
        self.0.bodies.taken.load(Ordering::Relaxed)
    }

    /// Bytes of answers in memory: made, and not sent yet.
    #[must_use]
    pub fn answer_bytes(&self) -> usize {
        self.0.answers.taken.load(Ordering::Relaxed)
    }

    /// Most requests in flight.
    #[must_use]
    pub fn queue_limit(&self) -> usize {
        self.0.queue_limit
    }
}

impl BodyLease {
    /// Takes up to `bytes` in all; false, with nothing more taken, when so much is not left.
    #[must_use]
    pub fn try_grow_to(&mut self, bytes: usize) -> bool {
        let more = bytes.saturating_sub(self.bytes);
        let is_taken = self.counted().take(more);
        if is_taken {
            self.bytes += more;
        }
        is_taken
    }

    /// Takes `bytes` in all, whatever is left: for what must be kept.
    pub fn grow_to(&mut self, bytes: usize) {
        let more = bytes.saturating_sub(self.bytes);
        self.counted().taken.fetch_add(more, Ordering::Relaxed);
        self.bytes += more;
    }

    fn counted(&self) -> &Bytes {
        match self.of {
            Of::Request => &self.limits.0.bodies,
            Of::Answer => &self.limits.0.answers,
        }
    }
}

impl Bytes {
    /// Adds `more` unless the sum would pass the limit. The counter guards no other memory, so relaxed order is enough.
    fn take(&self, more: usize) -> bool {
        let within = |taken: usize| taken.checked_add(more).filter(|sum| *sum <= self.limit);
        self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).is_ok()
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        let mut flight = self.0.flight();
        flight.requests = flight.requests.saturating_sub(1);
        if flight.requests == 0 {
            let more = flight.since.take().map(Stopwatch::elapsed).unwrap_or_default();
            flight.busy += more;
        }
    }
}

impl Drop for BodyLease {
    fn drop(&mut self) {
        self.counted().taken.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_request_is_done() {
        let limits = Limits::new(2, 0, 0);
        let first = limits.enter();
        let _second = limits.enter().unwrap();
        assert!(limits.enter().is_none());
        drop(first);
        assert_eq!(limits.in_flight(), 1);
        assert!(limits.enter().is_some());
    }

    #[test]
    fn only_the_time_with_requests_is_busy_and_requests_at_one_time_count_once() {
        let limits = Limits::new(2, 0, 0);
        let pause = Duration::from_millis(20);
        let (first, second) = (limits.enter(), limits.enter());
        std::thread::sleep(pause);
        drop((first, second));
        let busy = limits.busy();
        assert!(busy >= pause, "{busy:?}");
        std::thread::sleep(pause);
        assert_eq!(limits.busy(), busy);
    }

    #[test]
    fn bodies_share_one_bound() {
        let limits = Limits::new(1, 100, 0);
        let mut first = limits.lease();
        let mut second = limits.lease();
        assert!(first.try_grow_to(60));
        assert!(!second.try_grow_to(41));
        assert!(second.try_grow_to(40));
        assert!(first.try_grow_to(30), "growing to less than is taken takes nothing");
        drop(first);
        assert_eq!(limits.body_bytes(), 40);
        assert!(!second.try_grow_to(usize::MAX));
    }

    #[test]
    fn answers_have_a_bound_of_their_own_and_some_are_kept_past_it() {
        let limits = Limits::new(1, 0, 100);
        let (mut first, mut second) = (limits.answer_lease(), limits.answer_lease());
        assert!(first.try_grow_to(100) && !second.try_grow_to(1));
        second.grow_to(50);
        assert_eq!((limits.body_bytes(), limits.answer_bytes()), (0, 150));
        drop((first, second));
        assert_eq!(limits.answer_bytes(), 0);
    }
}
