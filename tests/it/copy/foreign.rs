//! A SQLite file that berth never migrated moves to Postgres.

use super::Move;
use crate::differential::requests::Case;
use crate::differential::{Pair, assert_equal};
use crate::support::command::done;

const NO_SCRIPTS: [&str; 0] = [];

fn pair(moving: &Move) -> Pair {
    Pair::of(moving.sqlite().run(), moving.postgres().run())
}

#[test]
fn chinook_as_others_made_it_answers_the_same_after_a_copy() {
    let Some(file) = crate::support::chinook("chinook.sqlite") else { return };
    let Some(moving) = Move::with_scripts("foreign_chinook", &NO_SCRIPTS) else { return };
    done(moving.path(), &[], &["import", file.to_str().unwrap()]);
    let said = moving.copy(&[]);
    assert!(said.contains("Track: 3503 rows") && !said.contains("left out"), "{said}");
    let mut cases = Vec::new();
    for table in
        ["Album", "Artist", "Customer", "Employee", "Genre", "Invoice", "InvoiceLine", "MediaType", "Playlist", "Track"]
    {
        let key = format!("{table}Id");
        cases.push(Case::get(format!("/{table}?order={key}&limit=40")));
        cases.push(Case::get(format!("/{table}?order={key}&limit=40")).with("Accept", "text/csv"));
        cases.push(Case::get(format!("/{table}?{key}=in.(1,5,7)&order={key}.desc")));
        cases.push(Case::get(format!("/{table}?select=count()")));
    }
    for path in [
        "/PlaylistTrack?order=PlaylistId,TrackId&limit=30",
        "/Invoice?InvoiceDate=gte.2024-01-01&order=InvoiceId&select=InvoiceId,InvoiceDate,Total&limit=20",
        "/Track?select=Name,UnitPrice,Album(Title,Artist(Name))&order=TrackId&limit=15",
        "/Employee?select=LastName,BirthDate&order=BirthDate",
        "/Invoice?select=BillingCountry,Total.sum()&order=BillingCountry",
    ] {
        cases.push(Case::get(path));
    }
    let write = Case::write("POST", "/Artist", r#"{"ArtistId":1,"Name":"again"}"#).prefer("return=representation");
    cases.push(write);
    cases.push(Case::write("PATCH", "/Album?AlbumId=eq.1", r#"{"ArtistId":9999}"#).prefer("return=representation"));
    assert_equal("foreign chinook", &pair(&moving), &cases);
}

/// Everything that a file of others may have.
const FILE: &str = r#"
    CREATE TABLE Owners (Id INTEGER PRIMARY KEY, Name TEXT NOT NULL UNIQUE, Active BOOLEAN DEFAULT 1);
    CREATE TABLE things (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        owner INT CONSTRAINT things_owner REFERENCES owners (id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
        price DECIMAL(10, 2) CHECK (price >= 0),
        ratio REAL DEFAULT 0.5,
        made DATETIME DEFAULT CURRENT_TIMESTAMP,
        day DATE,
        code VARCHAR(4),
        payload BLOB,
        document JSON,
        anything,
        whatever INTEGER,
        doubled INTEGER GENERATED ALWAYS AS (id * 2) STORED,
        kind TEXT COLLATE NOCASE DEFAULT 'plain' CHECK (length(kind) > 1),
        CONSTRAINT one_code UNIQUE (owner, code)
    );
    CREATE INDEX things_price ON things (price DESC, day) WHERE price IS NOT NULL;
    CREATE UNIQUE INDEX things_lower ON things (lower(code)) WHERE code <> 'free';
    CREATE TABLE pairs (a TEXT, b TEXT, note TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
    CREATE VIEW Cheap AS SELECT t.id, t.price, o.Name AS OwnerName FROM things t JOIN owners o ON o.id = t.owner WHERE t.price < 10;
    CREATE VIEW cheap_names AS SELECT DISTINCT ownername FROM cheap;
    INSERT INTO Owners VALUES (1, 'Ann', 1), (7, 'Bob', 0);
    INSERT INTO things (owner, price, ratio, made, day, code, payload, document, anything, whatever, kind) VALUES
        (1, 9.5, 1e-7, '2024-02-29 12:00:00', '2024-02-29', 'ab', x'00ff', '{"a": [1, 2]}', 12, 1, 'one'),
        (7, 12, 3, '2023-12-31 23:59:59.25', NULL, 'free', NULL, '[]', 1.5, 2, 'two'),
        (NULL, NULL, NULL, NULL, '0001-01-01', NULL, x'', NULL, NULL, 3, 'x\y');
    DELETE FROM things WHERE id = 3;
    INSERT INTO things (id, owner, code) VALUES (40, 7, 'gone');
    DELETE FROM things WHERE id = 40;
    INSERT INTO pairs VALUES ('x', 'y', 'tab	and "quote"'), ('x', 'z', '\N');
"#;

#[test]
fn a_file_of_others_answers_the_same_after_a_copy() {
    let Some(moving) = Move::with_scripts("of_others", &NO_SCRIPTS) else { return };
    moving.file().execute_batch(FILE).unwrap();
    let said = moving.copy(&[]);
    assert!(said.contains("\"kind\" compares by the collation NOCASE"), "{said}");
    assert!(!said.contains("left out"), "{said}");

    let full = "return=representation";
    let cases = [
        Case::get("/Owners?order=Id"),
        Case::get("/things?order=id"),
        Case::get("/things?select=id,Owners(Name)&order=id"),
        Case::get("/pairs?order=a,b"),
        Case::get("/Cheap?order=id"),
        Case::get("/cheap_names"),
        Case::get("/things?made=gt.2024-01-01&select=id"),
        Case::write("POST", "/things?select=id,owner,kind,ratio", r#"{"owner":1,"code":"new"}"#).prefer(full),
        Case::write("POST", "/things", r#"{"owner":7,"code":"ab"}"#).prefer(full),
        Case::write("POST", "/things", r#"{"price":-1}"#).prefer(full),
        Case::write("POST", "/Owners", r#"{"Name":"Cid"}"#).prefer(full),
        Case::write("DELETE", "/Owners?Id=eq.7", "").prefer("return=minimal"),
        Case::get("/things?order=id&select=id,owner"),
    ];
    assert_equal("a file of others", &pair(&moving), &cases);
    let described = moving.run(
        "SELECT string_agg(pg_get_constraintdef(oid), E'\n' ORDER BY conname) FROM pg_constraint \
         WHERE conrelid = 'things'::regclass",
    );
    assert!(described.contains("ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED"), "{described}");
    assert!(moving.run("SELECT pg_get_indexdef('things_price'::regclass)").contains("price DESC, day) WHERE"));
}

#[test]
fn what_only_sqlite_has_is_listed_and_left_out_when_told() {
    let Some(moving) = Move::with_scripts("left_out", &NO_SCRIPTS) else { return };
    let file = moving.file();
    file.execute_batch(
        "PRAGMA foreign_keys = OFF;
         CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT, year INT AS (strftime('%Y', made)) STORED, made DATETIME,
             parent INT REFERENCES notes (id), flag TEXT DEFAULT (hex(randomblob(4))) CHECK (flag GLOB '[A-Z]*'));
         CREATE VIEW recent AS SELECT * FROM notes WHERE date(made) > '2024-01-01';
         CREATE INDEX by_year ON notes (year, body COLLATE NOCASE);
         CREATE TRIGGER touched AFTER UPDATE ON notes BEGIN SELECT 1; END;
         CREATE VIRTUAL TABLE search USING fts5 (body);
         INSERT INTO search VALUES ('found');
         INSERT INTO notes (id, body, made, parent, flag) VALUES (1, 'a', '2024-05-01 00:00:00', 99, 'X'), (2, 5, 'never', 1, 'Y');",
    )
    .unwrap();
    let complaint = moving.refused(&[]);
    for expected in [
        "computation of \"notes\".\"year\", whose values stay as they are: the function strftime() is SQLite's own",
        "default of \"notes\".\"flag\"",
        "check of \"notes\": flag GLOB",
        "view \"recent\": the function date() is SQLite's own",
        "index \"by_year\": COLLATE means something else",
        "trigger \"touched\" of \"notes\"",
        "virtual table \"search\" and its rows",
        "--leave-out",
    ] {
        assert!(complaint.contains(expected), "{expected}: {complaint}");
    }
    assert_eq!(moving.run("SELECT to_regclass('notes') IS NULL"), "t");

    let said = moving.copy(&["--leave-out"]);
    assert!(said.contains("left out: foreign key \"notes_parent_fkey\" of \"notes\": insert or update"), "{said}");
    assert!(
        said.contains("note: table \"notes\": \"made\", declared DATETIME, has values of other types: it becomes text"),
        "{said}"
    );
    // What was shown as a moment is text now, which the note says.
    let cases = ["/notes?select=id,body,year,parent,flag&order=id", "/notes?id=eq.2&select=made"].map(Case::get);
    assert_equal("left out", &pair(&moving), &cases);
}

#[test]
fn a_file_of_others_that_migrations_went_on_with_moves_as_a_whole() {
    let script = "CREATE ROLE foreign_reader;
         CREATE TABLE tags (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, label text NOT NULL);
         INSERT INTO tags (label) VALUES ('a'), ('b');
         GRANT SELECT ON things, \"Cheap\", tags TO foreign_reader;";
    let Some(moving) = Move::with_scripts("mixed", &[script]) else { return };
    moving.file().execute_batch(FILE).unwrap();
    done(moving.path(), &[("MIGRATIONS", moving.migrations.to_str().unwrap())], &["migrate"]);
    let said = moving.copy(&[]);
    assert!(said.contains("tags: 2 rows") && said.contains("1 migrations are noted"), "{said}");
    let cases = ["/things?order=id", "/tags?order=id", "/Cheap?order=id"].map(Case::get);
    assert_equal("mixed", &pair(&moving), &cases);
    let granted = "SELECT has_table_privilege('foreign_reader', 'public.\"Cheap\"', 'SELECT')";
    assert_eq!(moving.run(granted), "t");
}
