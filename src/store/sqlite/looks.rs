//! Fresh reads of a shared log: a read begins only after a look at the log's end that began after the read came.
//!
//! Reads that come while a look is under way share the next one, so there is at most one look at a time, however many
//! reads there are; without reads there is none, and an idle instance does not touch the volume.

use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::sync::oneshot;

use super::journal::SharedLog;
use super::writer::CatchUp;
use crate::clock::{Deadline, Stopwatch, within};
use crate::store::Error;

/// Reads that wait for one look. While the volume does not answer, those whose time is over are counted until there are
/// so many.
const WAITING_MAX: usize = 16_384;

/// Who waits for a look, and when the last good one began.
#[derive(Debug, Default)]
struct State {
    waiting: Vec<oneshot::Sender<Result<(), Error>>>,
    last: Option<Stopwatch>,
    is_over: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

impl State {
    /// One more who waits.
    fn wait(&mut self) -> Result<oneshot::Receiver<Result<(), Error>>, Error> {
        if self.waiting.len() >= WAITING_MAX {
            self.waiting.retain(|reply| !reply.is_closed());
        }
        if self.waiting.len() >= WAITING_MAX {
            return Err(Error::QueueFull);
        }
        let (reply, answer) = oneshot::channel();
        self.waiting.push(reply);
        Ok(answer)
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        // Nothing that could panic runs under it.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How fresh a read must be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Freshness {
    /// As `READ_STALENESS` allows.
    AsConfigured,
    /// As of now.
    Now,
}

/// The thread that looks.
#[derive(Debug)]
pub(super) struct Looks {
    shared: Arc<Shared>,
    staleness: Duration,
    thread: Option<JoinHandle<()>>,
}

impl Looks {
    /// Starts the thread. `staleness`: how old the newest look may be that a read begins after.
    ///
    /// # Errors
    /// [`Error::Internal`] when the system has no thread to give.
    pub(super) fn start(log: Arc<SharedLog>, catch_up: CatchUp, staleness: Duration) -> Result<Self, Error> {
        let shared = Arc::new(Shared::default());
        let theirs = Arc::clone(&shared);
        let thread = std::thread::Builder::new().name("berth-tail".to_owned());
        let thread = thread
            .spawn(move || serve(&theirs, || look(&log, &catch_up)))
            .map_err(|error| Error::Internal(format!("cannot start the thread that looks: {error}")))?;
        Ok(Self { shared, staleness, thread: Some(thread) })
    }

    /// Returns once the working copy has what was in the log when this was called, or as long before as `freshness`
    /// allows.
    ///
    /// # Errors
    /// [`Error::Timeout`] at the deadline, [`Error::QueueFull`] when too many wait, or why the log cannot be read.
    pub(super) async fn fresh(&self, deadline: Deadline, freshness: Freshness) -> Result<(), Error> {
        let answer = {
            let mut state = self.shared.state();
            let is_fresh =
                freshness == Freshness::AsConfigured && state.last.is_some_and(|last| last.elapsed() < self.staleness);
            if is_fresh {
                return Ok(());
            }
            state.wait()?
        };
        self.shared.changed.notify_one();
        let ended = || Error::Internal("the thread that looks ended".to_owned());
        match within(deadline, answer).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(ended())),
            Err(_) => Err(Error::Timeout),
        }
    }
}

impl Looks {
    /// Since the last look that found the copy current or made it so; `None` before the first.
    pub(super) fn age(&self) -> Option<Duration> {
        self.shared.state().last.map(Stopwatch::elapsed)
    }
}

impl Drop for Looks {
    fn drop(&mut self) {
        self.shared.state().is_over = true;
        self.shared.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}

fn look(log: &SharedLog, catch_up: &CatchUp) -> Result<(), Error> {
    if log.is_behind()? { catch_up.run() } else { Ok(()) }
}

/// One look for all who wait, again and again.
fn serve(shared: &Shared, look: impl Fn() -> Result<(), Error>) {
    loop {
        let waiting = {
            let mut state = shared.state();
            while state.waiting.is_empty() && !state.is_over {
                state = shared.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
            }
            if state.is_over {
                return;
            }
            std::mem::take(&mut state.waiting)
        };
        let began = Stopwatch::start();
        let answer = look();
        if answer.is_ok() {
            shared.state().last = Some(began);
        }
        for reply in waiting {
            // Who gave up is gone.
            drop(reply.send(answer.clone()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn those_whose_time_is_over_make_room_and_those_who_wait_do_not() {
        let mut state = State::default();
        for _ in 0..WAITING_MAX {
            drop(state.wait().unwrap());
        }
        let waiting: Vec<_> = (0..WAITING_MAX).map(|_| state.wait().unwrap()).collect();
        assert!(matches!(state.wait(), Err(Error::QueueFull)));
        drop(waiting);
        assert!(state.wait().is_ok());
    }

    #[test]
    fn who_comes_during_a_look_is_served_by_the_next_one() {
        let shared = Shared::default();
        let mut first = shared.state().wait().unwrap();
        let second = std::cell::RefCell::new(None);
        serve(&shared, || {
            let mut late = second.borrow_mut();
            match late.as_mut() {
                None => *late = Some(shared.state().wait().unwrap()),
                Some(late) => {
                    assert!(late.is_empty(), "it was answered by a look that began before it came");
                    shared.state().is_over = true;
                }
            }
            Ok(())
        });
        assert!(first.try_recv().unwrap().is_ok());
        assert!(second.take().unwrap().try_recv().unwrap().is_ok());
    }
}
