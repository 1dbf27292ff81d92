//! One schema language: what runs on Postgres runs on SQLite, and leaves the same tables.

use std::path::Path;

use serde_json::Value;

use crate::support::command::{done, refused};
use crate::support::{Berth, Start, postgres, scripts_with_types, write_migrations};

const PAGE: &str = include_str!("../../docs/migrations.md");

fn describe(berth: &Berth) -> serde_json::Value {
    berth.client().get("/").json()
}

/// Serves `script` from a new SQLite file.
fn serve(folder: &Path, script: &str) -> Berth {
    let (volume, migrations) = (folder.join("data"), folder.join("scripts"));
    std::fs::create_dir_all(&volume).unwrap();
    std::fs::create_dir_all(&migrations).unwrap();
    // Roles belong to the server: no dump of a database has them.
    std::fs::write(migrations.join("0001_roles.sql"), "CREATE ROLE anon;").unwrap();
    std::fs::write(migrations.join("0002_dump.sql"), script).unwrap();
    Start::sqlite(folder, &volume).with("MIGRATIONS", migrations.display()).run()
}

#[test]
fn what_pg_dump_prints_of_a_schema_makes_the_same_tables_on_sqlite() {
    let Some(cluster) = postgres::cluster() else { return };
    let folder = tempfile::tempdir().unwrap();
    let dsn = cluster.create_database("dumped");
    let migrations = write_migrations(folder.path(), &scripts_with_types());
    let original = Start::postgres(folder.path(), &dsn).with("MIGRATIONS", migrations.display()).run();

    for (name, arguments) in [("schema", &["--schema-only"][..]), ("whole", &[]), ("inserts", &["--inserts"])] {
        let dump = cluster.dump("dumped", arguments);
        let place = tempfile::tempdir().unwrap();
        let copy = serve(place.path(), &dump);
        let (ours, oracle) = (describe(&copy), without_calls(describe(&original)));
        for (table, definition) in oracle["definitions"].as_object().unwrap() {
            assert_eq!(&ours["definitions"][table], definition, "{name}: {table}");
        }
        assert_eq!(ours["paths"], oracle["paths"], "{name}");
        if name == "schema" {
            continue;
        }
        for table in ["films", "directors", "reviews", "kinds", "offspring", "parents", "heavy"] {
            let path = format!("/{table}?order=id");
            assert_eq!(copy.client().get(&path).body, original.client().get(&path).body, "{name}: {path}");
        }
        // The counters go on where they were.
        let new = [copy.client(), original.client()].map(|client| {
            let answer = client.send("POST", "/kinds?select=id", &[("Prefer", "return=representation")], "{}");
            answer.json()
        });
        assert_eq!(new[0], new[1], "{name}");
        cluster.run("dumped", "DELETE FROM kinds WHERE id > 100; SELECT setval('kinds_id_seq', 100)");
    }
}

/// Leaves out defaults that are calls: SQLite's spelling of them is an expression, which is not shown.
fn without_calls(mut described: Value) -> Value {
    for (_, definition) in described["definitions"].as_object_mut().unwrap() {
        for (_, property) in definition["properties"].as_object_mut().unwrap() {
            let property = property.as_object_mut().unwrap();
            if property.get("default").and_then(Value::as_str).is_some_and(|default| default.ends_with("()")) {
                property.remove("default");
            }
        }
    }
    described
}

/// The SQL of the page.
fn blocks() -> String {
    let parts = PAGE.split("```sql\n").skip(1);
    parts.map(|part| part.split("```").next().unwrap_or_default()).collect::<Vec<_>>().join("\n")
}

/// The rows of the page's table of what is refused: statement and reason.
fn refusals() -> Vec<(&'static str, &'static str)> {
    let table = PAGE.split("<!-- refused -->").nth(1).and_then(|rest| rest.split("<!-- end -->").next()).unwrap();
    let rows = table.lines().filter(|line| line.starts_with("| `"));
    rows.map(|row| {
        let cells: Vec<&str> = row.split('`').collect();
        (cells[1], cells[3])
    })
    .collect()
}

#[test]
fn what_the_documentation_says_of_sqlite_is_taken_there_and_by_postgres_and_the_rest_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let scripts = folder.join("scripts");
    std::fs::create_dir(&scripts).unwrap();
    std::fs::create_dir(folder.join("data")).unwrap();
    std::fs::write(scripts.join("1.sql"), blocks()).unwrap();
    let migrations = ("MIGRATIONS", scripts.to_str().unwrap());
    done(folder, &[migrations], &["migrate"]);
    if let Some(cluster) = postgres::cluster() {
        let dsn = cluster.create_database("documented");
        done(folder, &[migrations, ("DATABASE_URL", &dsn)], &["migrate"]);
    }
    let refusals = refusals();
    assert!(refusals.len() >= 10, "{refusals:?}");
    for (statement, reason) in refusals {
        std::fs::write(scripts.join("2.sql"), statement).unwrap();
        let told = refused(folder, &[migrations], &["migrate"]);
        assert!(told.contains(reason) && told.contains("\"2.sql\", line 1: "), "{statement}: {told}");
    }
}
