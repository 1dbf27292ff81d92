//! The writer: one thread, one connection, one commit for all writes that wait.
//!
//! 1. The thread takes every waiting request, up to a bound: a group (`gathering`).
//! 2. `BEGIN IMMEDIATE`; each request runs in a savepoint of its own. One that fails is rolled back to it.
//! 3. `COMMIT`: one wait for the volume for the whole group. Then each request gets its answer.
//!
//! | what goes wrong | state | what is done |
//! |---|---|---|
//! | a request fails | rolled back to its savepoint | it gets its error, the others go on |
//! | SQLite gives up the whole transaction (deadline, volume full, `RAISE(ROLLBACK)`) | nothing of the group is left | the one that did it gets its error, the others run again |
//! | `COMMIT` finds a deferred foreign key violated | nothing is committed | each runs again in a group of its own, so that only the guilty fail |
//! | `COMMIT` fails otherwise | nothing is visible | all get the error; after an I/O error it is not known what the volume holds |
//! | the process dies | before `COMMIT` returned: nothing or all of the group | nobody was told of a success |

use std::cell::RefCell;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::sync::mpsc::{SyncSender, TrySendError, sync_channel};
use std::thread::JoinHandle;
use std::time::Duration;

use arc_swap::ArcSwap;
use rusqlite::Connection;
use tokio::sync::oneshot;

use super::gathering::{Counted, Gathering, Open};
use super::group::Group;
use super::journal::Journal;
use crate::catalog::Catalog;
use crate::clock::{Deadline, Stopwatch, within};
use crate::sql::Statement;
use crate::store::{Error, Outcome, Transaction};
use crate::telemetry::{Event, Telemetry};

/// How long a request that is being run when its deadline comes is waited for: the rest of its group and the commit.
/// After that nobody can say whether it was done.
const COMMIT_GRACE: Duration = Duration::from_secs(10);

/// Who decides what becomes of a request: the writer that it is run, or its sender that it shall not be. The first
/// to say so.
#[derive(Debug, Clone, Default)]
struct Claim(Arc<AtomicU8>);

impl Claim {
    const OPEN: u8 = 0;
    const RUN: u8 = 1;
    const GIVEN_UP: u8 = 2;

    fn run(&self) -> bool {
        self.decide(Self::RUN)
    }

    fn give_up(&self) -> bool {
        self.decide(Self::GIVEN_UP)
    }

    fn decide(&self, wanted: u8) -> bool {
        match self.0.compare_exchange(Self::OPEN, wanted, Ordering::AcqRel, Ordering::Acquire) {
            Ok(_) => true,
            Err(decided) => decided == wanted,
        }
    }
}

/// What a request wants done.
#[derive(Debug)]
pub(super) enum Order {
    /// One statement.
    Statement(Box<Statement>),
    /// Several, each decided when those before it have run. Only the writer's thread looks into it.
    Transaction(RefCell<Transaction>),
}

/// A request in the queue.
#[derive(Debug)]
pub(super) struct Job {
    /// What to run.
    pub(super) order: Order,
    /// When to give it up.
    pub(super) deadline: Deadline,
    claim: Claim,
    /// Until it is answered or given up.
    counted: Counted,
    reply: oneshot::Sender<Result<Outcome, Error>>,
}

impl Job {
    /// True when it may be run: nobody gave it up, and somebody waits for its answer.
    pub(super) fn claim(&self) -> bool {
        !self.reply.is_closed() && self.claim.run()
    }

    /// Answers. A sender that is gone is no fault of anyone's.
    pub(super) fn answer(self, answer: Result<Outcome, Error>) {
        // First, so that a sender who comes back at once is not counted twice.
        drop(self.counted);
        drop(self.reply.send(answer));
    }
}

/// What the writer's thread is asked for.
#[derive(Debug)]
pub(super) enum Task {
    /// Run a write, in a group with others.
    Write(Box<Job>),
    /// Bring the database up to what other instances have committed, and say so.
    CatchUp(SyncSender<Result<(), Error>>),
}

/// A way to have the database brought up to date, for another thread than the writer's.
#[derive(Debug, Clone)]
pub(super) struct CatchUp {
    queue: SyncSender<Task>,
}

