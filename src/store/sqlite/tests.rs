//! The store as a whole: requests from several tasks against a file.

use std::path::Path;

use tempfile::TempDir;

use super::*;
use crate::catalog::{TypeKind, TypeName};
use crate::plan::authorize::Session;
use crate::plan::{Expectation, Value};
use crate::request::MediaType;
use crate::sql::{Output, OutputColumn, Query, Run};

const ENDLESS: &str = "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n) SELECT max(i) FROM n";

mod shared_log;

const SCHEMA: &str = "CREATE TABLE t (id INTEGER PRIMARY KEY, n INT);
     CREATE TABLE late (id INTEGER REFERENCES t DEFERRABLE INITIALLY DEFERRED);
     CREATE TABLE bomb (a); CREATE TRIGGER bomb_insert BEFORE INSERT ON bomb BEGIN
     SELECT RAISE(ROLLBACK, 'all of it'); END;";

/// A file with `t (id, n)`, and what was opened on it.
struct Fixture {
    store: Arc<Sqlite>,
    path: std::path::PathBuf,
    directory: TempDir,
}

impl Fixture {
    fn new() -> Self {
        Self::with(|settings| settings)
    }

    fn with(change: impl FnOnce(SqliteSettings) -> SqliteSettings) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.db");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(SCHEMA).unwrap();
        drop(connection);
        let store = Arc::new(open(change(SqliteSettings::new(&path))));
        Self { store, path, directory }
    }

    fn path(&self) -> std::path::PathBuf {
        self.path.clone()
    }

    fn write(&self, sql: &str, values: &[i64]) -> Statement {
        let values = values.iter().map(|value| Value::Integer(*value)).collect();
        let runs = vec![Run { table: "t".to_owned(), text: sql.to_owned(), columns: Vec::new(), values: vec![values] }];
        self.statement(Work::Write { before: None, runs, output: None, location: None, order: Vec::new() })
    }

    fn insert(&self, id: i64) -> Statement {
        self.write("INSERT INTO \"t\" (\"id\") VALUES (?1)", &[id])
    }

    fn read(&self, sql: &str, count: Option<&str>) -> Statement {
        let query = |text: &str| Query { text: text.to_owned(), values: Vec::new() };
        let type_name = TypeName { declared: String::new(), kind: TypeKind::Any };
        let columns = vec![OutputColumn { name: "a".to_owned(), type_name }];
        let output = Output { media: MediaType::Json, columns, result: None };
        self.statement(Work::Rows { query: query(sql), count: count.map(query), by_key: false, page: None, output })
    }

    fn statement(&self, work: Work) -> Statement {
        let session = Arc::new(Session::default());
        let catalog_version = self.store.catalog().version;
        Statement {
            work,
            session,
            expect: Expectation::default(),
            reach: crate::plan::Reach::Everything,
            catalog_version,
            once: None,
            known_states: Vec::new(),
            precondition: None,
        }
    }

    async fn run(&self, statement: Statement) -> Result<Outcome, Error> {
        self.store.execute(statement, soon()).await
    }

    fn ids(&self) -> Vec<i64> {
        ids(&self.path())
    }

    /// Keeps the writer waiting at its next `BEGIN`, as another process that writes would.
    fn block_writer(&self) -> Connection {
        let other = Connection::open(self.path()).unwrap();
        other.execute_batch("BEGIN IMMEDIATE").unwrap();
        other
    }
}

fn open(settings: SqliteSettings) -> Sqlite {
    Sqlite::open(&settings, Telemetry::silent().unwrap()).unwrap()
}

fn ids(path: &Path) -> Vec<i64> {
    let connection = Connection::open(path).unwrap();
    let mut statement = connection.prepare("SELECT id FROM t ORDER BY id").unwrap();
    statement.query_map([], |row| row.get(0)).unwrap().collect::<rusqlite::Result<_>>().unwrap()
}

fn soon() -> Deadline {
    Deadline::after(Duration::from_secs(30))
}

fn code(answer: &Result<Outcome, Error>) -> String {
    let Err(error) = answer else { return "ok".to_owned() };
    if let Error::Database { code, .. } = error { code.clone() } else { format!("{error:?}") }
}

/// Sends all while the writer is held up, so that they become one group, in this order.
async fn run_as_group(fixture: &Fixture, statements: Vec<Statement>) -> Vec<Result<Outcome, Error>> {
    let blocker = fixture.block_writer();
    let deadline = soon();
    // The first is taken alone, to wait for the lock; the others are waiting when it comes.
    let first = fixture.store.execute(fixture.write("DELETE FROM \"t\" WHERE false", &[]), deadline);
    let rest = futures_util::future::join_all(statements.into_iter().map(|s| fixture.store.execute(s, deadline)));
    let release = async {
        tokio::time::sleep(Duration::from_millis(50)).await;
        blocker.execute_batch("COMMIT").unwrap();
    };
    let (first, answers, ()) = tokio::join!(first, rest, release);
    first.unwrap();
    answers
}

