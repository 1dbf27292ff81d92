//! An existing SQLite file becomes the database of a shared log, and comes out of it again.

use std::path::{Path, PathBuf};

use rusqlite::Connection;

use crate::support::command::{berth, done, refused};
use crate::support::{Berth, Start};

/// A file with a table, an index, a view and `rows` rows.
fn make(file: &Path, page_size: u32, journal: &str, rows: u32) -> Connection {
    let connection = Connection::open(file).unwrap();
    connection.pragma_update(None, "page_size", page_size).unwrap();
    connection.query_row(&format!("PRAGMA journal_mode = {journal}"), [], |_| Ok(())).unwrap();
    connection
        .execute_batch(&format!(
            "CREATE TABLE items (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, weight REAL, data BLOB);
             CREATE VIEW heavy AS SELECT id, name FROM items WHERE weight > 5;
             WITH RECURSIVE n (i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows})
             INSERT INTO items (name, weight, data) SELECT 'item ' || i, i % 10, zeroblob(i % 300) FROM n;"
        ))
        .unwrap();
    connection
}

fn shared(folder: &Path) -> Start<'_> {
    Start::sqlite(folder, &folder.join("data")).with("VOLUME_MODE", "shared-log")
}

const SHARED: &[(&str, &str)] = &[("VOLUME_MODE", "shared-log")];

/// What is asked of a served file.
fn answers(berth: &Berth) -> Vec<String> {
    let paths = ["/items?order=id&limit=50", "/heavy?order=id.desc&limit=20", "/items?select=count()", "/"];
    paths.map(|path| berth.client().get(path).body).to_vec()
}

fn import(folder: &Path, file: &Path) -> String {
    done(folder, SHARED, &["import", file.to_str().unwrap()])
}

