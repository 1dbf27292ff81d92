//! An instance's working copy of the database: a file on local disk, and where in the log it stands.
//!
//! The copy is made anew at each start and thrown away at the end; a crash leaves nothing that anyone reads. It moves
//! on in two ways: by a commit of its own writer, once that is published, and by the records of others, which are
//! written page by page through the `sqlite_dbpage` table on a connection that does nothing else.
//!
//! All copies are equal to the byte, but for twelve bytes of page 1 that SQLite sets whenever it writes the page: its
//! change counters and its version. In the log they have one fixed value ([`unify_counters`]).
//!
//! Source: <https://www.sqlite.org/dbpage.html>, <https://www.sqlite.org/fileformat2.html#file_change_counter>.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use arc_swap::ArcSwap;
use thiserror::Error as ThisError;

use super::change::{Change, Nonce, Position, Record, Txid};
use super::import;
use super::ltx::Summary;
use super::publish::{Attempt, Until, Verdict};
use super::retain::Growth;
use super::sums::Sums;
use super::tail::{self, Look, Tail};
use crate::clock::{self, Deadline};
use crate::volume::Volume;

mod applier;
mod file;
mod snapshot;
#[cfg(test)]
mod tests;
mod whole;

use applier::Applier;
pub(super) use file::NewFile;
pub use snapshot::Snapshot;
pub use whole::WholeFile;

/// How long a commit waits to learn who has its slot.
const PATIENCE: Duration = Duration::from_secs(5);

/// How often a catch-up starts again from the volume before it gives up.
const REBUILDS_MAX: usize = 3;

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
    #[error("the outcome of the last commit is not known yet")]
    Unsettled,
    /// The log is of a database with pages of another size: an import was made while this instance ran on nothing.
    #[error("the log has pages of {found} bytes, the working copy of {expected}: start again")]
    PageSize {
        /// Of the log.
        found: u32,
        /// Of the copy.
        expected: u32,
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
    /// It cannot be a record: it is too large.
    Refused,
}

/// The working copy.
pub struct Copy {
    volume: Arc<dyn Volume>,
    path: PathBuf,
    applier: Applier,
    page_size: u32,
    sums: Sums,
    position: Position,
    /// When the commit group at the position was made, by its maker's clock.
    timestamp_millis: i64,
    look: Look,
    /// Slots on the volume, as far as this instance knows.
    slots: usize,
    growth: Growth,
    last: Last,
    /// An attempt whose outcome is not known.
    unsettled: Option<Attempt>,
    /// The local file does not have what the position says.
    is_broken: bool,
    /// What the copy began with.
    snapshot: Txid,
    /// Whether what it has is a part of a database that is being imported.
    is_marked: bool,
    stand: Arc<ArcSwap<Stand>>,
}

/// Where a copy stands, and how to look for more.
#[derive(Debug, Clone, Copy)]
pub struct Stand {
    /// What it has.
    pub position: Position,
    /// The cheaper way to look.
    pub look: Look,
}

