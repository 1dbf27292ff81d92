//! A SQLite file as a whole: checked, copied while others write it, and read page by page.

use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::config::DbConfig;
use rusqlite::{Connection, ErrorCode, OpenFlags};
use thiserror::Error as ThisError;

use super::{functions, introspect};
use crate::catalog::Catalog;
use crate::volume::log::change::Shape;
use crate::volume::log::copy::{each_page, fit_first_page};
use crate::volume::log::ltx::StreamError;
use crate::volume::log::retain::{Visit, Whole};

/// Findings that are told of a damaged file; there may be thousands.
const FINDINGS_MAX: usize = 10;

/// Pages that are copied at once, between two words of how far it is.
const COPIED_AT_ONCE: i32 = 1_024;

/// How long a copy waits for others who write without a WAL, which keeps readers out.
const BUSY_TIMEOUT: Duration = Duration::from_secs(30);

/// What is wrong with a file.
#[derive(Debug, ThisError)]
pub enum Error {
    /// It is no database, or cannot be read.
    #[error("it cannot be read as a SQLite database")]
    Unreadable(#[from] rusqlite::Error),
    /// A journal lies beside it that only a writer may roll back.
    #[error("a transaction was left in its journal: open it once with `sqlite3`, which rolls that back")]
    Unrecovered,
    /// It has no pages.
    #[error("it is empty")]
    Empty,
    /// `PRAGMA integrity_check` has found something.
    #[error("SQLite's integrity check says: {}", .0.join("; "))]
    Damaged(Vec<String>),
}

/// Runs SQLite's own check of the whole file, which nobody may change meanwhile.
///
/// # Errors
/// What is wrong with it.
pub fn check_unchanging(path: &Path) -> Result<(), Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    // Immutable: no lock is taken, and no WAL or shared memory is made beside it.
    let connection = Connection::open_with_flags(format!("file:{}?immutable=1", escaped(path)), flags)?;
    check(&connection)
}

/// Runs SQLite's own check of the whole database.
///
/// # Errors
/// What is wrong with it.
pub fn check(connection: &Connection) -> Result<(), Error> {
    // Checks and indexes of a database that berth migrated may call them.
    functions::register(connection)?;
    let mut statement = connection.prepare(&format!("PRAGMA integrity_check({FINDINGS_MAX})"))?;
    let findings: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    if findings.iter().all(|finding| finding == "ok") { Ok(()) } else { Err(Error::Damaged(findings)) }
}

/// Copies the database at `from` into the file at `to`, as it is at one moment, whoever writes it meanwhile. Tells how
/// many pages of how many are copied.
///
/// # Errors
/// [`Error::Unreadable`] when either file fails.
pub fn copy(from: &Path, to: &Path, tell: &mut dyn FnMut(u64, u64)) -> Result<(), Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let from = Connection::open_with_flags(from, flags)?;
    from.busy_timeout(BUSY_TIMEOUT)?;
    // Held until the end: else the copy would begin again whenever another process commits.
    from.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")?;
    let mut to = Connection::open(to)?;
    to.query_row("PRAGMA journal_mode = OFF", [], |_| Ok(()))?;
    let backup = Backup::new(&from, &mut to)?;
    loop {
        let step = backup.step(COPIED_AT_ONCE)?;
        let progress = backup.progress();
        let pages = |pages: i32| u64::try_from(pages).unwrap_or_default();
        tell(pages(progress.pagecount - progress.remaining), pages(progress.pagecount));
        match step {
            StepResult::Done => return Ok(()),
            StepResult::Busy | StepResult::Locked => std::thread::sleep(Duration::from_millis(10)),
            StepResult::More | _ => {}
        }
    }
}

/// A database in a file, held as it is at one moment.
///
/// Its pages are such as a log may have: page 1 is that of a database in WAL mode.
#[derive(Debug)]
pub struct Held {
    connection: Connection,
    shape: Shape,
}

