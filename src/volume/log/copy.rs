//! An instance's working copy of the database: a file on local disk, and where in the log it stands.
//!
//! The copy is made anew at each start and thrown away at the end; a crash leaves nothing that anyone reads. It moves
//! on in two ways: by a commit of its own writer, once that is published, and by the records of others, which are
//! written page by page through the `sqlite_dbpage` table on a connection that does nothing else.
//!
//! All copies are equal to the byte, but for twelve bytes of page 1 that SQLite sets whenever it writes the page: its
//! change counters and its version. In the log they have one fixed value ([`unify_counters`]).
//!
//! Readers of the file never see it go back: a copy that must be made anew gets all pages of the newest state in one
//! transaction.
//!
//! Source: <https://www.sqlite.org/dbpage.html>, <https://www.sqlite.org/fileformat2.html#file_change_counter>.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use thiserror::Error as ThisError;

use super::change::{Change, Nonce, Position, Record, Txid};
use super::publish::{Attempt, Until, Verdict};
use super::tail::{self, Look, Tail};
use super::vfs::Written;
use crate::clock::{self, Deadline};
use crate::volume::{Refusal, Volume};

mod applier;
mod contents;
mod file;
mod pages;
mod snapshot;
#[cfg(test)]
mod tests;
mod whole;

use applier::Applier;
use contents::Contents;
pub(super) use file::NewFile;
pub use pages::each_page;
pub use snapshot::Snapshot;
pub use whole::WholeFile;

/// How long a commit waits to learn who has its slot.
const PATIENCE: Duration = Duration::from_secs(5);

/// Why the working copy does not move on.
#[derive(Debug, ThisError)]
pub enum Error {
    /// The log.
    #[error(transparent)]
    Log(#[from] super::Error),
    /// The local file, through SQLite.
    #[error("the working copy cannot be written")]
    Sqlite(#[from] rusqlite::Error),
    /// The local file.
    #[error("the working copy \"{path}\" cannot be made", path = path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
    /// A commit of this instance may or may not be in the log, and the volume does not tell.
    #[error("the outcome of an earlier commit is not known yet")]
    Unsettled,
    /// The log is of a database with pages of another size: an import was made while this instance ran on nothing.
    #[error("the log has pages of {found} bytes, the working copy of {expected}: start again")]
    PageSize {
        /// Of the log.
        found: u32,
        /// Of the copy.
        expected: u32,
    },
    /// What was in the log is gone: the volume was emptied or replaced. To go back with it would be to lose commits
    /// silently; whoever wants that starts the instance again.
    #[error("the log ends at {found} and had {expected}: its files were removed, or another volume is mounted")]
    Vanished {
        /// Where it ends.
        found: Txid,
        /// What this instance had of it.
        expected: Txid,
    },
    /// The log was restarted again and again while it was read.
    #[error("the log moved on faster than it could be read")]
    TooFast,
}

/// What became of the commit that SQLite asked about last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// There was none: nothing was written.
    None,
    /// It is in the log.
    Committed,
    /// Another instance has the slot: run the group again.
    Lost,
    /// It may come into the log, or not.
    Unknown,
    /// It is not in the log, since it cannot be a record: it is too large.
    TooLarge,
    /// It is not in the log, since the volume takes no file.
    Refused(Refusal),
}

/// The working copy.
pub struct Copy {
    volume: Arc<dyn Volume>,
    path: PathBuf,
    applier: Applier,
    contents: Contents,
    last: Last,
    /// An attempt whose outcome is not known.
    unsettled: Option<Attempt>,
    /// The local file does not have what `contents` says.
    is_broken: bool,
    /// The furthest that this instance was in the log.
    furthest: Txid,
    /// Whether it is this instance's turn to write a snapshot.
    is_turn: bool,
    stand: Arc<ArcSwap<Stand>>,
}

/// Where the copy that readers see stands.
#[derive(Debug, Clone, Copy)]
pub struct Stand {
    /// What it has, at least.
    pub position: Position,
    /// False while it must be made anew.
    pub is_whole: bool,
}

impl std::fmt::Debug for Copy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Copy")
            .field("path", &self.path)
            .field("position", &self.contents.position)
            .finish_non_exhaustive()
    }
}

impl Copy {
    /// Makes the file at `path` from the newest snapshot and the slots after it. An empty log makes no file.
    ///
    /// # Errors
    /// [`Error::Log`] when the log cannot be read, [`Error::File`] when the file cannot be written.
    pub fn start(volume: Arc<dyn Volume>, path: &Path) -> Result<Self, Error> {
        let mut file = NewFile::at(path);
        let contents = Contents::read(volume.as_ref(), &mut file)?;
        if let Some(shape) = contents.shape() {
            file.finish(shape).map_err(|source| Error::File { path: path.to_owned(), source })?;
        }
        let stand = Stand { position: contents.position, is_whole: true };
        Ok(Self {
            volume,
            path: path.to_owned(),
            applier: Applier::of(path),
            last: Last::None,
            unsettled: None,
            is_broken: false,
            furthest: contents.position.txid,
            is_turn: false,
            contents,
            stand: Arc::new(ArcSwap::from_pointee(stand)),
        })
    }

