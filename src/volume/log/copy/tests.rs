use std::sync::{Mutex, MutexGuard};

use proptest::prelude::*;
use rusqlite::{Connection, OpenFlags};

use super::*;
use crate::volume::disk::{Disk, Strategy as PutStrategy};
use crate::volume::log::change::{Checksum, Txid};
use crate::volume::log::slot;
use crate::volume::log::vfs::{Consent, Vfs};

/// One instance: a working copy, and a connection whose commits are published.
struct Instance {
    copy: Arc<Mutex<Copy>>,
    vfs: Vfs,
    connection: Connection,
    path: PathBuf,
    _folder: tempfile::TempDir,
}

fn volume(folder: &Path) -> Arc<dyn Volume> {
    Arc::new(Disk::open(folder.join("app"), PutStrategy::HardLink).unwrap())
}

impl Instance {
    fn start(volume: &Arc<dyn Volume>) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("copy.db");
        let copy = Arc::new(Mutex::new(Copy::start(Arc::clone(volume), &path).unwrap()));
        let vfs = Vfs::register().unwrap();
        let publisher = Arc::clone(&copy);
        vfs.publish_with(
            1 << 30,
            Box::new(
                move |change| {
                    if publisher.lock().unwrap().publish(change) { Consent::Granted } else { Consent::Refused }
                },
            ),
        );
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = Connection::open_with_flags_and_vfs(&path, flags, vfs.name()).unwrap();
        connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
        connection.pragma_update(None, "synchronous", "FULL").unwrap();
        connection.pragma_update(None, "wal_autocheckpoint", 0).unwrap();
        Self { copy, vfs, connection, path, _folder: folder }
    }

    fn copy(&self) -> MutexGuard<'_, Copy> {
        self.copy.lock().unwrap()
    }

    fn catch_up(&self) {
        self.copy().catch_up().unwrap();
    }

    /// Commits without a look at what others did.
    fn try_commit(&self, sql: &str) -> Last {
        self.vfs.begin();
        self.copy().begin();
        let done = self.connection.execute_batch(sql);
        assert!(self.vfs.end(), "what SQLite commits is published");
        self.copy().committed();
        let last = self.copy().last();
        assert_eq!(done.is_ok(), matches!(last, Last::Committed | Last::None), "{sql}: {done:?}, {last:?}");
        self.copy().checkpoint().unwrap();
        last
    }

    fn commit(&self, sql: &str) {
        self.catch_up();
        assert_eq!(self.try_commit(sql), Last::Committed, "{sql}");
    }

    fn count(&self) -> i64 {
        self.connection.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap()
    }

    /// The pages that a reader sees, which must be those that the log says.
    fn pages(&self) -> Vec<Vec<u8>> {
        let reader = Connection::open(&self.path).unwrap();
        let integrity: String = reader.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
        assert_eq!(integrity, "ok");
        let mut statement = reader.prepare("SELECT data FROM sqlite_dbpage").unwrap();
        let mut pages: Vec<Vec<u8>> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        unify_counters(&mut pages[0]);
        let sum = Checksum::of_pages((1..).zip(pages.iter().map(Vec::as_slice)));
        assert_eq!(sum, self.copy().position().checksum, "the file is not what the log says");
        pages
    }
}

#[test]
fn copies_of_one_log_are_equal_to_the_byte() {
    let folder = tempfile::tempdir().unwrap();
    let volume = volume(folder.path());
    let (one, other) = (Instance::start(&volume), Instance::start(&volume));
    one.commit("CREATE TABLE t (a INTEGER PRIMARY KEY, b)");
    for round in 0..40 {
        let (first, second) = if round % 3 == 0 { (&one, &other) } else { (&other, &one) };
        first.commit("INSERT INTO t (b) VALUES (randomblob(3000))");
        second.commit("UPDATE t SET b = randomblob(9) WHERE a % 2 = 1");
    }
    one.commit("DELETE FROM t WHERE a > 10; ");
    other.commit("VACUUM");
    one.catch_up();
    assert_eq!(one.pages(), other.pages());
    assert_eq!(Instance::start(&volume).pages(), one.pages());
}