#[test]
fn a_file_of_any_page_size_and_journal_answers_the_same_from_the_log_as_in_place() {
    for (page_size, journal) in [(512, "DELETE"), (1_024, "WAL"), (4_096, "WAL"), (16_384, "DELETE"), (65_536, "WAL")] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let file = folder.join("mine.db");
        // Still open: what is in its WAL is not in the file yet.
        let writer = make(&file, page_size, journal, 500);
        writer.execute_batch("INSERT INTO items (name) VALUES ('last')").unwrap();
        let said = import(folder, &file);
        assert!(said.contains("at position 1 "), "{said}");

        let in_place = folder.join("in-place");
        std::fs::create_dir(&in_place).unwrap();
        done(folder, &[("VOLUME", in_place.to_str().unwrap())], &["import", file.to_str().unwrap()]);
        let expected = answers(&Start::sqlite(folder, &in_place).run());

        let instances = [shared(folder).run(), shared(folder).run()];
        for berth in &instances {
            assert_eq!(answers(berth), expected, "{page_size} {journal}");
        }
        // It goes on as any log does.
        let headers = [("Content-Type", "application/json"), ("Prefer", "return=representation")];
        let written = instances[0].client().send("POST", "/items", &headers, r#"{"name":"new"}"#);
        assert_eq!((written.status, written.json()[0]["id"].as_i64()), (201, Some(502)), "{}", written.body);
        assert_eq!(instances[1].client().get("/items?id=eq.502&select=name").body, r#"[{"name":"new"}]"#);

        // And out again: in place, from a file that the log was restored into.
        drop(instances);
        done(folder, &[], &["restore", "--output", "data/app.db"]);
        std::fs::rename(folder.join("data/app"), folder.join("old-log")).unwrap();
        let berth = Start::sqlite(folder, &folder.join("data")).run();
        assert_eq!(berth.client().get("/items?id=eq.502&select=name").body, r#"[{"name":"new"}]"#);
    }
}

#[test]
fn of_files_that_are_imported_at_once_one_is_served() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let files: Vec<PathBuf> = (0..4).map(|number| folder.join(format!("{number}.db"))).collect();
    for (rows, file) in (100..).zip(&files) {
        drop(make(file, 4_096, "DELETE", rows));
    }
    let outcomes: Vec<bool> = std::thread::scope(|threads| {
        let runs: Vec<_> = files
            .iter()
            .map(|file| threads.spawn(|| berth(folder, SHARED, &["import", file.to_str().unwrap()]).status.success()))
            .collect();
        runs.into_iter().map(|run| run.join().unwrap()).collect()
    });
    let winners: Vec<usize> = (0..4).filter(|number| outcomes[*number]).collect();
    let [winner] = winners.as_slice() else { panic!("{outcomes:?}") };
    let served = shared(folder).with("DB_AGGREGATES_ENABLED", true).run().client().get("/items?select=count()").body;
    assert_eq!(served, format!("[{{\"count\":{}}}]", 100 + winner));
    // Who won may ask again, as a job that is repeated does; the others are told.
    assert!(import(folder, &files[*winner]).contains("it was there already"));
    let other = &files[(winner + 1) % 4];
    let complaint = refused(folder, SHARED, &["import", other.to_str().unwrap()]);
    assert!(complaint.contains("the log is not empty: it has a database at position 1"), "{complaint}");
}

/// What a file of somebody else may have: settings in its header, tables without rowid, generated columns, full text,
/// triggers, an encoding and a vacuum that berth never chooses.
const OF_ANOTHER: &str = "
    PRAGMA application_id = 1234567; PRAGMA user_version = 42;
    CREATE TABLE words (word TEXT PRIMARY KEY COLLATE NOCASE, times INT NOT NULL DEFAULT 0) WITHOUT ROWID;
    CREATE TABLE papers (id INTEGER PRIMARY KEY, title TEXT NOT NULL, body TEXT,
        length INT GENERATED ALWAYS AS (length(body)) VIRTUAL,
        shout TEXT GENERATED ALWAYS AS (upper(title)) STORED, CHECK (title <> ''));
    CREATE INDEX papers_shout ON papers (shout) WHERE body IS NOT NULL;
    CREATE VIRTUAL TABLE found USING fts5 (title, body, content = 'papers', content_rowid = 'id');
    CREATE TRIGGER papers_found AFTER INSERT ON papers BEGIN
        INSERT INTO found (rowid, title, body) VALUES (new.id, new.title, new.body);
        INSERT INTO words VALUES (new.title, 1) ON CONFLICT (word) DO UPDATE SET times = times + 1;
    END;
    CREATE VIEW long AS SELECT id, title FROM papers WHERE length > 100;
    INSERT INTO papers (title, body) VALUES ('one', 'a harbour'), ('two', 'été ' || hex(zeroblob(9000))), ('One', NULL);";

/// What the file of somebody else says, after a check of the whole of it.
fn content_of(file: &Path) -> Vec<String> {
    let connection = Connection::open(file).unwrap();
    [
        "PRAGMA integrity_check",
        "SELECT group_concat(application_id || ' ' || user_version || ' ' || encoding || ' ' || auto_vacuum)
             FROM pragma_application_id, pragma_user_version, pragma_encoding, pragma_auto_vacuum",
        "SELECT group_concat(sql, ';') FROM sqlite_schema",
        "SELECT group_concat(word || times, ';') FROM words",
        "SELECT group_concat(id || title || hex(coalesce(body, '')) || coalesce(length, '-') || shout, ';') FROM papers",
        "SELECT group_concat(rowid) FROM found WHERE found MATCH 'harbour OR quay'",
        "SELECT coalesce(group_concat(title), '') FROM long",
    ]
    .map(|sql| connection.query_row(sql, [], |row| row.get(0)).unwrap())
    .to_vec()
}

#[test]
fn a_file_with_what_berth_never_makes_comes_out_of_the_log_as_it_went_in() {
    for (encoding, vacuum) in [("UTF-8", "FULL"), ("UTF-16le", "INCREMENTAL"), ("UTF-16be", "NONE")] {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let file = folder.join("mine.db");
        let writer = Connection::open(&file).unwrap();
        writer.execute_batch(&format!("PRAGMA encoding = '{encoding}'; PRAGMA auto_vacuum = {vacuum};")).unwrap();
        writer.query_row("PRAGMA journal_mode = WAL", [], |_| Ok(())).unwrap();
        writer.execute_batch(OF_ANOTHER).unwrap();
        let expected = content_of(&file);
        assert_eq!((expected[0].as_str(), expected[5].as_str()), ("ok", "1"));
        // Its process was killed: all is in the WAL still, and nothing that tells what of it counts.
        let left = folder.join("left.db");
        for end in ["", "-wal"] {
            std::fs::copy(format!("{}{end}", file.display()), format!("{}{end}", left.display())).unwrap();
        }
        drop(writer);
        import(folder, &left);
        let restored = |name: &str| {
            let output = folder.join(name);
            done(folder, SHARED, &["restore", "-o", output.to_str().unwrap()]);
            content_of(&output)
        };
        assert_eq!(restored("first.db"), expected, "{encoding} {vacuum}");

        // It is served, and its triggers run.
        let (one, other) = (shared(folder).run(), shared(folder).run());
        let headers = [("Content-Type", "application/json"), ("Prefer", "return=minimal")];
        for (berth, title) in [(&one, "ONE"), (&other, "four"), (&one, "five")] {
            let body = format!(r#"{{"title":"{title}","body":"a quay"}}"#);
            let answer = berth.client().send("POST", "/papers", &headers, &body);
            assert_eq!(answer.status, 201, "{encoding}: {}", answer.body);
        }
        let deleted = other.client().send("DELETE", "/papers?title=eq.two", &[], "");
        assert_eq!(deleted.status, 204, "{encoding}: {}", deleted.body);
        let after = restored("second.db");
        assert_eq!(after[..3], expected[..3], "{encoding} {vacuum}");
        assert_eq!((after[3].as_str(), after[5].as_str()), ("five1;four1;one3;two1", "1,4,5,6"));
        let words = |berth: &Berth| berth.client().get("/words?select=word,times&order=word").body;
        assert_eq!(words(&one), words(&other));
    }
}

#[test]
fn what_is_no_sound_database_is_refused_and_nothing_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let file = folder.join("mine.db");
    let refuse = |reason: &str| {
        let complaint = refused(folder, SHARED, &["import", file.to_str().unwrap()]);
        assert!(complaint.contains("mine.db\" cannot be imported") && complaint.contains(reason), "{complaint}");
        assert!(!folder.join("data/app/ltx").exists(), "{reason}");
    };
    refuse("unable to open database file");
    std::fs::write(&file, "").unwrap();
    refuse("it is empty");
    std::fs::write(&file, "no database, but some text ".repeat(100)).unwrap();
    refuse("file is not a database");
    std::fs::remove_file(&file).unwrap();
    drop(make(&file, 4_096, "DELETE", 3_000));
    let sound = std::fs::read(&file).unwrap();
    let mut torn = sound.clone();
    torn.truncate(sound.len() / 2);
    std::fs::write(&file, &torn).unwrap();
    refuse("malformed");
    let mut altered = sound.clone();
    let middle = sound.len() / 2 / 4_096 * 4_096;
    altered[middle..middle + 100].fill(0xff);
    std::fs::write(&file, &altered).unwrap();
    refuse("");
    std::fs::write(&file, &sound).unwrap();
    import(folder, &file);
}

#[test]
fn a_file_beside_an_empty_log_is_not_forgotten() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    std::fs::create_dir(folder.join("data")).unwrap();
    drop(make(&folder.join("data/app.db"), 4_096, "WAL", 10));
    let mut berth = shared(folder).spawn();
    assert_eq!(berth.wait(), Some(1));
    assert!(berth.log_text().contains("lies beside it: run `berth import`"), "{}", berth.log_text());
    assert!(refused(folder, SHARED, &["migrate"]).contains("berth import"));
    assert!(refused(folder, SHARED, &["check"]).contains("not safe"));

    done(folder, SHARED, &["import"]);
    assert_eq!(answers(&shared(folder).run()).len(), 4);
    done(folder, SHARED, &["check"]);
    let complaint = refused(folder, &[("VOLUME_MODE", "in-place")], &["import"]);
    assert!(complaint.contains("is in the shared log") && complaint.contains("berth restore --output"), "{complaint}");

    let other = tempfile::tempdir().unwrap();
    std::fs::create_dir(other.path().join("data")).unwrap();
    drop(make(&other.path().join("data/app.db"), 4_096, "WAL", 10));
    let complaint = refused(other.path(), &[], &["import"]);
    assert!(complaint.contains("is served in place as it is"), "{complaint}");
}

