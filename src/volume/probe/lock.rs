//! Locks and shared memory, tried on a file: between two opens of one process, and by SQLite in a second process.
//!
//! POSIX locks belong to the process, so two opens of one process do not see each other's. Locks of open file
//! descriptions do, and conflict with POSIX locks of the same process: that tells, within microseconds, whether the
//! file system keeps locks at all. The second process does what SQLite in place needs: it reads what the first one
//! committed, whose place in the WAL only the shared memory knows, and asks for the lock that the first one holds.
//!
//! Source: fcntl(2), "Open file description locks"; <https://www.sqlite.org/walformat.html>, "The WAL-Index File Format".

use std::fs::{File, OpenOptions};
use std::io;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::libc;
use rusqlite::{Connection, ErrorCode, OpenFlags};

use super::Tried;
use crate::clock::Deadline;

/// How long a second process may take: it does a few calls.
const PEER_TIMEOUT: Duration = Duration::from_secs(10);

/// What locks and shared memory came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sharing {
    /// Whether a lock keeps others out.
    pub locks: Tried,
    /// Whether the memory of SQLite's WAL index is the same for all.
    pub memory: Tried,
}

/// Starts the second process, which must call [`answer`] with the file and print what it gives.
pub type Peer<'a> = &'a dyn Fn(&Path) -> io::Result<Command>;

/// Tries locks between two opens of this process: [`Tried::Untried`] where the kernel has none of open files.
///
/// # Errors
/// When the file cannot be made.
pub(super) fn within(path: &Path) -> io::Result<Tried> {
    let first = OpenOptions::new().read(true).write(true).create_new(true).open(path)?;
    let second = OpenOptions::new().read(true).write(true).open(path)?;
    Ok(match lock(&first, FcntlArg::F_SETLK(&exclusive())) {
        Err(error) => Tried::Fails(format!("a lock is refused: {error}")),
        Ok(()) => match lock(&second, FcntlArg::F_OFD_SETLK(&exclusive())) {
            Ok(()) => Tried::Fails("two opens of one file got the same exclusive lock".to_owned()),
            Err(Errno::EAGAIN | Errno::EACCES) => Tried::Works,
            Err(_) => Tried::Untried,
        },
    })
}

/// Tries both against a second process.
///
/// # Errors
/// When the second process does not answer.
pub(super) fn between(path: &Path, peer: Peer<'_>) -> io::Result<Sharing> {
    let (mode, writer) = match hold(path) {
        Ok(held) => held,
        Err(error) => {
            let fails = Tried::Fails(format!("SQLite cannot open a file here: {error}"));
            return Ok(Sharing { locks: fails.clone(), memory: fails });
        }
    };
    let answer = ask(peer(path)?)?;
    drop(writer);
    let says = |word: &str| answer.split_whitespace().any(|said| said == word);
    let locks = if says(EXCLUDED) {
        Tried::Works
    } else if says(LOCKED) {
        Tried::Fails("a second process got the lock that the first one holds".to_owned())
    } else {
        Tried::Fails("a second process can take no lock at all".to_owned())
    };
    let memory = match mode.as_str() {
        "wal" if says(SEEN) => Tried::Works,
        "wal" => Tried::Fails("a second process does not see what the first one committed".to_owned()),
        mode => Tried::Fails(format!("SQLite can map no memory of the file and stays in {mode} mode")),
    };
    Ok(Sharing { locks, memory })
}

/// What the second process may answer.
const EXCLUDED: &str = "excluded";
const LOCKED: &str = "locked";
const SEEN: &str = "seen";

/// What the first process commits and the second one looks for.
const COMMITTED: i64 = 0x6265_7274_6821;

/// Makes a database with a commit in its WAL. Gives its journal mode, and a connection that has the write lock.
fn hold(path: &Path) -> rusqlite::Result<(String, Connection)> {
    let writer = Connection::open(path)?;
    let mode = writer.pragma_update_and_check(None, "journal_mode", "wal", |row| row.get(0))?;
    writer.execute_batch("CREATE TABLE probe (committed integer)")?;
    writer.execute("INSERT INTO probe VALUES (?1)", [COMMITTED])?;
    writer.execute_batch("BEGIN IMMEDIATE")?;
    Ok((mode, writer))
}

/// The second process' part: what it sees of the file, as words for the first one.
///
/// # Errors
/// When the file cannot be opened.
pub fn answer(path: &Path) -> rusqlite::Result<String> {
    let reader = Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE)?;
    reader.busy_timeout(Duration::ZERO)?;
    let found = reader.query_row("SELECT committed FROM probe", [], |row| row.get::<_, i64>(0));
    let memory = if found.is_ok_and(|found| found == COMMITTED) { SEEN } else { "unseen" };
    let lock = match reader.execute_batch("BEGIN IMMEDIATE") {
        Ok(()) => LOCKED,
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => EXCLUDED,
        Err(_) => "lockless",
    };
    Ok(format!("{lock} {memory}"))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_local_directory_keeps_locks() {
        let folder = tempfile::tempdir().unwrap();
        assert_eq!(within(&folder.path().join("file")).unwrap(), Tried::Works);
    }

    #[test]
    fn a_second_process_that_says_nothing_counts_as_failure() {
        let folder = tempfile::tempdir().unwrap();
        let sharing = between(&folder.path().join("file"), &|_| Ok(Command::new("true"))).unwrap();
        assert!(matches!(sharing.locks, Tried::Fails(_)), "{sharing:?}");
        assert!(matches!(sharing.memory, Tried::Fails(_)), "{sharing:?}");
    }

    #[test]
    fn who_comes_second_sees_the_commit_and_is_excluded_while_the_lock_is_held() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        let (mode, writer) = hold(&path).unwrap();
        assert_eq!(mode, "wal");
        assert_eq!(answer(&path).unwrap(), "excluded seen");
        writer.execute_batch("ROLLBACK; DELETE FROM probe").unwrap();
        assert_eq!(answer(&path).unwrap(), "locked unseen");
    }
}