#[tokio::test]
async fn rows_and_their_number_come_back() {
    let fixture = Fixture::new();
    for id in 1..=3 {
        fixture.run(fixture.insert(id)).await.unwrap();
    }
    let read = fixture.read("SELECT id FROM t ORDER BY id LIMIT 2", Some("SELECT count(*) FROM t"));
    for by_key_wanted in [false, true] {
        let mut read = read.clone();
        if let Work::Rows { by_key, .. } = &mut read.work {
            *by_key = by_key_wanted;
        }
        let outcome = fixture.run(read).await.unwrap();
        assert_eq!((outcome.page, outcome.total), (2, Some(3)));
        assert_eq!(outcome.body, "[{\"a\":1}, \n {\"a\":2}]");
    }
}

#[test]
fn rows_and_count_are_of_one_moment() {
    let fixture = Fixture::new();
    let settings = SqliteSettings::new(fixture.path());
    let reader = open_readers(&settings).unwrap().get().unwrap();
    let other = Connection::open(fixture.path()).unwrap();
    let count = || reader.query_row("SELECT count(*) FROM t", [], |row| row.get::<_, i64>(0)).unwrap();
    let version = fixture.store.catalog().version;
    outcome::with_schema(&reader, version, || {
        assert_eq!(count(), 0);
        other.execute_batch("INSERT INTO t VALUES (1, 1)").unwrap();
        assert_eq!(count(), 0);
        Ok(())
    })
    .unwrap();
    assert_eq!(count(), 1);
}

#[tokio::test]
async fn a_failing_request_leaves_the_others_of_its_group() {
    let fixture = Fixture::new();
    let rolled_back = {
        let mut statement = fixture.insert(3);
        statement.session = Arc::new(Session { rollback: true, ..Session::default() });
        statement
    };
    let expecting = {
        let mut statement = fixture.write("INSERT INTO \"t\" (\"id\") VALUES (?1), (?1 + 1)", &[10]);
        statement.expect.singular = true;
        statement
    };
    let statements = vec![fixture.insert(1), fixture.insert(1), rolled_back, expecting, fixture.insert(2)];
    let answers = run_as_group(&fixture, statements).await;
    let codes: Vec<String> = answers.iter().map(code).collect();
    assert_eq!(codes, ["ok", "23505", "ok", "NotSingular { rows: 2 }", "ok"]);
    assert_eq!(answers[2].as_ref().unwrap().page, 1);
    assert_eq!(fixture.ids(), [1, 2]);
}

#[tokio::test]
async fn a_request_that_ends_the_transaction_does_not_take_the_others_with_it() {
    let fixture = Fixture::new();
    let bomb = fixture.write("INSERT INTO \"bomb\" (\"a\") VALUES (?1)", &[1]);
    let answers = run_as_group(&fixture, vec![fixture.insert(1), bomb, fixture.insert(2)]).await;
    assert_eq!(answers.iter().map(code).collect::<Vec<_>>(), ["ok", "P0001", "ok"]);
    assert_eq!(fixture.ids(), [1, 2]);
}

#[tokio::test]
async fn a_write_past_its_deadline_is_undone_and_the_others_of_its_group_are_not() {
    let fixture = Fixture::new();
    let blocker = fixture.block_writer();
    let endless = fixture.write(&format!("INSERT INTO \"t\" (\"id\") {ENDLESS}"), &[]);
    let answers = tokio::join!(
        fixture.run(fixture.write("DELETE FROM \"t\" WHERE false", &[])),
        fixture.run(fixture.insert(1)),
        fixture.store.execute(endless, Deadline::after(Duration::from_millis(150))),
        fixture.run(fixture.insert(2)),
        async {
            tokio::time::sleep(Duration::from_millis(30)).await;
            blocker.execute_batch("COMMIT").unwrap();
        }
    );
    assert!(answers.0.is_ok() && answers.1.is_ok() && answers.3.is_ok());
    assert!(matches!(answers.2, Err(Error::Timeout)));
    assert_eq!(fixture.ids(), [1, 2]);
}