impl CatchUp {
    /// Waits until the database has what other instances had committed at the moment of the call.
    ///
    /// # Errors
    /// What kept it from being so.
    pub(super) fn run(&self) -> Result<(), Error> {
        let (reply, answer) = sync_channel(1);
        self.queue.send(Task::CatchUp(reply)).map_err(|_| ended())?;
        answer.recv().unwrap_or_else(|_| Err(ended()))
    }
}

/// The way to the writer's thread.
#[derive(Debug)]
pub(super) struct Writer {
    /// `None` while it is dropped.
    queue: Option<SyncSender<Task>>,
    open: Arc<Open>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    /// Starts the thread on its connection. At most `queue_limit` requests wait.
    pub(super) fn start(
        connection: Connection,
        journal: Journal,
        catalog: Arc<ArcSwap<Catalog>>,
        queue_limit: usize,
        body_max_bytes: usize,
        telemetry: Telemetry,
    ) -> Result<Self, Error> {
        let (queue, jobs) = sync_channel(queue_limit.max(1));
        let group = Group::new(connection, journal, catalog, body_max_bytes)?;
        let open = Arc::<Open>::default();
        let theirs = Arc::clone(&open);
        let thread = std::thread::Builder::new().name("berth-writer".to_owned());
        let thread = thread
            .spawn(move || {
                let catch_up = || group.catch_up();
                let gathering = Gathering::new(&jobs, &theirs, &catch_up);
                serve(gathering, &telemetry, |jobs, gathering| group.commit(jobs, gathering), || group.is_idle());
                group.close();
            })
            .map_err(|error| Error::Internal(format!("cannot start the writer: {error}")))?;
        Ok(Self { queue: Some(queue), open, thread: Some(thread) })
    }

    /// A way to have the database brought up to date. The thread ends only when all of them are gone.
    pub(super) fn catch_up(&self) -> Option<CatchUp> {
        self.queue.clone().map(|queue| CatchUp { queue })
    }

    /// Whether writes are taken.
    pub(super) fn is_alive(&self) -> bool {
        self.thread.as_ref().is_some_and(|thread| !thread.is_finished())
    }

    /// Puts an order into the queue and waits for its answer.
    ///
    /// # Errors
    /// [`Error::QueueFull`] at once; [`Error::Timeout`]: it was not done; [`Error::OutcomeUnknown`]: it may have
    /// been; [`Error::Internal`] when the thread has ended; else what it came to.
    pub(super) async fn run(&self, order: Order, deadline: Deadline) -> Result<Outcome, Error> {
        let (reply, mut answer) = oneshot::channel();
        let claim = Claim::default();
        let job = Job { order, deadline, claim: claim.clone(), counted: Counted::of(&self.open), reply };
        let Some(queue) = &self.queue else { return Err(ended()) };
        queue.try_send(Task::Write(Box::new(job))).map_err(|error| match error {
            TrySendError::Full(_) => Error::QueueFull,
            TrySendError::Disconnected(_) => ended(),
        })?;
        match within(deadline, &mut answer).await {
            Ok(answer) => answer.unwrap_or_else(|_| Err(ended())),
            Err(_) if claim.give_up() => Err(Error::Timeout),
            Err(_) => match within(Deadline::after(COMMIT_GRACE), answer).await {
                Ok(answer) => answer.unwrap_or_else(|_| Err(ended())),
                Err(_) => Err(Error::OutcomeUnknown),
            },
        }
    }
}

impl Drop for Writer {
    /// Lets the queue run empty, then closes the connection.
    fn drop(&mut self) {
        self.queue = None;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has nothing left to close.
            drop(thread.join());
        }
    }
}

fn ended() -> Error {
    Error::Internal("the writer ended before it answered".to_owned())
}