    /// Where the copy stands.
    #[must_use]
    pub fn position(&self) -> Position {
        self.contents.position
    }

    /// Where the copy stands that readers see, to be read without waiting for a commit.
    #[must_use]
    pub fn stand(&self) -> Arc<ArcSwap<Stand>> {
        Arc::clone(&self.stand)
    }

    /// Tells what readers now see. Never before they do: who is told of a commit must be able to read it.
    fn show(&mut self) {
        self.furthest = self.furthest.max(self.contents.position.txid);
        self.stand.store(Arc::new(Stand { position: self.contents.position, is_whole: true }));
    }

    /// True while the log has only a part of a database: see [`import`](super::import).
    #[must_use]
    pub fn is_marked(&self) -> bool {
        self.contents.is_marked
    }

    /// Brings the copy up to what the log has at a moment after the call; says how many records that were.
    ///
    /// No transaction may be open on the writer's connection.
    ///
    /// # Errors
    /// [`Error::Unsettled`] while the volume does not tell what became of the last commit; else whatever keeps the log
    /// from being read or the copy from being written: try again.
    pub fn catch_up(&mut self) -> Result<u64, Error> {
        self.settle()?;
        let mut applied = 0;
        while !self.is_broken {
            match look(self.volume.as_ref(), &self.contents.position) {
                Ok(Tail::End) => return Ok(applied),
                Ok(Tail::Next(batch)) => {
                    for record in &batch.records {
                        if !self.apply(record)? {
                            break;
                        }
                        applied += 1;
                    }
                    self.contents.growth.add(batch.records.len() as u64, batch.size_bytes);
                    if batch.is_end && !self.is_broken {
                        return Ok(applied);
                    }
                }
                Ok(Tail::Gap) | Err(super::Error::Diverged { .. }) => self.break_off(),
                Err(error) => return Err(error.into()),
            }
        }
        self.rebuild()?;
        Ok(applied + 1)
    }

    /// Finds out what became of an attempt, before anything else is done.
    fn settle(&mut self) -> Result<(), Error> {
        let Some(attempt) = self.unsettled.take() else { return Ok(()) };
        match attempt.settle(self.volume.as_ref(), &mut Until::new(Deadline::after(PATIENCE))) {
            // The record is read and applied like anyone's: SQLite rolled the change back here.
            Verdict::Committed(_) | Verdict::Lost => Ok(()),
            Verdict::Behind => {
                self.break_off();
                Ok(())
            }
            // An earlier put may still be on its way: so far nothing is certain.
            Verdict::Unknown(_) | Verdict::Refused(_) => {
                self.unsettled = Some(attempt);
                Err(Error::Unsettled)
            }
        }
    }

    /// Writes all pages of the newest state over those that are there, in one transaction.
    fn rebuild(&mut self) -> Result<(), Error> {
        let mut overwriting = self.applier.overwrite();
        let contents = Contents::read(self.volume.as_ref(), &mut overwriting)?;
        if contents.position.txid < self.furthest {
            return Err(Error::Vanished { found: contents.position.txid, expected: self.furthest });
        }
        match contents.shape() {
            Some(shape) => overwriting.finish(shape)?,
            None => drop(overwriting),
        }
        self.contents = contents;
        self.is_broken = false;
        self.show();
        Ok(())
    }

    /// Writes a record's pages through SQLite, so that readers see them all at once; false when they are not what the
    /// record says that they make of this copy.
    fn apply(&mut self, record: &Record) -> Result<bool, Error> {
        // Until it is known that all went well.
        self.is_broken = true;
        if !self.contents.add(record) {
            self.break_off();
            return Ok(false);
        }
        self.applier.apply(&record.change)?;
        self.is_broken = false;
        self.show();
        Ok(true)
    }

    /// Publishes what SQLite is about to commit; true when it may. For the VFS.
    pub fn publish(&mut self, written: Written) -> bool {
        self.last = match written {
            Written::Change(change) => self.attempt(change),
            Written::TooLarge => Last::TooLarge,
        };
        self.last == Last::Committed
    }

    fn attempt(&mut self, mut change: Change) -> Last {
        if let Some(first) = change.pages.get_mut(&1) {
            unify_counters(first);
        }
        let Ok(nonce) = Nonce::draw() else { return Last::Refused(Refusal::Failing) };
        let page_size = change.page_size;
        let delta = self.contents.sums.delta(&change);
        let timestamp_millis = clock::unix_micros() / 1_000;
        let base = self.contents.position;
        let Ok(attempt) = Attempt::new(&base, change, delta.checksum(), nonce, timestamp_millis) else {
            return Last::TooLarge;
        };
        match attempt.publish(self.volume.as_ref(), &mut Until::new(Deadline::after(PATIENCE))) {
            Verdict::Committed(position) => {
                self.contents.move_to(position, timestamp_millis, page_size, &delta);
                self.is_turn |= self.contents.growth.add(1, attempt.size_bytes());
                self.furthest = position.txid;
                Last::Committed
            }
            Verdict::Lost => Last::Lost,
            Verdict::Refused(refusal) => Last::Refused(refusal),
            Verdict::Behind => {
                self.break_off();
                Last::Unknown
            }
            Verdict::Unknown(_) => {
                self.unsettled = Some(attempt);
                Last::Unknown
            }
        }
    }

