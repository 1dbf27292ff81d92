//! Where a commit becomes durable: in the database's own file, or in a log that several instances share.
//!
//! With a shared log, SQLite works on a local copy. Before a transaction the copy is brought up to date; at its commit
//! the VFS asks [`Copy::publish`], and SQLite commits or rolls back as the log says.

#[cfg(test)]
mod tests;

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use arc_swap::ArcSwap;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::files::Files;
use super::group::execute;
use super::tidying::Tidying;
use super::workplace::Workplace;
use crate::clock::Stopwatch;
use crate::store::Error;
use crate::telemetry::{Event, LogState, Publication, Telemetry};
use crate::volume::log::change::{Position, Txid};
use crate::volume::log::copy::{self, Copy, Last, Stand};
use crate::volume::log::tail::Tail;
use crate::volume::log::vfs::{Consent, Vfs};
use crate::volume::{Operation, Refusal, Volume};

/// After others committed, for how long a winner lets them go first.
const POLITE_FOR: Duration = Duration::from_secs(1);

/// Where commits go.
#[derive(Debug, Clone)]
pub(super) enum Journal {
    /// Into the file: SQLite's own WAL, synced at each commit.
    InPlace(Files),
    /// Into the shared log.
    Shared(Arc<SharedLog>),
}

/// What a `COMMIT` came to.
#[derive(Debug)]
pub(super) enum Ending {
    /// It is durable. With a shared log, at this position.
    Committed(Option<u64>),
    /// Another instance was faster: run it again.
    Raced,
    /// There is too much in it: run less at a time.
    TooLarge,
    /// For this reason.
    Failed(Error),
    /// SQLite's own error says why.
    Sqlite(rusqlite::Error),
}

impl Journal {
    /// Brings the copy up to date, or makes sure that the file is still there, before a transaction.
    ///
    /// # Errors
    /// What keeps it from being so.
    pub(super) fn begin(&self) -> Result<(), Error> {
        match self {
            Self::InPlace(files) => files.check(),
            Self::Shared(log) => log.begin(),
        }
    }

    /// Commits the open transaction.
    pub(super) fn commit(&self, transaction: &Connection) -> Ending {
        let committed = execute(transaction, "COMMIT");
        match self {
            Self::InPlace(_) => committed.map_or_else(Ending::Sqlite, |()| Ending::Committed(None)),
            Self::Shared(log) => log.ending(committed),
        }
    }

    /// Does what is to be done after a commit, once it is acknowledged.
    pub(super) fn tidy_up(&self) {
        if let Self::Shared(log) = self {
            log.tidy_up();
        }
    }
}

/// One instance's side of the shared log: its working copy, and the VFS that publishes.
#[derive(Debug)]
pub struct SharedLog {
    volume: Arc<dyn Volume>,
    copy: Arc<Mutex<Copy>>,
    stand: Arc<ArcSwap<Stand>>,
    vfs: Vfs,
    workplace: Workplace,
    /// When others' records were applied last.
    others: Mutex<Option<Stopwatch>>,
    tidying: Tidying,
    counts: Arc<Counts>,
    telemetry: Telemetry,
}

/// What the shared log must know.
#[derive(Debug, Clone)]
pub struct SharedLogSettings {
    /// Where working copies are made: local, and no one else's.
    pub local_dir: PathBuf,
    /// How far back any moment can be restored.
    pub retention: Duration,
    /// Most bytes of pages that a transaction writes.
    pub transaction_max_bytes: u64,
}

impl SharedLog {
    /// Makes the working copy from the log.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when the log cannot be read or the copy cannot be made.
    pub fn open(
        volume: Arc<dyn Volume>,
        settings: &SharedLogSettings,
        telemetry: Telemetry,
    ) -> Result<Arc<Self>, Error> {
        let workplace = Workplace::claim(&settings.local_dir).map_err(|error| {
            let directory = settings.local_dir.display();
            let what_to_do = "set LOCAL_DIR to a directory that can be written, with room for the database";
            Error::Unreachable(format!("working copies cannot be made in \"{directory}\": {error}; {what_to_do}"))
        })?;
        let copy = Copy::start(Arc::clone(&volume), &workplace.path().join(FILE)).map_err(unreachable)?;
        if copy.is_marked() {
            return Err(importing(copy.position().txid));
        }
        let copy = Arc::new(Mutex::new(copy));
        let vfs = Vfs::register().map_err(|error| Error::Internal(error.to_string()))?;
        let counts = Arc::<Counts>::default();
        counts.log_bytes.store(lock(&copy).log_bytes(), Ordering::Relaxed);
        let (publisher, told, counted) = (Arc::clone(&copy), telemetry.clone(), Arc::clone(&counts));
        let publish = Box::new(move |written| {
            let stopwatch = Stopwatch::start();
            let mut copy = lock(&publisher);
            let consent = if copy.publish(written) { Consent::Granted } else { Consent::Refused };
            let outcome = match copy.last() {
                Last::Committed => Publication::Won,
                Last::Lost => Publication::Lost,
                Last::TooLarge | Last::Refused(_) => Publication::Refused,
                Last::None | Last::Unknown => Publication::Unknown,
            };
            counted.published(outcome);
            counted.log_bytes.store(copy.log_bytes(), Ordering::Relaxed);
            told.record(&Event::Published { outcome, latency: stopwatch.elapsed() });
            consent
        });
        vfs.publish_with(settings.transaction_max_bytes, publish);
        let stand = lock(&copy).stand();
        let tidying = Tidying::new(Arc::clone(&volume), Arc::clone(&copy), settings.retention, telemetry.clone());
        let others = Mutex::new(None);
        Ok(Arc::new(Self { volume, copy, stand, vfs, workplace, others, tidying, counts, telemetry }))
    }