impl std::fmt::Debug for Copy {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter
            .debug_struct("Copy")
            .field("path", &self.path)
            .field("position", &self.position)
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
        let start = tail::start(volume.as_ref(), &mut file)?;
        let look = Look::at(volume.as_ref(), start.slots);
        let mut copy = Self {
            volume,
            path: path.to_owned(),
            applier: Applier::of(path),
            page_size: 0,
            sums: Sums::default(),
            position: Position::START,
            timestamp_millis: 0,
            look,
            slots: start.slots,
            growth: Growth::since_snapshot(start.size_bytes()),
            last: Last::None,
            unsettled: None,
            is_broken: false,
            snapshot: start.position().txid,
            is_marked: false,
            stand: Arc::new(ArcSwap::from_pointee(Stand { position: Position::START, look })),
        };
        if let Some(snapshot) = start.snapshot {
            file.finish(snapshot.shape).map_err(|source| copy.file_fault(source))?;
            copy.began_with(snapshot);
        }
        loop {
            match tail::read_on(copy.volume.as_ref(), &copy.position, copy.look)? {
                Tail::End => return Ok(copy),
                Tail::Next(batch) => {
                    for record in &batch.records {
                        file.apply(&record.change).map_err(|source| copy.file_fault(source))?;
                        copy.moved_to(record)?;
                    }
                    copy.growth.add(batch.records.len() as u64, batch.size_bytes);
                    if batch.is_end {
                        return Ok(copy);
                    }
                }
                // Removed while it was read: there is a newer snapshot.
                Tail::Gap => {
                    let (volume, path) = (copy.volume, copy.path);
                    return Self::start(volume, &path);
                }
            }
        }
    }

    fn file_fault(&self, source: io::Error) -> Error {
        Error::File { path: self.path.clone(), source }
    }

    /// Takes note of a snapshot that the file now has.
    fn began_with(&mut self, snapshot: Summary) {
        self.page_size = snapshot.shape.page_size;
        self.position = snapshot.header.position();
        self.timestamp_millis = snapshot.header.timestamp_millis;
        // A snapshot has all pages, and so all of their sums.
        self.sums = snapshot.sums.unwrap_or_default();
        // What is being imported has no snapshot.
        self.is_marked = false;
        self.tell_stand();
    }

    /// Takes note of a record that the file now has.
    fn moved_to(&mut self, record: &Record) -> Result<(), Error> {
        let delta = self.sums.delta(&record.change);
        if delta.checksum() != record.header.after {
            self.is_broken = true;
            return Err(super::Error::Diverged { txid: record.header.last }.into());
        }
        self.sums.apply(&delta);
        if let Some(first_page) = record.change.pages.get(&1) {
            self.is_marked = import::is_marked(first_page);
        }
        self.page_size = record.change.page_size;
        self.position = record.header.position();
        self.timestamp_millis = record.header.timestamp_millis;
        self.tell_stand();
        Ok(())
    }

    /// Where the copy stands.
    #[must_use]
    pub fn position(&self) -> Position {
        self.position
    }

    /// Where the copy stands and how to look for more, to be read without waiting for a commit.
    #[must_use]
    pub fn stand(&self) -> Arc<ArcSwap<Stand>> {
        Arc::clone(&self.stand)
    }

    fn tell_stand(&mut self) {
        self.look = Look::at(self.volume.as_ref(), self.slots);
        self.stand.store(Arc::new(Stand { position: self.position, look: self.look }));
    }

    /// True while the log has only a part of a database: see [`import`].
    #[must_use]
    pub fn is_marked(&self) -> bool {
        self.is_marked
    }

    /// The snapshot that the copy began with; [`Txid::NONE`] when there was none.
    #[must_use]
    pub fn snapshot_txid(&self) -> Txid {
        self.snapshot
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
        let mut rebuilds = 0;
        loop {
            if self.is_broken {
                if rebuilds == REBUILDS_MAX {
                    return Err(Error::TooFast);
                }
                self.rebuild()?;
                rebuilds += 1;
                applied += 1;
            }
            match tail::read_on(self.volume.as_ref(), &self.position, self.look) {
                Ok(Tail::End) => return Ok(applied),
                Ok(Tail::Next(batch)) => {
                    for record in &batch.records {
                        self.apply(record)?;
                        applied += 1;
                    }
                    self.slots = self.slots.saturating_add(batch.records.len());
                    self.growth.add(batch.records.len() as u64, batch.size_bytes);
                    if batch.is_end {
                        return Ok(applied);
                    }
                }
                Ok(Tail::Gap) | Err(super::Error::Diverged { .. }) => self.is_broken = true,
                Err(error) => return Err(error.into()),
            }
        }
    }

    /// Finds out what became of an attempt, before anything else is done.
    fn settle(&mut self) -> Result<(), Error> {
        let Some(attempt) = self.unsettled.take() else { return Ok(()) };
        match attempt.settle(self.volume.as_ref(), &mut Until::new(Deadline::after(PATIENCE))) {
            // The record is read and applied like anyone's: SQLite rolled the change back here.
            Verdict::Committed(_) | Verdict::Lost => Ok(()),
            Verdict::Behind => {
                self.is_broken = true;
                Ok(())
            }
            Verdict::Unknown(_) => {
                self.unsettled = Some(attempt);
                Err(Error::Unsettled)
            }
        }
    }

    /// Writes all pages of the newest snapshot over those that are there.
    fn rebuild(&mut self) -> Result<(), Error> {
        let mut overwriting = self.applier.overwrite();
        let start = tail::start(self.volume.as_ref(), &mut overwriting)?;
        match &start.snapshot {
            Some(snapshot) => overwriting.finish(snapshot.shape)?,
            None => drop(overwriting),
        }
        self.slots = start.slots;
        self.growth = Growth::since_snapshot(start.size_bytes());
        self.sums = Sums::default();
        self.position = Position::START;
        self.is_broken = false;
        if let Some(snapshot) = start.snapshot {
            self.began_with(snapshot);
        }
        Ok(())
    }

    /// Writes a record's pages through SQLite, so that readers see them all at once.
    fn apply(&mut self, record: &Record) -> Result<(), Error> {
        // Until it is known that all went well.
        self.is_broken = true;
        self.applier.apply(&record.change)?;
        self.moved_to(record)?;
        self.is_broken = false;
        Ok(())
    }

    /// Publishes what SQLite is about to commit; true when it may. For the VFS.
    pub fn publish(&mut self, change: Change) -> bool {
        self.last = self.attempt(change);
        self.last == Last::Committed
    }

    fn attempt(&mut self, mut change: Change) -> Last {
        if let Some(first) = change.pages.get_mut(&1) {
            unify_counters(first);
        }
        let Ok(nonce) = Nonce::draw() else { return Last::Refused };
        let page_size = change.page_size;
        let delta = self.sums.delta(&change);
        let timestamp_millis = clock::unix_micros() / 1_000;
        let Ok(attempt) = Attempt::new(&self.position, change, delta.checksum(), nonce, timestamp_millis) else {
            return Last::Refused;
        };
        match attempt.publish(self.volume.as_ref(), &mut Until::new(Deadline::after(PATIENCE))) {
            Verdict::Committed(position) => {
                self.sums.apply(&delta);
                self.page_size = page_size;
                self.position = position;
                self.timestamp_millis = timestamp_millis;
                self.growth.add(1, attempt.size_bytes());
                self.slots = self.slots.saturating_add(1);
                self.tell_stand();
                Last::Committed
            }
            Verdict::Lost => Last::Lost,
            Verdict::Behind => {
                self.is_broken = true;
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

    /// SQLite failed after the commit was published: the file lacks what the log has.
    pub fn break_off(&mut self) {
        self.is_broken = true;
    }

    /// Brings the WAL into the file when it has grown long.
    ///
    /// # Errors
    /// What SQLite says; nothing is lost.
    pub fn checkpoint(&mut self) -> Result<(), Error> {
        self.applier.bring_into_file(self.page_size)
    }

    /// True when the log has grown so far that a snapshot is worth writing.
    #[must_use]
    pub fn is_snapshot_due(&self) -> bool {
        self.growth.is_snapshot_due() && !self.is_broken
    }

    /// The whole database as it is now, to be written as a snapshot.
    ///
    /// No transaction may be open on the writer's connection.
    ///
    /// # Errors
    /// When the copy cannot be read.
    pub fn snapshot(&self) -> Result<Snapshot, Error> {
        Snapshot::open(&self.path, self.position, self.timestamp_millis, self.page_size, self.sums.len())
    }

    /// Counts the log's growth from a snapshot of that many bytes on.
    pub fn snapshot_written(&mut self, size_bytes: u64) {
        self.growth = Growth::since_snapshot(size_bytes);
    }
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
