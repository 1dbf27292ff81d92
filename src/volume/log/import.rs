//! Brings a whole database into an empty log.
//!
//! One that is small is slot 1: either it is there or it is not. A larger one takes many slots, since a slot is held in
//! memory; and no instance may take what is half there for a database. So until the last slot, page 1 is that of an
//! empty database with a mark ([`is_marked`]): the pages behind it belong to nobody, and an instance that finds the mark
//! does not serve. The last slot brings the real page 1, and with it everything.
//!
//! | slot | pages | what it is to others |
//! |---|---|---|
//! | 1 | the marked page | empty, and being imported |
//! | 2 … | the next pages, and the marked page with the new size | the same |
//! | last | the last pages, and page 1 | the database |
//!
//! Whoever loses a slot stops: another instance has begun the log, or another import has taken over. After a crash the
//! mark is left, and an import that goes on ([`Intent::GoOn`]) writes the pages that are missing or another's.

use std::collections::BTreeMap;
use std::time::Duration;

use thiserror::Error as ThisError;

use super::change::{Change, Nonce, Position, Shape, Txid, page_checksum};
use super::ltx::StreamError;
use super::publish::{Attempt, Until, Verdict};
use super::retain::{Whole, write_snapshot};
use super::sums::{Delta, Sums};
use super::tail::{self, Look, Tail};
use super::{Found, Unkept, list, newest_snapshot_name, read_header, read_slot, slot};
use crate::clock::{self, Deadline};
use crate::volume::{Refusal, Volume};

#[cfg(test)]
mod tests;

/// Bytes of pages in a slot. It is in memory, twice.
const SLOT_PAGES_BYTES: u64 = 16 << 20;

/// How long it waits to learn who has a slot.
const PATIENCE: Duration = Duration::from_secs(60);

/// What a log that is being imported has as `PRAGMA application_id`; "bIMP" in ASCII.
pub const MARK: i32 = 0x6249_4d50;

/// Where page 1 keeps it.
///
/// Source: <https://www.sqlite.org/fileformat2.html#application_id>.
const MARK_PLACE: std::ops::Range<usize> = 68..72;

/// What to do with what another import has left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Intent {
    /// The log must be empty.
    Begin,
    /// An import that was broken off is gone on with.
    GoOn,
}

/// Why a database is not in the log, or not all of it.
#[derive(Debug, ThisError)]
pub enum Error {
    /// The log has another database.
    #[error("the log is not empty: it has a database at position {}", .0.0)]
    NotEmpty(Txid),
    /// Another import is at work, or was broken off.
    #[error(
        "an import is under way at position {}, or was broken off there; when no other is at work any more, go on with \
         --resume",
        .0.0
    )]
    UnderWay(Txid),
    /// The import that is to be gone on with was of another file.
    #[error("the import that was broken off has pages of {found} bytes, and this file has pages of {expected}")]
    PageSize {
        /// In the log.
        found: u32,
        /// Of the file.
        expected: u32,
    },
    /// Somebody else took a slot.
    #[error("another instance or import has taken position {}: this import stops", .0.0)]
    Raced(Txid),
    /// The volume does not say whether a slot was made.
    #[error("the volume does not say whether position {} was written; look again, and go on with --resume", .0.0)]
    Unknown(Txid),
    /// The volume takes no file.
    #[error("the volume does not take position {}: {}", .0.0, .1)]
    Refused(Txid, Refusal),
    /// The log.
    #[error(transparent)]
    Log(#[from] super::Error),
    /// The database that is to be imported.
    #[error("its pages cannot be read")]
    Pages(#[source] std::io::Error),
    /// The pages say otherwise than before: somebody wrote the file.
    #[error("the file has changed while it was imported")]
    Changed,
}

/// What is in the log now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Imported {
    /// Where it stands.
    pub position: Position,
    /// False when it was there already, to the byte.
    pub is_new: bool,
}

/// True when page 1 is that of a database which is being imported.
#[must_use]
pub fn is_marked(first_page: &[u8]) -> bool {
    first_page.get(MARK_PLACE) == Some(&MARK.to_be_bytes())
}

/// Publishes `database` as what the log has. Tells how many of its pages are published.
///
/// Its page 1 must be one that a log may have (see [`copy`](super::copy)), and its pages must not change meanwhile.
///
/// # Errors
/// [`Error`]. With [`Error::NotEmpty`] and [`Error::UnderWay`] nothing was written.
pub fn import(
    volume: &dyn Volume,
    database: &dyn Whole,
    intent: Intent,
    tell: &mut dyn FnMut(u32),
) -> Result<Imported, Error> {
    import_in_slots_of(SLOT_PAGES_BYTES, volume, database, intent, tell)
}

