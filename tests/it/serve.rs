//! What someone sees who runs berth: their own file served as it is, closed by default, described, observable.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use crate::support::{Berth, Start, postgres};

fn volume(folder: &Path) -> PathBuf {
    let volume = folder.join("data");
    std::fs::create_dir_all(&volume).unwrap();
    volume
}

#[test]
fn a_database_that_berth_did_not_make_is_served_as_it_is() {
    let Some(file) = crate::support::chinook("chinook.sqlite") else { return };
    let folder = tempfile::tempdir().unwrap();
    let volume = volume(folder.path());
    std::fs::copy(file, volume.join("app.db")).unwrap();
    let berth = Start::sqlite(folder.path(), &volume).with("ACCESS", "read").run();
    let client = berth.client();

    let album = client.get("/Album?AlbumId=eq.1&select=AlbumId,Title");
    assert_eq!(album.body, r#"[{"AlbumId":1,"Title":"For Those About To Rock We Salute You"}]"#);
    let invoice = client.get("/Invoice?InvoiceId=eq.1&select=Total,InvoiceDate").json();
    assert_eq!(invoice[0]["Total"].to_string(), "1.98");
    let tables = client.get("/").json();
    for table in [
        "Album",
        "Artist",
        "Customer",
        "Employee",
        "Genre",
        "Invoice",
        "InvoiceLine",
        "MediaType",
        "Playlist",
        "PlaylistTrack",
        "Track",
    ] {
        assert!(tables["definitions"].get(table).is_some(), "{table} is not described");
        assert_eq!(client.get(&format!("/{table}?limit=1")).status, 200, "{table}");
    }
    let refused = client.post("/Artist", r#"{"Name":"x"}"#);
    assert_eq!((refused.status, refused.json()["code"].as_str()), (401, Some("42501")));
}

#[test]
fn a_fresh_deployment_is_closed() {
    let folder = tempfile::tempdir().unwrap();
    let volume = volume(folder.path());
    let database = rusqlite::Connection::open(volume.join("app.db")).unwrap();
    database
        .execute_batch("CREATE TABLE secrets (id INTEGER PRIMARY KEY, text TEXT); INSERT INTO secrets VALUES (1, 'x');")
        .unwrap();
    let berth = Start { folder: folder.path(), env: Vec::new() }.with("VOLUME", volume.display()).run();
    let answer = berth.client().get("/secrets");
    assert_eq!(answer.status, 401, "{}", answer.body);
    assert!(!berth.client().get("/").body.contains("secrets"));
}

#[test]
fn a_named_directory_of_migrations_that_is_missing_is_warned_of() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Start::sqlite(folder.path(), &folder.path().join("data"));
    start().with("MIGRATIONS", "/no/such/directory").run().logged("\"/no/such/directory\\\" is not there");
    for unnamed in ["./migrations", "none"] {
        let log = start().with("MIGRATIONS", unnamed).run().log_text();
        assert!(!log.contains("is not there"), "{log}");
    }
}

#[test]
fn the_samples_grants_open_what_they_show_on_both_stores() {
    let folder = tempfile::tempdir().unwrap();
    let volume = volume(folder.path());
    let start = Start { folder: folder.path(), env: Vec::new() }.with("VOLUME", volume.display());
    let mut servers = vec![start.with("MIGRATIONS", crate::support::migrations().display()).run()];
    if let Some(cluster) = postgres::cluster() {
        let dsn = cluster.create_database("sample_grants");
        let start = Start { folder: folder.path(), env: Vec::new() }.with("DATABASE_URL", dsn);
        servers.push(start.with("MIGRATIONS", crate::support::migrations().display()).run());
    }
    for berth in &servers {
        let client = berth.client();
        assert_eq!(client.get("/films?select=title,year&order=year.desc&limit=3").json().as_array().unwrap().len(), 3);
        let review = client.insert("/reviews", r#"{"film_id":1,"stars":5,"body":"Again!"}"#);
        assert_eq!(review.status, 201, "{}", review.body);
        assert_eq!(client.send("DELETE", "/films?id=eq.1", &[], "").status, 401);
    }
}

#[test]
fn the_description_is_valid_openapi_and_names_every_table() {
    let python = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/python/bin/python");
    if !python.exists() {
        eprintln!("skipped: the OpenAPI validator is not installed (make test installs it)");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let volume = volume(folder.path());
    let mut servers =
        vec![Start::sqlite(folder.path(), &volume).with("MIGRATIONS", crate::support::migrations().display()).run()];
    if let Some(cluster) = postgres::cluster() {
        let dsn = cluster.create_database("described");
        servers.push(
            Start::postgres(folder.path(), &dsn).with("MIGRATIONS", crate::support::migrations().display()).run(),
        );
    }
    for berth in &servers {
        let file = folder.path().join(format!("openapi-{}.json", berth.port));
        std::fs::write(&file, berth.client().get("/").body).unwrap();
        let verdict = Command::new(&python).args(["-m", "openapi_spec_validator"]).arg(&file).output().unwrap();
        assert!(verdict.status.success(), "{}", String::from_utf8_lossy(&verdict.stdout));
        assert!(berth.client().get("/").json()["definitions"].get("films").is_some());
    }
}

#[test]
fn a_changed_schema_is_served_without_a_restart() {
    let folder = tempfile::tempdir().unwrap();
    let volume = volume(folder.path());
    let berth = Start::sqlite(folder.path(), &volume).run();
    let client = berth.client();
    assert_eq!(client.get("/later").status, 404);
    let database = rusqlite::Connection::open(volume.join("app.db")).unwrap();
    database.execute_batch("CREATE TABLE later (id INTEGER PRIMARY KEY, a TEXT)").unwrap();
    assert_eq!(client.get("/later").body, "[]");
    database.execute_batch("ALTER TABLE later ADD COLUMN b TEXT; INSERT INTO later VALUES (1, 'x', 'y')").unwrap();
    assert_eq!(client.get("/later?select=b").body, r#"[{"b":"y"}]"#);
    database.execute_batch("DROP TABLE later").unwrap();
    assert_eq!(client.get("/later").status, 404);
}

#[test]
fn a_changed_postgres_schema_is_served_when_notified_or_signalled() {
    let Some(cluster) = postgres::cluster() else { return };
    let folder = tempfile::tempdir().unwrap();
    let dsn = cluster.create_database("reloaded");
    let berth = Start::postgres(folder.path(), &dsn).with("DB_CHANNEL_ENABLED", "true").run();
    let client = berth.client();
    let served = |path: &str| {
        let started = Instant::now();
        while client.get(path).status != 200 {
            assert!(started.elapsed() < Duration::from_secs(10), "{path} is not served");
            std::thread::sleep(Duration::from_millis(20));
        }
    };
    assert_eq!(client.get("/first").status, 404);
    cluster.run("reloaded", "CREATE TABLE first (id int); NOTIFY pgrst, 'reload schema'");
    served("/first");
    cluster.run("reloaded", "CREATE TABLE second (id int)");
    berth.signal(rustix::process::Signal::USR1);
    served("/second");
}

#[test]
fn metrics_logs_and_health_tell_what_happened() {
    let folder = tempfile::tempdir().unwrap();
    let volume = volume(folder.path());
    let berth = Start::sqlite(folder.path(), &volume).with("MIGRATIONS", crate::support::migrations().display()).run();
    let client = berth.client();
    assert_eq!(client.get("/-/live").status, 200);
    assert_eq!(client.get("/films?limit=1").status, 200);
    assert_eq!(client.get("/no_such_table").status, 404);
    assert_eq!(client.insert("/reviews", r#"{"film_id":1,"stars":4}"#).status, 201);
    let metrics = client.get("/-/metrics").body;
    for name in ["requests_total", "duration", "queue", "group", "errors"] {
        assert!(metrics.contains(name), "no metric about {name}:\n{metrics}");
    }
    assert!(metrics.contains("PGRST205"), "{metrics}");
    let health = |port: u16| {
        let status = Command::new(env!("CARGO_BIN_EXE_berth"))
            .arg("health")
            .env_clear()
            .env("PORT", port.to_string())
            .status()
            .unwrap();
        status.success()
    };
    assert!(health(berth.port));
    assert!(!health(crate::support::free_port()));
    let line = berth.logged("/no_such_table");
    let line: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert!(line.get("severity").is_some(), "{line}");
}

#[test]
fn many_instances_that_start_at_once_migrate_once() {
    let folder = tempfile::tempdir().unwrap();
    let volume = volume(folder.path());
    let migrations = crate::support::migrations();
    let mut servers: Vec<_> = (0..4)
        .map(|_| Start::sqlite(folder.path(), &volume).with("MIGRATIONS", migrations.display()).spawn())
        .collect();
    servers.iter_mut().for_each(Berth::wait_until_ready);
    let films = servers[0].client().get("/films?select=id").json().as_array().unwrap().len();
    for berth in &servers {
        assert_eq!(berth.client().get("/films?select=id").json().as_array().unwrap().len(), films);
    }
    if let Some(cluster) = postgres::cluster() {
        let dsn = cluster.create_database("migrated_once");
        let mut servers: Vec<_> = (0..4)
            .map(|_| Start::postgres(folder.path(), &dsn).with("MIGRATIONS", migrations.display()).spawn())
            .collect();
        servers.iter_mut().for_each(Berth::wait_until_ready);
        assert_eq!(servers[3].client().get("/films?select=id").json().as_array().unwrap().len(), films);
    }
}