#[test]
fn who_is_slower_loses_and_does_it_again() {
    let folder = tempfile::tempdir().unwrap();
    let volume = volume(folder.path());
    let (one, other) = (Instance::start(&volume), Instance::start(&volume));
    one.commit("CREATE TABLE t (a)");
    other.catch_up();
    one.commit("INSERT INTO t VALUES (1)");
    assert_eq!(other.try_commit("INSERT INTO t VALUES (2)"), Last::Lost);
    assert_eq!(other.count(), 0, "what was lost is rolled back");
    other.commit("INSERT INTO t VALUES (2)");
    one.catch_up();
    assert_eq!((one.count(), other.count()), (2, 2));
    assert_eq!(one.pages(), other.pages());
}

#[test]
fn a_reader_goes_on_while_others_records_are_applied() {
    let folder = tempfile::tempdir().unwrap();
    let volume = volume(folder.path());
    let (one, other) = (Instance::start(&volume), Instance::start(&volume));
    one.commit("CREATE TABLE t (a)");
    other.catch_up();
    let reader = Connection::open(&other.path).unwrap();
    reader.execute_batch("BEGIN").unwrap();
    let count = || reader.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)).unwrap();
    assert_eq!(count(), 0);
    one.commit("INSERT INTO t SELECT randomblob(5000) FROM (VALUES (1), (2), (3))");
    other.catch_up();
    assert_eq!((count(), other.count()), (0, 3));
    reader.execute_batch("COMMIT").unwrap();
    assert_eq!(count(), 3);
}

#[test]
fn a_copy_begins_with_a_snapshot_and_what_came_after_it() {
    let folder = tempfile::tempdir().unwrap();
    let volume = volume(folder.path());
    let one = Instance::start(&volume);
    one.commit("CREATE TABLE t (a INTEGER PRIMARY KEY, b)");
    one.commit("INSERT INTO t (b) VALUES (randomblob(100000))");
    let snapshot = one.copy().snapshot().unwrap();
    snapshot.write(volume.as_ref()).unwrap();
    one.commit("DELETE FROM t");
    one.commit("INSERT INTO t (b) VALUES (1)");
    for txid in 1..=2 {
        volume.remove(&slot::slot_path(Txid(txid))).unwrap();
    }
    assert_eq!(Instance::start(&volume).pages(), one.pages());
}

#[test]
fn a_copy_whose_next_slot_was_removed_is_made_anew_under_its_readers() {
    let folder = tempfile::tempdir().unwrap();
    let volume = volume(folder.path());
    let (one, stalled) = (Instance::start(&volume), Instance::start(&volume));
    one.commit("CREATE TABLE t (a)");
    stalled.catch_up();
    for _ in 0..5 {
        one.commit("INSERT INTO t VALUES (randomblob(9000))");
    }
    let snapshot = one.copy().snapshot().unwrap();
    snapshot.write(volume.as_ref()).unwrap();
    for txid in 1..=5 {
        volume.remove(&slot::slot_path(Txid(txid))).unwrap();
    }
    // It wakes up and commits on what it has: its slot is free again, but nobody may take that for a commit.
    assert_eq!(stalled.try_commit("INSERT INTO t VALUES ('ghost')"), Last::Unknown);
    stalled.catch_up();
    assert_eq!(stalled.count(), 5);
    assert_eq!(stalled.pages(), one.pages());
    stalled.commit("INSERT INTO t VALUES ('alive')");
    one.catch_up();
    assert_eq!(one.pages(), stalled.pages());
}

/// The newest snapshot breaks off at its end, when all of its pages were already taken.
#[test]
fn pages_of_a_torn_snapshot_are_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let volume = volume(folder.path());
    let (one, stalled) = (Instance::start(&volume), Instance::start(&volume));
    one.commit("CREATE TABLE t (a)");
    one.commit("INSERT INTO t VALUES (1)");
    stalled.catch_up();
    one.copy().snapshot().unwrap().write(volume.as_ref()).unwrap();
    one.commit("INSERT INTO t VALUES (randomblob(90000))");
    one.copy().snapshot().unwrap().write(volume.as_ref()).unwrap();
    one.commit("DELETE FROM t WHERE a <> 1");
    one.commit("VACUUM");
    let torn = slot::snapshot_path(Txid(3));
    let bytes = volume.read(&torn, u64::MAX).unwrap().unwrap();
    volume.remove(&torn).unwrap();
    volume.put_if_absent(&torn, &bytes[..bytes.len() - 1]).unwrap();
    assert_eq!(Instance::start(&volume).pages(), one.pages());
    stalled.copy().break_off();
    stalled.catch_up();
    assert_eq!(stalled.pages(), one.pages());
}

