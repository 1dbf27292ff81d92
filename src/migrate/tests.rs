//! Scripts against SQLite: what they leave behind.

use rusqlite::Connection;

use super::*;

fn migrated(scripts: &[(&str, &str)]) -> Result<Connection, Error> {
    let mut connection = Connection::open_in_memory()?;
    let scripts: Vec<Script> =
        scripts.iter().map(|(name, text)| Script::new(*name, *text)).collect::<Result<_, _>>()?;
    apply_sqlite(&mut connection, &scripts, Mode::Apply)?;
    Ok(connection)
}

fn value<T: rusqlite::types::FromSql>(connection: &Connection, sql: &str) -> T {
    connection.query_row(sql, [], |row| row.get(0)).expect(sql)
}

#[test]
fn the_chinook_script_runs_as_it_is() {
    let text = include_str!("../../migrations/0001_films.sql");
    let connection = migrated(&[("0001_films.sql", text)]).expect("migrated");
    assert_eq!(value::<i64>(&connection, "SELECT count(*) FROM films"), 8);
}
