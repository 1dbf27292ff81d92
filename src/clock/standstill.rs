//! Time in which this process was stopped, which nobody's deadline counts.
//!
//! Platforms freeze an instance between requests, and now and then amid one: by SIGSTOP, by the freezer of its cgroup, or
//! with its whole machine. The kernel's clock goes on, and nobody tells a process that it was stopped. So whoever waits
//! looks at the clock at least once a [`BEAT`]: where somebody waits and nobody has looked for much longer than that,
//! nothing ran here, and the deadlines of all move by as much. Where nobody waits nothing is known, and nothing moves.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The longest that whoever waits does not look.
pub(super) const BEAT: Duration = Duration::from_secs(1);

/// How much later than due a look may be, or a timer, on a machine that is merely busy.
pub const TOLERANCE: Duration = Duration::from_secs(1);

/// How long this process has stood still by now.
#[derive(Debug)]
pub(super) struct Standstill {
    looks: Mutex<Looks>,
    /// Nanoseconds. Read without the lock: it guards no other memory.
    stood: AtomicU64,
}

#[derive(Debug)]
struct Looks {
    waiting: usize,
    last: Option<Instant>,
}

/// Held by whoever waits, who must look once a [`BEAT`].
#[derive(Debug)]
pub(super) struct Waiting<'a>(&'a Standstill);

impl Standstill {
    pub(super) const fn new() -> Self {
        Self { looks: Mutex::new(Looks { waiting: 0, last: None }), stood: AtomicU64::new(0) }
    }

    /// Time that it has stood still, as far as anybody has looked.
    pub(super) fn stood(&self) -> Duration {
        Duration::from_nanos(self.stood.load(Ordering::Relaxed))
    }

    /// Takes note of the moment.
    pub(super) fn look(&self) {
        self.look_at(Instant::now, &mut self.looks());
    }

    /// Takes note that somebody waits.
    pub(super) fn wait(&self) -> Waiting<'_> {
        self.wait_from(Instant::now)
    }

    fn wait_from(&self, now: impl FnOnce() -> Instant) -> Waiting<'_> {
        let mut looks = self.looks();
        self.look_at(now, &mut looks);
        looks.waiting += 1;
        drop(looks);
        Waiting(self)
    }

    fn looks(&self) -> MutexGuard<'_, Looks> {
        self.looks.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The clock is asked under the lock, so that moments come in their order.
    fn look_at(&self, now: impl FnOnce() -> Instant, looks: &mut Looks) {
        let now = now();
        let gap = looks.last.filter(|_| looks.waiting > 0).map(|last| now.saturating_duration_since(last));
        if let Some(gap) = gap.filter(|gap| *gap > BEAT + TOLERANCE) {
            let nanos = u64::try_from((gap - BEAT).as_nanos()).unwrap_or(u64::MAX);
            self.stood.fetch_add(nanos, Ordering::Relaxed);
        }
        looks.last = Some(now);
    }
}

impl Drop for Waiting<'_> {
    fn drop(&mut self) {
        let mut looks = self.0.looks();
        looks.waiting = looks.waiting.saturating_sub(1);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked_after(standstill: &Standstill, start: Instant, seconds: f64) -> Duration {
        standstill.look_at(|| start + Duration::from_secs_f64(seconds), &mut standstill.looks());
        standstill.stood()
    }

    #[test]
    fn a_gap_between_looks_counts_once_and_only_while_somebody_waits() {
        let standstill = Standstill::new();
        let start = Instant::now();
        looked_after(&standstill, start, 0.0);
        assert_eq!(looked_after(&standstill, start, 100.0), Duration::ZERO, "nobody waited");
        let waiting = standstill.wait_from(|| start + Duration::from_secs(100));
        assert_eq!(looked_after(&standstill, start, 101.9), Duration::ZERO, "a busy machine");
        assert_eq!(looked_after(&standstill, start, 161.9), Duration::from_secs(59));
        assert_eq!(looked_after(&standstill, start, 162.0), Duration::from_secs(59), "it was counted");
        drop(waiting);
        assert_eq!(looked_after(&standstill, start, 999.0), Duration::from_secs(59));
    }
}
