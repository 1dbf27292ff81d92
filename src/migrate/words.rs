//! Indexes of words on SQLite: tables of FTS5 that triggers keep.
//!
//! An index `i` of the table `t` is the table `_berth_words_i`, whose rows have the row ids of those of `t`, and three
//! triggers on `t`. It has the words only, as [`search::index`](crate::search::index) writes them: no text, no places.
//!
//! A table that is written anew loses its triggers, and with them what the index knows. So all are looked at when a script
//! is done: an index that is not as it should be is made anew.

use rusqlite::Connection;

use super::translate::{WordIndex, quote};
use crate::search::index::TOKENIZER;

/// What the names of these tables and triggers begin with.
pub(super) const PREFIX: &str = "_berth_words_";

/// What is noted of them, for who reads the catalog.
const NOTES: &str = "
CREATE TABLE IF NOT EXISTS _berth_word_indexes (name TEXT PRIMARY KEY, table_name TEXT NOT NULL, column_name TEXT NOT NULL, configuration TEXT) WITHOUT ROWID;
DELETE FROM _berth_word_indexes;
";

/// Makes the indexes what they should be.
pub(super) fn keep(connection: &Connection, wanted: &[WordIndex]) -> rusqlite::Result<()> {
    if wanted.is_empty() && !super::record::exists(connection, "_berth_word_indexes")? {
        return Ok(());
    }
    connection.execute_batch(NOTES)?;
    for index in wanted {
        let configuration = index.configuration.map(|of| of.name());
        let row = (table_of(&index.name), &index.table, &index.column, configuration);
        connection.execute("INSERT INTO _berth_word_indexes VALUES (?1, ?2, ?3, ?4)", row)?;
    }
    let is_wanted = |name: &str| wanted.iter().any(|index| table_of(&index.name) == name);
    for gone in tables(connection)?.iter().filter(|name| !is_wanted(name)) {
        drop_index(connection, gone)?;
    }
    for index in wanted {
        let triggers = triggers(index);
        if !is_kept(connection, &triggers)? {
            make(connection, index, &triggers)?;
        }
    }
    Ok(())
}

/// The table that an index is.
fn table_of(index: &str) -> String {
    format!("{PREFIX}{index}")
}

/// Those that there are.
fn tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let sql = "SELECT name FROM pragma_table_list WHERE schema = 'main' AND type = 'virtual' AND name GLOB ?1 || '*'";
    connection.prepare(sql)?.query_map([PREFIX], |row| row.get(0))?.collect()
}

fn drop_index(connection: &Connection, table: &str) -> rusqlite::Result<()> {
    let drop = |kind: &str, name: &str| format!("DROP {kind} IF EXISTS {};", quote(name));
    let triggers = ["insert", "update", "delete"].map(|event| drop("TRIGGER", &format!("{table}_{event}")));
    connection.execute_batch(&(triggers.concat() + &drop("TABLE", table)))
}

fn make(connection: &Connection, index: &WordIndex, triggers: &[(String, String)]) -> rusqlite::Result<()> {
    let table = table_of(&index.name);
    drop_index(connection, &table)?;
    let quoted = quote(&table);
    connection.execute_batch(&format!(
        "CREATE VIRTUAL TABLE {quoted} USING fts5 \
         (words, content = '', contentless_delete = 1, detail = 'none', tokenize = \"{TOKENIZER}\");
         INSERT INTO {quoted} (rowid, words) SELECT rowid, {} FROM {};",
        words(index, ""),
        quote(&index.table)
    ))?;
    triggers.iter().try_for_each(|(_, sql)| connection.execute_batch(sql))
}

/// True when these triggers are there, as they are written.
fn is_kept(connection: &Connection, triggers: &[(String, String)]) -> rusqlite::Result<bool> {
    let mut statement = connection.prepare("SELECT 1 FROM sqlite_schema WHERE name = ?1 AND sql = ?2")?;
    for (name, sql) in triggers {
        if !statement.exists((name, sql))? {
            return Ok(false);
        }
    }
    Ok(true)
}

/// Names and texts of the triggers that keep an index.
fn triggers(index: &WordIndex) -> Vec<(String, String)> {
    let name = table_of(&index.name);
    let (table, column, quoted) = (quote(&index.table), quote(&index.column), quote(&name));
    let forget = format!("DELETE FROM {quoted} WHERE rowid = old.rowid; ");
    let learn = format!("INSERT INTO {quoted} (rowid, words) VALUES (new.rowid, {}); ", words(index, "new."));
    let changes = format!("WHEN old.rowid <> new.rowid OR old.{column} IS NOT new.{column} ");
    [
        ("insert", "", String::new(), &learn),
        ("update", &*changes, forget.clone(), &learn),
        ("delete", "", forget, &String::new()),
    ]
    .into_iter()
    .map(|(event, when, before, behind)| {
        let trigger = format!("{name}_{event}");
        let head = format!("CREATE TRIGGER {} AFTER {} ON {table} ", quote(&trigger), event.to_uppercase());
        (trigger, format!("{head}{when}BEGIN {before}{behind}END"))
    })
    .collect()
}

/// What the index takes of a row.
fn words(index: &WordIndex, row: &str) -> String {
    let column = quote(&index.column);
    match index.configuration {
        None => format!("berth_ts_words({row}{column})"),
        Some(configuration) => {
            format!("berth_ts_words(berth_to_tsvector('{}', {row}{column}))", configuration.name())
        }
    }
}
