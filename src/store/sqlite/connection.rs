//! Connections and what is set on each of them.
//!
//! | setting | why |
//! |---|---|
//! | WAL, `synchronous=FULL` | readers never wait; a commit is on the volume when it is acknowledged |
//! | `foreign_keys`, `busy_timeout` | SQLite's defaults are off and none |
//! | `trusted_schema=OFF`, defensive | a file made by others must not make its triggers and views call what is unsafe |
//! | no strings in double quotes | an unknown name is an error, and no text that a policy would be compared with |
//! | readers: opened read-only, `query_only` | two walls: whatever is rendered, a reader cannot write |
//! | an authorizer | a statement touches what its plan was granted, and nothing else (`authorizer`) |
//! | no `ATTACH`, no extensions, limits | a statement can reach no other file and no code, and grows to a bound |
//!
//! Source: <https://www.sqlite.org/security.html>, <https://www.sqlite.org/wal.html>.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use r2d2::Pool;
use r2d2_sqlite::SqliteConnectionManager;
use rusqlite::config::DbConfig;
use rusqlite::limits::Limit;
use rusqlite::{Connection, OpenFlags};
use scheduled_thread_pool::ScheduledThreadPool;

use super::journal::SharedLog;
use super::write::UpdateCounter;
use super::{SqliteSettings, authorizer, functions, interrupt};
use crate::store::Error;

/// Prepared statements kept by each connection. Each takes a few KiB, and an application sends fewer different texts.
const STATEMENTS_MAX: usize = 128;

/// Page cache of each connection, in KiB. The operating system caches the file for all of them.
const CACHE_KIB: i64 = 4 * 1024;

/// Size to which the WAL file is cut back after a checkpoint, in bytes.
const JOURNAL_MAX_BYTES: i64 = 64 * 1024 * 1024;

/// How long opening a reader may take: on a local volume it takes milliseconds.
const OPEN_TIMEOUT: Duration = Duration::from_secs(10);

/// Bounds of a statement. What is rendered stays far below; a file made by others may hold views that do not.
const LIMITS: &[(Limit, i32)] = &[
    (Limit::SQLITE_LIMIT_ATTACHED, 0),
    (Limit::SQLITE_LIMIT_SQL_LENGTH, 1_000_000),
    (Limit::SQLITE_LIMIT_EXPR_DEPTH, 1_000),
    (Limit::SQLITE_LIMIT_COMPOUND_SELECT, 200),
    (Limit::SQLITE_LIMIT_VARIABLE_NUMBER, 32_766),
    // A trigger that fires itself is stopped before it fills the memory.
    (Limit::SQLITE_LIMIT_TRIGGER_DEPTH, 100),
    (Limit::SQLITE_LIMIT_WORKER_THREADS, 0),
];

/// How a reader opens the file.
const READING: OpenFlags = OpenFlags::SQLITE_OPEN_READ_ONLY.union(OpenFlags::SQLITE_OPEN_NO_MUTEX);

/// The readers.
pub(super) type Readers = Pool<SqliteConnectionManager>;

/// Opens the file for writing, and makes it if there is none. The working copy of a `log` publishes its commits.
///
/// # Errors
/// [`Error::Unreachable`] when the file cannot be opened or cannot be in WAL mode.
pub(super) fn open_writer(settings: &SqliteSettings, log: Option<&Arc<SharedLog>>) -> Result<Connection, Error> {
    let open = || -> rusqlite::Result<(Connection, String)> {
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let connection = match log {
            Some(log) => log.connect()?,
            None => Connection::open_with_flags(&settings.path, flags)?,
        };
        connection.busy_timeout(settings.busy_timeout)?;
        let mode: String = connection.query_row("PRAGMA journal_mode = WAL", [], |row| row.get(0))?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        connection.pragma_update(None, "foreign_keys", true)?;
        connection.pragma_update(None, "journal_size_limit", JOURNAL_MAX_BYTES)?;
        prepare(&connection, settings)?;
        Ok((connection, mode))
    };
    let (connection, mode) = open().map_err(|error| unreachable(&settings.path, &error))?;
    if mode.eq_ignore_ascii_case("wal") {
        Ok(connection)
    } else {
        Err(Error::Unreachable(format!("{}: journal mode is \"{mode}\", expected \"wal\"", settings.path.display())))
    }
}

/// Opens the first reader; the others are opened when reads at one time want them, for an idle one takes a quarter of a
/// megabyte. The writer must be open: it is the one that recovers the file after a crash.
///
/// # Errors
/// [`Error::Unreachable`] when it cannot be opened.
pub(super) fn open_readers(settings: &SqliteSettings) -> Result<Readers, Error> {
    let theirs = settings.clone();
    let manager = SqliteConnectionManager::file(&settings.path)
        .with_flags(READING)
        .with_init(move |connection| prepare_reader(connection, &theirs));
    let opener = ScheduledThreadPool::builder().num_threads(1).thread_name_pattern("berth-open").build();
    let readers = Pool::builder()
        .max_size(settings.readers.max(1))
        .min_idle(Some(0))
        .thread_pool(Arc::new(opener))
        // A file does not break as a socket does: no test at each use, no thread that closes and opens again.
        .test_on_check_out(false)
        .max_lifetime(None)
        .idle_timeout(None)
        .connection_timeout(OPEN_TIMEOUT)
        .error_handler(Box::new(r2d2::NopErrorHandler))
        .build(manager)
        .map_err(|error| unreachable(&settings.path, &error))?;
    drop(readers.get().map_err(|error| unreachable(&settings.path, &error))?);
    Ok(readers)
}

