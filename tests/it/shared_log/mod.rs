//! Several instances share one directory through the log, and are killed, frozen and started at random: nothing that
//! was acknowledged is lost, nothing is there twice, and every read sees every write acknowledged before it.
//!
//! Nothing here uses a lock of the file system: the instances know of each other only what lies in the directory.
//! `BERTH_TORTURE=1` (`make torture`) runs for minutes, with eight instances as well. A failure keeps what was recorded,
//! logged and written, and says where; `BERTH_SEED` sets the seed of the torment.

mod copies;
mod damaged;
mod fleet;
mod ledger;
mod linear;
mod registers;
mod stalled;
mod volumes;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use crate::support::bucket::{self, Bucket, Latency, Network};
use crate::support::torture;
use fleet::{Fleet, Settings};
use ledger::Ledger;
use registers::Registers;

/// Clients of each kind.
const CLIENTS: usize = 5;

fn seed() -> u64 {
    let chosen = std::env::var("BERTH_SEED").ok().and_then(|seed| seed.parse().ok());
    // Another one each time: what is found can be found again with it.
    chosen.unwrap_or_else(|| u64::from(std::process::id()).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 40)
}

/// Keeps everything of a run that failed.
struct Evidence<'a> {
    name: &'static str,
    seed: u64,
    folder: &'a Path,
    registers: &'a Registers,
}

impl Drop for Evidence<'_> {
    fn drop(&mut self) {
        if !thread::panicking() {
            return;
        }
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("target/failed/{}-{}", self.name, self.seed));
        let _ = std::fs::create_dir_all(&kept);
        let _ = std::fs::write(kept.join("registers.txt"), self.registers.text());
        let copied = std::process::Command::new("cp").arg("-r").arg(self.folder).arg(kept.join("folder")).status();
        eprintln!("BERTH_SEED={}: the history, logs and files are in {} ({copied:?})", self.seed, kept.display());
    }
}

/// Runs all clients over the volumes, one instance on each, and checks what they were told.
fn run(name: &'static str, folder: &Path, volumes: Vec<PathBuf>, settings: Settings, time: Duration) {
    let schema = format!("{}{}", ledger::SCHEMA, registers::SCHEMA);
    let fleet = Fleet::start(folder, volumes, &schema, settings);
    let (ledger, registers) = (Arc::new(Ledger::default()), Arc::new(Registers::default()));
    let seed = seed();
    let _evidence = Evidence { name, seed, folder, registers: &registers };
    let clients = (0..CLIENTS).flat_map(|client| [ledger.client(&fleet, client), registers.client(&fleet, client)]);
    fleet.run(time, seed, clients.collect());
    ledger.check(&fleet);
    registers.check();
    copies::check(&fleet);
}

fn run_on_directory(name: &'static str, instances: usize, settings: Settings, time: Duration) {
    let folder = tempfile::tempdir().unwrap();
    run(name, folder.path(), vec![folder.path().join("volume"); instances], settings, time);
}

#[test]
fn three_instances_that_are_killed_and_frozen_lose_nothing() {
    run_on_directory("three", 3, Vec::new(), Duration::from_secs(if torture() { 300 } else { 8 }));
}

/// Slots are removed as soon as a snapshot has them: instances that were frozen find their slot gone, or free again.
#[test]
fn three_instances_on_a_log_that_is_removed_behind_them_lose_nothing() {
    let settings = vec![("RETENTION", "0s".to_owned())];
    run_on_directory("removed", 3, settings, Duration::from_secs(if torture() { 300 } else { 8 }));
}

/// Runs on three hosts' mounts of a bucket between which everything goes wrong.
fn run_on_bucket(name: &'static str, settings: Settings) {
    let folder = tempfile::tempdir().unwrap();
    let shared = Arc::new(Bucket::default());
    let places: Vec<PathBuf> = (0..3).map(|host| folder.path().join(format!("host-{host}"))).collect();
    let mount = |(seed, place): (u64, &PathBuf)| bucket::mount(&shared, place, Network::Faulty(seed));
    let mounts: Option<Vec<_>> = (1..).zip(&places).map(mount).collect();
    let Some(mounts) = mounts else { return };
    run(name, folder.path(), places, settings, Duration::from_secs(if torture() { 120 } else { 8 }));
    drop(mounts);
}

