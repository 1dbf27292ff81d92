//! Runs scripts on a SQLite file.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, OptionalExtension, Transaction, TransactionBehavior};

use super::translate::{Action, Rebuild, Step, quote, translate, word_indexes};
use super::{Applied, Error, Mode, Report, Script, ledger, record, words};
use crate::clock::Stopwatch;
use crate::store::sqlite::functions;

/// How long to wait for another process that migrates the same file.
const BUSY_TIMEOUT: Duration = Duration::from_secs(60);

/// Applies what is pending to the file at `path`, which is made if there is none.
///
/// # Errors
/// What [`apply_sqlite`] says, and [`Error::Sqlite`] when the file cannot be opened.
pub fn migrate_file(path: &Path, scripts: &[Script], mode: Mode) -> Result<Report, Error> {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_CREATE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let mut connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(()))?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    let mut report = Report::default();
    apply_sqlite(&mut connection, scripts, mode, &mut report)?;
    Ok(report)
}

/// Applies what is pending, each script in a transaction of its own with its row in the ledger.
///
/// Several processes may do so at once: the first one takes the file's write lock, the others find the work done.
/// The connection's `foreign_keys` and `legacy_alter_table` are left as they were. What is applied is added to `report`,
/// also when a later script fails.
///
/// # Errors
/// The first script that cannot be applied, and why; those before it are applied, of it nothing is.
pub fn apply_sqlite(
    connection: &mut Connection,
    scripts: &[Script],
    mode: Mode,
    report: &mut Report,
) -> Result<(), Error> {
    if ledger::pending(scripts, &applied(connection)?)?.is_empty() {
        return Ok(());
    }
    // Defaults and views may call them.
    functions::register(connection)?;
    // An unknown name in quotes must be an error, and no text.
    let has_quoted_text = connection.db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, false)?;
    // Rows of a table that is rebuilt must not be seen as gone, and no view or key as broken, until the end.
    let foreign_keys: bool = connection.pragma_query_value(None, "foreign_keys", |row| row.get(0))?;
    connection.pragma_update(None, "foreign_keys", false)?;
    connection.pragma_update(None, "legacy_alter_table", true)?;
    let done = apply_pending(connection, scripts, mode, report);
    connection.pragma_update(None, "legacy_alter_table", false)?;
    connection.pragma_update(None, "foreign_keys", foreign_keys)?;
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_DQS_DML, has_quoted_text)?;
    done
}

fn apply_pending(
    connection: &mut Connection,
    scripts: &[Script],
    mode: Mode,
    report: &mut Report,
) -> Result<(), Error> {
    match mode {
        Mode::Apply => {
            // Each script looks again: another process may have applied it meanwhile.
            for script in scripts {
                let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
                if ledger::pending(scripts, &applied(&transaction)?)?.iter().any(|of| of.name == script.name) {
                    let applied = apply(&transaction, script)?;
                    transaction.commit()?;
                    report.applied.push(applied);
                }
            }
        }
        Mode::DryRun => {
            let transaction = connection.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for script in ledger::pending(scripts, &applied(&transaction)?)? {
                report.applied.push(apply(&transaction, script)?);
            }
        }
    }
    Ok(())
}

/// The ledger: name → checksum.
fn applied(connection: &Connection) -> Result<BTreeMap<String, String>, Error> {
    if !record::exists(connection, "_berth_migrations")? {
        return Ok(BTreeMap::new());
    }
    let mut statement = connection.prepare("SELECT name, checksum FROM _berth_migrations")?;
    let rows = statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?)))?;
    Ok(rows.collect::<rusqlite::Result<_>>()?)
}

fn apply(transaction: &Transaction<'_>, script: &Script) -> Result<Applied, Error> {
    let begun = Stopwatch::start();
    let mut schema = record::read(transaction)?;
    for step in translate(script, &mut schema)? {
        run(transaction, &step.action).map_err(|error| failed(script, &step, &error))?;
    }
    check_foreign_keys(transaction, script)?;
    check_views(transaction, script)?;
    words::keep(transaction, &word_indexes(&schema))?;
    record::write(transaction, &schema, &script.name)?;
    transaction.execute(
        "INSERT INTO _berth_migrations (name, checksum, applied_at, definitions) \
         VALUES (?1, ?2, strftime('%Y-%m-%d %H:%M:%f', 'now') || '+00', ?3)",
        (&script.name, &script.checksum, script.definitions()),
    )?;
    Ok(Applied { name: script.name.clone(), latency: begun.elapsed() })
}