fn import_in_slots_of(
    slot_bytes: u64,
    volume: &dyn Volume,
    database: &dyn Whole,
    intent: Intent,
    tell: &mut dyn FnMut(u32),
) -> Result<Imported, Error> {
    let mut sums = Sums::default();
    each_page(database, |number, content| {
        sums.push(number, page_checksum(number, content));
        Ok(())
    })?;
    let shape = database.shape();
    sums.set_len(shape.database_pages);
    let mut import = match look(volume, shape, &sums, intent)? {
        Beginning::There(position) => return Ok(Imported { position, is_new: false }),
        Beginning::From(position, there) => {
            let (pages, first) = (BTreeMap::new(), Vec::new());
            Import { volume, shape, wanted: sums, slot_bytes, position, there, pages, first, tell }
        }
    };
    let size_bytes = u64::from(shape.database_pages) * u64::from(shape.page_size);
    if import.position == Position::START && size_bytes > slot_bytes {
        import.publish(1, Marked::Yes)?;
    }
    each_page(database, |number, content| import.take(number, content))?;
    import.publish(shape.database_pages, Marked::No)?;
    let position = import.position;
    if position.txid > Txid::FIRST {
        // So that no start has to read all these slots. It is read back, and so is everything on the volume.
        let millis = clock::unix_micros() / 1_000;
        let millis = read_header(volume, &slot::slot_path(position.txid))?.map_or(millis, |head| head.timestamp_millis);
        write_snapshot(volume, &position, millis, database)?;
    }
    Ok(Imported { position, is_new: true })
}

fn each_page(database: &dyn Whole, mut take: impl FnMut(u32, &[u8]) -> Result<(), Error>) -> Result<(), Error> {
    let mut failure = None;
    let read = database.each_page(&mut |number, content| {
        take(number, content).map_err(|error| {
            failure = Some(error);
            StreamError::Keep(std::io::Error::other("a page was not taken"))
        })
    });
    match (failure, read) {
        (Some(error), _) => Err(error),
        (None, Ok(())) => Ok(()),
        (None, Err(StreamError::Keep(error) | StreamError::File(error))) => Err(Error::Pages(error)),
        (None, Err(StreamError::Format(error))) => Err(super::Error::from(error).into()),
    }
}

/// Where an import begins.
enum Beginning {
    /// The log has this very database.
    There(Position),
    /// At this position, with these pages.
    From(Position, Sums),
}

/// What the log has.
fn look(volume: &dyn Volume, shape: Shape, wanted: &Sums, intent: Intent) -> Result<Beginning, Error> {
    let slots = list(volume, slot::SLOTS)?;
    let snapshot = newest_snapshot_name(volume)?;
    let Some(newest) = slot::slots(&slots).next_back().max(Some(snapshot).filter(|txid| *txid > Txid::NONE)) else {
        return Ok(Beginning::From(Position::START, Sums::default()));
    };
    let Found::Whole((record, _)) = read_slot(volume, newest)? else { return Err(Error::NotEmpty(newest)) };
    if record.header.after == wanted.checksum() {
        // The checksum of a database is blind to equal changes of two pages; those of the pages are not.
        let (position, there) = walk(volume)?;
        return if there == *wanted { Ok(Beginning::There(position)) } else { Err(Error::NotEmpty(position.txid)) };
    }
    let first_page = record.change.pages.get(&1);
    if snapshot > Txid::NONE || !first_page.is_some_and(|page| is_marked(page)) {
        return Err(Error::NotEmpty(newest));
    }
    match intent {
        Intent::Begin => Err(Error::UnderWay(newest)),
        Intent::GoOn if record.change.page_size != shape.page_size => {
            Err(Error::PageSize { found: record.change.page_size, expected: shape.page_size })
        }
        Intent::GoOn => walk(volume).map(|(position, there)| Beginning::From(position, there)),
    }
}

/// Where the log ends, and the sums of its pages there.
fn walk(volume: &dyn Volume) -> Result<(Position, Sums), Error> {
    let mut patience = Until::new(Deadline::after(PATIENCE));
    let start = tail::patiently(&mut patience, || tail::start(volume, &mut Unkept))?;
    let mut position = start.position();
    let mut sums = start.snapshot.and_then(|snapshot| snapshot.sums).unwrap_or_default();
    loop {
        match tail::patiently(&mut patience, || tail::read_on(volume, &position, Look::Names))? {
            Tail::End => return Ok((position, sums)),
            Tail::Gap => return Err(Error::NotEmpty(position.txid)),
            Tail::Next(batch) => {
                for record in &batch.records {
                    let delta = sums.delta(&record.change);
                    if delta.checksum() != record.header.after {
                        return Err(super::Error::Diverged { txid: record.header.last }.into());
                    }
                    sums.apply(&delta);
                    position = record.header.position();
                }
            }
        }
    }
}

/// Whether a slot leaves the mark.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Marked {
    Yes,
    No,
}

