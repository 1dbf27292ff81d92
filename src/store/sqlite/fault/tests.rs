use std::sync::Arc;
use std::time::Duration;

use super::*;
use crate::clock::Deadline;
use crate::plan::Value;
use crate::store::sqlite::introspect;
use crate::store::sqlite::write::{Failure, UpdateCounter, Write};

const SCHEMA: &str = "
    PRAGMA foreign_keys = ON;
    CREATE TABLE artist (artist_id INTEGER PRIMARY KEY, name TEXT NOT NULL, born INT CHECK (born > 1900), alive boolean, code TEXT,
        UNIQUE (name, born), CONSTRAINT alive_once UNIQUE (alive));
    CREATE UNIQUE INDEX artist_codes ON artist (code);
    CREATE TABLE album (album_id INTEGER PRIMARY KEY, artist_id INT REFERENCES artist, title TEXT);
    CREATE TABLE prize (name TEXT, artist_id INT REFERENCES artist ON DELETE RESTRICT);
    CREATE TABLE pair (a TEXT, b INT, PRIMARY KEY (a, b));
    CREATE TABLE pair_user (a TEXT, b INT, CONSTRAINT to_pair FOREIGN KEY (a, b) REFERENCES pair);
    CREATE TABLE counted (id INTEGER PRIMARY KEY AUTOINCREMENT, a); INSERT INTO counted VALUES (9223372036854775807, 1);
    CREATE TABLE loud (a); CREATE TABLE strict (a INT) STRICT;
    CREATE TRIGGER loud_insert BEFORE INSERT ON loud BEGIN
        SELECT RAISE(ABORT, 'no more') WHERE new.a = 1; SELECT RAISE(ABORT, '22001: too long') WHERE new.a = 2; END;
    INSERT INTO artist VALUES (1, 'a', 1950, 1, 'A'), (2, 'b', 1950, NULL, NULL);
    INSERT INTO album VALUES (1, 1, 'x'); INSERT INTO prize VALUES ('p', 2);";

fn text(text: &str) -> Value {
    Value::Text(text.to_owned())
}

fn run(sql: &str, columns: &[&str], rows: &[&[Value]]) -> Run {
    Run {
        table: sql.split('"').nth(1).unwrap_or_default().to_owned(),
        text: sql.to_owned(),
        columns: columns.iter().map(|&column| column.to_owned()).collect(),
        values: rows.iter().map(|row| row.to_vec()).collect(),
    }
}

/// `code: message [details]`, as a request would be answered; nothing of it may be left afterwards.
fn failing(runs: &[Run]) -> String {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    let catalog = Arc::new(introspect::read(&connection).unwrap());
    let updates = UpdateCounter::register(&connection).unwrap();
    let again = || Write::of(runs).run(&connection, &catalog, &updates, 1000);

    let sight = Sight { catalog: &catalog, viewer: Viewer::Anyone };
    let before = content(&connection);
    connection.execute_batch("BEGIN; SAVEPOINT berth").unwrap();
    let Err(Failure::Sqlite(error, place)) = again() else { panic!("nothing failed") };
    let error = if is_foreign_key(&error) {
        connection.execute_batch("ROLLBACK TO berth").unwrap();
        let deadline = Deadline::after(Duration::from_secs(60));
        let error = foreign_key::of_request(&connection, sight, runs, runs, deadline, again).unwrap().unwrap_err();
        assert_eq!(content(&connection), before);
        let deferred: i64 = connection.query_row("PRAGMA defer_foreign_keys", [], |row| row.get(0)).unwrap();
        assert_eq!(deferred, 0, "the keys are checked at once again");
        error
    } else {
        explain(&connection, sight, runs, place, error)
    };
    connection.execute_batch("ROLLBACK TO berth; RELEASE berth; COMMIT").unwrap();
    shown(error)
}

/// All rows of the tables that foreign keys are about.
fn content(connection: &Connection) -> String {
    let sql = "SELECT (SELECT json_group_array(json_array(artist_id, name)) FROM artist)
        || (SELECT json_group_array(json_array(album_id, artist_id)) FROM album)
        || (SELECT json_group_array(artist_id) FROM prize) || (SELECT json_group_array(a) FROM pair_user)";
    connection.query_row(sql, [], |row| row.get(0)).unwrap()
}

