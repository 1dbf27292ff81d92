//! A directory of one's own in `LOCAL_DIR`, for files that nobody needs afterwards.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error as ThisError;

use crate::clock;

/// There is no place for files.
#[derive(Debug, ThisError)]
#[error("no files can be made in \"{path}\" (LOCAL_DIR)", path = path.display())]
pub(super) struct Error {
    path: PathBuf,
    #[source]
    source: io::Error,
}

/// The directory; gone when it is dropped.
#[derive(Debug)]
pub(super) struct Scratch(PathBuf);

impl Scratch {
    pub(super) fn in_directory(directory: &Path) -> Result<Self, Error> {
        let make = || -> io::Result<PathBuf> {
            let nonce = clock::nonce().map_err(|error| io::Error::other(error.to_string()))?;
            let path = directory.join(format!("{nonce:016x}"));
            fs::create_dir_all(&path)?;
            Ok(path)
        };
        make().map(Self).map_err(|source| Error { path: directory.to_owned(), source })
    }

    pub(super) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        // What cannot be removed is on a local disk that goes with the instance.
        let _ = fs::remove_dir_all(&self.0);
    }
}
