//! Rebuilds the database as it was at a moment that the log still has.
//!
//! From the newest snapshot that is not past the moment, then slot by slot up to it; where the log has no such snapshot
//! it must begin with slot 1. Every file's checksum, the chain of nonces and the checksum of the whole database after
//! each slot are held, by the same rules as a start ([`tail`](super::tail)).
//!
//! What a moment means: the database just before the first commit group that was made after it, by its maker's clock,
//! counted on from the newest snapshot that was made up to then. So nothing that was made later is ever in it, even
//! where the clocks of instances differ.

use std::path::{Path, PathBuf};
use std::{fmt, io};

use jiff::Timestamp;
use thiserror::Error as ThisError;

use super::change::{Header, Position, Record, Shape, Txid};
use super::copy::NewFile;
use super::sums::Sums;
use super::tail::{self, Look, Tail};
use super::{
    Error as LogError, Found, Pages, first_slot_name, import, list, newest_slot_name, read_header, read_snapshot, slot,
};
use crate::volume::Volume;

mod survey;
#[cfg(test)]
mod tests;

pub use survey::{Survey, oldest, survey};

/// How often it begins again because what it reads is removed meanwhile.
const TRIES: usize = 4;

/// Which state is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Target {
    /// The newest.
    Newest,
    /// After this commit group.
    Position(Txid),
    /// As of this moment.
    Moment(Moment),
}

impl Target {
    /// Whether it lies before what the log leads to.
    fn is_before(self, oldest: Stamp) -> bool {
        match self {
            Self::Newest => false,
            Self::Position(wanted) => wanted < oldest.txid,
            Self::Moment(wanted) => wanted < oldest.moment,
        }
    }
}

/// Milliseconds since 1970; shown and read as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(pub i64);

impl Moment {
    /// Reads RFC 3339, e.g. `2026-01-31T10:00:00Z` or `2026-01-31 12:00:00.5+02:00`.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        text.parse().ok().map(|moment: Timestamp| Self(moment.as_millisecond()))
    }
}

impl fmt::Display for Moment {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match Timestamp::from_millisecond(self.0) {
            Ok(moment) => write!(formatter, "{moment}"),
            Err(_) => write!(formatter, "{} ms after 1970", self.0),
        }
    }
}

/// A commit group and when it was made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp {
    /// Which one.
    pub txid: Txid,
    /// By its maker's clock.
    pub moment: Moment,
}

impl Stamp {
    fn of(header: &Header) -> Self {
        Self { txid: header.last, moment: Moment(header.timestamp_millis) }
    }
}

impl fmt::Display for Stamp {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "position {} ({})", self.txid.0, self.moment)
    }
}

/// Why nothing was restored.
#[derive(Debug, ThisError)]
pub enum Error {
    /// Nothing was ever committed.
    #[error("the log is empty: there is nothing to restore")]
    Empty,
    /// What was is no longer kept.
    #[error("that is older than what is kept: the oldest that can be restored is {oldest}")]
    TooOld {
        /// The first state that the log leads to.
        oldest: Stamp,
    },
    /// It has not been reached.
    #[error("the log does not go that far: it ends at {newest}")]
    NotYet {
        /// The last state.
        newest: Stamp,
    },
    /// A slot's file is not whole.
    #[error(
        "the file of position {} is torn; what is before it can be restored with --at {}",
        txid.0,
        txid.0.saturating_sub(1)
    )]
    Torn {
        /// Which slot.
        txid: Txid,
    },
    /// It has only a part of a database that is being imported.
    #[error("position {} is in the middle of an import, which must be gone on with: berth import --resume", txid.0)]
    Importing {
        /// Which slot.
        txid: Txid,
    },
    /// The log's own checksums say that something is wrong.
    #[error(transparent)]
    Log(#[from] LogError),
    /// What is read was removed again and again.
    #[error("the log moved on faster than it could be read")]
    TooFast,
    /// The file cannot be made.
    #[error("the file \"{path}\" cannot be written", path = path.display())]
    File {
        /// Where.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
}

/// What was restored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Restored {
    /// The state that the file has.
    pub stamp: Stamp,
    /// The same, as whoever builds on it must know it.
    pub position: Position,
    /// The snapshot that it began with; [`Txid::NONE`] when there was none.
    pub snapshot: Txid,
    /// How large the database is.
    pub shape: Shape,
}