fn shown(error: Error) -> String {
    let Error::Database { code, message, details, hint: None } = error else { return format!("{error:?}") };
    format!("{code}: {message}{}", details.map(|details| format!(" [{details}]")).unwrap_or_default())
}

fn one(sql: &str, columns: &[&str], values: &[Value]) -> String {
    failing(&[run(sql, columns, &[values])])
}

#[test]
fn a_taken_key_is_named_with_its_values() {
    assert_eq!(
        failing(&[run(
            "INSERT INTO \"artist\" (\"artist_id\", \"name\") VALUES (?1, ?2)",
            &["artist_id", "name"],
            &[&[Value::Integer(9), text("z")], &[Value::Integer(1), text("y")]],
        )]),
        "23505: duplicate key value violates unique constraint \"artist_pkey\" [Key (artist_id)=(1) already exists.]"
    );
    assert_eq!(
        one(
            "INSERT INTO \"pair\" (\"b\", \"a\") VALUES (?1, ?2), (?1, ?2)",
            &["b", "a"],
            &[Value::Integer(1), text("x, y")]
        ),
        "23505: duplicate key value violates unique constraint \"pair_pkey\" [Key (a, b)=(x, y, 1) already exists.]"
    );
}

#[test]
fn unique_constraints_have_their_own_name_or_that_of_their_index_or_columns() {
    let insert = |column: &str, value: Value| {
        let sql = format!("INSERT INTO \"artist\" (\"name\", \"born\", \"{column}\") VALUES (?1, ?2, ?3)");
        one(&sql, &["name", "born", column], &[text("z"), Value::Integer(1950), value])
    };
    let duplicate = "23505: duplicate key value violates unique constraint";
    assert_eq!(
        insert("alive", Value::Integer(1)),
        format!("{duplicate} \"alive_once\" [Key (alive)=(t) already exists.]")
    );
    assert_eq!(insert("code", text("A")), format!("{duplicate} \"artist_codes\" [Key (code)=(A) already exists.]"));
    assert_eq!(
        one(
            "INSERT INTO \"artist\" (\"name\", \"born\") VALUES (?1, ?2)",
            &["name", "born"],
            &[text("a"), Value::Integer(1950)]
        ),
        format!("{duplicate} \"artist_name_born_key\" [Key (name, born)=(a, 1950) already exists.]")
    );
    assert_eq!(
        one("UPDATE \"artist\" SET \"artist_id\" = \"artist_id\" + 1 WHERE \"artist_id\" = 1", &[], &[]),
        format!("{duplicate} \"artist_pkey\""),
        "values that the request did not give are not told"
    );
}

#[test]
fn nulls_and_checks_name_column_and_constraint() {
    assert_eq!(
        one("INSERT INTO \"artist\" (\"born\") VALUES (?1)", &["born"], &[Value::Integer(1950)]),
        "23502: null value in column \"name\" of relation \"artist\" violates not-null constraint"
    );
    assert_eq!(
        one("UPDATE \"artist\" SET \"born\" = ?1", &["born"], &[Value::Integer(1)]),
        "23514: new row for relation \"artist\" violates check constraint \"artist_born_check\""
    );
}

#[test]
fn a_foreign_key_to_nothing_is_told_from_the_child() {
    assert_eq!(
        one("INSERT INTO \"album\" (\"artist_id\") VALUES (?1)", &["artist_id"], &[Value::Integer(999)]),
        "23503: insert or update on table \"album\" violates foreign key constraint \"album_artist_id_fkey\" \
         [Key (artist_id)=(999) is not present in table \"artist\".]"
    );
    assert_eq!(
        one(
            "UPDATE \"album\" SET \"artist_id\" = ?1 WHERE \"album_id\" = ?2",
            &["artist_id"],
            &[Value::Integer(7), Value::Integer(1)]
        ),
        "23503: insert or update on table \"album\" violates foreign key constraint \"album_artist_id_fkey\" \
         [Key (artist_id)=(7) is not present in table \"artist\".]"
    );
    assert_eq!(
        one("INSERT INTO \"pair_user\" (\"a\", \"b\") VALUES (?1, ?2)", &["a", "b"], &[text("x"), Value::Integer(1)]),
        "23503: insert or update on table \"pair_user\" violates foreign key constraint \"to_pair\" \
         [Key (a, b)=(x, 1) is not present in table \"pair\".]"
    );
    // The value is not the request's own.
    assert_eq!(
        one("INSERT INTO \"album\" (\"artist_id\") SELECT 50", &[], &[]),
        "23503: insert or update on table \"album\" violates foreign key constraint \"album_artist_id_fkey\" \
         [Key (artist_id)=(50) is not present in table \"artist\".]"
    );
}

