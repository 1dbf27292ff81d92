use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use rusqlite::{Connection, OpenFlags};

use super::*;

/// A connection through the VFS, and what was published on it.
struct Fixture {
    directory: tempfile::TempDir,
    vfs: Vfs,
    connection: Connection,
    published: Arc<Mutex<Vec<Change>>>,
    consent: Arc<Mutex<Consent>>,
}

impl Fixture {
    fn new() -> Self {
        let directory = tempfile::tempdir().unwrap();
        let vfs = Vfs::register().unwrap();
        let path = directory.path().join("copy.db");
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags_and_vfs(path, flags, vfs.name()).unwrap();
        let published = Arc::new(Mutex::new(Vec::new()));
        let consent = Arc::new(Mutex::new(Consent::Granted));
        let (log, answer) = (Arc::clone(&published), Arc::clone(&consent));
        vfs.publish_with(
            1 << 30,
            Box::new(move |written| {
                let Written::Change(change) = written else { panic!("too large") };
                log.lock().unwrap().push(change);
                *answer.lock().unwrap()
            }),
        );
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
        connection.pragma_update(None, "synchronous", "FULL").unwrap();
        let fixture = Self { directory, vfs, connection, published, consent };
        fixture.commit("CREATE TABLE t (a, b)").unwrap();
        fixture
    }

    fn commit(&self, sql: &str) -> rusqlite::Result<()> {
        self.vfs.begin();
        let done = self.connection.execute_batch(sql);
        assert!(self.vfs.end(), "nothing is committed that was not published");
        done
    }

    fn reader(&self) -> Connection {
        Connection::open(self.directory.path().join("copy.db")).unwrap()
    }

    fn count(connection: &Connection) -> i64 {
        connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
    }

    /// The database that the published changes make.
    fn replay(&self) -> Vec<Vec<u8>> {
        let mut pages: BTreeMap<u32, Vec<u8>> = BTreeMap::new();
        for change in self.published.lock().unwrap().iter() {
            pages.extend(change.pages.clone());
            pages.retain(|number, _| *number <= change.database_pages);
        }
        pages.into_values().collect()
    }

    fn pages(&self) -> Vec<Vec<u8>> {
        let reader = self.reader();
        let mut statement = reader.prepare("SELECT data FROM sqlite_dbpage").unwrap();
        let rows = statement.query_map([], |row| row.get(0)).unwrap();
        rows.collect::<rusqlite::Result<_>>().unwrap()
    }
}

#[test]
fn what_is_published_makes_the_same_database() {
    let fixture = Fixture::new();
    for round in 0..50 {
        fixture.commit(&format!("INSERT INTO t VALUES ({round}, randomblob(9000))")).unwrap();
    }
    fixture.commit("BEGIN; UPDATE t SET b = randomblob(20000); DELETE FROM t WHERE a > 10; COMMIT").unwrap();
    fixture.commit("VACUUM").unwrap();
    fixture.commit("CREATE INDEX i ON t (b)").unwrap();
    assert_eq!(fixture.replay(), fixture.pages());
}

#[test]
fn a_transaction_that_does_not_fit_the_cache_is_published_once_and_whole() {
    let fixture = Fixture::new();
    fixture.connection.pragma_update(None, "cache_size", 10).unwrap();
    let before = fixture.published.lock().unwrap().len();
    fixture
        .commit(
            "BEGIN; WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) \
             INSERT INTO t SELECT i, randomblob(3000) FROM n; \
             UPDATE t SET b = randomblob(3000) WHERE a % 3 = 0; UPDATE t SET a = -a; COMMIT",
        )
        .unwrap();
    assert_eq!(fixture.published.lock().unwrap().len(), before + 1);
    assert_eq!(fixture.replay(), fixture.pages());
}

#[test]
fn a_refused_commit_leaves_nothing_and_the_next_one_goes_through() {
    let fixture = Fixture::new();
    fixture.commit("INSERT INTO t VALUES (1, 1)").unwrap();
    let reader = fixture.reader();
    for _ in 0..3 {
        *fixture.consent.lock().unwrap() = Consent::Refused;
        let error = fixture.commit("INSERT INTO t VALUES (2, randomblob(50000))").unwrap_err();
        assert_eq!(error.sqlite_error_code(), Some(rusqlite::ErrorCode::SystemIoFailure));
        fixture.published.lock().unwrap().pop();
        assert!(fixture.connection.is_autocommit());
        assert_eq!((Fixture::count(&fixture.connection), Fixture::count(&reader)), (1, 1));
        *fixture.consent.lock().unwrap() = Consent::Granted;
    }
    fixture.commit("INSERT INTO t VALUES (3, 3)").unwrap();
    assert_eq!((Fixture::count(&fixture.connection), Fixture::count(&reader)), (2, 2));
    assert_eq!(fixture.replay(), fixture.pages());
}