/// An import at work.
struct Import<'a> {
    volume: &'a dyn Volume,
    shape: Shape,
    /// Sums of the pages that the log shall have.
    wanted: Sums,
    slot_bytes: u64,
    position: Position,
    /// Sums of the pages that the log has.
    there: Sums,
    /// The next slot's.
    pages: BTreeMap<u32, Vec<u8>>,
    /// Page 1, for the last slot.
    first: Vec<u8>,
    tell: &'a mut dyn FnMut(u32),
}

impl Import<'_> {
    /// Keeps a page for the next slot, and publishes that when it is full.
    fn take(&mut self, number: u32, content: &[u8]) -> Result<(), Error> {
        if number == 1 {
            self.first = content.to_vec();
            return Ok(());
        }
        if !self.there.has(number, content) {
            self.pages.insert(number, content.to_vec());
        }
        let pages = u64::try_from(self.pages.len()).unwrap_or(u64::MAX);
        let is_full = (pages + 1).saturating_mul(u64::from(self.shape.page_size)) >= self.slot_bytes;
        // What fits into slot 1 with page 1 waits for it.
        if is_full && self.position != Position::START && number < self.shape.database_pages {
            self.publish(number, Marked::Yes)?;
        }
        Ok(())
    }

    /// Publishes a slot, after which the database has so many pages.
    fn publish(&mut self, database_pages: u32, marked: Marked) -> Result<(), Error> {
        let database_pages = match marked {
            // A resumed import may have put more already.
            Marked::Yes => database_pages.max(self.there.len()),
            Marked::No => database_pages,
        };
        let first = match marked {
            Marked::Yes => marked_page(self.shape.page_size, database_pages),
            Marked::No => std::mem::take(&mut self.first),
        };
        let mut pages = std::mem::take(&mut self.pages);
        pages.insert(1, first);
        let last = pages.keys().next_back().copied().unwrap_or_default();
        let change = Change { page_size: self.shape.page_size, database_pages, pages };
        let delta = self.there.delta(&change);
        // The last slot takes the mark away: what it leaves is served.
        if marked == Marked::No && !self.makes_what_is_wanted(&delta) {
            return Err(Error::Changed);
        }
        let nonce = Nonce::draw().map_err(|error| Error::Pages(std::io::Error::other(error.to_string())))?;
        let millis = clock::unix_micros() / 1_000;
        let attempt = Attempt::new(&self.position, change, delta.checksum(), nonce, millis)?;
        let txid = attempt.position().txid;
        match attempt.publish(self.volume, &mut Until::new(Deadline::after(PATIENCE))) {
            Verdict::Committed(position) => {
                self.there.apply(&delta);
                self.position = position;
                (self.tell)(last);
                Ok(())
            }
            Verdict::Lost | Verdict::Behind => Err(Error::Raced(txid)),
            Verdict::Unknown(_) => Err(Error::Unknown(txid)),
            Verdict::Refused(refusal) => Err(Error::Refused(txid, refusal)),
        }
    }

    fn makes_what_is_wanted(&self, delta: &Delta) -> bool {
        let mut made = self.there.clone();
        made.apply(delta);
        made == self.wanted
    }
}

/// Page 1 of a database in WAL mode that has no table, says that it has so many pages, and carries the mark.
///
/// Source: <https://www.sqlite.org/fileformat2.html#the_database_header>.
fn marked_page(page_size: u32, database_pages: u32) -> Vec<u8> {
    // A page of 65,536 bytes is written as 1, and content that begins at its end as 0.
    let page_size_field = u16::try_from(page_size).unwrap_or(1);
    let content_start = u16::try_from(page_size).unwrap_or(0);
    let mut page = Vec::with_capacity(usize::try_from(page_size).unwrap_or_default());
    page.extend(b"SQLite format 3\0");
    page.extend(page_size_field.to_be_bytes());
    // WAL for writers and readers, nothing reserved, payload fractions.
    page.extend([2, 2, 0, 64, 32, 32]);
    page.extend(1_u32.to_be_bytes());
    page.extend(database_pages.to_be_bytes());
    page.extend([0; 8]);
    // Schema cookie, schema format, cache size, largest root page, encoding: UTF-8.
    page.extend([0_u32, 4, 0, 0, 1].iter().flat_map(|field| field.to_be_bytes()));
    page.extend([0; 8]);
    page.extend(MARK.to_be_bytes());
    page.extend([0; 20]);
    page.extend(1_u32.to_be_bytes());
    page.extend([0; 4]);
    // A leaf of the table of tables, without cells.
    page.extend([13, 0, 0, 0, 0]);
    page.extend(content_start.to_be_bytes());
    page.push(0);
    page.resize(usize::try_from(page_size).unwrap_or_default(), 0);
    page
}