/// Takes groups from the queue until nobody can send any more, or until a panic leaves the connection unusable.
///
/// A panic is the end of its group only: the senders learn of it when their replies are dropped, and what was begun
/// is rolled back while the stack unwinds.
fn serve(
    mut gathering: Gathering<'_>,
    telemetry: &Telemetry,
    commit: impl Fn(Vec<Job>, &mut Gathering<'_>),
    is_idle: impl Fn() -> bool,
) {
    while let Some(group) = gathering.begin() {
        if group.is_empty() {
            continue;
        }
        let stopwatch = Stopwatch::start();
        let ended = catch_unwind(AssertUnwindSafe(|| commit(group, &mut gathering)));
        let requests = gathering.end();
        if ended.is_ok() {
            telemetry.record(&Event::GroupCommitted { requests, latency: stopwatch.elapsed() });
            continue;
        }
        telemetry.record(&Event::StoreFailed { doing: "run a group of writes", cause: "the writer panicked" });
        if !is_idle() {
            return;
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use std::cell::Cell;

    use super::*;
    use crate::plan::Expectation;
    use crate::plan::authorize::Session;
    use crate::sql::Work;
    use crate::store::sqlite::gathering::GROUP_MAX;

    /// A write, and where its answer comes.
    pub(in crate::store::sqlite) fn job(open: &Arc<Open>) -> (Job, oneshot::Receiver<Result<Outcome, Error>>) {
        let (reply, answer) = oneshot::channel();
        let session = Arc::new(Session::default());
        let statement = Statement {
            work: Work::None,
            session,
            expect: Expectation::default(),
            reach: crate::plan::Reach::Everything,
            catalog_version: 0,
            once: None,
            known_states: Vec::new(),
            precondition: None,
        };
        let deadline = Deadline::after(Duration::from_secs(60));
        let order = Order::Statement(Box::new(statement));
        let counted = Counted::of(open);
        (Job { order, deadline, claim: Claim::default(), counted, reply }, answer)
    }

    fn answer_all(group: Vec<Job>) {
        group.into_iter().for_each(|job| job.answer(Ok(Outcome::default())));
    }

    #[test]
    fn a_group_takes_all_that_wait_up_to_its_bound() {
        let (queue, jobs) = sync_channel(GROUP_MAX + 10);
        let _answers: Vec<_> = (0..GROUP_MAX + 1)
            .map(|_| {
                let (job, answer) = job(&Arc::default());
                queue.try_send(Task::Write(Box::new(job))).unwrap();
                answer
            })
            .collect();
        drop(queue);
        let sizes = Cell::new(Vec::new());
        let commit = |mut group: Vec<Job>, gathering: &mut Gathering<'_>| {
            gathering.fill(&mut group).unwrap();
            let mut seen = sizes.take();
            seen.push(group.len());
            sizes.set(seen);
        };
        let (open, catch_up) = (Open::default(), || Ok(()));
        serve(Gathering::new(&jobs, &open, &catch_up), &Telemetry::silent().unwrap(), commit, || true);
        assert_eq!(sizes.take(), [GROUP_MAX, 1]);
    }

    #[test]
    fn a_panic_ends_its_group_but_not_the_writer() {
        let (queue, jobs) = sync_channel(GROUP_MAX + 1);
        let mut answers: Vec<_> = (0..GROUP_MAX + 1)
            .map(|_| {
                let (job, answer) = job(&Arc::default());
                queue.try_send(Task::Write(Box::new(job))).unwrap();
                answer
            })
            .collect();
        drop(queue);
        let groups = Cell::new(0);
        let commit = |group: Vec<Job>, _: &mut Gathering<'_>| {
            groups.set(groups.get() + 1);
            assert!(groups.get() > 1, "the first group panics");
            answer_all(group);
        };
        let (open, catch_up) = (Open::default(), || Ok(()));
        serve(Gathering::new(&jobs, &open, &catch_up), &Telemetry::silent().unwrap(), commit, || true);
        assert!(answers[0].try_recv().is_err());
        assert!(answers[GROUP_MAX].try_recv().unwrap().is_ok());
    }

    #[test]
    fn who_decides_first_decides() {
        let (given_up, _answer) = job(&Arc::default());
        assert!(given_up.claim.give_up());
        assert!(!given_up.claim());
        let (run, _answer) = job(&Arc::default());
        assert!(run.claim());
        assert!(run.claim(), "a group that runs again runs the same jobs");
        assert!(!run.claim.give_up());
    }

    #[test]
    fn a_job_that_nobody_waits_for_is_not_run() {
        let (job, answer) = job(&Arc::default());
        drop(answer);
        assert!(!job.claim());
    }
}