#[test]
fn a_snapshot_is_of_the_moment_at_which_it_was_taken() {
    let folder = tempfile::tempdir().unwrap();
    let volume = volume(folder.path());
    let one = Instance::start(&volume);
    one.commit("CREATE TABLE t (a)");
    one.commit("INSERT INTO t VALUES (1)");
    let snapshot = one.copy().snapshot().unwrap();
    let pages = one.pages();
    for _ in 0..3 {
        one.commit("INSERT INTO t VALUES (randomblob(3000000))");
        one.copy().checkpoint().unwrap();
    }
    snapshot.write(volume.as_ref()).unwrap();
    for txid in 3..=5 {
        volume.remove(&slot::slot_path(Txid(txid))).unwrap();
    }
    let restored = Instance::start(&volume);
    assert_eq!((restored.pages(), restored.count()), (pages, 1));
}

/// Between the log and the reader: what is in the log is not readable here until SQLite has ended the commit.
#[test]
fn no_read_is_called_fresh_while_the_newest_commit_cannot_be_read() {
    let folder = tempfile::tempdir().unwrap();
    let volume = volume(folder.path());
    let one = Instance::start(&volume);
    one.commit("CREATE TABLE t (a)");
    let (copy, seen) = (Arc::clone(&one.copy), Arc::new(Mutex::new(Vec::new())));
    let told = Arc::clone(&seen);
    let reader = Connection::open(&one.path).unwrap();
    one.vfs.publish_with(
        1 << 30,
        Box::new(move |change| {
            let mut copy = copy.lock().unwrap();
            let is_published = copy.publish(change);
            let count: i64 = reader.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap();
            told.lock().unwrap().push((copy.stand().load().position.txid, count));
            if is_published { Consent::Granted } else { Consent::Refused }
        }),
    );
    one.commit("INSERT INTO t VALUES (1)");
    assert_eq!(*seen.lock().unwrap(), [(Txid(1), 0)], "it is told what readers have, not what the log has");
    assert_eq!(one.copy().stand().load().position.txid, Txid(2));
}

/// A reader that was called fresh must not find an older state because the copy is made anew meanwhile.
#[test]
fn a_copy_that_is_made_anew_never_shows_an_older_state() {
    let folder = tempfile::tempdir().unwrap();
    let volume = volume(folder.path());
    let (one, other) = (Instance::start(&volume), Instance::start(&volume));
    one.commit("CREATE TABLE t (a)");
    one.commit("INSERT INTO t VALUES (0)");
    one.copy().snapshot().unwrap().write(volume.as_ref()).unwrap();
    for number in 1..200 {
        one.commit(&format!("INSERT INTO t VALUES ({number})"));
    }
    other.catch_up();
    let reader = Connection::open(&other.path).unwrap();
    let is_over = Arc::new(std::sync::atomic::AtomicBool::new(false));
    let watch = Arc::clone(&is_over);
    let watching = std::thread::spawn(move || {
        let mut fewest = i64::MAX;
        while !watch.load(std::sync::atomic::Ordering::Relaxed) {
            fewest = fewest.min(reader.query_row("SELECT count(*) FROM t", [], |row| row.get(0)).unwrap());
        }
        fewest
    });
    for _ in 0..5 {
        other.copy().break_off();
        assert!(!other.copy().stand().load().is_whole);
        other.catch_up();
        assert!(other.copy().stand().load().is_whole);
    }
    is_over.store(true, std::sync::atomic::Ordering::Relaxed);
    assert_eq!(watching.join().unwrap(), 200);
    assert_eq!(other.pages(), one.pages());
}

