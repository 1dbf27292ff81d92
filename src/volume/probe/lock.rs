//! Locks and shared memory, tried on a file: between two opens of one process, and against a second process.
//!
//! POSIX locks belong to the process, so two opens of one process do not see each other's. Locks of open file
//! descriptions do, and conflict with POSIX locks of the same process: that tells, within microseconds, whether the
//! file system keeps locks at all. The second process tells the same in the way that SQLite uses it.
//!
//! Source: fcntl(2), "Open file description locks".

#![allow(unsafe_code, reason = "mapping a file into memory is unsafe: others may change it")]

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use rustix::mm::{MapFlags, ProtFlags, mmap, munmap};

use super::Tried;
use crate::clock::Deadline;

/// Bytes of the file that is locked and mapped: a page.
const FILE_BYTES: usize = 4096;

/// How long a second process may take: it does two calls.
const PEER_TIMEOUT: Duration = Duration::from_secs(10);

/// What locks and shared memory came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sharing {
    /// Whether a lock keeps others out.
    pub locks: Tried,
    /// Whether memory that is mapped from one file is the same for all.
    pub memory: Tried,
}

/// Starts the second process, which must call [`answer`] with the file and print what it gives.
pub type Peer<'a> = &'a dyn Fn(&Path) -> io::Result<Command>;

/// Tries both between two opens of this process. Locks are [`Tried::Untried`] where the kernel has none of open files.
///
/// # Errors
/// When the file cannot be made.
pub(super) fn within(path: &Path) -> io::Result<Sharing> {
    let (first, second) = (make(path)?, open(path)?);
    let locks = match lock(&first, FcntlArg::F_SETLK(&exclusive())) {
        Err(error) => Tried::Fails(format!("a lock is refused: {error}")),
        Ok(()) => match lock(&second, FcntlArg::F_OFD_SETLK(&exclusive())) {
            Ok(()) => Tried::Fails("two opens of one file got the same exclusive lock".to_owned()),
            Err(Errno::EAGAIN | Errno::EACCES) => Tried::Works,
            Err(_) => Tried::Untried,
        },
    };
    let memory = match (Mapped::new(&first), Mapped::new(&second)) {
        (Ok(one), Ok(other)) => {
            one.word(0).store(1, Ordering::SeqCst);
            if other.word(0).load(Ordering::SeqCst) == 1 {
                Tried::Works
            } else {
                Tried::Fails("what is written through one mapping is not seen through another".to_owned())
            }
        }
        (Err(error), _) | (_, Err(error)) => Tried::Fails(format!("the file cannot be mapped: {error}")),
    };
    Ok(Sharing { locks, memory })
}

/// Tries both against a second process.
///
/// # Errors
/// When the file cannot be made or the second process does not answer.
pub(super) fn between(path: &Path, peer: Peer<'_>) -> io::Result<Sharing> {
    let file = make(path)?;
    let held = lock(&file, FcntlArg::F_SETLK(&exclusive()));
    let mapped = Mapped::new(&file);
    if let Ok(mapped) = &mapped {
        mapped.word(0).store(QUESTION, Ordering::SeqCst);
    }
    let answer = ask(peer(path)?)?;
    let says = |word: &str| answer.split_whitespace().any(|said| said == word);
    let locks = match held {
        Err(error) => Tried::Fails(format!("a lock is refused: {error}")),
        Ok(()) if says("excluded") => Tried::Works,
        Ok(()) if says("locked") => Tried::Fails("a second process got the lock that the first one holds".to_owned()),
        Ok(()) => Tried::Fails("a second process can take no lock at all".to_owned()),
    };
    let memory = match mapped {
        Err(error) => Tried::Fails(format!("the file cannot be mapped: {error}")),
        Ok(mapped) if says("seen") && mapped.word(1).load(Ordering::SeqCst) == ANSWER => Tried::Works,
        Ok(_) => Tried::Fails("two processes that map one file do not see the same memory".to_owned()),
    };
    Ok(Sharing { locks, memory })
}

/// What the first process writes into the shared memory, and what the second one writes beside it.
const QUESTION: u64 = 0x6265_7274_683f;
const ANSWER: u64 = 0x6265_7274_6821;