#[test]
fn a_key_that_is_pointed_to_is_told_from_the_parent() {
    assert_eq!(
        one("DELETE FROM \"artist\" WHERE \"artist_id\" = ?1", &[], &[Value::Integer(1)]),
        "23503: update or delete on table \"artist\" violates foreign key constraint \"album_artist_id_fkey\" \
         on table \"album\" [Key (artist_id)=(1) is still referenced from table \"album\".]"
    );
    assert_eq!(
        one("UPDATE \"artist\" SET \"artist_id\" = ?1 WHERE \"name\" = 'a'", &["artist_id"], &[Value::Integer(5)]),
        "23503: update or delete on table \"artist\" violates foreign key constraint \"album_artist_id_fkey\" \
         on table \"album\" [Key (artist_id)=(1) is still referenced from table \"album\".]"
    );
    assert_eq!(
        one("DELETE FROM \"artist\" WHERE \"artist_id\" = ?1", &[], &[Value::Integer(2)]),
        "23503: update or delete on table \"artist\" violates foreign key constraint \"prize_artist_id_fkey\" \
         on table \"prize\" [Key (artist_id)=(2) is still referenced from table \"prize\".]"
    );
}

#[test]
fn a_table_that_has_given_its_last_number_is_not_taken_for_a_full_volume() {
    let connection = Connection::open_in_memory().unwrap();
    connection.execute_batch(SCHEMA).unwrap();
    let explained = |sql: &str| {
        let error = connection.execute(sql, []).unwrap_err();
        shown(counted_out(&connection, "counted").unwrap_or_else(|| plain(error)))
    };
    assert_eq!(
        explained("INSERT INTO counted (a) VALUES (1)"),
        "2200H: nextval: reached maximum value of the numbers of \"counted\" (9223372036854775807)"
    );
    connection.execute_batch("UPDATE sqlite_sequence SET seq = 7; PRAGMA max_page_count = 1").unwrap();
    let full = explained("CREATE TABLE more AS SELECT zeroblob(1000000) AS a");
    assert!(full.starts_with("53100"), "{full}");
}

#[test]
fn triggers_and_functions_give_their_own_codes() {
    let insert = |value| one("INSERT INTO \"loud\" (\"a\") VALUES (?1)", &["a"], &[Value::Integer(value)]);
    assert_eq!(insert(1), "P0001: no more");
    assert_eq!(insert(2), "22001: too long");
    assert_eq!(
        one("INSERT INTO \"strict\" (\"a\") VALUES (?1)", &["a"], &[text("x")]),
        "42804: cannot store TEXT value in INT column strict.a"
    );
}

#[test]
fn other_errors_have_the_codes_of_postgres() {
    let failure = |code: i32| plain(rusqlite::Error::SqliteFailure(ffi::Error::new(code), Some("why".to_owned())));
    for (code, wanted) in [
        (ffi::SQLITE_FULL, "53100"),
        (ffi::SQLITE_IOERR, "58030"),
        (ffi::SQLITE_CORRUPT, "XX001"),
        (ffi::SQLITE_TOOBIG, "54000"),
        (ffi::SQLITE_READONLY, "25006"),
    ] {
        assert!(matches!(failure(code), Error::Database { code, .. } if code == wanted), "{wanted}");
    }
    assert!(matches!(failure(ffi::SQLITE_BUSY), Error::Locked));
    assert!(matches!(failure(ffi::SQLITE_INTERRUPT), Error::Timeout));
    assert!(matches!(failure(ffi::SQLITE_MISUSE), Error::Internal(_)));
}

#[test]
fn statements_for_what_is_not_there_say_so_and_show_no_sql() {
    let connection = Connection::open_in_memory().unwrap();
    let error = |sql: &str| shown(plain(connection.prepare(sql).err().unwrap()));
    assert_eq!(error("SELECT * FROM secret_table"), "42P01: relation \"secret_table\" does not exist");
    assert_eq!(error("SELECT x"), "42703: column x does not exist");
    assert_eq!(error("SELECT f(1)"), "42883: function f does not exist");
    assert!(!error("SELECT 'secret' FRM t").contains("secret"));
}
