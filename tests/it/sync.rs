//! What must be on the disk before a write is acknowledged, seen and broken between berth and the kernel (strace).

use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::support::server::installed;
use crate::support::{Berth, Start, write_migrations};

const SCHEMA: &str = "CREATE TABLE notes (id integer PRIMARY KEY, body text)";

/// Every way to write that is on a disk of one's own: its name, its mode, and what strace is told besides.
const STORES: [(&str, &str, &[&str]); 3] = [
    ("in place", "in-place", &[]),
    ("shared log, hard links", "shared-log", &[]),
    ("shared log, exclusive create", "shared-log", &["-e", "inject=link,linkat:error=EPERM"]),
];

/// `strace`, where a process may be traced.
fn strace() -> Option<PathBuf> {
    let strace = installed("strace")?;
    let traced = Command::new(&strace).args(["-qq", "-o", "/dev/null", "true"]).output();
    if traced.is_ok_and(|output| output.status.success()) {
        return Some(strace);
    }
    eprintln!("skipped: no process may be traced here (ptrace is not allowed)");
    None
}

fn start<'a>(folder: &'a Path, mode: &str) -> Start<'a> {
    let migrations = write_migrations(folder, &[SCHEMA]);
    Start::sqlite(folder, &folder.join("new/volume"))
        .with("MIGRATIONS", migrations.display())
        .with("VOLUME_MODE", mode)
        // Without hard links on a file system that is no object store's.
        .with("VOLUME_UNSAFE", true)
}

fn bodies(berth: &Berth) -> serde_json::Value {
    berth.client().get("/notes?select=body&order=id").json()
}

/// A sync that failed is not made good by one that succeeds later: what it was for counts as not written.
#[test]
fn nothing_is_acknowledged_while_syncs_fail() {
    let Some(strace) = strace() else { return };
    for (store, mode, calls) in STORES {
        let folder = tempfile::tempdir().unwrap();
        start(folder.path(), mode).run().client().post("/notes", r#"{"id":1,"body":"before"}"#);
        let failing = ["-o", "/dev/null", "-e", "trace=link,linkat,fsync,fdatasync"];
        let failing = [&failing, calls, &["-e", "inject=fsync,fdatasync:error=EIO"]].concat();
        let mut berth = start(folder.path(), mode).spawn_traced(&strace, &failing);
        berth.wait_until_ready();
        let answer = berth.client().post("/notes", r#"{"id":2,"body":"in doubt"}"#);
        assert_eq!(answer.status, 503, "{store}: {}", answer.body);
        berth.kill();
        let berth = start(folder.path(), mode).run();
        let answer = berth.client().post("/notes", r#"{"id":3,"body":"after"}"#);
        assert_eq!(answer.status, 201, "{store}: {}", answer.body);
        // Of an unknown outcome either may be found; of others nothing is lost.
        let found = bodies(&berth).to_string();
        assert!(found.contains("before") && found.contains("after"), "{store}: {found}");
    }
}

/// The file's own sync is not enough: each directory on the way to it must have been synced after the name was made.
#[test]
fn every_name_that_leads_to_what_is_acknowledged_is_synced() {
    let Some(strace) = strace() else { return };
    for (store, mode, calls) in STORES {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path().canonicalize().unwrap();
        let trace = folder.join("trace");
        let watch =
            ["-y", "-o", trace.to_str().unwrap(), "-e", "trace=mkdir,mkdirat,link,linkat,openat,fsync,fdatasync"];
        let mut berth = start(&folder, mode).spawn_traced(&strace, &[&watch, calls].concat());
        berth.wait_until_ready();
        let answer = berth.client().post("/notes", r#"{"id":1,"body":"kept"}"#);
        assert_eq!(answer.status, 201, "{store}: {}", answer.body);
        berth.terminate();
        let trace = std::fs::read_to_string(trace).unwrap();
        let lines: Vec<&str> = trace.lines().collect();
        let made: Vec<(usize, &str)> = (lines.iter().enumerate())
            .filter(|(_, line)| line.contains("mkdir") && line.ends_with("= 0"))
            .filter_map(|(place, line)| Some((place, line.split('"').nth(1)?)))
            .filter(|(_, path)| path.contains("/new") && !path.ends_with("/tmp"))
            .collect();
        assert!(made.len() >= 2, "{store}: {trace}");
        for (place, path) in made {
            let above = Path::new(path).parent().unwrap().display();
            let synced = format!("<{above}>)");
            let is_synced = lines[place..].iter().any(|line| line.contains("sync(") && line.contains(&synced));
            assert!(is_synced, "{store}: {path} was made and {above} never synced");
        }
    }
}

/// The working copy is written before the log is asked: when that fails, the sender may write again without a doubt.
#[test]
fn what_fails_before_the_log_is_asked_is_not_in_doubt() {
    let Some(strace) = strace() else { return };
    let folder = tempfile::tempdir().unwrap();
    let mut berth = start(folder.path(), "shared-log").run();
    // SQLite alone writes this way. From now on it fails.
    let mut tracer = Command::new(strace)
        .args(["-f", "-o", "/dev/null", "-e", "trace=pwrite64", "-e", "inject=pwrite64:error=EIO", "-p"])
        .arg(berth.id().to_string())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut told = String::new();
    BufReader::new(tracer.stderr.take().unwrap()).read_line(&mut told).unwrap();
    assert!(told.contains("attached"), "{told}");
    let answer = berth.client().post("/notes", r#"{"id":1,"body":"not written"}"#);
    assert_eq!((answer.status, answer.json()["code"].as_str()), (503, Some("PGRST000")), "{}", answer.body);
    berth.kill();
    tracer.wait().unwrap();
    assert_eq!(bodies(&start(folder.path(), "shared-log").run()), serde_json::json!([]));
}
