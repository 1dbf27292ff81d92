//! A database moves from the volume to Postgres, and the same requests get the same answers.

mod foreign;

use std::path::{Path, PathBuf};

use crate::differential::{Pair, assert_equal, generated, requests, sample};
use crate::full_text;
use crate::support::command::{done, refused, spawn};
use crate::support::postgres::{self, Cluster};
use crate::support::{Berth, Start, scripts_with_types, write_migrations};

/// A volume in a folder of its own, and the database of a server that it is copied to.
struct Move {
    cluster: &'static Cluster,
    database: String,
    dsn: String,
    folder: tempfile::TempDir,
    /// Of both; the project's own unless a test says otherwise.
    migrations: PathBuf,
}

impl Move {
    /// Into a database that is made for it; `None`, with a line that says so, without a Postgres server.
    fn to(database: &str) -> Option<Self> {
        let cluster = postgres::cluster()?;
        Some(Self::over(cluster, database, cluster.create_database(database)))
    }

    /// The same, with these migrations.
    fn with_scripts(database: &str, scripts: &[impl AsRef<str>]) -> Option<Self> {
        let new = Self::to(database)?;
        Some(Self { migrations: write_migrations(new.path(), scripts), ..new })
    }

    /// Into a database that is there.
    fn over(cluster: &'static Cluster, database: &str, dsn: String) -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { cluster, database: database.to_owned(), dsn, folder, migrations: crate::support::migrations() }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    fn sqlite(&self) -> Start<'_> {
        let start = Start::sqlite(self.path(), &self.path().join("data"));
        start.with("MIGRATIONS", self.migrations.display()).with("DB_AGGREGATES_ENABLED", true)
    }

    fn postgres(&self) -> Start<'_> {
        let start = Start::postgres(self.path(), &self.dsn);
        start.with("MIGRATIONS", self.migrations.display()).with("DB_AGGREGATES_ENABLED", true)
    }

    /// The file of the volume, for what berth does not do.
    fn file(&self) -> rusqlite::Connection {
        std::fs::create_dir_all(self.path().join("data")).unwrap();
        rusqlite::Connection::open(self.path().join("data/app.db")).unwrap()
    }

    /// SQL of the server's superuser in the database; what it prints.
    fn run(&self, sql: &str) -> String {
        self.cluster.run(&self.database, sql)
    }

    /// Copies; what was said.
    fn copy(&self, options: &[&str]) -> String {
        done(self.path(), &[], &[&["copy", "--to", &self.dsn], options].concat())
    }

    /// Tries to copy, which is refused; what was said.
    fn refused(&self, options: &[&str]) -> String {
        refused(self.path(), &[], &[&["copy", "--to", &self.dsn], options].concat())
    }

    /// What is true of a copy, whatever it is of.
    fn assert_done(&self, postgres: &Berth, migrations: usize) {
        assert_eq!(self.run("SELECT count(*) FROM berth.migrations"), migrations.to_string());
        let metrics = postgres.client().get("/-/metrics").body;
        assert!(metrics.contains("berth_migrations_applied_total 0"), "nothing is left for the start to apply");
    }
}

