//! A database's file while no one has it open: made from a snapshot and the slots after it.

use std::fs::File;
use std::io::{self, BufWriter, Seek, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::volume::log::Pages;
use crate::volume::log::change::{Change, Shape};

/// Bytes written at once.
const BUFFER_BYTES: usize = 256 << 10;

/// A file that is being made. Nothing is on disk while it has no page: an empty log makes no file.
#[derive(Debug)]
pub(in crate::volume::log) struct NewFile {
    path: PathBuf,
    file: Option<BufWriter<File>>,
    /// Where the next page goes if it follows the last one.
    end: u64,
}

impl NewFile {
    pub(in crate::volume::log) fn at(path: &Path) -> Self {
        Self { path: path.to_owned(), file: None, end: 0 }
    }

    /// Writes the pages of a commit group and sets the database's size.
    pub(in crate::volume::log) fn apply(&mut self, change: &Change) -> io::Result<()> {
        change.pages.iter().try_for_each(|(&number, content)| self.page(number, content))?;
        self.finish(change.shape())
    }

    /// Sets the database's size: pages past it are cut off, a lock page at its end is there as a hole.
    pub(in crate::volume::log) fn finish(&mut self, shape: Shape) -> io::Result<()> {
        let size_bytes = u64::from(shape.database_pages) * u64::from(shape.page_size);
        let file = self.open()?;
        file.flush()?;
        file.get_ref().set_len(size_bytes)
    }

    /// Makes what was written durable.
    pub(in crate::volume::log) fn sync(&mut self) -> io::Result<()> {
        let file = self.open()?;
        file.flush()?;
        file.get_ref().sync_all()
    }

    fn open(&mut self) -> io::Result<&mut BufWriter<File>> {
        match &mut self.file {
            Some(file) => Ok(file),
            none => Ok(none.insert(BufWriter::with_capacity(BUFFER_BYTES, File::create(&self.path)?))),
        }
    }
}

impl Pages for NewFile {
    fn restart(&mut self) -> io::Result<()> {
        self.end = 0;
        match self.file.take() {
            Some(_) => std::fs::remove_file(&self.path),
            None => Ok(()),
        }
    }

    fn page(&mut self, number: u32, content: &[u8]) -> io::Result<()> {
        let length = u64::try_from(content.len()).map_err(io::Error::other)?;
        let start = u64::from(number.saturating_sub(1)) * length;
        let end = self.end;
        let file = self.open()?;
        if start != end {
            file.seek(SeekFrom::Start(start))?;
        }
        file.write_all(content)?;
        self.end = start + length;
        Ok(())
    }
}
