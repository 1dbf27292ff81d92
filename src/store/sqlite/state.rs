//! Names the state of the database, so that who has an answer of that state need not be sent it again.
//!
//! A shared log has positions. In place, SQLite's WAL index says it: its header, which every commit of every process
//! replaces, has the salts of the WAL, its last frame and the checksum of all frames up to that one.
//!
//! | bytes | field |
//! |---|---|
//! | 16..20 | last committed frame |
//! | 20..24 | pages of the database |
//! | 24..32 | checksum of the frames |
//! | 32..40 | salts, new for each generation of the WAL |
//! | 48..96 | the header again: whoever writes it begins with this one |
//!
//! Source: <https://www.sqlite.org/walformat.html#the_wal_index_header>

use std::fs::File;
use std::mem::ManuallyDrop;
use std::os::unix::fs::FileExt as _;
use std::path::Path;
use std::sync::Arc;

use super::journal::SharedLog;
use crate::clock;

/// The part of the header that names the state.
const NAMING: std::ops::Range<usize> = 16..40;

/// The salts.
const SALTS: std::ops::Range<usize> = 32..40;

/// Bytes of the header.
const HEADER_BYTES: usize = 48;

/// Where states are read.
#[derive(Debug)]
pub(super) enum States {
    /// From the file's WAL index.
    InPlace(WalIndex),
    /// From the log.
    Shared(Arc<SharedLog>),
    /// Nowhere.
    Unknown,
}

impl States {
    /// Reads the WAL index of a file that is open already.
    pub(super) fn of_file(path: &Path) -> Self {
        WalIndex::open(path).map_or(Self::Unknown, Self::InPlace)
    }

    /// The state of this moment: what is read afterwards is of this state or a newer one, and what was acknowledged
    /// before is in it.
    pub(super) fn now(&self) -> Option<u64> {
        match self {
            Self::InPlace(index) => index.state(),
            Self::Shared(log) => {
                let position = log.position()?;
                let mut named = [0; 24];
                let words = [position.txid.0, position.checksum.0, position.nonce.0];
                named
                    .chunks_exact_mut(8)
                    .zip(words)
                    .for_each(|(bytes, word)| bytes.copy_from_slice(&word.to_be_bytes()));
                Some(hash(&named))
            }
            Self::Unknown => None,
        }
    }
}

/// The WAL index, which SQLite maps and this reads.
#[derive(Debug)]
pub(super) struct WalIndex {
    /// Never closed: to close a file drops all locks that the process has on it, also those of SQLite.
    file: ManuallyDrop<File>,
    /// In the place of salts while there is no WAL yet: that state looks the same after each start.
    nonce: u64,
}

impl WalIndex {
    fn open(path: &Path) -> Option<Self> {
        // SQLite keeps its files beside the file itself, not beside a link to it.
        let mut name = path.canonicalize().ok()?.into_os_string();
        name.push("-shm");
        let file = File::open(name).ok()?;
        Some(Self { file: ManuallyDrop::new(file), nonce: clock::nonce().ok()? })
    }

    /// `None` when the header is being written.
    fn state(&self) -> Option<u64> {
        let mut headers = [0; 2 * HEADER_BYTES];
        self.file.read_exact_at(&mut headers, 0).ok()?;
        let (first, second) = headers.split_at(HEADER_BYTES);
        if first != second {
            return None;
        }
        let named = first.get(NAMING)?;
        let has_wal = first.get(SALTS)?.iter().any(|byte| *byte != 0);
        Some(if has_wal { hash(named) } else { hash(named) ^ self.nonce })
    }
}

/// Two states that differ in few bytes never have the same, and others by chance of one in 2⁶⁴.
fn hash(named: &[u8]) -> u64 {
    crc_fast::checksum(crc_fast::CrcAlgorithm::Crc64Nvme, named)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    fn connect(path: &Path) -> Connection {
        let connection = Connection::open(path).unwrap();
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
        connection
    }

    #[test]
    fn every_commit_is_another_state_and_nothing_else_is() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.db");
        let (writer, other) = (connect(&path), connect(&path));
        writer.execute_batch("CREATE TABLE t (a)").unwrap();
        let states = States::of_file(&path);
        let first = states.now().unwrap();
        assert_eq!(states.now(), Some(first));
        let count = |connection: &Connection| connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0));
        assert_eq!(count(&other), Ok(0_i64));
        writer.execute_batch("BEGIN; INSERT INTO t VALUES (1); ROLLBACK").unwrap();
        assert_eq!(states.now(), Some(first), "what is read and rolled back changes nothing");
        let mut seen = vec![first];
        for round in 0..40 {
            let connection = if round % 2 == 0 { &writer } else { &other };
            connection.execute_batch("INSERT INTO t VALUES (1)").unwrap();
            if round % 7 == 0 {
                writer.query_row("PRAGMA wal_checkpoint(RESTART)", [], |_| Ok(())).unwrap();
            }
            let state = states.now().unwrap();
            assert!(!seen.contains(&state), "round {round}");
            seen.push(state);
        }
    }

    #[test]
    fn a_file_without_a_wal_has_another_state_after_each_start() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.db");
        let state = || {
            let connection = connect(&path);
            connection.query_row("SELECT count(*) FROM sqlite_schema", [], |_| Ok(())).unwrap();
            States::of_file(&path).now().unwrap()
        };
        assert_ne!(state(), state());
    }

    #[test]
    fn without_a_wal_index_nothing_is_known() {
        let directory = tempfile::tempdir().unwrap();
        assert_eq!(States::of_file(&directory.path().join("none.db")).now(), None);
    }
}