#[test]
fn the_sample_and_every_type_answer_the_same_after_a_copy_from_either_store() {
    for mode in ["in-place", "shared-log"] {
        let database = format!("copied_{}", mode.replace('-', "_"));
        let Some(moving) = Move::with_scripts(&database, &scripts_with_types()) else { return };
        let sqlite = moving.sqlite().with("VOLUME_MODE", mode).run();
        // Rows that no migration made, and numbers whose rows are gone.
        let headers = [("Content-Type", "application/json"), ("Prefer", "return=representation")];
        let client = sqlite.client();
        for body in
            [r#"{"film_id":5,"stars":4,"body":"tab\tnew\nline\\ \"é😀\""}"#, r#"{"film_id":2,"stars":1,"body":"\\N"}"#]
        {
            assert_eq!(client.send("POST", "/reviews", &headers, body).status, 201);
        }
        assert_eq!(client.send("DELETE", "/reviews?id=eq.5", &[], "").status, 204);
        let kind = r#"{"twice":1e-300,"single":"NaN","exact":123456789012345678901234567890.10,"day":"infinity","document":"{\"a\":  1}",
            "binary_document":{"long":1,"a":[1.50]},"bytes":"\\x5c6e00","labels":["NULL","a\\b","{}",""],"numbers":[null,-1]}"#;
        let made = client.send("POST", "/kinds", &headers, kind);
        assert_eq!(made.status, 201, "{}", made.body);

        let once =
            [("Content-Type", "application/json"), ("Prefer", "return=representation"), ("Idempotency-Key", "moved")];
        let applied = client.send("POST", "/directors", &once, r#"{"name":"Once"}"#);

        let said = done(moving.path(), &[("VOLUME_MODE", mode)], &["copy", "--to", &moving.dsn]);
        assert!(
            said.contains("reviews: 4 rows with the checksum") && said.contains("2 migrations are noted"),
            "{said}"
        );
        let postgres = moving.postgres().run();
        moving.assert_done(&postgres, 2);
        let repeated = postgres.client().send("POST", "/directors", &once, r#"{"name":"Once"}"#);
        assert_eq!((repeated.status, &repeated.body), (applied.status, &applied.body), "a write is applied once");
        let pair = Pair::of(sqlite, postgres);
        assert_equal(&format!("copied from {mode}"), &pair, &sample::cases());
        assert_equal(&format!("copied from {mode}, generated"), &pair, &generated::cases(3, 150));
    }
}

#[test]
fn chinook_answers_the_same_after_a_copy() {
    let Some(script) = crate::support::chinook("chinook.sql") else { return };
    let scripts = [std::fs::read_to_string(script).unwrap()];
    let Some(moving) = Move::with_scripts("copied_chinook", &scripts) else { return };
    let sqlite = moving.sqlite().run();
    moving.copy(&[]);
    let postgres = moving.postgres().run();
    moving.assert_done(&postgres, 1);
    assert_equal("copied chinook", &Pair::of(sqlite, postgres), &requests::chinook());
}

#[test]
fn texts_are_found_the_same_after_a_copy() {
    let Some(moving) = Move::with_scripts("copied_full_text", &[full_text::SCHEMA]) else { return };
    let sqlite = moving.sqlite().with("ACCESS", "open").run();
    let said = moving.copy(&[]);
    assert!(!said.contains("_berth_words"), "{said}");
    let postgres = moving.postgres().with("ACCESS", "open").run();
    moving.assert_done(&postgres, 1);
    let indexes = moving.run("SELECT count(*) FROM pg_indexes WHERE schemaname = 'public' AND indexdef LIKE '%gin%'");
    assert_eq!(indexes, "4", "the indexes are those of the migrations");
    assert_equal("copied full text", &Pair::of(sqlite, postgres), &full_text::reads());
}

#[test]
fn functions_are_called_and_granted_the_same_after_a_copy() {
    let grants = "DO $$ BEGIN CREATE ROLE it_caller; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
                  GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO it_caller;
                  GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO it_caller;
                  CREATE OR REPLACE FUNCTION greet(name text DEFAULT 'guest') RETURNS text LANGUAGE sql STABLE
                      AS $$ SELECT 'Good day ' || name $$;
                  CREATE FUNCTION gone() RETURNS int LANGUAGE sql AS $$ SELECT 1 $$; DROP FUNCTION gone();";
    let Some(moving) = Move::with_scripts("functions", &[include_str!("rpc/schema.sql"), grants]) else { return };
    let sqlite = moving.sqlite().with("ANON_ROLE", "it_caller").run();
    let bought = [("Content-Type", "application/json")];
    assert_eq!(sqlite.client().send("POST", "/rpc/buy", &bought, r#"{"item":"before","film":2}"#).status, 200);
    moving.copy(&[]);
    let postgres = moving.postgres().with("ANON_ROLE", "it_caller").run();
    moving.assert_done(&postgres, 2);

    let call = |name: &str, body: &str| requests::Case::write("POST", format!("/rpc/{name}"), body);
    let mut cases = vec![
        call("buy", r#"{"item":"after","count":3,"film":1}"#),
        call("buy", r#"{"item":"before"}"#),
        call("restock", r#"{"item":"before","more":4}"#),
        call("count_orders", ""),
        call("take_back", r#"{"at_least":4}"#),
        call("retitle", r#"{"film":1,"title":"Again"}"#),
        call("add_them", r#"{"a":1,"b":2}"#),
        call("whole_json", r#"{"a":[1]}"#),
        call("nothing", ""),
        call("secret", ""),
        call("stable_write", ""),
        call("same", r#"{"arg":1}"#),
    ];
    let paths = [
        "/rpc/greet",
        "/rpc/gone",
        "/rpc/asks_secret",
        "/rpc/asks_secret_for_all",
        "/rpc/films_since?since=1930&select=title,maker(name)&order=title",
        "/rpc/by_director",
        "/rpc/sum_all?v=1&v=2&v=3",
        "/rpc/origin",
        "/rpc/strict_rows",
        "/rpc/quadruple?n=3",
        "/rpc/credits?title=like.M*",
        "/films?select=title,upper_title,maker(name)&order=id",
        "/directors?select=name,old_films(title)&order=id",
        "/orders?order=id",
        "/log",
    ];
    cases.extend(paths.map(requests::Case::get));
    assert_equal("functions", &Pair::of(sqlite, postgres), &cases);
}

#[test]
fn a_server_that_has_something_is_left_alone_until_its_rows_are_to_be_replaced() {
    let Some(moving) = Move::to("occupied") else { return };
    let sqlite = moving.sqlite().run();
    // It was served before: the migrations have made their rows there.
    drop(moving.postgres().run());
    moving.run("DELETE FROM films WHERE id > 2; INSERT INTO directors (name) VALUES ('Nobody')");
    let complaint = moving.refused(&[]);
    assert!(complaint.contains("has \"directors\", \"film_scores\", \"films\", \"reviews\" already"), "{complaint}");
    assert_eq!(moving.run("SELECT count(*) FROM films"), "2");

    let Some(unlike) = Move::with_scripts("unlike", &["CREATE TABLE t (a int PRIMARY KEY)"]) else { return };
    drop(unlike.postgres().run());
    let complaint = refused(moving.path(), &[], &["copy", "--replace-rows", "--to", &unlike.dsn]);
    assert!(complaint.contains("\"0001_films.sql\", \"1.sql\" is not applied to both"), "{complaint}");

    let said = done(moving.path(), &[("DATABASE_URL", &moving.dsn)], &["copy", "--replace-rows"]);
    assert!(said.contains("films: 8 rows"), "{said}");
    let pair = Pair::of(sqlite, moving.postgres().run());
    let paths = ["/films?order=id", "/directors?order=id", "/reviews?order=id&select=id,film_id,stars,body"];
    assert_equal("replaced", &pair, &paths.map(requests::Case::get));
}

#[test]
fn rows_that_the_server_keeps_otherwise_are_found_and_nothing_is_kept() {
    let script = "CREATE TABLE items (id int PRIMARY KEY, name text, weight numeric(8, 3));
                  INSERT INTO items VALUES (1, 'a', 1.005), (2, 'b', 2);";
    let Some(moving) = Move::with_scripts("otherwise", &[script]) else { return };
    drop(moving.sqlite().run());
    drop(moving.postgres().run());
    moving.run("ALTER TABLE items ALTER weight TYPE numeric(8, 2); UPDATE items SET name = 'before'");
    let complaint = moving.refused(&["--replace-rows"]);
    assert!(complaint.contains("table \"items\" is not the same on the server: 2 rows"), "{complaint}");
    assert!(complaint.contains("the difference is in \"weight\""), "{complaint}");
    assert_eq!(moving.run("SELECT string_agg(name, ',') FROM items"), "before,before");
}

#[test]
fn what_fails_on_the_way_leaves_the_server_as_it_was() {
    let script = "CREATE TABLE parents (id int PRIMARY KEY);
         CREATE TABLE children (id bigint PRIMARY KEY, parent_id int REFERENCES parents (id), note text, moment date);
         INSERT INTO parents VALUES (1);
         INSERT INTO children VALUES (1, 1, 'x', '2024-01-01');";
    let Some(moving) = Move::with_scripts("failing", &[script]) else { return };
    drop(moving.sqlite().run());
    let file = moving.file();
    let fail = |sql: &str, expected: &str| {
        file.execute_batch(sql).unwrap();
        let complaint = moving.refused(&[]);
        assert!(complaint.contains("nothing was copied, and the server is as it was"), "{complaint}");
        assert!(complaint.contains(expected), "{complaint}");
        let left = moving.run("SELECT count(*) FROM pg_class WHERE relnamespace = 'public'::regnamespace");
        assert_eq!(left, "0");
        assert_eq!(moving.run("SELECT to_regclass('berth.migrations') IS NULL"), "t");
    };
    fail("PRAGMA foreign_keys = OFF; UPDATE children SET parent_id = 7", "violates foreign key constraint");
    fail(
        "UPDATE children SET parent_id = 1; UPDATE children SET moment = 'soon'",
        "table \"children\": invalid input syntax for type date: \"soon\" (COPY children, line 1, column moment: \"soon\")",
    );
    fail(
        "UPDATE children SET moment = NULL, note = CAST(x'ff' AS TEXT)",
        "table \"children\", column \"note\", row 1: its text is not UTF-8",
    );
    fail(
        "UPDATE children SET note = 'a' || char(0) || 'b'",
        "table \"children\", column \"note\", row 1: its text has a character with the code zero",
    );
    file.execute_batch("UPDATE children SET note = 'fine'").unwrap();
    moving.copy(&[]);
    assert_eq!(moving.run("SELECT note FROM children"), "fine");

    let away = refused(moving.path(), &[], &["copy", "--to", "postgres://nobody@127.0.0.1:1/none"]);
    assert!(away.contains("the server cannot be reached: "), "{away}");
    assert!(refused(moving.path(), &[], &["copy"]).contains("say --to DSN"));
    let none = tempfile::tempdir().unwrap();
    assert!(refused(none.path(), &[], &["copy", "--to", &moving.dsn]).contains("there is no database"));
}

#[test]
fn a_copy_that_is_killed_just_before_its_end_leaves_nothing() {
    let Some(moving) = Move::to("killed") else { return };
    let sqlite = moving.sqlite().run();
    let once = [("Content-Type", "application/json"), ("Idempotency-Key", "killed")];
    assert_eq!(sqlite.client().send("POST", "/directors", &once, r#"{"name":"Last"}"#).status, 201);
    // The last thing that is copied waits for this row.
    let kept = "CREATE SCHEMA berth; CREATE TABLE berth.replies (name bytea PRIMARY KEY, fingerprint bytea NOT NULL, \
                made_at timestamptz NOT NULL DEFAULT now(), outcome text, body bytea); \
                INSERT INTO berth.replies VALUES ('x', 'y')";
    moving.run(kept);
    let mut holder =
        moving.cluster.spawn("killed", "BEGIN; SELECT * FROM berth.replies FOR UPDATE; SELECT pg_sleep(60)");
    let waits = |what: &str| {
        let sql = format!("SELECT count(*) > 0 FROM pg_stat_activity WHERE datname = 'killed' AND {what}");
        let started = std::time::Instant::now();
        while moving.run(&sql) != "t" {
            assert!(started.elapsed() < std::time::Duration::from_secs(30), "{what}");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
    };
    waits("wait_event = 'PgSleep'");
    let mut copy = spawn(moving.path(), &[], &["copy", "--to", &moving.dsn]);
    waits("wait_event_type = 'Lock' AND query LIKE 'DELETE FROM berth.replies%'");
    copy.kill().unwrap();
    copy.wait().unwrap();
    holder.kill().unwrap();
    holder.wait().unwrap();
    moving.run(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'killed' AND pid <> pg_backend_pid()",
    );
    waits("pid = pg_backend_pid() AND (SELECT count(*) FROM pg_stat_activity WHERE datname = 'killed') = 1");
    assert_eq!(
        moving.run("SELECT to_regclass('public.films') IS NULL AND to_regclass('berth.migrations') IS NULL"),
        "t"
    );
    assert_eq!(moving.run("SELECT count(*) FROM berth.replies"), "1");
    moving.copy(&[]);
    assert_eq!(moving.run("SELECT count(*) FROM films"), "8");
}

#[test]
fn counters_go_on_whatever_names_them_and_are_as_they_were_when_a_copy_fails() {
    let script = "CREATE SEQUENCE \"Numbers\" START 10;
         CREATE TABLE named (id int DEFAULT nextval('\"Numbers\"') PRIMARY KEY, n text);
         CREATE TABLE serial (id serial PRIMARY KEY, n text);
         CREATE TABLE later (id bigint GENERATED ALWAYS AS IDENTITY (START WITH 500) PRIMARY KEY, n text);
         CREATE TABLE last (id smallint GENERATED BY DEFAULT AS IDENTITY PRIMARY KEY, n text);
         CREATE TABLE plain (id int PRIMARY KEY, n text);
         INSERT INTO named (n) VALUES ('a'), ('b');
         INSERT INTO last VALUES (32767, 'z');
         GRANT ALL ON named, serial, later, last, plain TO PUBLIC;";
    let Some(moving) = Move::with_scripts("counters", &[script]) else { return };
    let sqlite = moving.sqlite().run();
    let once = [("Content-Type", "application/json"), ("Idempotency-Key", "counted")];
    assert_eq!(sqlite.client().send("POST", "/plain", &once, r#"{"id":1}"#).status, 201);
    moving.copy(&[]);
    let writes = |table: &str| {
        let full = "return=representation";
        requests::Case::write("POST", format!("/{table}"), r#"{"n":"next"}"#).prefer(full)
    };
    let cases = ["named", "serial", "later", "named", "later"].map(writes);
    let pair = Pair::of(sqlite, moving.postgres().run());
    assert_equal("counters", &pair, &cases);
    let last = moving.run("SELECT last_value || ' ' || is_called FROM last_id_seq");
    assert_eq!(last, "32767 true", "the last number of all is not given again");

    // What the server counted since is forgotten by a copy, and not by one that fails.
    moving.run("SELECT setval('\"Numbers\"', 900)");
    moving.run("CREATE TABLE berth.refers (id int REFERENCES public.plain)");
    let complaint = moving.refused(&["--replace-rows"]);
    assert!(
        complaint.contains("cannot truncate a table referenced in a foreign key constraint; in: TRUNCATE"),
        "{complaint}"
    );
    moving.run("DROP TABLE berth.refers; ALTER TABLE berth.replies RENAME COLUMN outcome TO other");
    let complaint = moving.refused(&["--replace-rows"]);
    assert!(complaint.contains("column \"outcome\" of relation \"replies\" does not exist; in: COPY"), "{complaint}");
    assert_eq!(moving.run("SELECT last_value FROM \"Numbers\""), "900");
    moving.run("ALTER TABLE berth.replies RENAME COLUMN other TO outcome");
    moving.copy(&["--replace-rows"]);
    assert_equal("counters again", &pair, &cases);
}

#[test]
fn a_role_that_is_no_superuser_may_copy_and_serve() {
    let Some(cluster) = postgres::cluster() else { return };
    cluster.run("postgres", "CREATE ROLE mover LOGIN CREATEROLE");
    for (database, role) in [("theirs", "mover"), ("others", "plain_mover")] {
        if role == "plain_mover" {
            // Another made the role that requests become, and lets nobody become it.
            cluster.run("postgres", "CREATE ROLE plain_mover LOGIN");
        }
        cluster.run("postgres", &format!("CREATE DATABASE {database} OWNER {role}"));
        let dsn = cluster.dsn(database).replace("postgres@", &format!("{role}@"));
        let moving = Move::over(cluster, database, dsn);
        let sqlite = moving.sqlite().run();
        let said = moving.copy(&[]);
        if role == "plain_mover" {
            assert!(said.contains("note: \"plain_mover\" may not become \"anon\", as requests do ("), "{said}");
            assert!(said.contains("let an administrator GRANT \"anon\" TO \"plain_mover\""), "{said}");
            cluster.run("postgres", "GRANT anon TO plain_mover");
        }
        let postgres = moving.postgres().run();
        moving.assert_done(&postgres, 1);
        let answer = |berth: &Berth| berth.client().get("/films?select=*,reviews(*)&order=id").body;
        assert_eq!(answer(&postgres), answer(&sqlite));
    }
}