/// How far it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Progress {
    /// So many bytes of the snapshot's pages are written.
    Snapshot {
        /// Bytes.
        bytes: u64,
    },
    /// The file has this commit group; the log ends, as far as it is known, at `newest`.
    Slot {
        /// What the file has.
        txid: Txid,
        /// What the log has.
        newest: Txid,
    },
}

/// Makes the file at `path`, which is emptied if it is there, and says through `tell` how far it is.
///
/// It holds eight bytes in memory for each page of the database, and some megabytes. What is in the file when this fails
/// is nothing.
///
/// # Errors
/// [`Error`].
pub fn restore(
    volume: &dyn Volume,
    target: Target,
    path: &Path,
    tell: &mut dyn FnMut(Progress),
) -> Result<Restored, Error> {
    for _ in 0..TRIES {
        let mut building = Building::begin(volume, target, path, tell)?;
        if let Some(restored) = building.go_on()? {
            building.sync()?;
            return Ok(restored);
        }
    }
    // What leads there is being removed, or was in part.
    match oldest(volume)? {
        Some(oldest) if target.is_before(oldest) => Err(Error::TooOld { oldest }),
        Some(_) | None => Err(Error::TooFast),
    }
}

/// A file on its way through the log.
struct Building<'a> {
    volume: &'a dyn Volume,
    target: Target,
    path: &'a Path,
    tell: &'a mut dyn FnMut(Progress),
    file: NewFile,
    position: Position,
    moment: Moment,
    shape: Shape,
    sums: Sums,
    snapshot: Txid,
    /// What the log ended with when it began.
    newest: Txid,
    /// Whether what the file has is being imported.
    is_marked: bool,
}

impl<'a> Building<'a> {
    /// Writes the snapshot, if there is one that is not past the target.
    fn begin(
        volume: &'a dyn Volume,
        target: Target,
        path: &'a Path,
        tell: &'a mut dyn FnMut(Progress),
    ) -> Result<Self, Error> {
        let mut building = Self {
            volume,
            target,
            path,
            tell,
            file: NewFile::at(path),
            position: Position::START,
            moment: Moment(i64::MIN),
            shape: Shape { page_size: 0, database_pages: 0 },
            sums: Sums::default(),
            snapshot: Txid::NONE,
            newest: newest_slot_name(volume)?,
            is_marked: false,
        };
        let names = list(volume, slot::SNAPSHOTS)?;
        for txid in slot::snapshots(&names).rev() {
            if building.is_past(txid)? {
                continue;
            }
            building.file.restart().map_err(|source| file_fault(path, source))?;
            let mut counted = Counted { file: &mut building.file, tell: building.tell, bytes: 0 };
            let Found::Whole(snapshot) = read_snapshot(volume, txid, &mut counted)? else { continue };
            building.file.finish(snapshot.shape).map_err(|source| file_fault(path, source))?;
            building.position = snapshot.header.position();
            building.moment = Moment(snapshot.header.timestamp_millis);
            building.shape = snapshot.shape;
            building.sums = snapshot.sums.unwrap_or_default();
            building.snapshot = txid;
            return Ok(building);
        }
        building.file.restart().map_err(|source| file_fault(path, source))?;
        match oldest(volume)? {
            None => Err(Error::Empty),
            Some(oldest) if oldest.txid == Txid::FIRST => Ok(building),
            Some(oldest) if target.is_before(oldest) => Err(Error::TooOld { oldest }),
            Some(_) => Err(LogError::NoBeginning { first: first_slot_name(volume)? }.into()),
        }
    }

