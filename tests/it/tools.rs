//! The commands beside `serve`.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

use crate::failover::Pooler;
use crate::support::bucket::{self, Bucket, Network};
use crate::support::command::refused;
use crate::support::server::Server;
use crate::support::{Start, postgres};

fn check(folder: &Path, env: &[(&str, &str)], arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_berth"))
        .env_clear()
        .env("VOLUME", folder.join("data"))
        .envs(env.iter().copied())
        .arg("check")
        .args(arguments)
        .current_dir(folder)
        .output()
        .unwrap()
}

fn report(output: &Output) -> Value {
    serde_json::from_slice(&output.stdout).unwrap()
}

fn finding<'a>(report: &'a Value, name: &str) -> &'a Value {
    report["findings"].as_array().unwrap().iter().find(|finding| finding["name"] == name).unwrap()
}

#[test]
fn a_local_volume_is_safe_in_place_and_locks_are_tried_against_a_second_process() {
    let folder = tempfile::tempdir().unwrap();
    let output = check(folder.path(), &[("ACCESS", "open")], &["--json"]);
    let report = report(&output);
    assert!(output.status.success(), "{report:#}");
    assert_eq!((&report["safe"], &report["store"]), (&Value::Bool(true), &Value::from("in-place")));
    for name in ["locks", "shared memory", "hard link", "exclusive create"] {
        assert_eq!(finding(&report, name)["value"], "works", "{name}");
    }
    assert_eq!(finding(&report, "access")["level"], "warning");
    let output = check(folder.path(), &[], &[]);
    assert!(String::from_utf8_lossy(&output.stdout).ends_with("\nsafe\n"));
}

#[test]
fn a_volume_that_takes_no_file_is_named_at_the_start() {
    let folder = tempfile::tempdir().unwrap();
    let env = [("VOLUME", "/proc"), ("VOLUME_MODE", "in-place"), ("VOLUME_UNSAFE", "true"), ("PORT", "0")];
    let said = refused(folder.path(), &env, &[]);
    assert!(said.starts_with("berth: the volume \"/proc\" cannot be written: "), "{said}");
}

#[test]
fn in_place_beside_a_log_of_that_name_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let volume = folder.path().join("data");
    let migrations = folder.path().join("scripts");
    std::fs::create_dir_all(&migrations).unwrap();
    std::fs::write(migrations.join("1_notes.sql"), "CREATE TABLE notes (id bigint PRIMARY KEY);").unwrap();
    let shared = Start::sqlite(folder.path(), &volume).with("VOLUME_MODE", "shared-log");
    drop(shared.with("MIGRATIONS", migrations.display()).run());

    let output = check(folder.path(), &[("VOLUME_MODE", "in-place")], &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let store = finding(&report(&output), "store").clone();
    assert!(store["meaning"].as_str().unwrap().contains("is in the shared log"), "{store}");
    let output = check(folder.path(), &[], &["--json"]);
    assert_eq!(report(&output)["store"], "shared-log", "a log that is there stays in use");
    let log = finding(&report(&output), "log").clone();
    assert!(log["value"].as_str().unwrap().starts_with("position 1 ("), "{log}");

    let slot = volume.join("app/ltx/0/0000000000000001-0000000000000001.ltx");
    let bytes = std::fs::read(&slot).unwrap();
    std::fs::write(&slot, &bytes[..100]).unwrap();
    let output = check(folder.path(), &[], &["--json"]);
    assert_eq!((output.status.code(), &finding(&report(&output), "log")["value"]), (Some(1), &Value::from("torn")));
}

/// Everybody may read and write one table; of another the policies hold, of a third they do not.
const EXPOSED: &str = "CREATE ROLE checked_anon; CREATE ROLE checked_user;
    CREATE TABLE open (id int PRIMARY KEY); CREATE TABLE closed (id int PRIMARY KEY); CREATE TABLE idle (id int PRIMARY KEY);
    CREATE TABLE others (id int PRIMARY KEY);
    GRANT SELECT, INSERT (id) ON open TO PUBLIC; GRANT SELECT ON closed TO checked_anon; GRANT ALL ON others TO checked_user;
    ALTER TABLE closed ENABLE ROW LEVEL SECURITY;
    CREATE POLICY few ON closed USING (id > 7); CREATE POLICY few ON idle USING (id > 7);";

#[test]
fn what_everybody_may_do_is_told_of_every_store_before_and_after_it_is_migrated() {
    let folder = tempfile::tempdir().unwrap();
    let (volume, migrations) = (folder.path().join("data"), folder.path().join("scripts"));
    std::fs::create_dir_all(&migrations).unwrap();
    std::fs::write(migrations.join("1.sql"), EXPOSED).unwrap();
    let scripts = migrations.to_str().unwrap().to_owned();
    let look = |env: &[(&str, &str)]| {
        let all = [&[("MIGRATIONS", scripts.as_str()), ("ANON_ROLE", "checked_anon")], env].concat();
        let output = check(folder.path(), &all, &["--json"]);
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
        report(&output)
    };
    let expect = |report: &Value| {
        let (granted, idle) = (finding(report, "without a token"), finding(report, "policies"));
        assert_eq!((&granted["level"], &granted["value"]), (&"warning".into(), &"closed, open".into()), "{report:#}");
        let meaning =
            "no row policy holds for \"checked_anon\": every row of open can be read; any row of open can be written";
        assert_eq!(granted["meaning"], meaning);
        assert_eq!((&idle["level"], &idle["value"]), (&"warning".into(), &"idle".into()));
    };
    expect(&look(&[]));
    assert!(!volume.join("app.db").exists(), "a check makes no database");
    for mode in ["in-place", "shared-log"] {
        let volume = folder.path().join(mode);
        let start = Start::sqlite(folder.path(), &volume).with("VOLUME_MODE", mode).with("MIGRATIONS", &scripts);
        let berth = start.with("ANON_ROLE", "checked_anon").run();
        expect(&look(&[("VOLUME", volume.to_str().unwrap()), ("MIGRATIONS", "none")]));
        drop(berth);
    }
    let open = look(&[("ACCESS", "open"), ("K_SERVICE", "notes")]);
    let access = finding(&open, "access")["meaning"].as_str().unwrap();
    assert!(access.starts_with("this is Knative or Cloud Run: "), "{access}");
    assert!(!open["findings"].to_string().contains("without a token"), "grants do not decide");

    let Some(cluster) = postgres::cluster() else { return };
    let dsn = cluster.create_database("exposed");
    cluster.run("exposed", EXPOSED);
    expect(&look(&[("DATABASE_URL", &dsn)]));
}

