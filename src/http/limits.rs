//! How much may be at work at one time: past it, a request is turned away at once instead of waiting in a pile.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts what is at work, over all threads; cheap to clone.
#[derive(Debug, Clone)]
pub struct Limits(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    in_flight: AtomicUsize,
    queue_limit: usize,
    body_bytes: AtomicUsize,
    bodies_limit: usize,
}

/// A place among the requests in flight; given back when dropped.
#[derive(Debug)]
pub struct Permit(Limits);

/// Memory for a body; given back when dropped.
#[derive(Debug)]
pub struct BodyLease {
    limits: Limits,
    bytes: usize,
}

impl Limits {
    /// At most `queue_limit` requests in flight, and `bodies_limit` bytes of their bodies.
    #[must_use]
    pub fn new(queue_limit: usize, bodies_limit: usize) -> Self {
        Self(Arc::new(Counts {
            in_flight: AtomicUsize::new(0),
            queue_limit,
            body_bytes: AtomicUsize::new(0),
            bodies_limit,
        }))
    }

    /// Takes a place; `None` when all are taken.
    #[must_use]
    pub fn enter(&self) -> Option<Permit> {
        take(&self.0.in_flight, 1, self.0.queue_limit).then(|| Permit(self.clone()))
    }

    /// Memory for a body, none of it taken yet.
    #[must_use]
    pub fn lease(&self) -> BodyLease {
        BodyLease { limits: self.clone(), bytes: 0 }
    }

    /// Requests in flight.
    #[must_use]
    pub fn in_flight(&self) -> usize {
        self.0.in_flight.load(Ordering::Relaxed)
    }

    /// Bytes of bodies in memory.
    #[must_use]
    pub fn body_bytes(&self) -> usize {
        self.0.body_bytes.load(Ordering::Relaxed)
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
        let is_taken = take(&self.limits.0.body_bytes, more, self.limits.0.bodies_limit);
        if is_taken {
            self.bytes += more;
        }
        is_taken
    }
}

/// Adds `more` unless the sum would pass `limit`. The counters guard no other memory, so relaxed order is enough.
fn take(counter: &AtomicUsize, more: usize, limit: usize) -> bool {
    let within = |taken: usize| taken.checked_add(more).filter(|sum| *sum <= limit);
    counter.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within).is_ok()
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.0.in_flight.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Drop for BodyLease {
    fn drop(&mut self) {
        self.limits.0.body_bytes.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_free_again_when_its_request_is_done() {
        let limits = Limits::new(2, 0);
        let first = limits.enter();
        let _second = limits.enter().unwrap();
        assert!(limits.enter().is_none());
        drop(first);
        assert_eq!(limits.in_flight(), 1);
        assert!(limits.enter().is_some());
    }

    #[test]
    fn bodies_share_one_bound() {
        let limits = Limits::new(1, 100);
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
}