#[test]
fn no_reader_sees_a_commit_before_it_is_published() {
    let fixture = Fixture::new();
    let reader = fixture.reader();
    let seen = Arc::new(Mutex::new(None));
    let told = Arc::clone(&seen);
    fixture.vfs.publish_with(
        1 << 30,
        Box::new(move |_| {
            *told.lock().unwrap() = Some(Fixture::count(&reader));
            Consent::Granted
        }),
    );
    fixture.commit("INSERT INTO t VALUES (1, 1)").unwrap();
    assert_eq!(*seen.lock().unwrap(), Some(0));
}

#[test]
fn checkpoints_rollbacks_and_restarts_of_the_wal_publish_nothing() {
    let fixture = Fixture::new();
    for round in 0..5 {
        fixture.commit("INSERT INTO t VALUES (1, randomblob(9000))").unwrap();
        let before = fixture.published.lock().unwrap().len();
        fixture.commit("BEGIN; INSERT INTO t VALUES (2, randomblob(90000)); ROLLBACK").unwrap();
        let mode = if round % 2 == 0 { "RESTART" } else { "TRUNCATE" };
        fixture.connection.query_row(&format!("PRAGMA wal_checkpoint({mode})"), [], |_| Ok(())).unwrap();
        assert_eq!(fixture.published.lock().unwrap().len(), before);
    }
    assert_eq!(fixture.replay(), fixture.pages());
}

#[test]
fn a_publisher_that_panics_refuses() {
    let fixture = Fixture::new();
    fixture.vfs.publish_with(1 << 30, Box::new(|_| panic!("no")));
    assert!(fixture.commit("INSERT INTO t VALUES (1, 1)").is_err());
    assert_eq!(Fixture::count(&fixture.connection), 0);
}

/// A recovery takes every commit whose checksums hold. None is made while the process lives, as long as the WAL's index
/// is there; should SQLite ever make it anew, what was refused must not come back.
#[test]
fn a_recovery_does_not_bring_back_what_was_refused() {
    let fixture = Fixture::new();
    fixture.commit("INSERT INTO t VALUES (1, 1)").unwrap();
    *fixture.consent.lock().unwrap() = Consent::Refused;
    fixture.commit("INSERT INTO t VALUES (2, randomblob(50000))").unwrap_err();
    let elsewhere = tempfile::tempdir().unwrap();
    for name in ["copy.db", "copy.db-wal"] {
        std::fs::copy(fixture.directory.path().join(name), elsewhere.path().join(name)).unwrap();
    }
    let recovered = Connection::open(elsewhere.path().join("copy.db")).unwrap();
    assert_eq!(Fixture::count(&recovered), 1);
}

#[test]
fn what_is_committed_outside_of_a_transaction_is_refused() {
    let fixture = Fixture::new();
    let before = fixture.published.lock().unwrap().len();
    assert!(fixture.connection.execute_batch("INSERT INTO t VALUES (1, 1)").is_err());
    assert_eq!((Fixture::count(&fixture.reader()), fixture.published.lock().unwrap().len()), (0, before));
}

#[test]
fn a_commit_that_sqlite_does_not_sync_is_told() {
    let fixture = Fixture::new();
    fixture.connection.pragma_update(None, "synchronous", "OFF").unwrap();
    fixture.vfs.begin();
    fixture.connection.execute_batch("INSERT INTO t VALUES (1, 1)").unwrap();
    assert!(!fixture.vfs.end());
    fixture.vfs.begin();
    assert!(fixture.vfs.end(), "it is told once");
}

#[test]
fn a_commit_after_a_savepoint_that_spilled_and_was_rolled_back_is_whole() {
    let fixture = Fixture::new();
    fixture.connection.pragma_update(None, "cache_size", 10).unwrap();
    for round in 0..4 {
        fixture
            .commit(&format!(
                "BEGIN; INSERT INTO t VALUES ({round}, 'kept'); SAVEPOINT one; \
                 WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 200) \
                 INSERT INTO t SELECT i, randomblob(3000) FROM n; UPDATE t SET b = randomblob(2000) WHERE a % 2 = 0; \
                 ROLLBACK TO one; RELEASE one; INSERT INTO t VALUES ({round}, randomblob(9000)); COMMIT"
            ))
            .unwrap();
        assert_eq!(fixture.replay(), fixture.pages());
    }
}

#[test]
fn pages_that_move_and_pages_that_are_given_back_are_published() {
    let fixture = Fixture::new();
    fixture.commit("DROP TABLE t").unwrap();
    fixture.commit("PRAGMA auto_vacuum = INCREMENTAL; VACUUM").unwrap();
    fixture.commit("CREATE TABLE t (a, b)").unwrap();
    for round in 0..30 {
        fixture.commit(&format!("INSERT INTO t VALUES ({round}, randomblob(9000))")).unwrap();
    }
    fixture.commit("DELETE FROM t WHERE a % 3 = 0").unwrap();
    fixture.commit("PRAGMA incremental_vacuum(7)").unwrap();
    fixture.commit("PRAGMA incremental_vacuum").unwrap();
    fixture.commit("INSERT INTO t VALUES (99, randomblob(200000))").unwrap();
    fixture.commit("PRAGMA auto_vacuum = FULL; VACUUM").unwrap();
    fixture.commit("DELETE FROM t WHERE a > 10").unwrap();
    assert_eq!(fixture.replay(), fixture.pages());
}
