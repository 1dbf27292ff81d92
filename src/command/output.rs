//! A file that a command makes: it appears under its name when it is whole, and never takes the place of another.

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;

use crate::clock;

/// What SQLite would take for the transactions of whatever database gets the name.
const JOURNALS: [&str; 2] = ["-wal", "-journal"];

/// What SQLite may leave beside a database.
const BESIDE: [&str; 3] = ["-wal", "-shm", "-journal"];

/// Why the file cannot be made.
#[derive(Debug, Error)]
pub(super) enum Error {
    /// Something has its name.
    #[error("\"{path}\" is there already, and is not overwritten", path = .0.display())]
    Exists(PathBuf),
    /// What another database of that name has left would be applied to it.
    #[error(
        "\"{path}\" was left by another database: SQLite would apply it to the new one; remove it, or choose another name",
        path = .0.display()
    )]
    Journal(PathBuf),
    /// There is no place for it.
    #[error("the directory of \"{path}\" cannot be used", path = path.display())]
    Directory {
        /// The file's name.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
    /// It is written, but cannot get its name.
    #[error("\"{path}\" cannot be put in its place", path = path.display())]
    Place {
        /// The file's name.
        path: PathBuf,
        /// The operating system's reason.
        #[source]
        source: io::Error,
    },
}

/// A file on its way. Dropped, what was written is removed.
#[derive(Debug)]
pub(super) struct Output {
    path: PathBuf,
    part: PathBuf,
}

impl Output {
    /// Begins a file that is to appear at `path`.
    ///
    /// # Errors
    /// [`Error::Exists`], [`Error::Journal`], [`Error::Directory`]: before any work was done for it.
    pub(super) fn begin(path: &Path) -> Result<Self, Error> {
        if path.symlink_metadata().is_ok() {
            return Err(Error::Exists(path.to_owned()));
        }
        if let Some(journal) = JOURNALS.map(|end| beside(path, end)).into_iter().find(|left| has_content(left)) {
            return Err(Error::Journal(journal));
        }
        let directory = |source| Error::Directory { path: path.to_owned(), source };
        let nonce = clock::nonce().map_err(|error| directory(io::Error::other(error.to_string())))?;
        let mut name = path.file_name().unwrap_or_default().to_owned();
        name.push(format!(".part-{nonce:016x}"));
        let part = path.with_file_name(name);
        File::create_new(&part).map_err(directory)?;
        Ok(Self { path: path.to_owned(), part })
    }

    /// Where it is written.
    pub(super) fn part(&self) -> &Path {
        &self.part
    }

    /// Gives it its name, durably.
    ///
    /// # Errors
    /// [`Error::Exists`] when the name was taken meanwhile, [`Error::Place`].
    pub(super) fn appear(self) -> Result<(), Error> {
        let place = |source| Error::Place { path: self.path.clone(), source };
        File::open(&self.part).and_then(|file| file.sync_all()).map_err(place)?;
        match fs::hard_link(&self.part, &self.path) {
            Ok(()) => {}
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(Error::Exists(self.path.clone()));
            }
            // No hard links here. Between these two lines another may take the name: it would have to want to.
            Err(_) if self.path.symlink_metadata().is_ok() => return Err(Error::Exists(self.path.clone())),
            Err(_) => rustix::fs::rename(&self.part, &self.path).map_err(|error| place(error.into()))?,
        }
        if let Some(directory) = self.path.parent() {
            let directory = if directory.as_os_str().is_empty() { Path::new(".") } else { directory };
            // Not every file system can: there the name is durable when the file is.
            let _ = File::open(directory).and_then(|directory| directory.sync_all());
        }
        Ok(())
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        // What is not there need not be removed.
        let _ = fs::remove_file(&self.part);
        for end in BESIDE {
            let _ = fs::remove_file(beside(&self.part, end));
        }
    }
}

/// SQLite passes over an empty journal.
fn has_content(journal: &Path) -> bool {
    fs::metadata(journal).is_ok_and(|left| left.len() > 0)
}

/// The file that SQLite keeps beside a database.
fn beside(path: &Path, end: &str) -> PathBuf {
    let mut name = path.to_owned().into_os_string();
    name.push(end);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect()
    }

    #[test]
    fn a_file_appears_when_it_is_whole_and_leaves_nothing_when_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        let output = Output::begin(&path).unwrap();
        fs::write(output.part(), "half").unwrap();
        assert!(!path.exists());
        drop(output);
        assert!(names(folder.path()).is_empty());

        let output = Output::begin(&path).unwrap();
        fs::write(output.part(), "whole").unwrap();
        output.appear().unwrap();
        assert_eq!((names(folder.path()), fs::read(&path).unwrap()), (vec!["app.db".to_owned()], b"whole".to_vec()));
    }

    #[test]
    fn a_name_that_is_taken_is_refused_before_and_after_the_work() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        let output = Output::begin(&path).unwrap();
        fs::write(&path, "another's").unwrap();
        assert!(matches!(output.appear(), Err(Error::Exists(_))));
        assert!(matches!(Output::begin(&path), Err(Error::Exists(_))));
        assert_eq!(fs::read(&path).unwrap(), b"another's");
        assert!(matches!(Output::begin(&folder.path().join("no/app.db")), Err(Error::Directory { .. })));
        assert_eq!(names(folder.path()), ["app.db"]);
    }

    #[test]
    fn a_name_beside_which_another_database_left_its_journal_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.db");
        for end in JOURNALS {
            let left = beside(&path, end);
            fs::write(&left, "transactions").unwrap();
            assert!(matches!(Output::begin(&path), Err(Error::Journal(found)) if found == left));
            fs::write(&left, "").unwrap();
            drop(Output::begin(&path).unwrap());
            fs::remove_file(&left).unwrap();
        }
    }
}
