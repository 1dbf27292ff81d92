//! The connection that writes the pages of others over those of the copy, and does nothing else: on a connection that
//! also runs queries, stale page caches would corrupt the copy.
//!
//! Source: <https://www.sqlite.org/dbpage.html>.

use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};

use super::{Error, PATIENCE};
use crate::volume::log::Pages;
use crate::volume::log::change::{Change, Shape};

/// Pages of the WAL after which it is brought into the file: SQLite's own default.
const WAL_MAX_PAGES: i64 = 1_000;

const INSERT: &str = "INSERT INTO sqlite_dbpage (pgno, data) VALUES (?1, ?2)";

/// Writes pages through SQLite, so that readers see all of a commit group at once.
#[derive(Debug)]
pub(super) struct Applier {
    path: PathBuf,
    /// Opened when there is something to apply: a copy of an empty log has no file yet.
    connection: Option<Connection>,
}

impl Applier {
    pub(super) fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), connection: None }
    }

    /// Writes the pages of a commit group.
    pub(super) fn apply(&mut self, change: &Change) -> Result<(), Error> {
        let mut overwriting = self.overwrite();
        overwriting.begin(change.page_size)?;
        for (number, content) in &change.pages {
            overwriting.write(*number, content)?;
        }
        overwriting.finish(change.shape())
    }

    /// Begins to write pages: all are there once it is finished, none if it is dropped before.
    pub(super) fn overwrite(&mut self) -> Overwriting<'_> {
        Overwriting { applier: self, has_begun: false }
    }

    /// Brings the WAL into the file when it has grown long, as far as readers let it.
    pub(super) fn bring_into_file(&mut self, page_size: u32) -> Result<(), Error> {
        let connection = self.connection(page_size)?;
        let pages: i64 = connection.query_row("PRAGMA wal_checkpoint(NOOP)", [], |row| row.get(1))?;
        if pages > WAL_MAX_PAGES {
            connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()))?;
        }
        Ok(())
    }

    fn connection(&mut self, page_size: u32) -> Result<&mut Connection, Error> {
        match &mut self.connection {
            Some(connection) => Ok(connection),
            none => Ok(none.insert(open(&self.path, page_size)?)),
        }
    }
}

/// A transaction that overwrites pages.
#[derive(Debug)]
pub(super) struct Overwriting<'a> {
    applier: &'a mut Applier,
    has_begun: bool,
}

impl Overwriting<'_> {
    fn begin(&mut self, page_size: u32) -> Result<(), Error> {
        if self.has_begun {
            return Ok(());
        }
        let connection = self.applier.connection(page_size)?;
        let expected: u32 = connection.pragma_query_value(None, "page_size", |row| row.get(0))?;
        if expected != page_size {
            return Err(Error::PageSize { found: page_size, expected });
        }
        connection.execute_batch("BEGIN IMMEDIATE")?;
        self.has_begun = true;
        Ok(())
    }

    fn write(&mut self, number: u32, content: &[u8]) -> Result<(), Error> {
        if let Some(connection) = &self.applier.connection {
            connection.prepare_cached(INSERT)?.execute((number, content))?;
        }
        Ok(())
    }

    /// Sets the database's size and makes everything visible.
    pub(super) fn finish(mut self, shape: Shape) -> Result<(), Error> {
        self.begin(shape.page_size)?;
        if let Some(connection) = &self.applier.connection {
            let pages_there: u32 = connection.query_row("PRAGMA page_count", [], |row| row.get(0))?;
            if shape.database_pages < pages_there {
                // A page without data is where the database ends: https://www.sqlite.org/dbpage.html
                connection.prepare_cached(INSERT)?.execute((shape.database_pages + 1, None::<Vec<u8>>))?;
            }
            connection.execute_batch("COMMIT")?;
        }
        self.has_begun = false;
        self.applier.bring_into_file(shape.page_size)
    }

    fn roll_back(&mut self) -> Result<(), Error> {
        if std::mem::take(&mut self.has_begun)
            && let Some(connection) = &self.applier.connection
        {
            connection.execute_batch("ROLLBACK")?;
        }
        Ok(())
    }
}

impl Drop for Overwriting<'_> {
    fn drop(&mut self) {
        if self.roll_back().is_err() {
            // A new connection begins without this transaction.
            self.applier.connection = None;
        }
    }
}

impl Pages for Overwriting<'_> {
    fn restart(&mut self) -> io::Result<()> {
        self.roll_back().map_err(io::Error::other)
    }

    fn page(&mut self, number: u32, content: &[u8]) -> io::Result<()> {
        let page_size = u32::try_from(content.len()).map_err(io::Error::other)?;
        self.begin(page_size).and_then(|()| self.write(number, content)).map_err(io::Error::other)
    }
}

fn open(path: &Path, page_size: u32) -> Result<Connection, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(PATIENCE)?;
    connection.pragma_update(None, "page_size", page_size)?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "OFF")?;
    connection.pragma_update(None, "wal_autocheckpoint", 0)?;
    Ok(connection)
}