    /// Forgets the last commit's outcome; to be called before each transaction.
    pub fn begin(&mut self) {
        self.last = Last::None;
    }

    /// What became of the transaction's commit.
    #[must_use]
    pub fn last(&self) -> Last {
        self.last
    }

    /// SQLite has made the last commit visible to readers.
    pub fn committed(&mut self) {
        if self.last == Last::Committed && !self.is_broken {
            self.show();
        }
    }

    /// The file lacks what the log has, or has what the log lacks: it is made anew before anything else is done with it.
    pub fn break_off(&mut self) {
        self.is_broken = true;
        self.stand.store(Arc::new(Stand { is_whole: false, ..**self.stand.load() }));
    }

    /// Brings the WAL into the file when it has grown long.
    ///
    /// # Errors
    /// What SQLite says; nothing is lost.
    pub fn checkpoint(&mut self) -> Result<(), Error> {
        self.applier.bring_into_file(self.contents.page_size)
    }

    /// True, once, when it is this instance's turn to write a snapshot.
    pub fn take_turn(&mut self) -> bool {
        std::mem::take(&mut self.is_turn) && !self.is_broken
    }

    /// The whole database as it is now, to be written as a snapshot.
    ///
    /// No transaction may be open on the writer's connection.
    ///
    /// # Errors
    /// When the copy cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot, Error> {
        Snapshot::open(&self.path, &self.contents)
    }

    /// The newest snapshot that this instance knows of.
    #[must_use]
    pub fn newest_snapshot(&self) -> Txid {
        self.contents.growth.snapshot()
    }

    /// When the commit group of the snapshot was made that the copy began with, in milliseconds since 1970.
    #[must_use]
    pub fn snapshot_millis(&self) -> i64 {
        self.contents.snapshot_millis
    }

    /// Bytes of the commit groups after the newest snapshot, as far as they are known.
    #[must_use]
    pub fn log_bytes(&self) -> u64 {
        self.contents.growth.log_bytes()
    }

    /// Counts the log's growth from a snapshot that this instance wrote.
    pub fn snapshot_written(&mut self, snapshot: Txid, size_bytes: u64) {
        self.contents.growth.snapshot_written(snapshot, size_bytes, self.contents.position.txid);
    }

    /// Counts the log's growth from a snapshot that another instance wrote; true when one is due all the same.
    pub fn snapshot_found(&mut self, snapshot: Txid) -> bool {
        self.contents.growth.snapshot_found(snapshot, self.contents.position.txid);
        self.contents.growth.is_snapshot_due()
    }
}

/// Looks for what follows `position`, at a moment after the call.
///
/// # Errors
/// See [`tail::read_on`].
pub fn look(volume: &dyn Volume, position: &Position) -> Result<Tail, super::Error> {
    let look = Look::at(volume);
    tail::patiently(&mut Until::new(Deadline::after(PATIENCE)), || tail::read_on(volume, position, look))
}

/// Makes page 1 of a file that was no log's one that a log may have: in WAL mode, with its size, and as all copies have it.
///
/// Source: <https://www.sqlite.org/fileformat2.html#the_database_header>.
pub fn fit_first_page(first_page: &mut [u8], database_pages: u32) {
    const WRITE_AND_READ_VERSION: std::ops::Range<usize> = 18..20;
    const DATABASE_PAGES: std::ops::Range<usize> = 28..32;
    if let Some(versions) = first_page.get_mut(WRITE_AND_READ_VERSION) {
        versions.copy_from_slice(&[2, 2]);
    }
    if let Some(pages) = first_page.get_mut(DATABASE_PAGES) {
        pages.copy_from_slice(&database_pages.to_be_bytes());
    }
    unify_counters(first_page);
}

/// Sets what SQLite overwrites whenever it writes page 1. In WAL mode nobody reads it; the two counters must be equal,
/// else the size beside them would count for nothing.
fn unify_counters(first_page: &mut [u8]) {
    const CHANGE_COUNTER: std::ops::Range<usize> = 24..28;
    const VALID_FOR_AND_VERSION: std::ops::Range<usize> = 92..100;
    if let Some(counter) = first_page.get_mut(CHANGE_COUNTER) {
        counter.copy_from_slice(&[0, 0, 0, 1]);
    }
    if let Some(rest) = first_page.get_mut(VALID_FOR_AND_VERSION) {
        rest.copy_from_slice(&[0, 0, 0, 1, 0, 0, 0, 0]);
    }
}
