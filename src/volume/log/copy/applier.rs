//! The connection that writes the pages of others over those of the copy, and does nothing else: on a connection that
//! also runs queries, stale page caches would corrupt the copy.
//!
//! Page 1 says which schema the file has. Once it is overwritten, SQLite reads the schema anew before the next statement,
//! out of pages of which some are still those of before. So page 1 comes last, in one statement with the new size, and
//! nothing but the commit follows. A connection that has seen the schema change is not used again: it may have pages in
//! its cache that it believes it knows.
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

/// Page 1, and behind it the first page that is no longer there: one without data is where the database ends.
const INSERT_LAST: &str = "INSERT INTO sqlite_dbpage (pgno, data) VALUES (1, ?1), (?2, NULL)";

/// Where page 1 counts the changes of the schema.
///
/// Source: <https://www.sqlite.org/fileformat2.html#the_database_header>.
const SCHEMA_COOKIE: std::ops::Range<usize> = 40..44;

/// Writes pages through SQLite, so that readers see all of a commit group at once.
#[derive(Debug)]
pub(super) struct Applier {
    path: PathBuf,
    /// Opened when there is something to apply: a copy of an empty log has no file yet.
    connection: Option<Connection>,
    /// The schema cookie that the connection wrote last.
    cookie: Option<Vec<u8>>,
}

impl Applier {
    pub(super) fn of(path: &Path) -> Self {
        Self { path: path.to_owned(), connection: None, cookie: None }
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
        Overwriting { applier: self, has_begun: false, first_page: None }
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

    /// Lets go of the connection unless it has written this schema before.
    fn wrote_cookie(&mut self, cookie: &[u8]) {
        if self.cookie.as_deref() != Some(cookie) {
            self.cookie = Some(cookie.to_vec());
            self.connection = None;
        }
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
    first_page: Option<Vec<u8>>,
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
        if number == 1 {
            self.first_page = Some(content.to_vec());
            return Ok(());
        }
        if let Some(connection) = &self.applier.connection {
            connection.prepare_cached(INSERT)?.execute((number, content))?;
        }
        Ok(())
    }

    /// Sets the database's size and makes everything visible.
    pub(super) fn finish(mut self, shape: Shape) -> Result<(), Error> {
        self.begin(shape.page_size)?;
        let first_page = self.first_page.take();
        if let Some(connection) = &self.applier.connection {
            let end = shape.database_pages + 1;
            match &first_page {
                Some(first_page) => connection.prepare_cached(INSERT_LAST)?.execute((first_page, end))?,
                None => connection.prepare_cached(INSERT)?.execute((end, None::<Vec<u8>>))?,
            };
            connection.execute_batch("COMMIT")?;
        }
        self.has_begun = false;
        self.applier.bring_into_file(shape.page_size)?;
        if let Some(cookie) = first_page.as_deref().and_then(|page| page.get(SCHEMA_COOKIE)) {
            self.applier.wrote_cookie(cookie);
        }
        Ok(())
    }

    fn roll_back(&mut self) -> Result<(), Error> {
        self.first_page = None;
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
