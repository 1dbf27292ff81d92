//! A directory of one's own in `LOCAL_DIR`, for files that nobody needs afterwards.

use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error as ThisError;

use crate::store::sqlite::workplace::Workplace;

/// There is no place for files.
#[derive(Debug, ThisError)]
#[error("no files can be made in \"{path}\" (LOCAL_DIR)", path = path.display())]
pub(super) struct Error {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// The directory; gone when this is dropped, or when another instance finds that its process is.
#[derive(Debug)]
pub(super) struct Scratch(Workplace);

impl Scratch {
    pub(super) fn in_directory(directory: &Path) -> Result<Self, Error> {
        Workplace::claim(directory).map(Self).map_err(|source| Error { path: directory.to_owned(), source })
    }

    pub(super) fn path(&self) -> &Path {
        self.0.path()
    }
}
