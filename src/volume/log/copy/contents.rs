//! What a copy has of the log, and how it grows by records.

use super::{Error, PATIENCE, look};
use crate::clock::Deadline;
use crate::volume::Volume;
use crate::volume::log::Pages;
use crate::volume::log::change::{Position, Record, Shape, Txid};
use crate::volume::log::growth::Growth;
use crate::volume::log::import;
use crate::volume::log::publish::Until;
use crate::volume::log::sums::{Delta, Sums};
use crate::volume::log::tail::{self, Start, Tail};

/// How often the log is read from its newest snapshot when its slots vanish meanwhile.
const TRIES: usize = 4;

/// A state of the database: where it stands in the log, and the checksums of its pages.
#[derive(Debug)]
pub(super) struct Contents {
    /// Bytes of a page; 0 before the first commit.
    pub(super) page_size: u32,
    pub(super) sums: Sums,
    pub(super) position: Position,
    /// When the commit group at the position was made, by its maker's clock.
    pub(super) timestamp_millis: i64,
    pub(super) growth: Growth,
    /// When the commit group of the snapshot was made that this began with, by its maker's clock.
    pub(super) snapshot_millis: i64,
    /// Whether it is a part of a database that is being imported.
    pub(super) is_marked: bool,
}

impl Contents {
    /// Reads the log to an end that it has at a moment after the call, and gives every page to `pages`: an older content
    /// first where there are several. Which pages the database has in the end is its [`shape`](Self::shape).
    ///
    /// # Errors
    /// [`Error::Log`] when the log cannot be read or `pages` refuses one; [`Error::TooFast`].
    pub(super) fn read(volume: &dyn Volume, pages: &mut dyn Pages) -> Result<Self, Error> {
        for _ in 0..TRIES {
            let mut patience = Until::new(Deadline::after(PATIENCE));
            let mut contents = Self::of(tail::patiently(&mut patience, || tail::start(volume, pages))?);
            if contents.read_on(volume, pages)? {
                return Ok(contents);
            }
        }
        Err(Error::TooFast)
    }

    fn of(start: Start) -> Self {
        let mut contents = Self {
            page_size: 0,
            sums: Sums::default(),
            position: start.position(),
            timestamp_millis: 0,
            growth: Growth::since_snapshot(start.position().txid, start.size_bytes()),
            snapshot_millis: 0,
            // What is being imported has no snapshot.
            is_marked: false,
        };
        if let Some(snapshot) = start.snapshot {
            contents.page_size = snapshot.shape.page_size;
            contents.timestamp_millis = snapshot.header.timestamp_millis;
            contents.snapshot_millis = snapshot.header.timestamp_millis;
            // A snapshot has all pages, and so all of their sums.
            contents.sums = snapshot.sums.unwrap_or_default();
        }
        contents
    }

    /// False when slots that follow were removed while they were read: there is a newer snapshot.
    fn read_on(&mut self, volume: &dyn Volume, pages: &mut dyn Pages) -> Result<bool, Error> {
        loop {
            match look(volume, &self.position)? {
                Tail::End => return Ok(true),
                Tail::Gap => return Ok(false),
                Tail::Next(batch) => {
                    for record in &batch.records {
                        let txid = record.header.last;
                        if !self.add(record) {
                            return Err(crate::volume::log::Error::Diverged { txid }.into());
                        }
                        for (&number, content) in &record.change.pages {
                            pages
                                .page(number, content)
                                .map_err(|source| crate::volume::log::Error::Pages { txid, source })?;
                        }
                    }
                    self.growth.add(batch.records.len() as u64, batch.size_bytes);
                    if batch.is_end {
                        return Ok(true);
                    }
                }
            }
        }
    }

    /// Takes note of a record that is applied; false, and nothing is noted, when it does not make what it says.
    pub(super) fn add(&mut self, record: &Record) -> bool {
        let delta = self.sums.delta(&record.change);
        let follows = delta.checksum() == record.header.after;
        if follows {
            if let Some(first_page) = record.change.pages.get(&1) {
                self.is_marked = import::is_marked(first_page);
            }
            let header = &record.header;
            self.move_to(header.position(), header.timestamp_millis, record.change.page_size, &delta);
        }
        follows
    }

    /// Takes note of a commit group that the copy now has.
    pub(super) fn move_to(&mut self, position: Position, timestamp_millis: i64, page_size: u32, delta: &Delta) {
        self.sums.apply(delta);
        self.position = position;
        self.timestamp_millis = timestamp_millis;
        self.page_size = page_size;
    }

    /// How large the database is; `None` before the first commit.
    pub(super) fn shape(&self) -> Option<Shape> {
        let shape = Shape { page_size: self.page_size, database_pages: self.sums.len() };
        (self.position.txid != Txid::NONE).then_some(shape)
    }
}
