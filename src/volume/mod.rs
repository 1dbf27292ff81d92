//! The mounted directory: what it can do, and the log that several instances share on it.
//!
//! [`Volume`] is the few operations that the [`log`] needs of a directory, and says what the system said, never more:
//! who won a slot is decided in [`log::publish`], by reading. [`disk::Disk`] does them on a mounted file system.

use std::fmt;
use std::io::{self, Cursor, Read, Write};
use std::sync::atomic::{AtomicU64, Ordering};

use thiserror::Error;

pub mod disk;
pub mod log;
#[cfg(test)]
mod memory;
pub mod mount;
pub mod probe;

/// The directory of one database on the volume.
///
/// Paths are relative to it, in lower case, with `/` between names. All files are immutable: made whole, read, removed.
///
/// What the log builds on, and a new kind of volume must give:
///
/// 1. of several [`put_if_absent`](Volume::put_if_absent) of one name at most one takes effect while the name exists;
/// 2. [`visit`](Volume::visit) shows every name that existed from before the call until after it, and none that was
///    removed before the call;
/// 3. a file that was once there whole, and has not been removed, is read whole.
///
/// 4. after a put that was [`Refused`](PutError::Refused) nothing of it will ever be there, and after one that
///    succeeded whatever has the name survives a crash of the server.
///
/// Nothing else: a put that succeeded may have made nothing since the name was taken, one that is doubtful may have
/// taken effect, or may long after it was answered, a read may call a name absent that is there, a new file may be seen
/// torn for a while.
pub trait Volume: fmt::Debug + Send + Sync {
    /// Gives the names in `directory` to `take`, in any order; none when it does not exist. Never answered from a cache.
    ///
    /// # Errors
    /// What the system said.
    fn visit(&self, directory: &str, take: &mut dyn FnMut(&str)) -> io::Result<()>;

    /// The names in `directory`, sorted, for directories of a few thousand: as [`visit`](Self::visit).
    ///
    /// # Errors
    /// What the system said.
    fn list(&self, directory: &str) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        self.visit(directory, &mut |name| names.push(name.to_owned()))?;
        names.sort_unstable();
        Ok(names)
    }

    /// Makes the system forget names of `directory` it believes absent, as far as it can without listing them.
    ///
    /// # Errors
    /// What the system said; a missing directory is none.
    fn revalidate(&self, directory: &str) -> io::Result<()>;

    /// Whether [`revalidate`](Self::revalidate) is all it takes to see every name: so it is on local file systems and
    /// NFS, and not where a mount keeps "no such file" in a cache of its own (Cloud Storage FUSE).
    fn forgets_when_revalidated(&self) -> bool;

    /// The whole file by a fresh open; `None` when there is none of that name.
    ///
    /// # Errors
    /// What the system said; [`io::ErrorKind::FileTooLarge`] when the file has more than `limit_bytes`.
    fn read(&self, path: &str, limit_bytes: u64) -> io::Result<Option<Vec<u8>>>;

    /// The file by a fresh open, to be read once from its beginning; `None` when there is none of that name.
    ///
    /// For files that are too large for memory. It ends after `limit_bytes`, even if the file is longer.
    ///
    /// # Errors
    /// What the system said.
    fn open(&self, path: &str, limit_bytes: u64) -> io::Result<Option<Box<dyn Read + '_>>> {
        Ok(self.read(path, limit_bytes)?.map(|bytes| Box::new(Cursor::new(bytes)) as Box<dyn Read>))
    }

    /// Makes the file with these bytes if none of that name exists; never replaces one.
    ///
    /// Afterwards there is a durable file of that name: this one, or one that was there before. Whose it is is read: see
    /// [`log::publish`].
    ///
    /// # Errors
    /// [`PutError`].
    fn put_if_absent(&self, path: &str, bytes: &[u8]) -> Result<(), PutError>;

    /// Makes the file with what `write` writes, as [`put_if_absent`](Self::put_if_absent) does with bytes.
    ///
    /// For files that are too large for memory. `write` may be called again, and then must write the same.
    ///
    /// # Errors
    /// As [`put_if_absent`](Self::put_if_absent), and what `write` said.
    fn put_stream_if_absent(&self, path: &str, write: &mut Writing<'_>) -> Result<(), PutError> {
        let mut bytes = Vec::new();
        write(&mut bytes).map_err(PutError::Refused)?;
        self.put_if_absent(path, &bytes)
    }

    /// Removes the file; one that is not there is removed already.
    ///
    /// # Errors
    /// What the system said.
    fn remove(&self, path: &str) -> io::Result<()>;

    /// What was asked of the volume so far.
    fn usage(&self) -> &Usage;
}

