//! Gathers writes into groups.
//!
//! Senders who each wait for an answer before they send again fall into two flocks: while the commit of one is under way
//! the other one waits, so that everyone waits for two commits, and each commit has half of the requests that it could
//! have. So a group waits a little for those who were just answered: until as many are there as were waiting for an
//! answer at one time during the last commit, and at most for a part of what that commit took. Who is alone waits for
//! nobody.
//!
//! Requests also join while the database is brought up to date for the group, which on a bucket takes longer than that.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::Receiver;
use std::time::Duration;

use super::writer::{Job, Task};
use crate::clock::{Deadline, Stopwatch};
use crate::store::Error;

/// Most requests of one group. Beyond this the wait for the volume is a small part of each request's time, and a
/// group that must run again stays short.
pub(super) const GROUP_MAX: usize = 128;

/// The part of a commit's time that the next group waits for requests: what it costs when nobody comes.
const PATIENCE_SHARE: u32 = 4;

/// The longest wait, however slow the volume: senders who are further away than this do not come in time.
const PATIENCE_MAX: Duration = Duration::from_millis(25);

/// How many requests have no answer yet.
#[derive(Debug, Default)]
pub(super) struct Open {
    now: AtomicUsize,
    /// The most at one time since the last group ended.
    most: AtomicUsize,
}

impl Open {
    /// Since the last call.
    fn take_most(&self) -> usize {
        self.most.swap(self.now.load(Ordering::Relaxed), Ordering::Relaxed)
    }
}

/// One request that has no answer yet.
#[derive(Debug)]
pub(super) struct Counted(Arc<Open>);

impl Counted {
    pub(super) fn of(open: &Arc<Open>) -> Self {
        let now = open.now.fetch_add(1, Ordering::Relaxed) + 1;
        open.most.fetch_max(now, Ordering::Relaxed);
        Self(Arc::clone(open))
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        self.0.now.fetch_sub(1, Ordering::Relaxed);
    }
}

/// Takes requests out of the writer's queue.
pub(super) struct Gathering<'a> {
    tasks: &'a Receiver<Task>,
    open: &'a Open,
    catch_up: &'a dyn Fn() -> Result<(), Error>,
    /// How many requests the group is likely to get.
    expected: usize,
    /// How long it waits for them.
    patience: Duration,
    /// Since the group was complete.
    complete: Stopwatch,
    requests: usize,
}

impl<'a> Gathering<'a> {
    pub(super) fn new(tasks: &'a Receiver<Task>, open: &'a Open, catch_up: &'a dyn Fn() -> Result<(), Error>) -> Self {
        let (patience, complete) = (Duration::ZERO, Stopwatch::start());
        Self { tasks, open, catch_up, expected: 0, patience, complete, requests: 0 }
    }

    /// Waits for a task, and takes those that wait with it: a group, which may be empty. `None` when nobody can send any
    /// more.
    pub(super) fn begin(&mut self) -> Option<Vec<Job>> {
        let mut group = Vec::new();
        let mut next = self.tasks.recv().ok();
        next.as_ref()?;
        while let Some(task) = next {
            // Whoever asked has been told why it failed.
            let _ = self.take(task, &mut group);
            next = if group.len() < GROUP_MAX { self.tasks.try_recv().ok() } else { None };
        }
        self.complete_with(&group);
        Some(group)
    }

    /// Adds to a group, whose transaction has not begun, those who came meanwhile and those who are likely to come.
    ///
    /// # Errors
    /// Why the database could not be brought up to date for another thread that asked for it: the group must not run.
    pub(super) fn fill(&mut self, group: &mut Vec<Job>) -> Result<(), Error> {
        // Once for each group, however often it runs.
        let deadline = Deadline::after(std::mem::take(&mut self.patience));
        while group.len() < GROUP_MAX {
            let task = match self.tasks.try_recv() {
                Err(_) if group.len() < self.expected => self.tasks.recv_timeout(deadline.remaining()).ok(),
                waiting => waiting.ok(),
            };
            let Some(task) = task else { break };
            self.take(task, group)?;
        }
        self.complete_with(group);
        Ok(())
    }

    /// The group is answered; says how many requests it had.
    pub(super) fn end(&mut self) -> usize {
        self.patience = (self.complete.elapsed() / PATIENCE_SHARE).min(PATIENCE_MAX);
        self.expected = self.open.take_most();
        self.requests
    }

    /// Takes note of a group that gets no more requests.
    fn complete_with(&mut self, group: &[Job]) {
        self.requests = group.len();
        self.complete = Stopwatch::start();
    }

    fn take(&self, task: Task, group: &mut Vec<Job>) -> Result<(), Error> {
        match task {
            Task::Write(job) => group.push(*job),
            Task::CatchUp(reply) => {
                let answer = (self.catch_up)();
                // Who asked may be gone.
                drop(reply.send(answer.clone()));
                answer?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::{SyncSender, sync_channel};
    use std::thread;

    use super::*;
    use crate::store::sqlite::writer::tests::job;

    fn send(queue: &SyncSender<Task>, open: &Arc<Open>) {
        let (job, _) = job(open);
        queue.send(Task::Write(Box::new(job))).unwrap();
    }

    fn take(gathering: &mut Gathering<'_>) -> usize {
        let mut group = gathering.begin().unwrap();
        gathering.fill(&mut group).unwrap();
        group.len()
    }

    #[test]
    fn a_group_waits_for_those_who_were_answered_and_come_back() {
        // A channel without room: the second is sent when the first was taken.
        let (queue, tasks) = sync_channel(0);
        let open = Arc::<Open>::default();
        let catch_up = || Ok(());
        let mut gathering = Gathering::new(&tasks, &open, &catch_up);
        gathering.expected = 3;
        // However long a loaded machine takes for it.
        gathering.patience = Duration::from_secs(600);
        thread::scope(|threads| {
            threads.spawn(|| (0..3).for_each(|_| send(&queue, &open)));
            assert_eq!(take(&mut gathering), 3);
        });
    }

    #[test]
    fn who_does_not_come_back_is_waited_for_once_and_not_long() {
        let (queue, tasks) = sync_channel(GROUP_MAX);
        let open = Arc::<Open>::default();
        let catch_up = || Ok(());
        let mut gathering = Gathering::new(&tasks, &open, &catch_up);
        (0..3).for_each(|_| send(&queue, &open));
        assert_eq!(gathering.patience, Duration::ZERO, "nothing is known of the first");
        assert_eq!(take(&mut gathering), 3);
        gathering.end();
        assert!(gathering.patience <= PATIENCE_MAX);
        send(&queue, &open);
        assert_eq!((take(&mut gathering), gathering.expected), (1, 3));
        gathering.end();
        assert_eq!(gathering.expected, 1, "only one was waiting");
    }

    #[test]
    fn a_group_does_not_run_on_what_could_not_be_brought_up_to_date() {
        let (queue, tasks) = sync_channel(GROUP_MAX);
        let open = Arc::<Open>::default();
        let catch_up = || Err(Error::OutcomeUnknown);
        let mut gathering = Gathering::new(&tasks, &open, &catch_up);
        send(&queue, &open);
        let mut group = gathering.begin().unwrap();
        let (reply, answer) = sync_channel(1);
        queue.send(Task::CatchUp(reply)).unwrap();
        assert!(gathering.fill(&mut group).is_err());
        assert!(answer.recv().unwrap().is_err(), "who asked is told as well");
        let (reply, answer) = sync_channel(1);
        queue.send(Task::CatchUp(reply)).unwrap();
        assert!(gathering.begin().unwrap().is_empty());
        assert!(answer.recv().unwrap().is_err());
    }
}