#[test]
fn migrations_that_cannot_be_applied_are_unsafe() {
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir(folder.path().join("migrations")).unwrap();
    std::fs::write(folder.path().join("migrations/1.sql"), "CREATE TABLE a (id int REFERENCES b);").unwrap();
    let output = check(folder.path(), &[], &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(finding(&report(&output), "migrations")["level"], "unsafe");
}

#[test]
fn a_server_is_asked_for_what_matters_and_one_that_is_away_is_unsafe() {
    let folder = tempfile::tempdir().unwrap();
    let away = check(folder.path(), &[("DATABASE_URL", "postgres://berth@127.0.0.1:1/berth")], &["--json"]);
    assert_eq!(away.status.code(), Some(1));
    assert_eq!(finding(&report(&away), "reachable")["level"], "unsafe");

    let Some(cluster) = postgres::cluster() else { return };
    let dsn = cluster.create_database("checked");
    let output = check(folder.path(), &[("DATABASE_URL", &dsn)], &["--json"]);
    let report = report(&output);
    assert!(output.status.success(), "{report:#}");
    assert!(finding(&report, "role")["meaning"].as_str().unwrap().contains("superuser"));
    assert_eq!(finding(&report, "pooler")["value"], "none seen");
}

#[test]
fn a_pooler_between_is_seen_and_what_it_forbids_is_said() {
    let Some(server) = Server::primary() else { return };
    let Some(pooler) = Pooler::before(&server) else { return };
    let folder = tempfile::tempdir().unwrap();
    let report_of = |dsn: &str, arguments: &[&str]| {
        let output = check(folder.path(), &[("DATABASE_URL", dsn)], &[&["--json"], arguments].concat());
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        report(&output)
    };
    let behind = format!("postgres://postgres@127.0.0.1:{}/postgres?sslmode=disable", pooler.port);
    let pooled = report_of(&behind, &[]);
    assert_eq!(finding(&pooled, "pooler")["value"], "transactions are pooled");
    assert!(finding(&pooled, "pooler")["advice"].as_str().unwrap().contains("pgbouncer=true"));
    let told = report_of(&format!("{behind}&pgbouncer=true"), &[]);
    assert_eq!(finding(&told, "pooler")["level"], "ok", "{told:#}");

    let direct = server.dsn();
    let few = report_of(&direct, &["--instances", "2"]);
    assert_eq!(
        (&finding(&few, "pooler")["value"], &finding(&few, "TLS")["level"]),
        (&"none seen".into(), &"ok".into())
    );
    assert_eq!(finding(&few, "max_connections")["level"], "ok", "{few:#}");
    let many = report_of(&direct, &["--instances", "1000"]);
    assert_eq!(finding(&many, "max_connections")["level"], "warning");
    assert_eq!(finding(&many, "ANON_ROLE")["level"], "warning", "there is no role anon");
}

#[test]
fn a_mount_of_an_object_store_is_never_used_in_place() {
    let folder = tempfile::tempdir().unwrap();
    let volume = folder.path().join("data");
    let Some(mount) = bucket::mount(&std::sync::Arc::new(Bucket::default()), &volume, Network::Faulty(1)) else {
        return;
    };
    let output = check(folder.path(), &[], &["--json"]);
    let chosen = report(&output);
    assert!(output.status.success(), "{chosen:#}");
    assert_eq!(chosen["store"], "shared-log", "{chosen:#}");
    assert_eq!(finding(&chosen, "log")["value"], "empty");
    assert_eq!(finding(&chosen, "working copies")["level"], "ok");
    let output = check(folder.path(), &[("LOCAL_DIR", volume.join("local").to_str().unwrap())], &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let copies = finding(&report(&output), "working copies")["meaning"].clone();
    assert!(copies.as_str().unwrap().contains("other hosts may mount it"), "{copies}");

    let output = check(folder.path(), &[("VOLUME_MODE", "in-place")], &["--json"]);
    assert_eq!(output.status.code(), Some(1));
    let store = finding(&report(&output), "store").clone();
    assert_eq!(store["level"], "unsafe");
    assert!(store["meaning"].as_str().unwrap().contains("SQLite in place on the volume"), "{store}");
    let mut forced = Start::sqlite(folder.path(), &volume).spawn();
    assert_eq!(forced.wait(), Some(1));
    assert!(forced.log_text().contains("is not safe"), "{}", forced.log_text());
    drop(mount);
}
