use std::io;
use std::sync::atomic::{AtomicU8, Ordering};

use super::*;
use crate::volume::disk::{Disk, Strategy};
use crate::volume::{PutError, Usage};

/// A volume that takes no file while it is told so.
#[derive(Debug)]
struct Moody {
    disk: Disk,
    mood: AtomicU8,
}

impl Moody {
    const WELL: u8 = 0;
    const FULL: u8 = 1;
    const READ_ONLY: u8 = 2;
}

impl Volume for Moody {
    fn visit(&self, directory: &str, take: &mut dyn FnMut(&str)) -> io::Result<()> {
        self.disk.visit(directory, take)
    }

    fn revalidate(&self, directory: &str) -> io::Result<()> {
        self.disk.revalidate(directory)
    }

    fn forgets_when_revalidated(&self) -> bool {
        self.disk.forgets_when_revalidated()
    }

    fn read(&self, path: &str, limit_bytes: u64) -> io::Result<Option<Vec<u8>>> {
        self.disk.read(path, limit_bytes)
    }

    fn put_if_absent(&self, path: &str, bytes: &[u8]) -> Result<(), PutError> {
        match self.mood.load(Ordering::SeqCst) {
            Self::WELL => self.disk.put_if_absent(path, bytes),
            Self::FULL => Err(PutError::Refused(io::ErrorKind::StorageFull.into())),
            _ => Err(PutError::Refused(io::ErrorKind::ReadOnlyFilesystem.into())),
        }
    }

    fn remove(&self, path: &str) -> io::Result<()> {
        self.disk.remove(path)
    }

    fn usage(&self) -> &Usage {
        self.disk.usage()
    }
}

struct Fixture {
    folder: tempfile::TempDir,
    volume: Arc<Moody>,
}

impl Fixture {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let disk = Disk::open(folder.path().join("app"), Strategy::HardLink).unwrap();
        Self { folder, volume: Arc::new(Moody { disk, mood: AtomicU8::new(Moody::WELL) }) }
    }

    fn open(&self) -> Arc<SharedLog> {
        let settings = SharedLogSettings {
            local_dir: self.folder.path().join("local"),
            retention: Duration::from_secs(60),
            transaction_max_bytes: 1 << 20,
        };
        let volume: Arc<dyn Volume> = Arc::<Moody>::clone(&self.volume);
        SharedLog::open(volume, &settings, Telemetry::silent().unwrap()).unwrap()
    }
}

fn run(log: &SharedLog, sql: &str) -> Result<(), Error> {
    log.run(|connection| connection.execute_batch(sql).map_err(|error| Error::Internal(error.to_string())))
}

fn sum(log: &SharedLog) -> i64 {
    log.begin().unwrap();
    let reader = Connection::open(log.path()).unwrap();
    reader.query_row("SELECT sum(a) FROM t", [], |row| row.get(0)).unwrap()
}

fn code(done: Result<(), Error>) -> String {
    match done {
        Err(Error::Database { code, .. }) => code,
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_a_full_or_read_only_volume_refuses_is_not_written_and_the_next_write_goes_through() {
    let fixture = Fixture::new();
    let log = fixture.open();
    run(&log, "CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
    for (mood, expected) in [(Moody::FULL, "53100"), (Moody::READ_ONLY, "25006")] {
        fixture.volume.mood.store(mood, Ordering::SeqCst);
        let stopwatch = Stopwatch::start();
        assert_eq!(code(run(&log, "INSERT INTO t VALUES (10)")), expected);
        assert!(stopwatch.elapsed() < Duration::from_secs(2), "it is certain at once");
        assert_eq!(sum(&log), 1);
        fixture.volume.mood.store(Moody::WELL, Ordering::SeqCst);
        run(&log, "UPDATE t SET a = a").unwrap();
    }
    run(&log, "INSERT INTO t VALUES (2)").unwrap();
    assert_eq!((sum(&log), sum(&fixture.open())), (3, 3));
}

#[test]
fn a_transaction_of_more_pages_than_memory_has_room_for_is_refused_whole() {
    let fixture = Fixture::new();
    let log = fixture.open();
    run(&log, "CREATE TABLE t (a, b); INSERT INTO t VALUES (1, NULL)").unwrap();
    assert_eq!(code(run(&log, "BEGIN; INSERT INTO t VALUES (2, randomblob(2000000)); COMMIT")), "54000");
    assert_eq!(sum(&log), 1);
    run(&log, "BEGIN; INSERT INTO t VALUES (2, randomblob(900000)); COMMIT").unwrap();
    assert_eq!((sum(&log), sum(&fixture.open())), (3, 3));
}

/// A migration's second transaction fails after its first was published.
#[test]
fn work_that_fails_after_a_commit_leaves_what_was_committed() {
    let fixture = Fixture::new();
    let log = fixture.open();
    assert!(run(&log, "CREATE TABLE t (a); INSERT INTO t VALUES (1); INSERT INTO nowhere VALUES (2)").is_err());
    assert_eq!(sum(&log), 1);
    run(&log, "UPDATE t SET a = a + 1").unwrap();
    assert_eq!((sum(&log), sum(&fixture.open())), (2, 2));
}

#[test]
fn instances_that_run_at_once_lose_nothing() {
    let fixture = Fixture::new();
    run(&fixture.open(), "CREATE TABLE t (a); INSERT INTO t VALUES (0)").unwrap();
    std::thread::scope(|scope| {
        for _ in 0..3 {
            scope.spawn(|| {
                let log = fixture.open();
                for _ in 0..20 {
                    run(&log, "UPDATE t SET a = a + 1").unwrap();
                }
            });
        }
    });
    assert_eq!(sum(&fixture.open()), 60);
}

#[test]
fn a_copy_that_differs_from_the_log_is_made_anew_when_a_snapshot_finds_out() {
    let fixture = Fixture::new();
    let log = fixture.open();
    run(&log, "CREATE TABLE t (a); INSERT INTO t VALUES (1)").unwrap();
    Connection::open(log.path()).unwrap().execute_batch("UPDATE t SET a = 7").unwrap();
    assert_eq!(sum(&log), 7, "nobody knows yet");
    let snapshot = lock(&log.copy).snapshot().unwrap();
    log.tidying.begin(snapshot);
    while log.stand.load().is_whole {
        std::thread::sleep(Duration::from_millis(2));
    }
    assert!(log.is_behind().unwrap());
    assert_eq!(sum(&log), 1);
}