/// Nothing else reads every page: a snapshot does, and finds what the local disk has altered.
#[test]
fn a_copy_that_was_altered_makes_no_snapshot_and_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let volume = volume(folder.path());
    let one = Instance::start(&volume);
    one.commit("CREATE TABLE t (a)");
    one.commit("INSERT INTO t VALUES ('right')");
    one.commit("INSERT INTO t VALUES (randomblob(9000))");
    let stranger = Connection::open(&one.path).unwrap();
    stranger.execute("UPDATE t SET a = 'wrong' WHERE a = 'right'", []).unwrap();
    drop(stranger);
    let written = one.copy().snapshot().unwrap().write(volume.as_ref());
    assert!(matches!(written, Err(crate::volume::log::Error::Record(_))), "{written:?}");
    assert_eq!(volume.list(slot::SNAPSHOTS).unwrap(), Vec::<String>::new());
    one.copy().break_off();
    one.catch_up();
    one.pages();
    let right: String = one.connection.query_row("SELECT a FROM t", [], |row| row.get(0)).unwrap();
    assert_eq!(right, "right");
}

#[test]
fn a_log_that_lost_its_end_is_told_and_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let volume = volume(folder.path());
    let one = Instance::start(&volume);
    one.commit("CREATE TABLE t (a)");
    one.commit("INSERT INTO t VALUES (1)");
    one.commit("INSERT INTO t VALUES (2)");
    volume.remove(&slot::slot_path(Txid(3))).unwrap();
    one.copy().break_off();
    let error = one.copy().catch_up().unwrap_err();
    assert!(matches!(error, Error::Vanished { found: Txid(2), expected: Txid(3) }), "{error}");
    for txid in 1..=2 {
        volume.remove(&slot::slot_path(Txid(txid))).unwrap();
    }
    let error = one.copy().catch_up().unwrap_err();
    assert!(matches!(error, Error::Vanished { found: Txid::NONE, .. }), "{error}");
    assert_eq!(one.count(), 2, "the copy stays as it was");
    assert_eq!(Instance::start(&volume).copy().position().txid, Txid::NONE, "a new instance takes what there is");
}

/// SQLite fails after the put: the log has what it rolls back here.
#[test]
fn a_copy_that_lacks_what_was_published_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let volume = volume(folder.path());
    let one = Instance::start(&volume);
    one.commit("CREATE TABLE t (a)");
    let copy = Arc::clone(&one.copy);
    let fail = move |change| {
        copy.lock().unwrap().publish(change);
        Consent::Refused
    };
    one.vfs.publish_with(1 << 30, Box::new(fail));
    one.vfs.begin();
    one.copy().begin();
    one.connection.execute_batch("INSERT INTO t VALUES (1)").unwrap_err();
    assert!(one.vfs.end());
    assert_eq!((one.copy().last(), one.count()), (Last::Committed, 0));
    one.copy().break_off();
    one.catch_up();
    assert_eq!(one.count(), 1);
    one.pages();
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, ..ProptestConfig::default() })]

    /// Several instances commit in any order, stale or not; no acknowledged row is lost, none is there twice.
    #[test]
    fn acknowledged_rows_are_there_once(steps in proptest::collection::vec((0usize..3, any::<bool>(), 0usize..4), 1..40)) {
        let folder = tempfile::tempdir().unwrap();
        let volume = volume(folder.path());
        let instances: Vec<Instance> = (0..3).map(|_| Instance::start(&volume)).collect();
        instances[0].commit("CREATE TABLE t (a UNIQUE, b)");
        instances.iter().for_each(Instance::catch_up);
        let mut acknowledged = Vec::new();
        for (number, (which, is_fresh, size)) in steps.into_iter().enumerate() {
            let instance = &instances[which];
            if is_fresh {
                instance.catch_up();
            }
            let sql = format!("INSERT INTO t VALUES ({number}, randomblob({}))", size * 3_000);
            if instance.try_commit(&sql) == Last::Committed {
                acknowledged.push(i64::try_from(number).unwrap());
            }
        }
        instances.iter().for_each(Instance::catch_up);
        let pages = instances[0].pages();
        for instance in &instances {
            let mut statement = instance.connection.prepare("SELECT a FROM t ORDER BY a").unwrap();
            let rows: Vec<i64> = statement.query_map([], |row| row.get(0)).unwrap().map(Result::unwrap).collect();
            prop_assert_eq!(&rows, &acknowledged);
            prop_assert!(instance.pages() == pages);
        }
    }
}