    /// Whether a snapshot has more than is wanted.
    fn is_past(&self, snapshot: Txid) -> Result<bool, Error> {
        Ok(match self.target {
            Target::Newest => false,
            Target::Position(wanted) => snapshot > wanted,
            // One that cannot be read is none to begin with.
            Target::Moment(wanted) => read_header(self.volume, &slot::snapshot_path(snapshot))?
                .is_none_or(|header| Moment(header.timestamp_millis) > wanted),
        })
    }

    /// Adds slots up to the target; `None` when the next ones were removed meanwhile.
    fn go_on(&mut self) -> Result<Option<Restored>, Error> {
        loop {
            if self.target == Target::Position(self.position.txid) {
                return self.done().map(Some);
            }
            match tail::read_on(self.volume, &self.position, Look::Names) {
                Err(LogError::Torn { txid }) => return Err(Error::Torn { txid }),
                Err(error) => return Err(error.into()),
                Ok(Tail::Gap) => return Ok(None),
                Ok(Tail::End) => return self.at_the_end().map(Some),
                Ok(Tail::Next(batch)) => {
                    for record in &batch.records {
                        if self.is_reached(&record.header) {
                            return self.done().map(Some);
                        }
                        self.add(record)?;
                    }
                }
            }
        }
    }

    /// Whether the commit group is past the target.
    fn is_reached(&self, next: &Header) -> bool {
        match self.target {
            Target::Newest => false,
            Target::Position(wanted) => next.last > wanted,
            Target::Moment(wanted) => Moment(next.timestamp_millis) > wanted,
        }
    }

    fn add(&mut self, record: &Record) -> Result<(), Error> {
        let delta = self.sums.delta(&record.change);
        let txid = record.header.last;
        if delta.checksum() != record.header.after {
            return Err(LogError::Diverged { txid }.into());
        }
        self.sums.apply(&delta);
        self.file.apply(&record.change).map_err(|source| file_fault(self.path, source))?;
        if let Some(first_page) = record.change.pages.get(&1) {
            self.is_marked = import::is_marked(first_page);
        }
        self.position = record.header.position();
        self.moment = Moment(record.header.timestamp_millis);
        self.shape = record.change.shape();
        (self.tell)(Progress::Slot { txid, newest: self.newest.max(txid) });
        Ok(())
    }

    /// What the log ends with.
    fn at_the_end(&self) -> Result<Restored, Error> {
        match self.target {
            Target::Position(_) => Err(Error::NotYet { newest: self.stamp() }),
            Target::Newest | Target::Moment(_) => self.done(),
        }
    }

    fn stamp(&self) -> Stamp {
        Stamp { txid: self.position.txid, moment: self.moment }
    }

    fn done(&self) -> Result<Restored, Error> {
        if self.position.txid == Txid::NONE {
            // The first commit group is later than what is wanted.
            return Err(oldest(self.volume)?.map_or(Error::Empty, |oldest| Error::TooOld { oldest }));
        }
        if self.is_marked {
            return Err(Error::Importing { txid: self.position.txid });
        }
        Ok(Restored { stamp: self.stamp(), position: self.position, snapshot: self.snapshot, shape: self.shape })
    }

    fn sync(&mut self) -> Result<(), Error> {
        self.file.sync().map_err(|source| file_fault(self.path, source))
    }
}

/// Tells how many bytes of a snapshot went by.
struct Counted<'a> {
    file: &'a mut NewFile,
    tell: &'a mut dyn FnMut(Progress),
    bytes: u64,
}

impl Pages for Counted<'_> {
    fn restart(&mut self) -> io::Result<()> {
        self.bytes = 0;
        self.file.restart()
    }

    fn page(&mut self, number: u32, content: &[u8]) -> io::Result<()> {
        self.bytes = self.bytes.saturating_add(u64::try_from(content.len()).unwrap_or(u64::MAX));
        (self.tell)(Progress::Snapshot { bytes: self.bytes });
        self.file.page(number, content)
    }
}

fn file_fault(path: &Path, source: io::Error) -> Error {
    Error::File { path: path.to_owned(), source }
}
