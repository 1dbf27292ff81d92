//! Instances that are stopped or killed at the worst moment, with real processes.

use std::path::Path;
use std::time::{Duration, Instant};

use rustix::process::Signal;

use crate::support::{Answer, Berth, Start, write_migrations};

const SCHEMA: &str = "CREATE TABLE notes (id int PRIMARY KEY, text text NOT NULL);";

fn instance<'a>(folder: &'a Path, name: &str) -> Start<'a> {
    let migrations = write_migrations(folder, &[SCHEMA]);
    Start::sqlite(folder, &folder.join("volume"))
        .with("VOLUME_MODE", "shared-log")
        .with("LOCAL_DIR", folder.join(name).display())
        .with("MIGRATIONS", migrations.display())
        .with("RETENTION", "0s")
}

fn note(berth: &Berth, id: u64, bytes: usize) -> Option<Answer> {
    // What cannot be packed: hexadecimal digits of a hash, of which half is left.
    let text: String = (0..bytes as u64 / 16)
        .map(|word| format!("{:016x}", (word + id).wrapping_mul(0x9e37_79b9_7f4a_7c15)))
        .collect();
    let body = serde_json::json!({ "id": id, "text": text });
    berth.client().try_send("POST", "/notes", &[("Content-Type", "application/json")], &body.to_string())
}

fn ids(berth: &Berth) -> Vec<u64> {
    let answer = berth.client().get("/notes?select=id&order=id");
    assert_eq!(answer.status, 200, "{}", answer.body);
    answer.json().as_array().unwrap().iter().map(|row| row["id"].as_u64().unwrap()).collect()
}

fn is_stopped(berth: &Berth) -> bool {
    let stat = std::fs::read_to_string(format!("/proc/{}/stat", berth.id())).unwrap();
    stat.rsplit_once(") ").is_some_and(|(_, rest)| rest.starts_with('T'))
}

fn wait_until(what: &str, is_so: impl Fn() -> bool) {
    let started = Instant::now();
    while !is_so() {
        assert!(started.elapsed() < Duration::from_secs(60), "not in time: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn slots(folder: &Path) -> Vec<String> {
    let entries = std::fs::read_dir(folder.join("volume/app/ltx/0")).unwrap();
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

/// The platform freezes an instance right before its put. Meanwhile the others write on, a snapshot is written, and the
/// very slot that it is about to fill is removed: its name is free again, and its put succeeds.
#[test]
fn a_stalled_instance_that_wakes_after_its_slot_was_removed_does_not_acknowledge() {
    if !cfg!(debug_assertions) {
        eprintln!("skipped: a release build has no fault points");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let other = instance(folder, "other").run();
    let stalled = instance(folder, "stalled").with("BERTH_FAULT_POINT", "before-put:2:stop").run();
    assert_eq!(note(&stalled, 1, 16).unwrap().status, 201);

    let (ghost, stalled) = std::thread::scope(|scope| {
        let sending = scope.spawn(|| note(&stalled, 666, 16));
        wait_until("the instance stops before its put", || is_stopped(&stalled));
        let position: u64 = 2;
        let next = format!("{:016x}-{:016x}.ltx", position + 1, position + 1);
        for id in 2..80 {
            assert_eq!(note(&other, id, 40_000).unwrap().status, 201);
        }
        wait_until("its slot is filled and removed", || slots(folder).iter().all(|slot| *slot > next));
        stalled.signal(Signal::CONT);
        let answer = sending.join().unwrap();
        assert!(slots(folder).contains(&next), "its put succeeded: the test shows something");
        (answer.unwrap(), &stalled)
    });
    assert_eq!((ghost.status, ghost.json()["code"].as_str()), (503, Some("40003")), "{}", ghost.body);
    let expected: Vec<u64> = (1..80).collect();
    assert_eq!(ids(stalled), expected, "it finds its way back");
    assert_eq!(ids(&other), expected);
    assert_eq!(note(stalled, 80, 16).unwrap().status, 201);
    assert_eq!(ids(&other).last(), Some(&80));
    assert_eq!(ids(&instance(folder, "third").run()), ids(stalled));
}

/// SQLite takes its time to make visible what is in the log: who has read it through another instance must not miss it
/// at the one that wrote it.
#[test]
fn what_one_instance_shows_its_writer_does_not_hide() {
    if !cfg!(debug_assertions) {
        eprintln!("skipped: a release build has no fault points");
        return;
    }
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    let other = instance(folder, "other").run();
    let slow = instance(folder, "slow").with("BERTH_FAULT_POINT", "published:1:sleep-400").run();
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| note(&slow, 1, 16));
        wait_until("another instance sees the write", || ids(&other) == [1]);
        assert!(!writing.is_finished(), "it is not acknowledged yet: the test shows something");
        assert_eq!(ids(&slow), [1]);
        assert_eq!(writing.join().unwrap().unwrap().status, 201);
    });
}

/// For each place: whether the write that was under way is in the log afterwards.
#[test]
fn an_instance_that_is_killed_at_any_step_leaves_a_log_that_goes_on() {
    if !cfg!(debug_assertions) {
        eprintln!("skipped: a release build has no fault points");
        return;
    }
    let steps = [("before-put", Some(false)), ("after-put", Some(true)), ("published", Some(true))];
    let tidying = [("before-snapshot", None), ("after-snapshot", None), ("removed", None)];
    for (point, is_written) in steps.into_iter().chain(tidying) {
        let folder = tempfile::tempdir().unwrap();
        let folder = folder.path();
        let other = instance(folder, "other").run();
        assert_eq!(note(&other, 1, 16).unwrap().status, 201);
        let time = if is_written.is_some() { 1 } else { 2 };
        let order = format!("{point}:{}:kill", if point == "removed" { 3 } else { 1 });
        let mut killed = instance(folder, "killed").with("BERTH_FAULT_POINT", order).run();
        let mut acknowledged = vec![1];
        let mut unknown = Vec::new();
        for id in (2..).take(if time == 1 { 1 } else { 400 }) {
            match note(&killed, id, 40_000) {
                Some(answer) if answer.status == 201 => acknowledged.push(id),
                _ => {
                    unknown.push(id);
                    break;
                }
            }
        }
        assert_eq!(killed.wait(), None, "{point}: it is killed there");
        let there = ids(&other);
        assert!(acknowledged.iter().all(|id| there.contains(id)), "{point}: what was acknowledged is there");
        if let Some(is_written) = is_written {
            assert_eq!(there.contains(&unknown[0]), is_written, "{point}");
        }
        assert_eq!(note(&other, 1_000, 16).unwrap().status, 201, "{point}: the others go on");
        let again = instance(folder, "killed").run();
        assert_eq!(ids(&again), ids(&other), "{point}: a new instance has what the others have");
        assert_eq!(note(&again, 1_001, 40_000).unwrap().status, 201);
        assert_eq!(ids(&other).last(), Some(&1_001));
    }
}
