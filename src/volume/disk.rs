//! A volume that is mounted as a directory.
//!
//! Two ways to make a file whole if and only if its name is free; the probe knows which one a mount has:
//!
//! | strategy | steps | where |
//! |---|---|---|
//! | [`Strategy::HardLink`] | write aside, fsync, `link(2)`, fsync of the directory, unlink aside | local, NFS, `CephFS`, `GlusterFS` |
//! | [`Strategy::ExclusiveCreate`] | `O_CREAT` and `O_EXCL`, strictly sequential writes, fsync, `close`; if the name is taken, fsync of what has it | Cloud Storage FUSE |
//!
//! Exclusive create is right only where a file appears whole at its `close`: elsewhere a writer that is killed leaves
//! a torn file, and a torn slot stops the log until a person removes it. `rename(2)` is used nowhere: it overwrites.

use std::fs::{self, File};
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rustix::fs::Dir;
use rustix::io::Errno;

use super::{Counted, Operation, PutError, Refusal, Usage, Volume, Writing};
use crate::clock::{self, Deadline};

#[cfg(test)]
mod tests;

/// Where files are written before they are linked to their names.
const ASIDE: &str = "tmp";

/// How long a mount may believe that a new directory of another host is absent: Cloud Storage FUSE forgets after 5 s.
const BELIEVED_ABSENT_FOR: Duration = Duration::from_secs(6);

/// Between two looks for such a directory.
const BETWEEN_LOOKS: Duration = Duration::from_millis(20);

/// How a file is made if its name is free.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Strategy {
    /// Written aside and linked: the name never shows a torn file.
    HardLink,
    /// Created exclusively and published by its close, where hard links do not exist.
    ExclusiveCreate,
}

/// One database's directory on a mounted file system.
///
/// The directory must not be the mount's root: the root is not revalidated by opening it.
#[derive(Debug)]
pub struct Disk {
    root: PathBuf,
    /// The file system that `root` was on when it was opened.
    device: u64,
    strategy: Strategy,
    usage: Usage,
}

impl Disk {
    /// The directory `root`, which is made when it is missing.
    ///
    /// # Errors
    /// What the system said when it could not be made.
    pub fn open(root: impl Into<PathBuf>, strategy: Strategy) -> io::Result<Self> {
        let root = root.into();
        make_directory(&root.join(ASIDE))?;
        let device = fs::metadata(&root)?.dev();
        Ok(Self { root, device, strategy, usage: Usage::default() })
    }

    /// The directory `root` as it is, to be read: nothing is made in it.
    #[must_use]
    pub fn to_read(root: impl Into<PathBuf>) -> Self {
        let root = root.into();
        // Without the directory there is nothing to read, whatever the device.
        let device = fs::metadata(&root).map_or(0, |root| root.dev());
        Self { root, device, strategy: Strategy::HardLink, usage: Usage::default() }
    }

    /// Removes what killed writers left aside more than `age_seconds` ago, by the file system's clock; says how many.
    ///
    /// A writer whose file is taken away in the middle only fails its put, and puts again.
    ///
    /// # Errors
    /// What the system said.
    pub fn sweep(&self, age_seconds: u64) -> io::Result<usize> {
        let mut removed = 0;
        let probe = self.aside()?;
        let now = File::create(&probe)?.metadata()?.modified()?;
        fs::remove_file(&probe)?;
        for entry in fs::read_dir(self.root.join(ASIDE))? {
            let entry = entry?;
            let Ok(modified) = entry.metadata().and_then(|metadata| metadata.modified()) else { continue };
            if now.duration_since(modified).is_ok_and(|age| age.as_secs() >= age_seconds) {
                fs::remove_file(entry.path())?;
                removed += 1;
            }
        }
        Ok(removed)
    }

    /// Opens a directory of the log, `None` when it was not made yet.
    ///
    /// A volume that was unmounted leaves an empty directory in its place: nothing must be found or made there.
    fn open_directory(&self, directory: &str) -> io::Result<Option<File>> {
        match File::open(self.root.join(directory)) {
            Ok(opened) => self.check_device(&opened.metadata()?).map(|()| Some(opened)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                self.check_device(&fs::metadata(&self.root)?).map(|()| None)
            }
            Err(error) => Err(error),
        }
    }

    fn check_device(&self, found: &fs::Metadata) -> io::Result<()> {
        if found.dev() == self.device {
            return Ok(());
        }
        Err(io::Error::other(format!("\"{}\" is not on the file system that it was on", self.root.display())))
    }