#[test]
fn three_hosts_that_mount_a_faulty_bucket_lose_nothing() {
    run_on_bucket("bucket", Vec::new());
}

#[test]
fn three_hosts_that_mount_a_faulty_bucket_whose_log_is_removed_behind_them_lose_nothing() {
    run_on_bucket("bucket-removed", vec![("RETENTION", "0s".to_owned())]);
}

#[test]
fn eight_instances_that_are_killed_and_frozen_lose_nothing() {
    if !torture() {
        eprintln!("skipped: eight instances run with BERTH_TORTURE=1 (make torture)");
        return;
    }
    run_on_directory("eight", 8, Vec::new(), Duration::from_secs(300));
}

#[test]
fn an_answer_names_its_position_and_a_request_may_ask_for_one() {
    let folder = tempfile::tempdir().unwrap();
    let fleet = Fleet::start(folder.path(), vec![folder.path().join("volume")], ledger::SCHEMA, Vec::new());
    let slow = fleet.instance(0).with("READ_STALENESS", "1h").run();
    let (quick, slow) = (fleet.client(), slow.client());
    assert_eq!(slow.get("/names").body, "[]", "the look that is then an hour good");

    let written = quick.send("POST", "/names", &[("Content-Type", "application/json")], r#"{"name":"a","owner":"b"}"#);
    let position = written.header("berth-position").unwrap().to_owned();
    assert_eq!(slow.get("/names").body, "[]", "as stale as it may be");
    let ask = |position: &str| slow.send("GET", "/names", &[("Berth-Min-Position", position)], "");
    let answer = ask(&position);
    assert_eq!((answer.json()[0]["name"].as_str(), answer.header("berth-position")), (Some("a"), Some(&*position)));
    let answer = ask("999999");
    assert_eq!((answer.status, answer.json()["code"].as_str()), (412, Some("BERTH412")));
}

/// A minute, counted by the file system; where the tests can mount none, by the instance.
#[test]
fn an_idle_instance_does_not_touch_the_volume() {
    let folder = tempfile::tempdir().unwrap();
    let (bucket, volume) = (Arc::new(Bucket::default()), folder.path().join("volume"));
    let mount = bucket::mount(&bucket, &volume, Network::Steady(Latency::default()));
    let fleet = Fleet::start(folder.path(), vec![volume], ledger::SCHEMA, Vec::new());
    let operations = || fleet.client().get("/-/status").json()["log"]["volumeOperations"].clone();
    assert_eq!(fleet.client().get("/names").status, 200);
    let before = (operations(), bucket.requests());
    assert!(before.0["list"].as_u64().unwrap() > 0, "{}", before.0);
    assert!(mount.is_none() || before.1 > 0, "the file system counts");
    thread::sleep(Duration::from_secs(60));
    assert_eq!((operations(), bucket.requests()), before);
    let metrics = fleet.client().get("/-/metrics").body;
    assert!(metrics.contains("berth_log_commits_total{outcome=\"won\"} 1"), "{metrics}");
    assert!(metrics.contains("berth_log_position 1"), "{metrics}");
}

#[test]
fn the_failure_table_names_tests_that_are_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let page = std::fs::read_to_string(root.join("docs/shared-log.md")).unwrap();
    let table = page.split("## When things fail").nth(1).unwrap().split("## ").next().unwrap();
    let named: Vec<&str> = table.split('`').skip(1).step_by(2).filter(|word| word.matches('_').count() > 4).collect();
    assert!(named.len() > 15, "{named:?}");
    let found = std::process::Command::new("grep")
        .args(["-rhoE", "fn [a-z_]+", "src", "tests/it"])
        .current_dir(root)
        .output()
        .unwrap();
    let functions = String::from_utf8(found.stdout).unwrap();
    for name in named {
        assert!(functions.lines().any(|line| line == format!("fn {name}")), "there is no test {name}");
    }
}
