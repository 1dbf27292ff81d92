//! A SQLite file as a whole: checked, and copied while others write it.

use std::path::Path;
use std::time::Duration;

use rusqlite::backup::{Backup, StepResult};
use rusqlite::{Connection, OpenFlags};
use thiserror::Error as ThisError;

use super::functions;

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