fn failed(script: &Script, step: &Step, error: &rusqlite::Error) -> Error {
    let statement = script.statements.get(step.statement);
    Error::Statement {
        file: script.name.clone(),
        line: statement.map_or(1, |of| of.line),
        statement: statement.map(super::Statement::excerpt).unwrap_or_default(),
        message: error.to_string(),
    }
}

fn run(connection: &Connection, action: &Action) -> rusqlite::Result<()> {
    match action {
        Action::Execute(sql) => connection.execute_batch(sql),
        Action::Check(sql) => connection.prepare(sql).map(drop),
        Action::Rename(sql) => {
            connection.pragma_update(None, "legacy_alter_table", false)?;
            let renamed = connection.execute_batch(sql);
            connection.pragma_update(None, "legacy_alter_table", true)?;
            renamed
        }
        Action::Count { table, last } => {
            connection.execute("DELETE FROM sqlite_sequence WHERE name = ?1", [table])?;
            connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)", (table, last))?;
            Ok(())
        }
        Action::Rebuild(rebuild) => run_rebuild(connection, rebuild),
    }
}

/// SQLite's own way to change what `ALTER TABLE` cannot: <https://www.sqlite.org/lang_altertable.html>, section 7.
fn run_rebuild(connection: &Connection, rebuild: &Rebuild) -> rusqlite::Result<()> {
    let (table, stage) = (quote(&rebuild.table), Rebuild::STAGE);
    let mut statement = connection.prepare(
        "SELECT sql FROM sqlite_schema WHERE type = 'trigger' AND tbl_name = ?1 AND name NOT GLOB ?2 || '*'",
    )?;
    let triggers: Vec<String> =
        statement.query_map([&rebuild.table, words::PREFIX], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    drop(statement);

    connection.execute_batch(&rebuild.create)?;
    let (columns, values): (Vec<_>, Vec<_>) =
        rebuild.carried.iter().map(|(column, value)| (quote(column), value.as_str())).unzip();
    if !columns.is_empty() {
        let (columns, values) = (columns.join(", "), values.join(", "));
        connection.execute_batch(&format!("INSERT INTO {stage} ({columns}) SELECT {values} FROM {table}"))?;
    }
    carry_counter(connection, &rebuild.table)?;
    connection.execute_batch(&format!("DROP TABLE {table}; ALTER TABLE {stage} RENAME TO {table}"))?;
    for sql in rebuild.indexes.iter().chain(&triggers) {
        connection.execute_batch(sql)?;
    }
    Ok(())
}

/// The counter must not fall back to the greatest number that is left.
fn carry_counter(connection: &Connection, table: &str) -> rusqlite::Result<()> {
    if !record::exists(connection, "sqlite_sequence")? {
        return Ok(());
    }
    let last: Option<i64> = connection
        .query_row("SELECT seq FROM sqlite_sequence WHERE name = ?1", [table], |row| row.get(0))
        .optional()?;
    let is_counted: bool = connection.query_row(
        "SELECT sql LIKE '%AUTOINCREMENT%' FROM sqlite_schema WHERE name = ?1",
        [Rebuild::STAGE],
        |row| row.get(0),
    )?;
    if let (Some(last), true) = (last, is_counted) {
        connection.execute("DELETE FROM sqlite_sequence WHERE name = ?1", [Rebuild::STAGE])?;
        connection.execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)", (Rebuild::STAGE, last))?;
    }
    Ok(())
}

fn check_foreign_keys(connection: &Connection, script: &Script) -> Result<(), Error> {
    let broken: Option<(String, String)> = connection
        .query_row("SELECT \"table\", parent FROM pragma_foreign_key_check LIMIT 1", [], |row| {
            Ok((row.get(0)?, row.get(1)?))
        })
        .optional()?;
    match broken {
        None => Ok(()),
        Some((table, parent)) => Err(Error::ForeignKey { file: script.name.clone(), table, parent }),
    }
}

fn check_views(connection: &Connection, script: &Script) -> Result<(), Error> {
    let mut statement = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'view'")?;
    let views: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    for view in views {
        if let Err(error) = connection.prepare(&format!("SELECT * FROM {} LIMIT 0", quote(&view))) {
            return Err(Error::BrokenView { file: script.name.clone(), view, message: error.to_string() });
        }
    }
    Ok(())
}