#[tokio::test]
async fn a_key_that_is_checked_at_the_end_fails_only_the_request_that_broke_it() {
    let fixture = Fixture::new();
    let late = |id| fixture.write("INSERT INTO \"late\" (\"id\") VALUES (?1)", &[id]);
    let answers = run_as_group(&fixture, vec![fixture.insert(1), late(9), late(1)]).await;
    assert_eq!(answers.iter().map(code).collect::<Vec<_>>(), ["ok", "23503", "ok"]);
    let Err(Error::Database { details, .. }) = &answers[1] else { panic!("no error") };
    assert_eq!(details.as_deref(), Some("Key (id)=(9) is not present in table \"t\"."));
}

#[tokio::test]
async fn a_trial_is_told_of_the_keys_it_would_break_and_of_no_others() {
    let fixture = Fixture::new();
    // Written by somebody who does not check keys.
    Connection::open(fixture.path())
        .unwrap()
        .execute_batch("PRAGMA foreign_keys = OFF; INSERT INTO late VALUES (7)")
        .unwrap();
    let trial = |id| {
        let statement = fixture.write("INSERT INTO \"late\" (\"id\") VALUES (?1)", &[id]);
        let session = Arc::new(Session { rollback: true, ..Session::default() });
        Statement { session, ..statement }
    };
    fixture.run(fixture.insert(1)).await.unwrap();
    assert_eq!(code(&fixture.run(trial(1)).await), "ok");
    assert_eq!(code(&fixture.run(trial(9)).await), "23503");
    let left: i64 =
        Connection::open(fixture.path()).unwrap().query_row("SELECT count(*) FROM late", [], |row| row.get(0)).unwrap();
    assert_eq!(left, 1);
}

#[tokio::test]
async fn a_read_is_ended_at_its_deadline() {
    let fixture = Fixture::new();
    let answer = fixture.store.execute(fixture.read(ENDLESS, None), Deadline::after(Duration::from_millis(30))).await;
    assert!(matches!(answer, Err(Error::Timeout)), "{answer:?}");
    assert!(fixture.run(fixture.read("SELECT 1", None)).await.is_ok());
}

#[tokio::test]
async fn a_write_whose_deadline_passed_in_the_queue_is_never_run() {
    let fixture = Fixture::new();
    let blocker = fixture.block_writer();
    let (first, late) = tokio::join!(fixture.run(fixture.insert(1)), async {
        let late = fixture.store.execute(fixture.insert(2), Deadline::after(Duration::from_millis(30))).await;
        blocker.execute_batch("COMMIT").unwrap();
        late
    });
    assert!(first.is_ok());
    assert!(matches!(late, Err(Error::Timeout)));
    fixture.run(fixture.insert(3)).await.unwrap();
    assert_eq!(fixture.ids(), [1, 3]);
}

#[tokio::test]
async fn a_full_queue_refuses_at_once() {
    let fixture = Fixture::with(|settings| SqliteSettings { queue_limit: 1, ..settings });
    let blocker = fixture.block_writer();
    let taken = fixture.run(fixture.insert(1));
    let (taken, waiting, refused) = tokio::join!(
        taken,
        async {
            tokio::time::sleep(Duration::from_millis(50)).await;
            fixture.run(fixture.insert(2)).await
        },
        async {
            tokio::time::sleep(Duration::from_millis(100)).await;
            let stopwatch = Stopwatch::start();
            let refused = fixture.run(fixture.insert(3)).await;
            assert!(stopwatch.elapsed() < Duration::from_millis(50));
            blocker.execute_batch("COMMIT").unwrap();
            refused
        }
    );
    assert!(taken.is_ok() && waiting.is_ok());
    assert!(matches!(refused, Err(Error::QueueFull)));
    assert_eq!(fixture.ids(), [1, 2]);
}

#[tokio::test]
async fn reads_beyond_the_queue_are_refused() {
    let fixture = Fixture::with(|settings| SqliteSettings { queue_limit: 1, readers: 1, ..settings });
    let endless = || fixture.store.execute(fixture.read(ENDLESS, None), Deadline::after(Duration::from_millis(60)));
    let (running, waiting, refused) = tokio::join!(endless(), endless(), endless());
    assert!(matches!(running, Err(Error::Timeout)));
    assert!(matches!(waiting, Err(Error::Timeout | Error::PoolTimeout)));
    assert!(matches!(refused, Err(Error::QueueFull)));
}

#[tokio::test]
async fn a_writer_held_up_by_another_process_gives_up() {
    let fixture = Fixture::with(|settings| SqliteSettings { busy_timeout: Duration::from_millis(20), ..settings });
    let blocker = fixture.block_writer();
    assert!(matches!(fixture.run(fixture.insert(1)).await, Err(Error::Locked)));
    drop(blocker);
    assert!(fixture.run(fixture.insert(1)).await.is_ok());
}