    /// Makes a directory of the log, and never the log's own.
    fn make_below(&self, path: &Path) -> io::Result<()> {
        self.check_device(&fs::metadata(&self.root)?)?;
        make_directory(path)
    }

    /// A name that no other writer on any host has.
    fn aside(&self) -> io::Result<PathBuf> {
        let nonce = clock::nonce().map_err(|error| io::Error::other(error.to_string()))?;
        Ok(self.root.join(ASIDE).join(format!("{nonce:016x}")))
    }

    fn put(&self, path: &str, write: &mut Writing<'_>) -> Result<(), PutError> {
        self.usage.count(Operation::Put, 0);
        let path = self.root.join(path);
        let mut put = || match self.strategy {
            Strategy::HardLink => self.put_by_link(&path, write),
            Strategy::ExclusiveCreate => self.put_by_create(&path, write),
        };
        match put() {
            // The first put of a database, or of a level: its directory is not there yet.
            Err(PutError::Refused(error)) if error.kind() == io::ErrorKind::NotFound => {
                self.make_below(&self.root.join(ASIDE)).map_err(PutError::Refused)?;
                path.parent().map_or(Ok(()), |parent| self.make_below(parent)).map_err(PutError::Refused)?;
                put()
            }
            answer => answer,
        }
    }

    fn put_by_link(&self, path: &Path, write: &mut Writing<'_>) -> Result<(), PutError> {
        let aside = self.aside().map_err(PutError::Refused)?;
        let put = match self.write_new(&aside, write) {
            Ok(()) => link(&aside, path),
            Err(error) => Err(PutError::Refused(error)),
        };
        // The file aside is litter now, whatever happened; what cannot be removed is swept later.
        let _ = fs::remove_file(&aside);
        put
    }

    fn put_by_create(&self, path: &Path, write: &mut Writing<'_>) -> Result<(), PutError> {
        match File::create_new(path) {
            Ok(file) => match self.write_to(file, write).and_then(|()| sync_directory_of(path)) {
                // The name was taken when it came to that (Cloud Storage FUSE).
                Err(error) if error.kind() == io::ErrorKind::StaleNetworkFileHandle => Ok(()),
                written => written.map_err(PutError::Doubtful),
            },
            // It may be one's own, from a put whose sync failed: that it is there does not make it durable.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                sync_file(path).and_then(|()| sync_directory_of(path)).map_err(PutError::Doubtful)
            }
            Err(error) => Err(failed_put(error)),
        }
    }

    /// Makes a file that is not there, in one pass without seeking, and believes it only when its close succeeded.
    fn write_new(&self, path: &Path, write: &mut Writing<'_>) -> io::Result<()> {
        self.write_to(File::create_new(path)?, write)
    }

    fn write_to(&self, mut file: File, write: &mut Writing<'_>) -> io::Result<()> {
        write(&mut Counted { file: &mut file, bytes: &self.usage.bytes_put })?;
        file.sync_all()?;
        // With streaming writes (Cloud Storage FUSE) only the close publishes, and dropping a `File` swallows its answer.
        nix::unistd::close(file).map_err(io::Error::from)
    }
}

impl Volume for Disk {
    fn visit(&self, directory: &str, take: &mut dyn FnMut(&str)) -> io::Result<()> {
        self.usage.count(Operation::List, 0);
        let Some(opened) = self.open_directory(directory)? else { return Ok(()) };
        for entry in Dir::new(opened)? {
            // A name that is not text is none of the log's.
            if let Ok(name) = entry?.file_name().to_str()
                && name != "."
                && name != ".."
            {
                take(name);
            }
        }
        Ok(())
    }

    fn revalidate(&self, directory: &str) -> io::Result<()> {
        self.usage.count(Operation::Revalidate, 0);
        // Close-to-open consistency: opening asks the server for the directory's attributes, and names believed absent
        // are forgotten when they changed.
        self.open_directory(directory).map(drop)
    }

    fn forgets_when_revalidated(&self) -> bool {
        self.strategy == Strategy::HardLink
    }

    fn read(&self, path: &str, limit_bytes: u64) -> io::Result<Option<Vec<u8>>> {
        let read = read_fresh(&self.root.join(path), limit_bytes);
        let bytes = read.as_ref().ok().and_then(Option::as_ref).map_or(0, Vec::len);
        self.usage.count(Operation::Read, bytes);
        read
    }