/// Why it is not known that a durable file of a name is there.
#[derive(Debug, Error)]
pub enum PutError {
    /// Nothing was made, and nothing will be: the volume is full, read-only, or not this user's to write.
    #[error("nothing was made")]
    Refused(#[source] io::Error),
    /// It may have been made, and may still be: no answer, or none that can be relied on.
    #[error("it may have been made")]
    Doubtful(#[source] io::Error),
}

/// Why a volume takes no file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Refusal {
    /// There is no space left on it, or for this user.
    #[error("it is full")]
    Full,
    /// It is mounted read-only, or this user may not write it.
    #[error("it cannot be written")]
    ReadOnly,
    /// Something is wrong with it: try again.
    #[error("it fails")]
    Failing,
}

impl Refusal {
    /// What the system's answer means.
    #[must_use]
    pub fn of(error: &io::Error) -> Self {
        let kind = error.kind();
        if matches!(kind, io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded) {
            Self::Full
        } else if matches!(kind, io::ErrorKind::ReadOnlyFilesystem | io::ErrorKind::PermissionDenied) {
            Self::ReadOnly
        } else {
            Self::Failing
        }
    }
}

impl PutError {
    /// What the system said.
    #[must_use]
    pub fn into_inner(self) -> io::Error {
        match self {
            Self::Refused(error) | Self::Doubtful(error) => error,
        }
    }
}

/// Writes a file's bytes, in order.
pub type Writing<'a> = dyn FnMut(&mut dyn Write) -> io::Result<()> + 'a;

/// What is asked of a volume: the user's bill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Operation {
    /// Names of a directory.
    List,
    /// A directory opened, to revalidate it.
    Revalidate,
    /// A file read.
    Read,
    /// A file made.
    Put,
    /// A file removed.
    Remove,
}

impl Operation {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::List, Self::Revalidate, Self::Read, Self::Put, Self::Remove];

    /// The kind's name, as a label.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::List => "list",
            Self::Revalidate => "revalidate",
            Self::Read => "read",
            Self::Put => "put",
            Self::Remove => "remove",
        }
    }
}

/// Counts operations and bytes since the start, by kind.
#[derive(Debug, Default)]
pub struct Usage {
    operations: [AtomicU64; Operation::ALL.len()],
    bytes_read: AtomicU64,
    bytes_put: AtomicU64,
}

impl Usage {
    /// How often `operation` was asked, whatever came of it.
    #[must_use]
    pub fn operations(&self, operation: Operation) -> u64 {
        self.operations.get(operation as usize).map_or(0, |count| count.load(Ordering::Relaxed))
    }

    /// Bytes of the files that were read.
    #[must_use]
    pub fn bytes_read(&self) -> u64 {
        self.bytes_read.load(Ordering::Relaxed)
    }

    /// Bytes of the files that were put, losers' as well: they were sent.
    #[must_use]
    pub fn bytes_put(&self) -> u64 {
        self.bytes_put.load(Ordering::Relaxed)
    }

    /// Counts one operation that moved `bytes`.
    fn count(&self, operation: Operation, bytes: usize) {
        if let Some(count) = self.operations.get(operation as usize) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        match operation {
            Operation::Read => add(&self.bytes_read, bytes),
            Operation::Put => add(&self.bytes_put, bytes),
            Operation::List | Operation::Revalidate | Operation::Remove => {}
        }
    }
}

fn add(bytes: &AtomicU64, more: usize) {
    bytes.fetch_add(u64::try_from(more).unwrap_or(u64::MAX), Ordering::Relaxed);
}

/// A file that goes by, its bytes counted as they move.
struct Counted<'a, File> {
    file: File,
    bytes: &'a AtomicU64,
}

impl<File: Read> Read for Counted<'_, File> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read(buffer)?;
        add(self.bytes, read);
        Ok(read)
    }
}

impl<File: Write> Write for Counted<'_, File> {
    fn write(&mut self, buffer: &[u8]) -> io::Result<usize> {
        let written = self.file.write(buffer)?;
        add(self.bytes, written);
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}
