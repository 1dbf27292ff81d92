//! Kills berth at random moments under write load: what was acknowledged is there afterwards, once.
//!
//! `BERTH_TORTURE=1` (`make torture`) runs a hundred rounds instead of a few.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::support::{Berth, Start, torture};

const WRITERS: usize = 8;

fn rounds() -> u32 {
    if torture() { 100 } else { 8 }
}

/// How many acknowledgements each key got.
type Acknowledged = Arc<Mutex<BTreeMap<String, u32>>>;

fn create_table(volume: &Path) {
    std::fs::create_dir_all(volume).unwrap();
    let database = rusqlite::Connection::open(volume.join("app.db")).unwrap();
    database.execute_batch("CREATE TABLE events (id INTEGER PRIMARY KEY, key TEXT NOT NULL);").unwrap();
}

/// Inserts rows with keys of their own until told to stop; remembers those that were acknowledged.
fn write(berth: &Berth, name: String, stop: Arc<AtomicBool>, acknowledged: Acknowledged) -> thread::JoinHandle<()> {
    let client = berth.client();
    thread::spawn(move || {
        let mut number = 0_u64;
        while !stop.load(Ordering::Relaxed) {
            let key = format!("{name}-{number}");
            number += 1;
            let body = format!(r#"{{"key":"{key}"}}"#);
            let headers = [("Content-Type", "application/json")];
            if client.try_send("POST", "/events", &headers, &body).is_some_and(|answer| answer.status == 201) {
                *acknowledged.lock().unwrap().entry(key).or_default() += 1;
            }
        }
    })
}

fn check(volume: &Path, acknowledged: &Acknowledged) {
    let database = rusqlite::Connection::open(volume.join("app.db")).unwrap();
    let integrity: String = database.query_row("PRAGMA integrity_check", [], |row| row.get(0)).unwrap();
    assert_eq!(integrity, "ok");
    let mut statement = database.prepare("SELECT key, count(*) FROM events GROUP BY key").unwrap();
    let stored: BTreeMap<String, u32> =
        statement.query_map([], |row| Ok((row.get(0)?, row.get(1)?))).unwrap().map(Result::unwrap).collect();
    for key in acknowledged.lock().unwrap().keys() {
        assert_eq!(stored.get(key), Some(&1), "{key} was acknowledged but is not there once");
    }
    for (key, times) in &stored {
        assert_eq!(*times, 1, "{key} was stored {times} times");
    }
}

#[test]
fn acknowledged_rows_survive_sigkill_each_once() {
    let folder = tempfile::tempdir().unwrap();
    let volume = folder.path().join("data");
    create_table(&volume);
    let acknowledged = Acknowledged::default();
    for round in 0..rounds() {
        let mut berth = Start::sqlite(folder.path(), &volume).run();
        let stop = Arc::new(AtomicBool::new(false));
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| write(&berth, format!("{round}-{writer}"), Arc::clone(&stop), Arc::clone(&acknowledged)))
            .collect();
        // A different moment each round, so that the kill meets commits, checkpoints and idle moments alike.
        thread::sleep(Duration::from_millis(40 + u64::from(round * 37 % 160)));
        berth.kill();
        stop.store(true, Ordering::Relaxed);
        writers.into_iter().for_each(|writer| writer.join().unwrap());
        check(&volume, &acknowledged);
    }
    let total = acknowledged.lock().unwrap().len();
    assert!(total > 0, "no write was acknowledged: the test shows nothing");
    eprintln!("{total} acknowledged rows over {} kills, each there once", rounds());
}

#[test]
fn two_processes_on_one_volume_lose_nothing_and_double_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let volume = folder.path().join("data");
    create_table(&volume);
    let acknowledged = Acknowledged::default();
    let stop = Arc::new(AtomicBool::new(false));
    let processes: Vec<Berth> = (0..2).map(|_| Start::sqlite(folder.path(), &volume).run()).collect();
    let writers: Vec<_> = (0..WRITERS)
        .map(|writer| write(&processes[writer % 2], format!("p{writer}"), Arc::clone(&stop), Arc::clone(&acknowledged)))
        .collect();
    thread::sleep(Duration::from_secs(if rounds() > 10 { 30 } else { 3 }));
    stop.store(true, Ordering::Relaxed);
    writers.into_iter().for_each(|writer| writer.join().unwrap());
    check(&volume, &acknowledged);
    let total = acknowledged.lock().unwrap().len();
    assert!(total > 100, "only {total} writes were acknowledged");
    drop(processes);
}

#[test]
fn sigterm_finishes_what_was_begun_and_exits_with_zero() {
    let folder = tempfile::tempdir().unwrap();
    let volume = folder.path().join("data");
    create_table(&volume);
    let acknowledged = Acknowledged::default();
    let berth = Start::sqlite(folder.path(), &volume).run();
    let stop = Arc::new(AtomicBool::new(false));
    let writer = write(&berth, "t".into(), Arc::clone(&stop), Arc::clone(&acknowledged));
    thread::sleep(Duration::from_millis(300));
    let (code, took) = berth.terminate();
    stop.store(true, Ordering::Relaxed);
    writer.join().unwrap();
    assert_eq!(code, Some(0));
    assert!(took < Duration::from_secs(10), "took {took:?}, platforms kill after ten seconds");
    check(&volume, &acknowledged);
}