    fn open(&self, path: &str, limit_bytes: u64) -> io::Result<Option<Box<dyn Read + '_>>> {
        self.usage.count(Operation::Read, 0);
        match File::open(self.root.join(path)) {
            Ok(file) => {
                let file = Counted { file, bytes: &self.usage.bytes_read };
                Ok(Some(Box::new(file.take(limit_bytes))))
            }
            Err(error) if is_gone(&error) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn put_if_absent(&self, path: &str, bytes: &[u8]) -> Result<(), PutError> {
        self.put(path, &mut |file| file.write_all(bytes))
    }

    fn put_stream_if_absent(&self, path: &str, write: &mut Writing<'_>) -> Result<(), PutError> {
        self.put(path, write)
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.usage.count(Operation::Remove, 0);
        match fs::remove_file(self.root.join(path)) {
            Err(error) if !is_gone(&error) => Err(error),
            Ok(()) | Err(_) => Ok(()),
        }
    }

    fn usage(&self) -> &Usage {
        &self.usage
    }
}

/// Makes a directory and those above it, durably, and returns when this host sees it.
///
/// One that another host makes at the same moment is there, but the mount may believe for a while that it is not: then
/// making it says "exists", and nothing can be made in it.
pub(super) fn make_directory(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|above| !above.exists()).collect();
    make_seen(path)?;
    // A file below is no more durable than the names that lead to it.
    missing.iter().rev().try_for_each(|made| match sync_directory_of(made) {
        // The one above it can be written and not read: no more can be done.
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => Ok(()),
        answer => answer,
    })
}

fn make_seen(path: &Path) -> io::Result<()> {
    let patience = Deadline::after(BELIEVED_ABSENT_FOR);
    loop {
        match fs::create_dir_all(path) {
            // What this host sees and is none will not become one.
            Err(_) if path.metadata().is_ok_and(|found| !found.is_dir()) => {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists && !patience.is_past() => {
                std::thread::sleep(BETWEEN_LOOKS);
                for above in path.ancestors().skip(1) {
                    // Only to have the mount forget: what is wrong with it is said by the next attempt.
                    let _ = File::open(above);
                }
            }
            made => return made,
        }
    }
}

/// Links `aside` to `path` if that is free, and makes what has the name durable.
fn link(aside: &Path, path: &Path) -> Result<(), PutError> {
    match fs::hard_link(aside, path) {
        Err(error) if error.kind() != io::ErrorKind::AlreadyExists => Err(failed_put(error)),
        // Also after "exists": the link may be one's own, from a put whose sync failed.
        Ok(()) | Err(_) => sync_directory_of(path).map_err(PutError::Doubtful),
    }
}

/// What the answer says about whether the name was taken by it.
fn failed_put(error: io::Error) -> PutError {
    if error.kind() == io::ErrorKind::NotFound || Refusal::of(&error) != Refusal::Failing {
        PutError::Refused(error)
    } else {
        PutError::Doubtful(error)
    }
}

/// Makes the new name durable where the file system has such a thing.
fn sync_directory_of(path: &Path) -> io::Result<()> {
    let directory = match path.parent() {
        Some(directory) if directory.as_os_str().is_empty() => Path::new("."),
        Some(directory) => directory,
        None => return Ok(()),
    };
    match File::open(directory)?.sync_all() {
        // FUSE and SMB have no fsync of directories: there a name is durable when the file is.
        Err(error) if matches!(Errno::from_io_error(&error), Some(Errno::INVAL | Errno::NOSYS | Errno::NOTSUP)) => {
            Ok(())
        }
        answer => answer,
    }
}

/// Makes the file of that name durable, whoever wrote it.
fn sync_file(path: &Path) -> io::Result<()> {
    let file = File::open(path)?;
    file.sync_all()?;
    nix::unistd::close(file).map_err(io::Error::from)
}

fn read_fresh(path: &Path, limit_bytes: u64) -> io::Result<Option<Vec<u8>>> {
    let read = File::open(path).and_then(|file| {
        // A hint, which may be stale: with room for all of it there is one read, not one for each doubling.
        let length = file.metadata()?.len().min(limit_bytes).saturating_add(1);
        let mut bytes = Vec::with_capacity(usize::try_from(length).map_err(io::Error::other)?);
        file.take(limit_bytes.saturating_add(1)).read_to_end(&mut bytes)?;
        Ok(bytes)
    });
    match read {
        Ok(bytes) if u64::try_from(bytes.len()).is_ok_and(|length| length > limit_bytes) => {
            Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {limit_bytes} bytes")))
        }
        Ok(bytes) => Ok(Some(bytes)),
        Err(error) if is_gone(&error) => Ok(None),
        Err(error) => Err(error),
    }
}

/// True when the name is not there: network file systems say "stale" when it was removed under one's hands.
fn is_gone(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::StaleNetworkFileHandle)
}