    /// The working copy's file.
    #[must_use]
    pub fn path(&self) -> PathBuf {
        self.workplace.path().join(FILE)
    }

    /// The newest commit group that the working copy has.
    #[must_use]
    pub fn txid(&self) -> Txid {
        self.stand.load().position.txid
    }

    /// What readers of the working copy see at least; `None` while it must be made anew.
    pub(super) fn position(&self) -> Option<Position> {
        let stand = self.stand.load();
        stand.is_whole.then_some(stand.position)
    }

    /// A connection whose commits are published.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn connect(&self) -> rusqlite::Result<Connection> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags_and_vfs(self.path(), flags, self.vfs.name())?;
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        // The applying connection does that: it syncs nothing.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        Ok(connection)
    }

    /// Runs `work`, which may commit several times, again and again until no other instance was faster.
    ///
    /// # Errors
    /// What `work` says, or why the log cannot be read.
    pub fn run<Answer, Failure: From<Error>>(
        &self,
        mut work: impl FnMut(&mut Connection) -> Result<Answer, Failure>,
    ) -> Result<Answer, Failure> {
        let mut connection = self.connect().map_err(|error| Error::Internal(error.to_string()))?;
        loop {
            self.begin()?;
            let done = work(&mut connection);
            let is_published = self.vfs.end();
            let mut copy = lock(&self.copy);
            if !is_published {
                copy.break_off();
                return Err(unpublished().into());
            }
            match (done, copy.last()) {
                (Ok(answer), _) => {
                    copy.committed();
                    return Ok(answer);
                }
                (Err(_), Last::Lost) => {}
                (Err(_), Last::Unknown) => return Err(Error::OutcomeUnknown.into()),
                (Err(_), Last::TooLarge) => return Err(too_large().into()),
                (Err(_), Last::Refused(refusal)) => return Err(refused(refusal).into()),
                (Err(failure), Last::None) => return Err(failure),
                (Err(failure), Last::Committed) => {
                    // Perhaps the commit itself failed in the copy, after it was published.
                    copy.break_off();
                    return Err(failure);
                }
            }
        }
    }

    /// Where this instance stands, and what it asked of the volume.
    #[must_use]
    pub(super) fn state(&self) -> LogState {
        let usage = self.volume.usage();
        let size =
            |end: &str| fs::metadata(self.workplace.path().join(format!("{FILE}{end}"))).map_or(0, |file| file.len());
        LogState {
            position: self.txid().0,
            snapshot_position: self.tidying.newest_snapshot(),
            snapshot_age: self.tidying.snapshot_age(),
            log_bytes: self.counts.log_bytes.load(Ordering::Relaxed),
            look_age: None,
            commits: self.counts.commits(),
            applied: self.counts.applied.load(Ordering::Relaxed),
            copy_bytes: size("").saturating_add(size("-wal")),
            operations: Operation::ALL.map(|operation| (operation.name(), usage.operations(operation))),
            bytes_read: usage.bytes_read(),
            bytes_put: usage.bytes_put(),
        }
    }

    fn begin(&self) -> Result<(), Error> {
        let mut copy = lock(&self.copy);
        let stopwatch = Stopwatch::start();
        let commit_groups = copy.catch_up().map_err(unreachable)?;
        if commit_groups > 0 {
            self.counts.applied.fetch_add(commit_groups, Ordering::Relaxed);
            self.telemetry.record(&Event::CaughtUp { commit_groups, latency: stopwatch.elapsed() });
            *lock(&self.others) = Some(Stopwatch::start());
        }
        self.counts.log_bytes.store(copy.log_bytes(), Ordering::Relaxed);
        if copy.is_marked() {
            return Err(importing(copy.position().txid));
        }
        copy.begin();
        self.vfs.begin();
        Ok(())
    }

    fn ending(&self, committed: rusqlite::Result<()>) -> Ending {
        let is_published = self.vfs.end();
        let mut copy = lock(&self.copy);
        let position = || Some(copy.position().txid.0);
        match (committed, copy.last()) {
            (Ok(()), Last::None | Last::Committed) if is_published => {
                let position = position();
                copy.committed();
                Ending::Committed(position)
            }
            (Ok(()), _) => {
                copy.break_off();
                Ending::Failed(unpublished())
            }
            (Err(_), Last::Committed) => {
                let position = position();
                copy.break_off();
                Ending::Committed(position)
            }
            // The log was not asked: in it is nothing, whatever became of the local file.
            (Err(error), Last::None) if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) => {
                Ending::Failed(Error::Unreachable(format!("the working copy cannot be written: {error}")))
            }
            (Err(error), Last::None) => Ending::Sqlite(error),
            (Err(_), Last::Lost) => Ending::Raced,
            (Err(_), Last::Unknown) => Ending::Failed(Error::OutcomeUnknown),
            (Err(_), Last::TooLarge) => Ending::TooLarge,
            (Err(_), Last::Refused(refusal)) => Ending::Failed(refused(refusal)),
        }
    }

    /// Brings the WAL into the file and the log into bounds.
    fn tidy_up(&self) {
        let mut copy = lock(&self.copy);
        if copy.last() != Last::Committed {
            return;
        }
        if let Err(error) = copy.checkpoint() {
            self.telemetry
                .record(&Event::StoreFailed { doing: "bring the WAL into the file", cause: &error.to_string() });
        }
        let snapshot = copy.take_turn().then(|| copy.snapshot());
        drop(copy);
        match snapshot {
            None => {}
            Some(Ok(snapshot)) => self.tidying.begin(snapshot),
            Some(Err(error)) => self
                .telemetry
                .record(&Event::StoreFailed { doing: "read the database for a snapshot", cause: &error.to_string() }),
        }
        self.give_way();
    }

    /// Who has won lets the others go first while there are any: the one that just lost knows the newest state as well
    /// as the winner does, but must run its group again.
    fn give_way(&self) {
        let recently = lock(&self.others).is_some_and(|since| since.elapsed() < POLITE_FOR);
        if recently {
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    /// True when the log has something that the working copy lacks.
    ///
    /// # Errors
    /// [`Error::Unreachable`] when the volume does not answer.
    pub(super) fn is_behind(&self) -> Result<bool, Error> {
        let stand = self.stand.load();
        if !stand.is_whole {
            return Ok(true);
        }
        match copy::look(self.volume.as_ref(), &stand.position) {
            Ok(Tail::End) => Ok(false),
            Ok(Tail::Next(_) | Tail::Gap) => Ok(true),
            // Whoever applies finds out why.
            Err(crate::volume::log::Error::Diverged { .. }) => Ok(true),
            Err(error) => Err(Error::Unreachable(error.to_string())),
        }
    }
}

/// What was put to the log and taken from it since the start.
#[derive(Debug, Default)]
struct Counts {
    /// Commits, by what came of them.
    commits: [AtomicU64; Publication::ALL.len()],
    /// Commit groups of others.
    applied: AtomicU64,
    /// Bytes of the log after its newest snapshot: kept here, since the copy may be waiting for the volume.
    log_bytes: AtomicU64,
}

impl Counts {
    fn published(&self, outcome: Publication) {
        if let Some(count) = self.commits.get(outcome as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    fn commits(&self) -> [(&'static str, u64); Publication::ALL.len()] {
        let count =
            |outcome: Publication| self.commits.get(outcome as usize).map_or(0, |count| count.load(Ordering::Relaxed));
        Publication::ALL.map(|outcome| (outcome.name(), count(outcome)))
    }
}

/// The working copy's name in its directory.
const FILE: &str = "copy.db";

/// A transaction that no log can take.
pub(super) fn too_large() -> Error {
    Error::Database {
        code: "54000".to_owned(),
        message: "the transaction is too large for the shared log".to_owned(),
        details: None,
        hint: Some("Write fewer rows at a time.".to_owned()),
    }
}

/// The volume took nothing, so nothing was written.
fn refused(refusal: Refusal) -> Error {
    let (code, message) = match refusal {
        Refusal::Full => ("53100", "could not extend the shared log: no space left on the volume"),
        Refusal::ReadOnly => ("25006", "cannot write: the volume is read-only"),
        Refusal::Failing => return Error::Unreachable("the volume takes no file".to_owned()),
    };
    Error::Database { code: code.to_owned(), message: message.to_owned(), details: None, hint: None }
}

/// SQLite did not ask before it committed: it was told not to sync.
fn unpublished() -> Error {
    Error::Internal("a commit was not put to the shared log".to_owned())
}

/// Nothing of the request was done.
fn unreachable(error: copy::Error) -> Error {
    Error::Unreachable(text_of(&error))
}

/// The log has only a part of a database.
fn importing(txid: Txid) -> Error {
    Error::Unreachable(format!(
        "an import into the log is under way at position {}, or was broken off there: wait for it, or go on with it \
         (berth import --resume)",
        txid.0
    ))
}

/// The error and its causes.
fn text_of(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text += &format!(": {error}");
        cause = error.source();
    }
    text
}

fn lock<Inner>(mutex: &Mutex<Inner>) -> MutexGuard<'_, Inner> {
    // What a panic left is checked by checksums before it is built on.
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