#[test]
fn anothers_tables_come_and_go_whatever_the_size_of_the_file() {
    let folder = tempfile::tempdir().unwrap();
    let volume = volume(folder.path());
    let (one, other) = (Instance::start(&volume), Instance::start(&volume));
    one.commit("CREATE TABLE t (a INTEGER PRIMARY KEY, b)");
    other.catch_up();
    for round in 0..12 {
        // Many in one commit: root pages behind the end of the file that the other one has, and a schema of more than
        // one page.
        let tables: String = (0..round * 3)
            .map(|number| format!("CREATE TABLE t_{round}_{number} (a INTEGER PRIMARY KEY, b UNIQUE);"))
            .collect();
        // What the other one commits itself lets its applying connection forget what it knows of the file.
        other.commit("INSERT INTO t (b) VALUES (1)");
        one.commit(&format!("BEGIN; {tables} INSERT INTO t (b) VALUES (randomblob(6000)); COMMIT"));
        other.catch_up();
        assert_eq!(one.pages(), other.pages(), "with round {round}");
    }
    for round in 0..12 {
        let tables: String = (0..round * 3).map(|number| format!("DROP TABLE t_{round}_{number};")).collect();
        other.commit("INSERT INTO t (b) VALUES (2)");
        one.commit(&format!("BEGIN; {tables} DELETE FROM t WHERE a % 7 = 1; COMMIT"));
        if round % 4 == 3 {
            one.commit("VACUUM");
        }
        other.catch_up();
        assert_eq!(one.pages(), other.pages(), "without round {round}");
    }
    other.commit("CREATE TABLE last (a)");
    one.catch_up();
    assert_eq!(one.pages(), other.pages());
}

/// `SQLite` never writes the page with byte `0x4000_0000`, and the log has it nowhere. The gibibyte before it is a hole.
#[test]
fn a_database_grows_past_the_page_that_only_locks_have_and_shrinks_again() {
    let folder = tempfile::tempdir().unwrap();
    let volume = volume(folder.path());
    let (one, other) = (Instance::start(&volume), Instance::start(&volume));
    one.commit("CREATE TABLE t (a INTEGER PRIMARY KEY, b)");
    let lock_page = crate::volume::log::change::lock_page(4_096);
    let first = "SELECT data FROM sqlite_dbpage WHERE pgno = 1";
    let mut first: Vec<u8> = one.connection.query_row(first, [], |row| row.get(0)).unwrap();
    fit_first_page(&mut first, lock_page - 1);
    let pages = [(1, first), (lock_page - 1, vec![0; 4_096])].into();
    let change = Change { page_size: 4_096, database_pages: lock_page - 1, pages };
    let checksum = one.copy().contents.sums.delta(&change).checksum();
    let base = one.copy().position();
    let attempt = Attempt::new(&base, change, checksum, Nonce::draw().unwrap(), 0).unwrap();
    attempt.publish(volume.as_ref(), &mut Until::new(Deadline::after(PATIENCE)));

    one.commit("INSERT INTO t (b) VALUES (randomblob(30000))");
    let made: Vec<u32> = match tail::read_on(volume.as_ref(), &attempt.position(), Look::Names).unwrap() {
        Tail::Next(batch) => batch.records[0].change.pages.keys().copied().collect(),
        tail @ (Tail::End | Tail::Gap) => panic!("{tail:?}"),
    };
    assert!(made.contains(&(lock_page + 1)) && !made.contains(&lock_page), "{made:?}");
    other.commit("INSERT INTO t (b) VALUES (randomblob(30000))");
    let rows = |instance: &Instance| {
        instance.catch_up();
        let sql = "SELECT group_concat(hex(b)) || (SELECT page_count FROM pragma_page_count) FROM t";
        instance.connection.query_row(sql, [], |row| row.get::<_, String>(0)).unwrap()
    };
    let expected = rows(&one);
    assert_eq!((expected.len() > 120_000, rows(&other) == expected), (true, true));
    let third = Instance::start(&volume);
    assert!(rows(&third) == expected, "who starts from the log");
    third.commit("VACUUM");
    assert!(rows(&one) == rows(&third) && one.pages().len() < 100);
    assert_eq!(one.pages(), third.pages());
}