impl Held {
    /// Holds the database at `path`. Nothing is written beside it but what SQLite needs to read a WAL.
    ///
    /// # Errors
    /// What is wrong with it, as far as can be told without reading all of it.
    pub fn open(path: &Path) -> Result<Self, Error> {
        let connection = match begin(path, Sharing::Locked) {
            Ok(connection) => connection,
            Err(error) if error.sqlite_error().is_some_and(|error| error.extended_code == READONLY_ROLLBACK) => {
                return Err(Error::Unrecovered);
            }
            // In WAL mode, where nothing can be made beside it. Without a WAL there is nothing to be missed.
            Err(error) if is_unwritable(&error) && !has_wal(path) => begin(path, Sharing::Unchanging)?,
            Err(error) => return Err(error.into()),
        };
        Self::of(connection)
    }

    fn of(connection: Connection) -> Result<Self, Error> {
        let number = |pragma: &str| connection.pragma_query_value(None, pragma, |row| row.get::<_, u32>(0));
        let shape = Shape { page_size: number("page_size")?, database_pages: number("page_count")? };
        if shape.database_pages == 0 {
            return Err(Error::Empty);
        }
        Ok(Self { connection, shape })
    }

    /// Holds the database at `path`, which nobody may change as long.
    ///
    /// # Errors
    /// As [`open`](Self::open).
    pub fn open_unchanging(path: &Path) -> Result<Self, Error> {
        Self::of(begin(path, Sharing::Unchanging)?)
    }

    /// The connection, to read what is held.
    #[must_use]
    pub fn connection(&self) -> &Connection {
        &self.connection
    }

    /// What it has.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn catalog(&self) -> rusqlite::Result<Catalog> {
        introspect::read_within(&self.connection)
    }

    /// The tables that have row policies, whether or not those hold.
    ///
    /// # Errors
    /// What SQLite says.
    pub fn policed(&self) -> rusqlite::Result<Vec<String>> {
        introspect::policed(&self.connection)
    }

    /// Runs SQLite's own check of the whole database.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn check(&self) -> Result<(), Error> {
        check(&self.connection)
    }
}

impl Whole for Held {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn each_page(&self, visit: &mut Visit<'_>) -> Result<(), StreamError> {
        let Shape { page_size, database_pages } = self.shape;
        each_page(&self.connection, page_size, |first| fit_first_page(first, database_pages), visit)
    }
}

/// `SQLITE_READONLY_ROLLBACK`.
const READONLY_ROLLBACK: i32 = 8 | (3 << 8);

/// Whether others may write the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sharing {
    Locked,
    Unchanging,
}

/// Opens the file and begins to read: what is read from now on is of this moment.
fn begin(path: &Path, sharing: Sharing) -> rusqlite::Result<Connection> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_URI;
    let immutable = match sharing {
        Sharing::Locked => 0,
        Sharing::Unchanging => 1,
    };
    let connection = Connection::open_with_flags(format!("file:{}?immutable={immutable}", escaped(path)), flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    functions::register(&connection)?;
    connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema")?;
    Ok(connection)
}

fn is_unwritable(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen))
}

fn has_wal(path: &Path) -> bool {
    let mut wal = path.to_owned().into_os_string();
    wal.push("-wal");
    std::fs::metadata(wal).is_ok_and(|file| file.len() > 0)
}

/// The path as the path of a URI.
fn escaped(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sound_file_passes_and_a_damaged_one_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("100% sound?#.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (a); CREATE INDEX i ON t (a);").unwrap();
        connection.execute_batch("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 2000) INSERT INTO t SELECT hex(i) FROM n").unwrap();
        drop(connection);
        check_unchanging(&path).unwrap();
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "nothing is made beside it");

        let mut bytes = std::fs::read(&path).unwrap();
        let middle = bytes.len() / 2;
        bytes[middle..middle + 4096].fill(0);
        std::fs::write(&path, &bytes).unwrap();
        assert!(check_unchanging(&path).is_err());
        std::fs::write(&path, "text, and no database at all").unwrap();
        assert!(matches!(check_unchanging(&path), Err(Error::Unreadable(_))));
        assert!(matches!(check_unchanging(&folder.path().join("absent")), Err(Error::Unreadable(_))));
    }
}
