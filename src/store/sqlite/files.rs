//! The files of a database in place: are those that were opened still those of that name?
//!
//! A file that was removed or replaced lives on for whoever has it open. What is written to it would be acknowledged, seen
//! by nobody else, and gone with the process. SQLite asks this of itself only where it keeps a rollback journal.
//!
//! Source: `sqlite3_file_control(SQLITE_FCNTL_HAS_MOVED)`, <https://www.sqlite.org/howtocorrupt.html#unlink>.

use std::ffi::OsString;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use crate::store::Error;

/// The database and its WAL, as they were when they were opened.
#[derive(Debug, Clone)]
pub(super) struct Files(Arc<Vec<(PathBuf, u64)>>);

impl Files {
    /// Remembers the files of a database that is open.
    pub(super) fn of(database: &Path) -> Self {
        let mut wal = OsString::from(database);
        wal.push("-wal");
        let known = |path: PathBuf| inode(&path).map(|inode| (path, inode));
        Self(Arc::new([database.to_owned(), wal.into()].into_iter().filter_map(known).collect()))
    }

    /// Whether they are where they were.
    ///
    /// # Errors
    /// [`Error::Unreachable`]: the process is to be started anew.
    pub(super) fn check(&self) -> Result<(), Error> {
        let Some((path, _)) = self.0.iter().find(|(path, known)| inode(path) != Some(*known)) else { return Ok(()) };
        let told =
            "was removed or replaced while it was open; nothing is written until a restart opens what is there now";
        Err(Error::Unreachable(format!("{} {told}", path.display())))
    }
}

fn inode(path: &Path) -> Option<u64> {
    std::fs::metadata(path).ok().map(|metadata| metadata.ino())
}
