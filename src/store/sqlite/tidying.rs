//! Keeps the shared log within bounds: a snapshot when it is this instance's turn, then the removal of what no restore
//! needs. On a thread of its own, one at a time; nothing depends on its coming to an end.

use std::sync::atomic::{AtomicBool, AtomicI64, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use crate::clock;
use crate::telemetry::{Event, Telemetry};
use crate::volume::Volume;
use crate::volume::log::change::Txid;
use crate::volume::log::copy::{Copy, Snapshot};
use crate::volume::log::{Error, retain};

/// What is shared with the thread.
#[derive(Debug)]
struct Shared {
    volume: Arc<dyn Volume>,
    copy: Arc<Mutex<Copy>>,
    retention: Duration,
    /// The newest snapshot that this instance knows of.
    newest: AtomicU64,
    /// When its commit group was made, in milliseconds since 1970.
    newest_millis: AtomicI64,
    is_at_work: AtomicBool,
    telemetry: Telemetry,
}

/// The way to have the log tidied.
#[derive(Debug)]
pub(super) struct Tidying(Arc<Shared>);

impl Tidying {
    pub(super) fn new(
        volume: Arc<dyn Volume>,
        copy: Arc<Mutex<Copy>>,
        retention: Duration,
        telemetry: Telemetry,
    ) -> Self {
        let (newest, millis) = {
            let copy = lock(&copy);
            (AtomicU64::new(copy.newest_snapshot().0), AtomicI64::new(copy.snapshot_millis()))
        };
        let is_at_work = AtomicBool::new(false);
        Self(Arc::new(Shared { volume, copy, retention, newest, newest_millis: millis, is_at_work, telemetry }))
    }

    /// The newest snapshot that this instance knows of.
    pub(super) fn newest_snapshot(&self) -> u64 {
        self.0.newest.load(Ordering::Relaxed)
    }

    /// Since the commit group of that snapshot was made, by this host's clock; `None` without one.
    pub(super) fn snapshot_age(&self) -> Option<Duration> {
        let since_millis = clock::unix_micros() / 1_000 - self.0.newest_millis.load(Ordering::Relaxed);
        let age = Duration::from_millis(u64::try_from(since_millis).unwrap_or_default());
        (self.newest_snapshot() != Txid::NONE.0).then_some(age)
    }

    /// Writes the snapshot and removes what is too old, unless the last time is not over yet.
    pub(super) fn begin(&self, snapshot: Snapshot) {
        if self.0.is_at_work.swap(true, Ordering::AcqRel) {
            return;
        }
        let at_work = AtWork(Arc::clone(&self.0));
        let thread = std::thread::Builder::new().name("berth-snapshot".to_owned());
        // Without a thread there is no snapshot this time.
        drop(thread.spawn(move || at_work.0.tidy(snapshot)));
    }
}

/// Says that the work is over, however it ends.
struct AtWork(Arc<Shared>);

impl Drop for AtWork {
    fn drop(&mut self) {
        self.0.is_at_work.store(false, Ordering::Release);
    }
}

impl Shared {
    fn tidy(&self, snapshot: Snapshot) {
        let failure = match self.write(snapshot) {
            Ok(()) => return,
            Err(error @ (Error::Record(_) | Error::Diverged { .. })) => {
                // What the file has is not what the log says: no snapshot was made of it, and nobody shall read it.
                lock(&self.copy).break_off();
                error
            }
            Err(error) => error,
        };
        self.telemetry.record(&Event::StoreFailed { doing: "write a snapshot", cause: &failure.to_string() });
    }

    fn write(&self, snapshot: Snapshot) -> Result<(), Error> {
        let known = lock(&self.copy).newest_snapshot();
        let newest = retain::newest_snapshot(self.volume.as_ref())?;
        if newest > known {
            self.know(newest, retain::snapshot_millis(self.volume.as_ref(), newest)?);
            if !lock(&self.copy).snapshot_found(newest) {
                return Ok(());
            }
        }
        let size_bytes = snapshot.write(self.volume.as_ref())?;
        self.know(snapshot.txid(), snapshot.timestamp_millis());
        lock(&self.copy).snapshot_written(snapshot.txid(), size_bytes);
        // Its read transaction holds the WAL back.
        drop(snapshot);
        while retain::remove_old(self.volume.as_ref(), clock::unix_micros() / 1_000, self.retention)?.is_more {}
        Ok(())
    }

    fn know(&self, snapshot: Txid, millis: i64) {
        self.newest.store(snapshot.0, Ordering::Relaxed);
        self.newest_millis.store(millis, Ordering::Relaxed);
    }
}

fn lock<Inner>(mutex: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    // What a panic left is checked by checksums before it is built on.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