/// The second process' part: what it sees of the file, as words for the first one.
///
/// # Errors
/// When the file cannot be opened.
pub fn answer(path: &Path) -> io::Result<String> {
    let file = open(path)?;
    let lock = match lock(&file, FcntlArg::F_SETLK(&exclusive())) {
        Ok(()) => "locked",
        Err(Errno::EAGAIN | Errno::EACCES) => "excluded",
        Err(_) => "lockless",
    };
    let memory = match Mapped::new(&file) {
        Ok(mapped) if mapped.word(0).load(Ordering::SeqCst) == QUESTION => {
            mapped.word(1).store(ANSWER, Ordering::SeqCst);
            "seen"
        }
        Ok(_) | Err(_) => "unseen",
    };
    Ok(format!("{lock} {memory}"))
}

fn make(path: &Path) -> io::Result<File> {
    let file = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
    file.set_len(FILE_BYTES as u64)?;
    Ok(file)
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).write(true).open(path)
}

/// An exclusive lock of the first byte.
fn exclusive() -> libc::flock {
    libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 1,
        l_pid: 0,
    }
}

fn lock(file: &File, argument: FcntlArg<'_>) -> Result<(), Errno> {
    fcntl(file, argument).map(drop)
}

fn ask(mut command: Command) -> io::Result<String> {
    let mut child = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null()).spawn()?;
    let deadline = Deadline::after(PEER_TIMEOUT);
    while child.try_wait()?.is_none() {
        if deadline.is_past() {
            child.kill()?;
            child.wait()?;
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the second process does not end"));
        }
        std::thread::sleep(Duration::from_millis(1));
    }
    let mut answer = String::new();
    if let Some(mut output) = child.stdout.take() {
        io::Read::read_to_string(&mut output, &mut answer)?;
    }
    Ok(answer)
}

/// A file's first page in memory.
struct Mapped(*mut std::ffi::c_void);

impl Mapped {
    fn new(file: &File) -> io::Result<Self> {
        let protection = ProtFlags::READ | ProtFlags::WRITE;
        // SAFETY: a new mapping at an address of the kernel's choice aliases nothing of this process.
        let address = unsafe { mmap(std::ptr::null_mut(), FILE_BYTES, protection, MapFlags::SHARED, file, 0) }?;
        Ok(Self(address))
    }

    /// One of the page's first eight words.
    fn word(&self, index: usize) -> &AtomicU64 {
        // SAFETY: the mapping is a page, so aligned and longer than eight words, lives as long as `self`, and is only
        // touched through atomics, here and in the other process.
        unsafe { &*self.0.cast::<AtomicU64>().add(index & 7) }
    }
}

impl Drop for Mapped {
    fn drop(&mut self) {
        // SAFETY: it was mapped with this length, and no word of it is borrowed any more.
        let _ = unsafe { munmap(self.0, FILE_BYTES) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_directory_keeps_locks_and_shares_memory() {
        let folder = tempfile::tempdir().unwrap();
        let sharing = within(&folder.path().join("file")).unwrap();
        assert_eq!(sharing, Sharing { locks: Tried::Works, memory: Tried::Works });
    }

    #[test]
    fn a_second_process_that_says_nothing_counts_as_failure() {
        let folder = tempfile::tempdir().unwrap();
        let sharing = between(&folder.path().join("file"), &|_| Ok(Command::new("true"))).unwrap();
        assert!(matches!(sharing.locks, Tried::Fails(_)), "{sharing:?}");
        assert!(matches!(sharing.memory, Tried::Fails(_)), "{sharing:?}");
    }

    #[test]
    fn the_second_process_sees_what_the_first_one_wrote() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let file = make(&path).unwrap();
        let mapped = Mapped::new(&file).unwrap();
        mapped.word(0).store(QUESTION, Ordering::SeqCst);
        // In one process the lock is no obstacle.
        assert_eq!(answer(&path).unwrap(), "locked seen");
        assert_eq!(mapped.word(1).load(Ordering::SeqCst), ANSWER);
    }
}