/// Opens one reader more.
///
/// # Errors
/// [`Error::Unreachable`] when it cannot be opened.
pub(super) fn open_reader(settings: &SqliteSettings) -> Result<Connection, Error> {
    let open = || {
        let connection = Connection::open_with_flags(&settings.path, READING)?;
        prepare_reader(&connection, settings)?;
        Ok(connection)
    };
    open().map_err(|error: rusqlite::Error| unreachable(&settings.path, &error))
}

fn prepare_reader(connection: &Connection, settings: &SqliteSettings) -> rusqlite::Result<()> {
    connection.busy_timeout(settings.busy_timeout)?;
    connection.pragma_update(None, "query_only", true)?;
    prepare(connection, settings)?;
    // They are asked how an upsert would be run; the writer counts with one of its own.
    UpdateCounter::register(connection)?;
    Ok(())
}

/// Sets what readers and the writer have in common.
fn prepare(connection: &Connection, settings: &SqliteSettings) -> rusqlite::Result<()> {
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DEFENSIVE, true)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
    connection.pragma_update(None, "mmap_size", i64::try_from(settings.mmap_bytes).unwrap_or(i64::MAX))?;
    // Of the process, not of the connection. What does not fit is an error of the statement that wants it, and not the
    // end of the process by the platform's hand.
    let memory_max_bytes = i64::try_from(settings.memory_max_bytes).unwrap_or(i64::MAX);
    connection.query_row(&format!("PRAGMA hard_heap_limit = {memory_max_bytes}"), [], |_| Ok(()))?;
    connection.set_prepared_statement_cache_capacity(STATEMENTS_MAX);
    interrupt::heed_deadlines(connection)?;
    authorizer::heed_reach(connection)?;
    for (limit, bound) in LIMITS {
        connection.set_limit(*limit, *bound)?;
    }
    let value_max_bytes = i32::try_from(settings.value_max_bytes).unwrap_or(i32::MAX);
    connection.set_limit(Limit::SQLITE_LIMIT_LENGTH, value_max_bytes)?;
    // They keep within the limits.
    functions::register(connection)
}

fn unreachable(path: &Path, error: &dyn std::fmt::Display) -> Error {
    Error::Unreachable(format!("{}: {error}", path.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(connection: &Connection, sql: &str) -> bool {
        connection.execute_batch(sql).is_err()
    }

    #[test]
    fn the_writer_waits_for_the_volume_at_each_commit() {
        let directory = tempfile::tempdir().unwrap();
        let writer = open_writer(&SqliteSettings::new(directory.path().join("app.db")), None).unwrap();
        let pragma = |name: &str| writer.query_row(&format!("PRAGMA {name}"), [], |row| row.get::<_, i64>(0)).unwrap();
        assert_eq!(pragma("synchronous"), 2);
        assert_eq!(pragma("foreign_keys"), 1);
        assert_eq!(pragma("trusted_schema"), 0);
    }

    #[test]
    fn no_connection_reaches_another_file_and_no_reader_writes() {
        let directory = tempfile::tempdir().unwrap();
        let settings = SqliteSettings::new(directory.path().join("app.db"));
        let writer = open_writer(&settings, None).unwrap();
        writer.execute_batch("CREATE TABLE t (a)").unwrap();
        let readers = open_readers(&settings).unwrap();
        let reader = readers.get().unwrap();
        for connection in [&writer, &*reader] {
            assert!(refused(connection, "ATTACH ':memory:' AS other"));
            assert!(refused(connection, "SELECT load_extension('x')"));
            assert!(refused(connection, "PRAGMA writable_schema = ON; UPDATE sqlite_schema SET sql = ''"));
        }
        assert!(refused(&reader, "INSERT INTO t VALUES (1)"));
        assert!(refused(&reader, "PRAGMA query_only = OFF; INSERT INTO t VALUES (1)"));
        assert!(!refused(&writer, "INSERT INTO t VALUES (1)"));
    }

    #[test]
    fn what_is_no_database_is_named_with_its_path() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("app.db");
        std::fs::write(&path, "this is text, and more of it than a header holds ".repeat(20)).unwrap();
        let Err(Error::Unreachable(cause)) = open_writer(&SqliteSettings::new(path), None) else { panic!("opened") };
        assert!(cause.contains("app.db") && cause.contains("not a database"), "{cause}");
    }
}