#[test]
fn an_import_that_was_broken_off_is_served_by_nobody_until_it_is_gone_on_with() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let file = folder.join("mine.db");
    let connection = make(&file, 4_096, "DELETE", 10);
    connection.execute_batch("UPDATE items SET data = zeroblob(20000000) WHERE id = 1").unwrap();
    drop(connection);
    let said = import(folder, &file);
    assert!(said.contains("at position 3 "), "{said}");
    // As if it had been killed before the last slot.
    std::fs::remove_file(folder.join("data/app/ltx/9/0000000000000001-0000000000000003.ltx")).unwrap();
    std::fs::remove_file(folder.join("data/app/ltx/0/0000000000000003-0000000000000003.ltx")).unwrap();

    let mut berth = shared(folder).spawn();
    assert_eq!(berth.wait(), Some(1));
    assert!(berth.log_text().contains("berth import --resume"), "{}", berth.log_text());
    for arguments in [&["snapshot"][..], &["restore", "-o", "x.db"], &["migrate"], &["import", "mine.db"]] {
        // A migration is only tried where there is one.
        std::fs::create_dir_all(folder.join("no-migrations")).unwrap();
        std::fs::write(folder.join("no-migrations/1.sql"), "CREATE TABLE t (a int)").unwrap();
        let complaint = refused(folder, SHARED, arguments);
        assert!(complaint.contains("--resume"), "{arguments:?}: {complaint}");
    }
    std::fs::remove_file(folder.join("no-migrations/1.sql")).unwrap();
    done(folder, SHARED, &["import", "--resume", "mine.db"]);
    let berth = shared(folder).run();
    assert_eq!(
        berth.client().get("/items?id=lt.3&select=name&order=id").body,
        "[{\"name\":\"item 1\"}, \n {\"name\":\"item 2\"}]"
    );
}
