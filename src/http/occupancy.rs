//! How many connections are open. When most of what may be are, each is closed with its answer: clients that keep theirs
//! without asking for anything would shut out all others, health checks among them.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

/// Counts open connections, over all threads; cheap to clone.
#[derive(Debug, Clone)]
pub(super) struct Occupancy(Arc<Counts>);

#[derive(Debug)]
struct Counts {
    open: AtomicUsize,
    /// From so many on it is crowded.
    crowd: usize,
}

/// A connection's place; given back when dropped.
#[derive(Debug)]
pub(super) struct Seat(Occupancy);

impl Occupancy {
    /// Of at most `connections`, three quarters are a crowd.
    pub(super) fn new(connections: usize) -> Self {
        Self(Arc::new(Counts { open: AtomicUsize::new(0), crowd: (connections - connections / 4).max(1) }))
    }

    /// Counts one more.
    pub(super) fn take(&self) -> Seat {
        self.0.open.fetch_add(1, Ordering::Relaxed);
        Seat(self.clone())
    }

    /// Connections that are open.
    pub(super) fn open(&self) -> usize {
        self.0.open.load(Ordering::Relaxed)
    }

    /// Whether connections should be given back.
    pub(super) fn is_crowded(&self) -> bool {
        self.open() >= self.0.crowd
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.0.0.open.fetch_sub(1, Ordering::Relaxed);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_quarters_are_a_crowd_until_one_leaves() {
        let occupancy = Occupancy::new(8);
        let mut seats: Vec<_> = (0..5).map(|_| occupancy.take()).collect();
        assert!(!occupancy.is_crowded());
        seats.push(occupancy.take());
        assert!(occupancy.is_crowded());
        seats.pop();
        assert!(!occupancy.is_crowded());
        assert_eq!(occupancy.open(), 5);
    }
}
