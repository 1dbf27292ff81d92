//! A database's file that nobody writes, as the whole that a snapshot is made of.

use std::fs::File;
use std::io::{BufReader, Read as _};
use std::path::{Path, PathBuf};

use crate::volume::log::change::{Shape, lock_page};
use crate::volume::log::ltx::StreamError;
use crate::volume::log::retain::{Visit, Whole};

/// Bytes read at once.
const BUFFER_BYTES: usize = 256 << 10;

/// A file whose pages are those of the log.
#[derive(Debug)]
pub struct WholeFile {
    path: PathBuf,
    shape: Shape,
}

impl WholeFile {
    /// The file at `path`, a database of that shape.
    #[must_use]
    pub fn at(path: &Path, shape: Shape) -> Self {
        Self { path: path.to_owned(), shape }
    }
}

impl Whole for WholeFile {
    fn shape(&self) -> Shape {
        self.shape
    }

    fn each_page(&self, visit: &mut Visit<'_>) -> Result<(), StreamError> {
        let file = File::open(&self.path).map_err(StreamError::Keep)?;
        let mut file = BufReader::with_capacity(BUFFER_BYTES, file);
        let mut page = vec![0; usize::try_from(self.shape.page_size).unwrap_or_default()];
        for number in 1..=self.shape.database_pages {
            file.read_exact(&mut page).map_err(StreamError::Keep)?;
            if number != lock_page(self.shape.page_size) {
                visit(number, &page)?;
            }
        }
        Ok(())
    }
}
