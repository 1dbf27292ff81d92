//! Where an instance keeps its working copy: a directory of its own below `LOCAL_DIR`.
//!
//! A process that is killed leaves its copy behind, as large as the database. Where the disk outlives the process (a
//! container that is started again), the next one removes it. Who is alive is told by a lock, which the kernel takes
//! from the dead: `LOCAL_DIR` is local, or SQLite could not work there either.
//!
//! ```text
//! <LOCAL_DIR>/<nonce>.lock    locked while its maker lives; made before the directory, removed after it
//! <LOCAL_DIR>/<nonce>/        the working copy
//! ```

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};

use crate::clock;

/// Digits of a name.
const NAME_LENGTH: usize = 16;

const LOCK: &str = "lock";

/// A directory that no other process and no earlier one has; removed when dropped.
#[derive(Debug)]
pub struct Workplace {
    directory: PathBuf,
    lock: PathBuf,
    /// Open as long as the process lives.
    _held: File,
}

impl Workplace {
    /// Makes one, and removes those of the dead.
    ///
    /// # Errors
    /// What the system said.
    pub fn claim(local_dir: &Path) -> io::Result<Self> {
        fs::create_dir_all(local_dir)?;
        sweep(local_dir);
        loop {
            let nonce = clock::nonce().map_err(|error| io::Error::other(error.to_string()))?;
            let directory = local_dir.join(format!("{nonce:016x}"));
            let lock = directory.with_extension(LOCK);
            let held = File::create_new(&lock)?;
            held.lock()?;
            // Between its making and its locking it may have been swept.
            if is_same(&held, &lock) {
                fs::create_dir(&directory)?;
                return Ok(Self { directory, lock, _held: held });
            }
        }
    }

    /// The directory.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Workplace {
    fn drop(&mut self) {
        // What cannot be removed now is swept by the next one.
        if fs::remove_dir_all(&self.directory).is_ok() {
            let _ = fs::remove_file(&self.lock);
        }
    }
}

/// Removes the directories whose makers are dead, as far as possible.
fn sweep(local_dir: &Path) {
    let Ok(entries) = fs::read_dir(local_dir) else { return };
    let mut paths: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| is_name(path)).collect();
    // A directory is looked at before its lock.
    paths.sort();
    for path in paths {
        let lock = path.with_extension(LOCK);
        match File::open(&lock) {
            Ok(file) => match file.try_lock() {
                Ok(()) => remove(&path.with_extension(""), &lock),
                Err(TryLockError::WouldBlock | TryLockError::Error(_)) => {}
            },
            Err(error) if error.kind() == io::ErrorKind::NotFound => remove(&path, &lock),
            Err(_) => {}
        }
    }
}

fn remove(directory: &Path, lock: &Path) {
    let removed = fs::remove_dir_all(directory);
    if removed.is_ok() || removed.is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        let _ = fs::remove_file(lock);
    }
}

/// A name that was made here.
fn is_name(path: &Path) -> bool {
    let is_hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
    let name = path.file_stem().and_then(|name| name.to_str());
    name.is_some_and(|name| name.len() == NAME_LENGTH && name.bytes().all(is_hexadecimal))
        && path.extension().is_none_or(|extension| extension == LOCK)
}

fn is_same(file: &File, path: &Path) -> bool {
    let identity = |metadata: io::Result<fs::Metadata>| metadata.ok().map(|metadata| (metadata.dev(), metadata.ino()));
    let held = identity(file.metadata());
    held.is_some() && held == identity(fs::metadata(path))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn names(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn what_the_dead_left_is_removed_and_what_the_living_have_stays() {
        let local_dir = tempfile::tempdir().unwrap();
        let alive = Workplace::claim(local_dir.path()).unwrap();
        fs::write(alive.path().join("copy.db"), b"alive").unwrap();
        // One without a lock, one whose lock nobody holds, a lock without directory.
        for dead in ["00000000000000aa", "00000000000000bb"] {
            fs::create_dir(local_dir.path().join(dead)).unwrap();
            fs::write(local_dir.path().join(dead).join("copy.db"), b"dead").unwrap();
        }
        for lock in ["00000000000000bb.lock", "00000000000000cc.lock"] {
            fs::write(local_dir.path().join(lock), b"").unwrap();
        }
        for strange in ["notes", "00000000000000bb.txt"] {
            fs::write(local_dir.path().join(strange), b"not ours").unwrap();
        }
        let second = Workplace::claim(local_dir.path()).unwrap();
        let mut expected: Vec<String> = ["notes", "00000000000000bb.txt"].map(str::to_owned).to_vec();
        for living in [&alive, &second] {
            let name = living.path().file_name().unwrap().to_str().unwrap();
            expected.extend([name.to_owned(), format!("{name}.lock")]);
        }
        expected.sort();
        assert_eq!(names(local_dir.path()), expected);
        assert_eq!(fs::read(alive.path().join("copy.db")).unwrap(), b"alive");
        drop((alive, second));
        assert_eq!(names(local_dir.path()), ["00000000000000bb.txt", "notes"]);
    }

    #[test]
    fn many_at_once_get_each_their_own() {
        let local_dir = tempfile::tempdir().unwrap();
        let claimed: Vec<Workplace> = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(|| Workplace::claim(local_dir.path()).unwrap())).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert!(claimed.iter().all(|workplace| workplace.path().is_dir()));
    }
}
