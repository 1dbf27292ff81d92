//! The working copy as it was at one moment, for a snapshot that is written while the copy moves on.

use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::contents::Contents;
use super::pages::each_page;
use super::{Error, unify_counters};
use crate::volume::Volume;
use crate::volume::log::change::{Position, Shape, Txid};
use crate::volume::log::ltx::StreamError;
use crate::volume::log::retain::{self, Visit, Whole};

/// A whole database, to be written beside the log.
///
/// It is a read transaction: while it lives, the WAL is brought into the file only up to here.
#[derive(Debug)]
pub struct Snapshot {
    connection: Connection,
    position: Position,
    timestamp_millis: i64,
    shape: Shape,
}

impl Snapshot {
    pub(super) fn open(path: &Path, contents: &Contents) -> Result<Self, Error> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags(path, flags)?;
        // The transaction sees what stands there at its first read.
        connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")?;
        let shape = Shape { page_size: contents.page_size, database_pages: contents.sums.len() };
        let (position, timestamp_millis) = (contents.position, contents.timestamp_millis);
        Ok(Self { connection, position, timestamp_millis, shape })
    }

    /// The commit group that it is of.
    #[must_use]
    pub fn txid(&self) -> Txid {
        self.position.txid
    }

    /// When that commit group was made, in milliseconds since 1970.
    #[must_use]
    pub fn timestamp_millis(&self) -> i64 {
        self.timestamp_millis
    }

    /// Writes it, and says how many bytes it has. Takes as long as the volume does: not for the writer's thread.
    ///
    /// # Errors
    /// See [`retain::write_snapshot`].
    pub fn write(&self, volume: &dyn Volume) -> Result<u64, crate::volume::log::Error> {
        retain::write_snapshot(volume, &self.position, self.timestamp_millis, self)
    }
}

impl Whole for Snapshot {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn each_page(&self, visit: &mut Visit<'_>) -> Result<(), StreamError> {
        each_page(&self.connection, self.shape.page_size, unify_counters, visit)
    }
}