#[tokio::test]
async fn nothing_is_written_to_a_file_that_is_no_longer_at_its_name() {
    let fixture = Fixture::new();
    assert!(fixture.run(fixture.insert(1)).await.is_ok());
    for name in ["app.db", "app.db-wal"] {
        let (path, aside) = (fixture.directory.path().join(name), fixture.directory.path().join("aside"));
        rustix::fs::rename(&path, &aside).unwrap();
        for replacement in [false, true] {
            if replacement {
                std::fs::write(&path, "another").unwrap();
            }
            assert!(matches!(fixture.store.ping(), Err(Error::Unreachable(_))), "{name}");
            let refused = fixture.run(fixture.insert(2)).await;
            assert!(matches!(refused, Err(Error::Unreachable(cause)) if cause.contains(name)), "{name}");
        }
        rustix::fs::rename(&aside, &path).unwrap();
        fixture.store.ping().unwrap();
    }
    assert!(fixture.run(fixture.insert(2)).await.is_ok());
    assert_eq!(fixture.ids(), [1, 2]);
}

#[tokio::test]
async fn a_body_beyond_its_bound_is_an_error() {
    let fixture = Fixture::with(|settings| SqliteSettings { body_max_bytes: 1_000, ..settings });
    let rows = |count: u32| {
        fixture.read(
            &format!("WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT {count}) SELECT i FROM n"),
            None,
        )
    };
    assert_eq!(code(&fixture.run(rows(10)).await), "ok");
    assert_eq!(code(&fixture.run(rows(1_000_000)).await), "54000");
}

#[tokio::test]
async fn a_schema_changed_by_another_process_is_seen_by_reads_and_writes() {
    let fixture = Fixture::new();
    let (read, write) = (fixture.read("SELECT id FROM t", None), fixture.insert(1));
    Connection::open(fixture.path()).unwrap().execute_batch("CREATE TABLE fresh (a)").unwrap();
    assert!(matches!(fixture.run(read).await, Err(Error::SchemaChanged)));
    assert!(matches!(fixture.run(write).await, Err(Error::SchemaChanged)));
    fixture.store.reload().await.unwrap();
    assert!(fixture.store.catalog().tables.keys().any(|name| name.name == "fresh"));
    assert!(fixture.run(fixture.read("SELECT id FROM t", None)).await.is_ok());
    assert!(fixture.run(fixture.insert(1)).await.is_ok());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 4)]
async fn concurrent_writers_on_one_file_lose_nothing() {
    const TASKS: i64 = 8;
    const ADDITIONS: i64 = 25;
    let fixture = Fixture::new();
    fixture.run(fixture.write("INSERT INTO \"t\" (\"id\", \"n\") VALUES (1, 0)", &[])).await.unwrap();
    let second = Arc::new(open(SqliteSettings::new(fixture.path())));
    let add = fixture.write("UPDATE \"t\" SET \"n\" = \"n\" + 1 WHERE \"id\" = 1", &[]);
    let tasks: Vec<_> = (0..TASKS)
        .map(|task| {
            let store = if task % 2 == 0 { Arc::clone(&fixture.store) } else { Arc::clone(&second) };
            let add = add.clone();
            tokio::spawn(async move {
                for _ in 0..ADDITIONS {
                    assert_eq!(store.execute(add.clone(), soon()).await.unwrap().page, 1);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
    let read = fixture.read("SELECT n FROM t", None);
    for store in [&fixture.store, &second] {
        let body = store.execute(read.clone(), soon()).await.unwrap().body;
        assert_eq!(body, format!("[{{\"a\":{}}}]", TASKS * ADDITIONS));
    }
}

#[tokio::test]
async fn closing_finishes_what_waits_and_brings_it_into_the_file() {
    let Fixture { store, path, directory } = Fixture::new();
    let fixture = Fixture { store: Arc::clone(&store), path, directory };
    let blocker = fixture.block_writer();
    let insert = fixture.insert(1);
    let path = fixture.path();
    let waiting = tokio::spawn({
        let store = Arc::clone(&store);
        async move { store.execute(insert, soon()).await }
    });
    tokio::time::sleep(Duration::from_millis(30)).await;
    blocker.execute_batch("COMMIT").unwrap();
    drop(blocker);
    waiting.await.unwrap().unwrap();
    let Fixture { store: last, directory: _kept, .. } = fixture;
    drop(last);
    let store = Arc::into_inner(store).unwrap();
    store.ping().unwrap();
    drop(store);
    assert!(!path.with_extension("db-wal").exists());
    assert_eq!(ids(&path), [1]);
}
